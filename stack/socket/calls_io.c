/*
 * socket/calls_io.c: the calls that move bytes, and those about descriptors. See tlsyn/socket.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "socket/address.h"
#include "socket/ancillary.h"
#include "socket/calls.h"
#include "socket/registry.h"
#include "socket/stream.h"

/* --- out -------------------------------------------------------------------------------------- */

/* As Linux does: to the thread that wrote. */
static ssize_t leave_sending(struct sock *sock, ssize_t result, int flags)
{
    bool stream = sock->type == SOCK_STREAM;
    ssize_t told = call_leave(sock, result);

    if (result == -EPIPE && stream && !(flags & MSG_NOSIGNAL)) {
        (void)pthread_kill(pthread_self(), SIGPIPE);
        errno = EPIPE;
    }
    return told;
}

static ssize_t send_to(struct sock *sock, struct cursor *from, int flags,
                       const struct msghdr *message)
{
    const struct sockaddr *to = message->msg_name;
    struct sock_sending how = {.tos = -1, .ttl = -1};
    struct tlsyn_endpoint endpoint;
    bool fast_open = sock->type == SOCK_STREAM && flags & MSG_FASTOPEN;
    int error;

    if (from->faulty)
        return -EFAULT;
    if (message->msg_namelen > sizeof(struct sockaddr_storage))
        return -EINVAL;
    /* A stream that is connected, or never will be, does not look at it. */
    if (sock->type == SOCK_STREAM && (!fast_open || sock->phase != SOCK_IDLE))
        to = NULL;
    if (to && message->msg_namelen > 0) {
        if (fast_open && to->sa_family == AF_UNSPEC) /* "disconnect" is no way to open */
            return -EOPNOTSUPP;
        error = address_take(sock->domain, to, message->msg_namelen, &endpoint);
        if (error == 0 && endpoint.port == 0 && sock->type == SOCK_DGRAM)
            error = -EINVAL;
        if (error < 0)
            return error;
        how.to = &endpoint;
    }
    error = ancillary_take(sock, message, &how);
    return error < 0 ? error : sock->ops->send(sock, from, &how, flags);
}

ssize_t tlsyn_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct sock *sock = call_enter(fd);
    struct cursor from;
    ssize_t result;

    if (!sock)
        return -1;
    if (!message)
        return call_leave(sock, -EFAULT);
    result = cursor_init(&from, message->msg_iov, message->msg_iovlen);
    if (result == 0)
        result = send_to(sock, &from, flags, message);
    return leave_sending(sock, result, flags);
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
    if (result == 0)
        result = send_to(sock, &from, flags, &message);
    return leave_sending(sock, result, flags);
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

