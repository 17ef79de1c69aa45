/*
 * sink.h: where received bytes go: a file that appears under its name only when it is whole, or the
 * standard output.
 */
#ifndef SINK_H
#define SINK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sink {
    int fd;
    const char *path;    /* NULL: the standard output */
    char part[PATH_MAX]; /* the unfinished file's name, or "" when written in place */
    uint64_t written;    /* bytes */
};

/** `path` NULL or "-" is the standard output; it must outlive the sink. A device or pipe is written
 * in place. 0 or -errno. */
int sink_open(struct sink *sink, const char *path);

/** Writes what can be written without waiting: the count, -EAGAIN (wait until sink->fd is
 * writable), -errno. */
ssize_t sink_write(struct sink *sink, const void *bytes, size_t n);

/** All has come: gives the file its name. 0 or -errno; then, too, the sink is closed. */
int sink_commit(struct sink *sink);

/** Closes; removes the unfinished file. Harmless on a closed sink. */
void sink_abort(struct sink *sink);

#endif
