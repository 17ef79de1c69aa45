/*
 * When we acknowledge. Read first: RFC 9293 3.8.6.3, RFC 5681 4.2.
 */
#include "support/peer.h"

/* MUST-40 (SHLD-18) */
START_TEST(one_segment_is_acknowledged_a_little_later)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.len = 1460));
    advance(t, TLSYN_MS(39));
    expect_nothing(t);
    advance(t, TLSYN_MS(2));
    expect(t, ACK(.ack = 1461));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_delayed_acks), 1);
    tcp_test_close(t);
}
END_TEST

/* SHLD-19 */
START_TEST(every_second_full_sized_segment_is_acknowledged_at_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    for (int i = 1; i <= 4; i++) {
        peer_sends(t, ACK(.len = 1460));
        if (i % 2 == 0)
            expect(t, ACK(.ack = i * 1460 + 1));
        expect_nothing(t);
    }
    tcp_test_close(t);
}
END_TEST

START_TEST(full_sized_means_what_timestamps_leave)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    peer_sends(t, ACK(.len = 1448));
    expect_nothing(t);
    peer_sends(t, ACK(.len = 1448));
    expect(t, ACK(.ack = 2897));
    tcp_test_close(t);
}
END_TEST

START_TEST(what_exceeds_a_full_sized_segment_is_acknowledged_at_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.len = 1460));
    expect_nothing(t);
    peer_sends(t, ACK(.len = 1));
    expect(t, ACK(.ack = 1462));
    for (int i = 0; i < 2; i++) /* of a peer whose segments are smaller than we would take */
        peer_sends(t, ACK(.len = 1000));
    expect(t, ACK(.ack = 3462));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(small_segments_wait_together)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    for (int i = 0; i < 10; i++)
        peer_sends(t, ACK(.len = 10));
    expect_nothing(t);
    advance(t, TLSYN_MS(41));
    expect(t, ACK(.ack = 101));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(text_of_ours_carries_the_acknowledgment)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.len = 10));
    user_sends(t, 5);
    expect(t, ACK(.seq = 1, .ack = 11, .len = 5));
    peer_sends(t, ACK());
    advance(t, TLSYN_SECONDS(1));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_connection_may_go_without_delay)
{
    struct tcp_test *t = TCP_TEST(.conn = {.no_delack = true});

    opens_passively(t);
    peer_sends(t, ACK(.len = 1));
    expect(t, ACK(.ack = 2));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_duplicate_is_acknowledged_at_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.seq = 1, .len = 10));
    peer_sends(t, ACK(.seq = 1, .len = 10));
    expect(t, ACK(.ack = 11));
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 4.2 leaves it to the receiver when to delay */
START_TEST(the_first_segments_are_acknowledged_one_by_one)
{
    struct tlsyn_limits limits = default_limits();

    limits.quick_acks = 3;
    struct tcp_test *t = TCP_TEST(.limits = limits);

    opens_passively(t);
    for (int i = 1; i <= 3; i++) {
        peer_sends(t, ACK(.len = 10));
        expect(t, ACK(.ack = 1 + i * 10));
    }
    peer_sends(t, ACK(.len = 10));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_answers_lets_his_text_carry_the_acks)
{
    struct tlsyn_limits limits = default_limits();

    limits.quick_acks = 16;
    struct tcp_test *t = TCP_TEST(.limits = limits);

    opens_passively(t);
    peer_sends(t, ACK(.len = 10));
    expect(t, ACK(.ack = 11));
    user_sends(t, 5);
    expect(t, ACK(.len = 5));
    peer_sends(t, ACK(.len = 10));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* A client whose text rides on the ACK of the SYN-ACK has answered, too. */
START_TEST(text_on_the_ack_of_a_syn_ack_answers)
{
    struct tlsyn_limits limits = default_limits();

    limits.quick_acks = 16;
    for (int early = 0; early < 2; early++) {
        struct tcp_test *t = TCP_TEST(.limits = limits);

        ck_assert_int_eq(user_connects(t), 0);
        if (early)
            user_writes(&t->user, 5);
        expect(t, SYN());
        peer_sends(t, SYNACK(.ack = 1));
        expect(t, ACK(.ack = 1, .len = early ? 5 : 0));
        peer_sends(t, ACK(.ack = early ? 6 : 1, .len = 10));
        if (!early)
            expect(t, ACK(.ack = 11));
        expect_nothing(t);
        tcp_test_close(t);
    }
}
END_TEST

Suite *tcp_delack_suite(void);

Suite *tcp_delack_suite(void)
{
    Suite *s = suite_create("tcp_delack");
    TCase *all = tcase_create("all");

    tcase_add_test(all, one_segment_is_acknowledged_a_little_later);
    tcase_add_test(all, every_second_full_sized_segment_is_acknowledged_at_once);
    tcase_add_test(all, full_sized_means_what_timestamps_leave);
    tcase_add_test(all, what_exceeds_a_full_sized_segment_is_acknowledged_at_once);
    tcase_add_test(all, small_segments_wait_together);
    tcase_add_test(all, text_of_ours_carries_the_acknowledgment);
    tcase_add_test(all, a_connection_may_go_without_delay);
    tcase_add_test(all, a_duplicate_is_acknowledged_at_once);
    tcase_add_test(all, the_first_segments_are_acknowledged_one_by_one);
    tcase_add_test(all, who_answers_lets_his_text_carry_the_acks);
    tcase_add_test(all, text_on_the_ack_of_a_syn_ack_answers);
    suite_add_tcase(s, all);
    return s;
}
