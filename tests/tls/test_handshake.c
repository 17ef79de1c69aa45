/* The handshake: every suite, embedded and sequential, through wires that deliver a byte at a
 * time and rings that hold less than a record; what rides in which segment; what is reported
 * afterwards. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "pair.h"

static const struct {
    enum tlsyn_tls_suite suite;
    const char *version, *ciphersuite;
} kinds[] = {
    {TLSYN_TLS_ANY, "TLSv1.3", "TLS_AES_128_GCM_SHA256"},
    {TLSYN_TLS_12_RSA, "TLSv1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {TLSYN_TLS_12_ECDHE, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {TLSYN_TLS_13, "TLSv1.3", "TLS_AES_128_GCM_SHA256"},
};
#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

static void make_certificates(void)
{
    certs_get();
}

static void check_info(const struct tlsyn_tls_info *info, int kind, bool is_client)
{
    ck_assert(info->established);
    ck_assert_str_eq(info->version, kinds[kind].version);
    ck_assert_str_eq(info->ciphersuite, kinds[kind].ciphersuite);
    ck_assert(info->verified == is_client);
    ck_assert(info->session == TLSYN_TLS_NEW && info->alpn == NULL);
    ck_assert(info->finished >= info->started && info->started > 0);
    ck_assert(info->records_in >= 3 && info->records_out >= 3);
    ck_assert_uint_gt(info->hello_bytes, 60);
}

static void check_both(struct pair *p, int kind)
{
    struct tlsyn_tls_info info;

    for (int i = 0; i < 2; i++) {
        struct user *u = i == 0 ? &p->client : &p->server;

        ck_assert_msg(u->established == 1, "kind %d end %d: %s", kind, i, u->error);
        tlsyn_tls_info(u->tls, &info);
        check_info(&info, kind, i == 0);
        ck_assert_str_eq(tlsyn_tls_error(u->tls), "");
    }
}

START_TEST(every_suite_completes_over_any_wire)
{
    static const size_t chunks[] = {1, 2, 7, 100, 1460, 65536};
    static const size_t rings[] = {64, 600, 4096, 65536};
    int kind = _i % KINDS;
    bool sequential = _i / KINDS == 1;

    for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++) {
        for (size_t r = 0; r < sizeof(rings) / sizeof(rings[0]); r++) {
            struct setup s = {.suite = kinds[kind].suite,
                              .chunk = chunks[c],
                              .ring = rings[r],
                              .sequential = sequential};
            struct pair p;

            pair_init(&p, &s);
            p.client.out = (const uint8_t *)"request";
            p.client.out_len = 7;
            p.server.out = (const uint8_t *)"answer";
            p.server.out_len = 6;
            pair_run(&p);
            check_both(&p, kind);
            ck_assert_uint_eq(p.server.in_len, 7);
            ck_assert_mem_eq(p.server.in, "request", 7);
            ck_assert_uint_eq(p.client.in_len, 6);
            ck_assert_mem_eq(p.client.in, "answer", 6);
            pair_fini(&p);
        }
    }
}
END_TEST

START_TEST(syn_ack_may_end_at_any_byte)
{
    size_t whole = 0;

    for (size_t room = 1; room == 1 || room < whole; room += room < 40 ? 1 : 97) {
        struct setup s = {.suite = kinds[_i].suite, .synack_room = room, .chunk = 1460};
        struct pair p;

        pair_init(&p, &s);
        pair_run(&p);
        check_both(&p, _i);
        whole = (size_t)p.wire.moved[1];
        pair_fini(&p);
    }
}
END_TEST

START_TEST(hello_rides_in_the_syn_and_is_small)
{
    struct setup s = {.suite = kinds[_i].suite};
    struct pair p;

    pair_init(&p, &s);
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    ck_assert_int_eq(p.client.opened, 1);
    ck_assert_uint_gt(p.wire.syn_text, 60);
    ck_assert_uint_le(p.wire.syn_text, 350);
    wire_run(&p.wire);
    ck_assert_uint_eq(p.client.info.hello_bytes, p.wire.syn_text);
    ck_assert_uint_eq(p.server.info.hello_bytes, p.wire.syn_text);
    pair_fini(&p);
}
END_TEST

START_TEST(tls_13_client_speaks_with_the_ack)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    p.client.out = (const uint8_t *)"GET /";
    p.client.out_len = 5;
    wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base);
    /* CCS, Finished, and the request behind them: all before the ACK was built. */
    ck_assert_int_eq(p.client.established, 1);
    ck_assert_uint_gt(p.client.established_at_text, 0);
    ck_assert_uint_gt(p.wire.ack_text, p.client.established_at_text);
    ck_assert_uint_eq(p.client.out_done, 5);
    ck_assert_int_eq(p.server.established, 0);
    wire_run(&p.wire);
    ck_assert_uint_eq(p.server.in_len, 5);
    pair_fini(&p);
}
END_TEST

