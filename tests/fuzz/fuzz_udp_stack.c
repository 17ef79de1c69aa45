/*
 * fuzz_udp_stack: a whole stack with UDP endpoints, under any sequence of datagrams, ICMP
 * errors, calls of its users, time and failing memory. The counterpart of fuzz_stack_input,
 * which has the connections.
 *
 * The input is a list of operations, each one octet and what it needs (missing octets
 * read as zero):
 *
 *     0 frame     length, octets as they are             5 connect  user, peer; or ends it
 *     1 datagram  ports, length field, checksum, text    6 time     16 bits, squared, in us; output
 *     2 ICMP      ports, code, MTU                       7 memory   request that fails
 *     3 open      user, address, port, options           8 link     frames that it still takes
 *     4 send      user, to, bytes                        9 close    user
 *
 *     from 240 on: IPv4 or IPv6 from now on, both of the peer and of the users
 *     from 224 to 239: user, other options
 *
 * Each event of a user reads one more octet, which decides what the user does inside it (send,
 * connect, close, open another).
 *
 * Invariants: no event for an endpoint that is closed; each endpoint that the stack still has hears
 * of its end once; a connected one hears its peer alone; what is delivered can be read; what is
 * sent parses, has ports and a checksum, and fits the link; all memory comes back.
 */

#include <tlsyn/udp.h>

#include "core/list.h"
#include "support/bed.h"
#include "support/must.h"
#include "wire/bytes.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/udp.h"

#define USERS     5
#define FRAME_MAX 2048
#define OP_CHANGE 224

struct user {
    struct tlsyn_udp_handler handler;
    struct fuzz *fuzz;
    struct tlsyn_udp *ep; /* NULL: none is open */
};

struct fuzz {
    struct reader input;
    struct bed bed;
    bool ip6;
    uint8_t sum; /* of all that was delivered */
    struct user user[USERS];
};

/* --- users ------------------------------------------------------------------------------------ */

/* A few addresses, so that they meet: the peer, another, us, a broadcast, a group, none. */
static struct tlsyn_endpoint some_endpoint(struct fuzz *f)
{
    static const uint8_t octets[8][4] = {{10, 0, 0, 2}, {10, 0, 0, 3},   {10, 0, 0, 1},
                                         {10, 0, 0, 9}, {10, 0, 0, 255}, {224, 0, 0, 251},
                                         {0, 0, 0, 0},  {192, 0, 2, 1}};
    static const struct tlsyn_addr ip6[8] = {{{0xfd, 0x77, [15] = 2}},
                                             {{0xfd, 0x77, [15] = 3}},
                                             {{0xfd, 0x77, [15] = 1}},
                                             {{0xfd, 0x77, [15] = 9}},
                                             {{0xff, 0x02, [15] = 1}},
                                             {{0xff, 0x02, [15] = 0xfb}},
                                             {{0}},
                                             {{0x20, 1, 0xd, 0xb8}}};
    uint8_t which = get_u8(&f->input);

    return (struct tlsyn_endpoint){.addr =
                                       f->ip6 ? ip6[which & 7] : tlsyn_addr_ip4(octets[which & 7]),
                                   .port = (uint16_t)(which >> 3 & 7)};
}

static void send_some(struct user *u)
{
    static const uint8_t text[4096];
    struct tlsyn_endpoint to = some_endpoint(u->fuzz);
    size_t len = get_u16(&u->fuzz->input) % sizeof(text);
    uint8_t how = get_u8(&u->fuzz->input);
    int error = tlsyn_udp_send(u->ep, how & 1 ? &to : NULL, text, len);

    must(error <= 0);
}

static void open_one(struct user *u)
{
    struct tlsyn_endpoint at = some_endpoint(u->fuzz);
    uint8_t how = get_u8(&u->fuzz->input);
    struct tlsyn_udp_options options = {.local = at, .broadcast = how & 1, .only_ip6 = how & 2};

    if (u->ep)
        return;
    if (how & 4)
        options.local.addr = (struct tlsyn_addr){0};
    if (tlsyn_udp_open(u->fuzz->bed.stack, &options, &u->handler, &u->ep) < 0)
        u->ep = NULL;
}

/* What may change after opening. What says that a datagram would leave must be right. */
static void change_one(struct user *u)
{
    uint8_t how = get_u8(&u->fuzz->input);
    struct tlsyn_udp_options options = {.broadcast = how & 1,
                                        .whole = how & 2,
                                        .by_link = how & 4,
                                        .no_df = how & 8,
                                        .shared = how & 16,
                                        .reuse = how & 32,
                                        .ttl = how & 64 ? 1 : 0,
                                        .mtu = how & 128 ? 600 : 0};
    struct tlsyn_endpoint to = some_endpoint(u->fuzz);
    struct tlsyn_udp_message message = {.to = &to};

    tlsyn_udp_set_options(u->ep, &options);
    must(tlsyn_udp_mtu(u->ep, &to) != 0);
    must(tlsyn_udp_check(u->ep, &message) <= 0);
}

