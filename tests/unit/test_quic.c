/* peer/quic: client and server meet on the loopback, with new sessions, resumed ones and early
 * data; what goes wrong is told. Where tlsyn was built without QUIC there is nothing to test. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "peer/quic.h"
#include "study/credentials.h"
#include "support/served.h"

enum { PAD_US = 30000, PATIENCE_MS = 60000, KINDS = 3 };

static const enum peer_session kinds[KINDS] = {PEER_NEW, PEER_PSK, PEER_EARLY};

static struct credentials made;
static struct served server;
static uint16_t ports;

static int serve(int fd)
{
    const struct peer_identity identity = {.chain = made.ec.chain, .key = made.ec.key};
    struct peer_quic_service services[KINDS];
    const struct peer_quic_server wanted = {.address = "127.0.0.1",
                                            .identity = &identity,
                                            .services = services,
                                            .count = KINDS,
                                            .response = "hello",
                                            .pad_us = PAD_US,
                                            .control = fd,
                                            .ready = served_ready,
                                            .ready_argument = &fd};

    for (int i = 0; i < KINDS; i++)
        services[i] =
            (struct peer_quic_service){.port = (uint16_t)(ports + i), .session = kinds[i]};
    return peer_quic_serve(&wanted) == 0 ? 0 : 2;
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

static struct peer_target target_of(int kind, const char *name)
{
    return (struct peer_target){.address = "127.0.0.1",
                                .port = (uint16_t)(ports + kind),
                                .name = name,
                                .request = "GET",
                                .timeout_ms = PATIENCE_MS};
}

START_TEST(each_kind_of_session_is_what_it_says)
{
    for (int i = 0; i < KINDS; i++) {
        const struct peer_target target = target_of(i, STUDY_SERVER_NAME);
        struct peer_quic_client *client = NULL;
        struct peer_observation seen;

        ck_assert_int_eq(peer_quic_client_new(kinds[i], made.ec.ca, &client), 0);
        if (kinds[i] != PEER_NEW) { /* the first brings what the others resume */
            ck_assert_int_eq(peer_quic_exchange(client, &target, &seen), -EPROTO);
            ck_assert_str_eq(seen.reason, "not resumed");
        }
        /* Early data is written before the server has begun: unless the machine was busy. */
        int before = 0, least = kinds[i] == PEER_EARLY;
        for (int again = 0; again < 3 || (before < least && again < 50); again++) {
            ck_assert_msg(peer_quic_exchange(client, &target, &seen) == 0, "%d: %s", i,
                          seen.reason);
            ck_assert_str_eq(seen.version, "QUIC v1");
            before += seen.handshake_us < PAD_US;
            ck_assert(seen.first_byte_us > seen.handshake_us && seen.first_byte_us >= PAD_US);
        }
        ck_assert(least ? before > 0 : before == 0);
        peer_quic_client_free(client);
    }
}
END_TEST

START_TEST(another_authority_and_another_name_are_refused)
{
    struct peer_target target = target_of(0, STUDY_SERVER_NAME);
    struct peer_quic_client *client = NULL;
    struct peer_observation seen;

    ck_assert_int_eq(peer_quic_client_new(PEER_NEW, made.rsa.ca, &client), 0);
    ck_assert_int_lt(peer_quic_exchange(client, &target, &seen), 0);
    ck_assert(seen.reason[0] != '\0');
    peer_quic_client_free(client);
    target.name = "other.lab";
    ck_assert_int_eq(peer_quic_client_new(PEER_NEW, made.ec.ca, &client), 0);
    ck_assert_int_lt(peer_quic_exchange(client, &target, &seen), 0);
    ck_assert(seen.reason[0] != '\0');
    peer_quic_client_free(client);
    ck_assert_int_eq(peer_quic_client_new(PEER_NEW, "nonsense", &client), -EPROTO);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_told)
{
    struct peer_target target = target_of(-1, STUDY_SERVER_NAME);
    struct peer_quic_client *client = NULL;
    struct peer_observation seen;

    ck_assert_int_eq(peer_quic_client_new(PEER_NEW, made.ec.ca, &client), 0);
    ck_assert_int_eq(peer_quic_exchange(client, &target, &seen), -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(seen.reason, "refused"));
    peer_quic_client_free(client);
}
END_TEST

START_TEST(without_it_every_call_says_so)
{
    struct peer_quic_client *client = NULL;
    const struct peer_quic_server nothing = {.count = 0};

    ck_assert_int_eq(peer_quic_client_new(PEER_NEW, "", &client), -EOPNOTSUPP);
    ck_assert_int_eq(peer_quic_serve(&nothing), -EOPNOTSUPP);
    ck_assert_ptr_nonnull(strstr(peer_quic_version(), "not there"));
}
END_TEST

Suite *quic_suite(void);
Suite *quic_suite(void)
{
    Suite *suite = suite_create("quic");
    TCase *tcase = tcase_create("quic");

    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    if (!peer_quic_is_there()) {
        tcase_add_test(tcase, without_it_every_call_says_so);
        return suite;
    }
    tcase_add_checked_fixture(tcase, start_server, stop_server);
    tcase_add_test(tcase, each_kind_of_session_is_what_it_says);
    tcase_add_test(tcase, another_authority_and_another_name_are_refused);
    tcase_add_test(tcase, a_server_that_is_not_there_is_told);
    return suite;
}
