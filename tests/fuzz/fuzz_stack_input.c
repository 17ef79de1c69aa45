/*
 * fuzz_stack_input: a whole stack with a listener, under any sequence of segments, calls of its
 * users, time and failing memory.
 *
 * The input is a list of operations, each one octet and what it needs (missing octets
 * read as zero):
 *
 *     0 frame    length, octets as they are                   6 act     user; close, abort, release
 *     1 segment  connection, small distances from its seq     7 time    16 bits, squared, in us
 *                and ack, flags, window, options, text        8 memory  request that fails
 *     2 SYN      port, number, options, text                  9 ICMP    connection, code, MTU
 *     3 connect  level, local and remote port                10 listen  closes one, or opens one
 *     4 write    user, bytes                                 11 link    frames that it still takes
 *     5 read     user, bytes                                 12 output
 *    13 the peer speaks the other of IPv4 and IPv6 from now on
 *    from 240 on: an option octet of the next segment lies: which, and what it says
 *
 * Each event of a user reads one more octet, which decides what the user does inside it (write,
 * close, abort, release, refuse). Frames are flagged "checksum verified", so that no checksum
 * stands in the way and the product needs no hole.
 *
 * Invariants: those of tcp_check() after every call; the TCP's counts agree with its
 * connections; no more than three bytes leave for each that came before an embedded open's peer
 * is validated; a user hears of the end exactly once and of nothing behind it; what is sent
 * parses; all memory comes back.
 */
#include <errno.h>
#include <stdlib.h>

#include "support/bed.h"
#include "support/must.h"
#include "tcp/conn.h"
#include "wire/bytes.h"
#include "wire/icmp6.h"
#include "wire/ip6.h"

#define USERS      6
#define PORT       443
#define FRAME_MAX  2048
#define TEXT_MAX   1460
#define RING_SMALL 8192

struct player {
    struct tlsyn_handler handler;
    struct fuzz *fuzz;
    struct tlsyn_conn *conn;
    bool busy; /* has a connection, and is owed on_closed */
};

struct fuzz {
    struct reader input;
    struct bed bed;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct tcp *tcp;
    bool ip6; /* what comes from the peer, and where we connect to */
    bool lies;
    uint8_t lie_at, lie;
    struct player player[USERS];
};

/* --- users ------------------------------------------------------------------------------------ */

static struct player *of(struct tlsyn_handler *handler)
{
    struct player *p = container_of(handler, struct player, handler);

    must(p->busy);
    return p;
}

static void write_some(struct player *p, uint16_t n)
{
    struct tlsyn_view view;
    ssize_t room = tlsyn_conn_reserve(p->conn, n, &view);

    must(room <= n && (room < 0 || tlsyn_view_len(&view) == (size_t)room));
    if (room <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (view.part[i].iov_len)
            memset(view.part[i].iov_base, 'x', view.part[i].iov_len);
    tlsyn_conn_commit(p->conn, (size_t)room);
}

static void read_some(struct player *p, size_t n)
{
    struct tlsyn_view view;
    size_t there = tlsyn_conn_peek(p->conn, &view);

    must(tlsyn_view_len(&view) == there);
    tlsyn_conn_consume(p->conn, n < there ? n : there);
}

static void act(struct player *p, uint8_t what)
{
    struct tlsyn_conn *conn = p->conn;

    switch (what % 4) {
    case 1:
        tlsyn_conn_close(conn);
        break;
    case 2:
        tlsyn_conn_abort(conn, -ECANCELED);
        break;
    case 3:
        p->busy = false;
        p->conn = NULL;
        tlsyn_conn_release(conn);
        break;
    default:
        break;
    }
}

/* What a user does inside an event. */
static int decide(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct player *p = of(handler);
    uint8_t choice = get_u8(&p->fuzz->input);

    p->conn = conn;
    if (choice & 1)
        read_some(p, SIZE_MAX);
    if (choice & 2)
        write_some(p, (uint16_t)(choice * 32));
    if (choice & 4)
        act(p, choice >> 3);
    return choice & 0x80 ? -EPROTO : 0;
}

static void on_event(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    decide(handler, conn);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(conn, &info);
    must(n > 0 || info.state == TLSYN_FIN_WAIT_2); /* 0: of our FIN */
    decide(handler, conn);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct player *p = of(handler);

    must(error <= 0 && (!p->conn || p->conn == conn));
    p->busy = false;
    p->conn = NULL;
}

static const struct tlsyn_conn_events events = {
    .on_open = decide,
    .on_syn = decide,
    .on_synack = decide,
    .on_established = on_event,
    .on_data = on_event,
    .on_acked = on_acked,
    .on_closed = on_closed,
};

static struct player *idle_player(struct fuzz *f)
{
    for (int i = 0; i < USERS; i++)
        if (!f->player[i].busy)
            return &f->player[i];
    return NULL;
}

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    struct fuzz *f = container_of(acceptor, struct fuzz, acceptor);
    struct player *p = idle_player(f);
    uint8_t choice = get_u8(&f->input);

    if (!p || choice == 0xff)
        return NULL;
    p->busy = true;
    p->conn = conn;
    if (choice == 0xfe)
        tlsyn_conn_abort(conn, -ECANCELED);
    return &p->handler;
}

