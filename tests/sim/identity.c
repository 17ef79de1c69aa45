/*
 * sim/identity.c: one P-256 and one RSA identity.
 */
#include "sim/identity.h"

#include <tlsyn/certify.h>

#include "config.h"
#include "store.h"
#include "support/must.h"

#define EARLY_DATA 8000
#define PLACES     32
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

static void lack_first_group(struct tlsyn_tls_config *server)
{
    static const uint16_t others[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                      MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

    mbedtls_ssl_conf_groups(&server->ssl, others);
}

static void add(struct tlsyn_tls_config *server, const struct tlsyn_certified *c)
{
    must(tlsyn_tls_config_identity(server, c->chain, strlen(c->chain), c->key, strlen(c->key),
                                   NULL) == 0);
}

void identity_begin(struct credentials *id, const struct plan *plan, struct tlsyn_stack *stack)
{
    static const char *const alpn[] = {"sim/1", NULL};
    struct tlsyn_tls_options o = {
        .role = TLSYN_TLS_CLIENT,
        .suite = (enum tlsyn_tls_suite)(plan->tls - 1),
        .paper = true, /* levels may be mixed */
        .alpn = plan->pad ? alpn : NULL,
        .pad_hello = plan->pad,
        .sessions = plan->returning ? PLACES : 0,
        .early_data = plan->returning == 2 ? EARLY_DATA : 0,
        .handshakes_per_second = (uint32_t)plan->handshakes,
        .wall_clock = WALL,
        .wall_at = tlsyn_stack_now(stack),
        .random = tlsyn_stack_random(stack),
        .alloc = tlsyn_stack_alloc(stack),
    };

    identity_make();
    *id = (struct credentials){.chains = plan->chains ? store_new(PLACES, o.alloc) : NULL};
    o.chains = id->chains;
    must(tlsyn_tls_config_new(&o, &id->client, NULL) == 0);
    tlsyn_tls_config_trust(id->client, identities.ec.ca, strlen(identities.ec.ca), NULL);
    tlsyn_tls_config_trust(id->client, identities.rsa.ca, strlen(identities.rsa.ca), NULL);
    o.role = TLSYN_TLS_SERVER;
    o.tickets = plan->returning == 1 || plan->returning == 2 ? 2 : 0;
    must(tlsyn_tls_config_new(&o, &id->server, NULL) == 0);
    if (plan->retry)
        lack_first_group(id->server);
    add(id->server, &identities.rsa);
    add(id->server, &identities.ec);
}

void identity_end(struct credentials *id)
{
    tlsyn_tls_config_free(id->client);
    tlsyn_tls_config_free(id->server);
    store_free(id->chains);
}
