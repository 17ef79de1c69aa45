/*
 * peer/stream_open.c: streams are made, of sockets that don't wait, and freed. Read first:
 * connect(2) (EINPROGRESS), tcp(7) (TCP_CONGESTION), SSL_CTX_sess_set_new_cb(3),
 * SSL_CTX_set_mode(3).
 */
#include "peer/stream_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer/socket.h"

#define BACKLOG 64

/* OpenSSL calls this for each session that can be resumed; 1: the reference is kept. */
static int remember(SSL *ssl, SSL_SESSION *session)
{
    const struct peer_stream *s = SSL_get_app_data(ssl);

    if (!s->context->memory)
        return 0;
    peer_memory_keep(s->context->memory, s->name, session);
    return 1;
}

static struct peer_stream *stream_new(struct peer_context *context, int fd)
{
    struct peer_stream *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    *s = (struct peer_stream){.context = context, .fd = fd, .ssl = SSL_new(context->ssl)};
    if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1 || SSL_set_app_data(s->ssl, s) != 1) {
        SSL_free(s->ssl);
        free(s);
        return NULL;
    }
    (void)SSL_set_mode(s->ssl, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return s;
}

/* Slow start that is not paced: what is under way at once leaves at once. Some kernels come with
 * BBR, which goes on pacing a socket that it was once at work for, so a server's is asked for it
 * while it listens. CUBIC may be missing, Reno never is; where even that is forbidden it stays as
 * it is. */
static void choose_controller(int fd)
{
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) < 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

/* Takes the descriptor over. */
static int wrap(struct peer_context *context, int fd, struct peer_stream **stream)
{
    int error = fd < 0 ? -errno : 0;

    if (error == 0)
        error = peer_socket_prepare(fd, 0);
    if (error == 0) {
        *stream = stream_new(context, fd);
        error = *stream ? 0 : -ENOMEM;
    }
    if (error < 0 && fd >= 0)
        (void)close(fd);
    return error;
}

static int address_to(struct peer_stream *s, const char *name)
{
    (void)snprintf(s->name, sizeof(s->name), "%s", name);
    SSL_set_connect_state(s->ssl);
    return SSL_set_tlsext_host_name(s->ssl, name) == 1 && SSL_set1_host(s->ssl, name) == 1
               ? 0
               : -ENOMEM;
}

int peer_stream_connect(struct peer_context *context, const struct sockaddr_in *to,
                        const char *name, struct peer_stream **stream)
{
    struct peer_stream *s = NULL;
    int error;

    if (!context->memory) {
        context->memory = peer_memory_new();
        SSL_CTX_sess_set_new_cb(context->ssl, remember);
    }
    if (!context->memory)
        return -ENOMEM;
    error = wrap(context, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), &s);
    if (error != 0)
        return error;
    s->wants_room = true;
    choose_controller(s->fd);
    error = address_to(s, name);
    if (error == 0 && connect(s->fd, (const struct sockaddr *)to, sizeof(*to)) < 0 &&
        errno != EINPROGRESS)
        error = -errno;
    if (error < 0) {
        peer_stream_free(s);
        return error;
    }
    *stream = s;
    return 0;
}

int peer_stream_accept(struct peer_context *context, int listener, struct peer_stream **stream)
{
    int error = wrap(context, accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), stream);

    if (error < 0)
        return error;
    SSL_set_accept_state((*stream)->ssl);
    (*stream)->phase = PEER_HANDSHAKING;
    return 0;
}

int peer_stream_listen(const struct sockaddr_in *here)
{
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = fd < 0 ? -errno : 0;

    if (error == 0)
        choose_controller(fd);
    if (error == 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
         bind(fd, (const struct sockaddr *)here, sizeof(*here)) < 0 || listen(fd, BACKLOG) < 0))
        error = -errno;
    if (error < 0 && fd >= 0)
        (void)close(fd);
    return error < 0 ? error : fd;
}

void peer_stream_free(struct peer_stream *s)
{
    if (!s)
        return;
    peer_ssl_quit(s->ssl);
    SSL_free(s->ssl);
    (void)close(s->fd);
    free(s);
}
