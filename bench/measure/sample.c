/*
 * measure/sample.c: timed observations, kept raw: a bounded, growing table of cells and samples.
 */
#include "measure/sample.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Copy at most size - 1 bytes and end them; the rest of `to` is zeroed so that whole structs
 * compare and print alike. */
static void copy_name(char *to, size_t size, const char *from)
{
    size_t n = from == NULL ? 0 : strnlen(from, size - 1);
    memset(to, 0, size);
    if (n > 0)
        memcpy(to, from, n);
}

void sample_table_init(struct sample_table *table, size_t cell_limit, size_t sample_limit)
{
    /* An index is returned as int, so a table of more cells than that could not name them. */
    *table = (struct sample_table){
        .cell_limit = cell_limit < INT_MAX ? cell_limit : INT_MAX,
        .limit = sample_limit,
        .resize = realloc,
    };
}

void sample_table_fini(struct sample_table *table)
{
    free(table->cells);
    free(table->samples);
    table->cells = NULL;
    table->samples = NULL;
    table->cell_count = table->cell_room = 0;
    table->count = table->room = 0;
}

/* Make room for one more item of `size` bytes; `*room` and the array change only on success. */
static int grow(const struct sample_table *table, void **items, size_t *room, size_t limit,
                size_t size)
{
    size_t want = *room == 0 ? 64 : *room * 2;

    if (want > limit)
        want = limit;
    if (want <= *room)
        return -ENOSPC;
    if (want > SIZE_MAX / size)
        return -ENOMEM;
    void *bigger = table->resize(*items, want * size);
    if (bigger == NULL)
        return -ENOMEM;
    *items = bigger;
    *room = want;
    return 0;
}

struct sample_cell sample_cell_make(const char *stack, const char *tls, const char *mode,
                                    const char *level, double ping_target_ms)
{
    struct sample_cell cell = {.ping_target_ms = ping_target_ms};

    copy_name(cell.stack, sizeof cell.stack, stack);
    copy_name(cell.tls, sizeof cell.tls, tls);
    copy_name(cell.mode, sizeof cell.mode, mode);
    copy_name(cell.level, sizeof cell.level, level);
    return cell;
}

static bool cell_equal(const struct sample_cell *a, const struct sample_cell *b)
{
    return strncmp(a->stack, b->stack, SAMPLE_NAME_MAX) == 0 &&
           strncmp(a->tls, b->tls, SAMPLE_NAME_MAX) == 0 &&
           strncmp(a->mode, b->mode, SAMPLE_NAME_MAX) == 0 &&
           strncmp(a->level, b->level, SAMPLE_NAME_MAX) == 0 &&
           strncmp(a->session, b->session, SAMPLE_NAME_MAX) == 0 &&
           !(a->ping_target_ms < b->ping_target_ms) && !(a->ping_target_ms > b->ping_target_ms);
}

int sample_table_cell(struct sample_table *table, const struct sample_cell *cell)
{
    if (!isfinite(cell->ping_target_ms) || cell->ping_target_ms < 0)
        return -EINVAL;
    for (size_t i = 0; i < table->cell_count; i++) {
        if (cell_equal(&table->cells[i], cell))
            return (int)i;
    }
    if (table->cell_count == table->cell_room) {
        void *items = table->cells;
        int error = grow(table, &items, &table->cell_room, table->cell_limit, sizeof *cell);
        if (error < 0)
            return error;
        table->cells = items;
    }
    /* Name by name, so that each ends in a zero even if the caller's does not. */
    struct sample_cell *slot = &table->cells[table->cell_count];
    *slot = (struct sample_cell){.ping_target_ms = cell->ping_target_ms};
    copy_name(slot->stack, sizeof slot->stack, cell->stack);
    copy_name(slot->tls, sizeof slot->tls, cell->tls);
    copy_name(slot->mode, sizeof slot->mode, cell->mode);
    copy_name(slot->level, sizeof slot->level, cell->level);
    copy_name(slot->session, sizeof slot->session, cell->session);
    return (int)table->cell_count++;
}

int sample_table_add(struct sample_table *table, const struct sample *sample)
{
    if (sample->cell >= table->cell_count)
        return -EINVAL;
    if (!sample->failed && (!isfinite(sample->handshake_us) || sample->handshake_us < 0))
        return -EINVAL;
    if (table->count == table->room) {
        void *items = table->samples;
        int error = grow(table, &items, &table->room, table->limit, sizeof *sample);
        if (error < 0)
            return error;
        table->samples = items;
    }
    struct sample *slot = &table->samples[table->count++];
    *slot = *sample;
    slot->reason[SAMPLE_REASON_MAX - 1] = '\0';
    return 0;
}

void sample_fail(struct sample *sample, const char *reason)
{
    sample->failed = true;
    copy_name(sample->reason, sizeof sample->reason, reason);
}

/* The value of a sample that counts, NaN of one that does not. */
static double value_of(const struct sample *sample, enum sample_value value)
{
    if (sample->warmup || sample->failed)
        return NAN;
    return value == SAMPLE_HANDSHAKE ? sample->handshake_us : sample->first_byte_us;
}

size_t sample_table_select(const struct sample_table *table, uint32_t cell, enum sample_value value,
                           double *out, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < table->count; i++) {
        double v = value_of(&table->samples[i], value);
        if (table->samples[i].cell != cell || !isfinite(v))
            continue;
        if (n < room)
            out[n] = v;
        n++;
    }
    return n;
}

size_t sample_table_pairs(const struct sample_table *table, const uint32_t cells[2],
                          enum sample_value value, double *first, double *second, size_t room)
{
    size_t n = 0;
    double held[2] = {NAN, NAN}; /* what this round has given so far */

    for (size_t i = 0; i < table->count; i++) {
        const struct sample *sample = &table->samples[i];
        if (i > 0 && sample->round != table->samples[i - 1].round)
            held[0] = held[1] = NAN;
        double v = value_of(sample, value);
        if (!isfinite(v) || (sample->cell != cells[0] && sample->cell != cells[1]))
            continue;
        held[sample->cell == cells[0] ? 0 : 1] = v;
        if (!isfinite(held[0]) || !isfinite(held[1]))
            continue;
        if (n < room) {
            first[n] = held[0];
            second[n] = held[1];
        }
        n++;
        held[0] = held[1] = NAN;
    }
    return n;
}

struct sample_counts sample_table_count(const struct sample_table *table, uint32_t cell)
{
    struct sample_counts counts = {0};

    for (size_t i = 0; i < table->count; i++) {
        const struct sample *sample = &table->samples[i];
        if (sample->cell != cell)
            continue;
        if (sample->warmup)
            counts.warmup++;
        else if (sample->failed)
            counts.failed++;
        else
            counts.ok++;
    }
    return counts;
}
