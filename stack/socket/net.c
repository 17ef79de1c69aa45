/*
 * socket/net.c: a net's lock, its clock, its thread. See net.h; how it begins and ends is in
 * net_life.c.
 */
#include "socket/net.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "socket/ready.h"
#include "socket/sock.h"

/* --- time ------------------------------------------------------------------------------------- */

tlsyn_time net_now(const struct tlsyn_net *net)
{
    return net->clock ? net->clock->now(net->clock) : tlsyn_clock();
}

void net_timer_set(struct tlsyn_net *net, struct net_timer *timer, tlsyn_time when)
{
    struct list *at = net->timers.prev;

    while (at != &net->timers && container_of(at, struct net_timer, node)->when > when)
        at = at->prev;
    timer->when = when;
    list_insert_before(at->next, &timer->node);
}

void net_timer_clear(struct net_timer *timer)
{
    list_remove(&timer->node);
}

static tlsyn_time next_timer(struct tlsyn_net *net)
{
    struct list *first = list_first(&net->timers);

    return first ? container_of(first, struct net_timer, node)->when : TLSYN_NEVER;
}

static void run_timers(struct tlsyn_net *net, tlsyn_time now)
{
    while (next_timer(net) <= now) {
        struct net_timer *timer = container_of(net->timers.next, struct net_timer, node);

        list_remove(&timer->node);
        timer->fire(timer);
    }
}

/* What a call sends to this net itself waits in the loopback for the loop's next turn. */
static tlsyn_time next_of_all(struct tlsyn_net *net)
{
    tlsyn_time stack = tlsyn_stack_next_timeout(net->stack), timer = next_timer(net);
    tlsyn_time next = stack < timer ? stack : timer;
    tlsyn_time loopback = net->loopback ? tlsyn_link_next_timeout(net->loopback) : TLSYN_NEVER;

    return loopback < next ? loopback : next;
}

/* --- the lock --------------------------------------------------------------------------------- */

void net_take(struct tlsyn_net *net)
{
    pthread_mutex_lock(&net->gate);
    pthread_mutex_lock(&net->lock);
    pthread_mutex_unlock(&net->gate);
}

static void settle(struct tlsyn_net *net)
{
    struct list *first;
    bool any = false;

    while ((first = list_first(&net->changed))) {
        list_remove(first);
        sock_settle(container_of(first, struct sock, changed));
        any = true;
    }
    if (any)
        net_wake(&net->polls);
}

static void wake_loop(struct tlsyn_net *net)
{
    const uint64_t one = 1;
    ssize_t written = write(net->wake_fd, &one, sizeof(one));

    (void)written; /* the counter is full: then it is awake anyway */
    net->asleep_until = 0;
}

void net_lock(struct tlsyn_net *net)
{
    net_take(net);
    tlsyn_stack_timers(net->stack, net_now(net));
}

/* What became due is sent by whoever made it so, and settled; events in there may change more. */
static void flush(struct tlsyn_net *net)
{
    if (tlsyn_stack_next_timeout(net->stack) <= tlsyn_stack_now(net->stack))
        tlsyn_stack_output(net->stack, net_now(net));
    settle(net);
}

void net_unlock(struct tlsyn_net *net)
{
    flush(net);
    if (net->asleep_until && next_of_all(net) < net->asleep_until)
        wake_loop(net);
    pthread_mutex_unlock(&net->lock);
}

struct tlsyn_stack *tlsyn_net_lock(struct tlsyn_net *net)
{
    net_lock(net);
    return net->stack;
}

void tlsyn_net_unlock(struct tlsyn_net *net)
{
    net_unlock(net);
}

void tlsyn_net_turn(struct tlsyn_net *net)
{
    net_lock(net);
    run_timers(net, net_now(net));
    net_unlock(net);
}

tlsyn_time tlsyn_net_next_timeout(struct tlsyn_net *net)
{
    tlsyn_time next;

    net_take(net);
    next = next_of_all(net);
    pthread_mutex_unlock(&net->lock);
    return next;
}

/* --- sleeping and waking: futex(2) ------------------------------------------------------------ */

/* A futex, for its wait is interrupted by signals just as a socket call's: without a timeout it is
 * restarted by the kernel after a handler with SA_RESTART, with one it never is (signal(7)). */
