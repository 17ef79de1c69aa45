/*
 * sim/throughput: how fast a transfer is over paths of many kinds, beside what it was.
 *
 * A row is a path (loss, round trip, reordering, the bottleneck's queue) and a controller; its
 * figure is what a bulk transfer moves there, from the open call until the receiver has read the
 * end of the stream: the geometric mean of some between two stacks under a virtual clock. The
 * same code gives the same figures on every machine, so a snapshot of them, throughput.tsv, shows
 * what a change does to the speed:
 *
 *     throughput FILE            measures, and compares with the snapshot
 *     throughput --write FILE    measures, and writes it anew: read the difference, and commit it
 *
 * A change may shuffle which segments are lost. A row in which chance has a say is therefore worse
 * only below ROW_LEAST of its figure, another one below SURE_LEAST; and the rows of one controller,
 * or of one loss, together may move by no more than MEAN_LEAST to MEAN_MOST (geometric mean):
 * upwards too, as what was gained could else be lost again unnoticed. Each row draws from seeds of
 * its own, so that luck in one says nothing of another; with other seeds such means move by some
 * 2 %.
 *
 * Paths and sizes are those of `tlsyn bench loss`, which measures them with the kernel's stack: see
 * docs/TESTING.md.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/list.h"
#include "study/transfer/loss.h"
#include "support/bulk.h"
#include "support/must.h"
#include "support/world.h"

#define RATE       50000000u /* of the bottleneck, bits per second */
#define LIMIT      TLSYN_SECONDS(600)
#define SHALLOW    (64u << 10) /* bytes of the queue before it */
#define DEEP       (512u << 10)
#define PORT       443
#define ROW_LEAST  0.6
#define SURE_LEAST 0.95
#define MEAN_LEAST 0.95
#define MEAN_MOST  1.08
#define ROWS_MAX   512
#define SEEDS      100 /* of short transfers, whose times differ by half */
#define SEEDS_LONG 5
#define SEED_STEP  1000 /* from one row's seeds to the next one's */

struct row {
    char controller[16];
    double loss, rtt_ms, reorder; /* per cent, ms, per cent */
    uint32_t queue;               /* KiB */
    double mbit_s;
};

#define CONTROLLERS 3
static const char *const controllers[CONTROLLERS] = {"cubic", "newreno", "bbr"};

struct table {
    struct row row[ROWS_MAX];
    uint32_t count;
};

/* --- one transfer ----------------------------------------------------------------------------- */

struct introduction {
    struct tlsyn_ping_handler handler;
    bool made;
};

static void answered(struct tlsyn_ping_handler *handler, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    (void)from, (void)sequence, (void)size, (void)ttl, (void)error;
    container_of(handler, struct introduction, handler)->made = true;
}

/* The hosts know each other, before there is a path: a lost ARP reply costs a second, which says
 * nothing of a transfer. */
static void open_world(struct world *w, const struct tlsyn_impairment *path, uint64_t seed)
{
    struct introduction introduction = {.handler = {answered}};
    struct tlsyn_impairment out = *path, in = *path;
    struct tlsyn_stack *client;

    out.seed = 2 * seed;
    in.seed = 2 * seed + 1;
    world_open(w, &(struct world_options){.seed = seed});
    client = w->host[WORLD_CLIENT].stack;
    (void)tlsyn_ping(client, &w->host[WORLD_SERVER].addr, 1, 1, 0, &introduction.handler);
    must(world_run(w, TLSYN_SECONDS(1), &introduction.made));
    tlsyn_ping_stop(client);
    must(tlsyn_impair_set(w->host[WORLD_CLIENT].link, &out, &in) == 0);
}

