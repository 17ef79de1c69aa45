/*
 * study/lab_node.c: an interface, perhaps a tap, a stack.
 */
#include "study/lab_node.h"

#include <stdio.h>
#include <string.h>

#include "study/tap.h"

static int open_link(const char *interface, bool tapped, struct tlsyn_link **link)
{
    struct tlsyn_link *wire = NULL;
    int error = tlsyn_afpacket_open(interface, NULL, &wire);

    if (error < 0)
        return error;
    *link = wire;
    if (tapped)
        error = tap_wrap(wire, link);
    if (error < 0)
        tlsyn_link_close(wire);
    return error;
}

int lab_node_open(struct node *node, enum lab_host host, bool tapped, char *message, size_t size)
{
    const struct lab_host_info *info = lab_host_info(host);
    struct tlsyn_link *link = NULL;
    int error = open_link(info->interface, tapped, &link);

    if (error == 0)
        error = node_open(node, link, info->stack_address, info->prefix_len);
    if (error < 0)
        (void)snprintf(message, size, "our stack cannot be put on %s of the %s: %s",
                       info->interface, info->name, strerror(-error));
    return error;
}
