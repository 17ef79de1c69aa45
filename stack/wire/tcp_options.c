/*
 * wire/tcp_options.c: TCP options. Read first: RFC 9293 3.2, RFC 7323 2.2 and 3.2, RFC 2018 2 and
 * 3, RFC 7413 4.1.1.
 */
#include "wire/tcp_options.h"

#include <errno.h>

#include "wire/bytes.h"

/* Octets of a whole option: kind, length, body. */
#define MSS_LEN            4
#define WSCALE_LEN         3
#define SACK_PERMITTED_LEN 2
#define SACK_LEN(blocks)   (2u + 8u * (blocks))
#define TS_LEN             10

/* The only options of an ordinary segment: NOP, NOP, timestamps. */
#define ONLY_TS_LEN  12
#define ONLY_TS_WORD (TCP_KIND_NOP << 24 | TCP_KIND_NOP << 16 | TCP_KIND_TS << 8 | TS_LEN)

static void get_ts(struct reader *body, struct tcp_options *o)
{
    o->has_ts = true;
    o->tsval = get_u32(body);
    o->tsecr = get_u32(body);
}

static int get_sack(struct reader *body, struct tcp_options *o)
{
    size_t blocks = body->left / 8;

    if (blocks == 0 || body->left % 8 != 0 || blocks > TCP_SACK_BLOCKS_MAX)
        return -EBADMSG;
    memset(o->sack, 0, sizeof(o->sack));
    o->sack_count = (uint8_t)blocks;
    for (size_t i = 0; i < blocks; i++) {
        o->sack[i].left = get_u32(body);
        o->sack[i].right = get_u32(body);
    }
    return 0;
}

/** RFC 7413 4.1.1: a cookie of another length than 4 to 16, or of odd length, is no error; the
 * option is ignored. R7413-1 */
static void get_cookie(struct reader *body, struct tcp_options *o, bool experimental)
{
    size_t len = body->left;

    if (len != 0 && (len < TCP_FASTOPEN_COOKIE_MIN || len > TCP_COOKIE_MAX || len % 2 != 0))
        return;
    memset(o->cookie, 0, sizeof(o->cookie));
    o->has_fastopen = true;
    o->fastopen_experimental = experimental;
    o->cookie_len = (uint8_t)len;
    get_bytes(body, o->cookie, len);
}

/* RFC 9768 3.2.3: as many counters as fit its length, three at most; the rest is padding.
 * R9768-13 */
static void get_accecn(struct reader *body, struct tcp_options *o)
{
    size_t fields = body->left / 3;

    o->accecn_fields = 0; /* of two options the last counts */
    memset(o->accecn, 0, sizeof(o->accecn));
    o->accecn_fields = fields < 3 ? (uint8_t)fields : 3;
    for (int i = 0; i < o->accecn_fields; i++) {
        uint32_t high = get_u8(body);

        o->accecn[i] = high << 16 | get_u16(body);
    }
}

/** One option, whose body the reader holds. 0 or -EBADMSG. (R7323-WS1) */
static int get_option(enum tcp_option_kind kind, struct reader *body, struct tcp_options *o)
{
    size_t len = 2 + body->left;

    switch (kind) {
    case TCP_KIND_MSS:
        o->mss = get_u16(body);
        return len == MSS_LEN ? 0 : -EBADMSG;
    case TCP_KIND_WSCALE:
        o->has_wscale = true;
        o->wscale = get_u8(body);
        return len == WSCALE_LEN ? 0 : -EBADMSG;
    case TCP_KIND_SACK_PERMITTED:
        o->sack_permitted = true;
        return len == SACK_PERMITTED_LEN ? 0 : -EBADMSG;
    case TCP_KIND_SACK:
        return get_sack(body, o);
    case TCP_KIND_TS:
        get_ts(body, o);
        return len == TS_LEN ? 0 : -EBADMSG;
    case TCP_KIND_FASTOPEN:
        get_cookie(body, o, false);
        return 0;
    case TCP_KIND_ACCECN_0:
    case TCP_KIND_ACCECN_1:
        get_accecn(body, o);
        return 0;
    case TCP_KIND_EXPERIMENT:
        if (get_u16(body) == TCP_EXID_FASTOPEN)
            get_cookie(body, o, true);
        return 0;
    default:
        return 0;
    }
}

