/* Datagrams that leave in fragments, and come back as one. RFC 791 3.2, RFC 8200 4.5, RFC 7739. */
#include <check.h>
#include <errno.h>

#include "support/ip_bed.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/udp.h"

#define TEXT  8000
#define IP_AT 14
#define FRAG6 (IP_AT + 40)
#define PEER4 "10.0.0.2"
#define PEER6 "fd77::2"
#define OURS4 "10.0.0.1"
#define OURS6 "fd77::1"

static struct ip_bed bed;
static uint8_t text[70000];

static void setup(void)
{
    ip_bed_open6(&bed, 7);
    struct tlsyn_addr us = addr_of(OURS4);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &us, 24), 0);
    ip_bed_flush(&bed);
    ip_bed_knows(&bed, 2);
    ip_bed_knows6(&bed, 2);
    fake_link_clear(&bed.link);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 13 + i / 256);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static struct ip_tx datagram(bool ip6, size_t len)
{
    struct ip_tx tx = {.src = addr_of(ip6 ? OURS6 : OURS4),
                       .dst = addr_of(ip6 ? PEER6 : PEER4),
                       .protocol = IP_PROTOCOL_UDP,
                       .header_len = UDP_HEADER_LEN,
                       .csum_offset = 6,
                       .may_fragment = true,
                       .by_path = true};
    struct writer w = writer_of(tx.header, UDP_HEADER_LEN);

    put_u16(&w, 53);
    put_u16(&w, 5353);
    put_u16(&w, (uint16_t)(UDP_HEADER_LEN + len));
    tx.text.part[0] = (struct iovec){.iov_base = text, .iov_len = len / 3};
    tx.text.part[1] = (struct iovec){.iov_base = text + len / 3, .iov_len = len - len / 3};
    return tx;
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t was = a[i];

        a[i] = b[i];
        b[i] = was;
    }
}

/* What was sent comes back, sender and receiver exchanged: no checksum minds. The verdict on
 * the last frame. */
static enum ip_verdict comes_back(void)
{
    enum ip_verdict verdict = IP_CONSUMED;

    for (int i = 0; i < bed.link.count; i++) {
        uint8_t *bytes = bed.link.frame[i].bytes;
        bool ip4 = bytes[IP_AT] >> 4 == 4;

        swap(bytes, bytes + 6, 6);
        swap(bytes + IP_AT + (ip4 ? 12 : 8), bytes + IP_AT + (ip4 ? 16 : 24), ip4 ? 4 : 16);
        verdict = ip_bed_receives(&bed, bytes, bed.link.frame[i].len);
        ck_assert(verdict == IP_CONSUMED || i == bed.link.count - 1);
    }
    return verdict;
}

static void expect_text(size_t len)
{
    const struct ip_datagram *d = &bed.arrival.datagram;

    ck_assert_uint_eq(d->protocol, IP_PROTOCOL_UDP);
    ck_assert_uint_eq(d->len, UDP_HEADER_LEN + len);
    ck_assert_mem_eq(d->payload + UDP_HEADER_LEN, text, len);
    struct checksum sum = {0};
    checksum_pseudo(&sum, &d->src, &d->dst, d->protocol, (uint32_t)d->len);
    checksum_add(&sum, d->payload, d->len);
    ck_assert(checksum_good(&sum));
}

/* By family, whether output is open, and what the link can do. */
START_TEST(a_long_datagram_arrives_whole)
{
    bool ip6 = _i & 1, open = _i & 2;
    struct ip_tx tx = datagram(ip6, TEXT);
    uint64_t frames;

    bed.link.base.caps.csum = _i & 4;
    if (open)
        ip_output_open(&bed.ip);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    if (open)
        ip_output_close(&bed.ip);
    else
        ip_bed_flush(&bed);
    frames = (uint64_t)bed.link.count;
    ck_assert_uint_eq(frames, ip6 ? 7 : 6); /* IPv6: of 1280 octets, which pass everywhere */
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip_frag_oks], 1);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip_frag_creates], frames);
    for (int i = 0; i < bed.link.count; i++) {
        ck_assert_uint_le(bed.link.frame[i].len, IP_AT + (ip6 ? 1280u : 1500u));
        ck_assert_uint_eq(bed.link.frame[i].as_sent.flags, 0);
    }
    ck_assert_int_eq(comes_back(), IP_DATAGRAM);
    expect_text(TEXT);
}
END_TEST

