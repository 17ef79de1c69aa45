/*
 * keys.h: what protects the records of one direction of TLS 1.3 (RFC 8446 7.3).
 */
#ifndef TLSYN_TLS_KEYS_H
#define TLSYN_TLS_KEYS_H

#include <psa/crypto.h>
#include <stdint.h>

/** RFC 8446 5.3: the nonces of all our suites. */
#define KEYS_IV 12

/** PSA holds the key itself. All zero: none. */
struct traffic_keys {
    mbedtls_svc_key_id_t key;
    psa_algorithm_t aead;
    uint8_t iv[KEYS_IV];
};

/** From a traffic secret, as mbedTLS exports it, of a connection under this suite of TLS 1.3. 0;
 * -EINVAL: no such suite, or a secret of another length than its hash's; -ENOMEM, -EPROTO. */
int keys_derive(struct traffic_keys *keys, int ciphersuite, const uint8_t *secret,
                size_t secret_len);

/** May be called on none. */
void keys_forget(struct traffic_keys *keys);

#endif
