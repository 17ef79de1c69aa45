/*
 * wire/ndp.c: the messages of neighbour discovery. Read first: RFC 4861 4, and the lists of checks
 * in 6.1, 7.1 and 8.1.
 */
#include "wire/ndp.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/ip6.h"

enum ndp_option {
    OPTION_SOURCE_HW = 1,
    OPTION_TARGET_HW = 2,
    OPTION_PREFIX = 3,
    OPTION_MTU = 5,
};

#define UNIT              8 /* octets that an option's length counts in */
#define HW_OPTION_LEN     1 /* in units */
#define PREFIX_OPTION_LEN 4
#define MTU_OPTION_LEN    1

#define FLAG_ROUTER     0x80000000u
#define FLAG_SOLICITED  0x40000000u
#define FLAG_OVERRIDE   0x20000000u
#define FLAG_MANAGED    0x80
#define FLAG_OTHER      0x40
#define FLAG_ON_LINK    0x80
#define FLAG_AUTONOMOUS 0x40

static void get_addr(struct reader *r, struct tlsyn_addr *addr)
{
    get_bytes(r, addr->byte, sizeof(addr->byte));
}

static void put_addr(struct writer *w, const struct tlsyn_addr *addr)
{
    put_bytes(w, addr->byte, sizeof(addr->byte));
}

/* --- parse ------------------------------------------------------------------------------------ */

static void parse_prefix(struct reader *r, struct wire_ndp *ndp)
{
    struct ndp_prefix p;
    uint8_t flags;

    p.len = get_u8(r);
    flags = get_u8(r);
    p.on_link = flags & FLAG_ON_LINK;
    p.autonomous = flags & FLAG_AUTONOMOUS;
    p.valid = get_u32(r);
    p.preferred = get_u32(r);
    get_skip(r, 4);
    get_addr(r, &p.prefix);
    if (p.len <= 128 && ndp->prefix_count < NDP_PREFIXES_MAX)
        ndp->prefix[ndp->prefix_count++] = p;
}

static void parse_mtu(struct reader *r, struct wire_ndp *ndp)
{
    get_skip(r, 2);
    ndp->mtu = get_u32(r);
}

/* RFC 4861 4.6: each kind of message has its options; in others they are ignored. */
static void parse_option(uint8_t type, size_t units, struct reader *r, struct wire_ndp *ndp)
{
    bool advertises = ndp->type == ICMP6_ROUTER_ADVERTISEMENT;
    bool has_target = ndp->type == ICMP6_NEIGHBOUR_ADVERTISEMENT || ndp->type == ICMP6_REDIRECT;

    if (type == OPTION_SOURCE_HW && units == HW_OPTION_LEN && !has_target) {
        ndp->has_source_hw = true;
        get_bytes(r, ndp->source_hw, ETHER_ADDR_LEN);
    } else if (type == OPTION_TARGET_HW && units == HW_OPTION_LEN && has_target) {
        ndp->has_target_hw = true;
        get_bytes(r, ndp->target_hw, ETHER_ADDR_LEN);
    } else if (type == OPTION_PREFIX && units == PREFIX_OPTION_LEN && advertises) {
        parse_prefix(r, ndp);
    } else if (type == OPTION_MTU && units == MTU_OPTION_LEN && advertises) {
        parse_mtu(r, ndp);
    }
}

static int parse_options(struct reader *r, struct wire_ndp *ndp)
{
    while (r->left > 0) {
        uint8_t type = get_u8(r);
        size_t units = get_u8(r);
        const uint8_t *body = NULL;

        if (units > 0)
            body = get_span(r, units * UNIT - 2);
        if (r->overrun)
            return -EMSGSIZE;
        if (!body)
            return -EBADMSG;
        struct reader option = reader_of(body, units * UNIT - 2);
        parse_option(type, units, &option, ndp);
    }
    return 0;
}

static void parse_router(struct reader *r, struct wire_ndp *ndp, uint32_t word)
{
    ndp->hop_limit = (uint8_t)(word >> 24);
    ndp->managed = word >> 16 & FLAG_MANAGED;
    ndp->other = word >> 16 & FLAG_OTHER;
    ndp->lifetime = (uint16_t)word;
    ndp->reachable_ms = get_u32(r);
    ndp->retrans_ms = get_u32(r);
}

