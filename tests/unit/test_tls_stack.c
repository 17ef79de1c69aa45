/* TLS over two whole stacks: what each kind of open costs in round trips, to the microsecond of the
 * virtual clock; bytes through a path that loses; garbage in the SYN. (What the engine does with
 * each byte is tested in tests/tls.) */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/bulk.h"
#include "support/holds.h"
#include "support/tls_world.h"

static struct tlsyn_certified made[2]; /* RSA, ECDSA */

static void make_certificates(void)
{
    for (int i = 0; i < 2; i++)
        tls_world_certify(&made[i], 11, i == 0);
}

/* --- users: the client asks, the server answers; or both send a pattern ----------------------- */

struct user {
    struct tlsyn_handler handler;
    struct tlsyn_tls *tls;
    struct world *world;
    struct user *free_next; /* the server's, to be freed after the test */
    bool is_server;
    uint64_t to_send, sent, received; /* of the pattern; to_send 0: ask and answer */
    size_t heard;
    tlsyn_time opened, established, first_byte; /* on the world's clock */
    bool done, closed;
    int error;
    char sentence[256];
    char text[64];
};

static void send_pattern(struct user *u)
{
    uint8_t bytes[4096];

    while (u->sent < u->to_send) {
        size_t n = u->to_send - u->sent < sizeof(bytes) ? u->to_send - u->sent : sizeof(bytes);
        ssize_t taken;

        bulk_fill(bytes, n, u->sent);
        taken = tlsyn_tls_write(u->tls, bytes, n);
        if (taken <= 0)
            return;
        u->sent += (uint64_t)taken;
    }
    if (u->to_send > 0)
        tlsyn_tls_close(u->tls);
}

static void on_established(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = (struct user *)h;

    (void)c;
    u->established = u->world->now;
    if (u->to_send == 0 && !u->is_server)
        HOLDS(tlsyn_tls_write(u->tls, REQUEST, strlen(REQUEST)) == (ssize_t)strlen(REQUEST));
    send_pattern(u);
}

static void hear(struct user *u, const uint8_t *bytes, size_t n)
{
    if (u->first_byte == 0)
        u->first_byte = u->world->now;
    HOLDS(u->to_send == 0 || bulk_holds(bytes, n, u->received));
    u->received += n;
}

static void on_data(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = (struct user *)h;
    uint8_t bytes[16384];
    ssize_t n;

    (void)c;
    while ((n = tlsyn_tls_read(u->tls, bytes, sizeof(bytes))) > 0)
        hear(u, bytes, (size_t)n);
    if (u->to_send == 0 && u->is_server && u->received == strlen(REQUEST) && u->sent == 0) {
        u->sent = strlen(RESPONSE);
        HOLDS(tlsyn_tls_write(u->tls, RESPONSE, strlen(RESPONSE)) == (ssize_t)strlen(RESPONSE));
        tlsyn_tls_close(u->tls);
    }
    if (u->to_send == 0 && !u->is_server && n == 0)
        tlsyn_tls_close(u->tls);
}

static void on_acked(struct tlsyn_handler *h, struct tlsyn_conn *c, size_t n)
{
    (void)c;
    (void)n;
    send_pattern((struct user *)h);
}

static void on_closed(struct tlsyn_handler *h, struct tlsyn_conn *c, int error)
{
    struct user *u = (struct user *)h;

    (void)c;
    u->error = error;
    snprintf(u->sentence, sizeof(u->sentence), "%s", tlsyn_tls_error(u->tls));
    tlsyn_tls_free(u->tls);
    u->tls = NULL;
    u->closed = u->done = true;
}

static const struct tlsyn_conn_events events = {
    .on_established = on_established,
    .on_data = on_data,
    .on_acked = on_acked,
    .on_closed = on_closed,
};

/* --- the bed ---------------------------------------------------------------------------------- */

