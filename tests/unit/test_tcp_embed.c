/*
 * What a path may do to an embedded open, what it costs, and what is remembered of it. Read first:
 * docs/HANDSHAKE.md, RFC 7413 4.1.3.1.
 */
#include <errno.h>

#include "support/peer.h"

#define HELLO 300
#define OFF   TLSYN_SECONDS(240)

enum { ICMP_HOST = 1, ICMP_PORT = 3, ICMP_TOO_BIG = 4, ICMP_PROHIBITED = 13 };

#define WITH_COOKIE                                                                                \
    {                                                                                              \
        .mss = 1460, .has_fastopen = true, .cookie_len = 8, .cookie = { 1, 2, 3 }                  \
    }

/* --- a client, and its next connection -------------------------------------------------------- */

static struct tlsyn_conn_info info_of(const struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

static enum tlsyn_embedding embedding(const struct tcp_test *t)
{
    return info_of(t).embedding;
}

static void opens(struct tcp_test *t)
{
    user_begins_anew(t);
    t->user.plan[USER_OPEN].write = HELLO;
    t->user.plan[USER_SYNACK].write = 50;
    ck_assert_int_eq(user_connects(t), 0);
}

/* Its SYN is plain from the start. */
static void expect_off(struct tcp_test *t, tlsyn_time at_most)
{
    uint64_t before = counted(t, TLSYN_COUNT_tcp_fastopen_off);

    opens(t);
    ck_assert(!expect(t, SYN(.seq = 0))->options.has_fastopen);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_off), before + 1);
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_OFF);
    ck_assert_int_gt(info_of(t).off_for, 0);
    ck_assert_int_le(info_of(t).off_for, at_most);
    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = HELLO + 50));
    ck_assert_int_eq(info_of(t).got, TLSYN_LEVEL_NONE);
}

static void expect_on(struct tcp_test *t)
{
    opens(t);
    ck_assert(expect(t, SYN(.seq = 0, .len = HELLO))->options.has_fastopen);
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_SENT);
}

/* Embedded, and all that follows gets through. */
static void works(struct tcp_test *t)
{
    expect_on(t);
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    expect(t, ACK(.seq = HELLO + 1, .ack = 501, .len = 50));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_TAKEN);
    ck_assert_int_eq(info_of(t).got, TLSYN_LEVEL_OPEN);
    peer_sends(t, ACK(.ack = HELLO + 51));
}

static struct tcp_test *client(void)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_COOKIE);

    expect_on(t);
    return t;
}

/* --- retry ------------------------------------------------------------------------------------ */

START_TEST(a_dropped_syn_is_remembered_once_a_plain_one_was_answered)
{
    struct tcp_test *t = client();

    advance(t, TLSYN_MS(1001));
    ck_assert(!expect(t, SYN(.seq = 0))->options.has_fastopen); /* same number */
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_plain_syn), 1);
    advance(t, TLSYN_MS(2001));
    expect(t, SYN(.seq = 0)); /* and then at doubling intervals */
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_plain_syn), 1);
    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = HELLO + 50)); /* the bytes are those of the pattern */
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_SYN_DROPPED);
    expect_off(t, OFF);
    ck_assert_int_eq(info_of(t).off_by, TLSYN_EMBEDDING_SYN_DROPPED);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_late_answer_is_no_failure)
{
    struct tcp_test *t = client();

    advance(t, TLSYN_MS(1001));
    expect(t, SYN(.seq = 0));
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500)); /* that of the first SYN */
    expect(t, ACK(.seq = HELLO + 1, .ack = 501, .len = 50));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_TAKEN);
    expect_on(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_dropped_answer_is_remembered)
{
    struct tcp_test *t = client();

    advance(t, TLSYN_MS(1001));
    expect(t, SYN(.seq = 0));
    peer_sends(t, SYNACK(.ack = HELLO + 1)); /* bare: one with text did not come */
    expect(t, ACK(.seq = HELLO + 1, .ack = 1, .len = 50));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_ANSWER_DROPPED);
    ck_assert_int_eq(info_of(t).got, TLSYN_LEVEL_OPEN);
    peer_sends(t, ACK(.ack = HELLO + 51, .len = 500)); /* which does not make it good */
    expect_off(t, OFF);
    ck_assert_int_eq(info_of(t).off_by, TLSYN_EMBEDDING_ANSWER_DROPPED);
    tcp_test_close(t);
}
END_TEST

