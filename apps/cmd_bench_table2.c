/*
 * cmd_bench_table2.c: tlsyn bench table2: options, progress, and where the results go.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_bench.h"
#include "link_options.h"
#include "resume.h"
#include "say.h"
#include "study.h"
#include "study/table2/table2.h"

#define QUICK_ROUNDS 10
#define AMPLE_TRIPS  12
#define ROOM_NEEDED  (8 << 20) /* bytes on disk that the files may take, captures included */

static_assert(sizeof(((struct study_list *)0)->value) / sizeof(double) == TABLE2_PINGS_MAX,
              "a list holds as many pings as the study takes");

struct table2_command {
    struct study_list pings;
    int64_t rounds; /* 0: not given */
    int64_t seed;
    struct link_options link;
    struct resume *resume;
    int level; /* a choice, in the order of the table below */
    unsigned modes;
    tlsyn_time pad, timeout;
    const char *out;
    bool quick, json, csv, no_html;
};

/* --- writing ---------------------------------------------------------------------------------- */

static int write_file(const struct table2 *table, const char *name,
                      int (*write)(const struct table2 *, FILE *))
{
    FILE *out = study_open_file(table->options.folder, name);

    return study_close_file(out, out ? write(table, out) : -errno, table->options.folder, name);
}

static int write_all(const struct table2_command *c, const struct table2 *table)
{
    int error = write_file(table, "samples.csv", table2_samples);

    if (error == 0)
        error = write_file(table, "table2.json", table2_json);
    if (error == 0)
        error = write_file(table, "table2.csv", table2_csv);
    if (error == 0)
        error = write_file(table, "ladders.txt", table2_ladders);
    if (error == 0 && !c->no_html)
        error = write_file(table, "table2.html", table2_html);
    return error;
}

static int print_result(const struct table2_command *c, const struct table2 *table)
{
    if (c->json)
        return table2_json(table, stdout);
    if (c->csv)
        return table2_csv(table, stdout);
    return table2_text(table, stdout, study_width(STDOUT_FILENO));
}

static int report(const struct table2_command *c, struct table2 *table)
{
    int error = table2_analyse(table);

    if (error < 0) {
        say("the figures cannot be computed: %s", strerror(-error));
        return CLI_FAILURE;
    }
    error = write_all(c, table);
    if (print_result(c, table) < 0 || error < 0)
        return CLI_FAILURE; /* what stdout lost is told by say_flush() */
    if (!c->json && !c->csv)
        say_result("\nIn %s: table2.json, table2.csv, samples.csv, ladders.txt, captures%s.\n",
                   c->out, c->no_html ? "" : ", and the report table2.html");
    return CLI_OK;
}

/* --- running ---------------------------------------------------------------------------------- */

static int measure(const struct table2_command *c, const struct table2_options *options)
{
    struct study_watcher w;
    char message[TABLE2_MESSAGE_MAX];
    struct table2 *table = NULL;
    int status = CLI_OK;
    int error = 0;

    study_watch(&w);
    error = table2_run(options, &w.observer, &table, message);
    study_unwatch(&w);
    if (error < 0)
        say("%s", message);
    if (error == -EPERM && options->link == TABLE2_LAB)
        say("without a laboratory: --link memory measures in this process, in memory, not packets");
    if (table && error != -EBADMSG) /* else the report that is there stays */
        status = report(c, table);
    table2_free(table);
    if (error < 0)
        return error == -EPERM ? CLI_PERMISSION : CLI_FAILURE;
    return w.signal ? CLI_INTERRUPTED : status;
}

static void say_estimate(const struct table2_options *o)
{
    char text[32];
    const char *pings = o->pings == 1 ? "ping" : "pings";
    const char *rounds = o->rounds == 1 ? "round" : "rounds";

    say("%d %s, %u %s: %s", o->pings, pings, o->rounds, rounds,
        study_duration(table2_estimate(o), text, sizeof(text)));
    if (o->pad > 0)
        say("emulated: the server stands still for %.1f ms per handshake", (double)o->pad / 1e3);
    if (o->link == TABLE2_MEMORY)
        say("in memory, not packets: what hosts and interfaces add is not measured");
}

