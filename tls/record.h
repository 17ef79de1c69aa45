/*
 * record.h: records of TLS 1.3, sealed where they stand (RFC 8446 5.2).
 */
#ifndef TLSYN_TLS_RECORD_H
#define TLSYN_TLS_RECORD_H

#include "bio.h"
#include "keys.h"

#define RECORD_TEXT 16384 /* bytes of plaintext, at most (RFC 8446 5.1) */
#define RECORD_TAG  16
/** Bytes that a record is longer than its plaintext: header, inner type, tag. */
#define RECORD_OVERHEAD (BIO_HEADER + 1 + RECORD_TAG)

enum record_type { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };

/** Makes a record of n bytes of plaintext that stand at record + BIO_HEADER, in the
 * n + RECORD_OVERHEAD bytes at `record`. `seq` is the record's number under these keys: no two
 * records may ever have the same (RFC 8446 5.3, 5.5), which is the caller's to see to. The
 * record's length; -EINVAL: n is too large; -ENOMEM, -EPROTO. */
int record_seal(const struct traffic_keys *keys, uint64_t seq, enum record_type type,
                uint8_t *record, size_t n);

#endif
