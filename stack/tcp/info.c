/*
 * tcp/info.c: what a connection tells about itself.
 */
#include "tcp/conn.h"
#include "tcp/embed.h"
#include "tcp/pace.h"
#include "tcp/recovery.h"
#include "tcp/urgent.h"

bool tlsyn_conn_validated(const struct tlsyn_conn *conn)
{
    return conn->validated;
}

struct tlsyn_stack *tlsyn_conn_stack(struct tlsyn_conn *conn)
{
    return conn->tcp->stack;
}

void tlsyn_conn_set_handler(struct tlsyn_conn *conn, struct tlsyn_handler *handler)
{
    conn->handler = handler;
}

static void sequence_info(const struct tlsyn_conn *conn, struct tlsyn_conn_info *info)
{
    info->mss = conn->mss;
    info->pmtu = conn->mtu.path;
    info->snd_wscale = conn->snd_wscale;
    info->rcv_wscale = conn->rcv_wscale;
    info->timestamps = conn->ts_ok;
    info->sack = conn->sack_ok;
    info->srtt = conn->rtt.srtt;
    info->rttvar = conn->rtt.rttvar;
    info->rto = conn->rtt.rto;
    info->controller = conn->cc.ops->name;
    info->cwnd = conn->cc.cwnd;
    info->ssthresh = conn->cc.ssthresh;
    info->pacing_rate = tcp_pacing_rate(conn);
    info->delivery_rate = (uint64_t)conn->delivery_rate * 1024;
    info->snd_wnd = conn->snd_wnd;
    info->rcv_wnd = conn->rcv_wnd;
    info->rcv_mss = conn->rcv_mss;
    info->min_rtt = conn->rack.min_rtt;
}

static void off_info(const struct tlsyn_conn *conn, struct tlsyn_conn_info *info)
{
    const struct dest *dest = dests_look(&conn->tcp->dests, &conn->remote.addr);

    if (conn->embedding != TLSYN_EMBEDDING_OFF || !embed_is_off(conn->tcp, dest))
        return;
    info->off_for = dest->off_until - conn->tcp->cx->now;
    info->off_by = dest->failed_by;
}

static uint32_t unsent(const struct tlsyn_conn *conn)
{
    int32_t bytes = seq_diff(tcp_snd_end(conn), seq_max(conn->snd_nxt, tcp_snd_base(conn)));

    return bytes > 0 ? (uint32_t)bytes : 0;
}

static void flight_info(const struct tlsyn_conn *conn, struct tlsyn_conn_info *info)
{
    info->in_flight = tcp_pipe(conn);
    info->sacked = conn->board.sacked;
    info->lost = conn->board.lost;
    info->reordering = conn->rack.reordering_seen;
    info->snd_ring = conn->snd_max;
    info->rcv_ring = conn->rcv_max;
    info->snd_queued = conn->snd.used;
    info->snd_unsent = unsent(conn);
    info->rcv_queued = conn->rcv.used;
    info->rcv_ooo = (uint32_t)ranges_total(&conn->ooo);
    info->rcv_urgent = tcp_rcv_urgent(conn);
    if (conn->snd_urgent)
        info->snd_urgent = (uint32_t)seq_diff(conn->snd_up, tcp_snd_base(conn));
}

void tlsyn_conn_glance(const struct tlsyn_conn *conn, struct tlsyn_conn_glance *glance)
{
    *glance = (struct tlsyn_conn_glance){
        .state = conn->state,
        .fin_received = conn->fin_received,
        .snd_ring = conn->snd_max,
        .snd_queued = conn->snd.used,
        .snd_unsent = unsent(conn),
        .rcv_queued = conn->rcv.used,
        .rcv_urgent = tcp_rcv_urgent(conn),
    };
}

void tlsyn_conn_info(const struct tlsyn_conn *conn, struct tlsyn_conn_info *info)
{
    *info = (struct tlsyn_conn_info){
        .number = conn->number,
        .state = conn->state,
        .local = conn->local,
        .remote = conn->remote,
        .active = conn->active,
        .level = conn->level,
        .got = embed_level(conn),
        .embedding = conn->embedding,
        .syn_text = conn->syn_text,
        .syn_text_acked = conn->syn_text_acked,
        .synack_text = conn->synack_text,
        .cookie_used = conn->active ? conn->syn_cookie_len > 0
                                    : conn->embedded && conn->level == TLSYN_LEVEL_COOKIE,
        .cookie_received = conn->cookie_received,
        .syn_retransmits = conn->syn_retransmits,
        .bytes_acked = conn->bytes_acked,
        .bytes_received = conn->rcv_total,
        .segs_out = conn->segs_out,
        .segs_in = conn->segs_in,
        .retransmits = conn->retransmits,
        .timeouts = conn->timeouts,
        .fast_retransmits = conn->fast_retransmits,
        .undos = conn->undos,
        .ecn = (enum tlsyn_ecn)conn->ecn.mode,
        .marked = conn->ecn.marked,
        .delivered_marked = conn->ecn_told.marked,
        .keepalive_probes = conn->keep_probes,
        .last_heard = conn->last_heard,
        .opened = conn->opened,
        .established = conn->established,
    };
    off_info(conn, info);
    sequence_info(conn, info);
    flight_info(conn, info);
}

static uint32_t count_of(const struct tlsyn_listener *listener, const struct list *half_opens)
{
    uint32_t n = 0;

    list_each(it, half_opens)
    {
        const struct tlsyn_conn *conn = container_of(it, struct tlsyn_conn, waiting);

        n += conn->opening && conn->opening->listener == listener;
    }
    return n;
}

void tlsyn_listener_info(const struct tlsyn_listener *listener, struct tlsyn_listener_info *info)
{
    const struct tlsyn_listen_options *options = &listener->options;

    *info = (struct tlsyn_listener_info){
        .local = options->local,
        .open = options->open,
        .cookies = options->cookies,
        .paper = options->paper,
        .paused = listener->paused,
        .syn_backlog = listener->tcp->cx->limits.syn_backlog,
    };
    info->half_open = count_of(listener, &listener->tcp->half_opens) +
                      count_of(listener, &listener->tcp->embedded_opens);
}

void tcp_walk(struct tcp *tcp, struct tlsyn_visitor *visitor)
{
    if (visitor->on_listener) {
        list_each(it, &tcp->listeners)
        {
            if (!visitor->on_listener(visitor, container_of(it, struct tlsyn_listener, node)))
                return;
        }
    }
    if (visitor->on_conn) {
        list_each(it, &tcp->all)
        {
            if (!visitor->on_conn(visitor, container_of(it, struct tlsyn_conn, all)))
                return;
        }
    }
}
