/* wire/ether against libnet. */
#include <check.h>
#include <errno.h>

#include "support/reference.h"
#include "wire/ether.h"

static const uint8_t ours[6] = {2, 1, 2, 3, 4, 5}, theirs[6] = {6, 0xaa, 0xbb, 0xcc, 0xdd, 0xee};

START_TEST(agrees_with_libnet)
{
    static const uint8_t payload[] = "payload";
    struct reference r;
    struct wire_ether ether;
    uint8_t bytes[ETHER_HEADER_LEN];

    reference_open(&r);
    libnet_build_ethernet(ours, theirs, 0x86dd, payload, 7, r.net, 0);
    reference_cull(&r);
    ck_assert_int_eq(wire_ether_parse(r.packet, r.len, &ether), 0);
    ck_assert_mem_eq(ether.dst, ours, 6);
    ck_assert_mem_eq(ether.src, theirs, 6);
    ck_assert_uint_eq(ether.type, ETHER_TYPE_IP6);
    ck_assert_uint_eq(ether.payload_len, 7);
    ck_assert_mem_eq(ether.payload, payload, 7);
    ck_assert_int_eq(wire_ether_emit(&ether, bytes, sizeof(bytes)), ETHER_HEADER_LEN);
    ck_assert_mem_eq(bytes, r.packet, ETHER_HEADER_LEN);
    reference_close(&r);
}
END_TEST

START_TEST(a_short_frame_or_room_is_refused)
{
    uint8_t bytes[ETHER_HEADER_LEN] = {0};
    struct wire_ether ether = {0};

    for (size_t len = 0; len < ETHER_HEADER_LEN; len++) {
        ck_assert_int_eq(wire_ether_parse(bytes, len, &ether), -EMSGSIZE);
        ck_assert_int_eq(wire_ether_emit(&ether, bytes, len), -ENOSPC);
    }
    ck_assert_int_eq(wire_ether_parse(bytes, ETHER_HEADER_LEN, &ether), 0);
    ck_assert_uint_eq(ether.payload_len, 0);
}
END_TEST

START_TEST(groups_are_told_by_their_first_bit)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t multicast[6] = {0x01, 0x00, 0x5e, 0, 0, 1};

    ck_assert(ether_is_group(broadcast));
    ck_assert(ether_is_group(multicast));
    ck_assert(!ether_is_group(ours));
}
END_TEST

Suite *ether_suite(void);

Suite *ether_suite(void)
{
    Suite *suite = suite_create("ether");
    TCase *tc = tcase_create("ether");

    tcase_add_test(tc, agrees_with_libnet);
    tcase_add_test(tc, a_short_frame_or_room_is_refused);
    tcase_add_test(tc, groups_are_told_by_their_first_bit);
    suite_add_tcase(suite, tc);
    return suite;
}
