/*
 * tls_tally.h: what a TLS configuration has counted, for `tlsyn ss`.
 */
#ifndef TLS_TALLY_H
#define TLS_TALLY_H

#include <tlsyn/control.h>
#include <tlsyn/tls.h>

struct tls_tally {
    struct tlsyn_control_source source;
    const struct tlsyn_tls_config *config;
};

/** To be given to tlsyn_control_source(); the config must outlive that. */
void tls_tally_init(struct tls_tally *tally, const struct tlsyn_tls_config *config);

#endif
