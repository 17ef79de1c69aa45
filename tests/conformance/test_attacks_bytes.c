/*
 * Attacks by bytes that lie about themselves: options, lengths, chains, quotes. Frames arrive in
 * memory of just their size, so that a sanitizer sees each octet too far. docs/TESTING.md has the
 * table of attacks, defences and bounds.
 */
#include <errno.h>

#include "support/holds.h"
#include "support/peer.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define IP_AT ETHER_HEADER_LEN

static uint8_t frame[PEER_FRAME_MAX];

static void put_u16_at(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* --- TCP options ------------------------------------------------------------------------------ */

/* A length of 0 or 1 would have a reader stand still; one past the end, read what is not there.
 * (MUST-7) */
START_TEST(an_option_with_an_impossible_length_is_refused) /* loop: the options */
{
    static const struct {
        uint8_t bytes[8];
        const char *what;
    } lie[] = {
        {{2, 0, 5, 180}, "MSS of length 0"},
        {{8, 1, 0, 0}, "timestamps of length 1"},
        {{253, 0, 1, 1}, "unknown, of length 0"},
        {{253, 1, 1, 1}, "unknown, of length 1"},
        {{1, 1, 1, 253}, "a kind without a length"},
        {{2, 9, 5, 180}, "MSS past the end"},
        {{5, 255, 0, 0, 0, 0, 0, 0}, "SACK past the end"},
        {{1, 1, 34, 200, 0, 0, 0, 0}, "Fast Open past the end"},
        {{253, 255, 0, 0, 0, 0, 0, 0}, "unknown, past the end"},
        {{3, 2, 1, 1}, "window scale without a shift"},
        {{5, 3, 0, 1}, "SACK of an odd length"},
        {{4, 3, 0, 1}, "SACK-permitted with a body"},
    };
    bool syn = _i % 2 == 0;
    const size_t n = sizeof(lie) / sizeof(lie[0]), i = (size_t)_i / 2;
    struct tcp_test *t = TCP_TEST(0);

    ck_assert_uint_lt(i, n);
    if (!syn)
        opens_passively(t);
    peer_sends(t, SEG(syn ? TCP_SYN : TCP_ACK, .text = syn ? NULL : "x", .raw = lie[i].bytes,
                      .raw_len = i < 6 || i > 8 ? 4 : 8));
    expect_nothing(t);
    ck_assert_msg(dropped(t, TLSYN_DROP_tcp_options) == 1, "%s was taken", lie[i].what);
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

/* Forty octets of anything, on SYNs and on ACKs: nothing is read that is not there, and every
 * segment is either taken or dropped. */
START_TEST(options_of_chance_harm_nobody) /* loop: seeds */
{
    struct tcp_test *t = TCP_TEST(.open = true);
    struct random_seeded random;
    uint8_t raw[40];

    random_seed(&random, 100 + (uint64_t)_i);
    opens_passively(t);
    for (int i = 0; i < 3000; i++) {
        random.base.fill(&random.base, raw, sizeof(raw));
        for (int k = 0; k < 40; k += 1 + raw[k] % 11)
            raw[k] = (const uint8_t[]){2, 3, 4, 5, 8, 34, 172, 254}[raw[k] % 8];
        t->peer_port = i % 3 ? PEER_PORT : (uint16_t)(10000 + i);
        peer_sends(t, SEG(i % 3 ? TCP_ACK : TCP_SYN, .seq = i % 3 ? 1 : 0, .ack = 1, .raw = raw,
                          .raw_len = 4u + 4u * (raw[1] % 10)));
        ignore_sent(t);
    }
    t->peer_port = PEER_PORT;
    t->peer_nxt = 1;
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 10));
    ck_assert_uint_eq(t->user.read, 10);
    tcp_test_close(t);
}
END_TEST

/* --- the urgent pointer ----------------------------------------------------------------------- */

/* It may point anywhere: into the text, behind it, 64 KiB ahead with no text at all. What is
 * read is the text, once, and nothing is held for what was announced. (MUST-31) */
