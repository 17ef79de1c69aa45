/* link/impair: what a path does to frames, in virtual time over a pipe. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "support/frames.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define MANY 4000

static const struct tlsyn_link_caps offloading = {.mtu = 1500, .gso_max = 65455, .csum = true};

/* near: a link with the impairment; far: the other end of the pipe under it. */
static struct tlsyn_link *near, *far;
static struct test_frame sent;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];

static void wrap(const struct tlsyn_impairment *out, const struct tlsyn_impairment *in)
{
    struct tlsyn_link *ends[2];

    ck_assert_int_eq(tlsyn_pipe_open(&offloading, MANY * 2, ends), 0);
    ck_assert_int_eq(tlsyn_impair_wrap(ends[0], out, in, &near), 0);
    far = ends[1];
}

static void unwrap(void)
{
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}

static void send_on(struct tlsyn_link *link, size_t len, uint32_t number, tlsyn_time now)
{
    test_frame_make(&sent, len, number);
    ck_assert_int_eq(tlsyn_link_transmit(link, &sent.frame, 1, now), 1);
}

/* How many frames `far` receives at `now`, after near had its turn. */
static int arrivals(tlsyn_time now)
{
    struct tlsyn_frame none[1];

    ck_assert_int_eq(tlsyn_link_receive(near, none, 1, now), 0);
    return tlsyn_link_receive(far, got, TLSYN_LINK_BATCH, now);
}

/* Sends MANY frames 10 us apart over near; the numbers that far receives, in order. Their count. */
static int run_path(const struct tlsyn_impairment *how, uint32_t *numbers, int max)
{
    int count = 0, n;
    tlsyn_time now = 0;

    wrap(how, NULL);
    for (uint32_t i = 0; i < MANY; i++) {
        now += 10;
        send_on(near, 64, i, now);
    }
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, now + 10000000), 0);
    while ((n = tlsyn_link_receive(far, got, TLSYN_LINK_BATCH, now + 10000000)) > 0) {
        for (int i = 0; i < n && count < max; i++)
            numbers[count++] = test_frame_number(&got[i]);
    }
    return count;
}

static struct tlsyn_impair_stats out_stats(void)
{
    struct tlsyn_impair_stats out;

    tlsyn_impair_stats(near, &out, NULL);
    ck_assert_uint_eq(out.in + out.duplicated, out.out + out.lost + out.queue_full + out.held);
    return out;
}

START_TEST(a_perfect_path_passes_everything_at_once)
{
    wrap(NULL, NULL);
    send_on(near, 100, 1, 0);
    ck_assert_int_eq(tlsyn_link_receive(far, got, 1, 0), 1);
    send_on(far, 100, 2, 0);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 0), 1);
    ck_assert_int_eq(tlsyn_link_next_timeout(near), TLSYN_NEVER);
    ck_assert_uint_eq(out_stats().out, 1);
    ck_assert_uint_eq(near->caps.gso_max, offloading.gso_max);
    unwrap();
}
END_TEST

START_TEST(what_is_sent_leaves_after_the_delay_not_before)
{
    const struct tlsyn_impairment how = {.delay = 1000};

    wrap(&how, NULL);
    send_on(near, 100, 1, 50);
    ck_assert_int_eq(tlsyn_link_next_timeout(near), 1050);
    ck_assert_int_eq(arrivals(1049), 0);
    ck_assert_int_eq(arrivals(1050), 1);
    ck_assert_uint_eq(test_frame_number(&got[0]), 1);
    ck_assert_int_eq(tlsyn_link_next_timeout(near), TLSYN_NEVER);
    ck_assert_uint_eq(near->caps.gso_max, 0);
    unwrap();
}
END_TEST

START_TEST(what_is_received_counts_from_its_arrival_and_says_when_it_was_due)
{
    const struct tlsyn_impairment how = {.delay = 1000};

    wrap(NULL, &how);
    send_on(far, 100, 1, 50);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 400), 0); /* polled late */
    ck_assert_int_eq(tlsyn_link_next_timeout(near), 1050);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 1049), 0);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 1300), 1);
    ck_assert_int_eq(got[0].when, 1050);
    unwrap();
}
END_TEST

