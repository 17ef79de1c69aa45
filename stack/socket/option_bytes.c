/*
 * socket/option_bytes.c: the options that are more, or other, than one int.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/time.h>

#include "socket/datagram.h"
#include "socket/option.h"
#include "socket/stream.h"

#define MTU6_LEAST 1280 /* RFC 8200 5 */

/* --- set -------------------------------------------------------------------------------------- */

static int set_linger(struct sock *sock, const void *value, socklen_t length)
{
    struct linger linger;

    if (length < sizeof(linger))
        return -EINVAL;
    memcpy(&linger, value, sizeof(linger));
    sock->options.linger_on = linger.l_onoff != 0;
    if (linger.l_onoff)
        sock->options.linger_seconds = linger.l_linger;
    return 0;
}

static int take_timeout(tlsyn_time *timeout, const void *value, socklen_t length)
{
    struct timeval given;

    if (length < sizeof(given))
        return -EINVAL;
    memcpy(&given, value, sizeof(given));
    if (given.tv_usec < 0 || given.tv_usec >= 1000000)
        return -EDOM;
    if (given.tv_sec < 0)
        *timeout = -1; /* no patience at all */
    else if (given.tv_sec >= INT32_MAX)
        *timeout = 0;
    else
        *timeout = TLSYN_SECONDS(given.tv_sec) + given.tv_usec;
    return 0;
}

static int set_rcv_timeout(struct sock *sock, const void *value, socklen_t length)
{
    return take_timeout(&sock->options.rcv_timeout, value, length);
}

static int set_snd_timeout(struct sock *sock, const void *value, socklen_t length)
{
    return take_timeout(&sock->options.snd_timeout, value, length);
}

/* Linux calls it "reno". */
static int set_controller(struct sock *sock, const void *value, socklen_t length)
{
    char name[sizeof(sock->options.controller)] = "";
    const char *known;

    if (length < 1)
        return -EINVAL;
    memcpy(name, value, length < sizeof(name) - 1 ? length : sizeof(name) - 1);
    known = tlsyn_controller_name(strcmp(name, "reno") == 0 ? "newreno" : name);
    if (!*name || !known || strlen(known) >= sizeof(name))
        return -ENOENT;
    memcpy(sock->options.controller, known, strlen(known) + 1);
    sock->ops->apply(sock);
    return 0;
}

/* One key, or one and the one before it. */
static int set_cookie_keys(struct sock *sock, const void *value, socklen_t length)
{
    struct sock_options *o = &sock->options;

    if (length != TLSYN_COOKIE_KEY && length != sizeof(o->cookie_key))
        return -EINVAL;
    memcpy(o->cookie_key, value, length);
    o->cookie_keys = (int)(length / TLSYN_COOKIE_KEY);
    if (sock->stream.listener)
        tlsyn_listener_cookie_keys(sock->stream.listener,
                                   (const uint8_t(*)[TLSYN_COOKIE_KEY])o->cookie_key,
                                   o->cookie_keys);
    return 0;
}

/* The longest that a datagram, or a fragment of one, is to be; 0: no such wish. */
static int set_mtu6(struct sock *sock, const void *value, socklen_t length)
{
    int mtu;

    if (length < sizeof(mtu))
        return -EINVAL;
    memcpy(&mtu, value, sizeof(mtu));
    if (mtu && mtu < MTU6_LEAST)
        return -EINVAL;
    sock->options.mtu6 = mtu;
    sock->ops->apply(sock);
    return 0;
}

/* Linux's order: a struct ip_mreqn, an ip_mreq, the address alone. */
static int set_group_interface(struct sock *sock, const void *value, socklen_t length)
{
    struct ip_mreqn asked = {.imr_ifindex = 0};
    const struct in_addr *source = &asked.imr_address;
    uint8_t octets[4];
    struct tlsyn_addr address;
    bool ours;

    if (sock->type == SOCK_STREAM || length < sizeof(asked.imr_address))
        return -EINVAL;
    if (length >= sizeof(struct ip_mreq))
        memcpy(&asked, value, length < sizeof(asked) ? sizeof(struct ip_mreq) : sizeof(asked));
    else
        memcpy(&asked.imr_address, value, sizeof(asked.imr_address));
    memcpy(octets, source, sizeof(octets));
    address = tlsyn_addr_ip4(octets);
    if (asked.imr_ifindex)
        ours = asked.imr_ifindex == sock->net->interface_index;
    else
        ours = source->s_addr == INADDR_ANY || tlsyn_stack_owns(sock->net->stack, &address);
    if (!ours)
        return -EADDRNOTAVAIL;
    sock->options.group_source = *source;
    return 0;
}

