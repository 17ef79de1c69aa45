/*
 * study/transfer/flow_tlsyn.c: an end of a transfer on our stack.
 *
 * As plain a user of tlsyn/conn.h as can be: the sender lends its bytes whenever there is room, or
 * has them copied; the receiver looks at what has arrived in place and consumes it.
 */
#include "study/transfer/flow_end.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsyn/conn.h>

#include "study/actors.h"
#include "study/node.h"

#define WARM_UP TLSYN_SECONDS(3)

struct flow {
    struct tlsyn_handler handler;
    struct flow_door {
        struct tlsyn_acceptor acceptor;
        struct flow *flow;
    } door;
    struct flow_wire {
        struct tlsyn_loop_watch watch;
        struct flow *flow;
    } wire;
    const struct flow_end *end;
    struct node node;
    struct tlsyn_conn *conn;
    struct flow_meter meter;
    bool refused;  /* the warm-up was answered */
    bool over;     /* STOP, or it went wrong */
    bool finished; /* all was sent, or received */
    int error;
};

static void fail(struct flow *f, int error)
{
    if (f->error == 0)
        f->error = error;
    f->over = true;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static ssize_t send_some(struct flow *f, const uint8_t *bytes, size_t n)
{
    return f->end->order.copies ? tlsyn_conn_write(f->conn, bytes, n)
                                : tlsyn_conn_lend(f->conn, bytes, n);
}

static void send_more(struct flow *f)
{
    ssize_t sent = 1;

    while (!f->finished && sent > 0) {
        const uint8_t *bytes;
        size_t n = flow_meter_next(&f->meter, SIZE_MAX, &bytes);

        if (n == 0) {
            f->finished = true;
            flow_meter_finish(&f->meter);
            tlsyn_conn_close(f->conn);
            return;
        }
        sent = send_some(f, bytes, n);
        if (sent > 0)
            flow_meter_sent(&f->meter, (size_t)sent);
    }
    if (sent < 0)
        fail(f, (int)sent);
}

static void receive_more(struct flow *f)
{
    struct tlsyn_view view;
    size_t n = tlsyn_conn_peek(f->conn, &view);

    for (int i = 0; i < 2 && n > 0; i++) {
        if (view.part[i].iov_len > 0)
            flow_meter_received(&f->meter, view.part[i].iov_base, view.part[i].iov_len);
    }
    tlsyn_conn_consume(f->conn, n);
    if (f->finished || !tlsyn_conn_ended(f->conn))
        return;
    f->finished = true;
    flow_meter_finish(&f->meter);
    (void)flow_tell(f->end, FLOW_REPORT, 0, NULL, &f->meter.report);
    tlsyn_conn_close(f->conn);
}

/* --- events ----------------------------------------------------------------------------------- */

static struct flow *flow_of(struct tlsyn_handler *handler)
{
    return (struct flow *)handler; /* first member */
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct flow *f = flow_of(handler);

    f->conn = conn;
    if (f->end->sends)
        send_more(f);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct flow *f = flow_of(handler);

    (void)conn;
    if (!f->end->sends)
        receive_more(f);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct flow *f = flow_of(handler);

    (void)conn;
    (void)n;
    if (f->end->sends && !f->finished)
        send_more(f);
}

static void take_info(struct flow *f, const struct tlsyn_conn *conn)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(conn, &info);
    f->meter.report.retransmits = info.retransmits;
    f->meter.report.timeouts = info.timeouts;
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct flow *f = flow_of(handler);

    take_info(f, conn);
    f->conn = NULL;
    if (!f->finished)
        fail(f, error ? error : -EPIPE);
}

static const struct tlsyn_conn_events events = {.on_established = on_established,
                                                .on_data = on_data,
                                                .on_acked = on_acked,
                                                .on_closed = on_closed};

static struct tlsyn_handler *take_connection(struct tlsyn_acceptor *acceptor,
                                             struct tlsyn_conn *conn)
{
    struct flow *f = ((struct flow_door *)acceptor)->flow; /* first member */

    if (f->conn)
        return NULL;
    f->conn = conn;
    return &f->handler;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void on_refused(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct flow *f = flow_of(handler);

    (void)conn;
    f->refused = true;
    if (error != -ECONNREFUSED)
        fail(f, error);
}

/* What the kernel calls reno is NewReno. */
static struct tlsyn_conn_options conn_options(const struct flow_end *end)
{
    const char *name = end->order.controller;

