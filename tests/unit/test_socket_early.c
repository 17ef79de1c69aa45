/* Early data through sockets, on a virtual clock: what rides in the SYN, what follows, what the
 * server's program knows of it, and that a rejection loses and doubles nothing. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tlsyn/certify.h>
#include <tlsyn/tls_socket.h>

#include "core/random.h"
#include "support/world.h"

#define ADDR(a) ((struct sockaddr *)&(a))
#define WALL    INT64_C(1907755200) /* 2030-06-15 */
#define PORT    443
#define ONE_WAY TLSYN_MS(10)
#define TAKEN   4000 /* bytes of early data that a ticket allows */

struct worlds_clock {
    struct tlsyn_net_clock clock;
    struct world *world;
};

struct bed {
    struct world world;
    struct worlds_clock clock[WORLD_HOSTS];
    struct tlsyn_net *net[WORLD_HOSTS];
    struct tlsyn_certified certified;
    struct tlsyn_tls_config *config[WORLD_HOSTS];
    const char *const *alpn;
    struct sockaddr_in at;
    int listener;
};

static tlsyn_time world_now(struct tlsyn_net_clock *clock)
{
    return ((struct worlds_clock *)(void *)clock)->world->now;
}

static void make_config(struct bed *b, int host, enum tlsyn_tls_suite suite)
{
    const struct tlsyn_certified *c = &b->certified;
    struct tlsyn_tls_options options = {
        .role = host == WORLD_CLIENT ? TLSYN_TLS_CLIENT : TLSYN_TLS_SERVER,
        .suite = suite,
        .wall_clock = WALL,
        .wall_at = TLSYN_SECONDS(1000),
        .tickets = host == WORLD_SERVER,
        .sessions = host == WORLD_CLIENT ? 8 : 0,
        .early_data = TAKEN,
        .alpn = b->alpn,
        .random = tlsyn_stack_random(b->world.host[host].stack),
    };

    ck_assert_int_eq(tlsyn_tls_config_new(&options, &b->config[host], NULL), 0);
    if (host == WORLD_SERVER)
        ck_assert_int_eq(tlsyn_tls_config_identity(b->config[host], c->chain, strlen(c->chain),
                                                   c->key, strlen(c->key), NULL),
                         0);
    else
        ck_assert_int_eq(tlsyn_tls_config_trust(b->config[host], c->ca, strlen(c->ca), NULL), 1);
}

