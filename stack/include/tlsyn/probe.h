/*
 * tlsyn/probe.h: the trace events as static probes of provider "tlsyn", for bpftrace(8),
 * perf(1) and gdb(1).
 *
 * A probe is a nop, and a note in the program that says where it is and where its arguments are;
 * whoever wants them puts a breakpoint there. Arguments are the number of the connection (0:
 * none) and the fields that trace_events.def names, signed 64 bits each. Without <sys/sdt.h>
 * there are no probes.
 */
#ifndef TLSYN_PROBE_H
#define TLSYN_PROBE_H

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#endif
#endif

#ifdef DTRACE_PROBE2

/** TLSYN_PROBE(tcp_state, conn->number, from, to): up to five fields. They are looked at whether
 * somebody listens or not, so they should be at hand. */
#define TLSYN_PROBE(name, conn, ...)                                                               \
    TLSYN_PROBE_CHOOSE(__VA_ARGS__, TLSYN_PROBE_5, TLSYN_PROBE_4, TLSYN_PROBE_3, TLSYN_PROBE_2,    \
                       TLSYN_PROBE_1, none)                                                        \
    (name, conn, __VA_ARGS__)

#define TLSYN_PROBE_CHOOSE(a, b, c, d, e, chosen, ...) chosen

#define TLSYN_PROBE_1(name, conn, a) DTRACE_PROBE2(tlsyn, name, (int64_t)(conn), (int64_t)(a))
#define TLSYN_PROBE_2(name, conn, a, b)                                                            \
    DTRACE_PROBE3(tlsyn, name, (int64_t)(conn), (int64_t)(a), (int64_t)(b))
#define TLSYN_PROBE_3(name, conn, a, b, c)                                                         \
    DTRACE_PROBE4(tlsyn, name, (int64_t)(conn), (int64_t)(a), (int64_t)(b), (int64_t)(c))
#define TLSYN_PROBE_4(name, conn, a, b, c, d)                                                      \
    DTRACE_PROBE5(tlsyn, name, (int64_t)(conn), (int64_t)(a), (int64_t)(b), (int64_t)(c),          \
                  (int64_t)(d))
#define TLSYN_PROBE_5(name, conn, a, b, c, d, e)                                                   \
    DTRACE_PROBE6(tlsyn, name, (int64_t)(conn), (int64_t)(a), (int64_t)(b), (int64_t)(c),          \
                  (int64_t)(d), (int64_t)(e))

#else
#define TLSYN_PROBE(...) ((void)0)
#endif

#endif
