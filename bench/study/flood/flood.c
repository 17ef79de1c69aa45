/*
 * study/flood/flood.c: the study's plan, and its rounds.
 */
#include "study/flood/flood.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/hello.h"
#include "study/flood/parts.h"

#define OVERHEAD 0.5 /* s per cell for processes and their warming up */

const char *flood_server_name(enum flood_pair pair)
{
    return pair == FLOOD_NGINX_STOCK ? "nginx" : "tlsyn";
}

const char *flood_client_name(enum flood_pair pair)
{
    return pair == FLOOD_TLSYN_OURS ? "tlsyn" : "openssl";
}

const char *flood_kind_name(enum flood_kind kind)
{
    static const char *const names[] = {"none", "spoofed", "stolen"};

    return names[kind];
}

void flood_defaults(struct flood_options *options)
{
    *options = (struct flood_options){.rates = {1000, 3000, 10000},
                                      .rate_count = 3,
                                      .visits = 40,
                                      .span = TLSYN_SECONDS(4),
                                      .rounds = 1,
                                      .pairs = {true, true, true},
                                      .kinds = {true, true, true},
                                      .link = study_link_perfect(),
                                      .seed = 1};
}

bool flood_is_linked(const struct flood_options *options)
{
    return options->link.rtt_ms > 0 || study_link_impairs(&options->link);
}

/* --- the plan --------------------------------------------------------------------------------- */

bool flood_has_nginx(void)
{
    return access("/usr/sbin/nginx", X_OK) == 0 || access("/usr/bin/nginx", X_OK) == 0;
}

static void plan_pair(struct flood_study *s, enum flood_pair pair)
{
    const struct flood_options *o = &s->options;

    s->cells[s->cell_count++] = (struct flood_cell){.pair = pair};
    for (int kind = FLOOD_SPOOFED; kind <= FLOOD_STOLEN; kind++)
        for (int rate = 0; o->kinds[kind] && rate < o->rate_count; rate++)
            s->cells[s->cell_count++] = (struct flood_cell){
                .pair = pair, .kind = (enum flood_kind)kind, .rate = o->rates[rate]};
}

int flood_plan(const struct flood_options *options, struct flood_study **study)
{
    struct flood_study *s = NULL;

    if (options->rate_count < 0 || options->rate_count > FLOOD_RATES_MAX || options->visits < 1 ||
        options->span <= 0 || options->rounds < 1 || options->rounds > FLOOD_ROUNDS_MAX)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->options = *options;
    for (int pair = 0; pair < FLOOD_PAIRS; pair++)
        if (options->pairs[pair])
            plan_pair(s, (enum flood_pair)pair);
    if (s->cell_count > 0)
        s->samples = calloc((size_t)s->cell_count * options->rounds, sizeof(*s->samples));
    if (!s->samples) {
        int error = s->cell_count > 0 ? -ENOMEM : -EINVAL;

        flood_free(s);
        return error;
    }
    *study = s;
    return 0;
}

double flood_estimate(const struct flood_study *study)
{
    const struct flood_options *o = &study->options;

    return o->rounds * study->cell_count * ((double)(o->span + FLOOD_SETTLE) / 1e6 + OVERHEAD);
}

void flood_free(struct flood_study *study)
{
    if (!study)
        return;
    for (uint32_t i = 0; study->samples && i < study->cell_count * study->options.rounds; i++)
        free(study->samples[i].handshake_us.value);
    for (uint32_t i = 0; i < study->cell_count; i++)
        free(study->cells[i].all.handshake_us.value);
    free(study->samples);
    free(study);
}

/* --- as rounds are made: a cell is a block of its own ----------------------------------------- */

struct run {
    struct flood_ground ground;
    struct flood_study *study;
    struct study_observer *observer;
};

#define KEPT(member, type) JOURNAL_FIELD(flood_sample, member, JOURNAL_##type)

static const struct journal_field fields[] = {
    KEPT(missed, BOOL),         KEPT(error, INT),         KEPT(reason, TEXT),
    KEPT(visits, UINT32),       KEPT(succeeded, UINT32),  KEPT(embedded, UINT32),
    KEPT(handshake_us, LIST),   KEPT(seconds, DOUBLE),    KEPT(bytes_in, UINT64),
    KEPT(bytes_out, UINT64),    KEPT(cpu, DOUBLE),        KEPT(forged, UINT64),
    KEPT(forged_bytes, UINT64), KEPT(forger_cpu, DOUBLE), KEPT(cookie, BOOL),
    KEPT(rss_first, UINT64),    KEPT(rss_most, UINT64),   KEPT(rss_last, UINT64),
};

static void *sample_of(void *context, const struct schedule_slot *slot)
{
    return flood_sample_of(((struct run *)context)->study, slot->round, slot->block);
}

