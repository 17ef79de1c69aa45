/*
 * tcp/admit.c: cookies, budgets, and the verdict.
 */
#include "tcp/admit.h"

#include <assert.h>

static const struct {
    enum tlsyn_level level;
    enum tlsyn_counter counter;
} verdicts[] = {
#define ADMISSION(name, level, counter, words)                                                     \
    [TCP_ADMIT_##name] = {(level), TLSYN_COUNT_##counter},
#include "tcp/admissions.def"
#undef ADMISSION
};
static_assert(sizeof(verdicts) / sizeof(*verdicts) == TCP_ADMISSIONS, "one of each");

enum tlsyn_level tcp_admission_level(enum tcp_admission verdict)
{
    return verdicts[verdict].level;
}

bool tcp_admission_is_flood(enum tcp_admission verdict)
{
    return verdict == TCP_ADMIT_FLOODED || verdict == TCP_ADMIT_SOURCE_FLOODED;
}

enum source_share tcp_admission_share(enum tcp_admission verdict)
{
    return tcp_admission_level(verdict) == TLSYN_LEVEL_COOKIE ? SOURCE_EMBEDS : SOURCE_SYNS;
}

uint32_t tcp_admission_bound(const struct tcp *tcp, enum tcp_admission verdict)
{
    uint32_t all = tcp->cx->limits.embedded_backlog;

    return tcp_admission_level(verdict) == TLSYN_LEVEL_COOKIE ? all : all - all / 2;
}

/* RFC 7413 4.1.2, 5: whoever overheard a cookie, or had the address before, can make us flood that
 * address, but not for ever: a cookie is good in the period in which it was made and in the next
 * one. */
#define COOKIE_PERIOD TLSYN_SECONDS(3600)

static void put_mac(const struct siphash_key *key, const void *bytes, size_t n,
                    uint8_t cookie[TCP_COOKIE_LEN])
{
    uint64_t mac = siphash(key, bytes, n);

    memcpy(cookie, &mac, TCP_COOKIE_LEN);
}

/* R7413-2 */
static void make_own(const struct tcp *tcp, const struct tcp_ends *ends, uint64_t period,
                     uint8_t cookie[TCP_COOKIE_LEN])
{
    uint8_t bytes[sizeof(ends->remote.byte) + sizeof(period)];

    memcpy(bytes, ends->remote.byte, sizeof(ends->remote.byte));
    memcpy(bytes + sizeof(ends->remote.byte), &period, sizeof(period));
    put_mac(&tcp->cookie_key, bytes, sizeof(bytes), cookie);
}

/* As Linux does: SipHash over source and destination of the SYN as they stand in its header. */
static void make_shared(const uint8_t key[TLSYN_COOKIE_KEY], const struct tcp_ends *ends,
                        uint8_t cookie[TCP_COOKIE_LEN])
{
    struct siphash_key of;
    uint8_t bytes[2 * sizeof(ends->remote.byte)];
    size_t n = tlsyn_addr_is_ip4(&ends->remote) ? 4 : sizeof(ends->remote.byte);

    memcpy(&of, key, sizeof(of));
    memcpy(bytes, ends->remote.byte + sizeof(ends->remote.byte) - n, n);
    memcpy(bytes + n, ends->local.byte + sizeof(ends->local.byte) - n, n);
    put_mac(&of, bytes, 2 * n, cookie);
}

/* The i-th cookie that is good now; the first is the one to give. False: there are no more. */
static bool good_cookie(const struct tlsyn_listener *listener, const struct tcp_ends *ends, int i,
                        uint8_t cookie[TCP_COOKIE_LEN])
{
    const struct tlsyn_listen_options *options = &listener->options;
    uint64_t period = (uint64_t)(listener->tcp->cx->now / COOKIE_PERIOD);

    if (i >= (options->cookie_keys ? options->cookie_keys : 2))
        return false;
    if (options->cookie_keys)
        make_shared(options->cookie_key[i], ends, cookie);
    else
        make_own(listener->tcp, ends, period - (uint64_t)i, cookie);
    return true;
}

void tcp_cookie_make(const struct tlsyn_listener *listener, const struct tcp_ends *ends,
                     uint8_t cookie[TCP_COOKIE_LEN])
{
    (void)good_cookie(listener, ends, 0, cookie);
}

/* In constant time: how many octets agree must not show. */
static bool same(const uint8_t a[TCP_COOKIE_LEN], const uint8_t b[TCP_COOKIE_LEN])
{
    uint8_t difference = 0;

    for (int i = 0; i < TCP_COOKIE_LEN; i++)
        difference |= (uint8_t)(a[i] ^ b[i]);
    return difference == 0;
}

static enum tcp_admission check_cookie(const struct tlsyn_listener *listener,
                                       const struct tcp_ends *ends,
                                       const struct tcp_options *options)
{
    uint8_t good[TCP_COOKIE_LEN];

    if (options->cookie_len != TCP_COOKIE_LEN)
        return TCP_ADMIT_BAD_COOKIE;
    for (int i = 0; good_cookie(listener, ends, i, good); i++)
        if (same(good, options->cookie))
            return i == 0 ? TCP_ADMIT_VALID_COOKIE : TCP_ADMIT_OLD_COOKIE;
    return TCP_ADMIT_BAD_COOKIE;
}

/* --- the stages ------------------------------------------------------------------------------- */

/* By then an honest client has answered the SYN-ACK, even one that had to be sent twice. */
#define HAD_ITS_TIME TLSYN_SECONDS(3)

struct tlsyn_conn *tcp_overdue(struct tcp *tcp, struct list *half_opens)
{
    struct list *first = list_first(half_opens);
    struct tlsyn_conn *conn = first ? container_of(first, struct tlsyn_conn, waiting) : NULL;

    return conn && tcp->cx->now - conn->opened >= HAD_ITS_TIME ? conn : NULL;
}

/* Whether SYNs whose senders never answer fill the backlog. Not if the flood is so slow that its
 * SYNs are overdue before their places are needed. */
static bool flooded(struct tcp *tcp)
{
    return tcp->cx->limits.syn_cookies && tcp->half_open >= tcp->cx->limits.syn_backlog &&
           !tcp_overdue(tcp, &tcp->half_opens) && !tcp_overdue(tcp, &tcp->embedded_opens);
}

static bool has_room(struct tcp *tcp, enum tcp_admission verdict)
{
    return tcp->embedded < tcp_admission_bound(tcp, verdict) ||
           tcp_overdue(tcp, &tcp->embedded_opens);
}

/* --- the verdict ------------------------------------------------------------------------------ */

static enum tcp_admission without_cookie(struct tcp *tcp, enum tcp_admission admitted)
{
    if (!has_room(tcp, admitted) || !budget_take(&tcp->embeds, tcp->cx->now))
        return TCP_ADMIT_BUSY_COOKIE_REQUIRED;
    return admitted;
}

/* R7413-5 */
static enum tcp_admission with_cookie(struct tcp *tcp, const struct tcp_ask *ask,
                                      enum tcp_admission valid)
{
    if (!has_room(tcp, valid))
        return TCP_ADMIT_BACKLOG_FULL;
    return sources_take(&tcp->sources, &ask->ends.remote, SOURCE_EMBEDS) ? valid
                                                                         : TCP_ADMIT_SOURCE_BUSY;
}

/* The verdict on the payload of a SYN without a good cookie. */
static enum tcp_admission judge_text(const struct tlsyn_listener *listener,
                                     const struct tcp_ask *ask)
{
    const struct tlsyn_listen_options *allowed = &listener->options;
    const struct wire_tcp *syn = ask->syn;

    /* A cookie shows who asks, so that even without text the answer need not wait for the third
     * segment (RFC 7413 4.2.2). */
    if (syn->text_len == 0 && !(allowed->cookies && syn->options.cookie_len))
        return TCP_ADMIT_NO_TEXT;
    if (!syn->options.has_fastopen) {
        if (!allowed->paper || ask->segment_len < TLSYN_PAPER_LENGTH)
            return TCP_ADMIT_TEXT_WITHOUT_OPTION;
        return without_cookie(listener->tcp, TCP_ADMIT_PAPER_LENGTH);
    }
    if (syn->options.cookie_len)
        return allowed->cookies ? TCP_ADMIT_BAD_COOKIE : TCP_ADMIT_NOT_ENABLED;
    return allowed->open ? without_cookie(listener->tcp, TCP_ADMIT_OPEN_AND_CALM)
                         : TCP_ADMIT_NOT_ENABLED;
}

static enum tcp_admission judge(const struct tlsyn_listener *listener, const struct tcp_ask *ask)
{
    struct tcp *tcp = listener->tcp;
    enum tcp_admission cookie = TCP_ADMIT_BAD_COOKIE;

    if (listener->options.cookies)
        cookie = check_cookie(listener, &ask->ends, &ask->syn->options);
    if (cookie != TCP_ADMIT_BAD_COOKIE)
        cookie = with_cookie(tcp, ask, cookie);
    if (tcp_admission_level(cookie) == TLSYN_LEVEL_COOKIE)
        return cookie;
    if (!ask->known && flooded(tcp))
        return TCP_ADMIT_FLOODED;
    if (!ask->known && !sources_take(&tcp->sources, &ask->ends.remote, SOURCE_SYNS) &&
        tcp->cx->limits.syn_cookies)
        return TCP_ADMIT_SOURCE_FLOODED;
    return cookie != TCP_ADMIT_BAD_COOKIE ? cookie : judge_text(listener, ask);
}

/* R7413-3 */
enum tcp_admission tcp_admit(const struct tlsyn_listener *listener, const struct tcp_ask *ask)
{
    struct context *cx = listener->tcp->cx;
    enum tcp_admission verdict = judge(listener, ask);

    count(cx, verdicts[verdict].counter);
    if (verdict == TCP_ADMIT_BAD_COOKIE)
        count(cx, TLSYN_COUNT_tcp_fastopen_cookie_bad);
    else if (verdict == TCP_ADMIT_OLD_COOKIE)
        count(cx, TLSYN_COUNT_tcp_fastopen_alt_key);
    else if (verdict == TCP_ADMIT_BACKLOG_FULL || verdict == TCP_ADMIT_BUSY_COOKIE_REQUIRED ||
             verdict == TCP_ADMIT_SOURCE_BUSY)
        count(cx, TLSYN_COUNT_tcp_fastopen_overflow);
    else if (tcp_admission_is_flood(verdict))
        count(cx, TLSYN_COUNT_tcp_req_q_full_do_cookies);
    if (ask->syn->text_len)
        count(cx, verdicts[verdict].level ? TLSYN_COUNT_tcp_syn_data_received
                                          : TLSYN_COUNT_tcp_syn_data_plain);
    return verdict;
}
