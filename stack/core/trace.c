/*
 * core/trace.c: the names of trace events and their fields, and a record as a JSON object.
 */
#include <tlsyn/stack.h>
#include <tlsyn/trace.h>

#include "core/context.h"
#include "core/text.h"

static const struct {
    const char *name;
    const char *field[TLSYN_TRACE_FIELDS];
} events[TLSYN_TRACE_COUNT] = {
#define EVENT(name, ...) [TLSYN_TRACE_##name] = {#name, {__VA_ARGS__}},
#include <tlsyn/trace_events.def>
#undef EVENT
};

/* In the order of enum tlsyn_state, which is made from the same list. */
static const char *const states[] = {
#define STATE(name, text) text,
#include <tlsyn/states.def>
#undef STATE
};

const char *tlsyn_trace_event_name(enum tlsyn_trace_event event)
{
    return events[event].name;
}

const char *tlsyn_trace_field_name(enum tlsyn_trace_event event, int i)
{
    return i >= 0 && i < TLSYN_TRACE_FIELDS ? events[event].field[i] : NULL;
}

const char *trace_state_name(int64_t number)
{
    int64_t count = sizeof(states) / sizeof(states[0]);

    return number >= 0 && number < count ? states[number] : NULL;
}

/** What a number stands for, where it has a name; else NULL. */
static const char *word_for(enum tlsyn_trace_event event, int64_t number)
{
    if (event == TLSYN_TRACE_drop && number >= 0 && number < TLSYN_DROPS)
        return tlsyn_drop_name((enum tlsyn_drop)number);
    return event == TLSYN_TRACE_tcp_state ? trace_state_name(number) : NULL;
}

static void put_key(struct text *t, const char *key)
{
    text_put(t, ",\"");
    text_put(t, key);
    text_put(t, "\":");
}

static void put_string(struct text *t, const char *string)
{
    text_put_char(t, '"');
    text_put(t, string);
    text_put_char(t, '"');
}

int tlsyn_trace_json(const struct tlsyn_trace_record *record, char *text, size_t size)
{
    struct text t;

    text_init(&t, text, size);
    text_put(&t, "{\"when\":");
    text_put_i64(&t, record->when);
    put_key(&t, "event");
    put_string(&t, tlsyn_trace_event_name(record->event));
    if (record->conn) {
        put_key(&t, "conn");
        text_put_u64(&t, record->conn);
    }
    for (int i = 0; tlsyn_trace_field_name(record->event, i); i++) {
        const char *word = word_for(record->event, record->field[i]);

        put_key(&t, tlsyn_trace_field_name(record->event, i));
        if (word)
            put_string(&t, word);
        else
            text_put_i64(&t, record->field[i]);
    }
    text_put_char(&t, '}');
    return text_finish(&t);
}
