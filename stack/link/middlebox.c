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

#include "link/frame.h"
#include "wire/checksum.h"
#include "wire/tcp.h"

#define FLOWS     64
#define KEY_MAX   36    /* both addresses of IPv6, and the ports */
#define PROXY_MSS 1460  /* what it tells either side */
#define PROXY_WND 65535 /* what it tells the server: the client's, for all it knows */
#define IP4_SUM   10
#define IP4_SRC   12
#define IP6_SRC   8

enum flow_state {
    FLOW_NONE,
    FLOW_TEXT,      /* its SYN had text */
    FLOW_ANSWERED,  /* proxied: the client has our SYN-ACK */
    FLOW_OPENING,   /* the server has our SYN */
    FLOW_CONNECTED, /* numbers are moved */
};

struct flow {
    uint8_t key[KEY_MAX];
    enum flow_state state;
    tcp_seq client_isn, own_isn;
    uint32_t offset; /* own_isn less the server's */
};

struct middlebox {
    struct tlsyn_link link;
    struct tlsyn_link *inner;
    unsigned rules;
    struct flow flow[FLOWS];
    int next_flow;
    struct list back; /* held_frame: the box's own, towards the client */
    struct list lent; /* held_frame: handed out by the last receive */
};

/* A TCP segment in a frame. */
struct packet {
    uint8_t *bytes; /* the frame's */
    size_t ip, tcp; /* where they begin */
    size_t end;     /* of the datagram */
    struct wire_tcp segment;
};

static struct middlebox *middlebox_of(struct tlsyn_link *link)
{
    return container_of(link, struct middlebox, link);
}

/* --- frames ----------------------------------------------------------------------------------- */

