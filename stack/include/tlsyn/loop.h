/*
 * tlsyn/loop.h: the event loop, the shell around a stack: the only code that reads a clock or waits.
 *
 * One turn: receive a batch from every interface's link (at most 32 frames each, so that a handshake's answer never waits
 * behind bulk), input each, timers, output; then, if nothing was done, wait for a link, a watched descriptor, or the next
 * timeout. A blocking wake-up costs about ten times a poll of ready memory, so the loop spins for `spin` before it
 * sleeps, and meets timers by sleeping short and spinning the rest.
 */
#ifndef TLSYN_LOOP_H
#define TLSYN_LOOP_H

#include <tlsyn/stack.h>

struct tlsyn_loop;

struct tlsyn_loop_options {
    tlsyn_time spin; /* busy polling before each sleep; 0: 50 us; negative: never */
};

/** The loop's clock: CLOCK_MONOTONIC in microseconds. */
tlsyn_time tlsyn_clock(void);

/** The stack stays the caller's, and must outlive the loop. NULL options: the defaults. */
int tlsyn_loop_new(struct tlsyn_stack *stack, const struct tlsyn_loop_options *options,
                   struct tlsyn_loop **loop);
void tlsyn_loop_free(struct tlsyn_loop *loop);

/** Serves the link under this interface. The first interface that fails with an error ends tlsyn_loop_run(). */
int tlsyn_loop_iface(struct tlsyn_loop *loop, struct tlsyn_iface *iface);

/** Called in the loop when a descriptor is ready. */
struct tlsyn_loop_watch {
    void (*on_ready)(struct tlsyn_loop_watch *, int fd, short revents);
};

/** Watches a descriptor for poll(2) `events`; -ENOSPC beyond 16. The watch must outlive its membership. */
int tlsyn_loop_watch(struct tlsyn_loop *loop, int fd, short events, struct tlsyn_loop_watch *watch);
void tlsyn_loop_unwatch(struct tlsyn_loop *loop, int fd);

/** One turn, waiting until `deadline` at most (a reading of tlsyn_clock()). 0, or -errno when a link failed. -EINTR: a
 * signal came. */
int tlsyn_loop_turn(struct tlsyn_loop *loop, tlsyn_time deadline);

/** Turns until *done becomes true (0), until the deadline (-ETIMEDOUT), or an error. A signal is -EINTR. */
int tlsyn_loop_run(struct tlsyn_loop *loop, const bool *done, tlsyn_time deadline);

#endif
