/*
 * ip/router.h: what routers tell a host: default routers, prefixes on the link, redirects. Read
 * first: RFC 4861 5.1, 6.3, 8.
 *
 * Bounds. limits.routers, limits.prefixes and limits.redirects entries for the whole stack. A
 * router or prefix for which there is no room is not taken: who was there first stays, so that a
 * flood of advertisements can't push out what works. Of redirects the oldest leaves. Advertisements
 * count on interfaces that tlsyn_iface_autoconf() was called for, and nowhere else.
 */
#ifndef TLSYN_IP_ROUTER_H
#define TLSYN_IP_ROUTER_H

#include "ip/iface.h"

#define ROUTER_SOLICITATIONS         3                /* RFC 4861 10: MAX_RTR_SOLICITATIONS */
#define ROUTER_SOLICITATION_INTERVAL TLSYN_SECONDS(4) /* RFC 4861 10 */

struct wire_ndp;
struct ip_hop;

/** A default router; a lifetime of the advertisement's is left. Owned by struct routers. */
struct router {
    struct list node;
    struct tlsyn_iface *iface;
    struct tlsyn_addr addr;
    struct timer timer;
};

struct routers {
    struct list list; /* the one to be tried first, first */
    struct list prefixes;
    struct list redirects; /* the oldest first */
    uint32_t count, prefix_count, redirect_count;
};

void routers_init(struct routers *routers);
void routers_release(struct ip *ip);

/** The interface's parts that are this file's. */
void router_init(struct tlsyn_iface *iface);
void router_release(struct tlsyn_iface *iface);

/** Asks for routers, up to ROUTER_SOLICITATIONS times, until one answers. */
void router_solicit(struct tlsyn_iface *iface);

/** Takes a valid advertisement. */
void router_advertised(struct tlsyn_iface *iface, const struct tlsyn_addr *src,
                       const struct wire_ndp *ndp);

/** Takes a redirect whose form is valid. */
void router_redirects(struct tlsyn_iface *iface, const struct tlsyn_addr *src,
                      const struct wire_ndp *ndp);

/** A neighbour says that it is no router (any more). */
void router_no_longer(struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** A neighbour does not answer: what goes through it looks for another way. */
void router_lost(struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** The default router to use now (RFC 4861 6.3.6); NULL: there is none. */
const struct router *router_choose(const struct ip *ip);

/** Where a redirect sends what goes to `dst`. False: there is none. */
bool router_redirected(const struct ip *ip, const struct tlsyn_addr *dst, struct ip_hop *hop);

#endif
