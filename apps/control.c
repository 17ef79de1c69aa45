/*
 * control.c: answers `tlsyn ss`. Read first: unix(7).
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control_dir.h"

static void forget(struct control_client *client)
{
    if (client->fd < 0)
        return;
    tlsyn_loop_unwatch(client->control->loop, client->fd);
    (void)close(client->fd);
    free(client->text);
    *client = (struct control_client){.control = client->control, .fd = -1};
}

static void on_writable(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct control_client *client = (struct control_client *)watch;
    ssize_t n = send(fd, client->text + client->sent, client->size - client->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);

    (void)revents;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        client->sent += (size_t)n;
    if (n <= 0 || client->sent == client->size)
        forget(client);
}

static bool may_ask(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* The whole answer, made at once: connections come and go between two turns of the loop. */
static int answer(struct control_client *client)
{
    FILE *out = open_memstream(&client->text, &client->size);
    bool whole = false;

    if (!out)
        return -ENOMEM;
    snapshot_write(out, &client->control->about, client->control->stack);
    whole = !ferror(out);
    if (fclose(out) != 0 || !whole) {
        free(client->text);
        client->text = NULL;
        return -ENOMEM;
    }
    return 0;
}

static void on_asked(struct tlsyn_loop_watch *watch, int listener, short revents)
{
    struct control *control = (struct control *)watch;
    struct control_client *client = &control->client[control->next % CONTROL_CLIENTS];
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)revents;
    if (fd < 0)
        return;
    if (!may_ask(fd)) {
        (void)close(fd);
        return;
    }
    control->next++;
    forget(client);
    *client =
        (struct control_client){.watch = {.on_ready = on_writable}, .control = control, .fd = fd};
    if (answer(client) < 0 || tlsyn_loop_watch(control->loop, fd, POLLOUT, &client->watch) < 0)
        forget(client);
}

static int listen_there(struct control *control)
{
    struct sockaddr_un address;
    char draft[sizeof(control->name) + 1];
    int error = 0;

    (void)snprintf(draft, sizeof(draft), ".%s", control->name);
    error = control_dir_address(control->dir, draft, &address);
    if (error < 0)
        return error;
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (control->listener < 0)
        return -errno;
    (void)unlinkat(control->dir, draft, 0); /* of one that had our number, and died here */
    if (bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    if (fchmodat(control->dir, draft, S_IRUSR | S_IWUSR, 0) == 0 &&
        listen(control->listener, CONTROL_CLIENTS) == 0 &&
        renameat(control->dir, draft, control->dir, control->name) == 0)
        return 0;
    error = -errno;
    (void)unlinkat(control->dir, draft, 0);
    return error;
}

static int open_somewhere(struct control *control)
{
    int error = -ENOENT;

    for (int which = 0; which < CONTROL_DIRS; which++) {
        control->dir = control_dir_open(which, true);
        if (control->dir < 0) {
            error = control->dir;
            continue;
        }
        error = listen_there(control);
        if (error == 0)
            return 0;
        if (control->listener >= 0)
            (void)close(control->listener);
        (void)close(control->dir);
    }
    return error;
}

int control_open(struct control *control, struct tlsyn_loop *loop, struct tlsyn_stack *stack,
                 const struct snapshot_about *about)
{
    struct stat pids;
    int error = 0;

    *control = (struct control){
        .watch = {.on_ready = on_asked}, .stack = stack, .about = *about, .listener = -1};
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        control->client[i] = (struct control_client){.control = control, .fd = -1};
    if (stat("/proc/self/ns/pid", &pids) < 0)
        return -errno;
    (void)snprintf(control->name, sizeof(control->name), "%lu-%ld", (unsigned long)pids.st_ino,
                   (long)getpid());
    error = open_somewhere(control);
    if (error < 0)
        return error;
    control->loop = loop;
    error = tlsyn_loop_watch(loop, control->listener, POLLIN, &control->watch);
    if (error < 0)
        control_close(control);
    return error;
}

void control_close(struct control *control)
{
    if (!control->loop)
        return;
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        forget(&control->client[i]);
    tlsyn_loop_unwatch(control->loop, control->listener);
    (void)unlinkat(control->dir, control->name, 0);
    (void)close(control->listener);
    (void)close(control->dir);
    control->loop = NULL;
}
