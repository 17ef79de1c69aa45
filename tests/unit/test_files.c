/*
 * test_files.c: no path leads out of the folder that is served; what is received appears
 * when it is whole.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "sink.h"

/* A folder in a folder: "outside" lies beside the one that is served. */
struct tree {
    char base[64];
    char root[80];
    struct files files;
};

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static void link_to(const struct tree *t, const char *target, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", t->root, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

static void plant(struct tree *t)
{
    char path[512];

    (void)snprintf(t->base, sizeof(t->base), "/tmp/tlsyn-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(t->base));
    (void)snprintf(t->root, sizeof(t->root), "%s/root", t->base);
    ck_assert_int_eq(mkdir(t->root, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/folder", t->root);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    put_file(t->base, "outside", "secret");
    put_file(t->root, "inside.txt", "public");
    ck_assert_int_eq(files_open_root(&t->files, t->root), 0);
}

static void fell(struct tree *t)
{
    char command[128];

    files_close_root(&t->files);
    (void)snprintf(command, sizeof(command), "rm -rf %s", t->base);
    ck_assert_int_eq(system(command), 0);
}

static int entries(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        n++;
    (void)closedir(dir);
    return n - 2;
}

START_TEST(files_inside_are_found)
{
    struct tree t;
    struct files_found found;

    plant(&t);
    link_to(&t, "inside.txt", "link");
    ck_assert_int_eq(files_open(&t.files, "inside.txt", &found), 0);
    ck_assert_uint_eq(found.size, 6);
    ck_assert_str_eq(found.name, "inside.txt");
    (void)close(found.fd);
    ck_assert_int_eq(files_open(&t.files, "link", &found), 0);
    (void)close(found.fd);
    ck_assert_int_eq(files_open(&t.files, "folder", &found), -EISDIR);
    ck_assert_int_eq(files_open(&t.files, "nothing", &found), -ENOENT);
    ck_assert_int_eq(files_open(&t.files, "inside.txt/x", &found), -ENOTDIR);
    fell(&t);
}
END_TEST

START_TEST(nothing_outside_is_found)
{
    static const char *const paths[] = {"../outside", "folder/../../outside", "/etc/passwd",
                                        "up",         "up/outside",           "away"};
    struct tree t;
    struct files_found found;

    plant(&t);
    link_to(&t, "..", "up");
    link_to(&t, "/etc/passwd", "away");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        ck_assert_msg(files_open(&t.files, paths[i], &found) == -EXDEV, "%s", paths[i]);
    fell(&t);
}
END_TEST

START_TEST(a_pipe_does_not_hold_us_up)
{
    struct tree t;
    struct files_found found;
    char path[128];

    plant(&t);
    (void)snprintf(path, sizeof(path), "%s/pipe", t.root);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(files_open(&t.files, "pipe", &found), -EACCES);
    fell(&t);
}
END_TEST

START_TEST(an_upload_appears_when_it_is_whole)
{
    struct tree t;
    struct upload first;
    struct upload second;
    struct files_found found;
    bool replaced = true;

    plant(&t);
    ck_assert_int_eq(files_upload(&t.files, "folder/new", 1, &first), 0);
    ck_assert_int_eq(files_upload(&t.files, "folder/new", 2, &second), 0);
    ck_assert_int_eq(upload_write(&first, "hello", 5), 0);
    ck_assert_int_eq(files_open(&t.files, "folder/new", &found), -ENOENT);
    ck_assert_int_eq(upload_commit(&first, &replaced), 0);
    ck_assert(!replaced);
    ck_assert_int_eq(files_open(&t.files, "folder/new", &found), 0);
    ck_assert_uint_eq(found.size, 5);
    (void)close(found.fd);
    ck_assert_int_eq(upload_commit(&second, &replaced), 0);
    ck_assert(replaced);
    upload_abort(&second); /* over already: harmless */
    fell(&t);
}
END_TEST

START_TEST(a_broken_upload_leaves_nothing)
{
    struct tree t;
    struct upload upload;

    plant(&t);
    ck_assert_int_eq(files_upload(&t.files, "new", 1, &upload), 0);
    ck_assert_int_eq(upload_write(&upload, "hello", 5), 0);
    ck_assert_int_eq(entries(t.root), 3);
    upload_abort(&upload);
    ck_assert_int_eq(entries(t.root), 2);
    fell(&t);
}
END_TEST

START_TEST(an_upload_stays_inside)
{
    static const struct {
        const char *path;
        int error;
    } cases[] = {{"../new", -EXDEV},          {"up/new", -EXDEV}, {"nowhere/new", -ENOENT},
                 {"folder", -EISDIR},         {".", -EISDIR},     {"up", -EACCES},
                 {"inside.txt/new", -ENOTDIR}};
    struct tree t;
    struct upload upload;

    plant(&t);
    link_to(&t, "..", "up");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(files_upload(&t.files, cases[i].path, 1, &upload) == cases[i].error, "%s",
                      cases[i].path);
        ck_assert_int_eq(upload.fd, -1);
    }
    ck_assert_int_eq(entries(t.base), 2);
    fell(&t);
}
END_TEST

START_TEST(types_come_from_endings)
{
    ck_assert_str_eq(files_type("index.html"), "text/html; charset=utf-8");
    ck_assert_str_eq(files_type("A.B.PNG"), "image/png");
    ck_assert_str_eq(files_type("png"), "application/octet-stream");
    ck_assert_str_eq(files_type("x.unknown"), "application/octet-stream");
}
END_TEST

/* --- where a client's bytes go ---------------------------------------------------------------- */

START_TEST(a_fetched_file_appears_when_it_is_whole)
{
    struct tree t;
    struct sink sink;
    char path[128];

    plant(&t);
    (void)snprintf(path, sizeof(path), "%s/got", t.root);
    ck_assert_int_eq(sink_open(&sink, path), 0);
    ck_assert_int_eq(sink_write(&sink, "hello", 5), 5);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(sink_commit(&sink), 0);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(entries(t.root), 3);
    ck_assert_int_eq(sink_open(&sink, path), 0);
    ck_assert_int_eq(sink_write(&sink, "x", 1), 1);
    sink_abort(&sink);
    ck_assert_int_eq(entries(t.root), 3);
    fell(&t);
}
END_TEST

START_TEST(a_full_pipe_is_not_waited_for)
{
    struct sink sink = {.fd = -1};
    static char bytes[1 << 20];
    int ends[2];
    ssize_t n = 0;
    size_t total = 0;

    ck_assert_int_eq(pipe(ends), 0);
    sink.fd = ends[1];
    while ((n = sink_write(&sink, bytes, sizeof(bytes))) > 0)
        total += (size_t)n;
    ck_assert_int_eq(n, -EAGAIN);
    ck_assert_uint_gt(total, 0);
    ck_assert_int_eq(read(ends[0], bytes, 65536), 65536);
    ck_assert_int_gt(sink_write(&sink, bytes, sizeof(bytes)), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}
END_TEST

Suite *files_suite(void);

Suite *files_suite(void)
{
    Suite *suite = suite_create("files");
    TCase *tcase = tcase_create("files");

    tcase_add_test(tcase, files_inside_are_found);
    tcase_add_test(tcase, nothing_outside_is_found);
    tcase_add_test(tcase, a_pipe_does_not_hold_us_up);
    tcase_add_test(tcase, an_upload_appears_when_it_is_whole);
    tcase_add_test(tcase, a_broken_upload_leaves_nothing);
    tcase_add_test(tcase, an_upload_stays_inside);
    tcase_add_test(tcase, types_come_from_endings);
    tcase_add_test(tcase, a_fetched_file_appears_when_it_is_whole);
    tcase_add_test(tcase, a_full_pipe_is_not_waited_for);
    suite_add_tcase(suite, tcase);
    return suite;
}
