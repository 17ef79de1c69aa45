/*
 * tlsyn/conn.h: TCP for its users: opening, the hooks of the three-way handshake, bytes in and out,
 * closing. RFC 9293, with the payload of RFC 7413 in SYN and SYN-ACK.
 *
 * A connection's user is a `tlsyn_handler`, embedded in the user's own object: its events arrive
 * there. Bytes are read from and written into the connection's rings in place:
 *
 *     peek a view of what arrived, consume what was read;  reserve a view of room, fill it, commit.
 *
 * A view is good until the next call of its kind on the connection, or the next one that moves the
 * stack.
 *
 * Life of a connection
 *
 *     tlsyn_conn_open -> on_open --(SYN)--> on_synack ---+
 *                                                        +-> on_established -> on_data, on_acked,
 *     tlsyn_listener_open -> accept -> on_syn -(SYN-ACK)-+                     ... -> on_closed
 *
 * The three handshake events come before TCP builds the segment that answers, so what they write
 * rides in it: on_open's bytes in the SYN (if the connect options ask for an embedded open),
 * on_syn's in the SYN-ACK, on_synack's in the ACK. If the peer acknowledges only the SYN, the bytes
 * are still in the send ring and follow as ordinary text.
 *
 * Ownership: the stack owns the connection; the pointer is good until on_closed has returned (or
 * the call that refused it). Every call here may be made inside any event. Nothing is sent before
 * tlsyn_stack_output().
 */
#ifndef TLSYN_CONN_H
#define TLSYN_CONN_H

#include <tlsyn/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_conn;
struct tlsyn_listener;
struct tlsyn_handler;

struct tlsyn_conn_events {
    /** Active open, before the SYN is built. Negative refuses: tlsyn_conn_open() returns it. */
    int (*on_open)(struct tlsyn_handler *, struct tlsyn_conn *);
    /** Passive open: the SYN's payload was admitted and is readable. What is written rides in the
     * SYN-ACK and right behind it. Not called when the SYN carried nothing or its payload was not
     * admitted. -EAGAIN, with nothing written: the answer would cost too much now; the SYN alone is
     * acknowledged, and the payload comes again, from its beginning. Other negative values refuse:
     * what was written (an alert, say) leaves, as far as one segment takes it, then RST; on_closed
     * comes before this input returns. */
    int (*on_syn)(struct tlsyn_handler *, struct tlsyn_conn *);
    /** Active open: a valid SYN-ACK arrived; its text, if any, is readable. What is written rides
     * in the ACK. Negative refuses, as in on_syn. */
    int (*on_synack)(struct tlsyn_handler *, struct tlsyn_conn *);
    /** Ready for the user's bytes, both ways. On a plain connection: ESTABLISHED was entered.
     * Behind an engine: its handshake is complete. */
    void (*on_established)(struct tlsyn_handler *, struct tlsyn_conn *);
    /** More to peek, or the end of the peer's stream (tlsyn_conn_ended()). Not before
     * on_established on a plain one. */
    void (*on_data)(struct tlsyn_handler *, struct tlsyn_conn *);
    /** n bytes were acknowledged: there is room to reserve. 0: our FIN was, and the peer's
     * direction is still open; or memory was refused, and may be had now. */
    void (*on_acked)(struct tlsyn_handler *, struct tlsyn_conn *, size_t n);
    /** Some of the peer's text is urgent: how far, tlsyn_conn_info() says (rcv_urgent); the bytes
     * arrive at their place in the stream, on_data as ever. `before`: what was left of urgent text
     * before the pointer moved. */
    void (*on_urgent)(struct tlsyn_handler *, struct tlsyn_conn *, size_t before);
    /** Something is amiss on the way, and the connection goes on: what an ICMP error said
     * (-ENETUNREACH and the like; RFC 9293 3.9.2.2), or -ETIMEDOUT: text or SYN were sent three
     * times without an answer (R1, 3.8.3). Leave it unset to ignore them. */
    void (*on_trouble)(struct tlsyn_handler *, struct tlsyn_conn *,
                       int error); /* MUST-47, SHLD-20 */
    /** The last call. 0: both directions ended in order; else what went wrong first, as a negative
     * errno: -ECONNREFUSED, -ECONNRESET, -ETIMEDOUT, -EHOSTUNREACH, -ENETUNREACH, -ECONNABORTED,
     * -ENOMEM, or what refused or aborted it. -EAGAIN: after an embedded open nothing got through;
     * the path is remembered as one that does not carry it, and the next open is sequential.
     * Nothing beyond the SYN was acknowledged; what was read belongs to the peer's first
     * flight. */
    void (*on_closed)(struct tlsyn_handler *, struct tlsyn_conn *, int error);
};

