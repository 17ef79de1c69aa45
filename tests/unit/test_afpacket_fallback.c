/*
 * link/afpacket on a kernel that refuses what it would like to have: a receive ring, a
 * virtio_net_hdr, or both. A filter of system calls plays that kernel; it ends with the test's
 * process. Read first: seccomp(2).
 */
#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <tlsyn/loop.h>

#include "support/bulk.h"
#include "support/wire.h"

#define BYTES    (1u << 20) /* each way */
#define PORT     443
#define PATIENCE TLSYN_SECONDS(20)
#define ONE      1514 /* bytes of the longest frame of one segment */

enum { REFUSES_RING = 1, REFUSES_VNET = 2, KERNELS = 4 };

/* The half of the argument that an int is in. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ARGUMENT(n) (offsetof(struct seccomp_data, args[n]) + 4)
#else
#define ARGUMENT(n) offsetof(struct seccomp_data, args[n])
#endif

/* From now on setsockopt(2) knows nothing of this option of packet sockets. */
static void refuse(unsigned option)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_setsockopt, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOL_PACKET, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(2)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, option, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0L, 0L), 0);
}

/* Does the link share a ring with the kernel? */
static bool has_ring(struct tlsyn_link *link)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char wanted[64], line[512];
    struct stat status;
    bool found = false;

    ck_assert_ptr_nonnull(maps);
    ck_assert_int_eq(fstat(tlsyn_link_fd(link), &status), 0);
    (void)snprintf(wanted, sizeof(wanted), "socket:[%lu]", (unsigned long)status.st_ino);
    while (!found && fgets(line, sizeof(line), maps))
        found = strstr(line, wanted) != NULL;
    (void)fclose(maps);
    return found;
}

/* ---- two hosts on the wire ------------------------------------------------------------------- */

struct end {
    struct tlsyn_link *link;
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct bulk bulk;
    size_t longest; /* frame that arrived */
};

static struct tlsyn_addr address_of(uint8_t host)
{
    return tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, host});
}

static void end_open(struct end *e, const char *interface, uint8_t host)
{
    const struct tlsyn_afpacket_options ring = {.way = TLSYN_AFPACKET_RING};
    const struct tlsyn_stack_options options = {.now = tlsyn_clock()};
    struct tlsyn_addr address = address_of(host);

    *e = (struct end){.stack = tlsyn_stack_new(&options)};
    ck_assert_ptr_nonnull(e->stack);
    ck_assert_int_eq(tlsyn_afpacket_open(interface, &ring, &e->link), 0);
    ck_assert_int_eq(tlsyn_iface_add(e->stack, e->link, &e->iface), 0);
    ck_assert_int_eq(tlsyn_iface_address(e->iface, &address, 24), 0);
    bulk_init(&e->bulk, BYTES, BYTES);
}

static void end_turn(struct end *e)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    int n = tlsyn_link_receive(e->link, frames, TLSYN_LINK_BATCH, tlsyn_clock());

    ck_assert_int_ge(n, 0);
    for (int i = 0; i < n; i++) {
        size_t len = tlsyn_frame_len(&frames[i]);

        e->longest = len > e->longest ? len : e->longest;
        tlsyn_stack_input(e->stack, e->iface, &frames[i], tlsyn_clock());
    }
    tlsyn_stack_timers(e->stack, tlsyn_clock());
    (void)tlsyn_stack_output(e->stack, tlsyn_clock());
}

static void end_close(struct end *e)
{
    tlsyn_stack_free(e->stack);
    tlsyn_link_close(e->link);
}

/* A connection from near to far, and bytes both ways. */
static void transfer(struct end *near, struct end *far)
{
    const struct tlsyn_listen_options listen = {.local = {.port = PORT}};
    const struct tlsyn_connect_options connect = {.remote = {address_of(8), PORT}};
    tlsyn_time until = tlsyn_clock() + PATIENCE;

    ck_assert_int_eq(tlsyn_listener_open(far->stack, &listen, &far->bulk.acceptor, NULL), 0);
    ck_assert_int_eq(tlsyn_conn_open(near->stack, &connect, &near->bulk.handler, NULL), 0);
    while (!(near->bulk.ended && far->bulk.ended) && tlsyn_clock() < until) {
        end_turn(near);
        end_turn(far);
    }
    ck_assert_uint_eq(near->bulk.received, BYTES);
    ck_assert_uint_eq(far->bulk.received, BYTES);
}

/* With the header and a ring, with either, with neither: each is less, and all of it works. */
START_TEST(what_the_kernel_refuses_the_link_does_without)
{
    bool ring = !(_i & REFUSES_RING), vnet = !(_i & REFUSES_VNET);
    struct end near, far;

    if (!test_wire_open())
        return;
    end_open(&far, TEST_WIRE_FAR, 8);
    ck_assert(has_ring(far.link));
    if (!ring)
        refuse(PACKET_RX_RING);
    if (!vnet)
        refuse(PACKET_VNET_HDR);
    end_open(&near, TEST_WIRE_NEAR, 9);
    ck_assert_int_eq(has_ring(near.link), ring);
    ck_assert_int_eq(near.link->caps.csum, vnet);
    ck_assert_int_eq(near.link->caps.gso_max > 0, vnet);
    transfer(&near, &far);
    ck_assert_uint_gt(near.longest, ONE); /* a neighbour that can sends super-frames anyway */
    if (vnet)
        ck_assert_uint_gt(far.longest, ONE);
    else
        ck_assert_uint_eq(far.longest, ONE);
    end_close(&near);
    end_close(&far);
}
END_TEST

Suite *afpacket_fallback_suite(void);

Suite *afpacket_fallback_suite(void)
{
    Suite *suite = suite_create("afpacket_fallback");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, what_the_kernel_refuses_the_link_does_without, 0, KERNELS);
    suite_add_tcase(suite, all);
    return suite;
}
