/*
 * wire/arp.c: ARP for IPv4 over Ethernet. Read first: RFC 826, RFC 5227 1.1.
 */
#include "wire/arp.h"

#include <errno.h>

#include "wire/bytes.h"

#define HARDWARE_ETHERNET 1
#define IP4_ADDR_LEN      4

static struct tlsyn_addr get_addr(struct reader *r)
{
    uint8_t octets[IP4_ADDR_LEN];

    get_bytes(r, octets, sizeof(octets));
    return tlsyn_addr_ip4(octets);
}

int wire_arp_parse(const uint8_t *bytes, size_t len, struct wire_arp *arp)
{
    struct reader r = reader_of(bytes, len);
    uint16_t hardware = get_u16(&r), protocol = get_u16(&r);
    uint8_t hardware_len = get_u8(&r), protocol_len = get_u8(&r);

    arp->op = get_u16(&r);
    get_bytes(&r, arp->sender_hw, ETHER_ADDR_LEN);
    arp->sender = get_addr(&r);
    get_bytes(&r, arp->target_hw, ETHER_ADDR_LEN);
    arp->target = get_addr(&r);
    if (r.overrun)
        return -EMSGSIZE;
    if (hardware != HARDWARE_ETHERNET || hardware_len != ETHER_ADDR_LEN)
        return -EBADMSG;
    if (protocol != ETHER_TYPE_IP4 || protocol_len != IP4_ADDR_LEN)
        return -EBADMSG;
    return arp->op == ARP_REQUEST || arp->op == ARP_REPLY ? 0 : -EBADMSG;
}

int wire_arp_emit(const struct wire_arp *arp, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_u16(&w, HARDWARE_ETHERNET);
    put_u16(&w, ETHER_TYPE_IP4);
    put_u8(&w, ETHER_ADDR_LEN);
    put_u8(&w, IP4_ADDR_LEN);
    put_u16(&w, arp->op);
    put_bytes(&w, arp->sender_hw, ETHER_ADDR_LEN);
    put_bytes(&w, tlsyn_addr_octets(&arp->sender), IP4_ADDR_LEN);
    put_bytes(&w, arp->target_hw, ETHER_ADDR_LEN);
    put_bytes(&w, tlsyn_addr_octets(&arp->target), IP4_ADDR_LEN);
    return w.overrun ? -ENOSPC : ARP_LEN;
}
