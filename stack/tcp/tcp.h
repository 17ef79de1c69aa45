/*
 * tcp/tcp.h: the TCP of one stack: its connections, its listeners, its secrets, and the entries
 * that stack.c calls. Read first: RFC 9293 3.3 to 3.10.
 *
 * Where a connection stands: in `all` and in `demux` as long as segments may find it; on `ready`,
 * too, while it may have something to send; on `doomed` alone once it is dead, until tcp_reap()
 * frees it between two frames, because nothing is freed while a frame is in hand.
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
    struct list time_wait; /* the oldest first */
    uint32_t time_wait_count;
    /* Connections of listeners in SYN-RECEIVED, the oldest first: those without an engine, and
     * those whose engine took the SYN's payload. */
    struct list half_opens, embedded_opens;
    uint32_t half_open; /* how many stand in either list */
    uint32_t embedded;  /* how many stand in the second */
    struct list shut;   /* peers that keep their window shut (tcp/shut.h) */
    bool room_wanted;   /* memory was missing that one of them may hold */
    uint32_t numbered;  /* connections so far */

    uint64_t ring_bytes; /* memory of all rings */

    struct siphash_key key;        /* demux */
    struct siphash_key isn_key;    /* ISN, timestamp offsets */
    struct siphash_key cookie_key; /* Fast Open */
    struct siphash_key syn_key;    /* SYN cookies */
    tlsyn_time syncookies_until;   /* when the last SYN cookie that we gave expires */
    struct dests dests;
    struct sources sources;
    struct budget embeds, rsts;

    tlsyn_time iss_chosen; /* the time that the last one was computed from */

    /** The initial sequence number of a connection that is being opened; RFC 6528 unless
     * replaced. */
    tcp_seq (*choose_iss)(struct tcp *, const struct tlsyn_endpoint *local,
                          const struct tlsyn_endpoint *remote);
};

int tcp_init(struct tcp *tcp, struct context *cx, struct ip *ip, struct tlsyn_stack *stack);

/** See tlsyn_stack_isn_secret(). */
int tcp_isn_secret(struct tcp *tcp, const uint8_t secret[TLSYN_ISN_SECRET]);

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
