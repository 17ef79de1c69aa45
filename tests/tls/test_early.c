/* Early data in the SYN, its answer behind the server's Finished, and what becomes of both when
 * things go wrong. RFC 8446 2.3, 4.2.10, 8. */
#include <check.h>
#include <errno.h>
#include <mbedtls/platform.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "nonces.h"
#include "pair.h"

#define EARLY 4000

static const uint8_t request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
#define REQUEST (sizeof(request) - 1)

static void make_certificates(void)
{
    certs_get();
}

static const struct setup usual = {.suite = TLSYN_TLS_13,
                                   .tickets = 1,
                                   .client_sessions = 64,
                                   .early_data = EARLY,
                                   .keylog = true};

/* A first visit, which brings a ticket; then the second one is prepared. */
static void meet(struct pair *p, const struct setup *s)
{
    pair_init(p, s);
    pair_run(p);
    ck_assert_int_eq(p->client.established, 1);
    pair_again(p, NULL);
    p->client.early = p->server.takes_early = true;
    p->client.out = request;
    p->client.out_len = REQUEST;
}

static uint64_t counted(const struct pair *p, enum tlsyn_counter c)
{
    return p->wire.stack.counter[c];
}

static void check_request_arrived_once(const struct pair *p)
{
    ck_assert_uint_eq(p->server.in_len, REQUEST);
    ck_assert_mem_eq(p->server.in, request, REQUEST);
}

/* --- what it is for --------------------------------------------------------------------------- */

START_TEST(an_answer_comes_after_one_round_trip)
{
    uint8_t *answer = pattern(600, 1);
    struct setup s = usual;
    struct pair p;

    s.suite = _i == 0 ? TLSYN_TLS_13 : TLSYN_TLS_ANY;
    meet(&p, &s);
    p.server.out = answer;
    p.server.out_len = 600;
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    /* SYN, SYN-ACK, and the client's ACK has not arrived yet. */
    check_request_arrived_once(&p);
    ck_assert_uint_eq(p.server.early_len, REQUEST);
    ck_assert_int_eq(p.server.established, 0);
    ck_assert_uint_eq(p.client.in_len, 600);
    ck_assert_mem_eq(p.client.in, answer, 600);
    wire_run(&p.wire);
    ck_assert_int_eq(p.server.established, 1);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_ACCEPTED);
    ck_assert_uint_eq(p.client.info.early_bytes, REQUEST);
    ck_assert_int_eq(p.server.info.early, TLSYN_TLS_EARLY_ACCEPTED);
    ck_assert_uint_eq(p.server.info.early_bytes, REQUEST);
    ck_assert_uint_eq(counted(&p, TLSYN_COUNT_tls_early_accepted), 1);
    check_request_arrived_once(&p);
    pair_fini(&p);
    free(answer);
}
END_TEST

START_TEST(a_first_visit_has_no_early_data)
{
    struct pair p;

    pair_init(&p, &usual);
    p.client.early = p.server.takes_early = true;
    p.client.out = request;
    p.client.out_len = REQUEST;
    pair_run(&p);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_NONE);
    ck_assert_uint_eq(p.server.early_len, 0);
    check_request_arrived_once(&p);
    pair_fini(&p);
}
END_TEST

/* Who writes nothing in on_open has offered nothing. */
START_TEST(a_client_that_wants_none_says_nothing_of_it)
{
    struct pair p;

    meet(&p, &usual);
    p.client.early = false;
    pair_run(&p);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_NONE);
    ck_assert_int_eq(p.server.info.early, TLSYN_TLS_EARLY_NONE);
    ck_assert_int_eq(p.server.info.session, TLSYN_TLS_PSK);
    ck_assert_uint_eq(counted(&p, TLSYN_COUNT_tls_early_accepted), 0);
    check_request_arrived_once(&p);
    pair_fini(&p);
}
END_TEST

/* Whatever the rings and segments, and however long the answer. */
START_TEST(bytes_go_both_ways_whatever_their_number)
{
    static const size_t wires[][2] = {{700, 13}, {2000, 1460}, {65536, 65536}};
    static const size_t answers[] = {0, 1, 1000, 16385, 70000};

    for (size_t w = 0; w < 3; w++) {
        for (size_t a = 0; a < 5; a++) {
            struct setup s = usual;
            uint8_t *answer = pattern(answers[a], 2);
            struct pair p;

            s.ring = wires[w][0];
            s.chunk = wires[w][1];
            s.sequential = _i == 1;
            meet(&p, &s);
            p.server.out = answer;
            p.server.out_len = answers[a];
            p.server.close_when_sent = p.client.close_when_ended = true;
            pair_run(&p);
            check_request_arrived_once(&p);
            ck_assert_uint_eq(p.client.in_len, answers[a]);
            if (answers[a] > 0)
                ck_assert_mem_eq(p.client.in, answer, answers[a]);
            ck_assert_int_eq(p.client.last_read, 0);
            ck_assert_int_eq(p.client.closed_error, 0);
            ck_assert_int_eq(p.server.closed_error, 0);
            (void)nonces_check(&p);
            pair_fini(&p);
            free(answer);
        }
    }
}
END_TEST

