/* wire/icmp6 and wire/mld: against libnet, and against the figures of the RFCs. */
#include <check.h>
#include <errno.h>

#include "support/reference.h"
#include "wire/icmp6.h"
#include "wire/ip6.h"
#include "wire/mld.h"

#define ICMP_AT (14 + 40)

static const uint8_t hw[6] = {2, 0, 0, 0, 0, 1};
static const struct libnet_in6_addr from = {.__u6_addr.__u6_addr8 = {0xfd, 0x77, [15] = 1}};
static const struct libnet_in6_addr to = {.__u6_addr.__u6_addr8 = {0xfd, 0x77, [15] = 2}};

static void put_ip(struct reference *r, uint16_t payload_len)
{
    libnet_build_ipv6(0, 0, payload_len, IP6_ICMP, 64, from, to, NULL, 0, r->net, 0);
    libnet_build_ethernet(hw, hw, 0x86dd, NULL, 0, r->net, 0);
    reference_cull(r);
}

/** The octets of the message that libnet built, which end with the packet. */
static void assert_emits_the_same(const struct reference *r, const struct wire_icmp6 *icmp)
{
    struct tlsyn_addr src, dst;
    uint8_t bytes[200];
    int len = wire_icmp6_emit(icmp, bytes, sizeof(bytes));

    memcpy(src.byte, &from, 16);
    memcpy(dst.byte, &to, 16);
    ck_assert_int_eq(len, (int)r->len - ICMP_AT);
    wire_icmp6_checksum(&src, &dst, bytes, (size_t)len);
    ck_assert_mem_eq(bytes, r->packet + ICMP_AT, (size_t)len);
    ck_assert(wire_icmp6_checksum_good(&src, &dst, bytes, (size_t)len));
    dst.byte[15] ^= 4; /* the pseudo-header is covered too */
    ck_assert(!wire_icmp6_checksum_good(&src, &dst, bytes, (size_t)len));
    for (int room = 0; room < len; room++)
        ck_assert_int_eq(wire_icmp6_emit(icmp, bytes, (size_t)room), -ENOSPC);
}

START_TEST(echo_agrees_with_libnet)
{
    uint8_t type = _i ? ICMP6_ECHO_REPLY : ICMP6_ECHO, data[] = "some data";
    struct reference r;
    struct wire_icmp6 icmp;

    reference_open(&r);
    libnet_build_icmpv6_echo(type, 0, 0, 0x1234, 0xfffe, data, 9, r.net, 0);
    put_ip(&r, 8 + 9);
    ck_assert_int_eq(wire_icmp6_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &icmp), 0);
    ck_assert_uint_eq(icmp.type, type);
    ck_assert_uint_eq(icmp.id, 0x1234);
    ck_assert_uint_eq(icmp.sequence, 0xfffe);
    ck_assert_uint_eq(icmp.payload_len, 9);
    ck_assert_mem_eq(icmp.payload, "some data", 9);
    assert_emits_the_same(&r, &icmp);
    reference_close(&r);
}
END_TEST

START_TEST(unreachable_agrees_with_libnet)
{
    uint8_t quoted[48] = {0x60, [6] = 6};
    struct reference r;
    struct wire_icmp6 icmp;

    reference_open(&r);
    libnet_build_icmpv6_unreach(ICMP6_UNREACHABLE, ICMP6_PORT, 0, quoted, sizeof(quoted), r.net, 0);
    put_ip(&r, 8 + sizeof(quoted));
    ck_assert_int_eq(wire_icmp6_parse(r.packet + ICMP_AT, r.len - ICMP_AT, &icmp), 0);
    ck_assert_uint_eq(icmp.type, ICMP6_UNREACHABLE);
    ck_assert_uint_eq(icmp.code, ICMP6_PORT);
    ck_assert(icmp6_is_error(icmp.type));
    ck_assert_uint_eq(icmp.payload_len, sizeof(quoted));
    ck_assert_mem_eq(icmp.payload, quoted, sizeof(quoted));
    assert_emits_the_same(&r, &icmp);
    reference_close(&r);
}
END_TEST

START_TEST(the_word_means_what_the_type_says)
{
    static const uint8_t bytes[8] = {0, 0, 0, 0, 0, 1, 0x05, 0};
    uint8_t message[8];
    struct wire_icmp6 icmp;

    memcpy(message, bytes, 8);
    message[0] = ICMP6_PACKET_TOO_BIG;
    ck_assert_int_eq(wire_icmp6_parse(message, 8, &icmp), 0);
    ck_assert_uint_eq(icmp.mtu, 0x10500);
    ck_assert_uint_eq(icmp.pointer, 0);
    ck_assert_int_eq(wire_icmp6_emit(&icmp, message, 8), 8);
    ck_assert_mem_eq(message + 4, bytes + 4, 4);
    message[0] = ICMP6_PARAMETER_PROBLEM;
    ck_assert_int_eq(wire_icmp6_parse(message, 8, &icmp), 0);
    ck_assert_uint_eq(icmp.pointer, 0x10500);
    ck_assert_uint_eq(icmp.mtu, 0);
    ck_assert_int_eq(wire_icmp6_emit(&icmp, message, 8), 8);
    ck_assert_mem_eq(message + 4, bytes + 4, 4);
    for (size_t len = 0; len < 8; len++)
        ck_assert_int_eq(wire_icmp6_parse(message, len, &icmp), -EMSGSIZE);
}
END_TEST

