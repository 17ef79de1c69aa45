/*
 * study/transfer/bulk.c: the study's plan, its rounds and its rows.
 */
#include "study/transfer/bulk.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "peer/lwip.h"

#define FIRST_PORT 5000
#define PORTS      10000
#define GRACE      TLSYN_SECONDS(10) /* what a transfer may take beside its span */

void bulk_defaults(struct bulk_options *options)
{
    *options = (struct bulk_options){.family = AF_INET,
                                     .rounds = 5,
                                     .span = TLSYN_SECONDS(2),
                                     .seed = 1,
                                     .controller = "cubic",
                                     .offload = {true, true},
                                     .link = study_link_perfect(),
                                     .lwip = true};
}

/* --- the plan --------------------------------------------------------------------------------- */

const char *const bulk_pair_names[] = {"kernel-kernel",
                                       "tlsyn-kernel",
                                       "kernel-tlsyn",
                                       "tlsyn-tlsyn",
                                       "lwip-kernel",
                                       "kernel-lwip",
                                       NULL};

static bool pair_is_chosen(uint32_t pairs, const char *name)
{
    for (int i = 0; bulk_pair_names[i]; i++) {
        if (strcmp(bulk_pair_names[i], name) == 0)
            return pairs == 0 || (pairs >> i & 1) != 0;
    }
    return false;
}

bool bulk_is_linked(const struct bulk_options *options)
{
    return options->link.rtt_ms > 0 || study_link_impairs(&options->link);
}

/* lwIP has no offload; it speaks IPv4 here, and beside the link. */
static bool is_wanted(const struct bulk_options *options, const struct bulk_member *member)
{
    bool lwip = member->sender == FLOW_LWIP || member->receiver == FLOW_LWIP;
    char name[32];

    (void)snprintf(name, sizeof(name), "%s-%s", flow_stack_name(member->sender),
                   flow_stack_name(member->receiver));
    if (!pair_is_chosen(options->pairs, name))
        return false;
    if (lwip && (!options->lwip || !peer_lwip_is_there() || options->family != AF_INET ||
                 bulk_is_linked(options)))
        return false;
    return lwip || options->offload[member->offload];
}

int bulk_plan(const struct bulk_options *options, struct bulk_study **study)
{
    static const struct bulk_member all[BULK_MEMBERS_MAX] = {
        {FLOW_KERNEL, FLOW_KERNEL, true},  {FLOW_TLSYN, FLOW_KERNEL, true},
        {FLOW_KERNEL, FLOW_TLSYN, true},   {FLOW_TLSYN, FLOW_TLSYN, true},
        {FLOW_KERNEL, FLOW_KERNEL, false}, {FLOW_TLSYN, FLOW_KERNEL, false},
        {FLOW_KERNEL, FLOW_TLSYN, false},  {FLOW_TLSYN, FLOW_TLSYN, false},
        {FLOW_LWIP, FLOW_KERNEL, false},   {FLOW_KERNEL, FLOW_LWIP, false},
    };
    struct bulk_study *s = NULL;

    if (options->rounds < 1 || options->rounds > BULK_ROUNDS_MAX || options->span <= FLOW_WARM)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->options = *options;
    for (size_t i = 0; i < BULK_MEMBERS_MAX; i++) {
        if (is_wanted(options, &all[i]))
            s->members[s->member_count++] = all[i];
    }
    s->samples = calloc((size_t)s->member_count * options->rounds + 1, sizeof(*s->samples));
    if (!s->samples || s->member_count == 0) {
        int error = s->samples ? -ENOENT : -ENOMEM;

        bulk_free(s);
        return error;
    }
    *study = s;
    return 0;
}

void bulk_free(struct bulk_study *study)
{
    if (!study)
        return;
    free(study->samples);
    free(study);
}

struct bulk_sample *bulk_sample(const struct bulk_study *study, uint32_t round, uint32_t member)
{
    return &study->samples[(size_t)round * study->member_count + member];
}

/* --- the rounds ------------------------------------------------------------------------------- */

static struct flow_order order_for(const struct bulk_study *s, const struct schedule_slot *slot)
{
    const struct bulk_member *member = &s->members[slot->member];
    struct tlsyn_impairment path[2];
    struct flow_order order = {
        .sender = member->sender,
        .receiver = member->receiver,
        .family = s->options.family,
        .span = s->options.span,
        .timeout = s->options.span + GRACE,
        .ring = s->options.ring,
        .copies = s->options.copies,
        .pin = true,
        .rings = s->options.rings,
        .plain = s->options.plain,
        .port = (uint16_t)(FIRST_PORT + 2 * (slot->order % PORTS)),
        .impaired = bulk_is_linked(&s->options),
    };

