/*
 * sim/witness.c: what one end has said, held against what the other one may do.
 */
#include "sim/witness.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/must.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

#define PROTOCOL_TCP 6
#define MSS_DEFAULT4 536 /* RFC 9293 3.7.1, MUST-15 */
#define MSS_DEFAULT6 1220

/* One end of a connection, by its own segments. */
struct side {
    bool known;  /* its SYN was seen */
    bool gone;   /* not since the other end began anew: it may not know yet */
    bool unsure; /* SYN-ACKs of several numbers: SYN cookies */
    bool fin, acked, scales, ts;
    uint8_t wscale;
    uint16_t mss;
    uint32_t syn_wnd;
    tcp_seq iss, nxt; /* one past the highest number sent */
    tcp_seq ack;      /* the last */
    tcp_seq edge;     /* the right edge that it has promised */
    tcp_seq fin_seq;
    uint32_t tsval;
};

struct pair {
    bool taken;
    uint8_t host[2];
    uint16_t port[2];
    struct side side[2];
};

/* --- the table -------------------------------------------------------------------------------- */

static size_t slot_of(const struct witness *w, const struct pair *key)
{
    uint64_t hash = ((uint64_t)key->host[0] << 40 | (uint64_t)key->host[1] << 32 |
                     (uint64_t)key->port[0] << 16 | key->port[1]) *
                    0x9e3779b97f4a7c15;
    size_t i = (size_t)(hash >> 20) & (w->room - 1);

    while (w->pair[i].taken && memcmp(w->pair[i].port, key->port, sizeof(key->port)) |
                                   memcmp(w->pair[i].host, key->host, sizeof(key->host)))
        i = (i + 1) & (w->room - 1);
    return i;
}

static void grow(struct witness *w)
{
    struct pair *old = w->pair;
    size_t before = w->room;

    w->room = before ? 2 * before : 32;
    w->pair = calloc(w->room, sizeof(*w->pair));
    must(w->pair != NULL);
    for (size_t i = 0; i < before; i++)
        if (old[i].taken)
            w->pair[slot_of(w, &old[i])] = old[i];
    free(old);
}

static struct pair *pair_of(struct witness *w, int from, int to, const struct wire_tcp *segment)
{
    bool first = from < to;
    struct pair key = {.taken = true};

    if (2 * w->count >= w->room)
        grow(w);
    key.host[!first] = (uint8_t)from;
    key.host[first] = (uint8_t)to;
    key.port[!first] = segment->src_port;
    key.port[first] = segment->dst_port;
    struct pair *pair = &w->pair[slot_of(w, &key)];
    if (!pair->taken) {
        *pair = key;
        w->count++;
    }
    return pair;
}

/* --- the rules -------------------------------------------------------------------------------- */

static void broken(struct witness *w, const struct wire_tcp *s, const char *rule)
{
    if (w->wrong[0] == '\0')
        snprintf(w->wrong, sizeof(w->wrong), "%s (%u>%u seq %u ack %u len %u)", rule, s->src_port,
                 s->dst_port, s->seq, s->ack, s->text_len);
}

static void hold(struct witness *w, const struct wire_tcp *s, bool held, const char *rule)
{
    if (!held)
        broken(w, s, rule);
}

static uint16_t mss_of(const struct witness *w, const struct side *side)
{
    uint16_t least = w->plan->ip6 ? MSS_DEFAULT6 : MSS_DEFAULT4;

    return side->mss ? side->mss : least;
}

static void take_syn(struct side *me, struct side *peer, const struct wire_tcp *s)
{
    bool again = me->known && me->iss == s->seq && !me->fin, synack = s->flags & TCP_ACK;
    bool unsure = synack && me->known && !again;
    bool old = me->gone && me->iss == s->seq; /* it still does not know */
    tcp_seq nxt = s->seq + 1 + s->text_len;

    if (again || old)
        nxt = seq_max(me->nxt, nxt);
    if (again) {
        me->nxt = nxt;
        return;
    }
    if (!synack)
        *peer =
            (struct side){.gone = peer->known || peer->gone, .iss = peer->iss, .nxt = peer->nxt};
    *me = (struct side){
        .known = true,
        .unsure = unsure,
        .iss = s->seq,
        .nxt = nxt,
        .mss = s->options.mss,
        .scales = s->options.has_wscale,
        .wscale = s->options.wscale < 14 ? s->options.wscale : 14,
        .syn_wnd = s->wnd,
    };
}

/* RFC 9293 3.8.6: not beyond the promised window, but for the octet that probes it. */
static void check_window(struct witness *w, const struct side *me, const struct side *peer,
                         const struct wire_tcp *s)
{
    tcp_seq edge = peer->acked ? peer->edge : me->iss + 1 + peer->syn_wnd;

    if (s->text_len > 0)
        hold(w, s, seq_leq(s->seq + s->text_len, edge + (s->text_len == 1)),
             "text beyond the peer's window");
}

static void check_sending(struct witness *w, struct side *me, const struct side *peer,
                          const struct wire_tcp *s, uint32_t size)
{
    tcp_seq end = s->seq + s->text_len;
    bool fin = s->flags & TCP_FIN;

    hold(w, s, me->unsure || w->loses || seq_leq(s->seq, me->nxt), "a gap in what was sent");
    hold(w, s, me->unsure || seq_geq(s->seq, me->iss), "a number below the ISS");
    hold(w, s, size <= mss_of(w, peer), "a segment beyond the peer's MSS");
    if (me->fin && s->text_len > 0 && !me->unsure)
        hold(w, s, seq_leq(end, me->fin_seq), "text behind the FIN");
    if (me->fin && fin && !me->unsure)
        hold(w, s, end == me->fin_seq, "another FIN");
    if (!me->unsure && !peer->unsure)
        check_window(w, me, peer, s);
    if (fin) {
        me->fin = true;
        me->fin_seq = end;
    }
    me->nxt = me->unsure ? end + fin : seq_max(me->nxt, end + fin);
}

