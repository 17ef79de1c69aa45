/*
 * micro/refused_syn.c: what a forged SYN with a ClientHello costs the server that refuses it, and
 * the one who forges it.
 *
 *     build/release/micro_refused_syn [--syns 400000]
 *
 * A stack with a listener over a link that takes everything and brings nothing. SYNs come in
 * batches of 32, as from a link, and are answered by the output behind each batch; the clock moves
 * at the rate of the flood. Nanoseconds of CPU time per SYN, of three kinds:
 *
 *     forging    headers and checksums written, nothing sent: what the forger has to do at least
 *     flooded    the backlog is full: a SYN cookie, and a Fast Open cookie for who asked
 *     stolen     one source, with a valid cookie of its own, which has had its share
 *
 * Figures: docs/MEASURING.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlsyn/conn.h>
#include <tlsyn/link.h>

#include "measure/clock.h"
#include "study/flood/forge.h"

#define BATCH 32
#define RATE  10000 /* SYNs per second, on the stack's clock */
#define OWN   UINT32_C(0x0a4d000c)

struct sink {
    struct tlsyn_link base;
    uint64_t frames, bytes;
    uint8_t cookie[FORGE_COOKIE_MAX];
    size_t cookie_len;
};

struct bed {
    struct sink link;
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_handler nobody;
    struct forge forge;
    struct rng rng;
    tlsyn_time now;
    uint8_t frames[BATCH][FORGE_FRAME_MAX];
    size_t len[BATCH];
};

/* --- the link --------------------------------------------------------------------------------- */

static int receive(struct tlsyn_link *link, struct tlsyn_frame *frame, int max, tlsyn_time now)
{
    (void)link;
    (void)frame;
    (void)max;
    (void)now;
    return 0;
}

static int transmit(struct tlsyn_link *link, const struct tlsyn_frame *frame, int n, tlsyn_time now)
{
    struct sink *sink = (struct sink *)link; /* first member */

    (void)now;
    for (int i = 0; i < n; i++) {
        uint8_t bytes[FORGE_FRAME_MAX];
        size_t len = 0;
        const uint8_t *cookie = NULL;

        for (int part = 0; part < frame[i].iovcnt; part++) {
            memcpy(bytes + len, frame[i].iov[part].iov_base, frame[i].iov[part].iov_len);
            len += frame[i].iov[part].iov_len;
        }
        sink->bytes += len;
        if (sink->cookie_len == 0 &&
            (sink->cookie_len = forge_find_cookie(bytes, len, FORGE_SOURCE, &cookie)) > 0)
            memcpy(sink->cookie, cookie, sink->cookie_len);
    }
    sink->frames += (uint64_t)n;
    return n;
}

static int no_fd(struct tlsyn_link *link)
{
    (void)link;
    return -1;
}

static void no_close(struct tlsyn_link *link)
{
    (void)link;
}

static const struct tlsyn_link_ops ops = {
    .receive = receive, .transmit = transmit, .fd = no_fd, .close = no_close};

/* --- the bed ---------------------------------------------------------------------------------- */

static const struct tlsyn_conn_events no_events;

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    (void)conn;
    return &((struct bed *)((char *)acceptor - offsetof(struct bed, acceptor)))->nobody;
}

static void must(int error, const char *what)
{
    if (error >= 0)
        return;
    fprintf(stderr, "refused_syn: %s: %s\n", what, strerror(-error));
    exit(1);
}

static void bed_open(struct bed *b, const uint8_t *hello, size_t hello_len)
{
    const struct tlsyn_stack_options options = {.now = TLSYN_SECONDS(1)};
    const struct tlsyn_listen_options listen = {
        .local = {.port = 443}, .open = true, .cookies = true};
    struct tlsyn_addr own = tlsyn_addr_ip4((const uint8_t[]){10, 77, 0, 12});

    *b = (struct bed){.now = options.now,
                      .nobody = {.events = &no_events},
                      .acceptor = {.accept = accept_one},
                      .forge = {.from_hw = {2, 0, 0, 0, 0, 1},
                                .to_hw = {2, 0, 0, 0, 0, 2},
                                .to = OWN,
                                .to_port = 443,
                                .text = hello,
                                .text_len = hello_len}};
    b->link.base.ops = &ops;
    b->link.base.caps = (struct tlsyn_link_caps){
        .mtu = 1500, .csum = true, .point_to_point = true, .hwaddr = {2, 0, 0, 0, 0, 2}};
    rng_seed(&b->rng, 1);
    b->stack = tlsyn_stack_new(&options);
    must(b->stack ? tlsyn_iface_add(b->stack, &b->link.base, &b->iface) : -ENOMEM, "a stack");
    must(tlsyn_iface_address(b->iface, &own, 0), "an address");
    must(tlsyn_listener_open(b->stack, &listen, &b->acceptor, NULL), "a listener");
}

