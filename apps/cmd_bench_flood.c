/*
 * cmd_bench_flood.c: tlsyn bench flood: options, progress, and where the results go.
 */

#include "cli.h"
#include "cmd_bench.h"
#include "link_options.h"
#include "resume.h"
#include "say.h"
#include "study.h"
#include "study/flood/flood.h"

#define QUICK_SPAN TLSYN_SECONDS(1)

struct flood_command {
    struct resume *resume;
    struct study_list rates;
    int64_t visits, seed, rounds; /* 0: not given */
    tlsyn_time seconds;
    struct link_options link;
    int server, kind; /* choices, in the order of the tables below */
    const char *out;
    bool quick, json;
};

enum { SERVER_ALL, SERVER_TLSYN, SERVER_NGINX };

/* --- the study -------------------------------------------------------------------------------- */

STUDY_KIND(flood);

static void take_options(const struct flood_command *c, struct flood_options *o)
{
    flood_defaults(o);
    if (c->quick) {
        o->span = QUICK_SPAN;
        o->rates[0] = 10000;
        o->rate_count = 1;
    }
    if (c->rates.count > 0) {
        o->rate_count = c->rates.count;
        for (int i = 0; i < c->rates.count; i++)
            o->rates[i] = (uint32_t)c->rates.value[i];
    }
    if (c->rounds > 0)
        o->rounds = (uint32_t)c->rounds;
    else if (c->resume->precision > 0)
        o->rounds = FLOOD_ROUNDS_MAX;
    o->visits = (uint32_t)c->visits;
    o->span = c->seconds ? c->seconds : o->span;
    o->pairs[FLOOD_TLSYN_OURS] = o->pairs[FLOOD_TLSYN_STOCK] = c->server != SERVER_NGINX;
    o->pairs[FLOOD_NGINX_STOCK] = c->server != SERVER_TLSYN;
    o->kinds[FLOOD_SPOOFED] = c->kind != 2;
    o->kinds[FLOOD_STOLEN] = c->kind != 1;
    o->seed = (uint64_t)c->seed;
    o->keep = resume_keep(c->resume, c->out);
    o->version = TLSYN_VERSION;
}

static void announce(const void *planned)
{
    const struct flood_study *study = planned;
    char text[32];

    say("%u floods of %.1f s%s: %s", study->cell_count * study->options.rounds,
        (double)study->options.span / 1e6, study->options.keep.precision > 0 ? " at most" : "",
        study_duration(flood_estimate(study), text, sizeof(text)));
}

static int run(const struct flood_command *c)
{
    struct flood_options options;
    const struct study_errand errand = {.kind = &kind,
                                        .options = &options,
                                        .folder = c->out,
                                        .announce = announce,
                                        .json = c->json};

    take_options(c, &options);
    options.command = c->resume->typed;
    if (link_options_take(&c->link, "bench flood", FLOOD_PATIENCE, &options.link) < 0)
        return CLI_USAGE;
    if (options.pairs[FLOOD_NGINX_STOCK] && !flood_has_nginx()) {
        say("there is no nginx to compare with");
        options.pairs[FLOOD_NGINX_STOCK] = false;
    }
    return study_conduct(&errand);
}

/* --- the command line ------------------------------------------------------------------------- */

static const struct cli_type rates = {
    .placeholder = "N,...",
    .accepts = "up to 8 different numbers from 1 to 200000, with commas between",
    .parse = study_list_parse,
    .min = 1,
    .max = 200000};
static const struct cli_type visits = {
    .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = 1000};

static int parse(struct flood_command *c, int *exit_status)
{
    static const struct cli_type round_count = {
        .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = FLOOD_ROUNDS_MAX};
    static const char *const servers[] = {"all", "tlsyn", "nginx", NULL};
    static const char *const kinds[] = {"all", "spoofed", "stolen", NULL};
    static const struct cli_type server = {
        .placeholder = "SERVER", .parse = cli_choice_parse, .choices = servers};
    static const struct cli_type flood = {
        .placeholder = "KIND", .parse = cli_choice_parse, .choices = kinds};
    const struct cli_option options[] = {
        {"rate", 0, &rates, &c->rates, "forged SYNs per second (1000,3000,10000)", NULL},
        {"flood", 0, &flood, &c->kind,
         "spoofed: from any address, without a cookie; stolen: with one address's cookie (all)",
         NULL},
        {"server", 0, &server, &c->server, "which one to measure: all, tlsyn or nginx (all)", NULL},
        {"rounds", 'n', &round_count, &c->rounds,
         "watch every flood N times (1; with --precision 200)", NULL},
        RESUME_OPTIONS(c->resume),
        {"visits", 0, &visits, &c->visits, "honest handshakes begun per second (40)", NULL},
        {"seconds", 0, &cli_duration, &c->seconds, "how long each flood is watched (4s)", NULL},
        {"quick", 'q', NULL, &c->quick, "10000 per second alone, for a second: a first look", NULL},
        {"out", 'o', &cli_folder, &c->out, "where the results go (out/flood)", NULL},
        {"seed", 0, &cli_count, &c->seed, "seed of the forged addresses (1)", NULL},
        {"json", 0, NULL, &c->json, "print JSON instead of the table", NULL},
        {.name = NULL},
    };
    struct cli_option common[LINK_OPTIONS];
    const struct cli_command command = {
        .name = "bench flood",
        .operands = "",
        .summary =
            "Measures what honest clients get of a server while forged SYNs with a ClientHello "
            "arrive, and what the server sends in answer, in a laboratory on this machine: tlsyn "
            "serve, and nginx on the kernel's stack with Fast Open.",
        .options = options,
        .common = common,
        .notes = "  tlsyn bench flood --quick\n"
                 "  tlsyn bench flood --server tlsyn --flood stolen --rate 10000 --seconds 30s\n"
                 "  tlsyn bench flood --precision 5%\n",
        .operands_max = 0,
    };

    link_options_init(&c->link, LINK_MEMORY | LINK_RATE, common);
    return cli_parse(&command, c->resume->argc, c->resume->argv, exit_status);
}

static int begin(struct resume *resume)
{
    struct flood_command command = {.resume = resume, .seed = 1, .visits = 40, .out = "out/flood"};
    int status = CLI_USAGE;

    if (parse(&command, &status) < 0)
        return status;
    if (command.rates.count > FLOOD_RATES_MAX) {
        say("--rate takes 8 values at most");
        return CLI_USAGE;
    }
    return run(&command);
}

int cmd_bench_flood(int argc, char **argv)
{
    return resume_conduct(argc, argv, begin);
}
