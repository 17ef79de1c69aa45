/*
 * keys.c: from a traffic secret to a key and an IV. Read first: RFC 8446 7.1, 7.3.
 */
#include "keys.h"

#include <errno.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <string.h>

#define KEY_MAX 32

static const struct suite {
    int id;
    psa_algorithm_t hash, aead;
    psa_key_type_t type;
    size_t key_len;
} suites[] = {
    {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, PSA_ALG_SHA_256, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 16},
    {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, PSA_ALG_SHA_384, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 32},
    {MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, PSA_ALG_SHA_256, PSA_ALG_CHACHA20_POLY1305,
     PSA_KEY_TYPE_CHACHA20, 32},
};

static const struct suite *find_suite(int id)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
        if (suites[i].id == id)
            return &suites[i];
    }
    return NULL;
}

/* RFC 8446 7.1: HKDF-Expand-Label(secret, label, "", n). */
static psa_status_t expand(const struct suite *suite, const uint8_t *secret, const char *label,
                           uint8_t *out, size_t n)
{
    static const char prefix[] = "tls13 ";
    psa_key_derivation_operation_t operation = PSA_KEY_DERIVATION_OPERATION_INIT;
    uint8_t info[32] = {0, (uint8_t)n, (uint8_t)(strlen(prefix) + strlen(label))};
    size_t info_len = 3;
    psa_status_t status;

    /* NOLINTBEGIN(bugprone-not-null-terminated-result): lengths stand before what is hashed */
    memcpy(info + info_len, prefix, strlen(prefix));
    info_len += strlen(prefix);
    memcpy(info + info_len, label, strlen(label));
    /* NOLINTEND(bugprone-not-null-terminated-result) */
    info_len += strlen(label) + 1; /* an empty context has a length, too */
    status = psa_key_derivation_setup(&operation, PSA_ALG_HKDF_EXPAND(suite->hash));
    if (status == PSA_SUCCESS)
        status = psa_key_derivation_input_bytes(&operation, PSA_KEY_DERIVATION_INPUT_SECRET, secret,
                                                PSA_HASH_LENGTH(suite->hash));
    if (status == PSA_SUCCESS)
        status = psa_key_derivation_input_bytes(&operation, PSA_KEY_DERIVATION_INPUT_INFO, info,
                                                info_len);
    if (status == PSA_SUCCESS)
        status = psa_key_derivation_output_bytes(&operation, out, n);
    (void)psa_key_derivation_abort(&operation);
    return status;
}

static psa_status_t import(struct traffic_keys *keys, const struct suite *suite,
                           const uint8_t *secret)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    uint8_t key[KEY_MAX];
    psa_status_t status = expand(suite, secret, "key", key, suite->key_len);

    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_ENCRYPT);
    psa_set_key_algorithm(&attributes, suite->aead);
    psa_set_key_type(&attributes, suite->type);
    if (status == PSA_SUCCESS)
        status = psa_import_key(&attributes, key, suite->key_len, &keys->key);
    explicit_bzero(key, sizeof(key));
    return status;
}

int keys_derive(struct traffic_keys *keys, int ciphersuite, const uint8_t *secret,
                size_t secret_len)
{
    const struct suite *suite = find_suite(ciphersuite);
    psa_status_t status;

    if (suite == NULL || secret_len != PSA_HASH_LENGTH(suite->hash))
        return -EINVAL;
    *keys = (struct traffic_keys){.aead = suite->aead};
    status = expand(suite, secret, "iv", keys->iv, sizeof(keys->iv));
    if (status == PSA_SUCCESS)
        status = import(keys, suite, secret);
    if (status == PSA_SUCCESS)
        return 0;
    keys_forget(keys);
    return status == PSA_ERROR_INSUFFICIENT_MEMORY ? -ENOMEM : -EPROTO;
}

void keys_forget(struct traffic_keys *keys)
{
    (void)psa_destroy_key(keys->key); /* of none is none */
    explicit_bzero(keys, sizeof(*keys));
}
