/* UDP endpoints: who gets which datagram, what may be sent, checksums, ICMP in and out. RFC 768,
 * RFC 1122 4.1, RFC 6056. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "support/ip_bed.h"
#include "support/world.h"
#include "udp/udp.h"
#include "wire/checksum.h"
#include "wire/icmp4.h"
#include "wire/udp.h"

Suite *udp_suite(void);

/* Remembers what its endpoint came to. */
struct ear {
    struct tlsyn_udp_handler base;
    struct tlsyn_udp *ep;
    int datagrams, errors, writable, closed;
    struct tlsyn_udp_datagram last;
    uint8_t bytes[2048];
    struct tlsyn_endpoint failed;
    int error;
    bool answer;       /* each datagram with its own bytes */
    bool close;        /* at the first event */
    bool full;         /* it has no room for datagrams */
    struct ear *crowd; /* at the first datagram all of these */
    int crowd_size;
};

static struct ip_bed bed;
static struct udp udp;
static struct ear ear, other;

static void on_datagram(struct tlsyn_udp_handler *base, struct tlsyn_udp *ep,
                        const struct tlsyn_udp_datagram *datagram)
{
    struct ear *e = container_of(base, struct ear, base);

    e->datagrams++;
    e->last = *datagram;
    ck_assert_uint_le(datagram->len, sizeof(e->bytes));
    memcpy(e->bytes, datagram->bytes, datagram->len);
    if (e->full)
        tlsyn_udp_refuse(ep);
    if (e->answer)
        ck_assert_int_eq(tlsyn_udp_send(ep, &datagram->from, datagram->bytes, datagram->len), 0);
    for (int i = 0; i < e->crowd_size; i++)
        tlsyn_udp_close(e->crowd[i].ep);
    if (e->close)
        tlsyn_udp_close(ep);
}

static void on_error(struct tlsyn_udp_handler *base, struct tlsyn_udp *ep,
                     const struct tlsyn_udp_error *told)
{
    struct ear *e = container_of(base, struct ear, base);

    e->errors++;
    e->failed = told->to;
    e->error = told->error;
    if (e->close)
        tlsyn_udp_close(ep);
}

static void on_writable(struct tlsyn_udp_handler *base, struct tlsyn_udp *ep)
{
    struct ear *e = container_of(base, struct ear, base);

    e->writable++;
    if (e->close)
        tlsyn_udp_close(ep);
}

static void on_closed(struct tlsyn_udp_handler *base, struct tlsyn_udp *ep)
{
    (void)ep;
    container_of(base, struct ear, base)->closed++;
}

static const struct tlsyn_udp_events events = {
    .on_datagram = on_datagram,
    .on_error = on_error,
    .on_writable = on_writable,
    .on_closed = on_closed,
};

static void setup(void)
{
    struct tlsyn_addr second = addr_of("10.0.0.9");

    ip_bed_open(&bed, 21);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &second, 24), 0);
    bed.cx.limits.udp_endpoints = 8;
    bed.cx.limits.udp_queue_bytes = 4096;
    udp_init(&udp, &bed.cx, &bed.ip);
    ip_bed_knows(&bed, 2);
    ear = (struct ear){.base = {.events = &events}};
    other = ear;
}

static void teardown(void)
{
    udp_release(&udp);
    ip_bed_close(&bed);
}

static struct tlsyn_endpoint at(const char *addr, uint16_t port)
{
    return (struct tlsyn_endpoint){.addr = addr_of(addr), .port = port};
}

/* Opens an endpoint for `e` on this address; NULL: any. */
static int opens(struct ear *e, const char *addr, uint16_t port)
{
    struct tlsyn_udp_options options = {.local = at(addr ? addr : "::", port)};

    return udp_open(&udp, &options, &e->base, &e->ep);
}

/* --- helpers that make and read datagrams ----------------------------------------------------- */

struct made {
    const char *src, *dst;
    uint16_t src_port, dst_port;
    const char *text;
    int len_off;      /* the header's length is off by so much */
    bool no_checksum; /* field zero */
    bool bad_checksum;
    uint8_t ttl, tos;
};