struct bed {
    struct world world;
    struct tlsyn_tls_config *config[WORLD_HOSTS];
    struct tlsyn_listener *listener;
    struct tlsyn_acceptor acceptor;
    struct user *servers; /* newest first */
    int accepted;
    uint64_t to_send;
};

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *a, struct tlsyn_conn *conn)
{
    struct bed *bed = (struct bed *)((char *)a - offsetof(struct bed, acceptor));
    struct user *u = calloc(1, sizeof(*u));

    HOLDS(u != NULL);
    *u = (struct user){.handler = {.events = &events},
                       .world = &bed->world,
                       .is_server = true,
                       .to_send = bed->to_send,
                       .free_next = bed->servers};
    bed->servers = u;
    bed->accepted++;
    HOLDS(tlsyn_tls_attach(bed->config[WORLD_SERVER], conn, NULL, &u->handler, &u->tls) == 0);
    return tlsyn_tls_handler(u->tls);
}

static void make_config(struct bed *bed, int host, enum tlsyn_tls_suite suite,
                        enum tlsyn_level level, bool pad)
{
    static const char *const alpn[] = {"test/1", NULL};
    const struct tlsyn_tls_options o = {
        .suite = suite, .paper = level == TLSYN_LEVEL_PAPER, .alpn = alpn, .pad_hello = pad};

    bed->config[host] = tls_world_config(&bed->world, host, &o, made, 2);
}

static void bed_open_padded(struct bed *bed, const struct world_options *path,
                            enum tlsyn_tls_suite suite, enum tlsyn_level level, bool pad)
{
    *bed = (struct bed){.acceptor = {.accept = accept_one}};
    world_open(&bed->world, path);
    make_config(bed, WORLD_CLIENT, suite, level, pad);
    make_config(bed, WORLD_SERVER, suite, level, false);
    bed->listener = tls_world_listen(&bed->world, level, &bed->acceptor);
}

static void bed_open(struct bed *bed, const struct world_options *path, enum tlsyn_tls_suite suite,
                     enum tlsyn_level level)
{
    bed_open_padded(bed, path, suite, level, level == TLSYN_LEVEL_OPEN);
}

static void bed_close(struct bed *bed)
{
    tlsyn_listener_close(bed->listener);
    world_close(&bed->world);
    while (bed->servers != NULL) {
        struct user *u = bed->servers;

        bed->servers = u->free_next;
        ck_assert_ptr_null(u->tls);
        free(u);
    }
    tlsyn_tls_config_free(bed->config[WORLD_CLIENT]);
    tlsyn_tls_config_free(bed->config[WORLD_SERVER]);
}

static void visit(struct bed *bed, enum tlsyn_level level, struct user *u)
{
    bool both = false;

    *u = (struct user){.handler = {.events = &events},
                       .world = &bed->world,
                       .to_send = bed->to_send,
                       .opened = bed->world.now};
    tls_world_connect(&bed->world, bed->config[WORLD_CLIENT], level, &u->handler, &u->tls);
    ck_assert_msg(world_run(&bed->world, TLSYN_SECONDS(600), &u->done), "never ended");
    /* What the server has still to hear arrives within a moment. */
    world_run(&bed->world, TLSYN_SECONDS(5), &both);
}

/* --- round trips ------------------------------------------------------------------------------ */

static const struct {
    enum tlsyn_tls_suite suite;
    int sequential; /* round trips until the client may send; embedded: one less */
} kinds[] = {{TLSYN_TLS_12_RSA, 3}, {TLSYN_TLS_12_ECDHE, 3}, {TLSYN_TLS_13, 2}};

static const enum tlsyn_level levels[] = {TLSYN_LEVEL_NONE, TLSYN_LEVEL_OPEN, TLSYN_LEVEL_COOKIE,
                                          TLSYN_LEVEL_PAPER};

