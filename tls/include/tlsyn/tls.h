/*
 * tlsyn/tls.h: the TLS engine: mbedTLS driven by the hooks of a connection (tlsyn/conn.h). TLS 1.2
 * (RFC 5246) and 1.3 (RFC 8446).
 *
 *     tlsyn_tls_config_new -> set up -> { tlsyn_tls_attach per connection } ->
 *     tlsyn_tls_config_free
 *
 * tlsyn_tls_attach() puts a session between a connection and its user. The user's handler gets the
 * same events as on a plain connection, with the plaintext read and written through
 * tlsyn_tls_read() and tlsyn_tls_write():
 *
 *     on_open (client, before the ClientHello), on_established (handshake complete), on_data
 *     (plaintext is readable, or the peer's stream came to its end: tlsyn_tls_read() says which),
 *     on_acked (room again), on_closed (-EPROTO: TLS failed; the sentence is in tlsyn_tls_error()).
 *
 * on_established of a client is raised inside the connection's on_synack where the handshake allows
 * it (TLS 1.3): what the user writes there rides in the ACK together with the client's Finished.
 * on_established comes once, and before any on_data. on_data is raised again as long as the user
 * reads and there is more; one who leaves plaintext where it is gets no further event for it and
 * may read at any time.
 *
 * Early data. What a client writes inside on_open goes into the SYN behind its ClientHello, where
 * session and server allow it; else the write says -EAGAIN. In on_established tlsyn_tls_info() says
 * whether it was accepted. If it was rejected it is gone: write it again, or not, for what was safe
 * to write early may have been written for another protocol (ALPN). A server reads it in
 * on_data, before on_established, and what it writes there leaves with its first flight; early
 * data that it does not read holds the handshake up. Until
 * on_established, tlsyn_tls_is_early() says true: the client may be somebody who repeats
 * another's bytes.
 *
 * A session that fails tells its peer with an alert, lets the connection go (behind the alert comes
 * RST where a handshake event refused, else FIN), and raises on_closed with the error.
 * tlsyn_tls_free() may be called inside any event.
 *
 * The engine reads no clock, opens no file and keeps no globals but mbedTLS's own (tls/platform.c);
 * time is the stack's, which tlsyn_tls_config_new() binds to a wall clock reading for the validity
 * of certificates. The stack's time stands still during a call: to measure a handshake with the
 * computing in it, read a clock of your own in on_established. Certificates come as bytes, PEM or
 * DER.
 *
 * A config and its sessions belong to one thread at a time.
 *
 * Returning clients: a server with `tickets` or `sessions` in its options, and a client with a
 * `store` or with `sessions`, spare themselves certificate and signature when they meet again:
 * by session ID or ticket in TLS 1.2, by a pre-shared key in TLS 1.3 (always with a fresh key
 * exchange). What the client offers is in its ClientHello, and so rides in the SYN. A server that
 * does not take it goes on with a full handshake.
 *
 * Not spoken, for mbedTLS 3.6 does not: KeyUpdate (a peer that sends it ends the session), RSA-PSS
 * signatures in TLS 1.2, post-handshake client authentication. Not offered: renegotiation,
 * compression, client certificates.
 *
 * Errors are negative errno values; -EPROTO stands for all that TLS itself refuses.
 */
#ifndef TLSYN_TLS_H
#define TLSYN_TLS_H

#include <tlsyn/conn.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Size of the buffers that take a sentence. */
#define TLSYN_TLS_MESSAGE 256

struct tlsyn_tls;
struct tlsyn_tls_config;

enum tlsyn_tls_role { TLSYN_TLS_CLIENT, TLSYN_TLS_SERVER };

/** Which protocol and key exchange a session may use. */
enum tlsyn_tls_suite {
    /* the best that both ends have: 1.3, else 1.2 with ECDHE; never RSA key exchange */
    TLSYN_TLS_ANY = 0,
    TLSYN_TLS_12_RSA, /* TLS 1.2, RSA key exchange (the paper's; no forward secrecy) */
    TLSYN_TLS_12_ECDHE,
    TLSYN_TLS_13,
};

/** Gets key log lines (SSLKEYLOGFILE format, without newline) as secrets come to be. */
struct tlsyn_tls_keylog {
    void (*line)(struct tlsyn_tls_keylog *, const char *line);
};

/** How a session came to be. */
enum tlsyn_tls_session {
    TLSYN_TLS_NEW = 0, /* a full handshake */
    TLSYN_TLS_ID,      /* TLS 1.2, session ID: the server kept it */
    TLSYN_TLS_TICKET,  /* TLS 1.2, ticket: the client kept it for the server */
    TLSYN_TLS_PSK,     /* TLS 1.3, pre-shared key from a ticket */
};

