/* wire/dhcp against libnet, and what lies. RFC 2131, RFC 2132. */
#include <check.h>
#include <errno.h>

#include "support/ip_bed.h"
#include "support/reference.h"
#include "wire/dhcp.h"

Suite *dhcp_wire_suite(void);

static const uint8_t hardware[16] = {2, 0, 0, 0, 0, 7};

#define DHCP_AT (14 + 20 + 8)

/* An offer as libnet builds it, with these options. */
static void build(struct reference *r, const uint8_t *options, uint8_t len)
{
    uint8_t chaddr[16];

    memcpy(chaddr, hardware, sizeof(chaddr));
    reference_open(r);
    char sname[64] = {0}, file[128] = {0};
    libnet_build_dhcpv4(2, 1, 6, 0, 0x12345678, 9, 0x8000, 0, 0x0a000009, 0, 0, chaddr, sname, file,
                        options, len, r->net, 0);
    uint16_t size = (uint16_t)(LIBNET_DHCPV4_H + len);
    libnet_build_udp(67, 68, (uint16_t)(8 + size), 0, NULL, 0, r->net, 0);
    libnet_build_ipv4((uint16_t)(28 + size), 0, 1, 0, 64, 17, 0, 0, 0, NULL, 0, r->net, 0);
    libnet_build_ethernet(hardware, hardware, 0x0800, NULL, 0, r->net, 0);
    reference_cull(r);
}

static int parses(const uint8_t *options, uint8_t len, struct wire_dhcp *dhcp)
{
    struct reference r;

    build(&r, options, len);
    int result = wire_dhcp_parse(r.packet + DHCP_AT, r.len - DHCP_AT, dhcp);
    reference_close(&r);
    return result;
}

static bool is(const struct tlsyn_addr *addr, const char *text)
{
    struct tlsyn_addr wanted = addr_of(text);

    return tlsyn_addr_eq(addr, &wanted);
}

START_TEST(an_offer_of_libnet_is_read)
{
    static const uint8_t options[] = {53, 1, 2, 1,  4, 255, 255, 255, 0,  3,  8, 10, 0, 0,  1, 10,
                                      0,  0, 2, 6,  8, 9,   9,   9,   9,  8,  8, 8,  8, 54, 4, 10,
                                      0,  0, 3, 51, 4, 0,   0,   14,  16, 58, 4, 0,  0, 7,  8, 255};
    struct wire_dhcp dhcp;

    ck_assert_int_eq(parses(options, sizeof(options), &dhcp), 0);
    ck_assert_int_eq(dhcp.type, DHCP_OFFER);
    ck_assert_uint_eq(dhcp.xid, 0x12345678);
    ck_assert_mem_eq(dhcp.chaddr, hardware, 6);
    ck_assert(dhcp.broadcast && is(&dhcp.yiaddr, "10.0.0.9"));
    ck_assert(is(&dhcp.mask, "255.255.255.0") && is(&dhcp.router, "10.0.0.1"));
    ck_assert(is(&dhcp.server, "10.0.0.3"));
    ck_assert_uint_eq(dhcp.dns_count, 2);
    ck_assert(is(&dhcp.dns[1], "8.8.8.8"));
    ck_assert_uint_eq(dhcp.lease, 3600);
    ck_assert_uint_eq(dhcp.t1, 1800);
    ck_assert_uint_eq(dhcp.t2, 0);
}
END_TEST

START_TEST(options_that_lie_are_refused)
{
    static const uint8_t past_the_end[] = {53, 1, 2, 3, 200, 10, 0, 0, 1};
    static const uint8_t cut_off[] = {53, 1, 2, 3};
    static const uint8_t too_short[] = {53, 1, 2, 1, 2, 255, 255, 255};
    static const uint8_t no_type[] = {1, 4, 255, 255, 255, 0, 255};
    static const uint8_t odd_type[] = {53, 1, 99, 255};
    struct wire_dhcp dhcp;

    ck_assert_int_eq(parses(past_the_end, sizeof(past_the_end), &dhcp), -EMSGSIZE);
    ck_assert_int_eq(parses(cut_off, sizeof(cut_off), &dhcp), -EMSGSIZE);
    ck_assert_int_eq(parses(too_short, sizeof(too_short), &dhcp), -EBADMSG);
    ck_assert_int_eq(parses(no_type, sizeof(no_type), &dhcp), -EBADMSG);
    ck_assert_int_eq(parses(odd_type, sizeof(odd_type), &dhcp), -EBADMSG);
}
END_TEST