static double seconds(const struct loss_options *options, const struct loss_cell *cell,
                      uint64_t seed)
{
    const struct tlsyn_impairment path = loss_path(options, cell, 0); /* the world seeds it */
    const struct tlsyn_conn_options conn = {.controller = options->controller};
    struct bulk client, server;
    struct world w;

    open_world(&w, &path, seed);
    tlsyn_time began = w.now;
    bulk_init(&client, cell->bytes, 0);
    bulk_init(&server, 0, cell->bytes);
    const struct tlsyn_listen_options listen = {.local = {.port = PORT}, .conn = conn};
    const struct tlsyn_connect_options connect = {.remote = {w.host[WORLD_SERVER].addr, PORT},
                                                  .conn = conn};
    must(tlsyn_listener_open(w.host[WORLD_SERVER].stack, &listen, &server.acceptor, NULL) == 0);
    must(tlsyn_conn_open(w.host[WORLD_CLIENT].stack, &connect, &client.handler, NULL) == 0);
    must(world_run(&w, LIMIT, &server.ended));
    must(server.received == cell->bytes);
    double took = (double)(w.now - began) / 1e6;
    if (client.conn)
        tlsyn_conn_abort(client.conn, 0);
    if (server.conn)
        tlsyn_conn_abort(server.conn, 0);
    world_close(&w);
    return took;
}

/* --- the rows --------------------------------------------------------------------------------- */

static bool drawn(double loss, double reorder)
{
    return loss > 0 || reorder > 0;
}

/* Where nothing is drawn all are alike, and in long transfers chance has had its say. */
static unsigned seeds(const struct loss_cell *cell)
{
    if (!drawn(cell->loss, cell->reorder))
        return 1;
    return cell->bytes < 1u << 20 ? SEEDS : SEEDS_LONG;
}

static void measure_cell(const struct loss_options *options, const struct loss_cell *cell,
                         struct table *table)
{
    uint64_t seed = SEED_STEP * (uint64_t)table->count;
    struct row *row = &table->row[table->count++];
    unsigned n = seeds(cell);
    double sum = 0;

    must(table->count <= ROWS_MAX);
    for (unsigned i = 0; i < n; i++)
        sum += log(seconds(options, cell, ++seed));
    *row = (struct row){.loss = cell->loss,
                        .rtt_ms = cell->rtt_ms,
                        .reorder = cell->reorder,
                        .queue = options->queue >> 10,
                        .mbit_s = (double)cell->bytes * 8 / 1e6 / exp(sum / n)};
    memcpy(row->controller, options->controller, sizeof(row->controller));
}

static void measure_group(const char *controller, uint32_t queue, double reorder,
                          struct table *table)
{
    struct loss_study *study = NULL;
    struct loss_options options;

    loss_defaults(&options);
    options.rtt = (struct loss_list){{1, 20, 100}, 3};
    options.reorder = (struct loss_list){{reorder}, 1};
    options.families[0] = AF_INET;
    options.family_count = 1;
    options.rate = RATE;
    options.queue = queue;
    (void)snprintf(options.controller, sizeof(options.controller), "%s", controller);
    must(loss_plan(&options, &study) == 0);
    for (uint32_t i = 0; i < study->cell_count; i++)
        measure_cell(&options, &study->cells[i], table);
    loss_free(study);
}

static void measure(struct table *table)
{
    table->count = 0;
    for (int c = 0; c < CONTROLLERS; c++) {
        if (c == 0)
            measure_group(controllers[c], SHALLOW, 0, table);
        measure_group(controllers[c], DEEP, 0, table);
        measure_group(controllers[c], DEEP, 5, table);
    }
}

/* --- the snapshot ----------------------------------------------------------------------------- */

static int write_snapshot(const struct table *table, const char *path)
{
    FILE *out = fopen(path, "w");

    if (!out)
        return -errno;
    (void)fprintf(out, "controller\tloss\trtt_ms\treorder\tqueue_kib\tmbit_s\n");
    for (uint32_t i = 0; i < table->count; i++) {
        const struct row *r = &table->row[i];

        (void)fprintf(out, "%s\t%g\t%g\t%g\t%u\t%.2f\n", r->controller, r->loss, r->rtt_ms,
                      r->reorder, r->queue, r->mbit_s);
    }
    return fclose(out) == 0 ? 0 : -errno;
}

static int read_snapshot(struct table *table, const char *path)
{
    FILE *in = fopen(path, "r");
    char line[128];

    table->count = 0;
    if (!in)
        return -errno;
    while (fgets(line, sizeof(line), in) && table->count < ROWS_MAX) {
        struct row *r = &table->row[table->count];

        if (sscanf(line, "%15s %lf %lf %lf %u %lf", r->controller, &r->loss, &r->rtt_ms,
                   &r->reorder, &r->queue, &r->mbit_s) == 6)
            table->count++;
    }
    (void)fclose(in);
    return table->count > 0 ? 0 : -EINVAL;
}

