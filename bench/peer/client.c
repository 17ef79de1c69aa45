/*
 * peer/client.c: the stock client: connect(2), SSL_connect(3), a request, the first byte
 * of the response. Read first: tcp(7), RFC 7413, SSL_write_early_data(3).
 */
#include "peer/client.h"

#include "measure/clock.h"
#include "peer/socket.h"
#include "peer/ssl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As peer_ssl_interrupted(): one that was cut short goes on, and the next one waits for it. */
static int connect_patiently(int fd, const struct sockaddr_in *to)
{
    int result = 0;

    do
        result = connect(fd, (const struct sockaddr *)to, sizeof(*to));
    while (result < 0 && errno == EINTR);
    return result;
}

static int connect_socket(const struct peer_target *target, struct peer_observation *seen)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target->port)};
    const int on = 1;
    int fd = -1;
    int error = inet_pton(AF_INET, target->address, &to.sin_addr) == 1 ? 0 : -EINVAL;

    if (error == 0)
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (error == 0 && fd < 0)
        error = -errno;
    if (error == 0)
        error = peer_socket_prepare(fd, target->timeout_ms);
    if (error == 0 && target->fast_open &&
        setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) < 0)
        error = -errno;
    if (error == 0 && connect_patiently(fd, &to) < 0)
        error = errno == EINPROGRESS ? -ETIMEDOUT : -errno; /* SO_SNDTIMEO, socket(7) */
    if (error == 0)
        return fd;
    (void)snprintf(seen->reason, sizeof(seen->reason), "connect: %s", strerror(-error));
    if (fd >= 0)
        (void)close(fd);
    return error;
}

static int fail(SSL *ssl, int returned, const char *step, struct peer_observation *seen)
{
    int saved = errno;
    char why[PEER_MESSAGE_MAX];
    int kind = SSL_get_error(ssl, returned);

    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        saved = ETIMEDOUT; /* SO_RCVTIMEO has run out */
    if (kind == SSL_ERROR_SSL)
        saved = EPROTO;
    if (saved == 0)
        saved = ECONNRESET;
    peer_ssl_error(strerror(saved), why, sizeof(why));
    (void)snprintf(seen->reason, sizeof(seen->reason), "%s: %.150s", step, why);
    return -saved;
}

static void describe(SSL *ssl, struct peer_observation *seen)
{
    int nid = (int)SSL_get_negotiated_group(ssl);
    const char *group = nid ? OBJ_nid2sn(nid & ~TLSEXT_nid_unknown) : NULL;

    (void)snprintf(seen->version, sizeof(seen->version), "%s", SSL_get_version(ssl));
    (void)snprintf(seen->cipher, sizeof(seen->cipher), "%s",
                   SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)));
    (void)snprintf(seen->group, sizeof(seen->group), "%s", group ? group : "");
}

/* What resumption takes, beside the time: it is not one if the server did not take part. */
static int check(SSL *ssl, const struct peer_target *target, int fd, struct peer_observation *seen)
{
    enum peer_session session = target->context->session;
    struct tcp_info info = {.tcpi_options = 0};
    socklen_t size = sizeof(info);

    if (session != PEER_NEW && !SSL_session_reused(ssl))
        (void)snprintf(seen->reason, sizeof(seen->reason), "not resumed");
    else if (session == PEER_EARLY && SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_ACCEPTED)
        (void)snprintf(seen->reason, sizeof(seen->reason), "early data was not accepted");
    if (target->fast_open && (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
                              !(info.tcpi_options & TCPI_OPT_SYN_DATA)))
        (void)snprintf(seen->reason, sizeof(seen->reason),
                       "not embedded: the SYN's data was not acknowledged");
    return seen->reason[0] ? -ENOTSUP : 0;
}

