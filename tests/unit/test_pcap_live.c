/* link/pcap: libpcap and libnet over a real pair of interfaces, against link/afpacket at
 * the other end. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "support/frames.h"
#include "support/wire.h"

#define WAIT_MS 2000

static struct test_frame sent;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];
static char message[TLSYN_PCAP_MESSAGE];
static struct tlsyn_link *near, *far; /* near: afpacket, far: pcap */

static tlsyn_time clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
}

static bool open_both(const char *filter)
{
    if (!test_wire_open())
        return false;
    ck_assert_int_eq(tlsyn_afpacket_open(TEST_WIRE_NEAR, NULL, &near), 0);
    ck_assert_int_eq(tlsyn_pcap_open(TEST_WIRE_FAR, filter, message, &far), 0);
    return true;
}

static void close_both(void)
{
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}

/* Waits for one frame; 1, 0 after some time, or the link's error. */
static int await_frame(struct tlsyn_link *link, int wait_ms)
{
    struct pollfd ready = {.fd = tlsyn_link_fd(link), .events = POLLIN};
    int n = 0;

    while (n == 0 && poll(&ready, 1, wait_ms) == 1)
        n = tlsyn_link_receive(link, got, 1, clock_now());
    return n;
}

START_TEST(frames_are_captured_with_their_time)
{
    tlsyn_time before, after;

    if (!open_both("tcp"))
        return;
    ck_assert_mem_eq(far->caps.hwaddr, test_wire_far_hwaddr, 6);
    ck_assert_uint_eq(far->caps.mtu, 1500);
    ck_assert(!far->caps.csum);
    ck_assert_uint_eq(far->caps.gso_max, 0);
    before = clock_now();
    test_frame_make(&sent, 700, 3);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    after = clock_now();
    ck_assert_int_eq(await_frame(far, WAIT_MS), 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, 700);
    ck_assert_mem_eq(got[0].iov[0].iov_base, sent.bytes, 700);
    ck_assert_int_eq(got[0].flags, 0);
    ck_assert_int_ge(got[0].when, before - 2);
    ck_assert_int_le(got[0].when, after + 2);
    close_both();
}
END_TEST

START_TEST(frames_are_injected_and_not_captured_again)
{
    struct tlsyn_frame pieces;

    if (!open_both("tcp"))
        return;
    test_frame_make(&sent, 700, 3);
    memset(sent.bytes, 0xff, 6); /* for everybody: the injecting end too, if it were to hear it */
    memcpy(sent.bytes + 6, test_wire_far_hwaddr, 6);
    pieces = sent.frame;
    pieces.iov[0].iov_len = 54;
    pieces.iov[1] = (struct iovec){sent.bytes + 54, 646};
    pieces.iovcnt = 2;
    ck_assert_int_eq(tlsyn_link_transmit(far, &pieces, 1, 0), 1);
    ck_assert_int_eq(await_frame(near, WAIT_MS), 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, 700);
    ck_assert_mem_eq(got[0].iov[0].iov_base, sent.bytes, 700);
    ck_assert_int_eq(await_frame(far, 50), 0);
    test_frame_make(&sent, 1515, 3);
    ck_assert_int_eq(tlsyn_link_transmit(far, &sent.frame, 1, 0), -EMSGSIZE);
    close_both();
}
END_TEST

START_TEST(the_filter_and_the_address_decide_what_is_taken)
{
    if (!open_both("tcp and greater 300"))
        return;
    test_frame_make(&sent, 200, 1); /* too short */
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    test_frame_make(&sent, 400, 2);
    sent.bytes[5] = 9; /* for somebody else */
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    test_frame_make(&sent, 400, 3);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(await_frame(far, WAIT_MS), 1);
    ck_assert_uint_eq(test_frame_number(&got[0]), 3);
    close_both();
}
END_TEST

START_TEST(a_super_frame_with_an_unfinished_checksum_is_taken_for_what_it_is)
{
    if (!open_both("tcp"))
        return;
    test_frame_make(&sent, 54 + 64240, 1);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(await_frame(far, WAIT_MS), 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, 54 + 64240);
    ck_assert_int_eq(got[0].flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    close_both();
}
END_TEST

START_TEST(an_interface_that_goes_down_ends_the_link)
{
    if (!open_both(NULL))
        return;
    test_wire_down(TEST_WIRE_FAR);
    while (await_frame(far, WAIT_MS) > 0) {
        /* what was on the way */
    }
    ck_assert_int_eq(tlsyn_link_receive(far, got, 1, clock_now()), -ENETDOWN);
    test_frame_make(&sent, 100, 1);
    ck_assert_int_eq(tlsyn_link_transmit(far, &sent.frame, 1, 0), -ENETDOWN);
    close_both();
}
END_TEST

START_TEST(each_reason_not_to_open_has_its_error_and_a_sentence)
{
    if (!test_wire_open())
        return;
    ck_assert_int_eq(tlsyn_pcap_open("nowhere", NULL, message, &far), -ENODEV);
    ck_assert_ptr_nonnull(strstr(message, "nowhere"));
    ck_assert_int_eq(tlsyn_pcap_open(TEST_WIRE_FAR, "tcp prot 1", message, &far), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "tcp prot 1"));
    test_wire_down(TEST_WIRE_FAR);
    ck_assert_int_eq(tlsyn_pcap_open(TEST_WIRE_FAR, NULL, message, &far), -ENETDOWN);
    ck_assert_uint_gt(strlen(message), strlen(TEST_WIRE_FAR));
}
END_TEST

Suite *pcap_live_suite(void);

Suite *pcap_live_suite(void)
{
    Suite *suite = suite_create("pcap_live");
    TCase *tc = tcase_create("interface");

    tcase_add_test(tc, frames_are_captured_with_their_time);
    tcase_add_test(tc, frames_are_injected_and_not_captured_again);
    tcase_add_test(tc, the_filter_and_the_address_decide_what_is_taken);
    tcase_add_test(tc, a_super_frame_with_an_unfinished_checksum_is_taken_for_what_it_is);
    tcase_add_test(tc, an_interface_that_goes_down_ends_the_link);
    tcase_add_test(tc, each_reason_not_to_open_has_its_error_and_a_sentence);
    suite_add_tcase(suite, tc);
    return suite;
}
