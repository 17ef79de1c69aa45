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

/* R7413-2 */
static void make_cookie(const struct tcp *tcp, const struct tlsyn_addr *remote, uint64_t period,
                        uint8_t cookie[TCP_COOKIE_LEN])
{
    uint8_t bytes[sizeof(remote->byte) + sizeof(period)];
    uint64_t mac;

    memcpy(bytes, remote->byte, sizeof(remote->byte));
    memcpy(bytes + sizeof(remote->byte), &period, sizeof(period));
    mac = siphash(&tcp->cookie_key, bytes, sizeof(bytes));
    memcpy(cookie, &mac, TCP_COOKIE_LEN);
}

static uint64_t period_now(const struct tcp *tcp)
{
    return (uint64_t)(tcp->cx->now / COOKIE_PERIOD);
}

void tcp_cookie_make(const struct tcp *tcp, const struct tlsyn_addr *remote,
                     uint8_t cookie[TCP_COOKIE_LEN])
{
    make_cookie(tcp, remote, period_now(tcp), cookie);
}

/* In constant time: how many octets agree must not show. */
static bool is_of_period(const struct tcp *tcp, const struct tlsyn_addr *remote,
                         const struct tcp_options *options, uint64_t period)
{
    uint8_t expected[TCP_COOKIE_LEN], difference = 0;

    make_cookie(tcp, remote, period, expected);
    for (int i = 0; i < TCP_COOKIE_LEN; i++)
        difference |= (uint8_t)(expected[i] ^ options->cookie[i]);
    return difference == 0;
}

static bool cookie_is_ours(const struct tcp *tcp, const struct tlsyn_addr *remote,
                           const struct tcp_options *options)
{
    uint64_t now = period_now(tcp);

    return options->cookie_len == TCP_COOKIE_LEN &&
           (is_of_period(tcp, remote, options, now) || is_of_period(tcp, remote, options, now - 1));
}

static enum tcp_admission without_cookie(struct tcp *tcp, enum tcp_admission admitted)
{
    return budget_take(&tcp->embeds, tcp->cx->now) ? admitted : TCP_ADMIT_BUSY_COOKIE_REQUIRED;
}

/* R7413-5 */
static enum tcp_admission judge(struct tcp *tcp, const struct tlsyn_listener *listener,
                                const struct tlsyn_addr *remote, const struct wire_tcp *syn,
                                size_t segment_len)
{
    const struct tlsyn_listen_options *allowed = &listener->options;

    if (syn->text_len == 0)
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
    return cookie_is_ours(tcp, remote, &syn->options) ? TCP_ADMIT_VALID_COOKIE
                                                      : TCP_ADMIT_BAD_COOKIE;
}

/* R7413-3 */
enum tcp_admission tcp_admit(struct tcp *tcp, const struct tlsyn_listener *listener,
                             const struct tlsyn_addr *remote, const struct wire_tcp *syn,
                             size_t segment_len)
{
    struct context *cx = tcp->cx;
    enum tcp_admission verdict = judge(tcp, listener, remote, syn, segment_len);

    if (verdict == TCP_ADMIT_BAD_COOKIE)
        count(cx, TLSYN_COUNT_tcp_fastopen_cookie_bad);
    else if (verdict == TCP_ADMIT_BACKLOG_FULL || verdict == TCP_ADMIT_BUSY_COOKIE_REQUIRED)
        count(cx, TLSYN_COUNT_tcp_fastopen_overflow);
    if (syn->text_len)
        count(cx,
              levels[verdict] ? TLSYN_COUNT_tcp_syn_data_received : TLSYN_COUNT_tcp_syn_data_plain);
    return verdict;
}
