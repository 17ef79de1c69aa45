/* Taking IPv6 datagrams, ICMPv6 both ways. RFC 8200 4, RFC 4443. */
#include <check.h>
#include <errno.h>

#include "ip/icmp6.h"
#include "support/ip_bed.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open6(&bed, 41);
    ip_bed_knows6(&bed, 2);
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

static enum ip_verdict takes(const char *src, const char *dst, uint8_t next, const void *payload,
                             size_t len)
{
    return ip_bed_packet(
        &bed,
        &(struct packet){.src = src, .dst = dst, .protocol = next, .payload = payload, .len = len});
}

/* The only ICMPv6 message that was sent; false: none was. */
static bool sent(struct wire_ip6 *ip6, struct wire_icmp6 *icmp)
{
    struct wire_ip6_chain chain;
    int next = 0;

    ip_bed_flush(&bed);
    if (!ip_bed_sent6(&bed, &next, ip6, &chain))
        return false;
    ck_assert_int_eq(wire_icmp6_parse(chain.payload, chain.payload_len, icmp), 0);
    ck_assert_int_eq(bed.link.count, 1);
    return true;
}

START_TEST(a_datagram_for_us_goes_up_with_what_stands_behind_its_extensions)
{
    static const uint8_t payload[] = {6, 0, 1, 4, 0, 0, 0, 0, 't', 'c', 'p'};

    ck_assert_int_eq(takes("fd77::2", "fd77::1", IP6_DESTINATION, payload, sizeof(payload)),
                     IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.protocol, IP_PROTOCOL_TCP);
    ck_assert_uint_eq(bed.arrival.datagram.len, 3);
    ck_assert_uint_eq(bed.arrival.datagram.protocol_at, 40);
    ck_assert(!bed.arrival.datagram.broadcast);
    ck_assert_int_eq(takes("fd77::2", "ff02::1", IP_PROTOCOL_UDP, payload, 8), IP_DATAGRAM);
    ck_assert(bed.arrival.datagram.broadcast);
}
END_TEST

START_TEST(what_is_not_for_us_or_from_nobody_is_dropped)
{
    static const struct {
        const char *src, *dst;
        enum tlsyn_drop reason;
    } cases[] = {
        {"fd77::2", "fd77::9", TLSYN_DROP_ip_not_ours},
        {"fd77::2", "ff02::1:ff00:99", TLSYN_DROP_ip_not_ours},
        {"fd77::2", "ff05::1", TLSYN_DROP_ip_not_ours},
        {"fd77::1", "fd77::1", TLSYN_DROP_ip_source},
        {"::1", "fd77::1", TLSYN_DROP_ip_source},
        {"ff02::1", "fd77::1", TLSYN_DROP_ip_source},
        {"::ffff:10.0.0.1", "fd77::1", TLSYN_DROP_ip_source},
        {"::", "fd77::1", TLSYN_DROP_ip_source},
        {"::", "ff02::1", TLSYN_DROP_ip_source}, /* and it is TCP */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t before = ip_bed_dropped(&bed, cases[i].reason);

        ck_assert_int_eq(takes(cases[i].src, cases[i].dst, IP_PROTOCOL_TCP, "12345678", 8),
                         IP_CONSUMED);
        ck_assert_msg(ip_bed_dropped(&bed, cases[i].reason) == before + 1, "case %zu", i);
    }
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

/* R8200-3 */
START_TEST(unknown_headers_are_pointed_at)
{
    static const uint8_t option[] = {6, 0, 0xc2, 4, 0, 0, 0, 0},
                         routing[] = {6, 0, 0, 1, 0, 0, 0, 0};
    struct wire_icmp6 icmp;
    struct wire_ip6 ip6;

    takes("fd77::2", "fd77::1", IP6_DESTINATION, option, 8);
    ck_assert(sent(&ip6, &icmp));
    ck_assert_uint_eq(icmp.type, ICMP6_PARAMETER_PROBLEM);
    ck_assert_uint_eq(icmp.code, ICMP6_PROBLEM_OPTION);
    ck_assert_uint_eq(icmp.pointer, 42);
    ck_assert_uint_eq(icmp.payload_len, 48); /* the whole datagram is quoted */
    fake_link_clear(&bed.link);
    takes("fd77::2", "fd77::1", IP6_ROUTING, routing, 8);
    ck_assert(sent(&ip6, &icmp));
    ck_assert_uint_eq(icmp.pointer, 42);
    fake_link_clear(&bed.link);
    ck_assert_int_eq(takes("fd77::2", "fd77::1", 99, option, 8), IP_DATAGRAM);
    takes("fd77::2", "ff02::1", IP6_DESTINATION, option,
          8); /* 11: not where a group was addressed */
    ck_assert(!sent(&ip6, &icmp));
}
END_TEST

/* R4443-1, R4443-2 */
START_TEST(errors_quote_1280_octets_and_are_rate_limited)
{
    static uint8_t payload[1400] = {6, 0, 0x82, 4};
    struct wire_icmp6 icmp;
    struct wire_ip6 ip6;

    takes("fd77::2", "fd77::1", IP6_DESTINATION, payload, sizeof(payload));
    ck_assert(sent(&ip6, &icmp));
    ck_assert_uint_eq(ip6.payload_len, 1240);
    fake_link_clear(&bed.link);
    for (int i = 0; i < 300; i++) {
        takes("fd77::2", "fd77::1", IP6_DESTINATION, payload, 8);
        ip_bed_flush(&bed);
    }
    ck_assert_int_eq(bed.link.count, 99); /* of the 100 of this second one has gone before */
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_icmp_rate_limited], 201);
}
END_TEST

