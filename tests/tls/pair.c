/*
 * pair.c: a TLS client and a TLS server with simple users.
 */
#include "pair.h"

#include "engine.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the user --------------------------------------------------------------------------------- */

static struct user *user_of(struct tlsyn_handler *h)
{
    return (struct user *)h;
}

static void send_more(struct user *u)
{
    while (u->out_done < u->out_len) {
        ssize_t n = tlsyn_tls_write(u->tls, u->out + u->out_done, u->out_len - u->out_done);

        if (n <= 0)
            return;
        u->out_done += (size_t)n;
    }
    if (u->close_when_sent)
        tlsyn_tls_close(u->tls);
}

static void keep(struct user *u, const uint8_t *bytes, size_t n)
{
    if (u->in_len + n > u->in_size) {
        u->in_size = 2 * (u->in_len + n);
        u->in = realloc(u->in, u->in_size);
        ck_assert_ptr_nonnull(u->in);
    }
    memcpy(u->in + u->in_len, bytes, n);
    u->in_len += n;
}

static void read_all(struct user *u)
{
    uint8_t bytes[16384];
    size_t size = u->read_size != 0 ? u->read_size : sizeof(bytes);

    while ((u->last_read = tlsyn_tls_read(u->tls, bytes, size)) > 0)
        keep(u, bytes, (size_t)u->last_read);
}

static int on_open(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = user_of(h);

    (void)c;
    u->opened++;
    if (u->ticket_lies) /* by one byte */
        u->tls->ssl.MBEDTLS_PRIVATE(session_negotiate)->MBEDTLS_PRIVATE(max_early_data_size)++;
    if (u->early)
        send_more(u);
    else if (u->tls->config->early_data == 0)
        ck_assert_int_eq(tlsyn_tls_write(u->tls, "x", 1), -EAGAIN);
    return u->refuse_open;
}

static void on_established(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = user_of(h);

    u->established++;
    u->established_at_text = c->snd.len;
    tlsyn_tls_info(u->tls, &u->info);
    ck_assert(!tlsyn_tls_is_early(u->tls));
    if (u->info.early == TLSYN_TLS_EARLY_REJECTED && u->early)
        u->out_done = 0;
    send_more(u);
}

static void on_data(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = user_of(h);

    (void)c;
    u->data_events++;
    ck_assert_int_eq(u->established, u->takes_early && tlsyn_tls_is_early(u->tls) ? 0 : 1);
    if (u->free_on_data) {
        tlsyn_tls_free(u->tls);
        u->tls = NULL;
        return;
    }
    if (u->paused)
        return;
    read_all(u);
    if (tlsyn_tls_is_early(u->tls)) {
        u->early_len = u->in_len;
        send_more(u);
    }
    if (u->last_read == 0 && u->close_when_ended)
        tlsyn_tls_close(u->tls);
}

static void on_acked(struct tlsyn_handler *h, struct tlsyn_conn *c, size_t n)
{
    struct user *u = user_of(h);

    (void)c;
    (void)n;
    send_more(u);
}

static void on_closed(struct tlsyn_handler *h, struct tlsyn_conn *c, int error)
{
    struct user *u = user_of(h);

    (void)c;
    ck_assert_int_eq(u->closed, 0);
    u->closed++;
    u->closed_error = error;
    tlsyn_tls_info(u->tls, &u->info);
    snprintf(u->error, sizeof(u->error), "%s", tlsyn_tls_error(u->tls));
    if (u->keep)
        return;
    tlsyn_tls_free(u->tls);
    u->tls = NULL;
}

static const struct tlsyn_conn_events events = {
    .on_open = on_open,
    .on_established = on_established,
    .on_data = on_data,
    .on_acked = on_acked,
    .on_closed = on_closed,
};

void user_init(struct user *u)
{
    *u = (struct user){.handler = {.events = &events}};
}

void user_fini(struct user *u)
{
    tlsyn_tls_free(u->tls);
    free(u->in);
}

/* --- the pair --------------------------------------------------------------------------------- */

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *base, struct tlsyn_conn *conn)
{
    struct acceptor *a = (struct acceptor *)base;

    a->accepted++;
    if (tlsyn_tls_attach(a->config, conn, NULL, &a->user->handler, &a->user->tls) != 0)
        return NULL;
    return tlsyn_tls_handler(a->user->tls);
}

static void take_line(struct tlsyn_tls_keylog *base, const char *line)
{
    struct lines *l = (struct lines *)base;

    ck_assert_int_lt(l->n, 16);
    snprintf(l->line[l->n++], sizeof(l->line[0]), "%s", line);
}

static struct tlsyn_tls_config *make_config(struct pair *p, const struct setup *s, bool is_client)
{
    struct lines *lines = is_client ? &p->client_lines : &p->server_lines;
    enum tlsyn_tls_suite suite = s->suite;
    struct tlsyn_tls_config *config;
    char message[TLSYN_TLS_MESSAGE] = "";
    struct tlsyn_tls_options o;