START_TEST(what_is_no_dhcp_is_refused)
{
    static const uint8_t options[] = {53, 1, 2, 255};
    static const struct {
        size_t at;
        uint8_t value;
    } broken[] = {{0, 3}, {1, 6}, {2, 16}, {236, 0}};
    struct reference r;
    struct wire_dhcp dhcp;

    build(&r, options, sizeof(options));
    uint8_t *bytes = r.packet + DHCP_AT;
    ck_assert_int_eq(wire_dhcp_parse(bytes, 239, &dhcp), -EMSGSIZE);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        uint8_t before = bytes[broken[i].at];

        bytes[broken[i].at] = broken[i].value;
        ck_assert_int_eq(wire_dhcp_parse(bytes, r.len - DHCP_AT, &dhcp), -EBADMSG);
        bytes[broken[i].at] = before;
    }
    ck_assert_int_eq(wire_dhcp_parse(bytes, r.len - DHCP_AT, &dhcp), 0);
    reference_close(&r);
}
END_TEST

/* RFC 2132 9.3: `file` first, `sname` behind it, each up to its own end. */
START_TEST(options_in_other_fields_are_read)
{
    static const uint8_t options[] = {53, 1, 2, 52, 1, 3, 255};
    static const uint8_t in_file[] = {51, 4, 0, 0, 0, 60, 255};
    static const uint8_t in_sname[] = {54, 4, 10, 0, 0, 3, 51, 4, 0, 0, 0, 70, 255};
    struct reference r;
    struct wire_dhcp dhcp;

    build(&r, options, sizeof(options));
    uint8_t *bytes = r.packet + DHCP_AT;
    memcpy(bytes + 44, in_sname, sizeof(in_sname));
    memcpy(bytes + 108, in_file, sizeof(in_file));
    ck_assert_int_eq(wire_dhcp_parse(bytes, r.len - DHCP_AT, &dhcp), 0);
    ck_assert_uint_eq(dhcp.lease, 60);
    ck_assert(is(&dhcp.server, "10.0.0.3"));
    reference_close(&r);
}
END_TEST

START_TEST(what_is_emitted_is_parsed)
{
    struct wire_dhcp sent = {
        .op = DHCP_BOOTREQUEST,
        .type = DHCP_REQUEST,
        .xid = 0xcafe,
        .secs = 3,
        .broadcast = true,
        .ciaddr = addr_of("0.0.0.0"),
        .yiaddr = addr_of("0.0.0.0"),
        .chaddr = {2, 0, 0, 0, 0, 7},
        .requested = addr_of("10.0.0.9"),
        .server = addr_of("10.0.0.3"),
        .lease = 120,
    };
    uint8_t bytes[DHCP_MESSAGE_MAX];
    struct wire_dhcp read;

    int len = wire_dhcp_emit(&sent, bytes, sizeof(bytes));
    ck_assert_int_eq(len, DHCP_MESSAGE_MIN);
    ck_assert_int_eq(wire_dhcp_parse(bytes, (size_t)len, &read), 0);
    ck_assert_int_eq(read.type, DHCP_REQUEST);
    ck_assert_uint_eq(read.xid, 0xcafe);
    ck_assert(read.broadcast && is(&read.requested, "10.0.0.9") && is(&read.server, "10.0.0.3"));
    ck_assert_uint_eq(read.lease, 120);
    ck_assert_int_eq(wire_dhcp_emit(&sent, bytes, 250), -ENOSPC);
}
END_TEST

Suite *dhcp_wire_suite(void)
{
    Suite *suite = suite_create("dhcp_wire");
    TCase *tc = tcase_create("dhcp_wire");

    tcase_add_test(tc, an_offer_of_libnet_is_read);
    tcase_add_test(tc, options_that_lie_are_refused);
    tcase_add_test(tc, what_is_no_dhcp_is_refused);
    tcase_add_test(tc, options_in_other_fields_are_read);
    tcase_add_test(tc, what_is_emitted_is_parsed);
    suite_add_tcase(suite, tc);
    return suite;
}
