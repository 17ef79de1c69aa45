/*
 * test_h2_server.c: HTTP/2 from bytes to bytes, as nghttp2's client writes it.
 */
#include <check.h>
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "support/h2_talk.h"
#include "web/h2_server.h"
#include "web/site.h"

START_TEST(requests_are_answered_side_by_side_however_they_are_cut)
{
    for (size_t step = 1; step <= 4096; step = step * 3 + 1) {
        struct h2_talk *w = h2_talk_new();
        int32_t one = h2_request(w, "GET", "/100000", NULL);
        int32_t two = h2_request(w, "GET", "/0", NULL);
        int32_t three = h2_request(w, "HEAD", "/70000", NULL);
        int32_t four = h2_request(w, "DELETE", "/1", NULL);

        h2_talk(w, step);
        ck_assert(w->status[one] == 200 && w->bytes[one] == 100000 && w->closed[one] == 1000);
        ck_assert(w->status[two] == 200 && w->bytes[two] == 0 && w->closed[two] == 1000);
        ck_assert(w->status[three] == 200 && w->bytes[three] == 0 && w->closed[three] == 1000);
        ck_assert(w->status[four] == 405 && w->closed[four] == 1000);
        ck_assert_str_eq(w->answers.host, "h.test");
        ck_assert_int_eq(web_server_phase(w->server), WEB_IDLE);
        ck_assert(w->answers.whole == 4 && w->answers.broken == 0);
        h2_talk_free(w);
    }
}
END_TEST

/* A body of this many bytes. */
struct sending {
    size_t left;
};

