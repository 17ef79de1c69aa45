/* A progress line for terminals and logs. */
#include "report/progress.h"

#include <inttypes.h>
#include <string.h>

#include "report/utf8.h"

enum { TERMINAL_EVERY_US = 100000, LOG_EVERY_US = 10000000, LINE_MAX_BYTES = 512 };

void progress_init(struct progress *progress, FILE *out, bool terminal, unsigned width, int64_t now)
{
    *progress = (struct progress){
        .out = out, .terminal = terminal, .width = width, .start = now, .last = now};
}

void progress_from(struct progress *progress, int64_t now, uint32_t done)
{
    progress->start = now;
    progress->first = done;
}

/* A duration as people say it. */
static void format_duration(char *out, size_t size, double seconds)
{
    /* Far more than a day is no estimate; the bound keeps the cast defined. */
    int64_t s = seconds < 1e7 ? (int64_t)(seconds + 0.5) : 10000000;

    if (s < 60) {
        snprintf(out, size, "%" PRId64 " s", s);
    } else if (s < 3600) {
        snprintf(out, size, "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
    } else {
        snprintf(out, size, "%" PRId64 " h %02" PRId64 " min", s / 3600, s / 60 % 60);
    }
}

/* Cut text to so many columns, at a code point. */
static void cut(char *text, unsigned columns)
{
    const char *p = text;

    for (unsigned i = 0; i < columns && *p != '\0'; i++) {
        utf8_next(&p);
    }
    text[p - text] = '\0';
}

static bool is_due(const struct progress *progress, int64_t now, bool last)
{
    int64_t every = progress->terminal ? TERMINAL_EVERY_US : LOG_EVERY_US;

    if (last) {
        return true;
    }
    /* A terminal shows the first step at once; a log waits, so that short runs stay silent. */
    if (!progress->printed && progress->terminal) {
        return true;
    }
    return now - progress->last >= every;
}

static void print(struct progress *progress, int64_t now, char *line)
{
    progress->last = now;
    progress->printed = true;
    if (!progress->terminal) {
        fprintf(progress->out, "%s\n", line);
        fflush(progress->out);
        return;
    }
    if (progress->width > 1) {
        cut(line, progress->width - 1); /* a full line would wrap */
    }
    fprintf(progress->out, "\r%s\x1b[K", line);
    fflush(progress->out);
    progress->open = true;
}

void progress_prepare(struct progress *progress, int64_t now, const char *what)
{
    char line[LINE_MAX_BYTES];

    if (!is_due(progress, now, false)) {
        return;
    }
    snprintf(line, sizeof line, "       %s", what);
    print(progress, now, line);
}

void progress_update(struct progress *progress, int64_t now, uint32_t done, uint32_t total,
                     const char *status)
{
    char line[LINE_MAX_BYTES];
    char left[48] = "";
    bool last = done >= total;

    if (!is_due(progress, now, last)) {
        return;
    }
    double elapsed = (double)(now - progress->start) / 1e6;
    if (last) {
        format_duration(left, sizeof left, elapsed);
    } else if (done > progress->first) {
        format_duration(left, sizeof left, elapsed * (total - done) / (done - progress->first));
    }
    unsigned percent = total == 0 ? 100 : (unsigned)((uint64_t)done * 100 / total);
    snprintf(line, sizeof line, "%3u %%  %s%s%s%s", percent, last ? "took " : "", left,
             last || left[0] == '\0' ? "" : " left", status != NULL ? "  " : "");
    size_t n = strlen(line);
    snprintf(line + n, sizeof line - n, "%s", status != NULL ? status : "");
    print(progress, now, line);
}

void progress_break(struct progress *progress)
{
    if (progress->open) {
        fputc('\n', progress->out);
        fflush(progress->out);
        progress->open = false;
    }
}
