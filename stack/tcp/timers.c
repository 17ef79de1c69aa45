/*
 * tcp/timers.c: which deadline is next, and who is told when it has passed.
 *
 * The wheel node is moved only when it would fire too late: a deadline that was put off (each ACK does that to the
 * retransmission timer) lets the node fire early once, find nothing due, and move on.
 */
#include "tcp/timers.h"

#include "tcp/close.h"
#include "tcp/keepalive.h"
#include "tcp/output.h"
#include "tcp/recovery.h"
#include "tcp/recv.h"
#include "tcp/retransmit.h"

static tlsyn_time earliest(const struct tlsyn_conn *conn)
{
    tlsyn_time first = TLSYN_NEVER;

    for (int i = 0; i < TCP_DEADLINES; i++)
        if (conn->deadline[i] < first)
            first = conn->deadline[i];
    return first;
}

static void (*const passed[TCP_DEADLINES])(struct tlsyn_conn *) = {
    [TCP_REORDER] = tcp_reorder_timeout,
    [TCP_PROBE] = tcp_probe_timeout,
    [TCP_RETRANSMIT] = tcp_retransmit_timeout,
    [TCP_PERSIST] = tcp_persist_timeout,
    [TCP_DELACK] = tcp_delack_timeout,
    [TCP_LINGER] = tcp_linger_timeout,
    [TCP_CORK] = tcp_cork_timeout,
    [TCP_KEEPALIVE] = tcp_keepalive_timeout,
};

static void fire(struct timer *timer)
{
    struct tlsyn_conn *conn = container_of(timer, struct tlsyn_conn, timer);

    for (int i = 0; i < TCP_DEADLINES; i++) {
        if (conn->deadline[i] > conn->tcp->cx->now)
            continue;
        conn->deadline[i] = TLSYN_NEVER;
        passed[i](conn);
    }
    if (conn->in_demux)
        timer_set(&conn->tcp->cx->wheel, &conn->timer, earliest(conn));
    tcp_check(conn);
}

void timers_init(struct tlsyn_conn *conn)
{
    for (int i = 0; i < TCP_DEADLINES; i++)
        conn->deadline[i] = TLSYN_NEVER;
    timer_init(&conn->timer, fire);
}

void timers_set(struct tlsyn_conn *conn, enum tcp_deadline which, tlsyn_time when)
{
    conn->deadline[which] = when;
    if (when < conn->timer.deadline)
        timer_set(&conn->tcp->cx->wheel, &conn->timer, when);
}

void timers_clear_all(struct tlsyn_conn *conn)
{
    for (int i = 0; i < TCP_DEADLINES; i++)
        conn->deadline[i] = TLSYN_NEVER;
    timer_clear(&conn->tcp->cx->wheel, &conn->timer);
}
