/*
 * SYN cookies, and listeners that take no more. Read first: RFC 4987 3.6.
 */

#include "support/peer.h"

/* A backlog of four, full of SYNs that nobody will ever acknowledge. */
static struct tcp_test *flooded_with(const struct tcp_test_options *more)
{
    struct tcp_test_options options = *more;

    options.limits = default_limits();
    options.limits.syn_backlog = 4;
    struct tcp_test *t = tcp_test_open(&options);
    for (uint16_t i = 0; i < 4; i++) {
        another_peer(t, (uint16_t)(10000 + i));
        peer_sends(t, SYN(.no_options = true));
    }
    ck_assert_int_eq(ignore_sent(t), 4);
    another_peer(t, PEER_PORT);
    return t;
}
#define FLOODED(...) flooded_with(&(struct tcp_test_options){__VA_ARGS__})

static struct tlsyn_conn_info info_of(const struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    ck_assert_ptr_nonnull(t->user.conn);
    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

static void text_goes_both_ways(struct tcp_test *t)
{
    peer_sends(t, ACK(.len = 100));
    ck_assert_uint_eq(t->user.read, 100);
    user_sends(t, 200);
    expect(t, ACK(.seq = 1, .ack = 101, .len = 200));
    peer_sends(t, ACK(.ack = 201));
    ck_assert_uint_eq(t->user.acked, 200);
}

/* --- who is honest gets through --------------------------------------------------------------- */

START_TEST(a_full_backlog_answers_and_keeps_nothing)
{
    struct tcp_test *t = FLOODED(.limits = {0});
    size_t blocks = t->memory.blocks;

    peer_sends(t, SYN(.opt = {.mss = 1400}));
    expect(t, SYNACK(.seq = 0, .ack = 1));
    ck_assert_uint_eq(t->memory.blocks, blocks);
    ck_assert_uint_eq(t->tcp->half_open, 4);
    peer_sends(t, ACK(.seq = 1, .ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_uint_eq(info_of(t).mss, 1400);
    text_goes_both_ways(t);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_sent), 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_recv), 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_passive_opens), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(timestamps_carry_what_the_number_can_not)
{
    static const uint8_t scales[] = {0, 7, 14};

    for (int i = 0; i < 3; i++) {
        for (int sack = 0; sack < 2; sack++) {
            struct tcp_test *t = FLOODED(.limits = {0});

            advance(t, TLSYN_MS(37 * i)); /* the low bits of the clock are any */
            ignore_sent(t);
            peer_sends(t, SYN(.opt = {.mss = 1460,
                                      .has_ts = true,
                                      .tsval = 1000,
                                      .has_wscale = true,
                                      .wscale = scales[i],
                                      .sack_permitted = sack}));
            const struct wire_tcp *synack = expect(t, SYNACK());
            ck_assert(synack->options.has_ts && synack->options.tsecr == 1000);
            ck_assert(synack->options.has_wscale);
            ck_assert_int_eq(synack->options.sack_permitted, sack);
            uint32_t echo = synack->options.tsval;
            advance(t, TLSYN_MS(20));
            ignore_sent(t);
            peer_sends(t, ACK(.wnd = 1000, .opt = {.has_ts = true, .tsval = 1020, .tsecr = echo}));
            struct tlsyn_conn_info info = info_of(t);
            ck_assert(info.timestamps && info.sack == (sack != 0));
            ck_assert_uint_eq(info.snd_wscale, scales[i]);
            ck_assert_uint_eq(info.snd_wnd, 1000u << scales[i]);
            ignore_sent(t);
            peer_sends(t, ACK(.len = 10, .opt = {.has_ts = true, .tsval = 1021, .tsecr = echo}));
            advance(t, TLSYN_MS(50));
            const struct wire_tcp *ack = expect(t, ACK(.ack = 11));
            ck_assert(seq_geq(ack->options.tsval, echo)); /* our clock did not run back */
            ck_assert_uint_eq(ack->options.tsecr, 1021);
            tcp_test_close(t);
        }
    }
}
END_TEST

/* --- ECN -------------------------------------------------------------------------------------- */

/* AE, CWR and ECE of the SYN, of the answer and of the ACK behind it. */
static const struct ecn_open {
    unsigned syn, synack, ack;
    enum tlsyn_ecn ecn;
    bool ts;
} ecn_opens[] = {
    {0, 0, 0, TLSYN_ECN_NONE, true},      {3, 1, 0, TLSYN_ECN_CLASSIC, true},
    {3, 1, 1, TLSYN_ECN_CLASSIC, true},   {7, 2, 2, TLSYN_ECN_ACCURATE, true},
    {7, 2, 5, TLSYN_ECN_ACCURATE, true},  {3, 0, 0, TLSYN_ECN_NONE, false},
    {7, 2, 2, TLSYN_ECN_ACCURATE, false},
};

static struct seg with_ace(struct seg seg, unsigned ace)
{
    seg.ae = ace >> 2 & 1;
    seg.flags |= (uint8_t)((ace & 2 ? TCP_CWR : 0) | (ace & 1 ? TCP_ECE : 0));
    return seg;
}

START_TEST(ecn_is_kept) /* RFC 9768 5.1; loop */
{
    const struct ecn_open *o = &ecn_opens[_i];
    struct tcp_test *t = FLOODED(.limits = {0});
    struct seg syn = SYN(.opt = {.mss = 1460, .has_ts = o->ts, .tsval = 1000});
    struct seg ack = ACK(.seq = 1, .ack = 1, .opt = {.has_ts = o->ts, .tsval = 1020});

    peer_sends(t, with_ace(syn, o->syn));
    const struct wire_tcp *synack = expect(t, SYNACK());
    ck_assert_uint_eq((synack->ae ? 4u : 0u) | (synack->flags & TCP_CWR ? 2u : 0u) |
                          (synack->flags & TCP_ECE ? 1u : 0u),
                      o->synack);
    ack.opt.tsecr = synack->options.tsval;
    peer_sends(t, with_ace(ack, o->ack));
    ck_assert_int_eq(info_of(t).ecn, o->ecn);
    user_sends(t, 200);
    ck_assert_uint_eq(expect(t, ACK(.len = 200))->codepoint, o->ecn == TLSYN_ECN_NONE ? 0 : 2);
    tcp_test_close(t);
}
END_TEST

START_TEST(without_timestamps_there_is_no_scale_and_no_sack)
{
    struct tcp_test *t = FLOODED(.limits = {0});

    peer_sends(t,
               SYN(.opt = {.mss = 9000, .has_wscale = true, .wscale = 7, .sack_permitted = true}));
    const struct wire_tcp *synack = expect(t, SYNACK());
    ck_assert(!synack->options.has_wscale && !synack->options.sack_permitted);
    peer_sends(t, ACK(.wnd = 30000));
    struct tlsyn_conn_info info = info_of(t);
    ck_assert_uint_eq(info.snd_wnd, 30000);
    ck_assert_uint_eq(info.mss, 1460);
    text_goes_both_ways(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(no_mss_is_rounded_up)
{
    static const uint16_t mss[] = {88, 100, 535, 536, 1219, 1220, 1399, 1459, 1460};

    for (size_t i = 0; i < sizeof(mss) / sizeof(*mss); i++) {
        struct tcp_test *t = FLOODED(.limits = {0});

        peer_sends(t, SYN(.opt = {.mss = mss[i]}));
        expect(t, SYNACK());
        peer_sends(t, ACK());
        ck_assert_uint_le(info_of(t).mss, mss[i]);
        ck_assert_uint_ge(info_of(t).mss, mss[i] / 7); /* and not to nothing */
        tcp_test_close(t);
    }
}
END_TEST

START_TEST(text_and_fin_may_come_with_the_ack)
{
    struct tcp_test *t = FLOODED(.limits = {0});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    peer_sends(t, FIN(.len = 6));
    ck_assert_uint_eq(t->user.read, 6);
    ck_assert(t->user.ended);
    expect(t, ACK(.ack = 8));
    tcp_test_close(t);
}
END_TEST

/* docs/HANDSHAKE.md: flooded: no payload. It comes again behind the ACK; and who asked for a Fast
 * Open cookie has one, which lets him in whatever goes on. */
START_TEST(payload_waits_for_the_sequential_handshake)
{
    struct tcp_test *t = FLOODED(.open = true, .cookies = true);

    peer_sends(t, SYN(.len = 300, .opt = {.mss = 1460, .has_fastopen = true}));
    const struct wire_tcp *synack = expect(t, SYNACK(.ack = 1));
    ck_assert(synack->options.has_fastopen && synack->options.cookie_len == 8);
    struct tcp_options owner = synack->options;
    owner.has_ts = false;
    ck_assert_int_eq(t->user.count[USER_SYN], 0);
    peer_sends(t, ACK(.seq = 1, .len = 300));
    ck_assert_uint_eq(t->user.read, 300);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syn_data_plain), 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_admit_flooded), 1);
    user_acts(&t->user, USER_ABORTS);
    flush(t);
    ignore_sent(t);
    user_init(&t->user);
    another_peer(t, 12000);
    peer_sends(t, SYN(.len = 300, .opt = owner));
    expect(t, SYNACK(.ack = 301));
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert_uint_eq(t->tcp->half_open, 4); /* in the place of the oldest */
    tcp_test_close(t);
}
END_TEST

