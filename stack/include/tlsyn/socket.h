/*
 * tlsyn/socket.h: BSD sockets over a stack of our own, and the one call that is new.
 *
 *     tlsyn_net_open -> tlsyn_socket -> tlsyn_bind, tlsyn_listen, tlsyn_accept
 *                                    -> tlsyn_connect, tlsyn_send, tlsyn_recv, ... -> tlsyn_close
 *                    -> tlsyn_net_close
 *
 * A net is a stack, the loop that moves it, and a thread for the loop. Its sockets are descriptors:
 * real ones, for poll(2), select(2) and epoll(7) together with those of the kernel, level- and
 * edge-triggered. To everything else in the kernel such a descriptor is a stranger: read(2),
 * write(2) and close(2) on it do not reach the socket, the calls here do.
 *
 * Each call does what the kernel's of the same name does on Linux, with the same return value, and
 * the same errno: -1 and errno on failure. Where it can't, it says so:
 *
 *   - Ancillary data of datagrams: IP_PKTINFO, IP_TTL, IP_TOS and IPv6's IPV6_PKTINFO,
 *     IPV6_HOPLIMIT, IPV6_TCLASS, both ways, and when they came (SO_TIMESTAMP, SO_TIMESTAMPNS); no
 *     other, and none of a stream. The interface's index is the kernel's, or 1 of one that it does
 *     not know.
 *   - IP_OPTIONS is of streams, says a source route and nothing else, and holds from the next
 *     connect(2) on. One by which a peer comes is taken where limits.source_routes says so.
 *   - Options that it lacks are refused as an older kernel would, with ENOPROTOOPT: those of
 *     membership in groups, of routing (SO_MARK, SO_PRIORITY, IP_TRANSPARENT), of
 *     drivers (SO_TIMESTAMPING, SO_ZEROCOPY, UDP_SEGMENT, UDP_GRO), and TCP_MD5SIG, TCP_REPAIR,
 *     TCP_ULP.
 *   - IP_RECVERR and IP_MTU_DISCOVER, and IPv6's, are of datagrams: a stream keeps what is set, and
 *     goes by its own lights. The error queue (MSG_ERRQUEUE) holds what SO_RCVBUF has room for
 *     beside the datagrams; with it come SO_TIMESTAMP's notes and no others.
 *   - SO_REUSEADDR and SO_REUSEPORT are among the sockets of one net. To an IPv4 group can be sent,
 *     to none of IPv6; none can be joined. Urgent data (MSG_OOB) not on a TLS socket.
 *   - A port is free again when its last socket is closed: what is left in TIME-WAIT does not hold
 *     it, as if SO_REUSEADDR were always set for that.
 *   - 127.0.0.1, ::1 and the net's own addresses are reached within the net, as "localhost" is
 *     within a host: neither the kernel's sockets nor those of another net are there, and of
 *     127.0.0.0/8 no other address is. A stack of the caller's has what the caller gave it.
 *   - A call that waits on a descriptor which another thread closes returns EBADF.
 *   - poll(2) shows an error waiting on a datagram socket as POLLIN without POLLERR. After a
 *     connect that failed, or a disconnect, the descriptor is to be registered with epoll(7) anew.
 *   - While poll(2) shows POLLPRI it shows POLLIN too. Before Linux 5.17 it shows POLLPRI never.
 *   - On a TLS socket SO_RCVBUF and FIONREAD count ciphertext and the plaintext of one record.
 *
 * Signals: a blocked call is interrupted as the kernel's is: restarted where the handler was
 * installed with SA_RESTART and no timeout is set, else EINTR. SIGPIPE is raised like the kernel
 * does. A child of fork(2) has the descriptors but no thread behind them: it may close them with
 * close(2) and nothing else. A program that ends without tlsyn_net_close() leaves its peers without
 * FIN, which the kernel would have sent.
 *
 * Threads: every call may be made in any thread at any time; two sockets of one net share its lock.
 */
#ifndef TLSYN_SOCKET_H
#define TLSYN_SOCKET_H

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <tlsyn/conn.h>
#include <tlsyn/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_net;

/* --- the net ---------------------------------------------------------------------------------- */

/** Tells a net what time it is, in place of tlsyn_clock(). */
struct tlsyn_net_clock {
    tlsyn_time (*now)(struct tlsyn_net_clock *);
};

/**
 * What a net stands on, one of three: a network interface of this machine, opened by the net
 * (AF_PACKET: CAP_NET_RAW is needed during the call); a link of the caller's, where `interface` may
 * say which one it is of; a whole stack of the caller's, which the caller moves too
 * (tlsyn_net_turn()): then there is no thread, and whoever holds the clock may let it jump.
 */
