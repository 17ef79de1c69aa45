/* wire/ip4 against libnet; every length that can lie. */
#include <errno.h>

#include "core/random.h"
#include "support/holds.h"
#include "support/reference.h"
#include "wire/ip4.h"

static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {192, 168, 3, 4};

/** A datagram of 20 + 5 octets, or with 8 octets of options more. */
static void build(struct reference *r, uint16_t fragment, bool options)
{
    static const uint8_t nops[8] = {1, 1, 1, 1, 1, 1, 1, 0};
    uint16_t len = options ? 33 : 25;

    reference_open(r);
    if (options)
        libnet_build_ipv4_options(nops, 8, r->net, 0);
    libnet_build_ipv4(len, 0x10, 0xbeef, fragment, 63, 17, 0, reference_ip4(src),
                      reference_ip4(dst), options ? NULL : (const uint8_t *)"hello",
                      options ? 0 : 5, r->net, 0);
    libnet_build_ethernet(src, dst, 0x0800, NULL, 0, r->net, 0);
    reference_cull(r);
}

START_TEST(agrees_with_libnet)
{
    static const uint16_t fragment[] = {0, 0x4000, 0x2000, 0x2000 | 185, 0x1fff};
    struct tlsyn_addr from = tlsyn_addr_ip4(src), to = tlsyn_addr_ip4(dst);
    uint8_t bytes[IP4_HEADER_LEN];
    struct reference r;
    struct wire_ip4 ip;

    build(&r, fragment[_i], false);
    ck_assert_int_eq(wire_ip4_parse(r.packet + 14, r.len - 14, &ip), 0);
    ck_assert(tlsyn_addr_eq(&ip.src, &from));
    ck_assert(tlsyn_addr_eq(&ip.dst, &to));
    ck_assert_uint_eq(ip.header_len, 20);
    ck_assert_uint_eq(ip.total_len, 25);
    ck_assert_uint_eq(ip.tos, 0x10);
    ck_assert_uint_eq(ip.id, 0xbeef);
    ck_assert_uint_eq(ip.ttl, 63);
    ck_assert_uint_eq(ip.protocol, 17);
    ck_assert(ip.df == !!(fragment[_i] & 0x4000));
    ck_assert(ip.mf == !!(fragment[_i] & 0x2000));
    ck_assert_uint_eq(ip.offset, (fragment[_i] & 0x1fff) * 8);
    ck_assert_uint_eq(ip.payload_len, 5);
    ck_assert_mem_eq(ip.payload, "hello", 5);
    ck_assert(wire_ip4_checksum_good(r.packet + 14, ip.header_len));
    ck_assert_int_eq(wire_ip4_emit(&ip, bytes, sizeof(bytes)), IP4_HEADER_LEN);
    ck_assert_mem_eq(bytes, r.packet + 14, IP4_HEADER_LEN);
    reference_close(&r);
}
END_TEST

START_TEST(options_are_skipped)
{
    struct reference r;
    struct wire_ip4 ip;

    build(&r, 0, true);
    ck_assert_uint_eq(r.packet[14], 0x47);
    r.packet[14 + 2] = 0; /* libnet was told 33; only header and options are there */
    r.packet[14 + 3] = 28;
    ck_assert_int_eq(wire_ip4_parse(r.packet + 14, r.len - 14, &ip), 0);
    ck_assert_uint_eq(ip.header_len, 28);
    ck_assert_uint_eq(ip.payload_len, 0);
    ck_assert_ptr_eq(ip.payload, r.packet + 14 + 28);
    ck_assert_int_eq(wire_ip4_parse(r.packet + 14, 27, &ip), -EMSGSIZE);
    r.packet[14 + 3] = 27;
    ck_assert_int_eq(wire_ip4_parse(r.packet + 14, r.len - 14, &ip), -EBADMSG);
    reference_close(&r);
}
END_TEST

START_TEST(padding_of_the_frame_is_no_payload)
{
    uint8_t bytes[60] = {0};
    struct wire_ip4 ip = {.total_len = 22, .ttl = 1}, back;

    ip.src = tlsyn_addr_ip4(src);
    ip.dst = tlsyn_addr_ip4(dst);
    wire_ip4_emit(&ip, bytes, sizeof(bytes));
    ck_assert_int_eq(wire_ip4_parse(bytes, sizeof(bytes), &back), 0);
    ck_assert_uint_eq(back.payload_len, 2);
}
END_TEST

