/*
 * wire/ip4.c: the IPv4 header. Read first: RFC 791 3.1, RFC 1122 3.2.1.
 */
#include "wire/ip4.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"

#define OPTION_END          0
#define OPTION_NOP          1
#define OPTION_LOOSE_ROUTE  131
#define OPTION_STRICT_ROUTE 137

#define FLAG_DF     0x4000
#define FLAG_MF     0x2000
#define OFFSET_MASK 0x1fff
#define VERSION_IHL (4 << 4 | IP4_HEADER_LEN / 4) /* what we emit: no options */

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

/* RFC 791 3.1. What comes behind an option without a possible length is not looked at. (R7126-1) */
bool wire_ip4_has_source_route(const uint8_t *bytes, uint8_t header_len)
{
    struct reader r = reader_of(bytes + IP4_HEADER_LEN, (size_t)header_len - IP4_HEADER_LEN);

    while (r.left > 0) {
        uint8_t type = get_u8(&r), len;

        if (type == OPTION_END)
            break;
        if (type == OPTION_NOP)
            continue;
        if (type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE)
            return true;
        len = get_u8(&r);
        if (len < 2)
            break;
        get_skip(&r, len - 2u);
    }
    return false;
}

/** Worked out from the fields: reading back what was just written in small pieces would wait for
 * the store buffer. */
static uint16_t checksum_of(const struct wire_ip4 *ip, uint16_t fragment)
{
    struct checksum sum = {0};

    checksum_add_word(&sum, (uint16_t)(VERSION_IHL << 8 | ip->tos));
    checksum_add_word(&sum, ip->total_len);
    checksum_add_word(&sum, ip->id);
    checksum_add_word(&sum, fragment);
    checksum_add_word(&sum, (uint16_t)(ip->ttl << 8 | ip->protocol));
    checksum_add(&sum, tlsyn_addr_octets(&ip->src), 4);
    checksum_add(&sum, tlsyn_addr_octets(&ip->dst), 4);
    return checksum_finish(&sum);
}

int wire_ip4_emit(const struct wire_ip4 *ip, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);
    unsigned flags = (ip->df ? FLAG_DF : 0u) | (ip->mf ? FLAG_MF : 0u);
    uint16_t fragment = (uint16_t)(flags | (ip->offset / 8u & OFFSET_MASK));

    put_u8(&w, VERSION_IHL);
    put_u8(&w, ip->tos);
    put_u16(&w, ip->total_len);
    put_u16(&w, ip->id);
    put_u16(&w, fragment);
    put_u8(&w, ip->ttl);
    put_u8(&w, ip->protocol);
    put_u16(&w, checksum_of(ip, fragment));
    put_bytes(&w, tlsyn_addr_octets(&ip->src), 4);
    put_bytes(&w, tlsyn_addr_octets(&ip->dst), 4);
    return w.overrun ? -ENOSPC : IP4_HEADER_LEN;
}
