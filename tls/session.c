/*
 * session.c: a client's sessions: offered, settled, kept.
 *
 * A ticket of TLS 1.3 is good for one connection (RFC 8446 C.4: a second use lets an observer link
 * the two), so the store gives it away once and several are kept. A session of TLS 1.2 serves
 * until it is refused or a day old (RFC 5246 F.1.4); it carries the same secret each time.
 *
 * The hello that offers a session offers its version alone, for mbedTLS binds the two. A server
 * that spoke TLS 1.3 last time and does no longer refuses it; the sessions of that server are gone
 * from the store then, and the next attempt is a full handshake.
 */
#include "session.h"

#include <errno.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#include "engine.h"
#include "sentence.h"
#include "stored.h"

#define FORMAT       1
#define HEAD         18
#define CHECKSUM     STORED_CHECKSUM
#define DAY          INT64_C(86400)
#define DROPPED_MAX  64 /* at one time, of one server; the rest when they fail */
#define FIELD(name_) MBEDTLS_PRIVATE(name_)

/* --- what is kept, as bytes ------------------------------------------------------------------- */

static size_t encode(const char *key, const mbedtls_ssl_session *session,
                     const struct session_terms *terms, uint8_t bytes[SESSION_BYTES])
{
    size_t n = 0;

    bytes[0] = FORMAT;
    bytes[1] = (uint8_t)terms->kind;
    stored_put_time(bytes + 2, terms->until);
    stored_put_time(bytes + 10, terms->proven);
    if (mbedtls_ssl_session_save(session, bytes + HEAD, SESSION_BYTES - HEAD - CHECKSUM, &n) != 0)
        return 0;
    stored_checksum(key, bytes, HEAD + n, bytes + HEAD + n);
    return HEAD + n + CHECKSUM;
}

/* What mbedTLS loads must be of the kind that it is kept as. The host is not kept with it: the key
 * names it, and mbedTLS trusts that there is a zero byte at its end. */
static bool is_of_kind(const mbedtls_ssl_session *s, enum tlsyn_tls_session kind)
{
    bool has_ticket = s->FIELD(ticket) != NULL && s->FIELD(ticket_len) > 0;

    if (s->FIELD(endpoint) != MBEDTLS_SSL_IS_CLIENT || s->FIELD(hostname) != NULL)
        return false;
    if (kind == TLSYN_TLS_PSK)
        return s->FIELD(tls_version) == MBEDTLS_SSL_VERSION_TLS1_3 && has_ticket &&
               (s->FIELD(resumption_key_len) == 32 || s->FIELD(resumption_key_len) == 48);
    if (s->FIELD(tls_version) != MBEDTLS_SSL_VERSION_TLS1_2 || s->FIELD(id_len) > SESSION_ID)
        return false;
    return kind == TLSYN_TLS_TICKET ? has_ticket : !has_ticket && s->FIELD(id_len) > 0;
}

/* A wall clock that was read in whole seconds may be up to one behind that of the process before;
 * mbedTLS would not offer a ticket of the future. */
static bool is_of_the_past(mbedtls_ssl_session *s)
{
    mbedtls_ms_time_t now = mbedtls_ms_time();

    if (s->FIELD(ticket_reception_time) > now + 1000)
        return false;
    if (s->FIELD(ticket_reception_time) > now)
        s->FIELD(ticket_reception_time) = now;
    return true;
}

/* mbedTLS takes the names in a session for strings: behind the last one there is to be a zero. */
static int load(mbedtls_ssl_session *session, const uint8_t *bytes, size_t len)
{
    uint8_t state[SESSION_BYTES + 1];
    int code;

    memcpy(state, bytes, len);
    state[len] = 0;
    code = mbedtls_ssl_session_load(session, state, len);
    mbedtls_platform_zeroize(state, len);
    return code;
}

