/*
 * wire/icmp6.h: ICMPv6's errors and echo (RFC 4443) between their octets and host order. Neighbour
 * discovery: wire/ndp.h; groups: wire/mld.h.
 */
#ifndef TLSYN_WIRE_ICMP6_H
#define TLSYN_WIRE_ICMP6_H

#include <tlsyn/types.h>

#define ICMP6_HEADER_LEN      8
#define ICMP6_CHECKSUM_OFFSET 2

enum icmp6_type {
    ICMP6_UNREACHABLE = 1,
    ICMP6_PACKET_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4,
    ICMP6_ECHO = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_MLD_QUERY = 130,
    ICMP6_MLD1_REPORT = 131,
    ICMP6_MLD1_DONE = 132,
    ICMP6_ROUTER_SOLICITATION = 133,
    ICMP6_ROUTER_ADVERTISEMENT = 134,
    ICMP6_NEIGHBOUR_SOLICITATION = 135,
    ICMP6_NEIGHBOUR_ADVERTISEMENT = 136,
    ICMP6_REDIRECT = 137,
    ICMP6_MLD2_REPORT = 143,
};

/** Codes of ICMP6_UNREACHABLE (RFC 4443 3.1). */
enum icmp6_unreachable {
    ICMP6_NO_ROUTE = 0,
    ICMP6_PROHIBITED = 1,
    ICMP6_BEYOND_SCOPE = 2,
    ICMP6_ADDRESS = 3,
    ICMP6_PORT = 4,
    ICMP6_SOURCE_POLICY = 5,
    ICMP6_REJECT_ROUTE = 6,
};

/** Codes of ICMP6_TIME_EXCEEDED (RFC 4443 3.3). */
enum icmp6_time_exceeded {
    ICMP6_HOP_LIMIT = 0,
    ICMP6_REASSEMBLY = 1,
};

/** Codes of ICMP6_PARAMETER_PROBLEM (RFC 4443 3.4). */
enum icmp6_problem {
    ICMP6_PROBLEM_FIELD = 0,
    ICMP6_PROBLEM_NEXT = 1,
    ICMP6_PROBLEM_OPTION = 2,
    ICMP6_PROBLEM_CHAIN = 3, /* RFC 7112 5: a first fragment without all of it */
};

struct wire_icmp6 {
    uint8_t type, code;
    uint16_t id, sequence; /* echo and echo reply */
    uint32_t mtu;          /* packet too big: the next hop's */
    uint32_t pointer;      /* parameter problem: the octet with the error */
    /* Echo: the data. Errors: as much of the datagram as there was room for. Parse: points
     * into the datagram. */
    const uint8_t *payload;
    size_t payload_len;
};

/** RFC 4443 2.1: errors have the high bit clear. */
static inline bool icmp6_is_error(uint8_t type)
{
    return type < 128;
}

/** 0; -EMSGSIZE: too short; -EPROTONOSUPPORT: a type that is neither one of the errors above nor
 * echo. The checksum is not looked at. */
int wire_icmp6_parse(const uint8_t *bytes, size_t len, struct wire_icmp6 *icmp);

/** The whole message with its payload and a checksum of zero; its length, or -ENOSPC. */
int wire_icmp6_emit(const struct wire_icmp6 *icmp, uint8_t *bytes, size_t room);

/** Fills the checksum of a whole message in (RFC 4443 2.3: over a pseudo-header too);
 * ICMP6_HEADER_LEN / 2 octets at least. */
void wire_icmp6_checksum(const struct tlsyn_addr *src, const struct tlsyn_addr *dst, uint8_t *bytes,
                         size_t len);

/** True if the checksum over the whole message is right. */
bool wire_icmp6_checksum_good(const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                              const uint8_t *bytes, size_t len);

#endif
