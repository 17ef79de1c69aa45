/*
 * measure/schedule.h: the order of a study: paired, interleaved rounds.
 *
 * A machine drifts: its clock, its neighbours, its caches. If all sequential handshakes ran first
 * and all embedded ones afterwards, the drift would look like an effect. So a *round* observes
 * every cell once, close together in time, in an order that is shuffled anew for every round;
 * comparisons are made within rounds. Cells that share an expensive setting (the delay of the link)
 * form a *block*: the blocks of a round are shuffled, and the cells within each block, so the link
 * is set once per block and round. With one block the whole round is shuffled.
 *
 * The first rounds are warm-up: run alike, marked, discarded by whoever reads the samples.
 * Everything follows from the seed, which the report prints.
 */
#ifndef MEASURE_SCHEDULE_H
#define MEASURE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/rng.h"

enum { SCHEDULE_CELLS_MAX = 4096 };

struct schedule_plan {
    uint32_t blocks;          /* >= 1 */
    uint32_t cells_per_block; /* >= 1; blocks * cells_per_block <= SCHEDULE_CELLS_MAX */
    uint32_t warmup_rounds;   /* may be 0 */
    uint32_t rounds;          /* that count; >= 1 */
    uint64_t seed;
};

/** What to run next. */
struct schedule_slot {
    uint32_t round;   /* 0 .. warmup_rounds + rounds - 1 */
    uint32_t block;   /* 0 .. blocks - 1 */
    uint32_t member;  /* 0 .. cells_per_block - 1: which cell of the block */
    uint32_t order;   /* 0, 1, 2, ...: how many slots came before */
    bool warmup;      /* this round is to be discarded */
    bool block_start; /* the first slot of its block in this round: set the link now */
    bool block_end;   /* the last one */
};

struct schedule {
    struct schedule_plan plan;
    struct rng rng;
    uint32_t *blocks;  /* this round's order of blocks */
    uint32_t *members; /* this block's order of cells */
    uint32_t next;     /* slots handed out */
    uint32_t total;
};

/** -EINVAL: the plan breaks a bound above or has more than 2^32 - 1 slots; -ENOMEM. */
int schedule_init(struct schedule *schedule, const struct schedule_plan *plan);

void schedule_fini(struct schedule *schedule);

/** The next slot, or false when every round is done. */
bool schedule_next(struct schedule *schedule, struct schedule_slot *slot);

#endif
