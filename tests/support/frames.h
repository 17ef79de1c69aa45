/*
 * support/frames.h: TCP/IPv4 frames with a number inside, for tests of links, which don't care
 * about connections.
 */
#ifndef TEST_SUPPORT_FRAMES_H
#define TEST_SUPPORT_FRAMES_H

#include <tlsyn/link.h>

#define TEST_FRAME_HEADERS 54
#define TEST_FRAME_MAX     65549

struct test_frame {
    struct tlsyn_frame frame; /* one piece: `bytes` */
    uint8_t bytes[TEST_FRAME_MAX];
};

/** A frame of `len` bytes (at least TEST_FRAME_HEADERS + 4) from 02:..:01 to 02:..:02 with `number`
 * as the first text and a complete checksum. */
void test_frame_make(struct test_frame *f, size_t len, uint32_t number);

/** Leaves the TCP checksum to the other side: CSUM_PARTIAL. */
void test_frame_unfinish(struct test_frame *f);

/** Makes it a super-frame of segments with `mss` bytes of text each, checksum unfinished. */
void test_frame_coalesce(struct test_frame *f, uint16_t mss);

/** The number in a received frame. */
uint32_t test_frame_number(const struct tlsyn_frame *frame);

/** True if the TCP checksum in the frame is complete and right. */
bool test_frame_checksum_good(const struct tlsyn_frame *frame);

#endif
