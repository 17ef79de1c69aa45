/*
 * study/transfer/loss.c: the study's plan and its rounds.
 */
#include "study/transfer/loss.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "study/link.h"

#define SEGMENT   1448.0 /* bytes of text in a frame of 1514 with timestamps */
#define AIM       1.0    /* s per transfer */
#define BYTES_MIN (256u << 10)
#define BYTES_MAX (12u << 20)
#define OVERHEAD  0.15 /* s per transfer for processes and handshakes */
/* us each way where there is reordering: else nothing is overtaken */
#define OVERTAKING ((tlsyn_time)250)
#define FIRST_PORT 5000
#define PORTS      10000

void loss_defaults(struct loss_options *options)
{
    *options = (struct loss_options){
        .loss = {{0, 0.1, 1, 5}, 4},
        .rtt = {{0, 20, 100}, 3},
        .reorder = {{0, 5}, 2},
        .families = {AF_INET, AF_INET6},
        .family_count = 2,
        .rounds = 3,
        .rounds_max = 15,
        .budget = TLSYN_SECONDS(900),
        .scale = 1,
        .rate = 200000000,
        .queue = 1u << 20,
        .controller = "cubic",
        .timeout = TLSYN_SECONDS(120),
        .seed = 1,
    };
}

/* Bytes per second that a path leaves to one flow. */
static double expected_rate(const struct loss_options *options, const struct loss_cell *cell)
{
    double rate = options->rate ? (double)options->rate / 8 : 1e9 / 8;
    double rtt = cell->rtt_ms > 1 ? cell->rtt_ms / 1e3 : 1e-3;
    double left = cell->loss > 0 ? 1.22 * SEGMENT / (rtt * sqrt(cell->loss / 100)) : rate;

    return left < rate ? left : rate;
}

uint64_t loss_bytes(const struct loss_options *options, const struct loss_cell *cell)
{
    double bytes = AIM * expected_rate(options, cell) * options->scale;

    if (options->bytes)
        return options->bytes;
    bytes = bytes < BYTES_MIN ? BYTES_MIN : bytes > BYTES_MAX ? BYTES_MAX : bytes;
    return (uint64_t)bytes;
}

struct tlsyn_impairment loss_path(const struct loss_options *options, const struct loss_cell *cell,
                                  uint64_t seed)
{
    struct tlsyn_impairment path = {
        .delay = (tlsyn_time)llround(cell->rtt_ms * 500),
        .jitter = (tlsyn_time)llround(options->jitter_ms * 1e3),
        .rate = options->rate,
        .queue_bytes = options->queue,
        .loss = cell->loss / 100,
        .reorder = cell->reorder / 100,
        .seed = seed,
    };

    if (path.reorder > 0 && path.delay < OVERTAKING)
        path.delay = OVERTAKING;
    return path;
}

static double estimate(const struct loss_study *study)
{
    double seconds = 0;

    for (uint32_t i = 0; i < study->cell_count; i++) {
        const struct loss_cell *cell = &study->cells[i];

        seconds += (double)cell->bytes / expected_rate(&study->options, cell) +
                   8 * cell->rtt_ms / 1e3 + OVERHEAD;
    }
    return seconds * study->pair_count * study->options.rounds;
}

double loss_estimate(const struct loss_options *options)
{
    struct loss_study *study = NULL;
    double seconds = loss_plan(options, &study) == 0 ? estimate(study) : NAN;

    loss_free(study);
    return seconds;
}

/* --- the plan --------------------------------------------------------------------------------- */

static void plan_cells(struct loss_study *s, int family)
{
    const struct loss_options *o = &s->options;

    for (int i = 0; i < o->loss.count * o->rtt.count * o->reorder.count; i++) {
        struct loss_cell *cell = &s->cells[s->cell_count++];

        cell->family = family;
        cell->reorder = o->reorder.value[i % o->reorder.count];
        cell->rtt_ms = o->rtt.value[i / o->reorder.count % o->rtt.count];
        cell->loss = o->loss.value[i / o->reorder.count / o->rtt.count];
        cell->bytes = loss_bytes(o, cell);
    }
}

static bool is_list(const struct loss_list *list, double max)
{
    for (int i = 0; i < list->count; i++) {
        if (!(list->value[i] >= 0 && list->value[i] <= max))
            return false;
    }
    return list->count >= 1 && list->count <= LOSS_VALUES_MAX;
}

