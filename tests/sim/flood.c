/*
 * sim/flood.c: one SYN after the other, each to a host that is drawn, at a steady pace.
 */
#include "sim/flood.h"

#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

#define TEXT_MAX     400
#define FRAME_MAX    (ETHER_HEADER_LEN + IP6_HEADER_LEN + TCP_HEADER_MAX + TEXT_MAX)
#define COOKIE_LEN   8
#define PORT         443
#define PORTS        60000
#define TTL          60
#define PROTOCOL_TCP 6

/* No host's address; the answers go where nobody is. */
static struct tlsyn_addr stranger(const struct plan *plan, struct random_seeded *r)
{
    uint8_t a = (uint8_t)random_below(&r->base, 256), b = (uint8_t)random_below(&r->base, 256);

    if (plan->ip6)
        return (struct tlsyn_addr){{0xfd, 0x99, [13] = 1, [14] = a, [15] = b}};
    return tlsyn_addr_ip4((const uint8_t[]){10, 99, a, b});
}

static struct wire_tcp forge(struct random_seeded *r)
{
    struct wire_tcp syn = {.src_port = (uint16_t)(1024 + random_below(&r->base, PORTS)),
                           .dst_port = PORT,
                           .seq = (tcp_seq)random_u64(&r->base),
                           .flags = TCP_SYN,
                           .wnd = 65535,
                           .options = {.mss = 1460}};

    if (random_below(&r->base, 2)) {
        syn.text_len = 1 + random_below(&r->base, TEXT_MAX);
        syn.options.has_fastopen = true;
        syn.options.cookie_len = random_below(&r->base, 2) ? COOKIE_LEN : 0;
        r->base.fill(&r->base, syn.options.cookie, syn.options.cookie_len);
    }
    return syn;
}

/* The header of a datagram with so much behind it; its length. */
static size_t put_ip(const struct plan *plan, struct random_seeded *r, int host, size_t len,
                     uint8_t *at)
{
    struct tlsyn_addr dst = network_address(plan, host), src = stranger(plan, r);

    if (plan->ip6) {
        struct wire_ip6 ip = {.src = src,
                              .dst = dst,
                              .next = PROTOCOL_TCP,
                              .hop_limit = TTL,
                              .payload_len = (uint16_t)len};

        return (size_t)wire_ip6_emit(&ip, at, IP6_HEADER_LEN);
    }
    struct wire_ip4 ip = {.src = src,
                          .dst = dst,
                          .ttl = TTL,
                          .protocol = PROTOCOL_TCP,
                          .total_len = (uint16_t)(IP4_HEADER_LEN + len)};

    return (size_t)wire_ip4_emit(&ip, at, IP4_HEADER_LEN);
}

static void send_one(struct network *n)
{
    struct random_seeded *r = &n->flood.random;
    struct wire_ether ether = {.type = n->plan->ip6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4,
                               .src = {2, 0, 0, 0, 1, 0}};
    int host = (int)random_below(&r->base, (uint32_t)n->plan->hosts);
    uint8_t bytes[FRAME_MAX], *at = bytes + ETHER_HEADER_LEN;
    struct wire_tcp syn = forge(r);
    uint8_t header[TCP_HEADER_MAX];

    size_t len = (size_t)wire_tcp_emit(&syn, header, sizeof(header));
    memcpy(ether.dst, n->port[host].link.caps.hwaddr, ETHER_ADDR_LEN);
    wire_ether_emit(&ether, bytes, ETHER_HEADER_LEN);
    at += put_ip(n->plan, r, host, len + syn.text_len, at);
    memcpy(at, header, len);
    r->base.fill(&r->base, at + len, syn.text_len);
    struct tlsyn_frame frame = {.iovcnt = 1,
                                .iov = {{bytes, (size_t)(at - bytes) + len + syn.text_len}},
                                .flags = TLSYN_FRAME_CSUM_VERIFIED};
    network_deliver(n, host, &frame);
}

void flood_begin(struct network *n)
{
    plan_draw(n->plan, DRAW_FLOOD, 0, &n->flood.random);
    n->flood.next = n->plan->flood ? n->now : TLSYN_NEVER;
}

bool flood_step(struct network *n)
{
    bool any = false;

    for (; n->flood.next <= n->now; any = true) {
        send_one(n);
        n->flood.next += PLAN_MILLION / n->plan->flood;
        if (n->flood.next > n->began + n->plan->flood_for)
            n->flood.next = TLSYN_NEVER;
    }
    return any;
}
