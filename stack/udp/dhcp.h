/*
 * udp/dhcp.h: the DHCP client of one interface (tlsyn/dhcp.h has the contract). Read first:
 * RFC 2131 4.4, figure 5.
 *
 *           DISCOVER          OFFER / REQUEST         ACK             nobody has it
 *     start ---------> SELECTING ----------> REQUESTING -----> CHECKING --------------> BOUND
 *                         ^  ^   silence, NAK    |                | somebody: DECLINE     |
 *                         |  +-------------------+----------------+                       | T1
 *                         |                                             ACK               v
 *                         +-- NAK, lease ran out -- REBINDING <-- T2 -- RENEWING <---> (BOUND)
 */
#ifndef TLSYN_UDP_DHCP_H
#define TLSYN_UDP_DHCP_H

#include <tlsyn/dhcp.h>
#include <tlsyn/udp.h>

#include "udp/udp.h"
#include "wire/dhcp.h"

enum dhcp_state {
    DHCP_SELECTING,
    DHCP_REQUESTING,
    DHCP_CHECKING,
    DHCP_BOUND,
    DHCP_RENEWING,
    DHCP_REBINDING,
};

struct tlsyn_dhcp {
    struct tlsyn_udp_handler base;
    struct udp *udp;
    struct tlsyn_udp *endpoint;
    struct tlsyn_iface *iface;
    struct tlsyn_dhcp_handler *handler;
    enum dhcp_state state;
    uint32_t xid;
    uint8_t attempts; /* messages without answer in this state */
    tlsyn_time began; /* of `secs`, and with it of a lease that is being asked for */
    tlsyn_time t1, t2;
    struct tlsyn_dhcp_lease lease; /* offered, or in force from BOUND on */
    bool in_force;                 /* the interface has the address */
    struct timer timer;
    struct tlsyn_addr requested; /* what the user would like to have */
    char hostname[DHCP_HOSTNAME_MAX + 1];
};

/** tlsyn_dhcp_start(). */
int dhcp_start(struct udp *udp, struct tlsyn_iface *iface, const struct tlsyn_dhcp_options *options,
               struct tlsyn_dhcp_handler *handler, struct tlsyn_dhcp **dhcp);

#endif
