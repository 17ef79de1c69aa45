/*
 * study/webperf/analyse.c: from the database to rows: who is compared with whom, and by how much
 * they differ.
 *
 * Everything is paired by rounds, as they were observed back to back: S is the median over rounds
 * of a handshake less that round's TCP connect, H of a first byte less that same connection's
 * handshake. So T + S + H need not add up to W, which is the median of what was seen.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "study/webperf/lab.h"

static const struct stats_interval unknown = {(double)NAN, (double)NAN, (double)NAN};
static const struct stats_plan plan = STATS_PLAN(1);

/* --- reading ---------------------------------------------------------------------------------- */

bool webperf_same_words(const struct observation *a, const struct observation *b)
{
    return strcmp(a->operation, b->operation) == 0 && strcmp(a->stack, b->stack) == 0 &&
           strcmp(a->tls, b->tls) == 0 && strcmp(a->mode, b->mode) == 0 &&
           strcmp(a->session, b->session) == 0;
}

bool webperf_same_kind(const struct observation *a, const struct observation *b)
{
    return webperf_same_words(a, b) && strcmp(a->url, b->url) == 0;
}

struct webperf_cell *webperf_cell_of(struct webperf *study, const struct observation *what)
{
    for (size_t i = 0; i < study->cell_count; i++) {
        if (webperf_same_kind(&study->cells[i].what, what))
            return &study->cells[i];
    }
    return NULL;
}

static double *unknown_times(uint32_t rounds)
{
    double *times = calloc(rounds, sizeof(*times));

    for (uint32_t i = 0; times && i < rounds; i++)
        times[i] = (double)NAN;
    return times;
}

static int add_cell(struct webperf *study, const struct observation *what)
{
    struct webperf_cell *cell = &study->cells[study->cell_count];

    if (study->cell_count == WEBPERF_CELLS_MAX)
        return -ENOSPC;
    cell->what = *what;
    study->cell_count++; /* also where memory is short: freed with the others */
    cell->connect = unknown_times(study->rounds);
    cell->handshake = unknown_times(study->rounds);
    cell->first_byte = unknown_times(study->rounds);
    return cell->connect && cell->handshake && cell->first_byte ? 0 : -ENOMEM;
}

static void take_times(struct webperf_cell *cell, const struct observation *o)
{
    cell->ok++;
    cell->connect[o->round] = o->connect_us / 1e3;
    cell->handshake[o->round] = o->handshake_us / 1e3;
    cell->first_byte[o->round] = o->first_byte_us / 1e3;
}

static int take_server(struct webperf *study, const struct observation *o)
{
    size_t i = 0;
    struct webperf_server *server;

    while (i < study->server_count && strcmp(study->servers[i].url, o->url) != 0)
        i++;
    if (i == WEBPERF_SERVERS_MAX)
        return -ENOSPC;
    server = &study->servers[i];
    if (i == study->server_count) {
        server->status = -1;
        memcpy(server->url, o->url, sizeof(server->url));
        memcpy(server->address, o->address, sizeof(server->address));
        study->server_count++;
    }
    server->moved = server->moved || strcmp(server->address, o->address) != 0;
    server->status = server->status < 0 ? o->status : server->status;
    return 0;
}

static int take(void *context, const struct observation *o)
{
    struct webperf *study = context;
    struct webperf_cell *cell = webperf_cell_of(study, o);
    int error = 0;

    if (o->round >= study->rounds) /* written since they were counted */
        return 0;
    if (!cell) {
        error = add_cell(study, o);
        if (error < 0)
            return error;
        cell = &study->cells[study->cell_count - 1];
    }
    study->observations++;
    if (o->place == 0 || study->when[o->round] == 0)
        study->when[o->round] = o->when_us;
    cell->unkept += o->link_kept == 0;
    error = take_server(study, o);
    if (error == 0)
        error = webperf_take_noise(&study->noise, o);
    if (error < 0)
        return error;
    if (strcmp(o->verdict, "ok") == 0) {
        take_times(cell, o);
        return 0;
    }
    if (strcmp(o->verdict, "refused") == 0)
        cell->refused++;
    else
        cell->failed++;
    if (!cell->reason[0])
        memcpy(cell->reason, o->reason, sizeof(cell->reason));
    return 0;
}

static int read_all(struct store *store, struct webperf *study, char message[STORE_MESSAGE_MAX])
{
    size_t all;
    int error = store_run(store, &study->run, message);

    if (error == 0)
        error = store_count(store, &all, &study->rounds, message);
    if (error == 0 && study->rounds == 0) {
        (void)snprintf(message, STORE_MESSAGE_MAX, "there is nothing to report: no round is whole");
        return -ENODATA;
    }
    if (error < 0)
        return error;
    study->when = calloc(study->rounds, sizeof(*study->when));
    if (!study->when) {
        (void)snprintf(message, STORE_MESSAGE_MAX, "out of memory");
        return -ENOMEM;
    }
    return store_each(store, take, study, message);
}

