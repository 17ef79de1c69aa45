/* wire/seq: order modulo 2^32. */
#include <check.h>

#include "wire/seq.h"

START_TEST(order_goes_round_the_end)
{
    static const tcp_seq base[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};

    for (size_t i = 0; i < sizeof(base) / sizeof(base[0]); i++) {
        tcp_seq a = base[i], b = a + 100, far = a + 0x7fffffff;

        ck_assert(seq_lt(a, b) && seq_leq(a, b) && !seq_gt(a, b) && !seq_geq(a, b));
        ck_assert(seq_gt(b, a) && seq_geq(b, a) && !seq_lt(b, a) && !seq_leq(b, a));
        ck_assert(seq_leq(a, a) && seq_geq(a, a) && !seq_lt(a, a) && !seq_gt(a, a));
        ck_assert(seq_lt(a, far) && seq_gt(far, a));
        ck_assert_int_eq(seq_diff(b, a), 100);
        ck_assert_int_eq(seq_diff(a, b), -100);
        ck_assert_uint_eq(seq_max(a, b), b);
        ck_assert_uint_eq(seq_max(b, a), b);
        ck_assert_uint_eq(seq_min(a, b), a);
        ck_assert_uint_eq(seq_min(b, a), a);
    }
}
END_TEST

START_TEST(ranges_may_be_longer_than_half_the_space)
{
    ck_assert(seq_within(5, 5, 5) && seq_within(0xfffffff0, 0xfffffff0, 3));
    ck_assert(seq_within(3, 0xfffffff0, 3) && !seq_within(4, 0xfffffff0, 3));
    ck_assert(!seq_within(0xffffffef, 0xfffffff0, 3));
    ck_assert(seq_within(0x90000000, 0, 0xa0000000) && !seq_within(0xa0000001, 0, 0xa0000000));
}
END_TEST

Suite *seq_suite(void);

Suite *seq_suite(void)
{
    Suite *suite = suite_create("seq");
    TCase *tc = tcase_create("seq");

    tcase_add_test(tc, order_goes_round_the_end);
    tcase_add_test(tc, ranges_may_be_longer_than_half_the_space);
    suite_add_tcase(suite, tc);
    return suite;
}
