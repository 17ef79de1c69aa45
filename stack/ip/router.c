/*
 * ip/router.c: default routers, prefixes and redirects. See router.h. Read first: RFC 4861 6.3.4
 * to 6.3.7, 8.3.
 */
#include "ip/router.h"

#include "core/random.h"
#include "ip/autoconf.h"
#include "ip/ip.h"
#include "ip/ndp.h"
#include "wire/ndp.h"

/* A router that lies may make us ask every 100 ms at worst. */
#define RETRANS_MIN   TLSYN_MS(100)
#define RETRANS_MAX   TLSYN_SECONDS(60)
#define REACHABLE_MAX TLSYN_SECONDS(3600) /* RFC 4861 6.2.1 */

/* A prefix on the link, for which the routing table has an entry. */
struct prefix {
    struct list node;
    struct tlsyn_iface *iface;
    struct tlsyn_addr network;
    uint8_t bits;
    struct timer timer;
};

struct redirect {
    struct list node;
    struct tlsyn_iface *iface;
    struct tlsyn_addr dst, via;
};

/* --- default routers -------------------------------------------------------------------------- */

static struct router *router_find(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    list_each(it, &iface->ip->routers.list)
    {
        struct router *r = container_of(it, struct router, node);

        if (r->iface == iface && tlsyn_addr_eq(&r->addr, addr))
            return r;
    }
    return NULL;
}

static void router_remove(struct router *r)
{
    struct ip *ip = r->iface->ip;

    timer_clear(&ip->cx->wheel, &r->timer);
    list_remove(&r->node);
    ip->routers.count--;
    context_free(ip->cx, r);
}

static void router_timer_fired(struct timer *timer)
{
    router_remove(container_of(timer, struct router, timer));
}

static struct router *router_make(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    struct ip *ip = iface->ip;
    bool full = ip->routers.count >= ip->cx->limits.routers;
    struct router *r = full ? NULL : context_alloc(ip->cx, sizeof(*r));

    if (!r) {
        drop(ip->cx, full ? TLSYN_DROP_ndp_full : TLSYN_DROP_no_memory);
        return NULL;
    }
    r->iface = iface;
    r->addr = *addr;
    timer_init(&r->timer, router_timer_fired);
    list_append(&ip->routers.list, &r->node);
    ip->routers.count++;
    return r;
}

static void take_router(struct tlsyn_iface *iface, const struct tlsyn_addr *src, uint16_t lifetime)
{
    struct context *cx = iface->ip->cx;
    struct router *r = router_find(iface, src);

    if (lifetime == 0) {
        if (r)
            router_remove(r);
        return;
    }
    timer_clear(&cx->wheel, &iface->ip6.solicit_timer); /* RFC 4861 6.3.7: enough asked */
    if (!r)
        r = router_make(iface, src);
    if (r)
        timer_set(&cx->wheel, &r->timer, cx->now + TLSYN_SECONDS(lifetime));
}

/* RFC 4861 6.3.6: one that is reachable, or may be, before those that we know nothing of; of these
 * each in its turn: who does not answer goes to the end of the line. */
const struct router *router_choose(const struct ip *ip)
{
    list_each(it, &ip->routers.list)
    {
        const struct router *r = container_of(it, struct router, node);
        const struct neighbour *n = neigh_find(&ip->neigh, r->iface, &r->addr);

        if (n && neigh_is_resolved(n))
            return r;
    }
    return list_empty(&ip->routers.list) ? NULL
                                         : container_of(ip->routers.list.next, struct router, node);
}

/* --- prefixes --------------------------------------------------------------------------------- */

static struct prefix *prefix_find(const struct tlsyn_iface *iface, const struct ndp_prefix *p)
{
    list_each(it, &iface->ip->routers.prefixes)
    {
        struct prefix *k = container_of(it, struct prefix, node);

        if (k->iface == iface && k->bits == p->len &&
            route_prefix_matches(&k->network, &p->prefix, p->len))
            return k;
    }
    return NULL;
}

static void prefix_free(struct prefix *p)
{
    struct ip *ip = p->iface->ip;

    timer_clear(&ip->cx->wheel, &p->timer);
    list_remove(&p->node);
    ip->routers.prefix_count--;
    context_free(ip->cx, p);
}

static void prefix_remove(struct prefix *p)
{
    struct ip *ip = p->iface->ip;

    route_remove(&ip->routes, ip->cx, &p->network, p->bits);
    prefix_free(p);
}

static void prefix_timer_fired(struct timer *timer)
{
    prefix_remove(container_of(timer, struct prefix, timer));
}

