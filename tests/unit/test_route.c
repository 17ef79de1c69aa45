/* The routing table, and the paths that are found with it. */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "support/ip_bed.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open(&bed, 1);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static int add(const char *network, int prefix_len, const char *gateway)
{
    struct tlsyn_addr n = addr_of(network), g = addr_of(gateway);

    return ip_route_add(&bed.ip, &n, prefix_len, &g);
}

/* The next hop of the path, as text would be; fails the test if there is none. */
static struct tlsyn_addr next_hop(const char *dst)
{
    struct tlsyn_addr d = addr_of(dst);
    struct ip_path path;

    ck_assert_int_eq(ip_path_find(&bed.ip, &d, &path), 0);
    ck_assert_ptr_eq(path.iface, bed.iface);
    ck_assert_uint_eq(path.mtu, 1500);
    return path.next_hop;
}

static bool leads_to(const char *dst, const char *hop)
{
    struct tlsyn_addr found = next_hop(dst), want = addr_of(hop);

    return tlsyn_addr_eq(&found, &want);
}

static bool is_unreachable(const char *dst)
{
    struct tlsyn_addr d = addr_of(dst);
    struct ip_path path;

    return ip_path_find(&bed.ip, &d, &path) == -ENETUNREACH;
}

START_TEST(own_network_needs_no_gateway)
{
    ck_assert(leads_to("10.0.0.77", "10.0.0.77"));
    ck_assert(is_unreachable("10.0.1.77"));
}
END_TEST

START_TEST(longest_prefix_wins_in_any_order_of_adding)
{
    ck_assert_int_eq(add("0.0.0.0", 0, "10.0.0.250"), 0);
    ck_assert_int_eq(add("192.168.0.0", 16, "10.0.0.251"), 0);
    ck_assert_int_eq(add("192.168.7.9", 32, "10.0.0.252"), 0);
    ck_assert_int_eq(add("192.168.7.0", 24, "10.0.0.253"), 0);
    ck_assert(leads_to("8.8.8.8", "10.0.0.250"));
    ck_assert(leads_to("192.168.1.1", "10.0.0.251"));
    ck_assert(leads_to("192.168.7.9", "10.0.0.252"));
    ck_assert(leads_to("192.168.7.8", "10.0.0.253"));
    ck_assert(leads_to("10.0.0.9", "10.0.0.9"));
}
END_TEST

START_TEST(bits_behind_the_prefix_mean_nothing)
{
    ck_assert_int_eq(add("172.16.255.255", 12, "10.0.0.250"), 0);
    ck_assert(leads_to("172.31.0.1", "10.0.0.250"));
    ck_assert(is_unreachable("172.32.0.1"));
    ck_assert_int_eq(add("172.16.0.0", 12, "10.0.0.251"), -EEXIST);
}
END_TEST

START_TEST(gateway_must_be_a_neighbour)
{
    ck_assert_int_eq(add("0.0.0.0", 0, "10.0.1.1"), -ENETUNREACH);
    ck_assert_int_eq(add("0.0.0.0", 0, "10.0.0.255"), -ENETUNREACH);
    ck_assert_int_eq(add("0.0.0.0", 0, "10.0.0.1"), -EINVAL);
    ck_assert_int_eq(add("0.0.0.0", 0, "fe80::1"), -EINVAL);
    ck_assert_int_eq(add("192.168.0.0", 24, "10.0.0.250"), 0);
    /* A gateway behind a gateway is none. */
    ck_assert_int_eq(add("0.0.0.0", 0, "192.168.0.1"), -ENETUNREACH);
    ck_assert(is_unreachable("8.8.8.8"));
}
END_TEST

START_TEST(impossible_prefixes_are_refused)
{
    ck_assert_int_eq(add("10.1.0.0", 33, "10.0.0.2"), -EINVAL);
    ck_assert_int_eq(add("10.1.0.0", -1, "10.0.0.2"), -EINVAL);
}
END_TEST

START_TEST(groups_networks_and_ourselves_have_no_path)
{
    static const char *const nowhere[] = {
        "0.0.0.0",         "0.1.2.3",     "127.0.0.1",  "224.0.0.1",
        "239.255.255.255", "240.0.0.1",   "10.0.0.255", "255.255.255.255",
        "10.0.0.1",        "2001:db8::1", "::"};

    ck_assert_int_eq(add("0.0.0.0", 0, "10.0.0.250"), 0);
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
        ck_assert_msg(is_unreachable(nowhere[i]), "%s", nowhere[i]);
    ck_assert(!is_unreachable("1.0.0.1"));
    ck_assert(!is_unreachable("223.255.255.255"));
}
END_TEST