struct tlsyn_net_options {
    const char *interface;         /* "eth0" */
    struct tlsyn_link *link;       /* must outlive the net */
    struct tlsyn_stack *stack;     /* must outlive the net */
    struct tlsyn_net_clock *clock; /* with `stack` only; must outlive the net */

    /** With `interface` and `link`: addresses as text, with prefix length, several separated by
     * commas: "10.77.0.11/24". They must be nobody's, this machine's kernel's included. An IPv6
     * address can be used after a second, when nobody has claimed it; no_dad: at once. */
    const char *address;
    bool no_dad;
    const char *gateway;               /* as text, several separated by commas; or NULL */
    const struct tlsyn_limits *limits; /* NULL: the defaults */
    struct tlsyn_trace *trace;         /* called in the net's thread and in those of callers */
    tlsyn_time spin;                   /* as in struct tlsyn_loop_options */
    bool hidden;                       /* `tlsyn ss` is not to see it */

    /** What connections have where no socket option says otherwise, copied: the part of Linux's
     * sysctls tcp_timestamps, tcp_sack, tcp_window_scaling, tcp_ecn, tcp_congestion_control.
     * Nothing that is an option of sockets is looked at, but `controller`. NULL: the defaults. */
    const struct tlsyn_conn_options *conn;
};

/** 0, or -errno: -EINVAL (nothing to stand on, an address that is none), -EMFILE, -ENOMEM, -EAGAIN
 * (no thread), and those of tlsyn_afpacket_open(), tlsyn_iface_address(), tlsyn_route_add(). */
int tlsyn_net_open(const struct tlsyn_net_options *options, struct tlsyn_net **net);

/** Closes every socket of the net, waits until what they sent is acknowledged, 2 s at most, and
 * frees the net. No call may be under way on its sockets. NULL is allowed. */
void tlsyn_net_close(struct tlsyn_net *net);

/** Between these two the calling thread may use the stack (counters, conn calls, more interfaces);
 * the second one lets the sockets notice. Not inside an event. */
struct tlsyn_stack *tlsyn_net_lock(struct tlsyn_net *net);
void tlsyn_net_unlock(struct tlsyn_net *net);

/** For a net over the caller's stack: runs what is due by its clock, timers and timeouts of blocked
 * calls, and sends what is to be sent. */
void tlsyn_net_turn(struct tlsyn_net *net);

/** When tlsyn_net_turn() has work next, or TLSYN_NEVER. */
tlsyn_time tlsyn_net_next_timeout(struct tlsyn_net *net);

/* --- the calls -------------------------------------------------------------------------------- */

/** AF_INET or AF_INET6; SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK and SOCK_CLOEXEC. */
int tlsyn_socket(struct tlsyn_net *net, int domain, int type, int protocol);
int tlsyn_bind(int fd, const struct sockaddr *address, socklen_t length);
int tlsyn_listen(int fd, int backlog);
int tlsyn_accept(int fd, struct sockaddr *address, socklen_t *length);
int tlsyn_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int tlsyn_connect(int fd, const struct sockaddr *address, socklen_t length);

ssize_t tlsyn_send(int fd, const void *bytes, size_t n, int flags);
ssize_t tlsyn_sendto(int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to,
                     socklen_t length);
ssize_t tlsyn_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t tlsyn_recv(int fd, void *bytes, size_t n, int flags);
ssize_t tlsyn_recvfrom(int fd, void *bytes, size_t n, int flags, struct sockaddr *from,
                       socklen_t *length);
ssize_t tlsyn_recvmsg(int fd, struct msghdr *message, int flags);
/** Many messages in one call. `struct mmsghdr` is sys/socket.h's, with _GNU_SOURCE. */
struct mmsghdr;
int tlsyn_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
int tlsyn_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
                   struct timespec *timeout);
ssize_t tlsyn_read(int fd, void *bytes, size_t n);
ssize_t tlsyn_write(int fd, const void *bytes, size_t n);
ssize_t tlsyn_readv(int fd, const struct iovec *parts, int count);
ssize_t tlsyn_writev(int fd, const struct iovec *parts, int count);

int tlsyn_shutdown(int fd, int how);
int tlsyn_close(int fd);

int tlsyn_getsockname(int fd, struct sockaddr *address, socklen_t *length);
int tlsyn_getpeername(int fd, struct sockaddr *address, socklen_t *length);
int tlsyn_getsockopt(int fd, int level, int name, void *value, socklen_t *length);
int tlsyn_setsockopt(int fd, int level, int name, const void *value, socklen_t length);