START_TEST(the_handshake_takes_its_round_trips_and_none_more)
{
    const struct world_options path = tls_world_path(1);
    enum tlsyn_level level = levels[_i % 4];
    int expected = kinds[_i / 4].sequential - (level != TLSYN_LEVEL_NONE);
    struct user u;
    struct bed bed;

    bed_open(&bed, &path, kinds[_i / 4].suite, level);
    /* The first visit finds the neighbour's address and gets the cookie. */
    visit(&bed, level, &u);
    ck_assert_int_eq(u.error, 0);
    for (int i = 0; i < 3; i++) {
        visit(&bed, level, &u);
        ck_assert_msg(u.error == 0, "%s", u.sentence);
        ck_assert_int_eq(u.established - u.opened, expected * RTT);
        ck_assert_int_eq(u.first_byte - u.opened, (expected + 1) * RTT);
        ck_assert_uint_eq(u.received, strlen(RESPONSE));
        ck_assert_int_eq(bed.servers->error, 0);
        ck_assert_int_eq(bed.servers->established - u.opened,
                         expected * RTT + ONE_WAY - (_i / 4 < 2 ? RTT : 0));
    }
    ck_assert_int_eq(bed.accepted, 4);
    bed_close(&bed);
}
END_TEST

START_TEST(an_unpadded_hello_at_level_open_costs_no_more_than_none)
{
    const struct world_options path = tls_world_path(2);
    struct user u;
    struct bed bed;

    /* The budget of three times the SYN may hold the flight or not. */
    bed_open_padded(&bed, &path, kinds[_i].suite, TLSYN_LEVEL_OPEN, false);
    visit(&bed, TLSYN_LEVEL_OPEN, &u);
    visit(&bed, TLSYN_LEVEL_OPEN, &u);
    ck_assert_int_eq(u.error, 0);
    ck_assert_int_ge(u.established - u.opened, (kinds[_i].sequential - 1) * RTT);
    ck_assert_int_le(u.established - u.opened, kinds[_i].sequential * RTT);
    bed_close(&bed);
}
END_TEST

struct counting_trace {
    struct tlsyn_trace base;
    int events;
    int64_t version;
};

static void count_event(struct tlsyn_trace *trace, const struct tlsyn_trace_record *record)
{
    struct counting_trace *t = (struct counting_trace *)trace;

    t->events++;
    t->version = record->field[0];
}

START_TEST(an_established_session_is_traced_with_its_version)
{
    struct counting_trace trace = {
        .base = {.emit = count_event, .mask = 1ull << TLSYN_TRACE_tls_established}};
    const struct world_options path = {.seed = 4, .trace = {[WORLD_CLIENT] = &trace.base}};
    struct user u;
    struct bed bed;

    bed_open(&bed, &path, TLSYN_TLS_13, TLSYN_LEVEL_NONE);
    visit(&bed, TLSYN_LEVEL_NONE, &u);
    ck_assert_int_eq(trace.events, 1);
    ck_assert_int_eq(trace.version, 0x0304);
    bed_close(&bed);
}
END_TEST

START_TEST(a_server_that_admits_nothing_costs_nothing)
{
    const struct world_options path = tls_world_path(3);
    struct user u;
    struct bed bed;

    bed_open(&bed, &path, kinds[_i].suite, TLSYN_LEVEL_NONE);
    visit(&bed, TLSYN_LEVEL_OPEN, &u);
    visit(&bed, TLSYN_LEVEL_OPEN, &u);
    ck_assert_int_eq(u.error, 0);
    ck_assert_int_eq(u.established - u.opened, kinds[_i].sequential * RTT);
    bed_close(&bed);
}
END_TEST

/* --- a path that loses ------------------------------------------------------------------------ */

