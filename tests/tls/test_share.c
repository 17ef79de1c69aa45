/* Public keys of X25519, as each key share of TLS 1.3 needs one: .setup/mbedtls.sh changes how
 * mbedTLS computes them. */
#include <check.h>
#include <mbedtls/ecp.h>
#include <psa/crypto.h>

#include "platform.h"

#define KEY 32

static int draw(void *context, unsigned char *bytes, size_t n)
{
    return platform_random(context, bytes, n);
}

static void public_key(const uint8_t private_key[KEY], uint8_t public_key[KEY])
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t key;
    size_t n;

    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDH);
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY));
    ck_assert_int_eq(psa_import_key(&attributes, private_key, KEY, &key), PSA_SUCCESS);
    ck_assert_int_eq(psa_export_public_key(key, public_key, KEY, &n), PSA_SUCCESS);
    ck_assert_uint_eq(n, KEY);
    ck_assert_int_eq(psa_destroy_key(key), PSA_SUCCESS);
}

/* RFC 7748 5.2: the first step of the iteration is the public key of 9. */
START_TEST(the_public_key_of_nine_is_the_published_one)
{
    static const uint8_t published[KEY] = {0x42, 0x2c, 0x8e, 0x7a, 0x62, 0x27, 0xd7, 0xbc,
                                           0xa1, 0x35, 0x0b, 0x3e, 0x2b, 0xb7, 0x27, 0x9f,
                                           0x78, 0x97, 0xb8, 0x7b, 0xb6, 0x85, 0x4b, 0x78,
                                           0x3c, 0x60, 0xe8, 0x03, 0x11, 0xae, 0x30, 0x79};
    const uint8_t nine[KEY] = {9};
    uint8_t ours[KEY];

    ck_assert_int_eq(platform_init(), 0);
    public_key(nine, ours);
    ck_assert_mem_eq(ours, published, KEY);
}
END_TEST

START_TEST(public_keys_are_those_of_the_generic_arithmetic)
{
    struct tlsyn_random *random = tlsyn_random_kernel();
    uint8_t ours[KEY], generic[KEY], secret[KEY];
    mbedtls_ecp_keypair pair;
    size_t n;

    ck_assert_int_eq(platform_init(), 0);
    for (int i = 0; i < 50; i++) {
        mbedtls_ecp_keypair_init(&pair);
        ck_assert_int_eq(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_CURVE25519, &pair, draw, random), 0);
        ck_assert_int_eq(mbedtls_ecp_write_key_ext(&pair, &n, secret, sizeof(secret)), 0);
        ck_assert_int_eq(mbedtls_ecp_write_public_key(&pair, MBEDTLS_ECP_PF_UNCOMPRESSED, &n,
                                                      generic, sizeof(generic)),
                         0);
        mbedtls_ecp_keypair_free(&pair);
        public_key(secret, ours);
        ck_assert_mem_eq(ours, generic, KEY);
    }
}
END_TEST

Suite *share_suite(void);

Suite *share_suite(void)
{
    Suite *suite = suite_create("share");
    TCase *tc = tcase_create("x25519");

    tcase_add_test(tc, the_public_key_of_nine_is_the_published_one);
    tcase_add_test(tc, public_keys_are_those_of_the_generic_arithmetic);
    suite_add_tcase(suite, tc);
    return suite;
}