int session_decode(const char *key, int64_t now, const uint8_t *bytes, size_t len,
                   mbedtls_ssl_session *session, struct session_terms *terms)
{
    uint8_t sum[CHECKSUM];
    int code;

    if (len < HEAD + CHECKSUM || len > SESSION_BYTES || bytes[0] != FORMAT)
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    len -= CHECKSUM;
    stored_checksum(key, bytes, len, sum);
    if (memcmp(sum, bytes + len, CHECKSUM) != 0)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    if (bytes[1] < TLSYN_TLS_ID || bytes[1] > TLSYN_TLS_PSK)
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    *terms = (struct session_terms){.kind = (enum tlsyn_tls_session)bytes[1],
                                    .until = stored_get_time(bytes + 2),
                                    .proven = stored_get_time(bytes + 10)};
    if (terms->until <= now)
        return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    code = load(session, bytes + HEAD, len - HEAD);
    if (code == 0 && !(is_of_kind(session, terms->kind) && is_of_the_past(session))) {
        mbedtls_ssl_session_free(session);
        code = MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    }
    return code;
}

/* --- client: offering ------------------------------------------------------------------------- */

/* "localhost:443/any/5f0c1d2e3a4b5968": whoever asks for another name, port or kind of protocol, or
 * trusts other authorities, finds nothing. False: a name that no store need understand. */
static bool compose_key(const struct tlsyn_tls *tls, char key[SESSION_KEY])
{
    static const char *const suites[] = {[TLSYN_TLS_ANY] = "any",
                                         [TLSYN_TLS_12_RSA] = "12-rsa",
                                         [TLSYN_TLS_12_ECDHE] = "12-ecdhe",
                                         [TLSYN_TLS_13] = "13"};
    const struct tlsyn_tls_config *c = tls->config;
    struct sentence text = sentence_in(key, SESSION_KEY);
    struct tlsyn_conn_info info;

    if (tls->host == NULL || strlen(tls->host) > 255)
        return false;
    for (const char *at = tls->host; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '/')
            return false;
        sentence_add(&text, "%c", *at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
    }
    tlsyn_conn_info(tls->conn, &info);
    sentence_add(&text, ":%u/%s/", info.remote.port, suites[c->suite]);
    if (c->insecure)
        sentence_add(&text, "insecure");
    for (int i = 0; i < 8 && !c->insecure; i++)
        sentence_add(&text, "%02x", c->trust_digest[i]);
    return true;
}

static int64_t wall_now(const struct tlsyn_tls *tls)
{
    return platform_wall(&tls->config->clock, tlsyn_stack_now(tlsyn_conn_stack(tls->conn)));
}

/* mbedTLS compares the name that it finds in a session of TLS 1.3 with the one that it sends. */
static int name_session(const struct tlsyn_tls *tls, mbedtls_ssl_session *session)
{
    size_t size = strlen(tls->host) + 1;

    if (tls->host_is_address || session->FIELD(tls_version) != MBEDTLS_SSL_VERSION_TLS1_3)
        return 0;
    session->FIELD(hostname) = mbedtls_calloc(1, size);
    if (session->FIELD(hostname) == NULL)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    memcpy(session->FIELD(hostname), tls->host, size);
    return 0;
}

static int remember_offer(struct tlsyn_tls *tls, const struct session_terms *terms,
                          const uint8_t *bytes, size_t len)
{
    struct tlsyn_alloc *alloc = tls->config->alloc;

    if (terms->kind != TLSYN_TLS_PSK) { /* that has left the store */
        tls->offer.bytes = alloc->resize(alloc, NULL, len);
        if (tls->offer.bytes == NULL)
            return MBEDTLS_ERR_SSL_ALLOC_FAILED;
        memcpy(tls->offer.bytes, bytes, len);
        tls->offer.len = len;
    }
    tls->offer.terms = *terms;
    return 0;
}

