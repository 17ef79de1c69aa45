/*
 * tcp/handshake.c: opening a connection, and the active side of it; the passive one is in
 * handshake_passive.c. Read first: RFC 9293 3.5, 3.10.7.2, 3.10.7.3; RFC 7413 4.2;
 * docs/HANDSHAKE.md.
 *
 * One rule makes a TLS handshake ride in TCP's: each hook runs before the segment that answers is
 * built, and writes into the send ring; output takes text from that ring for SYN, SYN-ACK and ACK
 * as it does for any other segment.
 *
 *     active                                    passive
 *     on_open writes into snd
 *     SYN, text from snd        ------------>   admitted: text into rcv, on_syn reads it and writes
 *                                               into snd
 *                               <------------   SYN-ACK, text from snd (more segments behind it)
 *     text into rcv, on_synack reads it and writes into snd
 *     ACK, text from snd        ------------>   ESTABLISHED
 *
 * Where the peer acknowledges the SYN alone, snd_una stops at iss + 1, snd_rtx with it, and the
 * same bytes leave as ordinary text: there is no code for the fallback.
 */
#include "tcp/handshake.h"

#include <errno.h>

#include "tcp/ack.h"
#include "tcp/buffers.h"
#include "tcp/close.h"
#include "tcp/demux.h"
#include "tcp/early.h"
#include "tcp/embed.h"
#include "tcp/keepalive.h"
#include "tcp/metrics.h"
#include "tcp/options.h"
#include "tcp/output.h"
#include "tcp/recv.h"
#include "tcp/reply.h"
#include "tcp/segment.h"
#include "tcp/settings.h"
#include "tcp/timers.h"
#include "tcp/via.h"
#include "wire/source_route.h"

/* RFC 7413 4.2.1: SYN text must fit what the peer can take; Linux leaves 40 bytes of its
 * MSS to options. */
#define SYN_OPTION_SPACE 40

/* R5681-2 */
static void syn_was_lost(struct tlsyn_conn *conn)
{
    if (!conn->rtt.srtt)
        rtt_syn_was_lost(&conn->rtt);
    /* RFC 5681 3.1, but only after more than one retransmission: RFC 6928 2 */
    if (conn->syn_retransmits > 1)
        conn->cc.cwnd = conn->cc.smss;
}

void tcp_open_enter(struct tlsyn_conn *conn)
{
    conn->validated = true;
    conn->stalled_since = TLSYN_NEVER;
    tcp_set_state(conn, TLSYN_ESTABLISHED);
    tcp_keepalive_heard(conn);
    tcp_keepalive_start(conn);
    if (conn->syn_retransmits)
        syn_was_lost(conn);
    metrics_use(conn);
    if (conn->fin_queued) /* the user closed while it was being opened */
        tcp_set_state(conn, TLSYN_FIN_WAIT_1);
}

void tcp_open_tell(struct tlsyn_conn *conn)
{
    tcp_event_established(conn);
    if (conn->rcv.used && conn->state != TLSYN_CLOSED)
        tcp_event_data(conn);
}

int tcp_open_pad(struct tlsyn_conn *conn)
{
    struct tlsyn_view view;

    if (conn->level != TLSYN_LEVEL_PAPER || conn->snd.used == 0 ||
        conn->snd.used >= TLSYN_PAPER_PAYLOAD)
        return 0;
    uint32_t missing = TLSYN_PAPER_PAYLOAD - conn->snd.used;
    if (buffers_snd_room(conn, missing) != (ssize_t)missing)
        return -ENOBUFS;
    ring_view(&conn->snd, conn->snd.used, missing, &view);
    for (int i = 0; i < 2; i++)
        if (view.part[i].iov_len)
            memset(view.part[i].iov_base, 0, view.part[i].iov_len);
    ring_commit(&conn->snd, missing);
    return 0;
}

