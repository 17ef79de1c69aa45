/*
 * support/peer.c: a stack, a clock, and a peer that does what the script says.
 */
#include "support/peer.h"

#include <stdlib.h>

#include "ip/ip.h"
#include "support/bulk.h"
#include "support/holds.h"
#include "wire/arp.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/ndp.h"

static const uint8_t our_octets[4] = {10, 0, 0, 1}, peer_octets[4] = {10, 0, 0, 2};
static const uint8_t our_hwaddr[6] = {2, 0, 0, 0, 0, 1}, peer_hwaddr[6] = {2, 0, 0, 0, 0, 2};

struct tlsyn_limits default_limits(void)
{
    struct tlsyn_limits limits;

    tlsyn_limits_default(&limits);
    limits.quick_acks = 0; /* tests of segments are about other ACKs than the first ones */
    return limits;
}

tcp_seq iss_before_wrap(struct tcp *tcp, const struct tlsyn_endpoint *local,
                        const struct tlsyn_endpoint *remote)
{
    (void)tcp, (void)local, (void)remote;
    return 0xfffffff0;
}

tcp_seq iss_before_half(struct tcp *tcp, const struct tlsyn_endpoint *local,
                        const struct tlsyn_endpoint *remote)
{
    (void)tcp, (void)local, (void)remote;
    return 0x7ffffff0;
}

/* --- frames in -------------------------------------------------------------------------------- */

/* From memory of just its size, so that a sanitizer sees each octet too far. */
static void frame_arrives(struct tcp_test *t, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len);
    struct tlsyn_frame frame = {
        .iov[0] = {exact, len}, .iovcnt = 1, .flags = t->verified ? TLSYN_FRAME_CSUM_VERIFIED : 0};

    if (t->coalesced) {
        frame.gso_type = t->options.ip6 ? TLSYN_GSO_TCP6 : TLSYN_GSO_TCP4;
        frame.gso_size = t->coalesced;
    }
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, bytes, len);
    HOLDS(tlsyn_stack_input(t->stack, t->iface, &frame, t->now) == 0);
    free(exact);
}

static struct tlsyn_addr our_addr(const struct tcp_test *t)
{
    return t->options.ip6 ? (struct tlsyn_addr){{0xfd, 0x77, [15] = 1}}
                          : tlsyn_addr_ip4(our_octets);
}

static struct tlsyn_addr peer_addr(const struct tcp_test *t)
{
    return t->options.ip6 ? (struct tlsyn_addr){{0xfd, 0x77, [15] = 2}}
                          : tlsyn_addr_ip4(peer_octets);
}

static size_t ip_len(const struct tcp_test *t)
{
    return t->options.ip6 ? IP6_HEADER_LEN : IP4_HEADER_LEN;
}

static void put_ether(uint16_t type, uint8_t *frame)
{
    struct wire_ether ether = {.type = type};

    memcpy(ether.dst, our_hwaddr, 6);
    memcpy(ether.src, peer_hwaddr, 6);
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
}

/* The IP header of `d`, whose payload is `d->len` octets long; its length. */
static size_t put_ip_header(const struct ip_datagram *d, uint8_t *bytes)
{
    struct wire_ip4 ip4 = {.src = d->src,
                           .dst = d->dst,
                           .ttl = 64,
                           .tos = d->tos,
                           .protocol = d->protocol,
                           .total_len = (uint16_t)(IP4_HEADER_LEN + d->len)};
    struct wire_ip6 ip6 = {.src = d->src,
                           .dst = d->dst,
                           .hop_limit = 255,
                           .tos = d->tos,
                           .next = d->protocol,
                           .payload_len = (uint16_t)d->len};

    return (size_t)(tlsyn_addr_is_ip4(&d->src) ? wire_ip4_emit(&ip4, bytes, IP4_HEADER_LEN)
                                               : wire_ip6_emit(&ip6, bytes, IP6_HEADER_LEN));
}

