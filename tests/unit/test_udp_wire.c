/* wire/udp against libnet. */
#include <check.h>
#include <errno.h>

#include "support/reference.h"
#include "wire/checksum.h"
#include "wire/udp.h"

static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {192, 168, 3, 4};

#define UDP_AT (14 + 20)

static void build(struct reference *r)
{
    reference_open(r);
    libnet_build_udp(1234, 53, 8 + 5, 0, (const uint8_t *)"hello", 5, r->net, 0);
    libnet_build_ipv4(20 + 8 + 5, 0, 1, 0, 64, 17, 0, reference_ip4(src), reference_ip4(dst), NULL,
                      0, r->net, 0);
    libnet_build_ethernet(src, dst, 0x0800, NULL, 0, r->net, 0);
    reference_cull(r);
}

START_TEST(agrees_with_libnet)
{
    struct tlsyn_addr from = tlsyn_addr_ip4(src), to = tlsyn_addr_ip4(dst);
    struct checksum sum = {0};
    uint8_t bytes[UDP_HEADER_LEN];
    struct reference r;
    struct wire_udp udp;

    build(&r);
    ck_assert_int_eq(wire_udp_parse(r.packet + UDP_AT, r.len - UDP_AT, &udp), 0);
    ck_assert_uint_eq(udp.src_port, 1234);
    ck_assert_uint_eq(udp.dst_port, 53);
    ck_assert_uint_eq(udp.len, 13);
    ck_assert_uint_eq(udp.payload_len, 5);
    ck_assert_mem_eq(udp.payload, "hello", 5);
    ck_assert_int_eq(wire_udp_emit(&udp, bytes, sizeof(bytes)), UDP_HEADER_LEN);
    ck_assert_mem_eq(bytes, r.packet + UDP_AT, UDP_HEADER_LEN);
    checksum_pseudo(&sum, &from, &to, 17, 13);
    checksum_add(&sum, r.packet + UDP_AT, 13);
    ck_assert(checksum_good(&sum));
    reference_close(&r);
}
END_TEST

START_TEST(lies_are_found)
{
    struct reference r;
    struct wire_udp udp = {0};
    uint8_t *bytes, room[8];

    build(&r);
    bytes = r.packet + UDP_AT;
    for (size_t len = 0; len < 13; len++)
        ck_assert_int_eq(wire_udp_parse(bytes, len, &udp), -EMSGSIZE);
    bytes[5] = 7;
    ck_assert_int_eq(wire_udp_parse(bytes, 13, &udp), -EBADMSG);
    bytes[5] = 9; /* what is behind the length is no payload */
    ck_assert_int_eq(wire_udp_parse(bytes, 13, &udp), 0);
    ck_assert_uint_eq(udp.payload_len, 1);
    for (size_t i = 0; i < UDP_HEADER_LEN; i++)
        ck_assert_int_eq(wire_udp_emit(&udp, room, i), -ENOSPC);
    reference_close(&r);
}
END_TEST

Suite *udp_wire_suite(void);

Suite *udp_wire_suite(void)
{
    Suite *suite = suite_create("udp_wire");
    TCase *tc = tcase_create("udp_wire");

    tcase_add_test(tc, agrees_with_libnet);
    tcase_add_test(tc, lies_are_found);
    suite_add_tcase(suite, tc);
    return suite;
}
