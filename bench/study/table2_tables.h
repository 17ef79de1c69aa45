/*
 * study/table2_tables.h: the study's tables as rows of text, for the terminal and for the
 * HTML page alike.
 */
#ifndef STUDY_TABLE2_TABLES_H
#define STUDY_TABLE2_TABLES_H

#include "report/table.h"
#include "study/table2.h"

/** Each initialises *table and fills it; free with report_table_fini(). What went wrong shows when
 * it is printed. */

/** Ping RTT against handshake time, a section per TLS suite. */
void table2_table_times(const struct table2 *t, struct report_table *table);
/** Until the first byte of the response. */
void table2_table_first_byte(const struct table2 *t, struct report_table *table);
/** T = a * RTT + b, ours and the published. */
void table2_table_fits(const struct table2 *t, struct report_table *table);
/** Targets, delays set, pings measured. */
void table2_table_link(const struct table2 *t, struct report_table *table);

#endif
