/*
 * error.c: mbedTLS's codes and TLS alerts, as errno values and sentences.
 * Read first: RFC 8446 6.2.
 */
#include "error.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>
#include <psa/crypto_values.h>
#include <stdio.h>
#include <tlsyn/tls.h>

#define ALERT(name) MBEDTLS_SSL_ALERT_MSG_##name

struct meaning {
    int code;
    int error;
    int alert;
    const char *sentence;
};

/* clang-format off */
static const struct meaning meanings[] = {
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, -ENOMEM, ALERT(INTERNAL_ERROR), "memory is short"},
    {MBEDTLS_ERR_X509_ALLOC_FAILED, -ENOMEM, ALERT(INTERNAL_ERROR), "memory is short"},
    {MBEDTLS_ERR_PK_ALLOC_FAILED, -ENOMEM, ALERT(INTERNAL_ERROR), "memory is short"},
    {PSA_ERROR_INSUFFICIENT_MEMORY, -ENOMEM, ALERT(INTERNAL_ERROR), "memory is short"},
    {MBEDTLS_ERR_SSL_CONN_EOF, -ECONNRESET, ERROR_NO_ALERT,
     "the peer closed the connection in the middle of the TLS handshake; does it speak TLS on this port?"},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, -ECONNRESET, ERROR_NO_ALERT,
     "the peer took its leave in the middle of the TLS handshake"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, -EPROTO, ALERT(UNEXPECTED_MESSAGE),
     "what the peer sent is not TLS; does it speak TLS on this port?"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_RECORD, -EPROTO, ALERT(UNEXPECTED_MESSAGE),
     "the peer sent a TLS record that has no place here"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, -EPROTO, ALERT(UNEXPECTED_MESSAGE),
     "the peer sent a TLS message that has no place here (KeyUpdate and renegotiation are not spoken)"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, -EPROTO, ALERT(BAD_RECORD_MAC),
     "a TLS record was damaged or forged on its way"},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, -EPROTO, ALERT(DECODE_ERROR),
     "the peer sent a malformed TLS message"},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, -EPROTO, ALERT(ILLEGAL_PARAMETER),
     "the peer sent a TLS message with a value that is not allowed"},
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, -EPROTO, ALERT(PROTOCOL_VERSION),
     "the peer speaks no version of TLS that is allowed here"},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, -EPROTO, ALERT(HANDSHAKE_FAILURE),
     "the two ends have no suite, group and certificate in common"},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, -EPROTO, ALERT(NO_APPLICATION_PROTOCOL),
     "the two ends have no application protocol (ALPN) in common"},
    {MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, -EPROTO, ALERT(UNSUPPORTED_EXT),
     "the peer answered with a TLS extension that was not offered"},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, -EPROTO, ALERT(BAD_CERT),
     "the peer's certificate cannot be used with what was negotiated"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, -EPROTO, ALERT(CERT_REQUIRED),
     "the peer sent no certificate"},
    {MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED, -EPROTO, ALERT(INTERNAL_ERROR),
     "a certificate with its private key is needed"},
    {MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED, -EPROTO, ALERT(UNKNOWN_CA),
     "no trusted certificates are there to verify the peer's with; name its CA, or turn verification off"},
    {MBEDTLS_ERR_SSL_COUNTER_WRAPPING, -EPROTO, ALERT(INTERNAL_ERROR),
     "too many records were sent under one key"},
    {MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, -EPROTO, ALERT(RECORD_OVERFLOW),
     "the peer sent a TLS message larger than this engine takes"},
    {ERROR_TOO_BUSY, -EBUSY, ALERT(INTERNAL_ERROR),
     "too many TLS handshakes wait for their turn"},
    {ERROR_TOO_SLOW, -ETIMEDOUT, ERROR_NO_ALERT, "the peer took too long over the TLS handshake"},
    {MBEDTLS_ERR_PK_SIG_LEN_MISMATCH, -EPROTO, ALERT(DECRYPT_ERROR),
     "a signature of the peer does not hold"},
};

