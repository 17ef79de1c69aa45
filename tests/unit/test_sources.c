/*
 * What one source may begin at a time, and that nobody begins in the name of another's bucket.
 */
#include <check.h>

#include "core/random.h"
#include "support/holds.h"
#include "support/memory.h"
#include "tcp/sources.h"

#define SHARE 8

struct bed {
    struct context cx;
    struct test_memory memory;
    struct random_seeded random;
    struct sources s;
};

static void open_bed(struct bed *b)
{
    *b = (struct bed){.cx = {.now = TLSYN_SECONDS(100)}};
    tlsyn_limits_default(&b->cx.limits);
    b->cx.limits.syns_per_source = b->cx.limits.embedded_per_source = SHARE;
    test_memory_init(&b->memory);
    b->cx.alloc = &b->memory.base;
    random_seed(&b->random, 1);
    b->cx.random = &b->random.base;
    sources_init(&b->s, &b->cx);
    ck_assert_int_eq(sources_open(&b->s), 0);
}

static void close_bed(struct bed *b)
{
    sources_release(&b->s);
    ck_assert_uint_eq(b->memory.blocks, 0);
}

static struct tlsyn_addr ip4(uint32_t n)
{
    return tlsyn_addr_ip4((const uint8_t[]){10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n});
}

static struct tlsyn_addr ip6(uint8_t customer, uint8_t network, uint8_t host)
{
    return (struct tlsyn_addr){{0x20, 0x01, 0x0d, 0xb8, 0, 0, customer, network, [15] = host}};
}

static int takes(struct bed *b, const struct tlsyn_addr *addr, int n)
{
    int taken = 0;

    for (int i = 0; i < n; i++)
        taken += sources_take(&b->s, addr, SOURCE_SYNS);
    return taken;
}

START_TEST(a_source_has_its_share_for_three_seconds)
{
    struct bed b;
    struct tlsyn_addr one = ip4(1), other = ip4(2);

    open_bed(&b);
    ck_assert_int_eq(takes(&b, &one, 100), SHARE);
    ck_assert_int_eq(takes(&b, &other, 100), SHARE);
    ck_assert(sources_take(&b.s, &one, SOURCE_EMBEDS)); /* of each kind */
    b.cx.now += SOURCE_PERIOD;
    ck_assert_int_eq(takes(&b, &one, 100), SHARE);
    close_bed(&b);
}
END_TEST

START_TEST(what_is_given_back_may_be_taken_again)
{
    struct bed b;
    struct tlsyn_addr one = ip4(1);

    open_bed(&b);
    sources_give_back(&b.s, &one, SOURCE_SYNS); /* more than was taken is not had */
    ck_assert_int_eq(takes(&b, &one, 100), SHARE);
    sources_give_back(&b.s, &one, SOURCE_SYNS);
    ck_assert_int_eq(takes(&b, &one, 100), 1);
    close_bed(&b);
}
END_TEST

START_TEST(the_hosts_of_a_network_are_one_source)
{
    struct bed b;
    int taken = 0;

    open_bed(&b);
    for (int host = 0; host < 200; host++) {
        struct tlsyn_addr addr = ip6(7, 0, (uint8_t)host);

        taken += takes(&b, &addr, 1);
    }
    ck_assert_int_eq(taken, SHARE);
    for (int network = 1; network < 200; network++) {
        struct tlsyn_addr addr = ip6(7, (uint8_t)network, 1);

        taken += takes(&b, &addr, 1);
    }
    ck_assert_int_eq(taken, 4 * SHARE); /* the customer's */
    struct tlsyn_addr neighbour = ip6(8, 0, 1);
    ck_assert_int_eq(takes(&b, &neighbour, 100), SHARE);
    close_bed(&b);
}
END_TEST

/* A flood that invents its sources does not fill the buckets: there are more of them than it has
 * SYNs within three seconds, shares counted. And no address is refused by chance. */
START_TEST(invented_sources_take_nothing_from_others)
{
    struct bed b;
    uint32_t refused = 0;

    open_bed(&b);
    size_t bytes = b.memory.bytes;
    for (uint32_t i = 0; i < 10000; i++) {
        struct tlsyn_addr addr = ip4(i * 2654435761u);

        refused += !sources_take(&b.s, &addr, SOURCE_SYNS);
    }
    HOLDS(refused <= 100);
    for (uint32_t i = 0; i < 1000; i++) {
        struct tlsyn_addr addr = ip4(0x10000 + i);

        refused += !sources_take(&b.s, &addr, SOURCE_EMBEDS);
    }
    HOLDS(refused <= 100);
    ck_assert_uint_eq(b.memory.bytes, bytes);
    ck_assert_uint_le(bytes, 64 << 10);
    close_bed(&b);
}
END_TEST

START_TEST(without_buckets_nobody_is_counted)
{
    struct bed b;
    struct tlsyn_addr one = ip4(1);

    open_bed(&b);
    sources_release(&b.s);
    test_memory_fail(&b.memory, 1);
    ck_assert_int_lt(sources_open(&b.s), 0);
    ck_assert_int_eq(takes(&b, &one, 100), 100);
    b.cx.limits.sources = 0;
    ck_assert_int_eq(sources_open(&b.s), 0);
    close_bed(&b);
}
END_TEST

Suite *sources_suite(void);

Suite *sources_suite(void)
{
    Suite *s = suite_create("sources");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_source_has_its_share_for_three_seconds);
    tcase_add_test(all, what_is_given_back_may_be_taken_again);
    tcase_add_test(all, the_hosts_of_a_network_are_one_source);
    tcase_add_test(all, invented_sources_take_nothing_from_others);
    tcase_add_test(all, without_buckets_nobody_is_counted);
    suite_add_tcase(s, all);
    return s;
}