START_TEST(more_than_one_batch_comes_out_in_order)
{
    const struct tlsyn_impairment how = {.delay = 10};
    uint32_t expected = 0;
    int n;

    wrap(NULL, &how);
    for (uint32_t i = 0; i < 1000; i++)
        send_on(far, 64, i, 1);
    for (int calls = 0; calls < 100; calls++) {
        n = tlsyn_link_receive(near, got, TLSYN_LINK_BATCH, 11);
        for (int i = 0; i < n; i++)
            ck_assert_uint_eq(test_frame_number(&got[i]), expected++);
    }
    ck_assert_uint_eq(expected, 1000);
    unwrap();
}
END_TEST

START_TEST(jitter_adds_up_to_its_bound_and_keeps_order)
{
    const struct tlsyn_impairment how = {.delay = 100, .jitter = 400, .seed = 3};
    tlsyn_time least = 1000000, most = 0;

    wrap(NULL, &how);
    for (uint32_t i = 0; i < 200; i++) {
        tlsyn_time start = (tlsyn_time)i * 1000;

        send_on(far, 64, i, start);
        ck_assert_int_eq(tlsyn_link_receive(near, got, 1, start + 99), 0);
        ck_assert_int_eq(tlsyn_link_receive(near, got, 1, start + 501), 1);
        least = got[0].when - start < least ? got[0].when - start : least;
        most = got[0].when - start > most ? got[0].when - start : most;
    }
    ck_assert_int_ge(least, 100);
    ck_assert_int_lt(least, 120);
    ck_assert_int_gt(most, 480);
    ck_assert_int_le(most, 501);

    for (uint32_t i = 0; i < 30; i++)
        send_on(far, 64, i, 1000000 + i);
    ck_assert_int_eq(tlsyn_link_receive(near, got, TLSYN_LINK_BATCH, 2000000), 30);
    for (uint32_t i = 0; i < 30; i++) {
        ck_assert_uint_eq(test_frame_number(&got[i]), i);
        ck_assert(i == 0 || got[i].when >= got[i - 1].when);
    }
    unwrap();
}
END_TEST

START_TEST(a_rate_spaces_frames_by_their_length)
{
    /* 1250 bytes at 1 Mbit/s take 10 ms. */
    const struct tlsyn_impairment how = {.delay = 500, .rate = 1000000};

    wrap(NULL, &how);
    for (uint32_t i = 0; i < 3; i++)
        send_on(far, 1250, i, 100);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 4, 100), 0);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 4, 10599), 0);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 4, 100000), 3);
    ck_assert_int_eq(got[0].when, 10600);
    ck_assert_int_eq(got[1].when, 20600);
    ck_assert_int_eq(got[2].when, 30600);
    send_on(far, 625, 3, 200000); /* idle since: no credit, no debt */
    ck_assert_int_eq(tlsyn_link_receive(near, got, 4, 200000), 0);
    ck_assert_int_eq(tlsyn_link_next_timeout(near), 205500);
    unwrap();
}
END_TEST

START_TEST(a_fast_rate_is_not_rounded_to_microseconds)
{
    /* 1250 bytes at 10 Gbit/s take 1 us: a thousand of them 1 ms, however the loop is timed. */
    const struct tlsyn_impairment how = {.rate = 10000000000, .queue_bytes = 4000000};

    wrap(&how, NULL);
    for (uint32_t i = 0; i < 1000; i++)
        send_on(near, 1125, i, 0); /* 0.9 us each */
    ck_assert_uint_eq(out_stats().held, 1000);
    for (uint32_t i = 0; i < 100; i++)
        tlsyn_link_receive(near, got, 1, 899);
    ck_assert_uint_eq(out_stats().held, 2); /* those due at 899.1 and 900 us */
    unwrap();
}
END_TEST

START_TEST(the_queue_before_the_rate_drops_its_tail)
{
    const struct tlsyn_impairment how = {.rate = 8000000, .queue_bytes = 3000}; /* 1 byte per us */

    wrap(&how, NULL);
    for (uint32_t i = 0; i < 5; i++)
        send_on(near, 1000, i, 0);
    ck_assert_uint_eq(out_stats().queue_full, 2); /* 3 wait or are being sent */
    send_on(near, 1000, 5, 1000);                 /* one has left by then */
    ck_assert_uint_eq(out_stats().queue_full, 2);
    ck_assert_int_eq(arrivals(100000), 4);
    ck_assert_uint_eq(test_frame_number(&got[3]), 5);
    ck_assert_uint_eq(out_stats().out, 4);
    unwrap();
}
END_TEST

