/* Certificates: what is refused, in which words, and what is taken. The clock is the tests' own. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "shelf.h"

static const enum tlsyn_tls_suite suites[] = {TLSYN_TLS_12_RSA, TLSYN_TLS_12_ECDHE, TLSYN_TLS_13};

static void make_certificates(void)
{
    certs_get();
}

/* Opens, expects the client to refuse with all the words (NULL-terminated), and the server to
 * hear of it. */
static void expect_one_refusal(const struct setup *s, const char *const *words)
{
    struct pair p;

    pair_init(&p, s);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq(p.client.closed, 1);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    for (; *words != NULL; words++)
        ck_assert_msg(strstr(p.client.error, *words) != NULL, "'%s' misses '%s'", p.client.error,
                      *words);
    ck_assert_int_eq(p.server.established, 0);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_msg(strstr(p.server.error, "the peer refused with the alert") != NULL, "%s",
                  p.server.error);
    pair_fini(&p);
}

/* With mbedTLS as the judge, and with us, who remember what was good (chain.h). */
static void expect_refusal(const struct setup *s, const char *const *words)
{
    struct shelf *shelf = shelf_new();
    struct setup remembering = *s;

    remembering.chains = &shelf->base;
    expect_one_refusal(s, words);
    expect_one_refusal(&remembering, words);
    ck_assert_int_eq(shelf->n, 0);
    free(shelf);
}

static void expect_taken_once(const struct setup *s, bool verified)
{
    struct pair p;

    pair_init(&p, s);
    pair_run(&p);
    ck_assert_msg(p.client.established == 1, "%s", p.client.error);
    ck_assert_int_eq(p.client.info.verified, verified);
    pair_fini(&p);
}

static void expect_taken(const struct setup *s, bool verified)
{
    struct shelf *shelf = shelf_new();
    struct setup remembering = *s;

    remembering.chains = &shelf->base;
    expect_taken_once(s, verified);
    expect_taken_once(&remembering, verified);
    ck_assert_int_eq(shelf->n, verified);
    free(shelf);
}

/* Each certificate kind serves the suite that needs it. */
static void give(struct setup *s, const struct certs_pair *pair)
{
    s->identity[0] = pair;
}

START_TEST(an_unknown_ca_is_refused)
{
    struct setup s = {.suite = suites[_i], .trust = certs_get()->other_ca};

    expect_refusal(&s, (const char *const[]){"the certificate of localhost was refused",
                                             "issuer is not trusted (CN=Test CA, O=tlsyn)",
                                             "Trust its CA, or go on without verification.", NULL});
}
END_TEST

START_TEST(another_name_is_refused)
{
    struct setup s = {.suite = suites[_i], .host = "wrong.test"};

    expect_refusal(&s, (const char *const[]){"the certificate of wrong.test was refused",
                                             "it is for ", "localhost", "*.wild.test", "192.0.2.1",
                                             ", not for the expected wrong.test",
                                             "Connect by a name that it has", NULL});
}
END_TEST

/* What a stranger chose ends up in a sentence of ours: it writes none of its own, and no orders
 * to a terminal. */
START_TEST(a_name_with_control_characters_is_made_harmless)
{
    struct setup s = {.suite = TLSYN_TLS_13};

    give(&s, &certs_get()->sly);
    expect_refusal(&s, (const char *const[]){"it is for a?tlsyn:?all?is?well?[8m?, not for", NULL});
}
END_TEST

START_TEST(an_expired_certificate_is_refused)
{
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_12_ECDHE : TLSYN_TLS_13};

    give(&s, &certs_get()->expired);
    expect_refusal(&s, (const char *const[]){"expired on 2029-12-31 23:59",
                                             "our clock says 2030-06-15 12:00, UTC", NULL});
}
END_TEST

START_TEST(a_certificate_of_the_future_is_refused)
{
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_12_ECDHE : TLSYN_TLS_13};

    give(&s, &certs_get()->future);
    expect_refusal(&s, (const char *const[]){"is not valid before 2031-01-01 00:00",
                                             "our clock says 2030-06-15", "Set the clock", NULL});
}
END_TEST

START_TEST(all_that_is_wrong_is_said)
{
    struct setup s = {.suite = TLSYN_TLS_13, .host = "wrong.test", .trust = certs_get()->other_ca};

    give(&s, &certs_get()->expired);
    expect_refusal(&s, (const char *const[]){"expired on 2029-12-31", "expected wrong.test",
                                             "issuer is not trusted", "Trust its CA", NULL});
}
END_TEST

START_TEST(the_injected_clock_decides)
{
    struct setup s = {.suite = TLSYN_TLS_13, .wall = CERTS_NOW - 180 * 86400};

    give(&s, &certs_get()->expired);
    expect_taken(&s, true);
    s.wall = CERTS_NOW + 220 * INT64_C(86400);
    give(&s, &certs_get()->future);
    expect_taken(&s, true);
}
END_TEST

START_TEST(without_trusted_certificates_nothing_is_taken)
{
    struct setup s = {.suite = suites[_i], .no_trust = true};

    expect_refusal(&s, (const char *const[]){"name its CA, or turn verification off", NULL});
}
END_TEST

