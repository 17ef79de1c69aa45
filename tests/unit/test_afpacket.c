/* link/afpacket: over a real pair of interfaces in a namespace of the test's own. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <tlsyn/stack.h>
#include <unistd.h>

#include "support/frames.h"
#include "support/wire.h"

#define WAIT_MS 2000
#define WAYS    (TLSYN_AFPACKET_RING + 1)

static struct test_frame sent;
static struct tlsyn_frame got[TLSYN_LINK_BATCH];

static tlsyn_time clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
}

/* In the way of the running case: each runs once for each. */
static struct tlsyn_link *open_link(const char *name, const struct tlsyn_afpacket_options *options,
                                    int way)
{
    struct tlsyn_afpacket_options chosen = options ? *options : (struct tlsyn_afpacket_options){0};
    struct tlsyn_link *link = NULL;

    chosen.way = (enum tlsyn_afpacket_way)way;
    ck_assert_int_eq(tlsyn_afpacket_open(name, &chosen, &link), 0);
    return link;
}

/* Our frames have the test's addresses: only those count, not what the kernel says by
 * itself on the wire. */
static bool is_ours(const struct tlsyn_frame *frame)
{
    const uint8_t *bytes = frame->iov[0].iov_base;

    return frame->iov[0].iov_len >= 58 && bytes[12] == 8 && bytes[13] == 0 && bytes[23] == 6;
}

/* Waits for frames; those of ours move to the front. Their count, 0 after some time, or
 * the link's error. */
static int await_frames(struct tlsyn_link *link, int max, int wait_ms)
{
    struct pollfd ready = {.fd = tlsyn_link_fd(link), .events = POLLIN};

    while (poll(&ready, 1, wait_ms) == 1) {
        int n = tlsyn_link_receive(link, got, max, clock_now()), kept = 0;

        for (int i = 0; i < n; i++) {
            if (is_ours(&got[i]))
                got[kept++] = got[i];
        }
        if (n < 0 || kept > 0)
            return n < 0 ? n : kept;
    }
    return 0;
}

static void send_number(struct tlsyn_link *link, size_t len, uint32_t number)
{
    test_frame_make(&sent, len, number);
    ck_assert_int_eq(tlsyn_link_transmit(link, &sent.frame, 1, 0), 1);
}

/* One frame, read long after it came, by somebody who asked: was its time that of its arrival? */
static bool one_is_stamped_on_arrival(struct tlsyn_link *near, struct tlsyn_link *far)
{
    tlsyn_time before = clock_now(), after;

    send_number(near, 1000, 5);
    after = clock_now();
    usleep(20000);
    ck_assert_int_eq(await_frames(far, 4, WAIT_MS), 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, 1000);
    ck_assert_mem_eq(got[0].iov[0].iov_base, sent.bytes, 1000);
    ck_assert_int_ge(got[0].when, before - 2); /* two clocks, each cut to a microsecond */
    return got[0].when <= after + 2;
}

/* The kernel begins to stamp frames some time after the first socket of the machine asked for
 * it (a work queue does it), and until then says the time of the reading. */
static bool stamped_on_arrival(struct tlsyn_link *near, struct tlsyn_link *far)
{
    for (int i = 0; i < 100; i++) {
        if (one_is_stamped_on_arrival(near, far))
            return true;
    }
    return false;
}

