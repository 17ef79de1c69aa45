/*
 * study/node.c: a host with our stack.
 */
#include "study/node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>

struct tlsyn_addr node_address(const char *text)
{
    uint8_t octets[4] = {0};
    struct tlsyn_addr address = {{0}};

    if (inet_pton(AF_INET6, text, address.byte) == 1)
        return address;
    (void)inet_pton(AF_INET, text, octets);
    return tlsyn_addr_ip4(octets);
}

static int add_address(struct node *node, const char *address, int prefix_len)
{
    struct tlsyn_addr own = node_address(address);
    int error = tlsyn_iface_add(node->stack, node->link, &node->iface);

    if (error == 0)
        tlsyn_iface_dad(node->iface, 0); /* the laboratory gives each address to one host */
    if (error == 0)
        error = tlsyn_iface_address(node->iface, &own, prefix_len);
    if (error == 0)
        error = tlsyn_loop_new(node->stack, NULL, &node->loop);
    return error == 0 ? tlsyn_loop_iface(node->loop, node->iface) : error;
}

int node_open_bounded(struct node *node, struct tlsyn_link *link, const char *address,
                      int prefix_len, const struct tlsyn_limits *limits)
{
    const struct tlsyn_stack_options options = {.limits = limits, .now = tlsyn_clock()};
    int error = -ENOMEM;

    *node = (struct node){.link = link, .stack = tlsyn_stack_new(&options)};
    if (node->stack)
        error = add_address(node, address, prefix_len);
    if (error < 0)
        node_close(node);
    return error;
}

int node_open(struct node *node, struct tlsyn_link *link, const char *address, int prefix_len)
{
    struct tlsyn_limits limits;

    tlsyn_limits_default(&limits);
    limits.embed_off_min = 0;
    return node_open_bounded(node, link, address, prefix_len, &limits);
}

int node_run(struct node *node, const bool *done, tlsyn_time deadline)
{
    int error;

    do
        error = tlsyn_loop_run(node->loop, done, deadline);
    while (error == -EINTR);
    return error;
}

struct awaited {
    struct tlsyn_loop_watch watch; /* first member */
    bool ready;
};

static void on_ready(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    (void)fd;
    (void)revents;
    ((struct awaited *)watch)->ready = true;
}

/* Not watched any longer than that: the loop would find it ready again and again. */
int node_await(struct node *node, int fd)
{
    struct awaited awaited = {.watch = {.on_ready = on_ready}};
    int error = tlsyn_loop_watch(node->loop, fd, POLLIN, &awaited.watch);

    if (error == 0)
        error = node_run(node, &awaited.ready, TLSYN_NEVER);
    tlsyn_loop_unwatch(node->loop, fd);
    return error;
}

void node_close(struct node *node)
{
    tlsyn_loop_free(node->loop);
    if (node->stack)
        tlsyn_stack_free(node->stack);
    tlsyn_link_close(node->link);
    *node = (struct node){.link = NULL};
}
