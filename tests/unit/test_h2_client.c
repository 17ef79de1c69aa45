/*
 * test_h2_client.c: a client of HTTP/2 with our own server, and with hostile ones.
 */
#include <check.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/h2_server.h"
#include "web/http_client.h"
#include "web/site.h"

#define REQUESTS 200

struct got {
    int heads, status, done, error;
    uint64_t length, bytes;
    char type[64];
    char sentence[120];
};

struct world {
    struct http_client_user user;
    struct http_client *client;
    struct page page;
    struct site *site;
    struct site_service service;
    struct web_server *server;
    struct got got[REQUESTS];
    int next; /* to be asked for when something is done; 0: nothing */
};

static struct world *of(struct http_client_user *user)
{
    return (struct world *)user;
}

static void on_head(struct http_client_user *user, int request, const struct http_head *head)
{
    struct got *got = &of(user)->got[request];

    got->heads++;
    got->status = head->status;
    got->length = head->length;
    (void)http_head_field(head, "Content-Type", got->type, sizeof(got->type));
}

static void on_body(struct http_client_user *user, int request, const char *bytes, size_t n)
{
    (void)bytes;
    of(user)->got[request].bytes += n;
}

static int ask(struct world *w, int request, const char *target)
{
    const struct http_request what = {.authority = "www.page.test", .target = target};

    return w->client->ops->ask(w->client, request, &what);
}

static void on_done(struct http_client_user *user, int request, int error, const char *sentence)
{
    struct world *w = of(user);
    struct got *got = &w->got[request];

    got->done++;
    got->error = error;
    (void)snprintf(got->sentence, sizeof(got->sentence), "%s", sentence);
    if (w->next > 0 && error == 0)
        ck_assert_int_eq(ask(w, w->next++, "/IMG1_1.gif"), 0);
    if (w->next == 100)
        w->next = 0;
}

static const struct http_client_events events = {
    .on_head = on_head, .on_body = on_body, .on_done = on_done};

static struct world *world_new(void)
{
    const struct site_options options = {.port = 443};
    struct world *w = calloc(1, sizeof(*w));

    ck_assert_ptr_nonnull(w);
    page_typical(&w->page);
    ck_assert_int_eq(site_new(&w->page, &options, &w->site), 0);
    site_serve(w->site, &w->service);
    w->server = h2_server_new(&w->service.service);
    w->user.events = &events;
    ck_assert_int_eq(h2_client_new(&w->user, &w->client), 0);
    return w;
}

static void world_free(struct world *w)
{
    w->client->ops->free(w->client);
    web_server_free(w->server, -ECONNRESET);
    site_free(w->site);
    free(w);
}

static bool client_speaks(struct world *w, size_t step)
{
    const char *bytes = NULL;
    size_t n = w->client->ops->pending(w->client, &bytes);

    if (n > step)
        n = step;
    (void)web_server_input(w->server, bytes, n);
    w->client->ops->sent(w->client, n);
    return n > 0;
}

static bool server_speaks(struct world *w, size_t step)
{
    char bytes[4096];
    ssize_t n = web_server_output(w->server, bytes, step);

    ck_assert_int_ge(n, 0);
    if (n > 0)
        ck_assert_int_eq(w->client->ops->take(w->client, bytes, (size_t)n), 0);
    return n > 0;
}

static void talk(struct world *w, size_t step)
{
    bool more = true;

    while (more) {
        more = client_speaks(w, step);
        more = server_speaks(w, step) || more;
    }
}

START_TEST(a_page_comes_side_by_side_however_it_is_cut)
{
    for (size_t step = 1; step <= 4096; step = step * 5 + 2) {
        struct world *w = world_new();

        for (int i = 0; i < w->page.urls; i++) {
            char target[SITE_TARGET_MAX];

            site_target(&w->page, i, target);
            ck_assert_int_eq(ask(w, i, target), 0);
        }
        talk(w, step);
        for (int i = 0; i < w->page.urls; i++) {
            const struct got *got = &w->got[i];
            enum page_kind kind = w->page.url[i].kind;
            int status = w->page.url[i].host != 0 ? 404 : kind == PAGE_REDIRECT ? 302 : 200;

            ck_assert(got->heads == 1 && got->done == 1 && got->error == 0);
            ck_assert_msg(got->status == status, "%d: %d", i, got->status);
            ck_assert_uint_eq(got->bytes, got->length);
            if (kind == PAGE_CSS)
                ck_assert_str_eq(got->type, "text/css; charset=utf-8");
        }
        ck_assert_int_eq(w->client->ops->room(w->client), 100);
        world_free(w);
    }
}
END_TEST

