/*
 * cmd_bench_webperf.c: tlsyn bench webperf, the robot, and tlsyn bench webperf report.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_bench.h"
#include "link_options.h"
#include "prober.h"
#include "say.h"
#include "study.h"
#include "study/environment.h"
#include "study/webperf/lab.h"

#define ROOM_REPORT (8 << 20) /* bytes on disk that the report may take */
#define ROOM_ROW    192       /* and an observation in the database */
#define DATABASE    "webperf.db"
#define RTT         TLSYN_MS(50)
#define PATIENCE    TLSYN_SECONDS(5)
#define AMPLE_TRIPS 12

enum { COMMON_OPTIONS = LINK_OPTIONS + 4 };

/* What --url was given, each time. */
struct url_list {
    const char *text[WEBPERF_SERVERS_MAX];
    struct url url[WEBPERF_SERVERS_MAX];
    size_t count;
};

struct webperf_command {
    struct webperf_choice choice;
    const char *out, *database;
    int64_t rounds, seed;
    tlsyn_time interval, duration, timeout, bin;
    double precision;
    struct link_options link_options;
    struct study_link link;
    int level; /* a choice */
    bool json, csv, no_html;
    struct url_list urls; /* none: the laboratory */
    char targets[WEBPERF_SERVERS_MAX * STORE_URL_MAX];
    struct client_options client;
    struct host_options network;
    char typed[1024], path[600];
};

/* --- the report ------------------------------------------------------------------------------- */

struct writer {
    const struct webperf *study;
    struct webperf_report report;
};

static int write_json(const struct writer *w, FILE *out)
{
    return webperf_json(w->study, &w->report, out);
}

static int write_csv(const struct writer *w, FILE *out)
{
    return webperf_csv(w->study, out);
}

static int write_html(const struct writer *w, FILE *out)
{
    return webperf_html(w->study, &w->report, out);
}

static int write_file(const struct writer *w, const char *folder, const char *name,
                      int (*write)(const struct writer *, FILE *))
{
    FILE *out = study_open_file(folder, name);

    return study_close_file(out, out ? write(w, out) : -errno, folder, name);
}

static int write_all(const struct webperf_command *c, const struct writer *w)
{
    int error = write_file(w, c->out, "webperf.json", write_json);

    if (error == 0)
        error = write_file(w, c->out, "webperf.csv", write_csv);
    if (error == 0 && !c->no_html)
        error = write_file(w, c->out, "webperf.html", write_html);
    if (c->json)
        (void)write_json(w, stdout);
    else if (c->csv)
        (void)write_csv(w, stdout);
    else
        (void)webperf_text(w->study, stdout, study_width(STDOUT_FILENO));
    if (error == 0 && !c->json && !c->csv)
        say_result("\nIn %s: webperf.json, webperf.csv%s.\n", c->out,
                   c->no_html ? "" : ", and the report webperf.html");
    return error;
}

/* The page links the database where it lies beside it. */
static const char *beside(const struct webperf_command *c)
{
    const char *name = strrchr(c->path, '/');
    size_t folder = strlen(c->out);

    if (!name || (size_t)(name - c->path) != folder || strncmp(c->path, c->out, folder) != 0)
        return NULL;
    return name + 1;
}

static int report(const struct webperf_command *c)
{
    struct writer w = {
        .report = {.bin_ms = (double)c->bin / 1e3, .database = beside(c), .command = c->typed}};
    struct webperf *study = NULL;
    char message[STORE_MESSAGE_MAX];
    int error = webperf_load(c->path, &study, message);

    if (error < 0) {
        say("%s", message);
        return CLI_FAILURE;
    }
    w.study = study;
    error = webperf_analyse(study);
    if (error < 0)
        say("the figures cannot be computed: %s", strerror(-error));
    else
        error = write_all(c, &w);
    webperf_free(study);
    return error < 0 ? CLI_FAILURE : CLI_OK;
}

