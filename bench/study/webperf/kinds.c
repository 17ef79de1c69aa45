/*
 * study/webperf/kinds.c: from the ways to connect to an observation's words, and back.
 */
#include "study/webperf/kinds.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool same_words(const struct observation *a, const struct observation *b)
{
    return strcmp(a->operation, b->operation) == 0 && strcmp(a->stack, b->stack) == 0 &&
           strcmp(a->tls, b->tls) == 0 && strcmp(a->mode, b->mode) == 0 &&
           strcmp(a->session, b->session) == 0;
}

bool webperf_same_kind(const struct observation *a, const struct observation *b)
{
    return same_words(a, b) && strcmp(a->url, b->url) == 0;
}

static void put(char word[STORE_WORD_MAX], const char *text)
{
    (void)snprintf(word, STORE_WORD_MAX, "%s", text);
}

static struct observation observation_of(const char *operation, const struct study_way *way)
{
    struct observation o = {.connect_us = (double)NAN,
                            .handshake_us = (double)NAN,
                            .first_byte_us = (double)NAN,
                            .syn_bytes = -1,
                            .synack_bytes = -1,
                            .link_kept = -1,
                            .link_late_us = (double)NAN,
                            .status = -1};

    put(o.operation, operation);
    put(o.stack, study_stack_name(way->stack));
    if (strcmp(operation, "get") != 0)
        return o;
    put(o.tls, study_suite_name(way->suite));
    put(o.mode, study_mode_name(way->mode));
    put(o.session, study_session_name(way->session));
    return o;
}

enum { WAYS = STUDY_STACKS * STUDY_SUITES * STUDY_MODES * STUDY_SESSIONS };

/* The i-th of all ways, whether there is such a one or not. */
static struct study_way way_at(int i)
{
    return (struct study_way){
        .session = (enum study_session)(i % STUDY_SESSIONS),
        .mode = (enum study_mode)(i / STUDY_SESSIONS % STUDY_MODES),
        .suite = (enum study_suite)(i / STUDY_SESSIONS / STUDY_MODES % STUDY_SUITES),
        .stack = (enum study_stack)(i / STUDY_SESSIONS / STUDY_MODES / STUDY_SUITES)};
}

struct study_way webperf_way_of(const struct observation *o)
{
    for (int i = 0; i < WAYS; i++) {
        const struct study_way way = way_at(i);
        const struct observation named = observation_of(o->operation, &way);

        if (same_words(&named, o))
            return way;
    }
    return way_at(0); /* kinds are made by webperf_kinds() alone */
}

static int add_kind(struct webperf_options *options, const char *operation,
                    const struct study_way *way)
{
    if (options->kind_count == WEBPERF_KINDS_MAX)
        return -E2BIG;
    options->kinds[options->kind_count++] = observation_of(operation, way);
    return 0;
}

static bool chosen(const struct webperf_choice *choice, const struct study_way *way)
{
    return (choice->stacks >> way->stack & 1) && (choice->suites >> way->suite & 1) &&
           (choice->modes >> way->mode & 1) && (choice->sessions >> way->session & 1) &&
           study_way_exists(way);
}

int webperf_kinds(const struct webperf_choice *choice, struct webperf_options *options)
{
    size_t probes = 0;
    int error = 0;

    options->kind_count = 0;
    for (int stack = 0; stack < STUDY_STACKS && error == 0; stack++) {
        const struct study_way way = {.stack = (enum study_stack)stack};

        if (!(choice->stacks >> stack & 1) || stack == STUDY_QUIC)
            continue;
        error = add_kind(options, "ping", &way);
        if (error == 0)
            error = add_kind(options, "tcp", &way);
    }
    probes = options->kind_count;
    for (int i = 0; i < WAYS && error == 0; i++) {
        const struct study_way way = way_at(i);

        if (chosen(choice, &way))
            error = add_kind(options, "get", &way);
    }
    return error == 0 && options->kind_count == probes ? -ENOENT : error;
}

int webperf_ask_servers(const char *const *urls, size_t n, struct webperf_options *options)
{
    size_t kinds = options->kind_count;

    if (n * kinds > WEBPERF_CELLS_MAX)
        return -E2BIG;
    for (size_t i = 0; i < n * kinds; i++) {
        struct observation *kind = &options->kinds[i];

        *kind = options->kinds[i % kinds];
        (void)snprintf(kind->url, sizeof(kind->url), "%s", urls[i / kinds]);
    }
    options->kind_count = n * kinds;
    return 0;
}
