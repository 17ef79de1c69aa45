/* Sockets: calls in any order, right and wrong ones, on sockets in any state and on closed
 * descriptors: what the kernel's return, ours return, errno, bytes and lengths included; and after
 * each, poll(2) and FIONREAD say the same of every socket.
 *
 * Both worlds are at 127.0.0.1 and ::1: the kernel's in a network namespace of its own, ours on one
 * stack under a clock that stands still while a call is made, so that no timer has a say. Both get
 * the same calls, drawn from a seed. At the first difference the sequence so far is told.
 *
 * Left out, for there both differ on purpose, or by time:
 *   - what a buffer holds: SO_SNDBUF, SO_RCVBUF, and more bytes than fit anywhere;
 *   - what a timer ends: TCP_CORK, MSG_MORE, TCP_DEFER_ACCEPT, SO_LINGER with a time;
 *   - Fast Open, whose cookies the kernel keeps longer;
 *   - TIME-WAIT, which does not hold a port of ours: the namespace has none, and every stream
 *     socket has SO_REUSEADDR;
 *   - a stream that is shut down before it is connected: Linux remembers, and has the connection
 *     that follows end at once; and connecting one to port 0, which is refused before it leaves;
 *   - SO_TIMESTAMP on a stream, which is refused;
 *   - AF_UNSPEC to a stream: Linux has ECONNRESET told once it is disconnected;
 *   - 127.0.0.2 and the like, which are not ours (tlsyn/socket.h);
 *   - POLLERR of datagram sockets, which ours show as POLLIN, and POLLIN beside POLLPRI (likewise);
 *   - the error queue, for it raises POLLERR: socket_errqueue has it. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/list.h"
#include "core/random.h"
#include "lab/netlink.h"
#include "lab/veth.h"
#include "support/bsd.h"
#include "support/wire.h"

#define ADDR(a)   ((struct sockaddr *)&(a))
#define PLACES    8
#define CLOSED    9999 /* a descriptor that nobody has */
#define CALLS     60
#define SEQUENCES 40
#define LOOPS     8
#define PORT      5000
#define BIRTH     TLSYN_SECONDS(1000)
#define TOLD      512

/* One call, as it was drawn. */
struct draw {
    unsigned call, place, other;
    uint32_t a[8];
};

struct outcome {
    char text[TOLD];
    size_t len;
};

struct world {
    struct bsd with;
    int fd[PLACES]; /* CLOSED */
    struct outcome outcome;
};

struct chance {
    struct tlsyn_net_clock clock;
    tlsyn_time now;
    struct tlsyn_stack *stack;
    struct tlsyn_link *loopback;
    struct tlsyn_iface *iface;
    struct random_seeded random, draws;
    struct world kernel, ours;
    char history[CALLS][TOLD];
};

static tlsyn_time now(struct tlsyn_net_clock *clock)
{
    return container_of(clock, struct chance, clock)->now;
}

static void say(struct world *w, const char *what, long value)
{
    struct outcome *o = &w->outcome;

    o->len += (size_t)snprintf(o->text + o->len, TOLD - o->len, " %s=%ld", what, value);
    ck_assert_uint_lt(o->len, TOLD);
}

static void say_result(struct world *w, long result)
{
    say(w, result < 0 ? strerrorname_np(errno) : "result", result);
}

static void say_bytes(struct world *w, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + at[i];
    say(w, "bytes", (long)sum);
}

/* A port that was chosen is another in each world, and Linux remembers one that it took back. */
static void say_address(struct world *w, const struct sockaddr_storage *at, socklen_t length)
{
    struct sockaddr_storage copy = *at;
    uint16_t port;

    memcpy(&port, (char *)&copy + 2, sizeof(port));
    if (ntohs(port) > PORT + 10)
        memset((char *)&copy + 2, 0, sizeof(port));
    say(w, "length", length);
    say_bytes(w, &copy, length < sizeof(copy) ? length : sizeof(copy));
}

/* --- what is drawn ---------------------------------------------------------------------------- */

static uint32_t pick(uint32_t drawn, uint32_t n)
{
    return drawn % n;
}