/* --- the robot -------------------------------------------------------------------------------- */

static const enum tlsyn_level levels[] = {TLSYN_LEVEL_COOKIE, TLSYN_LEVEL_OPEN};

static const char *target_of(const struct webperf_command *c)
{
    if (c->urls.count > 0)
        return c->targets;
    return c->link_options.memory ? "memory" : "lab";
}

static int fill_options(const struct webperf_command *c, struct webperf_options *o)
{
    struct environment e;
    int error;

    *o = (struct webperf_options){.database = c->path,
                                  .rounds = (uint32_t)c->rounds,
                                  .interval_us = c->interval,
                                  .duration_us = c->duration,
                                  .precision = c->precision,
                                  .run = {.rtt_ms = c->link.rtt_ms, .seed = (uint64_t)c->seed}};
    environment_read(&e);
    (void)snprintf(o->run.target, sizeof(o->run.target), "%s, %s", target_of(c),
                   study_level_name(levels[c->level]));
    if (c->urls.count > 0)
        o->run.rtt_ms = (double)NAN;
    else
        (void)study_link_text(&c->link, o->run.link);
    (void)snprintf(o->run.command, sizeof(o->run.command), "%s", c->typed);
    (void)snprintf(o->run.version, sizeof(o->run.version), "%s", TLSYN_VERSION);
    (void)snprintf(o->run.kernel, sizeof(o->run.kernel), "%s", e.kernel);
    (void)snprintf(o->run.cpu, sizeof(o->run.cpu), "%s", e.cpu);
    (void)snprintf(o->run.system, sizeof(o->run.system), "%s", e.system);
    error = webperf_kinds(&c->choice, o);
    return error == 0 && c->urls.count > 0 ? webperf_ask_servers(c->urls.text, c->urls.count, o)
                                           : error;
}

static int measure(const struct webperf_command *c, const struct webperf_options *options,
                   struct study_watcher *w, char message[STUDY_MESSAGE_MAX])
{
    struct webperf_lab_options lab_options = {.memory = c->link_options.memory,
                                              .link = c->link,
                                              .seed = (uint64_t)c->seed,
                                              .level = levels[c->level],
                                              .choice = c->choice,
                                              .timeout = c->timeout,
                                              .observer = &w->observer};
    struct webperf_lab *lab = NULL;
    int error = credentials_make(&lab_options.credentials);

    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "no certificates can be made: %s",
                       strerror(-error));
    if (error == 0)
        error = webperf_lab_open(&lab_options, &lab, message);
    if (error == 0)
        error = webperf_lab_meet(lab, options, message);
    if (error == 0)
        error = webperf_run(options, &lab->prober, &w->observer, message);
    webperf_lab_close(lab);
    return error;
}

static int add_servers(const struct webperf_command *c, struct prober *prober)
{
    int status = CLI_OK;

    for (size_t i = 0; i < c->urls.count && status == CLI_OK; i++)
        status = prober_add(prober, c->urls.text[i], &c->urls.url[i]);
    return status == CLI_OK && !prober_has_server(prober) ? CLI_FAILURE : status;
}

/* One address of ours is for all of them: an IPv6 one, if a server is named by such. */
static void choose_family(struct webperf_command *c)
{
    for (size_t i = 0; i < c->urls.count && !c->network.peer_is_ip6; i++)
        host_options_peer(&c->network, c->urls.url[i].host);
}

/* Real servers, over this host's interface. What cannot be opened is said already: -ECANCELED. */
static int measure_url(struct webperf_command *c, const struct webperf_options *options,
                       struct study_watcher *w, char message[STUDY_MESSAGE_MAX])
{
    struct prober *prober = calloc(1, sizeof(*prober));
    struct host host;
    int error = -ECANCELED, status;

