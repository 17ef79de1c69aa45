/*
 * support/bulk.h: users of connections for tests: one sends a pattern and closes, the other
 * checks what it gets.
 */
#ifndef TEST_SUPPORT_BULK_H
#define TEST_SUPPORT_BULK_H

#include <tlsyn/conn.h>

struct bulk {
    struct tlsyn_handler handler;
    struct tlsyn_acceptor acceptor; /* accepts into this object */
    struct tlsyn_conn *conn;        /* NULL once closed */
    uint64_t to_send, sent;         /* bytes of the pattern */
    uint64_t expected, received;
    uint32_t read_limit; /* bytes consumed per event at most; 0: all */
    uint8_t *lends;      /* all of the pattern: lent, in part; scribbled over once acknowledged */
    uint64_t acked;
    bool keep_open; /* don't close when everything is sent */
    bool early;     /* write from the handshake hooks already, and read there */
    int opens, syns, synacks, establisheds;
    int error;
    bool ended, finished; /* the peer's stream ended; on_closed came */
};

void bulk_init(struct bulk *b, uint64_t to_send, uint64_t expected);

/** The byte at offset i of every stream. */
uint8_t bulk_pattern(uint64_t i);

/** `len` bytes of every stream from offset `from` on: puts them down; or tells whether they are
 * there. */
void bulk_fill(uint8_t *bytes, size_t len, uint64_t from);
bool bulk_holds(const uint8_t *bytes, size_t len, uint64_t from);

#endif
