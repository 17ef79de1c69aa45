/*
 * socket/option.c: socket options, as a table. Read first: socket(7), tcp(7), ip(7), ipv6(7).
 *
 * Nearly all are one int: the table says where it is kept, what values it takes, and whether
 * something is to be done about it. The others have their own functions at the end.
 */
#include "socket/option.h"

#include <errno.h>
#include <limits.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/time.h>

#include "socket/stream.h"

#define SNDBUF_MIN   4608 /* Linux's SOCK_MIN_SNDBUF */
#define RCVBUF_MIN   2304
#define MSS_MIN      88
#define MSS_MAX      32767
#define MSS_DEFAULT  536
#define FIN_TIMEOUT  60
#define FIN_LONGEST  120
#define RTO_LONGEST  120
#define KEEP_LONGEST 32767
#define TTL_DEFAULT  64
#define DATAGRAM_BUF 212992
#define STREAM_BUF   (512 << 10)

enum kind {
    FLAG,     /* any value; kept as 0 or 1 */
    RANGE,    /* lo to hi, else EINVAL */
    READ_ONLY /* setting it: ENOPROTOOPT */
};

enum { STREAM = 1, DATAGRAM = 2, BOTH = 3 };

struct option {
    int level, name;
    int types;
    enum kind kind;
    int lo, hi;
    size_t offset;                        /* in struct sock_options; 0: kept nowhere */
    int (*set)(struct sock *, int *);     /* may refuse, or change what is kept */
    int (*get)(const struct sock *, int); /* what is given back for what is kept */
};

#define KEPT(member) offsetof(struct sock_options, member)

static bool is_fresh(const struct sock *sock)
{
    return sock->phase == SOCK_IDLE && !sock->stream.conn;
}

/* --- what single options do ------------------------------------------------------------------- */

static int get_type(const struct sock *sock, int kept)
{
    (void)kept;
    return sock->type;
}

static int get_protocol(const struct sock *sock, int kept)
{
    (void)kept;
    return sock->protocol;
}

static int get_domain(const struct sock *sock, int kept)
{
    (void)kept;
    return sock->domain;
}

static int get_accepting(const struct sock *sock, int kept)
{
    (void)kept;
    return sock->phase == SOCK_LISTENING;
}

/* The kernel doubles what is asked for, and so does what is given back (socket(7)). A negative
 * value is a very large one. */
static int double_of(int asked, int most, int least)
{
    int value = asked < 0 || asked > most ? most : asked;

    return value * 2 < least ? least : value * 2;
}

static int set_snd_buf(struct sock *sock, int *value)
{
    (void)sock;
    *value = double_of(*value, 8 << 20, SNDBUF_MIN);
    return 0;
}

static int set_rcv_buf(struct sock *sock, int *value)
{
    (void)sock;
    *value = double_of(*value, 8 << 20, RCVBUF_MIN);
    return 0;
}

static int get_snd_buf(const struct sock *sock, int kept)
{
    (void)sock;
    return kept ? kept : STREAM_BUF;
}

/* More than half of the buffer may never come together (Linux's tcp_set_rcvlowat()). */
static int set_rcv_lowat(struct sock *sock, int *value)
{
    int most = (sock->options.rcv_buf ? sock->options.rcv_buf : STREAM_BUF) / 2;

    *value = *value < 0 || *value > most ? most : *value ? *value : 1;
    sock_changed(sock);
    return 0;
}

static int get_one(const struct sock *sock, int kept)
{
    (void)sock;
    (void)kept;
    return 1;
}

static int set_maxseg(struct sock *sock, int *value)
{
    (void)sock;
    return *value == 0 || (*value >= MSS_MIN && *value <= MSS_MAX) ? 0 : -EINVAL;
}

static int get_maxseg(const struct sock *sock, int kept)
{
    struct tlsyn_conn_info info;

    if (!sock->stream.conn)
        return kept ? kept : MSS_DEFAULT;
    tlsyn_conn_info(sock->stream.conn, &info);
    return info.mss;
}

