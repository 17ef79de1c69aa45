/*
 * test_loss.c: the arithmetic of tlsyn bench loss: paths, sizes, ratios; and the pattern that
 * transfers carry.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "study/transfer/flow_end.h"
#include "study/transfer/loss.h"

Suite *loss_suite(void);

static struct loss_study *planned(uint32_t rounds, bool both_ours)
{
    struct loss_options options;
    struct loss_study *study = NULL;

    loss_defaults(&options);
    options.family_count = 1;
    options.loss = (struct loss_list){{1}, 1};
    options.rtt = (struct loss_list){{20}, 1};
    options.reorder = (struct loss_list){{0, 5}, 2};
    options.rounds = options.rounds_max = rounds;
    options.both_ours = both_ours;
    ck_assert_int_eq(loss_plan(&options, &study), 0);
    return study;
}

static void took(struct loss_study *study, uint32_t round, uint32_t cell, uint32_t pair,
                 double seconds)
{
    struct loss_sample *sample = loss_sample(study, round, cell, pair);

    sample->done = true;
    sample->outcome.seconds = seconds;
    sample->outcome.retransmits = pair;
}

START_TEST(the_default_plan_has_every_path_of_the_table)
{
    struct loss_options options;
    struct loss_study *study = NULL;

    loss_defaults(&options);
    ck_assert_int_eq(loss_plan(&options, &study), 0);
    ck_assert_uint_eq(study->cell_count, 2 * 4 * 3 * 2);
    ck_assert_uint_eq(study->pair_count, 3);
    for (uint32_t i = 0; i < study->cell_count; i++) {
        for (uint32_t k = 0; k < i; k++)
            ck_assert(study->cells[i].family != study->cells[k].family ||
                      study->cells[i].loss != study->cells[k].loss ||
                      study->cells[i].rtt_ms != study->cells[k].rtt_ms ||
                      study->cells[i].reorder != study->cells[k].reorder);
    }
    loss_free(study);
    options.family_count = 1;
    ck_assert_int_eq(loss_plan(&options, &study), 0);
    ck_assert_uint_eq(study->cell_count, 24);
    loss_free(study);
}
END_TEST

START_TEST(a_plan_without_sense_is_refused)
{
    struct loss_options options;
    struct loss_study *study = NULL;

    loss_defaults(&options);
    options.rounds = 0;
    ck_assert_int_eq(loss_plan(&options, &study), -EINVAL);
    loss_defaults(&options);
    options.loss.value[0] = NAN;
    ck_assert_int_eq(loss_plan(&options, &study), -EINVAL);
    loss_defaults(&options);
    options.rtt.count = 0;
    ck_assert_int_eq(loss_plan(&options, &study), -EINVAL);
}
END_TEST

START_TEST(sizes_follow_what_loss_leaves_of_the_rate)
{
    const struct loss_cell clean = {.rtt_ms = 20}, lossy = {.rtt_ms = 20, .loss = 1},
                           worst = {.rtt_ms = 100, .loss = 5};
    struct loss_options options;

    loss_defaults(&options);
    ck_assert_uint_eq(loss_bytes(&options, &clean), 12u << 20);
    /* 1 s at 1.22 * 1448 bytes per 2 ms */
    ck_assert_uint_eq(loss_bytes(&options, &lossy), 883280);
    ck_assert_uint_eq(loss_bytes(&options, &worst), 256u << 10);
    options.bytes = 5;
    ck_assert_uint_eq(loss_bytes(&options, &worst), 5);
}
END_TEST

