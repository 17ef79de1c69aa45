/*
 * web/h2_server.c: the server's side of an HTTP/2 connection.
 *
 * Bytes in go to nghttp2_session_mem_recv(), which calls back for frames; bytes out are taken from
 * nghttp2_session_mem_send(), a frame at a time, which calls back for the bodies. A stream lives
 * from its header until nghttp2 says that it is closed.
 */
#include "web/h2_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "web/h2_fields.h"

struct h2_server {
    struct web_server base;
    struct web_service *service;
    nghttp2_session *session;
    struct h2_reading reading; /* a field block is never interrupted: there is one at a time */
    int32_t reading_stream;    /* 0: none is being read */
    unsigned continuations;    /* of that block */
    struct h2_stream *streams;
    unsigned cancelled; /* more than were answered */
    const uint8_t *out; /* what is left of the frame that is leaving */
    size_t out_len;
    bool over; /* nothing more is taken */
};

struct h2_stream {
    struct h2_server *server;
    struct h2_stream *next, **link;
    int32_t id;
    struct web_exchange *exchange;
    uint64_t at;    /* of the response's body: so much has left */
    size_t ignored; /* of its body, since it was answered */
    bool answered, sent;
};

static struct h2_server *of(struct web_server *server)
{
    return (struct h2_server *)server;
}

/* Says goodbye; nothing more is taken. */
static void end_session(struct h2_server *s, uint32_t code)
{
    if (!s->over)
        (void)nghttp2_session_terminate_session(s->session, code);
    s->over = true;
}

/* --- streams ---------------------------------------------------------------------------------- */

static struct h2_stream *add_stream(struct h2_server *s, int32_t id)
{
    struct h2_stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->exchange = web_begin(s->service, &s->reading.request, s->reading.status);
    if (!stream->exchange) {
        free(stream);
        return NULL;
    }
    stream->server = s;
    stream->id = id;
    stream->next = s->streams;
    stream->link = &s->streams;
    if (stream->next)
        stream->next->link = &stream->next;
    s->streams = stream;
    (void)nghttp2_session_set_stream_user_data(s->session, id, stream);
    return stream;
}

static void remove_stream(struct h2_stream *stream, int error)
{
    web_end(stream->exchange, error);
    *stream->link = stream->next;
    if (stream->next)
        stream->next->link = stream->link;
    free(stream);
}

static struct h2_stream *find_stream(struct h2_server *s, int32_t id)
{
    return nghttp2_session_get_stream_user_data(s->session, id);
}

/* --- responses -------------------------------------------------------------------------------- */

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t n,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct h2_stream *stream = source->ptr;
    const struct web_response *response = &stream->exchange->response;
    ssize_t got = 0;

    (void)session;
    (void)id;
    (void)user;
    if (stream->at < response->length)
        got = web_read(stream->exchange, stream->at, (char *)bytes, n);
    if (got < 0 || (got == 0 && stream->at < response->length))
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* INTERNAL_ERROR, on this stream alone */
    stream->at += (uint64_t)got;
    stream->server->base.progress += (uint64_t)got;
    if (stream->at == response->length)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return got;
}

/* Sends the response if it is decided. */
static void respond(struct h2_stream *stream)
{
    const struct web_response *response = &stream->exchange->response;
    const nghttp2_data_provider body = {.source = {.ptr = stream}, .read_callback = read_body};
    bool has_body = response->has_body && response->length > 0;
    struct h2_fields fields;

    if (stream->answered || response->status == 0)
        return;
    stream->answered = true;
    h2_fields_of(&fields, response);
    if (nghttp2_submit_response(stream->server->session, stream->id, fields.nv, fields.count,
                                has_body ? &body : NULL) != 0)
        end_session(stream->server, NGHTTP2_INTERNAL_ERROR);
}

/* The request has come whole. */
static void answer(struct h2_stream *stream)
{
    if (!stream->answered)
        web_answer(stream->exchange);
    respond(stream);
}

/* RFC 9110 10.1.1: who asks whether to go on is told so, unless it is decided already. */
static void tell_to_continue(struct h2_stream *stream)
{
    static uint8_t name[] = ":status";
    static uint8_t value[] = "100";
    const nghttp2_nv status = {
        .name = name, .namelen = sizeof(name) - 1, .value = value, .valuelen = 3};

    (void)nghttp2_submit_headers(stream->server->session, NGHTTP2_FLAG_NONE, stream->id, NULL,
                                 &status, 1, NULL);
}

/* --- what nghttp2 tells ----------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_server *s = user;

    (void)session;
    if (s->over || frame->hd.type != NGHTTP2_HEADERS ||
        frame->headers.cat != NGHTTP2_HCAT_REQUEST) /* trailers have no meaning here */
        return 0;
    h2_reading_begin(&s->reading);
    s->reading_stream = frame->hd.stream_id;
    return 0;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
    struct h2_server *s = user;

    (void)session;
    if (hd->type != NGHTTP2_CONTINUATION)
        s->continuations = 0;
    else if (++s->continuations > H2_CONTINUATIONS_MAX)
        end_session(s, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct h2_server *s = user;

    (void)session;
    (void)name_len;
    (void)value_len;
    (void)flags;
    if (s->reading_stream == frame->hd.stream_id) /* nghttp2 ends both with a zero */
        h2_reading_take(&s->reading, (const char *)name, (const char *)value, H2_FIELDS_MAX);
    return 0;
}

