/*
 * measure/schedule.c: paired, interleaved rounds in an order that follows from a seed.
 */
#include "measure/schedule.h"

#include <errno.h>
#include <stdlib.h>

static int plan_total(const struct schedule_plan *plan, uint32_t *total)
{
    if (plan->blocks == 0 || plan->cells_per_block == 0 || plan->rounds == 0)
        return -EINVAL;
    if (plan->blocks > SCHEDULE_CELLS_MAX ||
        plan->cells_per_block > SCHEDULE_CELLS_MAX / plan->blocks)
        return -EINVAL;
    uint64_t rounds = (uint64_t)plan->warmup_rounds + plan->rounds;
    uint64_t slots = rounds * plan->blocks * plan->cells_per_block;
    if (slots > UINT32_MAX)
        return -EINVAL;
    *total = (uint32_t)slots;
    return 0;
}

static uint32_t *identity(uint32_t n)
{
    uint32_t *items = malloc(n * sizeof *items);

    for (uint32_t i = 0; items != NULL && i < n; i++)
        items[i] = i;
    return items;
}

int schedule_init(struct schedule *schedule, const struct schedule_plan *plan)
{
    *schedule = (struct schedule){.plan = *plan};
    int error = plan_total(plan, &schedule->total);
    if (error < 0)
        return error;
    schedule->blocks = identity(plan->blocks);
    schedule->members = identity(plan->cells_per_block);
    if (schedule->blocks == NULL || schedule->members == NULL) {
        schedule_fini(schedule);
        return -ENOMEM;
    }
    rng_seed(&schedule->rng, plan->seed);
    return 0;
}

void schedule_fini(struct schedule *schedule)
{
    free(schedule->blocks);
    free(schedule->members);
    schedule->blocks = NULL;
    schedule->members = NULL;
    schedule->next = schedule->total = 0;
}

bool schedule_next(struct schedule *schedule, struct schedule_slot *slot)
{
    const struct schedule_plan *plan = &schedule->plan;

    if (schedule->next >= schedule->total)
        return false;
    uint32_t per_round = plan->blocks * plan->cells_per_block;
    uint32_t in_round = schedule->next % per_round;
    uint32_t in_block = in_round % plan->cells_per_block;

    if (in_round == 0)
        rng_shuffle(&schedule->rng, schedule->blocks, plan->blocks);
    if (in_block == 0)
        rng_shuffle(&schedule->rng, schedule->members, plan->cells_per_block);
    *slot = (struct schedule_slot){
        .round = schedule->next / per_round,
        .block = schedule->blocks[in_round / plan->cells_per_block],
        .member = schedule->members[in_block],
        .order = schedule->next,
        .warmup = schedule->next / per_round < plan->warmup_rounds,
        .block_start = in_block == 0,
        .block_end = in_block + 1 == plan->cells_per_block,
    };
    schedule->next++;
    return true;
}