/* --- the wire --------------------------------------------------------------------------------- */

static void datagram_arrives(struct fuzz *f, uint8_t protocol, const uint8_t *payload, size_t len)
{
    uint8_t bytes[FRAME_MAX];
    struct ip_datagram d = {.src = peer_addr(f->ip6),
                            .dst = our_addr(f->ip6),
                            .protocol = protocol,
                            .payload = payload,
                            .len = len};

    bed_datagram(&f->bed, bytes, datagram_emit(&d, bytes));
}

/* Text of octets that don't matter, and of a length that does. */
static void tcp_arrives(struct fuzz *f, const struct wire_tcp *segment, size_t text_len)
{
    uint8_t payload[TCP_HEADER_MAX + TEXT_MAX] = {0};
    int header = wire_tcp_emit(segment, payload, TCP_HEADER_MAX);

    if (f->lies && header > TCP_HEADER_LEN)
        payload[TCP_HEADER_LEN + f->lie_at % (header - TCP_HEADER_LEN)] = f->lie;
    f->lies = false;
    if (header > 0)
        datagram_arrives(f, IP_PROTOCOL_TCP, payload, (size_t)header + text_len);
}

/* An offset that is mostly small, in either direction. */
static tcp_seq distance(struct fuzz *f)
{
    int8_t n = (int8_t)get_u8(&f->input);

    if (n > -100 && n < 100)
        return (tcp_seq)(int32_t)n;
    return (tcp_seq)(int32_t)(int16_t)get_u16(&f->input) * (n < 0 ? 1u : 65537u);
}

/* Offsets from what we sent. */
static void read_blocks(struct fuzz *f, tcp_seq from, struct tcp_options *o)
{
    o->sack_count = (uint8_t)(1 + get_u8(&f->input) % TCP_SACK_BLOCKS_MAX);
    for (int i = 0; i < o->sack_count; i++) {
        o->sack[i].left = from += distance(f);
        o->sack[i].right = from += distance(f);
    }
}

static void read_counters(struct fuzz *f, struct tcp_options *o)
{
    o->accecn_fields = (uint8_t)(1 + get_u8(&f->input) % 3);
    for (int i = 0; i < o->accecn_fields; i++)
        o->accecn[i] = get_u32(&f->input) & 0xffffff;
}

static void read_options(struct fuzz *f, tcp_seq una, struct tcp_options *o)
{
    uint8_t which = get_u8(&f->input);

    if (which & 1)
        o->mss = get_u16(&f->input);
    if (which & 2) {
        o->has_wscale = true;
        o->wscale = get_u8(&f->input) & 15;
    }
    o->sack_permitted = which & 4;
    if (which & 8) {
        o->has_ts = true;
        o->tsval = (uint32_t)(f->bed.now / 1000) + get_u8(&f->input);
    }
    if (which & 16) {
        o->has_fastopen = true;
        o->cookie_len = which & 32 ? 8 : 0;
        get_bytes(&f->input, o->cookie, o->cookie_len);
    }
    if (which & 64)
        read_blocks(f, una, o);
    if (which & 128)
        read_counters(f, o);
}

static struct tlsyn_conn *nth_conn(struct fuzz *f, uint8_t n)
{
    list_each(it, &f->tcp->all) if (n-- == 0) return container_of(it, struct tlsyn_conn, all);
    return NULL;
}

