/* wire/vnet: what Linux puts before a frame, what it wants to see, and what nobody
 * should believe. */
#include <check.h>
#include <errno.h>

#include "wire/vnet.h"

#define NEEDS_CSUM 1
#define DATA_VALID 2
#define TCPV4      1
#define UDP        3
#define TCPV6      4
#define UDP_L4     5
#define ECN        0x80

/** An Ethernet frame with an IPv4 or IPv6 TCP segment in it, with 12 octets of options
 * and 2000 of text. */
struct packet {
    uint8_t bytes[14 + 40 + 32 + 2000];
    struct tlsyn_frame frame;
};

static void make(struct packet *p, bool ip6)
{
    size_t tcp = ip6 ? 54 : 34;

    memset(p, 0, sizeof(*p));
    p->bytes[14] = ip6 ? 0x60 : 0x45;
    p->bytes[14 + (ip6 ? 6 : 9)] = 6;
    p->bytes[tcp + 12] = 0x80;
    p->frame.iovcnt = 1;
    p->frame.iov[0].iov_base = p->bytes;
    p->frame.iov[0].iov_len = tcp + 32 + 2000;
}

static int parse(struct packet *p, uint8_t flags, uint8_t type, const uint16_t field[4])
{
    uint8_t header[VNET_HEADER_LEN] = {flags, type};

    memcpy(header + 2, field, 8);
    return vnet_parse(header, &p->frame);
}

/** hdr_len, gso_size, csum_start, csum_offset. */
#define FIELDS(...) ((const uint16_t[4]){__VA_ARGS__})

START_TEST(a_coalesced_frame_is_understood)
{
    struct packet p;

    make(&p, false);
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, TCPV4, FIELDS(999, 1448, 34, 16)), 0);
    ck_assert_uint_eq(p.frame.flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_uint_eq(p.frame.gso_type, TLSYN_GSO_TCP4);
    ck_assert_uint_eq(p.frame.gso_size, 1448);
    ck_assert_uint_eq(p.frame.hdr_len, 14 + 20 + 32);
    ck_assert_uint_eq(p.frame.csum_start, 34);
    ck_assert_uint_eq(p.frame.csum_offset, 16);

    make(&p, true);
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, TCPV6 | ECN, FIELDS(0, 1428, 54, 16)), 0);
    ck_assert_uint_eq(p.frame.gso_type, TLSYN_GSO_TCP6);
    ck_assert_uint_eq(p.frame.hdr_len, 14 + 40 + 32);

    make(&p, false);
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV4, FIELDS(66, 1448, 0, 0)), 0);
    ck_assert_uint_eq(p.frame.flags, TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_uint_eq(p.frame.hdr_len, 66);
}
END_TEST

START_TEST(a_plain_frame_is_understood)
{
    struct packet p;

    make(&p, false);
    p.frame.gso_type = TLSYN_GSO_TCP4; /* what was there before goes */
    p.frame.flags = 0xff;
    p.frame.gso_size = p.frame.hdr_len = p.frame.csum_start = p.frame.csum_offset = 7;
    ck_assert_int_eq(parse(&p, 0, 0, FIELDS(0, 0, 0, 0)), 0);
    ck_assert_uint_eq(p.frame.flags, 0);
    ck_assert_uint_eq(p.frame.gso_type, TLSYN_GSO_NONE);
    ck_assert_uint_eq(p.frame.gso_size, 0);
    ck_assert_uint_eq(p.frame.hdr_len, 0);
    ck_assert_uint_eq(p.frame.csum_start, 0);
    ck_assert_uint_eq(p.frame.csum_offset, 0);
    ck_assert_int_eq(parse(&p, DATA_VALID, 0, FIELDS(0, 0, 0, 0)), 0);
    ck_assert_uint_eq(p.frame.flags, TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, 0, FIELDS(0, 0, 34, 6)), 0);
    ck_assert_uint_eq(p.frame.csum_offset, 6);
}
END_TEST

