/*
 * study/rounds.h: rounds of observations, for all studies alike: in the schedule's order, kept in a
 * journal as they are made, until they are enough.
 *
 * They are enough when all rounds are made, or the study says so before one, or the intervals are
 * narrow. An interruption keeps what there is. A run that goes on takes the whole blocks of the
 * journal as they are, throws away what there is of a block that is not whole, as its observations
 * would not stand side by side in time, and goes on in the order that it would have had. A disk
 * that is too small for what is planned is told before anything is measured.
 */
#ifndef STUDY_ROUNDS_H
#define STUDY_ROUNDS_H

#include "measure/schedule.h"
#include "study/journal.h"

enum { ROUNDS_STATUS_MAX = 200 };

/** What a run is asked for beside its rounds. */
struct rounds_keep {
    const char *folder;     /* of the journal; NULL: nothing is kept */
    char *const *arguments; /* of the command, which end with NULL */
    bool resume;            /* go on with what is in the folder */
    double precision; /* end when all intervals are this narrow, as fractions; 0: never mind */
};

struct rounds_ops {
    const char *study;
    const struct journal_field *fields; /* of a sample: what the journal keeps */
    size_t field_count;
    /** Where the observation of a slot goes. */
    void *(*sample)(void *study, const struct schedule_slot *slot);
    /** Makes it. 0; -EINTR: interrupted; or -errno: the run ends. */
    int (*observe)(void *study, const struct schedule_slot *slot, void *sample);
    /** It is there, observed now or before. 0 or -errno. May be NULL. */
    int (*take)(void *study, const struct schedule_slot *slot, void *sample);
    /** Before a round: 0, go on; 1, it is enough; -errno. `seconds` were measured so far. May be
     * NULL. */
    int (*begin)(void *study, uint32_t round, double seconds);
    /** Whether a round visits a block. May be NULL: all. */
    bool (*wants)(void *study, uint32_t round, uint32_t block);
    /** Whether every figure's interval is as narrow as that, to either side. */
    int (*is_narrow)(void *study, double precision, bool *narrow);
    /** Words for what was just observed, with the running median. */
    void (*status)(void *study, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX]);
};

struct rounds {
    const struct rounds_ops *ops;
    void *study;
    struct schedule_plan plan;
    uint32_t planned; /* observations, for the progress and the journal; there may be more */
    size_t values;    /* that the lists of an observation hold together, roughly */
    const struct rounds_keep *keep;
    struct study_observer *observer;
    /* what came of it */
    uint32_t whole; /* rounds, those for warming up included */
    uint32_t made;  /* observations, of earlier runs too */
    double seconds; /* of measuring, the same */
    bool interrupted;
};

/** Makes them. 0, also when it was interrupted; -EBADMSG: what the folder holds cannot be gone on
 * with, and is left as it is; -errno; each with a sentence. */
int rounds_run(struct rounds *rounds, char message[STUDY_MESSAGE_MAX]);

#endif
