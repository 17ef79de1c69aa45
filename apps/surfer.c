/*
 * surfer.c: whole pages of real servers. See surfer.h.
 */
#include "surfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/stats.h"
#include "report/progress.h"
#include "say.h"
#include "study.h"
#include "study/pageload/carrier_stack.h"

#define PATIENCE TLSYN_SECONDS(30)

struct surfer {
    struct loader_user user; /* first member */
    bool done;
    const struct surfer_options *options;
    const struct surfer_order *order;
    struct real_study *study;
    struct url page;
    struct tlsyn_addr address;
    struct host host;
    struct node node;
    struct larder larder;
    struct tlsyn_tls_config *config;
    struct known_page known;
    struct progress progress;
};

void surfer_options_init(struct surfer_options *options, struct cli_option table[SURFER_OPTIONS])
{
    static const char *const chosen[] = {"interface", "address", "prefix", "gateway"};
    struct cli_option client[CLIENT_OPTIONS], network[HOST_OPTIONS];
    struct cli_option *next = table;

    client_options_init(&options->client, client);
    host_options_init(&options->network, "bench pageload", network);
    options->patience = PATIENCE;
    *next++ = (struct cli_option){
        "url",
        'u',
        &cli_string,
        &options->text,
        "a page of a real https server, over this host's interface, in place of the laboratory",
        NULL};
    *next++ = (struct cli_option){"ca",
                                  0,
                                  &cli_file,
                                  &options->client.ca,
                                  "of --url: trust the certificates in FILE (the system's)",
                                  NULL};
    *next++ = resolve_option(&options->client.dns);
    *next++ = (struct cli_option){
        "timeout", 0, &cli_duration, &options->patience, "of --url: for one load (30s)", NULL};
    for (int i = 0; network[i].name; i++) {
        for (size_t k = 0; k < sizeof(chosen) / sizeof(*chosen); k++) {
            if (strcmp(network[i].name, chosen[k]) != 0)
                continue;
            *next = network[i];
            next++->letter = 0;
        }
    }
    *next = (struct cli_option){.name = NULL};
}

static void on_done(struct loader_user *user)
{
    ((struct surfer *)user)->done = true;
}

static int make_client(const struct carrier_facts *facts, struct http_client_user *user,
                       struct http_client **client)
{
    return facts->h2 ? h2_client_new(user, client) : h1_client_new(user, client);
}

/* --- one load --------------------------------------------------------------------------------- */

static struct carrier_stack_options carrier_options(struct surfer *s)
{
    const struct resolve_servers *dns = &s->options->client.dns;
    const struct browser_handshake *handshake = s->order->handshake;

    return (struct carrier_stack_options){
        .node = &s->node,
        .config = s->config,
        .larder = &s->larder,
        .level = handshake->tcp == 0 ? TLSYN_LEVEL_COOKIE : TLSYN_LEVEL_NONE,
        .early = handshake->kept,
        .h2 = s->order->http == BROWSER_HTTP_2,
        .timeout = s->options->patience,
        .names = {.servers = dns->count > 0 ? dns->server : NULL, .server_count = dns->count},
        .family = tlsyn_addr_is_ip4(&s->address) ? TLSYN_FAMILY_IP4 : TLSYN_FAMILY_IP6,
    };
}

static int run_loader(struct surfer *s, struct loader *loader, enum browser_visit visit)
{
    int error = loader_start(loader, &s->page);

    if (error == 0 && !s->done)
        error = host_run(&s->host, &s->done, tlsyn_clock() + s->options->patience);
    loader_stop(loader, error == -EINTR ? error : -ETIMEDOUT);
    loader_remember(loader, &s->known);
    if (error == 0 || error == -ETIMEDOUT || error == -EINTR) {
        int kept = real_keep(s->study, loader, visit);

        error = error == -EINTR ? error : kept;
    }
    return error;
}

static int load(struct surfer *s, enum browser_visit visit)
{
    const struct loader_options options = {.visit = visit,
                                           .multiplexed = s->order->http == BROWSER_HTTP_2,
                                           .connections = SURFER_CONNECTIONS,
                                           .others = SURFER_CONNECTIONS,
                                           .known = &s->known,
                                           .address = s->address,
                                           .client = make_client};
    const struct carrier_stack_options network = carrier_options(s);
    struct carrier *carrier = NULL;
    struct loader *loader = NULL;
    int error = carrier_stack_new(&network, &carrier);

    s->done = false;
    if (error == 0)
        loader = loader_new(carrier, &s->user, &options);
    if (error == 0)
        error = loader ? run_loader(s, loader, visit) : -ENOMEM;
    loader_free(loader);
    carrier_stack_free(carrier);
    host_await_last_words(&s->host);
    return error;
}

static int pause_between(struct surfer *s)
{
    bool never = false;
    int error = host_run(&s->host, &never, tlsyn_clock() + SURFER_PAUSE);

    return error == -ETIMEDOUT ? 0 : error;
}