/* A UDP datagram with its checksum; its length. */
static size_t make(const struct made *m, uint8_t *bytes)
{
    size_t text_len = m->text ? strlen(m->text) : 0;
    struct tlsyn_addr src = addr_of(m->src ? m->src : "10.0.0.2");
    struct tlsyn_addr dst = addr_of(m->dst ? m->dst : "10.0.0.1");
    struct wire_udp header = {.src_port = m->src_port ? m->src_port : 5353,
                              .dst_port = m->dst_port ? m->dst_port : 53,
                              .len = (uint16_t)((int)(UDP_HEADER_LEN + text_len) + m->len_off)};
    struct checksum sum = {0};

    wire_udp_emit(&header, bytes, UDP_HEADER_LEN);
    if (text_len > 0)
        memcpy(bytes + UDP_HEADER_LEN, m->text, text_len);
    checksum_pseudo(&sum, &src, &dst, IP_PROTOCOL_UDP, (uint32_t)(UDP_HEADER_LEN + text_len));
    checksum_add(&sum, bytes, UDP_HEADER_LEN + text_len);
    header.checksum = checksum_finish(&sum);
    if (m->bad_checksum)
        header.checksum ^= 0x0100;
    if (m->no_checksum)
        header.checksum = 0;
    wire_udp_emit(&header, bytes, UDP_HEADER_LEN);
    return UDP_HEADER_LEN + text_len;
}

/* It comes in, and goes to where stack.c would hand it. */
static void arrives(const struct made *m)
{
    uint8_t bytes[1600], frame[PACKET_MAX];
    struct packet p = {.src = m->src,
                       .dst = m->dst,
                       .protocol = IP_PROTOCOL_UDP,
                       .ttl = m->ttl,
                       .tos = m->tos,
                       .payload = bytes,
                       .len = make(m, bytes)};
    size_t len = packet_build(&p, frame);
    struct tlsyn_frame like = {.iov = {{.iov_base = frame, .iov_len = len}}, .iovcnt = 1};

    ck_assert_int_eq(ip_input(&bed.ip, bed.iface, &like, &bed.arrival), IP_DATAGRAM);
    udp_input(&udp, &bed.arrival.datagram);
}

/* What was sent as number i, its checksum verified. */
static struct wire_udp sent(int i, struct wire_ip4 *ip4)
{
    const struct fake_frame *f = &bed.link.frame[i];
    struct checksum sum = {0};
    struct wire_udp header;

    ck_assert_int_gt(bed.link.count, i);
    ck_assert_int_eq(wire_ip4_parse(f->bytes + 14, f->len - 14, ip4), 0);
    ck_assert_uint_eq(ip4->protocol, IP_PROTOCOL_UDP);
    ck_assert_int_eq(wire_udp_parse(ip4->payload, ip4->payload_len, &header), 0);
    ck_assert_uint_ne(header.checksum, 0);
    checksum_pseudo(&sum, &ip4->src, &ip4->dst, IP_PROTOCOL_UDP, ip4->payload_len);
    checksum_add(&sum, ip4->payload, ip4->payload_len);
    ck_assert(checksum_good(&sum));
    return header;
}

static bool is(const struct tlsyn_addr *a, const char *text)
{
    struct tlsyn_addr b = addr_of(text);

    return tlsyn_addr_eq(a, &b);
}

static uint64_t counted(enum tlsyn_counter counter)
{
    return bed.cx.counter[counter];
}

/* --- in --------------------------------------------------------------------------------------- */

START_TEST(a_datagram_reaches_the_endpoint_of_its_port)
{
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    ck_assert_int_eq(opens(&other, NULL, 54), 0);
    arrives(&(struct made){.text = "hello", .ttl = 7, .tos = 0xb9});
    ck_assert_int_eq(ear.datagrams, 1);
    ck_assert_int_eq(other.datagrams, 0);
    ck_assert_uint_eq(ear.last.len, 5);
    ck_assert_mem_eq(ear.bytes, "hello", 5);
    ck_assert(is(&ear.last.from.addr, "10.0.0.2") && ear.last.from.port == 5353);
    ck_assert(is(&ear.last.to.addr, "10.0.0.1") && ear.last.to.port == 53);
    ck_assert_uint_eq(ear.last.ttl, 7);
    ck_assert_uint_eq(ear.last.tos, 0xb9);
    ck_assert(!ear.last.broadcast);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_in), 1);
}
END_TEST

START_TEST(an_endpoint_of_one_address_gets_what_came_to_it)
{
    ck_assert_int_eq(opens(&ear, "10.0.0.1", 53), 0);
    ck_assert_int_eq(opens(&other, "10.0.0.9", 53), 0);
    arrives(&(struct made){.text = "one"});
    arrives(&(struct made){.text = "nine", .dst = "10.0.0.9"});
    ck_assert_int_eq(ear.datagrams, 1);
    ck_assert_mem_eq(ear.bytes, "one", 3);
    ck_assert_int_eq(other.datagrams, 1);
    ck_assert_mem_eq(other.bytes, "nine", 4);
}
END_TEST

