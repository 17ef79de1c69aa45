/* Bad input: what is not TLS, TLS that lies, streams that end too early, damaged flights, memory
 * that runs out. Each ends in an alert where one is due, an error with a sentence, and nothing
 * leaked (the sanitizer looks). */
#include <check.h>
#include <errno.h>
#include <mbedtls/platform.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "pair.h"

#define ALERT_RECORD 21

static void make_certificates(void)
{
    certs_get();
}

/* --- what is no ClientHello ------------------------------------------------------------------- */

struct garbage {
    const char *bytes;
    size_t len;
};

#define BYTES(s)                                                                                   \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

static const struct garbage garbage[] = {
    BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    BYTES("\0\0\0\0\0\0\0\0"),
    BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"),
    BYTES("\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00"), /* SSL 2.0 */
    BYTES("\x16\x03\x01\x00\x04\x01\x00\x00\x00"),                             /* empty hello */
    BYTES("\x16\x03\x01\x00\x08\x02\x00\x00\x04\x03\x03\x00\x00"),             /* a ServerHello */
    BYTES("\x16\x03\x01\xff\xff\x01\x00\xff\xfb\x03\x03"), /* a record too long */
    BYTES("\x17\x03\x03\x00\x01\x2a"),                     /* application data */
    BYTES("\x14\x03\x03\x00\x02\x01\x01"),                 /* no such ChangeCipherSpec */
    BYTES("\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03"
          "0123456789abcdef0123456789abcdef"
          "\x21\x01\x02\x03\x04\x05"), /* a session ID that is longer than the message */
    BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
};
#define GARBAGE ((int)(sizeof(garbage) / sizeof(garbage[0])))

static void expect_alert(const struct tlsyn_conn *c)
{
    ck_assert_uint_ge(c->snd.len, 7);
    ck_assert_uint_eq(c->snd.bytes[c->snd.start], ALERT_RECORD);
    ck_assert_uint_eq(c->snd.bytes[(c->snd.start + 5) % c->snd.size], 2); /* fatal */
}

static void accept_server(struct pair *p)
{
    struct tlsyn_conn *c = &p->wire.end[1];

    c->handler = p->acceptor.base.accept(&p->acceptor.base, c);
    ck_assert_ptr_nonnull(c->handler);
}

START_TEST(garbage_is_answered_with_an_alert_and_let_go)
{
    static const enum tlsyn_tls_suite suites[] = {TLSYN_TLS_ANY, TLSYN_TLS_12_RSA, TLSYN_TLS_13};
    const struct garbage *g = &garbage[_i];

    for (int k = 0; k < 3; k++) {
        struct setup s = {.suite = suites[k]};
        struct pair p;

        pair_init(&p, &s);
        accept_server(&p);
        wire_inject(&p.wire, 1, g->bytes, g->len);
        /* What waits for more bytes gets none. */
        if (p.server.closed == 0)
            wire_inject_fin(&p.wire, 1);
        ck_assert_int_eq(p.server.closed, 1);
        ck_assert(p.wire.end[1].released);
        ck_assert_int_eq(p.wire.end[1].resets_sent, 0);
        ck_assert_str_ne(p.server.error, "");
        if (p.server.closed_error == -EPROTO)
            expect_alert(&p.wire.end[1]);
        else
            ck_assert_int_eq(p.server.closed_error, -ECONNRESET);
        pair_fini(&p);
    }
}
END_TEST

/* RFC 8446 5.1; and a hello of 65,000 bytes in records of the longest kind. */
START_TEST(what_is_too_long_is_named)
{
    static const uint8_t record[] = {22, 3, 1, 0x45, 0, 1, 0, 0x45, 0, 3, 3};
    static const uint8_t hello[] = {22, 3, 1, 0x40, 0, 1, 0, 0xfd, 0xe8, 3, 3};
    static uint8_t bytes[2 * (5 + 16384)];
    const struct setup s = {.suite = TLSYN_TLS_ANY};
    struct pair p;

    pair_init(&p, &s);
    accept_server(&p);
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, _i == 0 ? record : hello, sizeof(record));
    memcpy(bytes + 5 + 16384, hello, 5);
    wire_inject(&p.wire, 1, bytes, sizeof(bytes));
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.server.error, "larger than this engine takes"));
    expect_alert(&p.wire.end[1]);
    ck_assert_uint_eq(p.wire.end[1].snd.bytes[(p.wire.end[1].snd.start + 6) % 65536], 22);
    pair_fini(&p);
}
END_TEST

