/*
 * cmd_bench_bulk.c: tlsyn bench bulk: options, progress, and where the results go.
 */
#include <netinet/in.h>
#include <string.h>

#include "cli.h"
#include "cmd_bench.h"
#include "link_options.h"
#include "peer/lwip.h"
#include "resume.h"
#include "say.h"
#include "study.h"
#include "study/transfer/bulk.h"

#define QUICK_ROUNDS 2
#define QUICK_SPAN   TLSYN_MS(800)

struct bulk_command {
    int64_t rounds; /* 0: not given */
    int64_t seed;
    uint64_t ring;
    tlsyn_time seconds;
    struct link_options link;
    struct resume *resume;
    int family, offload, receive; /* choices, in the order of the tables below */
    const char *out, *controller;
    uint32_t pairs;
    bool quick, no_lwip, copies, plain, json;
};

/* --- the study -------------------------------------------------------------------------------- */

STUDY_KIND(bulk);

static void take_options(const struct bulk_command *c, struct bulk_options *o)
{
    bulk_defaults(o);
    if (c->quick) {
        o->rounds = QUICK_ROUNDS;
        o->span = QUICK_SPAN;
    }
    if (c->rounds > 0)
        o->rounds = (uint32_t)c->rounds;
    if (c->seconds > 0)
        o->span = c->seconds;
    o->family = c->family == 0 ? AF_INET : AF_INET6;
    o->offload[0] = c->offload != 0;
    o->offload[1] = c->offload != 1;
    o->lwip = !c->no_lwip;
    o->ring = (uint32_t)c->ring;
    o->copies = c->copies;
    o->rings = c->receive == 1;
    o->plain = c->plain;
    o->pairs = c->pairs;
    o->seed = (uint64_t)c->seed;
    if (c->controller)
        (void)snprintf(o->controller, sizeof(o->controller), "%s", c->controller);
    o->version = TLSYN_VERSION;
}

static void announce(const void *planned)
{
    const struct bulk_study *study = planned;
    const struct bulk_options *o = &study->options;
    double turn = (double)o->span / 1e6 + 0.2;
    char text[32];

    if (o->lwip && !peer_lwip_is_there())
        say("lwIP is left out: tlsyn was built without liblwip-dev, or liblwip0 is not installed");
    say("%u pairs, %u rounds: %s", study->member_count, o->rounds,
        study_duration((double)study->member_count * o->rounds * turn, text, sizeof(text)));
}

static int run(const struct bulk_command *c)
{
    struct bulk_options options;
    const struct study_errand errand = {.kind = &kind,
                                        .options = &options,
                                        .folder = c->out,
                                        .nothing =
                                            "of the pairs that are asked for none can be measured. "
                                            "Those with lwIP need its library, IPv4, a bare wire, "
                                            "and no --no-lwip",
                                        .announce = announce,
                                        .json = c->json};

    take_options(c, &options);
    options.command = c->resume->typed;
    options.keep = resume_keep(c->resume, c->out);
    if (link_options_take(&c->link, "bench bulk", options.span, &options.link) < 0)
        return CLI_USAGE;
    return study_conduct(&errand);
}

/* --- the command line ------------------------------------------------------------------------- */

static int parse(struct bulk_command *c, int *exit_status)
{
    static const char *const family_names[] = {"4", "6", NULL};
    static const char *const offload_names[] = {"on", "off", "both", NULL};
    static const struct cli_type family = {
        .placeholder = "FAMILY", .parse = cli_choice_parse, .choices = family_names};
    static const struct cli_type offload = {
        .placeholder = "WHICH", .parse = cli_choice_parse, .choices = offload_names};
    static const char *const receive_names[] = {"calls", "ring", NULL};
    static const struct cli_type receive = {
        .placeholder = "HOW", .parse = cli_choice_parse, .choices = receive_names};
    static const struct cli_type rounds = {
        .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = BULK_ROUNDS_MAX};
    const struct cli_type pairs = {
        .placeholder = "PAIR,...", .parse = cli_set_parse, .choices = bulk_pair_names};
    const struct cli_option options[] = {
        {"seconds", 0, &cli_duration, &c->seconds, "how long each pair sends, per round (2s)",
         NULL},
        {"rounds", 'n', &rounds, &c->rounds, "measure every pair N times (5)", NULL},
        {"quick", 'q', NULL, &c->quick, "2 rounds of 0.8 s: a first look", NULL},
        {"offload", 0, &offload, &c->offload, "offloads of the interfaces: on, off or both (both)",
         NULL},
        {"family", 0, &family, &c->family, "version of IP: 4 or 6 (4)", NULL},
        {"controller", 0, &cli_string, &c->controller,
         "congestion controller of both stacks (cubic)", NULL},
        {"only", 0, &pairs, &c->pairs, "these pairs, sender first (all)", NULL},
        {"no-lwip", 0, NULL, &c->no_lwip, "leave lwIP out", NULL},
        {"copy", 0, NULL, &c->copies,
         "copy our sender's bytes into its send buffer, as send(2) would", NULL},
        {"plain", 0, NULL, &c->plain, "our stack segments and checksums by itself", NULL},
        {"receive", 0, &receive, &c->receive,
         "how our stack receives frames: by calls or through a ring (calls)", NULL},
        {"ring", 0, &cli_size, &c->ring, "bytes of each of our stack's buffers (it tunes them)",
         NULL},
        RESUME_OPTIONS(c->resume),
        {"out", 'o', &cli_folder, &c->out, "where the results go (out/bulk)", NULL},
        {"seed", 0, &cli_count, &c->seed, "seed of the order of measurements (1)", NULL},
        {"json", 0, NULL, &c->json, "print JSON instead of the table", NULL},
        {.name = NULL},
    };
    struct cli_option common[LINK_OPTIONS];
    const struct cli_command command = {
        .name = "bench bulk",
        .operands = "",
        .summary =
            "Measures the throughput of one flow between two hosts in a laboratory on this "
            "machine, and its CPU time: this stack, the kernel's, and lwIP, with and "
            "without offloads, in the same run. Over a wire; over a link of an emulator if one is "
            "asked for, without lwIP.",
        .options = options,
        .common = common,
        .notes = "  tlsyn bench bulk --quick\n"
                 "  tlsyn bench bulk --link us-moscow --rate 100mbit --seconds 20s\n"
                 "  tlsyn bench bulk --offload on --no-lwip -n 10\n"
                 "  tlsyn bench bulk --offload on --only kernel-kernel,tlsyn-kernel -n 40\n",
        .operands_max = 0,
    };

    link_options_init(&c->link, LINK_MEMORY, common);
    return cli_parse(&command, c->resume->argc, c->resume->argv, exit_status);
}

static int begin(struct resume *resume)
{
    struct bulk_command command = {.resume = resume, .seed = 1, .out = "out/bulk", .offload = 2};
    int status = CLI_USAGE;

    if (parse(&command, &status) < 0)
        return status;
    if (command.controller && strlen(command.controller) > 15) {
        say("--controller takes at most 15 characters");
        return CLI_USAGE;
    }
    if (command.ring > (8u << 20) || (command.seconds > 0 && command.seconds < TLSYN_MS(500)) ||
        command.seconds > TLSYN_SECONDS(3600)) {
        say("--ring takes at most 8 MiB, --seconds 500ms to 1h");
        return CLI_USAGE;
    }
    return run(&command);
}

int cmd_bench_bulk(int argc, char **argv)
{
    return resume_conduct(argc, argv, begin);
}
