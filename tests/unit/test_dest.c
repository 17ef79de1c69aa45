/*
 * What is remembered of peers.
 */
#include <check.h>
#include <errno.h>

#include "core/random.h"
#include "support/memory.h"
#include "tcp/dest.h"

struct bed {
    struct context cx;
    struct test_memory memory;
    struct random_seeded random;
    struct dests dests;
};

static void bed_open(struct bed *b, uint32_t room)
{
    *b = (struct bed){0};
    test_memory_init(&b->memory);
    random_seed(&b->random, 1);
    b->cx.alloc = &b->memory.base;
    b->cx.random = &b->random.base;
    b->cx.limits.destinations = room;
    dests_init(&b->dests, &b->cx);
}

static void bed_close(struct bed *b)
{
    dests_release(&b->dests);
    ck_assert_uint_eq(b->memory.blocks, 0);
}

static struct tlsyn_addr host(uint8_t n)
{
    return tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, n});
}

START_TEST(what_was_learnt_is_found)
{
    struct bed b;
    struct tlsyn_addr one = host(1), two = host(2);

    bed_open(&b, 10);
    ck_assert_ptr_null(dests_find(&b.dests, &one));
    dests_learn(&b.dests, &one)->mss = 1234;
    ck_assert_uint_eq(dests_find(&b.dests, &one)->mss, 1234);
    ck_assert_ptr_eq(dests_learn(&b.dests, &one), dests_find(&b.dests, &one));
    ck_assert_ptr_null(dests_find(&b.dests, &two));
    bed_close(&b);
}
END_TEST

START_TEST(the_one_used_longest_ago_makes_room)
{
    struct bed b;
    struct tlsyn_addr addr[5];

    bed_open(&b, 3);
    for (uint8_t i = 0; i < 5; i++)
        addr[i] = host(i);
    for (int i = 0; i < 3; i++)
        dests_learn(&b.dests, &addr[i]);
    dests_find(&b.dests, &addr[0]);
    dests_learn(&b.dests, &addr[3]);
    ck_assert_ptr_nonnull(dests_find(&b.dests, &addr[0]));
    ck_assert_ptr_null(dests_find(&b.dests, &addr[1]));
    ck_assert_uint_eq(b.dests.table.count, 3);
    bed_close(&b);
}
END_TEST

START_TEST(without_memory_nothing_is_learnt)
{
    struct bed b;
    struct tlsyn_addr one = host(1);

    bed_open(&b, 3);
    for (uint64_t n = 1; n <= 2; n++) {
        test_memory_fail(&b.memory, n);
        ck_assert_ptr_null(dests_learn(&b.dests, &one));
        ck_assert_ptr_null(dests_find(&b.dests, &one));
    }
    ck_assert_ptr_nonnull(dests_learn(&b.dests, &one));
    bed_close(&b);
}
END_TEST

/* --- across stacks ---------------------------------------------------------------------------- */

struct list_of {
    struct tlsyn_destination_visitor base;
    struct tlsyn_destination seen[8];
    int count, stop_at;
};

static bool take(struct tlsyn_destination_visitor *base, const struct tlsyn_destination *known)
{
    struct list_of *l = (struct list_of *)base;

    l->seen[l->count++] = *known;
    return l->count < l->stop_at;
}

static struct list_of list_all(struct bed *b)
{
    struct list_of l = {.base = {take}, .stop_at = 8};

    dests_walk(&b->dests, &l.base);
    return l;
}

static const struct tlsyn_destination full = {
    .mss = 1400,
    .cookie_len = 8,
    .cookie = {1, 2, 3, 4, 5, 6, 7, 8},
    .srtt = TLSYN_MS(20),
    .rttvar = TLSYN_MS(3),
    .age = TLSYN_SECONDS(100),
    .failures = 2,
    .failed_by = TLSYN_EMBEDDING_SYN_DROPPED,
    .off_for = TLSYN_SECONDS(200),
};

static void allow_all(struct bed *b)
{
    b->cx.now = TLSYN_SECONDS(5);
    b->cx.limits.rto_max = TLSYN_SECONDS(120);
    b->cx.limits.embed_off_max = TLSYN_SECONDS(3600);
}

