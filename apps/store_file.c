/*
 * store_file.c: a TLS client's store in a file of lines.
 */
#include "store_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hex.h"

#define VERSION   "1"
#define KEY_MAX   320
#define BYTES_MAX 4096
#define WHAT      "TLS sessions"

static struct store_file *store_of(struct tlsyn_tls_store *base)
{
    return (struct store_file *)base; /* first member */
}

/* --- lines ------------------------------------------------------------------------------------ */

/* A line's parts; they point into it. */
struct parts {
    const char *key, *hex;
    size_t key_len, hex_len;
    int64_t until;
    bool once;
};

static const char *word(const char **rest, size_t *length)
{
    const char *start = *rest;

    *length = strcspn(start, " ");
    *rest = start + *length + (start[*length] == ' ');
    return start;
}

static bool is(const char *start, size_t length, const char *text)
{
    return strlen(text) == length && memcmp(start, text, length) == 0;
}

static bool take_time(const char *start, size_t length, int64_t *when)
{
    char *end = NULL;

    if (length == 0 || length > 18 || strspn(start, "0123456789") != length)
        return false;
    *when = strtoll(start, &end, 10);
    return true;
}

static bool parse(const char *line, struct parts *p)
{
    size_t n = 0;
    const char *at = word(&line, &n);

    if (!is(at, n, VERSION))
        return false;
    p->key = word(&line, &p->key_len);
    at = word(&line, &n);
    if (p->key_len == 0 || p->key_len >= KEY_MAX || !take_time(at, n, &p->until))
        return false;
    at = word(&line, &n);
    p->once = is(at, n, "once");
    if (!p->once && !is(at, n, "often"))
        return false;
    p->hex = word(&line, &p->hex_len);
    return p->hex_len > 0 && p->hex_len <= (size_t)2 * BYTES_MAX && hex_is(p->hex, p->hex_len) &&
           *line == '\0';
}

static size_t bytes_of(const struct parts *p, unsigned char *bytes)
{
    (void)hex_parse(p->hex, p->hex_len, bytes);
    return p->hex_len / 2;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* The newest of this key that fits; -1: none. */
static int search(const struct cache_file *file, const char *key, int64_t now, size_t size,
                  struct parts *p)
{
    for (size_t i = file->count; i-- > 0;) {
        if (parse(file->line[i], p) && is(p->key, p->key_len, key) && p->until > now &&
            p->hex_len / 2 <= size)
            return (int)i;
    }
    return -1;
}

/* What is given out once leaves the file before it is given out; if it cannot leave, it stays
 * unused. */
static size_t take(struct store_file *s, const char *key, int64_t now, void *bytes, size_t size)
{
    struct cache_file file;
    struct parts p;
    size_t n = 0;
    int error = cache_edit(s->cache, s->name, &file);
    int at = error == 0 ? search(&file, key, now, size, &p) : -1;

    if (at >= 0) {
        n = bytes_of(&p, bytes);
        cache_file_drop(&file, (size_t)at);
        error = cache_file_commit(&file);
    } else if (error == 0) {
        cache_file_end(&file);
    }
    cache_complain(s->cache, WHAT, error);
    return error == 0 ? n : 0;
}

static size_t find(struct tlsyn_tls_store *base, const char *key, int64_t now, void *bytes,
                   size_t size)
{
    struct store_file *s = store_of(base);
    struct cache_file file;
    struct parts p;
    size_t n = 0;
    bool once = false;
    int error = cache_read(s->cache, s->name, &file);

    cache_complain(s->cache, WHAT, error);
    if (error == 0 && search(&file, key, now, size, &p) >= 0) {
        once = p.once;
        n = bytes_of(&p, bytes);
    }
    cache_file_end(&file);
    return once ? take(s, key, now, bytes, size) : n;
}

/* --- keeping ---------------------------------------------------------------------------------- */

/* Lines that are no use leave, and the oldest of this key where it has too many. */
static void tidy(struct cache_file *file, const char *key, int64_t now)
{
    int same = 1; /* the one to come */
    struct parts p;

    for (size_t i = file->count; i-- > 0;) {
        bool good = parse(file->line[i], &p) && p.until > now;

        if (good && is(p.key, p.key_len, key) && ++same > STORE_FILE_PER_KEY)
            good = false;
        if (!good)
            cache_file_drop(file, i);
    }
}

static void keep(struct tlsyn_tls_store *base, const char *key, const void *bytes, size_t len,
                 const struct tlsyn_tls_entry *entry)
{
    struct store_file *s = store_of(base);
    struct cache_file file;
    char line[KEY_MAX + 2 * BYTES_MAX + 64];
    int n = snprintf(line, sizeof(line), VERSION " %s %lld %s ", key, (long long)entry->until,
                     entry->once ? "once" : "often");
    int error = 0;

    if (n < 0 || len > BYTES_MAX || (size_t)n + 2 * len >= sizeof(line))
        return;
    hex_print(bytes, len, line + n);
    error = cache_edit(s->cache, s->name, &file);
    if (error == 0) {
        tidy(&file, key, (int64_t)time(NULL));
        cache_file_keep_newest(&file, STORE_FILE_LINES - 1);
        error = cache_file_append(&file, line);
        if (error == 0)
            error = cache_file_commit(&file);
        else
            cache_file_end(&file);
        s->changed = s->changed || error == 0;
    }
    explicit_bzero(line, sizeof(line));
    cache_complain(s->cache, WHAT, error);
}

static void drop(struct tlsyn_tls_store *base, const char *key, const void *bytes, size_t len)
{
    struct store_file *s = store_of(base);
    unsigned char other[BYTES_MAX];
    struct cache_file file;
    struct parts p;
    bool found = false;

    if (cache_edit(s->cache, s->name, &file) < 0)
        return;
    for (size_t i = file.count; i-- > 0;) {
        if (!parse(file.line[i], &p) || !is(p.key, p.key_len, key) || p.hex_len != 2 * len)
            continue;
        (void)bytes_of(&p, other);
        if (memcmp(other, bytes, len) != 0)
            continue;
        cache_file_drop(&file, i);
        found = true;
    }
    if (found)
        cache_complain(s->cache, WHAT, cache_file_commit(&file));
    else
        cache_file_end(&file);
    explicit_bzero(other, sizeof(other));
}

/* --- the store -------------------------------------------------------------------------------- */

void store_file_init(struct store_file *store, struct cache *cache, const char *name)
{
    static const struct tlsyn_tls_store_ops ops = {.find = find, .keep = keep, .drop = drop};

    *store = (struct store_file){.base = {.ops = &ops}, .cache = cache, .name = name};
}

int store_file_damaged(const struct store_file *store)
{
    struct cache_file file;
    struct parts p;
    int error = cache_read(store->cache, store->name, &file);
    int n = (int)file.broken;

    if (error < 0)
        return error;
    for (size_t i = 0; i < file.count; i++)
        n += !parse(file.line[i], &p);
    cache_file_end(&file);
    return n;
}
