/*
 * shelf.h: a client's store that can be looked into, and be made careless.
 */
#ifndef TLSYN_TESTS_SHELF_H
#define TLSYN_TESTS_SHELF_H

#include "session.h"

#define SHELF 32

struct shelf {
    struct tlsyn_tls_store base;
    struct {
        char key[SESSION_KEY];
        uint8_t bytes[SESSION_BYTES];
        size_t len;
        struct tlsyn_tls_entry entry;
    } item[SHELF];
    int n, found, dropped;
    bool any_key; /* gives whatever it has to whoever asks, however old */
};

/** To be freed with free(3). */
struct shelf *shelf_new(void);

#endif