/* A source route (RFC 791 3.1), and of what else an IPv4 header may carry nothing. */
static int set_ip_options(struct sock *sock, const void *value, socklen_t length)
{
    struct sock_options *o = &sock->options;
    struct tlsyn_source_route route;

    if (length > sizeof(o->ip_options) ||
        (length > 0 && tlsyn_source_route_read(value, length, &route) < 0))
        return -EINVAL;
    if (sock->stream.conn)
        return -EISCONN;
    memset(o->ip_options, 0, sizeof(o->ip_options));
    if (length > 0)
        memcpy(o->ip_options, value, length);
    o->ip_options_len = (int)(length + 3) / 4 * 4;
    return 0;
}

/* There is one interface, and who is bound to it sees no difference. */
static int set_device(struct sock *sock, const void *value, socklen_t length)
{
    char name[IF_NAMESIZE] = "";

    if (length > 0)
        memcpy(name, value, length < sizeof(name) - 1 ? length : sizeof(name) - 1);
    if (*name && strcmp(name, sock->net->interface_name) != 0)
        return -ENODEV;
    sock->options.bound_device = *name ? sock->net->interface_index : 0;
    return 0;
}

/* socket(7) knows of the 32 bits; the 64 came with Linux 4.20. */
static int set_pacing_rate(struct sock *sock, const void *value, socklen_t length)
{
    uint32_t narrow;

    memcpy(&narrow, value, sizeof(narrow));
    sock->options.pacing_rate = narrow == UINT32_MAX ? UINT64_MAX : narrow;
    if (length >= sizeof(sock->options.pacing_rate))
        memcpy(&sock->options.pacing_rate, value, sizeof(sock->options.pacing_rate));
    sock->ops->apply(sock);
    return 0;
}

/* --- got -------------------------------------------------------------------------------------- */

static int get_linger(struct sock *sock, void *value, socklen_t *length)
{
    const struct linger linger = {sock->options.linger_on, sock->options.linger_seconds};

    option_give(&linger, sizeof(linger), value, length);
    return 0;
}

static int give_timeout(tlsyn_time timeout, void *value, socklen_t *length)
{
    struct timeval given = {0};

    if (timeout > 0) {
        given.tv_sec = (time_t)(timeout / TLSYN_SECONDS(1));
        given.tv_usec = (suseconds_t)(timeout % TLSYN_SECONDS(1));
    }
    option_give(&given, sizeof(given), value, length);
    return 0;
}

static int get_rcv_timeout(struct sock *sock, void *value, socklen_t *length)
{
    return give_timeout(sock->options.rcv_timeout, value, length);
}

static int get_snd_timeout(struct sock *sock, void *value, socklen_t *length)
{
    return give_timeout(sock->options.snd_timeout, value, length);
}

static int get_controller(struct sock *sock, void *value, socklen_t *length)
{
    char name[sizeof(sock->options.controller)] = "";
    const char *known = tlsyn_controller_name(sock->options.controller);

    if (known && strcmp(known, "newreno") == 0)
        known = "reno";
    if (known)
        strncpy(name, known, sizeof(name) - 1);
    option_give(name, sizeof(name), value, length);
    return 0;
}

static int get_cookie_keys(struct sock *sock, void *value, socklen_t *length)
{
    option_give(sock->options.cookie_key, (size_t)sock->options.cookie_keys * TLSYN_COOKIE_KEY,
                value, length);
    return 0;
}

static int get_error(struct sock *sock, void *value, socklen_t *length)
{
    int error = -sock_take_error(sock);

    option_give(&error, sizeof(error), value, length);
    return 0;
}

/* ip(7): of the path to the peer, if there is one. */
static int get_mtu(struct sock *sock, void *value, socklen_t *length)
{
    struct tlsyn_conn_info info;
    int mtu = sock->type == SOCK_DGRAM ? datagram_mtu(sock) : -ENOTCONN;

    if (sock->stream.conn) {
        tlsyn_conn_info(sock->stream.conn, &info);
        mtu = info.pmtu;
    }
    if (mtu < 0)
        return mtu;
    option_give(&mtu, sizeof(mtu), value, length);
    return 0;
}

