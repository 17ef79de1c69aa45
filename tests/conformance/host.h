/*
 * conformance/host.h: one stack with sockets, whose only network is the script, and whose time is
 * the script's.
 *
 * The clock is virtual. It moves when the script sleeps, when it waits for a datagram, and by a
 * microsecond whenever it is asked for the time, as scripts spin on it. On the way the stack's
 * timers run, each at its own time.
 *
 * A call that blocks is made in a thread of its own while the script goes on: after everything that
 * may have woken that thread, time stands still until it sleeps again, having seen what there was
 * to see.
 */
#ifndef TEST_CONFORMANCE_HOST_H
#define TEST_CONFORMANCE_HOST_H

#include "conformance/settings.h"

struct host;
struct tlsyn_net;

/** 0 or -errno. */
int host_open(const struct settings *settings, struct host **host);
void host_close(struct host *host);

struct tlsyn_net *host_net(struct host *host);

/** A socket of the net without other purpose: whoever polls it sleeps by the host's clock. */
int host_idle_fd(const struct host *host);

/** What time it is; a microsecond passes. */
tlsyn_time host_tick(struct host *host);
void host_sleep(struct host *host, tlsyn_time duration);

/** A datagram arrives, without Ethernet header. */
int host_receives(struct host *host, const void *bytes, size_t n);

/** Waits for the next datagram that leaves; its length, at most `room`, and when it left. 0: there
 * will be none. */
size_t host_sends(struct host *host, void *bytes, size_t room, tlsyn_time *when);

#endif
