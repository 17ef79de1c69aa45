/*
 * tlsyn/trace.h: what the stack tells about itself while it runs.
 *
 * Events are named once, in trace_events.def, with the names of their fields; a sink gets them as
 * numbers. A stack without a sink pays one branch per event. Sinks may not call back into the
 * stack.
 */
#ifndef TLSYN_TRACE_H
#define TLSYN_TRACE_H

#include <tlsyn/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tlsyn_trace_event {
#define EVENT(name, ...) TLSYN_TRACE_##name,
#include <tlsyn/trace_events.def>
#undef EVENT
    TLSYN_TRACE_COUNT
};

#define TLSYN_TRACE_FIELDS 5

struct tlsyn_trace_record {
    tlsyn_time when;
    enum tlsyn_trace_event event;
    uint32_t conn; /* number of the connection, from 1 in the order of opening; 0: none */
    int64_t field[TLSYN_TRACE_FIELDS];
};

struct tlsyn_trace {
    void (*emit)(struct tlsyn_trace *, const struct tlsyn_trace_record *);
    uint64_t mask; /* bit TLSYN_TRACE_x set: the event is wanted */
};

/** "tcp_state" and the like; never NULL for a valid event. */
const char *tlsyn_trace_event_name(enum tlsyn_trace_event event);

/** The name of field i, or NULL past the last one. */
const char *tlsyn_trace_field_name(enum tlsyn_trace_event event, int i);

/** One JSON object, without newline, into `text`; the length, or -ENOSPC. */
int tlsyn_trace_json(const struct tlsyn_trace_record *record, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
