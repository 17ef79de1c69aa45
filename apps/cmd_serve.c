/*
 * cmd_serve.c: tlsyn serve: an https server, of files or of a page.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "host.h"
#include "identity.h"
#include "page_option.h"
#include "say.h"
#include "serve_page.h"
#include "tls_tally.h"
#include "visitor.h"

/* After the first Ctrl-C: how long responses under way may take; a second one ends at once. */
#define GRACE TLSYN_SECONDS(5)
/* Per full handshake, as a client that opens two connections at once needs. */
#define TICKETS 2

/* What --http says. */
enum { HTTP_ANY, HTTP_1 };

struct serve {
    const char *folder;
    bool has_folder; /* it was named */
    struct identity_options identity;
    const char *names[PAGE_HOSTS_MAX + 4];
    const char *name; /* --name */
    struct serve_page page;
    int suite;
    int http;
    int64_t port;
    int64_t connections;
    int64_t handshakes;
    bool no_open, no_cookies, paper;
    int64_t early_data; /* bytes */
    bool no_tickets;
    int64_t session_cache;
    tlsyn_time session_lifetime;
    struct host_options network;
    struct host host;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct visitors visitors;
    struct tls_tally tally;
};

/* --- setting up ------------------------------------------------------------------------------- */

/* The names in the certificate: our address, what --name adds, the page's, and localhost so that
 * there always is a DNS name. */
static void collect_names(struct serve *s, char address[CLI_ADDRESS_TEXT])
{
    size_t n = 0;

    if (s->name)
        s->names[n++] = s->name;
    for (int i = 0; i < s->page.page.hosts; i++)
        s->names[n++] = s->page.page.host[i].name;
    s->names[n++] = cli_address_text(&s->host.own.address, address);
    s->names[n++] = "localhost";
    s->identity.names = s->names;
    s->identity.rsa = s->suite == TLSYN_TLS_12_RSA;
}

/* Which protocols are offered, in the order of our preference (RFC 9113 3.2). Not HTTP/2 over a key
 * exchange that it forbids (RFC 9113 9.2.2). */
static const char *const *protocols(const struct serve *s)
{
    static const char *const all[] = {"h2", "http/1.1", NULL};

    return s->http == HTTP_1 || s->suite == TLSYN_TLS_12_RSA ? all + 1 : all;
}