static struct prefix *prefix_make(struct tlsyn_iface *iface, const struct ndp_prefix *advertised)
{
    struct ip *ip = iface->ip;
    struct route route = {
        .network = advertised->prefix, .prefix_bits = advertised->len, .iface = iface};
    bool full = ip->routers.prefix_count >= ip->cx->limits.prefixes;
    struct prefix *p = full ? NULL : context_alloc(ip->cx, sizeof(*p));

    if (!p) {
        drop(ip->cx, full ? TLSYN_DROP_ndp_full : TLSYN_DROP_no_memory);
        return NULL;
    }
    if (route_insert(&ip->routes, ip->cx, &route) <
        0) { /* the user's own serves already, as a rule */
        context_free(ip->cx, p);
        return NULL;
    }
    p->iface = iface;
    p->network = advertised->prefix;
    p->bits = advertised->len;
    timer_init(&p->timer, prefix_timer_fired);
    list_append(&ip->routers.prefixes, &p->node);
    ip->routers.prefix_count++;
    return p;
}

/* RFC 4861 6.3.4: the on-link half of a prefix; a prefix of length 0 would make all the world a
 * neighbour, and nobody means it. */
static void take_on_link(struct tlsyn_iface *iface, const struct ndp_prefix *advertised)
{
    struct context *cx = iface->ip->cx;
    struct prefix *p = prefix_find(iface, advertised);

    if (advertised->valid == 0 || advertised->len == 0) {
        if (p)
            prefix_remove(p);
        return;
    }
    if (!p)
        p = prefix_make(iface, advertised);
    if (p)
        timer_set(&cx->wheel, &p->timer,
                  advertised->valid == NDP_FOREVER ? TLSYN_NEVER
                                                   : cx->now + TLSYN_SECONDS(advertised->valid));
}

static void take_prefix(struct tlsyn_iface *iface, const struct ndp_prefix *p)
{
    if (ip6_is_link_local(&p->prefix) || ip6_is_multicast(&p->prefix) ||
        tlsyn_addr_is_ip4(&p->prefix))
        return;
    if (p->on_link)
        take_on_link(iface, p);
    if (p->autonomous)
        autoconf_prefix(iface, p);
}

/* --- advertisements --------------------------------------------------------------------------- */

static tlsyn_time clamp(uint32_t ms, tlsyn_time least, tlsyn_time most)
{
    tlsyn_time time = TLSYN_MS(ms);

    return time < least ? least : time > most ? most : time;
}

static void take_parameters(struct tlsyn_iface *iface, const struct wire_ndp *ndp)
{
    struct iface6 *ip6 = &iface->ip6;
    tlsyn_time base;

    if (ndp->hop_limit > 0)
        ip6->hop_limit = ndp->hop_limit;
    if (ndp->retrans_ms > 0)
        ip6->retrans_timer = clamp(ndp->retrans_ms, RETRANS_MIN, RETRANS_MAX);
    if (ndp->reachable_ms > 0 && ndp->reachable_ms != ip6->reachable_ms) {
        ip6->reachable_ms = ndp->reachable_ms;
        base = clamp(ndp->reachable_ms, RETRANS_MIN, REACHABLE_MAX);
        ip6->reachable_time = base / 2 + random_below(iface->ip->cx->random, (uint32_t)base);
    }
    if (ndp->mtu >= IP6_MTU_MIN && ndp->mtu <= iface->link->caps.mtu)
        ip6->mtu = (uint16_t)ndp->mtu;
}

void router_advertised(struct tlsyn_iface *iface, const struct tlsyn_addr *src,
                       const struct wire_ndp *ndp)
{
    if (!iface->ip6.autoconf)
        return;
    take_parameters(iface, ndp);
    if (ndp->has_source_hw)
        neigh_learn(&iface->ip->neigh, iface, src, ndp->source_hw, NEIGH_ASKED_US);
    take_router(iface, src, ndp->lifetime);
    for (int i = 0; i < ndp->prefix_count; i++)
        take_prefix(iface, &ndp->prefix[i]);
}

static void solicit_timer_fired(struct timer *timer)
{
    struct tlsyn_iface *iface = container_of(timer, struct tlsyn_iface, ip6.solicit_timer);
    struct context *cx = iface->ip->cx;

    ndp_solicit_routers(iface);
    if (--iface->ip6.solicitations_left > 0)
        timer_set(&cx->wheel, timer, cx->now + ROUTER_SOLICITATION_INTERVAL);
}

void router_solicit(struct tlsyn_iface *iface)
{
    iface->ip6.solicitations_left = ROUTER_SOLICITATIONS;
    solicit_timer_fired(&iface->ip6.solicit_timer);
}

/* --- redirects -------------------------------------------------------------------------------- */

