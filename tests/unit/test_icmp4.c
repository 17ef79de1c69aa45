/* wire/icmp4 against libnet. */
#include <check.h>
#include <errno.h>

#include "support/reference.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"

static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {192, 168, 3, 4};

#define ICMP_AT (14 + 20)

static void put_ip(struct reference *r, uint16_t payload_len)
{
    libnet_build_ipv4((uint16_t)(20 + payload_len), 0, 1, 0, 64, 1, 0, reference_ip4(src),
                      reference_ip4(dst), NULL, 0, r->net, 0);
    libnet_build_ethernet(src, dst, 0x0800, NULL, 0, r->net, 0);
    reference_cull(r);
}

/** The octets of the message that libnet built, which end with the packet. */
static void assert_emits_the_same(const struct reference *r, const struct wire_icmp4 *icmp)
{
    uint8_t bytes[200];
    int len = wire_icmp4_emit(icmp, bytes, sizeof(bytes));

    ck_assert_int_eq(len, (int)r->len - ICMP_AT);
    ck_assert_mem_eq(bytes, r->packet + ICMP_AT, (size_t)len);
    ck_assert(wire_icmp4_checksum_good(bytes, (size_t)len));
    bytes[len - 1] ^= 1;
    ck_assert(!wire_icmp4_checksum_good(bytes, (size_t)len));
    for (int room = 0; room < len; room++)
        ck_assert_int_eq(wire_icmp4_emit(icmp, bytes, (size_t)room), -ENOSPC);
}

START_TEST(echo_agrees_with_libnet)
{
    uint8_t type = _i ? ICMP4_ECHO_REPLY : ICMP4_ECHO;
    struct reference r;
    struct wire_icmp4 icmp;

    reference_open(&r);
    libnet_build_icmpv4_echo(type, 0, 0, 0x1234, 0xfffe, (const uint8_t *)"some data", 9, r.net, 0);
    put_ip(&r, 8 + 9);
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &icmp), 0);
    ck_assert_uint_eq(icmp.type, type);
    ck_assert_uint_eq(icmp.id, 0x1234);
    ck_assert_uint_eq(icmp.sequence, 0xfffe);
    ck_assert_uint_eq(icmp.payload_len, 9);
    ck_assert_mem_eq(icmp.payload, "some data", 9);
    assert_emits_the_same(&r, &icmp);
    reference_close(&r);
}
END_TEST

/** An error of this type that quotes a TCP datagram, of which eight octets of payload are there. */
static void build_error(struct reference *r, uint8_t type, uint8_t code)
{
    uint8_t quoted[28] = {0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, 6, [20] = 0x04, 0xd2, 0x01, 0xbb};

    memcpy(quoted + 12, dst, 4);
    memcpy(quoted + 16, src, 4);
    reference_open(r);
    if (type == ICMP4_UNREACHABLE)
        libnet_build_icmpv4_unreach(type, code, 0, quoted, 28, r->net, 0);
    else
        libnet_build_icmpv4_timeexceed(type, code, 0, quoted, 28, r->net, 0);
    put_ip(r, 8 + 28);
}

START_TEST(errors_agree_with_libnet)
{
    static const struct {
        uint8_t type, code;
    } cases[] = {
        {ICMP4_UNREACHABLE, ICMP4_PORT}, {ICMP4_UNREACHABLE, ICMP4_HOST}, {ICMP4_TIME_EXCEEDED, 0}};
    struct reference r;
    struct wire_icmp4 icmp;
    struct wire_ip4 quoted;

    build_error(&r, cases[_i].type, cases[_i].code);
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &icmp), 0);
    ck_assert_uint_eq(icmp.type, cases[_i].type);
    ck_assert_uint_eq(icmp.code, cases[_i].code);
    ck_assert(icmp4_is_error(icmp.type));
    ck_assert_uint_eq(icmp.mtu, 0);
    ck_assert_int_eq(wire_ip4_parse_quoted(icmp.payload, icmp.payload_len, &quoted), 0);
    ck_assert_uint_eq(quoted.protocol, 6);
    ck_assert_uint_eq(quoted.payload_len, ICMP4_QUOTED_MIN);
    assert_emits_the_same(&r, &icmp);
    reference_close(&r);
}
END_TEST

