/*
 * socket/option_int.c: the options that are one int, as a table. Read first: socket(7), tcp(7),
 * ip(7), ipv6(7).
 *
 * The table says where each is kept, what values it takes, and whether something is to be done
 * about it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include "socket/errqueue.h"
#include "socket/option.h"
#include "socket/port.h"
#include "socket/stream.h"

/* What Linux has: constants of its headers, and where it says sysctl, that one's default. */
#define SNDBUF_MIN   4608   /* SOCK_MIN_SNDBUF */
#define RCVBUF_MIN   2304   /* SOCK_MIN_RCVBUF */
#define MSS_MIN      88     /* TCP_MIN_MSS */
#define MSS_MAX      32767  /* MAX_TCP_WINDOW */
#define MSS_DEFAULT  536    /* TCP_MSS_DEFAULT */
#define FIN_TIMEOUT  60     /* s; sysctl tcp_fin_timeout */
#define FIN_LONGEST  120    /* s; TCP_FIN_TIMEOUT_MAX */
#define RTO_LONGEST  120    /* s; TCP_RTO_MAX */
#define KEEP_LONGEST 32767  /* s; MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL */
#define TTL_DEFAULT  64     /* IPDEFTTL */
#define DATAGRAM_BUF 212992 /* sysctl rmem_default and wmem_default */

/* Ours. */
#define STREAM_BUF (512 << 10) /* said of a stream whose user has asked for no size */
#define BUF_MOST   (8 << 20)   /* that may be asked for */

enum kind {
    FLAG,     /* any value; kept as 0 or 1 */
    RANGE,    /* lo to hi, else EINVAL */
    READ_ONLY /* setting it: ENOPROTOOPT */
};

enum { STREAM = 1, DATAGRAM = 2, BOTH = 3 };

struct option_int {
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
    *value = double_of(*value, BUF_MOST, SNDBUF_MIN);
    return 0;
}

static int set_rcv_buf(struct sock *sock, int *value)
{
    (void)sock;
    *value = double_of(*value, BUF_MOST, RCVBUF_MIN);
    return 0;
}

static int get_snd_buf(const struct sock *sock, int kept)
{
    (void)sock;
    return kept ? kept : STREAM_BUF;
}

