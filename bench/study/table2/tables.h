/*
 * study/table2/tables.h: the study's tables as rows of text, for the terminal and for the
 * HTML page alike.
 */
#ifndef STUDY_TABLE2_TABLES_H
#define STUDY_TABLE2_TABLES_H

#include "report/table.h"
#include "study/table2/table2.h"

/** The columns of a table of which not all are always there; outlive it. */
struct table2_columns {
    struct table_column column[16];
};

/** Each initialises *table and fills it; free with report_table_fini(). What went wrong shows when
 * it is printed. */

/** "TLS 1.3 (P-256 certificate), resumed by PSK"; without the session if it is new. */
void table2_title(const struct study_way *way, char *title, size_t size);

/** Ping RTT against handshake time, a section per TLS suite and kind of session. */
void table2_table_times(const struct table2 *t, struct table2_columns *columns,
                        struct report_table *table);
/** Until the first byte of the response. */
void table2_table_first_byte(const struct table2 *t, struct report_table *table);
/** T = a * RTT + b, ours and the published. */
void table2_table_fits(const struct table2 *t, struct report_table *table);
/** Targets, delays set, pings measured. */
void table2_table_link(const struct table2 *t, struct report_table *table);

#endif
