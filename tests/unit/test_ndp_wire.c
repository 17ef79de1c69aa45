/* wire/ndp against libnet, and every message through emit and parse. */
#include <check.h>
#include <errno.h>

#include "support/reference.h"
#include "wire/ip6.h"
#include "wire/ndp.h"

#define ICMP_AT (14 + 40)

static const uint8_t hw[6] = {2, 0, 0, 0, 0, 1};
static const struct libnet_in6_addr from = {.__u6_addr.__u6_addr8 = {0xfd, 0x77, [15] = 1}};
static const struct libnet_in6_addr to = {.__u6_addr.__u6_addr8 = {0xfd, 0x77, [15] = 2}};

static void put_ip(struct reference *r)
{
    libnet_build_ipv6(0, 0, 24 + 8, IP6_ICMP, 255, from, to, NULL, 0, r->net, 0);
    libnet_build_ethernet(hw, hw, 0x86dd, NULL, 0, r->net, 0);
    reference_cull(r);
}

static void assert_emits_the_same(const struct reference *r, const struct wire_ndp *ndp)
{
    uint8_t bytes[NDP_MESSAGE_MAX];
    int len = wire_ndp_emit(ndp, bytes, sizeof(bytes));

    ck_assert_int_eq(len, (int)r->len - ICMP_AT);
    memcpy(bytes + 2, r->packet + ICMP_AT + 2, 2); /* the checksum */
    ck_assert_mem_eq(bytes, r->packet + ICMP_AT, (size_t)len);
    for (int room = 0; room < len; room++)
        ck_assert_int_eq(wire_ndp_emit(ndp, bytes, (size_t)room), -ENOSPC);
}

START_TEST(a_solicitation_agrees_with_libnet)
{
    uint8_t option[6];
    struct reference r;
    struct wire_ndp ndp;

    memcpy(option, hw, 6);
    reference_open(&r);
    libnet_build_icmpv6_ndp_opt(1, option, 6, r.net, 0);
    libnet_build_icmpv6_ndp_nsol(ICMP6_NEIGHBOUR_SOLICITATION, 0, 0, to, NULL, 0, r.net, 0);
    put_ip(&r);
    ck_assert_int_eq(wire_ndp_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &ndp), 0);
    ck_assert_uint_eq(ndp.type, ICMP6_NEIGHBOUR_SOLICITATION);
    ck_assert_mem_eq(ndp.target.byte, &to, 16);
    ck_assert(ndp.has_source_hw && !ndp.has_target_hw);
    ck_assert_mem_eq(ndp.source_hw, hw, 6);
    assert_emits_the_same(&r, &ndp);
    for (size_t len = 0; len < 32; len++)
        ck_assert_int_eq(wire_ndp_parse(r.packet + ICMP_AT, len, &ndp), len == 24 ? 0 : -EMSGSIZE);
    reference_close(&r);
}
END_TEST

START_TEST(an_advertisement_agrees_with_libnet)
{
    static const uint32_t flags[] = {0x80000000, 0x40000000, 0x20000000, 0xe0000000, 0};
    uint8_t option[6];
    struct reference r;
    struct wire_ndp ndp;

    memcpy(option, hw, 6);
    reference_open(&r);
    libnet_build_icmpv6_ndp_opt(2, option, 6, r.net, 0);
    libnet_build_icmpv6_ndp_nadv(ICMP6_NEIGHBOUR_ADVERTISEMENT, 0, 0, flags[_i], to, NULL, 0, r.net,
                                 0);
    put_ip(&r);
    ck_assert_int_eq(wire_ndp_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &ndp), 0);
    ck_assert(ndp.router == !!(flags[_i] & 0x80000000));
    ck_assert(ndp.solicited == !!(flags[_i] & 0x40000000));
    ck_assert(ndp.override == !!(flags[_i] & 0x20000000));
    ck_assert(ndp.has_target_hw && !ndp.has_source_hw);
    assert_emits_the_same(&r, &ndp);
    reference_close(&r);
}
END_TEST

START_TEST(a_router_advertisement_comes_back)
{
    struct wire_ndp ndp = {
        .type = ICMP6_ROUTER_ADVERTISEMENT,
        .hop_limit = 63,
        .managed = true,
        .lifetime = 1800,
        .reachable_ms = 30000,
        .retrans_ms = 1000,
        .mtu = 1400,
        .has_source_hw = true,
        .source_hw = {2, 0, 0, 0, 0, 9},
        .prefix_count = 2,
        .prefix = {{{{0x20, 1, 0xd, 0xb8}}, 64, true, true, 86400, 14400},
                   {{{0xfd, 0x77}}, 48, true, false, NDP_FOREVER, 0}},
    };
    uint8_t bytes[NDP_MESSAGE_MAX];
    struct wire_ndp back;
    int len = wire_ndp_emit(&ndp, bytes, sizeof(bytes));

    ck_assert_int_eq(len, 16 + 8 + 8 + 64);
    ck_assert_uint_eq(bytes[4], 63);
    ck_assert_uint_eq(bytes[5], 0x80);
    ck_assert_uint_eq(bytes[32 + 2], 64); /* prefix length */
    ck_assert_uint_eq(bytes[32 + 3], 0xc0);
    ck_assert_int_eq(wire_ndp_parse(bytes, (size_t)len, &back), 0);
    ck_assert(back.managed && !back.other);
    ck_assert_uint_eq(back.lifetime, 1800);
    ck_assert_uint_eq(back.reachable_ms, 30000);
    ck_assert_uint_eq(back.retrans_ms, 1000);
    ck_assert_uint_eq(back.mtu, 1400);
    ck_assert_uint_eq(back.prefix_count, 2);
    ck_assert(tlsyn_addr_eq(&back.prefix[1].prefix, &ndp.prefix[1].prefix));
    ck_assert(back.prefix[0].autonomous && !back.prefix[1].autonomous);
    ck_assert_uint_eq(back.prefix[1].valid, NDP_FOREVER);
    ck_assert_uint_eq(back.prefix[0].preferred, 14400);
}
END_TEST