/* mbedTLS has the same word for much else, as for a ticket that is to be kept beyond a week. */
START_TEST(what_is_bad_input_need_not_be_too_long)
{
    const struct setup s = {.suite = TLSYN_TLS_13};
    struct pair p;

    pair_init(&p, &s);
    ck_assert_int_eq(pair_run(&p), 0);
    ck_assert_int_eq(p.client.established, 1);
    tls_enter(p.client.tls);
    tls_fail(p.client.tls, MBEDTLS_ERR_SSL_BAD_INPUT_DATA, false);
    tls_leave(p.client.tls);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_null(strstr(p.client.error, "larger than this engine takes"));
    pair_fini(&p);
}
END_TEST

START_TEST(garbage_in_the_syn_is_refused_at_once)
{
    struct setup s = {.suite = TLSYN_TLS_ANY};
    struct tlsyn_conn *c;
    struct pair p;

    pair_init(&p, &s);
    accept_server(&p);
    c = &p.wire.end[1];
    memcpy(c->rcv.bytes + c->rcv.start, "GET / HTTP/1.1\r\n", 16);
    c->rcv.len = 16;
    /* TCP sends what is in the ring, RST behind it, and says so. */
    ck_assert_int_eq(c->handler->events->on_syn(c->handler, c), -EPROTO);
    ck_assert_int_eq(p.server.closed, 0);
    ck_assert(!c->released);
    expect_alert(c);
    c->handler->events->on_closed(c->handler, c, -EPROTO);
    c->gone = true;
    ck_assert_int_eq(p.server.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.server.error, "is not TLS"));
    pair_fini(&p);
}
END_TEST

