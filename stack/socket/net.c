/*
 * socket/net.c: a net's life, its lock, its clock. See net.h.
 */
#include "socket/net.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <tlsyn/control.h>

#include "socket/address.h"
#include "socket/ready.h"
#include "socket/sock.h"

#define CLOSE_PATIENCE TLSYN_SECONDS(2)

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

static tlsyn_time next_of_all(struct tlsyn_net *net)
{
    tlsyn_time stack = tlsyn_stack_next_timeout(net->stack), timer = next_timer(net);

    return stack < timer ? stack : timer;
}

/* --- the lock --------------------------------------------------------------------------------- */

static void take(struct tlsyn_net *net)
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
    take(net);
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

    take(net);
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

    take(net);
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

        take(net);
        run_timers(net, tlsyn_clock());
        settle(net);
        deadline = next_timer(net);
        stopping = net->stopping;
        pthread_mutex_unlock(&net->lock);
        if (!stopping)
            error = tlsyn_loop_turn(net->loop, deadline);
    } while (!stopping && (error == 0 || error == -EINTR));
    if (!stopping) {
        take(net);
        fail_all(net, error);
        settle(net);
        pthread_mutex_unlock(&net->lock);
    }
    return NULL;
}

/* Signals are the program's: its threads, not this one, take them. */
static int start_thread(struct tlsyn_net *net)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&net->thread, NULL, run, net);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void net_init(struct tlsyn_net *net)
{
    pthread_mutexattr_t adaptive;

    pthread_mutexattr_init(&adaptive);
    pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&net->gate, &adaptive);
    pthread_mutex_init(&net->lock, &adaptive);
    pthread_mutexattr_destroy(&adaptive);
    net->wake_fd = net->nest = -1;
    net->guard = (struct tlsyn_loop_guard){guard_enter, guard_leave};
    net->wake.on_ready = woken;
    list_init(&net->socks);
    list_init(&net->changed);
    list_init(&net->timers);
    for (int i = 0; i < NET_PORT_BUCKETS; i++)
        list_init(&net->ports[i]);
}

/* Calls each() with every element of a list separated by commas. */
static int each_word(const char *list, int (*each)(void *, const char *word), void *data)
{
    char word[64];
    int error = 0;

    while (error == 0 && list && *list) {
        size_t n = strcspn(list, ",");

        if (n >= sizeof(word))
            return -EINVAL;
        memcpy(word, list, n);
        word[n] = '\0';
        error = each(data, word);
        list += n + (list[n] == ',');
    }
    return error;
}

static int add_address(void *data, const char *word)
{
    struct tlsyn_addr address;
    int prefix_len;
    int error = address_parse(word, &address, &prefix_len);

    return error < 0 ? error : tlsyn_iface_address(data, &address, prefix_len);
}

/* The default route of its family. */
static int add_gateway(void *data, const char *word)
{
    struct tlsyn_addr gateway, any = {{0}};
    int prefix_len;
    int error = address_parse(word, &gateway, &prefix_len);

    if (error == 0 && tlsyn_addr_is_ip4(&gateway))
        any = tlsyn_addr_ip4((const uint8_t[4]){0});
    return error < 0 ? error : tlsyn_route_add(data, &any, 0, &gateway);
}

/* 127.0.0.1, ::1, and the way to the net's own addresses. */
static int add_loopback(struct tlsyn_net *net)
{
    struct tlsyn_iface *iface;
    int error = tlsyn_loopback_open(&net->loopback);

    if (error == 0)
        error = tlsyn_iface_add(net->stack, net->loopback, &iface);
    if (error == 0)
        error = each_word("127.0.0.1/8,::1/128", add_address, iface);
    return error == 0 ? tlsyn_loop_iface(net->loop, iface) : error;
}

