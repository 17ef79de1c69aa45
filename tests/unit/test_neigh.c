/* The neighbour cache: its states, what waits in it, and who leaves when it is full. RFC 4861
 * 7.3. */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "support/ip_bed.h"
#include "support/reference.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open(&bed, 7);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static int send_datagram(const char *dst, uint8_t number, bool confirms)
{
    struct ip_tx tx = {.src = addr_of("10.0.0.1"),
                       .dst = addr_of(dst),
                       .protocol = IP_PROTOCOL_TCP,
                       .header_len = 20,
                       .csum_offset = 16,
                       .confirms = confirms};

    tx.header[1] = number;
    int result = ip_output(&bed.ip, &tx);
    return result == IP_OUTPUT_WAITS ? 0 : result; /* sent now or later: not refused */
}

/* Sends a little datagram; its source port tells it from others. */
static int send_numbered(const char *dst, uint8_t number)
{
    return send_datagram(dst, number, false);
}

static int send_to(const char *dst)
{
    return send_numbered(dst, 0);
}

/* The same, and says that what went before arrives. */
static int send_on(const char *dst)
{
    return send_datagram(dst, 0, true);
}

static struct wire_arp sent_arp(int i)
{
    const struct fake_frame *f = &bed.link.frame[i];
    struct wire_arp arp;

    ck_assert_int_gt(bed.link.count, i);
    ck_assert_int_eq(f->bytes[12] << 8 | f->bytes[13], ETHER_TYPE_ARP);
    ck_assert_int_eq(wire_arp_parse(f->bytes + 14, f->len - 14, &arp), 0);
    return arp;
}

static uint8_t number_of(int i)
{
    ck_assert_int_gt(bed.link.count, i);
    ck_assert_uint_eq(bed.link.frame[i].len, 54);
    return bed.link.frame[i].bytes[35];
}

/* --- resolution (7.2.2) ----------------------------------------------------------------------- */

START_TEST(first_use_asks_everybody)
{
    static const uint8_t zero[6], everybody[6] = {255, 255, 255, 255, 255, 255};
    static const uint8_t us_ip[4] = {10, 0, 0, 1}, peer_ip[4] = {10, 0, 0, 2};
    struct reference r;

    ck_assert_int_eq(send_to("10.0.0.2"), 0);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_INCOMPLETE);
    ck_assert(ip_output_is_due(&bed.ip));
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert(!ip_output_is_due(&bed.ip));
    reference_open(&r);
    ck_assert_int_ge(libnet_build_arp(1, 0x0800, 6, 4, 1, bed.link.base.caps.hwaddr, us_ip, zero,
                                      peer_ip, NULL, 0, r.net, 0),
                     0);
    ck_assert_int_ge(
        libnet_build_ethernet(everybody, bed.link.base.caps.hwaddr, 0x0806, NULL, 0, r.net, 0), 0);
    reference_cull(&r);
    ck_assert_uint_eq(bed.link.frame[0].len, r.len);
    ck_assert_mem_eq(bed.link.frame[0].bytes, r.packet, r.len);
    reference_close(&r);
}
END_TEST

/* R1122-9, R4861-2 */
START_TEST(answer_releases_what_waited_in_order)
{
    static const uint8_t peer_hw[6] = {2, 0, 0, 0, 0, 2};

    for (uint8_t i = 1; i <= 3; i++)
        ck_assert_int_eq(send_numbered("10.0.0.2", i), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1); /* one request for the three */
    fake_link_clear(&bed.link);
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
    ck_assert_int_eq(bed.link.count, 0); /* nothing leaves outside output */
    ck_assert(ip_output_is_due(&bed.ip));
    ck_assert_int_eq(ip_bed_flush(&bed), 3);
    for (uint8_t i = 1; i <= 3; i++) {
        ck_assert_uint_eq(number_of(i - 1), i);
        ck_assert_mem_eq(bed.link.frame[i - 1].bytes, peer_hw, 6);
    }
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert_uint_eq(ip_bed_drops(&bed), 0);
}
END_TEST

START_TEST(queue_keeps_the_newest)
{
    struct tlsyn_addr absent = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2});

    ck_assert_int_eq(send_numbered("10.0.0.2", 1), 0);
    bed.cx.limits.neighbour_queue_bytes =
        (uint32_t)(4 * neigh_find(&bed.ip.neigh, bed.iface, &absent)->queue.bytes);
    for (uint8_t i = 2; i <= 6; i++)
        ck_assert_int_eq(send_numbered("10.0.0.2", i), 0);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_neigh_queue_full), 2);
    ip_bed_flush(&bed);
    fake_link_clear(&bed.link);
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 4);
    ck_assert_uint_eq(number_of(0), 3);
    ck_assert_uint_eq(number_of(3), 6);
}
END_TEST

