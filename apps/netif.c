/*
 * netif.c: what the kernel knows about this machine's interfaces.
 */
#include "netif.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool has_ip(const struct ifaddrs *a)
{
    return a->ifa_addr && (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6);
}

/* An address, or a netmask. */
static struct tlsyn_addr from_sockaddr(const struct sockaddr *sockaddr)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct tlsyn_addr address;
    uint8_t octets[4];

    if (sockaddr->sa_family == AF_INET6) {
        memcpy(&in6, sockaddr, sizeof(in6));
        memcpy(address.byte, &in6.sin6_addr, sizeof(address.byte));
        return address;
    }
    memcpy(&in, sockaddr, sizeof(in));
    memcpy(octets, &in.sin_addr, sizeof(octets));
    return tlsyn_addr_ip4(octets);
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

/* --- routes: /proc/net/route, proc_net(5) ----------------------------------------------------- */

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

static int gateway4(const char *name, struct tlsyn_addr *gateway)
{
    struct default_route route;
    uint8_t octets[4];

    if (find_default_route(name, &route) < 0 || route.gateway == 0)
        return -ENODATA;
    memcpy(octets, &route.gateway, sizeof(octets));
    *gateway = tlsyn_addr_ip4(octets);
    return 0;
}

/* 32 digits, as /proc/net/ipv6_route writes an address. */
static void from_digits(const char *digits, struct tlsyn_addr *address)
{
    for (int i = 0; i < 16; i++) {
        const char pair[3] = {digits[2 * i], digits[2 * i + 1]};

        address->byte[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

/* The default route with the lowest metric: destination, its prefix, source, its prefix, gateway,
 * metric, ..., interface. */
static int gateway6(const char *name, struct tlsyn_addr *gateway)
{
    FILE *file = fopen("/proc/net/ipv6_route", "re");
    unsigned int best = UINT_MAX;
    char line[256];
    int error = -ENODATA;

    if (!file)
        return -ENODATA;
    while (fgets(line, sizeof(line), file)) {
        char destination[33], via[33], device[16];
        unsigned int prefix = 0, metric = 0;
        struct tlsyn_addr router;

        if (sscanf(line, "%32s %x %*s %*x %32s %x %*x %*x %*x %15s", destination, &prefix, via,
                   &metric, device) != 5 ||
            prefix != 0 || strcmp(device, name) != 0 || strlen(via) != 32)
            continue;
        from_digits(via, &router);
        if (tlsyn_addr_unspecified(&router) || metric >= best)
            continue;
        best = metric;
        *gateway = router;
        error = 0;
    }
    (void)fclose(file);
    return error;
}

int netif_gateway(const char *name, bool ip4, struct tlsyn_addr *gateway)
{
    return ip4 ? gateway4(name, gateway) : gateway6(name, gateway);
}

/* --- interfaces ------------------------------------------------------------------------------- */

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

        if (!has_ip(a))
            continue;
        own = from_sockaddr(a->ifa_addr);
        owns = tlsyn_addr_eq(&own, address);
        if (owns)
            (void)snprintf(name, IF_NAMESIZE, "%s", a->ifa_name);
    }
    freeifaddrs(all);
    return owns;
}

/* IPv4's mapped form has its mask behind 96 bits that are none of it. */
static int prefix_length(const struct sockaddr *netmask)
{
    struct tlsyn_addr mask = from_sockaddr(netmask);
    int length = 0;

    for (int i = netmask->sa_family == AF_INET6 ? 0 : 12; i < 16; i++)
        length += __builtin_popcount(mask.byte[i]);
    return length;
}

static bool is_network(const struct ifaddrs *a, const char *name, bool ip4)
{
    struct tlsyn_addr address;

    if (!has_ip(a) || !a->ifa_netmask || strcmp(a->ifa_name, name) != 0)
        return false;
    address = from_sockaddr(a->ifa_addr);
    return tlsyn_addr_is_ip4(&address) == ip4 &&
           (ip4 || address.byte[0] != 0xfe || (address.byte[1] & 0xc0) != 0x80);
}

/* The flags (IFA_F_*) of an IPv6 address of the kernel's: address, index, prefix, scope, flags,
 * interface. */
static unsigned int flags6(const struct tlsyn_addr *address)
{
    FILE *file = fopen("/proc/net/if_inet6", "re");
    unsigned int found = 0;
    char line[128];

    while (file && fgets(line, sizeof(line), file)) {
        char digits[33];
        unsigned int flags = 0;
        struct tlsyn_addr listed;

        if (sscanf(line, "%32s %*x %*x %*x %x", digits, &flags) != 2 || strlen(digits) != 32)
            continue;
        from_digits(digits, &listed);
        if (tlsyn_addr_eq(&listed, address))
            found = flags;
    }
    if (file)
        (void)fclose(file);
    return found;
}

/* How well an address serves as a source (RFC 6724 5): -1 not at all, 2 best. */
static int rank_of(const struct tlsyn_addr *address)
{
    unsigned int flags = tlsyn_addr_is_ip4(address) ? 0 : flags6(address);

    if (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
        return -1;
    if (flags & IFA_F_DEPRECATED)
        return 0;
    return flags & IFA_F_TEMPORARY ? 2 : 1;
}

int netif_network(const char *name, bool ip4, struct cli_network *network)
{
    struct ifaddrs *all = NULL;
    int best = -1;

    if (getifaddrs(&all) < 0)
        return -ENODATA;
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        struct tlsyn_addr address;
        int rank;

        if (!is_network(a, name, ip4))
            continue;
        address = from_sockaddr(a->ifa_addr);
        rank = rank_of(&address);
        if (rank <= best)
            continue;
        best = rank;
        *network = (struct cli_network){address, prefix_length(a->ifa_netmask)};
    }
    freeifaddrs(all);
    return best < 0 ? -ENODATA : 0;
}

bool netif_same_network(const struct tlsyn_addr *a, const struct tlsyn_addr *b, int prefix_len)
{
    int bits = prefix_len + (tlsyn_addr_is_ip4(a) ? 96 : 0);

    if (tlsyn_addr_is_ip4(a) != tlsyn_addr_is_ip4(b) || bits > 128)
        return false;
    for (int i = 0; i < bits; i++) {
        if ((a->byte[i / 8] ^ b->byte[i / 8]) & 0x80 >> i % 8)
            return false;
    }
    return true;
}
