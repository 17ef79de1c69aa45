/*
 * study/rounds, study/journal: rounds in the schedule's order, kept as they are made; a run that
 * goes on is as if it had not been interrupted.
 */
#include "study/rounds.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *rounds_suite(void);

enum { BLOCKS = 3, MEMBERS = 4, ROUNDS = 8, SLOTS_MAX = 200 };

struct dice {
    double value;
    uint64_t big;
    uint32_t small;
    int error;
    bool odd;
    char word[24];
    struct journal_list rolls;
    struct journal_words names;
};

/* A study of dice: an observation says where it was made. */
struct made_up {
    struct study_observer observer;
    struct dice sample[ROUNDS][BLOCKS][MEMBERS];
    struct schedule_slot taken[SLOTS_MAX];
    uint32_t taken_count, observed;
    uint32_t interrupt_at; /* so many observations */
    bool few;              /* rounds from 4 on visit block 1 alone */
    double width;          /* of the intervals */
    uint32_t fewer;        /* observations planned than there are in the end */
    uint32_t notes, ends;  /* ends: how often the progress said that all is done */
};

static char folder[64], message[STUDY_MESSAGE_MAX];
static struct made_up *one, *other;

static void on_note(struct study_observer *observer, const char *sentence)
{
    (void)sentence;
    ((struct made_up *)observer)->notes++;
}

static void on_progress(struct study_observer *observer, uint32_t done, uint32_t total,
                        const char *status)
{
    (void)status;
    ck_assert_uint_le(done, total);
    ((struct made_up *)observer)->ends += done == total;
}

static bool interrupted(struct study_observer *observer)
{
    const struct made_up *m = (struct made_up *)observer;

    return m->interrupt_at > 0 && m->observed >= m->interrupt_at;
}

static void *sample_of(void *study, const struct schedule_slot *slot)
{
    return &((struct made_up *)study)->sample[slot->round][slot->block][slot->member];
}

static int observe(void *study, const struct schedule_slot *slot, void *sample)
{
    static const char *const names[] = {"", "snake \"eyes\"\n"};
    struct dice *d = sample;

    ((struct made_up *)study)->observed++;
    *d = (struct dice){.value = slot->member == 3 ? (double)NAN : 1.0 / (1 + slot->order),
                       .big = UINT64_C(1) << 40 | slot->order,
                       .small = slot->order,
                       .error = slot->block == 2 ? -EPIPE : 0,
                       .odd = slot->order % 2 == 1};
    (void)snprintf(d->word, sizeof(d->word), "\"%u\"\n", slot->order);
    d->rolls.count = slot->order % 3; /* none, too */
    d->rolls.value = d->rolls.count ? calloc(d->rolls.count, sizeof(double)) : NULL;
    for (size_t i = 0; i < d->rolls.count; i++)
        d->rolls.value[i] = 1.0 / (3 + slot->order + (double)i);
    ck_assert_int_eq(journal_words_make(names, slot->order % 3, &d->names), 0);
    return 0;
}

static int take(void *study, const struct schedule_slot *slot, void *sample)
{
    struct made_up *m = study;

    (void)sample;
    m->taken[m->taken_count++] = *slot;
    return 0;
}

static bool wants(void *study, uint32_t round, uint32_t block)
{
    return !((struct made_up *)study)->few || round < 4 || block == 1;
}

static int is_narrow(void *study, double precision, bool *narrow)
{
    *narrow = ((struct made_up *)study)->width <= precision;
    return 0;
}

static void status(void *study, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    (void)study;
    (void)snprintf(text, ROUNDS_STATUS_MAX, "%u", slot->order);
}

static const struct journal_field fields[] = {
    JOURNAL_FIELD(dice, value, JOURNAL_DOUBLE), JOURNAL_FIELD(dice, big, JOURNAL_UINT64),
    JOURNAL_FIELD(dice, small, JOURNAL_UINT32), JOURNAL_FIELD(dice, error, JOURNAL_INT),
    JOURNAL_FIELD(dice, odd, JOURNAL_BOOL),     JOURNAL_FIELD(dice, word, JOURNAL_TEXT),
    JOURNAL_FIELD(dice, rolls, JOURNAL_LIST),   JOURNAL_FIELD(dice, names, JOURNAL_WORDS),
};

static const struct rounds_ops ops = {
    .study = "dice",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe,
    .take = take,
    .wants = wants,
    .is_narrow = is_narrow,
    .status = status,
};

static struct made_up *fresh(void)
{
    struct made_up *m = calloc(1, sizeof(*m));

    ck_assert_ptr_nonnull(m);
    m->observer = (struct study_observer){on_note, on_note, on_progress, interrupted};
    return m;
}

