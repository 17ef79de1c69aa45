/*
 * socket/sock.h: one socket: what the kernel's struct sock and struct socket are to Linux.
 *
 *     calls*.c  the public calls, by descriptor    stream.c, opening.c, transfer.c  SOCK_STREAM
 *     option*.c their options                      datagram.c, datagram_send.c      SOCK_DGRAM
 *     ancillary.c  what comes beside bytes         errqueue.c  what became of those sent
 *     sock.c    life, settling, waiting            registry.c, ready.c              descriptors
 *
 * Phases of a stream socket, and `conn` in each:
 *
 *     IDLE --connect--> OPENING --established--> OPEN --on_closed--> OPEN, conn NULL
 *       |                  |
 *       +--listen--> LISTENING   (failed: OPENING, conn NULL, error; the next connect starts anew)
 *
 * Where Linux asks for the state TCP_CLOSE, this asks for conn being NULL. Everything but `refs` is
 * guarded by the net's lock. A socket lives until it is closed and no call is in it any more; one
 * that was accepted by TCP and not yet by the program has no descriptor yet.
 */
#ifndef TLSYN_SOCKET_SOCK_H
#define TLSYN_SOCKET_SOCK_H

#include <netinet/in.h>

#include <tlsyn/udp.h>

#include "socket/cursor.h"
#include "socket/net.h"
#include "socket/ready.h"

enum sock_phase { SOCK_IDLE, SOCK_LISTENING, SOCK_OPENING, SOCK_OPEN };

/** sk_shutdown: which directions are over. */
enum sock_shut { SOCK_SHUT_RD = 1, SOCK_SHUT_WR = 2, SOCK_SHUT_BOTH = 3 };

/** What setsockopt(2) sets and getsockopt(2) gives back, in the units of these. */
struct sock_options {
    int reuse_addr, reuse_port, broadcast, keepalive, oob_inline;
    int linger_on, linger_seconds;
    int rcv_lowat;
    int snd_buf, rcv_buf;                /* as given back: twice what was asked for */
    tlsyn_time rcv_timeout, snd_timeout; /* 0: none; negative: at once */
    int nodelay, cork, quickack, maxseg, keep_idle, keep_interval, keep_count, user_timeout;
    int syn_count, linger2, defer_accept, notsent_lowat, fastopen, fastopen_connect;
    int tos, ttl, v6only, hops, tclass;
    int pktinfo, recv_ttl, recv_tos, pktinfo6, recv_hops, recv_tclass; /* socket/ancillary.c */
    int stamp_us, stamp_ns;                                            /* one of them, or none */
    int mtu_discover, mtu_discover6, dont_fragment6, mtu6; /* what is too long, socket/datagram.c */
    int recv_err, recv_err6;                               /* socket/errqueue.c */
    int group_ttl; /* to a group of IPv4; 0: it stays within the net */
    int group_loop, group_loop6, group_all, group_all6; /* kept: there are no members */
    int group_hops; /* kept, with group_interface6: nothing is sent to groups of IPv6 */
    struct in_addr group_source; /* IP_MULTICAST_IF */
    int group_interface6;
    uint8_t ip_options[40];      /* IP_OPTIONS: a source route, as it was given */
    int ip_options_len;          /* a multiple of 4; 0: none */
    int bound_device, late_port; /* SO_BINDTODEVICE, IP_BIND_ADDRESS_NO_PORT */
    int level;                   /* enum tlsyn_level */
    uint64_t pacing_rate;        /* SO_MAX_PACING_RATE: bytes per second; UINT64_MAX: any */
    char controller[16];
    int cookie_keys; /* TCP_FASTOPEN_KEY: so many; 0: the stack's own secret */
    uint8_t cookie_key[TLSYN_COOKIE_KEYS_MAX][TLSYN_COOKIE_KEY];
};

struct sock;

/** What differs by type. Results are counts, 0 or -errno. */
struct sock_ops {
    void (*init)(struct sock *); /* what this type has beside; all is zero before */
    int (*connect)(struct sock *, const struct tlsyn_endpoint *to);
    int (*disconnect)(struct sock *);
    int (*listen)(struct sock *, int backlog);
    int (*accept)(struct sock *, struct sock **child);
    ssize_t (*send)(struct sock *, struct cursor *from, const struct sock_sending *how, int flags);
    ssize_t (*recv)(struct sock *, struct cursor *into, struct sock_received *about, int flags);
    int (*shutdown)(struct sock *, int how);
    void (*close)(struct sock *);
    int (*readable)(struct sock *); /* FIONREAD */
    unsigned (*levels)(struct sock *, bool *again);
    void (*apply)(struct sock *); /* options changed */
};