static int get_quickack(const struct sock *sock, int kept)
{
    (void)sock;
    return kept != 0; /* 2: never set */
}

static int set_linger2(struct sock *sock, int *value)
{
    (void)sock;
    *value = *value < 0 ? -1 : *value > FIN_LONGEST ? FIN_LONGEST : *value;
    return 0;
}

static int get_linger2(const struct sock *sock, int kept)
{
    (void)sock;
    return kept ? kept : FIN_TIMEOUT;
}

/* Linux counts in retransmissions of the SYN-ACK, after 1, 2, 4 ... seconds, and rounds up
 * to such a sum. */
static int set_defer_accept(struct sock *sock, int *value)
{
    int sum = *value > 0 ? 1 : 0, step = 1;

    (void)sock;
    for (int i = 0; sum && sum < *value && i < UINT8_MAX; i++) {
        step = step * 2 > RTO_LONGEST ? RTO_LONGEST : step * 2;
        sum += step;
    }
    *value = sum;
    return 0;
}

static int set_fastopen(struct sock *sock, int *value)
{
    if (*value < 0 || (sock->phase != SOCK_IDLE && sock->phase != SOCK_LISTENING))
        return -EINVAL;
    if (sock->stream.listener)
        tlsyn_listener_admit(sock->stream.listener, sock->stream.engine != NULL,
                             *value > 0 || sock->stream.engine);
    return 0;
}

static int set_if_fresh(struct sock *sock, int *value)
{
    (void)value;
    return is_fresh(sock) ? 0 : -EINVAL;
}

static int set_v6only(struct sock *sock, int *value)
{
    (void)value;
    return sock->domain != AF_INET6 ? -ENOPROTOOPT : sock->local.port ? -EINVAL : 0;
}

static int set_if_ip6(struct sock *sock, int *value)
{
    (void)value;
    return sock->domain == AF_INET6 ? 0 : -ENOPROTOOPT;
}

/* ip(7): of a stream, the ECN field is TCP's own. */
static int set_tos(struct sock *sock, int *value)
{
    *value &= sock->type == SOCK_STREAM ? 0xfc : 0xff;
    return 0;
}

static int set_ttl(struct sock *sock, int *value)
{
    (void)sock;
    if (*value == 0)
        return -EINVAL;
    *value = *value < 0 ? 0 : *value;
    return 0;
}

static int get_ttl(const struct sock *sock, int kept)
{
    (void)sock;
    return kept ? kept : TTL_DEFAULT;
}

static int set_hops(struct sock *sock, int *value)
{
    *value = *value < 0 ? 0 : *value;
    return set_if_ip6(sock, value);
}

static int set_tclass(struct sock *sock, int *value)
{
    *value = *value < 0 ? 0 : *value;
    return set_tos(sock, value);
}

static int set_level(struct sock *sock, int *value)
{
    (void)value;
    return is_fresh(sock) ? 0 : -EISCONN;
}

