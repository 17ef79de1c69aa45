/*
 * measure/sample.h: timed observations, kept raw.
 *
 * A *cell* is one square of a study's table: what was run (stack, TLS version, mode, level) over
 * which link. A *sample* is one observation of one cell in one round. Nothing is averaged, clipped
 * or dropped on the way in: failures and warm-up rounds are kept too and only left out when values
 * are selected. Times are microseconds as double; a time that was not observed (no first byte, say)
 * is NaN and is left out of the selection.
 *
 *   sample_table_init
 *       -> sample_table_cell (once per cell) -> sample_table_add (once per observation)
 *       -> sample_table_select / _pairs / _count
 *   -> sample_table_fini
 *
 * Not thread-safe: one owner at a time.
 */
#ifndef MEASURE_SAMPLE_H
#define MEASURE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_NAME_MAX = 16, SAMPLE_REASON_MAX = 96 };

/** What one cell is. The names are the words of the report: stack "tlsyn" or "kernel"; tls
 * "1.2-rsa", "1.2-ecdhe" or "1.3"; mode "sequential" or "embedded"; level "open", "cookie", "paper"
 * or "" where there is none; session "new", "id", "ticket", "psk", "early" or "". */
struct sample_cell {
    char stack[SAMPLE_NAME_MAX];
    char tls[SAMPLE_NAME_MAX];
    char mode[SAMPLE_NAME_MAX];
    char level[SAMPLE_NAME_MAX];
    char session[SAMPLE_NAME_MAX];
    double ping_target_ms;
};

struct sample {
    uint32_t cell;  /* index given by sample_table_cell() */
    uint32_t round; /* samples of one round are paired */
    uint32_t order; /* position in wall-clock order over the whole run */
    bool warmup;    /* from a round that is to be discarded */
    bool missed;    /* the link did not keep what was asked for in the turn that ends with this */
    bool failed;    /* no handshake; then `reason` says why and the times mean nothing */
    double handshake_us;
    double first_byte_us;
    char reason[SAMPLE_REASON_MAX];
};

enum sample_value { SAMPLE_HANDSHAKE, SAMPLE_FIRST_BYTE };

struct sample_table {
    struct sample_cell *cells;
    size_t cell_count, cell_room, cell_limit;
    struct sample *samples;
    size_t count, room, limit;
    void *(*resize)(void *, size_t); /* realloc; tests put one here that fails */
};

struct sample_counts {
    size_t ok, failed, warmup; /* warm-up samples are in neither ok nor failed */
};

/** An empty table that will never hold more than the given numbers of cells and samples. Allocates
 * nothing yet. */
void sample_table_init(struct sample_table *table, size_t cell_limit, size_t sample_limit);

/** Gives the memory back. The table is empty afterwards and keeps its limits. */
void sample_table_fini(struct sample_table *table);

/** Describes a cell in one call; names that are too long are cut. `level` may be NULL for none. The
 * session is "" for the caller to fill in. */
struct sample_cell sample_cell_make(const char *stack, const char *tls, const char *mode,
                                    const char *level, double ping_target_ms);

/** The index of the cell that equals `cell`, adding it if it is new. The cell is copied.
 * -EINVAL: the ping target is not a finite number >= 0; -ENOSPC: the limit is reached; -ENOMEM. */
int sample_table_cell(struct sample_table *table, const struct sample_cell *cell);

/** Appends a copy of `sample`. The samples of one round must be added without another round's
 * between them. -EINVAL: no such cell, or a sample that did not fail has a handshake time that is
 * negative or not finite; -ENOSPC: the limit is reached; -ENOMEM. On error the table is unchanged.
 */
int sample_table_add(struct sample_table *table, const struct sample *sample);

/** Fills in `failed` and `reason` of a sample (cut to fit). */
void sample_fail(struct sample *sample, const char *reason);

/** The values (microseconds) of a cell that count: not warm-up, not failed, finite. In the order
 * they were added. Returns how many there are; at most `room` are written to `out`. */
size_t sample_table_select(const struct sample_table *table, uint32_t cell, enum sample_value value,
                           double *out, size_t room);

/** The values of two cells in the rounds in which both count: first[i] and second[i] belong
 * together. Returns how many pairs there are; at most `room` are written. */
size_t sample_table_pairs(const struct sample_table *table, const uint32_t cells[2],
                          enum sample_value value, double *first, double *second, size_t room);

/** How many samples of a cell were good, failed, discarded. */
struct sample_counts sample_table_count(const struct sample_table *table, uint32_t cell);

#endif
