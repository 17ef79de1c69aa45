/*
 * test_h2_server_bounds.c: what our server of HTTP/2 refuses: what the protocol forbids, and too
 * much of what it allows.
 */
#include <check.h>
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "support/h2_talk.h"
#include "web/h2_server.h"

START_TEST(more_streams_than_allowed_are_refused)
{
    struct h2_talk *w = h2_talk_new();
    int refused = 0;
    int whole = 0;

    for (int i = 0; i < H2_STREAMS_MAX + 20; i++) /* before it knows the server's settings */
        (void)h2_request(w, "GET", "/100", NULL);
    h2_talk(w, 4096);
    for (int id = 1; id < H2_TALK_STREAMS; id += 2) {
        refused += w->closed[id] == 1000 + NGHTTP2_REFUSED_STREAM;
        whole += w->closed[id] == 1000 && w->bytes[id] == 100;
    }
    ck_assert_int_eq(whole + refused, H2_STREAMS_MAX + 20);
    ck_assert_int_ge(whole, H2_STREAMS_MAX);
    ck_assert_int_eq(w->goaway, 0);
    h2_talk_free(w);
}
END_TEST

/* A hundred and one at a time, each cancelled at once. */
START_TEST(who_only_cancels_is_sent_away)
{
    struct h2_talk *w = h2_talk_new();
    int asked = 0;

    h2_talk(w, 4096);
    for (; w->goaway == 0 && asked < 150; asked++) {
        int32_t id = h2_request(w, "GET", "/100000", NULL);

        (void)h2_client_speaks(w, 4096);
        ck_assert_int_eq(
            nghttp2_submit_rst_stream(w->client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL), 0);
        h2_talk(w, 4096);
    }
    ck_assert_uint_eq(w->goaway, 1000 + NGHTTP2_ENHANCE_YOUR_CALM);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    ck_assert_int_eq(asked, H2_CANCELLED_MAX + 1);
    ck_assert_int_eq(w->answers.broken, H2_CANCELLED_MAX + 1);
    h2_talk_free(w);

    w = h2_talk_new(); /* who also listens may change his mind as often as he likes */
    h2_talk(w, 4096);
    for (asked = 0; asked < 75; asked++) {
        int32_t id = h2_request(w, "GET", "/100000", NULL);

        (void)h2_client_speaks(w, 4096);
        (void)nghttp2_submit_rst_stream(w->client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        (void)h2_request(w, "GET", "/1", NULL);
        h2_talk(w, 4096);
    }
    ck_assert(w->goaway == 0 && web_server_phase(w->server) == WEB_IDLE);
    h2_talk_free(w);
}
END_TEST

START_TEST(too_many_fields_are_refused)
{
    struct h2_talk *w = h2_talk_new();
    char big[4001];
    int32_t id = 0;
    const nghttp2_nv nv[] = {H2_FIELD(":method", "GET"),
                             H2_FIELD(":scheme", "https"),
                             H2_FIELD(":authority", "h"),
                             H2_FIELD(":path", "/1"),
                             {(uint8_t *)(uintptr_t) "a", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "b", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "c", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "d", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "e", (uint8_t *)big, 1, 4000, 0}};

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    id = nghttp2_submit_request(w->client, NULL, nv, 9, NULL, NULL);
    h2_talk(w, 4096);
    ck_assert(w->status[id] == 431 && w->closed[id] == 1000);
    big[REQUEST_TARGET_MAX + 1] = '\0';
    big[0] = '/';
    id = h2_request(w, "GET", big, NULL);
    h2_talk(w, 4096);
    ck_assert(w->status[id] == 414 && w->closed[id] == 1000);
    h2_talk_free(w);
}
END_TEST

/* --- by hand ---------------------------------------------------------------------------------- */

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static void put_frame(struct h2_talk *w, uint8_t type, uint8_t flags, uint8_t stream,
                      const char *payload, size_t n)
{
    char frame[9 + 100] = {0, 0, (char)n, (char)type, (char)flags, 0, 0, 0, (char)stream};

    memcpy(frame + 9, payload, n);
    (void)web_server_input(w->server, frame, 9 + n);
}

/* What the server says is for nobody. */
static void drain(struct h2_talk *w)
{
    char bytes[4096];

    while (web_server_output(w->server, bytes, sizeof(bytes)) > 0)
        ;
}

static void open_by_hand(struct h2_talk *w)
{
    (void)web_server_input(w->server, PREFACE, strlen(PREFACE));
    put_frame(w, NGHTTP2_SETTINGS, 0, 0, "", 0);
}

/* GET https://h/ */
#define FIELDS "\x82\x87\x84\x41\x01h"

START_TEST(a_field_block_in_crumbs_is_no_field_block)
{
    struct h2_talk *w = h2_talk_new();

    open_by_hand(w);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, FIELDS, 6);
    ck_assert_int_eq(web_server_phase(w->server), WEB_READING);
    ck_assert_ptr_nonnull(web_server_reading(w->server));
    for (int i = 0; i < H2_CONTINUATIONS_MAX; i++)
        put_frame(w, NGHTTP2_CONTINUATION, 0, 1, "", 0);
    ck_assert_int_eq(web_server_phase(w->server), WEB_READING);
    put_frame(w, NGHTTP2_CONTINUATION, 0, 1, "", 0);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    (void)h2_server_speaks(w, 100);
    ck_assert_uint_eq(w->goaway, 1000 + NGHTTP2_ENHANCE_YOUR_CALM);
    ck_assert_int_eq(w->answers.begun, 0);
    h2_talk_free(w);
}
END_TEST

