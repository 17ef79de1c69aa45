/*
 * udp/udp.h: the UDP of one stack: its endpoints, and the entries that stack.c calls. Read first:
 * RFC 768, RFC 1122 4.1.
 *
 * Theory. An endpoint has its local port for itself, on the addresses that it was opened for; so a
 * datagram is anybody's who has (its destination address, its port), or else (any address, its
 * port): two or three lookups in one table, however many endpoints there are, and whether they are
 * connected or not. Endpoints that share a port are in the table under one key, or, where one is
 * for any address and another is not, under several: then each is asked. What comes to a broadcast
 * address or a group is everybody's who has (any address, its port).
 */
#ifndef TLSYN_UDP_UDP_H
#define TLSYN_UDP_UDP_H

#include <tlsyn/udp.h>

#include "core/siphash.h"
#include "core/table.h"
#include "ip/ip.h"

struct udp {
    struct context *cx;
    struct ip *ip;
    struct table endpoints; /* by the local endpoint they were opened for */
    struct siphash_key key;
    struct list all;
    struct list blocked; /* refused with -EAGAIN since the last output */
    uint32_t queued;     /* bytes sent since the last output */
    uint64_t opened;     /* endpoints so far */
    bool refused;        /* the datagram in hand, by its user */
    /* While one datagram goes to all: who gets it next. He may be closed before that. */
    struct tlsyn_udp *next;
    struct tlsyn_endpoint group; /* where it came to */
};

struct tlsyn_udp {
    struct table_node node;
    struct udp *udp;
    struct list all;
    struct list blocked;
    struct tlsyn_udp_handler *handler;
    struct tlsyn_udp_options
        options; /* .local: what it was opened for, the port filled in; the key in the table */
    struct tlsyn_udp_info info;
    uint64_t number; /* higher than of all that were opened before */
};

void udp_init(struct udp *udp, struct context *cx, struct ip *ip);

/** Every endpoint's user gets on_closed; nothing is sent. */
void udp_release(struct udp *udp);

/** tlsyn_udp_open(). */
int udp_open(struct udp *udp, const struct tlsyn_udp_options *options,
             struct tlsyn_udp_handler *handler, struct tlsyn_udp **out);

/** Takes a datagram: to its endpoint, or back as an ICMP port unreachable. */
void udp_input(struct udp *udp, const struct ip_datagram *datagram);

/** An ICMP error, or a neighbour's silence, about a datagram of ours (RFC 1122 4.1.3.3). */
void udp_icmp_error(struct udp *udp, const struct ip_error *error);

/** tlsyn_udp_walk(). */
void udp_walk(struct udp *udp, struct tlsyn_udp_visitor *visitor);

/** Output has been: there is room again for those who were refused. */
void udp_output_done(struct udp *udp);

#endif
