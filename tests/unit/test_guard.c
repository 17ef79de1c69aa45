/* The port guard, against the kernel's stack on the loopback: what is guarded hears nothing, is
 * nobody else's, and is the kernel's again afterwards. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard.h"

#define SILENCE_MS 100

static struct guard guard;

static void open_guard(bool ip6)
{
    struct tlsyn_addr loopback = tlsyn_addr_ip4((const uint8_t[4]){127, 0, 0, 1});

    if (ip6)
        loopback = (struct tlsyn_addr){.byte = {[15] = 1}};
    guard_init(&guard, &loopback, 0);
}

static int take(enum tlsyn_transport transport, uint16_t port, struct tlsyn_endpoint *local)
{
    *local = (struct tlsyn_endpoint){.addr = guard.addr, .port = port};
    return guard.base.take(&guard.base, transport, local);
}

static socklen_t sockaddr_of(uint16_t port, struct sockaddr_storage *at)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool ip4 = tlsyn_addr_is_ip4(&guard.addr);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in6.sin6_addr = in6addr_loopback;
    memcpy(at, ip4 ? (const void *)&in : (const void *)&in6, ip4 ? sizeof(in) : sizeof(in6));
    return ip4 ? sizeof(in) : sizeof(in6);
}

/* What the kernel says to somebody who wants this port: 0, nothing within SILENCE_MS; 1, welcome;
 * or -errno. */
static int knock(int type, uint16_t port)
{
    struct sockaddr_storage at;
    socklen_t size = sockaddr_of(port, &at);
    int fd = socket(tlsyn_addr_is_ip4(&guard.addr) ? AF_INET : AF_INET6, type | SOCK_NONBLOCK, 0);
    struct pollfd answer = {.fd = fd, .events = POLLOUT};
    int error = 0;

    ck_assert_int_ge(fd, 0);
    if (connect(fd, (const struct sockaddr *)&at, size) < 0 && errno != EINPROGRESS)
        error = -errno;
    if (type == SOCK_DGRAM) {
        ck_assert_int_eq(send(fd, "?", 1, 0), 1);
        answer.events = POLLIN;
    }
    if (error == 0 && poll(&answer, 1, SILENCE_MS) > 0) {
        size = sizeof(error);
        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
        error = error ? -error : 1;
    }
    (void)close(fd);
    return error;
}

/* Whether somebody else can bind the port. */
static int bind_it(int type, uint16_t port)
{
    struct sockaddr_storage at;
    socklen_t size = sockaddr_of(port, &at);
    int fd = socket(tlsyn_addr_is_ip4(&guard.addr) ? AF_INET : AF_INET6, type, 0);
    int error = bind(fd, (const struct sockaddr *)&at, size) < 0 ? -errno : 0;

    (void)close(fd);
    return error;
}

START_TEST(a_guarded_port_is_deaf_and_nobody_elses)
{
    struct tlsyn_endpoint tcp, udp;

    open_guard(_i);
    if (take(TLSYN_TCP, 0, &tcp) == -EADDRNOTAVAIL) {
        ck_assert_int_eq(_i, 1);
        printf("skipped: this machine has no IPv6\n");
        return;
    }
    ck_assert_int_eq(take(TLSYN_UDP, 0, &udp), 0);
    ck_assert_uint_gt(tcp.port, 0);
    ck_assert_int_eq(knock(SOCK_STREAM, tcp.port), 0);
    ck_assert_int_eq(knock(SOCK_DGRAM, udp.port), 0);
    ck_assert_int_eq(bind_it(SOCK_STREAM, tcp.port), -EADDRINUSE);
    ck_assert_int_eq(bind_it(SOCK_DGRAM, udp.port), -EADDRINUSE);
    guard_fini(&guard);
    ck_assert_int_eq(knock(SOCK_STREAM, tcp.port), -ECONNREFUSED);
    ck_assert_int_eq(knock(SOCK_DGRAM, udp.port), -ECONNREFUSED);
}
END_TEST

