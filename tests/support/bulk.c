/*
 * support/bulk.c: a pattern out, the same pattern in.
 */
#include "support/bulk.h"

#include "core/list.h"
#include "support/must.h"

uint8_t bulk_pattern(uint64_t i)
{
    return (uint8_t)(i * 131 + (i >> 8) * 7 + (i >> 16));
}

static struct bulk *of(struct tlsyn_handler *handler)
{
    return container_of(handler, struct bulk, handler);
}

static void fill(struct bulk *b)
{
    uint8_t bytes[4096];

    while (b->sent < b->to_send) {
        size_t n =
            b->to_send - b->sent < sizeof(bytes) ? (size_t)(b->to_send - b->sent) : sizeof(bytes);

        for (size_t i = 0; i < n; i++)
            bytes[i] = bulk_pattern(b->sent + i);
        ssize_t wrote = tlsyn_conn_write(b->conn, bytes, n);
        if (wrote <= 0)
            return;
        b->sent += (uint64_t)wrote;
    }
    if (!b->keep_open)
        tlsyn_conn_close(b->conn);
}

void bulk_read(struct bulk *b)
{
    struct tlsyn_view view;
    size_t left = tlsyn_conn_peek(b->conn, &view), taken = 0, wrong = 0;

    if (b->read_limit && left > b->read_limit)
        left = b->read_limit;
    for (int p = 0; p < 2; p++) {
        const uint8_t *bytes = view.part[p].iov_base;

        for (size_t i = 0; i < view.part[p].iov_len && taken < left; i++, taken++)
            wrong += bytes[i] != bulk_pattern(b->received + taken);
    }
    must(wrong == 0);
    b->received += taken;
    tlsyn_conn_consume(b->conn, taken);
    b->ended = tlsyn_conn_ended(b->conn);
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct bulk *b = of(handler);

    b->conn = conn;
    b->opens++;
    if (b->early)
        fill(b);
    return 0;
}

static int on_syn(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct bulk *b = of(handler);

    (void)conn;
    b->syns++;
    if (b->early) {
        bulk_read(b);
        fill(b);
    }
    return 0;
}

static int on_synack(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct bulk *b = of(handler);

    (void)conn;
    b->synacks++;
    if (b->early)
        bulk_read(b);
    return 0;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct bulk *b = of(handler);

    b->conn = conn;
    b->establisheds++;
    fill(b);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)conn;
    bulk_read(of(handler));
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    (void)conn;
    (void)n;
    fill(of(handler));
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct bulk *b = of(handler);

    (void)conn;
    b->closes++;
    b->conn = NULL;
    b->error = error;
    b->finished = true;
}

static struct tlsyn_handler *accept(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    struct bulk *b = container_of(acceptor, struct bulk, acceptor);

    if (b->finished) /* a SYN that comes again after an abort */
        return NULL;
    b->conn = conn;
    return &b->handler;
}

void bulk_init(struct bulk *b, uint64_t to_send, uint64_t expected)
{
    static const struct tlsyn_conn_events events = {
        .on_open = on_open,
        .on_syn = on_syn,
        .on_synack = on_synack,
        .on_established = on_established,
        .on_data = on_data,
        .on_acked = on_acked,
        .on_closed = on_closed,
    };

    *b = (struct bulk){
        .handler = {&events}, .acceptor = {accept}, .to_send = to_send, .expected = expected};
}
