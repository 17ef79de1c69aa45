/*
 * keylog.c: where TLS secrets go when the user asks for them.
 */
#include "keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void take_line(struct tlsyn_tls_keylog *base, const char *line)
{
    struct keylog *keylog = (struct keylog *)base;

    if (keylog->file) {
        (void)fprintf(keylog->file, "%s\n", line);
        (void)fflush(keylog->file);
    }
    if (keylog->capture)
        (void)tlsyn_capture_secret(keylog->capture, line);
}

int keylog_init(struct keylog *keylog, struct tlsyn_link *capture)
{
    const char *path = getenv("SSLKEYLOGFILE");
    int fd = -1;

    *keylog = (struct keylog){.base = {.line = take_line}, .capture = capture};
    if (!path || path[0] == '\0')
        return 0;
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    keylog->file = fdopen(fd, "a");
    if (!keylog->file) {
        (void)close(fd);
        return -ENOMEM;
    }
    return 0;
}

void keylog_fini(struct keylog *keylog)
{
    if (keylog->file)
        (void)fclose(keylog->file);
    keylog->file = NULL;
}

struct tlsyn_tls_keylog *keylog_sink(struct keylog *keylog)
{
    return keylog->file || keylog->capture ? &keylog->base : NULL;
}
