/*
 * stack.c: struct tlsyn_stack and the four calls that move it: the one file that knows ip and
 * what stands on it.
 *
 *     input:   frame -> ip_input() says what arrived -> tcp_input(), udp_input(),
 *              or their _icmp_error()
 *     timers:  the wheel
 *     output:  ip_output_open(), every ready connection, ip_output_close(); then the dead are
 *              freed, and UDP's users told that there is room
 *
 * Each call stores `now`, which everything inside reads. Nothing leaves but in output, so no
 * function is entered again from within itself, and whatever an event writes is in the ring before
 * the answer is built.
 */
#include <tlsyn/destination.h>

#include <assert.h>
#include <errno.h>

#include "core/context.h"
#include "ip/ip.h"
#include "tcp/handshake.h"
#include "tcp/listener.h"
#include "tcp/tcp.h"
#include "udp/dhcp.h"
#include "udp/udp.h"

struct tlsyn_stack {
    struct context cx;
    struct ip ip;
    struct tcp tcp;
    struct udp udp;
    bool busy; /* inside one of the four calls: events may not make another */
};

void tlsyn_limits_default(struct tlsyn_limits *limits)
{
    *limits = (struct tlsyn_limits){
        .connections = 16384,
        .time_wait = 4096,
        .listeners = 64,
        .syn_backlog = 1024,
        .syn_cookies = true,
        .syns_per_source = 256,
        .embedded_backlog = 256,
        .embedded_per_source = 32,
        .embedded_per_second = 200,
        .sources = 4096,
        .ring_bytes = 1u << 30,
        .snd_ring_max = 32u << 20,
        .rcv_ring_max = 32u << 20,
        .ooo_ranges = 64,
        .sent_pieces = 4096,
        .neighbours = 1024,
        .neighbour_queue_bytes = 64u << 10,
        .routes = 64,
        .addresses = 16,
        .routers = 8,
        .prefixes = 16,
        .redirects = 64,
        .udp_endpoints = 1024,
        .udp_queue_bytes = 128u << 10,
        .destinations = 1024,
        .metrics_age = TLSYN_SECONDS(600),
        .embed_off_min = TLSYN_SECONDS(4 * 60),
        .embed_off_max = TLSYN_SECONDS(36 * 3600),
        .reassembly_datagrams = 1024,
        .reassembly_fragments = 128,
        .reassembly_bytes = 4u << 20,
        .reassembly_timeout = TLSYN_SECONDS(30),
        .path_mtus = 1024,
        .reply_queue_bytes = 256u << 10,
        .icmp_per_second = 1000,
        .rst_per_second = 1000,
        .challenge_per_second = 100,
        .msl = TLSYN_SECONDS(30),
        .rto_min = TLSYN_MS(200),     /* R6298-4 */
        .rto_max = TLSYN_SECONDS(60), /* R6298-5 */
        .quick_acks = 16,             /* Linux's */
        .delack = TLSYN_MS(40),
        .max_ack_delay = TLSYN_MS(40),
        /* that of Linux, and ours */      /* MUST-40 */
        .syn_timeout = TLSYN_SECONDS(180), /* MUST-23 */
        .shut_time = TLSYN_SECONDS(60),
        .user_timeout = TLSYN_SECONDS(300), /* SHLD-11 */
    };
}

/* --- life ------------------------------------------------------------------------------------- */

static void context_init(struct context *cx, const struct tlsyn_stack_options *options)
{
    cx->now = options->now;
    if (options->limits)
        cx->limits = *options->limits;
    else
        tlsyn_limits_default(&cx->limits);
    cx->alloc = options->alloc ? options->alloc : tlsyn_alloc_libc();
    cx->random = options->random ? options->random : tlsyn_random_kernel();
    cx->trace = options->trace;
    cx->ports = options->ports;
    cx->shared = options->shared;
    wheel_init(&cx->wheel, options->now);
}

struct tlsyn_stack *tlsyn_stack_new(const struct tlsyn_stack_options *options)
{
    static const struct tlsyn_stack_options defaults;
    struct tlsyn_alloc *alloc;
    struct tlsyn_stack *stack;

