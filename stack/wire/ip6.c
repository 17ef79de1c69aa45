/*
 * wire/ip6.c: the IPv6 header and its extensions. Read first: RFC 8200 3, 4; RFC 4443 3.4.
 *
 * The walk. Each extension header is at least eight octets long and lies inside of the datagram,
 * and no more than IP6_EXTENSIONS_MAX are taken: so it ends, and its work is bounded by the length
 * of the datagram. Hop-by-hop options stand directly behind the IPv6 header or not at all
 * (RFC 8200 4.1).
 */
#include "wire/ip6.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/icmp6.h"

#define OPTION_PAD1         0
#define OPTION_PADN         1
#define OPTION_ROUTER_ALERT 5 /* RFC 2711 */
#define FLOW_MASK           0xfffff
#define FRAGMENT_MF         1
#define FRAGMENT_MASK       0xfff8

int wire_ip6_parse_quoted(const uint8_t *bytes, size_t len, struct wire_ip6 *ip)
{
    struct reader r = reader_of(bytes, len);
    uint32_t first = get_u32(&r);

    ip->tos = (uint8_t)(first >> 20);
    ip->flow = first & FLOW_MASK;
    ip->payload_len = get_u16(&r);
    ip->next = get_u8(&r);
    ip->hop_limit = get_u8(&r);
    get_bytes(&r, ip->src.byte, sizeof(ip->src.byte));
    get_bytes(&r, ip->dst.byte, sizeof(ip->dst.byte));
    if (r.overrun)
        return -EMSGSIZE;
    if (first >> 28 != 6)
        return -EPROTONOSUPPORT;
    ip->payload = r.at;
    ip->payload_there = ip->payload_len < r.left ? ip->payload_len : (uint16_t)r.left;
    return 0;
}

int wire_ip6_parse(const uint8_t *bytes, size_t len, struct wire_ip6 *ip)
{
    int error = wire_ip6_parse_quoted(bytes, len, ip);

    if (error)
        return error;
    return ip->payload_there < ip->payload_len ? -EMSGSIZE : 0;
}

int wire_ip6_emit(const struct wire_ip6 *ip, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_u32(&w, 6u << 28 | (uint32_t)ip->tos << 20 | (ip->flow & FLOW_MASK));
    put_u16(&w, ip->payload_len);
    put_u8(&w, ip->next);
    put_u8(&w, ip->hop_limit);
    put_bytes(&w, ip->src.byte, sizeof(ip->src.byte));
    put_bytes(&w, ip->dst.byte, sizeof(ip->dst.byte));
    return w.overrun ? -ENOSPC : IP6_HEADER_LEN;
}

/* --- extension headers ------------------------------------------------------------------------ */

static int problem(struct wire_ip6_chain *chain, uint8_t code, size_t pointer)
{
    chain->problem = code;
    chain->problem_to_group = false;
    chain->problem_pointer = (uint16_t)pointer;
    return -EPROTO;
}

/* RFC 8200 4.2: what to do about an option that we don't know, by the two high bits of its type.
 * R8200-2 */
static int unknown_option(struct wire_ip6_chain *chain, uint8_t type, size_t at)
{
    switch (type >> 6) {
    case 0:
        return 0;
    case 1:
        return -EBADMSG;
    default:
        problem(chain, ICMP6_PROBLEM_OPTION, at);
        chain->problem_to_group = type >> 6 == 2;
        return -EPROTO;
    }
}

/* The options of a header, which are `len` octets at `bytes`, `at` octets behind the start of
 * the IPv6 header. */
static int walk_options(const uint8_t *bytes, size_t len, size_t at, struct wire_ip6_chain *chain)
{
    struct reader r = reader_of(bytes, len);

    while (r.left > 0) {
        size_t here = at + len - r.left;
        uint8_t type = get_u8(&r);
        int error = 0;

        if (type == OPTION_PAD1)
            continue;
        uint8_t option_len = get_u8(&r);
        get_skip(&r, option_len);
        if (r.overrun)
            return problem(chain, ICMP6_PROBLEM_FIELD, here + 1);
        if (type != OPTION_PADN && type != OPTION_ROUTER_ALERT)
            error = unknown_option(chain, type, here);
        if (error)
            return error;
    }
    return 0;
}