START_TEST(a_redirect_comes_back)
{
    struct wire_ndp ndp = {.type = ICMP6_REDIRECT,
                           .target = {{0xfe, 0x80, [15] = 1}},
                           .destination = {{0x20, 1, [15] = 7}},
                           .has_target_hw = true,
                           .target_hw = {2, 0, 0, 0, 0, 7}};
    uint8_t bytes[NDP_MESSAGE_MAX];
    struct wire_ndp back;
    int len = wire_ndp_emit(&ndp, bytes, sizeof(bytes));

    ck_assert_int_eq(len, 48);
    ck_assert_int_eq(wire_ndp_parse(bytes, (size_t)len, &back), 0);
    ck_assert(tlsyn_addr_eq(&back.target, &ndp.target));
    ck_assert(tlsyn_addr_eq(&back.destination, &ndp.destination));
    ck_assert_mem_eq(back.target_hw, ndp.target_hw, 6);
    bytes[24] = 0xff; /* the destination is a group */
    ck_assert_int_eq(wire_ndp_parse(bytes, (size_t)len, &back), -EBADMSG);
}
END_TEST

START_TEST(what_must_be_discarded_is_refused)
{
    uint8_t bytes[32] = {ICMP6_NEIGHBOUR_SOLICITATION, [8] = 0xfe, 0x80, [24] = 1, 1};
    struct wire_ndp ndp;

    ck_assert_int_eq(wire_ndp_parse(bytes, 32, &ndp), 0);
    bytes[1] = 1; /* code */
    ck_assert_int_eq(wire_ndp_parse(bytes, 32, &ndp), -EBADMSG);
    bytes[1] = 0;
    bytes[25] = 0; /* an option of no length */
    ck_assert_int_eq(wire_ndp_parse(bytes, 32, &ndp), -EBADMSG);
    bytes[25] = 2; /* longer than the message */
    ck_assert_int_eq(wire_ndp_parse(bytes, 32, &ndp), -EMSGSIZE);
    bytes[25] = 1;
    bytes[8] = 0xff; /* a group */
    ck_assert_int_eq(wire_ndp_parse(bytes, 32, &ndp), -EBADMSG);
    bytes[8] = 0xfe;
    bytes[24] = 77; /* an option that nobody knows is passed over */
    ck_assert_int_eq(wire_ndp_parse(bytes, 32, &ndp), 0);
    ck_assert(!ndp.has_source_hw);
    bytes[0] = ICMP6_ECHO;
    ck_assert_int_eq(wire_ndp_parse(bytes, 32, &ndp), -EPROTONOSUPPORT);
}
END_TEST

START_TEST(more_prefixes_than_there_is_room_for_are_passed_over)
{
    uint8_t bytes[16 + 32 * (NDP_PREFIXES_MAX + 2)] = {ICMP6_ROUTER_ADVERTISEMENT};
    struct wire_ndp ndp;

    for (size_t at = 16; at < sizeof(bytes); at += 32) {
        bytes[at] = 3;
        bytes[at + 1] = 4;
        bytes[at + 2] = 64;
    }
    bytes[16 + 2] = 129; /* no prefix is as long */
    ck_assert_int_eq(wire_ndp_parse(bytes, sizeof(bytes), &ndp), 0);
    ck_assert_uint_eq(ndp.prefix_count, NDP_PREFIXES_MAX);
    ck_assert_uint_eq(ndp.prefix[0].len, 64);
}
END_TEST

Suite *ndp_wire_suite(void);

Suite *ndp_wire_suite(void)
{
    Suite *suite = suite_create("ndp_wire");
    TCase *tc = tcase_create("ndp");

    tcase_add_test(tc, a_solicitation_agrees_with_libnet);
    tcase_add_loop_test(tc, an_advertisement_agrees_with_libnet, 0, 5);
    tcase_add_test(tc, a_router_advertisement_comes_back);
    tcase_add_test(tc, a_redirect_comes_back);
    tcase_add_test(tc, what_must_be_discarded_is_refused);
    tcase_add_test(tc, more_prefixes_than_there_is_room_for_are_passed_over);
    suite_add_tcase(suite, tc);
    return suite;
}