/** "new", "id", "ticket", "psk". */
const char *tlsyn_tls_session_name(enum tlsyn_tls_session session);

/** How a store is to keep something. */
struct tlsyn_tls_entry {
    int64_t until; /* seconds since 1970; not given out afterwards */
    bool once;     /* given out once */
};

/** Where a client's sessions wait for the next visit: a table of calls. A key is text of printable
 * characters without a space, less than 320 bytes long; what is kept under it are at most 4096
 * bytes. These are secrets: who reads them can impersonate the server to this client and read what
 * TLS 1.2 said. They are checked when they come back, so that a store that lost or damaged some
 * costs no more than a full handshake; but who can write them must be trusted. Called inside the
 * connection's events. */
struct tlsyn_tls_store;

struct tlsyn_tls_store_ops {
    /** The newest that is there under this key and good at `now` (seconds since 1970), into
     * `bytes`; its length, or 0. What was kept `once` leaves the store. */
    size_t (*find)(struct tlsyn_tls_store *, const char *key, int64_t now, void *bytes,
                   size_t size);
    /** Adds; several are kept under one key. */
    void (*keep)(struct tlsyn_tls_store *, const char *key, const void *bytes, size_t len,
                 const struct tlsyn_tls_entry *entry);
    /** The server refused this one. */
    void (*drop)(struct tlsyn_tls_store *, const char *key, const void *bytes, size_t len);
};

struct tlsyn_tls_store {
    const struct tlsyn_tls_store_ops *ops;
};

/** Defaults of tlsyn_tls_options: seconds of `session_lifetime`; `early_entries`;
 * `handshakes_per_second`, which is about what a core of today has time for. */
#define TLSYN_TLS_SESSION_LIFETIME 7200
#define TLSYN_TLS_EARLY_ENTRIES    8192
#define TLSYN_TLS_HANDSHAKES       1000

/** A server's session whose handshake takes longer fails (-ETIMEDOUT). A client's user knows how
 * long he is ready to wait. */
#define TLSYN_TLS_HANDSHAKE_TIME TLSYN_SECONDS(60)

struct tlsyn_tls_options {
    enum tlsyn_tls_role role;
    enum tlsyn_tls_suite suite;
    /** Client: take any certificate. Verification is on by default. */
    bool insecure;
    /** Laboratory, both roles: skip zero bytes where a record would start (TLSYN_LEVEL_PAPER's
     * padding). */
    bool paper;
    /** NULL-terminated, in order of preference; the strings live as long as the config. NULL:
     * none. */
    const char *const *alpn;

    /** Client: a ClientHello some 450 bytes longer, by ALPN names that nobody speaks behind those
     * of `alpn`; without `alpn` it has no effect. Before a server has validated our address it
     * sends three times what it got, so a larger SYN lets the whole flight come back at once
     * (docs/HANDSHAKE.md). */
    bool pad_hello;
    /** Early data (RFC 8446 2.3), of TLS 1.3. Client: any but 0 lets it be written, where the
     * server's ticket allows it. Server: how many bytes of it a client may write; 0: none. A
     * server that allows it gets on_data before on_established, and sees to it that what it does
     * then may be done twice: its config refuses what it has seen before, but an attacker may
     * keep the first copy from arriving, and a client that hears nothing sends its request again,
     * not early (RFC 8446 8, RFC 8470). Needs `tickets`. */
    uint32_t early_data;
    /** Server: how many sessions with early data are remembered for 12 seconds each, after which a
     * replay is refused as too old; more than that in this time are refused. 0:
     * TLSYN_TLS_EARLY_ENTRIES. */
    uint32_t early_entries;
    /** Server: how many tickets follow a full handshake of TLS 1.3 (one follows a resumed one, and
     * one in TLS 1.2); they cost no round trip. At most 65535; 0: no tickets. The key that seals
     * them is the config's own, and replaced after each `session_lifetime`. */
    uint32_t tickets;
    /** Server: how many sessions of TLS 1.2 are kept under their session IDs; the oldest leaves. A
     * client that takes tickets gets a ticket instead, if `tickets` is not 0. Client without a
     * `store`: how many are kept in the config's own memory. 0: none. */
    uint32_t sessions;
    /** Server: seconds; at most seven days (RFC 8446 4.6.1). 0: TLSYN_TLS_SESSION_LIFETIME. */
    uint32_t session_lifetime;
    /** Client: takes no tickets of TLS 1.2, so that servers that have both give a session ID. */
    bool no_tickets;
    /** Client: where sessions wait, or NULL; lives as long as the config. */
    struct tlsyn_tls_store *store;
    /** Server: full handshakes begun per second in the long run, each with a signature or a
     * decryption; sessions beyond that wait for their turn, and one whose turn would be ten seconds
     * away fails (-EBUSY). While half of those that may begin at once have begun, a ClientHello in
     * a SYN without a cookie waits until its sender has answered the SYN-ACK
     * (TLSYN_COUNT_tcp_admit_engine_busy). Sessions that resume need no turn. 0:
     * TLSYN_TLS_HANDSHAKES. */
    uint32_t handshakes_per_second;
    /** Client: remembers which chains of certificates verified, so that the same chain for the same
     * name need not be verified again while it is valid; NULL: each is verified. May be the same as
     * `store`. Whoever can write there can have any certificate taken for verified. */
    struct tlsyn_tls_store *chains;
    /** Or NULL; lives as long as the config. */
    struct tlsyn_tls_keylog *keylog;
    /** Seconds since 1970 at the stack's time `wall_at`; a client that verifies needs it. Where
     * sessions are kept from process to process, `wall_at` is better exact to the millisecond. */
    int64_t wall_clock;
    tlsyn_time wall_at;
    /** Lives as long as the config; NULL: the kernel's. */
    struct tlsyn_random *random;
    /** For the config and its sessions, lives as long; NULL: libc's. mbedTLS's own memory comes
     * from its platform layer. */
    struct tlsyn_alloc *alloc;
};

