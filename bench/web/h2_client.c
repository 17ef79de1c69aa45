/*
 * web/h2_client.c: a client of HTTP/2 on one connection, over nghttp2. Read first:
 * web/http_client.h; RFC 9113 5.1, 6.5, 6.8, 8.1, 8.4, 10.5.
 *
 * Requests go side by side, as many as the server's settings and H2_REQUESTS_MAX allow. What a
 * server can make it do has bounds: it may push nothing (SETTINGS_ENABLE_PUSH 0), a response's
 * fields have HTTP_HEAD_MAX octets and their block a few frames, interim responses are few, and
 * what is to be acknowledged in one go is nghttp2's business.
 */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/http_client.h"

enum { H2_REQUESTS_MAX = 100, CONTINUATIONS_MAX = 7, TARGET_MAX = 4096 };

/* What a stream, and all of them, may be ahead of who reads: as much as a fast and long path holds.
 */
enum { STREAM_WINDOW = 1 << 20, CONNECTION_WINDOW = 1 << 23 };

struct h2_stream {
    int32_t id; /* 0: not in use */
    int request;
    unsigned interim;
    bool headed, whole;
    int error; /* why it was cancelled by us, or 0 */
};

struct h2_client {
    struct http_client base;
    struct http_client_user *user;
    nghttp2_session *session;
    struct h2_stream stream[H2_REQUESTS_MAX];
    int busy;              /* streams in use */
    struct http_head head; /* of the field block that is coming: there is one at a time */
    unsigned continuations;
    bool useless; /* no request can be made any more */
    char bytes[16384];
    size_t start, end;    /* of what is to be sent */
    const uint8_t *frame; /* what found no room there */
    size_t frame_len;
};

static struct h2_client *of(struct http_client *client)
{
    return (struct h2_client *)client; /* first member */
}

/* --- streams ---------------------------------------------------------------------------------- */

static struct h2_stream *find(struct h2_client *c, int32_t id)
{
    return nghttp2_session_get_stream_user_data(c->session, id);
}

static struct h2_stream *free_place(struct h2_client *c)
{
    for (int i = 0; i < H2_REQUESTS_MAX; i++) {
        if (c->stream[i].id == 0)
            return &c->stream[i];
    }
    return NULL;
}

static void done(struct h2_client *c, struct h2_stream *stream, int error, const char *sentence)
{
    int request = stream->request;

    stream->id = 0;
    c->busy--;
    c->user->events->on_done(c->user, request, error, sentence);
}

/* Nothing comes any more. */
static void fail_all(struct h2_client *c, int error, const char *sentence)
{
    c->useless = true;
    for (int i = 0; i < H2_REQUESTS_MAX; i++) {
        if (c->stream[i].id != 0) {
            (void)nghttp2_session_set_stream_user_data(c->session, c->stream[i].id, NULL);
            done(c, &c->stream[i], error, sentence);
        }
    }
}

/* A response that we can't take, on a connection that may be as good as ever. */
static void cancel(struct h2_client *c, struct h2_stream *stream, int error)
{
    if (stream->error == 0)
        (void)nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
    stream->error = error;
}

/* --- what nghttp2 tells ----------------------------------------------------------------------- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
    struct h2_client *c = user;

    /* Our settings, which forbid it, stand before every request: none can have crossed them. */
    if (hd->type == NGHTTP2_PUSH_PROMISE)
        (void)nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
    if (hd->type != NGHTTP2_CONTINUATION)
        c->continuations = 0;
    else if (++c->continuations == CONTINUATIONS_MAX + 1)
        (void)nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    (void)frame;
    http_head_clear(&((struct h2_client *)user)->head);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct h2_client *c = user;
    struct h2_stream *stream = find(c, frame->hd.stream_id);
    int error = 0;

    (void)session;
    (void)flags;
    if (!stream || stream->error)
        return 0;
    if (strcmp((const char *)name, ":status") == 0) {
        c->head.status = atoi((const char *)value); /* three digits: nghttp2 has looked */
        return 0;
    }
    if (strcmp((const char *)name, "content-length") == 0)
        c->head.length = strtoull((const char *)value, NULL, 10);
    error = http_head_name(&c->head, (const char *)name, name_len);
    if (error == 0)
        error = http_head_value(&c->head, (const char *)value, value_len);
    if (error < 0)
        cancel(c, stream, error);
    return 0;
}

