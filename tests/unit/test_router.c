/* What routers tell a host: default routers, prefixes, addresses, redirects. RFC 4861 6.3, 8;
 * RFC 4862 5.5; RFC 7217. */
#include <check.h>
#include <stdio.h>

#include "ip/router.h"
#include "support/ip_bed.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open_bare(&bed, 31, NULL);
    tlsyn_iface_dad(bed.iface, 0);
    ck_assert_int_eq(tlsyn_iface_autoconf(bed.iface, (const uint8_t *)"0123456789abcdef"), 0);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static bool is(const struct tlsyn_addr *a, const char *text)
{
    struct tlsyn_addr b = addr_of(text);

    return tlsyn_addr_eq(a, &b);
}

/* An advertisement with one prefix, 2001:db8::/64. */
static struct wire_ndp advert(uint16_t lifetime, uint32_t valid, uint32_t preferred)
{
    return (struct wire_ndp){
        .type = ICMP6_ROUTER_ADVERTISEMENT,
        .lifetime = lifetime,
        .has_source_hw = true,
        .source_hw = {2, 0, 0, 0, 0, 9},
        .prefix_count = 1,
        .prefix = {{addr_of("2001:db8::"), 64, true, true, valid, preferred}},
    };
}

static void advertises(const struct wire_ndp *ndp)
{
    ip_bed_ndp(&bed, "fe80::9", "ff02::1", ndp);
    ip_bed_advance(&bed, TLSYN_SECONDS(1)); /* what is made out of it waits up to a second */
}

/* The address in 2001:db8::/64, or NULL. */
static const struct tlsyn_iface_address_info *made(void)
{
    static struct tlsyn_iface_address_info info[16];
    int n = tlsyn_iface_addresses(bed.iface, info, 16);

    for (int i = 0; i < n; i++) {
        if (info[i].address.byte[0] == 0x20)
            return &info[i];
    }
    return NULL;
}

static const char *hop_to(const char *dst)
{
    static char text[16];
    struct tlsyn_addr to = addr_of(dst);
    struct ip_hop hop;

    if (!ip_hop_find(&bed.ip, NULL, &to, &hop))
        return "nowhere";
    if (tlsyn_addr_eq(&hop.next, &to))
        return "itself";
    snprintf(text, sizeof(text), "%02x%02x::%x", hop.next.byte[0], hop.next.byte[1],
             hop.next.byte[15]);
    return text;
}

/* --- asking ----------------------------------------------------------------------------------- */

static int solicitations(void)
{
    struct wire_ndp ndp;
    struct wire_ip6 ip6;
    int next = 0, count = 0;

    ip_bed_flush(&bed);
    while (ip_bed_sent_ndp(&bed, &next, ICMP6_ROUTER_SOLICITATION, &ip6, &ndp)) {
        ck_assert(is(&ip6.dst, "ff02::2"));
        ck_assert(tlsyn_addr_unspecified(&ip6.src) != ndp.has_source_hw);
        count++;
    }
    fake_link_clear(&bed.link);
    return count;
}

START_TEST(routers_are_asked_for_three_times)
{
    ck_assert_int_eq(solicitations(), 1);
    for (int i = 0; i < 10; i++)
        ip_bed_advance(&bed, TLSYN_SECONDS(4));
    ck_assert_int_eq(solicitations(), 2);
}
END_TEST

START_TEST(and_no_more_when_one_has_answered)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);

    ck_assert_int_eq(solicitations(), 1);
    advertises(&ndp);
    ip_bed_advance(&bed, TLSYN_SECONDS(30));
    ck_assert_int_eq(solicitations(), 0);
}
END_TEST

/* --- what an advertisement brings ------------------------------------------------------------- */