bool webperf_link_kept(const struct webperf_cell *cell)
{
    return study_link_kept(cell->ok + cell->refused + cell->failed, cell->unkept);
}

/* The order of the reports, whatever order the robot's dice had. */
static const char *const reading_order[][6] = {
    {"ping", "tcp", "get", NULL},
    {"tlsyn", "kernel", "quic", NULL},
    {"sequential", "embedded", NULL},
    {"new", "id", "ticket", "psk", "early", NULL},
};

static int rank(int list, const char *word)
{
    int i = 0;

    while (reading_order[list][i] && strcmp(reading_order[list][i], word) != 0)
        i++;
    return i;
}

static int compare_cells(const void *a, const void *b)
{
    const struct observation *x = &((const struct webperf_cell *)a)->what;
    const struct observation *y = &((const struct webperf_cell *)b)->what;
    const int by[] = {strcmp(x->url, y->url),
                      rank(0, x->operation) - rank(0, y->operation),
                      rank(1, x->stack) - rank(1, y->stack),
                      strcmp(x->tls, y->tls),
                      rank(2, x->mode) - rank(2, y->mode),
                      rank(3, x->session) - rank(3, y->session)};
    size_t i = 0;

    while (i < sizeof(by) / sizeof(*by) - 1 && by[i] == 0)
        i++;
    return by[i];
}

static int compare_servers(const void *a, const void *b)
{
    return strcmp(((const struct webperf_server *)a)->url, ((const struct webperf_server *)b)->url);
}

static void sort(struct webperf *s)
{
    qsort(s->servers, s->server_count, sizeof(*s->servers), compare_servers);
    qsort(s->cells, s->cell_count, sizeof(*s->cells), compare_cells);
    for (size_t i = 0; i < s->cell_count; i++) {
        while (strcmp(s->servers[s->cells[i].server].url, s->cells[i].what.url) != 0)
            s->cells[i].server++;
    }
}

int webperf_load(const char *path, struct webperf **study, char message[STORE_MESSAGE_MAX])
{
    struct webperf *s = calloc(1, sizeof(*s));
    struct store *store = NULL;
    int error;

    if (!s) {
        (void)snprintf(message, STORE_MESSAGE_MAX, "out of memory");
        return -ENOMEM;
    }
    error = store_open(path, STORE_READ, &store, message);
    if (error == 0)
        error = read_all(store, s, message);
    store_close(store);
    if (error < 0) {
        webperf_free(s);
        return error;
    }
    sort(s);
    *study = s;
    return 0;
}

void webperf_free(struct webperf *study)
{
    if (!study)
        return;
    for (size_t i = 0; i < study->cell_count; i++) {
        free(study->cells[i].connect);
        free(study->cells[i].handshake);
        free(study->cells[i].first_byte);
    }
    free(study->noise.timer_late_us);
    free(study->noise.link_late_us);
    free(study->when);
    free(study);
}

/* --- figures ---------------------------------------------------------------------------------- */

/* Room for one value per round of two samples. */
struct scratch {
    double *first, *second;
};

static bool is_get(const struct webperf_cell *cell)
{
    return strcmp(cell->what.operation, "get") == 0;
}

/* first[i] - second[i] (second may be NULL) of the rounds that have both. */
static size_t differences(const double *first, const double *second, uint32_t rounds, double *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < rounds; i++) {
        double d = second ? first[i] - second[i] : first[i];

        if (isfinite(d))
            out[n++] = d;
    }
    return n;
}

static int median_of(const struct webperf *study, const double *first, const double *second,
                     struct scratch *s, struct stats_interval *out)
{
    size_t n = differences(first, second, study->rounds, s->first);

    return stats_bootstrap_median(s->first, n, &plan, out);
}

static int describe(const struct webperf *study, struct webperf_cell *cell, struct scratch *s)
{
    const double *times = is_get(cell) ? cell->first_byte : cell->connect;
    size_t n = differences(times, NULL, study->rounds, s->first);
    int error = stats_describe(s->first, n, &cell->summary);
    double far = cell->summary.p75 + 3 * (cell->summary.p75 - cell->summary.p25);

    if (error == 0)
        error = stats_bootstrap_median(s->first, n, &plan, &cell->median);
    for (size_t i = 0; i < n; i++)
        cell->outliers += s->first[i] > far;
    return error;
}

