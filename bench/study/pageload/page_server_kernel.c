/*
 * study/pageload/page_server_kernel.c: the kernel's sockets with OpenSSL, and web/server.h's bytes
 * between them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/stream.h"
#include "study/pageload/page_server.h"
#include "study/pageload/page_visit.h"
#include "web/site.h"

struct page_server_kernel {
    struct poller *poller;
    struct poller_watch listening, names; /* of these two: */
    int listener, datagrams;              /* -1: not open */
    struct dns_zone zone;
    struct peer_context *context;
    struct site *site;
    struct site_service service;
    struct visit *visits;
};

/* --- a connection ----------------------------------------------------------------------------- */

struct visit {
    struct page_visit visit; /* first member */
    struct poller_watch watch;
    struct page_server_kernel *server;
    struct peer_stream *stream;
    struct visit *next, **link; /* in the server's */
    int error;                  /* nonzero: it is over, and why */
};

static ssize_t visit_read(struct page_visit *visit, char *bytes, size_t n)
{
    struct visit *v = (struct visit *)visit;
    ssize_t got = peer_stream_read(v->stream, bytes, n);

    if (got != -EAGAIN && got <= 0)
        v->error = got < 0 ? (int)got : -ECONNRESET;
    return got;
}

static ssize_t visit_write(struct page_visit *visit, const char *bytes, size_t n)
{
    struct visit *v = (struct visit *)visit;
    ssize_t taken = peer_stream_write(v->stream, bytes, n);

    if (taken < 0 && taken != -EAGAIN)
        v->error = (int)taken;
    return taken;
}

static void visit_end(struct page_visit *visit)
{
    peer_stream_end(((struct visit *)visit)->stream);
}

static bool visit_speaks_h2(const struct page_visit *visit)
{
    return peer_stream_speaks(((const struct visit *)visit)->stream, "h2");
}

static const struct page_visit_ops visit_ops = {
    .read = visit_read, .write = visit_write, .speaks_h2 = visit_speaks_h2, .end = visit_end};

static void visit_free(struct visit *v)
{
    *v->link = v->next;
    if (v->next)
        v->next->link = v->link;
    poller_unwatch(v->server->poller, peer_stream_fd(v->stream));
    page_visit_fini(&v->visit, v->error);
    peer_stream_free(v->stream);
    free(v);
}

static int watch(struct visit *v)
{
    uint32_t room = peer_stream_wants_room(v->stream) ? EPOLLOUT : 0;

    return poller_watch(v->server->poller, peer_stream_fd(v->stream), EPOLLIN | room, &v->watch);
}

static void on_ready(struct poller_watch *ready, uint32_t events)
{
    struct visit *v = (struct visit *)((char *)ready - offsetof(struct visit, watch));

    (void)events;
    peer_stream_hold(v->stream);
    if (peer_stream_phase(v->stream) != PEER_UP)
        v->error = peer_stream_go_on(v->stream);
    if (v->error == 0 && peer_stream_phase(v->stream) >= PEER_UP_EARLY)
        page_visit_pump(&v->visit);
    peer_stream_release(v->stream);
    if (v->error == 0)
        v->error = watch(v);
    if (v->error < 0)
        visit_free(v);
}

/* Takes the stream over. */
static void visit_new(struct page_server_kernel *server, struct peer_stream *stream)
{
    struct visit *v = malloc(sizeof(*v));

    if (!v) {
        peer_stream_free(stream);
        return;
    }
    page_visit_init(&v->visit, &visit_ops, &server->service.service);
    v->watch = (struct poller_watch){.on_ready = on_ready};
    v->server = server;
    v->stream = stream;
    v->error = 0;
    v->next = server->visits;
    v->link = &server->visits;
    if (v->next)
        v->next->link = &v->next;
    server->visits = v;
    if (watch(v) < 0)
        visit_free(v);
}

static void on_listener(struct poller_watch *ready, uint32_t events)
{
    struct page_server_kernel *server =
        (struct page_server_kernel *)((char *)ready -
                                      offsetof(struct page_server_kernel, listening));
    struct peer_stream *stream = NULL;

    (void)events;
    if (peer_stream_accept(server->context, server->listener, &stream) == 0)
        visit_new(server, stream);
}