START_TEST(lies_are_found)
{
    struct reference r;
    struct wire_ip4 ip;
    uint8_t *bytes;

    build(&r, 0, false);
    bytes = r.packet + 14;
    for (size_t len = 0; len < 25; len++)
        ck_assert_int_eq(wire_ip4_parse(bytes, len, &ip), -EMSGSIZE);
    bytes[3] = 26;
    ck_assert_int_eq(wire_ip4_parse(bytes, 25, &ip), -EMSGSIZE);
    bytes[3] = 19;
    ck_assert_int_eq(wire_ip4_parse(bytes, 25, &ip), -EBADMSG);
    bytes[3] = 25;
    bytes[0] = 0x44;
    ck_assert_int_eq(wire_ip4_parse(bytes, 25, &ip), -EBADMSG);
    bytes[0] = 0x4f;
    ck_assert_int_eq(wire_ip4_parse(bytes, 25, &ip), -EBADMSG);
    bytes[0] = 0x65;
    ck_assert_int_eq(wire_ip4_parse(bytes, 25, &ip), -EPROTONOSUPPORT);
    reference_close(&r);
}
END_TEST

/* R1122-1 */
START_TEST(one_flipped_bit_breaks_the_checksum)
{
    struct reference r;

    build(&r, 0x4000, false);
    for (int bit = 0; bit < 160; bit++) {
        r.packet[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        HOLDS(!wire_ip4_checksum_good(r.packet + 14, 20));
        r.packet[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert(wire_ip4_checksum_good(r.packet + 14, 20));
    reference_close(&r);
}
END_TEST

START_TEST(a_quoted_datagram_may_be_cut_short)
{
    struct reference r;
    struct wire_ip4 ip;

    build(&r, 0, false);
    ck_assert_int_eq(wire_ip4_parse_quoted(r.packet + 14, 23, &ip), 0);
    ck_assert_uint_eq(ip.total_len, 25);
    ck_assert_uint_eq(ip.payload_len, 3);
    ck_assert_int_eq(wire_ip4_parse_quoted(r.packet + 14, 40, &ip), 0);
    ck_assert_uint_eq(ip.payload_len, 5);
    ck_assert_int_eq(wire_ip4_parse_quoted(r.packet + 14, 19, &ip), -EMSGSIZE);
    reference_close(&r);
}
END_TEST

START_TEST(what_is_emitted_is_parsed)
{
    struct random_seeded random;
    static uint8_t bytes[65535];

    random_seed(&random, 6);
    for (int round = 0; round < 5000; round++) {
        struct wire_ip4 ip = {.header_len = IP4_HEADER_LEN}, back;
        uint32_t word = random_u32(&random.base);
        uint8_t octets[8];

        random.base.fill(&random.base, octets, sizeof(octets));
        ip.src = tlsyn_addr_ip4(octets);
        ip.dst = tlsyn_addr_ip4(octets + 4);
        ip.id = (uint16_t)random_u32(&random.base);
        ip.tos = (uint8_t)word;
        ip.ttl = (uint8_t)(word >> 8);
        ip.protocol = (uint8_t)(word >> 16);
        ip.df = word >> 24 & 1;
        ip.mf = word >> 25 & 1;
        ip.offset = (uint16_t)(8 * random_below(&random.base, 8192));
        ip.total_len = (uint16_t)(20 + random_below(&random.base, 65516));
        HOLDS(wire_ip4_emit(&ip, bytes, sizeof(bytes)) == IP4_HEADER_LEN);
        HOLDS(wire_ip4_checksum_good(bytes, IP4_HEADER_LEN));
        HOLDS(wire_ip4_parse(bytes, sizeof(bytes), &back) == 0);
        HOLDS(tlsyn_addr_eq(&back.src, &ip.src) && tlsyn_addr_eq(&back.dst, &ip.dst));
        HOLDS(back.header_len == 20 && back.total_len == ip.total_len);
        HOLDS(back.tos == ip.tos && back.ttl == ip.ttl && back.protocol == ip.protocol);
        HOLDS(back.df == ip.df && back.mf == ip.mf && back.offset == ip.offset);
        HOLDS(back.id == ip.id && back.payload_len == ip.total_len - 20);
    }
    for (size_t room = 0; room < IP4_HEADER_LEN; room++) {
        struct wire_ip4 ip = {.total_len = 20};

        ck_assert_int_eq(wire_ip4_emit(&ip, bytes, room), -ENOSPC);
    }
}
END_TEST

Suite *ip4_suite(void);

Suite *ip4_suite(void)
{
    Suite *suite = suite_create("ip4");
    TCase *tc = tcase_create("ip4");

    tcase_add_loop_test(tc, agrees_with_libnet, 0, 5);
    tcase_add_test(tc, options_are_skipped);
    tcase_add_test(tc, padding_of_the_frame_is_no_payload);
    tcase_add_test(tc, lies_are_found);
    tcase_add_test(tc, one_flipped_bit_breaks_the_checksum);
    tcase_add_test(tc, a_quoted_datagram_may_be_cut_short);
    tcase_add_test(tc, what_is_emitted_is_parsed);
    suite_add_tcase(suite, tc);
    return suite;
}