/** Unset events are skipped. */
struct tlsyn_handler {
    const struct tlsyn_conn_events *events;
};

/* --- opening ---------------------------------------------------------------------------------- */

/** What the SYN may carry. The words are those of docs/HANDSHAKE.md. */
enum tlsyn_level {
    TLSYN_LEVEL_NONE = 0, /* nothing: the sequential handshake */
    TLSYN_LEVEL_OPEN,     /* empty Fast Open option, payload */
    TLSYN_LEVEL_COOKIE,   /* the peer's cookie if we hold one and payload; else as OPEN */
    TLSYN_LEVEL_PAPER, /* payload padded with zeros to 1024 bytes and no option; laboratory only */
    /** As a client of RFC 7413 does: payload with the peer's cookie if we hold one, else the wish
     * for a cookie and no payload. */
    TLSYN_LEVEL_FASTOPEN,
};

/** Bytes that a PAPER SYN is padded to, and the bytes of TCP header and text from which a PAPER
 * listener takes it. */
#define TLSYN_PAPER_PAYLOAD 1024
#define TLSYN_PAPER_LENGTH  1044

/** Which explicit congestion notification a connection has agreed on. */
enum tlsyn_ecn {
    TLSYN_ECN_NONE,
    TLSYN_ECN_CLASSIC,  /* RFC 3168 */
    TLSYN_ECN_ACCURATE, /* RFC 9768 */
};

/** All zero: the defaults. Those marked * may be changed later by tlsyn_conn_set_options(). */
struct tlsyn_conn_options {
    bool nagle; /* * RFC 9293 3.7.4; off unless asked for: whole flights are written at once */
    bool cork;  /* * less than a full segment waits for more, for 200 ms at most */
    bool more;  /* * what is written is not pushed: more follows (RFC 9293 3.9.1.2, MAY-15) */
    bool no_timestamps;
    bool no_sack;
    bool no_window_scale;
    bool ecn;         /* active: the SYN asks for ECN; a peer that asks gets it (RFC 9768, 3168) */
    bool ecn_classic; /* ... for that of RFC 3168 alone, where a path drops the SYN of RFC 9768 */
    bool no_delack;   /* * acknowledge every segment at once */
    /* * Keep-alive (RFC 9293 3.8.4): a peer that was silent for keep_idle is probed every
     * keep_interval, and given up (-ETIMEDOUT) when keep_count probes in a row were not answered.
     * Where user_timeout is given it replaces keep_count: given up when silent for so long, and
     * after one probe at least. */
    bool keepalive;
    uint8_t keep_count;       /* 0: 9 */
    tlsyn_time keep_idle;     /* 0: 7200 s; in whole milliseconds, as keep_interval */
    tlsyn_time keep_interval; /* 0: 75 s */
    uint16_t mss_max;         /* 0: from the MTU */
    /* * Bytes of send and of receive buffer. 0: 64 KiB at first, more as the path takes more, at
     * most limits.snd_ring_max and limits.rcv_ring_max, which bound what is asked for too. */
    uint32_t snd_ring, rcv_ring;
    /* * Text that nobody acknowledges ends the connection after this; 0: from the limits. Ours
     * alone: the option of RFC 5482, which tells the peer of it, is neither sent nor heeded. */
    tlsyn_time user_timeout;
    tlsyn_time fin_timeout; /* * of a released connection whose peer does not close; 0: 60 s */
    uint8_t tos;            /* * of IPv4, traffic class of IPv6; the ECN field is not looked at */
    uint8_t ttl;            /* * hop limit; 0: 64 */
    tlsyn_time syn_timeout; /* 0: from the limits */
    /* Congestion controller: "cubic" (the default, for NULL), "newreno", "bbr"; others: -EINVAL */
    const char *controller;
    /* * The most bytes of text per second, below 4 GiB; 0: no such bound */
    uint64_t pacing_rate_max;
    /* * Text leaves as soon as cwnd allows, as with Linux's default queueing discipline; still
     * paced by pacing_rate_max, and by a controller that has a rate of its own (bbr). */
    bool no_pacing;
};

