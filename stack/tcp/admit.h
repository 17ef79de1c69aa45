/*
 * tcp/admit.h: admission: may the payload of this SYN reach the engine? Read first: RFC 7413 4.1,
 * 4.2, docs/HANDSHAKE.md.
 *
 * The verdict comes before anything is spent on the payload: the cheap proof (one SipHash) before
 * the expensive work (a public-key operation). A refusal costs an honest client nothing: its SYN is
 * answered, and the payload follows as text.
 */
#ifndef TLSYN_TCP_ADMIT_H
#define TLSYN_TCP_ADMIT_H

#include "tcp/conn.h"

enum tcp_admission {
#define ADMISSION(name, level, words) TCP_ADMIT_##name,
#include "tcp/admissions.def"
#undef ADMISSION
    TCP_ADMISSIONS
};

#define TCP_COOKIE_LEN 8

/** Whom a SYN came from and went to. */
struct tcp_ends {
    struct tlsyn_addr remote, local;
};

/** The Fast Open cookie that we give to a client (RFC 7413 4.1.2). */
void tcp_cookie_make(const struct tlsyn_listener *listener, const struct tcp_ends *ends,
                     uint8_t cookie[TCP_COOKIE_LEN]);

/** Takes from the budgets only when the verdict admits. `segment_len`: TCP header and text. */
enum tcp_admission tcp_admit(const struct tlsyn_listener *listener, const struct tcp_ends *ends,
                             const struct wire_tcp *syn, size_t segment_len);

/** TLSYN_LEVEL_NONE for the verdicts that refuse. */
enum tlsyn_level tcp_admission_level(enum tcp_admission verdict);

#endif