START_TEST(a_broadcast_reaches_who_has_any_address_and_is_marked)
{
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    ck_assert_int_eq(opens(&other, "10.0.0.1", 54), 0);
    arrives(&(struct made){.dst = "10.0.0.255"});
    arrives(&(struct made){.dst = "255.255.255.255", .dst_port = 54});
    ck_assert_int_eq(ear.datagrams, 1);
    ck_assert(ear.last.broadcast);
    ck_assert_int_eq(other.datagrams, 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 0); /* RFC 1122 3.2.2: no ICMP error about a broadcast */
}
END_TEST

/* Whoever hears it first closes all: nobody else may hear it any more. */
START_TEST(who_hears_a_broadcast_may_close_all_that_do)
{
    struct tlsyn_udp_options options = {.reuse = true};
    struct ear ears[4];
    int heard = 0;

    for (int i = 0; i < 4; i++) {
        options.local = at(i % 2 ? "::" : "0.0.0.0", 53);
        ears[i] = ear;
        ck_assert_int_eq(udp_open(&udp, &options, &ears[i].base, &ears[i].ep), 0);
    }
    for (int i = 0; i < 4; i++) {
        ears[i].crowd = ears;
        ears[i].crowd_size = 4;
    }
    arrives(&(struct made){.dst = "10.0.0.255"});
    for (int i = 0; i < 4; i++)
        heard += ears[i].datagrams;
    ck_assert_int_eq(heard, 1);
    arrives(&(struct made){.dst = "10.0.0.255"});
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_udp_no_port), 1);
}
END_TEST

START_TEST(a_connected_endpoint_hears_its_peer_alone)
{
    struct tlsyn_endpoint peer = at("10.0.0.2", 5353);
    struct tlsyn_udp_info info;

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    ck_assert_int_eq(tlsyn_udp_connect(ear.ep, &peer), 0);
    tlsyn_udp_info(ear.ep, &info);
    ck_assert(info.connected && is(&info.local.addr, "10.0.0.1"));
    arrives(&(struct made){.text = "peer"});
    ck_assert_int_eq(ear.datagrams, 1);
    arrives(&(struct made){.src_port = 5354});
    arrives(&(struct made){.src = "10.0.0.3"});
    arrives(&(struct made){.dst = "10.0.0.9"});
    ck_assert_int_eq(ear.datagrams, 1);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_no_ports), 3);

    ck_assert_int_eq(tlsyn_udp_connect(ear.ep, NULL), 0);
    arrives(&(struct made){.src_port = 5354});
    ck_assert_int_eq(ear.datagrams, 2);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, NULL, "x", 1), -EDESTADDRREQ);
}
END_TEST

START_TEST(an_empty_datagram_is_one_too)
{
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    arrives(&(struct made){0});
    ck_assert_int_eq(ear.datagrams, 1);
    ck_assert_uint_eq(ear.last.len, 0);
}
END_TEST

START_TEST(what_lies_about_its_length_is_dropped)
{
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    arrives(&(struct made){.text = "hello", .len_off = 1});   /* more than there is */
    arrives(&(struct made){.text = "hello", .len_off = -6});  /* less than a header */
    arrives(&(struct made){.text = "hello", .len_off = -13}); /* RFC 2675's zero */
    ck_assert_int_eq(ear.datagrams, 0);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_udp_header), 3);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_in_errors), 3);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(a_wrong_checksum_is_dropped_and_none_is_taken)
{
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    arrives(&(struct made){.text = "hello", .bad_checksum = true});
    ck_assert_int_eq(ear.datagrams, 0);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_udp_checksum), 1);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_csum_errors), 1);
    arrives(&(struct made){.text = "hello", .no_checksum = true});
    ck_assert_int_eq(ear.datagrams, 1);
}
END_TEST

START_TEST(ip6_has_to_have_a_checksum)
{
    uint8_t bytes[64];
    struct ip_datagram datagram = {.iface = bed.iface,
                                   .src = addr_of("fe80::2"),
                                   .dst = addr_of("fe80::1"),
                                   .protocol = IP_PROTOCOL_UDP,
                                   .csum_verified = true,
                                   .header = bytes,
                                   .payload = bytes};

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    datagram.len =
        make(&(struct made){.src = "fe80::2", .dst = "fe80::1", .no_checksum = true}, bytes);
    udp_input(&udp, &datagram);
    ck_assert_int_eq(ear.datagrams, 0);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_udp_checksum), 1);
    datagram.csum_verified = false;
    make(&(struct made){.src = "fe80::2", .dst = "fe80::1"}, bytes);
    udp_input(&udp, &datagram);
    ck_assert_int_eq(ear.datagrams, 1);
}
END_TEST