void tcp_refuse(struct tlsyn_conn *conn, int error)
{
    if (conn->state == TLSYN_CLOSED)
        return;
    conn->refused = true;
    conn->error = conn->error ? conn->error : error;
    conn->close_pending = true;
    tcp_set_ready(conn);
    tcp_tell_closed(conn);
}

/* --- active ----------------------------------------------------------------------------------- */

/* Bytes of text that fit behind the options of a SYN to this peer, whose MSS we may know. */
static uint32_t syn_limit(const struct tlsyn_conn *conn, const struct dest *dest)
{
    uint32_t room = dest && dest->mss && dest->mss < conn->rcv_mss ? dest->mss : conn->rcv_mss;
    uint32_t path = conn->mtu.path - tcp_headers_len(conn);

    if (conn->level == TLSYN_LEVEL_NONE || embed_is_off(conn->tcp, dest) ||
        (conn->level == TLSYN_LEVEL_FASTOPEN && !(dest && dest->cookie_len)))
        return 0;
    room = room < path ? room : path;
    return room > SYN_OPTION_SPACE ? room - SYN_OPTION_SPACE : 0;
}

uint32_t tlsyn_conn_syn_room(const struct tlsyn_conn *conn)
{
    return syn_limit(conn, dests_find(&conn->tcp->dests, &conn->remote.addr));
}

/* All of the first flight rides in the SYN, or nothing does: half a flight is no use to an engine.
 * Of a Fast Open's stream any part will do. */
static uint16_t syn_text_for(enum tlsyn_level level, uint32_t used, uint32_t limit)
{
    if (level == TLSYN_LEVEL_FASTOPEN && used > limit)
        return (uint16_t)limit;
    return used > limit ? 0 : (uint16_t)used;
}

/* Embedding is not off: does the SYN have text, and if not, why? */
static enum tlsyn_embedding judge_syn_text(const struct tlsyn_conn *conn, bool has_cookie)
{
    if (conn->syn_text > 0)
        return TLSYN_EMBEDDING_SENT;
    if (conn->level == TLSYN_LEVEL_FASTOPEN && !has_cookie)
        return TLSYN_EMBEDDING_NO_COOKIE;
    return conn->snd.used == 0 ? TLSYN_EMBEDDING_NOTHING : TLSYN_EMBEDDING_NO_ROOM;
}

/* R7413-9 */
static void choose_syn_text(struct tlsyn_conn *conn)
{
    const struct dest *dest = dests_find(&conn->tcp->dests, &conn->remote.addr);
    bool has_cookie = dest && dest->cookie_len;

    if (conn->level == TLSYN_LEVEL_NONE)
        return;
    if (embed_is_off(conn->tcp, dest)) { /* without the option too: it may have been the reason */
        count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_off);
        conn->embedding = TLSYN_EMBEDDING_OFF;
        conn->syn_plain = true;
        return;
    }
    conn->syn_text = syn_text_for(conn->level, conn->snd.used, syn_limit(conn, dest));
    conn->embedding = judge_syn_text(conn, has_cookie);
    if (conn->syn_text > 0)
        metrics_time_syn(conn);
    else if (conn->level != TLSYN_LEVEL_FASTOPEN)
        return; /* an engine's flight that does not fit: as if we had no cookie, and ask for one */
    if (has_cookie && conn->level != TLSYN_LEVEL_OPEN && conn->level != TLSYN_LEVEL_PAPER) {
        conn->syn_cookie_len = dest->cookie_len;
        memcpy(conn->opening->cookie, dest->cookie, dest->cookie_len);
    }
}

/* MUST-43, MUST-44 */
static int choose_address(struct tcp *tcp, const struct tlsyn_connect_options *options,
                          const struct ip_path *path, struct tlsyn_endpoint *local)
{
    *local = options->local;
    if (tlsyn_addr_unspecified(&local->addr))
        local->addr = path->src;
    else if (tlsyn_addr_is_ip4(&local->addr) != tlsyn_addr_is_ip4(&options->remote.addr))
        return -EAFNOSUPPORT;
    else if (!ip_is_ours(tcp->ip, &local->addr))
        return -EADDRNOTAVAIL;
    return 0;
}

