/* Sockets: several at one port (SO_REUSEPORT, SO_REUSEADDR), over the kernel's and over ours. Read
 * first: socket(7). */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))
#define CLIENTS 40

static int opened(struct bsd *b, enum bsd_side side, int type, bool shares)
{
    int on = 1, fd = bsd_socket(b, side, AF_INET, type, 0);

    if (shares)
        STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
    return fd;
}

/* At a port that nobody has, told in *at. */
static int first(struct bsd *b, int type, bool shares, struct sockaddr_in *at)
{
    int fd = opened(b, SERVER, type, shares);
    socklen_t n = sizeof(*at);

    *at = bsd_address(b, SERVER, 0);
    STEP(b, b->bind(fd, ADDR(*at), sizeof(*at)));
    b->getsockname(fd, ADDR(*at), &n);
    return fd;
}

static int further(struct bsd *b, int type, bool shares, struct sockaddr_in *at)
{
    int fd = opened(b, SERVER, type, shares);

    STEP(b, b->bind(fd, ADDR(*at), sizeof(*at)));
    return fd;
}

/* --- who may ---------------------------------------------------------------------------------- */

static void asked_of_both(struct bsd *b)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    struct sockaddr_in at, any;
    int a, c, d, e, value;
    socklen_t n = sizeof(value);

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        for (int who = 0; who < 4; who++) {
            a = first(b, types[i], who & 1, &at);
            c = further(b, types[i], who & 2, &at);
            STEP(b, b->getsockopt(a, SOL_SOCKET, SO_REUSEPORT, &value, &n));
            STEP(b, value);
            any = at;
            any.sin_addr.s_addr = htonl(INADDR_ANY);
            d = further(b, types[i], true, &any);
            e = further(b, types[i], false, &any);
            b->close(a);
            b->close(c);
            b->close(d);
            b->close(e);
        }
    }
}

static void asked_of_listeners(struct bsd *b)
{
    struct sockaddr_in at;
    int a = first(b, SOCK_STREAM, true, &at), c, d, client, child;

    STEP(b, b->listen(a, 4));
    c = further(b, SOCK_STREAM, true, &at);
    STEP(b, b->listen(c, 4));
    d = further(b, SOCK_STREAM, false, &at);
    STEP(b, b->listen(c, 8));
    b->close(a);
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    SEEN(b, c, POLLIN);
    OPENED(b, child, b->accept4(c, NULL, NULL, 0));
    b->close(c);
    b->close(d);
    a = further(b, SOCK_STREAM, true, &at); /* the child shares, too */
    STEP(b, b->listen(a, 4));
    b->close(a);
    b->close(child);
    b->close(client);
}

/* --- who gets what ---------------------------------------------------------------------------- */

/* Takes all of both, until there are so many, or five seconds have passed. */
static void accept_all(struct bsd *b, const int listener[2], int child[2][CLIENTS], int got[2])
{
    got[0] = got[1] = 0;
    for (int tries = 0; tries < 100 && got[0] + got[1] < CLIENTS; tries++) {
        struct pollfd any[2] = {{.fd = listener[0], .events = POLLIN},
                                {.fd = listener[1], .events = POLLIN}};

        b->poll(any, 2, 50);
        for (int i = 0; i < 2; i++) {
            if (any[i].revents & POLLIN)
                child[i][got[i]++] = b->accept4(listener[i], NULL, NULL, 0);
        }
    }
}

static void connections_are_shared_out(struct bsd *b)
{
    int client[CLIENTS], child[2][CLIENTS], got[2], listener[2];
    struct sockaddr_in at;

    listener[0] = first(b, SOCK_STREAM, true, &at);
    listener[1] = further(b, SOCK_STREAM, true, &at);
    for (int i = 0; i < 2; i++)
        STEP(b, b->listen(listener[i], 2 * CLIENTS));
    for (int i = 0; i < CLIENTS; i++) {
        client[i] = bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0);
        STEP(b, b->connect(client[i], ADDR(at), sizeof(at)));
    }
    accept_all(b, listener, child, got);
    STEP(b, got[0] > 0 && got[1] > 0);
    STEP(b, got[0] + got[1]);
    for (int i = 0; i < CLIENTS; i++)
        b->close(client[i]);
    for (int i = 0; i < 2; i++) {
        while (got[i] > 0)
            b->close(child[i][--got[i]]);
        b->close(listener[i]);
    }
}

static int receive_all(struct bsd *b, int fd)
{
    char text[8];
    int n = 0;

    while (b->recvfrom(fd, text, sizeof(text), MSG_DONTWAIT, NULL, NULL) >= 0)
        n++;
    return n;
}

/* One of each of so many clients; how many come to each server, in five seconds at most. */
static void send_all(struct bsd *b, const int *client, int count, const int server[2], int got[2])
{
    got[0] = got[1] = 0;
    for (int i = 0; i < count; i++)
        b->write(client[i], "x", 1);
    for (int tries = 0; tries < 100 && got[0] + got[1] < count; tries++) {
        b->poll(NULL, 0, 50);
        for (int i = 0; i < 2; i++)
            got[i] += receive_all(b, server[i]);
    }
}