/* RFC 7413 4.1.3.1: no response at all */
START_TEST(a_peer_that_never_answers_is_tried_plain_the_next_time)
{
    struct tcp_test *t = client();

    while (t->user.count[USER_CLOSED] == 0)
        advance(t, TLSYN_SECONDS(10));
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    t->user.conn = NULL;
    expect_off(t, OFF);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_reset_is_remembered_only_if_the_plain_syn_fares_better)
{
    struct tcp_test *t = client();

    peer_sends(t, RSTACK(.seq = 0, .ack = HELLO + 1));
    expect(t, SYN(.seq = 0));
    peer_sends(t, RSTACK(.seq = 0, .ack = 1));
    ck_assert_int_eq(t->user.error, -ECONNREFUSED); /* nobody listens, that is all */
    t->user.conn = NULL;
    expect_on(t);
    peer_sends(t, RSTACK(.seq = 0, .ack = HELLO + 1));
    ck_assert(!expect(t, SYN(.seq = 0))->options.has_fastopen);
    peer_sends(t, SYNACK(.seq = 0, .ack = 1));
    expect(t, ACK(.seq = 1, .len = HELLO + 50));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_SYN_REFUSED);
    expect_off(t, OFF);
    tcp_test_close(t);
}
END_TEST

/* Hard ones and soft ones. */
START_TEST(an_icmp_error_brings_a_plain_syn_at_once) /* loop 3 */
{
    static const uint8_t codes[] = {ICMP_HOST, ICMP_PORT, ICMP_PROHIBITED};
    struct tcp_test *t = client();

    peer_sends_unreachable(t, codes[_i], 0, 0);
    ck_assert(!expect(t, SYN(.seq = 0))->options.has_fastopen);
    expect_nothing(t);
    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = HELLO + 50));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_SYN_REFUSED);
    expect_off(t, OFF);
    tcp_test_close(t);
}
END_TEST

/* The path's MTU is remembered, and decides by itself what fits the next time. */
START_TEST(too_long_a_syn_costs_nothing_the_next_time)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    t->user.plan[USER_OPEN].write = 1000;
    user_connects(t);
    expect(t, SYN(.len = 1000));
    peer_sends_unreachable(t, ICMP_TOO_BIG, 600, 0);
    ck_assert_uint_eq(expect(t, SYN(.seq = 0))->options.mss, 560);
    peer_sends(t, SYNACK(.ack = 1));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_SYN_TOO_LONG);
    user_begins_anew(t);
    t->user.plan[USER_OPEN].write = 1000;
    user_connects(t);
    ck_assert(expect(t, SYN())->options.has_fastopen);
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_NO_ROOM);
    works(t); /* 300 bytes fit */
    tcp_test_close(t);
}
END_TEST

/* --- how long to wait ------------------------------------------------------------------------- */

/* A connection whose handshake took `rtt`, closed in order. */
static void measures(struct tcp_test *t, tlsyn_time rtt)
{
    expect_on(t);
    advance(t, rtt);
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    peer_sends(t, FIN(.ack = HELLO + 1));
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    advance(t, rtt);
    peer_takes_all(t);
    peer_sends(t, ACK());
    t->user.conn = NULL;
}

START_TEST(a_measured_peer_is_waited_for_three_round_trips) /* loop 2 */
{
    static const int64_t rtt[] = {60, 10}, wait[] = {180, 100}; /* ms */
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    measures(t, TLSYN_MS(rtt[_i]));
    expect_on(t);
    advance(t, TLSYN_MS(wait[_i] - 3));
    expect_nothing(t);
    advance(t, TLSYN_MS(6));
    ck_assert(!expect(t, SYN(.seq = 0))->options.has_fastopen);
    advance(t, TLSYN_MS(2 * wait[_i] - 6)); /* the next one: twice as long */
    expect_nothing(t);
    advance(t, TLSYN_MS(9));
    expect(t, SYN(.seq = 0));
    tcp_test_close(t);
}
END_TEST

/* --- the black hole --------------------------------------------------------------------------- */

