/*
 * say.h: the command's only printer. Messages, progress and logs go to stderr, results to stdout.
 */
#ifndef SAY_H
#define SAY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <tlsyn/types.h>

/** One message, as "tlsyn: ..." on a line of stderr. A progress line that stands there
 * is wiped first. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A line of stderr without the prefix: verbose details, access logs. */
void say_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Text to stdout: what the user asked for. */
void say_result(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A string in double quotes with the escapes of JSON (RFC 8259 7), to stdout. NULL prints null.
 * Octets that are no valid UTF-8 are replaced. */
void say_json_string(const char *text);

/** Rewrites the progress line; nothing unless stderr is a terminal. */
void say_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Wipes the progress line. */
void say_progress_end(void);

/** A duration as people write it: "0.412 ms", "31.5 ms", "2.50 s". `text` holds at least 24
 * bytes. */
const char *say_duration(tlsyn_time duration, char *text);

/** A count of bytes: "812 B", "1.3 MB". `text` holds at least 24 bytes. */
const char *say_bytes(uint64_t bytes, char *text);

/** Flushes stdout; 0, or -errno when something printed there was ever lost (a full disk, a closed
 * pipe): why the first was. */
int say_flush(void);

#endif
