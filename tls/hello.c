/*
 * hello.c: walks a ClientHello. Read first: RFC 8446 4.1.2, 4.2.
 */
#include "hello.h"

#define CLIENT_HELLO       1
#define EXT_PRE_SHARED_KEY 41
#define EXT_EARLY_DATA     42

/* What has not been read yet. */
struct span {
    const uint8_t *at;
    size_t left;
};

static bool skip(struct span *s, size_t n)
{
    if (s->left < n)
        return false;
    s->at += n;
    s->left -= n;
    return true;
}

/* An unsigned number of so many octets, at most three. */
static bool number(struct span *s, int octets, size_t *value)
{
    const uint8_t *p = s->at;

    if (!skip(s, (size_t)octets))
        return false;
    for (*value = 0; octets > 0; octets--)
        *value = *value << 8 | *p++;
    return true;
}

/* RFC 8446 3.4: a vector with its length in front. */
static bool vector(struct span *s, int octets, struct span *inner)
{
    size_t n;

    if (!number(s, octets, &n))
        return false;
    *inner = (struct span){s->at, n};
    return skip(s, n);
}

static bool first_binder(struct span body, struct bytes *binder)
{
    struct span identities, binders, first;

    if (!vector(&body, 2, &identities) || !vector(&body, 2, &binders) ||
        !vector(&binders, 1, &first))
        return false;
    *binder = (struct bytes){first.at, first.left};
    return true;
}

static bool read_extensions(struct span all, struct hello *hello)
{
    while (all.left > 0) {
        struct span body;
        size_t type;

        if (!number(&all, 2, &type) || !vector(&all, 2, &body))
            return false;
        if (type == EXT_EARLY_DATA)
            hello->early = true;
        if (type == EXT_PRE_SHARED_KEY && !first_binder(body, &hello->binder))
            return false;
    }
    return true;
}

bool hello_parse(const void *message, size_t len, struct hello *hello)
{
    struct span all = {message, len}, body, part;
    size_t type;

    *hello = (struct hello){.early = false};
    return number(&all, 1, &type) && type == CLIENT_HELLO && vector(&all, 3, &body) &&
           skip(&body, 2 + 32) &&     /* legacy version, random */
           vector(&body, 1, &part) && /* legacy session id */
           vector(&body, 2, &part) && /* cipher suites */
           vector(&body, 1, &part) && /* legacy compression methods */
           vector(&body, 2, &part) && read_extensions(part, hello);
}
