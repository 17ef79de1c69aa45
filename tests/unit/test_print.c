/* support/print: lines as people read them, and addresses as inet_ntop(3) writes them. */
#include <arpa/inet.h>
#include <errno.h>

#include "core/random.h"
#include "support/holds.h"
#include "support/print.h"
#include "wire/arp.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/ndp.h"
#include "wire/udp.h"

static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {10, 0, 0, 2};

/** A frame: Ethernet and IPv4 header, and room for what comes behind. */
struct packet {
    uint8_t bytes[200];
    size_t len;
};

static void begin(struct packet *p, uint16_t type)
{
    struct wire_ether ether = {.dst = {2, 0, 0, 0, 0, 2}, .src = {2, 0, 0, 0, 0, 1}, .type = type};

    memset(p, 0, sizeof(*p));
    p->len = (size_t)wire_ether_emit(&ether, p->bytes, sizeof(p->bytes));
}

static void begin_ip(struct packet *p, uint8_t protocol, uint16_t payload_len)
{
    struct wire_ip4 ip = {.protocol = protocol, .total_len = (uint16_t)(20 + payload_len)};

    begin(p, ETHER_TYPE_IP4);
    ip.src = tlsyn_addr_ip4(src);
    ip.dst = tlsyn_addr_ip4(dst);
    wire_ip4_emit(&ip, p->bytes + 14, 20);
    p->len = 14 + ip.total_len;
}

static void assert_prints(const struct packet *p, const char *want)
{
    char line[PRINT_LINE_MAX];

    ck_assert_int_eq(print_frame(p->bytes, p->len, line, sizeof(line)), (int)strlen(want));
    ck_assert_str_eq(line, want);
}

START_TEST(a_syn_ack_is_printed_with_its_options)
{
    struct wire_tcp tcp = {.src_port = 1234,
                           .dst_port = 443,
                           .seq = 1,
                           .ack = 4294967295,
                           .flags = TCP_SYN | TCP_ACK,
                           .wnd = 65535,
                           .options = {.mss = 1460,
                                       .sack_permitted = true,
                                       .has_ts = true,
                                       .tsval = 7,
                                       .tsecr = 3,
                                       .has_wscale = true,
                                       .wscale = 8}};
    struct packet p;

    begin_ip(&p, 6, 40 + 100);
    wire_tcp_emit(&tcp, p.bytes + 34, 40);
    assert_prints(&p, "10.0.0.1:1234 > 10.0.0.2:443 [S.] seq 1 ack 4294967295 win 65535 "
                      "<mss 1460,sackOK,TS val 7 ecr 3,wscale 8> len 100");
}
END_TEST

START_TEST(every_flag_and_a_cookie_are_printed)
{
    struct wire_tcp tcp = {.src_port = 1, .dst_port = 2, .flags = 0xff, .urg = 9};
    struct packet p;

    begin_ip(&p, 6, 20);
    wire_tcp_emit(&tcp, p.bytes + 34, 20);
    assert_prints(&p, "10.0.0.1:1 > 10.0.0.2:2 [FSRP.UEW] seq 0 ack 0 win 0 urg 9 len 0");

    tcp = (struct wire_tcp){.src_port = 1, .dst_port = 2, .options = {.has_fastopen = true}};
    begin_ip(&p, 6, 24);
    wire_tcp_emit(&tcp, p.bytes + 34, 24);
    assert_prints(&p, "10.0.0.1:1 > 10.0.0.2:2 [] seq 0 win 0 <FO cookiereq> len 0");

    tcp.options = (struct tcp_options){.has_fastopen = true,
                                       .fastopen_experimental = true,
                                       .cookie_len = 4,
                                       .cookie = {0xde, 0xad, 0xbe, 0x0f},
                                       .sack_count = 2,
                                       .sack = {{1, 2}, {3, 4}}};
    begin_ip(&p, 6, 48);
    wire_tcp_emit(&tcp, p.bytes + 34, 48);
    assert_prints(&p, "10.0.0.1:1 > 10.0.0.2:2 [] seq 0 win 0 <FOEXP deadbe0f,sack 1:2,sack 3:4> "
                      "len 0");
}
END_TEST

