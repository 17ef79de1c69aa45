/*
 * session_server.c: the calls by which mbedTLS has a server's sessions kept and found.
 *
 * mbedTLS says with them which config they are for, but not which connection: that is the one that
 * the config is at work for (tls_use()).
 */
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl_cache.h>
#include <string.h>

#include "engine.h"

static int64_t wall_now(const struct tlsyn_tls *tls)
{
    return platform_wall(&tls->config->clock, tlsyn_stack_now(tlsyn_conn_stack(tls->conn)));
}

static struct ticket_owner owner_of(const struct tlsyn_tls *tls)
{
    struct ticket_owner owner = {
        .version = (uint16_t)mbedtls_ssl_get_version_number(&tls->ssl),
    };

    memcpy(owner.asked, tls->asked, sizeof(owner.asked));
    return owner;
}

static int write_ticket(void *context, const mbedtls_ssl_session *session, unsigned char *start,
                        const unsigned char *end, size_t *len, uint32_t *lifetime)
{
    struct tlsyn_tls_config *c = context;
    const struct ticket_owner owner = owner_of(c->at_work);
    int code =
        tickets_seal(&c->server.tickets, wall_now(c->at_work), &owner, session, start, end, len);

    *lifetime = c->server.tickets.lifetime;
    if (code == 0)
        c->counters.tickets_sent++;
    return code;
}

static int parse_ticket(void *context, mbedtls_ssl_session *session, unsigned char *ticket,
                        size_t len)
{
    struct tlsyn_tls_config *c = context;
    const struct ticket_owner owner = owner_of(c->at_work);
    int code = tickets_open(&c->server.tickets, wall_now(c->at_work), &owner, ticket, len, session);

    if (code == MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED)
        c->counters.tickets_expired++;
    else if (code != 0)
        c->counters.tickets_foreign++;
    else
        c->at_work->found =
            owner.version == MBEDTLS_SSL_VERSION_TLS1_3 ? TLSYN_TLS_PSK : TLSYN_TLS_TICKET;
    return code;
}

static int get_session(void *context, const unsigned char *id, size_t id_len,
                       mbedtls_ssl_session *session)
{
    struct tlsyn_tls_config *c = context;
    const struct ticket_owner owner = owner_of(c->at_work);
    int code = session_ids_get(&c->server.ids, wall_now(c->at_work), &owner, id, id_len, session);

    if (code == 0)
        c->at_work->found = TLSYN_TLS_ID;
    else if (code == MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED)
        c->counters.ids_expired++;
    else
        c->counters.ids_unknown++;
    return code;
}

static int set_session(void *context, const unsigned char *id, size_t id_len,
                       const mbedtls_ssl_session *session)
{
    struct tlsyn_tls_config *c = context;
    const struct ticket_owner owner = owner_of(c->at_work);

    if (id_len != SESSION_ID)
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    return session_ids_put(&c->server.ids, wall_now(c->at_work), &owner, id, session);
}

int session_name_asked(struct tlsyn_tls *tls, const unsigned char *name, size_t len)
{
    unsigned char lower[255];
    uint8_t digest[32];

    if (len > sizeof(lower))
        return -1;
    for (size_t i = 0; i < len; i++)
        lower[i] =
            (unsigned char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    if (mbedtls_sha256(lower, len, digest, 0) != 0)
        return -1;
    /* Where the ticket stands before the name in the hello, it was opened as one without a name. */
    if (tls->found != TLSYN_TLS_NEW && memcmp(tls->asked, digest, sizeof(digest)) != 0)
        return -1;
    memcpy(tls->asked, digest, sizeof(digest));
    return 0;
}

/* A client that opens several connections, or whose answer leaves early, has them a round trip
 * earlier. Not where nobody may be there: tickets would cost a forger nothing, and use up the
 * budget (docs/HANDSHAKE.md). And not where early data was refused: mbedTLS notes in the session
 * how much of it is to be passed over. */
bool session_speaks_ahead(const struct tlsyn_tls *tls)
{
    return tls->config->role == TLSYN_TLS_SERVER && tls->config->server.tickets_on &&
           mbedtls_ssl_get_version_number(&tls->ssl) == MBEDTLS_SSL_VERSION_TLS1_3 &&
           tlsyn_conn_validated(tls->conn) && (!tls->early.offered || tls->early.accepted);
}

static void setup_server(struct tlsyn_tls_config *c, const struct tlsyn_tls_options *o)
{
    uint32_t lifetime = o->session_lifetime != 0 ? o->session_lifetime : TLSYN_TLS_SESSION_LIFETIME;

    if (lifetime > TICKET_LIFETIME_MAX)
        lifetime = TICKET_LIFETIME_MAX;
    tickets_init(&c->server.tickets, lifetime, c->random);
    session_ids_init(&c->server.ids, o->sessions, lifetime, c->alloc);
    if (o->sessions > 0)
        mbedtls_ssl_conf_session_cache(&c->ssl, c, get_session, set_session);
    if (o->tickets == 0)
        return;
    c->server.tickets_on = true;
    mbedtls_ssl_conf_session_tickets_cb(&c->ssl, write_ticket, parse_ticket, c);
    mbedtls_ssl_conf_new_session_tickets(&c->ssl, (uint16_t)o->tickets);
}

/* With (EC)DHE always, for then a stolen ticket key opens no connection of the past (RFC 8446
 * 2.2). */
static void allow_psk(struct tlsyn_tls_config *c, bool allowed)
{
    mbedtls_ssl_conf_tls13_key_exchange_modes(
        &c->ssl, allowed ? MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL
                         : MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
}

int session_setup(struct tlsyn_tls_config *c, const struct tlsyn_tls_options *o)
{
    bool has_store, by_ticket;

    if (c->role == TLSYN_TLS_SERVER) {
        setup_server(c, o);
        allow_psk(c, o->tickets > 0);
        return 0;
    }
    if (o->store == NULL && o->sessions > 0) {
        c->own_store = store_new(o->sessions, c->alloc);
        if (c->own_store == NULL)
            return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    c->chains = o->insecure ? NULL : o->chains;
    c->store = o->store != NULL ? o->store : c->own_store;
    has_store = c->store != NULL;
    by_ticket = has_store && !o->no_tickets;
    allow_psk(c, has_store);
    mbedtls_ssl_conf_session_tickets(&c->ssl, by_ticket ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                        : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &c->ssl, has_store ? MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
                           : MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED);
    return 0;
}

void session_teardown(struct tlsyn_tls_config *c)
{
    if (c->role == TLSYN_TLS_SERVER) {
        tickets_fini(&c->server.tickets);
        session_ids_fini(&c->server.ids);
    }
    store_free(c->own_store);
}
