/* link/capture and link/pcap's file reader: what went over a link is in the file, as libpcap
 * reads it back. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/frames.h"

static const struct tlsyn_link_caps offloading = {.mtu = 1500, .gso_max = 65455, .csum = true};

static char path[64];
static struct tlsyn_link *near, *far; /* near is captured */
static struct test_frame sent;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];
static uint8_t content[1 << 20];

static void set_up(void)
{
    struct tlsyn_link *ends[2];
    int fd = mkstemp(strcpy(path, "/tmp/tlsyn-capture-XXXXXX"));

    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(tlsyn_pipe_open(&offloading, 1000, ends), 0);
    ck_assert_int_eq(tlsyn_capture_wrap(ends[0], path, &near), 0);
    far = ends[1];
}

static void tear_down(void)
{
    unlink(path);
}

static void send_on(struct tlsyn_link *link, size_t len, uint32_t number, tlsyn_time now)
{
    test_frame_make(&sent, len, number);
    ck_assert_int_eq(tlsyn_link_transmit(link, &sent.frame, 1, now), 1);
}

static void close_both(void)
{
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}

/* The whole file; its length. */
static size_t read_content(void)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    ck_assert_ptr_nonnull(f);
    n = fread(content, 1, sizeof(content), f);
    fclose(f);
    return n;
}

static uint32_t u32_at(size_t offset)
{
    uint32_t value;

    memcpy(&value, content + offset, sizeof(value));
    return value;
}

/* Walks over the blocks and checks their frame of lengths; the types, in order. Their count. */
static int block_types(uint32_t *types, size_t *at, int max)
{
    size_t len = read_content(), offset = 0;
    int n = 0;

    while (offset < len) {
        uint32_t block = u32_at(offset + 4);

        ck_assert_int_lt(n, max);
        ck_assert_uint_eq(block % 4, 0);
        ck_assert_uint_le(offset + block, len);
        ck_assert_uint_eq(u32_at(offset + block - 4), block);
        types[n] = u32_at(offset);
        at[n++] = offset;
        offset += block;
    }
    return n;
}

START_TEST(both_directions_are_written_in_order_and_marked)
{
    uint32_t types[8];
    size_t at[8], options;

    set_up();
    send_on(near, 101, 1, 1000);
    send_on(far, 102, 2, 2000);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 4, 2500), 1);
    ck_assert_int_eq(tlsyn_link_receive(far, got, 4, 2500), 1);
    close_both();
    ck_assert_int_eq(block_types(types, at, 8), 4);
    ck_assert_uint_eq(types[0], 0x0a0d0d0a);
    ck_assert_uint_eq(types[1], 1);
    ck_assert_uint_eq(types[2], 6);
    ck_assert_uint_eq(types[3], 6);
    ck_assert_uint_eq(u32_at(at[2] + 20), 101);
    ck_assert_uint_eq(u32_at(at[3] + 20), 102);
    /* The second arrived when it was sent, not when it was polled for. */
    ck_assert_uint_eq(u32_at(at[3] + 16) - u32_at(at[2] + 16), 1000);
    options = at[2] + 28 + 104;
    ck_assert_uint_eq(u32_at(options), 2 | 4 << 16);
    ck_assert_uint_eq(u32_at(options + 4), 2); /* outbound */
    options = at[3] + 28 + 104;
    ck_assert_uint_eq(u32_at(options + 4), 1); /* inbound */
    tear_down();
}
END_TEST

START_TEST(libpcap_reads_back_every_byte_and_the_wall_clock)
{
    struct tlsyn_link *file;
    struct timespec t;
    tlsyn_time now, wall;

    set_up();
    clock_gettime(CLOCK_MONOTONIC, &t);
    now = TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
    wall = TLSYN_SECONDS(time(NULL));
    for (uint32_t i = 0; i < 300; i++)
        send_on(near, 58 + i * 4, i, now + i);
    close_both();
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, NULL, &file), 0);
    for (uint32_t i = 0; i < 300; i++) {
        ck_assert_int_eq(tlsyn_link_receive(file, got, 1, 0), 1);
        test_frame_make(&sent, 58 + i * 4, i);
        ck_assert_uint_eq(got[0].iov[0].iov_len, 58 + i * 4);
        ck_assert_mem_eq(got[0].iov[0].iov_base, sent.bytes, 58 + i * 4);
        ck_assert_int_gt(got[0].when, wall - TLSYN_SECONDS(10));
        ck_assert_int_lt(got[0].when, wall + TLSYN_SECONDS(100));
    }
    ck_assert_int_eq(tlsyn_link_receive(file, got, 1, 0), -ENODATA);
    tlsyn_link_close(file);
    tear_down();
}
END_TEST

