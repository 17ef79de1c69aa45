/*
 * cmd_bench_fallback.c: tlsyn bench fallback: options, progress, and where the results go.
 */

#include "cli.h"
#include "cmd_bench.h"
#include "link_options.h"
#include "resume.h"
#include "say.h"
#include "study.h"
#include "study/fallback/fallback.h"

#define QUICK_ROUNDS 3

STUDY_KIND(fallback);

static int begin(struct resume *resume)
{
    static const struct cli_type round_count = {
        .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = FALLBACK_ROUNDS_MAX};
    struct fallback_options options;
    struct link_options link;
    int64_t rounds = 0;
    int64_t seed = 1;
    bool quick = false;
    bool json = false;
    const char *folder = "out/fallback";
    const struct cli_option table[] = {
        {"rounds", 'n', &round_count, &rounds, "visits to each row (11)", NULL},
        {"quick", 'q', NULL, &quick, "3 rounds: a first look", NULL},
        RESUME_OPTIONS(resume),
        {"out", 'o', &cli_folder, &folder, "where the results go (out/fallback)", NULL},
        {"seed", 0, &cli_count, &seed, "seed of the order (1)", NULL},
        {"json", 0, NULL, &json, "print JSON instead of the table", NULL},
        {.name = NULL},
    };
    struct cli_option common[LINK_OPTIONS];
    const struct cli_command command = {
        .name = "bench fallback",
        .operands = "",
        .summary =
            "Measures, in a laboratory on this machine, what an embedded handshake costs "
            "where it does not get through: servers that do not take part, and middleboxes "
            "that strip, drop, refuse or swallow it, beside the sequential handshake there. The "
            "link has a round trip of 40 ms unless another is asked for.",
        .options = table,
        .common = common,
        .notes = "  tlsyn bench fallback --quick\n",
        .operands_max = 0,
    };
    int status = CLI_USAGE;

    link_options_init(&link, LINK_MEMORY, common);
    if (cli_parse(&command, resume->argc, resume->argv, &status) < 0)
        return status;
    fallback_defaults(&options);
    if (link.rtt < 0 && !link.preset)
        link.rtt = (tlsyn_time)(options.link.rtt_ms * 1e3);
    if (link_options_take(&link, command.name, options.timeout, &options.link) < 0)
        return CLI_USAGE;
    if (options.link.rtt_ms <= 0 || options.link.rtt_ms > FALLBACK_RTT_MAX) {
        say("bench fallback: --rtt is above 0 and at most 10s");
        return CLI_USAGE;
    }
    options.rounds = rounds ? (uint32_t)rounds : quick ? QUICK_ROUNDS : options.rounds;
    options.seed = (uint64_t)seed;
    options.folder = folder;
    options.command = resume->typed;
    options.keep = resume_keep(resume, folder);
    options.version = TLSYN_VERSION;
    return study_conduct(
        &(struct study_errand){.kind = &kind, .options = &options, .folder = folder, .json = json});
}

int cmd_bench_fallback(int argc, char **argv)
{
    return resume_conduct(argc, argv, begin);
}