START_TEST(a_segment_is_printed_without_its_datagram)
{
    struct tlsyn_addr from = {.byte = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}, to = from;
    struct wire_tcp tcp = {.src_port = 5, .dst_port = 6, .flags = TCP_RST, .seq = 7, .text_len = 8};
    char line[PRINT_LINE_MAX];

    ck_assert_int_gt(print_tcp(&from, &to, &tcp, line, sizeof(line)), 0);
    ck_assert_str_eq(line, "[2001:db8::1]:5 > [2001:db8::1]:6 [R] seq 7 win 0 len 8");
}
END_TEST

START_TEST(icmp_udp_and_others_are_printed)
{
    struct wire_icmp4 icmp = {.type = ICMP4_ECHO, .id = 7, .sequence = 1};
    struct wire_udp udp = {.src_port = 9, .dst_port = 53, .len = 8 + 3};
    uint8_t quoted[28] = {0x45, 0, 0, 40};
    struct packet p;

    begin_ip(&p, 1, 8);
    wire_icmp4_emit(&icmp, p.bytes + 34, 8);
    assert_prints(&p, "10.0.0.1 > 10.0.0.2 icmp echo id 7 seq 1 len 0");
    icmp = (struct wire_icmp4){.type = ICMP4_UNREACHABLE,
                               .code = ICMP4_FRAGMENTATION_NEEDED,
                               .mtu = 1280,
                               .payload = quoted,
                               .payload_len = 28};
    begin_ip(&p, 1, 36);
    wire_icmp4_emit(&icmp, p.bytes + 34, 36);
    assert_prints(&p, "10.0.0.1 > 10.0.0.2 icmp unreachable code 4 mtu 1280 len 28");
    begin_ip(&p, 17, 11);
    wire_udp_emit(&udp, p.bytes + 34, 8);
    assert_prints(&p, "10.0.0.1:9 > 10.0.0.2:53 udp len 3");
    begin_ip(&p, 6, 3);
    assert_prints(&p, "10.0.0.1 > 10.0.0.2 protocol 6 len 3");
    begin_ip(&p, 6, 3);
    p.bytes[14 + 6] = 0x20;
    assert_prints(&p, "10.0.0.1 > 10.0.0.2 protocol 6 fragment len 3");
    p.bytes[14] = 0x55;
    assert_prints(&p, "malformed ip len 23");
}
END_TEST

START_TEST(arp_and_unknown_frames_are_printed)
{
    struct wire_arp arp = {.op = ARP_REQUEST, .sender_hw = {2, 0, 0, 0, 0, 0xab}};
    struct packet p;

    arp.sender = tlsyn_addr_ip4(src);
    arp.target = tlsyn_addr_ip4(dst);
    begin(&p, ETHER_TYPE_ARP);
    wire_arp_emit(&arp, p.bytes + 14, ARP_LEN);
    p.len += ARP_LEN;
    assert_prints(&p, "arp who-has 10.0.0.2 tell 10.0.0.1");
    arp.op = ARP_REPLY;
    wire_arp_emit(&arp, p.bytes + 14, ARP_LEN);
    assert_prints(&p, "arp 10.0.0.1 is-at 02:00:00:00:00:ab");
    p.len--;
    assert_prints(&p, "02:00:00:00:00:01 > 02:00:00:00:00:02 type 2054 len 27");
    p.len = 13;
    assert_prints(&p, "malformed frame len 13");
}
END_TEST

START_TEST(addresses_are_written_as_inet_ntop_does)
{
    struct random_seeded random;

    random_seed(&random, 13);
    for (int round = 0; round < 20000; round++) {
        char want[INET6_ADDRSTRLEN], line[PRINT_ADDR_MAX];
        struct tlsyn_addr addr;

        random.base.fill(&random.base, addr.byte, 16);
        /* Many zero groups, and short ones. inet_ntop writes addresses below ::1:0:0 with
         * dots: not here. */
        for (int i = 0; i < 8; i++) {
            if (random_below(&random.base, 2))
                addr.byte[2 * i] = addr.byte[2 * i + 1] = 0;
            else if (random_below(&random.base, 2))
                addr.byte[2 * i] = 0;
        }
        addr.byte[1] |= 1;
        HOLDS(inet_ntop(AF_INET6, addr.byte, want, sizeof(want)));
        HOLDS(print_addr(&addr, line, sizeof(line)) == (int)strlen(want));
        ck_assert_msg(strcmp(line, want) == 0, "%s, not %s", line, want);
    }
}
END_TEST

