/* What ARP packets do: answers, what the cache believes, and conflicts about our addresses.
 * RFC 826, RFC 5227. */
#include <check.h>
#include <errno.h>

#include "ip/arp.h"
#include "support/ip_bed.h"
#include "support/reference.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open(&bed, 3);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static struct wire_arp sent(int i)
{
    const struct fake_frame *f = &bed.link.frame[i];
    struct wire_arp arp;

    ck_assert_int_gt(bed.link.count, i);
    ck_assert_int_eq(wire_arp_parse(f->bytes + 14, f->len - 14, &arp), 0);
    return arp;
}

static bool is(const struct tlsyn_addr *a, const char *text)
{
    struct tlsyn_addr b = addr_of(text);

    return tlsyn_addr_eq(a, &b);
}

/* True if frame i is an announcement of `text` to everybody (RFC 5227 1.1). */
static bool is_announcement(int i, const char *text)
{
    struct wire_arp arp = sent(i);

    return arp.op == ARP_REQUEST && is(&arp.sender, text) && is(&arp.target, text) &&
           bed.link.frame[i].bytes[0] == 0xff;
}

/* --- questions and answers -------------------------------------------------------------------- */

START_TEST(request_for_our_address_is_answered)
{
    static const uint8_t us_ip[4] = {10, 0, 0, 1}, peer_ip[4] = {10, 0, 0, 2};
    static const uint8_t peer_hw[6] = {2, 0, 0, 0, 0, 2};
    struct reference r;

    ip_bed_arp(&bed, ARP_REQUEST, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(bed.link.count, 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    reference_open(&r);
    ck_assert_int_ge(libnet_build_arp(1, 0x0800, 6, 4, 2, bed.link.base.caps.hwaddr, us_ip, peer_hw,
                                      peer_ip, NULL, 0, r.net, 0),
                     0);
    ck_assert_int_ge(
        libnet_build_ethernet(peer_hw, bed.link.base.caps.hwaddr, 0x0806, NULL, 0, r.net, 0), 0);
    reference_cull(&r);
    ck_assert_uint_eq(bed.link.frame[0].len, r.len);
    ck_assert_mem_eq(bed.link.frame[0].bytes, r.packet, r.len);
    reference_close(&r);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_arp_in], 1);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_arp_out], 1);
}
END_TEST

START_TEST(whoever_asks_us_is_remembered_and_needs_no_question)
{
    struct ip_tx tx = {.src = addr_of("10.0.0.1"),
                       .dst = addr_of("10.0.0.2"),
                       .protocol = IP_PROTOCOL_TCP,
                       .header_len = 20,
                       .csum_offset = 16};

    ip_bed_arp(&bed, ARP_REQUEST, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_STALE);
    ip_bed_flush(&bed);
    fake_link_clear(&bed.link);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_uint_eq(bed.link.frame[0].bytes[13], 0x00); /* 0x0800: the datagram itself */
}
END_TEST

START_TEST(request_for_others_is_not_our_business)
{
    ip_bed_arp(&bed, ARP_REQUEST, 2, "10.0.0.2", "10.0.0.3");
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), -1);
}
END_TEST

START_TEST(probe_for_our_address_is_answered_and_makes_no_entry)
{
    ip_bed_arp(&bed, ARP_REQUEST, 2, "0.0.0.0", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_int_eq(sent(0).op, ARP_REPLY);
    ck_assert_int_eq(ip_bed_neigh(&bed, "0.0.0.0"), -1);
    ck_assert(!tlsyn_iface_conflict(bed.iface));
}
END_TEST

/* --- belief ----------------------------------------------------------------------------------- */

START_TEST(reply_that_nobody_asked_for_makes_no_entry)
{
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.1");
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.2");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), -1);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(unasked_change_of_address_is_taken_with_doubt)
{
    struct tlsyn_addr peer = addr_of("10.0.0.2");

    ip_bed_knows(&bed, 2);
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.1"); /* nothing new */
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
    ip_bed_arp(&bed, ARP_REPLY, 9, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_STALE);
    ck_assert_uint_eq(neigh_find(&bed.ip.neigh, bed.iface, &peer)->hwaddr[5], 9);
}
END_TEST

START_TEST(announcement_of_a_neighbour_that_moved_is_taken)
{
    struct tlsyn_addr peer = addr_of("10.0.0.2");

    ip_bed_knows(&bed, 2);
    ip_bed_arp(&bed, ARP_REQUEST, 9, "10.0.0.2", "10.0.0.2");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_STALE);
    ck_assert_uint_eq(neigh_find(&bed.ip.neigh, bed.iface, &peer)->hwaddr[5], 9);
    ip_bed_arp(&bed, ARP_REQUEST, 8, "10.0.0.8", "10.0.0.8");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.8"), -1);
}
END_TEST

START_TEST(sender_off_the_link_is_not_remembered)
{
    ip_bed_arp(&bed, ARP_REQUEST, 2, "10.0.1.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.1.2"), -1);
    ip_bed_arp(&bed, ARP_REQUEST, 2, "10.0.0.255", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.255"), -1);
}
END_TEST

/* --- malformed -------------------------------------------------------------------------------- */

static const uint8_t request[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  2, 8, 6,
                                    0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 2,
                                    10,   0,    0,    2,    0,    0,    0, 0, 0, 0, 10, 0, 0, 1};

/* The request with one octet replaced: what comes of it. */
static void expect_malformed(size_t at, uint8_t value)
{
    uint64_t before = ip_bed_dropped(&bed, TLSYN_DROP_arp_malformed);
    uint8_t frame[sizeof(request)];

    memcpy(frame, request, sizeof(frame));
    frame[at] = value;
    ck_assert_int_eq(ip_bed_receives(&bed, frame, sizeof(frame)), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_arp_malformed), before + 1);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}

