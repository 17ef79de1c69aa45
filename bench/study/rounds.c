/*
 * study/rounds.c: rounds until they are enough.
 */
#include "study/rounds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsyn/loop.h>

enum { FEWEST_ROUNDS = 6 }; /* before intervals are believed */

struct run {
    struct rounds *rounds;
    struct schedule schedule;
    struct schedule_slot *slot; /* of this round, those that are wanted */
    uint32_t slots;
    uint32_t round_end;      /* observations there will be by the end of this round */
    struct journal *journal; /* NULL: none */
    bool replays;            /* the journal still has rounds */
    double earlier;          /* seconds of earlier runs */
    tlsyn_time began;
    uint32_t judged; /* rounds behind which the intervals were looked at last */
    char *message;
};

static double seconds_of(const struct run *run)
{
    return run->earlier + (double)(tlsyn_clock() - run->began) / 1e6;
}

static void tell(struct run *run, const struct schedule_slot *slot)
{
    struct rounds *r = run->rounds;
    char text[ROUNDS_STATUS_MAX] = "";
    uint32_t total = run->round_end < r->planned ? r->planned : run->round_end;

    if (slot && slot->warmup)
        (void)snprintf(text, sizeof(text), "warming up");
    else if (slot)
        r->ops->status(r->study, slot, text);
    r->observer->progress(r->observer, r->made, total, text);
}

/* --- what is there already -------------------------------------------------------------------- */

/* How many slots of this round the journal holds, as whole blocks. */
static uint32_t held(const struct run *run)
{
    size_t left = run->replays ? journal_left(run->journal) : 0;
    uint32_t whole = 0;

    for (uint32_t i = 0; i < run->slots && i < left; i++) {
        const struct journal_entry entry = journal_peek(run->journal, i);
        const struct schedule_slot *slot = &run->slot[i];

        if (entry.round != slot->round || entry.block != slot->block ||
            entry.member != slot->member)
            break;
        if (slot->block_end)
            whole = i + 1;
    }
    return whole;
}

static int take(struct run *run, const struct schedule_slot *slot, void *sample)
{
    const struct rounds *r = run->rounds;

    run->rounds->made++;
    return r->ops->take ? r->ops->take(r->study, slot, sample) : 0;
}

static int replay(struct run *run, uint32_t until)
{
    const struct rounds *r = run->rounds;
    int error = 0;

    for (uint32_t i = 0; error == 0 && i < until; i++) {
        void *sample = r->ops->sample(r->study, &run->slot[i]);

        run->earlier = journal_peek(run->journal, 0).t;
        if (!journal_next(run->journal, r->ops->fields, r->ops->field_count, sample)) {
            (void)snprintf(run->message, STUDY_MESSAGE_MAX,
                           "%s/" JOURNAL_FILE " has an observation that is none of this version of "
                           "the study: it cannot be gone on with",
                           r->keep->folder);
            return -EBADMSG;
        }
        error = take(run, &run->slot[i], sample);
    }
    return error;
}

/* For all that is still to be observed: a disk that is full shall show before hours are spent. */
static int reserve(struct run *run)
{
    const struct rounds *r = run->rounds;
    uint64_t left = r->planned > r->made ? r->planned - r->made : 0;
    uint64_t room = left * journal_entry_room(r->ops->fields, r->ops->field_count, r->values);
    int error = run->journal ? journal_reserve(run->journal, room) : 0;

    if (error < 0)
        (void)snprintf(run->message, STUDY_MESSAGE_MAX,
                       "%s has no room for what is to be observed, some %.1f MiB: %s; nothing%s "
                       "was measured",
                       r->keep->folder, (double)room / (1 << 20), strerror(-error),
                       r->made > 0 ? " more" : "");
    return error;
}

/* From here on it is measured. */
static int end_replay(struct run *run)
{
    char note[96];
    int error = run->journal ? journal_cut(run->journal) : 0;

    run->replays = false;
    if (run->rounds->made > 0) {
        (void)snprintf(note, sizeof(note),
                       "%u observations are there already; going on behind them",
                       run->rounds->made);
        run->rounds->observer->note(run->rounds->observer, note);
    }
    if (error == 0)
        error = reserve(run);
    run->began = tlsyn_clock();
    if (error == 0)
        tell(run, NULL);
    return error;
}

/* --- measuring -------------------------------------------------------------------------------- */