START_TEST(every_length_arrives) /* loop: family */
{
    for (size_t len = 1440; len < 1500; len++) {
        struct ip_tx tx = datagram(_i, len);

        ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
        ip_bed_flush(&bed);
        ck_assert_int_eq(bed.link.count, len + UDP_HEADER_LEN + (_i ? 40 : 20) > 1500 ? 2 : 1);
        ck_assert_int_eq(comes_back(), IP_DATAGRAM);
        ck_assert_uint_eq(bed.arrival.datagram.len, UDP_HEADER_LEN + len);
        if (bed.link.count == 2)
            expect_text(len);
        fake_link_clear(&bed.link);
    }
}
END_TEST

START_TEST(the_longest_leaves_and_a_longer_one_does_not) /* loop: family */
{
    size_t most =
        65535 - UDP_HEADER_LEN - (_i ? 0 : 20); /* IPv6 counts what is behind its header */
    struct ip_tx tx = datagram(_i, most + 1);

    bed.cx.limits.reply_queue_bytes = 100000;
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -EMSGSIZE);
    tx = datagram(_i, most);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ip_bed_flush(&bed);
    ck_assert_int_eq(comes_back(), IP_DATAGRAM);
    expect_text(most);
}
END_TEST

START_TEST(who_did_not_ask_for_it_gets_an_error)
{
    struct ip_tx tx = datagram(_i, TEXT);

    tx.may_fragment = false;
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -EMSGSIZE);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(a_known_path_decides_the_size) /* loop: family */
{
    struct ip_tx tx = datagram(_i, 1400);

    ip_learn_mtu(&bed.ip, &tx.dst, 1300);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 2);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_le(bed.link.frame[i].len, IP_AT + 1300u);
    ck_assert_int_eq(comes_back(), IP_DATAGRAM);
    expect_text(1400);
}
END_TEST

static uint32_t id_sent(bool ip6)
{
    const uint8_t *at = bed.link.frame[0].bytes + (ip6 ? FRAG6 + 4 : IP_AT + 4);

    return ip6 ? (uint32_t)at[0] << 24 | (uint32_t)(at[1] << 16 | at[2] << 8 | at[3])
               : (uint32_t)(at[0] << 8 | at[1]);
}

START_TEST(numbers_do_not_come_again_and_start_nowhere_in_particular) /* loop: family */
{
    struct ip_tx tx = datagram(_i, TEXT);
    uint32_t first = 0, other;

    for (uint32_t n = 0; n < 5; n++) {
        ip_output(&bed.ip, &tx);
        ip_bed_flush(&bed);
        first = n == 0 ? id_sent(_i) : first;
        ck_assert_uint_eq((uint16_t)(id_sent(_i) - first), n);
        fake_link_clear(&bed.link);
    }
    tx.protocol = 200; /* another flow has other numbers */
    ip_output(&bed.ip, &tx);
    ip_bed_flush(&bed);
    other = id_sent(_i);
    ck_assert_uint_gt((uint16_t)(other - first), 5);
    ck_assert_uint_gt((uint16_t)(first - other), 5);
}
END_TEST

START_TEST(it_waits_for_its_neighbour_in_one_piece)
{
    struct ip_tx tx = datagram(false, TEXT);
    struct ip_error error;

    tx.dst = addr_of("10.0.0.9");
    ck_assert_int_eq(ip_output(&bed.ip, &tx), IP_OUTPUT_WAITS);
    ip_bed_flush(&bed);
    fake_link_clear(&bed.link);
    if (_i) {
        ip_bed_arp(&bed, ARP_REPLY, 9, "10.0.0.9", OURS4);
        ck_assert_int_eq(ip_bed_flush(&bed), 6);
        return;
    }
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_SECONDS(1));
    ck_assert(ip_error_take(&bed.ip, &error)); /* once, and with the ports */
    ck_assert_uint_eq(error.protocol, IP_PROTOCOL_UDP);
    ck_assert_mem_eq(error.quoted, tx.header, 4);
    ck_assert(!ip_error_take(&bed.ip, &error));
}
END_TEST