START_TEST(a_path_delays_half_the_round_trip_each_way)
{
    const struct loss_cell cell = {.rtt_ms = 20, .loss = 1, .reorder = 5}, here = {.reorder = 5};
    struct loss_options options;
    struct tlsyn_impairment path;

    loss_defaults(&options);
    path = loss_path(&options, &cell, 7);
    ck_assert_int_eq(path.delay, TLSYN_MS(10));
    ck_assert_double_eq_tol(path.loss, 0.01, 1e-12);
    ck_assert_double_eq_tol(path.reorder, 0.05, 1e-12);
    ck_assert_uint_eq(path.rate, 200000000);
    ck_assert_uint_eq(path.seed, 7);
    ck_assert_int_gt(loss_path(&options, &here, 7).delay, 0); /* else nothing is overtaken */
}
END_TEST

START_TEST(ratios_are_to_kernel_to_kernel_of_the_same_path)
{
    struct loss_study *study = planned(3, true);

    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t pair = 0; pair < 4; pair++) {
            took(study, round, 0, pair, (2 + round) * (1 + 0.1 * pair));
            took(study, round, 1, pair, (2 + round) * (pair == 2 ? 1.5 : 0.5 + 0.5 * (pair == 0)));
        }
    }
    ck_assert_int_eq(loss_analyse(study), 0);
    ck_assert_uint_eq(study->row_count, 8);
    ck_assert_double_eq_tol(study->rows[0].seconds, 3, 1e-9);
    ck_assert_double_eq_tol(study->rows[0].least, 2, 1e-9);
    ck_assert_double_eq_tol(study->rows[0].most, 4, 1e-9);
    ck_assert_double_eq_tol(study->rows[0].ratio.estimate, 1, 1e-9);
    ck_assert_double_eq_tol(study->rows[1].ratio.estimate, 1.1, 1e-9);
    ck_assert_double_eq_tol(study->rows[1].ratio.lo, 1.1, 1e-9); /* paired: drift cancels */
    ck_assert_double_eq_tol(study->rows[1].ratio.hi, 1.1, 1e-9);
    ck_assert_double_eq_tol(study->rows[6].ratio.estimate, 1.5, 1e-9);
    ck_assert_double_eq_tol(study->rows[2].retransmits, 2, 1e-9);
    /* 1.1, 1.2, 0.5, 1.5: those with the kernel at one end; 1.3 of tlsyn to tlsyn is none */
    ck_assert_uint_eq(study->summary.rows, 4);
    ck_assert_double_eq_tol(study->summary.median, 1.15, 1e-9);
    ck_assert_double_eq_tol(study->summary.worst, 1.5, 1e-9);
    ck_assert_uint_eq(study->summary.worst_row, 6);
    ck_assert_uint_eq(study->summary.above, 1);
    loss_free(study);
}
END_TEST

/* More rounds are for cells with a row of which chance has not told yet on which side it is. */
START_TEST(a_cell_is_undecided_while_an_interval_holds_the_bound)
{
    static const double close[] = {1.1, 1.5, 1.2}, above[] = {1.4, 1.5, 1.6},
                        below[] = {1.1, 0.9, 1.2};
    static const double *const cases[] = {close, above, below};

    for (int i = 0; i < 3; i++) {
        struct loss_study *study = planned(3, true);

        for (uint32_t round = 0; round < 3; round++) {
            for (uint32_t pair = 0; pair < 3; pair++)
                took(study, round, 0, pair, pair == 1 ? cases[i][round] : 1);
            took(study, round, 0, 3, close[round]); /* tlsyn to tlsyn is not judged */
        }
        ck_assert_int_eq(loss_analyse(study), 0);
        ck_assert_int_eq(loss_undecided(study, 0), i == 0);
        ck_assert(!loss_undecided(study, 1)); /* nothing there: more of it would fail, too */
        ck_assert_uint_eq(study->summary.undecided, i == 0);
        ck_assert_uint_eq(study->summary.surely, i == 1);
        ck_assert_uint_eq(study->summary.above, i == 1);
        loss_free(study);
    }
}
END_TEST