START_TEST(an_advertisement_brings_a_router_a_network_and_an_address)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);

    ck_assert_str_eq(hop_to("2600::1"), "nowhere");
    advertises(&ndp);
    ck_assert_str_eq(hop_to("2600::1"), "fe80::9");
    ck_assert_str_eq(hop_to("2001:db8::5"), "itself");
    ck_assert_int_eq(ip_bed_neigh(&bed, "fe80::9"), NEIGH_STALE);
    ck_assert_ptr_nonnull(made());
    ck_assert_int_eq(made()->state, TLSYN_ADDRESS_PREFERRED);
    ck_assert_int_eq(made()->prefix_len, 64);
    ck_assert(!tlsyn_addr_unspecified(&made()->address));
    ip_bed_advance(&bed, TLSYN_SECONDS(1800));
    ck_assert_str_eq(hop_to("2600::1"), "nowhere");
    ip_bed_advance(&bed, TLSYN_SECONDS(14400 - 1800));
    ck_assert_int_eq(made()->state, TLSYN_ADDRESS_DEPRECATED);
    ip_bed_advance(&bed, TLSYN_SECONDS(86400 - 14400));
    ck_assert_ptr_null(made());
    ck_assert_str_eq(hop_to("2001:db8::5"), "nowhere");
}
END_TEST

START_TEST(parameters_count)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);
    struct tlsyn_addr dst = addr_of("2600::1");
    struct ip_path path;

    ndp.mtu = 1400;
    ndp.hop_limit = 33;
    ndp.retrans_ms = 2000;
    ndp.reachable_ms = 10000;
    advertises(&ndp);
    ck_assert_int_eq(ip_path_find(&bed.ip, &dst, &path), 0);
    ck_assert_uint_eq(path.mtu, 1400);
    ck_assert_uint_eq(bed.iface->ip6.hop_limit, 33);
    ck_assert_int_eq(bed.iface->ip6.retrans_timer, TLSYN_SECONDS(2));
    ck_assert_int_ge(bed.iface->ip6.reachable_time, TLSYN_SECONDS(5));
    ck_assert_int_le(bed.iface->ip6.reachable_time, TLSYN_SECONDS(15));
    ndp.mtu = 1279; /* neither of them can be */
    advertises(&ndp);
    ndp.mtu = 9000;
    advertises(&ndp);
    ck_assert_int_eq(ip_path_find(&bed.ip, &dst, &path), 0);
    ck_assert_uint_eq(path.mtu, 1400);
}
END_TEST

START_TEST(who_did_not_ask_for_it_is_not_configured)
{
    struct tlsyn_addr us = addr_of("fd77::1");
    struct wire_ndp ndp = advert(1800, 86400, 14400);

    ip_bed_close(&bed);
    ip_bed_open_bare(&bed, 31, NULL);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &us, 64), 0);
    advertises(&ndp);
    ck_assert_ptr_null(made());
    ck_assert_str_eq(hop_to("2600::1"), "nowhere");
    ck_assert_int_eq(ip_bed_neigh(&bed, "fe80::9"), -1);
}
END_TEST

START_TEST(prefixes_that_make_no_sense_make_no_address)
{
    struct wire_ndp ndp = advert(0, 100, 101); /* preferred for longer than valid */

    advertises(&ndp);
    ck_assert_ptr_null(made());
    ndp = advert(0, 86400, 14400);
    ndp.prefix[0].len = 63;
    advertises(&ndp);
    ck_assert_ptr_null(made());
    ndp = advert(0, 86400, 14400);
    ndp.prefix[0].prefix = addr_of("fe80::");
    advertises(&ndp);
    ck_assert_int_eq(bed.iface->address_count, 1);
    ndp = advert(0, 86400, 14400);
    ndp.prefix[0].len = 0; /* all the world on this link */
    ndp.prefix[0].autonomous = false;
    advertises(&ndp);
    ck_assert_str_eq(hop_to("2600::1"), "nowhere");
}
END_TEST

START_TEST(not_from_a_router_of_this_link)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);

    ip_bed_ndp(&bed, "2001:db8::9", "ff02::1", &ndp);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ndp_invalid), 1);
    ck_assert_str_eq(hop_to("2600::1"), "nowhere");
}
END_TEST

/* RFC 4862 5.5.3 (e) */
START_TEST(a_lifetime_is_not_cut_below_two_hours)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);
    tlsyn_time hours2 = TLSYN_SECONDS(7200);

    advertises(&ndp);
    ndp.prefix[0].valid = ndp.prefix[0].preferred = 1;
    advertises(&ndp);
    ck_assert_int_eq(made()->state, TLSYN_ADDRESS_DEPRECATED);
    ck_assert_int_le(made()->valid_until, bed.cx.now + hours2);
    ck_assert_int_ge(made()->valid_until, bed.cx.now + hours2 - TLSYN_SECONDS(2));
    ip_bed_advance(&bed, TLSYN_SECONDS(3600));
    advertises(&ndp); /* an hour is left, and stays */
    ck_assert_int_le(made()->valid_until, bed.cx.now + hours2 / 2);
    ck_assert_int_ge(made()->valid_until, bed.cx.now + hours2 / 2 - TLSYN_SECONDS(5));
    ndp.prefix[0].valid = NDP_FOREVER;
    ndp.prefix[0].preferred = NDP_FOREVER;
    advertises(&ndp);
    ck_assert_int_eq(made()->valid_until, TLSYN_NEVER);
    ck_assert_int_eq(made()->state, TLSYN_ADDRESS_PREFERRED);
}
END_TEST