    return (struct tlsyn_conn_options){.snd_ring = end->order.ring,
                                       .rcv_ring = end->order.ring,
                                       .controller = !name[0]                    ? NULL
                                                     : strcmp(name, "reno") == 0 ? "newreno"
                                                                                 : name};
}

static int connect_to(struct flow *f, unsigned port)
{
    const struct tlsyn_connect_options options = {
        .remote = {.addr = node_address(f->end->peer), .port = (uint16_t)port},
        .conn = conn_options(f->end)};

    return tlsyn_conn_open(f->node.stack, &options, &f->handler, &f->conn);
}

/* Knocks where nobody listens: when the answer is there, both ends know each other's
 * Ethernet address. */
static int warm_up(struct flow *f)
{
    static const struct tlsyn_conn_events knock = {.on_closed = on_refused};
    int error;

    f->handler.events = &knock;
    error = connect_to(f, f->end->order.port + 1u);
    if (error == 0)
        error = tlsyn_loop_run(f->node.loop, &f->refused, tlsyn_clock() + WARM_UP);
    f->handler.events = &events;
    f->conn = NULL;
    return error < 0 ? error : f->error;
}

static void on_control(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct flow *f = ((struct flow_wire *)watch)->flow; /* first member */
    struct flow_message message;
    int error = actor_receive(fd, &message, sizeof(message), 0);

    (void)revents;
    if (error == 0 && message.word == FLOW_GO) {
        f->meter.report.opened = tlsyn_clock();
        error = connect_to(f, f->end->order.port);
    } else if (error == 0) {
        f->over = true;
    }
    if (error < 0)
        fail(f, error);
}

/* It has an Ethernet address of its own, so that the kernel sees at the first look that a frame is
 * not for its own stack, instead of looking for a route. */
static int open_link(const struct flow_end *end, struct tlsyn_link **link)
{
    const struct tlsyn_afpacket_options options = {
        .hwaddr = {0x02, 0, 10, 77, 1, (uint8_t)end->host},
        .way = end->order.rings ? TLSYN_AFPACKET_RING : TLSYN_AFPACKET_CALLS,
        .no_vnet_hdr = end->order.plain,
    };
    struct tlsyn_link *wire = NULL;
    int error = tlsyn_afpacket_open(lab_host_info(end->host)->interface, &options, &wire);

    if (error < 0)
        return error;
    *link = wire;
    if (end->order.capture[0] && end->host == LAB_CLIENT)
        error = tlsyn_capture_wrap(wire, end->order.capture, link);
    if (error < 0)
        tlsyn_link_close(wire);
    return error;
}

static int open_flow(struct flow *f)
{
    const struct tlsyn_listen_options listen = {.local = {.port = f->end->order.port},
                                                .conn = conn_options(f->end)};
    const struct lab_host_info *info = lab_host_info(f->end->host);
    int prefix_len = f->end->order.family == AF_INET6 ? info->prefix6_len : info->prefix_len;
    struct tlsyn_listener *listener;
    struct tlsyn_link *link;
    int error = open_link(f->end, &link);

    if (error == 0)
        error = node_open(&f->node, link, f->end->own, prefix_len);
    if (error == 0)
        error = tlsyn_loop_watch(f->node.loop, f->end->control, POLLIN, &f->wire.watch);
    if (error == 0 && f->end->opens)
        return warm_up(f);
    return error == 0 ? tlsyn_listener_open(f->node.stack, &listen, &f->door.acceptor, &listener)
                      : error;
}

static int serve(struct flow *f)
{
    int error = open_flow(f);

    if (error < 0)
        return error;
    (void)flow_tell(f->end, FLOW_READY, 0, NULL, NULL);
    error = node_run(&f->node, &f->over, TLSYN_NEVER);
    if (f->conn)
        take_info(f, f->conn);
    return error < 0 ? error : f->error;
}

int flow_tlsyn(const struct flow_end *end)
{
    struct flow f = {.end = end,
                     .handler.events = &events,
                     .door = {{take_connection}, &f},
                     .wire = {{on_control}, &f}};
    int error = flow_meter_open(&f.meter, end);

    if (error == 0)
        error = serve(&f);
    if (end->sends || error < 0)
        (void)flow_tell(end, FLOW_REPORT, error, error < 0 ? strerror(-error) : NULL,
                        &f.meter.report);
    f.handler.events = &(const struct tlsyn_conn_events){0};
    node_close(&f.node);
    flow_meter_close(&f.meter);
    return error;
}
