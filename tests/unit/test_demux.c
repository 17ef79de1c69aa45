/*
 * Who gets a segment, and which port an open is given.
 */
#include "support/peer.h"
#include "tcp/demux.h"

START_TEST(a_connection_is_found_by_all_four)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_endpoint us, peer;

    opens_passively(t);
    us = t->user.conn->local;
    peer = t->user.conn->remote;
    ck_assert_ptr_eq(demux_find(t->tcp, &us, &peer), t->user.conn);
    peer.port++;
    ck_assert_ptr_null(demux_find(t->tcp, &us, &peer));
    peer.port--;
    us.addr.byte[15]++;
    ck_assert_ptr_null(demux_find(t->tcp, &us, &peer));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_listener_with_an_address_goes_before_one_without)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_endpoint at = {tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 1}), LISTEN_PORT};
    struct tlsyn_listen_options listen = {.local = at};
    struct tlsyn_listener *exact;

    ck_assert_ptr_eq(demux_listener(t->tcp, &at, NULL), t->listener);
    ck_assert_int_eq(tlsyn_listener_open(t->stack, &listen, &t->user.acceptor, &exact), 0);
    ck_assert_ptr_eq(demux_listener(t->tcp, &at, NULL), exact);
    at.addr.byte[15] = 9;
    ck_assert_ptr_eq(demux_listener(t->tcp, &at, NULL), t->listener);
    at.port = 1;
    ck_assert_ptr_null(demux_listener(t->tcp, &at, NULL));
    tcp_test_close(t);
}
END_TEST

/* RFC 6056 (R6528-4) */
START_TEST(ports_are_chosen_at_random_among_the_free_dynamic_ones)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_endpoint us = {tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 1}), 0};
    struct tlsyn_endpoint peer = {tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2}), 80};
    uint16_t first = demux_choose_port(t->tcp, &us, &peer);
    int neighbours = 0;

    for (int i = 0; i < 100; i++) {
        uint16_t port = demux_choose_port(t->tcp, &us, &peer);
        ck_assert_uint_ge(port, 49152);
        neighbours += port == (uint16_t)(first + i + 1);
    }
    ck_assert_int_lt(neighbours, 5);
    tcp_test_close(t);
}
END_TEST

Suite *demux_suite(void);

Suite *demux_suite(void)
{
    Suite *s = suite_create("demux");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_connection_is_found_by_all_four);
    tcase_add_test(all, a_listener_with_an_address_goes_before_one_without);
    tcase_add_test(all, ports_are_chosen_at_random_among_the_free_dynamic_ones);
    suite_add_tcase(s, all);
    return s;
}
