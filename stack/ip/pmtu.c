/*
 * ip/pmtu.c: the cache of path MTUs. See pmtu.h.
 */
#include "ip/pmtu.h"

struct pmtu {
    struct table_node node;
    struct list age;
    struct tlsyn_addr dst;
    uint16_t mtu;
    tlsyn_time until;
};

void pmtus_init(struct pmtus *pmtus, struct context *cx)
{
    *pmtus = (struct pmtus){.cx = cx};
    table_init(&pmtus->table, cx->limits.path_mtus);
    list_init(&pmtus->oldest);
    cx->random->fill(cx->random, &pmtus->key, sizeof(pmtus->key));
}

static void forget(struct pmtus *pmtus, struct pmtu *p)
{
    table_remove(&pmtus->table, &p->node);
    list_remove(&p->age);
    context_free(pmtus->cx, p);
}

static struct pmtu *oldest(struct pmtus *pmtus)
{
    struct list *first = list_first(&pmtus->oldest);

    return first ? container_of(first, struct pmtu, age) : NULL;
}

void pmtus_release(struct pmtus *pmtus)
{
    struct pmtu *p;

    while ((p = oldest(pmtus)))
        forget(pmtus, p);
    table_release(&pmtus->table, pmtus->cx->alloc);
}

static bool same(const struct table_node *node, const void *key)
{
    const struct pmtu *p = (const void *)node; /* its first member */

    return tlsyn_addr_eq(&p->dst, key);
}

static uint64_t hash_of(const struct pmtus *pmtus, const struct tlsyn_addr *dst)
{
    return siphash(&pmtus->key, dst, sizeof(*dst));
}

static struct pmtu *find(const struct pmtus *pmtus, const struct tlsyn_addr *dst)
{
    struct table_node *node = table_find(&pmtus->table, hash_of(pmtus, dst), same, dst);

    return node ? container_of(node, struct pmtu, node) : NULL;
}

uint16_t pmtu_find(const struct pmtus *pmtus, const struct tlsyn_addr *dst)
{
    const struct pmtu *p = find(pmtus, dst);

    return p && pmtus->cx->now < p->until ? p->mtu : 0;
}

static struct pmtu *make(struct pmtus *pmtus, const struct tlsyn_addr *dst)
{
    struct pmtu *first = oldest(pmtus), *p;

    if (first && pmtus->table.count >= pmtus->table.max)
        forget(pmtus, first);
    p = context_alloc(pmtus->cx, sizeof(*p));
    if (!p)
        return NULL;
    if (table_add(&pmtus->table, pmtus->cx->alloc, &p->node, hash_of(pmtus, dst)) < 0) {
        context_free(pmtus->cx, p);
        return NULL;
    }
    p->dst = *dst;
    list_init(&p->age);
    return p;
}

void pmtu_learn(struct pmtus *pmtus, const struct tlsyn_addr *dst, uint16_t mtu)
{
    struct pmtu *p = find(pmtus, dst);

    if (mtu == 0) {
        if (p)
            forget(pmtus, p);
        return;
    }
    p = p ? p : make(pmtus, dst);
    if (!p)
        return;
    p->mtu = mtu;
    p->until = pmtus->cx->now + PMTU_AGE;
    list_remove(&p->age);
    list_append(&pmtus->oldest, &p->age);
}

uint16_t pmtu_least(const struct tlsyn_addr *dst)
{
    return tlsyn_addr_is_ip4(dst) ? PMTU_MIN_IP4 : PMTU_MIN_IP6;
}

uint16_t pmtu_plateau(uint16_t len)
{
    static const uint16_t plateau[] = {65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

    for (size_t i = 0; i < sizeof(plateau) / sizeof(plateau[0]); i++)
        if (plateau[i] < len)
            return plateau[i];
    return 68;
}