START_TEST(an_unfinished_checksum_is_finished_in_the_file_alone)
{
    struct tlsyn_link *file;

    set_up();
    test_frame_make(&sent, 301, 1);
    test_frame_unfinish(&sent);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(tlsyn_link_receive(far, got, 1, 0), 1);
    ck_assert(got[0].flags & TLSYN_FRAME_CSUM_PARTIAL);
    ck_assert(!test_frame_checksum_good(&got[0]));
    close_both();
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, NULL, &file), 0);
    ck_assert_int_eq(tlsyn_link_receive(file, got, 1, 0), 1);
    ck_assert(test_frame_checksum_good(&got[0]));
    tlsyn_link_close(file);
    tear_down();
}
END_TEST

START_TEST(a_super_frame_is_one_packet)
{
    struct tlsyn_link *file;

    set_up();
    test_frame_make(&sent, 54 + 64240, 1);
    test_frame_coalesce(&sent, 1460);
    for (int i = 0; i < 8; i++) /* more than the buffer holds */
        ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    close_both();
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, NULL, &file), 0);
    ck_assert_int_eq(tlsyn_link_receive(file, got, TLSYN_LINK_BATCH, 0), 8);
    ck_assert_uint_eq(got[7].iov[0].iov_len, 54 + 64240);
    ck_assert(test_frame_checksum_good(&got[7]));
    tlsyn_link_close(file);
    tear_down();
}
END_TEST

START_TEST(secrets_stand_before_the_packets_they_open)
{
    static const char line[] = "CLIENT_RANDOM 00 11";
    uint32_t types[8];
    size_t at[8];

    set_up();
    ck_assert_int_eq(tlsyn_capture_secret(near, line), 0);
    send_on(near, 100, 1, 0);
    close_both();
    ck_assert_int_eq(block_types(types, at, 8), 4);
    ck_assert_uint_eq(types[2], 10);
    ck_assert_uint_eq(types[3], 6);
    ck_assert_uint_eq(u32_at(at[2] + 8), 0x544c534b);
    ck_assert_uint_eq(u32_at(at[2] + 12), sizeof(line));
    ck_assert_mem_eq(content + at[2] + 16, "CLIENT_RANDOM 00 11\n", sizeof(line));
    tear_down();
}
END_TEST

/* The keys of a ServerHello come to be while its frame is looked at; a reader needs them when it
 * meets that frame. */
START_TEST(secrets_stand_before_the_frames_that_brought_them_forth)
{
    static const uint32_t expected[] = {0x0a0d0d0a, 1, 6, 10, 10, 6, 6, 6, 10};
    uint32_t types[12];
    size_t at[12];

    set_up();
    send_on(near, 100, 1, 1000);
    send_on(far, 100, 2, 2000);
    send_on(far, 100, 3, 2000);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 4, 2000), 2);
    ck_assert_int_eq(tlsyn_capture_secret(near, "A 0 0"), 0);
    ck_assert_int_eq(tlsyn_capture_secret(near, "LONGER 0 0"), 0);
    send_on(near, 100, 4, 2000);
    ck_assert_int_eq(tlsyn_capture_secret(near, "B 0 0"), 0);
    close_both();
    ck_assert_int_eq(block_types(types, at, 12), 9);
    for (int i = 0; i < 9; i++)
        ck_assert_uint_eq(types[i], expected[i]);
    ck_assert_mem_eq(content + at[3] + 16, "A 0 0\n", 6);
    ck_assert_mem_eq(content + at[4] + 16, "LONGER 0 0\n", 11);
    ck_assert_mem_eq(content + at[8] + 16, "B 0 0\n", 6);
    tear_down();
}
END_TEST

/* However much has been written before: what waits for the file does not come between. */
START_TEST(a_full_buffer_does_not_part_secrets_from_their_frames)
{
    enum { BATCH = 20, MOST = 200 };
    uint32_t types[MOST + BATCH + 3];
    size_t at[MOST + BATCH + 3];

    for (int before = 100; before <= MOST; before += 10) {
        set_up();
        for (int i = 0; i < before; i++)
            send_on(near, 1400, (uint32_t)i, 1000);
        for (int i = 0; i < BATCH; i++)
            send_on(far, 1400, (uint32_t)i, 1000);
        ck_assert_int_eq(tlsyn_link_receive(near, got, TLSYN_LINK_BATCH, 1000), BATCH);
        ck_assert_int_eq(tlsyn_capture_secret(near, "A 0 0"), 0);
        close_both();
        ck_assert_int_eq(block_types(types, at, MOST + BATCH + 3), 2 + before + 1 + BATCH);
        ck_assert_uint_eq(types[2 + before], 10);
        tear_down();
    }
}
END_TEST

