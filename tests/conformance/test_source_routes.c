/*
 * Source routes (RFC 9293 3.9.2.1, RFC 1122 3.2.1.8): connections that go by one, and answers that
 * come back by one. Without limits.source_routes they are an attack: test_attacks_bytes.c.
 */
#include <errno.h>

#include "support/holds.h"
#include "support/peer.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/source_route.h"

#define IP_AT ETHER_HEADER_LEN

#define PEER   10, 0, 0, 2
#define NEAR   192, 0, 2, 1
#define MIDDLE 192, 0, 2, 2
#define FAR    192, 0, 2, 3

static uint8_t frame[PEER_FRAME_MAX];

/* A stack for which all that is far away lies behind its peer. */
static struct tcp_test *open_with(struct tlsyn_limits limits, bool source_routes)
{
    struct tlsyn_addr everything = tlsyn_addr_ip4((const uint8_t[4]){0});
    struct tlsyn_addr peer = tlsyn_addr_ip4((const uint8_t[]){PEER});
    struct tcp_test *t;

    limits.source_routes = source_routes;
    t = TCP_TEST(.limits = limits);
    ck_assert_int_eq(tlsyn_route_add(t->stack, &everything, 0, &peer), 0);
    return t;
}

static struct tcp_test *open_test(bool source_routes)
{
    return open_with(default_limits(), source_routes);
}

/* --- what comes ------------------------------------------------------------------------------- */

/* The peer's segment with these options, four octets at a time, in its IP header. */
static void peer_sends_with(struct tcp_test *t, struct seg seg, const uint8_t *options, size_t n)
{
    uint8_t *ip = frame + IP_AT;
    size_t len = peer_frame(t, seg, frame) - IP_AT;

    memmove(ip + IP4_HEADER_LEN + n, ip + IP4_HEADER_LEN, len - IP4_HEADER_LEN);
    memcpy(ip + IP4_HEADER_LEN, options, n);
    ip[0] = (uint8_t)(4 << 4 | (IP4_HEADER_LEN + n) / 4);
    ip[2] = (uint8_t)((len + n) >> 8);
    ip[3] = (uint8_t)(len + n);
    peer_seal(frame);
    peer_sends_frame(t, frame, IP_AT + len + n);
}

/* By NEAR and MIDDLE, and there. */
static const uint8_t arrived[] = {1, 131, 11, 12, NEAR, MIDDLE};

/* --- what leaves ------------------------------------------------------------------------------ */

/* The next segment that leaves is this one, to its first hop with the others behind. */
static void expect_by(struct tcp_test *t, struct seg seg, const struct tlsyn_source_route *via)
{
    static const uint8_t peer[4] = {PEER};
    const uint8_t *ip = t->sent[t->sent_first].bytes + IP_AT;
    struct tlsyn_source_route rest;
    size_t len = (size_t)(ip[0] & 15) * 4;

    ck_assert_int_lt(t->sent_first, t->sent_end);
    ck_assert_mem_eq(ip + 16, via->hop[0], 4);
    ck_assert_int_eq(wire_route_parse(ip, len, &rest), WIRE_ROUTE_UNDER_WAY);
    ck_assert_int_eq(rest.strict, via->strict);
    ck_assert_uint_eq(rest.hops, via->hops);
    for (int i = 0; i + 1 < via->hops; i++)
        ck_assert_mem_eq(rest.hop[i], via->hop[i + 1], 4);
    ck_assert_mem_eq(rest.hop[via->hops - 1], peer, 4);
    expect(t, seg);
}

static const struct tlsyn_source_route there = {.hops = 2, .hop = {{NEAR}, {MIDDLE}}};
static const struct tlsyn_source_route back = {.hops = 2, .hop = {{MIDDLE}, {NEAR}}};

static int connect_by(struct tcp_test *t, const struct tlsyn_source_route *via)
{
    const struct tlsyn_connect_options options = {
        .remote = {tlsyn_addr_ip4((const uint8_t[]){PEER}), PEER_PORT}, .via = *via};

    return tlsyn_conn_open(t->stack, &options, &t->user.handler, &t->user.conn);
}

/* --- ours ------------------------------------------------------------------------------------- */

