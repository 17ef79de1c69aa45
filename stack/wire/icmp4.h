/*
 * wire/icmp4.h: the ICMP messages (RFC 792) that a host needs, between their octets and host order.
 */
#ifndef TLSYN_WIRE_ICMP4_H
#define TLSYN_WIRE_ICMP4_H

#include <tlsyn/types.h>

#define ICMP4_HEADER_LEN 8

/** The octets of the offending datagram's payload that every error quotes (RFC 792). */
#define ICMP4_QUOTED_MIN 8

enum icmp4_type {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_ECHO = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAMETER_PROBLEM = 12,
};

/** Codes of ICMP4_UNREACHABLE (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1). */
enum icmp4_unreachable {
    ICMP4_NET = 0,
    ICMP4_HOST = 1,
    ICMP4_PROTOCOL = 2,
    ICMP4_PORT = 3,
    ICMP4_FRAGMENTATION_NEEDED = 4,
    ICMP4_SOURCE_ROUTE_FAILED = 5,
    ICMP4_ADMIN_PROHIBITED = 13,
};

/** Codes of ICMP4_TIME_EXCEEDED (RFC 792). */
enum icmp4_time_exceeded {
    ICMP4_TTL = 0,
    ICMP4_REASSEMBLY = 1,
};

struct wire_icmp4 {
    uint8_t type, code;
    uint16_t id, sequence; /* echo and echo reply */
    /* fragmentation needed: the next hop's (RFC 1191 4); 0: an old router that doesn't tell */
    uint16_t mtu;
    uint8_t pointer; /* parameter problem: the octet with the error */
    /* Echo: the data. Errors: the quoted datagram, whose header wire_ip4_parse_quoted() takes and
     * behind which are ICMP4_QUOTED_MIN octets at least. Parse: points into the datagram. */
    const uint8_t *payload;
    size_t payload_len;
};

/** True for the messages that tell of an error and quote a datagram. */
static inline bool icmp4_is_error(uint8_t type)
{
    return type == ICMP4_UNREACHABLE || type == ICMP4_TIME_EXCEEDED ||
           type == ICMP4_PARAMETER_PROBLEM;
}

/** 0; -EMSGSIZE: too short, or quotes too little; -EBADMSG: quotes no IPv4 datagram;
 * -EPROTONOSUPPORT: another type, to be discarded in silence (RFC 1122 3.2.2). The checksum is
 * not looked at. */
int wire_icmp4_parse(const uint8_t *bytes, size_t len, struct wire_icmp4 *icmp);

/** True if the checksum over the whole message is right. */
bool wire_icmp4_checksum_good(const uint8_t *bytes, size_t len);

/** The whole message, payload and checksum included; its length, or -ENOSPC. */
int wire_icmp4_emit(const struct wire_icmp4 *icmp, uint8_t *bytes, size_t room);

#endif