static void forge_batch(struct bed *b, bool one_source)
{
    for (int i = 0; i < BATCH; i++) {
        uint32_t source = FORGE_SOURCE + (one_source ? 0 : 1 + rng_below(&b->rng, 100000));
        uint64_t chance = rng_next(&b->rng);

        b->len[i] = forge_syn(&b->forge, source, (uint16_t)(1024 + chance % 60000),
                              (uint32_t)(chance >> 32), b->frames[i]);
    }
}

/* As an offloading link, or one in memory, says of them: checksums were verified. */
static void bring_batch(struct bed *b)
{
    for (int i = 0; i < BATCH; i++) {
        const struct tlsyn_frame frame = {
            .iov = {{b->frames[i], b->len[i]}}, .iovcnt = 1, .flags = TLSYN_FRAME_CSUM_VERIFIED};

        b->now += TLSYN_SECONDS(1) / RATE;
        must(tlsyn_stack_input(b->stack, b->iface, &frame, b->now), "input");
    }
    tlsyn_stack_timers(b->stack, b->now);
    (void)tlsyn_stack_output(b->stack, b->now);
}

static double measure(struct bed *b, long syns, bool one_source, bool bring)
{
    double took = 0;

    for (long n = 0; n < syns; n += BATCH) {
        double begin = 0;

        if (!bring)
            begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);
        forge_batch(b, one_source);
        if (bring) {
            begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);
            bring_batch(b);
        }
        took += clock_us(CLOCK_PROCESS_CPUTIME_ID) - begin;
    }
    return took * 1e3 / (double)syns;
}

/* A source asks for a cookie, and takes its share. */
static void get_cookie(struct bed *b)
{
    b->forge.text_len = 0;
    forge_batch(b, true);
    bring_batch(b);
    if (b->link.cookie_len == 0)
        must(-EPROTO, "there was no cookie");
    memcpy(b->forge.cookie, b->link.cookie, b->link.cookie_len);
    b->forge.cookie_len = (uint8_t)b->link.cookie_len;
}

static void tell(struct bed *b, const char *what, double ns)
{
    printf("%-8s %6.0f ns", what, ns);
    if (b)
        printf("  (%llu frames out, %llu SYN cookies, %llu engines)",
               (unsigned long long)b->link.frames,
               (unsigned long long)tlsyn_counter(b->stack, TLSYN_COUNT_tcp_syncookies_sent),
               (unsigned long long)(tlsyn_counter(b->stack, TLSYN_COUNT_tcp_admit_open) +
                                    tlsyn_counter(b->stack, TLSYN_COUNT_tcp_admit_cookie)));
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct bed b;
    uint8_t hello[FORGE_HELLO_MAX] = {22, 3, 1};
    const size_t hello_len = 215;
    long syns = argc == 3 && strcmp(argv[1], "--syns") == 0 ? atol(argv[2]) : 400000;

    if (syns < BATCH) {
        fprintf(stderr, "usage: refused_syn [--syns N]\n");
        return 2;
    }
    bed_open(&b, hello, hello_len);
    (void)measure(&b, 2000, false, true); /* fills the backlog */
    tell(NULL, "forging", measure(&b, syns, false, false));
    tell(&b, "flooded", measure(&b, syns, false, true));
    tlsyn_stack_free(b.stack);
    bed_open(&b, hello, hello_len);
    get_cookie(&b);
    b.forge.text_len = hello_len;
    (void)measure(&b, 2000, true, true);
    tell(&b, "stolen", measure(&b, syns, true, true));
    tlsyn_stack_free(b.stack);
    return 0;
}