struct tlsyn_connect_options {
    struct tlsyn_endpoint remote;
    struct tlsyn_endpoint local; /* unspecified address, port 0: chosen (RFC 6056) */
    /* All zero: straight (RFC 9293 3.9.2.1). The peer answers by the way back, which is taken where
     * limits.source_routes says so. */
    struct tlsyn_source_route via;
    enum tlsyn_level level;
    struct tlsyn_conn_options conn;
};

/** The source route in IPv4 options as IP_OPTIONS takes them (ip(7)): all of its hops are ahead. 0;
 * -EINVAL: there is none, or an impossible one. */
int tlsyn_source_route_read(const uint8_t *options, size_t len, struct tlsyn_source_route *route);

/** Active open (RFC 9293 3.9.1.1). on_open is called within. `conn` may be NULL. -EADDRINUSE,
 * -EADDRNOTAVAIL, -EAFNOSUPPORT (`local` is of the other family), -ENETUNREACH, -ENOMEM, -ENOBUFS
 * (a limit), -EINVAL, or what on_open returned; then there is no connection and on_closed is not
 * called. */
int tlsyn_conn_open(struct tlsyn_stack *stack, const struct tlsyn_connect_options *options,
                    struct tlsyn_handler *handler, struct tlsyn_conn **conn);

/** In on_open: how many of the first bytes may ride in the SYN; 0 if none may. */
uint32_t tlsyn_conn_syn_room(const struct tlsyn_conn *conn);

/** Whether we hold a Fast Open cookie of this peer's. */
bool tlsyn_has_cookie(struct tlsyn_stack *stack, const struct tlsyn_addr *peer);

/** Makes a handler for each connection that a listener opens. */
struct tlsyn_acceptor {
    /** Called once per connection: before on_syn if its SYN's payload was admitted, else when it
     * becomes ESTABLISHED. NULL refuses it (RST). */
    struct tlsyn_handler *(*accept)(struct tlsyn_acceptor *, struct tlsyn_conn *);
};

/** Octets of a key of Fast Open cookies, and how many keys a listener has at most. */
#define TLSYN_COOKIE_KEY      16
#define TLSYN_COOKIE_KEYS_MAX 2

struct tlsyn_listen_options {
    /** Unspecified address: any of ours, of IPv4 alone if it is ::ffff:0.0.0.0. */
    struct tlsyn_endpoint local;
    bool only_ip6; /* an unspecified local address stands for IPv6 addresses alone */
    /** Other listeners with `shared` may be at the same endpoint. Which of them gets a connection
     * follows from a hash of its addresses and ports, as with Linux's SO_REUSEPORT. */
    bool shared;
    bool open;    /* admit the payload of a SYN with an empty Fast Open option */
    bool cookies; /* give Fast Open cookies and admit payload with a valid one */
    bool paper;   /* admit by length, and pad the SYN-ACK's text likewise; laboratory only */
    /* Keys of the cookies: the first makes them, by either they are known again. They are those
     * that Linux makes with the same tcp_fastopen_key: so servers behind one address know each
     * other's, and it is theirs to change keys from time to time (RFC 7413 5). None: a secret of
     * the stack's own, and a cookie is good for an hour or two. */
    uint8_t cookie_keys;
    uint8_t cookie_key[TLSYN_COOKIE_KEYS_MAX][TLSYN_COOKIE_KEY];
    struct tlsyn_conn_options conn;
};

