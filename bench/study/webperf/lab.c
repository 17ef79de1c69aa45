/*
 * study/webperf/lab.c: from the words of an observation to the testbed's calls and back.
 */
#include "study/webperf/lab.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/calibrate.h"

/* --- words ------------------------------------------------------------------------------------ */

static void put(char word[STORE_WORD_MAX], const char *text)
{
    (void)snprintf(word, STORE_WORD_MAX, "%s", text);
}

static struct observation observation_of(const char *operation, const struct study_way *way)
{
    struct observation o = {.connect_us = (double)NAN,
                            .handshake_us = (double)NAN,
                            .first_byte_us = (double)NAN,
                            .syn_bytes = -1,
                            .synack_bytes = -1,
                            .link_kept = -1,
                            .link_late_us = (double)NAN,
                            .status = -1};

    put(o.operation, operation);
    put(o.stack, study_stack_name(way->stack));
    if (strcmp(operation, "get") != 0)
        return o;
    put(o.tls, study_suite_name(way->suite));
    put(o.mode, study_mode_name(way->mode));
    put(o.session, study_session_name(way->session));
    return o;
}

enum { WAYS = STUDY_STACKS * STUDY_SUITES * STUDY_MODES * STUDY_SESSIONS };

/* The i-th of all ways, whether there is such a one or not. */
static struct study_way way_at(int i)
{
    return (struct study_way){
        .session = (enum study_session)(i % STUDY_SESSIONS),
        .mode = (enum study_mode)(i / STUDY_SESSIONS % STUDY_MODES),
        .suite = (enum study_suite)(i / STUDY_SESSIONS / STUDY_MODES % STUDY_SUITES),
        .stack = (enum study_stack)(i / STUDY_SESSIONS / STUDY_MODES / STUDY_SUITES)};
}

struct study_way webperf_way_of(const struct observation *o)
{
    for (int i = 0; i < WAYS; i++) {
        const struct study_way way = way_at(i);
        const struct observation named = observation_of(o->operation, &way);

        if (webperf_same_words(&named, o))
            return way;
    }
    return way_at(0); /* kinds are made by webperf_kinds() alone */
}

static int add_kind(struct webperf_options *options, const char *operation,
                    const struct study_way *way)
{
    if (options->kind_count == WEBPERF_KINDS_MAX)
        return -E2BIG;
    options->kinds[options->kind_count++] = observation_of(operation, way);
    return 0;
}

static bool chosen(const struct webperf_choice *choice, const struct study_way *way)
{
    return (choice->stacks >> way->stack & 1) && (choice->suites >> way->suite & 1) &&
           (choice->modes >> way->mode & 1) && (choice->sessions >> way->session & 1) &&
           study_way_exists(way);
}

int webperf_kinds(const struct webperf_choice *choice, struct webperf_options *options)
{
    size_t probes = 0;
    int error = 0;

    options->kind_count = 0;
    for (int stack = 0; stack < STUDY_STACKS && error == 0; stack++) {
        const struct study_way way = {.stack = (enum study_stack)stack};

        if (!(choice->stacks >> stack & 1) || stack == STUDY_QUIC)
            continue;
        error = add_kind(options, "ping", &way);
        if (error == 0)
            error = add_kind(options, "tcp", &way);
    }
    probes = options->kind_count;
    for (int i = 0; i < WAYS && error == 0; i++) {
        const struct study_way way = way_at(i);

        if (chosen(choice, &way))
            error = add_kind(options, "get", &way);
    }
    return error == 0 && options->kind_count == probes ? -ENOENT : error;
}

int webperf_ask_servers(const char *const *urls, size_t n, struct webperf_options *options)
{
    size_t kinds = options->kind_count;

    if (n * kinds > WEBPERF_CELLS_MAX)
        return -E2BIG;
    for (size_t i = 0; i < n * kinds; i++) {
        struct observation *kind = &options->kinds[i];

        *kind = options->kinds[i % kinds];
        (void)snprintf(kind->url, sizeof(kind->url), "%s", urls[i / kinds]);
    }
    options->kind_count = n * kinds;
    return 0;
}

/* --- observations ----------------------------------------------------------------------------- */

static void fail(struct observation *o, const char *verdict, const char *reason)
{
    put(o->verdict, verdict);
    (void)snprintf(o->reason, sizeof(o->reason), "%s", reason);
}

static int probe(struct webperf_lab *lab, struct observation *o)
{
    enum study_stack stack = webperf_way_of(o).stack;
    int why = 0;
    int error = strcmp(o->operation, "ping") == 0
                    ? testbed_ping(lab->testbed, stack, &o->connect_us, &why)
                    : testbed_connect(lab->testbed, stack, &o->connect_us, &why);

    put(o->verdict, "ok");
    if (why < 0)
        fail(o, "failed", strerror(-why));
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
    put(o->verdict, "ok");
    if (seen.error < 0) {
        fail(o, seen.error == -ENOTSUP ? "refused" : "failed", seen.reason);
        return 0;
    }
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
                     struct study_observer *observer, char message[STUDY_MESSAGE_MAX])
{
    size_t meetings = 2 * options->kind_count;
    int error = 0;

    for (size_t i = 0; i < meetings && error == 0 && !observer->interrupted(observer); i++) {
        struct observation o = options->kinds[i % options->kind_count];

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
    int error = calibrate(lab->testbed, o->link.rtt_ms, &c);

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
