/* Sockets: the same steps over the kernel's and over ours return the same, errno included. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))

/* --- calls out of order ----------------------------------------------------------------------- */

static void on_a_fresh_stream(struct bsd *b)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof(a);
    char byte = 0;
    int fd;

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    SEEN(b, fd, 0);
    STEP(b, b->getpeername(fd, ADDR(a), &n));
    STEP(b, b->getsockname(fd, ADDR(a), &n));
    STEP(b, n);
    STEP(b, a.sin_port);
    STEP(b, a.sin_addr.s_addr);
    STEP(b, b->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    STEP(b, b->read(fd, &byte, 1));
    STEP(b, b->sendto(fd, &byte, 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->accept4(fd, NULL, NULL, 0));
    STEP(b, b->shutdown(fd, SHUT_RDWR));
    STEP(b, b->shutdown(fd, 3));
    STEP(b, b->shutdown(fd, -1));
    STEP(b, b->ioctl(fd, FIONREAD, &n));
    STEP(b, b->ioctl(fd, SIOCOUTQ, &n));
    STEP(b, b->ioctl(fd, 0x1234, &n));
    STEP(b, b->close(fd));
    STEP(b, b->close(fd));
    STEP(b, b->read(fd, &byte, 1));
}

static void on_no_socket(struct bsd *b)
{
    char byte = 0;
    struct sockaddr_in a = bsd_address(b, SERVER, 1);
    socklen_t n = sizeof(a);
    int fds[2], one = 1;

    ck_assert_int_eq(pipe(fds), 0);
    for (int i = 0; i < 3; i++) {
        int fd = i == 0 ? -1 : i == 1 ? 9999 : fds[0];

        STEP(b, b->bind(fd, ADDR(a), n));
        STEP(b, b->listen(fd, 1));
        STEP(b, b->accept4(fd, NULL, NULL, 0));
        STEP(b, b->connect(fd, ADDR(a), n));
        STEP(b, b->sendto(fd, &byte, 1, 0, NULL, 0));
        STEP(b, b->recvfrom(fd, &byte, 1, 0, NULL, NULL));
        STEP(b, b->shutdown(fd, SHUT_WR));
        STEP(b, b->getsockname(fd, ADDR(a), &n));
        STEP(b, b->getpeername(fd, ADDR(a), &n));
        STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
        STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, &n));
        n = sizeof(a);
    }
    STEP(b, b->close(9999));
    close(fds[0]);
    close(fds[1]);
}

