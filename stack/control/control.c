/*
 * control/control.c: answers `tlsyn ss`. Read first: unix(7).
 */
#include "control/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/snapshot.h"

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
    snapshot_write(out, &client->control->about, client->control->stack, client->control->source);
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
    struct tlsyn_control *control = (struct tlsyn_control *)watch;
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

#define NAMES_MAX 64 /* stacks of one process that are told of */

/* The first name that is free: another stack of this process may have one. */
static int publish(struct tlsyn_control *control, const char *draft)
{
    size_t n = strlen(control->name);

    for (int i = 1; linkat(control->dir, draft, control->dir, control->name, 0) < 0; i++) {
        if (errno != EEXIST || i == NAMES_MAX)
            return -errno;
        (void)snprintf(control->name + n, sizeof(control->name) - n, "-%d", i);
    }
    return 0;
}

static int listen_there(struct tlsyn_control *control)
{
    struct sockaddr_un address;
    char draft[sizeof(control->name) + 1];
    int error = 0;

    (void)snprintf(draft, sizeof(draft), ".%s", control->name);
    error = tlsyn_control_dir_address(control->dir, draft, &address);
    if (error < 0)
        return error;
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (control->listener < 0)
        return -errno;
    (void)unlinkat(control->dir, draft, 0); /* of one that had our number, and died here */
    if (bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    if (fchmodat(control->dir, draft, S_IRUSR | S_IWUSR, 0) < 0 ||
        listen(control->listener, CONTROL_CLIENTS) < 0)
        error = -errno;
    if (error == 0)
        error = publish(control, draft);
    (void)unlinkat(control->dir, draft, 0);
    return error;
}

/* In the folder `dir`, or not: then it is left. */
static int open_there(struct tlsyn_control *control, int dir)
{
    int error = dir;

    if (dir < 0)
        return error;
    control->dir = dir;
    error = listen_there(control);
    if (error == 0)
        return 0;
    if (control->listener >= 0)
        (void)close(control->listener);
    control->listener = -1;
    tlsyn_control_dir_leave(dir);
    return error;
}

/* Somebody who leaves the folder in /tmp as the last may take it away under our feet. */
static int open_somewhere(struct tlsyn_control *control)
{
    char path[PATH_MAX];
    int error = open_there(control, tlsyn_control_dir_runtime(true, path));

    for (int tries = 0; tries < 4 && error != 0 && (tries == 0 || error == -ENOENT); tries++)
        error = open_there(control, tlsyn_control_dir_temporary());
    return error;
}

static void let_go(struct tlsyn_control *control)
{
    free(control->command);
    free(control->interface);
    free(control);
}

static struct tlsyn_control *make(const struct tlsyn_control_about *about)
{
    struct tlsyn_control *control = calloc(1, sizeof(*control));

    if (!control)
        return NULL;
    control->command = strdup(about->command);
    control->interface = strdup(about->interface);
    if (!control->command || !control->interface) {
        let_go(control);
        return NULL;
    }
    control->about =
        (struct tlsyn_control_about){control->command, control->interface, about->address};
    control->watch.on_ready = on_asked;
    control->listener = -1;
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        control->client[i] = (struct control_client){.control = control, .fd = -1};
    return control;
}

int tlsyn_control_open(struct tlsyn_loop *loop, struct tlsyn_stack *stack,
                       const struct tlsyn_control_about *about, struct tlsyn_control **out)
{
    struct tlsyn_control *control;
    struct stat pids;
    int error = 0;

    if (stat("/proc/self/ns/pid", &pids) < 0)
        return -errno;
    control = make(about);
    if (!control)
        return -ENOMEM;
    control->loop = loop;
    control->stack = stack;
    (void)snprintf(control->name, sizeof(control->name), "%lu-%ld", (unsigned long)pids.st_ino,
                   (long)getpid());
    error = open_somewhere(control);
    if (error < 0) {
        let_go(control);
        return error;
    }
    error = tlsyn_loop_watch(loop, control->listener, POLLIN, &control->watch);
    if (error < 0)
        tlsyn_control_close(control);
    else
        *out = control;
    return error;
}

void tlsyn_control_source(struct tlsyn_control *control, struct tlsyn_control_source *source)
{
    if (control)
        control->source = source;
}

void tlsyn_control_close(struct tlsyn_control *control)
{
    if (!control)
        return;
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        forget(&control->client[i]);
    tlsyn_loop_unwatch(control->loop, control->listener);
    (void)unlinkat(control->dir, control->name, 0);
    (void)close(control->listener);
    tlsyn_control_dir_leave(control->dir);
    let_go(control);
}
