/*
 * wire/ndp.h: the messages of neighbour discovery (RFC 4861 4) between their octets and host order.
 */
#ifndef TLSYN_WIRE_NDP_H
#define TLSYN_WIRE_NDP_H

#include <tlsyn/types.h>

#include "wire/ether.h"
#include "wire/icmp6.h"

#define NDP_PREFIXES_MAX 8          /* of one advertisement that are read; more are passed over */
#define NDP_FOREVER      0xffffffff /* a lifetime without an end */
#define NDP_MESSAGE_MAX                                                                            \
    (ICMP6_HEADER_LEN + 32 + 2 * 8 + 8 + NDP_PREFIXES_MAX * 32) /* that we emit */

/** A prefix information option (RFC 4861 4.6.2). */
struct ndp_prefix {
    struct tlsyn_addr prefix;
    uint8_t len; /* bits */
    bool on_link, autonomous;
    uint32_t valid, preferred; /* seconds, or NDP_FOREVER */
};

/** What a message does not have is zero. */
struct wire_ndp {
    uint8_t type;                     /* ICMP6_ROUTER_SOLICITATION to ICMP6_REDIRECT */
    struct tlsyn_addr target;         /* both neighbour messages, redirect */
    struct tlsyn_addr destination;    /* redirect */
    bool router, solicited, override; /* neighbour advertisement */
    /* router advertisement: zero is "unspecified", but of the lifetime */
    uint8_t hop_limit;
    bool managed, other;
    uint16_t lifetime; /* seconds as a default router */
    uint32_t reachable_ms, retrans_ms;
    uint32_t mtu;
    uint8_t prefix_count;
    struct ndp_prefix prefix[NDP_PREFIXES_MAX];
    /* link-layer address options */
    bool has_source_hw, has_target_hw;
    uint8_t source_hw[ETHER_ADDR_LEN], target_hw[ETHER_ADDR_LEN];
};

/** Checks what the message itself can show: code 0, lengths, no option of length 0, no group as
 * target or destination (RFC 4861 6.1, 7.1, 8.1); what needs the IPv6 header is the caller's.
 * Options that are unknown, or of another length than theirs, are passed over. 0; -EPROTONOSUPPORT:
 * another type; -EMSGSIZE; -EBADMSG. The checksum is not looked at. */
int wire_ndp_parse(const uint8_t *bytes, size_t len, struct wire_ndp *ndp);

/** The message with a checksum of zero; its length, or -ENOSPC. */
int wire_ndp_emit(const struct wire_ndp *ndp, uint8_t *bytes, size_t room);

#endif
