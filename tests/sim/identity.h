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

/** A stack's configurations for the plan's suite. */
void identity_configs(const struct plan *plan, struct tlsyn_stack *stack,
                      struct tlsyn_tls_config **client, struct tlsyn_tls_config **server);

#endif
