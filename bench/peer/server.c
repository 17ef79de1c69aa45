/*
 * peer/server.c: accept(2), SSL_accept(3), a response, until the client resets.
 */
#include "peer/server.h"

#include "measure/clock.h"
#include "peer/socket.h"
#include "peer/ssl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SPIN_US 80 /* a sleep ends this much early, and the rest is spun: wake-ups are late */

/* OpenSSL calls this when it has read the ClientHello and written nothing: where an expensive host
 * would compute. */
static int stand_still(SSL *ssl, int *alert, void *argument)
{
    const struct peer_server *server = argument;
    double end = clock_us(CLOCK_MONOTONIC) + (double)server->pad_us;
    int64_t sleep_us = server->pad_us - SPIN_US;

    (void)ssl;
    (void)alert;
    if (sleep_us > 0) {
        const struct timespec t = {.tv_sec = (time_t)(sleep_us / 1000000),
                                   .tv_nsec = (long)(sleep_us % 1000000) * 1000};
        (void)nanosleep(&t, NULL);
    }
    while (clock_us(CLOCK_MONOTONIC) < end)
        ;
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* Early data, answered with the server's first flight (0.5-RTT data). Whether the handshake may go
 * on; *answered: there was some. */
static bool serve_early(const struct peer_server *server, SSL *ssl, bool *answered)
{
    char bytes[1024];
    size_t n = 0;
    int status = SSL_READ_EARLY_DATA_SUCCESS;

    while (status == SSL_READ_EARLY_DATA_SUCCESS) {
        do
            status = SSL_read_early_data(ssl, bytes, sizeof(bytes), &n);
        while (status == SSL_READ_EARLY_DATA_ERROR && peer_ssl_interrupted(ssl, 0));
        if (status != SSL_READ_EARLY_DATA_SUCCESS || n == 0 || *answered)
            continue;
        *answered = true;
        if (SSL_write_early_data(ssl, server->response, strlen(server->response), &n) != 1)
            return false;
    }
    return status == SSL_READ_EARLY_DATA_FINISH;
}

static void serve_client(const struct peer_server *server, const struct peer_context *context,
                         SSL *ssl)
{
    char bytes[1024];
    bool answered = false;
    int n = 0;

    if (context->session == PEER_EARLY && !serve_early(server, ssl, &answered))
        return;
    do
        n = SSL_accept(ssl);
    while (peer_ssl_interrupted(ssl, n));
    while (n > 0) {
        do
            n = SSL_read(ssl, bytes, sizeof(bytes));
        while (peer_ssl_interrupted(ssl, n));
        if (n > 0 && !answered)
            n = SSL_write(ssl, server->response, (int)strlen(server->response));
        answered = true;
    }
}

/* A client that fails knows so itself, and tells the harness. */
static void take_client(const struct peer_server *server, const struct peer_service *service,
                        int listener)
{
    char unread[PEER_MESSAGE_MAX];
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    SSL *ssl = NULL;

    if (fd < 0)
        return;
    ssl = SSL_new(service->context->ssl);
    if (ssl && SSL_set_fd(ssl, fd) == 1 && peer_socket_prepare(fd, server->timeout_ms) == 0)
        serve_client(server, service->context, ssl);
    peer_ssl_error("", unread, sizeof(unread));
    peer_ssl_quit(ssl);
    SSL_free(ssl);
    (void)close(fd);
}

static int listen_on(const char *address, uint16_t port, bool fast_open)
{
    const int waiting = 16;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? -errno : 0;

    if (error == 0 && inet_pton(AF_INET, address, &here.sin_addr) != 1)
        error = -EINVAL;
    if (error == 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
         bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 ||
         (fast_open && setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &waiting, sizeof(waiting)) < 0) ||
         listen(fd, waiting) < 0))
        error = -errno;
    if (error < 0 && fd >= 0)
        (void)close(fd);
    return error < 0 ? error : fd;
}

/* fds[0] is the control descriptor, the others are the services' in their order. */
static int serve(const struct peer_server *server, struct pollfd *fds)
{
    for (;;) {
        if (poll(fds, (nfds_t)server->count + 1, -1) < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (fds[0].revents)
            return 0;
        for (int i = 0; i < server->count; i++) {
            if (fds[i + 1].revents)
                take_client(server, &server->services[i], fds[i + 1].fd);
        }
    }
}

int peer_serve(const struct peer_server *server)
{
    struct pollfd fds[PEER_SERVICES_MAX + 1] = {{.fd = server->control, .events = POLLIN}};
    int opened = 0;
    int error = server->count > PEER_SERVICES_MAX ? -EINVAL : 0;

    for (; error == 0 && opened < server->count; opened++) {
        const struct peer_service *service = &server->services[opened];
        int fd = listen_on(server->address, service->port, server->fast_open);

        if (fd < 0) {
            error = fd;
            break;
        }
        fds[opened + 1] = (struct pollfd){.fd = fd, .events = POLLIN};
        if (server->pad_us > 0) {
            union {
                const struct peer_server *server;
                void *argument; /* OpenSSL's type for what it only passes on */
            } pass = {.server = server};
            SSL_CTX_set_client_hello_cb(service->context->ssl, stand_still, pass.argument);
        }
    }
    if (error == 0) {
        server->ready(server->ready_argument);
        error = serve(server, fds);
    }
    while (opened > 0)
        (void)close(fds[opened--].fd);
    return error;
}
