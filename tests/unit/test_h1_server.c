/*
 * test_h1_server.c: HTTP/1.1 from bytes to bytes: kept connections, pipelines, refusals, deadlines.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/h1_server.h"

/* Answers with the target as the body, and remembers how it went. */
struct echo {
    struct web_service service;
    struct web_server *server;
    int begun, ended, error;
    uint64_t brought;
    bool fails; /* while the body is read */
    char got[65536];
    size_t got_len;
};

struct echoed {
    struct web_exchange web;
    size_t at;
};

static struct web_exchange *open_exchange(struct web_service *service)
{
    struct echoed *e = calloc(1, sizeof(*e));

    ck_assert_ptr_nonnull(e);
    ((struct echo *)service)->begun++;
    return &e->web;
}

static void head(struct web_exchange *web)
{
    if (request_is(&web->request, "DELETE"))
        web_say(web, 405);
}

static void take(struct web_exchange *web, const char *bytes, size_t n)
{
    (void)bytes;
    ((struct echo *)web->service)->brought += n;
    if (web->received > 10)
        web_say(web, 413);
}

static void answer(struct web_exchange *web)
{
    web_respond(web, 200);
    web_body(web, "text/plain", strlen(web->request.target));
}

static ssize_t read_body(struct web_exchange *web, char *bytes, size_t n)
{
    struct echoed *e = (struct echoed *)web;

    if (((struct echo *)web->service)->fails)
        return -EIO;
    (void)n;
    *bytes = web->request.target[e->at++]; /* as slowly as can be */
    return 1;
}

static void end(struct web_exchange *web, int error)
{
    struct echo *echo = (struct echo *)web->service;

    echo->ended++;
    echo->error = error;
    free(web);
}

static const struct web_service_ops ops = {
    .open = open_exchange,
    .head = head,
    .take = take,
    .answer = answer,
    .read = read_body,
    .end = end,
};

static void start(struct echo *echo)
{
    *echo = (struct echo){.service = {.ops = &ops}};
    echo->server = h1_server_new(&echo->service);
    ck_assert_ptr_nonnull(echo->server);
}

/* All that is to leave, `step` bytes at a time. */
static void drain(struct echo *echo, size_t step)
{
    ssize_t n = 0;

    while ((n = web_server_output(echo->server, echo->got + echo->got_len, step)) > 0)
        echo->got_len += (size_t)n;
    ck_assert_int_eq(n, 0);
    echo->got[echo->got_len] = '\0';
}

static void say_in_steps(struct echo *echo, const char *text, size_t in, size_t out)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len;) {
        size_t n = len - at < in ? len - at : in;
        size_t used = web_server_input(echo->server, text + at, n);

        at += used;
        drain(echo, out);
        ck_assert_msg(used > 0 || web_server_phase(echo->server) != WEB_SENDING, "stuck at %zu",
                      at);
    }
}

static void say(struct echo *echo, const char *text)
{
    say_in_steps(echo, text, SIZE_MAX, 4096);
}

#define OK(length, body)                                                                           \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " #length "\r\n\r\n" body

START_TEST(pipelined_requests_are_answered_in_turn_however_they_are_cut)
{
    static const char text[] = "GET /one HTTP/1.1\r\nHost: h\r\n\r\n"
                               "POST /three HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                               "HEAD /one HTTP/1.1\r\nHost: h\r\n\r\n";

    for (size_t step = 1; step <= sizeof(text); step++) {
        struct echo echo;

        start(&echo);
        say_in_steps(&echo, text, step, 1 + step % 7);
        ck_assert_str_eq(echo.got, OK(4, "/one") OK(6, "/three") OK(4, ""));
        ck_assert_int_eq(web_server_phase(echo.server), WEB_IDLE);
        ck_assert(echo.begun == 3 && echo.ended == 3 && echo.error == 0);
        ck_assert_uint_eq(echo.server->progress, 5 + 4 + 6);
        web_server_free(echo.server, -ECONNRESET);
        ck_assert_int_eq(echo.ended, 3);
    }
}
END_TEST

START_TEST(nothing_of_the_next_request_is_taken_while_a_response_leaves)
{
    struct echo echo;
    const char *two = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n";

    start(&echo);
    ck_assert_uint_eq(web_server_input(echo.server, two, strlen(two)), strlen(two) / 2);
    ck_assert_int_eq(web_server_phase(echo.server), WEB_SENDING);
    ck_assert_uint_eq(web_server_input(echo.server, two, strlen(two)), 0);
    web_server_free(echo.server, -ECONNRESET);
    ck_assert(echo.ended == 1 && echo.error == -ECONNRESET);
}
END_TEST

