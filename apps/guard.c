/*
 * guard.c: the port guard. See guard.h. Read first: socket(7), SO_ATTACH_FILTER; ip(7), ipv6(7).
 *
 * A TCP socket must listen, for the kernel finds only listeners and connections. It is deaf before
 * it is bound: what comes is dropped before anything is done about it, by a filter; or, as newer
 * kernels reserve filters on TCP for CAP_NET_ADMIN (Linux 6.18.44 was seen to), because it lacks
 * the signature that the socket asks of everybody; or, in a kernel without those, because it has
 * been through a router or began with a lower TTL than the highest. No SO_REUSEADDR: the port then
 * has no connection of the kernel's either, TIME-WAIT included, and connect(2) chooses none that
 * bind(2) was called for.
 */
#include "guard.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard_filter.h"

struct guarded {
    struct guarded *next;
    enum tlsyn_transport transport;
    uint16_t port;
    int fd;
    unsigned int taken; /* how often it is taken now; 0: given back, and still deaf */
};

union socket_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* --- sockets ---------------------------------------------------------------------------------- */

static socklen_t to_sockaddr(const struct guard *guard, uint16_t port, union socket_address *at)
{
    *at = (union socket_address){.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    if (!tlsyn_addr_is_ip4(&guard->addr)) {
        memcpy(&at->in6.sin6_addr, guard->addr.byte, sizeof(at->in6.sin6_addr));
        at->in6.sin6_scope_id = guard->interface; /* heeded for a link-local address alone */
        return sizeof(at->in6);
    }
    at->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&at->in.sin_addr, tlsyn_addr_octets(&guard->addr), sizeof(at->in.sin_addr));
    return sizeof(at->in);
}

/* A filter that lets nothing pass. */
static int drop_all(const struct guard *guard, int fd)
{
    struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &code};

    (void)guard;
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

/* From everybody only what is signed (RFC 2385), with a key that nobody has. */
static int want_signatures(const struct guard *guard, int fd)
{
    struct tcp_md5sig all = {.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX, .tcpm_keylen = 32};
    union socket_address any = {.any = {.sa_family = AF_INET}};
    struct tlsyn_random *random = tlsyn_random_kernel();

    if (!tlsyn_addr_is_ip4(&guard->addr))
        any.any.sa_family = AF_INET6;
    memcpy(&all.tcpm_addr, &any, sizeof(any));
    random->fill(random, all.tcpm_key, all.tcpm_keylen);
    return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &all, sizeof(all)) < 0 ? -errno : 0;
}

/* Only what no router has passed on, and few hosts send (RFC 5082). */
static int want_full_ttl(const struct guard *guard, int fd)
{
    bool ip4 = tlsyn_addr_is_ip4(&guard->addr);
    int most = 255;

    return setsockopt(fd, ip4 ? IPPROTO_IP : IPPROTO_IPV6, ip4 ? IP_MINTTL : IPV6_MINHOPCOUNT,
                      &most, sizeof(most)) < 0
               ? -errno
               : 0;
}

/* The best that the kernel lets us. */
static int make_deaf(const struct guard *guard, int fd, bool tcp)
{
    int error = drop_all(guard, fd);

    if (error < 0 && tcp)
        error = want_signatures(guard, fd);
    if (error < 0 && tcp)
        error = want_full_ttl(guard, fd);
    return error;
}

/* Binds, and says which port that is; 0 or -errno. */
static int bind_deaf(const struct guard *guard, int fd, bool tcp, uint16_t *port)
{
    union socket_address at;
    socklen_t size = to_sockaddr(guard, *port, &at);
    int error = make_deaf(guard, fd, tcp);

    if (error < 0)
        return error;
    if (bind(fd, &at.any, size) < 0 || (tcp && listen(fd, 1) < 0) ||
        getsockname(fd, &at.any, &size) < 0)
        return -errno;
    *port = ntohs(tlsyn_addr_is_ip4(&guard->addr) ? at.in.sin_port : at.in6.sin6_port);
    return 0;
}

/* A descriptor, or -errno. */
static int open_deaf(const struct guard *guard, enum tlsyn_transport transport, uint16_t *port)
{
    bool tcp = transport == TLSYN_TCP;
    int family = tlsyn_addr_is_ip4(&guard->addr) ? AF_INET : AF_INET6;
    int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? -errno : bind_deaf(guard, fd, tcp, port);

    if (error < 0 && fd >= 0)
        (void)close(fd);
    return error < 0 ? error : fd;
}

