/*
 * study/names.h: the words of the studies: stacks, TLS suites, modes, levels, as reports print
 * them.
 */
#ifndef STUDY_NAMES_H
#define STUDY_NAMES_H

#include <tlsyn/conn.h>
#include <tlsyn/tls.h>

enum study_stack { STUDY_TLSYN, STUDY_KERNEL, STUDY_STACKS };

enum study_suite { STUDY_12_RSA, STUDY_12_ECDHE, STUDY_13, STUDY_SUITES };

/** What takes a round trip and no TLS. */
enum study_probe { STUDY_ECHO, STUDY_CONNECT /* TCP's three-way handshake */ };

enum study_mode { STUDY_SEQUENTIAL, STUDY_EMBEDDED, STUDY_MODES };

/** "tlsyn", "kernel" */
const char *study_stack_name(enum study_stack stack);
/** "1.2-rsa", "1.2-ecdhe", "1.3" */
const char *study_suite_name(enum study_suite suite);
/** "TLS 1.2, RSA key exchange" and so on: for headings. */
const char *study_suite_title(enum study_suite suite);
/** "sequential", "embedded" */
const char *study_mode_name(enum study_mode mode);
/** "open", "cookie", "paper"; "" for none */
const char *study_level_name(enum tlsyn_level level);

enum tlsyn_tls_suite study_suite_tls(enum study_suite suite);

/** Where a suite's server listens, on either stack. */
uint16_t study_port(enum study_suite suite);

/** The server's name in certificates and SNI. */
#define STUDY_SERVER_NAME "server.lab"

/** What is exchanged behind the handshake: the least that has a first byte. */
#define STUDY_REQUEST  "GET / HTTP/1.0\r\nHost: " STUDY_SERVER_NAME "\r\n\r\n"
#define STUDY_RESPONSE "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"

#endif