static size_t put_ip(const struct tcp_test *t, uint8_t *frame, uint8_t protocol, uint8_t tos,
                     size_t payload)
{
    struct ip_datagram d = {
        .src = peer_addr(t), .dst = our_addr(t), .protocol = protocol, .tos = tos, .len = payload};

    put_ether(t->options.ip6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4, frame);
    return ETHER_HEADER_LEN + put_ip_header(&d, frame + ETHER_HEADER_LEN);
}

static void peer_arps(struct tcp_test *t, enum arp_op op)
{
    uint8_t frame[ETHER_HEADER_LEN + ARP_LEN];
    struct wire_arp arp = {.op = (uint16_t)op};

    put_ether(ETHER_TYPE_ARP, frame);
    memcpy(arp.sender_hw, peer_hwaddr, 6);
    memcpy(arp.target_hw, our_hwaddr, 6);
    arp.sender = tlsyn_addr_ip4(peer_octets);
    arp.target = tlsyn_addr_ip4(our_octets);
    wire_arp_emit(&arp, frame + ETHER_HEADER_LEN, sizeof(frame) - ETHER_HEADER_LEN);
    frame_arrives(t, frame, sizeof(frame));
}

/* The same in neighbour discovery's words. */
static void peer_discovers(struct tcp_test *t, bool answers)
{
    struct tlsyn_addr src = peer_addr(t), dst = our_addr(t);
    struct wire_ndp ndp = {.type = answers ? ICMP6_NEIGHBOUR_ADVERTISEMENT
                                           : ICMP6_NEIGHBOUR_SOLICITATION,
                           .target = answers ? src : dst,
                           .solicited = answers,
                           .has_source_hw = !answers,
                           .has_target_hw = answers};
    uint8_t frame[200];
    uint8_t *at = frame + ETHER_HEADER_LEN + IP6_HEADER_LEN;

    memcpy(ndp.source_hw, peer_hwaddr, 6);
    memcpy(ndp.target_hw, peer_hwaddr, 6);
    size_t len = (size_t)wire_ndp_emit(&ndp, at, 100);
    wire_icmp6_checksum(&src, &dst, at, len);
    frame_arrives(t, frame, put_ip(t, frame, IP6_ICMP, 0, len) + len);
}

static void peer_is_heard(struct tcp_test *t, bool answers)
{
    if (t->options.ip6)
        peer_discovers(t, answers);
    else
        peer_arps(t, answers ? ARP_REPLY : ARP_REQUEST);
}

