/* Sockets that the kernel has no counterpart of: TLS inside, Fast Open between two of our nets, a
 * net on a clock of its own. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <tlsyn/certify.h>
#include <tlsyn/tls_socket.h>

#include "core/random.h"
#include "support/bsd.h"
#include "support/world.h"

#define ADDR(a) ((struct sockaddr *)&(a))
#define WALL    INT64_C(1907755200) /* 2030-06-15 */
#define PORT    443

struct secured {
    struct bsd b;
    struct tlsyn_certified certified;
    struct random_seeded random;
    struct tlsyn_tls_config *client_config, *server_config;
    int listener;
    struct sockaddr_in at;
};

static struct tlsyn_tls_config *config_of(enum tlsyn_tls_role role)
{
    const struct tlsyn_tls_options options = {
        .role = role,
        .wall_clock = WALL,
        .wall_at = tlsyn_clock(),
        .tickets = role == TLSYN_TLS_SERVER,
        .sessions = 4,
    };
    struct tlsyn_tls_config *config;

    ck_assert_int_eq(tlsyn_tls_config_new(&options, &config, NULL), 0);
    return config;
}

static void open_secured(struct secured *s)
{
    static const char *const names[] = {"host.test", NULL};
    struct tlsyn_certify_options certify = {
        .names = names, .now = WALL, .days = 10, .random = &s->random.base};
    const struct tlsyn_certified *c = &s->certified;

    bsd_ours(&s->b);
    random_seed(&s->random, 5);
    ck_assert_int_eq(tlsyn_certify(&certify, &s->certified), 0);
    s->server_config = config_of(TLSYN_TLS_SERVER);
    s->client_config = config_of(TLSYN_TLS_CLIENT);
    ck_assert_int_eq(tlsyn_tls_config_identity(s->server_config, c->chain, strlen(c->chain), c->key,
                                               strlen(c->key), NULL),
                     0);
    ck_assert_int_eq(tlsyn_tls_config_trust(s->client_config, c->ca, strlen(c->ca), NULL), 1);
    s->listener = tlsyn_socket(s->b.net[SERVER], AF_INET, SOCK_STREAM, 0);
    s->at = bsd_address(&s->b, SERVER, PORT);
    ck_assert_int_eq(tlsyn_socket_tls(s->listener, s->server_config), 0);
    ck_assert_int_eq(tlsyn_bind(s->listener, ADDR(s->at), sizeof(s->at)), 0);
    ck_assert_int_eq(tlsyn_listen(s->listener, 4), 0);
}

static void close_secured(struct secured *s)
{
    bsd_end(&s->b);
    tlsyn_tls_config_free(s->client_config);
    tlsyn_tls_config_free(s->server_config);
}

static int client_socket(struct secured *s, int flags)
{
    int fd = tlsyn_socket(s->b.net[CLIENT], AF_INET, SOCK_STREAM | flags, 0);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static struct tlsyn_conn_info info_of(int fd)
{
    struct tlsyn_conn_info info;
    socklen_t n = sizeof(info);

    ck_assert_int_eq(tlsyn_getsockopt(fd, SOL_TLSYN, TLSYN_CONN_INFO, &info, &n), 0);
    return info;
}

static void assert_reads(int fd, const char *text)
{
    char got[64] = "";

    ck_assert_int_eq(tlsyn_recv(fd, got, strlen(text), MSG_WAITALL), (ssize_t)strlen(text));
    ck_assert_str_eq(got, text);
}

/* A connection with a word each way, closed from both ends. */
static void visit(struct secured *s)
{
    int client = client_socket(s, 0), server;
    char byte;

    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s->at), sizeof(s->at), s->client_config, "host.test"), 0);
    server = tlsyn_accept(s->listener, NULL, NULL);
    ck_assert_int_ge(server, 0);
    ck_assert_int_eq(tlsyn_write(client, "there", 5), 5);
    assert_reads(server, "there");
    ck_assert_int_eq(tlsyn_write(server, "back", 4), 4);
    assert_reads(client, "back");
    ck_assert_int_eq(tlsyn_close(server), 0);
    ck_assert_int_eq(tlsyn_read(client, &byte, 1), 0);
    ck_assert_int_eq(tlsyn_close(client), 0);
}

