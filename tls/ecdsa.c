/*
 * ecdsa.c: what mbedTLS leaves to us of ECDSA: verification (MBEDTLS_ECDSA_VERIFY_ALT).
 *
 * Read first: SEC 1 4.1.4.
 *
 * P-256, which nearly every server has, goes by arithmetic of its own (p256.c); the other curves go
 * by mbedTLS's own, as they would without this file.
 */
#include "ecdsa.h"

#include <mbedtls/ecdsa.h>
#include <stdbool.h>
#include <string.h>

#include "p256.h"

/* --- P-256 ------------------------------------------------------------------------------------ */

static int verify_p256(mbedtls_ecp_group *group, const unsigned char *hash, size_t length,
                       const mbedtls_ecp_point *key, const mbedtls_mpi *r, const mbedtls_mpi *s)
{
    struct p256_signature signature = {.x = {0}};
    uint8_t point[1 + 2 * P256_BYTES];
    size_t n;
    int error = mbedtls_ecp_point_write_binary(group, key, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, point,
                                               sizeof(point));

    if (error == 0)
        error = mbedtls_mpi_write_binary(r, signature.r, P256_BYTES);
    if (error == 0)
        error = mbedtls_mpi_write_binary(s, signature.s, P256_BYTES);
    if (error < 0)
        return error;
    memcpy(signature.x, point + 1, P256_BYTES);
    memcpy(signature.y, point + 1 + P256_BYTES, P256_BYTES);
    length = length < P256_BYTES ? length : P256_BYTES;
    memcpy(signature.e + P256_BYTES - length, hash, length);
    return p256_verifies(&signature) ? 0 : MBEDTLS_ERR_ECP_VERIFY_FAILED;
}

/* --- any curve -------------------------------------------------------------------------------- */

/* What a verification computes with. */
struct work {
    mbedtls_mpi e, w, u1, u2;
    mbedtls_ecp_point sum;
};

static bool is_scalar(const mbedtls_ecp_group *group, const mbedtls_mpi *a)
{
    return mbedtls_mpi_cmp_int(a, 1) >= 0 && mbedtls_mpi_cmp_mpi(a, &group->N) < 0;
}

/* The hash's first bits, as many as n has. */
static int take_hash(struct work *work, const mbedtls_ecp_group *group, const unsigned char *hash,
                     size_t length)
{
    size_t most = (group->nbits + 7) / 8, taken = length < most ? length : most;
    int error = mbedtls_mpi_read_binary(&work->e, hash, taken);

    if (error == 0 && taken * 8 > group->nbits)
        error = mbedtls_mpi_shift_r(&work->e, taken * 8 - group->nbits);
    return error;
}

static int divide(mbedtls_mpi *quotient, const mbedtls_mpi *a, const mbedtls_mpi *inverse,
                  const mbedtls_ecp_group *group)
{
    int error = mbedtls_mpi_mul_mpi(quotient, a, inverse);

    return error < 0 ? error : mbedtls_mpi_mod_mpi(quotient, quotient, &group->N);
}

/* Whether the sum's x is r modulo n. */
static int compare(struct work *work, const mbedtls_ecp_group *group, const mbedtls_mpi *r)
{
    uint8_t point[MBEDTLS_ECP_MAX_PT_LEN];
    size_t n, bytes = (group->pbits + 7) / 8;
    int error;

    if (mbedtls_ecp_is_zero(&work->sum))
        return MBEDTLS_ERR_ECP_VERIFY_FAILED;
    error = mbedtls_ecp_point_write_binary(group, &work->sum, MBEDTLS_ECP_PF_UNCOMPRESSED, &n,
                                           point, sizeof(point));
    if (error == 0)
        error = mbedtls_mpi_read_binary(&work->e, point + 1, bytes);
    if (error == 0)
        error = mbedtls_mpi_mod_mpi(&work->e, &work->e, &group->N);
    if (error < 0)
        return error;
    return mbedtls_mpi_cmp_mpi(&work->e, r) == 0 ? 0 : MBEDTLS_ERR_ECP_VERIFY_FAILED;
}

static int verify(struct work *work, mbedtls_ecp_group *group, const mbedtls_ecp_point *key,
                  const mbedtls_mpi *r, const mbedtls_mpi *s)
{
    int error = mbedtls_mpi_inv_mod(&work->w, s, &group->N);

    if (error == 0)
        error = divide(&work->u1, &work->e, &work->w, group);
    if (error == 0)
        error = divide(&work->u2, r, &work->w, group);
    if (error == 0)
        error = mbedtls_ecp_muladd(group, &work->sum, &work->u1, &group->G, &work->u2, key);
    return error < 0 ? error : compare(work, group, r);
}

int ecdsa_verify(mbedtls_ecp_group *group, const unsigned char *hash, size_t length,
                 const mbedtls_ecp_point *key, const mbedtls_mpi *r, const mbedtls_mpi *s)
{
    struct work work;
    int error;

    if (!mbedtls_ecdsa_can_do(group->id) || group->nbits == 0)
        return MBEDTLS_ERR_ECP_BAD_INPUT_DATA;
    if (!is_scalar(group, r) || !is_scalar(group, s))
        return MBEDTLS_ERR_ECP_VERIFY_FAILED;
    error = mbedtls_ecp_check_pubkey(group, key);
    if (error < 0)
        return error;
    if (group->id == MBEDTLS_ECP_DP_SECP256R1)
        return verify_p256(group, hash, length, key, r, s);
    mbedtls_mpi_init(&work.e);
    mbedtls_mpi_init(&work.w);
    mbedtls_mpi_init(&work.u1);
    mbedtls_mpi_init(&work.u2);
    mbedtls_ecp_point_init(&work.sum);
    error = take_hash(&work, group, hash, length);
    if (error == 0)
        error = verify(&work, group, key, r, s);
    mbedtls_ecp_point_free(&work.sum);
    mbedtls_mpi_free(&work.u2);
    mbedtls_mpi_free(&work.u1);
    mbedtls_mpi_free(&work.w);
    mbedtls_mpi_free(&work.e);
    return error;
}
