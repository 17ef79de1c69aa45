/*
 * chain.h: chains of certificates that verified before, so that their signatures need not be
 * verified again. Read first: RFC 5280 6.1, RFC 8446 4.4.2.4, 4.4.3.
 *
 * Whether a chain is good depends on the certificates as they were sent, the name that they are to
 * speak for, the trusted authorities, the use (version and key exchange), and the time. A digest
 * of all but the time is the key under which a store keeps that the chain was good; with it is kept
 * from when until when all certificates on the path are valid, and that is compared each time. So a
 * chain is found known only where verifying it anew could come to no other result.
 *
 * What is never spared is the signature over this very handshake (CertificateVerify of TLS 1.3,
 * ServerKeyExchange of TLS 1.2), or in TLS 1.2 with RSA key exchange the decryption: by it alone
 * the server shows that the key is its own, and a chain is no secret.
 */
#ifndef TLSYN_TLS_CHAIN_H
#define TLSYN_TLS_CHAIN_H

#include <mbedtls/ssl.h>
#include <tlsyn/tls.h>

/** Client: from here on chain_check() verifies, and mbedTLS does not. */
void chain_take_over(struct tlsyn_tls *tls);

/** Client: the server's Certificate message was read and is not used yet. Verifies it, or knows it.
 * 0; or a negative code of mbedTLS's: it is refused, `finding` says why, and the alert was sent. */
int chain_check(struct tlsyn_tls *tls);

/** False where a certificate came and nobody verified it: then nothing may be established. */
bool chain_is_settled(const struct tlsyn_tls *tls);

#endif
