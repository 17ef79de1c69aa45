/*
 * tlsyn/stack.h: one TCP/IP stack: its life, its bounds, and the four calls that move it.
 *
 *     tlsyn_stack_new -> tlsyn_iface_add -> tlsyn_iface_address -> [tlsyn_route_add]
 *          -> { tlsyn_stack_input, tlsyn_stack_timers, tlsyn_stack_output,
 *               tlsyn_stack_next_timeout }*
 *          -> tlsyn_stack_free
 *
 * A stack reads no clock, does no I/O of its own and never blocks. Time comes in as the last
 * argument of the four calls and is frozen until the next one; frames leave, through the
 * interface's link, in tlsyn_stack_output() alone. Everything hangs off one struct tlsyn_stack: no
 * globals, no locks, one thread per stack at a time. Whatever needs more cores runs more stacks.
 *
 * Inside an event (tlsyn/conn.h) every call on connections is allowed and the four calls are not
 * (asserted).
 *
 * Errors are negative errno values.
 */
#ifndef TLSYN_STACK_H
#define TLSYN_STACK_H

#include <tlsyn/link.h>
#include <tlsyn/trace.h>
#include <tlsyn/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_stack;
struct tlsyn_iface;

/**
 * Every bound of the stack. tlsyn_limits_default() gives values for a host with some thousands of
 * connections. A bound that is reached drops or refuses, and counts; it never grows.
 */
struct tlsyn_limits {
    uint32_t connections; /* TCBs of all states together, TIME-WAIT included */
    uint32_t time_wait;   /* of these, in TIME-WAIT; the oldest leaves when more come */
    uint32_t listeners;
    uint32_t syn_backlog; /* connections in SYN-RECEIVED, of all listeners; more: see syn_cookies */
    /* A full backlog answers with SYN cookies (RFC 4987 3.6), unless its oldest entry has had three
     * seconds and leaves; false: the oldest leaves always. */
    bool syn_cookies;
    /* Connections that one source (an IPv4 address, an IPv6 /64) may begin within three seconds
     * without completing them; beyond, it gets SYN cookies. */
    uint32_t syns_per_source;
    /* Connections of the backlog with an engine that has taken the SYN's payload, at most half of
     * them without a valid cookie. Full: the oldest leaves once it has had three seconds. */
    uint32_t embedded_backlog;
    uint32_t embedded_per_source; /* as syns_per_source, for those with a valid cookie */
    uint32_t embedded_per_second; /* payloads admitted without a cookie; more: one is required */
    uint32_t sources;             /* buckets that sources are counted in; 0: they are not */
    uint64_t ring_bytes;          /* memory of all send and receive buffers together */
    uint32_t snd_ring_max;        /* bytes of send buffer per connection */
    uint32_t rcv_ring_max;        /* bytes of receive buffer per connection */
    uint32_t ooo_ranges;          /* holes kept per connection in the receive ring */
    uint32_t sent_pieces; /* transmissions on their way told apart, per connection with SACK;
                                 0: none, loss is found by duplicate ACKs */
    uint32_t neighbours;  /* entries of the neighbour cache */
    uint32_t neighbour_queue_bytes; /* of frames that wait for an unresolved one; one is kept */
    uint32_t routes;
    uint32_t addresses; /* of one interface, link-local ones included; 16 at most */
    uint32_t routers;   /* default routers that have advertised themselves */
    uint32_t prefixes;  /* networks on a link that a router has advertised */
    uint32_t redirects; /* destinations for which a router has named a better first hop */
    uint32_t udp_endpoints;
    uint32_t udp_queue_bytes; /* UDP's share of reply_queue_bytes; more: -EAGAIN */
    uint32_t destinations;    /* remembered peers: cookie, MSS, what was measured */
    tlsyn_time metrics_age;   /* measurements are forgotten after this (RFC 9040); 0: at once */
    bool metrics_ssthresh;    /* ssthresh is remembered too */
    /* A peer towards which an embedded open has failed gets plain SYNs for so long, twice as long
     * after each further failure, up to the second (RFC 7413 4.1.3.1); 0: never. */
    tlsyn_time embed_off_min, embed_off_max;
    uint32_t reassembly_datagrams; /* being reassembled; a quarter of them from one source */
    uint32_t reassembly_fragments; /* of one datagram; 128: 64 KiB over a path of 576 */
    uint32_t reassembly_bytes;     /* of memory for fragments; a quarter of it for one source */
    tlsyn_time reassembly_timeout; /* IPv4; IPv6 has 60 s (RFC 8200 4.5) */
    uint32_t path_mtus;            /* destinations whose path is narrower than its first link */
    uint32_t reply_queue_bytes; /* ARP, ICMP and RST answers, and datagrams, waiting for output */
    uint32_t icmp_per_second;   /* ICMP messages sent in answer to something */
    /* IPv4 datagrams that came by a source route are taken, and connections that begin with one
     * answer by it (RFC 9293 3.9.2.1). Who writes a route gets the answers, whosever address he
     * writes from: so they are dropped unless asked for (RFC 7126 4.3, 4.4). */
    bool source_routes;
    uint32_t rst_per_second;       /* RSTs to segments of no connection */
    uint32_t challenge_per_second; /* challenge ACKs of one connection, RFC 5961 7 */
    tlsyn_time msl;                /* maximum segment lifetime; TIME-WAIT lasts twice that */
    tlsyn_time rto_min;            /* RFC 6298 (2.4) asks for 1 s; hosts of today use 200 ms */
    tlsyn_time rto_max;
    uint8_t quick_acks; /* segments at the beginning of a connection that are acknowledged one by
                           one, until we answer: the peer's slow start grows by ACKs */
    tlsyn_time delack;  /* how long an ACK is delayed at most; RFC 9293 3.8.6.3: below 500 ms */
    tlsyn_time max_ack_delay; /* how long a peer is assumed to delay one (RFC 8985 7.2) */
    tlsyn_time syn_timeout;   /* R2 of a SYN or SYN-ACK: give up after */
    tlsyn_time user_timeout;  /* R2 of text: give up after */
    /* A peer that has kept its window shut for so long gives way (-ENOMEM) where memory for buffers
     * or a place for a connection is missing (RFC 6429). */
    tlsyn_time shut_time;
};