START_TEST(the_newest_waits_whatever_its_length)
{
    bed.cx.limits.neighbour_queue_bytes = 1;
    for (uint8_t i = 1; i <= 2; i++)
        ck_assert_int_eq(send_numbered("10.0.0.2", i), 0);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_neigh_queue_full), 1);
    ip_bed_flush(&bed);
    fake_link_clear(&bed.link);
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_uint_eq(number_of(0), 2);
}
END_TEST

START_TEST(three_requests_a_second_apart)
{
    send_to("10.0.0.2");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ip_bed_flush(&bed), 1);
        ip_bed_advance(&bed, TLSYN_MS(990));
        ck_assert_int_eq(ip_bed_flush(&bed), 0);
        ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_INCOMPLETE);
        ip_bed_advance(&bed, TLSYN_MS(11));
    }
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_FAILED);
}
END_TEST

START_TEST(silence_is_reported_for_each_datagram)
{
    struct ip_error error;

    send_numbered("10.0.0.2", 1);
    send_numbered("10.0.0.2", 2);
    ck_assert(!ip_error_take(&bed.ip, &error));
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_MS(1001));
    for (uint8_t i = 1; i <= 2; i++) {
        struct tlsyn_addr src = addr_of("10.0.0.1"), dst = addr_of("10.0.0.2");

        ck_assert(ip_error_take(&bed.ip, &error));
        ck_assert_int_eq(error.error, -EHOSTUNREACH);
        ck_assert(error.hard);
        ck_assert_uint_eq(error.protocol, IP_PROTOCOL_TCP);
        ck_assert(tlsyn_addr_eq(&error.src, &src));
        ck_assert(tlsyn_addr_eq(&error.dst, &dst));
        ck_assert_uint_eq(error.quoted[1], i);
    }
    ck_assert(!ip_error_take(&bed.ip, &error));
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_neigh_failed), 2);
}
END_TEST

START_TEST(failed_neighbour_refuses_for_a_second_then_is_asked_anew)
{
    struct ip_error error;

    send_to("10.0.0.2");
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_MS(1001));
    ck_assert(ip_error_take(&bed.ip, &error));
    ip_bed_flush(&bed);
    fake_link_clear(&bed.link);
    ck_assert_int_eq(send_to("10.0.0.2"), -EHOSTUNREACH);
    ck_assert(!ip_error_take(&bed.ip, &error));
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ip_bed_advance(&bed, TLSYN_MS(1001));
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), -1);
    ck_assert_int_eq(send_to("10.0.0.2"), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_int_eq(sent_arp(0).op, ARP_REQUEST);
}
END_TEST

START_TEST(late_answer_rescues_what_was_not_reported_yet)
{
    struct ip_error error;

    send_to("10.0.0.2");
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_MS(1001));
    ip_bed_flush(&bed);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_FAILED);
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_STALE);
    ck_assert(!ip_error_take(&bed.ip, &error));
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
}
END_TEST

/* --- reachability (7.3.3) --------------------------------------------------------------------- */

/* R1122-8 */
START_TEST(reachable_goes_stale_in_its_time_and_is_probed_alone)
{
    static const uint8_t peer_hw[6] = {2, 0, 0, 0, 0, 2};

    ip_bed_knows(&bed, 2);
    ip_bed_advance(&bed, TLSYN_SECONDS(14)); /* at least half of 30 s */
    send_to("10.0.0.2");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
    ip_bed_advance(&bed, TLSYN_SECONDS(32)); /* at most one and a half */
    ck_assert_int_eq(send_to("10.0.0.2"), 0);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_DELAY);
    ck_assert_int_eq(ip_bed_flush(&bed), 2); /* both left at once */
    fake_link_clear(&bed.link);
    ip_bed_advance(&bed, TLSYN_MS(5001));
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_PROBE);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_int_eq(sent_arp(0).op, ARP_REQUEST);
    ck_assert_mem_eq(bed.link.frame[0].bytes, peer_hw, 6);
    ip_bed_arp(&bed, ARP_REPLY, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
    ip_bed_advance(&bed, TLSYN_SECONDS(10));
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(unanswered_probes_forget_the_neighbour)
{
    ip_bed_knows(&bed, 2);
    ip_bed_advance(&bed, TLSYN_SECONDS(46));
    send_to("10.0.0.2");
    ip_bed_advance(&bed, TLSYN_MS(5001));
    for (int i = 0; i < 2; i++) {
        ip_bed_advance(&bed, TLSYN_MS(1001));
        ck_assert_int_eq(send_to("10.0.0.2"), 0); /* still sent to where it was */
        ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_PROBE);
    }
    ip_bed_advance(&bed, TLSYN_MS(1001));
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), -1);
    ck_assert_int_eq(ip_bed_flush(&bed), 3 + 3);
}
END_TEST