/** Passive open. -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL, -ENOMEM, -ENOBUFS. The acceptor must
 * outlive the listener. */
int tlsyn_listener_open(struct tlsyn_stack *stack, const struct tlsyn_listen_options *options,
                        struct tlsyn_acceptor *acceptor, struct tlsyn_listener **listener);

/** While paused a listener takes no more connections, as one whose accept queue is full: SYNs, and
 * the ACKs that would complete an open, are dropped without a word, and come again. Connections
 * whose SYN's payload was admitted have a handler already and go on. */
void tlsyn_listener_pause(struct tlsyn_listener *listener, bool paused);

/** Changes what of SYN payloads is admitted from now on, as the options of the same names. */
void tlsyn_listener_admit(struct tlsyn_listener *listener, bool open, bool cookies);

/** What connections have that are opened from now on. -EINVAL: nothing changed. */
int tlsyn_listener_set_options(struct tlsyn_listener *listener,
                               const struct tlsyn_conn_options *options);

/** Other keys from now on: `count` of them, 0 to TLSYN_COOKIE_KEYS_MAX. */
void tlsyn_listener_cookie_keys(struct tlsyn_listener *listener,
                                const uint8_t (*keys)[TLSYN_COOKIE_KEY], int count);

/** Stops listening. Connections that have a handler go on; those in SYN-RECEIVED without one are
 * reset. */
void tlsyn_listener_close(struct tlsyn_listener *listener);

/* --- bytes ------------------------------------------------------------------------------------ */

/** What has arrived in order and was not consumed; the number of bytes in the view. */
size_t tlsyn_conn_peek(struct tlsyn_conn *conn, struct tlsyn_view *view);

/** Gives back n bytes from the front; n is at most what peek said. */
void tlsyn_conn_consume(struct tlsyn_conn *conn, size_t n);

/** True when the peer has closed its direction and everything was consumed. */
bool tlsyn_conn_ended(const struct tlsyn_conn *conn);

/** Room for up to `want` bytes behind what was committed; the number of bytes in the view, 0 when
 * the ring is full, -ENOMEM when there is no memory for one (wait for on_acked with both), or
 * -EPIPE (we have closed, or the connection is gone). */
ssize_t tlsyn_conn_reserve(struct tlsyn_conn *conn, size_t want, struct tlsyn_view *view);

/** Makes the first n reserved bytes part of the stream. */
void tlsyn_conn_commit(struct tlsyn_conn *conn, size_t n);

/** Reserve, copy, commit: as much as there is room for; the count, or as tlsyn_conn_reserve(). */
ssize_t tlsyn_conn_write(struct tlsyn_conn *conn, const void *bytes, size_t n);

/** The same without the copy: frames are sent from `bytes`, which stay in place unchanged until
 * on_acked has counted them, or tlsyn_conn_release() has returned, or the call of the stack's that
 * raised on_closed. Worth it for pieces of 16 KiB and more; smaller ones are copied, as are those
 * from before the handshake's end. */
ssize_t tlsyn_conn_lend(struct tlsyn_conn *conn, const void *bytes, size_t n);

/** All that was committed is urgent (RFC 9293 3.8.5): the peer is told where it ends, and neither
 * Nagle's algorithm nor the cork holds it back. For protocols that have always done so; new ones
 * should not. */
void tlsyn_conn_urgent(struct tlsyn_conn *conn);

/** The last byte of the peer's urgent text, if it has arrived, in order or not. */
bool tlsyn_conn_urgent_last(const struct tlsyn_conn *conn, uint8_t *byte);

