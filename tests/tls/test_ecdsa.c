/*
 * Signatures are verified by libcrypto as mbedTLS's own arithmetic would: random ones, those that
 * nobody makes by chance, numbers out of range, keys off the curve; over every curve.
 */
#include <check.h>
#include <mbedtls/ecdsa.h>
#include <openssl/err.h>
#include <tlsyn/stack.h>

#include "platform.h"

#define RANDOM 60

struct fixture {
    struct tlsyn_random random; /* seeded: what fails once fails again */
    mbedtls_ecp_group group;
    mbedtls_ecp_point key;
    mbedtls_mpi d, e, r, s; /* d: the private key */
};

static struct fixture f;

static void fill(struct tlsyn_random *random, void *bytes, size_t n)
{
    static uint64_t state = 1;

    (void)random;
    for (size_t i = 0; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(state >> 56);
    }
}

static void setup(void)
{
    const struct platform_clock clock = {.wall = 0};

    f.random.fill = fill;
    platform_use(&clock, 0, &f.random);
    ck_assert_int_eq(platform_init(), 0);
    mbedtls_ecp_group_init(&f.group);
    mbedtls_ecp_point_init(&f.key);
    mbedtls_mpi_init(&f.d);
    mbedtls_mpi_init(&f.e);
    mbedtls_mpi_init(&f.r);
    mbedtls_mpi_init(&f.s);
    ck_assert_int_eq(mbedtls_ecp_group_load(&f.group, MBEDTLS_ECP_DP_SECP256R1), 0);
}

