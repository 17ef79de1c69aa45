/*
 * test_cache_file.c: what a command remembers from run to run, and what it does when it can't.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache_file.h"

struct nest {
    char base[64];
    char folder[96];
    struct cache_options options;
    struct cache cache;
};

static void make_nest(struct nest *n)
{
    *n = (struct nest){.options = {.folder = n->folder}};
    (void)snprintf(n->base, sizeof(n->base), "/tmp/tlsyn-cache-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(n->base));
    (void)snprintf(n->folder, sizeof(n->folder), "%s/a/b", n->base);
}

static void open_nest(struct nest *n)
{
    make_nest(n);
    ck_assert_int_eq(cache_open(&n->cache, &n->options), 0);
}

static void clear_nest(struct nest *n)
{
    char command[128];

    cache_close(&n->cache);
    (void)snprintf(command, sizeof(command), "rm -rf %s", n->base);
    ck_assert_int_eq(system(command), 0);
}

static unsigned int mode_of(const struct nest *n, const char *name)
{
    char path[256];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/%s", n->folder, name);
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 07777u;
}

static void put_bytes(const struct nest *n, const char *bytes, size_t size)
{
    int fd = openat(n->cache.folder, "things", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, bytes, size), (int)size);
    (void)close(fd);
}

static void add_line(struct nest *n, const char *line)
{
    struct cache_file file;

    ck_assert_int_eq(cache_edit(&n->cache, "things", &file), 0);
    ck_assert_int_eq(cache_file_append(&file, line), 0);
    ck_assert_int_eq(cache_file_commit(&file), 0);
}

static void expect_lines(struct nest *n, const char *const *lines, size_t count)
{
    struct cache_file file;

    ck_assert_int_eq(cache_read(&n->cache, "things", &file), 0);
    ck_assert_uint_eq(file.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(file.line[i], lines[i]);
    cache_file_end(&file);
}

START_TEST(lines_come_back_in_their_order)
{
    struct nest n;

    open_nest(&n);
    expect_lines(&n, NULL, 0);
    add_line(&n, "one");
    add_line(&n, "two and more");
    cache_close(&n.cache);
    ck_assert_int_eq(cache_open(&n.cache, &n.options), 0);
    expect_lines(&n, (const char *[]){"one", "two and more"}, 2);
    clear_nest(&n);
}
END_TEST

START_TEST(folder_and_files_are_for_their_owner_alone)
{
    struct nest n;
    mode_t before = umask(0);

    open_nest(&n);
    add_line(&n, "secret");
    ck_assert_uint_eq(mode_of(&n, "."), 0700);
    ck_assert_uint_eq(mode_of(&n, ".."), 0700);
    ck_assert_uint_eq(mode_of(&n, "things"), 0600);
    (void)umask(before);
    clear_nest(&n);
}
END_TEST

START_TEST(lines_leave_and_the_oldest_make_room)
{
    struct cache_file file;
    struct nest n;

    open_nest(&n);
    put_bytes(&n, "a\nb\nc\nd\ne\n", 10);
    ck_assert_int_eq(cache_edit(&n.cache, "things", &file), 0);
    cache_file_drop(&file, 3);
    ck_assert_int_eq(cache_file_append(&file, "f"), 0);
    cache_file_keep_newest(&file, 3);
    cache_file_keep_newest(&file, 7);
    ck_assert_int_eq(cache_file_commit(&file), 0);
    expect_lines(&n, (const char *[]){"c", "e", "f"}, 3);
    clear_nest(&n);
}
END_TEST

START_TEST(damaged_lines_are_left_out)
{
    static const char bytes[] = "good\nn\0l\n\nalso good\ncut off";
    struct cache_file file;
    struct nest n;

    open_nest(&n);
    put_bytes(&n, bytes, sizeof(bytes) - 1);
    expect_lines(&n, (const char *[]){"good", "also good"}, 2);
    ck_assert_int_eq(cache_read(&n.cache, "things", &file), 0);
    ck_assert_uint_eq(file.broken, 2);
    cache_file_end(&file);
    clear_nest(&n);
}
END_TEST

START_TEST(a_line_that_could_not_be_read_again_is_not_taken)
{
    struct cache_file file;
    struct nest n;
    char *line = calloc(1, CACHE_LINE_MAX + 2);

    ck_assert_ptr_nonnull(line);
    memset(line, 'x', CACHE_LINE_MAX + 1);
    open_nest(&n);
    ck_assert_int_eq(cache_edit(&n.cache, "things", &file), 0);
    ck_assert_int_eq(cache_file_append(&file, line), -EMSGSIZE);
    ck_assert_int_eq(cache_file_append(&file, "two\nlines"), -EINVAL);
    ck_assert_int_eq(cache_file_append(&file, ""), -EINVAL);
    line[CACHE_LINE_MAX] = '\0';
    ck_assert_int_eq(cache_file_append(&file, line), 0);
    ck_assert_int_eq(cache_file_commit(&file), 0);
    expect_lines(&n, (const char *const *)&line, 1);
    free(line);
    clear_nest(&n);
}
END_TEST

START_TEST(a_huge_file_counts_as_empty)
{
    struct cache_file file;
    struct nest n;

    open_nest(&n);
    put_bytes(&n, "one\n", 4);
    int fd = openat(n.cache.folder, "things", O_WRONLY);
    ck_assert_int_eq(ftruncate(fd, (off_t)CACHE_FILE_MAX + 1), 0);
    (void)close(fd);
    ck_assert_int_eq(cache_read(&n.cache, "things", &file), 0);
    ck_assert_uint_eq(file.count, 0);
    ck_assert_uint_eq(file.broken, 1);
    cache_file_end(&file);
    clear_nest(&n);
}
END_TEST

START_TEST(an_edit_that_is_given_up_changes_nothing)
{
    struct cache_file file;
    struct nest n;

    open_nest(&n);
    add_line(&n, "one");
    ck_assert_int_eq(cache_edit(&n.cache, "things", &file), 0);
    cache_file_drop(&file, 0);
    cache_file_end(&file);
    expect_lines(&n, (const char *[]){"one"}, 1);
    add_line(&n, "two"); /* the lock is free */
    clear_nest(&n);
}
END_TEST

