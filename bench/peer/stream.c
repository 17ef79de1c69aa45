/*
 * peer/stream.c: a stream goes on: its handshake, early data, bytes. Read first: SSL_get_error(3),
 * SSL_read_early_data(3).
 */
#include "peer/stream_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define EARLY_ANSWER 13000 /* bytes: with the handshake's they fit the initial window (RFC 6928) */

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

static int resume(struct peer_stream *s)
{
    SSL_SESSION *session = peer_memory_take(s->context->memory, s->name);
    int ok = session ? SSL_set_session(s->ssl, session) : 1;

    SSL_SESSION_free(session);
    return ok;
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
