/*
 * cmd_serve.c: tlsyn serve: its options.
 */
#include <assert.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "page_option.h"
#include "say.h"
#include "serve.h"

static int check(const struct serve_settings *s)
{
    if (s->page && (s->upload || s->has_folder)) {
        say("serve: --page takes the place of a folder and of --upload");
        return CLI_USAGE;
    }
    if (s->dns && !s->page) {
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

static const char *const http_versions[] = {[SERVE_HTTP_ANY] = "any", [SERVE_HTTP_1] = "1.1", NULL};
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

/* --- the options, by what they are about ------------------------------------------------------ */

#define OPTIONS_MAX 32

struct options {
    struct cli_option option[OPTIONS_MAX]; /* up to one without a name */
    size_t n;
};

static void add(struct options *to, const struct cli_option *more, size_t n)
{
    assert(to->n + n < OPTIONS_MAX);
    memcpy(to->option + to->n, more, n * sizeof(*more));
    to->n += n;
}

#define ADD(to, more) add(to, more, sizeof(more) / sizeof((more)[0]))

static void add_identity(struct serve_settings *s, struct options *to)
{
    const struct cli_option options[] = {
        {"cert", 0, &cli_file, &s->identity.cert, "certificate chain, the server's first (PEM)",
         NULL},
        {"key", 0, &cli_file, &s->identity.key, "its private key (PEM)", NULL},
        {"self-signed", 0, &cli_file, &s->identity.self_signed,
         "make a throwaway certificate, and write to FILE what clients pass to --ca", NULL},
        {"name", 0, &cli_string, &s->name, "a host name to put into that certificate, too", NULL},
    };

    ADD(to, options);
}

static void add_page(struct serve_settings *s, struct options *to)
{
    const struct cli_option options[] = {
        {"page", 0, &page_type, &s->page,
         "instead of files, serve a page and all that it refers to, for the names of its servers: "
         "typical, the page of 29 URLs of bench pageload, or a HAR file",
         NULL},
        {"dns", 0, NULL, &s->dns,
         "answer DNS queries for the page's names, on UDP port 53: they are here", NULL},
    };

    ADD(to, options);
}

static void add_protocols(struct serve_settings *s, struct options *to)
{
    const struct cli_option options[] = {
        {"port", 'p', &cli_port, &s->port, "TCP port (default: 443)", NULL},
        {"tls", 0, &client_suite_type, &s->suite,
         "version and key exchange: any (default), 1.2-rsa, 1.2-ecdhe, 1.3", NULL},
        {"http", 0, &http_type, &s->http, "version of HTTP: any (default), 1.1", NULL},
        {"no-open", 0, NULL, &s->no_open, "admit the first flight in a SYN only with a cookie",
         NULL},
        {"no-cookies", 0, NULL, &s->no_cookies, "give out no Fast Open cookies", NULL},
        {"paper", 0, NULL, &s->paper,
         "admit SYNs of the published protocol, padded to 1024 bytes; laboratory only", NULL},
    };

    ADD(to, options);
}

static void add_sessions(struct serve_settings *s, struct options *to)
{
    const struct cli_option options[] = {
        {"early-data", 0, &early_data_type, &s->early_data,
         "answer GET and HEAD in the early data of returning clients, of which they may send this "
         "many bytes (16384); other methods then get 425",
         NULL},
        {"no-tickets", 0, NULL, &s->no_tickets, "give out no session tickets", NULL},
        {"session-cache", 0, &session_cache_type, &s->session_cache,
         "keep N TLS 1.2 sessions by ID, for clients without tickets (default: 10000)", NULL},
        {"session-lifetime", 0, &cli_duration, &s->session_lifetime,
         "how long tickets and sessions are good, at most 7 days (default: 2h)", NULL},
    };

    ADD(to, options);
}

static void add_visitors(struct serve_settings *s, struct options *to)
{
    const struct cli_option options[] = {
        {"upload", 0, NULL, &s->upload, "let clients write files into DIR (PUT)", NULL},
        {"upload-max", 0, &cli_size, &s->upload_max, "largest file taken (default: 1G)", NULL},
        {"connections", 0, &connections_type, &s->connections,
         "most connections at a time (default: 1000)", NULL},
        {"handshakes", 0, &handshakes_type, &s->handshakes,
         "full TLS handshakes begun per second; more wait for their turn (default: 1000)", NULL},
        {"idle", 0, &cli_duration, &s->idle,
         "close a connection that has made no request for this long (default: 60s)", NULL},
        {"quiet", 'q', NULL, &s->quiet, "no line per request on stderr", NULL},
    };

    ADD(to, options);
}

/* --- the command ------------------------------------------------------------------------------ */

int cmd_serve(int argc, char **argv)
{
    struct serve_settings s = {
        .folder = ".",
        .port = 443,
        .connections = 1000,
        .session_cache = 10000,
        .session_lifetime = TLSYN_SECONDS(TLSYN_TLS_SESSION_LIFETIME),
        .upload_max = 1000000000,
        .idle = TLSYN_SECONDS(60),
    };
    struct cli_option common[HOST_OPTIONS];
    struct options own = {.n = 0};
    const struct cli_command command = {
        .name = "serve",
        .operands = "[DIR]",
        .summary = "Serves the files under DIR (default: the current folder), or a page, over "
                   "https, answering the TLS handshake inside the three-way handshake where the "
                   "client takes part.",
        .options = own.option,
        .common = common,
        .notes =
            "SIGHUP has it read --cert and --key anew, for the connections that begin from then "
            "on.\n\n"
            "Example:\n"
            "  tlsyn serve --address 10.0.0.9/24 --self-signed ca.pem ~/public\n"
            "  curl --tcp-fastopen --cacert ca.pem https://10.0.0.9/     (on another machine)\n",
        .operands_min = 0,
        .operands_max = 1,
    };
    int status = CLI_OK;
    int operands = 0;

    add_identity(&s, &own);
    add_page(&s, &own);
    add_protocols(&s, &own);
    add_sessions(&s, &own);
    add_visitors(&s, &own);
    host_options_init(&s.network, "serve", common);
    operands = cli_parse(&command, argc, argv, &status);
    if (operands < 0)
        return status;
    s.network.listen = (uint16_t)s.port;
    s.network.renews = true;
    s.has_folder = operands == 1;
    if (s.has_folder)
        s.folder = argv[1];
    status = check(&s);
    return status == CLI_OK ? serve_run(&s) : status;
}
