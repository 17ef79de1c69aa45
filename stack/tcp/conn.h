/*
 * tcp/conn.h: the transmission control block (RFC 9293 3.3.1), its state, and how its user's
 * events are raised.
 *
 * Send space. Ring offset 0 is the first byte of text that is not acknowledged.
 *
 *          snd_una        snd_rtx         snd_nxt
 *     --------|--------------|---------------|- - - - - -|-------> sequence numbers
 *      acked  |  sent        | to be sent    | committed,  FIN behind the last, once fin_queued
 *             |              | again         | not sent yet
 *
 * snd_nxt is RFC 9293's: one past the highest number sent. snd_rtx is where sending goes on: it is
 * pulled back to snd_una when what lies between is to be sent again, and equals snd_nxt otherwise.
 * With SACK in force the scoreboard says what is to be sent again, piece by piece (tcp/recovery.h),
 * and snd_rtx stays at snd_nxt.
 *
 * Receive space. Ring offset 0 is the first byte that the user has not consumed; rcv_nxt is at
 * offset rcv.used; text that arrived out of order lies behind it at its place, its extent in `ooo`
 * (64-bit offsets from the start of the stream).
 *
 * Memory. An idle connection consists of this block and its place in the demux table, 1 KiB in all,
 * of which TCP_CONN_BYTES are the block. What only some connections need, or only for a while, is
 * allocated apart and freed when it is not needed any more: `opening` until the connection is
 * established, the rings while they hold something, `ooo.at` while text is missing, the board while
 * text is on its way (rings and board are kept for one more second). Any of them may be absent at
 * any time, because allocating it may have failed. Times of many seconds are kept in milliseconds.
 */
#ifndef TLSYN_TCP_CONN_H
#define TLSYN_TCP_CONN_H

#include <assert.h>

#include "core/ranges.h"
#include "core/ring.h"
#include "tcp/cc.h"
#include "tcp/ecn.h"
#include "tcp/mtu.h"
#include "tcp/prr.h"
#include "tcp/rack.h"
#include "tcp/rtt.h"
#include "tcp/tcp.h"
#include "tcp/undo.h"
#include "wire/tcp.h"

/** What may expire on a connection. Each deadline is a plain time; one node of the timer wheel
 * stands for the earliest of them. */
enum tcp_deadline {
    TCP_REORDER,    /* RFC 8985 6.2 */
    TCP_PROBE,      /* RFC 8985 7.2; in front of TCP_RETRANSMIT, which it may put off */
    TCP_RETRANSMIT, /* RFC 6298 */
    TCP_PERSIST,    /* RFC 9293 3.8.6.1 */
    TCP_DELACK,     /* RFC 9293 3.8.6.3 */
    TCP_PACE,       /* the next train may leave (tcp/pace.h) */
    TCP_LINGER,     /* 2 MSL in TIME-WAIT; an abandoned FIN-WAIT-2 */
    TCP_IDLE,       /* the memory of the rings may not be needed any more */
    TCP_CORK,       /* a partial segment has waited long enough */
    TCP_KEEPALIVE,  /* RFC 9293 3.8.4 */
    TCP_WAKE,       /* tlsyn_conn_wake() */
    TCP_DEADLINES
};

enum tcp_ack_due {
    TCP_ACK_NONE = 0,
    TCP_ACK_DELAYED, /* TCP_DELACK runs */
    TCP_ACK_NOW,
};

/** A connection's share of the 1 KiB: the rest is for the allocator's header and up to two buckets
 * of the table. */
#define TCP_CONN_BYTES 960
/** The bytes of it that an ordinary segment may touch: one in order, on an open connection, without
 * loss. Twelve lines of the cache. */
#define TCP_CONN_HOT 744

/** What is needed until the connection is established, and no longer. */
struct opening {
    struct tlsyn_listener *listener; /* of a passive open */
    struct early_segment *early;     /* in SYN-SENT: what overtook the SYN-ACK (tcp/early.h) */
    tlsyn_time timeout;              /* R2 of SYN and SYN-ACK (RFC 9293 3.8.3) */
    /* Amplification limit: bytes of IP datagrams before the peer's address was validated
     * (RFC 9000 8.1) */
    uint64_t unvalidated_in, unvalidated_out;
    enum source_share share;        /* which share of its source it uses; SOURCE_SHARES: none */
    uint8_t cookie[TCP_COOKIE_MAX]; /* for the SYN or, with give_cookie, the SYN-ACK */
};

