/* Traffic keys and sealed records, by the traces of RFC 8448. */
#include <check.h>
#include <errno.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "record.h"

#define AES_128 MBEDTLS_TLS1_3_AES_128_GCM_SHA256

static void start_psa(void)
{
    ck_assert_int_eq(platform_init(), 0);
}

/* "17 03 ..." into bytes; how many. */
static size_t unhex(const char *text, uint8_t *bytes, size_t size)
{
    size_t n = 0;

    for (char *end; *text != '\0'; text = end) {
        ck_assert_uint_lt(n, size);
        bytes[n++] = (uint8_t)strtoul(text, &end, 16);
        ck_assert_ptr_ne(end, text);
    }
    return n;
}

struct trace {
    const char *secret;
    uint64_t seq;
    enum record_type type;
    const char *text, *record;
};

#define FIFTY                                                                                      \
    "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d "   \
    "1e 1f 20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f 30 31"

/* RFC 8448 3: the secrets of application data, and section 4: that of early data. */
#define CLIENT_AP                                                                                  \
    "9e 40 64 6c e7 9a 7f 9d c0 5a f8 88 9b ce 65 52 87 5a fa 0b 06 df 00 87 f7 92 eb b7 c1 75 "   \
    "04 a5"
#define SERVER_AP                                                                                  \
    "a1 1a f9 f0 55 31 f8 56 ad 47 11 6b 45 a9 50 32 82 04 b4 f4 4b fb 6b 3a 4b 4f 1f 3f cb 63 "   \
    "16 43"
#define CLIENT_E                                                                                   \
    "3f bb e6 a6 0d eb 66 c3 0a 32 79 5a ba 0e ff 7e aa 10 10 55 86 e7 be 5c 09 67 8d 63 b6 ca "   \
    "ab 62"

static const struct trace traces[] = {
    {CLIENT_AP, 0, RECORD_DATA, FIFTY,
     "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc "
     "ab 3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd "
     "1e 3d ea e6 3a ee bb 21 69 49 15 e4"},
    {CLIENT_AP, 1, RECORD_ALERT, "01 00",
     "17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3"},
    {SERVER_AP, 1, RECORD_DATA, FIFTY,
     "17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa "
     "1b 36 e3 0e fa f9 7d 90 e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 "
     "ab f3 32 54 0d d0 32 e1 67 c2 95 5d"},
    {SERVER_AP, 2, RECORD_ALERT, "01 00",
     "17 03 03 00 13 b5 8f d6 71 66 eb f5 99 d2 47 20 cf be 7e fa 7a 88 64 a9"},
    {CLIENT_E, 0, RECORD_DATA, "41 42 43 44 45 46",
     "17 03 03 00 17 ab 1d f4 20 e7 5c 45 7a 7c c5 d2 84 4f 76 d5 ae e4 b4 ed bf 04 9b e0"},
    {CLIENT_E, 1, RECORD_HANDSHAKE, "05 00 00 00",
     "17 03 03 00 15 ac a6 fc 94 48 41 29 8d f9 95 93 72 5f 9b f9 75 44 29 b1 2f 09"},
};

static void derive(struct traffic_keys *keys, const char *secret_text)
{
    uint8_t secret[32];
    size_t n = unhex(secret_text, secret, sizeof(secret));

    ck_assert_int_eq(keys_derive(keys, AES_128, secret, n), 0);
}

START_TEST(records_are_those_of_the_traces)
{
    const struct trace *t = &traces[_i];
    uint8_t expected[128], record[128 + 1];
    size_t len = unhex(t->record, expected, sizeof(expected)), n;
    struct traffic_keys keys;

    derive(&keys, t->secret);
    memset(record, 0xaa, sizeof(record));
    n = unhex(t->text, record + BIO_HEADER, sizeof(record) - BIO_HEADER);
    ck_assert_int_eq(record_seal(&keys, t->seq, t->type, record, n), (int)len);
    ck_assert_mem_eq(record, expected, len);
    ck_assert_uint_eq(record[len], 0xaa);
    keys_forget(&keys);
}
END_TEST

START_TEST(a_record_has_its_bounds)
{
    static uint8_t record[RECORD_TEXT + 1 + RECORD_OVERHEAD];
    struct traffic_keys keys;

    derive(&keys, CLIENT_AP);
    ck_assert_int_eq(record_seal(&keys, 7, RECORD_DATA, record, RECORD_TEXT),
                     RECORD_TEXT + RECORD_OVERHEAD);
    ck_assert_int_eq(record_seal(&keys, 8, RECORD_DATA, record, RECORD_TEXT + 1), -EINVAL);
    ck_assert_int_eq(record_seal(&keys, 9, RECORD_DATA, record, 0), RECORD_OVERHEAD);
    keys_forget(&keys);
    ck_assert_int_eq(record_seal(&keys, 10, RECORD_DATA, record, 1), -EPROTO);
}
END_TEST

/* Each number has a nonce of its own: all eight of its octets count. */
START_TEST(every_octet_of_the_number_is_in_the_nonce)
{
    uint8_t first[RECORD_OVERHEAD + 1] = {0}, other[RECORD_OVERHEAD + 1] = {0};
    struct traffic_keys keys;

    derive(&keys, SERVER_AP);
    ck_assert_int_gt(record_seal(&keys, 0, RECORD_DATA, first, 1), 0);
    for (int octet = 0; octet < 8; octet++) {
        other[BIO_HEADER] = 0;
        ck_assert_int_gt(record_seal(&keys, 1ull << 8 * octet, RECORD_DATA, other, 1), 0);
        ck_assert_mem_ne(first, other, sizeof(first));
    }
    keys_forget(&keys);
}
END_TEST

START_TEST(only_suites_of_tls_13_have_keys_here)
{
    const uint8_t secret[48] = {1};
    struct traffic_keys keys = {0};

    ck_assert_int_eq(keys_derive(&keys, AES_128, secret, 48), -EINVAL);
    ck_assert_int_eq(keys_derive(&keys, MBEDTLS_TLS1_3_AES_256_GCM_SHA384, secret, 32), -EINVAL);
    ck_assert_int_eq(keys_derive(&keys, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, secret, 32),
                     -EINVAL);
    ck_assert_int_eq(keys_derive(&keys, MBEDTLS_TLS1_3_AES_256_GCM_SHA384, secret, 48), 0);
    keys_forget(&keys);
    keys_forget(&keys);
}
END_TEST

Suite *record_suite(void);
Suite *record_suite(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");

    tcase_add_unchecked_fixture(t, start_psa, NULL);
    tcase_add_loop_test(t, records_are_those_of_the_traces, 0, sizeof(traces) / sizeof(*traces));
    tcase_add_test(t, a_record_has_its_bounds);
    tcase_add_test(t, every_octet_of_the_number_is_in_the_nonce);
    tcase_add_test(t, only_suites_of_tls_13_have_keys_here);
    suite_add_tcase(s, t);
    return s;
}
