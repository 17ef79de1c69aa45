/*
 * tcp/via.c: see via.h. Read first: RFC 9293 3.9.2.1, RFC 1122 3.2.1.8 (c).
 */
#include "tcp/via.h"

#include <errno.h>

#include "ip/ip4.h"
#include "tcp/options.h"
#include "wire/source_route.h"

bool via_is_possible(const struct tlsyn_source_route *via, const struct tlsyn_addr *remote)
{
    bool possible = via->hops <= TLSYN_SOURCE_ROUTE_HOPS;

    if (via->hops == 0)
        return true;
    for (int i = 0; possible && i < via->hops; i++)
        possible = ip4_is_host(via->hop[i]);
    return possible && tlsyn_addr_is_ip4(remote);
}

int tlsyn_source_route_read(const uint8_t *options, size_t len, struct tlsyn_source_route *route)
{
    uint8_t header[IP4_HEADER_MAX] = {0};

    if (len > sizeof(header) - IP4_HEADER_LEN)
        return -EINVAL;
    memcpy(header + IP4_HEADER_LEN, options, len);
    return wire_route_parse(header, IP4_HEADER_LEN + len, route) == WIRE_ROUTE_UNDER_WAY ? 0
                                                                                         : -EINVAL;
}

/* MUST-51 */
int via_ask(struct tlsyn_conn *conn, const struct tlsyn_source_route *via)
{
    if (via->hops == 0)
        return 0;
    conn->via = context_alloc(conn->tcp->cx, sizeof(*conn->via));
    if (!conn->via)
        return -ENOMEM;
    *conn->via = *via;
    return 0;
}

static bool is_same(const struct tlsyn_source_route *a, const struct tlsyn_source_route *b)
{
    return a->hops == b->hops && a->strict == b->strict &&
           memcmp(a->hop, b->hop, a->hops * sizeof(a->hop[0])) == 0;
}

/* MUST-52, MUST-53, SHLD-24. Without memory for it the old way stays. */
void via_arrives(struct tlsyn_conn *conn, const struct ip_datagram *datagram)
{
    struct tlsyn_source_route back = ip_route_back(datagram);

    if (conn->active || back.hops == 0 || (conn->via && is_same(conn->via, &back)))
        return;
    if (conn->via)
        *conn->via = back;
    else if (via_ask(conn, &back) < 0)
        return;
    if (tcp_synchronized(conn))
        tcp_set_path_mtu(conn, conn->mtu.path); /* the option's octets come out of the segment */
}

void via_release(struct tlsyn_conn *conn)
{
    context_free(conn->tcp->cx, conn->via);
    conn->via = NULL;
}
