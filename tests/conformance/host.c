/*
 * conformance/host.c: see host.h.
 *
 * The network is a pipe in memory whose ends are point-to-point: the far one is the script's.
 * Nothing but the thread that runs the script moves time.
 */
#include "conformance/host.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <tlsyn/socket.h>

#include "conformance/asleep.h"
#include "link/frame.h"
#include "support/datagram.h"

#define ETHER_LEN 14
#define DEPTH     8192
#define BIRTH     TLSYN_SECONDS(1000000)
#define PATIENCE  TLSYN_SECONDS(300) /* nothing that a script waits for takes longer */

/* A train that the link doesn't take, on its way out in segments. */
struct train {
    uint8_t bytes[FRAME_MAX];
    struct ip_datagram datagram;
    struct wire_tcp segment;
    uint32_t left; /* bytes of text */
    uint16_t size; /* of text in each */
    tlsyn_time when;
};

struct host {
    struct tlsyn_net_clock clock;
    _Atomic(tlsyn_time) now;
    struct tlsyn_link *end[2]; /* the stack's, the script's */
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_net *net;
    bool cuts; /* trains, beside the stack */
    struct train train;
    pid_t script;     /* the thread that runs it */
    atomic_int other; /* the one that makes its blocking calls; 0: not seen yet */
    int idle_fd;
};

static tlsyn_time host_now(struct tlsyn_net_clock *clock)
{
    struct host *host = (struct host *)(void *)clock;

    return atomic_load(&host->now);
}

struct tlsyn_net *host_net(struct host *host)
{
    pid_t self = gettid();

    if (self != host->script)
        atomic_store(&host->other, self);
    return host->net;
}

int host_idle_fd(const struct host *host)
{
    return host->idle_fd;
}

/* --- time ------------------------------------------------------------------------------------- */

static void let_others_see(struct host *host)
{
    pid_t other = atomic_load(&host->other);

    while (other && gettid() == host->script && !thread_is_asleep(other))
        (void)sched_yield();
}

/* Runs everything that is due by now. */
static void settle(struct host *host)
{
    do {
        tlsyn_net_turn(host->net);
        let_others_see(host);
    } while (tlsyn_net_next_timeout(host->net) <= atomic_load(&host->now));
}

/* To the next timer, or to `end`, whichever is first; false: it is `end`. */
static bool step(struct host *host, tlsyn_time end)
{
    tlsyn_time next = tlsyn_net_next_timeout(host->net), now = atomic_load(&host->now);
    bool any = next <= end;

    if (!any)
        next = end;
    if (next > now)
        atomic_store(&host->now, next);
    if (any)
        settle(host);
    return any;
}

tlsyn_time host_tick(struct host *host)
{
    tlsyn_time now = atomic_fetch_add(&host->now, 1) + 1;

    if (gettid() == host->script && tlsyn_net_next_timeout(host->net) <= now)
        settle(host);
    return now;
}

void host_sleep(struct host *host, tlsyn_time duration)
{
    tlsyn_time end = atomic_load(&host->now) + duration;

    while (step(host, end))
        continue;
}

/* --- the network ------------------------------------------------------------------------------ */

/* Not by the pipe, which would take no more than its MTU: scripts have datagrams come in that a
 * network card put together. */
int host_receives(struct host *host, const void *bytes, size_t n)
{
    uint8_t *copy =
        calloc(1, ETHER_LEN + n); /* just so long, for a sanitizer to see each octet too far */
    struct tlsyn_frame frame = {.iovcnt = 1, .iov[0] = {copy, ETHER_LEN + n}};
    struct tlsyn_stack *stack;

    if (!copy)
        return -ENOMEM;
    memcpy(copy, host->end[0]->caps.hwaddr, 6);
    memcpy(copy + ETHER_LEN, bytes, n);
    memcpy(copy + 12, n > 0 && copy[ETHER_LEN] >> 4 == 6 ? "\x86\xdd" : "\x08", 2);
    stack = tlsyn_net_lock(host->net);
    (void)tlsyn_stack_input(stack, host->iface, &frame, atomic_load(&host->now));
    tlsyn_net_unlock(host->net);
    free(copy);
    settle(host);
    return 0;
}

static void cut(struct train *train, const struct tlsyn_frame *frame)
{
    size_t n = frame_gather(frame, train->bytes) - ETHER_LEN;

    if (!datagram_read(train->bytes + ETHER_LEN, n, &train->datagram) ||
        wire_tcp_parse(train->datagram.payload, train->datagram.len, &train->segment) < 0)
        abort(); /* our own */
    train->left = train->segment.text_len;
    train->size = frame->gso_size;
    train->when = frame->when;
}

