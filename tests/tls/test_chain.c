/* Chains that verified before: when they are known again, when they are not, and what a known chain
 * does not spare. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "pair.h"
#include "shelf.h"

static const enum tlsyn_tls_suite suites[] = {TLSYN_TLS_12_RSA, TLSYN_TLS_12_ECDHE, TLSYN_TLS_13};

static void make_certificates(void)
{
    certs_get();
}

static void visit(struct pair *p, bool known)
{
    pair_run(p);
    ck_assert_msg(p->client.established == 1, "%s", p->client.error);
    ck_assert(p->client.info.verified && p->client.info.session == TLSYN_TLS_NEW);
    ck_assert_int_eq(p->client.info.chain_known, known);
}

static void first_visit(struct pair *p, struct shelf *shelf, enum tlsyn_tls_suite suite)
{
    struct setup s = {.suite = suite, .chains = &shelf->base};

    pair_init(p, &s);
    visit(p, false);
    ck_assert_int_eq(shelf->n, 1);
}

START_TEST(a_chain_is_verified_once)
{
    struct tlsyn_tls_counters counters;
    struct shelf *shelf = shelf_new();
    struct pair p;

    first_visit(&p, shelf, suites[_i]);
    for (int i = 0; i < 3; i++) {
        pair_again(&p, NULL);
        visit(&p, true);
    }
    tlsyn_tls_config_counters(p.client_config, &counters);
    ck_assert_uint_eq(counters.chains_verified, 1);
    ck_assert_uint_eq(counters.chains_known, 3);
    ck_assert_int_eq(shelf->n, 1);
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(it_is_known_for_its_name_and_use_and_trust_only)
{
    struct shelf *shelf = shelf_new();
    struct setup s = {.suite = TLSYN_TLS_12_ECDHE, .chains = &shelf->base};
    struct pair p;

    first_visit(&p, shelf, TLSYN_TLS_13);
    pair_again(&p, "a.wild.test");
    visit(&p, false);
    pair_again(&p, "wrong.test");
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq(shelf->n, 2);
    pair_restart_client(&p, &s); /* another version */
    pair_restart_server(&p, &s);
    pair_again(&p, NULL);
    visit(&p, false);
    ck_assert_int_eq(shelf->n, 3);
    s.trust = certs_get()->other_ca;
    pair_restart_client(&p, &s);
    pair_again(&p, NULL);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq(shelf->n, 3);
    pair_fini(&p);
    free(shelf);
}
END_TEST

/* By the entry's own times, however careless the store is. */
START_TEST(it_is_known_while_it_is_valid_only)
{
    static const struct {
        int64_t wall;
        const char *words;
    } times[] = {{CERTS_NOW + 400 * 86400, "expired on"}, {CERTS_NOW - 400 * 86400, "not valid"}};
    struct shelf *shelf = shelf_new();
    struct setup s = {.suite = TLSYN_TLS_13, .chains = &shelf->base};
    struct pair p;

    first_visit(&p, shelf, TLSYN_TLS_13);
    shelf->item[0].entry.until = INT64_MAX;
    s.wall = times[_i].wall;
    pair_restart_client(&p, &s);
    pair_again(&p, NULL);
    pair_run(&p);
    ck_assert_int_eq(shelf->found, 1);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_msg(strstr(p.client.error, times[_i].words) != NULL, "%s", p.client.error);
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(a_damaged_entry_is_no_entry)
{
    struct shelf *shelf = shelf_new();
    uint8_t good[SESSION_BYTES];
    struct pair p;
    size_t len;

    first_visit(&p, shelf, TLSYN_TLS_13);
    len = shelf->item[0].len;
    memcpy(good, shelf->item[0].bytes, len);
    for (size_t i = 0; i <= len; i++) {
        shelf->n = 1;
        memcpy(shelf->item[0].bytes, good, len);
        if (i < len)
            shelf->item[0].bytes[i] ^= (uint8_t)(1U << i % 8);
        pair_again(&p, NULL);
        visit(&p, i == len);
    }
    pair_fini(&p);
    free(shelf);
}
END_TEST

/* Who has our chain and not its key can show the first and not sign with the second. */
START_TEST(a_known_chain_does_not_spare_the_signature_of_the_handshake)
{
    static const enum tlsyn_tls_suite signing[] = {TLSYN_TLS_12_ECDHE, TLSYN_TLS_13};
    struct shelf *shelf = shelf_new();
    struct setup s = {.suite = signing[_i],
                      .chains = &shelf->base,
                      .identity = {&certs_get()->ec, &certs_get()->named}};
    struct identity *named, *ec;
    mbedtls_pk_context key;
    struct pair p;

    pair_init(&p, &s);
    visit(&p, false);
    named = p.server_config->identities->first;
    ec = named->next;
    key = ec->key;
    ec->key = named->key;
    named->key = key;
    pair_again(&p, NULL);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert(p.client.info.chain_known);
    pair_fini(&p);
    free(shelf);
}
END_TEST

START_TEST(nobody_verified_means_nothing_established)
{
    struct shelf *shelf = shelf_new();
    struct setup s = {.suite = TLSYN_TLS_13, .chains = &shelf->base, .insecure = true};
    struct pair p;

    /* Not asked to verify: nothing is kept, and nothing is said to be verified. */
    pair_init(&p, &s);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 1);
    ck_assert(!p.client.info.verified && !p.client.info.chain_known);
    ck_assert_int_eq(shelf->n, 0);
    s.insecure = false;
    s.no_trust = true;
    pair_restart_client(&p, &s);
    pair_again(&p, NULL);
    pair_run(&p);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq(shelf->n, 0);
    pair_fini(&p);
    free(shelf);
}
END_TEST

Suite *chain_suite(void);

Suite *chain_suite(void)
{
    Suite *s = suite_create("chain");
    TCase *t = tcase_create("chain");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_chain_is_verified_once, 0, 3);
    tcase_add_test(t, it_is_known_for_its_name_and_use_and_trust_only);
    tcase_add_loop_test(t, it_is_known_while_it_is_valid_only, 0, 2);
    tcase_add_test(t, a_damaged_entry_is_no_entry);
    tcase_add_loop_test(t, a_known_chain_does_not_spare_the_signature_of_the_handshake, 0, 2);
    tcase_add_test(t, nobody_verified_means_nothing_established);
    suite_add_tcase(s, t);
    return s;
}