START_TEST(malformed_packets_are_dropped)
{
    expect_malformed(15, 2);    /* hardware type */
    expect_malformed(17, 1);    /* protocol type */
    expect_malformed(18, 8);    /* hardware length */
    expect_malformed(19, 16);   /* protocol length */
    expect_malformed(21, 0);    /* operation */
    expect_malformed(21, 3);    /* RARP */
    expect_malformed(22, 1);    /* a group as sender */
    expect_malformed(28, 127);  /* loopback as sender */
    expect_malformed(28, 224);  /* multicast as sender */
    expect_malformed(28, 0xff); /* reserved as sender */
}
END_TEST

START_TEST(nobody_cannot_answer)
{
    uint8_t frame[sizeof(request)];

    memcpy(frame, request, sizeof(frame));
    frame[21] = ARP_REPLY;
    memset(frame + 28, 0, 4);
    ip_bed_receives(&bed, frame, sizeof(frame));
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_arp_malformed), 1);
}
END_TEST

START_TEST(truncated_packets_are_dropped)
{
    for (size_t len = 0; len < sizeof(request); len++)
        ck_assert_int_eq(ip_bed_receives(&bed, request, len), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_frame_truncated), 14);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_arp_malformed), 28);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(frame_for_another_host_is_not_ours)
{
    uint8_t frame[sizeof(request)];

    memcpy(frame, request, sizeof(frame));
    memcpy(frame, (const uint8_t[]){2, 0, 0, 0, 0, 3}, 6);
    ip_bed_receives(&bed, frame, sizeof(frame));
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_frame_foreign), 1);
    frame[12] = 0x88; /* LLDP */
    frame[13] = 0xcc;
    memset(frame, 0xff, 6);
    ip_bed_receives(&bed, frame, sizeof(frame));
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ether_type), 1);
}
END_TEST

/* --- conflicts (RFC 5227) --------------------------------------------------------------------- */

START_TEST(own_packets_that_come_back_mean_nothing)
{
    ip_bed_arp(&bed, ARP_REQUEST, 1, "10.0.0.1", "10.0.0.1");
    ck_assert(!tlsyn_iface_conflict(bed.iface));
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(conflict_is_seen_and_defended_once_in_ten_seconds)
{
    ck_assert(!tlsyn_iface_conflict(bed.iface));
    ip_bed_arp(&bed, ARP_REPLY, 9, "10.0.0.1", "10.0.0.2");
    ck_assert(tlsyn_iface_conflict(bed.iface));
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert(is_announcement(0, "10.0.0.1"));
    ip_bed_advance(&bed, TLSYN_SECONDS(9));
    ip_bed_arp(&bed, ARP_REQUEST, 9, "10.0.0.1", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ip_bed_advance(&bed, TLSYN_SECONDS(2));
    ip_bed_arp(&bed, ARP_REQUEST, 9, "10.0.0.1", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_arp_conflicts], 3);
}
END_TEST

START_TEST(announcement_is_said_twice)
{
    struct tlsyn_addr second = addr_of("192.168.0.1");

    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &second, 24), 0);
    tlsyn_iface_announce(bed.iface);
    ck_assert_int_eq(ip_bed_flush(&bed), 2);
    ck_assert(is_announcement(0, "10.0.0.1"));
    ck_assert(is_announcement(1, "192.168.0.1"));
    ip_bed_advance(&bed, TLSYN_MS(1900));
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ip_bed_advance(&bed, TLSYN_MS(101));
    ck_assert_int_eq(ip_bed_flush(&bed), 2);
    ip_bed_advance(&bed, TLSYN_SECONDS(60));
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