/* MUST-51 */
START_TEST(an_open_goes_by_the_route_that_it_was_given) /* loop: loose, strict */
{
    struct tcp_test *t = open_test(false);
    struct tlsyn_source_route via = there;

    via.strict = _i == 1;
    ck_assert_int_eq(connect_by(t, &via), 0);
    flush(t);
    expect_by(t, SYN(), &via);
    peer_sends(t, SYNACK());
    expect_by(t, ACK(), &via);
    user_sends(t, 100);
    expect_by(t, ACK(.len = 100), &via);
    tcp_test_close(t);
}
END_TEST

/* MUST-52 */
START_TEST(the_users_route_wins_over_one_that_arrives)
{
    struct tcp_test *t = open_test(true);
    const struct tlsyn_source_route via = {.hops = 1, .hop = {{FAR}}};

    ck_assert_int_eq(connect_by(t, &via), 0);
    flush(t);
    expect_by(t, SYN(), &via);
    peer_sends_with(t, SYNACK(), arrived, sizeof(arrived));
    expect_by(t, ACK(), &via);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_route_by_what_is_no_host_is_refused)
{
    static const struct tlsyn_source_route wrong[] = {
        {.hops = 2, .hop = {{NEAR}, {224, 0, 0, 1}}},
        {.hops = 1, .hop = {{0, 0, 0, 0}}},
        {.hops = TLSYN_SOURCE_ROUTE_HOPS + 1},
    };
    struct tlsyn_connect_options ip6 = {.remote = {.addr = {{0xfe, 0x80, [15] = 2}}, .port = 80},
                                        .via = there};
    struct tcp_test *t = open_test(false);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_int_eq(connect_by(t, &wrong[i]), -EINVAL);
    ck_assert_int_eq(tlsyn_conn_open(t->stack, &ip6, &t->user.handler, NULL), -EINVAL);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.7.1. (MUST-16) */
START_TEST(the_route_comes_out_of_the_segment)
{
    struct tcp_test *t = open_test(false);

    ck_assert_int_eq(connect_by(t, &there), 0);
    flush(t);
    expect_by(t, SYN(), &there);
    peer_sends(t, SYNACK());
    expect_by(t, ACK(), &there);
    user_sends(t, 2000);
    expect_by(t, ACK(.len = 1460 - 12), &there);
    tcp_test_close(t);
}
END_TEST

/* What is quoted was on its way to the first hop. (MUST-54) */
START_TEST(an_error_from_the_way_is_the_connections)
{
    uint8_t icmp[8 + IP4_HEADER_LEN + 12 + 8] = {3, 1};
    struct tcp_test *t = open_test(false);
    struct checksum sum = {0};
    uint16_t value;

    ck_assert_int_eq(connect_by(t, &there), 0);
    flush(t);
    expect_by(t, SYN(), &there);
    peer_sends(t, SYNACK());
    expect_by(t, ACK(), &there);
    user_sends(t, 100);
    memcpy(icmp + 8, t->sent[t->sent_first].bytes + IP_AT, sizeof(icmp) - 8);
    checksum_add(&sum, icmp, sizeof(icmp));
    value = checksum_finish(&sum);
    icmp[2] = (uint8_t)(value >> 8);
    icmp[3] = (uint8_t)value;
    peer_sends_datagram(t, IP_PROTOCOL_ICMP, icmp, sizeof(icmp));
    ck_assert_int_eq(t->user.troubles, 1);
    ck_assert_int_eq(t->user.trouble, -EHOSTUNREACH);
    tcp_test_close(t);
}
END_TEST

/* --- theirs ----------------------------------------------------------------------------------- */

/* MUST-53 */
START_TEST(a_passive_open_answers_by_the_way_back)
{
    struct tcp_test *t = open_test(true);

    peer_sends_with(t, SYN(), arrived, sizeof(arrived));
    expect_by(t, SYNACK(), &back);
    peer_sends(t, ACK()); /* without a route: the first one holds */
    user_sends(t, 2000);
    expect_by(t, ACK(.len = 1460 - 12), &back);
    tcp_test_close(t);
}
END_TEST

/* RFC 4987 3.6: nothing is kept of the SYN, and the ACK has a route too. */
START_TEST(a_syn_cookie_goes_by_the_way_back)
{
    struct tlsyn_limits limits = default_limits();
    struct tcp_test *t;

    limits.syn_backlog = 0;
    t = open_with(limits, true);
    peer_sends_with(t, SYN(), arrived, sizeof(arrived));
    expect_by(t, SYNACK(), &back);
    peer_sends_with(t, ACK(), arrived, sizeof(arrived));
    expect_state(t, TLSYN_ESTABLISHED);
    user_sends(t, 100);
    expect_by(t, ACK(.len = 100), &back);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_reset_goes_by_the_way_back)
{
    struct tcp_test *t = open_test(true);

    t->local_port = 81; /* nobody listens */
    peer_sends_with(t, SYN(), arrived, sizeof(arrived));
    expect_by(t, RSTACK(), &back);
    tcp_test_close(t);
}
END_TEST

/* Where it came with a segment that is the connection's. (SHLD-24) */
START_TEST(a_later_route_replaces_the_earlier)
{
    static const uint8_t later[] = {131, 7, 8, 192, 0, 2, 3, 0};
    const struct tlsyn_source_route back_later = {.hops = 1, .hop = {{FAR}}};
    struct tcp_test *t = open_test(true);

    peer_sends_with(t, SYN(), arrived, sizeof(arrived));
    expect_by(t, SYNACK(), &back);
    peer_sends(t, ACK());
    peer_sends_with(t, ACK(.seq = 1 << 30, .len = 1), later, sizeof(later)); /* a stranger's */
    expect_by(t, ACK(), &back);
    peer_sends_with(t, ACK(.seq = 1, .len = 1), later, sizeof(later));
    user_sends(t, 2000);
    expect_by(t, ACK(.len = 1460 - 8), &back_later);
    tcp_test_close(t);
}
END_TEST

/* RFC 1122 3.2.1.8 (c), case (B). */
START_TEST(who_records_itself_is_no_hop_of_the_way_back)
{
    static const uint8_t own[] = {137, 11, 12, 10, 0, 0, 2, 192, 0, 2, 1, 0};
    const struct tlsyn_source_route one = {.strict = true, .hops = 1, .hop = {{NEAR}}};
    struct tcp_test *t = open_test(true);

    peer_sends_with(t, SYN(), own, sizeof(own));
    expect_by(t, SYNACK(), &one);
    tcp_test_close(t);
}
END_TEST

/* We send nothing on for others, and guess at nothing. */
START_TEST(a_route_that_does_not_end_here_is_dropped) /* loop: option */
{
    static const uint8_t wrong[][12] = {
        {131, 11, 8, 192, 0, 2, 1, 192, 0, 2, 2, 0},  /* one to go */
        {131, 11, 4, 192, 0, 2, 1, 192, 0, 2, 2, 0},  /* two */
        {131, 10, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0}, /* half an address */
        {131, 11, 3, 192, 0, 2, 1, 192, 0, 2, 2, 0},  /* a pointer to itself */
        {131, 15, 16, 192, 0, 2, 1, 192, 0, 2, 2, 0}, /* past the end */
        {131, 2, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0},  /* no pointer */
        {131, 3, 4, 137, 7, 8, 192, 0, 2, 1, 0, 0},   /* two routes */
        {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 131},       /* no length */
    };
    struct tcp_test *t = open_test(true);

    peer_sends_with(t, SYN(), wrong[_i], sizeof(wrong[_i]));
    expect_nothing(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_ip_source_route), 1);
    tcp_test_close(t);
}
END_TEST

Suite *source_routes_suite(void);

Suite *source_routes_suite(void)
{
    Suite *s = suite_create("source_routes");
    TCase *ours = tcase_create("ours"), *theirs = tcase_create("theirs");

    tcase_add_loop_test(ours, an_open_goes_by_the_route_that_it_was_given, 0, 2);
    tcase_add_test(ours, the_users_route_wins_over_one_that_arrives);
    tcase_add_test(ours, a_route_by_what_is_no_host_is_refused);
    tcase_add_test(ours, the_route_comes_out_of_the_segment);
    tcase_add_test(ours, an_error_from_the_way_is_the_connections);
    suite_add_tcase(s, ours);
    tcase_add_test(theirs, a_passive_open_answers_by_the_way_back);
    tcase_add_test(theirs, a_syn_cookie_goes_by_the_way_back);
    tcase_add_test(theirs, a_reset_goes_by_the_way_back);
    tcase_add_test(theirs, a_later_route_replaces_the_earlier);
    tcase_add_test(theirs, who_records_itself_is_no_hop_of_the_way_back);
    tcase_add_loop_test(theirs, a_route_that_does_not_end_here_is_dropped, 0, 8);
    suite_add_tcase(s, theirs);
    return s;
}