/** What SOCK_STREAM has beside. */
struct stream {
    struct tlsyn_handler handler;
    struct tlsyn_conn *conn;
    struct tlsyn_engine *engine; /* makes sessions, for this socket or its children; or NULL */
    const struct tlsyn_engine_ops *session_ops;
    struct tlsyn_session *session; /* between us and conn; or NULL */
    char *server_name;             /* owned, or NULL */
    char *sentence;                /* of a session that failed; owned, or NULL */

    /* read from the connection, or left by it, and not taken by the program yet */
    uint8_t *kept;
    size_t kept_from, kept_to;
    size_t kept_urgent; /* bytes to the mark, once conn is gone (socket/urgent.c) */

    /* an active open */
    struct cursor *early; /* Fast Open: what rides in the SYN, during tlsyn_conn_open() only */
    bool deferred;        /* TCP_FASTOPEN_CONNECT: the first send opens */

    bool done;                 /* the peer's stream has ended: SOCK_DONE */
    bool arrived;              /* something did since the last edge */
    bool established;          /* once: ready for bytes */
    bool announced;            /* connect(2) has said so */
    bool corked;               /* by MSG_MORE */
    bool urgent_taken;         /* the byte at the mark was, by MSG_OOB */
    struct net_timer patience; /* a handshake or a deferred accept ends then */

    /* listening */
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct list queue;   /* established, to be accepted */
    struct list embryos; /* an engine's handshake, or the first text, is being waited for */
    unsigned queued, waiting;
    unsigned backlog;
    struct sock *parent; /* in whose queue this is */
    struct list sibling;
};

#define DGRAM_OVERHEAD 768 /* what Linux counts beside a datagram's bytes, about */

/** What SOCK_DGRAM has beside. */
struct dgram {
    struct tlsyn_udp_handler handler;
    struct tlsyn_udp *udp; /* NULL: not bound */
    struct list queue;     /* struct datagram */
    struct list errors;    /* socket/errqueue.c */
    size_t queued;         /* bytes of both, as SO_RCVBUF counts: each with DGRAM_OVERHEAD */
    bool connected;
    bool full;    /* the stack takes no more just now */
    bool arrived; /* something did since the last edge */
};

struct sock {
    const struct sock_ops *ops;
    struct tlsyn_net *net;
    atomic_uint refs;
    struct list all;     /* net->socks */
    struct list changed; /* net->changed */
    struct list port;    /* net->ports, while `local.port` is held */
    struct ready ready;
    struct net_waiters waiters;
    int domain, type, protocol;
    pid_t owner; /* F_SETOWN: gets SIGURG; negative: a group; 0: nobody */
    bool nonblock;
    bool closed;                 /* by tlsyn_close(): calls under way end with EBADF */
    bool bound_addr, bound_port; /* named to bind(2): the end of a connection leaves them */
    uint16_t last_port;          /* given back, and told until there is another, as in Linux */
    enum sock_phase phase;
    unsigned shut; /* enum sock_shut */
    int error;     /* positive errno, to be told once: sk_err */
    struct tlsyn_endpoint local, remote;
    struct sock_options options;
    struct stream stream;
    struct dgram dgram;
};

/** A socket without descriptor, held once; NULL: no memory. */
struct sock *sock_new(struct tlsyn_net *net, int domain, int type);

/** The lock need not be held. */
void sock_hold(struct sock *sock);
void sock_drop(struct sock *sock);

/** The lock is on its way out: show and tell what has changed about this socket. */
void sock_changed(struct sock *sock);
void sock_settle(struct sock *sock);

/** Waits for a change. 0, -EAGAIN at the deadline, -EINTR, -EBADF closed meanwhile. */
int sock_wait(struct sock *sock, tlsyn_time deadline);

/** When a call that begins now gives up: at once if it must not wait. `timeout` as in options. */
tlsyn_time sock_deadline(const struct sock *sock, tlsyn_time timeout, int flags);

/** The error to be told, negative, which is thereby told; 0. */
int sock_take_error(struct sock *sock);

/** Remembers an error (negative or 0) to be told. */
void sock_fail(struct sock *sock, int error);

/** Puts the socket out of the way: out of the net's lists, `closed`. */
void sock_unlist(struct sock *sock);

extern const struct sock_ops stream_ops;
extern const struct sock_ops datagram_ops;

#endif
