/*
 * link_options.c: the options that say what link the laboratory has.
 */
#include "link_options.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "say.h"

/* "lab" is the laboratory's own, without a name. */
static int parse_name(const struct cli_type *type, const char *text, void *into)
{
    struct link_options *options = into;
    const struct study_preset *preset = study_link_preset(text);
    bool memory = type->max > 0 && strcmp(text, "memory") == 0;

    if (!preset && !memory && strcmp(text, "lab") != 0)
        return -EINVAL;
    options->preset = preset;
    options->memory = memory;
    return 0;
}

static const struct cli_type named = {
    .placeholder = "NAME",
    .accepts = "lab or the name of a link, as satellite (tlsyn bench links lists them)",
    .parse = parse_name};
static const struct cli_type named_or_memory = {
    .placeholder = "NAME",
    .accepts = "lab, memory or the name of a link, as satellite (tlsyn bench links lists them)",
    .parse = parse_name,
    .max = 1};

void link_options_init(struct link_options *o, unsigned without,
                       struct cli_option table[LINK_OPTIONS])
{
    struct cli_option all[] = {
        {"link", 0, &named_or_memory, o,
         "lab, or a named link such as satellite or us-india (tlsyn bench links lists them), or "
         "memory: one process, no packets, no rights needed (lab)",
         NULL},
        {"rtt", 0, &cli_duration, &o->rtt, "round-trip time, half of it in each direction", NULL},
        {"rate", 0, &cli_rate, &o->rate, "rate of the bottleneck, each way (unlimited)", NULL},
        {"queue", 0, &cli_size, &o->queue, "most bytes that wait in front of the bottleneck (1MiB)",
         NULL},
        {"loss", 0, &cli_percent, &o->loss, "this share of the frames is lost, each way (0)", NULL},
        {"jitter", 0, &cli_duration, &o->jitter,
         "up to this much more delay, each way; the order is kept (0)", NULL},
    };
    const unsigned left_out[] = {0, LINK_RTT, LINK_RATE, LINK_RATE, LINK_LOSS, 0};
    int n = 0;

    *o = (struct link_options){.rtt = -1, .jitter = -1};
    if (without & LINK_MEMORY) {
        all[0].type = &named;
        all[0].help = "lab, or a named link such as satellite or us-india (tlsyn bench links lists "
                      "them) (lab)";
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (!(without & left_out[i]))
            table[n++] = all[i];
    }
    table[n] = (struct cli_option){.name = NULL};
}

static int two_round_trips(const struct link_options *o, const char *command)
{
    say("%s: --link %s has a round trip of %g ms: leave it out, or --rtt", command, o->preset->name,
        o->preset->rtt_ms);
    return -EINVAL;
}

int link_options_take(const struct link_options *o, const char *command, tlsyn_time timeout,
                      struct study_link *link)
{
    char message[STUDY_LINK_TEXT];
    int error;

    *link = study_link_perfect();
    if (o->preset && o->rtt >= 0)
        return two_round_trips(o, command);
    if (o->preset) {
        link->name = o->preset->name;
        link->rtt_ms = o->preset->rtt_ms;
    }
    if (o->rtt >= 0)
        link->rtt_ms = (double)o->rtt / 1e3;
    link->jitter_ms = o->jitter > 0 ? (double)o->jitter / 1e3 : 0;
    link->rate = o->rate;
    link->queue = o->queue;
    link->loss = o->loss;
    error = study_link_check(link, timeout, message);
    if (error < 0)
        say("%s: %s", command, message);
    return error;
}

int link_options_list(const struct link_options *options, const char *command,
                      struct study_list *rtts)
{
    if (!options->preset)
        return 0;
    if (rtts->count > 0)
        return two_round_trips(options, command);
    rtts->value[0] = options->preset->rtt_ms;
    rtts->count = 1;
    return 0;
}

void link_options_print(void)
{
    say_result("%-18s %10s  %s\n", "link", "RTT", "what, and who says so");
    for (const struct study_preset *p = study_link_presets; p->name; p++)
        say_result("%-18s %7g ms  %s (%s)\n", p->name, p->rtt_ms, p->what, p->from);
}