/** F_GETFL and F_SETFL (O_NONBLOCK), F_GETFD and F_SETFD, F_GETOWN and F_SETOWN (SIGURG). */
int tlsyn_fcntl(int fd, int command, ...);
/** FIONREAD, FIONBIO, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK. */
int tlsyn_ioctl(int fd, unsigned long request, ...);

/** poll(2), on the net's clock where the net has one of its own. Descriptors of the kernel may be
 * among them. */
int tlsyn_poll(struct pollfd *fds, nfds_t count, int timeout);

/* --- options of our own: level SOL_TLSYN ------------------------------------------------------ */

#define SOL_TLSYN 0x746c

/** Get: struct tlsyn_conn_info of a stream socket that has a connection (ENOTCONN). */
#define TLSYN_CONN_INFO 1
/** Get: what went wrong in the engine, as a sentence; "" if nothing did. */
#define TLSYN_ENGINE_ERROR 2
/** Get and set, int: enum tlsyn_level: what a connect with an engine may put into the SYN. The
 * default is TLSYN_LEVEL_COOKIE. EINVAL for a level that is none, EISCONN too late. */
#define TLSYN_CONNECT_LEVEL 3
/** Get, int: enum tlsyn_early, of a stream socket whose engine is at work (ENOTCONN). */
#define TLSYN_EARLY 4

/** What became of the bytes that came, or went, before an engine's handshake was complete. */
enum tlsyn_early {
    TLSYN_EARLY_NONE, /* there were none, or it is not known yet */
    /** The handshake is not complete: all that was read so far may come from somebody who repeats
     * another's bytes. Do nothing that must not be done twice while it lasts. */
    TLSYN_EARLY_NOW,
    TLSYN_EARLY_ACCEPTED,
    TLSYN_EARLY_REJECTED, /* they went again, behind the handshake */
};

/* --- engines ---------------------------------------------------------------------------------- */

/**
 * What stands between a stream socket and its connection, where something does: TLS. One engine
 * serves the connections of a socket, a session each. All is called under the net's lock.
 */
struct tlsyn_engine;
struct tlsyn_session;

struct tlsyn_engine_ops {
    /** A session for a connection that raises its events at `app` as a plain one does. `conn` is
     * NULL before an active open; *handler is then to be given to tlsyn_conn_open(). 0 or
     * -errno. */
    int (*attach)(struct tlsyn_engine *, struct tlsyn_conn *, const char *server_name,
                  struct tlsyn_handler *app, struct tlsyn_session **,
                  struct tlsyn_handler **handler);
    /** As tlsyn_tls_read(): a count, 0 at the end, -EAGAIN, or another error. */
    ssize_t (*read)(struct tlsyn_session *, void *bytes, size_t n);
    /** What read would give at once, at least 1 if it would give anything but -EAGAIN. */
    size_t (*pending)(struct tlsyn_session *);
    /** As tlsyn_tls_write(): a count, -EAGAIN, or another error. */
    ssize_t (*write)(struct tlsyn_session *, const void *bytes, size_t n);
    /** No more will be written. */
    void (*close)(struct tlsyn_session *);
    /** The socket loses interest: what was written still leaves, as tlsyn_conn_release() says. */
    void (*release)(struct tlsyn_session *);
    /** Ends it at once: RST. The session must not be used again, and no event comes. */
    void (*abort)(struct tlsyn_session *);
    /** A sentence, or "". Valid until the next call. */
    const char *(*error)(struct tlsyn_session *);
    /** enum tlsyn_early */
    int (*early)(struct tlsyn_session *);
    /** Whether what is written before the open may ride in it: then TCP_FASTOPEN_CONNECT has the
     * first send open. */
    bool (*may_be_early)(const struct tlsyn_engine *);
    /** The socket needs the engine no more; sessions may be left. */
    void (*drop)(struct tlsyn_engine *);
};

struct tlsyn_engine {
    const struct tlsyn_engine_ops *ops;
};

/** Puts an engine under a stream socket before it connects; under a socket that will listen, it is
 * put under each connection accepted. `server_name` is copied, may be NULL. 0; -1 with EOPNOTSUPP
 * (not a stream socket), EISCONN (too late), ENOMEM; then the engine is not dropped. */
int tlsyn_socket_engine(int fd, struct tlsyn_engine *engine, const char *server_name);

#ifdef __cplusplus
}
#endif

#endif
