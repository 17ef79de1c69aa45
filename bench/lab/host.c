/*
 * lab/host.c: one host of the lab.
 */
#include "lab/host.h"

#include "lab/netlink.h"
#include "lab/netns.h"
#include "lab/veth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IP6_MTU_MIN 1280 /* RFC 8200 5: over less there is no IPv6 */

/* The same in every lab, so that captures can be compared; the namespaces keep labs apart. */
static const struct {
    struct lab_host_info info;
    struct veth_end here, middle;
} hosts[] = {
    [LAB_CLIENT] = {{"client", "eth0", "10.77.0.1", "10.77.0.11", 24, "fd77::1", "fd77::11", 64},
                    {"eth0", {0x02, 0, 10, 77, 0, 1}},
                    {"to-client", {0x02, 0, 10, 77, 0xff, 1}}},
    [LAB_SERVER] = {{"server", "eth0", "10.77.0.2", "10.77.0.12", 24, "fd77::2", "fd77::12", 64},
                    {"eth0", {0x02, 0, 10, 77, 0, 2}},
                    {"to-server", {0x02, 0, 10, 77, 0xff, 2}}},
};

const struct lab_host_info *lab_host_info(enum lab_host host)
{
    return &hosts[host].info;
}

/* The other end of a host's wire. */
struct far_end {
    int netns;
    const struct veth_end *end;
};

/* Everything inside the host's namespace. Without a far end the wire is there already. On failure
 * *step says what was tried. */
static int configure(enum lab_host host, const struct lab_options *options, int nl,
                     const struct far_end *far, const char **step)
{
    const struct lab_host_info *info = &hosts[host].info;
    int mtu = options->mtu > 0 ? options->mtu : 1500;
    int status;

    *step = "make a veth pair";
    if (far && (status = veth_pair(nl, &hosts[host].here, far->end, far->netns, mtu)) < 0)
        return status;
    *step = "switch the offloads of its interface off";
    if (!options->offload && (status = veth_offload_off(info->interface)) < 0)
        return status;
    *step = "set its address";
    if ((status = veth_address(nl, info->interface, info->kernel_address, info->prefix_len)) < 0)
        return status;
    *step = "set its interfaces up";
    if ((status = veth_up(nl, "lo", false)) < 0)
        return status;
    if ((status = veth_up(nl, info->interface, false)) < 0)
        return status;
    if (mtu < IP6_MTU_MIN)
        return 0;
    *step = "set its IPv6 address";
    status = veth_address(nl, info->interface, info->kernel_address6, info->prefix6_len);
    return veth_has_no_ipv6(status) ? 0 : status;
}

/* In the host's namespace, entered before and left by the caller. */
static int build_inside(enum lab_host host, const struct lab_options *options,
                        const struct far_end *far, const char **step)
{
    *step = "open an rtnetlink socket";
    int nl = netlink_open();
    if (nl < 0)
        return nl;
    int status = configure(host, options, nl, far, step);
    close(nl);
    return status;
}

static int middle_end_up(const char *name)
{
    int nl = netlink_open();

    if (nl < 0)
        return nl;
    int status = veth_up(nl, name, true);
    close(nl);
    return status;
}

static void explain(enum lab_host host, const char *step, int status, struct lab_error *error)
{
    snprintf(error->text, sizeof(error->text), "the lab cannot, for its %s, %s: %s",
             hosts[host].info.name, step, strerror(-status));
}

/* Enters it. The namespace, or -errno. */
static int new_namespace(void)
{
    int net = netns_new();

    if (net >= 0)
        veth_quiet_ipv6();
    return net;
}

int host_build(enum lab_host host, const struct lab_options *options, int middle,
               struct host_wire *wire, struct lab_error *error)
{
    const struct far_end far = {middle, &hosts[host].middle};
    const char *step = "make a network namespace";
    int net = new_namespace();
    int status = net;

    wire->middle = hosts[host].middle.name;
    if (net >= 0)
        status = build_inside(host, options, &far, &step);
    if (status >= 0) {
        step = "set the other end of its wire up";
        if ((status = netns_enter(middle)) == 0)
            status = middle_end_up(wire->middle);
    }
    if (status >= 0) {
        wire->netns = net;
        return 0;
    }
    explain(host, step, status, error);
    if (net >= 0)
        close(net);
    return status;
}

int host_build_direct(const struct lab_options *options, int middle,
                      struct host_wire wires[LAB_HOSTS], struct lab_error *error)
{
    const char *step = "make a network namespace";
    enum lab_host host = LAB_SERVER;
    int server = new_namespace(), client = -1;
    int status = server < 0 ? server : netns_enter(middle);

    if (status == 0) {
        host = LAB_CLIENT;
        status = client = new_namespace();
    }
    if (status >= 0) {
        const struct far_end far = {server, &hosts[LAB_SERVER].here};

        status = build_inside(LAB_CLIENT, options, &far, &step);
    }
    if (status == 0 && (status = netns_enter(server)) == 0) {
        host = LAB_SERVER;
        status = build_inside(LAB_SERVER, options, NULL, &step);
    }
    if (status == 0)
        status = netns_enter(middle);
    wires[LAB_CLIENT] = (struct host_wire){.netns = client};
    wires[LAB_SERVER] = (struct host_wire){.netns = server};
    if (status < 0) {
        explain(host, step, status, error);
        if (server >= 0)
            close(server);
        if (client >= 0)
            close(client);
    }
    return status;
}

int host_environment(enum lab_host host)
{
    const struct lab_host_info *here = &hosts[host].info;
    const struct lab_host_info *peer = &hosts[host == LAB_CLIENT ? LAB_SERVER : LAB_CLIENT].info;
    char address[32];
    char address6[64];
    snprintf(address, sizeof(address), "%s/%d", here->stack_address, here->prefix_len);
    snprintf(address6, sizeof(address6), "%s/%d", here->stack_address6, here->prefix6_len);
    const struct {
        const char *name, *value;
    } variables[] = {
        {"TLSYN_HOST", here->name},
        {"TLSYN_INTERFACE", here->interface},
        {"TLSYN_ADDRESS", address},
        {"TLSYN_PEER", peer->stack_address},
        {"TLSYN_KERNEL_ADDRESS", here->kernel_address},
        {"TLSYN_KERNEL_PEER", peer->kernel_address},
        {"TLSYN_ADDRESS6", address6},
        {"TLSYN_PEER6", peer->stack_address6},
        {"TLSYN_KERNEL_ADDRESS6", here->kernel_address6},
        {"TLSYN_KERNEL_PEER6", peer->kernel_address6},
    };

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (setenv(variables[i].name, variables[i].value, 1) < 0)
            return -errno;
    }
    return 0;
}
