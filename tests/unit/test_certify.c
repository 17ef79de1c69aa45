/*
 * test_certify.c: throwaway certificates are what our own engine takes, as identity and as trust.
 * (That OpenSSL takes them, and the names in them, is shown in the lab.)
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include <tlsyn/certify.h>
#include <tlsyn/tls.h>

#include "core/random.h"

#define NOW INT64_C(1907755200) /* 2030-06-15 */

static int certify(const char *const *names, bool rsa, uint64_t seed, struct tlsyn_certified *out)
{
    struct random_seeded random;
    const struct tlsyn_certify_options options = {
        .names = names, .rsa = rsa, .now = NOW, .days = 10, .random = &random.base};

    random_seed(&random, seed);
    memset(out, 0, sizeof(*out));
    return tlsyn_certify(&options, out);
}

static void check_usable(const struct tlsyn_certified *made)
{
    struct tlsyn_tls_options options = {.role = TLSYN_TLS_SERVER, .wall_clock = NOW};
    struct tlsyn_tls_config *config = NULL;
    char message[256] = "";

    ck_assert_int_eq(tlsyn_tls_config_new(&options, &config, message), 0);
    ck_assert_msg(tlsyn_tls_config_identity(config, made->chain, strlen(made->chain), made->key,
                                            strlen(made->key), message) >= 0,
                  "%s", message);
    tlsyn_tls_config_free(config);
    options.role = TLSYN_TLS_CLIENT;
    ck_assert_int_eq(tlsyn_tls_config_new(&options, &config, message), 0);
    ck_assert_int_eq(tlsyn_tls_config_trust(config, made->ca, strlen(made->ca), message), 1);
    tlsyn_tls_config_free(config);
}

START_TEST(both_kinds_of_key_are_usable)
{
    static const char *const names[] = {"host.test", "10.0.0.9", "*.wild.test", "fd77::9", NULL};
    struct tlsyn_certified made;

    ck_assert_int_eq(certify(names, false, 1, &made), 0);
    check_usable(&made);
    ck_assert_int_eq(certify(names, true, 1, &made), 0);
    check_usable(&made);
}
END_TEST

START_TEST(randomness_makes_the_key)
{
    static const char *const names[] = {"host.test", NULL};
    struct tlsyn_certified first;
    struct tlsyn_certified other;

    ck_assert_int_eq(certify(names, false, 1, &first), 0);
    ck_assert_int_eq(certify(names, false, 2, &other), 0);
    ck_assert_str_ne(first.key, other.key);
    ck_assert_str_ne(first.ca, other.ca);
}
END_TEST

START_TEST(names_have_bounds)
{
    const char *many[TLSYN_CERTIFY_NAMES + 2] = {NULL};
    char longest[202];
    const char *const too_long[] = {longest, NULL};
    struct tlsyn_certified made;

    ck_assert_int_eq(certify(many, false, 1, &made), -EINVAL);
    for (size_t i = 0; i < TLSYN_CERTIFY_NAMES; i++)
        many[i] = "host.test";
    ck_assert_int_eq(certify(many, false, 1, &made), 0);
    check_usable(&made);
    many[TLSYN_CERTIFY_NAMES] = "host.test";
    ck_assert_int_eq(certify(many, false, 1, &made), -EINVAL);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[201] = '\0';
    ck_assert_int_eq(certify(too_long, false, 1, &made), -EINVAL);
    longest[200] = '\0';
    ck_assert_int_eq(certify(too_long, false, 1, &made), 0);
    check_usable(&made);
}
END_TEST

Suite *certify_suite(void);

Suite *certify_suite(void)
{
    Suite *suite = suite_create("certify");
    TCase *tcase = tcase_create("certify");

    tcase_set_timeout(tcase, 60); /* an RSA key takes its time under a sanitizer */
    tcase_add_test(tcase, both_kinds_of_key_are_usable);
    tcase_add_test(tcase, randomness_makes_the_key);
    tcase_add_test(tcase, names_have_bounds);
    suite_add_tcase(suite, tcase);
    return suite;
}
