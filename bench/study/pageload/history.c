/*
 * study/pageload/history.c: a page's URLs as text.
 */
#include "study/pageload/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE   "tlsyn page history 1\n"
#define HISTORY_LINE 2600
#define FILE_MAX     (1 << 20)
#define COUNT_MAX    100000 /* frames and positions beyond are damage */

static bool kind_named(const char *name, enum page_kind *kind)
{
    for (int i = PAGE_HTML; i <= PAGE_IMAGE; i++) {
        *kind = (enum page_kind)i;
        if (strcmp(page_kind_name(*kind), name) == 0)
            return true;
    }
    return false;
}

/* 1: a whole line; 0: none is left; -EBADMSG: the last has no end, or one is longer than any should
 * be. */
static int read_line(FILE *in, char line[HISTORY_LINE])
{
    size_t n;

    if (!fgets(line, HISTORY_LINE, in))
        return ferror(in) ? -EBADMSG : 0;
    n = strlen(line);
    return n > 0 && line[n - 1] == '\n' ? 1 : -EBADMSG;
}

static int parse_url(char *line, struct known_url *known)
{
    char kind[16], text[HISTORY_LINE];
    int frame = 0, position = 0;

    if (sscanf(line, "%15s %6d %6d %2599s", kind, &frame, &position, text) != 4 ||
        !kind_named(kind, &known->what.kind) || frame < 0 || frame > COUNT_MAX || position < 0 ||
        position > COUNT_MAX || url_parse(text, &known->url) < 0)
        return -EBADMSG;
    known->what.frame = frame;
    known->what.position = position;
    known->what.host = 0;
    return 0;
}

static int read_page(FILE *in, const struct url *page, struct known_page *known)
{
    char line[HISTORY_LINE], expected[HISTORY_LINE], text[HISTORY_LINE];
    int error;

    known->urls = 0;
    if (read_line(in, line) != 1 || strcmp(line, FIRST_LINE) != 0 || read_line(in, line) != 1)
        return -EBADMSG;
    (void)snprintf(expected, sizeof(expected), "%s\n", url_text(page, text, sizeof(text)));
    if (strcmp(line, expected) != 0)
        return -ENOENT;
    while ((error = read_line(in, line)) == 1) {
        if (known->urls == POLICY_URLS_MAX || parse_url(line, &known->url[known->urls++]) < 0)
            return -EBADMSG;
    }
    return error;
}

int history_load(const char *path, const struct url *page, struct known_page *known)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    FILE *in = NULL;
    int error = fd < 0 ? -errno : 0;

    known->urls = 0;
    if (error == 0 && fstat(fd, &status) < 0)
        error = -errno;
    if (error == 0 && (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX))
        error = -EBADMSG;
    if (error == 0 && !(in = fdopen(fd, "r")))
        error = -errno;
    if (error < 0) {
        if (fd >= 0)
            (void)close(fd);
        return error;
    }
    error = read_page(in, page, known);
    (void)fclose(in);
    if (error < 0)
        known->urls = 0;
    return error;
}

static int write_page(FILE *out, const struct url *page, const struct known_page *known)
{
    char text[HISTORY_LINE];

    (void)fprintf(out, FIRST_LINE "%s\n", url_text(page, text, sizeof(text)));
    for (int i = 0; i < known->urls; i++) {
        const struct known_url *k = &known->url[i];

        (void)fprintf(out, "%s %d %d %s\n", page_kind_name(k->what.kind), k->what.frame,
                      k->what.position, url_text(&k->url, text, sizeof(text)));
    }
    if (fflush(out) != 0)
        return -errno;
    return ferror(out) ? -EIO : 0;
}

int history_save(const char *path, const struct url *page, const struct known_page *known)
{
    char beside[PATH_MAX];
    FILE *out = NULL;
    int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path), fd, error = 0;

    if (n < 0 || (size_t)n >= sizeof(beside))
        return -ENAMETOOLONG;
    fd = mkostemp(beside, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return -errno;
    out = fdopen(fd, "w");
    if (!out) {
        error = -errno;
        (void)close(fd);
    } else {
        error = write_page(out, page, known);
        if (fclose(out) != 0 && error == 0)
            error = -errno;
    }
    if (error == 0 && rename(beside, path) < 0)
        error = -errno;
    if (error < 0)
        (void)unlink(beside);
    return error;
}
