/*
 * test_loader_room.c: pages loaded from servers that take fewer requests at a time than a browser
 * likes to make.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/webnet.h"
#include "web/loader.h"

enum { IMAGES = 20, BODY_MAX = IMAGES * 32, ROUND_TRIPS = 1000 };

/* --- a client that finds little room ---------------------------------------------------------- */

static int make_client(const struct carrier_facts *facts, struct http_client_user *user,
                       struct http_client **client)
{
    return facts->h2 ? h2_client_new(user, client) : h1_client_new(user, client);
}

/* A client of HTTP/2 whose server allows a few requests at a time, as it says in its settings; or,
 * where it lies about that, takes no more. */
enum { FEW = 3 };

struct narrow {
    struct http_client base;      /* first member */
    struct http_client_user user; /* of the one within */
    struct http_client_user *outer;
    struct http_client *inner;
    int busy;
    bool lies;
};

static int narrow_few;  /* as it says */
static int narrow_most; /* of all of a test's */
static bool narrow_lies;

static struct narrow *of_narrow(struct http_client *client)
{
    return (struct narrow *)client;
}

static struct narrow *of_inner(struct http_client_user *user)
{
    return (struct narrow *)((char *)user - offsetof(struct narrow, user));
}

static void narrow_head(struct http_client_user *user, int request, const struct http_head *head)
{
    struct narrow *n = of_inner(user);

    n->outer->events->on_head(n->outer, request, head);
}

static void narrow_body(struct http_client_user *user, int request, const char *bytes, size_t len)
{
    struct narrow *n = of_inner(user);

    n->outer->events->on_body(n->outer, request, bytes, len);
}

static void narrow_done(struct http_client_user *user, int request, int error, const char *why)
{
    struct narrow *n = of_inner(user);

    n->busy--;
    n->outer->events->on_done(n->outer, request, error, why);
}

static const struct http_client_events narrow_events = {
    .on_head = narrow_head, .on_body = narrow_body, .on_done = narrow_done};

static int narrow_ask(struct http_client *client, int request, const struct http_request *what)
{
    struct narrow *n = of_narrow(client);
    int error = n->busy < narrow_few ? n->inner->ops->ask(n->inner, request, what) : -EAGAIN;

    n->busy += error == 0;
    narrow_most = n->busy > narrow_most ? n->busy : narrow_most;
    return error;
}

static int narrow_room(const struct http_client *client)
{
    const struct narrow *n = (const struct narrow *)client;
    int room = n->inner->ops->room(n->inner);

    return room > narrow_few - n->busy && !n->lies ? narrow_few - n->busy : room;
}

static size_t narrow_pending(struct http_client *client, const char **bytes)
{
    return of_narrow(client)->inner->ops->pending(of_narrow(client)->inner, bytes);
}

static void narrow_sent(struct http_client *client, size_t n)
{
    of_narrow(client)->inner->ops->sent(of_narrow(client)->inner, n);
}

static int narrow_take(struct http_client *client, const char *bytes, size_t n)
{
    return of_narrow(client)->inner->ops->take(of_narrow(client)->inner, bytes, n);
}

static void narrow_ended(struct http_client *client, int error, const char *sentence)
{
    of_narrow(client)->inner->ops->ended(of_narrow(client)->inner, error, sentence);
}

static void narrow_free(struct http_client *client)
{
    of_narrow(client)->inner->ops->free(of_narrow(client)->inner);
    free(client);
}

static int make_narrow(const struct carrier_facts *facts, struct http_client_user *user,
                       struct http_client **client)
{
    static const struct http_client_ops ops = {.ask = narrow_ask,
                                               .room = narrow_room,
                                               .pending = narrow_pending,
                                               .sent = narrow_sent,
                                               .take = narrow_take,
                                               .ended = narrow_ended,
                                               .free = narrow_free};
    struct narrow *n = calloc(1, sizeof(*n));

    ck_assert_ptr_nonnull(n);
    *n = (struct narrow){
        .base = {&ops}, .user = {&narrow_events}, .outer = user, .lies = narrow_lies};
    ck_assert_int_eq(make_client(facts, &n->user, &n->inner), 0);
    *client = &n->base;
    return 0;
}

/* --- loads ------------------------------------------------------------------------------------ */

static void on_done(struct loader_user *user)
{
    (void)user;
}