static void probe(const char *address)
{
    struct tlsyn_addr a = addr_of(address);

    ck_assert_int_eq(tlsyn_iface_probe(bed.iface, &a), 0);
}

START_TEST(three_probes_within_a_second)
{
    int left = 0;

    probe("10.0.0.7");
    for (int i = 0; i < 10; i++) {
        left += ip_bed_flush(&bed);
        ip_bed_advance(&bed, TLSYN_MS(100));
    }
    ck_assert_int_eq(left, ARP_PROBE_NUM);
    for (int i = 0; i < left; i++) {
        struct wire_arp arp = sent(i);

        ck_assert_int_eq(arp.op, ARP_REQUEST);
        ck_assert(is(&arp.sender, "0.0.0.0"));
        ck_assert(is(&arp.target, "10.0.0.7"));
    }
    ck_assert(!tlsyn_iface_conflict(bed.iface));
}
END_TEST

START_TEST(answer_to_a_probe_is_a_conflict)
{
    probe("10.0.0.7");
    ip_bed_arp(&bed, ARP_REPLY, 8, "10.0.0.8", "10.0.0.1");
    ck_assert(!tlsyn_iface_conflict(bed.iface));
    ip_bed_arp(&bed, ARP_REPLY, 7, "10.0.0.7", "0.0.0.0");
    ck_assert(tlsyn_iface_conflict(bed.iface));
    probe("10.0.0.6");
    ck_assert(!tlsyn_iface_conflict(bed.iface));
}
END_TEST

START_TEST(probe_of_somebody_else_for_the_same_address_is_a_conflict)
{
    probe("10.0.0.7");
    ip_bed_arp(&bed, ARP_REQUEST, 9, "10.0.0.9", "10.0.0.7"); /* asks, does not want it */
    ck_assert(!tlsyn_iface_conflict(bed.iface));
    ip_bed_arp(&bed, ARP_REQUEST, 9, "0.0.0.0", "10.0.0.7");
    ck_assert(tlsyn_iface_conflict(bed.iface));
}
END_TEST

START_TEST(only_a_hosts_address_can_be_probed)
{
    struct tlsyn_addr ours = addr_of("10.0.0.1"), group = addr_of("224.0.0.1");
    struct tlsyn_addr ip6 = addr_of("2001:db8::1");

    ck_assert_int_eq(tlsyn_iface_probe(bed.iface, &ours), -EADDRINUSE);
    ck_assert_int_eq(tlsyn_iface_probe(bed.iface, &group), -EINVAL);
    ck_assert_int_eq(tlsyn_iface_probe(bed.iface, &ip6), -EAFNOSUPPORT);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(answers_have_a_bound)
{
    bed.cx.limits.reply_queue_bytes = 2 * (uint32_t)held_size(42);
    for (uint8_t n = 2; n < 10; n++)
        ip_bed_arp(&bed, ARP_REQUEST, n, "10.0.0.9", "10.0.0.1");
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_reply_queue_full), 6);
    ck_assert_int_eq(ip_bed_flush(&bed), 2);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_arp_out], 2);
}
END_TEST

Suite *arp_room_suite(void);

Suite *arp_room_suite(void)
{
    Suite *suite = suite_create("arp_room");
    TCase *tc = tcase_create("arp_room");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, request_for_our_address_is_answered);
    tcase_add_test(tc, whoever_asks_us_is_remembered_and_needs_no_question);
    tcase_add_test(tc, request_for_others_is_not_our_business);
    tcase_add_test(tc, probe_for_our_address_is_answered_and_makes_no_entry);
    tcase_add_test(tc, reply_that_nobody_asked_for_makes_no_entry);
    tcase_add_test(tc, unasked_change_of_address_is_taken_with_doubt);
    tcase_add_test(tc, announcement_of_a_neighbour_that_moved_is_taken);
    tcase_add_test(tc, sender_off_the_link_is_not_remembered);
    tcase_add_test(tc, malformed_packets_are_dropped);
    tcase_add_test(tc, nobody_cannot_answer);
    tcase_add_test(tc, truncated_packets_are_dropped);
    tcase_add_test(tc, frame_for_another_host_is_not_ours);
    tcase_add_test(tc, own_packets_that_come_back_mean_nothing);
    tcase_add_test(tc, conflict_is_seen_and_defended_once_in_ten_seconds);
    tcase_add_test(tc, announcement_is_said_twice);
    tcase_add_test(tc, three_probes_within_a_second);
    tcase_add_test(tc, answer_to_a_probe_is_a_conflict);
    tcase_add_test(tc, probe_of_somebody_else_for_the_same_address_is_a_conflict);
    tcase_add_test(tc, only_a_hosts_address_can_be_probed);
    tcase_add_test(tc, answers_have_a_bound);
    suite_add_tcase(suite, tc);
    return suite;
}
