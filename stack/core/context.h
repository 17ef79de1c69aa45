/*
 * core/context.h: what every room of the stack works with: the frozen time, memory, randomness,
 * timers, bounds, counters and the trace. One per stack; its parts are set up once by stack.c.
 */
#ifndef TLSYN_CORE_CONTEXT_H
#define TLSYN_CORE_CONTEXT_H

#include <tlsyn/probe.h>
#include <tlsyn/stack.h>

#include "core/timer.h"

struct context {
    tlsyn_time now; /* frozen for the duration of a call */
    struct tlsyn_limits limits;
    struct tlsyn_alloc *alloc;
    struct tlsyn_random *random;
    struct tlsyn_trace *trace; /* NULL: none */
    struct tlsyn_ports *ports; /* NULL: every port is ours to choose */
    bool shared;               /* our addresses are somebody else's too, who speaks for them */
    struct wheel wheel;
    uint64_t counter[TLSYN_COUNTERS];
    uint64_t dropped[TLSYN_DROPS];
};

/** Zeroed memory, or NULL; freed with context_free(), for which NULL is allowed. */
void *context_alloc(struct context *cx, size_t size);
void context_free(struct context *cx, void *memory);

static inline void count(struct context *cx, enum tlsyn_counter counter)
{
    cx->counter[counter]++;
}

/** Counts and traces that something was thrown away. */
void drop(struct context *cx, enum tlsyn_drop reason);

/** To the trace, if there is one that wants it. */
void trace_emit(struct context *cx, enum tlsyn_trace_event event, uint32_t conn,
                const int64_t field[TLSYN_TRACE_FIELDS]);

/** The name of a connection's state by its number (tlsyn_state_name()), NULL if there is none:
 * records hold numbers, and this room knows no connections. */
const char *trace_state_name(int64_t number);

static inline bool trace_wanted(const struct context *cx, enum tlsyn_trace_event event)
{
    return cx->trace && (cx->trace->mask >> event & 1);
}

/** Up to five numbers go with an event; see trace_events.def. TRACE(cx, tcp_state, conn->number,
 * from, to) They are looked at twice, for the probe and for the trace. */
#define TRACE(cx, name, conn, ...)                                                                 \
    do {                                                                                           \
        TLSYN_PROBE(name, conn, __VA_ARGS__);                                                      \
        if (trace_wanted(cx, TLSYN_TRACE_##name))                                                  \
            trace_emit(cx, TLSYN_TRACE_##name, conn,                                               \
                       (const int64_t[TLSYN_TRACE_FIELDS]){__VA_ARGS__});                          \
    } while (0)

#endif
