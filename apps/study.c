/*
 * study.c: what the commands of all studies do.
 */
#include "study.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "say.h"

#define PART        ".part"   /* behind a file's name, until it is whole */
#define ROOM_NEEDED (1 << 20) /* bytes on disk that a study's file may take */
#define LIST_MAX    (sizeof(((struct study_list *)0)->value) / sizeof(double))

int study_list_parse(const struct cli_type *type, const char *text, void *into)
{
    const char *unit = type->choices ? type->choices[0] : "";
    struct study_list list = {.count = 0};
    const char *at = text;
    char *end = NULL;

    for (;;) {
        double value = strtod(at, &end);

        if (end == at || !isfinite(value) || value < (double)type->min ||
            value > (double)type->max || list.count == (int)LIST_MAX)
            return -EINVAL;
        for (int i = 0; i < list.count; i++) {
            if (fabs(list.value[i] - value) < 1e-9)
                return -EINVAL;
        }
        list.value[list.count++] = value;
        end += strncmp(end, unit, strlen(unit)) == 0 ? strlen(unit) : 0;
        if (*end == '\0')
            break;
        if (*end != ',')
            return -EINVAL;
        at = end + 1;
    }
    *(struct study_list *)into = list;
    return 0;
}

/* --- the folder ------------------------------------------------------------------------------- */

/* mkdir -p */
static int make_folder(const char *path)
{
    char part[512];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return -ENAMETOOLONG;
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

/* Room for what will be written; a file system that cannot tell is believed. */
static int try_room(const char *folder, size_t room)
{
    char path[600];
    int error;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/.room", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    error = -posix_fallocate(fd, 0, (off_t)room);
    (void)close(fd);
    (void)unlink(path);
    return error == -EOPNOTSUPP || error == -EINVAL ? 0 : error;
}

/* A record lock is this process's alone, so that no host of a laboratory, which may outlive it for
 * a moment, inherits it; it goes when the process does, whatever ends it. A file system without
 * locks is believed to have no other run. */
static int lock_folder(const char *folder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[600];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/.lock", folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_SETLK, &whole) == 0 || (errno != EAGAIN && errno != EACCES))
        return 0; /* and the descriptor stays open, for to close it is to unlock */
    (void)close(fd);
    return -EBUSY;
}

static int tell_folder(const char *folder, int error)
{
    if (error < 0)
        say("nothing was measured, for the results could not be written to %s: %s", folder,
            error == -EBUSY ? "another run writes there; give each its own --out"
                            : strerror(-error));
    return error;
}

int study_try_folder(const char *folder, size_t room)
{
    int error = make_folder(folder);

    if (error == 0)
        error = try_room(folder, room);
    return tell_folder(folder, error);
}

int study_take_folder(const char *folder, size_t room)
{
    int error = make_folder(folder);

    if (error == 0)
        error = lock_folder(folder);
    return error < 0 ? tell_folder(folder, error) : study_try_folder(folder, room);
}

FILE *study_open_file(const char *folder, const char *name)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%s/%s" PART, folder, name);
    return fopen(path, "we");
}

/* A stream that fails amid a file forgets why: it is asked for one octet more, and the disk, of
 * which the last block may have had room for that. */
static int why_unwritten(FILE *out, const char *folder)
{
    struct statvfs disk;

    clearerr(out);
    if (fputc('\n', out) == EOF || fflush(out) != 0)
        return -errno;
    return statvfs(folder, &disk) == 0 && disk.f_bavail == 0 ? -ENOSPC : -EIO;
}

int study_close_file(FILE *out, int error, const char *folder, const char *name)
{
    char part[600], path[600];

    (void)snprintf(part, sizeof(part), "%s/%s" PART, folder, name);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (out && error == -EIO)
        error = why_unwritten(out, folder);
    if (out && fclose(out) != 0 && error == 0)
        error = -errno;
    if (error == 0 && rename(part, path) < 0)
        error = -errno;
    if (error < 0) {
        (void)unlink(part);
        say("%s cannot be written: %s", path, strerror(-error));
    }
    return error;
}

/* --- the observer ----------------------------------------------------------------------------- */

