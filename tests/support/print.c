/*
 * support/print.c: a packet in one line of text.
 */
#include "support/print.h"

#include "core/text.h"
#include "wire/arp.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/ndp.h"
#include "wire/udp.h"

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP  6
#define PROTOCOL_UDP  17

static void put_number(struct text *t, const char *name, uint64_t number)
{
    text_put(t, name);
    text_put_u64(t, number);
}

static void put_ip4(struct text *t, const uint8_t octets[4])
{
    for (int i = 0; i < 4; i++) {
        if (i)
            text_put_char(t, '.');
        text_put_u64(t, octets[i]);
    }
}

static uint16_t group(const struct tlsyn_addr *addr, int i)
{
    return (uint16_t)(addr->byte[2 * i] << 8 | addr->byte[2 * i + 1]);
}

static void put_group(struct text *t, uint16_t value)
{
    static const char digit[] = "0123456789abcdef";
    int shift = 12;

    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        text_put_char(t, digit[value >> shift & 15]);
}

/** The longest run of zero groups, the first one of several (RFC 5952 4.2); its length, 1
 * counted as none. */
static int zero_run(const struct tlsyn_addr *addr, int *begin)
{
    int longest = 1;

    *begin = 8;
    for (int i = 0, run = 0; i < 8; i++) {
        run = group(addr, i) ? 0 : run + 1;
        if (run > longest) {
            longest = run;
            *begin = i + 1 - run;
        }
    }
    return longest > 1 ? longest : 0;
}

static void put_ip6(struct text *t, const struct tlsyn_addr *addr)
{
    int begin, run = zero_run(addr, &begin);

    for (int i = 0; i < 8; i++) {
        if (i == begin) {
            text_put(t, "::");
            i += run - 1;
            continue;
        }
        if (i && i != begin + run)
            text_put_char(t, ':');
        put_group(t, group(addr, i));
    }
}

static void put_addr(struct text *t, const struct tlsyn_addr *addr)
{
    if (tlsyn_addr_is_ip4(addr))
        put_ip4(t, tlsyn_addr_octets(addr));
    else
        put_ip6(t, addr);
}

static void put_endpoint(struct text *t, const struct tlsyn_addr *addr, uint16_t port)
{
    if (tlsyn_addr_is_ip4(addr)) {
        put_addr(t, addr);
    } else {
        text_put_char(t, '[');
        put_addr(t, addr);
        text_put_char(t, ']');
    }
    put_number(t, ":", port);
}

static void put_hex(struct text *t, const uint8_t *bytes, size_t n)
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        text_put_char(t, digit[bytes[i] >> 4]);
        text_put_char(t, digit[bytes[i] & 15]);
    }
}

static void put_hw(struct text *t, const uint8_t hw[ETHER_ADDR_LEN])
{
    for (int i = 0; i < ETHER_ADDR_LEN; i++) {
        if (i)
            text_put_char(t, ':');
        put_hex(t, hw + i, 1);
    }
}

static void put_flags(struct text *t, uint8_t flags)
{
    static const char letter[] = "FSRP.UEW"; /* tcpdump's, from FIN up to CWR */

    text_put(t, " [");
    for (int i = 0; i < 8; i++) {
        if (flags >> i & 1)
            text_put_char(t, letter[i]);
    }
    text_put_char(t, ']');
}

/** Begins the next option. */
static void put_option(struct text *t, bool *first, const char *name)
{
    text_put(t, *first ? " <" : ",");
    text_put(t, name);
    *first = false;
}

static void put_options(struct text *t, const struct tcp_options *o)
{
    bool first = true;

    if (o->mss) {
        put_option(t, &first, "mss ");
        text_put_u64(t, o->mss);
    }
    if (o->sack_permitted)
        put_option(t, &first, "sackOK");
    if (o->has_ts) {
        put_option(t, &first, "TS val ");
        put_number(t, "", o->tsval);
        put_number(t, " ecr ", o->tsecr);
    }
    if (o->has_wscale) {
        put_option(t, &first, "wscale ");
        text_put_u64(t, o->wscale);
    }
    if (o->has_fastopen) {
        put_option(t, &first, o->fastopen_experimental ? "FOEXP " : "FO ");
        put_hex(t, o->cookie, o->cookie_len);
        if (o->cookie_len == 0)
            text_put(t, "cookiereq");
    }
    for (int i = 0; i < o->sack_count; i++) {
        put_option(t, &first, "sack ");
        put_number(t, "", o->sack[i].left);
        put_number(t, ":", o->sack[i].right);
    }
    if (!first)
        text_put_char(t, '>');
}

