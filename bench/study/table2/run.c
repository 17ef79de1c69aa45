/*
 * study/table2/run.c: runs the study: testbed, first contacts, calibration, captures, rounds.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/calibrate.h"
#include "study/table2/parts.h"

/* A run under way. */
struct run {
    struct table2 *table;
    struct testbed *testbed;
    struct study_observer *observer;
    char *message;
    struct sample sample; /* under way */
    char status[128];
};

/* --- single observations ---------------------------------------------------------------------- */

static struct study_order order_for(const struct table2_member *member)
{
    return (struct study_order){.way = member->way};
}

static void keep_negotiated(struct table2 *t, const struct table2_member *m,
                            const struct study_outcome *seen)
{
    struct table2_negotiated *n = &t->negotiated[m->way.stack][m->way.suite];

    if (seen->error < 0 || m->way.session != STUDY_NEW)
        return;
    memcpy(n->version, seen->version, sizeof(n->version));
    memcpy(n->cipher, seen->cipher, sizeof(n->cipher));
    memcpy(n->group, seen->group, sizeof(n->group));
}

static int observe(struct run *run, const struct table2_member *member, struct sample *sample)
{
    const struct study_order order = order_for(member);
    struct study_outcome outcome;
    int why = 0;
    int error = 0;

    sample->first_byte_us = (double)NAN;
    if (member->ping) {
        error = testbed_ping(run->testbed, member->way.stack, &sample->handshake_us, &why);
        if (error == 0 && why < 0)
            sample_fail(sample, strerror(-why));
        return error;
    }
    error = testbed_exchange(run->testbed, &order, &outcome);
    if (error < 0)
        return error;
    if (outcome.error < 0) {
        sample_fail(sample, outcome.reason);
        return 0;
    }
    sample->handshake_us = outcome.handshake_us;
    sample->first_byte_us = outcome.first_byte_us;
    return 0;
}

/* --- before the rounds ------------------------------------------------------------------------ */

static void note_failure(struct run *run, const struct table2_member *m, const char *reason)
{
    char text[TABLE2_REMARK_MAX];

    (void)snprintf(text, sizeof(text), "%s %s %s, session %s, fails: %s",
                   study_stack_name(m->way.stack), study_suite_name(m->way.suite),
                   study_mode_name(m->way.mode), study_session_name(m->way.session), reason);
    run->observer->note(run->observer, text);
}

/* Says what is being done before the rounds, whose end nobody counts. -EINTR: it shall end. */
static int prepare(struct run *run, const char *what, uint32_t done, uint32_t total)
{
    char text[96];

    if (run->observer->interrupted(run->observer))
        return -EINTR;
    (void)snprintf(text, sizeof(text), "%s: %u of %u", what, done + 1, total);
    run->observer->prepare(run->observer, text);
    return 0;
}

/* Every handshake twice: neighbours, cookies and sessions are learnt, and what can't work is found
 * out before the long wait. */
static int meet(struct run *run)
{
    struct table2 *t = run->table;
    struct study_outcome outcome = {.error = 0};
    uint32_t succeeded = 0;

    for (uint32_t i = 0; i < 2 * t->member_count; i++) {
        bool first = i < t->member_count;
        const struct table2_member *m = &t->members[first ? i : i - t->member_count];
        const struct study_order order = order_for(m);
        int error = prepare(run, "a connection of each kind, twice", i, 2 * t->member_count);

        if (error == 0 && !m->ping)
            error = testbed_exchange(run->testbed, &order, &outcome);
        if (error < 0)
            return error;
        if (m->ping || first)
            continue;
        succeeded += outcome.error == 0;
        keep_negotiated(t, m, &outcome);
        if (outcome.error < 0)
            note_failure(run, m, outcome.reason);
    }
    if (succeeded > 0)
        return 0;
    (void)snprintf(run->message, TABLE2_MESSAGE_MAX, "no handshake succeeds; the last one: %s",
                   outcome.reason);
    return -EPROTO;
}

static int calibrate_targets(struct run *run)
{
    struct table2 *t = run->table;

    for (int i = 0; i < t->options.pings; i++) {
        struct table2_target *target = &t->targets[i];
        struct calibration c = {.delay = {0}};
        int error = calibrate(run->testbed, target->ping_ms, run->observer, &c);

        if (error < 0)
            return error;
        target->to_server = c.delay[0];
        target->to_client = c.delay[1];
        target->calibrated_ms = c.ping_ms;
    }
    return 0;
}

/* Each time anew in what is drawn by lot, or each round would lose the same frames. */
static int set_target(struct run *run, int target, uint64_t turn)
{
    const struct table2_target *t = &run->table->targets[target];
    const tlsyn_time delay[2] = {t->to_server, t->to_client};
    struct tlsyn_impairment path[2];

    study_link_path(&run->table->options.path, delay, run->table->options.seed + turn, path);
    return testbed_set_link(run->testbed, path);
}

/* Behind a turn at one target: did the link not keep what was asked for? */
static int judge_link(struct run *run, int target, bool *missed)
{
    struct testbed_precision *p = &run->table->precision;
    int error = testbed_precision(run->testbed, p);

    *missed = error == 0 && p->known &&
              !study_link_was_kept(run->table->targets[target].ping_ms, &p->lately);
    return error;
}

