/*
 * support/h2_talk.c: nghttp2's client and our server, told of each other's bytes.
 */
#include "support/h2_talk.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "web/h2_server.h"

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct h2_talk *w = user;

    (void)session;
    (void)name_len;
    (void)value_len;
    (void)flags;
    if (strcmp((const char *)name, ":status") == 0 && strcmp((const char *)value, "100") == 0)
        w->continued++;
    else if (strcmp((const char *)name, ":status") == 0)
        w->status[frame->hd.stream_id] = atoi((const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t n, void *user)
{
    struct h2_talk *w = user;

    (void)session;
    (void)flags;
    (void)bytes;
    w->bytes[id] += n;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session;
    ((struct h2_talk *)user)->closed[id] = 1000 + code;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        ((struct h2_talk *)user)->goaway = 1000 + frame->goaway.error_code;
    return 0;
}

struct h2_talk *h2_talk_new(void)
{
    struct h2_talk *w = calloc(1, sizeof(*w));
    nghttp2_session_callbacks *callbacks = NULL;

    ck_assert_ptr_nonnull(w);
    answers_init(&w->answers);
    w->answers.longest = 100000;
    w->server = h2_server_new(&w->answers.service);
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

void h2_talk_free(struct h2_talk *w)
{
    int begun = w->answers.begun;

    web_server_free(w->server, -ECONNRESET);
    ck_assert_int_eq(w->answers.whole + w->answers.broken, begun);
    nghttp2_session_del(w->client);
    free(w);
}

bool h2_client_speaks(struct h2_talk *w, size_t step)
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

bool h2_server_speaks(struct h2_talk *w, size_t step)
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

void h2_talk(struct h2_talk *w, size_t step)
{
    bool more = true;

    while (more) {
        more = h2_client_speaks(w, step);
        more = h2_server_speaks(w, step) || more;
    }
}

int32_t h2_request(struct h2_talk *w, const char *method, const char *target,
                   const nghttp2_data_provider *body)
{
    const nghttp2_nv nv[] = {H2_FIELD(":method", method), H2_FIELD(":scheme", "https"),
                             H2_FIELD(":authority", "h.test"), H2_FIELD(":path", target)};
    int32_t id = nghttp2_submit_request(w->client, NULL, nv, 4, body, NULL);

    ck_assert_int_gt(id, 0);
    ck_assert_int_lt(id, H2_TALK_STREAMS);
    return id;
}
