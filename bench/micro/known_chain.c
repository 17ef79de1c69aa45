/*
 * micro/known_chain.c: what a client's handshake costs it in computing: where it verifies the
 * server's chain of certificates, where it knows the chain from before, and where it resumes.
 *
 *     build/release/micro_known_chain [--rounds 300] [--cert CHAIN.pem KEY.pem CA.pem NAME]
 *
 * Two stacks over a pipe in memory, TLS 1.3 inside the three-way handshake. In each round a client
 * of each kind opens a connection, one after the other in turning order; counted is the processor's
 * time in the client's turns of the loop, from the open until it may send. Without --cert: a P-256
 * certificate that its authority signed, so one verification for the chain and one for the
 * handshake, which is never spared; with a chain from outside there are as many as it has links.
 *
 * Figures: docs/MEASURING.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlsyn/certify.h>
#include <tlsyn/link.h>
#include <tlsyn/tls.h>

#include "measure/clock.h"
#include "measure/stats.h"
#include "study/node.h"

#define PORT       443
#define DEPTH      256
#define ROUNDS_MAX 10000
#define FILE_MAX   20000
#define OF_A_FLOOD 1000000 /* handshakes per second: nobody waits for a turn here */

enum kind { VERIFIES, KNOWS, RESUMES, KINDS };

static const char *const kind_names[KINDS] = {"verifies", "knows", "resumes"};

/* One chain, kept for the next visit. */
struct memory {
    struct tlsyn_tls_store base;
    char key[320];
    uint8_t bytes[4096];
    size_t len;
};

struct visitor {
    struct tlsyn_handler handler;
    struct tlsyn_tls *tls;
    struct tlsyn_tls_info info;
    bool done;
};

struct bed {
    struct node client, server;
    struct tlsyn_tls_config *config[KINDS], *server_config;
    struct memory chains;
    struct tlsyn_acceptor acceptor;
    struct visitor visitor;
    const char *name;
    uint32_t served; /* connections of the server's that are left */
};

static void must(int error, const char *what)
{
    if (error >= 0)
        return;
    fprintf(stderr, "known_chain: %s: %s\n", what, strerror(-error));
    exit(1);
}

/* --- the chain's memory ----------------------------------------------------------------------- */

static size_t find(struct tlsyn_tls_store *store, const char *key, int64_t now, void *bytes,
                   size_t size)
{
    const struct memory *m = (const struct memory *)store; /* first member */

    (void)now;
    if (m->len == 0 || m->len > size || strcmp(m->key, key) != 0)
        return 0;
    memcpy(bytes, m->bytes, m->len);
    return m->len;
}

static void keep(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len,
                 const struct tlsyn_tls_entry *entry)
{
    struct memory *m = (struct memory *)store;

    (void)entry;
    (void)snprintf(m->key, sizeof(m->key), "%s", key);
    memcpy(m->bytes, bytes, len);
    m->len = len;
}

static void drop(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len)
{
    (void)key, (void)bytes, (void)len;
    ((struct memory *)store)->len = 0;
}

/* --- both ends -------------------------------------------------------------------------------- */

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct visitor *v = (struct visitor *)handler;

    (void)conn;
    tlsyn_tls_info(v->tls, &v->info);
    v->done = true;
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct visitor *v = (struct visitor *)handler;
    char byte;

    (void)conn;
    while (tlsyn_tls_read(v->tls, &byte, 1) > 0)
        ;
}

static const struct tlsyn_conn_events client_events = {.on_established = on_established,
                                                       .on_data = on_data};

struct guest {
    struct tlsyn_handler handler;
    struct bed *bed;
    struct tlsyn_tls *tls;
};

static void on_gone(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct guest *guest = (struct guest *)handler;

    (void)conn, (void)error;
    guest->bed->served--;
    tlsyn_tls_free(guest->tls);
    free(guest);
}

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    static const struct tlsyn_conn_events events = {.on_closed = on_gone};
    struct bed *bed = (struct bed *)((char *)acceptor - offsetof(struct bed, acceptor));
    struct guest *guest = calloc(1, sizeof(*guest));

    if (!guest)
        return NULL;
    *guest = (struct guest){.handler.events = &events, .bed = bed};
    if (tlsyn_tls_attach(bed->server_config, conn, NULL, &guest->handler, &guest->tls) < 0) {
        free(guest);
        return NULL;
    }
    bed->served++;
    return tlsyn_tls_handler(guest->tls);
}