/* A document that names images, all of one server. */
struct site {
    char body[BODY_MAX], target[IMAGES][8];
    struct webnet_file files[IMAGES + 2];
    struct webnet_host hosts[2];
    struct webnet *net;
    struct loader_user user;
    struct loader *loader;
};

static void load(struct site *s, bool h2, const struct loader_options *options)
{
    const bool never = false;
    struct url page;
    size_t at = 0;

    *s = (struct site){.user = {on_done}};
    for (int i = 0; i < IMAGES; i++) {
        (void)snprintf(s->target[i], sizeof(s->target[i]), "/%d.gif", i);
        at += (size_t)snprintf(s->body + at, sizeof(s->body) - at, "<img src=/%d.gif>", i);
        s->files[i + 1] = (struct webnet_file){
            .target = s->target[i], .type = "image/gif", .body = "GIF", .length = 2000};
    }
    s->files[0] = (struct webnet_file){.target = "/", .body = s->body};
    s->hosts[0] = (struct webnet_host){.name = "www.page.test", .files = s->files, .h2 = h2};
    s->net = webnet_new(s->hosts);
    ck_assert_int_eq(url_parse("https://www.page.test/", &page), 0);
    s->loader = loader_new(webnet_carrier(s->net), &s->user, options);
    ck_assert_ptr_nonnull(s->loader);
    ck_assert_int_eq(loader_start(s->loader, &page), 0);
    webnet_run(s->net, &never, ROUND_TRIPS);
    loader_stop(s->loader, -ETIMEDOUT);
}

/* Everything is there, and nothing was asked for twice. */
static void expect_all(const struct site *s, int connections)
{
    const struct load_result *r = loader_result(s->loader);

    ck_assert_msg(r->error == 0 && r->failed == 0 && r->there == IMAGES + 1, "%d there: %s",
                  r->there, r->sentence);
    ck_assert_int_eq(r->connections, connections);
    for (int i = 0; i <= IMAGES; i++)
        ck_assert_int_eq(webnet_asked(s->net, 0, i), 1);
}

static void leave(struct site *s)
{
    loader_free(s->loader);
    webnet_free(s->net);
}

static struct loader_options options_with(int (*client)(const struct carrier_facts *,
                                                        struct http_client_user *,
                                                        struct http_client **))
{
    return (struct loader_options){.visit = BROWSER_FIRST,
                                   .multiplexed = true,
                                   .connections = 16,
                                   .others = 2,
                                   .client = client};
}

START_TEST(what_a_server_does_not_take_at_a_time_waits)
{
    const struct loader_options options = options_with(make_narrow);

    for (int lies = 0; lies < 2; lies++) {
        struct site site;

        narrow_lies = lies;
        narrow_few = FEW;
        narrow_most = 0;
        load(&site, true, &options);
        expect_all(&site, 1);
        ck_assert_int_eq(narrow_most, FEW);
        leave(&site);
    }
}
END_TEST

/* RFC 9113 6.5.2: it should do so for a short time only, and may change its mind. */
START_TEST(a_server_that_allows_no_request_is_waited_for_and_told)
{
    const struct loader_options options = options_with(make_narrow);
    const struct load_result *r;
    struct site site;

    narrow_lies = false;
    narrow_few = 0;
    load(&site, true, &options);
    r = loader_result(site.loader);
    ck_assert_int_eq(r->error, -ETIMEDOUT);
    ck_assert_int_eq(r->there, 0);
    ck_assert_msg(strstr(r->sentence, "allows no request"), "%s", r->sentence);
    leave(&site);
}
END_TEST

/* Whoever expected HTTP/2 opens more connections when there is none. */
START_TEST(a_server_of_http_1_where_http_2_was_expected_gets_more_connections)
{
    const struct loader_options options = options_with(make_client);
    struct site site;

    load(&site, false, &options);
    expect_all(&site, 16);
    leave(&site);
}
END_TEST

Suite *loader_room_suite(void);

Suite *loader_room_suite(void)
{
    Suite *suite = suite_create("loader_room");
    TCase *tcase = tcase_create("loader_room");

    tcase_add_test(tcase, what_a_server_does_not_take_at_a_time_waits);
    tcase_add_test(tcase, a_server_that_allows_no_request_is_waited_for_and_told);
    tcase_add_test(tcase, a_server_of_http_1_where_http_2_was_expected_gets_more_connections);
    suite_add_tcase(suite, tcase);
    return suite;
}