static int configure(struct serve *s)
{
    struct tlsyn_tls_options options = {
        .role = TLSYN_TLS_SERVER,
        .suite = (enum tlsyn_tls_suite)s->suite,
        .paper = s->paper,
        .alpn = protocols(s),
        .tickets = s->no_tickets ? 0 : TICKETS,
        .sessions = (uint32_t)s->session_cache,
        .session_lifetime = (uint32_t)(s->session_lifetime / TLSYN_SECONDS(1)),
        .early_data = (uint32_t)s->early_data,
        .handshakes_per_second = (uint32_t)s->handshakes,
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
    struct serve *s = (struct serve *)((char *)acceptor - offsetof(struct serve, acceptor));

    return visitor_accept(&s->visitors, conn);
}

static int start_listening(struct serve *s)
{
    const struct tlsyn_listen_options options = {
        .local = {.addr = s->host.own.address, .port = (uint16_t)s->port},
        .open = !s->no_open,
        .cookies = !s->no_cookies,
        .paper = s->paper,
        .conn = {.user_timeout = s->network.timeout, .controller = host_controller(&s->network)},
    };
    char address[CLI_ADDRESS_TEXT];
    char port[8] = "";
    int error = 0;

    s->acceptor.accept = accept_visitor;
    error = tlsyn_listener_open(s->host.stack, &options, &s->acceptor, &s->listener);
    if (error < 0) {
        say("port %lld can't be listened on: %s", (long long)s->port, strerror(-error));
        return CLI_FAILURE;
    }
    if (s->port != 443)
        (void)snprintf(port, sizeof(port), ":%u", (unsigned int)s->port);
    say("serving %s at https://%s%s/", s->page.what ? s->page.page.host[0].name : s->folder,
        cli_address_host(&s->host.own.address, address), port);
    return serve_page_names(&s->page, &s->host);
}

static tlsyn_time earlier(tlsyn_time a, tlsyn_time b)
{
    return a < b ? a : b;
}

/* Until a signal, or an error that ends the service. */
static int serve_until_told(struct serve *s)
{
    int error = 0;

    while (error == 0) {
        tlsyn_time now = tlsyn_clock();

        error =
            host_turn(&s->host, earlier(visitors_sweep(&s->visitors, now), now + TLSYN_SECONDS(1)));
    }
    return error;
}

static void finish(struct serve *s)
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

static void tell_sessions(const struct serve *s)
{
    struct tlsyn_tls_counters c;
    uint64_t all = 0;

    tlsyn_tls_config_counters(s->visitors.config, &c);
    for (int i = TLSYN_TLS_NEW; i <= TLSYN_TLS_PSK; i++)
        all += c.handshakes[i];
    if (s->visitors.quiet || all == 0)
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
static void tell_openings(const struct serve *s)
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

static int serve(struct serve *s)
{
    const struct tlsyn_endpoint here = {.addr = s->host.own.address, .port = (uint16_t)s->port};
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
    if (!s->visitors.quiet)
        tell_openings(s);
    tell_sessions(s);
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
static int open_content(struct serve *s)
{
    int error = 0;

    s->visitors.files.root = -1;
    if (s->page.what) {
        int status = serve_page_open(&s->page, (uint16_t)s->port);

        s->visitors.site = s->page.site;
        return status;
    }
    error = files_open_root(&s->visitors.files, s->folder);
    if (error < 0) {
        say("the folder %s can't be served: %s", s->folder, strerror(-error));
        return CLI_FAILURE;
    }
    return CLI_OK;
}

static int run(struct serve *s)
{
    struct tlsyn_limits limits;
    int status = open_content(s);

    if (status != CLI_OK)
        return status;
    allow_files();
    tlsyn_limits_default(&limits);
    if ((uint32_t)s->connections > limits.connections / 2)
        limits.connections = (uint32_t)s->connections * 2; /* those in TIME-WAIT count too */
    s->visitors.max = (uint32_t)s->connections;
    s->visitors.timeout = s->network.timeout;
    status = host_open(&s->host, &s->network, &limits);
    if (status == CLI_OK) {
        status = serve(s);
        status = host_close(&s->host, status); /* frees the visitors that are left */
        tlsyn_tls_config_free(s->visitors.config);
    }
    files_close_root(&s->visitors.files);
    serve_page_close(&s->page);
    return status;
}

/* --- the command ------------------------------------------------------------------------------ */

static int check(const struct serve *s)
{
    if (s->page.what && (s->visitors.upload || s->has_folder)) {
        say("serve: --page takes the place of a folder and of --upload");
        return CLI_USAGE;
    }
    if (s->page.names && !s->page.what) {
        say("serve: --dns answers for the names of a page: name one with --page");
        return CLI_USAGE;
    }
    if (s->session_lifetime < TLSYN_SECONDS(1) || s->session_lifetime > TLSYN_SECONDS(7 * 86400)) {
        say("serve: --session-lifetime is from 1s to 7 days");
        return CLI_USAGE;
    }
    if (s->early_data > 0 && s->no_tickets) {
        say("serve: early data needs the tickets that --no-tickets takes away");
        return CLI_USAGE;
    }
    return identity_check(&s->identity, "serve");
}

static const char *const http_versions[] = {[HTTP_ANY] = "any", [HTTP_1] = "1.1", NULL};
static const struct cli_type http_type = {
    .placeholder = "VERSION", .parse = cli_choice_parse, .choices = http_versions};

static const struct cli_type handshakes_type = {
    .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = 1000000};
static const struct cli_type connections_type = {
    .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = 100000};

static const struct cli_type early_data_type = {.placeholder = "BYTES",
                                                .accepts = "bytes, from 1 to 1000000",
                                                .parse = cli_number_parse,
                                                .min = 1,
                                                .max = 1000000,
                                                .alone = "16384"};

static const struct cli_type session_cache_type = {
    .placeholder = "N", .parse = cli_number_parse, .min = 0, .max = 1000000};

int cmd_serve(int argc, char **argv)
{
    struct serve s = {
        .folder = ".",
        .port = 443,
        .connections = 1000,
        .session_cache = 10000,
        .session_lifetime = TLSYN_SECONDS(TLSYN_TLS_SESSION_LIFETIME),
        .visitors = {.upload_max = 1000000000, .idle = TLSYN_SECONDS(60)},
    };
    struct cli_option common[HOST_OPTIONS];
    const struct cli_option options[] = {
        {"cert", 0, &cli_file, &s.identity.cert, "certificate chain, the server's first (PEM)",
         NULL},
        {"key", 0, &cli_file, &s.identity.key, "its private key (PEM)", NULL},
        {"self-signed", 0, &cli_file, &s.identity.self_signed,
         "make a throwaway certificate, and write to FILE what clients pass to --ca", NULL},
        {"name", 0, &cli_string, &s.name, "put this host name into it too", NULL},
        {"page", 0, &page_type, &s.page.what,
         "instead of files, serve a page and all that it refers to, for the names of its servers: "
         "typical, the page of 29 URLs of bench pageload, or a HAR file",
         NULL},
        {"dns", 0, NULL, &s.page.names,
         "answer DNS queries for the page's names, on UDP port 53: they are here", NULL},
        {"port", 'p', &cli_port, &s.port, "TCP port (default: 443)", NULL},
        {"tls", 0, &client_suite_type, &s.suite,
         "version and key exchange: any (default), 1.2-rsa, 1.2-ecdhe, 1.3", NULL},
        {"http", 0, &http_type, &s.http, "version of HTTP: any (default), 1.1", NULL},
        {"no-open", 0, NULL, &s.no_open, "admit the first flight in a SYN only with a cookie",
         NULL},
        {"no-cookies", 0, NULL, &s.no_cookies, "give out no Fast Open cookies", NULL},
        {"paper", 0, NULL, &s.paper,
         "admit SYNs of the published protocol, padded to 1024 bytes; laboratory only", NULL},
        {"early-data", 0, &early_data_type, &s.early_data,
         "answer GET and HEAD in the early data of returning clients, of which they may send so "
         "much "
         "(16384); other methods then get 425",
         NULL},
        {"no-tickets", 0, NULL, &s.no_tickets, "give out no session tickets", NULL},
        {"session-cache", 0, &session_cache_type, &s.session_cache,
         "keep so many TLS 1.2 sessions by ID, for clients without tickets (default: 10000)", NULL},
        {"session-lifetime", 0, &cli_duration, &s.session_lifetime,
         "how long tickets and sessions are good, at most 7 days (default: 2h)", NULL},
        {"upload", 0, NULL, &s.visitors.upload, "let clients write files into DIR (PUT)", NULL},
        {"upload-max", 0, &cli_size, &s.visitors.upload_max, "largest file taken (default: 1G)",
         NULL},
        {"connections", 0, &connections_type, &s.connections,
         "most connections at a time (default: 1000)", NULL},
        {"handshakes", 0, &handshakes_type, &s.handshakes,
         "full TLS handshakes begun per second; more wait for their turn (default: 1000)", NULL},
        {"idle", 0, &cli_duration, &s.visitors.idle,
         "close a connection without a request for so long (default: 60s)", NULL},
        {"quiet", 'q', NULL, &s.visitors.quiet, "no line per request on stderr", NULL},
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "serve",
        .operands = "[DIR]",
        .summary = "Serves the files under DIR (default: the current folder), or a page, over "
                   "https, answering "
                   "the TLS handshake inside the "
                   "three-way handshake where the client takes part.",
        .options = options,
        .common = common,
        .notes =
            "Example:\n"
            "  tlsyn serve --address 10.0.0.9/24 --self-signed ca.pem ~/public\n"
            "  curl --tcp-fastopen --cacert ca.pem https://10.0.0.9/     (on another machine)\n",
        .operands_min = 0,
        .operands_max = 1,
    };
    int status = CLI_OK;
    int operands = 0;

    host_options_init(&s.network, "serve", common);
    operands = cli_parse(&command, argc, argv, &status);
    if (operands < 0)
        return status;
    s.network.listen = (uint16_t)s.port;
    s.has_folder = operands == 1;
    if (s.has_folder)
        s.folder = argv[1];
    status = check(&s);
    return status == CLI_OK ? run(&s) : status;
}
