/*
 * loop/loop.c: the event loop, the only code around a stack that reads a clock or waits.
 *
 * Read first: tlsyn/loop.h, and the four calls in tlsyn/stack.h.
 *
 * A turn is a pass (links, timers, output, watches) that is repeated until something was done
 * or it is time:
 *
 *     pass -> spin: pass, pass ... -> sleep until shortly before the next timeout -> spin the rest:
 *         pass, pass ... -> pass
 *
 * Each of the four calls gets a fresh reading of the clock: an event inside an earlier one may have
 * taken a millisecond (a public-key operation), and what is sent afterwards should not pretend to
 * have been sent before.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <tlsyn/loop.h>

#define IFACES_MAX   8
#define WATCHES_MAX  16
#define SPIN_DEFAULT 50
#define PROMPT       200 /* us: what frames of one batch wait for each other at most */

struct loop_watch {
    int fd;
    short events;
    struct tlsyn_loop_watch *watch;
};

struct tlsyn_loop {
    struct tlsyn_stack *stack;
    tlsyn_time spin; /* 0: never */
    struct tlsyn_loop_guard *guard;
    int ifaces, watches;
    struct tlsyn_iface *iface[IFACES_MAX];
    struct loop_watch watch[WATCHES_MAX];
};

/* ---- waiting --------------------------------------------------------------------------------- */

tlsyn_time tlsyn_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
}

void tlsyn_wait_prepare(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

/* poll(2) for this many microseconds; negative or 0: without waiting; TLSYN_NEVER: for ever. */
static int poll_for(struct pollfd *fds, int n, tlsyn_time us)
{
    struct timespec timeout = {0};
    int ready;

    if (us > 0) {
        timeout.tv_sec = (time_t)(us / 1000000);
        timeout.tv_nsec = (long)(us % 1000000) * 1000;
    }
    ready = ppoll(fds, (nfds_t)n, us == TLSYN_NEVER ? NULL : &timeout, NULL);
    return ready < 0 ? -errno : ready;
}

/* Sleeps until a descriptor is ready or `deadline` less `margin`. */
static int sleep_before(struct pollfd *fds, int n, tlsyn_time deadline, tlsyn_time margin)
{
    if (deadline == TLSYN_NEVER)
        return poll_for(fds, n, TLSYN_NEVER);
    return poll_for(fds, n, deadline - margin - tlsyn_clock());
}

int tlsyn_wait(struct pollfd *fds, int n, tlsyn_time deadline)
{
    int ready = sleep_before(fds, n, deadline, TLSYN_WAIT_MARGIN);

    while (ready == 0 && tlsyn_clock() < deadline)
        ready = poll_for(fds, n, 0);
    return ready;
}

/* ---- one pass -------------------------------------------------------------------------------- */

/* Frames taken in, or -errno. Where one of them took long, with a public-key operation, its answer
 * does not wait for the next one's: the other side has its own to make. */
static int loop_input(struct tlsyn_loop *loop, struct tlsyn_iface *iface)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    struct tlsyn_link *link = tlsyn_iface_link(iface);
    tlsyn_time began = tlsyn_clock();
    int n = tlsyn_link_receive(link, frames, TLSYN_LINK_BATCH, began);

    for (int i = 0; i < n; i++) {
        tlsyn_time now = tlsyn_clock();

        if (now - began >= PROMPT) {
            (void)tlsyn_stack_output(loop->stack, now);
            began = now = tlsyn_clock();
        }
        tlsyn_stack_input(loop->stack, iface, &frames[i], now);
    }
    return n;
}

/* Descriptors served, or -errno. Looks up each again: what it calls may change the list. */
static int loop_serve_watches(struct tlsyn_loop *loop)
{
    struct pollfd fds[WATCHES_MAX];
    int n = loop->watches, served = 0, ready;

    if (n == 0)
        return 0;
    for (int i = 0; i < n; i++)
        fds[i] = (struct pollfd){.fd = loop->watch[i].fd, .events = loop->watch[i].events};
    ready = poll_for(fds, n, 0);
    if (ready <= 0)
        return ready;
    for (int i = 0; i < n; i++) {
        for (int w = 0; fds[i].revents && w < loop->watches; w++) {
            struct tlsyn_loop_watch *watch = loop->watch[w].watch;

            if (loop->watch[w].fd != fds[i].fd)
                continue;
            watch->on_ready(watch, fds[i].fd, fds[i].revents);
            served++;
            break;
        }
    }
    return served;
}

static void guard_enter(struct tlsyn_loop *loop)
{
    if (loop->guard)
        loop->guard->enter(loop->guard);
}

static void guard_leave(struct tlsyn_loop *loop, tlsyn_time until)
{
    if (loop->guard)
        loop->guard->leave(loop->guard, until);
}

static int pass(struct tlsyn_loop *loop)
{
    tlsyn_time now;
    int done = 0, n;

    for (int i = 0; i < loop->ifaces; i++) {
        n = loop_input(loop, loop->iface[i]);
        if (n < 0)
            return n;
        done += n;
    }
    n = loop_serve_watches(loop);
    if (n < 0)
        return n;
    done += n;
    now = tlsyn_clock();
    if (tlsyn_stack_next_timeout(loop->stack) <= now)
        done++; /* a timer may change what the caller waits for, and send nothing */
    tlsyn_stack_timers(loop->stack, now);
    n = tlsyn_stack_output(loop->stack, tlsyn_clock());
    return done + (n > 0 ? n : 0);
}

