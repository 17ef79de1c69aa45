/* Returning clients: every kind of resumption, inside the SYN and behind it; what a server refuses
 * and a client passes over; who is asked for which session; how much is kept, and how long. */
#include <check.h>
#include <errno.h>
#include <mbedtls/platform.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "pair.h"
#include "shelf.h"

static const struct {
    struct setup setup;
    enum tlsyn_tls_session session;
} kinds[] = {
    {{.suite = TLSYN_TLS_12_RSA, .server_sessions = 8, .client_sessions = 8}, TLSYN_TLS_ID},
    {{.suite = TLSYN_TLS_12_ECDHE, .server_sessions = 8, .client_sessions = 8}, TLSYN_TLS_ID},
    {{.suite = TLSYN_TLS_12_RSA, .tickets = 1, .client_sessions = 8}, TLSYN_TLS_TICKET},
    {{.suite = TLSYN_TLS_12_ECDHE, .tickets = 1, .client_sessions = 8}, TLSYN_TLS_TICKET},
    {{.suite = TLSYN_TLS_13, .tickets = 1, .client_sessions = 8}, TLSYN_TLS_PSK},
    {{.suite = TLSYN_TLS_ANY, .tickets = 2, .server_sessions = 8, .client_sessions = 8},
     TLSYN_TLS_PSK},
};
#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

static void make_certificates(void)
{
    certs_get();
}

/* --- visits ----------------------------------------------------------------------------------- */

static void visit(struct pair *p, enum tlsyn_tls_session session, enum tlsyn_tls_session offered)
{
    p->client.out = (const uint8_t *)"request";
    p->client.out_len = 7;
    p->server.out = (const uint8_t *)"answer";
    p->server.out_len = 6;
    pair_run(p);
    ck_assert_msg(p->client.established == 1, "%s", p->client.error);
    ck_assert_msg(p->client.info.session == session, "%d, not %d", (int)p->client.info.session,
                  (int)session);
    ck_assert_int_eq((int)p->client.info.offered, (int)offered);
    ck_assert_int_eq((int)p->server.info.session, (int)session);
    ck_assert_uint_eq(p->server.in_len, 7);
    ck_assert_uint_eq(p->client.in_len, 6);
    ck_assert(p->client.info.verified == !p->client_config->insecure);
}

static void first_visit(struct pair *p, const struct setup *s)
{
    pair_init(p, s);
    visit(p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
}

/* The hello is written, and the connection comes to nothing. */
static void hello_only(struct pair *p)
{
    struct tlsyn_conn *c = &p->wire.end[0];

    c->handler = tlsyn_tls_handler(p->client.tls);
    ck_assert_int_eq(c->handler->events->on_open(c->handler, c), 0);
}

START_TEST(every_kind_resumes_over_any_wire)
{
    static const size_t chunks[] = {1, 100, 65536};
    static const size_t rings[] = {64, 4096, 65536};
    enum tlsyn_tls_session session = kinds[_i % KINDS].session;
    struct tlsyn_tls_counters counters;

    for (size_t c = 0; c < 3; c++) {
        struct setup s = kinds[_i % KINDS].setup;
        uint64_t moved;
        struct pair p;

        s.chunk = chunks[c];
        s.ring = rings[c];
        s.sequential = _i / KINDS == 1;
        first_visit(&p, &s);
        moved = p.wire.moved[1];
        for (int i = 0; i < 3; i++) {
            pair_again(&p, NULL);
            visit(&p, session, session);
            ck_assert_uint_lt(p.wire.moved[1] + 300, moved);
        }
        tlsyn_tls_config_counters(p.server_config, &counters);
        ck_assert_uint_eq(counters.handshakes[TLSYN_TLS_NEW], 1);
        ck_assert_uint_eq(counters.handshakes[session], 3);
        ck_assert_uint_eq(counters.tickets_foreign + counters.tickets_expired, 0);
        tlsyn_tls_config_counters(p.client_config, &counters);
        ck_assert_uint_eq(counters.handshakes[session], 3);
        ck_assert_uint_eq(counters.refused, 0);
        pair_fini(&p);
    }
}
END_TEST

/* In TLS 1.2 too: the server's Finished comes in its first flight. */
START_TEST(a_resumed_client_speaks_with_the_ack)
{
    struct setup s = kinds[_i].setup;
    struct pair p;

    first_visit(&p, &s);
    pair_again(&p, NULL);
    p.client.out = (const uint8_t *)"request";
    p.client.out_len = 7;
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    ck_assert_int_eq(p.client.established, 1);
    ck_assert_uint_eq(p.client.out_done, 7);
    ck_assert_uint_eq(p.wire.syn_text, p.client.info.hello_bytes);
    ck_assert_uint_lt(p.wire.syn_text, 700);
    ck_assert_uint_gt(p.wire.ack_text, 7);
    wire_run(&p.wire);
    ck_assert_uint_eq(p.server.in_len, 7);
    pair_fini(&p);
}
END_TEST

/* RFC 8446 4.6.1: what the client has left to say is known. It has its tickets before it has said
 * so, and they are good though it never does; but nobody gets any who may not be there. */
START_TEST(tickets_leave_with_the_servers_finished)
{
    const struct setup s = {.suite = TLSYN_TLS_13, .tickets = 2, .client_sessions = 8};
    bool strangers = _i == 1;
    struct tlsyn_tls_counters counters;
    struct pair p;

    pair_init(&p, &s);
    p.wire.strangers = strangers;
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    ck_assert_int_eq(p.client.established, 1);
    ck_assert_int_eq(p.server.established, 0);
    tlsyn_tls_config_counters(p.client_config, &counters);
    ck_assert_uint_eq(counters.kept, strangers ? 0 : 2);
    if (strangers)
        wire_run(&p.wire);
    tlsyn_tls_config_counters(p.client_config, &counters);
    ck_assert_uint_eq(counters.kept, 2);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_PSK, TLSYN_TLS_PSK);
    tlsyn_tls_config_counters(p.server_config, &counters);
    ck_assert_uint_eq(counters.tickets_sent, 2 + 1);
    pair_fini(&p);
}
END_TEST

