/*
 * preload_kernel.c: see preload_kernel.h. Read first: dlsym(3), RTLD_NEXT.
 */
#include "preload_kernel.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The next definition behind ours; looked up once, by as many threads as come at once. */
static void *find(void *_Atomic *cell, const char *name)
{
    void *at = atomic_load_explicit(cell, memory_order_acquire);

    if (!at) {
        at = dlsym(RTLD_NEXT, name);
        if (!at)
            abort(); /* a C library without read(2), say */
        atomic_store_explicit(cell, at, memory_order_release);
    }
    return at;
}

/* ISO C has no conversion from an object's address to a function's. */
#define FIND(call, name)                                                                           \
    static void *_Atomic cell;                                                                     \
    void *found = find(&cell, name);                                                               \
    memcpy(&(call), &found, sizeof(call))

#define KERNEL(result, name, parameters, arguments)                                                \
    result kernel_##name parameters                                                                \
    {                                                                                              \
        result(*call) parameters;                                                                  \
        FIND(call, #name);                                                                         \
        return call arguments;                                                                     \
    }

KERNEL(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
KERNEL(int, bind, (int fd, __CONST_SOCKADDR_ARG address, socklen_t length), (fd, address, length))
KERNEL(int, listen, (int fd, int backlog), (fd, backlog))
KERNEL(int, accept, (int fd, __SOCKADDR_ARG address, socklen_t *length), (fd, address, length))
KERNEL(int, accept4, (int fd, __SOCKADDR_ARG address, socklen_t *length, int flags),
       (fd, address, length, flags))
KERNEL(int, connect, (int fd, __CONST_SOCKADDR_ARG address, socklen_t length),
       (fd, address, length))
KERNEL(int, shutdown, (int fd, int how), (fd, how))
KERNEL(int, getsockname, (int fd, __SOCKADDR_ARG address, socklen_t *length), (fd, address, length))
KERNEL(int, getpeername, (int fd, __SOCKADDR_ARG address, socklen_t *length), (fd, address, length))
KERNEL(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
       (fd, level, name, value, length))
KERNEL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
       (fd, level, name, value, length))

KERNEL(ssize_t, send, (int fd, const void *bytes, size_t n, int flags), (fd, bytes, n, flags))
KERNEL(ssize_t, sendto,
       (int fd, const void *bytes, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t length),
       (fd, bytes, n, flags, to, length))
KERNEL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
KERNEL(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned int count, int flags),
       (fd, messages, count, flags))
KERNEL(ssize_t, recv, (int fd, void *bytes, size_t n, int flags), (fd, bytes, n, flags))
KERNEL(ssize_t, recvfrom,
       (int fd, void *bytes, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *length),
       (fd, bytes, n, flags, from, length))
KERNEL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
KERNEL(int, recvmmsg,
       (int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout),
       (fd, messages, count, flags, timeout))
KERNEL(ssize_t, read, (int fd, void *bytes, size_t n), (fd, bytes, n))
KERNEL(ssize_t, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count))
KERNEL(ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
KERNEL(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
KERNEL(ssize_t, sendfile, (int out, int in, off_t *offset, size_t n), (out, in, offset, n))
KERNEL(ssize_t, splice,
       (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned int flags),
       (in, in_at, out, out_at, n, flags))

KERNEL(int, close, (int fd), (fd))
KERNEL(int, close_range, (unsigned int first, unsigned int last, int flags), (first, last, flags))
KERNEL(int, dup, (int fd), (fd))
KERNEL(int, dup2, (int fd, int as), (fd, as))
KERNEL(int, dup3, (int fd, int as, int flags), (fd, as, flags))
KERNEL(FILE *, fdopen, (int fd, const char *mode), (fd, mode))

/* Their third argument is a number or an address, or is not there: as the C library does, it is
 * passed on as it came. */
int kernel_fcntl(int fd, int command, ...)
{
    int (*call)(int, int, ...);
    va_list arguments;
    void *argument;

    FIND(call, "fcntl");
    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return call(fd, command, argument);
}

int kernel_ioctl(int fd, unsigned long request, ...)
{
    int (*call)(int, unsigned long, ...);
    va_list arguments;
    void *argument;

    FIND(call, "ioctl");
    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return call(fd, request, argument);
}

void kernel__exit(int status)
{
    void (*call)(int) __attribute__((noreturn));

    FIND(call, "_exit");
    call(status);
}
