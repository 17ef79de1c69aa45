/*
 * preload_calls.c: the calls that a program makes and `tlsyn run` answers: those of sockets, and
 * those of descriptors, which may be sockets. poll(2), select(2) and epoll(7) are not among them:
 * the descriptors are real.
 *
 * Each goes to the socket layer where the descriptor is one of its sockets, else to the C library.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "preload.h"
#include "preload_kernel.h"

/* The bodies are alike: `ours` may say `home`, the number by which the socket layer knows fd. */
#define SERVE(result, name, parameters, ours, kernels)                                             \
    result name parameters                                                                         \
    {                                                                                              \
        int home = preload_enter(fd);                                                              \
                                                                                                   \
        if (home == PRELOAD_KERNEL)                                                                \
            return kernels;                                                                        \
        return (result)preload_leave(home, home < 0 ? -1 : (ours));                                \
    }

/* --- sockets ---------------------------------------------------------------------------------- */

int socket(int domain, int type, int protocol)
{
    struct tlsyn_net *net;
    int home;

    if ((domain != AF_INET && domain != AF_INET6) || preload_packet_socket() < 0)
        return kernel_socket(domain, type, protocol);
    preload_begin();
    net = preload_net();
    home = net ? preload_adopt(tlsyn_socket(net, domain, type, protocol)) : -1;
    return (int)preload_leave(0, home);
}

static int accept_ours(int home, struct sockaddr *address, socklen_t *length, int flags)
{
    return preload_adopt(tlsyn_accept4(home, address, length, flags));
}

SERVE(int, bind, (int fd, __CONST_SOCKADDR_ARG address, socklen_t length),
      tlsyn_bind(home, address.__sockaddr__, length), kernel_bind(fd, address, length))
SERVE(int, listen, (int fd, int backlog), tlsyn_listen(home, backlog), kernel_listen(fd, backlog))
SERVE(int, accept, (int fd, __SOCKADDR_ARG address, socklen_t *length),
      accept_ours(home, address.__sockaddr__, length, 0), kernel_accept(fd, address, length))
SERVE(int, accept4, (int fd, __SOCKADDR_ARG address, socklen_t *length, int flags),
      accept_ours(home, address.__sockaddr__, length, flags),
      kernel_accept4(fd, address, length, flags))
SERVE(int, connect, (int fd, __CONST_SOCKADDR_ARG address, socklen_t length),
      tlsyn_connect(home, address.__sockaddr__, length), kernel_connect(fd, address, length))
SERVE(int, shutdown, (int fd, int how), tlsyn_shutdown(home, how), kernel_shutdown(fd, how))
SERVE(int, getsockname, (int fd, __SOCKADDR_ARG address, socklen_t *length),
      tlsyn_getsockname(home, address.__sockaddr__, length),
      kernel_getsockname(fd, address, length))
SERVE(int, getpeername, (int fd, __SOCKADDR_ARG address, socklen_t *length),
      tlsyn_getpeername(home, address.__sockaddr__, length),
      kernel_getpeername(fd, address, length))
SERVE(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
      tlsyn_getsockopt(home, level, name, value, length),
      kernel_getsockopt(fd, level, name, value, length))
SERVE(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
      tlsyn_setsockopt(home, level, name, value, length),
      kernel_setsockopt(fd, level, name, value, length))

/* --- bytes ------------------------------------------------------------------------------------ */

/* What the socket does not take is not counted, and stays in front of the file's place. */
static ssize_t send_file(int home, int in, off_t *offset, size_t n)
{
    off_t at = offset ? *offset : lseek(in, 0, SEEK_CUR);
    uint8_t bytes[16384];
    ssize_t sent = 0, got = 0, put = 0;

    if (at < 0)
        return -1;
    while ((size_t)sent < n && put == got) {
        size_t want = n - (size_t)sent < sizeof(bytes) ? n - (size_t)sent : sizeof(bytes);

        got = pread(in, bytes, want, at + sent);
        put = got > 0 ? tlsyn_write(home, bytes, (size_t)got) : got;
        if (put <= 0)
            break;
        sent += put;
    }
    if (sent == 0 && put < 0)
        return -1;
    if (offset)
        *offset = at + sent;
    else
        (void)lseek(in, at + sent, SEEK_SET);
    return sent;
}