int loss_plan(const struct loss_options *options, struct loss_study **study)
{
    static const struct loss_pair pairs[LOSS_PAIRS_MAX] = {{FLOW_KERNEL, FLOW_KERNEL},
                                                           {FLOW_TLSYN, FLOW_KERNEL},
                                                           {FLOW_KERNEL, FLOW_TLSYN},
                                                           {FLOW_TLSYN, FLOW_TLSYN}};
    struct loss_study *s = NULL;

    if (!is_list(&options->loss, 90) || !is_list(&options->reorder, 90) ||
        !is_list(&options->rtt, 10000) || options->rounds < 1 ||
        options->rounds > options->rounds_max || options->rounds_max > LOSS_ROUNDS_MAX ||
        options->family_count < 1 || options->family_count > LOSS_FAMILIES_MAX)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->options = *options;
    for (int i = 0; i < options->family_count; i++)
        plan_cells(s, options->families[i]);
    memcpy(s->pairs, pairs, sizeof(pairs));
    s->pair_count = options->reference ? 1 : options->both_ours ? 4 : 3;
    s->row_count = s->cell_count * s->pair_count;
    s->samples = calloc((size_t)s->row_count * options->rounds_max, sizeof(*s->samples));
    s->rows = calloc(s->row_count, sizeof(*s->rows));
    if (!s->samples || !s->rows) {
        loss_free(s);
        return -ENOMEM;
    }
    *study = s;
    return 0;
}

void loss_free(struct loss_study *study)
{
    if (!study)
        return;
    free(study->samples);
    free(study->rows);
    free(study);
}

/* --- the rounds ------------------------------------------------------------------------------- */

/* A transfer that is due. */
struct visit {
    uint32_t round, cell, pair;
};

static struct flow_order order_for(const struct loss_study *s, const struct visit *v)
{
    const struct loss_options *o = &s->options;
    const struct loss_cell *cell = &s->cells[v->cell];
    const struct loss_pair *pair = &s->pairs[v->pair];
    uint64_t seed = (o->seed * LOSS_ROUNDS_MAX + v->round) * LOSS_CELLS_MAX + v->cell;
    struct flow_order order = {
        .sender = pair->sender,
        .receiver = pair->receiver,
        .receiver_opens = v->round % 2 == 1,
        .family = cell->family,
        .bytes = cell->bytes,
        .timeout = o->timeout,
        .ring = o->ring,
        .digest = true,
        .port = (uint16_t)(FIRST_PORT + 2 * (s->transfers % PORTS)),
        .impaired = true,
        .to_server = loss_path(o, cell, 2 * seed),
        .to_client = loss_path(o, cell, 2 * seed + 1),
    };

    memcpy(order.controller, o->controller, sizeof(order.controller));
    if (o->folder)
        (void)snprintf(order.capture, sizeof(order.capture), "%s/%g-%g-%g-%s-%s-%u.pcapng",
                       o->folder, cell->loss, cell->rtt_ms, cell->reorder,
                       flow_stack_name(pair->sender), flow_stack_name(pair->receiver), v->round);
    return order;
}

/* What failed, as it happens. */
static void tell_failure(const struct loss_study *s, struct study_observer *observer,
                         const struct visit *v, const struct flow_outcome *outcome)
{
    const struct loss_cell *cell = &s->cells[v->cell];
    const struct loss_pair *pair = &s->pairs[v->pair];
    char note[400];

    (void)snprintf(note, sizeof(note),
                   "loss %g %%, RTT %g ms, reordering %g %%: %s to %s failed: %s", cell->loss,
                   cell->rtt_ms, cell->reorder, flow_stack_name(pair->sender),
                   flow_stack_name(pair->receiver),
                   outcome->reason[0] ? outcome->reason : strerror(-outcome->error));
    observer->note(observer, note);
}

/* --- as rounds are made ----------------------------------------------------------------------- */

struct run {
    struct loss_study *study;
    struct lab *lab;
    struct study_observer *observer;
    bool undecided[LOSS_CELLS_MAX];
};

static const struct journal_field fields[] = {
    JOURNAL_FIELD(loss_sample, missed, JOURNAL_BOOL),
    FLOW_FIELDS(loss_sample),
};

static void *sample_of(void *context, const struct schedule_slot *slot)
{
    const struct run *run = context;

    return loss_sample(run->study, slot->round, slot->block, slot->member);
}

