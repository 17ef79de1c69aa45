/*
 * study/pageload/poller.h: waits for the kernel's descriptors, as many as there are. Read first:
 * epoll(7).
 */
#ifndef STUDY_PAGELOAD_POLLER_H
#define STUDY_PAGELOAD_POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <tlsyn/types.h>

struct poller {
    int fd; /* epoll's; -1: not open */
};

/** Called when a descriptor is ready. It may watch, unwatch and close any, and free itself. */
struct poller_watch {
    void (*on_ready)(struct poller_watch *, uint32_t events);
};

/** 0 or -errno. */
int poller_open(struct poller *poller);

/** Watches for EPOLLIN and EPOLLOUT, or changes what is watched for. 0 or -errno. */
int poller_watch(struct poller *poller, int fd, uint32_t events, struct poller_watch *watch);

/** Before the descriptor is closed. Harmless for one that isn't watched. */
void poller_unwatch(struct poller *poller, int fd);

/** Until *done, or the deadline, a reading of tlsyn_clock() (-ETIMEDOUT), or -errno. */
int poller_run(struct poller *poller, const bool *done, tlsyn_time deadline);

/** A timer to be watched for EPOLLIN, here or by another loop, and to be read with
 * poller_expired(); -errno. */
int poller_timer(void);
/** Due in so long: at least a nanosecond; negative: never. 0 or -errno. */
int poller_due(int timer, int64_t ns);
/** Whether it was. */
bool poller_expired(int timer);

/** Harmless for one that isn't open. */
void poller_close(struct poller *poller);

#endif
