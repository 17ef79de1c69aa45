/*
 * cmd_bench_fallback.c: tlsyn bench fallback: options, progress, and where the results go.
 */
#include <string.h>

#include "cli.h"
#include "cmd_bench.h"
#include "say.h"
#include "study.h"
#include "study/fallback.h"

#define ROOM_NEEDED  (1 << 20) /* bytes on disk that the file may take */
#define QUICK_ROUNDS 3

static int kind_run(void *study, struct study_observer *observer, char message[STUDY_MESSAGE_MAX])
{
    return fallback_run(study, observer, message);
}

static int kind_analyse(void *study)
{
    return fallback_analyse(study);
}

static int kind_json(const void *study, FILE *out)
{
    return fallback_json(study, out);
}

static int kind_text(const void *study, FILE *out, unsigned width)
{
    return fallback_text(study, out, width);
}

static const struct study_kind kind = {
    .file = "fallback.json",
    .run = kind_run,
    .analyse = kind_analyse,
    .json = kind_json,
    .text = kind_text,
};

static int run(const struct fallback_options *options, const char *folder, bool json)
{
    struct fallback_study *study = NULL;
    int error = study_try_folder(folder, ROOM_NEEDED);

    if (error < 0)
        return CLI_FAILURE;
    error = fallback_plan(options, &study);
    if (error < 0) {
        say("nothing was measured: %s", strerror(-error));
        return CLI_FAILURE;
    }
    int status = study_conduct(&kind, study, folder, json);
    fallback_free(study);
    return status;
}

int cmd_bench_fallback(int argc, char **argv)
{
    static const struct cli_type round_count = {.placeholder = "N",
                                                .accepts = "a whole number from 1 to 200",
                                                .parse = cli_number_parse,
                                                .min = 1,
                                                .max = FALLBACK_ROUNDS_MAX};
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
        {"out", 'o', &cli_file, &folder, "folder for the results (out/fallback)", NULL},
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
    return run(&options, folder, json);
}
