/*
 * lab/control.c: messages between caller and emulator.
 * Read first: unix(7) on SOCK_SEQPACKET and SCM_RIGHTS.
 */
#include "lab/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>

union descriptors {
    struct cmsghdr header; /* aligns the bytes */
    char bytes[CMSG_SPACE(sizeof(int) * LAB_HOSTS)];
};

int control_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int control_send_request(int fd, const struct control_request *request)
{
    return send(fd, request, sizeof(*request), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int control_take_request(int fd, struct control_request *request)
{
    ssize_t got = recv(fd, request, sizeof(*request), MSG_DONTWAIT);

    if (got < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    return got == sizeof(*request) ? 0 : -EPIPE;
}

int control_send_reply(int fd, const struct control_reply *reply, const int netns[LAB_HOSTS])
{
    struct control_reply copy = *reply;
    struct iovec text = {.iov_base = &copy, .iov_len = sizeof(copy)};
    union descriptors rights = {0};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};

    if (netns) {
        message.msg_control = &rights;
        message.msg_controllen = sizeof(rights);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * LAB_HOSTS);
        memcpy(CMSG_DATA(header), netns, sizeof(int) * LAB_HOSTS);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Signals (a progress timer of the caller's, say) don't cut the wait short, nor do they lengthen
 * it. */
static int await_readable(int fd, int timeout_ms)
{
    tlsyn_time deadline = tlsyn_clock() + TLSYN_MS(timeout_ms);

    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        tlsyn_time left = deadline - tlsyn_clock();
        int n = poll(&ready, 1, left > 0 ? (int)(left / 1000) + 1 : 0);
        if (n > 0)
            return 0;
        if (n == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

static void take_descriptors(struct msghdr *message, int netns[LAB_HOSTS])
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int) * LAB_HOSTS))
        memcpy(netns, CMSG_DATA(header), sizeof(int) * LAB_HOSTS);
}

int control_await_reply(int fd, int timeout_ms, struct control_reply *reply, int netns[LAB_HOSTS])
{
    struct iovec text = {.iov_base = reply, .iov_len = sizeof(*reply)};
    union descriptors rights = {0};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    int status = await_readable(fd, timeout_ms);

    if (netns) {
        message.msg_control = &rights;
        message.msg_controllen = sizeof(rights);
        for (int i = 0; i < LAB_HOSTS; i++)
            netns[i] = -1;
    }
    if (status < 0)
        return status;
    ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    if (netns)
        take_descriptors(&message, netns);
    return got == sizeof(*reply) ? 0 : -EPIPE;
}