/* One source, or its name on forged SYNs, has SYN cookies for itself alone. */
START_TEST(who_floods_by_himself_does_so_for_himself)
{
    struct tlsyn_limits limits = default_limits();

    limits.syns_per_source = 8;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    for (uint16_t i = 0; i < 100; i++) {
        another_peer(t, (uint16_t)(10000 + i));
        peer_sends(t, SYN());
    }
    ck_assert_int_eq(ignore_sent(t), 100);
    ck_assert_uint_eq(t->tcp->half_open, 8);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_admit_source_flooded), 92);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_req_q_full_do_cookies), 92);
    another_peer(t, PEER_PORT);
    peer_sends(t, SYN());
    expect(t, SYNACK());
    peer_sends(t, ACK());
    expect_state(t, TLSYN_ESTABLISHED);
    advance(t, TLSYN_SECONDS(4)); /* and for no longer */
    ignore_sent(t);
    another_peer(t, PEER_PORT + 1);
    peer_sends(t, SYN());
    ck_assert_uint_eq(t->tcp->half_open, 9);
    tcp_test_close(t);
}
END_TEST

/* Who completes what he begins may begin as much as he likes. */
START_TEST(an_honest_source_is_not_counted_out)
{
    struct tlsyn_limits limits = default_limits();

    limits.syns_per_source = 1;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    for (uint16_t i = 0; i < 50; i++) {
        another_peer(t, (uint16_t)(10000 + i));
        user_init(&t->user);
        opens_passively(t);
        user_acts(&t->user, USER_ABORTS);
        flush(t);
        ignore_sent(t);
    }
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_admit_source_flooded), 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_slow_flood_does_not_take_the_payload_away)
{
    struct tcp_test *t = FLOODED(.open = true);

    advance(t, TLSYN_SECONDS(4)); /* the first of the four had its time */
    ignore_sent(t);
    peer_sends(t, SYN(.len = 300, .opt = {.mss = 1460, .has_fastopen = true}));
    expect(t, SYNACK(.ack = 301));
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert_uint_eq(t->tcp->half_open, 4);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_sent), 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(ten_thousand_forged_syns_keep_nobody_out)
{
    struct tcp_test *t = FLOODED(.limits = {0});
    size_t blocks = t->memory.blocks;

    for (int i = 0; i < 10000; i++) {
        another_peer(t, (uint16_t)(20000 + i));
        peer_sends(t, SYN());
        expect(t, SYNACK());
        ck_assert_uint_eq(t->memory.blocks, blocks);
        if (i % 1000 == 999) { /* one of them is honest */
            peer_sends(t, ACK());
            expect_state(t, TLSYN_ESTABLISHED);
            user_acts(&t->user, USER_ABORTS);
            flush(t);
            ignore_sent(t);
        }
    }
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_recv), 10);
    tcp_test_close(t);
}
END_TEST

