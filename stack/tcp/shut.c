/*
 * tcp/shut.c: the list of connections whose peer keeps its window shut.
 */
#include "tcp/shut.h"

#include <errno.h>

#include "tcp/reply.h"

static uint32_t milliseconds(const struct tlsyn_conn *conn)
{
    return (uint32_t)(conn->tcp->cx->now / 1000);
}

void shut_begins(struct tlsyn_conn *conn)
{
    conn->shut_since = milliseconds(conn);
    list_append(&conn->tcp->shut, &conn->waiting);
}

void shut_ends(struct tlsyn_conn *conn)
{
    list_remove(&conn->waiting);
}

void shut_is_in_the_way(struct tcp *tcp)
{
    tcp->room_wanted = true;
}

/* R6429-1 */
void shut_gives_way(struct tcp *tcp)
{
    struct list *first = list_first(&tcp->shut);

    if (!tcp->room_wanted)
        return;
    tcp->room_wanted = false;
    if (!first)
        return;
    struct tlsyn_conn *conn = container_of(first, struct tlsyn_conn, waiting);
    if (TLSYN_MS(milliseconds(conn) - conn->shut_since) < tcp->cx->limits.shut_time)
        return;
    count(tcp->cx, TLSYN_COUNT_tcp_abort_on_memory);
    tcp_send_rst(conn);
    tcp_finish(conn, -ENOMEM);
}
