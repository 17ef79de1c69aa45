/*
 * support/chance_calls.c: see chance.h.
 */
#include "support/chance.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>

#define BYTES 2000

/* --- outcomes --------------------------------------------------------------------------------- */

void outcome_say(struct world *w, const char *what, long value)
{
    struct outcome *o = &w->outcome;

    o->len += (size_t)snprintf(o->text + o->len, CHANCE_TOLD - o->len, " %s=%ld", what, value);
    ck_assert_uint_lt(o->len, CHANCE_TOLD);
}

void outcome_say_result(struct world *w, long result)
{
    outcome_say(w, result < 0 ? strerrorname_np(errno) : "result", result);
}

void outcome_say_bytes(struct world *w, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + at[i];
    outcome_say(w, "bytes", (long)sum);
}

static void say_address(struct world *w, const union chance_address *at, socklen_t length)
{
    union chance_address copy = *at;

    apart_address(&copy);
    outcome_say(w, "length", length);
    outcome_say_bytes(w, &copy, length < sizeof(copy) ? length : sizeof(copy));
}

/* --- what is drawn ---------------------------------------------------------------------------- */

uint32_t chance_pick(uint32_t drawn, uint32_t n)
{
    return drawn % n;
}

bool chance_rarely(uint32_t drawn)
{
    return drawn % 16 == 7;
}