/* --- who guesses does not --------------------------------------------------------------------- */

/* Each of these differs from an honest acknowledgement in one thing. */
START_TEST(a_cookie_of_another_is_none) /* loop 6 */
{
    struct tcp_test *t = FLOODED(.limits = {0});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    switch (_i) {
    case 0:
        peer_sends(t, ACK(.seq = 1, .ack = 2));
        break;
    case 1:
        peer_sends(t, ACK(.seq = 2, .ack = 1));
        break;
    case 2:
        t->peer_port++;
        peer_sends(t, ACK(.seq = 1, .ack = 1));
        break;
    case 3:
        peer_sends(t, ACK(.seq = 1, .ack = 1 + 8)); /* the other period */
        break;
    case 4:
        peer_sends(t, ACK(.seq = 1, .ack = 1 ^ 7)); /* another MSS */
        break;
    case 5:
        advance(t, TLSYN_SECONDS(129));
        ignore_sent(t);
        peer_sends(t, ACK(.seq = 1, .ack = 1));
        break;
    }
    if (_i == 5) /* long after the last one was given */
        expect(t, SEG(TCP_RST));
    expect_nothing(t);
    ck_assert_ptr_null(t->user.conn);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_failed), _i < 5);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_recv), 0);
    tcp_test_close(t);
}
END_TEST

/* What overtakes the ACK, or comes where it was lost, is no reason for a reset. */
START_TEST(text_that_comes_first_comes_again)
{
    struct tcp_test *t = FLOODED(.limits = {0});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    peer_sends(t, ACK(.seq = 101, .ack = 1, .len = 50));
    expect_nothing(t);
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 100));
    peer_sends(t, ACK(.seq = 101, .ack = 1, .len = 50));
    ck_assert_uint_eq(t->user.read, 150);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_cookie_lives_into_the_next_period)
{
    struct tcp_test *t = FLOODED(.limits = {0});

    advance(t, TLSYN_SECONDS(64) - t->now % TLSYN_SECONDS(64) - TLSYN_MS(10));
    ignore_sent(t);
    for (uint16_t i = 0; i < 4; i++) { /* the first four had their time */
        another_peer(t, (uint16_t)(11000 + i));
        peer_sends(t, SYN());
    }
    ignore_sent(t);
    another_peer(t, PEER_PORT);
    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, TLSYN_SECONDS(64));
    ignore_sent(t);
    peer_sends(t, ACK());
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_recv), 1);
    tcp_test_close(t);
}
END_TEST

