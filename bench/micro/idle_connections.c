/*
 * micro/idle_connections.c: what an idle connection costs in memory, and what a hundred thousand of
 * them cost the others in time.
 *
 *     build/release/micro_idle_connections [--connections 100000] [--rounds 300]
 *
 * Two pairs of stacks, client and server, each pair joined by a link in memory: one with a hundred
 * established connections, one with many. Memory: what the server's allocator gave out
 * (malloc_usable_size() and malloc's own word counted) from before the first connection until all
 * have been idle for some seconds. Time: in each round both pairs, in shuffled order, do the same:
 * a hundred connections carry 64 bytes there and back, ten times; CPU time per frame, stacks and
 * link together. The hundred of the many are the same in every round ("the same"), or drawn anew
 * for each round ("any"): then nothing of theirs is in a cache, and their buffers must be taken.
 * The ratio is one of times within a round; its median and 5th to 95th percentiles.
 *
 * Figures: docs/MEASURING.md.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include <tlsyn/conn.h>
#include <tlsyn/link.h>

#include "core/list.h"
#include "measure/clock.h"
#include "measure/rng.h"
#include "measure/stats.h"

#define FEW        100u
#define ACTIVE     100u
#define MESSAGES   10
#define MESSAGE    64
#define WARM_UP    20
#define PORTS      50000u /* local ports per port of the server */
#define PORT_FIRST 10000u
#define TICK       TLSYN_MS(1)

struct counted {
    struct tlsyn_alloc base;
    size_t bytes;
};

struct host {
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_link *link;
    struct tlsyn_addr addr;
    struct counted memory;
};

struct pair;

/* The client's end of one connection. */
struct user {
    struct tlsyn_handler handler;
    struct tlsyn_conn *conn;
    struct pair *pair;
};

struct pair {
    struct host client, server;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_handler echo;
    struct user *users;
    uint32_t connections, established, echoed;
    tlsyn_time now;
    uint64_t frames;
    double bytes; /* per connection */
};

static void fail(const char *what, int error)
{
    fprintf(stderr, "idle_connections: %s: %s\n", what, strerror(-error));
    exit(1);
}

static void *counted_resize(struct tlsyn_alloc *alloc, void *memory, size_t size)
{
    struct counted *c = container_of(alloc, struct counted, base);

    if (memory)
        c->bytes -= malloc_usable_size(memory) + sizeof(size_t);
    if (size == 0) {
        free(memory);
        return NULL;
    }
    memory = realloc(memory, size);
    if (memory)
        c->bytes += malloc_usable_size(memory) + sizeof(size_t);
    return memory;
}

/* --- users ------------------------------------------------------------------------------------ */

static void established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)conn;
    container_of(handler, struct user, handler)->pair->established++;
}

static void answered(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct tlsyn_view view;
    size_t n = tlsyn_conn_peek(conn, &view);

    tlsyn_conn_consume(conn, n);
    container_of(handler, struct user, handler)->pair->echoed += (uint32_t)n;
}

static void asked(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct tlsyn_view view;
    size_t n = tlsyn_conn_peek(conn, &view);

    (void)handler;
    for (int i = 0; i < 2; i++)
        if (view.part[i].iov_len)
            tlsyn_conn_write(conn, view.part[i].iov_base, view.part[i].iov_len);
    tlsyn_conn_consume(conn, n);
}

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    (void)conn;
    return &container_of(acceptor, struct pair, acceptor)->echo;
}

static const struct tlsyn_conn_events client_events = {.on_established = established,
                                                       .on_data = answered};
static const struct tlsyn_conn_events server_events = {.on_data = asked};

/* --- a pair of stacks ------------------------------------------------------------------------- */

static void turn(struct pair *p, struct host *host)
{
    struct tlsyn_frame frame[TLSYN_LINK_BATCH];
    int n = tlsyn_link_receive(host->link, frame, TLSYN_LINK_BATCH, p->now);

    for (int i = 0; i < n; i++)
        tlsyn_stack_input(host->stack, host->iface, &frame[i], p->now);
    p->frames += n > 0 ? (uint64_t)n : 0;
    tlsyn_stack_timers(host->stack, p->now);
    tlsyn_stack_output(host->stack, p->now);
}

static void until(struct pair *p, const uint32_t *count, uint32_t wanted)
{
    for (int i = 0; *count < wanted; i++) {
        if (i > 1000000)
            fail("it does not come", -ETIMEDOUT);
        p->now += 10;
        turn(p, &p->client);
        turn(p, &p->server);
    }
}

static void rest(struct pair *p, tlsyn_time duration)
{
    for (tlsyn_time end = p->now + duration; p->now < end; p->now += TICK) {
        turn(p, &p->client);
        turn(p, &p->server);
    }
}

static void host_open(struct pair *p, struct host *host, struct tlsyn_link *link, uint8_t number)
{
    struct tlsyn_limits limits;
    int error;

    tlsyn_limits_default(&limits);
    limits.connections = p->connections + 1;
    host->link = link;
    host->memory.base.resize = counted_resize;
    host->addr = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, number});
    host->stack = tlsyn_stack_new(&(struct tlsyn_stack_options){
        .limits = &limits, .alloc = &host->memory.base, .now = p->now});
    if (!host->stack)
        fail("stack", -ENOMEM);
    error = tlsyn_iface_add(host->stack, link, &host->iface);
    if (error == 0)
        error = tlsyn_iface_address(host->iface, &host->addr, 24);
    if (error < 0)
        fail("interface", error);
}

static void listen_on(struct pair *p, uint16_t port)
{
    const struct tlsyn_listen_options options = {.local = {.port = port},
                                                 .conn = {.no_delack = true}};
    int error = tlsyn_listener_open(p->server.stack, &options, &p->acceptor, NULL);

    if (error < 0)
        fail("listen", error);
}