/* Four processes add to one file at a time: nothing of it is lost. */
START_TEST(editors_wait_for_each_other)
{
    enum { EDITORS = 4, LINES = 25 };
    struct cache_file file;
    pid_t child[EDITORS];
    struct nest n;

    open_nest(&n);
    for (int i = 0; i < EDITORS; i++) {
        child[i] = fork();
        if (child[i] != 0) { /* a child asserts nothing: it would write to the parent's messages */
            ck_assert_int_gt(child[i], 0);
            continue;
        }
        for (int line = 0; line < LINES; line++) {
            if (cache_edit(&n.cache, "things", &file) < 0 || cache_file_append(&file, "x") < 0 ||
                cache_file_commit(&file) < 0)
                _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < EDITORS; i++) {
        int status = -1;

        ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(cache_read(&n.cache, "things", &file), 0);
    ck_assert_uint_eq(file.count, EDITORS * LINES);
    cache_file_end(&file);
    clear_nest(&n);
}
END_TEST

START_TEST(who_holds_the_lock_for_long_is_not_waited_for)
{
    struct cache_file first;
    struct cache_file second;
    struct nest n;

    open_nest(&n);
    ck_assert_int_eq(cache_edit(&n.cache, "things", &first), 0);
    ck_assert_int_eq(cache_edit(&n.cache, "things", &second), -EAGAIN);
    cache_file_end(&first);
    add_line(&n, "now");
    clear_nest(&n);
}
END_TEST

START_TEST(what_others_may_write_is_not_believed)
{
    struct cache_file file;
    struct nest n;

    open_nest(&n);
    add_line(&n, "one");
    ck_assert_int_eq(fchmod(n.cache.folder, 0777), 0);
    cache_close(&n.cache);
    ck_assert_int_eq(cache_open(&n.cache, &n.options), -EPERM);
    ck_assert_int_eq(cache_read(&n.cache, "things", &file), 0); /* and there is nothing */
    ck_assert_uint_eq(file.count, 0);
    cache_file_end(&file);
    ck_assert_int_eq(cache_edit(&n.cache, "things", &file), -ENOTSUP);
    clear_nest(&n);
}
END_TEST

START_TEST(a_file_that_others_may_write_is_not_believed)
{
    struct cache_file file;
    struct nest n;

    open_nest(&n);
    add_line(&n, "one");
    ck_assert_int_eq(fchmodat(n.cache.folder, "things", 0620, 0), 0);
    ck_assert_int_eq(cache_read(&n.cache, "things", &file), -EPERM);
    ck_assert_uint_eq(file.count, 0);
    cache_file_end(&file);
    ck_assert_int_eq(cache_edit(&n.cache, "things", &file), -EPERM);
    clear_nest(&n);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_file_leads_nowhere)
{
    struct cache_file file;
    struct nest n;

    open_nest(&n);
    ck_assert_int_eq(symlinkat("/etc/passwd", n.cache.folder, "things"), 0);
    ck_assert_int_eq(cache_read(&n.cache, "things", &file), -ELOOP);
    ck_assert_uint_eq(file.count, 0);
    cache_file_end(&file);
    clear_nest(&n);
}
END_TEST

START_TEST(no_cache_finds_and_takes_nothing)
{
    const struct cache_options off = {.off = true};
    struct cache_file file;
    struct cache cache;

    ck_assert_int_eq(cache_open(&cache, &off), 0);
    ck_assert_int_eq(cache_read(&cache, "things", &file), 0);
    ck_assert_uint_eq(file.count, 0);
    cache_file_end(&file);
    ck_assert_int_eq(cache_edit(&cache, "things", &file), -ENOTSUP);
    cache_close(&cache);
}
END_TEST

START_TEST(a_path_through_a_file_is_no_folder)
{
    const struct cache_options options = {.folder = "/etc/passwd/cache"};
    struct cache cache;

    ck_assert_int_eq(cache_open(&cache, &options), -ENOTDIR);
    ck_assert_int_eq(cache.folder, -1);
}
END_TEST

static bool write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    bool written = file && fputs(text, file) >= 0;

    return file && fclose(file) == 0 && written;
}

/* As who we are: who is not on a namespace's maps can make no file in it (user_namespaces(7)). */
static int enter_user_namespace(void)
{
    char uids[32], gids[32];

    (void)snprintf(uids, sizeof(uids), "%u %u 1", (unsigned int)geteuid(), (unsigned int)geteuid());
    (void)snprintf(gids, sizeof(gids), "%u %u 1", (unsigned int)getegid(), (unsigned int)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return -errno;
    return write_text("/proc/self/uid_map", uids) && write_text("/proc/self/setgroups", "deny") &&
                   write_text("/proc/self/gid_map", gids)
               ? 0
               : -EPERM;
}

/* A mount namespace of our own, where `folder` is a file system of 32 KiB. */
static int enter_small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) < 0 && enter_user_namespace() < 0)
        return -EPERM;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    return mount("small", folder, "tmpfs", 0, "size=32k,mode=700") < 0 ? -errno : 0;
}