/* All of the first flight rides in the SYN, so early data is cut to what is left of it. */
START_TEST(early_data_fits_into_the_syn)
{
    uint8_t *bytes = pattern(3000, 3);
    struct pair p;

    meet(&p, &usual);
    p.wire.syn_room = 1200;
    p.client.out = bytes;
    p.client.out_len = 3000;
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    ck_assert_uint_le(p.wire.syn_text, 1200);
    ck_assert_uint_gt(p.wire.syn_text, 1200 - 16); /* mbedTLS rounds up */
    ck_assert_uint_gt(p.server.early_len, 300);
    ck_assert_uint_eq(p.server.early_len, p.client.info.early_bytes); /* all was in the SYN */
    wire_run(&p.wire);
    ck_assert_uint_eq(p.server.in_len, 3000);
    ck_assert_mem_eq(p.server.in, bytes, 3000);
    pair_fini(&p);
    free(bytes);
}
END_TEST

START_TEST(no_more_is_written_than_the_ticket_allows)
{
    uint8_t *bytes = pattern(10000, 4);
    struct pair p;

    meet(&p, &usual);
    p.client.out = bytes;
    p.client.out_len = 10000;
    pair_run(&p);
    ck_assert_uint_eq(p.client.info.early_bytes, EARLY);
    ck_assert_uint_eq(p.server.early_len, EARLY);
    ck_assert_uint_eq(p.server.in_len, 10000);
    ck_assert_mem_eq(p.server.in, bytes, 10000);
    pair_fini(&p);
    free(bytes);
}
END_TEST

/* Early data that nobody reads holds the handshake up, and nothing else. */
START_TEST(a_reader_may_take_its_time)
{
    uint8_t piece[10];
    size_t got = 0;
    ssize_t n;
    struct pair p;

    meet(&p, &usual);
    p.server.paused = true;
    pair_run(&p);
    ck_assert_int_gt(p.server.data_events, 0);
    ck_assert_int_eq(p.server.established, 0);
    ck_assert_uint_eq(tlsyn_tls_pending(p.server.tls), REQUEST);
    while ((n = tlsyn_tls_read(p.server.tls, piece, sizeof(piece))) > 0) {
        ck_assert_mem_eq(piece, request + got, (size_t)n);
        got += (size_t)n;
    }
    ck_assert_int_eq(n, -EAGAIN);
    ck_assert_uint_eq(got, REQUEST);
    ck_assert_int_eq(p.server.established, 1);
    pair_fini(&p);
}
END_TEST

START_TEST(the_session_may_be_freed_inside_early_data)
{
    struct pair p;

    meet(&p, &usual);
    p.server.free_on_data = true;
    pair_run(&p);
    ck_assert_ptr_null(p.server.tls);
    ck_assert_int_eq(p.client.closed, 1);
    pair_fini(&p);
}
END_TEST

/* --- one nonce, one record -------------------------------------------------------------------- */

/* Data before the handshake's end, tickets and data behind it, close_notify. */
START_TEST(numbers_go_on_when_mbedtls_takes_over)
{
    uint8_t *answer = pattern(40000, 5);
    struct nonces n;
    struct pair p;

    meet(&p, &usual);
    p.wire.chunk = 1000;
    p.server.out = answer;
    p.server.out_len = 40000;
    pair_run(&p);
    ck_assert_uint_ge(nonces_check(&p).records, 3 + 1);
    ck_assert_ptr_nonnull(p.server.tls);
    ck_assert_int_eq(tlsyn_tls_write(p.server.tls, "more", 4), 4);
    tlsyn_tls_close(p.server.tls);
    wire_run(&p.wire);
    n = nonces_check(&p);
    ck_assert_uint_eq(n.data, 40004);
    ck_assert_uint_ge(n.records, 3 + 1 + 1 + 1); /* ticket, data, data, close_notify */
    ck_assert_int_eq(n.alert, 0);
    ck_assert_uint_eq(p.client.in_len, 40004);
    pair_fini(&p);
    free(answer);
}
END_TEST

