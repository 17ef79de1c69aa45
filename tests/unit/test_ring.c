/* core/ring against a plain array of bytes; memory is taken at the first byte and given back. */
#include <errno.h>

#include "core/random.h"
#include "core/ring.h"
#include "support/holds.h"
#include "support/memory.h"

#define SIZE 64

/** The bytes of a view, one after the other. */
static void copy_view(const struct tlsyn_view *view, uint8_t *to)
{
    for (int i = 0; i < 2; i++) {
        if (view->part[i].iov_len)
            memcpy(to, view->part[i].iov_base, view->part[i].iov_len);
        to += view->part[i].iov_len;
    }
}

START_TEST(sizes_are_rounded_up_to_powers_of_two)
{
    static const uint32_t size[][2] = {{1, 1},
                                       {2, 2},
                                       {3, 4},
                                       {65536, 65536},
                                       {65537, 131072},
                                       {1u << 30, 1u << 30},
                                       {UINT32_MAX, 1u << 30}};

    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        struct ring r;

        ring_init(&r, size[i][0]);
        ck_assert_uint_eq(r.size, size[i][1]);
        ck_assert_uint_eq(ring_room(&r), size[i][1]);
        ck_assert_ptr_null(r.memory);
    }
}
END_TEST

START_TEST(an_empty_ring_holds_no_memory)
{
    struct test_memory m;
    struct tlsyn_view view;
    struct ring r;

    test_memory_init(&m);
    ring_init(&r, SIZE);
    ring_view(&r, 0, 0, &view);
    ck_assert_uint_eq(tlsyn_view_len(&view), 0);
    ck_assert_uint_eq(m.blocks, 0);
    ck_assert_int_eq(ring_ensure(&r, &m.base), 0);
    ck_assert_int_eq(ring_ensure(&r, &m.base), 0);
    ck_assert_uint_eq(m.blocks, 1);
    ring_commit(&r, 5);
    ring_release(&r, &m.base);
    ck_assert_uint_eq(m.blocks, 0);
    ck_assert_uint_eq(r.used, 0);
    ck_assert_uint_eq(r.size, SIZE);
    ring_release(&r, &m.base);
}
END_TEST

START_TEST(a_view_that_wraps_has_two_parts)
{
    struct test_memory m;
    struct tlsyn_view view;
    struct ring r;
    uint8_t out[8];

    test_memory_init(&m);
    ring_init(&r, 8);
    ck_assert_int_eq(ring_ensure(&r, &m.base), 0);
    ring_commit(&r, 6);
    ring_consume(&r, 6);
    ring_write_at(&r, 0, "abcdefgh", 8);
    ring_commit(&r, 8);
    ck_assert_uint_eq(ring_room(&r), 0);
    ring_view(&r, 0, 8, &view);
    ck_assert_uint_eq(view.part[0].iov_len, 2);
    ck_assert_uint_eq(view.part[1].iov_len, 6);
    copy_view(&view, out);
    ck_assert_mem_eq(out, "abcdefgh", 8);
    ring_view(&r, 2, 3, &view);
    ck_assert_uint_eq(view.part[0].iov_len, 3);
    ck_assert_uint_eq(view.part[1].iov_len, 0);
    ring_release(&r, &m.base);
}
END_TEST

START_TEST(a_ring_that_was_drained_begins_anew)
{
    struct test_memory m;
    struct tlsyn_view view;
    struct ring r;

    test_memory_init(&m);
    ring_init(&r, 8);
    ck_assert_int_eq(ring_ensure(&r, &m.base), 0);
    ring_commit(&r, 6);
    ring_consume(&r, 6);
    ring_rewind(&r);
    ring_view(&r, 0, 8, &view);
    ck_assert_ptr_eq(view.part[0].iov_base, r.memory);
    ck_assert_uint_eq(view.part[0].iov_len, 8);
    ring_release(&r, &m.base);
}
END_TEST

START_TEST(growing_keeps_bytes_beyond_used)
{
    struct test_memory m;
    struct ring r;
    char out[4];

    test_memory_init(&m);
    ring_init(&r, 8);
    ck_assert_int_eq(ring_ensure(&r, &m.base), 0);
    ring_commit(&r, 5);
    ring_consume(&r, 5);
    ring_write_at(&r, 0, "ab", 2);
    ring_commit(&r, 2);
    ring_write_at(&r, 4, "wxyz", 4);

    test_memory_fail(&m, 1);
    ck_assert_int_eq(ring_grow(&r, &m.base, 100), -ENOMEM);
    ck_assert_uint_eq(r.size, 8);
    ring_read_at(&r, 4, out, 4);
    ck_assert_mem_eq(out, "wxyz", 4);

    ck_assert_int_eq(ring_grow(&r, &m.base, 100), 0);
    ck_assert_uint_eq(r.size, 128);
    ck_assert_uint_eq(r.used, 2);
    ring_read_at(&r, 0, out, 2);
    ck_assert_mem_eq(out, "ab", 2);
    ring_read_at(&r, 4, out, 4);
    ck_assert_mem_eq(out, "wxyz", 4);
    ck_assert_int_eq(ring_grow(&r, &m.base, 16), 0);
    ck_assert_uint_eq(r.size, 128);
    ck_assert_uint_eq(m.blocks, 1);
    ring_release(&r, &m.base);
    ck_assert_uint_eq(m.blocks, 0);
}
END_TEST

