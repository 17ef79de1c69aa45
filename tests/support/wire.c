/* support/wire.c: a veth pair in a network namespace of the process. */
#include "support/wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/netlink.h"
#include "lab/netns.h"
#include "lab/veth.h"

bool test_namespace(void)
{
    const char *fork_mode = getenv("CK_FORK");

    if (fork_mode && strcmp(fork_mode, "no") == 0) {
        printf("skipped: a namespace of its own needs a process of its own (CK_FORK=no)\n");
        return false;
    }
    if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
        return true;
    printf("skipped: no network namespace: %s\n", strerror(errno));
    return false;
}

#define PROBE_TYPE 0x88b5 /* IEEE 802: for local experiments */

static int probe_socket(const char *name)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(PROBE_TYPE),
                                  .sll_ifindex = (int)if_nametoindex(name)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* An end that came up before the other one swallows what it is given until the kernel has
 * looked at its carrier again, which it does in its own time, and tells nobody: so knock until
 * somebody hears it. */
static void await_passage(const char *from, const char *to)
{
    static const uint8_t probe[60] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, [12] = PROBE_TYPE >> 8, PROBE_TYPE & 0xff};
    int in = probe_socket(to), out = probe_socket(from);
    struct pollfd heard = {.fd = in, .events = POLLIN};

    for (int ms = 0; ms < 5000 && poll(&heard, 1, 1) == 0; ms++)
        ck_assert_int_eq(send(out, probe, sizeof(probe), 0), sizeof(probe));
    ck_assert_int_eq(heard.revents, POLLIN);
    close(in);
    close(out);
}

bool test_wire_open(void)
{
    struct veth_end near = {.name = TEST_WIRE_NEAR}, far = {.name = TEST_WIRE_FAR};
    int nl, here;

    memcpy(near.hwaddr, test_wire_near_hwaddr, 6);
    memcpy(far.hwaddr, test_wire_far_hwaddr, 6);
    if (!test_namespace())
        return false;
    veth_quiet_ipv6();
    here = netns_current();
    nl = netlink_open();
    ck_assert_int_ge(nl, 0);
    ck_assert_int_eq(veth_pair(nl, &near, &far, here, 1500), 0);
    ck_assert_int_eq(veth_up(nl, near.name, 0), 0);
    ck_assert_int_eq(veth_up(nl, far.name, 1), 0);
    await_passage(near.name, far.name);
    await_passage(far.name, near.name);
    ck_assert_int_eq(veth_address(nl, near.name, "10.0.0.1", 24), 0);
    close(nl);
    close(here);
    return true;
}

bool test_wire_ip6(void)
{
    int nl = netlink_open(), error;

    ck_assert_int_ge(nl, 0);
    error = veth_address(nl, TEST_WIRE_NEAR, "fd00::1", 64);
    close(nl);
    ck_assert(error == 0 || veth_has_no_ipv6(error));
    if (error)
        printf("skipped: the kernel has no IPv6\n");
    return error == 0;
}

void test_wire_no_offload(const char *name)
{
    ck_assert_int_eq(veth_offload_off(name), 0);
}

void test_wire_down(const char *name)
{
    struct ifreq ifr = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(ifr.ifr_name, name, strlen(name));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
    close(fd);
}