/* The client's Finished is damaged when the answer has left already: the alert follows under
 * the keys that the client reads with by then, and with the next number. */
START_TEST(an_alert_behind_the_answer_has_the_next_number)
{
    uint8_t *answer = pattern(5000, 6);
    struct nonces n;
    struct pair p;

    meet(&p, &usual);
    p.server.out = answer;
    p.server.out_len = 5000;
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    p.wire.flip = true;
    p.wire.flip_from = 0;
    p.wire.flip_at = p.wire.moved[0] + (uint64_t)(_i == 0 ? 10 : 60); /* EndOfEarlyData, Finished */
    p.wire.flip_bits = 1;
    wire_run(&p.wire);
    ck_assert_int_eq(p.server.closed, 1);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    n = nonces_check(&p);
    ck_assert_uint_eq(n.data, 5000);
    ck_assert_uint_eq(n.records, 1 + 1 + 1); /* a ticket, the answer, the alert */
    ck_assert_int_eq(n.alert, 20);           /* bad_record_mac */
    ck_assert_int_eq(p.client.closed, 1);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "record"));
    pair_fini(&p);
    free(answer);
}
END_TEST

/* --- rejected --------------------------------------------------------------------------------- */

START_TEST(a_ticket_of_before_a_restart_leads_to_a_full_handshake)
{
    struct pair p;

    meet(&p, &usual);
    pair_restart_server(&p, &usual);
    p.server.takes_early = true;
    pair_run(&p);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_REJECTED);
    ck_assert_int_eq(p.client.info.session, TLSYN_TLS_NEW);
    ck_assert(p.client.info.verified);
    ck_assert_uint_eq(p.server.early_len, 0);
    ck_assert_uint_eq(counted(&p, TLSYN_COUNT_tls_early_refused), 1);
    check_request_arrived_once(&p);
    pair_fini(&p);
}
END_TEST

/* As large as a ticket allows, to a server that allows none: it passes over all of it. */
START_TEST(a_server_without_early_data_passes_it_over)
{
    uint8_t *bytes = pattern(16384, 7);
    struct setup s = usual, none;
    struct pair p;

    s.early_data = 16384;
    none = s;
    none.no_server_early = true;
    meet(&p, &s);
    pair_restart_server(&p, &none);
    p.client.out = bytes;
    p.client.out_len = 16384;
    pair_run(&p);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_REJECTED);
    ck_assert_uint_eq(p.client.info.early_bytes, 16384);
    ck_assert_uint_eq(p.server.in_len, 16384);
    ck_assert_mem_eq(p.server.in, bytes, 16384);
    pair_fini(&p);
    free(bytes);
}
END_TEST

/* RFC 8446 4.2.10: the PSK counts, early data for another protocol does not. */
START_TEST(another_protocol_has_no_early_data)
{
    static const char *const both[] = {"h2", "http/1.1", NULL};
    static const char *const old[] = {"http/1.1", NULL}, *const young[] = {"h2", NULL};
    struct setup s = usual;
    struct pair p;

    s.client_alpn = both;
    s.server_alpn = old;
    meet(&p, &s);
    ck_assert_int_eq(
        mbedtls_ssl_conf_alpn_protocols(&p.server_config->ssl, (const char **)(uintptr_t)young), 0);
    pair_run(&p);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_REJECTED);
    ck_assert_int_eq(p.client.info.session, TLSYN_TLS_PSK);
    ck_assert_uint_eq(counted(&p, TLSYN_COUNT_tls_early_refused), 1);
    check_request_arrived_once(&p);
    pair_fini(&p);
}
END_TEST

/* --- replay ----------------------------------------------------------------------------------- */

/* Gives the server the first flight of a client again, as a connection of its own. */
static void replay(struct pair *p, const uint8_t *flight, size_t n)
{
    struct user *u = &p->server;
    struct tlsyn_time_and_counters {
        struct tlsyn_stack stack;
    } was = {p->wire.stack};

    wire_fini(&p->wire);
    user_fini(&p->client);
    user_fini(u);
    wire_init(&p->wire, 65536, 65536);
    p->wire.stack = was.stack;
    user_init(&p->client);
    user_init(u);
    u->takes_early = true;
    u->out = (const uint8_t *)"answer";
    u->out_len = 6;
    p->wire.end[1].handler = p->acceptor.base.accept(&p->acceptor.base, &p->wire.end[1]);
    ck_assert_ptr_nonnull(p->wire.end[1].handler);
    wire_inject(&p->wire, 1, flight, n);
}

