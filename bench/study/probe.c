/*
 * study/probe.c: round trips. The stack's time is frozen during a call, and so a clock is read
 * here.
 */
#include "study/probe.h"

#include <errno.h>

#include "measure/clock.h"

enum { ECHO_ID = 0x7473, ECHO_PAYLOAD = 56 };

static void end(struct probe *p, int error)
{
    p->us = clock_us(CLOCK_MONOTONIC) - p->started_us;
    p->error = error;
    p->done = true;
}

static void on_reply(struct tlsyn_ping_handler *echo, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    struct probe *p = (struct probe *)((char *)echo - offsetof(struct probe, echo));

    (void)from;
    (void)size;
    (void)ttl;
    if (sequence == p->sequence)
        end(p, error);
}

static struct probe *of(struct tlsyn_handler *plain)
{
    return (struct probe *)((char *)plain - offsetof(struct probe, plain));
}

static void on_established(struct tlsyn_handler *plain, struct tlsyn_conn *conn)
{
    (void)conn;
    end(of(plain), 0);
}

static void on_closed(struct tlsyn_handler *plain, struct tlsyn_conn *conn, int error)
{
    struct probe *p = of(plain);

    (void)conn;
    p->conn = NULL;
    if (!p->done)
        end(p, error < 0 ? error : -ECONNRESET);
}

void probe_init(struct probe *probe, struct node *node, const char *server)
{
    static const struct tlsyn_conn_events events = {.on_established = on_established,
                                                    .on_closed = on_closed};

    *probe = (struct probe){.plain = {.events = &events},
                            .echo = {.on_reply = on_reply},
                            .node = node,
                            .server = node_address(server)};
}

static int begin(struct probe *p, enum study_probe kind)
{
    const struct tlsyn_connect_options options = {
        .remote = {.addr = p->server, .port = study_port(STUDY_13, STUDY_NEW)}};

    if (kind == STUDY_CONNECT)
        return tlsyn_conn_open(p->node->stack, &options, &p->plain, &p->conn);
    return tlsyn_ping(p->node->stack, &p->server, ECHO_ID, ++p->sequence, ECHO_PAYLOAD, &p->echo);
}

void probe_start(struct probe *probe, enum study_probe kind)
{
    int error;

    probe->done = false;
    probe->conn = NULL;
    probe->error = -ETIMEDOUT;
    probe->started_us = clock_us(CLOCK_MONOTONIC);
    error = begin(probe, kind);
    if (error < 0)
        end(probe, error);
}

int probe_finish(struct probe *probe, double *us)
{
    tlsyn_ping_stop(probe->node->stack);
    if (probe->conn)
        tlsyn_conn_abort(probe->conn, 0);
    probe->conn = NULL;
    *us = probe->us;
    return probe->error;
}