START_TEST(an_endpoint_may_be_closed_in_its_event)
{
    ear.close = true;
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    arrives(&(struct made){.text = "hello"});
    ck_assert_int_eq(ear.datagrams, 1);
    arrives(&(struct made){.text = "again"});
    ck_assert_int_eq(ear.datagrams, 1);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_no_ports), 1);
}
END_TEST

/* --- ICMP ------------------------------------------------------------------------------------- */

/* As of /proc/net/snmp: a datagram is in InDatagrams or in InErrors. */
START_TEST(what_finds_no_room_did_not_come_in_but_is_an_error)
{
    struct tlsyn_udp_info info;

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    arrives(&(struct made){.text = "room"});
    ear.full = true;
    arrives(&(struct made){.text = "none"});
    ear.close = true; /* and who refuses may close */
    arrives(&(struct made){.text = "none"});
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_in), 1);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_in_errors), 2);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_rcvbuf_errors), 2);

    ear = (struct ear){.base = ear.base, .full = true};
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    arrives(&(struct made){.text = "none"});
    tlsyn_udp_info(ear.ep, &info);
    ck_assert_uint_eq(info.datagrams_in, 1);
    ck_assert_uint_eq(info.drops, 1);
}
END_TEST

START_TEST(nobody_at_a_port_is_told_by_icmp)
{
    struct wire_icmp4 icmp;
    struct wire_ip4 ip4, quoted;

    arrives(&(struct made){.text = "hello", .dst_port = 99});
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_int_eq(wire_ip4_parse(bed.link.frame[0].bytes + 14, bed.link.frame[0].len - 14, &ip4),
                     0);
    ck_assert_int_eq(wire_icmp4_parse(ip4.payload, ip4.payload_len, &icmp), 0);
    ck_assert_uint_eq(icmp.type, ICMP4_UNREACHABLE);
    ck_assert_uint_eq(icmp.code, ICMP4_PORT);
    ck_assert_int_eq(wire_ip4_parse_quoted(icmp.payload, icmp.payload_len, &quoted), 0);
    ck_assert(is(&quoted.dst, "10.0.0.1"));
    ck_assert_uint_eq(quoted.payload[3], 99);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_no_ports), 1);
}
END_TEST

START_TEST(icmp_about_ports_keeps_to_its_budget)
{
    for (int i = 0; i < 150; i++)
        arrives(&(struct made){.dst_port = (uint16_t)(1000 + i)});
    ck_assert_uint_eq(counted(TLSYN_COUNT_icmp_out), 100);
    ck_assert_uint_eq(counted(TLSYN_COUNT_icmp_rate_limited), 50);
}
END_TEST

/* An ICMP error about a datagram of ours from port 53 to 10.0.0.2, 5353, or another port. */
static void icmp_arrives(int error, uint16_t local_port, uint16_t remote_port)
{
    struct ip_error e = {.error = error,
                         .protocol = IP_PROTOCOL_UDP,
                         .src = addr_of("10.0.0.1"),
                         .dst = addr_of("10.0.0.2")};

    wire_udp_emit(&(struct wire_udp){.src_port = local_port, .dst_port = remote_port, .len = 8},
                  e.quoted, sizeof(e.quoted));
    udp_icmp_error(&udp, &e);
}

START_TEST(an_icmp_error_reaches_the_endpoint_it_is_about)
{
    struct tlsyn_endpoint peer = at("10.0.0.2", 5353);

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    icmp_arrives(-ECONNREFUSED, 53, 99);
    ck_assert_int_eq(ear.error, -ECONNREFUSED);
    ck_assert(is(&ear.failed.addr, "10.0.0.2") && ear.failed.port == 99);

    /* Connected: about what was sent to the peer only. */
    ck_assert_int_eq(tlsyn_udp_connect(ear.ep, &peer), 0);
    icmp_arrives(-ECONNREFUSED, 53, 99);
    icmp_arrives(-ECONNREFUSED, 54, 5353);
    ck_assert_int_eq(ear.errors, 1);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_unrelated), 2);
    ear.close = true;
    icmp_arrives(-EHOSTUNREACH, 53, 5353);
    ck_assert_int_eq(ear.errors, 2);
    ck_assert_int_eq(ear.error, -EHOSTUNREACH);
}
END_TEST