/* Of a server that has both. */
START_TEST(who_takes_no_tickets_resumes_by_id)
{
    enum tlsyn_tls_session session = _i == 0 ? TLSYN_TLS_TICKET : TLSYN_TLS_ID;
    struct setup s = {.suite = TLSYN_TLS_12_ECDHE,
                      .tickets = 1,
                      .server_sessions = 8,
                      .client_sessions = 8,
                      .no_tickets = _i == 1};
    struct pair p;

    first_visit(&p, &s);
    for (int i = 0; i < 2; i++) {
        pair_again(&p, NULL);
        visit(&p, session, session);
    }
    pair_fini(&p);
}
END_TEST

START_TEST(several_tickets_serve_several_visits)
{
    struct setup s = kinds[5].setup;
    struct shelf *shelf = shelf_new();
    struct pair p;

    s.tickets = 3;
    s.store = &shelf->base;
    first_visit(&p, &s);
    ck_assert_int_eq(shelf->n, 3);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_PSK, TLSYN_TLS_PSK);
    ck_assert_int_eq(shelf->n, 3); /* one less, and one new */
    ck_assert_int_eq(shelf->dropped, 0);
    pair_fini(&p);
    free(shelf);
}
END_TEST

/* RFC 8446 C.4. */
START_TEST(a_ticket_of_tls_13_is_offered_once)
{
    struct setup s = kinds[4].setup;
    struct shelf *shelf = shelf_new();
    struct pair p;

    s.store = &shelf->base;
    first_visit(&p, &s);
    ck_assert_int_eq(shelf->n, 1);
    ck_assert(shelf->item[0].entry.once);
    pair_again(&p, NULL);
    hello_only(&p);
    ck_assert_int_eq(shelf->n, 0);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(a_server_that_forgot_makes_a_full_handshake)
{
    enum tlsyn_tls_session session = kinds[_i].session;
    struct tlsyn_tls_counters counters;
    struct setup s = kinds[_i].setup;
    struct pair p;

    first_visit(&p, &s);
    pair_restart_server(&p, &s);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, session);
    tlsyn_tls_config_counters(p.server_config, &counters);
    ck_assert_uint_eq(session == TLSYN_TLS_ID ? counters.ids_unknown : counters.tickets_foreign, 1);
    tlsyn_tls_config_counters(p.client_config, &counters);
    ck_assert_uint_eq(counters.refused, 1);
    pair_again(&p, NULL);
    visit(&p, session, session);
    pair_fini(&p);
}
END_TEST

