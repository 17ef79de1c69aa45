/*
 * support/middle.c: ICMP's "too big" of both families.
 */
#include "support/middle.h"

#include "support/must.h"
#include "wire/bytes.h"
#include "wire/ether.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define QUOTED 48 /* octets: IPv6's header and the first of TCP's */

/* Octets of the longest datagram of the frame; 0: neither family's. */
static size_t longest_in(const struct tlsyn_frame *frame, const struct wire_ether *ether)
{
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;

    if (frame->gso_type != TLSYN_GSO_NONE)
        return frame->hdr_len - (size_t)ETHER_HEADER_LEN + frame->gso_size;
    if (ether->type == ETHER_TYPE_IP4 &&
        wire_ip4_parse(ether->payload, ether->payload_len, &ip4) == 0)
        return ip4.total_len;
    if (ether->type == ETHER_TYPE_IP6 &&
        wire_ip6_parse(ether->payload, ether->payload_len, &ip6) == 0)
        return (size_t)IP6_HEADER_LEN + ip6.payload_len;
    return 0;
}

/* `quoted` is of a segment of so many octets, whatever the train had. */
static void set_length(uint8_t *quoted, uint16_t type, size_t length)
{
    bool ip4 = type == ETHER_TYPE_IP4;
    struct writer w = writer_of(quoted + (ip4 ? 2 : 4), 2);

    put_u16(&w, (uint16_t)(ip4 ? length : length - IP6_HEADER_LEN));
}

static size_t too_big4(const uint8_t *quoted, uint16_t mtu, uint8_t *ip)
{
    struct wire_icmp4 icmp = {.type = ICMP4_UNREACHABLE,
                              .code = ICMP4_FRAGMENTATION_NEEDED,
                              .mtu = mtu,
                              .payload = quoted,
                              .payload_len = QUOTED};
    size_t len = IP4_HEADER_LEN + ICMP4_HEADER_LEN + QUOTED;
    struct wire_ip4 lost, header;

    must(wire_ip4_parse_quoted(quoted, QUOTED, &lost) == 0);
    header = (struct wire_ip4){.src = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 99}),
                               .dst = lost.src,
                               .ttl = 64,
                               .protocol = 1,
                               .total_len = (uint16_t)len};
    wire_ip4_emit(&header, ip, IP4_HEADER_LEN);
    wire_icmp4_emit(&icmp, ip + IP4_HEADER_LEN, len - IP4_HEADER_LEN);
    return len;
}

static size_t too_big6(const uint8_t *quoted, uint16_t mtu, uint8_t *ip)
{
    struct wire_icmp6 icmp = {
        .type = ICMP6_PACKET_TOO_BIG, .mtu = mtu, .payload = quoted, .payload_len = QUOTED};
    size_t len = ICMP6_HEADER_LEN + QUOTED;
    struct wire_ip6 lost, header;

    must(wire_ip6_parse_quoted(quoted, QUOTED, &lost) == 0);
    header = (struct wire_ip6){.src = lost.dst, /* any router's would do */
                               .dst = lost.src,
                               .next = IP6_ICMP,
                               .hop_limit = 64,
                               .payload_len = (uint16_t)len};
    wire_ip6_emit(&header, ip, IP6_HEADER_LEN);
    wire_icmp6_emit(&icmp, ip + IP6_HEADER_LEN, len);
    wire_icmp6_checksum(&header.src, &header.dst, ip + IP6_HEADER_LEN, len);
    return IP6_HEADER_LEN + len;
}

size_t middle_stops(const struct tlsyn_frame *frame, uint16_t mtu, uint8_t reply[MIDDLE_REPLY_MAX])
{
    struct wire_ether ether, back;
    uint8_t quoted[QUOTED];
    size_t length;

    if (wire_ether_parse(frame->iov[0].iov_base, frame->iov[0].iov_len, &ether) < 0)
        return 0;
    length = longest_in(frame, &ether);
    if (length <= mtu || ether.payload_len < QUOTED)
        return 0;
    memcpy(quoted, ether.payload, QUOTED);
    set_length(quoted, ether.type, length);
    back.type = ether.type;
    memcpy(back.dst, ether.src, sizeof(back.dst));
    memcpy(back.src, ether.dst, sizeof(back.src));
    wire_ether_emit(&back, reply, ETHER_HEADER_LEN);
    return ETHER_HEADER_LEN + (ether.type == ETHER_TYPE_IP4 ? too_big4 : too_big6)(
                                  quoted, mtu, reply + ETHER_HEADER_LEN);
}
