/*
 * study/pageload/live.h: whole pages loaded for real, in the laboratory, beside what the model
 * counts: at each round-trip time, under each handshake, in each kind of visit, some rounds in
 * shuffled order.
 *
 *     live_plan -> live_run -> live_analyse -> reports -> live_free
 *
 * A cell agrees with the model if its median time is the model's round trips times the round trip
 * asked for, to within LIVE_TOLERANCE of that and what the link's round trip was off by. Below
 * LIVE_RTT_MIN nothing is claimed, for there computing takes most of the time.
 *
 * Computing is in all times. How much it is, is measured beside them: each round has a block of the
 * same loads over a link that takes no time. What they take is a kind's computing, and each cell is
 * judged twice: as it is, and with that apart, (time - computing) / round trip. Nothing is fitted
 * to the cell that is judged. A line through a handshake's cells parts the two in another way.
 */
#ifndef STUDY_PAGELOAD_LIVE_H
#define STUDY_PAGELOAD_LIVE_H

#include "measure/fit.h"
#include "study/link.h"
#include "study/noise.h"
#include "study/pageload/browser.h"
#include "study/pageload/lab.h"
#include "study/rounds.h"

#define LIVE_TOLERANCE    0.05
#define LIVE_RTT_MIN      30.0
#define LIVE_RTTS_MAX     16
#define LIVE_SENTENCE_MAX 400
#define LIVE_ROUNDS_MAX   100
#define LIVE_PINGS        5 /* before each block */
#define LIVE_NAME_MAX     96
#define LIVE_STACKS       2 /* ours and the kernel's */
#define LIVE_KINDS_MAX    (LIVE_STACKS * BROWSER_HTTPS * BROWSER_HANDSHAKES * BROWSER_VISITS)

struct live_options {
    double rtt_ms[LIVE_RTTS_MAX];
    int rtts;
    uint32_t
        stacks;    /* 1 << STUDY_TLSYN and the like; the kernel's has sequential handshakes alone */
    int handshake; /* an index, or -1: all */
    int visit;     /* the same */
    uint32_t http; /* 1 << BROWSER_HTTP_1 and the like */
    uint32_t rounds;
    struct rounds_keep keep;
    uint64_t seed;
    bool typical;           /* the page is the published one */
    const char *history;    /* file of the browser's memory; NULL: none */
    struct study_link link; /* but for its round trip */
};

/** What is loaded at each round-trip time. */
struct live_kind {
    enum study_stack stack;
    int handshake;
    struct browser_kind kind;
    int model;                       /* round trips */
    double computing;                /* seconds of a load over a link that takes no time, or NaN */
    struct fit_line fit;             /* of seconds over seconds; NaN: nothing to fit */
    double longest_ms;               /* round trip that was loaded over; 0: none */
    const struct live_sample *shown; /* a load at that, the nearest to their median; or NULL */
};

enum live_verdict { LIVE_AGREES, LIVE_DIFFERS, LIVE_NO_CLAIM, LIVE_NOTHING };

/** A load, as the journal keeps it. */
struct live_sample {
    int error;
    double seconds;
    bool missed;    /* the link was not kept */
    double ping_ms; /* at the beginning of its block, the median of some; 0: none */
    char reason[LOADER_SENTENCE_MAX];
    struct journal_list steps; /* LIVE_STEP numbers each; empty but at the longest round trip that
                                  had been loaded over by then */
    struct journal_words urls; /* that they are of */
};

/** A step of a load in its list. */
enum {
    LIVE_STEP_CONNECTION, /* from 1 */
    LIVE_STEP_KIND,       /* enum load_step */
    LIVE_STEP_START,      /* milliseconds since the load began */
    LIVE_STEP_END,
    LIVE_STEP_URL, /* an index, -1: for none's sake */
    LIVE_STEP
};

/** The i-th step of a load. */
struct live_step {
    int connection;
    enum load_step kind;
    double start_ms, end_ms;
    const char *url; /* NULL: for none's sake */
};

/** A kind at one round-trip time. */
struct live_cell {
    double seconds[LIVE_ROUNDS_MAX];
    size_t loads, failed, missed; /* missed: of the loads, over a link that was not kept */
    char reason[LOADER_SENTENCE_MAX];
    double median, round_trips;     /* NaN: none succeeded */
    struct stats_interval interval; /* of the median, 95 %; NaN likewise */
    double apart;                   /* round trips without computing, or NaN */
    double allowed;                 /* seconds that it may be off the model */
    enum live_verdict verdict, verdict_apart;
};

struct live_study {
    struct live_options options;
    const struct page *page;
    struct live_kind kind[LIVE_KINDS_MAX];
    int kinds;
    int blocks;                        /* rtts, and one more where computing is measured */
    struct live_cell *cell;            /* [blocks][kinds] */
    struct live_sample *sample;        /* [rounds][blocks][kinds] */
    double ping_ms[LIVE_RTTS_MAX];     /* the median of its blocks', NaN: not measured */
    double ping_off_ms[LIVE_RTTS_MAX]; /* likewise, by how much it was not what was asked for */
    struct noise noise;
    bool interrupted;
    struct pagelab *lab;
    struct page_answer answer;
};

/** -EINVAL: nothing to do, or the bounds; -ENOMEM. */
int live_plan(const struct page *page, const struct live_options *options,
              struct live_study **study);

/** Seconds that it takes, about. */
double live_duration(const struct live_study *study);

/** Runs until it is done or interrupted; what there is stays. 0 or -errno with a sentence. */
int live_run(struct live_study *study, struct study_observer *observer,
             char message[STUDY_MESSAGE_MAX]);

/** Whether every median's interval is that narrow. 0 or -errno. */
int live_is_narrow(struct live_study *study, double precision, bool *narrow);

/** Fills in medians with their intervals, verdicts, fits. 0 or -errno. */
int live_analyse(struct live_study *study);

struct live_cell *live_cell(const struct live_study *study, int block, int kind);
struct live_sample *live_sample(const struct live_study *study, uint32_t round, int block,
                                int kind);

/** Keeps what happened in a load, until live_forget_steps(). 0 or -ENOMEM. */
int live_keep_steps(const struct page_answer *answer, struct live_sample *sample);
void live_forget_steps(struct live_sample *sample);

/** How many steps are kept of a load, and one of them. */
size_t live_steps(const struct live_sample *sample);
struct live_step live_step(const struct live_sample *sample, size_t i);

/** "agrees", "differs", "no claim", "not loaded" */
const char *live_verdict_name(enum live_verdict verdict);

/** "tlsyn: HTTP/1.1, tls1.3-embedded, repeat". Returns `text`. */
const char *live_kind_name(const struct live_kind *kind, char text[LIVE_NAME_MAX]);

/** Milliseconds; 0 of the block in which computing is measured, the last. */
double live_rtt(const struct live_study *study, int block);

/** How many cells agree, in a sentence. */
void live_sum_up(const struct live_study *study, char text[LIVE_SENTENCE_MAX]);

/** NULL is allowed. */
void live_free(struct live_study *study);

#endif