static void check_sack(struct witness *w, const struct side *peer, const struct wire_tcp *s)
{
    for (int i = 0; i < s->options.sack_count; i++) {
        const struct tcp_sack_block *b = &s->options.sack[i];

        hold(w, s, seq_lt(b->left, b->right), "an empty SACK block");
        hold(w, s, seq_leq(b->right, peer->nxt), "SACK of what was never sent");
        hold(w, s, i == 0 || seq_gt(b->left, s->ack), "SACK of what is acknowledged");
    }
}

/* RFC 9293 3.8.6 (SHLD-14): the right edge does not move back, but for what the window's scale
 * cuts off. */
static void check_receiving(struct witness *w, struct side *me, const struct side *peer,
                            const struct wire_tcp *s)
{
    uint8_t scale = me->scales && peer->scales && !(s->flags & TCP_SYN) ? me->wscale : 0;
    tcp_seq edge = s->ack + ((uint32_t)s->wnd << scale);

    if (!peer->unsure)
        hold(w, s, seq_leq(s->ack, peer->nxt), "ACK of what was never sent");
    if (me->acked && !peer->unsure) {
        hold(w, s, seq_geq(s->ack, me->ack), "the ACK field moves back");
        /* A SYN-ACK behind text, which has a scaled window, can't say as much once more. */
        hold(w, s, s->flags & TCP_SYN || seq_geq(edge + (1u << scale) - 1, me->edge),
             "the right edge moves back");
    }
    if (!peer->unsure)
        check_sack(w, peer, s);
    me->edge = me->acked ? seq_max(me->edge, edge) : edge;
    me->ack = s->ack;
    me->acked = true;
}

/* A SYN cookie keeps the SYN's options in the last bits of its timestamp: of two SYNs that differ,
 * the later one's may be the older stamp by a few ticks. */
static void check_clock(struct witness *w, struct side *me, const struct wire_tcp *s)
{
    bool cookie = s->flags & TCP_SYN && plan_gives_cookies(w->plan);

    if (!s->options.has_ts)
        return;
    hold(w, s, !me->ts || cookie || seq_geq(s->options.tsval, me->tsval),
         "the timestamp runs backwards");
    me->ts = true;
    me->tsval = s->options.tsval;
}

static void take_segment(struct witness *w, int from, int to, const struct wire_tcp *s,
                         uint32_t size)
{
    struct pair *pair = pair_of(w, from, to, s);
    struct side *me = &pair->side[from > to], *peer = &pair->side[from < to];

    w->segments++;
    if (s->flags & TCP_RST)
        return;
    if (s->flags & TCP_SYN)
        take_syn(me, peer, s);
    if (!me->known || (!peer->known && s->flags & TCP_ACK)) {
        hold(w, s, me->gone || peer->gone, "a segment of no connection");
        return;
    }
    if (!(s->flags & TCP_SYN))
        check_sending(w, me, peer, s, size);
    if (s->flags & TCP_ACK)
        check_receiving(w, me, peer, s);
    check_clock(w, me, s);
}

/* --- frames ----------------------------------------------------------------------------------- */

struct carried {
    int from, to;
    const uint8_t *bytes;
    size_t len;
};

static bool unwrap(const struct witness *w, const struct tlsyn_frame *frame, struct carried *c)
{
    struct wire_ether ether;
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;

    if (wire_ether_parse(frame->iov[0].iov_base, frame->iov[0].iov_len, &ether) < 0)
        return false;
    if (ether.type == ETHER_TYPE_IP6) {
        if (wire_ip6_parse(ether.payload, ether.payload_len, &ip6) < 0 || ip6.next != PROTOCOL_TCP)
            return false;
        *c = (struct carried){
            .to = network_host_of(w->plan, &ip6.dst), .bytes = ip6.payload, .len = ip6.payload_len};
        return true;
    }
    if (wire_ip4_parse(ether.payload, ether.payload_len, &ip4) < 0 ||
        ip4.protocol != PROTOCOL_TCP || ip4.offset || ip4.mf)
        return false;
    *c = (struct carried){
        .to = network_host_of(w->plan, &ip4.dst), .bytes = ip4.payload, .len = ip4.payload_len};
    return true;
}

static void sent(struct network_watch *watch, int host, const struct tlsyn_frame *frame,
                 tlsyn_time now)
{
    struct witness *w = container_of(watch, struct witness, watch);
    struct wire_tcp s;
    struct carried c;

    (void)now;
    if (!unwrap(w, frame, &c) || c.to < 0)
        return;
    if (wire_tcp_parse(c.bytes, c.len, &s) < 0) {
        snprintf(w->wrong, sizeof(w->wrong), "a segment that does not parse");
        return;
    }
    uint32_t options = (uint32_t)(c.len - s.text_len) - TCP_HEADER_LEN;
    uint32_t text = frame->gso_type != TLSYN_GSO_NONE ? frame->gso_size : s.text_len;
    take_segment(w, host, c.to, &s, text + (text ? options : 0));
}

void witness_open(struct witness *w, const struct plan *plan)
{
    bool proxied = plan->box & TLSYN_MIDDLEBOX_PROXY;

    *w = (struct witness){
        .watch = {sent}, .plan = plan, .loses = plan->oom || plan->oom_nth || proxied};
}

void witness_close(struct witness *w)
{
    free(w->pair);
}
