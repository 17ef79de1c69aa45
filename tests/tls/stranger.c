/* stranger.c: see stranger.h. */
#include "stranger.h"

#include <check.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

static void take_certificate(SSL_CTX *context, const struct certs_pair *pair)
{
    BIO *chain = BIO_new_mem_buf(pair->chain, -1), *key = BIO_new_mem_buf(pair->key, -1);
    X509 *x = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);

    ck_assert_int_eq(SSL_CTX_use_certificate(context, x), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, k), 1);
    X509_free(x);
    EVP_PKEY_free(k);
    BIO_free(chain);
    BIO_free(key);
}

static void trust_ca(SSL_CTX *context)
{
    BIO *bio = BIO_new_mem_buf(certs_get()->ca, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), x);
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), (time_t)CERTS_NOW);
    X509_free(x);
    BIO_free(bio);
}

void stranger_init(struct stranger *o, bool is_server, int min, int max, const char *groups)
{
    *o = (struct stranger){.context =
                               SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method())};
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(o->context, min), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(o->context, max), 1);
    if (groups != NULL)
        ck_assert_int_eq(SSL_CTX_set1_groups_list(o->context, groups), 1);
    if (is_server) {
        take_certificate(o->context, &certs_get()->rsa);
        take_certificate(o->context, &certs_get()->ec);
    } else {
        trust_ca(o->context);
        SSL_CTX_set_verify(o->context, SSL_VERIFY_PEER, NULL);
    }
}

static void stranger_start(struct stranger *o, bool is_server)
{
    o->ssl = SSL_new(o->context);
    o->in = BIO_new(BIO_s_mem());
    o->out = BIO_new(BIO_s_mem());
    SSL_set_bio(o->ssl, o->in, o->out);
    if (is_server) {
        SSL_set_accept_state(o->ssl);
    } else {
        SSL_set_connect_state(o->ssl);
        SSL_set_tlsext_host_name(o->ssl, "localhost");
        SSL_set1_host(o->ssl, "localhost");
    }
}

void stranger_fini(struct stranger *o)
{
    SSL_free(o->ssl);
    SSL_CTX_free(o->context);
    ERR_clear_error();
}

static void stranger_reads(struct stranger *o)
{
    int n;

    if (!o->done)
        o->done = SSL_do_handshake(o->ssl) == 1;
    if (!o->done)
        return;
    while ((n = SSL_read(o->ssl, o->heard + o->heard_len, (int)(sizeof(o->heard) - o->heard_len))) >
           0)
        o->heard_len += (size_t)n;
}

void stranger_talk(struct wire *w, int ours, struct stranger *o)
{
    struct tlsyn_conn *c = &w->end[ours];
    bool moved = true;

    while (moved) {
        uint8_t bytes[1000];
        size_t n = 0;
        int m;

        while (n < sizeof(bytes) && c->snd.len > 0) {
            bytes[n++] = c->snd.bytes[c->snd.start];
            c->snd.start = (c->snd.start + 1) % c->snd.size;
            c->snd.len--;
        }
        if (n > 0)
            BIO_write(o->in, bytes, (int)n);
        if (n > 0 && c->handler != NULL)
            c->handler->events->on_acked(c->handler, c, n);
        stranger_reads(o);
        m = BIO_read(o->out, bytes, sizeof(bytes));
        if (m > 0)
            wire_inject(w, ours, bytes, (size_t)m);
        moved = n > 0 || m > 0;
    }
}

void stranger_accepts(struct pair *p, struct stranger *o)
{
    struct tlsyn_conn *c = &p->wire.end[0];

    stranger_start(o, true);
    c->handler = tlsyn_tls_handler(p->client.tls);
    ck_assert_int_eq(c->handler->events->on_open(c->handler, c), 0);
    stranger_talk(&p->wire, 0, o);
}

void stranger_connects(struct pair *p, struct stranger *o)
{
    struct tlsyn_conn *c = &p->wire.end[1];

    stranger_start(o, false);
    c->handler = p->acceptor.base.accept(&p->acceptor.base, c);
    stranger_talk(&p->wire, 1, o);
}
