/*
 * session_ids.c: the places, their chains, and who leaves.
 */
#include "session_ids.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/ssl_cache.h>
#include <string.h>

/* A server's session without a client's certificate takes some 120 bytes. */
#define STATE_MAX 192

struct session_place {
    uint32_t next; /* of its chain: 1 + the place; 0: the last */
    uint32_t len;  /* of the state; 0: the place is free */
    int64_t until; /* wall clock, seconds */
    struct ticket_owner owner;
    unsigned char id[SESSION_ID];
    unsigned char state[STATE_MAX];
};

void session_ids_init(struct session_ids *s, uint32_t max, uint32_t lifetime,
                      struct tlsyn_alloc *alloc)
{
    *s = (struct session_ids){.max = max, .lifetime = lifetime, .alloc = alloc, .buckets = 1};
    while (s->buckets < max && s->buckets < UINT32_C(1) << 31)
        s->buckets *= 2;
}

void session_ids_fini(struct session_ids *s)
{
    if (s->place != NULL) {
        mbedtls_platform_zeroize(s->place, s->max * sizeof(*s->place));
        s->alloc->resize(s->alloc, s->place, 0);
    }
    if (s->bucket != NULL)
        s->alloc->resize(s->alloc, s->bucket, 0);
    s->place = NULL;
    s->bucket = NULL;
}

static bool make_room(struct session_ids *s)
{
    if (s->place != NULL)
        return true;
    s->place = s->alloc->resize(s->alloc, NULL, s->max * sizeof(*s->place));
    s->bucket = s->alloc->resize(s->alloc, NULL, s->buckets * sizeof(*s->bucket));
    if (s->place != NULL)
        memset(s->place, 0, s->max * sizeof(*s->place));
    if (s->bucket != NULL)
        memset(s->bucket, 0, s->buckets * sizeof(*s->bucket));
    if (s->place == NULL || s->bucket == NULL)
        session_ids_fini(s);
    return s->place != NULL;
}

static uint32_t *bucket_of(const struct session_ids *s, const unsigned char *id)
{
    uint32_t hash;

    memcpy(&hash, id, sizeof(hash));
    return &s->bucket[hash & (s->buckets - 1)];
}

static void vacate(struct session_ids *s, struct session_place *p)
{
    uint32_t *link = bucket_of(s, p->id);

    while (*link != 0 && &s->place[*link - 1] != p)
        link = &s->place[*link - 1].next;
    *link = p->next;
    mbedtls_platform_zeroize(p, sizeof(*p));
    s->count--;
}

int session_ids_put(struct session_ids *s, int64_t now, const struct ticket_owner *owner,
                    const unsigned char *id, const mbedtls_ssl_session *session)
{
    struct session_place *p;
    size_t len = 0;
    int code;

    if (s->max == 0 || !make_room(s))
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    p = &s->place[s->next];
    if (p->len != 0) {
        if (p->until > now)
            s->evicted++;
        vacate(s, p);
    }
    code = mbedtls_ssl_session_save(session, p->state, sizeof(p->state), &len);
    if (code != 0)
        return code;
    p->len = (uint32_t)len;
    p->until = now + s->lifetime;
    p->owner = *owner;
    memcpy(p->id, id, SESSION_ID);
    p->next = *bucket_of(s, id);
    *bucket_of(s, id) = s->next + 1;
    s->next = s->next + 1 < s->max ? s->next + 1 : 0;
    s->count++;
    return 0;
}

static bool is_theirs(const struct session_place *p, const struct ticket_owner *owner)
{
    return p->owner.version == owner->version &&
           memcmp(p->owner.asked, owner->asked, sizeof(owner->asked)) == 0;
}

int session_ids_get(struct session_ids *s, int64_t now, const struct ticket_owner *owner,
                    const unsigned char *id, size_t id_len, mbedtls_ssl_session *session)
{
    uint32_t at;

    if (s->place == NULL || id_len != SESSION_ID)
        return MBEDTLS_ERR_SSL_CACHE_ENTRY_NOT_FOUND;
    at = *bucket_of(s, id);
    while (at != 0 && memcmp(s->place[at - 1].id, id, SESSION_ID) != 0)
        at = s->place[at - 1].next;
    if (at == 0 || !is_theirs(&s->place[at - 1], owner))
        return MBEDTLS_ERR_SSL_CACHE_ENTRY_NOT_FOUND;
    if (s->place[at - 1].until <= now)
        return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    return mbedtls_ssl_session_load(session, s->place[at - 1].state, s->place[at - 1].len);
}
