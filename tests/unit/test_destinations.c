/*
 * test_destinations.c: what is kept of servers, as lines; lines that somebody else wrote.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "destinations.h"
#include "support/peer.h"

#define NOW INT64_C(1800000000)

static const char good[] = "1 10.0.0.2 1460 0102030405060708 20123 500 1799999900 2 1800000100 "
                           "SYN_DROPPED";

/* --- lines ------------------------------------------------------------------------------------ */

START_TEST(a_line_says_it_all)
{
    struct tlsyn_destination known;
    char line[DESTINATIONS_LINE];

    ck_assert_int_eq(destinations_parse(good, NOW, &known), 0);
    ck_assert_uint_eq(known.mss, 1460);
    ck_assert_uint_eq(known.cookie_len, 8);
    ck_assert_uint_eq(known.cookie[7], 8);
    ck_assert_int_eq(known.srtt, 20123);
    ck_assert_int_eq(known.rttvar, 500);
    ck_assert_int_eq(known.age, TLSYN_SECONDS(100));
    ck_assert_uint_eq(known.failures, 2);
    ck_assert_int_eq(known.off_for, TLSYN_SECONDS(100));
    ck_assert_int_eq(known.failed_by, TLSYN_EMBEDDING_SYN_DROPPED);
    destinations_print(&known, NOW, line);
    ck_assert_str_eq(line, good);
}
END_TEST

START_TEST(a_line_may_say_little)
{
    static const char text[] = "1 fd77::2 0 - 0 0 1800000000 0 1800000000 NOT_ASKED";
    struct tlsyn_destination known;
    char line[DESTINATIONS_LINE];

    ck_assert_int_eq(destinations_parse(text, NOW, &known), 0);
    ck_assert_uint_eq(known.cookie_len, 0);
    ck_assert_int_eq(known.off_for, 0);
    destinations_print(&known, NOW, line);
    ck_assert_str_eq(line, text);
}
END_TEST

/* Every line that is one octet short, or has one changed to a space, or goes on. */
START_TEST(truncated_and_damaged_lines_are_none)
{
    struct tlsyn_destination known;
    char line[DESTINATIONS_LINE];
    size_t last = strlen(good);

    for (size_t i = 0; i < last; i++) {
        memcpy(line, good, i);
        line[i] = '\0';
        ck_assert_msg(destinations_parse(line, NOW, &known) == -EINVAL, "%s", line);
        (void)snprintf(line, sizeof(line), "%s", good);
        line[i] = good[i] == ' ' ? '_' : ' ';
        ck_assert_msg(destinations_parse(line, NOW, &known) == -EINVAL, "%s", line);
        line[i] = '\t';
        ck_assert_msg(destinations_parse(line, NOW, &known) == -EINVAL, "%s", line);
    }
    (void)snprintf(line, sizeof(line), "%s ", good);
    ck_assert_int_eq(destinations_parse(line, NOW, &known), -EINVAL);
}
END_TEST

START_TEST(foreign_lines_are_none)
{
    static const char *const lines[] = {
        "",
        "# a comment",
        "2 10.0.0.2 1460 - 20123 500 1 2 1 SYN_DROPPED",
        "1 example.org 1460 - 20123 500 1 2 1 SYN_DROPPED",
        "1 10.0.0.2 65536 - 20123 500 1 2 1 SYN_DROPPED",
        "1 10.0.0.2 -1 - 20123 500 1 2 1 SYN_DROPPED",
        "1 10.0.0.2 1460 010 20123 500 1 2 1 SYN_DROPPED",
        "1 10.0.0.2 1460 xx00 20123 500 1 2 1 SYN_DROPPED",
        "1 10.0.0.2 1460 000102030405060708090a0b0c0d0e0f10 1 500 1 2 1 SYN_DROPPED",
        "1 10.0.0.2 1460 - 99999999999 500 1 2 1 SYN_DROPPED",
        "1 10.0.0.2 1460 - 20123 500 99999999999999 2 1 SYN_DROPPED",
        "1 10.0.0.2 1460 - 20123 500 1 256 1 SYN_DROPPED",
        "1 10.0.0.2 1460 - 20123 500 1 2 99999999999999999999999 SYN_DROPPED",
        "1 10.0.0.2 1460 - 20123 500 1 2 1 SYN_DROPPED_BY_ALIENS",
        "1 10.0.0.2 1460 - 20123 5e2 1 2 1 SYN_DROPPED",
    };
    struct tlsyn_destination known;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(destinations_parse(lines[i], NOW, &known) == -EINVAL, "%s", lines[i]);
}
END_TEST

START_TEST(a_clock_that_was_set_back_makes_nothing_last_for_ever)
{
    struct tlsyn_destination known;

    ck_assert_int_eq(destinations_parse(good, NOW - 1000000, &known), 0);
    ck_assert_int_eq(known.srtt, 0);
    ck_assert_int_eq(known.off_for, TLSYN_SECONDS(36 * 3600));
    ck_assert_uint_eq(known.cookie_len, 8);
}
END_TEST

