/*
 * stored.c: times and checksums of what is kept.
 */
#include "stored.h"

#include <mbedtls/sha256.h>
#include <string.h>
#include <time.h>

void stored_put_time(uint8_t to[STORED_TIME], int64_t when)
{
    for (int i = 0; i < STORED_TIME; i++)
        to[i] = (uint8_t)((uint64_t)when >> (56 - 8 * i));
}

int64_t stored_get_time(const uint8_t from[STORED_TIME])
{
    uint64_t when = 0;

    for (int i = 0; i < STORED_TIME; i++)
        when = when << 8 | from[i];
    return (int64_t)when;
}

void stored_checksum(const char *key, const uint8_t *bytes, size_t len,
                     uint8_t sum[STORED_CHECKSUM])
{
    mbedtls_sha256_context sha;
    uint8_t digest[32] = {0};

    mbedtls_sha256_init(&sha);
    (void)mbedtls_sha256_starts(&sha, 0);
    (void)mbedtls_sha256_update(&sha, (const unsigned char *)key, strlen(key) + 1);
    (void)mbedtls_sha256_update(&sha, bytes, len);
    (void)mbedtls_sha256_finish(&sha, digest);
    mbedtls_sha256_free(&sha);
    memcpy(sum, digest, STORED_CHECKSUM);
}

int64_t stored_wall(const mbedtls_x509_time *t)
{
    struct tm tm = {.tm_year = t->year - 1900,
                    .tm_mon = t->mon - 1,
                    .tm_mday = t->day,
                    .tm_hour = t->hour,
                    .tm_min = t->min,
                    .tm_sec = t->sec};

    return (int64_t)timegm(&tm);
}
