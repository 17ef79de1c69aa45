/*
 * tcp/handshake_passive.c: a SYN for a listener, and what comes of it: RFC 9293 3.10.7.2, and the
 * end of SYN-RECEIVED. The theory: handshake.c. Read first: RFC 4987 3, RFC 6528 3, RFC 7413 4.2.
 */
#include "tcp/handshake.h"

#include <errno.h>

#include "tcp/admit.h"
#include "tcp/close.h"
#include "tcp/listener.h"
#include "tcp/options.h"
#include "tcp/recv.h"
#include "tcp/reply.h"
#include "tcp/syncookie.h"
#include "tcp/via.h"
#include "wire/source_route.h"

/* A half-open connection makes room for another one. Its peer gets no RST: the address of the
 * oldest is most likely forged. */
static void evict(struct tlsyn_conn *conn)
{
    count(conn->tcp->cx, TLSYN_COUNT_tcp_listen_overflows);
    drop(conn->tcp->cx, TLSYN_DROP_tcp_backlog_full);
    tcp_finish(conn, -ETIMEDOUT);
}

static struct tlsyn_conn *first_of(struct list *half_opens)
{
    struct list *first = list_first(half_opens);

    return first ? container_of(first, struct tlsyn_conn, waiting) : NULL;
}

static struct tlsyn_conn *oldest(struct tcp *tcp)
{
    struct tlsyn_conn *plain = first_of(&tcp->half_opens);
    struct tlsyn_conn *embedded = first_of(&tcp->embedded_opens);

    if (!plain || !embedded)
        return plain ? plain : embedded;
    return (int32_t)(plain->number - embedded->number) < 0 ? plain : embedded;
}

/* RFC 4987 3.4: without SYN cookies the SYNs of a flood take each other's places, and an honest
 * client gets through if it answers before its own place is taken. If new SYNs were dropped
 * instead, it would have to wait until the flood's have timed out. Engines are treated alike. This
 * is the last thing done for a SYN, because the user's on_closed may close the listener. */
static void keep_to_backlog(struct tcp *tcp, enum tcp_admission admitted)
{
    if (tcp->embedded > tcp_admission_bound(tcp, admitted) &&
        tcp_overdue(tcp, &tcp->embedded_opens))
        evict(first_of(&tcp->embedded_opens));
    if (tcp->half_open > tcp->cx->limits.syn_backlog)
        evict(oldest(tcp));
}

/* The SYN-ACK brings a cookie where the SYN asked for one, and where the one that it brought is not
 * ours or is of a key that was replaced. (R7413-4) */
static void prepare_cookie(struct tlsyn_conn *conn, const struct tcp_options *theirs,
                           enum tcp_admission verdict)
{
    if (!theirs->has_fastopen || !conn->opening->listener->options.cookies ||
        verdict == TCP_ADMIT_VALID_COOKIE)
        return;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_cookie_reqd);
    conn->give_cookie = true;
    conn->fastopen_experimental = theirs->fastopen_experimental;
    conn->syn_cookie_len = TCP_COOKIE_LEN;
    tcp_cookie_make(conn->opening->listener,
                    &(const struct tcp_ends){conn->remote.addr, conn->local.addr},
                    conn->opening->cookie);
}

/* It has an engine, and still is half open. */
static void engage(struct tlsyn_conn *conn)
{
    conn->engaged = true;
    conn->tcp->embedded++;
    list_remove(&conn->waiting);
    list_append(&conn->tcp->embedded_opens, &conn->waiting);
}

static bool give_handler(struct tlsyn_conn *conn)
{
    struct tlsyn_acceptor *acceptor = conn->opening->listener->acceptor;

    conn->in_event++; /* an acceptor may abort what it is given */
    conn->handler = acceptor->accept(acceptor, conn);
    conn->in_event--;
    if (conn->released) /* it changed its mind */
        conn->handler = NULL;
    tcp_tell_closed(conn);
    return conn->handler != NULL || conn->closed_told;
}

/* The engine has no time now: as if the SYN's text had not been admitted. The client sends it
 * again. */
