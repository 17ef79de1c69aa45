/*
 * tcp/isn.c: RFC 6528. Read first: RFC 6528 3, RFC 9293 3.4.1.
 */
#include "tcp/isn.h"

enum salt { SALT_ISN = 0x80, SALT_TIMESTAMP };

uint64_t isn_hash(const struct siphash_key *key, const struct tlsyn_endpoint *local,
                  const struct tlsyn_endpoint *remote, uint8_t salt)
{
    uint8_t bytes[37];

    memcpy(bytes, local->addr.byte, 16);
    memcpy(bytes + 16, remote->addr.byte, 16);
    memcpy(bytes + 32, &local->port, 2);
    memcpy(bytes + 34, &remote->port, 2);
    bytes[36] = salt;
    return siphash(key, bytes, sizeof(bytes));
}

/* MUST-8, MUST-9, SHLD-1, R6528-1, R6528-3 */
tcp_seq isn_choose(const struct siphash_key *key, const struct tlsyn_endpoint *local,
                   const struct tlsyn_endpoint *remote, tlsyn_time now)
{
    return (tcp_seq)((uint64_t)now / ISN_TICK + isn_hash(key, local, remote, SALT_ISN));
}

/* R7323-PAWS6 */
uint32_t isn_ts_offset(const struct siphash_key *key, const struct tlsyn_endpoint *local,
                       const struct tlsyn_endpoint *remote)
{
    return (uint32_t)isn_hash(key, local, remote, SALT_TIMESTAMP);
}
