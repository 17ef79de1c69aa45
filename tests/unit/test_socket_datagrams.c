/* Sockets: datagrams, over the kernel's and over ours. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))

static int bound_datagram(struct bsd *b, enum bsd_side side, struct sockaddr_in *at)
{
    int fd = bsd_socket(b, side, AF_INET, SOCK_DGRAM, 0);
    socklen_t n = sizeof(*at);

    *at = bsd_address(b, side, 0);
    b->bind(fd, ADDR(*at), sizeof(*at));
    b->getsockname(fd, ADDR(*at), &n);
    return fd;
}

static void datagrams(struct bsd *b)
{
    static char large[70000];
    struct sockaddr_in at, from, nowhere;
    struct iovec parts[2] = {{(char[4]){0}, 4}, {(char[2]){0}, 2}};
    struct msghdr message = {
        .msg_iov = parts, .msg_iovlen = 2, .msg_name = &from, .msg_namelen = sizeof(from)};
    socklen_t n = sizeof(from);
    int server = bound_datagram(b, SERVER, &at), client, size;
    char text[32];

    nowhere = at;
    nowhere.sin_port = 0;
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    SEEN(b, client, 0);
    STEP(b, b->sendto(client, "x", 1, 0, NULL, 0));
    STEP(b, b->sendto(client, "x", 1, 0, ADDR(at), 15));
    STEP(b, b->sendto(client, "x", 1, 0, ADDR(nowhere), sizeof(nowhere)));
    STEP(b, b->sendto(client, large, sizeof(large), 0, ADDR(at), sizeof(at)));
    STEP(b, b->recvfrom(client, text, 1, MSG_DONTWAIT, NULL, NULL));
    STEP(b, b->listen(client, 1));
    STEP(b, b->accept4(client, NULL, NULL, 0));
    STEP(b, b->sendto(client, "hello", 5, 0, ADDR(at), sizeof(at)));
    SEEN(b, server, POLLIN);
    STEP(b, b->ioctl(server, FIONREAD, &size));
    STEP(b, size);
    STEP(b, b->recvfrom(server, text, 3, MSG_PEEK, ADDR(from), &n));
    STEP(b, n);
    STEP(b, b->recvfrom(server, text, 3, MSG_PEEK | MSG_TRUNC, NULL, NULL));
    STEP(b, b->recvmsg(server, &message, 0));
    STEP(b, message.msg_flags);
    STEP(b, message.msg_namelen);
    SEEN(b, server, 0);
    STEP(b, b->sendto(client, "", 0, 0, ADDR(at), sizeof(at)));
    SEEN(b, server, POLLIN);
    STEP(b, b->recvfrom(server, text, 3, 0, NULL, NULL));
    STEP(b, b->shutdown(client, SHUT_WR));
    STEP(b, b->sendto(server, "answer", 6, 0, ADDR(from), sizeof(from)));
    SEEN(b, client, POLLIN);
    message.msg_namelen = sizeof(from);
    parts[0].iov_len = 3;
    STEP(b, b->recvmsg(client, &message, 0));
    STEP(b, message.msg_flags);
    STEP(b, from.sin_port == at.sin_port);
    b->close(client);
    b->close(server);
}

/* Buffers and lists of buffers that are not there. */
static void from_nowhere(struct bsd *b)
{
    static struct iovec many[1025];
    char *volatile no_bytes = NULL;
    struct iovec *volatile no_parts = NULL;
    char text[8];
    struct iovec parts[2] = {{text, 2}, {NULL, 2}}, none = {NULL, 4}, empty = {NULL, 0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct sockaddr_in at;
    int client, server, datagrams = bound_datagram(b, SERVER, &at), sender;

    bsd_connection(b, &client, &server);
    STEP(b, b->sendto(client, no_bytes, 4, 0, NULL, 0));
    STEP(b, b->sendto(client, no_bytes, 0, 0, NULL, 0));
    STEP(b, b->writev(client, no_parts, 1));
    STEP(b, b->writev(client, no_parts, 0));
    STEP(b, b->writev(client, &empty, 1));
    STEP(b, b->writev(client, many, 1025));
    STEP(b, b->readv(client, many, 1025));
    STEP(b, b->writev(client, &none, 1));
    STEP(b, b->recvfrom(server, no_bytes, 4, MSG_DONTWAIT, NULL, NULL));
    STEP(b, b->sendmsg(client, &message, 0));
    STEP(b, b->write(client, "abcd", 4));
    bsd_await_bytes(b, server, 4);
    STEP(b, b->recvfrom(server, no_bytes, 4, 0, NULL, NULL));
    STEP(b, b->readv(server, &none, 1));
    STEP(b, b->readv(server, no_parts, 1));
    STEP(b, b->recvmsg(server, &message, 0));
    message.msg_iov = NULL;
    STEP(b, b->recvmsg(server, &message, 0));
    message.msg_iovlen = 1025;
    STEP(b, b->recvmsg(server, &message, 0));
    STEP(b, b->sendmsg(client, &message, 0));
    STEP(b, b->recvfrom(server, no_bytes, 3, MSG_TRUNC, NULL, NULL));
    STEP(b, b->recvfrom(server, text, sizeof(text), 0, NULL, NULL));
    b->close(client);
    SEEN(b, server, POLLIN);
    STEP(b, b->recvfrom(server, no_bytes, 4, 0, NULL, NULL)); /* the end needs no room */
    b->close(server);
    sender = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0);
    STEP(b, b->sendto(sender, no_bytes, 4, 0, ADDR(at), sizeof(at)));
    STEP(b, b->connect(sender, ADDR(at), sizeof(at)));
    STEP(b, b->writev(sender, parts, 2));
    STEP(b, b->write(sender, "abcd", 4));
    SEEN(b, datagrams, POLLIN);
    STEP(b, b->readv(datagrams, &none, 1));
    STEP(b, b->recvfrom(datagrams, text, sizeof(text), MSG_DONTWAIT, NULL, NULL));
    b->close(sender);
    b->close(datagrams);
}

