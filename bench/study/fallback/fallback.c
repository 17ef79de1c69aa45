/*
 * study/fallback/fallback.c: the matrix and the rounds.
 */
#include "study/fallback/fallback.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "study/fallback/parts.h"

/* Bounds: round trips and milliseconds. Two timeouts begin at 200 ms and srtt, one behind a tail
 * loss probe. */
/* clang-format off */
#define LESS   {-1, 0}
#define SAME   {0, 0}
#define MORE   {1, 0}
#define SECOND {0, 1000}
#define RTOS   {6, 650}

static const struct fallback_row matrix[] = {
    {"ours", "ours, flight within the budget", 0, NULL, false, {LESS, LESS}},
    {"ours-over", "ours, flight over the budget", 0, NULL, true, {SAME, SAME}},
    {"linux-cookie", "Linux with Fast Open: a cookie, then with it", 0, "3", false, {SAME, LESS}},
    {"linux-open", "Linux that wants no cookie (0x200)", 0, "515", false, {LESS, LESS}},
    {"linux-off", "Linux without Fast Open", 0, "1", false, {SAME, SAME}},
    {"proxy", "SYN proxy", TLSYN_MIDDLEBOX_PROXY, NULL, false, {SAME, SAME}},
    {"strip-option",
     "the option is stripped",
     TLSYN_MIDDLEBOX_STRIP_OPTION,
     NULL,
     false,
     {SAME, SAME}},
    {"strip-text",
     "the payload is stripped",
     TLSYN_MIDDLEBOX_STRIP_TEXT,
     NULL,
     false,
     {SAME, SAME}},
    {"strip-both",
     "both are stripped",
     TLSYN_MIDDLEBOX_STRIP_TEXT | TLSYN_MIDDLEBOX_STRIP_OPTION,
     NULL,
     false,
     {SAME, SAME}},
    {"reset", "RST to a SYN with payload", TLSYN_MIDDLEBOX_RESET_SYN, NULL, false, {MORE, SAME}},
    {"drop-syn", "SYN with payload dropped", TLSYN_MIDDLEBOX_DROP_SYN, NULL, false, {SECOND, SAME}},
    {"drop-answer",
     "SYN-ACK with payload dropped",
     TLSYN_MIDDLEBOX_DROP_ANSWER,
     NULL,
     false,
     {SECOND, SAME}},
    {"swallow", "black hole after the open", TLSYN_MIDDLEBOX_SWALLOW, NULL, false, {RTOS, SAME}},
    {"swallow-strip",
     "... which strips the payload, too",
     TLSYN_MIDDLEBOX_SWALLOW | TLSYN_MIDDLEBOX_STRIP_TEXT,
     NULL,
     false,
     {RTOS, SAME}},
};
/* clang-format on */

void fallback_defaults(struct fallback_options *options)
{
    *options = (struct fallback_options){
        .link = study_link_perfect(), .rounds = 11, .seed = 1, .timeout = TLSYN_SECONDS(10)};
    options->link.rtt_ms = 40;
}

int fallback_plan(const struct fallback_options *options, struct fallback_study **study)
{
    struct fallback_study *s = NULL;
    int error = 0;

    if (!(options->link.rtt_ms > 0 && options->link.rtt_ms <= FALLBACK_RTT_MAX) ||
        options->rounds < 1 || options->rounds > FALLBACK_ROUNDS_MAX)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->options = *options;
    s->rows = matrix;
    s->row_count = sizeof(matrix) / sizeof(*matrix);
    s->samples = calloc((size_t)s->row_count * options->rounds, sizeof(*s->samples));
    error = s->samples ? credentials_make(&s->credentials) : -ENOMEM;
    if (error < 0) {
        fallback_free(s);
        return error;
    }
    *study = s;
    return 0;
}

void fallback_free(struct fallback_study *study)
{
    if (!study)
        return;
    free(study->samples);
    free(study);
}

/* --- as rounds are made: a row is a block, its members are sequential and embedded ------------ */

#define CONTACT(which, i)                                                                          \
    JOURNAL_FIELD(fallback_sample, which[i].us, JOURNAL_DOUBLE),                                   \
        JOURNAL_FIELD(fallback_sample, which[i].embedding, JOURNAL_UINT32),                        \
        JOURNAL_FIELD(fallback_sample, which[i].opens, JOURNAL_UINT32)

static_assert(sizeof(enum tlsyn_embedding) == sizeof(uint32_t), "it is kept as such");

static const struct journal_field fields[] = {
    JOURNAL_FIELD(fallback_sample, missed, JOURNAL_BOOL),
    JOURNAL_FIELD(fallback_sample, error, JOURNAL_INT),
    JOURNAL_FIELD(fallback_sample, reason, JOURNAL_TEXT),
    JOURNAL_FIELD(fallback_sample, rtt_us, JOURNAL_DOUBLE),
    CONTACT(sequential, 0),
    CONTACT(sequential, 1),
    CONTACT(embedded, 0),
    CONTACT(embedded, 1),
};

static void *sample_of(void *context, const struct schedule_slot *slot)
{
    const struct fallback_study *s = ((struct fallback_run *)context)->study;

    return &s->samples[slot->round * s->row_count + slot->block];
}