START_TEST(table_has_a_bound)
{
    char network[32];

    /* one is taken by our own network */
    for (unsigned i = 1; i < bed.cx.limits.routes; i++) {
        snprintf(network, sizeof(network), "192.168.%u.0", i);
        ck_assert_int_eq(add(network, 24, "10.0.0.250"), 0);
    }
    ck_assert_int_eq(add("172.16.0.0", 12, "10.0.0.250"), -ENOBUFS);
    test_memory_fail(&bed.memory, 1);
    ck_assert_int_eq(add("172.16.0.0", 12, "10.0.0.250"), -ENOMEM);
    ck_assert(is_unreachable("172.16.0.1"));
}
END_TEST

START_TEST(source_is_our_address_in_the_network)
{
    struct tlsyn_addr second = addr_of("192.168.5.1"), dst = addr_of("192.168.5.9");
    struct ip_path path;

    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &second, 24), 0);
    ck_assert_int_eq(add("172.16.0.0", 12, "192.168.5.250"), 0);
    ck_assert_int_eq(ip_path_find(&bed.ip, &dst, &path), 0);
    ck_assert(tlsyn_addr_eq(&path.src, &second));
    dst = addr_of("172.16.0.1");
    ck_assert_int_eq(ip_path_find(&bed.ip, &dst, &path), 0);
    ck_assert(tlsyn_addr_eq(&path.src, &second));
}
END_TEST

START_TEST(segmentation_needs_checksum_offload)
{
    struct tlsyn_addr dst = addr_of("10.0.0.9");
    struct ip_path path;

    bed.link.base.caps.gso_max = 60000;
    ck_assert_int_eq(ip_path_find(&bed.ip, &dst, &path), 0);
    ck_assert_uint_eq(path.gso_max, 0);
    bed.link.base.caps.csum = true;
    ck_assert_int_eq(ip_path_find(&bed.ip, &dst, &path), 0);
    ck_assert_uint_eq(path.gso_max, 60000);
}
END_TEST

/* Against a search that looks at every bit of every route. */
static bool contains(const struct route *r, const struct tlsyn_addr *a)
{
    for (unsigned i = 0; i < r->prefix_bits; i++) {
        if ((r->network.byte[i / 8] ^ a->byte[i / 8]) & 0x80 >> i % 8)
            return false;
    }
    return true;
}

START_TEST(random_tables_agree_with_a_plain_search)
{
    struct route kept[16];
    unsigned count = 0;
    struct routes routes;

    random_seed(&bed.random, (uint64_t)_i);
    route_init(&routes);
    for (int i = 0; i < 14; i++) {
        struct route r = {.network = addr_of("10.0.0.0"), .iface = bed.iface};

        random_u32(&bed.random.base);
        r.prefix_bits = (uint8_t)(96 + random_below(&bed.random.base, 33));
        r.network.byte[12] = (uint8_t)random_below(&bed.random.base, 3);
        r.network.byte[15] = (uint8_t)random_u32(&bed.random.base);
        if (route_insert(&routes, &bed.cx, &r) == 0)
            kept[count++] = r;
    }
    for (int i = 0; i < 200; i++) {
        struct tlsyn_addr a = addr_of("10.0.0.0");
        const struct route *found;
        int best = -1;

        a.byte[12] = (uint8_t)random_below(&bed.random.base, 3);
        a.byte[15] = (uint8_t)random_u32(&bed.random.base);
        for (unsigned k = 0; k < count; k++) {
            if (contains(&kept[k], &a) && kept[k].prefix_bits > best)
                best = kept[k].prefix_bits;
        }
        found = route_find(&routes, &a);
        ck_assert_int_eq(found ? found->prefix_bits : -1, best);
    }
    route_release(&routes, &bed.cx);
}
END_TEST

Suite *route_suite(void);

Suite *route_suite(void)
{
    Suite *suite = suite_create("route");
    TCase *tc = tcase_create("route");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, own_network_needs_no_gateway);
    tcase_add_test(tc, longest_prefix_wins_in_any_order_of_adding);
    tcase_add_test(tc, bits_behind_the_prefix_mean_nothing);
    tcase_add_test(tc, gateway_must_be_a_neighbour);
    tcase_add_test(tc, impossible_prefixes_are_refused);
    tcase_add_test(tc, groups_networks_and_ourselves_have_no_path);
    tcase_add_test(tc, table_has_a_bound);
    tcase_add_test(tc, source_is_our_address_in_the_network);
    tcase_add_test(tc, segmentation_needs_checksum_offload);
    tcase_add_loop_test(tc, random_tables_agree_with_a_plain_search, 0, 50);
    suite_add_tcase(suite, tc);
    return suite;
}
