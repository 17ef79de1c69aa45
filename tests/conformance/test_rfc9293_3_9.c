/*
 * The interfaces of TCP (RFC 9293 3.9): to its user, and to IP.
 */
#include <errno.h>

#include "support/holds.h"
#include "support/peer.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/ip4.h"

#define IP_AT ETHER_HEADER_LEN

static uint8_t frame[PEER_FRAME_MAX];

static const uint8_t *ip_of_sent(const struct tcp_test *t, int i)
{
    return t->sent[t->sent_first + i].bytes + IP_AT;
}

/* --- 3.9.1.1 Open ----------------------------------------------------------------------------- */

/* A passive OPEN makes a record of its own. (MUST-41, MUST-42) */
START_TEST(a_listen_on_the_port_of_an_opening_connection_disturbs_nothing) /* loop 2: its state */
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_listener *listener;

    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    if (_i == 1) {
        peer_sends(t, SYN());
        expect(t, SYNACK());
    }
    struct tlsyn_listen_options at = {.local = {.port = t->local_port}};
    ck_assert_int_eq(tlsyn_listener_open(t->stack, &at, &t->user.acceptor, &listener), 0);
    if (_i == 0)
        peer_sends(t, SYNACK());
    else
        peer_sends(t, ACK());
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 0); /* it is the opener's */
    tcp_test_close(t);
}
END_TEST

/* OPEN takes a local address, or IP chooses one before the first SYN; all later segments have
 * the same. (MUST-43, MUST-44, MUST-45) */
START_TEST(all_segments_leave_from_the_address_of_the_first) /* loop 2: chosen, or given */
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_addr second = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 77});
    struct tlsyn_connect_options connect = {
        .remote = {tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2}), 80}};
    struct tlsyn_conn *conn;

    ck_assert_int_eq(tlsyn_iface_address(t->iface, &second, 24), 0);
    if (_i == 1)
        connect.local.addr = second;
    ck_assert_int_eq(tlsyn_conn_open(t->stack, &connect, &t->user.handler, &conn), 0);
    t->user.conn = conn;
    advance(t, TLSYN_SECONDS(10)); /* the SYN, and the SYN again */
    ck_assert_int_ge(t->sent_end - t->sent_first, 3);
    for (int i = 0; i < t->sent_end - t->sent_first; i++)
        ck_assert_uint_eq(ip_of_sent(t, i)[15], _i ? 77 : 1);
    tcp_test_close(t);
}
END_TEST

/* MUST-43 */
START_TEST(an_address_that_is_not_ours_is_refused)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_endpoint foreign = {tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 99}), 8080};
    struct tlsyn_connect_options connect = {
        .remote = {tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2}), 80}, .local = foreign};
    struct tlsyn_listen_options listen = {.local = foreign};
    struct tlsyn_listener *listener;
    struct tlsyn_conn *conn;

    ck_assert_int_eq(tlsyn_conn_open(t->stack, &connect, &t->user.handler, &conn), -EADDRNOTAVAIL);
    ck_assert_int_eq(tlsyn_listener_open(t->stack, &listen, &t->user.acceptor, &listener),
                     -EADDRNOTAVAIL);
    tcp_test_close(t);
}
END_TEST

/* --- 3.9.1.8 Asynchronous reports ------------------------------------------------------------- */

/* What IP hears of the way is told, and ends nothing. (MUST-47, MUST-56, SHLD-25) */
START_TEST(a_soft_error_is_reported_and_the_connection_goes_on) /* loop: code */
{
    static const struct {
        uint8_t code;
        int error;
    } soft[] = {{0, -ENETUNREACH}, {1, -EHOSTUNREACH}, {5, -EHOSTUNREACH}};
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 100);
    expect(t, ACK(.len = 100));
    peer_sends_unreachable(t, soft[_i].code, 0, 1);
    ck_assert_int_eq(t->user.troubles, 1);
    ck_assert_int_eq(t->user.trouble, soft[_i].error);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    peer_sends(t, ACK());
    ck_assert_uint_eq(t->user.acked, 100);
    tcp_test_close(t);
}
END_TEST