static void connected_datagrams(struct bsd *b)
{
    struct sockaddr_in at, other, me, unspec = {.sin_family = AF_UNSPEC};
    int server = bound_datagram(b, SERVER, &at), stranger = bound_datagram(b, SERVER, &other);
    int client, error = 0;
    socklen_t n = sizeof(me);
    char text[32];

    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    STEP(b, b->getpeername(client, ADDR(me), &n));
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    STEP(b, b->getpeername(client, ADDR(me), &n));
    STEP(b, b->getsockname(client, ADDR(me), &n));
    STEP(b, me.sin_port != 0 && me.sin_addr.s_addr != 0);
    STEP(b, b->write(client, "hello", 5));
    SEEN(b, server, POLLIN);
    STEP(b, b->sendto(stranger, "no", 2, 0, ADDR(me), sizeof(me)));
    STEP(b, b->sendto(server, "yes", 3, 0, ADDR(me), sizeof(me)));
    SEEN(b, client, POLLIN);
    STEP(b, b->read(client, text, sizeof(text))); /* from its peer alone */
    STEP(b, b->close(server));
    STEP(b, b->write(client, "anybody?", 8));
    (void)bsd_await(b, client, POLLIN | POLLERR);
    STEP(b, b->write(client, "anybody?", 8)); /* tells the error, and sends nothing */
    STEP(b, b->write(client, "anybody?", 8));
    n = sizeof(error);
    (void)bsd_await(b, client, POLLIN | POLLERR);
    STEP(b, b->getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &n));
    STEP(b, error);
    STEP(b, b->connect(client, ADDR(unspec), sizeof(unspec)));
    STEP(b, b->write(client, "x", 1));
    n = sizeof(me);
    STEP(b, b->getpeername(client, ADDR(me), &n));
    STEP(b, b->connect(client, ADDR(other), sizeof(other)));
    STEP(b, b->shutdown(client, SHUT_RD));
    SEEN(b, client, 0);
    STEP(b, b->read(client, text, sizeof(text)));
    b->close(client);
    b->close(stranger);
}

