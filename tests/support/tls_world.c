/* tls_world.c: see tls_world.h. */
#include "support/tls_world.h"

#include <check.h>
#include <string.h>

#define PORT 443
#define NAME "host.test"

struct world_options tls_world_path(uint64_t seed)
{
    return (struct world_options){
        .seed = seed, .to_server = {.delay = ONE_WAY}, .to_client = {.delay = ONE_WAY}};
}

void tls_world_certify(struct tlsyn_certified *made, uint64_t seed, bool rsa)
{
    static const char *const names[] = {NAME, NULL};
    struct random_seeded random;
    struct tlsyn_certify_options o = {
        .names = names, .now = TLS_WORLD_WALL, .days = 10, .rsa = rsa, .random = &random.base};

    random_seed(&random, seed);
    ck_assert_int_eq(tlsyn_certify(&o, made), 0);
}

struct tlsyn_tls_config *tls_world_config(struct world *w, int host,
                                          const struct tlsyn_tls_options *options,
                                          const struct tlsyn_certified *made, int n)
{
    struct tlsyn_tls_options o = *options;
    struct tlsyn_tls_config *config = NULL;

    o.role = host == WORLD_CLIENT ? TLSYN_TLS_CLIENT : TLSYN_TLS_SERVER;
    o.wall_clock = TLS_WORLD_WALL;
    o.wall_at = TLSYN_SECONDS(1000); /* where the clock of a world begins */
    o.random = tlsyn_stack_random(w->host[host].stack);
    ck_assert_int_eq(tlsyn_tls_config_new(&o, &config, NULL), 0);
    for (int i = 0; i < n; i++) {
        const struct tlsyn_certified *m = &made[i];

        if (host == WORLD_CLIENT)
            ck_assert_int_eq(tlsyn_tls_config_trust(config, m->ca, strlen(m->ca), NULL), 1);
        else
            ck_assert_int_eq(tlsyn_tls_config_identity(config, m->chain, strlen(m->chain), m->key,
                                                       strlen(m->key), NULL),
                             0);
    }
    return config;
}

struct tlsyn_listener *tls_world_listen(struct world *w, enum tlsyn_level level,
                                        struct tlsyn_acceptor *acceptor)
{
    const struct tlsyn_listen_options o = {.local = {.port = PORT},
                                           .open = level == TLSYN_LEVEL_OPEN,
                                           .cookies = level == TLSYN_LEVEL_COOKIE,
                                           .paper = level == TLSYN_LEVEL_PAPER};
    struct tlsyn_listener *listener = NULL;

    ck_assert_int_eq(tlsyn_listener_open(w->host[WORLD_SERVER].stack, &o, acceptor, &listener), 0);
    return listener;
}

struct tlsyn_connect_options tls_world_server(const struct world *w, enum tlsyn_level level)
{
    return (struct tlsyn_connect_options){
        .remote = {.addr = w->host[WORLD_SERVER].addr, .port = PORT}, .level = level};
}

void tls_world_connect(struct world *w, struct tlsyn_tls_config *config, enum tlsyn_level level,
                       struct tlsyn_handler *user, struct tlsyn_tls **tls)
{
    const struct tlsyn_connect_options o = tls_world_server(w, level);

    ck_assert_int_eq(tlsyn_tls_attach(config, NULL, NAME, user, tls), 0);
    ck_assert_int_eq(
        tlsyn_conn_open(w->host[WORLD_CLIENT].stack, &o, tlsyn_tls_handler(*tls), NULL), 0);
}
