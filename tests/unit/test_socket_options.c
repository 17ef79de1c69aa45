/* Socket options: what is set, refused and given back, as on Linux. */
#include <check.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))

static void set_and_get(struct bsd *b, int fd, int level, int name, int value)
{
    socklen_t n = sizeof(value);

    STEP(b, level * 1000 + name);
    STEP(b, value);
    STEP(b, b->setsockopt(fd, level, name, &value, sizeof(value)));
    value = -77;
    STEP(b, b->getsockopt(fd, level, name, &value, &n));
    STEP(b, value);
    STEP(b, n);
}

static const struct {
    int level, name;
    int values[8];
} ints[] = {
    {SOL_SOCKET, SO_REUSEADDR, {1, 0, 5, -1}},
    {SOL_SOCKET, SO_REUSEPORT, {1, 0, 5, -1}},
    {SOL_SOCKET, SO_BROADCAST, {1, 0, 7, 0}},
    {SOL_SOCKET, SO_KEEPALIVE, {1, 0, 2, 0}},
    {SOL_SOCKET, SO_SNDBUF, {1000, 4096, 0, 65536}},
    {SOL_SOCKET, SO_RCVBUF, {1000, 4096, 0, 65536}},
    {SOL_SOCKET, SO_RCVLOWAT, {0, 10, -1, 1}},
    {SOL_SOCKET, SO_SNDLOWAT, {1, 2, 0, 0}},
    {SOL_SOCKET, SO_TYPE, {1, 1, 1, 1}},
    {SOL_SOCKET, SO_PROTOCOL, {1, 1, 1, 1}},
    {SOL_SOCKET, SO_DOMAIN, {1, 1, 1, 1}},
    {SOL_SOCKET, SO_ACCEPTCONN, {1, 1, 1, 1}},
    {SOL_SOCKET, SO_ERROR, {0, 0, 0, 0}},
    {SOL_SOCKET, 12345, {0, 0, 0, 0}},
    {IPPROTO_TCP, TCP_NODELAY, {1, 0, 5, 0}},
    {IPPROTO_TCP, TCP_CORK, {1, 0, 3, 0}},
    {IPPROTO_TCP, TCP_MAXSEG, {1000, 87, 32768, 0}},
    {IPPROTO_TCP, TCP_KEEPIDLE, {10, 0, 32768, 32767}},
    {IPPROTO_TCP, TCP_KEEPINTVL, {10, 0, 32768, 1}},
    {IPPROTO_TCP, TCP_KEEPCNT, {10, 0, 128, 127}},
    {IPPROTO_TCP, TCP_SYNCNT, {3, 0, 128, 127}},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, {1500, -1, 0, 30000}},
    {IPPROTO_TCP, TCP_QUICKACK, {1, 0, 1, 1}},
    {IPPROTO_TCP, TCP_LINGER2, {10, -5, 300, 0}},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, {1, 3, 5, 0}},
    {IPPROTO_TCP, TCP_FASTOPEN, {5, -1, 0, 0}},
    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, {1, 2, -1, 0}},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, {1000, 0, 5000, 0}},
    {IPPROTO_TCP, 12345, {0, 0, 0, 0}},
    {IPPROTO_IP, IP_TOS, {16, 3, 184, 0}},
    {IPPROTO_IP, IP_TTL, {10, 0, 256, -1}},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, {1, 0, 7, 0}},
    {IPPROTO_IP, IP_MULTICAST_TTL, {3, 0, 256, -1}},
    {IPPROTO_IP, IP_MULTICAST_LOOP, {0, 1, 7, 0}},
    {IPPROTO_IP, IP_MULTICAST_ALL, {0, 1, 2, -1}},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, {3, 0, 256, -1}},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, {0, 1, 7, -1}},
    {IPPROTO_IPV6, IPV6_MULTICAST_ALL, {0, 1, 7, -1}},
    {IPPROTO_IPV6, IPV6_MULTICAST_IF, {0, -1, 12345, 0}},
    {SOL_SOCKET, SO_BINDTOIFINDEX, {0, -1, 0, 0}},
    {IPPROTO_IP, IP_PKTINFO, {1, 0, 7, 0}},
    {IPPROTO_IP, IP_RECVTTL, {1, 0, 7, 0}},
    {IPPROTO_IP, IP_RECVTOS, {1, 0, 7, 0}},
    {IPPROTO_IP, 12345, {0, 0, 0, 0}},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, {1, 0, 7, 0}},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, {1, 0, 7, 0}},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, {1, 0, 7, 0}},
    {IPPROTO_IPV6, IPV6_V6ONLY, {1, 0, 0, 0}},
    {12345, 1, {0, 0, 0, 0}},
};

