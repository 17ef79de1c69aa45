/*
 * study/names.h: the words of the studies: stacks, TLS suites, modes, levels, as reports print
 * them.
 */
#ifndef STUDY_NAMES_H
#define STUDY_NAMES_H

#include <stdbool.h>
#include <tlsyn/conn.h>
#include <tlsyn/tls.h>

enum study_stack { STUDY_TLSYN, STUDY_KERNEL, STUDY_QUIC, STUDY_STACKS };

enum study_suite { STUDY_12_RSA, STUDY_12_ECDHE, STUDY_13, STUDY_SUITES };

/** What takes a round trip and no TLS. */
enum study_probe { STUDY_ECHO, STUDY_CONNECT /* TCP's three-way handshake */ };

/** Embedded is TLS in the transport's own handshake: with the kernel's stack by Fast Open, with
 * QUIC always. */
enum study_mode { STUDY_SEQUENTIAL, STUDY_EMBEDDED, STUDY_MODES };

/** How the session comes to be; the last is a PSK with early data. */
enum study_session { STUDY_NEW, STUDY_ID, STUDY_TICKET, STUDY_PSK, STUDY_EARLY, STUDY_SESSIONS };

/** One way to open a connection. */
struct study_way {
    enum study_stack stack;
    enum study_suite suite;
    enum study_mode mode;
    enum study_session session;
};

/** Whether there is such a way: IDs and tickets are of TLS 1.2, PSKs of 1.3, and QUIC has neither
 * TLS 1.2 nor a handshake before TLS's. */
bool study_way_exists(const struct study_way *way);

bool study_way_equal(const struct study_way *a, const struct study_way *b);

/** How many round trips should pass until the client may send (docs/HANDSHAKE.md); one more until
 * it has the first byte of the response. */
int study_round_trips(const struct study_way *way);

/** "tlsyn", "kernel", "quic" */
const char *study_stack_name(enum study_stack stack);
/** "1.2-rsa", "1.2-ecdhe", "1.3" */
const char *study_suite_name(enum study_suite suite);
/** "TLS 1.2, RSA key exchange" and so on: for headings. */
const char *study_suite_title(enum study_suite suite);
/** "sequential", "embedded" */
const char *study_mode_name(enum study_mode mode);
/** "new", "id", "ticket", "psk", "early" */
const char *study_session_name(enum study_session session);
/** "a new session", "resumed by session ID" and so on: for headings. */
const char *study_session_title(enum study_session session);
/** "kernel + OpenSSL, Fast Open": for headings. */
const char *study_stack_title(enum study_stack stack, enum study_mode mode);
/** "open", "cookie", "paper"; "" for none */
const char *study_level_name(enum tlsyn_level level);

enum tlsyn_tls_suite study_suite_tls(enum study_suite suite);

/** Where the server for a suite and a kind of session listens, on every stack. */
uint16_t study_port(enum study_suite suite, enum study_session session);

/** The server's name in certificates and SNI. */
#define STUDY_SERVER_NAME "server.lab"

/** What is exchanged behind the handshake: the least that has a first byte. */
#define STUDY_REQUEST  "GET / HTTP/1.0\r\nHost: " STUDY_SERVER_NAME "\r\n\r\n"
#define STUDY_RESPONSE "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"

#endif