START_TEST(the_next_hop_mtu_is_read_of_frag_needed_only)
{
    struct reference r;
    struct wire_icmp4 icmp, back;
    uint8_t bytes[100];
    int len;

    build_error(&r, ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED);
    r.packet[ICMP_AT + 6] = 1280 >> 8;
    r.packet[ICMP_AT + 7] = 1280 & 255;
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &icmp), 0);
    ck_assert_uint_eq(icmp.mtu, 1280);
    len = wire_icmp4_emit(&icmp, bytes, sizeof(bytes));
    ck_assert_int_eq(wire_icmp4_parse(bytes, (size_t)len, &back), 0);
    ck_assert_uint_eq(back.mtu, 1280);
    r.packet[ICMP_AT + 1] = ICMP4_HOST;
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &icmp), 0);
    ck_assert_uint_eq(icmp.mtu, 0);
    reference_close(&r);
}
END_TEST

START_TEST(the_pointer_of_a_parameter_problem_is_read)
{
    struct reference r;
    struct wire_icmp4 icmp, back;
    uint8_t bytes[100];
    int len;

    build_error(&r, ICMP4_TIME_EXCEEDED, 0);
    r.packet[ICMP_AT] = ICMP4_PARAMETER_PROBLEM;
    r.packet[ICMP_AT + 4] = 9;
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &icmp), 0);
    ck_assert_uint_eq(icmp.pointer, 9);
    len = wire_icmp4_emit(&icmp, bytes, sizeof(bytes));
    ck_assert_int_eq(wire_icmp4_parse(bytes, (size_t)len, &back), 0);
    ck_assert_uint_eq(back.pointer, 9);
    reference_close(&r);
}
END_TEST

START_TEST(errors_that_quote_too_little_are_refused)
{
    struct reference r;
    struct wire_icmp4 icmp;

    build_error(&r, ICMP4_UNREACHABLE, ICMP4_PORT);
    for (size_t len = 0; len < 36; len++)
        ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, len, &icmp), -EMSGSIZE);
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, 36, &icmp), 0);
    r.packet[ICMP_AT + 8] = 0x65; /* quotes IPv6 */
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, 36, &icmp), -EBADMSG);
    r.packet[ICMP_AT + 8] = 0x42;
    ck_assert_int_eq(wire_icmp4_parse(r.packet + ICMP_AT, 36, &icmp), -EBADMSG);
    reference_close(&r);
}
END_TEST

START_TEST(other_types_are_told_apart)
{
    static const uint8_t others[] = {1, 2, 4, 5, 9, 10, 13, 14, 17, 18, 30, 255};
    uint8_t bytes[64] = {0};
    struct wire_icmp4 icmp;

    for (size_t i = 0; i < sizeof(others); i++) {
        bytes[0] = others[i];
        ck_assert_int_eq(wire_icmp4_parse(bytes, sizeof(bytes), &icmp), -EPROTONOSUPPORT);
    }
}
END_TEST

Suite *icmp4_suite(void);

Suite *icmp4_suite(void)
{
    Suite *suite = suite_create("icmp4");
    TCase *tc = tcase_create("icmp4");

    tcase_add_loop_test(tc, echo_agrees_with_libnet, 0, 2);
    tcase_add_loop_test(tc, errors_agree_with_libnet, 0, 3);
    tcase_add_test(tc, the_next_hop_mtu_is_read_of_frag_needed_only);
    tcase_add_test(tc, the_pointer_of_a_parameter_problem_is_read);
    tcase_add_test(tc, errors_that_quote_too_little_are_refused);
    tcase_add_test(tc, other_types_are_told_apart);
    suite_add_tcase(suite, tc);
    return suite;
}