/* A timeout that was not given leaves room for the longest of handshakes, and a loss. */
static tlsyn_time timeout_of(const struct table2_command *c, const struct table2_options *o)
{
    double longest = 0;

    for (int i = 0; i < o->pings; i++)
        longest = o->ping_ms[i] > longest ? o->ping_ms[i] : longest;
    tlsyn_time ample = (tlsyn_time)(longest * 1e3) * AMPLE_TRIPS;
    if (c->timeout > 0)
        return c->timeout;
    return ample > TLSYN_SECONDS(5) ? ample : TLSYN_SECONDS(5);
}

static int run(const struct table2_command *c)
{
    static const enum tlsyn_level levels[] = {TLSYN_LEVEL_COOKIE, TLSYN_LEVEL_OPEN,
                                              TLSYN_LEVEL_PAPER};
    struct table2_options options;

    table2_defaults(&options);
    if (c->pings.count > 0) {
        memcpy(options.ping_ms, c->pings.value, sizeof(options.ping_ms));
        options.pings = c->pings.count;
    }
    if (c->quick) {
        options.rounds = QUICK_ROUNDS;
        options.warmup = 1;
    }
    if (c->rounds > 0)
        options.rounds = (uint32_t)c->rounds;
    options.level = levels[c->level];
    options.modes = c->modes;
    options.link = c->link.memory ? TABLE2_MEMORY : TABLE2_LAB;
    options.pad = c->pad;
    options.timeout = timeout_of(c, &options);
    if (link_options_take(&c->link, "bench table2", options.timeout, &options.path) < 0)
        return CLI_USAGE;
    if (study_take_folder(c->out, ROOM_NEEDED) < 0)
        return CLI_FAILURE;
    options.seed = (uint64_t)c->seed;
    options.folder = c->out;
    options.command = c->resume->typed;
    options.keep = resume_keep(c->resume, c->out);
    options.version = TLSYN_VERSION;
    say_estimate(&options);
    return measure(c, &options);
}

/* --- the command line ------------------------------------------------------------------------- */

/* "all", or words of these with commas between; into an unsigned. */
static int parse_modes(const struct cli_type *type, const char *text, void *into)
{
    static const struct {
        const char *word;
        unsigned modes;
    } words[] = {{"new", 0},
                 {"resumed", TABLE2_RESUMED},
                 {"early", TABLE2_EARLY},
                 {"fastopen", TABLE2_FAST_OPEN},
                 {"quic", TABLE2_QUIC},
                 {"all", TABLE2_ALL}};
    unsigned modes = 0;

    (void)type;
    for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t n = strcspn(at, ",");
        size_t i = 0;

        while (i < sizeof(words) / sizeof(words[0]) &&
               (strlen(words[i].word) != n || strncmp(words[i].word, at, n) != 0))
            i++;
        if (i == sizeof(words) / sizeof(words[0]))
            return -EINVAL;
        modes |= words[i].modes;
    }
    *(unsigned *)into = modes;
    return 0;
}

