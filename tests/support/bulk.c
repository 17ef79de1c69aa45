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

/* The pattern from i on lies here, for up to *len bytes: as far as the next multiple of 256 all of
 * it is one progression, 131 k, begun somewhere; where, the inverse of 131 modulo 256 tells. */
static const uint8_t *piece(uint64_t i, size_t *len)
{
    static uint8_t progression[512];
    size_t left = 256 - (size_t)(i & 255);

    if (progression[1] == 0)
        for (size_t k = 0; k < sizeof(progression); k++)
            progression[k] = (uint8_t)(k * 131);
    *len = *len < left ? *len : left;
    return progression + (uint8_t)(bulk_pattern(i) * 43);
}

void bulk_fill(uint8_t *bytes, size_t len, uint64_t from)
{
    for (size_t done = 0; done < len;) {
        size_t n = len - done;
        const uint8_t *pattern = piece(from + done, &n);

        memcpy(bytes + done, pattern, n);
        done += n;
    }
}

bool bulk_holds(const uint8_t *bytes, size_t len, uint64_t from)
{
    bool holds = true;

    for (size_t done = 0; done < len && holds;) {
        size_t n = len - done;
        const uint8_t *pattern = piece(from + done, &n);

        holds = memcmp(bytes + done, pattern, n) == 0;
        done += n;
    }
    return holds;
}

static struct bulk *of(struct tlsyn_handler *handler)
{
    return container_of(handler, struct bulk, handler);
}

/* Pieces that are lent, and between them some that are copied. */
static ssize_t lend(struct bulk *b)
{
    size_t n = b->to_send - b->sent < 50000 ? (size_t)(b->to_send - b->sent) : 50000;

    if (b->sent % 7 == 0)
        return tlsyn_conn_write(b->conn, b->lends + b->sent, n < 3000 ? n : 3000);
    return tlsyn_conn_lend(b->conn, b->lends + b->sent, n);
}

static ssize_t copy(struct bulk *b)
{
    uint8_t bytes[4096];
    size_t n =
        b->to_send - b->sent < sizeof(bytes) ? (size_t)(b->to_send - b->sent) : sizeof(bytes);

    bulk_fill(bytes, n, b->sent);
    return tlsyn_conn_write(b->conn, bytes, n);
}

static void fill(struct bulk *b)
{
    while (b->sent < b->to_send) {
        ssize_t wrote = b->lends ? lend(b) : copy(b);

        if (wrote <= 0)
            return;
        b->sent += (uint64_t)wrote;
    }
    if (!b->keep_open)
        tlsyn_conn_close(b->conn);
}

static void read_on(struct bulk *b)
{
    struct tlsyn_view view;
    size_t left = tlsyn_conn_peek(b->conn, &view), taken = 0;

    if (b->read_limit && left > b->read_limit)
        left = b->read_limit;
    for (int p = 0; p < 2; p++) {
        size_t n = view.part[p].iov_len < left - taken ? view.part[p].iov_len : left - taken;

        must(bulk_holds(view.part[p].iov_base, n, b->received + taken));
        taken += n;
    }
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
        read_on(b);
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
        read_on(b);
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
    read_on(of(handler));
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct bulk *b = of(handler);

    (void)conn;
    if (b->lends)
        memset(b->lends + b->acked, 0xee, n);
    b->acked += n;
    fill(b);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct bulk *b = of(handler);

    (void)conn;
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