static void aimed_segment(struct fuzz *f)
{
    const struct tlsyn_conn *conn = nth_conn(f, get_u8(&f->input) % 8);
    struct wire_tcp segment = {0};

    if (!conn)
        return;
    segment.src_port = conn->remote.port;
    segment.dst_port = conn->local.port;
    segment.flags = get_u8(&f->input);
    segment.seq = conn->rcv_nxt + distance(f);
    segment.ack = (segment.flags & TCP_CWR ? conn->snd_una : conn->snd_nxt) + distance(f);
    segment.wnd = get_u16(&f->input);
    read_options(f, conn->snd_una, &segment.options);
    if (conn->ts_ok && !segment.options.has_ts && !(segment.flags & TCP_ECE)) {
        segment.options.has_ts = true;
        segment.options.tsval = conn->ts_recent;
    }
    tcp_arrives(f, &segment, get_u16(&f->input) % TEXT_MAX);
}

static void syn(struct fuzz *f)
{
    struct wire_tcp segment = {.dst_port = PORT, .flags = TCP_SYN};

    segment.src_port = (uint16_t)(1000 + get_u8(&f->input) % 8);
    segment.seq = (tcp_seq)get_u8(&f->input) << 24;
    segment.wnd = get_u16(&f->input);
    read_options(f, 0, &segment.options);
    tcp_arrives(f, &segment, get_u16(&f->input) % TEXT_MAX);
}

/* What quotes a segment: its ports and its number. */
static void quote(struct fuzz *f, const struct tlsyn_conn *conn, uint8_t *to)
{
    struct writer w = writer_of(to, 8);

    put_u16(&w, conn->local.port);
    put_u16(&w, conn->remote.port);
    put_u32(&w, conn->snd_una + distance(f));
}

static void icmp6(struct fuzz *f, const struct tlsyn_conn *conn)
{
    struct ip_datagram quoted = {.src = conn->local.addr,
                                 .dst = conn->remote.addr,
                                 .protocol = IP_PROTOCOL_TCP,
                                 .len = 1460};
    uint8_t message[8 + DATAGRAM_HEADER_MAX + 8] = {0};
    size_t header = datagram_emit_header(&quoted, message + 8);

    message[0] = (uint8_t)(ICMP6_UNREACHABLE + get_u8(&f->input) % 4);
    message[1] = get_u8(&f->input) % 8;
    message[6] = get_u8(&f->input) % 8; /* MTU, of packets too big */
    quote(f, conn, message + 8 + header);
    wire_icmp6_checksum(&conn->remote.addr, &conn->local.addr, message, 8 + header + 8);
    datagram_arrives(f, IP6_ICMP, message, 8 + header + 8);
}

static void icmp(struct fuzz *f)
{
    const struct tlsyn_conn *conn = nth_conn(f, get_u8(&f->input) % 8);
    struct ip_datagram quoted = {
        .src = our_addr(false), .dst = peer_addr(false), .protocol = IP_PROTOCOL_TCP, .len = 1480};
    uint8_t message[8 + DATAGRAM_HEADER_MAX + 8] = {3};

    if (!conn)
        return;
    if (!tlsyn_addr_is_ip4(&conn->local.addr)) {
        icmp6(f, conn);
        return;
    }
    message[1] = get_u8(&f->input) % 16;
    message[6] = get_u8(&f->input) % 8;
    size_t header = datagram_emit_header(&quoted, message + 8);
    quote(f, conn, message + 8 + header);
    struct ip_datagram whole = {
        .protocol = IP_PROTOCOL_ICMP, .payload = message, .len = 8 + header + 8};
    struct writer w = writer_of(message + 2, 2);
    put_u16(&w, datagram_checksum(&whole));
    datagram_arrives(f, IP_PROTOCOL_ICMP, message, whole.len);
}

static void raw_frame(struct fuzz *f)
{
    uint8_t frame[FRAME_MAX];
    size_t len = get_u16(&f->input) % sizeof(frame);

    len = len < f->input.left ? len : f->input.left;
    get_bytes(&f->input, frame, len);
    bed_frame(&f->bed, frame, len);
}

/* --- the stack's side ------------------------------------------------------------------------- */

/* Each datagram parses, fits the link, and holds a segment that parses if it says so. */
static void look_at_sent(struct bed *bed, const struct fake_frame *frame)
{
    const uint8_t *bytes = frame->bytes + 14;
    bool is_ip6 = frame->bytes[12] == 0x86;
    struct wire_ip6_chain chain;
    struct wire_ip6 ip6;
    struct ip_datagram d;
    struct wire_tcp tcp;

    if (frame->bytes[13] == 6 && !is_ip6) /* ARP */
        return;
    must(datagram_read(bytes, frame->len - 14, &d));
    must(frame->len - 14 <= bed->link.base.caps.mtu);
    if (is_ip6) {
        must(wire_ip6_parse(bytes, frame->len - 14, &ip6) == 0);
        must(wire_ip6_walk(&ip6, &chain) == 0);
    }
    must(d.protocol != IP_PROTOCOL_TCP || wire_tcp_parse(d.payload, d.len, &tcp) == 0);
}