/* Mostly the first. */
static bool rarely(uint32_t drawn)
{
    return drawn % 16 == 7;
}

static socklen_t address_of(uint32_t drawn, uint32_t how, struct sockaddr_storage *at)
{
    static const char *const hosts6[] = {
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"};
    static const uint32_t hosts4[] = {0x7f000001, 0x7f000001, 0, 0xc0000201};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    uint16_t port = htons((uint16_t)(pick(drawn >> 8, 8) ? PORT + pick(drawn >> 8, 4) : 0));
    socklen_t length = how & 1 ? sizeof(in6) : sizeof(in);

    memset(at, 0, sizeof(*at));
    in.sin_port = in6.sin6_port = port;
    in.sin_addr.s_addr = htonl(hosts4[drawn % 4]);
    memcpy(&in6.sin6_addr, hosts6[drawn % 4], sizeof(in6.sin6_addr));
    if (how & 1)
        memcpy(at, &in6, sizeof(in6));
    else
        memcpy(at, &in, sizeof(in));
    if (rarely(how >> 4))
        at->ss_family = (sa_family_t)(how >> 8 & 1 ? AF_UNSPEC : AF_UNIX);
    if (rarely(how >> 12))
        length = pick(how >> 16, 4) ? pick(how >> 16, sizeof(*at) + 3) : (socklen_t)-1;
    return length;
}

/* For whoever reads the sequence. */
static void say_where(struct world *w, const struct sockaddr_storage *at, socklen_t length)
{
    char host[INET6_ADDRSTRLEN] = "?";
    struct outcome *o = &w->outcome;
    uint16_t port;

    if (at->ss_family == AF_INET)
        inet_ntop(AF_INET, (const char *)at + 4, host, sizeof(host));
    if (at->ss_family == AF_INET6)
        inet_ntop(AF_INET6, (const char *)at + 8, host, sizeof(host));
    memcpy(&port, (const char *)at + 2, sizeof(port));
    o->len += (size_t)snprintf(o->text + o->len, TOLD - o->len, " %s %d (%d)", host,
                               ntohs(port) > PORT + 10 ? 0 : ntohs(port), (int)length);
}

/* An IPv6 socket whose peer is IPv4's: AF_UNSPEC has the kernel look for him over IPv6. */
static void make_sendable(const struct draw *d, struct sockaddr_storage *at)
{
    if (at->ss_family == AF_UNSPEC && !(d->place & 1))
        at->ss_family = AF_UNIX;
}

/* --- the calls -------------------------------------------------------------------------------- */

static int type_of(struct world *w, int fd)
{
    int type = 0;
    socklen_t n = sizeof(type);

    (void)w->with.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n);
    return type;
}