static bool is_ip6(const struct packet *p)
{
    return p->bytes[p->ip] >> 4 == 6;
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static bool parse(const struct tlsyn_frame *frame, struct packet *p)
{
    struct frame_transport at;
    size_t len = frame->iov[0].iov_len;

    *p = (struct packet){.bytes = frame->iov[0].iov_base, .ip = FRAME_ETHER_LEN};
    if (frame->iovcnt != 1 || !frame_find_transport(p->bytes, len, &at) ||
        at.csum_offset != TCP_CHECKSUM_OFFSET)
        return false;
    const uint8_t *ip = p->bytes + p->ip;
    p->tcp = at.start;
    p->end = is_ip6(p) ? p->ip + 40u + (size_t)(ip[4] << 8 | ip[5])
                       : p->ip + (size_t)(ip[2] << 8 | ip[3]);
    return p->end <= len && p->end >= p->tcp &&
           wire_tcp_parse(p->bytes + p->tcp, p->end - p->tcp, &p->segment) == 0;
}

/* The datagram has another length, or other octets: its checksums follow. */
static void finish(struct held_frame *held, struct packet *p, size_t end)
{
    struct tlsyn_frame *frame = &held->frame;
    uint8_t *ip = p->bytes + p->ip;
    struct checksum sum = {0};
    struct frame_transport at;

    p->end = end;
    frame->iov[0].iov_len = end;
    if (is_ip6(p)) {
        put16(ip + 4, (uint16_t)(end - p->ip - 40));
    } else {
        put16(ip + 2, (uint16_t)(end - p->ip));
        put16(ip + IP4_SUM, 0);
        checksum_add(&sum, ip, p->tcp - p->ip);
        put16(ip + IP4_SUM, checksum_finish(&sum));
    }
    if (!frame_find_transport(p->bytes, end, &at))
        return;
    put16(p->bytes + p->tcp + TCP_CHECKSUM_OFFSET, at.pseudo_sum);
    frame->flags |= TLSYN_FRAME_CSUM_PARTIAL;
    frame->csum_start = at.start;
    frame->csum_offset = at.csum_offset;
    frame_finish_checksum(frame);
}

static struct held_frame *copy(const struct tlsyn_frame *frame, struct packet *p)
{
    struct held_frame *held = frame_hold(frame);

    if (held)
        (void)parse(&held->frame, p);
    return held;
}

/* A segment of the box's own, in the place of the one that a frame holds; `back`: to its sender. */
static struct held_frame *own_segment(const struct tlsyn_frame *frame, struct wire_tcp *segment,
                                      bool back)
{
    uint8_t mac[6], address[16], bytes[FRAME_ETHER_LEN + 60 + TCP_HEADER_MAX];
    struct packet p;

    if (!parse(frame, &p) || p.tcp + TCP_HEADER_MAX > sizeof(bytes))
        return NULL;
    segment->src_port = back ? p.segment.dst_port : p.segment.src_port;
    segment->dst_port = back ? p.segment.src_port : p.segment.dst_port;
    memcpy(bytes, p.bytes, p.tcp);
    size_t n = (size_t)wire_tcp_emit(segment, bytes + p.tcp, TCP_HEADER_MAX);
    p.bytes = bytes;
    if (back) {
        size_t size = is_ip6(&p) ? 16 : 4;
        uint8_t *src = p.bytes + p.ip + (is_ip6(&p) ? IP6_SRC : IP4_SRC);

        memcpy(mac, p.bytes, 6);
        memcpy(p.bytes, p.bytes + 6, 6);
        memcpy(p.bytes + 6, mac, 6);
        memcpy(address, src, size);
        memcpy(src, src + size, size);
        memcpy(src + size, address, size);
    }
    const struct tlsyn_frame own = {.iov = {{bytes, p.tcp + n}}, .iovcnt = 1};
    struct held_frame *held = frame_hold(&own);
    if (!held)
        return NULL;
    p.bytes = held->bytes;
    finish(held, &p, p.tcp + n);
    return held;
}

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

/* Client first, whoever sent the segment. */
static void key_of(const struct packet *p, bool from_client, uint8_t key[KEY_MAX])
{
    size_t size = is_ip6(p) ? 16 : 4;
    const uint8_t *src = p->bytes + p->ip + (is_ip6(p) ? IP6_SRC : IP4_SRC);
    const uint8_t *ports = p->bytes + p->tcp;
    size_t first = from_client ? 0 : 1;

    memset(key, 0, KEY_MAX);
    memcpy(key, src + first * size, size);
    memcpy(key + 16, src + (1 - first) * size, size);
    memcpy(key + 32, ports + first * 2, 2);
    memcpy(key + 34, ports + (1 - first) * 2, 2);
}

static struct flow *find(struct middlebox *m, const struct packet *p, bool from_client)
{
    uint8_t key[KEY_MAX];

    key_of(p, from_client, key);
    for (int i = 0; i < FLOWS; i++) {
        if (m->flow[i].state != FLOW_NONE && memcmp(m->flow[i].key, key, KEY_MAX) == 0)
            return &m->flow[i];
    }
    return NULL;
}

static struct flow *find_or_make(struct middlebox *m, const struct packet *p)
{
    struct flow *flow = find(m, p, true);

    if (flow)
        return flow;
    flow = &m->flow[m->next_flow++ % FLOWS];
    *flow = (struct flow){.state = FLOW_TEXT};
    key_of(p, true, flow->key);
    return flow;
}

/* --- the proxy -------------------------------------------------------------------------------- */

static void proxy_syn(struct middlebox *m, const struct tlsyn_frame *frame, const struct packet *p)
{
    struct flow *flow = find_or_make(m, p);

    flow->state = FLOW_ANSWERED;
    flow->client_isn = p->segment.seq;
    flow->own_isn = ~p->segment.seq;
    struct wire_tcp answer = {.flags = TCP_SYN | TCP_ACK,
                              .seq = flow->own_isn,
                              .ack = flow->client_isn + 1,
                              .options = {.mss = PROXY_MSS}};
    send_to_client(m, own_segment(frame, &answer, true));
}

/* True: the segment goes on, moved. */
static bool proxy_client(struct middlebox *m, struct flow *flow, const struct tlsyn_frame *frame,
                         const struct packet *p, tlsyn_time now)
{
    struct wire_tcp syn = {
        .flags = TCP_SYN, .seq = flow->client_isn, .wnd = PROXY_WND, .options = {.mss = PROXY_MSS}};

    if (flow->state == FLOW_CONNECTED)
        return true;
    if (flow->state == FLOW_ANSWERED && p->segment.flags & TCP_ACK &&
        p->segment.ack == flow->own_isn + 1) {
        flow->state = FLOW_OPENING;
        send_to_server(m, own_segment(frame, &syn, false), now);
    }
    return false;
}

static bool proxy_server(struct middlebox *m, struct flow *flow, const struct tlsyn_frame *frame,
                         const struct packet *p, tlsyn_time now)
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
        send_to_server(m, own_segment(frame, &ack, true), now);
        send_to_client(m, own_segment(frame, &open, false));
        return false;
    }
    flow->offset = (uint32_t)seq_diff(flow->own_isn,
                                      p->segment.seq); /* a RST, which has no number of its own */
    return true;
}