void tlsyn_limits_default(struct tlsyn_limits *limits);

/** Memory: realloc(3)'s semantics, with free as size 0. May return NULL; the stack then drops what
 * it was doing and stays consistent. */
struct tlsyn_alloc {
    void *(*resize)(struct tlsyn_alloc *, void *memory, size_t size);
};

/** Randomness; must be unpredictable outside tests. */
struct tlsyn_random {
    void (*fill)(struct tlsyn_random *, void *bytes, size_t size);
};

/** The libc allocator, and the kernel's random number generator. */
struct tlsyn_alloc *tlsyn_alloc_libc(void);
struct tlsyn_random *tlsyn_random_kernel(void);

enum tlsyn_transport { TLSYN_TCP, TLSYN_UDP };

/**
 * Shares the local ports with somebody else, say the kernel, where an address is not the stack's
 * alone. Each connection, listener and UDP endpoint takes its local port when it comes to be, and
 * gives it back when nothing is expected for it any more, TIME-WAIT included. No call on the stack
 * is allowed inside.
 */
struct tlsyn_ports {
    /** With port 0 in *local it chooses one and writes it there, with another it takes that one,
     * which may be taken already: each take has its own give. 0, or why the stack's user can't have
     * it: -EADDRINUSE, -EACCES, -EMFILE. */
    int (*take)(struct tlsyn_ports *, enum tlsyn_transport, struct tlsyn_endpoint *local);
    void (*give)(struct tlsyn_ports *, enum tlsyn_transport, const struct tlsyn_endpoint *local);
};

struct tlsyn_stack_options {
    const struct tlsyn_limits *limits; /* copied; NULL: the defaults */
    struct tlsyn_alloc *alloc;         /* NULL: libc's */
    struct tlsyn_random *random;       /* NULL: the kernel's */
    struct tlsyn_trace *trace;         /* NULL: none */
    tlsyn_time now;                    /* the clock's reading at birth */
    struct tlsyn_ports *ports;         /* NULL: the stack chooses alone */
    /* The addresses belong to another stack too, say the kernel's, which answers for them: this
     * one is silent to ARP and neighbour discovery, to pings, and on ports that nobody here has. An
     * IPv6 address may be used at once, and brings no link-local one. */
    bool shared;
};

/** NULL when memory is short. */
struct tlsyn_stack *tlsyn_stack_new(const struct tlsyn_stack_options *options);

/** Frees the stack and all that it owns, without a word on the wire: each connection's on_closed is
 * called with -ECONNABORTED first. Links stay open: they are the caller's. */
void tlsyn_stack_free(struct tlsyn_stack *stack);

/** The time frozen at the last of the four calls. */
tlsyn_time tlsyn_stack_now(const struct tlsyn_stack *stack);

#define TLSYN_ISN_SECRET 16 /* octets */

/**
 * Replaces the secret behind initial sequence numbers and timestamp offsets (RFC 6528 3), which is
 * random at first. Stacks that use an address one after the other, by one clock and with one
 * secret, number their connections as one host would: a server that still has a connection of the
 * last stack in TIME-WAIT sees that a SYN of the next one from the same port is newer, and accepts
 * it (RFC 6191). 0; -EISCONN: the stack has numbered a connection already.
 */
int tlsyn_stack_isn_secret(struct tlsyn_stack *stack, const uint8_t secret[TLSYN_ISN_SECRET]);