/* Who leaves the event out is not told. (SHLD-20) */
START_TEST(reports_can_be_declined)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_conn_events events = *t->user.handler.events;

    events.on_trouble = NULL;
    t->user.handler.events = &events;
    opens_passively(t);
    user_sends(t, 100);
    ignore_sent(t);
    peer_sends_unreachable(t, 1, 0, 1);
    ck_assert_int_eq(t->user.troubles, 0);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* 3.8.3: at R1, the third timeout in a row, IP looks for another way, and the user hears of it;
 * R2 is far. (MUST-20, SHLD-9, SHLD-10) */
START_TEST(after_three_timeouts_the_way_is_looked_at_and_the_user_told)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 100);
    uint64_t asked = counted(t, TLSYN_COUNT_arp_out);
    advance(t, TLSYN_MS(600)); /* 200 and 400 ms: two */
    ck_assert_int_eq(t->user.troubles, 0);
    advance(t, TLSYN_MS(900));
    ck_assert_int_eq(t->user.troubles, 1);
    ck_assert_int_eq(t->user.trouble, -ETIMEDOUT);
    advance(
        t,
        TLSYN_SECONDS(
            9)); /* the neighbour is doubted: text goes again, and five seconds later a question */
    ck_assert_uint_gt(counted(t, TLSYN_COUNT_arp_out), asked);
    ck_assert_int_eq(t->user.troubles, 1);
    expect_state(t, TLSYN_ESTABLISHED);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- 3.9.1.9 and 3.9.2 DSCP, TTL -------------------------------------------------------------- */

/* What the user chose stands in every datagram, and may change under way; TCP alters nothing of
 * it. (MUST-48, MUST-49, SHLD-21, SHLD-22) */
START_TEST(the_users_dscp_and_ttl_are_in_every_datagram)
{
    struct tcp_test *t = TCP_TEST(.conn = {.tos = 0xb8, .ttl = 33});
    struct tlsyn_conn_options options;

    peer_sends(t, SYN());
    ck_assert_uint_eq(ip_of_sent(t, 0)[1], 0xb8);
    ck_assert_uint_eq(ip_of_sent(t, 0)[8], 33);
    expect(t, SYNACK());
    peer_sends(t, ACK());
    tlsyn_conn_get_options(t->user.conn, &options);
    options.tos = 0x28;
    options.ttl = 3;
    ck_assert_int_eq(tlsyn_conn_set_options(t->user.conn, &options), 0);
    user_sends(t, 3000);
    ck_assert_int_eq(t->sent_end - t->sent_first, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(ip_of_sent(t, i)[1], 0x28);
        ck_assert_uint_eq(ip_of_sent(t, i)[8], 3);
    }
    tcp_test_close(t);
}
END_TEST

/* --- 3.9.2.2 ICMP, 3.9.2.3 source addresses --------------------------------------------------- */

/* RFC 6633: type 4 was never obeyed, and anybody can send it. (MUST-55) */
START_TEST(source_quench_is_dropped_in_silence)
{
    struct tlsyn_conn_info before, after;
    struct tcp_test *t = TCP_TEST(0);
    uint8_t icmp[36] = {4, 0, [8] = 0x45, [11] = 40, [16] = 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    struct checksum sum = {0};

    opens_passively(t);
    user_sends(t, 5000);
    tcp_seq number = t->iss + 1;
    memcpy(icmp + 28,
           (const uint8_t[]){LISTEN_PORT >> 8, LISTEN_PORT & 255, PEER_PORT >> 8, PEER_PORT & 255,
                             (uint8_t)(number >> 24), (uint8_t)(number >> 16),
                             (uint8_t)(number >> 8), (uint8_t)number},
           8);
    checksum_add(&sum, icmp, sizeof(icmp));
    uint16_t value = checksum_finish(&sum);
    icmp[2] = (uint8_t)(value >> 8);
    icmp[3] = (uint8_t)value;
    ignore_sent(t);
    tlsyn_conn_info(t->user.conn, &before);
    peer_sends_datagram(t, IP_PROTOCOL_ICMP, icmp, sizeof(icmp));
    tlsyn_conn_info(t->user.conn, &after);
    ck_assert_uint_eq(after.cwnd, before.cwnd);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_icmp_type), 1);
    ck_assert_int_eq(t->user.troubles, 0);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* A segment that came to everybody, by the address of IP or of Ethernet, is nobody's, whatever
 * it says. (MUST-57) */
