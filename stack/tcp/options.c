/*
 * tcp/options.c: negotiation. Read first: RFC 9293 3.7.1, RFC 7323 2 and 3, RFC 2018 2 to 4.
 */
#include "tcp/options.h"

#include "tcp/segment.h"

#define TIMESTAMP_SPACE 12
#define WSCALE_MAX      14  /* RFC 7323 2.3 */
#define MSS_DEFAULT_IP4 536 /* RFC 9293 3.7.1, MUST-15 */
#define MSS_DEFAULT_IP6 1220
/* A smaller MSS serves only to make us send many tiny segments (CVE-2019-11479). */
#define MSS_MIN 88

uint8_t tcp_wscale_to_announce(const struct tlsyn_limits *limits)
{
    uint8_t scale = 0;

    while (scale < WSCALE_MAX && limits->rcv_ring_max >> scale > UINT16_MAX)
        scale++;
    return scale;
}

/* MUST-67 */
uint16_t tcp_mss_to_announce(const struct tlsyn_conn_options *options, const struct ip_path *path)
{
    uint16_t mss = (uint16_t)(path->link_mtu - ip_header_len(&path->src) - TCP_HEADER_LEN);

    if (options->mss_max && options->mss_max < mss)
        mss = options->mss_max < MSS_MIN ? MSS_MIN : options->mss_max;
    return mss;
}

uint16_t tcp_peer_mss(const struct tcp_options *theirs, const struct tlsyn_addr *peer)
{
    uint16_t otherwise = tlsyn_addr_is_ip4(peer) ? MSS_DEFAULT_IP4 : MSS_DEFAULT_IP6;

    return theirs->mss ? theirs->mss : otherwise;
}

void tcp_options_offer(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options,
                       const struct ip_path *path)
{
    tcp_mtu_init(conn, path);
    conn->rcv_mss = tcp_mss_to_announce(options, path);
    conn->gso_max = path->gso_max;
    conn->rcv_wscale = tcp_wscale_to_announce(&conn->tcp->cx->limits);
    conn->wscale_ok = !options->no_window_scale;
    conn->ts_ok = !options->no_timestamps;
    conn->sack_ok = !options->no_sack;
    conn->peer_mss = tcp_peer_mss(&(const struct tcp_options){0}, &conn->remote.addr);
    /* until the peer says what it takes */
    conn->mss = (uint16_t)(conn->rcv_mss - wire_route_len(conn->via));
    cc_set_smss(&conn->cc, conn->mss);
}

/* R7323-MSS1 */
void tcp_set_path_mtu(struct tlsyn_conn *conn, uint16_t mtu)
{
    uint16_t headers = tcp_headers_len(conn);
    uint16_t mss = mtu > headers + MSS_MIN ? (uint16_t)(mtu - headers) : MSS_MIN;

    if (conn->ts_ok)
        mss = (uint16_t)(mss - TIMESTAMP_SPACE); /* RFC 6691: options come out of the segment */
    conn->mss = mss;
    cc_set_smss(&conn->cc, mss);
}

void tcp_options_accept(struct tlsyn_conn *conn, const struct tcp_options *theirs)
{
    conn->peer_mss = tcp_peer_mss(theirs, &conn->remote.addr);
    conn->ts_ok = conn->ts_ok && theirs->has_ts;
    if (conn->ts_ok) {
        conn->ts_recent = theirs->tsval;
        conn->ts_recent_at = conn->tcp->cx->now;
    }
    conn->sack_ok = conn->sack_ok && theirs->sack_permitted;
    if (!conn->sack_ok && conn->cc.ops->needs_sack)
        cc_become(&conn->cc, cc_find(NULL), conn->tcp->cx->alloc, conn->iss);
    /* R7323-WS4 */
    conn->wscale_ok = conn->wscale_ok && theirs->has_wscale;
    if (!conn->wscale_ok)
        conn->rcv_wscale = 0;
    else /* R7323-WS3 */
        conn->snd_wscale = theirs->wscale < WSCALE_MAX ? theirs->wscale : WSCALE_MAX;
    tcp_mtu_settle(conn);
}

/* R7323-PAWS5 */
uint32_t tcp_ts_now(const struct tlsyn_conn *conn)
{
    return (uint32_t)(conn->tcp->cx->now / 1000) + conn->ts_offset;
}

/* RFC 2018 3: how many blocks there is space for, beside timestamps. */
static unsigned sack_room(const struct tlsyn_conn *conn)
{
    return conn->ts_ok ? 3 : TCP_SACK_BLOCKS_MAX;
}

