/*
 * ip/neigh.c: the neighbour cache. The states, their picture and the bounds: neigh.h. Read
 * first: RFC 4861 7.3.
 */
#include "ip/neigh.h"

#include "core/random.h"
#include "ip/arp.h"
#include "ip/iface.h"
#include "ip/ndp.h"
#include "ip/router.h"

struct neigh_key {
    uint32_t iface;
    struct tlsyn_addr addr;
};

static uint64_t neigh_hash(const struct neigh_cache *cache, const struct tlsyn_iface *iface,
                           const struct tlsyn_addr *addr)
{
    struct neigh_key key = {.iface = iface->index, .addr = *addr};

    return siphash(&cache->key, &key, sizeof(key));
}

static bool neigh_same(const struct table_node *node, const void *key)
{
    const struct neighbour *n = (const void *)node; /* its first member */
    const struct neigh_key *k = key;

    return n->iface->index == k->iface && tlsyn_addr_eq(&n->addr, &k->addr);
}

void neigh_init(struct neigh_cache *cache, struct context *cx)
{
    *cache = (struct neigh_cache){.cx = cx};
    table_init(&cache->table, cx->limits.neighbours);
    cx->random->fill(cx->random, &cache->key, sizeof(cache->key));
    list_init(&cache->resolved);
    list_init(&cache->unresolved);
    list_init(&cache->answered);
    list_init(&cache->failed);
    /* RFC 4861 6.3.2: uniform between MIN_RANDOM_FACTOR and MAX_RANDOM_FACTOR, 0.5 and 1.5 */
    cache->reachable_time =
        NEIGH_REACHABLE_TIME / 2 + random_below(cx->random, (uint32_t)NEIGH_REACHABLE_TIME);
}

/* --- an entry's life -------------------------------------------------------------------------- */

/* Moves an entry to the end of its line: it was used just now. */
static void neigh_touch(struct neighbour *n)
{
    struct neigh_cache *cache = n->cache;

    list_remove(&n->age);
    list_append(neigh_is_resolved(n) ? &cache->resolved : &cache->unresolved, &n->age);
}

/* The only writer of `state` after the entry was made. */
static void neigh_set_state(struct neighbour *n, enum neigh_state state)
{
    struct neigh_cache *cache = n->cache;
    bool was_resolved = neigh_is_resolved(n);

    n->state = (uint8_t)state;
    n->probes = 0;
    timer_clear(&cache->cx->wheel, &n->timer);
    if (!was_resolved && neigh_is_resolved(n)) { /* never the other way: it is removed then */
        cache->unresolved_count--;
        neigh_touch(n);
    }
    TRACE(cache->cx, neigh, 0, state);
}

static void neigh_remove(struct neighbour *n, enum tlsyn_drop reason)
{
    struct neigh_cache *cache = n->cache;

    held_drop_all(cache->cx, &n->queue, reason);
    timer_clear(&cache->cx->wheel, &n->timer);
    if (!neigh_is_resolved(n))
        cache->unresolved_count--;
    list_remove(&n->age);
    list_remove(&n->waiting);
    table_remove(&cache->table, &n->node);
    context_free(cache->cx, n);
}

void neigh_release(struct neigh_cache *cache)
{
    struct list *lines[] = {&cache->resolved, &cache->unresolved};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        list_each_safe(it, after, lines[i])
        {
            struct neighbour *n = container_of(it, struct neighbour, age);

            held_release(cache->cx, &n->queue);
            neigh_remove(n, TLSYN_DROP_neigh_failed);
        }
    }
    table_release(&cache->table, cache->cx->alloc);
}

static void neigh_solicit(struct neighbour *n)
{
    const uint8_t *hwaddr = n->state == NEIGH_PROBE ? n->hwaddr : NULL;
    bool ip4 = tlsyn_addr_is_ip4(&n->addr);

    n->probes++;
    if (ip4)
        arp_request(n->iface, &n->addr, hwaddr);
    else
        ndp_solicit(n->iface, &n->addr, hwaddr);
    timer_set(&n->cache->cx->wheel, &n->timer,
              n->cache->cx->now + (ip4 ? NEIGH_RETRANS_TIMER : n->iface->ip6.retrans_timer));
}

static void neigh_fail(struct neighbour *n)
{
    struct neigh_cache *cache = n->cache;

    router_lost(n->iface, &n->addr);
    neigh_set_state(n, NEIGH_FAILED);
    if (n->queue.count > 0)
        list_append(&cache->failed, &n->waiting);
    timer_set(&cache->cx->wheel, &n->timer, cache->cx->now + NEIGH_FAILED_TIME);
}

