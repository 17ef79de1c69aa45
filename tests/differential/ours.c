/*
 * differential/ours.c: our stack, a new one for each plan. Its clock stands still.
 */
#include <errno.h>
#include <stdlib.h>

#include "differential/stacks.h"
#include "support/bed.h"
#include "support/must.h"
#include "tcp/conn.h"
#include "tcp/listener.h"
#include "tcp/recv.h"

struct ours {
    struct subject base;
    struct bed bed;
    struct tlsyn_handler handler;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct tcp *tcp;
    struct tlsyn_conn *conn; /* NULL: none yet, or none any more */
};

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct ours *o = container_of(handler, struct ours, handler);

    o->conn = conn;
    o->base.standing.known = true;
}

/* What can still be read is read at once. */
static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct ours *o = container_of(handler, struct ours, handler);
    struct tlsyn_view view;
    size_t n = tlsyn_conn_peek(conn, &view);

    for (int i = 0; i < 2; i++)
        subject_reads(&o->base, view.part[i].iov_base, view.part[i].iov_len);
    tlsyn_conn_consume(conn, n);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct ours *o = container_of(handler, struct ours, handler);

    (void)conn, (void)error;
    o->conn = NULL;
    o->base.standing.state = TLSYN_CLOSED;
}

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    struct ours *o = container_of(acceptor, struct ours, acceptor);

    (void)conn;
    return o->base.standing.known ? NULL : &o->handler;
}

static void on_frame(struct bed *bed, const struct fake_frame *frame)
{
    struct ours *o = container_of(bed, struct ours, bed);

    subject_sees(&o->base, frame->bytes + 14, frame->len - 14);
}

static struct ours *of(struct subject *s)
{
    return container_of(s, struct ours, base);
}

static void opens(struct ours *o, const struct tlsyn_conn_options *settings)
{
    struct tlsyn_connect_options connect = {.remote = o->base.peer, .conn = *settings};

    must(tlsyn_conn_open(o->bed.stack, &connect, &o->handler, &o->conn) == 0);
    o->base.standing.known = true;
    o->tcp = o->conn->tcp;
}

static void listens(struct ours *o, const struct tlsyn_conn_options *settings)
{
    struct tlsyn_listen_options listen = {.local = {.port = LISTEN_PORT}, .conn = *settings};

    must(tlsyn_listener_open(o->bed.stack, &listen, &o->acceptor, &o->listener) == 0);
    o->tcp = o->listener->tcp;
}

static void begin(struct subject *s)
{
    struct ours *o = of(s);
    struct tlsyn_limits limits;
    struct tlsyn_conn_options settings = {.rcv_ring = DIFFERENTIAL_WINDOW, .no_delack = true};

    tlsyn_limits_default(&limits);
    limits.rcv_ring_max =
        DIFFERENTIAL_WINDOW; /* no scale is needed, so that what is announced is exact */
    limits.challenge_per_second = limits.rst_per_second =
        100000; /* of bounds nothing is said here */
    bed_open(&o->bed, &(struct bed_options){.ip4 = !s->plan->ip6,
                                            .ip6 = s->plan->ip6,
                                            .limits = &limits,
                                            .seed = s->plan->seed + 1});
    o->bed.on_frame = on_frame;
    o->conn = NULL;
    s->local = (struct tlsyn_endpoint){our_addr(s->plan->ip6), LISTEN_PORT};
    s->peer = (struct tlsyn_endpoint){peer_addr(s->plan->ip6), 5555};
    if (s->plan->active)
        opens(o, &settings);
    else
        listens(o, &settings);
    bed_flush(&o->bed);
}

static void datagram(struct subject *s, const uint8_t *bytes, size_t len)
{
    bed_datagram(&of(s)->bed, bytes, len);
    bed_flush(&of(s)->bed);
}

static void user(struct subject *s, const struct step *step)
{
    static const uint8_t text[1000];
    struct ours *o = of(s);

    if (!o->conn || (o->conn->state < TLSYN_ESTABLISHED && step->act != ACT_ABORT))
        return;
    if (step->act == ACT_WRITE)
        tlsyn_conn_write(o->conn, text, step->len);
    else if (step->act == ACT_SHUTDOWN)
        tlsyn_conn_close(o->conn);
    else if (step->act == ACT_ABORT)
        tlsyn_conn_abort(o->conn, -ECANCELED);
    bed_flush(&o->bed);
}

/* In TIME-WAIT, or in SYN-RECEIVED: not the user's. */
static const struct tlsyn_conn *left_over(const struct ours *o)
{
    struct list *first = list_first(&o->tcp->all);

    return first ? container_of(first, struct tlsyn_conn, all) : NULL;
}

static void look(struct subject *s)
{
    struct ours *o = of(s);
    const struct tlsyn_conn *conn = o->conn ? o->conn : left_over(o);

    s->standing.time_wait = conn && conn->state == TLSYN_TIME_WAIT;
    s->standing.syn_received = conn && conn->state == TLSYN_SYN_RECEIVED;
    if (!conn)
        return;
    s->standing.stamps_on = conn->ts_ok && conn->state > TLSYN_SYN_SENT;
    s->standing.ts_recent = conn->ts_recent;
    s->standing.fin_seen = conn->fin_seen;
    s->standing.wl1 = conn->snd_wl1;
    if (!o->conn)
        return;
    s->standing.state = conn->state;
    s->standing.snd_una = seq_diff(conn->snd_una, conn->iss);
    s->standing.snd_wnd = conn->snd_wnd;
    s->standing.rcv_nxt = conn->state == TLSYN_SYN_SENT ? 0 : seq_diff(conn->rcv_nxt, conn->irs);
    if (tcp_synchronized(conn))
        s->edge = conn->rcv_nxt + tcp_rcv_room(conn);
}

static void end(struct subject *s)
{
    bed_close(&of(s)->bed);
}

struct subject *ours_new(void)
{
    static const struct subject_ops ops = {.name = "ours",
                                           .begin = begin,
                                           .datagram = datagram,
                                           .user = user,
                                           .look = look,
                                           .end = end};
    static const struct tlsyn_conn_events events = {
        .on_established = on_established, .on_data = on_data, .on_closed = on_closed};
    struct ours *o = calloc(1, sizeof(*o));

    must(o != NULL);
    o->base.ops = &ops;
    o->handler.events = &events;
    o->acceptor.accept = accept_one;
    return &o->base;
}

void ours_free(struct subject *s)
{
    free(of(s));
}
