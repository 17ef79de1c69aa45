/*
 * tcp/metrics.c: metrics between connections. Read first: RFC 9040 (its "temporal sharing"),
 * RFC 6298 2 and 5.
 *
 * Paths change, and an old round trip is no measurement: what is remembered makes us more careful,
 * hardly ever bolder. The retransmission timeout of a new connection starts higher than its first
 * sample alone would have it; reordering that was seen before is expected again. ssthresh is taken
 * over only if limits.metrics_ssthresh asks for it, because the queue of an hour ago says little
 * about the present one (Linux has it off, too). The initial window is never raised. Entries expire
 * after limits.metrics_age; 0 means that nothing is remembered.
 *
 * One thing gets faster: a SYN with text is sent again without its text after three round trips
 * without an answer, but not before 100 ms.
 */
#include "tcp/metrics.h"

#define TRIPS_OF_SYN 3
#define SYN_WAIT_MIN TLSYN_MS(100)

static const struct dest *fresh(struct tlsyn_conn *conn)
{
    const struct context *cx = conn->tcp->cx;
    const struct dest *dest = dests_find(&conn->tcp->dests, &conn->remote.addr);

    if (!dest || dest->srtt == 0 || cx->now - dest->measured >= cx->limits.metrics_age)
        return NULL;
    return dest;
}

void metrics_time_syn(struct tlsyn_conn *conn)
{
    const struct dest *dest = fresh(conn);

    if (dest)
        rtt_expect(&conn->rtt, TRIPS_OF_SYN * dest->srtt > SYN_WAIT_MIN ? TRIPS_OF_SYN * dest->srtt
                                                                        : SYN_WAIT_MIN);
}

void metrics_use(struct tlsyn_conn *conn)
{
    const struct dest *dest = fresh(conn);

    if (!dest)
        return;
    rtt_remember(&conn->rtt, dest->srtt);
    conn->rack.reordering_seen = dest->reordering;
    if (conn->tcp->cx->limits.metrics_ssthresh && dest->ssthresh)
        conn->cc.ssthresh = dest->ssthresh > 2 * conn->cc.smss ? dest->ssthresh : 2 * conn->cc.smss;
}

/* A larger value is taken over at once, a smaller one by and by. */
static tlsyn_time blend(tlsyn_time kept, tlsyn_time now, int share)
{
    return now > kept ? now : kept - (kept - now) / share;
}

void metrics_keep(struct tlsyn_conn *conn)
{
    const struct context *cx = conn->tcp->cx;
    bool known = fresh(conn) != NULL;

    if (!tcp_synchronized(conn) || conn->state == TLSYN_TIME_WAIT || conn->rtt.srtt == 0 ||
        cx->limits.metrics_age == 0)
        return;
    struct dest *dest = dests_learn(&conn->tcp->dests, &conn->remote.addr);
    if (!dest)
        return;
    if (conn->rtt.backoffs) { /* it ended in timeouts: nothing is known of the path any more */
        dest->srtt = 0;
        return;
    }
    dest->srtt = known ? blend(dest->srtt, conn->rtt.srtt, 8) : conn->rtt.srtt;
    dest->rttvar = known ? blend(dest->rttvar, conn->rtt.rttvar, 4) : conn->rtt.rttvar;
    dest->reordering = conn->rack.reordering_seen;
    dest->ssthresh = conn->cc.ssthresh == UINT32_MAX ? 0 : conn->cc.ssthresh;
    dest->measured = cx->now;
}