static void forget(struct made_up *m)
{
    struct dice *d = &m->sample[0][0][0];

    for (size_t i = 0; i < sizeof(m->sample) / sizeof(*d); i++) {
        free(d[i].rolls.value);
        free(d[i].names.word);
    }
    free(m);
}

static int run(struct made_up *m, const struct rounds_keep *keep, struct rounds *rounds)
{
    *rounds = (struct rounds){.ops = &ops,
                              .study = m,
                              .plan = {.blocks = BLOCKS,
                                       .cells_per_block = MEMBERS,
                                       .warmup_rounds = 1,
                                       .rounds = ROUNDS - 1,
                                       .seed = 5},
                              .planned = ROUNDS * BLOCKS * MEMBERS - m->fewer,
                              .keep = keep,
                              .observer = &m->observer};
    return rounds_run(rounds, message);
}

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tlsyn-rounds-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    one = fresh();
    other = fresh();
}

static void teardown(void)
{
    char path[128];

    forget(one);
    forget(other);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, JOURNAL_FILE);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void check_same(const struct made_up *a, const struct made_up *b)
{
    ck_assert_uint_eq(a->taken_count, b->taken_count);
    for (uint32_t i = 0; i < a->taken_count; i++) {
        const struct schedule_slot *s = &a->taken[i];
        const struct dice *x = &a->sample[s->round][s->block][s->member];
        const struct dice *y = &b->sample[s->round][s->block][s->member];

        ck_assert_uint_eq(s->order, b->taken[i].order);
        ck_assert(isnan(x->value) ? isnan(y->value) : fabs(x->value - y->value) < 1e-300);
        ck_assert_uint_eq(x->big, y->big);
        ck_assert_uint_eq(x->small, y->small);
        ck_assert_int_eq(x->error, y->error);
        ck_assert_int_eq(x->odd, y->odd);
        ck_assert_str_eq(x->word, y->word);
        ck_assert_uint_eq(x->rolls.count, y->rolls.count);
        for (size_t k = 0; k < x->rolls.count; k++)
            ck_assert(fabs(x->rolls.value[k] - y->rolls.value[k]) < 1e-300);
        ck_assert_uint_eq(x->names.count, y->names.count);
        for (size_t k = 0; k < x->names.count; k++)
            ck_assert_str_eq(x->names.word[k], y->names.word[k]);
    }
}

static void damage(const char *mode, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, JOURNAL_FILE);
    file = fopen(path, mode);
    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* Wherever it is interrupted, twice over. */
START_TEST(gone_on_with_it_is_as_if_it_had_not_been_interrupted)
{
    struct rounds_keep keep = {.folder = folder};
    struct rounds rounds;
    uint32_t kept;

    one->few = other->few = _i % 2 == 1;
    ck_assert_int_eq(run(other, NULL, &rounds), 0);
    ck_assert(!rounds.interrupted);
    one->interrupt_at = (uint32_t)(1 + 5 * _i);
    ck_assert_int_eq(run(one, &keep, &rounds), 0);
    ck_assert(rounds.interrupted);
    ck_assert_uint_eq(one->taken_count, one->interrupt_at);
    kept = one->taken_count;
    damage("a", "{\"round\":1,\"blo");
    keep.resume = true;
    for (int again = 0; again < 2; again++) {
        uint32_t at = one->interrupt_at + 4;

        forget(one);
        one = fresh();
        one->few = other->few;
        one->interrupt_at = again ? 0 : at;
        ck_assert_msg(run(one, &keep, &rounds) == 0, "%s", message);
        ck_assert_uint_eq(one->taken_count - one->observed, kept / MEMBERS * MEMBERS);
        kept = one->taken_count;
    }
    ck_assert(!rounds.interrupted);
    check_same(one, other);
}
END_TEST

START_TEST(what_is_whole_is_not_measured_again)
{
    struct rounds_keep keep = {.folder = folder};
    struct rounds rounds;

    ck_assert_int_eq(run(one, &keep, &rounds), 0);
    ck_assert_uint_eq(one->observed, ROUNDS * BLOCKS * MEMBERS);
    keep.resume = true;
    ck_assert_int_eq(run(other, &keep, &rounds), 0);
    ck_assert_uint_eq(other->observed, 0);
    ck_assert_uint_eq(other->notes, 1);
    ck_assert_uint_eq(rounds.whole, ROUNDS);
    check_same(one, other);
}
END_TEST

static long size_of_journal(void)
{
    char path[128];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, JOURNAL_FILE);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_le(status.st_blocks, status.st_size / 512 + 64); /* nothing stays reserved */
    return (long)status.st_size;
}

