/* support/wire.c: a veth pair in a network namespace of the process. */
#include "support/wire.h"

#include <check.h>
#include <errno.h>
#include <linux/if.h>
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

static bool enter_namespace(void)
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

bool test_wire_open(void)
{
    struct veth_end near = {.name = TEST_WIRE_NEAR}, far = {.name = TEST_WIRE_FAR};
    int nl, here;

    memcpy(near.hwaddr, test_wire_near_hwaddr, 6);
    memcpy(far.hwaddr, test_wire_far_hwaddr, 6);
    if (!enter_namespace())
        return false;
    veth_quiet_ipv6();
    here = netns_current();
    nl = netlink_open();
    ck_assert_int_ge(nl, 0);
    ck_assert_int_eq(veth_pair(nl, &near, &far, here, 1500), 0);
    ck_assert_int_eq(veth_up(nl, near.name, 0), 0);
    ck_assert_int_eq(veth_up(nl, far.name, 1), 0);
    ck_assert_int_eq(veth_address(nl, near.name, "10.0.0.1", 24), 0);
    close(nl);
    close(here);
    return true;
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