START_TEST(the_address_is_the_same_for_the_same_secret_and_no_other)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);
    struct tlsyn_addr first;

    advertises(&ndp);
    first = made()->address;
    ck_assert(memcmp(first.byte + 8, "\0\0\0\xff\xfe\0\0", 7) != 0);
    teardown();
    setup();
    advertises(&ndp);
    ck_assert(tlsyn_addr_eq(&first, &made()->address));
    teardown();
    ip_bed_open_bare(&bed, 32, NULL);
    tlsyn_iface_dad(bed.iface, 0);
    ck_assert_int_eq(tlsyn_iface_autoconf(bed.iface, (const uint8_t *)"0123456789abcdeX"), 0);
    advertises(&ndp);
    ck_assert(!tlsyn_addr_eq(&first, &made()->address));
}
END_TEST

START_TEST(a_flood_of_routers_and_prefixes_is_bounded)
{
    char from[16];

    for (unsigned i = 1; i < 40; i++) {
        struct wire_ndp ndp = advert(1800, 86400, 14400);

        ndp.prefix[0].prefix.byte[7] = (uint8_t)i;
        snprintf(from, sizeof(from), "fe80::%x", i);
        ip_bed_ndp(&bed, from, "ff02::1", &ndp);
    }
    ck_assert_uint_eq(bed.ip.routers.count, bed.cx.limits.routers);
    ck_assert_uint_eq(bed.ip.routers.prefix_count, bed.cx.limits.prefixes);
    ck_assert_uint_eq(bed.iface->address_count, bed.cx.limits.addresses);
    ck_assert_str_eq(hop_to("2600::1"), "fe80::1"); /* the first that came */
}
END_TEST

/* --- which router (RFC 4861 6.3.6, 7.3.3) ----------------------------------------------------- */

static void router_at(const char *from, uint8_t n)
{
    struct wire_ndp ndp = {.type = ICMP6_ROUTER_ADVERTISEMENT, .lifetime = 1800};

    ndp.has_source_hw = n > 0;
    ndp.source_hw[0] = 2;
    ndp.source_hw[5] = n;
    ip_bed_ndp(&bed, from, "ff02::1", &ndp);
}

START_TEST(a_router_that_may_be_reachable_comes_first)
{
    router_at("fe80::8", 0); /* nothing is known of it */
    ck_assert_str_eq(hop_to("2600::1"), "fe80::8");
    router_at("fe80::9", 9);
    ck_assert_str_eq(hop_to("2600::1"), "fe80::9");
}
END_TEST

START_TEST(a_router_that_does_not_answer_gives_way)
{
    struct tlsyn_addr router = addr_of("fe80::8");

    router_at("fe80::8", 0);
    router_at("fe80::9", 0);
    ck_assert_str_eq(hop_to("2600::1"), "fe80::8");
    neigh_resolve(&bed.ip.neigh, bed.iface, &router);
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_SECONDS(1));
    ck_assert_str_eq(hop_to("2600::1"), "fe80::9");
}
END_TEST

START_TEST(a_router_that_takes_its_word_back_is_none)
{
    struct wire_ndp no_router = {.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                                 .target = addr_of("fe80::9"),
                                 .override = true,
                                 .has_target_hw = true,
                                 .target_hw = {2, 0, 0, 0, 0, 9}};
    struct wire_ndp no_more = {.type = ICMP6_ROUTER_ADVERTISEMENT, .lifetime = 0};

    router_at("fe80::9", 9);
    if (_i)
        ip_bed_ndp(&bed, "fe80::9", "ff02::1", &no_router);
    else
        ip_bed_ndp(&bed, "fe80::9", "ff02::1", &no_more);
    ck_assert_str_eq(hop_to("2600::1"), "nowhere");
    ck_assert_uint_eq(bed.ip.routers.count, 0);
}
END_TEST

