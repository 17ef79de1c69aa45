/* Sockets: a stack whose bound on memory for buffers is reached. Read first: send(2), ENOMEM and
 * EAGAIN. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <tlsyn/socket.h>

#include "support/cable.h"
#include "support/must.h"

#define ADDR(a) ((struct sockaddr *)&(a))

/* A net for itself, with room for one buffer to send from beside one to receive into. */
static struct tlsyn_net *short_net(struct tlsyn_link **link)
{
    struct tlsyn_net_options options = {.address = "10.9.0.1/24", .no_dad = true};
    struct tlsyn_limits limits;
    struct tlsyn_net *net;

    tlsyn_limits_default(&limits);
    limits.ring_bytes = 48 << 10;
    cable_open(0, link);
    options.link = link[0];
    options.limits = &limits;
    must(tlsyn_net_open(&options, &net) == 0);
    return net;
}

static int connected(struct tlsyn_net *net, const struct sockaddr_in *at)
{
    int fd = tlsyn_socket(net, AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(tlsyn_connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
    return fd;
}

/* As Linux's, which never says ENOMEM here: memory comes back when another's bytes are gone. */
START_TEST(a_send_that_finds_no_memory_waits)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(7000)};
    struct tlsyn_link *link[2];
    struct tlsyn_net *net = short_net(link);
    int listener = tlsyn_socket(net, AF_INET, SOCK_STREAM, 0), has, waits, child;
    struct pollfd arrived = {.events = POLLIN};

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(tlsyn_bind(listener, ADDR(at), sizeof(at)), 0);
    ck_assert_int_eq(tlsyn_listen(listener, 4), 0);
    has = connected(net, &at);
    child = tlsyn_accept(listener, NULL, NULL);
    waits = connected(net, &at);
    ck_assert_int_eq(tlsyn_send(has, "x", 1, 0), 1);
    arrived.fd = child;
    ck_assert_int_eq(poll(&arrived, 1, 5000), 1); /* both ends have a buffer */
    ck_assert_int_eq(tlsyn_send(waits, "y", 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(tlsyn_send(waits, "y", 1, 0), 1); /* the other's memory, idle for a second */
    tlsyn_close(child);
    tlsyn_close(has);
    tlsyn_close(waits);
    tlsyn_close(listener);
    tlsyn_net_close(net);
    tlsyn_link_close(link[0]);
    tlsyn_link_close(link[1]);
}
END_TEST

Suite *socket_memory_suite(void);

Suite *socket_memory_suite(void)
{
    Suite *suite = suite_create("socket_memory");
    TCase *memory = tcase_create("memory");

    tcase_set_timeout(memory, 60);
    tcase_add_test(memory, a_send_that_finds_no_memory_waits);
    suite_add_tcase(suite, memory);
    return suite;
}
