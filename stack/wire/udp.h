/*
 * wire/udp.h: the UDP header (RFC 768) between its octets and host order.
 */
#ifndef TLSYN_WIRE_UDP_H
#define TLSYN_WIRE_UDP_H

#include <stddef.h>
#include <stdint.h>

#define UDP_HEADER_LEN 8

struct wire_udp {
    uint16_t src_port, dst_port;
    uint16_t len;           /* octets of header and payload */
    uint16_t checksum;      /* 0: none was computed */
    const uint8_t *payload; /* parse only: points into the datagram */
    size_t payload_len;     /* parse only */
};

/** 0; -EMSGSIZE: shorter than it says; -EBADMSG: impossible length. The checksum is not looked
 * at. */
int wire_udp_parse(const uint8_t *bytes, size_t len, struct wire_udp *udp);

/** The header's length; -ENOSPC. */
int wire_udp_emit(const struct wire_udp *udp, uint8_t *bytes, size_t room);

#endif
