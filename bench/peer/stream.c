/*
 * peer/stream.c: sockets that don't wait, sessions by name. Read first: connect(2) (EINPROGRESS),
 * tcp(7), SSL_get_error(3), SSL_CTX_sess_set_new_cb(3), SSL_CTX_set_mode(3).
 */
#include "peer/stream.h"

#include "peer/socket.h"
#include "peer/ssl.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS_MAX 96
#define SERVER_MAX   256
#define BACKLOG      64

struct peer_stream {
    struct peer_context *context;
    SSL *ssl;
    int fd;
    enum peer_phase phase;
    bool wants_room;
    char name[SERVER_MAX]; /* of the server; of a client's alone */
    char error[PEER_MESSAGE_MAX];
};

/* --- sessions --------------------------------------------------------------------------------- */

/* From the oldest on. */
struct peer_memory {
    struct remembered {
        char name[SERVER_MAX];
        SSL_SESSION *session;
    } item[SESSIONS_MAX];
    int items;
};

void peer_memory_free(struct peer_memory *memory)
{
    for (int i = 0; memory && i < memory->items; i++)
        SSL_SESSION_free(memory->item[i].session);
    free(memory);
}

static void forget(struct peer_memory *memory, int i)
{
    SSL_SESSION_free(memory->item[i].session);
    memory->items--;
    memmove(&memory->item[i], &memory->item[i + 1],
            (size_t)(memory->items - i) * sizeof(memory->item[0]));
}

/* OpenSSL calls this for each session that can be resumed; 1: the reference is kept. */
static int remember(SSL *ssl, SSL_SESSION *session)
{
    const struct peer_stream *s = SSL_get_app_data(ssl);
    struct peer_memory *memory = s->context->memory;

    if (!memory)
        return 0;
    if (memory->items == SESSIONS_MAX)
        forget(memory, 0);
    (void)snprintf(memory->item[memory->items].name, SERVER_MAX, "%s", s->name);
    memory->item[memory->items++].session = session;
    return 1;
}

static int resume(struct peer_stream *s)
{
    struct peer_memory *memory = s->context->memory;
    int i = memory->items - 1, ok;

    while (i >= 0 && strcmp(memory->item[i].name, s->name) != 0)
        i--;
    if (i < 0)
        return 1;
    ok = SSL_set_session(s->ssl, memory->item[i].session);
    if (SSL_SESSION_get_protocol_version(memory->item[i].session) >= TLS1_3_VERSION)
        forget(memory, i);
    return ok;
}

/* --- beginnings ------------------------------------------------------------------------------- */

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
        context->memory = calloc(1, sizeof(*context->memory));
        SSL_CTX_sess_set_new_cb(context->ssl, remember);
    }
    if (!context->memory)
        return -ENOMEM;
    error = wrap(context, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), &s);
    if (error < 0)
        return error;
    s->wants_room = true;
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

    if (error == 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
         bind(fd, (const struct sockaddr *)here, sizeof(*here)) < 0 || listen(fd, BACKLOG) < 0))
        error = -errno;
    if (error < 0 && fd >= 0)
        (void)close(fd);
    return error < 0 ? error : fd;
}

/* --- going on --------------------------------------------------------------------------------- */

/* -EAGAIN, 0 for the other side's end, or why it is over. */
static int outcome(struct peer_stream *s, int returned)
{
    int saved = errno, kind = SSL_get_error(s->ssl, returned);

    s->wants_room = kind == SSL_ERROR_WANT_WRITE;
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    if (kind == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (kind == SSL_ERROR_SSL)
        saved = EPROTO;
    if (saved == 0)
        saved = ECONNRESET;
    peer_ssl_error(strerror(saved), s->error, sizeof(s->error));
    return -saved;
}

static int connected(struct peer_stream *s)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0 && resume(s) != 1)
        error = ENOMEM;
    if (error > 0)
        (void)snprintf(s->error, sizeof(s->error), "%s", strerror(error));
    else
        s->phase = PEER_HANDSHAKING;
    return -error;
}

int peer_stream_go_on(struct peer_stream *s)
{
    int n, error = s->phase == PEER_CONNECTING ? connected(s) : 0;

    if (error < 0 || s->phase == PEER_UP)
        return error;
    ERR_clear_error();
    errno = 0;
    n = SSL_do_handshake(s->ssl);
    if (n == 1) {
        s->wants_room = false;
        s->phase = PEER_UP;
        return 0;
    }
    error = outcome(s, n);
    if (error == 0)
        (void)snprintf(s->error, sizeof(s->error), "it was closed during the handshake");
    return error == -EAGAIN ? 0 : error == 0 ? -ECONNRESET : error;
}

ssize_t peer_stream_read(struct peer_stream *s, void *bytes, size_t n)
{
    bool blocked = s->wants_room; /* a write of ours is */
    size_t got = 0;
    int error;

    ERR_clear_error();
    errno = 0;
    if (SSL_read_ex(s->ssl, bytes, n, &got) == 1)
        return (ssize_t)got;
    error = outcome(s, 0);
    s->wants_room = s->wants_room || blocked;
    return error;
}

ssize_t peer_stream_write(struct peer_stream *s, const void *bytes, size_t n)
{
    size_t taken = 0;

    ERR_clear_error();
    errno = 0;
    s->wants_room = false;
    if (SSL_write_ex(s->ssl, bytes, n, &taken) == 1)
        return (ssize_t)taken;
    return outcome(s, 0);
}

/* --- what there is ---------------------------------------------------------------------------- */

int peer_stream_fd(const struct peer_stream *s)
{
    return s->fd;
}

bool peer_stream_wants_room(const struct peer_stream *s)
{
    return s->wants_room;
}

enum peer_phase peer_stream_phase(const struct peer_stream *s)
{
    return s->phase;
}

bool peer_stream_speaks(const struct peer_stream *s, const char *protocol)
{
    const unsigned char *chosen = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(s->ssl, &chosen, &len);
    return len == strlen(protocol) && memcmp(chosen, protocol, len) == 0;
}

bool peer_stream_resumed(const struct peer_stream *s)
{
    return SSL_session_reused(s->ssl) == 1;
}

const char *peer_stream_error(const struct peer_stream *s)
{
    return s->error;
}

/* TCP_CORK of tcp(7). Where it fails segments are smaller. */
static void cork(const struct peer_stream *s, int on)
{
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

void peer_stream_hold(struct peer_stream *s)
{
    cork(s, 1);
}

void peer_stream_release(struct peer_stream *s)
{
    cork(s, 0);
}

void peer_stream_end(struct peer_stream *s)
{
    ERR_clear_error();
    (void)SSL_shutdown(s->ssl);
    (void)shutdown(s->fd, SHUT_WR);
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
