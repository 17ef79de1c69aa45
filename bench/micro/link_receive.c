/*
 * micro/link_receive.c: which way frames should come in from AF_PACKET: batched calls or the ring
 * of link/packet_ring.c, both through link/afpacket.c; or, bare, a ring of TPACKET_V2 or V3 whose
 * slots hold super-frames; all with PACKET_VNET_HDR.
 *
 *     unshare -rn sh -c 'ip link add near type veth peer name far; ip link set near up; ip link set
 *                        far up; build/release/micro_link_receive near far'
 *
 * Round trips: a frame of 64 bytes goes out by `near`, a second process sends it back from `far`;
 * both wait in the same way, by looking again and again, or in poll(2). Flood: the second process
 * sends for half a second as fast as it can, and the first takes what it can; every frame is read
 * once, so that memory counts. One process per core.
 *
 * Linux 6.18, two virtual cores of an AMD EPYC, a quiet machine (p50 in microseconds; kpps taken of
 * kpps sent):
 *
 *                        busy    poll    64 bytes      1514 bytes    64294 bytes
 *     recvmmsg            6.4    45.0    410 of 390    315 of 312     95 of  98
 *     ring                4.0    41.1    296 of 293    290 of 286     88 of  93
 *     bare TPACKET_V2     3.6    47.8    264 of 284    278 of 280     72 of  73
 *     bare TPACKET_V3   999.7   999.6    484 of 477    431 of 425    106 of 107
 *
 * With a busy neighbour on the receiver's core, taken from two other runs: recvmmsg 195 of 192 and
 * V2 49 of 201 in one, V3 335 of 331 in another, frames of 64 bytes. (The sender's count is read a
 * little later than it is counted: a difference of a few per cent means nothing.)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tlsyn/link.h>
#include <tlsyn/loop.h>

#include "measure/stats.h"

#define ROUNDS   3000
#define WARM_UP  200
#define FLOOD    TLSYN_MS(500)
#define V2_FRAME (128u << 10)
#define V2_SLOTS 128u
#define V3_BLOCK (2u << 20)
#define V3_COUNT 8u
#define TAG      0x7e57 /* second half of our frames' source address */

enum way { CALLS, RING, RING2, RING3, WAYS };

static const char *const way_name[WAYS] = {"recvmmsg", "ring", "V2 ring", "V3 ring"};

struct receiver {
    enum way way;
    struct tlsyn_link *link; /* transmits, and receives where the way is CALLS or RING */
    int fd;
    uint8_t *ring;
    unsigned next; /* slot or block */
    uint64_t frames, bytes;
    unsigned sum; /* of what was read: keeps the compiler from leaving it out */
};

/* Shared by the two processes. */
struct shared {
    volatile bool stop;
    volatile uint64_t sent;
};