START_TEST(a_frame_arrives_with_its_bytes_and_the_time_of_arrival)
{
    const struct tlsyn_afpacket_options bridge_options = {.promiscuous = true};
    struct tlsyn_link *near, *far, *beside;

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    beside = open_link(TEST_WIRE_NEAR, &bridge_options, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    send_number(near, 100, 4);
    ck_assert_int_eq(await_frames(far, 4, WAIT_MS), 1);
    ck_assert_int_eq(got[0].when, 0); /* nobody has asked */
    tlsyn_link_stamp(far);
    ck_assert_mem_eq(near->caps.hwaddr, test_wire_near_hwaddr, 6);
    ck_assert_uint_eq(near->caps.mtu, 1500);
    ck_assert(stamped_on_arrival(near, far));
    ck_assert_int_eq(await_frames(beside, 4, 50),
                     0); /* what this host sends isn't received by it */
    tlsyn_link_close(near);
    tlsyn_link_close(beside);
    tlsyn_link_close(far);
}
END_TEST

START_TEST(many_frames_in_pieces_arrive_in_order)
{
    static struct test_frame frames[100];
    struct tlsyn_frame pieces[100];
    struct tlsyn_link *near, *far;
    uint32_t expected = 0;
    int n;

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    for (uint32_t i = 0; i < 100; i++) {
        test_frame_make(&frames[i], 1514, i);
        pieces[i] = frames[i].frame;
        pieces[i].iov[0].iov_len = 54;
        pieces[i].iov[1] = (struct iovec){frames[i].bytes + 54, 700};
        pieces[i].iov[2] = (struct iovec){frames[i].bytes + 754, 760};
        pieces[i].iovcnt = 3;
    }
    ck_assert_int_eq(tlsyn_link_transmit(near, pieces, 100, 0), 100);
    while (expected < 100 && (n = await_frames(far, TLSYN_LINK_BATCH, WAIT_MS)) > 0) {
        for (int i = 0; i < n; i++) {
            ck_assert_uint_eq(test_frame_number(&got[i]), expected);
            ck_assert_mem_eq(got[i].iov[0].iov_base, frames[expected].bytes, 1514);
            expected++;
        }
    }
    ck_assert_uint_eq(expected, 100);
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}
END_TEST

START_TEST(only_a_bridge_takes_frames_for_others)
{
    const struct tlsyn_afpacket_options bridge_options = {.promiscuous = true};
    const struct tlsyn_afpacket_options other_options = {.hwaddr = {2, 0, 0, 0, 9, 9}};
    struct tlsyn_link *near, *far, *bridge, *other;

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    bridge = open_link(TEST_WIRE_FAR, &bridge_options, _i);
    other = open_link(TEST_WIRE_FAR, &other_options, _i);
    ck_assert_mem_eq(other->caps.hwaddr, other_options.hwaddr, 6);
    test_frame_make(&sent, 100, 1);
    memcpy(sent.bytes, other_options.hwaddr, 6);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(await_frames(bridge, 4, WAIT_MS), 1);
    ck_assert_int_eq(await_frames(other, 4, WAIT_MS), 1);
    ck_assert_int_eq(await_frames(far, 4, 20), 0);
    memset(sent.bytes, 0xff, 6);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(await_frames(bridge, 4, WAIT_MS), 1);
    ck_assert_int_eq(await_frames(other, 4, WAIT_MS), 1);
    ck_assert_int_eq(await_frames(far, 4, WAIT_MS), 1);
    send_number(near, 100, 2);
    ck_assert_int_eq(await_frames(bridge, 4, WAIT_MS), 1);
    ck_assert_int_eq(await_frames(far, 4, WAIT_MS), 1);
    ck_assert_int_eq(await_frames(other, 4, 20), 0);
    tlsyn_link_close(near);
    tlsyn_link_close(far);
    tlsyn_link_close(bridge);
    tlsyn_link_close(other);
}
END_TEST

START_TEST(frames_of_a_vlan_are_passed_over)
{
    static const uint8_t tag[4] = {0x81, 0, 0, 5}, priority[4] = {0x81, 0, 0xe0, 0};
    struct tlsyn_link *near, *far;

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    test_frame_make(&sent, 100, 1);
    memmove(sent.bytes + 16, sent.bytes + 12, 88);
    memcpy(sent.bytes + 12, tag, 4);
    sent.frame.iov[0].iov_len = 104;
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(await_frames(far, 4, 50), 0);
    memcpy(sent.bytes + 12, priority, 4); /* no VLAN, just a priority: IEEE 802.1Q 9.6 */
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    ck_assert_int_eq(await_frames(far, 4, WAIT_MS), 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, 100);
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}
END_TEST

START_TEST(a_super_frame_crosses_whole)
{
    const struct tlsyn_afpacket_options plain_options = {.no_vnet_hdr = true};
    struct tlsyn_link *near, *far, *plain;
    size_t len;

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    plain = open_link(TEST_WIRE_FAR, &plain_options, _i);
    ck_assert(near->caps.csum);
    ck_assert(!plain->caps.csum);
    ck_assert_uint_eq(plain->caps.gso_max, 0);
    len = 54 + near->caps.gso_max;
    test_frame_make(&sent, len, 5);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);

    ck_assert_int_eq(await_frames(far, 4, WAIT_MS), 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, len);
    ck_assert_mem_eq(got[0].iov[0].iov_base, sent.bytes, len);
    ck_assert_int_eq(got[0].flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_int_eq(got[0].gso_type, TLSYN_GSO_TCP4);
    ck_assert_uint_eq(got[0].gso_size, 1460);
    ck_assert_uint_eq(got[0].hdr_len, 54);
    ck_assert_uint_eq(got[0].csum_start, 34);
    ck_assert_uint_eq(got[0].csum_offset, 16);

    /* Without the header it comes all the same, and the checksum is known to be unfinished. */
    ck_assert_int_eq(await_frames(plain, 4, WAIT_MS), 1);
    ck_assert_uint_eq(got[0].iov[0].iov_len, len);
    ck_assert_int_eq(got[0].flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
    ck_assert_uint_eq(got[0].csum_start, 34);
    ck_assert_uint_eq(got[0].csum_offset, 16);
    tlsyn_link_close(near);
    tlsyn_link_close(far);
    tlsyn_link_close(plain);
}
END_TEST

/* PACKET_QDISC_BYPASS drops whatever the device can't segment by itself. */
START_TEST(a_socket_that_goes_past_the_queue_is_brought_back)
{
    struct tlsyn_afpacket_options given = {0};
    struct tlsyn_link *near, *far;
    int bypass = 1, pieces = 0, n;
    socklen_t size = sizeof(bypass);

    if (!test_wire_open())
        return;
    given.socket = tlsyn_afpacket_socket(NULL);
    ck_assert_int_eq(setsockopt(given.socket, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, size), 0);
    test_wire_no_offload(TEST_WIRE_NEAR);
    near = open_link(TEST_WIRE_NEAR, &given, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    ck_assert_int_eq(getsockopt(given.socket, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, &size), 0);
    ck_assert_int_eq(bypass, 0);
    test_frame_make(&sent, 54 + 4 * 1460, 5);
    test_frame_coalesce(&sent, 1460);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    while (pieces < 4 && (n = await_frames(far, 4, WAIT_MS)) > 0) {
        for (int i = 0; i < n; i++)
            ck_assert_uint_eq(got[i].iov[0].iov_len, 54 + 1460);
        pieces += n;
    }
    ck_assert_int_eq(pieces, 4);
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}
END_TEST

START_TEST(the_kernels_own_frames_come_with_an_unfinished_checksum)
{
    static const struct tlsyn_afpacket_options options[] = {{0}, {.no_vnet_hdr = true}};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int on = 1, fd;

    if (!test_wire_open())
        return;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
    ck_assert_int_eq(inet_pton(AF_INET, "10.0.0.255", &to.sin_addr), 1);
    for (int i = 0; i < 2; i++) {
        struct tlsyn_link *far = open_link(TEST_WIRE_FAR, &options[i], _i);
        struct pollfd ready = {.fd = tlsyn_link_fd(far), .events = POLLIN};
        const uint8_t *bytes;

        do { /* UDP is not the kernel's only word on a fresh interface */
            ck_assert_int_eq(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
            ck_assert_int_eq(poll(&ready, 1, WAIT_MS), 1);
            ck_assert_int_eq(tlsyn_link_receive(far, got, 1, clock_now()), 1);
            bytes = got[0].iov[0].iov_base;
        } while (bytes[23] != 17);
        ck_assert_uint_eq(got[0].iov[0].iov_len, 47);
        ck_assert_int_eq(got[0].flags, TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED);
        ck_assert_uint_eq(got[0].csum_start, 34);
        ck_assert_uint_eq(got[0].csum_offset, 6);
        tlsyn_link_close(far);
    }
    close(fd);
}
END_TEST

START_TEST(what_the_link_can_never_take_is_refused_and_the_rest_goes_on)
{
    const struct tlsyn_afpacket_options plain_options = {.no_vnet_hdr = true};
    static struct test_frame good, large;
    struct tlsyn_link *near, *plain, *far;
    struct tlsyn_frame frames[3];

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    plain = open_link(TEST_WIRE_NEAR, &plain_options, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    test_frame_make(&good, 200, 1);
    test_frame_make(&large, 1515, 2);
    frames[0] = frames[2] = good.frame;
    frames[1] = large.frame;
    ck_assert_int_eq(tlsyn_link_transmit(near, frames, 3, 0), 1);
    ck_assert_int_eq(tlsyn_link_transmit(near, frames + 1, 2, 0), -EMSGSIZE);
    ck_assert_int_eq(tlsyn_link_transmit(near, frames + 2, 1, 0), 1);
    ck_assert_int_eq(await_frames(far, 1, WAIT_MS), 1);
    ck_assert_int_eq(await_frames(far, 1, WAIT_MS), 1);
    test_frame_unfinish(&good);
    ck_assert_int_eq(tlsyn_link_transmit(plain, &good.frame, 1, 0), -EINVAL);
    tlsyn_link_close(near);
    tlsyn_link_close(plain);
    tlsyn_link_close(far);
}
END_TEST

START_TEST(an_interface_that_goes_down_ends_the_link)
{
    struct tlsyn_link *near;

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    test_wire_down(TEST_WIRE_NEAR);
    ck_assert_int_eq(await_frames(near, 4, WAIT_MS), -ENETDOWN);
    ck_assert_int_eq(tlsyn_link_receive(near, got, 4, clock_now()), -ENETDOWN);
    test_frame_make(&sent, 100, 1);
    ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), -ENETDOWN);
    tlsyn_link_close(near);
}
END_TEST

/* Short and long frames in turn: through a ring they come by two ways, and stay in order. */
START_TEST(frames_of_all_lengths_keep_their_order)
{
    static const size_t lengths[] = {60, 30000, 1514, 1514, 65000, 3000, 60, 1600, 64294};
    struct tlsyn_link *near, *far;
    uint32_t expected = 0, rounds = 0, sent_count = 0;

    if (!test_wire_open())
        return;
    near = open_link(TEST_WIRE_NEAR, NULL, _i);
    far = open_link(TEST_WIRE_FAR, NULL, _i);
    for (; rounds < 500; rounds++) { /* more than a ring has slots, in all */
        uint32_t first = sent_count;

        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            test_frame_make(&sent, lengths[i], sent_count++);
            if (lengths[i] > 1514)
                test_frame_coalesce(&sent, 1460);
            ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
        }
        while (expected < sent_count) {
            int n = await_frames(far, 5, WAIT_MS);

            ck_assert_int_gt(n, 0);
            for (int i = 0; i < n; i++, expected++) {
                size_t len = lengths[expected - first];

                ck_assert_uint_eq(test_frame_number(&got[i]), expected);
                ck_assert_uint_eq(got[i].iov[0].iov_len, len);
                ck_assert_int_eq(got[i].gso_type, len > 1514 ? TLSYN_GSO_TCP4 : TLSYN_GSO_NONE);
            }
        }
    }
    ck_assert_uint_eq(tlsyn_link_missed(far), 0);
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}
END_TEST

/* Nobody reads: memory is bounded, and what found no room is counted to the frame. */
static void overflow_with(size_t len, uint32_t count, int way)
{
    struct tlsyn_link *near = open_link(TEST_WIRE_NEAR, NULL, way);
    struct tlsyn_link *far = open_link(TEST_WIRE_FAR, NULL, way);
    const struct tlsyn_stack_options options = {0};
    struct tlsyn_stack *stack = tlsyn_stack_new(&options);
    struct tlsyn_iface *iface;
    uint32_t arrived = 0;
    int n;

    test_frame_make(&sent, len, 1);
    if (len > 1514)
        test_frame_coalesce(&sent, 1460);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(tlsyn_link_transmit(near, &sent.frame, 1, 0), 1);
    while ((n = await_frames(far, TLSYN_LINK_BATCH, 100)) > 0)
        arrived += (uint32_t)n;
    ck_assert_int_eq(n, 0);
    ck_assert_uint_gt(arrived, 0);
    ck_assert_uint_lt(arrived, count);
    ck_assert_uint_ge(tlsyn_link_missed(far), count - arrived); /* and what the kernel said */
    ck_assert_uint_le(tlsyn_link_missed(far), count - arrived + 20);
    ck_assert_int_eq(tlsyn_iface_add(stack, far, &iface), 0);
    ck_assert_uint_eq(tlsyn_counter(stack, TLSYN_COUNT_link_missed), tlsyn_link_missed(far));
    tlsyn_stack_free(stack);
    send_number(near, 100, 7); /* and then it goes on */
    ck_assert_int_eq(await_frames(far, 1, WAIT_MS), 1);
    ck_assert_uint_eq(test_frame_number(&got[0]), 7);
    tlsyn_link_close(near);
    tlsyn_link_close(far);
}

START_TEST(what_finds_no_room_is_counted)
{
    if (!test_wire_open())
        return;
    overflow_with(100, 30000, _i);
    overflow_with(60000, 1000, _i);
}
END_TEST

/* Gives up every effective capability. */
static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};

    ck_assert_int_eq(syscall(SYS_capset, &header, none), 0);
}

