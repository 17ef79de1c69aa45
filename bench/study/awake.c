/*
 * study/awake.c: keeps idle processors from sleeping. Read first: sched(7) on SCHED_IDLE.
 */
#include "study/awake.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/process.h"
#include "study/cpu_quota.h"

enum { PAUSES = 32 };

static pid_t parent;

/* Leaves a core's other hardware thread what it can use. */
static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* The system call, every microsecond or so, is also where a kernel that preempts lazily lets
 * another task run (CONFIG_PREEMPT_LAZY); without one it would wait for the next tick. */
static void *turn(void *unused)
{
    (void)unused;
    while (getppid() == parent)
        for (int i = 0; i < PAUSES; i++)
            relax();
    _exit(EXIT_SUCCESS);
}

static void start(size_t processor)
{
    pthread_attr_t attributes;
    cpu_set_t set;
    pthread_t thread;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    (void)pthread_attr_init(&attributes);
    if (pthread_attr_setaffinity_np(&attributes, sizeof(set), &set) != 0 ||
        pthread_create(&thread, &attributes, turn, NULL) != 0)
        _exit(EXIT_FAILURE);
    (void)pthread_attr_destroy(&attributes);
}

static _Noreturn void child_main(const cpu_set_t *processors)
{
    const struct sched_param none = {.sched_priority = 0};

    process_reset_signals();
    process_close_from(0);
    (void)prctl(PR_SET_NAME, "tlsyn-awake"); /* for who wonders what computes */
    if (sched_setscheduler(0, SCHED_IDLE, &none) < 0)
        _exit(EXIT_FAILURE);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, processors))
            start(i);
    for (;;)
        (void)pause(); /* until the first thread sees that the parent has gone */
}

pid_t awake_begin(void)
{
    cpu_set_t processors;

    if (cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup") ||
        sched_getaffinity(0, sizeof(processors), &processors) < 0)
        return 0;
    parent = getpid();
    pid_t child = fork();
    if (child == 0)
        child_main(&processors);
    return child > 0 ? child : 0;
}

bool awake_end(pid_t child)
{
    int status = 0;
    pid_t ended = 0;

    if (child == 0)
        return false;
    (void)kill(child, SIGKILL);
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    return ended == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