START_TEST(an_urgent_pointer_past_the_text_is_a_number_only) /* loop: the pointer */
{
    static const uint16_t pointer[] = {0, 1, 3, 4, 5, 1000, 65535};
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, SEG(TCP_ACK | TCP_URG, .urg = pointer[_i])); /* before any text */
    peer_sends(t, SEG(TCP_ACK | TCP_URG, .urg = pointer[_i], .len = 4));
    peer_sends(t, SEG(TCP_ACK | TCP_URG, .urg = pointer[_i], .seq = 9, .len = 4)); /* a hole */
    size_t before = t->memory.bytes;
    for (int i = 0; i < 100; i++)
        peer_sends(t, SEG(TCP_ACK | TCP_URG, .urg = (uint16_t)(pointer[_i] + i), .seq = 5));
    ck_assert_uint_eq(t->memory.bytes, before);
    peer_sends(t, ACK(.seq = 5, .len = 10));
    ck_assert_uint_eq(t->user.read, 14);
    t->user.deaf = true; /* behind the end of the stream nothing is left to be urgent */
    peer_sends(t, SEG(TCP_FIN | TCP_ACK | TCP_URG, .urg = pointer[_i], .len = 3));
    struct tlsyn_conn_glance glance;
    struct tlsyn_conn_info info;
    tlsyn_conn_glance(t->user.conn, &glance);
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_eq(glance.rcv_queued, 3);
    ck_assert_uint_le(info.rcv_urgent, 3);
    tcp_test_close(t);
}
END_TEST

/* --- lengths of IP ---------------------------------------------------------------------------- */

/* The length in the header is compared with the frame's: more than there is, is dropped; less,
 * cuts the text, and the checksum, which covers the length, tells. Only the true one passes. */
START_TEST(an_ip_length_that_lies_delivers_nothing) /* loop 2: the family */
{
    struct tcp_test *t = TCP_TEST(.ip6 = _i == 1);
    size_t len, true_len;

    opens_passively(t);
    len = peer_frame(t, ACK(.len = 100), frame);
    t->peer_nxt = 1;
    true_len = len - IP_AT - (_i == 1 ? 40 : 0);
    for (size_t claimed = 0; claimed < true_len + 2000; claimed++) {
        if (claimed == true_len)
            continue;
        put_u16_at(frame + IP_AT + (_i == 1 ? 4 : 2), claimed);
        if (_i == 0)
            peer_seal(frame);
        peer_sends_frame(t, frame, len);
        HOLDS(t->user.read == 0);
    }
    ignore_sent(t);
    put_u16_at(frame + IP_AT + (_i == 1 ? 4 : 2), true_len);
    if (_i == 0)
        peer_seal(frame);
    peer_sends_frame(t, frame, len);
    ck_assert_uint_eq(t->user.read, 100);
    tcp_test_close(t);
}
END_TEST

/* --- the way back ----------------------------------------------------------------------------- */

/* RFC 7126 4.3, 4.4: with a source route a stranger would get our answers to somebody else.
 * R7126-1 */
START_TEST(a_source_route_is_dropped) /* loop: option */
{
    static const uint8_t route[][8] = {
        {131, 7, 4, 10, 0, 0, 9, 0},    /* loose */
        {137, 7, 4, 10, 0, 0, 9, 0},    /* strict */
        {1, 131, 7, 8, 10, 0, 0, 9},    /* at its end */
        {7, 4, 4, 0, 131, 3, 4, 0},     /* behind a recorded one */
        {148, 4, 0, 0, 7, 4, 4, 0},     /* none: router alert, record route */
        {0, 131, 7, 4, 10, 0, 0, 9},    /* none: behind the end */
        {68, 0, 131, 7, 4, 10, 0, 0},   /* none: behind what has no length */
        {68, 250, 131, 7, 4, 10, 0, 0}, /* none: inside what is too long */
    };
    struct tcp_test *t = TCP_TEST(0);
    size_t len = peer_frame(t, SYN(), frame);

    memmove(frame + IP_AT + 28, frame + IP_AT + 20, len - IP_AT - 20);
    memcpy(frame + IP_AT + 20, route[_i], 8);
    frame[IP_AT] = 0x47;
    put_u16_at(frame + IP_AT + 2, len - IP_AT + 8);
    peer_seal(frame);
    peer_sends_frame(t, frame, len + 8);
    if (_i < 4)
        expect_nothing(t);
    else
        expect(t, SYNACK());
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_ip_source_route), _i < 4);
    tcp_test_close(t);
}
END_TEST