/* RFC 4861 7.3.3, appendix C: the retransmit timer, and the ends of DELAY and FAILED. */
static void neigh_timer_fired(struct timer *timer)
{
    struct neighbour *n = container_of(timer, struct neighbour, timer);

    switch ((enum neigh_state)n->state) {
    case NEIGH_INCOMPLETE:
        if (n->probes < NEIGH_MAX_SOLICIT)
            neigh_solicit(n);
        else
            neigh_fail(n);
        break;
    case NEIGH_DELAY:
        neigh_set_state(n, NEIGH_PROBE);
        neigh_solicit(n);
        break;
    case NEIGH_PROBE:
        if (n->probes < NEIGH_MAX_SOLICIT) {
            neigh_solicit(n);
        } else {
            router_lost(n->iface, &n->addr);
            neigh_remove(n, TLSYN_DROP_neigh_failed);
        }
        break;
    case NEIGH_FAILED:
        neigh_remove(n, TLSYN_DROP_neigh_failed);
        break;
    case NEIGH_REACHABLE:
    case NEIGH_STALE:
        break;
    }
}

/* Makes room by one entry. False: `for_use` is not given and all entries are in use, or
 * the bound is 0. */
static bool neigh_evict(struct neigh_cache *cache, bool for_use)
{
    bool crowded = cache->unresolved_count > cache->table.max / 2;
    struct list *first = list_first(crowded ? &cache->unresolved : &cache->resolved);
    struct neighbour *n;

    if (!first)
        first = list_first(crowded ? &cache->resolved : &cache->unresolved);
    if (!first)
        return false;
    n = container_of(first, struct neighbour, age);
    if (!for_use && n->used)
        return false;
    neigh_remove(n, TLSYN_DROP_neigh_full);
    return true;
}

static struct neighbour *neigh_make(struct neigh_cache *cache, struct tlsyn_iface *iface,
                                    const struct tlsyn_addr *addr, enum neigh_state state)
{
    bool for_use = state == NEIGH_INCOMPLETE;
    struct neighbour *n;

    if (cache->table.count >= cache->table.max && !neigh_evict(cache, for_use)) {
        drop(cache->cx, TLSYN_DROP_neigh_full);
        return NULL;
    }
    n = context_alloc(cache->cx, sizeof(*n));
    if (!n ||
        table_add(&cache->table, cache->cx->alloc, &n->node, neigh_hash(cache, iface, addr)) < 0) {
        context_free(cache->cx, n);
        drop(cache->cx, TLSYN_DROP_no_memory);
        return NULL;
    }
    n->cache = cache;
    n->iface = iface;
    n->addr = *addr;
    n->state = (uint8_t)state;
    n->used = for_use;
    timer_init(&n->timer, neigh_timer_fired);
    held_queue_init(&n->queue);
    list_init(&n->age);
    list_init(&n->waiting);
    if (for_use) {
        cache->unresolved_count++;
        list_append(&cache->unresolved, &n->age);
    } else {
        list_insert_before(cache->resolved.next, &n->age); /* first in line to leave */
    }
    TRACE(cache->cx, neigh, 0, state);
    return n;
}

/* --- use -------------------------------------------------------------------------------------- */

struct neighbour *neigh_find(const struct neigh_cache *cache, const struct tlsyn_iface *iface,
                             const struct tlsyn_addr *addr)
{
    struct neigh_key key = {.iface = iface->index, .addr = *addr};
    struct table_node *node =
        table_find(&cache->table, neigh_hash(cache, iface, addr), neigh_same, &key);

    return node ? container_of(node, struct neighbour, node) : NULL;
}

static tlsyn_time reachable_time(const struct neighbour *n)
{
    return tlsyn_addr_is_ip4(&n->addr) ? n->cache->reachable_time : n->iface->ip6.reachable_time;
}

/* R1122-8 */
struct neighbour *neigh_resolve(struct neigh_cache *cache, struct tlsyn_iface *iface,
                                const struct tlsyn_addr *addr)
{
    struct neighbour *n = neigh_find(cache, iface, addr);

    if (!n) {
        n = neigh_make(cache, iface, addr, NEIGH_INCOMPLETE);
        if (n)
            neigh_solicit(n);
        return n;
    }
    n->used = true;
    neigh_touch(n);
    if (n->state == NEIGH_REACHABLE && cache->cx->now - n->confirmed > reachable_time(n))
        neigh_set_state(n, NEIGH_STALE);
    if (n->state == NEIGH_STALE) {
        neigh_set_state(n, NEIGH_DELAY);
        timer_set(&cache->cx->wheel, &n->timer, cache->cx->now + NEIGH_DELAY_FIRST_PROBE);
    }
    return n;
}