    message[0] = '\0';
    if (!prober)
        return -ENOMEM;
    c->client.level = (int)levels[c->level];
    c->network.timeout = c->timeout;
    choose_family(c);
    status = host_open(&host, &c->network, NULL);
    if (status == CLI_OK) {
        prober_open(prober, &host, &c->client);
        status = add_servers(c, prober);
        if (status == CLI_OK)
            error = webperf_run(options, &prober->base, &w->observer, message);
        if (prober->interrupted || status == CLI_INTERRUPTED)
            w->signal = SIGINT; /* or another: the host took it */
        (void)host_close(&host, CLI_OK);
        prober_close(prober);
    }
    free(prober);
    return error;
}

static int run(struct webperf_command *c)
{
    struct webperf_options options;
    struct study_watcher w;
    char message[STUDY_MESSAGE_MAX];
    int error = fill_options(c, &options), status;

    if (error < 0) {
        say(error == -E2BIG ? "these are more kinds of connections than a round can have: ask for "
                              "fewer servers, --tls, --modes or --sessions"
                            : "no such connection exists: IDs and tickets are of TLS 1.2, PSKs and "
                              "early data of TLS 1.3");
        return CLI_USAGE;
    }
    if (study_take_folder(c->out, ROOM_REPORT + options.rounds * options.kind_count * ROOM_ROW) < 0)
        return CLI_FAILURE;
    study_watch(&w);
    error = webperf_try(&options, message);
    if (error == 0)
        error = c->urls.count > 0 ? measure_url(c, &options, &w, message)
                                  : measure(c, &options, &w, message);
    study_unwatch(&w);
    if (error < 0 && message[0])
        say("%s", message);
    if (error == -EPERM)
        return CLI_PERMISSION;
    if (error == -ECANCELED)
        return w.signal ? CLI_INTERRUPTED : CLI_FAILURE;
    if (error == -EEXIST || error == -EPROTO)
        return CLI_FAILURE;
    if (error < 0 && access(c->path, F_OK) < 0)
        return CLI_FAILURE; /* before there was anything to report */
    status = report(c);
    if (error < 0)
        return CLI_FAILURE;
    return w.signal ? CLI_INTERRUPTED : status;
}

/* --- the command line ------------------------------------------------------------------------- */

static const char *const stack_names[] = {"tlsyn", "kernel", "quic", NULL};
static const char *const suite_names[] = {"1.2-rsa", "1.2-ecdhe", "1.3", NULL};
static const char *const mode_names[] = {"sequential", "embedded", NULL};
static const char *const session_names[] = {"new", "id", "ticket", "psk", "early", NULL};

static const struct cli_type stacks = {"WORD,...", .parse = cli_set_parse, .choices = stack_names};
static const struct cli_type suites = {"WORD,...", .parse = cli_set_parse, .choices = suite_names};
static const struct cli_type modes = {"WORD,...", .parse = cli_set_parse, .choices = mode_names};
static const struct cli_type sessions = {"WORD,...", .parse = cli_set_parse,
                                         .choices = session_names};

static int add_url(const struct cli_type *type, const char *text, void *into)
{
    struct url_list *urls = into;
    size_t n = urls->count;

    (void)type;
    if (n == WEBPERF_SERVERS_MAX || strlen(text) >= STORE_URL_MAX ||
        url_parse(text, &urls->url[n]) < 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(urls->text[i], text) == 0)
            return -EINVAL;
    }
    urls->text[urls->count++] = text;
    return 0;
}

static const struct cli_type url = {
    .placeholder = "URL",
    .accepts = "URLs such as https://example.org/file, of up to 255 letters, 16 of them at the "
               "most, each once",
    .parse = add_url};
static const struct cli_type rounds = {
    .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = 10000000};

/* The laboratory's link; and of a host's options those that say which, without their letters: two
 * are this study's. */