/* All that there was to load came, or was given up. */
static bool is_over(const struct real_load *load)
{
    return load->load.page && load->load.error != -EINTR && load->load.error != -ETIMEDOUT;
}

/* The median of the loads so far that are of the visit asked for. */
static void tell(struct surfer *s, int total)
{
    char status[2 * LOADER_NAME_MAX] = "";
    double seconds[REAL_LOADS_MAX];
    size_t n = 0;

    for (int i = 0; i < s->study->loads; i++) {
        const struct real_load *one = s->study->load[i];

        if (one->visit == s->order->visit && is_over(one))
            seconds[n++] = one->load.us / 1e6;
    }
    if (n > 0)
        (void)snprintf(status, sizeof(status), "%.3f s, median of %zu: %.*s",
                       stats_median(seconds, n), n, LOADER_NAME_MAX, s->page.host);
    progress_update(&s->progress, tlsyn_clock(), (uint32_t)s->study->loads, (uint32_t)total,
                    status);
}

/* A visit again follows another one, which is in the report, too. */
static int load_all(struct surfer *s)
{
    enum browser_visit visit = s->order->visit;
    int extra = visit == BROWSER_REPEAT, error = 0, total = s->order->loads + extra;

    progress_init(&s->progress, stderr, isatty(STDERR_FILENO), study_width(STDERR_FILENO),
                  tlsyn_clock());
    tell(s, total);
    for (int i = 0; error == 0 && i < total; i++) {
        if (i > 0)
            error = pause_between(s);
        if (error == 0)
            error = load(s, i < extra ? BROWSER_FIRST : visit);
        tell(s, total);
    }
    progress_break(&s->progress);
    return error;
}

/* --- the host --------------------------------------------------------------------------------- */

static int configure(struct surfer *s)
{
    static const char *const both[] = {"h2", "http/1.1", NULL}, *const h1[] = {"http/1.1", NULL};
    static const char *const h2[] = {"h2", NULL};
    const struct browser_handshake *handshake = s->order->handshake;
    struct client_options client = s->options->client;
    bool wants_h2 = s->order->http == BROWSER_HTTP_2;

    larder_init(&s->larder);
    client.level = handshake->tcp == 0 ? TLSYN_LEVEL_COOKIE : TLSYN_LEVEL_NONE;
    client.suite = strncmp(handshake->name, "tls1.3", 6) == 0 ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE;
    client.early_data = handshake->kept;
    client.store = &s->larder.store;
    /* What is written early is written before a protocol was agreed on: there may be one alone. */
    return client_config(&s->host, &client,
                         !wants_h2         ? h1
                         : handshake->kept ? h2
                                           : both,
                         NULL, &s->config);
}

static int verdict(const struct surfer *s, int error)
{
    struct tlsyn_endpoint remote = {.addr = s->address, .port = s->page.port};

    if (error == -EINTR)
        return CLI_INTERRUPTED;
    if (error < 0)
        return host_explain(&s->host, &remote, error);
    for (int i = 0; i < s->study->loads; i++) {
        if (!s->study->load[i]->load.page) {
            say("the page did not come: %s", s->study->load[i]->load.sentence);
            return CLI_FAILURE;
        }
    }
    return CLI_OK;
}

static int surf(struct surfer *s)
{
    int status;

    noise_begin(&s->study->noise);
    status = resolve_name(&s->host, &s->options->client.dns, s->page.host, &s->address);

    if (status == CLI_OK)
        status = host_check_remote(&s->host, &s->address);
    if (status == CLI_OK)
        status = configure(s);
    if (status == CLI_OK)
        status = verdict(s, load_all(s));
    noise_end(&s->study->noise);
    s->study->run.interrupted = status == CLI_INTERRUPTED;
    return status;
}

bool surfer_was_told(const struct surfer_options *options)
{
    const struct host_options *network = &options->network;

    return options->client.ca || options->client.dns.count > 0 || options->patience != PATIENCE ||
           network->interface || network->prefix != 0 || network->source != HOST_GIVEN ||
           !tlsyn_addr_unspecified(&network->address.address) ||
           !tlsyn_addr_unspecified(&network->gateway);
}

int surfer_run(struct surfer_options *options, const struct surfer_order *order,
               struct real_study *study)
{
    struct surfer *s = calloc(1, sizeof(*s));
    int status;

    if (!s)
        return CLI_FAILURE;
    s->user.on_done = on_done;
    s->options = options;
    s->order = order;
    s->study = study;
    if (url_parse(options->text, &s->page) < 0) {
        say("\"%s\" is not a URL such as https://example.org/file", options->text);
        free(s);
        return CLI_USAGE;
    }
    host_options_peer(&options->network, s->page.host);
    status = host_open(&s->host, &options->network, NULL);
    if (status == CLI_OK) {
        s->node = (struct node){.stack = s->host.stack, .loop = s->host.loop};
        status = surf(s);
        status = host_close(&s->host, status);
        tlsyn_tls_config_free(s->config);
    }
    free(s);
    return status;
}
