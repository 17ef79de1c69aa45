/*
 * study/fallback/fallback.h: what an embedded handshake costs where it does not get through: each
 * row of the matrix in docs/HANDSHAKE.md, made in the laboratory, beside the sequential handshake
 * there.
 *
 * A *row* is a server and a middlebox in front of it. In every round each row is visited once, and
 * there, in shuffled order, by a client that asks for sequential handshakes and by one that asks
 * for embedded ones; each with a stack that remembers nothing, and two connections: the first
 * contact and the next. A *cost* is the time from the open call until the first byte of the
 * response, reopening included, less the sequential client's in the same round. Verdicts are by
 * the median of the rounds: a row may cost what it says, and a quarter of a round trip.
 */
#ifndef STUDY_FALLBACK_H
#define STUDY_FALLBACK_H

#include <stdio.h>

#include "measure/stats.h"
#include "report/table.h"
#include "study/credentials.h"
#include "study/link.h"
#include "study/noise.h"
#include "study/observer.h"
#include "study/rounds.h"

enum {
    FALLBACK_ROWS_MAX = 16,
    FALLBACK_ROUNDS_MAX = 200,
    FALLBACK_CONTACTS = 2,
    FALLBACK_PATH_MAX = 640,
    FALLBACK_RTT_MAX = 10000 /* ms */
};

/** How much more than what a row says is allowed, in round trips. */
#define FALLBACK_TOLERANCE 0.25

struct fallback_options {
    struct study_link link; /* its round trip is that of the link */
    uint32_t rounds;
    uint64_t seed;
    tlsyn_time timeout; /* of a connection */
    struct rounds_keep keep;
    const char *folder; /* of the results: a capture per row goes there; NULL: none */
    const char *command, *version;
};

/** What a row is, and may cost against the sequential handshake. */
struct fallback_row {
    const char *name, *title;
    unsigned rules;        /* enum tlsyn_middlebox */
    const char *fast_open; /* net.ipv4.tcp_fastopen of a server on the kernel's stack; NULL: ours */
    bool bare;             /* the ClientHello is not padded: our server's flight is over budget */
    struct fallback_bound {
        double trips, ms;
    } bound[FALLBACK_CONTACTS];
};

struct fallback_contact {
    double us; /* NaN: it failed */
    enum tlsyn_embedding embedding;
    uint32_t opens;
};

/** One round's. */
struct fallback_sample {
    bool done, missed; /* missed: the link was not kept */
    int error;         /* 0, or -errno and a reason */
    char reason[160];
    struct fallback_contact sequential[FALLBACK_CONTACTS], embedded[FALLBACK_CONTACTS];
    double rtt_us; /* an echo's */
};

struct fallback_result {
    size_t n, failed, missed;
    double rtt_ms;        /* median of the echoes */
    double sequential_ms; /* median of all contacts */
    struct fallback_cost {
        struct stats_interval ms;
        double trips; /* the estimate in round trips */
        enum tlsyn_embedding embedding;
        uint32_t opens;
        bool within; /* what the row says */
    } cost[FALLBACK_CONTACTS];
};

struct fallback_study {
    struct fallback_options options;
    const struct fallback_row *rows;
    uint32_t row_count;
    struct credentials credentials;
    struct fallback_sample *samples; /* [round][row] */
    struct fallback_result result[FALLBACK_ROWS_MAX];
    bool captured[FALLBACK_ROWS_MAX]; /* there is a file, named as its row */
    bool interrupted;
    double seconds;
    struct noise noise;
};

void fallback_defaults(struct fallback_options *options);

/** 0, -EINVAL, -ENOMEM. Free with fallback_free(). */
int fallback_plan(const struct fallback_options *options, struct fallback_study **study);

/** 0, also when it was interrupted; -errno with a sentence. */
int fallback_run(struct fallback_study *study, struct study_observer *observer,
                 char message[STUDY_MESSAGE_MAX]);

/** 0 or -ENOMEM. */
int fallback_analyse(struct fallback_study *study);

void fallback_free(struct fallback_study *study);

/** What a row may cost, in milliseconds. */
double fallback_allowed(const struct fallback_bound *bound, double rtt_ms);

/* --- a client's visit: study/fallback/client.c ------------------------------------------------ */

/** For lab_spawn() in the client's host; in memory shared with who reads it. */
struct fallback_visit {
    const struct credentials *credentials;
    const char *server; /* address */
    bool embedded, bare;
    tlsyn_time timeout;
    char capture[FALLBACK_PATH_MAX]; /* file for what the client sees, or "" */
    /* what came of it */
    int error;
    char reason[160];
    double rtt_us;
    struct fallback_contact contact[FALLBACK_CONTACTS];
};

int fallback_client(void *visit);

/* --- writing it down; each 0 or -errno -------------------------------------------------------- */

int fallback_text(const struct fallback_study *study, FILE *out, unsigned width);
int fallback_json(const struct fallback_study *study, FILE *out);
int fallback_html(const struct fallback_study *study, FILE *out);

/** The rows with what they may cost and do, numbered from 1; free with report_table_fini(). */
void fallback_table(const struct fallback_study *study, struct report_table *table);

/** How many rows cost more than they say, in a sentence. Returns `text`. */
enum { FALLBACK_SUM_MAX = 160 };
const char *fallback_sum_up(const struct fallback_study *study, char text[FALLBACK_SUM_MAX]);

#endif
