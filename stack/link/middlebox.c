/*
 * link/middlebox.c: wraps a server's link as a box would that dislikes text in a SYN, or
 * answers SYNs itself.
 *
 * Read first: enum tlsyn_middlebox in tlsyn/link.h; RFC 7413 7.1 (what middleboxes do to Fast
 * Open), RFC 4987 3.7 (proxies).
 *
 *     client --- transmit --> [ rules, flows ] --> inner --- server
 *            <-- receive ---                   <--
 *
 * A frame that is changed is changed in a copy; answers of the box's own wait in `back` until the
 * next receive. The proxy's numbers are not the server's: what the server says is moved by the
 * flow's `offset`, and what the client acknowledges moved back. Pure: no clock; memory only for
 * copies.
 */
#include <errno.h>

#include "link/framed.h"

#define FLOWS     64
#define PROXY_MSS 1460  /* what it tells either side */
#define PROXY_WND 65535 /* what it tells the server: the client's, for all it knows */

/* Of a TCP header. */
#define TCP_SEQ_OFFSET 4
#define TCP_ACK_OFFSET 8
#define TCP_OFFSET     12

enum flow_state {
    FLOW_NONE,
    FLOW_TEXT,      /* its SYN had text */
    FLOW_ANSWERED,  /* proxied: the client has our SYN-ACK */
    FLOW_OPENING,   /* the server has our SYN */
    FLOW_CONNECTED, /* numbers are moved */
};

struct flow {
    uint8_t key[FRAMED_KEY];
    enum flow_state state;
    tcp_seq client_isn, own_isn;
    uint32_t offset; /* own_isn less the server's */
};

struct middlebox {
    struct tlsyn_link link;
    struct tlsyn_link *inner;
    unsigned rules;
    struct flow flow[FLOWS];
    unsigned next_flow;
    struct list back; /* held_frame: the box's own, towards the client */
    struct list lent; /* held_frame: handed out by the last receive */
};

static struct middlebox *middlebox_of(struct tlsyn_link *link)
{
    return container_of(link, struct middlebox, link);
}

/* --- out of the box --------------------------------------------------------------------------- */

static void send_to_server(struct middlebox *m, struct held_frame *held, tlsyn_time now)
{
    if (held)
        (void)tlsyn_link_transmit(m->inner, &held->frame, 1, now);
    link_free(held);
}

static void send_to_client(struct middlebox *m, struct held_frame *held)
{
    if (!held)
        return;
    held->frame.when = 0;
    list_append(&m->back, &held->node);
}

/* --- flows ------------------------------------------------------------------------------------ */

static struct flow *find(struct middlebox *m, const struct framed *p, bool from_client)
{
    uint8_t key[FRAMED_KEY];

    framed_key(p, !from_client, key);
    for (int i = 0; i < FLOWS; i++) {
        if (m->flow[i].state != FLOW_NONE && memcmp(m->flow[i].key, key, FRAMED_KEY) == 0)
            return &m->flow[i];
    }
    return NULL;
}

static struct flow *find_or_make(struct middlebox *m, const struct framed *p)
{
    struct flow *flow = find(m, p, true);

    if (flow)
        return flow;
    flow = &m->flow[m->next_flow++ % FLOWS];
    *flow = (struct flow){.state = FLOW_TEXT};
    framed_key(p, false, flow->key);
    return flow;
}

/* --- the proxy -------------------------------------------------------------------------------- */

static void proxy_syn(struct middlebox *m, const struct tlsyn_frame *frame, const struct framed *p)
{
    struct flow *flow = find_or_make(m, p);

    flow->state = FLOW_ANSWERED;
    flow->client_isn = p->segment.seq;
    flow->own_isn = ~p->segment.seq;
    struct wire_tcp answer = {.flags = TCP_SYN | TCP_ACK,
                              .seq = flow->own_isn,
                              .ack = flow->client_isn + 1,
                              .options = {.mss = PROXY_MSS}};
    send_to_client(m, framed_new(frame, &answer, true));
}

/* True: the segment goes on, moved. */
static bool proxy_client(struct middlebox *m, struct flow *flow, const struct tlsyn_frame *frame,
                         const struct framed *p, tlsyn_time now)
{
    struct wire_tcp syn = {
        .flags = TCP_SYN, .seq = flow->client_isn, .wnd = PROXY_WND, .options = {.mss = PROXY_MSS}};

    if (flow->state == FLOW_CONNECTED)
        return true;
    if (flow->state == FLOW_ANSWERED && p->segment.flags & TCP_ACK &&
        p->segment.ack == flow->own_isn + 1) {
        flow->state = FLOW_OPENING;
        send_to_server(m, framed_new(frame, &syn, false), now);
    }
    return false;
}

