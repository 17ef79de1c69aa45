/*
 * support/chance.h: calls of BSD drawn by chance, right and wrong ones, made in two worlds that
 * have the same sockets at the same places: the kernel's and ours. What each call gave becomes a
 * line of text, and the two lines are to be the same.
 *
 *     chance_calls.c, chance_options.c   the calls: how drawn numbers become arguments
 *     chance_apart.c                     where both differ on purpose, and why
 *     unit/test_socket_chance.c          the worlds, and what is held against what
 */
#ifndef TEST_SUPPORT_CHANCE_H
#define TEST_SUPPORT_CHANCE_H

#include "support/bsd.h"

#define CHANCE_PLACES 8
#define CHANCE_CLOSED 9999 /* a descriptor that nobody has */
#define CHANCE_TOLD   512
#define CHANCE_PORT   5000 /* the first of those that are named */

/** One call, as it was drawn. */
struct draw {
    unsigned place, other;
    uint32_t a[8];
};

/** What a call, or a look, came to. */
struct outcome {
    char text[CHANCE_TOLD];
    size_t len;
};

struct world {
    struct bsd with;
    int fd[CHANCE_PLACES]; /* or CHANCE_CLOSED */
    struct outcome outcome;
};

/** An address, with room for as long a one as is ever claimed. */
union chance_address {
    struct sockaddr_storage storage;
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    char room[sizeof(struct sockaddr_storage) + 4];
};

struct chance_call {
    const char *name;
    void (*make)(struct world *, const struct draw *);
    unsigned often;
};

/** One of them, as often as it is to come. */
const struct chance_call *chance_call(uint32_t drawn);

/** That which makes a socket. */
const struct chance_call *chance_call_socket(void);

/* The calls of chance_options.c. */
void chance_getsockopt(struct world *w, const struct draw *d);
void chance_setsockopt(struct world *w, const struct draw *d);
void chance_linger(struct world *w, const struct draw *d);

/** What poll(2) says of each socket, and how much there is to be read, becomes the outcome. */
void chance_look(struct world *w);

/* --- drawn numbers ---------------------------------------------------------------------------- */

/** Below n. */
uint32_t chance_pick(uint32_t drawn, uint32_t n);

/** One time in sixteen. */
bool chance_rarely(uint32_t drawn);

/* --- outcomes --------------------------------------------------------------------------------- */

void outcome_say(struct world *w, const char *what, long value);

/** Or errno's name. */
void outcome_say_result(struct world *w, long result);

/** A sum of them. */
void outcome_say_bytes(struct world *w, const void *bytes, size_t n);

/* --- where both differ on purpose (chance_apart.c) -------------------------------------------- */

/** The type of a socket; 0 where there is none. */
int chance_type(struct world *w, int fd);

/** Changes whom a socket is to connect to. */
void apart_connect(struct world *w, const struct draw *d, union chance_address *at);

/** Changes where something is to be sent. */
void apart_send(const struct draw *d, union chance_address *at);

/** What of an address is compared. */
void apart_address(union chance_address *at);

/** Whether a shutdown is left out. */
bool apart_shutdown(struct world *w, int fd);

/** What of poll(2)'s events is compared. */
short apart_poll(int type, short events);

#endif
