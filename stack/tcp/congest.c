/*
 * tcp/congest.c: what a connection tells its congestion controller. Read first: RFC 5681.
 */
#include "tcp/congest.h"

void tcp_tell_acked(struct tlsyn_conn *conn, const struct recovery_news *news, uint32_t text,
                    bool limited)
{
    struct cc_ack ack = {
        .now = conn->tcp->cx->now,
        .acked = text,
        .delivered = news->delivered,
        .in_flight = tcp_pipe(conn),
        .rtt = news->round_trip,
        .srtt = conn->rtt.srtt,
        .min_rtt = conn->rack.min_rtt,
        .limited = limited,
        .in_recovery = conn->in_recovery,
    };

    cc_on_ack(&conn->cc, &ack);
}

void tcp_tell_congestion(struct tlsyn_conn *conn, enum cc_cause cause, uint32_t flight)
{
    bool timeout = cause == CC_TIMEOUT || cause == CC_TIMEOUT_AGAIN;

    if (!timeout && flight > conn->cc.cwnd)
        flight = conn->cc.cwnd;
    cc_congestion(&conn->cc, cause, flight, conn->tcp->cx->now);
}
