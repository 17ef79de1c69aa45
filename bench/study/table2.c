/*
 * study/table2.c: runs the study: testbed, first contacts, calibration, captures, rounds.
 */
#include "study/table2.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/schedule.h"
#include "study/calibrate.h"
#include "study/published.h"

/* A run under way. */
struct run {
    struct table2 *table;
    struct testbed *testbed;
    struct study_observer *observer;
    char *message;
};

void table2_defaults(struct table2_options *options)
{
    *options = (struct table2_options){.rounds = 100,
                                       .warmup = 3,
                                       .level = TLSYN_LEVEL_COOKIE,
                                       .timeout = TLSYN_SECONDS(5),
                                       .seed = 1,
                                       .pings = PUBLISHED_ROWS};
    for (int i = 0; i < PUBLISHED_ROWS; i++)
        options->ping_ms[i] = published_rows[i].ping_ms;
}

/* --- cells ------------------------------------------------------------------------------------ */

/* Whether this is among what was asked for, where there is such a peer. */
static bool is_wanted(const struct table2_options *o, const struct study_way *way)
{
    const unsigned resumed = way->session == STUDY_NEW     ? 0
                             : way->session == STUDY_EARLY ? TABLE2_EARLY
                                                           : TABLE2_RESUMED;
    const unsigned stack = way->stack == STUDY_QUIC ? TABLE2_QUIC
                           : way->stack == STUDY_KERNEL && way->mode == STUDY_EMBEDDED
                               ? TABLE2_FAST_OPEN
                               : 0;

    return study_way_exists(way) && (o->modes & resumed) == resumed &&
           (o->modes & stack) == stack && (way->stack == STUDY_TLSYN || o->link == TABLE2_LAB) &&
           (way->stack != STUDY_QUIC || testbed_has_quic());
}

static uint32_t list_members(const struct table2_options *o,
                             struct table2_member members[TABLE2_MEMBERS])
{
    uint32_t n = 0;

    for (int stack = 0; stack < STUDY_STACKS; stack++) {
        for (int i = 0; i < STUDY_MODES * STUDY_SESSIONS * STUDY_SUITES; i++) {
            const struct study_way way = {
                .stack = (enum study_stack)stack,
                .suite = (enum study_suite)(i % STUDY_SUITES),
                .session = (enum study_session)(i / STUDY_SUITES % STUDY_SESSIONS),
                .mode = (enum study_mode)(i / STUDY_SUITES / STUDY_SESSIONS)};

            if (is_wanted(o, &way))
                members[n++] = (struct table2_member){.way = way};
        }
        if (stack == STUDY_TLSYN || (stack == STUDY_KERNEL && o->link == TABLE2_LAB))
            members[n++] =
                (struct table2_member){.ping = true, .way = {.stack = (enum study_stack)stack}};
    }
    return n;
}

/* Round trips until the response, and what is waited for between them (a quarter of each
 * exchange); then computing, which is of this order on machines of today. */
double table2_estimate(const struct table2_options *o)
{
    struct table2_member members[TABLE2_MEMBERS];
    uint32_t n = list_members(o, members);
    double round_trips = 0;
    double handshakes = 0;
    double ms = 0;

    for (uint32_t i = 0; i < n; i++) {
        round_trips += members[i].ping ? 1 : 1 + study_round_trips(&members[i].way);
        handshakes += members[i].ping ? 0 : 1;
    }
    for (int i = 0; i < o->pings; i++)
        ms += 1.25 * round_trips * o->ping_ms[i] + handshakes * (4.0 + (double)o->pad / 1e3 * 1.25);
    return 4 + ms / 1e3 * (o->rounds + o->warmup);
}

static struct sample_cell describe_cell(const struct table2 *t, const struct table2_member *m,
                                        double ping_ms)
{
    const struct study_way *way = &m->way;
    bool embedded = !m->ping && way->mode == STUDY_EMBEDDED;
    const char *level = way->stack == STUDY_TLSYN  ? study_level_name(t->options.level)
                        : way->stack == STUDY_QUIC ? NULL
                                                   : study_level_name(TLSYN_LEVEL_COOKIE);
    struct sample_cell cell = sample_cell_make(
        study_stack_name(way->stack), m->ping ? "" : study_suite_name(way->suite),
        m->ping ? "ping" : study_mode_name(way->mode), embedded ? level : NULL, ping_ms);

    (void)snprintf(cell.session, sizeof(cell.session), "%s",
                   m->ping ? "" : study_session_name(way->session));
    return cell;
}

