/* Runs gnuplot on a script. Private to figure.c. */
#ifndef TLSYN_REPORT_GNUPLOT_H
#define TLSYN_REPORT_GNUPLOT_H

#include <stdio.h>

/* Run gnuplot on what was written to `script` (a temporary file, which the caller closes) and give
 * what it printed as a string, to be freed. The user's own start-up files are not read. -ENOENT:
 * not installed; -EPROTO: it failed, or printed nothing; -ETIMEDOUT: stopped after 30 s; -EIO,
 * -ENOMEM, or why files and processes cannot be made. */
int gnuplot_run(FILE *script, char **drawing);

#endif