static void choose_common(struct webperf_command *c, struct cli_option common[COMMON_OPTIONS])
{
    static const char *const chosen[] = {"interface", "address", "prefix", "gateway"};
    struct cli_option all[HOST_OPTIONS];
    int n = 0;

    link_options_init(&c->link_options, 0, common);
    while (common[n].name)
        n++;
    host_options_init(&c->network, "bench webperf", all);
    for (int i = 0; all[i].name; i++) {
        for (size_t k = 0; k < sizeof(chosen) / sizeof(*chosen); k++) {
            if (strcmp(all[i].name, chosen[k]) != 0)
                continue;
            common[n] = all[i];
            common[n++].letter = 0;
        }
    }
    common[n] = (struct cli_option){.name = NULL};
}

static int parse_robot(struct webperf_command *c, int argc, char **argv, int *exit_status)
{
    struct cli_option common[COMMON_OPTIONS];
    static const char *const level_names[] = {"cookie", "open", NULL};
    static const struct cli_type level = {
        .placeholder = "LEVEL", .parse = cli_choice_parse, .choices = level_names};
    const struct cli_option options[] = {
        {"rounds", 'n', &rounds, &c->rounds, "how many the database holds at the end (100)", NULL},
        {"duration", 'd', &cli_duration, &c->duration, "begin no round after this", NULL},
        {"interval", 'i', &cli_duration, &c->interval,
         "from the beginning of a round to that of the next (at once)", NULL},
        {"precision", 'p', &cli_percent, &c->precision,
         "end when every median is known to within this share", NULL},
        {"stacks", 0, &stacks, &c->choice.stacks, "clients and servers (tlsyn)", NULL},
        {"tls", 0, &suites, &c->choice.suites, "versions and key exchanges (1.2-ecdhe,1.3)", NULL},
        {"modes", 'm', &modes, &c->choice.modes, "modes of the handshake (sequential,embedded)",
         NULL},
        {"sessions", 's', &sessions, &c->choice.sessions,
         "kinds of session (new,id,ticket,psk,early)", NULL},
        {"level", 0, &level, &c->level, "what the SYN may carry: cookie or open (cookie)", NULL},
        {"url", 'u', &url, &c->urls,
         "measure a real https server, over this host's interface, one connection a second at "
         "most; "
         "give it again for more of them (the laboratory's)",
         NULL},
        {"ca", 0, &cli_file, &c->client.ca, "trust the certificates in FILE (the system's)", NULL},
        {"insecure", 0, NULL, &c->client.insecure, "take any certificate", NULL},
        resolve_option(&c->client.dns),
        {"timeout", 0, &cli_duration, &c->timeout,
         "longest time for one connection (5s, or 12 round trips)", NULL},
        {"seed", 0, &cli_count, &c->seed, "seed of the order in each round (1)", NULL},
        {"db", 0, &cli_file, &c->database, "database (" DATABASE " in the folder)", NULL},
        {"out", 'o', &cli_folder, &c->out, "where the results go (out/webperf)", NULL},
        {"bin", 'b', &cli_duration, &c->bin, "width of the histograms' bins (1ms)", NULL},
        {"no-html", 0, NULL, &c->no_html, "write no report", NULL},
        {"csv", 0, NULL, &c->csv, "print CSV instead of the tables", NULL},
        {"json", 0, NULL, &c->json, "print JSON instead of the tables", NULL},
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "bench webperf",
        .operands = "[report]",
        .summary =
            "Measures what caching session keys saves: ping, TCP connect, and a GET over TLS with "
            "a new key and with each kind of cached one, back to back in shuffled rounds, into a "
            "database. The same command goes on with a database that is there, behind its last "
            "whole round; with \"report\" it only makes the report of it.",
        .options = options,
        .common = common,
        .notes =
            "  tlsyn bench webperf\n"
            "  tlsyn bench webperf -n 5000 -i 10s             most of a day, a round each 10 s\n"
            "  tlsyn bench webperf --precision 2% --stacks tlsyn,kernel\n"
            "  tlsyn bench webperf --link us-india --loss 1%\n"
            "  tlsyn bench webperf --url https://example.org/ -i 10min -n 1000\n"
            "  tlsyn bench webperf --url https://a.example/ --url https://b.example/\n"
            "  tlsyn bench webperf report --bin 5ms           also while it is measuring\n",
        .operands_max = 1,
    };

    choose_common(c, common);
    return cli_parse(&command, argc, argv, exit_status);
}

