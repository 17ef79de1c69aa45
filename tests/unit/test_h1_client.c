/*
 * test_h1_client.c: HTTP/1.1 of one connection: what is asked, what is understood, and what is not
 * believed.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "web/http_client.h"

struct seen {
    struct http_client_user user;
    int status, last; /* of the last head; the last request that is done */
    int done, error;
    char location[64], body[256], sentence[128];
    size_t len;
};

static struct seen seen;
static struct http_client *client;

static void on_head(struct http_client_user *user, int request, const struct http_head *head)
{
    (void)user;
    (void)request;
    seen.status = head->status;
    (void)http_head_field(head, "location", seen.location, sizeof(seen.location));
}

static void on_body(struct http_client_user *user, int request, const char *bytes, size_t n)
{
    (void)user;
    (void)request;
    ck_assert_uint_le(seen.len + n, sizeof(seen.body) - 1);
    memcpy(seen.body + seen.len, bytes, n);
    seen.len += n;
}

static void on_done(struct http_client_user *user, int request, int error, const char *sentence)
{
    (void)user;
    seen.last = request;
    seen.done++;
    seen.error = error;
    (void)snprintf(seen.sentence, sizeof(seen.sentence), "%s", sentence);
}

static const struct http_client_events events = {
    .on_head = on_head, .on_body = on_body, .on_done = on_done};

static void setup(void)
{
    memset(&seen, 0, sizeof(seen));
    seen.user.events = &events;
    ck_assert_int_eq(h1_client_new(&seen.user, &client), 0);
}

static void teardown(void)
{
    client->ops->free(client);
}

static const struct http_request page = {.authority = "www.page.test", .target = "/a?b"};

static int ask(int request)
{
    const char *bytes;
    int error = client->ops->ask(client, request, &page);

    if (error == 0)
        client->ops->sent(client, client->ops->pending(client, &bytes));
    return error;
}

static int take(const char *text)
{
    return client->ops->take(client, text, strlen(text));
}

START_TEST(a_request_names_host_and_target)
{
    const char *bytes;
    size_t n;

    ck_assert_int_eq(client->ops->ask(client, 7, &page), 0);
    n = client->ops->pending(client, &bytes);
    ck_assert_uint_gt(n, 4);
    ck_assert_int_eq(strncmp(bytes, "GET /a?b HTTP/1.1\r\nHost: www.page.test\r\n", 40), 0);
    client->ops->sent(client, n - 4);
    ck_assert_uint_eq(client->ops->pending(client, &bytes), 4);
    ck_assert_int_eq(memcmp(bytes, "\r\n\r\n", 4), 0);
}
END_TEST

START_TEST(a_connection_serves_one_request_after_the_other)
{
    ck_assert_int_eq(ask(1), 0);
    ck_assert_int_eq(client->ops->room(client), 0);
    ck_assert_int_eq(client->ops->ask(client, 2, &page), -EAGAIN);
    ck_assert_int_eq(take("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n"),
                     0);
    ck_assert_int_eq(take("\r\nhel"), 0);
    ck_assert_int_eq(seen.done, 0);
    ck_assert_int_eq(take("lo"), 0);
    ck_assert_int_eq(seen.done, 1);
    ck_assert_int_eq(seen.status, 200);
    ck_assert_str_eq(seen.body, "hello");
    ck_assert_int_eq(ask(2), 0);
    ck_assert_int_eq(take("HTTP/1.1 302 Found\r\nLocation: https://images.page.test/x\r\n"
                          "Content-Length: 0\r\n\r\n"),
                     0);
    ck_assert_int_eq(seen.last, 2);
    ck_assert_int_eq(seen.error, 0);
    ck_assert_int_eq(seen.status, 302);
    ck_assert_str_eq(seen.location, "https://images.page.test/x");
    ck_assert_int_eq(client->ops->room(client), 1);
}
END_TEST

