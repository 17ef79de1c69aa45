/*
 * tcp/reply.c: RST and challenge ACK. Read first: RFC 9293 3.5.2, RFC 5961 7.
 */
#include "tcp/reply.h"

#include "tcp/segment.h"

void tcp_reply_rst(struct tcp *tcp, const struct ip_datagram *datagram,
                   const struct wire_tcp *segment)
{
    struct wire_tcp rst = {
        .src_port = segment->dst_port, .dst_port = segment->src_port, .flags = TCP_RST};
    const struct tlsyn_source_route back = ip_route_back(datagram);
    struct ip_tx tx = {.src = datagram->dst, .dst = datagram->src, .via = &back};

    if (segment->flags & TCP_RST)
        return;
    if (!budget_take(&tcp->rsts, tcp->cx->now)) {
        count(tcp->cx, TLSYN_COUNT_tcp_rst_rate_limited);
        return;
    }
    if (segment->flags & TCP_ACK) {
        rst.seq = segment->ack;
    } else {
        rst.flags |= TCP_ACK;
        rst.ack = segment->seq + segment->text_len + !!(segment->flags & TCP_SYN) +
                  !!(segment->flags & TCP_FIN);
    }
    count(tcp->cx, TLSYN_COUNT_tcp_out_rsts);
    tcp_emit(tcp, 0, &rst, &tx);
}

void tcp_send_rst(struct tlsyn_conn *conn)
{
    count(conn->tcp->cx, TLSYN_COUNT_tcp_out_rsts);
    tcp_emit_control(conn, TCP_RST | TCP_ACK);
}

/* R5961-4 */
void tcp_challenge_ack(struct tlsyn_conn *conn)
{
    if (!budget_take(&conn->challenges, conn->tcp->cx->now))
        return;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_challenge_acks);
    tcp_emit_control(conn, TCP_ACK);
}
