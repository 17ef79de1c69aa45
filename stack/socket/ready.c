/*
 * socket/ready.c: see ready.h. Read first: unix(7), poll(2).
 */
#include "socket/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "socket/net.h"

/* The kernel calls a stream of AF_UNIX writable while at most a quarter of the send buffer lies
 * unread; with the smallest buffer it grants, this much is more. */
#define FILLING 3000

static const char filling[FILLING];

void ready_init(struct ready *ready)
{
    *ready = (struct ready){.near = -1, .far = -1};
}

static void close_far(struct ready *ready)
{
    if (ready->far >= 0)
        (void)close(ready->far);
    ready->far = -1;
}

/* Reads whatever lies there. */
static void drain(int fd)
{
    char bytes[FILLING];

    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}

static ino_t inode_of(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 ? about.st_ino : 0;
}

static void prepare_near(struct ready *ready)
{
    const int least = 1;

    (void)setsockopt(ready->near, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
    ready->inode = inode_of(ready->near);
}

/* --- where far ends come from ----------------------------------------------------------------- */

int ready_nest_open(struct tlsyn_net *net)
{
    int error = 0;

    net->nest_name = (struct sockaddr_un){.sun_family = AF_UNIX};
    net->nest = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (net->nest < 0)
        return -errno;
    net->nest_length = sizeof(net->nest_name);
    /* A name of the family alone has the kernel choose one that is free (unix(7), autobind). */
    if (bind(net->nest, (struct sockaddr *)&net->nest_name, sizeof(sa_family_t)) < 0 ||
        listen(net->nest, 1) < 0 ||
        getsockname(net->nest, (struct sockaddr *)&net->nest_name, &net->nest_length) < 0)
        error = -errno;
    if (error)
        ready_nest_close(net);
    return error;
}

void ready_nest_close(struct tlsyn_net *net)
{
    if (net->nest >= 0)
        (void)close(net->nest);
    net->nest = -1;
}

/* The name is known to all of the machine: only who comes from this process is let in. */
static bool is_ours(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == getpid();
}

/* --- opening and closing ---------------------------------------------------------------------- */

int ready_open_idle(struct ready *ready, int flags)
{
    ready_init(ready);
    ready->near = socket(AF_UNIX, SOCK_STREAM | flags, 0);
    if (ready->near < 0)
        return -errno;
    prepare_near(ready);
    return 0;
}

int ready_open_pair(struct ready *ready, int flags)
{
    int ends[2];

    ready_init(ready);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    ready->near = ends[0];
    ready->far = ends[1];
    ready->shown = READY_OUT;
    prepare_near(ready);
    if (!(flags & SOCK_CLOEXEC))
        (void)fcntl(ready->near, F_SETFD, 0);
    if (!(flags & SOCK_NONBLOCK))
        (void)fcntl(ready->near, F_SETFL, 0);
    return 0;
}

/* Another open file under the number that the program knows. */
static int replace(struct ready *ready, struct ready *by)
{
    int flags = fcntl(ready->near, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
    int error = 0;

    (void)fcntl(by->near, F_SETFL, fcntl(ready->near, F_GETFL) & O_NONBLOCK);
    if (dup3(by->near, ready->near, flags) < 0)
        error = -errno;
    (void)close(by->near);
    if (error) {
        close_far(by);
        return error;
    }
    close_far(ready);
    ready->far = by->far;
    ready->shown = by->shown;
    ready->inode = by->inode;
    return 0;
}

static int replace_by_pair(struct ready *ready)
{
    struct ready fresh;
    int error = ready_open_pair(&fresh, SOCK_CLOEXEC);

    return error < 0 ? error : replace(ready, &fresh);
}

/* The one in the queue that is ours: under the net's lock there is no second. */
static int accept_ours(const struct tlsyn_net *net)
{
    int ours = -1, fd;

    while ((fd = accept4(net->nest, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (ours < 0 && is_ours(fd))
            ours = fd;
        else
            (void)close(fd);
    }
    return ours;
}

int ready_connect(struct ready *ready, struct tlsyn_net *net)
{
    int flags = fcntl(ready->near, F_GETFL);
    int connected;

    if (ready->far >= 0)
        return replace_by_pair(ready);
    (void)fcntl(ready->near, F_SETFL, flags | O_NONBLOCK);
    connected = connect(ready->near, (struct sockaddr *)&net->nest_name, net->nest_length);
    (void)fcntl(ready->near, F_SETFL, flags);
    ready->far = accept_ours(net);
    if (connected < 0 || ready->far < 0) /* a stranger was in the way, or it has an end no more */
        return replace_by_pair(ready);
    ready->shown = READY_OUT;
    return 0;
}

int ready_disconnect(struct ready *ready)
{
    struct ready idle;
    int error = ready_open_idle(&idle, SOCK_CLOEXEC);

    return error < 0 ? error : replace(ready, &idle);
}

void ready_close(struct ready *ready)
{
    close_far(ready);
    if (ready->near >= 0 && inode_of(ready->near) == ready->inode)
        (void)close(ready->near);
    ready->near = -1;
}

/* --- showing ---------------------------------------------------------------------------------- */

static void show_error(struct ready *ready)
{
    (void)send(ready->near, filling, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close_far(ready);
}

/* One byte more before one less, so that nobody sees none. */
static void show_in(struct ready *ready, bool on, bool again)
{
    bool shown = ready->shown & READY_IN;
    char byte;

    if (on && (!shown || again))
        (void)send(ready->far, filling, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (on && shown && again)
        (void)recv(ready->near, &byte, 1, MSG_DONTWAIT);
    if (!on && shown)
        drain(ready->near);
}

static void show_out(struct ready *ready, bool on)
{
    bool shown = ready->shown & READY_OUT;

    if (on && !shown)
        drain(ready->far);
    if (!on && shown)
        (void)send(ready->near, filling, sizeof(filling), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* An urgent byte lies in the same queue as the byte for IN, so that the queue is made anew. A
 * kernel before 5.17 has no such thing, and then nothing is shown. Behind the end no byte can be
 * sent any more, and none has to be. */
static void show_pri(struct ready *ready, unsigned levels)
{
    char byte;

    (void)recv(ready->near, &byte, 1, MSG_OOB | MSG_DONTWAIT);
    drain(ready->near);
    if (levels & READY_IN)
        (void)send(ready->far, filling, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (levels & READY_PRI)
        (void)send(ready->far, filling, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
}

void ready_show(struct ready *ready, unsigned levels, bool again)
{
    unsigned rising = levels & ~ready->shown;

    if (ready->far < 0 || (levels == ready->shown && !again))
        return;
    if (levels & READY_ERR) {
        show_error(ready);
        return;
    }
    show_out(ready, levels & READY_OUT);
    if ((levels | ready->shown) & READY_PRI && !(ready->shown & READY_END && levels & READY_PRI))
        show_pri(ready, levels);
    if (rising & (READY_END | READY_HUP)) /* which shows IN too, at once */
        (void)shutdown(ready->far, levels & READY_HUP ? SHUT_RDWR : SHUT_WR);
    else if (!((levels | ready->shown) & READY_PRI) && !(levels & READY_END))
        show_in(ready, levels & READY_IN, again);
    ready->shown = levels;
}

void ready_error_taken(struct ready *ready)
{
    int error;
    socklen_t length = sizeof(error);

    (void)getsockopt(ready->near, SOL_SOCKET, SO_ERROR, &error, &length);
}