    if (!options)
        options = &defaults;
    alloc = options->alloc ? options->alloc : tlsyn_alloc_libc();
    stack = alloc->resize(alloc, NULL, sizeof(*stack));
    if (!stack)
        return NULL;
    memset(stack, 0, sizeof(*stack));
    context_init(&stack->cx, options);
    if (ip_init(&stack->ip, &stack->cx) < 0) {
        alloc->resize(alloc, stack, 0);
        return NULL;
    }
    tcp_init(&stack->tcp, &stack->cx, &stack->ip, stack);
    udp_init(&stack->udp, &stack->cx, &stack->ip);
    return stack;
}

void tlsyn_stack_free(struct tlsyn_stack *stack)
{
    if (!stack)
        return;
    struct tlsyn_alloc *alloc = stack->cx.alloc;
    tcp_release(&stack->tcp);
    udp_release(&stack->udp);
    ip_release(&stack->ip);
    alloc->resize(alloc, stack, 0);
}

/* --- the four calls --------------------------------------------------------------------------- */

static void enter(struct tlsyn_stack *stack, tlsyn_time now)
{
    assert(!stack->busy);
    stack->busy = true;
    if (now < stack->cx.now)
        count(&stack->cx, TLSYN_COUNT_clock_backwards);
    else
        stack->cx.now = now;
}

static void deliver_error(struct tlsyn_stack *stack, const struct ip_error *error)
{
    if (error->protocol == IP_PROTOCOL_TCP)
        tcp_icmp_error(&stack->tcp, error);
    else if (error->protocol == IP_PROTOCOL_UDP)
        udp_icmp_error(&stack->udp, error);
}

/* A neighbour that did not answer is an error that ends an open, like ICMP's host unreachable. */
static void hand_over_errors(struct tlsyn_stack *stack)
{
    struct ip_error error;

    while (ip_error_take(&stack->ip, &error))
        deliver_error(stack, &error);
}

static void deliver(struct tlsyn_stack *stack, const struct ip_datagram *datagram)
{
    switch (datagram->protocol) {
    case IP_PROTOCOL_TCP:
        tcp_input(&stack->tcp, datagram);
        break;
    case IP_PROTOCOL_UDP:
        udp_input(&stack->udp, datagram);
        break;
    default:
        drop(&stack->cx, TLSYN_DROP_ip_protocol);
        ip_protocol_unreachable(&stack->ip, datagram);
    }
}

int tlsyn_stack_input(struct tlsyn_stack *stack, struct tlsyn_iface *iface,
                      const struct tlsyn_frame *frame, tlsyn_time now)
{
    struct ip_arrival arrival;

    if (!ip_iface_known(&stack->ip, iface))
        return -EINVAL;
    enter(stack, now);
    switch (ip_input(&stack->ip, iface, frame, &arrival)) {
    case IP_DATAGRAM:
        deliver(stack, &arrival.datagram);
        break;
    case IP_ERROR:
        deliver_error(stack, &arrival.error);
        break;
    case IP_CONSUMED:
        break;
    }
    hand_over_errors(stack);
    ip_input_done(&stack->ip);
    stack->busy = false;
    return 0;
}

void tlsyn_stack_timers(struct tlsyn_stack *stack, tlsyn_time now)
{
    enter(stack, now);
    wheel_run(&stack->cx.wheel, stack->cx.now);
    hand_over_errors(stack);
    stack->busy = false;
}

int tlsyn_stack_output(struct tlsyn_stack *stack, tlsyn_time now)
{
    enter(stack, now);
    ip_output_open(&stack->ip);
    tcp_output_ready(&stack->tcp);
    int sent = ip_output_close(&stack->ip);
    tcp_reap(&stack->tcp);
    udp_output_done(&stack->udp);
    stack->busy = false;
    return sent;
}

tlsyn_time tlsyn_stack_next_timeout(const struct tlsyn_stack *stack)
{
    bool dead = !list_empty(&stack->tcp.doomed); /* others may wait for what they hold */

    if (dead || !list_empty(&stack->tcp.ready) || ip_output_is_due(&stack->ip))
        return stack->cx.now;
    return wheel_next(&stack->cx.wheel);
}

/* --- through to the rooms --------------------------------------------------------------------- */

tlsyn_time tlsyn_stack_now(const struct tlsyn_stack *stack)
{
    return stack->cx.now;
}

struct tlsyn_random *tlsyn_stack_random(struct tlsyn_stack *stack)
{
    return stack->cx.random;
}

