/* A link to itself, and what goes and comes by it. RFC 1122 3.2.1.3 (g), RFC 4291 2.5.3. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>

#include "support/bsd.h"
#include "support/frames.h"
#include "support/ip_bed.h"

static struct ip_bed bed;
static struct tlsyn_link *link_home;
static struct tlsyn_iface *home;

static void add(const char *text, int prefix_len)
{
    struct tlsyn_addr address = addr_of(text);

    ck_assert_int_eq(tlsyn_iface_address(home, &address, prefix_len), 0);
}

static void go_home(void)
{
    ck_assert_int_eq(tlsyn_loopback_open(&link_home), 0);
    ck_assert_int_eq(ip_iface_add(&bed.ip, link_home, &home), 0);
    add("127.0.0.1", 8);
    add("::1", 128);
}

static void setup(void)
{
    ip_bed_open(&bed, 5);
    go_home();
}

static void teardown(void)
{
    ip_bed_close(&bed);
    tlsyn_link_close(link_home);
}

/* From one address to another; 0 or what ip_output() says. */
static int sends(const char *src, const char *dst)
{
    struct ip_tx tx = {.protocol = IP_PROTOCOL_TCP,
                       .src = addr_of(src),
                       .dst = addr_of(dst),
                       .header_len = 20,
                       .csum_offset = 16};
    int error = ip_output(&bed.ip, &tx);

    ip_bed_flush(&bed);
    return error;
}

/* The next frame that is back. */
static enum ip_verdict comes_back(void)
{
    struct tlsyn_frame frame;

    ck_assert_int_eq(tlsyn_link_receive(link_home, &frame, 1, bed.cx.now), 1);
    return ip_input(&bed.ip, home, &frame, &bed.arrival);
}

START_TEST(its_addresses_are_nobody_elses)
{
    struct tlsyn_addr four = addr_of("127.0.0.1"), other = addr_of("127.0.0.2"),
                      six = addr_of("::1");

    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &other, 8), -EINVAL);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &six, 128), -EINVAL);
    ck_assert(ip_is_ours(&bed.ip, &four));
    ck_assert(ip_is_ours(&bed.ip, &six));
    ck_assert(!ip_is_ours(&bed.ip, &other));
    ck_assert_int_eq(bed.link.count, 0); /* nobody was asked or told */
}
END_TEST

START_TEST(what_goes_to_us_comes_back_and_is_seen_nowhere_else)
{
    static const char *const pairs[][2] = {{"127.0.0.1", "127.0.0.1"},
                                           {"10.0.0.1", "10.0.0.1"},
                                           {"10.0.0.1", "127.0.0.1"},
                                           {"127.0.0.1", "10.0.0.1"},
                                           {"::1", "::1"}};
    const struct ip_datagram *d = &bed.arrival.datagram;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct tlsyn_addr src = addr_of(pairs[i][0]), dst = addr_of(pairs[i][1]);

        ck_assert_int_eq(tlsyn_link_next_timeout(link_home), TLSYN_NEVER);
        ck_assert_int_eq(sends(pairs[i][0], pairs[i][1]), 0);
        ck_assert_int_eq(tlsyn_link_next_timeout(link_home), 0);
        ck_assert_int_eq(comes_back(), IP_DATAGRAM);
        ck_assert(tlsyn_addr_eq(&d->src, &src));
        ck_assert(tlsyn_addr_eq(&d->dst, &dst));
        ck_assert(d->csum_verified);
        ip_input_done(&bed.ip);
    }
    ck_assert_int_eq(bed.link.count, 0);
}
END_TEST

START_TEST(nothing_of_it_comes_from_a_wire)
{
    static const char *const pairs[][2] = {{"10.0.0.2", "127.0.0.1"},
                                           {"127.0.0.1", "10.0.0.1"},
                                           {"127.0.0.9", "10.0.0.1"},
                                           {"10.0.0.1", "10.0.0.1"},
                                           {"::1", "::1"},
                                           {"fd77::2", "::1"}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct packet p = {.src = pairs[i][0], .dst = pairs[i][1], .payload = "abcd", .len = 4};

        ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_CONSUMED);
        ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_source), i + 1);
    }
}
END_TEST