/*
 * The members stand in the order in which an ordinary segment of an open connection uses them: what
 * every segment needs, then what arriving text changes, then what departing text and its ACK change
 * (TCP_CONN_HOT bytes so far); behind them what serves loss, opening and closing, and the user's
 * wishes.
 */
struct tlsyn_conn {
    /* --- every segment, in and out --- */
    struct table_node node; /* tcp->demux */
    struct tlsyn_endpoint remote, local;
    uint16_t mss;     /* of text per segment that we send, options counted off */
    uint16_t rcv_mss; /* what we announced */
    struct tcp *tcp;
    struct tlsyn_source_route *via; /* NULL: straight (tcp/via.h) */
    bool active : 1;                /* came from tlsyn_conn_open(): MUST-11 */
    bool in_demux : 1;
    bool syn_acked : 1;     /* the peer has acknowledged our SYN */
    bool embedded : 1;      /* passive: the SYN's payload went to an engine, and was acknowledged */
    bool engaged : 1;       /* passive: it has an engine since its SYN (counts in tcp->embedded) */
    bool validated : 1;     /* the peer's address is proved: no amplification limit */
    bool fin_queued : 1;    /* the user closed: FIN follows the last byte */
    bool fin_received : 1;  /* rcv_nxt stands behind the peer's FIN */
    bool fin_seen : 1;      /* the peer's FIN is at fin_seq, text before it may be missing */
    bool released : 1;      /* tlsyn_conn_release(): nobody reads or writes any more */
    bool refused : 1;       /* a hook said no: RST follows what the send ring holds */
    bool close_pending : 1; /* on_closed has to be raised */
    bool closed_told : 1;   /* it was */
    bool nagle : 1;
    bool no_delack : 1;
    bool cork : 1;
    bool cork_passed : 1; /* TCP_CORK has passed: what waits may leave */
    bool unpushed : 1;    /* the user said that more follows what is written */
    bool quick_start : 1; /* quick_acks are those that a connection begins with */
    bool unpaced : 1;     /* not paced, but by `pace.max` and a controller's own rate */
    bool keepalive : 1;
    bool syn_plain : 1;     /* SYN or SYN-ACK goes without text and Fast Open option from now on */
    bool give_cookie : 1;   /* the SYN-ACK carries a cookie */
    bool resend_first : 1;  /* the segment at snd_una goes out again, by itself */
    bool in_recovery : 1;   /* RFC 6582: between the third duplicate ACK and `recover` */
    bool cwnd_limited : 1;  /* cwnd held something back, at limited_seq for the last time */
    bool snd_short : 1;     /* the user was offered less room than it asked for */
    bool snd_refused : 1;   /* it got none though nothing is on its way: TCP_IDLE calls it again */
    bool rtt_timing : 1;    /* rtt_seq is being timed */
    bool board_on : 1;      /* the board covers what is on its way (tcp/recovery.h) */
    bool after_timeout : 1; /* the RTO expired, and snd_una has not reached `recover` since */
    bool probe_due : 1;     /* board_on: a tail loss probe leaves with the next output */
    bool cookie_received : 1;
    bool unproved : 1;   /* embedded, and nothing acknowledged since (tcp/embed.h) */
    bool twice_due : 1;  /* the next segment reports `twice` */
    bool snd_urgent : 1; /* our text up to snd_up is urgent (tcp/urgent.h) ... */
    bool rcv_urgent : 1; /* ... and the peer's up to rcv_up */
    bool wscale_ok : 1, ts_ok : 1, sack_ok : 1; /* in force */
    enum tlsyn_state state : 8;
    enum tlsyn_level level : 8;
    enum tcp_ack_due ack_due : 7;
    bool progress : 1; /* what we send arrives; the next segment confirms the neighbour (ip/) */
    tcp_seq rcv_nxt;
    uint32_t rcv_max; /* bytes of rcv that may be used: what the window offers (tcp/buffers.h) */
    uint32_t rcv_wnd; /* what our last segment promised, bytes from rcv_nxt on */
    tcp_seq rcv_adv;  /* rcv_nxt + rcv_wnd at that time: the right edge never moves back */
    uint32_t ts_offset, ts_recent;
    tcp_seq last_ack_sent;
    uint8_t snd_wscale, rcv_wscale;
    uint8_t tos, ttl; /* of datagrams; ttl 0: the default */
    tlsyn_time ts_recent_at;
    tlsyn_time last_heard;         /* an acceptable segment came */
    struct tlsyn_handler *handler; /* NULL: nobody yet, or no longer */
    struct opening *opening;       /* NULL once it is established */
    struct list ready;             /* tcp->ready */
    struct ecn ecn;
    uint32_t segs_in, segs_out;
    uint16_t acks_owed; /* one per segment that asked for it (RFC 5681 4.2; tcp/recv.c) */
    uint8_t in_event;   /* how many events of the user's are being called, one in the other */
    uint8_t dupacks;
    uint32_t unacked_text; /* bytes taken since our last ACK */
    uint8_t keep_probes;   /* of keep-alive, not answered */
    uint8_t probes;        /* of a zero window, not answered */
    uint8_t quick_acks;    /* so many segments more are acknowledged without delay (tcp/recv.c) */
    uint32_t number;

