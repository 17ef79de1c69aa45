/*
 * core/context.c: memory, drops and trace records on behalf of every room.
 */
#include "core/context.h"

void *context_alloc(struct context *cx, size_t size)
{
    void *memory = cx->alloc->resize(cx->alloc, NULL, size);

    if (memory)
        memset(memory, 0, size);
    return memory;
}

void context_free(struct context *cx, void *memory)
{
    if (memory)
        cx->alloc->resize(cx->alloc, memory, 0);
}

void drop(struct context *cx, enum tlsyn_drop reason)
{
    cx->dropped[reason]++;
    TRACE(cx, drop, 0, reason);
}

void trace_emit(struct context *cx, enum tlsyn_trace_event event, uint32_t conn,
                const int64_t field[TLSYN_TRACE_FIELDS])
{
    struct tlsyn_trace_record record = {.when = cx->now, .event = event, .conn = conn};

    memcpy(record.field, field, sizeof(record.field));
    cx->trace->emit(cx->trace, &record);
}
