/*
 * destinations.c: what the stack learns of servers, as lines of text.
 */
#include "destinations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hex.h"

#define NAME      "destinations"
#define VERSION   "1"
#define FIELDS    10
#define FIELD_MAX 64
#define SECOND    1000000

static const char *const failures[TLSYN_EMBEDDINGS] = {
#define EMBEDDING(name, text) [TLSYN_EMBEDDING_##name] = #name,
#include <tlsyn/embeddings.def>
#undef EMBEDDING
};

/* --- lines ------------------------------------------------------------------------------------ */

static const char *cookie_text(const struct tlsyn_destination *known,
                               char text[2 * TLSYN_COOKIE_MAX + 1])
{
    hex_print(known->cookie, known->cookie_len, text);
    return known->cookie_len ? text : "-";
}

void destinations_print(const struct tlsyn_destination *known, int64_t now,
                        char line[DESTINATIONS_LINE])
{
    char address[CLI_ADDRESS_TEXT];
    char cookie[2 * TLSYN_COOKIE_MAX + 1];

    (void)snprintf(line, DESTINATIONS_LINE, VERSION " %s %u %s %lld %lld %lld %u %lld %s",
                   cli_address_text(&known->addr, address), known->mss, cookie_text(known, cookie),
                   (long long)known->srtt, (long long)known->rttvar,
                   (long long)(now - known->age / SECOND), known->failures,
                   (long long)(now + (known->off_for + SECOND - 1) / SECOND),
                   failures[known->failed_by]);
}

/* FIELDS words with single spaces between them; true if there are so many. */
static bool split(const char *line, char field[FIELDS][FIELD_MAX])
{
    for (int i = 0; i < FIELDS; i++) {
        size_t n = strcspn(line, " ");

        if (n == 0 || n >= FIELD_MAX)
            return false;
        memcpy(field[i], line, n);
        field[i][n] = '\0';
        line += n;
        if (*line != (i < FIELDS - 1 ? ' ' : '\0'))
            return false;
        line += *line == ' ';
    }
    return true;
}

static bool number(const char *text, int64_t max, int64_t *value)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && *value <= max;
}

static bool parse_cookie(const char *text, struct tlsyn_destination *known)
{
    size_t n = strlen(text);

    if (strcmp(text, "-") == 0)
        return true;
    if (n > 2 * (size_t)TLSYN_COOKIE_MAX || !hex_parse(text, n, known->cookie))
        return false;
    known->cookie_len = (uint8_t)(n / 2);
    return true;
}

static bool parse_failure(const char *text, enum tlsyn_embedding *failure)
{
    for (int i = 0; i < TLSYN_EMBEDDINGS; i++) {
        if (strcmp(text, failures[i]) != 0)
            continue;
        *failure = (enum tlsyn_embedding)i;
        return true;
    }
    return false;
}

/* The wall clock may have been set back since: then the round trip's age is not known, and nothing
 * is off for longer than the longest time. */
static void take_times(struct tlsyn_destination *known, int64_t now, int64_t measured, int64_t off)
{
    struct tlsyn_limits limits;

    tlsyn_limits_default(&limits);
    if (measured > now)
        known->srtt = known->rttvar = 0;
    else
        known->age = (now - measured) * SECOND;
    known->off_for = off > now ? (off - now) * SECOND : 0;
    if (known->off_for > limits.embed_off_max)
        known->off_for = limits.embed_off_max;
}

int destinations_parse(const char *line, int64_t now, struct tlsyn_destination *known)
{
    static const int64_t times_max = INT64_C(1) << 40; /* of seconds */
    char field[FIELDS][FIELD_MAX];
    int64_t mss = 0;
    int64_t times = 0;
    int64_t measured = 0;
    int64_t off = 0;

    *known = (struct tlsyn_destination){.mss = 0};
    if (!split(line, field) || strcmp(field[0], VERSION) != 0 ||
        cli_address.parse(&cli_address, field[1], &known->addr) < 0 ||
        !number(field[2], UINT16_MAX, &mss) || !parse_cookie(field[3], known) ||
        !number(field[4], INT32_MAX, &known->srtt) ||
        !number(field[5], INT32_MAX, &known->rttvar) || !number(field[6], times_max, &measured) ||
        !number(field[7], UINT8_MAX, &times) || !number(field[8], times_max, &off) ||
        !parse_failure(field[9], &known->failed_by))
        return -EINVAL;
    known->mss = (uint16_t)mss;
    known->failures = (uint8_t)times;
    take_times(known, now, measured, off);
    return 0;
}

/* --- loading ---------------------------------------------------------------------------------- */

int destinations_load(struct cache *cache, struct tlsyn_stack *stack)
{
    struct tlsyn_destination known;
    struct cache_file file;
    int64_t now = time(NULL);
    int error = cache_read(cache, NAME, &file);
    int useless = (int)file.broken;

    for (size_t i = 0; i < file.count; i++) {
        if (destinations_parse(file.line[i], now, &known) < 0 ||
            tlsyn_destination_add(stack, &known) < 0)
            useless++;
    }
    cache_file_end(&file);
    return error < 0 ? error : useless;
}

/* --- saving ----------------------------------------------------------------------------------- */

struct saving {
    struct tlsyn_destination_visitor base;
    struct cache_file *file; /* NULL: only looks whether there is something to save */
    int64_t now;
    bool any;
    int error;
};

/* What stands there of the same address, or is no line of ours. */
static void drop_older(struct cache_file *file, const struct tlsyn_addr *addr, int64_t now)
{
    struct tlsyn_destination known;

    for (size_t i = file->count; i-- > 0;) {
        if (destinations_parse(file->line[i], now, &known) < 0 || tlsyn_addr_eq(&known.addr, addr))
            cache_file_drop(file, i);
    }
}

static bool save_one(struct tlsyn_destination_visitor *base, const struct tlsyn_destination *known)
{
    struct saving *s = (struct saving *)base;
    char line[DESTINATIONS_LINE];

    if (!known->learnt)
        return true;
    s->any = true;
    if (!s->file)
        return false;
    drop_older(s->file, &known->addr, s->now);
    destinations_print(known, s->now, line);
    s->error = cache_file_append(s->file, line);
    return s->error == 0;
}

int destinations_save(struct cache *cache, struct tlsyn_stack *stack)
{
    struct cache_file file;
    struct saving s = {.base = {save_one}, .now = time(NULL)};
    int error = 0;

    tlsyn_destination_walk(stack, &s.base);
    if (!s.any)
        return 0;
    error = cache_edit(cache, NAME, &file);
    if (error < 0)
        return error;
    s.file = &file;
    tlsyn_destination_walk(stack, &s.base);
    cache_file_keep_newest(&file, DESTINATIONS_MAX);
    if (s.error == 0)
        return cache_file_commit(&file);
    cache_file_end(&file);
    return s.error;
}
