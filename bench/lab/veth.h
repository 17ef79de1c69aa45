/*
 * lab/veth.h: virtual Ethernet pairs: made, addressed, quieted, set up. All by rtnetlink and ioctl;
 * no `ip` needed. Read first: veth(4), netdevice(7).
 */
#ifndef LAB_VETH_H
#define LAB_VETH_H

#include <stdbool.h>
#include <stdint.h>

/** One end of a pair. */
struct veth_end {
    const char *name;
    uint8_t hwaddr[6];
};

/** Makes a pair: `here` in the namespace of the rtnetlink socket `nl`, `there` in the namespace
 * `netns` (a descriptor). Both are down. 0 or -errno; -EOPNOTSUPP: the kernel has no veth. */
int veth_pair(int nl, const struct veth_end *here, const struct veth_end *there, int netns,
              int mtu);

/** Sets an interface of the socket's namespace up. `no_arp`: the kernel itself never speaks on
 * it. */
int veth_up(int nl, const char *name, int no_arp);

/** Gives an interface an IPv4 or IPv6 address in text with its prefix length; usable at once (no
 * duplicate address detection). */
int veth_address(int nl, const char *name, const char *address, int prefix_len);

/** True if this error of veth_address() says that the kernel has no IPv6, or that it is switched
 * off. */
bool veth_has_no_ipv6(int error);

/** Keeps the kernel from speaking IPv6 by itself (no link-local address, router solicitation or
 * duplicate address detection) on interfaces made in the current network namespace from now on;
 * addresses can still be added by hand. What a kernel hasn't or a container forbids is left as it
 * is: it is noise on the wire only. */
void veth_quiet_ipv6(void);

/** Switches segmentation, coalescing and checksum offload of an interface of the current namespace
 * off. 0 or -errno. */
int veth_offload_off(const char *name);

#endif
