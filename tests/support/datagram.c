/*
 * support/datagram.c: IP datagrams as octets.
 */
#include "support/datagram.h"

#include <stdlib.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

static struct tlsyn_addr addr_ending_in(bool ip6, uint8_t last)
{
    return ip6 ? (struct tlsyn_addr){{0xfd, 0x77, [15] = last}}
               : tlsyn_addr_ip4((const uint8_t[4]){10, 0, 0, last});
}

struct tlsyn_addr our_addr(bool ip6)
{
    return addr_ending_in(ip6, 1);
}

struct tlsyn_addr peer_addr(bool ip6)
{
    return addr_ending_in(ip6, 2);
}

size_t datagram_emit_header(const struct ip_datagram *d, uint8_t *bytes)
{
    struct wire_ip4 ip4 = {.src = d->src,
                           .dst = d->dst,
                           .ttl = d->ttl ? d->ttl : 64,
                           .tos = d->tos,
                           .protocol = d->protocol,
                           .total_len = (uint16_t)(IP4_HEADER_LEN + d->len)};
    struct wire_ip6 ip6 = {.src = d->src,
                           .dst = d->dst,
                           .hop_limit = d->ttl ? d->ttl : 255,
                           .tos = d->tos,
                           .next = d->protocol,
                           .payload_len = (uint16_t)d->len};

    return (size_t)(tlsyn_addr_is_ip4(&d->src) ? wire_ip4_emit(&ip4, bytes, IP4_HEADER_LEN)
                                               : wire_ip6_emit(&ip6, bytes, IP6_HEADER_LEN));
}

size_t datagram_emit(const struct ip_datagram *d, uint8_t *bytes)
{
    size_t header = datagram_emit_header(d, bytes);

    if (d->payload && d->len)
        memmove(bytes + header, d->payload, d->len);
    return header + d->len;
}

uint16_t datagram_checksum(const struct ip_datagram *d)
{
    struct checksum sum = {0};

    if (d->protocol != IP_PROTOCOL_ICMP)
        checksum_pseudo(&sum, &d->src, &d->dst, d->protocol, (uint32_t)d->len);
    checksum_add(&sum, d->payload, d->len);
    return checksum_finish(&sum);
}

size_t datagram_emit_tcp(const struct ip_datagram *d, const struct wire_tcp *segment,
                         const uint8_t *text, size_t text_len, uint8_t *bytes)
{
    struct ip_datagram whole = *d;
    uint8_t *at = bytes + (tlsyn_addr_is_ip4(&d->src) ? IP4_HEADER_LEN : IP6_HEADER_LEN);
    int header = wire_tcp_emit(segment, at, TCP_HEADER_MAX);

    if (header < 0)
        abort();
    if (text && text_len)
        memcpy(at + header, text, text_len);
    else
        memset(at + header, 0, text_len);
    whole.protocol = IP_PROTOCOL_TCP;
    whole.payload = at;
    whole.len = (size_t)header + text_len;
    struct writer w = writer_of(at + TCP_CHECKSUM_OFFSET, 2);
    put_u16(&w, datagram_checksum(&whole));
    return datagram_emit_header(&whole, bytes) + whole.len;
}

bool datagram_read(const uint8_t *bytes, size_t len, struct ip_datagram *d)
{
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;

    *d = (struct ip_datagram){0};
    if (len > 0 && bytes[0] >> 4 == 6) {
        if (wire_ip6_parse(bytes, len, &ip6) < 0)
            return false;
        *d = (struct ip_datagram){.src = ip6.src,
                                  .dst = ip6.dst,
                                  .protocol = ip6.next,
                                  .ttl = ip6.hop_limit,
                                  .tos = ip6.tos,
                                  .header = bytes,
                                  .payload = ip6.payload,
                                  .len = ip6.payload_len};
        return true;
    }
    if (wire_ip4_parse(bytes, len, &ip4) < 0 || !wire_ip4_checksum_good(bytes, ip4.header_len))
        return false;
    *d = (struct ip_datagram){.src = ip4.src,
                              .dst = ip4.dst,
                              .protocol = ip4.protocol,
                              .ttl = ip4.ttl,
                              .tos = ip4.tos,
                              .header = bytes,
                              .payload = ip4.payload,
                              .len = ip4.payload_len};
    return true;
}