    if (!is_client && s->server_suite != TLSYN_TLS_ANY)
        suite = s->server_suite;
    lines->base.line = take_line;
    o = (struct tlsyn_tls_options){
        .role = is_client ? TLSYN_TLS_CLIENT : TLSYN_TLS_SERVER,
        .suite = suite,
        .insecure = is_client && s->insecure,
        .paper = s->paper,
        .alpn = is_client ? s->client_alpn : s->server_alpn,
        .tickets = is_client ? 0 : s->tickets,
        .sessions = is_client ? s->client_sessions : s->server_sessions,
        .no_tickets = s->no_tickets,
        .session_lifetime = s->lifetime,
        .store = is_client ? s->store : NULL,
        .chains = is_client ? s->chains : NULL,
        .early_data = is_client || !s->no_server_early ? s->early_data : 0,
        .early_entries = s->early_entries,
        .keylog = s->keylog ? &lines->base : NULL,
        .wall_clock = s->wall != 0 ? s->wall : CERTS_NOW,
        .wall_at = TLSYN_SECONDS(1000),
        .random = &p->random.base,
    };
    ck_assert_msg(tlsyn_tls_config_new(&o, &config, message) == 0, "%s", message);
    return config;
}

static void give_identity(struct tlsyn_tls_config *config, const struct certs_pair *pair)
{
    char message[TLSYN_TLS_MESSAGE] = "";
    int r = tlsyn_tls_config_identity(config, pair->chain, strlen(pair->chain), pair->key,
                                      strlen(pair->key), message);

    ck_assert_msg(r == 0, "%s", message);
}

static void give_identities(struct tlsyn_tls_config *config, const struct setup *s)
{
    const struct certs *certs = certs_get();

    if (s->no_identity)
        return;
    if (s->identity[0] == NULL) {
        give_identity(config, &certs->rsa);
        give_identity(config, &certs->ec);
    }
    for (int i = 0; i < 3 && s->identity[i] != NULL; i++)
        give_identity(config, s->identity[i]);
}

static void make_client(struct pair *p, const struct setup *s)
{
    const char *trust = s->trust != NULL ? s->trust : certs_get()->ca;

    p->client_config = make_config(p, s, true);
    if (!s->no_trust)
        ck_assert_int_eq(tlsyn_tls_config_trust(p->client_config, trust, strlen(trust), NULL), 1);
}

static void make_server(struct pair *p, const struct setup *s)
{
    p->server_config = make_config(p, s, false);
    give_identities(p->server_config, s);
    p->acceptor = (struct acceptor){
        .base = {.accept = accept_one}, .config = p->server_config, .user = &p->server};
}

static void attach_client(struct pair *p, const char *host)
{
    ck_assert_int_eq(tlsyn_tls_attach(p->client_config, NULL, *host != '\0' ? host : NULL,
                                      &p->client.handler, &p->client.tls),
                     0);
}

void pair_init(struct pair *p, const struct setup *s)
{
    *p = (struct pair){.client = {.tls = NULL}};
    random_seed(&p->random, 7);
    wire_init(&p->wire, s->ring != 0 ? s->ring : 65536, s->chunk != 0 ? s->chunk : 65536);
    if (s->sequential)
        p->wire.syn_room = 0;
    if (s->synack_room != 0)
        p->wire.synack_room = s->synack_room;
    p->wire.pad = s->paper && !s->sequential;
    user_init(&p->client);
    user_init(&p->server);
    make_client(p, s);
    make_server(p, s);
    attach_client(p, s->host != NULL ? s->host : "localhost");
}

void pair_again(struct pair *p, const char *host)
{
    struct wire was = p->wire;

    wire_fini(&p->wire);
    user_fini(&p->client);
    user_fini(&p->server);
    wire_init(&p->wire, was.end[0].rcv.size, was.chunk);
    p->wire.stack = was.stack;
    p->wire.syn_room = was.syn_room;
    p->wire.synack_room = was.synack_room;
    p->wire.pad = was.pad;
    user_init(&p->client);
    user_init(&p->server);
    attach_client(p, host != NULL ? host : "localhost");
}

void pair_restart_server(struct pair *p, const struct setup *setup)
{
    user_fini(&p->server);
    user_init(&p->server);
    tlsyn_tls_config_free(p->server_config);
    make_server(p, setup);
}

void pair_restart_client(struct pair *p, const struct setup *setup)
{
    user_fini(&p->client);
    user_init(&p->client);
    tlsyn_tls_config_free(p->client_config);
    make_client(p, setup);
    attach_client(p, setup->host != NULL ? setup->host : "localhost");
}

int pair_run(struct pair *p)
{
    int r = wire_open(&p->wire, tlsyn_tls_handler(p->client.tls), &p->acceptor.base);

    wire_run(&p->wire);
    return r;
}

void pair_fini(struct pair *p)
{
    wire_fini(&p->wire);
    user_fini(&p->client);
    user_fini(&p->server);
    tlsyn_tls_config_free(p->client_config);
    tlsyn_tls_config_free(p->server_config);
}

uint8_t *pattern(size_t n, uint64_t seed)
{
    uint8_t *bytes = malloc(n > 0 ? n : 1);
    struct random_seeded r;

    ck_assert_ptr_nonnull(bytes);
    random_seed(&r, seed);
    r.base.fill(&r.base, bytes, n);
    return bytes;
}