START_TEST(what_is_swallowed_after_the_open_is_opened_anew)
{
    struct tcp_test *t = client();
    tcp_seq iss = t->iss;

    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    expect(t, ACK(.seq = HELLO + 1, .len = 50));
    tlsyn_time rto = info_of(t).rto;
    advance(t, rto + TLSYN_MS(2));
    while (t->sent_first < t->sent_end) /* a probe, and the first timeout */
        expect(t, ACK(.seq = HELLO + 1, .len = 50));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    advance(t, 2 * rto + TLSYN_MS(2));
    ck_assert_int_eq(t->user.error, -EAGAIN);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 1);
    expect(t, RSTACK(.seq = HELLO + 51));
    t->user.conn = NULL;
    advance(t, TLSYN_MS(1));
    expect_off(t, OFF);
    ck_assert_int_eq(info_of(t).off_by, TLSYN_EMBEDDING_BLACK_HOLE);
    ck_assert(t->iss != iss);
    tcp_test_close(t);
}
END_TEST

/* The request was in the SYN, the answer behind the SYN-ACK: only FINs are lost, and nobody has
 * anything to ask for again. */
START_TEST(where_all_was_said_and_heard_the_end_is_in_order)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_COOKIE);

    t->user.plan[USER_OPEN].write = HELLO;
    user_connects(t);
    expect(t, SYN(.len = HELLO));
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    expect(t, ACK(.seq = HELLO + 1, .ack = 501));
    peer_sends(t, FIN(.seq = 501, .ack = HELLO + 1, .len = 100));
    expect(t, ACK(.seq = HELLO + 1, .ack = 602));
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    for (int i = 0; i < 4; i++) {
        expect(t, FIN(.seq = HELLO + 1, .ack = 602));
        ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
        advance(t, TLSYN_SECONDS(1) << i);
    }
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 1);
    peer_sends(t, ACK(.seq = 602, .ack = HELLO + 2));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, 0);
    tcp_test_close(t);
}
END_TEST

/* Simulator seeds 169144, 176959: nobody would open anew, and the peer shall have the rest. */
START_TEST(what_was_left_behind_is_not_taken_back)
{
    struct tcp_test *t = client();

    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    expect(t, ACK(.seq = HELLO + 1, .len = 50));
    user_acts(&t->user, USER_RELEASES);
    flush(t);
    for (int i = 0; i < 5; i++)
        advance(t, TLSYN_SECONDS(1) << i);
    for (int i = t->sent_first; i < t->sent_end; i++)
        ck_assert(!(t->sent[i].segment.flags & TCP_RST));
    ignore_sent(t);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 1);
    peer_sends(t, ACK(.ack = HELLO + 52));
    peer_sends(t, FIN(.ack = HELLO + 52));
    tcp_test_close(t);
}
END_TEST

/* Who has nothing to say has no timer; the peer has, that of its SYN-ACK. */
START_TEST(a_peer_that_does_not_hear_us_asks_twice)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_COOKIE);

    t->user.plan[USER_OPEN].write = HELLO;
    user_connects(t);
    expect(t, SYN(.len = HELLO));
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
        expect(t, ACK(.seq = HELLO + 1, .ack = 501));
        peer_sends(t, SYNACK(.seq = 7, .ack = HELLO + 1)); /* somebody else's */
        ignore_sent(t);
        peer_sends(t, SYNACK(.seq = 0, .ack = HELLO + 1));
    }
    ck_assert_int_eq(t->user.error, -EAGAIN);
    t->user.conn = NULL;
    advance(t, TLSYN_MS(1));
    expect_off(t, OFF);
    ck_assert_int_eq(info_of(t).off_by, TLSYN_EMBEDDING_BLACK_HOLE);
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 612978: what the SYN brought is with the peer, so nothing is to be opened anew,
 * and nothing of ours is outstanding that would time out. */
START_TEST(a_peer_that_never_hears_us_is_waited_for_so_long)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_FASTOPEN);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK(.opt = WITH_COOKIE));
    user_begins_anew(t);
    t->user.plan[USER_OPEN].write = HELLO;
    user_connects(t);
    expect(t, SYN(.len = HELLO));
    peer_sends(t, SYNACK(.ack = HELLO + 1));
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
        expect(t, ACK(.seq = HELLO + 1, .ack = 1));
        advance(t, TLSYN_SECONDS(1) << i);
        peer_sends(t, SYNACK(.seq = 0, .ack = HELLO + 1));
    }
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    expect(t, RSTACK(.seq = HELLO + 1));
    tcp_test_close(t);
}
END_TEST

