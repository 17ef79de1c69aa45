/* Sockets: IPv6, patience, signals, backlog and threads, over the kernel's and over ours. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))

/* --- IPv6 ------------------------------------------------------------------------------------- */

static void greet(struct bsd *b, int listener, int domain, const struct sockaddr *to, socklen_t n)
{
    struct sockaddr_in6 peer = {.sin6_family = AF_UNSPEC};
    int client, child;
    char text[8];

    OPENED(b, client, bsd_socket(b, CLIENT, domain, SOCK_STREAM, 0));
    if (STEP(b, b->connect(client, to, n)) == 0) {
        n = sizeof(peer);
        OPENED(b, child, b->accept4(listener, ADDR(peer), &n, 0));
        STEP(b, n);
        STEP(b, peer.sin6_family);
        STEP(b, IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
        STEP(b, b->write(client, "hello", 5));
        STEP(b, b->recvfrom(child, text, 5, MSG_WAITALL, NULL, NULL));
        b->close(child);
    }
    b->close(client);
}

static void over_ip6(struct bsd *b)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6}, to, mapped;
    struct sockaddr_in to4;
    socklen_t n = sizeof(at);
    int listener, client, one = 1;

    for (int only = 0; only < 2; only++) {
        OPENED(b, listener, bsd_socket(b, SERVER, AF_INET6, SOCK_STREAM, 0));
        STEP(b, b->setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)));
        at.sin6_port = 0;
        STEP(b, b->bind(listener, ADDR(at), sizeof(at)));
        STEP(b, b->listen(listener, 4));
        STEP(b, b->getsockname(listener, ADDR(at), &n));
        STEP(b, n);
        to = bsd_address6(b, SERVER, ntohs(at.sin6_port));
        to4 = bsd_address(b, SERVER, ntohs(at.sin6_port));
        greet(b, listener, AF_INET6, ADDR(to), sizeof(to));
        greet(b, listener, AF_INET, ADDR(to4), sizeof(to4));
        b->close(listener);
    }
    mapped = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = to4.sin_port};
    memcpy(mapped.sin6_addr.s6_addr, (const uint8_t[12]){[10] = 255, [11] = 255}, 12);
    memcpy(mapped.sin6_addr.s6_addr + 12, &to4.sin_addr, 4);
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET6, SOCK_STREAM, 0));
    STEP(b, b->connect(client, ADDR(mapped), sizeof(mapped))); /* nobody listens any more */
    b->close(client);
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET6, SOCK_STREAM, 0));
    STEP(b, b->setsockopt(client, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
    STEP(b, b->connect(client, ADDR(mapped), sizeof(mapped)));
    STEP(b, b->connect(client, ADDR(to4), sizeof(to4)));
    b->close(client);
    to4 = bsd_address(b, CLIENT, 0); /* one at an IPv4 address reaches nobody by IPv6 */
    mapped.sin6_port = 0;
    memcpy(mapped.sin6_addr.s6_addr + 12, &to4.sin_addr, 4);
    OPENED(b, client, bsd_socket(b, CLIENT, AF_INET6, SOCK_STREAM, 0));
    STEP(b, b->bind(client, ADDR(mapped), sizeof(mapped)));
    STEP(b, b->connect(client, ADDR(to), sizeof(to)));
    b->close(client);
}

/* --- patience --------------------------------------------------------------------------------- */

static void out_of_patience(struct bsd *b)
{
    const struct timeval brief = {0, 30000}, none = {-1, 0};
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 1), client, server;
    char text[8];

    STEP(b, b->setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief)));
    STEP(b, b->accept4(listener, NULL, NULL, 0));
    bsd_connection(b, &client, &server);
    STEP(b, b->setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief)));
    STEP(b, b->read(client, text, 8));
    STEP(b, b->write(server, "abc", 3));
    bsd_await_bytes(b, client, 3);
    STEP(b, b->recvfrom(client, text, 8, MSG_WAITALL, NULL, NULL));
    STEP(b, b->setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none)));
    STEP(b, b->read(client, text, 8));
    b->close(listener);
    b->close(client);
    b->close(server);
}

static void low_water(struct bsd *b)
{
    int client, server, four = 4;
    char text[8];

    bsd_connection(b, &client, &server);
    STEP(b, b->setsockopt(server, SOL_SOCKET, SO_RCVLOWAT, &four, sizeof(four)));
    STEP(b, b->write(client, "abc", 3));
    bsd_await_bytes(b, server, 3);
    SEEN(b, server, 0);
    STEP(b, b->write(client, "d", 1));
    SEEN(b, server, POLLIN);
    STEP(b, b->read(server, text, 8));
    b->close(client);
    b->close(server);
}

/* --- signals ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

/* Signals the thread again and again, until it has come back. */
struct nuisance {
    pthread_t victim;
    atomic_bool done;
    struct bsd *b;
    int speak; /* after some signals, so that a restarted call ends too */
};

static void *annoy(void *data)
{
    struct nuisance *n = data;

    for (int i = 0; i < 2000 && !n->done; i++) {
        (void)usleep(5000);
        if (i < 10)
            pthread_kill(n->victim, SIGUSR1);
        if (i == 12 && n->speak >= 0)
            (void)n->b->write(n->speak, "x", 1);
    }
    return NULL;
}

