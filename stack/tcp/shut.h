/*
 * tcp/shut.h: peers that keep their window shut. Read first: RFC 6429, RFC 9293 3.8.6.1.
 *
 * A peer that answers our probes keeps the connection for as long as it likes (MUST-37), and with
 * it the memory of the text that waits for it. A few thousand such connections can occupy a server
 * for ever (the attack is known as Sockstress). RFC 6429 3 lets a host give them up when it needs
 * what they hold. So they stand in a list, the one that has been shut longest in front. When memory
 * for buffers or a place for a connection was missing, the next output ends the first one if it has
 * been shut for limits.shut_time.
 */
#ifndef TLSYN_TCP_SHUT_H
#define TLSYN_TCP_SHUT_H

#include "tcp/conn.h"

/** The persist timer begins to run, or ends. */
void shut_begins(struct tlsyn_conn *conn);
void shut_ends(struct tlsyn_conn *conn);

/** Something was missing that a shut connection may hold. Harmless anywhere: nothing happens
 * before the next output. */
void shut_is_in_the_way(struct tcp *tcp);

/** One gives way, if one was in the way. */
void shut_gives_way(struct tcp *tcp);

#endif