/* MUST-4, MUST-64 */
int tcp_options_parse(const uint8_t *bytes, size_t len, struct tcp_options *options)
{
    struct reader r = reader_of(bytes, len);

    memset(options, 0, sizeof(*options));
    if (len == ONLY_TS_LEN && get_u32(&r) == ONLY_TS_WORD) {
        get_ts(&r, options);
        return 0;
    }
    r = reader_of(bytes, len);
    while (r.left > 0) {
        uint8_t kind = get_u8(&r), option_len;
        const uint8_t *body;
        struct reader inside;

        if (kind == TCP_KIND_END)
            break;
        if (kind == TCP_KIND_NOP)
            continue;
        option_len = get_u8(&r);
        if (option_len < 2)
            return -EBADMSG;
        body = get_span(&r, option_len - 2u);
        if (!body)
            return -EBADMSG;
        inside = reader_of(body, option_len - 2u);
        if (get_option(kind, &inside, options) < 0)
            return -EBADMSG;
    }
    return 0;
}

/* MUST-69 */
static void put_nops(struct writer *w, int n)
{
    while (n-- > 0)
        put_u8(w, TCP_KIND_NOP);
}

/* MUST-68 */
static void put_head(struct writer *w, enum tcp_option_kind kind, unsigned len)
{
    put_u8(w, (uint8_t)kind);
    put_u8(w, (uint8_t)len);
}

/** SACK-permitted takes the place of the two NOPs before the timestamps. */
static void put_sack_permitted_and_ts(struct writer *w, const struct tcp_options *o)
{
    if (!o->sack_permitted || !o->has_ts)
        put_nops(w, 2);
    if (o->sack_permitted)
        put_head(w, TCP_KIND_SACK_PERMITTED, SACK_PERMITTED_LEN);
    if (o->has_ts) {
        put_head(w, TCP_KIND_TS, TS_LEN);
        put_u32(w, o->tsval);
        put_u32(w, o->tsecr);
    }
}

static void put_fastopen(struct writer *w, const struct tcp_options *o)
{
    unsigned len = 2u + (o->fastopen_experimental ? 2u : 0u) + o->cookie_len;

    if (o->fastopen_experimental) {
        put_head(w, TCP_KIND_EXPERIMENT, len);
        put_u16(w, TCP_EXID_FASTOPEN);
    } else {
        put_head(w, TCP_KIND_FASTOPEN, len);
    }
    put_bytes(w, o->cookie, o->cookie_len);
    put_nops(w, (int)(3 & -len));
}

static void put_sack(struct writer *w, const struct tcp_options *o)
{
    put_nops(w, 2);
    put_head(w, TCP_KIND_SACK, SACK_LEN(o->sack_count));
    for (int i = 0; i < o->sack_count; i++) {
        put_u32(w, o->sack[i].left);
        put_u32(w, o->sack[i].right);
    }
}

static void put_accecn(struct writer *w, const struct tcp_options *o)
{
    unsigned len = 2 + 3u * o->accecn_fields;

    put_nops(w, (4 - len % 4) % 4);
    put_head(w, TCP_KIND_ACCECN_0, len);
    for (int i = 0; i < o->accecn_fields; i++) {
        put_u8(w, (uint8_t)(o->accecn[i] >> 16));
        put_u16(w, (uint16_t)o->accecn[i]);
    }
}

int tcp_options_emit(const struct tcp_options *options, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room < TCP_OPTIONS_MAX ? room : TCP_OPTIONS_MAX);

    if (options->mss) {
        put_head(&w, TCP_KIND_MSS, MSS_LEN);
        put_u16(&w, options->mss);
    }
    if (options->sack_permitted || options->has_ts)
        put_sack_permitted_and_ts(&w, options);
    if (options->has_wscale) {
        put_nops(&w, 1);
        put_head(&w, TCP_KIND_WSCALE, WSCALE_LEN);
        put_u8(&w, options->wscale);
    }
    if (options->has_fastopen)
        put_fastopen(&w, options);
    if (options->sack_count)
        put_sack(&w, options);
    if (options->accecn_fields)
        put_accecn(&w, options);
    return w.overrun ? -ENOSPC : (int)(w.at - bytes);
}
