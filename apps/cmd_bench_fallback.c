/*
 * cmd_bench_fallback.c: tlsyn bench fallback: options, progress, and where the results go.
 */
#include <string.h>

#include "cli.h"
#include "cmd_bench.h"
#include "say.h"
#include "study.h"
#include "study/fallback.h"

#define QUICK_ROUNDS 3

STUDY_KIND(fallback);

int cmd_bench_fallback(int argc, char **argv)
{
    static const struct cli_type round_count = {
        .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = FALLBACK_ROUNDS_MAX};
    struct fallback_options options;
    tlsyn_time rtt = 0;
    int64_t rounds = 0;
    int64_t seed = 1;
    bool quick = false;
    bool json = false;
    const char *folder = "out/fallback";
    const struct cli_option table[] = {
        {"rtt", 0, &cli_duration, &rtt, "round trip of the link (40ms)", NULL},
        {"rounds", 'n', &round_count, &rounds, "visits to each row (11)", NULL},
        {"quick", 'q', NULL, &quick, "3 rounds: a first look", NULL},
        {"out", 'o', &cli_folder, &folder, "where the results go (out/fallback)", NULL},
        {"seed", 0, &cli_count, &seed, "of the order (1)", NULL},
        {"json", 0, NULL, &json, "print JSON instead of the table", NULL},
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "bench fallback",
        .operands = "",
        .summary = "Measures, in a laboratory on this machine, what an embedded handshake costs "
                   "where it does not get through: servers that do not take part, and middleboxes "
                   "that strip, drop, refuse or swallow it, beside the sequential handshake there.",
        .options = table,
        .notes = "  tlsyn bench fallback --quick\n",
        .operands_max = 0,
    };
    char typed[1024];
    int status = CLI_USAGE;

    study_join(argc, argv, typed, sizeof(typed));
    if (cli_parse(&command, argc, argv, &status) < 0)
        return status;
    fallback_defaults(&options);
    if (rtt > TLSYN_SECONDS(1)) {
        say("bench fallback: --rtt is at most 1s");
        return CLI_USAGE;
    }
    options.rtt_ms = rtt ? (double)rtt / 1e3 : options.rtt_ms;
    options.rounds = rounds ? (uint32_t)rounds : quick ? QUICK_ROUNDS : options.rounds;
    options.seed = (uint64_t)seed;
    options.command = typed;
    options.version = TLSYN_VERSION;
    return study_conduct(
        &(struct study_errand){.kind = &kind, .options = &options, .folder = folder, .json = json});
}
