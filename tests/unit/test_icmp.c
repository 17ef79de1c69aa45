/* ICMP: echo both ways, errors about what we sent, and the one that we send. RFC 792,
 * RFC 1122 3.2.2. */
#include <check.h>
#include <errno.h>

#include "support/ip_bed.h"
#include "support/reference.h"
#include "wire/icmp4.h"

#define ICMP_AT 34 /* the message's place in a frame without IP options */

/* Remembers what its pings came to. */
struct listener {
    struct tlsyn_ping_handler base;
    int calls;
    struct tlsyn_addr from;
    uint16_t sequence;
    size_t size;
    uint8_t ttl;
    int error;
};

static struct ip_bed bed;
static struct listener listener;

static void on_reply(struct tlsyn_ping_handler *base, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    struct listener *l = container_of(base, struct listener, base);

    l->calls++;
    l->from = *from;
    l->sequence = sequence;
    l->size = size;
    l->ttl = ttl;
    l->error = error;
}

static void setup(void)
{
    ip_bed_open(&bed, 11);
    ip_bed_knows(&bed, 2);
    listener = (struct listener){.base = {.on_reply = on_reply}};
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static bool is(const struct tlsyn_addr *a, const char *text)
{
    struct tlsyn_addr b = addr_of(text);

    return tlsyn_addr_eq(a, &b);
}

/* A message from the peer comes in. */
static enum ip_verdict receives(const struct wire_icmp4 *icmp)
{
    uint8_t message[1600];
    int len = wire_icmp4_emit(icmp, message, sizeof(message));
    struct packet p = {.protocol = IP_PROTOCOL_ICMP, .payload = message, .len = (size_t)len};

    ck_assert_int_gt(len, 0);
    return ip_bed_packet(&bed, &p);
}

/* The message in the frame that was sent as number i, its checksums looked at. */
static struct wire_icmp4 sent(int i)
{
    const struct fake_frame *f = &bed.link.frame[i];
    struct wire_icmp4 icmp;
    struct wire_ip4 ip4;

    ck_assert_int_gt(bed.link.count, i);
    ck_assert_int_eq(wire_ip4_parse(f->bytes + 14, f->len - 14, &ip4), 0);
    ck_assert(wire_ip4_checksum_good(f->bytes + 14, ip4.header_len));
    ck_assert_uint_eq(ip4.protocol, IP_PROTOCOL_ICMP);
    ck_assert(wire_icmp4_checksum_good(ip4.payload, ip4.payload_len));
    ck_assert_int_eq(wire_icmp4_parse(ip4.payload, ip4.payload_len, &icmp), 0);
    return icmp;
}

/* --- we are asked ----------------------------------------------------------------------------- */

/* R1122-3 */
START_TEST(echo_request_gets_its_data_back)
{
    static const uint8_t us_ip[4] = {10, 0, 0, 1}, peer_ip[4] = {10, 0, 0, 2};
    static const uint8_t peer_hw[6] = {2, 0, 0, 0, 0, 2};
    uint8_t data[57];
    struct wire_icmp4 request = {.type = ICMP4_ECHO,
                                 .id = 0x1234,
                                 .sequence = 7,
                                 .payload = data,
                                 .payload_len = sizeof(data)};
    struct reference r;

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(3 * i + 1);
    ck_assert_int_eq(receives(&request), IP_CONSUMED);
    ck_assert_int_eq(bed.link.count, 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    reference_open(&r);
    ck_assert_int_ge(libnet_build_icmpv4_echo(0, 0, 0, 0x1234, 7, data, sizeof(data), r.net, 0), 0);
    ck_assert_int_ge(libnet_build_ipv4(20 + 8 + sizeof(data), 0, 0, 0x4000, 64, 1, 0,
                                       reference_ip4(us_ip), reference_ip4(peer_ip), NULL, 0, r.net,
                                       0),
                     0);
    ck_assert_int_ge(
        libnet_build_ethernet(peer_hw, bed.link.base.caps.hwaddr, 0x0800, NULL, 0, r.net, 0), 0);
    reference_cull(&r);
    ck_assert_uint_eq(bed.link.frame[0].len, r.len);
    ck_assert_mem_eq(bed.link.frame[0].bytes, r.packet, r.len);
    reference_close(&r);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_icmp_in], 1);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_icmp_out], 1);
}
END_TEST

START_TEST(echo_of_any_size_is_answered)
{
    static const uint8_t data[1472];

    for (size_t len = 0; len <= sizeof(data); len += 46) {
        struct wire_icmp4 request = {.type = ICMP4_ECHO, .payload = data, .payload_len = len};

        receives(&request);
        ck_assert_int_eq(ip_bed_flush(&bed), 1);
        ck_assert_uint_eq(sent(0).payload_len, len);
        fake_link_clear(&bed.link);
    }
}
END_TEST

