/*
 * support/user.h: a user of one connection for tests: it writes down what it is told, and does in
 * each event what the test asked for beforehand.
 */
#ifndef TEST_SUPPORT_USER_H
#define TEST_SUPPORT_USER_H

#include <tlsyn/conn.h>

enum user_event {
    USER_OPEN,
    USER_SYN,
    USER_SYNACK,
    USER_ESTABLISHED,
    USER_DATA,
    USER_ACKED,
    USER_URGENT,
    USER_CLOSED,
    USER_ACCEPT,
    USER_EVENTS
};

enum user_act { USER_NOTHING = 0, USER_CLOSES, USER_ABORTS, USER_RELEASES };

struct user_plan {
    uint32_t write;    /* so many bytes of the pattern */
    int result;        /* returned by the three handshake events */
    enum user_act act; /* after writing */
};

struct user {
    struct tlsyn_handler handler;
    struct tlsyn_acceptor acceptor; /* accepts into this object */
    struct tlsyn_conn *conn;        /* NULL once closed or released */
    struct user_plan plan[USER_EVENTS];
    bool refuses; /* as acceptor: NULL */
    bool deaf;    /* does not read */
    int count[USER_EVENTS];
    int error;            /* of on_closed */
    uint64_t written;     /* bytes of the pattern so far */
    uint64_t read;        /* bytes of the pattern that came */
    uint64_t wrong;       /* of these, not as in the pattern */
    char text[256];       /* the beginning of what came, as a string */
    uint64_t acked;       /* summed up from on_acked */
    size_t urgent_before; /* as on_urgent said */
    int trouble;          /* as on_trouble said last */
    int troubles;
    bool ended;
};

void user_init(struct user *u);

/** Writes n bytes of the pattern, outside events; the number that there was room for. */
size_t user_writes(struct user *u, size_t n);

/** Reads at most n bytes of what is there; the number. */
size_t user_reads(struct user *u, size_t n);

void user_acts(struct user *u, enum user_act act);

#endif
