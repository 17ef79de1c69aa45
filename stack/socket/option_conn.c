/*
 * socket/option_conn.c: a socket's options as its connection has them, and TCP_INFO the other way.
 */
#include <linux/tcp.h>

#include "socket/option.h"
#include "socket/stream.h"

/* A SYN is sent again after 1, 2, 4 ... s: n times, and then as long as the next would have
 * taken. */
static tlsyn_time syn_timeout(int count)
{
    int shift = count + 1 < 20 ? count + 1 : 20;

    return TLSYN_SECONDS((INT64_C(1) << shift) - 1);
}

void options_for_conn(const struct sock *sock, struct tlsyn_conn_options *options)
{
    const struct sock_options *o = &sock->options;

    *options = (struct tlsyn_conn_options){
        .nagle = !o->nodelay,
        .cork = o->cork || sock->stream.corked,
        .more = sock->stream.corked,
        .no_delack = o->quickack == 1,
        .keepalive = o->keepalive,
        .keep_idle = TLSYN_SECONDS(o->keep_idle),
        .keep_interval = TLSYN_SECONDS(o->keep_interval),
        .keep_count = (uint8_t)o->keep_count,
        .user_timeout = TLSYN_MS(o->user_timeout),
        .syn_timeout = syn_timeout(o->syn_count),
        .fin_timeout = o->linger2 > 0   ? TLSYN_SECONDS(o->linger2)
                       : o->linger2 < 0 ? 1
                                        : 0,
        .mss_max = (uint16_t)o->maxseg,
        .snd_ring = (uint32_t)o->snd_buf / 2,
        .rcv_ring = (uint32_t)o->rcv_buf / 2,
        .tos = (uint8_t)(sock->domain == AF_INET6 && o->tclass ? o->tclass : o->tos),
        .ttl = (uint8_t)(sock->domain == AF_INET6 && o->hops ? o->hops : o->ttl),
        .controller = *o->controller ? o->controller : sock->net->conn.controller,
        .no_timestamps = sock->net->conn.no_timestamps,
        .no_sack = sock->net->conn.no_sack,
        .no_window_scale = sock->net->conn.no_window_scale,
        .ecn = sock->net->conn.ecn,
        .ecn_classic = sock->net->conn.ecn_classic,
        .no_pacing = sock->net->conn.no_pacing,
        .pacing_rate_max = o->pacing_rate == UINT64_MAX ? 0 : o->pacing_rate,
    };
}

/* include/net/tcp_states.h; not in the order of RFC 9293. */
static uint8_t linux_state(const struct sock *sock, const struct tlsyn_conn_info *info)
{
    static const uint8_t states[TLSYN_STATES] = {
        [TLSYN_CLOSED] = 7,      [TLSYN_SYN_SENT] = 2,   [TLSYN_SYN_RECEIVED] = 3,
        [TLSYN_ESTABLISHED] = 1, [TLSYN_FIN_WAIT_1] = 4, [TLSYN_FIN_WAIT_2] = 5,
        [TLSYN_CLOSE_WAIT] = 8,  [TLSYN_CLOSING] = 11,   [TLSYN_LAST_ACK] = 9,
        [TLSYN_TIME_WAIT] = 6,
    };

    if (sock->phase == SOCK_LISTENING)
        return 10;
    return sock->stream.conn ? states[info->state] : states[TLSYN_CLOSED];
}

static uint32_t ms_since(tlsyn_time then, tlsyn_time now)
{
    return then ? (uint32_t)((now - then) / 1000) : 0;
}

static void fill_path(const struct tlsyn_conn_info *info, struct tcp_info *tcp)
{
    uint32_t mss = info->mss ? info->mss : 1;

    tcp->tcpi_rto = (uint32_t)info->rto;
    tcp->tcpi_rtt = (uint32_t)info->srtt;
    tcp->tcpi_rttvar = (uint32_t)info->rttvar;
    tcp->tcpi_min_rtt = (uint32_t)info->min_rtt;
    tcp->tcpi_snd_mss = info->mss;
    tcp->tcpi_rcv_mss = tcp->tcpi_advmss = info->rcv_mss;
    tcp->tcpi_pmtu = info->pmtu;
    tcp->tcpi_snd_cwnd = info->cwnd / mss;
    tcp->tcpi_snd_ssthresh = info->ssthresh / mss;
    tcp->tcpi_unacked = (info->snd_queued - info->snd_unsent + mss - 1) / mss;
    tcp->tcpi_sacked = (info->sacked + mss - 1) / mss;
    tcp->tcpi_lost = (info->lost + mss - 1) / mss;
    tcp->tcpi_retransmits = (uint8_t)(info->keepalive_probes ? 0 : info->syn_retransmits);
    tcp->tcpi_probes = (uint8_t)info->keepalive_probes;
    tcp->tcpi_total_retrans = info->retransmits;
    tcp->tcpi_notsent_bytes = info->snd_unsent;
    tcp->tcpi_pacing_rate = info->pacing_rate ? info->pacing_rate : UINT64_MAX;
}

static void fill_counts(const struct tlsyn_conn_info *info, struct tcp_info *tcp)
{
    tcp->tcpi_bytes_acked = info->bytes_acked;
    tcp->tcpi_bytes_received = info->bytes_received;
    tcp->tcpi_segs_out = info->segs_out;
    tcp->tcpi_segs_in = info->segs_in;
    tcp->tcpi_rcv_space = info->rcv_ring;
    tcp->tcpi_snd_wscale = info->snd_wscale & 15u;
    tcp->tcpi_rcv_wscale = info->rcv_wscale & 15u;
    tcp->tcpi_snd_wnd = info->snd_wnd;
    tcp->tcpi_options =
        (uint8_t)((info->timestamps ? TCPI_OPT_TIMESTAMPS : 0) | (info->sack ? TCPI_OPT_SACK : 0) |
                  (info->rcv_wscale || info->snd_wscale ? TCPI_OPT_WSCALE : 0) |
                  (info->syn_text_acked ? TCPI_OPT_SYN_DATA : 0));
}

int tcp_info_give(struct sock *sock, void *value, socklen_t *length)
{
    struct tlsyn_conn_info info = {.state = TLSYN_CLOSED};
    struct tcp_info tcp = {0};

    if (sock->stream.conn) {
        tlsyn_conn_info(sock->stream.conn, &info);
        fill_path(&info, &tcp);
        fill_counts(&info, &tcp);
        tcp.tcpi_last_data_recv = ms_since(info.last_heard, net_now(sock->net));
    }
    if (sock->phase == SOCK_LISTENING) {
        tcp.tcpi_unacked = sock->stream.queued; /* as Linux does */
        tcp.tcpi_sacked = sock->stream.backlog;
    }
    tcp.tcpi_max_pacing_rate = sock->options.pacing_rate;
    tcp.tcpi_state = linux_state(sock, &info);
    option_give(&tcp, sizeof(tcp), value, length);
    return 0;
}