START_TEST(each_reason_not_to_open_has_its_error)
{
    struct tlsyn_link *link;

    if (!test_wire_open())
        return;
    ck_assert_int_eq(tlsyn_afpacket_open("nowhere", NULL, &link), -ENODEV);
    ck_assert_int_eq(tlsyn_afpacket_open("a-name-longer-than-any-interface", NULL, &link), -ENODEV);
    ck_assert_int_eq(tlsyn_afpacket_open("lo", NULL, &link), -ENETDOWN);
    test_wire_down(TEST_WIRE_FAR);
    ck_assert_int_eq(tlsyn_afpacket_open(TEST_WIRE_FAR, NULL, &link), -ENETDOWN);
    drop_capabilities();
    ck_assert_int_eq(tlsyn_afpacket_open(TEST_WIRE_NEAR, NULL, &link), -EPERM);
}
END_TEST

Suite *afpacket_suite(void);

Suite *afpacket_suite(void)
{
    Suite *suite = suite_create("afpacket");
    TCase *frames = tcase_create("frames");
    TCase *offload = tcase_create("offload");
    TCase *errors = tcase_create("errors");

    tcase_add_loop_test(frames, a_frame_arrives_with_its_bytes_and_the_time_of_arrival, 0, WAYS);
    tcase_add_loop_test(frames, many_frames_in_pieces_arrive_in_order, 0, WAYS);
    tcase_add_loop_test(frames, only_a_bridge_takes_frames_for_others, 0, WAYS);
    tcase_add_loop_test(frames, frames_of_a_vlan_are_passed_over, 0, WAYS);
    tcase_add_loop_test(frames, frames_of_all_lengths_keep_their_order, 0, WAYS);
    tcase_add_loop_test(frames, what_finds_no_room_is_counted, 0, WAYS);
    suite_add_tcase(suite, frames);
    tcase_add_loop_test(offload, a_super_frame_crosses_whole, 0, WAYS);
    tcase_add_loop_test(offload, a_socket_that_goes_past_the_queue_is_brought_back, 0, WAYS);
    tcase_add_loop_test(offload, the_kernels_own_frames_come_with_an_unfinished_checksum, 0, WAYS);
    suite_add_tcase(suite, offload);
    tcase_add_loop_test(errors, what_the_link_can_never_take_is_refused_and_the_rest_goes_on, 0,
                        WAYS);
    tcase_add_loop_test(errors, an_interface_that_goes_down_ends_the_link, 0, WAYS);
    tcase_add_test(errors, each_reason_not_to_open_has_its_error);
    suite_add_tcase(suite, errors);
    return suite;
}
