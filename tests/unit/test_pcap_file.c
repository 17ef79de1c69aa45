/* link/pcap: frames from a capture file, and which checksums count as unfinished. */
#include <check.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/frames.h"

static char path[64];
static struct test_frame sent;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];
static char message[TLSYN_PCAP_MESSAGE];
static struct tlsyn_link *file;

/* What writes the file is libpcap, not our capture. */
static pcap_dumper_t *dumper;
static pcap_t *dead;

static void begin_file(int linktype)
{
    int fd = mkstemp(strcpy(path, "/tmp/tlsyn-pcap-XXXXXX"));

    ck_assert_int_ge(fd, 0);
    close(fd);
    dead = pcap_open_dead(linktype, 262144);
    dumper = pcap_dump_open(dead, path);
    ck_assert_ptr_nonnull(dumper);
}

static void dump(const void *bytes, size_t len, size_t caplen, long second)
{
    struct pcap_pkthdr header = {.ts = {.tv_sec = second, .tv_usec = 7},
                                 .caplen = (bpf_u_int32)caplen,
                                 .len = (bpf_u_int32)len};

    pcap_dump((u_char *)dumper, &header, bytes);
}

static void end_file(void)
{
    pcap_dump_close(dumper);
    pcap_close(dead);
}

static void dump_numbers(uint32_t n)
{
    begin_file(DLT_EN10MB);
    for (uint32_t i = 0; i < n; i++) {
        test_frame_make(&sent, 100 + i, i);
        dump(sent.bytes, 100 + i, 100 + i, 1000 + (long)i);
    }
    end_file();
}

START_TEST(frames_come_in_the_files_order_and_then_its_end)
{
    uint32_t expected = 0;
    int n;

    dump_numbers(70);
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, message, &file), 0);
    ck_assert_int_eq(tlsyn_link_fd(file), -1);
    ck_assert_int_eq(tlsyn_link_next_timeout(file), 0);
    while ((n = tlsyn_link_receive(file, got, TLSYN_LINK_BATCH, 0)) > 0) {
        for (int i = 0; i < n; i++) {
            ck_assert_uint_eq(test_frame_number(&got[i]), expected);
            ck_assert_int_eq(got[i].when, TLSYN_SECONDS(1000 + expected) + 7);
            ck_assert_int_eq(got[i].flags, 0);
            expected++;
        }
    }
    ck_assert_int_eq(n, -ENODATA);
    ck_assert_int_eq(tlsyn_link_receive(file, got, 1, 0), -ENODATA);
    ck_assert_uint_eq(expected, 70);
    ck_assert_int_eq(tlsyn_link_transmit(file, got, 1, 0), 1);
    tlsyn_link_close(file);
    unlink(path);
}
END_TEST

START_TEST(a_filter_chooses)
{
    dump_numbers(10);
    ck_assert_int_eq(tlsyn_pcap_open_file(path, "tcp and greater 107", message, &file), 0);
    ck_assert_int_eq(tlsyn_link_receive(file, got, TLSYN_LINK_BATCH, 0), 3);
    ck_assert_uint_eq(test_frame_number(&got[0]), 7);
    tlsyn_link_close(file);
    ck_assert_int_eq(tlsyn_pcap_open_file(path, "tcp port nonsense(", message, &file), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "nonsense"));
    unlink(path);
}
END_TEST

START_TEST(an_unfinished_checksum_is_recognised)
{
    begin_file(DLT_EN10MB);
    test_frame_make(&sent, 20000, 1);
    test_frame_unfinish(&sent);
    dump(sent.bytes, 20000, 20000, 1);
    test_frame_make(&sent, 300, 2);
    sent.bytes[50] ^= 1; /* of the checksum field: just damaged */
    dump(sent.bytes, 300, 300, 2);
    end_file();
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, message, &file), 0);
    ck_assert_int_eq(tlsyn_link_receive(file, got, TLSYN_LINK_BATCH, 0), 2);
    ck_assert_int_eq(got[0].flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_uint_eq(got[0].csum_start, 34);
    ck_assert_uint_eq(got[0].csum_offset, 16);
    ck_assert_int_eq(got[1].flags, 0);
    tlsyn_link_close(file);
    unlink(path);
}
END_TEST

START_TEST(what_was_cut_short_or_is_no_frame_is_passed_over)
{
    static const uint8_t runt[13];

    begin_file(DLT_EN10MB);
    dump(runt, sizeof(runt), sizeof(runt), 1);
    test_frame_make(&sent, 300, 2);
    dump(sent.bytes, 300, 96, 2);
    dump(sent.bytes, 300, 300, 3);
    end_file();
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, message, &file), 0);
    ck_assert_int_eq(tlsyn_link_receive(file, got, TLSYN_LINK_BATCH, 0), 1);
    ck_assert_uint_eq(test_frame_number(&got[0]), 2);
    tlsyn_link_close(file);
    unlink(path);
}
END_TEST

START_TEST(what_cannot_be_read_is_explained)
{
    FILE *f;

    ck_assert_int_eq(tlsyn_pcap_open_file("/nowhere/at/all", NULL, message, &file), -ENOENT);
    ck_assert_ptr_nonnull(strstr(message, "/nowhere/at/all"));
    ck_assert_int_eq(tlsyn_pcap_open_file("/nowhere/at/all", NULL, NULL, &file), -ENOENT);

    dump_numbers(1);
    f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs("This is no capture, but it is long enough to be one.", f);
    fclose(f);
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, message, &file), -EINVAL);
    unlink(path);
}
END_TEST

START_TEST(a_capture_of_another_kind_of_link_is_refused)
{
    begin_file(DLT_RAW);
    end_file();
    ck_assert_int_eq(tlsyn_pcap_open_file(path, NULL, message, &file), -EPFNOSUPPORT);
    ck_assert_ptr_nonnull(strstr(message, "Ethernet"));
    unlink(path);
}
END_TEST

Suite *pcap_file_suite(void);

Suite *pcap_file_suite(void)
{
    Suite *suite = suite_create("pcap_file");
    TCase *tc = tcase_create("reading");

    tcase_add_test(tc, frames_come_in_the_files_order_and_then_its_end);
    tcase_add_test(tc, a_filter_chooses);
    tcase_add_test(tc, an_unfinished_checksum_is_recognised);
    tcase_add_test(tc, what_was_cut_short_or_is_no_frame_is_passed_over);
    tcase_add_test(tc, what_cannot_be_read_is_explained);
    tcase_add_test(tc, a_capture_of_another_kind_of_link_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}