START_TEST(who_takes_twice_gives_twice)
{
    struct tlsyn_endpoint first, again;

    open_guard(false);
    ck_assert_int_eq(take(TLSYN_TCP, 0, &first), 0);
    ck_assert_int_eq(take(TLSYN_TCP, first.port, &again), 0);
    guard.base.give(&guard.base, TLSYN_TCP, &first);
    ck_assert_int_eq(knock(SOCK_STREAM, first.port), 0);
    ck_assert_int_eq(guard.ports, 1);
    guard.base.give(&guard.base, TLSYN_TCP, &first);
    ck_assert_int_eq(guard.ports, 0);
    guard_fini(&guard);
}
END_TEST

/* The second ACK of a FIN that went twice finds nobody who would answer with RST. */
START_TEST(what_was_given_back_stays_deaf_for_a_while)
{
    struct tlsyn_endpoint first, again, other[GUARD_LATE + 1];

    open_guard(false);
    ck_assert_int_eq(take(TLSYN_TCP, 0, &first), 0);
    guard.base.give(&guard.base, TLSYN_TCP, &first);
    ck_assert_int_eq(knock(SOCK_STREAM, first.port), 0);
    ck_assert_int_eq(bind_it(SOCK_STREAM, first.port), -EADDRINUSE);
    ck_assert_int_eq(take(TLSYN_TCP, first.port, &again), 0); /* we may have it all the same */
    ck_assert_int_eq(guard.ports, 1);
    guard.base.give(&guard.base, TLSYN_TCP, &again);
    for (int i = 0; i <= GUARD_LATE; i++)
        ck_assert_int_eq(take(TLSYN_TCP, 0, &other[i]), 0);
    for (int i = 0; i < GUARD_LATE - 1; i++)
        guard.base.give(&guard.base, TLSYN_TCP, &other[i]);
    ck_assert_int_eq(knock(SOCK_STREAM, first.port), 0);
    guard.base.give(&guard.base, TLSYN_TCP, &other[GUARD_LATE - 1]);
    ck_assert_int_eq(knock(SOCK_STREAM, first.port), -ECONNREFUSED);
    ck_assert_int_eq(knock(SOCK_STREAM, other[0].port), 0);
    ck_assert_int_eq(knock(SOCK_STREAM, other[GUARD_LATE].port), 0); /* taken */
    guard_fini(&guard);
    ck_assert_int_eq(knock(SOCK_STREAM, other[0].port), -ECONNREFUSED);
}
END_TEST

/* As a server's port is, ahead of its listener. */
START_TEST(a_port_that_is_held_can_be_taken_and_stays)
{
    struct tlsyn_endpoint found, local;

    open_guard(false);
    ck_assert_int_eq(take(TLSYN_TCP, 0, &found), 0);
    guard.base.give(&guard.base, TLSYN_TCP, &found);
    ck_assert_int_eq(guard_hold(&guard, found.port), 0);
    ck_assert_int_eq(take(TLSYN_TCP, found.port, &local), 0);
    guard.base.give(&guard.base, TLSYN_TCP, &local);
    ck_assert_int_eq(bind_it(SOCK_STREAM, found.port), -EADDRINUSE);
    guard_fini(&guard);
}
END_TEST

START_TEST(a_port_of_the_kernels_is_refused)
{
    struct sockaddr_storage at;
    struct tlsyn_endpoint found, local;
    socklen_t size;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    open_guard(false);
    ck_assert_int_eq(take(TLSYN_TCP, 0, &found), 0);
    guard_fini(&guard);
    size = sockaddr_of(found.port, &at);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(take(TLSYN_TCP, found.port, &local), -EADDRINUSE);
    (void)close(fd);
    guard_fini(&guard);
}
END_TEST

Suite *guard_suite(void);

Suite *guard_suite(void)
{
    Suite *s = suite_create("guard");
    TCase *ports = tcase_create("ports");

    tcase_add_loop_test(ports, a_guarded_port_is_deaf_and_nobody_elses, 0, 2);
    tcase_add_test(ports, who_takes_twice_gives_twice);
    tcase_add_test(ports, what_was_given_back_stays_deaf_for_a_while);
    tcase_add_test(ports, a_port_that_is_held_can_be_taken_and_stays);
    tcase_add_test(ports, a_port_of_the_kernels_is_refused);
    suite_add_tcase(s, ports);
    return s;
}
