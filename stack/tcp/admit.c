/*
 * tcp/admit.c: cookies, budgets, and the verdict.
 */
#include "tcp/admit.h"

#include <assert.h>

static const enum tlsyn_level levels[] = {
#define ADMISSION(name, level, words) [TCP_ADMIT_##name] = (level),
#include "tcp/admissions.def"
#undef ADMISSION
};
static_assert(sizeof(levels) / sizeof(*levels) == TCP_ADMISSIONS, "a level per verdict");

enum tlsyn_level tcp_admission_level(enum tcp_admission verdict)
{
    return levels[verdict];
}

/* RFC 7413 4.1.2, 5: who overheard a cookie, or had the address before, can have us
 * flood that address: not for ever. A cookie is good in the period in which it was made
 * and in the next one. */
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

static enum tcp_admission without_cookie(struct tcp *tcp, enum tcp_admission admitted)
{
    return budget_take(&tcp->embeds, tcp->cx->now) ? admitted : TCP_ADMIT_BUSY_COOKIE_REQUIRED;
}

/* R7413-5 */
static enum tcp_admission judge(const struct tlsyn_listener *listener, const struct tcp_ends *ends,
                                const struct wire_tcp *syn, size_t segment_len)
{
    struct tcp *tcp = listener->tcp;
    const struct tlsyn_listen_options *allowed = &listener->options;

    /* A cookie shows who asks, so that even without text the answer need not wait for the third
     * segment (RFC 7413 4.2.2). */
    if (syn->text_len == 0 && !(allowed->cookies && syn->options.cookie_len))
        return TCP_ADMIT_NO_TEXT;
    if (tcp->embedded >= tcp->cx->limits.embedded_backlog)
        return TCP_ADMIT_BACKLOG_FULL;
    if (!syn->options.has_fastopen) {
        if (!allowed->paper || segment_len < TLSYN_PAPER_LENGTH)
            return TCP_ADMIT_TEXT_WITHOUT_OPTION;
        return without_cookie(tcp, TCP_ADMIT_PAPER_LENGTH);
    }
    if (syn->options.cookie_len == 0)
        return allowed->open ? without_cookie(tcp, TCP_ADMIT_OPEN_AND_CALM) : TCP_ADMIT_NOT_ENABLED;
    if (!allowed->cookies)
        return TCP_ADMIT_NOT_ENABLED;
    return check_cookie(listener, ends, &syn->options);
}

/* R7413-3 */
enum tcp_admission tcp_admit(const struct tlsyn_listener *listener, const struct tcp_ends *ends,
                             const struct wire_tcp *syn, size_t segment_len)
{
    struct context *cx = listener->tcp->cx;
    enum tcp_admission verdict = judge(listener, ends, syn, segment_len);

    if (verdict == TCP_ADMIT_BAD_COOKIE)
        count(cx, TLSYN_COUNT_tcp_fastopen_cookie_bad);
    else if (verdict == TCP_ADMIT_OLD_COOKIE)
        count(cx, TLSYN_COUNT_tcp_fastopen_alt_key);
    else if (verdict == TCP_ADMIT_BACKLOG_FULL || verdict == TCP_ADMIT_BUSY_COOKIE_REQUIRED)
        count(cx, TLSYN_COUNT_tcp_fastopen_overflow);
    if (syn->text_len)
        count(cx,
              levels[verdict] ? TLSYN_COUNT_tcp_syn_data_received : TLSYN_COUNT_tcp_syn_data_plain);
    return verdict;
}
