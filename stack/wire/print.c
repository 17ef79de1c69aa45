/*
 * wire/print.c: a packet in one line of text.
 */
#include "wire/print.h"

#include "core/text.h"
#include "wire/arp.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"
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

/** The longest run of zero groups, the first one of several (RFC 5952 4.2); its length, 1 counted as none. */
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

static void put_hw(struct text *t, const uint8_t hw[ETHER_ADDR_LEN])
{
    for (int i = 0; i < ETHER_ADDR_LEN; i++) {
        if (i)
            text_put_char(t, ':');
        text_put_hex(t, hw + i, 1);
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
        text_put_hex(t, o->cookie, o->cookie_len);
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

static void put_udp(struct text *t, const struct wire_ip4 *ip, const struct wire_udp *udp)
{
    put_endpoint(t, &ip->src, udp->src_port);
    text_put(t, " > ");
    put_endpoint(t, &ip->dst, udp->dst_port);
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

static void put_addresses(struct text *t, const struct wire_ip4 *ip)
{
    put_addr(t, &ip->src);
    text_put(t, " > ");
    put_addr(t, &ip->dst);
}

static void put_icmp(struct text *t, const struct wire_ip4 *ip, const struct wire_icmp4 *icmp)
{
    put_addresses(t, ip);
    text_put(t, " icmp ");
    text_put(t, icmp_name(icmp->type));
    if (icmp4_is_error(icmp->type)) {
        put_number(t, " code ", icmp->code);
    } else {
        put_number(t, " id ", icmp->id);
        put_number(t, " seq ", icmp->sequence);
    }
    if (icmp->mtu)
        put_number(t, " mtu ", icmp->mtu);
    put_number(t, " len ", icmp->payload_len);
}

static void put_other(struct text *t, const struct wire_ip4 *ip, const char *what)
{
    put_addresses(t, ip);
    put_number(t, " protocol ", ip->protocol);
    text_put(t, what);
    put_number(t, " len ", ip->payload_len);
}

static void put_datagram(struct text *t, const uint8_t *bytes, size_t len)
{
    struct wire_ip4 ip;
    struct wire_tcp tcp;
    struct wire_udp udp;
    struct wire_icmp4 icmp;

    if (wire_ip4_parse(bytes, len, &ip) < 0) {
        put_number(t, "malformed ip len ", len);
        return;
    }
    if (ip.mf || ip.offset)
        put_other(t, &ip, " fragment");
    else if (ip.protocol == PROTOCOL_TCP && wire_tcp_parse(ip.payload, ip.payload_len, &tcp) == 0)
        put_tcp(t, &ip.src, &ip.dst, &tcp);
    else if (ip.protocol == PROTOCOL_UDP && wire_udp_parse(ip.payload, ip.payload_len, &udp) == 0)
        put_udp(t, &ip, &udp);
    else if (ip.protocol == PROTOCOL_ICMP &&
             wire_icmp4_parse(ip.payload, ip.payload_len, &icmp) == 0)
        put_icmp(t, &ip, &icmp);
    else
        put_other(t, &ip, "");
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
    else if (ether.type == ETHER_TYPE_IP4)
        put_datagram(&t, ether.payload, ether.payload_len);
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
