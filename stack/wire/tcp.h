/*
 * wire/tcp.h: the TCP header (RFC 9293 3.1) between its octets and host order.
 */
#ifndef TLSYN_WIRE_TCP_H
#define TLSYN_WIRE_TCP_H

#include "wire/tcp_options.h"

enum tcp_flags {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

#define TCP_HEADER_LEN      20
#define TCP_HEADER_MAX      (TCP_HEADER_LEN + TCP_OPTIONS_MAX)
#define TCP_CHECKSUM_OFFSET 16

struct wire_tcp {
    uint16_t src_port, dst_port;
    tcp_seq seq, ack;
    uint8_t flags;
    bool ae;      /* accurate ECN's bit, NS before (RFC 9768 2.1) */
    uint16_t wnd; /* as in the header: not scaled */
    uint16_t urg;
    struct tcp_options options;
    const uint8_t *text; /* parse only: points into the datagram */
    uint32_t text_len;   /* parse only */
    /* Not in the header; whoever has the datagram fills them in: its ECN codepoint, and the
     * segments that it was made of */
    uint8_t codepoint;
    uint16_t count;
};

/** A segment of `len` octets. 0; -EMSGSIZE: shorter than its header says; -EBADMSG: malformed
 * options. The checksum is not looked at. */
int wire_tcp_parse(const uint8_t *bytes, size_t len, struct wire_tcp *tcp);

/** Header and options, the checksum field zero. The header's length; -ENOSPC. */
int wire_tcp_emit(const struct wire_tcp *tcp, uint8_t *bytes, size_t room);

#endif