/* --- redirects (RFC 4861 8) ------------------------------------------------------------------- */

static void redirects(const char *from, const char *dst, const char *target)
{
    struct wire_ndp ndp = {.type = ICMP6_REDIRECT,
                           .destination = addr_of(dst),
                           .target = addr_of(target),
                           .has_target_hw = true,
                           .target_hw = {2, 0, 0, 0, 0, 7}};
    struct tlsyn_addr us = made() ? made()->address : addr_of("fe80::1");
    char to[64];

    snprintf(to, sizeof(to), "%02x%02x:%02x%02x::%02x%02x:%02x%02x:%02x%02x:%02x%02x", us.byte[0],
             us.byte[1], us.byte[2], us.byte[3], us.byte[8], us.byte[9], us.byte[10], us.byte[11],
             us.byte[12], us.byte[13], us.byte[14], us.byte[15]);
    ip_bed_ndp(&bed, from, to, &ndp);
}

START_TEST(a_redirect_counts_from_the_router_in_use)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);

    advertises(&ndp);
    redirects("fe80::9", "2600::1", "fe80::7");
    ck_assert_str_eq(hop_to("2600::1"), "fe80::7");
    ck_assert_str_eq(hop_to("2600::2"), "fe80::9");
    ck_assert_int_eq(ip_bed_neigh(&bed, "fe80::7"), NEIGH_STALE);
    redirects("fe80::9", "2600::2", "2600::2"); /* it is a neighbour */
    ck_assert_str_eq(hop_to("2600::2"), "itself");
}
END_TEST

START_TEST(redirections_come_from_the_router_in_use_alone)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);

    advertises(&ndp);
    redirects("fe80::6", "2600::1", "fe80::7"); /* another neighbour */
    redirects("fe80::9", "2600::1", "2600::7"); /* to what is neither router nor destination */
    redirects("2001:db8::9", "2600::1", "fe80::7");
    ck_assert_str_eq(hop_to("2600::1"), "fe80::9");
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ndp_invalid), 3);
}
END_TEST

START_TEST(redirects_are_bounded_and_end_with_their_router)
{
    struct wire_ndp ndp = advert(1800, 86400, 14400);
    struct tlsyn_addr via = addr_of("fe80::7");
    char dst[16];

    advertises(&ndp);
    for (unsigned i = 1; i < 20; i++) {
        snprintf(dst, sizeof(dst), "2600::%x", i);
        redirects("fe80::9", dst, "fe80::7");
    }
    ck_assert_uint_eq(bed.ip.routers.redirect_count, bed.cx.limits.redirects);
    ck_assert_str_eq(hop_to("2600::13"), "fe80::7");
    ck_assert_str_eq(hop_to("2600::1"), "fe80::9");
    neigh_resolve(&bed.ip.neigh, bed.iface, &via); /* in use, and asked, and silent */
    for (int i = 0; i < 10; i++)
        ip_bed_advance(&bed, TLSYN_SECONDS(1));
    ck_assert_uint_eq(bed.ip.routers.redirect_count, 0);
    ck_assert_str_eq(hop_to("2600::13"), "fe80::9");
}
END_TEST

/* --- groups (RFC 3810) ------------------------------------------------------------------------ */

/* The records of reports that were sent since the last call, and their type. */
static int reported(uint8_t *record)
{
    struct wire_ip6_chain chain;
    struct wire_ip6 ip6;
    int next = 0, count = 0;

    ip_bed_flush(&bed);
    while (ip_bed_sent6(&bed, &next, &ip6, &chain)) {
        if (chain.payload[0] != ICMP6_MLD2_REPORT)
            continue;
        ck_assert(is(&ip6.dst, "ff02::16"));
        ck_assert_uint_eq(ip6.hop_limit, 1);
        ck_assert_uint_eq(ip6.next, IP6_HOP_BY_HOP); /* the router alert */
        count += chain.payload[7];
        *record = chain.payload[8];
    }
    fake_link_clear(&bed.link);
    return count;
}