START_TEST(bytes_survive_a_bad_path)
{
    const struct tlsyn_impairment bad = {.delay = TLSYN_MS(3),
                                         .jitter = TLSYN_MS(1),
                                         .loss = 0.04,
                                         .reorder = 0.03,
                                         .duplicate = 0.02,
                                         .corrupt = 0.01};
    enum tlsyn_level level = _i % 2 == 0 ? TLSYN_LEVEL_NONE : TLSYN_LEVEL_OPEN;

    for (uint64_t seed = 1; seed <= 5; seed++) {
        const struct world_options path = {
            .seed = seed + 100 * (uint64_t)_i, .to_server = bad, .to_client = bad};
        struct user u;
        struct bed bed;

        bed_open(&bed, &path, kinds[_i % 3].suite, level);
        bed.to_send = 150000;
        visit(&bed, level, &u);
        ck_assert_msg(u.error == 0, "%d %s", u.error, u.sentence);
        ck_assert_uint_eq(u.received, 150000);
        ck_assert_uint_eq(bed.servers->received, 150000);
        bed_close(&bed);
    }
}
END_TEST

/* --- memory that is short --------------------------------------------------------------------- */

static const struct tlsyn_conn_events silent = {.on_data = on_data, .on_closed = on_closed};

/* Simulator seeds 50158 and 83270: with nothing on its way, no ACK would bring it on. */
START_TEST(whom_memory_was_refused_goes_on_when_there_is_some)
{
    const struct world_options path = {.to_server.delay = ONE_WAY, .to_client.delay = ONE_WAY};
    struct user u = {.handler = {.events = &silent}, .to_send = 50000};
    bool never = false;
    struct bed bed;

    bed_open(&bed, &path, TLSYN_TLS_13, TLSYN_LEVEL_NONE);
    bed.to_send = 20000;
    u.world = &bed.world;
    tls_world_connect(&bed.world, bed.config[WORLD_CLIENT], TLSYN_LEVEL_NONE, &u.handler, &u.tls);
    world_run(&bed.world, TLSYN_SECONDS(5), &never); /* its empty rings go */
    ck_assert_uint_eq(u.received, 20000);
    test_memory_fail_all(&bed.world.host[WORLD_CLIENT].memory, true);
    u.handler.events = &events;
    send_pattern(&u);
    world_run(&bed.world, TLSYN_SECONDS(1), &never);
    ck_assert_uint_eq(u.sent, 0);
    test_memory_fail_all(&bed.world.host[WORLD_CLIENT].memory, false);
    ck_assert(world_run(&bed.world, TLSYN_SECONDS(5), &u.done));
    world_run(&bed.world, TLSYN_SECONDS(5), &never);
    ck_assert_int_eq(u.error, 0);
    ck_assert_uint_eq(bed.servers->received, 50000);
    bed_close(&bed);
}
END_TEST

/* --- no TLS at all ---------------------------------------------------------------------------- */

static size_t hear_raw(struct user *u, struct tlsyn_conn *c)
{
    struct tlsyn_view v;
    size_t n = tlsyn_conn_peek(c, &v), keep = sizeof(u->text) - u->heard;

    if (n > 0)
        memcpy(u->text + u->heard, v.part[0].iov_base, n < keep ? n : keep);
    u->heard += n < keep ? n : keep;
    tlsyn_conn_consume(c, n);
    return n;
}

static int raw_open(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    (void)h;
    HOLDS(tlsyn_conn_write(c, REQUEST, strlen(REQUEST)) > 0);
    return 0;
}

static int raw_synack(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    hear_raw((struct user *)h, c);
    return 0;
}

static void raw_data(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    hear_raw((struct user *)h, c);
    if (tlsyn_conn_ended(c))
        tlsyn_conn_close(c);
}

static void raw_closed(struct tlsyn_handler *h, struct tlsyn_conn *c, int error)
{
    struct user *u = (struct user *)h;

    (void)c;
    u->error = error;
    u->done = true;
}

static const struct tlsyn_conn_events raw_events = {
    .on_open = raw_open, .on_synack = raw_synack, .on_data = raw_data, .on_closed = raw_closed};

