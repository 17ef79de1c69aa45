/*
 * fuzz/stack_input_users.c: what the users do inside events and out of them, one more octet of the
 * input per decision.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/stack_input.h"

static struct player *of(struct tlsyn_handler *handler)
{
    struct player *p = container_of(handler, struct player, handler);

    must(p->busy);
    return p;
}

void player_writes(struct player *p, uint16_t n)
{
    struct tlsyn_view view;
    ssize_t room = tlsyn_conn_reserve(p->conn, n, &view);

    must(room <= n && (room < 0 || tlsyn_view_len(&view) == (size_t)room));
    p->refused = p->refused || room == -ENOMEM;
    if (room <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (view.part[i].iov_len)
            memset(view.part[i].iov_base, 'x', view.part[i].iov_len);
    tlsyn_conn_commit(p->conn, (size_t)room);
}

void player_reads(struct player *p, size_t n)
{
    struct tlsyn_view view;
    size_t there = tlsyn_conn_peek(p->conn, &view);

    must(tlsyn_view_len(&view) == there);
    tlsyn_conn_consume(p->conn, n < there ? n : there);
}

/* Lent text stays where it is for as long as anybody may send it. */
static void says_specially(struct player *p, uint8_t what)
{
    static const uint8_t lent[40000];

    switch (what & 7) {
    case 1:
        tlsyn_conn_urgent(p->conn);
        break;
    case 2:
    case 3:
        (void)tlsyn_conn_lend(p->conn, lent, what & 1 ? sizeof(lent) : 1000);
        break;
    case 4:
        tlsyn_conn_wake(p->conn, p->fuzz->bed.now + TLSYN_MS(3));
        break;
    case 5:
        if (p->fuzz->listener)
            tlsyn_listener_pause(p->fuzz->listener, what & 8);
        break;
    default:
        break;
    }
}

void player_acts(struct player *p, uint8_t what)
{
    struct tlsyn_conn *conn = p->conn;

    switch (what % 4) {
    case 1:
        tlsyn_conn_close(conn);
        break;
    case 2:
        tlsyn_conn_abort(conn, -ECANCELED);
        break;
    case 3:
        p->busy = false;
        p->conn = NULL;
        tlsyn_conn_release(conn);
        break;
    default:
        says_specially(p, what >> 2);
    }
}

/* What a user does inside an event. */
static int decide(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct player *p = of(handler);
    uint8_t choice = get_u8(&p->fuzz->input);

    p->conn = conn;
    if (choice & 1)
        player_reads(p, SIZE_MAX);
    if (choice & 2)
        player_writes(p, (uint16_t)(choice * 32));
    if (choice & 4)
        player_acts(p, choice >> 3);
    return choice & 0x80 ? -EPROTO : 0;
}

static void on_event(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    decide(handler, conn);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(conn, &info);
    must(n > 0 || info.state == TLSYN_FIN_WAIT_2 || of(handler)->refused); /* 0: of our FIN */
    of(handler)->refused = false;
    decide(handler, conn);
}

static void on_urgent(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t before)
{
    uint8_t last;

    (void)before;
    (void)tlsyn_conn_urgent_last(conn, &last);
    decide(handler, conn);
}

static void on_trouble(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    must(error < 0);
    decide(handler, conn);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct player *p = of(handler);

    must(error <= 0 && (!p->conn || p->conn == conn));
    p->busy = false;
    p->conn = NULL;
}

static const struct tlsyn_conn_events events = {
    .on_open = decide,
    .on_syn = decide,
    .on_synack = decide,
    .on_established = on_event,
    .on_data = on_event,
    .on_acked = on_acked,
    .on_urgent = on_urgent,
    .on_trouble = on_trouble,
    .on_closed = on_closed,
};

struct player *players_idle(struct fuzz *f)
{
    for (int i = 0; i < USERS; i++)
        if (!f->player[i].busy)
            return &f->player[i];
    return NULL;
}

static struct tlsyn_handler *players_accept(struct tlsyn_acceptor *acceptor,
                                            struct tlsyn_conn *conn)
{
    struct fuzz *f = container_of(acceptor, struct fuzz, acceptor);
    struct player *p = players_idle(f);
    uint8_t choice = get_u8(&f->input);

    if (!p || choice == 0xff)
        return NULL;
    p->busy = true;
    p->conn = conn;
    if (choice == 0xfe)
        tlsyn_conn_abort(conn, -ECANCELED);
    return &p->handler;
}

void players_init(struct fuzz *f)
{
    f->acceptor.accept = players_accept;
    for (int i = 0; i < USERS; i++)
        f->player[i] = (struct player){.handler = {&events}, .fuzz = f};
}
