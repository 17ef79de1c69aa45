/*
 * study/webperf/lab.c: observations, by the testbed's calls.
 */
#include "study/webperf/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/calibrate.h"

/* --- observations ----------------------------------------------------------------------------- */

static void judge(struct observation *o, const char *verdict, const char *reason)
{
    (void)snprintf(o->verdict, sizeof(o->verdict), "%s", verdict);
    (void)snprintf(o->reason, sizeof(o->reason), "%s", reason);
}

static int probe(struct webperf_lab *lab, struct observation *o)
{
    enum study_stack stack = webperf_way_of(o).stack;
    int why = 0;
    int error = strcmp(o->operation, "ping") == 0
                    ? testbed_ping(lab->testbed, stack, &o->connect_us, &why)
                    : testbed_connect(lab->testbed, stack, &o->connect_us, &why);

    judge(o, why < 0 ? "failed" : "ok", why < 0 ? strerror(-why) : "");
    return error;
}

static int get(struct webperf_lab *lab, struct observation *o)
{
    const struct study_order order = {.way = webperf_way_of(o)};
    struct study_outcome seen;
    int error = testbed_exchange(lab->testbed, &order, &seen);

    if (error < 0)
        return error;
    o->syn_bytes = seen.syn_text;
    o->synack_bytes = seen.synack_text;
    if (seen.error < 0) {
        judge(o, seen.error == -ENOTSUP ? "refused" : "failed", seen.reason);
        return 0;
    }
    judge(o, "ok", "");
    o->handshake_us = seen.handshake_us;
    o->first_byte_us = seen.first_byte_us;
    return 0;
}

/* What the emulator says of the time since the last observation. */
static int ask_link(struct webperf_lab *lab, struct observation *o)
{
    struct testbed_precision p;
    int error = testbed_precision(lab->testbed, &p);

    if (error == 0 && p.known) {
        o->link_kept = lab->is_reached && study_link_was_kept(lab->options.link.rtt_ms, &p.lately);
        o->link_late_us = p.lately.late_p99_us;
    }
    return error;
}

static int observe(struct webperf_prober *prober, struct observation *o,
                   char message[STUDY_MESSAGE_MAX])
{
    struct webperf_lab *lab = (struct webperf_lab *)prober;
    int error = strcmp(o->operation, "get") == 0 ? get(lab, o) : probe(lab, o);

    if (error == 0)
        error = ask_link(lab, o);
    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the testbed broke down: %s", strerror(-error));
    return error;
}

int webperf_lab_meet(struct webperf_lab *lab, const struct webperf_options *options,
                     char message[STUDY_MESSAGE_MAX])
{
    struct study_observer *observer = lab->options.observer;
    size_t meetings = 2 * options->kind_count;
    char what[96];
    int error = 0;

    for (size_t i = 0; i < meetings && error == 0 && !observer->interrupted(observer); i++) {
        struct observation o = options->kinds[i % options->kind_count];

        (void)snprintf(what, sizeof(what), "a connection of each kind, twice: %zu of %zu", i + 1,
                       meetings);
        observer->prepare(observer, what);
        error = observe(&lab->prober, &o, message);
    }
    return error;
}

/* --- life ------------------------------------------------------------------------------------- */

static int set_link(struct webperf_lab *lab, char *message)
{
    const struct webperf_lab_options *o = &lab->options;
    struct tlsyn_impairment path[2];
    struct calibration c = {.delay = {0}};
    int error = calibrate(lab->testbed, o->link.rtt_ms, o->observer, &c);

    if (error == -EINTR)
        error = 0; /* webperf_run() finds it, too */
    lab->is_reached = study_link_is_near(o->link.rtt_ms, c.ping_ms);
    if (error == 0) {
        study_link_path(&o->link, c.delay, o->seed, path);
        error = testbed_set_link(lab->testbed, path);
    }
    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the link cannot be set: %s", strerror(-error));
    return error;
}

static bool wants(const struct webperf_lab_options *options, enum study_stack stack)
{
    return options->choice.stacks >> stack & 1;
}

static int check_stacks(const struct webperf_lab_options *options, char *message)
{
    if (options->memory && (wants(options, STUDY_KERNEL) || wants(options, STUDY_QUIC))) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "in memory there is no stack but ours");
        return -ENOTSUP;
    }
    if (wants(options, STUDY_QUIC) && !testbed_has_quic()) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "this tlsyn was built without QUIC");
        return -ENOTSUP;
    }
    return 0;
}

static struct testbed_options testbed_for(const struct webperf_lab_options *options)
{
    const struct webperf_choice *choice = &options->choice;

    return (struct testbed_options){
        .credentials = &options->credentials,
        .level = options->level,
        .sessions = choice->sessions | 1u << STUDY_NEW,
        .fast_open = wants(options, STUDY_KERNEL) && (choice->modes >> STUDY_EMBEDDED & 1),
        .quic = wants(options, STUDY_QUIC),
        .timeout = options->timeout,
    };
}

int webperf_lab_open(const struct webperf_lab_options *options, struct webperf_lab **lab,
                     char message[STUDY_MESSAGE_MAX])
{
    struct webperf_lab *l = calloc(1, sizeof(*l));
    struct testbed_options testbed;
    int error;

    if (!l) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "out of memory");
        return -ENOMEM;
    }
    l->prober.observe = observe;
    l->options = *options;
    testbed = testbed_for(&l->options);
    error = check_stacks(options, message);
    if (error == 0)
        error = options->memory ? testbed_open_memory(&testbed, &l->testbed, message)
                                : testbed_open_lab(&testbed, &l->testbed, message);
    if (error == 0)
        error = set_link(l, message);
    if (error < 0) {
        webperf_lab_close(l);
        return error;
    }
    *lab = l;
    return 0;
}

void webperf_lab_close(struct webperf_lab *lab)
{
    if (!lab)
        return;
    testbed_close(lab->testbed);
    free(lab);
}