/* As Linux cuts for a device that can't: FIN and PSH are the last one's, CWR is the first one's. */
static size_t next_segment(struct train *train, uint8_t *bytes)
{
    struct wire_tcp segment = train->segment;
    uint32_t done = segment.text_len - train->left;
    uint32_t n = train->left < train->size ? train->left : train->size;

    segment.seq += done;
    if (n < train->left)
        segment.flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (done > 0)
        segment.flags &= (uint8_t)~TCP_CWR;
    train->left -= n;
    return datagram_emit_tcp(&train->datagram, &segment, segment.text + done, n, bytes);
}

static size_t take_from_wire(struct host *host, void *bytes, size_t room, tlsyn_time *when)
{
    struct tlsyn_frame frame;
    size_t n = 0;

    if (host->train.left > 0) {
        *when = host->train.when;
        return next_segment(&host->train, bytes);
    }
    (void)tlsyn_net_lock(host->net);
    if (tlsyn_link_receive(host->end[1], &frame, 1, atomic_load(&host->now)) > 0) {
        frame_finish_checksum(&frame);
        n = frame.iov[0].iov_len - ETHER_LEN;
        n = n < room ? n : room;
        memcpy(bytes, (const uint8_t *)frame.iov[0].iov_base + ETHER_LEN, n);
        *when = frame.when;
    }
    if (n > 0 && host->cuts && frame.gso_type != TLSYN_GSO_NONE) {
        cut(&host->train, &frame);
        n = next_segment(&host->train, bytes);
    }
    tlsyn_net_unlock(host->net);
    return n;
}

size_t host_sends(struct host *host, void *bytes, size_t room, tlsyn_time *when)
{
    tlsyn_time end = atomic_load(&host->now) + PATIENCE;
    size_t n;

    while ((n = take_from_wire(host, bytes, room, when)) == 0)
        if (!step(host, end))
            return 0;
    return n;
}

/* --- life ------------------------------------------------------------------------------------- */

static int add_addresses(struct host *host, const struct settings *settings)
{
    int error = 0;

    for (int i = 0; i < settings->addresses && error == 0; i++)
        error = tlsyn_iface_address(host->iface, &settings->address[i].addr,
                                    settings->address[i].prefix_len);
    for (int i = 0; i < settings->gateways && error == 0; i++) {
        const struct tlsyn_addr *gateway = &settings->gateway[i].addr;
        struct tlsyn_addr any = {{0}};

        if (tlsyn_addr_is_ip4(gateway))
            any = tlsyn_addr_ip4((const uint8_t[4]){0});
        error = tlsyn_route_add(host->stack, &any, 0, gateway);
    }
    return error;
}

static int open_net(struct host *host, const struct settings *settings)
{
    const struct tlsyn_net_options options = {
        .stack = host->stack, .clock = &host->clock, .conn = &settings->conn};
    int error = tlsyn_net_open(&options, &host->net);

    if (error < 0)
        return error;
    host->idle_fd = tlsyn_socket(host->net, AF_INET, SOCK_DGRAM, 0);
    return host->idle_fd < 0 ? -errno : 0;
}

int host_open(const struct settings *settings, struct host **out)
{
    const struct tlsyn_link_caps caps = {.mtu = settings->mtu,
                                         .gso_max = settings->gso_max,
                                         .csum = settings->gso_max > 0,
                                         .point_to_point = true};
    const struct tlsyn_stack_options options = {.limits = &settings->limits, .now = BIRTH};
    struct host *host = calloc(1, sizeof(*host));
    int error;

    if (!host)
        return -ENOMEM;
    host->clock.now = host_now;
    host->cuts = settings->cuts;
    atomic_store(&host->now, BIRTH);
    host->script = gettid();
    host->stack = tlsyn_stack_new(&options);
    error = host->stack ? tlsyn_pipe_open(&caps, DEPTH, host->end) : -ENOMEM;
    if (error == 0)
        error = tlsyn_iface_add(host->stack, host->end[0], &host->iface);
    if (error == 0)
        error = add_addresses(host, settings);
    if (error == 0)
        error = open_net(host, settings);
    if (error < 0)
        host_close(host);
    else
        *out = host;
    return error;
}

void host_close(struct host *host)
{
    tlsyn_net_close(host->net);
    if (host->stack)
        tlsyn_stack_free(host->stack);
    tlsyn_link_close(host->end[0]);
    tlsyn_link_close(host->end[1]);
    free(host);
}
