/*
 * tcp/timers.h: a connection's deadlines: plain times, with one wheel node at the earliest.
 */
#ifndef TLSYN_TCP_TIMERS_H
#define TLSYN_TCP_TIMERS_H

#include "tcp/conn.h"

void timers_init(struct tlsyn_conn *conn);

/** TLSYN_NEVER clears. */
void timers_set(struct tlsyn_conn *conn, enum tcp_deadline which, tlsyn_time when);

static inline void timers_clear(struct tlsyn_conn *conn, enum tcp_deadline which)
{
    timers_set(conn, which, TLSYN_NEVER);
}

static inline bool timers_running(const struct tlsyn_conn *conn, enum tcp_deadline which)
{
    return conn->deadline[which] != TLSYN_NEVER;
}

void timers_clear_all(struct tlsyn_conn *conn);

#endif