static void fail(const char *what)
{
    fprintf(stderr, "link_receive: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- three ways to receive ------------------------------------------------------------------- */

static void take_frame(struct receiver *r, const uint8_t *bytes, size_t len)
{
    if (len < 14 || bytes[10] != TAG >> 8 || bytes[11] != (TAG & 0xff))
        return;
    for (size_t i = 0; i < len; i += 64)
        r->sum += bytes[i];
    r->frames++;
    r->bytes += len;
}

static void take_link(struct receiver *r)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    int n = tlsyn_link_receive(r->link, frames, TLSYN_LINK_BATCH, tlsyn_clock());

    for (int i = 0; i < n; i++)
        take_frame(r, frames[i].iov[0].iov_base, frames[i].iov[0].iov_len);
}

static void take_ring2(struct receiver *r)
{
    for (int i = 0; i < TLSYN_LINK_BATCH; i++) {
        struct tpacket2_hdr *h = (void *)(r->ring + (size_t)r->next * V2_FRAME);

        if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            return;
        take_frame(r, (uint8_t *)h + h->tp_mac, h->tp_snaplen);
        __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        r->next = (r->next + 1) % V2_SLOTS;
    }
}

static void take_ring3(struct receiver *r)
{
    struct tpacket_block_desc *block = (void *)(r->ring + (size_t)r->next * V3_BLOCK);
    struct tpacket_hdr_v1 *b = &block->hdr.bh1;
    uint8_t *at = (uint8_t *)block + b->offset_to_first_pkt;

    if (!(__atomic_load_n(&b->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return;
    for (unsigned i = 0; i < b->num_pkts; i++) {
        struct tpacket3_hdr *h = (void *)at;

        take_frame(r, at + h->tp_mac, h->tp_snaplen);
        at += h->tp_next_offset;
    }
    __atomic_store_n(&b->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    r->next = (r->next + 1) % V3_COUNT;
}

static void take(struct receiver *r)
{
    static void (*const ways[WAYS])(struct receiver *) = {take_link, take_link, take_ring2,
                                                          take_ring3};

    ways[r->way](r);
}

static void set(int fd, int option, const void *value, size_t size)
{
    if (setsockopt(fd, SOL_PACKET, option, value, (socklen_t)size) < 0)
        fail("setsockopt");
}

static void open_ring(struct receiver *r, const char *name)
{
    struct tpacket_req3 request = {0};
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(name)};
    int version = r->way == RING2 ? TPACKET_V2 : TPACKET_V3, on = 1;
    size_t size = r->way == RING2 ? sizeof(struct tpacket_req) : sizeof(request);

    request.tp_block_size = r->way == RING2 ? V2_FRAME : V3_BLOCK;
    request.tp_block_nr = r->way == RING2 ? V2_SLOTS : V3_COUNT;
    request.tp_frame_size = V2_FRAME;
    request.tp_frame_nr = request.tp_block_size / V2_FRAME * request.tp_block_nr;
    request.tp_retire_blk_tov = 1;
    r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (r->fd < 0)
        fail("socket");
    set(r->fd, PACKET_VERSION, &version, sizeof(version));
    set(r->fd, PACKET_VNET_HDR, &on, sizeof(on));
    set(r->fd, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
    set(r->fd, PACKET_RX_RING, &request, size);
    r->ring = mmap(NULL, (size_t)request.tp_block_size * request.tp_block_nr,
                   PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (r->ring == MAP_FAILED)
        fail("mmap");
    if (bind(r->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("bind");
}

static void receiver_open(struct receiver *r, enum way way, const char *name)
{
    const struct tlsyn_afpacket_options options = {
        .way = way == CALLS ? TLSYN_AFPACKET_CALLS : TLSYN_AFPACKET_RING, .promiscuous = true};
    int error;

    *r = (struct receiver){.way = way};
    error = tlsyn_afpacket_open(name, &options, &r->link);
    if (error) {
        errno = -error;
        fail(name);
    }
    r->fd = tlsyn_link_fd(r->link);
    if (way > RING)
        open_ring(r, name);
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct outgoing {
    uint8_t bytes[65549];
    struct tlsyn_frame frame;
};

/* A frame of `len` bytes; above the MTU a TCP super-frame, whose addresses nobody has. */
static void make_frame(struct outgoing *o, size_t len)
{
    static const uint8_t headers[54] = {
        2, 0, 0, 0, 0xee, 1, 2, 0, 0,  0,  TAG >> 8, TAG & 0xff, 8,  0,  0x45, 0, 0, 0,
        0, 0, 0, 0, 64,   6, 0, 0, 10, 99, 0,        1,          10, 99, 0,    2, 9, 9,
        9, 9, 0, 0, 0,    1, 0, 0, 0,  1,  0x50,     0x10,       1,  0,  0,    0, 0, 0,
    };

    memset(o->bytes, 0x55, len);
    memcpy(o->bytes, headers, sizeof(headers));
    o->bytes[16] = (uint8_t)((len - 14) >> 8);
    o->bytes[17] = (uint8_t)(len - 14);
    o->frame = (struct tlsyn_frame){.iovcnt = 1, .iov[0] = {o->bytes, len}};
    if (len > 1514) {
        o->frame.flags = TLSYN_FRAME_CSUM_PARTIAL;
        o->frame.csum_start = 34;
        o->frame.csum_offset = 16;
        o->frame.gso_type = TLSYN_GSO_TCP4;
        o->frame.gso_size = 1460;
        o->frame.hdr_len = 54;
    }
}

static void pin(size_t core)
{
    cpu_set_t set_of;

    CPU_ZERO(&set_of);
    CPU_SET(core, &set_of);
    sched_setaffinity(0, sizeof(set_of), &set_of);
}

static tlsyn_time cpu_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
}

/* Waits for the next frame of ours. */
static void await_frame(struct receiver *r, bool sleeping)
{
    uint64_t before = r->frames;

    while (r->frames == before) {
        struct pollfd ready = {.fd = r->fd, .events = POLLIN};

        if (sleeping)
            poll(&ready, 1, 1000);
        take(r);
    }
}

/* ---- measurements ---------------------------------------------------------------------------- */

static pid_t start(void (*run)(struct receiver *, struct shared *, size_t), enum way way,
                   const char *name, struct shared *shared, size_t argument)
{
    pid_t child = fork();

    if (child == 0) {
        struct receiver r;

        pin(0);
        receiver_open(&r, way, name);
        run(&r, shared, argument);
        _exit(0);
    }
    usleep(50000);
    return child;
}

static void run_echo(struct receiver *r, struct shared *shared, size_t sleeping)
{
    static struct outgoing o;

    (void)shared;
    make_frame(&o, 64);
    for (;;) {
        await_frame(r, sleeping);
        tlsyn_link_transmit(r->link, &o.frame, 1, 0);
    }
}

static void measure_round_trips(enum way way, bool sleeping, const char *near, const char *far,
                                struct shared *shared)
{
    static struct outgoing o;
    static double sample[ROUNDS];
    pid_t child = start(run_echo, way, far, shared, sleeping);
    struct receiver r;

    receiver_open(&r, way, near);
    make_frame(&o, 64);
    for (int i = -WARM_UP; i < ROUNDS; i++) {
        struct timespec from, to;

        clock_gettime(CLOCK_MONOTONIC, &from);
        tlsyn_link_transmit(r.link, &o.frame, 1, 0);
        await_frame(&r, sleeping);
        clock_gettime(CLOCK_MONOTONIC, &to);
        if (i >= 0)
            sample[i] =
                (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    tlsyn_link_close(r.link);
    if (way > RING)
        close(r.fd);
    stats_sort(sample, ROUNDS);
    printf("%-9s  round trip, %-7s  p50 %7.1f us  p99 %7.1f us\n", way_name[way],
           sleeping ? "poll" : "busy", stats_quantile(sample, ROUNDS, 0.5),
           stats_quantile(sample, ROUNDS, 0.99));
}

static void run_flood(struct receiver *r, struct shared *shared, size_t len)
{
    static struct outgoing o;
    struct tlsyn_frame batch[TLSYN_LINK_BATCH];

    make_frame(&o, len);
    for (int i = 0; i < TLSYN_LINK_BATCH; i++)
        batch[i] = o.frame;
    while (!shared->stop) {
        int n = tlsyn_link_transmit(r->link, batch, TLSYN_LINK_BATCH, 0);

        shared->sent += n > 0 ? (uint64_t)n : 0;
    }
}

static void measure_flood(enum way way, size_t len, const char *near, const char *far,
                          struct shared *shared)
{
    struct receiver r;
    tlsyn_time begin, end, cpu;
    uint64_t first, sent;
    pid_t child;

    receiver_open(&r, way, near);
    shared->stop = false;
    shared->sent = 0;
    child = start(run_flood, CALLS, far, shared, len);
    while (r.frames == 0)
        take(&r);
    first = r.frames;
    sent = shared->sent;
    r.bytes = 0;
    cpu = cpu_time();
    begin = tlsyn_clock();
    end = begin + FLOOD;
    while (tlsyn_clock() < end) {
        struct pollfd ready = {.fd = r.fd, .events = POLLIN};

        poll(&ready, 1, 100);
        take(&r);
    }
    end = tlsyn_clock();
    cpu = cpu_time() - cpu;
    sent = shared->sent - sent;
    shared->stop = true;
    waitpid(child, NULL, 0);
    printf(
        "%-9s  flood of %5zu bytes  %7.0f kpps  %6.2f Gbit/s  CPU %3.0f %%  of %7.0f kpps sent\n",
        way_name[way], len, (double)(r.frames - first) * 1e3 / (double)(end - begin),
        (double)r.bytes * 8e-3 / (double)(end - begin), (double)cpu * 100 / (double)(end - begin),
        (double)sent * 1e3 / (double)(end - begin));
    tlsyn_link_close(r.link);
    if (way > RING)
        close(r.fd);
}

int main(int argc, char **argv)
{
    static const size_t lengths[] = {64, 1514, 54 + 44 * 1460};
    struct shared *shared;

    if (argc != 3) {
        fprintf(stderr, "usage: micro_link_receive NEAR FAR (the two ends of a veth pair)\n");
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        fail("mmap");
    setvbuf(stdout, NULL, _IOLBF, 0);
    pin(1);
    for (int sleeping = 0; sleeping < 2; sleeping++) {
        for (enum way way = CALLS; way < WAYS; way++)
            measure_round_trips(way, sleeping, argv[1], argv[2], shared);
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (enum way way = CALLS; way < WAYS; way++)
            measure_flood(way, lengths[i], argv[1], argv[2], shared);
    }
    return 0;
}
