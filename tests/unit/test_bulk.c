/*
 * test_bulk.c: the arithmetic of tlsyn bench bulk: pairs, throughput, ratios.
 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "study/transfer/bulk.h"

Suite *bulk_suite(void);

static struct bulk_study *planned(uint32_t rounds)
{
    struct bulk_options options;
    struct bulk_study *study = NULL;

    bulk_defaults(&options);
    options.rounds = rounds;
    options.lwip = false;
    ck_assert_int_eq(bulk_plan(&options, &study), 0);
    return study;
}

static uint32_t member_of(const struct bulk_study *study, enum flow_stack sender,
                          enum flow_stack receiver, bool offload)
{
    for (uint32_t i = 0; i < study->member_count; i++) {
        const struct bulk_member *m = &study->members[i];

        if (m->sender == sender && m->receiver == receiver && m->offload == offload)
            return i;
    }
    ck_abort_msg("there is no such pair");
}

/* One second at so many Gbit/s. */
static void flowed(struct bulk_study *study, uint32_t round, uint32_t member, double gbit_s)
{
    struct bulk_sample *sample = bulk_sample(study, round, member);

    sample->done = true;
    sample->outcome.steady_seconds = 1;
    sample->outcome.steady_bytes = (uint64_t)(gbit_s * 1e9 / 8);
    sample->outcome.sender_cpu_per_gb = 0.5;
    sample->outcome.receiver_cpu_per_gb = 0.25;
}

START_TEST(our_stack_meets_the_kernels_both_ways_with_and_without_offload)
{
    struct bulk_study *study = planned(1);

    ck_assert_uint_eq(study->member_count, 8);
    for (int offload = 0; offload < 2; offload++) {
        (void)member_of(study, FLOW_KERNEL, FLOW_KERNEL, offload);
        (void)member_of(study, FLOW_TLSYN, FLOW_KERNEL, offload);
        (void)member_of(study, FLOW_KERNEL, FLOW_TLSYN, offload);
        (void)member_of(study, FLOW_TLSYN, FLOW_TLSYN, offload);
    }
    bulk_free(study);
}
END_TEST

START_TEST(offloads_can_be_chosen)
{
    struct bulk_options options;
    struct bulk_study *study = NULL;

    bulk_defaults(&options);
    options.lwip = false;
    options.offload[0] = false;
    ck_assert_int_eq(bulk_plan(&options, &study), 0);
    ck_assert_uint_eq(study->member_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert(study->members[i].offload);
    bulk_free(study);
    options.offload[1] = false;
    ck_assert_int_eq(bulk_plan(&options, &study), -ENOENT);
    bulk_defaults(&options);
    options.span = FLOW_WARM; /* nothing would be left */
    ck_assert_int_eq(bulk_plan(&options, &study), -EINVAL);
}
END_TEST

START_TEST(pairs_can_be_chosen)
{
    struct bulk_options options;
    struct bulk_study *study = NULL;

    bulk_defaults(&options);
    options.offload[0] = false;
    options.pairs = 1 << 0 | 1 << 1;
    ck_assert_str_eq(bulk_pair_names[0], "kernel-kernel");
    ck_assert_str_eq(bulk_pair_names[1], "tlsyn-kernel");
    ck_assert_int_eq(bulk_plan(&options, &study), 0);
    ck_assert_uint_eq(study->member_count, 2);
    ck_assert_int_eq(study->members[0].sender, FLOW_KERNEL);
    ck_assert_int_eq(study->members[1].sender, FLOW_TLSYN);
    bulk_free(study);
    options.lwip = false;
    options.pairs = 1 << 4; /* of lwIP's */
    ck_assert_int_eq(bulk_plan(&options, &study), -ENOENT);
}
END_TEST

START_TEST(rows_are_medians_and_ratios_are_to_the_kernel_under_the_same_offloads)
{
    struct bulk_study *study = planned(3);
    uint32_t base = member_of(study, FLOW_KERNEL, FLOW_KERNEL, true);
    uint32_t slow = member_of(study, FLOW_KERNEL, FLOW_KERNEL, false);
    uint32_t ours = member_of(study, FLOW_TLSYN, FLOW_KERNEL, true);
    uint32_t plain = member_of(study, FLOW_TLSYN, FLOW_KERNEL, false);

    for (uint32_t round = 0; round < 3; round++) {
        flowed(study, round, base, 10 + round);
        flowed(study, round, slow, 4);
        flowed(study, round, ours, (10 + round) * 1.5);
        flowed(study, round, plain, 2);
    }
    ck_assert_int_eq(bulk_analyse(study), 0);
    ck_assert_double_eq_tol(study->rows[ours].gbit_s, 16.5, 1e-6);
    ck_assert_double_eq_tol(study->rows[ours].least, 15, 1e-6);
    ck_assert_double_eq_tol(study->rows[ours].most, 18, 1e-6);
    ck_assert_double_eq_tol(study->rows[ours].ratio.estimate, 1.5, 1e-6);
    ck_assert_double_eq_tol(study->rows[ours].ratio.lo, 1.5, 1e-6); /* paired: drift cancels */
    ck_assert_double_eq_tol(study->rows[plain].ratio.estimate, 0.5, 1e-6);
    ck_assert_double_eq_tol(study->rows[base].ratio.estimate, 1, 1e-9);
    ck_assert_double_eq_tol(study->rows[ours].sender_cpu, 0.5, 1e-9);
    bulk_free(study);
}
END_TEST

START_TEST(failures_are_counted_and_not_averaged)
{
    struct bulk_study *study = planned(2);
    uint32_t ours = member_of(study, FLOW_TLSYN, FLOW_KERNEL, true);
    uint32_t base = member_of(study, FLOW_KERNEL, FLOW_KERNEL, true);

    flowed(study, 0, ours, 100);
    bulk_sample(study, 0, ours)->outcome.error = -EBADMSG;
    flowed(study, 1, ours, 7);
    flowed(study, 0, base, 1);
    ck_assert_int_eq(bulk_analyse(study), 0);
    ck_assert_uint_eq(study->rows[ours].n, 1);
    ck_assert_uint_eq(study->rows[ours].failed, 1);
    ck_assert_double_eq_tol(study->rows[ours].gbit_s, 7, 1e-6);
    ck_assert(isnan(study->rows[ours].ratio.estimate)); /* no round has both */
    bulk_free(study);
}
END_TEST

Suite *bulk_suite(void)
{
    Suite *suite = suite_create("bulk");
    TCase *tc = tcase_create("bulk");

    tcase_add_test(tc, our_stack_meets_the_kernels_both_ways_with_and_without_offload);
    tcase_add_test(tc, offloads_can_be_chosen);
    tcase_add_test(tc, pairs_can_be_chosen);
    tcase_add_test(tc, rows_are_medians_and_ratios_are_to_the_kernel_under_the_same_offloads);
    tcase_add_test(tc, failures_are_counted_and_not_averaged);
    suite_add_tcase(suite, tc);
    return suite;
}