static void all_ints(struct bsd *b, int domain, int type)
{
    int fd;

    OPENED(b, fd, bsd_socket(b, CLIENT, domain, type, 0));
    for (size_t i = 0; i < sizeof(ints) / sizeof(*ints); i++) {
        if (type == SOCK_DGRAM && ints[i].level == SOL_SOCKET && ints[i].name == SO_RCVLOWAT)
            continue; /* to a datagram it means nothing */
        for (int v = 0; v < 4; v++)
            set_and_get(b, fd, ints[i].level, ints[i].name, ints[i].values[v]);
    }
    STEP(b, b->close(fd));
}

static void of_a_stream(struct bsd *b)
{
    all_ints(b, AF_INET, SOCK_STREAM);
}

static void of_a_stream_of_ip6(struct bsd *b)
{
    all_ints(b, AF_INET6, SOCK_STREAM);
}

static void of_datagrams_of_ip6(struct bsd *b)
{
    all_ints(b, AF_INET6, SOCK_DGRAM);
}

static void of_datagrams(struct bsd *b)
{
    all_ints(b, AF_INET, SOCK_DGRAM);
}

static void of_ip6(struct bsd *b)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    int fd;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET6, SOCK_STREAM, 0));
    for (int v = -2; v < 258; v += 43) {
        set_and_get(b, fd, IPPROTO_IPV6, IPV6_TCLASS, v);
        set_and_get(b, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, v);
    }
    STEP(b, b->bind(fd, ADDR(any), 23));
    STEP(b, b->bind(fd, ADDR(any), sizeof(any)));
    set_and_get(b, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    STEP(b, b->close(fd));
}

static void of_defaults(struct bsd *b)
{
    static const int tcp[] = {TCP_NODELAY,   TCP_CORK,    TCP_MAXSEG,   TCP_KEEPIDLE,
                              TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT,   TCP_USER_TIMEOUT,
                              TCP_QUICKACK,  TCP_LINGER2, TCP_FASTOPEN, TCP_DEFER_ACCEPT};
    int fd, value;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    for (size_t i = 0; i < sizeof(tcp) / sizeof(*tcp); i++) {
        socklen_t n = sizeof(value);

        STEP(b, tcp[i]);
        STEP(b, b->getsockopt(fd, IPPROTO_TCP, tcp[i], &value, &n));
        STEP(b, value);
    }
    STEP(b, b->close(fd));
}

/* What is set on a listening socket counts for those that come later. */
static void of_a_listener(struct bsd *b)
{
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 3), client, child, thousand = 1000, value;
    socklen_t n = sizeof(value);

    STEP(b, b->setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &thousand, sizeof(thousand)));
    client = bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0);
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    OPENED(b, child, b->accept4(listener, NULL, NULL, 0));
    STEP(b, b->getsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &value, &n));
    STEP(b, value);
    b->close(listener);
    b->close(client);
    b->close(child);
}

static void of_cookie_keys(struct bsd *b)
{
    static const socklen_t lengths[] = {0, 3, 16, 20, 32, 16};
    uint8_t keys[32], read[40];
    int fd;

    for (size_t i = 0; i < sizeof(keys); i++)
        keys[i] = (uint8_t)(i + 1);
    OPENED(b, fd, bsd_socket(b, SERVER, AF_INET, SOCK_STREAM, 0));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        socklen_t n = sizeof(read);

        STEP(b, b->setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, lengths[i]));
        if (lengths[i] < 16) /* the kernel has a key of its own by now, or not */
            continue;
        STEP(b, b->getsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_KEY, read, &n));
        STEP(b, n);
        STEP(b, memcmp(keys, read, n));
    }
    STEP(b, b->close(fd));
}