static void redirect_remove(struct routers *routers, struct context *cx, struct redirect *r)
{
    list_remove(&r->node);
    routers->redirect_count--;
    context_free(cx, r);
}

static struct redirect *redirect_find(const struct ip *ip, const struct tlsyn_addr *dst)
{
    list_each(it, &ip->routers.redirects)
    {
        struct redirect *r = container_of(it, struct redirect, node);

        if (tlsyn_addr_eq(&r->dst, dst))
            return r;
    }
    return NULL;
}

static struct redirect *redirect_make(struct ip *ip, const struct tlsyn_addr *dst)
{
    struct routers *routers = &ip->routers;
    struct redirect *r;

    if (ip->cx->limits.redirects == 0)
        return NULL;
    if (routers->redirect_count >= ip->cx->limits.redirects)
        redirect_remove(routers, ip->cx,
                        container_of(list_first(&routers->redirects), struct redirect, node));
    r = context_alloc(ip->cx, sizeof(*r));
    if (!r) {
        drop(ip->cx, TLSYN_DROP_no_memory);
        return NULL;
    }
    r->dst = *dst;
    list_append(&routers->redirects, &r->node);
    routers->redirect_count++;
    return r;
}

/* RFC 4861 8.1: from the router that we would send to, to another router of the link or to the
 * destination itself. */
static bool may_redirect(const struct tlsyn_iface *iface, const struct tlsyn_addr *src,
                         const struct wire_ndp *ndp)
{
    struct ip_hop hop;

    return ip6_is_host(&ndp->destination) && ip6_is_host(&ndp->target) &&
           !ip_is_ours(iface->ip, &ndp->target) &&
           (ip6_is_link_local(&ndp->target) || tlsyn_addr_eq(&ndp->target, &ndp->destination)) &&
           ip_hop_find(iface->ip, NULL, &ndp->destination, &hop) && hop.iface == iface &&
           tlsyn_addr_eq(&hop.next, src);
}

void router_redirects(struct tlsyn_iface *iface, const struct tlsyn_addr *src,
                      const struct wire_ndp *ndp)
{
    struct redirect *r;

    if (!may_redirect(iface, src, ndp)) {
        drop(iface->ip->cx, TLSYN_DROP_ndp_invalid);
        return;
    }
    r = redirect_find(iface->ip, &ndp->destination);
    if (!r)
        r = redirect_make(iface->ip, &ndp->destination);
    if (!r)
        return;
    r->iface = iface;
    r->via = ndp->target;
    if (ndp->has_target_hw) /* RFC 4861 8.3 */
        neigh_learn(&iface->ip->neigh, iface, &ndp->target, ndp->target_hw, NEIGH_ASKED_US);
}

bool router_redirected(const struct ip *ip, const struct tlsyn_addr *dst, struct ip_hop *hop)
{
    const struct redirect *r = redirect_find(ip, dst);

    if (!r)
        return false;
    hop->iface = r->iface;
    hop->next = r->via;
    return true;
}

static void forget_redirects_via(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    struct routers *routers = &iface->ip->routers;

    list_each_safe(it, after, &routers->redirects)
    {
        struct redirect *r = container_of(it, struct redirect, node);

        if (r->iface == iface && tlsyn_addr_eq(&r->via, addr))
            redirect_remove(routers, iface->ip->cx, r);
    }
}

/* --- routers that are none, or are gone ------------------------------------------------------- */

void router_no_longer(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    struct router *r = router_find(iface, addr);

    if (!r) /* RFC 4861 7.2.5: only of one that was a router */
        return;
    router_remove(r);
    forget_redirects_via(iface, addr);
}

void router_lost(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    struct router *r = router_find(iface, addr);

    forget_redirects_via(iface, addr);
    if (!r)
        return;
    list_remove(&r->node);
    list_append(&iface->ip->routers.list, &r->node);
}

/* --- life ------------------------------------------------------------------------------------- */

void routers_init(struct routers *routers)
{
    list_init(&routers->list);
    list_init(&routers->prefixes);
    list_init(&routers->redirects);
}

void routers_release(struct ip *ip)
{
    struct routers *routers = &ip->routers;

    list_each_safe(it, after, &routers->list) router_remove(container_of(it, struct router, node));
    list_each_safe(at, then, &routers->prefixes) prefix_free(container_of(at, struct prefix, node));
    list_each_safe(on, next, &routers->redirects)
        redirect_remove(routers, ip->cx, container_of(on, struct redirect, node));
}

void router_init(struct tlsyn_iface *iface)
{
    timer_init(&iface->ip6.solicit_timer, solicit_timer_fired);
}

void router_release(struct tlsyn_iface *iface)
{
    timer_clear(&iface->ip->cx->wheel, &iface->ip6.solicit_timer);
}
