/* What a ClientHello or a ServerHello says of the session. Private to the ladder's files. */
#ifndef TLSYN_REPORT_LADDER_HELLO_H
#define TLSYN_REPORT_LADDER_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ladder_hello {
    bool there;
    uint16_t version; /* legacy_version */
    bool tls13;       /* offered, or chosen */
    bool retry;       /* a HelloRetryRequest */
    bool psk;         /* offered, or chosen */
    bool early_data;  /* offered */
    size_t ticket;    /* bytes of a ticket offered (RFC 5077) */
    uint8_t session_id[32];
    size_t session_id_length;
};

/* Parse a hello's body of n bytes. 0, or -EINVAL: it is none, and *hello is not there. */
int ladder_hello_parse(struct ladder_hello *hello, bool server, const uint8_t *body, size_t n);

#endif