START_TEST(answer_is_finished_here_even_if_the_link_has_offload)
{
    struct wire_icmp4 request = {.type = ICMP4_ECHO, .id = 9};

    bed.link.base.caps.csum = true;
    receives(&request);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_uint_eq(bed.link.frame[0].as_sent.flags, 0);
    ck_assert_uint_eq(sent(0).id, 9);
}
END_TEST

/* R1122-4 */
START_TEST(broadcast_echo_is_not_answered)
{
    static const uint8_t message[8] = {8, 0, 0xf7, 0xff};
    struct packet p = {.protocol = IP_PROTOCOL_ICMP,
                       .payload = message,
                       .len = sizeof(message),
                       .dst = "10.0.0.255"};

    ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_CONSUMED);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    p.dst = NULL;
    ip_bed_packet(&bed, &p);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
}
END_TEST

/* R4443-2 */
START_TEST(answers_are_limited_per_second)
{
    struct wire_icmp4 request = {.type = ICMP4_ECHO};

    for (int i = 0; i < 150; i++)
        receives(&request);
    ck_assert_int_eq(ip_bed_flush(&bed), 100);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_icmp_rate_limited], 50);
    fake_link_clear(&bed.link);
    ip_bed_advance(&bed, TLSYN_MS(100));
    for (int i = 0; i < 150; i++)
        receives(&request);
    ck_assert_int_eq(ip_bed_flush(&bed), 10);
}
END_TEST

START_TEST(damaged_messages_are_dropped)
{
    static const uint8_t short_echo[7] = {8, 0, 0xf7, 0xff};
    uint8_t message[8] = {8, 0, 0xf7, 0xff};
    struct packet p = {.protocol = IP_PROTOCOL_ICMP, .payload = message, .len = 8};
    uint8_t frame[PACKET_MAX];
    struct tlsyn_frame like = {.flags = TLSYN_FRAME_CSUM_VERIFIED};

    message[7] = 1;
    ip_bed_packet(&bed, &p);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_checksum), 1);
    ip_bed_receives_like(&bed, &like, frame, packet_build(&p, frame));
    ck_assert_int_eq(ip_bed_flush(&bed), 1); /* somebody trusted has looked */
    p.payload = short_echo;
    for (p.len = 1; p.len < 8; p.len++)
        ip_bed_packet(&bed, &p);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert_uint_eq(ip_bed_drops(&bed), 8);
}
END_TEST

/* R1122-5 */
START_TEST(unknown_types_are_discarded_in_silence)
{
    for (int type = 0; type < 256; type++) {
        uint8_t message[8] = {(uint8_t)type, 0, (uint8_t)~type, 0xff};
        struct packet p = {.protocol = IP_PROTOCOL_ICMP, .payload = message, .len = 8};

        if (type == ICMP4_ECHO)
            continue;
        ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_CONSUMED);
    }
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    /* all but echo, its reply and the three errors */
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_type), 251);
}
END_TEST

/* --- we ask ----------------------------------------------------------------------------------- */

static int ping(const char *to, uint16_t id, uint16_t sequence, size_t size)
{
    struct tlsyn_addr addr = addr_of(to);

    return ip_ping(&bed.ip, &addr, id, sequence, size, &listener.base);
}

