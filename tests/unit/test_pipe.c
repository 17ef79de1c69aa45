/* link/pipe: two ends in memory; what leaves one arrives at the other, as it was and in order. */
#include <check.h>
#include <errno.h>

#include "support/frames.h"

static const struct tlsyn_link_caps plain = {.mtu = 1500};
static const struct tlsyn_link_caps offloading = {.mtu = 1500, .gso_max = 65455, .csum = true};

static struct tlsyn_link *end[2];
static struct test_frame sent;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];

static void open_pipe(const struct tlsyn_link_caps *caps, int depth)
{
    ck_assert_int_eq(tlsyn_pipe_open(caps, depth, end), 0);
}

static void close_pipe(void)
{
    tlsyn_link_close(end[0]);
    tlsyn_link_close(end[1]);
}

static void send_number(uint32_t number)
{
    test_frame_make(&sent, 100, number);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 7), 1);
}

START_TEST(frames_arrive_in_order_at_the_other_end_only)
{
    open_pipe(&plain, 10);
    for (uint32_t i = 0; i < 5; i++)
        send_number(i);
    ck_assert_int_eq(tlsyn_link_receive(end[0], got, 10, 8), 0);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 3, 8), 3);
    ck_assert_uint_eq(test_frame_number(&got[2]), 2);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 10, 8), 2);
    ck_assert_uint_eq(test_frame_number(&got[0]), 3);
    ck_assert_uint_eq(test_frame_number(&got[1]), 4);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 10, 8), 0);
    close_pipe();
}
END_TEST

START_TEST(a_frame_is_copied_and_its_pieces_are_joined)
{
    struct tlsyn_frame pieces;

    open_pipe(&plain, 1);
    test_frame_make(&sent, 200, 42);
    pieces = sent.frame;
    pieces.iovcnt = 3;
    pieces.iov[0].iov_len = 54;
    pieces.iov[1] = (struct iovec){sent.bytes + 54, 46};
    pieces.iov[2] = (struct iovec){sent.bytes + 100, 100};
    ck_assert_int_eq(tlsyn_link_transmit(end[1], &pieces, 1, 5), 1);
    memset(sent.bytes, 0xee, 200);
    ck_assert_int_eq(tlsyn_link_receive(end[0], got, 1, 9), 1);
    ck_assert_int_eq(got[0].iovcnt, 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, 200);
    ck_assert_uint_eq(test_frame_number(&got[0]), 42);
    ck_assert(test_frame_checksum_good(&got[0]));
    ck_assert_int_eq(got[0].when, 5);
    ck_assert_int_eq(got[0].flags, 0);
    close_pipe();
}
END_TEST

START_TEST(a_full_queue_refuses_until_something_is_taken)
{
    struct tlsyn_frame two[2];

    open_pipe(&plain, 3);
    send_number(0);
    send_number(1);
    two[0] = two[1] = sent.frame;
    ck_assert_int_eq(tlsyn_link_transmit(end[0], two, 2, 7), 1);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], two, 2, 7), -ENOBUFS);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 1, 8), 1);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], two, 2, 7), 1);
    close_pipe();
}
END_TEST

START_TEST(what_the_caps_do_not_offer_is_refused)
{
    open_pipe(&plain, 10);
    test_frame_make(&sent, 1514, 0);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 0), 1);
    test_frame_make(&sent, 1515, 0);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 0), -EMSGSIZE);
    test_frame_make(&sent, 1000, 0);
    test_frame_unfinish(&sent);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 0), -EINVAL);
    test_frame_coalesce(&sent, 500);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 0), -EINVAL);
    test_frame_make(&sent, 100, 0);
    sent.frame.iov[0].iov_len = 13;
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 0), -EINVAL);
    close_pipe();
}
END_TEST

START_TEST(offload_travels_along_and_counts_as_verified)
{
    open_pipe(&offloading, 10);
    test_frame_make(&sent, 54 + 64240, 3);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 1), 1);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 1, 1), 1);
    ck_assert_int_eq(got[0].flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_int_eq(got[0].gso_type, TLSYN_GSO_TCP4);
    ck_assert_uint_eq(got[0].gso_size, 1460);
    ck_assert_uint_eq(got[0].hdr_len, 54);
    ck_assert_uint_eq(got[0].csum_start, 34);
    ck_assert_uint_eq(got[0].csum_offset, 16);
    ck_assert_uint_eq(tlsyn_frame_len(&got[0]), 54 + 64240);

    /* One byte more than gso_max. */
    test_frame_make(&sent, 54 + 65456, 3);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 1), -EMSGSIZE);
    close_pipe();
}
END_TEST

START_TEST(a_claim_to_be_verified_does_not_travel)
{
    open_pipe(&plain, 10);
    test_frame_make(&sent, 100, 0);
    sent.frame.flags = TLSYN_FRAME_CSUM_VERIFIED;
    ck_assert_int_eq(tlsyn_link_transmit(end[0], &sent.frame, 1, 1), 1);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 1, 1), 1);
    ck_assert_int_eq(got[0].flags, 0);
    close_pipe();
}
END_TEST

START_TEST(a_closed_end_is_noticed_after_what_it_sent)
{
    open_pipe(&plain, 10);
    send_number(9);
    tlsyn_link_close(end[0]);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 10, 8), 1);
    ck_assert_uint_eq(test_frame_number(&got[0]), 9);
    ck_assert_int_eq(tlsyn_link_receive(end[1], got, 10, 8), -ENETDOWN);
    ck_assert_int_eq(tlsyn_link_transmit(end[1], &sent.frame, 1, 8), -ENETDOWN);
    tlsyn_link_close(end[1]);
}
END_TEST

START_TEST(ends_have_addresses_of_their_own_and_no_descriptor)
{
    static const uint8_t first[6] = {2, 0, 0, 0, 0, 1}, second[6] = {2, 0, 0, 0, 0, 2};

    open_pipe(&plain, 10);
    ck_assert_mem_eq(end[0]->caps.hwaddr, first, 6);
    ck_assert_mem_eq(end[1]->caps.hwaddr, second, 6);
    ck_assert_int_eq(tlsyn_link_fd(end[0]), -1);
    ck_assert_int_eq(tlsyn_link_next_timeout(end[0]), TLSYN_NEVER);
    close_pipe();
    ck_assert_int_eq(tlsyn_pipe_open(&plain, 0, end), -EINVAL);
}
END_TEST

Suite *pipe_suite(void);

Suite *pipe_suite(void)
{
    Suite *suite = suite_create("pipe");
    TCase *tc = tcase_create("ends");

    tcase_add_test(tc, frames_arrive_in_order_at_the_other_end_only);
    tcase_add_test(tc, a_frame_is_copied_and_its_pieces_are_joined);
    tcase_add_test(tc, a_full_queue_refuses_until_something_is_taken);
    tcase_add_test(tc, what_the_caps_do_not_offer_is_refused);
    tcase_add_test(tc, offload_travels_along_and_counts_as_verified);
    tcase_add_test(tc, a_claim_to_be_verified_does_not_travel);
    tcase_add_test(tc, a_closed_end_is_noticed_after_what_it_sent);
    tcase_add_test(tc, ends_have_addresses_of_their_own_and_no_descriptor);
    suite_add_tcase(suite, tc);
    return suite;
}