SERVE(ssize_t, send, (int fd, const void *bytes, size_t n, int flags),
      tlsyn_send(home, bytes, n, flags), kernel_send(fd, bytes, n, flags))
SERVE(ssize_t, sendto,
      (int fd, const void *bytes, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t length),
      tlsyn_sendto(home, bytes, n, flags, to.__sockaddr__, length),
      kernel_sendto(fd, bytes, n, flags, to, length))
SERVE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
      tlsyn_sendmsg(home, message, flags), kernel_sendmsg(fd, message, flags))
SERVE(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned int count, int flags),
      tlsyn_sendmmsg(home, messages, count, flags), kernel_sendmmsg(fd, messages, count, flags))
SERVE(ssize_t, write, (int fd, const void *bytes, size_t n), tlsyn_write(home, bytes, n),
      kernel_write(fd, bytes, n))
SERVE(ssize_t, writev, (int fd, const struct iovec *parts, int count),
      tlsyn_writev(home, parts, count), kernel_writev(fd, parts, count))

SERVE(ssize_t, recv, (int fd, void *bytes, size_t n, int flags), tlsyn_recv(home, bytes, n, flags),
      kernel_recv(fd, bytes, n, flags))
SERVE(ssize_t, recvfrom,
      (int fd, void *bytes, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *length),
      tlsyn_recvfrom(home, bytes, n, flags, from.__sockaddr__, length),
      kernel_recvfrom(fd, bytes, n, flags, from, length))
SERVE(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
      tlsyn_recvmsg(home, message, flags), kernel_recvmsg(fd, message, flags))
SERVE(int, recvmmsg,
      (int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout),
      tlsyn_recvmmsg(home, messages, count, flags, timeout),
      kernel_recvmmsg(fd, messages, count, flags, timeout))
SERVE(ssize_t, read, (int fd, void *bytes, size_t n), tlsyn_read(home, bytes, n),
      kernel_read(fd, bytes, n))
SERVE(ssize_t, readv, (int fd, const struct iovec *parts, int count),
      tlsyn_readv(home, parts, count), kernel_readv(fd, parts, count))

/* From a program that was compiled with _FORTIFY_SOURCE. */
ssize_t __read_chk(int fd, void *bytes, size_t n, size_t room);
ssize_t __recv_chk(int fd, void *bytes, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *bytes, size_t n, size_t room, int flags, __SOCKADDR_ARG from,
                       socklen_t *length);

ssize_t __read_chk(int fd, void *bytes, size_t n, size_t room)
{
    if (n > room)
        abort();
    return read(fd, bytes, n);
}

ssize_t __recv_chk(int fd, void *bytes, size_t n, size_t room, int flags)
{
    if (n > room)
        abort();
    return recv(fd, bytes, n, flags);
}

ssize_t __recvfrom_chk(int fd, void *bytes, size_t n, size_t room, int flags, __SOCKADDR_ARG from,
                       socklen_t *length)
{
    if (n > room)
        abort();
    return recvfrom(fd, bytes, n, flags, from, length);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t n)
{
    int home = preload_enter(out);

    if (home == PRELOAD_KERNEL)
        return kernel_sendfile(out, in, offset, n);
    return preload_leave(home, home < 0 ? -1 : send_file(home, in, offset, n));
}

static_assert(sizeof(off_t) == sizeof(off64_t), "one sendfile(2) serves both names");

ssize_t sendfile64(int out, int in, off64_t *offset, size_t n)
{
    return sendfile(out, in, offset, n);
}

/* As of a file that can't be spliced: programs copy then. */
ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned int flags)
{
    if (preload_home(in) == PRELOAD_KERNEL && preload_home(out) == PRELOAD_KERNEL)
        return kernel_splice(in, in_at, out, out_at, n, flags);
    errno = EINVAL;
    return -1;
}

/* --- descriptors ------------------------------------------------------------------------------ */

int close(int fd)
{
    return preload_close(fd);
}

/* The packet socket is left out; of ours each is closed by itself. */
int close_range(unsigned int first, unsigned int last, int flags)
{
    unsigned int own = (unsigned int)preload_packet_socket();
    int error = 0;

    for (unsigned int fd = first; fd <= last && fd < 1 << 16 && flags == 0; fd++) {
        if (preload_home((int)fd) != PRELOAD_KERNEL)
            (void)preload_close((int)fd);
    }
    if (own < first || own > last)
        return kernel_close_range(first, last, flags);
    if (own > first)
        error = kernel_close_range(first, own - 1, flags);
    return error < 0 || own == last ? error : kernel_close_range(own + 1, last, flags);
}

