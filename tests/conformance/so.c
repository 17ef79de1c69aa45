/*
 * conformance/so.c: tlsyn as packetdrill loads it: --so_filename=tlsyn_packetdrill.so
 * --so_flags=... (settings.h).
 *
 * Read first: conformance/interface.h, conformance/host.h, tlsyn/socket.h. The calls of the
 * interface are those of <tlsyn/socket.h> with another first argument. Descriptors are real, so
 * that packetdrill may close(2) what a script left open, and epoll(7) is the kernel's but for the
 * wait, which passes by the host's clock.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <tlsyn/socket.h>

#include "conformance/host.h"
#include "conformance/interface.h"

struct drill {
    struct host *host;
    struct settings settings;
};

/* Every call comes by here: the host learns which thread makes it. */
static struct tlsyn_net *net_of(void *userdata)
{
    struct drill *drill = userdata;

    return host_net(drill->host);
}

static void drill_free(void *userdata)
{
    struct drill *drill = userdata;

    host_close(drill->host);
    free(drill);
}

/* --- sockets ---------------------------------------------------------------------------------- */

static int drill_socket(void *userdata, int domain, int type, int protocol)
{
    const struct settings *settings = &((struct drill *)userdata)->settings;
    int fd = tlsyn_socket(net_of(userdata), domain, type, protocol);

    if (fd >= 0 && (type & 0xff) == SOCK_STREAM && settings->has_fastopen_key)
        (void)tlsyn_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_KEY, settings->fastopen_key,
                               sizeof(settings->fastopen_key));
    return fd;
}

static int drill_bind(void *userdata, int fd, const struct sockaddr *address, socklen_t length)
{
    (void)net_of(userdata);
    return tlsyn_bind(fd, address, length);
}

static int drill_listen(void *userdata, int fd, int backlog)
{
    struct drill *drill = userdata;
    int result = tlsyn_listen(fd, backlog);

    if (result == 0 && drill->settings.fastopen & FASTOPEN_EVERY_LISTENER)
        result = tlsyn_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &backlog, sizeof(backlog));
    return result;
}

static int drill_accept(void *userdata, int fd, struct sockaddr *address, socklen_t *length)
{
    (void)net_of(userdata);
    return tlsyn_accept(fd, address, length);
}

static int drill_connect(void *userdata, int fd, const struct sockaddr *address, socklen_t length)
{
    (void)net_of(userdata);
    return tlsyn_connect(fd, address, length);
}

static ssize_t drill_read(void *userdata, int fd, void *bytes, size_t n)
{
    (void)net_of(userdata);
    return tlsyn_read(fd, bytes, n);
}

static ssize_t drill_readv(void *userdata, int fd, const struct iovec *parts, int count)
{
    (void)net_of(userdata);
    return tlsyn_readv(fd, parts, count);
}

static ssize_t drill_recv(void *userdata, int fd, void *bytes, size_t n, int flags)
{
    (void)net_of(userdata);
    return tlsyn_recv(fd, bytes, n, flags);
}

static ssize_t drill_recvfrom(void *userdata, int fd, void *bytes, size_t n, int flags,
                              struct sockaddr *from, socklen_t *length)
{
    (void)net_of(userdata);
    return tlsyn_recvfrom(fd, bytes, n, flags, from, length);
}

static ssize_t drill_recvmsg(void *userdata, int fd, struct msghdr *message, int flags)
{
    (void)net_of(userdata);
    return tlsyn_recvmsg(fd, message, flags);
}

static ssize_t drill_write(void *userdata, int fd, const void *bytes, size_t n)
{
    (void)net_of(userdata);
    return tlsyn_write(fd, bytes, n);
}

static ssize_t drill_writev(void *userdata, int fd, const struct iovec *parts, int count)
{
    (void)net_of(userdata);
    return tlsyn_writev(fd, parts, count);
}

static ssize_t drill_send(void *userdata, int fd, const void *bytes, size_t n, int flags)
{
    (void)net_of(userdata);
    return tlsyn_send(fd, bytes, n, flags);
}

static ssize_t drill_sendto(void *userdata, int fd, const void *bytes, size_t n, int flags,
                            const struct sockaddr *to, socklen_t length)
{
    (void)net_of(userdata);
    return tlsyn_sendto(fd, bytes, n, flags, to, length);
}

static ssize_t drill_sendmsg(void *userdata, int fd, const struct msghdr *message, int flags)
{
    (void)net_of(userdata);
    return tlsyn_sendmsg(fd, message, flags);
}

static int drill_fcntl(void *userdata, int fd, int command, ...)
{
    va_list arguments;
    int argument;

    (void)net_of(userdata);
    va_start(arguments, command);
    argument = va_arg(arguments, int);
    va_end(arguments);
    return tlsyn_fcntl(fd, command, argument);
}

static int drill_ioctl(void *userdata, int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    (void)net_of(userdata);
    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return tlsyn_ioctl(fd, request, argument);
}

/* What is no socket is the kernel's: an end of a pipe, an epoll instance. */
static int drill_close(void *userdata, int fd)
{
    int result;

    (void)net_of(userdata);
    result = tlsyn_close(fd);
    return result < 0 && errno == ENOTSOCK ? close(fd) : result;
}