    /* The same fates for all of a round. */
    study_link_half(&s->options.link, s->options.seed + slot->round, path);
    order.to_server = path[0];
    order.to_client = path[1];
    memcpy(order.controller, s->options.controller, sizeof(order.controller));
    return order;
}

double bulk_gbit_s(const struct flow_outcome *outcome)
{
    return outcome->steady_seconds > 0
               ? (double)outcome->steady_bytes * 8 / outcome->steady_seconds / 1e9
               : NAN;
}

/* "tlsyn to kernel, offloads on" */
static void name_member(const struct bulk_member *member, char *text, size_t size)
{
    (void)snprintf(text, size, "%s to %s, offloads %s", flow_stack_name(member->sender),
                   flow_stack_name(member->receiver), member->offload ? "on" : "off");
}

struct run {
    struct bulk_study *study;
    struct lab **labs; /* without offloads, with */
    struct study_observer *observer;
};

static const struct journal_field fields[] = {
    JOURNAL_FIELD(bulk_sample, missed, JOURNAL_BOOL),
    FLOW_FIELDS(bulk_sample),
};

static void *sample_of(void *context, const struct schedule_slot *slot)
{
    return bulk_sample(((struct run *)context)->study, slot->round, slot->member);
}

static int observe(void *context, const struct schedule_slot *slot, void *into)
{
    struct run *run = context;
    struct bulk_study *s = run->study;
    struct bulk_sample *sample = into;
    const struct bulk_member *member = &s->members[slot->member];
    struct flow_order order = order_for(s, slot);
    struct lab *lab = run->labs[member->offload];
    int error = flow_run(lab, &order, run->observer, &sample->outcome);

    if (error == 0)
        error = study_link_ask(lab, s->options.link.rtt_ms, &sample->missed);
    if (error == 0 && sample->outcome.error < 0) {
        char name[80], note[400];

        name_member(member, name, sizeof(name));
        (void)snprintf(note, sizeof(note), "%s, failed: %s", name,
                       sample->outcome.reason[0] ? sample->outcome.reason
                                                 : strerror(-sample->outcome.error));
        run->observer->note(run->observer, note);
    }
    return error;
}

static int take(void *context, const struct schedule_slot *slot, void *sample)
{
    (void)context;
    (void)slot;
    ((struct bulk_sample *)sample)->done = true;
    return 0;
}

static void status(void *context, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    const struct bulk_study *s = ((struct run *)context)->study;
    double gbit_s[BULK_ROUNDS_MAX];
    char name[80];
    size_t n = 0;

    for (uint32_t round = 0; round <= slot->round; round++) {
        const struct bulk_sample *sample = bulk_sample(s, round, slot->member);

        if (sample->done && sample->outcome.error == 0)
            gbit_s[n++] = bulk_gbit_s(&sample->outcome);
    }
    name_member(&s->members[slot->member], name, sizeof(name));
    (void)snprintf(text, ROUNDS_STATUS_MAX, "%s: median %.1f Gbit/s of %zu", name,
                   stats_median(gbit_s, n), n);
}

/* Of what is compared: the ratios. */
static int is_narrow(void *context, double precision, bool *narrow)
{
    struct bulk_study *s = ((struct run *)context)->study;
    int error = bulk_analyse(s);

    *narrow = true;
    for (uint32_t i = 0; i < s->member_count; i++) {
        const struct bulk_row *row = &s->rows[i];

        if (row->n > 0 && isfinite(row->ratio.estimate))
            *narrow = *narrow && stats_is_narrow(&row->ratio, row->ratio.estimate, precision);
    }
    return error;
}

static const struct rounds_ops ops = {
    .study = "bulk",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe,
    .take = take,
    .is_narrow = is_narrow,
    .status = status,
};

