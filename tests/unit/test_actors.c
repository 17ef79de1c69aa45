/* study/actors: messages stay whole, and a missing other end is noticed. */
#include <check.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "study/actors.h"

static int ends[2];

static void open_pair(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_pair(void)
{
    (void)close(ends[0]);
    (void)close(ends[1]);
}

START_TEST(messages_arrive_whole_and_in_order)
{
    struct actor_request sent = {.kind = ACTOR_PROBE};
    struct actor_request got;

    ck_assert_int_eq(actor_send(ends[0], &sent, sizeof(sent)), 0);
    sent.kind = ACTOR_EXCHANGE;
    sent.order.way.suite = STUDY_13;
    ck_assert_int_eq(actor_send(ends[0], &sent, sizeof(sent)), 0);
    ck_assert_int_eq(actor_receive(ends[1], &got, sizeof(got), 1000), 0);
    ck_assert_int_eq(got.kind, ACTOR_PROBE);
    ck_assert_int_eq(actor_receive(ends[1], &got, sizeof(got), 1000), 0);
    ck_assert_int_eq(got.kind, ACTOR_EXCHANGE);
    ck_assert_int_eq(got.order.way.suite, STUDY_13);
}
END_TEST

START_TEST(nothing_is_waited_for_longer_than_asked)
{
    char byte;

    ck_assert_int_eq(actor_receive(ends[1], &byte, 1, 0), -ETIMEDOUT);
    ck_assert_int_eq(actor_receive(ends[1], &byte, 1, 5), -ETIMEDOUT);
}
END_TEST

/* As an actor has one, which was forked with all descriptors of the harness. */
START_TEST(who_is_hung_up_on_hears_it_though_somebody_has_a_copy)
{
    int copy = dup(ends[0]);
    char byte;

    ck_assert_int_ge(copy, 0);
    actor_hang_up(ends[0]);
    ck_assert_int_eq(actor_receive(ends[1], &byte, 1, 0), -EPIPE);
    ends[0] = copy;
}
END_TEST

START_TEST(a_message_of_another_size_is_refused)
{
    int sent = 1;
    char byte;

    ck_assert_int_eq(actor_send(ends[0], &sent, sizeof(sent) - 1), 0);
    ck_assert_int_eq(actor_receive(ends[1], &sent, sizeof(sent), 1000), -EPROTO);
    ck_assert_int_eq(actor_receive(ends[1], &byte, 1, 0), -ETIMEDOUT);
}
END_TEST

START_TEST(the_other_ends_death_is_told)
{
    char byte = 0;

    (void)close(ends[0]);
    ck_assert_int_eq(actor_receive(ends[1], &byte, 1, 1000), -EPIPE);
    ck_assert_int_eq(actor_send(ends[1], &byte, 1), -EPIPE);
    ends[0] = dup(ends[1]);
}
END_TEST

START_TEST(last_words_are_heard_though_something_was_left_unread)
{
    char word = 'w', got = 0;

    ck_assert_int_eq(actor_send(ends[1], &word, 1), 0);
    ck_assert_int_eq(actor_send(ends[0], &word, 1), 0);
    (void)close(ends[0]);
    ck_assert_int_eq(actor_receive(ends[1], &got, 1, 1000), 0);
    ck_assert_int_eq(got, 'w');
    ck_assert_int_eq(actor_receive(ends[1], &got, 1, 1000), -EPIPE);
    ends[0] = dup(ends[1]);
}
END_TEST

Suite *actors_suite(void);
Suite *actors_suite(void)
{
    Suite *suite = suite_create("actors");
    TCase *tcase = tcase_create("actors");

    tcase_add_checked_fixture(tcase, open_pair, close_pair);
    tcase_add_test(tcase, messages_arrive_whole_and_in_order);
    tcase_add_test(tcase, nothing_is_waited_for_longer_than_asked);
    tcase_add_test(tcase, who_is_hung_up_on_hears_it_though_somebody_has_a_copy);
    tcase_add_test(tcase, a_message_of_another_size_is_refused);
    tcase_add_test(tcase, the_other_ends_death_is_told);
    tcase_add_test(tcase, last_words_are_heard_though_something_was_left_unread);
    suite_add_tcase(suite, tcase);
    return suite;
}
