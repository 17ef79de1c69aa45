/* Sockets: what comes with a datagram beside its bytes, and goes with it: over the kernel's and
 * over ours, and between the two. Read first: cmsg(3), ip(7), ipv6(7). */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))
#define ROOM    256

/* A control buffer that is being written. */
struct control {
    _Alignas(struct cmsghdr) uint8_t bytes[ROOM];
    size_t used;
};

static void add(struct control *control, int level, int type, const void *data, size_t len)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};

    memcpy(control->bytes + control->used, &header, sizeof(header));
    memcpy(control->bytes + control->used + CMSG_LEN(0), data, len);
    control->used += CMSG_SPACE(len);
}

static void add_int(struct control *control, int level, int type, int value)
{
    add(control, level, type, &value, sizeof(value));
}

static long send_with(struct bsd *b, int fd, struct sockaddr *to, socklen_t length,
                      const struct control *control)
{
    struct iovec part = {(char[]){"told"}, 4};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    message.msg_name = to;
    message.msg_namelen = length;
    message.msg_control = control->used ? (void *)(uintptr_t)control->bytes : NULL;
    message.msg_controllen = control->used;
    return b->sendmsg(fd, &message, 0);
}

#define SENT(b, fd, to, control) STEP(b, send_with(b, fd, ADDR(to), sizeof(to), control))

/* A source is written down as whether it is the server's address. */
static void note_source(struct bsd *b, int line, const struct cmsghdr *c)
{
    struct in_pktinfo info;
    struct in6_pktinfo info6;

    if (c->cmsg_level == IPPROTO_IP) {
        memcpy(&info, CMSG_DATA(c), sizeof(info));
        bsd_note(b, line, "to", info.ipi_addr.s_addr == b->at[SERVER].sin_addr.s_addr);
        bsd_note(b, line, "at", info.ipi_spec_dst.s_addr == b->at[SERVER].sin_addr.s_addr);
        bsd_note(b, line, "interface", info.ipi_ifindex > 0);
        return;
    }
    memcpy(&info6, CMSG_DATA(c), sizeof(info6));
    bsd_note(b, line, "to", memcmp(&info6.ipi6_addr, &b->at6[SERVER].sin6_addr, 16) == 0);
    bsd_note(b, line, "mapped", IN6_IS_ADDR_V4MAPPED(&info6.ipi6_addr));
    bsd_note(b, line, "interface", info6.ipi6_ifindex > 0);
}