static int offer(struct tlsyn_tls *tls, const char *key, const uint8_t *bytes, size_t len)
{
    struct session_terms terms;
    mbedtls_ssl_session session;
    int code;

    mbedtls_ssl_session_init(&session);
    code = session_decode(key, wall_now(tls), bytes, len, &session, &terms);
    if (code == 0)
        code = name_session(tls, &session);
    if (code == 0)
        code = mbedtls_ssl_set_session(&tls->ssl, &session);
    if (code == 0)
        code = remember_offer(tls, &terms, bytes, len);
    mbedtls_ssl_session_free(&session);
    return code;
}

int session_offer(struct tlsyn_tls *tls)
{
    struct tlsyn_tls_store *store = tls->config->store;
    char key[SESSION_KEY];
    uint8_t bytes[SESSION_BYTES];
    size_t len;
    int code;

    if (store == NULL || tls->fresh || !compose_key(tls, key))
        return 0;
    len = store->ops->find(store, key, wall_now(tls), bytes, sizeof(bytes));
    if (len == 0 || len > sizeof(bytes))
        return 0;
    code = offer(tls, key, bytes, len);
    if (code != 0)
        store->ops->drop(store, key, bytes, len);
    mbedtls_platform_zeroize(bytes, sizeof(bytes));
    return code == MBEDTLS_ERR_SSL_ALLOC_FAILED ? code : 0;
}

void session_offer_fini(struct tlsyn_tls *tls)
{
    if (tls->offer.bytes == NULL)
        return;
    mbedtls_platform_zeroize(tls->offer.bytes, tls->offer.len);
    tls->config->alloc->resize(tls->config->alloc, tls->offer.bytes, 0);
    tls->offer.bytes = NULL;
}

/* --- client: keeping -------------------------------------------------------------------------- */

/* mbedTLS leaves the ticket that was offered where it is when the server has refused it. In TLS
 * 1.2 it would then stand beside another secret. */
static bool has_new_ticket(const struct tlsyn_tls *tls, const mbedtls_ssl_session *s)
{
    return s->FIELD(ticket_len) > 0 &&
           (tls->offer.bytes == NULL || memmem(tls->offer.bytes, tls->offer.len, s->FIELD(ticket),
                                               s->FIELD(ticket_len)) == NULL);
}

static enum tlsyn_tls_session kind_of(const mbedtls_ssl_session *s)
{
    if (s->FIELD(tls_version) == MBEDTLS_SSL_VERSION_TLS1_3)
        return s->FIELD(ticket_len) > 0 ? TLSYN_TLS_PSK : TLSYN_TLS_NEW;
    if (s->FIELD(ticket_len) > 0)
        return TLSYN_TLS_TICKET;
    return s->FIELD(id_len) > 0 ? TLSYN_TLS_ID : TLSYN_TLS_NEW;
}

/* By a certificate, until it ends and for a week at most: tickets that are got by tickets would
 * carry it on without end (RFC 8446 4.6.1, last paragraph). */
static int64_t proven_until(const struct tlsyn_tls *tls, const mbedtls_ssl_session *s)
{
    int64_t until = wall_now(tls) + TICKET_LIFETIME_MAX;

    if (!tls->certified)
        return tls->offer.terms.proven;
    if (s->FIELD(peer_cert) != NULL && !tls->config->insecure) {
        int64_t end = stored_wall(&s->FIELD(peer_cert)->valid_to);

        return end < until ? end : until;
    }
    return until;
}

/* What the server says, and in TLS 1.2 no longer than a day. */
static int64_t lifetime(const mbedtls_ssl_session *s, enum tlsyn_tls_session kind)
{
    int64_t seconds = kind == TLSYN_TLS_ID ? 0 : (int64_t)s->FIELD(ticket_lifetime);

    return kind != TLSYN_TLS_PSK && (seconds == 0 || seconds > DAY) ? DAY : seconds;
}

/* Neither the certificate nor the host need be kept: the first was checked, the key has the
 * second. */
