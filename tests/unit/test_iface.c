/* Interfaces and their addresses. */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "support/ip_bed.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open_bare(&bed, 1, NULL);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static int give(const char *address, int prefix_len)
{
    struct tlsyn_addr a = addr_of(address);

    return tlsyn_iface_address(bed.iface, &a, prefix_len);
}

static bool is_broadcast(const char *address)
{
    struct tlsyn_addr a = addr_of(address);

    return iface_is_broadcast(bed.iface, &a);
}

static int add_link(const struct tlsyn_link_caps *caps)
{
    struct tlsyn_link link = {.ops = bed.link.base.ops, .caps = *caps};
    struct tlsyn_iface *iface;

    return ip_iface_add(&bed.ip, &link, &iface);
}

START_TEST(link_of_no_host_is_refused)
{
    ck_assert_int_eq(add_link(&(struct tlsyn_link_caps){.mtu = 1500}), -EINVAL);
    ck_assert_int_eq(add_link(&(struct tlsyn_link_caps){.mtu = 1500, .hwaddr = {1, 0, 0, 0, 0, 1}}),
                     -EINVAL);
    ck_assert_int_eq(add_link(&(struct tlsyn_link_caps){.mtu = 67, .hwaddr = {2, 0, 0, 0, 0, 1}}),
                     -EINVAL);
    test_memory_fail(&bed.memory, 1);
    ck_assert_int_eq(add_link(&(struct tlsyn_link_caps){.mtu = 68, .hwaddr = {2, 0, 0, 0, 0, 1}}),
                     -ENOMEM);
}
END_TEST

START_TEST(interface_knows_its_link_and_layer)
{
    struct ip other = {0};

    ck_assert_ptr_eq(tlsyn_iface_link(bed.iface), &bed.link.base);
    ck_assert(ip_iface_known(&bed.ip, bed.iface));
    ck_assert(!ip_iface_known(&other, bed.iface));
    ck_assert(!ip_iface_known(&bed.ip, NULL));
}
END_TEST

START_TEST(address_is_taken_once)
{
    struct tlsyn_addr a = addr_of("10.0.0.1"), b = addr_of("10.0.0.2");

    ck_assert(!ip_is_ours(&bed.ip, &a));
    ck_assert_int_eq(give("10.0.0.1", 24), 0);
    ck_assert_int_eq(give("10.0.0.1", 24), -EADDRINUSE);
    ck_assert_int_eq(give("10.0.0.1", 8), -EADDRINUSE);
    ck_assert(ip_is_ours(&bed.ip, &a));
    ck_assert(!ip_is_ours(&bed.ip, &b));
}
END_TEST

START_TEST(second_address_may_be_in_the_same_network)
{
    struct tlsyn_addr peer = addr_of("10.0.0.9"), first = addr_of("10.0.0.1");
    struct ip_path path;

    ck_assert_int_eq(give("10.0.0.1", 24), 0);
    ck_assert_int_eq(give("10.0.0.2", 24), 0);
    ck_assert_int_eq(ip_path_find(&bed.ip, &peer, &path), 0);
    ck_assert(tlsyn_addr_eq(&path.src, &first));
}
END_TEST

START_TEST(address_must_be_a_hosts)
{
    static const char *const no_host[] = {"0.0.0.0",   "0.0.0.1",   "127.0.0.1",
                                          "224.0.0.1", "240.0.0.1", "255.255.255.255"};

    for (size_t i = 0; i < sizeof(no_host) / sizeof(no_host[0]); i++)
        ck_assert_int_eq(give(no_host[i], 24), -EINVAL);
    ck_assert_int_eq(give("10.0.0.1", 33), -EINVAL);
    ck_assert_int_eq(give("10.0.0.1", -1), -EINVAL);
    ck_assert_int_eq(give("::1", 128), -EINVAL);
    ck_assert_int_eq(give("::", 128), -EINVAL);
    ck_assert_int_eq(give("ff02::1", 128), -EINVAL);
    ck_assert_int_eq(give("2001:db8::1", 129), -EINVAL);
    ck_assert_uint_eq(bed.iface->address_count, 0);
}
END_TEST

START_TEST(addresses_have_a_bound)
{
    char text[16];

    for (unsigned i = 0; i < bed.cx.limits.addresses; i++) {
        snprintf(text, sizeof(text), "10.0.%u.1", i);
        ck_assert_int_eq(give(text, 24), 0);
    }
    ck_assert_int_eq(give("10.0.99.1", 24), -ENOBUFS);
    ck_assert_uint_eq(bed.ip.routes.count, bed.cx.limits.addresses);
}
END_TEST

START_TEST(no_memory_means_no_address)
{
    struct tlsyn_addr a = addr_of("10.0.0.1");

    test_memory_fail(&bed.memory, 1);
    ck_assert_int_eq(give("10.0.0.1", 24), -ENOMEM);
    ck_assert(!ip_is_ours(&bed.ip, &a));
    ck_assert_int_eq(give("10.0.0.1", 24), 0);
}
END_TEST