START_TEST(one_ack_after_the_open_is_proof)
{
    struct tcp_test *t = client();

    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    peer_sends(t, ACK(.ack = HELLO + 51));
    user_sends(t, 100);
    advance(t, TLSYN_SECONDS(5));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_TAKEN);
    expect_on(t);
    tcp_test_close(t);
}
END_TEST

/* What the server did not take, the path may dislike all the same. */
START_TEST(what_follows_text_that_was_not_taken_may_be_swallowed_too) /* loop 2 */
{
    struct tcp_test *t = client();

    peer_sends(t, SYNACK(.ack = 1, .opt = WITH_COOKIE));
    expect(t, ACK(.seq = 1, .len = HELLO + 50));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_COOKIE_GIVEN);
    for (int i = 0; i < 3; i++) /* of a network that doubles: it says nothing about our text */
        peer_sends(t, SYNACK(.seq = 0, .ack = 1, .opt = WITH_COOKIE));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    if (_i == 1)
        peer_sends(t, ACK(.ack = HELLO + 51));
    advance(t, TLSYN_SECONDS(1));
    advance(t, TLSYN_SECONDS(3));
    ck_assert_int_eq(t->user.error, _i == 1 ? 0 : -EAGAIN);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), _i == 1 ? 0 : 1);
    if (_i == 1) {
        expect_on(t);
    } else {
        t->user.conn = NULL;
        expect_off(t, OFF);
        ck_assert_int_eq(info_of(t).off_by, TLSYN_EMBEDDING_BLACK_HOLE);
    }
    tcp_test_close(t);
}
END_TEST

/* Where it is the bare SYN that was answered, what had text is blamed already, and what gets lost
 * later is not its fault. */
START_TEST(a_plain_open_waits_as_ever) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.level = _i ? TLSYN_LEVEL_NONE : TLSYN_LEVEL_COOKIE);

    if (_i == 0) {
        expect_on(t);
        advance(t, TLSYN_MS(1001));
        expect(t, SYN(.seq = 0));
    } else {
        t->user.plan[USER_OPEN].write = HELLO + 50;
        user_connects(t);
        expect(t, SYN());
    }
    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = HELLO + 50));
    for (int i = 0; i < 5; i++)
        advance(t, TLSYN_SECONDS(1) << i);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 0);
    tcp_test_close(t);
}
END_TEST

/* A SYN that is too long is not blamed, for the path's MTU is known now. But a box in front of the
 * narrow link has seen it. */
START_TEST(behind_too_long_a_syn_all_may_be_swallowed_too)
{
    struct tcp_test *t = client();

    peer_sends_unreachable(t, ICMP_TOO_BIG, 300, 0);
    expect(t, SYN(.seq = 0));
    peer_sends(t, SYNACK(.ack = 1));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_SYN_TOO_LONG);
    for (int i = 0; i < 2; i++)
        advance(t, TLSYN_SECONDS(1) << i);
    ck_assert_int_eq(t->user.error, -EAGAIN);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 1);
    t->user.conn = NULL;
    expect_off(t, OFF);
    ck_assert_int_eq(info_of(t).off_by, TLSYN_EMBEDDING_BLACK_HOLE);
    tcp_test_close(t);
}
END_TEST

/* Before a second timeout its user gives up: the next one shall fare better. */
START_TEST(an_impatient_users_black_hole_is_remembered)
{
    struct tcp_test *t = client();

    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    struct tlsyn_conn_options options;
    tlsyn_conn_get_options(t->user.conn, &options);
    options.user_timeout = 100;
    ck_assert_int_eq(tlsyn_conn_set_options(t->user.conn, &options), 0);
    advance(t, TLSYN_SECONDS(2));
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 1);
    t->user.conn = NULL;
    expect_off(t, OFF);
    ck_assert_int_eq(info_of(t).off_by, TLSYN_EMBEDDING_BLACK_HOLE);
    tcp_test_close(t);
}
END_TEST

/* Nobody but TCP keeps the bytes of who has no engine: they go on, and the memory helps the next
 * one. */