uint16_t tcp_send_mss(const struct tlsyn_conn *conn)
{
    unsigned wanted = conn->ooo.count + conn->twice_due;
    unsigned blocks = wanted < sack_room(conn) ? wanted : sack_room(conn);

    if (!conn->sack_ok || blocks == 0)
        return conn->mss;
    return (uint16_t)(conn->mss - (4 + 8 * blocks)); /* two NOPs, kind, length */
}

uint16_t tcp_rcv_full(const struct tlsyn_conn *conn)
{
    return (uint16_t)(conn->rcv_mss - (conn->ts_ok ? TIMESTAMP_SPACE : 0));
}

static void add_sack(const struct tlsyn_conn *conn, const struct range *r, struct tcp_options *ours)
{
    struct tcp_sack_block block = {
        .left = conn->rcv_nxt + (tcp_seq)(r->from - conn->rcv_total),
        .right = conn->rcv_nxt + (tcp_seq)(r->to - conn->rcv_total),
    };

    for (int i = conn->twice_due; i < ours->sack_count; i++)
        if (ours->sack[i].left == block.left)
            return;
    if (ours->sack_count < sack_room(conn))
        ours->sack[ours->sack_count++] = block;
}

/* RFC 2018 4: the block with the segment that came last first, then those reported most recently,
 * then the others, as many as there is room for. (R2018-4, R2018-5) */
static void fill_sack(const struct tlsyn_conn *conn, struct tcp_options *ours)
{
    if (conn->twice_due) { /* RFC 2883 4: the duplicate comes first, and once */
        count(conn->tcp->cx, TLSYN_COUNT_tcp_dsack_sent);
        ours->sack[ours->sack_count++] = conn->twice;
    }
    for (int i = 0; i < TCP_SACK_BLOCKS_MAX; i++) {
        int32_t ahead = seq_diff(conn->ooo_recent[i], conn->rcv_nxt);
        const struct range *r =
            ahead > 0 ? ranges_find(&conn->ooo, conn->rcv_total + (uint32_t)ahead) : NULL;

        if (r)
            add_sack(conn, r, ours);
    }
    for (int i = 0; i < conn->ooo.count; i++)
        add_sack(conn, &conn->ooo.at[i], ours);
}

/* The levels whose SYN has the Fast Open option: PAPER's has none. */
static bool is_fastopen(enum tlsyn_level level)
{
    return level == TLSYN_LEVEL_OPEN || level == TLSYN_LEVEL_COOKIE ||
           level == TLSYN_LEVEL_FASTOPEN;
}

/* R7413-1 */
static void fill_fastopen(const struct tlsyn_conn *conn, bool synack, struct tcp_options *ours)
{
    if (conn->syn_plain)
        return;
    if (synack && conn->give_cookie) {
        ours->has_fastopen = true;
        ours->fastopen_experimental = conn->fastopen_experimental;
        ours->cookie_len = conn->syn_cookie_len;
        memcpy(ours->cookie, conn->opening->cookie, conn->syn_cookie_len);
    } else if (!synack && is_fastopen(conn->level)) {
        ours->has_fastopen = true;
        ours->cookie_len = conn->syn_cookie_len;
        memcpy(ours->cookie, conn->opening->cookie, conn->syn_cookie_len);
    }
}

/* The MSS option of a SYN. If a router has said that a SYN with text was too long for the path, the
 * peer's segments are likely to meet the same router; so the SYN that follows asks for shorter
 * ones. */
static uint16_t mss_due(const struct tlsyn_conn *conn)
{
    uint16_t headers = tcp_headers_len(conn);

    if (conn->state != TLSYN_SYN_SENT || !conn->syn_plain ||
        conn->mtu.path >= conn->rcv_mss + headers)
        return conn->rcv_mss;
    return (uint16_t)(conn->mtu.path - headers);
}

/* R7323-TS1, R7323-TS4, R7323-TS5, R2018-1, R2018-2, R2018-3 */
void tcp_options_fill(const struct tlsyn_conn *conn, uint8_t flags, struct tcp_options *ours)
{
    *ours = (struct tcp_options){0};
    if (conn->ts_ok) {
        ours->has_ts = true;
        ours->tsval = tcp_ts_now(conn);
        ours->tsecr = flags & TCP_ACK ? conn->ts_recent : 0;
    }
    if (flags & TCP_SYN) {
        /* MUST-14, MUST-65, SHLD-5, MAY-3 */
        ours->mss = mss_due(conn);
        /* R7323-WS1 */
        ours->has_wscale = conn->wscale_ok;
        ours->wscale = conn->rcv_wscale;
        ours->sack_permitted = conn->sack_ok;
        fill_fastopen(conn, flags & TCP_ACK, ours);
    } else if (conn->sack_ok && (conn->ooo.count || conn->twice_due)) {
        fill_sack(conn, ours);
    }
}