static int parse(struct table2_command *c, int *exit_status)
{
    static const char *const levels[] = {"cookie", "open", "paper", NULL};
    static const struct cli_type level = {
        .placeholder = "LEVEL", .parse = cli_choice_parse, .choices = levels};
    static const char *const ms[] = {"ms", NULL};
    static const struct cli_type pings = {
        .placeholder = "MS,...",
        .accepts = "up to 16 different numbers of milliseconds up to 10000, with commas between",
        .parse = study_list_parse,
        .choices = ms,
        .max = 10000};
    static const struct cli_type modes = {.placeholder = "MODE,...",
                                          .accepts = "all, or some of new, resumed, early, "
                                                     "fastopen and quic with commas between",
                                          .parse = parse_modes};
    static const struct cli_type rounds = {
        .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = TABLE2_ROUNDS_MAX};
    const struct cli_option options[] = {
        {"rtt", 0, &pings, &c->pings, "ping targets, in ms (0.4,6.0,7.1,8.4,11.6)", NULL},
        {"rounds", 'n', &rounds, &c->rounds, "handshakes per cell that count (100)", NULL},
        {"quick", 'q', NULL, &c->quick, "10 rounds: a first look, in half a minute", NULL},
        {"modes", 'm', &modes, &c->modes,
         "besides new sessions: resumed (session ID, ticket, PSK), early (early data), "
         "fastopen (the kernel's), quic; or all (new)",
         NULL},
        {"cpu-pad", 0, &cli_duration, &c->pad,
         "make the server wait this long per handshake, as a slower host would (0)", NULL},
        {"level", 0, &level, &c->level,
         "what the SYN may carry in the embedded mode: cookie, open or paper (cookie)", NULL},
        RESUME_OPTIONS(c->resume),
        {"out", 'o', &cli_folder, &c->out, "where the results go (out/table2)", NULL},
        {"seed", 0, &cli_count, &c->seed, "seed of the order of measurements (1)", NULL},
        {"timeout", 0, &cli_duration, &c->timeout,
         "longest wait in a handshake (5s, or 12 of the longest round trips)", NULL},
        {"json", 0, NULL, &c->json, "print JSON instead of the table", NULL},
        {"csv", 0, NULL, &c->csv, "print CSV instead of the table", NULL},
        {"no-html", 0, NULL, &c->no_html, "write no HTML report", NULL},
        {.name = NULL},
    };
    struct cli_option common[LINK_OPTIONS];
    const struct cli_command command = {
        .name = "bench table2",
        .operands = "",
        .summary =
            "Measures handshake time against ping RTT in a laboratory on this machine: TLS 1.2 "
            "(RSA, ECDHE) and 1.3, with TLS behind TCP's handshake (sequential) and inside it "
            "(embedded), beside the kernel's TCP with OpenSSL and the published figures. Needs "
            "no root where the system lets users make namespaces.",
        .options = options,
        .common = common,
        .notes = "  tlsyn bench table2 --quick\n"
                 "  tlsyn bench table2 --rtt 1,10,50 --rounds 30\n"
                 "  tlsyn bench table2 --link us-india --rate 2mbit --rounds 20\n"
                 "  tlsyn bench table2 --modes all --rounds 20\n"
                 "  tlsyn bench table2 --cpu-pad 42ms    the published percentages, emulated\n",
        .operands_max = 0,
    };

    link_options_init(&c->link, LINK_RTT, common);
    if (cli_parse(&command, c->resume->argc, c->resume->argv, exit_status) < 0)
        return -1;
    *exit_status = CLI_USAGE;
    return link_options_list(&c->link, command.name, &c->pings);
}

static int begin(struct resume *resume)
{
    struct table2_command command = {.resume = resume, .seed = 1, .out = "out/table2"};
    int status = CLI_USAGE;

    if (parse(&command, &status) < 0)
        return status;
    for (int i = 0; i < command.pings.count; i++) {
        if (command.pings.value[i] <= 0) {
            say("--rtt takes pings above 0");
            return CLI_USAGE;
        }
    }
    if ((command.timeout > 0 && command.timeout < TLSYN_MS(10)) ||
        command.timeout > TLSYN_SECONDS(3600) || command.pad > TLSYN_SECONDS(60)) {
        say("--timeout takes 10ms to 1h, --cpu-pad at most 60s");
        return CLI_USAGE;
    }
    return run(&command);
}

int cmd_bench_table2(int argc, char **argv)
{
    return resume_conduct(argc, argv, begin);
}