START_TEST(a_fast_open_without_engine_goes_on)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_FASTOPEN);

    user_connects(t);
    expect(t, SYN());
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_NO_COOKIE);
    peer_sends(t, SYNACK(.opt = WITH_COOKIE));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_COOKIE_GIVEN);
    expect_on(t);
    peer_sends(t, SYNACK(.ack = HELLO + 1));
    ignore_sent(t);
    ck_assert_int_eq(info_of(t).got, TLSYN_LEVEL_FASTOPEN);
    advance(t, TLSYN_SECONDS(3));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_BLACK_HOLE);
    expect_off(t, OFF);
    tcp_test_close(t);
}
END_TEST

/* The option alone, which asks for a cookie. */
START_TEST(a_path_may_dislike_the_option_alone)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_FASTOPEN);

    opens(t);
    ck_assert(expect(t, SYN())->options.has_fastopen);
    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = HELLO + 50));
    advance(t, TLSYN_SECONDS(1));
    advance(t, TLSYN_SECONDS(3));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 1);
    expect_off(t, OFF);
    tcp_test_close(t);
}
END_TEST

/* A server that speaks first has heard our ACK, if it did not take the SYN's text: what dies later
 * is no black hole. One that took it may not have. */
START_TEST(a_peer_that_speaks_behind_its_synack_hears_us) /* loop 4 */
{
    bool taken = _i & 1, fin = _i & 2;
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_COOKIE);

    t->user.plan[USER_OPEN].write = HELLO;
    user_connects(t);
    expect(t, SYN(.len = HELLO));
    peer_sends(t, SYNACK(.ack = taken ? HELLO + 1 : 1));
    if (fin)
        peer_sends(t, FIN(.ack = taken ? HELLO + 1 : 1));
    else
        peer_sends(t, ACK(.ack = taken ? HELLO + 1 : 1, .len = 100));
    user_sends(t, 100);
    advance(t, TLSYN_SECONDS(1));
    advance(t, TLSYN_SECONDS(3));
    ck_assert_int_eq(t->user.error, taken ? -EAGAIN : 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), taken ? 1 : 0);
    tcp_test_close(t);
}
END_TEST

/* But a server that takes a cookie may speak at once, even if the SYN had no text (RFC 7413 3). */
START_TEST(who_speaks_behind_a_cookie_may_not_have_heard_us)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_FASTOPEN);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK(.opt = WITH_COOKIE));
    user_begins_anew(t);
    user_connects(t);
    ck_assert_uint_eq(expect(t, SYN(.len = 0))->options.cookie_len, 8);
    peer_sends(t, SYNACK(.ack = 1));
    peer_sends(t, ACK(.ack = 1, .len = 100));
    user_sends(t, 100);
    advance(t, TLSYN_SECONDS(1));
    advance(t, TLSYN_SECONDS(3));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), 1);
    expect_off(t, OFF);
    tcp_test_close(t);
}
END_TEST

/* Nor is it one where the peer had all the time for its SYN-ACK, and did not send it again. */
START_TEST(who_is_not_asked_again_was_heard) /* loop 3 */
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_COOKIE);

    t->user.plan[USER_OPEN].write = HELLO;
    user_connects(t);
    expect(t, SYN(.len = HELLO));
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 100));
    advance(t, TLSYN_SECONDS(_i == 0 ? 9 : 11));
    if (_i == 2)
        peer_sends(t, SYNACK(.seq = 0, .ack = HELLO + 1));
    user_sends(t, 100);
    advance(t, TLSYN_SECONDS(1));
    advance(t, TLSYN_SECONDS(3));
    ck_assert_int_eq(t->user.error, _i == 1 ? 0 : -EAGAIN);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_blackhole), _i == 1 ? 0 : 1);
    tcp_test_close(t);
}
END_TEST

/* --- for how long ----------------------------------------------------------------------------- */

static void fails(struct tcp_test *t)
{
    expect_on(t);
    peer_sends(t, RSTACK(.seq = 0, .ack = HELLO + 1));
    expect(t, SYN(.seq = 0));
    peer_sends(t, SYNACK(.seq = 0, .ack = 1));
}

/* R7413-10 */
START_TEST(it_is_off_for_twice_as_long_after_each_failure_up_to_a_day_and_a_half)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);
    tlsyn_time off = OFF;

    for (int i = 0; i < 12; i++) {
        fails(t);
        expect_off(t, off);
        ck_assert_int_gt(info_of(t).off_for, off - TLSYN_SECONDS(1));
        advance(t, off - TLSYN_SECONDS(1));
        expect_off(t, TLSYN_SECONDS(1));
        advance(t, TLSYN_SECONDS(1));
        off = 2 * off < TLSYN_SECONDS(36 * 3600) ? 2 * off : TLSYN_SECONDS(36 * 3600);
    }
    ck_assert_int_eq(off, TLSYN_SECONDS(36 * 3600));
    tcp_test_close(t);
}
END_TEST

