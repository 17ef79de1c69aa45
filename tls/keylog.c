/*
 * keylog.c: writes key log lines: label, client random, secret, in hexadecimal.
 */
#include "keylog.h"

#include <string.h>
#include <tlsyn/tls.h>

#include "sentence.h"

static const char *const labels[] = {
    [MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET] = "CLIENT_RANDOM",
    [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_EARLY_SECRET] = "CLIENT_EARLY_TRAFFIC_SECRET",
    [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_EARLY_EXPORTER_SECRET] = "EARLY_EXPORTER_SECRET",
    [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET] =
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET] =
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET] = "CLIENT_TRAFFIC_SECRET_0",
    [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET] = "SERVER_TRAFFIC_SECRET_0",
};

static void add_hex(struct sentence *line, const unsigned char *bytes, size_t n)
{
    sentence_add(line, " ");
    for (size_t i = 0; i < n; i++)
        sentence_add(line, "%02x", bytes[i]);
}

void keylog_write(struct tlsyn_tls_keylog *keylog, mbedtls_ssl_key_export_type type,
                  const unsigned char *secret, size_t secret_len,
                  const unsigned char client_random[32])
{
    char buffer[256]; /* 31 of label, 64 of random, 96 of SHA-384's size */
    struct sentence line = sentence_in(buffer, sizeof(buffer));

    if ((size_t)type >= sizeof(labels) / sizeof(labels[0]))
        return;
    sentence_add(&line, "%s", labels[type]);
    add_hex(&line, client_random, 32);
    add_hex(&line, secret, secret_len);
    keylog->line(keylog, buffer);
    explicit_bzero(buffer, sizeof(buffer));
}