static void of_wrong_length(struct bsd *b)
{
    int fd, value = 1;
    char name[20] = "x";
    socklen_t n;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 3));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, (socklen_t)-1));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, 4));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, 12345, &value, 3));
    STEP(b, b->setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 1));
    STEP(b, b->setsockopt(fd, IPPROTO_TCP, 12345, &value, 1));
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_TOS, &value, 1));
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_TOS, &value, 0));
    for (int given = -1; given < 6; given++) {
        n = (socklen_t)given;
        value = 0x5a5a5a5a;
        STEP(b, b->getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &n));
        STEP(b, n);
        STEP(b, value);
        n = (socklen_t)given;
        value = 0x5a5a5a5a;
        STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &n));
        STEP(b, n);
        STEP(b, value);
        n = (socklen_t)given;
        value = 0x5a5a5a5a;
        STEP(b, b->getsockopt(fd, IPPROTO_IP, IP_TTL, &value, &n));
        STEP(b, n);
        STEP(b, value);
    }
    STEP(b, b->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "no such", 7));
    STEP(b, b->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    STEP(b, b->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 0));
    n = sizeof(name);
    STEP(b, b->getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &n));
    STEP(b, n);
    STEP(b, strcmp(name, "reno"));
    STEP(b, b->close(fd));
}

static void of_times(struct bsd *b)
{
    static const struct timeval given[] = {{0, 50000}, {1, 500000}, {0, 1000000},
                                           {0, -1},    {-1, 0},     {0, 0}};
    int fd;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
        struct timeval told;
        socklen_t n = sizeof(told);

        STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &given[i], sizeof(given[i])));
        STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &given[i], sizeof(given[i])));
        STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &told, &n));
        STEP(b, n);
        STEP(b, told.tv_sec);
        STEP(b, told.tv_usec / 20000); /* the kernel rounds to its ticks */
    }
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &given[0], 8));
    STEP(b, b->close(fd));
}

/* What tcp_info says that does not depend on the machine. */
static void told_by_tcp_info(struct bsd *b)
{
    struct tcp_info info;
    struct sockaddr_in at;
    socklen_t n = sizeof(info);
    int listener = bsd_listener(b, &at, 3), client, server, value;

    STEP(b, b->getsockopt(listener, IPPROTO_IP, IP_MTU, &value, &n));
    n = sizeof(info);
    STEP(b, b->getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &n));
    STEP(b, info.tcpi_state);
    STEP(b, info.tcpi_sacked);
    set_and_get(b, listener, SOL_SOCKET, SO_ACCEPTCONN, 0);
    b->close(listener);
    bsd_connection(b, &client, &server);
    STEP(b, b->write(client, "abc", 3));
    bsd_await_bytes(b, server, 3);
    n = sizeof(info);
    STEP(b, b->getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &n));
    STEP(b, info.tcpi_state);
    STEP(b, (info.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE)));
    STEP(b, info.tcpi_snd_mss > 0 && info.tcpi_rto > 0 && info.tcpi_rcv_mss > 0);
    /* RFC 6928 2: no more than two segments that are as long as a loopback's */
    STEP(b, info.tcpi_snd_cwnd == (b->net[CLIENT] && b->net[SERVER] == b->net[CLIENT] ? 2 : 10));
    STEP(b, info.tcpi_lost + info.tcpi_unacked + info.tcpi_total_retrans);
    STEP(b, info.tcpi_pmtu > info.tcpi_snd_mss);
    n = sizeof(value);
    STEP(b, b->getsockopt(server, IPPROTO_IP, IP_MTU, &value, &n));
    STEP(b, value == (int)info.tcpi_pmtu);
    n = 1;
    STEP(b, b->getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &n));
    STEP(b, n);
    n = sizeof(value);
    STEP(b, b->getsockopt(server, IPPROTO_TCP, TCP_MAXSEG, &value, &n));
    STEP(b, value > 1000);
    STEP(b, b->shutdown(client, SHUT_WR));
    SEEN(b, server, POLLRDHUP);
    n = sizeof(info);
    STEP(b, b->getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &n));
    STEP(b, info.tcpi_state);
    b->close(client);
    b->close(server);
}

