/*
 * differential/judge.h: whether two stacks have taken a step alike; and where they have not,
 * whether it is known why.
 */
#ifndef DIFFERENTIAL_JUDGE_H
#define DIFFERENTIAL_JUDGE_H

#include "differential/subject.h"

/** One step, as both took it. */
struct trial {
    const struct plan *plan;
    int step;
    const struct subject *kernel, *ours;
    struct standing kernel_before, ours_before;
    const struct step *with;
    int32_t seq, end, kernel_seq; /* of the segment: distances from what ours expected next */
    bool beyond;                  /* this segment, or one before, ended beyond our edge */
    bool apart; /* it, or one before, is at another place to the kernel: by the edge */
    int32_t kernel_edge, ours_edge; /* its SEQ, from the right edges */
    int32_t ack_una, ack_nxt;       /* its ACK, from our SND.UNA and SND.NXT */
};

/** Everything but `kernel` and `ours` as it is before the step. */
void trial_begin(struct trial *trial, int step);

enum field {
    SAME,
    DIFFERS_rst,
    DIFFERS_known,
    DIFFERS_state,
    DIFFERS_rcv_nxt,
    DIFFERS_snd_una,
    DIFFERS_delivered,
    DIFFERS_syn,
    DIFFERS_ack,
    DIFFERS_snd_wnd,
    DIFFERS_snd_nxt,
    DIFFERS_FIELDS
};

extern const char *const field_names[DIFFERS_FIELDS];

/** The first thing in which they differ. */
enum field judge_compare(const struct trial *trial);

/** Number of classes, their names, and why each is. */
struct difference_class {
    const char *name, *rfc, *why;
    bool (*is)(const struct trial *, enum field);
    bool goes_on; /* both stand alike behind it */
    bool always;  /* even where nothing differs yet */
};

extern const struct difference_class judge_classes[];
extern const int judge_class_count;

/** The class that a difference belongs to, or -1. */
int judge_explain(const struct trial *trial, enum field field);

#endif