START_TEST(a_neighbours_silence_is_an_error_of_its_endpoint)
{
    struct tlsyn_endpoint to = at("10.0.0.77", 53);
    struct ip_error error;

    ck_assert_int_eq(opens(&ear, NULL, 0), 0);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, "x", 1), 0);
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_MS(1001));
    ck_assert(ip_error_take(&bed.ip, &error));
    ck_assert_uint_eq(error.protocol, IP_PROTOCOL_UDP);
    udp_icmp_error(&udp, &error);
    ck_assert_int_eq(ear.error, -EHOSTUNREACH);
    ck_assert(is(&ear.failed.addr, "10.0.0.77"));
}
END_TEST

/* --- out -------------------------------------------------------------------------------------- */

START_TEST(a_datagram_leaves_with_ports_length_and_checksum)
{
    struct tlsyn_endpoint to = at("10.0.0.2", 5353);
    struct wire_udp header;
    struct wire_ip4 ip4;

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    tlsyn_udp_set_options(ear.ep, &(struct tlsyn_udp_options){.tos = 0x28, .ttl = 9});
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, "hello", 5), 0);
    ck_assert_int_eq(bed.link.count, 0); /* nothing leaves but in output */
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    header = sent(0, &ip4);
    ck_assert_uint_eq(header.src_port, 53);
    ck_assert_uint_eq(header.dst_port, 5353);
    ck_assert_uint_eq(header.payload_len, 5);
    ck_assert_mem_eq(header.payload, "hello", 5);
    ck_assert(is(&ip4.src, "10.0.0.1") && is(&ip4.dst, "10.0.0.2"));
    ck_assert_uint_eq(ip4.tos, 0x28);
    ck_assert_uint_eq(ip4.ttl, 9);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_out), 1);
}
END_TEST

START_TEST(two_pieces_are_one_datagram_from_a_chosen_source)
{
    struct tlsyn_endpoint to = at("10.0.0.2", 5353);
    struct tlsyn_addr from = addr_of("10.0.0.9"), foreign = addr_of("10.0.0.8");
    char a[] = "hel", b[] = "lo";
    struct tlsyn_udp_message message = {
        .to = &to, .from = &from, .text = {{{.iov_base = a, .iov_len = 3}, {b, 2}}}};
    struct wire_udp header;
    struct wire_ip4 ip4;

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    ck_assert_int_eq(tlsyn_udp_send_message(ear.ep, &message), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    header = sent(0, &ip4);
    ck_assert_uint_eq(header.payload_len, 5);
    ck_assert_mem_eq(header.payload, "hello", 5);
    ck_assert(is(&ip4.src, "10.0.0.9"));
    message.from = &foreign;
    ck_assert_int_eq(tlsyn_udp_send_message(ear.ep, &message), -EADDRNOTAVAIL);
}
END_TEST

/* RFC 768: a sum of zero is sent as all ones, for zero says that there is none. */
START_TEST(a_checksum_of_zero_is_sent_as_all_ones)
{
    struct tlsyn_endpoint to = at("10.0.0.2", 5353);
    struct wire_udp header;
    struct wire_ip4 ip4;
    uint8_t text[2];

    /* The two bytes that make it zero are the checksum of the same datagram with two
     * bytes of zero. */
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, "\0", 2), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    header = sent(0, &ip4);
    text[0] = (uint8_t)(header.checksum >> 8);
    text[1] = (uint8_t)header.checksum;
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, text, 2), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    header = sent(1, &ip4);
    ck_assert_uint_eq(header.checksum, 0xffff);
}
END_TEST

START_TEST(what_cannot_be_sent_says_why)
{
    struct tlsyn_endpoint to = at("10.0.0.2", 5353), nowhere = at("192.0.2.1", 53);
    struct tlsyn_endpoint zero = at("10.0.0.2", 0), none = at("0.0.0.0", 53),
                          six = at("fe80::2", 1);
    struct tlsyn_endpoint everybody = at("10.0.0.255", 53);
    static uint8_t big[TLSYN_UDP_MAX + 1];

    ck_assert_int_eq(opens(&ear, "10.0.0.1", 53), 0);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, NULL, "x", 1), -EDESTADDRREQ);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &nowhere, "x", 1), -ENETUNREACH);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &zero, "x", 1), -EINVAL);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &none, "x", 1), -EINVAL);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &six, "x", 1), -ENETUNREACH);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &everybody, "x", 1), -EACCES);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, big, sizeof(big)), -EMSGSIZE);
    ck_assert_int_eq(tlsyn_udp_connect(ear.ep, &nowhere), -ENETUNREACH);
    ck_assert_int_eq(tlsyn_udp_connect(ear.ep, &zero), 0); /* to hear from any port of his */
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_out), 0);
}
END_TEST

