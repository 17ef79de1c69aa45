/*
 * peer/echo.c: the kernel's ping. Read first: RFC 792, icmp(7), raw(7).
 */
#include "peer/echo.h"

#include "measure/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAYLOAD = 56, IP_HEADER_MIN = 20, ICMP_HEADER = 8 };

int peer_echo_open(struct peer_echo *echo, const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const int on = 1;
    int error = 0;

    *echo = (struct peer_echo){.fd = -1, .id = (uint16_t)getpid()};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        return -EINVAL;
    echo->fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (echo->fd < 0)
        return -errno;
    /* Connected, the socket gets datagrams of the other host only. */
    if (setsockopt(echo->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
        connect(echo->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        error = -errno;
    if (error < 0)
        peer_echo_close(echo);
    return error;
}

void peer_echo_close(struct peer_echo *echo)
{
    if (echo->fd >= 0)
        (void)close(echo->fd);
    echo->fd = -1;
}

/* RFC 1071, over an even number of bytes. */
static uint16_t checksum(const uint8_t *bytes, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static int send_request(const struct peer_echo *echo, double *sent_us)
{
    uint8_t message[ICMP_HEADER + PAYLOAD] = {ICMP_ECHO};

    put16(message + 4, echo->id);
    put16(message + 6, echo->sequence);
    put16(message + 2, checksum(message, sizeof(message)));
    *sent_us = clock_us(CLOCK_REALTIME);
    return send(echo->fd, message, sizeof(message), 0) < 0 ? -errno : 0;
}

static bool is_answer(const struct peer_echo *echo, const uint8_t *bytes, size_t n)
{
    size_t header = n > 0 ? (size_t)(bytes[0] & 0xf) * 4 : 0;
    uint8_t ours[4];

    if (header < IP_HEADER_MIN || n < header + ICMP_HEADER)
        return false;
    put16(ours, echo->id);
    put16(ours + 2, echo->sequence);
    return bytes[header] == ICMP_ECHOREPLY && memcmp(bytes + header + 4, ours, 4) == 0;
}

static bool timestamp_of(struct msghdr *message, double *us)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct timespec t;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof(t));
        *us = (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
        return true;
    }
    return false;
}

/* 1 and the arrival time: our answer; 0: something else. */
static int receive(const struct peer_echo *echo, double *arrived_us)
{
    uint8_t bytes[2048];
    union {
        struct cmsghdr align;
        char room[256];
    } control;
    struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(echo->fd, &message, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return is_answer(echo, bytes, (size_t)n) && timestamp_of(&message, arrived_us);
}

int peer_echo(struct peer_echo *echo, int timeout_ms, double *rtt_us)
{
    double end = clock_us(CLOCK_MONOTONIC) + timeout_ms * 1e3;
    double sent = 0;
    double arrived = 0;
    int got = 0;

    echo->sequence++;
    got = send_request(echo, &sent);
    while (got == 0) {
        struct pollfd fd = {.fd = echo->fd, .events = POLLIN};
        double left_ms = (end - clock_us(CLOCK_MONOTONIC)) / 1e3;

        if (left_ms < 1 || poll(&fd, 1, (int)left_ms) == 0)
            return -ETIMEDOUT;
        got = receive(echo, &arrived);
    }
    if (got < 0)
        return got;
    if (arrived < sent)
        return -ERANGE; /* somebody has set the clock meanwhile */
    *rtt_us = arrived - sent;
    return 0;
}