START_TEST(a_field_block_of_a_few_frames_is_one)
{
    struct h2_talk *w = h2_talk_new();

    open_by_hand(w);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, FIELDS, 3);
    put_frame(w, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, FIELDS + 3, 3);
    ck_assert_int_eq(web_server_phase(w->server), WEB_SENDING);
    ck_assert_int_eq(w->answers.begun, 1);
    ck_assert_ptr_null(web_server_reading(w->server));
    web_server_stop(w->server, true);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    h2_talk_free(w);
}
END_TEST

START_TEST(what_is_no_http2_ends_the_connection)
{
    static const char *const bad[] = {"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
                                      "PRI * HTTP/2.0\r\n\r\nXX",
                                      PREFACE "nonsense that is no frame at all, for sure"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct h2_talk *w = h2_talk_new();

        ck_assert_uint_eq(web_server_input(w->server, bad[i], strlen(bad[i])), strlen(bad[i]));
        drain(w);
        ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
        ck_assert_uint_eq(web_server_input(w->server, "x", 1), 1);
        ck_assert_int_eq(w->answers.begun, 0);
        h2_talk_free(w);
    }
}
END_TEST

/* A request without what every request has is none (RFC 9113 8.3.1). */
START_TEST(half_a_request_is_reset)
{
    struct h2_talk *w = h2_talk_new();

    open_by_hand(w);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, "\x82", 1);
    ck_assert_int_eq(w->answers.begun, 0);
    drain(w);
    ck_assert_int_eq(web_server_phase(w->server), WEB_IDLE);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 3, FIELDS, 6);
    ck_assert_int_eq(w->answers.begun, 1);
    h2_talk_free(w);
}
END_TEST

Suite *h2_server_bounds_suite(void);

Suite *h2_server_bounds_suite(void)
{
    Suite *suite = suite_create("h2_server_bounds");
    TCase *tc = tcase_create("bounds");

    tcase_add_test(tc, more_streams_than_allowed_are_refused);
    tcase_add_test(tc, who_only_cancels_is_sent_away);
    tcase_add_test(tc, too_many_fields_are_refused);
    tcase_add_test(tc, a_field_block_in_crumbs_is_no_field_block);
    tcase_add_test(tc, a_field_block_of_a_few_frames_is_one);
    tcase_add_test(tc, what_is_no_http2_ends_the_connection);
    tcase_add_test(tc, half_a_request_is_reset);
    suite_add_tcase(suite, tc);
    return suite;
}