/* Sends to `dst` with `broadcast` allowed; the frame that leaves. */
static const struct fake_frame *sends_to_all(const char *dst, uint16_t port)
{
    struct tlsyn_endpoint to = at(dst, port);

    fake_link_clear(&bed.link);
    tlsyn_udp_set_options(ear.ep, &(struct tlsyn_udp_options){.broadcast = true});
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, "all", 3), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    return &bed.link.frame[0];
}

/* A datagram of 1200 octets, where the path is said to take 1000, by what IP_MTU_DISCOVER is. */
START_TEST(what_is_too_long_for_its_path_goes_by_three_options)
{
    static const struct {
        bool whole, by_link, no_df;
        int error, frames;
        bool df;
    } ways[] = {
        {false, false, false, 0, 2, false}, {true, false, false, -EMSGSIZE, 0, false},
        {true, true, false, 0, 1, true},    {false, false, true, 0, 2, false},
        {true, true, true, 0, 1, false},    {false, true, true, 0, 1, false},
    };
    static uint8_t text[1200 - 28];
    struct tlsyn_udp_options options = {.local = at("::", 53)};
    struct tlsyn_endpoint to = at("10.0.0.2", 5353);

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    ip_learn_mtu(&bed.ip, &to.addr, 1000);
    options.whole = ways[_i].whole;
    options.by_link = ways[_i].by_link;
    options.no_df = ways[_i].no_df;
    tlsyn_udp_set_options(ear.ep, &options);
    ck_assert_int_eq(tlsyn_udp_mtu(ear.ep, &to), ways[_i].by_link ? 1500 : 1000);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, text, sizeof(text)), ways[_i].error);
    ck_assert_int_eq(ip_bed_flush(&bed), ways[_i].frames);
    for (int i = 0; i < ways[_i].frames; i++) {
        const uint8_t *ip4 = bed.link.frame[i].bytes + 14;

        ck_assert_int_eq(ip4[6] >> 6 & 1, ways[_i].df);
        ck_assert_int_eq(!(ip4[4] | ip4[5]), ways[_i].df); /* RFC 6864 4.1 */
    }
    /* A router says 900: believed, unless it could have cut and is not to be heard. */
    struct ip_error e = {.error = -EMSGSIZE,
                         .mtu = 900,
                         .protocol = IP_PROTOCOL_UDP,
                         .src = addr_of("10.0.0.1"),
                         .dst = to.addr};
    wire_udp_emit(&(struct wire_udp){.src_port = 53, .dst_port = 5353, .len = 8}, e.quoted,
                  sizeof(e.quoted));
    udp_icmp_error(&udp, &e);
    options.by_link = false;
    tlsyn_udp_set_options(ear.ep, &options);
    ck_assert_int_eq(tlsyn_udp_mtu(ear.ep, &to), ways[_i].by_link && ways[_i].no_df ? 1000 : 900);
}
END_TEST

START_TEST(broadcasts_and_groups_leave_for_everybody)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x7f, 0x00, 0x42};
    static uint8_t big[1473];
    struct tlsyn_endpoint to = at("10.0.0.255", 67);
    struct wire_ip4 ip4;

    ck_assert_int_eq(opens(&ear, NULL, 68), 0);
    ck_assert_mem_eq(sends_to_all("255.255.255.255", 67)->bytes, all, 6);
    ck_assert_uint_eq(sent(0, &ip4).payload_len, 3);
    ck_assert(is(&ip4.src, "10.0.0.1") && is(&ip4.dst, "255.255.255.255"));
    ck_assert_uint_eq(ip4.ttl, 64);
    ck_assert_mem_eq(sends_to_all("10.0.0.255", 67)->bytes, all, 6);
    ck_assert_uint_eq(sent(0, &ip4).dst_port, 67);
    ck_assert_mem_eq(sends_to_all("239.255.0.66", 5353)->bytes, group, 6);
    ck_assert_uint_eq(sent(0, &ip4).src_port, 68);
    ck_assert_uint_eq(ip4.ttl, 1);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, big, sizeof(big)), -EMSGSIZE);
    test_memory_fail(&bed.memory, 1);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, "x", 1), -ENOMEM);
}
END_TEST

