/*
 * sim/runner.h: many seeds, in processes: one that dies of an assertion, a sanitizer or too much
 * time is a finding like another.
 */
#ifndef TEST_SIM_RUNNER_H
#define TEST_SIM_RUNNER_H

#include "sim/run.h"

struct runner_options {
    uint64_t from, count;
    int jobs;
    bool verbose;
    bool stop;           /* with the first failure */
    const char *program; /* for the command that replays */
};

struct runner_result {
    uint64_t ran, failed;
};

void runner_seeds(const struct runner_options *options, struct runner_result *result);

/** One plan in a process of its own, in silence. What its death says counts as its outcome. */
void runner_probe(const struct plan *plan, struct outcome *outcome);

#endif