static int keep(struct run *run, const struct schedule_slot *slot, const void *sample)
{
    const struct rounds_ops *ops = run->rounds->ops;
    const struct journal_entry entry = {
        .round = slot->round, .block = slot->block, .member = slot->member, .t = seconds_of(run)};
    int error =
        run->journal ? journal_add(run->journal, &entry, ops->fields, ops->field_count, sample) : 0;

    if (error < 0)
        (void)snprintf(run->message, STUDY_MESSAGE_MAX,
                       "%s/" JOURNAL_FILE " cannot be written: %s; what was measured before is "
                       "kept, and --resume goes on with it",
                       run->rounds->keep->folder, strerror(-error));
    return error;
}

static int measure(struct run *run, uint32_t from)
{
    struct rounds *r = run->rounds;
    int error = 0;

    for (uint32_t i = from; error == 0 && i < run->slots; i++) {
        const struct schedule_slot *slot = &run->slot[i];
        void *sample = r->ops->sample(r->study, slot);

        error = r->observer->interrupted(r->observer) ? -EINTR : 0;
        if (error == 0)
            error = r->ops->observe(r->study, slot, sample);
        if (error == 0)
            error = keep(run, slot, sample);
        if (error == 0)
            error = take(run, slot, sample);
        if (error == 0)
            tell(run, slot);
    }
    return error;
}

/* --- until it is enough ----------------------------------------------------------------------- */

/* The slots of the next round. False: there is none. */
static bool next_round(struct run *run)
{
    const struct schedule_plan *plan = &run->rounds->plan;
    const struct rounds_ops *ops = run->rounds->ops;
    struct schedule_slot slot;

    run->slots = 0;
    for (uint32_t i = 0; i < plan->blocks * plan->cells_per_block; i++) {
        if (!schedule_next(&run->schedule, &slot))
            return false;
        if (!ops->wants || ops->wants(run->rounds->study, slot.round, slot.block))
            run->slot[run->slots++] = slot;
    }
    run->round_end = run->rounds->made + run->slots;
    return true;
}

/* Looked at again when there is a tenth more, for it takes its time. */
static int is_precise(struct run *run, bool *precise)
{
    const struct rounds *r = run->rounds;
    uint32_t counting = r->whole > r->plan.warmup_rounds ? r->whole - r->plan.warmup_rounds : 0;

    *precise = false;
    if (!r->keep || r->keep->precision <= 0 || counting < FEWEST_ROUNDS ||
        counting < run->judged + (run->judged + 9) / 10)
        return 0;
    run->judged = counting;
    return r->ops->is_narrow(r->study, r->keep->precision, precise);
}

/* 1: it is enough. */
static int is_enough(struct run *run)
{
    const struct rounds *r = run->rounds;
    bool precise = false;
    int error = is_precise(run, &precise);

    if (error < 0 || precise)
        return error < 0 ? error : 1;
    return r->ops->begin ? r->ops->begin(r->study, r->whole, seconds_of(run)) : 0;
}

/* What the journal has of the round, and then the rest. */
static int make_round(struct run *run)
{
    uint32_t there = held(run);
    int error = replay(run, there);

    if (error == 0 && run->replays && there < run->slots)
        error = end_replay(run);
    return error == 0 ? measure(run, there) : error;
}

static int go(struct run *run)
{
    struct rounds *r = run->rounds;
    int error = 0;

    while ((error = is_enough(run)) == 0 && next_round(run)) {
        error = make_round(run);
        if (error < 0)
            break;
        r->whole++;
    }
    if (error >= 0 && run->replays)
        error = end_replay(run);
    r->seconds = seconds_of(run);
    r->interrupted = error == -EINTR;
    return error == -EINTR || error > 0 ? 0 : error;
}

static int open_journal(struct run *run)
{
    const struct rounds *r = run->rounds;
    const struct rounds_keep *k = r->keep;

    if (!k || !k->folder)
        return 0;
    run->replays = k->resume;
    return k->resume
               ? journal_open(k->folder, r->ops->study, &run->journal, run->message)
               : journal_begin(k->folder, r->ops->study, k->arguments, &run->journal, run->message);
}

int rounds_run(struct rounds *rounds, char message[STUDY_MESSAGE_MAX])
{
    struct run run = {.rounds = rounds, .message = message, .began = tlsyn_clock()};
    int error = schedule_init(&run.schedule, &rounds->plan);
    int closed;

    rounds->whole = rounds->made = 0;
    message[0] = '\0';
    if (error == 0) {
        run.slot =
            calloc((size_t)rounds->plan.blocks * rounds->plan.cells_per_block, sizeof(*run.slot));
        error = run.slot ? open_journal(&run) : -ENOMEM;
    }
    if (error == 0 && !run.replays)
        error = reserve(&run);
    if (error == 0 && !run.replays)
        tell(&run, NULL);
    if (error == 0)
        error = go(&run);
    closed = journal_close(run.journal);
    schedule_fini(&run.schedule);
    free(run.slot);
    return error < 0 ? error : closed;
}
