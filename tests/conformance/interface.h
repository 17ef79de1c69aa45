/*
 * conformance/interface.h: what packetdrill asks of a stack that it loads as a shared object.
 *
 * It looks up one function, packetdrill_interface_init(), gives it the text behind --so_flags (or
 * NULL), and has it fill this structure; `userdata` is the first argument of every other function.
 * The socket calls are those of libc, with their results and errno. The order of the members is the
 * interface.
 */
#ifndef TEST_CONFORMANCE_INTERFACE_H
#define TEST_CONFORMANCE_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *);
    int (*socket)(void *, int domain, int type, int protocol);
    int (*bind)(void *, int fd, const struct sockaddr *, socklen_t);
    int (*listen)(void *, int fd, int backlog);
    int (*accept)(void *, int fd, struct sockaddr *, socklen_t *);
    int (*connect)(void *, int fd, const struct sockaddr *, socklen_t);
    ssize_t (*read)(void *, int fd, void *, size_t);
    ssize_t (*readv)(void *, int fd, const struct iovec *, int count);
    ssize_t (*recv)(void *, int fd, void *, size_t, int flags);
    ssize_t (*recvfrom)(void *, int fd, void *, size_t, int flags, struct sockaddr *, socklen_t *);
    ssize_t (*recvmsg)(void *, int fd, struct msghdr *, int flags);
    ssize_t (*write)(void *, int fd, const void *, size_t);
    ssize_t (*writev)(void *, int fd, const struct iovec *, int count);
    ssize_t (*send)(void *, int fd, const void *, size_t, int flags);
    ssize_t (*sendto)(void *, int fd, const void *, size_t, int flags, const struct sockaddr *,
                      socklen_t);
    ssize_t (*sendmsg)(void *, int fd, const struct msghdr *, int flags);
    int (*fcntl)(void *, int fd, int command, ...);
    int (*ioctl)(void *, int fd, unsigned long request, ...);
    int (*close)(void *, int fd);
    int (*shutdown)(void *, int fd, int how);
    int (*getsockopt)(void *, int fd, int level, int name, void *, socklen_t *);
    int (*setsockopt)(void *, int fd, int level, int name, const void *, socklen_t);
    int (*poll)(void *, struct pollfd *, nfds_t, int timeout);
    /** A datagram arrives. 0, or -1. */
    int (*netdev_send)(void *, const void *, size_t);
    /** The next datagram that leaves: *count is the room, then its length; 0: there is none. */
    int (*netdev_receive)(void *, void *, size_t *count, long long *time_usecs);
    int (*usleep)(void *, useconds_t);
    int (*gettimeofday)(void *, struct timeval *, struct timezone *);
    int (*epoll_create)(void *, int size);
    int (*epoll_ctl)(void *, int epoll, int operation, int fd, struct epoll_event *);
    int (*epoll_wait)(void *, int epoll, struct epoll_event *, int count, int timeout);
    int (*pipe)(void *, int fds[2]);
    int (*splice)(void *, int from, loff_t *, int to, loff_t *, size_t, unsigned flags);
};

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface);

#endif
