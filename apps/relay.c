/*
 * relay.c: the standard input into a TLS connection, and what it brings to the standard output.
 */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* --- output: connection -> stdout ------------------------------------------------------------- */

static void fail(struct relay *r, int error)
{
    if (r->error == 0)
        r->error = error;
    if (r->conn)
        tlsyn_conn_abort(r->conn, error);
}

/* True when all that was read is written. */
static bool flush_output(struct relay *r)
{
    while (r->out_start < r->out_end) {
        ssize_t n = sink_write(&r->output, r->out + r->out_start, r->out_end - r->out_start);

        if (n == -EAGAIN && !r->watching_output)
            r->watching_output =
                tlsyn_loop_watch(r->loop, r->output.fd, POLLOUT, &r->output_watch) == 0;
        if (n < 0 && n != -EAGAIN)
            fail(r, (int)n);
        if (n < 0)
            return false;
        r->out_start += (size_t)n;
    }
    r->out_start = r->out_end = 0;
    return true;
}

static void pump_output(struct relay *r)
{
    while (r->relays && !r->closed && !r->peer_ended && r->error == 0 && flush_output(r)) {
        ssize_t n = tlsyn_tls_read(r->tls, r->out, sizeof(r->out));

        if (n == -EAGAIN)
            return;
        if (n > 0) {
            r->out_end = (size_t)n;
            continue;
        }
        r->peer_ended = true;
        r->truncated = n == -ECONNRESET;
        if (n < 0 && !r->truncated)
            fail(r, (int)n);
        relay_close(r);
    }
}

static void on_output_ready(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct relay *r = (struct relay *)((char *)watch - offsetof(struct relay, output_watch));

    (void)revents;
    tlsyn_loop_unwatch(r->loop, fd);
    r->watching_output = false;
    r->last = tlsyn_clock();
    pump_output(r);
}

/* --- input: stdin -> connection --------------------------------------------------------------- */

static void watch_input(struct relay *r, bool wanted)
{
    if (wanted == r->watching_input)
        return;
    if (wanted) {
        r->watching_input = tlsyn_loop_watch(r->loop, STDIN_FILENO, POLLIN, &r->input_watch) == 0;
    } else {
        tlsyn_loop_unwatch(r->loop, STDIN_FILENO);
        r->watching_input = false;
    }
}

/* Sends what was read, and asks for more when it is gone. */
static void pump_input(struct relay *r)
{
    if (!r->relays || r->closed || r->input_ended)
        return;
    while (r->in_start < r->in_end) {
        ssize_t n = tlsyn_tls_write(r->tls, r->in + r->in_start, r->in_end - r->in_start);

        if (n <= 0) {
            watch_input(r, false);
            return;
        }
        r->in_start += (size_t)n;
    }
    r->in_start = r->in_end = 0;
    watch_input(r, true);
}

static void on_input_ready(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct relay *r = (struct relay *)((char *)watch - offsetof(struct relay, input_watch));
    ssize_t n = read(fd, r->in, sizeof(r->in));

    (void)revents;
    r->last = tlsyn_clock();
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        relay_close(r);
        return;
    }
    r->has_read = true;
    r->in_end = (size_t)n;
    pump_input(r);
}

void relay_close(struct relay *r)
{
    watch_input(r, false);
    if (r->input_ended || r->closed)
        return;
    r->input_ended = true;
    tlsyn_tls_close(r->tls);
}

/* --- events ----------------------------------------------------------------------------------- */

static struct relay *touch(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct relay *r = (struct relay *)handler;

    r->conn = conn;
    r->last = tlsyn_clock();
    return r;
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)touch(handler, conn);
    return 0;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    touch(handler, conn)->established = true;
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    pump_output(touch(handler, conn));
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    (void)n;
    pump_input(touch(handler, conn));
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct relay *r = touch(handler, conn);

    describe_take(&r->description, conn, r->tls);
    r->closed = true;
    r->conn = NULL;
    if (r->error == 0)
        r->error = error;
    watch_input(r, false);
}

static const struct tlsyn_conn_events events = {
    .on_open = on_open,
    .on_established = on_established,
    .on_data = on_data,
    .on_acked = on_acked,
    .on_closed = on_closed,
};

/* --- life ------------------------------------------------------------------------------------- */

void relay_init(struct relay *relay, struct tlsyn_loop *loop)
{
    *relay = (struct relay){
        .handler = {.events = &events},
        .loop = loop,
        .input_watch = {.on_ready = on_input_ready},
        .output_watch = {.on_ready = on_output_ready},
        .last = tlsyn_clock(),
    };
    (void)sink_open(&relay->output, NULL); /* the standard output is open already */
}

void relay_start(struct relay *relay)
{
    relay->relays = true;
    pump_output(relay);
    pump_input(relay);
}

void relay_fini(struct relay *relay)
{
    watch_input(relay, false);
    if (relay->watching_output)
        tlsyn_loop_unwatch(relay->loop, relay->output.fd);
    relay->watching_output = false;
    relay->relays = false;
}