static int futex_wait(atomic_uint *word, unsigned int value, tlsyn_time deadline)
{
    struct timespec at = {.tv_sec = (time_t)(deadline / TLSYN_SECONDS(1)),
                          .tv_nsec = (long)(deadline % TLSYN_SECONDS(1)) * 1000};
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value,
                          deadline == TLSYN_NEVER ? NULL : &at, NULL, FUTEX_BITSET_MATCH_ANY);

    if (result == 0 || errno == EAGAIN) /* EAGAIN: it had changed already */
        return 0;
    return errno == ETIMEDOUT ? -EAGAIN : -errno;
}

void net_wake(struct net_waiters *waiters)
{
    if (waiters->count == 0)
        return;
    atomic_fetch_add(&waiters->changes, 1);
    syscall(SYS_futex, &waiters->changes, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, NULL, NULL,
            0);
}

struct alarm {
    struct net_timer timer;
    struct net_waiters *waiters;
};

static void ring_alarm(struct net_timer *timer)
{
    net_wake(container_of(timer, struct alarm, timer)->waiters);
}

int net_wait(struct tlsyn_net *net, struct net_waiters *waiters, tlsyn_time deadline)
{
    unsigned int seen = atomic_load(&waiters->changes);
    struct alarm alarm = {.timer.fire = ring_alarm, .waiters = waiters};
    bool own_clock = net->clock != NULL;
    int result;

    if (deadline <= net_now(net))
        return -EAGAIN;
    waiters->count++;
    list_init(&alarm.timer.node);
    if (own_clock && deadline != TLSYN_NEVER)
        net_timer_set(net, &alarm.timer, deadline);
    net_unlock(net);
    result = futex_wait(&waiters->changes, seen, own_clock ? TLSYN_NEVER : deadline);
    net_lock(net);
    net_timer_clear(&alarm.timer);
    waiters->count--;
    return result;
}

/* --- the loop's thread ------------------------------------------------------------------------ */

static void guard_enter(struct tlsyn_loop_guard *guard)
{
    struct tlsyn_net *net = container_of(guard, struct tlsyn_net, guard);

    net_take(net);
    net->asleep_until = 0;
}

static void guard_leave(struct tlsyn_loop_guard *guard, tlsyn_time until)
{
    struct tlsyn_net *net = container_of(guard, struct tlsyn_net, guard);

    settle(net);
    net->asleep_until = until;
    if (until && next_of_all(net) < until) /* since the turn began */
        wake_loop(net);
    pthread_mutex_unlock(&net->lock);
}

static void woken(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));

    (void)watch;
    (void)revents;
    (void)n;
}

/* The link failed: nobody will ever be answered again. */
static void fail_all(struct tlsyn_net *net, int error)
{
    net->error = error;
    list_each_safe(it, after, &net->socks)
    {
        struct sock *sock = container_of(it, struct sock, all);

        if (sock->stream.conn)
            tlsyn_conn_abort(sock->stream.conn, error);
        sock_fail(sock, error);
    }
}

static void *run(void *data)
{
    struct tlsyn_net *net = data;
    bool stopping;
    int error = 0;

    do {
        tlsyn_time deadline;

        net_take(net);
        run_timers(net, tlsyn_clock());
        settle(net);
        deadline = next_timer(net);
        stopping = net->stopping;
        pthread_mutex_unlock(&net->lock);
        if (!stopping)
            error = tlsyn_loop_turn(net->loop, deadline);
    } while (!stopping && (error == 0 || error == -EINTR));
    if (!stopping) {
        net_take(net);
        fail_all(net, error);
        settle(net);
        pthread_mutex_unlock(&net->lock);
    }
    return NULL;
}

void net_thread_init(struct tlsyn_net *net)
{
    net->wake_fd = -1;
    net->guard = (struct tlsyn_loop_guard){guard_enter, guard_leave};
    net->wake.on_ready = woken;
}

/* Signals are the program's: its threads, not this one, take them. */
int net_thread_start(struct tlsyn_net *net)
{
    sigset_t all, before;
    int error;

    net->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (net->wake_fd < 0)
        return -errno;
    error = tlsyn_loop_watch(net->loop, net->wake_fd, POLLIN, &net->wake);
    if (error < 0)
        return error;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&net->thread, NULL, run, net);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

void net_thread_stop(struct tlsyn_net *net)
{
    net_take(net);
    net->stopping = true;
    wake_loop(net);
    pthread_mutex_unlock(&net->lock);
    pthread_join(net->thread, NULL);
}
