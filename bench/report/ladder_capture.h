/* One pass over the TCP segments of a capture file. Private to the ladder's files. */
#ifndef TLSYN_REPORT_LADDER_CAPTURE_H
#define TLSYN_REPORT_LADDER_CAPTURE_H

#include <stdbool.h>
#include <stdio.h>

#include "report/ladder.h"
#include "report/ladder_frame.h"

struct ladder_capture {
    void *pcap;
    int link_type;
    struct ladder_seen seen; /* so far */
};

/* Takes the stream over in any case. 0, or -EINVAL with a sentence. */
int ladder_capture_open(struct ladder_capture *capture, FILE *stream, char error[LADDER_ERROR_MAX]);
void ladder_capture_close(struct ladder_capture *capture);

/* The next segment and when it was captured, in microseconds; it stays valid until the next call.
 * False at the end, after LADDER_FRAMES_MAX frames, or where the file breaks off. */
bool ladder_capture_next(struct ladder_capture *capture, struct ladder_segment *segment,
                         int64_t *time_us);

/* Why no connection was found, as a sentence; after the last segment. */
void ladder_capture_explain(const struct ladder_capture *capture, char error[LADDER_ERROR_MAX]);

#endif
