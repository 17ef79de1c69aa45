/*
 * fuzz_session: bytes of a TLS client's store, a ClientHello, a ticket that a client brings. The
 * first octet says which.
 *
 * What a store hands out is behind a checksum, and what a ticket holds under a key, which no
 * mutation would get right: the input is summed, and sealed, here, so that what is parsed is the
 * fuzzer's. A session that is accepted can be saved, freed, and does not outlive its time; a
 * hello's binder lies inside of it.
 */
#include <mbedtls/ssl.h>
#include <string.h>

#include "hello.h"
#include "platform.h"
#include "session.h"
#include "stored.h"
#include "support/must.h"
#include "ticket.h"

#define KEY "localhost:443/any/5f0c1d2e3a4b5968"
#define NOW 1700000000

static void decode(const uint8_t *data, size_t size)
{
    uint8_t bytes[SESSION_BYTES], again[2 * SESSION_BYTES];
    mbedtls_ssl_session session;
    struct session_terms terms;
    size_t n;

    if (size > sizeof(bytes) - STORED_CHECKSUM)
        return;
    memcpy(bytes, data, size);
    stored_checksum(KEY, bytes, size, bytes + size);
    mbedtls_ssl_session_init(&session);
    if (session_decode(KEY, NOW, bytes, size + STORED_CHECKSUM, &session, &terms) == 0) {
        must(terms.until > NOW);
        must(mbedtls_ssl_session_save(&session, again, sizeof(again), &n) == 0);
        must(session_decode("another.test:443/any/0", NOW, bytes, size + STORED_CHECKSUM, &session,
                            &terms) != 0);
    }
    mbedtls_ssl_session_free(&session);
}

static void hello(const uint8_t *data, size_t size)
{
    struct hello h = {0};

    if (hello_parse(data, size, &h) && h.binder.len > 0)
        must(inside(h.binder.at, h.binder.len, data, size));
}

/* --- tickets (the layout stands in ticket.c) -------------------------------------------------- */

#define IV  12
#define TAG 16
#define AAD (TICKET_NAME + 2 + 32)

static void fill(struct tlsyn_random *random, void *bytes, size_t n)
{
    (void)random;
    memset(bytes, 0x5a, n);
}

static struct tlsyn_random chance = {.fill = fill};

/* Puts `state` into a ticket of the key that is there. Its length. */
static size_t seal(struct tickets *t, const struct ticket_owner *owner, const uint8_t *state,
                   size_t n, uint8_t *ticket)
{
    struct ticket_key *key = &t->key[t->active];
    uint8_t aad[AAD];
    uint8_t *at = ticket + TICKET_NAME + IV;

    memcpy(ticket, key->name, TICKET_NAME);
    memset(ticket + TICKET_NAME, 0, IV);
    memcpy(aad, key->name, TICKET_NAME);
    aad[TICKET_NAME] = (uint8_t)(owner->version >> 8);
    aad[TICKET_NAME + 1] = (uint8_t)owner->version;
    memcpy(aad + TICKET_NAME + 2, owner->asked, sizeof(owner->asked));
    must(mbedtls_gcm_crypt_and_tag(&key->gcm, MBEDTLS_GCM_ENCRYPT, n, ticket + TICKET_NAME, IV, aad,
                                   sizeof(aad), state, at, TAG, at + n) == 0);
    return TICKET_NAME + IV + n + TAG;
}

/* Opens a copy, in a block of its own for the sanitizer. */
static bool opens(struct tickets *t, const struct ticket_owner *owner, const uint8_t *ticket,
                  size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    mbedtls_ssl_session session;
    int code;

    must(copy != NULL);
    memcpy(copy, ticket, size);
    mbedtls_ssl_session_init(&session);
    code = tickets_open(t, NOW, owner, copy, size, &session);
    must(code <= 0);
    mbedtls_ssl_session_free(&session);
    free(copy);
    return code == 0;
}

static void ticket(const uint8_t *data, size_t size)
{
    const struct ticket_owner owner = {.version = 0x0304}, other = {.version = 0x0303};
    uint8_t bytes[SESSION_BYTES];
    mbedtls_ssl_session session;
    struct tickets t;
    size_t n;

    tickets_init(&t, TICKET_LIFETIME_MAX, &chance);
    mbedtls_ssl_session_init(&session);
    /* Seals nothing, but makes the key. */
    (void)tickets_seal(&t, NOW, &owner, &session, bytes, bytes, &n);
    must(!opens(&t, &owner, data, size)); /* for it is not sealed */
    if (size <= sizeof(bytes) - TICKET_NAME - IV - TAG) {
        n = seal(&t, &owner, data, size, bytes);
        (void)opens(&t, &owner, bytes, n);
        must(!opens(&t, &other, bytes, n));
        bytes[n - 1] ^= 1;
        must(!opens(&t, &owner, bytes, n));
    }
    mbedtls_ssl_session_free(&session);
    tickets_fini(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct platform_clock clock = {.wall = NOW};
    static void (*const kinds[])(const uint8_t *data, size_t size) = {decode, hello, ticket};

    must(platform_init() == 0);
    platform_use(&clock, 0, &chance);
    if (size > 0)
        kinds[data[0] % 3](data + 1, size - 1);
    return 0;
}
