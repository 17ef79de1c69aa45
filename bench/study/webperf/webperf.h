/*
 * study/webperf/webperf.h: what caching session keys saves: TCP connect, TLS with a new key and
 * with one that is cached, and GET, observed back to back for as long as asked, after the WebPerf
 * robot of A. Goldberg, R. Buff and A. Schmitt, "Secure Web Server Performance Dramatically
 * Improved by Caching SSL Session Keys", WISP 1998.
 *
 *     webperf_try -> webperf_run                                   the robot: fills a database
 *     webperf_load -> webperf_analyse -> { webperf_text, ... }* -> webperf_free     the report
 *
 * With T the time of a TCP connect, S that of the handshake beyond it, and H that of the GET behind
 * it: W = T + S + H with a new key, C with a cached one, and what caching saves is (W - C) / W.
 *
 * The two halves meet in the database (store/store.h) alone: a report can be made while the robot
 * runs, and on another machine.
 */
#ifndef STUDY_WEBPERF_H
#define STUDY_WEBPERF_H

#include <stdio.h>

#include "measure/stats.h"
#include "store/store.h"
#include "study/link.h"
#include "study/noise.h"
#include "study/observer.h"

enum {
    WEBPERF_KINDS_MAX = 64,  /* of one server */
    WEBPERF_CELLS_MAX = 128, /* of all of them, in a round */
    WEBPERF_ROWS_MAX = WEBPERF_CELLS_MAX,
    WEBPERF_SERVERS_MAX = 16,
    /* four of each suite over each stack with sequential handshakes, of each server */
    WEBPERF_CLAIMS_MAX = 24 * WEBPERF_SERVERS_MAX,
    WEBPERF_TITLE_MAX = STORE_URL_MAX + 96
};

/* --- the robot -------------------------------------------------------------------------------- */

/** Makes single observations, wherever it is that they are made. */
struct webperf_prober {
    /** Fills in times, counts and verdict of what the observation's words ask for. -EINTR: it was
     * interrupted meanwhile, and the run ends in good order; another negative errno with a
     * sentence: it is itself broken. */
    int (*observe)(struct webperf_prober *, struct observation *, char message[STUDY_MESSAGE_MAX]);
};

struct webperf_options {
    const char *database;
    struct observation kinds[WEBPERF_CELLS_MAX]; /* their words: one round observes each */
    size_t kind_count;
    uint32_t rounds;     /* that the database holds in the end, at most */
    int64_t interval_us; /* from the beginning of one round to that of the next; 0: at once */
    int64_t duration_us; /* after which no round begins; 0: none */
    /** Ends sooner, when the 95 % interval of every kind's median is as narrow as this, to either
     * side, as a fraction of the median; 0: never. */
    double precision;
    struct store_run run; /* all but plan and start, which are filled in */
};

/** Whether the database, if there is one, is of such a run: nobody shall wait for a laboratory in
 * vain. 0 or -errno with a sentence. */
int webperf_try(const struct webperf_options *options, char message[STUDY_MESSAGE_MAX]);

/** Observes until there are as many rounds as asked for, or the intervals are narrow enough, or the
 * observer is interrupted: then what there is stays, and the same call goes on with it. 0 or
 * -errno with a sentence. */
int webperf_run(const struct webperf_options *options, struct webperf_prober *prober,
                struct study_observer *observer, char message[STUDY_MESSAGE_MAX]);

/* --- the report ------------------------------------------------------------------------------- */

/** One kind of observation. Times in milliseconds by round; NaN: not observed, or not ok. */
struct webperf_cell {
    struct observation what; /* its words: operation, stack, tls, mode, session; and its URL */
    size_t server;           /* which one of the study's */
    size_t ok, refused, failed;
    size_t unkept; /* the link did not keep meanwhile what was asked of it */
    size_t
        outliers; /* of what was ok: beyond the upper quartile by 3 times the quartiles' distance */
    char reason[STORE_REASON_MAX]; /* of the first that was not ok */
    double *connect, *handshake, *first_byte;
    struct stats_interval median; /* of connect (ping, tcp) or first_byte (get) */
    struct stats_summary summary; /* of the same */
};

/** A row of the paper's table: one way to use a cached key beside a new one. */
struct webperf_row {
    const struct webperf_cell *tcp, *fresh, *cached; /* tcp NULL, and t and s NaN: QUIC has none */
    size_t pairs;                                    /* rounds in which fresh and cached were ok */
    struct stats_interval t, s_new, s_cached, h, w, c;
    struct stats_interval saving; /* (W - C) / W, by rounds: a fraction */
};

