/*
 * study/webperf/lab.h: the robot's observations made in a testbed: all stacks, over a link of
 * ours.
 */
#ifndef STUDY_WEBPERF_LAB_H
#define STUDY_WEBPERF_LAB_H

#include "study/credentials.h"
#include "study/testbed.h"
#include "study/webperf/kinds.h"

struct webperf_lab_options {
    bool memory;            /* the testbed in memory, which has no kernel's stack */
    struct study_link link; /* with a round trip */
    uint64_t seed;          /* of what it does by lot */
    struct webperf_choice choice;
    enum tlsyn_level level;
    tlsyn_time timeout;
    struct credentials credentials;
    struct study_observer *observer;
};

struct webperf_lab {
    struct webperf_prober prober;
    struct webperf_lab_options options; /* the testbed refers to what is in it */
    struct testbed *testbed;
    bool is_reached; /* a ping took the round trip asked for, when the link was set */
};

/** Builds the testbed, sets the link to the round trip asked for. 0 or -errno with a sentence;
 * -EPERM: namespaces are forbidden here; -ENOTSUP: a stack was chosen that this testbed has not. */
int webperf_lab_open(const struct webperf_lab_options *options, struct webperf_lab **lab,
                     char message[STUDY_MESSAGE_MAX]);

/** Makes each kind of connection twice, so that neighbours, cookies and sessions are known. Both
 * do less if the observer is interrupted, which webperf_run() finds, too. */
int webperf_lab_meet(struct webperf_lab *lab, const struct webperf_options *options,
                     char message[STUDY_MESSAGE_MAX]);

void webperf_lab_close(struct webperf_lab *lab);

#endif
