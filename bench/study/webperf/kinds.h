/*
 * study/webperf/kinds.h: the kinds of observations, each known by its words and by the server it is
 * made of; the words name a way to connect.
 */
#ifndef STUDY_WEBPERF_KINDS_H
#define STUDY_WEBPERF_KINDS_H

#include "study/names.h"
#include "study/webperf/webperf.h"

/** Which of all ways to connect are wanted: a bit per value of the enumerations. */
struct webperf_choice {
    uint32_t stacks, suites, modes, sessions;
};

/** Whether two observations are of one kind: the server and their words agree. */
bool webperf_same_kind(const struct observation *a, const struct observation *b);

/** The way that a get's words name. */
struct study_way webperf_way_of(const struct observation *o);

/** What a round observes of the ways chosen: a ping and a TCP connect per stack, and each way that
 * there is. -E2BIG: more than WEBPERF_KINDS_MAX; -ENOENT: no way at all. */
int webperf_kinds(const struct webperf_choice *choice, struct webperf_options *options);

/** All these kinds of each of n servers, instead of the laboratory's. -E2BIG: more than
 * WEBPERF_CELLS_MAX. */
int webperf_ask_servers(const char *const *urls, size_t n, struct webperf_options *options);

#endif