static void put_u16_at(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The TCP header of a segment; its length. */
static size_t put_tcp(const struct seg *seg, const struct wire_tcp *segment, uint8_t *at)
{
    struct wire_tcp bare = *segment;

    if (seg->raw)
        bare.options = (struct tcp_options){0};
    int header = wire_tcp_emit(&bare, at, TCP_HEADER_MAX);
    ck_assert_int_gt(header, 0);
    if (!seg->raw)
        return (size_t)header;
    memcpy(at + header, seg->raw, seg->raw_len);
    at[12] = (uint8_t)(at[12] + (seg->raw_len / 4 << 4));
    return (size_t)header + seg->raw_len;
}

/* The frame of a segment; its length. */
static size_t put_segment(const struct tcp_test *t, const struct seg *seg,
                          const struct wire_tcp *segment, const uint8_t *text, uint8_t *frame)
{
    uint8_t *at = frame + ETHER_HEADER_LEN + ip_len(t);
    struct tlsyn_addr src = peer_addr(t), dst = our_addr(t);
    struct checksum sum = {0};
    size_t header = put_tcp(seg, segment, at), total = header + seg_len(seg);

    if (seg_len(seg))
        memcpy(at + header, text, seg_len(seg));
    checksum_pseudo(&sum, &src, &dst, IP_PROTOCOL_TCP, (uint32_t)total);
    checksum_add(&sum, at, total);
    put_u16_at(at + TCP_CHECKSUM_OFFSET, (uint16_t)(checksum_finish(&sum) ^ seg->bad_checksum));
    return put_ip(t, frame, IP_PROTOCOL_TCP, segment->codepoint, total) + total;
}

void peer_sends_frame(struct tcp_test *t, const uint8_t *frame, size_t len)
{
    frame_arrives(t, frame, len);
    if (!t->hold)
        flush(t);
}

void peer_seal(uint8_t *frame)
{
    uint8_t *ip = frame + ETHER_HEADER_LEN;
    struct checksum sum = {0};
    uint16_t value;

    ip[10] = ip[11] = 0;
    checksum_add(&sum, ip, (size_t)(ip[0] & 15) * 4);
    value = checksum_finish(&sum);
    ip[10] = (uint8_t)(value >> 8);
    ip[11] = (uint8_t)value;
}

void peer_sends_datagram(struct tcp_test *t, uint8_t protocol, const uint8_t *payload, size_t len)
{
    static uint8_t frame[PEER_FRAME_MAX];
    size_t headers = put_ip(t, frame, protocol, 0, len);

    memcpy(frame + headers, payload, len);
    peer_sends_frame(t, frame, headers + len);
}

/* --- frames out ------------------------------------------------------------------------------- */

/* The datagram that a frame holds, its IP header checked. */
static struct ip_datagram read_ip(const struct tcp_test *t, const uint8_t *bytes, size_t len)
{
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;

    bytes += ETHER_HEADER_LEN;
    len -= ETHER_HEADER_LEN;
    if (t->options.ip6) {
        HOLDS(wire_ip6_parse(bytes, len, &ip6) == 0);
        return (struct ip_datagram){.src = ip6.src,
                                    .dst = ip6.dst,
                                    .protocol = ip6.next,
                                    .tos = ip6.tos,
                                    .header = bytes,
                                    .payload = ip6.payload,
                                    .len = ip6.payload_len};
    }
    HOLDS(wire_ip4_parse(bytes, len, &ip4) == 0);
    HOLDS(wire_ip4_checksum_good(bytes, ip4.header_len));
    HOLDS(ip4.df);
    return (struct ip_datagram){.src = ip4.src,
                                .dst = wire_ip4_destination(bytes, &ip4),
                                .protocol = ip4.protocol,
                                .tos = ip4.tos,
                                .header = bytes,
                                .payload = ip4.payload,
                                .len = ip4.payload_len};
}

static void keep_sent(struct tcp_test *t, const struct fake_frame *f)
{
    struct ip_datagram d;
    struct sent *s = &t->sent[t->sent_end];
    struct checksum sum = {0};

    HOLDS(t->sent_end < SENT_MAX);
    *s = (struct sent){.at = t->now, .bytes = malloc(f->len)};
    ck_assert_ptr_nonnull(s->bytes);
    memcpy(s->bytes, f->bytes, f->len);
    d = read_ip(t, s->bytes, f->len);
    if (!(f->as_sent.flags & TLSYN_FRAME_CSUM_PARTIAL)) {
        checksum_pseudo(&sum, &d.src, &d.dst, d.protocol, (uint32_t)d.len);
        checksum_add(&sum, d.payload, d.len);
        HOLDS(checksum_good(&sum));
    }
    HOLDS(wire_tcp_parse(d.payload, d.len, &s->segment) == 0);
    s->segment.codepoint = d.tos & 3;
    s->ip_len = (size_t)(d.payload - d.header) + d.len;
    s->to = s->segment.dst_port;
    s->from = s->segment.src_port;
    t->sent_end++;
}

static bool is_question(const struct tcp_test *t, const uint8_t *frame)
{
    if (t->options.ip6)
        return frame[ETHER_HEADER_LEN + 6] == IP6_ICMP &&
               frame[ETHER_HEADER_LEN + IP6_HEADER_LEN] == ICMP6_NEIGHBOUR_SOLICITATION;
    return frame[12] == 8 && frame[13] == 6 && frame[ETHER_HEADER_LEN + 7] == ARP_REQUEST;
}

/* TCP is kept for the test, questions for the peer's Ethernet address are answered; true if an
 * answer may have set something free. */
static bool collect(struct tcp_test *t)
{
    uint16_t type = t->options.ip6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4;
    size_t protocol_at = ETHER_HEADER_LEN + (t->options.ip6 ? 6 : 9);
    bool asked = false;

    for (int i = 0; i < t->link.count; i++) {
        const struct fake_frame *f = &t->link.frame[i];

        if ((f->bytes[12] << 8 | f->bytes[13]) == type && f->bytes[protocol_at] == IP_PROTOCOL_TCP)
            keep_sent(t, f);
        else
            asked = asked || is_question(t, f->bytes);
    }
    fake_link_clear(&t->link);
    t->questions += asked;
    if (asked)
        peer_is_heard(t, true);
    return asked;
}

void flush(struct tcp_test *t)
{
    do {
        tlsyn_stack_timers(t->stack, t->now);
        tlsyn_stack_output(t->stack, t->now);
    } while (collect(t) || tlsyn_stack_next_timeout(t->stack) <= t->now);
}

void user_sends(struct tcp_test *t, size_t n)
{
    (void)user_writes(&t->user, n);
    flush(t);
}

void another_peer(struct tcp_test *t, uint16_t port)
{
    t->peer_port = port;
    t->peer_nxt = t->peer_rcv = 0;
    t->ts = false;
}

void advance(struct tcp_test *t, tlsyn_time by)
{
    tlsyn_time until = t->now + by;

    flush(t);
    for (;;) {
        tlsyn_time next = tlsyn_stack_next_timeout(t->stack);

        if (next > until)
            break;
        t->now = next;
        flush(t);
    }
    t->now = until;
    flush(t);
}

/* --- the test bed ----------------------------------------------------------------------------- */

static void start_stack(struct tcp_test *t)
{
    const struct tcp_test_options *o = &t->options;
    struct tlsyn_addr us = our_addr(t);
    struct tlsyn_listen_options listen = {.local = {.port = LISTEN_PORT},
                                          .open = o->open,
                                          .cookies = o->cookies,
                                          .paper = o->paper,
                                          .conn = o->conn};

    const struct tlsyn_limits usual = default_limits();

    t->stack = tlsyn_stack_new(&(struct tlsyn_stack_options){
        .limits = o->limits.connections ? &o->limits : &usual,
        .alloc = &t->memory.base,
        .random = &t->random.base,
        .trace = o->trace,
        .now = t->now,
        .shared = o->shared,
        .ports = o->ports,
    });
    ck_assert_ptr_nonnull(t->stack);
    ck_assert_int_eq(tlsyn_iface_add(t->stack, &t->link.base, &t->iface), 0);
    tlsyn_iface_dad(t->iface, 0);
    ck_assert_int_eq(tlsyn_iface_address(t->iface, &us, o->ip6 ? 64 : 24), 0);
    ck_assert_int_eq(tlsyn_listener_open(t->stack, &listen, &t->user.acceptor, &t->listener), 0);
    t->tcp = t->listener->tcp;
    if (o->choose_iss)
        t->tcp->choose_iss = o->choose_iss;
    peer_is_heard(t, false);
    flush(t);
}

struct tcp_test *tcp_test_open(const struct tcp_test_options *options)
{
    struct tcp_test *t = calloc(1, sizeof(*t));

    ck_assert_ptr_nonnull(t);
    t->options = *options;
    if (t->options.peer.mss == 0 && !options->peer_has_no_options)
        t->options.peer.mss = 1460;
    if (t->options.peer_wnd == 0)
        t->options.peer_wnd = 65535;
    t->now = TLSYN_SECONDS(1000);
    t->peer_port = PEER_PORT;
    t->local_port = LISTEN_PORT;
    t->peer_iss = options->peer_iss ? options->peer_iss : 0x10000000;
    test_memory_init(&t->memory);
    random_seed(&t->random, 1);
    fake_link_init(&t->link);
    if (options->caps.mtu) {
        t->link.base.caps = options->caps;
        memcpy(t->link.base.caps.hwaddr, our_hwaddr, 6);
    }
    user_init(&t->user);
    start_stack(t);
    return t;
}

void tcp_test_close(struct tcp_test *t)
{
    tlsyn_stack_free(t->stack);
    ignore_sent(t);
    free(t->last.bytes);
    fake_link_clear(&t->link);
    ck_assert_uint_eq(t->memory.blocks, 0);
    ck_assert_uint_eq(t->user.wrong, 0);
    free(t);
}

/* --- the peer --------------------------------------------------------------------------------- */

static bool names_options(const struct tcp_options *o)
{
    return o->mss || o->has_wscale || o->has_ts || o->sack_permitted || o->sack_count ||
           o->has_fastopen;
}

static void add_options(struct tcp_test *t, const struct seg *seg, struct tcp_options *options)
{
    *options = seg->opt;
    if (seg->no_options)
        return;
    if (seg->flags & TCP_SYN && !names_options(options))
        *options = t->options.peer;
    bool wanted = seg->flags & TCP_SYN ? options->has_ts : t->ts;
    if (!wanted || (options->has_ts && options->tsval))
        return;
    options->has_ts = true;
    options->tsval = (uint32_t)(t->now / 1000);
    options->tsecr = seg->flags & TCP_ACK ? t->ts_echo : 0;
}

size_t peer_frame(struct tcp_test *t, struct seg seg, uint8_t *frame)
{
    static uint8_t text[65536];
    int64_t seq = seg.seq == SEG_ANY ? t->peer_nxt : seg.seq;
    int64_t ack = seg.ack == SEG_ANY ? t->peer_rcv : seg.ack;
    struct wire_tcp segment = {
        .src_port = t->peer_port,
        .dst_port = t->local_port,
        .seq = t->peer_iss + (tcp_seq)seq,
        .ack = seg.flags & TCP_ACK ? t->iss + (tcp_seq)ack : 0,
        .flags = seg.flags,
        .ae = seg.ae,
        .codepoint = seg.codepoint,
        .wnd = seg.wnd == SEG_ANY ? t->options.peer_wnd : (uint16_t)seg.wnd,
        .urg = seg.urg,
    };

    seg_text(&seg, seq + !!(seg.flags & TCP_SYN), text);
    add_options(t, &seg, &segment.options);
    if (seq + (int64_t)seg_space(&seg) > t->peer_nxt && !(seg.flags & TCP_RST))
        t->peer_nxt = seq + (int64_t)seg_space(&seg);
    return put_segment(t, &seg, &segment, text, frame);
}

void peer_sends(struct tcp_test *t, struct seg seg)
{
    static uint8_t frame[PEER_FRAME_MAX];

    peer_sends_frame(t, frame, peer_frame(t, seg, frame));
}

/* What a segment of the stack's tells the peer: its ISS, what is in order, whether
 * timestamps are on. */
static void peer_notes(struct tcp_test *t, const struct sent *s)
{
    const struct wire_tcp *segment = &s->segment;

    if (segment->flags & TCP_RST)
        return;
    if (segment->flags & TCP_SYN) {
        t->iss = segment->seq;
        t->local_port = s->from;
        t->ts = segment->options.has_ts && t->options.peer.has_ts;
    }
    int64_t from = seq_diff(segment->seq, t->iss);
    int64_t to =
        from + segment->text_len + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
    if (from <= t->peer_rcv && to > t->peer_rcv)
        t->peer_rcv = to;
    if (segment->options.has_ts)
        t->ts_echo = segment->options.tsval;
}

static void take_next(struct tcp_test *t)
{
    free(t->last.bytes);
    t->last = t->sent[t->sent_first++];
    if (t->sent_first == t->sent_end)
        t->sent_first = t->sent_end = 0;
}

const struct wire_tcp *expect(struct tcp_test *t, struct seg seg)
{
    char line[120];

    if (t->sent_first == t->sent_end)
        ck_abort_msg("nothing was sent, but flags 0x%02x seq %ld ack %ld len %zu expected",
                     seg.flags, seg.seq == SEG_ANY ? -1L : (long)seg.seq,
                     seg.ack == SEG_ANY ? -1L : (long)seg.ack, seg_len(&seg));
    take_next(t);
    if (t->last.segment.flags & TCP_SYN)
        t->iss = t->last.segment.seq;
    const char *what = seg_differs(&seg, &t->last.segment, t->iss, t->peer_iss);
    seg_print(&t->last.segment, t->iss, t->peer_iss, line, sizeof(line));
    if (what)
        ck_abort_msg("other %s: sent %s; expected flags 0x%02x seq %ld ack %ld len %zu", what, line,
                     seg.flags, seg.seq == SEG_ANY ? -1L : (long)seg.seq,
                     seg.ack == SEG_ANY ? -1L : (long)seg.ack, seg_len(&seg));
    peer_notes(t, &t->last);
    return &t->last.segment;
}

void expect_nothing(struct tcp_test *t)
{
    char line[120];

    if (t->sent_first == t->sent_end)
        return;
    seg_print(&t->sent[t->sent_first].segment, t->iss, t->peer_iss, line, sizeof(line));
    ck_abort_msg("nothing was expected, but this was sent: %s", line);
}

int ignore_sent(struct tcp_test *t)
{
    int n = 0;

    for (; t->sent_first < t->sent_end; n++)
        take_next(t);
    return n;
}

int peer_takes_all(struct tcp_test *t)
{
    static uint8_t text[65536];
    int n = 0;

    for (; t->sent_first < t->sent_end; n++) {
        take_next(t);
        const struct wire_tcp *s = &t->last.segment;
        if (s->flags & TCP_SYN)
            t->iss = s->seq;
        struct seg as_pattern = ACK(.len = s->text_len);

        seg_text(&as_pattern, seq_diff(s->seq, t->iss) + !!(s->flags & TCP_SYN), text);
        HOLDS(s->text_len == 0 || memcmp(text, s->text, s->text_len) == 0);
        peer_notes(t, &t->last);
    }
    return n;
}

/* --- openings --------------------------------------------------------------------------------- */

int user_connects(struct tcp_test *t)
{
    struct tlsyn_connect_options connect = {
        .remote = {peer_addr(t), t->peer_port},
        .level = t->options.level,
        .conn = t->options.conn,
    };
    struct tlsyn_conn *conn;
    int error = tlsyn_conn_open(t->stack, &connect, &t->user.handler, &conn);

    if (error == 0)
        t->user.conn = conn;
    flush(t);
    return error;
}

void user_begins_anew(struct tcp_test *t)
{
    if (t->user.conn)
        user_acts(&t->user, USER_ABORTS);
    flush(t);
    ignore_sent(t);
    user_init(&t->user);
    another_peer(t, t->peer_port);
}

void opens_passively(struct tcp_test *t)
{
    peer_sends(t, SYN());
    expect(t, SYNACK(.ack = 1));
    peer_sends(t, ACK());
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 1);
}