static void made(struct world *w, int *place, int fd)
{
    static const int on = 1;

    say_result(w, fd < 0 ? fd : 0);
    if (fd < 0)
        return;
    if (*place != CLOSED)
        w->with.close(*place);
    *place = fd;
    if (type_of(w, fd) != SOCK_STREAM)
        return;
    w->with.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    w->with.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void call_socket(struct world *w, const struct draw *d)
{
    int domain = d->a[0] & 1 ? AF_INET6 : AF_INET, type = d->a[1] % 3 ? SOCK_STREAM : SOCK_DGRAM;

    say(w, domain == AF_INET ? "ip4" : "ip6", type);
    made(w, &w->fd[d->place], bsd_socket(&w->with, CLIENT, domain, type | SOCK_NONBLOCK, 0));
}

static void call_bind(struct world *w, const struct draw *d)
{
    struct sockaddr_storage at;
    socklen_t n = address_of(d->a[0], d->a[1], &at);

    say_where(w, &at, n);
    say_result(w, w->with.bind(w->fd[d->place], rarely(d->a[2]) ? NULL : ADDR(at), n));
}

static void call_listen(struct world *w, const struct draw *d)
{
    say_result(w, w->with.listen(w->fd[d->place], (int)pick(d->a[0], 6) - 1));
}

/* For a stream: see above. */
static void make_connectable(struct sockaddr_storage *at)
{
    uint16_t port;

    memcpy(&port, (char *)at + 2, sizeof(port));
    port = ntohs(port) >= PORT && ntohs(port) < PORT + 10 ? port : htons(PORT + 1);
    memcpy((char *)at + 2, &port, sizeof(port));
    if (at->ss_family == AF_UNSPEC)
        at->ss_family = AF_UNIX;
}

/* Often to whom one of the others is bound. An IPv6 socket for datagrams that changes its peer's
 * family is heard no more by the kernel: each keeps to one. */
static void call_connect(struct world *w, const struct draw *d)
{
    struct sockaddr_storage at;
    bool datagrams = type_of(w, w->fd[d->place]) == SOCK_DGRAM;
    uint32_t how = datagrams ? (d->a[1] & ~1u) | (d->place & 1) : d->a[1];
    socklen_t n = address_of(datagrams ? d->a[0] & ~2u : d->a[0], how, &at), own = sizeof(at);

    if (d->a[2] & 1 && !datagrams && !w->with.getsockname(w->fd[d->other], ADDR(at), &own))
        n = own;
    if (!datagrams)
        make_connectable(&at);
    say_where(w, &at, n);
    say_result(w, w->with.connect(w->fd[d->place], rarely(d->a[3]) ? NULL : ADDR(at), n));
}

static void call_accept(struct world *w, const struct draw *d)
{
    struct sockaddr_storage from = {0};
    socklen_t n = rarely(d->a[0]) ? pick(d->a[1], 40) : sizeof(from);
    int flags = SOCK_NONBLOCK | (rarely(d->a[3]) ? 0x100 : 0);
    int fd = w->with.accept4(w->fd[d->place], d->a[2] & 1 ? ADDR(from) : NULL, &n, flags);

    if (fd >= 0 && d->a[2] & 1)
        say_address(w, &from, n);
    made(w, &w->fd[d->other], fd);
}

static void call_close(struct world *w, const struct draw *d)
{
    say_result(w, w->with.close(w->fd[d->place]));
    w->fd[d->place] = CLOSED;
}

static void call_shutdown(struct world *w, const struct draw *d)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof(info);

    w->with.getsockopt(w->fd[d->place], IPPROTO_TCP, TCP_INFO, &info, &n);
    if (info.tcpi_state == TCP_CLOSE)
        return;
    say_result(w, w->with.shutdown(w->fd[d->place], rarely(d->a[0]) ? 3 : (int)pick(d->a[1], 3)));
}

static void call_name(struct world *w, const struct draw *d)
{
    struct sockaddr_storage at = {0};
    socklen_t n = rarely(d->a[0]) ? (socklen_t)(pick(d->a[1], 40) - 2) : sizeof(at);
    void *to = rarely(d->a[2]) ? NULL : &at;
    int fd = w->fd[d->place];
    int result = d->a[3] & 1 ? w->with.getsockname(fd, to, &n) : w->with.getpeername(fd, to, &n);

    say_result(w, result);
    if (result == 0)
        say_address(w, &at, n);
}

static int send_flags(uint32_t drawn)
{
    static const int flags[] = {0,       0,          0, MSG_OOB, MSG_DONTWAIT, MSG_DONTROUTE,
                                MSG_EOR, MSG_CONFIRM};

    return flags[drawn % 8] | MSG_NOSIGNAL;
}

static int recv_flags(uint32_t drawn)
{
    static const int flags[] = {0,           0,       MSG_PEEK,     MSG_TRUNC,
                                MSG_WAITALL, MSG_OOB, MSG_ERRQUEUE, MSG_PEEK | MSG_TRUNC};

    return flags[drawn % 8] | (drawn & 64 ? MSG_DONTWAIT : 0);
}

#define BYTES 2000