/* Receives with so much room for control messages, and writes down all of them. */
static void received(struct bsd *b, int line, int fd, size_t room)
{
    _Alignas(struct cmsghdr) uint8_t bytes[ROOM];
    char text[8];
    struct iovec part = {text, sizeof(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    memset(bytes, 0x55, sizeof(bytes));
    message.msg_control = room ? bytes : NULL;
    message.msg_controllen = room;
    bsd_note(b, line, "awaited", bsd_await(b, fd, POLLIN));
    bsd_note(b, line, "recvmsg", b->recvmsg(fd, &message, MSG_DONTWAIT));
    bsd_note(b, line, "flags", message.msg_flags);
    bsd_note(b, line, "controllen", (long)message.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        int value = 0;
        size_t len = c->cmsg_len - CMSG_LEN(0);

        bsd_note(b, line, "level", c->cmsg_level);
        bsd_note(b, line, "type", c->cmsg_type);
        bsd_note(b, line, "len", (long)len);
        if (len >= sizeof(struct in_pktinfo))
            note_source(b, line, c);
        if (len > sizeof(value)) /* or a part of one */
            continue;
        memcpy(&value, CMSG_DATA(c), len);
        bsd_note(b, line, "value", c->cmsg_type == IP_PKTINFO ? 0 : value);
    }
}

#define RECEIVED(b, fd, room) received(b, __LINE__, fd, room)

static void want(struct bsd *b, int fd, int level, int name)
{
    int on = 1;

    STEP(b, b->setsockopt(fd, level, name, &on, sizeof(on)));
}

/* Bound to no address: only so does it matter which of them was asked. */
static int listening_anywhere(struct bsd *b, int domain, uint16_t *port)
{
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } any = {.in6 = {.sin6_family = (sa_family_t)domain}};
    socklen_t n = domain == AF_INET ? sizeof(any.in) : sizeof(any.in6);
    int fd;

    OPENED(b, fd, bsd_socket(b, SERVER, domain, SOCK_DGRAM, 0));
    STEP(b, b->bind(fd, ADDR(any), n));
    b->getsockname(fd, ADDR(any), &n);
    *port = ntohs(any.in.sin_port);
    return fd;
}

/* --- IPv4 ------------------------------------------------------------------------------------- */

static void told_of_datagrams(struct bsd *b)
{
    static const size_t rooms[] = {ROOM, 0, 8, 16, 24, 28, 32, 40, 56, 80, 88};
    uint16_t port;
    int server = listening_anywhere(b, AF_INET, &port), client;
    struct sockaddr_in at = bsd_address(b, SERVER, port);
    struct control ours = {.used = 0}, none = {.used = 0};

    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    SENT(b, client, at, &none);
    RECEIVED(b, server, ROOM); /* nothing was asked for */
    want(b, server, IPPROTO_IP, IP_PKTINFO);
    want(b, server, IPPROTO_IP, IP_RECVTTL);
    want(b, server, IPPROTO_IP, IP_RECVTOS);
    add_int(&ours, IPPROTO_IP, IP_TTL, 33);
    add_int(&ours, IPPROTO_IP, IP_TOS, 0x28);
    for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
        SENT(b, client, at, &ours);
        RECEIVED(b, server, rooms[i]);
    }
    SENT(b, client, at, &none); /* it was said of that one alone */
    RECEIVED(b, server, ROOM);
    b->close(client);
    b->close(server);
}

