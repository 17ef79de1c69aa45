/* What is remembered of paths. RFC 1191 6.3 and 7.1, RFC 8201 4. */
#include <check.h>
#include <stdio.h>

#include "support/ip_bed.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open(&bed, 3);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static uint16_t mtu_to(const char *dst)
{
    struct tlsyn_addr addr = addr_of(dst);
    struct ip_path path;

    ck_assert_int_eq(ip_path_find(&bed.ip, &addr, &path), 0);
    ck_assert_uint_eq(path.link_mtu, 1500);
    return path.mtu;
}

static void learn(const char *dst, uint16_t mtu)
{
    struct tlsyn_addr addr = addr_of(dst);

    ip_learn_mtu(&bed.ip, &addr, mtu);
}

START_TEST(a_path_is_as_wide_as_its_link_until_more_is_known)
{
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1500);
    learn("10.0.0.2", 1400);
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1400);
    ck_assert_uint_eq(mtu_to("10.0.0.3"), 1500);
    learn("10.0.0.2", 1450); /* and it may turn out wider */
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1450);
    learn("10.0.0.2", 1500);
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1500);
    ck_assert_uint_eq(bed.ip.pmtus.table.count, 0);
}
END_TEST

START_TEST(what_was_learnt_is_forgotten_after_ten_minutes)
{
    learn("10.0.0.2", 1400);
    ip_bed_advance(&bed, TLSYN_SECONDS(599));
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1400);
    ip_bed_advance(&bed, TLSYN_SECONDS(1));
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1500);
    learn("10.0.0.2", 1300); /* anew */
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1300);
}
END_TEST

START_TEST(nothing_absurd_is_learnt)
{
    struct tlsyn_addr ip6 = addr_of("2001:db8::1"), elsewhere = addr_of("192.0.2.1");

    learn("10.0.0.2", 68);
    ck_assert_uint_eq(mtu_to("10.0.0.2"), PMTU_MIN_IP4);
    ck_assert_uint_eq(pmtu_least(&ip6), 1280);
    ip_learn_mtu(&bed.ip, &elsewhere, 1000); /* no way there */
    ck_assert_uint_eq(bed.ip.pmtus.table.count, 1);
}
END_TEST

START_TEST(the_oldest_makes_room)
{
    char text[16];

    for (int i = 2; i < 30; i++) {
        snprintf(text, sizeof(text), "10.0.0.%d", i);
        learn(text, 1400);
        learn("10.0.0.2", 1400); /* always fresh */
        ck_assert_uint_le(bed.ip.pmtus.table.count, 8);
    }
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1400);
    ck_assert_uint_eq(mtu_to("10.0.0.29"), 1400);
    ck_assert_uint_eq(mtu_to("10.0.0.10"), 1500);
}
END_TEST

START_TEST(without_memory_nothing_is_learnt)
{
    for (uint64_t n = 1; n <= 2; n++) {
        test_memory_fail(&bed.memory, n);
        learn("10.0.0.2", 1400);
        ck_assert_uint_eq(mtu_to("10.0.0.2"), 1500);
    }
    learn("10.0.0.2", 1400);
    ck_assert_uint_eq(mtu_to("10.0.0.2"), 1400);
}
END_TEST

START_TEST(a_router_that_says_nothing_means_the_next_plateau)
{
    ck_assert_uint_eq(pmtu_plateau(65535), 32000);
    ck_assert_uint_eq(pmtu_plateau(1500), 1492);
    ck_assert_uint_eq(pmtu_plateau(1492), 1006);
    ck_assert_uint_eq(pmtu_plateau(100), 68);
}
END_TEST

Suite *pmtu_suite(void);

Suite *pmtu_suite(void)
{
    Suite *s = suite_create("pmtu");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_path_is_as_wide_as_its_link_until_more_is_known);
    tcase_add_test(all, what_was_learnt_is_forgotten_after_ten_minutes);
    tcase_add_test(all, nothing_absurd_is_learnt);
    tcase_add_test(all, the_oldest_makes_room);
    tcase_add_test(all, without_memory_nothing_is_learnt);
    tcase_add_test(all, a_router_that_says_nothing_means_the_next_plateau);
    suite_add_tcase(s, all);
    return s;
}
