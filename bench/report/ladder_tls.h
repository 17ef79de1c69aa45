/* Names the TLS records and handshake messages in a byte stream. Private to the ladder's
 * files. */
#ifndef TLSYN_REPORT_LADDER_TLS_H
#define TLSYN_REPORT_LADDER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/ladder_hello.h"

enum { LADDER_SPANS_MAX = 512, LADDER_SPAN_NAME_MAX = 48 };

/* Content types of records (RFC 8446 5.1), and some of handshake messages (RFC 8446 4). */
enum { LADDER_CCS = 20, LADDER_ALERT, LADDER_HANDSHAKE, LADDER_DATA };
enum { LADDER_CERTIFICATE = 11, LADDER_ENCRYPTED = 0xff };

/* Bytes [start, end) of the stream are one message. end may lie beyond the bytes at hand. */
struct ladder_span {
    size_t start, end;
    uint8_t record;  /* content type; 0: no record */
    uint8_t message; /* of a handshake record: its type, or LADDER_ENCRYPTED */
    char name[LADDER_SPAN_NAME_MAX];
};

struct ladder_tls {
    bool tls13; /* a ServerHello chose TLS 1.3: ChangeCipherSpec then means nothing */
    bool retry; /* there was a HelloRetryRequest */
    struct ladder_hello hello; /* the first ClientHello or ServerHello that was no retry request */
    struct ladder_span spans[LADDER_SPANS_MAX + 1]; /* the last is spare */
    size_t count;
};

/* Name what the n bytes from the start of a stream hold. Parse the server's stream first and hand
 * its `tls13` to the client's, whose plaintext cannot tell. Stops where it is no TLS. */
void ladder_tls_parse(struct ladder_tls *tls, const uint8_t *bytes, size_t n);

/* List the messages that overlap [start, end) into `out`, cut to fit: "A" if all of it is there,
 * "A..." if it goes on, "...A" if it began before; equal neighbours are counted ("2 x A"). */
void ladder_tls_print(const struct ladder_tls *tls, size_t start, size_t end, char *out,
                      size_t size);

#endif