/* --- closing ---------------------------------------------------------------------------------- */

/** CLOSE of RFC 9293 3.9.1.4: no more to send; FIN follows the last byte. Receiving goes on
 * (half-close). */
void tlsyn_conn_close(struct tlsyn_conn *conn);

/** The user loses interest: no event will come, the handler may be freed. What was committed is
 * still delivered, then FIN, unless the peer takes nothing of it for the user timeout; text that
 * arrives from now on is answered with RST (RFC 2525 2.17), as is text that was not consumed
 * (RFC 9293 3.6.1). */
void tlsyn_conn_release(struct tlsyn_conn *conn);

/** ABORT: RST; on_closed gets `error` (negative; 0 becomes -ECONNABORTED) before this call returns,
 * unless it was made inside one of the connection's own events: then right after that event
 * returned. */
void tlsyn_conn_abort(struct tlsyn_conn *conn, int error);

/* --- settings --------------------------------------------------------------------------------- */

/** What of the options is in force. Buffers and user_timeout as they were given, 0 if none was. */
void tlsyn_conn_get_options(const struct tlsyn_conn *conn, struct tlsyn_conn_options *options);

/** Puts those options in force that may change; the others are not looked at. What a
 * smaller buffer holds already stays, and a window that was announced is not taken back. -EINVAL (a
 * negative time), -EPIPE (the connection is over): nothing changed. */
int tlsyn_conn_set_options(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options);

/** The name by which tlsyn_conn_info() calls this congestion controller (NULL: the default), or
 * NULL: there is none of that name. */
const char *tlsyn_controller_name(const char *name);

/* --- about a connection ----------------------------------------------------------------------- */

struct tlsyn_stack *tlsyn_conn_stack(struct tlsyn_conn *conn);

/** Whether somebody is known to be at the peer's address: by a Fast Open cookie, by the third
 * segment of the handshake, or because we called. */
bool tlsyn_conn_validated(const struct tlsyn_conn *conn);

/** on_data is raised at that time, once, whether there is something to peek or not. The call before
 * it is forgotten; TLSYN_NEVER forgets it, too. */
void tlsyn_conn_wake(struct tlsyn_conn *conn, tlsyn_time when);

/** Puts another handler in place; an engine does so to stand between. */
void tlsyn_conn_set_handler(struct tlsyn_conn *conn, struct tlsyn_handler *handler);

enum tlsyn_state {
#define STATE(name, text) TLSYN_##name,
#include <tlsyn/states.def>
#undef STATE
    TLSYN_STATES
};

/** "SYN-SENT" and the like. */
const char *tlsyn_state_name(enum tlsyn_state state);

/** What came of sending the first flight in the SYN. */
enum tlsyn_embedding {
#define EMBEDDING(name, text) TLSYN_EMBEDDING_##name,
#include <tlsyn/embeddings.def>
#undef EMBEDDING
    TLSYN_EMBEDDINGS
};

/** A sentence's part: "the peer acknowledged only the SYN". */
const char *tlsyn_embedding_words(enum tlsyn_embedding embedding);