static int fill_row(const struct webperf *study, struct webperf_row *row, struct scratch *s)
{
    const struct webperf_cell *fresh = row->fresh, *cached = row->cached;
    int error = median_of(study, fresh->first_byte, fresh->handshake, s, &row->h);

    row->t = row->s_new = row->s_cached = unknown;
    if (error == 0 && row->tcp)
        error = median_of(study, row->tcp->connect, NULL, s, &row->t);
    if (error == 0 && row->tcp)
        error = median_of(study, fresh->handshake, row->tcp->connect, s, &row->s_new);
    if (error == 0 && row->tcp)
        error = median_of(study, cached->handshake, row->tcp->connect, s, &row->s_cached);
    row->w = fresh->median;
    row->c = cached->median;
    for (uint32_t i = 0; i < study->rounds; i++) {
        if (!isfinite(fresh->first_byte[i]) || !isfinite(cached->first_byte[i]))
            continue;
        s->first[row->pairs] = fresh->first_byte[i];
        s->second[row->pairs++] = cached->first_byte[i];
    }
    if (error == 0)
        error = stats_bootstrap_paired(s->first, s->second, row->pairs, STATS_REDUCTION, &plan,
                                       &row->saving);
    return error;
}

/* Whom a cached key is compared with; and whose TCP connect is the T of both, if there is TCP. */
static bool find_partners(struct webperf *study, const struct webperf_cell *cached,
                          struct webperf_row *row)
{
    struct observation fresh = cached->what, tcp = {.operation = "tcp"};

    (void)snprintf(fresh.session, sizeof(fresh.session), "new");
    memcpy(tcp.stack, cached->what.stack, sizeof(tcp.stack));
    memcpy(tcp.url, cached->what.url, sizeof(tcp.url));
    *row = (struct webperf_row){.cached = cached,
                                .fresh = webperf_cell_of(study, &fresh),
                                .tcp = webperf_cell_of(study, &tcp)};
    return row->fresh && row->fresh != cached;
}

static int fill_rows(struct webperf *study, struct scratch *s)
{
    int error = 0;

    for (size_t i = 0; i < study->cell_count && error == 0; i++)
        error = describe(study, &study->cells[i], s);
    for (size_t i = 0; i < study->cell_count && error == 0; i++) {
        struct webperf_row *row = &study->rows[study->row_count];

        if (!is_get(&study->cells[i]) || !find_partners(study, &study->cells[i], row))
            continue;
        error = fill_row(study, row, s);
        study->row_count++;
    }
    return error;
}

int webperf_analyse(struct webperf *study)
{
    struct scratch s = {calloc(study->rounds, sizeof(double)),
                        calloc(study->rounds, sizeof(double))};
    int error = s.first && s.second ? fill_rows(study, &s) : -ENOMEM;

    free(s.first);
    free(s.second);
    if (error < 0)
        return error;
    webperf_analyse_noise(study);
    webperf_claim(study);
    return 0;
}

/* --- words ------------------------------------------------------------------------------------ */

const char *webperf_begun(const struct webperf *study, char text[WEBPERF_BEGUN_MAX])
{
    time_t began = (time_t)(study->run.started_us / 1000000);
    struct tm utc;

    text[0] = '\0';
    if (gmtime_r(&began, &utc))
        (void)strftime(text, WEBPERF_BEGUN_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

const char *webperf_title(const struct webperf_cell *cell, char text[WEBPERF_TITLE_MAX])
{
    const struct study_way way = webperf_way_of(&cell->what);

    (void)snprintf(text, WEBPERF_TITLE_MAX, "TLS %s, %s", cell->what.tls,
                   study_stack_title(way.stack, way.mode));
    return text;
}

const char *webperf_full_title(const struct webperf *study, const struct webperf_cell *cell,
                               char text[WEBPERF_TITLE_MAX])
{
    const struct study_way way = webperf_way_of(&cell->what);

    if (study->server_count == 1)
        return webperf_title(cell, text);
    (void)snprintf(text, WEBPERF_TITLE_MAX, "%s: TLS %s, %s", cell->what.url, cell->what.tls,
                   study_stack_title(way.stack, way.mode));
    return text;
}

const char *webperf_server_text(const struct webperf_server *server, char text[WEBPERF_TITLE_MAX])
{
    char status[32] = "";

    if (server->status >= 0)
        (void)snprintf(status, sizeof(status), ", status %d", (int)server->status);
    (void)snprintf(text, WEBPERF_TITLE_MAX, "%s%s%s%s%s%s", server->url,
                   server->address[0] ? " (" : "", server->address,
                   server->moved ? " and others" : "", server->address[0] ? ")" : "", status);
    return text;
}