START_TEST(requests_may_be_made_when_others_are_done)
{
    struct world *w = world_new();

    w->next = 1;
    ck_assert_int_eq(ask(w, 0, "/IMG1_1.gif"), 0);
    talk(w, 4096);
    for (int i = 0; i < 100; i++)
        ck_assert(w->got[i].done == 1 && w->got[i].status == 200 && w->got[i].bytes == 4000);
    world_free(w);
}
END_TEST

START_TEST(there_is_room_for_so_many)
{
    struct world *w = world_new();

    talk(w, 4096);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(w->client->ops->room(w->client), 100 - i);
        ck_assert_int_eq(ask(w, i, "/"), 0);
    }
    ck_assert_int_eq(w->client->ops->room(w->client), 0);
    ck_assert_int_eq(ask(w, 100, "/"), -EAGAIN);
    talk(w, 4096);
    ck_assert(w->got[99].status == 200 && w->got[100].done == 0);
    ck_assert_int_eq(w->client->ops->room(w->client), 100);
    world_free(w);
}
END_TEST

START_TEST(who_says_goodbye_answers_what_was_asked)
{
    struct world *w = world_new();

    ck_assert_int_eq(ask(w, 0, "/F1.html"), 0);
    while (client_speaks(w, 4096))
        ;
    web_server_stop(w->server, false);
    talk(w, 4096);
    ck_assert(w->got[0].done == 1 && w->got[0].error == 0 && w->got[0].status == 200);
    ck_assert_int_lt(w->client->ops->room(w->client), 0);
    ck_assert_int_eq(ask(w, 1, "/"), -EAGAIN);
    world_free(w);
}
END_TEST

START_TEST(what_is_under_way_hears_of_the_end)
{
    struct world *w = world_new();

    w->next = 50; /* and can't go on */
    ck_assert_int_eq(ask(w, 0, "/"), 0);
    ck_assert_int_eq(ask(w, 1, "/"), 0);
    w->client->ops->ended(w->client, 0, "");
    ck_assert(w->got[0].done == 1 && w->got[0].error == -ECONNRESET && w->got[1].done == 1);
    ck_assert_ptr_nonnull(strstr(w->got[1].sentence, "closed the connection"));
    ck_assert_int_lt(w->client->ops->room(w->client), 0);
    w->client->ops->ended(w->client, -ETIMEDOUT, "too late");
    ck_assert_int_eq(w->got[0].done, 1);
    world_free(w);
}
END_TEST

/* --- servers by hand -------------------------------------------------------------------------- */

static size_t frame(char *to, uint8_t type, uint8_t flags, uint8_t stream, const char *payload,
                    size_t n)
{
    const char head[9] = {0, (char)(n >> 8), (char)n, (char)type, (char)flags, 0, 0,
                          0, (char)stream};

    memcpy(to, head, 9);
    memcpy(to + 9, payload, n);
    return n + 9;
}

/* A client that has asked for "/", and a server that has said SETTINGS. */
static struct world *asked(void)
{
    struct world *w = world_new();
    char bytes[32];
    size_t n = frame(bytes, NGHTTP2_SETTINGS, 0, 0, "", 0);
    const char *out = NULL;

    ck_assert_int_eq(ask(w, 0, "/"), 0);
    w->client->ops->sent(w->client, w->client->ops->pending(w->client, &out));
    ck_assert_int_eq(w->client->ops->take(w->client, bytes, n), 0);
    return w;
}

static int hear(struct world *w, uint8_t type, uint8_t flags, uint8_t stream, const char *payload,
                size_t n)
{
    static char bytes[70000];

    return w->client->ops->take(w->client, bytes, frame(bytes, type, flags, stream, payload, n));
}

#define LAST (NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS)