/* Changed on a connection, and handed down from a listener. */
static void of_connections(struct bsd *b)
{
    static const int names[] = {TCP_NODELAY, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPCNT, TCP_USER_TIMEOUT};
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 3), client, child, one = 1, idle = 33, value;
    socklen_t n = sizeof(value);

    STEP(b, b->setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
    STEP(b, b->setsockopt(listener, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)));
    STEP(b, b->setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
    client = bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0);
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    OPENED(b, child, b->accept4(listener, NULL, NULL, 0));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        n = sizeof(value);
        STEP(b, b->getsockopt(child, IPPROTO_TCP, names[i], &value, &n));
        STEP(b, value);
        set_and_get(b, client, IPPROTO_TCP, names[i], 1);
    }
    set_and_get(b, client, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_and_get(b, client, IPPROTO_TCP, TCP_FASTOPEN, 1);
    set_and_get(b, client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    n = sizeof(value);
    STEP(b, b->getsockopt(child, SOL_SOCKET, SO_KEEPALIVE, &value, &n));
    STEP(b, value);
    b->close(listener);
    b->close(client);
    b->close(child);
}

/* Bound without a port: it is chosen when the peer is known, or when somebody listens. */
static void of_a_late_port(struct bsd *b)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_STREAM};
    struct sockaddr_in at, to, own;
    int listener = bsd_listener(b, &at, 3), fd, one = 1;
    socklen_t n;

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        to = bsd_address(b, CLIENT, 0);
        OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, types[i], 0));
        STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)));
        STEP(b, b->bind(fd, ADDR(to), sizeof(to)));
        n = sizeof(own);
        STEP(b, b->getsockname(fd, ADDR(own), &n));
        STEP(b, own.sin_port);
        STEP(b, own.sin_addr.s_addr == to.sin_addr.s_addr);
        STEP(b, b->bind(fd, ADDR(to), sizeof(to)));
        if (i == 2)
            STEP(b, b->listen(fd, 3));
        else
            STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
        STEP(b, b->getsockname(fd, ADDR(own), &n));
        STEP(b, own.sin_port != 0);
        STEP(b, own.sin_addr.s_addr == to.sin_addr.s_addr);
        STEP(b, b->bind(fd, ADDR(to), sizeof(to)));
        STEP(b, b->close(fd));
    }
    b->close(listener);
}

/* A datagram to a group leaves at any TTL, or stays within the host: either way it was sent. */
static void of_groups(struct bsd *b)
{
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons(4567)};
    struct ip_mreqn asked = {.imr_address = bsd_address(b, CLIENT, 0).sin_addr};
    struct in_addr told;
    int fd;

    group.sin_addr.s_addr = htonl(0xe0000063);
    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    for (socklen_t n = 0; n <= sizeof(asked); n += 4) {
        socklen_t room = sizeof(told);

        STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &asked, n));
        STEP(b, b->getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &told, &room));
        STEP(b, room);
        STEP(b, told.s_addr == asked.imr_address.s_addr);
    }
    asked.imr_ifindex = 12345;
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &asked, sizeof(asked)));
    asked = (struct ip_mreqn){.imr_multiaddr = bsd_address(b, CLIENT, 0).sin_addr};
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &asked, sizeof(struct in_addr)));
    for (int ttl = 0; ttl < 3; ttl++) {
        STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)));
        STEP(b, b->sendto(fd, "abc", 3, 0, ADDR(group), sizeof(group)));
    }
    STEP(b, b->close(fd));
}