static void open_listener(struct fuzz *f)
{
    struct tlsyn_listen_options listen = {.local = {.port = PORT},
                                          .open = true,
                                          .cookies = true,
                                          .paper = true,
                                          .conn = {.snd_ring = RING_SMALL, .rcv_ring = RING_SMALL}};

    if (tlsyn_listener_open(f->bed.stack, &listen, &f->acceptor, &f->listener) < 0)
        f->listener = NULL;
    else
        f->tcp = f->listener->tcp;
}

static void toggle_listener(struct fuzz *f)
{
    if (!f->listener) {
        open_listener(f);
        return;
    }
    tlsyn_listener_close(f->listener);
    f->listener = NULL;
}

static void connect_one(struct fuzz *f)
{
    struct player *p = idle_player(f);
    uint8_t choice = get_u8(&f->input);
    struct tlsyn_connect_options connect = {
        .remote = {peer_addr(f->ip6), (uint16_t)(1000 + choice / 64)},
        .local = {.port = choice & 4 ? (uint16_t)(PORT + (choice >> 3 & 1)) : 0},
        .level = choice & 3,
        .conn = {.nagle = choice & 16,
                 .no_timestamps = choice & 32,
                 .snd_ring = RING_SMALL,
                 .rcv_ring = RING_SMALL},
    };

    if (!p)
        return;
    p->busy = true;
    p->conn = NULL;
    struct tlsyn_conn *conn;
    int error = tlsyn_conn_open(f->bed.stack, &connect, &p->handler, &conn);
    if (error < 0) {
        must(p->busy || !p->conn); /* on_closed was not called, unless the user had left */
        p->busy = false;
        p->conn = NULL;
    } else if (p->busy) {
        p->conn = conn;
    }
}

static void user_call(struct fuzz *f, uint8_t op)
{
    struct player *p = &f->player[get_u8(&f->input) % USERS];
    uint16_t n = get_u16(&f->input);

    if (!p->conn)
        return;
    if (op == 4)
        write_some(p, n);
    else if (op == 5)
        read_some(p, n);
    else
        act(p, (uint8_t)n);
}

static void step(struct fuzz *f)
{
    uint8_t choice = get_u8(&f->input), op = choice % 14;
    int64_t time;

    if (choice >= 240) {
        f->lies = true;
        f->lie_at = get_u8(&f->input);
        f->lie = get_u8(&f->input);
        return;
    }
    switch (op) {
    case 0:
        raw_frame(f);
        break;
    case 1:
        aimed_segment(f);
        break;
    case 2:
        syn(f);
        break;
    case 3:
        connect_one(f);
        break;
    case 7:
        time = get_u16(&f->input);
        f->bed.now += time * time;
        bed_output(&f->bed);
        break;
    case 8:
        test_memory_fail(&f->bed.memory, get_u8(&f->input) % 8u + 1);
        break;
    case 9:
        icmp(f);
        break;
    case 10:
        toggle_listener(f);
        break;
    case 11:
        f->bed.link.room = (int8_t)get_u8(&f->input);
        break;
    case 12:
        bed_output(&f->bed);
        break;
    case 13:
        f->ip6 = !f->ip6;
        break;
    default:
        user_call(f, op);
    }
}

static void open_stack(struct fuzz *f)
{
    struct tlsyn_limits limits;

    tlsyn_limits_default(&limits);
    limits.connections = 7;
    limits.time_wait = 2;
    limits.syn_backlog = 4;
    limits.embedded_backlog = 3;
    limits.ooo_ranges = 4;
    limits.destinations = 2;
    f->acceptor.accept = accept_one;
    for (int i = 0; i < USERS; i++)
        f->player[i] = (struct player){.handler = {&events}, .fuzz = f};
    bed_open(&f->bed, &(struct bed_options){.ip4 = true, .ip6 = true, .limits = &limits});
    f->bed.on_frame = look_at_sent;
    f->bed.verified = true;
    open_listener(f);
    must(f->listener != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;

    memset(&f, 0, sizeof(f));
    f.input = reader_of(data, size);
    open_stack(&f);
    while (f.input.left > 0) {
        step(&f);
        tcp_check_all(f.tcp);
    }
    bed_close(&f.bed);
    for (int i = 0; i < USERS; i++)
        must(!f.player[i].busy);
    return 0;
}