/* R1122-9, R4861-2: the last one is kept, whatever its length. */
void neigh_hold(struct neighbour *n, struct held *h)
{
    struct context *cx = n->cache->cx;

    held_push(&n->queue, h);
    while (n->queue.bytes > cx->limits.neighbour_queue_bytes && n->queue.count > 1) {
        held_free(cx, held_pop(&n->queue));
        drop(cx, TLSYN_DROP_neigh_queue_full);
    }
}

void neigh_confirm(struct neighbour *n)
{
    if (!neigh_is_resolved(n))
        return;
    n->confirmed = n->cache->cx->now;
    if (n->state != NEIGH_REACHABLE)
        neigh_set_state(n, NEIGH_REACHABLE);
}

void neigh_doubt(struct neighbour *n)
{
    if (n->state == NEIGH_REACHABLE)
        neigh_set_state(n, NEIGH_STALE);
}

/* --- what neighbours say ---------------------------------------------------------------------- */

/* True if this may be the answer to a request of ours: only then does it prove that the
 * neighbour hears us. */
static bool neigh_has_asked(const struct neighbour *n)
{
    return n->probes > 0 && (n->state == NEIGH_INCOMPLETE || n->state == NEIGH_PROBE);
}

static void neigh_send_waiting(struct neighbour *n)
{
    list_remove(&n->waiting); /* it may have waited to be reported */
    if (n->queue.count > 0)
        list_append(&n->cache->answered, &n->waiting);
}

/*
 * RFC 4861 7.2.3 and 7.2.5, in ARP's terms. Whatever was not asked for leaves the entry STALE, so
 * that its next use is followed by a probe: a lie lasts for seconds, not for ever.
 */
void neigh_learn(struct neigh_cache *cache, struct tlsyn_iface *iface,
                 const struct tlsyn_addr *addr, const uint8_t hwaddr[ETHER_ADDR_LEN],
                 enum neigh_evidence evidence)
{
    struct neighbour *n = neigh_find(cache, iface, addr);
    bool answers, changes;

    if (!n && evidence == NEIGH_ASKED_US)
        n = neigh_make(cache, iface, addr, NEIGH_STALE);
    if (!n)
        return;
    answers = evidence == NEIGH_ANSWERED && neigh_has_asked(n);
    changes = !neigh_is_resolved(n) || memcmp(n->hwaddr, hwaddr, sizeof(n->hwaddr)) != 0;
    memcpy(n->hwaddr, hwaddr, sizeof(n->hwaddr));
    if (answers) {
        n->confirmed = cache->cx->now;
        neigh_set_state(n, NEIGH_REACHABLE);
    } else if (changes && n->state != NEIGH_STALE) {
        neigh_set_state(n, NEIGH_STALE);
    }
    neigh_send_waiting(n);
}

void neigh_advertised(struct neigh_cache *cache, struct tlsyn_iface *iface,
                      const struct tlsyn_addr *addr, const uint8_t *hwaddr, int flags)
{
    struct neighbour *n = neigh_find(cache, iface, addr);
    bool answers, changes;

    if (!n || (!hwaddr && !neigh_is_resolved(n)))
        return;
    answers = flags & NEIGH_SOLICITED && neigh_has_asked(n);
    changes = hwaddr && (!neigh_is_resolved(n) || memcmp(n->hwaddr, hwaddr, ETHER_ADDR_LEN) != 0);
    if (changes && neigh_is_resolved(n) && !(flags & NEIGH_OVERRIDE)) {
        if (n->state == NEIGH_REACHABLE) /* one of the two is wrong: the next use finds out */
            neigh_set_state(n, NEIGH_STALE);
        return;
    }
    if (hwaddr)
        memcpy(n->hwaddr, hwaddr, ETHER_ADDR_LEN);
    if (answers) {
        n->confirmed = cache->cx->now;
        neigh_set_state(n, NEIGH_REACHABLE);
    } else if (changes) {
        neigh_set_state(n, NEIGH_STALE);
    }
    neigh_send_waiting(n);
}

static struct held *neigh_take(struct list *line, struct neighbour **from)
{
    struct list *first = list_first(line);
    struct neighbour *n;
    struct held *h;

    if (!first)
        return NULL;
    n = container_of(first, struct neighbour, waiting);
    h = held_pop(&n->queue);
    if (n->queue.count == 0)
        list_remove(&n->waiting);
    *from = n;
    return h;
}

struct held *neigh_take_answered(struct neigh_cache *cache)
{
    struct neighbour *n;
    struct held *h = neigh_take(&cache->answered, &n);

    if (h)
        memcpy(h->bytes, n->hwaddr,
               sizeof(n->hwaddr)); /* the destination stands first in the header */
    return h;
}

struct held *neigh_take_failed(struct neigh_cache *cache)
{
    struct neighbour *n;

    return neigh_take(&cache->failed, &n);
}
