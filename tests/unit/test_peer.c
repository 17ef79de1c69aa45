/* peer: the stock client and server meet on the loopback; what goes wrong is told with its
 * reason. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "peer/client.h"
#include "peer/server.h"
#include "peer/stream.h"
#include "study/credentials.h"
#include "support/served.h"

enum { PAD_US = 30000, PATIENCE_MS = 60000 };

/* What listens on `ports` and those behind it. */
static const struct {
    enum peer_suite suite;
    enum peer_session session;
} kinds[] = {
    {PEER_12_RSA, PEER_NEW},      {PEER_12_ECDHE, PEER_NEW}, {PEER_13, PEER_NEW},
    {PEER_12_RSA, PEER_ID},       {PEER_12_ECDHE, PEER_ID},  {PEER_12_RSA, PEER_TICKET},
    {PEER_12_ECDHE, PEER_TICKET}, {PEER_13, PEER_PSK},       {PEER_13, PEER_EARLY},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct credentials made;
static struct served server;
static uint16_t ports;

static int serve(int fd)
{
    struct peer_service services[KINDS];
    char message[PEER_MESSAGE_MAX];
    const struct peer_server wanted = {.address = "127.0.0.1",
                                       .services = services,
                                       .count = KINDS,
                                       .response = "hello",
                                       .pad_us = PAD_US,
                                       .timeout_ms = PATIENCE_MS,
                                       .fast_open = true,
                                       .control = fd,
                                       .ready = served_ready,
                                       .ready_argument = &fd};
    int error = 0;

    for (int i = 0; i < KINDS; i++) {
        const struct tlsyn_certified *c = credentials_for(&made, (enum study_suite)kinds[i].suite);
        const struct peer_identity identity = {.chain = c->chain, .key = c->key};

        services[i].port = (uint16_t)(ports + i);
        services[i].context =
            peer_server_context(kinds[i].suite, kinds[i].session, &identity, message);
        if (!services[i].context)
            return 1;
    }
    error = peer_serve(&wanted);
    for (int i = 0; i < KINDS; i++)
        peer_context_free(services[i].context);
    return error == 0 ? 0 : 2;
}

static void start_server(void)
{
    ck_assert_int_eq(credentials_make(&made), 0);
    ports = served_ports(KINDS);
    served_start(&server, serve);
}

static void stop_server(void)
{
    served_stop(&server);
}

static int meet(enum peer_suite suite, const char *ca, const char *name, int port,
                struct peer_observation *seen)
{
    char message[PEER_MESSAGE_MAX];
    struct peer_target target = {.context = peer_client_context(suite, PEER_NEW, ca, message),
                                 .address = "127.0.0.1",
                                 .port = (uint16_t)port,
                                 .name = name,
                                 .request = "GET",
                                 .timeout_ms = PATIENCE_MS};
    int error = 0;

    ck_assert_ptr_nonnull(target.context);
    error = peer_exchange(&target, seen);
    peer_context_free(target.context);
    return error;
}

START_TEST(each_suite_is_negotiated_and_timed)
{
    static const struct {
        const char *version, *cipher, *group;
    } expected[] = {{"TLSv1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256", ""},
                    {"TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "X25519"},
                    {"TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519"}};

    for (int i = 0; i < PEER_SUITES; i++) {
        const struct tlsyn_certified *c = credentials_for(&made, (enum study_suite)i);
        struct peer_observation seen;

        ck_assert_msg(meet((enum peer_suite)i, c->ca, STUDY_SERVER_NAME, ports + i, &seen) == 0,
                      "%s", seen.reason);
        ck_assert_str_eq(seen.version, expected[i].version);
        ck_assert_str_eq(seen.cipher, expected[i].cipher);
        ck_assert_str_eq(seen.group, expected[i].group);
        ck_assert(seen.handshake_us >= PAD_US); /* the pad is in it, and stands before the end */
        ck_assert(seen.first_byte_us > seen.handshake_us);
    }
}
END_TEST

/* The first leaves what the later ones need; Fast Open is not asked for. */
START_TEST(sessions_are_resumed_as_asked)
{
    for (int i = PEER_SUITES; i < KINDS; i++) {
        const struct tlsyn_certified *c = credentials_for(&made, (enum study_suite)kinds[i].suite);
        char message[PEER_MESSAGE_MAX];
        struct peer_observation seen;
        const struct peer_target target = {
            .context = peer_client_context(kinds[i].suite, kinds[i].session, c->ca, message),
            .address = "127.0.0.1",
            .port = (uint16_t)(ports + i),
            .name = STUDY_SERVER_NAME,
            .request = "GET",
            .timeout_ms = PATIENCE_MS};

        ck_assert_int_eq(peer_exchange(&target, &seen), -ENOTSUP);
        ck_assert_str_eq(seen.reason, "not resumed");
        int before = 0, least = kinds[i].session == PEER_EARLY;
        for (int again = 0; again < 3 || (before < least && again < 50); again++) {
            ck_assert_msg(peer_exchange(&target, &seen) == 0, "%d: %s", i, seen.reason);
            before += seen.handshake_us < PAD_US;
            ck_assert(seen.first_byte_us > seen.handshake_us && seen.first_byte_us >= PAD_US);
        }
        /* Early data is written before the server has begun: unless the machine was busy. */
        ck_assert(least ? before > 0 : before == 0);
        peer_context_free(target.context);
    }
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
}

/* Nor does a SIGSTOP with SIGCONT, which cuts such a wait short as well (signal(7)). */
START_TEST(a_signal_ends_no_wait_for_the_peer)
{
    const struct sigaction annoying = {.sa_handler = on_alarm}, usual = {.sa_handler = SIG_DFL};
    const struct itimerval often = {.it_interval = {.tv_usec = PAD_US / 5},
                                    .it_value = {.tv_usec = PAD_US / 5}};
    const struct itimerval never = {.it_value = {0}};
    struct peer_observation seen;

    ck_assert_int_eq(sigaction(SIGALRM, &annoying, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    int error = meet(PEER_13, made.ec.ca, STUDY_SERVER_NAME, ports + PEER_13, &seen);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    ck_assert_int_eq(sigaction(SIGALRM, &usual, NULL), 0);
    ck_assert_msg(error == 0, "%s", seen.reason);
}
END_TEST

START_TEST(a_certificate_that_does_not_verify_is_refused)
{
    struct peer_observation seen;

    ck_assert_int_eq(meet(PEER_13, made.rsa.ca, STUDY_SERVER_NAME, ports + PEER_13, &seen),
                     -EPROTO);
    ck_assert_ptr_nonnull(strstr(seen.reason, "certificate verify failed"));
    ck_assert_int_eq(meet(PEER_13, made.ec.ca, "other.lab", ports + PEER_13, &seen), -EPROTO);
    ck_assert_ptr_nonnull(strstr(seen.reason, "certificate verify failed"));
}
END_TEST

START_TEST(a_closed_port_and_another_version_are_told)
{
    struct peer_observation seen;

    ck_assert_int_eq(meet(PEER_13, made.ec.ca, STUDY_SERVER_NAME, ports - 1, &seen), -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(seen.reason, "refused"));
    ck_assert_int_lt(meet(PEER_12_ECDHE, made.ec.ca, STUDY_SERVER_NAME, ports + PEER_13, &seen), 0);
    ck_assert(seen.reason[0] != '\0');
}
END_TEST

START_TEST(nonsense_for_a_certificate_gives_no_context)
{
    const struct peer_identity mixed = {.chain = made.ec.chain, .key = made.rsa.key};
    char message[PEER_MESSAGE_MAX] = "";

    ck_assert_ptr_null(peer_client_context(PEER_13, PEER_NEW, "nonsense", message));
    ck_assert(message[0] != '\0');
    message[0] = '\0';
    ck_assert_ptr_null(peer_server_context(PEER_13, PEER_NEW, &mixed, message));
    ck_assert(message[0] != '\0');
}
END_TEST

/* --- many at once ----------------------------------------------------------------------------- */

/* Turns both ends until both are up, or one has failed: its error. */
static int bring_up(struct peer_stream *client, struct peer_stream **served,
                    struct peer_context *context, int listener)
{
    int error = 0;

    for (int i = 0; error == 0 && i < 2000; i++) {
        struct pollfd writable = {.fd = peer_stream_fd(client), .events = POLLOUT};

        if (!*served && peer_stream_accept(context, listener, served) < 0)
            *served = NULL;
        if (*served && peer_stream_phase(*served) != PEER_UP)
            error = peer_stream_go_on(*served);
        if (error == 0 && peer_stream_phase(client) != PEER_UP && poll(&writable, 1, 1) == 1)
            error = peer_stream_go_on(client);
        if (*served && peer_stream_phase(*served) == PEER_UP &&
            peer_stream_phase(client) == PEER_UP)
            break;
    }
    return error;
}

static ssize_t read_soon(struct peer_stream *stream, char *bytes, size_t n)
{
    ssize_t got = -EAGAIN;

    for (int i = 0; got == -EAGAIN && i < 2000; i++) {
        struct pollfd readable = {.fd = peer_stream_fd(stream), .events = POLLIN};

        (void)poll(&readable, 1, 1);
        got = peer_stream_read(stream, bytes, n);
    }
    return got;
}

/* One connection, "ping" and "pong". Whether it was resumed. */
static bool exchange_by_streams(struct peer_context *ours, struct peer_context *theirs,
                                int listener, const char *name)
{
    struct peer_stream *client = NULL, *served = NULL;
    struct sockaddr_in to;
    socklen_t size = sizeof(to);
    char bytes[16];
    bool resumed;

    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&to, &size), 0);
    ck_assert_int_eq(peer_stream_connect(ours, &to, name, &client), 0);
    ck_assert_int_eq(peer_stream_phase(client), PEER_CONNECTING);
    ck_assert_int_eq(bring_up(client, &served, theirs, listener), 0);
    ck_assert_int_eq(peer_stream_phase(client), PEER_UP);
    ck_assert_int_eq(peer_stream_write(client, "ping", 4), 4);
    ck_assert_int_eq(read_soon(served, bytes, sizeof(bytes)), 4);
    ck_assert_int_eq(peer_stream_write(served, "pong", 4), 4);
    peer_stream_end(served);
    ck_assert_int_eq(read_soon(client, bytes, sizeof(bytes)), 4);
    ck_assert_mem_eq(bytes, "pong", 4);
    ck_assert_int_eq(read_soon(client, bytes, sizeof(bytes)), 0);
    resumed = peer_stream_resumed(client);
    peer_stream_free(client);
    peer_stream_free(served);
    return resumed;
}

static int listen_anywhere(void)
{
    const struct sockaddr_in here = {.sin_family = AF_INET,
                                     .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int listener = peer_stream_listen(&here);

    ck_assert_int_ge(listener, 0);
    return listener;
}

static struct peer_context *any_version(int tickets)
{
    const struct peer_identity identity = {.chain = made.ec.chain, .key = made.ec.key};
    char message[PEER_MESSAGE_MAX];
    struct peer_context *context = peer_server_context(PEER_ANY, PEER_PSK, &identity, message);

    ck_assert_ptr_nonnull(context);
    peer_context_tickets(context, tickets);
    return context;
}

START_TEST(streams_share_the_sessions_of_a_server)
{
    static const struct {
        enum peer_suite suite;
        enum peer_session session;
    } rows[] = {{PEER_12_ECDHE, PEER_TICKET}, {PEER_13, PEER_PSK}};
    struct peer_context *theirs = any_version(1);
    int listener = listen_anywhere();
    char message[PEER_MESSAGE_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer_context *ours =
            peer_client_context(rows[i].suite, rows[i].session, made.ec.ca, message);

        ck_assert_ptr_nonnull(ours);
        ck_assert(!exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
        ck_assert(exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
        ck_assert(exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
        peer_context_forget(ours);
        ck_assert(!exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
        peer_context_free(ours);
    }
    peer_context_free(theirs);
    (void)close(listener);
}
END_TEST

/* The server's favourite of what the client offers. */
START_TEST(streams_agree_on_a_protocol)
{
    static const char *const both[] = {"h2", "http/1.1", NULL}, *const one[] = {"http/1.1", NULL};
    static const char *const none[] = {NULL};
    static const char *const *const offers[] = {both, one, none};
    struct peer_context *theirs = any_version(1);
    int listener = listen_anywhere();
    char message[PEER_MESSAGE_MAX];

    ck_assert_int_eq(peer_context_alpn(theirs, both), 0);
    for (int i = 0; i < 3; i++) {
        struct peer_context *ours = peer_client_context(PEER_13, PEER_NEW, made.ec.ca, message);
        struct peer_stream *client = NULL, *served = NULL;
        struct sockaddr_in to;
        socklen_t size = sizeof(to);

        ck_assert_ptr_nonnull(ours);
        ck_assert_int_eq(peer_context_alpn(ours, offers[i]), 0);
        ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&to, &size), 0);
        ck_assert_int_eq(peer_stream_connect(ours, &to, STUDY_SERVER_NAME, &client), 0);
        ck_assert_int_eq(bring_up(client, &served, theirs, listener), 0);
        ck_assert_int_eq(peer_stream_speaks(client, "h2"), i == 0);
        ck_assert_int_eq(peer_stream_speaks(served, "http/1.1"), i == 1);
        peer_stream_free(client);
        peer_stream_free(served);
        peer_context_free(ours);
    }
    peer_context_free(theirs);
    (void)close(listener);
}
END_TEST

/* Turns both until the client may write; what it then writes leaves early if `early`. */
static void bring_together(struct peer_stream *client, struct peer_stream **served,
                           struct peer_context *context, int listener)
{
    for (int i = 0; i < 2000 && peer_stream_phase(client) < PEER_UP_EARLY; i++) {
        struct pollfd writable = {.fd = peer_stream_fd(client), .events = POLLOUT};

        if (!*served && peer_stream_accept(context, listener, served) < 0)
            *served = NULL;
        if (*served)
            ck_assert_int_eq(peer_stream_go_on(*served), 0);
        if (poll(&writable, 1, 1) == 1)
            ck_assert_int_eq(peer_stream_go_on(client), 0);
    }
}

/* Writes "ping" as soon as may be. Whether that is early; the server's end in *served. */
static bool ping_early(struct peer_context *ours, struct peer_context *theirs, int listener,
                       struct peer_stream **client, struct peer_stream **served)
{
    struct sockaddr_in to;
    socklen_t size = sizeof(to);
    bool early;

    *served = NULL;
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&to, &size), 0);
    ck_assert_int_eq(peer_stream_connect(ours, &to, STUDY_SERVER_NAME, client), 0);
    bring_together(*client, served, theirs, listener);
    early = peer_stream_phase(*client) == PEER_UP_EARLY;
    ck_assert_int_eq(peer_stream_write(*client, "ping", 4), 4);
    for (int i = 0; !*served && i < 2000; i++) {
        struct pollfd waits = {.fd = listener, .events = POLLIN};

        (void)poll(&waits, 1, 1);
        (void)peer_stream_accept(theirs, listener, served);
    }
    ck_assert_ptr_nonnull(*served);
    return early;
}

/* What the server's end reads, turned without the client, or (both) with it. */
static ssize_t read_turning(struct peer_stream *reader, struct peer_stream *other, char *bytes)
{
    ssize_t got = -EAGAIN;

    for (int i = 0; got == -EAGAIN && i < 2000; i++) {
        struct pollfd readable = {.fd = peer_stream_fd(reader), .events = POLLIN};

        (void)poll(&readable, 1, 1);
        ck_assert_int_eq(peer_stream_go_on(reader), 0);
        if (other)
            ck_assert_int_eq(peer_stream_go_on(other), 0);
        got = peer_stream_read(reader, bytes, 16);
    }
    return got;
}

static struct peer_context *early_server(void)
{
    const struct peer_identity identity = {made.ec.chain, made.ec.key};
    char message[PEER_MESSAGE_MAX];
    struct peer_context *context = peer_server_context(PEER_ANY, PEER_EARLY, &identity, message);

    ck_assert_ptr_nonnull(context);
    return context;
}

/* The first connection brings the session, of which the second makes use. */
START_TEST(early_data_is_answered_before_the_handshake_is_over)
{
    char message[PEER_MESSAGE_MAX], bytes[16];
    struct peer_context *theirs = early_server();
    struct peer_context *ours = peer_client_context(PEER_13, PEER_EARLY, made.ec.ca, message);
    struct peer_stream *client = NULL, *served = NULL;
    int listener = listen_anywhere();

    ck_assert_ptr_nonnull(ours);
    ck_assert(!exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
    ck_assert_int_eq(peer_context_known(ours, STUDY_SERVER_NAME), 1);
    ck_assert_int_eq(peer_context_known(ours, "another"), 0);
    ck_assert(ping_early(ours, theirs, listener, &client, &served));
    ck_assert_int_eq(read_turning(served, NULL, bytes), 4);
    ck_assert_mem_eq(bytes, "ping", 4);
    ck_assert_int_eq(peer_stream_phase(served), PEER_UP_EARLY);
    ck_assert_int_eq(peer_stream_write(served, "pong", 4), 4);
    ck_assert_int_eq(read_turning(client, NULL, bytes), 4);
    ck_assert_mem_eq(bytes, "pong", 4);
    ck_assert(peer_stream_resumed(client));
    peer_stream_free(client);
    peer_stream_free(served);
    peer_context_free(ours);
    peer_context_free(theirs);
    (void)close(listener);
}
END_TEST

/* Another server than that which gave the session knows nothing of it. */
START_TEST(early_data_that_is_not_taken_is_sent_again)
{
    char message[PEER_MESSAGE_MAX], bytes[16];
    struct peer_context *theirs = early_server(), *others = early_server();
    struct peer_context *ours = peer_client_context(PEER_13, PEER_EARLY, made.ec.ca, message);
    struct peer_stream *client = NULL, *served = NULL;
    int listener = listen_anywhere();

    ck_assert_ptr_nonnull(ours);
    ck_assert(!exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
    ck_assert(ping_early(ours, others, listener, &client, &served));
    ck_assert_int_eq(read_turning(served, client, bytes), 4);
    ck_assert_mem_eq(bytes, "ping", 4);
    ck_assert_int_eq(peer_stream_phase(served), PEER_UP);
    ck_assert(!peer_stream_resumed(client));
    peer_stream_free(client);
    peer_stream_free(served);
    peer_context_free(ours);
    peer_context_free(theirs);
    peer_context_free(others);
    (void)close(listener);
}
END_TEST

START_TEST(a_ticket_of_tls_1_3_is_good_once)
{
    struct peer_context *theirs = any_version(1), *ours;
    int listener = listen_anywhere();
    char message[PEER_MESSAGE_MAX];

    ours = peer_client_context(PEER_13, PEER_PSK, made.ec.ca, message);
    ck_assert_ptr_nonnull(ours);
    ck_assert(!exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
    peer_context_tickets(theirs, 0); /* those who resume get none */
    ck_assert(exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
    ck_assert(!exchange_by_streams(ours, theirs, listener, STUDY_SERVER_NAME));
    peer_context_free(ours);
    peer_context_free(theirs);
    (void)close(listener);
}
END_TEST

START_TEST(a_stream_that_fails_says_why)
{
    struct peer_context *theirs = any_version(1), *ours;
    struct peer_stream *client = NULL, *served = NULL;
    int listener = listen_anywhere();
    struct sockaddr_in to;
    socklen_t size = sizeof(to);
    char message[PEER_MESSAGE_MAX];

    ours = peer_client_context(PEER_13, PEER_PSK, made.ec.ca, message);
    ck_assert_ptr_nonnull(ours);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&to, &size), 0);
    ck_assert_int_eq(peer_stream_connect(ours, &to, "another.test", &client), 0);
    ck_assert_int_lt(bring_up(client, &served, theirs, listener), 0);
    ck_assert_str_eq(peer_stream_error(client), "certificate verify failed");
    peer_stream_free(client);
    peer_stream_free(served);
    (void)close(listener);
    ck_assert_int_eq(peer_stream_connect(ours, &to, STUDY_SERVER_NAME, &client), 0);
    ck_assert_int_eq(peer_stream_go_on(client), -ECONNREFUSED);
    ck_assert_str_eq(peer_stream_error(client), strerror(ECONNREFUSED));
    peer_stream_free(client);
    peer_context_free(ours);
    peer_context_free(theirs);
}
END_TEST

Suite *peer_suite(void);
Suite *peer_suite(void)
{
    Suite *suite = suite_create("peer");
    TCase *tcase = tcase_create("peer");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, start_server, stop_server);
    tcase_add_test(tcase, each_suite_is_negotiated_and_timed);
    tcase_add_test(tcase, sessions_are_resumed_as_asked);
    tcase_add_test(tcase, a_signal_ends_no_wait_for_the_peer);
    tcase_add_test(tcase, a_certificate_that_does_not_verify_is_refused);
    tcase_add_test(tcase, a_closed_port_and_another_version_are_told);
    tcase_add_test(tcase, streams_share_the_sessions_of_a_server);
    tcase_add_test(tcase, streams_agree_on_a_protocol);
    tcase_add_test(tcase, early_data_is_answered_before_the_handshake_is_over);
    tcase_add_test(tcase, early_data_that_is_not_taken_is_sent_again);
    tcase_add_test(tcase, a_ticket_of_tls_1_3_is_good_once);
    tcase_add_test(tcase, a_stream_that_fails_says_why);
    tcase_add_test(tcase, nonsense_for_a_certificate_gives_no_context);
    suite_add_tcase(suite, tcase);
    return suite;
}