static void answered_from_where_it_was_asked(struct bsd *b)
{
    uint16_t port;
    int server = listening_anywhere(b, AF_INET, &port), client;
    struct sockaddr_in at = bsd_address(b, SERVER, port), from;
    struct in_pktinfo info = {.ipi_spec_dst = at.sin_addr};
    struct control source = {.used = 0};
    socklen_t n = sizeof(from);
    char text[8];

    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    STEP(b, b->sendto(client, "who?", 4, 0, ADDR(at), sizeof(at)));
    SEEN(b, server, POLLIN);
    STEP(b, b->recvfrom(server, text, sizeof(text), 0, ADDR(from), &n));
    add(&source, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    SENT(b, server, from, &source);
    SEEN(b, client, POLLIN);
    STEP(b, b->recvfrom(client, text, sizeof(text), 0, ADDR(from), &n));
    STEP(b, from.sin_addr.s_addr == at.sin_addr.s_addr);
    STEP(b, from.sin_port == at.sin_port);
    b->close(client);
    b->close(server);
}

static void one(struct bsd *b, int line, int fd, struct sockaddr_in *to, struct control *control)
{
    errno = 0;
    bsd_note(b, line, "sendmsg", send_with(b, fd, ADDR(*to), sizeof(*to), control));
    control->used = 0;
}

/* Numbers out of range, of the wrong length, of no meaning; sources that are somebody else's. */
static void told_wrongly(struct bsd *b)
{
    static const int ttls[] = {0, 1, 255, 256, -1}, classes[] = {0, 255, 256, -1};
    uint16_t port;
    int server = listening_anywhere(b, AF_INET, &port), client, stream, peer;
    struct sockaddr_in at = bsd_address(b, SERVER, port);
    struct in_pktinfo info = {.ipi_spec_dst = {htonl(0xc0000201)}};
    struct control c = {.used = 0};

    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    for (size_t i = 0; i < sizeof(ttls) / sizeof(*ttls); i++) {
        add_int(&c, IPPROTO_IP, IP_TTL, ttls[i]);
        one(b, __LINE__, client, &at, &c);
    }
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
        add_int(&c, IPPROTO_IP, IP_TOS, classes[i]);
        one(b, __LINE__, client, &at, &c);
    }
    for (size_t len = 0; len < 14; len++) {
        add(&c, IPPROTO_IP, IP_TTL, "\1\0\0\0\0\0\0\0\0\0\0\0\0", len);
        one(b, __LINE__, client, &at, &c);
        add(&c, IPPROTO_IP, IP_TOS, "\1\0\0\0\0\0\0\0\0\0\0\0\0", len);
        one(b, __LINE__, client, &at, &c);
        add(&c, IPPROTO_IP, IP_PKTINFO, "\0\0\0\0\0\0\0\0\0\0\0\0\0", len);
        one(b, __LINE__, client, &at, &c);
    }
    add(&c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    one(b, __LINE__, client, &at, &c);
    add_int(&c, IPPROTO_IP, 12345, 1);
    one(b, __LINE__, client, &at, &c);
    add_int(&c, 12345, 1, 1);
    one(b, __LINE__, client, &at, &c);
    add_int(&c, IPPROTO_IPV6, IPV6_TCLASS, 1);
    one(b, __LINE__, client, &at, &c);
    add_int(&c, SOL_SOCKET, 12345, 1);
    one(b, __LINE__, client, &at, &c);
    add_int(&c, IPPROTO_IP, IP_TTL, 9);
    c.used--; /* the message is there, its padding is not whole */
    one(b, __LINE__, client, &at, &c);
    add_int(&c, IPPROTO_IP, IP_TTL, 9);
    c.used = CMSG_LEN(3);
    one(b, __LINE__, client, &at, &c);
    add_int(&c, IPPROTO_IP, IP_TTL, 9);
    ((struct cmsghdr *)(void *)c.bytes)->cmsg_len = 3;
    one(b, __LINE__, client, &at, &c);
    bsd_connection(b, &stream, &peer);
    add_int(&c, IPPROTO_IP, IP_TTL, 300); /* to a stream it means nothing */
    one(b, __LINE__, stream, &at, &c);
    add_int(&c, SOL_SOCKET, 12345, 1);
    one(b, __LINE__, stream, &at, &c);
    b->close(stream);
    b->close(peer);
    b->close(client);
    b->close(server);
}

/* --- time ------------------------------------------------------------------------------------- */

static double wall(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double time_in(const struct cmsghdr *c)
{
    struct timeval us;
    struct timespec ns;

    memcpy(&us, CMSG_DATA(c), sizeof(us));
    memcpy(&ns, CMSG_DATA(c), sizeof(ns));
    return c->cmsg_type == SCM_TIMESTAMP ? (double)us.tv_sec + (double)us.tv_usec / 1e6
                                         : (double)ns.tv_sec + (double)ns.tv_nsec / 1e9;
}

/* Receives, and writes down what comes along; of times, whether they lie between those around. */
static void stamped(struct bsd *b, int line, int fd, double sent, size_t room)
{
    _Alignas(struct cmsghdr) uint8_t bytes[ROOM];
    char text[8];
    struct iovec part = {text, sizeof(text)};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = bytes, .msg_controllen = room};

    bsd_note(b, line, "awaited", bsd_await(b, fd, POLLIN));
    bsd_note(b, line, "recvmsg", b->recvmsg(fd, &message, MSG_DONTWAIT));
    bsd_note(b, line, "flags", message.msg_flags);
    bsd_note(b, line, "controllen", (long)message.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        bsd_note(b, line, "level", c->cmsg_level);
        bsd_note(b, line, "type", c->cmsg_type);
        bsd_note(b, line, "len", (long)c->cmsg_len);
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_len == CMSG_LEN(sizeof(struct timespec)))
            bsd_note(b, line, "in time", time_in(c) >= sent - 0.001 && time_in(c) <= wall());
    }
}

#define STAMPED(b, fd, room)                                                                       \
    do {                                                                                           \
        double sent = wall();                                                                      \
                                                                                                   \
        SENT(b, client, at, &none);                                                                \
        b->poll(NULL, 0, 20); /* it lies there for a while */                                      \
        stamped(b, __LINE__, fd, sent, room);                                                      \
    } while (0)

