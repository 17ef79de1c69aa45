/*
 * study/transfer/flow_lwip.c: an end of a transfer on lwIP.
 */
#include "study/transfer/flow_end.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <tlsyn/loop.h>

#include "peer/lwip.h"
#include "study/actors.h"

#define WAIT_MS       1  /* lwIP's timers run in steps of 250 ms */
#define SPIN          50 /* us, as our own loop does */
#define TURNS_PER_ASK 64

struct flow {
    const struct flow_end *end;
    struct peer_lwip *lwip;
    struct flow_meter meter;
    bool connected, finished, over;
    int error;
};

static const char *reason_of(int error)
{
    return error == -EACCES || error == -EPERM
               ? "lwIP needs a TAP device, and /dev/net/tun may not be opened here"
               : strerror(-error);
}

static void fail(struct flow *f, int error)
{
    if (f->error == 0)
        f->error = error;
    f->over = true;
}

static void send_more(struct flow *f)
{
    const uint8_t *bytes;
    size_t room;

    while (!f->finished && (room = peer_lwip_room(f->lwip)) > 0) {
        size_t n = flow_meter_next(&f->meter, room < UINT16_MAX ? room : UINT16_MAX, &bytes);

        if (n == 0) {
            f->finished = true;
            flow_meter_finish(&f->meter);
            (void)peer_lwip_close(f->lwip);
            return;
        }
        if (peer_lwip_write(f->lwip, bytes, n) < 0)
            return; /* its queue is full: until something is acknowledged */
        flow_meter_sent(&f->meter, n);
    }
}

static void on_connected(void *user)
{
    struct flow *f = user;

    f->connected = true;
}

static void on_received(void *user, const uint8_t *bytes, size_t n)
{
    struct flow *f = user;

    flow_meter_received(&f->meter, bytes, n);
}

static void on_acked(void *user)
{
    (void)user; /* the loop writes whenever there is room */
}

static void on_ended(void *user)
{
    struct flow *f = user;

    if (f->end->sends || f->finished)
        return;
    f->finished = true;
    flow_meter_finish(&f->meter);
    (void)flow_tell(f->end, FLOW_REPORT, 0, NULL, &f->meter.report);
}

static void on_failed(void *user, int error)
{
    struct flow *f = user;

    if (!f->finished)
        fail(f, error);
}

/* A word of the harness's, if there is one. */
static void take_word(struct flow *f)
{
    struct flow_message message;
    int error = actor_receive(f->end->control, &message, sizeof(message), 0);

    if (error == -ETIMEDOUT)
        return;
    if (error == 0 && message.word == FLOW_GO) {
        f->meter.report.opened = tlsyn_clock();
        error = peer_lwip_connect(f->lwip, f->end->peer, f->end->order.port);
    } else if (error == 0) {
        f->over = true;
    }
    if (error < 0)
        fail(f, error);
}

static void wait_for_more(const struct flow *f, tlsyn_time idle_since)
{
    struct pollfd fds[] = {{.fd = peer_lwip_fd(f->lwip), .events = POLLIN},
                           {.fd = f->end->control, .events = POLLIN}};

    if (tlsyn_clock() - idle_since > SPIN)
        (void)poll(fds, 2, WAIT_MS);
}

static void run(struct flow *f)
{
    tlsyn_time idle_since = tlsyn_clock();
    unsigned turns = 0;

    while (!f->over) {
        bool busy = peer_lwip_poll(f->lwip);

        if (f->connected && f->end->sends)
            send_more(f);
        if (busy)
            idle_since = tlsyn_clock();
        else
            wait_for_more(f, idle_since);
        if (++turns % TURNS_PER_ASK == 0 || !busy)
            take_word(f);
    }
}

int flow_lwip(const struct flow_end *end)
{
    static const struct peer_lwip_events events = {.connected = on_connected,
                                                   .received = on_received,
                                                   .acked = on_acked,
                                                   .ended = on_ended,
                                                   .failed = on_failed};
    struct flow f = {.end = end};
    int error = flow_meter_open(&f.meter, end);

    if (error == 0)
        error = peer_lwip_open(FLOW_TAP_ADDRESS, FLOW_LWIP_ADDRESS, &events, &f, &f.lwip);
    if (error == 0 && !end->opens)
        error = peer_lwip_listen(f.lwip, end->order.port);
    if (error == 0)
        (void)flow_tell(end, FLOW_READY, 0, NULL, NULL);
    if (error == 0)
        run(&f);
    error = error < 0 ? error : f.error;
    if (end->sends || error < 0)
        (void)flow_tell(end, FLOW_REPORT, error, error < 0 ? reason_of(error) : NULL,
                        &f.meter.report);
    peer_lwip_free(f.lwip);
    flow_meter_close(&f.meter);
    return error;
}
