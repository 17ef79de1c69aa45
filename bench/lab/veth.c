/*
 * lab/veth.c: virtual Ethernet pairs.
 * Read first: rtnetlink(7), netdevice(7); linux/veth.h, linux/ethtool.h.
 */
#include "lab/veth.h"

#include "lab/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void put_end(struct netlink_request *request, const struct veth_end *end, int mtu)
{
    netlink_put_text(request, IFLA_IFNAME, end->name);
    netlink_put(request, IFLA_ADDRESS, end->hwaddr, sizeof(end->hwaddr));
    netlink_put_u32(request, IFLA_MTU, (uint32_t)mtu);
}

int veth_pair(int nl, const struct veth_end *here, const struct veth_end *there, int netns, int mtu)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
    struct netlink_request request;

    netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
    put_end(&request, here, mtu);
    size_t info = netlink_nest(&request, IFLA_LINKINFO);
    netlink_put_text(&request, IFLA_INFO_KIND, "veth");
    size_t data = netlink_nest(&request, IFLA_INFO_DATA);
    size_t peer = netlink_nest(&request, VETH_INFO_PEER);
    netlink_append(&request, &link, sizeof(link));
    put_end(&request, there, mtu);
    netlink_put_u32(&request, IFLA_NET_NS_FD, (uint32_t)netns);
    netlink_end(&request, peer);
    netlink_end(&request, data);
    netlink_end(&request, info);
    return netlink_talk(nl, &request);
}

/* RTM_GETLINK would do as well; this asks any socket of the namespace. */
static int index_of(const char *name)
{
    unsigned int index = if_nametoindex(name);

    return index == 0 ? -errno : (int)index;
}

int veth_up(int nl, const char *name, int no_arp)
{
    unsigned int flags = no_arp ? IFF_UP | IFF_NOARP : IFF_UP;
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_flags = flags, .ifi_change = flags};
    struct netlink_request request;

    link.ifi_index = index_of(name);
    if (link.ifi_index < 0)
        return link.ifi_index;
    netlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof(link));
    return netlink_talk(nl, &request);
}

int veth_address(int nl, const char *name, const char *address, int prefix_len)
{
    bool ip6 = strchr(address, ':') != NULL;
    struct ifaddrmsg header = {.ifa_family = ip6 ? AF_INET6 : AF_INET,
                               .ifa_prefixlen = (uint8_t)prefix_len};
    size_t size = ip6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
    struct netlink_request request;
    struct in6_addr octets;
    int index = index_of(name);

    if (index < 0)
        return index;
    if (inet_pton(header.ifa_family, address, &octets) != 1)
        return -EINVAL;
    header.ifa_index = (uint32_t)index;
    netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    netlink_put(&request, IFA_LOCAL, &octets, size);
    netlink_put(&request, IFA_ADDRESS, &octets, size);
    if (ip6)
        netlink_put_u32(&request, IFA_FLAGS, IFA_F_NODAD);
    return netlink_talk(nl, &request);
}

bool veth_has_no_ipv6(int error)
{
    return error == -EAFNOSUPPORT || error == -EOPNOTSUPP || error == -EACCES || error == -EPERM;
}

void veth_quiet_ipv6(void)
{
    static const struct {
        const char *name, *value;
    } settings[] = {
        {"addr_gen_mode", "1"}, /* no link-local address is made up */
        {"accept_ra", "0"},     {"router_solicitations", "0"},
        {"accept_dad", "0"},    {"autoconf", "0"},
    };

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        char path[96];
        snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/default/%s", settings[i].name);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (write(fd, settings[i].value, 1) < 0) {
            /* Read-only in some containers; see the header for why this is no error. */
        }
        close(fd);
    }
}

int veth_offload_off(const char *name)
{
    /* Segmentation first: it depends on checksums. */
    static const uint32_t features[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM};
    struct ethtool_value value = {.data = 0};
    struct ifreq request = {.ifr_data = (char *)&value};
    int status = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]) && status == 0; i++) {
        value.cmd = features[i];
        if (ioctl(fd, SIOCETHTOOL, &request) < 0)
            status = -errno;
    }
    close(fd);
    return status;
}