static const struct row *find(const struct table *table, const struct row *like)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct row *r = &table->row[i];

        if (strcmp(r->controller, like->controller) == 0 && !(r->loss < like->loss) &&
            !(r->loss > like->loss) && !(r->rtt_ms < like->rtt_ms) && !(r->rtt_ms > like->rtt_ms) &&
            !(r->reorder < like->reorder) && !(r->reorder > like->reorder) &&
            r->queue == like->queue)
            return r;
    }
    return NULL;
}

static void tell(const struct row *now, double was)
{
    (void)fprintf(stderr,
                  "%s, loss %g %%, RTT %g ms, reordering %g %%, queue %u KiB: %.2f Mbit/s, "
                  "was %.2f (%.2f)\n",
                  now->controller, now->loss, now->rtt_ms, now->reorder, now->queue, now->mbit_s,
                  was, now->mbit_s / was);
}

/* Rows that have something in common. */
struct group {
    const char *controller; /* or NULL: this loss, in per cent */
    double loss;
};

static bool belongs(const struct row *row, const struct group *group)
{
    if (group->controller)
        return strcmp(row->controller, group->controller) == 0;
    return !(row->loss < group->loss) && !(row->loss > group->loss);
}

/* The geometric mean of the ratios of a group's rows; NaN: the snapshot lacks one. */
static double mean_of(const struct group *group, const struct table *now, const struct table *was)
{
    double sum = 0, rows = 0;

    for (uint32_t i = 0; i < now->count; i++) {
        const struct row *before = find(was, &now->row[i]);

        if (!belongs(&now->row[i], group))
            continue;
        sum += before ? log(now->row[i].mbit_s / before->mbit_s) : NAN;
        rows++;
    }
    return exp(sum / rows);
}

static bool compare_group(const struct group *group, const struct table *now,
                          const struct table *was)
{
    double mean = mean_of(group, now, was);

    if (group->controller)
        (void)printf("%s", group->controller);
    else
        (void)printf("loss %g %%", group->loss);
    (void)printf(": %.3f of the snapshot's throughput in the mean\n", mean);
    return mean >= MEAN_LEAST && mean <= MEAN_MOST;
}

/* True: as fast as it was. */
static bool compare(const struct table *now, const struct table *was)
{
    static const struct group groups[] = {{.controller = "cubic"},
                                          {.controller = "newreno"},
                                          {.controller = "bbr"},
                                          {.loss = 0},
                                          {.loss = 0.1},
                                          {.loss = 1},
                                          {.loss = 5}};
    bool good = now->count == was->count;

    for (uint32_t i = 0; i < now->count; i++) {
        const struct row *row = &now->row[i], *before = find(was, row);
        double least = drawn(row->loss, row->reorder) ? ROW_LEAST : SURE_LEAST;

        if (before && row->mbit_s / before->mbit_s >= least)
            continue;
        tell(row, before ? before->mbit_s : 0);
        good = false;
    }
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
        good = compare_group(&groups[i], now, was) && good;
    if (!good)
        (void)fprintf(stderr, "Not as fast as it was: repair it; or, if it is meant, "
                              "'make golden' and commit the difference.\n");
    return good;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"write", no_argument, NULL, 'w'}, {0}};
    static struct table now, was;
    bool writes = false;
    int option, error;

    while ((option = getopt_long(argc, argv, "w", options, NULL)) == 'w')
        writes = true;
    if (option != -1 || optind + 1 != argc) {
        (void)fprintf(stderr, "usage: throughput [--write] FILE\n");
        return 2;
    }
    error = writes ? 0 : read_snapshot(&was, argv[optind]);
    if (error == 0)
        measure(&now);
    if (writes)
        error = write_snapshot(&now, argv[optind]);
    if (error < 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[optind], strerror(-error));
        return 1;
    }
    return writes || compare(&now, &was) ? 0 : 1;
}
