/* rtnetlink requests: the bytes that the builder makes, read back with the kernel's own macros. */
#include "lab/netlink.h"

#include <check.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const struct ifinfomsg family = {.ifi_family = 7, .ifi_index = 42};

START_TEST(a_request_starts_with_both_headers)
{
    struct netlink_request r;

    netlink_begin(&r, RTM_NEWLINK, NLM_F_CREATE, &family, sizeof(family));
    ck_assert_uint_eq(r.len, NLMSG_LENGTH(sizeof(family)));
    ck_assert_uint_eq(r.header.nlmsg_type, RTM_NEWLINK);
    ck_assert_uint_eq(r.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);
    ck_assert_mem_eq(NLMSG_DATA(&r.header), &family, sizeof(family));
}
END_TEST

START_TEST(attributes_are_padded_and_their_lengths_are_not)
{
    struct netlink_request r;

    netlink_begin(&r, RTM_NEWLINK, 0, &family, sizeof(family));
    size_t start = r.len;
    netlink_put_text(&r, IFLA_IFNAME, "eth0"); /* 5 octets with the zero */
    netlink_put_u32(&r, IFLA_MTU, 1500);

    struct rtattr *name = (struct rtattr *)(void *)(r.bytes + start);
    ck_assert_uint_eq(name->rta_type, IFLA_IFNAME);
    ck_assert_uint_eq(RTA_PAYLOAD(name), 5);
    ck_assert_str_eq(RTA_DATA(name), "eth0");
    struct rtattr *mtu = (struct rtattr *)(void *)(r.bytes + start + RTA_SPACE(5));
    uint32_t value = 0;
    ck_assert_uint_eq(mtu->rta_type, IFLA_MTU);
    ck_assert_uint_eq(RTA_PAYLOAD(mtu), 4);
    memcpy(&value, RTA_DATA(mtu), sizeof(value));
    ck_assert_uint_eq(value, 1500);
    ck_assert_uint_eq(r.len, start + RTA_SPACE(5) + RTA_SPACE(4));
}
END_TEST

START_TEST(a_nest_holds_what_was_put_between_its_ends)
{
    struct netlink_request r;

    netlink_begin(&r, RTM_NEWLINK, 0, &family, sizeof(family));
    size_t outer = netlink_nest(&r, 1);
    size_t inner = netlink_nest(&r, 2);
    netlink_append(&r, &family, sizeof(family));
    netlink_put_u32(&r, 3, 9);
    netlink_end(&r, inner);
    netlink_end(&r, outer);
    netlink_put_u32(&r, 4, 9);

    struct rtattr *attribute = (struct rtattr *)(void *)(r.bytes + outer);
    ck_assert_uint_eq(attribute->rta_len, RTA_LENGTH(RTA_LENGTH(sizeof(family) + RTA_LENGTH(4))));
    attribute = RTA_DATA(attribute);
    ck_assert_uint_eq(attribute->rta_type, 2);
    ck_assert_uint_eq(RTA_PAYLOAD(attribute), sizeof(family) + RTA_LENGTH(4));
    ck_assert_mem_eq(RTA_DATA(attribute), &family, sizeof(family));
}
END_TEST

START_TEST(a_request_that_outgrew_its_buffer_is_never_sent)
{
    struct netlink_request r;

    netlink_begin(&r, RTM_NEWLINK, 0, &family, sizeof(family));
    for (uint32_t i = 0; i < sizeof(r.bytes) / 8 + 1; i++)
        netlink_put_u32(&r, 1, i);
    ck_assert_uint_le(r.len, sizeof(r.bytes));
    ck_assert_int_eq(netlink_talk(-1, &r), -EMSGSIZE);
}
END_TEST

START_TEST(the_kernel_answers_with_its_error)
{
    struct ifinfomsg no_such = {.ifi_family = 0, .ifi_index = 0x7ffffff0, .ifi_change = 1};
    struct netlink_request r;
    int fd = netlink_open();

    ck_assert_int_ge(fd, 0);
    netlink_begin(&r, RTM_NEWLINK, 0, &no_such, sizeof(no_such));
    int status = netlink_talk(fd, &r);
    ck_assert_msg(status == -ENODEV || status == -EPERM, "the answer is %d", status);
}
END_TEST

Suite *netlink_suite(void);

Suite *netlink_suite(void)
{
    Suite *suite = suite_create("netlink");
    TCase *request = tcase_create("request");

    tcase_add_test(request, a_request_starts_with_both_headers);
    tcase_add_test(request, attributes_are_padded_and_their_lengths_are_not);
    tcase_add_test(request, a_nest_holds_what_was_put_between_its_ends);
    tcase_add_test(request, a_request_that_outgrew_its_buffer_is_never_sent);
    tcase_add_test(request, the_kernel_answers_with_its_error);
    suite_add_tcase(suite, request);
    return suite;
}
