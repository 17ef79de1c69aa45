/*
 * study/webperf/tables.h: the study's tables as rows of text, for terminal and page alike. Each
 * initialises *table and fills it; free with report_table_fini().
 */
#ifndef STUDY_WEBPERF_TABLES_H
#define STUDY_WEBPERF_TABLES_H

#include "report/table.h"
#include "study/webperf/webperf.h"

/** The paper's table of one of the study's servers: T, S new and cached, H, W, C, what is saved. */
void webperf_table_savings(const struct webperf *study, size_t server, struct report_table *table);
/** Every kind of observation of one server: how many, percentiles, outliers. */
void webperf_table_cells(const struct webperf *study, size_t server, struct report_table *table);
/** The paper's statements. */
void webperf_table_claims(const struct webperf *study, struct report_table *table);

/** What failed or was refused, and why the first of a kind. Whether there is any. */
bool webperf_table_failures(const struct webperf *study, struct report_table *table);

/** What a reader must know: the i-th sentence, or NULL. */
enum { WEBPERF_REMARK_MAX = 400 + WEBPERF_TITLE_MAX };
const char *webperf_remark(const struct webperf *study, size_t i, char text[WEBPERF_REMARK_MAX]);

#endif