START_TEST(a_segment_to_everybody_is_dropped) /* loop: destination, flags */
{
    static const uint8_t dst[][4] = {
        {255, 255, 255, 255}, {10, 0, 0, 255}, {224, 0, 0, 1}, {10, 0, 0, 1}};
    struct tcp_test *t = TCP_TEST(0);
    size_t len = peer_frame(t, SEG(_i % 2 ? TCP_ACK : TCP_SYN), frame);

    memset(frame, 0xff, 6);
    memcpy(frame + IP_AT + 16, dst[_i / 2], 4);
    peer_seal(frame);
    /* the sum over the pseudo-header */
    struct tlsyn_addr to = tlsyn_addr_ip4(dst[_i / 2]);
    struct tlsyn_addr from = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2});
    struct checksum sum = {0};
    frame[IP_AT + 36] = frame[IP_AT + 37] = 0;
    checksum_pseudo(&sum, &from, &to, IP_PROTOCOL_TCP, (uint32_t)(len - IP_AT - 20));
    checksum_add(&sum, frame + IP_AT + 20, len - IP_AT - 20);
    uint16_t value = checksum_finish(&sum);
    frame[IP_AT + 36] = (uint8_t)(value >> 8);
    frame[IP_AT + 37] = (uint8_t)value;
    peer_sends_frame(t, frame, len);
    expect_nothing(t);
    expect_no_connection(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_broadcast) + dropped(t, TLSYN_DROP_ip_not_ours), 1);
    tcp_test_close(t);
}
END_TEST

/* Nobody's address, a group's, everybody's, the loopback's, our own. (MUST-63) */
START_TEST(a_syn_from_no_hosts_address_is_ignored) /* loop: source */
{
    static const uint8_t src[][4] = {{0, 0, 0, 0},         {127, 0, 0, 1},       {224, 0, 0, 5},
                                     {239, 255, 255, 250}, {255, 255, 255, 255}, {10, 0, 0, 255},
                                     {240, 0, 0, 1},       {10, 0, 0, 1}};
    struct tcp_test *t = TCP_TEST(0);
    size_t len = peer_frame(t, SYN(), frame);

    t->verified = true;
    memcpy(frame + IP_AT + 12, src[_i], 4);
    peer_seal(frame);
    peer_sends_frame(t, frame, len);
    expect_nothing(t);
    expect_no_connection(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_ip_source), 1);
    tcp_test_close(t);
}
END_TEST

Suite *rfc9293_3_9_suite(void);

Suite *rfc9293_3_9_suite(void)
{
    Suite *s = suite_create("rfc9293_3_9");
    TCase *user = tcase_create("user"), *ip = tcase_create("IP");

    tcase_add_loop_test(user, a_listen_on_the_port_of_an_opening_connection_disturbs_nothing, 0, 2);
    tcase_add_loop_test(user, all_segments_leave_from_the_address_of_the_first, 0, 2);
    tcase_add_test(user, an_address_that_is_not_ours_is_refused);
    tcase_add_loop_test(user, a_soft_error_is_reported_and_the_connection_goes_on, 0, 3);
    tcase_add_test(user, reports_can_be_declined);
    tcase_add_test(user, after_three_timeouts_the_way_is_looked_at_and_the_user_told);
    suite_add_tcase(s, user);
    tcase_add_test(ip, the_users_dscp_and_ttl_are_in_every_datagram);
    tcase_add_test(ip, source_quench_is_dropped_in_silence);
    tcase_add_loop_test(ip, a_segment_to_everybody_is_dropped, 0, 8);
    tcase_add_loop_test(ip, a_syn_from_no_hosts_address_is_ignored, 0, 8);
    suite_add_tcase(s, ip);
    return s;
}
