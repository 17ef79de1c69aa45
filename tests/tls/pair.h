/*
 * pair.h: a TLS client and a TLS server with simple users, joined by a fake wire.
 */
#ifndef TLSYN_TESTS_PAIR_H
#define TLSYN_TESTS_PAIR_H

#include <tlsyn/tls.h>

#include "certs.h"
#include "core/random.h"
#include "fake_conn.h"

/** Writes `out`, reads all that comes, then closes if told to. */
struct user {
    struct tlsyn_handler handler;
    struct tlsyn_tls *tls; /* NULL once freed, which on_closed does */
    const uint8_t *out;
    size_t out_len, out_done;
    uint8_t *in;
    size_t in_len, in_size;
    size_t read_size; /* bytes per read; 0: 16384 */
    bool close_when_sent;
    bool close_when_ended;
    bool keep;         /* on_closed frees nothing */
    bool free_on_data; /* frees the session inside on_data */
    bool paused;       /* reads nothing */
    bool early;        /* client: writes `out` as early data */
    bool ticket_lies;  /* ... of which the ticket seems to allow more */
    bool takes_early;  /* server: on_data may come before on_established */
    size_t early_len;  /* of `in`, what came early */
    int refuse_open;   /* what on_open returns */
    int opened, established, data_events, closed;
    int closed_error;
    ssize_t last_read;          /* what ended the last reading */
    struct tlsyn_tls_info info; /* taken in on_established and on_closed */
    char error[512];            /* taken in on_closed */
    size_t established_at_text; /* bytes in the send ring when on_established was entered */
};

struct acceptor {
    struct tlsyn_acceptor base;
    struct tlsyn_tls_config *config;
    struct user *user;
    int accepted;
};

/** Collects key log lines. */
struct lines {
    struct tlsyn_tls_keylog base;
    char line[16][256];
    int n;
};

/** What differs from test to test; all zero is a client that trusts the CA and connects to
 * localhost, a server with an RSA and a P-256 certificate, whole flights in SYN and SYN-ACK. */
struct setup {
    enum tlsyn_tls_suite suite, server_suite; /* server_suite 0: as suite */
    size_t ring, chunk;                       /* 0: 65536 */
    bool sequential;
    size_t synack_room; /* 0: all */
    bool paper;
    bool insecure;
    const char *host;  /* NULL: localhost; "": none */
    const char *trust; /* NULL: the CA */
    bool no_trust;
    const struct certs_pair *identity[3]; /* none: rsa and ec */
    bool no_identity;
    const char *const *client_alpn, *const *server_alpn;
    bool keylog;
    uint32_t early_data, early_entries; /* of both ends */
    bool no_server_early;
    int64_t wall;                                                 /* 0: CERTS_NOW */
    uint32_t client_sessions, server_sessions, tickets, lifetime; /* as in tlsyn_tls_options */
    bool no_tickets;
    struct tlsyn_tls_store *store, *chains;
};

struct pair {
    struct wire wire;
    struct random_seeded random;
    struct tlsyn_tls_config *client_config, *server_config;
    struct acceptor acceptor;
    struct user client, server;
    struct lines client_lines, server_lines;
};

/** Aborts the test if anything cannot be made. */
void pair_init(struct pair *p, const struct setup *setup);

/** Opens and runs until all is still. What wire_open() returned. */
int pair_run(struct pair *p);

/** The client comes back: two new sessions of the same configs, over another connection. A host of
 * NULL is localhost. */
void pair_again(struct pair *p, const char *host);

/** The server has started anew, and forgotten all. No session of it lives. */
void pair_restart_server(struct pair *p, const struct setup *setup);

/** The client has started anew; what it had in a store is still there. */
void pair_restart_client(struct pair *p, const struct setup *setup);

void pair_fini(struct pair *p);

/** A user alone, for tests that bring the peer themselves. */
void user_init(struct user *u);
void user_fini(struct user *u);

/** n bytes that are told from any other n bytes by `seed`; the caller frees them. */
uint8_t *pattern(size_t n, uint64_t seed);

#endif
