/*
 * tcp/tcp.c: the TCP of one stack: set-up, the walk over ready connections, ICMP errors.
 */
#include "tcp/tcp.h"

#include <errno.h>

#include "core/random.h"
#include "tcp/demux.h"
#include "tcp/handshake.h"
#include "tcp/isn.h"
#include "tcp/options.h"
#include "tcp/output.h"
#include "tcp/recovery.h"
#include "tcp/shut.h"

/* While an engine signs, the stack does nothing else. After an idle time so many SYNs in a row may
 * reach one; what arrives in the meantime fits the queue of a link. */
#define EMBEDS_AT_ONCE 32

/* The clock stands still within a batch of input, and within one batch a half-open connection may
 * give way to the next SYN of its own peer. Had the new one the same ISN, it would accept ACKs that
 * were meant for the old one's SYN-ACK. So each ISN is computed from a later time than the last. */
static tcp_seq choose_iss(struct tcp *tcp, const struct tlsyn_endpoint *local,
                          const struct tlsyn_endpoint *remote)
{
    tlsyn_time next = tcp->iss_chosen + ISN_TICK;

    tcp->iss_chosen = tcp->cx->now > next ? tcp->cx->now : next;
    return isn_choose(&tcp->isn_key, local, remote, tcp->iss_chosen);
}

int tcp_init(struct tcp *tcp, struct context *cx, struct ip *ip, struct tlsyn_stack *stack)
{
    *tcp = (struct tcp){.cx = cx, .ip = ip, .stack = stack, .choose_iss = choose_iss};
    table_init(&tcp->demux, cx->limits.connections);
    list_init(&tcp->listeners);
    list_init(&tcp->all);
    list_init(&tcp->ready);
    list_init(&tcp->doomed);
    list_init(&tcp->time_wait);
    list_init(&tcp->half_opens);
    list_init(&tcp->embedded_opens);
    list_init(&tcp->shut);
    cx->random->fill(cx->random, &tcp->key, sizeof(tcp->key));
    /* R6528-2 */
    cx->random->fill(cx->random, &tcp->isn_key, sizeof(tcp->isn_key));
    cx->random->fill(cx->random, &tcp->cookie_key, sizeof(tcp->cookie_key));
    cx->random->fill(cx->random, &tcp->syn_key, sizeof(tcp->syn_key));
    dests_init(&tcp->dests, cx);
    sources_init(&tcp->sources, cx);
    budget_init(&tcp->embeds, cx->limits.embedded_per_second, EMBEDS_AT_ONCE, cx->now);
    budget_init(&tcp->rsts, cx->limits.rst_per_second, UINT32_MAX, cx->now);
    return 0;
}

int tcp_isn_secret(struct tcp *tcp, const uint8_t secret[TLSYN_ISN_SECRET])
{
    if (tcp->numbered > 0)
        return -EISCONN;
    memcpy(&tcp->isn_key, secret, sizeof(tcp->isn_key));
    return 0;
}

void tcp_release(struct tcp *tcp)
{
    struct list *it;

    tcp->demux.max = 0; /* a user who opens anew in on_closed gets -ENOBUFS */
    while ((it = list_first(&tcp->all))) {
        struct tlsyn_conn *conn = container_of(it, struct tlsyn_conn, all);

        ring_consume(&conn->rcv, conn->rcv.used); /* nobody will read it: on_closed need not wait */
        tcp_finish(conn, conn->state == TLSYN_TIME_WAIT ? 0 : -ECONNABORTED);
        if (conn->close_pending)
            tcp_tell_closed(conn);
    }
    tcp_reap(tcp);
    while ((it = list_first(&tcp->listeners)))
        tlsyn_listener_close(container_of(it, struct tlsyn_listener, node));
    dests_release(&tcp->dests);
    sources_release(&tcp->sources);
    table_release(&tcp->demux, tcp->cx->alloc);
}

static bool is_sending(const struct tlsyn_conn *conn)
{
    return conn->snd.used > 0 || conn->state == TLSYN_FIN_WAIT_1 || conn->state == TLSYN_CLOSING ||
           conn->state == TLSYN_LAST_ACK;
}

bool tcp_is_sending(const struct tcp *tcp)
{
    list_each(it, &tcp->all)
    {
        if (is_sending(container_of(it, struct tlsyn_conn, all)))
            return true;
    }
    return false;
}

void tcp_output_ready(struct tcp *tcp)
{
    struct list now;

    shut_gives_way(tcp);
    /* Connections that become ready in the course of this wait for the next call, so that a chatty
     * one can't hold the others up. */
    list_init(&now);
    while (!list_empty(&tcp->ready)) {
        struct list *it = list_first(&tcp->ready);

        list_remove(it);
        list_append(&now, it);
    }
    while (!list_empty(&now)) {
        struct tlsyn_conn *conn = container_of(list_first(&now), struct tlsyn_conn, ready);

        list_remove(&conn->ready);
        if (conn->state != TLSYN_CLOSED)
            tcp_output(conn);
        tcp_check(conn);
        tcp_tell_closed(conn);
    }
}

/* RFC 5927 4: an error about a sequence number that is not outstanding is forged, or too
 * old to matter. (R5927-1) */
static bool quotes_outstanding(const struct tlsyn_conn *conn, tcp_seq seq)
{
    return seq_geq(seq, conn->snd_una) && seq_lt(seq, conn->snd_nxt);
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* MUST-54, MUST-56 */
void tcp_icmp_error(struct tcp *tcp, const struct ip_error *error)
{
    const uint8_t *q = error->quoted;
    const struct tlsyn_endpoint local = {error->src, be16(q)};
    const struct tlsyn_endpoint remote = {error->dst, be16(q + 2)};
    tcp_seq seq = (tcp_seq)be16(q + 4) << 16 | be16(q + 6);
    struct tlsyn_conn *conn = demux_find(tcp, &local, &remote);

    if (!conn || !quotes_outstanding(conn, seq)) {
        drop(tcp->cx, TLSYN_DROP_icmp_unrelated);
        return;
    }
    if (error->error == -EMSGSIZE)
        tcp_mtu_too_big(conn, seq, error->mtu);
    if (tcp_retry_plain(conn, error->error == -EMSGSIZE ? TLSYN_EMBEDDING_SYN_TOO_LONG
                                                        : TLSYN_EMBEDDING_SYN_REFUSED))
        return;
    if (error->error == -EMSGSIZE)
        return;
    /* RFC 1122 4.2.3.9 and RFC 5927 5: it ends only a connection that is still being opened. */
    if (error->hard && conn->state == TLSYN_SYN_SENT) {
        count(tcp->cx, TLSYN_COUNT_tcp_attempt_fails);
        tcp_finish(conn, error->error);
        return;
    }
    conn->soft_error = error->error;
    tcp_event_trouble(conn, error->error); /* MUST-47, SHLD-25 */
}