/* A real server is at the end of a link that is there already. */
static int check_link(struct webperf_command *c)
{
    struct link_options *o = &c->link_options;
    bool asked = o->preset || o->memory || o->rtt >= 0 || o->jitter >= 0 || o->rate || o->queue ||
                 o->loss > 0;

    if (c->urls.count > 0 && asked) {
        say("bench webperf: --url asks a server over the link that is there: leave --link, --rtt "
            "and the like out");
        return -EINVAL;
    }
    if (o->rtt < 0 && !o->preset)
        o->rtt = RTT;
    if (c->timeout == 0) {
        tlsyn_time rtt = o->rtt >= 0 ? o->rtt : (tlsyn_time)(o->preset->rtt_ms * 1e3);

        c->timeout = AMPLE_TRIPS * rtt > PATIENCE ? AMPLE_TRIPS * rtt : PATIENCE;
    }
    return link_options_take(o, "bench webperf", c->timeout, &c->link);
}

/* "https://a.example/ https://b.example/" */
static void name_targets(struct webperf_command *c)
{
    size_t len = 0;

    for (size_t i = 0; i < c->urls.count; i++)
        len += (size_t)snprintf(c->targets + len, sizeof(c->targets) - len, "%s%s", i ? " " : "",
                                c->urls.text[i]);
}

static int check(struct webperf_command *c)
{
    int n = c->database ? snprintf(c->path, sizeof(c->path), "%s", c->database)
                        : snprintf(c->path, sizeof(c->path), "%s/%s", c->out, DATABASE);

    if (n < 0 || (size_t)n >= sizeof(c->path)) {
        say("the database's name is too long");
        return -EINVAL;
    }
    if (check_link(c) < 0)
        return -EINVAL;
    if (c->timeout < TLSYN_MS(10) || c->timeout > TLSYN_SECONDS(3600) ||
        c->bin < TLSYN_MS(1) / 100) {
        say("--timeout takes 10ms to 1h, --bin 10us and more");
        return -EINVAL;
    }
    name_targets(c);
    if (c->urls.count > 0 && c->choice.stacks != 1u << STUDY_TLSYN) {
        say("a server outside the laboratory is asked by our stack alone");
        return -EINVAL;
    }
    return 0;
}

int cmd_bench_webperf(int argc, char **argv)
{
    struct webperf_command command = {
        .choice = {.stacks = 1u << STUDY_TLSYN,
                   .suites = 1u << STUDY_12_ECDHE | 1u << STUDY_13,
                   .modes = ~0u,
                   .sessions = ~0u},
        .out = "out/webperf",
        .rounds = 100,
        .seed = 1,
        .bin = TLSYN_MS(1),
    };
    int status = CLI_USAGE;
    int operands;

    study_join(argc, argv, command.typed, sizeof(command.typed));
    operands = parse_robot(&command, argc, argv, &status);
    if (operands < 0)
        return status;
    if (operands == 1 && strcmp(argv[1], "report") != 0) {
        say("\"%s\" is no part of this study; \"report\" is (tlsyn bench webperf --help)", argv[1]);
        return CLI_USAGE;
    }
    if (check(&command) < 0)
        return CLI_USAGE;
    if (operands == 0)
        return run(&command);
    if (access(command.path, F_OK) < 0) {
        say("there is no database %s: tlsyn bench webperf measures one, --out or --db says where "
            "it is",
            command.path);
        return CLI_FAILURE;
    }
    return study_try_folder(command.out, ROOM_REPORT) < 0 ? CLI_FAILURE : report(&command);
}
