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

/** Turns the loop until *done (0), until the deadline (-ETIMEDOUT), or an error. A signal is no
 * reason to stop. */
int node_run(struct node *node, const bool *done, tlsyn_time deadline);

/** Turns it until there is something to be read from a descriptor, or its other end is gone. 0 or
 * -errno. */
int node_await(struct node *node, int fd);

/** Frees all. Connections end without a word. Harmless for a zeroed node. */
void node_close(struct node *node);

#endif