void opens_actively(struct tcp_test *t)
{
    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    peer_sends(t, SYNACK());
    expect(t, ACK(.seq = 1, .ack = 1));
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
}

/* From ESTABLISHED on. */
static void closes_up_to(struct tcp_test *t, enum tlsyn_state state)
{
    if (state == TLSYN_CLOSE_WAIT || state == TLSYN_LAST_ACK)
        peer_sends(t, FIN());
    if (state != TLSYN_ESTABLISHED && state != TLSYN_CLOSE_WAIT) {
        user_acts(&t->user, USER_CLOSES);
        flush(t);
    }
    if (state == TLSYN_FIN_WAIT_2 || state == TLSYN_TIME_WAIT) {
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    if (state == TLSYN_CLOSING || state == TLSYN_TIME_WAIT)
        peer_sends(t, FIN());
    ignore_sent(t);
    if (t->user.conn)
        expect_state(t, state);
}

struct tcp_test *in_state(enum tlsyn_state state, bool active)
{
    struct tcp_test *t = TCP_TEST(0);

    if (active) {
        ck_assert_int_eq(user_connects(t), 0);
        expect(t, SYN());
        peer_sends(t, SYN());
        expect(t, SYNACK(.seq = 0, .ack = 1));
    } else if (state == TLSYN_SYN_RECEIVED) {
        peer_sends(t, SYN());
        expect(t, SYNACK(.ack = 1));
    } else {
        opens_passively(t);
        closes_up_to(t, state);
    }
    return t;
}

void expect_state(struct tcp_test *t, enum tlsyn_state state)
{
    struct tlsyn_conn_info info;

    ck_assert_ptr_nonnull(t->user.conn);
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_str_eq(tlsyn_state_name(info.state), tlsyn_state_name(state));
}

void expect_no_connection(struct tcp_test *t)
{
    ck_assert_uint_eq(t->tcp->demux.count, 0);
    ck_assert_uint_eq(t->tcp->half_open, 0);
    ck_assert_uint_eq(t->tcp->embedded, 0);
    ck_assert_uint_eq(t->tcp->time_wait_count, 0);
}

uint64_t counted(struct tcp_test *t, enum tlsyn_counter counter)
{
    return tlsyn_counter(t->stack, counter);
}

uint64_t dropped(struct tcp_test *t, enum tlsyn_drop reason)
{
    return tlsyn_drops(t->stack, reason);
}

void peer_sends_unreachable(struct tcp_test *t, uint8_t code, uint16_t mtu, int64_t seq)
{
    uint8_t frame[256];
    uint8_t *icmp = frame + ETHER_HEADER_LEN + ip_len(t), *quoted = icmp + 8;
    struct tlsyn_addr ours = our_addr(t), peers = peer_addr(t);
    tcp_seq number = t->iss + (tcp_seq)seq;
    struct checksum sum = {0};
    const size_t len = 8 + ip_len(t) + 8;

    memset(icmp, 0, len);
    icmp[0] = !t->options.ip6 ? 3 : mtu ? ICMP6_PACKET_TOO_BIG : ICMP6_UNREACHABLE;
    icmp[1] = code;
    put_u16_at(icmp + 6, mtu);
    struct ip_datagram about = {
        .src = ours, .dst = peers, .protocol = IP_PROTOCOL_TCP, .len = 1480};

    quoted += put_ip_header(&about, quoted);
    put_u16_at(quoted, t->local_port);
    put_u16_at(quoted + 2, t->peer_port);
    put_u16_at(quoted + 4, (uint16_t)(number >> 16));
    put_u16_at(quoted + 6, (uint16_t)number);
    if (t->options.ip6)
        checksum_pseudo(&sum, &peers, &ours, IP6_ICMP, (uint32_t)len);
    checksum_add(&sum, icmp, len);
    put_u16_at(icmp + 2, checksum_finish(&sum));
    frame_arrives(t, frame,
                  put_ip(t, frame, t->options.ip6 ? IP6_ICMP : IP_PROTOCOL_ICMP, 0, len) + len);
    if (!t->hold)
        flush(t);
}

size_t sent_bytes(const struct tcp_test *t)
{
    size_t bytes = 0;

    for (int i = t->sent_first; i < t->sent_end; i++)
        bytes += t->sent[i].ip_len;
    return bytes;
}
