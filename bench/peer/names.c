/*
 * peer/names.c: c-ares, turned by somebody else. Read first: ares_init_options(3),
 * ares_getsock(3), ares_timeout(3).
 */
#include "peer/names.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct peer_lookup {
    ares_channel channel;
    struct peer_lookup_user *user;
};

static void on_state(void *data, ares_socket_t fd, int readable, int writable)
{
    const struct peer_lookup *l = data;

    l->user->watch(l->user, fd, readable, writable);
}

static int open_channel(struct peer_lookup *l, const char *server)
{
    char servers_only[] = "b";
    struct ares_options options = {.lookups = servers_only,
                                   .flags =
                                       ARES_FLAG_EDNS | ARES_FLAG_NOALIASES | ARES_FLAG_NOSEARCH,
                                   .sock_state_cb = on_state,
                                   .sock_state_cb_data = l};
    int status = ares_init_options(&l->channel, &options,
                                   ARES_OPT_LOOKUPS | ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB);

    if (status != ARES_SUCCESS) {
        l->channel = NULL;
        return -ENOMEM;
    }
    return ares_set_servers_csv(l->channel, server) == ARES_SUCCESS ? 0 : -EINVAL;
}

int peer_lookup_new(const char *server, struct peer_lookup_user *user, struct peer_lookup **lookup)
{
    struct peer_lookup *l = calloc(1, sizeof(*l));
    int error;

    if (!l)
        return -ENOMEM;
    l->user = user;
    error = open_channel(l, server);
    if (error < 0) {
        peer_lookup_free(l);
        return error;
    }
    *lookup = l;
    return 0;
}

static void on_addrinfo(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
    struct peer_question *question = data;
    struct sockaddr_in in;

    (void)timeouts;
    if (status == ARES_EDESTRUCTION)
        return;
    if (status == ARES_SUCCESS && (!info->nodes || info->nodes->ai_family != AF_INET))
        status = ARES_ENODATA;
    if (status == ARES_SUCCESS)
        memcpy(&in, info->nodes->ai_addr, sizeof(in));
    ares_freeaddrinfo(info);
    question->on_answer(question, status == ARES_SUCCESS ? &in.sin_addr : NULL,
                        status == ARES_SUCCESS ? "" : ares_strerror(status));
}

void peer_lookup_ask(struct peer_lookup *l, const char *name, struct peer_question *question)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_INET, .ai_flags = ARES_AI_NOSORT};

    ares_getaddrinfo(l->channel, name, NULL, &hints, on_addrinfo, question);
}

/* The sockets don't wait: to one that isn't ready a look does no harm. */
void peer_lookup_turn(struct peer_lookup *l)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned which = (unsigned)ares_getsock(l->channel, sockets, ARES_GETSOCK_MAXNUM);

    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        bool readable = which >> i & 1, writable = which >> (i + ARES_GETSOCK_MAXNUM) & 1;

        if (readable || writable)
            ares_process_fd(l->channel, readable ? sockets[i] : ARES_SOCKET_BAD,
                            writable ? sockets[i] : ARES_SOCKET_BAD);
    }
    ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what has timed out */
}

int64_t peer_lookup_due(struct peer_lookup *l)
{
    struct timeval room, *next = ares_timeout(l->channel, NULL, &room);

    return next ? (int64_t)next->tv_sec * 1000000000 + next->tv_usec * 1000 : -1;
}

void peer_lookup_free(struct peer_lookup *l)
{
    if (!l)
        return;
    if (l->channel)
        ares_destroy(l->channel);
    free(l);
}
