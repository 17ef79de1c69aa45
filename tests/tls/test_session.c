/* An established session: bytes both ways in any number, the end of the stream, a reader that
 * takes its time, sessions freed at awkward moments, records damaged on the way. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

static void make_certificates(void)
{
    certs_get();
}

static void check_received(const struct user *u, const uint8_t *bytes, size_t n)
{
    ck_assert_uint_eq(u->in_len, n);
    if (n > 0)
        ck_assert_mem_eq(u->in, bytes, n);
}

START_TEST(bytes_go_both_ways_whatever_their_number)
{
    static const size_t sizes[] = {0, 1, 2, 1000, 16383, 16384, 16385, 70000};
    static const size_t wires[][2] = {{64, 64}, {700, 13}, {5000, 1460}, {65536, 65536}};
    static const enum tlsyn_tls_suite suites[] = {TLSYN_TLS_12_RSA, TLSYN_TLS_12_ECDHE,
                                                  TLSYN_TLS_13};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t w = 0; w < 4; w++) {
            struct setup s = {.suite = suites[_i], .ring = wires[w][0], .chunk = wires[w][1]};
            size_t n = sizes[i], m = sizes[(i + 3) % 8];
            uint8_t *there = pattern(n, 1), *back = pattern(m, 2);
            struct pair p;

            pair_init(&p, &s);
            p.client.out = there;
            p.client.out_len = n;
            p.server.out = back;
            p.server.out_len = m;
            p.client.close_when_sent = p.server.close_when_sent = true;
            pair_run(&p);
            check_received(&p.server, there, n);
            check_received(&p.client, back, m);
            ck_assert_int_eq(p.client.last_read, 0);
            ck_assert_int_eq(p.server.last_read, 0);
            ck_assert_int_eq(p.client.closed, 1);
            ck_assert_int_eq(p.client.closed_error, 0);
            ck_assert_int_eq(p.server.closed_error, 0);
            ck_assert_int_eq(p.wire.end[0].resets_sent + p.wire.end[1].resets_sent, 0);
            pair_fini(&p);
            free(there);
            free(back);
        }
    }
}
END_TEST

START_TEST(small_reads_empty_a_large_record)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    uint8_t *bytes = pattern(20000, 3);
    struct pair p;

    /* Nothing arrives behind the last record: what a read leaves inside mbedTLS must come with
     * the next. */
    pair_init(&p, &s);
    p.client.out = bytes;
    p.client.out_len = 20000;
    p.server.read_size = 7;
    pair_run(&p);
    check_received(&p.server, bytes, 20000);
    ck_assert_int_eq(p.server.last_read, -EAGAIN);
    pair_fini(&p);
    free(bytes);
}
END_TEST

START_TEST(a_reader_at_rest_stops_the_writer)
{
    struct setup s = {.suite = TLSYN_TLS_13, .ring = 4096, .chunk = 1460};
    uint8_t *bytes = pattern(100000, 4), piece[3000];
    size_t got = 0, held;
    bool still;
    ssize_t n;
    struct pair p;

    pair_init(&p, &s);
    p.client.out = bytes;
    p.client.out_len = 100000;
    p.server.paused = true;
    pair_run(&p);
    held = p.client.out_done;
    ck_assert_uint_lt(held, 3 * 16384 + 2 * 4096);
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "x", 1), -EAGAIN);
    ck_assert_int_gt(p.server.data_events, 0);
    do {
        uint64_t moved = p.wire.moved[0];

        n = tlsyn_tls_read(p.server.tls, piece, sizeof(piece));
        if (n > 0) {
            ck_assert_mem_eq(piece, bytes + got, (size_t)n);
            got += (size_t)n;
        }
        wire_run(&p.wire);
        still = n <= 0 && p.wire.moved[0] == moved;
    } while (!still);
    ck_assert_int_eq(n, -EAGAIN);
    ck_assert_uint_eq(got, 100000);
    pair_fini(&p);
    free(bytes);
}
END_TEST