void closefrom(int first)
{
    (void)close_range(first < 0 ? 0 : (unsigned int)first, ~0u, 0);
}

SERVE(int, dup, (int fd), preload_alias(home, kernel_dup(fd)), kernel_dup(fd))

static int dup_as(int fd, int as, int flags, bool three)
{
    int home = preload_home(fd);

    if (preload_is_taken(as)) {
        errno = EBUSY;
        return -1;
    }
    if (home == PRELOAD_ORPHAN || fd == as)
        return three ? kernel_dup3(fd, as, flags) : kernel_dup2(fd, as);
    if (preload_home(as) >= 0)
        (void)preload_close(as);
    preload_forget(as);
    as = three ? kernel_dup3(fd, as, flags) : kernel_dup2(fd, as);
    return home < 0 ? as : preload_alias(home, as);
}

int dup2(int fd, int as)
{
    return dup_as(fd, as, 0, false);
}

int dup3(int fd, int as, int flags)
{
    return dup_as(fd, as, flags, true);
}

/* What is of the descriptor, and not of the socket, the kernel knows. */
static int control(int fd, int home, int command, void *argument)
{
    int number = (int)(intptr_t)argument;

    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return preload_alias(home, kernel_fcntl(fd, command, number));
    case F_GETFD:
    case F_SETFD:
        return kernel_fcntl(fd, command, number);
    default:
        return tlsyn_fcntl(home, command, number);
    }
}

int fcntl(int fd, int command, ...)
{
    int home = preload_enter(fd);
    va_list arguments;
    void *argument;

    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (home == PRELOAD_KERNEL || (home < 0 && (command == F_GETFD || command == F_SETFD)))
        return kernel_fcntl(fd, command, argument);
    return (int)preload_leave(home, home < 0 ? -1 : control(fd, home, command, argument));
}

int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return fcntl(fd, command, argument);
}

/* netdevice(7): any socket serves to ask about interfaces, and those are the kernel's. */
static bool is_about_interfaces(unsigned long request)
{
    return request >= SIOCGIFNAME && request <= SIOCWANDEV;
}

static int ask_kernel(unsigned long request, void *argument)
{
    int fd = kernel_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 ? -1 : kernel_ioctl(fd, request, argument), error = errno;

    if (fd >= 0)
        (void)kernel_close(fd);
    errno = error;
    return result;
}

int ioctl(int fd, unsigned long request, ...)
{
    bool of_descriptor = request == FIOCLEX || request == FIONCLEX;
    int home = of_descriptor ? PRELOAD_KERNEL : preload_enter(fd);
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (home == PRELOAD_KERNEL)
        return kernel_ioctl(fd, request, argument);
    if (home < 0)
        return (int)preload_leave(home, -1);
    return (int)preload_leave(home, is_about_interfaces(request)
                                        ? ask_kernel(request, argument)
                                        : tlsyn_ioctl(home, request, argument));
}

/* --- streams of stdio, which call no read(2) that we could answer ----------------------------- */

static ssize_t read_stream(void *cookie, char *bytes, size_t n)
{
    return read((int)(intptr_t)cookie, bytes, n);
}

static ssize_t write_stream(void *cookie, const char *bytes, size_t n)
{
    return write((int)(intptr_t)cookie, bytes, n);
}

static int close_stream(void *cookie)
{
    return close((int)(intptr_t)cookie);
}

FILE *fdopen(int fd, const char *mode)
{
    const cookie_io_functions_t calls = {
        .read = read_stream, .write = write_stream, .close = close_stream};

    if (preload_home(fd) < 0)
        return kernel_fdopen(fd, mode);
    return fopencookie((void *)(intptr_t)fd, mode, calls); /* NOLINT(performance-no-int-to-ptr) */
}

/* --- the end of a process that does without exit(3) ------------------------------------------- */

void _exit(int status)
{
    preload_end();
    kernel__exit(status);
}

void _Exit(int status)
{
    _exit(status);
}
