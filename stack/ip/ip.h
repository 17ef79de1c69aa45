/*
 * ip/ip.h: the IP layer of one stack: its interfaces, neighbours, routes and the way out. Read
 * first: RFC 791, RFC 1122 3.
 *
 * Upwards goes by return value: ip_input() says what arrived, and stack.c hands it to the protocol;
 * this room never names one. Errors go the same way: those that arrived come from ip_input(), those
 * of our own neighbour cache from ip_error_take().
 *
 *     ip_init -> ip_iface_add -> tlsyn_iface_address -> [ip_route_add]
 *         -> { [ip_input, ip_input_done]*, ip_error_take*, ip_output_open, ip_output*,
 *         ip_output_close }* -> ip_release
 *
 * All of it is pure: time is the context's `now`, timers are on the context's wheel, and a link is
 * called by ip_output_open() and what follows up to ip_output_close() alone.
 */
#ifndef TLSYN_IP_IP_H
#define TLSYN_IP_IP_H

#include "core/context.h"
#include "ip/frag.h"
#include "ip/icmp.h"
#include "ip/iface.h"
#include "ip/neigh.h"
#include "ip/output.h"
#include "ip/pmtu.h"
#include "ip/route.h"
#include "ip/router.h"
#include "ip/split.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define IP_PROTOCOL_ICMP  1
#define IP_PROTOCOL_TCP   6
#define IP_PROTOCOL_UDP   17
#define IP_PROTOCOL_ICMP6 58

/** Octets of the IP header that we put before what goes to, or comes from, this address. */
static inline uint16_t ip_header_len(const struct tlsyn_addr *addr)
{
    return tlsyn_addr_is_ip4(addr) ? IP4_HEADER_LEN : IP6_HEADER_LEN;
}

/** The layer's state, embedded in the stack. The members are this room's own. */
struct ip {
    struct context *cx;
    struct list ifaces;
    uint32_t iface_count;
    struct tlsyn_iface *loopback; /* the way to our own addresses, or NULL */
    struct routes routes;
    struct routers routers; /* IPv6's, that have advertised themselves */
    struct neigh_cache neigh;
    struct icmp icmp;
    struct frags frags;
    struct split split;
    struct pmtus pmtus;
    struct outbox out;
};

/** A datagram for a protocol above. Header and payload are in the frame, or, put together from
 * fragments, in this room's memory; in either case they are good until ip_input_done(). */
struct ip_datagram {
    struct tlsyn_iface *iface;
    struct tlsyn_addr src, dst;
    uint8_t protocol;
    uint8_t ttl;
    uint8_t tos;
    bool broadcast;        /* to the limited broadcast address, a network's, or an IPv6 group */
    bool csum_verified;    /* the transport checksum needs no look */
    uint16_t gso_size;     /* coalesced: text bytes per original segment; 0: not coalesced */
    uint16_t protocol_at;  /* IPv6: octets from `header` to the field that names `protocol` */
    const uint8_t *header; /* of IP, up to the payload: an ICMP error quotes it */
    const uint8_t *payload;
    size_t len;
};

/**
 * What became of something we sent: an ICMP error (RFC 1122 3.2.2), the quoted header parsed and
 * its source found to be ours, or a neighbour that does not answer.
 */
struct ip_error {
    /* -EHOSTUNREACH, -ENETUNREACH, -ECONNREFUSED (port, protocol), -EMSGSIZE, -ETIMEDOUT (time
     * exceeded), -EPROTO (parameter problem) */
    int error;
    /* RFC 1122 4.2.3.9: may end a connection that is being opened; so may a neighbour's silence. */
    bool hard;
    /* of -EMSGSIZE: the router's word, or a guess where it said none; less than was sent */
    uint16_t mtu;
    uint8_t protocol;
    struct tlsyn_addr src, dst; /* of the quoted datagram: src is ours */
    uint8_t quoted[8];          /* the first octets of its payload */
    /* The ICMP message, as it names itself, and whose it is: of a neighbour's silence, which has
     * none, host (address) unreachable and our own. */
    uint8_t type, code;
    struct tlsyn_addr from;
    /* What else is quoted of that payload, while the message's frame is in hand. */
    const uint8_t *rest;
    size_t rest_len;
};

