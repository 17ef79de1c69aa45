/*
 * test_h1_request.c: HTTP/1.1 requests are read in pieces of any size, every part bounded.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "web/h1_request.h"

/* A request with its body gathered. */
struct read {
    struct h1_request request; /* first: body() finds the rest by it */
    char body[256];
    size_t body_len;
    int refuse_with;
};

static int gather(struct h1_request *request, const char *bytes, size_t n)
{
    struct read *r = (struct read *)request;

    if (r->refuse_with)
        return r->refuse_with;
    ck_assert_uint_le(n, sizeof(r->body) - r->body_len);
    memcpy(r->body + r->body_len, bytes, n);
    r->body_len += n;
    return 0;
}

static void begin(struct read *r)
{
    h1_request_begin(&r->request);
    r->body_len = 0;
}

/* Feeds text in pieces of `step` bytes until something other than MORE comes; *left is what was not
 * used. A header that is complete is passed over, as a server does that wants the body. */
static enum h1_outcome feed(struct read *r, const char *text, size_t step, const char **left)
{
    enum h1_outcome outcome = H1_MORE;

    while (*text && (outcome == H1_MORE || outcome == H1_HEAD)) {
        size_t n = strlen(text) < step ? strlen(text) : step;
        size_t used = 0;

        outcome = h1_request_feed(&r->request, text, n, &used);
        ck_assert_uint_le(used, n);
        ck_assert_msg(used > 0 || outcome != H1_MORE, "nothing was used");
        text += used;
        if (outcome == H1_HEAD)
            r->request.body = gather;
    }
    if (left)
        *left = text;
    return outcome;
}

static enum h1_outcome feed_all(struct read *r, const char *text)
{
    begin(r);
    return feed(r, text, SIZE_MAX, NULL);
}

START_TEST(a_request_is_read_in_pieces_of_any_size)
{
    static const char text[] =
        "PUT /some/file?x=1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nRange: bytes=1-2\r\n"
        "X-A-Field-With-A-Rather-Long-Name: range\r\nContent-Length: 5\r\n\r\nhello";
    struct read r = {.body_len = 0};

    for (size_t step = 1; step <= sizeof(text); step++) {
        const char *left = NULL;

        begin(&r);
        ck_assert_int_eq(feed(&r, text, step, &left), H1_COMPLETE);
        ck_assert_str_eq(left, "");
        ck_assert_str_eq(r.request.asked.method, "PUT");
        ck_assert_str_eq(r.request.asked.target, "/some/file?x=1");
        ck_assert_str_eq(r.request.asked.range, "bytes=1-2");
        ck_assert_str_eq(r.request.asked.host, "h");
        ck_assert(r.request.asked.has_body && r.request.asked.length == 5 && r.request.keep_alive);
        ck_assert_uint_eq(r.body_len, 5);
        ck_assert(memcmp(r.body, "hello", 5) == 0);
    }
}
END_TEST

START_TEST(pipelined_requests_stay_apart)
{
    const char *text = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPUT /2 HTTP/1.1\r\nHost: h\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nHEAD /3 "
                       "HTTP/1.0\r\n\r\n";
    struct read r = {.body_len = 0};

    begin(&r);
    ck_assert_int_eq(feed(&r, text, SIZE_MAX, &text), H1_COMPLETE);
    ck_assert_str_eq(r.request.asked.target, "/1");
    ck_assert(!r.request.asked.has_body);
    begin(&r);
    ck_assert_int_eq(feed(&r, text, SIZE_MAX, &text), H1_COMPLETE);
    ck_assert_str_eq(r.request.asked.target, "/2");
    ck_assert(r.request.asked.has_body && r.request.asked.length == UINT64_MAX);
    ck_assert_uint_eq(r.body_len, 5);
    begin(&r);
    ck_assert_int_eq(feed(&r, text, SIZE_MAX, &text), H1_COMPLETE);
    ck_assert_str_eq(r.request.asked.target, "/3");
    ck_assert(!r.request.keep_alive);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(what_is_no_request_is_refused)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"\x16\x03\x01\x02", 501},
        {"FETCH / HTTP/1.1\r\n", 501},
        {"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host */
        {"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400},
        {"GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET / XTTP/1.1\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\nHost h\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct read r = {.body_len = 0};

        ck_assert_msg(feed_all(&r, cases[i].text) == H1_BAD, "%s", cases[i].text);
        ck_assert_msg(r.request.status == cases[i].status, "%s: %d", cases[i].text,
                      r.request.status);
        if (cases[i].status == 501) /* and not what the parser took its first letters for */
            ck_assert_str_eq(r.request.asked.method, "-");
    }
}
END_TEST

/* "GET /" + n letters + rest */
static char *long_target(size_t n, const char *rest)
{
    char *text = malloc(n + strlen(rest) + 8);

    ck_assert_ptr_nonnull(text);
    memcpy(text, "GET /", 5);
    memset(text + 5, 'a', n);
    memcpy(text + 5 + n, rest, strlen(rest) + 1);
    return text;
}

START_TEST(every_part_has_a_bound)
{
    struct read r = {.body_len = 0};
    char *text = long_target(REQUEST_TARGET_MAX - 1, " HTTP/1.1\r\nHost: h\r\n\r\n");

    ck_assert_int_eq(feed_all(&r, text), H1_COMPLETE);
    free(text);
    text = long_target(REQUEST_TARGET_MAX, " HTTP/1.1\r\nHost: h\r\n\r\n");
    ck_assert_int_eq(feed_all(&r, text), H1_BAD);
    ck_assert_int_eq(r.request.status, 414);
    free(text);
    begin(&r);
    ck_assert_int_eq(feed(&r, "GET / HTTP/1.1\r\nHost: h\r\n", SIZE_MAX, NULL), H1_MORE);
    for (int i = 0; i < 3000; i++) {
        enum h1_outcome outcome = feed(&r, "X-Field: a value\r\n", SIZE_MAX, NULL);

        if (outcome == H1_BAD)
            break;
        ck_assert_int_eq(outcome, H1_MORE);
    }
    ck_assert_int_eq(r.request.outcome, H1_BAD);
    ck_assert_int_eq(r.request.status, 431);
    text = long_target(H1_HEAD_MAX, "\r\n\r\n"); /* complete, and too long, in one piece */
    memcpy(text, "GET / HTTP/1.1\r\nHost: h\r\nX: ", 28);
    ck_assert_int_eq(feed_all(&r, text), H1_BAD);
    ck_assert_int_eq(r.request.status, 431);
    free(text);
}
END_TEST

START_TEST(a_body_can_be_refused_while_it_comes)
{
    struct read r = {.refuse_with = 413};

    ck_assert_int_eq(feed_all(&r, "PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
                     H1_BAD);
    ck_assert_int_eq(r.request.status, 413);
}
END_TEST

Suite *h1_request_suite(void);

Suite *h1_request_suite(void)
{
    Suite *suite = suite_create("h1_request");
    TCase *reading = tcase_create("reading");

    tcase_add_test(reading, a_request_is_read_in_pieces_of_any_size);
    tcase_add_test(reading, pipelined_requests_stay_apart);
    tcase_add_test(reading, what_is_no_request_is_refused);
    tcase_add_test(reading, every_part_has_a_bound);
    tcase_add_test(reading, a_body_can_be_refused_while_it_comes);
    suite_add_tcase(suite, reading);
    return suite;
}
