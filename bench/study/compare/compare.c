/*
 * study/compare/compare.c: reads results, and finds the rows that belong together.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "study/compare/parts.h"

enum { FILE_MAX = 64 << 20, ROWS_MAX = 100000 };

#define STACK                                                                                      \
    {                                                                                              \
        "stack", "stack"                                                                           \
    }
#define TLS                                                                                        \
    {"tls", "TLS"}, {"mode", "mode"},                                                              \
    {                                                                                              \
        "session", "session"                                                                       \
    }
#define FLOW                                                                                       \
    {"sender", "sender"},                                                                          \
    {                                                                                              \
        "receiver", "receiver"                                                                     \
    }
#define PERCENT "\n%"
#define MS      "\nms"

const struct compare_study compare_studies[] = {
    {"table2.json",
     "Ping RTT against handshake time",
     {{"ping_target_ms", "ping" MS}, STACK, TLS, {"level", "level"}},
     {{"median_ms", "ci95_ms", "Until the client may send: medians, ms.", 2, false},
      {"first_byte_median_ms", "first_byte_ci95_ms",
       "Until the first byte of the response: medians, ms.", 2, false}}},
    {"webperf.json",
     "Caching session keys",
     {{"url", "server"}, STACK, TLS},
     {{"new_ms", "new_ci95_ms", "Until the first byte, with a new key: medians, ms.", 2, false},
      {"cached_ms", "cached_ci95_ms", "Until the first byte, with a cached key: medians, ms.", 2,
       false}}},
    {"pageload.json",
     "Whole pages",
     {STACK,
      {"http", "HTTP"},
      {"handshake", "handshake"},
      {"visit", "visit"},
      {"rtt_ms", "RTT" MS}},
     {{"round_trips", NULL, "Round trips: of rows without a stack, the model's.", 1, false},
      {"seconds", "seconds_ci95", "Until the whole page is there: medians, seconds.", 3, false}}},
    {"loss.json",
     "Bulk through loss",
     {{"family", "IP"},
      FLOW,
      {"controller", "controller"},
      {"loss", "loss" PERCENT},
      {"rtt_ms", "RTT" MS},
      {"reorder", "reordered" PERCENT}},
     {{"seconds", "seconds_range", "Until the receiver has read it all: medians, seconds.", 3,
       false},
      {"ratio", "ratio_ci95", "That, as a part of the time from kernel to kernel.", 2, false}}},
    {"bulk.json",
     "Throughput of one flow",
     {FLOW, {"offload", "offload"}},
     {{"gbit_s", "gbit_s_range", "Throughput: medians, Gbit/s.", 2, false},
      {"cpu_s_per_gb", NULL, "Processor time of both ends: seconds per GB.", 3, false}}},
    {"flood.json",
     "A server under forged SYNs",
     {{"server", "server"}, {"client", "clients"}, {"flood", "flood"}, {"rate", "SYNs\nper s"}},
     {{"median_ms", "median_ci95_ms", "Honest handshakes: medians, ms.", 2, false},
      {"success", NULL, "Share of them that succeeded.", 3, false}}},
    {"fallback.json",
     "Where embedding does not get through",
     {{"title", "server and path"}},
     {{"sequential_ms", NULL, "The sequential handshake, until the first byte: medians, ms.", 1,
       false},
      {"first.cost_ms", "first.cost_ms_ci95", "What the first contact costs beside it, ms.", 1,
       true},
      {"next.cost_ms", "next.cost_ms_ci95", "What the next costs, ms.", 1, true}}},
};

const int compare_study_count = sizeof(compare_studies) / sizeof(compare_studies[0]);

static const struct stats_interval unknown = {(double)NAN, (double)NAN, (double)NAN};

struct compare *compare_new(void)
{
    return calloc(1, sizeof(struct compare));
}

void compare_free(struct compare *compare)
{
    if (compare)
        free(compare->rows);
    free(compare);
}

/* --- rows ------------------------------------------------------------------------------------- */

static void word_of(const json_t *value, char word[COMPARE_WORD_MAX])
{
    if (json_is_string(value))
        (void)snprintf(word, COMPARE_WORD_MAX, "%s", json_string_value(value));
    else if (json_is_number(value))
        (void)snprintf(word, COMPARE_WORD_MAX, "%g", json_number_value(value));
    else if (json_is_boolean(value))
        (void)snprintf(word, COMPARE_WORD_MAX, "%s", json_is_true(value) ? "on" : "off");
    else
        word[0] = '\0';
}

static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* "first.cost_ms": of the object "first". */
static const json_t *member_of(const json_t *object, const char *path)
{
    const char *dot = strchr(path, '.');
    char name[32];

    if (!dot)
        return json_object_get(object, path);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
    return member_of(json_object_get(object, name), dot + 1);
}

static struct stats_interval figure_of(const json_t *row, const struct compare_figure *figure)
{
    const json_t *bounds = figure->interval ? member_of(row, figure->interval) : NULL;

    return (struct stats_interval){number_of(member_of(row, figure->member)),
                                   number_of(json_array_get(bounds, 0)),
                                   number_of(json_array_get(bounds, 1))};
}

/* The row of these words, made if there is none; NULL: memory is short, or they are too many. */
static struct compare_row *row_for(struct compare *c, const struct compare_row *words)
{
    struct compare_row *rows = c->rows;

    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].study == words->study &&
            memcmp(c->rows[i].words, words->words, sizeof(words->words)) == 0)
            return &c->rows[i];
    }
    if (c->row_count == ROWS_MAX)
        return NULL;
    if (c->row_count == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        rows = realloc(c->rows, c->room * sizeof(*rows));
        if (!rows) {
            c->room = c->row_count;
            return NULL;
        }
        c->rows = rows;
    }
    rows[c->row_count] = *words;
    return &rows[c->row_count++];
}