struct tlsyn_conn_info {
    uint32_t number; /* as in trace records */
    enum tlsyn_state state;
    struct tlsyn_endpoint local, remote;
    bool active;            /* opened by tlsyn_conn_open() */
    enum tlsyn_level level; /* what was asked for, or on a passive open was admitted as */
    enum tlsyn_level got;   /* of it; NONE: the handshake was sequential, or is not that far */
    enum tlsyn_embedding embedding; /* why not more */
    /* With embedding OFF: for how long yet, and what failed the last time. */
    tlsyn_time off_for;
    enum tlsyn_embedding off_by;
    uint32_t syn_text;       /* bytes that rode in the SYN */
    uint32_t syn_text_acked; /* of these, acknowledged by (active) or in (passive) the SYN-ACK */
    uint32_t synack_text;    /* bytes that rode in the SYN-ACK */
    bool cookie_used;        /* the SYN had a cookie */
    bool cookie_received;    /* the SYN-ACK brought one */
    uint32_t syn_retransmits;
    uint16_t mss;  /* bytes of text per segment that we send */
    uint16_t pmtu; /* octets of the largest datagram that we send */
    uint8_t snd_wscale, rcv_wscale;
    bool timestamps, sack;
    uint16_t rcv_mss;                          /* the same for the peer, as announced in our SYN */
    tlsyn_time srtt, rttvar, rto;              /* RFC 6298; srtt 0: no sample yet */
    tlsyn_time min_rtt;                        /* of the last minutes; 0: no sample yet */
    const char *controller;                    /* of congestion */
    uint32_t cwnd, ssthresh, snd_wnd, rcv_wnd; /* bytes */
    uint64_t pacing_rate;   /* bytes per second that text is held to; 0: to none */
    uint64_t delivery_rate; /* bytes per second that arrived of late; 0: not measured */
    uint64_t bytes_acked, bytes_received;
    uint32_t in_flight;    /* bytes sent, neither acknowledged nor sacked nor taken for lost */
    uint32_t sacked, lost; /* bytes of those sent and not acknowledged */
    bool reordering;       /* segments were seen to overtake each other (RFC 8985 6.2) */
    uint32_t snd_ring, rcv_ring; /* bytes that the buffers may hold now */
    uint32_t snd_queued;         /* bytes committed and not acknowledged */
    uint32_t snd_unsent;         /* of these, never sent */
    uint32_t rcv_queued;         /* bytes that arrived in order and were not consumed */
    uint32_t rcv_ooo;            /* bytes that arrived out of order */
    uint32_t rcv_urgent;         /* bytes to be consumed to the end of urgent text; 0: none is */
    uint32_t snd_urgent;         /* bytes not acknowledged to the end of ours */
    uint32_t segs_out, segs_in, retransmits, timeouts, fast_retransmits;
    enum tlsyn_ecn ecn;
    uint32_t marked, delivered_marked; /* ECN: segments that arrived marked, here and there */
    uint32_t undos;                    /* losses that turned out to be none, and were made good */
    uint32_t keepalive_probes;         /* without answer, in a row */
    tlsyn_time last_heard;             /* when the peer last sent something acceptable */
    tlsyn_time opened;                 /* the open call, or the SYN's arrival */
    tlsyn_time established;            /* 0: not yet */
};

void tlsyn_conn_info(const struct tlsyn_conn *conn, struct tlsyn_conn_info *info);

/** Of these, what one looks at after every event. */
struct tlsyn_conn_glance {
    enum tlsyn_state state;
    bool fin_received; /* the peer's stream ends with what is readable now */
    uint32_t snd_ring, snd_queued, snd_unsent, rcv_queued, rcv_urgent;
};

void tlsyn_conn_glance(const struct tlsyn_conn *conn, struct tlsyn_conn_glance *glance);

struct tlsyn_listener_info {
    struct tlsyn_endpoint local;
    bool open, cookies, paper, paused;
    uint32_t half_open;   /* its connections in SYN-RECEIVED */
    uint32_t syn_backlog; /* the most of these, all listeners' together */
};

void tlsyn_listener_info(const struct tlsyn_listener *listener, struct tlsyn_listener_info *info);

/** A user's object that tlsyn_stack_walk() shows everything to. It may look, and must change
 * nothing. False ends the walk; an event that is unset is skipped. */
struct tlsyn_visitor {
    bool (*on_conn)(struct tlsyn_visitor *, const struct tlsyn_conn *);
    bool (*on_listener)(struct tlsyn_visitor *, const struct tlsyn_listener *);
};

/** Shows every listener, then every connection, the oldest first; those in TIME-WAIT and those
 * whose on_closed is still to come are among them. Inside events too. */
void tlsyn_stack_walk(struct tlsyn_stack *stack, struct tlsyn_visitor *visitor);

#ifdef __cplusplus
}
#endif

#endif
