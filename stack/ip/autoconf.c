/*
 * ip/autoconf.c: stateless address autoconfiguration. Read first: RFC 4862 5.5.3,
 * RFC 7217 5, RFC 5453.
 */
#include "ip/autoconf.h"

#include <assert.h>

#include "core/random.h"
#include "ip/address6.h"
#include "ip/ip.h"
#include "ip/router.h"

/* RFC 4291 2.5.1: identifiers have 64 bits, and RFC 4862 5.5.3 (d) the rest. */
#define PREFIX_LEN 64
#define TWO_HOURS  TLSYN_SECONDS(2 * 3600) /* RFC 4862 5.5.3 (e) */

struct identifier_of {
    uint8_t prefix[8];
    uint8_t hwaddr[ETHER_ADDR_LEN];
    uint8_t times;
    uint8_t reserved; /* identifiers made before that are not to be used */
};

/* RFC 5453 3: anycast groups of the subnet's routers, and others; 02-00-5e-ff-fe is the IANA's
 * own. */
static bool is_reserved(const uint8_t id[8])
{
    static const uint8_t routers[8], anycast[7] = {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t iana[5] = {0x02, 0x00, 0x5e, 0xff, 0xfe};

    return memcmp(id, routers, 8) == 0 || (memcmp(id, anycast, 7) == 0 && id[7] >= 0x80) ||
           memcmp(id, iana, 5) == 0;
}

void autoconf_identifier(const struct tlsyn_iface *iface, uint8_t times, struct tlsyn_addr *addr)
{
    struct identifier_of of = {.times = times};

    memcpy(of.prefix, addr->byte, sizeof(of.prefix));
    memcpy(of.hwaddr, iface->link->caps.hwaddr, sizeof(of.hwaddr));
    do {
        uint64_t id = siphash(&iface->ip6.secret, &of, sizeof(of));

        for (int i = 0; i < 8; i++)
            addr->byte[8 + i] = (uint8_t)(id >> 8 * (7 - i));
        of.reserved++;
    } while (is_reserved(addr->byte + 8));
}

static tlsyn_time later(tlsyn_time now, uint32_t seconds)
{
    return seconds == NDP_FOREVER ? TLSYN_NEVER : now + TLSYN_SECONDS(seconds);
}

static struct iface_address *find_learned(struct tlsyn_iface *iface,
                                          const struct tlsyn_addr *prefix)
{
    for (unsigned i = 0; i < iface->address_count; i++) {
        struct iface_address *a = &iface->address[i];

        if (a->learned && route_prefix_matches(&a->addr, prefix, PREFIX_LEN))
            return a;
    }
    return NULL;
}

/* RFC 4862 5.5.3 (e): anybody on the link can say that an address has no time left; so much it
 * keeps at least. */
static void prolong(struct tlsyn_iface *iface, struct iface_address *a, const struct ndp_prefix *p)
{
    tlsyn_time now = iface->ip->cx->now;
    tlsyn_time valid = later(now, p->valid), least = now + TWO_HOURS;

    a->preferred_until = later(now, p->preferred);
    if (valid > least || valid > a->valid_until)
        a->valid_until = valid;
    else if (a->valid_until > least)
        a->valid_until = least;
    address6_prolonged(iface, a);
}

void autoconf_prefix(struct tlsyn_iface *iface, const struct ndp_prefix *p)
{
    struct context *cx = iface->ip->cx;
    struct iface_address *a = find_learned(iface, &p->prefix);
    struct address6 add = {
        .addr = p->prefix,
        .prefix_bits = PREFIX_LEN,
        .made = true,
        .learned = true,
        .preferred_until = later(cx->now, p->preferred),
        .valid_until = later(cx->now, p->valid),
    };

    if (p->preferred > p->valid || p->len != PREFIX_LEN)
        return;
    if (a) {
        prolong(iface, a, p);
        return;
    }
    if (p->valid == 0)
        return;
    autoconf_identifier(iface, 0, &add.addr);
    if (iface_find_address(iface, &add.addr))
        return; /* the user gave the same one */
    add.delay = random_below(cx->random, (uint32_t)ADDRESS6_DELAY_MAX);
    if (address6_add(iface, &add) < 0)
        drop(cx, TLSYN_DROP_ndp_full);
}

int tlsyn_iface_autoconf(struct tlsyn_iface *iface, const uint8_t secret[TLSYN_AUTOCONF_SECRET])
{
    int error;

    static_assert(sizeof(iface->ip6.secret) == TLSYN_AUTOCONF_SECRET, "all of the key");
    if (secret && !iface->ip6.on)
        memcpy(&iface->ip6.secret, secret, sizeof(iface->ip6.secret));
    error = address6_enable(iface);
    if (error < 0)
        return error;
    iface->ip6.autoconf = true;
    router_solicit(iface);
    return 0;
}