/* Either is moved in a copy. */
static struct held_frame *moved(const struct tlsyn_frame *frame, const struct flow *flow,
                                bool from_client)
{
    struct packet p;
    struct held_frame *held = copy(frame, &p);

    if (!held)
        return NULL;
    if (from_client && p.segment.flags & TCP_ACK)
        put32(p.bytes + p.tcp + 8, p.segment.ack - flow->offset);
    if (!from_client)
        put32(p.bytes + p.tcp + 4, p.segment.seq + flow->offset);
    if (!(held->frame.flags & TLSYN_FRAME_CSUM_PARTIAL)) /* which does not cover these yet */
        finish(held, &p, p.end);
    return held;
}

/* --- the rules -------------------------------------------------------------------------------- */

/* NOPs in the place of kind 34, and of 254 with its magic number (RFC 7413 4.1.1). */
static void strip_option(struct packet *p)
{
    uint8_t *at = p->bytes + p->tcp + TCP_HEADER_LEN;
    const uint8_t *end = p->bytes + p->tcp + (size_t)(p->bytes[p->tcp + 12] >> 4) * 4;

    while (at + 1 < end && at[0] != 0) {
        size_t len = at[0] == 1 ? 1 : at[1];

        if (len == 0 || at + len > end)
            return;
        if (at[0] == 34 || (at[0] == 254 && len >= 4 && at[2] == 0xf9 && at[3] == 0x89))
            memset(at, 1, len);
        at += len;
    }
}

static void reset(struct middlebox *m, const struct tlsyn_frame *frame, const struct packet *p)
{
    struct wire_tcp rst = {.flags = TCP_RST | TCP_ACK,
                           .ack = p->segment.seq + 1 + p->segment.text_len};

    send_to_client(m, own_segment(frame, &rst, true));
}

/* A SYN of the client's. True: it goes on, as *changed if that is set. */
static bool pass_syn(struct middlebox *m, const struct tlsyn_frame *frame, const struct packet *p,
                     struct held_frame **changed)
{
    bool text = p->segment.text_len > 0;
    struct packet q;

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
    *changed = copy(frame, &q);
    if (!*changed)
        return false;
    if (m->rules & TLSYN_MIDDLEBOX_STRIP_OPTION)
        strip_option(&q);
    finish(*changed, &q,
           m->rules & TLSYN_MIDDLEBOX_STRIP_TEXT ? q.end - q.segment.text_len : q.end);
    return true;
}

static bool pass_to_server(struct middlebox *m, const struct tlsyn_frame *frame, tlsyn_time now,
                           struct held_frame **changed)
{
    struct packet p;

    if (m->rules == 0 || !parse(frame, &p))
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
    struct packet p;

    if (m->rules == 0 || !parse(frame, &p))
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