START_TEST(forward_progress_spares_the_probe)
{
    ip_bed_knows(&bed, 2);
    ip_bed_advance(&bed, TLSYN_SECONDS(46));
    send_to("10.0.0.2");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_DELAY);
    send_on("10.0.0.2");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
    ip_bed_flush(&bed);
    ip_bed_advance(&bed, TLSYN_SECONDS(10));
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ip_bed_advance(&bed, TLSYN_SECONDS(4));
    send_on("10.0.0.2");
    ip_bed_advance(&bed, TLSYN_SECONDS(14));
    send_to("10.0.0.2"); /* 28 s after the first confirmation, 14 s after the second */
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
}
END_TEST

START_TEST(progress_behind_a_gateway_confirms_the_gateway)
{
    struct tlsyn_addr any = addr_of("0.0.0.0"), gateway = addr_of("10.0.0.2");

    ck_assert_int_eq(ip_route_add(&bed.ip, &any, 0, &gateway), 0);
    ip_bed_knows(&bed, 2);
    ip_bed_advance(&bed, TLSYN_SECONDS(46));
    send_to("8.8.8.8");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_DELAY);
    send_on("8.8.8.8");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
}
END_TEST

START_TEST(progress_does_not_invent_an_address)
{
    send_to("10.0.0.2");
    send_on("10.0.0.2");
    send_on("10.0.0.3");
    ck_assert_int_eq(send_on("8.8.8.8"), -ENETUNREACH);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_INCOMPLETE);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.3"), NEIGH_INCOMPLETE);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------- */

static void spoofed_sources_are_answered(unsigned count)
{
    char text[16];

    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "10.0.%u.%u", 1 + i / 250, 1 + i % 250);
        send_to(text);
    }
}

START_TEST(flood_of_silent_addresses_leaves_live_neighbours)
{
    struct tlsyn_addr wide = addr_of("10.0.0.1");

    ip_bed_close(&bed);
    ip_bed_open_bare(&bed, 7, NULL);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &wide, 16), 0);
    for (uint8_t n = 2; n < 32; n++)
        ip_bed_knows(&bed, n);
    spoofed_sources_are_answered(1000);
    ck_assert_uint_eq(bed.ip.neigh.table.count, 64);
    for (uint8_t n = 2; n < 32; n++) {
        char text[16];

        snprintf(text, sizeof(text), "10.0.0.%u", n);
        ck_assert_int_eq(ip_bed_neigh(&bed, text), NEIGH_REACHABLE);
    }
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_neigh_full), 1000 - 34);
}
END_TEST

START_TEST(crowd_of_live_neighbours_leaves_room_for_new_ones)
{
    for (uint8_t n = 2; n < 66; n++)
        ip_bed_knows(&bed, n);
    ck_assert_uint_eq(bed.ip.neigh.table.count, 64);
    send_to("10.0.0.2"); /* used: no longer the first to leave */
    ck_assert_int_eq(send_to("10.0.0.200"), 0);
    ck_assert_int_eq(send_to("10.0.0.201"), 0);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.200"), NEIGH_INCOMPLETE);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.201"), NEIGH_INCOMPLETE);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.3"), -1);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.4"), -1);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.2"), NEIGH_REACHABLE);
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.5"), NEIGH_REACHABLE);
}
END_TEST

START_TEST(crowd_that_asks_us_pushes_out_nobody_in_use)
{
    char text[16];

    for (uint8_t n = 2; n < 60; n++)
        ip_bed_knows(&bed, n);
    for (uint8_t n = 60; n < 250; n++) {
        snprintf(text, sizeof(text), "10.0.0.%u", n);
        ip_bed_arp(&bed, ARP_REQUEST, n, text, "10.0.0.1");
    }
    ck_assert_uint_eq(bed.ip.neigh.table.count, 64);
    for (uint8_t n = 2; n < 60; n++) {
        snprintf(text, sizeof(text), "10.0.0.%u", n);
        ck_assert_int_eq(ip_bed_neigh(&bed, text), NEIGH_REACHABLE);
    }
    /* and when all are in use, whoever asks is answered and not remembered */
    for (uint8_t n = 2; n < 66; n++) {
        snprintf(text, sizeof(text), "10.0.0.%u", n);
        ck_assert_int_eq(send_to(text), 0);
    }
    ip_bed_flush(&bed);
    ip_bed_arp(&bed, ARP_REQUEST, 251, "10.0.0.251", "10.0.0.1");
    ck_assert_int_eq(ip_bed_neigh(&bed, "10.0.0.251"), -1);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
}
END_TEST