START_TEST(other_types_are_told_apart)
{
    static const uint8_t others[] = {0, 5, 100, 127, 130, 133, 135, 143, 255};
    uint8_t bytes[64] = {0};
    struct wire_icmp6 icmp;

    for (size_t i = 0; i < sizeof(others); i++) {
        bytes[0] = others[i];
        ck_assert_int_eq(wire_icmp6_parse(bytes, sizeof(bytes), &icmp), -EPROTONOSUPPORT);
    }
}
END_TEST

START_TEST(queries_for_listeners_are_read)
{
    uint8_t bytes[40] = {ICMP6_MLD_QUERY, 0, 0, 0, 0x27, 0x10};
    struct wire_mld_query query;

    ck_assert_int_eq(wire_mld_query_parse(bytes, MLD1_LEN, &query), 0);
    ck_assert(query.version1 && tlsyn_addr_unspecified(&query.group));
    ck_assert_uint_eq(query.max_delay_ms, 10000);
    ck_assert_int_eq(wire_mld_query_parse(bytes, MLD2_QUERY_LEN, &query), 0);
    ck_assert(!query.version1);
    bytes[4] = 0x80; /* exponent 0, mantissa 1: 0x1001 << 3 */
    bytes[5] = 0x01;
    ck_assert_int_eq(wire_mld_query_parse(bytes, MLD2_QUERY_LEN, &query), 0);
    ck_assert_uint_eq(query.max_delay_ms, 0x1001 << 3);
    bytes[4] = bytes[5] = 0xff;
    ck_assert_int_eq(wire_mld_query_parse(bytes, MLD2_QUERY_LEN, &query), 0);
    ck_assert_uint_eq(query.max_delay_ms, 8387584); /* RFC 3810 5.1.3's largest */
    for (size_t len = 0; len < MLD2_QUERY_LEN; len++) {
        if (len != MLD1_LEN)
            ck_assert_int_eq(wire_mld_query_parse(bytes, len, &query), -EMSGSIZE);
    }
    bytes[8] = 0xfe;
    ck_assert_int_eq(wire_mld_query_parse(bytes, MLD2_QUERY_LEN, &query), -EBADMSG);
    bytes[0] = ICMP6_MLD2_REPORT;
    ck_assert_int_eq(wire_mld_query_parse(bytes, MLD2_QUERY_LEN, &query), -EPROTONOSUPPORT);
}
END_TEST

START_TEST(reports_of_listeners_are_written)
{
    static const uint8_t want[MLD2_REPORT_LEN + MLD2_RECORD_LEN] = {
        143, [7] = 1, [8] = 4, [12] = 0xff, 2, [23] = 1, 0xff, 0xaa, 0xbb, 0xcc};
    struct tlsyn_addr addr = {.byte = {[13] = 0xaa, [14] = 0xbb, [15] = 0xcc}};
    struct tlsyn_addr group = ip6_solicited_node(&addr);
    uint8_t bytes[sizeof(want)];

    ck_assert_int_eq(wire_mld_report_emit(MLD2_TO_EXCLUDE, &group, 1, bytes, sizeof(bytes)),
                     sizeof(want));
    ck_assert_mem_eq(bytes, want, sizeof(want));
    ck_assert_int_eq(wire_mld_report_emit(MLD2_TO_EXCLUDE, &group, 1, bytes, sizeof(want) - 1),
                     -ENOSPC);
    ck_assert_int_eq(wire_mld1_emit(ICMP6_MLD1_REPORT, &group, bytes, sizeof(bytes)), MLD1_LEN);
    ck_assert_uint_eq(bytes[0], 131);
    ck_assert_mem_eq(bytes + 8, group.byte, 16);
    ck_assert_int_eq(wire_mld1_emit(ICMP6_MLD1_REPORT, &group, bytes, 23), -ENOSPC);
}
END_TEST

Suite *icmp6_suite(void);

Suite *icmp6_suite(void)
{
    Suite *suite = suite_create("icmp6");
    TCase *tc = tcase_create("icmp6");

    tcase_add_loop_test(tc, echo_agrees_with_libnet, 0, 2);
    tcase_add_test(tc, unreachable_agrees_with_libnet);
    tcase_add_test(tc, the_word_means_what_the_type_says);
    tcase_add_test(tc, other_types_are_told_apart);
    tcase_add_test(tc, queries_for_listeners_are_read);
    tcase_add_test(tc, reports_of_listeners_are_written);
    suite_add_tcase(suite, tc);
    return suite;
}
