/*
 * core/counters.c: the names of the counters and of the reasons for drops.
 */
#include <tlsyn/stack.h>

static const char *const counter_names[TLSYN_COUNTERS] = {
#define COUNTER(name, text) [TLSYN_COUNT_##name] = text,
#include <tlsyn/counters.def>
#undef COUNTER
};

static const char *const drop_names[TLSYN_DROPS] = {
#define DROP(name, text) [TLSYN_DROP_##name] = text,
#include <tlsyn/drops.def>
#undef DROP
};

const char *tlsyn_counter_name(enum tlsyn_counter counter)
{
    return counter_names[counter];
}

const char *tlsyn_drop_name(enum tlsyn_drop reason)
{
    return drop_names[reason];
}