static const struct {
    unsigned alert;
    const char *name;
    const char *meaning;
} alerts[] = {
    {ALERT(UNEXPECTED_MESSAGE), "unexpected_message", "it did not expect what was sent"},
    {ALERT(BAD_RECORD_MAC), "bad_record_mac", "it could not decrypt a record"},
    {ALERT(RECORD_OVERFLOW), "record_overflow", "a record was too long for it"},
    {ALERT(HANDSHAKE_FAILURE), "handshake_failure", "it shares no version, suite, group or certificate kind with us"},
    {ALERT(BAD_CERT), "bad_certificate", "it refuses our certificate"},
    {ALERT(UNSUPPORTED_CERT), "unsupported_certificate", "it cannot use our kind of certificate"},
    {ALERT(CERT_REVOKED), "certificate_revoked", "our certificate was revoked"},
    {ALERT(CERT_EXPIRED), "certificate_expired", "our certificate is not valid at this time; renew it, or check the clocks"},
    {ALERT(CERT_UNKNOWN), "certificate_unknown", "it refuses our certificate"},
    {ALERT(ILLEGAL_PARAMETER), "illegal_parameter", "a value that was sent is not allowed"},
    {ALERT(UNKNOWN_CA), "unknown_ca", "it does not trust the CA of our certificate; give it that CA"},
    {ALERT(ACCESS_DENIED), "access_denied", "it refuses access"},
    {ALERT(DECODE_ERROR), "decode_error", "it could not read a message"},
    {ALERT(DECRYPT_ERROR), "decrypt_error", "a signature or Finished did not verify there"},
    {ALERT(PROTOCOL_VERSION), "protocol_version", "it speaks no version of TLS that is allowed here"},
    {ALERT(INSUFFICIENT_SECURITY), "insufficient_security", "it asks for stronger suites"},
    {ALERT(INTERNAL_ERROR), "internal_error", "it failed by itself"},
    {ALERT(INAPROPRIATE_FALLBACK), "inappropriate_fallback", "it speaks a newer version of TLS"},
    {ALERT(USER_CANCELED), "user_canceled", "its user gave up"},
    {ALERT(MISSING_EXTENSION), "missing_extension", "it misses a TLS extension"},
    {ALERT(UNSUPPORTED_EXT), "unsupported_extension", "it refuses a TLS extension"},
    {ALERT(UNRECOGNIZED_NAME), "unrecognized_name", "it serves no host of that name"},
    {ALERT(CERT_REQUIRED), "certificate_required", "it wants a client certificate, which this engine does not send"},
    {ALERT(NO_APPLICATION_PROTOCOL), "no_application_protocol", "it speaks none of the offered application protocols (ALPN)"},
};
/* clang-format on */

static const struct meaning *meaning_of(int code)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code == code)
            return &meanings[i];
    }
    return NULL;
}

/* mbedTLS's composite codes: the module's in the high bits plus a lower layer's
 * (mbedtls/error.h). */
static bool is_out_of_memory(int code)
{
    static const int low[] = {MBEDTLS_ERR_ASN1_ALLOC_FAILED, MBEDTLS_ERR_MPI_ALLOC_FAILED};
    int low_part = -(-code & 0x7f);

    for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
        if (low_part == low[i])
            return true;
    }
    return code == MBEDTLS_ERR_ECP_ALLOC_FAILED || code == MBEDTLS_ERR_PEM_ALLOC_FAILED;
}

int error_errno(int code)
{
    const struct meaning *m = meaning_of(code);

    if (m != NULL)
        return m->error;
    return is_out_of_memory(code) ? -ENOMEM : -EPROTO;
}

int error_alert(int code)
{
    const struct meaning *m = meaning_of(code);

    if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        return ERROR_NO_ALERT;
    return m != NULL ? m->alert : ALERT(INTERNAL_ERROR);
}

void error_sentence(int code, char *text, size_t size)
{
    const struct meaning *m = meaning_of(code);
    char words[160];

    if (m != NULL) {
        snprintf(text, size, "%s", m->sentence);
    } else if (is_out_of_memory(code)) {
        snprintf(text, size, "memory is short");
    } else {
        mbedtls_strerror(code, words, sizeof(words));
        snprintf(text, size, "mbedTLS says: %s (-0x%04x)", words, (unsigned)-code);
    }
}

void error_alert_sentence(unsigned alert, char *text, size_t size)
{
    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
        if (alerts[i].alert == alert) {
            snprintf(text, size, "the peer refused with the alert %s (%u): %s", alerts[i].name,
                     alert, alerts[i].meaning);
            return;
        }
    }
    snprintf(text, size, "the peer refused with alert %u", alert);
}

int error_message(int code, const char *what, char *message)
{
    char why[192];

    if (message == NULL)
        return error_errno(code);
    error_sentence(code, why, sizeof(why));
    snprintf(message, TLSYN_TLS_MESSAGE, "%s: %s", what, why);
    return error_errno(code);
}
