/*
 * bio.h: mbedTLS's reads and writes, straight from and into the connection's rings; records are
 * counted on the way.
 *
 * mbedTLS asks for the five bytes of a record's header, then for the record's body, never for more;
 * so what lies behind a record stays in the ring, and this file knows where each record begins.
 */
#ifndef TLSYN_TLS_BIO_H
#define TLSYN_TLS_BIO_H

#include <stddef.h>
#include <stdint.h>

#define BIO_HEADER 5 /* RFC 8446 5.1: type, legacy version, length */

/** Follows the records in one direction of a stream. All zero: before the first. */
struct bio_meter {
    uint8_t header[BIO_HEADER];
    uint8_t have;     /* bytes of the current record's header; 0 at a boundary */
    uint16_t left;    /* bytes of its body that are still to come */
    uint32_t first;   /* size of the first record with its header; 0: not known yet */
    uint64_t records; /* headers seen */
    uint64_t bytes;
};

/** n bytes went by; n may span records. */
void bio_meter_take(struct bio_meter *m, const void *bytes, size_t n);

/** mbedTLS's f_recv; the context is a struct tlsyn_tls. */
int bio_recv(void *tls, unsigned char *bytes, size_t n);

/** mbedTLS's f_send; the context is a struct tlsyn_tls. */
int bio_send(void *tls, const unsigned char *bytes, size_t n);

#endif