START_TEST(frames_reach_the_file_within_a_tenth_of_a_second)
{
    uint32_t types[8];
    size_t at[8];

    set_up();
    send_on(near, 100, 1, 5000);
    ck_assert_int_eq(tlsyn_link_next_timeout(near), 105000);
    ck_assert_int_eq(block_types(types, at, 8), 2);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 104999), 0);
    ck_assert_int_eq(block_types(types, at, 8), 2);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 105000), 0);
    ck_assert_int_eq(block_types(types, at, 8), 3);
    ck_assert_int_eq(tlsyn_link_next_timeout(near), TLSYN_NEVER);
    send_on(near, 100, 2, 106000);
    ck_assert_int_eq(tlsyn_capture_flush(near), 0);
    ck_assert_int_eq(block_types(types, at, 8), 4);
    close_both();
    tear_down();
}
END_TEST

START_TEST(refused_frames_are_not_in_the_file)
{
    uint32_t types[8];
    size_t at[8];

    set_up();
    test_frame_make(&sent, 1600, 1);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), -EMSGSIZE);
    close_both();
    ck_assert_int_eq(block_types(types, at, 8), 2);
    tear_down();
}
END_TEST

START_TEST(others_may_not_read_the_keys)
{
    struct tlsyn_link *ends[2], *capture;
    struct stat st;

    set_up();
    close_both();
    unlink(path); /* so that the next capture makes the file itself */
    ck_assert_int_eq(tlsyn_pipe_open(&offloading, 1, ends), 0);
    ck_assert_int_eq(tlsyn_capture_wrap(ends[0], path, &capture), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    tlsyn_link_close(capture);
    tlsyn_link_close(ends[1]);
    tear_down();
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error_and_leaves_the_link)
{
    struct tlsyn_link *ends[2], *capture;

    ck_assert_int_eq(tlsyn_pipe_open(&offloading, 1, ends), 0);
    ck_assert_int_eq(tlsyn_capture_wrap(ends[0], "/nowhere/at/all", &capture), -ENOENT);
    ck_assert_int_eq(tlsyn_capture_wrap(ends[0], "/dev/full", &capture), -ENOSPC);
    send_on(ends[0], 100, 1, 0);
    tlsyn_link_close(ends[0]);
    tlsyn_link_close(ends[1]);
}
END_TEST

START_TEST(a_full_disk_is_told_by_flush_and_frames_flow_on)
{
    struct rlimit before, limit;
    int flushed, again, secret, received;

    set_up();
    test_frame_make(&sent, 200, 1);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 1000;
    /* No assertion from here on: they too write to a file. */
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 20; i++)
        tlsyn_link_transmit(near, &sent.frame, 1, 0);
    flushed = tlsyn_capture_flush(near);
    tlsyn_link_transmit(near, &sent.frame, 1, 0);
    received = tlsyn_link_receive(far, got, TLSYN_LINK_BATCH, 0);
    again = tlsyn_capture_flush(near);
    secret = tlsyn_capture_secret(near, "CLIENT_RANDOM 0 0");
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_eq(flushed, -EFBIG);
    ck_assert_int_eq(again, -EFBIG);
    ck_assert_int_eq(secret, -EFBIG);
    ck_assert_int_eq(received, 21);
    close_both();
    tear_down();
}
END_TEST

Suite *capture_suite(void);

Suite *capture_suite(void)
{
    Suite *suite = suite_create("capture");
    TCase *content_case = tcase_create("content");
    TCase *file_case = tcase_create("file");

    tcase_add_test(content_case, both_directions_are_written_in_order_and_marked);
    tcase_add_test(content_case, libpcap_reads_back_every_byte_and_the_wall_clock);
    tcase_add_test(content_case, an_unfinished_checksum_is_finished_in_the_file_alone);
    tcase_add_test(content_case, a_super_frame_is_one_packet);
    tcase_add_test(content_case, secrets_stand_before_the_packets_they_open);
    tcase_add_test(content_case, secrets_stand_before_the_frames_that_brought_them_forth);
    tcase_add_test(content_case, a_full_buffer_does_not_part_secrets_from_their_frames);
    tcase_add_test(content_case, refused_frames_are_not_in_the_file);
    suite_add_tcase(suite, content_case);
    tcase_add_test(file_case, frames_reach_the_file_within_a_tenth_of_a_second);
    tcase_add_test(file_case, others_may_not_read_the_keys);
    tcase_add_test(file_case, a_file_that_cannot_be_written_is_an_error_and_leaves_the_link);
    tcase_add_test(file_case, a_full_disk_is_told_by_flush_and_frames_flow_on);
    suite_add_tcase(suite, file_case);
    return suite;
}