static void connect_one(struct user *u)
{
    struct tlsyn_endpoint peer = some_endpoint(u->fuzz);
    struct tlsyn_udp_info info;
    int error = tlsyn_udp_connect(u->ep, peer.port == 7 ? NULL : &peer);

    tlsyn_udp_info(u->ep, &info);
    must(error < 0 || info.connected == (peer.port != 7));
    must(info.local.port > 0);
}

static void close_one(struct user *u)
{
    tlsyn_udp_close(u->ep);
    u->ep = NULL;
}

/* What a user does inside an event. */
static void decide(struct user *u)
{
    uint8_t choice = get_u8(&u->fuzz->input);

    if (choice & 1)
        send_some(u);
    if (choice & 2)
        connect_one(u);
    if (choice & 4)
        close_one(u);
    if (choice & 8)
        open_one(&u->fuzz->user[choice >> 4 & 3]);
}

static struct user *of(struct tlsyn_udp_handler *handler, const struct tlsyn_udp *ep)
{
    struct user *u = container_of(handler, struct user, handler);

    must(u->ep == ep);
    return u;
}

static void on_datagram(struct tlsyn_udp_handler *handler, struct tlsyn_udp *ep,
                        const struct tlsyn_udp_datagram *datagram)
{
    struct user *u = of(handler, ep);
    struct tlsyn_udp_info info;

    tlsyn_udp_info(ep, &info);
    must(datagram->to.port == info.local.port);
    must(!info.connected || tlsyn_addr_eq(&info.peer.addr, &datagram->from.addr));
    must(!info.connected || info.peer.port == datagram->from.port || info.peer.port == 0);
    for (size_t i = 0; i < datagram->len; i++) /* each can be read, says the sanitizer */
        u->fuzz->sum ^= datagram->bytes[i];
    if (u->fuzz->sum & 0x80)
        tlsyn_udp_refuse(ep);
    decide(u);
}

static void on_error(struct tlsyn_udp_handler *handler, struct tlsyn_udp *ep,
                     const struct tlsyn_udp_error *told)
{
    struct fuzz *f = of(handler, ep)->fuzz;

    must(told->error < 0);
    for (size_t i = 0; i < told->len; i++)
        f->sum ^= told->bytes[i];
    decide(of(handler, ep));
}

static void on_writable(struct tlsyn_udp_handler *handler, struct tlsyn_udp *ep)
{
    decide(of(handler, ep));
}

static void on_closed(struct tlsyn_udp_handler *handler, struct tlsyn_udp *ep)
{
    of(handler, ep)->ep = NULL;
}

static const struct tlsyn_udp_events events = {
    .on_datagram = on_datagram,
    .on_error = on_error,
    .on_writable = on_writable,
    .on_closed = on_closed,
};

/* --- the wire --------------------------------------------------------------------------------- */

static void raw_frame(struct fuzz *f)
{
    uint8_t frame[FRAME_MAX];
    size_t len = get_u16(&f->input) % sizeof(frame);

    len = len < f->input.left ? len : f->input.left;
    get_bytes(&f->input, frame, len);
    bed_frame(&f->bed, frame, len);
}

static void datagram_arrives(struct fuzz *f, struct ip_datagram d)
{
    uint8_t bytes[FRAME_MAX];

    d.src = peer_addr(f->ip6);
    d.dst = our_addr(f->ip6);
    bed_datagram(&f->bed, bytes, datagram_emit(&d, bytes));
}

static void udp_arrives(struct fuzz *f)
{
    uint8_t bytes[UDP_HEADER_LEN + 256] = {0};
    uint8_t ports = get_u8(&f->input), text = get_u8(&f->input);
    int8_t lie = (int8_t)get_u8(&f->input);
    struct wire_udp header = {.src_port = ports & 7,
                              .dst_port = ports >> 3 & 7,
                              .len = (uint16_t)(UDP_HEADER_LEN + text + (lie & 1 ? lie : 0))};
    struct ip_datagram d = {.src = peer_addr(f->ip6),
                            .dst = our_addr(f->ip6),
                            .protocol = IP_PROTOCOL_UDP,
                            .payload = bytes,
                            .len = (size_t)UDP_HEADER_LEN + text};

    wire_udp_emit(&header, bytes, sizeof(bytes));
    if (!(ports & 0x40)) { /* a checksum; wrong if the length is */
        header.checksum = datagram_checksum(&d);
        wire_udp_emit(&header, bytes, sizeof(bytes));
    }
    datagram_arrives(f, d);
}

