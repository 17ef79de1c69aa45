/*
 * tcp/syncookie.c: SYN cookies. Read first: RFC 4987 3.6 and appendix A; RFC 7323 5.4; RFC 9768
 * 5.1.
 *
 * The SYN-ACK's sequence number:
 *
 *      31                                             4   3  2     0
 *     +------------------------------------------------+---+--------+
 *     | SipHash(4-tuple, peer's ISN, period, low bits) | p |  MSS   |    p: the period is odd
 *     +------------------------------------------------+---+--------+
 *
 * MSS is an index into a table. A cookie is good in the period in which it was made and in the next
 * one; the key never changes. Where the SYN has a timestamp, the low six bits of ours hold what
 * else it asked for, and come back as the echo:
 *
 *       5     4       3      0
 *     +-----+------+----------+
 *     | ECN | SACK |  wscale  |    wscale 15: none; ECN: that of RFC 3168
 *     +-----+------+----------+
 *
 * The time stamped is the latest one, not ahead of the clock, that has these bits. Without
 * timestamps a connection has none of these options. AccECN needs no bit: the peer's first ACK
 * shows it.
 *
 * Each such SYN-ACK answers one SYN and is not repeated, so that no more leaves than comes in. For
 * two periods after the last one, an ACK that belongs to no connection is checked for a cookie. If
 * it has none it is dropped, and not answered by RST: it may be text that overtook the ACK with the
 * cookie, or whose ACK was lost, and the client will send its first segment again.
 */
#include "tcp/syncookie.h"

#include "tcp/admit.h"
#include "tcp/buffers.h"
#include "tcp/ecn.h"
#include "tcp/isn.h"
#include "tcp/options.h"
#include "tcp/segment.h"
#include "wire/source_route.h"

#define PERIOD      TLSYN_SECONDS(64)
#define MSS_BITS    3
#define MSS_MASK    ((1u << MSS_BITS) - 1u)
#define LOW_BITS    (MSS_BITS + 1)
#define TS_BITS     6
#define TS_MASK     ((1u << TS_BITS) - 1u)
#define WSCALE_MASK 15u
#define WSCALE_NONE 15u
#define SACK_BIT    16u
#define ECN_BIT     32u

/* An MSS that is not in the table is rounded down: never more than the peer takes. */
static const uint16_t mss_table[1 << MSS_BITS] = {88, 536, 1220, 1300, 1400, 1440, 1460, 8940};

struct tuple {
    struct tlsyn_endpoint local, remote;
};

static struct tuple tuple_of(const struct ip_datagram *datagram, const struct wire_tcp *segment)
{
    return (struct tuple){{datagram->dst, segment->dst_port}, {datagram->src, segment->src_port}};
}

static tcp_seq make(const struct tcp *tcp, const struct tuple *t, tcp_seq irs, int64_t period,
                    unsigned mss)
{
    uint32_t low = (uint32_t)(period & 1) << MSS_BITS | mss;
    uint8_t bytes[16 + 16 + 2 + 2 + 4 + 8 + 4];

    memcpy(bytes, t->local.addr.byte, 16);
    memcpy(bytes + 16, t->remote.addr.byte, 16);
    memcpy(bytes + 32, &t->local.port, 2);
    memcpy(bytes + 34, &t->remote.port, 2);
    memcpy(bytes + 36, &irs, 4);
    memcpy(bytes + 40, &period, 8);
    memcpy(bytes + 48, &low, 4);
    return (tcp_seq)siphash(&tcp->syn_key, bytes, sizeof(bytes)) << LOW_BITS | low;
}

static int64_t period_now(const struct tcp *tcp)
{
    return tcp->cx->now / PERIOD;
}

/* --- the SYN-ACK ------------------------------------------------------------------------------ */

static unsigned mss_index(const struct tcp_options *theirs, const struct tlsyn_addr *peer)
{
    unsigned i = MSS_MASK;

    while (i > 0 && mss_table[i] > tcp_peer_mss(theirs, peer))
        i--;
    return i;
}

/* The latest time, not ahead of the clock, whose low bits are `bits`. */
static uint32_t stamp(const struct tcp *tcp, const struct tuple *t, uint32_t bits)
{
    uint32_t now = (uint32_t)(tcp->cx->now / 1000), at = (now & ~TS_MASK) | bits;

    if (at > now)
        at -= TS_MASK + 1u;
    return at + isn_ts_offset(&tcp->isn_key, &t->local, &t->remote);
}

static void fill_options(const struct tlsyn_listener *listener, const struct tuple *t,
                         const struct wire_tcp *syn, struct wire_tcp *synack)
{
    const struct tcp_options *theirs = &syn->options;
    struct tcp_options *ours = &synack->options;
    const struct tlsyn_conn_options *options = &listener->options.conn;
    struct tcp *tcp = listener->tcp;
    uint32_t bits = WSCALE_NONE;

    if (!theirs->has_ts || options->no_timestamps) {
        ecn_answer(syn, synack, false);
        return;
    }
    if (theirs->has_wscale && !options->no_window_scale) {
        ours->has_wscale = true;
        ours->wscale = tcp_wscale_to_announce(&tcp->cx->limits);
        bits = theirs->wscale < WSCALE_NONE ? theirs->wscale : WSCALE_NONE - 1u;
    }
    ours->sack_permitted = theirs->sack_permitted && !options->no_sack;
    bits |= ours->sack_permitted ? SACK_BIT : 0u;
    bits |= ecn_answer(syn, synack, true) ? ECN_BIT : 0u;
    ours->has_ts = true;
    ours->tsval = stamp(tcp, t, bits);
    ours->tsecr = theirs->tsval;
}

