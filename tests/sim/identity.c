/*
 * sim/identity.c: one P-256 and one RSA identity.
 */
#include "sim/identity.h"

#include <tlsyn/certify.h>

#include "support/must.h"

#define EARLY_DATA 8000
#define WALL       INT64_C(1907755200) /* 2030-06-15 */

static struct {
    bool made;
    struct tlsyn_certified ec, rsa;
} identities;

void identity_make(void)
{
    static const char *const names[] = {IDENTITY_NAME, NULL};
    struct random_seeded random;
    struct tlsyn_certify_options o = {
        .names = names, .now = WALL, .days = 10, .random = &random.base};

    if (identities.made)
        return;
    random_seed(&random, 11);
    must(tlsyn_certify(&o, &identities.ec) == 0);
    o.rsa = true;
    must(tlsyn_certify(&o, &identities.rsa) == 0);
    identities.made = true;
}

static void add(struct tlsyn_tls_config *server, const struct tlsyn_certified *c)
{
    must(tlsyn_tls_config_identity(server, c->chain, strlen(c->chain), c->key, strlen(c->key),
                                   NULL) == 0);
}

void identity_configs(const struct plan *plan, struct tlsyn_stack *stack,
                      struct tlsyn_tls_config **client, struct tlsyn_tls_config **server)
{
    struct tlsyn_tls_options o = {
        .role = TLSYN_TLS_CLIENT,
        .suite = (enum tlsyn_tls_suite)(plan->tls - 1),
        .paper = true, /* levels may be mixed */
        .sessions = plan->returning ? 32 : 0,
        .early_data = plan->returning == 2 ? EARLY_DATA : 0,
        .wall_clock = WALL,
        .wall_at = tlsyn_stack_now(stack),
        .random = tlsyn_stack_random(stack),
        .alloc = tlsyn_stack_alloc(stack),
    };

    identity_make();
    must(tlsyn_tls_config_new(&o, client, NULL) == 0);
    tlsyn_tls_config_trust(*client, identities.ec.ca, strlen(identities.ec.ca), NULL);
    tlsyn_tls_config_trust(*client, identities.rsa.ca, strlen(identities.rsa.ca), NULL);
    o.role = TLSYN_TLS_SERVER;
    o.tickets = plan->returning ? 2 : 0;
    must(tlsyn_tls_config_new(&o, server, NULL) == 0);
    add(*server, &identities.rsa);
    add(*server, &identities.ec);
}