START_TEST(offsets_outside_of_the_frame_are_refused)
{
    struct packet p;
    uint16_t len;

    make(&p, false);
    len = (uint16_t)p.frame.iov[0].iov_len;
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, 0, FIELDS(0, 0, (uint16_t)(len - 18), 16)), 0);
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, 0, FIELDS(0, 0, (uint16_t)(len - 17), 16)), -EBADMSG);
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, 0, FIELDS(0, 0, 0xffff, 0xffff)), -EBADMSG);
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, TCPV4, FIELDS(0, 100, 30, 16)), -EBADMSG);
    ck_assert_int_eq(parse(&p, NEEDS_CSUM, TCPV4, FIELDS(0, 100, 34, 6)), -EBADMSG);
}
END_TEST

START_TEST(a_coalesced_frame_must_be_what_it_says)
{
    struct packet p;

    make(&p, false);
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV4, FIELDS(0, 0, 0, 0)), -EBADMSG);
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV6, FIELDS(0, 100, 0, 0)), -EBADMSG);
    ck_assert_int_eq(parse(&p, DATA_VALID, UDP, FIELDS(0, 100, 0, 0)), -EPROTONOSUPPORT);
    ck_assert_int_eq(parse(&p, DATA_VALID, UDP_L4, FIELDS(0, 100, 0, 0)), -EPROTONOSUPPORT);
    p.bytes[34 + 12] = 0x40;
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV4, FIELDS(0, 100, 0, 0)), -EBADMSG);
    p.bytes[34 + 12] = 0x50;
    p.bytes[14 + 9] = 17;
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV4, FIELDS(0, 100, 0, 0)), -EBADMSG);
    p.bytes[14 + 9] = 6;
    p.bytes[14] = 0x44;
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV4, FIELDS(0, 100, 0, 0)), -EBADMSG);
    p.bytes[14] = 0x45;
    for (size_t len = 0; len < 14 + 20 + 20; len++) {
        p.frame.iov[0].iov_len = len;
        ck_assert_int_eq(parse(&p, DATA_VALID, TCPV4, FIELDS(0, 100, 0, 0)), -EBADMSG);
    }
    p.frame.iov[0].iov_len = 54;
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV4, FIELDS(0, 100, 0, 0)), 0);
    make(&p, true);
    p.bytes[14 + 6] = 17;
    ck_assert_int_eq(parse(&p, DATA_VALID, TCPV6, FIELDS(0, 100, 0, 0)), -EBADMSG);
}
END_TEST

static void to_be_segmented(struct packet *p)
{
    make(p, false);
    p->frame.iov[0].iov_len = 66;
    p->frame.iov[1].iov_base = p->bytes + 66;
    p->frame.iov[1].iov_len = 2000;
    p->frame.iovcnt = 2;
    p->frame.flags = TLSYN_FRAME_CSUM_PARTIAL;
    p->frame.gso_type = TLSYN_GSO_TCP4;
    p->frame.gso_size = 1448;
    p->frame.hdr_len = 66;
    p->frame.csum_start = 34;
    p->frame.csum_offset = 16;
}

START_TEST(a_frame_to_be_segmented_is_as_linux_wants_it)
{
    uint8_t header[VNET_HEADER_LEN];
    struct packet p;

    to_be_segmented(&p);
    ck_assert_int_eq(vnet_emit(&p.frame, header), 0);
    ck_assert_uint_eq(header[0], NEEDS_CSUM);
    ck_assert_uint_eq(header[1], TCPV4);
    ck_assert_mem_eq(header + 2, FIELDS(66, 1448, 34, 16), 8);
    p.frame.gso_type = TLSYN_GSO_TCP6;
    ck_assert_int_eq(vnet_emit(&p.frame, header), 0);
    ck_assert_uint_eq(header[1], TCPV6);
    p.bytes[34 + 13] = 0x80; /* CWR */
    ck_assert_int_eq(vnet_emit(&p.frame, header), 0);
    ck_assert_uint_eq(header[1], TCPV6 | ECN);
}
END_TEST

