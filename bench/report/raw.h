/* Every raw sample as CSV: what the figures and tables were computed from. */
#ifndef TLSYN_REPORT_RAW_H
#define TLSYN_REPORT_RAW_H

#include <stdio.h>

#include "measure/sample.h"

/* Write one row per sample, in the order of the table, under the heading
 * order,round,warmup,stack,tls,mode,level,ping_target_ms,ok,handshake_us,first_byte_us,reason,
 * session
 * with 1 or 0 for warmup and ok, and the times of a failed sample empty. If `remark` isn't NULL, a
 * column of that name follows with this text in all rows: what a reader of a single row must know,
 * such as that something was emulated. 0 or -EIO. */
int raw_write(FILE *out, const struct sample_table *table, const char *remark);

#endif
