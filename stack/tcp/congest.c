/*
 * tcp/congest.c: what a connection tells its congestion controller. Read first: RFC 5681.
 */
#include "tcp/congest.h"

/* May cwnd grow? In slow start also while half of it is used: it is about to double (RFC 9293
 * 3.8.2; RFC 2861's idea). */
static bool may_grow(const struct tlsyn_conn *conn, uint32_t used, bool limited)
{
    if (conn->cc.ops->own_window)
        return limited;
    return limited || (conn->cc.cwnd < conn->cc.ssthresh && conn->cc.cwnd < 2 * used);
}

/* All text is on its way, and the user had room for more. */
static bool app_limited(const struct tlsyn_conn *conn)
{
    return tcp_snd_end(conn) == conn->snd_nxt && !conn->snd_short;
}

void tcp_tell_acked(struct tlsyn_conn *conn, const struct recovery_news *news, uint32_t text,
                    bool limited)
{
    static const struct rate none;
    struct rate *rate = conn->board.memory ? &conn->board.memory->rate : NULL;
    uint32_t in_flight = tcp_pipe(conn);
    struct cc_ack ack = {
        .now = conn->tcp->cx->now,
        /* Without what SACK blocks or duplicates told of before: that has let new segments go
         * already (RFC 3042), and counted again it would let a burst go. */
        .acked = text < news->delivered ? text : news->delivered,
        .delivered = news->delivered,
        .in_flight = in_flight,
        .rtt = news->round_trip,
        .srtt = conn->rtt.srtt,
        .min_rtt = conn->rack.min_rtt,
        .rto = conn->rtt.rto,
        .limited = may_grow(conn, in_flight + news->delivered, limited),
        .app_limited = app_limited(conn),
        .in_recovery = conn->in_recovery,
        .repairing = conn->in_recovery || conn->after_timeout,
        .delivered_total = tcp_delivered(conn),
        .rate = &news->rate,
        .loss = rate ? rate : &none,
    };

    cc_on_ack(&conn->cc, &ack);
    if (rate)
        rate->loss_size = 0; /* told */
}

static struct cc_event event(const struct tlsyn_conn *conn, uint32_t flight)
{
    return (struct cc_event){
        .now = conn->tcp->cx->now,
        .flight_size = flight,
        .in_flight = tcp_pipe(conn),
        .delivered_total = tcp_delivered(conn),
    };
}

void tcp_tell_congestion(struct tlsyn_conn *conn, enum cc_cause cause, uint32_t flight)
{
    bool timeout = cause == CC_TIMEOUT || cause == CC_TIMEOUT_AGAIN;
    struct cc_event e = event(conn, timeout || flight < conn->cc.cwnd ? flight : conn->cc.cwnd);

    cc_congestion(&conn->cc, cause, &e);
}

void tcp_tell_undo(struct tlsyn_conn *conn)
{
    struct cc_event e = event(conn, tcp_flight_size(conn));

    cc_undo(&conn->cc, &e);
}

void tcp_tell_restart(struct tlsyn_conn *conn)
{
    struct cc_event e = event(conn, 0);

    cc_restart(&conn->cc, e.now - conn->last_sent, conn->rtt.rto, &e);
}

void tcp_note_silence(struct tlsyn_conn *conn)
{
    uint32_t pipe = tcp_pipe(conn);

    if (conn->board.memory && tcp_snd_end(conn) == conn->snd_nxt && conn->board.lost == 0 &&
        pipe < conn->cc.cwnd)
        rate_app_limited(&conn->board.memory->rate, tcp_delivered(conn), pipe);
}

void tcp_trace_cwnd(const struct tlsyn_conn *conn)
{
    TRACE(conn->tcp->cx, tcp_cwnd, conn->number, conn->cc.cwnd, conn->cc.ssthresh,
          tcp_flight_size(conn));
}
