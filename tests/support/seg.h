/*
 * support/seg.h: the segment language: how tests write down segments that a peer sends, or that a
 * stack is expected to send.
 *
 *     peer_sends(t, SYN(.opt = {.mss = 1000}));
 *     expect(t, SYNACK(.ack = 1));
 *     peer_sends(t, ACK(.seq = 1, .ack = 1, .text = "hello"));
 *
 * Sequence numbers are relative: `seq` to the initial sequence number of who sends, `ack` to that
 * of who receives. So a SYN has number 0 and the first byte of text number 1, in both directions.
 *
 * What is not named has a default. Sent: `seq` and `ack` go on where the peer stands, the
 * window is 65535. Expected: any will do, but flags and length of the text are always compared
 * (PSH excepted).
 */
#ifndef TEST_SUPPORT_SEG_H
#define TEST_SUPPORT_SEG_H

#include "wire/tcp.h"

#define SEG_ANY INT64_MIN

struct seg {
    uint8_t flags;
    int64_t seq, ack, wnd; /* SEG_ANY: see above; wnd as in the header, not scaled */
    const char *text;      /* NULL with `len`: that much of the pattern (support/bulk.h) */
    size_t len;            /* 0 with `text`: its length as a string */
    struct tcp_options opt;
    bool no_options;    /* sent: really none, not even those that the peer would add */
    const uint8_t *raw; /* sent: these `raw_len` octets in the place of options; a multiple of 4 */
    size_t raw_len;
    bool bad_checksum; /* sent: damaged on the way */
    bool ae;           /* sent: accurate ECN's bit beside CWR and ECE */
    uint8_t codepoint; /* sent: ECN of the datagram */
    uint16_t urg;      /* sent: the urgent pointer */
};

/* The defaults come first and are meant to be overridden by what the test names. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

#define SEG(bits, ...)                                                                             \
    ((struct seg){.flags = (bits), .seq = SEG_ANY, .ack = SEG_ANY, .wnd = SEG_ANY, __VA_ARGS__})

#define SYN(...)    SEG(TCP_SYN, __VA_ARGS__)
#define SYNACK(...) SEG(TCP_SYN | TCP_ACK, __VA_ARGS__)
#define ACK(...)    SEG(TCP_ACK, __VA_ARGS__)
#define FIN(...)    SEG(TCP_FIN | TCP_ACK, __VA_ARGS__)
#define RST(...)    SEG(TCP_RST, __VA_ARGS__)
#define RSTACK(...) SEG(TCP_RST | TCP_ACK, __VA_ARGS__)

/** Bytes of text that the description asks for. */
size_t seg_len(const struct seg *seg);

/** Sequence numbers that it takes: text, SYN, FIN. */
size_t seg_space(const struct seg *seg);

/** Fills `bytes` with its text, of which the first stands at relative sequence number `at`. */
void seg_text(const struct seg *seg, int64_t at, uint8_t *bytes);

/** One line about a segment on the wire, with numbers relative to these; `room` octets of
 * `line` at most. */
void seg_print(const struct wire_tcp *segment, tcp_seq seq_from, tcp_seq ack_from, char *line,
               size_t room);

/** NULL if the segment is as described; else what is not, in a word. */
const char *seg_differs(const struct seg *expected, const struct wire_tcp *segment,
                        tcp_seq seq_from, tcp_seq ack_from);

#endif