START_TEST(a_replayed_flight_is_accepted_at_most_once)
{
    uint8_t flight[WIRE_HEARD];
    struct pair p;
    size_t n;

    meet(&p, &usual);
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    n = p.wire.syn_text;
    ck_assert_uint_le(n, sizeof(flight));
    memcpy(flight, p.wire.heard[0], n);
    ck_assert_uint_eq(p.server.early_len, REQUEST);
    for (int i = 1; i <= 1000; i++) {
        if (i == 500) {
            p.server_lines.n = p.client_lines.n = 0;
            pair_restart_server(&p, &usual);
        }
        p.server_lines.n = 0;
        replay(&p, flight, n);
        ck_assert_uint_eq(p.server.in_len, 0);
        ck_assert_int_eq(p.server.closed, 0); /* the handshake goes on: */
        ck_assert_uint_gt(p.wire.end[1].snd.len, 100);
        p.wire.stack.now += TLSYN_MS(15); /* beyond the end of the window */
    }
    ck_assert_uint_eq(counted(&p, TLSYN_COUNT_tls_early_accepted), 1);
    ck_assert_uint_gt(counted(&p, TLSYN_COUNT_tls_early_replayed), 300);
    ck_assert_uint_eq(counted(&p, TLSYN_COUNT_tls_early_replayed) +
                          counted(&p, TLSYN_COUNT_tls_early_refused),
                      1000);
    pair_fini(&p);
}
END_TEST

START_TEST(a_full_register_refuses_and_the_handshake_goes_on)
{
    struct setup s = usual;
    struct pair p;
    int accepted = 0;

    s.early_entries = 1; /* a group of 64 */
    s.keylog = false;
    pair_init(&p, &s);
    pair_run(&p);
    for (int i = 0; i < 66; i++) {
        pair_again(&p, NULL);
        p.client.early = p.server.takes_early = true;
        p.client.out = request;
        p.client.out_len = REQUEST;
        pair_run(&p);
        accepted += p.client.info.early == TLSYN_TLS_EARLY_ACCEPTED;
        ck_assert_int_eq(p.client.info.session, TLSYN_TLS_PSK);
        check_request_arrived_once(&p);
    }
    ck_assert_int_eq(accepted, 64);
    ck_assert_uint_eq(counted(&p, TLSYN_COUNT_tls_early_full), 2);
    pair_fini(&p);
}
END_TEST

/* --- bad input -------------------------------------------------------------------------------- */

/* A client that believes that it may write more. */
START_TEST(more_early_data_than_the_ticket_allows_ends_the_session)
{
    uint8_t *bytes = pattern(5000, 8);
    struct setup s = usual;
    struct pair p;

    s.early_data = 4999;
    meet(&p, &s);
    p.client.out = bytes;
    p.client.out_len = 5000;
    p.client.ticket_lies = true;
    pair_run(&p);
    ck_assert_uint_eq(p.client.info.early_bytes, 5000);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_int_eq(nonces_check(&p).alert, 10); /* unexpected_message */
    pair_fini(&p);
    free(bytes);
}
END_TEST

/* Every octet of the first flight, damaged: the server reads all of the request or nothing, and
 * survives. */
START_TEST(a_damaged_first_flight_gives_no_other_bytes)
{
    size_t end = (size_t)_i + 1;

    for (size_t at = (size_t)_i; at < end; at += 37) {
        struct pair p;

        meet(&p, &usual);
        p.wire.flip = true;
        p.wire.flip_at = at;
        p.wire.flip_bits = 0x40;
        pair_run(&p);
        end = p.wire.syn_text;
        ck_assert(p.server.early_len == 0 || p.server.early_len == REQUEST);
        if (p.server.early_len > 0)
            ck_assert_mem_eq(p.server.in, request, REQUEST);
        pair_fini(&p);
    }
    ck_assert_uint_gt(end, 300);
}
END_TEST

/* Handshake and application data in each other's place. */
START_TEST(a_record_of_the_wrong_kind_ends_the_session)
{
    static const char *const records[] = {
        "\x16\x03\x03\x00\x04\x14\x00\x00\x00", /* a handshake message in clear */
        "\x15\x03\x03\x00\x02\x02\x28",         /* an alert in clear */
        "\x17\x03\x03\x00\x20garbagegarbagegarbagegarbagegarb",
    };
    static const size_t sizes[] = {9, 7, 37};
    struct pair p;

    meet(&p, &usual);
    p.server.out = request;
    p.server.out_len = REQUEST;
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    check_request_arrived_once(&p);
    wire_inject(&p.wire, 1, records[_i], sizes[_i]);
    ck_assert_int_eq(p.server.closed, 1);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    wire_run(&p.wire);
    ck_assert_uint_eq(nonces_check(&p).data, REQUEST);
    pair_fini(&p);
}
END_TEST

