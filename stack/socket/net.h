/*
 * socket/net.h: a net: a stack, what moves it, and the lock that sockets and mover share.
 *
 * Whoever holds the lock may do what he likes to the stack. Events of connections only mark their
 * socket as changed; on the way out of the lock, net_settle() makes descriptors and sleepers see
 * what came of it, once for a whole batch of frames. Calls send what they have to say themselves:
 * the loop's thread is woken only when it would sleep past something that is now due earlier.
 *
 * Two mutexes make the lock fair: who waits for `lock` holds `gate`, and nobody gets past him
 * twice. Otherwise the loop, which lets go only to take again, would starve every caller.
 */
#ifndef TLSYN_SOCKET_NET_H
#define TLSYN_SOCKET_NET_H

#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/un.h>

#include <tlsyn/socket.h>

#include "core/list.h"

/** Something to be done at a time. */
struct net_timer {
    struct list node;
    tlsyn_time when;
    void (*fire)(struct net_timer *);
};

/** Threads that sleep until something changes. */
struct net_waiters {
    atomic_uint changes; /* the futex: a sleeper goes by its value */
    unsigned int count;
};

#define NET_PORT_BUCKETS 256

struct tlsyn_net {
    pthread_mutex_t gate, lock;
    struct tlsyn_stack *stack;
    struct tlsyn_loop *loop; /* NULL: the caller moves the stack */
    struct tlsyn_link *link; /* opened by us, or NULL */
    struct tlsyn_link *loopback;
    struct tlsyn_control *control;    /* `tlsyn ss` asks there; NULL: nobody can */
    struct tlsyn_addr address;        /* the first one */
    char interface_name[IF_NAMESIZE]; /* as the kernel calls it, which may know none: "" */
    int interface_index;              /* likewise, and 1 */
    struct tlsyn_net_clock *clock;
    struct tlsyn_conn_options conn; /* of which sockets make theirs */
    struct tlsyn_loop_guard guard;
    struct tlsyn_loop_watch wake;
    pthread_t thread;
    int wake_fd;
    tlsyn_time asleep_until; /* the loop's thread sleeps till then; 0: it is awake */
    bool stopping;
    int error; /* what ended the loop, negative; 0: it runs */

    int nest; /* the AF_UNIX listener at which descriptors get their far end (socket/ready.h) */
    struct sockaddr_un nest_name;
    socklen_t nest_length;

    struct list socks;   /* every socket with a descriptor */
    struct list changed; /* to be settled */
    struct list timers;  /* by time */
    struct list ports[NET_PORT_BUCKETS];
    struct net_waiters polls; /* tlsyn_poll() on a clock of its own */
};

/** What time it is for this net. */
tlsyn_time net_now(const struct tlsyn_net *net);

/** Takes the lock alone, in turn; pthread_mutex_unlock(&net->lock) lets go. */
void net_take(struct tlsyn_net *net);

/** Takes the lock and brings the stack's `now` up to date. */
void net_lock(struct tlsyn_net *net);

/** Settles what changed, sends what is due, wakes the loop if it must know, and lets go. */
void net_unlock(struct tlsyn_net *net);

/** The timer must be in no list. */
void net_timer_set(struct tlsyn_net *net, struct net_timer *timer, tlsyn_time when);
void net_timer_clear(struct net_timer *timer);

/** Sleeps without the lock until woken (0), until the deadline (-EAGAIN), or a signal (-EINTR, by
 * the kernel's rules of restarting). May return 0 without a reason. */
int net_wait(struct tlsyn_net *net, struct net_waiters *waiters, tlsyn_time deadline);

void net_wake(struct net_waiters *waiters);

/** The loop's thread: before the loop is made; once it is, 0 or -errno; and its end. */
void net_thread_init(struct tlsyn_net *net);
int net_thread_start(struct tlsyn_net *net);
void net_thread_stop(struct tlsyn_net *net);

#endif
