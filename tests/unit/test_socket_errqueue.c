/* Sockets: what became of datagrams: the error queue, and those that are too long for their path;
 * over the kernel's and over ours, and between the two. Read first: ip(7), ipv6(7), recv(2). */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))
#define TEXT    "to nobody at all"

/* A place where nobody listens. */
static struct sockaddr_storage nobody(struct bsd *b, int domain)
{
    struct sockaddr_storage at = {0};
    struct sockaddr_in in = bsd_address(b, SERVER, 9);
    struct sockaddr_in6 in6 = bsd_address6(b, SERVER, 9);

    if (domain == AF_INET)
        memcpy(&at, &in, sizeof(in));
    else
        memcpy(&at, &in6, sizeof(in6));
    return at;
}

static socklen_t size_of(int domain)
{
    return domain == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int asking(struct bsd *b, int domain, bool connected, struct sockaddr_storage *to)
{
    int fd = bsd_socket(b, CLIENT, domain, SOCK_DGRAM, 0), on = 1;

    *to = nobody(b, domain);
    STEP(b, domain == AF_INET ? b->setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on))
                              : b->setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)));
    if (connected)
        STEP(b, b->connect(fd, ADDR(*to), size_of(domain)));
    return fd;
}

/* Whether the address, of the first or the second kind, is the server's, and its port. */
static void note_address(struct bsd *b, int line, const char *text, const void *at)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    memcpy(&in, at, sizeof(in));
    bsd_note(b, line, text, in.sin_family);
    if (in.sin_family == AF_INET) {
        bsd_note(b, line, text, ntohs(in.sin_port));
        bsd_note(b, line, text, in.sin_addr.s_addr == b->at[SERVER].sin_addr.s_addr);
    } else if (in.sin_family == AF_INET6) {
        memcpy(&in6, at, sizeof(in6));
        bsd_note(b, line, text, ntohs(in6.sin6_port));
        bsd_note(b, line, text,
                 memcmp(&in6.sin6_addr, &b->at6[SERVER].sin6_addr, sizeof(in6.sin6_addr)) == 0);
    }
}

static void note_errors(struct bsd *b, int line, struct msghdr *message, int mtu)
{
    struct sock_extended_err error;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        bsd_note(b, line, "level", c->cmsg_level);
        bsd_note(b, line, "type", c->cmsg_type);
        bsd_note(b, line, "len", (long)c->cmsg_len);
        if (c->cmsg_len < CMSG_LEN(sizeof(error)))
            continue;
        memcpy(&error, CMSG_DATA(c), sizeof(error));
        bsd_note(b, line, "errno", error.ee_errno);
        bsd_note(b, line, "origin", error.ee_origin);
        bsd_note(b, line, "type", error.ee_type);
        bsd_note(b, line, "code", error.ee_code);
        bsd_note(b, line, "info", mtu ? (int)error.ee_info == mtu : (long)error.ee_info);
        if (c->cmsg_len >= CMSG_LEN(sizeof(error) + sizeof(struct sockaddr_in)))
            note_address(b, line, "offender", CMSG_DATA(c) + sizeof(error));
    }
}

/* Takes one error, in five seconds at most, into so much room, and writes down all of it. */
static void taken(struct bsd *b, int line, int fd, size_t room, size_t control, int mtu)
{
    _Alignas(struct cmsghdr) uint8_t about[256];
    char text[64] = "";
    struct sockaddr_storage to = {0};
    struct iovec part = {text, room};
    struct msghdr message;
    ssize_t n;
    int tries = 0;

    do {
        message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
        message.msg_name = &to;
        message.msg_namelen = sizeof(to);
        message.msg_control = about;
        message.msg_controllen = control;
        n = b->recvmsg(fd, &message, MSG_ERRQUEUE);
        if (n < 0)
            b->poll(NULL, 0, 5);
    } while (n < 0 && errno == EAGAIN && ++tries < 1000);
    bsd_note(b, line, "recvmsg", n);
    bsd_note(b, line, "flags", message.msg_flags);
    bsd_note(b, line, "text",
             n > 0 && n <= (ssize_t)sizeof(TEXT) ? memcmp(text, TEXT, (size_t)n) : 0);
    bsd_note(b, line, "name", message.msg_namelen);
    bsd_note(b, line, "controllen", (long)message.msg_controllen);
    if (n < 0)
        return;
    note_address(b, line, "to", &to);
    note_errors(b, line, &message, mtu);
}

