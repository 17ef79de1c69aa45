/*
 * wire/ether.h: the Ethernet II header between its octets and host order.
 */
#ifndef TLSYN_WIRE_ETHER_H
#define TLSYN_WIRE_ETHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETHER_ADDR_LEN   6
#define ETHER_HEADER_LEN 14

enum ether_type {
    ETHER_TYPE_IP4 = 0x0800,
    ETHER_TYPE_ARP = 0x0806,
    ETHER_TYPE_IP6 = 0x86dd,
};

struct wire_ether {
    uint8_t dst[ETHER_ADDR_LEN], src[ETHER_ADDR_LEN];
    uint16_t type;          /* below 1536: an IEEE 802.3 length */
    const uint8_t *payload; /* parse only: points into the frame; may have padding behind it */
    size_t payload_len;     /* parse only */
};

/** 0; -EMSGSIZE: shorter than the header. */
int wire_ether_parse(const uint8_t *bytes, size_t len, struct wire_ether *ether);

/** The header's length; -ENOSPC. */
int wire_ether_emit(const struct wire_ether *ether, uint8_t *bytes, size_t room);

/** True for a broadcast or multicast address. */
static inline bool ether_is_group(const uint8_t addr[ETHER_ADDR_LEN])
{
    return addr[0] & 1;
}

#endif