START_TEST(ping_goes_out_and_its_reply_comes_back)
{
    struct wire_icmp4 reply;

    ck_assert_int_eq(ping("10.0.0.2", 77, 3, 56), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    reply = sent(0);
    ck_assert_int_eq(reply.type, ICMP4_ECHO);
    ck_assert_uint_eq(reply.id, 77);
    ck_assert_uint_eq(reply.sequence, 3);
    ck_assert_uint_eq(reply.payload_len, 56);
    reply.type = ICMP4_ECHO_REPLY;
    ck_assert_int_eq(receives(&reply), IP_CONSUMED);
    ck_assert_int_eq(listener.calls, 1);
    ck_assert(is(&listener.from, "10.0.0.2"));
    ck_assert_uint_eq(listener.sequence, 3);
    ck_assert_uint_eq(listener.size, 56);
    ck_assert_uint_eq(listener.ttl, 64);
    ck_assert_int_eq(listener.error, 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(reply_of_another_id_or_after_stop_is_unrelated)
{
    struct wire_icmp4 reply = {.type = ICMP4_ECHO_REPLY, .id = 78};

    receives(&reply);
    ck_assert_int_eq(ping("10.0.0.2", 77, 0, 0), 0);
    receives(&reply);
    ip_ping_stop(&bed.ip);
    reply.id = 77;
    receives(&reply);
    ck_assert_int_eq(listener.calls, 0);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_unrelated), 3);
}
END_TEST

START_TEST(one_run_of_pings_at_a_time)
{
    struct tlsyn_addr peer = addr_of("10.0.0.2");
    struct listener other = {.base = {.on_reply = on_reply}};

    ck_assert_int_eq(ping("10.0.0.2", 77, 0, 0), 0);
    ck_assert_int_eq(ping("10.0.0.2", 77, 1, 1472), 0);
    ck_assert_int_eq(ping("10.0.0.2", 78, 1, 0), -EBUSY);
    ck_assert_int_eq(ip_ping(&bed.ip, &peer, 77, 0, 0, &other.base), -EBUSY);
    ip_ping_stop(&bed.ip);
    ck_assert_int_eq(ip_ping(&bed.ip, &peer, 78, 0, 0, &other.base), 0);
}
END_TEST

START_TEST(ping_that_cannot_leave_says_why)
{
    ck_assert_int_eq(ping("8.8.8.8", 1, 0, 0), -ENETUNREACH);
    ck_assert_int_eq(ping("10.0.0.2", 1, 0, 1473), -EINVAL);
    bed.link.base.caps.mtu = 1000;
    ck_assert_int_eq(ping("10.0.0.2", 1, 0, 973), -EMSGSIZE);
    ck_assert_int_eq(ping("10.0.0.2", 1, 0, 972), 0);
    ip_ping_stop(&bed.ip);
    test_memory_fail(&bed.memory, 1);
    ck_assert_int_eq(ping("10.0.0.2", 1, 0, 0), -ENOMEM);
    ck_assert_ptr_null(bed.ip.icmp.ping);
}
END_TEST

START_TEST(ping_may_be_sent_while_output_is_open)
{
    ip_output_open(&bed.ip);
    ck_assert_int_eq(ping("10.0.0.2", 1, 0, 100), 0);
    ck_assert_int_eq(bed.link.count, 0);
    ck_assert_int_eq(ip_output_close(&bed.ip), 1);
    ck_assert_uint_eq(sent(0).payload_len, 100);
}
END_TEST

START_TEST(silent_neighbour_fails_its_pings)
{
    struct ip_error error;

    ck_assert_int_eq(ping("10.0.0.9", 5, 42, 8), 0);
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_MS(1001));
    ck_assert(!ip_error_take(&bed.ip, &error)); /* nobody else's business */
    ck_assert_int_eq(listener.calls, 1);
    ck_assert(is(&listener.from, "10.0.0.9"));
    ck_assert_uint_eq(listener.sequence, 42);
    ck_assert_int_eq(listener.error, -EHOSTUNREACH);
}
END_TEST

/* --- errors about what we sent ---------------------------------------------------------------- */

/* A datagram of ours as a router quotes it: header and eight octets. */
static size_t quote(uint8_t bytes[28], uint8_t protocol, const uint8_t first[8])
{
    struct wire_ip4 ip4 = {.src = addr_of("10.0.0.1"),
                           .dst = addr_of("8.8.8.8"),
                           .ttl = 60,
                           .protocol = protocol,
                           .total_len = 1500};

    ck_assert_int_eq(wire_ip4_emit(&ip4, bytes, 20), 20);
    memcpy(bytes + 20, first, 8);
    return 28;
}

static const uint8_t ports[8] = {0x12, 0x34, 0, 80, 1, 2, 3, 4};

static enum ip_verdict receives_error(uint8_t type, uint8_t code, uint16_t mtu, uint8_t bytes[28])
{
    struct wire_icmp4 icmp = {
        .type = type, .code = code, .mtu = mtu, .payload = bytes, .payload_len = 28};

    return receives(&icmp);
}

