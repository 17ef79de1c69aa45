/* core/siphash against published values. */
#include <check.h>

#include "core/siphash.h"

/** Key 00 01 .. 0f, input the first n of the octets 00 01 .. 3e: the vectors that come with the
 * authors' reference implementation, of which the one for n = 15 is in the paper's appendix. Octets
 * in the order of the vectors. */
static const struct {
    size_t n;
    uint8_t octets[8];
} vectors[] = {
    {0, {0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72}},
    {1, {0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74}},
    {7, {0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab}},
    {8, {0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93}},
    {15, {0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1}},
    {16, {0xdb, 0x9b, 0xc2, 0x57, 0x7f, 0xcc, 0x2a, 0x3f}},
    {31, {0x42, 0xc3, 0x41, 0xd8, 0xfa, 0x92, 0xd8, 0x32}},
    {63, {0x72, 0x45, 0x06, 0xeb, 0x4c, 0x32, 0x8a, 0x95}},
};

START_TEST(published_vectors_come_out)
{
    struct siphash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
    uint8_t input[64], got[8];
    uint64_t hash;

    for (uint8_t i = 0; i < 64; i++)
        input[i] = i;
    hash = siphash(&key, input, vectors[_i].n);
    for (int i = 0; i < 8; i++)
        got[i] = (uint8_t)(hash >> 8 * i);
    ck_assert_mem_eq(got, vectors[_i].octets, 8);
}
END_TEST

START_TEST(the_place_in_memory_does_not_matter)
{
    struct siphash_key key = {{1, 2}};
    uint8_t input[48] = "an input that is moved by one octet at a time";
    uint64_t hash = siphash(&key, input, 30);

    for (int i = 1; i < 16; i++) {
        for (int j = 30; j > 0; j--)
            input[i + j - 1] = input[i + j - 2];
        ck_assert_uint_eq(siphash(&key, input + i, 30), hash);
    }
}
END_TEST

Suite *siphash_suite(void);

Suite *siphash_suite(void)
{
    Suite *suite = suite_create("siphash");
    TCase *tc = tcase_create("siphash");

    tcase_add_loop_test(tc, published_vectors_come_out, 0, sizeof(vectors) / sizeof(vectors[0]));
    tcase_add_test(tc, the_place_in_memory_does_not_matter);
    suite_add_tcase(suite, tc);
    return suite;
}