START_TEST(groups_are_told_of_twice_and_when_asked_for)
{
    const uint8_t query[28] = {ICMP6_MLD_QUERY, 0, 0, 0, 0, 100, [24] = 2, 125};
    uint8_t record = 0;

    ck_assert_int_eq(reported(&record), 1);
    ck_assert_uint_eq(record, 4);
    ip_bed_advance(&bed, TLSYN_SECONDS(1));
    ck_assert_int_eq(reported(&record), 1);
    ip_bed_advance(&bed, TLSYN_SECONDS(10));
    ck_assert_int_eq(reported(&record), 0);
    ip_bed_icmp6(&bed, "fe80::9", "ff02::1", 1, query, sizeof(query));
    ip_bed_advance(&bed, TLSYN_MS(101));
    ck_assert_int_eq(reported(&record), 1);
    ck_assert_uint_eq(record, 2);
    ip_bed_icmp6(&bed, "fe80::9", "ff02::1", 64, query, sizeof(query)); /* from afar */
    ip_bed_icmp6(&bed, "2001:db8::9", "ff02::1", 1, query, sizeof(query));
    ip_bed_advance(&bed, TLSYN_SECONDS(1));
    ck_assert_int_eq(reported(&record), 0);
}
END_TEST

START_TEST(a_router_of_version_1_is_answered_in_its_words)
{
    const uint8_t query[24] = {ICMP6_MLD_QUERY, 0, 0, 0, 0, 100};
    struct wire_ip6_chain chain;
    struct wire_ip6 ip6;
    uint8_t record = 0;
    int next = 0;

    ip_bed_advance(&bed, TLSYN_SECONDS(1));
    reported(&record);
    ip_bed_icmp6(&bed, "fe80::9", "ff02::1", 1, query, sizeof(query));
    ip_bed_advance(&bed, TLSYN_MS(101));
    ip_bed_flush(&bed);
    ck_assert(ip_bed_sent6(&bed, &next, &ip6, &chain));
    ck_assert_uint_eq(chain.payload[0], ICMP6_MLD1_REPORT);
    ck_assert_mem_eq(chain.payload + 8, ip6.dst.byte, 16); /* to the group itself */
}
END_TEST

START_TEST(a_group_that_nobody_needs_is_left)
{
    struct wire_ndp ndp = advert(1800, 10, 10);
    uint8_t record = 0;

    advertises(&ndp);
    ip_bed_advance(&bed, TLSYN_SECONDS(3));
    reported(&record);
    ip_bed_advance(&bed, TLSYN_SECONDS(8));
    ck_assert_ptr_null(made());
    ck_assert_int_ge(reported(&record), 1);
    ck_assert_uint_eq(record, 3);
}
END_TEST

Suite *router_suite(void);

Suite *router_suite(void)
{
    Suite *suite = suite_create("router");
    TCase *tc = tcase_create("router");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, routers_are_asked_for_three_times);
    tcase_add_test(tc, and_no_more_when_one_has_answered);
    tcase_add_test(tc, an_advertisement_brings_a_router_a_network_and_an_address);
    tcase_add_test(tc, parameters_count);
    tcase_add_test(tc, who_did_not_ask_for_it_is_not_configured);
    tcase_add_test(tc, prefixes_that_make_no_sense_make_no_address);
    tcase_add_test(tc, not_from_a_router_of_this_link);
    tcase_add_test(tc, a_lifetime_is_not_cut_below_two_hours);
    tcase_add_test(tc, the_address_is_the_same_for_the_same_secret_and_no_other);
    tcase_add_test(tc, a_flood_of_routers_and_prefixes_is_bounded);
    tcase_add_test(tc, a_router_that_may_be_reachable_comes_first);
    tcase_add_test(tc, a_router_that_does_not_answer_gives_way);
    tcase_add_loop_test(tc, a_router_that_takes_its_word_back_is_none, 0, 2);
    tcase_add_test(tc, a_redirect_counts_from_the_router_in_use);
    tcase_add_test(tc, redirections_come_from_the_router_in_use_alone);
    tcase_add_test(tc, redirects_are_bounded_and_end_with_their_router);
    tcase_add_test(tc, groups_are_told_of_twice_and_when_asked_for);
    tcase_add_test(tc, a_router_of_version_1_is_answered_in_its_words);
    tcase_add_test(tc, a_group_that_nobody_needs_is_left);
    suite_add_tcase(suite, tc);
    return suite;
}
