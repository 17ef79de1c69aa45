/*
 * tlsyn/udp.h: UDP for its users: endpoints that send and receive datagrams. RFC 768, RFC 1122 4.1.
 *
 *     tlsyn_udp_open -> [tlsyn_udp_connect] -> { tlsyn_udp_send, on_datagram, on_error }*
 *          -> tlsyn_udp_close
 *
 * A datagram is delivered in an event, once, while its frame is in hand: what is to be kept is
 * copied there. A datagram that is sent is copied at once and leaves with the next
 * tlsyn_stack_output().
 *
 * UDP repeats nothing, orders nothing and knows no congestion: before sending more than a question
 * or its answer, read RFC 8085 (3.1: a rate that the network can bear; 3.2: no datagram longer
 * than the path's MTU; 5.2: an ICMP error is a hint that anybody could have made up).
 *
 * Datagrams to broadcast addresses and to IPv4 groups leave through the interface of the network,
 * or of the local address. What comes to a broadcast address, all endpoints get that have its port,
 * no local address and no peer. Membership of groups there is none (RFC 1112 2: level 1).
 *
 * Ownership: the stack owns the endpoint; the pointer is good until tlsyn_udp_close() or
 * on_closed. Every call here may be made inside any event.
 *
 * Errors are negative errno values.
 */
#ifndef TLSYN_UDP_H
#define TLSYN_UDP_H

#include <tlsyn/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_udp;
struct tlsyn_udp_handler;
struct tlsyn_udp_info;

/** A datagram that arrived. `bytes` is good during the event alone. */
struct tlsyn_udp_datagram {
    struct tlsyn_endpoint from; /* port 0: the sender wants no answer (RFC 768) */
    struct tlsyn_endpoint to;   /* ours; an answer leaves from here: see tlsyn_udp_message */
    const uint8_t *bytes;
    size_t len; /* may be 0 */
    uint8_t tos, ttl;
    bool broadcast; /* `to` is a broadcast address: an answer names another source */
};

/** What became of a datagram: a router or its host, or ours, says so. */
struct tlsyn_udp_error {
    struct tlsyn_endpoint to; /* where it was to go */
    /** -ECONNREFUSED (nobody has that port), -EHOSTUNREACH, -ENETUNREACH, -EMSGSIZE (longer than
     * the path's MTU), -ETIMEDOUT (time exceeded), -EPROTO. */
    int error;
    uint16_t mtu;           /* with -EMSGSIZE: the path's, as far as it is known */
    uint8_t type, code;     /* of the ICMP message, of the family of `to` */
    struct tlsyn_addr from; /* whose message: ours too, where a neighbour did not answer */
    /** What of the datagram it quotes; good during the event alone. */
    const uint8_t *bytes;
    size_t len; /* may be 0 */
};

struct tlsyn_udp_events {
    void (*on_datagram)(struct tlsyn_udp_handler *, struct tlsyn_udp *,
                        const struct tlsyn_udp_datagram *);
    /** The endpoint goes on. */
    void (*on_error)(struct tlsyn_udp_handler *, struct tlsyn_udp *,
                     const struct tlsyn_udp_error *);
    /** After a send was refused with -EAGAIN: there is room again. */
    void (*on_writable)(struct tlsyn_udp_handler *, struct tlsyn_udp *);
    /** The stack is being freed, and the endpoint with it. Not called by tlsyn_udp_close(). */
    void (*on_closed)(struct tlsyn_udp_handler *, struct tlsyn_udp *);
    /** tlsyn_udp_info() asks for what only the user knows: rcv_queued. */
    void (*on_info)(struct tlsyn_udp_handler *, struct tlsyn_udp_info *);
};

/** Embedded in the user's own object. Unset events are skipped. */
struct tlsyn_udp_handler {
    const struct tlsyn_udp_events *events;
};

struct tlsyn_udp_options {
    /** Unspecified address: any of ours, of the address's family if it is IPv4's (::ffff:0.0.0.0),
     * else of both. Port 0: one is chosen that nobody can predict (RFC 6056). */
    struct tlsyn_endpoint local;
    bool only_ip6; /* an unspecified local address stands for IPv6 addresses alone */
    /** Other endpoints with `shared` may have the same address and port. A datagram goes to the one
     * that is connected to its sender; if there is none, to one that is not connected, and always
     * to the same one for the same sender, as with Linux's SO_REUSEPORT. */
    bool shared;
    /** The same among endpoints with `reuse`, as with Linux's SO_REUSEADDR: without one that is
     * connected to its sender, a datagram goes to the one that was opened last. */
    bool reuse;
    bool broadcast; /* may send to broadcast addresses */
    uint8_t tos;    /* of what is sent: DSCP and ECN field */
    uint8_t ttl;    /* 0: 64; 1 to a group */