enum ip_verdict {
    IP_CONSUMED = 0, /* handled here, or dropped */
    IP_DATAGRAM,     /* out->datagram is for a protocol above */
    IP_ERROR,        /* out->error is for a protocol above */
};

struct ip_arrival {
    struct ip_datagram datagram;
    struct ip_error error;
};

/** Takes one frame: Ethernet, then ARP, IPv4 with ICMP, or IPv6 with ICMPv6 and neighbour
 * discovery. ip_input_done() follows, before the next one. */
enum ip_verdict ip_input(struct ip *ip, struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                         struct ip_arrival *out);

/** The source route by which to answer a datagram; straight, unless it came by one. */
struct tlsyn_source_route ip_route_back(const struct ip_datagram *datagram);

/** The next step on the way to an address. */
struct ip_hop {
    struct tlsyn_iface *iface;
    struct tlsyn_addr next; /* the neighbour: a gateway, or the destination itself */
    const struct route
        *route; /* of the routing table; NULL: a router's word, or a link-local address */
};

/** `src` is ours, or NULL: of several links a link-local destination is on that of a link-local
 * source. False: there is no way, or no datagram can go there (a group, a network, ourselves). */
bool ip_hop_find(const struct ip *ip, const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                 struct ip_hop *hop);

/** What the last ip_input() returned is not looked at any more. */
void ip_input_done(struct ip *ip);

/** How to reach an address: source address, MTU. */
struct ip_path {
    struct tlsyn_iface *iface;
    struct tlsyn_addr src; /* our address to use, unless the caller has one */
    struct tlsyn_addr next_hop;
    uint16_t mtu;      /* octets that are believed to pass */
    uint16_t link_mtu; /* of the first link: not less */
    uint32_t gso_max;  /* of the link; 0: one segment per frame */
};

/** 0; -ENETUNREACH: there is no way; -EADDRNOTAVAIL: none of our addresses there is usable
 * (yet). */
int ip_path_find(const struct ip *ip, const struct tlsyn_addr *dst, struct ip_path *path);

/** The path to `dst` takes datagrams of so many octets; the caller has made sure of it.
 * See ip/pmtu.h. */
void ip_learn_mtu(struct ip *ip, const struct tlsyn_addr *dst, uint16_t mtu);

/** True if the address is one of ours. */
bool ip_is_ours(const struct ip *ip, const struct tlsyn_addr *address);

/** 127.0.0.0/8, ::1: never seen on a wire. */
bool ip_is_loopback(const struct tlsyn_addr *address);

/** May a datagram with these addresses come in here? On the loopback only from us, elsewhere from
 * others alone. */
bool ip_may_arrive(const struct tlsyn_iface *iface, const struct tlsyn_addr *src,
                   const struct tlsyn_addr *dst);

#define IP_TRANSPORT_HEADER_MAX 60

/** One datagram to be sent: a transport header and up to two pieces of text. */
struct ip_tx {
    struct tlsyn_addr src, dst;
    uint8_t protocol;
    uint8_t tos;
    uint8_t ttl; /* 0: 64 */
    uint8_t header_len;
    /* Of the transport checksum in `header`, where its field is zero: ip_output() fills it in, or
     * lets the link. ICMP's has no pseudo-header. */
    uint8_t csum_offset;
    uint8_t header[IP_TRANSPORT_HEADER_MAX];
    bool may_fragment; /* if longer than the path takes, it leaves in fragments */
    bool by_path;      /* what is known of the path counts, not its first link alone */
    bool no_df;        /* over IPv4, routers may cut it (RFC 791 3.2) */
    uint16_t mtu_max;  /* 0, or what it is taken to be, if it is more */
    const struct tlsyn_source_route *via; /* over IPv4: by which way to `dst`; or NULL */
    bool confirms; /* `dst` answers: its first hop needs no probe (RFC 4861 7.3.1) */
    struct tlsyn_view text;
    /* Text bytes per segment, when the text is longer than one and the path's gso_max
     * allows it; else 0. */
    uint16_t gso_size;
};

