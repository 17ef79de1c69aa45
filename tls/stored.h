/*
 * stored.h: what entries of a store are made of: times, and a checksum by which one that was
 * damaged, or stands under another key, is told.
 */
#ifndef TLSYN_TLS_STORED_H
#define TLSYN_TLS_STORED_H

#include <mbedtls/x509_crt.h>
#include <stddef.h>
#include <stdint.h>

#define STORED_TIME     8
#define STORED_CHECKSUM 8

/** Seconds since 1970, big-endian. */
void stored_put_time(uint8_t to[STORED_TIME], int64_t when);
int64_t stored_get_time(const uint8_t from[STORED_TIME]);

/** The first bytes of a digest over the key, with its zero, and the bytes. */
void stored_checksum(const char *key, const uint8_t *bytes, size_t len,
                     uint8_t sum[STORED_CHECKSUM]);

/** A certificate's time in seconds since 1970. */
int64_t stored_wall(const mbedtls_x509_time *t);

#endif
