/* Sockets: calls in any order, right and wrong ones, on sockets in any state and on closed
 * descriptors: what the kernel's return, ours return, errno, bytes and lengths included; and after
 * each, poll(2) and FIONREAD say the same of every socket. support/chance.h has the calls, and
 * support/chance_apart.c in what both differ on purpose.
 *
 * Both worlds are at 127.0.0.1 and ::1: the kernel's in a network namespace of its own, ours on one
 * stack under a clock that stands still while a call is made, so that no timer has a say. Both get
 * the same calls, drawn from a seed. At the first difference the sequence so far is told.
 *
 * To search: CHANCE=1000 runs so many sequences in each of the loops, from seed CHANCE_FROM on. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/list.h"
#include "core/random.h"
#include "lab/netlink.h"
#include "lab/veth.h"
#include "support/chance.h"
#include "support/wire.h"

#define CALLS       60
#define SEQUENCES   40
#define LOOPS       8
#define BIRTH       TLSYN_SECONDS(1000)
#define PATIENCE_US 1000000 /* for the kernel, until all has arrived there */

struct chance {
    struct tlsyn_net_clock clock;
    tlsyn_time now;
    struct tlsyn_stack *stack;
    struct tlsyn_link *loopback;
    struct tlsyn_iface *iface;
    struct random_seeded random, draws;
    struct world kernel, ours;
    char history[CALLS][CHANCE_TOLD];
};

static tlsyn_time now(struct tlsyn_net_clock *clock)
{
    return container_of(clock, struct chance, clock)->now;
}

/* --- what is held against what ---------------------------------------------------------------- */

static uint32_t draw_one(struct chance *c)
{
    return random_below(&c->draws.base, UINT32_MAX);
}

/* What there is on the loopback, until nothing is. */
static void turn(struct chance *c)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    int n;

    c->now += TLSYN_MS(1);
    do {
        struct tlsyn_stack *stack = tlsyn_net_lock(c->ours.with.net[CLIENT]);

        n = tlsyn_link_receive(c->loopback, frames, TLSYN_LINK_BATCH, c->now);
        for (int i = 0; i < n; i++)
            (void)tlsyn_stack_input(stack, c->iface, &frames[i], c->now);
        tlsyn_net_unlock(c->ours.with.net[CLIENT]);
        tlsyn_net_turn(c->ours.with.net[CLIENT]);
    } while (n > 0);
}

static void tell(const struct chance *c, uint64_t seed, int calls_made, const char *when)
{
    fprintf(stderr, "seed %llu, %s:\n", (unsigned long long)seed, when);
    for (int i = 0; i <= calls_made && i < CALLS; i++)
        fprintf(stderr, "  %s\n", c->history[i]);
    fprintf(stderr, "the kernel %s\nours       %s\n\n", c->kernel.outcome.text,
            c->ours.outcome.text);
}

static bool agree(const struct chance *c)
{
    return strcmp(c->kernel.outcome.text, c->ours.outcome.text) == 0;
}

static bool look_the_same(struct chance *c)
{
    turn(c);
    for (useconds_t wait = 20, waited = 0; waited < PATIENCE_US; waited += wait, wait *= 2) {
        chance_look(&c->kernel);
        chance_look(&c->ours);
        if (agree(c))
            return true;
        (void)usleep(wait);
    }
    return false;
}

static bool step(struct chance *c, uint64_t seed, int i)
{
    const struct chance_call *call = chance_call(draw_one(c));
    struct draw d = {.place = draw_one(c) % CHANCE_PLACES};

    d.other = draw_one(c) % CHANCE_PLACES;
    if (i < CHANCE_PLACES / 2) { /* first of all there are some */
        call = chance_call_socket();
        d.place = (unsigned)i;
    }
    for (size_t k = 0; k < sizeof(d.a) / sizeof(*d.a); k++)
        d.a[k] = draw_one(c);
    c->kernel.outcome = c->ours.outcome = (struct outcome){.len = 0};
    call->make(&c->kernel, &d);
    call->make(&c->ours, &d);
    (void)snprintf(c->history[i], CHANCE_TOLD, "%s %u %u:%.400s", call->name, d.place, d.other,
                   c->kernel.outcome.text);
    if (!agree(c)) {
        tell(c, seed, i, "after this call");
        return false;
    }
    if (!look_the_same(c)) {
        tell(c, seed, i, "what all the sockets show");
        return false;
    }
    return true;
}

