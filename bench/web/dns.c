/*
 * web/dns.c: an authoritative DNS server of one small zone.
 */
#include "web/dns.h"

#include <errno.h>
#include <string.h>

enum { HEADER = 12, LABEL_MAX = 63 };

enum { TYPE_A = 1, TYPE_SOA = 6, TYPE_AAAA = 28, TYPE_OPT = 41, TYPE_ANY = 255, CLASS_IN = 1 };

/* RFC 1035 4.1.1; BADVERS has its upper part in the OPT record (RFC 6891 6.1.3). */
enum { NOERROR = 0, FORMERR = 1, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, BADVERS = 16 };

enum { FLAG_RESPONSE = 0x8000, FLAG_AUTHORITATIVE = 0x0400, FLAG_RECURSION = 0x0100 };

#define FLAGS_OPCODE 0x7800

/* --- names ------------------------------------------------------------------------------------ */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* 0 or -EINVAL. A point at the end is the same name. */
static int name_of_text(struct dns_name *name, const char *text)
{
    size_t len = 0;

    while (*text) {
        size_t label = strcspn(text, ".");

        if (label == 0 || label > LABEL_MAX || len + label + 2 > DNS_NAME_MAX)
            return -EINVAL;
        name->octets[len++] = (uint8_t)label;
        for (size_t i = 0; i < label; i++)
            name->octets[len++] = lower((uint8_t)text[i]);
        text += label + (text[label] == '.');
    }
    name->octets[len++] = 0;
    name->len = len;
    return 0;
}

static bool name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

static bool name_is_below(const struct dns_name *name, const struct dns_name *origin)
{
    for (size_t at = 0; name->len - at >= origin->len; at += (size_t)name->octets[at] + 1) {
        if (name->len - at == origin->len)
            return memcmp(name->octets + at, origin->octets, origin->len) == 0;
    }
    return false;
}

/* --- the zone --------------------------------------------------------------------------------- */

int dns_zone_init(struct dns_zone *zone, const char *origin, uint32_t ttl)
{
    *zone = (struct dns_zone){.ttl = ttl};
    return name_of_text(&zone->origin, origin);
}

static struct dns_host *find_or_add(struct dns_zone *zone, const struct dns_name *name)
{
    for (int i = 0; i < zone->hosts; i++) {
        if (name_equal(&zone->host[i].name, name))
            return &zone->host[i];
    }
    if (zone->hosts == DNS_NAMES_MAX)
        return NULL;
    zone->host[zone->hosts].name = *name;
    return &zone->host[zone->hosts++];
}

int dns_zone_add(struct dns_zone *zone, const char *name, const void *address, size_t len)
{
    struct dns_name wire;
    struct dns_host *host = NULL;

    if (name_of_text(&wire, name) < 0 || !name_is_below(&wire, &zone->origin))
        return -EINVAL;
    if (len != sizeof(host->ip4) && len != sizeof(host->ip6))
        return -EINVAL;
    host = find_or_add(zone, &wire);
    if (!host)
        return -ENOSPC;
    if (len == sizeof(host->ip4)) {
        host->has_ip4 = true;
        memcpy(host->ip4, address, len);
    } else {
        host->has_ip6 = true;
        memcpy(host->ip6, address, len);
    }
    return 0;
}

/* --- what is asked ---------------------------------------------------------------------------- */

