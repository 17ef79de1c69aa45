/*
 * tlsyn/dhcp.h: an IPv4 address from the network: a DHCP client. RFC 2131, RFC 2132.
 *
 *     tlsyn_iface_add -> tlsyn_dhcp_start -> on_lease { on_lease, on_lost }* -> tlsyn_dhcp_stop
 *
 * The client gives the interface the address that it was lent, with the default route through the
 * router that the server names, renews the lease in time, and takes both away when it runs out.
 * Before an address is used the network is asked whether somebody has it (RFC 2131 4.4.1); then it
 * is declined and another one asked for.
 *
 * DHCP proves nothing about who answers: whoever is on the link can lend addresses and name
 * routers.
 */
#ifndef TLSYN_DHCP_H
#define TLSYN_DHCP_H

#include <tlsyn/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_dhcp;
struct tlsyn_dhcp_handler;

#define TLSYN_DHCP_DNS_MAX 3

struct tlsyn_dhcp_lease {
    struct tlsyn_addr address;
    int prefix_len;
    struct tlsyn_addr router; /* unspecified: none was named */
    struct tlsyn_addr server;
    struct tlsyn_addr dns[TLSYN_DHCP_DNS_MAX];
    int dns_count;
    tlsyn_time expires; /* TLSYN_NEVER: lent for ever */
};

struct tlsyn_dhcp_events {
    /** The address may be used. Not called again for a renewal. */
    void (*on_lease)(struct tlsyn_dhcp_handler *, struct tlsyn_dhcp *,
                     const struct tlsyn_dhcp_lease *);
    /** The address has been taken away: the lease ran out, or the server wants it back. The client
     * goes on and asks for another. */
    void (*on_lost)(struct tlsyn_dhcp_handler *, struct tlsyn_dhcp *);
};

/** Unset events are skipped. */
struct tlsyn_dhcp_handler {
    const struct tlsyn_dhcp_events *events;
};

struct tlsyn_dhcp_options {
    const char *hostname;        /* copied; for the server's records; NULL: none */
    struct tlsyn_addr requested; /* the address of last time, if there is one; IPv4 */
};

/** Begins; the first message leaves with the next output. One client per stack: -EADDRINUSE.
 * -EINVAL: a hostname above 63 bytes; -ENOBUFS: limits.udp_endpoints; -ENOMEM. The handler must
 * outlive the client, and the client ends before its stack. */
int tlsyn_dhcp_start(struct tlsyn_stack *stack, struct tlsyn_iface *iface,
                     const struct tlsyn_dhcp_options *options, struct tlsyn_dhcp_handler *handler,
                     struct tlsyn_dhcp **dhcp);

/** Gives the address back (RFC 2131 4.4.6; the message leaves with the next output) and frees the
 * client. No event comes from now on. NULL is allowed. */
void tlsyn_dhcp_stop(struct tlsyn_dhcp *dhcp);

#ifdef __cplusplus
}
#endif

#endif