START_TEST(what_waits_for_output_is_bounded_and_room_is_told_of)
{
    struct tlsyn_endpoint to = at("10.0.0.2", 5353);
    static const uint8_t text[1000];
    int taken = 0, error;

    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    while ((error = tlsyn_udp_send(ear.ep, &to, text, sizeof(text))) == 0)
        taken++;
    ck_assert_int_eq(error, -EAGAIN);
    ck_assert_int_ge(taken, 2);
    ck_assert_int_le(taken, 4);
    ck_assert_uint_eq(counted(TLSYN_COUNT_udp_sndbuf_errors), 1);
    ck_assert_int_eq(ip_bed_flush(&bed), taken);
    ck_assert_int_eq(ear.writable, 0);
    udp_output_done(&udp);
    ck_assert_int_eq(ear.writable, 1);
    ck_assert_int_eq(tlsyn_udp_send(ear.ep, &to, text, sizeof(text)), 0);
    udp_output_done(&udp);
    ck_assert_int_eq(ear.writable, 1);
}
END_TEST

START_TEST(an_endpoint_may_be_closed_when_room_is_told_of)
{
    struct tlsyn_endpoint to = at("10.0.0.2", 5353);
    static const uint8_t text[1000];

    ear.close = true;
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
    ck_assert_int_eq(opens(&other, NULL, 54), 0);
    while (tlsyn_udp_send(ear.ep, &to, text, sizeof(text)) == 0)
        ;
    ck_assert_int_eq(tlsyn_udp_send(other.ep, &to, text, sizeof(text)), -EAGAIN);
    udp_output_done(&udp);
    ck_assert_int_eq(ear.writable, 1);
    ck_assert_int_eq(other.writable, 1);
}
END_TEST

/* --- ports ------------------------------------------------------------------------------------ */

START_TEST(a_port_belongs_to_one_endpoint_per_address)
{
    ck_assert_int_eq(opens(&ear, "10.0.0.1", 53), 0);
    ck_assert_int_eq(opens(&other, "10.0.0.1", 53), -EADDRINUSE);
    ck_assert_int_eq(opens(&other, NULL, 53), -EADDRINUSE);
    ck_assert_int_eq(opens(&other, "0.0.0.0", 53), -EADDRINUSE);
    ck_assert_int_eq(opens(&other, "10.0.0.3", 54), -EADDRNOTAVAIL);
    tlsyn_udp_close(ear.ep);
    ck_assert_int_eq(opens(&other, NULL, 53), 0);
    ck_assert_int_eq(opens(&ear, "10.0.0.9", 53), -EADDRINUSE);
}
END_TEST

START_TEST(families_can_share_a_port)
{
    struct tlsyn_udp_options six = {.local = at("::", 53), .only_ip6 = true};
    struct tlsyn_endpoint to = at("10.0.0.2", 5353);

    ck_assert_int_eq(opens(&ear, "0.0.0.0", 53), 0);
    ck_assert_int_eq(udp_open(&udp, &six, &other.base, &other.ep), 0);
    ck_assert_int_eq(tlsyn_udp_send(other.ep, &to, "x", 1), -EAFNOSUPPORT);
    arrives(&(struct made){.text = "four"});
    ck_assert_int_eq(ear.datagrams, 1);
    tlsyn_udp_close(ear.ep);
    arrives(&(struct made){.text = "four"});
    ck_assert_int_eq(other.datagrams, 0);
    ck_assert_int_eq(opens(&ear, NULL, 53), -EADDRINUSE);
    ck_assert_int_eq(opens(&ear, "10.0.0.1", 53), 0);
}
END_TEST

START_TEST(chosen_ports_are_free_and_hard_to_guess)
{
    uint16_t port[8];
    struct ear ears[8];

    for (int i = 0; i < 8; i++) {
        ears[i] = (struct ear){.base = {.events = &events}};
        ck_assert_int_eq(opens(&ears[i], NULL, 0), 0);
        port[i] = ears[i].ep->info.local.port;
        ck_assert_uint_ge(port[i], 32768);
        for (int k = 0; k < i; k++)
            ck_assert_int_gt(abs(port[i] - port[k]), 1); /* holds for this seed */
    }
    ck_assert_int_eq(opens(&ear, NULL, 0), -ENOBUFS); /* limits.udp_endpoints */
    udp_release(&udp);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(ears[i].closed, 1);
}
END_TEST