/* --- names ------------------------------------------------------------------------------------ */

static void on_names(struct poller_watch *ready, uint32_t events)
{
    struct page_server_kernel *server =
        (struct page_server_kernel *)((char *)ready - offsetof(struct page_server_kernel, names));
    uint8_t query[DNS_ANSWER_MAX * 4], answer[DNS_ANSWER_MAX];
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    ssize_t got =
        recvfrom(server->datagrams, query, sizeof(query), 0, (struct sockaddr *)&from, &size);
    size_t n = got > 0 ? dns_answer(&server->zone, query, (size_t)got, answer) : 0;

    (void)events;
    if (n > 0 && from.sin_port != 0)
        (void)sendto(server->datagrams, answer, n, 0, (struct sockaddr *)&from, size);
}

static int open_names(struct page_server_kernel *server, struct sockaddr_in here)
{
    here.sin_port = htons(DNS_PORT);
    server->names.on_ready = on_names;
    server->datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->datagrams < 0 ||
        bind(server->datagrams, (struct sockaddr *)&here, sizeof(here)) < 0)
        return -errno;
    return poller_watch(server->poller, server->datagrams, EPOLLIN, &server->names);
}

/* --- life ------------------------------------------------------------------------------------- */

static int make_context(struct page_server_kernel *server, const struct credentials *credentials,
                        char *message)
{
    const struct peer_identity identity = {.chain = credentials->ec.chain,
                                           .key = credentials->ec.key};
    static const char *const alpn[] = {"h2", "http/1.1", NULL};
    char why[PEER_MESSAGE_MAX];

    server->context = peer_server_context(PEER_ANY, PEER_EARLY, &identity, why);
    if (!server->context) {
        (void)snprintf(message, TLSYN_TLS_MESSAGE, "%.100s", why);
        return -EPROTO;
    }
    peer_context_tickets(server->context, PAGE_TICKETS);
    return peer_context_alpn(server->context, alpn);
}

static int listen_on(struct page_server_kernel *server, struct sockaddr_in here)
{
    here.sin_port = htons(PAGE_PORT);
    server->listening.on_ready = on_listener;
    server->listener = peer_stream_listen(&here);
    return server->listener < 0
               ? server->listener
               : poller_watch(server->poller, server->listener, EPOLLIN, &server->listening);
}

int page_server_kernel_open(struct poller *poller, const struct page_server_options *options,
                            struct page_server_kernel **server, char *message)
{
    const struct site_options site = {.port = PAGE_PORT};
    struct sockaddr_in here = {.sin_family = AF_INET};
    struct page_server_kernel *s = calloc(1, sizeof(*s));
    int error = s ? 0 : -ENOMEM;

    (void)snprintf(message, TLSYN_TLS_MESSAGE, "%s", "");
    if (s) {
        *s = (struct page_server_kernel){.poller = poller, .listener = -1, .datagrams = -1};
        error = site_new(options->page, &site, &s->site);
    }
    if (error == 0) {
        site_serve(s->site, &s->service);
        error = make_context(s, options->credentials, message);
    }
    if (error == 0)
        error = page_zone(options, &s->zone);
    if (error == 0) {
        (void)inet_pton(AF_INET, options->address, &here.sin_addr); /* page_zone() has seen it */
        error = open_names(s, here);
    }
    if (error == 0)
        error = listen_on(s, here);
    if (error < 0 && !message[0])
        (void)snprintf(message, TLSYN_TLS_MESSAGE, "the page's server can't be set up: %s",
                       strerror(-error));
    *server = s; /* what is open goes with page_server_kernel_free() */
    return error;
}

static void close_watched(struct poller *poller, int fd)
{
    if (fd < 0)
        return;
    poller_unwatch(poller, fd);
    (void)close(fd);
}

void page_server_kernel_free(struct page_server_kernel *server)
{
    if (!server)
        return;
    while (server->visits)
        visit_free(server->visits);
    close_watched(server->poller, server->listener);
    close_watched(server->poller, server->datagrams);
    peer_context_free(server->context);
    site_free(server->site);
    free(server);
}
