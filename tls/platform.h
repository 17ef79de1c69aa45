/*
 * platform.h: what mbedTLS asks of the process it runs in: the time and randomness.
 *
 * mbedTLS has one hook of each for the whole process. Ours answer from a record per thread that
 * says on whose behalf mbedTLS is running just now: platform_use() writes it before each call into
 * mbedTLS. So a thread may hold any number of stacks with clocks of their own, and the simulator's
 * virtual time reaches certificates and tickets.
 */
#ifndef TLSYN_TLS_PLATFORM_H
#define TLSYN_TLS_PLATFORM_H

#include <tlsyn/stack.h>

/** Wall time as a function of the stack's time. */
struct platform_clock {
    int64_t wall;  /* seconds since 1970 ... */
    tlsyn_time at; /* ... at this reading of the stack's clock */
};

/** Installs the hooks and readies PSA; to be called before anything else of mbedTLS, any number
 * of times. 0, -ENOMEM, -EPROTO. */
int platform_init(void);

/** From here on mbedTLS, in this thread, runs at the stack's time `now` and draws from `random`,
 * which must live until the next call. */
void platform_use(const struct platform_clock *clock, tlsyn_time now, struct tlsyn_random *random);

/** Seconds since 1970 at the stack's time `now`. */
int64_t platform_wall(const struct platform_clock *clock, tlsyn_time now);

/** mbedTLS's signature of a random generator; the context is a struct tlsyn_random. Always 0. */
int platform_random(void *random, unsigned char *bytes, size_t n);

#endif
