/*
 * study/actors.c: what every actor does: sign on, answer requests, sign off.
 */
#include "study/actors.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "study/actor_parts.h"

int actor_send(int fd, const void *message, size_t size)
{
    ssize_t n;

    do
        n = send(fd, message, size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int actor_receive(int fd, void *message, size_t size, int timeout_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t n = 0;
    int polled;

    do
        polled = poll(&ready, 1, timeout_ms);
    while (polled < 0 && errno == EINTR);
    if (polled <= 0)
        return polled < 0 ? -errno : -ETIMEDOUT;
    n = recv(fd, message, size, 0);
    /* Who ends with a message unread resets the pair: that is told before its own last words. */
    if (n < 0 && errno == ECONNRESET)
        n = recv(fd, message, size, MSG_DONTWAIT);
    if (n < 0)
        return errno == ECONNRESET || errno == EAGAIN ? -EPIPE : -errno;
    if (n == 0)
        return -EPIPE;
    return (size_t)n == size ? 0 : -EPROTO;
}

void actor_hang_up(int fd)
{
    (void)shutdown(fd, SHUT_RDWR);
    (void)close(fd);
}

int actor_ready(int fd, int error, const char *message)
{
    struct actor_reply reply = {.error = error};

    if (error < 0)
        (void)snprintf(reply.message, sizeof(reply.message), "%s", message);
    return actor_send(fd, &reply, sizeof(reply));
}

void actor_keep_observation(const struct peer_observation *seen, struct study_outcome *outcome)
{
    outcome->handshake_us = seen->handshake_us;
    outcome->first_byte_us = seen->first_byte_us;
    (void)snprintf(outcome->version, sizeof(outcome->version), "%s", seen->version);
    (void)snprintf(outcome->cipher, sizeof(outcome->cipher), "%s", seen->cipher);
    (void)snprintf(outcome->group, sizeof(outcome->group), "%s", seen->group);
    (void)snprintf(outcome->reason, sizeof(outcome->reason), "%.*s",
                   (int)sizeof(outcome->reason) - 1, seen->reason);
}

int actor_main(void *argument)
{
    static int (*const play[ACTORS])(const struct actor_part *) = {
        [ACTOR_STACK_CLIENT] = actor_stack_client,   [ACTOR_STACK_SERVER] = actor_stack_server,
        [ACTOR_KERNEL_CLIENT] = actor_kernel_client, [ACTOR_KERNEL_SERVER] = actor_kernel_server,
        [ACTOR_QUIC_CLIENT] = actor_quic_client,     [ACTOR_QUIC_SERVER] = actor_quic_server,
    };
    const struct actor_part *part = argument;

    (void)signal(SIGINT, SIG_IGN); /* what is meant for all of us is the harness's to obey */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    return play[part->role](part) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
