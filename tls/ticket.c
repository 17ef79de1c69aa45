/*
 * ticket.c: seals and opens session tickets.
 * Read first: RFC 5077 4 (the construction), RFC 8446 4.6.1; NIST SP 800-38D 8.3 (how much one key
 * may seal).
 *
 *     name (8) | IV (12) | serialised session, encrypted | tag (16)      AES-256-GCM
 *
 * Additional data: name, version, digest of the name asked for.
 */
#include "ticket.h"

#include <mbedtls/platform_time.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#define KEY_BITS 256
#define IV       12
#define TAG      16
#define OVERHEAD (TICKET_NAME + IV + TAG)
#define AAD      (TICKET_NAME + 2 + 32)
/* IVs are random: by 2^28 of them the chance that two are equal has come to 2^-41, and the key is
 * replaced before its time. SP 800-38D allows 2^32. */
#define SEALS_MAX (UINT32_C(1) << 28)

void tickets_init(struct tickets *t, uint32_t lifetime, struct tlsyn_random *random)
{
    *t = (struct tickets){.lifetime = lifetime, .random = random};
    for (int i = 0; i < 2; i++)
        mbedtls_gcm_init(&t->key[i].gcm);
}

static void wipe(struct ticket_key *key)
{
    mbedtls_gcm_free(&key->gcm);
    mbedtls_platform_zeroize(key, sizeof(*key));
    mbedtls_gcm_init(&key->gcm);
}

void tickets_fini(struct tickets *t)
{
    for (int i = 0; i < 2; i++)
        wipe(&t->key[i]);
}

static int make_key(struct tickets *t, struct ticket_key *key, int64_t now)
{
    unsigned char secret[KEY_BITS / 8];
    int code;

    wipe(key);
    t->random->fill(t->random, key->name, sizeof(key->name));
    t->random->fill(t->random, secret, sizeof(secret));
    code = mbedtls_gcm_setkey(&key->gcm, MBEDTLS_CIPHER_ID_AES, secret, KEY_BITS);
    mbedtls_platform_zeroize(secret, sizeof(secret));
    if (code == 0)
        key->made = now > 0 ? now : 1;
    return code;
}

static bool is_older(const struct ticket_key *key, int64_t now, int64_t seconds)
{
    return key->made != 0 && (now - key->made >= seconds || now < key->made - 1);
}

/* Wipes what has had its time. */
static void forget_old(struct tickets *t, int64_t now)
{
    for (int i = 0; i < 2; i++) {
        if (is_older(&t->key[i], now, 2 * (int64_t)t->lifetime))
            wipe(&t->key[i]);
    }
}

/* The key to seal with. NULL: none could be made. */
static struct ticket_key *sealing_key(struct tickets *t, int64_t now)
{
    struct ticket_key *key = &t->key[t->active];

    forget_old(t, now);
    if (key->made != 0 && !is_older(key, now, t->lifetime) && key->sealed < SEALS_MAX)
        return key;
    if (key->made != 0)
        t->active = 1 - t->active;
    key = &t->key[t->active];
    return make_key(t, key, now) == 0 ? key : NULL;
}

static void additional_data(unsigned char aad[AAD], const struct ticket_key *key,
                            const struct ticket_owner *owner)
{
    memcpy(aad, key->name, TICKET_NAME);
    aad[TICKET_NAME] = (unsigned char)(owner->version >> 8);
    aad[TICKET_NAME + 1] = (unsigned char)owner->version;
    memcpy(aad + TICKET_NAME + 2, owner->asked, sizeof(owner->asked));
}

/* NOLINTNEXTLINE(readability-function-size): four of the parameters are mbedTLS's */
int tickets_seal(struct tickets *t, int64_t now, const struct ticket_owner *owner,
                 const mbedtls_ssl_session *session, unsigned char *start, const unsigned char *end,
                 size_t *len)
{
    struct ticket_key *key = sealing_key(t, now);
    unsigned char *iv = start + TICKET_NAME, *state = iv + IV;
    unsigned char aad[AAD];
    size_t n = 0;
    int code;

    *len = 0;
    if (key == NULL)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    if (end - start < OVERHEAD)
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    code = mbedtls_ssl_session_save(session, state, (size_t)(end - state) - TAG, &n);
    if (code != 0)
        return code;
    memcpy(start, key->name, TICKET_NAME);
    t->random->fill(t->random, iv, IV);
    additional_data(aad, key, owner);
    code = mbedtls_gcm_crypt_and_tag(&key->gcm, MBEDTLS_GCM_ENCRYPT, n, iv, IV, aad, sizeof(aad),
                                     state, state, TAG, state + n);
    if (code != 0) {
        mbedtls_platform_zeroize(state, n);
        return code;
    }
    key->sealed++;
    *len = OVERHEAD + n;
    return 0;
}

static struct ticket_key *key_of(struct tickets *t, const unsigned char *name)
{
    for (int i = 0; i < 2; i++) {
        if (t->key[i].made != 0 && memcmp(t->key[i].name, name, TICKET_NAME) == 0)
            return &t->key[i];
    }
    return NULL;
}

/* The session's own age, for its key lives longer. */
static bool is_expired(const struct tickets *t, mbedtls_ssl_session *session)
{
    mbedtls_ms_time_t made, now = mbedtls_ms_time();

    if (mbedtls_ssl_session_get_ticket_creation_time(session, &made) != 0)
        return true;
    return made < 0 || made > now || now - made >= (mbedtls_ms_time_t)t->lifetime * 1000;
}

int tickets_open(struct tickets *t, int64_t now, const struct ticket_owner *owner,
                 unsigned char *ticket, size_t len, mbedtls_ssl_session *session)
{
    unsigned char *iv = ticket + TICKET_NAME, *state = iv + IV;
    unsigned char aad[AAD];
    struct ticket_key *key;
    int code;

    forget_old(t, now);
    if (len < OVERHEAD || (key = key_of(t, ticket)) == NULL)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    len -= OVERHEAD;
    additional_data(aad, key, owner);
    if (mbedtls_gcm_auth_decrypt(&key->gcm, len, iv, IV, aad, sizeof(aad), state + len, TAG, state,
                                 state) != 0)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    state[len] = 0; /* where the tag was: mbedTLS takes the names in a session for strings */
    code = mbedtls_ssl_session_load(session, state, len);
    mbedtls_platform_zeroize(state, len);
    if (code == 0 && is_expired(t, session))
        code = MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    return code;
}