START_TEST(garbage_gets_an_alert_before_the_end)
{
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 10}; /* fatal, unexpected_message */
    enum tlsyn_level level = _i == 0 ? TLSYN_LEVEL_NONE : TLSYN_LEVEL_OPEN;
    const struct world_options path = {.seed = 4, .to_server = {.delay = ONE_WAY}};
    struct tlsyn_connect_options o;
    struct user u = {.handler = {.events = &raw_events}};
    bool never = false;
    struct bed bed;

    bed_open(&bed, &path, TLSYN_TLS_ANY, level);
    o = tls_world_server(&bed.world, level);
    ck_assert_int_eq(tlsyn_conn_open(bed.world.host[WORLD_CLIENT].stack, &o, &u.handler, NULL), 0);
    ck_assert(world_run(&bed.world, TLSYN_SECONDS(300), &u.done));
    world_run(&bed.world, TLSYN_SECONDS(1), &never);
    ck_assert_uint_eq(u.heard, sizeof(alert));
    ck_assert_mem_eq(u.text, alert, sizeof(alert));
    if (level == TLSYN_LEVEL_OPEN)
        ck_assert_int_eq(u.error, -ECONNRESET);
    ck_assert_int_eq(bed.accepted, 1);
    ck_assert_int_eq(bed.servers->error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(bed.servers->sentence, "is not TLS"));
    bed_close(&bed);
}
END_TEST

/* --- a client that stops ---------------------------------------------------------------------- */

static int silent_open(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    static const uint8_t beginning[] = {22, 3, 1, 2, 0, 1, 0}; /* of a ClientHello */

    if (((struct user *)h)->to_send > 0)
        HOLDS(tlsyn_conn_write(c, beginning, sizeof(beginning)) > 0);
    return 0;
}

static const struct tlsyn_conn_events silent_events = {
    .on_open = silent_open, .on_synack = raw_synack, .on_data = raw_data, .on_closed = raw_closed};

START_TEST(a_client_that_stops_is_not_waited_for) /* loop: says nothing; begins; in the SYN */
{
    enum tlsyn_level level = _i == 2 ? TLSYN_LEVEL_OPEN : TLSYN_LEVEL_NONE;
    const struct world_options path = {.seed = 7, .to_server = {.delay = ONE_WAY}};
    struct user u = {.handler = {.events = &silent_events}, .to_send = _i > 0};
    struct tlsyn_connect_options o;
    bool never = false;
    struct bed bed;

    bed_open(&bed, &path, TLSYN_TLS_ANY, level);
    o = tls_world_server(&bed.world, level);
    ck_assert_int_eq(tlsyn_conn_open(bed.world.host[WORLD_CLIENT].stack, &o, &u.handler, NULL), 0);
    world_run(&bed.world, TLSYN_SECONDS(59), &never);
    ck_assert(!u.done && bed.accepted == 1 && !bed.servers->closed);
    ck_assert(world_run(&bed.world, TLSYN_SECONDS(3), &u.done));
    world_run(&bed.world, TLSYN_SECONDS(1), &never);
    ck_assert_int_eq(bed.servers->error, -ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(bed.servers->sentence, "too long"));
    bed_close(&bed);
}
END_TEST

/* --- more than there is time for -------------------------------------------------------------- */

enum { CROWD_MAX = 64 };

/* A server that begins so many full handshakes per second. */
static void slow_down(struct bed *bed, uint32_t per_second)
{
    const struct tlsyn_tls_options o = {.handshakes_per_second = per_second};

    tlsyn_tls_config_free(bed->config[WORLD_SERVER]);
    bed->config[WORLD_SERVER] = tls_world_config(&bed->world, WORLD_SERVER, &o, &made[1], 1);
}

/* They come at the same time. How many succeed. */
static int crowd_visits(struct bed *bed, enum tlsyn_level level, int n, tlsyn_time *last)
{
    static struct user users[CROWD_MAX];
    bool never = false;
    int good = 0;

    for (int i = 0; i < n; i++) {
        struct user *u = &users[i];

        *u = (struct user){
            .handler = {.events = &events}, .world = &bed->world, .opened = bed->world.now};
        tls_world_connect(&bed->world, bed->config[WORLD_CLIENT], level, &u->handler, &u->tls);
    }
    world_run(&bed->world, TLSYN_SECONDS(60), &never);
    *last = 0;
    for (int i = 0; i < n; i++) {
        ck_assert(users[i].done);
        good += users[i].error == 0;
        if (users[i].error == 0 && users[i].established - users[i].opened > *last)
            *last = users[i].established - users[i].opened;
    }
    return good;
}