START_TEST(who_comes_back_resumes)
{
    struct tlsyn_tls_counters counters;
    struct secured s;

    open_secured(&s);
    for (int i = 0; i < 3; i++)
        visit(&s);
    bsd_end(&s.b);
    tlsyn_tls_config_counters(s.client_config, &counters);
    ck_assert_uint_eq(counters.handshakes[TLSYN_TLS_NEW], 1);
    ck_assert_uint_eq(counters.handshakes[TLSYN_TLS_PSK], 2);
    ck_assert_uint_eq(counters.refused, 0);
    tlsyn_tls_config_free(s.client_config);
    tlsyn_tls_config_free(s.server_config);
}
END_TEST

START_TEST(the_handshake_is_inside_the_syn)
{
    struct secured s;
    int client, server, n;
    char got[64] = "";

    open_secured(&s);
    client = client_socket(&s, 0);
    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s.at), sizeof(s.at), s.client_config, "host.test"), 0);
    server = tlsyn_accept(s.listener, NULL, NULL);
    ck_assert_int_ge(server, 0);
    ck_assert_uint_gt(info_of(client).syn_text, 100);
    ck_assert_uint_eq(info_of(client).syn_text_acked, info_of(client).syn_text);
    ck_assert_uint_gt(info_of(server).synack_text, 0);

    ck_assert_int_eq(tlsyn_write(client, "ping pong", 9), 9);
    ck_assert_int_ne(bsd_await(&s.b, server, POLLIN) & POLLIN, 0);
    ck_assert_int_eq(tlsyn_recv(server, got, 4, MSG_PEEK), 4);
    ck_assert_str_eq(got, "ping");
    ck_assert_int_eq(tlsyn_ioctl(server, FIONREAD, &n), 0);
    ck_assert_int_eq(n, 9);
    assert_reads(server, "ping ");
    assert_reads(server, "pong");
    ck_assert_int_eq(bsd_await(&s.b, server, 0) & POLLIN, 0);
    ck_assert_int_eq(tlsyn_recv(server, got, 4, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, EAGAIN);

    /* Half a close: close_notify says so, and the other direction goes on. */
    ck_assert_int_eq(tlsyn_shutdown(client, SHUT_WR), 0);
    ck_assert_int_eq(tlsyn_read(server, got, sizeof(got)), 0);
    ck_assert_int_eq(tlsyn_write(server, "bye", 3), 3);
    ck_assert_int_eq(tlsyn_close(server), 0);
    assert_reads(client, "bye");
    ck_assert_int_eq(tlsyn_read(client, got, sizeof(got)), 0);
    ck_assert_int_eq(tlsyn_close(client), 0);
    close_secured(&s);
}
END_TEST

START_TEST(a_listening_socket_takes_the_sequential_handshake_too)
{
    struct secured s;
    int client, server, level = TLSYN_LEVEL_NONE;

    open_secured(&s);
    client = client_socket(&s, 0);
    ck_assert_int_eq(
        tlsyn_setsockopt(client, SOL_TLSYN, TLSYN_CONNECT_LEVEL, &level, sizeof(level)), 0);
    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s.at), sizeof(s.at), s.client_config, "host.test"), 0);
    server = tlsyn_accept(s.listener, NULL, NULL);
    ck_assert_uint_eq(info_of(client).syn_text, 0);
    ck_assert_int_eq(tlsyn_write(server, "hello", 5), 5);
    assert_reads(client, "hello");
    tlsyn_close(client);
    tlsyn_close(server);
    close_secured(&s);
}
END_TEST

