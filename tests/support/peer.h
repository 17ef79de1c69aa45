/*
 * support/peer.h: one whole stack under a virtual clock, and a scripted peer that speaks the
 * segment language.
 *
 *     peer 10.0.0.2:5555  <-- a link that keeps what is sent -->  stack 10.0.0.1, and
 *     (or fd77::2)                                                      (or fd77::1),
 *                                                                 its listener on port 443
 *
 * Every start state is reached by segments: opens_passively() and opens_actively() are three-way
 * handshakes. Each segment that the peer sends is handed to the stack and answered at once (input,
 * timers, output); `hold` puts the answer off, so that several segments make a batch. Every segment
 * that the stack sends has its checksums verified (RFC 9293 MUST-2), and every question for the
 * peer's Ethernet address is answered.
 */
#ifndef TEST_SUPPORT_PEER_H
#define TEST_SUPPORT_PEER_H

#include <check.h>

#include "core/random.h"
#include "support/fake_link.h"
#include "support/memory.h"
#include "support/seg.h"
#include "support/user.h"
#include "tcp/conn.h"

#define PEER_PORT   5555
#define LISTEN_PORT 443

/** All zero: a stack with default limits; a peer that announces an MSS of 1460 and nothing else. */
struct tcp_test_options {
    struct tlsyn_limits limits; /* connections 0: the defaults */
    struct tcp_options peer;    /* of the peer's SYN; mss 0: 1460 */
    bool peer_has_no_options;
    uint16_t peer_wnd; /* of the peer's SYN and of its segments where none is named; 0: 65535 */
    struct tlsyn_conn_options conn;
    enum tlsyn_level level; /* of opens_actively() */
    bool open, cookies, paper;
    bool ip6; /* over IPv6 */
    tcp_seq (*choose_iss)(struct tcp *, const struct tlsyn_endpoint *,
                          const struct tlsyn_endpoint *);
    tcp_seq peer_iss; /* 0: 0x10000000 */
    struct tlsyn_link_caps caps;
    bool shared; /* somebody else speaks for its address */
    struct tlsyn_ports *ports;
    struct tlsyn_trace *trace;
};

/** Limits for tests that change one of them. */
struct tlsyn_limits default_limits(void);

/** What the stack sent and the test has not looked at yet. */
struct sent {
    struct wire_tcp segment; /* its text points into `bytes` */
    uint8_t *bytes;
    tlsyn_time at;
    size_t ip_len; /* bytes of the datagram */
    uint16_t to;   /* port */
    uint16_t from; /* port */
};

#define SENT_MAX 1024

struct tcp_test;

/** Bytes of the datagrams that left and were not looked at. */
size_t sent_bytes(const struct tcp_test *t);

struct tcp_test {
    struct tcp_test_options options;
    tlsyn_time now;
    struct test_memory memory;
    struct random_seeded random;
    struct fake_link link;
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_listener *listener;
    struct tcp *tcp;
    struct user user;
    bool hold;           /* no timers and no output behind what the peer sends */
    bool verified;       /* frames carry "checksum verified" */
    uint16_t coalesced;  /* frames are made of segments of so many bytes; 0: of one */
    uint16_t peer_port;  /* PEER_PORT */
    uint16_t local_port; /* of the stack: LISTEN_PORT, or the active opener's */
    unsigned questions;  /* that the stack asked for the peer's Ethernet address */
    tcp_seq iss;         /* of the stack, once its SYN was seen */
    tcp_seq peer_iss;
    int64_t peer_nxt; /* relative: what the peer sends next, and what it has got in order */
    int64_t peer_rcv;
    bool ts; /* both sent timestamps in their SYNs: the peer adds them from now on */
    uint32_t ts_echo;
    struct sent sent[SENT_MAX];
    int sent_first, sent_end;
    struct sent last; /* what expect() returned; its bytes belong to it */
};

/** TCP_TEST(.level = TLSYN_LEVEL_OPEN) says all that differs from the defaults. */
struct tcp_test *tcp_test_open(const struct tcp_test_options *options);
#define TCP_TEST(...) tcp_test_open(&(struct tcp_test_options){__VA_ARGS__})

/** Frees everything, and fails the test if the stack kept memory or the user got wrong bytes. */
void tcp_test_close(struct tcp_test *t);

/** The segment arrives. */
void peer_sends(struct tcp_test *t, struct seg seg);

/** Its frame, to be changed before it arrives (at most PEER_FRAME_MAX octets); the length. */
size_t peer_frame(struct tcp_test *t, struct seg seg, uint8_t *frame);
#define PEER_FRAME_MAX 70000

/** Makes the IPv4 header checksum of a frame that was changed right. */
void peer_seal(uint8_t *frame);

/** A frame arrives as it is. */
void peer_sends_frame(struct tcp_test *t, const uint8_t *frame, size_t len);

/** A datagram of the peer's arrives, with this for its payload. */
void peer_sends_datagram(struct tcp_test *t, uint8_t protocol, const uint8_t *payload, size_t len);

/** The next segment that the stack sent is this one. The segment, good until the next call. */
const struct wire_tcp *expect(struct tcp_test *t, struct seg seg);

/** The stack sent nothing (more). */
void expect_nothing(struct tcp_test *t);

/** Forgets what the stack sent; the number of segments. */
int ignore_sent(struct tcp_test *t);

/** Takes everything that the stack sent into the peer's account (text in order), so that the peer's
 * next ACK covers it; the number of segments. Fails if text is not as in the pattern. */
int peer_takes_all(struct tcp_test *t);

/** The peer's next segments come from this port, as the first ones of a connection. */
void another_peer(struct tcp_test *t, uint16_t port);

/** The clock moves on, timers fire, what is due leaves. */
void advance(struct tcp_test *t, tlsyn_time by);

/** What the user wrote or asked for leaves now. */
void flush(struct tcp_test *t);

/** The user writes so many bytes of the pattern, as far as there is room, and they leave now. */
void user_sends(struct tcp_test *t, size_t n);

/** The user opens a connection to the peer; its SYN is not looked at.
 * tlsyn_conn_open()'s result. */
int user_connects(struct tcp_test *t);

/** The user has given up what was open, and both are as they were at first; what the stack has
 * learnt stays. */
void user_begins_anew(struct tcp_test *t);

/** Three-way handshakes to ESTABLISHED. */
void opens_passively(struct tcp_test *t);
void opens_actively(struct tcp_test *t);

/** A test whose connection is in this state, SYN-RECEIVED or a later one, reached by segments;
 * `active`: SYN-RECEIVED by SYNs that crossed. */
struct tcp_test *in_state(enum tlsyn_state state, bool active);

/** The user's connection is in this state. */
void expect_state(struct tcp_test *t, enum tlsyn_state state);

/** No connection is left in the stack's tables. */
void expect_no_connection(struct tcp_test *t);

uint64_t counted(struct tcp_test *t, enum tlsyn_counter counter);
uint64_t dropped(struct tcp_test *t, enum tlsyn_drop reason);

/** An ICMP destination unreachable (over IPv6 with an MTU: packet too big) about a segment of the
 * stack's with this (relative) number. */
void peer_sends_unreachable(struct tcp_test *t, uint8_t code, uint16_t mtu, int64_t seq);

/** Initial sequence numbers for .choose_iss, such that the first window crosses a border of
 * the number space. */
tcp_seq iss_before_wrap(struct tcp *tcp, const struct tlsyn_endpoint *local,
                        const struct tlsyn_endpoint *remote);
tcp_seq iss_before_half(struct tcp *tcp, const struct tlsyn_endpoint *local,
                        const struct tlsyn_endpoint *remote);

#endif
