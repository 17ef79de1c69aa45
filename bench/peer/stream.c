/*
 * peer/stream.c: sockets that don't wait. Read first: connect(2) (EINPROGRESS),
 * tcp(7) (TCP_CONGESTION), SSL_get_error(3), SSL_CTX_sess_set_new_cb(3), SSL_CTX_set_mode(3).
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

#define BACKLOG      64
#define EARLY_ANSWER 13000 /* bytes: with the handshake's they fit the initial window (RFC 6928) */

struct peer_stream {
    struct peer_context *context;
    SSL *ssl;
    int fd;
    enum peer_phase phase;
    bool wants_room;
    char name[PEER_SERVER_MAX]; /* of the server; of a client's alone */
    bool early_over;            /* a server's: no more early data comes; */
    size_t answered;            /* and so much of its answer has left */
    char first[PEER_FIRST_MAX]; /* early data: what was written, what came */
    size_t first_len, first_at; /* at: read so far */
    char error[PEER_MESSAGE_MAX];
};

/* --- sessions --------------------------------------------------------------------------------- */

/* OpenSSL calls this for each session that can be resumed; 1: the reference is kept. */
static int remember(SSL *ssl, SSL_SESSION *session)
{
    const struct peer_stream *s = SSL_get_app_data(ssl);

    if (!s->context->memory)
        return 0;
    peer_memory_keep(s->context->memory, s->name, session);
    return 1;
}

static int resume(struct peer_stream *s)
{
    SSL_SESSION *session = peer_memory_take(s->context->memory, s->name);
    int ok = session ? SSL_set_session(s->ssl, session) : 1;

    SSL_SESSION_free(session);
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
    if (error < 0)
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

static bool may_be_early(const struct peer_stream *s)
{
    const SSL_SESSION *session = SSL_get0_session(s->ssl);

    return s->context->session == PEER_EARLY && session &&
           SSL_SESSION_get_max_early_data(session) > 0;
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
        s->phase = may_be_early(s) ? PEER_UP_EARLY : PEER_HANDSHAKING;
    s->wants_room = s->wants_room && s->phase != PEER_UP_EARLY;
    return -error;
}

/* --- early data ------------------------------------------------------------------------------- */

/* Of a client's. What the server does not take is needed once more. */
static ssize_t write_first(struct peer_stream *s, const void *bytes, size_t n)
{
    size_t taken = 0;

    if (n > sizeof(s->first))
        n = sizeof(s->first);
    if (SSL_write_early_data(s->ssl, bytes, n, &taken) != 1)
        return outcome(s, 0);
    memcpy(s->first, bytes, taken);
    s->first_len = taken;
    s->phase = PEER_HANDSHAKING;
    return (ssize_t)taken;
}

static int write_again(struct peer_stream *s)
{
    size_t taken = 0, len = s->first_len;

    s->first_len = 0;
    if (len == 0 || SSL_get_early_data_status(s->ssl) == SSL_EARLY_DATA_ACCEPTED)
        return 0;
    return SSL_write_ex(s->ssl, s->first, len, &taken) == 1 && taken == len ? 0 : -EPROTO;
}

/* Of a server's, until it has ended. 0 or -errno. */
static int read_first(struct peer_stream *s)
{
    int result = SSL_READ_EARLY_DATA_SUCCESS, error;
    size_t n = 0;

    while (result == SSL_READ_EARLY_DATA_SUCCESS && s->first_len < sizeof(s->first)) {
        result = SSL_read_early_data(s->ssl, s->first + s->first_len,
                                     sizeof(s->first) - s->first_len, &n);
        if (result != SSL_READ_EARLY_DATA_SUCCESS)
            break;
        s->first_len += n;
        s->phase = PEER_UP_EARLY;
    }
    s->early_over = result == SSL_READ_EARLY_DATA_FINISH;
    if (result != SSL_READ_EARLY_DATA_ERROR)
        return 0;
    error = outcome(s, 0);
    return error == -EAGAIN ? 0 : error == 0 ? -ECONNRESET : error;
}

/* As much as leaves at once, and no more: a write that waits for room would still be under way when
 * the handshake is over. */
static ssize_t answer_early(struct peer_stream *s, const void *bytes, size_t n)
{
    size_t taken = 0;

    if (n > EARLY_ANSWER - s->answered)
        n = EARLY_ANSWER - s->answered;
    if (n == 0)
        return -EAGAIN;
    if (SSL_write_early_data(s->ssl, bytes, n, &taken) != 1)
        return outcome(s, 0);
    s->answered += taken;
    return (ssize_t)taken;
}

static ssize_t take_first(struct peer_stream *s, void *bytes, size_t n)
{
    if (n > s->first_len - s->first_at)
        n = s->first_len - s->first_at;
    memcpy(bytes, s->first + s->first_at, n);
    s->first_at += n;
    if (s->first_at == s->first_len)
        s->first_at = s->first_len = 0; /* room for more */
    return (ssize_t)n;
}

static bool is_server(const struct peer_stream *s)
{
    return SSL_is_server(s->ssl) == 1;
}

/* --- the handshake ---------------------------------------------------------------------------- */

int peer_stream_go_on(struct peer_stream *s)
{
    int n, error = s->phase == PEER_CONNECTING ? connected(s) : 0;

    if (error < 0 || s->phase == PEER_UP || (s->phase == PEER_UP_EARLY && !is_server(s)))
        return error;
    ERR_clear_error();
    errno = 0;
    if (is_server(s) && s->context->session == PEER_EARLY && !s->early_over) {
        error = read_first(s);
        if (error < 0 || !s->early_over)
            return error;
    }
    n = SSL_do_handshake(s->ssl);
    if (n == 1) {
        s->wants_room = false;
        s->phase = PEER_UP;
        return is_server(s) ? 0 : write_again(s);
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

    if (is_server(s) && s->first_at < s->first_len)
        return take_first(s, bytes, n);
    if (s->phase != PEER_UP)
        return -EAGAIN;
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
    if (s->phase == PEER_UP_EARLY)
        return is_server(s) ? answer_early(s, bytes, n) : write_first(s, bytes, n);
    return SSL_write_ex(s->ssl, bytes, n, &taken) == 1 ? (ssize_t)taken : outcome(s, 0);
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

const char *peer_stream_name(const struct peer_stream *s)
{
    return s->name;
}

enum peer_phase peer_stream_phase(const struct peer_stream *s)
{
    return s->phase;
}

bool peer_stream_speaks(const struct peer_stream *s, const char *protocol)
{
    const unsigned char *chosen = NULL;
    unsigned len = 0;

    size_t kept = 0;

    if (s->phase == PEER_UP_EARLY && !is_server(s)) {
        SSL_SESSION_get0_alpn_selected(SSL_get0_session(s->ssl), &chosen, &kept);
        len = (unsigned)kept;
    } else {
        SSL_get0_alpn_selected(s->ssl, &chosen, &len);
    }
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
