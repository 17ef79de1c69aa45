/*
 * tcp/via.h: connections whose segments go by a source route (RFC 9293 3.9.2.1): one that the user
 * asked for, or the way back by which the peer's came, where limits.source_routes allows that.
 */
#ifndef TLSYN_TCP_VIA_H
#define TLSYN_TCP_VIA_H

#include "tcp/conn.h"

/** Whether it is a route to this peer: of IPv4, by hosts. None is one. */
bool via_is_possible(const struct tlsyn_source_route *via, const struct tlsyn_addr *remote);

/** An active open's: it stays. 0 or -ENOMEM. */
int via_ask(struct tlsyn_conn *conn, const struct tlsyn_source_route *via);

/** A segment came that belongs to the connection. */
void via_arrives(struct tlsyn_conn *conn, const struct ip_datagram *datagram);

void via_release(struct tlsyn_conn *conn);
#endif
