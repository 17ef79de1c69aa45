/*
 * study/flood: from what was seen in each round to the cells' figures.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/flood/flood.h"

Suite *flood_suite(void);

enum { ROUNDS = 3 };

/* One pair, without a flood and with one kind at one rate: two cells. */
static struct flood_study *planned(void)
{
    struct flood_options o;
    struct flood_study *s = NULL;

    flood_defaults(&o);
    o.rounds = ROUNDS;
    o.rate_count = 1;
    o.pairs[FLOOD_TLSYN_STOCK] = o.pairs[FLOOD_NGINX_STOCK] = false;
    o.kinds[FLOOD_STOLEN] = false;
    ck_assert_int_eq(flood_plan(&o, &s), 0);
    ck_assert_uint_eq(s->cell_count, 2);
    return s;
}

/* So many visits of so many milliseconds and one and two more; another one was not answered. */
static void see(struct flood_study *s, uint32_t round, uint32_t cell, double ms)
{
    struct flood_sample *sample = flood_sample_of(s, round, cell);

    *sample = (struct flood_sample){.done = true,
                                    .visits = 4,
                                    .succeeded = 3,
                                    .embedded = 2,
                                    .handshake_us = {calloc(3, sizeof(double)), 3},
                                    .seconds = 2,
                                    .bytes_in = cell ? 11000 : 1000,
                                    .bytes_out = cell ? 6000 : 1000,
                                    .cpu = 0.5,
                                    .rss_first = 1000 + round,
                                    .rss_most = 2000 + round,
                                    .rss_last = 1500};
    for (int i = 0; i < 3; i++)
        sample->handshake_us.value[i] = (ms + (2 - i)) * 1e3;
}

START_TEST(rounds_are_taken_together)
{
    struct flood_study *s = planned();

    for (uint32_t round = 0; round < ROUNDS; round++)
        for (uint32_t cell = 0; cell < 2; cell++)
            see(s, round, cell, 10 * (round + 1));
    for (int again = 0; again < 2; again++)
        ck_assert_int_eq(flood_analyse(s), 0);
    const struct flood_cell *flooded = &s->cells[1];

    ck_assert_uint_eq(flooded->rounds, ROUNDS);
    ck_assert_uint_eq(flooded->all.visits, 12);
    ck_assert_uint_eq(flooded->all.succeeded, 9);
    ck_assert_double_eq_tol(flooded->median_ms.estimate, 21, 1e-9); /* of 11, 21 and 31 */
    ck_assert_double_eq_tol(flooded->median_ms.lo, 11, 1e-9);
    ck_assert_double_eq_tol(flooded->median_ms.hi, 31, 1e-9);
    ck_assert_double_eq_tol(flooded->most_ms, 32, 1e-9);
    ck_assert_double_eq_tol(flooded->out_per_in, 0.5, 1e-9);
    ck_assert(isnan(s->cells[0].out_per_in));
    ck_assert_uint_eq(flooded->all.rss_first, 1000);
    ck_assert_uint_eq(flooded->all.rss_most, 2002);
    flood_free(s);
}
END_TEST

START_TEST(a_round_that_came_to_nothing_is_counted_and_in_no_figure)
{
    struct flood_study *s = planned();
    struct flood_sample *failed = flood_sample_of(s, 1, 1);
    char *text = NULL;
    size_t size = 0;

    see(s, 0, 0, 10);
    see(s, 0, 1, 10);
    *failed = (struct flood_sample){.done = true, .error = -EPIPE, .visits = 40};
    (void)strcpy(failed->reason, "the server has ended");
    ck_assert_int_eq(flood_analyse(s), 0);
    ck_assert_uint_eq(s->cells[1].rounds, 1);
    ck_assert_uint_eq(s->cells[1].failed, 1);
    ck_assert_uint_eq(s->cells[1].all.visits, 4);
    ck_assert_double_eq_tol(s->cells[1].median_ms.estimate, 11, 1e-9);
    ck_assert(isnan(s->cells[1].median_ms.lo)); /* one round has no interval */

    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(flood_json(s, out), 0);
    (void)fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "\"reason\": \"the server has ended\""));
    ck_assert_ptr_nonnull(strstr(text, "\"failed\": 1"));
    free(text);
    flood_free(s);
}
END_TEST

START_TEST(nothing_observed_gives_no_rows)
{
    struct flood_study *s = planned();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(flood_analyse(s), 0);
    ck_assert_int_eq(flood_json(s, out), 0);
    (void)fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "\"rows\": []"));
    free(text);
    flood_free(s);
}
END_TEST

Suite *flood_suite(void)
{
    Suite *suite = suite_create("flood");
    TCase *tc = tcase_create("flood");

    tcase_add_test(tc, rounds_are_taken_together);
    tcase_add_test(tc, a_round_that_came_to_nothing_is_counted_and_in_no_figure);
    tcase_add_test(tc, nothing_observed_gives_no_rows);
    suite_add_tcase(suite, tc);
    return suite;
}