/* RFC 9110 15.2: interim responses come before the final one. */
static void take_head(struct h2_client *c, struct h2_stream *stream)
{
    if (stream->headed || stream->error) /* these are trailers, or of no interest */
        return;
    if (c->head.status / 100 == 1) {
        if (++stream->interim > HTTP_INTERIM_MAX)
            cancel(c, stream, -EBADMSG);
        return;
    }
    if (http_head_end(&c->head) < 0) {
        cancel(c, stream, -EMSGSIZE);
        return;
    }
    stream->headed = true;
    c->head.major = 2;
    c->user->events->on_head(c->user, stream->request, &c->head);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_client *c = user;
    struct h2_stream *stream = NULL;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        c->useless = true; /* for new requests: those it names are still answered */
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    stream = find(c, frame->hd.stream_id);
    if (stream && frame->hd.type == NGHTTP2_HEADERS)
        take_head(c, stream);
    if (stream && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        stream->whole = true;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t n, void *user)
{
    struct h2_client *c = user;
    struct h2_stream *stream = find(c, id);

    (void)session;
    (void)flags;
    if (stream && stream->headed && !stream->error)
        c->user->events->on_body(c->user, stream->request, (const char *)bytes, n);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct h2_client *c = user;
    struct h2_stream *stream = find(c, id);
    char sentence[100] = "";

    (void)session;
    if (!stream)
        return 0;
    if (stream->error == -EMSGSIZE) {
        (void)snprintf(sentence, sizeof(sentence),
                       "the header of the server's answer is longer than %d bytes", HTTP_HEAD_MAX);
    } else if (stream->error) {
        (void)snprintf(sentence, sizeof(sentence), "the server's answer does not begin");
    } else if (code == NGHTTP2_REFUSED_STREAM) { /* RFC 9113 8.7 */
        stream->error = -EAGAIN;
        (void)snprintf(sentence, sizeof(sentence), "the server did not look at the request");
    } else if (!stream->whole || !stream->headed) {
        stream->error = -ECONNRESET;
        (void)snprintf(sentence, sizeof(sentence), "the server broke the answer off: %s",
                       nghttp2_http2_strerror(code));
    }
    done(c, stream, stream->error, sentence);
    return 0;
}

/* --- the interface ---------------------------------------------------------------------------- */

static int room(const struct http_client *client)
{
    const struct h2_client *c = (const struct h2_client *)client;
    uint32_t allowed =
        nghttp2_session_get_remote_settings(c->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    if (c->useless || !nghttp2_session_check_request_allowed(c->session))
        return -1;
    if (allowed > H2_REQUESTS_MAX)
        allowed = H2_REQUESTS_MAX;
    return (int)allowed > c->busy ? (int)allowed - c->busy : 0;
}

#define NV(name_, value_)                                                                          \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(name_), .namelen = strlen(name_),                           \
        .value = (uint8_t *)(uintptr_t)(value_), .valuelen = strlen(value_)                        \
    }

static int ask(struct http_client *client, int request, const struct http_request *what)
{
    struct h2_client *c = of(client);
    struct h2_stream *stream = free_place(c);
    const nghttp2_nv fields[] = {
        NV(":method", "GET"),      NV(":scheme", "https"),    NV(":authority", what->authority),
        NV(":path", what->target), NV("user-agent", "tlsyn"), NV("accept", "*/*"),
    };
    int32_t id = 0;

    if (room(client) <= 0 || !stream)
        return -EAGAIN;
    if (strlen(what->target) > TARGET_MAX || strlen(what->authority) > TARGET_MAX)
        return -EMSGSIZE;
    id = nghttp2_submit_request(c->session, NULL, fields, sizeof(fields) / sizeof(fields[0]), NULL,
                                stream);
    if (id < 0)
        return id == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EAGAIN;
    *stream = (struct h2_stream){.id = id, .request = request};
    c->busy++;
    return 0;
}

/* Frames side by side, so that few records carry them. */
static void gather(struct h2_client *c)
{
    memmove(c->bytes, c->bytes + c->start, c->end - c->start);
    c->end -= c->start;
    c->start = 0;
    while (c->end < sizeof(c->bytes)) {
        size_t part = sizeof(c->bytes) - c->end;

        if (c->frame_len == 0) {
            ssize_t n = nghttp2_session_mem_send(c->session, &c->frame);

            if (n <= 0) { /* no memory shows at the next take, too */
                c->useless = c->useless || n < 0;
                return;
            }
            c->frame_len = (size_t)n;
        }
        if (part > c->frame_len)
            part = c->frame_len;
        memcpy(c->bytes + c->end, c->frame, part);
        c->end += part;
        c->frame += part;
        c->frame_len -= part;
    }
}

static size_t pending(struct http_client *client, const char **bytes)
{
    struct h2_client *c = of(client);

    if (c->start == c->end)
        gather(c);
    *bytes = c->bytes + c->start;
    return c->end - c->start;
}

static void sent(struct http_client *client, size_t n)
{
    of(client)->start += n;
}

static int take(struct http_client *client, const char *bytes, size_t n)
{
    struct h2_client *c = of(client);
    ssize_t taken = nghttp2_session_mem_recv(c->session, (const uint8_t *)bytes, n);

    if (taken < 0) {
        fail_all(c, -EBADMSG, nghttp2_strerror((int)taken));
        return -EBADMSG;
    }
    gather(c); /* a GOAWAY of ours, if nghttp2 did not like what it got */
    if (nghttp2_session_want_read(c->session) || c->busy == 0)
        return 0;
    fail_all(c, -EBADMSG,
             c->continuations > CONTINUATIONS_MAX
                 ? "the server's answer has a header in too many pieces"
                 : "the server's answer is no valid HTTP/2");
    return -EBADMSG;
}

static void ended(struct http_client *client, int error, const char *sentence)
{
    fail_all(of(client), error ? error : -ECONNRESET,
             error ? sentence : "the server closed the connection before the answer was complete");
}

static void client_free(struct http_client *client)
{
    nghttp2_session_del(of(client)->session);
    free(of(client));
}

static const struct http_client_ops ops = {.ask = ask,
                                           .room = room,
                                           .pending = pending,
                                           .sent = sent,
                                           .take = take,
                                           .ended = ended,
                                           .free = client_free};

/* --- making one ------------------------------------------------------------------------------- */

static int new_session(struct h2_client *c)
{
    nghttp2_session_callbacks *callbacks = NULL;
    int error = nghttp2_session_callbacks_new(&callbacks);

    if (error != 0)
        return error;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    error = nghttp2_session_client_new(&c->session, callbacks, c);
    nghttp2_session_callbacks_del(callbacks);
    return error;
}

/* What the server is told first. */
static int introduce(struct h2_client *c)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX},
    };
    int error = nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings,
                                        sizeof(settings) / sizeof(settings[0]));

    return error ? error
                 : nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
                                                         CONNECTION_WINDOW);
}

int h2_client_new(struct http_client_user *user, struct http_client **client)
{
    struct h2_client *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->base.ops = &ops;
    c->user = user;
    if (new_session(c) != 0 || introduce(c) != 0) {
        nghttp2_session_del(c->session);
        free(c);
        return -ENOMEM;
    }
    *client = &c->base;
    return 0;
}
