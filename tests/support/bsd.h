/*
 * support/bsd.h: the calls of BSD as a table, over the kernel's sockets, over ours, and with one of
 * either at each end, so that one text of a test runs over all; and a log of what each step
 * returned, to be compared.
 */
#ifndef TEST_SUPPORT_BSD_H
#define TEST_SUPPORT_BSD_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <tlsyn/socket.h>

enum bsd_side { CLIENT, SERVER, BSD_SIDES };

struct bsd {
    const char *name;
    struct tlsyn_net *net[BSD_SIDES]; /* ours; NULL: this side is the kernel's */
    struct sockaddr_in at[BSD_SIDES];
    struct sockaddr_in6 at6[BSD_SIDES];
    struct tlsyn_link *link[BSD_SIDES];
    FILE *log;

    int (*bind)(int, const struct sockaddr *, socklen_t);
    int (*listen)(int, int);
    int (*accept4)(int, struct sockaddr *, socklen_t *, int);
    int (*connect)(int, const struct sockaddr *, socklen_t);
    ssize_t (*sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    ssize_t (*sendmsg)(int, const struct msghdr *, int);
    ssize_t (*recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
    ssize_t (*recvmsg)(int, struct msghdr *, int);
    int (*sendmmsg)(int, struct mmsghdr *, unsigned int, int);
    int (*recvmmsg)(int, struct mmsghdr *, unsigned int, int, struct timespec *);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*readv)(int, const struct iovec *, int);
    ssize_t (*writev)(int, const struct iovec *, int);
    int (*shutdown)(int, int);
    int (*close)(int);
    int (*getsockname)(int, struct sockaddr *, socklen_t *);
    int (*getpeername)(int, struct sockaddr *, socklen_t *);
    int (*getsockopt)(int, int, int, void *, socklen_t *);
    int (*setsockopt)(int, int, int, const void *, socklen_t);
    int (*fcntl)(int, int, ...);
    int (*ioctl)(int, unsigned long, ...);
    int (*poll)(struct pollfd *, nfds_t, int);
};

/** The kernel's, on the loopback interface; ours, two nets joined by a cable. */
void bsd_kernel(struct bsd *b);
void bsd_ours(struct bsd *b);

/** The table of ours alone: whose nets are the caller's. */
void bsd_calls(struct bsd *b);

/** Both sides on one net of ours, at 127.0.0.1 and ::1. */
void bsd_at_home(struct bsd *b);

/** Ours at one side, the kernel's at the other, and a wire between (support/wire.h). False: there
 * is none to be had. */
bool bsd_mixed(struct bsd *b, enum bsd_side ours);

void bsd_end(struct bsd *b);

/** From now on our side of a mixed pair is deaf, and so answers nothing. */
void bsd_silence(struct bsd *b);

int bsd_socket(struct bsd *b, enum bsd_side side, int domain, int type, int protocol);

/** A side's address with this port. */
struct sockaddr_in bsd_address(const struct bsd *b, enum bsd_side side, uint16_t port);

struct sockaddr_in6 bsd_address6(const struct bsd *b, enum bsd_side side, uint16_t port);

/** A listening socket on a port that was free, told in *at. */
int bsd_listener(struct bsd *b, struct sockaddr_in *at, int backlog);

/** A connection: the client's end, and the server's. */
void bsd_connection(struct bsd *b, int *client, int *server);

/** Until poll(2) says one of `events`, or five seconds have passed: what it says then of all
 * events. */
int bsd_await(struct bsd *b, int fd, short events);

/** Until recv(MSG_PEEK) has so many bytes, or five seconds have passed. */
void bsd_await_bytes(struct bsd *b, int fd, size_t n);

/** Writes down a step: its text, what it returned, and errno if that was negative. */
long bsd_note(struct bsd *b, int line, const char *text, long result);

/** Evaluates a call and writes it down. */
#define STEP(b, call) (errno = 0, bsd_note(b, __LINE__, #call, (long)(call)))

/** The same for a call that returns a descriptor: only whether it did is written down. */
#define OPENED(b, fd, call)                                                                        \
    (errno = 0, (fd) = (call), bsd_note(b, __LINE__, #call, (fd) < 0 ? -1 : 0))

/** Writes down the events that poll(2) sees, once one of `awaited` is there (0: now). */
#define SEEN(b, fd, awaited) bsd_note(b, __LINE__, "poll " #fd, bsd_await(b, fd, awaited))

/** The first lines in which two logs differ, on stderr. */
void bsd_tell(char *kernel, char *ours, const char *name);

/** What is held against the kernel with itself. For loops from 0 to BSD_WAYS. */
enum bsd_way { BSD_OURS, BSD_OUR_CLIENT, BSD_OUR_SERVER, BSD_AT_HOME, BSD_WAYS };

/** Runs a scenario over both, and fails the test at the first step that differs. */
void bsd_compare(void (*scenario)(struct bsd *), enum bsd_way way);

/** A loop test, of BSD_WAYS, that compares the scenario `name`. */
#define COMPARED(name)                                                                             \
    START_TEST(name##_as_on_linux)                                                                 \
    {                                                                                              \
        bsd_compare(name, (enum bsd_way)_i);                                                       \
    }                                                                                              \
    END_TEST

#endif