/** 0, -ENOMEM, -EINVAL, -EPROTO; then with a sentence in `message` (TLSYN_TLS_MESSAGE bytes, may
 * be NULL). */
int tlsyn_tls_config_new(const struct tlsyn_tls_options *options, struct tlsyn_tls_config **config,
                         char *message);

/** After the last session. NULL is allowed. */
void tlsyn_tls_config_free(struct tlsyn_tls_config *config);

/** What became of the handshakes of a config. */
struct tlsyn_tls_counters {
    uint64_t handshakes[4];   /* complete, by enum tlsyn_tls_session */
    uint64_t refused;         /* client: sessions offered, and not taken */
    uint64_t kept;            /* client: sessions that the store got */
    uint64_t chains_known;    /* client with `chains`: certificates that need not be verified */
    uint64_t chains_verified; /* client with `chains`: and those that were */
    uint64_t tickets_sent;    /* server */
    uint64_t tickets_expired; /* server: brought too late */
    uint64_t tickets_foreign; /* server: of another key, altered, or of another name or version */
    uint64_t ids_unknown;     /* server: session IDs that were not there (any more) */
    uint64_t ids_expired;     /* server: there, but too old */
    uint32_t sessions;        /* server: kept by ID now */
    uint64_t evicted;         /* server: of those, left before their time */
    uint64_t waited;          /* server: full handshakes that waited for their turn */
    uint64_t too_many;        /* server: of which too many waited */
};

void tlsyn_tls_config_counters(const struct tlsyn_tls_config *config,
                               struct tlsyn_tls_counters *counters);

/** Certificate chain (leaf first) and its private key, PEM (NUL not needed) or DER; copied.
 * Several calls give several identities: a server picks by the name that the client asks for
 * (SNI) where one matches, and one that the suite can use (RSA key exchange needs an RSA key).
 * 0, -ENOMEM, -EPROTO with a sentence. */
int tlsyn_tls_config_identity(struct tlsyn_tls_config *config, const void *chain, size_t chain_len,
                              const void *key, size_t key_len, char *message);

/** The same in place of all that were given before, while the config is in use, for instance when
 * a certificate was renewed: sessions that begin from now on have this one. A handshake under way
 * ends with what it began with; tickets and sessions stay good. What fails changes nothing. */
int tlsyn_tls_config_replace(struct tlsyn_tls_config *config, const void *chain, size_t chain_len,
                             const void *key, size_t key_len, char *message);

/** Trusted certificates, added to those that are there; copied. Returns how many were taken (some
 * in a bundle may be of kinds mbedTLS does not read), -ENOMEM, or -EPROTO if none, with a
 * sentence. To be called before the first session. */
int tlsyn_tls_config_trust(struct tlsyn_tls_config *config, const void *certificates, size_t len,
                           char *message);

/** Attaches a session to a connection, as its handler; to be called in tlsyn_acceptor.accept
 * (server; returns the handler through tlsyn_tls_handler()), or before tlsyn_conn_open() with conn
 * NULL (client): then pass tlsyn_tls_handler() to tlsyn_conn_open(). `server_name` (client) is a
 * host name, sent as SNI and verified, or an address as text, verified only; copied. NULL: none
 * sent, and only insecure sessions accept: -EINVAL. The session is the caller's; it is freed
 * with tlsyn_tls_free(), for instance in on_closed, or after tlsyn_conn_open() refused. 0,
 * -ENOMEM, -EINVAL. */