static void strip(const struct tlsyn_tls *tls, mbedtls_ssl_session *s)
{
    if (!has_new_ticket(tls, s)) {
        mbedtls_free(s->FIELD(ticket));
        s->FIELD(ticket) = NULL;
        s->FIELD(ticket_len) = 0;
    }
    if (s->FIELD(peer_cert) != NULL) {
        mbedtls_x509_crt_free(s->FIELD(peer_cert));
        mbedtls_free(s->FIELD(peer_cert));
        s->FIELD(peer_cert) = NULL;
    }
    mbedtls_free(s->FIELD(hostname));
    s->FIELD(hostname) = NULL;
}

void session_keep(struct tlsyn_tls *tls)
{
    struct tlsyn_tls_store *store = tls->config->store;
    struct tlsyn_tls_entry entry = {.until = 0};
    uint8_t bytes[SESSION_BYTES];
    mbedtls_ssl_session session;
    struct session_terms terms;
    char key[SESSION_KEY];
    size_t len = 0;

    if (store == NULL || tls->conn == NULL || tls->kept == SESSION_TICKETS)
        return;
    mbedtls_ssl_session_init(&session);
    if (mbedtls_ssl_get_session(&tls->ssl, &session) == 0 && compose_key(tls, key)) {
        terms.proven = proven_until(tls, &session);
        strip(tls, &session);
        terms.kind = kind_of(&session);
        terms.until = wall_now(tls) + lifetime(&session, terms.kind);
        if (terms.until > terms.proven)
            terms.until = terms.proven;
        entry.until = terms.until;
        entry.once = terms.kind == TLSYN_TLS_PSK;
        if (terms.kind != TLSYN_TLS_NEW && terms.until > wall_now(tls))
            len = encode(key, &session, &terms, bytes);
    }
    if (len > 0) {
        store->ops->keep(store, key, bytes, len, &entry);
        tls->kept++;
        tls->config->counters.kept++;
    }
    mbedtls_ssl_session_free(&session);
    mbedtls_platform_zeroize(bytes, sizeof(bytes));
}

/* A server that takes no session of this kind any more, for it speaks another version now, takes
 * the others neither: each would cost an attempt. */
static void drop_all(struct tlsyn_tls *tls, const char *key)
{
    struct tlsyn_tls_store *store = tls->config->store;
    uint8_t bytes[SESSION_BYTES];
    size_t len = 1;

    for (int i = 0; i < DROPPED_MAX && len > 0; i++) {
        len = store->ops->find(store, key, wall_now(tls), bytes, sizeof(bytes));
        if (len > 0 && len <= sizeof(bytes))
            store->ops->drop(store, key, bytes, len);
    }
    mbedtls_platform_zeroize(bytes, sizeof(bytes));
}

/* The peer, or what it said, ended a handshake that began by offering a session. */
static bool was_outdated(const struct tlsyn_tls *tls)
{
    return tls->error == -EPROTO && !tls->certified && tls->offer.terms.kind != TLSYN_TLS_NEW;
}

void session_settle(struct tlsyn_tls *tls)
{
    struct tlsyn_tls_store *store = tls->config->store;
    const mbedtls_ssl_session *session = tls->ssl.FIELD(session);
    bool offered = tls->offer.bytes != NULL;
    bool is_new = tls->error == 0 && (tls->certified || (offered && has_new_ticket(tls, session)));
    char key[SESSION_KEY];

    if (offered && (is_new || tls->error != 0) && tls->conn != NULL && compose_key(tls, key))
        store->ops->drop(store, key, tls->offer.bytes, tls->offer.len);
    if (was_outdated(tls) && tls->conn != NULL && compose_key(tls, key))
        drop_all(tls, key);
    if (is_new && session->FIELD(tls_version) == MBEDTLS_SSL_VERSION_TLS1_2)
        session_keep(tls);
    session_offer_fini(tls);
}

/* --- both ------------------------------------------------------------------------------------- */

enum tlsyn_tls_session session_kind(const struct tlsyn_tls *tls)
{
    if (tls->certified)
        return TLSYN_TLS_NEW;
    return tls->config->role == TLSYN_TLS_CLIENT ? tls->offer.terms.kind : tls->found;
}