static int measure(struct bulk_study *s, struct lab *labs[2], struct study_observer *observer,
                   char message[STUDY_MESSAGE_MAX])
{
    struct run run = {.study = s, .labs = labs, .observer = observer};
    struct rounds rounds = {.ops = &ops,
                            .study = &run,
                            .plan = {.blocks = 1,
                                     .cells_per_block = s->member_count,
                                     .rounds = s->options.rounds,
                                     .seed = s->options.seed},
                            .planned = s->member_count * s->options.rounds,
                            .keep = &s->options.keep,
                            .observer = observer};

    return measured_run(&s->measured, &rounds, message);
}

int bulk_run(struct bulk_study *study, struct study_observer *observer,
             char message[STUDY_MESSAGE_MAX])
{
    struct lab *labs[2] = {NULL, NULL};
    int error = 0;

    for (int offload = 0; error == 0 && offload < 2; offload++) {
        const struct lab_options options = {.direct = !bulk_is_linked(&study->options),
                                            .offload = offload == 1};
        struct lab_error why;

        error = lab_open(&options, &labs[offload], &why);
        if (error < 0)
            (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", why.text);
    }
    if (error == 0)
        error = measure(study, labs, observer, message);
    lab_close(labs[0]);
    lab_close(labs[1]);
    return error;
}

/* --- the rows --------------------------------------------------------------------------------- */

/* Room for one row's samples. */
struct values {
    double *gbit_s, *sender_cpu, *receiver_cpu, *own, *base;
};

static void describe(const struct bulk_study *s, uint32_t member, const struct values *v,
                     struct bulk_row *row)
{
    for (uint32_t round = 0; round < s->options.rounds; round++) {
        const struct bulk_sample *sample = bulk_sample(s, round, member);

        if (!sample->done)
            continue;
        row->missed += sample->missed;
        if (sample->outcome.error < 0) {
            if (row->failed++ == 0)
                memcpy(row->reason, sample->outcome.reason, sizeof(row->reason));
            continue;
        }
        v->gbit_s[row->n] = bulk_gbit_s(&sample->outcome);
        v->sender_cpu[row->n] = sample->outcome.sender_cpu_per_gb;
        v->receiver_cpu[row->n++] = sample->outcome.receiver_cpu_per_gb;
    }
    stats_sort(v->gbit_s, row->n);
    row->gbit_s = stats_quantile(v->gbit_s, row->n, 0.5);
    row->least = stats_quantile(v->gbit_s, row->n, 0);
    row->most = stats_quantile(v->gbit_s, row->n, 1);
    row->sender_cpu = stats_median(v->sender_cpu, row->n);
    row->receiver_cpu = stats_median(v->receiver_cpu, row->n);
}

/* The member that another is compared with: kernel to kernel under its offloads; member_count:
 * there is none. */
static uint32_t base_of(const struct bulk_study *s, uint32_t member)
{
    uint32_t i = 0;

    while (i < s->member_count &&
           (s->members[i].sender != FLOW_KERNEL || s->members[i].receiver != FLOW_KERNEL ||
            s->members[i].offload != s->members[member].offload))
        i++;
    return i;
}

static int compare(const struct bulk_study *s, uint32_t member, const struct values *v,
                   struct bulk_row *row)
{
    const struct stats_plan plan = STATS_PLAN(s->options.seed);
    uint32_t base = base_of(s, member);
    size_t n = 0;

    for (uint32_t round = 0; base < s->member_count && round < s->options.rounds; round++) {
        const struct bulk_sample *one = bulk_sample(s, round, member);
        const struct bulk_sample *other = bulk_sample(s, round, base);

        if (!one->done || !other->done || one->outcome.error < 0 || other->outcome.error < 0)
            continue;
        v->own[n] = bulk_gbit_s(&one->outcome);
        v->base[n++] = bulk_gbit_s(&other->outcome);
    }
    return stats_bootstrap_paired(v->own, v->base, n, STATS_RATIO, &plan, &row->ratio);
}

int bulk_analyse(struct bulk_study *study)
{
    size_t rounds = study->options.rounds;
    double *room = calloc(5 * rounds, sizeof(*room));
    const struct values v = {room, room + rounds, room + 2 * rounds, room + 3 * rounds,
                             room + 4 * rounds};
    int error = room ? 0 : -ENOMEM;

    for (uint32_t i = 0; error == 0 && i < study->member_count; i++) {
        struct bulk_row *row = &study->rows[i];

        *row = (struct bulk_row){.member = study->members[i]};
        describe(study, i, &v, row);
        error = compare(study, i, &v, row);
    }
    free(room);
    return error;
}
