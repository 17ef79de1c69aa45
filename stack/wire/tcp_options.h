/*
 * wire/tcp_options.h: the options of a TCP header (RFC 9293 3.2): MSS, window scale and timestamps
 * (RFC 7323), SACK (RFC 2018), Fast Open (RFC 7413 and its older experimental form, RFC 6994 ExID
 * 0xF989), AccECN (RFC 9768).
 */
#ifndef TLSYN_WIRE_TCP_OPTIONS_H
#define TLSYN_WIRE_TCP_OPTIONS_H

#include <stddef.h>

#include "wire/seq.h"

#define TCP_OPTIONS_MAX         40
#define TCP_SACK_BLOCKS_MAX     4
#define TCP_FASTOPEN_COOKIE_MIN 4
#define TCP_COOKIE_MAX          16

/** The first octet. */
enum tcp_option_kind {
    TCP_KIND_END = 0,
    TCP_KIND_NOP = 1,
    TCP_KIND_MSS = 2,
    TCP_KIND_WSCALE = 3,
    TCP_KIND_SACK_PERMITTED = 4,
    TCP_KIND_SACK = 5,
    TCP_KIND_TS = 8,
    TCP_KIND_FASTOPEN = 34,
    TCP_KIND_ACCECN_0 = 172,
    TCP_KIND_ACCECN_1 = 174,
    TCP_KIND_EXPERIMENT = 254, /* RFC 6994: an ExID follows */
};

#define TCP_EXID_FASTOPEN 0xf989 /* IANA, TCP Experimental Option Experiment Identifiers */

/** Bytes [left, right) that arrived out of order. */
struct tcp_sack_block {
    tcp_seq left, right;
};

/** Zero is "no options". */
struct tcp_options {
    uint16_t mss; /* 0: absent */
    bool has_wscale;
    uint8_t
        wscale; /* as received: 15 and more is limited to 14 by whoever uses it (RFC 7323 2.3) */
    bool sack_permitted;
    bool has_ts;
    uint32_t tsval, tsecr;
    uint8_t sack_count;
    struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
    bool has_fastopen;
    bool fastopen_experimental; /* kind 254 instead of 34 */
    uint8_t cookie_len;         /* 0: a cookie is asked for; else 4..16, even */
    uint8_t cookie[TCP_COOKIE_MAX];
    /* RFC 9768 3.2.3: 24 bits each: text received with ECT(0), or ECT(1) by the option's other
     * kind; CE; ECT(1), or ECT(0) */
    uint8_t accecn_fields; /* of these, as many as there are; emitted as the first kind */
    uint32_t accecn[3];
};

/** Reads option bytes as they stand behind the fixed header. Unknown kinds are skipped by their
 * length (MUST-6), Fast Open with an impossible cookie too (RFC 7413 4.1.1). Of a kind that comes
 * twice the last counts. 0; -EBADMSG for an illegal length (MUST-7): 0, 1, past the end, or wrong
 * for a known kind. */
int tcp_options_parse(const uint8_t *bytes, size_t len, struct tcp_options *options);

/** Writes them in the order that Linux uses, padded with NOPs to a multiple of four (`MSS,
 * SACK-permitted, TS, NOP, WS, Fast Open` in a SYN; `NOP, NOP, TS, NOP, NOP, SACK` elsewhere). The
 * length; -ENOSPC if more than `room` or than a header can hold. */
int tcp_options_emit(const struct tcp_options *options, uint8_t *bytes, size_t room);

#endif
