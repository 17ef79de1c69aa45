/* peer: the stock client and server meet on the loopback; what goes wrong is told with its
 * reason. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/client.h"
#include "peer/server.h"
#include "study/credentials.h"

enum { PORT_BASE = 47431, PAD_US = 30000 };

/* What listens on PORT_BASE and the ports behind it. */
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
static int control[2];
static pid_t server;

static void say_ready(void *argument)
{
    const int *fd = argument;

    ck_assert_int_eq(write(*fd, "r", 1), 1);
}

static int serve(int fd)
{
    struct peer_service services[KINDS];
    char message[PEER_MESSAGE_MAX];
    const struct peer_server wanted = {.address = "127.0.0.1",
                                       .services = services,
                                       .count = KINDS,
                                       .response = "hello",
                                       .pad_us = PAD_US,
                                       .timeout_ms = 2000,
                                       .fast_open = true,
                                       .control = fd,
                                       .ready = say_ready,
                                       .ready_argument = &fd};
    int error = 0;

    for (int i = 0; i < KINDS; i++) {
        const struct tlsyn_certified *c = credentials_for(&made, (enum study_suite)kinds[i].suite);
        const struct peer_identity identity = {.chain = c->chain, .key = c->key};

        services[i].port = (uint16_t)(PORT_BASE + i);
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
    char byte = 0;

    ck_assert_int_eq(credentials_make(&made), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0) {
        (void)close(control[0]);
        _exit(serve(control[1]));
    }
    (void)close(control[1]);
    ck_assert_int_eq(read(control[0], &byte, 1), 1);
}

/* The server ends when the control descriptor does. */
static void stop_server(void)
{
    int status = -1;

    (void)close(control[0]);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_int_eq(status, 0);
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
                                 .timeout_ms = 2000};
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

        ck_assert_msg(meet((enum peer_suite)i, c->ca, STUDY_SERVER_NAME, PORT_BASE + i, &seen) == 0,
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
            .port = (uint16_t)(PORT_BASE + i),
            .name = STUDY_SERVER_NAME,
            .request = "GET",
            .timeout_ms = 2000};

        ck_assert_int_eq(peer_exchange(&target, &seen), -ENOTSUP);
        ck_assert_str_eq(seen.reason, "not resumed");
        for (int again = 0; again < 3; again++) {
            ck_assert_msg(peer_exchange(&target, &seen) == 0, "%d: %s", i, seen.reason);
            /* Early data is written before the server has begun. */
            ck_assert_int_eq(seen.handshake_us >= PAD_US, kinds[i].session != PEER_EARLY);
            ck_assert(seen.first_byte_us > seen.handshake_us && seen.first_byte_us >= PAD_US);
        }
        peer_context_free(target.context);
    }
}
END_TEST

START_TEST(a_certificate_that_does_not_verify_is_refused)
{
    struct peer_observation seen;

    ck_assert_int_eq(meet(PEER_13, made.rsa.ca, STUDY_SERVER_NAME, PORT_BASE + PEER_13, &seen),
                     -EPROTO);
    ck_assert_ptr_nonnull(strstr(seen.reason, "certificate verify failed"));
    ck_assert_int_eq(meet(PEER_13, made.ec.ca, "other.lab", PORT_BASE + PEER_13, &seen), -EPROTO);
    ck_assert_ptr_nonnull(strstr(seen.reason, "certificate verify failed"));
}
END_TEST

START_TEST(a_closed_port_and_another_version_are_told)
{
    struct peer_observation seen;

    ck_assert_int_eq(meet(PEER_13, made.ec.ca, STUDY_SERVER_NAME, PORT_BASE - 1, &seen),
                     -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(seen.reason, "refused"));
    ck_assert_int_lt(meet(PEER_12_ECDHE, made.ec.ca, STUDY_SERVER_NAME, PORT_BASE + PEER_13, &seen),
                     0);
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

Suite *peer_suite(void);
Suite *peer_suite(void)
{
    Suite *suite = suite_create("peer");
    TCase *tcase = tcase_create("peer");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, start_server, stop_server);
    tcase_add_test(tcase, each_suite_is_negotiated_and_timed);
    tcase_add_test(tcase, sessions_are_resumed_as_asked);
    tcase_add_test(tcase, a_certificate_that_does_not_verify_is_refused);
    tcase_add_test(tcase, a_closed_port_and_another_version_are_told);
    tcase_add_test(tcase, nonsense_for_a_certificate_gives_no_context);
    suite_add_tcase(suite, tcase);
    return suite;
}