static void connect_one(struct pair *p, uint32_t i)
{
    const struct tlsyn_connect_options options = {
        .remote = {p->server.addr, (uint16_t)(1 + i / PORTS)},
        .local = {.port = (uint16_t)(PORT_FIRST + i % PORTS)},
        .conn = {.no_delack = true},
    };
    struct user *u = &p->users[i];

    *u = (struct user){.handler = {&client_events}, .pair = p};
    int error = tlsyn_conn_open(p->client.stack, &options, &u->handler, &u->conn);
    if (error < 0)
        fail("connect", error);
}

static void pair_open(struct pair *p, uint32_t connections)
{
    const struct tlsyn_link_caps caps = {.mtu = 1500, .csum = true};
    struct tlsyn_link *ends[2];
    int error = tlsyn_pipe_open(&caps, 4096, ends);

    if (error < 0)
        fail("pipe", error);
    *p = (struct pair){.connections = connections,
                       .acceptor = {accept_one},
                       .echo = {&server_events},
                       .now = TLSYN_SECONDS(1000)};
    p->users = calloc(connections, sizeof(*p->users));
    if (!p->users)
        fail("users", -ENOMEM);
    host_open(p, &p->client, ends[0], 1);
    host_open(p, &p->server, ends[1], 2);
    for (uint32_t i = 0; i < connections; i += PORTS)
        listen_on(p, (uint16_t)(1 + i / PORTS));
    size_t before = p->server.memory.bytes;
    for (uint32_t i = 0; i < connections; i++) {
        connect_one(p, i);
        if (i % 64 == 63 || i + 1 == connections)
            until(p, &p->established, i + 1);
    }
    rest(p, TLSYN_SECONDS(5));
    p->bytes = (double)(p->server.memory.bytes - before) / connections;
}

static void pair_close(struct pair *p)
{
    tlsyn_stack_free(p->client.stack);
    tlsyn_stack_free(p->server.stack);
    tlsyn_link_close(p->client.link);
    tlsyn_link_close(p->server.link);
    free(p->users);
}

/* --- time ------------------------------------------------------------------------------------- */

/* Nanoseconds per frame while the users `which` exchange their messages. */
static double carry(struct pair *p, const uint32_t *which)
{
    static const uint8_t message[MESSAGE];
    uint64_t frames = p->frames;
    double begin = clock_us(CLOCK_THREAD_CPUTIME_ID);

    for (int m = 0; m < MESSAGES; m++) {
        for (uint32_t i = 0; i < ACTIVE; i++)
            tlsyn_conn_write(p->users[which[i]].conn, message, sizeof(message));
        p->echoed = 0;
        until(p, &p->echoed, ACTIVE * MESSAGE);
    }
    double spent = clock_us(CLOCK_THREAD_CPUTIME_ID) - begin;
    double per_frame = spent * 1e3 / (double)(p->frames - frames);
    rest(p, TLSYN_SECONDS(2));
    return per_frame;
}

static void report(const char *name, double *few, double *many, double *ratio, size_t n)
{
    stats_sort(few, n);
    stats_sort(many, n);
    stats_sort(ratio, n);
    printf("%-8s  %6.0f ns  %6.0f ns  %5.2f  (%.2f to %.2f)\n", name, stats_quantile(few, n, 0.5),
           stats_quantile(many, n, 0.5), stats_quantile(ratio, n, 0.5),
           stats_quantile(ratio, n, 0.05), stats_quantile(ratio, n, 0.95));
    fflush(stdout);
}

static void compare(struct pair *few, struct pair *many, bool any, int rounds, struct rng *rng)
{
    double *x = calloc((size_t)rounds * 3, sizeof(*x)), *y, *ratio;
    uint32_t first[ACTIVE], second[ACTIVE];

    if (!x)
        fail("samples", -ENOMEM);
    y = x + rounds;
    ratio = y + rounds;
    for (uint32_t i = 0; i < ACTIVE; i++) {
        first[i] = i;
        second[i] = i * (many->connections / ACTIVE);
    }
    for (int r = -WARM_UP; r < rounds; r++) {
        bool few_first = rng_below(rng, 2);

        for (uint32_t i = 0; any && i < ACTIVE; i++)
            second[i] = rng_below(rng, many->connections);
        double a = few_first ? carry(few, first) : 0, b = carry(many, second);
        a = few_first ? a : carry(few, first);
        if (r >= 0) {
            x[r] = a;
            y[r] = b;
            ratio[r] = b / a;
        }
    }
    report(any ? "any" : "the same", x, y, ratio, (size_t)rounds);
    free(x);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"connections", required_argument, NULL, 'c'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {0}};
    static struct pair few, many;
    unsigned long connections = 100000;
    int rounds = 300, c;
    struct rng rng;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'c')
            connections = strtoul(optarg, NULL, 0);
        else if (c == 'r')
            rounds = atoi(optarg);
        else
            return 2;
    }
    if (connections < FEW || connections > 20 * PORTS || rounds < 1)
        return 2;
    rng_seed(&rng, 1);
    pair_open(&few, FEW);
    pair_open(&many, (uint32_t)connections);
    printf("bytes per idle connection: %.0f of %lu, %.0f of %u\n", many.bytes, connections,
           few.bytes, FEW);
    printf("active    of %6u  of %6lu  ratio  (5th to 95th percentile of %d rounds)\n", FEW,
           connections, rounds);
    compare(&few, &many, false, rounds, &rng);
    compare(&few, &many, true, rounds, &rng);
    pair_close(&few);
    pair_close(&many);
    return 0;
}