START_TEST(failures_are_counted_and_not_timed)
{
    struct loss_study *study = planned(2, false);
    struct loss_sample *bad = loss_sample(study, 0, 0, 1);

    for (uint32_t pair = 0; pair < 3; pair++)
        took(study, 1, 0, pair, 1 + pair);
    took(study, 0, 0, 0, 4);
    bad->done = true;
    bad->outcome.error = -EBADMSG;
    strcpy(bad->outcome.reason, "wrong bytes");
    ck_assert_int_eq(loss_analyse(study), 0);
    ck_assert_uint_eq(study->rows[1].n, 1);
    ck_assert_uint_eq(study->rows[1].failed, 1);
    ck_assert_str_eq(study->rows[1].reason, "wrong bytes");
    ck_assert_double_eq_tol(study->rows[1].ratio.estimate, 2, 1e-9); /* round 1 alone */
    ck_assert(isnan(study->rows[3].seconds));                        /* never measured */
    ck_assert_uint_eq(study->rows[3].failed, 0);
    ck_assert_uint_eq(study->summary.rows, 2);
    loss_free(study);
}
END_TEST

/* --- what transfers carry --------------------------------------------------------------------- */

START_TEST(a_receiver_knows_the_senders_bytes)
{
    const struct flow_end sender = {.sends = true, .order.bytes = 3u << 20};
    const struct flow_end receiver = {.order = {.bytes = 3u << 20, .digest = true}};
    uint8_t digest[PEER_DIGEST_LEN];
    struct flow_meter from, to;
    const uint8_t *bytes;
    size_t n;

    ck_assert_int_eq(flow_meter_open(&from, &sender), 0);
    ck_assert_int_eq(flow_meter_open(&to, &receiver), 0);
    while ((n = flow_meter_next(&from, 100000, &bytes)) > 0) {
        flow_meter_received(&to, bytes, n);
        flow_meter_sent(&from, n);
    }
    flow_meter_finish(&from);
    flow_meter_finish(&to);
    ck_assert_uint_eq(from.report.bytes, 3u << 20);
    ck_assert_uint_eq(to.report.bytes, 3u << 20);
    ck_assert(!to.report.wrong);
    ck_assert_int_eq(flow_digest(3u << 20, digest), 0);
    ck_assert_mem_eq(to.report.digest, digest, sizeof(digest));
    flow_meter_close(&from);
    flow_meter_close(&to);
}
END_TEST

START_TEST(a_receiver_finds_bytes_that_are_in_a_wrong_place)
{
    const struct flow_end sender = {.sends = true, .order.bytes = 4u << 20};
    const struct flow_end receiver = {.order.bytes = 4u << 20};
    struct flow_meter from, to;
    const uint8_t *bytes;

    ck_assert_int_eq(flow_meter_open(&from, &sender), 0);
    ck_assert_int_eq(flow_meter_open(&to, &receiver), 0);
    flow_meter_sent(&from, 1u << 20); /* a MiB was lost */
    size_t n = flow_meter_next(&from, 1000, &bytes);
    flow_meter_received(&to, bytes, n);
    ck_assert(to.report.wrong);
    flow_meter_close(&from);
    flow_meter_close(&to);
}
END_TEST

Suite *loss_suite(void)
{
    Suite *suite = suite_create("loss");
    TCase *tc = tcase_create("loss");

    tcase_add_test(tc, the_default_plan_has_every_path_of_the_table);
    tcase_add_test(tc, a_plan_without_sense_is_refused);
    tcase_add_test(tc, sizes_follow_what_loss_leaves_of_the_rate);
    tcase_add_test(tc, a_path_delays_half_the_round_trip_each_way);
    tcase_add_test(tc, ratios_are_to_kernel_to_kernel_of_the_same_path);
    tcase_add_test(tc, a_cell_is_undecided_while_an_interval_holds_the_bound);
    tcase_add_test(tc, failures_are_counted_and_not_timed);
    tcase_add_test(tc, a_receiver_knows_the_senders_bytes);
    tcase_add_test(tc, a_receiver_finds_bytes_that_are_in_a_wrong_place);
    suite_add_tcase(suite, tc);
    return suite;
}
