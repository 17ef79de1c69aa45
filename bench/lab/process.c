/*
 * lab/process.c: starts a process inside the lab.
 * Read first: setns(2), clone(2) on CLONE_PARENT, pid_namespaces(7).
 */
#include "lab/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What helper and child tell the caller, through a pipe that closes when the child is on its
 * way. */
struct progress {
    pid_t child; /* from the helper; 0: see error */
    int error;   /* -errno */
};

static bool reports_bugs(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGABRT || number == SIGTRAP;
}

void process_reset_signals(void)
{
    struct sigaction action;
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        if (reports_bugs(number) || sigaction(number, NULL, &action) < 0)
            continue;
        if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
            signal(number, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void process_close_from(int first)
{
    /* Linux 5.9; without it the descriptors would keep the caller's pipes open a little longer. */
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
    long max = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < max; fd++)
        close(fd);
}

static void tell(int fd, pid_t child, int error)
{
    struct progress progress = {.child = child, .error = error};

    /* Should the caller be gone, so will this process be in a moment. */
    if (write(fd, &progress, sizeof(progress)) < 0)
        _exit(EXIT_FAILURE);
}

static _Noreturn void child_main(const struct process_work *work, int report)
{
    process_reset_signals();
    int status = work->prepare ? work->prepare(work->prepare_argument) : 0;
    if (status < 0) {
        tell(report, 0, status);
        _exit(EXIT_FAILURE);
    }
    if (work->argv) {
        execvp(work->argv[0], work->argv);
        tell(report, 0, -errno);
        _exit(127);
    }
    close(report);
    status = work->run(work->run_argument);
    fflush(NULL);
    _exit(status);
}

static _Noreturn void helper_main(const struct process_place *place,
                                  const struct process_work *work, pid_t caller, int report)
{
    /* The lab's end doesn't reach this process, the caller's must. Joining a user namespace
     * forgets the wish. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != caller)
        _exit(EXIT_FAILURE);
    int status = netns_join(place->pidfd, &place->owner, place->net);
    if (status < 0) {
        tell(report, 0, status);
        _exit(EXIT_FAILURE);
    }
    /* Should one of them have been switched off meanwhile, the rest will do. */
    if (place->processors)
        (void)sched_setaffinity(0, sizeof(*place->processors), place->processors);
    long child = syscall(SYS_clone, CLONE_PARENT | (unsigned long)SIGCHLD, NULL, NULL, NULL, 0UL);
    if (child == 0)
        child_main(work, report);
    tell(report, child > 0 ? (pid_t)child : 0, child > 0 ? 0 : -errno);
    _exit(EXIT_SUCCESS);
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Helper and child may speak in either order; the pipe's end means that there is no more to
 * come. */
static pid_t read_progress(int fd)
{
    struct progress progress;
    pid_t child = -ESRCH; /* nobody said a word: killed on the way */
    int error = 0;

    for (;;) {
        ssize_t got = read(fd, &progress, sizeof(progress));
        if (got < 0 && errno == EINTR)
            continue;
        if (got != sizeof(progress))
            break;
        if (progress.child > 0)
            child = progress.child;
        if (progress.error < 0)
            error = progress.error;
    }
    if (error < 0 && child > 0)
        reap(child);
    return error < 0 ? error : child;
}

pid_t process_start(const struct process_place *place, const struct process_work *work)
{
    pid_t caller = getpid();
    int report[2];

    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL); /* or what is buffered would be written twice */
    pid_t helper = fork();
    if (helper == 0) {
        close(report[0]);
        helper_main(place, work, caller, report[1]);
    }
    int error = errno;
    close(report[1]);
    pid_t child = helper < 0 ? -error : read_progress(report[0]);
    close(report[0]);
    if (helper > 0)
        reap(helper);
    return child;
}