START_TEST(a_full_disk_leaves_the_file_as_it_was)
{
    struct cache_file file;
    struct nest n;
    int status = -1;

    make_nest(&n);
    pid_t child = fork();
    if (child == 0) {
        static char line[CACHE_LINE_MAX];

        if (enter_small_disk(n.base) < 0)
            _exit(77);
        memset(line, 'x', sizeof(line) - 1);
        bool kept = cache_open(&n.cache, &n.options) == 0 &&
                    cache_edit(&n.cache, "things", &file) == 0 &&
                    cache_file_append(&file, "small") == 0 && cache_file_commit(&file) == 0;
        bool refused = kept && cache_edit(&n.cache, "things", &file) == 0 &&
                       cache_file_append(&file, line) == 0 && cache_file_commit(&file) == -ENOSPC;
        bool same = refused && cache_read(&n.cache, "things", &file) == 0 && file.count == 1 &&
                    strcmp(file.line[0], "small") == 0 &&
                    faccessat(n.cache.folder, ".things.part", F_OK, 0) < 0;
        if (same)
            cache_file_end(&file);
        _exit(same ? 0 : 1);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
    n.cache.folder = -1;
    clear_nest(&n);
}
END_TEST

Suite *cache_file_suite(void);

Suite *cache_file_suite(void)
{
    Suite *suite = suite_create("cache_file");
    TCase *tcase = tcase_create("cache_file");

    tcase_add_test(tcase, lines_come_back_in_their_order);
    tcase_add_test(tcase, folder_and_files_are_for_their_owner_alone);
    tcase_add_test(tcase, lines_leave_and_the_oldest_make_room);
    tcase_add_test(tcase, damaged_lines_are_left_out);
    tcase_add_test(tcase, a_line_that_could_not_be_read_again_is_not_taken);
    tcase_add_test(tcase, a_huge_file_counts_as_empty);
    tcase_add_test(tcase, an_edit_that_is_given_up_changes_nothing);
    tcase_add_test(tcase, editors_wait_for_each_other);
    tcase_add_test(tcase, who_holds_the_lock_for_long_is_not_waited_for);
    tcase_add_test(tcase, what_others_may_write_is_not_believed);
    tcase_add_test(tcase, a_file_that_others_may_write_is_not_believed);
    tcase_add_test(tcase, a_link_in_the_place_of_a_file_leads_nowhere);
    tcase_add_test(tcase, no_cache_finds_and_takes_nothing);
    tcase_add_test(tcase, a_path_through_a_file_is_no_folder);
    tcase_add_test(tcase, a_full_disk_leaves_the_file_as_it_was);
    suite_add_tcase(suite, tcase);
    return suite;
}