START_TEST(what_was_learnt_goes_on_in_another_stack)
{
    struct bed b;
    struct tlsyn_destination known = full;

    bed_open(&b, 3);
    allow_all(&b);
    for (uint8_t i = 1; i <= 4; i++) {
        known.addr = host(i);
        ck_assert_int_eq(dests_add(&b.dests, &known), 0);
    }
    struct list_of l = list_all(&b);
    ck_assert_int_eq(l.count, 3); /* the first has made room */
    for (int i = 0; i < 3; i++) {
        known.addr = host((uint8_t)(i + 2));
        ck_assert_mem_eq(&l.seen[i].addr, &known.addr, sizeof(known.addr));
        ck_assert_uint_eq(l.seen[i].mss, 1400);
        ck_assert_uint_eq(l.seen[i].cookie_len, 8);
        ck_assert_mem_eq(l.seen[i].cookie, full.cookie, 8);
        ck_assert_int_eq(l.seen[i].age, full.age);
        ck_assert_int_eq(l.seen[i].off_for, full.off_for);
        ck_assert_uint_eq(l.seen[i].failures, 2);
        ck_assert_int_eq(l.seen[i].failed_by, TLSYN_EMBEDDING_SYN_DROPPED);
        ck_assert(!l.seen[i].learnt);
    }
    bed_close(&b);
}
END_TEST

START_TEST(spans_grow_and_shrink_with_time_and_news_are_told)
{
    struct bed b;
    struct tlsyn_destination known = full;

    bed_open(&b, 3);
    allow_all(&b);
    known.addr = host(1);
    ck_assert_int_eq(dests_add(&b.dests, &known), 0);
    b.cx.now += TLSYN_SECONDS(150);
    struct list_of l = list_all(&b);
    ck_assert_int_eq(l.seen[0].age, TLSYN_SECONDS(250));
    ck_assert_int_eq(l.seen[0].off_for, TLSYN_SECONDS(50));
    b.cx.now += TLSYN_SECONDS(150);
    dests_learn(&b.dests, &known.addr);
    l = list_all(&b);
    ck_assert_int_eq(l.seen[0].off_for, 0);
    ck_assert(l.seen[0].learnt);
    bed_close(&b);
}
END_TEST

START_TEST(what_no_stack_could_have_learnt_is_refused)
{
    struct bed b;
    struct tlsyn_destination bad[9];

    bed_open(&b, 3);
    allow_all(&b);
    for (int i = 0; i < 9; i++) {
        bad[i] = full;
        bad[i].addr = host(1);
    }
    bad[0].cookie_len = 2;
    bad[1].cookie_len = 7;
    bad[2].cookie_len = 18;
    bad[3].srtt = -1;
    bad[4].srtt = TLSYN_SECONDS(121);
    bad[5].age = -1;
    bad[6].off_for = TLSYN_SECONDS(3601);
    bad[7].addr = (struct tlsyn_addr){{0}};
    bad[8].failed_by = TLSYN_EMBEDDINGS;
    for (int i = 0; i < 9; i++)
        ck_assert_msg(dests_add(&b.dests, &bad[i]) == -EINVAL, "%d", i);
    ck_assert_int_eq(list_all(&b).count, 0);
    test_memory_fail(&b.memory, 1);
    bad[0] = full;
    bad[0].addr = host(1);
    ck_assert_int_eq(dests_add(&b.dests, &bad[0]), -ENOMEM);
    bed_close(&b);
}
END_TEST

START_TEST(a_walk_ends_when_its_visitor_has_seen_enough)
{
    struct bed b;
    struct list_of l = {.base = {take}, .stop_at = 2};

    bed_open(&b, 5);
    for (uint8_t i = 1; i <= 4; i++) {
        struct tlsyn_addr addr = host(i);

        dests_learn(&b.dests, &addr);
    }
    dests_walk(&b.dests, &l.base);
    ck_assert_int_eq(l.count, 2);
    bed_close(&b);
}
END_TEST

Suite *dest_suite(void);

Suite *dest_suite(void)
{
    Suite *s = suite_create("dest");
    TCase *all = tcase_create("all");

    tcase_add_test(all, what_was_learnt_is_found);
    tcase_add_test(all, the_one_used_longest_ago_makes_room);
    tcase_add_test(all, without_memory_nothing_is_learnt);
    tcase_add_test(all, what_was_learnt_goes_on_in_another_stack);
    tcase_add_test(all, spans_grow_and_shrink_with_time_and_news_are_told);
    tcase_add_test(all, what_no_stack_could_have_learnt_is_refused);
    tcase_add_test(all, a_walk_ends_when_its_visitor_has_seen_enough);
    suite_add_tcase(s, all);
    return s;
}