START_TEST(insecure_takes_anything)
{
    const struct certs *certs = certs_get();
    const struct certs_pair *kinds[] = {&certs->ec, &certs->expired, &certs->future};

    for (size_t i = 0; i < 3; i++) {
        struct setup s = {.suite = TLSYN_TLS_13,
                          .insecure = true,
                          .no_trust = true,
                          .host = i == 0 ? "" : "wrong.test"};

        give(&s, kinds[i]);
        expect_taken(&s, false);
    }
}
END_TEST

START_TEST(verification_needs_a_name)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct tlsyn_tls *tls = NULL;
    struct pair p;

    pair_init(&p, &s);
    ck_assert_int_eq(tlsyn_tls_attach(p.client_config, NULL, NULL, &p.client.handler, &tls),
                     -EINVAL);
    ck_assert_int_eq(tlsyn_tls_attach(p.client_config, NULL, "", &p.client.handler, &tls), -EINVAL);
    ck_assert_ptr_null(tls);
    pair_fini(&p);
}
END_TEST

START_TEST(a_wildcard_stands_for_one_label)
{
    struct setup s = {.suite = TLSYN_TLS_13, .host = "a.wild.test"};

    expect_taken(&s, true);
    s.host = "A.WILD.Test.";
    expect_taken(&s, true);
    s.host = "b.a.wild.test";
    expect_refusal(&s, (const char *const[]){"not for the expected b.a.wild.test", NULL});
    s.host = "wild.test";
    expect_refusal(&s, (const char *const[]){"not for the expected wild.test", NULL});
}
END_TEST

static bool hello_says(const struct pair *p, const char *name)
{
    return memmem(p->wire.heard[0], p->wire.heard_len[0], name, strlen(name)) != NULL;
}

START_TEST(an_address_is_verified_but_not_sent)
{
    struct setup s = {.suite = suites[_i], .host = "192.0.2.1"};
    struct pair p;

    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_msg(p.client.established == 1, "%s", p.client.error);
    ck_assert(p.client.info.verified);
    ck_assert(!hello_says(&p, "192.0.2.1"));
    pair_fini(&p);
    s.host = "192.0.2.2";
    expect_refusal(&s, (const char *const[]){"not for the expected 192.0.2.2", NULL});
    s.host = "localhost";
    pair_init(&p, &s);
    pair_run(&p);
    ck_assert(hello_says(&p, "localhost"));
    pair_fini(&p);
}
END_TEST

START_TEST(the_name_chooses_the_identity)
{
    const struct certs *certs = certs_get();
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_12_ECDHE : TLSYN_TLS_13};

    s.identity[0] = &certs->named;
    s.identity[1] = &certs->ec;
    s.host = "localhost";
    expect_taken(&s, true);
    s.host = "x.wild.test";
    expect_taken(&s, true);
    s.host = "Named.Test";
    expect_taken(&s, true);
    s.identity[0] = &certs->ec;
    s.identity[1] = &certs->named;
    expect_taken(&s, true);
    /* A name that nobody has gets somebody's certificate, and the client judges. */
    s.host = "nobody.test";
    expect_refusal(&s, (const char *const[]){"expected nobody.test", NULL});
}
END_TEST

START_TEST(the_suite_chooses_the_identity)
{
    const struct certs *certs = certs_get();
    struct setup s = {.suite = TLSYN_TLS_12_RSA};
    struct pair p;

    s.identity[0] = &certs->ec;
    s.identity[1] = &certs->rsa;
    expect_taken(&s, true);
    /* RSA key exchange needs an RSA key. */
    s.identity[1] = NULL;
    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "handshake_failure"));
    pair_fini(&p);
    s.suite = TLSYN_TLS_13;
    s.identity[0] = &certs->rsa;
    expect_taken(&s, true);
}
END_TEST

Suite *verify_suite(void);

Suite *verify_suite(void)
{
    Suite *s = suite_create("verify");
    TCase *t = tcase_create("verify");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_add_loop_test(t, an_unknown_ca_is_refused, 0, 3);
    tcase_add_loop_test(t, another_name_is_refused, 0, 3);
    tcase_add_test(t, a_name_with_control_characters_is_made_harmless);
    tcase_add_loop_test(t, an_expired_certificate_is_refused, 0, 2);
    tcase_add_loop_test(t, a_certificate_of_the_future_is_refused, 0, 2);
    tcase_add_test(t, all_that_is_wrong_is_said);
    tcase_add_test(t, the_injected_clock_decides);
    tcase_add_loop_test(t, without_trusted_certificates_nothing_is_taken, 0, 3);
    tcase_add_test(t, insecure_takes_anything);
    tcase_add_test(t, verification_needs_a_name);
    tcase_add_test(t, a_wildcard_stands_for_one_label);
    tcase_add_loop_test(t, an_address_is_verified_but_not_sent, 0, 3);
    tcase_add_loop_test(t, the_name_chooses_the_identity, 0, 2);
    tcase_add_test(t, the_suite_chooses_the_identity);
    suite_add_tcase(s, t);
    return s;
}
