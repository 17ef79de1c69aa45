/*
 * socket/calls_io.c: the calls that move bytes. See tlsyn/socket.h.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "socket/address.h"
#include "socket/ancillary.h"
#include "socket/calls.h"
#include "socket/datagram.h"
#include "socket/peer.h"

#define MESSAGES_MAX 1024 /* of one call: Linux's UIO_MAXIOV */

/* --- out -------------------------------------------------------------------------------------- */

/* As Linux does: to the thread that wrote. `last` is how the last message of the call went. */
static ssize_t leave_sending(struct sock *sock, ssize_t result, ssize_t last, int flags)
{
    bool stream = sock->type == SOCK_STREAM;
    ssize_t told = call_leave(sock, result);
    int error = errno;

    if (last == -EPIPE && stream && !(flags & MSG_NOSIGNAL)) {
        (void)pthread_kill(pthread_self(), SIGPIPE);
        errno = error;
    }
    return told;
}

/* To whom: *named false says to the peer. */
static int find_addressee(struct sock *sock, const struct msghdr *message, size_t n, int flags,
                          struct tlsyn_endpoint *to, bool *named)
{
    const struct sockaddr *address = message->msg_name;

    if (sock->type == SOCK_DGRAM)
        return datagram_addressee(sock, message, n, flags, to, named);
    /* A stream that is connected, or never will be, does not look at it. */
    *named = flags & MSG_FASTOPEN && sock->phase == SOCK_IDLE && address;
    if (!*named)
        return 0;
    if (message->msg_namelen >= sizeof(address->sa_family) && address->sa_family == AF_UNSPEC)
        return -EOPNOTSUPP; /* "disconnect" is no way to open */
    return peer_to_connect(sock, address, message->msg_namelen, to);
}

static ssize_t send_to(struct sock *sock, struct cursor *from, int flags,
                       const struct msghdr *message)
{
    struct sock_sending how = {.tos = -1, .ttl = -1};
    struct tlsyn_endpoint to;
    bool named = false;
    int error = find_addressee(sock, message, from->left, flags, &to, &named);

    if (error < 0)
        return error;
    how.to = named ? &to : NULL;
    error = ancillary_take(sock, message, &how);
    return error < 0 ? error : sock->ops->send(sock, from, &how, flags);
}

/* *whole: nothing of it is left. */
static ssize_t send_message(struct sock *sock, const struct msghdr *message, int flags, bool *whole)
{
    struct cursor from = {0};
    struct msghdr copy = {0};
    ssize_t n = message ? cursor_init(&from, message->msg_iov, message->msg_iovlen) : -EFAULT;

    if (message)
        copy = *message;
    if (copy.msg_name && copy.msg_namelen > INT_MAX)
        n = -EINVAL;
    if (copy.msg_namelen == 0)
        copy.msg_name = NULL;
    if (copy.msg_namelen > sizeof(struct sockaddr_storage)) /* sendto(2) finds fault with that */
        copy.msg_namelen = sizeof(struct sockaddr_storage);
    if (n == 0)
        n = send_to(sock, &from, flags, &copy);
    *whole = from.left == 0;
    return n;
}

ssize_t tlsyn_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct sock *sock = call_enter(fd);
    ssize_t result;
    bool whole;

    if (!sock)
        return -1;
    result = send_message(sock, message, flags, &whole);
    return leave_sending(sock, result, result, flags);
}

/* As many as go without an error; an error only if not even the first went. Behind one that went
 * in part no other follows, for a stream would have a hole there. */
int tlsyn_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
    struct sock *sock = call_enter(fd);
    unsigned int most = count < MESSAGES_MAX ? count : MESSAGES_MAX, done = 0;
    bool whole = true;
    ssize_t n = 0;

    if (!sock)
        return -1;
    while (done < most && whole) {
        n = messages ? send_message(sock, &messages[done].msg_hdr, flags, &whole) : -EFAULT;
        if (n < 0)
            break;
        messages[done++].msg_len = (unsigned int)n;
    }
    return (int)leave_sending(sock, done > 0 ? (ssize_t)done : n, n, flags);
}

ssize_t tlsyn_sendto(int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to,
                     socklen_t length)
{
    struct sock *sock = call_enter(fd);
    struct iovec part = {.iov_len = n};
    struct msghdr message = {.msg_namelen = length};
    struct cursor from;
    ssize_t result;

    if (!sock)
        return -1;
    memcpy(&part.iov_base, &bytes, sizeof(bytes)); /* a cursor serves both directions */
    memcpy(&message.msg_name, &to, sizeof(to));
    result = cursor_init(&from, &part, 1);
    if (result == 0 && to && length > sizeof(struct sockaddr_storage))
        result = -EINVAL;
    if (result == 0)
        result = send_to(sock, &from, flags, &message);
    return leave_sending(sock, result, result, flags);
}

ssize_t tlsyn_send(int fd, const void *bytes, size_t n, int flags)
{
    return tlsyn_sendto(fd, bytes, n, flags, NULL, 0);
}

ssize_t tlsyn_write(int fd, const void *bytes, size_t n)
{
    return tlsyn_sendto(fd, bytes, n, 0, NULL, 0);
}

ssize_t tlsyn_writev(int fd, const struct iovec *parts, int count)
{
    struct iovec *all;
    struct msghdr message;

    if (count < 0 || count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&all, &parts, sizeof(all)); /* struct msghdr knows no const */
    message = (struct msghdr){.msg_iov = all, .msg_iovlen = (size_t)count};
    return tlsyn_sendmsg(fd, &message, 0);
}

/* --- in --------------------------------------------------------------------------------------- */

