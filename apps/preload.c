/*
 * preload.c: the net of a program that runs under `tlsyn run`, and its descriptors. See preload.h.
 * Read first: ld.so(8), LD_PRELOAD; fcntl(2), F_SETLK; signal-safety(7).
 *
 * The end: who dies by a signal that he does not handle, Ctrl-C say, would leave his peers without
 * a word, where the kernel closes what he had open. So the shim takes SIGINT, SIGTERM and SIGHUP
 * where nobody else does; its handler may do next to nothing, and rings for a thread that closes
 * the net and then lets the signal do its work.
 */
#include "preload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

#define DESCRIPTORS   (1 << 16)
#define ADDRESS_WAIT  TLSYN_SECONDS(3) /* RFC 4862 5.4 takes a second and a half at most */
#define CALLS_WAIT_MS 200
#define NUMBERS_HELD  256
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

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The first time only; not by stdio, whose streams are the program's. */
static void complain(const char *format, ...)
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

static void sleep_ms(int ms)
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
    complain("a child of fork(2) uses a socket of its parent, which only the parent can do under "
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
        sleep_ms(1);
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
        sleep_ms(DEATH_WAIT_MS);
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

/* Whether the packet socket is there, and free. */
static int take_packet_socket(int fd)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int domain = 0;
    socklen_t length = sizeof(domain);

    if (kernel_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 || domain != AF_PACKET) {
        complain("descriptor %d, by which tlsyn run reaches the network, was closed by the program "
                 "or one that started it; this can't run under tlsyn run",
                 fd);
        return -ENETDOWN;
    }
    if (kernel_fcntl(fd, F_SETLK, &lock) < 0) {
        complain("another program of this tlsyn run has the network; give each a tlsyn run and an "
                 "--address of its own");
        return -EADDRINUSE;
    }
    return 0;
}

static int open_link(int fd)
{
    const struct tlsyn_afpacket_options options = {.socket = kernel_fcntl(fd, F_DUPFD_CLOEXEC, fd)};
    const char *interface = getenv(PRELOAD_INTERFACE), *path = getenv(PRELOAD_CAPTURE);
    struct tlsyn_link *capture;
    int error = options.socket < 0 ? -errno : 0;

    if (error == 0)
        error = tlsyn_afpacket_open(interface ? interface : "", &options, &shim.link);
    if (error == 0 && path) {
        error = tlsyn_capture_wrap(shim.link, path, &capture);
        if (error < 0) {
            complain("the capture %s can't be written: %s", path, strerror(-error));
            tlsyn_link_close(shim.link);
            return error;
        }
        shim.link = capture;
    }
    if (error < 0) {
        complain("the network interface %s can't be used: %s", interface ? interface : "",
                 strerror(-error));
        if (options.socket >= 0)
            (void)kernel_close(options.socket);
    }
    return error;
}

/* An address of IPv6 is asked about first (RFC 4862 5.4): the program finds it usable. */
static void await_address(struct tlsyn_net *net, const char *address)
{
    struct sockaddr_in6 own = {.sin6_family = AF_INET6};
    tlsyn_time end = tlsyn_clock() + ADDRESS_WAIT;
    char text[64];
    int fd, bound = -1;

    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(address, "/"), address);
    if (inet_pton(AF_INET6, text, &own.sin6_addr) != 1)
        return;
    fd = tlsyn_socket(net, AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    while (fd >= 0 && bound < 0 && tlsyn_clock() < end) {
        bound = tlsyn_bind(fd, (struct sockaddr *)&own, sizeof(own));
        if (bound < 0)
            sleep_ms(20);
    }
    if (bound < 0)
        complain("the address %s can't be used: another machine has it already", text);
    if (fd >= 0)
        (void)tlsyn_close(fd);
}

/* Takes the numbers below the packet socket's that are free, so that what is opened next gets one
 * above it: programs that choose numbers (dup2(2)) choose low ones. */
static void hold_numbers(int below, bool held[])
{
    int fd;

    for (int i = 0; i < below; i++)
        held[i] = false;
    while ((fd = kernel_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0 && fd < below)
        held[fd] = true;
    if (fd >= 0)
        (void)kernel_close(fd);
}

static void free_numbers(int below, const bool held[])
{
    for (int i = 0; i < below; i++) {
        if (held[i])
            (void)kernel_close(i);
    }
}

static int open_net(int fd)
{
    const char *address = getenv(PRELOAD_ADDRESS), *controller = getenv(PRELOAD_CONGESTION);
    const struct tlsyn_conn_options conn = {.controller = controller ? strdup(controller) : NULL};
    struct tlsyn_net_options options = {
        .address = address ? address : "",
        .gateway = getenv(PRELOAD_GATEWAY),
        .conn = &conn,
    };
    int error = take_packet_socket(fd);

    if (error < 0)
        return error;
    error = open_link(fd);
    if (error < 0)
        return error;
    options.link = shim.link;
    error = watch_signals();
    if (error == 0)
        error = tlsyn_net_open(&options, &shim.net);
    if (error < 0) {
        complain("the stack can't be started: %s", strerror(-error));
        tlsyn_link_close(shim.link);
        return error;
    }
    await_address(shim.net, options.address);
    atomic_store(&shim.owner, getpid());
    return 0;
}

static int open_high(int fd)
{
    int below = fd > NUMBERS_HELD ? NUMBERS_HELD : fd;
    bool held[NUMBERS_HELD];
    int error;

    hold_numbers(below, held);
    error = open_net(fd);
    free_numbers(below, held);
    return error;
}

struct tlsyn_net *preload_net(void)
{
    int error = 0;

    pthread_mutex_lock(&shim.opening);
    if (atomic_load(&shim.over))
        error = -ENETDOWN;
    else if (!atomic_load(&shim.owner))
        error = open_high(shim.packet_socket);
    else if (!is_owner()) {
        complain("a child of fork(2) makes a socket, and its parent has some: under tlsyn run only "
                 "one of them can; it may start another program after the parent has ended");
        error = -EADDRINUSE;
    }
    pthread_mutex_unlock(&shim.opening);
    errno = -error;
    return error ? NULL : shim.net;
}
