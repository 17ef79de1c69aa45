/*
 * store/store.h: observations of a robot that measures for days, in an SQLite database.
 *
 *     store_open -> store_begin -> store_add_round* -> store_close       who measures
 *     store_open -> store_run, store_each -> store_close                 who reports
 *
 * A database holds one run: what was asked for, on what machine, and its rounds. A round is written
 * whole or not at all, so a robot that is stopped (or a machine that loses its power) leaves whole
 * rounds, and one that goes on begins behind the last. The schema is in docs/MEASURING.md and in
 * the database itself; its number is SQLite's user_version.
 *
 * Sentences about what went wrong go to `message`, with the remedy where there is one.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_MESSAGE_MAX = 640, STORE_PLAN_MAX = 5376, STORE_VERSION = 4 };

/** What was asked for, and where. */
struct store_run {
    char plan[STORE_PLAN_MAX]; /* what each round observes, and how; a run goes on with the same */
    char target[4352];         /* "lab", or the URLs */
    char command[1024];        /* as typed */
    char version[32];          /* of tlsyn */
    char kernel[192], cpu[128], system[128];
    char link[200];     /* of the laboratory, in words; "": there is none */
    double rtt_ms;      /* asked of the laboratory's link; NaN: there is none */
    uint64_t seed;      /* of the order in each round */
    int64_t started_us; /* since 1970 */
};

enum { STORE_WORD_MAX = 16, STORE_REASON_MAX = 160, STORE_URL_MAX = 256 };

/** One observation. A time that was not observed is NaN, a count -1. */
struct observation {
    uint32_t round, place; /* rounds from 0; its place in the shuffled order of the round */
    int64_t when_us;       /* since 1970, when it began */
    char operation[STORE_WORD_MAX]; /* "ping", "tcp", "get" */
    char stack[STORE_WORD_MAX];     /* "tlsyn", "kernel" */
    char tls[STORE_WORD_MAX];       /* "1.2-ecdhe", "1.3"; "" of ping and tcp */
    char mode[STORE_WORD_MAX];      /* "sequential", "embedded"; "" of ping and tcp */
    char session[STORE_WORD_MAX];   /* asked for: "new", "id", "ticket", "psk", "early"; or "" */
    /** "ok"; "refused": what was asked for did not take place (the server would not resume, or not
     * take the early data), so that its times are not those of the session asked for; "failed". */
    char verdict[STORE_WORD_MAX];
    char reason[STORE_REASON_MAX];   /* of what was not ok; "" */
    double connect_us;               /* ping: the round trip; tcp: until the connection was there */
    double handshake_us;             /* get: from the open call until the client could send */
    double first_byte_us;            /* get: from the open call until the response's first byte */
    int64_t syn_bytes, synack_bytes; /* text that they carried */
    /** 1: the laboratory's link kept meanwhile what was asked of it; 0: it didn't. */
    int64_t link_kept;
    double link_late_us; /* by which 99 of 100 frames left it late at most */
    /** Of the machine: how late a short sleep woke just before, and of the processors' time
     * meanwhile, in ticks of /proc/stat, how many there were and how many a hypervisor took. */
    double timer_late_us;
    int64_t cpu_ticks, stolen_ticks;
    /** Who was asked, where it was no laboratory of ours. */
    char url[STORE_URL_MAX], address[48]; /* "https://example.org/", "192.0.2.1" */
    int64_t status;                       /* get: of the HTTP response */
};

struct store;

enum store_use { STORE_READ, STORE_WRITE };

/** Opens a database; STORE_WRITE makes one where there is none. 0; -ENOENT, -EPROTO (no database of
 * ours, or one of another version), -EACCES, -ENOSPC, -EBUSY (somebody else writes), -EIO. */
int store_open(const char *path, enum store_use use, struct store **store,
               char message[STORE_MESSAGE_MAX]);
void store_close(struct store *store);

/** Begins a run, or goes on with the one that is there: then *rounds whole rounds are done, and
 * `run` becomes as it stands in the database, but for its command. -EEXIST: that one has another
 * plan, target or link. */
int store_begin(struct store *store, struct store_run *run, uint32_t *rounds,
                char message[STORE_MESSAGE_MAX]);

/** All observations of one round, or none. */
int store_add_round(struct store *store, const struct observation *observations, size_t n,
                    char message[STORE_MESSAGE_MAX]);

/** What was asked for. -ENODATA: nothing was begun. */
int store_run(struct store *store, struct store_run *run, char message[STORE_MESSAGE_MAX]);

/** How many observations there are, and whole rounds. */
int store_count(struct store *store, size_t *observations, uint32_t *rounds,
                char message[STORE_MESSAGE_MAX]);

/** Every observation, by round and place. `take` ends it with a negative value, which is given
 * back. */
int store_each(struct store *store, int (*take)(void *context, const struct observation *),
               void *context, char message[STORE_MESSAGE_MAX]);

#endif