START_TEST(one_direction_may_end_before_the_other)
{
    struct setup s = {.suite = TLSYN_TLS_13, .ring = 2000, .chunk = 500};
    uint8_t *bytes = pattern(50000, 5);
    struct pair p;

    pair_init(&p, &s);
    p.client.out = (const uint8_t *)"all";
    p.client.out_len = 3;
    p.client.close_when_sent = true;
    p.server.out = bytes;
    p.server.out_len = 50000;
    pair_run(&p);
    ck_assert_int_eq(p.server.last_read, 0);
    ck_assert_int_eq(p.client.closed, 0);
    check_received(&p.client, bytes, 50000);
    tlsyn_tls_close(p.server.tls);
    wire_run(&p.wire);
    ck_assert_int_eq(p.client.last_read, 0);
    ck_assert_int_eq(p.client.closed_error, 0);
    ck_assert_int_eq(p.server.closed_error, 0);
    ck_assert_int_eq(p.client.closed, 1);
    ck_assert_int_eq(p.server.closed, 1);
    pair_fini(&p);
    free(bytes);
}
END_TEST

START_TEST(an_end_without_close_notify_is_a_truncation)
{
    struct setup s = {.suite = TLSYN_TLS_12_ECDHE};
    uint8_t byte;
    struct pair p;

    pair_init(&p, &s);
    p.server.out = (const uint8_t *)"half";
    p.server.out_len = 4;
    pair_run(&p);
    tlsyn_conn_close(&p.wire.end[1]);
    wire_run(&p.wire);
    check_received(&p.client, (const uint8_t *)"half", 4);
    ck_assert_int_eq(p.client.last_read, -ECONNRESET);
    ck_assert_int_eq(p.client.closed, 0);
    ck_assert_int_eq(tlsyn_tls_read(p.client.tls, &byte, 1), -ECONNRESET);
    pair_fini(&p);
}
END_TEST

START_TEST(calls_out_of_order_say_so)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    uint8_t byte;
    struct pair p;

    pair_init(&p, &s);
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "x", 1), -EAGAIN);
    ck_assert_int_eq(tlsyn_tls_read(p.client.tls, &byte, 1), -EAGAIN);
    ck_assert_int_eq(tlsyn_tls_peer(p.client.tls, (char *)&byte, 1), -ENODATA);
    p.client.keep = true;
    pair_run(&p);
    ck_assert_int_eq(tlsyn_tls_read(p.client.tls, &byte, 0), -EINVAL);
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "x", 0), 0);
    tlsyn_tls_close(p.client.tls);
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "x", 1), -EPIPE);
    tlsyn_tls_close(p.client.tls);
    tlsyn_tls_close(p.server.tls);
    wire_run(&p.wire);
    ck_assert_int_eq(p.client.closed, 1);
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "x", 1), -EPIPE);
    ck_assert_int_eq(tlsyn_tls_read(p.client.tls, &byte, 1), 0);
    pair_fini(&p);
}
END_TEST

START_TEST(closing_before_the_handshake_is_over_aborts)
{
    struct setup s = {.suite = TLSYN_TLS_12_ECDHE};
    struct pair p;

    pair_init(&p, &s);
    wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base);
    tlsyn_tls_close(p.client.tls);
    wire_run(&p.wire);
    ck_assert_int_eq(p.client.closed_error, -ECONNABORTED);
    ck_assert_int_eq(p.server.closed_error, -ECONNRESET);
    ck_assert_int_eq(p.client.established, 0);
    pair_fini(&p);
}
END_TEST

START_TEST(a_session_freed_inside_its_event_aborts)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    p.client.out = (const uint8_t *)"die";
    p.client.out_len = 3;
    p.server.free_on_data = true;
    pair_run(&p);
    ck_assert_ptr_null(p.server.tls);
    ck_assert_int_eq(p.server.data_events, 1);
    ck_assert_int_eq(p.server.closed, 0);
    ck_assert_int_eq(p.wire.end[1].closed_events, 1);
    ck_assert_int_eq(p.client.closed_error, -ECONNRESET);
    pair_fini(&p);
}
END_TEST

START_TEST(a_session_freed_outside_its_events_aborts)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    tlsyn_tls_free(p.client.tls);
    p.client.tls = NULL;
    wire_run(&p.wire);
    ck_assert_int_eq(p.client.closed, 0);
    ck_assert_int_eq(p.server.closed_error, -ECONNRESET);
    pair_fini(&p);
}
END_TEST