START_TEST(success_forgives)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    fails(t);
    advance(t, OFF);
    fails(t);
    advance(t, 2 * OFF);
    works(t);
    fails(t);
    expect_off(t, OFF);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_open_that_was_not_proved_forgives_nothing) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    fails(t);
    advance(t, OFF);
    expect_on(t);
    peer_sends(t, SYNACK(.ack = _i ? HELLO + 1 : 1, .len = 500));
    if (_i == 0) /* what was acknowledged was not in the SYN */
        peer_sends(t, ACK(.ack = HELLO + 51));
    fails(t);
    expect_off(t, 2 * OFF);
    ck_assert_int_gt(info_of(t).off_for, OFF);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_wants_no_memory_of_failures_has_none)
{
    struct tlsyn_limits limits = default_limits();

    limits.embed_off_min = 0;
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN, .limits = limits);
    fails(t);
    works(t);
    expect_on(t);
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    advance(t, TLSYN_SECONDS(5)); /* nor does it give up what seems to be swallowed */
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(one_peers_failure_is_not_anothers)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);
    struct tlsyn_connect_options other = {.level = TLSYN_LEVEL_OPEN};
    struct tlsyn_conn *conn;

    fails(t);
    other.remote = (struct tlsyn_endpoint){tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 77}), 443};
    user_acts(&t->user, USER_ABORTS);
    user_init(&t->user);
    t->user.plan[USER_OPEN].write = HELLO;
    ck_assert_int_eq(tlsyn_conn_open(t->stack, &other, &t->user.handler, &conn), 0);
    struct tlsyn_conn_info info;
    tlsyn_conn_info(conn, &info);
    ck_assert_int_eq(info.embedding, TLSYN_EMBEDDING_SENT);
    tlsyn_conn_release(conn);
    t->user.conn = NULL;
    tcp_test_close(t);
}
END_TEST

/* --- why not more ----------------------------------------------------------------------------- */

START_TEST(what_was_merely_not_taken_is_told_and_costs_nothing_the_next_time)
{
    struct tcp_test *t = client();

    peer_sends(t, SYNACK(.ack = 1));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_IGNORED);
    expect_on(t);
    peer_sends(t, SYNACK(.ack = 1, .opt = WITH_COOKIE));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_COOKIE_GIVEN);
    expect_on(t);
    ck_assert(info_of(t).cookie_used);
    peer_sends(t, SYNACK(.ack = 1));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_COOKIE_REFUSED);
    expect_on(t);
    ck_assert(!info_of(t).cookie_used); /* it was of no use */
    peer_sends(t, SYNACK(.ack = 101));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_PART);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_cookie_is_not_to_blame_for_a_loss)
{
    struct tcp_test *t = client();

    peer_sends(t, SYNACK(.ack = HELLO + 1, .opt = WITH_COOKIE));
    peer_sends(t, ACK(.ack = HELLO + 51));
    expect_on(t);
    ck_assert(info_of(t).cookie_used);
    advance(t, TLSYN_MS(1001));
    expect(t, SYN(.seq = 0));
    peer_sends(t, SYNACK(.ack = 1));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_SYN_DROPPED);
    advance(t, OFF);
    expect_on(t);
    ck_assert(info_of(t).cookie_used);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_cookie_gets_the_level_of_that_name)
{
    struct tcp_test *t = client();

    peer_sends(t, SYNACK(.ack = HELLO + 1, .opt = WITH_COOKIE));
    ck_assert_int_eq(info_of(t).got, TLSYN_LEVEL_OPEN);
    expect_on(t);
    peer_sends(t, SYNACK(.ack = HELLO + 1, .len = 500));
    ck_assert_int_eq(info_of(t).got, TLSYN_LEVEL_COOKIE);
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_TAKEN);
    tcp_test_close(t);
}
END_TEST

