/*
 * Attacks by a stranger who sees nothing of a connection and guesses: resets, SYNs, text and ICMP
 * with made-up numbers, and the numbers themselves: how well may they be guessed? docs/TESTING.md
 * has the table of attacks, defences and bounds.
 */

#include "support/holds.h"
#include "support/peer.h"
#include "tcp/demux.h"
#include "tcp/isn.h"
#include "wire/ip4.h"

#define MSS 1460

/* --- guesses about a connection --------------------------------------------------------------- */

static struct tcp_test *established(uint32_t challenges)
{
    struct tlsyn_limits limits = default_limits();

    limits.challenge_per_second = challenges;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    opens_passively(t);
    return t;
}

/* A reset counts at the very number that is next, in all the number space. The whole window is
 * challenged, at limits.challenge_per_second; the rest is not answered. (R5961-1, R5961-4) */
START_TEST(resets_all_over_the_number_space_end_nothing)
{
    struct tcp_test *t = established(10);

    for (int64_t seq = 2; seq < 65000; seq += 13) /* the window, but for one number */
        peer_sends(t, RST(.seq = seq));
    for (int64_t k = 1; k < 4096; k++) /* and windows all over the space */
        peer_sends(t, RST(.seq = 2 + (k << 20)));
    ck_assert_int_le(ignore_sent(t), 10);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* R5961-2 */
START_TEST(syns_all_over_the_number_space_end_nothing)
{
    struct tcp_test *t = established(10);

    for (int64_t k = 0; k < 4096; k++)
        peer_sends(t, SYN(.seq = (k << 20) + k, .opt = {.mss = 1460}));
    for (int64_t seq = 1; seq < 65000; seq += 997) /* RFC 793 had these end the connection */
        peer_sends(t, SYN(.seq = seq));
    t->peer_nxt = 1;
    ck_assert_int_le(ignore_sent(t), 10);
    expect_state(t, TLSYN_ESTABLISHED);
    peer_sends(t, ACK(.text = "still there"));
    ck_assert_str_eq(t->user.text, "still there");
    t->user.wrong = 0;
    tcp_test_close(t);
}
END_TEST

/* Who hits the receive window, which is one in a few thousand, has to hit the window of
 * acknowledgments too. (R5961-3) */
START_TEST(text_with_a_guessed_ack_is_not_taken)
{
    struct tcp_test *t = established(10);

    for (int64_t k = 1; k < 2048; k++) {
        peer_sends(t, ACK(.seq = 1, .ack = 1 + (k << 20), .text = "injected"));
        peer_sends(t, ACK(.seq = 500, .ack = 1 + (k << 20), .text = "behind a hole"));
        peer_sends(t, FIN(.seq = 1, .ack = 1 + (k << 20)));
    }
    t->peer_nxt = 1;
    ck_assert_uint_eq(t->user.read, 0);
    ck_assert_uint_eq(t->user.conn->ooo.count, 0);
    ck_assert_int_le(ignore_sent(t), 10);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* An ICMP error counts if it quotes a number that is on its way (RFC 5927 4.1): here that is one
 * in 300,000. (R5927-1) */
START_TEST(icmp_with_a_guessed_number_does_nothing) /* loop: the code */
{
    static const uint8_t code[] = {0, 1, 2, 3, 4, 5, 9, 13};
    struct tlsyn_conn_info before, after;
    struct tcp_test *t = established(10);
    uint16_t mtu = code[_i] == 4 ? 600 : 0;

    user_sends(t, 20000);
    peer_takes_all(t);
    tlsyn_conn_info(t->user.conn, &before);
    for (int64_t k = 1; k < 2000; k++)
        peer_sends_unreachable(t, code[_i], mtu, 1 + (k << 20));
    peer_sends_unreachable(t, code[_i], mtu, -1);
    peer_sends_unreachable(t, code[_i], mtu, 1 + 10 * MSS);
    tlsyn_conn_info(t->user.conn, &after);
    ck_assert_uint_eq(after.mss, before.mss);
    ck_assert_uint_eq(after.cwnd, before.cwnd);
    ck_assert_int_eq(after.state, TLSYN_ESTABLISHED);
    ck_assert_int_eq(t->user.conn->soft_error, 0);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_icmp_unrelated), 2001);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* A SYN of our own address to itself: "land", 1997. RFC 1122 3.2.1.3: nobody else has it.
 * (MUST-63) */
START_TEST(a_syn_from_ourselves_is_nobodys)
{
    struct tcp_test *t = TCP_TEST(0);
    static uint8_t frame[PEER_FRAME_MAX];

    t->peer_port = LISTEN_PORT;
    size_t len = peer_frame(t, SYN(), frame);
    frame[14 + 15] =
        1; /* 10.0.0.1 instead of 10.0.0.2: one less, so the header's sum is one more */
    frame[14 + 11]++;
    frame[14 + 20 + 17]++;
    peer_sends_frame(t, frame, len);
    expect_nothing(t);
    expect_no_connection(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_ip_source), 1);
    tcp_test_close(t);
}
END_TEST