static void call_send(struct world *w, const struct draw *d)
{
    static const char bytes[BYTES] = "the same in both";
    struct sockaddr_storage to;
    socklen_t n = address_of(d->a[0], d->a[1], &to), own = sizeof(to);
    bool named = d->a[2] & 1;

    if (d->a[2] & 2 && w->with.getsockname(w->fd[d->other], ADDR(to), &own) == 0)
        n = own;
    make_sendable(d, &to);
    if (named)
        say_where(w, &to, n);
    say_result(w, w->with.sendto(w->fd[d->place], rarely(d->a[3]) ? NULL : bytes,
                                 pick(d->a[4], d->a[5] & 1 ? BYTES : 4), send_flags(d->a[6]),
                                 named ? ADDR(to) : NULL, named ? n : 0));
}

static void call_recv(struct world *w, const struct draw *d)
{
    static char bytes[BYTES];
    struct sockaddr_storage from = {0};
    socklen_t n = rarely(d->a[0]) ? pick(d->a[1], 40) : sizeof(from);
    size_t room = pick(d->a[2], d->a[3] & 1 ? BYTES : 4);
    bool named = d->a[4] & 1;
    ssize_t got = w->with.recvfrom(w->fd[d->place], rarely(d->a[5]) ? NULL : bytes, room,
                                   recv_flags(d->a[6]), named ? ADDR(from) : NULL, &n);

    say_result(w, got);
    if (got > 0 && !rarely(d->a[5]))
        say_bytes(w, bytes, (size_t)got < room ? (size_t)got : room);
    if (got >= 0 && named)
        say_address(w, &from, n);
}

static void call_recvmsg(struct world *w, const struct draw *d)
{
    static char bytes[BYTES];
    char about[64];
    struct sockaddr_storage from = {0};
    size_t room = pick(d->a[2], d->a[3] & 1 ? BYTES : 4);
    struct iovec parts[2] = {{bytes, room / 2}, {bytes + room / 2, room - room / 2}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = rarely(d->a[0]) ? 2000 : 2};
    ssize_t got;

    message.msg_name = d->a[4] & 1 ? &from : NULL;
    message.msg_namelen = sizeof(from);
    message.msg_control = about;
    message.msg_controllen = d->a[5] & 1 ? sizeof(about) : 0;
    got = w->with.recvmsg(w->fd[d->place], &message, recv_flags(d->a[6]));
    say_result(w, got);
    if (got < 0)
        return;
    say(w, "flags", message.msg_flags);
    say(w, "control", (long)message.msg_controllen);
    say_bytes(w, bytes, (size_t)got < room ? (size_t)got : room);
    if (message.msg_name)
        say_address(w, &from, message.msg_namelen);
}

static void call_sendmsg(struct world *w, const struct draw *d)
{
    static char bytes[BYTES] = "of several pieces";
    struct sockaddr_storage to;
    struct iovec parts[2] = {{bytes, pick(d->a[4], 30)}, {bytes + 30, pick(d->a[5], 30)}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = rarely(d->a[3]) ? 1025 : 2};

    message.msg_namelen = address_of(d->a[0], d->a[1], &to);
    message.msg_name = d->a[2] & 1 ? &to : NULL;
    make_sendable(d, &to);
    if (message.msg_name)
        say_where(w, &to, message.msg_namelen);
    if (rarely(d->a[7]))
        parts[1].iov_base = NULL;
    say_result(w, w->with.sendmsg(w->fd[d->place], &message, send_flags(d->a[6])));
}

static void call_read(struct world *w, const struct draw *d)
{
    static char bytes[BYTES];
    size_t room = pick(d->a[0], 40);
    ssize_t n = w->with.read(w->fd[d->place], bytes, room);

    say_result(w, n);
    if (n > 0)
        say_bytes(w, bytes, (size_t)n);
}

static void call_write(struct world *w, const struct draw *d)
{
    say_result(w, w->with.write(w->fd[d->place], "written", pick(d->a[0], 8)));
}

static void call_control(struct world *w, const struct draw *d)
{
    static const unsigned long requests[] = {FIONREAD, SIOCOUTQ, SIOCATMARK, FIONBIO, 0x8999};
    int value = 1, which = (int)pick(d->a[0], 7), fd = w->fd[d->place];

    if (which == 5)
        say_result(w, w->with.fcntl(fd, F_GETFL));
    if (which == 6)
        say_result(w, w->with.fcntl(fd, F_SETFL, O_NONBLOCK));
    if (which >= 5)
        return;
    say_result(w, w->with.ioctl(fd, requests[which], &value));
    if (which != 1) /* when what was sent is acknowledged, is a matter of time */
        say(w, "value", value);
}