static const struct option table[] = {
    /* clang-format off */
    {SOL_SOCKET, SO_REUSEADDR, BOTH, FLAG, 0, 0, KEPT(reuse_addr), NULL, NULL},
    {SOL_SOCKET, SO_TYPE, BOTH, READ_ONLY, 0, 0, 0, NULL, get_type},
    {SOL_SOCKET, SO_PROTOCOL, BOTH, READ_ONLY, 0, 0, 0, NULL, get_protocol},
    {SOL_SOCKET, SO_DOMAIN, BOTH, READ_ONLY, 0, 0, 0, NULL, get_domain},
    {SOL_SOCKET, SO_ACCEPTCONN, BOTH, READ_ONLY, 0, 0, 0, NULL, get_accepting},
    {SOL_SOCKET, SO_BROADCAST, BOTH, FLAG, 0, 0, KEPT(broadcast), NULL, NULL},
    {SOL_SOCKET, SO_OOBINLINE, BOTH, FLAG, 0, 0, KEPT(oob_inline), NULL, NULL},
    {SOL_SOCKET, SO_KEEPALIVE, BOTH, FLAG, 0, 0, KEPT(keepalive), NULL, NULL},
    {SOL_SOCKET, SO_SNDBUF, BOTH, RANGE, INT_MIN, INT_MAX, KEPT(snd_buf), set_snd_buf, get_snd_buf},
    {SOL_SOCKET, SO_RCVBUF, BOTH, RANGE, INT_MIN, INT_MAX, KEPT(rcv_buf), set_rcv_buf, get_snd_buf},
    {SOL_SOCKET, SO_RCVLOWAT, BOTH, RANGE, INT_MIN, INT_MAX, KEPT(rcv_lowat), set_rcv_lowat, NULL},
    {SOL_SOCKET, SO_SNDLOWAT, BOTH, READ_ONLY, 0, 0, 0, NULL, get_one},
    {IPPROTO_TCP, TCP_NODELAY, STREAM, FLAG, 0, 0, KEPT(nodelay), NULL, NULL},
    {IPPROTO_TCP, TCP_CORK, STREAM, FLAG, 0, 0, KEPT(cork), NULL, NULL},
    {IPPROTO_TCP, TCP_MAXSEG, STREAM, RANGE, INT_MIN, INT_MAX, KEPT(maxseg), set_maxseg, get_maxseg},
    {IPPROTO_TCP, TCP_KEEPIDLE, STREAM, RANGE, 1, KEEP_LONGEST, KEPT(keep_idle), NULL, NULL},
    {IPPROTO_TCP, TCP_KEEPINTVL, STREAM, RANGE, 1, KEEP_LONGEST, KEPT(keep_interval), NULL, NULL},
    {IPPROTO_TCP, TCP_KEEPCNT, STREAM, RANGE, 1, 127, KEPT(keep_count), NULL, NULL},
    {IPPROTO_TCP, TCP_SYNCNT, STREAM, RANGE, 1, 127, KEPT(syn_count), NULL, NULL},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, STREAM, RANGE, 0, INT_MAX, KEPT(user_timeout), NULL, NULL},
    {IPPROTO_TCP, TCP_QUICKACK, STREAM, FLAG, 0, 0, KEPT(quickack), NULL, get_quickack},
    {IPPROTO_TCP, TCP_LINGER2, STREAM, RANGE, INT_MIN, INT_MAX, KEPT(linger2), set_linger2, get_linger2},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, STREAM, RANGE, INT_MIN, INT_MAX, KEPT(defer_accept), set_defer_accept, NULL},
    {IPPROTO_TCP, TCP_FASTOPEN, STREAM, RANGE, INT_MIN, INT_MAX, KEPT(fastopen), set_fastopen, NULL},
    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, STREAM, RANGE, 0, 1, KEPT(fastopen_connect), set_if_fresh, NULL},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, STREAM, RANGE, INT_MIN, INT_MAX, KEPT(notsent_lowat), NULL, NULL},
    {IPPROTO_IP, IP_TOS, BOTH, RANGE, INT_MIN, INT_MAX, KEPT(tos), set_tos, NULL},
    {IPPROTO_IP, IP_TTL, BOTH, RANGE, -1, 255, KEPT(ttl), set_ttl, get_ttl},
    {IPPROTO_IPV6, IPV6_V6ONLY, BOTH, FLAG, 0, 0, KEPT(v6only), set_v6only, NULL},
    {IPPROTO_IPV6, IPV6_TCLASS, BOTH, RANGE, -1, 255, KEPT(tclass), set_tclass, NULL},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, BOTH, RANGE, -1, 255, KEPT(hops), set_hops, get_ttl},
    {SOL_TLSYN, TLSYN_CONNECT_LEVEL, STREAM, RANGE, 0, TLSYN_LEVEL_PAPER, KEPT(level), set_level, NULL},
    /* clang-format on */
};

void options_init(struct sock_options *options, int type)
{
    *options = (struct sock_options){
        .rcv_lowat = 1,
        .snd_buf = type == SOCK_DGRAM ? DATAGRAM_BUF : 0,
        .rcv_buf = type == SOCK_DGRAM ? DATAGRAM_BUF : 0, /* 0: the connection's default */
        .keep_idle = 7200,
        .keep_interval = 75,
        .keep_count = 9,
        .syn_count = 6,
        .quickack = 2,
        .level = TLSYN_LEVEL_COOKIE,
    };
}

