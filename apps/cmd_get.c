/*
 * cmd_get.c: tlsyn get: fetches an https URL.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "fetch.h"
#include "host.h"
#include "say.h"
#include "web/request.h"
#include "web/url.h"

#define PROGRESS_EVERY TLSYN_MS(200)
/* The last ACKs of a connection that is over anyway: worth a moment, not more. */
#define FAREWELL_MAX TLSYN_MS(500)

/* What --http says. */
enum { HTTP_1, HTTP_2 };

struct get {
    const char *output; /* or NULL */
    int http;
    bool verbose;
    bool json;
    bool follow;
    int64_t redirects_max;
    tlsyn_time time_max; /* 0: none */
    tlsyn_time give_up;  /* TLSYN_NEVER, or when time_max is over */
    struct client_options client;
    struct host_options network;
    struct host host;
    struct tlsyn_tls_config *config;
    struct client_memory memory;
};

/* --- one transfer ----------------------------------------------------------------------------- */

static void show_progress(const struct fetch *f, tlsyn_time started)
{
    char done[24];
    char all[24];
    char rate[24];
    double seconds = (double)(tlsyn_clock() - started) / 1e6;

    (void)say_bytes((uint64_t)((double)f->sink.written / (seconds > 0.001 ? seconds : 0.001)),
                    rate);
    if (f->head.length == UINT64_MAX || f->head.length == 0)
        say_progress("%s, %s/s", say_bytes(f->sink.written, done), rate);
    else
        say_progress("%s of %s (%u%%), %s/s", say_bytes(f->sink.written, done),
                     say_bytes(f->head.length, all),
                     (unsigned int)(100.0 * (double)f->sink.written / (double)f->head.length),
                     rate);
}

/* Until the response is complete. A wait is over when nothing at all has happened for --timeout. */
static int await_response(struct get *g, struct fetch *f)
{
    tlsyn_time started = tlsyn_clock();
    int error = 0;

    while (!f->done && error == 0) {
        tlsyn_time now = tlsyn_clock();
        tlsyn_time stalled = f->last + g->network.timeout;
        tlsyn_time next = now + PROGRESS_EVERY;

        if (f->watching)
            f->last = now; /* it is our reader that we wait for */
        else if (now >= stalled || now >= g->give_up)
            error = -ETIMEDOUT;
        if (f->has_sink && g->output)
            show_progress(f, started);
        if (error == 0)
            error = host_turn(&g->host, next < stalled ? next : stalled);
    }
    say_progress_end();
    return error;
}

/* Both directions end in order, if the peer still answers. */
static void say_goodbye(struct get *g, struct fetch *f)
{
    if (f->closed)
        return;
    tlsyn_tls_close(f->tls);
    (void)host_run(&g->host, &f->closed, tlsyn_clock() + FAREWELL_MAX);
}

static int explain(struct get *g, const struct fetch *f, const struct tlsyn_endpoint *remote,
                   int error)
{
    char text[32];

    if (error == -ETIMEDOUT && tlsyn_clock() >= g->give_up) {
        say("not done within --max-time %s", say_duration(g->time_max, text));
        return CLI_FAILURE;
    }
    if (error < 0)
        return client_explain(&g->host, f->tls, remote, error);
    if (f->output_error < 0)
        return cli_output_lost(f->output_error);
    if (f->sentence[0] && f->error != -EPROTO) {
        say("%s", f->sentence);
        return CLI_FAILURE;
    }
    return client_explain(&g->host, f->tls, remote, f->error);
}

/* "HTTP/1.1", "HTTP/2" */
static const char *version_name(const struct http_head *head, char version[24])
{
    if (head->major > 1)
        (void)snprintf(version, 24, "HTTP/%u", head->major);
    else
        (void)snprintf(version, 24, "HTTP/%u.%u", head->major, head->minor);
    return version;
}

static void report(const struct get *g, const struct fetch *f)
{
    char version[24];

    if (g->verbose && f->description.conn.number)
        describe_detail(&f->description);
    if (g->verbose && f->head.status)
        say_detail("%s %d\n%s", version_name(&f->head, version), f->head.status, f->head.text);
    if (g->json && f->description.conn.number)
        describe_json(&f->description);
}

/* What followed an embedded open was swallowed, and nothing but this connection has failed. */
static bool is_swallowed(const struct fetch *f, int error)
{
    return error == 0 && f->error == -EAGAIN;
}