START_TEST(tls_12_client_answers_with_the_ack)
{
    struct setup s = {.suite = kinds[_i].suite};
    struct pair p;

    pair_init(&p, &s);
    wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base);
    ck_assert_uint_gt(p.wire.ack_text, 70); /* ClientKeyExchange, CCS, Finished */
    ck_assert_int_eq(p.client.established, 0);
    wire_run(&p.wire);
    ck_assert_int_eq(p.client.established, 1);
    pair_fini(&p);
}
END_TEST

START_TEST(timestamps_are_those_of_the_round_trips)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    p.server.out = (const uint8_t *)"!";
    p.server.out_len = 1;
    pair_run(&p);
    /* on_open at 0, SYN-ACK 20 ms later. */
    ck_assert_int_eq(p.client.info.started, TLSYN_SECONDS(1000));
    ck_assert_int_eq(p.client.info.finished, TLSYN_SECONDS(1000) + TLSYN_MS(20));
    ck_assert_int_eq(p.client.info.first_byte, 0); /* as it was in on_established */
    tlsyn_tls_info(p.client.tls, &p.client.info);
    ck_assert_int_gt(p.client.info.first_byte, p.client.info.finished);
    pair_fini(&p);
}
END_TEST

START_TEST(a_refusing_user_prevents_the_open)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    p.client.refuse_open = -EACCES;
    ck_assert_int_eq(pair_run(&p), -EACCES);
    ck_assert_int_eq(p.client.closed, 0);
    ck_assert_int_eq(p.acceptor.accepted, 0);
    pair_fini(&p);
}
END_TEST

START_TEST(paper_padding_is_skipped)
{
    struct setup s = {.suite = kinds[_i].suite, .paper = true};
    struct pair p;

    for (size_t chunk = 1; chunk < 3000; chunk = 3 * chunk + 1) {
        s.chunk = chunk;
        pair_init(&p, &s);
        p.client.out = (const uint8_t *)"request";
        p.client.out_len = 7;
        p.server.out = (const uint8_t *)"answer";
        p.server.out_len = 6;
        pair_run(&p);
        check_both(&p, _i);
        ck_assert_uint_eq(p.wire.syn_text, 1024);
        ck_assert_uint_ge(p.wire.synack_text, 1024);
        ck_assert_uint_eq(p.server.in_len, 7);
        ck_assert_uint_eq(p.client.in_len, 6);
        pair_fini(&p);
    }
}
END_TEST

START_TEST(paper_padding_is_refused_elsewhere)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    p.wire.pad = true;
    pair_run(&p);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    pair_fini(&p);
}
END_TEST

START_TEST(suites_that_do_not_meet_are_refused)
{
    struct setup s = {.suite = TLSYN_TLS_12_RSA, .server_suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "protocol_version"));
    ck_assert_ptr_nonnull(strstr(p.server.error, "version"));
    pair_fini(&p);
}
END_TEST

START_TEST(any_never_takes_rsa_key_exchange)
{
    struct setup s = {.suite = TLSYN_TLS_12_RSA};
    struct setup any = {.suite = TLSYN_TLS_ANY};
    struct pair p, q;

    /* A client that offers nothing else, against a server that leaves the choice to us. */
    pair_init(&p, &s);
    pair_init(&q, &any);
    p.acceptor.config = q.server_config;
    pair_run(&p);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "handshake_failure"));
    pair_fini(&p);
    pair_fini(&q);
}
END_TEST

START_TEST(a_server_of_any_meets_older_clients)
{
    struct setup s = {.suite = TLSYN_TLS_12_ECDHE};
    struct setup any = {.suite = TLSYN_TLS_ANY};
    struct pair p, q;

    pair_init(&p, &s);
    pair_init(&q, &any);
    p.acceptor.config = q.server_config;
    pair_run(&p);
    check_both(&p, 2);
    pair_fini(&p);
    pair_fini(&q);
}
END_TEST

Suite *handshake_suite(void);

Suite *handshake_suite(void)
{
    Suite *s = suite_create("handshake");
    TCase *t = tcase_create("handshake");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_suite_completes_over_any_wire, 0, 2 * KINDS);
    tcase_add_loop_test(t, syn_ack_may_end_at_any_byte, 0, KINDS);
    tcase_add_loop_test(t, hello_rides_in_the_syn_and_is_small, 0, KINDS);
    tcase_add_test(t, tls_13_client_speaks_with_the_ack);
    tcase_add_loop_test(t, tls_12_client_answers_with_the_ack, 1, 3);
    tcase_add_test(t, timestamps_are_those_of_the_round_trips);
    tcase_add_test(t, a_refusing_user_prevents_the_open);
    tcase_add_loop_test(t, paper_padding_is_skipped, 0, KINDS);
    tcase_add_test(t, paper_padding_is_refused_elsewhere);
    tcase_add_test(t, suites_that_do_not_meet_are_refused);
    tcase_add_test(t, any_never_takes_rsa_key_exchange);
    tcase_add_test(t, a_server_of_any_meets_older_clients);
    suite_add_tcase(s, t);
    return s;
}