/* --- ports ------------------------------------------------------------------------------------ */

/* Where the port's entry is linked, or would be. */
static struct guarded **find(struct guard *guard, enum tlsyn_transport transport, uint16_t port)
{
    struct guarded **at = &guard->bucket[port % GUARD_BUCKETS];

    while (*at && ((*at)->transport != transport || (*at)->port != port))
        at = &(*at)->next;
    return at;
}

/* Without it everything works, at the cost of copies. */
static void update_filter(const struct guard *guard)
{
    uint16_t port[GUARD_FILTER_PORTS];
    int n = 0;

    if (guard->packet_socket < 0 || guard->ports > GUARD_FILTER_PORTS + 1)
        return; /* beyond so many there is nothing to tell apart */
    for (int i = 0; i < GUARD_BUCKETS && guard->ports <= GUARD_FILTER_PORTS; i++) {
        for (const struct guarded *g = guard->bucket[i]; g; g = g->next) {
            if (g->taken > 0)
                port[n++] = g->port;
        }
    }
    (void)guard_filter_attach(guard->packet_socket, &guard->addr, port, guard->ports);
}

static void release(struct guarded **at)
{
    struct guarded *gone = *at;

    *at = gone->next;
    (void)close(gone->fd);
    free(gone);
}

static int take(struct tlsyn_ports *base, enum tlsyn_transport transport,
                struct tlsyn_endpoint *local)
{
    struct guard *guard = (struct guard *)base;
    struct guarded **at = find(guard, transport, local->port), *new;
    uint16_t port = local->port;
    int fd;

    if (port && *at) {
        if ((*at)->taken++ == 0) {
            guard->ports++;
            update_filter(guard);
        }
        return 0;
    }
    new = malloc(sizeof(*new));
    fd = new ? open_deaf(guard, transport, &port) : -ENOMEM;
    if (fd < 0) {
        free(new);
        return fd;
    }
    at = &guard->bucket[port % GUARD_BUCKETS];
    *new = (struct guarded){*at, transport, port, fd, 1};
    *at = new;
    guard->ports++;
    update_filter(guard);
    local->port = port;
    return 0;
}

/* The port stays deaf; the one that has been so for longest becomes the kernel's again. One that
 * was given back before, and taken again since, stands at its new place only. */
static void keep_of_late(struct guard *guard, enum tlsyn_transport transport, uint16_t port)
{
    int next = guard->next_late;
    struct guarded **oldest;

    for (int i = 0; i < GUARD_LATE; i++) {
        if (guard->late[i].transport == transport && guard->late[i].port == port)
            guard->late[i].port = 0;
    }
    oldest = find(guard, guard->late[next].transport, guard->late[next].port);
    if (*oldest && (*oldest)->taken == 0)
        release(oldest);
    guard->late[next].transport = transport;
    guard->late[next].port = port;
    guard->next_late = (next + 1) % GUARD_LATE;
}

static void give(struct tlsyn_ports *base, enum tlsyn_transport transport,
                 const struct tlsyn_endpoint *local)
{
    struct guard *guard = (struct guard *)base;
    struct guarded **at = find(guard, transport, local->port);

    if (!*at || --(*at)->taken > 0)
        return;
    guard->ports--;
    update_filter(guard);
    keep_of_late(guard, transport, local->port);
}

/* --- life ------------------------------------------------------------------------------------- */

void guard_init(struct guard *guard, const struct tlsyn_addr *addr, unsigned int interface)
{
    *guard =
        (struct guard){.base = {.take = take, .give = give}, .addr = *addr, .interface = interface};
}

int guard_hold(struct guard *guard, uint16_t port)
{
    struct tlsyn_endpoint local = {.addr = guard->addr, .port = port};

    return take(&guard->base, TLSYN_TCP, &local);
}

void guard_filter(struct guard *guard, int packet_socket)
{
    guard->packet_socket = packet_socket;
    update_filter(guard);
}

void guard_fini(struct guard *guard)
{
    for (int i = 0; i < GUARD_BUCKETS; i++) {
        while (guard->bucket[i])
            release(&guard->bucket[i]);
    }
}
