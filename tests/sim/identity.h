/*
 * sim/identity.h: certificates for the TLS of the simulator: made once per process, from a fixed
 * seed.
 */
#ifndef TEST_SIM_IDENTITY_H
#define TEST_SIM_IDENTITY_H

#include <tlsyn/tls.h>

#include "sim/plan.h"

#define IDENTITY_NAME "host.test"

/** Makes the certificates, if they are not there: takes a while. */
void identity_make(void);

/** A host's, as both ends. */
struct credentials {
    struct tlsyn_tls_config *client, *server; /* NULL: the plan has no TLS */
    struct tlsyn_tls_store *chains;           /* that the client verified, or NULL */
};

/** For the plan's suite. */
void identity_begin(struct credentials *id, const struct plan *plan, struct tlsyn_stack *stack);

/** After the stack has gone. */
void identity_end(struct credentials *id);

#endif
