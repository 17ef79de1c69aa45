/* study/tap: frames pass whether it captures or not, and the file holds those between
 * start and stop. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "study/tap.h"
#include "support/frames.h"

static const struct tlsyn_link_caps plain = {.mtu = 1500};

static struct tlsyn_link *tap, *far_end;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];
static char path[64];

static void open_tap(void)
{
    struct tlsyn_link *ends[2];
    int fd = mkstemp(strcpy(path, "/tmp/tlsyn-tap-XXXXXX"));

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(tlsyn_pipe_open(&plain, 16, ends), 0);
    ck_assert_int_eq(tap_wrap(ends[0], &tap), 0);
    far_end = ends[1];
}

static void close_tap(void)
{
    tlsyn_link_close(tap);
    tlsyn_link_close(far_end);
    (void)unlink(path);
}

static void pass_number(struct tlsyn_link *from, struct tlsyn_link *to, uint32_t number)
{
    struct test_frame frame;

    test_frame_make(&frame, 100, number);
    ck_assert_int_eq(tlsyn_link_transmit(from, &frame.frame, 1, 7), 1);
    ck_assert_int_eq(tlsyn_link_receive(to, got, 4, 8), 1);
    ck_assert_uint_eq(test_frame_number(&got[0]), number);
}

START_TEST(frames_pass_and_those_between_start_and_stop_are_kept)
{
    struct tlsyn_link *file = NULL;
    uint32_t expected = 2;

    ck_assert_uint_eq(tap->caps.mtu, 1500);
    ck_assert_int_eq(tlsyn_link_fd(tap), -1);
    pass_number(tap, far_end, 1);
    ck_assert_int_eq(tap_start(tap, path), 0);
    ck_assert_int_eq(tap_start(tap, path), -EBUSY);
    pass_number(tap, far_end, 2);
    tap_secret(tap, "CLIENT_RANDOM 00 00");
    pass_number(far_end, tap, 3);
    ck_assert_int_eq(tap_stop(tap), 0);
    pass_number(tap, far_end, 4);
    tap_secret(tap, "CLIENT_RANDOM 01 01"); /* nobody listens */
    ck_assert_int_eq(tap_stop(tap), 0);

    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, NULL, &file), 0);
    while (tlsyn_link_receive(file, got, 1, INT64_MAX) == 1)
        ck_assert_uint_eq(test_frame_number(&got[0]), expected++);
    ck_assert_uint_eq(expected, 4);
    tlsyn_link_close(file);
}
END_TEST

START_TEST(a_capture_that_cannot_be_made_leaves_the_link_as_it_was)
{
    ck_assert_int_eq(tap_start(tap, "/proc/none/file"), -ENOENT);
    pass_number(tap, far_end, 1);
}
END_TEST

START_TEST(closing_ends_a_capture_that_runs)
{
    ck_assert_int_eq(tap_start(tap, path), 0);
    pass_number(tap, far_end, 1);
}
END_TEST

Suite *tap_suite(void);
Suite *tap_suite(void)
{
    Suite *suite = suite_create("tap");
    TCase *tcase = tcase_create("tap");

    tcase_add_checked_fixture(tcase, open_tap, close_tap);
    tcase_add_test(tcase, frames_pass_and_those_between_start_and_stop_are_kept);
    tcase_add_test(tcase, a_capture_that_cannot_be_made_leaves_the_link_as_it_was);
    tcase_add_test(tcase, closing_ends_a_capture_that_runs);
    suite_add_tcase(suite, tcase);
    return suite;
}
