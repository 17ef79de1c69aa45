/*
 * ip/ip.h: the IP layer of one stack: its interfaces, neighbours, routes and the way out. Read first: RFC 791, RFC 1122 3.
 *
 * Upwards goes by return value: ip4_input() says what arrived, and stack.c hands it to the protocol; this room never names one.
 */
#ifndef TLSYN_IP_IP_H
#define TLSYN_IP_IP_H

#include "core/context.h"
#include "core/table.h"

#define IP_PROTOCOL_ICMP 1
#define IP_PROTOCOL_TCP 6
#define IP_PROTOCOL_UDP 17

struct ip; /* the layer's state; members are this room's own, defined below by its author */

/** A datagram for a protocol above. The payload points into the frame. */
struct ip_datagram {
    struct tlsyn_iface *iface;
    struct tlsyn_addr src, dst;
    uint8_t protocol;
    uint8_t ttl;
    uint8_t tos;
    bool broadcast;       /* to a broadcast or multicast address, of IP or of the link */
    bool csum_verified;   /* the transport checksum needs no look */
    uint16_t gso_size;    /* coalesced: text bytes per original segment; 0: not coalesced */
    const uint8_t *payload;
    size_t len;
};

/** An ICMP error about something we sent (RFC 1122 3.2.2), the quoted header parsed and its source found to be ours. */
struct ip_error {
    int error;               /* -EHOSTUNREACH, -ENETUNREACH, -ECONNREFUSED (port, protocol), -EMSGSIZE, -ETIMEDOUT (time exceeded) */
    bool hard;               /* RFC 1122 4.2.3.9: may end a connection that is being opened */
    uint16_t mtu;            /* of -EMSGSIZE, or 0 */
    uint8_t protocol;
    struct tlsyn_addr src, dst; /* of the quoted datagram: src is ours */
    uint8_t quoted[8];       /* the first octets of its payload */
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

/** Takes one frame: Ethernet, then ARP or IPv4 with ICMP. */
enum ip_verdict ip_input(struct ip *ip, struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                         struct ip_arrival *out);

/** How to reach an address: source address, MTU. */
struct ip_path {
    struct tlsyn_iface *iface;
    struct tlsyn_addr src;      /* our address to use, unless the caller has one */
    struct tlsyn_addr next_hop;
    uint16_t mtu;
    uint32_t gso_max;           /* of the link; 0: one segment per frame */
};

/** 0 or -ENETUNREACH. */
int ip_path_find(const struct ip *ip, const struct tlsyn_addr *dst, struct ip_path *path);

/** True if the address is one of ours. */
bool ip_is_ours(const struct ip *ip, const struct tlsyn_addr *address);

#define IP_TRANSPORT_HEADER_MAX 60

/** One datagram to be sent: a transport header and up to two pieces of text. */
struct ip_tx {
    struct tlsyn_addr src, dst;
    uint8_t protocol;
    uint8_t tos;
    uint8_t ttl;             /* 0: 64 */
    uint8_t header_len;
    uint8_t csum_offset;     /* of the transport checksum in `header`; its field is zero there. ip_output() fills it in, or lets the link */
    uint8_t header[IP_TRANSPORT_HEADER_MAX];
    struct tlsyn_view text;
    uint16_t gso_size;       /* text bytes per segment when the text is longer than one and the path's gso_max allows it; else 0 */
};

/**
 * Sends one datagram, with DF set (RFC 1191). 0, or it was dropped (and counted): -ENETUNREACH, -EHOSTUNREACH, -ENOBUFS.
 *
 * Between ip_output_open() and ip_output_close() the frame refers to the text where it lies and goes to the link in a batch, not later
 * than ip_output_close(). At any other time it is copied into the reply queue (limits.reply_queue_bytes), which the next
 * ip_output_open() sends first. Frames to a neighbour that is not resolved yet are copied too, into its queue.
 */
int ip_output(struct ip *ip, const struct ip_tx *tx);

void ip_output_open(struct ip *ip);

/** Flushes; the number of frames that links took since ip_output_open(). */
int ip_output_close(struct ip *ip);

/** True if the reply queue holds something: output is due now. */
bool ip_output_is_due(const struct ip *ip);

/** Tells the neighbour cache that `dst` answers (RFC 4861 7.3.1: forward progress), so that no probe is needed. */
void ip_confirm(struct ip *ip, const struct tlsyn_addr *dst);

int ip_init(struct ip *ip, struct context *cx);
void ip_release(struct ip *ip);

#endif
