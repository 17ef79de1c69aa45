/*
 * ecdsa.c: what mbedTLS leaves to us of ECDSA: verification (MBEDTLS_ECDSA_VERIFY_ALT).
 *
 * Read first: SEC 1 4.1.4.
 *
 * mbedTLS has one arithmetic for secret and public numbers, on the heap and in constant time: for a
 * signature over P-256 1.2 ms, which is most of what a handshake costs a client. Here everything is
 * public, and libcrypto, which is tuned for the curves that certificates have, does it in a tenth.
 */
#include "ecdsa.h"

#include <mbedtls/ecdsa.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>

#define SCALAR_MAX    MBEDTLS_ECP_MAX_BYTES
#define SIGNATURE_MAX MBEDTLS_ECDSA_MAX_LEN

/* A library context of our own: the program that we are part of may use libcrypto, too, and its
 * configuration is not for us, nor ours for it. */
static pthread_once_t context_once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *context;

static void make_context(void)
{
    context = OSSL_LIB_CTX_new();
}

static const char *curve_name(mbedtls_ecp_group_id id)
{
    switch (id) {
    case MBEDTLS_ECP_DP_SECP256R1:
        return "prime256v1";
    case MBEDTLS_ECP_DP_SECP384R1:
        return "secp384r1";
    case MBEDTLS_ECP_DP_SECP521R1:
        return "secp521r1";
    case MBEDTLS_ECP_DP_BP256R1:
        return "brainpoolP256r1";
    case MBEDTLS_ECP_DP_BP384R1:
        return "brainpoolP384r1";
    case MBEDTLS_ECP_DP_BP512R1:
        return "brainpoolP512r1";
    default:
        return NULL;
    }
}

/* The key as libcrypto has it, which sees that it is on the curve. 0, or an error of mbedTLS. */
static int take_key(const mbedtls_ecp_group *group, const mbedtls_ecp_point *point, EVP_PKEY **key)
{
    uint8_t bytes[MBEDTLS_ECP_MAX_PT_LEN];
    OSSL_PARAM params[] = {OSSL_PARAM_END, OSSL_PARAM_END, OSSL_PARAM_END};
    EVP_PKEY_CTX *maker;
    size_t n;
    int error = mbedtls_ecp_point_write_binary(group, point, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, bytes,
                                               sizeof(bytes));

    if (error < 0 || n == 1) /* infinity */
        return error < 0 ? error : MBEDTLS_ERR_ECP_INVALID_KEY;
    maker = EVP_PKEY_CTX_new_from_name(context, "EC", NULL);
    if (maker == NULL || EVP_PKEY_fromdata_init(maker) != 1) {
        EVP_PKEY_CTX_free(maker);
        return MBEDTLS_ERR_ECP_ALLOC_FAILED;
    }
    /* Neither is written to; the name is no constant to the call's type alone. */
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                 (char *)(uintptr_t)curve_name(group->id), 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, n);
    error = EVP_PKEY_fromdata(maker, key, EVP_PKEY_PUBLIC_KEY, params) == 1
                ? 0
                : MBEDTLS_ERR_ECP_INVALID_KEY;
    EVP_PKEY_CTX_free(maker);
    return error;
}

static BIGNUM *take_number(const mbedtls_mpi *number)
{
    uint8_t bytes[SCALAR_MAX];
    size_t n = mbedtls_mpi_size(number);

    return mbedtls_mpi_write_binary(number, bytes, n) == 0 ? BN_bin2bn(bytes, (int)n, NULL) : NULL;
}

/* Both numbers, in DER. Its length; 0: memory is short. */
static size_t take_signature(const mbedtls_mpi *r, const mbedtls_mpi *s, uint8_t der[SIGNATURE_MAX])
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *bn_r = take_number(r), *bn_s = take_number(s);
    int n = 0;

    if (signature != NULL && bn_r != NULL && bn_s != NULL) {
        (void)ECDSA_SIG_set0(signature, bn_r, bn_s); /* who frees them from now on */
        n = i2d_ECDSA_SIG(signature, NULL);
        n = n > 0 && n <= SIGNATURE_MAX ? i2d_ECDSA_SIG(signature, &der) : 0;
    } else {
        BN_free(bn_r);
        BN_free(bn_s);
    }
    ECDSA_SIG_free(signature);
    return n > 0 ? (size_t)n : 0;
}

static int verify(EVP_PKEY *key, const uint8_t *der, size_t der_len, const unsigned char *hash,
                  size_t length)
{
    EVP_PKEY_CTX *verifier = EVP_PKEY_CTX_new_from_pkey(context, key, NULL);
    int error = MBEDTLS_ERR_ECP_ALLOC_FAILED;

    if (verifier != NULL && EVP_PKEY_verify_init(verifier) == 1)
        error = EVP_PKEY_verify(verifier, der, der_len, hash, length) == 1
                    ? 0
                    : MBEDTLS_ERR_ECP_VERIFY_FAILED;
    EVP_PKEY_CTX_free(verifier);
    return error;
}

static bool is_scalar(const mbedtls_ecp_group *group, const mbedtls_mpi *a)
{
    return mbedtls_mpi_cmp_int(a, 1) >= 0 && mbedtls_mpi_cmp_mpi(a, &group->N) < 0;
}

int ecdsa_verify(const mbedtls_ecp_group *group, const unsigned char *hash, size_t length,
                 const mbedtls_ecp_point *point, const mbedtls_mpi *r, const mbedtls_mpi *s)
{
    uint8_t der[SIGNATURE_MAX];
    EVP_PKEY *key = NULL;
    size_t der_len;
    int error;

    if (curve_name(group->id) == NULL)
        return MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE;
    if (!is_scalar(group, r) || !is_scalar(group, s))
        return MBEDTLS_ERR_ECP_VERIFY_FAILED;
    if (pthread_once(&context_once, make_context) != 0 || context == NULL)
        return MBEDTLS_ERR_ECP_ALLOC_FAILED;
    (void)ERR_set_mark(); /* what goes wrong here is not for the program's queue of errors */
    error = take_key(group, point, &key);
    if (error == 0) {
        der_len = take_signature(r, s, der);
        error =
            der_len > 0 ? verify(key, der, der_len, hash, length) : MBEDTLS_ERR_ECP_ALLOC_FAILED;
    }
    EVP_PKEY_free(key);
    (void)ERR_pop_to_mark();
    return error;
}
