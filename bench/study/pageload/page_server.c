/*
 * study/pageload/page_server.c: connections of our stack, and web/server.h's bytes between them.
 */
#include "study/pageload/page_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsyn/udp.h>

#include "study/pageload/page_visit.h"
#include "web/site.h"

#define TTL 3600 /* of names, in seconds */

struct page_server {
    struct tlsyn_acceptor acceptor; /* first member */
    struct tlsyn_udp_handler names;
    struct dns_zone zone;
    struct tlsyn_tls_config *config;
    struct site *site;
    struct site_service service;
};

/* --- a connection ----------------------------------------------------------------------------- */

struct visit {
    struct page_visit visit; /* first member */
    struct tlsyn_handler handler;
    struct tlsyn_tls *tls;
};

static struct visit *of(struct tlsyn_handler *handler)
{
    return (struct visit *)((char *)handler - offsetof(struct visit, handler));
}

static ssize_t visit_read(struct page_visit *visit, char *bytes, size_t n)
{
    return tlsyn_tls_read(((struct visit *)visit)->tls, bytes, n);
}

static ssize_t visit_write(struct page_visit *visit, const char *bytes, size_t n)
{
    return tlsyn_tls_write(((struct visit *)visit)->tls, bytes, n);
}

static void visit_end(struct page_visit *visit)
{
    tlsyn_tls_close(((struct visit *)visit)->tls);
}

static bool visit_speaks_h2(const struct page_visit *visit)
{
    struct tlsyn_tls_info info;

    tlsyn_tls_info(((const struct visit *)visit)->tls, &info);
    return info.alpn && strcmp(info.alpn, "h2") == 0;
}

static const struct page_visit_ops visit_ops = {
    .read = visit_read, .write = visit_write, .speaks_h2 = visit_speaks_h2, .end = visit_end};

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)conn;
    page_visit_pump(&of(handler)->visit);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    (void)conn;
    if (n > 0 && of(handler)->visit.http)
        page_visit_pump(&of(handler)->visit);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct visit *v = of(handler);

    (void)conn;
    page_visit_fini(&v->visit, error);
    tlsyn_tls_free(v->tls);
    free(v);
}

static const struct tlsyn_conn_events events = {
    .on_data = on_data, .on_acked = on_acked, .on_closed = on_closed};

static struct tlsyn_handler *take_connection(struct tlsyn_acceptor *acceptor,
                                             struct tlsyn_conn *conn)
{
    struct page_server *server = (struct page_server *)acceptor;
    struct visit *v = malloc(sizeof(*v));

    if (!v)
        return NULL;
    page_visit_init(&v->visit, &visit_ops, &server->service.service);
    v->handler.events = &events;
    if (tlsyn_tls_attach(server->config, conn, NULL, &v->handler, &v->tls) < 0) {
        free(v);
        return NULL;
    }
    return tlsyn_tls_handler(v->tls);
}

/* --- names ------------------------------------------------------------------------------------ */

static void on_datagram(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp,
                        const struct tlsyn_udp_datagram *datagram)
{
    struct page_server *server =
        (struct page_server *)((char *)handler - offsetof(struct page_server, names));
    uint8_t answer[DNS_ANSWER_MAX];
    size_t n = dns_answer(&server->zone, datagram->bytes, datagram->len, answer);

    if (n > 0 && datagram->from.port != 0)
        (void)tlsyn_udp_send(udp, &datagram->from, answer, n);
}

static const struct tlsyn_udp_events name_events = {.on_datagram = on_datagram};

int page_zone(const struct page_server_options *options, struct dns_zone *zone)
{
    struct in_addr address;
    int error = inet_pton(AF_INET, options->address, &address) == 1 ? 0 : -EINVAL;

    if (error == 0)
        error = dns_zone_init(zone, "", TTL);
    for (int i = 0; error == 0 && i < options->page->hosts; i++)
        error = dns_zone_add(zone, options->page->host[i].name, &address, sizeof(address));
    return error;
}

static int open_names(struct page_server *server, struct node *node,
                      const struct page_server_options *options)
{
    const struct tlsyn_udp_options udp_options = {.local = {.port = DNS_PORT}};
    struct tlsyn_udp *udp = NULL;
    int error = page_zone(options, &server->zone);

    server->names.events = &name_events;
    return error < 0 ? error : tlsyn_udp_open(node->stack, &udp_options, &server->names, &udp);
}

/* --- life ------------------------------------------------------------------------------------- */

static int make_config(struct page_server *server, const struct credentials *credentials,
                       char *message)
{
    static const char *const alpn[] = {"h2", "http/1.1", NULL};
    const struct tlsyn_certified *c = &credentials->ec;
    const struct tlsyn_tls_options options = {.role = TLSYN_TLS_SERVER,
                                              .alpn = alpn,
                                              .early_data = PAGE_EARLY_MAX,
                                              .tickets = PAGE_TICKETS,
                                              .wall_clock = credentials->wall_clock,
                                              .wall_at = tlsyn_clock()};
    int error = tlsyn_tls_config_new(&options, &server->config, message);

    return error < 0 ? error
                     : tlsyn_tls_config_identity(server->config, c->chain, strlen(c->chain), c->key,
                                                 strlen(c->key), message);
}

/* Slow start is the model's, which does not pace. */
static int listen_on(struct page_server *server, struct node *node)
{
    const struct tlsyn_listen_options options = {
        .local = {.port = PAGE_PORT}, .open = true, .cookies = true, .conn = {.no_pacing = true}};
    struct tlsyn_listener *listener = NULL;

    server->acceptor.accept = take_connection;
    return tlsyn_listener_open(node->stack, &options, &server->acceptor, &listener);
}

int page_server_open(struct node *node, const struct page_server_options *options,
                     struct page_server **server, char *message)
{
    const struct site_options site = {.port = PAGE_PORT};
    struct page_server *s = calloc(1, sizeof(*s));
    int error = s ? site_new(options->page, &site, &s->site) : -ENOMEM;

    (void)snprintf(message, TLSYN_TLS_MESSAGE, "%s", "");
    if (error == 0)
        site_serve(s->site, &s->service);
    if (error == 0)
        error = make_config(s, options->credentials, message);
    if (error == 0)
        error = open_names(s, node, options);
    if (error == 0)
        error = listen_on(s, node);
    if (error < 0 && !message[0])
        (void)snprintf(message, TLSYN_TLS_MESSAGE, "the page's server can't be set up: %s",
                       strerror(-error));
    *server = s; /* what is open goes with page_server_free(), the listener with the stack */
    return error;
}

void page_server_free(struct page_server *server)
{
    if (!server)
        return;
    tlsyn_tls_config_free(server->config);
    site_free(server->site);
    free(server);
}
