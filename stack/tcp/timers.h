/*
 * tcp/timers.h: a connection's deadlines: plain times, with one wheel node at the earliest.
 *
 * A deadline is kept in ticks of the wheel, rounded up as the wheel itself would, so that nothing
 * is lost. 32 bits of ticks wrap after three days; a deadline further ahead than a day therefore
 * passes after a day, and its owner compares with the clock and sets it again.
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
