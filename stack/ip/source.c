/*
 * ip/source.c: source address selection. Read first: RFC 6724 2.1, 3.1, 5.
 *
 * The rules that can tell addresses of one interface apart: 1 (the destination itself) never does,
 * as nobody sends to himself; 2, appropriate scope; 3, no deprecated address; 6, the same label; 8,
 * the longest common prefix.
 */
#include "ip/source.h"

#include "ip/ip.h"

enum scope {
    SCOPE_LINK = 2,
    SCOPE_GLOBAL = 14,
};

/* RFC 6724 3.1: that of a group is in it. */
static int scope_of(const struct tlsyn_addr *a)
{
    if (ip6_is_multicast(a))
        return a->byte[1] & 15;
    return ip6_is_link_local(a) ? SCOPE_LINK : SCOPE_GLOBAL;
}

/* RFC 6724 2.1: the default policy table, longest prefix first. */
static int label_of(const struct tlsyn_addr *a)
{
    static const struct {
        uint8_t prefix[4], bits, label;
    } table[] = {
        {{0x20, 0x01, 0, 0}, 32, 5},                                          /* Teredo */
        {{0x20, 0x02}, 16, 2},                                                /* 6to4 */
        {{0x3f, 0xfe}, 16, 12},      {{0xfe, 0xc0}, 10, 11}, {{0xfc}, 7, 13}, /* unique local */
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct tlsyn_addr prefix = {.byte = {0}};

        memcpy(prefix.byte, table[i].prefix, sizeof(table[i].prefix));
        if (route_prefix_matches(a, &prefix, table[i].bits))
            return table[i].label;
    }
    return 1;
}

static int common_prefix(const struct tlsyn_addr *a, const struct tlsyn_addr *b, int most)
{
    int bits = 0;

    while (bits < most && !((a->byte[bits / 8] ^ b->byte[bits / 8]) & 0x80 >> bits % 8))
        bits++;
    return bits;
}

/* True if `a` serves better than `b`, both of them usable. */
static bool is_better(const struct iface_address *a, const struct iface_address *b,
                      const struct tlsyn_addr *dst)
{
    int scope_a = scope_of(&a->addr), scope_b = scope_of(&b->addr);
    bool label_a = label_of(&a->addr) == label_of(dst),
         label_b = label_of(&b->addr) == label_of(dst);

    if (scope_a != scope_b) /* rule 2; neither is too small */
        return scope_a < scope_b;
    if (a->state != b->state) /* rule 3 */
        return a->state == TLSYN_ADDRESS_PREFERRED;
    if (label_a != label_b) /* rule 6 */
        return label_a;
    return common_prefix(&a->addr, dst, a->prefix_bits) > /* rule 8 */
           common_prefix(&b->addr, dst, b->prefix_bits);
}

const struct tlsyn_addr *source_select(const struct tlsyn_iface *iface,
                                       const struct tlsyn_addr *dst)
{
    const struct iface_address *best = NULL;

    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *a = &iface->address[i];

        if (tlsyn_addr_is_ip4(&a->addr) || !iface_address_usable(a) ||
            scope_of(&a->addr) < scope_of(dst)) /* no router takes it out of its scope */
            continue;
        if (!best || is_better(a, best, dst))
            best = a;
    }
    return best ? &best->addr : NULL;
}
