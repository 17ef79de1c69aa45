/*
 * socket/calls.c: the calls that make, name and end sockets, by descriptor. See tlsyn/socket.h.
 *
 * Inside, errors are -errno as everywhere; here they become what the calls of BSD return.
 */
#include "socket/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "socket/address.h"
#include "socket/datagram.h"
#include "socket/option.h"
#include "socket/peer.h"
#include "socket/port.h"
#include "socket/registry.h"
#include "socket/stream.h"

/* --- in and out ------------------------------------------------------------------------------- */

struct sock *call_enter(int fd)
{
    struct sock *sock = registry_get(fd);

    if (!sock) {
        errno = fcntl(fd, F_GETFD) < 0 ? EBADF : ENOTSOCK;
        return NULL;
    }
    net_lock(sock->net);
    return sock;
}

ssize_t call_leave(struct sock *sock, ssize_t result)
{
    net_unlock(sock->net);
    sock_drop(sock);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* --- a descriptor for a socket ---------------------------------------------------------------- */

/* One that was left when the program closed its descriptor with close(2). */
static void bury(struct sock *stale)
{
    struct tlsyn_net *net = stale->net;

    net_lock(net);
    if (!stale->closed) {
        stale->ops->close(stale);
        sock_unlist(stale);
        ready_close(&stale->ready);
    }
    net_unlock(net);
    sock_drop(stale);
}

/* With the lock held. The number, or -errno. */
static int publish(struct sock *sock, int flags, struct sock **stale)
{
    bool idle = sock->type == SOCK_STREAM && sock->phase == SOCK_IDLE;
    int error = idle ? ready_open_idle(&sock->ready, flags) : ready_open_pair(&sock->ready, flags);

    if (error == 0)
        error = registry_add(sock->ready.near, sock, stale);
    if (error < 0) {
        ready_close(&sock->ready);
        return error;
    }
    sock->nonblock = flags & SOCK_NONBLOCK;
    list_append(&sock->net->socks, &sock->all);
    sock_changed(sock);
    return sock->ready.near;
}

#define TYPE_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

/* In the order in which Linux finds fault. */
static int check_kind(int domain, int type, int protocol)
{
    int own = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

    if (type & ~(0xf | TYPE_FLAGS))
        return -EINVAL;
    if (domain != AF_INET && domain != AF_INET6)
        return -EAFNOSUPPORT;
    if (type < 0 || type > SOCK_PACKET)
        return -EINVAL;
    if (protocol < 0 || protocol >= IPPROTO_MAX)
        return -EINVAL;
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    return protocol == 0 || protocol == own ? 0 : -EPROTONOSUPPORT;
}

static int fail(int error)
{
    errno = -error;
    return -1;
}

int tlsyn_socket(struct tlsyn_net *net, int domain, int type, int protocol)
{
    int flags = type & TYPE_FLAGS, plain = type & ~TYPE_FLAGS;
    int error = check_kind(domain, plain, protocol);
    struct sock *sock = error < 0 ? NULL : sock_new(net, domain, plain);
    struct sock *stale = NULL;

    if (!sock)
        return fail(error < 0 ? error : -ENOBUFS);
    net_lock(net);
    error = publish(sock, flags, &stale);
    net_unlock(net);
    sock_drop(sock); /* the registry holds it now */
    if (stale)
        bury(stale);
    return error < 0 ? fail(error) : error;
}

/* --- bind, listen, accept, connect ------------------------------------------------------------ */

/* IP_BIND_ADDRESS_NO_PORT: the port is chosen when the peer is known. */
static int take_local(struct sock *sock, const struct tlsyn_endpoint *local)
{
    if (sock->options.late_port && local->port == 0) {
        sock->local = *local;
        return 0;
    }
    return sock->type == SOCK_DGRAM ? datagram_bind(sock, local) : port_take(sock, local);
}

/* In the order of Linux's inet_bind(), or its inet6_bind(). */
static int bind_sock(struct sock *sock, const struct tlsyn_endpoint *local)
{
    const struct tlsyn_addr any = address_any(sock->domain);
    bool ours =
        tlsyn_addr_unspecified(&local->addr) || tlsyn_stack_owns(sock->net->stack, &local->addr);
    int error;

    if (sock->domain == AF_INET && !ours)
        return -EADDRNOTAVAIL;
    if (port_is_held(sock) || sock->dgram.connected ||
        (sock->options.v6only && tlsyn_addr_is_ip4(&local->addr)))
        return -EINVAL;
    if (!ours)
        return -EADDRNOTAVAIL;
    error = take_local(sock, local);
    if (error < 0) {
        sock->local.addr = any;
        return error;
    }
    sock->last_port = 0;
    sock->bound_port = local->port > 0;
    sock->bound_addr = !tlsyn_addr_eq(&local->addr, &any);
    if (!tlsyn_addr_is_ip4(&local->addr) && !tlsyn_addr_unspecified(&local->addr))
        sock->options.v6only = 1; /* and says so */
    return 0;
}

/* ip(7): AF_UNSPEC with an unspecified address was once common, and is taken for AF_INET. */
static int take_bind_address(const struct sock *sock, const struct sockaddr *address,
                             socklen_t length, struct tlsyn_endpoint *to)
{
    struct sockaddr_in in;

    if (sock->domain != AF_INET || !address || length < sizeof(in) ||
        length > sizeof(struct sockaddr_storage))
        return address_take(sock->domain, address, length, to);
    memcpy(&in, address, sizeof(in));
    if (in.sin_family == AF_UNSPEC && in.sin_addr.s_addr == INADDR_ANY)
        in.sin_family = AF_INET;
    return address_take(AF_INET, (struct sockaddr *)&in, sizeof(in), to);
}

int tlsyn_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sock *sock = call_enter(fd);
    struct tlsyn_endpoint to;
    int error;

    if (!sock)
        return -1;
    error = take_bind_address(sock, address, length, &to);
    if (error == 0)
        error = bind_sock(sock, &to);
    return (int)call_leave(sock, error);
}

