/*
 * study/transfer/flow_kernel.c: an end of a transfer on the kernel's stack. Read first: tcp(7),
 * socket(7).
 *
 * Plain blocking calls with blocks of 128 KiB, as iperf3 makes them. Buffers are left to the
 * kernel's own tuning, which SO_SNDBUF and SO_RCVBUF would switch off.
 */
#include "study/transfer/flow_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "study/actors.h"

#define BLOCK      (128u << 10)
#define WARM_UP_MS 3000

struct address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/* NULL: any address. */
static struct address address_of(int family, const char *text, uint16_t port)
{
    struct address a = {.storage = {.ss_family = (sa_family_t)family}};

    if (family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a.storage;

        in6->sin6_port = htons(port);
        if (text)
            (void)inet_pton(AF_INET6, text, &in6->sin6_addr);
        a.len = sizeof(*in6);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a.storage;

        in->sin_port = htons(port);
        if (text)
            (void)inet_pton(AF_INET, text, &in->sin_addr);
        a.len = sizeof(*in);
    }
    return a;
}

/* The kernel remembers what it learned of a peer's path: another cell's, in a study. Where /proc is
 * read-only, it does. */
static void forget_metrics(void)
{
    int fd = open("/proc/sys/net/ipv4/tcp_no_metrics_save", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "1", 1) < 0) {
        /* see above */
    }
    (void)close(fd);
}

static int new_socket(const struct flow_end *end)
{
    const struct linger reset = {.l_onoff = 1};
    const char *controller = end->order.controller;
    const int on = 1;
    int fd = socket(end->order.family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0 ||
        (controller[0] && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, controller,
                                     (socklen_t)strlen(controller)) < 0)) {
        int error = -errno;

        (void)close(fd);
        return error;
    }
    return fd;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Knocks where nobody listens: when the answer is there, both ends know each other's
 * Ethernet address. */
static int warm_up(const struct flow_end *end)
{
    struct address to = address_of(end->order.family, end->peer, (uint16_t)(end->order.port + 1u));
    struct pollfd answered = {.events = POLLOUT};
    int error = ETIMEDOUT;
    socklen_t len = sizeof(error);
    int fd = new_socket(end);

    if (fd < 0)
        return fd;
    answered.fd = fd;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)connect(fd, (const struct sockaddr *)&to.storage, to.len);
    if (poll(&answered, 1, WARM_UP_MS) > 0)
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    (void)close(fd);
    return error == ECONNREFUSED || error == 0 ? 0 : -error;
}

static int await_word(const struct flow_end *end, enum flow_word word)
{
    struct flow_message message;
    int error = actor_receive(end->control, &message, sizeof(message), -1);

    return error == 0 && message.word != word ? -EPROTO : error;
}

static int open_active(const struct flow_end *end, struct flow_report *report)
{
    struct address to = address_of(end->order.family, end->peer, end->order.port);
    int error = warm_up(end);
    int fd = error == 0 ? new_socket(end) : error;

    if (fd < 0)
        return fd;
    (void)flow_tell(end, FLOW_READY, 0, NULL, NULL);
    error = await_word(end, FLOW_GO);
    report->opened = tlsyn_clock();
    if (error == 0 && connect(fd, (const struct sockaddr *)&to.storage, to.len) < 0)
        error = -errno;
    if (error == 0)
        return fd;
    (void)close(fd);
    return error;
}

static int open_passive(const struct flow_end *end)
{
    /* Any address: lwIP's interface may not be there yet. */
    struct address own = address_of(end->order.family, NULL, end->order.port);
    int listener = new_socket(end), fd;

    if (listener < 0)
        return listener;
    if (bind(listener, (const struct sockaddr *)&own.storage, own.len) < 0 ||
        listen(listener, 1) < 0) {
        fd = -errno;
    } else {
        (void)flow_tell(end, FLOW_READY, 0, NULL, NULL);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
    }
    (void)close(listener);
    return fd;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static int send_all(struct flow_meter *meter, int fd)
{
    const uint8_t *bytes;
    size_t n;

    while ((n = flow_meter_next(meter, BLOCK, &bytes)) > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

        if (sent < 0)
            return -errno;
        flow_meter_sent(meter, (size_t)sent);
    }
    return shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
}

static int receive_all(struct flow_meter *meter, int fd)
{
    uint8_t *block = malloc(BLOCK);
    ssize_t n = block ? 1 : -1;

    while (n > 0) {
        n = recv(fd, block, BLOCK, 0);
        if (n > 0)
            flow_meter_received(meter, block, (size_t)n);
    }
    int error = n < 0 ? -errno : 0;
    free(block);
    return error;
}

static void read_info(int fd, struct flow_report *report)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
        report->retransmits = info.tcpi_total_retrans;
}

static int transfer(const struct flow_end *end, struct flow_meter *meter)
{
    int fd = end->opens ? open_active(end, &meter->report) : open_passive(end);
    int error = fd < 0 ? fd : 0;

    if (fd < 0)
        return error;
    error = end->sends ? send_all(meter, fd) : receive_all(meter, fd);
    flow_meter_finish(meter);
    if (!end->sends)
        (void)flow_tell(end, FLOW_REPORT, error, error < 0 ? strerror(-error) : NULL,
                        &meter->report);
    else if (error == 0)
        error = await_word(end, FLOW_STOP);
    read_info(fd, &meter->report);
    (void)close(fd);
    return error;
}

int flow_kernel(const struct flow_end *end)
{
    struct flow_meter meter;
    int error = flow_meter_open(&meter, end);

    forget_metrics();
    if (error == 0)
        error = transfer(end, &meter);
    if (end->sends || error < 0)
        (void)flow_tell(end, FLOW_REPORT, error, error < 0 ? strerror(-error) : NULL,
                        &meter.report);
    flow_meter_close(&meter);
    return error;
}