/* --- how well numbers are guessed ------------------------------------------------------------- */

#define SAMPLES 8192

/* Pearson's chi square of counts in `bins`, in standard deviations from what chance gives. */
static double deviation(const uint32_t *count, uint32_t bins, uint32_t samples)
{
    double expected = (double)samples / bins, sum = 0, square = 2.0 * (bins - 1), root = square / 2;

    for (uint32_t i = 0; i < bins; i++)
        sum += (count[i] - expected) * (count[i] - expected) / expected;
    for (int i = 0; i < 40; i++)
        root = (root + square / root) / 2;
    return (sum - (bins - 1)) / root;
}

static struct tlsyn_endpoint endpoint(uint8_t host, uint16_t port)
{
    return (struct tlsyn_endpoint){tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, host}), port};
}

/* Neighbouring ports are what an attacker samples. At one instant, so that the clock's part is
 * the same, every octet of the numbers, and of their differences, is spread as chance would.
 * (MUST-9, R6528-3) */
START_TEST(initial_numbers_of_neighbours_look_like_chance) /* loop: octet, difference */
{
    uint32_t count[256] = {0};
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_endpoint us = endpoint(1, 443);
    tcp_seq last = 0;

    for (uint32_t i = 0; i < SAMPLES; i++) {
        struct tlsyn_endpoint peer = endpoint(2, (uint16_t)(1024 + i));
        tcp_seq iss = t->tcp->choose_iss(t->tcp, &us, &peer);
        uint32_t number = _i < 4 ? iss : iss - last;

        count[number >> 8 * (_i % 4) & 255]++;
        last = iss;
    }
    double off = deviation(count, 256, SAMPLES);
    ck_assert_msg(off < 6 && off > -6, "%f standard deviations", off);
    tcp_test_close(t);
}
END_TEST

/* Ports of active opens: any of the dynamic ones, the next as likely as any other (RFC 6056
 * 3.3.1). (R6528-4) */
START_TEST(ports_of_active_opens_look_like_chance) /* loop 2: ports, and the steps between them */
{
    uint32_t count[256] = {0};
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_endpoint us = endpoint(1, 0), peer = endpoint(2, 80);
    uint16_t last = 0;

    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint16_t port = demux_choose_port(t->tcp, &us, &peer);

        HOLDS(port >= 49152);
        count[(_i ? (uint16_t)(port - last) & 0x3fff : port - 49152) / 64]++;
        last = port;
    }
    double off = deviation(count, 256, SAMPLES);
    ck_assert_msg(off < 6 && off > -6, "%f standard deviations", off);
    tcp_test_close(t);
}
END_TEST

/* Two stacks, and one stack started twice, have other secrets. (R6528-2) */
START_TEST(numbers_of_one_stack_tell_nothing_of_another)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_endpoint us = endpoint(1, 443), peer = endpoint(2, 5555);
    struct tlsyn_stack *other = tlsyn_stack_new(&(struct tlsyn_stack_options){.now = t->now});
    struct tlsyn_listener *listener;
    struct tlsyn_listen_options at = {.local = {.port = 443}};

    ck_assert_int_eq(tlsyn_listener_open(other, &at, &t->user.acceptor, &listener), 0);
    tcp_seq ours = t->tcp->choose_iss(t->tcp, &us, &peer);
    tcp_seq theirs = listener->tcp->choose_iss(listener->tcp, &us, &peer);
    ck_assert_uint_ne(ours, theirs);
    tlsyn_stack_free(other);
    tcp_test_close(t);
}
END_TEST

Suite *attacks_blind_suite(void);

Suite *attacks_blind_suite(void)
{
    Suite *s = suite_create("attacks_blind");
    TCase *guesses = tcase_create("guesses"), *numbers = tcase_create("numbers");

    tcase_set_timeout(guesses, 60);
    tcase_add_test(guesses, resets_all_over_the_number_space_end_nothing);
    tcase_add_test(guesses, syns_all_over_the_number_space_end_nothing);
    tcase_add_test(guesses, text_with_a_guessed_ack_is_not_taken);
    tcase_add_loop_test(guesses, icmp_with_a_guessed_number_does_nothing, 0, 8);
    tcase_add_test(guesses, a_syn_from_ourselves_is_nobodys);
    suite_add_tcase(s, guesses);
    tcase_add_loop_test(numbers, initial_numbers_of_neighbours_look_like_chance, 0, 8);
    tcase_add_loop_test(numbers, ports_of_active_opens_look_like_chance, 0, 2);
    tcase_add_test(numbers, numbers_of_one_stack_tell_nothing_of_another);
    suite_add_tcase(s, numbers);
    return s;
}