START_TEST(room_is_estimated_as_it_is_used)
{
    struct rounds_keep keep = {.folder = folder};
    struct rounds rounds;
    size_t room = journal_entry_room(fields, sizeof(fields) / sizeof(*fields), 1);

    ck_assert_int_eq(run(one, &keep, &rounds), 0);
    long used = size_of_journal() / (ROUNDS * BLOCKS * MEMBERS);

    ck_assert_int_ge((long)room, used);
    ck_assert_int_le((long)room, 3 * used);
}
END_TEST

START_TEST(what_no_disk_can_hold_is_not_begun)
{
    struct rounds_keep keep = {.folder = folder};
    struct rounds rounds;
    const size_t values = SIZE_MAX / 1024;
    int error;

    rounds = (struct rounds){
        .ops = &ops,
        .study = one,
        .plan = {.blocks = BLOCKS, .cells_per_block = MEMBERS, .rounds = ROUNDS, .seed = 5},
        .planned = 1,
        .values = values,
        .keep = &keep,
        .observer = &one->observer};
    error = rounds_run(&rounds, message);
    if (error == 0)
        return; /* a file system that cannot tell is believed */
    ck_assert_int_eq(error, -ENOSPC);
    ck_assert_ptr_nonnull(strstr(message, "has no room for what is to be observed"));
    ck_assert_uint_eq(one->observed, 0);
}
END_TEST

START_TEST(rounds_beyond_the_plan_are_done_when_they_end)
{
    const struct rounds_keep keep = {.folder = folder};
    struct rounds rounds;

    one->fewer = 2 * BLOCKS * MEMBERS;
    ck_assert_int_eq(run(one, &keep, &rounds), 0);
    ck_assert_uint_eq(rounds.made, ROUNDS * BLOCKS * MEMBERS);
    ck_assert_uint_eq(one->ends, 1 + 2);
}
END_TEST

START_TEST(narrow_intervals_are_enough)
{
    struct rounds_keep keep = {.precision = 0.02};
    struct rounds rounds;

    one->width = 0.03;
    ck_assert_int_eq(run(one, &keep, &rounds), 0);
    ck_assert_uint_eq(rounds.whole, ROUNDS);
    other->width = 0.02;
    ck_assert_int_eq(run(other, &keep, &rounds), 0);
    ck_assert_uint_eq(rounds.whole, ROUNDS - 1); /* six that count */
}
END_TEST

START_TEST(a_run_that_goes_on_has_its_own_command)
{
    char study[] = "dice", option[] = "--six";
    char *arguments[] = {study, option, NULL};
    struct rounds_keep keep = {.folder = folder, .arguments = arguments};
    struct rounds rounds;
    char **there = NULL;
    int count = 0;

    ck_assert_int_eq(journal_arguments(folder, &there, &count, message), -ENOENT);
    ck_assert_int_eq(run(one, &keep, &rounds), 0);
    ck_assert_int_eq(journal_arguments(folder, &there, &count, message), 0);
    ck_assert_int_eq(count, 2);
    ck_assert_str_eq(there[0], "dice");
    ck_assert_str_eq(there[1], "--six");
    ck_assert_ptr_null(there[2]);
    free(there);
}
END_TEST

START_TEST(what_is_no_journal_of_the_study_is_refused)
{
    struct rounds_keep keep = {.folder = folder, .resume = true};
    struct rounds rounds;

    ck_assert_int_eq(run(one, &keep, &rounds), -ENOENT);
    damage("w", "");
    ck_assert_int_eq(run(one, &keep, &rounds), -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "is empty"));
    damage("w", "{\"study\":\"cards\",\"arguments\":[]}\n");
    ck_assert_int_eq(run(one, &keep, &rounds), -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "another study"));
    keep.resume = false;
    keep.folder = "/proc/none";
    ck_assert_int_eq(run(one, &keep, &rounds), -ENOENT);
    ck_assert_uint_eq(one->observed, 0);
}
END_TEST

Suite *rounds_suite(void)
{
    Suite *suite = suite_create("rounds");
    TCase *tc = tcase_create("rounds");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, gone_on_with_it_is_as_if_it_had_not_been_interrupted, 0, 9);
    tcase_add_test(tc, what_is_whole_is_not_measured_again);
    tcase_add_test(tc, room_is_estimated_as_it_is_used);
    tcase_add_test(tc, what_no_disk_can_hold_is_not_begun);
    tcase_add_test(tc, rounds_beyond_the_plan_are_done_when_they_end);
    tcase_add_test(tc, narrow_intervals_are_enough);
    tcase_add_test(tc, a_run_that_goes_on_has_its_own_command);
    tcase_add_test(tc, what_is_no_journal_of_the_study_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}
