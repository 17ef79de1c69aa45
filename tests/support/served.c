/* served.c: see served.h. */
#include "support/served.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* TCP's and UDP's: 0 if somebody has one of them. */
static int is_free(uint16_t port)
{
    const struct sockaddr_in here = {.sin_family = AF_INET,
                                     .sin_port = htons(port),
                                     .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int stream = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
    int nobody = bind(stream, (const struct sockaddr *)&here, sizeof(here)) == 0 &&
                 bind(datagram, (const struct sockaddr *)&here, sizeof(here)) == 0;

    (void)close(stream);
    (void)close(datagram);
    return nobody;
}

/* Below those that the kernel takes for whoever connects. */
uint16_t served_ports(int count)
{
    uint16_t chance = 0;
    int found = 0;

    for (int tries = 0; tries < 1000 && found <= count; tries++) {
        ck_assert_int_eq(getrandom(&chance, sizeof(chance), 0), sizeof(chance));
        chance = (uint16_t)(20000 + chance % 10000);
        for (found = 0; found <= count && is_free((uint16_t)(chance + found));)
            found++;
    }
    ck_assert_int_gt(found, count);
    return (uint16_t)(chance + 1);
}

void served_start(struct served *s, int (*serve)(int control))
{
    char byte = 0;
    int end[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), 0);
    s->process = fork();
    if (s->process == 0) {
        (void)close(end[0]);
        _exit(serve(end[1]));
    }
    ck_assert_int_gt(s->process, 0);
    (void)close(end[1]);
    s->control = end[0];
    ck_assert_int_eq(read(s->control, &byte, 1), 1);
}

void served_stop(struct served *s)
{
    int status = -1;

    (void)close(s->control);
    ck_assert_int_eq(waitpid(s->process, &status, 0), s->process);
    ck_assert_int_eq(status, 0);
}

/* In the child: an assertion, even one that holds, would write to libcheck's file beside the
 * parent. */
void served_ready(void *control)
{
    const int *fd = control;

    if (write(*fd, "r", 1) != 1)
        _exit(3);
}
