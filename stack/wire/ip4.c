/*
 * wire/ip4.c: the IPv4 header. Read first: RFC 791 3.1, RFC 1122 3.2.1.
 */
#include "wire/ip4.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/source_route.h"

#define FLAG_DF     0x4000
#define FLAG_MF     0x2000
#define OFFSET_MASK 0x1fff

static struct tlsyn_addr get_addr(struct reader *r)
{
    uint8_t octets[4];

    get_bytes(r, octets, sizeof(octets));
    return tlsyn_addr_ip4(octets);
}

int wire_ip4_parse_quoted(const uint8_t *bytes, size_t len, struct wire_ip4 *ip)
{
    struct reader r = reader_of(bytes, len);
    uint8_t version_ihl = get_u8(&r);
    uint16_t fragment;
    size_t payload_len;

    ip->header_len = (uint8_t)((version_ihl & 15) * 4);
    ip->tos = get_u8(&r);
    ip->total_len = get_u16(&r);
    ip->id = get_u16(&r);
    fragment = get_u16(&r);
    ip->ttl = get_u8(&r);
    ip->protocol = get_u8(&r);
    get_skip(&r, 2); /* checksum */
    ip->src = get_addr(&r);
    ip->dst = get_addr(&r);
    if (r.overrun)
        return -EMSGSIZE;
    if (version_ihl >> 4 != 4)
        return -EPROTONOSUPPORT;
    if (ip->header_len < IP4_HEADER_LEN || ip->total_len < ip->header_len)
        return -EBADMSG;
    get_skip(&r, (size_t)(ip->header_len - IP4_HEADER_LEN)); /* options (MUST-50) */
    if (r.overrun)
        return -EMSGSIZE;
    ip->df = fragment & FLAG_DF;
    ip->mf = fragment & FLAG_MF;
    ip->offset = (uint16_t)((fragment & OFFSET_MASK) * 8);
    ip->via = NULL;
    ip->payload = r.at;
    payload_len = (size_t)(ip->total_len - ip->header_len);
    ip->payload_len = (uint16_t)(payload_len < r.left ? payload_len : r.left);
    return 0;
}

int wire_ip4_parse(const uint8_t *bytes, size_t len, struct wire_ip4 *ip)
{
    int error = wire_ip4_parse_quoted(bytes, len, ip);

    if (error)
        return error;
    return ip->total_len > len ? -EMSGSIZE : 0;
}

bool wire_ip4_checksum_good(const uint8_t *bytes, uint8_t header_len)
{
    struct checksum sum = {0};

    checksum_add(&sum, bytes, header_len);
    return checksum_good(&sum);
}

struct tlsyn_addr wire_ip4_destination(const uint8_t *bytes, const struct wire_ip4 *ip)
{
    struct tlsyn_source_route route;

    if (wire_route_parse(bytes, ip->header_len, &route) != WIRE_ROUTE_UNDER_WAY)
        return ip->dst;
    return tlsyn_addr_ip4(route.hop[route.hops - 1]);
}

/* What the first word says besides the length: version, IHL, TOS. */
static uint16_t first_word(const struct wire_ip4 *ip, size_t header_len)
{
    return (uint16_t)((4u << 4 | header_len / 4) << 8 | ip->tos);
}

/** Worked out from the fields: reading back what was just written in small pieces would wait for
 * the store buffer. Only options are read. */
static uint16_t checksum_of(const struct wire_ip4 *ip, const struct tlsyn_addr *stop,
                            uint16_t fragment, const uint8_t *options, size_t options_len)
{
    struct checksum sum = {0};

    checksum_add_word(&sum, first_word(ip, IP4_HEADER_LEN + options_len));
    checksum_add_word(&sum, ip->total_len);
    checksum_add_word(&sum, ip->id);
    checksum_add_word(&sum, fragment);
    checksum_add_word(&sum, (uint16_t)(ip->ttl << 8 | ip->protocol));
    checksum_add(&sum, tlsyn_addr_octets(&ip->src), 4);
    checksum_add(&sum, tlsyn_addr_octets(stop), 4);
    checksum_add(&sum, options, options_len);
    return checksum_finish(&sum);
}

int wire_ip4_emit(const struct wire_ip4 *ip, uint8_t *bytes, size_t room)
{
    uint8_t options[IP4_HEADER_MAX - IP4_HEADER_LEN];
    struct writer o = writer_of(options, sizeof(options)), w = writer_of(bytes, room);
    unsigned flags = (ip->df ? FLAG_DF : 0u) | (ip->mf ? FLAG_MF : 0u);
    uint16_t fragment = (uint16_t)(flags | (ip->offset / 8u & OFFSET_MASK));
    struct tlsyn_addr stop = wire_route_first(ip->via, &ip->dst);
    size_t len = wire_route_len(ip->via);

    if (len > 0)
        wire_route_put(&o, ip->via, &ip->dst);
    put_u16(&w, first_word(ip, IP4_HEADER_LEN + len));
    put_u16(&w, ip->total_len);
    put_u16(&w, ip->id);
    put_u16(&w, fragment);
    put_u8(&w, ip->ttl);
    put_u8(&w, ip->protocol);
    put_u16(&w, checksum_of(ip, &stop, fragment, options, len));
    put_bytes(&w, tlsyn_addr_octets(&ip->src), 4);
    put_bytes(&w, tlsyn_addr_octets(&stop), 4);
    put_bytes(&w, options, len);
    return w.overrun || o.overrun ? -ENOSPC : (int)(IP4_HEADER_LEN + len);
}
