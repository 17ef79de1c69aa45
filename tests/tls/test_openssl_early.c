/* Early data towards OpenSSL where the server cannot take it: it asks for another key share, or has
 * gone back to TLS 1.2. What was sent early arrives after the handshake, once, or not at all. */
#include <check.h>
#include <errno.h>

#include "engine.h"
#include "pair.h"
#include "stranger.h"

#define KEYS 80 /* OpenSSL's ticket keys: name, HMAC, AES */

static const uint8_t request[] = "GET / HTTP/1.1\r\n\r\n";
#define REQUEST (sizeof(request) - 1)

static const struct setup usual = {
    .suite = TLSYN_TLS_ANY, .client_sessions = 8, .early_data = 4096};

static void make_certificates(void)
{
    certs_get();
}

/* A server that gives tickets that allow early data, and knows those of its like. */
static void server_init(struct stranger *o, int max, const char *groups)
{
    static uint8_t keys[KEYS] = "the same for all of them";

    stranger_init(o, true, TLS1_2_VERSION, max, groups);
    SSL_CTX_set_max_early_data(o->context, 4096);
    SSL_CTX_set_options(o->context, SSL_OP_NO_ANTI_REPLAY); /* which makes tickets stateful */
    SSL_CTX_set_tlsext_ticket_keys(o->context, keys, sizeof(keys));
}

/* A first visit, at a server that takes our key share; then the client is prepared to come with
 * early data. */
static void visit(struct pair *p, struct stranger *o, const char *host)
{
    struct setup s = usual;

    s.host = host;
    pair_init(p, &s);
    server_init(o, TLS1_3_VERSION, "X25519:P-256");
    stranger_accepts(p, o);
    ck_assert_int_eq(p->client.established, 1);
    stranger_fini(o);
    pair_again(p, host);
    p->client.early = true;
    p->client.out = request;
    p->client.out_len = REQUEST;
}

static void check_heard_once(const struct stranger *o)
{
    ck_assert(o->done);
    ck_assert_uint_eq(o->heard_len, REQUEST);
    ck_assert_mem_eq(o->heard, request, REQUEST);
}

/* RFC 8446 4.1.2, 4.2.10: a HelloRetryRequest rejects early data, and the PSK counts all the same.
 * (An address is verified and never sent, in neither hello.) */
START_TEST(a_hello_retry_request_rejects_it_and_the_session_resumes)
{
    static const char *const groups[] = {"P-384", "P-256"};
    const char *host = _i < 2 ? "localhost" : "192.0.2.1";
    struct stranger o;
    struct pair p;

    visit(&p, &o, host);
    server_init(&o, TLS1_3_VERSION, groups[_i % 2]);
    stranger_accepts(&p, &o);
    ck_assert_msg(p.client.established == 1, "%s", p.client.error);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_REJECTED);
    ck_assert_uint_eq(p.client.info.early_bytes, REQUEST);
    ck_assert_int_eq(p.client.info.session, TLSYN_TLS_PSK);
    check_heard_once(&o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

/* The same, of a server that knows nothing of the ticket. */
START_TEST(a_hello_retry_request_of_another_server_leads_to_a_full_handshake)
{
    struct stranger o;
    struct pair p;

    visit(&p, &o, NULL);
    stranger_init(&o, true, TLS1_3_VERSION, TLS1_3_VERSION, "P-384");
    stranger_accepts(&p, &o);
    ck_assert_msg(p.client.established == 1, "%s", p.client.error);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_REJECTED);
    ck_assert_int_eq(p.client.info.session, TLSYN_TLS_NEW);
    ck_assert(p.client.info.verified);
    check_heard_once(&o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

/* RFC 8446 D.3: such a connection fails; the session is not offered again, and the next works. */
START_TEST(a_server_that_went_back_to_tls12_has_the_next_attempt_without)
{
    struct stranger o;
    struct pair p;

    visit(&p, &o, NULL);
    server_init(&o, TLS1_2_VERSION, NULL);
    stranger_accepts(&p, &o);
    ck_assert_int_eq(p.client.established, 0);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert(!o.done);
    ck_assert_uint_eq(o.heard_len, 0);
    stranger_fini(&o);

    pair_again(&p, NULL);
    p.client.early = true;
    p.client.out = request;
    p.client.out_len = REQUEST;
    server_init(&o, TLS1_2_VERSION, NULL);
    stranger_accepts(&p, &o);
    ck_assert_msg(p.client.established == 1, "%s", p.client.error);
    ck_assert_int_eq(p.client.info.early, TLSYN_TLS_EARLY_NONE);
    check_heard_once(&o);
    stranger_fini(&o);
    pair_fini(&p);
}
END_TEST

Suite *openssl_early_suite(void);

Suite *openssl_early_suite(void)
{
    Suite *s = suite_create("openssl_early");
    TCase *t = tcase_create("openssl_early");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_add_loop_test(t, a_hello_retry_request_rejects_it_and_the_session_resumes, 0, 4);
    tcase_add_test(t, a_hello_retry_request_of_another_server_leads_to_a_full_handshake);
    tcase_add_test(t, a_server_that_went_back_to_tls12_has_the_next_attempt_without);
    suite_add_tcase(s, t);
    return s;
}
