/*
 * preload.c: the net of a program that runs under `tlsyn run`, and its descriptors. See preload.h.
 * Read first: ld.so(8), LD_PRELOAD; signal-safety(7).
 *
 * The end: who dies by a signal that he does not handle, Ctrl-C say, would leave his peers without
 * a word, where the kernel closes what he had open. So the shim takes SIGINT, SIGTERM and SIGHUP
 * where nobody else does; its handler may do next to nothing, and rings for a thread that closes
 * the net and then lets the signal do its work.
 */
#include "preload.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "preload_kernel.h"
#include "preload_net.h"

#define DESCRIPTORS   (1 << 16)
#define CALLS_WAIT_MS 200
#define DEATH_WAIT_MS 3000

static struct {
    pthread_mutex_t opening;
    struct tlsyn_net *net;
    struct tlsyn_link *link;
    _Atomic pid_t owner; /* the process whose net it is; 0: there is none */
    atomic_bool over;    /* it was closed for good */
    atomic_int inside;   /* threads in a call */
    sem_t bell;          /* a signal is to end the process: */
    atomic_int deadly;
    atomic_bool warned;
    int packet_socket; /* -1: we were not loaded by tlsyn run */
    bool forked;       /* since the net was opened */

    pthread_mutex_t table;
    atomic_int home[DESCRIPTORS];      /* of a descriptor, one more than it; 0: none of ours */
    unsigned short known[DESCRIPTORS]; /* descriptors of a home */
} shim = {
    .opening = PTHREAD_MUTEX_INITIALIZER, .table = PTHREAD_MUTEX_INITIALIZER, .packet_socket = -1};

static _Thread_local int depth; /* calls that this thread is in */
static _Thread_local bool undertaker;

void preload_complain(const char *format, ...)
{
    char text[512] = "tlsyn: ";
    size_t n = strlen(text);
    va_list arguments;
    ssize_t written;

    if (atomic_exchange(&shim.warned, true))
        return;
    va_start(arguments, format);
    (void)vsnprintf(text + n, sizeof(text) - n - 1, format, arguments);
    va_end(arguments);
    n = strlen(text);
    text[n++] = '\n';
    written = kernel_write(STDERR_FILENO, text, n);
    (void)written;
}

void preload_sleep_ms(int ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L};

    (void)nanosleep(&time, NULL);
}

/* --- calls ------------------------------------------------------------------------------------ */

static bool is_owner(void)
{
    return atomic_load(&shim.owner) == getpid();
}

/* A thread that comes back from a call, or makes one, while the process is being ended learns
 * nothing of it. */
static void stop_if_over(void)
{
    while (atomic_load(&shim.over) && !undertaker)
        (void)pause();
}

void preload_begin(void)
{
    stop_if_over();
    depth++;
    atomic_fetch_add(&shim.inside, 1);
}

int preload_home(int fd)
{
    int home;

    if (fd < 0 || fd >= DESCRIPTORS)
        return PRELOAD_KERNEL;
    home = atomic_load_explicit(&shim.home[fd], memory_order_acquire) - 1;
    return home < 0 ? PRELOAD_KERNEL : is_owner() ? home : PRELOAD_ORPHAN;
}

int preload_enter(int fd)
{
    int home = preload_home(fd);

    if (home >= 0)
        preload_begin();
    if (home != PRELOAD_ORPHAN)
        return home;
    preload_complain(
        "a child of fork(2) uses a socket of its parent, which only the parent can do under "
        "tlsyn run; have a server run with threads, or in one process");
    errno = EBADF;
    return home;
}

