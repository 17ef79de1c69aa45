/*
 * study/table2/table2.h: the main study: ping RTT against handshake time, with the TLS handshake
 * behind TCP's and inside it.
 *
 *     table2_run -> table2_analyse -> { table2_text, _json, _csv, _samples, _html, _ladders }*
 *         -> table2_free
 *
 * For each ping target the link's delay is calibrated until the ping measured over it is the
 * target. Then, in rounds, every cell (stack, TLS suite, mode) is observed once at every target, in
 * shuffled order, together with a ping of each stack. docs/MEASURING.md has the method;
 * docs/HANDSHAKE.md the levels.
 *
 * Nothing here prints: what happens meanwhile is told to an observer, results are written to
 * streams that are given.
 */
#ifndef STUDY_TABLE2_H
#define STUDY_TABLE2_H

#include <stdio.h>

#include "measure/fit.h"
#include "measure/sample.h"
#include "study/noise.h"
#include "study/observer.h"
#include "study/rounds.h"
#include "study/testbed.h"

enum {
    TABLE2_PINGS_MAX = 16,
    TABLE2_ROUNDS_MAX = 100000,
    TABLE2_MEMBERS = 48, /* of a block, at most */
    TABLE2_MESSAGE_MAX = TESTBED_MESSAGE_MAX,
};

enum table2_link { TABLE2_LAB, TABLE2_MEMORY };

/** What is measured beside new sessions on our stack, sequential and embedded, and the kernel's. */
enum table2_modes {
    TABLE2_RESUMED = 1,   /* by session ID, ticket and PSK */
    TABLE2_EARLY = 2,     /* early data */
    TABLE2_FAST_OPEN = 4, /* the kernel's, with cookies */
    TABLE2_QUIC = 8,
    TABLE2_ALL = 15
};

struct table2_options {
    double ping_ms[TABLE2_PINGS_MAX];
    int pings;
    uint32_t rounds, warmup;
    enum tlsyn_level level;
    unsigned modes; /* bits of enum table2_modes */
    tlsyn_time pad; /* emulated computing at the server, per handshake */
    tlsyn_time timeout;
    uint64_t seed;
    enum table2_link link;
    struct rounds_keep keep;
    struct study_link path; /* what the link does beside delaying */
    const char *folder;     /* for captures; exists */
    const char *command;    /* as typed, for the reports */
    const char *version;    /* of tlsyn */
};

/** The options of `tlsyn bench table2` without arguments. */
void table2_defaults(struct table2_options *options);

/** About how long a run takes, in seconds. */
double table2_estimate(const struct table2_options *options);

/** One kind of observation, made once per round at every ping target. */
struct table2_member {
    bool ping; /* an echo; of the way only the stack means something */
    struct study_way way;
};

/** The link at one ping target. */
struct table2_target {
    double ping_ms;                  /* asked for */
    tlsyn_time to_server, to_client; /* delays that were set */
    double calibrated_ms;            /* the ping over it when it was calibrated; NaN: not yet */
    uint32_t turns, missed; /* over it; those in which it was not kept: of table2_analyse() */
};

/** The ping over it was what was asked for, and most turns kept it. */
bool table2_target_kept(const struct table2_target *target);

/** What both ends agreed on: [stack][suite]. */
struct table2_negotiated {
    char version[16], cipher[48], group[24];
};

/** A row of the table: one cell's figures. Milliseconds; NaN where there is nothing. */
struct table2_row {
    int target; /* index of the ping target */
    struct table2_member member;
    const char *level;
    size_t n, failed;
    double ping_ms;       /* the kernel's over the same rounds; in memory, our stack's */
    double stack_ping_ms; /* that of the row's own stack */
    struct stats_interval handshake_ms, first_byte_ms;
    char reason[SAMPLE_REASON_MAX]; /* of the first failure, if any */
};

/** Sequential against embedded, paired by round: on our stack at one target with one suite and kind
 * of session. */
struct table2_saving {
    int target;
    enum study_suite suite;
    enum study_session session;
    size_t pairs;
    struct stats_interval ms, reduction /* a fraction */, per_rtt;
    struct stats_interval shift_ms; /* Hodges-Lehmann's, of the same pairs */
};