START_TEST(beyond_its_rate_a_server_has_sessions_wait) /* loop: levels none, open, cookie */
{
    const struct world_options path = tls_world_path(5);
    struct tlsyn_tls_counters counters;
    struct tlsyn_stack *server;
    struct bed bed;
    struct user u;
    tlsyn_time last;

    bed_open(&bed, &path, TLSYN_TLS_13, levels[_i]);
    slow_down(&bed, 4);
    server = bed.world.host[WORLD_SERVER].stack;
    visit(&bed, levels[_i], &u); /* finds the neighbour, and gets a cookie */
    world_run(&bed.world, TLSYN_SECONDS(60), &u.is_server);
    ck_assert_int_eq(crowd_visits(&bed, levels[_i], 40, &last), 40);
    tlsyn_tls_config_counters(bed.config[WORLD_SERVER], &counters);
    ck_assert_uint_eq(counters.waited, 8);
    ck_assert_uint_eq(counters.too_many, 0);
    ck_assert_int_ge(last, TLSYN_SECONDS(2)); /* eight turns, four per second */
    ck_assert_int_le(last, TLSYN_SECONDS(2) + 3 * RTT);
    uint64_t put_off = tlsyn_counter(server, TLSYN_COUNT_tcp_admit_engine_busy);
    if (levels[_i] == TLSYN_LEVEL_OPEN)
        ck_assert_uint_gt(put_off, 10); /* and let who has a cookie go first */
    else
        ck_assert_uint_eq(put_off, 0);
    bed_close(&bed);
}
END_TEST

START_TEST(when_too_many_wait_the_last_are_told)
{
    const struct world_options path = tls_world_path(6);
    struct tlsyn_tls_counters counters;
    struct bed bed;
    tlsyn_time last;

    bed_open(&bed, &path, TLSYN_TLS_13, TLSYN_LEVEL_NONE);
    slow_down(&bed, 1);
    int good = crowd_visits(&bed, TLSYN_LEVEL_NONE, 50, &last);
    tlsyn_tls_config_counters(bed.config[WORLD_SERVER], &counters);
    ck_assert_uint_gt(counters.too_many, 0);
    ck_assert_int_eq(good + (int)counters.too_many, 50);
    ck_assert_int_ge(good, 42); /* 32 at once, and for ten seconds one each */
    bed_close(&bed);
}
END_TEST

Suite *tls_stack_suite(void);

Suite *tls_stack_suite(void)
{
    Suite *s = suite_create("tls_stack");
    TCase *t = tcase_create("tls_stack");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, the_handshake_takes_its_round_trips_and_none_more, 0, 12);
    tcase_add_loop_test(t, an_unpadded_hello_at_level_open_costs_no_more_than_none, 0, 3);
    tcase_add_test(t, an_established_session_is_traced_with_its_version);
    tcase_add_loop_test(t, a_server_that_admits_nothing_costs_nothing, 0, 3);
    tcase_add_loop_test(t, bytes_survive_a_bad_path, 0, 6);
    tcase_add_test(t, whom_memory_was_refused_goes_on_when_there_is_some);
    tcase_add_loop_test(t, garbage_gets_an_alert_before_the_end, 0, 2);
    tcase_add_loop_test(t, a_client_that_stops_is_not_waited_for, 0, 3);
    tcase_add_loop_test(t, beyond_its_rate_a_server_has_sessions_wait, 0, 3);
    tcase_add_test(t, when_too_many_wait_the_last_are_told);
    suite_add_tcase(s, t);
    return s;
}
