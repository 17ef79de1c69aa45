/*
 * mbedTLS's SHA-256 with libcrypto's blocks gives what libcrypto gives, however the message is cut.
 */
#include <check.h>
#include <mbedtls/sha256.h>
#include <openssl/evp.h>

#define LONGEST 300 /* four blocks, and what is left over */

static unsigned char message[LONGEST];

static void setup(void)
{
    for (size_t i = 0; i < LONGEST; i++)
        message[i] = (unsigned char)(i * 151 + i / 64);
}

START_TEST(abc_is_as_fips_180_4_has_it)
{
    static const unsigned char expected[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                               0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                               0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                               0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    unsigned char digest[32];

    ck_assert_int_eq(mbedtls_sha256((const unsigned char *)"abc", 3, digest, 0), 0);
    ck_assert_mem_eq(digest, expected, sizeof(digest));
}
END_TEST

START_TEST(messages_of_any_length_in_two_pieces)
{
    for (size_t n = 0; n <= LONGEST; n++) {
        unsigned char digest[32], expected[32];
        mbedtls_sha256_context context;

        mbedtls_sha256_init(&context);
        ck_assert_int_eq(mbedtls_sha256_starts(&context, 0), 0);
        ck_assert_int_eq(mbedtls_sha256_update(&context, message, n / 3), 0);
        ck_assert_int_eq(mbedtls_sha256_update(&context, message + n / 3, n - n / 3), 0);
        ck_assert_int_eq(mbedtls_sha256_finish(&context, digest), 0);
        mbedtls_sha256_free(&context);
        ck_assert_int_eq(EVP_Digest(message, n, expected, NULL, EVP_sha256(), NULL), 1);
        ck_assert_mem_eq(digest, expected, sizeof(digest));
    }
}
END_TEST

Suite *sha256_suite(void);
Suite *sha256_suite(void)
{
    Suite *suite = suite_create("sha256");
    TCase *tcase = tcase_create("sha256");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, abc_is_as_fips_180_4_has_it);
    tcase_add_test(tcase, messages_of_any_length_in_two_pieces);
    suite_add_tcase(suite, tcase);
    return suite;
}
