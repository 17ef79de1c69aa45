/*
 * keylog.h: secrets as lines in the format of SSLKEYLOGFILE, for whoever captures packets.
 */
#ifndef TLSYN_TLS_KEYLOG_H
#define TLSYN_TLS_KEYLOG_H

#include <mbedtls/ssl.h>
#include <tlsyn/tls.h>

/** One line: what mbedTLS's key export callback says. */
void keylog_write(struct tlsyn_tls_keylog *keylog, mbedtls_ssl_key_export_type type,
                  const unsigned char *secret, size_t secret_len,
                  const unsigned char client_random[32]);

#endif