/* A Fast Open cookie needs no memory on our side either, and lets its owner in next time even if
 * the flood goes on. */
static void fill_fastopen(const struct tlsyn_listener *listener, const struct tuple *t,
                          const struct tcp_options *theirs, struct tcp_options *ours)
{
    if (!theirs->has_fastopen || !listener->options.cookies)
        return;
    ours->has_fastopen = true;
    ours->fastopen_experimental = theirs->fastopen_experimental;
    ours->cookie_len = TCP_COOKIE_LEN;
    tcp_cookie_make(listener, &(const struct tcp_ends){t->remote.addr, t->local.addr},
                    ours->cookie);
    count(listener->tcp->cx, TLSYN_COUNT_tcp_fastopen_cookie_reqd);
    count(listener->tcp->cx, TLSYN_COUNT_tcp_fastopen_cookie_sent);
}

void syncookie_answer(struct tlsyn_listener *listener, const struct ip_datagram *datagram,
                      const struct wire_tcp *syn)
{
    struct tcp *tcp = listener->tcp;
    const struct tlsyn_conn_options *options = &listener->options.conn;
    struct tuple t = tuple_of(datagram, syn);
    const struct tlsyn_source_route back = ip_route_back(datagram);
    struct ip_tx tx = {.src = datagram->dst, .dst = datagram->src, .via = &back};
    struct tlsyn_addr first = wire_route_first(&back, &datagram->src);
    uint32_t window = buffers_rcv_first(&tcp->cx->limits, options);
    struct ip_path path;

    if (ip_path_find(tcp->ip, &first, &path) < 0)
        return;
    struct wire_tcp synack = {
        .src_port = syn->dst_port,
        .dst_port = syn->src_port,
        .seq = make(tcp, &t, syn->seq, period_now(tcp), mss_index(&syn->options, &t.remote.addr)),
        .ack = syn->seq + 1u,
        .flags = TCP_SYN | TCP_ACK,
        .wnd = (uint16_t)(window < UINT16_MAX ? window : UINT16_MAX),
        .options = {.mss = tcp_mss_to_announce(options, &path)},
    };
    fill_options(listener, &t, syn, &synack);
    fill_fastopen(listener, &t, &syn->options, &synack.options);
    count(tcp->cx, TLSYN_COUNT_tcp_syncookies_sent);
    tcp->syncookies_until = tcp->cx->now + 2 * PERIOD;
    tcp_emit(tcp, 0, &synack, &tx);
}

/* --- its acknowledgement ---------------------------------------------------------------------- */

/* What the SYN must have asked for; true if ECN was among it. */
static bool read_stamp(const struct tcp *tcp, const struct tuple *t,
                       const struct tcp_options *theirs, struct tcp_options *syn)
{
    uint32_t bits = (theirs->tsecr - isn_ts_offset(&tcp->isn_key, &t->local, &t->remote)) & TS_MASK;

    if (!theirs->has_ts)
        return false;
    syn->has_ts = true;
    syn->tsval = theirs->tsval;
    syn->sack_permitted = bits & SACK_BIT;
    syn->has_wscale = (bits & WSCALE_MASK) != WSCALE_NONE;
    syn->wscale = bits & WSCALE_MASK;
    return bits & ECN_BIT;
}

bool syncookie_possible(const struct tcp *tcp)
{
    return tcp->cx->now < tcp->syncookies_until;
}

bool syncookie_check(struct tcp *tcp, const struct ip_datagram *datagram,
                     const struct wire_tcp *segment, struct wire_tcp *syn)
{
    tcp_seq cookie = segment->ack - 1u, irs = segment->seq - 1u;
    struct tuple t = tuple_of(datagram, segment);
    unsigned mss = cookie & MSS_MASK;
    int64_t period = period_now(tcp);

    if (!syncookie_possible(tcp) || segment->flags & TCP_SYN)
        return false;
    period -= (period ^ (int64_t)(cookie >> MSS_BITS)) & 1;
    if (make(tcp, &t, irs, period, mss) != cookie) {
        count(tcp->cx, TLSYN_COUNT_tcp_syncookies_failed);
        return false;
    }
    count(tcp->cx, TLSYN_COUNT_tcp_syncookies_recv);
    *syn = (struct wire_tcp){.src_port = segment->src_port,
                             .dst_port = segment->dst_port,
                             .seq = irs,
                             .flags = TCP_SYN,
                             .wnd = segment->wnd,
                             .options = {.mss = mss_table[mss]}};
    ecn_recall(syn, segment, read_stamp(tcp, &t, &segment->options, &syn->options));
    return true;
}
