/*
 * link/interface.c: what the kernel says of a network interface, and of its two clocks.
 */
#include "link/interface.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <time.h>

static int interface_ask(int fd, unsigned long request, struct ifreq *ifr)
{
    return ioctl(fd, request, ifr) < 0 ? -errno : 0;
}

/* False if no interface can have such a name. */
static bool interface_name(struct ifreq *ifr, const char *name)
{
    memset(ifr, 0, sizeof(*ifr));
    if (strlen(name) >= sizeof(ifr->ifr_name))
        return false;
    memcpy(ifr->ifr_name, name, strlen(name));
    return true;
}

bool interface_is_up(int fd, const char *name)
{
    struct ifreq ifr;

    return interface_name(&ifr, name) && interface_ask(fd, SIOCGIFFLAGS, &ifr) == 0 &&
           (ifr.ifr_flags & IFF_UP);
}

int interface_set_up(int fd, const char *name)
{
    struct ifreq ifr;
    int error = interface_name(&ifr, name) ? interface_ask(fd, SIOCGIFFLAGS, &ifr) : -ENODEV;

    if (error || (ifr.ifr_flags & IFF_UP))
        return error;
    ifr.ifr_flags |= IFF_UP;
    return interface_ask(fd, SIOCSIFFLAGS, &ifr);
}

int interface_query(int fd, const char *name, struct interface *found)
{
    struct ifreq ifr;
    int error;

    if (!interface_name(&ifr, name))
        return -ENODEV;
    error = interface_ask(fd, SIOCGIFINDEX, &ifr);
    if (error)
        return error;
    found->index = ifr.ifr_ifindex;
    error = interface_ask(fd, SIOCGIFFLAGS, &ifr);
    if (error)
        return error;
    if (!(ifr.ifr_flags & IFF_UP))
        return -ENETDOWN;
    error = interface_ask(fd, SIOCGIFHWADDR, &ifr);
    if (error)
        return error;
    if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return -EPFNOSUPPORT;
    memcpy(found->hwaddr, ifr.ifr_hwaddr.sa_data, sizeof(found->hwaddr));
    error = interface_ask(fd, SIOCGIFMTU, &ifr);
    if (error)
        return error;
    found->mtu = ifr.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)ifr.ifr_mtu;
    return 0;
}

static tlsyn_time read_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
}

tlsyn_time interface_clock_offset(void)
{
    tlsyn_time monotonic = read_us(CLOCK_MONOTONIC);

    return monotonic - read_us(CLOCK_REALTIME);
}
