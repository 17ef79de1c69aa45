/*
 * serve.c: an https server, from its content and its certificate to a signal.
 */
#include "serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "client.h"
#include "say.h"
#include "serve_page.h"
#include "tls_tally.h"
#include "visitor.h"

/* After the first Ctrl-C: how long responses under way may take; a second one ends at once. */
#define GRACE TLSYN_SECONDS(5)
/* Per full handshake, as a client that opens two connections at once needs. */
#define TICKETS 2

struct server {
    const struct serve_settings *asked;
    struct identity_options identity;
    const char *names[PAGE_HOSTS_MAX + 4]; /* of identity */
    struct serve_page page;
    struct host host;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct visitors visitors;
    struct tls_tally tally;
};

/* --- setting up ------------------------------------------------------------------------------- */

/* The names in the certificate: our address, what --name adds, the page's, and localhost so that
 * there always is a DNS name. */
static void collect_names(struct server *s, char address[CLI_ADDRESS_TEXT])
{
    size_t n = 0;

    if (s->asked->name)
        s->names[n++] = s->asked->name;
    for (int i = 0; i < s->page.page.hosts; i++)
        s->names[n++] = s->page.page.host[i].name;
    s->names[n++] = cli_address_text(&s->host.own.address, address);
    s->names[n++] = "localhost";
    s->identity = s->asked->identity;
    s->identity.names = s->names;
    s->identity.rsa = s->asked->suite == TLSYN_TLS_12_RSA;
}

/* Which protocols are offered, in the order of our preference (RFC 9113 3.2). Not HTTP/2 over a key
 * exchange that it forbids (RFC 9113 9.2.2). */
static const char *const *protocols(const struct serve_settings *asked)
{
    static const char *const all[] = {"h2", "http/1.1", NULL};

    return asked->http == SERVE_HTTP_1 || asked->suite == TLSYN_TLS_12_RSA ? all + 1 : all;
}

static int configure(struct server *s)
{
    const struct serve_settings *asked = s->asked;
    struct tlsyn_tls_options options = {
        .role = TLSYN_TLS_SERVER,
        .suite = (enum tlsyn_tls_suite)asked->suite,
        .paper = asked->paper,
        .alpn = protocols(asked),
        .tickets = asked->no_tickets ? 0 : TICKETS,
        .sessions = (uint32_t)asked->session_cache,
        .session_lifetime = (uint32_t)(asked->session_lifetime / TLSYN_SECONDS(1)),
        .early_data = (uint32_t)asked->early_data,
        .handshakes_per_second = (uint32_t)asked->handshakes,
        .keylog = keylog_sink(&s->host.keylog),
    };
    char message[256] = "";
    char address[CLI_ADDRESS_TEXT];
    int error = 0;

    client_wall(&options.wall_clock, &options.wall_at);
    error = tlsyn_tls_config_new(&options, &s->visitors.config, message);
    if (error < 0) {
        say("TLS can't be set up: %s", message[0] ? message : strerror(-error));
        return CLI_TLS;
    }
    collect_names(s, address);
    return identity_give(&s->identity, s->visitors.config);
}

/* --- serving ---------------------------------------------------------------------------------- */

static struct tlsyn_handler *accept_visitor(struct tlsyn_acceptor *acceptor,
                                            struct tlsyn_conn *conn)
{
    struct server *s = (struct server *)((char *)acceptor - offsetof(struct server, acceptor));

    return visitor_accept(&s->visitors, conn);
}

/* Where clients find what is served; a page's servers by their names alone. */
static void announce(const struct server *s)
{
    const struct page *page = &s->page.page;
    char address[CLI_ADDRESS_TEXT];
    char port[8] = "";

    if (s->asked->port != 443)
        (void)snprintf(port, sizeof(port), ":%u", (unsigned int)s->asked->port);
    if (!s->asked->page) {
        say("serving %s at https://%s%s/", s->asked->folder,
            cli_address_host(&s->host.own.address, address), port);
        return;
    }
    say("serving https://%s%s/ at %s", page->host[0].name, port,
        cli_address_text(&s->host.own.address, address));
    for (int i = 1; i < page->hosts; i++)
        say_detail("and https://%s%s/", page->host[i].name, port);
}

static int start_listening(struct server *s)
{
    const struct serve_settings *asked = s->asked;
    const struct tlsyn_listen_options options = {
        .local = {.addr = s->host.own.address, .port = (uint16_t)asked->port},
        .open = !asked->no_open,
        .cookies = !asked->no_cookies,
        .paper = asked->paper,
        .conn = {.user_timeout = asked->network.timeout,
                 .controller = host_controller(&asked->network)},
    };
    int error = 0;

    s->acceptor.accept = accept_visitor;
    error = tlsyn_listener_open(s->host.stack, &options, &s->acceptor, &s->listener);
    if (error < 0) {
        say("port %lld can't be listened on: %s", (long long)asked->port, strerror(-error));
        return CLI_FAILURE;
    }
    announce(s);
    return serve_page_names(&s->page, &s->host);
}

static tlsyn_time earlier(tlsyn_time a, tlsyn_time b)
{
    return a < b ? a : b;
}

/* Until a signal, or an error that ends the service. */
static int serve_until_told(struct server *s)
{
    int error = 0;

    while (error == 0) {
        tlsyn_time now = tlsyn_clock();

        error =
            host_turn(&s->host, earlier(visitors_sweep(&s->visitors, now), now + TLSYN_SECONDS(1)));
        if (host_must_renew(&s->host))
            identity_renew(&s->identity, s->visitors.config);
    }
    return error;
}

