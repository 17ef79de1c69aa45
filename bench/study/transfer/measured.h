/*
 * study/transfer/measured.h: the rounds of a study of transfers, and what the machine did
 * meanwhile.
 */
#ifndef STUDY_TRANSFER_MEASURED_H
#define STUDY_TRANSFER_MEASURED_H

#include "study/noise.h"
#include "study/rounds.h"

struct measured {
    struct noise noise;
    double seconds; /* that the rounds took */
    bool interrupted;
};

/** Makes the rounds. 0, also when they were interrupted; -errno with a sentence. */
int measured_run(struct measured *measured, struct rounds *rounds, char message[STUDY_MESSAGE_MAX]);

#endif
