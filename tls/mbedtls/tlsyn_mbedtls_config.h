/* What tlsyn changes in mbedTLS's default configuration.
 *
 * mbedTLS reads this file after its own mbedtls_config.h (MBEDTLS_USER_CONFIG_FILE), in the
 * library as in every file that includes its headers. .setup/mbedtls.sh builds the library again
 * when a byte of it changes. Left as they are by default, and needed: TLS 1.2 and 1.3, the RSA and
 * ECDHE key exchanges, tickets, session cache, SNI, ALPN, key export, AES-NI, the NIST curves'
 * fast reduction.
 */
#ifndef TLSYN_MBEDTLS_CONFIG_H
#define TLSYN_MBEDTLS_CONFIG_H

/* ---- The seams: clock and randomness come from the stack (tls/platform.c). ------------------- */
#define MBEDTLS_PLATFORM_TIME_ALT       /* mbedtls_platform_set_time(): seconds since the epoch */
#define MBEDTLS_PLATFORM_MS_TIME_ALT    /* mbedtls_ms_time(): milliseconds, monotonic, is ours to define */
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG /* mbedtls_psa_external_get_random() is ours to define */
#undef MBEDTLS_ENTROPY_C /* with the generator goes its collector, which opens /dev/urandom */
#undef MBEDTLS_TIMING_C  /* reads the clock by itself; serves DTLS only */

/* ---- No other way out: no sockets, no files, no printing. ------------------------------------ */
#undef MBEDTLS_NET_C
#undef MBEDTLS_FS_IO
#undef MBEDTLS_PSA_CRYPTO_STORAGE_C
#undef MBEDTLS_PSA_ITS_FILE_C
#undef MBEDTLS_SELF_TEST

/* ---- TLS 1.3: 0-RTT. Middlebox compatibility mode stays on: stock peers on the open Internet expect it. ---- */
#define MBEDTLS_SSL_EARLY_DATA

/* ---- Memory: I/O buffers have the size of the handshake message or record at hand, not of the largest. ----- */
#define MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH

/* ---- Its heap can be replaced (mbedtls_platform_set_calloc_free): tests fail the nth allocation. ----------- */
#define MBEDTLS_PLATFORM_MEMORY

/* ---- PSA's key store is one per process; stacks on several cores run engines in several threads. ------------ */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

/* ---- X25519: the verified implementation, about ten times faster than the generic curve arithmetic. --------- */
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED

/* ---- ECDSA: mbedtls_ecdsa_verify() is ours to define (tls/ecdsa.c); its own way takes ten times as long. */
#define MBEDTLS_ECDSA_VERIFY_ALT

/* ---- SHA-256: its blocks are ours to define (tls/sha256.c); its own way knows none of x86's instructions. --- */
#define MBEDTLS_SHA256_PROCESS_ALT

/* ---- TCP only. ------------------------------------------------------------------------------- */
#undef MBEDTLS_SSL_PROTO_DTLS
#undef MBEDTLS_SSL_DTLS_ANTI_REPLAY
#undef MBEDTLS_SSL_DTLS_HELLO_VERIFY
#undef MBEDTLS_SSL_DTLS_CLIENT_PORT_REUSE
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID_COMPAT
#undef MBEDTLS_SSL_CONTEXT_SERIALIZATION
#undef MBEDTLS_SSL_COOKIE_C

/* ---- Never offered: renegotiation (RFC 9325 3.5), pre-shared keys in TLS 1.2, static and finite-field DH. ---- */
#undef MBEDTLS_SSL_RENEGOTIATION
#undef MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_DHE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_RSA_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_DHE_RSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_ECDSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_RSA_ENABLED

/* ---- Algorithms that no suite of ours uses. -------------------------------------------------- */
#undef MBEDTLS_DES_C
#undef MBEDTLS_CAMELLIA_C
#undef MBEDTLS_ARIA_C
#undef MBEDTLS_RIPEMD160_C
#undef MBEDTLS_MD5_C
#undef MBEDTLS_ECJPAKE_C
#undef MBEDTLS_LMS_C
#undef MBEDTLS_PKCS7_C
#undef MBEDTLS_PADLOCK_C

/* Trace output of the handshake costs a formatted line per step even when nobody listens. */
#undef MBEDTLS_DEBUG_C

#endif