START_TEST(growing_without_memory_takes_none)
{
    struct test_memory m;
    struct ring r;

    test_memory_init(&m);
    ring_init(&r, 8);
    ck_assert_int_eq(ring_grow(&r, &m.base, 16), 0);
    ck_assert_uint_eq(r.size, 16);
    ck_assert_uint_eq(m.calls, 0);
    test_memory_fail(&m, 1);
    ck_assert_int_eq(ring_ensure(&r, &m.base), -ENOMEM);
    ck_assert_ptr_null(r.memory);
}
END_TEST

/** A ring, and what it should hold: byte i of the model is the ring's at offset i, as
 * far as `known`. */
struct pair {
    struct ring ring;
    uint8_t model[4 * SIZE];
    bool known[4 * SIZE];
    struct test_memory m;
    struct random_seeded random;
};

static uint32_t below(struct pair *p, uint32_t n)
{
    return n ? random_below(&p->random.base, n) : 0;
}

static void write_somewhere(struct pair *p)
{
    uint8_t bytes[4 * SIZE];
    uint32_t offset = below(p, p->ring.size + 1), len = below(p, p->ring.size - offset + 1);

    p->random.base.fill(&p->random.base, bytes, len);
    ring_write_at(&p->ring, offset, bytes, len);
    memcpy(p->model + offset, bytes, len);
    memset(p->known + offset, true, len);
}

static void consume_some(struct pair *p)
{
    uint32_t n = below(p, p->ring.used + 1);

    ring_consume(&p->ring, n);
    memmove(p->model, p->model + n, sizeof(p->model) - n);
    memmove(p->known, p->known + n, sizeof(p->known) - n);
    /* What lay in front goes round to the end: nobody may rely on it. */
    memset(p->known + p->ring.size - n, false, n);
}

static void compare(struct pair *p)
{
    uint8_t viewed[4 * SIZE], read[4 * SIZE];
    uint32_t offset = below(p, p->ring.size + 1), len = below(p, p->ring.size - offset + 1);
    struct tlsyn_view view;

    ring_view(&p->ring, offset, len, &view);
    HOLDS(tlsyn_view_len(&view) == len);
    copy_view(&view, viewed);
    ring_read_at(&p->ring, offset, read, len);
    for (uint32_t i = 0; i < len; i++) {
        if (!p->known[offset + i])
            continue;
        HOLDS(viewed[i] == p->model[offset + i]);
        HOLDS(read[i] == p->model[offset + i]);
    }
}

START_TEST(rewound_it_begins_at_the_front)
{
    struct test_memory m;
    struct tlsyn_view view;
    struct ring r;

    test_memory_init(&m);
    ring_init(&r, 1024);
    ck_assert_int_eq(ring_ensure(&r, &m.base), 0);
    ring_commit(&r, 1000);
    ring_consume(&r, 1000);
    ring_rewind(&r);
    ring_view(&r, 0, 1024, &view);
    ck_assert_ptr_eq(view.part[0].iov_base, r.memory);
    ck_assert_uint_eq(view.part[0].iov_len, 1024);
    ring_release(&r, &m.base);
}
END_TEST

START_TEST(behaves_like_an_array)
{
    struct pair p = {0};

    test_memory_init(&p.m);
    random_seed(&p.random, (uint64_t)_i);
    ring_init(&p.ring, SIZE);
    HOLDS(ring_ensure(&p.ring, &p.m.base) == 0);
    memset(p.ring.memory, 0,
           p.ring.size); /* reads of bytes never written are compared nowhere, but made */
    for (int step = 0; step < 5000; step++) {
        switch (below(&p, 4)) {
        case 0:
            write_somewhere(&p);
            break;
        case 1:
            ring_commit(&p.ring, below(&p, ring_room(&p.ring) + 1));
            break;
        case 2:
            consume_some(&p);
            break;
        default:
            if (step % 1000 == 0 && p.ring.size < 4 * SIZE) {
                uint32_t old = p.ring.size;

                HOLDS(ring_grow(&p.ring, &p.m.base, 2 * old) == 0);
                memset(p.ring.memory + old, 0, old);
            }
        }
        compare(&p);
        HOLDS(ring_room(&p.ring) == p.ring.size - p.ring.used);
    }
    ring_release(&p.ring, &p.m.base);
    HOLDS(p.m.blocks == 0);
}
END_TEST

Suite *ring_suite(void);

Suite *ring_suite(void)
{
    Suite *suite = suite_create("ring");
    TCase *tc = tcase_create("ring");

    tcase_add_test(tc, sizes_are_rounded_up_to_powers_of_two);
    tcase_add_test(tc, an_empty_ring_holds_no_memory);
    tcase_add_test(tc, a_view_that_wraps_has_two_parts);
    tcase_add_test(tc, a_ring_that_was_drained_begins_anew);
    tcase_add_test(tc, growing_keeps_bytes_beyond_used);
    tcase_add_test(tc, growing_without_memory_takes_none);
    tcase_add_test(tc, rewound_it_begins_at_the_front);
    tcase_add_loop_test(tc, behaves_like_an_array, 0, 8);
    suite_add_tcase(suite, tc);
    return suite;
}
