/*
 * fake_conn.h: two joined connections without a TCP between them, for tests of the TLS engine: the
 * functions of tlsyn/conn.h that an engine calls, over byte rings of any size, and a wire that
 * moves as few bytes at a time as the test wants.
 *
 * Nothing moves by itself: wire_open() makes the three-way handshake, wire_run() moves bytes and
 * raises events until both ends are still.
 */
#ifndef TLSYN_TESTS_FAKE_CONN_H
#define TLSYN_TESTS_FAKE_CONN_H

#include <tlsyn/conn.h>

/** How many bytes of each direction are kept in `heard`. */
#define WIRE_HEARD 131072

struct wire_ring {
    uint8_t *bytes;
    size_t size, start, len;
};

/* This program has its own idea of what a connection is. */
struct tlsyn_conn {
    struct wire *wire;
    struct tlsyn_conn *peer;
    struct tlsyn_handler *handler; /* NULL: released, or not accepted yet */
    struct wire_ring snd, rcv;
    bool established;
    bool fin_wanted, fin_sent; /* ours */
    bool fin_arrived;          /* the peer's */
    bool released;
    bool refused; /* by a handshake event: what was committed leaves, then RST */
    bool gone;    /* on_closed was raised, or a reset went */
    bool reset_arrived;
    int in_event;
    int aborted; /* what on_closed has to say after this event; 0: nothing */
    int resets_sent;
    int closed_events;
    tlsyn_time wake; /* of tlsyn_conn_wake(); 0: never asked for */
};

struct tlsyn_stack {
    tlsyn_time now;
    uint64_t counter[TLSYN_COUNTERS];
};

struct wire {
    struct tlsyn_stack stack;
    struct tlsyn_conn end[2]; /* the client, the server */
    size_t chunk;             /* bytes per segment */
    size_t syn_room;          /* bytes that the SYN may carry; 0: sequential */
    size_t synack_room;
    bool strangers; /* nobody has a cookie */
    bool pad;       /* SYN and SYN-ACK text padded to 1024 bytes (TLSYN_LEVEL_PAPER) */
    size_t syn_text, synack_text, ack_text; /* bytes that rode there */
    uint64_t moved[2];                      /* bytes that went from end 0, from end 1 */
    bool flip;                              /* one byte is damaged on the way: */
    int flip_from;                          /* of those that this end sends, */
    uint64_t flip_at;                       /* the one at this offset, */
    uint8_t flip_bits;                      /* in these bits */
    uint8_t *heard[2];                      /* the first bytes that went from end 0, from end 1 */
    size_t heard_len[2];
};

/** Rings of `ring` bytes, whole flights in SYN and SYN-ACK. */
void wire_init(struct wire *w, size_t ring, size_t chunk);

/** Frees the rings; raises on_closed(-ECONNABORTED) where a connection still lives. */
void wire_fini(struct wire *w);

/** The open, up to and with the client's ACK. `client` is the client's handler; `acceptor` gives
 * the server's. What on_open returned, if negative. */
int wire_open(struct wire *w, struct tlsyn_handler *client, struct tlsyn_acceptor *acceptor);

/** Moves a chunk in each direction. False: nothing moved. */
bool wire_step(struct wire *w);

/** Moves bytes until nothing moves. */
void wire_run(struct wire *w);

/** Bytes put into the server's receive ring from nowhere, before its on_syn (if `embedded`), else
 * on_data. */
void wire_inject(struct wire *w, int to, const void *bytes, size_t n);

/** n bytes of this end were acknowledged: its on_acked. */
void wire_acked(struct tlsyn_conn *c, size_t n);

/** The peer's FIN from nowhere. */
void wire_inject_fin(struct wire *w, int to);

#endif
