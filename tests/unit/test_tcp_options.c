/* wire/tcp_options: Linux's order, every illegal length, and back and forth. */
#include "wire/tcp_options.h"

#include <errno.h>
#include <string.h>

#include "core/random.h"
#include "support/holds.h"

#define OPTIONS(...) (&(const struct tcp_options){__VA_ARGS__})

static void assert_emits(const struct tcp_options *o, const uint8_t *want, size_t len)
{
    uint8_t bytes[TCP_OPTIONS_MAX];

    ck_assert_int_eq(tcp_options_emit(o, bytes, sizeof(bytes)), (int)len);
    ck_assert_mem_eq(bytes, want, len);
}

#define ASSERT_EMITS(o, ...)                                                                       \
    assert_emits(o, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static int parse(const uint8_t *bytes, size_t len, struct tcp_options *o)
{
    uint8_t
        copy[TCP_OPTIONS_MAX]; /* of exactly this length for the sanitizer: the end of the array */

    memcpy(copy + sizeof(copy) - len, bytes, len);
    return tcp_options_parse(copy + sizeof(copy) - len, len, o);
}

#define PARSE(o, ...)                                                                              \
    parse((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), o)

START_TEST(a_syn_is_in_the_order_of_linux)
{
    ASSERT_EMITS(OPTIONS(.mss = 1460, .sack_permitted = true, .has_ts = true, .tsval = 0x01020304,
                         .has_wscale = true, .wscale = 8),
                 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 8);
}
END_TEST

START_TEST(a_syn_without_timestamps_pads_sack_permitted)
{
    ASSERT_EMITS(OPTIONS(.mss = 1460, .sack_permitted = true, .has_wscale = true, .wscale = 8), 2,
                 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 8);
}
END_TEST

START_TEST(a_syn_without_sack_pads_timestamps)
{
    ASSERT_EMITS(OPTIONS(.mss = 536, .has_ts = true, .tsecr = 9), 2, 4, 2, 24, 1, 1, 8, 10, 0, 0, 0,
                 0, 0, 0, 0, 9);
}
END_TEST

START_TEST(fast_open_comes_last_and_is_padded)
{
    ASSERT_EMITS(OPTIONS(.mss = 1460, .has_wscale = true, .wscale = 7, .has_fastopen = true), 2, 4,
                 5, 0xb4, 1, 3, 3, 7, 34, 2, 1, 1);
    ASSERT_EMITS(OPTIONS(.has_fastopen = true, .cookie_len = 8, .cookie = {1, 2, 3, 4, 5, 6, 7, 8}),
                 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1);
    ASSERT_EMITS(OPTIONS(.has_fastopen = true, .cookie_len = 4, .cookie = {1, 2, 3, 4}), 34, 6, 1,
                 2, 3, 4, 1, 1);
    ASSERT_EMITS(OPTIONS(.has_fastopen = true, .fastopen_experimental = true), 254, 4, 0xf9, 0x89);
    ASSERT_EMITS(OPTIONS(.has_fastopen = true, .fastopen_experimental = true, .cookie_len = 8,
                         .cookie = {1, 2, 3, 4, 5, 6, 7, 8}),
                 254, 12, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8);
}
END_TEST

START_TEST(an_ack_has_timestamps_then_sack)
{
    ASSERT_EMITS(OPTIONS(.has_ts = true, .tsval = 1, .tsecr = 2), 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0,
                 2);
    ASSERT_EMITS(OPTIONS(.has_ts = true, .sack_count = 1, .sack = {{1, 2}}), 1, 1, 8, 10, 0, 0, 0,
                 0, 0, 0, 0, 0, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2);
    ck_assert_int_eq(tcp_options_emit(OPTIONS(.mss = 0), (uint8_t[1]){0}, 0), 0);
}
END_TEST

START_TEST(four_sack_blocks_fit_only_without_timestamps)
{
    uint8_t bytes[60];

    ck_assert_int_eq(tcp_options_emit(OPTIONS(.sack_count = 4), bytes, 60), 36);
    ck_assert_int_eq(tcp_options_emit(OPTIONS(.has_ts = true, .sack_count = 3), bytes, 60), 40);
    ck_assert_int_eq(tcp_options_emit(OPTIONS(.has_ts = true, .sack_count = 4), bytes, 60),
                     -ENOSPC);
    ck_assert_int_eq(tcp_options_emit(OPTIONS(.sack_count = 4), bytes, 35), -ENOSPC);
}
END_TEST

/* MUST-4 */
START_TEST(all_fields_are_read)
{
    struct tcp_options o;

    ck_assert_int_eq(PARSE(&o, 2, 4, 5, 0xb4, 3, 3, 14, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 34, 6,
                           9, 8, 7, 6, 0),
                     0);
    ck_assert_uint_eq(o.mss, 1460);
    ck_assert(o.has_wscale && o.sack_permitted && o.has_ts && o.has_fastopen);
    ck_assert_uint_eq(o.wscale, 14);
    ck_assert_uint_eq(o.tsval, 0x01020304);
    ck_assert_uint_eq(o.tsecr, 0x05060708);
    ck_assert_uint_eq(o.cookie_len, 4);
    ck_assert_uint_eq(o.cookie[3], 6);
    ck_assert_uint_eq(o.sack_count, 0);
    ck_assert_int_eq(PARSE(&o, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2), 0);
    ck_assert_uint_eq(o.sack_count, 1);
    ck_assert_uint_eq(o.sack[0].right, 2);
    ck_assert_uint_eq(o.mss, 0);
}
END_TEST

/* MUST-4 */
START_TEST(the_end_of_options_ends_them)
{
    struct tcp_options o;

    ck_assert_int_eq(PARSE(&o, 1, 1, 0, 2, 1, 99), 0);
    ck_assert_uint_eq(o.mss, 0);
}
END_TEST

/* MUST-6 */
START_TEST(unknown_kinds_are_skipped)
{
    struct tcp_options o;

    ck_assert_int_eq(PARSE(&o, 99, 2, 30, 6, 1, 2, 3, 4, 19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
                           12, 13, 14, 15, 16, 2, 4, 0, 9),
                     0);
    ck_assert_uint_eq(o.mss, 9);
}
END_TEST

/* MUST-7 */
START_TEST(illegal_lengths_are_refused)
{
    struct tcp_options o;

    ck_assert_int_eq(PARSE(&o, 99, 0), -EBADMSG);
    ck_assert_int_eq(PARSE(&o, 99, 1), -EBADMSG);
    ck_assert_int_eq(PARSE(&o, 99), -EBADMSG);
    ck_assert_int_eq(PARSE(&o, 99, 4, 0), -EBADMSG);
    ck_assert_int_eq(PARSE(&o, 1, 1, 1, 2), -EBADMSG);
}
END_TEST

START_TEST(known_kinds_have_one_length)
{
    static const struct {
        uint8_t kind;
        uint64_t legal; /* bit n: a length of n octets */
    } known[] = {
        {2, 1 << 4},  {3, 1 << 3},
        {4, 1 << 2},  {5, 1 << 10 | 1 << 18 | 1 << 26 | UINT64_C(1) << 34},
        {8, 1 << 10},
    };

    for (uint8_t len = 0; len <= TCP_OPTIONS_MAX; len++) {
        uint8_t bytes[TCP_OPTIONS_MAX] = {known[_i].kind, len};
        struct tcp_options o;

        ck_assert_int_eq(tcp_options_parse(bytes, sizeof(bytes), &o),
                         known[_i].legal >> len & 1 ? 0 : -EBADMSG);
    }
}
END_TEST

/* R7413-1 */
START_TEST(an_impossible_cookie_is_ignored)
{
    for (uint8_t len = 2; len <= 30; len++) {
        bool legal = len == 2 || (len >= 6 && len <= 18 && len % 2 == 0);
        uint8_t bytes[TCP_OPTIONS_MAX] = {34, len};
        struct tcp_options o;

        ck_assert_int_eq(tcp_options_parse(bytes, sizeof(bytes), &o), 0);
        ck_assert(o.has_fastopen == legal);
        ck_assert_uint_eq(o.cookie_len, legal ? len - 2 : 0);
        bytes[0] = 254;
        bytes[1] = (uint8_t)(len + 2);
        bytes[2] = 0xf9;
        bytes[3] = 0x89;
        ck_assert_int_eq(tcp_options_parse(bytes, sizeof(bytes), &o), 0);
        ck_assert(o.has_fastopen == legal);
        ck_assert(o.fastopen_experimental == legal);
        bytes[3] = 0x88;
        ck_assert_int_eq(tcp_options_parse(bytes, sizeof(bytes), &o), 0);
        ck_assert(!o.has_fastopen);
    }
}
END_TEST

START_TEST(of_two_the_last_counts_and_nothing_of_the_first_stays)
{
    struct tcp_options twice, once;

    ck_assert_int_eq(PARSE(&twice, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 34, 6, 9, 9, 9, 9), 0);
    ck_assert_int_eq(PARSE(&once, 34, 6, 9, 9, 9, 9), 0);
    ck_assert_mem_eq(&twice, &once, sizeof(once));
    ck_assert_int_eq(PARSE(&twice, 5, 18, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 10, 0,
                           0, 0, 1, 0, 0, 0, 2),
                     0);
    ck_assert_int_eq(PARSE(&once, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2), 0);
    ck_assert_mem_eq(&twice, &once, sizeof(once));
}
END_TEST

/** Any valid options, each present or not. */
static void choose(struct random_seeded *random, struct tcp_options *o)
{
    uint32_t bits = random_u32(&random->base);

    memset(o, 0, sizeof(*o));
    if (bits & 1)
        o->mss = (uint16_t)(1 + random_below(&random->base, 65535));
    o->sack_permitted = bits >> 1 & 1;
    if (bits & 4) {
        o->has_ts = true;
        o->tsval = random_u32(&random->base);
        o->tsecr = random_u32(&random->base);
    }
    if (bits & 8) {
        o->has_wscale = true;
        o->wscale = (uint8_t)random_u32(&random->base);
    }
    if (bits & 16) {
        o->has_fastopen = true;
        o->fastopen_experimental = bits >> 5 & 1;
        o->cookie_len = (uint8_t)(bits & 64 ? 4 + 2 * random_below(&random->base, 7) : 0);
        random->base.fill(&random->base, o->cookie, o->cookie_len);
    }
    if (bits & 128) {
        o->sack_count = (uint8_t)(1 + random_below(&random->base, TCP_SACK_BLOCKS_MAX));
        random->base.fill(&random->base, o->sack, o->sack_count * sizeof(o->sack[0]));
    }
}

START_TEST(what_is_emitted_is_parsed)
{
    struct random_seeded random;
    int fitted = 0;

    random_seed(&random, 11);
    for (int round = 0; round < 20000; round++) {
        struct tcp_options o, back;
        uint8_t bytes[TCP_OPTIONS_MAX];
        int len;

        choose(&random, &o);
        len = tcp_options_emit(&o, bytes, sizeof(bytes));
        if (len < 0) {
            HOLDS(len == -ENOSPC && (o.sack_count || o.has_fastopen));
            continue;
        }
        fitted++;
        HOLDS(len % 4 == 0);
        HOLDS(tcp_options_parse(bytes, (size_t)len, &back) == 0);
        HOLDS(memcmp(&o, &back, sizeof(o)) == 0);
    }
    ck_assert_int_gt(fitted, 10000);
}
END_TEST

Suite *tcp_options_suite(void);

Suite *tcp_options_suite(void)
{
    Suite *suite = suite_create("tcp_options");
    TCase *tc = tcase_create("tcp_options");

    tcase_add_test(tc, a_syn_is_in_the_order_of_linux);
    tcase_add_test(tc, a_syn_without_timestamps_pads_sack_permitted);
    tcase_add_test(tc, a_syn_without_sack_pads_timestamps);
    tcase_add_test(tc, fast_open_comes_last_and_is_padded);
    tcase_add_test(tc, an_ack_has_timestamps_then_sack);
    tcase_add_test(tc, four_sack_blocks_fit_only_without_timestamps);
    tcase_add_test(tc, all_fields_are_read);
    tcase_add_test(tc, the_end_of_options_ends_them);
    tcase_add_test(tc, unknown_kinds_are_skipped);
    tcase_add_test(tc, illegal_lengths_are_refused);
    tcase_add_loop_test(tc, known_kinds_have_one_length, 0, 5);
    tcase_add_test(tc, an_impossible_cookie_is_ignored);
    tcase_add_test(tc, of_two_the_last_counts_and_nothing_of_the_first_stays);
    tcase_add_test(tc, what_is_emitted_is_parsed);
    suite_add_tcase(suite, tc);
    return suite;
}
