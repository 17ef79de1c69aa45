/*
 * resume.c: --resume DIR: finds the command that a study was begun with.
 */
#include "resume.h"

#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "study.h"

/* Of an argument "--resume=DIR" or "--resume": what stands behind, or ""; NULL: it is another. */
static const char *named(const char *argument)
{
    size_t n = strlen("--resume");

    if (strncmp(argument, "--resume", n) != 0 || (argument[n] != '\0' && argument[n] != '='))
        return NULL;
    return argument[n] == '=' ? argument + n + 1 : argument + n;
}

/* What may be given anew: it changes how long is measured, or what is printed. */
static bool is_allowed(const char *argument)
{
    static const char *const allowed[] = {"--rounds", "-n",       "--precision",
                                          "-p",       "--budget", "--json"};

    for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
        size_t n = strlen(allowed[i]);

        if (strncmp(argument, allowed[i], n) == 0 &&
            (argument[n] == '\0' || argument[n] == '=' || allowed[i][1] != '-'))
            return true;
    }
    return argument[0] != '-'; /* the value of one of them */
}

/* The run's own arguments, what was given anew, and the folder: the last of each counts. */
static int join(struct resume *r, char **there, int count, int argc, char **argv)
{
    char **all = calloc((size_t)(count + argc + 3), sizeof(*all));
    static char out[] = "--out";
    int n = 0;

    r->memory[1] = all;
    if (!all) {
        say("out of memory");
        return CLI_FAILURE;
    }
    for (int i = 0; i < count; i++)
        all[n++] = there[i];
    for (int i = 1; i < argc; i++) {
        const char *folder = named(argv[i]);

        if (!folder && !is_allowed(argv[i])) {
            say("bench %s: beside --resume there may be --rounds, --precision, --json and, of "
                "loss, --budget "
                "alone: what is measured is as it was asked for",
                argv[0]);
            return CLI_USAGE;
        }
        if (!folder) {
            all[n++] = argv[i];
            continue;
        }
        all[n++] = out;
        if (folder[0])
            all[n++] = argv[i] + strlen("--resume=");
        else if (i + 1 < argc) /* without a value: the parser says so */
            all[n++] = argv[++i];
    }
    r->argc = n;
    r->argv = all;
    return CLI_OK;
}

/* CLI_OK: r->argc and r->argv are what to parse. Else the exit status, and the user was told. */
static int find_arguments(struct resume *r, int argc, char **argv)
{
    char message[STUDY_MESSAGE_MAX];
    const char *folder = NULL;
    char **there = NULL;
    int count = 0;

    for (int i = 1; i < argc && !folder; i++) {
        folder = named(argv[i]);
        if (folder && !folder[0])
            folder = i + 1 < argc ? argv[i + 1] : NULL;
    }
    if (!folder) /* also where its value is missing: the parser says so */
        return CLI_OK;
    if (journal_arguments(folder, &there, &count, message) < 0) {
        say("bench %s: %s", argv[0], message);
        return CLI_FAILURE;
    }
    r->memory[0] = there;
    if (strcmp(there[0], argv[0]) != 0) {
        say("%s holds a run of \"tlsyn bench %s\", not of %s", folder, there[0], argv[0]);
        return CLI_USAGE;
    }
    r->resumes = true;
    return join(r, there, count, argc, argv);
}

int resume_conduct(int argc, char **argv, int (*begin)(struct resume *resume))
{
    struct resume r = {.argc = argc, .argv = argv};
    int status = find_arguments(&r, argc, argv);

    if (status == CLI_OK) {
        study_join(r.argc, r.argv, r.typed, sizeof(r.typed));
        status = begin(&r);
    }
    free(r.memory[0]);
    free(r.memory[1]);
    return status;
}

struct rounds_keep resume_keep(const struct resume *r, const char *folder)
{
    return (struct rounds_keep){
        .folder = folder, .arguments = r->argv, .resume = r->resumes, .precision = r->precision};
}
