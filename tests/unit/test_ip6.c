/* wire/ip6 against libnet; every length that can lie, every chain that can break. */
#include <errno.h>

#include "support/holds.h"
#include "support/reference.h"
#include "wire/ip6.h"

static const uint8_t hw[6] = {2, 0, 0, 0, 0, 1};
static const struct libnet_in6_addr from = {.__u6_addr.__u6_addr8 = {0xfd, 0x77, [15] = 1}};
static const struct libnet_in6_addr to = {.__u6_addr.__u6_addr8 = {0xfd, 0x77, [15] = 2}};

START_TEST(agrees_with_libnet)
{
    uint8_t bytes[IP6_HEADER_LEN];
    struct reference r;
    struct wire_ip6 ip;

    reference_open(&r);
    /* libnet writes the lowest octet of the flow label in the place of the middle one, too */
    libnet_build_ipv6(0xa5, 0x14545, 5, 17, 63, from, to, (const uint8_t *)"hello", 5, r.net, 0);
    libnet_build_ethernet(hw, hw, 0x86dd, NULL, 0, r.net, 0);
    reference_cull(&r);
    ck_assert_int_eq(wire_ip6_parse(r.packet + 14, r.len - 14, &ip), 0);
    ck_assert_mem_eq(ip.src.byte, &from, 16);
    ck_assert_mem_eq(ip.dst.byte, &to, 16);
    ck_assert_uint_eq(ip.tos, 0xa5);
    ck_assert_uint_eq(ip.flow, 0x14545);
    ck_assert_uint_eq(ip.next, 17);
    ck_assert_uint_eq(ip.hop_limit, 63);
    ck_assert_uint_eq(ip.payload_len, 5);
    ck_assert_mem_eq(ip.payload, "hello", 5);
    ck_assert_int_eq(wire_ip6_emit(&ip, bytes, sizeof(bytes)), IP6_HEADER_LEN);
    ck_assert_mem_eq(bytes, r.packet + 14, IP6_HEADER_LEN);
    for (size_t room = 0; room < IP6_HEADER_LEN; room++)
        ck_assert_int_eq(wire_ip6_emit(&ip, bytes, room), -ENOSPC);
    reference_close(&r);
}
END_TEST

/** A datagram with this payload. */
static size_t build(uint8_t next, const uint8_t *payload, size_t len, uint8_t *bytes)
{
    struct wire_ip6 ip = {.next = next, .hop_limit = 64, .payload_len = (uint16_t)len};

    memcpy(ip.src.byte, &from, 16);
    memcpy(ip.dst.byte, &to, 16);
    wire_ip6_emit(&ip, bytes, IP6_HEADER_LEN);
    memcpy(bytes + IP6_HEADER_LEN, payload, len);
    return IP6_HEADER_LEN + len;
}

START_TEST(lies_are_found)
{
    uint8_t bytes[64] = {0};
    struct wire_ip6 ip;

    build(6, (const uint8_t *)"hello", 5, bytes);
    for (size_t len = 0; len < 45; len++)
        ck_assert_int_eq(wire_ip6_parse(bytes, len, &ip), -EMSGSIZE);
    ck_assert_int_eq(wire_ip6_parse(bytes, sizeof(bytes), &ip), 0);
    ck_assert_uint_eq(ip.payload_there, 5); /* the frame's padding is none of it */
    ck_assert_int_eq(wire_ip6_parse_quoted(bytes, 43, &ip), 0);
    ck_assert_uint_eq(ip.payload_len, 5);
    ck_assert_uint_eq(ip.payload_there, 3);
    ck_assert_int_eq(wire_ip6_parse_quoted(bytes, 39, &ip), -EMSGSIZE);
    bytes[0] = 0x45;
    ck_assert_int_eq(wire_ip6_parse(bytes, sizeof(bytes), &ip), -EPROTONOSUPPORT);
}
END_TEST

/** What the walk says of a datagram. */
static int walk(uint8_t next, const uint8_t *payload, size_t len, struct wire_ip6_chain *chain)
{
    static uint8_t bytes[4096];
    struct wire_ip6 ip;

    HOLDS(wire_ip6_parse(bytes, build(next, payload, len, bytes), &ip) == 0);
    return wire_ip6_walk(&ip, chain);
}

START_TEST(a_chain_ends_at_its_protocol)
{
    static const uint8_t payload[] = {
        60,  0,   5, 2,  0, 0, 1, 0,                         /* hop-by-hop: router alert, PadN */
        43,  1,   1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* destination options: PadN */
        6,   0,   4, 0,  0, 0, 0, 0,                         /* routing header, no segments left */
        'x', 'y',
    };
    struct wire_ip6_chain chain;

    ck_assert_int_eq(walk(IP6_HOP_BY_HOP, payload, sizeof(payload), &chain), 0);
    ck_assert_uint_eq(chain.protocol, 6);
    ck_assert_uint_eq(chain.payload_len, 2);
    ck_assert_mem_eq(chain.payload, "xy", 2);
    ck_assert_uint_eq(chain.protocol_at, 40 + 24);
    for (size_t len = 0; len < 32; len++)
        ck_assert_int_eq(walk(IP6_HOP_BY_HOP, payload, len, &chain), -EMSGSIZE);
    ck_assert_int_eq(walk(17, payload, sizeof(payload), &chain), 0);
    ck_assert_uint_eq(chain.protocol, 17);
    ck_assert_uint_eq(chain.protocol_at, 6);
    ck_assert_uint_eq(chain.payload_len, sizeof(payload));
}
END_TEST