static bool await_room(int fd, int timeout_ms)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    int n = 0;

    do
        n = poll(&writable, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* With Fast Open the first write makes the SYN, and would wait for the SYN-ACK: not this one. */
static int write_early(SSL *ssl, const struct peer_target *target, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    size_t written = 0;
    int n = 0;

    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    do
        n = SSL_write_early_data(ssl, target->request, strlen(target->request), &written);
    while (n != 1 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_WRITE &&
           await_room(fd, target->timeout_ms));
    (void)fcntl(fd, F_SETFL, flags);
    return n;
}

/* The first flight with the request in it, or the whole handshake and then the request. */
static int send_request(SSL *ssl, const struct peer_target *target, int fd, double start,
                        struct peer_observation *seen)
{
    const SSL_SESSION *session = SSL_get0_session(ssl);
    bool early = target->context->session == PEER_EARLY && session &&
                 SSL_SESSION_get_max_early_data(session) > 0;
    int n = 0;

    errno = 0;
    if (early) {
        n = write_early(ssl, target, fd);
        if (n != 1)
            return fail(ssl, n, "early data", seen);
        seen->handshake_us = clock_us(CLOCK_MONOTONIC) - start;
    }
    do
        n = SSL_connect(ssl);
    while (peer_ssl_interrupted(ssl, n));
    if (n != 1)
        return fail(ssl, n, "handshake", seen);
    if (early && SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED)
        return 0;
    seen->handshake_us = clock_us(CLOCK_MONOTONIC) - start;
    do
        n = SSL_write(ssl, target->request, (int)strlen(target->request));
    while (peer_ssl_interrupted(ssl, n));
    return n <= 0 ? fail(ssl, n, "request", seen) : 0;
}

/* The next text; also 0 once a ticket has come, if that is what is waited for. */
static int read_text(SSL *ssl, const struct peer_context *context, bool until_ticket,
                     struct peer_observation *seen)
{
    char bytes[64];
    int n = 0;

    do {
        if (until_ticket && context->fresh)
            return 0;
        errno = 0;
        n = SSL_read(ssl, bytes, sizeof(bytes));
    } while (n <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ && errno != EAGAIN);
    return n <= 0 ? fail(ssl, n, "response", seen) : n;
}

static int exchange(SSL *ssl, const struct peer_target *target, int fd, double start,
                    struct peer_observation *seen)
{
    struct peer_context *context = target->context;
    bool by_ticket = context->session == PEER_PSK || context->session == PEER_EARLY;
    int n = 0;

    context->fresh = false;
    if (context->kept && SSL_set_session(ssl, context->kept) != 1)
        return fail(ssl, 0, "session", seen);
    n = send_request(ssl, target, fd, start, seen);
    if (n < 0)
        return n;
    n = read_text(ssl, context, false, seen);
    if (n < 0)
        return n;
    seen->first_byte_us = clock_us(CLOCK_MONOTONIC) - start;
    describe(ssl, seen);
    while (n > 0 && by_ticket && !context->fresh)
        n = read_text(ssl, context, true, seen);
    return n < 0 ? n : check(ssl, target, fd, seen);
}

int peer_connect(const struct peer_target *target, double *us)
{
    struct peer_observation seen;
    double start = clock_us(CLOCK_MONOTONIC);
    int fd = connect_socket(target, &seen);

    *us = clock_us(CLOCK_MONOTONIC) - start;
    if (fd >= 0)
        (void)close(fd);
    return fd < 0 ? fd : 0;
}

int peer_exchange(const struct peer_target *target, struct peer_observation *seen)
{
    double start = clock_us(CLOCK_MONOTONIC);
    int error = 0;
    int fd = 0;
    SSL *ssl = NULL;

    *seen = (struct peer_observation){.handshake_us = 0};
    fd = connect_socket(target, seen);
    if (fd < 0)
        return fd;
    ssl = SSL_new(target->context->ssl);
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_set1_host(ssl, target->name) != 1 ||
        SSL_set_tlsext_host_name(ssl, target->name) != 1) {
        peer_ssl_error("OpenSSL is out of memory", seen->reason, sizeof(seen->reason));
        error = -ENOMEM;
    }
    if (error == 0)
        error = exchange(ssl, target, fd, start, seen);
    peer_ssl_quit(ssl);
    SSL_free(ssl);
    (void)close(fd);
    return error;
}
