/*
 * loop/resolver_sort.c: destination address selection. Read first: RFC 6724 6.
 *
 * Whether there is a route, and which source would be used, the stack says itself: a UDP endpoint
 * is connected to each address in turn, which sends nothing.
 */
#include "loop/resolver_sort.h"

#include <stdlib.h>

#include <tlsyn/udp.h>

#define SORTED_MAX 32

struct candidate {
    struct tlsyn_addr addr;
    bool usable, same_scope;
    int precedence, scope;
    size_t place; /* before sorting */
};

/* RFC 6724 2.1: the policy table's precedence column. */
static const struct policy {
    uint8_t prefix[16];
    int bytes, precedence;
} policies[] = {
    {{[15] = 1}, 16, 50},                 /* ::1 */
    {{[10] = 0xff, [11] = 0xff}, 12, 35}, /* IPv4 */
    {{0x20, 0x01, 0, 0}, 4, 5},           /* Teredo */
    {{0x20, 0x02}, 2, 30},                /* 6to4 */
    {{0xfc}, 1, 3},
    {{0xfd}, 1, 3}, /* unique local */
    {{0}, 0, 40},   /* all others */
};

static int precedence_of(const struct tlsyn_addr *addr)
{
    const struct policy *p = policies;

    while (memcmp(p->prefix, addr->byte, (size_t)p->bytes) != 0)
        p++;
    return p->precedence;
}

/* RFC 6724 3.1, 3.2: 2 link-local, 14 global. */
static int scope_of(const struct tlsyn_addr *addr)
{
    const uint8_t *ip4 = tlsyn_addr_octets(addr);

    if (tlsyn_addr_is_ip4(addr))
        return ip4[0] == 127 || (ip4[0] == 169 && ip4[1] == 254) ? 2 : 14;
    if (addr->byte[0] == 0xfe)
        return (addr->byte[1] & 0xc0) == 0x80 ? 2 : 5;
    return precedence_of(addr) == 50 ? 2 : 14;
}

static int by_rules(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->usable != b->usable)
        return a->usable ? -1 : 1;
    if (a->same_scope != b->same_scope)
        return a->same_scope ? -1 : 1;
    if (a->precedence != b->precedence)
        return a->precedence > b->precedence ? -1 : 1;
    if (a->scope != b->scope)
        return a->scope < b->scope ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

static void examine(struct tlsyn_udp *probe, struct candidate *c)
{
    const struct tlsyn_endpoint remote = {.addr = c->addr, .port = 1};
    struct tlsyn_udp_info info;

    c->precedence = precedence_of(&c->addr);
    c->scope = scope_of(&c->addr);
    c->usable = tlsyn_udp_connect(probe, &remote) == 0;
    if (!c->usable)
        return;
    tlsyn_udp_info(probe, &info);
    c->same_scope = scope_of(&info.local.addr) == c->scope;
    tlsyn_udp_connect(probe, NULL);
}

void resolver_sort(struct tlsyn_stack *stack, struct tlsyn_addr *addrs, size_t n)
{
    static const struct tlsyn_udp_events none;
    struct tlsyn_udp_handler handler = {.events = &none};
    const struct tlsyn_udp_options options = {0};
    struct candidate candidate[SORTED_MAX];
    struct tlsyn_udp *probe = NULL;

    if (n < 2 || n > SORTED_MAX || tlsyn_udp_open(stack, &options, &handler, &probe) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        candidate[i] = (struct candidate){.addr = addrs[i], .place = i};
        examine(probe, &candidate[i]);
    }
    tlsyn_udp_close(probe);
    qsort(candidate, n, sizeof(candidate[0]), by_rules);
    for (size_t i = 0; i < n; i++)
        addrs[i] = candidate[i].addr;
}