START_TEST(loss_is_as_frequent_as_asked_and_repeats_with_the_seed)
{
    struct tlsyn_impairment how = {.loss = 0.1, .seed = 5};
    static uint32_t first[MANY], again[MANY], other[MANY];
    int n = run_path(&how, first, MANY), m;

    /* 400 expected, standard deviation 19. */
    ck_assert_int_gt(MANY - n, 300);
    ck_assert_int_lt(MANY - n, 500);
    ck_assert_uint_eq(out_stats().lost, (uint64_t)(MANY - n));
    unwrap();
    m = run_path(&how, again, MANY);
    ck_assert_int_eq(m, n);
    ck_assert_mem_eq(first, again, sizeof(*first) * (size_t)n);
    unwrap();
    how.seed = 6;
    m = run_path(&how, other, MANY);
    ck_assert(m != n || memcmp(first, other, sizeof(*first) * (size_t)n) != 0);
    unwrap();
}
END_TEST

START_TEST(another_loss_does_not_change_what_is_duplicated)
{
    struct tlsyn_impairment how = {.duplicate = 0.05, .seed = 8};
    static uint32_t before[MANY * 2], after[MANY * 2];
    static bool twice[MANY];
    int n = run_path(&how, before, MANY * 2), m;

    ck_assert_uint_eq(out_stats().duplicated, (uint64_t)(n - MANY));
    ck_assert_int_gt(n - MANY, 120); /* 200 expected */
    unwrap();
    for (int i = 1; i < n; i++)
        twice[before[i]] |= before[i] == before[i - 1];
    how.loss = 0.5;
    m = run_path(&how, after, MANY * 2);
    unwrap();
    ck_assert_int_lt(m, n * 3 / 4);
    for (int i = 1; i + 1 < m; i++) {
        bool pair = after[i] == after[i - 1] || after[i] == after[i + 1];

        ck_assert_int_eq(pair, twice[after[i]]);
    }
}
END_TEST

START_TEST(reordered_frames_pass_the_delay_by)
{
    const struct tlsyn_impairment how = {.delay = 35, .reorder = 0.1, .seed = 2};
    static uint32_t order[MANY];
    int n = run_path(&how, order, MANY), early = 0;

    ck_assert_int_eq(n, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t ahead = order[i] > i ? order[i] - i : 0;

        /* 10 us apart, 35 us ahead: three frames are overtaken, or fewer where those hurry too. */
        ck_assert_uint_le(ahead, 3);
        early += ahead > 0;
    }
    ck_assert_int_gt(early, 200);
    ck_assert_uint_gt(out_stats().reordered, 300);
    ck_assert_uint_lt(out_stats().reordered, 500);
    unwrap();
}
END_TEST

START_TEST(without_a_delay_there_is_nothing_to_overtake)
{
    const struct tlsyn_impairment how = {.reorder = 0.5};
    static uint32_t order[MANY];

    ck_assert_int_eq(run_path(&how, order, MANY), MANY);
    for (uint32_t i = 0; i < MANY; i++)
        ck_assert_uint_eq(order[i], i);
    unwrap();
}
END_TEST

/* Bits in which a received frame differs from `sent`. */
static int bits_changed(const struct tlsyn_frame *frame, size_t from)
{
    const uint8_t *bytes = frame->iov[0].iov_base;
    int changed = 0;

    for (size_t i = from; i < frame->iov[0].iov_len; i++)
        changed += __builtin_popcount(bytes[i] ^ sent.bytes[i]);
    return changed;
}

START_TEST(corruption_flips_one_bit_behind_the_ethernet_header)
{
    const struct tlsyn_impairment how = {.corrupt = 1, .seed = 4};

    wrap(&how, NULL);
    for (uint32_t i = 0; i < 200; i++) {
        send_on(near, 60, i, 0);
        ck_assert_int_eq(arrivals(0), 1);
        ck_assert_int_eq(bits_changed(&got[0], 0), 1);
        ck_assert_int_eq(bits_changed(&got[0], 14), 1);
    }
    ck_assert_uint_eq(out_stats().corrupted, 200);
    unwrap();
}
END_TEST