START_TEST(cache_of_no_entries_refuses)
{
    ip_bed_close(&bed);
    ip_bed_open(&bed, 7);
    bed.ip.neigh.table.max = 0;
    ck_assert_int_eq(send_to("10.0.0.2"), -ENOBUFS);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_neigh_full), 1);
}
END_TEST

START_TEST(no_memory_drops_and_stays_consistent)
{
    for (uint64_t n = 1; n <= 5; n++) {
        test_memory_fail(&bed.memory, n);
        send_to("10.0.0.2");
        ip_bed_arp(&bed, ARP_REQUEST, 3, "10.0.0.3", "10.0.0.1");
        ip_bed_flush(&bed);
        test_memory_fail_all(&bed.memory, false);
        ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_no_memory), n);
        ip_bed_close(&bed);
        ip_bed_open(&bed, 7);
        for (uint64_t i = 0; i < n; i++)
            drop(&bed.cx, TLSYN_DROP_no_memory);
    }
}
END_TEST

/* Whatever happens in whatever order: bounds hold, memory comes back. */
START_TEST(random_lives_keep_their_bounds)
{
    struct ip_error error;
    char text[16];

    ip_bed_close(&bed);
    ip_bed_open(&bed, (uint64_t)_i);
    bed.ip.neigh.table.max = 8;
    for (int step = 0; step < 2000; step++) {
        uint8_t n = (uint8_t)(2 + random_below(&bed.random.base, 14));

        snprintf(text, sizeof(text), "10.0.0.%u", n);
        switch (random_below(&bed.random.base, 8)) {
        case 0:
            ip_bed_arp(&bed, ARP_REQUEST, n, text, "10.0.0.1");
            break;
        case 1:
            ip_bed_arp(&bed, ARP_REPLY, n, text, "10.0.0.1");
            break;
        case 2:
            ip_bed_arp(&bed, ARP_REPLY, (uint8_t)(n + 1), text, "10.0.0.77");
            break;
        case 3:
            ip_bed_advance(&bed, (tlsyn_time)random_below(&bed.random.base, 4000000));
            break;
        case 4:
            send_on(text);
            break;
        case 5:
            ip_bed_flush(&bed);
            fake_link_clear(&bed.link);
            break;
        case 6:
            while (ip_error_take(&bed.ip, &error))
                ck_assert_int_eq(error.error, -EHOSTUNREACH);
            break;
        default:
            send_to(text);
        }
        ck_assert_uint_le(bed.ip.neigh.table.count, 8);
        ck_assert_uint_le(bed.ip.neigh.unresolved_count, bed.ip.neigh.table.count);
    }
}
END_TEST

Suite *neigh_suite(void);

Suite *neigh_suite(void)
{
    Suite *suite = suite_create("neigh");
    TCase *tc = tcase_create("neigh");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, first_use_asks_everybody);
    tcase_add_test(tc, answer_releases_what_waited_in_order);
    tcase_add_test(tc, queue_keeps_the_newest);
    tcase_add_test(tc, the_newest_waits_whatever_its_length);
    tcase_add_test(tc, three_requests_a_second_apart);
    tcase_add_test(tc, silence_is_reported_for_each_datagram);
    tcase_add_test(tc, failed_neighbour_refuses_for_a_second_then_is_asked_anew);
    tcase_add_test(tc, late_answer_rescues_what_was_not_reported_yet);
    tcase_add_test(tc, reachable_goes_stale_in_its_time_and_is_probed_alone);
    tcase_add_test(tc, unanswered_probes_forget_the_neighbour);
    tcase_add_test(tc, forward_progress_spares_the_probe);
    tcase_add_test(tc, progress_behind_a_gateway_confirms_the_gateway);
    tcase_add_test(tc, progress_does_not_invent_an_address);
    tcase_add_test(tc, flood_of_silent_addresses_leaves_live_neighbours);
    tcase_add_test(tc, crowd_of_live_neighbours_leaves_room_for_new_ones);
    tcase_add_test(tc, crowd_that_asks_us_pushes_out_nobody_in_use);
    tcase_add_test(tc, cache_of_no_entries_refuses);
    tcase_add_test(tc, no_memory_drops_and_stays_consistent);
    tcase_add_loop_test(tc, random_lives_keep_their_bounds, 0, 20);
    suite_add_tcase(suite, tc);
    return suite;
}
