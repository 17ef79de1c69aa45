/*
 * study/webperf/figures.h: the study's figures, put into its page.
 */
#ifndef STUDY_WEBPERF_FIGURES_H
#define STUDY_WEBPERF_FIGURES_H

#include "report/html.h"
#include "study/webperf/webperf.h"

/** What each kind of cached key saves of one server, here and over other distances. Nothing,
 * without a TCP connect to go by. */
void webperf_figure_saving(const struct webperf *study, size_t server, struct html *html);

/** A section per protocol, mode and stack: how its connections' times are distributed, with a new
 * key and with each kind of cached one, in bins of `bin_ms` and as distribution functions; and how
 * they went over the time of the run. */
void webperf_figures(const struct webperf *study, double bin_ms, struct html *html);

#endif