    /** What is longer than its path takes leaves in fragments. The three make of that what Linux's
     * IP_MTU_DISCOVER does: */
    bool whole;   /* it is not sent: -EMSGSIZE */
    bool by_link; /* what routers say of the path does not count, the first link's MTU does */
    bool no_df;   /* over IPv4, routers may cut what left whole; with by_link, what they say of the
                     path is not believed either */
    uint16_t mtu; /* 0, or what counts as the path's MTU where that is larger */
};

/** -EADDRINUSE: an endpoint has this port on an address in common, or no port is left;
 * -EADDRNOTAVAIL: not an address of ours; -ENOBUFS: limits.udp_endpoints; -ENOMEM. The handler must
 * outlive the endpoint. */
int tlsyn_udp_open(struct tlsyn_stack *stack, const struct tlsyn_udp_options *options,
                   struct tlsyn_udp_handler *handler, struct tlsyn_udp **udp);

/** Inside on_datagram: there is no room for it. It is counted as an error, and nothing else. */
void tlsyn_udp_refuse(struct tlsyn_udp *udp);

/** Frees the endpoint; no event comes from now on. What was sent still leaves. */
void tlsyn_udp_close(struct tlsyn_udp *udp);

/**
 * From now on only what comes from `peer` is taken (port 0: from any of its ports), and what is
 * sent without saying to whom goes there, from the source address of the route as it is now. NULL
 * ends this. -ENETUNREACH: no route; -EINVAL: no host's address; -EAFNOSUPPORT: of another family
 * than the local address; -EACCES: a broadcast address, without options.broadcast.
 */
int tlsyn_udp_connect(struct tlsyn_udp *udp, const struct tlsyn_endpoint *peer);

/** Changes what may change after opening: all but `local` and `only_ip6`. */
void tlsyn_udp_set_options(struct tlsyn_udp *udp, const struct tlsyn_udp_options *options);

/** The longest datagram: 65535 less the UDP header, and over IPv4 less that one's too. */
#define TLSYN_UDP_MAX     65507
#define TLSYN_UDP_MAX_IP6 65527

/** A datagram to be sent. */
struct tlsyn_udp_message {
    const struct tlsyn_endpoint *to; /* NULL: the peer */
    /** NULL: the local address if there is one, else that of the route. A server that listens on
     * any address answers from the one that was asked (RFC 1122 4.1.3.5). */
    const struct tlsyn_addr *from;
    struct tlsyn_view text;
};

/**
 * Sends one datagram; 0 says that it is on its way, not that it arrives. -EAGAIN: what waits for
 * tlsyn_stack_output() is limits.udp_queue_bytes already (on_writable follows); -EMSGSIZE: too
 * long, or, with options.whole, longer than the path takes; -EDESTADDRREQ: to whom?; -EACCES: to a
 * broadcast address, without options.broadcast; -EADDRNOTAVAIL: `from` is not ours; -EAFNOSUPPORT,
 * -EINVAL: as for tlsyn_udp_connect(); -ENETUNREACH, -EHOSTUNREACH (the neighbour did not answer
 * lately), -ENOBUFS, -ENOMEM.
 */
int tlsyn_udp_send_message(struct tlsyn_udp *udp, const struct tlsyn_udp_message *message);

/** The same for `len` bytes in one piece; `to` NULL: the peer. */
int tlsyn_udp_send(struct tlsyn_udp *udp, const struct tlsyn_endpoint *to, const void *bytes,
                   size_t len);

/** 0, or the error that tlsyn_udp_send_message() would give for the lengths and the addresses.
 * Nothing is sent, and the text is not looked at. */
int tlsyn_udp_check(const struct tlsyn_udp *udp, const struct tlsyn_udp_message *message);

/** How long a datagram to `to` may be with its IP header to leave in one piece, as far as that is
 * known; `to` NULL: to the peer. -EDESTADDRREQ, -ENETUNREACH, or as tlsyn_udp_send_message(). */
int tlsyn_udp_mtu(const struct tlsyn_udp *udp, const struct tlsyn_endpoint *to);

struct tlsyn_udp_info {
    struct tlsyn_endpoint local; /* the address unspecified while not connected, if opened so */
    struct tlsyn_endpoint peer;  /* when connected */
    bool connected;
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out; /* in: that came */
    uint64_t drops;      /* of those that came: so many the user had no room for */
    uint32_t rcv_queued; /* bytes that came and wait for the user to take them */
};

void tlsyn_udp_info(const struct tlsyn_udp *udp, struct tlsyn_udp_info *info);

/** A user's object that tlsyn_udp_walk() shows every endpoint to, the oldest first. It may look,
 * and must change nothing; false ends the walk. */
struct tlsyn_udp_visitor {
    bool (*on_udp)(struct tlsyn_udp_visitor *, const struct tlsyn_udp *);
};

void tlsyn_udp_walk(struct tlsyn_stack *stack, struct tlsyn_udp_visitor *visitor);

#ifdef __cplusplus
}
#endif

#endif
