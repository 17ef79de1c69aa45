/* Against a TLS that is not ours: OpenSSL, over memory, as server and as client. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "stranger.h"

static void make_certificates(void)
{
    certs_get();
}

struct meeting {
    enum tlsyn_tls_suite suite;
    int min, max;       /* OpenSSL's versions */
    const char *groups; /* OpenSSL's */
    const char *version, *ciphersuite;
};

static const struct meeting meetings[] = {
    {TLSYN_TLS_ANY, TLS1_2_VERSION, TLS1_3_VERSION, NULL, "TLSv1.3", NULL},
    {TLSYN_TLS_ANY, TLS1_2_VERSION, TLS1_2_VERSION, NULL, "TLSv1.2", NULL},
    {TLSYN_TLS_13, TLS1_3_VERSION, TLS1_3_VERSION, NULL, "TLSv1.3", NULL},
    {TLSYN_TLS_12_ECDHE, TLS1_2_VERSION, TLS1_3_VERSION, NULL, "TLSv1.2", NULL},
    {TLSYN_TLS_12_RSA, TLS1_2_VERSION, TLS1_3_VERSION, NULL, "TLSv1.2",
     "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    /* Another group than the one that we send a share for: HelloRetryRequest. */
    {TLSYN_TLS_13, TLS1_3_VERSION, TLS1_3_VERSION, "P-256", "TLSv1.3", NULL},
    {TLSYN_TLS_ANY, TLS1_2_VERSION, TLS1_3_VERSION, "P-384", "TLSv1.3", NULL},
    {TLSYN_TLS_12_ECDHE, TLS1_2_VERSION, TLS1_2_VERSION, "P-256", "TLSv1.2", NULL},
};
#define MEETINGS ((int)(sizeof(meetings) / sizeof(meetings[0])))

static void check_meeting(const struct meeting *m, struct user *u, struct stranger *o)
{
    struct tlsyn_tls_info info;

    ck_assert_msg(u->established == 1, "%s", u->error);
    ck_assert(o->done);
    tlsyn_tls_info(u->tls, &info);
    ck_assert_str_eq(info.version, m->version);
    ck_assert_str_eq(SSL_get_version(o->ssl), m->version);
    ck_assert_ptr_nonnull(info.ciphersuite);
    ck_assert_str_eq(info.ciphersuite, SSL_CIPHER_standard_name(SSL_get_current_cipher(o->ssl)));
    if (m->ciphersuite != NULL)
        ck_assert_str_eq(info.ciphersuite, m->ciphersuite);
}

/* 40 kB there, 20 kB back, then both take their leave. */
static void exchange(struct pair *p, int ours, struct user *u, struct stranger *o)
{
    uint8_t *there = pattern(40000, 1), *back = pattern(20000, 2);

    u->out = there;
    u->out_len = 40000;
    p->wire.end[ours].handler->events->on_acked(p->wire.end[ours].handler, &p->wire.end[ours], 0);
    ck_assert_int_eq(SSL_write(o->ssl, back, 20000), 20000);
    stranger_talk(&p->wire, ours, o);
    ck_assert_uint_eq(o->heard_len, 40000);
    ck_assert_mem_eq(o->heard, there, 40000);
    ck_assert_uint_eq(u->in_len, 20000);
    ck_assert_mem_eq(u->in, back, 20000);
    ck_assert_int_eq(u->last_read, -EAGAIN);
    SSL_shutdown(o->ssl);
    stranger_talk(&p->wire, ours, o);
    ck_assert_int_eq(u->last_read, 0);
    tlsyn_tls_close(u->tls);
    stranger_talk(&p->wire, ours, o);
    ck_assert_int_eq(SSL_get_shutdown(o->ssl), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    free(there);
    free(back);
}

START_TEST(our_client_meets_openssl)
{
    const struct meeting *m = &meetings[_i];
    struct setup s = {.suite = m->suite};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, true, m->min, m->max, m->groups);
    if (m->suite == TLSYN_TLS_12_RSA)
        SSL_CTX_set_cipher_list(o.context, "AES128-GCM-SHA256");
    stranger_accepts(&p, &o);
    check_meeting(m, &p.client, &o);
    ck_assert(p.client.info.verified);
    ck_assert_str_eq(SSL_get_servername(o.ssl, TLSEXT_NAMETYPE_host_name), "localhost");
    exchange(&p, 0, &p.client, &o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

/* RFC 6066 3: addresses are no server names; RFC 8446 4.1.2: nor may the second hello of a
 * HelloRetryRequest have what the first had not. */
START_TEST(an_address_is_never_sent_as_server_name)
{
    const struct meeting *m = &meetings[_i];
    struct setup s = {.suite = m->suite, .host = "192.0.2.1"};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, true, m->min, m->max, m->groups);
    if (m->suite == TLSYN_TLS_12_RSA)
        SSL_CTX_set_cipher_list(o.context, "AES128-GCM-SHA256");
    stranger_accepts(&p, &o);
    check_meeting(m, &p.client, &o);
    ck_assert(p.client.info.verified);
    ck_assert_ptr_null(SSL_get_servername(o.ssl, TLSEXT_NAMETYPE_host_name));
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(our_server_meets_openssl)
{
    const struct meeting *m = &meetings[_i];
    struct setup s = {.suite = m->suite};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, false, m->min, m->max, m->groups);
    if (m->suite == TLSYN_TLS_12_RSA)
        SSL_CTX_set_cipher_list(o.context, "AES128-GCM-SHA256");
    stranger_connects(&p, &o);
    check_meeting(m, &p.server, &o);
    ck_assert_int_eq((int)SSL_get_verify_result(o.ssl), X509_V_OK);
    exchange(&p, 1, &p.server, &o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(every_suite_of_ours_is_openssls_too)
{
    static const char *const names[] = {
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"};
    struct setup s = {.suite = TLSYN_TLS_ANY};
    const struct meeting m = {.version = "TLSv1.2"};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_2_VERSION, TLS1_2_VERSION, NULL);
    SSL_CTX_set_cipher_list(o.context, names[_i]);
    stranger_accepts(&p, &o);
    check_meeting(&m, &p.client, &o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(every_tls_13_suite_of_ours_is_openssls_too)
{
    static const char *const names[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                        "TLS_CHACHA20_POLY1305_SHA256"};
    struct setup s = {.suite = TLSYN_TLS_ANY};
    const struct meeting m = {.version = "TLSv1.3", .ciphersuite = names[_i]};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
    SSL_CTX_set_ciphersuites(o.context, names[_i]);
    stranger_accepts(&p, &o);
    check_meeting(&m, &p.client, &o);
    exchange(&p, 0, &p.client, &o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(a_server_that_insists_on_pss_in_tls_12_gets_a_hint)
{
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_ANY : TLSYN_TLS_12_ECDHE};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_2_VERSION, TLS1_2_VERSION, NULL);
    SSL_CTX_set_cipher_list(o.context, "ECDHE-RSA-AES128-GCM-SHA256");
    SSL_CTX_set_options(o.context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    stranger_accepts(&p, &o);
    if (_i == 0) {
        ck_assert_int_eq(p.client.closed_error, -EPROTO);
        ck_assert_ptr_nonnull(strstr(p.client.error, "ask for TLS 1.2 alone"));
    } else {
        ck_assert_int_eq(p.client.established, 1);
    }
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(tickets_are_passed_over)
{
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_2_VERSION, TLS1_3_VERSION, NULL);
    stranger_accepts(&p, &o);
    /* More of them, unasked for, with text behind. */
    for (int i = 0; _i == 0 && i < 3; i++) {
        ck_assert_int_eq(SSL_new_session_ticket(o.ssl), 1);
        ck_assert_int_eq(SSL_write(o.ssl, "text", 4), 4);
    }
    stranger_talk(&p.wire, 0, &o);
    ck_assert_int_eq(p.client.closed, 0);
    ck_assert_uint_eq(p.client.in_len, _i == 0 ? 12 : 0);
    exchange(&p, 0, (p.client.in_len = 0, &p.client), &o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(a_request_for_our_certificate_is_declined)
{
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE};
    struct stranger o;
    struct pair p;

    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_2_VERSION, TLS1_3_VERSION, NULL);
    SSL_CTX_set_verify(o.context, SSL_VERIFY_PEER, NULL);
    stranger_accepts(&p, &o);
    ck_assert(o.done);
    exchange(&p, 0, &p.client, &o);
    stranger_fini(&o);
    /* Where one is demanded, the end is an alert: before Finished in TLS 1.2, behind it in 1.3. */
    pair_fini(&p);
    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_2_VERSION, TLS1_3_VERSION, NULL);
    SSL_CTX_set_verify(o.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    stranger_accepts(&p, &o);
    ck_assert(!o.done);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(
        strstr(p.client.error, _i == 0 ? "certificate_required" : "handshake_failure"));
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(a_key_update_is_refused_with_a_reason)
{
    struct setup s = {.suite = TLSYN_TLS_13};
    struct stranger o;
    struct pair p;

    /* mbedTLS 3.6 does not know KeyUpdate (RFC 8446 4.6.3). */
    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
    stranger_accepts(&p, &o);
    ck_assert_int_eq(SSL_key_update(o.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ck_assert_int_eq(SSL_write(o.ssl, "text", 4), 4);
    stranger_talk(&p.wire, 0, &o);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "KeyUpdate"));
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

START_TEST(a_large_chain_arrives)
{
    struct setup s = {.suite = _i == 0 ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE, .ring = 65536};
    struct stranger o;
    struct pair p;

    /* The same CA forty times over: a Certificate message of 20 kB, more than one record. */
    pair_init(&p, &s);
    stranger_init(&o, true, TLS1_2_VERSION, TLS1_3_VERSION, NULL);
    for (int i = 0; i < 40; i++) {
        BIO *bio = BIO_new_mem_buf(certs_get()->ca, -1);

        SSL_CTX_add_extra_chain_cert(o.context, PEM_read_bio_X509(bio, NULL, NULL, NULL));
        BIO_free(bio);
    }
    stranger_accepts(&p, &o);
    ck_assert(p.client.established == 1 || p.client.closed_error == -EPROTO);
    if (p.client.closed == 1)
        ck_assert_msg(strstr(p.client.error, "larger than") != NULL, "%s", p.client.error);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

Suite *openssl_suite(void);

Suite *openssl_suite(void)
{
    Suite *s = suite_create("openssl");
    TCase *t = tcase_create("openssl");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_add_loop_test(t, our_client_meets_openssl, 0, MEETINGS);
    tcase_add_loop_test(t, an_address_is_never_sent_as_server_name, 0, MEETINGS);
    tcase_add_loop_test(t, our_server_meets_openssl, 0, MEETINGS);
    tcase_add_loop_test(t, every_suite_of_ours_is_openssls_too, 0, 6);
    tcase_add_loop_test(t, every_tls_13_suite_of_ours_is_openssls_too, 0, 3);
    tcase_add_loop_test(t, a_server_that_insists_on_pss_in_tls_12_gets_a_hint, 0, 2);
    tcase_add_loop_test(t, tickets_are_passed_over, 0, 2);
    tcase_add_loop_test(t, a_request_for_our_certificate_is_declined, 0, 2);
    tcase_add_test(t, a_key_update_is_refused_with_a_reason);
    tcase_add_loop_test(t, a_large_chain_arrives, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
