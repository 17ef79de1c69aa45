/*
 * support/chance_options.c: see chance.h: options of sockets, set and got.
 */
#include "support/chance.h"

#include <netinet/tcp.h>
#include <sys/time.h>

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

void chance_getsockopt(struct world *w, const struct draw *d)
{
    uint32_t i = chance_pick(d->a[0], OPTIONS);
    char value[64] = "";
    socklen_t n = chance_rarely(d->a[1]) ? (socklen_t)(chance_pick(d->a[2], 20) - 1) : sizeof(int);
    int result = w->with.getsockopt(w->fd[d->place], options[i].level, options[i].name,
                                    chance_rarely(d->a[3]) ? NULL : value,
                                    chance_rarely(d->a[4]) ? NULL : &n);

    outcome_say(w, "option", options[i].level * 100 + options[i].name);
    outcome_say_result(w, result);
    if (result == 0)
        outcome_say(w, "length", n);
    if (result == 0)
        outcome_say_bytes(w, value, sizeof(value));
}

void chance_setsockopt(struct world *w, const struct draw *d)
{
    uint32_t i = chance_pick(d->a[0], OPTIONS);
    struct timeval none = {0};
    int value = (int)chance_pick(d->a[1], 6) - 1;
    bool time = options[i].name == SO_RCVTIMEO && options[i].level == SOL_SOCKET;
    socklen_t n = chance_rarely(d->a[2]) ? (socklen_t)(chance_pick(d->a[3], 20) - 1)
                                         : (socklen_t)(time ? sizeof(none) : sizeof(value));
    const void *from = time ? (void *)&none : (void *)&value;

    if (n > 16 && n < 100)
        n = 4;
    outcome_say(w, "option", options[i].level * 100 + options[i].name);
    outcome_say_result(
        w, w->with.setsockopt(w->fd[d->place], options[i].level, options[i].name,
                              chance_rarely(d->a[4]) || n > sizeof(value) ? NULL : from, n));
}

/* Without a time: reset, or nothing. */
void chance_linger(struct world *w, const struct draw *d)
{
    const struct linger linger = {(int)(d->a[0] & 1), 0};

    outcome_say_result(
        w, w->with.setsockopt(w->fd[d->place], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}
