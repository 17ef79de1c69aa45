/*
 * strikes.c: a table of groups; within a group the places are searched one by one.
 */
#include "strikes.h"

#include <errno.h>
#include <psa/crypto.h>
#include <string.h>

/* A question costs so many comparisons, at most. With half of all places taken, hardly one group
 * in a million is full. */
#define STRIKES_GROUP 64

#define BINDER_MAX PSA_HASH_MAX_SIZE

int strikes_init(struct strikes *s, uint32_t n, struct tlsyn_random *random,
                 struct tlsyn_alloc *alloc)
{
    uint32_t groups = (n + STRIKES_GROUP - 1) / STRIKES_GROUP;
    size_t size;

    *s = (struct strikes){.groups = groups > 0 ? groups : 1};
    size = (size_t)s->groups * STRIKES_GROUP * sizeof(*s->all);
    s->all = alloc->resize(alloc, NULL, size);
    if (s->all == NULL)
        return -ENOMEM;
    memset(s->all, 0, size);
    random->fill(random, s->key, sizeof(s->key));
    return 0;
}

void strikes_fini(struct strikes *s, struct tlsyn_alloc *alloc)
{
    if (s->all != NULL)
        alloc->resize(alloc, s->all, 0);
    s->all = NULL;
}

/* SHA-256 of key and binder: the first half is the entry's name, the rest says where it is. */
static bool hash(const struct strikes *s, const struct bytes *binder, uint8_t digest[32])
{
    uint8_t input[STRIKES_KEY + BINDER_MAX];
    size_t len;

    if (binder->len > BINDER_MAX)
        return false;
    memcpy(input, s->key, STRIKES_KEY);
    memcpy(input + STRIKES_KEY, binder->at, binder->len);
    return psa_hash_compute(PSA_ALG_SHA_256, input, STRIKES_KEY + binder->len, digest, 32, &len) ==
           PSA_SUCCESS;
}

static struct strike *group_of(struct strikes *s, const uint8_t digest[32])
{
    uint64_t where;

    memcpy(&where, digest + STRIKES_ID, sizeof(where));
    return s->all + (size_t)(where % s->groups) * STRIKES_GROUP;
}

enum strikes_verdict strikes_check(struct strikes *s, const struct bytes *binder, tlsyn_time now)
{
    struct strike *group, *place = NULL;
    uint8_t digest[32];

    if (!hash(s, binder, digest))
        return STRIKES_FULL;
    group = group_of(s, digest);
    for (int i = 0; i < STRIKES_GROUP; i++) {
        struct strike *one = &group[i];
        bool live = one->until > now;

        if (live && memcmp(one->id, digest, STRIKES_ID) == 0)
            return STRIKES_REPLAY;
        if (!live && place == NULL)
            place = one;
    }
    if (place == NULL)
        return STRIKES_FULL;
    memcpy(place->id, digest, STRIKES_ID);
    place->until = now + STRIKES_WINDOW + 1;
    return STRIKES_FRESH;
}
