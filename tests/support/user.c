/*
 * support/user.c: a user that does as it was told.
 */
#include "support/user.h"

#include <check.h>
#include <errno.h>

#include "core/list.h"
#include "support/bulk.h"

static struct user *of(struct tlsyn_handler *handler)
{
    return container_of(handler, struct user, handler);
}

size_t user_writes(struct user *u, size_t n)
{
    size_t done = 0;

    while (done < n) {
        uint8_t bytes[4096];
        size_t part = n - done < sizeof(bytes) ? n - done : sizeof(bytes);

        bulk_fill(bytes, part, u->written);
        ssize_t wrote = tlsyn_conn_write(u->conn, bytes, part);
        if (wrote <= 0)
            break;
        u->written += (uint64_t)wrote;
        done += (size_t)wrote;
    }
    return done;
}

size_t user_reads(struct user *u, size_t n)
{
    struct tlsyn_view view;
    size_t left = tlsyn_conn_peek(u->conn, &view), taken = 0;

    left = left < n ? left : n;
    for (int p = 0; p < 2; p++) {
        const uint8_t *bytes = view.part[p].iov_base;

        for (size_t i = 0; i < view.part[p].iov_len && taken < left; i++, taken++) {
            uint64_t at = u->read + taken;

            u->wrong += bytes[i] != bulk_pattern(at);
            if (at < sizeof(u->text) - 1)
                u->text[at] = (char)bytes[i];
        }
    }
    u->read += taken;
    tlsyn_conn_consume(u->conn, taken);
    u->ended = tlsyn_conn_ended(u->conn);
    return taken;
}

void user_acts(struct user *u, enum user_act act)
{
    struct tlsyn_conn *conn = u->conn;

    switch (act) {
    case USER_NOTHING:
        break;
    case USER_CLOSES:
        tlsyn_conn_close(conn);
        break;
    case USER_ABORTS:
        tlsyn_conn_abort(conn, -ECANCELED);
        break;
    case USER_RELEASES:
        u->conn = NULL;
        tlsyn_conn_release(conn);
        break;
    }
}

/* Reads, writes and acts as planned for the event. */
static int happens(struct user *u, struct tlsyn_conn *conn, enum user_event event)
{
    const struct user_plan *plan = &u->plan[event];

    u->conn = conn;
    u->count[event]++;
    if (!u->deaf)
        user_reads(u, SIZE_MAX);
    if (plan->write)
        user_writes(u, plan->write);
    user_acts(u, plan->act);
    return plan->result;
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    return happens(of(handler), conn, USER_OPEN);
}

static int on_syn(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    return happens(of(handler), conn, USER_SYN);
}

static int on_synack(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    return happens(of(handler), conn, USER_SYNACK);
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    happens(of(handler), conn, USER_ESTABLISHED);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    happens(of(handler), conn, USER_DATA);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    of(handler)->acked += n;
    happens(of(handler), conn, USER_ACKED);
}

static void on_trouble(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    (void)conn;
    of(handler)->trouble = error;
    of(handler)->troubles++;
}

static void on_urgent(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t before)
{
    of(handler)->urgent_before = before;
    happens(of(handler), conn, USER_URGENT);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct user *u = of(handler);

    (void)conn;
    u->count[USER_CLOSED]++;
    u->conn = NULL;
    u->error = error;
}

static struct tlsyn_handler *accept(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    struct user *u = container_of(acceptor, struct user, acceptor);

    u->conn = conn;
    u->count[USER_ACCEPT]++;
    user_acts(u, u->plan[USER_ACCEPT].act);
    return u->refuses ? NULL : &u->handler;
}

void user_init(struct user *u)
{
    static const struct tlsyn_conn_events events = {
        .on_open = on_open,
        .on_syn = on_syn,
        .on_synack = on_synack,
        .on_established = on_established,
        .on_data = on_data,
        .on_acked = on_acked,
        .on_urgent = on_urgent,
        .on_trouble = on_trouble,
        .on_closed = on_closed,
    };

    *u = (struct user){.handler = {&events}, .acceptor = {accept}};
}
