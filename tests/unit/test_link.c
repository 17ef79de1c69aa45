/*
 * study/link: names, figures that contradict each other, the emulator's orders, and whether they
 * were kept.
 */
#include "study/link.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

Suite *link_suite(void);

static char text[STUDY_LINK_TEXT];

START_TEST(names_are_those_of_the_studies)
{
    ck_assert_double_eq(study_link_preset("satellite")->rtt_ms, 650);
    ck_assert_double_eq(study_link_preset("demand-satellite")->rtt_ms, 1300);
    ck_assert_double_eq(study_link_preset("us-india")->rtt_ms, 300);
    ck_assert_double_eq(study_link_preset("us-moscow")->rtt_ms, 180);
    ck_assert_double_eq(study_link_preset("dc-ny")->rtt_ms, 30);
    ck_assert_double_eq(study_link_preset("lan")->rtt_ms, 1);
    ck_assert_ptr_null(study_link_preset("mars"));
    ck_assert_ptr_null(study_link_preset(""));
}
END_TEST

START_TEST(what_contradicts_itself_is_refused_with_a_remedy)
{
    const struct {
        struct study_link link;
        tlsyn_time timeout;
        const char *remedy;
    } wrong[] = {
        {{.name = "", .queue = 4096}, 0, "give --rate"},
        {{.name = "", .rate = 1000000, .queue = 1000}, 0, "1514 bytes or more"},
        {{.name = "", .rate = 1, .queue = UINT64_C(1) << 33}, 0, "at most 4 GiB"},
        {{.name = "", .loss = 0.95}, TLSYN_SECONDS(1), "90% or less"},
        {{.name = "", .jitter_ms = 61e3}, 0, "at most 60s"},
        {{.name = "", .rtt_ms = 400}, TLSYN_SECONDS(1), "a longer one"},
        {{.name = "", .rate = 8000}, TLSYN_SECONDS(3), "a faster link"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ck_assert_int_eq(study_link_check(&wrong[i].link, wrong[i].timeout, text), -EINVAL);
        ck_assert_msg(strstr(text, wrong[i].remedy), "%s", text);
    }
}
END_TEST

START_TEST(what_can_be_is_taken)
{
    struct study_link link = study_link_perfect();

    ck_assert_int_eq(study_link_check(&link, TLSYN_MS(10), text), 0);
    ck_assert(!study_link_impairs(&link));
    link = (struct study_link){.name = "", .rtt_ms = 650, .rate = 1000000, .queue = 1514};
    ck_assert_int_eq(study_link_check(&link, TLSYN_SECONDS(2), text), 0);
    ck_assert(study_link_impairs(&link));
    link.loss = 1; /* where nobody is measured */
    ck_assert_int_eq(study_link_check(&link, 0, text), 0);
}
END_TEST

START_TEST(both_directions_are_alike_but_for_their_fates)
{
    const struct study_link link = {
        .name = "", .rtt_ms = 0.101, .jitter_ms = 2.5, .rate = 64000, .queue = 9000, .loss = 0.25};
    struct tlsyn_impairment path[2], other[2];

    study_link_half(&link, 7, path);
    ck_assert_int_eq(path[0].delay + path[1].delay, 101);
    ck_assert_int_le(path[0].delay, path[1].delay);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(path[i].jitter, 2500);
        ck_assert_uint_eq(path[i].rate, 64000);
        ck_assert_uint_eq(path[i].queue_bytes, 9000);
        ck_assert_double_eq(path[i].loss, 0.25);
    }
    study_link_half(&link, 8, other);
    ck_assert_uint_ne(path[0].seed, path[1].seed);
    ck_assert_uint_ne(path[0].seed, other[0].seed);
    ck_assert_uint_ne(path[1].seed, other[0].seed);
}
END_TEST

START_TEST(a_link_is_told_in_words)
{
    struct study_link link = study_link_perfect();

    ck_assert_str_eq(study_link_text(&link, text), "no delay, no limits");
    link.rtt_ms = 5;
    link.rate = 64000;
    ck_assert_str_eq(study_link_text(&link, text), "RTT 5 ms, 64 kbit/s");
    link = (struct study_link){.name = "satellite",
                               .rtt_ms = 650,
                               .jitter_ms = 5,
                               .rate = 10000000,
                               .queue = 65536,
                               .loss = 0.01};
    ck_assert_str_eq(study_link_text(&link, text),
                     "satellite, RTT 650 ms, 10 Mbit/s, queue 64 KiB, loss 1 %, jitter 5 ms");
}
END_TEST

START_TEST(a_link_is_kept_within_a_twentieth_and_without_refusals)
{
    struct study_link_seen seen = {.frames = 100, .late_p99_us = 200};

    ck_assert(study_link_was_kept(0.4, &seen));
    seen.late_p99_us = 2400;
    ck_assert(study_link_was_kept(50, &seen));
    ck_assert(!study_link_was_kept(40, &seen));
    ck_assert(!study_link_was_kept((double)NAN, &seen));
    seen = (struct study_link_seen){.frames = 100, .refused = 1};
    ck_assert(!study_link_was_kept(50, &seen));
    ck_assert(study_link_kept(10, 5));
    ck_assert(!study_link_kept(10, 6));
    ck_assert(study_link_kept(0, 0));
    ck_assert(study_link_is_near(50, 51));
    ck_assert(!study_link_is_near(50, 51.2));
    ck_assert(!study_link_is_near(0.01, 0.09));
}
END_TEST

Suite *link_suite(void)
{
    Suite *suite = suite_create("link");
    TCase *tc = tcase_create("link");

    tcase_add_test(tc, names_are_those_of_the_studies);
    tcase_add_test(tc, what_contradicts_itself_is_refused_with_a_remedy);
    tcase_add_test(tc, what_can_be_is_taken);
    tcase_add_test(tc, both_directions_are_alike_but_for_their_fates);
    tcase_add_test(tc, a_link_is_told_in_words);
    tcase_add_test(tc, a_link_is_kept_within_a_twentieth_and_without_refusals);
    suite_add_tcase(suite, tc);
    return suite;
}
