/*
 * test_h2_server.c: HTTP/2 from bytes to bytes, as nghttp2's client and hostile hands write it.
 */
#include <check.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/h2_server.h"
#include "web/site.h"

/* --- a service that answers with as many bytes as the target says ----------------------------- */

struct numbers {
    struct web_service service;
    int begun, whole, broken;
    uint64_t brought;
};

struct number {
    struct web_exchange web;
    uint64_t at;
};

static struct web_exchange *open_exchange(struct web_service *service)
{
    struct number *n = calloc(1, sizeof(*n));

    ck_assert_ptr_nonnull(n);
    ((struct numbers *)service)->begun++;
    return &n->web;
}

static void head(struct web_exchange *web)
{
    if (request_is(&web->request, "DELETE"))
        web_say(web, 405);
}

static void take(struct web_exchange *web, const char *bytes, size_t n)
{
    (void)bytes;
    ((struct numbers *)web->service)->brought += n;
    if (web->received > 100000)
        web_say(web, 413);
}

static void answer(struct web_exchange *web)
{
    web_respond(web, 200);
    web_field(web, "X-Host", "%s", web->request.host);
    web_body(web, "text/plain", (uint64_t)atoll(web->request.target + 1));
}

static ssize_t read_body(struct web_exchange *web, char *bytes, size_t n)
{
    struct number *number = (struct number *)web;

    if (number->at >= 50000000) /* the file shrank */
        return -EIO;
    memset(bytes, 'x', n);
    number->at += n;
    return (ssize_t)n;
}