/* R4443-4 */
START_TEST(echo_is_answered)
{
    static const uint8_t request[] = {ICMP6_ECHO, 0, 0, 0, 0x12, 0x34, 0, 7, 'd', 'a', 't', 'a'};
    struct wire_icmp6 icmp;
    struct wire_ip6 ip6;

    ip_bed_icmp6(&bed, "fd77::2", _i ? "ff02::1" : "fd77::1", 64, request, sizeof(request));
    ck_assert(sent(&ip6, &icmp));
    ck_assert(is(&ip6.src, "fd77::1") && is(&ip6.dst, "fd77::2"));
    ck_assert_uint_eq(icmp.type, ICMP6_ECHO_REPLY);
    ck_assert_uint_eq(icmp.id, 0x1234);
    ck_assert_uint_eq(icmp.sequence, 7);
    ck_assert_uint_eq(icmp.payload_len, 4);
    ck_assert_mem_eq(icmp.payload, "data", 4);
}
END_TEST

/* --- our own pings, and errors in ------------------------------------------------------------- */

static struct {
    struct tlsyn_ping_handler base;
    int calls, error;
    uint16_t sequence;
} listener;

static void on_reply(struct tlsyn_ping_handler *base, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    (void)base, (void)size, (void)ttl;
    ck_assert(is(from, "fd77::2"));
    listener.calls++;
    listener.sequence = sequence;
    listener.error = error;
}

static void pings(void)
{
    struct tlsyn_addr to = addr_of("fd77::2");

    memset(&listener, 0, sizeof(listener));
    listener.base.on_reply = on_reply;
    ck_assert_int_eq(ip_ping(&bed.ip, &to, 7, 3, ICMP6_PING_SIZE_MAX + 1, &listener.base), -EINVAL);
    ck_assert_int_eq(ip_ping(&bed.ip, &to, 7, 3, ICMP6_PING_SIZE_MAX, &listener.base), 0);
    ip_bed_flush(&bed);
    ck_assert_uint_eq(bed.link.frame[0].len, 14 + 1500);
}

START_TEST(a_reply_comes_to_who_asked)
{
    static const uint8_t reply[] = {ICMP6_ECHO_REPLY, 0, 0, 0, 0, 7, 0, 3, 'x'};

    pings();
    ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, reply, sizeof(reply));
    ck_assert_int_eq(listener.calls, 1);
    ck_assert_uint_eq(listener.sequence, 3);
    ip_ping_stop(&bed.ip);
    ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, reply, sizeof(reply));
    ck_assert_int_eq(listener.calls, 1);
}
END_TEST

