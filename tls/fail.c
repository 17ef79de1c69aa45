/*
 * fail.c: why a session failed: as an errno value, as an alert, and as a sentence.
 * Read first: RFC 8446 6.2; RFC 5246 7.2.2.
 */
#include <stdio.h>

#include "engine.h"
#include "error.h"

/* A client may refuse our certificate before it has keys to say so with: its alert then comes
 * unprotected into a direction that is protected already, where mbedTLS takes it for a damaged
 * record (RFC 8446 6.2 knows such alerts). */
static bool is_plain_alert(const struct tlsyn_tls *tls, int code)
{
    const unsigned char *record = tls->ssl.MBEDTLS_PRIVATE(in_hdr);

    return code == MBEDTLS_ERR_SSL_INVALID_MAC && !tls->established &&
           record[0] == MBEDTLS_SSL_MSG_ALERT && record[3] == 0 && record[4] == 2;
}

/* A server that insists on RSA-PSS in TLS 1.2 may do so by RFC 8446 4.2.3, but mbedTLS does not
 * follow it there. */
static bool may_be_pss(const struct tlsyn_tls *tls, int code)
{
    return code == MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER && !tls->established &&
           tls->config->role == TLSYN_TLS_CLIENT && tls->config->suite == TLSYN_TLS_ANY &&
           mbedtls_ssl_get_version_number(&tls->ssl) == MBEDTLS_SSL_VERSION_TLS1_2;
}

static void compose(struct tlsyn_tls *tls, int code)
{
    size_t size = sizeof(tls->sentence);

    if (tls->finding.flags != 0 && code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        tlsyn_time now = tlsyn_stack_now(tlsyn_conn_stack(tls->conn));

        verify_sentence(&tls->finding, tls->host != NULL ? tls->host : "the server",
                        platform_wall(&tls->config->clock, now), tls->sentence, size);
    } else if (is_plain_alert(tls, code)) {
        error_alert_sentence(tls->ssl.MBEDTLS_PRIVATE(in_hdr)[BIO_HEADER + 1], tls->sentence, size);
    } else if (may_be_pss(tls, code)) {
        snprintf(tls->sentence, size,
                 "the server of TLS 1.2 chose something that is not allowed, perhaps a signature "
                 "with RSA-PSS; ask for TLS 1.2 alone");
    } else if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        error_alert_sentence(tls->ssl.MBEDTLS_PRIVATE(in_msg)[1], tls->sentence, size);
    } else {
        error_sentence(code, tls->sentence, size);
    }
}

/* What does not fit mbedTLS's buffer, behind what it keeps of a message already, is bad input to
 * it, as is much else (mbedtls_ssl_fetch_input()). */
static bool is_oversized(const struct tlsyn_tls *tls, int code)
{
    const unsigned char *record = tls->ssl.MBEDTLS_PRIVATE(in_hdr);
    size_t at = (size_t)(record - tls->ssl.MBEDTLS_PRIVATE(in_buf));

    if (code != MBEDTLS_ERR_SSL_BAD_INPUT_DATA || at > MBEDTLS_SSL_IN_CONTENT_LEN)
        return code == MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    return at + BIO_HEADER + (size_t)(record[3] << 8 | record[4]) > MBEDTLS_SSL_IN_CONTENT_LEN;
}

void tls_fail(struct tlsyn_tls *tls, int code, bool alerted)
{
    int alert;

    if (tls->error != 0)
        return;
    if (is_oversized(tls, code))
        code = MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    alert = error_alert(code);
    tls->error = error_errno(code);
    compose(tls, code);
    if (!tls->established)
        session_settle(tls);
    /* mbedTLS sends most alerts by itself, but none about what it cannot even take for a record. */
    if (!alerted && alert != ERROR_NO_ALERT && tls->unsent == 0)
        (void)mbedtls_ssl_send_alert_message(&tls->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                             (unsigned char)alert);
}
