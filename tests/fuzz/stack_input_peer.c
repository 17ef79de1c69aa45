/*
 * fuzz/stack_input_peer.c: segments near the borders of what a connection accepts, SYNs, ICMP, and
 * frames of any octets.
 */

#include "fuzz/stack_input.h"
#include "wire/icmp6.h"
#include "wire/ip6.h"

#define FRAME_MAX 2048
#define TEXT_MAX  1460

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

void segment_arrives(struct fuzz *f)
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

void syn_arrives(struct fuzz *f)
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

void icmp_arrives(struct fuzz *f)
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

void frame_arrives(struct fuzz *f)
{
    uint8_t frame[FRAME_MAX];
    size_t len = get_u16(&f->input) % sizeof(frame);

    len = len < f->input.left ? len : f->input.left;
    get_bytes(&f->input, frame, len);
    bed_frame(&f->bed, frame, len);
}
