/*
 * wire/ip6.h: the IPv6 header (RFC 8200 3) and the extension headers behind it, between their
 * octets and host order.
 */
#ifndef TLSYN_WIRE_IP6_H
#define TLSYN_WIRE_IP6_H

#include <tlsyn/types.h>

#define IP6_HEADER_LEN   40
#define IP6_MTU_MIN      1280 /* RFC 8200 5: every link carries that much */
#define IP6_FRAGMENT_LEN 8

/** Extension headers of one datagram that are read; RFC 8504 5.3 lets a host refuse more. */
#define IP6_EXTENSIONS_MAX 8

enum ip6_next {
    IP6_HOP_BY_HOP = 0,
    IP6_ROUTING = 43,
    IP6_FRAGMENT = 44,
    IP6_ICMP = 58,
    IP6_NONE = 59,
    IP6_DESTINATION = 60,
};

struct wire_ip6 {
    struct tlsyn_addr src, dst;
    uint8_t tos;   /* traffic class */
    uint32_t flow; /* label, 20 bits */
    uint8_t next;  /* header: an extension's, or the protocol's */
    uint8_t hop_limit;
    uint16_t payload_len;   /* octets behind this header, extensions included */
    const uint8_t *payload; /* parse only: behind this header, without padding of the frame */
    uint16_t
        payload_there; /* parse only: octets of it that are there; fewer in what an error quotes */
};

/** 0; -EPROTONOSUPPORT: another version; -EMSGSIZE: shorter than it says. A payload length of 0 is
 * taken for what it says: jumbograms are none of ours. */
int wire_ip6_parse(const uint8_t *bytes, size_t len, struct wire_ip6 *ip);

/** The same for a datagram quoted in an ICMP error, which may be cut short behind its header. */
int wire_ip6_parse_quoted(const uint8_t *bytes, size_t len, struct wire_ip6 *ip);

/** IP6_HEADER_LEN; -ENOSPC. */
int wire_ip6_emit(const struct wire_ip6 *ip, uint8_t *bytes, size_t room);

/** Where a chain of extension headers ends, or is broken. */
struct wire_ip6_chain {
    uint8_t protocol;       /* the first header that is no extension, or IP6_FRAGMENT */
    const uint8_t *payload; /* that header's octets */
    uint16_t payload_len;
    uint16_t protocol_at; /* octets from the IPv6 header to the field that names `protocol` */
    /* -EPROTO: what ICMPv6's parameter problem says (RFC 4443 3.4) */
    uint8_t problem;          /* code */
    bool problem_to_group;    /* also to be told of what was sent to a group (RFC 8200 4.2) */
    uint16_t problem_pointer; /* octets from the IPv6 header */
};

/**
 * Walks hop-by-hop options, destination options and routing headers without segments left, up to
 * what is none of these. It ends at a fragment header as at a protocol. 0; -EMSGSIZE: a header is
 * longer than what is there; -EPROTO: a parameter problem; -EBADMSG: to be discarded in silence (an
 * option that asks for it, too many headers).
 */
int wire_ip6_walk(const struct wire_ip6 *ip, struct wire_ip6_chain *chain);

/** The fragment header (RFC 8200 4.5). */
struct wire_ip6_fragment {
    uint8_t next; /* what the datagram goes on with */
    bool mf;
    uint16_t offset; /* octets: a multiple of 8 */
    uint32_t id;
};

/** 0; -EMSGSIZE. */
int wire_ip6_fragment_parse(const uint8_t *bytes, size_t len, struct wire_ip6_fragment *fragment);

/** IP6_FRAGMENT_LEN; -ENOSPC. */
int wire_ip6_fragment_emit(const struct wire_ip6_fragment *fragment, uint8_t *bytes, size_t room);

/* --- addresses -------------------------------------------------------------------------------- */

static inline bool ip6_is_multicast(const struct tlsyn_addr *a)
{
    return a->byte[0] == 0xff;
}

/** fe80::/10 */
static inline bool ip6_is_link_local(const struct tlsyn_addr *a)
{
    return a->byte[0] == 0xfe && (a->byte[1] & 0xc0) == 0x80;
}

/** ::1 */
static inline bool ip6_is_loopback(const struct tlsyn_addr *a)
{
    static const struct tlsyn_addr loopback = {.byte = {[15] = 1}};

    return tlsyn_addr_eq(a, &loopback);
}

/** True if the address may be a host's: not unspecified, loopback or a group's, and not
 * IPv4's in disguise. */
static inline bool ip6_is_host(const struct tlsyn_addr *a)
{
    return !tlsyn_addr_is_ip4(a) && !tlsyn_addr_unspecified(a) && !ip6_is_loopback(a) &&
           !ip6_is_multicast(a);
}

/** ff02::1 */
struct tlsyn_addr ip6_all_nodes(void);

/** ff02::2 */
struct tlsyn_addr ip6_all_routers(void);

/** ff02::1:ffxx:xxxx, the solicited-node group of an address (RFC 4291 2.7.1). */
struct tlsyn_addr ip6_solicited_node(const struct tlsyn_addr *addr);

/** 33:33:xx:xx:xx:xx, the Ethernet address of a group (RFC 2464 7). */
void ip6_group_hwaddr(const struct tlsyn_addr *group, uint8_t hwaddr[6]);

#endif