START_TEST(broadcast_address_follows_from_the_prefix)
{
    ck_assert(is_broadcast("255.255.255.255"));
    ck_assert_int_eq(give("10.0.0.1", 24), 0);
    ck_assert_int_eq(give("10.9.0.1", 22), 0);
    ck_assert_int_eq(give("10.8.0.0", 31), 0);
    ck_assert_int_eq(give("10.7.0.1", 32), 0);
    ck_assert(is_broadcast("10.0.0.255"));
    ck_assert(is_broadcast("10.9.3.255"));
    ck_assert(!is_broadcast("10.9.0.255"));
    ck_assert(!is_broadcast("10.8.0.1"));
    ck_assert(!is_broadcast("10.7.0.1"));
    ck_assert(!is_broadcast("10.0.0.254"));
    ck_assert(!is_broadcast("::"));
}
END_TEST

START_TEST(address_for_a_peer_is_the_one_in_its_network)
{
    struct tlsyn_addr near = addr_of("10.1.0.9"), far = addr_of("8.8.8.8");
    struct tlsyn_addr first = addr_of("10.0.0.1"), second = addr_of("10.1.0.1");

    ck_assert_ptr_null(iface_address_for(bed.iface, &near));
    ck_assert_int_eq(give("10.0.0.1", 24), 0);
    ck_assert_int_eq(give("10.1.0.1", 24), 0);
    ck_assert(tlsyn_addr_eq(iface_address_for(bed.iface, &near), &second));
    ck_assert(tlsyn_addr_eq(iface_address_for(bed.iface, &far), &first));
    ck_assert(iface_is_on_link(bed.iface, &near));
    ck_assert(!iface_is_on_link(bed.iface, &far));
}
END_TEST

static int take_away(const char *address)
{
    struct tlsyn_addr a = addr_of(address);

    return tlsyn_iface_address_remove(bed.iface, &a);
}

START_TEST(an_address_that_goes_takes_its_routes_along)
{
    struct tlsyn_addr gateway = addr_of("10.0.0.254"), anywhere = addr_of("0.0.0.0");
    struct tlsyn_addr near = addr_of("10.0.0.7"), far = addr_of("192.0.2.1");
    struct ip_path path;

    ck_assert_int_eq(give("10.0.0.1", 24), 0);
    ck_assert_int_eq(give("10.0.0.2", 24), 0);
    ck_assert_int_eq(ip_route_add(&bed.ip, &anywhere, 0, &gateway), 0);
    ck_assert_int_eq(take_away("10.0.0.1"), 0);
    ck_assert_int_eq(ip_path_find(&bed.ip, &far, &path), -ENETUNREACH);
    ck_assert_int_eq(ip_path_find(&bed.ip, &near, &path), 0); /* from the other one */
    ck_assert(tlsyn_addr_eq(&path.src, &bed.iface->address[0].addr));
    ck_assert_int_eq(take_away("10.0.0.1"), -EADDRNOTAVAIL);
    ck_assert_int_eq(take_away("10.0.0.2"), 0);
    ck_assert_int_eq(ip_path_find(&bed.ip, &near, &path), -ENETUNREACH);
}
END_TEST

START_TEST(an_ip6_address_goes_with_the_next_timers)
{
    struct tlsyn_addr a = addr_of("fd77::1");

    tlsyn_iface_dad(bed.iface, 0);
    ck_assert_int_eq(give("fd77::1", 64), 0);
    ip_bed_advance(&bed, TLSYN_MS(1));
    ck_assert(iface_has_address(bed.iface, &a));
    ck_assert_int_eq(take_away("fd77::1"), 0);
    ip_bed_advance(&bed, TLSYN_MS(1));
    ck_assert(!iface_has_address(bed.iface, &a));
}
END_TEST

Suite *iface_suite(void);

Suite *iface_suite(void)
{
    Suite *suite = suite_create("iface");
    TCase *tc = tcase_create("iface");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, link_of_no_host_is_refused);
    tcase_add_test(tc, interface_knows_its_link_and_layer);
    tcase_add_test(tc, address_is_taken_once);
    tcase_add_test(tc, second_address_may_be_in_the_same_network);
    tcase_add_test(tc, address_must_be_a_hosts);
    tcase_add_test(tc, addresses_have_a_bound);
    tcase_add_test(tc, no_memory_means_no_address);
    tcase_add_test(tc, broadcast_address_follows_from_the_prefix);
    tcase_add_test(tc, an_address_that_goes_takes_its_routes_along);
    tcase_add_test(tc, an_ip6_address_goes_with_the_next_timers);
    tcase_add_test(tc, address_for_a_peer_is_the_one_in_its_network);
    suite_add_tcase(suite, tc);
    return suite;
}