/* What was refused must not mix with what is new: no tickets any more, where there were some. */
START_TEST(a_refused_ticket_is_forgotten)
{
    struct setup s = kinds[_i].setup;
    struct shelf *shelf = shelf_new();
    struct pair p;

    s.store = &shelf->base;
    first_visit(&p, &s);
    s.tickets = 0;
    s.server_sessions = 8;
    pair_restart_server(&p, &s);
    for (int i = 0; i < 3; i++) {
        enum tlsyn_tls_session session =
            i > 0 && kinds[_i].session == TLSYN_TLS_TICKET ? TLSYN_TLS_ID : TLSYN_TLS_NEW;
        pair_again(&p, NULL);
        if (i == 0)
            visit(&p, session, kinds[_i].session);
        else if (kinds[_i].session == TLSYN_TLS_TICKET)
            visit(&p, session, session);
    }
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(the_server_ends_a_session_in_time)
{
    enum tlsyn_tls_session session = kinds[_i].session;
    struct tlsyn_tls_counters counters;
    struct setup s = kinds[_i].setup;
    struct shelf *shelf = shelf_new();
    struct pair p;

    s.store = &shelf->base;
    s.lifetime = 100;
    first_visit(&p, &s);
    p.wire.stack.now += TLSYN_SECONDS(99);
    pair_again(&p, NULL);
    visit(&p, session, session);
    pair_restart_server(&p, &s);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, session);
    /* A client whose clock is behind offers what the server has done with. */
    s.wall = CERTS_NOW - 99;
    pair_restart_client(&p, &s);
    p.wire.stack.now += TLSYN_SECONDS(101);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, session);
    tlsyn_tls_config_counters(p.server_config, &counters);
    if (session == TLSYN_TLS_ID) {
        ck_assert_uint_eq(counters.ids_unknown, 1);
        ck_assert_uint_eq(counters.ids_expired, 1);
    } else
        ck_assert_uint_eq(counters.tickets_expired, 1);
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(the_client_offers_nothing_that_is_too_old)
{
    struct setup s = kinds[_i].setup;
    struct shelf *shelf = shelf_new();
    struct pair p;

    s.store = &shelf->base;
    s.lifetime = 50000;
    first_visit(&p, &s);
    shelf->any_key = true; /* a store that is careless about time */
    p.wire.stack.now += TLSYN_SECONDS(kinds[_i].session == TLSYN_TLS_ID ? 86400 : 50000);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    ck_assert_int_eq(shelf->found, 1);
    pair_fini(&p);
    free(shelf);
}
END_TEST

/* RFC 8446 4.6.1: tickets got by tickets do not go on for ever. */
START_TEST(a_certificate_proves_no_longer_than_a_week)
{
    struct setup s = kinds[4].setup;
    int resumed = 0;
    struct pair p;

    s.lifetime = 604800;
    first_visit(&p, &s);
    for (int day = 0; day < 8; day++) {
        p.wire.stack.now += TLSYN_SECONDS(86400);
        pair_again(&p, NULL);
        pair_run(&p);
        ck_assert_int_eq(p.client.established, 1);
        if (p.client.info.session == TLSYN_TLS_NEW)
            break;
        resumed++;
    }
    ck_assert_int_eq(resumed, 6);
    pair_fini(&p);
}
END_TEST

