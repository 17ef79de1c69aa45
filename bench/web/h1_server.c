/*
 * web/h1_server.c: the server's side of an HTTP/1.1 connection.
 */
#include "web/h1_server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/h1_request.h"

struct h1_server {
    struct web_server base;
    struct web_service *service;
    enum { READING, RECEIVING, SENDING, ENDED } state;
    struct h1_request request;
    struct web_exchange *exchange; /* NULL while READING, and ENDED */
    char head[WEB_FIELDS_MAX + 200];
    size_t head_start, head_end;
    uint64_t at;      /* of the response's body: so much has left */
    bool close_after; /* this response is the last */
    bool stopping;
};

static struct h1_server *of(struct web_server *server)
{
    return (struct h1_server *)server;
}

static void await_request(struct h1_server *s)
{
    h1_request_begin(&s->request);
    s->state = s->stopping ? ENDED : READING;
    s->exchange = NULL;
}

/* --- responses -------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void put(struct h1_server *s, const char *format, ...)
{
    va_list arguments;
    int n = 0;

    va_start(arguments, format);
    n = vsnprintf(s->head + s->head_end, sizeof(s->head) - s->head_end, format, arguments);
    va_end(arguments);
    if (n > 0 && (size_t)n < sizeof(s->head) - s->head_end)
        s->head_end += (size_t)n;
}

static void send_response(struct h1_server *s)
{
    const struct web_response *r = &s->exchange->response;

    if (s->stopping || !s->request.keep_alive || s->request.parser.http_minor == 0)
        s->close_after = true;
    s->state = SENDING;
    s->at = 0;
    put(s, "HTTP/1.1 %d %s\r\n%s", r->status, request_reason((unsigned int)r->status), r->fields);
    if (r->status != 204) /* RFC 9110 8.6: never there */
        put(s, "Content-Length: %llu\r\n", (unsigned long long)r->length);
    put(s, "%s\r\n", s->close_after ? "Connection: close\r\n" : "");
}

/* The last response: what is left of the request stays unread (RFC 9112 9.6). */
static void send_last(struct h1_server *s)
{
    s->close_after = true;
    send_response(s);
}

/* --- requests --------------------------------------------------------------------------------- */

static struct h1_server *of_request(struct h1_request *request)
{
    return (struct h1_server *)((char *)request - offsetof(struct h1_server, request));
}

static int take(struct h1_request *request, const char *bytes, size_t n)
{
    struct h1_server *s = of_request(request);

    s->base.progress += n;
    web_take(s->exchange, bytes, n);
    return s->exchange->response.status;
}

static void begin(struct h1_server *s, int status)
{
    s->exchange = web_begin(s->service, &s->request.asked, status);
    if (!s->exchange)
        s->state = ENDED;
    else if (s->exchange->response.status)
        send_last(s);
}

static void take_head(struct h1_server *s)
{
    begin(s, 0);
    if (s->state != READING)
        return;
    s->state = RECEIVING;
    s->request.body = take;
    if (s->request.asked.has_body && s->request.asked.expect_continue)
        put(s, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void take_outcome(struct h1_server *s, enum h1_outcome outcome)
{
    if (outcome == H1_HEAD) {
        take_head(s);
    } else if (outcome == H1_COMPLETE) {
        web_answer(s->exchange);
        send_response(s);
    } else if (outcome == H1_BAD &&
               s->exchange) { /* it was refused, or can't be understood any more */
        if (!s->exchange->response.status)
            web_say(s->exchange, s->request.status);
        send_last(s);
    } else if (outcome == H1_BAD) {
        begin(s, s->request.status);
    }
}

static size_t input(struct web_server *server, const char *bytes, size_t n)
{
    struct h1_server *s = of(server);
    size_t taken = 0;

    if (s->state == ENDED)
        return n;
    while (taken < n && (s->state == READING || s->state == RECEIVING)) {
        size_t used = 0;
        enum h1_outcome outcome = h1_request_feed(&s->request, bytes + taken, n - taken, &used);

        taken += used;
        take_outcome(s, outcome);
    }
    return taken;
}

/* --- bytes out -------------------------------------------------------------------------------- */

static size_t give_head(struct h1_server *s, char *bytes, size_t n)
{
    size_t have = s->head_end - s->head_start;

    if (n > have)
        n = have;
    memcpy(bytes, s->head + s->head_start, n);
    s->head_start += n;
    if (s->head_start == s->head_end)
        s->head_start = s->head_end = 0;
    return n;
}

static void finish(struct h1_server *s)
{
    web_end(s->exchange, 0);
    await_request(s);
    if (s->close_after)
        s->state = ENDED;
}

static ssize_t output(struct web_server *server, char *bytes, size_t n)
{
    struct h1_server *s = of(server);
    size_t given = give_head(s, bytes, n);

    while (s->state == SENDING && given < n) {
        const struct web_response *r = &s->exchange->response;
        ssize_t got = 0;

        if (!r->has_body || s->at == r->length) {
            finish(s);
            break;
        }
        got = web_read(s->exchange, s->at, bytes + given, n - given);
        if (got <= 0)
            return got < 0 ? got : -EIO;
        given += (size_t)got;
        s->at += (uint64_t)got;
        server->progress += (uint64_t)got;
    }
    return (ssize_t)given;
}

/* --- the rest --------------------------------------------------------------------------------- */

static enum web_phase phase(const struct web_server *server)
{
    const struct h1_server *s = (const struct h1_server *)server;

    switch (s->state) {
    case READING:
        return s->request.begun ? WEB_READING : WEB_IDLE;
    case RECEIVING:
        return WEB_RECEIVING;
    case SENDING:
        return WEB_SENDING;
    default:
        return WEB_ENDED;
    }
}

static void stop(struct web_server *server, bool at_once)
{
    struct h1_server *s = of(server);

    s->stopping = true;
    if (s->state == READING && !s->request.begun)
        s->state = ENDED;
    else if (s->state == READING && at_once)
        begin(s, 408);
}

static const struct request *reading(const struct web_server *server)
{
    const struct h1_server *s = (const struct h1_server *)server;

    return s->state == READING && s->request.begun ? &s->request.asked : NULL;
}

static void free_server(struct web_server *server, int error)
{
    struct h1_server *s = of(server);

    if (s->exchange)
        web_end(s->exchange, error);
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

struct web_server *h1_server_new(struct web_service *service)
{
    struct h1_server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->base.ops = &ops;
    s->service = service;
    await_request(s);
    return &s->base;
}
