/*
 * tcp/info.c: what a connection tells about itself.
 */
#include "tcp/conn.h"

struct tlsyn_stack *tlsyn_conn_stack(struct tlsyn_conn *conn)
{
    return conn->tcp->stack;
}

struct tlsyn_handler *tlsyn_conn_handler(struct tlsyn_conn *conn)
{
    return conn->handler;
}

void tlsyn_conn_set_handler(struct tlsyn_conn *conn, struct tlsyn_handler *handler)
{
    conn->handler = handler;
}

static void sequence_info(const struct tlsyn_conn *conn, struct tlsyn_conn_info *info)
{
    info->mss = conn->mss;
    info->snd_wscale = conn->snd_wscale;
    info->rcv_wscale = conn->rcv_wscale;
    info->timestamps = conn->ts_ok;
    info->sack = conn->sack_ok;
    info->srtt = conn->rtt.srtt;
    info->rttvar = conn->rtt.rttvar;
    info->rto = conn->rtt.rto;
    info->cwnd = conn->cc.cwnd;
    info->ssthresh = conn->cc.ssthresh;
    info->snd_wnd = conn->snd_wnd;
    info->rcv_wnd = conn->rcv_wnd;
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
        .opened = conn->opened,
        .established = conn->established,
    };
    sequence_info(conn, info);
}