/* --- the bed ---------------------------------------------------------------------------------- */

static struct tlsyn_tls_config *make_config(struct tlsyn_tls_options *options)
{
    struct tlsyn_tls_config *config = NULL;

    options->suite = TLSYN_TLS_13;
    options->wall_clock = (int64_t)(clock_us(CLOCK_REALTIME) / 1e6);
    options->wall_at = tlsyn_clock();
    must(tlsyn_tls_config_new(options, &config, NULL), "a configuration");
    return config;
}

static void make_client(struct bed *b, enum kind kind, const char *ca)
{
    struct tlsyn_tls_options options = {.role = TLSYN_TLS_CLIENT,
                                        .sessions = kind == RESUMES ? 4 : 0,
                                        .chains = kind == KNOWS ? &b->chains.base : NULL};

    b->config[kind] = make_config(&options);
    must(tlsyn_tls_config_trust(b->config[kind], ca, strlen(ca), NULL), "the authority");
}

static void bed_open(struct bed *b, const char *chain, const char *key, const char *ca)
{
    static const struct tlsyn_tls_store_ops ops = {.find = find, .keep = keep, .drop = drop};
    const struct tlsyn_link_caps caps = {.mtu = 1500};
    const struct tlsyn_listen_options listen = {.local = {.port = PORT}, .open = true};
    struct tlsyn_tls_options options = {
        .role = TLSYN_TLS_SERVER, .tickets = 1, .handshakes_per_second = OF_A_FLOOD};
    struct tlsyn_link *ends[2];

    b->chains.base.ops = &ops;
    b->acceptor.accept = accept_one;
    must(tlsyn_pipe_open(&caps, DEPTH, ends), "a pipe");
    must(node_open(&b->client, ends[0], "10.0.0.1", 24), "a stack");
    must(node_open(&b->server, ends[1], "10.0.0.2", 24), "a stack");
    b->server_config = make_config(&options);
    must(tlsyn_tls_config_identity(b->server_config, chain, strlen(chain), key, strlen(key), NULL),
         "the certificate");
    for (int kind = 0; kind < KINDS; kind++)
        make_client(b, (enum kind)kind, ca);
    must(tlsyn_listener_open(b->server.stack, &listen, &b->acceptor, &(struct tlsyn_listener *){0}),
         "listening");
}

static void bed_close(struct bed *b)
{
    node_close(&b->client);
    node_close(&b->server);
    for (int kind = 0; kind < KINDS; kind++)
        tlsyn_tls_config_free(b->config[kind]);
    tlsyn_tls_config_free(b->server_config);
}

/* --- visits ----------------------------------------------------------------------------------- */

static void turn(struct node *node)
{
    int error = tlsyn_loop_turn(node->loop, 0); /* in the past: without waiting */

    must(error == -EINTR ? 0 : error, "a turn of the loop");
}

static bool is_as_said(const struct visitor *v, enum kind kind)
{
    if (kind == RESUMES)
        return v->info.session == TLSYN_TLS_PSK;
    return v->info.session == TLSYN_TLS_NEW && v->info.chain_known == (kind == KNOWS);
}