START_TEST(a_corrupted_frame_has_a_checksum_that_shows_it)
{
    const struct tlsyn_impairment how = {.corrupt = 1, .seed = 4};

    /* Received with an unfinished checksum, it counts as verified: not any more when it was hit. */
    wrap(NULL, &how);
    for (uint32_t i = 0; i < 100; i++) {
        struct test_frame *finished = malloc(sizeof(*finished));

        test_frame_make(&sent, 600, i);
        *finished = sent;
        test_frame_unfinish(&sent);
        ck_assert_int_eq(tlsyn_link_transmit(far, &sent.frame, 1, 0), 1);
        ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 0), 1);
        ck_assert_int_eq(got[0].flags, 0);
        sent = *finished;
        ck_assert_int_eq(bits_changed(&got[0], 0), 1);
        free(finished);
    }
    unwrap();
}
END_TEST

START_TEST(a_corrupted_super_frame_is_thrown_away)
{
    const struct tlsyn_impairment how = {.corrupt = 1};

    wrap(&how, NULL);
    test_frame_make(&sent, 20000, 1);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(arrivals(10), 0);
    ck_assert_uint_eq(out_stats().lost, 1);
    ck_assert_uint_eq(out_stats().corrupted, 1);
    unwrap();
}
END_TEST

START_TEST(a_held_frame_keeps_its_offload_and_its_bytes)
{
    const struct tlsyn_impairment how = {.delay = 10};

    wrap(NULL, &how);
    test_frame_make(&sent, 20000, 77);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(far, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 0), 0);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 10), 1);
    ck_assert_int_eq(got[0].flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_int_eq(got[0].gso_type, TLSYN_GSO_TCP4);
    ck_assert_uint_eq(got[0].gso_size, 1460);
    ck_assert_uint_eq(got[0].iov[0].iov_len, 20000);
    ck_assert_int_eq(bits_changed(&got[0], 0), 0);
    unwrap();
}
END_TEST

/* --- marks ------------------------------------------------------------------------------------ */

/* A frame with this codepoint, of either family. */
static void send_codepoint(uint8_t codepoint, bool ip6, tlsyn_time now)
{
    uint8_t *ip = sent.bytes + ETHER_HEADER_LEN;

    test_frame_make(&sent, 1000, 1);
    if (ip6) {
        struct wire_ip6 header = {.tos = (uint8_t)(0xb8 | codepoint),
                                  .flow = 0xabcde,
                                  .next = 59,
                                  .hop_limit = 64,
                                  .payload_len = 1000 - ETHER_HEADER_LEN - IP6_HEADER_LEN};

        sent.bytes[12] = 0x86, sent.bytes[13] = 0xdd;
        ck_assert_int_eq(wire_ip6_emit(&header, ip, IP6_HEADER_LEN), IP6_HEADER_LEN);
    } else {
        struct wire_ip4 header;

        ck_assert_int_ge(wire_ip4_parse(ip, 1000 - ETHER_HEADER_LEN, &header), 0);
        header.tos = (uint8_t)(0xb8 | codepoint);
        ck_assert_int_eq(wire_ip4_emit(&header, ip, IP4_HEADER_LEN), IP4_HEADER_LEN);
    }
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, now), 1);
}

/* Traffic class of what came; its header is as it was otherwise, and whole. */
static uint8_t class_of(const struct tlsyn_frame *frame, bool ip6)
{
    const uint8_t *ip = (const uint8_t *)frame->iov[0].iov_base + ETHER_HEADER_LEN;
    size_t len = frame->iov[0].iov_len - ETHER_HEADER_LEN;
    struct wire_ip4 four;
    struct wire_ip6 six;

    if (ip6) {
        ck_assert_int_ge(wire_ip6_parse(ip, len, &six), 0);
        ck_assert_uint_eq(six.flow, 0xabcde);
        return six.tos;
    }
    ck_assert_int_ge(wire_ip4_parse(ip, len, &four), 0);
    ck_assert(wire_ip4_checksum_good(ip, IP4_HEADER_LEN));
    return four.tos;
}