static void datagrams_are_shared_out(struct bsd *b)
{
    int client[CLIENTS], server[2], got[2], again[2], own;
    struct sockaddr_in at, from;
    socklen_t n = sizeof(from);

    server[0] = first(b, SOCK_DGRAM, true, &at);
    server[1] = further(b, SOCK_DGRAM, true, &at);
    for (int i = 0; i < CLIENTS; i++) {
        client[i] = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0);
        STEP(b, b->connect(client[i], ADDR(at), sizeof(at)));
    }
    b->write(client[0], "x", 1); /* few wait for a neighbour's address, so one goes ahead */
    while (receive_all(b, server[0]) + receive_all(b, server[1]) == 0)
        b->poll(NULL, 0, 10);
    send_all(b, client, CLIENTS, server, got);
    STEP(b, got[0] > 0 && got[1] > 0);
    STEP(b, got[0] + got[1]);
    send_all(b, client, CLIENTS, server, again);
    STEP(b, again[0] == got[0] && again[1] == got[1]); /* always the same for a sender */
    b->getsockname(client[0], ADDR(from), &n);
    own = further(b, SOCK_DGRAM, true, &at);
    STEP(b, b->connect(own, ADDR(from), sizeof(from)));
    STEP(b, b->write(client[0], "mine", 4));
    SEEN(b, own, POLLIN);
    STEP(b, receive_all(b, own));
    b->close(server[0]);
    server[0] = own;
    send_all(b, client + 1, CLIENTS - 1, server, got);
    STEP(b, got[0]);
    STEP(b, got[1]);
    for (int i = 0; i < CLIENTS; i++)
        b->close(client[i]);
    b->close(server[1]);
    b->close(own);
}