static void teardown(void)
{
    mbedtls_mpi_free(&f.s);
    mbedtls_mpi_free(&f.r);
    mbedtls_mpi_free(&f.e);
    mbedtls_mpi_free(&f.d);
    mbedtls_ecp_point_free(&f.key);
    mbedtls_ecp_group_free(&f.group);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void must(int error)
{
    ck_assert_int_eq(error, 0);
}

static void draw(mbedtls_mpi *to)
{
    must(mbedtls_mpi_random(to, 1, &f.group.N, platform_random, &f.random));
}

/* to = a / b modulo n */
static void divide(mbedtls_mpi *to, const mbedtls_mpi *a, const mbedtls_mpi *b)
{
    mbedtls_mpi inverse;

    mbedtls_mpi_init(&inverse);
    must(mbedtls_mpi_inv_mod(&inverse, b, &f.group.N));
    must(mbedtls_mpi_mul_mpi(to, a, &inverse));
    must(mbedtls_mpi_mod_mpi(to, to, &f.group.N));
    mbedtls_mpi_free(&inverse);
}

/* x of u1 G + u2 Q modulo n; 0: infinity. */
static void sum_x(mbedtls_mpi *x, const mbedtls_mpi *u1, const mbedtls_mpi *u2)
{
    uint8_t bytes[65];
    mbedtls_ecp_point sum;
    size_t n;

    mbedtls_ecp_point_init(&sum);
    must(mbedtls_ecp_muladd(&f.group, &sum, u1, &f.group.G, u2, &f.key));
    must(mbedtls_mpi_lset(x, 0));
    if (!mbedtls_ecp_is_zero(&sum)) {
        must(mbedtls_ecp_point_write_binary(&f.group, &sum, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, bytes,
                                            sizeof(bytes)));
        must(mbedtls_mpi_read_binary(x, bytes + 1, 32));
        must(mbedtls_mpi_mod_mpi(x, x, &f.group.N));
    }
    mbedtls_ecp_point_free(&sum);
}

static bool by_mbedtls(void)
{
    mbedtls_mpi u1, u2, x;
    bool same;

    mbedtls_mpi_init(&u1);
    mbedtls_mpi_init(&u2);
    mbedtls_mpi_init(&x);
    divide(&u1, &f.e, &f.s);
    divide(&u2, &f.r, &f.s);
    sum_x(&x, &u1, &u2);
    same = mbedtls_mpi_cmp_int(&x, 0) != 0 && mbedtls_mpi_cmp_mpi(&x, &f.r) == 0;
    mbedtls_mpi_free(&x);
    mbedtls_mpi_free(&u2);
    mbedtls_mpi_free(&u1);
    return same;
}

/* By mbedtls_ecdsa_verify(), which is ours. */
static bool by_us(void)
{
    uint8_t hash[32];
    int error;

    must(mbedtls_mpi_write_binary(&f.e, hash, sizeof(hash)));
    error = mbedtls_ecdsa_verify(&f.group, hash, sizeof(hash), &f.key, &f.r, &f.s);
    ck_assert(error == 0 || error == MBEDTLS_ERR_ECP_VERIFY_FAILED);
    return error == 0;
}

static void draw_key(void)
{
    must(mbedtls_ecp_gen_keypair(&f.group, &f.d, &f.key, platform_random, &f.random));
}

/* Signs a hash of zeros but for its first byte. */
static void sign(void)
{
    uint8_t hash[32] = {1};

    draw_key();
    must(mbedtls_ecdsa_sign(&f.group, &f.r, &f.s, &f.d, hash, sizeof(hash), platform_random,
                            &f.random));
    must(mbedtls_mpi_read_binary(&f.e, hash, sizeof(hash)));
}

/* --- P-256 ------------------------------------------------------------------------------------ */

START_TEST(what_mbedtls_signs_holds_and_what_was_changed_does_not)
{
    mbedtls_mpi *const part[] = {&f.e, &f.r, &f.s};
    uint8_t hash[32];

    for (int i = 0; i < RANDOM; i++) {
        mbedtls_mpi *changed = part[i % 3];
        size_t bit = (size_t)i * 29 % 250;

        draw_key();
        fill(&f.random, hash, sizeof(hash));
        must(mbedtls_ecdsa_sign(&f.group, &f.r, &f.s, &f.d, hash, sizeof(hash), platform_random,
                                &f.random));
        must(mbedtls_mpi_read_binary(&f.e, hash, sizeof(hash)));
        ck_assert(by_us());
        must(mbedtls_mpi_set_bit(changed, bit, !mbedtls_mpi_get_bit(changed, bit)));
        ck_assert(!by_us());
        ck_assert(!by_mbedtls());
    }
}
END_TEST

START_TEST(an_x_beyond_the_order_is_reduced)
{
    uint8_t compressed[33] = {2};
    mbedtls_ecp_point sum;
    mbedtls_mpi x, a, b;

    mbedtls_ecp_point_init(&sum);
    mbedtls_mpi_init(&x);
    mbedtls_mpi_init(&a);
    mbedtls_mpi_init(&b);
    must(mbedtls_mpi_copy(&x, &f.group.N));
    do { /* the next point whose x is n or more: r = x - n */
        must(mbedtls_mpi_add_int(&x, &x, 1));
        must(mbedtls_mpi_write_binary(&x, compressed + 1, 32));
    } while (mbedtls_ecp_point_read_binary(&f.group, &sum, compressed, sizeof(compressed)) < 0 ||
             mbedtls_ecp_check_pubkey(&f.group, &sum) < 0);
    must(mbedtls_mpi_sub_mpi(&f.r, &x, &f.group.N));
    draw(&f.s);
    draw(&f.e);
    divide(&a, &f.s, &f.r); /* Q = (s R - e G) / r */
    divide(&b, &f.e, &f.r);
    must(mbedtls_mpi_sub_mpi(&b, &f.group.N, &b));
    must(mbedtls_ecp_muladd(&f.group, &f.key, &a, &sum, &b, &f.group.G));
    ck_assert(by_mbedtls());
    ck_assert(by_us());
    must(mbedtls_mpi_add_int(&f.r, &f.r, 1));
    ck_assert(!by_us());
    mbedtls_mpi_free(&b);
    mbedtls_mpi_free(&a);
    mbedtls_mpi_free(&x);
    mbedtls_ecp_point_free(&sum);
}
END_TEST

/* SEC 1 4.1.4, step 1: r and s are 1 to n - 1. Beyond that, s + n would do as well as s. */
START_TEST(numbers_out_of_range_are_refused)
{
    mbedtls_mpi *const part[] = {&f.r, &f.s};
    mbedtls_mpi right;

    mbedtls_mpi_init(&right);
    for (int i = 0; i < 2; i++) {
        sign();
        ck_assert(by_us());
        must(mbedtls_mpi_copy(&right, part[i]));
        must(mbedtls_mpi_add_mpi(part[i], &right, &f.group.N));
        ck_assert(!by_us());
        must(mbedtls_mpi_lset(part[i], 0));
        ck_assert(!by_us());
        must(mbedtls_mpi_copy(part[i], &f.group.N));
        ck_assert(!by_us());
        must(mbedtls_mpi_sub_mpi(part[i], &right, &f.group.N));
        ck_assert(!by_us());
    }
    mbedtls_mpi_free(&right);
}
END_TEST

/* libcrypto's queue of errors is the program's: SSL_get_error() goes by it. */
START_TEST(a_refusal_leaves_no_error_in_libcrypto)
{
    ERR_clear_error();
    sign();
    must(mbedtls_mpi_add_int(&f.s, &f.s, 1));
    ck_assert(!by_us());
    ck_assert_uint_eq(ERR_peek_error(), 0);
    must(mbedtls_mpi_add_int(&f.key.MBEDTLS_PRIVATE(X), &f.key.MBEDTLS_PRIVATE(X), 1));
    ck_assert_int_eq(mbedtls_ecdsa_verify(&f.group, (const uint8_t[32]){1}, 32, &f.key, &f.r, &f.s),
                     MBEDTLS_ERR_ECP_INVALID_KEY);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* --- any curve -------------------------------------------------------------------------------- */

static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
                                              MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_BP256R1,
                                              MBEDTLS_ECP_DP_BP384R1,   MBEDTLS_ECP_DP_BP512R1};

START_TEST(hashes_of_any_length_are_verified_over_every_curve)
{
    static const size_t lengths[] = {20, 32, 48, 64, 80};
    uint8_t hash[80];

    mbedtls_ecp_group_free(&f.group);
    must(mbedtls_ecp_group_load(&f.group, curves[_i]));
    draw_key();
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        size_t n = lengths[i];

        fill(&f.random, hash, n);
        must(mbedtls_ecdsa_sign(&f.group, &f.r, &f.s, &f.d, hash, n, platform_random, &f.random));
        must(mbedtls_ecdsa_verify(&f.group, hash, n, &f.key, &f.r, &f.s));
        hash[i] ^= 1;
        ck_assert_int_eq(mbedtls_ecdsa_verify(&f.group, hash, n, &f.key, &f.r, &f.s),
                         MBEDTLS_ERR_ECP_VERIFY_FAILED);
        hash[i] ^= 1;
        must(mbedtls_mpi_add_mpi(&f.s, &f.s, &f.group.N));
        ck_assert_int_eq(mbedtls_ecdsa_verify(&f.group, hash, n, &f.key, &f.r, &f.s),
                         MBEDTLS_ERR_ECP_VERIFY_FAILED);
    }
}
END_TEST