static int observe(void *context, const struct schedule_slot *slot, void *into)
{
    struct run *run = context;
    const struct flood_cell *cell = &run->study->cells[slot->block];
    struct flood_sample *sample = into;
    int error = flood_watch(&run->ground, &run->study->options, cell, sample, run->observer);

    sample->done = false; /* until it is kept */
    if (error == 0 && sample->error < 0) {
        char note[FLOOD_REASON_MAX + 100];

        (void)snprintf(note, sizeof(note), "%s for %s, %s at %u/s: %s",
                       flood_server_name(cell->pair), flood_client_name(cell->pair),
                       flood_kind_name(cell->kind), cell->rate, sample->reason);
        run->observer->note(run->observer, note);
    }
    return error;
}

/* A file of another version, or one that was edited, may claim what it does not list. */
static int take(void *context, const struct schedule_slot *slot, void *into)
{
    struct flood_sample *sample = into;

    (void)context;
    (void)slot;
    if (sample->handshake_us.count != sample->succeeded)
        return -EPROTO;
    sample->done = true;
    return 0;
}

static int is_narrow(void *context, double precision, bool *narrow)
{
    struct flood_study *s = ((struct run *)context)->study;
    int error = flood_analyse(s);

    *narrow = true;
    for (uint32_t i = 0; i < s->cell_count; i++) {
        const struct stats_interval *median = &s->cells[i].median_ms;

        *narrow = *narrow &&
                  (s->cells[i].rounds == 0 || stats_is_narrow(median, median->estimate, precision));
    }
    return error;
}

static void status(void *context, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    const struct flood_study *s = ((struct run *)context)->study;
    const struct flood_cell *cell = &s->cells[slot->block];
    const struct flood_sample *sample = flood_sample_of(s, slot->round, slot->block);

    (void)snprintf(text, ROUNDS_STATUS_MAX, "%s, %s at %u/s: %u of %u",
                   flood_server_name(cell->pair), flood_kind_name(cell->kind), cell->rate,
                   sample->succeeded, sample->visits);
}

static const struct rounds_ops ops = {
    .study = "flood",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe,
    .take = take,
    .is_narrow = is_narrow,
    .status = status,
};

static int go_rounds(struct run *run, char message[STUDY_MESSAGE_MAX])
{
    struct flood_study *s = run->study;
    const struct flood_options *o = &s->options;
    struct rounds rounds = {.ops = &ops,
                            .study = run,
                            .plan = {.blocks = s->cell_count,
                                     .cells_per_block = 1,
                                     .rounds = o->rounds,
                                     .seed = o->seed},
                            .planned = s->cell_count * o->rounds,
                            .values = (size_t)((double)o->visits * (double)o->span / 1e6) +
                                      FLOOD_VISITORS,
                            .keep = &o->keep,
                            .observer = run->observer};
    int error = rounds_run(&rounds, message);

    s->interrupted = rounds.interrupted;
    s->seconds = rounds.seconds;
    return error;
}

/* --- the laboratory --------------------------------------------------------------------------- */

static int prepare(struct flood_ground *g, struct credentials *credentials,
                   char message[STUDY_MESSAGE_MAX])
{
    char why[PEER_MESSAGE_MAX] = "";
    int error = credentials_make(credentials);
    int n = 0;

    g->credentials = credentials;
    if (error == 0) {
        g->client =
            peer_client_context(PEER_13, PEER_NEW, credentials_for(credentials, STUDY_13)->ca, why);
        n = g->client ? peer_hello(g->client, STUDY_SERVER_NAME, g->hello, sizeof(g->hello))
                      : -EPROTO;
    }
    g->hello_len = n > 0 ? (size_t)n : 0;
    error = error < 0 ? error : n <= 0 ? -EPROTO : 0;
    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "TLS cannot be set up: %s",
                       why[0] ? why : strerror(-error));
    return error;
}

int flood_run(struct flood_study *study, struct study_observer *observer,
              char message[STUDY_MESSAGE_MAX])
{
    struct tlsyn_impairment path[2];
    struct lab_options options = {.direct = !flood_is_linked(&study->options)};
    struct run run = {.study = study, .observer = observer};
    struct credentials credentials;
    struct lab_error why;
    int error;

    study_link_half(&study->options.link, study->options.seed, path);
    options.to_server = path[0];
    options.to_client = path[1];
    error = lab_open(&options, &run.ground.lab, &why);
    if (error < 0) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", why.text);
        return error;
    }
    noise_begin(&study->noise);
    error = prepare(&run.ground, &credentials, message);
    if (error == 0)
        error = flood_ground_open(&run.ground, message);
    if (error == 0)
        message[0] = '\0';
    if (error == 0)
        error = go_rounds(&run, message);
    noise_end(&study->noise);
    if (error < 0 && !message[0])
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the laboratory has broken down: %s",
                       strerror(-error));
    flood_ground_close(&run.ground);
    peer_context_free(run.ground.client);
    lab_close(run.ground.lab);
    return error;
}
