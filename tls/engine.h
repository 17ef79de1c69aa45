/*
 * engine.h: one TLS session: mbedTLS, driven by the events of a connection.
 *
 *     life.c    made and freed              hooks.c  what TCP tells us
 *     engine.c  the handshake               bio.c    records in and out of the rings
 *     early.c   data before its end         fail.c   why it failed
 *     stream.c  plaintext in and out        info.c   what the user asks
 *
 * Whoever works on a session brackets it with tls_enter() and tls_leave(): the user may free it
 * inside any of his events, and a failure is told to him when the outermost bracket closes, so no
 * function below has its session pulled away from under it.
 */
#ifndef TLSYN_TLS_ENGINE_H
#define TLSYN_TLS_ENGINE_H

#include <mbedtls/ssl.h>
#include <tlsyn/tls.h>

#include "again.h"
#include "bio.h"
#include "config.h"
#include "early.h"
#include "session.h"
#include "verify.h"

/** What the peer's direction has come to. */
enum tls_ending {
    TLS_OPEN,
    TLS_CLOSED,    /* close_notify */
    TLS_TRUNCATED, /* the stream ended without it (RFC 8446 6.1) */
};

/** Owned by whoever attached it; the config's allocator holds it. */
struct tlsyn_tls {
    struct tlsyn_handler handler; /* what the connection sees */
    struct tlsyn_handler *app;    /* the user's; NULL once he has freed the session */
    struct tlsyn_tls_config *config;
    struct tlsyn_conn *conn; /* NULL before on_open and when the connection is gone */
    mbedtls_ssl_context ssl;
    char *host;           /* the server's name, or NULL; owned */
    bool host_is_address; /* verified, but never sent (RFC 6066 3) ... */
    bool host_is_set;     /* ... and mbedTLS knows it by now */

    struct early early;
    struct again again; /* client */

    struct bio_meter in, out;
    bool starved;         /* mbedTLS asked for bytes that were not there */
    bool spoken;          /* something was sent since the peer was last read */
    uint32_t round_trips; /* how often it then answered, until the handshake was complete */
    size_t unsent; /* bytes of a sealed record that wait inside mbedTLS for room in the ring */

    bool established;     /* the handshake is complete ... */
    bool announced;       /* ... and the user knows it */
    bool closing;         /* tlsyn_tls_close() was called */
    bool notified;        /* close_notify was sealed */
    bool shut;            /* our direction of the connection was closed */
    bool read_wants_room; /* reading stopped because an answer (an alert) found no room */
    enum tls_ending ending;
    bool ending_told;
    uint64_t reads; /* reads that gave something, so that progress can be seen */

    bool chain_ours;                 /* client: we verify the chain, not mbedTLS (chain.h) */
    bool chain_settled;              /* and have done so; */
    bool chain_known;                /* it was known from before */
    bool fresh;                      /* client: no session is offered */
    bool certified;                  /* the server showed a certificate: a full handshake */
    int kept;                        /* client: sessions of this connection that the store got */
    struct session_offer offer;      /* client */
    enum tlsyn_tls_session found;    /* server: the kind of session that the client brought */
    struct identity_set *identities; /* server: of its handshake, while it is under way, or NULL */
    bool named;                      /* server: one of them fits the name asked for */
    uint8_t asked[32];               /* server: digest of the name asked for; zero: none */

    tlsyn_time turn; /* server: when its full handshake may begin; 0: it did not ask yet */
    int error;       /* sticky: the first failure */
    bool refused;    /* TCP was told of it, and tells us that the connection is closed */
    bool told;       /* on_closed has been raised, or must not be */
    int busy;        /* brackets open */
    bool orphan;     /* to be freed when the outermost closes and the connection is gone */
    bool released;   /* the same, but what was written still leaves */
    struct tlsyn_handler nobody; /* the user of a released session */

    tlsyn_time started, finished, first_byte;
    struct verify_finding finding;
    char sentence[512]; /* about `error` */
};

/* life.c */

/** Opens a bracket; mbedTLS now works on this session's behalf. */
void tls_enter(struct tlsyn_tls *tls);

/** Closes it. The outermost tells the user of a failure and frees an orphan: the session may be
 * gone afterwards. */
void tls_leave(struct tlsyn_tls *tls);

/** To be called after each return from the user's code: he may have worked on another session. */
void tls_use(struct tlsyn_tls *tls);

/** Whether bytes can be exchanged: neither failed, nor gone, nor freed. */
bool tls_is_alive(const struct tlsyn_tls *tls);

/* engine.c */

/** Runs the handshake until it wants bytes or room, or is complete. 0, or the sticky error. */
int tls_drive(struct tlsyn_tls *tls);

/** Tells the user what there is to tell: on_established, then on_data as long as there is
 * plaintext and he takes it. */
void tls_deliver(struct tlsyn_tls *tls);

/* fail.c */

/** The first failure, a code of mbedTLS's or of error.h, is kept, with its sentence; the peer gets
 * an alert unless `alerted`. */
void tls_fail(struct tlsyn_tls *tls, int code, bool alerted);

/* stream.c */

/** Opens records until plaintext is there; true if so. */
bool tls_pump(struct tlsyn_tls *tls);

/** Moves what waits inside mbedTLS into the ring, and early data that is to be written again. True
 * when nothing waits any more. */
bool tls_flush(struct tlsyn_tls *tls);

/** Goes on with a close that waited for room. */
void tls_close_goes_on(struct tlsyn_tls *tls);

/* hooks.c */

/** Does what can be done now: handshake, events, closing. */
void tls_go_on(struct tlsyn_tls *tls);

extern const struct tlsyn_conn_events tls_events;

#endif
