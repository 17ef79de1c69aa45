/*
 * tcp/tcp.h: the TCP of one stack: its connections, its listeners, its secrets, and the entries
 * that stack.c calls. Read first: RFC 9293 3.3 to 3.10.
 *
 * A connection is in one of three keepings: in `demux` while segments may find it; on `ready` while
 * it has something to send; on `doomed` once it is dead, until tcp_reap() frees it between frames,
 * so that nothing is freed while a frame is in hand.
 */
#ifndef TLSYN_TCP_TCP_H
#define TLSYN_TCP_TCP_H

#include <tlsyn/conn.h>

#include "core/budget.h"
#include "core/context.h"
#include "core/siphash.h"
#include "core/table.h"
#include "ip/ip.h"
#include "tcp/dest.h"
#include "tcp/sources.h"
#include "wire/seq.h"

struct tcp {
    struct context *cx;
    struct ip *ip;
    struct tlsyn_stack *stack; /* handed through to users, never looked into */

    struct table demux; /* connections by 4-tuple */
    struct list listeners;
    uint32_t listener_count;
    struct list all; /* every live connection */
    struct list ready;
    struct list doomed;
    struct list time_wait; /* who came first leaves first */
    uint32_t time_wait_count;
    /* In SYN-RECEIVED from a listener; who came first leaves first. */
    struct list half_opens;
    struct list embedded_opens; /* those of them that have an engine */
    uint32_t half_open;         /* both together */
    struct list shut;           /* peers that keep their window shut (tcp/shut.h) */
    bool room_wanted;           /* one of them is in the way */
    uint32_t embedded;          /* of the half-open, with an engine that took the SYN's payload */
    uint32_t numbered;          /* connections so far */

    uint64_t ring_bytes; /* memory of all rings */

    struct siphash_key key;        /* demux, ISN, timestamp offsets */
    struct siphash_key cookie_key; /* Fast Open */
    struct siphash_key syn_key;    /* SYN cookies */
    tlsyn_time syncookies_until;   /* when the last one that was given is worth nothing any more */
    struct dests dests;
    struct sources sources;
    struct budget embeds, rsts;

    tlsyn_time iss_chosen; /* by this clock, which moves with each */

    /** The initial sequence number of a connection that is being opened; RFC 6528 unless
     * replaced. */
    tcp_seq (*choose_iss)(struct tcp *, const struct tlsyn_endpoint *local,
                          const struct tlsyn_endpoint *remote);
};

int tcp_init(struct tcp *tcp, struct context *cx, struct ip *ip, struct tlsyn_stack *stack);

/** Every connection's user gets on_closed(-ECONNABORTED); nothing is sent. */
void tcp_release(struct tcp *tcp);

/** SEGMENT ARRIVES, RFC 9293 3.10.7. */
void tcp_input(struct tcp *tcp, const struct ip_datagram *datagram);

/** An ICMP error about a segment of ours (RFC 1122 4.2.3.9, RFC 5927). */
void tcp_icmp_error(struct tcp *tcp, const struct ip_error *error);

/** Whether some connection has text or a FIN that its peer has not acknowledged. */
bool tcp_is_sending(const struct tcp *tcp);

/** Lets every ready connection send, between ip_output_open() and ip_output_close(). */
void tcp_output_ready(struct tcp *tcp);

/** tlsyn_stack_walk(). */
void tcp_walk(struct tcp *tcp, struct tlsyn_visitor *visitor);

/** Frees what died since the last time. Never while a frame is in hand. */
void tcp_reap(struct tcp *tcp);

#endif