    /* --- text that arrives --- */
    uint64_t rcv_total; /* bytes of text in order so far: the stream offset of rcv_nxt */
    struct ring rcv;
    struct ranges ooo;
    uint32_t rcv_copied;       /* consumed since rcv_copied_since */
    uint32_t rcv_copied_since; /* microseconds, the low bits */

    /* --- text that leaves, and its ACK --- */
    struct ring snd;
    struct lending *lending; /* text that is not in it (tcp/lend.h); or NULL */
    tcp_seq snd_una, snd_nxt, snd_rtx;
    uint32_t snd_wnd; /* bytes, scaled (MUST-1, REC-1) */
    tcp_seq snd_wl1, snd_wl2;
    uint32_t snd_wnd_max;
    uint32_t snd_max;    /* bytes of snd that may be used */
    uint32_t gso_max;    /* text bytes that the link takes in one frame; 0: one segment */
    tcp_seq recover;     /* RFC 6582: snd_nxt when recovery began, or the RTO expired */
    tcp_seq rtt_seq;     /* when this is acknowledged, a round trip has passed since rtt_at */
    tcp_seq limited_seq; /* snd_nxt when cwnd held something back */
    tlsyn_time rtt_at;
    tlsyn_time last_sent; /* text or FIN */
    tlsyn_time
        stalled_since; /* TLSYN_NEVER: progress; else the first unanswered (re)transmission */
    uint64_t bytes_acked;
    struct rtt rtt;
    uint32_t delivery_rate; /* KiB per second; 0: not measured */
    struct mtu mtu;
    struct pace {
        tlsyn_time at; /* the next train may leave */
        uint32_t left; /* bytes of the train that is leaving */
        uint32_t max;  /* bytes per second; 0: as fast as may be */
    } pace;
    struct board board;
    struct rack rack;
    struct undo undo;
    tcp_seq snd_small; /* the end of the last segment that was not full */
    struct cc cc;
    uint32_t deadline[TCP_DEADLINES]; /* in ticks (tcp/timers.h) */
    uint32_t shut_since;              /* milliseconds, the low bits */
    struct timer timer;

    /* --- loss, and what came in the wrong order --- */
    struct prr prr;
    /* A number in each of the intervals that arrived last, the newest first: the order of SACK
     * blocks (RFC 2018 4) */
    tcp_seq ooo_recent[TCP_SACK_BLOCKS_MAX];
    struct tcp_sack_block twice; /* what arrived once more: D-SACK (RFC 2883 4) */
    /* Challenge ACKs (RFC 5961 7). Each connection has its own budget: from one that all share, a
     * stranger could tell which guesses about somebody else's connection were right
     * (CVE-2016-5696), and use up the ACKs that others need. */
    struct budget challenges;
    tcp_seq snd_up, rcv_up;
    struct ecn_told ecn_told;

    /* --- its life, and what the user asked for --- */
    uint32_t user_timeout; /* milliseconds */
    struct list all;       /* tcp->all, or tcp->doomed */
    struct list waiting;   /* tcp->time_wait, half_opens, embedded_opens, or shut */
    tcp_seq iss, irs, fin_seq;
    int error;      /* the first that happened; 0: none */
    int soft_error; /* an ICMP error that may explain a later timeout (RFC 1122 4.2.3.9) */
    uint32_t snd_ring, rcv_ring;       /* bytes of buffer that the user asked for; 0: none */
    uint32_t keep_idle, keep_interval; /* milliseconds */
    uint8_t keep_count;
    uint8_t syn_cookie_len;    /* of opening->cookie */
    bool user_timeout_set : 1; /* by the user: it ends keep-alive too */
    bool fastopen_experimental : 1;
    enum tlsyn_embedding embedding : 8; /* of an active open */
    uint8_t synacks_again;              /* behind an embedded open */
    uint16_t fin_timeout;               /* seconds; released, in FIN-WAIT-2 */
    uint16_t peer_mss;                  /* as received, or the default */
    uint16_t syn_text, syn_text_acked, synack_text, syn_retransmits;
    uint32_t retransmits, timeouts, fast_retransmits, undos;
    tlsyn_time opened, established;
};
static_assert(offsetof(struct tlsyn_conn, prr) <= TCP_CONN_HOT,
              "a segment that nothing unusual befalls touches no more of a connection");