static const struct option *find(const struct sock *sock, int level, int name)
{
    int type = sock->type == SOCK_STREAM ? STREAM : DATAGRAM;

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct option *option = &table[i];

        if (option->level != level || option->name != name || !(option->types & type))
            continue;
        return level == IPPROTO_IPV6 && sock->domain != AF_INET6 ? NULL : option;
    }
    return NULL;
}

static int *place(struct sock *sock, const struct option *option)
{
    return (int *)(void *)((char *)&sock->options + option->offset);
}

/* --- ints ------------------------------------------------------------------------------------- */

/* IPPROTO_IP alone takes a single byte too, or none for 0. */
static int take_int(int level, const void *value, socklen_t length, int *out)
{
    if (length >= sizeof(*out)) {
        memcpy(out, value, sizeof(*out));
        return 0;
    }
    if (level != IPPROTO_IP)
        return -EINVAL;
    *out = length ? *(const unsigned char *)value : 0;
    return 0;
}

static int set_int(struct sock *sock, const struct option *option, const void *value,
                   socklen_t length)
{
    int number;
    int error = take_int(option->level, value, length, &number);

    if (error < 0)
        return error;
    if (option->kind == READ_ONLY)
        return -ENOPROTOOPT;
    if (option->kind == FLAG)
        number = number != 0;
    else if (number < option->lo || number > option->hi)
        return -EINVAL;
    error = option->set ? option->set(sock, &number) : 0;
    if (error < 0)
        return error;
    *place(sock, option) = number;
    sock->ops->apply(sock);
    return 0;
}

void option_give(const void *from, size_t size, void *value, socklen_t *length)
{
    if (*length > size)
        *length = (socklen_t)size;
    if (*length > 0)
        memcpy(value, from, *length);
}

static int get_int(struct sock *sock, const struct option *option, void *value, socklen_t *length)
{
    int number = option->offset || option->kind != READ_ONLY ? *place(sock, option) : 0;
    unsigned char byte;

    if (option->get)
        number = option->get(sock, number);
    byte = (unsigned char)number;
    if (option->level == IPPROTO_IP && *length > 0 && *length < sizeof(number))
        option_give(&byte, sizeof(byte), value, length);
    else
        option_give(&number, sizeof(number), value, length);
    return 0;
}

/* --- the others: setting ---------------------------------------------------------------------- */

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

static int set_timeout(tlsyn_time *timeout, const void *value, socklen_t length)
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

int option_set(struct sock *sock, int level, int name, const void *value, socklen_t length)
{
    const struct option *option = find(sock, level, name);
    bool stream = sock->type == SOCK_STREAM;

    if (length > INT_MAX)
        return -EINVAL;
    if (option || level == SOL_SOCKET || (level == IPPROTO_TCP && stream))
        if (!value && length > 0)
            return -EFAULT;
    if (option)
        return set_int(sock, option, value, length);
    if (level == IPPROTO_TCP && stream && name == TCP_CONGESTION)
        return set_controller(sock, value, length);
    if (level == IPPROTO_TCP && stream && name == TCP_FASTOPEN_KEY)
        return set_cookie_keys(sock, value, length);
    if ((level == SOL_SOCKET || (level == IPPROTO_TCP && stream)) && length < sizeof(int))
        return -EINVAL;
    if (level == SOL_SOCKET && name == SO_LINGER)
        return set_linger(sock, value, length);
    if (level == SOL_SOCKET && name == SO_RCVTIMEO)
        return set_timeout(&sock->options.rcv_timeout, value, length);
    if (level == SOL_SOCKET && name == SO_SNDTIMEO)
        return set_timeout(&sock->options.snd_timeout, value, length);
    return -ENOPROTOOPT;
}

/* --- the others: getting ---------------------------------------------------------------------- */

