/* What the filter of a packet socket lets through: it runs on a socket of any kind, so each frame
 * goes as a datagram through a pair of them. */
#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard_filter.h"
#include "support/ip_bed.h"
#include "wire/ether.h"

static int pair[2];
static const uint16_t ours[] = {443, 40000};

static void setup(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
}

static void teardown(void)
{
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void attach(const char *addr, const uint16_t *port, int ports)
{
    struct tlsyn_addr us = addr_of(addr);

    ck_assert_int_eq(guard_filter_attach(pair[1], &us, port, ports), 0);
}

/* A socket of this kind says -EPERM to a frame that the filter drops, or takes it in silence. */
static bool passes(const uint8_t *frame, size_t len)
{
    uint8_t bytes[PACKET_MAX];

    (void)send(pair[0], frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return recv(pair[1], bytes, sizeof(bytes), MSG_DONTWAIT) == (ssize_t)len;
}

static bool packet_passes(const char *src, const char *dst, uint8_t protocol, uint16_t port)
{
    uint8_t frame[PACKET_MAX];
    const uint8_t payload[20] = {0x30, 0x39, (uint8_t)(port >> 8), (uint8_t)port};

    return passes(frame, packet_build(&(const struct packet){.src = src,
                                                             .dst = dst,
                                                             .protocol = protocol,
                                                             .payload = payload,
                                                             .len = sizeof(payload)},
                                      frame));
}

START_TEST(ports_of_ours_and_no_others_over_ip4)
{
    attach("10.0.0.1", ours, 2);
    for (int i = 0; i < 2; i++) {
        uint8_t protocol = i ? IP_PROTOCOL_UDP : IP_PROTOCOL_TCP;

        ck_assert(packet_passes("10.0.0.2", "10.0.0.1", protocol, 443));
        ck_assert(packet_passes("10.0.0.2", "10.0.0.1", protocol, 40000));
        ck_assert(!packet_passes("10.0.0.2", "10.0.0.1", protocol, 444));
        ck_assert(!packet_passes("10.0.0.2", "10.0.0.9", protocol, 443));
    }
    ck_assert(packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_ICMP, 0));
    ck_assert(!packet_passes("10.0.0.2", "10.0.0.1", 99, 443));
    ck_assert(!packet_passes("fd77::2", "fd77::1", IP_PROTOCOL_TCP, 443));
}
END_TEST

START_TEST(ports_of_ours_and_no_others_over_ip6)
{
    attach("fd77::1", ours, 2);
    ck_assert(packet_passes("fd77::2", "fd77::1", IP_PROTOCOL_TCP, 443));
    ck_assert(packet_passes("fd77::2", "fd77::1", IP_PROTOCOL_UDP, 40000));
    ck_assert(!packet_passes("fd77::2", "fd77::1", IP_PROTOCOL_TCP, 442));
    ck_assert(!packet_passes("fd77::2", "fd77::3", IP_PROTOCOL_TCP, 443));
    ck_assert(!packet_passes("fd77::2", "fd78::1", IP_PROTOCOL_TCP, 443));
    ck_assert(packet_passes("fd77::2", "ff02::1", IP_PROTOCOL_ICMP6, 0));
    ck_assert(packet_passes("fd77::2", "fd77::1", 44, 0)); /* a fragment */
    ck_assert(!packet_passes("fd77::2", "fd77::3", 44, 0));
    ck_assert(!packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, 443));
}
END_TEST

START_TEST(questions_and_fragments_pass)
{
    uint8_t frame[PACKET_MAX] = {[12] = ETHER_TYPE_ARP >> 8, [13] = ETHER_TYPE_ARP & 0xff};
    const uint8_t payload[20] = {0};
    size_t len;

    attach("10.0.0.1", ours, 2);
    ck_assert(passes(frame, 42));
    frame[12] = 0x88; /* neither ARP nor IP */
    ck_assert(!passes(frame, 42));
    len = packet_build(&(const struct packet){.payload = payload, .len = sizeof(payload)}, frame);
    ck_assert(!passes(frame, len)); /* port 0 */
    frame[14 + 6] = 0x20;           /* the first fragment has its port */
    ck_assert(!passes(frame, len));
    frame[14 + 7] = 1; /* a later one has not */
    ck_assert(passes(frame, len));
}
END_TEST

/* With options in front of it the port is elsewhere. */
START_TEST(the_port_is_behind_options)
{
    uint8_t frame[PACKET_MAX];
    const uint8_t payload[24] = {0, 0, 1, 187, 0, 0, 1, 188};
    size_t len =
        packet_build(&(const struct packet){.payload = payload, .len = sizeof(payload)}, frame);

    attach("10.0.0.1", ours, 1);
    ck_assert(passes(frame, len));
    frame[14] = 0x46;
    ck_assert(!passes(frame, len));
}
END_TEST

START_TEST(none_or_too_many_to_tell_apart)
{
    uint16_t many[GUARD_FILTER_PORTS];

    for (int i = 0; i < GUARD_FILTER_PORTS; i++)
        many[i] = (uint16_t)(50000 + i);
    attach("10.0.0.1", NULL, 0);
    ck_assert(!packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, 443));
    ck_assert(packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_ICMP, 0));
    attach("10.0.0.1", many, GUARD_FILTER_PORTS);
    ck_assert(packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, 50000));
    ck_assert(
        packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, 50000 + GUARD_FILTER_PORTS - 1));
    ck_assert(!packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, 50000 + GUARD_FILTER_PORTS));
    attach("10.0.0.1", NULL, GUARD_FILTER_PORTS + 1);
    ck_assert(packet_passes("10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, 443));
    ck_assert(!packet_passes("10.0.0.2", "10.0.0.3", IP_PROTOCOL_TCP, 443));
}
END_TEST

Suite *guard_filter_suite(void);

Suite *guard_filter_suite(void)
{
    Suite *s = suite_create("guard_filter");
    TCase *frames = tcase_create("frames");

    tcase_add_checked_fixture(frames, setup, teardown);
    tcase_add_test(frames, ports_of_ours_and_no_others_over_ip4);
    tcase_add_test(frames, ports_of_ours_and_no_others_over_ip6);
    tcase_add_test(frames, questions_and_fragments_pass);
    tcase_add_test(frames, the_port_is_behind_options);
    tcase_add_test(frames, none_or_too_many_to_tell_apart);
    suite_add_tcase(s, frames);
    return s;
}