enum webperf_verdict { WEBPERF_HOLDS, WEBPERF_FAILS, WEBPERF_UNDECIDED };

/** A statement of the paper's, and what was seen here. */
struct webperf_claim {
    char claim[200], of[WEBPERF_TITLE_MAX]; /* "https://a.example/: TLS 1.3, sequential, psk" */
    char seen[200];
    enum webperf_verdict verdict;
};

/** Who was asked. */
struct webperf_server {
    char url[STORE_URL_MAX]; /* "": the laboratory's */
    char address[48];        /* where it was asked first, or "" */
    bool moved;              /* and elsewhere later */
    int64_t status;          /* of its first response, or -1 */
};

struct webperf {
    struct store_run run;
    uint32_t rounds;
    size_t observations;
    struct webperf_server servers[WEBPERF_SERVERS_MAX]; /* one at least, in the order of URLs */
    size_t server_count;
    struct webperf_cell cells[WEBPERF_CELLS_MAX];
    size_t cell_count;
    int64_t *when; /* by round: microseconds since 1970 */
    struct webperf_noise {
        double *timer_late_us, *link_late_us; /* of the observations that know */
        size_t timers, links, room;
        uint64_t cpu_ticks, stolen_ticks;
        size_t asked, unkept; /* observations over a link of ours; in which it was not kept */
        /* of webperf_analyse() */
        struct noise machine; /* no load: it was measured for days, or in pieces */
        double link_p50_us, link_p99_us, link_max_us;
        double ping_error_ms; /* by which pings missed what was asked for, or NaN */
    } noise;
    /* of webperf_analyse() */
    struct webperf_row rows[WEBPERF_ROWS_MAX];
    size_t row_count;
    struct webperf_claim claims[WEBPERF_CLAIMS_MAX];
    size_t claim_count;
};

/** Reads a database. 0 or -errno with a sentence; -ENODATA: it holds no round yet. */
int webperf_load(const char *path, struct webperf **study, char message[STORE_MESSAGE_MAX]);
void webperf_free(struct webperf *study);

/** 0 or -ENOMEM. */
int webperf_analyse(struct webperf *study);

/** The cell of this server and words, or NULL. */
struct webperf_cell *webperf_cell_of(struct webperf *study, const struct observation *what);

/** Compares the rows with what the paper says. Called by webperf_analyse(). */
void webperf_claim(struct webperf *study);
const char *webperf_verdict_name(enum webperf_verdict verdict);

/** When the run began: "2026-11-22T10:12:50Z". Returns `text`. */
enum { WEBPERF_BEGUN_MAX = 32 };
const char *webperf_begun(const struct webperf *study, char text[WEBPERF_BEGUN_MAX]);

/** How well the link kept its delay, where it is ours, and how the machine disturbs: in
 * sentences. Returns `text`. */
enum { WEBPERF_NOISE_MAX = 512 };
const char *webperf_noise_text(const struct webperf *study, char text[WEBPERF_NOISE_MAX]);

/** Called by webperf_analyse(). */
void webperf_analyse_noise(struct webperf *study);

/** Of most of its observations the link kept what was asked. */
bool webperf_link_kept(const struct webperf_cell *cell);

/** "TLS 1.3, embedded", "TLS 1.3, kernel + OpenSSL, Fast Open": of a cell that is a get. */
const char *webperf_title(const struct webperf_cell *cell, char text[WEBPERF_TITLE_MAX]);
/** Where there are several servers, "https://example.org/: " before it. */
const char *webperf_full_title(const struct webperf *study, const struct webperf_cell *cell,
                               char text[WEBPERF_TITLE_MAX]);
/** "https://example.org/ (192.0.2.1), status 200"; "": the laboratory's. */
const char *webperf_server_text(const struct webperf_server *server, char text[WEBPERF_TITLE_MAX]);

/* --- writing it down; each 0 or -errno -------------------------------------------------------- */

struct webperf_report {
    double bin_ms;        /* width of the histograms' bins */
    const char *database; /* its name beside the report, or NULL */
    const char *command;  /* as typed */
};

int webperf_text(const struct webperf *study, FILE *out, unsigned width);
int webperf_json(const struct webperf *study, const struct webperf_report *report, FILE *out);
int webperf_csv(const struct webperf *study, FILE *out);
int webperf_html(const struct webperf *study, const struct webperf_report *report, FILE *out);

#endif
