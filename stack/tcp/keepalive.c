/*
 * tcp/keepalive.c: probes of an idle connection. Read first: RFC 9293 3.8.4, RFC 1122 4.2.3.6.
 *
 *        last heard          keep_idle          keep_interval
 *     -------|-------------------------------|---------|---------|-- ... keep_count of them
 *                                          probe     probe     probe
 *
 * A segment from the peer sets `last_heard` and touches no timer: when the deadline passes, it
 * finds out how long the silence really is, and is set again if need be.
 */
#include "tcp/keepalive.h"

#include <errno.h>

#include "tcp/reply.h"
#include "tcp/segment.h"
#include "tcp/timers.h"

/* Only where nothing is outstanding: otherwise the retransmission or the persist timer finds out
 * whether the peer lives. (MUST-26) */
static bool idle(const struct tlsyn_conn *conn)
{
    return conn->snd_una == conn->snd_nxt && conn->snd.used == 0 && !conn->refused;
}

void tcp_keepalive_start(struct tlsyn_conn *conn)
{
    tlsyn_time when = conn->last_heard + TLSYN_MS(conn->keep_idle);

    if (!tcp_synchronized(conn) || conn->state == TLSYN_TIME_WAIT)
        return;
    timers_set(conn, TCP_KEEPALIVE, conn->keepalive ? when : TLSYN_NEVER);
}

/* As in Linux a user timeout takes the place of the count of probes; but at least one probe is sent
 * in any case. (MUST-29) */
static bool given_up(const struct tlsyn_conn *conn, tlsyn_time silence)
{
    if (conn->user_timeout_set)
        return conn->keep_probes > 0 && silence >= TLSYN_MS(conn->user_timeout);
    return conn->keep_probes >= conn->keep_count;
}

/* RFC 9293 3.8.4: the probe has a number that the peer has acknowledged already, and the peer
 * answers what is not acceptable. It has no octet of garbage, which only some hosts of the eighties
 * needed. (SHLD-12) */
static void send_probe(struct tlsyn_conn *conn)
{
    struct wire_tcp segment = tcp_segment(conn, conn->snd_una - 1u, TCP_ACK);

    count(conn->tcp->cx, TLSYN_COUNT_tcp_keepalive);
    conn->keep_probes++;
    TRACE(conn->tcp->cx, tcp_keepalive, conn->number, conn->keep_probes);
    tcp_send_segment(conn, &segment, 0, 0);
}

void tcp_keepalive_timeout(struct tlsyn_conn *conn)
{
    tlsyn_time now = conn->tcp->cx->now, silence = now - conn->last_heard;

    if (!idle(conn)) {
        timers_set(conn, TCP_KEEPALIVE, now + TLSYN_MS(conn->keep_idle));
        return;
    }
    if (silence < TLSYN_MS(conn->keep_idle)) {
        tcp_keepalive_start(conn);
        return;
    }
    if (given_up(conn, silence)) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_abort_on_timeout);
        tcp_send_rst(conn);
        tcp_finish(conn, conn->soft_error ? conn->soft_error : -ETIMEDOUT);
        return;
    }
    send_probe(conn);
    timers_set(conn, TCP_KEEPALIVE, now + TLSYN_MS(conn->keep_interval));
}