START_TEST(a_key_off_the_curve_verifies_nothing)
{
    const uint8_t hash[32] = {1};

    mbedtls_ecp_group_free(&f.group);
    must(mbedtls_ecp_group_load(&f.group, curves[_i]));
    draw_key();
    must(mbedtls_ecdsa_sign(&f.group, &f.r, &f.s, &f.d, hash, 32, platform_random, &f.random));
    must(mbedtls_mpi_add_int(&f.key.MBEDTLS_PRIVATE(X), &f.key.MBEDTLS_PRIVATE(X), 1));
    ck_assert_int_eq(mbedtls_ecdsa_verify(&f.group, hash, 32, &f.key, &f.r, &f.s),
                     MBEDTLS_ERR_ECP_INVALID_KEY);
    must(mbedtls_ecp_set_zero(&f.key));
    ck_assert_int_lt(mbedtls_ecdsa_verify(&f.group, hash, 32, &f.key, &f.r, &f.s), 0);
}
END_TEST

Suite *ecdsa_suite(void);
Suite *ecdsa_suite(void)
{
    Suite *suite = suite_create("ecdsa");
    TCase *tcase = tcase_create("ecdsa");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_mbedtls_signs_holds_and_what_was_changed_does_not);
    tcase_add_test(tcase, an_x_beyond_the_order_is_reduced);
    tcase_add_test(tcase, numbers_out_of_range_are_refused);
    tcase_add_test(tcase, a_refusal_leaves_no_error_in_libcrypto);
    tcase_add_loop_test(tcase, hashes_of_any_length_are_verified_over_every_curve, 0,
                        sizeof(curves) / sizeof(*curves));
    tcase_add_loop_test(tcase, a_key_off_the_curve_verifies_nothing, 0,
                        sizeof(curves) / sizeof(*curves));
    suite_add_tcase(suite, tcase);
    return suite;
}
