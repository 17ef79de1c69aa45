/*
 * keylog.h: secrets as lines in the format of SSLKEYLOGFILE, for whoever captures packets.
 */
#ifndef TLSYN_TLS_KEYLOG_H
#define TLSYN_TLS_KEYLOG_H

#include <mbedtls/ssl.h>

/** mbedTLS's key export callback; the context is a struct tlsyn_tls_keylog. */
void keylog_export(void *keylog, mbedtls_ssl_key_export_type type, const unsigned char *secret,
                   size_t secret_len, const unsigned char client_random[32],
                   const unsigned char server_random[32], mbedtls_tls_prf_types prf);

#endif