/* Says so if it is. */
static bool is_worth_another(struct get *g, const struct fetch *f,
                             const struct client_target *target, int error)
{
    if (!is_swallowed(f, error))
        return error == 0 &&
               client_outdated(&g->client, &f->description.tls, f->error, &target->remote);
    client_swallowed(&target->remote);
    return true;
}

static int conclude(struct get *g, struct fetch *f, const struct client_target *target, int error)
{
    if (error < 0 || f->error < 0)
        return explain(g, f, &target->remote, error);
    say_goodbye(g, f);
    return CLI_OK;
}

/* One connection. CLI_OK, and not *again: there is a response, of whatever status. */
static int attempt(struct get *g, struct fetch *f, const struct url *url,
                   const struct client_target *target, bool *again)
{
    int status = CLI_OK;
    int error = 0;

    fetch_init(f, url, g->output, g->host.loop);
    f->early = f->description.early_asked = g->client.early_data;
    status = client_open(&g->host, g->config, &g->client, target, &f->handler, &f->tls);
    if (status != CLI_OK)
        return status;
    error = await_response(g, f);
    *again = *again && is_worth_another(g, f, target, error);
    if (!*again) {
        report(g, f);
        status = conclude(g, f, target, error);
    }
    fetch_fini(f);
    tlsyn_tls_free(f->tls);
    f->tls = NULL;
    return status;
}

/* One request, one response. A GET may be sent again (RFC 9110 9.2.2). */
static int transfer(struct get *g, struct fetch *f, const struct url *url)
{
    struct client_target target = {.remote = {.port = url->port}, .name = url->host};
    int status = resolve_name(&g->host, &g->client.dns, url->host, &target.remote.addr);
    bool again = true;

    if (status == CLI_OK)
        status = attempt(g, f, url, &target, &again);
    if (status == CLI_OK && again) {
        again = false;
        status = attempt(g, f, url, &target, &again);
    }
    return status;
}

/* RFC 8470 5.2: whom that was too early may be asked again, later. */
static int transfer_when_welcome(struct get *g, struct fetch *f, const struct url *url)
{
    int status = transfer(g, f, url);

    if (status != CLI_OK || f->head.status != 425 || !g->client.early_data)
        return status;
    g->client.early_data = false;
    if (g->verbose)
        say_detail("too early for the server: once more, without early data");
    return transfer(g, f, url);
}

/* --- redirects -------------------------------------------------------------------------------- */

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where a redirect leads to. CLI_OK: *url is the next one. */
static int next_url(const struct get *g, const struct fetch *f, struct url *url)
{
    char location[2048];
    char text[2400];
    struct url next;
    int error = http_head_field(&f->head, "Location", location, sizeof(location));

    if (error == 0)
        error = url_resolve(url, location, &next);
    if (error == -EPROTONOSUPPORT)
        say("the server points away from https, to %s; that is not followed", location);
    else if (error < 0)
        say("the server points elsewhere (%d), but not to an https URL", f->head.status);
    else if (!g->follow)
        say("the server points to %s (%d); --location follows", url_text(&next, text, sizeof(text)),
            f->head.status);
    if (error < 0 || !g->follow)
        return CLI_HTTP;
    *url = next;
    if (g->verbose)
        say_detail("redirected to %s", url_text(url, text, sizeof(text)));
    return CLI_OK;
}

static int judge(const struct fetch *f, const struct url *url)
{
    char text[2400];
    int code = f->head.status;

    if (code / 100 == 2)
        return CLI_OK;
    say("%s: the server answered %d %s", url_text(url, text, sizeof(text)), code,
        request_reason((unsigned int)code));
    return CLI_HTTP;
}

static int get_url(struct get *g, struct url *url)
{
    struct fetch *f = malloc(sizeof(*f));
    int status = CLI_OK;

    if (!f) {
        say("memory is short");
        return CLI_FAILURE;
    }
    for (int64_t hops = 0;; hops++) {
        status = transfer_when_welcome(g, f, url);
        if (status != CLI_OK || !is_redirect(f->head.status)) {
            status = status == CLI_OK ? judge(f, url) : status;
            break;
        }
        if (hops == g->redirects_max) {
            say("more than %lld redirects; --max-redirects allows more",
                (long long)g->redirects_max);
            status = CLI_HTTP;
            break;
        }
        status = next_url(g, f, url);
        if (status != CLI_OK)
            break;
    }
    free(f);
    return status;
}

