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
 *    from 224 on: options of a connection, or of those to come
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
#include <string.h>

#include "fuzz/stack_input.h"
#include "wire/ip6.h"

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
    struct tlsyn_listen_options listen = {
        .local = {.port = PORT}, .open = true, .cookies = true, .paper = true, .conn = f->options};

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
    struct player *p = players_idle(f);
    uint8_t choice = get_u8(&f->input);
    struct tlsyn_connect_options connect = {
        .remote = {peer_addr(f->ip6), (uint16_t)(1000 + choice / 64)},
        .local = {.port = choice & 4 ? (uint16_t)(PORT + (choice >> 3 & 1)) : 0},
        .level = choice & 3,
        .conn = f->options,
    };

    connect.conn.nagle = choice & 16;
    connect.conn.no_timestamps = choice & 32;
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
        player_writes(p, n);
    else if (op == 5)
        player_reads(p, n);
    else
        player_acts(p, (uint8_t)n);
}

static void step(struct fuzz *f)
{
    uint8_t choice = get_u8(&f->input), op = choice % 14;
    int64_t time;

    if (choice >= 224 && choice < 240) {
        settings_change(f);
        return;
    }
    if (choice >= 240) {
        f->lies = true;
        f->lie_at = get_u8(&f->input);
        f->lie = get_u8(&f->input);
        return;
    }
    switch (op) {
    case 0:
        frame_arrives(f);
        break;
    case 1:
        segment_arrives(f);
        break;
    case 2:
        syn_arrives(f);
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
        icmp_arrives(f);
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
    limits.source_routes = true;
    players_init(f);
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
    f.options = (struct tlsyn_conn_options){.snd_ring = RING_SMALL, .rcv_ring = RING_SMALL};
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
