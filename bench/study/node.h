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

/** Takes the link over, also on failure. What was lost before changes nothing of what is asked for
 * next (limits.embed_off_min is 0). 0 or -errno. */
int node_open(struct node *node, struct tlsyn_link *link, const char *address, int prefix_len);

/** The same with bounds of one's own. */
int node_open_bounded(struct node *node, struct tlsyn_link *link, const char *address,
                      int prefix_len, const struct tlsyn_limits *limits);

/** Frees all. Connections end without a word. Harmless for a zeroed node. */
void node_close(struct node *node);

#endif