static int drill_shutdown(void *userdata, int fd, int how)
{
    (void)net_of(userdata);
    return tlsyn_shutdown(fd, how);
}

static int drill_getsockopt(void *userdata, int fd, int level, int name, void *value,
                            socklen_t *length)
{
    (void)net_of(userdata);
    return tlsyn_getsockopt(fd, level, name, value, length);
}

static int drill_setsockopt(void *userdata, int fd, int level, int name, const void *value,
                            socklen_t length)
{
    (void)net_of(userdata);
    return tlsyn_setsockopt(fd, level, name, value, length);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int drill_poll(void *userdata, struct pollfd *fds, nfds_t count, int timeout)
{
    (void)net_of(userdata);
    return tlsyn_poll(fds, count, timeout);
}

static int drill_epoll_create(void *userdata, int size)
{
    (void)net_of(userdata);
    return epoll_create(size);
}

static int drill_epoll_ctl(void *userdata, int epoll, int operation, int fd,
                           struct epoll_event *event)
{
    (void)net_of(userdata);
    return epoll_ctl(epoll, operation, fd, event);
}

static int drill_epoll_wait(void *userdata, int epoll, struct epoll_event *events, int count,
                            int timeout)
{
    struct drill *drill = userdata;
    struct pollfd fds[2] = {{.fd = epoll, .events = POLLIN}, {.fd = host_idle_fd(drill->host)}};

    (void)net_of(userdata);
    if (timeout != 0 && tlsyn_poll(fds, 2, timeout) < 0)
        return -1;
    return epoll_wait(epoll, events, count, 0);
}

static int drill_pipe(void *userdata, int fds[2])
{
    (void)net_of(userdata);
    return pipe(fds);
}

static int drill_splice(void *userdata, int from, loff_t *from_at, int to, loff_t *to_at, size_t n,
                        unsigned flags)
{
    (void)net_of(userdata);
    return (int)splice(from, from_at, to, to_at, n, flags);
}

/* --- the network and the clock ---------------------------------------------------------------- */

static int drill_netdev_send(void *userdata, const void *bytes, size_t n)
{
    struct drill *drill = userdata;

    return host_receives(drill->host, bytes, n) < 0 ? -1 : 0;
}

static int drill_netdev_receive(void *userdata, void *bytes, size_t *count, long long *time_usecs)
{
    struct drill *drill = userdata;
    tlsyn_time when = 0;

    *count = host_sends(drill->host, bytes, *count, &when);
    *time_usecs = when;
    return 0;
}

static int drill_usleep(void *userdata, useconds_t duration)
{
    struct drill *drill = userdata;

    host_sleep(drill->host, duration);
    return 0;
}

static int drill_gettimeofday(void *userdata, struct timeval *value, struct timezone *zone)
{
    struct drill *drill = userdata;
    tlsyn_time now = host_tick(drill->host);

    (void)zone;
    value->tv_sec = (time_t)(now / TLSYN_SECONDS(1));
    value->tv_usec = (suseconds_t)(now % TLSYN_SECONDS(1));
    return 0;
}

/* --- the way in ------------------------------------------------------------------------------- */

/* The interface has no way to say that it cannot be filled. */
static void give_up(const char *what)
{
    (void)fprintf(stderr, "tlsyn_packetdrill.so: %s\n", what);
    exit(EXIT_FAILURE);
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface)
{
    struct drill *drill = calloc(1, sizeof(*drill));
    char wrong[64] = "";

    if (!drill)
        give_up("no memory");
    if (settings_parse(flags, &drill->settings, wrong) < 0)
        give_up(wrong);
    if (host_open(&drill->settings, &drill->host) < 0)
        give_up("the stack cannot be made as it was asked for");
    *interface = (struct packetdrill_interface){
        .userdata = drill,
        .free = drill_free,
        .socket = drill_socket,
        .bind = drill_bind,
        .listen = drill_listen,
        .accept = drill_accept,
        .connect = drill_connect,
        .read = drill_read,
        .readv = drill_readv,
        .recv = drill_recv,
        .recvfrom = drill_recvfrom,
        .recvmsg = drill_recvmsg,
        .write = drill_write,
        .writev = drill_writev,
        .send = drill_send,
        .sendto = drill_sendto,
        .sendmsg = drill_sendmsg,
        .fcntl = drill_fcntl,
        .ioctl = drill_ioctl,
        .close = drill_close,
        .shutdown = drill_shutdown,
        .getsockopt = drill_getsockopt,
        .setsockopt = drill_setsockopt,
        .poll = drill_poll,
        .netdev_send = drill_netdev_send,
        .netdev_receive = drill_netdev_receive,
        .usleep = drill_usleep,
        .gettimeofday = drill_gettimeofday,
        .epoll_create = drill_epoll_create,
        .epoll_ctl = drill_epoll_ctl,
        .epoll_wait = drill_epoll_wait,
        .pipe = drill_pipe,
        .splice = drill_splice,
    };
}
