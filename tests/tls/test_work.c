/* Turns of full handshakes: at once, then in order, and never too far away. */
#include <check.h>

#include "work.h"

#define NOW TLSYN_SECONDS(1000)

START_TEST(some_begin_at_once_and_the_others_in_turn)
{
    struct work w;

    work_init(&w, 10);
    for (int i = 0; i < WORK_AT_ONCE; i++)
        ck_assert_int_eq(work_reserve(&w, NOW), NOW);
    for (int i = 1; i <= 50; i++)
        ck_assert_int_eq(work_reserve(&w, NOW), NOW + i * TLSYN_MS(100));
    /* A pause gives back what it lasted for, and no more than can be begun at once. */
    ck_assert_int_eq(work_reserve(&w, NOW + TLSYN_SECONDS(3)), NOW + TLSYN_MS(5100));
    for (int i = 0; i < WORK_AT_ONCE; i++)
        ck_assert_int_eq(work_reserve(&w, NOW + TLSYN_SECONDS(60)), NOW + TLSYN_SECONDS(60));
    ck_assert_int_gt(work_reserve(&w, NOW + TLSYN_SECONDS(60)), NOW + TLSYN_SECONDS(60));
}
END_TEST

START_TEST(strangers_have_half_of_what_begins_at_once)
{
    struct work w;
    int n = 0;

    work_init(&w, 10);
    while (work_has_spare(&w, NOW)) {
        (void)work_reserve(&w, NOW);
        n++;
    }
    ck_assert_int_eq(n, WORK_AT_ONCE / 2 + 1);
    ck_assert_int_eq(work_reserve(&w, NOW), NOW);
    ck_assert(work_has_spare(&w, NOW + TLSYN_MS(200)));
}
END_TEST

START_TEST(no_turn_is_given_beyond_ten_seconds)
{
    struct work w;
    int n = 0;
    tlsyn_time last = 0, turn;

    work_init(&w, 5);
    while ((turn = work_reserve(&w, NOW)) != TLSYN_NEVER) {
        ck_assert_int_ge(turn, last);
        last = turn;
        n++;
    }
    ck_assert_int_eq(n, WORK_AT_ONCE + 50);
    ck_assert_int_eq(last, NOW + WORK_WAIT_MAX);
    ck_assert_int_eq(work_reserve(&w, NOW + TLSYN_SECONDS(1)), last + TLSYN_MS(200));
}
END_TEST

START_TEST(the_highest_rate_is_one)
{
    struct work w;

    work_init(&w, UINT32_MAX);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_le(work_reserve(&w, NOW + i), NOW + i);
}
END_TEST

Suite *work_suite(void);

Suite *work_suite(void)
{
    Suite *s = suite_create("work");
    TCase *t = tcase_create("work");

    tcase_add_test(t, some_begin_at_once_and_the_others_in_turn);
    tcase_add_test(t, strangers_have_half_of_what_begins_at_once);
    tcase_add_test(t, no_turn_is_given_beyond_ten_seconds);
    tcase_add_test(t, the_highest_rate_is_one);
    suite_add_tcase(s, t);
    return s;
}
