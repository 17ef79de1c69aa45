/*
 * study/pageload/larder.h: where a browser of a study keeps the sessions that its next connections
 * resume: several per server, for tickets of TLS 1.3 are good once.
 */
#ifndef STUDY_PAGELOAD_LARDER_H
#define STUDY_PAGELOAD_LARDER_H

#include <tlsyn/tls.h>

enum { LARDER_BYTES = 2048, LARDER_KEY = 320, LARDER_MAX = 96 };

struct larder_item {
    char key[LARDER_KEY];
    uint8_t bytes[LARDER_BYTES];
    size_t len; /* 0: it is free */
    bool once;
    uint64_t age; /* the higher, the newer */
};

struct larder {
    struct tlsyn_tls_store store; /* first member */
    uint64_t age;
    uint64_t kept; /* ever */
    struct larder_item item[LARDER_MAX];
};

/** Empty. The oldest leaves when it is full. */
void larder_init(struct larder *larder);

/** How many sessions there are of the server of this name, whatever its port. */
int larder_count(const struct larder *larder, const char *name);

#endif