/* RFC 9293 3.9.1.1 (MUST-46): not to a multicast address, nor to the limited broadcast. */
static bool valid_remote(const struct tlsyn_endpoint *remote)
{
    const struct tlsyn_addr *a = &remote->addr;

    if (remote->port == 0 || tlsyn_addr_unspecified(a))
        return false;
    return tlsyn_addr_is_ip4(a) ? tlsyn_addr_octets(a)[0] < 224 : a->byte[0] != 0xff;
}

int tcp_connect(struct tcp *tcp, const struct tlsyn_connect_options *options,
                struct tlsyn_handler *handler, struct tlsyn_conn **out)
{
    struct tlsyn_endpoint local;
    struct ip_path path;
    struct tlsyn_addr first = wire_route_first(&options->via, &options->remote.addr);
    int error = valid_remote(&options->remote) ? settings_check(&options->conn) : -EINVAL;

    if (error == 0 && !via_is_possible(&options->via, &options->remote.addr))
        error = -EINVAL;
    if (error == 0)
        error = ip_path_find(tcp->ip, &first, &path);
    if (error == 0)
        error = choose_address(tcp, options, &path, &local);
    if (error < 0)
        return error;
    struct tlsyn_conn *conn = tcp_conn_new(tcp, &local, &options->remote, &options->conn, &error);
    if (!conn)
        return error;
    conn->active = true;
    conn->ecn.asked = options->conn.ecn;
    conn->ecn.asked_classic = options->conn.ecn_classic;
    conn->validated = true; /* we chose whom to write to */
    conn->level = options->level;
    conn->handler = handler;
    error = via_ask(conn, &options->via);
    tcp_options_offer(conn, &options->conn, &path);
    if (error == 0)
        error = tcp_event_open(conn);
    if (error == 0)
        error = conn->close_pending ? conn->error : tcp_open_pad(conn);
    if (error < 0) {
        conn->handler = NULL; /* it learns of this by what we return */
        tcp_finish(conn, error);
        tcp_tell_closed(conn);
        return error;
    }
    choose_syn_text(conn);
    count(tcp->cx, TLSYN_COUNT_tcp_active_opens);
    tcp_set_state(conn, TLSYN_SYN_SENT);
    tcp_set_ready(conn);
    if (out)
        *out = conn;
    tcp_check(conn);
    return 0;
}

/* Remembers for the next open what the SYN-ACK tells about the peer. */
static void learn(struct tlsyn_conn *conn, const struct tcp_options *theirs)
{
    struct dest *dest = dests_learn(&conn->tcp->dests, &conn->remote.addr);

    if (!dest)
        return;
    dest->mss = theirs->mss;
    if (theirs->has_fastopen && theirs->cookie_len) {
        conn->cookie_received = true;
        dest->cookie_len = theirs->cookie_len;
        memcpy(dest->cookie, theirs->cookie, theirs->cookie_len);
    } else if (conn->syn_cookie_len && conn->syn_text && !conn->syn_plain &&
               conn->snd_una == conn->iss + 1) {
        dest->cookie_len = 0; /* it was not honoured: ask for another (RFC 7413 4.1.3) */
    }
}

static void count_syn_text(struct tlsyn_conn *conn)
{
    if (conn->syn_text == 0)
        return;
    conn->syn_text_acked = (uint16_t)seq_diff(conn->snd_una, conn->iss + 1);
    if (conn->syn_text_acked == conn->syn_text) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_syn_data_acked);
        count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_active);
    } else {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_active_fail);
    }
}

