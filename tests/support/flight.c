/*
 * support/flight.c: text on its way, and the peer's feedback about it.
 */
#include "support/flight.h"

struct tlsyn_conn_info info_of(const struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

void opens_with_ace(struct tcp_test *t, unsigned ace)
{
    bool accurate = ace != 0 && ace != 3;

    peer_sends(t, with_ace(SYN(), ace));
    expect(t, SYNACK());
    advance(t, FLIGHT_RTT);
    peer_sends(t, with_ace(ACK(), accurate ? 2 : 0));
    expect_state(t, TLSYN_ESTABLISHED);
}

void ten_leave(struct tcp_test *t)
{
    user_sends(t, 40 * (size_t)t->user.conn->mss);
    ck_assert_int_eq(peer_takes_all(t), 10);
    advance(t, FLIGHT_RTT);
}

void peer_sacks(struct tcp_test *t, int ack, int from, int to)
{
    int64_t mss = t->user.conn->mss;

    peer_sends(t, with_block(ACK(.ack = 1 + ack * mss), t, 1 + from * mss, 1 + to * mss));
}

struct seg with_block(struct seg seg, const struct tcp_test *t, int64_t left, int64_t right)
{
    struct tcp_sack_block *block = &seg.opt.sack[seg.opt.sack_count++];

    block->left = t->iss + (tcp_seq)left;
    block->right = t->iss + (tcp_seq)right;
    return seg;
}

unsigned ace_of(const struct wire_tcp *segment)
{
    return (segment->ae ? 4u : 0u) | (segment->flags & TCP_CWR ? 2u : 0u) |
           (segment->flags & TCP_ECE ? 1u : 0u);
}

struct seg with_ace(struct seg seg, unsigned ace)
{
    seg.ae = ace >> 2 & 1;
    seg.flags |= (uint8_t)((ace & 2 ? TCP_CWR : 0) | (ace & 1 ? TCP_ECE : 0));
    return seg;
}