static void take_request(struct h2_server *s, const nghttp2_frame *frame)
{
    bool whole = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct h2_stream *stream = NULL;

    s->reading_stream = 0;
    s->reading.request.has_body = !whole;
    stream = add_stream(s, frame->hd.stream_id);
    if (!stream) {
        end_session(s, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    respond(stream);
    if (whole)
        answer(stream);
    else if (!stream->answered && s->reading.request.expect_continue)
        tell_to_continue(stream);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_server *s = user;
    struct h2_stream *stream = NULL;

    (void)session;
    if (s->over || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        take_request(s, frame);
        return 0;
    }
    stream = find_stream(s, frame->hd.stream_id);
    if (stream && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        answer(stream);
    return 0;
}

/* RFC 9113 8.1: a request whose response is there before it came whole may be ended, and told that
 * this is no error. Not at once: there are clients that take it for one while they have not read
 * the response, which lets them stop by themselves. */
static void ignore(struct h2_stream *stream, size_t n)
{
    stream->ignored += n;
    if (stream->ignored > WEB_IGNORED_MAX && stream->sent)
        (void)nghttp2_submit_rst_stream(stream->server->session, NGHTTP2_FLAG_NONE, stream->id,
                                        NGHTTP2_NO_ERROR);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t n, void *user)
{
    struct h2_server *s = user;
    struct h2_stream *stream = find_stream(s, id);

    (void)session;
    (void)flags;
    s->base.progress += n;
    if (!stream || s->over)
        return 0;
    if (stream->answered) {
        ignore(stream, n);
    } else {
        web_take(stream->exchange, (const char *)bytes, n);
        respond(stream);
    }
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_stream *stream = NULL;

    (void)session;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    stream = find_stream(user, frame->hd.stream_id);
    if (stream)
        stream->sent = true;
    return 0;
}

/* Who cancels costs us what a request costs, and no response: the rapid reset. */
static void count(struct h2_server *s, bool sent)
{
    if (!sent)
        s->cancelled++;
    else if (s->cancelled > 0)
        s->cancelled--;
    if (s->cancelled > H2_CANCELLED_MAX)
        end_session(s, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct h2_server *s = user;
    struct h2_stream *stream = find_stream(s, id);

    (void)session;
    (void)code;
    if (s->reading_stream == id)
        s->reading_stream = 0;
    if (!stream)
        return 0;
    count(s, stream->sent);
    remove_stream(stream, stream->sent ? 0 : -ECONNRESET);
    return 0;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static size_t input(struct web_server *server, const char *bytes, size_t n)
{
    struct h2_server *s = of(server);

    if (!s->over && nghttp2_session_mem_recv(s->session, (const uint8_t *)bytes, n) < 0)
        s->over = true; /* no client of HTTP/2, or no memory: nothing helps */
    return n;
}

static ssize_t output(struct web_server *server, char *bytes, size_t n)
{
    struct h2_server *s = of(server);
    size_t given = 0;

    while (given < n) {
        size_t part = 0;

        if (s->out_len == 0) {
            ssize_t got = nghttp2_session_mem_send(s->session, &s->out);

            if (got < 0)
                return -ENOMEM;
            s->out_len = (size_t)got;
        }
        if (s->out_len == 0)
            break;
        part = s->out_len < n - given ? s->out_len : n - given;
        memcpy(bytes + given, s->out, part);
        s->out += part;
        s->out_len -= part;
        given += part;
    }
    return (ssize_t)given;
}

/* --- the rest --------------------------------------------------------------------------------- */

static bool is_over(const struct h2_server *s)
{
    return s->over || (!nghttp2_session_want_read(s->session) &&
                       !nghttp2_session_want_write(s->session) && s->out_len == 0);
}

static enum web_phase phase(const struct web_server *server)
{
    const struct h2_server *s = (const struct h2_server *)server;
    bool receiving = false;

    if (is_over(s))
        return WEB_ENDED;
    for (const struct h2_stream *stream = s->streams; stream; stream = stream->next) {
        if (stream->answered && !stream->sent)
            return WEB_SENDING;
        receiving = true;
    }
    if (receiving)
        return WEB_RECEIVING;
    return s->reading_stream ? WEB_READING : WEB_IDLE;
}

/* GOAWAY, that names the last stream which will be answered. */
static void stop(struct web_server *server, bool at_once)
{
    struct h2_server *s = of(server);

    if (at_once || !s->streams)
        end_session(s, NGHTTP2_NO_ERROR);
    else
        (void)nghttp2_submit_goaway(s->session, NGHTTP2_FLAG_NONE,
                                    nghttp2_session_get_last_proc_stream_id(s->session),
                                    NGHTTP2_NO_ERROR, NULL, 0);
}

static const struct request *reading(const struct web_server *server)
{
    const struct h2_server *s = (const struct h2_server *)server;

    return s->reading_stream ? &s->reading.request : NULL;
}

static void free_server(struct web_server *server, int error)
{
    struct h2_server *s = of(server);

    nghttp2_session_del(s->session);
    while (s->streams)
        remove_stream(s->streams, error);
    free(s);
}

static const struct web_server_ops ops = {
    .input = input,
    .output = output,
    .phase = phase,
    .stop = stop,
    .reading = reading,
    .free = free_server,
};

static int new_session(struct h2_server *s)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int error = nghttp2_session_callbacks_new(&callbacks);

    if (error != 0)
        return error;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    error = nghttp2_option_new(&option);
    if (error == 0) {
        nghttp2_option_set_no_closed_streams(option,
                                             1); /* they would only be kept for priorities */
        error = nghttp2_session_server_new2(&s->session, callbacks, s, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return error;
}

struct web_server *h2_server_new(struct web_service *service)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_FIELDS_MAX},
    };
    struct h2_server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->base.ops = &ops;
    s->service = service;
    if (new_session(s) == 0 && nghttp2_submit_settings(s->session, NGHTTP2_FLAG_NONE, settings,
                                                       sizeof(settings) / sizeof(settings[0])) == 0)
        return &s->base;
    nghttp2_session_del(s->session);
    free(s);
    return NULL;
}
