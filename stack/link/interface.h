/*
 * link/interface.h: what the kernel says of a network interface.
 */
#ifndef LINK_INTERFACE_H
#define LINK_INTERFACE_H

#include <tlsyn/types.h>

struct interface {
    int index;
    uint16_t mtu; /* bytes of IP datagram; 65535 stands for more */
    uint8_t hwaddr[6];
};

/** Asks through any socket. 0, -ENODEV, -ENETDOWN (it is not up), -EPFNOSUPPORT (no Ethernet), or
 * another -errno. */
int interface_query(int fd, const char *name, struct interface *found);

/** Brings an interface up that is not; needs CAP_NET_ADMIN then. 0 or -errno. */
int interface_set_up(int fd, const char *name);

/** True while the interface exists and is up. */
bool interface_is_up(int fd, const char *name);

/** Microseconds to add to a time of CLOCK_REALTIME for the same time of CLOCK_MONOTONIC, as of
 * now. */
tlsyn_time interface_clock_offset(void);

#endif
