/*
 * tcp/timers.h: a connection's deadlines: plain times, with one wheel node at the earliest.
 *
 * A deadline is held in ticks of the wheel, rounded up as the wheel does: it loses nothing by that.
 * 32 bits of them go round in three days, so that one which lies further ahead than a day passes
 * after a day; who sets such a one looks at the clock then.
 */
#ifndef TLSYN_TCP_TIMERS_H
#define TLSYN_TCP_TIMERS_H

#include "tcp/conn.h"

void timers_init(struct tlsyn_conn *conn);

/** TLSYN_NEVER clears. */
void timers_set(struct tlsyn_conn *conn, enum tcp_deadline which, tlsyn_time when);

static inline void timers_clear(struct tlsyn_conn *conn, enum tcp_deadline which)
{
    conn->deadline[which] = 0;
}

static inline bool timers_running(const struct tlsyn_conn *conn, enum tcp_deadline which)
{
    return conn->deadline[which] != 0;
}

/** When it passes; TLSYN_NEVER: it does not run. */
tlsyn_time timers_when(const struct tlsyn_conn *conn, enum tcp_deadline which);

void timers_clear_all(struct tlsyn_conn *conn);

#endif