START_TEST(chunks_are_put_together)
{
    ck_assert_int_eq(ask(1), 0);
    ck_assert_int_eq(take("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), 0);
    ck_assert_int_eq(take("2\r\nde\r\n0\r\n\r\n"), 0);
    ck_assert_int_eq(seen.done, 1);
    ck_assert_str_eq(seen.body, "abcde");
}
END_TEST

/* RFC 9112 6.3: whatever their fields say of one. */
START_TEST(what_has_no_body_is_over_with_its_header)
{
    static const int status[] = {204, 304};
    char text[200];

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask(i), 0);
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 103 Early Hints\r\nContent-Length: 30\r\n\r\n"
                       "HTTP/1.1 %d Nothing\r\nContent-Length: 20\r\n\r\n",
                       status[i]);
        ck_assert_int_eq(take(text), 0);
        ck_assert(seen.done == i + 1 && seen.error == 0 && seen.status == status[i]);
    }
    ck_assert_uint_eq(seen.len, 0);
    ck_assert_int_eq(client->ops->room(client), 1);
}
END_TEST

START_TEST(interim_responses_are_few)
{
    static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";

    ck_assert_int_eq(ask(1), 0);
    for (int i = 0; i < HTTP_INTERIM_MAX; i++)
        ck_assert_int_eq(take(interim), 0);
    ck_assert_int_eq(take(interim), -EBADMSG);
    ck_assert_str_eq(seen.sentence, "the server's answer does not begin");
}
END_TEST

START_TEST(a_connection_that_closes_is_used_no_more)
{
    ck_assert_int_eq(ask(1), 0);
    ck_assert_int_eq(take("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"), 0);
    ck_assert_int_eq(seen.done, 0);
    client->ops->ended(client, 0, "");
    ck_assert_int_eq(seen.done, 1);
    ck_assert_int_eq(seen.error, 0);
    ck_assert_str_eq(seen.body, "to the end");
    ck_assert_int_eq(client->ops->room(client), -1);
}
END_TEST

START_TEST(a_response_cut_off_is_none)
{
    ck_assert_int_eq(ask(1), 0);
    ck_assert_int_eq(take("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel"), 0);
    client->ops->ended(client, 0, "");
    ck_assert_int_eq(seen.error, -ECONNRESET);
    ck_assert_ptr_nonnull(strstr(seen.sentence, "before the answer was complete"));
    ck_assert_int_eq(client->ops->room(client), -1);
}
END_TEST

START_TEST(nonsense_ends_the_connection)
{
    static const char *const nonsense[] = {
        "HTTP/1.1 2",
        "\r\n\r\n\1",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
        "Connection: upgrade\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
    };
    char head[HTTP_HEAD_MAX + 64];
    int n;

    if (_i < 4) {
        ck_assert_int_eq(ask(1), 0);
        if (_i == 0) {
            n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nX: ");
            memset(head + n, 'x', sizeof(head) - (size_t)n - 1);
            head[sizeof(head) - 1] = '\0';
            ck_assert_int_lt(take(head), 0);
        } else {
            ck_assert_int_eq(take(nonsense[_i]), -EBADMSG);
        }
        ck_assert_int_eq(seen.done, 1);
        ck_assert_int_lt(seen.error, 0);
        ck_assert_int_gt((int)strlen(seen.sentence), 0);
    } else { /* nobody has asked */
        ck_assert_int_eq(take("HTTP/1.1 200 OK\r\n\r\n"), -EBADMSG);
        ck_assert_int_eq(seen.done, 0);
    }
    ck_assert_int_eq(client->ops->room(client), -1);
}
END_TEST

Suite *h1_client_suite(void);

Suite *h1_client_suite(void)
{
    Suite *s = suite_create("h1_client");
    TCase *one = tcase_create("a connection");

    tcase_add_checked_fixture(one, setup, teardown);
    tcase_add_test(one, a_request_names_host_and_target);
    tcase_add_test(one, a_connection_serves_one_request_after_the_other);
    tcase_add_test(one, chunks_are_put_together);
    tcase_add_test(one, what_has_no_body_is_over_with_its_header);
    tcase_add_test(one, interim_responses_are_few);
    tcase_add_test(one, a_connection_that_closes_is_used_no_more);
    tcase_add_test(one, a_response_cut_off_is_none);
    tcase_add_loop_test(one, nonsense_ends_the_connection, 0, 5);
    suite_add_tcase(s, one);
    return s;
}