/* "1.3-embedded.pcapng", "1.3-embedded-psk.pcapng" */
static void name_capture(struct table2_capture *capture)
{
    const struct study_way *way = &capture->way;
    bool is_new = way->session == STUDY_NEW;

    (void)snprintf(capture->name, sizeof(capture->name), "%s-%s%s%s.pcapng",
                   study_suite_name(way->suite), study_mode_name(way->mode), is_new ? "" : "-",
                   is_new ? "" : study_session_name(way->session));
}

/* Captured connections have sessions of their own, for their keys are told: the first of two only
 * brings what the second resumes. */
static int capture(struct run *run, const struct table2_member *member,
                   struct table2_capture *capture)
{
    struct table2 *t = run->table;
    struct study_order order = order_for(member);
    struct study_outcome outcome = {.error = 0};
    int times = member->way.session == STUDY_NEW ? 1 : 2;
    int error = 0;

    capture->way = member->way;
    name_capture(capture);
    (void)snprintf(order.capture, sizeof(order.capture), "%s/%s", t->options.folder, capture->name);
    for (int i = 0; error == 0 && i < times; i++)
        error = testbed_exchange(run->testbed, &order, &outcome);
    if (error == 0 && outcome.error < 0) {
        note_failure(run, member, outcome.reason);
        capture->name[0] = '\0';
    }
    return error;
}

/* One connection per mode, which isn't timed: over the longest of the links, where a picture
 * shows the most. */