START_TEST(half_an_answer_is_none)
{
    struct world *w = asked();

    /* 200, of 5 bytes, of which 2 come. */
    ck_assert_int_eq(hear(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                          "\x88\x5c\x01"
                          "5",
                          4),
                     0);
    ck_assert(w->got[0].heads == 1 && w->got[0].status == 200 && w->got[0].length == 5);
    (void)hear(w, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "he", 2);
    (void)client_speaks(w, 4096); /* RST_STREAM */
    ck_assert(w->got[0].done == 1 && w->got[0].error == -ECONNRESET);
    world_free(w);

    w = asked(); /* and one that is reset */
    ck_assert_int_eq(hear(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\x88", 1), 0);
    ck_assert_int_eq(hear(w, NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x08", 4), 0);
    ck_assert(w->got[0].done == 1 && w->got[0].error == -ECONNRESET);
    ck_assert_ptr_nonnull(strstr(w->got[0].sentence, "CANCEL"));
    ck_assert_int_gt(w->client->ops->room(w->client), 0); /* others may go on */
    world_free(w);
}
END_TEST

START_TEST(interim_answers_are_passed_over_as_long_as_they_are_few)
{
    struct world *w = asked();

    for (int i = 0; i < 8; i++) /* ":status: 103" */
        ck_assert_int_eq(hear(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                              "\x48\x03"
                              "103",
                              5),
                         0);
    ck_assert_int_eq(w->got[0].heads, 0);
    ck_assert_int_eq(hear(w, NGHTTP2_HEADERS, LAST, 1, "\x89", 1), 0); /* 204 */
    ck_assert(w->got[0].heads == 1 && w->got[0].status == 204 && w->got[0].error == 0);
    ck_assert_int_eq(w->got[0].done, 1);
    world_free(w);

    w = asked();
    for (int i = 0; i < 9; i++)
        ck_assert_int_eq(hear(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                              "\x48\x03"
                              "103",
                              5),
                         0);
    (void)client_speaks(w, 4096);
    ck_assert(w->got[0].done == 1 && w->got[0].error == -EBADMSG);
    world_free(w);
}
END_TEST

START_TEST(a_header_without_end_is_refused)
{
    struct world *w = asked();
    char fields[16000];
    int error = 0;

    /* ":status: 200" and a field of 120 bytes, again and again. */
    fields[0] = '\x88';
    for (size_t at = 1; at + 125 <= sizeof(fields); at += 125) {
        memcpy(fields + at, "\0\x01x\x79", 4);
        memset(fields + at + 4, 'a', 121);
    }
    ck_assert_int_eq(hear(w, NGHTTP2_HEADERS, 0, 1, fields, 1 + 127 * 125), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(hear(w, NGHTTP2_CONTINUATION, 0, 1, fields + 1, 127 * 125), 0);
    ck_assert_int_eq(hear(w, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, "", 0), 0);
    (void)client_speaks(w, 4096);
    ck_assert(w->got[0].done == 1 && w->got[0].error == -EMSGSIZE);
    ck_assert_ptr_nonnull(strstr(w->got[0].sentence, "longer than 32768"));
    world_free(w);

    w = asked(); /* in crumbs */
    ck_assert_int_eq(hear(w, NGHTTP2_HEADERS, 0, 1, "\x88", 1), 0);
    for (int i = 0; i < 20 && error == 0; i++)
        error = hear(w, NGHTTP2_CONTINUATION, 0, 1, "", 0);
    ck_assert_int_eq(error, -EBADMSG);
    ck_assert(w->got[0].done == 1 && w->got[0].error == -EBADMSG);
    ck_assert_ptr_nonnull(strstr(w->got[0].sentence, "pieces"));
    world_free(w);
}
END_TEST

START_TEST(what_is_no_http2_ends_the_connection)
{
    static const struct {
        uint8_t type, flags, stream;
        const char *payload;
        size_t n;
    } bad[] = {
        {NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1, "\0\0\0\x02\x82", 5}, /* was declined */
        {NGHTTP2_DATA, 0, 9, "x", 1},                      /* of a stream that is idle */
        {NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4},      /* by nothing */
        {NGHTTP2_HEADERS, LAST, 1, "\xff\xff\xff\xff", 4}, /* no HPACK */
        {NGHTTP2_PING, 0, 0, "1234", 4},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct world *w = asked();

        ck_assert_msg(hear(w, bad[i].type, bad[i].flags, bad[i].stream, bad[i].payload, bad[i].n) ==
                          -EBADMSG,
                      "%zu", i);
        ck_assert(w->got[0].done == 1 && w->got[0].error == -EBADMSG);
        ck_assert_int_lt(w->client->ops->room(w->client), 0);
        world_free(w);
    }
}
END_TEST

Suite *h2_client_suite(void);

Suite *h2_client_suite(void)
{
    Suite *suite = suite_create("h2_client");
    TCase *honest = tcase_create("honest servers");
    TCase *hostile = tcase_create("others");

    tcase_add_test(honest, a_page_comes_side_by_side_however_it_is_cut);
    tcase_add_test(honest, requests_may_be_made_when_others_are_done);
    tcase_add_test(honest, there_is_room_for_so_many);
    tcase_add_test(honest, who_says_goodbye_answers_what_was_asked);
    tcase_add_test(honest, what_is_under_way_hears_of_the_end);
    suite_add_tcase(suite, honest);
    tcase_add_test(hostile, half_an_answer_is_none);
    tcase_add_test(hostile, interim_answers_are_passed_over_as_long_as_they_are_few);
    tcase_add_test(hostile, a_header_without_end_is_refused);
    tcase_add_test(hostile, what_is_no_http2_ends_the_connection);
    suite_add_tcase(suite, hostile);
    return suite;
}
