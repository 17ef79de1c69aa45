/* Sockets: urgent text, over the kernel's and over ours, and between the two. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/bsd.h"

/* What poll(2) says of POLLPRI alone: with it comes POLLIN at ours, and not always at the kernel's.
 *  */
#define URGENT_SEEN(b, fd, awaited)                                                                \
    bsd_note(b, __LINE__, "urgent", bsd_await(b, fd, awaited) & POLLPRI)

static void text(struct bsd *b, int line, int fd, size_t room, int flags)
{
    char bytes[64] = "";
    struct iovec part = {bytes, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    errno = 0;
    bsd_note(b, line, "recvmsg", b->recvmsg(fd, &message, flags | MSG_DONTWAIT));
    bsd_note(b, line, bytes, message.msg_flags);
}

#define TEXT(b, fd, room, flags) text(b, __LINE__, fd, room, flags)

static void where(struct bsd *b, int line, int fd)
{
    int value = -1;

    bsd_note(b, line, "ioctl", b->ioctl(fd, SIOCATMARK, &value));
    bsd_note(b, line, "at mark", value);
    bsd_note(b, line, "ioctl", b->ioctl(fd, FIONREAD, &value));
    bsd_note(b, line, "readable", value);
}

#define WHERE(b, fd) where(b, __LINE__, fd)

static void out_of_band(struct bsd *b)
{
    int client, server;

    bsd_connection(b, &client, &server);
    WHERE(b, server);
    TEXT(b, server, 10, MSG_OOB);
    STEP(b, b->sendto(client, "abc", 3, MSG_OOB, NULL, 0));
    URGENT_SEEN(b, server, POLLPRI);
    WHERE(b, server);
    TEXT(b, server, 10, MSG_OOB | MSG_PEEK);
    TEXT(b, server, 0, MSG_OOB | MSG_PEEK);
    TEXT(b, server, 10, MSG_OOB);
    TEXT(b, server, 10, MSG_OOB);
    URGENT_SEEN(b, server, 0);
    STEP(b, b->sendto(client, "def", 3, 0, NULL, 0));
    bsd_await_bytes(b, server, 2);
    WHERE(b, server);
    TEXT(b, server, 10, 0); /* ends at the mark */
    WHERE(b, server);
    SEEN(b, server, POLLIN);
    TEXT(b, server, 10, MSG_PEEK);
    TEXT(b, server, 10, 0); /* begins behind it */
    WHERE(b, server);
    TEXT(b, server, 10, 0);
    SEEN(b, server, 0);
    b->close(client);
    b->close(server);
}

static void nothing_but_urgent(struct bsd *b)
{
    int client, server;

    bsd_connection(b, &client, &server);
    STEP(b, b->sendto(client, "x", 1, MSG_OOB, NULL, 0));
    URGENT_SEEN(b, server, POLLPRI);
    WHERE(b, server);
    TEXT(b, server, 10, 0); /* passes the mark, and finds nothing */
    WHERE(b, server);
    TEXT(b, server, 10, MSG_OOB); /* too late */
    STEP(b, b->sendto(client, "y", 1, MSG_OOB, NULL, 0));
    URGENT_SEEN(b, server, POLLPRI);
    STEP(b, b->sendto(client, "z", 1, MSG_OOB, NULL, 0));
    STEP(b, b->sendto(client, "end", 3, 0, NULL, 0));
    bsd_await_bytes(b, server, 3); /* y goes: it was reached and not read */
    TEXT(b, server, 10, MSG_OOB);
    TEXT(b, server, 10, 0);
    b->close(client);
    b->close(server);
}

/* Where MSG_PEEK (bsd_await_bytes) stops at the mark. */
static void await_readable(struct bsd *b, int fd, int bytes)
{
    for (int i = 0, n = 0; i < 1000 && n < bytes; i++) {
        if (b->ioctl(fd, FIONREAD, &n) < 0 || n < bytes)
            (void)usleep(1000);
    }
}

static void in_line(struct bsd *b)
{
    int client, server, one = 1;

    bsd_connection(b, &client, &server);
    STEP(b, b->setsockopt(server, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)));
    STEP(b, b->sendto(client, "abc", 3, MSG_OOB, NULL, 0));
    STEP(b, b->sendto(client, "def", 3, 0, NULL, 0));
    URGENT_SEEN(b, server, POLLPRI);
    await_readable(b, server, 6);
    WHERE(b, server);
    TEXT(b, server, 10, MSG_OOB);
    TEXT(b, server, 10, 0);
    WHERE(b, server);
    SEEN(b, server, POLLIN);
    TEXT(b, server, 10, MSG_PEEK);
    TEXT(b, server, 10, 0);
    WHERE(b, server);
    URGENT_SEEN(b, server, 0);
    b->close(client);
    b->close(server);
}

