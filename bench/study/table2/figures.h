/*
 * study/table2/figures.h: the study's figures.
 */
#ifndef STUDY_TABLE2_FIGURES_H
#define STUDY_TABLE2_FIGURES_H

#include "report/html.h"
#include "study/table2/table2.h"

/** Handshake time against ping, with the fitted lines, of all stacks and modes with the way's suite
 * and session; for RSA with the published points. */
void table2_figure_times(const struct table2 *t, const struct study_way *way, struct html *html);

/** Reduction against ping, with what theory gives for the computation measured: R / (a R + X). */
void table2_figure_reduction(const struct table2 *t, struct html *html);

#endif
