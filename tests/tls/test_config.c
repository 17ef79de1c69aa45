/* What a config takes and refuses; ALPN; the key log. */
#include <check.h>
#include <errno.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "pair.h"

static const enum tlsyn_tls_suite suites[] = {TLSYN_TLS_12_RSA, TLSYN_TLS_12_ECDHE, TLSYN_TLS_13};

static void make_certificates(void)
{
    certs_get();
}

static struct tlsyn_tls_config *server_config(void)
{
    struct tlsyn_tls_options o = {.role = TLSYN_TLS_SERVER};
    struct tlsyn_tls_config *config = NULL;

    ck_assert_int_eq(tlsyn_tls_config_new(&o, &config, NULL), 0);
    return config;
}

START_TEST(options_that_make_no_sense_are_refused)
{
    struct tlsyn_tls_options o = {.role = TLSYN_TLS_CLIENT};
    struct tlsyn_tls_config *config = NULL;
    char message[TLSYN_TLS_MESSAGE];

    ck_assert_int_eq(tlsyn_tls_config_new(&o, &config, message), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "time of day"));
    o.insecure = true;
    o.suite = (enum tlsyn_tls_suite)17;
    ck_assert_int_eq(tlsyn_tls_config_new(&o, &config, message), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "no such suite"));
    o.suite = TLSYN_TLS_ANY;
    o.role = (enum tlsyn_tls_role)3;
    ck_assert_int_eq(tlsyn_tls_config_new(&o, &config, message), -EINVAL);
    ck_assert_ptr_null(config);
}
END_TEST

START_TEST(an_identity_must_fit_together)
{
    const struct certs *c = certs_get();
    struct tlsyn_tls_config *config = server_config();
    char message[TLSYN_TLS_MESSAGE];

    ck_assert_int_eq(
        tlsyn_tls_config_identity(config, "junk", 4, c->ec.key, strlen(c->ec.key), message),
        -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "certificate chain cannot be read"));
    ck_assert_int_eq(
        tlsyn_tls_config_identity(config, c->ec.chain, strlen(c->ec.chain), "junk", 4, message),
        -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "private key cannot be read"));
    ck_assert_int_eq(tlsyn_tls_config_identity(config, c->ec.chain, strlen(c->ec.chain), c->rsa.key,
                                               strlen(c->rsa.key), message),
                     -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "does not belong"));
    ck_assert_int_eq(tlsyn_tls_config_identity(config, NULL, 0, NULL, 0, message), -EPROTO);
    ck_assert_int_eq(tlsyn_tls_config_identity(config, c->ec.chain, strlen(c->ec.chain), c->ec.key,
                                               strlen(c->ec.key), message),
                     0);
    tlsyn_tls_config_free(config);
}
END_TEST

START_TEST(a_bundle_may_hold_what_cannot_be_read)
{
    const struct certs *c = certs_get();
    struct tlsyn_tls_config *config = server_config();
    char message[TLSYN_TLS_MESSAGE], bundle[8192];
    int n = snprintf(bundle, sizeof(bundle),
                     "# our friends\n%s\n-----BEGIN CERTIFICATE-----\nQUFB\n-----END "
                     "CERTIFICATE-----\n%s",
                     c->ca, c->other_ca);

    ck_assert_int_eq(tlsyn_tls_config_trust(config, bundle, (size_t)n, message), 2);
    ck_assert_int_eq(tlsyn_tls_config_trust(config, c->ca, strlen(c->ca), message), 1);
    ck_assert_int_eq(tlsyn_tls_config_trust(config, "junk", 4, message), -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "no trusted certificate could be read"));
    ck_assert_int_eq(tlsyn_tls_config_trust(config, "", 0, message), -EPROTO);
    tlsyn_tls_config_free(config);
}
END_TEST

START_TEST(der_is_taken_too)
{
    const struct certs *c = certs_get();
    struct setup s = {.suite = TLSYN_TLS_13, .no_trust = true};
    mbedtls_x509_crt ca;
    struct pair p;

    mbedtls_x509_crt_init(&ca);
    ck_assert_int_eq(mbedtls_x509_crt_parse(&ca, (const unsigned char *)c->ca, strlen(c->ca) + 1),
                     0);
    pair_init(&p, &s);
    ck_assert_int_eq(tlsyn_tls_config_trust(p.client_config, ca.raw.p, ca.raw.len, NULL), 1);
    mbedtls_x509_crt_free(&ca);
    pair_run(&p);
    ck_assert(p.client.info.verified);
    pair_fini(&p);
}
END_TEST

START_TEST(alpn_is_agreed_on)
{
    static const char *const offered[] = {"h2", "http/1.1", NULL};
    static const char *const served[] = {"http/1.1", NULL};
    struct setup s = {.suite = suites[_i], .client_alpn = offered, .server_alpn = served};
    struct tlsyn_tls_info info;
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_str_eq(p.client.info.alpn, "http/1.1");
    tlsyn_tls_info(p.server.tls, &info);
    ck_assert_str_eq(info.alpn, "http/1.1");
    pair_fini(&p);
}
END_TEST

START_TEST(alpn_of_one_side_alone_is_no_obstacle)
{
    static const char *const names[] = {"h2", NULL};
    struct setup s = {.suite = suites[_i], .client_alpn = names};
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 1);
    ck_assert_ptr_null(p.client.info.alpn);
    pair_fini(&p);
    s.client_alpn = NULL;
    s.server_alpn = names;
    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 1);
    ck_assert_ptr_null(p.client.info.alpn);
    pair_fini(&p);
}
END_TEST

