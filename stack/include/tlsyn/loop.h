/*
 * tlsyn/loop.h: the event loop, the shell around a stack: the only code that reads a clock or
 * waits.
 *
 * One turn: receive a batch from every interface's link (at most TLSYN_LINK_BATCH frames each, so
 * that a handshake's answer never waits behind bulk), input each, timers, output; then, if nothing
 * was done, wait for a link, a watched descriptor, or the next timeout. A blocking wake-up costs
 * about ten times a poll of ready memory, so the loop spins for `spin` before it sleeps; and it
 * meets timers by sleeping short and spinning the rest.
 */
#ifndef TLSYN_LOOP_H
#define TLSYN_LOOP_H

#include <poll.h>

#include <tlsyn/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_loop;

/** For a program of several threads: a lock around everything that the loop does with the stack.
 * `enter` takes it, `leave` lets it go. `until`: when the loop will wake up from the sleep that it
 * begins now; 0: it does not sleep. */
struct tlsyn_loop_guard {
    void (*enter)(struct tlsyn_loop_guard *);
    void (*leave)(struct tlsyn_loop_guard *, tlsyn_time until);
};

struct tlsyn_loop_options {
    tlsyn_time spin; /* busy polling before each sleep; 0: 50 us; negative: never, not before timers
                        either */
    struct tlsyn_loop_guard *guard; /* NULL: none; must outlive the loop */
};

/** The loop's clock: CLOCK_MONOTONIC in microseconds. */
tlsyn_time tlsyn_clock(void);

/** A sleep ends this much before its time, and the rest is spun: what a wake-up may be late on an
 * idle machine. */
#define TLSYN_WAIT_MARGIN 80

/**
 * The loop's way to wait, for others who wait (the link emulator): sleeps in ppoll(2) until
 * TLSYN_WAIT_MARGIN before `deadline`, then polls without sleeping. Returns the number of ready
 * descriptors as poll(2) does, 0 at the deadline (TLSYN_NEVER: none; one in the past: a look
 * without waiting), -EINTR when a signal came during the sleep. The thread's timer slack should be
 * small: tlsyn_wait_prepare().
 */
int tlsyn_wait(struct pollfd *fds, int n, tlsyn_time deadline);

/** Sets the calling thread's timer slack to the least (PR_SET_TIMERSLACK); tlsyn_loop_new() does it
 * too. */
void tlsyn_wait_prepare(void);

/** The stack stays the caller's, and must outlive the loop. NULL options: the defaults. */
int tlsyn_loop_new(struct tlsyn_stack *stack, const struct tlsyn_loop_options *options,
                   struct tlsyn_loop **loop);
void tlsyn_loop_free(struct tlsyn_loop *loop);

/** Serves the link under this interface; -ENOSPC beyond 8. The first interface that fails with an
 * error ends tlsyn_loop_run(). */
int tlsyn_loop_iface(struct tlsyn_loop *loop, struct tlsyn_iface *iface);

/** Called in the loop when a descriptor is ready. It may watch and unwatch any descriptor, itself
 * included. */
struct tlsyn_loop_watch {
    void (*on_ready)(struct tlsyn_loop_watch *, int fd, short revents);
};

/** Watches a descriptor for poll(2) `events`, or changes them; -ENOSPC beyond 16. The watch must
 * outlive its membership. A program that must not miss a signal watches a signalfd(2). */
int tlsyn_loop_watch(struct tlsyn_loop *loop, int fd, short events, struct tlsyn_loop_watch *watch);

/** Harmless for a descriptor that isn't watched. */
void tlsyn_loop_unwatch(struct tlsyn_loop *loop, int fd);

/** One turn, waiting until `deadline` at most (a reading of tlsyn_clock()); it ends when a frame, a
 * descriptor or a timer has had its turn. 0, or -errno when a link failed. -EINTR: a signal came
 * during the sleep. */
int tlsyn_loop_turn(struct tlsyn_loop *loop, tlsyn_time deadline);

/** Turns until *done becomes true (0), until the deadline (-ETIMEDOUT), or an error. A signal is
 * -EINTR. */
int tlsyn_loop_run(struct tlsyn_loop *loop, const bool *done, tlsyn_time deadline);

#ifdef __cplusplus
}
#endif

#endif
