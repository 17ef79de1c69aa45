/*
 * study.h: what the commands of all studies do: a folder for the results, progress,
 * ending on a signal.
 */
#ifndef STUDY_H
#define STUDY_H

#include <stdio.h>

#include "cli.h"
#include "report/progress.h"
#include "study/observer.h"

/** Up to 16 different numbers. */
struct study_list {
    double value[16];
    int count;
};

/** Parser of a type for "0.4,6,11.6": the unit in `choices`, if there is one, may follow each
 * ("0.4ms"); from `min` to `max` inclusive, at most 16 of them. */
int study_list_parse(const struct cli_type *type, const char *text, void *into);

/** mkdir -p, and a look whether files can be made there and `room` bytes are free. 0; or -errno,
 * and the user was told. */
int study_try_folder(const char *folder, size_t room);

/** The same for a run, which has the folder to itself until the process ends: a second one would
 * write between its lines. -EBUSY, and nothing is touched: another run has it. */
int study_take_folder(const char *folder, size_t room);

/** A file in the folder, for writing; NULL with errno. Until it is closed it has another name, so
 * that what stood there before stays if this one cannot be written whole. */
FILE *study_open_file(const char *folder, const char *name);

/** Closes it (NULL: it was not opened) after writing ended with `error`. 0; or the first error of
 * all, and the user was told. */
int study_close_file(FILE *out, int error, const char *folder, const char *name);

/** The terminal's columns, or 0 when it is none. */
unsigned study_width(int fd);

/** Watches a run: notes and progress to stderr; SIGINT, SIGTERM and SIGHUP end it. */
struct study_watcher {
    struct study_observer observer;
    struct progress progress;
    bool opened; /* the progress line is there */
    bool begun;  /* and steps are counted on it */
    int signal;  /* that came; 0: none */
};

/** From here on the signals are blocked, and noticed when the study asks. */
void study_watch(struct study_watcher *watcher);

/** Ends the progress line. */
void study_unwatch(struct study_watcher *watcher);

/** A study that is planned, measured, and then prints one table and writes one file and a page:
 * what it does, with its own structures as arguments. */
struct study_kind {
    const char *name; /* "bulk": it writes bulk.json */
    int (*plan)(const void *options, void **study);
    int (*run)(void *study, struct study_observer *observer, char message[STUDY_MESSAGE_MAX]);
    int (*analyse)(void *study);
    int (*json)(const void *study, FILE *out);
    int (*html)(const void *study, FILE *out); /* the page, bulk.html */
    int (*text)(const void *study, FILE *out, unsigned width);
    void (*free)(void *study);
};

/** Defines `kind` of the functions that begin with `name`. */
#define STUDY_KIND(name)                                                                           \
    static int kind_plan(const void *options, void **study)                                        \
    {                                                                                              \
        struct name##_study *planned = NULL;                                                       \
        int error = name##_plan(options, &planned);                                                \
                                                                                                   \
        *study = planned;                                                                          \
        return error;                                                                              \
    }                                                                                              \
    static int kind_run(void *study, struct study_observer *observer,                              \
                        char message[STUDY_MESSAGE_MAX])                                           \
    {                                                                                              \
        return name##_run(study, observer, message);                                               \
    }                                                                                              \
    static int kind_analyse(void *study)                                                           \
    {                                                                                              \
        return name##_analyse(study);                                                              \
    }                                                                                              \
    static int kind_json(const void *study, FILE *out)                                             \
    {                                                                                              \
        return name##_json(study, out);                                                            \
    }                                                                                              \
    static int kind_html(const void *study, FILE *out)                                             \
    {                                                                                              \
        return name##_html(study, out);                                                            \
    }                                                                                              \
    static int kind_text(const void *study, FILE *out, unsigned width)                             \
    {                                                                                              \
        return name##_text(study, out, width);                                                     \
    }                                                                                              \
    static void kind_free(void *study)                                                             \
    {                                                                                              \
        name##_free(study);                                                                        \
    }                                                                                              \
    static const struct study_kind kind = {#name,     kind_plan, kind_run,  kind_analyse,          \
                                           kind_json, kind_html, kind_text, kind_free}

/** What a command asks of a study. */
struct study_errand {
    const struct study_kind *kind;
    const void *options;
    const char *folder;
    const char *nothing;                 /* why no plan came of it (-ENOENT); or NULL */
    void (*announce)(const void *study); /* says what was planned; or NULL */
    bool json;
};

/** Plans and runs it, prints the table, or JSON, and writes the files. The exit status. */
int study_conduct(const struct study_errand *errand);

/** "about 40 s", "about 2.5 min" */
const char *study_duration(double seconds, char *text, size_t size);

/** The command as it was typed, for reports. */
void study_join(int argc, char **argv, char *text, size_t size);

#endif