START_TEST(opening_fails_whole_when_memory_is_short)
{
    test_memory_fail(&bed.memory, 1);
    ck_assert_int_eq(opens(&ear, NULL, 53), -ENOMEM);
    test_memory_fail(&bed.memory, 2);
    ck_assert_int_eq(opens(&ear, NULL, 53), -ENOMEM);
    ck_assert_int_eq(opens(&ear, NULL, 53), 0);
}
END_TEST

/* --- two stacks ------------------------------------------------------------------------------- */

START_TEST(two_stacks_ask_answer_and_refuse)
{
    struct world w;
    struct tlsyn_udp_options client = {0}, server = {.local = {.port = 7}};
    struct tlsyn_endpoint to;
    bool never = false;

    world_open(&w, &(struct world_options){.seed = 5, .ip6 = _i == 1});
    ear.answer = true;
    ck_assert_int_eq(tlsyn_udp_open(w.host[WORLD_SERVER].stack, &server, &ear.base, &ear.ep), 0);
    ck_assert_int_eq(tlsyn_udp_open(w.host[WORLD_CLIENT].stack, &client, &other.base, &other.ep),
                     0);
    to = (struct tlsyn_endpoint){.addr = w.host[WORLD_SERVER].addr, .port = 7};
    ck_assert_int_eq(tlsyn_udp_connect(other.ep, &to), 0);
    ck_assert_int_eq(tlsyn_udp_send(other.ep, NULL, "echo", 4), 0);
    world_run(&w, TLSYN_SECONDS(1), &never);
    ck_assert_int_eq(other.datagrams, 1);
    ck_assert_mem_eq(other.bytes, "echo", 4);

    tlsyn_udp_close(ear.ep);
    ck_assert_int_eq(tlsyn_udp_send(other.ep, NULL, "echo", 4), 0);
    world_run(&w, TLSYN_SECONDS(1), &never);
    ck_assert_int_eq(other.datagrams, 1);
    ck_assert_int_eq(other.error, -ECONNREFUSED);
    world_close(&w);
    ck_assert_int_eq(other.closed, 1);
}
END_TEST

Suite *udp_suite(void)
{
    Suite *s = suite_create("udp");
    TCase *t = tcase_create("udp");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_datagram_reaches_the_endpoint_of_its_port);
    tcase_add_test(t, an_endpoint_of_one_address_gets_what_came_to_it);
    tcase_add_test(t, a_broadcast_reaches_who_has_any_address_and_is_marked);
    tcase_add_test(t, who_hears_a_broadcast_may_close_all_that_do);
    tcase_add_test(t, a_connected_endpoint_hears_its_peer_alone);
    tcase_add_test(t, an_empty_datagram_is_one_too);
    tcase_add_test(t, what_lies_about_its_length_is_dropped);
    tcase_add_test(t, a_wrong_checksum_is_dropped_and_none_is_taken);
    tcase_add_test(t, ip6_has_to_have_a_checksum);
    tcase_add_test(t, an_endpoint_may_be_closed_in_its_event);
    tcase_add_test(t, what_finds_no_room_did_not_come_in_but_is_an_error);
    tcase_add_test(t, nobody_at_a_port_is_told_by_icmp);
    tcase_add_test(t, icmp_about_ports_keeps_to_its_budget);
    tcase_add_test(t, an_icmp_error_reaches_the_endpoint_it_is_about);
    tcase_add_test(t, a_neighbours_silence_is_an_error_of_its_endpoint);
    tcase_add_test(t, a_datagram_leaves_with_ports_length_and_checksum);
    tcase_add_test(t, two_pieces_are_one_datagram_from_a_chosen_source);
    tcase_add_test(t, a_checksum_of_zero_is_sent_as_all_ones);
    tcase_add_test(t, what_cannot_be_sent_says_why);
    tcase_add_loop_test(t, what_is_too_long_for_its_path_goes_by_three_options, 0, 6);
    tcase_add_test(t, broadcasts_and_groups_leave_for_everybody);
    tcase_add_test(t, what_waits_for_output_is_bounded_and_room_is_told_of);
    tcase_add_test(t, an_endpoint_may_be_closed_when_room_is_told_of);
    tcase_add_test(t, a_port_belongs_to_one_endpoint_per_address);
    tcase_add_test(t, families_can_share_a_port);
    tcase_add_test(t, chosen_ports_are_free_and_hard_to_guess);
    tcase_add_test(t, opening_fails_whole_when_memory_is_short);
    tcase_add_loop_test(t, two_stacks_ask_answer_and_refuse, 0, 2); /* IPv4, IPv6 */
    suite_add_tcase(s, t);
    return s;
}