START_TEST(what_can_do_ecn_is_marked_and_nothing_else) /* RFC 3168 5; loop: two families */
{
    const struct tlsyn_impairment how = {.mark = 1};
    static const uint8_t leaves[] = {0, 3, 3, 3};

    wrap(&how, NULL);
    for (uint8_t codepoint = 0; codepoint < 4; codepoint++) {
        send_codepoint(codepoint, _i, codepoint);
        ck_assert_int_eq(arrivals(codepoint), 1);
        ck_assert_uint_eq(class_of(&got[0], _i), 0xb8 | leaves[codepoint]);
    }
    ck_assert_uint_eq(out_stats().marked, 2);
    test_frame_make(&sent, 64, 0); /* no IP at all: bytes that look like ECT */
    sent.bytes[12] = 0x88, sent.bytes[13] = 0xb5;
    memset(sent.bytes + ETHER_HEADER_LEN, 0x22, 50);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 5), 1);
    sent.bytes[12] = 0x08, sent.bytes[13] = 0; /* or nothing but the beginning of a header */
    sent.frame.iov[0].iov_len = ETHER_HEADER_LEN + 3;
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 5), 1);
    ck_assert_int_eq(arrivals(5), 2);
    for (int i = 0; i < 2; i++)
        ck_assert_mem_eq((uint8_t *)got[i].iov[0].iov_base + 12,
                         i ? "\x08\0\x22\x22\x22" : "\x88\xb5\x22\x22\x22", 5);
    ck_assert_uint_eq(out_stats().marked, 2);
    unwrap();
}
END_TEST

START_TEST(marks_are_as_frequent_as_asked_and_change_no_fate)
{
    struct tlsyn_impairment how = {.mark = 0, .loss = 0.3, .jitter = 100, .seed = 11};
    struct tlsyn_impair_stats plain, marked;

    for (int marking = 0; marking < 2; marking++) {
        how.mark = marking * 0.1;
        wrap(&how, NULL);
        for (int i = 0; i < MANY; i++)
            send_codepoint(2, false, i);
        *(marking ? &marked : &plain) = out_stats();
        unwrap();
    }
    ck_assert_uint_eq(plain.marked, 0);
    ck_assert_uint_eq(plain.lost, marked.lost);
    ck_assert_uint_gt(marked.marked, MANY * 7 / 100 * 8 / 10); /* of the 70 % that are left */
    ck_assert_uint_lt(marked.marked, MANY * 7 / 100 * 12 / 10);
}
END_TEST

START_TEST(a_long_queue_marks)
{
    const struct tlsyn_impairment how = {
        .rate = 8000000, .queue_bytes = 10000, .mark_queue = 3000}; /* 1 byte per us */

    wrap(&how, NULL);
    for (int i = 0; i < 6; i++)
        send_codepoint(2, false, 0);
    ck_assert_int_eq(arrivals(10000), 6);
    for (int i = 0; i < 6; i++) /* the fifth finds 4000 bytes */
        ck_assert_uint_eq(class_of(&got[i], false) & 3, i < 4 ? 2 : 3);
    ck_assert_uint_eq(out_stats().marked, 2);
    unwrap();
}
END_TEST

START_TEST(order_is_kept_when_the_delay_shrinks)
{
    const struct tlsyn_impairment slow = {.delay = 1000}, fast = {.delay = 10};

    wrap(&slow, NULL);
    send_on(near, 100, 1, 0);
    ck_assert_int_eq(tlsyn_impair_set(near, &fast, NULL), 0);
    send_on(near, 100, 2, 5);
    ck_assert_int_eq(tlsyn_impair_set(near, NULL, NULL), 0);
    send_on(near, 100, 3, 6);
    ck_assert_int_eq(arrivals(999), 0);
    ck_assert_int_eq(arrivals(1000), 3);
    ck_assert_uint_eq(test_frame_number(&got[0]), 1);
    ck_assert_uint_eq(test_frame_number(&got[1]), 2);
    ck_assert_uint_eq(test_frame_number(&got[2]), 3);
    send_on(near, 100, 4, 1001); /* perfect again */
    ck_assert_int_eq(tlsyn_link_receive(far, got, 1, 1001), 1);
    unwrap();
}
END_TEST

START_TEST(the_end_of_the_inner_link_is_told_after_what_was_held)
{
    const struct tlsyn_impairment how = {.delay = 100};

    wrap(&how, &how);
    send_on(far, 100, 1, 1);
    tlsyn_link_close(far);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 2), 0);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 101), 1);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 101), -ENETDOWN);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 101), 1);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 1, 300), -ENETDOWN);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 301), -ENETDOWN);
    tlsyn_link_close(near);
}
END_TEST

