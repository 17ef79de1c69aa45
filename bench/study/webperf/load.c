/*
 * study/webperf/load.c: from the database to cells: what was observed of each kind, by rounds.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/webperf/kinds.h"

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

static int make_noise_room(struct webperf_noise *n)
{
    size_t room = n->room ? 2 * n->room : 1024;
    double *timers = realloc(n->timer_late_us, room * sizeof(*timers));

    if (timers)
        n->timer_late_us = timers;
    double *links = timers ? realloc(n->link_late_us, room * sizeof(*links)) : NULL;
    if (!links)
        return -ENOMEM;
    n->link_late_us = links;
    n->room = room;
    return 0;
}

/* What it says of link and machine. */
static int take_noise(struct webperf_noise *n, const struct observation *o)
{
    if ((n->timers == n->room || n->links == n->room) && make_noise_room(n) < 0)
        return -ENOMEM;
    if (isfinite(o->timer_late_us))
        n->timer_late_us[n->timers++] = o->timer_late_us;
    if (isfinite(o->link_late_us))
        n->link_late_us[n->links++] = o->link_late_us;
    if (o->cpu_ticks > 0 && o->stolen_ticks >= 0) {
        n->cpu_ticks += (uint64_t)o->cpu_ticks;
        n->stolen_ticks += (uint64_t)o->stolen_ticks;
    }
    n->asked += o->link_kept >= 0;
    n->unkept += o->link_kept == 0;
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
        error = take_noise(&study->noise, o);
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