START_TEST(a_chain_ends_at_a_fragment_header)
{
    static const uint8_t payload[] = {44, 0, 1,    4,    0,    0,    0,    0,   6,
                                      0,  1, 0x41, 0xde, 0xad, 0xbe, 0xef, 't', 'e'};
    struct wire_ip6_chain chain;
    struct wire_ip6_fragment fragment;
    uint8_t bytes[IP6_FRAGMENT_LEN];

    ck_assert_int_eq(walk(IP6_DESTINATION, payload, sizeof(payload), &chain), 0);
    ck_assert_uint_eq(chain.protocol, IP6_FRAGMENT);
    ck_assert_uint_eq(chain.payload_len, 10);
    ck_assert_int_eq(wire_ip6_fragment_parse(chain.payload, chain.payload_len, &fragment), 0);
    ck_assert_uint_eq(fragment.next, 6);
    ck_assert_uint_eq(fragment.offset, 0x140);
    ck_assert(fragment.mf);
    ck_assert_uint_eq(fragment.id, 0xdeadbeef);
    ck_assert_int_eq(wire_ip6_fragment_emit(&fragment, bytes, sizeof(bytes)), IP6_FRAGMENT_LEN);
    ck_assert_mem_eq(bytes, chain.payload, IP6_FRAGMENT_LEN);
    ck_assert_int_eq(wire_ip6_fragment_parse(chain.payload, 7, &fragment), -EMSGSIZE);
}
END_TEST

/* R8200-2 */
START_TEST(unknown_options_do_as_they_are_told)
{
    static const struct {
        uint8_t type;
        int result;
        bool to_group;
    } cases[] = {
        {0x3e, 0, false}, {0x7e, -EBADMSG, false}, {0xbe, -EPROTO, true}, {0xc2, -EPROTO, false}};
    uint8_t payload[] = {6, 0, 0, cases[_i].type, 1, 9, 0, 0, 'x'};
    struct wire_ip6_chain chain;

    ck_assert_int_eq(walk(IP6_DESTINATION, payload, sizeof(payload), &chain), cases[_i].result);
    if (cases[_i].result != -EPROTO)
        return;
    ck_assert_uint_eq(chain.problem, 2);
    ck_assert_uint_eq(chain.problem_pointer, 43);
    ck_assert(chain.problem_to_group == cases[_i].to_group);
}
END_TEST

/* R8200-1 */
START_TEST(what_is_wrong_is_pointed_at)
{
    static const struct {
        uint8_t next, problem, pointer;
        uint8_t payload[16];
    } cases[] = {
        {IP6_ROUTING, 0, 42, {6, 0, 0, 1}},     /* type 0, RFC 5095 */
        {IP6_DESTINATION, 1, 40, {0, 0, 1, 4}}, /* hop-by-hop options in the second place */
        {IP6_HOP_BY_HOP, 0, 43, {6, 0, 1, 5}},  /* an option longer than its header */
        {IP6_HOP_BY_HOP, 0, 48, {6, 0, 1, 3, 0, 0, 0, 5}}, /* an option without a length */
    };
    struct wire_ip6_chain chain;

    ck_assert_int_eq(walk(cases[_i].next, cases[_i].payload, 16, &chain), -EPROTO);
    ck_assert_uint_eq(chain.problem, cases[_i].problem);
    ck_assert_uint_eq(chain.problem_pointer, cases[_i].pointer);
    ck_assert(!chain.problem_to_group);
}
END_TEST

START_TEST(a_chain_without_end_is_refused)
{
    uint8_t payload[8 * (IP6_EXTENSIONS_MAX + 1)] = {0};
    struct wire_ip6_chain chain;

    for (size_t i = 0; i < sizeof(payload); i += 8)
        payload[i] = IP6_DESTINATION;
    ck_assert_int_eq(walk(IP6_DESTINATION, payload, sizeof(payload), &chain), -EBADMSG);
    payload[sizeof(payload) - 16] = 6;
    ck_assert_int_eq(walk(IP6_DESTINATION, payload, sizeof(payload), &chain), 0);
}
END_TEST

START_TEST(addresses_have_groups_and_scopes)
{
    struct tlsyn_addr addr = {.byte = {0xfe, 0x80, [13] = 0xab, [14] = 0xcd, [15] = 0xef}}, group;
    static const uint8_t want[6] = {0x33, 0x33, 0xff, 0xab, 0xcd, 0xef};
    struct tlsyn_addr mapped = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 1});
    uint8_t hwaddr[6];

    group = ip6_solicited_node(&addr);
    ip6_group_hwaddr(&group, hwaddr);
    ck_assert_mem_eq(hwaddr, want, 6);
    ck_assert(ip6_is_multicast(&group) && !ip6_is_host(&group));
    ck_assert(ip6_is_link_local(&addr) && ip6_is_host(&addr));
    ck_assert(!ip6_is_host(&mapped));
    addr.byte[1] = 0xc0; /* the old site-local range */
    ck_assert(!ip6_is_link_local(&addr));
}
END_TEST

Suite *ip6_suite(void);

Suite *ip6_suite(void)
{
    Suite *suite = suite_create("ip6");
    TCase *tc = tcase_create("ip6");

    tcase_add_test(tc, agrees_with_libnet);
    tcase_add_test(tc, lies_are_found);
    tcase_add_test(tc, a_chain_ends_at_its_protocol);
    tcase_add_test(tc, a_chain_ends_at_a_fragment_header);
    tcase_add_loop_test(tc, unknown_options_do_as_they_are_told, 0, 4);
    tcase_add_loop_test(tc, what_is_wrong_is_pointed_at, 0, 4);
    tcase_add_test(tc, a_chain_without_end_is_refused);
    tcase_add_test(tc, addresses_have_groups_and_scopes);
    suite_add_tcase(suite, tc);
    return suite;
}