static bool proxy_server(struct middlebox *m, struct flow *flow, const struct tlsyn_frame *frame,
                         const struct framed *p, tlsyn_time now)
{
    struct wire_tcp ack = {
        .flags = TCP_ACK, .seq = flow->client_isn + 1, .ack = p->segment.seq + 1, .wnd = PROXY_WND};
    struct wire_tcp open = {.flags = TCP_ACK,
                            .seq = flow->own_isn + 1,
                            .ack = flow->client_isn + 1,
                            .wnd = p->segment.wnd};

    if (flow->state != FLOW_OPENING)
        return true;
    if ((p->segment.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        flow->state = FLOW_CONNECTED;
        flow->offset = (uint32_t)seq_diff(flow->own_isn, p->segment.seq);
        send_to_server(m, framed_new(frame, &ack, true), now);
        send_to_client(m, framed_new(frame, &open, false));
        return false;
    }
    if (!(p->segment.flags & TCP_RST))
        return false;
    /* It has no number of its own, and is to be what the client expects. */
    flow->offset = (uint32_t)seq_diff(flow->own_isn + 1, p->segment.seq);
    return true;
}

/* Either is moved in a copy. */
static struct held_frame *moved(const struct tlsyn_frame *frame, const struct flow *flow,
                                bool from_client)
{
    struct framed p;
    struct held_frame *held = framed_copy(frame, &p);

    if (!held)
        return NULL;
    if (from_client && p.segment.flags & TCP_ACK)
        framed_put32(&p, TCP_ACK_OFFSET, p.segment.ack - flow->offset);
    if (!from_client)
        framed_put32(&p, TCP_SEQ_OFFSET, p.segment.seq + flow->offset);
    if (!(held->frame.flags & TLSYN_FRAME_CSUM_PARTIAL)) /* which does not cover these yet */
        framed_finish(held, &p, p.end);
    return held;
}

/* --- the rules -------------------------------------------------------------------------------- */

/* RFC 7413 4.1.1; its older form is an experiment by that number. */
static bool is_fastopen(const uint8_t *option, size_t len)
{
    return option[0] == TCP_KIND_FASTOPEN || (option[0] == TCP_KIND_EXPERIMENT && len >= 4 &&
                                              (option[2] << 8 | option[3]) == TCP_EXID_FASTOPEN);
}

/* NOPs come in its place. */
static void strip_option(struct framed *p)
{
    uint8_t *at = p->bytes + p->tcp + TCP_HEADER_LEN;
    const uint8_t *end = p->bytes + p->tcp + (size_t)(p->bytes[p->tcp + TCP_OFFSET] >> 4) * 4;

    while (at + 1 < end && at[0] != TCP_KIND_END) {
        size_t len = at[0] == TCP_KIND_NOP ? 1 : at[1];

        if (len == 0 || at + len > end)
            return;
        if (is_fastopen(at, len))
            memset(at, TCP_KIND_NOP, len);
        at += len;
    }
}

static void reset(struct middlebox *m, const struct tlsyn_frame *frame, const struct framed *p)
{
    struct wire_tcp rst = {.flags = TCP_RST | TCP_ACK,
                           .ack = p->segment.seq + 1 + p->segment.text_len};

    send_to_client(m, framed_new(frame, &rst, true));
}

/* A SYN of the client's. True: it goes on, as *changed if that is set. */
static bool pass_syn(struct middlebox *m, const struct tlsyn_frame *frame, const struct framed *p,
                     struct held_frame **changed)
{
    bool text = p->segment.text_len > 0;
    struct framed q;

    if (m->rules & TLSYN_MIDDLEBOX_PROXY) {
        proxy_syn(m, frame, p);
        return false;
    }
    if (text && m->rules & TLSYN_MIDDLEBOX_RESET_SYN)
        reset(m, frame, p);
    if (text && m->rules & (TLSYN_MIDDLEBOX_RESET_SYN | TLSYN_MIDDLEBOX_DROP_SYN))
        return false;
    if (text && m->rules & TLSYN_MIDDLEBOX_SWALLOW)
        (void)find_or_make(m, p);
    if (!(m->rules & (TLSYN_MIDDLEBOX_STRIP_TEXT | TLSYN_MIDDLEBOX_STRIP_OPTION)))
        return true;
    *changed = framed_copy(frame, &q);
    if (!*changed)
        return false;
    if (m->rules & TLSYN_MIDDLEBOX_STRIP_OPTION)
        strip_option(&q);
    framed_finish(*changed, &q,
                  m->rules & TLSYN_MIDDLEBOX_STRIP_TEXT ? q.end - q.segment.text_len : q.end);
    return true;
}

static bool pass_to_server(struct middlebox *m, const struct tlsyn_frame *frame, tlsyn_time now,
                           struct held_frame **changed)
{
    struct framed p;

    if (m->rules == 0 || !framed_parse(frame, &p))
        return true;
    if ((p.segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        return pass_syn(m, frame, &p, changed);
    struct flow *flow = find(m, &p, true);
    if (!flow)
        return true;
    if (flow->state == FLOW_TEXT)
        return false; /* swallowed */
    if (!proxy_client(m, flow, frame, &p, now))
        return false;
    *changed = moved(frame, flow, true);
    return *changed != NULL;
}

static bool pass_to_client(struct middlebox *m, const struct tlsyn_frame *frame, tlsyn_time now,
                           struct held_frame **changed)
{
    struct framed p;

    if (m->rules == 0 || !framed_parse(frame, &p))
        return true;
    if (p.segment.flags & TCP_SYN && p.segment.text_len > 0 &&
        m->rules & TLSYN_MIDDLEBOX_DROP_ANSWER)
        return false;
    struct flow *flow = find(m, &p, false);
    if (!flow || flow->state == FLOW_TEXT)
        return true;
    if (!proxy_server(m, flow, frame, &p, now))
        return false;
    *changed = moved(frame, flow, false);
    return *changed != NULL;
}

/* --- the link --------------------------------------------------------------------------------- */

static int middlebox_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                             tlsyn_time now)
{
    struct middlebox *m = middlebox_of(link);
    int kept = 0;

    frames_free(&m->lent);
    int n = tlsyn_link_receive(m->inner, frames, max, now);
    for (int i = 0; i < n; i++) {
        struct held_frame *changed = NULL;

        if (!pass_to_client(m, &frames[i], now, &changed))
            continue;
        frames[kept] = changed ? changed->frame : frames[i];
        kept++;
        if (changed)
            list_append(&m->lent, &changed->node);
    }
    while (kept < max && !list_empty(&m->back)) {
        struct list *first = list_first(&m->back);

        list_remove(first);
        list_append(&m->lent, first);
        frames[kept++] = container_of(first, struct held_frame, node)->frame;
    }
    return n < 0 && kept == 0 ? n : kept;
}

static int middlebox_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                              tlsyn_time now)
{
    struct middlebox *m = middlebox_of(link);

    for (int i = 0; i < n; i++) {
        struct held_frame *whole = frames[i].iovcnt == 1 ? NULL : frame_hold(&frames[i]);
        struct held_frame *changed = NULL;
        const struct tlsyn_frame *frame = whole ? &whole->frame : &frames[i];
        int taken = 1;

        if (pass_to_server(m, frame, now, &changed))
            taken = tlsyn_link_transmit(m->inner, changed ? &changed->frame : frame, 1, now);
        link_free(changed);
        link_free(whole);
        if (taken != 1)
            return i > 0 ? i : taken;
    }
    return n;
}

static int middlebox_fd(struct tlsyn_link *link)
{
    return tlsyn_link_fd(middlebox_of(link)->inner);
}

/* An answer of its own is due at once. */
static tlsyn_time middlebox_next_timeout(struct tlsyn_link *link)
{
    struct middlebox *m = middlebox_of(link);

    return list_empty(&m->back) ? tlsyn_link_next_timeout(m->inner) : 0;
}

static uint64_t middlebox_missed(struct tlsyn_link *link)
{
    return tlsyn_link_missed(middlebox_of(link)->inner);
}

static void middlebox_stamp(struct tlsyn_link *link)
{
    tlsyn_link_stamp(middlebox_of(link)->inner);
}

static void middlebox_close(struct tlsyn_link *link)
{
    struct middlebox *m = middlebox_of(link);

    frames_free(&m->back);
    frames_free(&m->lent);
    tlsyn_link_close(m->inner);
    link_free(m);
}

static const struct tlsyn_link_ops middlebox_ops = {
    .receive = middlebox_receive,
    .transmit = middlebox_transmit,
    .fd = middlebox_fd,
    .next_timeout = middlebox_next_timeout,
    .missed = middlebox_missed,
    .stamp = middlebox_stamp,
    .close = middlebox_close,
};

int tlsyn_middlebox_wrap(struct tlsyn_link *inner, struct tlsyn_link **link)
{
    struct middlebox *m = link_alloc(sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->link.ops = &middlebox_ops;
    m->link.caps = inner->caps;
    m->inner = inner;
    list_init(&m->back);
    list_init(&m->lent);
    *link = &m->link;
    return 0;
}

void tlsyn_middlebox_set(struct tlsyn_link *middlebox, unsigned rules)
{
    struct middlebox *m = middlebox_of(middlebox);

    m->rules = rules;
    memset(m->flow, 0, sizeof(m->flow));
}