ssize_t preload_leave(int home, ssize_t result)
{
    if (home < 0)
        return result;
    atomic_fetch_sub(&shim.inside, 1);
    depth--;
    stop_if_over();
    return result;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static int enter_table(int home, int fd)
{
    if (fd >= DESCRIPTORS) {
        errno = EMFILE;
        return -1;
    }
    pthread_mutex_lock(&shim.table);
    shim.known[home]++;
    atomic_store_explicit(&shim.home[fd], home + 1, memory_order_release);
    pthread_mutex_unlock(&shim.table);
    return fd;
}

int preload_adopt(int home)
{
    if (home < 0 || enter_table(home, home) >= 0)
        return home;
    (void)tlsyn_close(home);
    errno = EMFILE;
    return -1;
}

int preload_alias(int home, int fd)
{
    if (fd < 0 || enter_table(home, fd) >= 0)
        return fd;
    (void)kernel_close(fd);
    errno = EMFILE;
    return -1;
}

/* Whether that was the last descriptor of its home. */
static bool leave_table(int home, int fd)
{
    bool last;

    pthread_mutex_lock(&shim.table);
    atomic_store_explicit(&shim.home[fd], 0, memory_order_release);
    last = --shim.known[home] == 0;
    pthread_mutex_unlock(&shim.table);
    return last;
}

int preload_packet_socket(void)
{
    return shim.packet_socket;
}

bool preload_is_taken(int fd)
{
    bool is_home =
        is_owner() && fd >= 0 && fd < DESCRIPTORS && preload_home(fd) != fd && shim.known[fd] > 0;

    return is_home || (fd >= 0 && fd == shim.packet_socket);
}

/* What vfork(2) made shares our memory, and is not to touch it. */
void preload_forget(int fd)
{
    if (shim.forked && fd >= 0 && fd < DESCRIPTORS)
        atomic_store(&shim.home[fd], 0);
}

int preload_close(int fd)
{
    int home = preload_home(fd);
    bool last;

    if (home < 0 && preload_is_taken(fd)) {
        errno = EBADF;
        return -1;
    }
    if (home < 0) {
        preload_forget(fd);
        return kernel_close(fd);
    }
    preload_begin();
    last = leave_table(home, fd);
    if (fd != home)
        (void)kernel_close(fd);
    return (int)preload_leave(home, last ? tlsyn_close(home) : 0);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void close_all(void)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        atomic_store(&shim.home[fd], 0);
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        if (shim.known[fd])
            (void)tlsyn_close(fd);
    }
}

/* Threads in a call come out when its socket is closed; who doesn't keeps the net alive. */
void preload_end(void)
{
    if (!is_owner() || depth > 0 || atomic_exchange(&shim.over, true))
        return;
    undertaker = true;
    close_all();
    for (int ms = 0; atomic_load(&shim.inside) > 0 && ms < CALLS_WAIT_MS; ms++)
        preload_sleep_ms(1);
    if (atomic_load(&shim.inside) > 0)
        return;
    tlsyn_net_close(shim.net);
    tlsyn_link_close(shim.link);
}

__attribute__((destructor)) static void leave_process(void)
{
    preload_end();
}

/* In the thread that waits for it: the sockets' thread and this one take no signals. */
static void *await_bell(void *unused)
{
    sigset_t set;
    int number;

    while (sem_wait(&shim.bell) < 0)
        ;
    preload_end();
    number = atomic_load(&shim.deadly);
    (void)signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(number);
    return unused;
}

/* The thread may hold any lock: after a while it goes on, in case the one that ends the process
 * waits for that. One inside of a call goes on at once, and stops when it leaves. */
static void take_deadly(int number)
{
    int before = errno;

    if (!is_owner()) {
        (void)signal(number, SIG_DFL);
        (void)raise(number); /* as soon as we return */
        return;
    }
    atomic_store(&shim.deadly, number);
    (void)sem_post(&shim.bell);
    if (depth == 0)
        preload_sleep_ms(DEATH_WAIT_MS);
    errno = before;
}

static int watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction taken = {.sa_handler = take_deadly, .sa_flags = SA_RESTART};
    struct sigaction now;
    sigset_t all, before;
    pthread_t thread;
    int error;

    if (sem_init(&shim.bell, 0, 0) < 0)
        return -errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, NULL, await_bell, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return -error;
    (void)pthread_detach(thread);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            (void)sigaction(numbers[i], &taken, NULL);
    }
    return 0;
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void before_fork(void)
{
    pthread_mutex_lock(&shim.opening);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&shim.opening);
}

static void after_fork_in_child(void)
{
    shim.forked = atomic_load(&shim.owner) != 0;
    pthread_mutex_unlock(&shim.opening);
}

__attribute__((constructor)) static void enter_process(void)
{
    const char *text = getenv(PRELOAD_SOCKET);

    if (text)
        shim.packet_socket = atoi(text);
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static int open_net(void)
{
    int error = preload_open(shim.packet_socket, &shim.link, &shim.net);

    if (error < 0)
        return error;
    error = watch_signals();
    if (error < 0) {
        preload_complain("the stack can't be started: %s", strerror(-error));
        tlsyn_net_close(shim.net);
        tlsyn_link_close(shim.link);
        return error;
    }
    atomic_store(&shim.owner, getpid());
    return 0;
}

struct tlsyn_net *preload_net(void)
{
    int error = 0;

    pthread_mutex_lock(&shim.opening);
    if (atomic_load(&shim.over))
        error = -ENETDOWN;
    else if (!atomic_load(&shim.owner))
        error = open_net();
    else if (!is_owner()) {
        preload_complain(
            "a child of fork(2) makes a socket, and its parent has some: under tlsyn run only "
            "one of them can; it may start another program after the parent has ended");
        error = -EADDRINUSE;
    }
    pthread_mutex_unlock(&shim.opening);
    errno = -error;
    return error ? NULL : shim.net;
}
