/*
 * test_store_file.c: sessions in a file: what comes back, what leaves, and lines that are no use.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store_file.h"

#define KEY   "example.org:443/any/0011223344556677"
#define OTHER "example.org:444/any/0011223344556677"

struct bench {
    char base[64];
    struct cache_options options;
    struct cache cache;
    struct store_file store;
    int64_t now;
};

static void open_bench(struct bench *b)
{
    *b = (struct bench){.options = {.folder = b->base}, .now = (int64_t)time(NULL)};
    (void)snprintf(b->base, sizeof(b->base), "/tmp/tlsyn-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(b->base));
    ck_assert_int_eq(cache_open(&b->cache, &b->options), 0);
    store_file_init(&b->store, &b->cache, "sessions");
}

static void close_bench(struct bench *b)
{
    char command[128];

    cache_close(&b->cache);
    (void)snprintf(command, sizeof(command), "rm -rf %s", b->base);
    ck_assert_int_eq(system(command), 0);
}

static void keep(struct bench *b, const char *key, const char *text, int64_t seconds, bool once)
{
    const struct tlsyn_tls_entry entry = {.until = b->now + seconds, .once = once};

    b->store.base.ops->keep(&b->store.base, key, text, strlen(text), &entry);
}

/* "" for nothing. */
static void expect(struct bench *b, const char *key, const char *text)
{
    char got[4096];
    size_t n = b->store.base.ops->find(&b->store.base, key, b->now, got, sizeof(got));

    ck_assert_uint_eq(n, strlen(text));
    ck_assert_mem_eq(got, text, n);
}

static size_t count_lines(struct bench *b)
{
    struct cache_file file;
    size_t n = 0;

    ck_assert_int_eq(cache_read(&b->cache, "sessions", &file), 0);
    n = file.count;
    cache_file_end(&file);
    return n;
}

static void put_file(struct bench *b, const char *text)
{
    int fd = openat(b->cache.folder, "sessions", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
    (void)close(fd);
}

START_TEST(the_newest_of_a_key_comes_back)
{
    struct stat status;
    struct bench b;
    char path[128];

    open_bench(&b);
    expect(&b, KEY, "");
    keep(&b, KEY, "first", 100, false);
    keep(&b, KEY, "second", 100, false);
    keep(&b, OTHER, "\x01\xff\x7f", 100, false);
    expect(&b, KEY, "second");
    expect(&b, KEY, "second");
    expect(&b, OTHER, "\x01\xff\x7f");
    expect(&b, "example.org:443/any", "");
    (void)snprintf(path, sizeof(path), "%s/sessions", b.base);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777u, 0600);
    close_bench(&b);
}
END_TEST

START_TEST(what_is_given_out_once_is_gone)
{
    struct bench b;

    open_bench(&b);
    keep(&b, KEY, "one", 100, true);
    keep(&b, KEY, "two", 100, true);
    expect(&b, KEY, "two");
    expect(&b, KEY, "one");
    expect(&b, KEY, "");
    /* Where it can't leave, it isn't given out. */
    keep(&b, KEY, "three", 100, true);
    ck_assert_int_eq(mkdirat(b.cache.folder, ".sessions.part", 0700), 0);
    expect(&b, KEY, "");
    ck_assert_int_eq(unlinkat(b.cache.folder, ".sessions.part", AT_REMOVEDIR), 0);
    expect(&b, KEY, "three");
    close_bench(&b);
}
END_TEST

START_TEST(what_is_dropped_or_too_old_does_not_come_back)
{
    struct bench b;

    open_bench(&b);
    keep(&b, KEY, "old", 10, false);
    keep(&b, KEY, "new", 100, false);
    b.store.base.ops->drop(&b.store.base, OTHER, "new", 3);
    b.store.base.ops->drop(&b.store.base, KEY, "ne", 2);
    expect(&b, KEY, "new");
    b.store.base.ops->drop(&b.store.base, KEY, "new", 3);
    expect(&b, KEY, "old");
    b.now += 10;
    expect(&b, KEY, "");
    b.now -= 10;
    keep(&b, OTHER, "gone", -1, false); /* leaves when the next is kept */
    keep(&b, OTHER, "there", 100, false);
    ck_assert_uint_eq(count_lines(&b), 2);
    close_bench(&b);
}
END_TEST

START_TEST(the_file_is_bounded)
{
    struct bench b;
    char key[64];

    open_bench(&b);
    for (int i = 0; i < STORE_FILE_PER_KEY + 3; i++)
        keep(&b, KEY, "session", 100, true);
    ck_assert_uint_eq(count_lines(&b), STORE_FILE_PER_KEY);
    for (int i = 0; i < STORE_FILE_LINES + 5; i++) {
        (void)snprintf(key, sizeof(key), "%d.test:443/any/00", i);
        keep(&b, key, "session", 100, false);
    }
    ck_assert_uint_eq(count_lines(&b), STORE_FILE_LINES);
    expect(&b, "4.test:443/any/00", "");
    expect(&b, "5.test:443/any/00", "session");
    close_bench(&b);
}
END_TEST

START_TEST(lines_that_are_no_use_are_passed_over)
{
    static const char *const lines[] = {"",
                                        "1",
                                        "1 " KEY,
                                        "1 " KEY " 9999999999",
                                        "1 " KEY " 9999999999 often",
                                        "1 " KEY " 9999999999 often ",
                                        "1 " KEY " 9999999999 often abc",
                                        "1 " KEY " 9999999999 often zz",
                                        "1 " KEY " 9999999999 often AB",
                                        "1 " KEY " 9999999999 often abcd ef",
                                        "1 " KEY " 9999999999 always abcd",
                                        "1 " KEY " -9 often abcd",
                                        "1 " KEY " 9999999999999999999 often abcd",
                                        "2 " KEY " 9999999999 often abcd",
                                        "1  9999999999 often abcd",
                                        " " KEY " 9999999999 often abcd"};
    struct bench b;
    char text[256];

    open_bench(&b);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        (void)snprintf(text, sizeof(text), "%s\n1 " OTHER " 9999999999 often 676f6f64\n", lines[i]);
        put_file(&b, text);
        expect(&b, KEY, "");
        expect(&b, OTHER, "good");
        ck_assert_msg(store_file_damaged(&b.store) == (lines[i][0] != '\0'), "line %zu", i);
    }
    keep(&b, KEY, "kept", 100, false);
    ck_assert_uint_eq(count_lines(&b), 2);
    ck_assert_int_eq(store_file_damaged(&b.store), 0);
    close_bench(&b);
}
END_TEST

START_TEST(without_a_cache_nothing_is_kept)
{
    struct bench b;

    open_bench(&b);
    cache_close(&b.cache);
    keep(&b, KEY, "lost", 100, false);
    expect(&b, KEY, "");
    b.store.base.ops->drop(&b.store.base, KEY, "lost", 4);
    ck_assert_int_eq(store_file_damaged(&b.store), 0);
    close_bench(&b);
}
END_TEST

Suite *store_file_suite(void);

Suite *store_file_suite(void)
{
    Suite *s = suite_create("store_file");
    TCase *t = tcase_create("store_file");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_newest_of_a_key_comes_back);
    tcase_add_test(t, what_is_given_out_once_is_gone);
    tcase_add_test(t, what_is_dropped_or_too_old_does_not_come_back);
    tcase_add_test(t, the_file_is_bounded);
    tcase_add_test(t, lines_that_are_no_use_are_passed_over);
    tcase_add_test(t, without_a_cache_nothing_is_kept);
    suite_add_tcase(s, t);
    return s;
}
