/*
 * ICMP errors about our segments. Read first: RFC 1122 4.2.3.9, RFC 5927 4 and 5, RFC 1191 6.4.
 */
#include <errno.h>

#include "support/peer.h"

enum { NET, HOST, PROTOCOL, PORT, FRAGMENTATION_NEEDED };

/* MUST-54, SHLD-26 */
START_TEST(a_hard_error_ends_an_open)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends_unreachable(t, PORT, 0, 0);
    ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* MUST-56 */
START_TEST(a_soft_error_explains_a_later_timeout_and_ends_nothing)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends_unreachable(t, HOST, 0, 0);
    expect_state(t, TLSYN_SYN_SENT);
    advance(t, TLSYN_SECONDS(600));
    ck_assert_int_eq(t->user.error, -EHOSTUNREACH);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 5927 5.2 (MUST-56) */
START_TEST(no_error_ends_an_established_connection)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 100);
    peer_takes_all(t);
    peer_sends_unreachable(t, PORT, 0, 1);
    peer_sends_unreachable(t, PROTOCOL, 0, 1);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* RFC 5927 4.1 */
START_TEST(an_error_about_nothing_outstanding_is_not_believed)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends_unreachable(t, PORT, 0, 77);
    peer_sends_unreachable(t, PORT, 0, -1);
    expect_state(t, TLSYN_SYN_SENT);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_icmp_unrelated), 2);
    tcp_test_close(t);
}
END_TEST

/* RFC 1191 6.4 (MUST-54) */
START_TEST(a_smaller_path_gets_smaller_segments_at_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 3000);
    ignore_sent(t);
    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 1040, 1);
    expect(t, ACK(.seq = 1, .len = 1000));
    expect(t, ACK(.seq = 1001, .len = 1000));
    expect(t, ACK(.seq = 2001, .len = 1000));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_absurd_path_mtu_is_not_believed)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 3000);
    ignore_sent(t);
    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 68, 1);
    expect(t, ACK(.seq = 1, .len = 512));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_error_about_a_syn_with_text_brings_a_plain_one) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    t->user.plan[USER_OPEN].write = 1000;
    user_connects(t);
    expect(t, SYN(.len = 1000));
    peer_sends_unreachable(t, _i ? FRAGMENTATION_NEEDED : PORT, 900, 0);
    const struct wire_tcp *plain = expect(t, SYN(.seq = 0));
    ck_assert_uint_eq(plain->options.mss, _i ? 900 - 40 : 1460); /* passes the way back as well */
    expect_state(t, TLSYN_SYN_SENT);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_icmp_suite(void);

Suite *tcp_icmp_suite(void)
{
    Suite *s = suite_create("tcp_icmp");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_hard_error_ends_an_open);
    tcase_add_test(all, a_soft_error_explains_a_later_timeout_and_ends_nothing);
    tcase_add_test(all, no_error_ends_an_established_connection);
    tcase_add_test(all, an_error_about_nothing_outstanding_is_not_believed);
    tcase_add_test(all, a_smaller_path_gets_smaller_segments_at_once);
    tcase_add_test(all, an_absurd_path_mtu_is_not_believed);
    tcase_add_loop_test(all, an_error_about_a_syn_with_text_brings_a_plain_one, 0, 2);
    suite_add_tcase(s, all);
    return s;
}
