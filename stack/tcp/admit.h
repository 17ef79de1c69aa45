/*
 * tcp/admit.h: admission: may the payload of this SYN reach the engine, and may the SYN have a
 * connection? Read first: RFC 4987 3.6, RFC 7413 4.1, 4.2, 5.1, docs/HANDSHAKE.md.
 *
 * The verdict comes before anything is kept or spent: the cheap proof (one SipHash) before the
 * expensive work (a public-key operation). There are three stages:
 *
 *     calm     payload is admitted with a cookie and, where the listener is open, without
 *     busy     half of limits.embedded_backlog are pending, or more than limits.embedded_per_second
 *              payloads came without a cookie: one is required
 *     flooded  limits.syn_backlog SYNs wait for their third segment: SYN cookies for all who have
 *              no cookie
 *
 * A cookie shows who asks: its owner competes for engines with itself (tcp/sources.h) and with
 * other owners of cookies only. A refusal costs an honest client nothing compared with the
 * sequential handshake: its SYN is answered, and the payload follows as text.
 */
#ifndef TLSYN_TCP_ADMIT_H
#define TLSYN_TCP_ADMIT_H

#include "tcp/conn.h"

enum tcp_admission {
#define ADMISSION(name, level, counter, words) TCP_ADMIT_##name,
#include "tcp/admissions.def"
#undef ADMISSION
    TCP_ADMISSIONS
};

#define TCP_COOKIE_LEN 8

/** Whom a SYN came from, and went to. */
struct tcp_ends {
    struct tlsyn_addr remote, local;
};

/** The Fast Open cookie that we give to a client (RFC 7413 4.1.2). */
void tcp_cookie_make(const struct tlsyn_listener *listener, const struct tcp_ends *ends,
                     uint8_t cookie[TCP_COOKIE_LEN]);

/** What a SYN asks for. */
struct tcp_ask {
    struct tcp_ends ends;
    const struct wire_tcp *syn;
    size_t segment_len; /* TCP header and text */
    bool known;         /* it reopens a connection in TIME-WAIT: no part of a flood */
};

/** Counts the verdict, and takes from the budgets what it allows. */
enum tcp_admission tcp_admit(const struct tlsyn_listener *listener, const struct tcp_ask *ask);

/** Answer by a SYN cookie, and keep nothing. */
bool tcp_admission_is_flood(enum tcp_admission verdict);

/** Which share of its source the connection uses until the open is complete. */
enum source_share tcp_admission_share(enum tcp_admission verdict);

/** How many engines may be pending, one with this verdict among them. */
uint32_t tcp_admission_bound(const struct tcp *tcp, enum tcp_admission verdict);

/** The oldest of the half-open connections in a list (tcp->half_opens or tcp->embedded_opens), if
 * it has waited for longer than an honest client takes to answer; else NULL. */
struct tlsyn_conn *tcp_overdue(struct tcp *tcp, struct list *half_opens);

/** TLSYN_LEVEL_NONE for the verdicts that refuse. */
enum tlsyn_level tcp_admission_level(enum tcp_admission verdict);

#endif