START_TEST(without_memory_it_is_lost_as_a_whole)
{
    struct ip_tx tx = datagram(_i, TEXT);

    for (uint64_t n = 1; n <= 5; n++) {
        ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
        test_memory_fail(&bed.memory, n);
        ck_assert_int_eq(ip_bed_flush(&bed), 0);
        test_memory_fail_all(&bed.memory, false);
    }
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip_frag_fails], 5);
}
END_TEST

/* --- echo ------------------------------------------------------------------------------------- */

START_TEST(a_long_echo_request_is_answered) /* loop: family */
{
    struct ip_tx tx = datagram(_i, TEXT);

    tx.protocol = _i ? IP_PROTOCOL_ICMP6 : IP_PROTOCOL_ICMP;
    memset(tx.header, 0, UDP_HEADER_LEN);
    tx.header[0] = _i ? ICMP6_ECHO : ICMP4_ECHO;
    tx.csum_offset = 2;
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ip_bed_flush(&bed);
    ck_assert_int_eq(comes_back(), IP_CONSUMED);
    fake_link_clear(&bed.link);
    ck_assert_int_eq(ip_bed_flush(&bed), _i ? 7 : 6);
    size_t at = _i ? FRAG6 + 8 : IP_AT + 20;
    ck_assert_uint_eq(bed.link.frame[0].bytes[at], _i ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);
    ck_assert_mem_eq(bed.link.frame[0].bytes + at + 8, text, 1000);
}
END_TEST

/* --- IPv6 fragments in ------------------------------------------------------------------------ */

/* A fragment header with `len` octets behind it, `extra` of them without sense. */
static enum ip_verdict fragment6(uint8_t next, uint16_t offset_and_more, const uint8_t *bytes,
                                 size_t len)
{
    uint8_t payload[PACKET_MAX - 100] = {
        next, 0, (uint8_t)(offset_and_more >> 8), (uint8_t)offset_and_more, 0, 0, 0, 9};

    memcpy(payload + 8, bytes, len);
    return ip_bed_packet(&bed, &(struct packet){.src = PEER6,
                                                .dst = OURS6,
                                                .protocol = IP6_FRAGMENT,
                                                .payload = payload,
                                                .len = 8 + len});
}

/* The parameter problem that was sent, if any: its code and pointer. */
static bool told(uint8_t *code, uint32_t *pointer)
{
    struct wire_ip6 ip6;
    struct wire_ip6_chain chain;
    struct wire_icmp6 icmp;
    int next = 0;

    ip_bed_flush(&bed);
    if (!ip_bed_sent6(&bed, &next, &ip6, &chain))
        return false;
    ck_assert_int_eq(wire_icmp6_parse(chain.payload, chain.payload_len, &icmp), 0);
    ck_assert_int_eq(icmp.type, ICMP6_PARAMETER_PROBLEM);
    *code = icmp.code;
    *pointer = icmp.pointer;
    fake_link_clear(&bed.link);
    return true;
}

/* RFC 6946 (R6946-1) */
START_TEST(an_atomic_fragment_stands_by_itself)
{
    ck_assert_int_eq(fragment6(IP_PROTOCOL_UDP, 1, text, 16),
                     IP_CONSUMED); /* the same number, and not atomic */
    ck_assert_int_eq(fragment6(IP_PROTOCOL_UDP, 0, text, 12), IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.protocol, IP_PROTOCOL_UDP);
    ck_assert_uint_eq(bed.arrival.datagram.protocol_at, 40);
    ck_assert_uint_eq(bed.arrival.datagram.len, 12);
    ck_assert_int_eq(fragment6(200, 16, text + 16, 4),
                     IP_DATAGRAM); /* and the other is complete now */
    ck_assert_uint_eq(bed.arrival.datagram.len, 20);
    ck_assert_uint_eq(bed.arrival.datagram.protocol, IP_PROTOCOL_UDP);
    ck_assert_mem_eq(bed.arrival.datagram.payload, text, 20);
    ck_assert_int_eq((int)(bed.arrival.datagram.payload - bed.arrival.datagram.header), 40);
    ck_assert_uint_eq(bed.arrival.datagram.header[6], IP_PROTOCOL_UDP);
    ck_assert_uint_eq(bed.arrival.datagram.header[5], 20);
}
END_TEST