static void and_then_the_end(struct bsd *b)
{
    int client, server;

    bsd_connection(b, &client, &server);
    STEP(b, b->sendto(client, "ab", 2, MSG_OOB, NULL, 0));
    STEP(b, b->shutdown(client, SHUT_WR));
    SEEN(b, server, POLLRDHUP);
    TEXT(b, server, 10, MSG_OOB);
    TEXT(b, server, 10, MSG_WAITALL);
    TEXT(b, server, 10, 0);
    TEXT(b, server, 10, MSG_OOB);
    WHERE(b, server);
    b->close(client);
    b->close(server);
}

/* First one end, then the other: what was urgent stays so. */
static void and_then_both_ends(struct bsd *b)
{
    int client, server;

    bsd_connection(b, &client, &server);
    STEP(b, b->sendto(client, "abc", 3, MSG_OOB, NULL, 0));
    URGENT_SEEN(b, server, POLLPRI);
    STEP(b, b->shutdown(client, SHUT_WR));
    URGENT_SEEN(b, server, POLLRDHUP);
    STEP(b, b->shutdown(server, SHUT_WR));
    SEEN(b, client, POLLHUP);
    URGENT_SEEN(b, server, POLLHUP);
    TEXT(b, server, 10, MSG_OOB);
    URGENT_SEEN(b, server, 0);
    b->close(client);
    b->close(server);
}

static void where_there_is_none(struct bsd *b)
{
    struct sockaddr_in at = bsd_address(b, SERVER, 9);
    int listener = bsd_listener(b, &at, 1), fd, one = 1, value;

    TEXT(b, listener, 1, MSG_OOB);
    STEP(b, b->ioctl(listener, SIOCATMARK, &value));
    STEP(b, b->sendto(listener, "x", 1, MSG_OOB | MSG_NOSIGNAL, NULL, 0));
    b->close(listener);
    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0));
    TEXT(b, fd, 1, MSG_OOB);
    STEP(b, b->sendto(fd, "x", 1, MSG_OOB | MSG_NOSIGNAL, NULL, 0));
    STEP(b, b->fcntl(fd, F_GETOWN));
    STEP(b, b->fcntl(fd, F_SETOWN, 0x7fffffff));
    STEP(b, b->fcntl(fd, F_SETOWN, getpid()));
    STEP(b, b->fcntl(fd, F_GETOWN) == getpid());
    b->close(fd);
    OPENED(b, fd, bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0));
    STEP(b, b->setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)));
    STEP(b, b->sendto(fd, "x", 1, MSG_OOB, (struct sockaddr *)&at, sizeof(at)));
    STEP(b, b->ioctl(fd, SIOCATMARK, &value));
    b->close(fd);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static void signalled(struct bsd *b)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    int client, server;

    signals = 0;
    sigaction(SIGURG, &act, NULL);
    bsd_connection(b, &client, &server);
    STEP(b, b->fcntl(server, F_SETOWN, getpid()));
    STEP(b, b->sendto(client, "x", 1, 0, NULL, 0));
    bsd_await_bytes(b, server, 1);
    STEP(b, signals);
    STEP(b, b->sendto(client, "x", 1, MSG_OOB, NULL, 0));
    for (int i = 0; i < 1000 && !signals; i++)
        (void)usleep(2000);
    STEP(b, signals);
    b->close(client);
    b->close(server);
}

/* clang-format off */
COMPARED(out_of_band)
COMPARED(nothing_but_urgent)
COMPARED(in_line)
COMPARED(and_then_the_end)
COMPARED(and_then_both_ends)
COMPARED(where_there_is_none)
COMPARED(signalled)
/* clang-format on */

Suite *socket_urgent_suite(void);

Suite *socket_urgent_suite(void)
{
    Suite *suite = suite_create("socket_urgent");
    TCase *urgent = tcase_create("urgent");

    tcase_set_timeout(urgent, 60);
    tcase_add_loop_test(urgent, out_of_band_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(urgent, nothing_but_urgent_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(urgent, in_line_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(urgent, and_then_the_end_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(urgent, and_then_both_ends_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(urgent, where_there_is_none_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(urgent, signalled_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, urgent);
    return suite;
}
