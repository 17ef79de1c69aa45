/*
 * study/pageload/poller.c: one event at a time, so that none is left over of what an event has
 * freed.
 */
#include "study/pageload/poller.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <tlsyn/loop.h>
#include <unistd.h>

int poller_open(struct poller *poller)
{
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    return poller->fd < 0 ? -errno : 0;
}

int poller_watch(struct poller *poller, int fd, uint32_t events, struct poller_watch *watch)
{
    struct epoll_event event = {.events = events, .data = {.ptr = watch}};
    int n = epoll_ctl(poller->fd, EPOLL_CTL_MOD, fd, &event);

    if (n < 0 && errno == ENOENT)
        n = epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event);
    return n < 0 ? -errno : 0;
}

void poller_unwatch(struct poller *poller, int fd)
{
    (void)epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
}

static int turn(struct poller *poller, tlsyn_time deadline)
{
    struct epoll_event event;
    tlsyn_time left = deadline == TLSYN_NEVER ? 0 : deadline - tlsyn_clock();
    int n;

    if (deadline != TLSYN_NEVER && left <= 0)
        return -ETIMEDOUT;
    n = epoll_wait(poller->fd, &event, 1, deadline == TLSYN_NEVER ? -1 : (int)(left / 1000) + 1);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    if (n > 0) {
        struct poller_watch *watch = event.data.ptr;

        watch->on_ready(watch, event.events);
    }
    return 0;
}

int poller_run(struct poller *poller, const bool *done, tlsyn_time deadline)
{
    int error = 0;

    while (error == 0 && !*done)
        error = turn(poller, deadline);
    return error;
}

int poller_timer(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    return timer < 0 ? -errno : timer;
}

int poller_due(int timer, int64_t ns)
{
    struct itimerspec when = {.it_value = {.tv_sec = 0}};

    if (ns >= 0) {
        ns = ns > 0 ? ns : 1; /* zero would disarm */
        when.it_value =
            (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = (long)(ns % 1000000000)};
    }
    return timerfd_settime(timer, 0, &when, NULL) < 0 ? -errno : 0;
}

bool poller_expired(int timer)
{
    uint64_t times;

    return read(timer, &times, sizeof(times)) == (ssize_t)sizeof(times);
}

void poller_close(struct poller *poller)
{
    if (poller->fd >= 0)
        (void)close(poller->fd);
    poller->fd = -1;
}