static void of_every_kind(struct bsd *b)
{
    static const struct {
        int domain, type, protocol;
    } kinds[] = {
        {AF_INET, SOCK_STREAM, IPPROTO_TCP},
        {AF_INET, SOCK_STREAM, IPPROTO_UDP},
        {AF_INET, SOCK_DGRAM, IPPROTO_UDP},
        {AF_INET, SOCK_DGRAM, IPPROTO_TCP},
        {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0},
        {AF_INET, SOCK_STREAM | 0x100000, 0},
        {AF_INET, SOCK_RDM, 0},
        {AF_INET, 99, 0},
        {AF_INET, 12, 0},
        {AF_INET, SOCK_STREAM, -1},
        {AF_INET, SOCK_STREAM, 9999},
        {AF_INET6, SOCK_STREAM, 0},
        {AF_INET6, SOCK_DGRAM, 0},
        {99, SOCK_STREAM, 0},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        int fd;

        OPENED(b, fd, bsd_socket(b, CLIENT, kinds[i].domain, kinds[i].type, kinds[i].protocol));
        if (fd < 0)
            continue;
        STEP(b, b->fcntl(fd, F_GETFL));
        STEP(b, b->fcntl(fd, F_GETFD));
        STEP(b, b->close(fd));
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static void bound_to_anything(struct bsd *b)
{
    struct sockaddr_in a = bsd_address(b, SERVER, 0), far = a, unspec = a;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    socklen_t n = sizeof(a);
    int fd, other, dgram, one = 1;

    far.sin_addr.s_addr = htonl(0xc0000201);
    unspec.sin_family = AF_UNSPEC;
    OPENED(b, fd, bsd_socket(b, SERVER, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->bind(fd, ADDR(a), 15));
    STEP(b, b->bind(fd, ADDR(a), 0));
    STEP(b, b->bind(fd, ADDR(a), (socklen_t)-1));
    STEP(b, b->bind(fd, ADDR(a), 129));
    STEP(b, b->bind(fd, NULL, n));
    STEP(b, b->bind(fd, ADDR(six), sizeof(six)));
    STEP(b, b->bind(fd, ADDR(unspec), n));
    STEP(b, b->bind(fd, ADDR(far), n));
    STEP(b, b->bind(fd, ADDR(a), n));
    STEP(b, b->bind(fd, ADDR(a), n));
    STEP(b, b->getsockname(fd, ADDR(a), &n));
    STEP(b, a.sin_port != 0);
    n = 4;
    STEP(b, b->getsockname(fd, ADDR(far), &n));
    STEP(b, n);
    n = (socklen_t)-1;
    STEP(b, b->getsockname(fd, ADDR(far), &n));
    n = sizeof(a);
    OPENED(b, other, bsd_socket(b, SERVER, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->bind(other, ADDR(a), n));
    STEP(b, b->setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
    STEP(b, b->bind(other, ADDR(a), n));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
    STEP(b, b->bind(other, ADDR(a), n));
    STEP(b, b->listen(fd, 1));
    STEP(b, b->listen(other, 1));
    OPENED(b, dgram, bsd_socket(b, SERVER, AF_INET, SOCK_DGRAM, 0));
    STEP(b, b->bind(dgram, ADDR(a), n));
    STEP(b, b->close(fd));
    STEP(b, b->listen(other, 1));
    STEP(b, b->close(other));
    STEP(b, b->close(dgram));
}

/* --- listening -------------------------------------------------------------------------------- */

static void listening(struct bsd *b)
{
    struct sockaddr_in at, peer;
    socklen_t n = sizeof(peer);
    int fd = bsd_listener(b, &at, 4), client, child;
    char byte;

    STEP(b, b->fcntl(fd, F_SETFL, O_NONBLOCK));
    SEEN(b, fd, 0);
    STEP(b, b->accept4(fd, NULL, NULL, 0));
    STEP(b, b->accept4(fd, NULL, NULL, 0x40000));
    STEP(b, b->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    STEP(b, b->sendto(fd, &byte, 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    STEP(b, b->bind(fd, ADDR(at), sizeof(at)));
    STEP(b, b->getpeername(fd, ADDR(peer), &n));
    STEP(b, b->ioctl(fd, FIONREAD, &n));
    STEP(b, b->shutdown(fd, SHUT_WR));
    STEP(b, b->listen(fd, 8));
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    SEEN(b, fd, POLLIN);
    n = sizeof(peer);
    OPENED(b, child, b->accept4(fd, ADDR(peer), &n, SOCK_CLOEXEC));
    STEP(b, n);
    STEP(b, peer.sin_family);
    STEP(b, b->fcntl(child, F_GETFL)); /* Linux does not hand O_NONBLOCK down */
    STEP(b, b->fcntl(child, F_GETFD));
    SEEN(b, fd, 0);
    SEEN(b, child, 0);
    n = sizeof(peer);
    STEP(b, b->getsockname(child, ADDR(peer), &n));
    STEP(b, peer.sin_port == at.sin_port);
    STEP(b, b->listen(child, 1));
    STEP(b, b->accept4(child, NULL, NULL, 0));
    STEP(b, b->shutdown(fd, SHUT_RD)); /* no longer listening */
    STEP(b, b->accept4(fd, NULL, NULL, 0));
    STEP(b, b->listen(fd, 1));
    STEP(b, b->close(fd));
    STEP(b, b->close(child));
    STEP(b, b->close(client));
}

static void left_unaccepted(struct bsd *b)
{
    struct sockaddr_in at;
    int fd = bsd_listener(b, &at, 4), client;
    char byte;

    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    SEEN(b, fd, POLLIN);
    STEP(b, b->close(fd));
    SEEN(b, client, POLLIN);
    STEP(b, b->recvfrom(client, &byte, 1, 0, NULL, NULL));
    STEP(b, b->recvfrom(client, &byte, 1, 0, NULL, NULL));
    STEP(b, b->close(client));
}

/* --- connecting ------------------------------------------------------------------------------- */

static void connecting(struct bsd *b)
{
    struct sockaddr_in at, wrong, unspec = {.sin_family = AF_UNSPEC};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    int listener = bsd_listener(b, &at, 4), fd, error;
    socklen_t n = sizeof(error);

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    STEP(b, b->connect(fd, ADDR(at), 15));
    STEP(b, b->connect(fd, ADDR(at), 1));
    STEP(b, b->connect(fd, ADDR(at), 129));
    STEP(b, b->connect(fd, ADDR(six), sizeof(six)));
    wrong = at;
    wrong.sin_addr.s_addr = htonl(0xe0000001);
    STEP(b, b->connect(fd, ADDR(wrong), sizeof(wrong)));
    STEP(b, b->connect(fd, ADDR(unspec), sizeof(unspec)));
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    SEEN(b, fd, POLLOUT);
    STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n));
    STEP(b, error);
    STEP(b, b->connect(fd, ADDR(at), sizeof(at))); /* it says so once */
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    wrong = bsd_address(b, CLIENT, 8080); /* a low one is refused for want of rights first */
    STEP(b, b->bind(fd, ADDR(wrong), sizeof(wrong)));
    wrong.sin_addr.s_addr = htonl(0x0c0d0e0f); /* nobody's: that is seen first */
    STEP(b, b->bind(fd, ADDR(wrong), sizeof(wrong)));
    STEP(b, b->listen(fd, 1));
    STEP(b, b->connect(fd, ADDR(unspec), sizeof(unspec)));
    n = sizeof(wrong);
    STEP(b, b->getpeername(fd, ADDR(wrong), &n));
    STEP(b, b->close(fd));
    STEP(b, b->close(listener));
}

static void refused(struct bsd *b)
{
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 4), fd, error = 0;
    socklen_t n = sizeof(error);
    char byte = 0;

    b->close(listener);
    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    STEP(b, b->sendto(fd, &byte, 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->fcntl(fd, F_SETFL, O_NONBLOCK));
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    SEEN(b, fd, POLLOUT);
    STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n));
    STEP(b, error);
    STEP(b, b->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n));
    STEP(b, error);
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    STEP(b, b->close(fd));
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void bytes(struct bsd *b)
{
    int client, server, n;
    char text[64] = "";
    struct iovec parts[3] = {{text, 3}, {text + 10, 0}, {text + 20, 40}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    struct iovec out[2] = {{(char[]){"ab"}, 2}, {(char[]){"cdef"}, 4}};

    bsd_connection(b, &client, &server);
    SEEN(b, client, 0);
    STEP(b, b->recvfrom(server, text, 8, MSG_DONTWAIT, NULL, NULL));
    STEP(b, b->recvfrom(server, text, 8, MSG_OOB | MSG_DONTWAIT, NULL, NULL));
    STEP(b, b->sendto(client, "", 0, 0, NULL, 0));
    STEP(b, b->write(client, "hello", 5));
    SEEN(b, server, POLLIN);
    bsd_await_bytes(b, server, 5);
    STEP(b, b->ioctl(server, FIONREAD, &n));
    STEP(b, n);
    STEP(b, b->recvfrom(server, text, 3, MSG_PEEK, NULL, NULL));
    STEP(b, memcmp(text, "hel", 3));
    STEP(b, b->recvfrom(server, text, 64, MSG_PEEK, NULL, NULL));
    STEP(b, b->recvfrom(server, text, 0, 0, NULL, NULL));
    STEP(b, b->read(server, text, 0));
    STEP(b, b->recvfrom(server, NULL, 2, MSG_TRUNC, NULL, NULL));
    STEP(b, b->recvfrom(server, text, 64, 0, NULL, NULL));
    STEP(b, memcmp(text, "llo", 3));
    SEEN(b, server, 0);
    STEP(b, b->writev(client, out, 2));
    bsd_await_bytes(b, server, 6);
    STEP(b, b->recvmsg(server, &message, 0));
    STEP(b, message.msg_flags);
    STEP(b, memcmp(text, "abc", 3) || memcmp(text + 20, "def", 3));
    STEP(b, b->sendto(client, "x", 1, MSG_MORE, NULL, 0));
    STEP(b, b->sendto(client, "y", 1, 0, NULL, 0));
    STEP(b, b->recvfrom(server, text, 2, MSG_WAITALL, NULL, NULL));
    STEP(b, b->writev(client, out, -1));
    STEP(b, b->readv(client, out, 2000));
    STEP(b, b->sendto(client, NULL, 5, MSG_NOSIGNAL, NULL, 0) < 0);
    STEP(b, b->close(client));
    STEP(b, b->close(server));
}

static void full_buffers(struct bsd *b)
{
    static char block[65536];
    int client, server, n;
    long sent = 0, got = 0, r;

    bsd_connection(b, &client, &server);
    STEP(b, b->fcntl(client, F_SETFL, O_NONBLOCK));
    while ((r = b->write(client, block, sizeof(block))) > 0)
        sent += r;
    bsd_note(b, __LINE__, "the last write", r);
    STEP(b, sent > 10000);
    STEP(b, bsd_await(b, client, 0) & POLLOUT ? 1 : 0);
    STEP(b, b->ioctl(client, SIOCOUTQ, &n));
    STEP(b, n > 0);
    while (got < sent && (r = b->read(server, block, sizeof(block))) > 0)
        got += r;
    STEP(b, got == sent);
    SEEN(b, client, POLLOUT);
    STEP(b, b->close(client));
    STEP(b, b->close(server));
}

/* --- ends ------------------------------------------------------------------------------------- */

static void half_closed(struct bsd *b)
{
    struct sockaddr_in a = bsd_address(b, SERVER, 1);
    socklen_t n = sizeof(a);
    int client, server;
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, b->write(client, "last", 4));
    STEP(b, b->shutdown(client, SHUT_WR));
    STEP(b, b->shutdown(client, SHUT_WR));
    STEP(b, b->sendto(client, "x", 1, MSG_NOSIGNAL, NULL, 0));
    SEEN(b, client, 0);
    SEEN(b, server, POLLRDHUP);
    STEP(b, b->read(server, text, sizeof(text)));
    STEP(b, b->read(server, text, sizeof(text)));
    STEP(b, b->read(server, text, sizeof(text)));
    STEP(b, b->write(server, "answer", 6));
    bsd_await_bytes(b, client, 6);
    SEEN(b, client, 0);
    STEP(b, b->read(client, text, sizeof(text)));
    STEP(b, b->shutdown(server, SHUT_WR));
    SEEN(b, client, POLLHUP);
    STEP(b, b->read(client, text, sizeof(text)));
    STEP(b, b->getpeername(client, ADDR(a), &n));
    STEP(b, b->shutdown(client, SHUT_RDWR));
    STEP(b, b->connect(client, ADDR(a), sizeof(a)));
    STEP(b, b->close(client));
    STEP(b, b->close(server));
}

static void shut_for_reading(struct bsd *b)
{
    int client, server;
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, b->shutdown(client, SHUT_RD));
    SEEN(b, client, 0);
    STEP(b, b->read(client, text, sizeof(text)));
    STEP(b, b->write(server, "late", 4));
    bsd_await_bytes(b, client, 4);
    STEP(b, b->read(client, text, sizeof(text)));
    STEP(b, b->read(client, text, sizeof(text)));
    STEP(b, b->write(client, "still", 5));
    STEP(b, b->shutdown(client, SHUT_RDWR));
    SEEN(b, client, 0);
    STEP(b, b->close(client));
    STEP(b, b->close(server));
}

static void reset(struct bsd *b)
{
    const struct linger at_once = {1, 0};
    int client, server, error;
    socklen_t n = sizeof(error);
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, b->write(server, "rest", 4));
    bsd_await_bytes(b, client, 4);
    STEP(b, b->setsockopt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
    STEP(b, b->close(server));
    SEEN(b, client, POLLHUP);
    STEP(b, b->recvfrom(client, text, 2, 0, NULL, NULL)); /* what had come before can be read */
    STEP(b, b->recvfrom(client, text, 16, 0, NULL, NULL));
    STEP(b, b->recvfrom(client, text, 16, 0, NULL, NULL));
    STEP(b, b->recvfrom(client, text, 16, 0, NULL, NULL));
    STEP(b, b->sendto(client, "x", 1, MSG_NOSIGNAL, NULL, 0));
    SEEN(b, client, 0);
    STEP(b, b->getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &n));
    STEP(b, error);
    STEP(b, b->close(client));
}

static void reset_by_unread_bytes(struct bsd *b)
{
    int client, server;
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, b->write(client, "unread", 6));
    bsd_await_bytes(b, server, 6);
    STEP(b, b->close(server));
    SEEN(b, client, POLLHUP);
    STEP(b, b->sendto(client, "x", 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->sendto(client, "x", 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->recvfrom(client, text, 16, 0, NULL, NULL));
    STEP(b, b->close(client));
}

static void written_after_the_end(struct bsd *b)
{
    int client, server;
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, b->close(server));
    SEEN(b, client, POLLRDHUP);
    STEP(b, b->sendto(client, "x", 1, MSG_NOSIGNAL, NULL, 0));
    SEEN(b, client, POLLHUP);
    STEP(b, b->sendto(client, "x", 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->recvfrom(client, text, 16, 0, NULL, NULL));
    STEP(b, b->close(client));
}

static void lingering(struct bsd *b)
{
    const struct linger patient = {1, 5};
    struct linger told;
    int client, server;
    socklen_t n = sizeof(told);
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, b->setsockopt(client, SOL_SOCKET, SO_LINGER, &patient, sizeof(patient)));
    STEP(b, b->setsockopt(client, SOL_SOCKET, SO_LINGER, &patient, 7));
    STEP(b, b->getsockopt(client, SOL_SOCKET, SO_LINGER, &told, &n));
    STEP(b, n);
    STEP(b, told.l_onoff);
    STEP(b, told.l_linger);
    STEP(b, b->write(client, "bye", 3));
    STEP(b, b->close(client));
    STEP(b, b->recvfrom(server, text, 16, MSG_DONTWAIT, NULL, NULL)); /* it is there by now */
    STEP(b, b->read(server, text, 16));
    STEP(b, b->close(server));
}

/* --- epoll ------------------------------------------------------------------------------------ */

#define EDGES(b, ep) bsd_note(b, __LINE__, "edges", edges(ep, 0))
#define NEXT(b, ep)  bsd_note(b, __LINE__, "next edge", edges(ep, 5000))

static long edges(int ep, int timeout)
{
    struct epoll_event event = {0};

    return epoll_wait(ep, &event, 1, timeout) == 1 ? (long)event.events : 0;
}

static void watched_by_edges(struct bsd *b)
{
    struct epoll_event all = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    int client, server, ep = epoll_create1(EPOLL_CLOEXEC);
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, b->fcntl(server, F_SETFL, O_NONBLOCK));
    STEP(b, epoll_ctl(ep, EPOLL_CTL_ADD, server, &all));
    EDGES(b, ep);
    EDGES(b, ep);
    STEP(b, b->write(client, "abc", 3));
    NEXT(b, ep);
    EDGES(b, ep);
    STEP(b, b->read(server, text, 2));
    EDGES(b, ep);
    STEP(b, b->write(client, "def", 3)); /* though there was something already */
    NEXT(b, ep);
    bsd_await_bytes(b, server, 4);
    STEP(b, b->read(server, text, 16));
    STEP(b, b->read(server, text, 16));
    EDGES(b, ep);
    STEP(b, b->write(client, "g", 1));
    NEXT(b, ep);
    STEP(b, b->write(client, "h", 1)); /* though nothing was read since the last edge */
    NEXT(b, ep);
    EDGES(b, ep);
    STEP(b, b->shutdown(client, SHUT_WR));
    NEXT(b, ep);
    STEP(b, b->close(client));
    STEP(b, b->close(server));
    close(ep);
}

static void watched_by_levels(struct bsd *b)
{
    struct epoll_event in = {.events = EPOLLIN | EPOLLRDHUP};
    int client, server, ep = epoll_create1(EPOLL_CLOEXEC);
    char text[16];

    bsd_connection(b, &client, &server);
    STEP(b, epoll_ctl(ep, EPOLL_CTL_ADD, server, &in));
    EDGES(b, ep);
    STEP(b, b->write(client, "abc", 3));
    NEXT(b, ep);
    EDGES(b, ep);
    STEP(b, b->read(server, text, 2));
    EDGES(b, ep);
    STEP(b, b->read(server, text, 2));
    EDGES(b, ep);
    STEP(b, b->close(client));
    NEXT(b, ep);
    EDGES(b, ep);
    STEP(b, b->close(server));
    close(ep);
}

static void watched_while_connecting(struct bsd *b)
{
    struct epoll_event out = {.events = EPOLLOUT};
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 4), fd, ep = epoll_create1(EPOLL_CLOEXEC);

    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    STEP(b, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &out)); /* before the connect */
    EDGES(b, ep);
    STEP(b, b->connect(fd, ADDR(at), sizeof(at)));
    NEXT(b, ep);
    STEP(b, b->close(fd));
    STEP(b, b->close(listener));
    close(ep);
}

