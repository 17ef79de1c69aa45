/*
 * guard_filter.c: a filter for a packet socket. Read first: packet(7); Linux,
 * Documentation/networking/filter.rst.
 *
 * Written from its end to its beginning: an instruction jumps forward, to what is there already,
 * and the way is the difference of two counts.
 */
#include "guard_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define INSTRUCTIONS_MAX (GUARD_FILTER_PORTS + 32)

/* Where things are in a frame. */
enum {
    ETHER_TYPE = 12,
    IP4 = 14,
    IP4_FRAGMENT = IP4 + 6,
    IP4_PROTOCOL = IP4 + 9,
    IP4_DST = IP4 + 16,
    IP6_NEXT = 14 + 6,
    IP6_DST = 14 + 24,
    IP6_PAYLOAD = 14 + 40,
    DST_PORT = 2, /* in TCP and UDP */
    FRAGMENT_OFFSET = 0x1fff,
};

/* The program ends at the array's end, and grows downwards. */
struct program {
    struct sock_filter code[INSTRUCTIONS_MAX];
    int size;
};

/* A place in it: the instructions from there on. */
typedef int place;

static place put(struct program *p, struct sock_filter instruction)
{
    p->code[INSTRUCTIONS_MAX - ++p->size] = instruction;
    return p->size;
}

static place load(struct program *p, unsigned int size, uint32_t at)
{
    return put(p, (struct sock_filter)BPF_STMT((uint16_t)(BPF_LD | size | BPF_ABS), at));
}

/* How far it is to a place from an instruction that is to be put now. */
static uint8_t way(const struct program *p, place to)
{
    return (uint8_t)(p->size - to);
}

static place if_equal(struct program *p, uint32_t value, place then, place otherwise)
{
    return put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, way(p, then),
                                               way(p, otherwise)));
}

/* What is in the accumulator is a port of ours. */
static place check_ports(struct program *p, const uint16_t *port, int ports, place yes, place no)
{
    place at = no;

    for (int i = 0; i < ports; i++)
        at = if_equal(p, port[i], yes, at);
    return at;
}

/* Falls through to the check of the port that it has loaded; so does check_ip6(). */
static void check_ip4(struct program *p, const struct tlsyn_addr *addr, place yes, place no)
{
    uint32_t own = 0;
    place later;

    memcpy(&own, tlsyn_addr_octets(addr), sizeof(own));
    put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_IND, IP4 + DST_PORT));
    put(p, (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, IP4));
    put(p,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FRAGMENT_OFFSET, way(p, yes), 0));
    later = load(p, BPF_H, IP4_FRAGMENT);
    if_equal(p, IPPROTO_UDP, later, no);
    if_equal(p, IPPROTO_TCP, later, p->size);
    if_equal(p, IPPROTO_ICMP, yes, p->size);
    load(p, BPF_B, IP4_PROTOCOL);
    if_equal(p, ntohl(own), p->size, no);
    load(p, BPF_W, IP4_DST);
    if_equal(p, ETH_P_IP, p->size, no);
    if_equal(p, ETH_P_ARP, yes, p->size);
}

static void check_ip6(struct program *p, const struct tlsyn_addr *addr, place yes, place no)
{
    place ports = load(p, BPF_H, IP6_PAYLOAD + DST_PORT);

    if_equal(p, IPPROTO_UDP, ports, yes);
    if_equal(p, IPPROTO_TCP, ports, p->size);
    load(p, BPF_B, IP6_NEXT);
    for (int i = 12; i >= 0; i -= 4) {
        uint32_t word = 0;

        memcpy(&word, addr->byte + i, sizeof(word));
        if_equal(p, ntohl(word), p->size, no);
        load(p, BPF_W, IP6_DST + (uint32_t)i);
    }
    if_equal(p, IPPROTO_ICMPV6, yes, p->size);
    load(p, BPF_B, IP6_NEXT);
    if_equal(p, ETH_P_IPV6, p->size, no);
}

int guard_filter_attach(int packet_socket, const struct tlsyn_addr *addr, const uint16_t *port,
                        int ports)
{
    struct program p = {.size = 0};
    place no = put(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
    place yes = put(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX));
    struct sock_fprog program;

    if (ports > GUARD_FILTER_PORTS)
        put(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX));
    else if (check_ports(&p, port, ports, yes, no) == no)
        put(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
    if (tlsyn_addr_is_ip4(addr))
        check_ip4(&p, addr, yes, no);
    else
        check_ip6(&p, addr, yes, no);
    load(&p, BPF_H, ETHER_TYPE);
    program.len = (unsigned short)p.size;
    program.filter = p.code + INSTRUCTIONS_MAX - p.size;
    return setsockopt(packet_socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
               ? -errno
               : 0;
}