/* Setting SO_TIMESTAMP or SO_TIMESTAMPNS takes the other's place; clearing either clears both. */
static int set_stamp(struct sock *sock, int *value)
{
    (void)value;
    sock->options.stamp_us = sock->options.stamp_ns = 0;
    return 0;
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

/* Setting it when it is set already lets text that waits behind a cork leave, as in Linux. */
static int set_nodelay(struct sock *sock, int *value)
{
    if (*value && sock->options.nodelay) {
        sock->options.nodelay = 0;
        sock->ops->apply(sock);
    }
    return 0;
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
    return sock->domain != AF_INET6 ? -ENOPROTOOPT : port_is_held(sock) ? -EINVAL : 0;
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

/* What waits goes with the wish to know. */
static int set_recv_err(struct sock *sock, int *value)
{
    if (!*value)
        errqueue_clear(sock);
    return 0;
}

static int set_group_ttl(struct sock *sock, int *value)
{
    *value = *value < 0 ? 1 : *value;
    return sock->type == SOCK_STREAM ? -EINVAL : 0;
}

static int set_group_hops(struct sock *sock, int *value)
{
    if (sock->type == SOCK_STREAM)
        return -ENOPROTOOPT;
    if (*value < -1 || *value > 255)
        return -EINVAL;
    *value = *value < 0 ? 1 : *value;
    return 0;
}

static bool is_interface(const struct sock *sock, int index)
{
    return index == 0 || index == sock->net->interface_index;
}

static int set_group_interface6(struct sock *sock, int *value)
{
    if (sock->type == SOCK_STREAM)
        return -ENOPROTOOPT;
    if (sock->options.bound_device && *value && *value != sock->options.bound_device)
        return -EINVAL;
    return is_interface(sock, *value) ? 0 : -ENODEV;
}

static int set_device(struct sock *sock, int *value)
{
    return is_interface(sock, *value) ? 0 : -ENODEV;
}

static int set_level(struct sock *sock, int *value)
{
    (void)value;
    return is_fresh(sock) ? 0 : -EISCONN;
}

static const struct option_int table[] = {
    /* clang-format off */
    {SOL_SOCKET, SO_REUSEADDR, BOTH, FLAG, 0, 0, KEPT(reuse_addr), NULL, NULL},
    {SOL_SOCKET, SO_REUSEPORT, BOTH, FLAG, 0, 0, KEPT(reuse_port), NULL, NULL},
    {SOL_SOCKET, SO_TIMESTAMP, DATAGRAM, FLAG, 0, 0, KEPT(stamp_us), set_stamp, NULL},
    {SOL_SOCKET, SO_TIMESTAMPNS, DATAGRAM, FLAG, 0, 0, KEPT(stamp_ns), set_stamp, NULL},
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
    {SOL_SOCKET, SO_BINDTOIFINDEX, BOTH, RANGE, 0, INT_MAX, KEPT(bound_device), set_device, NULL},
    {IPPROTO_TCP, TCP_NODELAY, STREAM, FLAG, 0, 0, KEPT(nodelay), set_nodelay, NULL},
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
    {IPPROTO_IP, IP_PKTINFO, BOTH, FLAG, 0, 0, KEPT(pktinfo), NULL, NULL},
    {IPPROTO_IP, IP_RECVTTL, BOTH, FLAG, 0, 0, KEPT(recv_ttl), NULL, NULL},
    {IPPROTO_IP, IP_RECVTOS, BOTH, FLAG, 0, 0, KEPT(recv_tos), NULL, NULL},
    {IPPROTO_IP, IP_MTU_DISCOVER, BOTH, RANGE, 0, IP_PMTUDISC_OMIT, KEPT(mtu_discover), NULL, NULL},
    {IPPROTO_IP, IP_RECVERR, BOTH, FLAG, 0, 0, KEPT(recv_err), set_recv_err, NULL},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, BOTH, FLAG, 0, 0, KEPT(late_port), NULL, NULL},
    {IPPROTO_IP, IP_MULTICAST_TTL, BOTH, RANGE, -1, 255, KEPT(group_ttl), set_group_ttl, NULL},
    {IPPROTO_IP, IP_MULTICAST_LOOP, BOTH, FLAG, 0, 0, KEPT(group_loop), NULL, NULL},
    {IPPROTO_IP, IP_MULTICAST_ALL, BOTH, RANGE, 0, 1, KEPT(group_all), NULL, NULL},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, BOTH, RANGE, INT_MIN, INT_MAX, KEPT(group_hops), set_group_hops, NULL},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, BOTH, RANGE, 0, 1, KEPT(group_loop6), NULL, NULL},
    {IPPROTO_IPV6, IPV6_MULTICAST_ALL, BOTH, FLAG, 0, 0, KEPT(group_all6), NULL, NULL},
    {IPPROTO_IPV6, IPV6_MULTICAST_IF, BOTH, RANGE, INT_MIN, INT_MAX, KEPT(group_interface6), set_group_interface6, NULL},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, BOTH, RANGE, 0, IPV6_PMTUDISC_OMIT, KEPT(mtu_discover6), NULL, NULL},
    {IPPROTO_IPV6, IPV6_DONTFRAG, BOTH, FLAG, 0, 0, KEPT(dont_fragment6), NULL, NULL},
    {IPPROTO_IPV6, IPV6_RECVERR, BOTH, FLAG, 0, 0, KEPT(recv_err6), set_recv_err, NULL},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, BOTH, FLAG, 0, 0, KEPT(pktinfo6), NULL, NULL},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, BOTH, FLAG, 0, 0, KEPT(recv_hops), NULL, NULL},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, BOTH, FLAG, 0, 0, KEPT(recv_tclass), NULL, NULL},
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
        .mtu_discover = IP_PMTUDISC_WANT,
        .mtu_discover6 = IPV6_PMTUDISC_WANT,
        .group_ttl = 1,
        .group_hops = 1,
        .group_loop = 1,
        .group_loop6 = 1,
        .group_all = 1,
        .group_all6 = 1,
        .level = TLSYN_LEVEL_COOKIE,
        .pacing_rate = UINT64_MAX,
    };
}

const struct option_int *option_int_find(const struct sock *sock, int level, int name)
{
    int type = sock->type == SOCK_STREAM ? STREAM : DATAGRAM;

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct option_int *option = &table[i];

        if (option->level != level || option->name != name || !(option->types & type))
            continue;
        return level == IPPROTO_IPV6 && sock->domain != AF_INET6 ? NULL : option;
    }
    return NULL;
}

static int *place(struct sock *sock, const struct option_int *option)
{
    return (int *)(void *)((char *)&sock->options + option->offset);
}

/* --- set and got ------------------------------------------------------------------------------ */

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

int option_int_set(struct sock *sock, const struct option_int *option, const void *value,
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

int option_int_get(struct sock *sock, const struct option_int *option, void *value,
                   socklen_t *length)
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