/* Those that change nothing of what is compared here, or the same in both. */
static const struct {
    int level, name;
} options[] = {
    {SOL_SOCKET, SO_ERROR},
    {SOL_SOCKET, SO_ERROR},
    {SOL_SOCKET, SO_REUSEPORT},
    {SOL_SOCKET, SO_TYPE},
    {SOL_SOCKET, SO_ACCEPTCONN},
    {SOL_SOCKET, SO_KEEPALIVE},
    {SOL_SOCKET, SO_BROADCAST},
    {SOL_SOCKET, SO_OOBINLINE},
    {SOL_SOCKET, SO_PROTOCOL},
    {SOL_SOCKET, SO_DOMAIN},
    {SOL_SOCKET, SO_RCVTIMEO},
    {SOL_SOCKET, SO_SNDLOWAT},
    {SOL_SOCKET, 12345},
    {IPPROTO_TCP, TCP_NODELAY},
    {IPPROTO_TCP, TCP_KEEPIDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT},
    {IPPROTO_TCP, TCP_SYNCNT},
    {IPPROTO_TCP, TCP_LINGER2},
    {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_TCP, 12345},
    {IPPROTO_IP, IP_TOS},
    {IPPROTO_IP, IP_TTL},
    {IPPROTO_IP, IP_PKTINFO},
    {IPPROTO_IP, IP_RECVTTL},
    {IPPROTO_IP, IP_RECVTOS},
    {IPPROTO_IP, IP_MTU_DISCOVER},
    {IPPROTO_IPV6, IPV6_V6ONLY},
    {IPPROTO_IPV6, IPV6_TCLASS},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER},
    {12345, 1},
};

#define OPTIONS (sizeof(options) / sizeof(*options))

static void call_getsockopt(struct world *w, const struct draw *d)
{
    uint32_t i = pick(d->a[0], OPTIONS);
    char value[64] = "";
    socklen_t n = rarely(d->a[1]) ? (socklen_t)(pick(d->a[2], 20) - 1) : sizeof(int);
    int result = w->with.getsockopt(w->fd[d->place], options[i].level, options[i].name,
                                    rarely(d->a[3]) ? NULL : value, rarely(d->a[4]) ? NULL : &n);

    say(w, "option", options[i].level * 100 + options[i].name);
    say_result(w, result);
    if (result == 0)
        say(w, "length", n);
    if (result == 0)
        say_bytes(w, value, sizeof(value));
}

static void call_setsockopt(struct world *w, const struct draw *d)
{
    uint32_t i = pick(d->a[0], OPTIONS);
    struct timeval none = {0};
    int value = (int)pick(d->a[1], 6) - 1;
    bool time = options[i].name == SO_RCVTIMEO && options[i].level == SOL_SOCKET;
    socklen_t n = rarely(d->a[2]) ? (socklen_t)(pick(d->a[3], 20) - 1)
                                  : (socklen_t)(time ? sizeof(none) : sizeof(value));
    const void *from = time ? (void *)&none : (void *)&value;

    if (n > 16 && n < 100)
        n = 4;
    say(w, "option", options[i].level * 100 + options[i].name);
    say_result(w, w->with.setsockopt(w->fd[d->place], options[i].level, options[i].name,
                                     rarely(d->a[4]) || n > sizeof(value) ? NULL : from, n));
}