int tlsyn_listen(int fd, int backlog)
{
    struct sock *sock = call_enter(fd);

    if (!sock)
        return -1;
    return (int)call_leave(sock,
                           sock->ops->listen ? sock->ops->listen(sock, backlog) : -EOPNOTSUPP);
}

/* No descriptor is left for it: it stays first in the queue. */
static void put_back(struct sock *parent, struct sock *child)
{
    child->stream.parent = parent;
    child->stream.queued = 1;
    list_insert_before(parent->stream.queue.next, &child->stream.sibling);
    parent->stream.queued++;
}

static int accept_sock(struct sock *sock, struct sockaddr *address, socklen_t *length, int flags,
                       struct sock **stale)
{
    struct sock *child;
    int fd = sock->ops->accept ? sock->ops->accept(sock, &child) : -EOPNOTSUPP;

    if (fd < 0)
        return fd;
    fd = publish(child, flags, stale);
    if (fd < 0) {
        put_back(sock, child);
        return fd;
    }
    sock_drop(child); /* the registry holds it now */
    if (address)
        (void)address_give(child->domain, &child->remote, address, length);
    return fd;
}

int tlsyn_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    struct sock *sock, *stale = NULL;
    ssize_t result;

    sock = call_enter(fd);
    if (!sock)
        return -1;
    if (flags & ~TYPE_FLAGS)
        return (int)call_leave(sock, -EINVAL);
    if (address && (!length || *length > INT32_MAX))
        return (int)call_leave(sock, length ? -EINVAL : -EFAULT);
    result = call_leave(sock, accept_sock(sock, address, address ? length : NULL, flags, &stale));
    if (stale)
        bury(stale);
    return (int)result;
}

int tlsyn_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return tlsyn_accept4(fd, address, length, 0);
}

