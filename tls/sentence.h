/*
 * sentence.h: a sentence put together in a buffer of fixed size; what does not fit is cut off.
 */
#ifndef TLSYN_TLS_SENTENCE_H
#define TLSYN_TLS_SENTENCE_H

#include <stddef.h>

struct sentence {
    char *at;
    size_t size; /* at least 1 */
    size_t len;  /* without the terminating zero */
};

/** An empty text in somebody's buffer. */
struct sentence sentence_in(char *buffer, size_t size);

/** Appends as printf(3) would print. */
__attribute__((format(printf, 2, 3))) void sentence_add(struct sentence *s, const char *format,
                                                        ...);

#endif