START_TEST(errors_are_told_by_their_meaning)
{
    static const struct {
        uint8_t type, code;
        int error;
        bool hard;
    } known[] = {
        {3, 0, -ENETUNREACH, false},   {3, 1, -EHOSTUNREACH, false}, {3, 2, -ECONNREFUSED, true},
        {3, 3, -ECONNREFUSED, true},   {3, 4, -EMSGSIZE, false},     {3, 5, -EHOSTUNREACH, false},
        {3, 9, -ENETUNREACH, true},    {3, 10, -EHOSTUNREACH, true}, {3, 11, -ENETUNREACH, false},
        {3, 12, -EHOSTUNREACH, false}, {3, 13, -EHOSTUNREACH, true}, {11, 0, -ETIMEDOUT, false},
        {11, 1, -ETIMEDOUT, false},    {12, 0, -EPROTO, false},
    };
    const struct ip_error *e = &bed.arrival.error;
    uint8_t bytes[28];

    quote(bytes, IP_PROTOCOL_TCP, ports);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        ck_assert_int_eq(receives_error(known[i].type, known[i].code, 0, bytes), IP_ERROR);
        ck_assert_int_eq(e->error, known[i].error);
        ck_assert_int_eq(e->hard, known[i].hard);
        ck_assert_uint_eq(e->protocol, IP_PROTOCOL_TCP);
        ck_assert(is(&e->src, "10.0.0.1"));
        ck_assert(is(&e->dst, "8.8.8.8"));
        ck_assert_mem_eq(e->quoted, ports, 8);
    }
    ck_assert_int_eq(receives_error(3, 16, 0, bytes), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_unrelated), 1);
    ck_assert_int_eq(ip_bed_flush(&bed), 0); /* RFC 1122 3.2.2: never an error about an error */
}
END_TEST

START_TEST(next_hop_mtu_is_told_if_it_can_be_true)
{
    uint8_t bytes[28];

    quote(bytes, IP_PROTOCOL_TCP, ports);
    ck_assert_int_eq(receives_error(3, 4, 1400, bytes), IP_ERROR);
    ck_assert_uint_eq(bed.arrival.error.mtu, 1400);
    ck_assert_int_eq(receives_error(3, 4, 0, bytes), IP_ERROR);
    ck_assert_uint_eq(bed.arrival.error.mtu, 1492); /* RFC 1191 7: the plateau below 1500 */
    ck_assert_int_eq(receives_error(3, 4, 68, bytes), IP_ERROR);
    ck_assert_int_eq(receives_error(3, 4, 67, bytes), IP_CONSUMED);
    ck_assert_int_eq(receives_error(3, 4, 1500, bytes), IP_CONSUMED); /* it would have fitted */
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_malformed), 2);
}
END_TEST

START_TEST(quotes_that_we_never_sent_are_unrelated)
{
    uint8_t bytes[28];

    quote(bytes, IP_PROTOCOL_TCP, ports);
    bytes[15] = 2; /* from another host */
    ck_assert_int_eq(receives_error(3, 3, 0, bytes), IP_CONSUMED);
    quote(bytes, IP_PROTOCOL_TCP, ports);
    bytes[7] = 1; /* a later fragment: no ports in it */
    ck_assert_int_eq(receives_error(3, 3, 0, bytes), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_unrelated), 2);
    quote(bytes, IP_PROTOCOL_TCP, ports);
    bytes[0] = 0x46; /* options, and then too little */
    ck_assert_int_eq(receives_error(3, 3, 0, bytes), IP_CONSUMED);
    bytes[0] = 0x65; /* IPv6 */
    ck_assert_int_eq(receives_error(3, 3, 0, bytes), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_malformed), 2);
}
END_TEST

START_TEST(short_quotes_are_malformed)
{
    uint8_t bytes[28];
    struct wire_icmp4 icmp = {.type = ICMP4_UNREACHABLE, .code = ICMP4_PORT, .payload = bytes};

    quote(bytes, IP_PROTOCOL_TCP, ports);
    for (icmp.payload_len = 0; icmp.payload_len < 28; icmp.payload_len++)
        ck_assert_int_eq(receives(&icmp), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_malformed), 28);
}
END_TEST

START_TEST(error_about_a_ping_goes_to_its_handler)
{
    static const uint8_t echo[8] = {8, 0, 0, 0, 0, 77, 0, 9};
    static const uint8_t reply[8] = {0, 0, 0, 0, 0, 77, 0, 9};
    uint8_t bytes[28];

    quote(bytes, IP_PROTOCOL_ICMP, echo);
    ck_assert_int_eq(receives_error(3, 1, 0, bytes), IP_CONSUMED); /* nobody pings */
    ck_assert_int_eq(ping("10.0.0.2", 77, 9, 0), 0);
    ck_assert_int_eq(receives_error(3, 1, 0, bytes), IP_CONSUMED);
    ck_assert_int_eq(listener.calls, 1);
    ck_assert(is(&listener.from, "8.8.8.8"));
    ck_assert_uint_eq(listener.sequence, 9);
    ck_assert_int_eq(listener.error, -EHOSTUNREACH);
    quote(bytes, IP_PROTOCOL_ICMP, reply); /* about an answer of ours */
    ck_assert_int_eq(receives_error(3, 1, 0, bytes), IP_CONSUMED);
    ck_assert_int_eq(listener.calls, 1);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_unrelated), 2);
}
END_TEST