START_TEST(a_name_that_is_not_the_servers_is_an_error_with_a_sentence)
{
    struct secured s;
    int client, error;
    char sentence[256] = "";
    socklen_t n = sizeof(sentence);

    open_secured(&s);
    client = client_socket(&s, 0);
    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s.at), sizeof(s.at), s.client_config, "other.test"), -1);
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_int_eq(tlsyn_getsockopt(client, SOL_TLSYN, TLSYN_ENGINE_ERROR, sentence, &n), 0);
    ck_assert_ptr_nonnull(strstr(sentence, "other.test"));
    tlsyn_close(client);

    client = client_socket(
        &s, SOCK_NONBLOCK); /* where it must not wait, poll says when, and SO_ERROR what */
    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s.at), sizeof(s.at), s.client_config, "other.test"), -1);
    ck_assert_int_eq(errno, EINPROGRESS);
    ck_assert_int_ne(bsd_await(&s.b, client, POLLOUT) & POLLERR, 0);
    n = sizeof(error);
    ck_assert_int_eq(tlsyn_getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &n), 0);
    ck_assert_int_eq(error, EPROTO);
    tlsyn_close(client);
    close_secured(&s);
}
END_TEST

START_TEST(an_end_without_close_notify_is_a_reset)
{
    const struct linger at_once = {1, 0};
    struct secured s;
    int client, server;
    char got[8];

    open_secured(&s);
    client = client_socket(&s, SOCK_NONBLOCK);
    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s.at), sizeof(s.at), s.client_config, "host.test"), -1);
    ck_assert_int_eq(errno, EINPROGRESS);
    ck_assert_int_eq(bsd_await(&s.b, client, POLLOUT) & (POLLOUT | POLLERR), POLLOUT);
    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s.at), sizeof(s.at), s.client_config, "host.test"), 0);
    server = tlsyn_accept(s.listener, NULL, NULL);
    tlsyn_setsockopt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    tlsyn_close(server);
    (void)bsd_await(&s.b, client, POLLHUP);
    ck_assert_int_eq(tlsyn_read(client, got, sizeof(got)), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    tlsyn_close(client);
    close_secured(&s);
}
END_TEST

#define BULK (1 << 20)

static void *echo(void *data)
{
    int fd = *(int *)data;
    char bytes[3000];
    ssize_t n;

    while ((n = tlsyn_read(fd, bytes, sizeof(bytes))) > 0)
        ck_assert_int_eq(tlsyn_write(fd, bytes, (size_t)n), n);
    ck_assert_int_eq(n, 0);
    tlsyn_close(fd);
    return NULL;
}

static void *pour(void *data)
{
    int fd = *(int *)data;
    uint8_t *bytes = malloc(BULK);

    for (size_t i = 0; i < BULK; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 777);
    ck_assert_int_eq(tlsyn_write(fd, bytes, BULK), BULK);
    tlsyn_shutdown(fd, SHUT_WR);
    free(bytes);
    return NULL;
}

START_TEST(a_megabyte_comes_back_as_it_went)
{
    struct secured s;
    pthread_t echoing, pouring;
    size_t got = 0, wrong = 0;
    uint8_t bytes[10000];
    int client, server;
    ssize_t n;

    open_secured(&s);
    client = client_socket(&s, 0);
    ck_assert_int_eq(
        tlsyn_connect_ssl(client, ADDR(s.at), sizeof(s.at), s.client_config, "host.test"), 0);
    server = tlsyn_accept(s.listener, NULL, NULL);
    pthread_create(&echoing, NULL, echo, &server);
    pthread_create(&pouring, NULL, pour, &client);
    while ((n = tlsyn_read(client, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < n; i++, got++)
            wrong += bytes[i] != (uint8_t)(got * 13 + got / 777);
    }
    ck_assert_int_eq(n, 0);
    ck_assert_uint_eq(got, BULK);
    ck_assert_uint_eq(wrong, 0);
    pthread_join(echoing, NULL);
    pthread_join(pouring, NULL);
    tlsyn_close(client);
    close_secured(&s);
}
END_TEST

/* --- Fast Open -------------------------------------------------------------------------------- */

static int fast_open_listener(struct bsd *b, struct sockaddr_in *at)
{
    int fd = bsd_listener(b, at, 4), five = 5;

    ck_assert_int_eq(tlsyn_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof(five)), 0);
    return fd;
}