struct table2_fit {
    struct study_way way;
    bool valid;
    struct fit_line line;       /* T = a * ping + b, in ms: until the client may send */
    struct fit_line first_byte; /* until it has the first byte of the response */
};

enum {
    TABLE2_ROWS_MAX = TABLE2_PINGS_MAX * TABLE2_MEMBERS,
    TABLE2_SAVINGS_MAX = TABLE2_PINGS_MAX * STUDY_SUITES * STUDY_SESSIONS,
};

struct table2_capture {
    struct study_way way;
    char name[64]; /* of the file in the folder; "": there is none */
};

struct table2 {
    struct table2_options options;
    const char *testbed; /* "lab", "memory" */
    bool has_kernel;
    bool interrupted;
    double seconds;     /* that the rounds took */
    struct noise noise; /* of the machine meanwhile */
    struct table2_member members[TABLE2_MEMBERS];
    uint32_t member_count;
    struct table2_target targets[TABLE2_PINGS_MAX];
    struct sample_table samples; /* cell = target * member_count + member */
    struct table2_negotiated negotiated[STUDY_STACKS][STUDY_SUITES];
    struct testbed_precision precision;
    struct table2_capture captures[TABLE2_MEMBERS];
    size_t capture_count;
    /* of table2_analyse() */
    struct table2_row rows[TABLE2_ROWS_MAX];
    size_t row_count;
    struct table2_saving savings[TABLE2_SAVINGS_MAX];
    size_t saving_count;
    struct table2_fit fits[TABLE2_MEMBERS];
    size_t fit_count;
    struct fit_line published[STUDY_MODES]; /* least squares through the published figures */
};

/**
 * Measures. 0: *table holds all there is, also when it was interrupted; free it with table2_free().
 * -errno with a sentence: nothing was measured (-EPERM: the lab is forbidden here), or the testbed
 * broke down half-way; then *table may hold what came before, else it is NULL.
 */
int table2_run(const struct table2_options *options, struct study_observer *observer,
               struct table2 **table, char message[TABLE2_MESSAGE_MAX]);

/** Computes rows, savings and fits from the samples. 0 or -ENOMEM. */
int table2_analyse(struct table2 *table);

void table2_free(struct table2 *table);

/** Whether such a way was measured. */
bool table2_has(const struct table2 *table, const struct study_way *way);

/** Whether QUIC was. */
bool table2_has_quic(const struct table2 *table);

/** The row, saving (by the way's suite and session) or fit of these, or NULL. */
const struct table2_row *table2_row_of(const struct table2 *table, int target,
                                       const struct study_way *way);
const struct table2_saving *table2_saving_of(const struct table2 *table, int target,
                                             const struct study_way *way);
const struct table2_fit *table2_fit_of(const struct table2 *table, const struct study_way *way);

/* --- writing it down; each 0 or -errno -------------------------------------------------------- */

/** For a terminal of `width` columns (0: no limit). */
int table2_text(const struct table2 *table, FILE *out, unsigned width);
int table2_json(const struct table2 *table, FILE *out);
int table2_csv(const struct table2 *table, FILE *out);
/** Every single observation as CSV (report/raw.h); a ping's round trip stands under
 * handshake_us. */
int table2_samples(const struct table2 *table, FILE *out);
/** One page; refers to the other files by their names. */
int table2_html(const struct table2 *table, FILE *out);
/** The captured handshakes as ladder diagrams. */
int table2_ladders(const struct table2 *table, FILE *out);

/** What was emulated, left out or went wrong, as sentences: the i-th, or NULL when there are no
 * more. `text` holds it. */
enum { TABLE2_REMARK_MAX = 512 };
const char *table2_remark(const struct table2 *table, size_t i, char text[TABLE2_REMARK_MAX]);

/** The same in a few words for a column: "in memory, not packets; emulated: 42.0 ms at the server";
 * "" if there is nothing. */
const char *table2_label(const struct table2 *table, char text[TABLE2_REMARK_MAX]);

/** How well the link kept its delay, where somebody can tell, and how the machine disturbs: in
 * sentences. */
const char *table2_noise(const struct table2 *table, char text[TABLE2_REMARK_MAX]);

#endif
