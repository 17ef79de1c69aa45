/*
 * fuzz/stack_input.h: the parts of fuzz_stack_input: the stack and its operations
 * (fuzz_stack_input.c), its users (stack_input_users.c), their options (stack_input_settings.c),
 * and what the peer sends (stack_input_peer.c). All of them take their decisions from one input.
 */
#ifndef TEST_FUZZ_STACK_INPUT_H
#define TEST_FUZZ_STACK_INPUT_H

#include "support/bed.h"
#include "support/must.h"
#include "tcp/conn.h"
#include "wire/bytes.h"

#define USERS      6
#define PORT       443
#define RING_SMALL 8192u

struct player {
    struct tlsyn_handler handler;
    struct fuzz *fuzz;
    struct tlsyn_conn *conn;
    bool busy;    /* has a connection, and is owed on_closed */
    bool refused; /* there was no memory for what it had to say */
};

struct fuzz {
    struct reader input;
    struct bed bed;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct tcp *tcp;
    struct tlsyn_conn_options options; /* of connections to come */
    bool ip6;                          /* what comes from the peer, and where we connect to */
    bool lies;
    uint8_t lie_at, lie;
    struct player player[USERS];
};

/* --- users ------------------------------------------------------------------------------------ */

void players_init(struct fuzz *f);

/** One that has no connection, or NULL. */
struct player *players_idle(struct fuzz *f);

void player_writes(struct player *p, uint16_t n);
void player_reads(struct player *p, size_t n);

/** Closes, aborts, releases, or nothing. */
void player_acts(struct player *p, uint8_t what);

/** Other options from the input: of one connection, or of those to come. */
void settings_change(struct fuzz *f);

/* --- the peer: each reads what it needs from the input ---------------------------------------- */

void segment_arrives(struct fuzz *f);
void syn_arrives(struct fuzz *f);
void icmp_arrives(struct fuzz *f);
void frame_arrives(struct fuzz *f);

#endif