static void end(struct web_exchange *web, int error)
{
    struct numbers *numbers = (struct numbers *)web->service;

    if (error)
        numbers->broken++;
    else
        numbers->whole++;
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

/* --- nghttp2's client ------------------------------------------------------------------------- */

#define STREAMS 400

struct world {
    struct numbers numbers;
    struct web_server *server;
    nghttp2_session *client;
    int status[STREAMS];      /* by stream, the last */
    int continued;            /* responses with status 100 */
    uint64_t bytes[STREAMS];  /* of bodies */
    uint32_t closed[STREAMS]; /* error codes, and 1000 more */
    uint32_t goaway;          /* its code, and 1000 more */
    char host[64];
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct world *w = user;

    (void)session;
    (void)name_len;
    (void)value_len;
    (void)flags;
    if (strcmp((const char *)name, ":status") == 0 && strcmp((const char *)value, "100") == 0)
        w->continued++;
    else if (strcmp((const char *)name, ":status") == 0)
        w->status[frame->hd.stream_id] = atoi((const char *)value);
    if (strcmp((const char *)name, "x-host") == 0)
        (void)snprintf(w->host, sizeof(w->host), "%s", (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t n, void *user)
{
    struct world *w = user;

    (void)session;
    (void)flags;
    (void)bytes;
    w->bytes[id] += n;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session;
    ((struct world *)user)->closed[id] = 1000 + code;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        ((struct world *)user)->goaway = 1000 + frame->goaway.error_code;
    return 0;
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    nghttp2_session_callbacks *callbacks = NULL;

    ck_assert_ptr_nonnull(w);
    w->numbers.service.ops = &ops;
    w->server = h2_server_new(&w->numbers.service);
    ck_assert_ptr_nonnull(w->server);
    ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    ck_assert_int_eq(nghttp2_session_client_new(&w->client, callbacks, w), 0);
    nghttp2_session_callbacks_del(callbacks);
    ck_assert_int_eq(nghttp2_submit_settings(w->client, NGHTTP2_FLAG_NONE, NULL, 0), 0);
    return w;
}

static void world_free(struct world *w)
{
    int begun = w->numbers.begun;

    web_server_free(w->server, -ECONNRESET);
    ck_assert_int_eq(w->numbers.whole + w->numbers.broken, begun);
    nghttp2_session_del(w->client);
    free(w);
}

/* What the client has to say goes to the server, `step` bytes at a time. */
static bool client_speaks(struct world *w, size_t step)
{
    const uint8_t *bytes = NULL;
    ssize_t n = 0;
    bool spoke = false;

    while ((n = nghttp2_session_mem_send(w->client, &bytes)) > 0) {
        for (size_t at = 0; at < (size_t)n; at += step) {
            size_t part = (size_t)n - at < step ? (size_t)n - at : step;

            ck_assert_uint_eq(web_server_input(w->server, (const char *)bytes + at, part), part);
        }
        spoke = true;
    }
    return spoke;
}

static bool server_speaks(struct world *w, size_t step)
{
    char bytes[4096];
    ssize_t n = 0;
    bool spoke = false;

    while ((n = web_server_output(w->server, bytes, step)) > 0) {
        ck_assert_int_ge(nghttp2_session_mem_recv(w->client, (uint8_t *)bytes, (size_t)n), 0);
        spoke = true;
    }
    ck_assert_int_eq(n, 0);
    return spoke;
}

static void talk(struct world *w, size_t step)
{
    bool more = true;

    while (more) {
        more = client_speaks(w, step);
        more = server_speaks(w, step) || more;
    }
}

#define NV(name, value)                                                                            \
    {                                                                                              \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), strlen(name), strlen(value),  \
            0                                                                                      \
    }

static int32_t request(struct world *w, const char *method, const char *target,
                       const nghttp2_data_provider *body)
{
    const nghttp2_nv nv[] = {NV(":method", method), NV(":scheme", "https"),
                             NV(":authority", "h.test"), NV(":path", target)};
    int32_t id = nghttp2_submit_request(w->client, NULL, nv, 4, body, NULL);

    ck_assert_int_gt(id, 0);
    ck_assert_int_lt(id, STREAMS);
    return id;
}

START_TEST(requests_are_answered_side_by_side_however_they_are_cut)
{
    for (size_t step = 1; step <= 4096; step = step * 3 + 1) {
        struct world *w = world_new();
        int32_t one = request(w, "GET", "/100000", NULL);
        int32_t two = request(w, "GET", "/0", NULL);
        int32_t three = request(w, "HEAD", "/70000", NULL);
        int32_t four = request(w, "DELETE", "/1", NULL);

        talk(w, step);
        ck_assert(w->status[one] == 200 && w->bytes[one] == 100000 && w->closed[one] == 1000);
        ck_assert(w->status[two] == 200 && w->bytes[two] == 0 && w->closed[two] == 1000);
        ck_assert(w->status[three] == 200 && w->bytes[three] == 0 && w->closed[three] == 1000);
        ck_assert(w->status[four] == 405 && w->closed[four] == 1000);
        ck_assert_str_eq(w->host, "h.test");
        ck_assert_int_eq(web_server_phase(w->server), WEB_IDLE);
        ck_assert(w->numbers.whole == 4 && w->numbers.broken == 0);
        world_free(w);
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
    struct world *w = world_new();
    struct sending fits = {.left = 90000};
    struct sending too_much = {.left = 10000000};
    const nghttp2_data_provider small = {.source = {.ptr = &fits}, .read_callback = send_some};
    const nghttp2_data_provider large = {.source = {.ptr = &too_much}, .read_callback = send_some};
    int32_t one = request(w, "PUT", "/1", &small);
    int32_t two = request(w, "PUT", "/1", &large);
    int32_t three = request(w, "DELETE", "/1", &large);

    talk(w, 4096);
    ck_assert(w->status[one] == 200 && w->bytes[one] == 1);
    ck_assert(w->status[two] == 413 && w->closed[two] == 1000 + NGHTTP2_NO_ERROR);
    ck_assert(w->status[three] == 405 && w->closed[three] == 1000 + NGHTTP2_NO_ERROR);
    ck_assert_uint_lt(w->numbers.brought, 90000 + 100000 + 70000);
    ck_assert_uint_lt(too_much.left, 10000000 - WEB_IGNORED_MAX); /* and not ten million */
    ck_assert_uint_gt(too_much.left, 10000000 - 3 * WEB_IGNORED_MAX);
    ck_assert_int_eq(w->numbers.whole, 3);
    world_free(w);
}
END_TEST

START_TEST(an_expected_continue_is_said)
{
    struct world *w = world_new();
    struct sending some = {.left = 10};
    const nghttp2_data_provider body = {.source = {.ptr = &some}, .read_callback = send_some};
    const nghttp2_nv nv[] = {NV(":method", "PUT"), NV(":scheme", "https"),
                             NV(":authority", "h.test"), NV(":path", "/1"),
                             NV("expect", "100-continue")};
    int32_t id = nghttp2_submit_request(w->client, NULL, nv, 5, &body, NULL);

    talk(w, 100);
    ck_assert(w->continued == 1 && w->status[id] == 200 && w->numbers.brought == 10);
    world_free(w);
}
END_TEST

START_TEST(a_body_that_breaks_off_breaks_its_stream_alone)
{
    struct world *w = world_new();
    int32_t one = request(w, "GET", "/60000000", NULL);
    int32_t two = request(w, "GET", "/70000", NULL);

    talk(w, 4096);
    ck_assert_uint_eq(w->closed[one], 1000 + NGHTTP2_INTERNAL_ERROR);
    ck_assert(w->bytes[two] == 70000 && w->closed[two] == 1000);
    ck_assert(w->numbers.broken == 1 && w->numbers.whole == 1);
    ck_assert_int_eq(web_server_phase(w->server), WEB_IDLE);
    world_free(w);
}
END_TEST

START_TEST(one_that_stops_finishes_what_is_under_way)
{
    struct world *w = world_new();
    int32_t one = 0;

    talk(w, 100);
    web_server_stop(w->server, false);
    talk(w, 100);
    ck_assert(w->goaway == 1000 && web_server_phase(w->server) == WEB_ENDED);
    world_free(w);

    w = world_new();
    one = request(w, "GET", "/300000", NULL);
    (void)client_speaks(w, 4096);
    ck_assert_int_eq(web_server_phase(w->server), WEB_SENDING);
    web_server_stop(w->server, false);
    ck_assert_int_eq(web_server_phase(w->server), WEB_SENDING);
    talk(w, 4096);
    ck_assert(w->goaway == 1000 && w->bytes[one] == 300000 && w->closed[one] == 1000);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    world_free(w);
}
END_TEST

START_TEST(more_streams_than_allowed_are_refused)
{
    struct world *w = world_new();
    int refused = 0;
    int whole = 0;

    for (int i = 0; i < H2_STREAMS_MAX + 20; i++) /* before it knows the server's settings */
        (void)request(w, "GET", "/100", NULL);
    talk(w, 4096);
    for (int id = 1; id < STREAMS; id += 2) {
        refused += w->closed[id] == 1000 + NGHTTP2_REFUSED_STREAM;
        whole += w->closed[id] == 1000 && w->bytes[id] == 100;
    }
    ck_assert_int_eq(whole + refused, H2_STREAMS_MAX + 20);
    ck_assert_int_ge(whole, H2_STREAMS_MAX);
    ck_assert_int_eq(w->goaway, 0);
    world_free(w);
}
END_TEST

/* A hundred and one at a time, each cancelled at once. */
START_TEST(who_only_cancels_is_sent_away)
{
    struct world *w = world_new();
    int asked = 0;

    talk(w, 4096);
    for (; w->goaway == 0 && asked < 150; asked++) {
        int32_t id = request(w, "GET", "/100000", NULL);

        (void)client_speaks(w, 4096);
        ck_assert_int_eq(
            nghttp2_submit_rst_stream(w->client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL), 0);
        talk(w, 4096);
    }
    ck_assert_uint_eq(w->goaway, 1000 + NGHTTP2_ENHANCE_YOUR_CALM);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    ck_assert_int_eq(asked, H2_CANCELLED_MAX + 1);
    ck_assert_int_eq(w->numbers.broken, H2_CANCELLED_MAX + 1);
    world_free(w);

    w = world_new(); /* who also listens may change his mind as often as he likes */
    talk(w, 4096);
    for (asked = 0; asked < 75; asked++) {
        int32_t id = request(w, "GET", "/100000", NULL);

        (void)client_speaks(w, 4096);
        (void)nghttp2_submit_rst_stream(w->client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        (void)request(w, "GET", "/1", NULL);
        talk(w, 4096);
    }
    ck_assert(w->goaway == 0 && web_server_phase(w->server) == WEB_IDLE);
    world_free(w);
}
END_TEST

START_TEST(too_many_fields_are_refused)
{
    struct world *w = world_new();
    char big[4001];
    int32_t id = 0;
    const nghttp2_nv nv[] = {NV(":method", "GET"),
                             NV(":scheme", "https"),
                             NV(":authority", "h"),
                             NV(":path", "/1"),
                             {(uint8_t *)(uintptr_t) "a", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "b", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "c", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "d", (uint8_t *)big, 1, 4000, 0},
                             {(uint8_t *)(uintptr_t) "e", (uint8_t *)big, 1, 4000, 0}};

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    id = nghttp2_submit_request(w->client, NULL, nv, 9, NULL, NULL);
    talk(w, 4096);
    ck_assert(w->status[id] == 431 && w->closed[id] == 1000);
    big[REQUEST_TARGET_MAX + 1] = '\0';
    big[0] = '/';
    id = request(w, "GET", big, NULL);
    talk(w, 4096);
    ck_assert(w->status[id] == 414 && w->closed[id] == 1000);
    world_free(w);
}
END_TEST

/* --- by hand ---------------------------------------------------------------------------------- */

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static void put_frame(struct world *w, uint8_t type, uint8_t flags, uint8_t stream,
                      const char *payload, size_t n)
{
    char frame[9 + 100] = {0, 0, (char)n, (char)type, (char)flags, 0, 0, 0, (char)stream};

    memcpy(frame + 9, payload, n);
    (void)web_server_input(w->server, frame, 9 + n);
}

/* What the server says is for nobody. */
static void drain(struct world *w)
{
    char bytes[4096];

    while (web_server_output(w->server, bytes, sizeof(bytes)) > 0)
        ;
}

static void open_by_hand(struct world *w)
{
    (void)web_server_input(w->server, PREFACE, strlen(PREFACE));
    put_frame(w, NGHTTP2_SETTINGS, 0, 0, "", 0);
}

/* GET https://h/ */
#define FIELDS "\x82\x87\x84\x41\x01h"

START_TEST(a_field_block_in_crumbs_is_no_field_block)
{
    struct world *w = world_new();

    open_by_hand(w);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, FIELDS, 6);
    ck_assert_int_eq(web_server_phase(w->server), WEB_READING);
    ck_assert_ptr_nonnull(web_server_reading(w->server));
    for (int i = 0; i < H2_CONTINUATIONS_MAX; i++)
        put_frame(w, NGHTTP2_CONTINUATION, 0, 1, "", 0);
    ck_assert_int_eq(web_server_phase(w->server), WEB_READING);
    put_frame(w, NGHTTP2_CONTINUATION, 0, 1, "", 0);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    (void)server_speaks(w, 100);
    ck_assert_uint_eq(w->goaway, 1000 + NGHTTP2_ENHANCE_YOUR_CALM);
    ck_assert_int_eq(w->numbers.begun, 0);
    world_free(w);
}
END_TEST

START_TEST(a_field_block_of_a_few_frames_is_one)
{
    struct world *w = world_new();

    open_by_hand(w);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, FIELDS, 3);
    put_frame(w, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, FIELDS + 3, 3);
    ck_assert_int_eq(web_server_phase(w->server), WEB_SENDING);
    ck_assert_int_eq(w->numbers.begun, 1);
    ck_assert_ptr_null(web_server_reading(w->server));
    web_server_stop(w->server, true);
    ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
    world_free(w);
}
END_TEST

START_TEST(what_is_no_http2_ends_the_connection)
{
    static const char *const bad[] = {"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
                                      "PRI * HTTP/2.0\r\n\r\nXX",
                                      PREFACE "nonsense that is no frame at all, for sure"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct world *w = world_new();

        ck_assert_uint_eq(web_server_input(w->server, bad[i], strlen(bad[i])), strlen(bad[i]));
        drain(w);
        ck_assert_int_eq(web_server_phase(w->server), WEB_ENDED);
        ck_assert_uint_eq(web_server_input(w->server, "x", 1), 1);
        ck_assert_int_eq(w->numbers.begun, 0);
        world_free(w);
    }
}
END_TEST

/* A request without what every request has is none (RFC 9113 8.3.1). */
START_TEST(half_a_request_is_reset)
{
    struct world *w = world_new();

    open_by_hand(w);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, "\x82", 1);
    ck_assert_int_eq(w->numbers.begun, 0);
    drain(w);
    ck_assert_int_eq(web_server_phase(w->server), WEB_IDLE);
    put_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 3, FIELDS, 6);
    ck_assert_int_eq(w->numbers.begun, 1);
    world_free(w);
}
END_TEST

