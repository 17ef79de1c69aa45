/*
 * study/node.h: a host with our stack: a link, a stack on it with one address, a loop around it.
 */
#ifndef STUDY_NODE_H
#define STUDY_NODE_H

#include <tlsyn/loop.h>

struct node {
    struct tlsyn_link *link;
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_loop *loop;
};

/** "10.77.0.11" or "fd77::11" as an address; unspecified if it is none. */
struct tlsyn_addr node_address(const char *text);

/** Takes the link over, also on failure. 0 or -errno. */
int node_open(struct node *node, struct tlsyn_link *link, const char *address, int prefix_len);

/** Frees all. Connections end without a word. Harmless for a zeroed node. */
void node_close(struct node *node);

#endif