START_TEST(nothing_of_it_leaves_by_a_wire)
{
    struct tlsyn_addr us = addr_of("10.0.0.1"), lo = addr_of("127.0.0.1");
    struct ip_path path;

    ip_bed_knows(&bed, 2);
    ck_assert_int_eq(sends("127.0.0.1", "10.0.0.2"), -ENETUNREACH);
    ck_assert_int_eq(sends("10.0.0.1", "127.0.0.2"), -ENETUNREACH);
    ck_assert_int_eq(sends("10.0.0.1", "10.0.0.2"), 0);
    ck_assert_int_eq(ip_path_find(&bed.ip, &us, &path), 0);
    ck_assert(tlsyn_addr_eq(&path.src, &us));
    ck_assert_uint_eq(path.mtu, 65535);
    ck_assert_int_eq(ip_path_find(&bed.ip, &lo, &path), 0);
    ck_assert(tlsyn_addr_eq(&path.src, &lo));
}
END_TEST

/* What a wrong frame of a wire is, it is here too. */
START_TEST(only_we_speak_there)
{
    struct packet p = {.src = "10.0.0.2", .dst = "10.0.0.1", .payload = "abcd", .len = 4};
    uint8_t bytes[PACKET_MAX];
    struct tlsyn_frame frame = {.iovcnt = 1, .iov = {{bytes, packet_build(&p, bytes)}}};

    ck_assert_int_eq(tlsyn_link_transmit(link_home, &frame, 1, 0), 1);
    ck_assert_int_eq(comes_back(), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_source), 1);
}
END_TEST

START_TEST(what_is_on_its_way_is_bounded)
{
    static struct test_frame sent;
    struct tlsyn_frame got[TLSYN_LINK_BATCH];
    int n = 0;

    test_frame_make(&sent, 60000, 1);
    while (n < 1000 && tlsyn_link_transmit(link_home, &sent.frame, 1, 0) == 1)
        n++;
    ck_assert_int_gt(n, 30);
    ck_assert_int_lt(n, 300);
    ck_assert_int_eq(tlsyn_link_transmit(link_home, &sent.frame, 1, 0), -ENOBUFS);
    ck_assert_int_eq(tlsyn_link_receive(link_home, got, 1, 0), 1);
    ck_assert_uint_eq(test_frame_number(got), 1);
    ck_assert_int_eq(tlsyn_link_transmit(link_home, &sent.frame, 1, 0), 1);
}
END_TEST

/* As a program has it: the address of its own interface is as good as 127.0.0.1. */
START_TEST(a_net_reaches_its_own_address)
{
    struct sockaddr_in at, peer;
    struct bsd b;
    socklen_t n = sizeof(peer);
    char text[8] = "";
    int client, server;

    bsd_at_home(&b);
    b.at[SERVER].sin_addr.s_addr = htonl(0x0a090001);
    bsd_connection(&b, &client, &server);
    ck_assert_int_eq(b.write(client, "hello", 5), 5);
    ck_assert_int_eq(b.read(server, text, sizeof(text)), 5);
    ck_assert_str_eq(text, "hello");
    ck_assert_int_eq(b.getsockname(client, (struct sockaddr *)&at, &n), 0);
    ck_assert_int_eq(b.getpeername(server, (struct sockaddr *)&peer, &n), 0);
    ck_assert_uint_eq(at.sin_addr.s_addr, htonl(0x0a090001));
    ck_assert_mem_eq(&at, &peer, sizeof(at));
    b.close(client);
    ck_assert_int_eq(b.read(server, text, sizeof(text)), 0);
    b.close(server);
    bsd_end(&b);
}
END_TEST

Suite *loopback_suite(void);

Suite *loopback_suite(void)
{
    Suite *suite = suite_create("loopback");
    TCase *room = tcase_create("room"), *net = tcase_create("net");

    tcase_add_checked_fixture(room, setup, teardown);
    tcase_add_test(room, its_addresses_are_nobody_elses);
    tcase_add_test(room, what_goes_to_us_comes_back_and_is_seen_nowhere_else);
    tcase_add_test(room, nothing_of_it_comes_from_a_wire);
    tcase_add_test(room, nothing_of_it_leaves_by_a_wire);
    tcase_add_test(room, only_we_speak_there);
    tcase_add_test(room, what_is_on_its_way_is_bounded);
    tcase_add_test(net, a_net_reaches_its_own_address);
    suite_add_tcase(suite, room);
    suite_add_tcase(suite, net);
    return suite;
}