unsigned study_width(int fd)
{
    struct winsize size;

    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void on_note(struct study_observer *observer, const char *sentence)
{
    struct study_watcher *w = (struct study_watcher *)observer;

    if (w->opened)
        progress_break(&w->progress);
    say("%s", sentence);
}

static struct progress *line_of(struct study_watcher *w, tlsyn_time now)
{
    if (!w->opened)
        progress_init(&w->progress, stderr, isatty(STDERR_FILENO), study_width(STDERR_FILENO), now);
    w->opened = true;
    return &w->progress;
}

static void on_prepare(struct study_observer *observer, const char *what)
{
    tlsyn_time now = tlsyn_clock();

    progress_prepare(line_of((struct study_watcher *)observer, now), now, what);
}

static void on_progress(struct study_observer *observer, uint32_t done, uint32_t total,
                        const char *status)
{
    struct study_watcher *w = (struct study_watcher *)observer;

    tlsyn_time now = tlsyn_clock();
    struct progress *line = line_of(w, now);

    if (!w->begun)
        progress_from(line, now, done);
    w->begun = true;
    progress_update(line, now, done, total, status);
}

static sigset_t ending_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

/* They are blocked, so that none strikes between two steps; here is where they are noticed. */
static bool was_interrupted(struct study_observer *observer)
{
    struct study_watcher *w = (struct study_watcher *)observer;
    const sigset_t set = ending_signals();
    const struct timespec now = {0};
    int number = sigtimedwait(&set, NULL, &now);

    if (number > 0)
        w->signal = number;
    return w->signal != 0;
}

void study_watch(struct study_watcher *watcher)
{
    const sigset_t signals = ending_signals();

    *watcher =
        (struct study_watcher){.observer = {on_note, on_prepare, on_progress, was_interrupted}};
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it */
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
}

void study_unwatch(struct study_watcher *watcher)
{
    if (watcher->opened)
        progress_break(&watcher->progress);
}

/* --- from measuring to the results ------------------------------------------------------------ */

static int write_one(int (*write)(const void *study, FILE *out), const void *study,
                     const char *folder, const char *name)
{
    FILE *out = study_open_file(folder, name);

    return study_close_file(out, out ? write(study, out) : -errno, folder, name);
}

static int report(const struct study_errand *e, void *study)
{
    int error = e->kind->analyse(study);
    char name[32], page[32];

    if (error < 0) {
        say("the figures cannot be computed: %s", strerror(-error));
        return CLI_FAILURE;
    }
    (void)snprintf(name, sizeof(name), "%s.json", e->kind->name);
    (void)snprintf(page, sizeof(page), "%s.html", e->kind->name);
    error = write_one(e->kind->json, study, e->folder, name);
    if (error == 0)
        error = write_one(e->kind->html, study, e->folder, page);
    if (e->json)
        (void)e->kind->json(study, stdout);
    else
        (void)e->kind->text(study, stdout, study_width(STDOUT_FILENO));
    if (error == 0 && !e->json)
        say_result("\nIn %s: %s, and the report %s.\n", e->folder, name, page);
    return error < 0 ? CLI_FAILURE : CLI_OK; /* what stdout lost is told by say_flush() */
}

static int measure(const struct study_errand *e, void *study)
{
    struct study_watcher w;
    char message[STUDY_MESSAGE_MAX];
    int error, status;

    study_watch(&w);
    error = e->kind->run(study, &w.observer, message);
    study_unwatch(&w);
    if (error < 0)
        say("%s", message);
    if (error == -EPERM)
        return CLI_PERMISSION;
    if (error == -EBADMSG)
        return CLI_FAILURE; /* the report that is there stays */
    status = report(e, study);
    if (error < 0)
        return CLI_FAILURE;
    return w.signal ? CLI_INTERRUPTED : status;
}

int study_conduct(const struct study_errand *errand)
{
    void *study = NULL;
    int status, error;

    if (study_take_folder(errand->folder, ROOM_NEEDED) < 0)
        return CLI_FAILURE;
    error = errand->kind->plan(errand->options, &study);
    if (error < 0) {
        say("nothing was measured: %s",
            error == -ENOENT && errand->nothing ? errand->nothing : strerror(-error));
        return CLI_FAILURE;
    }
    if (errand->announce)
        errand->announce(study);
    status = measure(errand, study);
    errand->kind->free(study);
    return status;
}

/* --- words ------------------------------------------------------------------------------------ */

const char *study_duration(double seconds, char *text, size_t size)
{
    if (seconds < 90)
        (void)snprintf(text, size, "about %.0f s", seconds);
    else
        (void)snprintf(text, size, "about %.1f min", seconds / 60);
    return text;
}

void study_join(int argc, char **argv, char *text, size_t size)
{
    size_t len = (size_t)snprintf(text, size, "tlsyn bench");

    for (int i = 0; i < argc && len + 1 < size; i++) {
        int n = snprintf(text + len, size - len, " %s", argv[i]);

        len += n > 0 ? (size_t)n : 0;
    }
}