START_TEST(a_short_buffer_is_refused_and_not_overrun)
{
    struct tlsyn_addr addr = tlsyn_addr_ip4((const uint8_t[4]){255, 255, 255, 255});
    char line[32];

    for (size_t room = 0; room < 20; room++) {
        memset(line, '#', sizeof(line));
        ck_assert_int_eq(print_addr(&addr, line, room), room > 15 ? 15 : -ENOSPC);
        ck_assert_int_eq(line[room], '#');
    }
}
END_TEST

START_TEST(the_longest_line_fits)
{
    struct tlsyn_addr from, to;
    struct wire_tcp tcp;
    char line[PRINT_LINE_MAX];

    memset(&from, 0xfe, sizeof(from));
    memset(&to, 0xfe, sizeof(to));
    memset(&tcp, 0xff, sizeof(tcp));
    tcp.options = (struct tcp_options){.mss = 65535,
                                       .has_wscale = true,
                                       .wscale = 255,
                                       .sack_permitted = true,
                                       .has_ts = true,
                                       .tsval = UINT32_MAX,
                                       .tsecr = UINT32_MAX,
                                       .sack_count = 4,
                                       .sack = {{UINT32_MAX, UINT32_MAX},
                                                {UINT32_MAX, UINT32_MAX},
                                                {UINT32_MAX, UINT32_MAX},
                                                {UINT32_MAX, UINT32_MAX}},
                                       .has_fastopen = true,
                                       .fastopen_experimental = true,
                                       .cookie_len = 16};
    ck_assert_int_gt(print_tcp(&from, &to, &tcp, line, sizeof(line)), 0);
}
END_TEST

/** The same over IPv6, from fd77::1 to fd77::2. */
static void begin_ip6(struct packet *p, uint8_t next, uint16_t payload_len)
{
    struct wire_ip6 ip = {.src = {{0xfd, 0x77, [15] = 1}},
                          .dst = {{0xfd, 0x77, [15] = 2}},
                          .next = next,
                          .payload_len = payload_len};

    begin(p, ETHER_TYPE_IP6);
    wire_ip6_emit(&ip, p->bytes + 14, IP6_HEADER_LEN);
    p->len = 14 + IP6_HEADER_LEN + payload_len;
}

START_TEST(what_comes_over_ipv6_is_printed)
{
    struct wire_icmp6 echo = {.type = ICMP6_ECHO, .id = 7, .sequence = 1};
    struct wire_ndp ndp = {.type = ICMP6_NEIGHBOUR_SOLICITATION,
                           .target = {{0xfd, 0x77, [15] = 2}},
                           .has_source_hw = true,
                           .source_hw = {2, 0, 0, 0, 0, 1}};
    struct wire_tcp tcp = {.src_port = 1, .dst_port = 2, .seq = 3, .flags = TCP_SYN, .wnd = 4};
    struct packet p;

    begin_ip6(&p, 6, 20);
    wire_tcp_emit(&tcp, p.bytes + 54, 60);
    assert_prints(&p, "[fd77::1]:1 > [fd77::2]:2 [S] seq 3 win 4 len 0");
    begin_ip6(&p, IP6_ICMP, 8);
    wire_icmp6_emit(&echo, p.bytes + 54, 60);
    assert_prints(&p, "fd77::1 > fd77::2 icmp6 echo id 7 seq 1 len 0");
    begin_ip6(&p, IP6_ICMP, 32);
    wire_ndp_emit(&ndp, p.bytes + 54, 60);
    assert_prints(&p, "fd77::1 > fd77::2 icmp6 who-has fd77::2 from 02:00:00:00:00:01");
    begin_ip6(&p, IP6_FRAGMENT, 16);
    assert_prints(&p, "fd77::1 > fd77::2 protocol 44 fragment len 16");
}
END_TEST

Suite *print_suite(void);

Suite *print_suite(void)
{
    Suite *suite = suite_create("print");
    TCase *tc = tcase_create("print");

    tcase_add_test(tc, a_syn_ack_is_printed_with_its_options);
    tcase_add_test(tc, every_flag_and_a_cookie_are_printed);
    tcase_add_test(tc, a_segment_is_printed_without_its_datagram);
    tcase_add_test(tc, icmp_udp_and_others_are_printed);
    tcase_add_test(tc, arp_and_unknown_frames_are_printed);
    tcase_add_test(tc, addresses_are_written_as_inet_ntop_does);
    tcase_add_test(tc, a_short_buffer_is_refused_and_not_overrun);
    tcase_add_test(tc, the_longest_line_fits);
    tcase_add_test(tc, what_comes_over_ipv6_is_printed);
    suite_add_tcase(suite, tc);
    return suite;
}