int tlsyn_tls_attach(struct tlsyn_tls_config *config, struct tlsyn_conn *conn,
                     const char *server_name, struct tlsyn_handler *app, struct tlsyn_tls **tls);

struct tlsyn_handler *tlsyn_tls_handler(struct tlsyn_tls *tls);

/** If the connection still lives it is aborted, and the user hears no more of it. May be called
 * inside the session's own events. NULL is allowed. */
void tlsyn_tls_free(struct tlsyn_tls *tls);

/** Client, before the connection is opened: a full handshake, whatever the store has. What comes
 * of it is kept all the same. */
void tlsyn_tls_be_new(struct tlsyn_tls *tls);

/** The user loses interest: no event will come, and the session frees itself. What was written
 * still leaves, with close_notify behind it, as tlsyn_conn_release() says of the connection; where
 * there is unread plaintext, or no handshake yet, it is aborted. NULL is allowed. */
void tlsyn_tls_release(struct tlsyn_tls *tls);

/** Plaintext, at most one record of it, n > 0. The count; 0 at the end of the peer's stream
 * (close_notify); -EAGAIN nothing now; -ECONNRESET the stream ended without close_notify
 * (truncated); -EPROTO: a record could not be opened, and on_closed comes, within this call if
 * it is made outside the session's events. */
ssize_t tlsyn_tls_read(struct tlsyn_tls *tls, void *bytes, size_t n);

/** Plaintext of the record at hand, opening the next one if there is none: what tlsyn_tls_read()
 * would give at once. At least 1 if it would not say -EAGAIN but something else. May raise
 * on_closed, as tlsyn_tls_read(). */
size_t tlsyn_tls_pending(struct tlsyn_tls *tls);

/** As much as there is room for: the count, -EAGAIN none (wait for on_acked or on_established),
 * -EPIPE after close, -EPROTO. Records are sealed at once; one may wait inside for room in the
 * ring. */
ssize_t tlsyn_tls_write(struct tlsyn_tls *tls, const void *bytes, size_t n);

/** close_notify, then the connection's close, as soon as what was written has found room. Reading
 * goes on. Before the handshake is complete: abort. on_closed comes when the peer has closed,
 * too. */
void tlsyn_tls_close(struct tlsyn_tls *tls);

/** Server: the handshake is not complete, and what was read so far came as early data. */
bool tlsyn_tls_is_early(const struct tlsyn_tls *tls);

/** What became of early data. */
enum tlsyn_tls_early {
    TLSYN_TLS_EARLY_NONE, /* there was none; or it is not known yet */
    TLSYN_TLS_EARLY_ACCEPTED,
    TLSYN_TLS_EARLY_REJECTED,
};

struct tlsyn_tls_info {
    const char *version;     /* "TLSv1.3", or NULL before on_established or early data */
    const char *ciphersuite; /* its IANA name, or NULL */
    const char *alpn;        /* or NULL */
    bool established;
    enum tlsyn_tls_session session; /* NEW until on_established or early data */
    bool chain_known;               /* its chain had verified before, and was not verified again */
    enum tlsyn_tls_session offered; /* client: what its hello offered; if `session` is NEW then,
                                       the server did not take it */
    bool verified;         /* the peer's chain was verified, now or when the session was new */
    tlsyn_time started;    /* ClientHello written, or its first bytes read */
    tlsyn_time finished;   /* the peer's Finished was verified (RFC 5246 7.4.9, RFC 8446 4.4.4) */
    tlsyn_time first_byte; /* first plaintext byte read by the engine; 0: none yet */
    uint32_t hello_bytes;  /* ClientHello record, with its header */
    uint64_t records_in, records_out;
    uint32_t round_trips; /* client: how often the handshake had to wait for the server; TCP's own
                             round trip, where it was not embedded, comes on top */
    enum tlsyn_tls_early early;
    uint64_t early_bytes; /* of plaintext: written (client), read (server) */
};

void tlsyn_tls_info(const struct tlsyn_tls *tls, struct tlsyn_tls_info *info);

/** What went wrong, as a sentence with the remedy where there is one; "" if nothing did. Lives as
 * long as the session. */
const char *tlsyn_tls_error(const struct tlsyn_tls *tls);

/** The peer's leaf certificate as text (subject, issuer, names, validity), into `text`; the
 * length, or -ENODATA: a resumed session has none. */
int tlsyn_tls_peer(const struct tlsyn_tls *tls, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