static int observe(void *context, const struct schedule_slot *slot, void *into)
{
    struct run *run = context;
    struct loss_study *s = run->study;
    struct loss_sample *sample = into;
    const struct visit v = {slot->round, slot->block, slot->member};
    struct flow_order order = order_for(s, &v);
    int error = flow_run(run->lab, &order, run->observer, &sample->outcome);

    s->transfers++;
    if (error == 0)
        error = study_link_ask(run->lab, s->cells[v.cell].rtt_ms, &sample->missed);
    if (error == 0 && sample->outcome.error < 0)
        tell_failure(s, run->observer, &v, &sample->outcome);
    return error;
}

static int take(void *context, const struct schedule_slot *slot, void *sample)
{
    (void)context;
    (void)slot;
    ((struct loss_sample *)sample)->done = true;
    return 0;
}

/* The planned rounds in all cells; then, while there is time, more of them where chance decides
 * on which side of the bound a row stands. */
static int begin(void *context, uint32_t round, double seconds)
{
    struct run *run = context;
    struct loss_study *s = run->study;
    uint32_t undecided = 0;
    int error;

    if (round < s->options.rounds)
        return 0;
    error = loss_analyse(s);
    for (uint32_t i = 0; error == 0 && i < s->cell_count; i++) {
        run->undecided[i] = loss_undecided(s, i);
        undecided += run->undecided[i];
    }
    return error < 0 ? error : undecided == 0 || seconds * 1e6 >= (double)s->options.budget;
}

static bool wants(void *context, uint32_t round, uint32_t block)
{
    const struct run *run = context;

    return round < run->study->options.rounds || run->undecided[block];
}

static int is_narrow(void *context, double precision, bool *narrow)
{
    struct loss_study *s = ((struct run *)context)->study;
    int error = loss_analyse(s);

    *narrow = true;
    for (uint32_t i = 0; i < s->row_count; i++) {
        const struct loss_row *row = &s->rows[i];

        if (row->pair > 0 && row->n > 0)
            *narrow = *narrow && stats_is_narrow(&row->ratio, row->ratio.estimate, precision);
    }
    return error;
}

static void status(void *context, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    const struct loss_study *s = ((struct run *)context)->study;
    const struct loss_cell *cell = &s->cells[slot->block];
    const struct loss_pair *pair = &s->pairs[slot->member];
    double seconds[LOSS_ROUNDS_MAX];
    size_t n = 0;

    for (uint32_t round = 0; round <= slot->round; round++) {
        const struct loss_sample *sample = loss_sample(s, round, slot->block, slot->member);

        if (sample->done && sample->outcome.error == 0)
            seconds[n++] = sample->outcome.seconds;
    }
    (void)snprintf(text, ROUNDS_STATUS_MAX,
                   "loss %g %%, RTT %g ms, reordering %g %%: %s to %s, median %.2f s of %zu",
                   cell->loss, cell->rtt_ms, cell->reorder, flow_stack_name(pair->sender),
                   flow_stack_name(pair->receiver), stats_median(seconds, n), n);
}

static const struct rounds_ops ops = {
    .study = "loss",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe,
    .take = take,
    .begin = begin,
    .wants = wants,
    .is_narrow = is_narrow,
    .status = status,
};

static int measure(struct loss_study *s, struct lab *lab, struct study_observer *observer,
                   char message[STUDY_MESSAGE_MAX])
{
    struct run run = {.study = s, .lab = lab, .observer = observer};
    struct rounds rounds = {.ops = &ops,
                            .study = &run,
                            .plan = {.blocks = s->cell_count,
                                     .cells_per_block = s->pair_count,
                                     .rounds = s->options.rounds_max,
                                     .seed = s->options.seed},
                            .planned = s->row_count * s->options.rounds,
                            .keep = &s->options.keep,
                            .observer = observer};

    return measured_run(&s->measured, &rounds, message);
}

int loss_run(struct loss_study *study, struct study_observer *observer,
             char message[STUDY_MESSAGE_MAX])
{
    const struct lab_options options = {.mtu = 0};
    struct lab_error why;
    struct lab *lab = NULL;
    int error = lab_open(&options, &lab, &why);

    if (error < 0) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", why.text);
        return error;
    }
    error = measure(study, lab, observer, message);
    lab_close(lab);
    return error;
}