static int observe(void *context, const struct schedule_slot *slot, void *into)
{
    struct fallback_run *run = context;
    const struct fallback_row *row = &run->study->rows[slot->block];
    struct fallback_sample *sample = into;
    int error;

    if (slot->block_start)
        fallback_prepare(run, row, sample);
    error = fallback_see(run, row, slot->member == 1, sample, NULL);
    if (error == 0 && sample->error < 0) {
        char note[400];

        (void)snprintf(note, sizeof(note), "%s failed: %s", row->title, sample->reason);
        run->observer->note(run->observer, note);
    }
    return error < 0 ? error : fallback_settle(run);
}

/* The second of a row's two visits makes it whole. */
static int take(void *context, const struct schedule_slot *slot, void *sample)
{
    (void)context;
    ((struct fallback_sample *)sample)->done = slot->block_end;
    return 0;
}

/* Costs are near zero: they are as exact as the handshakes that they are added to. */
static int is_narrow(void *context, double precision, bool *narrow)
{
    struct fallback_study *s = ((struct fallback_run *)context)->study;
    int error = fallback_analyse(s);

    *narrow = true;
    for (uint32_t i = 0; i < s->row_count; i++) {
        const struct fallback_result *result = &s->result[i];

        for (int k = 0; k < FALLBACK_CONTACTS && result->n > 0; k++)
            *narrow =
                *narrow && stats_is_narrow(&result->cost[k].ms, result->sequential_ms, precision);
    }
    return error;
}

static void status(void *context, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    const struct fallback_study *s = ((struct fallback_run *)context)->study;
    double ms[FALLBACK_ROUNDS_MAX];
    size_t n = 0;

    for (uint32_t round = 0; round <= slot->round; round++) {
        const struct fallback_sample *sample = &s->samples[round * s->row_count + slot->block];

        if (sample->done && sample->error == 0)
            ms[n++] = (sample->embedded[0].us - sample->sequential[0].us) / 1e3;
    }
    if (n > 0)
        (void)snprintf(text, ROUNDS_STATUS_MAX, "first contact costs %+.1f ms, median of %zu: %s",
                       stats_median(ms, n), n, s->rows[slot->block].title);
    else
        (void)snprintf(text, ROUNDS_STATUS_MAX, "%s", s->rows[slot->block].title);
}

static const struct rounds_ops ops = {
    .study = "fallback",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe,
    .take = take,
    .is_narrow = is_narrow,
    .status = status,
};

static int go_rounds(struct fallback_run *run, char message[STUDY_MESSAGE_MAX])
{
    struct fallback_study *s = run->study;
    struct rounds rounds = {.ops = &ops,
                            .study = run,
                            .plan = {.blocks = s->row_count,
                                     .cells_per_block = 2,
                                     .rounds = s->options.rounds,
                                     .seed = s->options.seed},
                            .planned = 2 * s->row_count * s->options.rounds,
                            .keep = &s->options.keep,
                            .observer = run->observer};
    int error = rounds_run(&rounds, message);

    s->interrupted = rounds.interrupted;
    s->seconds = rounds.seconds;
    return error;
}

/* One visit more to each row, apart from those that are timed: for the page. */
static int capture_all(struct fallback_run *run)
{
    struct fallback_study *s = run->study;
    int error = 0;

    for (uint32_t i = 0; s->options.folder && error == 0 && i < s->row_count; i++) {
        struct fallback_sample sample = {.error = 0};
        char path[FALLBACK_PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s/%s.pcapng", s->options.folder, s->rows[i].name);
        fallback_prepare(run, &s->rows[i], &sample);
        error = fallback_see(run, &s->rows[i], true, &sample, path);
        s->captured[i] = error == 0 && sample.error == 0;
        if (error == 0)
            error = fallback_settle(run);
    }
    return error;
}

/* --- the laboratory --------------------------------------------------------------------------- */

static int measure(struct fallback_run *run, char message[STUDY_MESSAGE_MAX])
{
    int error = fallback_servers_start(run);

    if (error == 0)
        error = go_rounds(run, message);
    if (error == 0 && !run->study->interrupted)
        error = capture_all(run);
    fallback_servers_stop(run);
    return error == -EINTR ? 0 : error;
}

int fallback_run(struct fallback_study *study, struct study_observer *observer,
                 char message[STUDY_MESSAGE_MAX])
{
    struct tlsyn_impairment half[2];
    struct lab_options options = {.apart = true};
    struct fallback_run run = {.study = study, .observer = observer, .control = {-1, -1}};
    struct lab_error why;
    int error;

    run.visit =
        mmap(NULL, sizeof(*run.visit), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run.visit == MAP_FAILED)
        return -ENOMEM;
    study_link_half(&study->options.link, study->options.seed, half);
    options.to_server = half[0];
    options.to_client = half[1];
    error = lab_open(&options, &run.lab, &why);
    if (error < 0) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", why.text);
    } else {
        noise_begin(&study->noise);
        noise_keep_awake(&study->noise);
        message[0] = '\0';
        error = measure(&run, message);
        noise_end(&study->noise);
        if (error < 0 && !message[0])
            (void)snprintf(message, STUDY_MESSAGE_MAX, "the laboratory has broken down: %s",
                           strerror(-error));
        lab_close(run.lab);
    }
    (void)munmap(run.visit, sizeof(*run.visit));
    return error;
}