/* The client goes after each number of bytes; the server notices when its connection ends. */
START_TEST(a_client_that_stops_leaves_nothing)
{
    size_t end = (size_t)_i + 1;

    for (size_t n = (size_t)_i; n < end; n += 97) {
        uint8_t flight[WIRE_HEARD];
        struct pair p;

        meet(&p, &usual);
        ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
        wire_run(&p.wire);
        end = p.wire.heard_len[0] < sizeof(flight) ? p.wire.heard_len[0] : sizeof(flight);
        memcpy(flight, p.wire.heard[0], end);
        p.server_lines.n = p.client_lines.n = 0;
        pair_restart_server(&p, &usual);
        replay(&p, flight, n < end ? n : end);
        wire_inject_fin(&p.wire, 1);
        ck_assert_int_eq(p.server.closed, 1);
        pair_fini(&p);
    }
}
END_TEST

/* --- memory runs out -------------------------------------------------------------------------- */

static int heap_left; /* negative: all there is */

static void *failing_calloc(size_t n, size_t size)
{
    if (heap_left == 0)
        return NULL;
    heap_left -= heap_left > 0;
    return calloc(n, size);
}

/* At each allocation of a second visit: the request arrives whole, once, or not at all. */
START_TEST(memory_that_runs_out_spoils_no_early_data)
{
    bool done = false;
    int failures = 0;

    mbedtls_platform_set_calloc_free(failing_calloc, free);
    for (int left = 0; !done; left += 1 + left / 60) {
        struct pair p;

        heap_left = -1;
        meet(&p, &usual);
        p.server.out = request;
        p.server.out_len = REQUEST;
        heap_left = left;
        if (pair_run(&p) < 0)
            failures++;
        else
            done = p.client.established == 1 && p.server.established == 1;
        heap_left = -1;
        failures += p.client.closed_error != 0 || p.server.closed_error != 0;
        ck_assert(p.server.in_len == 0 || p.server.in_len == REQUEST);
        if (p.server.in_len > 0)
            ck_assert_mem_eq(p.server.in, request, REQUEST);
        pair_fini(&p);
        ck_assert_int_lt(left, 1000000);
    }
    mbedtls_platform_set_calloc_free(calloc, free);
    ck_assert_int_gt(failures, 40);
}
END_TEST

Suite *early_suite(void);
Suite *early_suite(void)
{
    Suite *s = suite_create("early");
    TCase *t = tcase_create("early");

    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_add_loop_test(t, an_answer_comes_after_one_round_trip, 0, 2);
    tcase_add_test(t, a_first_visit_has_no_early_data);
    tcase_add_test(t, a_client_that_wants_none_says_nothing_of_it);
    tcase_add_loop_test(t, bytes_go_both_ways_whatever_their_number, 0, 2);
    tcase_add_test(t, early_data_fits_into_the_syn);
    tcase_add_test(t, no_more_is_written_than_the_ticket_allows);
    tcase_add_test(t, a_reader_may_take_its_time);
    tcase_add_test(t, the_session_may_be_freed_inside_early_data);
    tcase_add_test(t, numbers_go_on_when_mbedtls_takes_over);
    tcase_add_loop_test(t, an_alert_behind_the_answer_has_the_next_number, 0, 2);
    tcase_add_test(t, a_ticket_of_before_a_restart_leads_to_a_full_handshake);
    tcase_add_test(t, a_server_without_early_data_passes_it_over);
    tcase_add_test(t, another_protocol_has_no_early_data);
    tcase_add_test(t, a_replayed_flight_is_accepted_at_most_once);
    tcase_add_test(t, a_full_register_refuses_and_the_handshake_goes_on);
    tcase_add_test(t, more_early_data_than_the_ticket_allows_ends_the_session);
    tcase_add_loop_test(t, a_damaged_first_flight_gives_no_other_bytes, 0, 37);
    tcase_add_loop_test(t, a_record_of_the_wrong_kind_ends_the_session, 0, 3);
    tcase_add_loop_test(t, a_client_that_stops_leaves_nothing, 0, 4);
    tcase_add_test(t, memory_that_runs_out_spoils_no_early_data);
    suite_add_tcase(s, t);
    return s;
}
