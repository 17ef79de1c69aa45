/*
 * peer/memory.c: sessions by name. See memory.h.
 */
#include "peer/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_MAX 96

/* From the oldest on. */
struct peer_memory {
    struct remembered {
        char name[PEER_SERVER_MAX];
        SSL_SESSION *session;
    } item[SESSIONS_MAX];
    int items;
};

struct peer_memory *peer_memory_new(void)
{
    return calloc(1, sizeof(struct peer_memory));
}

void peer_memory_free(struct peer_memory *memory)
{
    for (int i = 0; memory && i < memory->items; i++)
        SSL_SESSION_free(memory->item[i].session);
    free(memory);
}

/* The session is whoever's who asked for it. */
static void remove_item(struct peer_memory *memory, int i)
{
    memory->items--;
    memmove(&memory->item[i], &memory->item[i + 1],
            (size_t)(memory->items - i) * sizeof(memory->item[0]));
}

void peer_memory_keep(struct peer_memory *memory, const char *name, SSL_SESSION *session)
{
    struct remembered *item;

    if (memory->items == SESSIONS_MAX) {
        SSL_SESSION_free(memory->item[0].session);
        remove_item(memory, 0);
    }
    item = &memory->item[memory->items++];
    (void)snprintf(item->name, sizeof(item->name), "%s", name);
    item->session = session;
}

SSL_SESSION *peer_memory_take(struct peer_memory *memory, const char *name)
{
    SSL_SESSION *session;
    int i = memory->items - 1;

    while (i >= 0 && strcmp(memory->item[i].name, name) != 0)
        i--;
    if (i < 0)
        return NULL;
    session = memory->item[i].session;
    if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
        remove_item(memory, i);
    else
        (void)SSL_SESSION_up_ref(session);
    return session;
}

int peer_memory_known(const struct peer_memory *memory, const char *name)
{
    int known = 0;

    for (int i = 0; i < memory->items; i++)
        known += strcmp(memory->item[i].name, name) == 0;
    return known;
}
