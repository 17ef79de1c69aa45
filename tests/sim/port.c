/*
 * sim/port.c: what a host sees of the network: a link.
 */
#include "sim/port.h"

#include "support/must.h"
#include "wire/ether.h"

#define PORT_DEPTH 4096

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

static struct port *port_of(struct tlsyn_link *link)
{
    return container_of(link, struct port, link);
}

static int port_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                        tlsyn_time now)
{
    struct port *port = port_of(link);
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

static int port_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                         tlsyn_time now)
{
    struct port *port = port_of(link);

    (void)now;
    for (int i = 0; i < n; i++) {
        struct held_frame *held = frame_hold(&frames[i]);

        must(held != NULL && frame_check(&frames[i], &link->caps) == 0);
        network_send(port->network, port->host, held);
    }
    return n;
}

static int port_fd(struct tlsyn_link *link)
{
    (void)link;
    return -1;
}

static void port_close(struct tlsyn_link *link)
{
    frames_free(&port_of(link)->arrived);
    frames_free(&port_of(link)->lent);
}

static const struct tlsyn_link_ops port_ops = {
    .receive = port_receive,
    .transmit = port_transmit,
    .fd = port_fd,
    .close = port_close,
};

void port_open(struct network *n, int host)
{
    const struct plan *p = n->plan;
    struct port *port = &n->port[host];
    struct random_seeded r;

    plan_draw(p, DRAW_HOST, (uint64_t)host, &r);
    *port = (struct port){.link = {.ops = &port_ops}, .network = n, .host = host};
    port->link.caps = (struct tlsyn_link_caps){
        .mtu = (uint16_t)(p->mtu - plan_upto(&r, p->mtu_less)),
        .gso_max = (uint32_t)p->gso,
        .csum = p->gso > 0,
        .hwaddr = {2, 0, 0, 0, 0, (uint8_t)(host + 1)},
    };
    list_init(&port->arrived);
    list_init(&port->lent);
}