static int sent_with_syn(struct bsd *b, int listener, const struct sockaddr_in *at,
                         const char *text, ssize_t *result)
{
    int client = tlsyn_socket(b->net[CLIENT], AF_INET, SOCK_STREAM, 0), server;
    int riding;

    *result = tlsyn_sendto(client, text, strlen(text), MSG_FASTOPEN, (const struct sockaddr *)at,
                           sizeof(*at));
    server = tlsyn_accept(listener, NULL, NULL);
    assert_reads(server, text);
    riding = (int)info_of(client).syn_text;
    tlsyn_close(client);
    tlsyn_close(server);
    return riding;
}

START_TEST(the_second_contact_sends_with_the_syn)
{
    struct bsd b;
    struct sockaddr_in at;
    ssize_t result;
    int listener, client, server, one = 1;

    bsd_ours(&b);
    listener = fast_open_listener(&b, &at);
    ck_assert_int_eq(sent_with_syn(&b, listener, &at, "first", &result), 0); /* asks for a cookie */
    ck_assert_int_eq(result, 5);
    ck_assert_int_eq(sent_with_syn(&b, listener, &at, "second", &result), 6);
    ck_assert_int_eq(result, 6);

    /* TCP_FASTOPEN_CONNECT: connect is done at once, and the first write opens. */
    client = tlsyn_socket(b.net[CLIENT], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(tlsyn_setsockopt(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)),
                     0);
    ck_assert_int_eq(tlsyn_connect(client, ADDR(at), sizeof(at)), 0);
    ck_assert_int_eq(tlsyn_connect(client, ADDR(at), sizeof(at)), -1);
    ck_assert_int_eq(errno, EISCONN);
    ck_assert_int_eq(bsd_await(&b, client, 0), POLLOUT);
    ck_assert_int_eq(tlsyn_write(client, "third", 5), 5);
    server = tlsyn_accept(listener, NULL, NULL);
    assert_reads(server, "third");
    ck_assert_uint_eq(info_of(client).syn_text, 5);
    tlsyn_close(client);
    tlsyn_close(server);
    tlsyn_close(listener);
    bsd_end(&b);
}
END_TEST

/* As with the kernel: what does not fit is not taken, and connecting to nobody is no way to open.
 *  */
