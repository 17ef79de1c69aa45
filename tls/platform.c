/*
 * platform.c: gives mbedTLS our clock, our randomness, and libcrypto's arithmetic. Process-wide: an
 * exception to "no globals" (platform.h; docs/ARCHITECTURE.md names them all).
 */
#include "platform.h"

#include <errno.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/sha256.h>
#include <psa/crypto.h>

#include "ecdsa.h"
#include "sha256.h"

static _Thread_local struct {
    int64_t wall;                /* seconds since 1970 */
    int64_t wall_ms;             /* the same in milliseconds */
    struct tlsyn_random *random; /* NULL: nobody asked yet, the kernel's serves */
} current;

static mbedtls_time_t current_wall(mbedtls_time_t *out)
{
    mbedtls_time_t wall = (mbedtls_time_t)current.wall;

    if (out != NULL)
        *out = wall;
    return wall;
}

/* MBEDTLS_PLATFORM_MS_TIME_ALT: declared by mbedTLS, ours to define. It serves the ages of tickets,
 * which a client may keep from one process to the next: so the milliseconds count from 1970, and
 * go by the stack's clock from there. */
mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return (mbedtls_ms_time_t)current.wall_ms;
}

/* MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG: declared by mbedTLS, ours to define. */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *output, size_t output_size,
                                             size_t *output_length)
{
    struct tlsyn_random *random = current.random;

    (void)context;
    platform_random(random != NULL ? random : tlsyn_random_kernel(), output, output_size);
    *output_length = output_size;
    return PSA_SUCCESS;
}

/* MBEDTLS_ECDSA_VERIFY_ALT: declared by mbedTLS, ours to define. */
int mbedtls_ecdsa_verify(mbedtls_ecp_group *grp, const unsigned char *buf, size_t blen,
                         const mbedtls_ecp_point *Q, const mbedtls_mpi *r, const mbedtls_mpi *s)
{
    return ecdsa_verify(grp, buf, blen, Q, r, s);
}

/* MBEDTLS_SHA256_PROCESS_ALT: declared by mbedTLS, ours to define. */
int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx, const unsigned char data[64])
{
    sha256_block(ctx->MBEDTLS_PRIVATE(state), data);
    return 0;
}

int platform_init(void)
{
    psa_status_t status;

    mbedtls_platform_set_time(current_wall);
    status = psa_crypto_init();
    if (status == PSA_SUCCESS)
        return 0;
    return status == PSA_ERROR_INSUFFICIENT_MEMORY ? -ENOMEM : -EPROTO;
}

int64_t platform_wall(const struct platform_clock *clock, tlsyn_time now)
{
    return clock->wall + (now - clock->at) / TLSYN_SECONDS(1);
}

void platform_use(const struct platform_clock *clock, tlsyn_time now, struct tlsyn_random *random)
{
    current.wall = platform_wall(clock, now);
    current.wall_ms = clock->wall * 1000 + (now - clock->at) / TLSYN_MS(1);
    current.random = random;
}

int platform_random(void *random, unsigned char *bytes, size_t n)
{
    struct tlsyn_random *source = random;

    source->fill(source, bytes, n);
    return 0;
}