START_TEST(alpn_that_does_not_meet_is_refused)
{
    static const char *const offered[] = {"h3", NULL};
    static const char *const served[] = {"http/1.1", NULL};
    struct setup s = {.suite = suites[_i], .client_alpn = offered, .server_alpn = served};
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "no_application_protocol (120)"));
    ck_assert_ptr_nonnull(strstr(p.server.error, "ALPN"));
    pair_fini(&p);
}
END_TEST

/* "LABEL 64-hex-digits hex-digits"; the client random is that of the hello on the wire. */
static void check_line(const struct pair *p, const char *line, const char *label, size_t secret)
{
    const uint8_t *random = p->wire.heard[0] + 5 + 4 + 2; /* record, handshake, version */
    size_t len = strlen(label);
    char digits[65];

    for (int i = 0; i < 32; i++)
        snprintf(digits + (size_t)2 * (size_t)i, 3, "%02x", random[i]);
    ck_assert_msg(strncmp(line, label, len) == 0 && line[len] == ' ', "%s", line);
    ck_assert_mem_eq(line + len + 1, digits, 64);
    ck_assert_uint_eq(strlen(line), len + 1 + 64 + 1 + 2 * secret);
    ck_assert_uint_eq(strspn(line + len + 66, "0123456789abcdef"), 2 * secret);
}

START_TEST(the_key_log_names_every_secret)
{
    static const char *const labels_13[] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                            "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"};
    struct setup s = {.suite = suites[_i], .keylog = true};
    bool is_13 = suites[_i] == TLSYN_TLS_13;
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_eq(p.client_lines.n, is_13 ? 4 : 1);
    ck_assert_int_eq(p.server_lines.n, p.client_lines.n);
    for (int i = 0; i < p.client_lines.n; i++) {
        ck_assert_str_eq(p.client_lines.line[i], p.server_lines.line[i]);
        if (is_13)
            check_line(&p, p.client_lines.line[i], labels_13[i], 32);
        else
            check_line(&p, p.client_lines.line[i], "CLIENT_RANDOM", 48);
    }
    pair_fini(&p);
}
END_TEST

START_TEST(one_config_serves_many_sessions)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p, q;

    pair_init(&p, &s);
    pair_init(&q, &s);
    for (int i = 0; i < 5; i++) {
        struct user u;
        struct wire w;

        /* Two handshakes side by side, on one server config. */
        user_init(&u);
        wire_init(&w, 4096, 100);
        user_fini(&q.client);
        user_fini(&q.server);
        user_init(&q.client);
        user_init(&q.server);
        ck_assert_int_eq(
            tlsyn_tls_attach(p.client_config, NULL, "localhost", &q.client.handler, &q.client.tls),
            0);
        q.acceptor.config = p.server_config;
        wire_open(&w, tlsyn_tls_handler(q.client.tls), &q.acceptor.base);
        wire_run(&w);
        ck_assert_int_eq(q.client.established, 1);
        ck_assert_int_eq(q.server.established, 1);
        wire_fini(&w);
        user_fini(&u);
    }
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 1);
    pair_fini(&p);
    pair_fini(&q);
}
END_TEST

static int replace(struct pair *p, const struct certs_pair *chain, const struct certs_pair *key)
{
    return tlsyn_tls_config_replace(p->server_config, chain->chain, strlen(chain->chain), key->key,
                                    strlen(key->key), NULL);
}

/* In all versions: by the name that the client asks for, and by the suite alone. */
START_TEST(an_identity_is_replaced_while_handshakes_are_under_way)
{
    const struct certs *certs = certs_get();
    struct setup s = {.suite = _i < 2 ? TLSYN_TLS_12_ECDHE : TLSYN_TLS_13,
                      .host = _i % 2 == 0 ? "localhost" : "192.0.2.1",
                      .ring = 64,
                      .chunk = 64,
                      .identity = {&certs->ec, &certs->rsa}};
    struct pair p;

    pair_init(&p, &s);
    ck_assert_int_eq(wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base), 0);
    for (int i = 0; i < 1000 && p.server.tls->identities == NULL; i++)
        wire_step(&p.wire);
    ck_assert_ptr_nonnull(p.server.tls->identities);
    ck_assert_int_eq(replace(&p, &certs->named, &certs->ec), -EPROTO); /* changes nothing */
    ck_assert_int_eq(replace(&p, &certs->named, &certs->named), 0);
    ck_assert_int_eq(replace(&p, &certs->sly, &certs->sly), 0);
    ck_assert_int_eq(replace(&p, &certs->named, &certs->named), 0);
    ck_assert(p.server.tls->identities->retired);
    wire_run(&p.wire);
    ck_assert_msg(p.client.established == 1, "%s", p.client.error);
    ck_assert_ptr_null(p.server.tls->identities);
    pair_again(&p, NULL);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_ptr_nonnull(strstr(p.client.error, "name"));
    pair_again(&p, "named.test");
    pair_run(&p);
    ck_assert_msg(p.client.established == 1, "%s", p.client.error);
    pair_fini(&p);
}
END_TEST

Suite *config_suite(void);

Suite *config_suite(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("config");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_add_test(t, options_that_make_no_sense_are_refused);
    tcase_add_test(t, an_identity_must_fit_together);
    tcase_add_test(t, a_bundle_may_hold_what_cannot_be_read);
    tcase_add_test(t, der_is_taken_too);
    tcase_add_loop_test(t, alpn_is_agreed_on, 0, 3);
    tcase_add_loop_test(t, alpn_of_one_side_alone_is_no_obstacle, 0, 3);
    tcase_add_loop_test(t, alpn_that_does_not_meet_is_refused, 0, 3);
    tcase_add_loop_test(t, the_key_log_names_every_secret, 0, 3);
    tcase_add_test(t, one_config_serves_many_sessions);
    tcase_add_loop_test(t, an_identity_is_replaced_while_handshakes_are_under_way, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