START_TEST(garbage_from_a_server_is_refused)
{
    struct setup s = {.suite = TLSYN_TLS_ANY};
    struct tlsyn_conn *c;
    struct pair p;

    pair_init(&p, &s);
    c = &p.wire.end[0];
    c->handler = tlsyn_tls_handler(p.client.tls);
    ck_assert_int_eq(c->handler->events->on_open(c->handler, c), 0);
    wire_inject(&p.wire, 0, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    ck_assert_int_eq(p.client.closed_error, -EPROTO);
    ck_assert_ptr_nonnull(strstr(p.client.error, "does it speak TLS on this port?"));
    pair_fini(&p);
}
END_TEST

/* --- flights that end, flights that are damaged ----------------------------------------------- */

START_TEST(a_stream_that_ends_in_the_handshake_is_reported)
{
    /* The server's flight, cut at any byte. */
    for (size_t cut = 0; cut < 700; cut += cut < 20 ? 1 : 41) {
        struct setup s = {.suite = _i == 0 ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE};
        struct pair p;

        pair_init(&p, &s);
        p.wire.synack_room = cut;
        wire_open(&p.wire, tlsyn_tls_handler(p.client.tls), &p.acceptor.base);
        wire_inject_fin(&p.wire, 0);
        if (p.client.established == 0) {
            ck_assert_int_eq(p.client.closed, 1);
            ck_assert_int_eq(p.client.closed_error, -ECONNRESET);
            ck_assert_ptr_nonnull(strstr(p.client.error, "in the middle of the TLS handshake"));
        }
        ck_assert(p.client.established == 0 || cut > 600);
        pair_fini(&p);
    }
}
END_TEST

/* Whatever is damaged: all works, or somebody says what does not. A length that grew has its end
 * wait for bytes, as long as the stream lasts. */
static void expect_an_end(struct pair *p, int from, uint64_t at)
{
    struct user *receiver = from == 0 ? &p->server : &p->client;

    if (p->client.in_len == 6 && p->server.in_len == 7)
        return;
    if (p->client.closed == 0 && p->server.closed == 0)
        wire_inject_fin(&p->wire, 1 - from);
    ck_assert_msg(p->client.closed == 1 || p->server.closed == 1 ||
                      receiver->last_read == -ECONNRESET,
                  "end %d byte %llu", from, (unsigned long long)at);
}

START_TEST(no_damaged_byte_does_harm)
{
    static const enum tlsyn_tls_suite suites[] = {TLSYN_TLS_12_RSA, TLSYN_TLS_12_ECDHE,
                                                  TLSYN_TLS_13};
    int from = _i % 2;
    uint64_t total = 1;

    for (uint64_t at = 0; at < total; at += 1 + at / 50) {
        struct setup s = {.suite = suites[_i / 2]};
        struct pair p;

        pair_init(&p, &s);
        p.client.out = (const uint8_t *)"request";
        p.client.out_len = 7;
        p.server.out = (const uint8_t *)"answer";
        p.server.out_len = 6;
        p.wire.flip = at > 0; /* the first run measures */
        p.wire.flip_from = from;
        p.wire.flip_at = at - 1;
        p.wire.flip_bits = (uint8_t)(1 << at % 8);
        pair_run(&p);
        if (at == 0) {
            total = p.wire.moved[from] + 1;
            ck_assert_uint_eq(p.server.in_len, 7);
        }
        expect_an_end(&p, from, at);
        pair_fini(&p);
    }
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

/* mbedTLS's heap has no argument, so this is the tests' one global: allocations until the
 * failure, negative: never. */
static int allocations_left;

static void *failing_calloc(size_t n, size_t size)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return calloc(n, size);
}

static void use_heap(int left)
{
    allocations_left = left;
    mbedtls_platform_set_calloc_free(failing_calloc, free);
}

START_TEST(a_handshake_short_of_memory_fails_cleanly)
{
    static const enum tlsyn_tls_suite suites[] = {TLSYN_TLS_12_RSA, TLSYN_TLS_12_ECDHE,
                                                  TLSYN_TLS_13};
    int failures = 0;
    bool done = false;

    /* Generating a key alone takes some thousand allocations. */
    for (int left = 0; !done; left += 1 + left / 40) {
        struct setup s = {.suite = suites[_i]};
        struct pair p;

        use_heap(-1);
        pair_init(&p, &s);
        use_heap(left);
        if (pair_run(&p) < 0)
            failures++;
        else if (p.client.closed_error != 0 || p.server.closed_error != 0)
            failures++;
        else
            done = p.client.established == 1 && p.server.established == 1;
        ck_assert(done || p.client.established == 0 || p.server.established == 0 ||
                  p.client.closed == 1 || p.server.closed == 1);
        use_heap(-1);
        pair_fini(&p);
        ck_assert_int_lt(left, 1000000);
    }
    ck_assert_int_gt(failures, 40);
}
END_TEST

/* Ours: fails the nth request. */
struct failing {
    struct tlsyn_alloc base;
    int left;
    int live;
};

static void *failing_resize(struct tlsyn_alloc *base, void *memory, size_t size)
{
    struct failing *f = (struct failing *)base;

    if (size == 0) {
        f->live -= memory != NULL;
        free(memory);
        return NULL;
    }
    if (f->left-- == 0)
        return NULL;
    f->live += memory == NULL;
    return realloc(memory, size);
}

/* What a config is told, with a sentence when that fails. */
static int tell(struct tlsyn_tls_config *config, char *message)
{
    const struct certs *certs = certs_get();
    const struct certs_pair *id = &certs->ec;
    int r = tlsyn_tls_config_identity(config, id->chain, strlen(id->chain), id->key,
                                      strlen(id->key), message);

    if (r == 0)
        r = tlsyn_tls_config_replace(config, id->chain, strlen(id->chain), id->key, strlen(id->key),
                                     message);
    if (r == 0)
        r = tlsyn_tls_config_trust(config, certs->ca, strlen(certs->ca), message);
    return r;
}

static int make_and_free(struct failing *f)
{
    static const char *const alpn[] = {"h2", NULL};
    char message[TLSYN_TLS_MESSAGE] = "";
    struct tlsyn_tls_options o = {
        .role = TLSYN_TLS_SERVER, .alpn = alpn, .wall_clock = CERTS_NOW, .alloc = &f->base};
    struct tlsyn_tls_config *config = NULL;
    struct tlsyn_tls *tls = NULL;
    struct user u;
    int r = tlsyn_tls_config_new(&o, &config, message);

    if (r == 0)
        r = tell(config, message);
    ck_assert(r >= 0 || strstr(message, "memory is short") != NULL);
    user_init(&u);
    if (r == 1)
        r = tlsyn_tls_attach(config, NULL, NULL, &u.handler, &tls);
    tlsyn_tls_free(tls);
    tlsyn_tls_config_free(config);
    return r;
}

START_TEST(set_up_short_of_memory_fails_cleanly)
{
    int r = -1;

    for (int left = 0; r != 0; left++) {
        struct failing f = {.base = {.resize = failing_resize}, .left = left};

        r = make_and_free(&f);
        ck_assert(r == 0 || r == -ENOMEM);
        ck_assert_int_eq(f.live, 0);
        ck_assert(r != 0 || left >= 6);
        ck_assert_int_lt(left, 50);
    }
}
END_TEST

Suite *refusal_suite(void);

Suite *refusal_suite(void)
{
    Suite *s = suite_create("refusal");
    TCase *t = tcase_create("refusal");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, garbage_is_answered_with_an_alert_and_let_go, 0, GARBAGE);
    tcase_add_loop_test(t, what_is_too_long_is_named, 0, 2);
    tcase_add_test(t, what_is_bad_input_need_not_be_too_long);
    tcase_add_test(t, garbage_in_the_syn_is_refused_at_once);
    tcase_add_test(t, garbage_from_a_server_is_refused);
    tcase_add_loop_test(t, a_stream_that_ends_in_the_handshake_is_reported, 0, 2);
    tcase_add_loop_test(t, no_damaged_byte_does_harm, 0, 6);
    tcase_add_loop_test(t, a_handshake_short_of_memory_fails_cleanly, 0, 3);
    tcase_add_test(t, set_up_short_of_memory_fails_cleanly);
    suite_add_tcase(s, t);
    return s;
}
