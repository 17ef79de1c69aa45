/*
 * State ESTABLISHED: text in order and out of order, acknowledgments that make sense and those that don't.
 * Read first: RFC 9293 3.10.7.4.
 */
#include "support/peer.h"

/* --- text in ----------------------------------------------------------------------------------------- */

START_TEST(text_in_order_is_read_and_acknowledged)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.seq = 1, .text = "hello"));
    ck_assert_str_eq(t->user.text, "hello");
    advance(t, TLSYN_MS(500));
    expect(t, ACK(.seq = 1, .ack = 6));
    expect_nothing(t);
    t->user.wrong = 0;
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4, SHLD-31 */
START_TEST(text_behind_a_hole_waits_for_it)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_actively(t);
    peer_sends(t, ACK(.seq = 101, .len = 100));
    expect(t, ACK(.ack = 1));
    ck_assert_uint_eq(t->user.read, 0);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ck_assert_uint_eq(t->user.read, 200);
    expect(t, ACK(.ack = 201));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_established_suite(void);

Suite *tcp_established_suite(void)
{
    Suite *s = suite_create("tcp_established");
    TCase *text = tcase_create("text in");

    tcase_add_test(text, text_in_order_is_read_and_acknowledged);
    tcase_add_test(text, text_behind_a_hole_waits_for_it);
    suite_add_tcase(s, text);
    return s;
}
