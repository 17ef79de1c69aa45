/*
 * preload_kernel.h: the C library's own calls, behind those of the shim that have their names.
 *
 * The shim defines read() for the program; whoever means the other one says kernel_read(). The
 * stack inside of the shim says read() like everybody, and the linker makes that kernel_read()
 * (--wrap, in CMakeLists.txt): a call of the stack never comes back to the shim.
 */
#ifndef PRELOAD_KERNEL_H
#define PRELOAD_KERNEL_H

#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

int kernel_socket(int domain, int type, int protocol);
int kernel_bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length);
int kernel_listen(int fd, int backlog);
int kernel_accept(int fd, __SOCKADDR_ARG address, socklen_t *length);
int kernel_accept4(int fd, __SOCKADDR_ARG address, socklen_t *length, int flags);
int kernel_connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length);
int kernel_shutdown(int fd, int how);
int kernel_getsockname(int fd, __SOCKADDR_ARG address, socklen_t *length);
int kernel_getpeername(int fd, __SOCKADDR_ARG address, socklen_t *length);
int kernel_getsockopt(int fd, int level, int name, void *value, socklen_t *length);
int kernel_setsockopt(int fd, int level, int name, const void *value, socklen_t length);

ssize_t kernel_send(int fd, const void *bytes, size_t n, int flags);
ssize_t kernel_sendto(int fd, const void *bytes, size_t n, int flags, __CONST_SOCKADDR_ARG to,
                      socklen_t length);
ssize_t kernel_sendmsg(int fd, const struct msghdr *message, int flags);
int kernel_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
ssize_t kernel_recv(int fd, void *bytes, size_t n, int flags);
ssize_t kernel_recvfrom(int fd, void *bytes, size_t n, int flags, __SOCKADDR_ARG from,
                        socklen_t *length);
ssize_t kernel_recvmsg(int fd, struct msghdr *message, int flags);
int kernel_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
                    struct timespec *timeout);
ssize_t kernel_read(int fd, void *bytes, size_t n);
ssize_t kernel_readv(int fd, const struct iovec *parts, int count);
ssize_t kernel_write(int fd, const void *bytes, size_t n);
ssize_t kernel_writev(int fd, const struct iovec *parts, int count);
ssize_t kernel_sendfile(int out, int in, off_t *offset, size_t n);
ssize_t kernel_splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n,
                      unsigned int flags);

int kernel_close(int fd);
int kernel_close_range(unsigned int first, unsigned int last, int flags);
int kernel_dup(int fd);
int kernel_dup2(int fd, int as);
int kernel_dup3(int fd, int as, int flags);
int kernel_fcntl(int fd, int command, ...);
int kernel_ioctl(int fd, unsigned long request, ...);
FILE *kernel_fdopen(int fd, const char *mode);
void kernel__exit(int status) __attribute__((noreturn));

#endif