/* RFC 9293 3.10.7.3, fourth: the SYN bit, with an acceptable ACK. */
static void synack_arrives(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    tcp_ack_syn(conn, segment);
    count_syn_text(conn);
    learn(conn, &segment->options);
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
    conn->synack_text = (uint16_t)segment->text_len;
    if (segment->text_len)
        count(conn->tcp->cx, TLSYN_COUNT_tcp_synack_data_received);
    embed_synack_arrives(conn);
    conn->ack_due = TCP_ACK_NOW;
    struct wire_tcp text = *segment;
    text.seq++; /* the SYN is dealt with */
    tcp_take_text(conn, &text);
    tcp_open_enter(conn); /* before the hook: its user may already close, or abort */
    int error = tcp_event_synack(conn);
    if (error < 0) {
        tcp_refuse(conn, error);
        return;
    }
    if (conn->state != TLSYN_CLOSED)
        tcp_open_tell(conn);
    if (conn->state != TLSYN_CLOSED)
        tcp_take_fin(conn, &text);
    if (conn->fin_received && conn->state != TLSYN_CLOSED)
        tcp_event_data(conn);
}

/* Simultaneous open: both SYNs crossed (RFC 9293 3.5 figure 7). The text of a crossing SYN is not
 * kept: it is not acknowledged, and comes again. (MUST-10) */
static void crossing_syn_arrives(struct tlsyn_conn *conn)
{
    tcp_set_state(conn, TLSYN_SYN_RECEIVED);
    if (conn->syn_text)
        conn->embedding = TLSYN_EMBEDDING_CROSSED;
    conn->syn_plain = true;
    conn->snd_rtx = conn->iss; /* SYN-ACK, with our SYN's number */
}

bool tcp_retry_plain(struct tlsyn_conn *conn, enum tlsyn_embedding what)
{
    if (conn->state != TLSYN_SYN_SENT || conn->syn_text == 0 || conn->syn_plain)
        return false;
    embed_syn_failed(conn, what);
    conn->syn_plain = true;
    conn->snd_rtx = conn->iss;
    conn->rtt_timing = false;
    tcp_set_ready(conn);
    return true;
}

void tcp_synsent_arrives(struct tlsyn_conn *conn, const struct ip_datagram *datagram,
                         const struct wire_tcp *segment)
{
    bool ack = segment->flags & TCP_ACK;

    /* first, check the ACK bit */
    if (ack && (seq_leq(segment->ack, conn->iss) || seq_gt(segment->ack, conn->snd_nxt))) {
        drop(conn->tcp->cx, TLSYN_DROP_tcp_ack_invalid);
        tcp_reply_rst(conn->tcp, datagram, segment);
        return;
    }
    /* second, check the RST bit */
    if (segment->flags & TCP_RST) {
        if (!ack) {
            drop(conn->tcp->cx, TLSYN_DROP_tcp_rst_invalid);
            return;
        }
        /* A middlebox that dislikes text in a SYN looks like this too; but not on a path on which
         * we were given a cookie, which FASTOPEN waits for. */
        if (conn->level != TLSYN_LEVEL_FASTOPEN &&
            tcp_retry_plain(conn, TLSYN_EMBEDDING_SYN_REFUSED))
            return;
        count(conn->tcp->cx, TLSYN_COUNT_tcp_attempt_fails);
        tcp_finish(conn, -ECONNREFUSED);
        return;
    }
    /* fourth, check the SYN bit (third was security) */
    if (!(segment->flags & TCP_SYN)) {
        if (ack && (segment->text_len || segment->flags & TCP_FIN))
            early_keep(conn, segment);
        else
            drop(conn->tcp->cx, TLSYN_DROP_tcp_flags);
        return;
    }
    conn->irs = segment->seq;
    conn->rcv_nxt = conn->last_ack_sent = segment->seq + 1;
    conn->rcv_adv = conn->rcv_nxt + conn->rcv_wnd; /* promised by our SYN */
    tcp_options_accept(conn, &segment->options);
    if (ack)
        ecn_synack_arrives(conn, segment);
    /* R7323-WS2 */
    conn->snd_wnd = conn->snd_wnd_max = segment->wnd; /* RFC 7323 2.2: never scaled in a SYN */
    if (ack)
        synack_arrives(conn, segment);
    else
        crossing_syn_arrives(conn);
    tcp_set_ready(conn);
}