static void put_tcp(struct text *t, const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                    const struct wire_tcp *tcp)
{
    put_endpoint(t, src, tcp->src_port);
    text_put(t, " > ");
    put_endpoint(t, dst, tcp->dst_port);
    put_flags(t, tcp->flags);
    put_number(t, " seq ", tcp->seq);
    if (tcp->flags & TCP_ACK)
        put_number(t, " ack ", tcp->ack);
    put_number(t, " win ", tcp->wnd);
    if (tcp->flags & TCP_URG)
        put_number(t, " urg ", tcp->urg);
    put_options(t, &tcp->options);
    put_number(t, " len ", tcp->text_len);
}

/* A datagram of either family, as far as a line is about it. */
struct datagram {
    struct tlsyn_addr src, dst;
    uint8_t protocol;
    const uint8_t *payload;
    size_t len;
    bool fragment;
};

static void put_udp(struct text *t, const struct datagram *d, const struct wire_udp *udp)
{
    put_endpoint(t, &d->src, udp->src_port);
    text_put(t, " > ");
    put_endpoint(t, &d->dst, udp->dst_port);
    put_number(t, " udp len ", udp->payload_len);
}

static const char *icmp_name(uint8_t type)
{
    switch (type) {
    case ICMP4_ECHO:
        return "echo";
    case ICMP4_ECHO_REPLY:
        return "echo-reply";
    case ICMP4_UNREACHABLE:
        return "unreachable";
    case ICMP4_TIME_EXCEEDED:
        return "time-exceeded";
    default:
        return "parameter-problem";
    }
}

static const char *icmp6_name(uint8_t type)
{
    switch (type) {
    case ICMP6_ECHO:
        return "echo";
    case ICMP6_ECHO_REPLY:
        return "echo-reply";
    case ICMP6_UNREACHABLE:
        return "unreachable";
    case ICMP6_PACKET_TOO_BIG:
        return "packet-too-big";
    case ICMP6_TIME_EXCEEDED:
        return "time-exceeded";
    default:
        return "parameter-problem";
    }
}

static const char *ndp_name(uint8_t type)
{
    switch (type) {
    case ICMP6_ROUTER_SOLICITATION:
        return "router-solicitation";
    case ICMP6_ROUTER_ADVERTISEMENT:
        return "router-advertisement";
    case ICMP6_NEIGHBOUR_SOLICITATION:
        return "who-has ";
    case ICMP6_NEIGHBOUR_ADVERTISEMENT:
        return "neighbour ";
    default:
        return "redirect ";
    }
}

static void put_addresses(struct text *t, const struct datagram *d)
{
    put_addr(t, &d->src);
    text_put(t, " > ");
    put_addr(t, &d->dst);
}

/* What follows the name, alike in both families. */
struct message {
    bool error;
    uint8_t code;
    uint16_t id, sequence;
    uint32_t mtu;
    size_t payload_len;
};

static void put_message(struct text *t, const struct message *m)
{
    if (m->error) {
        put_number(t, " code ", m->code);
    } else {
        put_number(t, " id ", m->id);
        put_number(t, " seq ", m->sequence);
    }
    if (m->mtu)
        put_number(t, " mtu ", m->mtu);
    put_number(t, " len ", m->payload_len);
}

static void put_icmp(struct text *t, const struct datagram *d, const struct wire_icmp4 *icmp)
{
    const struct message m = {
        icmp4_is_error(icmp->type), icmp->code, icmp->id, icmp->sequence, icmp->mtu,
        icmp->payload_len};

    put_addresses(t, d);
    text_put(t, " icmp ");
    text_put(t, icmp_name(icmp->type));
    put_message(t, &m);
}

static void put_icmp6(struct text *t, const struct datagram *d, const struct wire_icmp6 *icmp)
{
    const struct message m = {
        icmp6_is_error(icmp->type), icmp->code, icmp->id, icmp->sequence, icmp->mtu,
        icmp->payload_len};

    put_addresses(t, d);
    text_put(t, " icmp6 ");
    text_put(t, icmp6_name(icmp->type));
    put_message(t, &m);
}

static void put_ndp(struct text *t, const struct datagram *d, const struct wire_ndp *ndp)
{
    put_addresses(t, d);
    text_put(t, " icmp6 ");
    text_put(t, ndp_name(ndp->type));
    if (ndp->type >= ICMP6_NEIGHBOUR_SOLICITATION)
        put_addr(t, &ndp->target);
    if (ndp->has_source_hw || ndp->has_target_hw) {
        text_put(t, ndp->has_target_hw ? " is-at " : " from ");
        put_hw(t, ndp->has_target_hw ? ndp->target_hw : ndp->source_hw);
    }
    if (ndp->type == ICMP6_ROUTER_ADVERTISEMENT)
        put_number(t, " lifetime ", ndp->lifetime);
    for (int i = 0; i < ndp->prefix_count; i++) {
        text_put(t, " prefix ");
        put_addr(t, &ndp->prefix[i].prefix);
        put_number(t, "/", ndp->prefix[i].len);
    }
}