static int capture_all(struct run *run)
{
    struct table2 *t = run->table;
    int longest = 0;
    int error = 0;

    for (int i = 1; i < t->options.pings; i++) {
        if (t->targets[i].ping_ms > t->targets[longest].ping_ms)
            longest = i;
    }
    error = set_target(run, longest, 0);
    for (uint32_t i = 0; error == 0 && i < t->member_count; i++) {
        if (t->members[i].ping || t->members[i].way.stack != STUDY_TLSYN)
            continue;
        error = prepare(run, "captures of each kind", i, t->member_count);
        if (error == 0)
            error = capture(run, &t->members[i], &t->captures[t->capture_count++]);
    }
    return error;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static double running_median_ms(const struct table2 *t, uint32_t cell)
{
    size_t n = sample_table_select(&t->samples, cell, SAMPLE_HANDSHAKE, NULL, 0);
    double *values = n > 0 ? calloc(n, sizeof(*values)) : NULL;
    double median = (double)NAN;

    if (values) {
        (void)sample_table_select(&t->samples, cell, SAMPLE_HANDSHAKE, values, n);
        median = stats_median(values, n) / 1e3;
    }
    free(values);
    return median;
}

static uint32_t member_index(const struct table2 *t, enum study_suite suite, enum study_mode mode)
{
    const struct study_way way = {.suite = suite, .mode = mode};
    uint32_t i = 0;

    while (t->members[i].ping || !study_way_equal(&t->members[i].way, &way))
        i++;
    return i;
}

/* "1.2-rsa 19.1 -> 13.0", or nothing before the first round that counts. */
static void describe_suite(const struct table2 *t, uint32_t block, enum study_suite suite,
                           char *text, size_t size)
{
    uint32_t base = block * t->member_count;
    double sequential = running_median_ms(t, base + member_index(t, suite, STUDY_SEQUENTIAL));
    double embedded = running_median_ms(t, base + member_index(t, suite, STUDY_EMBEDDED));

    text[0] = '\0';
    if (!isnan(sequential) && !isnan(embedded))
        (void)snprintf(text, size, "%s %.1f -> %.1f", study_suite_name(suite), sequential,
                       embedded);
}

/* "at 6 ms: 1.2-rsa 19.1 -> 13.0, 1.3 15.0 -> 9.0" */
static void describe_block(const struct table2 *t, uint32_t block, char *text, size_t size)
{
    char rsa[48];
    char tls13[48];

    describe_suite(t, block, STUDY_12_RSA, rsa, sizeof(rsa));
    describe_suite(t, block, STUDY_13, tls13, sizeof(tls13));
    (void)snprintf(text, size, "at %g ms%s%s%s%s", t->targets[block].ping_ms, rsa[0] ? ": " : "",
                   rsa, tls13[0] ? (rsa[0] ? ", " : ": ") : "", tls13);
}

static const struct journal_field fields[] = {
    JOURNAL_FIELD(sample, missed, JOURNAL_BOOL),
    JOURNAL_FIELD(sample, failed, JOURNAL_BOOL),
    JOURNAL_FIELD(sample, handshake_us, JOURNAL_DOUBLE),
    JOURNAL_FIELD(sample, first_byte_us, JOURNAL_DOUBLE),
    JOURNAL_FIELD(sample, reason, JOURNAL_TEXT),
};

static void *sample_of(void *context, const struct schedule_slot *slot)
{
    struct run *run = context;

    run->sample = (struct sample){.cell = slot->block * run->table->member_count + slot->member,
                                  .round = slot->round,
                                  .order = slot->order,
                                  .warmup = slot->warmup};
    return &run->sample;
}

static int observe_slot(void *context, const struct schedule_slot *slot, void *into)
{
    struct run *run = context;
    struct sample *sample = into;
    int error = slot->block_start ? set_target(run, (int)slot->block, slot->order) : 0;

    if (error == 0)
        error = observe(run, &run->table->members[slot->member], sample);
    if (error == 0 && slot->block_end)
        error = judge_link(run, (int)slot->block, &sample->missed);
    return error;
}

static int take(void *context, const struct schedule_slot *slot, void *sample)
{
    (void)slot;
    return sample_table_add(&((struct run *)context)->table->samples, sample);
}

static int is_narrow(void *context, double precision, bool *narrow)
{
    struct table2 *t = ((struct run *)context)->table;
    int error = table2_analyse(t);

    *narrow = true;
    for (size_t i = 0; i < t->row_count; i++) {
        const struct stats_interval *ms = &t->rows[i].handshake_ms;

        if (t->rows[i].n > 0)
            *narrow = *narrow && stats_is_narrow(ms, ms->estimate, precision);
    }
    return error;
}

/* Medians take their time: once per block. */
static void status(void *context, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    struct run *run = context;

    if (slot->block_start || !run->status[0])
        describe_block(run->table, slot->block, run->status, sizeof(run->status));
    (void)snprintf(text, ROUNDS_STATUS_MAX, "%s", run->status);
}

static const struct rounds_ops ops = {
    .study = "table2",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe_slot,
    .take = take,
    .is_narrow = is_narrow,
    .status = status,
};

static int run_rounds(struct run *run)
{
    struct table2 *t = run->table;
    uint32_t cells = (uint32_t)t->options.pings * t->member_count;
    struct rounds rounds = {.ops = &ops,
                            .study = run,
                            .plan = {.blocks = (uint32_t)t->options.pings,
                                     .cells_per_block = t->member_count,
                                     .warmup_rounds = t->options.warmup,
                                     .rounds = t->options.rounds,
                                     .seed = t->options.seed},
                            .planned = cells * (t->options.warmup + t->options.rounds),
                            .keep = &t->options.keep,
                            .observer = run->observer};
    int error = rounds_run(&rounds, run->message);

    t->interrupted = rounds.interrupted;
    t->seconds = rounds.seconds;
    return error;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int run_all(struct run *run)
{
    struct testbed_precision unread; /* of what came before the rounds */
    int error = table2_list_cells(run->table);

    if (error == 0)
        error = meet(run);
    if (error == 0)
        error = calibrate_targets(run);
    if (error == 0)
        error = capture_all(run);
    if (error == -EINTR)
        error = 0; /* the rounds notice it, too, and there may be some already */
    if (error == 0)
        error = testbed_precision(run->testbed, &unread);
    if (error == 0) {
        noise_begin(&run->table->noise);
        noise_keep_awake(&run->table->noise);
        error = run_rounds(run);
        noise_end(&run->table->noise);
    }
    if (error < 0 && run->message[0] == '\0')
        (void)snprintf(run->message, TABLE2_MESSAGE_MAX, "the measurement has broken off: %s",
                       error == -EPIPE ? "a process of the lab has died" : strerror(-error));
    return error;
}

static unsigned sessions_of(const struct table2_options *o)
{
    unsigned sessions = 1U << STUDY_NEW;

    if (o->modes & TABLE2_RESUMED)
        sessions |= 1U << STUDY_ID | 1U << STUDY_TICKET | 1U << STUDY_PSK;
    return o->modes & TABLE2_EARLY ? sessions | 1U << STUDY_EARLY : sessions;
}

int table2_run(const struct table2_options *options, struct study_observer *observer,
               struct table2 **table, char message[TABLE2_MESSAGE_MAX])
{
    struct credentials credentials;
    const struct testbed_options wanted = {.credentials = &credentials,
                                           .level = options->level,
                                           .sessions = sessions_of(options),
                                           .fast_open = (options->modes & TABLE2_FAST_OPEN) != 0,
                                           .quic = (options->modes & TABLE2_QUIC) != 0,
                                           .pad = options->pad,
                                           .timeout = options->timeout + options->pad};
    struct run run = {.observer = observer, .message = message};
    int error = credentials_make(&credentials);

    *table = NULL;
    message[0] = '\0';
    if (error < 0) {
        (void)snprintf(message, TABLE2_MESSAGE_MAX, "no certificates can be made: %s",
                       strerror(-error));
        return error;
    }
    error = options->link == TABLE2_LAB ? testbed_open_lab(&wanted, &run.testbed, message)
                                        : testbed_open_memory(&wanted, &run.testbed, message);
    if (error < 0)
        return error;
    run.table = table2_new(options, run.testbed);
    error = run.table ? run_all(&run) : -ENOMEM;
    testbed_close(run.testbed);
    if (run.table && error < 0 && run.table->samples.count == 0) {
        table2_free(run.table);
        run.table = NULL;
    }
    *table = run.table;
    return error;
}