struct tlsyn_random *tlsyn_stack_random(struct tlsyn_stack *stack);
struct tlsyn_alloc *tlsyn_stack_alloc(struct tlsyn_stack *stack);
struct tlsyn_trace *tlsyn_stack_trace(struct tlsyn_stack *stack);

/* --- interfaces and routes -------------------------------------------------------------------- */

/** Puts a link under the stack; *iface is the stack's. The link must outlive the stack. 0; -EINVAL:
 * the link's Ethernet address is no host's, or its MTU is too small for IPv4; -ENOMEM. */
int tlsyn_iface_add(struct tlsyn_stack *stack, struct tlsyn_link *link, struct tlsyn_iface **iface);

struct tlsyn_link *tlsyn_iface_link(struct tlsyn_iface *iface);

/**
 * Gives the interface an address; its network becomes reachable without a gateway. An IPv4 address
 * may be used at once. An IPv6 address is tentative for a second, until nobody has claimed it (RFC
 * 4862 5.4): connections can't be opened from it and nothing that is sent to it is taken before
 * tlsyn_address_handler says that it is usable. The first IPv6 address gives the interface a
 * link-local one, too.
 *
 * -EADDRINUSE: has it already; -EINVAL: no host's address; -ENOBUFS: limits.addresses, or
 * limits.routes; -EMSGSIZE: IPv6, and the link carries less than 1280 bytes; -ENOMEM.
 */
int tlsyn_iface_address(struct tlsyn_iface *iface, const struct tlsyn_addr *address,
                        int prefix_len);

/** Takes an address away. With an IPv4 address go the routes whose datagrams leave from it; an IPv6
 * address goes at the next tlsyn_stack_timers(), and the networks of its link stay reachable.
 * Connections on it are left as they are, and hear nothing more. -EADDRNOTAVAIL: the interface does
 * not have it. */
int tlsyn_iface_address_remove(struct tlsyn_iface *iface, const struct tlsyn_addr *address);

enum tlsyn_address_state {
    TLSYN_ADDRESS_NONE = 0,   /* no address of the interface */
    TLSYN_ADDRESS_TENTATIVE,  /* being asked about: not usable yet */
    TLSYN_ADDRESS_PREFERRED,  /* usable */
    TLSYN_ADDRESS_DEPRECATED, /* usable, but not for new connections if there is another */
    TLSYN_ADDRESS_DUPLICATE,  /* somebody else has it: not usable */
};

enum tlsyn_address_state tlsyn_iface_address_state(const struct tlsyn_iface *iface,
                                                   const struct tlsyn_addr *address);

struct tlsyn_iface_address_info {
    struct tlsyn_addr address;
    int prefix_len;
    enum tlsyn_address_state state;
    tlsyn_time preferred_until, valid_until; /* TLSYN_NEVER: for ever */
};

/** The interface's addresses, at most `max` of them; how many were written. */
int tlsyn_iface_addresses(const struct tlsyn_iface *iface, struct tlsyn_iface_address_info *info,
                          int max);

/** Learns of each change of an IPv6 address's state, inside the call that made it: given or made
 * (tentative), usable, deprecated, duplicate, gone (none). Calls on connections are
 * allowed in it. */
struct tlsyn_address_handler {
    void (*on_address)(struct tlsyn_address_handler *, struct tlsyn_iface *,
                       const struct tlsyn_addr *, int prefix_len, enum tlsyn_address_state);
};

/** One handler per interface; NULL: none. It must outlive the stack, or be taken away. */
void tlsyn_iface_watch(struct tlsyn_iface *iface, struct tlsyn_address_handler *handler);

/** How often an IPv6 address that is given or made from now on is asked about, a second apart,
 * before it is used (RFC 4862 5.1, DupAddrDetectTransmits). 1 is the default; 0: it may be used at
 * once, where something else sees to it that nobody else has it. */
void tlsyn_iface_dad(struct tlsyn_iface *iface, int transmits);

/** Bytes of its secret. */
#define TLSYN_AUTOCONF_SECRET 16

/**
 * Listens to the routers of the link from now on, and asks for them (RFC 4861 6.3): default
 * routers, networks on the link, parameters, and addresses made out of the prefixes that they
 * advertise (RFC 4862 5.5). The lower half of these, and of the link-local address, is a keyed hash
 * of prefix and Ethernet address (RFC 7217): with the same secret it is the same each time; with
 * NULL it is another one for each stack. To be called before an IPv6 address is given, if the
 * secret shall count for the link-local address. 0; -EMSGSIZE: the link carries less than 1280
 * bytes; -ENOBUFS.
 */
int tlsyn_iface_autoconf(struct tlsyn_iface *iface, const uint8_t secret[TLSYN_AUTOCONF_SECRET]);