static void put_other(struct text *t, const struct datagram *d)
{
    put_addresses(t, d);
    put_number(t, " protocol ", d->protocol);
    text_put(t, d->fragment ? " fragment" : "");
    put_number(t, " len ", d->len);
}

/* False: it is no message of ICMP or ICMPv6 that has a line of its own. */
static bool put_any_icmp(struct text *t, const struct datagram *d)
{
    struct wire_icmp4 icmp;
    struct wire_icmp6 icmp6;
    struct wire_ndp ndp;

    if (d->protocol == PROTOCOL_ICMP && wire_icmp4_parse(d->payload, d->len, &icmp) == 0)
        put_icmp(t, d, &icmp);
    else if (d->protocol == IP6_ICMP && wire_icmp6_parse(d->payload, d->len, &icmp6) == 0)
        put_icmp6(t, d, &icmp6);
    else if (d->protocol == IP6_ICMP && wire_ndp_parse(d->payload, d->len, &ndp) == 0)
        put_ndp(t, d, &ndp);
    else
        return false;
    return true;
}

static void put_datagram(struct text *t, const struct datagram *d)
{
    struct wire_tcp tcp;
    struct wire_udp udp;

    if (d->fragment)
        put_other(t, d);
    else if (d->protocol == PROTOCOL_TCP && wire_tcp_parse(d->payload, d->len, &tcp) == 0)
        put_tcp(t, &d->src, &d->dst, &tcp);
    else if (d->protocol == PROTOCOL_UDP && wire_udp_parse(d->payload, d->len, &udp) == 0)
        put_udp(t, d, &udp);
    else if (!put_any_icmp(t, d))
        put_other(t, d);
}

static bool read_ip4(const uint8_t *bytes, size_t len, struct datagram *d)
{
    struct wire_ip4 ip;

    if (wire_ip4_parse(bytes, len, &ip) < 0)
        return false;
    *d = (struct datagram){ip.src,     ip.dst,         ip.protocol,
                           ip.payload, ip.payload_len, ip.mf || ip.offset > 0};
    return true;
}

static bool read_ip6(const uint8_t *bytes, size_t len, struct datagram *d)
{
    struct wire_ip6 ip;
    struct wire_ip6_chain chain;

    if (wire_ip6_parse(bytes, len, &ip) < 0 || wire_ip6_walk(&ip, &chain) < 0)
        return false;
    *d = (struct datagram){ip.src,
                           ip.dst,
                           chain.protocol,
                           chain.payload,
                           chain.payload_len,
                           chain.protocol == IP6_FRAGMENT};
    return true;
}

static void put_ip(struct text *t, const struct wire_ether *ether)
{
    struct datagram d;
    bool read = ether->type == ETHER_TYPE_IP4 ? read_ip4(ether->payload, ether->payload_len, &d)
                                              : read_ip6(ether->payload, ether->payload_len, &d);

    if (read)
        put_datagram(t, &d);
    else
        put_number(t, "malformed ip len ", ether->payload_len);
}

static void put_arp(struct text *t, const struct wire_arp *arp)
{
    if (arp->op == ARP_REQUEST) {
        text_put(t, "arp who-has ");
        put_addr(t, &arp->target);
        text_put(t, " tell ");
        put_addr(t, &arp->sender);
    } else {
        text_put(t, "arp ");
        put_addr(t, &arp->sender);
        text_put(t, " is-at ");
        put_hw(t, arp->sender_hw);
    }
}

int print_addr(const struct tlsyn_addr *addr, char *line, size_t size)
{
    struct text t;

    text_init(&t, line, size);
    put_addr(&t, addr);
    return text_finish(&t);
}

int print_tcp(const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
              const struct wire_tcp *tcp, char *line, size_t size)
{
    struct text t;

    text_init(&t, line, size);
    put_tcp(&t, src, dst, tcp);
    return text_finish(&t);
}

int print_frame(const uint8_t *frame, size_t len, char *line, size_t size)
{
    struct text t;
    struct wire_ether ether;
    struct wire_arp arp;

    text_init(&t, line, size);
    if (wire_ether_parse(frame, len, &ether) < 0)
        put_number(&t, "malformed frame len ", len);
    else if (ether.type == ETHER_TYPE_IP4 || ether.type == ETHER_TYPE_IP6)
        put_ip(&t, &ether);
    else if (ether.type == ETHER_TYPE_ARP &&
             wire_arp_parse(ether.payload, ether.payload_len, &arp) == 0)
        put_arp(&t, &arp);
    else {
        put_hw(&t, ether.src);
        text_put(&t, " > ");
        put_hw(&t, ether.dst);
        put_number(&t, " type ", ether.type);
        put_number(&t, " len ", ether.payload_len);
    }
    return text_finish(&t);
}
