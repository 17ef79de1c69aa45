/*
 * socket/calls_fd.c: the calls about descriptors: fcntl(2), ioctl(2), poll(2). See tlsyn/socket.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "socket/calls.h"
#include "socket/registry.h"
#include "socket/stream.h"

/* --- fcntl and ioctl -------------------------------------------------------------------------- */

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
