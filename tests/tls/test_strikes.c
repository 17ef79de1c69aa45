/* The register of early data that was accepted. */
#include <check.h>
#include <string.h>

#include "core/random.h"
#include "platform.h"
#include "strikes.h"

#define START TLSYN_SECONDS(100)

static struct strikes strikes;
static struct random_seeded source;

static void open_register(uint32_t n)
{
    ck_assert_int_eq(platform_init(), 0);
    random_seed(&source, 1);
    ck_assert_int_eq(strikes_init(&strikes, n, &source.base, tlsyn_alloc_libc()), 0);
}

static void close_register(void)
{
    strikes_fini(&strikes, tlsyn_alloc_libc());
}

/* The question for the binder of this number. */
static enum strikes_verdict ask(uint32_t number, tlsyn_time now)
{
    uint8_t octets[32] = {0};
    const struct bytes binder = {octets, sizeof(octets)};

    memcpy(octets, &number, sizeof(number));
    return strikes_check(&strikes, &binder, now);
}

START_TEST(a_binder_is_fresh_once)
{
    open_register(100);
    ck_assert_int_eq(ask(1, START), STRIKES_FRESH);
    for (tlsyn_time t = 0; t <= STRIKES_WINDOW; t += STRIKES_WINDOW / 1000)
        ck_assert_int_eq(ask(1, START + t), STRIKES_REPLAY);
    ck_assert_int_eq(ask(2, START), STRIKES_FRESH);
    close_register();
}
END_TEST

/* RFC 8446 8.3: by then its ClientHello is too old. */
START_TEST(a_place_is_free_again_after_the_window)
{
    open_register(1);
    ck_assert_int_eq(ask(1, START), STRIKES_FRESH);
    ck_assert_int_eq(ask(1, START + STRIKES_WINDOW), STRIKES_REPLAY);
    ck_assert_int_eq(ask(1, START + STRIKES_WINDOW + 1), STRIKES_FRESH);
    close_register();
}
END_TEST

START_TEST(a_full_register_refuses_and_forgets_nothing)
{
    uint32_t taken = 0;

    open_register(256);
    for (uint32_t i = 0; i < 1000; i++)
        taken += ask(i, START + i) == STRIKES_FRESH;
    ck_assert_uint_ge(taken, 128); /* places are found by hash, so some groups fill before others */
    ck_assert_uint_le(taken, 256);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_int_ne(ask(i, START + 1000 + i), STRIKES_FRESH);
    for (uint32_t i = 1000; i < 1010; i++)
        ck_assert_int_eq(ask(i, START + TLSYN_MS(1) + 2 * STRIKES_WINDOW), STRIKES_FRESH);
    close_register();
}
END_TEST

START_TEST(half_full_it_has_room_for_all)
{
    open_register(TLSYN_TLS_EARLY_ENTRIES);
    for (uint32_t i = 0; i < TLSYN_TLS_EARLY_ENTRIES / 2; i++)
        ck_assert_int_eq(ask(i, START), STRIKES_FRESH);
    for (uint32_t i = 0; i < TLSYN_TLS_EARLY_ENTRIES / 2; i++)
        ck_assert_int_eq(ask(i, START + 1), STRIKES_REPLAY);
    close_register();
}
END_TEST

/* One that differs in its last octet is another, and so is a shorter one. */
START_TEST(all_of_the_binder_counts)
{
    uint8_t octets[48] = {0};
    struct bytes binder = {octets, 48};

    open_register(100);
    ck_assert_int_eq(strikes_check(&strikes, &binder, START), STRIKES_FRESH);
    octets[47] = 1;
    ck_assert_int_eq(strikes_check(&strikes, &binder, START), STRIKES_FRESH);
    binder.len = 32;
    ck_assert_int_eq(strikes_check(&strikes, &binder, START), STRIKES_FRESH);
    ck_assert_int_eq(strikes_check(&strikes, &binder, START), STRIKES_REPLAY);
    close_register();
}
END_TEST

/* It would not know a second one, so it lets none pass. */
START_TEST(a_binder_of_no_known_hash_is_refused)
{
    uint8_t octets[255] = {0};
    const struct bytes binder = {octets, sizeof(octets)};

    open_register(100);
    ck_assert_int_eq(strikes_check(&strikes, &binder, START), STRIKES_FULL);
    close_register();
}
END_TEST

Suite *strikes_suite(void);
Suite *strikes_suite(void)
{
    Suite *s = suite_create("strikes");
    TCase *t = tcase_create("strikes");

    tcase_add_test(t, a_binder_is_fresh_once);
    tcase_add_test(t, a_place_is_free_again_after_the_window);
    tcase_add_test(t, a_full_register_refuses_and_forgets_nothing);
    tcase_add_test(t, half_full_it_has_room_for_all);
    tcase_add_test(t, all_of_the_binder_counts);
    tcase_add_test(t, a_binder_of_no_known_hash_is_refused);
    suite_add_tcase(s, t);
    return s;
}
