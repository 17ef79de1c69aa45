/*
 * support/chance_apart.c: see chance.h: where our sockets differ from the kernel's on purpose, or
 * where time has a say: such calls are not drawn, or what they give is not compared.
 *
 * Some are left out by what is never drawn at all:
 *   - what a buffer holds: SO_SNDBUF, SO_RCVBUF, and more bytes than fit anywhere;
 *   - what a timer ends: TCP_CORK, MSG_MORE, TCP_DEFER_ACCEPT, SO_LINGER with a time;
 *   - Fast Open, whose cookies the kernel keeps longer;
 *   - TIME-WAIT, which does not hold a port of ours: the namespace has none, and every stream
 *     socket has SO_REUSEADDR;
 *   - 127.0.0.2 and the like, which are not ours (tlsyn/socket.h);
 *   - the error queue, for it raises POLLERR: socket_errqueue has it.
 * The others are the functions below.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

#include "support/chance.h"

static int number_of(struct world *w, int fd, int name)
{
    int number = 0;
    socklen_t n = sizeof(number);

    (void)w->with.getsockopt(fd, SOL_SOCKET, name, &number, &n);
    return number;
}

int chance_type(struct world *w, int fd)
{
    return number_of(w, fd, SO_TYPE);
}

static int domain_of(struct world *w, int fd)
{
    return number_of(w, fd, SO_DOMAIN);
}

static uint16_t port_of(const union chance_address *at)
{
    uint16_t port;

    memcpy(&port, at->room + 2, sizeof(port));
    return ntohs(port);
}

static void set_port(union chance_address *at, uint16_t port)
{
    port = htons(port);
    memcpy(at->room + 2, &port, sizeof(port));
}

static bool is_named(uint16_t port)
{
    return port >= CHANCE_PORT && port < CHANCE_PORT + 10;
}

/* A stream to port 0 is refused before it leaves, and AF_UNSPEC to a stream has Linux tell
 * ECONNRESET once it is disconnected, which nobody waits for. */
static void connect_stream(union chance_address *at)
{
    if (!is_named(port_of(at)))
        set_port(at, CHANCE_PORT + 1);
    if (at->any.sa_family == AF_UNSPEC)
        at->any.sa_family = AF_UNIX;
}

/* An IPv6 socket that had an IPv4 peer does not come back from there: a stream's SYN still leaves
 * by IPv4 (and nobody answers), and what comes for datagrams over IPv6 is not heard. Ours does.
 * Each keeps to one family. */
static void keep_family(const struct draw *d, union chance_address *at)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, loopback[4] = {127, 0, 0, 1};
    uint8_t *host = at->in6.sin6_addr.s6_addr;
    bool ip4 = at->any.sa_family == AF_INET || memcmp(host, mapped, sizeof(mapped)) == 0;

    if (at->any.sa_family == AF_UNSPEC || ip4 == (d->place & 1))
        return;
    if (ip4) {
        at->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                        .sin6_port = htons(port_of(at)),
                                        .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        return;
    }
    memcpy(host, mapped, sizeof(mapped));
    memcpy(host + sizeof(mapped), loopback, sizeof(loopback));
}

void apart_connect(struct world *w, const struct draw *d, union chance_address *at)
{
    int fd = w->fd[d->place];

    if (domain_of(w, fd) == AF_INET6)
        keep_family(d, at);
    if (chance_type(w, fd) == SOCK_STREAM)
        connect_stream(at);
}

/* AF_UNSPEC has the kernel look over IPv6 for a peer whose address is IPv4's. */
void apart_send(const struct draw *d, union chance_address *at)
{
    if (at->any.sa_family == AF_UNSPEC && d->place & 1)
        at->any.sa_family = AF_UNIX;
}

/* A port that was chosen is another in each world. */
void apart_address(union chance_address *at)
{
    if (!is_named(port_of(at)))
        set_port(at, 0);
}

/* A stream that is shut down before it is connected: Linux remembers, and has the connection that
 * follows end at once. */
bool apart_shutdown(struct world *w, int fd)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof(info);

    (void)w->with.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n);
    return info.tcpi_state == TCP_CLOSE;
}

/* Datagram sockets of ours show POLLERR as POLLIN, and beside POLLPRI there always is POLLIN
 * (socket/ready.h). */
short apart_poll(int type, short events)
{
    if (type == SOCK_DGRAM && events & POLLERR)
        events = (short)((events | POLLIN) & ~POLLERR);
    return events & POLLPRI ? (short)(events | POLLIN) : events;
}
