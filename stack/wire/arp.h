/*
 * wire/arp.h: ARP packets for IPv4 over Ethernet (RFC 826) between their octets and host order.
 */
#ifndef TLSYN_WIRE_ARP_H
#define TLSYN_WIRE_ARP_H

#include <tlsyn/types.h>

#include "wire/ether.h"

#define ARP_LEN 28

enum arp_op {
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
};

struct wire_arp {
    uint16_t op;
    uint8_t sender_hw[ETHER_ADDR_LEN];
    struct tlsyn_addr sender; /* IPv4; may be 0.0.0.0: a probe (RFC 5227 2.1.1) */
    uint8_t target_hw[ETHER_ADDR_LEN];
    struct tlsyn_addr target; /* IPv4 */
};

/** 0; -EMSGSIZE: too short; -EBADMSG: not IPv4 over Ethernet, or another operation than
 * request and reply. */
int wire_arp_parse(const uint8_t *bytes, size_t len, struct wire_arp *arp);

/** ARP_LEN; -ENOSPC. */
int wire_arp_emit(const struct wire_arp *arp, uint8_t *bytes, size_t room);

#endif