/* --- chains of extension headers -------------------------------------------------------------- */

/* RFC 8200 leaves their number open. IP6_EXTENSIONS_MAX are walked; a longer chain is dropped
 * without an answer, however little each costs. */
START_TEST(a_chain_of_extension_headers_ends) /* loop: their number */
{
    static const int number[] = {1, 4, 8, 9, 16, 180};
    struct tcp_test *t = TCP_TEST(.ip6 = true);
    size_t headers = 8 * (size_t)number[_i], len;
    bool taken = number[_i] <= IP6_EXTENSIONS_MAX;

    len = peer_frame(t, SYN(), frame);
    memmove(frame + IP_AT + 40 + headers, frame + IP_AT + 40, len - IP_AT - 40);
    memset(frame + IP_AT + 40, 0, headers);
    for (size_t at = 0; at < headers; at += 8)
        memcpy(frame + IP_AT + 40 + at,
               (const uint8_t[]){at + 8 < headers ? IP6_DESTINATION : IP_PROTOCOL_TCP, 0, 1, 4}, 4);
    frame[IP_AT + 6] = IP6_DESTINATION;
    put_u16_at(frame + IP_AT + 4, len - IP_AT - 40 + headers);
    uint64_t said = counted(t, TLSYN_COUNT_icmp6_out);
    peer_sends_frame(t, frame, len + headers);
    if (taken)
        expect(t, SYNACK());
    expect_nothing(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_ip_extension), !taken);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_icmp6_out), said);
    tcp_test_close(t);
}
END_TEST

/* --- ICMP that quotes garbage ----------------------------------------------------------------- */

START_TEST(icmp_errors_that_quote_garbage_do_nothing) /* loop 2: the family */
{
    struct tcp_test *t = TCP_TEST(.ip6 = _i == 1);
    struct random_seeded random;
    uint8_t icmp[200];
    size_t before;

    random_seed(&random, 3);
    opens_passively(t);
    user_sends(t, 5000);
    peer_takes_all(t);
    before = t->memory.bytes;
    for (int i = 0; i < 5000; i++) {
        size_t len = random_below(&random.base, sizeof(icmp));
        struct checksum sum = {0};

        random.base.fill(&random.base, icmp, sizeof(icmp));
        icmp[0] =
            _i == 1 ? (uint8_t)(1 + icmp[0] % 4) : (const uint8_t[]){3, 3, 11, 12}[icmp[0] % 4];
        icmp[1] %= 6;
        if (i % 2) /* the first octets of the quote make sense */
            icmp[8] = _i == 1 ? 0x60 : 0x45;
        put_u16_at(icmp + 2, 0);
        if (_i == 1)
            checksum_pseudo(&sum, &(struct tlsyn_addr){{0xfd, 0x77, [15] = 2}},
                            &(struct tlsyn_addr){{0xfd, 0x77, [15] = 1}}, IP6_ICMP, (uint32_t)len);
        checksum_add(&sum, icmp, len);
        put_u16_at(icmp + 2, checksum_finish(&sum));
        peer_sends_datagram(t, _i == 1 ? IP6_ICMP : IP_PROTOCOL_ICMP, icmp, len);
    }
    expect_nothing(t);
    ck_assert_uint_eq(t->memory.bytes, before);
    ck_assert_int_eq(t->user.conn->soft_error, 0);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_icmp_malformed) +
                          dropped(t, TLSYN_DROP_icmp_unrelated) +
                          dropped(t, TLSYN_DROP_icmp_checksum) + dropped(t, TLSYN_DROP_icmp_type),
                      5000);
    tcp_test_close(t);
}
END_TEST