START_TEST(crossed_syns_are_told)
{
    struct tcp_test *t = client();

    peer_sends(t, SYN(.len = 200, .opt = {.mss = 1460, .has_fastopen = true}));
    expect(t, SYNACK(.seq = 0, .ack = 1));
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_CROSSED);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_has_nothing_to_send_is_told_so)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    user_connects(t);
    expect(t, SYN());
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_NOTHING);
    tcp_test_close(t);
    t = TCP_TEST(0);
    t->user.plan[USER_OPEN].write = HELLO;
    user_connects(t);
    expect(t, SYN());
    ck_assert_int_eq(embedding(t), TLSYN_EMBEDDING_NOT_ASKED);
    tcp_test_close(t);
}
END_TEST

START_TEST(each_outcome_has_its_words)
{
    for (int i = 0; i < TLSYN_EMBEDDINGS; i++)
        ck_assert_uint_gt(strlen(tlsyn_embedding_words((enum tlsyn_embedding)i)), 10);
    ck_assert_str_eq(tlsyn_embedding_words(TLSYN_EMBEDDINGS), "");
}
END_TEST

Suite *tcp_embed_suite(void);

Suite *tcp_embed_suite(void)
{
    Suite *s = suite_create("tcp_embed");
    TCase *retry = tcase_create("retry");
    TCase *memory = tcase_create("memory");
    TCase *reasons = tcase_create("reasons");

    tcase_add_test(retry, a_dropped_syn_is_remembered_once_a_plain_one_was_answered);
    tcase_add_test(retry, a_late_answer_is_no_failure);
    tcase_add_test(retry, a_dropped_answer_is_remembered);
    tcase_add_test(retry, a_peer_that_never_answers_is_tried_plain_the_next_time);
    tcase_add_test(retry, a_reset_is_remembered_only_if_the_plain_syn_fares_better);
    tcase_add_loop_test(retry, an_icmp_error_brings_a_plain_syn_at_once, 0, 3);
    tcase_add_test(retry, too_long_a_syn_costs_nothing_the_next_time);
    tcase_add_loop_test(retry, a_measured_peer_is_waited_for_three_round_trips, 0, 2);
    tcase_add_test(retry, what_is_swallowed_after_the_open_is_opened_anew);
    tcase_add_test(retry, where_all_was_said_and_heard_the_end_is_in_order);
    tcase_add_test(retry, what_was_left_behind_is_not_taken_back);
    tcase_add_test(retry, a_peer_that_does_not_hear_us_asks_twice);
    tcase_add_test(retry, a_peer_that_never_hears_us_is_waited_for_so_long);
    tcase_add_test(retry, one_ack_after_the_open_is_proof);
    tcase_add_loop_test(retry, a_peer_that_speaks_behind_its_synack_hears_us, 0, 4);
    tcase_add_test(retry, who_speaks_behind_a_cookie_may_not_have_heard_us);
    tcase_add_loop_test(retry, who_is_not_asked_again_was_heard, 0, 3);
    tcase_add_loop_test(retry, what_follows_text_that_was_not_taken_may_be_swallowed_too, 0, 2);
    tcase_add_loop_test(retry, a_plain_open_waits_as_ever, 0, 2);
    tcase_add_test(retry, behind_too_long_a_syn_all_may_be_swallowed_too);
    tcase_add_test(retry, an_impatient_users_black_hole_is_remembered);
    tcase_add_test(retry, a_path_may_dislike_the_option_alone);
    tcase_add_test(retry, a_fast_open_without_engine_goes_on);
    suite_add_tcase(s, retry);
    tcase_add_test(memory, it_is_off_for_twice_as_long_after_each_failure_up_to_a_day_and_a_half);
    tcase_add_test(memory, success_forgives);
    tcase_add_loop_test(memory, an_open_that_was_not_proved_forgives_nothing, 0, 2);
    tcase_add_test(memory, who_wants_no_memory_of_failures_has_none);
    tcase_add_test(memory, one_peers_failure_is_not_anothers);
    suite_add_tcase(s, memory);
    tcase_add_test(reasons, what_was_merely_not_taken_is_told_and_costs_nothing_the_next_time);
    tcase_add_test(reasons, a_cookie_is_not_to_blame_for_a_loss);
    tcase_add_test(reasons, a_cookie_gets_the_level_of_that_name);
    tcase_add_test(reasons, crossed_syns_are_told);
    tcase_add_test(reasons, who_has_nothing_to_send_is_told_so);
    tcase_add_test(reasons, each_outcome_has_its_words);
    suite_add_tcase(s, reasons);
    return s;
}