/* RFC 8200 4.4: a routing header whose segments are used up is skipped; type 0 (RFC 5095) and all
 * others are not for a host that isn't on their list. */
static int check_routing(const uint8_t *header, size_t at, struct wire_ip6_chain *chain)
{
    return header[3] == 0 ? 0 : problem(chain, ICMP6_PROBLEM_FIELD, at + 2);
}

static bool is_extension(uint8_t next)
{
    return next == IP6_HOP_BY_HOP || next == IP6_ROUTING || next == IP6_DESTINATION;
}

/* R8200-1 */
int wire_ip6_walk(const struct wire_ip6 *ip, struct wire_ip6_chain *chain)
{
    struct reader r = reader_of(ip->payload, ip->payload_there);
    uint8_t next = ip->next;
    size_t named_at = 6; /* the field that holds `next` */
    int count = 0, error = 0;

    for (; is_extension(next); count++) {
        size_t at = IP6_HEADER_LEN + ip->payload_there - r.left;
        const uint8_t *header = r.at;

        if (next == IP6_HOP_BY_HOP && count > 0)
            return problem(chain, ICMP6_PROBLEM_NEXT, named_at);
        if (count == IP6_EXTENSIONS_MAX)
            return -EBADMSG;
        if (r.left < 8 || !get_span(&r, 8 * ((size_t)header[1] + 1)))
            return -EMSGSIZE;
        if (next == IP6_ROUTING)
            error = check_routing(header, at, chain);
        else
            error = walk_options(header + 2, 8 * ((size_t)header[1] + 1) - 2, at + 2, chain);
        if (error)
            return error;
        next = header[0];
        named_at = at;
    }
    chain->protocol = next;
    chain->payload = r.at;
    chain->payload_len = (uint16_t)r.left;
    chain->protocol_at = (uint16_t)named_at;
    return 0;
}

int wire_ip6_fragment_parse(const uint8_t *bytes, size_t len, struct wire_ip6_fragment *fragment)
{
    struct reader r = reader_of(bytes, len);
    uint16_t offset;

    fragment->next = get_u8(&r);
    get_skip(&r, 1);
    offset = get_u16(&r);
    fragment->id = get_u32(&r);
    fragment->mf = offset & FRAGMENT_MF;
    fragment->offset = offset & FRAGMENT_MASK;
    return r.overrun ? -EMSGSIZE : 0;
}

int wire_ip6_fragment_emit(const struct wire_ip6_fragment *fragment, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_u8(&w, fragment->next);
    put_u8(&w, 0);
    put_u16(&w, (uint16_t)((fragment->offset & FRAGMENT_MASK) | (fragment->mf ? FRAGMENT_MF : 0)));
    put_u32(&w, fragment->id);
    return w.overrun ? -ENOSPC : IP6_FRAGMENT_LEN;
}

/* --- groups ----------------------------------------------------------------------------------- */

struct tlsyn_addr ip6_all_nodes(void)
{
    return (struct tlsyn_addr){.byte = {0xff, 2, [15] = 1}};
}

struct tlsyn_addr ip6_all_routers(void)
{
    return (struct tlsyn_addr){.byte = {0xff, 2, [15] = 2}};
}

struct tlsyn_addr ip6_solicited_node(const struct tlsyn_addr *addr)
{
    struct tlsyn_addr group = {.byte = {0xff, 2, [11] = 1, [12] = 0xff}};

    memcpy(group.byte + 13, addr->byte + 13, 3);
    return group;
}

void ip6_group_hwaddr(const struct tlsyn_addr *group, uint8_t hwaddr[6])
{
    hwaddr[0] = hwaddr[1] = 0x33;
    memcpy(hwaddr + 2, group->byte + 12, 4);
}