#define TAKEN(b, fd)                     taken(b, __LINE__, fd, 64, 256, 0)
#define TAKEN_INTO(b, fd, room, control) taken(b, __LINE__, fd, room, control, 0)
#define NONE_LEFT(b, fd)                 STEP(b, left(b, fd))

static long left(struct bsd *b, int fd)
{
    char text[8];

    return b->recvfrom(fd, text, sizeof(text), MSG_ERRQUEUE, NULL, NULL);
}

static long so_error(struct bsd *b, int fd)
{
    int error = -1;
    socklen_t n = sizeof(error);

    return b->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 ? -1 : error;
}

/* --- refused ---------------------------------------------------------------------------------- */

static void told_of_a_refusal(struct bsd *b)
{
    for (int i = 0; i < 4; i++) {
        int domain = i & 1 ? AF_INET6 : AF_INET;
        struct sockaddr_storage to;
        int fd = asking(b, domain, i & 2, &to);

        NONE_LEFT(b, fd);
        if (i & 2)
            STEP(b, b->write(fd, TEXT, sizeof(TEXT)));
        else
            STEP(b, b->sendto(fd, TEXT, sizeof(TEXT), 0, ADDR(to), size_of(domain)));
        TAKEN(b, fd);
        NONE_LEFT(b, fd);
        STEP(b, so_error(b, fd)); /* it went with the last of them */
        b->close(fd);
    }
}

/* An IPv6 socket hears of what it sent over IPv4 if it asked for that. */
static void told_across_families(struct bsd *b)
{
    int fd = bsd_socket(b, CLIENT, AF_INET6, SOCK_DGRAM, 0), on = 1;
    struct sockaddr_in in = bsd_address(b, SERVER, 9);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = in.sin_port};

    to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff;
    memcpy(to.sin6_addr.s6_addr + 12, &in.sin_addr, 4);
    STEP(b, b->setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)));
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
    STEP(b, b->sendto(fd, TEXT, sizeof(TEXT), 0, ADDR(to), sizeof(to)));
    TAKEN(b, fd);
    b->close(fd);
}

static void told_by_other_calls_first(struct bsd *b)
{
    struct sockaddr_storage to;
    int fd = asking(b, AF_INET, false, &to), off = 0;
    char text[8];

    STEP(b, b->sendto(fd, TEXT, sizeof(TEXT), 0, ADDR(to), size_of(AF_INET)));
    (void)bsd_await(b, fd, POLLIN); /* POLLERR, of the kernel */
    STEP(b, b->recvfrom(fd, text, sizeof(text), MSG_DONTWAIT, NULL, NULL));
    STEP(b, b->recvfrom(fd, text, sizeof(text), MSG_DONTWAIT, NULL, NULL));
    STEP(b, b->sendto(fd, TEXT, sizeof(TEXT), 0, ADDR(to), size_of(AF_INET)));
    STEP(b, b->recvfrom(fd, text, sizeof(text), 0, NULL, NULL));
    STEP(b, b->sendto(fd, TEXT, sizeof(TEXT), 0, ADDR(to), size_of(AF_INET)));
    STEP(b, b->recvfrom(fd, text, sizeof(text), 0, NULL, NULL));
    TAKEN(b, fd);
    STEP(b, so_error(b, fd)); /* the next one's */
    TAKEN_INTO(b, fd, 5, 256);
    TAKEN_INTO(b, fd, 64, 20);
    STEP(b, so_error(b, fd));
    STEP(b, b->sendto(fd, TEXT, sizeof(TEXT), 0, ADDR(to), size_of(AF_INET)));
    STEP(b, b->recvfrom(fd, text, sizeof(text), 0, NULL, NULL));
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_RECVERR, &off, sizeof(off)));
    NONE_LEFT(b, fd);
    b->close(fd);
}

/* --- too long --------------------------------------------------------------------------------- */

static const char block[65536];

static int mtu_of(struct bsd *b, int fd, int level, int name)
{
    int mtu = 0;
    socklen_t n = sizeof(mtu);

    STEP(b, b->getsockopt(fd, level, name, &mtu, &n));
    return mtu;
}

