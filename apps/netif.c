/*
 * netif.c: what the kernel knows about this machine's interfaces.
 */
#include "netif.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tlsyn_addr from_sockaddr(const struct sockaddr *sockaddr)
{
    struct sockaddr_in in;
    uint8_t octets[4];

    memcpy(&in, sockaddr, sizeof(in));
    memcpy(octets, &in.sin_addr, sizeof(octets));
    return tlsyn_addr_ip4(octets);
}

static bool has_ip4(const struct ifaddrs *a)
{
    return a->ifa_addr && a->ifa_addr->sa_family == AF_INET;
}

/* The kernel lists each interface once with AF_PACKET, and once per address. */
static bool is_candidate(const struct ifaddrs *a)
{
    return a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET && (a->ifa_flags & IFF_UP) &&
           (a->ifa_flags & IFF_BROADCAST) && !(a->ifa_flags & IFF_LOOPBACK);
}

static void append_name(char *list, size_t size, const char *name)
{
    size_t length = strlen(list);

    (void)snprintf(list + length, size - length, "%s%s", length ? ", " : "", name);
}

void netif_list(char *list, size_t size)
{
    struct if_nameindex *all = if_nameindex();

    list[0] = '\0';
    for (struct if_nameindex *i = all; i && i->if_index != 0; i++)
        append_name(list, size, i->if_name);
    if (all)
        if_freenameindex(all);
}

/* --- routes: /proc/net/route, proc_net(5) ------------------------------------------------------------ */

struct default_route {
    char name[IF_NAMESIZE];
    uint32_t gateway; /* network byte order */
    unsigned int metric;
};

/* The default route with the lowest metric; through `name` unless that is NULL. */
static int find_default_route(const char *name, struct default_route *best)
{
    FILE *file = fopen("/proc/net/route", "re");
    char line[256];
    bool found = false;

    if (!file)
        return -ENODATA;
    while (fgets(line, sizeof(line), file)) {
        struct default_route route;
        unsigned int destination = 0;
        unsigned int flags = 0;
        unsigned int mask = 0;

        if (sscanf(line, "%15s %x %x %x %*d %*u %u %x", route.name, &destination, &route.gateway,
                   &flags, &route.metric, &mask) != 6)
            continue;
        if (destination != 0 || mask != 0 || (name && strcmp(name, route.name) != 0))
            continue;
        if (!found || route.metric < best->metric)
            *best = route;
        found = true;
    }
    (void)fclose(file);
    return found ? 0 : -ENODATA;
}

int netif_gateway(const char *name, struct tlsyn_addr *gateway)
{
    struct default_route route;
    uint8_t octets[4];

    if (find_default_route(name, &route) < 0 || route.gateway == 0)
        return -ENODATA;
    memcpy(octets, &route.gateway, sizeof(octets));
    *gateway = tlsyn_addr_ip4(octets);
    return 0;
}

/* --- interfaces ---------------------------------------------------------------------------------------- */

int netif_choose(char name[IF_NAMESIZE], char *list, size_t size)
{
    struct default_route route;
    struct ifaddrs *all = NULL;
    int candidates = 0;

    list[0] = '\0';
    if (find_default_route(NULL, &route) == 0 && netif_check(route.name) == 0) {
        memcpy(name, route.name, IF_NAMESIZE);
        return 0;
    }
    if (getifaddrs(&all) < 0)
        return -errno;
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (!is_candidate(a))
            continue;
        (void)snprintf(name, IF_NAMESIZE, "%s", a->ifa_name);
        append_name(list, size, a->ifa_name);
        candidates++;
    }
    freeifaddrs(all);
    return candidates == 1 ? 0 : candidates == 0 ? -ENODEV : -ENOTUNIQ;
}

int netif_check(const char *name)
{
    struct ifreq request = {0};
    int fd = 0;
    int error = 0;

    if (strlen(name) >= IF_NAMESIZE)
        return -ENODEV;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memcpy(request.ifr_name, name, strlen(name));
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        error = -errno;
    else if (!(request.ifr_flags & IFF_UP))
        error = -ENETDOWN;
    else if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
        error = -errno;
    else if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        error = -EPROTONOSUPPORT;
    (void)close(fd);
    return error;
}

bool netif_owns(const struct tlsyn_addr *address, char name[IF_NAMESIZE])
{
    struct ifaddrs *all = NULL;
    bool owns = false;

    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *a = all; a && !owns; a = a->ifa_next) {
        struct tlsyn_addr own;

        if (!has_ip4(a))
            continue;
        own = from_sockaddr(a->ifa_addr);
        owns = tlsyn_addr_eq(&own, address);
        if (owns)
            (void)snprintf(name, IF_NAMESIZE, "%s", a->ifa_name);
    }
    freeifaddrs(all);
    return owns;
}

static int prefix_length(const struct sockaddr *netmask)
{
    struct tlsyn_addr mask = from_sockaddr(netmask);
    int length = 0;

    for (int i = 0; i < 4; i++)
        length += __builtin_popcount(tlsyn_addr_octets(&mask)[i]);
    return length;
}

int netif_network(const char *name, struct cli_network *network)
{
    struct ifaddrs *all = NULL;
    int error = -ENODATA;

    if (getifaddrs(&all) < 0)
        return -ENODATA;
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (!has_ip4(a) || !a->ifa_netmask || strcmp(a->ifa_name, name) != 0)
            continue;
        network->address = from_sockaddr(a->ifa_addr);
        network->prefix_len = prefix_length(a->ifa_netmask);
        error = 0;
        break;
    }
    freeifaddrs(all);
    return error;
}

bool netif_same_network(const struct tlsyn_addr *a, const struct tlsyn_addr *b, int prefix_len)
{
    uint32_t x = 0;
    uint32_t y = 0;
    uint32_t mask = prefix_len == 0 ? 0 : UINT32_MAX << (32 - prefix_len);

    memcpy(&x, tlsyn_addr_octets(a), sizeof(x));
    memcpy(&y, tlsyn_addr_octets(b), sizeof(y));
    return ((ntohl(x) ^ ntohl(y)) & mask) == 0;
}