static int get_group_interface(struct sock *sock, void *value, socklen_t *length)
{
    option_give(&sock->options.group_source, sizeof(sock->options.group_source), value, length);
    return 0;
}

static int get_ip_options(struct sock *sock, void *value, socklen_t *length)
{
    option_give(sock->options.ip_options, (size_t)sock->options.ip_options_len, value, length);
    return 0;
}

static int get_device(struct sock *sock, void *value, socklen_t *length)
{
    const char *name = sock->net->interface_name;

    if (sock->options.bound_device && *length < IF_NAMESIZE)
        return -EINVAL;
    option_give(name, sock->options.bound_device ? strlen(name) + 1 : 0, value, length);
    return 0;
}

static int get_pacing_rate(struct sock *sock, void *value, socklen_t *length)
{
    uint64_t rate = sock->options.pacing_rate;
    uint32_t narrow = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;

    if (*length >= sizeof(rate))
        option_give(&rate, sizeof(rate), value, length);
    else
        option_give(&narrow, sizeof(narrow), value, length);
    return 0;
}

static int get_engine_error(struct sock *sock, void *value, socklen_t *length)
{
    const struct stream *stream = &sock->stream;
    const char *sentence = stream->sentence ? stream->sentence : "";

    if (stream->session)
        sentence = stream->session_ops->error(stream->session);
    option_give(sentence, strlen(sentence) + 1, value, length);
    return 0;
}

static int get_conn_info(struct sock *sock, void *value, socklen_t *length)
{
    struct tlsyn_conn_info info;

    if (!sock->stream.conn)
        return -ENOTCONN;
    tlsyn_conn_info(sock->stream.conn, &info);
    option_give(&info, sizeof(info), value, length);
    return 0;
}

static int get_early(struct sock *sock, void *value, socklen_t *length)
{
    const struct stream *stream = &sock->stream;
    int early = 0;

    if (!stream->session)
        return -ENOTCONN;
    early = stream->session_ops->early(stream->session);
    option_give(&early, sizeof(early), value, length);
    return 0;
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct option_bytes table[] = {
    /* clang-format off */
    {SOL_SOCKET, SO_ERROR, false, false, NULL, get_error},
    {SOL_SOCKET, SO_BINDTODEVICE, false, true, set_device, get_device},
    {SOL_SOCKET, SO_LINGER, false, false, set_linger, get_linger},
    {SOL_SOCKET, SO_MAX_PACING_RATE, false, false, set_pacing_rate, get_pacing_rate},
    {SOL_SOCKET, SO_RCVTIMEO, false, false, set_rcv_timeout, get_rcv_timeout},
    {SOL_SOCKET, SO_SNDTIMEO, false, false, set_snd_timeout, get_snd_timeout},
    {IPPROTO_TCP, TCP_CONGESTION, true, true, set_controller, get_controller},
    {IPPROTO_TCP, TCP_FASTOPEN_KEY, true, true, set_cookie_keys, get_cookie_keys},
    {IPPROTO_TCP, TCP_INFO, true, false, NULL, tcp_info_give},
    {IPPROTO_IP, IP_OPTIONS, true, true, set_ip_options, get_ip_options},
    {IPPROTO_IP, IP_MULTICAST_IF, false, false, set_group_interface, get_group_interface},
    {IPPROTO_IP, IP_MTU, false, false, NULL, get_mtu},
    {IPPROTO_IPV6, IPV6_MTU, false, false, set_mtu6, get_mtu},
    {SOL_TLSYN, TLSYN_ENGINE_ERROR, true, false, NULL, get_engine_error},
    {SOL_TLSYN, TLSYN_CONN_INFO, true, false, NULL, get_conn_info},
    {SOL_TLSYN, TLSYN_EARLY, true, false, NULL, get_early},
    /* clang-format on */
};

const struct option_bytes *option_bytes_find(const struct sock *sock, int level, int name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct option_bytes *option = &table[i];

        if (option->level == level && option->name == name &&
            (!option->stream_only || sock->type == SOCK_STREAM))
            return level == IPPROTO_IPV6 && sock->domain != AF_INET6 ? NULL : option;
    }
    return NULL;
}