START_TEST(the_last_response_says_so_and_input_is_read_away)
{
    static const char *const last[] = {
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "DELETE / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n",
        "NONSENSE\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world",
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    };
    static const int status[] = {200, 200, 405, 501, 400, 413, 400};

    for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
        struct echo echo;
        char line[32];

        start(&echo);
        say(&echo, last[i]);
        (void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status[i]);
        ck_assert_msg(strncmp(echo.got, line, strlen(line)) == 0, "%s", echo.got);
        ck_assert_ptr_nonnull(strstr(echo.got, "\r\nConnection: close\r\n"));
        ck_assert_int_eq(web_server_phase(echo.server), WEB_ENDED);
        ck_assert_uint_eq(web_server_input(echo.server, "GET / HTTP/1.1\r\n", 16), 16);
        ck_assert(echo.begun == 1 && echo.ended == 1 && echo.error == 0);
        web_server_free(echo.server, 0);
    }
}
END_TEST

START_TEST(an_expected_continue_comes_before_the_body)
{
    struct echo echo;

    start(&echo);
    say(&echo, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    ck_assert_str_eq(echo.got, "HTTP/1.1 100 Continue\r\n\r\n");
    ck_assert_int_eq(web_server_phase(echo.server), WEB_RECEIVING);
    say(&echo, "hello");
    ck_assert_str_eq(echo.got, "HTTP/1.1 100 Continue\r\n\r\n" OK(2, "/x"));
    ck_assert_uint_eq(echo.brought, 5);
    web_server_free(echo.server, 0);
}
END_TEST

START_TEST(one_that_stops_finishes_what_is_under_way)
{
    struct echo echo;

    start(&echo); /* idle */
    web_server_stop(echo.server, false);
    ck_assert_int_eq(web_server_phase(echo.server), WEB_ENDED);
    drain(&echo, 100);
    ck_assert_str_eq(echo.got, "");
    web_server_free(echo.server, 0);

    start(&echo); /* half a request */
    say(&echo, "GET /slow HTTP/1.1\r\n");
    ck_assert_int_eq(web_server_phase(echo.server), WEB_READING);
    ck_assert_str_eq(web_server_reading(echo.server)->target, "/slow");
    web_server_stop(echo.server, false);
    say(&echo, "Host: h\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(echo.got, "Connection: close\r\n\r\n/slow"));
    ck_assert_int_eq(web_server_phase(echo.server), WEB_ENDED);
    web_server_free(echo.server, 0);

    start(&echo); /* and one that took too long */
    say(&echo, "GET /slow HTTP/1.1\r\n");
    web_server_stop(echo.server, true);
    drain(&echo, 100);
    ck_assert_ptr_nonnull(strstr(echo.got, "HTTP/1.1 408 Request Timeout"));
    ck_assert_int_eq(web_server_phase(echo.server), WEB_ENDED);
    web_server_free(echo.server, 0);
}
END_TEST

START_TEST(a_body_that_breaks_off_breaks_the_connection)
{
    struct echo echo;
    const char *text = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

    start(&echo);
    echo.fails = true;
    ck_assert_uint_eq(web_server_input(echo.server, text, strlen(text)), strlen(text));
    ck_assert_int_eq(web_server_output(echo.server, echo.got, sizeof(echo.got)), -EIO);
    web_server_free(echo.server, -EIO);
    ck_assert(echo.ended == 1 && echo.error == -EIO);
}
END_TEST

START_TEST(fields_have_a_bound)
{
    struct web_service service = {.ops = &ops};
    struct web_exchange web = {.service = &service, .request = {.method = "GET"}};
    char big[WEB_FIELDS_MAX + 1];

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    web_respond(&web, 200);
    web_field(&web, "A", "%d", 1);
    web_field(&web, "Big", "%s", big);
    web_field(&web, big, "%s", "1");
    web_field(&web, "B", "%d", 2);
    ck_assert_str_eq(web.response.fields, "A: 1\r\nB: 2\r\n");
    ck_assert_uint_eq(web.response.fields_len, 12);
    big[WEB_FIELDS_MAX - 12 - 3 - 2 - 1] = '\0'; /* exactly as much as there is room */
    web_field(&web, "C", "%s", big);
    ck_assert_uint_eq(web.response.fields_len, WEB_FIELDS_MAX - 1);
}
END_TEST

Suite *h1_server_suite(void);

Suite *h1_server_suite(void)
{
    Suite *suite = suite_create("h1_server");
    TCase *tc = tcase_create("connections");

    tcase_add_test(tc, pipelined_requests_are_answered_in_turn_however_they_are_cut);
    tcase_add_test(tc, nothing_of_the_next_request_is_taken_while_a_response_leaves);
    tcase_add_test(tc, the_last_response_says_so_and_input_is_read_away);
    tcase_add_test(tc, an_expected_continue_comes_before_the_body);
    tcase_add_test(tc, one_that_stops_finishes_what_is_under_way);
    tcase_add_test(tc, a_body_that_breaks_off_breaks_the_connection);
    tcase_add_test(tc, fields_have_a_bound);
    suite_add_tcase(suite, tc);
    return suite;
}