static ssize_t send_some(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t n,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct sending *s = source->ptr;
    size_t part = s->left < n ? s->left : n;

    (void)session;
    (void)id;
    (void)user;
    memset(bytes, 'y', part);
    s->left -= part;
    if (s->left == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

START_TEST(bodies_of_requests_are_taken_until_they_are_too_long)
{
    struct h2_talk *w = h2_talk_new();
    struct sending fits = {.left = 90000};
    struct sending too_much = {.left = 10000000};
    const nghttp2_data_provider small = {.source = {.ptr = &fits}, .read_callback = send_some};
    const nghttp2_data_provider large = {.source = {.ptr = &too_much}, .read_callback = send_some};
    int32_t one = h2_request(w, "PUT", "/1", &small);
    int32_t two = h2_request(w, "PUT", "/1", &large);
    int32_t three = h2_request(w, "DELETE", "/1", &large);

    h2_talk(w, 4096);
    ck_assert(w->status[one] == 200 && w->bytes[one] == 1);
    ck_assert(w->status[two] == 413 && w->closed[two] == 1000 + NGHTTP2_NO_ERROR);
    ck_assert(w->status[three] == 405 && w->closed[three] == 1000 + NGHTTP2_NO_ERROR);
    ck_assert_uint_lt(w->answers.brought, 90000 + 100000 + 70000);
    ck_assert_uint_lt(too_much.left, 10000000 - WEB_IGNORED_MAX); /* and not ten million */
    ck_assert_uint_gt(too_much.left, 10000000 - 3 * WEB_IGNORED_MAX);
    ck_assert_int_eq(w->answers.whole, 3);
    h2_talk_free(w);
}
END_TEST

START_TEST(an_expected_continue_is_said)
{
    struct h2_talk *w = h2_talk_new();
    struct sending some = {.left = 10};
    const nghttp2_data_provider body = {.source = {.ptr = &some}, .read_callback = send_some};
    const nghttp2_nv nv[] = {H2_FIELD(":method", "PUT"), H2_FIELD(":scheme", "https"),
                             H2_FIELD(":authority", "h.test"), H2_FIELD(":path", "/1"),
                             H2_FIELD("expect", "100-continue")};
    int32_t id = nghttp2_submit_request(w->client, NULL, nv, 5, &body, NULL);

    h2_talk(w, 100);
    ck_assert(w->continued == 1 && w->status[id] == 200 && w->answers.brought == 10);
    h2_talk_free(w);
}
END_TEST

START_TEST(a_body_that_breaks_off_breaks_its_stream_alone)
{
    struct h2_talk *w = h2_talk_new();
    int32_t one = h2_request(w, "GET", "/60000000", NULL);
    int32_t two = h2_request(w, "GET", "/70000", NULL);

    w->answers.breaks_at = 50000000; /* the file shrank */
    h2_talk(w, 4096);
    ck_assert_uint_eq(w->closed[one], 1000 + NGHTTP2_INTERNAL_ERROR);
    ck_assert(w->bytes[two] == 70000 && w->closed[two] == 1000);
    ck_assert(w->answers.broken == 1 && w->answers.whole == 1);
    ck_assert_int_eq(web_server_phase(w->server), WEB_IDLE);
    h2_talk_free(w);
}
END_TEST

START_TEST(one_that_stops_finishes_what_is_under_way)
{
    struct h2_talk *w = h2_talk_new();
    int32_t one = 0;

    h2_talk(w, 100);
    web_server_stop(w->server, false);
    h2_talk(w, 100);
    ck_assert(w->goaway == 1000 && web_server_phase(w->server) == WEB_ENDED);
    h2_talk_free(w);

    w = h2_talk_new();
    one = h2_request(w, "GET", "/300000", NULL);
    (void)h2_client_speaks(w, 4096);
    ck_assert_int_eq(web_server_phase(w->server), WEB_SENDING);
    web_server_stop(w->server, false);
    ck_assert_int_eq(web_server_phase(w->server), WEB_SENDING);
    h2_talk(w, 4096);
    ck_assert(w->goaway == 1000 && w->bytes[one] == 300000 && w->closed[one] == 1000);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    h2_talk_free(w);
}
END_TEST

/* The site of the typical page, all of it at once over one connection. */
START_TEST(a_whole_page_comes_over_one_connection)
{
    struct h2_talk *w = h2_talk_new();
    const struct site_options options = {.port = 443};
    struct site_service service;
    struct page page;
    struct site *site = NULL;
    int there = 0;

    page_typical(&page);
    ck_assert_int_eq(site_new(&page, &options, &site), 0);
    site_serve(site, &service);
    web_server_free(w->server, 0);
    w->server = h2_server_new(&service.service);
    for (int i = 0; i < page.urls; i++) {
        char target[SITE_TARGET_MAX];
        const char *host = page.host[page.url[i].host].name;

        site_target(&page, i, target);
        const nghttp2_nv nv[] = {H2_FIELD(":method", "GET"), H2_FIELD(":scheme", "https"),
                                 H2_FIELD(":authority", host), H2_FIELD(":path", target)};
        ck_assert_int_eq(nghttp2_submit_request(w->client, NULL, nv, 4, NULL, NULL), 2 * i + 1);
    }
    h2_talk(w, 1000);
    for (int i = 0; i < page.urls; i++)
        there += w->status[2 * i + 1] == (page.url[i].kind == PAGE_REDIRECT ? 302 : 200);
    ck_assert_int_eq(there, 29);
    ck_assert_uint_eq(service.requests, 29);
    h2_talk_free(w);
    site_free(site);
}
END_TEST

Suite *h2_server_suite(void);

Suite *h2_server_suite(void)
{
    Suite *suite = suite_create("h2_server");
    TCase *tc = tcase_create("requests");

    tcase_add_test(tc, requests_are_answered_side_by_side_however_they_are_cut);
    tcase_add_test(tc, bodies_of_requests_are_taken_until_they_are_too_long);
    tcase_add_test(tc, an_expected_continue_is_said);
    tcase_add_test(tc, a_body_that_breaks_off_breaks_its_stream_alone);
    tcase_add_test(tc, one_that_stops_finishes_what_is_under_way);
    tcase_add_test(tc, a_whole_page_comes_over_one_connection);
    suite_add_tcase(suite, tc);
    return suite;
}
