/*
 * sim/port.c: what a host sees of the network: a link, with a middlebox behind it where the plan
 * wants one, that does to this host's SYNs, and to the answers, what its rules say.
 *
 *     host -- link --> [box] -- wire --> the network
 */
#include "sim/port.h"

#include "support/must.h"
#include "wire/ether.h"

#define PORT_DEPTH 4096

/* Numbers of the connection are not the host's own: they are looked at behind the box. */
static bool proxied(const struct port *port)
{
    return port->network->plan->box & TLSYN_MIDDLEBOX_PROXY;
}

void network_deliver(struct network *n, int host, const struct tlsyn_frame *frame)
{
    struct port *port = &n->port[host];
    struct held_frame *held = frame_hold(frame);

    must(held != NULL);
    held->frame.when = n->now;
    list_append(&port->arrived, &held->node);
    port->waiting++;
}

void port_arrive(struct network *n, struct transit *t)
{
    struct port *port = &n->port[t->to];

    if (port->waiting >= PORT_DEPTH) {
        transit_lose(n, t, "full port");
        return;
    }
    transit_tell(n, t, "arrives");
    memcpy(t->held->bytes, port->link.caps.hwaddr, ETHER_ADDR_LEN); /* the last router's affair */
    t->held->frame.when = n->now;
    list_append(&port->arrived, &t->held->node);
    port->waiting++;
}

/* --- the wire: between the box, if there is one, and the network ------------------------------ */

static struct port *port_of_wire(struct tlsyn_link *wire)
{
    return container_of(wire, struct port, wire);
}

static int wire_receive(struct tlsyn_link *wire, struct tlsyn_frame *frames, int max,
                        tlsyn_time now)
{
    struct port *port = port_of_wire(wire);
    int n = 0;

    (void)now;
    frames_free(&port->lent);
    while (n < max && !list_empty(&port->arrived)) {
        struct list *first = list_first(&port->arrived);

        list_remove(first);
        list_append(&port->lent, first);
        frames[n++] = container_of(first, struct held_frame, node)->frame;
    }
    port->waiting -= n;
    return n;
}

static int wire_transmit(struct tlsyn_link *wire, const struct tlsyn_frame *frames, int n,
                         tlsyn_time now)
{
    struct port *port = port_of_wire(wire);

    (void)now;
    for (int i = 0; i < n; i++) {
        struct held_frame *held = frame_hold(&frames[i]);

        must(held != NULL);
        if (proxied(port))
            network_witness(port->network, port->host, &held->frame);
        network_send(port->network, port->host, held);
    }
    return n;
}

static void wire_close(struct tlsyn_link *wire)
{
    frames_free(&port_of_wire(wire)->arrived);
    frames_free(&port_of_wire(wire)->lent);
}

/* --- the host's link -------------------------------------------------------------------------- */

static struct port *port_of(struct tlsyn_link *link)
{
    return container_of(link, struct port, link);
}

static int port_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                        tlsyn_time now)
{
    port_of(link)->answered = false;
    return tlsyn_link_receive(port_of(link)->box, frames, max, now);
}

/* A box looks at frames of one piece. */
static int port_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                         tlsyn_time now)
{
    struct port *port = port_of(link);

    for (int i = 0; i < n; i++) {
        struct held_frame *held = frame_hold(&frames[i]);

        must(held != NULL && frame_check(&frames[i], &link->caps) == 0);
        if (!proxied(port))
            network_witness(port->network, port->host, &held->frame);
        must(tlsyn_link_transmit(port->box, &held->frame, 1, now) == 1);
        link_free(held);
    }
    port->answered = port->box != &port->wire;
    return n;
}

static int no_fd(struct tlsyn_link *link)
{
    (void)link;
    return -1;
}

static void port_close(struct tlsyn_link *link)
{
    tlsyn_link_close(port_of(link)->box);
}

static const struct tlsyn_link_ops wire_ops = {
    .receive = wire_receive,
    .transmit = wire_transmit,
    .fd = no_fd,
    .close = wire_close,
};

static const struct tlsyn_link_ops port_ops = {
    .receive = port_receive,
    .transmit = port_transmit,
    .fd = no_fd,
    .close = port_close,
};

void port_open(struct network *n, int host)
{
    const struct plan *p = n->plan;
    struct port *port = &n->port[host];
    struct random_seeded r;

    plan_draw(p, DRAW_HOST, (uint64_t)host, &r);
    *port = (struct port){
        .link = {.ops = &port_ops}, .wire = {.ops = &wire_ops}, .network = n, .host = host};
    port->link.caps = (struct tlsyn_link_caps){
        .mtu = (uint16_t)(p->mtu - plan_upto(&r, p->mtu_less)),
        .gso_max = (uint32_t)p->gso,
        .csum = p->gso > 0,
        .hwaddr = {2, 0, 0, 0, 0, (uint8_t)(host + 1)},
    };
    port->wire.caps = port->link.caps;
    list_init(&port->arrived);
    list_init(&port->lent);
    port->box = &port->wire;
}

void port_begin(struct port *port)
{
    unsigned rules = (unsigned)port->network->plan->box;

    if (rules == 0)
        return;
    must(tlsyn_middlebox_wrap(&port->wire, &port->box) == 0);
    tlsyn_middlebox_set(port->box, rules);
}