/* The site of the typical page, all of it at once over one connection. */
START_TEST(a_whole_page_comes_over_one_connection)
{
    struct world *w = world_new();
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
        const nghttp2_nv nv[] = {NV(":method", "GET"), NV(":scheme", "https"),
                                 NV(":authority", host), NV(":path", target)};
        ck_assert_int_eq(nghttp2_submit_request(w->client, NULL, nv, 4, NULL, NULL), 2 * i + 1);
    }
    talk(w, 1000);
    for (int i = 0; i < page.urls; i++)
        there += w->status[2 * i + 1] == (page.url[i].kind == PAGE_REDIRECT ? 302 : 200);
    ck_assert_int_eq(there, 29);
    ck_assert_uint_eq(service.requests, 29);
    world_free(w);
    site_free(site);
}
END_TEST

Suite *h2_server_suite(void);

Suite *h2_server_suite(void)
{
    Suite *suite = suite_create("h2_server");
    TCase *requests = tcase_create("requests");
    TCase *bounds = tcase_create("bounds");

    tcase_add_test(requests, requests_are_answered_side_by_side_however_they_are_cut);
    tcase_add_test(requests, bodies_of_requests_are_taken_until_they_are_too_long);
    tcase_add_test(requests, an_expected_continue_is_said);
    tcase_add_test(requests, a_body_that_breaks_off_breaks_its_stream_alone);
    tcase_add_test(requests, one_that_stops_finishes_what_is_under_way);
    tcase_add_test(requests, a_whole_page_comes_over_one_connection);
    suite_add_tcase(suite, requests);
    tcase_add_test(bounds, more_streams_than_allowed_are_refused);
    tcase_add_test(bounds, who_only_cancels_is_sent_away);
    tcase_add_test(bounds, too_many_fields_are_refused);
    tcase_add_test(bounds, a_field_block_in_crumbs_is_no_field_block);
    tcase_add_test(bounds, a_field_block_of_a_few_frames_is_one);
    tcase_add_test(bounds, what_is_no_http2_ends_the_connection);
    tcase_add_test(bounds, half_a_request_is_reset);
    suite_add_tcase(suite, bounds);
    return suite;
}
