/*
 * support/tls_world.h: TLS between the two hosts of a world (support/world.h): certificates, a
 * config for each end, who listens and who connects. The users, and what they say, are the test's.
 */
#ifndef TEST_SUPPORT_TLS_WORLD_H
#define TEST_SUPPORT_TLS_WORLD_H

#include <tlsyn/certify.h>
#include <tlsyn/tls.h>

#include "support/world.h"

#define TLS_WORLD_WALL INT64_C(1907755200) /* 2030-06-15, while the worlds last */

#define ONE_WAY  TLSYN_MS(10)
#define RTT      (2 * ONE_WAY)
#define REQUEST  "GET / HTTP/1.0\r\n\r\n"
#define RESPONSE "HTTP/1.0 204 No Content\r\n\r\n"

/** Options of a world whose path takes ONE_WAY in each direction, and loses nothing. */
struct world_options tls_world_path(uint64_t seed);

/** A certificate for the server, and its authority's: of RSA, or of ECDSA. */
void tls_world_certify(struct tlsyn_certified *made, uint64_t seed, bool rsa);

/** The config of one host. Role, clock and randomness in `options` are filled in here. The client
 * trusts the authorities of all `n` certificates, the server has all of them as its identities. */
struct tlsyn_tls_config *tls_world_config(struct world *w, int host,
                                          const struct tlsyn_tls_options *options,
                                          const struct tlsyn_certified *made, int n);

/** The server listens, for SYNs with data too if connections of this level begin with one. */
struct tlsyn_listener *tls_world_listen(struct world *w, enum tlsyn_level level,
                                        struct tlsyn_acceptor *acceptor);

/** What the client needs to connect to that listener. */
struct tlsyn_connect_options tls_world_server(const struct world *w, enum tlsyn_level level);

/** The client connects; `tls` is its session, the user's to free. */
void tls_world_connect(struct world *w, struct tlsyn_tls_config *config, enum tlsyn_level level,
                       struct tlsyn_handler *user, struct tlsyn_tls **tls);

#endif