static int make_stack(struct tlsyn_net *net, const struct tlsyn_net_options *options)
{
    const struct tlsyn_stack_options stack = {
        .limits = options->limits,
        .trace = options->trace,
        .now = tlsyn_clock(),
    };
    struct tlsyn_iface *iface;
    int error = 0;

    if (!options->link && !options->interface)
        return -EINVAL;
    if (!options->link)
        error = tlsyn_afpacket_open(options->interface, NULL, &net->link);
    if (error < 0)
        return error;
    net->stack = tlsyn_stack_new(&stack);
    if (!net->stack)
        return -ENOMEM;
    error = tlsyn_iface_add(net->stack, options->link ? options->link : net->link, &iface);
    if (error == 0 && options->no_dad)
        tlsyn_iface_dad(iface, 0);
    if (error == 0)
        error = each_word(options->address, add_address, iface);
    if (error == 0)
        error = each_word(options->gateway, add_gateway, net->stack);
    if (error == 0)
        error = tlsyn_loop_new(
            net->stack, &(struct tlsyn_loop_options){.spin = options->spin, .guard = &net->guard},
            &net->loop);
    if (error == 0)
        error = tlsyn_loop_iface(net->loop, iface);
    if (error == 0)
        tlsyn_iface_announce(iface);
    return error == 0 ? add_loopback(net) : error;
}

/* A program runs as well without it. */
static void open_control(struct tlsyn_net *net, const struct tlsyn_net_options *options)
{
    const struct tlsyn_control_about about = {
        .command = program_invocation_short_name,
        .interface = options->interface ? options->interface : "",
        .address = &net->address,
    };
    char first[64] = "";
    int prefix_len;

    if (options->address)
        (void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(options->address, ","),
                       options->address);
    (void)address_parse(first, &net->address, &prefix_len);
    (void)tlsyn_control_open(net->loop, net->stack, &about, &net->control);
}

static int start(struct tlsyn_net *net)
{
    int error;

    net->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (net->wake_fd < 0)
        return -errno;
    error = tlsyn_loop_watch(net->loop, net->wake_fd, POLLIN, &net->wake);
    return error < 0 ? error : start_thread(net);
}

static void net_free(struct tlsyn_net *net, bool own_stack)
{
    tlsyn_control_close(net->control);
    if (net->loop)
        tlsyn_loop_free(net->loop);
    if (own_stack)
        tlsyn_stack_free(net->stack);
    tlsyn_link_close(net->link);
    tlsyn_link_close(net->loopback);
    if (net->wake_fd >= 0)
        (void)close(net->wake_fd);
    ready_nest_close(net);
    pthread_mutex_destroy(&net->gate);
    pthread_mutex_destroy(&net->lock);
    free(net);
}

int tlsyn_net_open(const struct tlsyn_net_options *options, struct tlsyn_net **out)
{
    struct tlsyn_net *net = calloc(1, sizeof(*net));
    int error;

    if (!net)
        return -ENOMEM;
    net_init(net);
    if (options->conn)
        net->conn = *options->conn;
    error = ready_nest_open(net);
    if (error == 0 && options->stack) {
        net->stack = options->stack;
        net->clock = options->clock;
        error = net->clock ? 0 : -EINVAL;
    } else if (error == 0) {
        error = make_stack(net, options);
        if (error == 0 && !options->hidden)
            open_control(net, options);
        if (error == 0)
            error = start(net);
    }
    if (error < 0) {
        net_free(net, !options->stack);
        return error;
    }
    *out = net;
    return 0;
}

/* --- closing ---------------------------------------------------------------------------------- */

static void close_socks(struct tlsyn_net *net)
{
    struct list *first;

    for (;;) {
        int fd;

        take(net);
        first = list_first(&net->socks);
        fd = first ? container_of(first, struct sock, all)->ready.near : -1;
        pthread_mutex_unlock(&net->lock);
        if (!first)
            return;
        (void)tlsyn_close(fd);
    }
}

/* Connections without a socket go on by themselves; this gives them time to. */
static void linger(struct tlsyn_net *net)
{
    tlsyn_time end = tlsyn_clock() + CLOSE_PATIENCE;
    bool busy = true;

    while (busy && tlsyn_clock() < end) {
        take(net);
        busy = net->error == 0 && tlsyn_stack_is_sending(net->stack);
        pthread_mutex_unlock(&net->lock);
        if (busy)
            (void)usleep(1000);
    }
}

void tlsyn_net_close(struct tlsyn_net *net)
{
    bool own_stack;

    if (!net)
        return;
    own_stack = net->loop != NULL;
    close_socks(net);
    if (own_stack) {
        linger(net);
        take(net);
        net->stopping = true;
        wake_loop(net);
        pthread_mutex_unlock(&net->lock);
        pthread_join(net->thread, NULL);
    }
    net_free(net, own_stack);
}
