/* link/tap: against the kernel behind it, in a namespace of the test's own. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/netlink.h"
#include "lab/veth.h"
#include "support/frames.h"
#include "support/wire.h"

#define WAIT_MS 2000

static struct test_frame sent;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];
static char name[TLSYN_TAP_NAME];

/* False, with a line on stdout, where there is no TAP device for this user. */
static bool open_tap(struct tlsyn_link **tap)
{
    int error;

    if (!test_wire_open())
        return false;
    error = tlsyn_tap_open(NULL, name, tap);
    if (error == -ENOENT || error == -EACCES || error == -EPERM) {
        printf("skipped: no TAP device for this user\n");
        return false;
    }
    ck_assert_int_eq(error, 0);
    return true;
}

/* The next frame of this IP protocol on a link; the test fails if none comes. */
static const struct tlsyn_frame *next_frame(struct tlsyn_link *link, uint8_t protocol)
{
    struct pollfd ready = {.fd = tlsyn_link_fd(link), .events = POLLIN};

    while (poll(&ready, 1, WAIT_MS) == 1) {
        const uint8_t *bytes;

        ck_assert_int_ge(tlsyn_link_receive(link, got, 1, 1), 0);
        bytes = got[0].iov[0].iov_base;
        if (got[0].iov[0].iov_len > 34 && bytes[12] == 8 && bytes[13] == 0 && bytes[23] == protocol)
            return &got[0];
    }
    ck_abort_msg("nothing came");
    return NULL;
}

START_TEST(what_we_send_the_interface_receives_super_frames_among_it)
{
    const struct tlsyn_afpacket_options bridge = {.promiscuous = true};
    struct tlsyn_link *tap, *beside;
    const struct tlsyn_frame *frame;

    if (!open_tap(&tap))
        return;
    ck_assert(tap->caps.csum);
    ck_assert_uint_eq(tap->caps.mtu, 1500);
    ck_assert_int_eq(tlsyn_afpacket_open(name, &bridge, &beside), 0);
    ck_assert_mem_ne(tap->caps.hwaddr, beside->caps.hwaddr, 6);
    test_frame_make(&sent, 1000, 5);
    ck_assert_int_eq(tlsyn_link_transmit(tap, &sent.frame, 1, 0), 1);
    frame = next_frame(beside, 6);
    ck_assert_uint_eq(frame->iov[0].iov_len, 1000);
    ck_assert_mem_eq(frame->iov[0].iov_base, sent.bytes, 1000);
    test_frame_make(&sent, 54 + tap->caps.gso_max, 6);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(tap, &sent.frame, 1, 0), 1);
    frame = next_frame(beside, 6);
    ck_assert_uint_eq(frame->iov[0].iov_len, 54 + tap->caps.gso_max);
    ck_assert_int_eq(frame->gso_type, TLSYN_GSO_TCP4);
    ck_assert_uint_eq(frame->gso_size, 1460);
    test_frame_make(&sent, 1515, 7);
    ck_assert_int_eq(tlsyn_link_transmit(tap, &sent.frame, 1, 0), -EMSGSIZE);
    tlsyn_link_close(beside);
    tlsyn_link_close(tap);
}
END_TEST

START_TEST(what_the_kernel_sends_comes_with_an_unfinished_checksum)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    const struct tlsyn_frame *frame;
    struct tlsyn_link *tap;
    int on = 1, fd, nl;

    if (!open_tap(&tap))
        return;
    nl = netlink_open();
    ck_assert_int_eq(veth_address(nl, name, "10.9.0.1", 24), 0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
    ck_assert_int_eq(inet_pton(AF_INET, "10.9.0.255", &to.sin_addr), 1);
    ck_assert_int_eq(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
    frame = next_frame(tap, 17);
    ck_assert_uint_eq(frame->iov[0].iov_len, 47);
    ck_assert_int_eq(frame->flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_uint_eq(frame->csum_start, 34);
    ck_assert_uint_eq(frame->csum_offset, 6);
    close(fd);
    close(nl);
    tlsyn_link_close(tap);
}
END_TEST

START_TEST(each_reason_not_to_open_has_its_error)
{
    struct tlsyn_link *tap, *other;
    char made[TLSYN_TAP_NAME];

    if (!open_tap(&tap))
        return;
    ck_assert_int_eq(tlsyn_tap_open(name, made, &other), -EBUSY);
    ck_assert_int_eq(tlsyn_tap_open(TEST_WIRE_NEAR, made, &other), -EINVAL);
    ck_assert_int_eq(tlsyn_tap_open("a-name-longer-than-any", made, &other), -ENODEV);
    tlsyn_link_close(tap);
    ck_assert_int_eq(tlsyn_tap_open(name, made, &tap), 0); /* it went with its link */
    ck_assert_str_eq(made, name);
    tlsyn_link_close(tap);
}
END_TEST

Suite *link_tap_suite(void);

Suite *link_tap_suite(void)
{
    Suite *suite = suite_create("link_tap");
    TCase *tests = tcase_create("tests");

    tcase_add_test(tests, what_we_send_the_interface_receives_super_frames_among_it);
    tcase_add_test(tests, what_the_kernel_sends_comes_with_an_unfinished_checksum);
    tcase_add_test(tests, each_reason_not_to_open_has_its_error);
    suite_add_tcase(suite, tests);
    return suite;
}