START_TEST(a_plain_frame_has_a_zero_header)
{
    uint8_t header[VNET_HEADER_LEN];
    struct packet p;

    make(&p, false);
    memset(header, 0xff, sizeof(header));
    ck_assert_int_eq(vnet_emit(&p.frame, header), 0);
    ck_assert_mem_eq(header, ((const uint8_t[VNET_HEADER_LEN]){0}), VNET_HEADER_LEN);
    p.frame.flags = TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED;
    p.frame.csum_start = 34;
    p.frame.csum_offset = 16;
    ck_assert_int_eq(vnet_emit(&p.frame, header), 0);
    ck_assert_uint_eq(header[0], NEEDS_CSUM);
    ck_assert_mem_eq(header + 2, FIELDS(0, 0, 34, 16), 8);
}
END_TEST

START_TEST(what_linux_would_refuse_is_refused)
{
    uint8_t header[VNET_HEADER_LEN];
    struct packet p;

    to_be_segmented(&p);
    p.frame.flags = 0;
    ck_assert_int_eq(vnet_emit(&p.frame, header), -EINVAL);
    to_be_segmented(&p);
    p.frame.gso_size = 0;
    ck_assert_int_eq(vnet_emit(&p.frame, header), -EINVAL);
    to_be_segmented(&p);
    p.frame.csum_offset = 6;
    ck_assert_int_eq(vnet_emit(&p.frame, header), -EINVAL);
    to_be_segmented(&p);
    p.frame.hdr_len = 67;
    ck_assert_int_eq(vnet_emit(&p.frame, header), -EINVAL);
    p.frame.hdr_len = 53;
    ck_assert_int_eq(vnet_emit(&p.frame, header), -EINVAL);
    to_be_segmented(&p);
    p.frame.csum_start = 60;
    ck_assert_int_eq(vnet_emit(&p.frame, header), -EINVAL);
}
END_TEST

START_TEST(what_is_emitted_is_parsed)
{
    uint8_t header[VNET_HEADER_LEN];
    struct packet p;
    struct tlsyn_frame whole;

    to_be_segmented(&p);
    ck_assert_int_eq(vnet_emit(&p.frame, header), 0);
    whole = (struct tlsyn_frame){.iovcnt = 1, .iov = {{p.bytes, 2066}}};
    ck_assert_int_eq(vnet_parse(header, &whole), 0);
    ck_assert_uint_eq(whole.flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_uint_eq(whole.gso_type, p.frame.gso_type);
    ck_assert_uint_eq(whole.gso_size, p.frame.gso_size);
    ck_assert_uint_eq(whole.hdr_len, p.frame.hdr_len);
    ck_assert_uint_eq(whole.csum_start, p.frame.csum_start);
    ck_assert_uint_eq(whole.csum_offset, p.frame.csum_offset);
}
END_TEST

Suite *vnet_suite(void);

Suite *vnet_suite(void)
{
    Suite *suite = suite_create("vnet");
    TCase *tc = tcase_create("vnet");

    tcase_add_test(tc, a_coalesced_frame_is_understood);
    tcase_add_test(tc, a_plain_frame_is_understood);
    tcase_add_test(tc, offsets_outside_of_the_frame_are_refused);
    tcase_add_test(tc, a_coalesced_frame_must_be_what_it_says);
    tcase_add_test(tc, a_frame_to_be_segmented_is_as_linux_wants_it);
    tcase_add_test(tc, a_plain_frame_has_a_zero_header);
    tcase_add_test(tc, what_linux_would_refuse_is_refused);
    tcase_add_test(tc, what_is_emitted_is_parsed);
    suite_add_tcase(suite, tc);
    return suite;
}
