/*
 * sink.c: where received bytes go. A slow reader behind a pipe must not stop the event loop,
 * and its descriptor is not ours to make non-blocking (the terminal and other processes share
 * it): a pipe that polls writable takes PIPE_BUF bytes without blocking, so that much is
 * written at a time.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_written_in_place(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

int sink_open(struct sink *sink, const char *path)
{
    int n = 0;

    *sink = (struct sink){.fd = STDOUT_FILENO};
    if (!path || strcmp(path, "-") == 0)
        return 0;
    sink->path = path;
    if (is_written_in_place(path)) {
        sink->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        n = snprintf(sink->part, sizeof(sink->part), "%s.part", path);
        if (n < 0 || (size_t)n >= sizeof(sink->part))
            return -ENAMETOOLONG;
        sink->fd = open(sink->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    }
    return sink->fd < 0 ? -errno : 0;
}

ssize_t sink_write(struct sink *sink, const void *bytes, size_t n)
{
    struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
    const char *from = bytes;
    size_t done = 0;

    while (done < n) {
        size_t chunk = n - done;
        ssize_t written = 0;

        if (!sink->part[0]) {
            if (poll(&ready, 1, 0) == 0)
                break;
            chunk = chunk < PIPE_BUF ? chunk : PIPE_BUF;
        }
        written = write(sink->fd, from + done, chunk);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        done += (size_t)written;
        sink->written += (size_t)written;
    }
    return done > 0 || n == 0 ? (ssize_t)done : -EAGAIN;
}

int sink_commit(struct sink *sink)
{
    int error = 0;

    if (!sink->path) {
        sink->fd = -1;
        return 0;
    }
    if (close(sink->fd) < 0)
        error = -errno;
    sink->fd = -1;
    if (error == 0 && sink->part[0] && rename(sink->part, sink->path) < 0)
        error = -errno;
    if (error < 0 && sink->part[0])
        (void)unlink(sink->part);
    return error;
}

void sink_abort(struct sink *sink)
{
    if (sink->fd < 0)
        return;
    if (sink->path)
        (void)close(sink->fd);
    if (sink->part[0])
        (void)unlink(sink->part);
    sink->fd = -1;
}