/* --- the file --------------------------------------------------------------------------------- */

struct bed {
    char folder[64];
    struct cache cache;
    struct random_seeded random;
    struct tlsyn_stack *stack;
};

static void new_stack(struct bed *b)
{
    const struct tlsyn_stack_options options = {.random = &b->random.base,
                                                .now = TLSYN_SECONDS(1000)};

    if (b->stack)
        tlsyn_stack_free(b->stack);
    b->stack = tlsyn_stack_new(&options);
    ck_assert_ptr_nonnull(b->stack);
}

static void open_bed(struct bed *b)
{
    *b = (struct bed){.folder = "/tmp/tlsyn-dests-XXXXXX"};
    const struct cache_options options = {.folder = b->folder};

    ck_assert_ptr_nonnull(mkdtemp(b->folder));
    ck_assert_int_eq(cache_open(&b->cache, &options), 0);
    random_seed(&b->random, 1);
    new_stack(b);
}

static void close_bed(struct bed *b)
{
    char command[128];

    tlsyn_stack_free(b->stack);
    cache_close(&b->cache);
    (void)snprintf(command, sizeof(command), "rm -rf %s", b->folder);
    ck_assert_int_eq(system(command), 0);
}

static void put_lines(struct bed *b, const char *const *lines, size_t count)
{
    struct cache_file file;

    ck_assert_int_eq(cache_edit(&b->cache, "destinations", &file), 0);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(cache_file_append(&file, lines[i]), 0);
    ck_assert_int_eq(cache_file_commit(&file), 0);
}

struct counting {
    struct tlsyn_destination_visitor base;
    int count;
    struct tlsyn_destination last;
};

static bool count_one(struct tlsyn_destination_visitor *base, const struct tlsyn_destination *known)
{
    struct counting *c = (struct counting *)base;

    c->count++;
    c->last = *known;
    return true;
}

static struct counting known_to(struct bed *b)
{
    struct counting c = {.base = {count_one}};

    tlsyn_destination_walk(b->stack, &c.base);
    return c;
}

START_TEST(good_lines_are_loaded_and_the_others_counted)
{
    const char *const lines[] = {good, "nonsense", "1 10.0.0.3 0 00 0 0 0 0 0 NOT_ASKED",
                                 "1 10.0.0.4 900 - 0 0 0 0 0 NOT_ASKED"};
    struct bed b;

    open_bed(&b);
    put_lines(&b, lines, 4);
    ck_assert_int_eq(destinations_load(&b.cache, b.stack), 2);
    ck_assert_int_eq(known_to(&b).count, 2);
    ck_assert_uint_eq(known_to(&b).last.mss, 900);
    close_bed(&b);
}
END_TEST

START_TEST(what_is_not_new_is_not_written)
{
    const char *const lines[] = {good};
    struct bed b;

    open_bed(&b);
    put_lines(&b, lines, 1);
    ck_assert_int_eq(destinations_load(&b.cache, b.stack), 0);
    cache_close(&b.cache); /* that would be -ENOTSUP */
    ck_assert_int_eq(destinations_save(&b.cache, b.stack), 0);
    close_bed(&b);
}
END_TEST

/* --- from run to run -------------------------------------------------------------------------- */

static const struct tcp_options with_cookie = {
    .mss = 1400, .has_fastopen = true, .cookie_len = 8, .cookie = {9, 8, 7}};

/* A client whose SYN is as it says. */
static struct tcp_test *opens(struct bed *b, const struct tcp_options *expected)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_COOKIE);

    ck_assert_int_ge(destinations_load(&b->cache, t->stack), 0);
    t->user.plan[USER_OPEN].write = 300;
    ck_assert_int_eq(user_connects(t), 0);
    const struct wire_tcp *syn = expect(t, SYN(.len = expected->has_fastopen ? 300 : 0));
    ck_assert_int_eq(syn->options.has_fastopen, expected->has_fastopen);
    ck_assert_uint_eq(syn->options.cookie_len, expected->cookie_len);
    ck_assert_mem_eq(syn->options.cookie, expected->cookie, expected->cookie_len);
    return t;
}

static void ends(struct bed *b, struct tcp_test *t)
{
    ck_assert_int_eq(destinations_save(&b->cache, t->stack), 0);
    ignore_sent(t);
    tcp_test_close(t);
}

