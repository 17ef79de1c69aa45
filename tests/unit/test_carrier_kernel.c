/*
 * test_carrier_kernel.c: the kernel's connections as a page loader uses them, over the loopback,
 * their server in the same poller.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "peer/stream.h"
#include "study/credentials.h"
#include "study/pageload/carrier_kernel.h"

enum { CLIENTS = 2, BIG = 1 << 20, LONG_US = 60 * 1000000, SHORT_US = 1000 };

static struct credentials made;

/* Answers each read with a byte; or (mute) reads nothing once TLS is up. */
struct server {
    struct poller_watch listening;
    struct poller *poller;
    struct peer_context *context;
    int listener;
    bool mute;
    struct served {
        struct poller_watch watch;
        struct server *server;
        struct peer_stream *stream;
    } served[CLIENTS];
    int count;
    size_t heard;   /* bytes, of all */
    bool heard_all; /* BIG of them */
};

struct world {
    struct poller poller;
    struct server server;
    struct peer_context *context;
    struct carrier *carrier;
};

struct client {
    struct carrier_user user; /* first member */
    struct world *world;
    struct carrier_stream *stream;
    struct client *next; /* that is opened when this one is up */
    bool closes_next;    /* and closed when bytes come */
    size_t to_write;
    bool begun, up, resumed, heard, ended;
    int error;
    char sentence[CARRIER_SENTENCE_MAX];
};

/* --- the server ------------------------------------------------------------------------------- */

static void on_served(struct poller_watch *ready, uint32_t events)
{
    struct served *s = (struct served *)((char *)ready - offsetof(struct served, watch));
    char bytes[16384];
    ssize_t n = 0;

    (void)events;
    if (peer_stream_phase(s->stream) != PEER_UP && peer_stream_go_on(s->stream) < 0)
        n = -EPROTO;
    if (s->server->mute && peer_stream_phase(s->stream) == PEER_UP)
        n = -EBUSY;
    while (n >= 0 && peer_stream_phase(s->stream) == PEER_UP &&
           (n = peer_stream_read(s->stream, bytes, sizeof(bytes))) > 0) {
        s->server->heard += (size_t)n;
        s->server->heard_all = s->server->heard == BIG;
        ck_assert_int_eq(peer_stream_write(s->stream, "!", 1), 1);
    }
    if (n < 0 && n != -EAGAIN)
        poller_unwatch(s->server->poller, peer_stream_fd(s->stream));
}

static void on_listener(struct poller_watch *ready, uint32_t events)
{
    struct server *server = (struct server *)((char *)ready - offsetof(struct server, listening));
    struct served *s = &server->served[server->count];

    (void)events;
    ck_assert_int_lt(server->count, CLIENTS);
    if (peer_stream_accept(server->context, server->listener, &s->stream) < 0)
        return;
    server->count++;
    s->server = server;
    s->watch.on_ready = on_served;
    ck_assert_int_eq(poller_watch(server->poller, peer_stream_fd(s->stream), EPOLLIN, &s->watch),
                     0);
}