START_TEST(what_the_inner_link_has_no_room_for_is_a_full_queue)
{
    const struct tlsyn_impairment how = {.delay = 10};
    struct tlsyn_link *ends[2];

    ck_assert_int_eq(tlsyn_pipe_open(&offloading, 2, ends), 0);
    ck_assert_int_eq(tlsyn_impair_wrap(ends[0], &how, NULL, &near), 0);
    far = ends[1];
    for (uint32_t i = 0; i < 5; i++)
        send_on(near, 100, i, 0);
    ck_assert_int_eq(arrivals(10), 2);
    ck_assert_uint_eq(out_stats().queue_full, 3);
    unwrap();
}
END_TEST

START_TEST(impossible_impairments_are_refused)
{
    const struct tlsyn_impairment bad[] = {
        {.loss = 1.1},  {.corrupt = -0.1},     {.delay = -1},  {.delay = TLSYN_IMPAIR_TIME_MAX + 1},
        {.jitter = -1}, {.jitter = INT64_MAX}, {.reorder = 2}, {.mark = 1.5}};
    struct tlsyn_link *ends[2], *wrapped;

    ck_assert_int_eq(tlsyn_pipe_open(&offloading, 2, ends), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(tlsyn_impair_wrap(ends[0], NULL, &bad[i], &wrapped), -EINVAL);
    ck_assert_int_eq(tlsyn_impair_wrap(ends[0], NULL, NULL, &wrapped), 0);
    ck_assert_int_eq(tlsyn_impair_set(wrapped, &bad[0], NULL), -EINVAL);
    tlsyn_link_close(wrapped);
    tlsyn_link_close(ends[1]);
}
END_TEST

Suite *impair_suite(void);

Suite *impair_suite(void)
{
    Suite *suite = suite_create("impair");
    TCase *times = tcase_create("times");
    TCase *fates = tcase_create("fates");
    TCase *ends = tcase_create("ends");

    tcase_add_test(times, a_perfect_path_passes_everything_at_once);
    tcase_add_test(times, what_is_sent_leaves_after_the_delay_not_before);
    tcase_add_test(times, what_is_received_counts_from_its_arrival_and_says_when_it_was_due);
    tcase_add_test(times, more_than_one_batch_comes_out_in_order);
    tcase_add_test(times, jitter_adds_up_to_its_bound_and_keeps_order);
    tcase_add_test(times, a_rate_spaces_frames_by_their_length);
    tcase_add_test(times, a_fast_rate_is_not_rounded_to_microseconds);
    tcase_add_test(times, the_queue_before_the_rate_drops_its_tail);
    suite_add_tcase(suite, times);
    tcase_add_test(fates, loss_is_as_frequent_as_asked_and_repeats_with_the_seed);
    tcase_add_test(fates, another_loss_does_not_change_what_is_duplicated);
    tcase_add_test(fates, reordered_frames_pass_the_delay_by);
    tcase_add_test(fates, without_a_delay_there_is_nothing_to_overtake);
    tcase_add_test(fates, corruption_flips_one_bit_behind_the_ethernet_header);
    tcase_add_test(fates, a_corrupted_frame_has_a_checksum_that_shows_it);
    tcase_add_test(fates, a_corrupted_super_frame_is_thrown_away);
    tcase_add_loop_test(fates, what_can_do_ecn_is_marked_and_nothing_else, 0, 2);
    tcase_add_test(fates, marks_are_as_frequent_as_asked_and_change_no_fate);
    tcase_add_test(fates, a_long_queue_marks);
    suite_add_tcase(suite, fates);
    tcase_add_test(ends, a_held_frame_keeps_its_offload_and_its_bytes);
    tcase_add_test(ends, order_is_kept_when_the_delay_shrinks);
    tcase_add_test(ends, the_end_of_the_inner_link_is_told_after_what_was_held);
    tcase_add_test(ends, what_the_inner_link_has_no_room_for_is_a_full_queue);
    tcase_add_test(ends, impossible_impairments_are_refused);
    suite_add_tcase(suite, ends);
    return suite;
}