static int take_row(struct compare *c, int study, const json_t *json)
{
    const struct compare_study *s = &compare_studies[study];
    struct compare_row words = {.study = study}, *row;

    for (int i = 0; i < COMPARE_WORDS_MAX && s->words[i].member; i++)
        word_of(json_object_get(json, s->words[i].member), words.words[i]);
    for (int i = 0; i < COMPARE_RUNS_MAX * COMPARE_FIGURES_MAX; i++)
        words.figures[i / COMPARE_FIGURES_MAX][i % COMPARE_FIGURES_MAX] = unknown;
    row = row_for(c, &words);
    if (!row)
        return -ENOMEM;
    for (int i = 0; i < COMPARE_FIGURES_MAX && s->figures[i].member; i++)
        row->figures[c->run_count][i] = figure_of(json, &s->figures[i]);
    return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static void take_text(const json_t *from, const char *member, char *text, size_t size)
{
    const char *value = json_string_value(json_object_get(from, member));

    if (value && !text[0])
        (void)snprintf(text, size, "%s", value);
}

static void take_environment(struct compare_run *run, const json_t *root)
{
    const json_t *e = json_object_get(root, "environment");

    take_text(e, "command", run->command, sizeof(run->command));
    take_text(e, "kernel", run->kernel, sizeof(run->kernel));
    take_text(e, "written", run->written, sizeof(run->written));
    take_text(e, "when", run->written, sizeof(run->written));
    take_text(e, "tlsyn", run->version, sizeof(run->version));
    take_text(e, "version", run->version, sizeof(run->version));
}

static int take_file(struct compare *c, int study, const json_t *root,
                     char message[COMPARE_MESSAGE_MAX])
{
    const json_t *rows = json_object_get(root, "rows");
    int error = json_is_array(rows) ? 0 : -EPROTO;

    if (error < 0)
        (void)snprintf(message, COMPARE_MESSAGE_MAX, "%s/%s has no rows that could be compared",
                       c->runs[c->run_count].folder, compare_studies[study].file);
    for (size_t i = 0; error == 0 && i < json_array_size(rows); i++)
        error = take_row(c, study, json_array_get(rows, i));
    if (error == -ENOMEM)
        (void)snprintf(message, COMPARE_MESSAGE_MAX, "these are more rows than there is room for");
    if (error == 0)
        take_environment(&c->runs[c->run_count], root);
    return error;
}

/* 1: read. 0: it is not there. */
static int read_file(struct compare *c, int study, char message[COMPARE_MESSAGE_MAX])
{
    char path[512];
    struct stat file;
    json_error_t why;
    json_t *root;
    int error;

    (void)snprintf(path, sizeof(path), "%s/%s", c->runs[c->run_count].folder,
                   compare_studies[study].file);
    if (stat(path, &file) < 0)
        return 0;
    if (file.st_size > FILE_MAX) {
        (void)snprintf(message, COMPARE_MESSAGE_MAX, "%s is too large to be a result of ours",
                       path);
        return -EPROTO;
    }
    root = json_load_file(path, 0, &why);
    if (!root) {
        (void)snprintf(message, COMPARE_MESSAGE_MAX, "%s: line %d: %s", path, why.line, why.text);
        return -EPROTO;
    }
    error = take_file(c, study, root, message);
    json_decref(root);
    return error < 0 ? error : 1;
}

/* "out/bulk/" is called "bulk". */
static void name_run(struct compare_run *run, const char *folder)
{
    size_t len = strlen(folder), from;

    while (len > 1 && folder[len - 1] == '/')
        len--;
    from = len;
    while (from > 0 && folder[from - 1] != '/')
        from--;
    (void)snprintf(run->folder, sizeof(run->folder), "%.*s", (int)len, folder);
    (void)snprintf(run->name, sizeof(run->name), "%.*s", (int)(len - from), folder + from);
}

/* Where several runs are called alike they have their numbers, too. */
static void tell_apart(struct compare *c)
{
    struct compare_run *last = &c->runs[c->run_count];

    for (int i = 0; i < c->run_count; i++) {
        if (strcmp(c->runs[i].name, last->name) == 0)
            last->shared = c->runs[i].shared = true;
    }
}

/* What a run that failed has left. */
static void forget(struct compare *c, size_t rows_before)
{
    c->row_count = rows_before;
    for (size_t i = 0; i < c->row_count; i++) {
        for (int f = 0; f < COMPARE_FIGURES_MAX; f++)
            c->rows[i].figures[c->run_count][f] = unknown;
    }
}

int compare_add(struct compare *c, const char *folder, char message[COMPARE_MESSAGE_MAX])
{
    size_t rows = c->row_count;
    int found = 0, r = 0;

    if (c->run_count == COMPARE_RUNS_MAX) {
        (void)snprintf(message, COMPARE_MESSAGE_MAX, "%d runs are compared at most",
                       COMPARE_RUNS_MAX);
        return -E2BIG;
    }
    c->runs[c->run_count] = (struct compare_run){.folder = ""};
    name_run(&c->runs[c->run_count], folder);
    for (int study = 0; study < compare_study_count && r >= 0; study++) {
        r = read_file(c, study, message);
        found += r > 0;
    }
    if (r >= 0 && found == 0) {
        (void)snprintf(message, COMPARE_MESSAGE_MAX,
                       "%s holds no result of tlsyn bench (table2.json, loss.json and so on)",
                       folder);
        r = -ENOENT;
    }
    if (r < 0) {
        forget(c, rows);
        return r;
    }
    tell_apart(c);
    c->run_count++;
    return found;
}
