/*
 * study/tap.h: a link that passes everything on, and captures while it is told to.
 *
 *     stack -> tap -> [capture ->] inner link
 *
 * So that the connections that are captured are others than those that are timed, over the same
 * stack: writing a file beside a handshake would be measured with it.
 */
#ifndef STUDY_TAP_H
#define STUDY_TAP_H

#include <tlsyn/link.h>

/** Wraps `inner`, which is closed with it. 0 or -ENOMEM; then `inner` stays the caller's. */
int tap_wrap(struct tlsyn_link *inner, struct tlsyn_link **tap);

/** Writes frames to a new pcapng file from here on. -EBUSY: it does already; or why the file
 * can't be made. */
int tap_start(struct tlsyn_link *tap, const char *path);

/** Adds a line of the key log to the capture, if there is one. */
void tap_secret(struct tlsyn_link *tap, const char *line);

/** Ends the capture. 0, or the first error in writing it (-ENOSPC). */
int tap_stop(struct tlsyn_link *tap);

#endif