/* --- both worlds ------------------------------------------------------------------------------ */

static void open_ours(struct chance *c, uint64_t seed)
{
    const uint8_t home[] = {127, 0, 0, 1};
    const struct tlsyn_addr home4 = tlsyn_addr_ip4(home), home6 = {{[15] = 1}};
    const struct tlsyn_stack_options birth = {.now = c->now, .random = &c->random.base};
    struct tlsyn_net_options net = {.clock = &c->clock, .hidden = true};

    random_seed(&c->random, seed);
    c->stack = tlsyn_stack_new(&birth);
    ck_assert_ptr_nonnull(c->stack);
    ck_assert_int_eq(tlsyn_loopback_open(&c->loopback), 0);
    ck_assert_int_eq(tlsyn_iface_add(c->stack, c->loopback, &c->iface), 0);
    ck_assert_int_eq(tlsyn_iface_address(c->iface, &home4, 8), 0);
    ck_assert_int_eq(tlsyn_iface_address(c->iface, &home6, 128), 0);
    net.stack = c->stack;
    bsd_calls(&c->ours.with);
    ck_assert_int_eq(tlsyn_net_open(&net, &c->ours.with.net[CLIENT]), 0);
}

static void close_all(struct chance *c)
{
    const struct linger at_once = {1, 0};
    struct world *worlds[] = {&c->kernel, &c->ours};

    for (int i = 0; i < 2 * CHANCE_PLACES; i++) {
        struct world *w = worlds[i / CHANCE_PLACES];
        int fd = w->fd[i % CHANCE_PLACES];

        if (fd == CHANCE_CLOSED)
            continue;
        w->with.setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        w->with.close(fd);
    }
    turn(c);
    tlsyn_net_close(c->ours.with.net[CLIENT]);
    tlsyn_stack_free(c->stack);
    tlsyn_link_close(c->loopback);
}

static bool run(uint64_t seed)
{
    static struct chance c;
    bool same = true;

    c = (struct chance){.clock = {now}, .now = BIRTH};
    for (int i = 0; i < CHANCE_PLACES; i++)
        c.kernel.fd[i] = c.ours.fd[i] = CHANCE_CLOSED;
    bsd_kernel(&c.kernel.with);
    open_ours(&c, seed);
    random_seed(&c.draws, seed);
    for (int i = 0; i < CALLS && same; i++)
        same = step(&c, seed, i);
    close_all(&c);
    return same;
}

/* A namespace of our own, with no TIME-WAIT. */
static bool at_home(void)
{
    int nl, fd;

    if (!test_namespace())
        return false;
    nl = netlink_open();
    ck_assert_int_eq(veth_up(nl, "lo", 0), 0);
    close(nl);
    fd = open("/proc/sys/net/ipv4/tcp_max_tw_buckets", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) {
        printf("skipped: TIME-WAIT cannot be switched off: %s\n", strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *given = getenv(name);

    return given ? strtoull(given, NULL, 10) : otherwise;
}

START_TEST(any_sequence_of_calls_as_on_linux)
{
    uint64_t count = number_of("CHANCE", SEQUENCES), from = number_of("CHANCE_FROM", 1);
    uint64_t differ = 0;

    if (!at_home())
        return;
    (void)signal(SIGPIPE, SIG_IGN);
    for (uint64_t i = 0; i < count; i++)
        differ += !run(from + (uint64_t)_i * count + i);
    ck_assert_uint_eq(differ, 0);
}
END_TEST

Suite *socket_chance_suite(void);

Suite *socket_chance_suite(void)
{
    Suite *suite = suite_create("socket_chance");
    TCase *chance = tcase_create("chance");

    tcase_set_timeout(chance, 300);
    tcase_add_loop_test(chance, any_sequence_of_calls_as_on_linux, 0, LOOPS);
    suite_add_tcase(suite, chance);
    return suite;
}