static int connect_sock(struct sock *sock, const struct sockaddr *address, socklen_t length)
{
    struct tlsyn_endpoint to;
    int error;

    if (length > sizeof(struct sockaddr_storage))
        return -EINVAL;
    if (!address && length)
        return -EFAULT;
    if (length < sizeof(address->sa_family))
        return -EINVAL;
    if (address->sa_family == AF_UNSPEC)
        return sock->ops->disconnect(sock);
    /* Linux looks at the state of a stream before it looks at the address, and gives a datagram
     * socket its port. */
    if (sock->type == SOCK_STREAM && sock->phase != SOCK_IDLE)
        return sock->ops->connect(sock, NULL);
    error = sock->type == SOCK_DGRAM ? datagram_autobind(sock) : 0;
    if (error == 0)
        error = peer_to_connect(sock, address, length, &to);
    return error < 0 ? error : sock->ops->connect(sock, &to);
}

int tlsyn_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sock *sock = call_enter(fd);

    return sock ? (int)call_leave(sock, connect_sock(sock, address, length)) : -1;
}

int tlsyn_socket_engine(int fd, struct tlsyn_engine *engine, const char *server_name)
{
    struct sock *sock = call_enter(fd);
    char *name = NULL;

    if (!sock)
        return -1;
    if (sock->type != SOCK_STREAM)
        return (int)call_leave(sock, -EOPNOTSUPP);
    if (sock->phase == SOCK_OPENING || sock->phase == SOCK_OPEN)
        return (int)call_leave(sock, -EISCONN);
    if (server_name && !(name = strdup(server_name)))
        return (int)call_leave(sock, -ENOMEM);
    free(sock->stream.server_name);
    sock->stream.server_name = name;
    if (sock->stream.engine)
        sock->stream.engine->ops->drop(sock->stream.engine);
    sock->stream.engine = engine;
    if (sock->stream.listener)
        tlsyn_listener_admit(sock->stream.listener, true, true);
    return (int)call_leave(sock, 0);
}

/* --- ends ------------------------------------------------------------------------------------- */

int tlsyn_shutdown(int fd, int how)
{
    struct sock *sock = call_enter(fd);

    if (!sock)
        return -1;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return (int)call_leave(sock, -EINVAL);
    return (int)call_leave(sock, sock->ops->shutdown(sock, how));
}

/* The number is free for others as soon as the descriptor is closed, and that is last. */
int tlsyn_close(int fd)
{
    struct sock *sock = call_enter(fd);
    struct ready ready;

    if (!sock)
        return -1;
    if (!registry_remove(fd, sock)) /* another thread was faster */
        return (int)call_leave(sock, -EBADF);
    sock->ops->close(sock);
    sock_unlist(sock);
    sock_changed(sock);
    ready = sock->ready;
    ready_init(&sock->ready);
    (void)call_leave(sock, 0);
    sock_drop(sock);
    ready_close(&ready);
    return 0;
}

/* --- names and options ------------------------------------------------------------------------ */

int tlsyn_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
    struct sock *sock = call_enter(fd);
    struct tlsyn_endpoint local;

    if (!sock)
        return -1;
    local = sock->local;
    local.port = local.port ? local.port : sock->last_port;
    return (int)call_leave(sock, address_give(sock->domain, &local, address, length));
}

/* Linux's inet_getname(): not before the handshake is over, and not after the end. */
static bool has_peer(const struct sock *sock)
{
    if (sock->type == SOCK_DGRAM)
        return sock->dgram.connected && sock->remote.port;
    return sock->phase == SOCK_OPEN && sock->stream.conn;
}

int tlsyn_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    struct sock *sock = call_enter(fd);

    if (!sock)
        return -1;
    if (!has_peer(sock))
        return (int)call_leave(sock, -ENOTCONN);
    return (int)call_leave(sock, address_give(sock->domain, &sock->remote, address, length));
}

int tlsyn_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    struct sock *sock = call_enter(fd);

    return sock ? (int)call_leave(sock, option_get(sock, level, name, value, length)) : -1;
}

int tlsyn_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    struct sock *sock = call_enter(fd);

    return sock ? (int)call_leave(sock, option_set(sock, level, name, value, length)) : -1;
}