static void set_to(struct bsd *b, int fd, int name, int value)
{
    static const int names[] = {SO_TIMESTAMP, SO_TIMESTAMPNS};
    socklen_t n = sizeof(value);

    STEP(b, b->setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        STEP(b, b->getsockopt(fd, SOL_SOCKET, names[i], &value, &n));
        STEP(b, value);
    }
}

static void told_when_it_came(struct bsd *b)
{
    uint16_t port;
    int server = listening_anywhere(b, AF_INET, &port), client;
    struct sockaddr_in at = bsd_address(b, SERVER, port);
    struct control none = {.used = 0};

    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    set_to(b, server, SO_TIMESTAMP, 1);
    STAMPED(b, server, ROOM);
    STAMPED(b, server, 20);
    want(b, server, IPPROTO_IP, IP_RECVTTL);
    STAMPED(b, server, ROOM);
    set_to(b, server, SO_TIMESTAMPNS, 5);
    STAMPED(b, server, ROOM);
    set_to(b, server, SO_TIMESTAMP, 0);
    STAMPED(b, server, ROOM);
    set_to(b, server, SO_TIMESTAMPNS, 1);
    set_to(b, server, SO_TIMESTAMP, 1);
    STAMPED(b, server, ROOM);
    b->close(client);
    b->close(server);
}

/* --- IPv6 ------------------------------------------------------------------------------------- */

static void told_of_datagrams_over_ip6(struct bsd *b)
{
    uint16_t port;
    int server = listening_anywhere(b, AF_INET6, &port), client;
    struct sockaddr_in6 at = bsd_address6(b, SERVER, port), from;
    struct sockaddr_in at4 = bsd_address(b, SERVER, port);
    struct in6_pktinfo info = {.ipi6_addr = at.sin6_addr};
    struct control ours = {.used = 0}, source = {.used = 0};
    socklen_t n = sizeof(from);
    char text[8];

    want(b, server, IPPROTO_IPV6, IPV6_RECVPKTINFO);
    want(b, server, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
    want(b, server, IPPROTO_IPV6, IPV6_RECVTCLASS);
    want(b, server, IPPROTO_IP, IP_RECVTTL);
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET6, SOCK_DGRAM, 0));
    add_int(&ours, IPPROTO_IPV6, IPV6_HOPLIMIT, 44);
    add_int(&ours, IPPROTO_IPV6, IPV6_TCLASS, 0x88);
    add_int(&ours, IPPROTO_IP, IP_TTL, 999); /* not for this family */
    SENT(b, client, at, &ours);
    RECEIVED(b, server, ROOM);
    SENT(b, client, at, &ours);
    SEEN(b, server, POLLIN);
    STEP(b, b->recvfrom(server, text, sizeof(text), 0, ADDR(from), &n));
    add(&source, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    SENT(b, server, from, &source);
    SEEN(b, client, POLLIN);
    STEP(b, b->recvfrom(client, text, sizeof(text), 0, ADDR(from), &n));
    STEP(b, memcmp(&from.sin6_addr, &at.sin6_addr, 16));
    memset(&info.ipi6_addr, 0x20, sizeof(info.ipi6_addr));
    source.used = 0;
    add(&source, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    SENT(b, client, at, &source);
    b->close(client);
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    STEP(b, b->sendto(client, "four", 4, 0, ADDR(at4), sizeof(at4)));
    RECEIVED(b, server, ROOM);
    b->close(client);
    b->close(server);
}

COMPARED(told_of_datagrams)
COMPARED(answered_from_where_it_was_asked)
COMPARED(told_wrongly)
COMPARED(told_when_it_came)
COMPARED(told_of_datagrams_over_ip6)

Suite *socket_ancillary_suite(void);

Suite *socket_ancillary_suite(void)
{
    Suite *suite = suite_create("socket_ancillary");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, told_of_datagrams_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(all, answered_from_where_it_was_asked_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(all, told_wrongly_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(all, told_when_it_came_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(all, told_of_datagrams_over_ip6_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, all);
    return suite;
}
