/* Sockets: many messages in a call, over the kernel's and over ours. Read first: sendmmsg(2),
 * recvmmsg(2). */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/bsd.h"

#define ADDR(a) ((struct sockaddr *)&(a))
#define MANY    6
#define ROOM    8

/* Messages with room for text, and their senders. */
struct many {
    struct mmsghdr message[MANY];
    struct iovec part[MANY];
    struct sockaddr_in from[MANY];
    char text[MANY][ROOM];
};

static void prepare(struct many *many)
{
    *many = (struct many){.text = {"a", "bb", "ccc", "dddd", "eeeee", "ffffff"}};
    for (size_t i = 0; i < MANY; i++) {
        many->part[i] = (struct iovec){many->text[i], i + 1};
        many->message[i].msg_hdr = (struct msghdr){.msg_iov = &many->part[i], .msg_iovlen = 1};
        many->message[i].msg_len = 77;
    }
}

static void prepare_room(struct many *many)
{
    prepare(many);
    for (size_t i = 0; i < MANY; i++) {
        many->part[i].iov_len = ROOM;
        many->message[i].msg_hdr.msg_name = &many->from[i];
        many->message[i].msg_hdr.msg_namelen = sizeof(many->from[i]);
    }
}

static void noted(struct bsd *b, int line, const struct many *many, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bsd_note(b, line, "length", many->message[i].msg_len);
        bsd_note(b, line, "text", many->text[i][0]);
        bsd_note(b, line, "flags", many->message[i].msg_hdr.msg_flags);
        bsd_note(b, line, "family", many->from[i].sin_family);
    }
}

#define NOTED(b, many, count) noted(b, __LINE__, many, count)

static int bound(struct bsd *b, enum bsd_side side, struct sockaddr_in *at)
{
    int fd = bsd_socket(b, side, AF_INET, SOCK_DGRAM, 0);
    socklen_t n = sizeof(*at);

    *at = bsd_address(b, side, 0);
    b->bind(fd, ADDR(*at), sizeof(*at));
    b->getsockname(fd, ADDR(*at), &n);
    return fd;
}

/* A connected client, and the server's end. Few datagrams wait for a neighbour's address, so that
 * one goes ahead. */
static int pair(struct bsd *b, int *server)
{
    struct sockaddr_in at;
    char text[ROOM];
    int client;

    *server = bound(b, SERVER, &at);
    client = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0);
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    STEP(b, b->write(client, "!", 1));
    SEEN(b, *server, POLLIN);
    STEP(b, b->recvfrom(*server, text, sizeof(text), 0, NULL, NULL));
    return client;
}

/* Until all that the client has sent is there: what it sends last, to another socket, is. */
static void await_all(struct bsd *b, int client)
{
    struct sockaddr_in at;
    int last = bound(b, SERVER, &at);

    STEP(b, b->sendto(client, "last", 4, 0, ADDR(at), sizeof(at)));
    SEEN(b, last, POLLIN);
    b->close(last);
}

static void messages(struct bsd *b)
{
    struct timespec none = {0, 0}, hour = {3600, 999}, ages = {INT64_MAX, 999999999};
    struct many out, in;
    int server, client = pair(b, &server);

    prepare(&out);
    prepare_room(&in);
    STEP(b, b->recvmmsg(server, in.message, MANY, MSG_DONTWAIT, NULL));
    STEP(b, b->sendmmsg(client, out.message, 4, 0));
    NOTED(b, &out, 5);
    SEEN(b, server, POLLIN);
    await_all(b, client);
    STEP(b, b->recvmmsg(server, in.message, 2, 0, NULL));
    NOTED(b, &in, 3);
    STEP(b, b->recvmmsg(server, in.message, MANY, MSG_WAITFORONE, NULL));
    NOTED(b, &in, 3);
    STEP(b, b->sendmmsg(client, out.message, MANY, 0));
    await_all(b, client);
    STEP(b, b->recvmmsg(server, in.message, MANY, 0, &none));
    STEP(b, none.tv_sec == 0 && none.tv_nsec == 0);
    STEP(b, b->recvmmsg(server, in.message, 1, 0, &ages));
    STEP(b, ages.tv_sec > 1000000);
    STEP(b, b->recvmmsg(server, in.message, 2, 0, &hour));
    /* What is left of it: two messages may well come within one microsecond. */
    STEP(b, (hour.tv_sec < 3600 || hour.tv_nsec < 999) && hour.tv_sec > 0);
    STEP(b, b->recvmmsg(server, in.message, MANY, MSG_DONTWAIT, NULL));
    NOTED(b, &in, 4);
    b->close(client);
    b->close(server);
}

