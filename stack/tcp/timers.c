/*
 * tcp/timers.c: which deadline is next, and what is called when it has passed.
 *
 * The wheel node is moved only when it would fire too late: a deadline that was put off
 * (each ACK does that to the retransmission timer) lets the node fire early once, find
 * nothing due, and move on.
 */
#include "tcp/timers.h"

#include "tcp/buffers.h"
#include "tcp/close.h"
#include "tcp/due.h"
#include "tcp/keepalive.h"
#include "tcp/pace.h"
#include "tcp/recovery.h"
#include "tcp/recv.h"
#include "tcp/retransmit.h"

#define AHEAD_MAX TLSYN_SECONDS(86400)

/* 0 says that it does not run. */
static uint32_t tick_of(tlsyn_time when)
{
    uint32_t tick = (uint32_t)((when + WHEEL_TICK - 1) / WHEEL_TICK);

    return tick ? tick : 1;
}

/* Ticks from now until it passes. */
static int32_t ahead(const struct tlsyn_conn *conn, int which)
{
    uint32_t now = (uint32_t)(conn->tcp->cx->now / WHEEL_TICK);

    return (int32_t)(conn->deadline[which] - now);
}

tlsyn_time timers_when(const struct tlsyn_conn *conn, enum tcp_deadline which)
{
    if (!timers_running(conn, which))
        return TLSYN_NEVER;
    return (conn->tcp->cx->now / WHEEL_TICK + ahead(conn, (int)which)) * WHEEL_TICK;
}

static tlsyn_time earliest(const struct tlsyn_conn *conn)
{
    tlsyn_time first = TLSYN_NEVER;

    for (int i = 0; i < TCP_DEADLINES; i++)
        if (timers_when(conn, (enum tcp_deadline)i) < first)
            first = timers_when(conn, (enum tcp_deadline)i);
    return first;
}

static void (*const passed[TCP_DEADLINES])(struct tlsyn_conn *) = {
    [TCP_REORDER] = tcp_reorder_timeout,
    [TCP_PROBE] = tcp_probe_timeout,
    [TCP_RETRANSMIT] = tcp_retransmit_timeout,
    [TCP_PERSIST] = tcp_persist_timeout,
    [TCP_PACE] = tcp_pace_timeout,
    [TCP_DELACK] = tcp_delack_timeout,
    [TCP_LINGER] = tcp_linger_timeout,
    [TCP_IDLE] = buffers_idle_timeout,
    [TCP_CORK] = due_cork_timeout,
    [TCP_KEEPALIVE] = tcp_keepalive_timeout,
    [TCP_WAKE] = tcp_event_data,
};

static void fire(struct timer *timer)
{
    struct tlsyn_conn *conn = container_of(timer, struct tlsyn_conn, timer);

    for (int i = 0; i < TCP_DEADLINES; i++) {
        if (conn->deadline[i] == 0 || ahead(conn, i) > 0)
            continue;
        conn->deadline[i] = 0;
        passed[i](conn);
    }
    if (conn->in_demux)
        timer_set(&conn->tcp->cx->wheel, &conn->timer, earliest(conn));
    tcp_check(conn);
}

void timers_init(struct tlsyn_conn *conn)
{
    timer_init(&conn->timer, fire);
}

void timers_set(struct tlsyn_conn *conn, enum tcp_deadline which, tlsyn_time when)
{
    tlsyn_time now = conn->tcp->cx->now, last = now + AHEAD_MAX;

    if (when == TLSYN_NEVER) {
        timers_clear(conn, which);
        return;
    }
    when = when < now ? now : when < last ? when : last;
    conn->deadline[which] = tick_of(when);
    if (when < conn->timer.deadline)
        timer_set(&conn->tcp->cx->wheel, &conn->timer, when);
}

void tlsyn_conn_wake(struct tlsyn_conn *conn, tlsyn_time when)
{
    if (conn->in_demux)
        timers_set(conn, TCP_WAKE, when);
}

void timers_clear_all(struct tlsyn_conn *conn)
{
    memset(conn->deadline, 0, sizeof(conn->deadline));
    timer_clear(&conn->tcp->cx->wheel, &conn->timer);
}