/** Tells everybody on the link about every address, by ARP announcement (RFC 5227 2.3) or
 * unsolicited neighbour advertisement (RFC 4861 7.2.6), so that peers replace a stale entry. */
void tlsyn_iface_announce(struct tlsyn_iface *iface);

/** Asks the network whether somebody has the IPv4 address already: three ARP probes (RFC 5227
 * 2.1.1) leave with the next outputs; call tlsyn_iface_conflict() after a second or so. (IPv6
 * addresses are asked about by themselves.) -EAFNOSUPPORT: IPv6; -EOPNOTSUPP: a point-to-point
 * link. */
int tlsyn_iface_probe(struct tlsyn_iface *iface, const struct tlsyn_addr *address);

/** True once somebody else was seen to use an address of this interface, or the probed one. */
bool tlsyn_iface_conflict(const struct tlsyn_iface *iface);

/** Datagrams for `network`/`prefix_len` go through `gateway`. The default route has prefix_len 0.
 * The longest prefix wins. 0; -ENETUNREACH: the gateway is in no network of an interface; -EINVAL:
 * it is ours, or of another family; -EEXIST; -ENOBUFS: limits.routes; -ENOMEM. */
int tlsyn_route_add(struct tlsyn_stack *stack, const struct tlsyn_addr *network, int prefix_len,
                    const struct tlsyn_addr *gateway);

/** Whether `address` is one of the stack's own. */
bool tlsyn_stack_owns(const struct tlsyn_stack *stack, const struct tlsyn_addr *address);

/** Whether some connection has text or a FIN that its peer has not acknowledged. */
bool tlsyn_stack_is_sending(const struct tlsyn_stack *stack);

/* --- the four calls --------------------------------------------------------------------------- */

/** One received frame. What is wrong with it is counted and dropped; 0 always but for -EINVAL
 * (foreign iface). Nothing of the frame is kept. */
int tlsyn_stack_input(struct tlsyn_stack *stack, struct tlsyn_iface *iface,
                      const struct tlsyn_frame *frame, tlsyn_time now);

/** Runs every timer that is due. */
void tlsyn_stack_timers(struct tlsyn_stack *stack, tlsyn_time now);

/** Sends what is due: answers waiting, then every connection that is ready. The number of frames
 * handed to links. */
int tlsyn_stack_output(struct tlsyn_stack *stack, tlsyn_time now);

/** When tlsyn_stack_timers() has work next, or TLSYN_NEVER; not later than now if
 * tlsyn_stack_output() has some. */
tlsyn_time tlsyn_stack_next_timeout(const struct tlsyn_stack *stack);

/* --- echo ------------------------------------------------------------------------------------- */

/** Gets the answers to tlsyn_ping(). `error` is 0, or -errno from an ICMP error (-EHOSTUNREACH,
 * -ENETUNREACH). */
struct tlsyn_ping_handler {
    void (*on_reply)(struct tlsyn_ping_handler *, const struct tlsyn_addr *from, uint16_t sequence,
                     size_t size, uint8_t ttl, int error);
};

/** Sends one ICMP echo request (RFC 792, RFC 4443) with `size` bytes of payload, at most 1472, or
 * 1452 over IPv6. `id` tells runs apart; answers with this id go to `handler` until
 * tlsyn_ping_stop(). 0; -EBUSY: another handler's run is not over; -EINVAL: `size`; -ENETUNREACH:
 * no route; -ENOBUFS, -ENOMEM. */
int tlsyn_ping(struct tlsyn_stack *stack, const struct tlsyn_addr *to, uint16_t id,
               uint16_t sequence, size_t size, struct tlsyn_ping_handler *handler);
void tlsyn_ping_stop(struct tlsyn_stack *stack);

/* --- counters --------------------------------------------------------------------------------- */

enum tlsyn_counter {
#define COUNTER(name, text) TLSYN_COUNT_##name,
#include <tlsyn/counters.def>
#undef COUNTER
    TLSYN_COUNTERS
};

enum tlsyn_drop {
#define DROP(name, text) TLSYN_DROP_##name,
#include <tlsyn/drops.def>
#undef DROP
    TLSYN_DROPS
};

uint64_t tlsyn_counter(const struct tlsyn_stack *stack, enum tlsyn_counter counter);
uint64_t tlsyn_drops(const struct tlsyn_stack *stack, enum tlsyn_drop reason);

/** Counts one event: for engines, whose events count among the stack's. */
void tlsyn_count(struct tlsyn_stack *stack, enum tlsyn_counter counter);

/** "TcpActiveOpens", the name that nstat(8) uses where it has one. */
const char *tlsyn_counter_name(enum tlsyn_counter counter);
/** "tcp-checksum" and the like. */
const char *tlsyn_drop_name(enum tlsyn_drop reason);

#ifdef __cplusplus
}
#endif

#endif