static void put_back(struct tlsyn_conn *conn)
{
    count(conn->tcp->cx, TLSYN_COUNT_tcp_admit_engine_busy);
    ring_consume(&conn->rcv, conn->rcv.used);
    conn->rcv_nxt = conn->irs + 1;
    conn->rcv_total = 0;
    conn->rcv_copied = 0;
    conn->embedded = false;
    conn->level = TLSYN_LEVEL_NONE;
    conn->syn_text = conn->syn_text_acked = 0;
}

/* The SYN's payload was admitted: it is text in order from here on, and the engine answers before
 * the SYN-ACK is built. */
static void embed(struct tlsyn_conn *conn, const struct wire_tcp *syn)
{
    struct wire_tcp text = *syn;

    text.seq++;
    if (!give_handler(conn)) {
        tcp_refuse(conn, -ECONNREFUSED);
        return;
    }
    if (conn->state == TLSYN_CLOSED)
        return; /* the acceptor aborted it */
    engage(conn);
    tcp_take_text(conn, &text);
    if (seq_diff(conn->rcv_nxt, conn->irs + 1) != (int32_t)syn->text_len)
        return; /* no memory: only the SYN is acknowledged, and the text comes again */
    conn->embedded = true;
    conn->syn_text = conn->syn_text_acked = (uint16_t)syn->text_len;
    int error = tcp_event_syn(conn);
    if (error == -EAGAIN && conn->snd.used == 0) {
        put_back(conn);
        return;
    }
    if (error == 0)
        error = tcp_open_pad(conn);
    if (error < 0) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_passive_fail);
        tcp_refuse(conn, error);
        return;
    }
    count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_passive);
}

static struct tlsyn_conn *conn_from_syn(struct tlsyn_listener *listener,
                                        const struct ip_datagram *datagram,
                                        const struct wire_tcp *syn)
{
    struct tcp *tcp = listener->tcp;
    const struct tlsyn_endpoint local = {datagram->dst, syn->dst_port};
    const struct tlsyn_endpoint remote = {datagram->src, syn->src_port};
    const struct tlsyn_source_route back = ip_route_back(datagram);
    struct tlsyn_addr first = wire_route_first(&back, &remote.addr);
    struct ip_path path;
    int error = ip_path_find(tcp->ip, &first, &path);
    struct tlsyn_conn *conn =
        error < 0 ? NULL : tcp_conn_new(tcp, &local, &remote, &listener->options.conn, &error);

    if (!conn) {
        drop(tcp->cx, error == -ENOMEM ? TLSYN_DROP_no_memory : TLSYN_DROP_tcp_connections_full);
        return NULL;
    }
    conn->opening->listener = listener;
    via_arrives(conn, datagram);
    tcp_options_offer(conn, &listener->options.conn, &path);
    tcp_options_accept(conn, &syn->options);
    ecn_syn_arrives(conn, syn);
    conn->irs = syn->seq;
    conn->rcv_nxt = conn->rcv_adv = conn->last_ack_sent = syn->seq + 1;
    conn->snd_wnd = conn->snd_wnd_max = syn->wnd;
    conn->snd_wl1 = syn->seq;
    conn->snd_wl2 = conn->iss;
    conn->opening->unvalidated_in = datagram->len + ip_header_len(&datagram->src);
    tcp_set_state(conn, TLSYN_SYN_RECEIVED);
    return conn;
}

static void number_from(struct tlsyn_conn *conn, tcp_seq iss)
{
    conn->iss = iss;
    conn->snd_una = conn->snd_nxt = conn->snd_rtx = conn->recover = conn->snd_wl2 = iss;
    conn->snd_small = iss;
    rack_init(&conn->rack, iss);
}

/* RFC 9293 3.6.1: the new incarnation's numbers lie above the old one's. The clock of RFC 6528 sees
 * to that only up to 250 kB/s. R6528-3 */
static void number_above(struct tlsyn_conn *conn, tcp_seq above)
{
    if (!seq_gt(conn->iss, above))
        number_from(conn, above + UINT16_MAX);
}