ssize_t tlsyn_recvmsg(int fd, struct msghdr *message, int flags)
{
    struct sock *sock = call_enter(fd);
    struct sock_received about = {0};
    struct cursor into;
    ssize_t result;

    if (!sock)
        return -1;
    if (!message)
        return call_leave(sock, -EFAULT);
    result = cursor_init(&into, message->msg_iov, message->msg_iovlen);
    if (result == 0)
        result = recv_into(sock, &into, &about, flags);
    if (result >= 0) {
        if (message->msg_name)
            (void)give_sender(sock, &about, message->msg_name, &message->msg_namelen);
        message->msg_flags = about.flags;
        ancillary_give(sock, &about, message);
    }
    return call_leave(sock, result);
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

/* --- descriptors ------------------------------------------------------------------------------ */

static void set_nonblock(struct sock *sock, bool nonblock)
{
    int flags = fcntl(sock->ready.near, F_GETFL);

    sock->nonblock = nonblock;
    (void)fcntl(sock->ready.near, F_SETFL, nonblock ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

/* Linux looks whether there is such a process, or group, at once. */
static int set_owner(struct sock *sock, int owner)
{
    if (owner == INT_MIN)
        return -EINVAL;
    if (owner && kill(owner, 0) < 0 && errno == ESRCH)
        return -ESRCH;
    sock->owner = owner;
    return 0;
}

int tlsyn_fcntl(int fd, int command, ...)
{
    struct sock *sock = call_enter(fd);
    va_list arguments;
    int argument = 0, result;

    if (!sock)
        return -1;
    if (command == F_SETFL || command == F_SETFD || command == F_SETOWN) {
        va_start(arguments, command);
        argument = va_arg(arguments, int);
        va_end(arguments);
    }
    switch (command) {
    case F_GETFL:
        result = O_RDWR | (sock->nonblock ? O_NONBLOCK : 0);
        break;
    case F_SETFL:
        set_nonblock(sock, argument & O_NONBLOCK);
        result = 0;
        break;
    case F_GETOWN:
        result = sock->owner;
        break;
    case F_SETOWN:
        result = set_owner(sock, argument);
        break;
    case F_GETFD:
    case F_SETFD:
        result = fcntl(fd, command, argument);
        result = result < 0 ? -errno : result;
        break;
    default:
        result = -EINVAL;
        break;
    }
    return (int)call_leave(sock, result);
}

static int queued(const struct sock *sock, bool unsent)
{
    struct tlsyn_conn_glance glance;

    if (sock->phase == SOCK_LISTENING)
        return -EINVAL;
    if (!sock->stream.conn)
        return 0;
    tlsyn_conn_glance(sock->stream.conn, &glance);
    return (int)(unsent ? glance.snd_unsent : glance.snd_queued);
}

/* What is asked, or -errno. */
static int answer(struct sock *sock, unsigned long request)
{
    switch (request) {
    case FIONREAD:
        return sock->ops->readable(sock);
    case SIOCOUTQ:
        return queued(sock, false);
    case SIOCATMARK:
        return sock->type == SOCK_STREAM ? stream_at_mark(sock) : -ENOTTY;
    case SIOCOUTQNSD:
        return sock->type == SOCK_STREAM ? queued(sock, true) : -ENOTTY;
    default:
        return -ENOTTY;
    }
}

int tlsyn_ioctl(int fd, unsigned long request, ...)
{
    struct sock *sock = call_enter(fd);
    va_list arguments;
    int *argument;
    int result = 0;

    if (!sock)
        return -1;
    va_start(arguments, request);
    argument = va_arg(arguments, int *);
    va_end(arguments);
    if (request == FIONBIO && argument)
        set_nonblock(sock, *argument);
    else if (!argument)
        result = -EFAULT;
    else
        result = answer(sock, request);
    if (result >= 0 && request != FIONBIO) {
        *argument = result;
        result = 0;
    }
    return (int)call_leave(sock, result);
}

/* --- poll ------------------------------------------------------------------------------------- */

/* The net among them that has a clock of its own, or NULL. Its sockets live as long as it does. */
static struct tlsyn_net *own_clock(const struct pollfd *fds, nfds_t count)
{
    struct tlsyn_net *net = NULL;

    for (nfds_t i = 0; i < count && !net; i++) {
        struct sock *sock = registry_get(fds[i].fd);

        if (sock && sock->net->clock)
            net = sock->net;
        if (sock)
            sock_drop(sock);
    }
    return net;
}

static int poll_on_clock(struct tlsyn_net *net, struct pollfd *fds, nfds_t count, int timeout)
{
    tlsyn_time deadline;
    int ready, result = 0;

    net_lock(net);
    deadline = timeout < 0 ? TLSYN_NEVER : net_now(net) + TLSYN_MS(timeout);
    while ((ready = poll(fds, count, 0)) == 0 && result == 0)
        result = net_wait(net, &net->polls, deadline);
    net_unlock(net);
    if (ready != 0 || result == -EAGAIN)
        return ready;
    errno = -result;
    return -1;
}

int tlsyn_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    struct tlsyn_net *net = timeout ? own_clock(fds, count) : NULL;

    return net ? poll_on_clock(net, fds, count, timeout) : poll(fds, count, timeout);
}
