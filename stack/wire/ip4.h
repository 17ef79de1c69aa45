/*
 * wire/ip4.h: the IPv4 header (RFC 791 3.1) between its octets and host order.
 */
#ifndef TLSYN_WIRE_IP4_H
#define TLSYN_WIRE_IP4_H

#include <tlsyn/types.h>

#define IP4_HEADER_LEN 20
#define IP4_HEADER_MAX 60

struct wire_ip4 {
    struct tlsyn_addr src, dst;
    uint8_t header_len; /* octets, options included; emit writes no options, and 20 here */
    uint8_t tos;
    uint8_t ttl;
    uint8_t protocol;
    uint16_t total_len; /* octets of header and payload */
    uint16_t id;
    bool df, mf;
    uint16_t offset;        /* of a fragment, in octets: a multiple of 8 */
    const uint8_t *payload; /* parse only: behind the options, without padding of the frame */
    uint16_t payload_len;   /* parse only */
};

/** Options are skipped. 0; -EPROTONOSUPPORT: another version; -EMSGSIZE: shorter than it says;
 * -EBADMSG: impossible lengths. The checksum is not looked at. */
int wire_ip4_parse(const uint8_t *bytes, size_t len, struct wire_ip4 *ip);

/** The same for a datagram quoted in an ICMP error, which may be cut short behind its header:
 * `payload_len` is what is there. */
int wire_ip4_parse_quoted(const uint8_t *bytes, size_t len, struct wire_ip4 *ip);

/** True if the header checksum is right; `bytes` is a header that was parsed. */
bool wire_ip4_checksum_good(const uint8_t *bytes, uint8_t header_len);

/** True if the header, which was parsed, tells by which way to answer (RFC 791 3.1). */
bool wire_ip4_has_source_route(const uint8_t *bytes, uint8_t header_len);

/** The header, with its checksum. IP4_HEADER_LEN; -ENOSPC. */
int wire_ip4_emit(const struct wire_ip4 *ip, uint8_t *bytes, size_t room);

#endif