static void syn_arrives(struct tlsyn_listener *listener, const struct ip_datagram *datagram,
                        const struct wire_tcp *syn, const tcp_seq *above)
{
    const struct tcp_ask ask = {.ends = {datagram->src, datagram->dst},
                                .syn = syn,
                                .segment_len = datagram->len,
                                .known = above != NULL};
    struct tcp *tcp = listener->tcp;
    enum tcp_admission verdict = tcp_admit(listener, &ask);
    bool flood = tcp_admission_is_flood(verdict);
    struct tlsyn_conn *conn = flood ? NULL : conn_from_syn(listener, datagram, syn);

    TRACE(tcp->cx, tcp_admit, conn ? conn->number : 0, verdict, syn->text_len);
    if (flood)
        syncookie_answer(listener, datagram, syn);
    if (!conn)
        return;
    if (above)
        number_above(conn, *above);
    conn->opening->share = tcp_admission_share(verdict);
    conn->level = tcp_admission_level(verdict);
    conn->validated = conn->level == TLSYN_LEVEL_COOKIE;
    prepare_cookie(conn, &syn->options, verdict);
    if (conn->level != TLSYN_LEVEL_NONE)
        embed(conn, syn);
    tcp_set_ready(conn);
    tcp_check(conn);
    keep_to_backlog(tcp, verdict);
}

/* Our SYN-ACK was a SYN cookie: the connection becomes what it would be had we kept the SYN. */
static struct tlsyn_conn *conn_from_cookie(struct tlsyn_listener *listener,
                                           const struct ip_datagram *datagram,
                                           const struct wire_tcp *segment)
{
    struct wire_tcp syn;

    if (!syncookie_check(listener->tcp, datagram, segment, &syn)) {
        drop(listener->tcp->cx, TLSYN_DROP_tcp_ack_invalid);
        if (!syncookie_possible(listener->tcp) || segment->flags & TCP_SYN)
            tcp_reply_rst(listener->tcp, datagram, segment);
        return NULL;
    }
    if (tcp_listener_is_full(listener))
        return NULL;
    struct tlsyn_conn *conn = conn_from_syn(listener, datagram, &syn);
    if (!conn)
        return NULL;
    number_from(conn, segment->ack - 1u);
    conn->snd_nxt = conn->snd_rtx = segment->ack;
    /* the window that the SYN-ACK promised */
    conn->rcv_adv += conn->rcv_max < UINT16_MAX ? conn->rcv_max : UINT16_MAX;
    return conn;
}

struct tlsyn_conn *tcp_listen_arrives(struct tlsyn_listener *listener,
                                      const struct ip_datagram *datagram,
                                      const struct wire_tcp *segment, const tcp_seq *above)
{
    struct tcp *tcp = listener->tcp;

    /* first, check for a RST; second, for an ACK; third, for a SYN */
    if (segment->flags & TCP_RST) {
        drop(tcp->cx, TLSYN_DROP_tcp_rst_invalid);
        return NULL;
    }
    if (segment->flags & TCP_ACK)
        return conn_from_cookie(listener, datagram, segment);
    if (!(segment->flags & TCP_SYN) || segment->flags & TCP_FIN)
        drop(tcp->cx, TLSYN_DROP_tcp_flags);
    else if (tcp_listener_is_full(listener))
        return NULL;
    else
        syn_arrives(listener, datagram, segment, above);
    return NULL;
}

void tcp_complete_open(struct tlsyn_conn *conn)
{
    tcp_open_enter(conn);
    if (!conn->active) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_passive_opens);
        if (conn->opening->share != SOURCE_SHARES)
            sources_give_back(&conn->tcp->sources, &conn->remote.addr, conn->opening->share);
        if (!conn->handler && !conn->released && !give_handler(conn)) {
            tcp_refuse(conn, -ECONNREFUSED);
            return;
        }
        if (conn->state == TLSYN_CLOSED) /* the acceptor aborted it */
            return;
    }
    tcp_open_tell(conn);
}
