/*
 * differential/subject.c: the peer of a stack: it turns steps into datagrams, and learns from the
 * answers.
 */
#include "differential/subject.h"

#define DATAGRAM_MAX 4096
#define STAMP_BASE   1000000 /* the peer's clock; it ticks with each step */

void subject_begin(struct subject *s, const struct plan *plan)
{
    s->plan = plan;
    s->iss = s->snd_nxt = s->edge = 0;
    s->rcv_nxt = s->irs = plan->peer_iss;
    s->sent = (struct wire_tcp){0};
    s->iss_known = s->reopened = s->synchronized = s->peer_scales = s->stack_scales = false;
    s->peer_shift = s->stack_shift = 0;
    s->max_wnd = s->echo = 0;
    s->answer = (struct answer){0};
    s->standing = (struct standing){0};
    s->ops->begin(s);
    s->ops->look(s);
}

tcp_seq subject_place(const struct subject *s, const struct place *place)
{
    tcp_seq una = s->iss + (tcp_seq)s->standing.snd_una;
    const tcp_seq marks[] = {
        [MARK_PEER_NXT] = s->rcv_nxt,      [MARK_EDGE] = s->edge,
        [MARK_PEER_ISS] = s->irs,          [MARK_SND_UNA] = una,
        [MARK_SND_NXT] = s->snd_nxt,       [MARK_ISS] = s->iss,
        [MARK_OLD_ACK] = una - s->max_wnd, [MARK_ZERO] = 0,
    };

    return marks[place->mark] + (tcp_seq)place->distance;
}

/* --- to the stack ---------------------------------------------------------------------------- */

static void put_options(const struct subject *s, const struct step *step, int n,
                        struct tcp_options *o)
{
    static const int32_t ahead_of_now[] = {
        [STAMP_OLD] = -30, [STAMP_ANCIENT] = -2000000000, [STAMP_AHEAD] = 50000};

    if (step->flags & TCP_SYN)
        *o = step->offer;
    if (!s->plan->stamps || step->stamp == STAMP_NONE)
        return;
    o->has_ts = true;
    o->tsval = STAMP_BASE + (uint32_t)n + 1;
    if (step->stamp >= STAMP_OLD)
        o->tsval += (uint32_t)ahead_of_now[step->stamp];
    o->tsecr = step->flags & TCP_ACK ? s->echo + (uint32_t)step->echo : 0;
}

uint32_t subject_window(const struct subject *s, const struct wire_tcp *segment)
{
    bool scaled = s->peer_scales && s->stack_scales && !(segment->flags & TCP_SYN);

    return (uint32_t)segment->wnd << (scaled ? s->peer_shift : 0);
}

/* What the peer offers counts once the stack may have taken it. */
static void peer_sends(struct subject *s, const struct wire_tcp *segment)
{
    if (segment->flags & TCP_SYN && !s->synchronized) {
        s->irs = segment->seq;
        s->peer_scales = segment->options.has_wscale;
        s->peer_shift = segment->options.wscale > 14 ? 14 : segment->options.wscale;
    }
    if (subject_window(s, segment) > s->max_wnd)
        s->max_wnd = subject_window(s, segment);
}

static void segment_arrives(struct subject *s, const struct step *step, int n)
{
    uint8_t text[PLAN_TEXT], bytes[DATAGRAM_MAX];
    struct ip_datagram d = {.src = s->peer.addr, .dst = s->local.addr};
    struct wire_tcp segment = {
        .src_port = s->peer.port,
        .dst_port = s->local.port,
        .seq = subject_place(s, &step->seq),
        .ack = step->flags & TCP_ACK ? subject_place(s, &step->ack) : 0,
        .flags = step->flags,
        .wnd = step->wnd,
        .urg = step->urgent,
    };

    put_options(s, step, n, &segment.options);
    segment.text_len = step->len;
    s->sent = segment;
    peer_sends(s, &segment);
    tcp_seq first = segment.seq + !!(step->flags & TCP_SYN) - s->irs - 1;
    for (uint32_t i = 0; i < step->len; i++)
        text[i] = stream_byte(first + i);
    s->ops->datagram(s, bytes, datagram_emit_tcp(&d, &segment, text, step->len, bytes));
}

void subject_step(struct subject *s, int n)
{
    const struct step *step = &s->plan->step[n];

    s->answer = (struct answer){0};
    s->sent = (struct wire_tcp){0};
    if (step->act == ACT_SEGMENT)
        segment_arrives(s, step, n);
    else
        s->ops->user(s, step);
    s->ops->look(s);
    s->standing.took_wnd =
        step->act == ACT_SEGMENT && s->standing.snd_wnd == subject_window(s, &s->sent);
}

/* --- from the stack -------------------------------------------------------------------------- */

static void takes_rst(struct subject *s, const struct wire_tcp *t)
{
    tcp_seq end =
        s->sent.seq + s->sent.text_len + !!(s->sent.flags & TCP_SYN) + !!(s->sent.flags & TCP_FIN);

    if (s->sent.flags & TCP_ACK && t->seq == s->sent.ack)
        s->answer.rst = RST_BY_ACK;
    else if (t->flags & TCP_ACK && t->seq == 0 && t->ack == end)
        s->answer.rst = RST_BY_SEQ;
    else
        s->answer.rst = RST_OTHER;
}

static void takes_syn(struct subject *s, const struct wire_tcp *t)
{
    s->answer.syn = true;
    s->reopened = s->iss_known && t->seq != s->iss;
    s->iss = t->seq;
    if (!s->iss_known)
        s->snd_nxt = t->seq + 1;
    s->iss_known = true;
    s->stack_scales = t->options.has_wscale;
    s->stack_shift = t->options.wscale;
    s->local.port = t->src_port;
}

static uint32_t window(const struct subject *s, const struct wire_tcp *t)
{
    bool scaled = s->peer_scales && s->stack_scales && !(t->flags & TCP_SYN);

    return (uint32_t)t->wnd << (scaled ? s->stack_shift : 0);
}

void subject_sees(struct subject *s, const uint8_t *bytes, size_t len)
{
    struct ip_datagram d;
    struct wire_tcp t;

    if (!datagram_read(bytes, len, &d) || d.protocol != IP_PROTOCOL_TCP ||
        wire_tcp_parse(d.payload, d.len, &t) < 0 || t.dst_port != s->peer.port)
        return;
    if (t.flags & TCP_RST) {
        takes_rst(s, &t);
        return;
    }
    if (t.flags & TCP_SYN)
        takes_syn(s, &t);
    s->answer.text |= t.text_len > 0;
    s->answer.fin |= (t.flags & TCP_FIN) != 0;
    s->answer.ack |= !(t.flags & (TCP_SYN | TCP_FIN)) && t.text_len == 0;
    tcp_seq end = t.seq + t.text_len + !!(t.flags & TCP_SYN) + !!(t.flags & TCP_FIN);
    s->snd_nxt = seq_max(s->snd_nxt, end);
    if (t.flags & TCP_ACK) {
        s->synchronized = true;
        s->rcv_nxt = t.ack;
        s->edge = t.ack + window(s, &t);
    }
    if (t.options.has_ts)
        s->echo = t.options.tsval;
}

void subject_reads(struct subject *s, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s->standing.wrong |= bytes[i] != stream_byte(s->standing.delivered + i);
    s->standing.delivered += len;
}
