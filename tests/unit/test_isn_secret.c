/*
 * test_isn_secret.c: one secret for all runs of a boot, in a file of the cache.
 */
#include "isn_secret.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static struct cache cache;

static void setup(void)
{
    struct cache_options options = {.folder = folder};

    (void)snprintf(folder, sizeof(folder), "/tmp/tlsyn-isn-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(cache_open(&cache, &options), 0);
}

static void teardown(void)
{
    char command[128];

    cache_close(&cache);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* What stands in the file after a run of a command. */
static void run(char line[128])
{
    struct tlsyn_stack *stack = tlsyn_stack_new(NULL);
    struct cache_file file;

    ck_assert_ptr_nonnull(stack);
    ck_assert_int_eq(isn_secret_recall(&cache, stack), 0);
    tlsyn_stack_free(stack);
    ck_assert_int_eq(cache_read(&cache, "isn", &file), 0);
    ck_assert_uint_eq(file.count, 1);
    (void)snprintf(line, 128, "%s", file.line[0]);
    cache_file_end(&file);
}

static void put(const char *line)
{
    int fd = openat(cache.folder, "isn", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(dprintf(fd, "%s\n", line), (int)strlen(line) + 1);
    ck_assert_int_eq(close(fd), 0);
}

START_TEST(the_next_run_has_the_secret_of_the_last)
{
    char first[128];
    char next[128];

    run(first);
    ck_assert_uint_eq(strlen(first), 2 + 36 + 1 + 2 * TLSYN_ISN_SECRET);
    run(next);
    ck_assert_str_eq(first, next);
}
END_TEST

/* Another boot's, for its clock was another; and a line that is no use. */
START_TEST(what_is_not_of_this_boot_is_replaced)
{
    char first[128];
    char other[128];
    char next[128];

    run(first);
    for (int damage = 0; damage < 4; damage++) {
        (void)snprintf(other, sizeof(other), "%s", first);
        if (damage == 0)
            other[5] = other[5] == '0' ? '1' : '0';
        else if (damage == 1)
            other[strlen(other) - 1] = 'g';
        else if (damage == 2)
            other[strlen(other) - 2] = '\0';
        else
            other[0] = '2';
        put(other);
        run(next);
        ck_assert_str_ne(next, other);
        ck_assert_str_ne(next, first);
        ck_assert_int_eq(strncmp(next, first, 39), 0);
    }
}
END_TEST

START_TEST(without_a_cache_a_stack_has_its_own)
{
    struct tlsyn_stack *stack = tlsyn_stack_new(NULL);
    struct cache_options off = {.off = true};
    struct cache none;

    ck_assert_ptr_nonnull(stack);
    ck_assert_int_eq(cache_open(&none, &off), 0);
    ck_assert_int_eq(isn_secret_recall(&none, stack), -ENOTSUP);
    cache_close(&none);
    tlsyn_stack_free(stack);
}
END_TEST

Suite *isn_secret_suite(void);

Suite *isn_secret_suite(void)
{
    Suite *suite = suite_create("isn_secret");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, the_next_run_has_the_secret_of_the_last);
    tcase_add_test(all, what_is_not_of_this_boot_is_replaced);
    tcase_add_test(all, without_a_cache_a_stack_has_its_own);
    suite_add_tcase(suite, all);
    return suite;
}
