/* TCP over IPv6: what depends on the family: MSS, ICMPv6's errors, the amplification limit, groups.
 * RFC 9293 3.7.1, RFC 8200 8. */
#include "support/peer.h"
#include "wire/icmp6.h"

#include <errno.h>

START_TEST(opens_and_talks_both_ways)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true);

    opens_passively(t);
    peer_sends(t, ACK(.len = 5));
    advance(t, TLSYN_MS(500));
    expect(t, ACK(.ack = 6));
    ck_assert_uint_eq(user_writes(&t->user, 100), 100);
    flush(t);
    expect(t, ACK(.seq = 1, .len = 100));
    peer_sends(t, ACK());
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(opens_actively_with_an_mss_of_the_mtu_less_60)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true);

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert_uint_eq(expect(t, SYN())->options.mss, 1440);
    peer_sends(t, SYNACK());
    expect(t, ACK(.seq = 1, .ack = 1));
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.7.1: MUST-15, for IPv6 */
START_TEST(without_an_mss_option_segments_have_1220_octets)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true, .peer_has_no_options = true);
    struct tlsyn_conn_info info;

    opens_passively(t);
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_eq(info.mss, 1220);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_damaged_segment_is_dropped)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true);

    opens_passively(t);
    peer_sends(t, ACK(.len = 5, .bad_checksum = true));
    advance(t, TLSYN_MS(500));
    expect_nothing(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_checksum), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(nobody_listens_is_told_by_a_reset)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true);

    t->local_port = 81;
    peer_sends(t, SYN());
    expect(t, RSTACK(.ack = 1));
    tcp_test_close(t);
}
END_TEST

START_TEST(an_unreachable_port_ends_an_open)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true);

    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    peer_sends_unreachable(t, ICMP6_PORT, 0, 0);
    ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_error_about_nothing_that_was_sent_is_none)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true);

    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    peer_sends_unreachable(t, ICMP6_PORT, 0, 7777);
    expect_state(t, TLSYN_SYN_SENT);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_icmp_unrelated), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_path_of_less_than_1280_is_a_lie)
{
    struct tcp_test *t = TCP_TEST(.ip6 = true);
    struct tlsyn_conn_info info;

    opens_passively(t);
    ck_assert_uint_eq(user_writes(&t->user, 1000), 1000);
    flush(t);
    peer_sends_unreachable(t, 0, 1279, 1);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_icmp_malformed), 1);
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_eq(info.mss, 1440);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_super_frame_says_that_it_is_ipv6)
{
    struct tlsyn_link_caps caps = {.mtu = 1500, .gso_max = 65000, .csum = true};
    struct tcp_test *t = TCP_TEST(.ip6 = true, .caps = caps);

    opens_passively(t);
    ck_assert_uint_eq(user_writes(&t->user, 8000), 8000);
    tlsyn_stack_output(t->stack, t->now);
    const struct fake_frame *f = &t->link.frame[0];
    ck_assert_int_ge(t->link.count, 1);
    ck_assert_int_eq(f->as_sent.gso_type, TLSYN_GSO_TCP6);
    ck_assert_uint_eq(f->as_sent.gso_size, 1440);
    ck_assert_uint_eq(f->as_sent.hdr_len, 14 + 40 + 20);
    ck_assert_uint_eq(f->as_sent.csum_start, 14 + 40);
    flush(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_ip6_suite(void);

Suite *tcp_ip6_suite(void)
{
    Suite *suite = suite_create("tcp_ip6");
    TCase *tc = tcase_create("tcp_ip6");

    tcase_add_test(tc, opens_and_talks_both_ways);
    tcase_add_test(tc, opens_actively_with_an_mss_of_the_mtu_less_60);
    tcase_add_test(tc, without_an_mss_option_segments_have_1220_octets);
    tcase_add_test(tc, a_damaged_segment_is_dropped);
    tcase_add_test(tc, nobody_listens_is_told_by_a_reset);
    tcase_add_test(tc, an_unreachable_port_ends_an_open);
    tcase_add_test(tc, an_error_about_nothing_that_was_sent_is_none);
    tcase_add_test(tc, a_path_of_less_than_1280_is_a_lie);
    tcase_add_test(tc, a_super_frame_says_that_it_is_ipv6);
    suite_add_tcase(suite, tc);
    return suite;
}
