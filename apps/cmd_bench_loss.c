/*
 * cmd_bench_loss.c: tlsyn bench loss: options, progress, and where the results go.
 */
#include <netinet/in.h>
#include <string.h>

#include "cli.h"
#include "cmd_bench.h"
#include "link_options.h"
#include "resume.h"
#include "say.h"
#include "study.h"
#include "study/transfer/loss.h"

#define QUICK_ROUNDS 3
#define QUICK_SCALE  0.25

struct loss_command {
    struct study_list loss, rtt, reorder;
    int64_t rounds; /* 0: not given */
    int64_t seed;
    uint64_t bytes, rate, queue, ring;
    struct link_options link;
    struct resume *resume;
    int family; /* a choice: 4, 6, both */
    const char *controller;
    tlsyn_time timeout, budget;
    const char *out;
    bool quick, all, reference, json, capture;
};

/* --- the study -------------------------------------------------------------------------------- */

STUDY_KIND(loss);

static void take_list(struct loss_list *into, const struct study_list *list)
{
    if (list->count == 0)
        return;
    into->count = list->count;
    memcpy(into->value, list->value, sizeof(into->value));
}

static void take_options(const struct loss_command *c, struct loss_options *o)
{
    static const struct loss_list few_losses = {{0, 1}, 2}, few_rtts = {{0, 20}, 2};

    loss_defaults(o);
    if (c->quick) {
        o->rounds = o->rounds_max = QUICK_ROUNDS;
        o->scale = QUICK_SCALE;
        o->loss = few_losses;
        o->rtt = few_rtts;
    }
    take_list(&o->loss, &c->loss);
    take_list(&o->rtt, &c->rtt);
    take_list(&o->reorder, &c->reorder);
    if (c->family < 2) {
        o->families[0] = c->family == 0 ? AF_INET : AF_INET6;
        o->family_count = 1;
    }
    if (c->rounds > 0)
        o->rounds = o->rounds_max = (uint32_t)c->rounds;
    o->budget = c->budget ? c->budget : o->budget;
    if (c->controller)
        (void)snprintf(o->controller, sizeof(o->controller), "%s", c->controller);
    o->bytes = c->bytes;
    o->rate = c->rate ? c->rate : o->rate;
    o->jitter_ms = c->link.jitter > 0 ? (double)c->link.jitter / 1e3 : 0;
    o->queue = c->queue ? (uint32_t)c->queue : o->queue;
    o->ring = c->ring ? (uint32_t)c->ring : o->ring;
    o->both_ours = c->all;
    o->reference = c->reference;
    o->timeout = c->timeout ? c->timeout : o->timeout;
    o->seed = (uint64_t)c->seed;
    o->folder = c->capture ? c->out : NULL;
    o->version = TLSYN_VERSION;
}

static void announce(const void *planned)
{
    const struct loss_study *study = planned;
    char text[32];

    say("%u paths, %u pairs, %u rounds: %s", study->cell_count, study->pair_count,
        study->options.rounds, study_duration(loss_estimate(&study->options), text, sizeof(text)));
}

static int run(const struct loss_command *c)
{
    struct loss_options options;
    const struct study_errand errand = {.kind = &kind,
                                        .options = &options,
                                        .folder = c->out,
                                        .announce = announce,
                                        .json = c->json};

    take_options(c, &options);
    options.command = c->resume->typed;
    options.keep = resume_keep(c->resume, c->out);
    return study_conduct(&errand);
}

/* --- the command line ------------------------------------------------------------------------- */

static const struct cli_type percents = {
    .placeholder = "PERCENT,...",
    .accepts = "up to 8 different numbers from 0 to 90, with commas between",
    .parse = study_list_parse,
    .choices = (const char *const[]){"%", NULL},
    .max = 90};
static const struct cli_type times = {
    .placeholder = "MS,...",
    .accepts = "up to 8 different numbers of milliseconds up to 10000, with commas between",
    .parse = study_list_parse,
    .choices = (const char *const[]){"ms", NULL},
    .max = 10000};
static const struct cli_type rounds = {
    .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = LOSS_ROUNDS_MAX};