static void finish(struct server *s)
{
    tlsyn_time deadline = tlsyn_clock() + GRACE;
    int error = 0;

    tlsyn_listener_close(s->listener);
    visitors_stop(&s->visitors);
    while (s->visitors.count > 0 && error == 0 && tlsyn_clock() < deadline) {
        tlsyn_time now = tlsyn_clock();

        error = host_turn(&s->host, earlier(deadline, earlier(visitors_sweep(&s->visitors, now),
                                                              now + TLSYN_MS(100))));
    }
}

static void tell_sessions(const struct server *s)
{
    struct tlsyn_tls_counters c;
    uint64_t all = 0;

    tlsyn_tls_config_counters(s->visitors.config, &c);
    for (int i = TLSYN_TLS_NEW; i <= TLSYN_TLS_PSK; i++)
        all += c.handshakes[i];
    if (all == 0)
        return;
    say_detail("%llu TLS handshakes: %llu new, %llu by session ID, %llu by ticket, %llu by "
               "pre-shared key",
               (unsigned long long)all, (unsigned long long)c.handshakes[TLSYN_TLS_NEW],
               (unsigned long long)c.handshakes[TLSYN_TLS_ID],
               (unsigned long long)c.handshakes[TLSYN_TLS_TICKET],
               (unsigned long long)c.handshakes[TLSYN_TLS_PSK]);
    say_detail(
        "not resumed: %llu session IDs unknown, %llu expired, %llu tickets expired, %llu not ours; "
        "%llu tickets sent, %u sessions kept, %llu left early",
        (unsigned long long)c.ids_unknown, (unsigned long long)c.ids_expired,
        (unsigned long long)c.tickets_expired, (unsigned long long)c.tickets_foreign,
        (unsigned long long)c.tickets_sent, c.sessions, (unsigned long long)c.evicted);
}

/* How connections were opened, and what was kept out: docs/HANDSHAKE.md has the names. */
static void tell_openings(const struct server *s)
{
    const struct tlsyn_stack *stack = s->host.stack;
    struct tlsyn_tls_counters tls;

    tlsyn_tls_config_counters(s->visitors.config, &tls);
    for (int i = TLSYN_COUNT_tcp_admit_no_text; i <= TLSYN_COUNT_tcp_admit_engine_busy; i++) {
        uint64_t n = tlsyn_counter(stack, (enum tlsyn_counter)i);

        if (n > 0)
            say_detail("%-28s %llu", tlsyn_counter_name((enum tlsyn_counter)i),
                       (unsigned long long)n);
    }
    if (tls.waited + tls.too_many > 0)
        say_detail("%llu TLS handshakes waited for their turn, %llu for too long",
                   (unsigned long long)tls.waited, (unsigned long long)tls.too_many);
}

static int serve(struct server *s)
{
    const struct tlsyn_endpoint here = {.addr = s->host.own.address,
                                        .port = (uint16_t)s->asked->port};
    int status = configure(s);
    int error = 0;

    if (status == CLI_OK)
        status = start_listening(s);
    if (status != CLI_OK)
        return status;
    tls_tally_init(&s->tally, s->visitors.config);
    tlsyn_control_source(s->host.control, &s->tally.source);
    error = serve_until_told(s);
    if (error == -EINTR)
        finish(s);
    if (!s->asked->quiet) {
        tell_openings(s);
        tell_sessions(s);
    }
    if (error == -EINTR)
        return CLI_OK;
    status = host_explain(&s->host, &here, error);
    return error == -ENODATA ? CLI_OK : status;
}

/* Each connection may have a file open: as many as we are allowed. */
static void allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* What is served: a page, or files. */
static int open_content(struct server *s)
{
    int error = 0;

    s->visitors.files.root = -1;
    if (s->asked->page) {
        int status = serve_page_open(&s->page, (uint16_t)s->asked->port);

        s->visitors.site = s->page.site;
        return status;
    }
    error = files_open_root(&s->visitors.files, s->asked->folder);
    if (error < 0) {
        say("the folder %s can't be served: %s", s->asked->folder, strerror(-error));
        return CLI_FAILURE;
    }
    return CLI_OK;
}

static int run(struct server *s)
{
    const struct serve_settings *asked = s->asked;
    struct tlsyn_limits limits;
    int status = CLI_OK;

    allow_files();
    tlsyn_limits_default(&limits);
    if ((uint32_t)asked->connections > limits.connections / 2)
        limits.connections = (uint32_t)asked->connections * 2; /* those in TIME-WAIT count too */
    status = host_open(&s->host, &asked->network, &limits);
    if (status != CLI_OK)
        return status;
    status = serve(s);
    status = host_close(&s->host, status); /* frees the visitors that are left */
    tlsyn_tls_config_free(s->visitors.config);
    return status;
}

int serve_run(const struct serve_settings *settings)
{
    struct server s = {
        .asked = settings,
        .page = {.what = settings->page, .names = settings->dns},
        .visitors = {.upload = settings->upload,
                     .upload_max = settings->upload_max,
                     .timeout = settings->network.timeout,
                     .idle = settings->idle,
                     .max = (uint32_t)settings->connections,
                     .quiet = settings->quiet},
    };
    int status = open_content(&s);

    if (status == CLI_OK)
        status = run(&s);
    files_close_root(&s.visitors.files);
    serve_page_close(&s.page);
    return status;
}