static void icmp_arrives(struct fuzz *f)
{
    uint8_t message[8 + DATAGRAM_HEADER_MAX + UDP_HEADER_LEN] = {0};
    struct ip_datagram quoted = {
        .src = our_addr(f->ip6), .dst = peer_addr(f->ip6), .protocol = IP_PROTOCOL_UDP, .len = 80};
    uint8_t ports = get_u8(&f->input), code = get_u8(&f->input);
    struct wire_udp header = {.src_port = ports & 7, .dst_port = ports >> 3 & 7, .len = 80};

    message[0] = f->ip6 ? (uint8_t)(ICMP6_UNREACHABLE + (code >> 4) % 4) : 3;
    message[1] = (uint8_t)(code % (f->ip6 ? 8 : 16));
    message[6] = get_u8(&f->input) % 8; /* the MTU of what says that it was too big */
    size_t at = 8 + datagram_emit_header(&quoted, message + 8);
    wire_udp_emit(&header, message + at, UDP_HEADER_LEN);
    struct ip_datagram whole = {.src = peer_addr(f->ip6),
                                .dst = our_addr(f->ip6),
                                .protocol = f->ip6 ? IP6_ICMP : IP_PROTOCOL_ICMP,
                                .payload = message,
                                .len = at + UDP_HEADER_LEN};
    struct writer w = writer_of(message + 2, 2);
    put_u16(&w, datagram_checksum(&whole));
    datagram_arrives(f, whole);
}

/* --- the stack's side ------------------------------------------------------------------------- */

static void look_at_sent(struct bed *bed, const struct fake_frame *frame)
{
    bool is_ip6 = frame->bytes[12] == 0x86;
    struct ip_datagram d;
    struct wire_ip4 ip4 = {0};
    struct wire_udp udp;

    if (frame->bytes[13] == 6 && !is_ip6) /* ARP */
        return;
    must(datagram_read(frame->bytes + 14, frame->len - 14, &d));
    must(is_ip6 || wire_ip4_parse(frame->bytes + 14, frame->len - 14, &ip4) == 0);
    must(frame->len - 14 <= bed->link.base.caps.mtu);
    if (d.protocol != IP_PROTOCOL_UDP || ip4.mf || ip4.offset > 0)
        return;
    must(wire_udp_parse(d.payload, d.len, &udp) == 0);
    must(udp.src_port > 0 && udp.checksum != 0); /* to port 0 goes what is connected to it */
    must(datagram_checksum(&d) == 0);
}

static void user_call(struct user *u, uint8_t op)
{
    if (op == 3)
        open_one(u);
    if (!u->ep)
        return;
    if (op == OP_CHANGE)
        change_one(u);
    if (op == 4)
        send_some(u);
    else if (op == 5)
        connect_one(u);
    else if (op == 9)
        close_one(u);
}

static void step(struct fuzz *f)
{
    uint8_t choice = get_u8(&f->input), op = choice < 224 ? choice % 10 : choice;
    int64_t time;

    if (op >= 240) {
        f->ip6 = !f->ip6;
        return;
    }
    if (op >= 224)
        op = OP_CHANGE;
    switch (op) {
    case 0:
        raw_frame(f);
        break;
    case 1:
        udp_arrives(f);
        break;
    case 2:
        icmp_arrives(f);
        break;
    case 6:
        time = get_u16(&f->input);
        f->bed.now += time * time;
        bed_output(&f->bed);
        break;
    case 7:
        test_memory_fail(&f->bed.memory, get_u8(&f->input) % 8u + 1);
        break;
    case 8:
        f->bed.link.room = (int8_t)get_u8(&f->input);
        break;
    default:
        user_call(&f->user[get_u8(&f->input) % USERS], op);
    }
}

static void open_stack(struct fuzz *f)
{
    struct tlsyn_limits limits;

    tlsyn_limits_default(&limits);
    limits.udp_endpoints = 4; /* fewer than users */
    limits.udp_queue_bytes = 4096;
    limits.icmp_per_second = 4;
    for (int i = 0; i < USERS; i++)
        f->user[i] = (struct user){.handler = {&events}, .fuzz = f};
    bed_open(&f->bed, &(struct bed_options){.ip4 = true, .ip6 = true, .limits = &limits});
    f->bed.on_frame = look_at_sent;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;

    memset(&f, 0, sizeof(f));
    f.input = reader_of(data, size);
    open_stack(&f);
    while (f.input.left > 0)
        step(&f);
    bed_close(&f.bed);
    for (int i = 0; i < USERS; i++)
        must(!f.user[i].ep);
    return 0;
}