/* Everything once, without waiting. The number of things done, or -errno. */
static int loop_pass(struct tlsyn_loop *loop)
{
    int done;

    guard_enter(loop);
    done = pass(loop);
    guard_leave(loop, 0);
    return done;
}

/* When the stack or a link wants to be called next, `deadline` at the latest. `sleeps`: the guard
 * hears of it, so that it can wake a sleep that something has made too long. */
static tlsyn_time loop_next(struct tlsyn_loop *loop, tlsyn_time deadline, bool sleeps)
{
    tlsyn_time next;

    guard_enter(loop);
    next = tlsyn_stack_next_timeout(loop->stack);

    if (deadline < next)
        next = deadline;
    for (int i = 0; i < loop->ifaces; i++) {
        tlsyn_time due = tlsyn_link_next_timeout(tlsyn_iface_link(loop->iface[i]));

        if (due < next)
            next = due;
    }
    guard_leave(loop, sleeps ? next : 0);
    return next;
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* Passes until one did something, or until `end`. The last pass's result. */
static int loop_spin(struct tlsyn_loop *loop, tlsyn_time end)
{
    int n = 0;

    while (n == 0 && tlsyn_clock() < end)
        n = loop_pass(loop);
    return n;
}

/* Sleeps until a descriptor is ready or it is time for the spin before `next`. 0, -EINTR or
 * another -errno. */
static int loop_sleep(struct tlsyn_loop *loop, tlsyn_time next)
{
    struct pollfd fds[IFACES_MAX + WATCHES_MAX];
    tlsyn_time margin = loop->spin ? TLSYN_WAIT_MARGIN : 0;
    int n = 0, ready;

    for (int i = 0; i < loop->ifaces; i++) {
        int fd = tlsyn_link_fd(tlsyn_iface_link(loop->iface[i]));

        fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN}; /* poll(2) passes over -1 */
    }
    for (int i = 0; i < loop->watches; i++)
        fds[n++] = (struct pollfd){.fd = loop->watch[i].fd, .events = loop->watch[i].events};
    ready = sleep_before(fds, n, next, margin);
    return ready < 0 ? ready : 0;
}

int tlsyn_loop_turn(struct tlsyn_loop *loop, tlsyn_time deadline)
{
    int n = loop_pass(loop);
    tlsyn_time now, next, spin_end;

    if (n != 0)
        return n < 0 ? n : 0;
    now = tlsyn_clock();
    next = loop_next(loop, deadline, false);
    if (next <= now)
        return 0;
    spin_end = now + loop->spin;
    n = loop_spin(loop, spin_end < next ? spin_end : next);
    if (n != 0)
        return n < 0 ? n : 0;
    next = loop_next(loop, deadline, true);
    n = loop_sleep(loop, next);
    if (n < 0)
        return n;
    n = loop_pass(loop);
    if (n == 0 && loop->spin && next != TLSYN_NEVER) {
        /* Woken for what is due soon, or by something that came to nothing: then there
         * is a next turn. */
        if (next - tlsyn_clock() <= TLSYN_WAIT_MARGIN)
            n = loop_spin(loop, next);
    }
    return n < 0 ? n : 0;
}

int tlsyn_loop_run(struct tlsyn_loop *loop, const bool *done, tlsyn_time deadline)
{
    const volatile bool *is_done = done; /* a signal handler may set it */

    while (!*is_done) {
        int error;

        if (tlsyn_clock() >= deadline)
            return -ETIMEDOUT;
        error = tlsyn_loop_turn(loop, deadline);
        if (error)
            return error;
    }
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

int tlsyn_loop_new(struct tlsyn_stack *stack, const struct tlsyn_loop_options *options,
                   struct tlsyn_loop **loop)
{
    struct tlsyn_loop *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->stack = stack;
    l->spin = options ? options->spin : 0;
    l->guard = options ? options->guard : NULL;
    if (l->spin == 0)
        l->spin = SPIN_DEFAULT;
    else if (l->spin < 0)
        l->spin = 0;
    tlsyn_wait_prepare();
    *loop = l;
    return 0;
}

void tlsyn_loop_free(struct tlsyn_loop *loop)
{
    free(loop);
}

int tlsyn_loop_iface(struct tlsyn_loop *loop, struct tlsyn_iface *iface)
{
    if (loop->ifaces == IFACES_MAX)
        return -ENOSPC;
    loop->iface[loop->ifaces++] = iface;
    return 0;
}

int tlsyn_loop_watch(struct tlsyn_loop *loop, int fd, short events, struct tlsyn_loop_watch *watch)
{
    struct loop_watch entry = {.fd = fd, .events = events, .watch = watch};

    for (int i = 0; i < loop->watches; i++) {
        if (loop->watch[i].fd == fd) {
            loop->watch[i] = entry;
            return 0;
        }
    }
    if (loop->watches == WATCHES_MAX)
        return -ENOSPC;
    loop->watch[loop->watches++] = entry;
    return 0;
}

void tlsyn_loop_unwatch(struct tlsyn_loop *loop, int fd)
{
    for (int i = 0; i < loop->watches; i++) {
        if (loop->watch[i].fd == fd) {
            loop->watch[i] = loop->watch[--loop->watches];
            return;
        }
    }
}