/* clang-format off */
COMPARED(on_a_fresh_stream)
COMPARED(on_no_socket)
COMPARED(of_every_kind)
COMPARED(bound_to_anything)
COMPARED(listening)
COMPARED(left_unaccepted)
COMPARED(connecting)
COMPARED(refused)
COMPARED(bytes)
COMPARED(full_buffers)
COMPARED(half_closed)
COMPARED(shut_for_reading)
COMPARED(reset)
COMPARED(reset_by_unread_bytes)
COMPARED(written_after_the_end)
COMPARED(lingering)
COMPARED(watched_by_edges)
COMPARED(watched_by_levels)
COMPARED(watched_while_connecting)
/* clang-format on */

Suite *socket_kernel_suite(void);

Suite *socket_kernel_suite(void)
{
    Suite *suite = suite_create("socket_kernel");
    TCase *order = tcase_create("calls out of order");
    TCase *streams = tcase_create("streams");
    TCase *events = tcase_create("epoll");

    tcase_add_loop_test(order, on_a_fresh_stream_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(order, on_no_socket_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(order, of_every_kind_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(order, bound_to_anything_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(order, listening_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(order, left_unaccepted_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(order, connecting_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(order, refused_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, bytes_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, full_buffers_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, half_closed_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, shut_for_reading_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, reset_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, reset_by_unread_bytes_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, written_after_the_end_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(streams, lingering_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(events, watched_by_edges_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(events, watched_by_levels_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(events, watched_while_connecting_as_on_linux, 0, BSD_WAYS);
    tcase_set_timeout(order, 60);
    tcase_set_timeout(streams, 60);
    tcase_set_timeout(events, 60);
    suite_add_tcase(suite, order);
    suite_add_tcase(suite, streams);
    suite_add_tcase(suite, events);
    return suite;
}
