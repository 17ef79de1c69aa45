/*
 * study/pocket.h: where a client of a study keeps the session that its next connection resumes.
 */
#ifndef STUDY_POCKET_H
#define STUDY_POCKET_H

#include <tlsyn/tls.h>

enum { POCKET_BYTES = 4096 };

struct pocket {
    struct tlsyn_tls_store store; /* first member */
    void (*on_keep)(struct pocket *);
    void *owner; /* of on_keep */
    uint8_t bytes[POCKET_BYTES];
    size_t len; /* 0: it is empty */
    bool once;
};

/** The newest session alone is kept, and on_keep is called (in the connection's events) when one
 * has come. */
void pocket_init(struct pocket *pocket, void (*on_keep)(struct pocket *), void *owner);

#endif