/* One of two at any address is for IPv6 alone: what comes over IPv4 is the other's. */
static void one_of_ip6_alone(struct bsd *b)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    struct sockaddr_in to = bsd_address(b, SERVER, 0);
    struct sockaddr_in6 at = {.sin6_family = AF_INET6};
    int client[CLIENTS], server[2], got, on = 1;
    socklen_t n = sizeof(at);

    for (size_t t = 0; t < 2; t++) {
        at.sin6_port = 0;
        for (int i = 0; i < 2; i++) {
            server[i] = bsd_socket(b, SERVER, AF_INET6, types[t], 0);
            STEP(b, b->setsockopt(server[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
            if (i == 0)
                STEP(b, b->setsockopt(server[i], IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
            STEP(b, b->bind(server[i], ADDR(at), sizeof(at)));
            b->getsockname(server[i], ADDR(at), &n);
            if (types[t] == SOCK_STREAM)
                STEP(b, b->listen(server[i], 2 * CLIENTS));
        }
        to.sin_port = at.sin6_port;
        for (int i = 0; i < 8; i++) {
            client[i] = bsd_socket(b, CLIENT, AF_INET, types[t], 0);
            STEP(b, b->connect(client[i], ADDR(to), sizeof(to)));
            STEP(b, b->write(client[i], "x", 1));
        }
        SEEN(b, server[1], POLLIN);
        STEP(b, b->fcntl(server[0], F_SETFL, O_NONBLOCK));
        got = types[t] == SOCK_DGRAM ? receive_all(b, server[0]) : 0;
        STEP(b, got);
        STEP(b, b->accept4(server[0], NULL, NULL, SOCK_NONBLOCK) < 0);
        for (int i = 0; i < 8; i++)
            b->close(client[i]);
        b->close(server[0]);
        b->close(server[1]);
    }
}

/* Beside a socket at any address one at the address itself, connected to one client. */
static void a_connected_one_beside(struct bsd *b)
{
    int client[2], own, open;
    struct sockaddr_in at, any, from;
    socklen_t n = sizeof(from);

    own = first(b, SOCK_DGRAM, true, &at);
    any = at;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    open = further(b, SOCK_DGRAM, true, &any);
    for (int i = 0; i < 2; i++) {
        client[i] = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0);
        STEP(b, b->connect(client[i], ADDR(at), sizeof(at)));
    }
    b->getsockname(client[0], ADDR(from), &n);
    STEP(b, b->connect(own, ADDR(from), sizeof(from)));
    STEP(b, b->write(client[1], "another", 7));
    SEEN(b, open, POLLIN);
    STEP(b, receive_all(b, open));
    STEP(b, b->write(client[0], "mine", 4));
    SEEN(b, own, POLLIN);
    STEP(b, receive_all(b, own));
    STEP(b, receive_all(b, open));
    for (int i = 0; i < 2; i++)
        b->close(client[i]);
    b->close(own);
    b->close(open);
}

/* --- SO_REUSEADDR ----------------------------------------------------------------------------- */

static int reused(struct bsd *b, struct sockaddr_in *at, bool before, bool after)
{
    int on = 1, fd = bsd_socket(b, SERVER, AF_INET, SOCK_DGRAM, 0);
    socklen_t n = sizeof(*at);

    if (before)
        STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
    STEP(b, b->bind(fd, ADDR(*at), sizeof(*at)));
    b->getsockname(fd, ADDR(*at), &n);
    on = after;
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
    return fd;
}

/* What counts is what they have when the later one is bound. */
static void reused_by_both(struct bsd *b)
{
    struct sockaddr_in at, any;

    for (int who = 0; who < 16; who++) {
        at = bsd_address(b, SERVER, 0);
        int a = reused(b, &at, who & 1, who & 2), c, d;

        any = at;
        any.sin_addr.s_addr = htonl(INADDR_ANY);
        c = reused(b, who & 8 ? &any : &at, who & 4, true);
        d = further(b, SOCK_DGRAM, true, &at);
        b->close(a);
        b->close(c);
        b->close(d);
    }
}

/* Which of them has it, in five seconds at most. */
static int who_hears(struct bsd *b, const int *fds, int count)
{
    int heard = 0;

    for (int tries = 0; tries < 500 && !heard; tries++) {
        b->poll(NULL, 0, 10);
        for (int i = 0; i < count; i++)
            heard |= receive_all(b, fds[i]) << 4 * i;
    }
    return heard;
}

static void the_last_one_bound_hears(struct bsd *b)
{
    struct sockaddr_in at = bsd_address(b, SERVER, 0), any, from;
    int client, fds[4], on = 1;
    socklen_t n = sizeof(from);

    for (int i = 0; i < 3; i++)
        fds[i] = reused(b, &at, true, true);
    any = at;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    fds[3] = reused(b, &any, true, true);
    client = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0);
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    STEP(b, b->write(client, "a", 1));
    STEP(b, who_hears(b, fds, 4));
    b->getsockname(client, ADDR(from), &n);
    STEP(b, b->connect(fds[0], ADDR(from), n));
    STEP(b, b->write(client, "b", 1));
    STEP(b, who_hears(b, fds, 4));
    b->close(fds[0]);
    STEP(b, b->write(client, "c", 1));
    STEP(b, who_hears(b, fds + 1, 3));
    b->close(fds[2]);
    STEP(b, b->setsockopt(fds[1], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
    STEP(b, b->write(client, "d", 1));
    STEP(b, who_hears(b, fds + 1, 1));
    b->close(fds[1]);
    STEP(b, b->write(client, "e", 1));
    STEP(b, who_hears(b, fds + 3, 1));
    b->close(fds[3]);
    b->close(client);
}

static struct sockaddr_in broadcast(const struct sockaddr_in *at)
{
    struct sockaddr_in all = *at;
    bool home = ntohl(at->sin_addr.s_addr) >> 24 == 127;

    all.sin_addr.s_addr |= htonl(home ? 0xffffff : 0xff);
    return all;
}

static void all_hear_a_broadcast(struct bsd *b)
{
    struct sockaddr_in at = bsd_address(b, SERVER, 0), any = at, to, from;
    int client = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0), fds[5], on = 1;
    socklen_t n = sizeof(from);

    any.sin_addr.s_addr = htonl(INADDR_ANY);
    for (int i = 0; i < 4; i++)
        fds[i] = reused(b, &any, true, true);
    at.sin_port = any.sin_port;
    fds[4] = reused(b, &at, true, true);
    STEP(b, b->sendto(client, "a", 1, 0, ADDR(at), sizeof(at)));
    STEP(b, who_hears(b, fds, 5));
    to = broadcast(&at);
    STEP(b, b->sendto(client, "b", 1, 0, ADDR(to), sizeof(to)));
    STEP(b, b->setsockopt(client, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
    b->getsockname(client, ADDR(from), &n);
    from.sin_addr = bsd_address(b, CLIENT, 0).sin_addr;
    STEP(b, b->connect(fds[1], ADDR(from), n));
    STEP(b, b->sendto(client, "b", 1, 0, ADDR(to), sizeof(to)));
    SEEN(b, fds[0], POLLIN);
    SEEN(b, fds[3], POLLIN);
    STEP(b, who_hears(b, fds, 5));
    for (int i = 0; i < 5; i++)
        b->close(fds[i]);
    b->close(client);
}

COMPARED(asked_of_both)
COMPARED(reused_by_both)
COMPARED(the_last_one_bound_hears)
COMPARED(all_hear_a_broadcast)
COMPARED(asked_of_listeners)
COMPARED(connections_are_shared_out)
COMPARED(datagrams_are_shared_out)
COMPARED(a_connected_one_beside)
COMPARED(one_of_ip6_alone)

Suite *socket_shared_suite(void);

Suite *socket_shared_suite(void)
{
    Suite *suite = suite_create("socket_shared");
    TCase *shared = tcase_create("shared");

    tcase_set_timeout(shared, 60);
    tcase_add_loop_test(shared, asked_of_both_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, asked_of_listeners_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, connections_are_shared_out_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, datagrams_are_shared_out_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, a_connected_one_beside_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, one_of_ip6_alone_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, reused_by_both_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, the_last_one_bound_hears_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(shared, all_hear_a_broadcast_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, shared);
    return suite;
}