static void parse_body(struct reader *r, struct wire_ndp *ndp, uint32_t word)
{
    if (ndp->type == ICMP6_ROUTER_ADVERTISEMENT)
        parse_router(r, ndp, word);
    if (ndp->type >= ICMP6_NEIGHBOUR_SOLICITATION)
        get_addr(r, &ndp->target);
    if (ndp->type == ICMP6_REDIRECT)
        get_addr(r, &ndp->destination);
    if (ndp->type == ICMP6_NEIGHBOUR_ADVERTISEMENT) {
        ndp->router = word & FLAG_ROUTER;
        ndp->solicited = word & FLAG_SOLICITED;
        ndp->override = word & FLAG_OVERRIDE;
    }
}

int wire_ndp_parse(const uint8_t *bytes, size_t len, struct wire_ndp *ndp)
{
    struct reader r = reader_of(bytes, len);
    uint8_t code;
    uint32_t word;

    *ndp = (struct wire_ndp){.type = get_u8(&r)};
    code = get_u8(&r);
    get_skip(&r, 2); /* checksum */
    word = get_u32(&r);
    if (r.overrun)
        return -EMSGSIZE;
    if (ndp->type < ICMP6_ROUTER_SOLICITATION || ndp->type > ICMP6_REDIRECT)
        return -EPROTONOSUPPORT;
    parse_body(&r, ndp, word);
    if (r.overrun)
        return -EMSGSIZE;
    if (code != 0 || ip6_is_multicast(&ndp->target) || ip6_is_multicast(&ndp->destination))
        return -EBADMSG;
    return parse_options(&r, ndp);
}

/* --- emit ------------------------------------------------------------------------------------- */

static void put_hw(struct writer *w, uint8_t type, const uint8_t hw[ETHER_ADDR_LEN])
{
    put_u8(w, type);
    put_u8(w, HW_OPTION_LEN);
    put_bytes(w, hw, ETHER_ADDR_LEN);
}

static void put_prefix(struct writer *w, const struct ndp_prefix *p)
{
    put_u8(w, OPTION_PREFIX);
    put_u8(w, PREFIX_OPTION_LEN);
    put_u8(w, p->len);
    put_u8(w, (uint8_t)((p->on_link ? FLAG_ON_LINK : 0) | (p->autonomous ? FLAG_AUTONOMOUS : 0)));
    put_u32(w, p->valid);
    put_u32(w, p->preferred);
    put_u32(w, 0);
    put_addr(w, &p->prefix);
}

static void put_options(struct writer *w, const struct wire_ndp *ndp)
{
    if (ndp->has_source_hw)
        put_hw(w, OPTION_SOURCE_HW, ndp->source_hw);
    if (ndp->has_target_hw)
        put_hw(w, OPTION_TARGET_HW, ndp->target_hw);
    if (ndp->mtu) {
        put_u8(w, OPTION_MTU);
        put_u8(w, MTU_OPTION_LEN);
        put_u16(w, 0);
        put_u32(w, ndp->mtu);
    }
    for (int i = 0; i < ndp->prefix_count; i++)
        put_prefix(w, &ndp->prefix[i]);
}

static uint32_t word_of(const struct wire_ndp *ndp)
{
    uint32_t flags = (ndp->managed ? FLAG_MANAGED : 0u) | (ndp->other ? FLAG_OTHER : 0u);

    if (ndp->type == ICMP6_ROUTER_ADVERTISEMENT)
        return (uint32_t)ndp->hop_limit << 24 | flags << 16 | ndp->lifetime;
    if (ndp->type == ICMP6_NEIGHBOUR_ADVERTISEMENT)
        return (ndp->router ? FLAG_ROUTER : 0) | (ndp->solicited ? FLAG_SOLICITED : 0) |
               (ndp->override ? FLAG_OVERRIDE : 0);
    return 0;
}

int wire_ndp_emit(const struct wire_ndp *ndp, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_u8(&w, ndp->type);
    put_u8(&w, 0);
    put_u16(&w, 0);
    put_u32(&w, word_of(ndp));
    if (ndp->type == ICMP6_ROUTER_ADVERTISEMENT) {
        put_u32(&w, ndp->reachable_ms);
        put_u32(&w, ndp->retrans_ms);
    }
    if (ndp->type >= ICMP6_NEIGHBOUR_SOLICITATION)
        put_addr(&w, &ndp->target);
    if (ndp->type == ICMP6_REDIRECT)
        put_addr(&w, &ndp->destination);
    put_options(&w, ndp);
    return w.overrun ? -ENOSPC : (int)(w.at - bytes);
}