START_TEST(a_cookie_of_one_run_is_used_in_the_next)
{
    const struct tcp_options request = {.has_fastopen = true};
    struct cache_file file;
    struct bed b;

    open_bed(&b);
    struct tcp_test *t = opens(&b, &request);
    peer_sends(t, SYNACK(.ack = 301, .opt = with_cookie));
    ends(&b, t);
    t = opens(&b, &with_cookie);
    peer_sends(t, SYNACK(.ack = 301));
    ends(&b, t);
    ends(&b, opens(&b, &with_cookie));
    ck_assert_int_eq(cache_read(&b.cache, "destinations", &file), 0);
    ck_assert_uint_eq(file.count, 1);
    cache_file_end(&file);
    close_bed(&b);
}
END_TEST

START_TEST(a_failure_of_one_run_is_heeded_in_the_next)
{
    const struct tcp_options request = {.has_fastopen = true}, none = {0};
    struct tlsyn_conn_info info;
    struct bed b;

    open_bed(&b);
    struct tcp_test *t = opens(&b, &request);
    peer_sends(t, RSTACK(.seq = 0, .ack = 301));
    expect(t, SYN());
    peer_sends(t, SYNACK(.seq = 0, .ack = 1));
    ends(&b, t);
    t = opens(&b, &none);
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_int_eq(info.embedding, TLSYN_EMBEDDING_OFF);
    ck_assert_int_eq(info.off_by, TLSYN_EMBEDDING_SYN_REFUSED);
    ends(&b, t);
    close_bed(&b);
}
END_TEST

/* Another command has learnt of others meanwhile. Its lines stay; damaged ones leave. */
START_TEST(what_others_have_written_stays)
{
    static const char other[] = "1 10.9.9.9 1460 - 0 0 0 0 0 NOT_ASKED";
    const char *const lines[] = {"1 10.0.0.2 999 - 0 0 0 0 0 NOT_ASKED", "nonsense", other};
    const struct tcp_options request = {.has_fastopen = true};
    struct cache_file file;
    struct bed b;

    open_bed(&b);
    struct tcp_test *t = opens(&b, &request);
    peer_sends(t, SYNACK(.ack = 301, .opt = with_cookie));
    put_lines(&b, lines, 3);
    ends(&b, t);
    ck_assert_int_eq(cache_read(&b.cache, "destinations", &file), 0);
    ck_assert_uint_eq(file.count, 2);
    ck_assert_str_eq(file.line[0], other);
    ck_assert_ptr_nonnull(strstr(file.line[1], "1 10.0.0.2 1400 0908070000000000 "));
    cache_file_end(&file);
    close_bed(&b);
}
END_TEST

START_TEST(the_file_does_not_grow_for_ever)
{
    const struct tcp_options request = {.has_fastopen = true};
    struct cache_file file;
    char line[DESTINATIONS_LINE];
    struct bed b;

    open_bed(&b);
    ck_assert_int_eq(cache_edit(&b.cache, "destinations", &file), 0);
    for (int i = 0; i < DESTINATIONS_MAX + 5; i++) {
        (void)snprintf(line, sizeof(line), "1 10.1.%d.%d 900 - 0 0 0 0 0 NOT_ASKED", i / 250,
                       i % 250 + 1);
        ck_assert_int_eq(cache_file_append(&file, line), 0);
    }
    ck_assert_int_eq(cache_file_commit(&file), 0);
    struct tcp_test *t = opens(&b, &request);
    peer_sends(t, SYNACK(.ack = 301, .opt = with_cookie));
    ends(&b, t);
    ck_assert_int_eq(cache_read(&b.cache, "destinations", &file), 0);
    ck_assert_uint_eq(file.count, DESTINATIONS_MAX);
    ck_assert_str_eq(file.line[0], "1 10.1.0.7 900 - 0 0 0 0 0 NOT_ASKED");
    cache_file_end(&file);
    close_bed(&b);
}
END_TEST

Suite *destinations_suite(void);

Suite *destinations_suite(void)
{
    Suite *suite = suite_create("destinations");
    TCase *lines = tcase_create("lines");
    TCase *file = tcase_create("file");
    TCase *runs = tcase_create("runs");

    tcase_add_test(lines, a_line_says_it_all);
    tcase_add_test(lines, a_line_may_say_little);
    tcase_add_test(lines, truncated_and_damaged_lines_are_none);
    tcase_add_test(lines, foreign_lines_are_none);
    tcase_add_test(lines, a_clock_that_was_set_back_makes_nothing_last_for_ever);
    suite_add_tcase(suite, lines);
    tcase_add_test(file, good_lines_are_loaded_and_the_others_counted);
    tcase_add_test(file, what_is_not_new_is_not_written);
    suite_add_tcase(suite, file);
    tcase_add_test(runs, a_cookie_of_one_run_is_used_in_the_next);
    tcase_add_test(runs, a_failure_of_one_run_is_heeded_in_the_next);
    tcase_add_test(runs, what_others_have_written_stays);
    tcase_add_test(runs, the_file_does_not_grow_for_ever);
    suite_add_tcase(suite, runs);
    return suite;
}
