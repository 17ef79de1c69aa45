/*
 * preload_net.h: from a packet socket to a net, inside of somebody else's program.
 */
#ifndef PRELOAD_NET_H
#define PRELOAD_NET_H

#include <tlsyn/link.h>
#include <tlsyn/socket.h>

/** Opens link and net as the environment says (preload.h), over this packet socket. Both are the
 * caller's. 0, or -errno after a sentence on stderr. */
int preload_open(int packet_socket, struct tlsyn_link **link, struct tlsyn_net **net);

/** A line on stderr, the first time only; not by stdio, whose streams are the program's. */
void preload_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

void preload_sleep_ms(int ms);

#endif
