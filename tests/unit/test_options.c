/*
 * Negotiation of TCP options. Read first: RFC 9293 3.7.1, RFC 7323, RFC 6691.
 */
#include "support/peer.h"

static struct tlsyn_conn_info info_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

/* --- MSS -------------------------------------------------------------------------------------- */

/* MUST-14, MUST-67, SHLD-5 */
START_TEST(we_announce_what_the_link_takes)
{
    struct tcp_test *t = TCP_TEST(.caps = {.mtu = 1280});

    peer_sends(t, SYN());
    ck_assert_uint_eq(expect(t, SYNACK())->options.mss, 1240);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_user_may_announce_less)
{
    struct tcp_test *t = TCP_TEST(.conn = {.mss_max = 700});

    peer_sends(t, SYN());
    ck_assert_uint_eq(expect(t, SYNACK())->options.mss, 700);
    tcp_test_close(t);
}
END_TEST

/* MUST-16 */
START_TEST(segments_have_the_smaller_of_both)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1000});

    opens_passively(t);
    user_sends(t, 5000);
    expect(t, ACK(.len = 1000));
    ignore_sent(t);
    tcp_test_close(t);
    t = TCP_TEST(.peer = {.mss = 9000});
    opens_passively(t);
    user_sends(t, 5000);
    expect(t, ACK(.len = 1460));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 6691 (R7323-MSS1) */
START_TEST(timestamps_come_out_of_the_segment)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    user_sends(t, 5000);
    expect(t, ACK(.len = 1448));
    ck_assert_uint_eq(t->last.ip_len, 1500);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* MUST-65 (MAY-3) */
START_TEST(only_syns_carry_it)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_actively(t);
    user_sends(t, 10);
    const struct wire_tcp *s = expect(t, ACK(.len = 10));
    ck_assert(s->options.mss == 0 && !s->options.has_wscale && !s->options.sack_permitted);
    tcp_test_close(t);
}
END_TEST

/* --- both must have it ------------------------------------------------------------------------ */

/* R7323-WS4 */
START_TEST(an_option_is_in_force_when_both_have_it)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460,
                                           .has_wscale = true,
                                           .wscale = 5,
                                           .has_ts = true,
                                           .sack_permitted = true});

    opens_actively(t);
    ck_assert(info_of(t).timestamps && info_of(t).sack);
    ck_assert_uint_eq(info_of(t).snd_wscale, 5);
    tcp_test_close(t);
}
END_TEST

START_TEST(what_we_switch_off_is_neither_offered_nor_accepted)
{
    struct tcp_test *t =
        TCP_TEST(.conn = {.no_timestamps = true, .no_sack = true, .no_window_scale = true},
                 .peer = {.mss = 1460,
                          .has_wscale = true,
                          .wscale = 5,
                          .has_ts = true,
                          .sack_permitted = true});

    user_connects(t);
    const struct wire_tcp *syn = expect(t, SYN());
    ck_assert(!syn->options.has_ts && !syn->options.sack_permitted && !syn->options.has_wscale);
    t->options.peer.has_ts = false; /* the peer sends none beyond its SYN */
    peer_sends(
        t, SYNACK(.opt = {.mss = 1460, .has_wscale = true, .wscale = 5, .sack_permitted = true}));
    expect(t, ACK());
    ck_assert(!info_of(t).timestamps && !info_of(t).sack);
    ck_assert_uint_eq(info_of(t).snd_wscale, 0);
    tcp_test_close(t);
}
END_TEST

/* R7323-WS1, R7323-TS1 */
START_TEST(a_syn_ack_answers_only_what_the_syn_offered)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    const struct wire_tcp *s = expect(t, SYNACK());
    ck_assert(!s->options.has_ts && !s->options.sack_permitted && !s->options.has_wscale);
    tcp_test_close(t);
}
END_TEST

Suite *options_suite(void);

Suite *options_suite(void)
{
    Suite *s = suite_create("options");
    TCase *MSS = tcase_create("MSS");
    TCase *both_must_have_it = tcase_create("both must have it");

    tcase_add_test(MSS, we_announce_what_the_link_takes);
    tcase_add_test(MSS, a_user_may_announce_less);
    tcase_add_test(MSS, segments_have_the_smaller_of_both);
    tcase_add_test(MSS, timestamps_come_out_of_the_segment);
    tcase_add_test(MSS, only_syns_carry_it);
    suite_add_tcase(s, MSS);
    tcase_add_test(both_must_have_it, an_option_is_in_force_when_both_have_it);
    tcase_add_test(both_must_have_it, what_we_switch_off_is_neither_offered_nor_accepted);
    tcase_add_test(both_must_have_it, a_syn_ack_answers_only_what_the_syn_offered);
    suite_add_tcase(s, both_must_have_it);
    return s;
}