/* What stops in the middle says how far it came; of a receiver's error the next call hears. */
static void stopped_in_the_middle(struct bsd *b)
{
    struct many out, in;
    int server, client = pair(b, &server);

    prepare(&out);
    prepare_room(&in);
    out.message[2].msg_hdr.msg_iovlen = 1025;
    STEP(b, b->sendmmsg(client, out.message, MANY, 0));
    NOTED(b, &out, 4);
    STEP(b, b->sendmmsg(client, out.message + 2, MANY - 2, 0));
    STEP(b, b->sendmmsg(client, out.message + 3, MANY - 3, 0));
    await_all(b, client);
    in.message[1].msg_hdr.msg_iovlen = 1025;
    STEP(b, b->recvmmsg(server, in.message, MANY, 0, NULL));
    NOTED(b, &in, 2);
    STEP(b, b->recvmmsg(server, in.message, 1, 0, NULL)); /* the error */
    STEP(b, b->recvmmsg(server, in.message, 1, 0, NULL));
    STEP(b, b->recvmmsg(server, in.message + 1, 1, 0, NULL)); /* nothing before it: at once */
    in.message[1].msg_hdr.msg_iovlen = 1;
    STEP(b, b->recvmmsg(server, in.message, MANY, MSG_DONTWAIT, NULL));
    NOTED(b, &in, 3);
    b->close(client);
    b->close(server);
}

static void asked_wrongly(struct bsd *b)
{
    struct timespec wrong[] = {{-1, 0}, {0, -1}, {0, 1000000000}};
    struct mmsghdr *volatile nowhere = NULL;
    struct many out;
    int server, client = pair(b, &server);

    prepare(&out);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        STEP(b, b->recvmmsg(server, out.message, 1, MSG_DONTWAIT, &wrong[i]));
        STEP(b, b->recvmmsg(1000, out.message, 1, MSG_DONTWAIT, &wrong[i]));
    }
    STEP(b, b->sendmmsg(client, out.message, 0, 0));
    STEP(b, b->recvmmsg(server, out.message, 0, MSG_DONTWAIT, NULL));
    STEP(b, b->sendmmsg(1000, out.message, 0, 0));
    STEP(b, b->recvmmsg(1000, out.message, 0, 0, NULL));
    STEP(b, b->sendmmsg(client, nowhere, 1, 0));
    STEP(b, b->recvmmsg(server, nowhere, 1, MSG_DONTWAIT, NULL));
    STEP(b, b->sendmmsg(server, out.message, 1, 0)); /* to whom? */
    b->close(client);
    b->close(server);
}

/* The kernel's bound: no more than 1024 of a call leave. */
static void too_many(struct bsd *b)
{
    struct mmsghdr *all = calloc(1100, sizeof(*all));
    int server, client = pair(b, &server);

    STEP(b, b->fcntl(client, F_SETFL, O_NONBLOCK));
    STEP(b, b->sendmmsg(client, all, 1100, MSG_DONTWAIT) <= 1024);
    b->close(client);
    b->close(server);
    free(all);
}

static volatile sig_atomic_t signals;

static void note_signal(int number)
{
    (void)number;
    signals++;
}

static void over_a_stream(struct bsd *b)
{
    struct sigaction action = {.sa_handler = note_signal}, before;
    struct many out, in;
    int client, server;

    bsd_connection(b, &client, &server);
    prepare(&out);
    prepare_room(&in);
    STEP(b, b->sendmmsg(client, out.message, MANY, 0));
    bsd_await_bytes(b, server, 21);
    STEP(b, b->recvmmsg(server, in.message, MANY, MSG_DONTWAIT, NULL));
    NOTED(b, &in, 4);
    sigaction(SIGPIPE, &action, &before);
    signals = 0;
    STEP(b, b->shutdown(client, SHUT_WR));
    STEP(b, b->sendmmsg(client, out.message, MANY, 0));
    STEP(b, signals);
    STEP(b, b->sendmmsg(client, out.message, MANY, MSG_NOSIGNAL));
    STEP(b, signals);
    SEEN(b, server, POLLIN);
    STEP(b, b->recvmmsg(server, in.message, 3, 0, NULL)); /* the end, three times */
    NOTED(b, &in, 3);
    sigaction(SIGPIPE, &before, NULL);
    b->close(client);
    b->close(server);
}

#define MUCH (64u << 20) /* more than any buffer holds */

/* Behind a message that went in part no other follows, be it empty. */
static void part_of_a_message(struct bsd *b)
{
    struct many out;
    int client, server;
    char *much = calloc(1, MUCH);

    bsd_connection(b, &client, &server);
    prepare(&out);
    out.part[0] = (struct iovec){much, MUCH};
    out.part[1].iov_len = 0;
    STEP(b, b->sendmmsg(client, out.message, 2, MSG_DONTWAIT));
    STEP(b, out.message[0].msg_len > 0 && out.message[0].msg_len < MUCH);
    STEP(b, out.message[1].msg_len);
    b->close(client);
    b->close(server);
    free(much);
}

COMPARED(messages)
COMPARED(stopped_in_the_middle)
COMPARED(asked_wrongly)
COMPARED(too_many)
COMPARED(over_a_stream)
COMPARED(part_of_a_message)

Suite *socket_many_suite(void);

Suite *socket_many_suite(void)
{
    Suite *suite = suite_create("socket_many");
    TCase *many = tcase_create("many");

    tcase_set_timeout(many, 60);
    tcase_add_loop_test(many, messages_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(many, stopped_in_the_middle_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(many, asked_wrongly_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(many, too_many_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(many, over_a_stream_as_on_linux, 0, BSD_WAYS);
    tcase_add_loop_test(many, part_of_a_message_as_on_linux, 0, BSD_WAYS);
    suite_add_tcase(suite, many);
    return suite;
}
