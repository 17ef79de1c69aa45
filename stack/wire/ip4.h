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
    uint8_t header_len; /* parse only: octets, options included */
    uint8_t tos;
    uint8_t ttl;
    uint8_t protocol;
    uint16_t total_len; /* octets of header and payload */
    uint16_t id;
    bool df, mf;
    uint16_t offset;                      /* of a fragment, in octets: a multiple of 8 */
    const struct tlsyn_source_route *via; /* emit only: by which way to `dst`; or NULL, as parsed */
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

/** Where a datagram is to get to: `ip->dst`, or the end of a source route that it is on. `bytes` is
 * its header, which was parsed into *ip. */
struct tlsyn_addr wire_ip4_destination(const uint8_t *bytes, const struct wire_ip4 *ip);

/** The header, with its checksum. Its length: IP4_HEADER_LEN, and what `via` takes; -ENOSPC. */
int wire_ip4_emit(const struct wire_ip4 *ip, uint8_t *bytes, size_t room);

#endif
