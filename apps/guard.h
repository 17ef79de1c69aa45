/*
 * guard.h: the port guard: lets the stack use an address of the kernel's own, with no
 * firewall rule and no right.
 *
 *     guard_init -> [guard_hold] -> [guard_filter]
 *         -> tlsyn_stack_options.ports = &guard.base -> ... -> guard_fini
 *
 * To the kernel every segment for a connection of the stack's is one for a port that nobody has,
 * which it answers with RST. So the guard binds a socket of the kernel's to each port that the
 * stack has, and makes it deaf: then the kernel gives the port to nobody else, and says nothing
 * about what comes to it. The sockets end with the process, however it ends.
 *
 * Segments may arrive for a connection that has ended: if a FIN of ours was sent twice, the first
 * ACK ends the connection, and a second one follows. The kernel would answer that with RST. So a
 * port stays deaf after the stack has given it back, until GUARD_LATE others have been given back.
 */
#ifndef GUARD_H
#define GUARD_H

#include <tlsyn/stack.h>

#define GUARD_BUCKETS 256
#define GUARD_LATE    64 /* ports that were given back and are still deaf */

struct guard {
    struct tlsyn_ports base; /* for the stack's options */
    struct tlsyn_addr addr;
    unsigned int interface;
    int packet_socket;                     /* that is kept from what is the kernel's; -1: none */
    int ports;                             /* taken now */
    struct guarded *bucket[GUARD_BUCKETS]; /* by port */
    struct {
        enum tlsyn_transport transport;
        uint16_t port;
    } late[GUARD_LATE]; /* a ring; the newest is the one before `next_late` */
    int next_late;
};

/** Guards ports of this address of the kernel's, which is on the interface with this index. */
void guard_init(struct guard *guard, const struct tlsyn_addr *addr, unsigned int interface);

/** Takes a TCP port ahead of the stack: for one that needs a right to bind, while there is one.
 * 0, -EADDRINUSE, -EACCES: it is a privileged one, or as socket(2). */
int guard_hold(struct guard *guard, uint16_t port);

/** Has the packet socket drop what is for no port of ours, from now on: else all that the kernel
 * receives would be copied to us as well. */
void guard_filter(struct guard *guard, int packet_socket);

/** Leaves all ports to the kernel, deaf ones as well. Harmless on zeros. */
void guard_fini(struct guard *guard);

#endif
