/*
 * Text that leaves from where its user keeps it.
 */
#include <stdlib.h>

#include "support/bulk.h"
#include "support/peer.h"
#include "support/world.h"

#define LEN 40000u

static const struct tlsyn_link_caps cutting = {.mtu = 1500, .gso_max = 65000, .csum = true};

static struct tcp_test *established(struct tlsyn_link_caps caps)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 3},
                                  .conn = {.snd_ring = 1 << 20}, .caps = caps);

    opens_passively(t);
    return t;
}

static void lends(struct tcp_test *t, const uint8_t *bytes, size_t n)
{
    ck_assert_int_eq(tlsyn_conn_lend(t->user.conn, bytes, n), (ssize_t)n);
    t->user.written += n;
}

/* Acknowledges all that was sent until nothing comes any more. */
static void takes_everything(struct tcp_test *t)
{
    while (peer_takes_all(t) > 0)
        peer_sends(t, ACK());
    ck_assert_int_eq(t->peer_rcv, (int64_t)t->user.written + 1);
}

START_TEST(it_is_read_when_it_leaves_and_not_before)
{
    struct tcp_test *t = established(_i ? cutting : (struct tlsyn_link_caps){0});
    uint8_t *bytes = calloc(1, LEN);

    lends(t, bytes, LEN);
    bulk_fill(bytes, LEN, 0);
    flush(t);
    takes_everything(t);
    free(bytes);
    tcp_test_close(t);
}
END_TEST

START_TEST(it_is_read_again_when_it_is_lost)
{
    struct tcp_test *t = established(cutting);
    uint8_t *bytes = calloc(1, LEN);

    lends(t, bytes, LEN);
    flush(t);
    ck_assert_int_gt(ignore_sent(t), 0);
    bulk_fill(bytes, LEN, 0);
    advance(t, TLSYN_SECONDS(2));
    takes_everything(t);
    free(bytes);
    tcp_test_close(t);
}
END_TEST

START_TEST(it_is_the_users_again_once_acknowledged)
{
    struct tcp_test *t = established(cutting);
    uint8_t *bytes = malloc(LEN);

    bulk_fill(bytes, LEN, 0);
    lends(t, bytes, LEN);
    flush(t);
    ck_assert_int_gt(peer_takes_all(t), 0);
    peer_sends(t, ACK());
    ck_assert_uint_gt(t->user.acked, 0);
    memset(bytes, 0, (size_t)t->user.acked);
    takes_everything(t);
    ck_assert_uint_eq(t->user.acked, LEN);
    free(bytes); /* a later look would be a use after free */
    user_sends(t, 5000);
    takes_everything(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(small_pieces_are_copied)
{
    struct tcp_test *t = established(cutting);
    uint8_t *bytes = malloc(1000);

    bulk_fill(bytes, 1000, 0);
    lends(t, bytes, 1000);
    free(bytes);
    flush(t);
    takes_everything(t);
    tcp_test_close(t);
}
END_TEST

/* A frame has room for two parts; here the first train of ten segments meets three, four or five.
 *  */
START_TEST(a_train_of_many_parts_is_right)
{
    struct tcp_test *t = established(cutting);
    size_t small = _i ? 200 : 7000;
    uint8_t *bytes = malloc(2 * LEN);

    user_writes(&t->user, small);
    bulk_fill(bytes, LEN, small);
    lends(t, bytes, 16384);
    user_writes(&t->user, small);
    bulk_fill(bytes + LEN, LEN, t->user.written);
    lends(t, bytes + LEN, LEN);
    user_sends(t, small);
    takes_everything(t);
    free(bytes);
    tcp_test_close(t);
}
END_TEST

START_TEST(very_many_pieces_are_copied_from_some_point_on)
{
    struct tcp_test *t = established(cutting);
    uint8_t *bytes = malloc(40 * 17000); /* with gaps: what touches would be one piece */

    for (size_t i = 0; i < 40; i++) {
        bulk_fill(bytes + i * 17000, 16384, t->user.written);
        lends(t, bytes + i * 17000, 16384);
    }
    flush(t);
    takes_everything(t);
    free(bytes);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_leaves_takes_the_memory_along)
{
    struct tcp_test *t = established(cutting);
    uint8_t *bytes = malloc(LEN);

    bulk_fill(bytes, LEN, 0);
    lends(t, bytes, LEN);
    user_acts(&t->user, USER_RELEASES);
    free(bytes);
    flush(t);
    while (peer_takes_all(t) > 0)
        peer_sends(t, ACK());
    ck_assert_int_ge(t->peer_rcv, (int64_t)LEN + 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(whole_streams_arrive_over_a_bad_path)
{
    enum { BYTES = 3 << 20 };
    static struct world w;
    struct tlsyn_impairment bad = {.delay = TLSYN_MS(3), .loss = 0.01, .reorder = 0.01};
    struct bulk client, server;
    struct tlsyn_listen_options listen = {.local = {.port = 443}};
    struct tlsyn_connect_options connect = {.remote = {.port = 443}};
    struct tlsyn_listener *listener;

    world_open(&w, &(struct world_options){.seed = (uint64_t)_i,
                                           .to_server = bad,
                                           .to_client = bad,
                                           .caps = _i % 2 ? cutting : (struct tlsyn_link_caps){0}});
    bulk_init(&client, BYTES, 0);
    bulk_init(&server, 0, BYTES);
    client.lends = malloc(BYTES);
    bulk_fill(client.lends, BYTES, 0);
    ck_assert_int_eq(
        tlsyn_listener_open(w.host[WORLD_SERVER].stack, &listen, &server.acceptor, &listener), 0);
    connect.remote.addr = w.host[WORLD_SERVER].addr;
    ck_assert_int_eq(
        tlsyn_conn_open(w.host[WORLD_CLIENT].stack, &connect, &client.handler, &client.conn), 0);
    ck_assert(world_run(&w, TLSYN_SECONDS(300), &server.ended));
    ck_assert_uint_eq(server.received, BYTES);
    free(client.lends);
    client.lends = NULL;
    world_close(&w);
}
END_TEST

Suite *tcp_lend_suite(void);

Suite *tcp_lend_suite(void)
{
    Suite *suite = suite_create("tcp_lend");
    TCase *tests = tcase_create("tcp_lend");

    tcase_add_loop_test(tests, it_is_read_when_it_leaves_and_not_before, 0, 2);
    tcase_add_test(tests, it_is_read_again_when_it_is_lost);
    tcase_add_test(tests, it_is_the_users_again_once_acknowledged);
    tcase_add_test(tests, small_pieces_are_copied);
    tcase_add_loop_test(tests, a_train_of_many_parts_is_right, 0, 2);
    tcase_add_test(tests, very_many_pieces_are_copied_from_some_point_on);
    tcase_add_test(tests, who_leaves_takes_the_memory_along);
    tcase_add_loop_test(tests, whole_streams_arrive_over_a_bad_path, 0, 6);
    suite_add_tcase(suite, tests);
    return suite;
}
