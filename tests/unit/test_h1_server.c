/*
 * test_h1_server.c: HTTP/1.1 from bytes to bytes: kept connections, pipelines, refusals, deadlines.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/answers.h"
#include "web/h1_server.h"

/* A connection, and what left on it. */
struct talk {
    struct answers answers;
    struct web_server *server;
    char got[65536];
    size_t got_len;
};

static void start(struct talk *talk)
{
    memset(talk, 0, sizeof(*talk));
    answers_init(&talk->answers);
    talk->answers.slowly = true;
    talk->answers.longest = 10;
    talk->server = h1_server_new(&talk->answers.service);
    ck_assert_ptr_nonnull(talk->server);
}

/* So many requests were taken, all of which ended, the last one so. */
static void expect_ended(const struct talk *talk, int begun, int error)
{
    const struct answers *a = &talk->answers;

    ck_assert(a->begun == begun && a->whole + a->broken == begun && a->error == error);
}

/* All that is to leave, `step` bytes at a time. */
static void drain(struct talk *talk, size_t step)
{
    ssize_t n = 0;

    while ((n = web_server_output(talk->server, talk->got + talk->got_len, step)) > 0)
        talk->got_len += (size_t)n;
    ck_assert_int_eq(n, 0);
    talk->got[talk->got_len] = '\0';
}

static void say_in_steps(struct talk *talk, const char *text, size_t in, size_t out)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len;) {
        size_t n = len - at < in ? len - at : in;
        size_t used = web_server_input(talk->server, text + at, n);

        at += used;
        drain(talk, out);
        ck_assert_msg(used > 0 || web_server_phase(talk->server) != WEB_SENDING, "stuck at %zu",
                      at);
    }
}

static void say(struct talk *talk, const char *text)
{
    say_in_steps(talk, text, SIZE_MAX, 4096);
}

#define OK(length, body)                                                                           \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " #length "\r\n\r\n" body

START_TEST(pipelined_requests_are_answered_in_turn_however_they_are_cut)
{
    static const char text[] = "GET /one HTTP/1.1\r\nHost: h\r\n\r\n"
                               "POST /three HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                               "HEAD /one HTTP/1.1\r\nHost: h\r\n\r\n";

    for (size_t step = 1; step <= sizeof(text); step++) {
        struct talk talk;

        start(&talk);
        say_in_steps(&talk, text, step, 1 + step % 7);
        ck_assert_str_eq(talk.got, OK(4, "/one") OK(6, "/three") OK(4, ""));
        ck_assert_int_eq(web_server_phase(talk.server), WEB_IDLE);
        expect_ended(&talk, 3, 0);
        ck_assert_uint_eq(talk.server->progress, 5 + 4 + 6);
        web_server_free(talk.server, -ECONNRESET);
        expect_ended(&talk, 3, 0);
    }
}
END_TEST

START_TEST(nothing_of_the_next_request_is_taken_while_a_response_leaves)
{
    struct talk talk;
    const char *two = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n";

    start(&talk);
    ck_assert_uint_eq(web_server_input(talk.server, two, strlen(two)), strlen(two) / 2);
    ck_assert_int_eq(web_server_phase(talk.server), WEB_SENDING);
    ck_assert_uint_eq(web_server_input(talk.server, two, strlen(two)), 0);
    web_server_free(talk.server, -ECONNRESET);
    expect_ended(&talk, 1, -ECONNRESET);
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
        struct talk talk;
        char line[32];

        start(&talk);
        say(&talk, last[i]);
        (void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status[i]);
        ck_assert_msg(strncmp(talk.got, line, strlen(line)) == 0, "%s", talk.got);
        ck_assert_ptr_nonnull(strstr(talk.got, "\r\nConnection: close\r\n"));
        ck_assert_int_eq(web_server_phase(talk.server), WEB_ENDED);
        ck_assert_uint_eq(web_server_input(talk.server, "GET / HTTP/1.1\r\n", 16), 16);
        expect_ended(&talk, 1, 0);
        web_server_free(talk.server, 0);
    }
}
END_TEST

START_TEST(an_expected_continue_comes_before_the_body)
{
    struct talk talk;

    start(&talk);
    say(&talk, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    ck_assert_str_eq(talk.got, "HTTP/1.1 100 Continue\r\n\r\n");
    ck_assert_int_eq(web_server_phase(talk.server), WEB_RECEIVING);
    say(&talk, "hello");
    ck_assert_str_eq(talk.got, "HTTP/1.1 100 Continue\r\n\r\n" OK(2, "/x"));
    ck_assert_uint_eq(talk.answers.brought, 5);
    web_server_free(talk.server, 0);
}
END_TEST

START_TEST(one_that_stops_finishes_what_is_under_way)
{
    struct talk talk;

    start(&talk); /* idle */
    web_server_stop(talk.server, false);
    ck_assert_int_eq(web_server_phase(talk.server), WEB_ENDED);
    drain(&talk, 100);
    ck_assert_str_eq(talk.got, "");
    web_server_free(talk.server, 0);

    start(&talk); /* half a request */
    say(&talk, "GET /slow HTTP/1.1\r\n");
    ck_assert_int_eq(web_server_phase(talk.server), WEB_READING);
    ck_assert_str_eq(web_server_reading(talk.server)->target, "/slow");
    web_server_stop(talk.server, false);
    say(&talk, "Host: h\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(talk.got, "Connection: close\r\n\r\n/slow"));
    ck_assert_int_eq(web_server_phase(talk.server), WEB_ENDED);
    web_server_free(talk.server, 0);

    start(&talk); /* and one that took too long */
    say(&talk, "GET /slow HTTP/1.1\r\n");
    web_server_stop(talk.server, true);
    drain(&talk, 100);
    ck_assert_ptr_nonnull(strstr(talk.got, "HTTP/1.1 408 Request Timeout"));
    ck_assert_int_eq(web_server_phase(talk.server), WEB_ENDED);
    web_server_free(talk.server, 0);
}
END_TEST

START_TEST(a_body_that_breaks_off_breaks_the_connection)
{
    struct talk talk;
    const char *text = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

    start(&talk);
    talk.answers.breaks_at = 0;
    ck_assert_uint_eq(web_server_input(talk.server, text, strlen(text)), strlen(text));
    ck_assert_int_eq(web_server_output(talk.server, talk.got, sizeof(talk.got)), -EIO);
    web_server_free(talk.server, -EIO);
    expect_ended(&talk, 1, -EIO);
}
END_TEST

START_TEST(fields_have_a_bound)
{
    struct answers answers;
    struct web_exchange web = {.service = &answers.service, .request = {.method = "GET"}};
    char big[WEB_FIELDS_MAX + 1];

    answers_init(&answers);
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
