/* wire/arp against libnet. */
#include <check.h>
#include <errno.h>

#include "support/reference.h"
#include "wire/arp.h"

static const uint8_t sender_hw[6] = {2, 1, 2, 3, 4, 5}, target_hw[6] = {6, 5, 4, 3, 2, 1};
static const uint8_t sender[4] = {10, 0, 0, 1}, target[4] = {10, 0, 0, 254};

static void build(struct reference *r, uint16_t hardware, uint16_t protocol, uint16_t op)
{
    reference_open(r);
    libnet_build_arp(hardware, protocol, 6, 4, op, sender_hw, sender, target_hw, target, NULL, 0,
                     r->net, 0);
    libnet_build_ethernet(target_hw, sender_hw, ETHER_TYPE_ARP, NULL, 0, r->net, 0);
    reference_cull(r);
}

START_TEST(agrees_with_libnet)
{
    uint16_t op = _i ? ARP_REPLY : ARP_REQUEST;
    struct tlsyn_addr from = tlsyn_addr_ip4(sender), to = tlsyn_addr_ip4(target);
    uint8_t bytes[ARP_LEN];
    struct reference r;
    struct wire_arp arp;

    build(&r, 1, ETHER_TYPE_IP4, op);
    ck_assert_uint_ge(r.len, ETHER_HEADER_LEN + ARP_LEN);
    ck_assert_int_eq(wire_arp_parse(r.packet + 14, r.len - 14, &arp), 0);
    ck_assert_uint_eq(arp.op, op);
    ck_assert_mem_eq(arp.sender_hw, sender_hw, 6);
    ck_assert_mem_eq(arp.target_hw, target_hw, 6);
    ck_assert(tlsyn_addr_eq(&arp.sender, &from));
    ck_assert(tlsyn_addr_eq(&arp.target, &to));
    ck_assert_int_eq(wire_arp_emit(&arp, bytes, sizeof(bytes)), ARP_LEN);
    ck_assert_mem_eq(bytes, r.packet + 14, ARP_LEN);
    reference_close(&r);
}
END_TEST

static int parse(uint16_t hardware, uint16_t protocol, uint16_t op)
{
    struct reference r;
    struct wire_arp arp;
    int result;

    build(&r, hardware, protocol, op);
    result = wire_arp_parse(r.packet + 14, ARP_LEN, &arp);
    reference_close(&r);
    return result;
}

START_TEST(other_networks_and_operations_are_refused)
{
    ck_assert_int_eq(parse(1, ETHER_TYPE_IP4, ARP_REPLY), 0);
    ck_assert_int_eq(parse(6, ETHER_TYPE_IP4, ARP_REPLY), -EBADMSG);
    ck_assert_int_eq(parse(1, ETHER_TYPE_IP6, ARP_REPLY), -EBADMSG);
    ck_assert_int_eq(parse(1, ETHER_TYPE_IP4, 3), -EBADMSG);
    ck_assert_int_eq(parse(1, ETHER_TYPE_IP4, 0), -EBADMSG);
}
END_TEST

START_TEST(lying_address_lengths_are_refused)
{
    struct reference r;
    struct wire_arp arp;

    build(&r, 1, ETHER_TYPE_IP4, ARP_REQUEST);
    r.packet[14 + 4] = 8;
    ck_assert_int_eq(wire_arp_parse(r.packet + 14, ARP_LEN, &arp), -EBADMSG);
    r.packet[14 + 4] = 6;
    r.packet[14 + 5] = 16;
    ck_assert_int_eq(wire_arp_parse(r.packet + 14, ARP_LEN, &arp), -EBADMSG);
    for (size_t len = 0; len < ARP_LEN; len++)
        ck_assert_int_eq(wire_arp_parse(r.packet + 14, len, &arp), -EMSGSIZE);
    reference_close(&r);
}
END_TEST

START_TEST(short_room_is_refused)
{
    struct wire_arp arp = {.op = ARP_REQUEST};
    uint8_t bytes[ARP_LEN];

    for (size_t room = 0; room < ARP_LEN; room++)
        ck_assert_int_eq(wire_arp_emit(&arp, bytes, room), -ENOSPC);
}
END_TEST

Suite *arp_suite(void);

Suite *arp_suite(void)
{
    Suite *suite = suite_create("arp");
    TCase *tc = tcase_create("arp");

    tcase_add_loop_test(tc, agrees_with_libnet, 0, 2);
    tcase_add_test(tc, other_networks_and_operations_are_refused);
    tcase_add_test(tc, lying_address_lengths_are_refused);
    tcase_add_test(tc, short_room_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}
