/*
 * error.h: what mbedTLS's codes and the peer's alerts mean, in errno values and sentences.
 */
#ifndef TLSYN_TLS_ERROR_H
#define TLSYN_TLS_ERROR_H

#include <stddef.h>

#define ERROR_NO_ALERT (-1)

/** Codes of our own, beside mbedTLS's. */
#define ERROR_TOO_BUSY (-0x10000)
#define ERROR_TOO_SLOW (-0x10001)

/** -ENOMEM when memory was short, -ECONNRESET when the stream ended too early, else -EPROTO. */
int error_errno(int code);

/** The alert that tells the peer (RFC 8446 6.2), or ERROR_NO_ALERT where none is due. */
int error_alert(int code);

/** A sentence about a code, into `text`. */
void error_sentence(int code, char *text, size_t size);

/** A sentence about a fatal alert that the peer sent. */
void error_alert_sentence(unsigned alert, char *text, size_t size);

/** "WHAT: why" into `message` (TLSYN_TLS_MESSAGE bytes, may be NULL); returns error_errno(). */
int error_message(int code, const char *what, char *message);

#endif
