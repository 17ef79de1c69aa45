/*
 * sim/talker.h: the user of one end of a connection, plain or behind TLS: what it may say when, how
 * it reads, how it ends.
 *
 * Its events and its ticks do the same: read what may be read, say what may be said, close when all
 * is said. What arrives is compared with the pattern that the other end sends, octet by octet.
 */
#ifndef TEST_SIM_TALKER_H
#define TEST_SIM_TALKER_H

#include <errno.h>

#include <tlsyn/conn.h>
#include <tlsyn/tls.h>

enum manner {
    MANNER_BOTH,         /* both say all they have, and close */
    MANNER_REQUEST,      /* rounds: the client asks, the server answers, the client closes */
    MANNER_HALF_CLOSE,   /* the client says all and closes; then the server does */
    MANNER_SERVER_FIRST, /* the other way round */
};

/** Who refuses the connection. */
enum refusal {
    REFUSAL_NONE,
    REFUSAL_ACCEPT, /* the listener */
    REFUSAL_OPEN,   /* the client, in on_open */
    REFUSAL_SYN,    /* the server, in on_syn: not over TLS, which asks nobody */
    REFUSAL_SYNACK, /* the client, in on_synack: the same */
    REFUSAL_LATER,  /* the server in on_syn: what came with the SYN is to come again */
    REFUSALS
};

#define TALKER_REFUSES (-EACCES)

/** What both ends of a flow have agreed on outside. */
struct script {
    enum manner manner;
    uint64_t up, down; /* bytes altogether */
    uint32_t rounds;   /* MANNER_REQUEST */
    uint64_t salt;     /* of the pattern */
};

struct talker {
    struct tlsyn_handler handler;
    const struct script *script;
    const tlsyn_time *now;
    struct tlsyn_conn *conn; /* NULL: not yet, or no longer */
    struct tlsyn_tls *tls;   /* NULL: plain */
    bool server;
    /* how */
    bool early, releases;
    enum refusal refusal;
    uint32_t read_limit;   /* bytes per tick; 0: all, at once */
    uint32_t write_limit;  /* the same */
    tlsyn_time read_every; /* of the ticks */
    /* what happened */
    uint64_t sent, received;
    bool busy, established, closing, ended, over, wrong, misled, refused;
    bool haunted; /* an event came after the last one */
    int error, ends;
    tlsyn_time tick;    /* the next one, or TLSYN_NEVER */
    tlsyn_time over_at; /* when the end was told */
};

void talker_init(struct talker *t, const struct script *script, const tlsyn_time *now, bool server);

/** Bytes that it is to say, altogether. */
uint64_t talker_says(const struct talker *t);

/** Its tick has come. */
void talker_tick(struct talker *t);

/** It breaks off; nothing more is heard of it. */
void talker_abort(struct talker *t);

#endif
