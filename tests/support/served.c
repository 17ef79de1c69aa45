/* served.c: see served.h. */
#include "support/served.h"

#include <check.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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
