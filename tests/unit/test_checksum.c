/* wire/checksum: the RFCs' own examples, and any cut into pieces against a sum of single words. */
#include "wire/checksum.h"

#include "core/random.h"
#include "support/holds.h"

START_TEST(the_example_of_rfc_1071_3_comes_out)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    struct checksum sum = {0};

    checksum_add(&sum, bytes, sizeof(bytes));
    ck_assert_uint_eq(checksum_fold(&sum), 0xddf2);
    ck_assert_uint_eq(checksum_finish(&sum), 0x220d);
    ck_assert(!checksum_good(&sum));
    checksum_add(&sum, (const uint8_t[]){0x22, 0x0d}, 2);
    ck_assert(checksum_good(&sum));
}
END_TEST

START_TEST(the_examples_of_rfc_1624_4)
{
    /* The case that the earlier RFC 1141 got wrong: the new sum is 0x0000, not 0xffff. */
    ck_assert_uint_eq(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
    ck_assert_uint_eq(checksum_update(0xdd2f, 0x5555, 0x5555), 0xdd2f);
}
END_TEST

START_TEST(an_odd_last_octet_is_padded_behind)
{
    struct checksum odd = {0}, even = {0};

    checksum_add(&odd, (const uint8_t[]){1, 2, 3}, 3);
    checksum_add(&even, (const uint8_t[]){1, 2, 3, 0}, 4);
    ck_assert_uint_eq(checksum_fold(&odd), checksum_fold(&even));
    ck_assert_uint_eq(checksum_fold(&odd), 0x0402);
}
END_TEST

START_TEST(nothing_sums_to_zero)
{
    struct checksum sum = {0};

    checksum_add(&sum, NULL, 0);
    ck_assert_uint_eq(checksum_fold(&sum), 0);
    ck_assert_uint_eq(checksum_finish(&sum), 0xffff);
}
END_TEST

/** The definition, word by word. */
static uint16_t naive(const uint8_t *bytes, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

START_TEST(any_cut_into_pieces_gives_the_same_sum)
{
    struct random_seeded random;
    static uint8_t bytes[70000];

    random_seed(&random, 1);
    for (int round = 0; round < 3000; round++) {
        size_t n = random_below(&random.base, round % 100 ? 300 : 65536);
        size_t at = random_below(&random.base, 16), done = 0;
        struct checksum sum = {0};

        if (round % 3 == 0)
            memset(bytes, 0xff, sizeof(bytes));
        else
            random.base.fill(&random.base, bytes + at, n);
        while (done < n) {
            size_t piece = 1 + random_below(&random.base, (uint32_t)(n - done));

            checksum_add(&sum, bytes + at + done, piece);
            done += piece;
        }
        HOLDS(checksum_fold(&sum) == naive(bytes + at, n));
    }
}
END_TEST

START_TEST(a_word_is_two_octets)
{
    uint8_t bytes[10] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x12, 0x34};
    struct checksum sum = {0};

    checksum_add(&sum, bytes, 8); /* a sum that has no room for more without its carry */
    checksum_add_word(&sum, 0x1234);
    ck_assert_uint_eq(checksum_fold(&sum), naive(bytes, sizeof(bytes)));
}
END_TEST

START_TEST(an_update_is_a_new_sum)
{
    struct random_seeded random;
    uint8_t bytes[20];

    random_seed(&random, 2);
    for (int round = 0; round < 3000; round++) {
        size_t at = 2 * random_below(&random.base, 10);
        uint16_t before, after = (uint16_t)random_u32(&random.base), field;
        struct checksum old = {0}, new = {0};

        random.base.fill(&random.base, bytes, sizeof(bytes));
        before = (uint16_t)(bytes[at] << 8 | bytes[at + 1]);
        checksum_add(&old, bytes, sizeof(bytes));
        bytes[at] = (uint8_t)(after >> 8);
        bytes[at + 1] = (uint8_t)after;
        checksum_add(&new, bytes, sizeof(bytes));
        field = checksum_update(checksum_finish(&old), before, after);
        HOLDS(field == checksum_finish(&new));
    }
}
END_TEST

START_TEST(the_pseudo_header_is_that_of_its_family)
{
    static const uint8_t ip4[12] = {10, 1, 2, 3, 192, 168, 0, 9, 0, 6, 0x12, 0x34};
    uint8_t ip6[40] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1, [16] = 0xfe, 0x80, [31] = 2};
    struct tlsyn_addr src = tlsyn_addr_ip4(ip4), dst = tlsyn_addr_ip4(ip4 + 4);
    struct checksum sum = {0}, sum6 = {0};

    checksum_pseudo(&sum, &src, &dst, 6, 0x1234);
    ck_assert_uint_eq(checksum_fold(&sum), naive(ip4, sizeof(ip4)));

    ip6[32] = 0x00, ip6[33] = 0x01, ip6[34] = 0x23, ip6[35] = 0x45; /* a length above 65535 */
    ip6[39] = 6;
    memcpy(src.byte, ip6, 16);
    memcpy(dst.byte, ip6 + 16, 16);
    checksum_pseudo(&sum6, &src, &dst, 6, 0x12345);
    ck_assert_uint_eq(checksum_fold(&sum6), naive(ip6, sizeof(ip6)));
}
END_TEST

Suite *checksum_suite(void);

Suite *checksum_suite(void)
{
    Suite *suite = suite_create("checksum");
    TCase *tc = tcase_create("checksum");

    tcase_add_test(tc, the_example_of_rfc_1071_3_comes_out);
    tcase_add_test(tc, the_examples_of_rfc_1624_4);
    tcase_add_test(tc, an_odd_last_octet_is_padded_behind);
    tcase_add_test(tc, nothing_sums_to_zero);
    tcase_add_test(tc, any_cut_into_pieces_gives_the_same_sum);
    tcase_add_test(tc, a_word_is_two_octets);
    tcase_add_test(tc, an_update_is_a_new_sum);
    tcase_add_test(tc, the_pseudo_header_is_that_of_its_family);
    suite_add_tcase(suite, tc);
    return suite;
}