static void draw_host(uint32_t drawn, uint32_t how, union chance_address *at)
{
    static const char *const hosts6[] = {
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"};
    static const uint32_t hosts4[] = {0x7f000001, 0x7f000001, 0, 0xc0000201};
    uint16_t drawn_port = (uint16_t)(CHANCE_PORT + chance_pick(drawn >> 8, 4));
    uint16_t port = htons(chance_pick(drawn >> 8, 8) ? drawn_port : 0);

    memset(at, 0, sizeof(*at));
    if (how & 1) {
        at->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        memcpy(&at->in6.sin6_addr, hosts6[drawn % 4], sizeof(at->in6.sin6_addr));
    } else {
        at->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
        at->in.sin_addr.s_addr = htonl(hosts4[drawn % 4]);
    }
}

/* Mostly a right one; how long it is said to be. */
static socklen_t draw_address(uint32_t drawn, uint32_t how, union chance_address *at)
{
    draw_host(drawn, how, at);
    if (chance_rarely(how >> 4))
        at->any.sa_family = (sa_family_t)(how >> 8 & 1 ? AF_UNSPEC : AF_UNIX);
    if (!chance_rarely(how >> 12))
        return how & 1 ? sizeof(at->in6) : sizeof(at->in);
    return chance_pick(how >> 16, 4) ? chance_pick(how >> 16, sizeof(at->storage) + 3) : UINT32_MAX;
}

/* Where another socket is. */
static void draw_own(struct world *w, const struct draw *d, union chance_address *at, socklen_t *n)
{
    socklen_t own = sizeof(*at);

    if (w->with.getsockname(w->fd[d->other], &at->any, &own) == 0)
        *n = own;
}

/* For whoever reads the sequence. */
static void say_where(struct world *w, const union chance_address *at, socklen_t length)
{
    char host[INET6_ADDRSTRLEN] = "?";
    struct outcome *o = &w->outcome;
    union chance_address copy = *at;

    apart_address(&copy);
    if (at->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &at->in.sin_addr, host, sizeof(host));
    if (at->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &at->in6.sin6_addr, host, sizeof(host));
    o->len += (size_t)snprintf(o->text + o->len, CHANCE_TOLD - o->len, " %s %d (%d)", host,
                               ntohs(copy.in.sin_port), (int)length);
}

/* --- the calls -------------------------------------------------------------------------------- */

static void made(struct world *w, int *place, int fd)
{
    static const int on = 1;

    outcome_say_result(w, fd < 0 ? fd : 0);
    if (fd < 0)
        return;
    if (*place != CHANCE_CLOSED)
        w->with.close(*place);
    *place = fd;
    if (chance_type(w, fd) != SOCK_STREAM)
        return;
    w->with.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    w->with.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void call_socket(struct world *w, const struct draw *d)
{
    int domain = d->a[0] & 1 ? AF_INET6 : AF_INET, type = d->a[1] % 3 ? SOCK_STREAM : SOCK_DGRAM;

    outcome_say(w, domain == AF_INET ? "ip4" : "ip6", type);
    made(w, &w->fd[d->place], bsd_socket(&w->with, CLIENT, domain, type | SOCK_NONBLOCK, 0));
}

static void call_bind(struct world *w, const struct draw *d)
{
    union chance_address at;
    socklen_t n = draw_address(d->a[0], d->a[1], &at);

    say_where(w, &at, n);
    outcome_say_result(w,
                       w->with.bind(w->fd[d->place], chance_rarely(d->a[2]) ? NULL : &at.any, n));
}

static void call_listen(struct world *w, const struct draw *d)
{
    outcome_say_result(w, w->with.listen(w->fd[d->place], (int)chance_pick(d->a[0], 6) - 1));
}

/* Often to where one of the others is bound. */
static void call_connect(struct world *w, const struct draw *d)
{
    union chance_address at;
    socklen_t n = draw_address(d->a[0], d->a[1], &at);

    if (d->a[2] & 1 && chance_type(w, w->fd[d->place]) == SOCK_STREAM)
        draw_own(w, d, &at, &n);
    apart_connect(w, d, &at);
    say_where(w, &at, n);
    outcome_say_result(
        w, w->with.connect(w->fd[d->place], chance_rarely(d->a[3]) ? NULL : &at.any, n));
}

static void call_accept(struct world *w, const struct draw *d)
{
    union chance_address from = {0};
    socklen_t n = chance_rarely(d->a[0]) ? chance_pick(d->a[1], 40) : sizeof(from.storage);
    int flags = SOCK_NONBLOCK | (chance_rarely(d->a[3]) ? 0x100 : 0);
    int fd = w->with.accept4(w->fd[d->place], d->a[2] & 1 ? &from.any : NULL, &n, flags);

    if (fd >= 0 && d->a[2] & 1)
        say_address(w, &from, n);
    made(w, &w->fd[d->other], fd);
}

static void call_close(struct world *w, const struct draw *d)
{
    outcome_say_result(w, w->with.close(w->fd[d->place]));
    w->fd[d->place] = CHANCE_CLOSED;
}

static void call_shutdown(struct world *w, const struct draw *d)
{
    if (apart_shutdown(w, w->fd[d->place]))
        return;
    outcome_say_result(w,
                       w->with.shutdown(w->fd[d->place],
                                        chance_rarely(d->a[0]) ? 3 : (int)chance_pick(d->a[1], 3)));
}

static void call_name(struct world *w, const struct draw *d)
{
    union chance_address at = {0};
    socklen_t n =
        chance_rarely(d->a[0]) ? (socklen_t)(chance_pick(d->a[1], 40) - 2) : sizeof(at.storage);
    void *to = chance_rarely(d->a[2]) ? NULL : &at;
    int fd = w->fd[d->place];
    int result = d->a[3] & 1 ? w->with.getsockname(fd, to, &n) : w->with.getpeername(fd, to, &n);

    outcome_say_result(w, result);
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

static void call_send(struct world *w, const struct draw *d)
{
    static const char bytes[BYTES] = "the same in both";
    union chance_address to;
    socklen_t n = draw_address(d->a[0], d->a[1], &to);
    bool named = d->a[2] & 1;

    if (d->a[2] & 2)
        draw_own(w, d, &to, &n);
    apart_send(d, &to);
    if (named)
        say_where(w, &to, n);
    outcome_say_result(w,
                       w->with.sendto(w->fd[d->place], chance_rarely(d->a[3]) ? NULL : bytes,
                                      chance_pick(d->a[4], d->a[5] & 1 ? BYTES : 4),
                                      send_flags(d->a[6]), named ? &to.any : NULL, named ? n : 0));
}

static void call_recv(struct world *w, const struct draw *d)
{
    static char bytes[BYTES];
    union chance_address from = {0};
    socklen_t n = chance_rarely(d->a[0]) ? chance_pick(d->a[1], 40) : sizeof(from.storage);
    size_t room = chance_pick(d->a[2], d->a[3] & 1 ? BYTES : 4);
    bool named = d->a[4] & 1;
    ssize_t got = w->with.recvfrom(w->fd[d->place], chance_rarely(d->a[5]) ? NULL : bytes, room,
                                   recv_flags(d->a[6]), named ? &from.any : NULL, &n);

    outcome_say_result(w, got);
    if (got > 0 && !chance_rarely(d->a[5]))
        outcome_say_bytes(w, bytes, (size_t)got < room ? (size_t)got : room);
    if (got >= 0 && named)
        say_address(w, &from, n);
}

static void call_recvmsg(struct world *w, const struct draw *d)
{
    static char bytes[BYTES];
    char about[64];
    union chance_address from = {0};
    size_t room = chance_pick(d->a[2], d->a[3] & 1 ? BYTES : 4);
    struct iovec parts[2] = {{bytes, room / 2}, {bytes + room / 2, room - room / 2}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = chance_rarely(d->a[0]) ? 2000 : 2};
    ssize_t got;

    message.msg_name = d->a[4] & 1 ? &from : NULL;
    message.msg_namelen = sizeof(from.storage);
    message.msg_control = about;
    message.msg_controllen = d->a[5] & 1 ? sizeof(about) : 0;
    got = w->with.recvmsg(w->fd[d->place], &message, recv_flags(d->a[6]));
    outcome_say_result(w, got);
    if (got < 0)
        return;
    outcome_say(w, "flags", message.msg_flags);
    outcome_say(w, "control", (long)message.msg_controllen);
    outcome_say_bytes(w, bytes, (size_t)got < room ? (size_t)got : room);
    if (message.msg_name)
        say_address(w, &from, message.msg_namelen);
}

static void call_sendmsg(struct world *w, const struct draw *d)
{
    static char bytes[BYTES] = "of several pieces";
    union chance_address to;
    struct iovec parts[2] = {{bytes, chance_pick(d->a[4], 30)},
                             {bytes + 30, chance_pick(d->a[5], 30)}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = chance_rarely(d->a[3]) ? 1025 : 2};

    message.msg_namelen = draw_address(d->a[0], d->a[1], &to);
    message.msg_name = d->a[2] & 1 ? &to : NULL;
    apart_send(d, &to);
    if (message.msg_name)
        say_where(w, &to, message.msg_namelen);
    if (chance_rarely(d->a[7]))
        parts[1].iov_base = NULL;
    outcome_say_result(w, w->with.sendmsg(w->fd[d->place], &message, send_flags(d->a[6])));
}

static void call_read(struct world *w, const struct draw *d)
{
    static char bytes[BYTES];
    size_t room = chance_pick(d->a[0], 40);
    ssize_t n = w->with.read(w->fd[d->place], bytes, room);

    outcome_say_result(w, n);
    if (n > 0)
        outcome_say_bytes(w, bytes, (size_t)n);
}

static void call_write(struct world *w, const struct draw *d)
{
    outcome_say_result(w, w->with.write(w->fd[d->place], "written", chance_pick(d->a[0], 8)));
}

static void call_control(struct world *w, const struct draw *d)
{
    static const unsigned long requests[] = {FIONREAD, SIOCOUTQ, SIOCATMARK, FIONBIO, 0x8999};
    int value = 1, which = (int)chance_pick(d->a[0], 7), fd = w->fd[d->place];

    if (which == 5)
        outcome_say_result(w, w->with.fcntl(fd, F_GETFL));
    if (which == 6)
        outcome_say_result(w, w->with.fcntl(fd, F_SETFL, O_NONBLOCK));
    if (which >= 5)
        return;
    outcome_say_result(w, w->with.ioctl(fd, requests[which], &value));
    if (which != 1) /* when what was sent is acknowledged, is a matter of time */
        outcome_say(w, "value", value);
}

static const struct chance_call calls[] = {
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
    {"getsockopt", chance_getsockopt, 3},
    {"setsockopt", chance_setsockopt, 3},
    {"linger", chance_linger, 1},
};

const struct chance_call *chance_call(uint32_t drawn)
{
    unsigned all = 0;
    const struct chance_call *call;

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        all += calls[i].often;
    drawn %= all;
    for (call = calls; drawn >= call->often; call++)
        drawn -= call->often;
    return call;
}

const struct chance_call *chance_call_socket(void)
{
    return calls;
}

void chance_look(struct world *w)
{
    w->outcome = (struct outcome){.len = 0};
    for (int i = 0; i < CHANCE_PLACES; i++) {
        struct pollfd p = {.fd = w->fd[i], .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
        int readable = -1;

        if (w->fd[i] == CHANCE_CLOSED)
            continue;
        (void)w->with.poll(&p, 1, 0);
        (void)w->with.ioctl(w->fd[i], FIONREAD, &readable);
        outcome_say(w, "poll", apart_poll(chance_type(w, w->fd[i]), p.revents));
        outcome_say(w, "has", readable);
    }
}