START_TEST(a_session_never_opened_can_be_freed)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    tlsyn_tls_free(p.client.tls);
    p.client.tls = NULL;
    tlsyn_tls_free(NULL);
    tlsyn_tls_config_free(NULL);
    pair_fini(&p);
}
END_TEST

static void damage_what_the_client_sends_next(struct pair *p)
{
    p->wire.flip = true;
    p->wire.flip_from = 0;
    p->wire.flip_at = p->wire.moved[0] + 10;
    p->wire.flip_bits = 0x10;
}

START_TEST(a_damaged_record_ends_the_session_with_an_alert)
{
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE};
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    damage_what_the_client_sends_next(&p);
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "precious", 8), 8);
    wire_run(&p.wire);
    ck_assert_uint_eq(p.server.in_len, 0);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.server.error, "damaged or forged"));
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "bad_record_mac (20)"));
    pair_fini(&p);
}
END_TEST

START_TEST(a_read_outside_the_events_can_end_the_session)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    uint8_t byte;
    struct pair p;

    pair_init(&p, &s);
    p.server.paused = true;
    pair_run(&p);
    /* The first record waits, opened, for a reader; the damaged one lies behind it. */
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "a", 1), 1);
    wire_run(&p.wire);
    damage_what_the_client_sends_next(&p);
    ck_assert_int_eq(tlsyn_tls_write(p.client.tls, "b", 1), 1);
    wire_run(&p.wire);
    ck_assert_int_eq(p.server.closed, 0);
    ck_assert_int_eq(tlsyn_tls_read(p.server.tls, &byte, 1), 1);
    ck_assert_int_eq(tlsyn_tls_read(p.server.tls, &byte, 1), -EPROTO);
    ck_assert_int_eq(p.server.closed, 1);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_ptr_null(p.server.tls);
    pair_fini(&p);
}
END_TEST

START_TEST(a_reset_is_passed_on)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    tlsyn_conn_abort(&p.wire.end[1], 0);
    wire_run(&p.wire);
    ck_assert_int_eq(p.server.closed_error, -ECONNABORTED);
    ck_assert_int_eq(p.client.closed_error, -ECONNRESET);
    ck_assert_str_eq(p.client.error, "");
    pair_fini(&p);
}
END_TEST

START_TEST(the_peer_can_be_shown)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    char text[2048];
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_gt(tlsyn_tls_peer(p.client.tls, text, sizeof(text)), 100);
    ck_assert_ptr_nonnull(strstr(text, "CN=leaf"));
    ck_assert_ptr_nonnull(strstr(text, "CN=Test CA, O=tlsyn"));
    ck_assert_ptr_nonnull(strstr(text, "*.wild.test"));
    ck_assert_int_eq(tlsyn_tls_peer(p.client.tls, text, 10), -ENOSPC);
    ck_assert_int_eq(tlsyn_tls_peer(p.server.tls, text, sizeof(text)), -ENODATA);
    pair_fini(&p);
}
END_TEST

Suite *session_suite(void);

Suite *session_suite(void)
{
    Suite *s = suite_create("session");
    TCase *t = tcase_create("session");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, bytes_go_both_ways_whatever_their_number, 0, 3);
    tcase_add_test(t, small_reads_empty_a_large_record);
    tcase_add_test(t, a_reader_at_rest_stops_the_writer);
    tcase_add_test(t, one_direction_may_end_before_the_other);
    tcase_add_test(t, an_end_without_close_notify_is_a_truncation);
    tcase_add_test(t, calls_out_of_order_say_so);
    tcase_add_test(t, closing_before_the_handshake_is_over_aborts);
    tcase_add_test(t, a_session_freed_inside_its_event_aborts);
    tcase_add_test(t, a_session_freed_outside_its_events_aborts);
    tcase_add_test(t, a_session_never_opened_can_be_freed);
    tcase_add_loop_test(t, a_damaged_record_ends_the_session_with_an_alert, 0, 2);
    tcase_add_test(t, a_read_outside_the_events_can_end_the_session);
    tcase_add_test(t, a_reset_is_passed_on);
    tcase_add_test(t, the_peer_can_be_shown);
    suite_add_tcase(s, t);
    return s;
}