START_TEST(extensions_behind_the_fragment_header_are_walked)
{
    static const uint8_t chain[24] = {IP_PROTOCOL_UDP, 0, 1, 4, [8] = 1, 2, 3, 4, 5, 6, 7, 8};

    ck_assert_int_eq(fragment6(IP6_DESTINATION, 1, chain, 16), IP_CONSUMED);
    ck_assert_int_eq(fragment6(0, 16, chain + 16, 8), IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.protocol, IP_PROTOCOL_UDP);
    ck_assert_uint_eq(bed.arrival.datagram.len, 16);
    ck_assert_uint_eq(bed.arrival.datagram.protocol_at, 40);
}
END_TEST

START_TEST(the_sender_of_an_impossible_fragment_is_told)
{
    static const uint8_t long_chain[16] = {IP_PROTOCOL_UDP, 2};
    uint8_t code;
    uint32_t pointer;

    ck_assert_int_eq(fragment6(IP_PROTOCOL_UDP, 1, text, 20), IP_CONSUMED); /* no multiple of 8 */
    ck_assert(told(&code, &pointer) && code == 0 && pointer == 4);
    ck_assert_int_eq(fragment6(IP_PROTOCOL_UDP, 0xfff8, text, 20), IP_CONSUMED); /* too long */
    ck_assert(told(&code, &pointer) && code == 0 && pointer == 42);
    ck_assert_int_eq(fragment6(IP6_DESTINATION, 1, long_chain, 16), IP_CONSUMED); /* RFC 7112 */
    ck_assert(told(&code, &pointer) && code == 3);
    ck_assert_int_eq(fragment6(IP_PROTOCOL_TCP, 1, text, 16), IP_CONSUMED);
    ck_assert(told(&code, &pointer) && code == 3);
    ck_assert_int_eq(fragment6(IP_PROTOCOL_UDP, 8, text, 0), IP_CONSUMED); /* nothing in it */
    ck_assert(!told(&code, &pointer));
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_fragment), 5);
}
END_TEST

/* RFC 6980 */
START_TEST(neighbours_do_not_speak_in_fragments)
{
    uint8_t solicitation[24] = {ICMP6_NEIGHBOUR_SOLICITATION};

    ck_assert_int_eq(fragment6(IP6_ICMP, 0, solicitation, 24), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_fragment), 1);
    ck_assert_int_eq(fragment6(IP6_ICMP, 1, solicitation, 16), IP_CONSUMED);
    ck_assert_int_eq(fragment6(IP6_ICMP, 16, solicitation, 8), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_fragment), 2);
}
END_TEST

Suite *split_suite(void);

Suite *split_suite(void)
{
    Suite *s = suite_create("split");
    TCase *out = tcase_create("out"), *in = tcase_create("in");

    tcase_add_checked_fixture(out, setup, teardown);
    tcase_add_loop_test(out, a_long_datagram_arrives_whole, 0, 8);
    tcase_add_loop_test(out, every_length_arrives, 0, 2);
    tcase_add_loop_test(out, the_longest_leaves_and_a_longer_one_does_not, 0, 2);
    tcase_add_loop_test(out, who_did_not_ask_for_it_gets_an_error, 0, 2);
    tcase_add_loop_test(out, a_known_path_decides_the_size, 0, 2);
    tcase_add_loop_test(out, numbers_do_not_come_again_and_start_nowhere_in_particular, 0, 2);
    tcase_add_loop_test(out, it_waits_for_its_neighbour_in_one_piece, 0, 2);
    tcase_add_loop_test(out, without_memory_it_is_lost_as_a_whole, 0, 2);
    tcase_add_loop_test(out, a_long_echo_request_is_answered, 0, 2);
    suite_add_tcase(s, out);
    tcase_add_checked_fixture(in, setup, teardown);
    tcase_add_test(in, an_atomic_fragment_stands_by_itself);
    tcase_add_test(in, extensions_behind_the_fragment_header_are_walked);
    tcase_add_test(in, the_sender_of_an_impossible_fragment_is_told);
    tcase_add_test(in, neighbours_do_not_speak_in_fragments);
    suite_add_tcase(s, in);
    return s;
}