START_TEST(entries_that_are_damaged_are_passed_over)
{
    struct setup s = kinds[_i].setup;
    struct shelf *shelf = shelf_new();
    struct pair p;
    uint8_t good[SESSION_BYTES];
    size_t len;

    s.store = &shelf->base;
    first_visit(&p, &s);
    ck_assert_int_ge(shelf->n, 1);
    shelf->n = 1;
    len = shelf->item[0].len;
    memcpy(good, shelf->item[0].bytes, len);
    /* Each byte in turn, and each length; the hello is looked at, not the handshake. */
    for (size_t i = 0; i < 2 * len; i++) {
        shelf->n = 1;
        memcpy(shelf->item[0].bytes, good, len);
        shelf->item[0].len = i < len ? len : i - len;
        if (i < len)
            shelf->item[0].bytes[i] ^= (uint8_t)(1U << i % 8);
        shelf->item[0].entry.until = INT64_MAX;
        pair_again(&p, NULL);
        hello_only(&p);
        ck_assert_msg(p.client.tls->offer.terms.kind == TLSYN_TLS_NEW, "byte %zu of %zu", i, len);
        ck_assert_int_eq(shelf->n, shelf->item[0].len == 0 ? shelf->n : 0);
    }
    shelf->n = 1;
    memcpy(shelf->item[0].bytes, good, len);
    shelf->item[0].len = len;
    pair_again(&p, NULL);
    visit(&p, kinds[_i].session, kinds[_i].session);
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(entries_of_others_are_passed_over)
{
    static const char *const hosts[] = {"192.0.2.1", "a.wild.test", "LOCALHOST."};
    struct setup s = kinds[_i].setup;
    struct shelf *shelf = shelf_new();
    struct pair p;

    s.store = &shelf->base;
    first_visit(&p, &s);
    for (int i = 0; i < 2; i++) {
        shelf->any_key = true;
        pair_again(&p, hosts[i]);
        visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    }
    /* What is given out for one is no longer there for another; so a good visit once more. */
    shelf->any_key = false;
    pair_again(&p, NULL);
    pair_run(&p);
    pair_again(&p, hosts[2]);
    visit(&p, kinds[_i].session, kinds[_i].session);
    pair_fini(&p);
    free(shelf);
}
END_TEST

/* A session got without verification, or under other authorities, says nothing to a client that
 * verifies. */
START_TEST(trust_is_not_borrowed)
{
    struct setup s = kinds[_i].setup, insecure;
    struct shelf *shelf = shelf_new();
    struct pair p;

    s.store = &shelf->base;
    insecure = s;
    insecure.insecure = true;
    first_visit(&p, &insecure);
    pair_restart_client(&p, &s);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    pair_again(&p, NULL);
    visit(&p, kinds[_i].session, kinds[_i].session);
    s.trust = certs_get()->other_ca;
    pair_restart_client(&p, &s);
    pair_again(&p, NULL);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq((int)p.client.info.offered, TLSYN_TLS_NEW);
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(a_client_may_ask_for_a_full_handshake)
{
    struct setup s = kinds[_i].setup;
    struct pair p;

    first_visit(&p, &s);
    pair_again(&p, NULL);
    tlsyn_tls_be_new(p.client.tls);
    visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    pair_again(&p, NULL);
    visit(&p, kinds[_i].session, kinds[_i].session);
    pair_fini(&p);
}
END_TEST

/* mbedTLS binds the version of a hello to the session that it offers; the second attempt is
 * free. */
START_TEST(a_server_of_another_version_refuses_once)
{
    static const struct {
        enum tlsyn_tls_suite first, then;
    } turns[] = {{TLSYN_TLS_13, TLSYN_TLS_12_ECDHE}, {TLSYN_TLS_12_ECDHE, TLSYN_TLS_13}};
    struct setup s = {.client_sessions = 8, .tickets = 1, .server_suite = turns[_i].first};
    struct pair p;

    first_visit(&p, &s);
    s.server_suite = turns[_i].then;
    pair_restart_server(&p, &s);
    pair_again(&p, NULL);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    pair_fini(&p);
}
END_TEST

/* In TLS 1.2 mbedTLS gives every session an ID, though nobody may keep it: it is offered, and
 * refused. */
START_TEST(a_server_that_keeps_nothing_resumes_nothing)
{
    struct setup s = {.client_sessions = 8, .suite = _i == 0 ? TLSYN_TLS_13 : TLSYN_TLS_12_RSA};
    struct pair p;

    first_visit(&p, &s);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, _i == 0 ? TLSYN_TLS_NEW : TLSYN_TLS_ID);
    pair_fini(&p);
}
END_TEST

START_TEST(the_oldest_session_leaves)
{
    struct setup s = {.suite = TLSYN_TLS_12_ECDHE, .server_sessions = 3};
    struct shelf *shelf = shelf_new();
    struct tlsyn_tls_counters counters;
    struct pair p;

    s.store = &shelf->base;
    first_visit(&p, &s);
    for (int i = 0; i < 4; i++) {
        pair_again(&p, NULL);
        tlsyn_tls_be_new(p.client.tls);
        visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    }
    tlsyn_tls_config_counters(p.server_config, &counters);
    ck_assert_uint_eq(counters.sessions, 3);
    ck_assert_uint_eq(counters.evicted, 2);
    ck_assert_int_eq(shelf->n, 5);
    /* From the newest to the oldest: three are known, two are not (and are replaced, at which one
     * more of the server's leaves; it is one that we have done with). */
    for (int i = 4; i >= 0; i--) {
        shelf->n = i + 1;
        pair_again(&p, NULL);
        visit(&p, i >= 2 ? TLSYN_TLS_ID : TLSYN_TLS_NEW, TLSYN_TLS_ID);
    }
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(the_clients_own_memory_is_bounded)
{
    struct setup s = {.suite = TLSYN_TLS_13, .tickets = SESSION_TICKETS + 5, .client_sessions = 2};
    uint8_t bytes[SESSION_BYTES];
    char key[SESSION_KEY] = "";
    struct shelf *shelf = shelf_new();
    struct pair p;
    int n = 0;

    s.store = &shelf->base;
    first_visit(&p, &s);
    ck_assert_int_eq(shelf->n, SESSION_TICKETS); /* of one connection */
    strcpy(key, shelf->item[0].key);
    s.store = NULL;
    pair_restart_client(&p, &s);
    pair_again(&p, NULL);
    visit(&p, TLSYN_TLS_NEW, TLSYN_TLS_NEW);
    while (p.client_config->store->ops->find(p.client_config->store, key, CERTS_NOW, bytes,
                                             sizeof(bytes)) > 0)
        n++;
    ck_assert_int_eq(n, 2);
    pair_fini(&p);
    free(shelf);
}
END_TEST

/* mbedTLS's heap has no argument: allocations until the failure, negative: never. */
static int allocations_left;

static void *failing_calloc(size_t n, size_t size)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return calloc(n, size);
}

START_TEST(a_return_short_of_memory_fails_cleanly)
{
    int failures = 0;
    bool done = false;

    for (int left = 0; !done; left += 1 + left / 40) {
        struct setup s = kinds[_i].setup;
        struct pair p;

        first_visit(&p, &s);
        pair_again(&p, NULL);
        mbedtls_platform_set_calloc_free(failing_calloc, free);
        allocations_left = left;
        if (pair_run(&p) < 0 || p.client.closed_error != 0 || p.server.closed_error != 0)
            failures++;
        else
            done = p.client.established == 1 && p.client.info.session == kinds[_i].session &&
                   p.server.established == 1 && allocations_left > 0;
        allocations_left = -1;
        pair_fini(&p);
        ck_assert_int_lt(left, 1000000);
    }
    ck_assert_int_gt(failures, 10);
}
END_TEST

/* --- tickets and IDs by themselves ------------------------------------------------------------ */

/* A server's session of a connection that lives. */
static void open_one(struct pair *p, enum tlsyn_tls_suite suite)
{
    struct setup s = {.suite = suite};

    first_visit(p, &s);
    p->server.tls->ssl.MBEDTLS_PRIVATE(session)->MBEDTLS_PRIVATE(ticket_creation_time) =
        CERTS_NOW * 1000;
}

static int open_copy(struct tickets *t, int64_t now, const struct ticket_owner *owner,
                     const uint8_t *ticket, size_t len)
{
    static const struct platform_clock clock = {.wall = 0};
    struct random_seeded random;
    mbedtls_ssl_session session;
    uint8_t copy[1024];
    int code;

    random_seed(&random, 3);
    platform_use(&clock, TLSYN_SECONDS(now), &random.base);
    memcpy(copy, ticket, len);
    mbedtls_ssl_session_init(&session);
    code = tickets_open(t, now, owner, copy, len, &session);
    mbedtls_ssl_session_free(&session);
    return code;
}

START_TEST(a_ticket_opens_for_its_owner_only)
{
    struct ticket_owner owner = {.version = 0x0304, .asked = {1, 2, 3}}, other = owner;
    uint8_t ticket[1024];
    struct random_seeded random;
    struct tickets t, stranger;
    struct pair p;
    size_t len;

    open_one(&p, TLSYN_TLS_13);
    random_seed(&random, 1);
    tickets_init(&t, 100, &random.base);
    tickets_init(&stranger, 100, &random.base);
    ck_assert_int_eq(tickets_seal(&t, CERTS_NOW, &owner, p.server.tls->ssl.MBEDTLS_PRIVATE(session),
                                  ticket, ticket + sizeof(ticket), &len),
                     0);
    ck_assert_int_eq(open_copy(&t, CERTS_NOW, &owner, ticket, len), 0);
    other.version = 0x0303; /* its master secret would be zero there */
    ck_assert_int_eq(open_copy(&t, CERTS_NOW, &other, ticket, len), MBEDTLS_ERR_SSL_INVALID_MAC);
    other = owner;
    other.asked[31] = 1;
    ck_assert_int_eq(open_copy(&t, CERTS_NOW, &other, ticket, len), MBEDTLS_ERR_SSL_INVALID_MAC);
    ck_assert_int_eq(open_copy(&stranger, CERTS_NOW, &owner, ticket, len),
                     MBEDTLS_ERR_SSL_INVALID_MAC);
    for (size_t i = 0; i < len; i++) {
        ck_assert_int_ne(open_copy(&t, CERTS_NOW, &owner, ticket, i), 0);
        ticket[i] ^= 0x10;
        ck_assert_int_eq(open_copy(&t, CERTS_NOW, &owner, ticket, len),
                         MBEDTLS_ERR_SSL_INVALID_MAC);
        ticket[i] ^= 0x10;
    }
    for (size_t room = 0; room < len; room++) {
        size_t n;

        ck_assert_int_ne(tickets_seal(&t, CERTS_NOW, &owner,
                                      p.server.tls->ssl.MBEDTLS_PRIVATE(session), ticket,
                                      ticket + room, &n),
                         0);
        ck_assert_uint_eq(n, 0);
    }
    tickets_fini(&t);
    tickets_fini(&stranger);
    pair_fini(&p);
}
END_TEST

START_TEST(ticket_keys_are_replaced_and_wiped)
{
    const struct ticket_owner owner = {.version = 0x0304};
    uint8_t first[1024], second[1024], third[1024];
    mbedtls_ssl_session *session;
    struct random_seeded random;
    size_t n, m, k;
    struct tickets t;
    struct pair p;

    open_one(&p, TLSYN_TLS_13);
    session = p.server.tls->ssl.MBEDTLS_PRIVATE(session);
    random_seed(&random, 1);
    tickets_init(&t, 100, &random.base);
    ck_assert_int_eq(tickets_seal(&t, CERTS_NOW, &owner, session, first, first + 1024, &n), 0);
    session->MBEDTLS_PRIVATE(ticket_creation_time) += 99000;
    ck_assert_int_eq(tickets_seal(&t, CERTS_NOW + 99, &owner, session, second, second + 1024, &m),
                     0);
    ck_assert_mem_eq(first, second, TICKET_NAME);
    ck_assert_mem_ne(first + TICKET_NAME, second + TICKET_NAME, 12); /* the IV */
    session->MBEDTLS_PRIVATE(ticket_creation_time) += 1000;
    ck_assert_int_eq(tickets_seal(&t, CERTS_NOW + 100, &owner, session, third, third + 1024, &k),
                     0);
    ck_assert_mem_ne(first, third, TICKET_NAME);
    ck_assert_int_eq(open_copy(&t, CERTS_NOW + 99, &owner, first, n), 0);
    ck_assert_int_eq(open_copy(&t, CERTS_NOW + 100, &owner, first, n),
                     MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED);
    ck_assert_int_eq(open_copy(&t, CERTS_NOW + 198, &owner, second, m), 0);
    ck_assert_int_eq(open_copy(&t, CERTS_NOW + 199, &owner, third, k), 0);
    /* Two lifetimes after it was made the first key is no more; its tickets are nobody's. */
    ck_assert_int_eq(open_copy(&t, CERTS_NOW + 200, &owner, second, m),
                     MBEDTLS_ERR_SSL_INVALID_MAC);
    ck_assert_int_eq(t.key[0].made == 0 || t.key[1].made == 0, 1);
    ck_assert_int_eq(open_copy(&t, CERTS_NOW + 300, &owner, third, k), MBEDTLS_ERR_SSL_INVALID_MAC);
    tickets_fini(&t);
    pair_fini(&p);
}
END_TEST

START_TEST(ids_are_found_by_their_owner_only)
{
    struct ticket_owner owner = {.version = 0x0303, .asked = {7}}, other = owner;
    unsigned char id[SESSION_ID] = {1, 2, 3, 4}, twin[SESSION_ID];
    mbedtls_ssl_session session;
    struct session_ids ids;
    struct pair p;

    open_one(&p, TLSYN_TLS_12_ECDHE);
    other.asked[0] = 8;
    memcpy(twin, id, sizeof(id));
    twin[31] = 9; /* the same bucket */
    mbedtls_ssl_session_init(&session);
    session_ids_init(&ids, 4, 100, tlsyn_alloc_libc());
    ck_assert_int_eq(session_ids_get(&ids, 0, &owner, id, 32, &session),
                     MBEDTLS_ERR_SSL_CACHE_ENTRY_NOT_FOUND);
    for (int i = 0; i < 10; i++) { /* round the circle, twice and a half */
        ck_assert_int_eq(
            session_ids_put(&ids, 50, &owner, twin, p.server.tls->ssl.MBEDTLS_PRIVATE(session)), 0);
        twin[30]++;
    }
    twin[30] = 9;
    ck_assert_int_eq(
        session_ids_put(&ids, 50, &owner, id, p.server.tls->ssl.MBEDTLS_PRIVATE(session)), 0);
    ck_assert_uint_eq(ids.count, 4);
    ck_assert_int_eq(session_ids_get(&ids, 149, &owner, twin, 32, &session), 0);
    mbedtls_ssl_session_free(&session);
    twin[30] = 5;
    ck_assert_int_ne(session_ids_get(&ids, 149, &owner, twin, 32, &session), 0);
    ck_assert_int_eq(session_ids_get(&ids, 149, &owner, id, 32, &session), 0);
    mbedtls_ssl_session_free(&session);
    ck_assert_int_ne(session_ids_get(&ids, 149, &owner, id, 31, &session), 0);
    ck_assert_int_ne(session_ids_get(&ids, 149, &other, id, 32, &session), 0);
    ck_assert_int_ne(session_ids_get(&ids, 150, &owner, id, 32, &session), 0);
    session_ids_fini(&ids);
    pair_fini(&p);
}
END_TEST

Suite *returning_suite(void);

Suite *returning_suite(void)
{
    Suite *s = suite_create("returning");
    TCase *t = tcase_create("returning");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_kind_resumes_over_any_wire, 0, 2 * KINDS);
    tcase_add_loop_test(t, a_resumed_client_speaks_with_the_ack, 0, KINDS);
    tcase_add_loop_test(t, tickets_leave_with_the_servers_finished, 0, 2);
    tcase_add_loop_test(t, who_takes_no_tickets_resumes_by_id, 0, 2);
    tcase_add_test(t, several_tickets_serve_several_visits);
    tcase_add_test(t, a_ticket_of_tls_13_is_offered_once);
    tcase_add_loop_test(t, a_server_that_forgot_makes_a_full_handshake, 0, KINDS);
    tcase_add_loop_test(t, a_refused_ticket_is_forgotten, 2, KINDS);
    tcase_add_loop_test(t, the_server_ends_a_session_in_time, 0, KINDS);
    tcase_add_loop_test(t, the_client_offers_nothing_that_is_too_old, 0, KINDS);
    tcase_add_test(t, a_certificate_proves_no_longer_than_a_week);
    tcase_add_loop_test(t, entries_that_are_damaged_are_passed_over, 1, KINDS - 1);
    tcase_add_loop_test(t, entries_of_others_are_passed_over, 1, KINDS - 1);
    tcase_add_loop_test(t, trust_is_not_borrowed, 1, KINDS - 1);
    tcase_add_loop_test(t, a_client_may_ask_for_a_full_handshake, 0, KINDS);
    tcase_add_loop_test(t, a_server_of_another_version_refuses_once, 0, 2);
    tcase_add_loop_test(t, a_server_that_keeps_nothing_resumes_nothing, 0, 2);
    tcase_add_test(t, the_oldest_session_leaves);
    tcase_add_test(t, the_clients_own_memory_is_bounded);
    tcase_add_loop_test(t, a_return_short_of_memory_fails_cleanly, 1, KINDS - 1);
    tcase_add_test(t, a_ticket_opens_for_its_owner_only);
    tcase_add_test(t, ticket_keys_are_replaced_and_wiped);
    tcase_add_test(t, ids_are_found_by_their_owner_only);
    suite_add_tcase(s, t);
    return s;
}