/* A quote is of use if it says which connection, and which segment: eight octets behind its IP
 * header. Cut short, by the frame's end or by the length in its header, it is not read. */
START_TEST(a_quote_without_ports_and_number_is_not_read) /* loop: octets; who says so; family */
{
    const size_t octets = (size_t)(_i % 9), header = _i / 18 ? IP6_HEADER_LEN : IP4_HEADER_LEN;
    const bool header_says = _i / 9 % 2, ip6 = _i / 18, whole = octets == ICMP4_QUOTED_MIN;
    struct tcp_test *t = TCP_TEST(.ip6 = ip6);
    uint8_t icmp[8 + IP6_HEADER_LEN + ICMP4_QUOTED_MIN] = {ip6 ? 1 : 3, ip6 ? 3 : 1};
    struct checksum sum = {0};
    size_t len = 8 + header + (header_says ? ICMP4_QUOTED_MIN : octets);
    uint32_t said = header_says ? (uint32_t)octets : 1000;

    opens_passively(t);
    user_sends(t, 5000);
    peer_takes_all(t);
    const struct tlsyn_endpoint *us = &t->user.conn->local, *peer = &t->user.conn->remote;
    const struct wire_ip4 ip4 = {.src = us->addr,
                                 .dst = peer->addr,
                                 .ttl = 64,
                                 .protocol = IP_PROTOCOL_TCP,
                                 .total_len = (uint16_t)(IP4_HEADER_LEN + said)};
    const struct wire_ip6 v6 = {.src = us->addr,
                                .dst = peer->addr,
                                .next = IP_PROTOCOL_TCP,
                                .hop_limit = 64,
                                .payload_len = (uint16_t)said};
    if (ip6)
        wire_ip6_emit(&v6, icmp + 8, header);
    else
        wire_ip4_emit(&ip4, icmp + 8, header);
    put_u16_at(icmp + 8 + header, us->port);
    put_u16_at(icmp + 8 + header + 2, peer->port);
    put_u16_at(icmp + 8 + header + 4, (t->iss + 1) >> 16);
    put_u16_at(icmp + 8 + header + 6, t->iss + 1);
    if (ip6)
        checksum_pseudo(&sum, &peer->addr, &us->addr, IP6_ICMP, (uint32_t)len);
    checksum_add(&sum, icmp, len);
    put_u16_at(icmp + 2, checksum_finish(&sum));
    peer_sends_datagram(t, ip6 ? IP6_ICMP : IP_PROTOCOL_ICMP, icmp, len);
    ck_assert_int_eq(t->user.conn->soft_error, whole ? -EHOSTUNREACH : 0);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_icmp_malformed) + dropped(t, TLSYN_DROP_icmp_unrelated),
                      !whole);
    tcp_test_close(t);
}
END_TEST

Suite *attacks_bytes_suite(void);

Suite *attacks_bytes_suite(void)
{
    Suite *s = suite_create("attacks_bytes");
    TCase *tcp = tcase_create("TCP"), *ip = tcase_create("IP");

    tcase_set_timeout(tcp, 60);
    tcase_add_loop_test(tcp, an_option_with_an_impossible_length_is_refused, 0, 24);
    tcase_add_loop_test(tcp, options_of_chance_harm_nobody, 0, 5);
    tcase_add_loop_test(tcp, an_urgent_pointer_past_the_text_is_a_number_only, 0, 7);
    suite_add_tcase(s, tcp);
    tcase_set_timeout(ip, 60);
    tcase_add_loop_test(ip, an_ip_length_that_lies_delivers_nothing, 0, 2);
    tcase_add_loop_test(ip, a_source_route_is_dropped, 0, 8);
    tcase_add_loop_test(ip, a_chain_of_extension_headers_ends, 0, 6);
    tcase_add_loop_test(ip, icmp_errors_that_quote_garbage_do_nothing, 0, 2);
    tcase_add_loop_test(ip, a_quote_without_ports_and_number_is_not_read, 0, 36);
    suite_add_tcase(s, ip);
    return s;
}