/* --- the command ------------------------------------------------------------------------------ */

static int parse_operand(const char *text, struct url *url)
{
    switch (url_parse(text, url)) {
    case 0:
        return CLI_OK;
    case -EPROTONOSUPPORT:
        say("get: only https URLs are fetched, not \"%s\"", text);
        return CLI_USAGE;
    case -ENAMETOOLONG:
        say("get: the URL is too long");
        return CLI_USAGE;
    default:
        say("get: \"%s\" is not a URL such as https://example.org/file", text);
        return CLI_USAGE;
    }
}

static int run(struct get *g, struct url *url)
{
    /* In the order of our preference. */
    static const char *const alpn[] = {"h2", "http/1.1", NULL};
    int status;

    host_options_peer(&g->network, url->host);
    status = host_open(&g->host, &g->network, NULL);
    if (status != CLI_OK)
        return status;
    g->give_up = g->time_max > 0 ? tlsyn_clock() + g->time_max : TLSYN_NEVER;
    client_recall(&g->host, &g->client, g->verbose, &g->memory);
    status = client_config(&g->host, &g->client, g->http == HTTP_2 ? alpn : alpn + 1, &g->memory,
                           &g->config);
    if (status == CLI_OK)
        status = get_url(g, url);
    client_remember(&g->host, &g->memory);
    status = host_close(&g->host, status);
    tlsyn_tls_config_free(g->config);
    return status;
}

int cmd_get(int argc, char **argv)
{
    static const struct cli_type redirects = {
        .placeholder = "N", .parse = cli_number_parse, .min = 0, .max = 50};
    struct get g = {.redirects_max = 10};
    bool early_data = false;
    struct cli_option common[HOST_OPTIONS];
    static const char *const versions[] = {[HTTP_1] = "1.1", [HTTP_2] = "2", NULL};
    static const struct cli_type http = {
        .placeholder = "VERSION", .parse = cli_choice_parse, .choices = versions};
    struct cli_option options[9 + CLIENT_OPTIONS] = {
        {"output", 'o', &cli_file, &g.output,
         "write to FILE, which appears when it is whole (default: -, the standard output)", NULL},
        {"verbose", 'v', NULL, &g.verbose, "show what was negotiated, the mode and the times",
         NULL},
        {"json", 0, NULL, &g.json,
         "the same as a JSON object on the standard output; needs --output", NULL},
        {"location", 'L', NULL, &g.follow, "follow redirects", NULL},
        {"max-redirects", 0, &redirects, &g.redirects_max, "follow at most N (default: 10)", NULL},
        {"max-time", 0, &cli_duration, &g.time_max,
         "give up when the whole takes longer (default: no limit)", NULL},
        {"early-data", 0, NULL, &early_data,
         "send the request before the handshake is complete, where an earlier session allows it; "
         "an eavesdropper can replay it to the server",
         NULL},
        {"http", 0, &http, &g.http,
         "version of HTTP: 1.1 (default), or 2 where the server speaks it; one request gains "
         "nothing by it",
         NULL},
    };
    const struct cli_command command = {
        .name = "get",
        .operands = "URL",
        .summary = "Fetches an https URL through a TCP of our own, with the TLS handshake inside "
                   "the three-way handshake where the "
                   "server takes part.",
        .options = options,
        .common = common,
        .notes = "Examples:\n"
                 "  tlsyn get -v https://10.0.0.2/ --address 10.0.0.9/24 --ca ca.pem\n"
                 "  tlsyn get -o big.iso https://example.org/big.iso --address 192.168.1.250/24\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    struct url url;
    int status = CLI_OK;

    client_options_init(&g.client, options + 8);
    host_options_init(&g.network, "get", common);
    if (cli_parse(&command, argc, argv, &status) < 0)
        return status;
    g.client.early_data = early_data;
    if (g.json && (!g.output || strcmp(g.output, "-") == 0)) {
        say("get: --json needs the standard output for itself: name a file with --output");
        return CLI_USAGE;
    }
    if (early_data && g.http == HTTP_2) {
        say("get: early data is for HTTP/1.1: leave out --http or --early-data");
        return CLI_USAGE;
    }
    status = parse_operand(argv[1], &url);
    return status == CLI_OK ? run(&g, &url) : status;
}