struct question {
    uint16_t id, flags;
    struct dns_name name;
    uint16_t type, class;
    size_t end;   /* of the question in the query */
    bool has_opt; /* the client speaks EDNS, */
    uint8_t version;
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Reads the name at *at and moves there. -EINVAL: it is none, or a compressed one, which has no
 * business where nothing stands before it. */
static int read_name(const uint8_t *query, size_t len, size_t *at, struct dns_name *name)
{
    name->len = 0;
    while (*at < len) {
        size_t label = query[*at];

        if (label > LABEL_MAX || len - *at <= label || name->len + label + 1 > DNS_NAME_MAX)
            return -EINVAL;
        for (size_t i = 0; i <= label; i++)
            name->octets[name->len++] = i ? lower(query[*at + i]) : (uint8_t)label;
        *at += label + 1;
        if (label == 0)
            return 0;
    }
    return -EINVAL;
}

/* The records behind the question: at most one OPT counts among them (RFC 6891 6.1.1), and every
 * one has to lie inside. */
static int read_additional(const uint8_t *query, size_t len, struct question *q)
{
    size_t at = q->end;
    struct dns_name owner;

    for (unsigned n = get16(query + 10); n > 0; n--) {
        size_t data = 0;

        if (read_name(query, len, &at, &owner) < 0 || len - at < 10)
            return FORMERR;
        data = get16(query + at + 8);
        if (len - at - 10 < data)
            return FORMERR;
        if (get16(query + at) == TYPE_OPT) {
            if (q->has_opt || owner.len != 1)
                return FORMERR;
            q->has_opt = true;
            q->version = query[at + 5];
        }
        at += 10 + data;
    }
    return q->version > 0 ? BADVERS : NOERROR;
}

/* The response's code so far. */
static int read_question(const uint8_t *query, size_t len, struct question *q)
{
    size_t at = HEADER;

    q->id = get16(query);
    q->flags = get16(query + 2);
    q->end = 0;
    q->has_opt = false;
    q->version = 0;
    if ((q->flags & FLAGS_OPCODE) != 0)
        return NOTIMP;
    if (get16(query + 4) != 1 || get16(query + 6) != 0 || get16(query + 8) != 0)
        return FORMERR;
    if (read_name(query, len, &at, &q->name) < 0 || len - at < 4)
        return FORMERR;
    q->type = get16(query + at);
    q->class = get16(query + at + 2);
    q->end = at + 4;
    return read_additional(query, len, q);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* All that is written fits: header, question, two addresses or a SOA, OPT. */
struct writing {
    uint8_t *octets;
    size_t len;
    unsigned answers, authorities;
};

static void put(struct writing *w, const void *octets, size_t len)
{
    memcpy(w->octets + w->len, octets, len);
    w->len += len;
}

static void put16(struct writing *w, unsigned value)
{
    w->octets[w->len++] = (uint8_t)(value >> 8);
    w->octets[w->len++] = (uint8_t)value;
}

static void put32(struct writing *w, uint32_t value)
{
    put16(w, value >> 16);
    put16(w, value & 0xffff);
}

/* An address of the name asked for, which stands behind the header (RFC 1035 4.1.4). */
static void put_address(struct writing *w, uint16_t type, uint32_t ttl, const uint8_t *address,
                        size_t len)
{
    put16(w, 0xc000 | HEADER);
    put16(w, type);
    put16(w, CLASS_IN);
    put32(w, ttl);
    put16(w, (unsigned)len);
    put(w, address, len);
    w->answers++;
}

/* RFC 2308 3: how long it may be kept that there is nothing. The origin stands at the end of the
 * name asked for. */
static void put_soa(struct writing *w, const struct dns_zone *zone, const struct question *q)
{
    unsigned origin = 0xc000 | (unsigned)(HEADER + q->name.len - zone->origin.len);

    put16(w, origin);
    put16(w, TYPE_SOA);
    put16(w, CLASS_IN);
    put32(w, zone->ttl);
    put16(w, 2 + 2 + 5 * 4);
    put16(w, origin);    /* the primary server */
    put16(w, origin);    /* who is responsible */
    put32(w, 1);         /* serial */
    put32(w, zone->ttl); /* refresh, retry, expire: nobody transfers it */
    put32(w, zone->ttl);
    put32(w, zone->ttl);
    put32(w, zone->ttl); /* and this is it */
}

/* RFC 6891 6.2.3: what we can take; and the upper part of the code. */
static void put_opt(struct writing *w, int code)
{
    put(w, "", 1);
    put16(w, TYPE_OPT);
    put16(w, DNS_ANSWER_MAX);
    put32(w, (uint32_t)(code >> 4) << 24);
    put16(w, 0);
}

static void put_host(struct writing *w, const struct dns_zone *zone, const struct dns_host *host,
                     uint16_t type)
{
    if (host->has_ip4 && (type == TYPE_A || type == TYPE_ANY))
        put_address(w, TYPE_A, zone->ttl, host->ip4, sizeof(host->ip4));
    if (host->has_ip6 && (type == TYPE_AAAA || type == TYPE_ANY))
        put_address(w, TYPE_AAAA, zone->ttl, host->ip6, sizeof(host->ip6));
}

/* Answers about a name of the zone; the code. A name that others stand below is there, too (RFC
 * 8020 2). */
static int answer_name(struct writing *w, const struct dns_zone *zone, const struct question *q)
{
    bool there = name_equal(&q->name, &zone->origin);

    if (there && (q->type == TYPE_SOA || q->type == TYPE_ANY)) {
        put_soa(w, zone, q);
        w->answers++;
    }
    for (int i = 0; i < zone->hosts; i++) {
        there = there || name_is_below(&zone->host[i].name, &q->name);
        if (name_equal(&zone->host[i].name, &q->name))
            put_host(w, zone, &zone->host[i], q->type);
    }
    if (w->answers == 0) {
        put_soa(w, zone, q);
        w->authorities++;
    }
    return there ? NOERROR : NXDOMAIN;
}

static void put_header(uint8_t *answer, const struct question *q, int code, const struct writing *w)
{
    struct writing header = {.octets = answer};
    unsigned flags = FLAG_RESPONSE | (q->flags & (FLAGS_OPCODE | FLAG_RECURSION));

    if (code == NOERROR || code == NXDOMAIN)
        flags |= FLAG_AUTHORITATIVE;
    put16(&header, q->id);
    put16(&header, flags | ((unsigned)code & 0xf));
    put16(&header, q->end > 0);
    put16(&header, w->answers);
    put16(&header, w->authorities);
    put16(&header, q->has_opt);
}

size_t dns_answer(const struct dns_zone *zone, const void *query, size_t len,
                  uint8_t answer[DNS_ANSWER_MAX])
{
    const uint8_t *octets = query;
    struct writing w = {.octets = answer, .len = HEADER};
    struct question q;
    int code = 0;

    if (len < HEADER || (octets[2] & 0x80) != 0)
        return 0;
    code = read_question(octets, len, &q);
    if (q.end > 0)
        put(&w, octets + HEADER, q.end - HEADER);
    if (code == NOERROR && (q.class != CLASS_IN || !name_is_below(&q.name, &zone->origin)))
        code = REFUSED;
    if (code == NOERROR)
        code = answer_name(&w, zone, &q);
    if (q.has_opt)
        put_opt(&w, code);
    put_header(answer, &q, code, &w);
    return w.len;
}
