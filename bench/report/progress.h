/* A progress line: how far a long measurement is, its running medians, the time left.
 *
 * On a terminal one line is rewritten in place, at most ten times a second; into a file or pipe a
 * line is added every ten seconds. The caller reads the clock: `now` is microseconds, monotonic.
 */
#ifndef TLSYN_REPORT_PROGRESS_H
#define TLSYN_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out;
    bool terminal;
    unsigned width; /* of the terminal, in columns; 0: no limit */
    int64_t start, last;
    uint32_t first; /* steps that were done before the first was counted */
    bool open;      /* the terminal's line has been begun and not ended */
    bool printed;   /* `last` is the time of a print */
};

/* The clock of the estimate starts at `now`, unless progress_from() starts it anew. */
void progress_init(struct progress *progress, FILE *out, bool terminal, unsigned width,
                   int64_t now);

/* Say what is being waited for before the first step. Prints only when it is time to. */
void progress_prepare(struct progress *progress, int64_t now, const char *what);

/* `done` steps were done already by `now`: the time left goes by those made since. */
void progress_from(struct progress *progress, int64_t now, uint32_t done);

/* Say that `done` of `total` steps are done; `status` (may be NULL) follows the figures and is cut
 * to the terminal. Prints only when it is time to; the last step always prints. */
void progress_update(struct progress *progress, int64_t now, uint32_t done, uint32_t total,
                     const char *status);

/* Leave the line as it stands and go to the next. Call it before anything else is printed; a later
 * update begins a new line. */
void progress_break(struct progress *progress);

#endif
