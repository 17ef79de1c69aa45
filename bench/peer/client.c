/*
 * peer/client.c: the stock client: connect(2), SSL_connect(3), a request, the first byte
 * of the response.
 */
#include "peer/client.h"

#include "peer/socket.h"
#include "peer/ssl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int connect_socket(const struct peer_target *target, struct peer_observation *seen)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target->port)};
    int fd = -1;
    int error = inet_pton(AF_INET, target->address, &to.sin_addr) == 1 ? 0 : -EINVAL;

    if (error == 0)
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (error == 0 && fd < 0)
        error = -errno;
    if (error == 0)
        error = peer_socket_prepare(fd, target->timeout_ms);
    if (error == 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
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

static int exchange(SSL *ssl, const struct peer_target *target, double start,
                    struct peer_observation *seen)
{
    char byte[64];
    int n = 0;

    errno = 0;
    n = SSL_connect(ssl);
    if (n != 1)
        return fail(ssl, n, "handshake", seen);
    seen->handshake_us = now_us() - start;
    n = SSL_write(ssl, target->request, (int)strlen(target->request));
    if (n <= 0)
        return fail(ssl, n, "request", seen);
    n = SSL_read(ssl, byte, sizeof(byte));
    if (n <= 0)
        return fail(ssl, n, "response", seen);
    seen->first_byte_us = now_us() - start;
    describe(ssl, seen);
    return 0;
}

int peer_connect(const struct peer_target *target, double *us)
{
    struct peer_observation seen;
    double start = now_us();
    int fd = connect_socket(target, &seen);

    *us = now_us() - start;
    if (fd >= 0)
        (void)close(fd);
    return fd < 0 ? fd : 0;
}

int peer_exchange(const struct peer_target *target, struct peer_observation *seen)
{
    double start = now_us();
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
        error = exchange(ssl, target, start, seen);
    SSL_free(ssl);
    (void)close(fd);
    return error;
}
