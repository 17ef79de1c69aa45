/*
 * control/snapshot.h: what a running command tells about itself: its connections, listeners and
 * counters as JSON lines, each a flat object whose member "what" says what it is about:
 *
 *     process      once, first: pid, command, interface, address
 *     listener     local, local_port, ...
 *     connection   number, state, local, local_port, remote, remote_port, and what
 *                  tlsyn_conn_info() knows; times in milliseconds, the names end in _ms; ssthresh
 *                  is null before the first loss
 *     udp          state (ESTAB: with a peer; UNCONN), local, local_port, remote, remote_port,
 *                  rcv_queued (bytes, as SO_RCVBUF counts), drops, and what came and went
 *     counter      name (as of nstat(8)), value: those that are not zero; of the stack, and of
 *                  what stands on it
 *     drop         name, value: the same for frames and segments thrown away, by reason
 *     end          once, last; left_off: connections and endpoints beyond SNAPSHOT_CONNS
 *
 * Every line carries "pid", so that lines of several processes may be mixed.
 */
#ifndef TLSYN_CONTROL_SNAPSHOT_H
#define TLSYN_CONTROL_SNAPSHOT_H

#include <stdio.h>

#include <tlsyn/conn.h>
#include <tlsyn/control.h>

/** Connections and endpoints in a snapshot at most: a bound on the time that the command's loop
 * stands still for it. */
#define SNAPSHOT_CONNS 4096

/** Writes the lines; what went wrong is the stream's to tell. `source` may be NULL. */
void snapshot_write(FILE *out, const struct tlsyn_control_about *about, struct tlsyn_stack *stack,
                    struct tlsyn_control_source *source);

#endif
