/*
 * Initial sequence numbers (RFC 6528) and timestamp offsets.
 */
#include <check.h>

#include "tcp/isn.h"

static const struct siphash_key key = {.k = {1, 2}}, other_key = {.k = {1, 3}};

static struct tlsyn_endpoint at(uint8_t host, uint16_t port)
{
    return (struct tlsyn_endpoint){tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, host}), port};
}

/* MUST-8: one tick per four microseconds (SHLD-1, R6528-1) */
START_TEST(it_follows_a_clock)
{
    struct tlsyn_endpoint us = at(1, 80), peer = at(2, 5555);
    tcp_seq first = isn_choose(&key, &us, &peer, 1000000);

    ck_assert_uint_eq(isn_choose(&key, &us, &peer, 1000400) - first, 100);
    ck_assert_uint_eq(isn_choose(&key, &us, &peer, 1000000), first);
}
END_TEST

/* MUST-9, SHLD-1 (R6528-2, R6528-3) */
START_TEST(each_pair_and_each_secret_has_numbers_of_its_own)
{
    struct tlsyn_endpoint us = at(1, 80), peer = at(2, 5555), port = at(2, 5556),
                          host = at(3, 5555);
    tcp_seq iss = isn_choose(&key, &us, &peer, 0);

    ck_assert_uint_ne(isn_choose(&key, &us, &port, 0), iss);
    ck_assert_uint_ne(isn_choose(&key, &us, &host, 0), iss);
    ck_assert_uint_ne(isn_choose(&key, &peer, &us, 0), iss);
    ck_assert_uint_ne(isn_choose(&other_key, &us, &peer, 0), iss);
}
END_TEST

START_TEST(the_timestamp_offset_says_nothing_about_the_number)
{
    struct tlsyn_endpoint us = at(1, 80), peer = at(2, 5555), port = at(2, 5556);

    ck_assert_uint_ne(isn_ts_offset(&key, &us, &peer), isn_choose(&key, &us, &peer, 0));
    ck_assert_uint_ne(isn_ts_offset(&key, &us, &peer), isn_ts_offset(&key, &us, &port));
}
END_TEST

Suite *isn_suite(void);

Suite *isn_suite(void)
{
    Suite *s = suite_create("isn");
    TCase *all = tcase_create("all");

    tcase_add_test(all, it_follows_a_clock);
    tcase_add_test(all, each_pair_and_each_secret_has_numbers_of_its_own);
    tcase_add_test(all, the_timestamp_offset_says_nothing_about_the_number);
    suite_add_tcase(s, all);
    return s;
}