START_TEST(errors_about_what_we_sent_are_believed_and_no_others)
{
    uint8_t error[8 + 40 + 8] = {ICMP6_UNREACHABLE, ICMP6_ADDRESS};
    struct wire_ip6 quoted = {
        .src = addr_of("fd77::1"), .dst = addr_of("fd77::2"), .next = IP6_ICMP, .payload_len = 8};

    pings();
    wire_ip6_emit(&quoted, error + 8, 40);
    memcpy(error + 48, "\x80\0\0\0\0\x07\0\x03", 8);
    ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, error, sizeof(error));
    ck_assert_int_eq(listener.calls, 1);
    ck_assert_int_eq(listener.error, -EHOSTUNREACH);
    for (size_t len = 8; len < sizeof(error); len += 4) { /* quotes too little */
        ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, error, len);
        ck_assert_int_eq(listener.calls, 1);
    }
    quoted.src = addr_of("fd77::9"); /* not ours */
    wire_ip6_emit(&quoted, error + 8, 40);
    ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, error, sizeof(error));
    ck_assert_int_eq(listener.calls, 1);
    quoted.src = addr_of("fd77::1");
    quoted.next = IP_PROTOCOL_TCP;
    wire_ip6_emit(&quoted, error + 8, 40);
    ck_assert_int_eq(ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, error, sizeof(error)), IP_ERROR);
    ck_assert_uint_eq(bed.arrival.error.protocol, IP_PROTOCOL_TCP);
    ck_assert(is(&bed.arrival.error.dst, "fd77::2"));
}
END_TEST

/* RFC 8201 4: of a datagram that left in fragments too; the first one says whose it was. */
START_TEST(a_fragment_that_was_too_big_is_told_of)
{
    uint8_t error[8 + 40 + 8 + 8] = {ICMP6_PACKET_TOO_BIG, [6] = 1300 >> 8, [7] = 1300 & 255};
    struct wire_ip6 quoted = {.src = addr_of("fd77::1"),
                              .dst = addr_of("fd77::2"),
                              .next = IP6_FRAGMENT,
                              .payload_len = 1360};
    struct wire_ip6_fragment fragment = {.next = IP_PROTOCOL_UDP, .mf = true, .id = 9};

    wire_ip6_emit(&quoted, error + 8, 40);
    wire_ip6_fragment_emit(&fragment, error + 48, IP6_FRAGMENT_LEN);
    memcpy(error + 56, "\x12\x34\0\x35\x10\0\0\0", 8);
    ck_assert_int_eq(ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, error, sizeof(error)), IP_ERROR);
    ck_assert_uint_eq(bed.arrival.error.protocol, IP_PROTOCOL_UDP);
    ck_assert_int_eq(bed.arrival.error.error, -EMSGSIZE);
    ck_assert_uint_eq(bed.arrival.error.mtu, 1300);
    ck_assert_mem_eq(bed.arrival.error.quoted, error + 56, 8);
    fragment.offset = 1352; /* a later one has no ports */
    wire_ip6_fragment_emit(&fragment, error + 48, IP6_FRAGMENT_LEN);
    ck_assert_int_eq(ip_bed_icmp6(&bed, "fd77::2", "fd77::1", 64, error, sizeof(error)),
                     IP_CONSUMED);
}
END_TEST

Suite *ip6_room_suite(void);

Suite *ip6_room_suite(void)
{
    Suite *suite = suite_create("ip6_room");
    TCase *tc = tcase_create("ip6_room");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_datagram_for_us_goes_up_with_what_stands_behind_its_extensions);
    tcase_add_test(tc, what_is_not_for_us_or_from_nobody_is_dropped);
    tcase_add_test(tc, unknown_headers_are_pointed_at);
    tcase_add_test(tc, errors_quote_1280_octets_and_are_rate_limited);
    tcase_add_loop_test(tc, echo_is_answered, 0, 2);
    tcase_add_test(tc, a_reply_comes_to_who_asked);
    tcase_add_test(tc, errors_about_what_we_sent_are_believed_and_no_others);
    tcase_add_test(tc, a_fragment_that_was_too_big_is_told_of);
    suite_add_tcase(suite, tc);
    return suite;
}