/* The client's microseconds; `first`: it has nothing from before yet. */
static double visit(struct bed *b, enum kind kind, bool first)
{
    const struct tlsyn_connect_options options = {
        .remote = {.addr = node_address("10.0.0.2"), .port = PORT}, .level = TLSYN_LEVEL_OPEN};
    tlsyn_time patience = tlsyn_clock() + TLSYN_SECONDS(5);
    struct visitor *v = &b->visitor;
    double took = 0, begin = clock_us(CLOCK_THREAD_CPUTIME_ID);

    *v = (struct visitor){.handler.events = &client_events};
    must(tlsyn_tls_attach(b->config[kind], NULL, b->name, &v->handler, &v->tls), "a session");
    must(tlsyn_conn_open(b->client.stack, &options, tlsyn_tls_handler(v->tls), NULL), "an open");
    turn(&b->client);
    took = clock_us(CLOCK_THREAD_CPUTIME_ID) - begin;
    while (!v->done) {
        turn(&b->server);
        begin = clock_us(CLOCK_THREAD_CPUTIME_ID);
        turn(&b->client);
        took += clock_us(CLOCK_THREAD_CPUTIME_ID) - begin;
        must(tlsyn_clock() < patience ? 0 : -ETIMEDOUT, tlsyn_tls_error(v->tls));
    }
    if (!first && !is_as_said(v, kind))
        must(-EPROTO, kind_names[kind]);
    for (int i = 0; i < 20; i++) { /* a ticket comes */
        turn(&b->server);
        turn(&b->client);
    }
    tlsyn_tls_free(v->tls);
    while (b->served > 0) {
        turn(&b->client);
        turn(&b->server);
        must(tlsyn_clock() < patience ? 0 : -ETIMEDOUT, "the end of a connection");
    }
    return took;
}

static void measure(struct bed *b, size_t rounds)
{
    const struct stats_plan plan = STATS_PLAN(1);
    double *took[KINDS];
    struct stats_interval ratio;

    for (int kind = 0; kind < KINDS; kind++) {
        took[kind] = calloc(rounds, sizeof(double));
        must(took[kind] ? 0 : -ENOMEM, "memory");
        (void)visit(b, (enum kind)kind, true);
        (void)visit(b, (enum kind)kind, false);
    }
    for (size_t i = 0; i < rounds; i++) {
        for (size_t k = 0; k < KINDS; k++) {
            size_t kind = (i + k) % KINDS;

            took[kind][i] = visit(b, (enum kind)kind, false);
        }
    }
    printf("%-10s %10s   beside who verifies (95 %%)\n", "", "us");
    for (int kind = 0; kind < KINDS; kind++) {
        must(stats_bootstrap_paired(took[kind], took[VERIFIES], rounds, STATS_RATIO, &plan, &ratio),
             "the ratio");
        printf("%-10s %10.0f   %.3f (%.3f .. %.3f)\n", kind_names[kind],
               stats_median(took[kind], rounds), ratio.estimate, ratio.lo, ratio.hi);
    }
    for (int kind = 0; kind < KINDS; kind++)
        free(took[kind]);
}

/* --- the command line ------------------------------------------------------------------------- */

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, FILE_MAX + 1);

    must(file && text ? 0 : -errno, path);
    (void)fread(text, 1, FILE_MAX, file);
    (void)fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"host.test", NULL};
    static struct bed b = {.name = "host.test"};
    static struct tlsyn_certified made;
    char *text[3] = {made.chain, made.key, made.ca};
    long rounds = 300;
    int at = 1;

    if (at + 1 < argc && strcmp(argv[at], "--rounds") == 0) {
        rounds = atol(argv[at + 1]);
        at += 2;
    }
    if (at + 4 < argc && strcmp(argv[at], "--cert") == 0) {
        for (int i = 0; i < 3; i++)
            text[i] = read_text(argv[at + 1 + i]);
        b.name = argv[at + 4];
        at += 5;
    } else {
        const struct tlsyn_certify_options options = {.names = names,
                                                      .now =
                                                          (int64_t)(clock_us(CLOCK_REALTIME) / 1e6),
                                                      .days = 2,
                                                      .random = tlsyn_random_kernel()};

        must(tlsyn_certify(&options, &made), "a certificate");
    }
    if (at != argc || rounds < 2 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: known_chain [--rounds N] [--cert CHAIN KEY CA NAME]\n");
        return 2;
    }
    bed_open(&b, text[0], text[1], text[2]);
    measure(&b, (size_t)rounds);
    bed_close(&b);
    for (int i = 0; i < 3; i++) {
        if (text[i] != made.chain && text[i] != made.key && text[i] != made.ca)
            free(text[i]);
    }
    return 0;
}