struct tlsyn_alloc *tlsyn_stack_alloc(struct tlsyn_stack *stack)
{
    return stack->cx.alloc;
}

struct tlsyn_trace *tlsyn_stack_trace(struct tlsyn_stack *stack)
{
    return stack->cx.trace;
}

uint64_t tlsyn_counter(const struct tlsyn_stack *stack, enum tlsyn_counter counter)
{
    return counter == TLSYN_COUNT_link_missed ? ip_missed(&stack->ip) : stack->cx.counter[counter];
}

int tlsyn_stack_isn_secret(struct tlsyn_stack *stack, const uint8_t secret[TLSYN_ISN_SECRET])
{
    return tcp_isn_secret(&stack->tcp, secret);
}

void tlsyn_count(struct tlsyn_stack *stack, enum tlsyn_counter counter)
{
    count(&stack->cx, counter);
}

uint64_t tlsyn_drops(const struct tlsyn_stack *stack, enum tlsyn_drop reason)
{
    return stack->cx.dropped[reason];
}

int tlsyn_iface_add(struct tlsyn_stack *stack, struct tlsyn_link *link, struct tlsyn_iface **iface)
{
    return ip_iface_add(&stack->ip, link, iface);
}

int tlsyn_route_add(struct tlsyn_stack *stack, const struct tlsyn_addr *network, int prefix_len,
                    const struct tlsyn_addr *gateway)
{
    return ip_route_add(&stack->ip, network, prefix_len, gateway);
}

int tlsyn_ping(struct tlsyn_stack *stack, const struct tlsyn_addr *to, uint16_t id,
               uint16_t sequence, size_t size, struct tlsyn_ping_handler *handler)
{
    return ip_ping(&stack->ip, to, id, sequence, size, handler);
}

void tlsyn_ping_stop(struct tlsyn_stack *stack)
{
    ip_ping_stop(&stack->ip);
}

int tlsyn_conn_open(struct tlsyn_stack *stack, const struct tlsyn_connect_options *options,
                    struct tlsyn_handler *handler, struct tlsyn_conn **conn)
{
    return tcp_connect(&stack->tcp, options, handler, conn);
}

bool tlsyn_has_cookie(struct tlsyn_stack *stack, const struct tlsyn_addr *peer)
{
    const struct dest *dest = dests_find(&stack->tcp.dests, peer);

    return dest && dest->cookie_len;
}

bool tlsyn_stack_is_sending(const struct tlsyn_stack *stack)
{
    return tcp_is_sending(&stack->tcp);
}

bool tlsyn_stack_owns(const struct tlsyn_stack *stack, const struct tlsyn_addr *address)
{
    return ip_is_ours(&stack->ip, address);
}

int tlsyn_listener_open(struct tlsyn_stack *stack, const struct tlsyn_listen_options *options,
                        struct tlsyn_acceptor *acceptor, struct tlsyn_listener **listener)
{
    return tcp_listen(&stack->tcp, options, acceptor, listener);
}

void tlsyn_stack_walk(struct tlsyn_stack *stack, struct tlsyn_visitor *visitor)
{
    tcp_walk(&stack->tcp, visitor);
}

void tlsyn_udp_walk(struct tlsyn_stack *stack, struct tlsyn_udp_visitor *visitor)
{
    udp_walk(&stack->udp, visitor);
}

void tlsyn_destination_walk(struct tlsyn_stack *stack, struct tlsyn_destination_visitor *visitor)
{
    dests_walk(&stack->tcp.dests, visitor);
}

int tlsyn_destination_add(struct tlsyn_stack *stack, const struct tlsyn_destination *destination)
{
    return dests_add(&stack->tcp.dests, destination);
}

int tlsyn_udp_open(struct tlsyn_stack *stack, const struct tlsyn_udp_options *options,
                   struct tlsyn_udp_handler *handler, struct tlsyn_udp **udp)
{
    return udp_open(&stack->udp, options, handler, udp);
}

int tlsyn_dhcp_start(struct tlsyn_stack *stack, struct tlsyn_iface *iface,
                     const struct tlsyn_dhcp_options *options, struct tlsyn_dhcp_handler *handler,
                     struct tlsyn_dhcp **dhcp)
{
    return dhcp_start(&stack->udp, iface, options, handler, dhcp);
}