static void interrupted_with(struct bsd *b, int flags, const struct timeval *timeout)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = flags};
    struct nuisance n = {.victim = pthread_self(), .b = b};
    int client, server;
    pthread_t thread;
    char text[8];

    sigaction(SIGUSR1, &act, NULL);
    signals = 0;
    bsd_connection(b, &client, &server);
    if (timeout)
        STEP(b, b->setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, timeout, sizeof(*timeout)));
    n.speak = server;
    pthread_create(&thread, NULL, annoy, &n);
    STEP(b, b->read(client, text, 8));
    n.done = true;
    pthread_join(thread, NULL);
    STEP(b, signals > 0);
    b->close(client);
    b->close(server);
}

static void interrupted(struct bsd *b)
{
    const struct timeval long_time = {10, 0};

    interrupted_with(b, 0, NULL);
    interrupted_with(b, SA_RESTART, NULL);
    interrupted_with(b, SA_RESTART, &long_time);
}

static void sigpipe(struct bsd *b)
{
    struct sigaction act = {.sa_handler = on_signal};
    int client, server;

    sigaction(SIGPIPE, &act, NULL);
    signals = 0;
    bsd_connection(b, &client, &server);
    STEP(b, b->shutdown(client, SHUT_WR));
    STEP(b, b->sendto(client, "x", 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, signals);
    STEP(b, b->write(client, "x", 1));
    STEP(b, signals);
    b->close(client);
    b->close(server);
}

/* --- backlog ---------------------------------------------------------------------------------- */

static void full_backlog(struct bsd *b)
{
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 0), first, second, child;

    first = bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0);
    STEP(b, b->connect(first, ADDR(at), sizeof(at)));
    SEEN(b, listener, POLLIN);
    OPENED(b, second, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    STEP(b, b->connect(second, ADDR(at), sizeof(at)));
    STEP(b, b->connect(second, ADDR(at), sizeof(at)));
    SEEN(b, second, 0);
    STEP(b, b->sendto(second, "x", 1, MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->recvfrom(second, &child, 1, 0, NULL, NULL));
    OPENED(b, child, b->accept4(listener, NULL, NULL, 0));
    b->close(child);
    SEEN(b, second, POLLOUT); /* its SYN comes again */
    OPENED(b, child, b->accept4(listener, NULL, NULL, 0));
    b->close(child);
    b->close(first);
    b->close(second);
    b->close(listener);
}

static void deferred_accept(struct bsd *b)
{
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 4), client, child, five = 5;
    char text[4];

    STEP(b, b->setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &five, sizeof(five)));
    STEP(b, b->fcntl(listener, F_SETFL, O_NONBLOCK));
    client = bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0);
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    SEEN(b, client, POLLOUT);
    STEP(b, b->accept4(listener, NULL, NULL, 0));
    STEP(b, b->write(client, "abc", 3));
    SEEN(b, listener, POLLIN);
    OPENED(b, child, b->accept4(listener, NULL, NULL, 0));
    STEP(b, b->read(child, text, 4));
    b->close(child);
    b->close(client);
    b->close(listener);
}

/* --- bulk, between threads -------------------------------------------------------------------- */

#define BULK (3 << 20)

struct sender {
    struct bsd *b;
    int fd;
};

static void *send_bulk(void *data)
{
    struct sender *s = data;
    uint8_t *bytes = malloc(BULK);

    for (size_t i = 0; i < BULK; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 1000);
    bsd_note(s->b, __LINE__, "sent",
             s->b->write(s->fd, bytes, BULK)); /* blocks until all is taken */
    s->b->shutdown(s->fd, SHUT_WR);
    free(bytes);
    return NULL;
}

static void bulk(struct bsd *b)
{
    int client, server;
    size_t got = 0, wrong = 0;
    uint8_t bytes[50000];
    struct sender sender;
    pthread_t thread;
    ssize_t n;

    bsd_connection(b, &client, &server);
    sender = (struct sender){b, client};
    pthread_create(&thread, NULL, send_bulk, &sender);
    while ((n = b->read(server, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < n; i++, got++)
            wrong += bytes[i] != (uint8_t)(got * 7 + got / 1000);
    }
    pthread_join(thread, NULL);
    STEP(b, n);
    STEP(b, got);
    STEP(b, wrong);
    b->close(client);
    b->close(server);
}

/* clang-format off */
COMPARED(over_ip6)
COMPARED(out_of_patience)
COMPARED(low_water)
COMPARED(interrupted)
COMPARED(sigpipe)
COMPARED(full_backlog)
COMPARED(deferred_accept)
COMPARED(bulk)
/* clang-format on */

Suite *socket_more_suite(void);

Suite *socket_more_suite(void)
{
    Suite *suite = suite_create("socket_more");
    TCase *more = tcase_create("more");

    tcase_set_timeout(more, 60);
    tcase_add_loop_test(more, over_ip6_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(more, out_of_patience_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(more, low_water_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(more, interrupted_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(more, sigpipe_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(more, full_backlog_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(more, deferred_accept_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(more, bulk_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, more);
    return suite;
}
