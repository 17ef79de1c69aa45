/* core/random: the published sequences, fair bounds, and bytes from the kernel. */
#include <check.h>

#include "core/random.h"

START_TEST(splitmix64_spreads_the_seed)
{
    struct random_seeded r;

    random_seed(&r, 1234567);
    ck_assert_uint_eq(r.s[0], UINT64_C(6457827717110365317));
    ck_assert_uint_eq(r.s[1], UINT64_C(3203168211198807973));
    ck_assert_uint_eq(r.s[2], UINT64_C(9817491932198370423));
    ck_assert_uint_eq(r.s[3], UINT64_C(4593380528125082431));
}
END_TEST

START_TEST(the_sequence_is_xoshiro256starstar)
{
    static const uint64_t first[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    struct random_seeded r;

    random_seed(&r, 0);
    for (uint64_t i = 0; i < 4; i++)
        r.s[i] = i + 1;
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        ck_assert_uint_eq(random_u64(&r.base), first[i]);
}
END_TEST

START_TEST(a_seed_repeats_whatever_the_sizes_asked_for)
{
    struct random_seeded a, b;
    uint8_t of_a[13], of_b[13];

    random_seed(&a, 9);
    random_seed(&b, 9);
    a.base.fill(&a.base, of_a, sizeof(of_a));
    b.base.fill(&b.base, of_b, sizeof(of_b));
    ck_assert_mem_eq(of_a, of_b, sizeof(of_a));
    random_seed(&b, 10);
    b.base.fill(&b.base, of_b, sizeof(of_b));
    ck_assert_mem_ne(of_a, of_b, sizeof(of_a));
}
END_TEST

START_TEST(numbers_below_a_bound_are_fair)
{
    struct random_seeded r;
    uint32_t seen[10] = {0};

    random_seed(&r, 3);
    for (int i = 0; i < 100000; i++)
        seen[random_below(&r.base, 10)]++;
    /* Six standard deviations (95) around 10000; the seed is fixed. */
    for (int i = 0; i < 10; i++) {
        ck_assert_uint_gt(seen[i], 9430);
        ck_assert_uint_lt(seen[i], 10570);
    }
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(random_below(&r.base, 1), 0);
        ck_assert_uint_lt(random_below(&r.base, 0x80000001), 0x80000001);
    }
}
END_TEST

START_TEST(a_large_bound_is_fair_too)
{
    const uint32_t bound =
        3u << 30; /* 2^32 is no multiple: every third number would come twice as often */
    struct random_seeded r;
    uint32_t seen[3] = {0};

    random_seed(&r, 5);
    for (int i = 0; i < 30000; i++)
        seen[random_below(&r.base, bound) % 3]++;
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_gt(seen[i], 9500);
        ck_assert_uint_lt(seen[i], 10500);
    }
}
END_TEST

START_TEST(the_unit_interval_is_half_open)
{
    struct random_seeded r;
    double sum = 0;

    random_seed(&r, 4);
    for (int i = 0; i < 10000; i++) {
        double x = random_unit(&r.base);

        ck_assert_double_ge(x, 0);
        ck_assert_double_lt(x, 1);
        sum += x;
    }
    ck_assert_double_eq_tol(sum / 10000, 0.5, 0.02);
}
END_TEST

START_TEST(the_kernel_fills_every_byte)
{
    struct tlsyn_random *kernel = tlsyn_random_kernel();
    uint8_t bytes[1000], ever[1000] = {0};

    /* A byte stays zero in 32 fills with probability 2^-256. */
    for (int i = 0; i < 32; i++) {
        memset(bytes, 0, sizeof(bytes));
        kernel->fill(kernel, bytes, sizeof(bytes));
        for (size_t j = 0; j < sizeof(bytes); j++)
            ever[j] |= bytes[j];
    }
    for (size_t j = 0; j < sizeof(bytes); j++)
        ck_assert_uint_ne(ever[j], 0);
    ck_assert_uint_ne(random_u64(kernel), random_u64(kernel));
}
END_TEST

Suite *random_suite(void);

Suite *random_suite(void)
{
    Suite *suite = suite_create("random");
    TCase *tc = tcase_create("random");

    tcase_add_test(tc, splitmix64_spreads_the_seed);
    tcase_add_test(tc, the_sequence_is_xoshiro256starstar);
    tcase_add_test(tc, a_seed_repeats_whatever_the_sizes_asked_for);
    tcase_add_test(tc, numbers_below_a_bound_are_fair);
    tcase_add_test(tc, a_large_bound_is_fair_too);
    tcase_add_test(tc, the_unit_interval_is_half_open);
    tcase_add_test(tc, the_kernel_fills_every_byte);
    suite_add_tcase(suite, tc);
    return suite;
}