/**
 * Sends one datagram, over IPv4 with DF set (RFC 1191) unless no_df. 0; IP_OUTPUT_WAITS: it waits
 * for its neighbour's address; or it was dropped (and counted): -ENETUNREACH; -EHOSTUNREACH: the
 * neighbour did not answer lately; -ENOBUFS, -ENOMEM; -EMSGSIZE: longer than the link's MTU or
 * gso_max, or, with may_fragment, than any datagram.
 *
 * Between ip_output_open() and ip_output_close() the frame refers to the text where it lies and
 * goes to the link in a batch, not later than ip_output_close(): until then the text must stay
 * there, unchanged. At any other time it is copied into the reply queue (limits.reply_queue_bytes),
 * which the next ip_output_open() sends. Frames to a neighbour that is not resolved yet are copied
 * too, into its queue.
 */
int ip_output(struct ip *ip, const struct ip_tx *tx);

#define IP_OUTPUT_WAITS 1

/** Sends what waits: frames whose neighbour has answered, then the reply queue. */
void ip_output_open(struct ip *ip);

/** Flushes, with what came into the reply queue since; the number of frames that links took since
 * ip_output_open(). */
int ip_output_close(struct ip *ip);

/** Between open and close: frames refer to text where it lies. */
bool ip_output_is_open(const struct ip *ip);

/** True if frames wait for ip_output_open(): output is due now. */
bool ip_output_is_due(const struct ip *ip);

/** Datagrams to `dst` seem to get lost: its first hop is looked at anew (RFC 1122 3.3.1.4). */
void ip_doubt(struct ip *ip, const struct tlsyn_addr *dst);

/**
 * The next datagram that was dropped because its neighbour did not answer. To be called after
 * timers and after input until it says false. Those of our own echo requests go to their
 * handler instead.
 */
bool ip_error_take(struct ip *ip, struct ip_error *error);

/** Tells the sender of a datagram that nobody knows its protocol (RFC 1122 3.2.2.1), within
 * limits.icmp_per_second. Only while the frame is in hand; the drop is the caller's to count. */
void ip_protocol_unreachable(struct ip *ip, const struct ip_datagram *datagram);

/** The same for a port of a protocol above (RFC 1122 4.1.3.1). */
void ip_port_unreachable(struct ip *ip, const struct ip_datagram *datagram);

/** Tells the source that its datagram is given up, whose first fragment this is (RFC 1122 3.3.2),
 * within limits.icmp_per_second. */
void ip_reassembly_exceeded(struct ip *ip, const struct ip_datagram *first);

/** tlsyn_route_add(): 0; -ENETUNREACH: the gateway is in no network of an interface; -EEXIST: the
 * network has a route; -EINVAL; -ENOBUFS; -ENOMEM. */
int ip_route_add(struct ip *ip, const struct tlsyn_addr *network, int prefix_len,
                 const struct tlsyn_addr *gateway);

/** tlsyn_ping(): 0; -EBUSY: another handler, or another id, has not stopped; -EINVAL: too long;
 * else as ip_output(). */
int ip_ping(struct ip *ip, const struct tlsyn_addr *to, uint16_t id, uint16_t sequence, size_t size,
            struct tlsyn_ping_handler *handler);
void ip_ping_stop(struct ip *ip);

/** Both in place. The context must outlive the layer. 0: always. */
int ip_init(struct ip *ip, struct context *cx);
void ip_release(struct ip *ip);

#endif