/* Linux finds out when there is something to be copied: a stream keeps it, a datagram is lost. */
static ssize_t recv_into(struct sock *sock, struct cursor *into, struct sock_received *about,
                         int flags)
{
    bool stream = sock->type == SOCK_STREAM;
    struct iovec byte = {.iov_base = (char[1]){0}, .iov_len = 1};
    struct cursor bin;
    ssize_t result;

    if (!into->faulty || (stream && flags & MSG_TRUNC))
        return sock->ops->recv(sock, into, about, flags);
    (void)cursor_init(&bin, &byte, 1);
    result = sock->ops->recv(sock, &bin, about, stream ? flags | MSG_PEEK : flags);
    return result > 0 ? -EFAULT : result;
}

/* A stream has no sender's address to tell. */
static int give_sender(const struct sock *sock, const struct sock_received *about,
                       struct sockaddr *from, socklen_t *length)
{
    if (!from)
        return 0;
    if (!about->has_from) {
        *length = 0;
        return 0;
    }
    return address_give(sock->domain, &about->from, from, length);
}

ssize_t tlsyn_recvfrom(int fd, void *bytes, size_t n, int flags, struct sockaddr *from,
                       socklen_t *length)
{
    struct sock *sock = call_enter(fd);
    const struct iovec part = {.iov_base = bytes, .iov_len = n};
    struct sock_received about = {0};
    struct cursor into;
    ssize_t result;

    if (!sock)
        return -1;
    result = cursor_init(&into, &part, 1);
    if (result == 0 && from && !length)
        result = -EFAULT;
    if (result == 0)
        result = recv_into(sock, &into, &about, flags);
    if (result >= 0 && give_sender(sock, &about, from, length) < 0)
        result = -EINVAL;
    return call_leave(sock, result);
}

ssize_t tlsyn_recv(int fd, void *bytes, size_t n, int flags)
{
    return tlsyn_recvfrom(fd, bytes, n, flags, NULL, NULL);
}

/* POSIX has read(2) of nothing return at once, where recv(2) of nothing waits. */
ssize_t tlsyn_read(int fd, void *bytes, size_t n)
{
    struct sock *sock;

    if (n > 0)
        return tlsyn_recvfrom(fd, bytes, n, 0, NULL, NULL);
    sock = call_enter(fd);
    return sock ? call_leave(sock, 0) : -1;
}

static ssize_t receive_message(struct sock *sock, struct msghdr *message, int flags)
{
    struct sock_received about = {0};
    struct cursor into;
    ssize_t result = message ? cursor_init(&into, message->msg_iov, message->msg_iovlen) : -EFAULT;

    if (result == 0)
        result = recv_into(sock, &into, &about, flags);
    if (result < 0)
        return result;
    if (message->msg_name)
        (void)give_sender(sock, &about, message->msg_name, &message->msg_namelen);
    message->msg_flags = about.flags;
    ancillary_give(sock, &about, message);
    return result;
}

ssize_t tlsyn_recvmsg(int fd, struct msghdr *message, int flags)
{
    struct sock *sock = call_enter(fd);

    return sock ? call_leave(sock, receive_message(sock, message, flags)) : -1;
}

/* Puts what is left until `end` into *left. True: nothing is. */
static bool is_late(const struct sock *sock, tlsyn_time end, struct timespec *left)
{
    tlsyn_time us = end - net_now(sock->net);

    us = us > 0 ? us : 0;
    *left = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    return us == 0;
}

/* One too far away to be counted in microseconds is none. */
static tlsyn_time end_of(const struct sock *sock, const struct timespec *timeout)
{
    if (!timeout || timeout->tv_sec >= INT32_MAX)
        return TLSYN_NEVER;
    return net_now(sock->net) + TLSYN_SECONDS(timeout->tv_sec) + timeout->tv_nsec / 1000;
}

/* How many messages came, up to `count`; *error says why no more did. As in Linux a timeout is
 * looked at after each message only, and ends no wait for one (recvmmsg(2), BUGS). */
static unsigned int receive_many(struct sock *sock, struct mmsghdr *messages, unsigned int count,
                                 int flags, struct timespec *timeout, ssize_t *error)
{
    tlsyn_time end = end_of(sock, timeout);
    unsigned int done = 0;

    while (done < count) {
        struct mmsghdr *next = messages ? &messages[done] : NULL;
        ssize_t n = receive_message(sock, next ? &next->msg_hdr : NULL, flags & ~MSG_WAITFORONE);

        if (n < 0) {
            *error = n;
            break;
        }
        next->msg_len = (unsigned int)n;
        done++;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if ((timeout && is_late(sock, end, timeout)) || next->msg_hdr.msg_flags & MSG_OOB)
            break;
    }
    return done;
}

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}

/* An error after messages that came is kept for the next call. */
int tlsyn_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
                   struct timespec *timeout)
{
    struct sock *sock;
    unsigned int done = 0;
    ssize_t error;

    if (timeout && !is_time(timeout)) {
        errno = EINVAL;
        return -1;
    }
    sock = call_enter(fd);
    if (!sock)
        return -1;
    error = flags & MSG_ERRQUEUE ? 0 : sock_take_error(sock);
    if (error == 0)
        done = receive_many(sock, messages, count, flags, timeout, &error);
    if (done > 0 && error < 0 && error != -EAGAIN)
        sock_fail(sock, (int)error);
    return (int)call_leave(sock, done > 0 ? (ssize_t)done : error);
}

ssize_t tlsyn_readv(int fd, const struct iovec *parts, int count)
{
    struct iovec *all;
    struct msghdr message;

    if (count < 0 || count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&all, &parts, sizeof(all));
    message = (struct msghdr){.msg_iov = all, .msg_iovlen = (size_t)count};
    return tlsyn_recvmsg(fd, &message, 0);
}
