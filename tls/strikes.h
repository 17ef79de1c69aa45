/*
 * strikes.h: the register of early data that was accepted, so that none is twice.
 * Read first: RFC 8446 8, 8.2, 8.3.
 *
 * Who replays early data sends a ClientHello that was seen before, with the PSK binder that it had:
 * the binder depends on all of the message and on the PSK. So what is accepted is entered here by
 * its binder, and who is here already is refused. An entry may go when its ClientHello would be
 * refused for its age: mbedTLS takes a ticket only if its age, as the client says it, is at most
 * so much off on either side, so no ClientHello is fresh for longer than twice that.
 *
 *     ---------|<---------- STRIKES_WINDOW ---------->|--------> time
 *              fresh: too young ... right ... too old
 *
 * Memory is bounded, and a full register refuses rather than forgets: nobody makes room for a
 * replay by coming often.
 *
 * After a restart the register is empty, and so are the keys of the tickets: both are the config's,
 * and live as long. A ticket that opens is younger than the register, and no ClientHello made with
 * it can have been missed (RFC 8446 8.2 has others, whose tickets outlive it, refuse all
 * early data for a window after the start).
 *
 * A binder's place comes from a keyed hash: a client chooses its ClientHello, and would else
 * choose one place for all of them.
 */
#ifndef TLSYN_TLS_STRIKES_H
#define TLSYN_TLS_STRIKES_H

#include <mbedtls/ssl.h>
#include <tlsyn/stack.h>

#include "identity.h"

/** For how long a ClientHello is fresh: RFC 8446 8.3. */
#define STRIKES_WINDOW TLSYN_MS(2 * MBEDTLS_SSL_TLS1_3_TICKET_AGE_TOLERANCE)

#define STRIKES_KEY 16
#define STRIKES_ID  16

struct strike {
    uint8_t id[STRIKES_ID];
    tlsyn_time until; /* 0: free */
};

/** Owned by a server's config. */
struct strikes {
    struct strike *all; /* groups of STRIKES_GROUP; the allocator's */
    uint32_t groups;
    uint8_t key[STRIKES_KEY];
};

enum strikes_verdict {
    STRIKES_FRESH,  /* and entered */
    STRIKES_REPLAY, /* was here before */
    STRIKES_FULL,   /* no place for it; or no memory */
};

/** A register of at least n entries. 0 or -ENOMEM. */
int strikes_init(struct strikes *s, uint32_t n, struct tlsyn_random *random,
                 struct tlsyn_alloc *alloc);

void strikes_fini(struct strikes *s, struct tlsyn_alloc *alloc);

/** May early data under this binder be accepted? */
enum strikes_verdict strikes_check(struct strikes *s, const struct bytes *binder, tlsyn_time now);

#endif
