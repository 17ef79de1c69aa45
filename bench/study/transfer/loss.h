/*
 * study/transfer/loss.h: how well a transport recovers: bulk transfers through loss, delay and
 * reordering, beside the kernel's.
 *
 * A *cell* is a path: loss, round trip, reordering, address family. A *pair* is who sends and who
 * receives. In every round each cell is visited once and each pair transfers there once, in
 * shuffled order, over a path that draws the same fates (the emulator's seed is the cell's and the
 * round's). So completion times of a round can be compared: the ratio of a pair is its median time
 * through that of kernel to kernel in the same cell, with an interval that resamples whole rounds.
 *
 * Rounds alternate: in even ones the sender opens the connection, in odd ones the receiver.
 */
#ifndef STUDY_TRANSFER_LOSS_H
#define STUDY_TRANSFER_LOSS_H

#include <stdio.h>

#include "measure/stats.h"
#include "report/table.h"
#include "study/transfer/flow.h"
#include "study/transfer/measured.h"

enum {
    LOSS_VALUES_MAX = 8, /* of each of loss, RTT and reordering */
    LOSS_FAMILIES_MAX = 2,
    LOSS_PAIRS_MAX = 4,
    LOSS_CELLS_MAX = LOSS_FAMILIES_MAX * LOSS_VALUES_MAX * LOSS_VALUES_MAX * LOSS_VALUES_MAX,
    LOSS_ROUNDS_MAX = 1000,
};

struct loss_list {
    double value[LOSS_VALUES_MAX];
    int count;
};

struct loss_options {
    struct loss_list loss, reorder; /* percent of the frames, both ways */
    struct loss_list rtt;           /* ms */
    int families[LOSS_FAMILIES_MAX];
    int family_count;
    bool both_ours; /* tlsyn to tlsyn, too */
    bool reference; /* kernel to kernel alone */
    /* Of every cell; and of those where a row's interval holds LOSS_BOUND, while `budget` lasts. */
    uint32_t rounds, rounds_max;
    tlsyn_time budget;
    uint64_t bytes;   /* per transfer; 0: as loss_bytes() says */
    double scale;     /* of what loss_bytes() says */
    uint64_t rate;    /* of the link, bits per second; 0: none, the machine's own speed */
    double jitter_ms; /* up to so much more, each way, order kept */
    uint32_t queue;   /* bytes that wait for the rate at most */
    uint32_t ring;    /* see flow.h */
    char controller[16];
    tlsyn_time timeout; /* of one transfer */
    uint64_t seed;
    const char *folder; /* for captures; NULL: none */
    struct rounds_keep keep;
    const char *command, *version;
};

struct loss_cell {
    int family;
    double loss, rtt_ms, reorder;
    uint64_t bytes;
};

struct loss_pair {
    enum flow_stack sender, receiver;
};

/** A row of the table: one pair in one cell. */
struct loss_row {
    uint32_t cell, pair;
    size_t n, failed, missed;
    double seconds, least, most; /* median and range; NaN: none succeeded */
    struct stats_interval ratio; /* to kernel to kernel; NaN where there is none */
    double retransmits;          /* median */
    char reason[FLOW_REASON_MAX];
};

/** The ratios of the rows that have the kernel at one end and ours at the other. */
struct loss_summary {
    size_t rows;
    double median, worst;
    uint32_t worst_row;
    size_t above;     /* rows above LOSS_BOUND: */
    size_t surely;    /* the whole interval is */
    size_t undecided; /* above or below: the bound lies within the interval */
};

#define LOSS_BOUND 1.3 /* the ratio that no cell should exceed */

struct loss_sample {
    bool done, missed; /* missed: the emulator did not keep the path */
    struct flow_outcome outcome;
};

struct loss_study {
    struct loss_options options;
    struct loss_cell cells[LOSS_CELLS_MAX];
    uint32_t cell_count;
    struct loss_pair pairs[LOSS_PAIRS_MAX];
    uint32_t pair_count;
    struct loss_sample *samples; /* [round][cell][pair] */
    uint32_t transfers;          /* of this run */
    struct measured measured;
    struct loss_row *rows; /* of loss_analyse(): [cell][pair] */
    uint32_t row_count;
    struct loss_summary summary;
};

/** The options of `tlsyn bench loss` without arguments. */
void loss_defaults(struct loss_options *options);

/** What a transfer through a cell should have: what about a second carry at what loss leaves
 * of the rate (Mathis et al. 1997: 1.22 segments per round trip and root of the loss), within 256
 * KiB and 12 MiB. */
uint64_t loss_bytes(const struct loss_options *options, const struct loss_cell *cell);

/** The path's impairment, each way alike but for the seed. */
struct tlsyn_impairment loss_path(const struct loss_options *options, const struct loss_cell *cell,
                                  uint64_t seed);

/** Seconds that a run takes, roughly. */
double loss_estimate(const struct loss_options *options);

/** Cells and pairs of the options, without samples. 0, -EINVAL, -ENOMEM. Free with loss_free(). */
int loss_plan(const struct loss_options *options, struct loss_study **study);

/** Measures what is planned. 0, also when it was interrupted; -errno with a sentence: the
 * laboratory is forbidden (-EPERM) or broke down, and what came before is kept. */
int loss_run(struct loss_study *study, struct study_observer *observer,
             char message[STUDY_MESSAGE_MAX]);

/** Computes rows and summary from the samples. 0 or -ENOMEM. */
int loss_analyse(struct loss_study *study);

/** Behind loss_analyse(): would more rounds of this cell tell on which side of the bound its rows
 * are? */
bool loss_undecided(const struct loss_study *study, uint32_t cell);

void loss_free(struct loss_study *study);

static inline struct loss_sample *loss_sample(const struct loss_study *study, uint32_t round,
                                              uint32_t cell, uint32_t pair)
{
    return &study->samples[((size_t)round * study->cell_count + cell) * study->pair_count + pair];
}

/* --- writing it down; each 0 or -errno -------------------------------------------------------- */

int loss_text(const struct loss_study *study, FILE *out, unsigned width);
int loss_json(const struct loss_study *study, FILE *out);
int loss_html(const struct loss_study *study, FILE *out);

/** The cells, numbered from 1; free with report_table_fini(). */
void loss_table(const struct loss_study *study, struct report_table *table);
/** What was measured and what the table says of it, in sentences. Returns `text`. */
enum { LOSS_SENTENCE_MAX = 640 };
const char *loss_conditions(const struct loss_study *study, char text[LOSS_SENTENCE_MAX]);
/** The summary as a sentence. */
void loss_sentence(const struct loss_study *study, char *text, size_t size);

#endif