static void listen_there(struct bed *b)
{
    b->listener = tlsyn_socket(b->net[WORLD_SERVER], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(tlsyn_socket_tls(b->listener, b->config[WORLD_SERVER]), 0);
    b->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
    ck_assert_int_eq(tlsyn_bind(b->listener, ADDR(b->at), sizeof(b->at)), 0);
    ck_assert_int_eq(tlsyn_listen(b->listener, 4), 0);
    b->at.sin_addr.s_addr = htonl(0x0a000002);
}

static void bed_open_with(struct bed *b, const char *const *alpn)
{
    static const char *const names[] = {"host.test", NULL};
    const struct world_options path = {
        .seed = 3, .to_server = {.delay = ONE_WAY}, .to_client = {.delay = ONE_WAY}};
    struct random_seeded random;
    struct tlsyn_certify_options certify = {
        .names = names, .now = WALL, .days = 10, .random = &random.base};

    random_seed(&random, 6);
    *b = (struct bed){.alpn = alpn, .listener = -1};
    ck_assert_int_eq(tlsyn_certify(&certify, &b->certified), 0);
    world_open(&b->world, &path);
    for (int i = 0; i < WORLD_HOSTS; i++) {
        b->clock[i] = (struct worlds_clock){{world_now}, &b->world};
        const struct tlsyn_net_options options = {.stack = b->world.host[i].stack,
                                                  .clock = &b->clock[i].clock};

        ck_assert_int_eq(tlsyn_net_open(&options, &b->net[i]), 0);
        make_config(b, i, i == WORLD_CLIENT ? TLSYN_TLS_ANY : TLSYN_TLS_13);
    }
    listen_there(b);
}

static void bed_open(struct bed *b)
{
    bed_open_with(b, NULL);
}

/* Another server at the same place, which knows nothing of the tickets of the one before. */
static void restart_server(struct bed *b, enum tlsyn_tls_suite suite)
{
    tlsyn_close(b->listener);
    tlsyn_tls_config_free(b->config[WORLD_SERVER]);
    make_config(b, WORLD_SERVER, suite);
    listen_there(b);
}

static void bed_close(struct bed *b)
{
    tlsyn_close(b->listener);
    for (int i = 0; i < WORLD_HOSTS; i++) {
        tlsyn_net_close(b->net[i]);
        tlsyn_tls_config_free(b->config[i]);
    }
    world_close(&b->world);
}

/* What happens in this time is seen by both nets. */
static void pass(struct bed *b, tlsyn_time duration)
{
    tlsyn_time until = b->world.now + duration;

    while (b->world.now < until) {
        (void)world_step(&b->world, until);
        for (int i = 0; i < WORLD_HOSTS; i++)
            tlsyn_net_turn(b->net[i]);
    }
}

/* Opens by sending; what the call returned. */
static ssize_t open_with(struct bed *b, int *client, const void *bytes, size_t n)
{
    ssize_t taken;

    *client = tlsyn_socket(b->net[WORLD_CLIENT], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(tlsyn_socket_tls_client(*client, b->config[WORLD_CLIENT], "host.test"), 0);
    taken = tlsyn_sendto(*client, bytes, n, MSG_FASTOPEN, ADDR(b->at), sizeof(b->at));
    return taken < 0 ? -errno : taken;
}

static int early(int fd)
{
    int value = -1;
    socklen_t n = sizeof(value);

    ck_assert_int_eq(tlsyn_getsockopt(fd, SOL_TLSYN, TLSYN_EARLY, &value, &n), 0);
    return value;
}

/* All that can be read now is this. */
static void assert_reads(int fd, const void *expected, size_t n)
{
    uint8_t got[8192];
    size_t have = 0;
    ssize_t r;

    while ((r = tlsyn_read(fd, got + have, sizeof(got) - have)) > 0)
        have += (size_t)r;
    ck_assert_int_eq(r, -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_eq(have, n);
    ck_assert_mem_eq(got, expected, n);
}

/* A first visit, that brings a ticket and a cookie. */
static void first_visit(struct bed *b)
{
    int client, server;

    ck_assert_int_eq(open_with(b, &client, "x", 1), -EINPROGRESS); /* there is no ticket */
    pass(b, TLSYN_MS(200));
    ck_assert_int_eq(early(client), TLSYN_EARLY_NONE);
    ck_assert_int_eq(tlsyn_write(client, "x", 1), 1);
    server = tlsyn_accept4(b->listener, NULL, NULL, SOCK_NONBLOCK);
    pass(b, TLSYN_MS(100));
    ck_assert_int_eq(early(server), TLSYN_EARLY_NONE);
    assert_reads(server, "x", 1);
    assert_reads(client, "", 0); /* the ticket */
    tlsyn_close(server);
    pass(b, TLSYN_MS(100));
    tlsyn_close(client);
    pass(b, TLSYN_MS(100));
}

START_TEST(the_first_send_rides_in_the_syn_and_its_answer_comes_back_at_once)
{
    int client, server;
    struct bed b;

    bed_open(&b);
    first_visit(&b);
    ck_assert_int_eq(open_with(&b, &client, "GET /", 5), 5);
    pass(&b, ONE_WAY + TLSYN_MS(1)); /* the SYN is there, its answer not yet here */
    server = tlsyn_accept4(b.listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(server, 0);
    ck_assert_int_eq(early(server), TLSYN_EARLY_NOW);
    assert_reads(server, "GET /", 5);
    ck_assert_int_eq(tlsyn_write(server, "200", 3), 3);
    pass(&b, ONE_WAY + TLSYN_MS(1));
    assert_reads(client, "200", 3);
    ck_assert_int_eq(early(client), TLSYN_EARLY_ACCEPTED);
    ck_assert_int_eq(early(server), TLSYN_EARLY_NOW);
    pass(&b, ONE_WAY);
    ck_assert_int_eq(early(server), TLSYN_EARLY_ACCEPTED);
    ck_assert_int_eq(tlsyn_write(client, "more", 4), 4);
    pass(&b, 2 * ONE_WAY);
    assert_reads(server, "more", 4);
    tlsyn_close(client);
    tlsyn_close(server);
    bed_close(&b);
}
END_TEST

/* Programs that know nothing of early data, but have their first send open: with a ticket it rides
 * in the SYN, without one it waits as any send on a full socket would. */
START_TEST(a_deferred_connect_has_the_first_send_ride)
{
    int client, server, on = 1;
    struct bed b;

    bed_open(&b);
    for (int visit = 0; visit < 2; visit++) {
        client = tlsyn_socket(b.net[WORLD_CLIENT], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(
            tlsyn_setsockopt(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)), 0);
        ck_assert_int_eq(tlsyn_connect_ssl(client, ADDR(b.at), sizeof(b.at), b.config[WORLD_CLIENT],
                                           "host.test"),
                         0);
        pass(&b, TLSYN_MS(100)); /* nothing is on its way */
        ck_assert_int_eq(tlsyn_accept(b.listener, NULL, NULL), -1);
        if (visit == 0) {
            ck_assert_int_eq(tlsyn_write(client, "GET /", 5), -1);
            ck_assert_int_eq(errno, EAGAIN);
            pass(&b, TLSYN_MS(200));
        }
        ck_assert_msg(tlsyn_write(client, "GET /", 5) == 5, "visit %d: %s", visit, strerror(errno));
        pass(&b, ONE_WAY + TLSYN_MS(1));
        server = tlsyn_accept4(b.listener, NULL, NULL, SOCK_NONBLOCK);
        ck_assert_int_ge(server, 0);
        ck_assert_int_eq(early(server), visit == 0 ? TLSYN_EARLY_NONE : TLSYN_EARLY_NOW);
        assert_reads(server, "GET /", 5);
        pass(&b, TLSYN_MS(100));
        assert_reads(client, "", 0); /* the ticket */
        tlsyn_close(server);
        pass(&b, TLSYN_MS(100));
        tlsyn_close(client);
        pass(&b, TLSYN_MS(100));
    }
    bed_close(&b);
}
END_TEST

/* It need not wait for the client before it goes. */
START_TEST(who_has_answered_early_may_close)
{
    int client, server;
    char byte;
    struct bed b;

    bed_open(&b);
    first_visit(&b);
    ck_assert_int_eq(open_with(&b, &client, "GET /", 5), 5);
    pass(&b, ONE_WAY + TLSYN_MS(1));
    server = tlsyn_accept4(b.listener, NULL, NULL, SOCK_NONBLOCK);
    assert_reads(server, "GET /", 5);
    ck_assert_int_eq(tlsyn_write(server, "200", 3), 3);
    ck_assert_int_eq(tlsyn_close(server), 0);
    pass(&b, 6 * ONE_WAY);
    ck_assert_int_eq(tlsyn_recv(client, (char[8]){0}, 3, 0), 3);
    ck_assert_int_eq(tlsyn_read(client, &byte, 1), 0); /* an end in order: close_notify */
    tlsyn_close(client);
    bed_close(&b);
}
END_TEST

static void fill(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
}

/* More than a SYN takes, and than a ticket allows: what the call took is sent, the rest is the
 * program's. */
START_TEST(the_call_says_how_much_it_took)
{
    uint8_t bytes[6000];
    int client, server;
    ssize_t taken;
    struct bed b;

    bed_open(&b);
    first_visit(&b);
    fill(bytes, sizeof(bytes));
    taken = open_with(&b, &client, bytes, sizeof(bytes));
    ck_assert_int_gt(taken, 500);
    ck_assert_int_lt(taken, 1460);
    pass(&b, TLSYN_MS(100));
    server = tlsyn_accept4(b.listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_eq(tlsyn_write(client, bytes + taken, sizeof(bytes) - (size_t)taken),
                     (ssize_t)sizeof(bytes) - taken);
    pass(&b, TLSYN_MS(100));
    assert_reads(server, bytes, sizeof(bytes));
    tlsyn_close(client);
    tlsyn_close(server);
    bed_close(&b);
}
END_TEST

/* The server has forgotten its tickets: the bytes come after the handshake, before anything that
 * is written later. */
START_TEST(what_is_rejected_arrives_once_and_first)
{
    int client, server;
    struct bed b;

    bed_open(&b);
    first_visit(&b);
    restart_server(&b, TLSYN_TLS_13);
    ck_assert_int_eq(open_with(&b, &client, "first ", 6), 6);
    pass(&b, ONE_WAY + TLSYN_MS(1));
    ck_assert_int_eq(tlsyn_accept(b.listener, NULL, NULL), -1); /* nothing is there early */
    pass(&b, 4 * ONE_WAY);
    ck_assert_int_eq(early(client), TLSYN_EARLY_REJECTED);
    ck_assert_int_eq(tlsyn_write(client, "second", 6), 6);
    pass(&b, TLSYN_MS(100));
    server = tlsyn_accept4(b.listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_eq(early(server), TLSYN_EARLY_REJECTED);
    assert_reads(server, "first second", 12);
    tlsyn_close(client);
    tlsyn_close(server);
    bed_close(&b);
}
END_TEST

/* Else what was written for one protocol might be written again for another (RFC 8446 4.2.10). */
START_TEST(only_where_one_protocol_is_offered_is_anything_early) /* loop 2 */
{
    const char *const alpn[] = {"one", _i ? "two" : NULL, NULL};
    int client;
    struct bed b;

    bed_open_with(&b, alpn);
    first_visit(&b);
    ck_assert_int_eq(open_with(&b, &client, "GET /", 5), _i ? -EINPROGRESS : 5);
    pass(&b, TLSYN_MS(100));
    ck_assert_int_eq(early(client), _i ? TLSYN_EARLY_NONE : TLSYN_EARLY_ACCEPTED);
    tlsyn_close(client);
    bed_close(&b);
}
END_TEST

/* RFC 8446 D.3: early data that meets TLS 1.2 ends the connection, and the next is without. */
START_TEST(a_server_that_went_back_to_tls12_costs_an_attempt)
{
    int client, server, error = 0;
    socklen_t n = sizeof(error);
    struct bed b;

    bed_open(&b);
    first_visit(&b);
    restart_server(&b, TLSYN_TLS_12_ECDHE);
    ck_assert_int_eq(open_with(&b, &client, "GET /", 5), 5);
    pass(&b, TLSYN_MS(200));
    ck_assert_int_eq(tlsyn_getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &n), 0);
    ck_assert_int_eq(error, EPROTO);
    tlsyn_close(client);
    ck_assert_int_eq(tlsyn_accept(b.listener, NULL, NULL), -1);
    ck_assert_int_eq(open_with(&b, &client, "GET /", 5), -EINPROGRESS);
    pass(&b, TLSYN_MS(200));
    ck_assert_int_eq(tlsyn_write(client, "GET /", 5), 5);
    pass(&b, TLSYN_MS(100));
    server = tlsyn_accept4(b.listener, NULL, NULL, SOCK_NONBLOCK);
    assert_reads(server, "GET /", 5);
    tlsyn_close(client);
    tlsyn_close(server);
    bed_close(&b);
}
END_TEST

Suite *socket_early_suite(void);

Suite *socket_early_suite(void)
{
    Suite *suite = suite_create("socket_early");
    TCase *tests = tcase_create("socket_early");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_first_send_rides_in_the_syn_and_its_answer_comes_back_at_once);
    tcase_add_test(tests, a_deferred_connect_has_the_first_send_ride);
    tcase_add_test(tests, who_has_answered_early_may_close);
    tcase_add_test(tests, the_call_says_how_much_it_took);
    tcase_add_test(tests, what_is_rejected_arrives_once_and_first);
    tcase_add_loop_test(tests, only_where_one_protocol_is_offered_is_anything_early, 0, 2);
    tcase_add_test(tests, a_server_that_went_back_to_tls12_costs_an_attempt);
    suite_add_tcase(suite, tests);
    return suite;
}