static int list_cells(struct table2 *t)
{
    for (int target = 0; target < t->options.pings; target++) {
        for (uint32_t i = 0; i < t->member_count; i++) {
            const struct sample_cell cell =
                describe_cell(t, &t->members[i], t->targets[target].ping_ms);
            int index = sample_table_cell(&t->samples, &cell);

            if (index != target * (int)t->member_count + (int)i)
                return index < 0 ? index : -EINVAL; /* the same ping target twice */
        }
    }
    return 0;
}

static struct table2 *table_new(const struct table2_options *options, const struct testbed *testbed)
{
    struct table2 *t = calloc(1, sizeof(*t));
    size_t cells = 0;

    if (!t)
        return NULL;
    t->options = *options;
    t->testbed = testbed->name;
    t->has_kernel = testbed->has_kernel;
    t->member_count = list_members(options, t->members);
    cells = (size_t)options->pings * t->member_count;
    sample_table_init(&t->samples, cells, cells * (options->rounds + options->warmup));
    for (int i = 0; i < options->pings; i++)
        t->targets[i] =
            (struct table2_target){.ping_ms = options->ping_ms[i], .calibrated_ms = (double)NAN};
    return t;
}

void table2_free(struct table2 *table)
{
    if (!table)
        return;
    sample_table_fini(&table->samples);
    free(table);
}

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
        int error = m->ping ? 0 : testbed_exchange(run->testbed, &order, &outcome);

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
    struct calibration c = {.to_server = 0};

    for (int i = 0; i < t->options.pings; i++) {
        struct table2_target *target = &t->targets[i];
        int error = 0;

        c = (struct calibration){.to_server = 0};
        error = calibrate(run->testbed, target->ping_ms, &c);
        if (error < 0)
            return error;
        target->to_server = c.to_server;
        target->to_client = c.to_client;
        target->calibrated_ms = c.ping_ms;
    }
    return 0;
}

static int set_target(struct run *run, int target)
{
    const struct table2_target *t = &run->table->targets[target];

    return testbed_set_link(run->testbed, t->to_server, t->to_client);
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
    error = set_target(run, longest);
    for (uint32_t i = 0; error == 0 && i < t->member_count; i++) {
        if (!t->members[i].ping && t->members[i].way.stack == STUDY_TLSYN)
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

static int observe_slot(struct run *run, const struct schedule_slot *slot)
{
    struct table2 *t = run->table;
    struct sample sample = {.cell = slot->block * t->member_count + slot->member,
                            .round = slot->round,
                            .order = slot->order,
                            .warmup = slot->warmup};
    int error = slot->block_start ? set_target(run, (int)slot->block) : 0;

    if (error == 0)
        error = observe(run, &t->members[slot->member], &sample);
    return error < 0 ? error : sample_table_add(&t->samples, &sample);
}

static int run_rounds(struct run *run)
{
    struct table2 *t = run->table;
    const struct schedule_plan plan = {.blocks = (uint32_t)t->options.pings,
                                       .cells_per_block = t->member_count,
                                       .warmup_rounds = t->options.warmup,
                                       .rounds = t->options.rounds,
                                       .seed = t->options.seed};
    struct schedule schedule;
    struct schedule_slot slot;
    char status[128] = "";
    int error = schedule_init(&schedule, &plan);
    tlsyn_time start = tlsyn_clock();

    if (error < 0)
        return error;
    while (error == 0 && schedule_next(&schedule, &slot)) {
        error = observe_slot(run, &slot);
        if (slot.block_start)
            describe_block(t, slot.block, status, sizeof(status));
        run->observer->progress(run->observer, slot.order + 1, schedule.total,
                                slot.warmup ? "warming up" : status);
        t->interrupted = run->observer->interrupted(run->observer);
        if (t->interrupted)
            break;
    }
    t->seconds = (double)(tlsyn_clock() - start) / 1e6;
    schedule_fini(&schedule);
    return error;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int run_all(struct run *run)
{
    struct testbed_precision unread;
    int error = list_cells(run->table);

    if (error == 0)
        error = meet(run);
    if (error == 0)
        error = calibrate_targets(run);
    if (error == 0)
        error = capture_all(run);
    if (error == 0)
        error = testbed_precision(run->testbed, &unread); /* counts anew from here */
    if (error == 0)
        error = run_rounds(run);
    if (error == 0)
        error = testbed_precision(run->testbed, &run->table->precision);
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
    run.table = table_new(options, run.testbed);
    error = run.table ? run_all(&run) : -ENOMEM;
    testbed_close(run.testbed);
    if (run.table && error < 0 && run.table->samples.count == 0) {
        table2_free(run.table);
        run.table = NULL;
    }
    *table = run.table;
    return error;
}