/* In 32 bits or in 64. */
static void of_a_pacing_rate(struct bsd *b)
{
    static const uint64_t rates[] = {1000000, 0, UINT32_MAX, UINT64_C(5) << 32, UINT64_MAX};
    static const uint32_t slow = 5000;
    struct tcp_info info;
    socklen_t n = sizeof(info);
    int fd, server;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        for (socklen_t set = 2; set <= 10; set += 2) {
            uint8_t given[10] = {0};
            socklen_t room = 8;
            uint64_t wide = 0;
            uint32_t narrow = 0;

            memcpy(given, &rates[i], sizeof(rates[i]));
            STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, given, set));
            STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &room));
            STEP(b, room);
            STEP(b, wide >> 32);
            STEP(b, wide & UINT32_MAX);
            room = 4;
            STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &room));
            STEP(b, narrow);
        }
    }
    STEP(b, b->close(fd));
    bsd_connection(b, &fd, &server);
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &slow, sizeof(slow)));
    STEP(b, b->getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n));
    STEP(b, info.tcpi_max_pacing_rate);
    STEP(b, info.tcpi_pacing_rate <= slow);
    b->close(fd);
    b->close(server);
}

/* The tests' links are no interfaces of the kernel's. */
static void of_no_device(struct bsd *b)
{
    char name[20] = "none-such";
    socklen_t n = sizeof(name);
    int fd;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, 9));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, NULL, 9));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, NULL, 0));
    STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &n));
    STEP(b, n);
    STEP(b, b->close(fd));
}

static void of_a_source_route(struct bsd *b)
{
    static const uint8_t loose[] = {1, 131, 11, 4, 192, 0, 2, 1, 192, 0, 2, 2, 0};
    static const uint8_t wrong[][8] = {
        {131, 11, 4, 192, 0, 2, 1, 0}, /* past the end */
        {131, 6, 4, 192, 0, 2, 1, 0},  /* not by addresses */
        {131, 7, 3, 192, 0, 2, 1, 0},  /* a pointer to itself */
        {131, 3, 4, 0, 0, 0, 0, 0},    /* by nobody */
    };
    uint8_t most[44] = {0}, got[40] = {0};
    socklen_t n = sizeof(got);
    int fd;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_OPTIONS, wrong[i], sizeof(wrong[i])));
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_OPTIONS, most, sizeof(most)));
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_OPTIONS, loose, sizeof(loose)));
    STEP(b, b->getsockopt(fd, IPPROTO_IP, IP_OPTIONS, got, &n));
    STEP(b, n);
    STEP(b, memcmp(got, loose, sizeof(loose)) == 0);
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0));
    n = sizeof(got);
    STEP(b, b->getsockopt(fd, IPPROTO_IP, IP_OPTIONS, got, &n));
    STEP(b, n);
    STEP(b, b->close(fd));
}

/* clang-format off */
COMPARED(of_a_source_route)
COMPARED(of_a_stream)
COMPARED(of_a_late_port)
COMPARED(of_groups)
COMPARED(of_no_device)
COMPARED(of_a_pacing_rate)
COMPARED(of_cookie_keys)
COMPARED(of_a_listener)
COMPARED(of_a_stream_of_ip6)
COMPARED(of_datagrams)
COMPARED(of_datagrams_of_ip6)
COMPARED(of_ip6)
COMPARED(of_defaults)
COMPARED(of_wrong_length)
COMPARED(of_times)
COMPARED(told_by_tcp_info)
COMPARED(of_connections)
/* clang-format on */

Suite *socket_options_suite(void);

Suite *socket_options_suite(void)
{
    Suite *suite = suite_create("socket_options");
    TCase *options = tcase_create("options");

    tcase_set_timeout(options, 60);
    tcase_add_loop_test(options, of_a_stream_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_a_late_port_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_groups_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_no_device_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_a_source_route_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_a_pacing_rate_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_a_stream_of_ip6_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_datagrams_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_datagrams_of_ip6_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_ip6_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_defaults_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_wrong_length_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_cookie_keys_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_a_listener_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_times_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, told_by_tcp_info_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(options, of_connections_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, options);
    return suite;
}