/* Without a time: reset, or nothing. */
static void call_linger(struct world *w, const struct draw *d)
{
    const struct linger linger = {(int)(d->a[0] & 1), 0};

    say_result(w,
               w->with.setsockopt(w->fd[d->place], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}

static const struct {
    const char *name;
    void (*make)(struct world *, const struct draw *);
    unsigned often;
} calls[] = {
    {"socket", call_socket, 4},
    {"bind", call_bind, 4},
    {"listen", call_listen, 3},
    {"connect", call_connect, 5},
    {"accept", call_accept, 4},
    {"close", call_close, 1},
    {"shutdown", call_shutdown, 2},
    {"name", call_name, 2},
    {"send", call_send, 4},
    {"recv", call_recv, 4},
    {"sendmsg", call_sendmsg, 2},
    {"recvmsg", call_recvmsg, 2},
    {"read", call_read, 2},
    {"write", call_write, 2},
    {"control", call_control, 2},
    {"getsockopt", call_getsockopt, 3},
    {"setsockopt", call_setsockopt, 3},
    {"linger", call_linger, 1},
};

static unsigned which_call(uint32_t drawn)
{
    unsigned all = 0, i;

    for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        all += calls[i].often;
    drawn %= all;
    for (i = 0; drawn >= calls[i].often; i++)
        drawn -= calls[i].often;
    return i;
}

/* --- both worlds ------------------------------------------------------------------------------ */

static uint32_t draw_one(struct chance *c)
{
    return random_below(&c->draws.base, UINT32_MAX);
}

/* What there is on the loopback, until nothing is. */
static void turn(struct chance *c)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    int n;

    c->now += TLSYN_MS(1);
    do {
        struct tlsyn_stack *stack = tlsyn_net_lock(c->ours.with.net[CLIENT]);

        n = tlsyn_link_receive(c->loopback, frames, TLSYN_LINK_BATCH, c->now);
        for (int i = 0; i < n; i++)
            (void)tlsyn_stack_input(stack, c->iface, &frames[i], c->now);
        tlsyn_net_unlock(c->ours.with.net[CLIENT]);
        tlsyn_net_turn(c->ours.with.net[CLIENT]);
    } while (n > 0);
}

/* What poll(2) says of each socket, and how much there is to be read. */
static void look(struct world *w)
{
    w->outcome = (struct outcome){.len = 0};
    for (int i = 0; i < PLACES; i++) {
        struct pollfd p = {.fd = w->fd[i], .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
        int readable = -1;

        if (w->fd[i] == CLOSED)
            continue;
        w->with.poll(&p, 1, 0);
        w->with.ioctl(w->fd[i], FIONREAD, &readable);
        if (type_of(w, w->fd[i]) == SOCK_DGRAM && p.revents & POLLERR)
            p.revents = (short)((p.revents | POLLIN) & ~POLLERR);
        if (p.revents & POLLPRI)
            p.revents |= POLLIN;
        say(w, "poll", p.revents);
        say(w, "has", readable);
    }
}

static void tell(const struct chance *c, uint64_t seed, int calls_made, const char *when)
{
    fprintf(stderr, "seed %llu, %s:\n", (unsigned long long)seed, when);
    for (int i = 0; i <= calls_made && i < CALLS; i++)
        fprintf(stderr, "  %s\n", c->history[i]);
    fprintf(stderr, "the kernel %s\nours       %s\n\n", c->kernel.outcome.text,
            c->ours.outcome.text);
}

static bool agree(const struct chance *c)
{
    return strcmp(c->kernel.outcome.text, c->ours.outcome.text) == 0;
}

/* The kernel may take a while until all has arrived. */
static bool look_the_same(struct chance *c)
{
    turn(c);
    for (int ms = 0; ms < 500; ms++) {
        look(&c->kernel);
        look(&c->ours);
        if (agree(c))
            return true;
        (void)usleep(1000);
    }
    return false;
}

static bool step(struct chance *c, uint64_t seed, int i)
{
    struct draw d = {.call = which_call(draw_one(c)), .place = draw_one(c) % PLACES};
    const char *name;

    if (i < PLACES / 2) { /* first of all there are some */
        d.call = 0;
        d.place = (unsigned)i;
    }
    name = calls[d.call].name;
    d.other = draw_one(c) % PLACES;
    for (size_t k = 0; k < sizeof(d.a) / sizeof(*d.a); k++)
        d.a[k] = draw_one(c);
    c->kernel.outcome = c->ours.outcome = (struct outcome){.len = 0};
    calls[d.call].make(&c->kernel, &d);
    calls[d.call].make(&c->ours, &d);
    (void)snprintf(c->history[i], TOLD, "%s %u %u:%.400s", name, d.place, d.other,
                   c->kernel.outcome.text);
    if (!agree(c)) {
        tell(c, seed, i, "after this call");
        return false;
    }
    if (!look_the_same(c)) {
        tell(c, seed, i, "what all the sockets show");
        return false;
    }
    return true;
}

static void open_ours(struct chance *c, uint64_t seed)
{
    const uint8_t home[] = {127, 0, 0, 1};
    const struct tlsyn_addr home4 = tlsyn_addr_ip4(home), home6 = {{[15] = 1}};
    const struct tlsyn_stack_options birth = {.now = c->now, .random = &c->random.base};
    struct tlsyn_net_options net = {.clock = &c->clock, .hidden = true};

    random_seed(&c->random, seed);
    c->stack = tlsyn_stack_new(&birth);
    ck_assert_ptr_nonnull(c->stack);
    ck_assert_int_eq(tlsyn_loopback_open(&c->loopback), 0);
    ck_assert_int_eq(tlsyn_iface_add(c->stack, c->loopback, &c->iface), 0);
    ck_assert_int_eq(tlsyn_iface_address(c->iface, &home4, 8), 0);
    ck_assert_int_eq(tlsyn_iface_address(c->iface, &home6, 128), 0);
    net.stack = c->stack;
    bsd_calls(&c->ours.with);
    ck_assert_int_eq(tlsyn_net_open(&net, &c->ours.with.net[CLIENT]), 0);
}

static void close_all(struct chance *c)
{
    const struct linger at_once = {1, 0};
    struct world *worlds[] = {&c->kernel, &c->ours};

    for (int i = 0; i < 2 * PLACES; i++) {
        struct world *w = worlds[i / PLACES];
        int fd = w->fd[i % PLACES];

        if (fd == CLOSED)
            continue;
        w->with.setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        w->with.close(fd);
    }
    turn(c);
    tlsyn_net_close(c->ours.with.net[CLIENT]);
    tlsyn_stack_free(c->stack);
    tlsyn_link_close(c->loopback);
}

static bool run(uint64_t seed)
{
    static struct chance c;
    bool same = true;

    c = (struct chance){.clock = {now}, .now = BIRTH};
    for (int i = 0; i < PLACES; i++)
        c.kernel.fd[i] = c.ours.fd[i] = CLOSED;
    bsd_kernel(&c.kernel.with);
    open_ours(&c, seed);
    random_seed(&c.draws, seed);
    for (int i = 0; i < CALLS && same; i++)
        same = step(&c, seed, i);
    close_all(&c);
    return same;
}

/* A namespace of our own, with no TIME-WAIT. */
static bool at_home(void)
{
    int nl, fd;

    if (!test_namespace())
        return false;
    nl = netlink_open();
    ck_assert_int_eq(veth_up(nl, "lo", 0), 0);
    close(nl);
    fd = open("/proc/sys/net/ipv4/tcp_max_tw_buckets", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) {
        printf("skipped: TIME-WAIT cannot be switched off: %s\n", strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

START_TEST(any_sequence_of_calls_as_on_linux)
{
    const char *more = getenv("CHANCE"); /* so many sequences instead: to search */
    uint64_t count = more ? strtoull(more, NULL, 10) : SEQUENCES, differ = 0;

    if (!at_home())
        return;
    (void)signal(SIGPIPE, SIG_IGN);
    for (uint64_t i = 0; i < count; i++)
        differ += !run((uint64_t)_i * count + i + 1);
    ck_assert_uint_eq(differ, 0);
}
END_TEST

Suite *socket_chance_suite(void);

Suite *socket_chance_suite(void)
{
    Suite *suite = suite_create("socket_chance");
    TCase *chance = tcase_create("chance");

    tcase_set_timeout(chance, 300);
    tcase_add_loop_test(chance, any_sequence_of_calls_as_on_linux, 0, LOOPS);
    suite_add_tcase(suite, chance);
    return suite;
}