/* --- the error that we send ------------------------------------------------------------------- */

/* A datagram of an unknown protocol comes in, and is refused as the stack would while the
 * frame is in hand. */
static void receives_unknown(const char *dst, const void *payload, size_t len)
{
    uint8_t bytes[PACKET_MAX];
    struct packet p = {.protocol = 200, .payload = payload, .len = len, .dst = dst};
    struct tlsyn_frame frame = {.iovcnt = 1};

    frame.iov[0] = (struct iovec){.iov_base = bytes, .iov_len = packet_build(&p, bytes)};
    ck_assert_int_eq(ip_input(&bed.ip, bed.iface, &frame, &bed.arrival), IP_DATAGRAM);
    ip_protocol_unreachable(&bed.ip, &bed.arrival.datagram);
}

/* By the length of what came: all of it is quoted, as far as 576 octets go (RFC 1812 4.3.2.3). */
START_TEST(unknown_protocol_is_told_to_its_sender)
{
    static const size_t lens[] = {12, 528, 529, 1400};
    static const uint8_t payload[1400] = "hello world";
    size_t quotes = lens[_i] < 528 ? lens[_i] : 528;
    struct wire_icmp4 icmp;
    struct wire_ip4 quoted;

    receives_unknown(NULL, payload, lens[_i]);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    icmp = sent(0);
    ck_assert_int_eq(icmp.type, ICMP4_UNREACHABLE);
    ck_assert_int_eq(icmp.code, ICMP4_PROTOCOL);
    ck_assert_uint_eq(icmp.payload_len, 20 + quotes);
    ck_assert_int_eq(wire_ip4_parse_quoted(icmp.payload, icmp.payload_len, &quoted), 0);
    ck_assert(is(&quoted.src, "10.0.0.2"));
    ck_assert_uint_eq(quoted.protocol, 200);
    ck_assert_mem_eq(quoted.payload, payload, quotes);
}
END_TEST

/* R1122-4 */
START_TEST(unknown_protocol_is_told_within_limits)
{
    static const uint8_t payload[8];

    receives_unknown("10.0.0.255", payload, sizeof(payload));
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    for (int i = 0; i < 150; i++)
        receives_unknown(NULL, payload, sizeof(payload));
    ck_assert_int_eq(ip_bed_flush(&bed), 100);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_icmp_rate_limited], 50);
}
END_TEST

START_TEST(short_datagram_is_quoted_as_far_as_it_goes)
{
    const struct fake_frame *f = &bed.link.frame[0];

    receives_unknown(NULL, "abc", 3);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_uint_eq(f->len, ICMP_AT + 8 + 20 + 3);
    ck_assert_mem_eq(f->bytes + ICMP_AT + 8 + 20, "abc", 3);
}
END_TEST

Suite *icmp_suite(void);

Suite *icmp_suite(void)
{
    Suite *suite = suite_create("icmp");
    TCase *tc = tcase_create("icmp");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, echo_request_gets_its_data_back);
    tcase_add_test(tc, echo_of_any_size_is_answered);
    tcase_add_test(tc, answer_is_finished_here_even_if_the_link_has_offload);
    tcase_add_test(tc, broadcast_echo_is_not_answered);
    tcase_add_test(tc, answers_are_limited_per_second);
    tcase_add_test(tc, damaged_messages_are_dropped);
    tcase_add_test(tc, unknown_types_are_discarded_in_silence);
    tcase_add_test(tc, ping_goes_out_and_its_reply_comes_back);
    tcase_add_test(tc, reply_of_another_id_or_after_stop_is_unrelated);
    tcase_add_test(tc, one_run_of_pings_at_a_time);
    tcase_add_test(tc, ping_that_cannot_leave_says_why);
    tcase_add_test(tc, ping_may_be_sent_while_output_is_open);
    tcase_add_test(tc, silent_neighbour_fails_its_pings);
    tcase_add_test(tc, errors_are_told_by_their_meaning);
    tcase_add_test(tc, next_hop_mtu_is_told_if_it_can_be_true);
    tcase_add_test(tc, quotes_that_we_never_sent_are_unrelated);
    tcase_add_test(tc, short_quotes_are_malformed);
    tcase_add_test(tc, error_about_a_ping_goes_to_its_handler);
    tcase_add_loop_test(tc, unknown_protocol_is_told_to_its_sender, 0, 4);
    tcase_add_test(tc, unknown_protocol_is_told_within_limits);
    tcase_add_test(tc, short_datagram_is_quoted_as_far_as_it_goes);
    suite_add_tcase(suite, tc);
    return suite;
}