/* While no cookie can be on its way, no ACK is ever taken for one. */
START_TEST(where_none_was_given_none_is_taken)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, ACK(.seq = 1, .ack = 1));
    expect(t, SEG(TCP_RST));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syncookies_failed), 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_cookie_without_memory_or_room_is_dropped)
{
    struct tcp_test *t = FLOODED(.limits = {0});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    for (uint64_t n = 1; n <= 2; n++) {
        test_memory_fail(&t->memory, n);
        peer_sends(t, ACK(.seq = 1, .ack = 1));
        ck_assert_ptr_null(t->user.conn);
        expect_nothing(t);
    }
    peer_sends(t, ACK(.seq = 1, .ack = 1)); /* the peer sends text some time */
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* --- a listener that takes no more ------------------------------------------------------------ */

START_TEST(a_paused_listener_drops_syns)
{
    struct tcp_test *t = TCP_TEST(0);

    tlsyn_listener_pause(t->listener, true);
    peer_sends(t, SYN(.seq = 0));
    expect_nothing(t);
    expect_no_connection(t);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_listen_overflows), 1);
    tlsyn_listener_pause(t->listener, false);
    peer_sends(t, SYN(.seq = 0));
    expect(t, SYNACK());
    tcp_test_close(t);
}
END_TEST

START_TEST(an_open_under_way_waits_for_a_paused_listener)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    expect(t, SYNACK());
    tlsyn_listener_pause(t->listener, true);
    peer_sends(t, ACK());
    ck_assert_ptr_null(t->user.conn);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_listener_paused), 1);
    advance(t, TLSYN_MS(1100));
    expect(t, SYNACK(.seq = 0)); /* again */
    tlsyn_listener_pause(t->listener, false);
    peer_sends(t, ACK());
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_cookie_waits_for_a_paused_listener_too)
{
    struct tcp_test *t = FLOODED(.limits = {0});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    tlsyn_listener_pause(t->listener, true);
    peer_sends(t, ACK(.seq = 1));
    expect_nothing(t);
    ck_assert_ptr_null(t->user.conn);
    tlsyn_listener_pause(t->listener, false);
    peer_sends(t, ACK(.seq = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_syncookie_suite(void);

Suite *tcp_syncookie_suite(void)
{
    Suite *s = suite_create("tcp_syncookie");
    TCase *honest = tcase_create("who is honest gets through");
    TCase *forged = tcase_create("who guesses does not");
    TCase *paused = tcase_create("a listener that takes no more");

    tcase_set_timeout(honest, 60); /* ten thousand SYNs, on a busy machine */
    tcase_add_test(honest, a_full_backlog_answers_and_keeps_nothing);
    tcase_add_test(honest, timestamps_carry_what_the_number_can_not);
    tcase_add_loop_test(honest, ecn_is_kept, 0, sizeof(ecn_opens) / sizeof(ecn_opens[0]));
    tcase_add_test(honest, without_timestamps_there_is_no_scale_and_no_sack);
    tcase_add_test(honest, no_mss_is_rounded_up);
    tcase_add_test(honest, text_and_fin_may_come_with_the_ack);
    tcase_add_test(honest, payload_waits_for_the_sequential_handshake);
    tcase_add_test(honest, who_floods_by_himself_does_so_for_himself);
    tcase_add_test(honest, an_honest_source_is_not_counted_out);
    tcase_add_test(honest, a_slow_flood_does_not_take_the_payload_away);
    tcase_add_test(honest, ten_thousand_forged_syns_keep_nobody_out);
    suite_add_tcase(s, honest);
    tcase_add_loop_test(forged, a_cookie_of_another_is_none, 0, 6);
    tcase_add_test(forged, text_that_comes_first_comes_again);
    tcase_add_test(forged, a_cookie_lives_into_the_next_period);
    tcase_add_test(forged, where_none_was_given_none_is_taken);
    tcase_add_test(forged, a_cookie_without_memory_or_room_is_dropped);
    suite_add_tcase(s, forged);
    tcase_add_test(paused, a_paused_listener_drops_syns);
    tcase_add_test(paused, an_open_under_way_waits_for_a_paused_listener);
    tcase_add_test(paused, a_cookie_waits_for_a_paused_listener_too);
    suite_add_tcase(s, paused);
    return s;
}
