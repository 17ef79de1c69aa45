/*
 * Nagle's algorithm. Read first: RFC 9293 3.7.4.
 */
#include "support/peer.h"

/* MUST-17 */
START_TEST(small_segments_leave_at_once_unless_asked_otherwise)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    for (int i = 0; i < 3; i++) {
        user_sends(t, 10);
        expect(t, ACK(.seq = 1 + i * 10, .len = 10));
    }
    tcp_test_close(t);
}
END_TEST

/* SHLD-7 */
START_TEST(a_small_segment_waits_while_another_is_on_its_way)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true});

    opens_passively(t);
    for (int i = 0; i < 3; i++)
        user_sends(t, 10);
    expect(t, ACK(.seq = 1, .len = 10));
    expect_nothing(t);
    peer_sends(t, ACK(.ack = 11));
    expect(t, ACK(.seq = 11, .len = 20));
    tcp_test_close(t);
}
END_TEST

/* SHLD-28 */
START_TEST(a_full_segment_does_not_wait)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true});

    opens_passively(t);
    user_sends(t, 10);
    expect(t, ACK(.seq = 1, .len = 10));
    user_sends(t, 1500);
    expect(t, ACK(.seq = 11, .len = 1460));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

static tcp_seq before_wrap(struct tcp *tcp, const struct tlsyn_endpoint *local,
                           const struct tlsyn_endpoint *remote)
{
    (void)tcp;
    (void)local;
    (void)remote;
    return 0xffffff00;
}

/* No number stands for "no small segment yet". */
START_TEST(the_first_small_segment_waits_for_none)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true}, .choose_iss = before_wrap);

    opens_passively(t);
    user_sends(t, 1460);
    expect(t, ACK(.seq = 1, .len = 1460));
    user_sends(t, 10);
    expect(t, ACK(.seq = 1461, .len = 10));
    tcp_test_close(t);
}
END_TEST

START_TEST(the_last_bytes_before_a_fin_do_not_wait)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true});

    opens_passively(t);
    user_sends(t, 10);
    expect(t, ACK(.len = 10));
    user_writes(&t->user, 10);
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 11, .len = 10));
    tcp_test_close(t);
}
END_TEST

/* Minshall's variant */
START_TEST(the_odd_end_of_a_large_write_leaves_with_it)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true});

    opens_passively(t);
    user_sends(t, 3000);
    expect(t, ACK(.seq = 1, .len = 1460));
    expect(t, ACK(.seq = 1461, .len = 1460));
    expect(t, ACK(.seq = 2921, .len = 80));
    user_sends(t, 1500);
    expect(t, ACK(.seq = 3001, .len = 1460));
    expect_nothing(t); /* the next odd end waits for the one before */
    peer_sends(t, ACK(.ack = 3001));
    expect(t, ACK(.seq = 4461, .len = 40));
    tcp_test_close(t);
}
END_TEST

START_TEST(the_odd_end_of_a_train_waits_too)
{
    struct tcp_test *t =
        TCP_TEST(.conn = {.nagle = true}, .caps = {.mtu = 1500, .gso_max = 65000, .csum = true});

    opens_passively(t);
    user_sends(t, 3000);
    expect(t, ACK(.seq = 1, .len = 3000));
    user_sends(t, 3000);
    expect(t, ACK(.seq = 3001, .len = 2920));
    expect_nothing(t); /* behind another odd end */
    tcp_test_close(t);
}
END_TEST

Suite *tcp_nagle_suite(void);

Suite *tcp_nagle_suite(void)
{
    Suite *s = suite_create("tcp_nagle");
    TCase *all = tcase_create("all");

    tcase_add_test(all, small_segments_leave_at_once_unless_asked_otherwise);
    tcase_add_test(all, a_small_segment_waits_while_another_is_on_its_way);
    tcase_add_test(all, a_full_segment_does_not_wait);
    tcase_add_test(all, the_first_small_segment_waits_for_none);
    tcase_add_test(all, the_odd_end_of_a_large_write_leaves_with_it);
    tcase_add_test(all, the_last_bytes_before_a_fin_do_not_wait);
    tcase_add_test(all, the_odd_end_of_a_train_waits_too);
    suite_add_tcase(s, all);
    return s;
}