static void whole_or_not_at_all(struct bsd *b)
{
    static const int values[] = {IP_PMTUDISC_DO, IP_PMTUDISC_PROBE, IP_PMTUDISC_INTERFACE};

    for (int i = 0; i < 6; i++) {
        bool ip6 = i & 1;
        struct sockaddr_storage to;
        int fd = asking(b, ip6 ? AF_INET6 : AF_INET, true, &to), value = values[i / 2], mtu;
        size_t most;

        if (!ip6 && value != IP_PMTUDISC_DO) { /* the kernel's loopback takes more than IPv4 has */
            b->close(fd);
            continue;
        }
        STEP(b, b->setsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP,
                              ip6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &value, sizeof(value)));
        mtu = mtu_of(b, fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_MTU : IP_MTU);
        mtu = !ip6 && mtu > 65535 ? 65535 : mtu; /* as the kernel has it */
        most = (size_t)mtu - (ip6 ? 48 : 28);
        STEP(b, b->sendto(fd, block, most, 0, NULL, 0) == (ssize_t)most);
        TAKEN_INTO(b, fd, 0, 256);
        STEP(b, b->sendto(fd, block, most + 1, 0, NULL, 0));
        STEP(b, so_error(b, fd));
        taken(b, __LINE__, fd, 64, 256, mtu);
        NONE_LEFT(b, fd);
        b->close(fd);
    }
}

static void asked_for_the_mtu(struct bsd *b)
{
    struct sockaddr_in at = bsd_address(b, SERVER, 9);
    int client, server, fd = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0), value = 1300;
    int six = bsd_socket(b, CLIENT, AF_INET6, SOCK_DGRAM, 0);

    STEP(b, mtu_of(b, fd, IPPROTO_IP, IP_MTU));
    STEP(b, mtu_of(b, six, IPPROTO_IPV6, IPV6_MTU));
    STEP(b, mtu_of(b, fd, IPPROTO_IPV6, IPV6_MTU));
    STEP(b, b->setsockopt(fd, IPPROTO_IP, IP_MTU, &value, sizeof(value)));
    for (value = 1279; value < 1282; value++)
        STEP(b, b->setsockopt(six, IPPROTO_IPV6, IPV6_MTU, &value, sizeof(value)));
    value = 0;
    STEP(b, b->setsockopt(six, IPPROTO_IPV6, IPV6_MTU, &value, sizeof(value)));
    STEP(b, b->setsockopt(six, IPPROTO_IPV6, IPV6_MTU, &value, 3));
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    STEP(b, mtu_of(b, fd, IPPROTO_IP, IP_MTU) >= 1500);
    bsd_connection(b, &client, &server);
    STEP(b, mtu_of(b, client, IPPROTO_IP, IP_MTU) >= 1500);
    NONE_LEFT(b, client); /* of a stream there is none */
    b->close(client);
    b->close(server);
    b->close(fd);
    b->close(six);
}

/* Where it is not cut any more, and the receiver's buffer takes it. */
static void cut_to_a_wish(struct bsd *b)
{
    struct sockaddr_in6 at = bsd_address6(b, SERVER, 0);
    int server = bsd_socket(b, SERVER, AF_INET6, SOCK_DGRAM, 0), wish = 1300;
    int client = bsd_socket(b, CLIENT, AF_INET6, SOCK_DGRAM, 0), on = 1;
    socklen_t n = sizeof(at);
    static char into[2000];

    STEP(b, b->bind(server, ADDR(at), sizeof(at)));
    b->getsockname(server, ADDR(at), &n);
    STEP(b, b->setsockopt(client, IPPROTO_IPV6, IPV6_MTU, &wish, sizeof(wish)));
    STEP(b, b->sendto(client, block, 1400, 0, ADDR(at), sizeof(at)));
    STEP(b, b->recvfrom(server, into, sizeof(into), 0, NULL, NULL));
    STEP(b, b->setsockopt(client, IPPROTO_IPV6, IPV6_DONTFRAG, &on, sizeof(on)));
    STEP(b, b->sendto(client, block, 1400, 0, ADDR(at), sizeof(at)));
    STEP(b, b->sendto(client, block, 1200, 0, ADDR(at), sizeof(at)));
    STEP(b, b->recvfrom(server, into, sizeof(into), 0, NULL, NULL));
    b->close(client);
    b->close(server);
}

/* clang-format off */
COMPARED(told_of_a_refusal)
COMPARED(told_across_families)
COMPARED(told_by_other_calls_first)
COMPARED(whole_or_not_at_all)
COMPARED(asked_for_the_mtu)
COMPARED(cut_to_a_wish)
/* clang-format on */

Suite *socket_errqueue_suite(void);

Suite *socket_errqueue_suite(void)
{
    Suite *suite = suite_create("socket_errqueue");
    TCase *errors = tcase_create("errors");

    tcase_set_timeout(errors, 60);
    tcase_add_loop_test(errors, told_of_a_refusal_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(errors, told_across_families_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(errors, told_by_other_calls_first_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(errors, whole_or_not_at_all_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(errors, asked_for_the_mtu_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(errors, cut_to_a_wish_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, errors);
    return suite;
}