START_TEST(a_syn_takes_no_more_than_fits)
{
    static char text[5000];
    struct bsd b;
    struct sockaddr_in at, nobody = {.sin_family = AF_UNSPEC};
    ssize_t result;
    int listener, client;

    bsd_ours(&b);
    listener = fast_open_listener(&b, &at);
    ck_assert_int_eq(sent_with_syn(&b, listener, &at, "first", &result), 0);
    client = tlsyn_socket(b.net[CLIENT], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(tlsyn_sendto(client, text, 9, MSG_FASTOPEN, ADDR(nobody), sizeof(nobody)), -1);
    ck_assert_int_eq(errno, EOPNOTSUPP);
    result = tlsyn_sendto(client, text, sizeof(text), MSG_FASTOPEN, ADDR(at), sizeof(at));
    ck_assert_int_gt(result, 1000);
    ck_assert_int_lt(result, 1460);
    ck_assert_int_eq(info_of(client).syn_text, result);
    tlsyn_close(client);
    tlsyn_close(listener);
    bsd_end(&b);
}
END_TEST

/* --- a clock of its own ----------------------------------------------------------------------- */

struct jumping {
    struct tlsyn_net_clock clock;
    struct world *world;
};

static tlsyn_time world_now(struct tlsyn_net_clock *clock)
{
    return ((struct jumping *)(void *)clock)->world->now;
}

struct blocked {
    int fd;
    long result;
    int error;
    bool done;
};

static void *read_blocked(void *data)
{
    struct blocked *blocked = data;
    char byte;

    blocked->result = tlsyn_recv(blocked->fd, &byte, 1, 0);
    blocked->error = errno;
    __atomic_store_n(&blocked->done, true, __ATOMIC_RELEASE);
    return NULL;
}

/* An hour of patience passes in no time, for the clock jumps to what is due. */
START_TEST(a_blocked_call_waits_on_the_nets_clock)
{
    struct world w;
    struct jumping jumping[2] = {{{world_now}, &w}, {{world_now}, &w}};
    struct tlsyn_net *nets[2];
    const struct timeval hour = {3600, 0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct blocked blocked = {0};
    struct pollfd poll_fd;
    pthread_t thread;
    int listener;

    world_open(&w, &(struct world_options){.seed = 1});
    for (int i = 0; i < 2; i++) {
        const struct tlsyn_net_options options = {.stack = w.host[i].stack,
                                                  .clock = &jumping[i].clock};

        ck_assert_int_eq(tlsyn_net_open(&options, &nets[i]), 0);
    }
    listener = tlsyn_socket(nets[WORLD_SERVER], AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(tlsyn_bind(listener, ADDR(at), sizeof(at)), 0);
    ck_assert_int_eq(tlsyn_listen(listener, 1), 0);
    at.sin_addr.s_addr = htonl(0x0a000002);
    blocked.fd = tlsyn_socket(nets[WORLD_CLIENT], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(tlsyn_connect(blocked.fd, ADDR(at), sizeof(at)), -1);
    ck_assert_int_eq(errno, EINPROGRESS);
    for (int i = 0; i < 100; i++)
        (void)world_step(&w, w.now + 1000);
    for (int i = 0; i < 2; i++)
        tlsyn_net_turn(nets[i]); /* what happened to the stack is seen */
    poll_fd = (struct pollfd){.fd = blocked.fd, .events = POLLOUT};
    ck_assert_int_eq(tlsyn_poll(&poll_fd, 1, 0), 1);
    ck_assert_int_eq(tlsyn_fcntl(blocked.fd, F_SETFL, 0), 0);
    ck_assert_int_eq(tlsyn_setsockopt(blocked.fd, SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof(hour)), 0);
    pthread_create(&thread, NULL, read_blocked, &blocked);
    while (!__atomic_load_n(&blocked.done, __ATOMIC_ACQUIRE)) {
        tlsyn_time next = tlsyn_net_next_timeout(nets[WORLD_CLIENT]);

        (void)usleep(1000);                       /* the thread needs a moment to fall asleep */
        (void)tlsyn_net_lock(nets[WORLD_CLIENT]); /* the clock is read under it */
        if (next != TLSYN_NEVER && next > w.now)
            w.now = next;
        tlsyn_net_unlock(nets[WORLD_CLIENT]);
        tlsyn_net_turn(nets[WORLD_CLIENT]);
    }
    pthread_join(thread, NULL);
    ck_assert_int_eq(blocked.result, -1);
    ck_assert_int_eq(blocked.error, EAGAIN);
    ck_assert_int_ge(w.now, TLSYN_SECONDS(3600));
    tlsyn_close(blocked.fd);
    tlsyn_close(listener);
    tlsyn_net_close(nets[0]);
    tlsyn_net_close(nets[1]);
    world_close(&w);
}
END_TEST

Suite *socket_tls_suite(void);

Suite *socket_tls_suite(void)
{
    Suite *suite = suite_create("socket_tls");
    TCase *tls = tcase_create("TLS");
    TCase *rest = tcase_create("Fast Open, and clocks");

    tcase_set_timeout(tls, 60);
    tcase_add_test(tls, the_handshake_is_inside_the_syn);
    tcase_add_test(tls, who_comes_back_resumes);
    tcase_add_test(tls, a_listening_socket_takes_the_sequential_handshake_too);
    tcase_add_test(tls, a_name_that_is_not_the_servers_is_an_error_with_a_sentence);
    tcase_add_test(tls, an_end_without_close_notify_is_a_reset);
    tcase_add_test(tls, a_megabyte_comes_back_as_it_went);
    tcase_set_timeout(rest, 60);
    tcase_add_test(rest, the_second_contact_sends_with_the_syn);
    tcase_add_test(rest, a_syn_takes_no_more_than_fits);
    tcase_add_test(rest, a_blocked_call_waits_on_the_nets_clock);
    suite_add_tcase(suite, tls);
    suite_add_tcase(suite, rest);
    return suite;
}