static_assert(sizeof(struct tlsyn_conn) <= TCP_CONN_BYTES,
              "an idle connection takes 1 KiB at most");

struct tlsyn_listener {
    struct list node;
    struct tcp *tcp;
    struct tlsyn_listen_options options;
    struct tlsyn_acceptor *acceptor;
    bool paused;
};

/** A TCB in state CLOSED, in no list but tcp->all and in the demux; with port 0 in *local one is
 * chosen. NULL with *error -ENOMEM, -ENOBUFS (limits.connections), -EADDRINUSE, or what
 * tlsyn_ports' take has to say. */
struct tlsyn_conn *tcp_conn_new(struct tcp *tcp, const struct tlsyn_endpoint *local,
                                const struct tlsyn_endpoint *remote,
                                const struct tlsyn_conn_options *options, int *error);

/** The connection is established: what was needed for the opening alone goes. Harmless
 * if it has gone. */
void tcp_opening_done(struct tlsyn_conn *conn);

/** The only writer of conn->state; a transition that RFC 9293 figure 5 does not have is an
 * assertion of ours. */
void tcp_set_state(struct tlsyn_conn *conn, enum tlsyn_state state);

/** The connection is over: state CLOSED, out of the demux, on_closed owed with `error` (0
 * or negative). If the user has not consumed everything of an orderly stream, on_closed
 * waits for that. */
void tcp_finish(struct tlsyn_conn *conn, int error);

/** Raises on_closed if it is owed and may be raised now; see tcp_finish(). */
void tcp_tell_closed(struct tlsyn_conn *conn);

/** The connection wants to be looked at by the next output. */
void tcp_set_ready(struct tlsyn_conn *conn);

/** In a state in which both ends have seen the other's SYN (RFC 9293 3.3.2: synchronized). */
static inline bool tcp_synchronized(const struct tlsyn_conn *conn)
{
    return conn->state >= TLSYN_ESTABLISHED;
}

/** The sequence number of send ring offset 0. */
static inline tcp_seq tcp_snd_base(const struct tlsyn_conn *conn)
{
    return conn->syn_acked ? conn->snd_una : conn->iss + 1;
}

/** One past the last committed byte: where FIN stands, or will. */
static inline tcp_seq tcp_snd_end(const struct tlsyn_conn *conn)
{
    return tcp_snd_base(conn) + conn->snd.used;
}

/** FIN was sent at least once. */
static inline bool tcp_fin_sent(const struct tlsyn_conn *conn)
{
    return conn->fin_queued && seq_gt(conn->snd_nxt, tcp_snd_end(conn));
}

/** Bytes and FIN sent and not acknowledged (RFC 5681 2: FlightSize). */
static inline uint32_t tcp_flight_size(const struct tlsyn_conn *conn)
{
    return (uint32_t)seq_diff(conn->snd_nxt, conn->snd_una);
}

/* --- events: each returns what its handler returned, 0 where it is unset ---------------------- */

int tcp_event_syn(struct tlsyn_conn *conn);
int tcp_event_synack(struct tlsyn_conn *conn);
int tcp_event_open(struct tlsyn_conn *conn);
void tcp_event_established(struct tlsyn_conn *conn);
void tcp_event_data(struct tlsyn_conn *conn);
void tcp_event_acked(struct tlsyn_conn *conn, size_t n);
void tcp_event_trouble(struct tlsyn_conn *conn, int error);
void tcp_event_urgent(struct tlsyn_conn *conn, size_t before);

/** Checks our own invariants (RFC 9293 3.4 relations, rings, intervals, timers); compiled in
 * with TLSYN_CHECK. */
#ifdef TLSYN_CHECK
void tcp_check(const struct tlsyn_conn *conn);
/** The counts of a TCP against its connections; walks all of them. */
void tcp_check_all(const struct tcp *tcp);
#else
static inline void tcp_check(const struct tlsyn_conn *conn)
{
    (void)conn;
}
static inline void tcp_check_all(const struct tcp *tcp)
{
    (void)tcp;
}
#endif

#endif