static void datagrams_over_ip6(struct bsd *b)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6}, from;
    struct sockaddr_in to4;
    socklen_t n = sizeof(at);
    int server, client;
    char text[8];

    OPENED(b, server, bsd_socket(b, SERVER, AF_INET6, SOCK_DGRAM, 0));
    STEP(b, b->bind(server, ADDR(at), sizeof(at)));
    STEP(b, b->getsockname(server, ADDR(at), &n));
    to4 = bsd_address(b, SERVER, ntohs(at.sin6_port));
    at = bsd_address6(b, SERVER, ntohs(at.sin6_port));
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET6, SOCK_DGRAM, 0));
    STEP(b, b->sendto(client, "six", 3, 0, ADDR(at), sizeof(at)));
    SEEN(b, server, POLLIN);
    STEP(b, b->recvfrom(server, text, 8, 0, ADDR(from), &n));
    STEP(b, n);
    STEP(b, IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    b->close(client);
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    STEP(b, b->sendto(client, "six", 3, 0, ADDR(at), sizeof(at)));
    STEP(b, b->sendto(client, "four", 4, 0, ADDR(to4), sizeof(to4)));
    SEEN(b, server, POLLIN);
    STEP(b, b->recvfrom(server, text, 8, 0, ADDR(from), &n));
    STEP(b, IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    STEP(b, b->sendto(server, "back", 4, 0, ADDR(from), sizeof(from)));
    SEEN(b, client, POLLIN);
    b->close(client);
    b->close(server);
}

/* To himself, and then one octet more: 65535 less the headers that count, of either family. */
static void fill(struct bsd *b, int domain, struct sockaddr *at, socklen_t n, size_t most)
{
    static char bytes[70000], back[70000];
    const int room = 1 << 20;
    int server = bsd_socket(b, SERVER, domain, SOCK_DGRAM, 0), client;
    ssize_t got;

    STEP(b, b->setsockopt(server, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)));
    STEP(b, b->bind(server, at, n));
    STEP(b, b->getsockname(server, at, &n));
    OPENED(b, client, bsd_socket(b, CLIENT, domain, SOCK_DGRAM, 0));
    for (size_t i = 0; i < most; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    STEP(b, b->sendto(client, bytes, most, 0, at, n));
    SEEN(b, server, POLLIN);
    STEP(b, got = b->recvfrom(server, back, sizeof(back), 0, NULL, NULL));
    STEP(b, got < 0 || memcmp(bytes, back, (size_t)got));
    STEP(b, b->sendto(client, bytes, most + 1, 0, at, n));
    STEP(b, b->recvfrom(server, back, sizeof(back), MSG_DONTWAIT, NULL, NULL));
    b->close(client);
    b->close(server);
}

static void one_that_is_longer_than_the_buffer(struct bsd *b)
{
    static char bytes[20000];
    const int least = 1;
    struct sockaddr_in at = bsd_address(b, SERVER, 0);
    socklen_t n = sizeof(at);
    int server = bsd_socket(b, SERVER, AF_INET, SOCK_DGRAM, 0), client;

    STEP(b, b->setsockopt(server, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)));
    STEP(b, b->bind(server, ADDR(at), n));
    STEP(b, b->getsockname(server, ADDR(at), &n));
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    STEP(b, b->sendto(client, bytes, sizeof(bytes), 0, ADDR(at), n));
    SEEN(b, server, POLLIN);
    STEP(b, b->recvfrom(server, bytes, sizeof(bytes), MSG_DONTWAIT, NULL, NULL));
    b->close(client);
    b->close(server);
}

static void the_longest_datagrams(struct bsd *b)
{
    struct sockaddr_in at = bsd_address(b, SERVER, 0);
    struct sockaddr_in6 at6 = bsd_address6(b, SERVER, 0);

    fill(b, AF_INET, ADDR(at), sizeof(at), 65507);
    fill(b, AF_INET6, ADDR(at6), sizeof(at6), 65527);
}

COMPARED(datagrams)
COMPARED(from_nowhere)
COMPARED(connected_datagrams)
COMPARED(datagrams_over_ip6)
COMPARED(one_that_is_longer_than_the_buffer)
COMPARED(the_longest_datagrams)

Suite *socket_datagrams_suite(void);

Suite *socket_datagrams_suite(void)
{
    Suite *suite = suite_create("socket_datagrams");
    TCase *compared = tcase_create("as on Linux");

    tcase_add_loop_test(compared, datagrams_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(compared, from_nowhere_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(compared, connected_datagrams_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(compared, datagrams_over_ip6_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(compared, one_that_is_longer_than_the_buffer_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(compared, the_longest_datagrams_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, compared);
    return suite;
}