static void get_linger(const struct sock *sock, void *value, socklen_t *length)
{
    const struct linger linger = {sock->options.linger_on, sock->options.linger_seconds};

    option_give(&linger, sizeof(linger), value, length);
}

static void get_timeout(tlsyn_time timeout, void *value, socklen_t *length)
{
    struct timeval given = {0};

    if (timeout > 0) {
        given.tv_sec = (time_t)(timeout / TLSYN_SECONDS(1));
        given.tv_usec = (suseconds_t)(timeout % TLSYN_SECONDS(1));
    }
    option_give(&given, sizeof(given), value, length);
}

static void get_controller(const struct sock *sock, void *value, socklen_t *length)
{
    char name[sizeof(sock->options.controller)] = "";
    const char *known = tlsyn_controller_name(sock->options.controller);

    if (known && strcmp(known, "newreno") == 0)
        known = "reno";
    if (known)
        strncpy(name, known, sizeof(name) - 1);
    option_give(name, sizeof(name), value, length);
}

static int get_socket(struct sock *sock, int name, void *value, socklen_t *length)
{
    int error;

    switch (name) {
    case SO_ERROR:
        error = -sock_take_error(sock);
        option_give(&error, sizeof(error), value, length);
        return 0;
    case SO_LINGER:
        get_linger(sock, value, length);
        return 0;
    case SO_RCVTIMEO:
        get_timeout(sock->options.rcv_timeout, value, length);
        return 0;
    case SO_SNDTIMEO:
        get_timeout(sock->options.snd_timeout, value, length);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_own(struct sock *sock, int name, void *value, socklen_t *length)
{
    const struct stream *stream = &sock->stream;
    struct tlsyn_conn_info info;
    const char *sentence = stream->sentence ? stream->sentence : "";

    if (name == TLSYN_ENGINE_ERROR) {
        if (stream->session)
            sentence = stream->session_ops->error(stream->session);
        option_give(sentence, strlen(sentence) + 1, value, length);
        return 0;
    }
    if (name != TLSYN_CONN_INFO)
        return -ENOPROTOOPT;
    if (!stream->conn)
        return -ENOTCONN;
    tlsyn_conn_info(stream->conn, &info);
    option_give(&info, sizeof(info), value, length);
    return 0;
}

/* ip(7): of a connection alone. */
static int get_mtu(const struct sock *sock, void *value, socklen_t *length)
{
    struct tlsyn_conn_info info;
    int mtu;

    if (!sock->stream.conn)
        return -ENOTCONN;
    tlsyn_conn_info(sock->stream.conn, &info);
    mtu = info.pmtu;
    option_give(&mtu, sizeof(mtu), value, length);
    return 0;
}

int option_get(struct sock *sock, int level, int name, void *value, socklen_t *length)
{
    const struct option *option = find(sock, level, name);
    bool stream = sock->type == SOCK_STREAM;

    if (!length || (!value && *length > 0))
        return -EFAULT;
    if (*length > INT_MAX)
        return -EINVAL;
    if (option)
        return get_int(sock, option, value, length);
    if (level == SOL_SOCKET)
        return get_socket(sock, name, value, length);
    if (level == IPPROTO_TCP && stream && name == TCP_CONGESTION)
        get_controller(sock, value, length);
    else if (level == IPPROTO_TCP && stream && name == TCP_FASTOPEN_KEY)
        option_give(sock->options.cookie_key, (size_t)sock->options.cookie_keys * TLSYN_COOKIE_KEY,
                    value, length);
    else if (level == IPPROTO_TCP && stream && name == TCP_INFO)
        tcp_info_give(sock, value, length);
    else if (level == IPPROTO_IP && stream && name == IP_MTU)
        return get_mtu(sock, value, length);
    else if (level == SOL_TLSYN && stream)
        return get_own(sock, name, value, length);
    else
        return level == IPPROTO_IP || sock->domain != AF_INET ||
                       level == (stream ? IPPROTO_TCP : IPPROTO_UDP)
                   ? -ENOPROTOOPT
                   : -EOPNOTSUPP;
    return 0;
}