static int parse(struct loss_command *c, int *exit_status)
{
    static const char *const family_names[] = {"4", "6", "both", NULL};
    static const struct cli_type family = {
        .placeholder = "FAMILY", .parse = cli_choice_parse, .choices = family_names};
    const struct cli_option options[] = {
        {"loss", 0, &percents, &c->loss, "frames lost, each way (0,0.1,1,5)", NULL},
        {"rtt", 0, &times, &c->rtt, "round trips, in ms (0,20,100)", NULL},
        {"reorder", 0, &percents, &c->reorder, "frames that overtake others (0,5)", NULL},
        {"family", 0, &family, &c->family, "version of IP: 4, 6 or both (both)", NULL},
        {"controller", 0, &cli_string, &c->controller,
         "congestion controller, the same on both stacks (cubic)", NULL},
        {"rounds", 'n', &rounds, &c->rounds,
         "transfers per path and pair (3, and up to 15 where it is close)", NULL},
        {"budget", 0, &cli_duration, &c->budget, "begin no further round after this (15min)", NULL},
        {"quick", 'q', NULL, &c->quick, "3 rounds, few paths, small transfers: a first look", NULL},
        {"all", 'a', NULL, &c->all, "tlsyn to tlsyn, too", NULL},
        {"reference", 0, NULL, &c->reference, "kernel to kernel alone", NULL},
        {"bytes", 0, &cli_size, &c->bytes,
         "size of every transfer (what about a second should carry)", NULL},
        {"rate", 0, &cli_rate, &c->rate, "rate of the link (200mbit)", NULL},
        {"queue", 0, &cli_size, &c->queue, "most bytes that wait for the rate (1MiB)", NULL},
        {"ring", 0, &cli_size, &c->ring, "bytes of each of our stack's buffers (it tunes them)",
         NULL},
        {"timeout", 0, &cli_duration, &c->timeout, "longest time for one transfer (120s)", NULL},
        RESUME_OPTIONS(c->resume),
        {"out", 'o', &cli_folder, &c->out, "where the results go (out/loss)", NULL},
        {"seed", 0, &cli_count, &c->seed, "seed of the order and of what is lost (1)", NULL},
        {"capture", 0, NULL, &c->capture, "keep a pcapng of what our stack saw as a sender", NULL},
        {"json", 0, NULL, &c->json, "print JSON instead of the table", NULL},
        {.name = NULL},
    };
    struct cli_option common[LINK_OPTIONS];
    const struct cli_command command = {
        .name = "bench loss",
        .operands = "",
        .summary =
            "Measures how long bulk transfers take through loss, delay and reordering, in a "
            "laboratory on this machine: this stack with the kernel's as its peer, each way, "
            "beside the kernel's to itself over the same path, with the same controller.",
        .options = options,
        .common = common,
        .notes = "  tlsyn bench loss --quick\n"
                 "  tlsyn bench loss --loss 1 --rtt 20 --reorder 0 --family 4 -n 10     one path, "
                 "in a minute\n"
                 "  tlsyn bench loss --loss 5 --rtt 100 --reorder 0 -n 1 --capture\n",
        .operands_max = 0,
    };

    link_options_init(&c->link, LINK_MEMORY | LINK_RTT | LINK_RATE | LINK_LOSS, common);
    if (cli_parse(&command, c->resume->argc, c->resume->argv, exit_status) < 0)
        return -1;
    *exit_status = CLI_USAGE;
    return link_options_list(&c->link, command.name, &c->rtt);
}

static int begin(struct resume *resume)
{
    struct loss_command command = {.resume = resume, .seed = 1, .out = "out/loss", .family = 2};
    int status = CLI_USAGE;

    if (parse(&command, &status) < 0)
        return status;
    if (command.loss.count > LOSS_VALUES_MAX || command.rtt.count > LOSS_VALUES_MAX ||
        command.reorder.count > LOSS_VALUES_MAX) {
        say("--loss, --rtt and --reorder take 8 values at most");
        return CLI_USAGE;
    }
    if ((command.queue > 0 && command.queue < 1514) || command.queue > UINT32_MAX ||
        command.ring > (8u << 20) || (command.controller && strlen(command.controller) > 15)) {
        say("--queue takes 1514 bytes to 4 GiB, --ring at most 8 MiB, --controller 15 characters");
        return CLI_USAGE;
    }
    return run(&command);
}

int cmd_bench_loss(int argc, char **argv)
{
    return resume_conduct(argc, argv, begin);
}