static void serve(struct server *server, struct poller *poller, int tickets)
{
    const struct peer_identity identity = {.chain = made.ec.chain, .key = made.ec.key};
    const struct sockaddr_in here = {.sin_family = AF_INET,
                                     .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    char message[PEER_MESSAGE_MAX];

    server->poller = poller;
    server->context = peer_server_context(PEER_13, PEER_PSK, &identity, message);
    ck_assert_msg(server->context != NULL, "%s", message);
    peer_context_tickets(server->context, tickets);
    server->listener = peer_stream_listen(&here);
    server->listening.on_ready = on_listener;
    ck_assert_int_ge(server->listener, 0);
    ck_assert_int_eq(poller_watch(poller, server->listener, EPOLLIN, &server->listening), 0);
}

/* --- the client ------------------------------------------------------------------------------- */

static const struct carrier_events events;

static void open_client(struct client *c, struct world *world)
{
    struct sockaddr_in to;
    socklen_t size = sizeof(to);
    struct carrier_target target = {.name = STUDY_SERVER_NAME};
    const uint8_t octets[] = {127, 0, 0, 1};

    ck_assert_int_eq(getsockname(world->server.listener, (struct sockaddr *)&to, &size), 0);
    target.remote.addr = tlsyn_addr_ip4(octets);
    target.remote.port = ntohs(to.sin_port);
    c->user.events = &events;
    c->world = world;
    ck_assert_int_eq(carrier_open(world->carrier, &target, &c->user, &c->stream), 0);
}

static void on_begun(struct carrier_user *user)
{
    struct client *c = (struct client *)user;

    ck_assert(!c->begun);
    c->begun = true;
}

static void write_more(struct client *c)
{
    static const char bytes[16384];
    ssize_t n = 1;

    while (c->to_write > 0 && n > 0) {
        n = carrier_write(c->stream, bytes,
                          c->to_write < sizeof(bytes) ? c->to_write : sizeof(bytes));
        ck_assert_int_ge(n, 0);
        c->to_write -= (size_t)n;
    }
}

static void on_up(struct carrier_user *user)
{
    struct client *c = (struct client *)user;
    struct carrier_facts facts;

    ck_assert(c->begun);
    carrier_facts(c->stream, &facts);
    c->up = true;
    c->resumed = facts.resumed;
    if (c->next)
        open_client(c->next, c->world);
    write_more(c);
}

static void on_room(struct carrier_user *user)
{
    write_more((struct client *)user);
}

static void on_bytes(struct carrier_user *user, const char *bytes, size_t n)
{
    struct client *c = (struct client *)user;

    (void)bytes;
    (void)n;
    c->heard = true;
    if (!c->closes_next || !c->next->stream)
        return;
    ck_assert(!c->next->begun);
    carrier_close(c->next->stream);
    c->next->stream = NULL;
}

static void on_end(struct carrier_user *user, int error, const char *sentence)
{
    struct client *c = (struct client *)user;

    c->error = error;
    (void)snprintf(c->sentence, sizeof(c->sentence), "%s", sentence);
    c->ended = true;
}

static const struct carrier_events events = {.on_begun = on_begun,
                                             .on_up = on_up,
                                             .on_room = on_room,
                                             .on_bytes = on_bytes,
                                             .on_end = on_end};

/* --- both ------------------------------------------------------------------------------------- */

static void set_up(struct world *w, int tickets, double patience_us)
{
    struct carrier_kernel_options options = {
        .poller = &w->poller, .dns = "127.0.0.1", .patience_us = patience_us};
    char message[PEER_MESSAGE_MAX];

    *w = (struct world){.carrier = NULL};
    ck_assert_int_eq(credentials_make(&made), 0);
    ck_assert_int_eq(poller_open(&w->poller), 0);
    serve(&w->server, &w->poller, tickets);
    w->context = peer_client_context(PEER_13, PEER_PSK, made.ec.ca, message);
    ck_assert_msg(w->context != NULL, "%s", message);
    options.context = w->context;
    ck_assert_int_eq(carrier_kernel_new(&options, &w->carrier), 0);
}

static void run(struct world *w, const bool *done)
{
    ck_assert_int_eq(poller_run(&w->poller, done, tlsyn_clock() + TLSYN_SECONDS(20)), 0);
}

static void close_client(struct client *c)
{
    if (c->stream)
        carrier_close(c->stream);
    c->stream = NULL;
}

static void tear_down(struct world *w)
{
    carrier_kernel_free(w->carrier);
    for (int i = 0; i < w->server.count; i++)
        peer_stream_free(w->server.served[i].stream);
    (void)close(w->server.listener);
    poller_close(&w->poller);
    peer_context_free(w->server.context);
    peer_context_free(w->context);
}

/* The kernel has answered the second SYN long before the server has sealed a ticket. */
START_TEST(who_connects_while_a_session_is_due_waits_for_it)
{
    struct client second = {.to_write = 0}, first = {.next = &second, .to_write = 1};
    struct world w;

    set_up(&w, 2, LONG_US);
    open_client(&first, &w);
    run(&w, &second.up);
    ck_assert(first.up && !first.resumed);
    ck_assert(second.up && second.resumed);
    close_client(&first);
    close_client(&second);
    tear_down(&w);
}
END_TEST

START_TEST(who_waits_for_a_session_in_vain_goes_on_without)
{
    struct client second = {.to_write = 0}, first = {.next = &second};
    struct world w;

    set_up(&w, 0, SHORT_US);
    w.server.mute = true;
    open_client(&first, &w);
    run(&w, &second.up);
    ck_assert(!first.heard);
    ck_assert(second.up && !second.resumed);
    close_client(&first);
    close_client(&second);
    tear_down(&w);
}
END_TEST

START_TEST(who_waits_for_a_session_can_be_closed)
{
    struct client second = {.to_write = 0},
                  first = {.next = &second, .closes_next = true, .to_write = 1};
    struct world w;

    set_up(&w, 0, LONG_US);
    open_client(&first, &w);
    run(&w, &first.heard);
    ck_assert_ptr_null(second.stream);
    close_client(&first);
    tear_down(&w);
}
END_TEST

/* More than the socket holds: the rest leaves as there is room. */
START_TEST(what_finds_no_room_leaves_later)
{
    struct client client = {.to_write = BIG};
    struct world w;

    set_up(&w, 1, 0);
    open_client(&client, &w);
    run(&w, &w.server.heard_all);
    ck_assert_uint_eq(client.to_write, 0);
    ck_assert(!client.ended);
    close_client(&client);
    tear_down(&w);
}
END_TEST

START_TEST(who_refuses_is_told_of)
{
    struct client client = {.to_write = 0};
    struct world w;

    set_up(&w, 1, 0);
    poller_unwatch(&w.poller, w.server.listener);
    open_client(&client, &w);
    (void)close(w.server.listener); /* with what waits in it: the client is reset */
    w.server.listener = -1;
    run(&w, &client.ended);
    ck_assert_int_eq(client.error, -ECONNRESET);
    ck_assert_str_ne(client.sentence, "");
    close_client(&client);
    tear_down(&w);
}
END_TEST

Suite *carrier_kernel_suite(void);

Suite *carrier_kernel_suite(void)
{
    Suite *suite = suite_create("carrier_kernel");
    TCase *tcase = tcase_create("carrier_kernel");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, who_connects_while_a_session_is_due_waits_for_it);
    tcase_add_test(tcase, who_waits_for_a_session_in_vain_goes_on_without);
    tcase_add_test(tcase, who_waits_for_a_session_can_be_closed);
    tcase_add_test(tcase, what_finds_no_room_leaves_later);
    tcase_add_test(tcase, who_refuses_is_told_of);
    suite_add_tcase(suite, tcase);
    return suite;
}
