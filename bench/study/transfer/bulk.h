/*
 * study/transfer/bulk.h: how fast one flow is over a wire between two hosts: this stack, the
 * kernel's, lwIP.
 *
 * Two laboratories without an emulator stand side by side: in one the interfaces have the kernel's
 * default offloads, in the other they have none: both stacks then leave it to the kernel to cut
 * super-segments and to sum them before they reach the wire, or ours does it itself (`plain`). In
 * every round each pair sends for a while in each of them, in shuffled order. What counts is the
 * throughput that the receiver saw behind the first FLOW_WARM, and the CPU time of both processes.
 * Rows are compared with kernel to kernel under the same offloads, by rounds.
 */
#ifndef STUDY_TRANSFER_BULK_H
#define STUDY_TRANSFER_BULK_H

#include <stdio.h>

#include "measure/stats.h"
#include "report/table.h"
#include "study/link.h"
#include "study/transfer/flow.h"
#include "study/transfer/measured.h"

enum { BULK_MEMBERS_MAX = 10, BULK_ROUNDS_MAX = 1000 };

/** "tlsyn-kernel", the sender first, and so on; NULL-terminated. */
extern const char *const bulk_pair_names[];

struct bulk_options {
    int family;
    uint32_t rounds;
    tlsyn_time span;           /* that each sends for, FLOW_WARM included */
    uint32_t ring;             /* see flow.h */
    bool copies, rings, plain; /* see flow.h */
    char controller[16];       /* of both stacks; lwIP has but NewReno */
    uint64_t seed;
    struct rounds_keep keep;
    bool offload[2]; /* which to measure: without, with */
    bool lwip;
    struct study_link link; /* perfect: the wire itself, without an emulator */
    uint32_t pairs;         /* which to measure: bit i for bulk_pair_names[i]; 0: all */
    const char *command, *version;
};

struct bulk_member {
    enum flow_stack sender, receiver;
    bool offload;
};

struct bulk_row {
    struct bulk_member member;
    size_t n, failed, missed;
    double gbit_s, least, most;      /* median and range; NaN: none succeeded */
    double sender_cpu, receiver_cpu; /* s per 10^9 bytes, medians */
    struct stats_interval ratio;     /* throughput to kernel to kernel's */
    char reason[FLOW_REASON_MAX];
};

struct bulk_sample {
    bool done, missed; /* missed: the emulator did not keep the link */
    struct flow_outcome outcome;
};

struct bulk_study {
    struct bulk_options options;
    struct bulk_member members[BULK_MEMBERS_MAX];
    uint32_t member_count;
    struct bulk_sample *samples; /* [round][member] */
    struct measured measured;
    struct bulk_row rows[BULK_MEMBERS_MAX]; /* of bulk_analyse() */
};

/** The options of `tlsyn bench bulk` without arguments. */
void bulk_defaults(struct bulk_options *options);

/** Members of the options, without samples. 0; -EINVAL; -ENOENT: none of the pairs asked for can be
 * measured; -ENOMEM. Free with bulk_free(). */
int bulk_plan(const struct bulk_options *options, struct bulk_study **study);

/** Measures what is planned. 0, also when it was interrupted; -errno with a sentence: the
 * laboratory is forbidden (-EPERM) or broke down, and what came before is kept. */
int bulk_run(struct bulk_study *study, struct study_observer *observer,
             char message[STUDY_MESSAGE_MAX]);

/** Computes the rows from the samples. 0 or -ENOMEM. */
int bulk_analyse(struct bulk_study *study);

void bulk_free(struct bulk_study *study);

struct bulk_sample *bulk_sample(const struct bulk_study *study, uint32_t round, uint32_t member);

/** Whether there is an emulator between the hosts. */
bool bulk_is_linked(const struct bulk_options *options);

/** Throughput of a transfer in Gbit/s. */
double bulk_gbit_s(const struct flow_outcome *outcome);

/* --- writing it down; each 0 or -errno -------------------------------------------------------- */

int bulk_text(const struct bulk_study *study, FILE *out, unsigned width);
int bulk_json(const struct bulk_study *study, FILE *out);
int bulk_html(const struct bulk_study *study, FILE *out);

/** The rows, numbered from 1; free with report_table_fini(). */
void bulk_table(const struct bulk_study *study, struct report_table *table);
/** What was measured and what the table says of it, in sentences. Returns `text`. */
enum { BULK_SENTENCE_MAX = 640 };
const char *bulk_conditions(const struct bulk_study *study, char text[BULK_SENTENCE_MAX]);

#endif
