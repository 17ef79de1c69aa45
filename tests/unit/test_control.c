/*
 * The socket at which a running command tells about itself (stack/control), served by a loop around
 * a stack without a link.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/control.h"

/* More than a socket's buffers hold. */
#define LONG_NAME (2u << 20)

struct bed {
    char folder[64]; /* XDG_RUNTIME_DIR */
    char *command;
    struct tlsyn_addr address;
    struct tlsyn_stack *stack;
    struct tlsyn_loop *loop;
    struct tlsyn_control *control;
};

static void bed_open(struct bed *b, size_t name_length)
{
    const struct tlsyn_stack_options options = {.now = tlsyn_clock()};

    *b = (struct bed){.folder = "/tmp/tlsyn-test-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(b->folder));
    ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", b->folder, 1), 0);
    b->command = calloc(1, name_length + 1);
    ck_assert_ptr_nonnull(b->command);
    memset(b->command, 'x', name_length);
    b->stack = tlsyn_stack_new(&options);
    ck_assert_ptr_nonnull(b->stack);
    ck_assert_int_eq(tlsyn_loop_new(b->stack, NULL, &b->loop), 0);
}

static int bed_control(struct bed *b)
{
    const struct tlsyn_control_about about = {
        .command = b->command, .interface = "", .address = &b->address};

    return tlsyn_control_open(b->loop, b->stack, &about, &b->control);
}

static int entries(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        (void)closedir(dir);
    return n - 2;
}

static void bed_close(struct bed *b)
{
    char path[128];

    tlsyn_control_close(b->control);
    tlsyn_loop_free(b->loop);
    tlsyn_stack_free(b->stack);
    free(b->command);
    (void)snprintf(path, sizeof(path), "%s/tlsyn", b->folder);
    ck_assert_int_le(entries(path), 0);
    (void)rmdir(path);
    ck_assert_int_eq(rmdir(b->folder), 0);
}

static int asks(const struct bed *b)
{
    struct sockaddr_un address;
    char path[PATH_MAX];
    int dir = tlsyn_control_dir_runtime(false, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(dir, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(tlsyn_control_dir_address(dir, b->control->name, &address), 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(dir);
    return fd;
}

static void turn(struct bed *b)
{
    int error = tlsyn_loop_turn(b->loop, tlsyn_clock() + TLSYN_MS(1));

    ck_assert_msg(error == 0 || error == -EINTR, "%d", error);
}

/* Reads to the end while the loop turns; the bytes. *whole: the last line was there. */
static size_t reads(struct bed *b, int fd, bool *whole)
{
    static const char last[] = "\"left_off\": 0}\n";
    char *text = calloc(1, 2 * LONG_NAME);
    size_t total = 0;

    ck_assert_ptr_nonnull(text);
    for (int tries = 0; tries < 10000; tries++) {
        ssize_t n = recv(fd, text + total, 2 * LONG_NAME - total, 0);

        if (n == 0)
            break;
        if (n > 0)
            total += (size_t)n;
        turn(b);
    }
    *whole = total >= strlen(last) && memcmp(text + total - strlen(last), last, strlen(last)) == 0;
    free(text);
    (void)close(fd);
    return total;
}

START_TEST(who_asks_gets_the_whole_snapshot)
{
    struct bed b;
    struct stat status;
    char path[128];
    bool whole = false;

    bed_open(&b, LONG_NAME);
    ck_assert_int_eq(bed_control(&b), 0);
    (void)snprintf(path, sizeof(path), "%s/tlsyn/%s", b.folder, b.control->name);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777u, 0600);
    ck_assert_uint_gt(reads(&b, asks(&b), &whole), LONG_NAME);
    ck_assert(whole);
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        ck_assert_int_eq(b.control->client[i].fd, -1);
    bed_close(&b);
}
END_TEST

START_TEST(who_never_reads_is_pushed_out)
{
    struct bed b;
    int idle[CONTROL_CLIENTS];
    bool whole = false;

    bed_open(&b, LONG_NAME);
    ck_assert_int_eq(bed_control(&b), 0);
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        idle[i] = asks(&b);
        turn(&b);
        turn(&b);
    }
    ck_assert_uint_gt(reads(&b, asks(&b), &whole), LONG_NAME);
    ck_assert(whole);
    (void)reads(&b, idle[0], &whole);
    ck_assert_msg(!whole, "the first has kept his place");
    (void)reads(&b, idle[1], &whole);
    ck_assert_msg(whole, "the second has lost his place");
    bed_close(&b);
}
END_TEST

START_TEST(who_leaves_early_does_no_harm)
{
    struct bed b;
    bool whole = false;

    bed_open(&b, LONG_NAME);
    ck_assert_int_eq(bed_control(&b), 0);
    for (int i = 0; i < 5; i++) {
        int fd = asks(&b);

        turn(&b);
        (void)close(fd);
        turn(&b);
    }
    (void)reads(&b, asks(&b), &whole);
    ck_assert(whole);
    bed_close(&b);
}
END_TEST

START_TEST(a_folder_that_others_may_write_into_is_no_place)
{
    struct bed b;
    char path[128], name[PATH_MAX];

    bed_open(&b, 3);
    ck_assert_int_eq(tlsyn_control_dir_runtime(false, name), -ENOENT);
    (void)snprintf(path, sizeof(path), "%s/tlsyn", b.folder);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(chmod(path, 0770), 0);
    ck_assert_int_eq(tlsyn_control_dir_runtime(true, name), -EPERM);
    ck_assert_str_eq(name, path);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(symlink("/tmp", path), 0);
    ck_assert_int_eq(tlsyn_control_dir_runtime(true, name), -EPERM);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(chmod(b.folder, 0777), 0);
    ck_assert_int_eq(tlsyn_control_dir_runtime(true, name), -ENOENT);
    ck_assert_int_eq(entries(b.folder), 0);
    bed_close(&b);
}
END_TEST

/* --- in /tmp ---------------------------------------------------------------------------------- */

#define NOBODY 65534

/* Where root runs the tests they have a /tmp of their own: others may run meanwhile. */
static int usual_mounts = -1, usual_folder = -1;

static void enter_own_tmp(void)
{
    usual_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    usual_folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (unshare(CLONE_NEWNS) == 0 && (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                                      mount("own", "/tmp", "tmpfs", 0, "mode=1777") < 0))
        printf("not shown alone: %s\n", strerror(errno));
}

static void leave_own_tmp(void)
{
    if (usual_mounts >= 0 && setns(usual_mounts, CLONE_NEWNS) == 0)
        ck_assert_int_eq(fchdir(usual_folder), 0);
    (void)close(usual_mounts);
    (void)close(usual_folder);
}

/* What is there under our names without being ours. */
struct squatters {
    char file[48], link[48], open[48];
};

static void squat(struct squatters *s)
{
    int fd;

    (void)snprintf(s->file, sizeof(s->file), "/tmp/tlsyn-control-AAfile%d", (int)getpid());
    (void)snprintf(s->link, sizeof(s->link), "/tmp/tlsyn-control-AAlink%d", (int)getpid());
    (void)snprintf(s->open, sizeof(s->open), "/tmp/tlsyn-control-AAopen%d", (int)getpid());
    fd = open(s->file, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    ck_assert_int_eq(symlink("/tmp", s->link), 0);
    ck_assert_int_eq(mkdir(s->open, 0700), 0);
    ck_assert_int_eq(chmod(s->open, 0777), 0);
}

static void squat_no_more(const struct squatters *s)
{
    (void)unlink(s->file);
    (void)unlink(s->link);
    ck_assert_msg(rmdir(s->open) == 0, "something was put there");
}

struct found {
    int mine, nobodys;
};

static bool find(void *data, int dir)
{
    struct found *found = data;
    struct stat status;

    if (fstat(dir, &status) == 0) {
        found->mine += status.st_uid == geteuid();
        found->nobodys += status.st_uid == NOBODY;
    }
    (void)close(dir);
    return true;
}

/* One that runs and one that comes later share a folder, and the last takes it away. */
START_TEST(names_that_others_took_in_tmp_are_passed_by)
{
    struct squatters s;
    struct found found = {0, 0};
    struct tlsyn_control *second = NULL;
    struct bed b;
    const struct tlsyn_control_about about = {
        .command = "second", .interface = "", .address = &b.address};
    struct stat first, other;

    squat(&s);
    bed_open(&b, 3);
    ck_assert_int_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
    ck_assert_int_eq(bed_control(&b), 0);
    ck_assert_int_eq(tlsyn_control_open(b.loop, b.stack, &about, &second), 0);
    ck_assert_int_eq(fstat(b.control->dir, &first), 0);
    ck_assert_int_eq(fstat(second->dir, &other), 0);
    ck_assert_uint_eq(first.st_ino, other.st_ino);
    ck_assert_uint_eq(first.st_mode & 0777u, 0700);
    tlsyn_control_dir_each(find, &found);
    ck_assert_int_ge(found.mine, 1);
    tlsyn_control_close(second);
    bed_close(&b);
    squat_no_more(&s);
}
END_TEST

/* Commands that run meanwhile share it, and the last of them takes it away if it is empty. */
static int occupied_folder(void)
{
    int dir = -1;

    for (int tries = 0; tries < 10; tries++) {
        dir = tlsyn_control_dir_temporary();
        ck_assert_int_ge(dir, 0);
        if (mkdirat(dir, "occupied", 0700) == 0)
            return dir;
        ck_assert_int_eq(errno, ENOENT);
        tlsyn_control_dir_leave(dir);
    }
    ck_abort_msg("the folder is taken away each time");
    return dir;
}

START_TEST(a_folder_goes_with_the_last_who_leaves)
{
    int dir = occupied_folder(), again;
    char link[32], path[PATH_MAX] = "";

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
    ck_assert_int_gt(readlink(link, path, sizeof(path) - 1), 0);
    again = tlsyn_control_dir_temporary();
    tlsyn_control_dir_leave(again);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(unlinkat(dir, "occupied", AT_REMOVEDIR), 0);
    tlsyn_control_dir_leave(dir);
    ck_assert(access(path, F_OK) < 0 || entries(path) > 0); /* of commands that run meanwhile */
}
END_TEST

/* Makes a folder of his own, and finds nobody else's. */
static void be_nobody(void)
{
    struct found found = {0, 0};
    int dir;

    (void)unsetenv("XDG_RUNTIME_DIR");
    if (setuid(NOBODY) < 0)
        _exit(77);
    dir = tlsyn_control_dir_temporary();
    tlsyn_control_dir_each(find, &found);
    _exit(dir < 0 || found.mine != 1);
}

START_TEST(root_finds_the_folders_of_others_and_they_not_his)
{
    struct found found = {0, 0};
    int mine, nobodys, status;
    pid_t child;

    if (geteuid() != 0) {
        printf("skipped: only root sees the folders of others\n");
        return;
    }
    mine = occupied_folder();
    child = fork();
    if (child == 0)
        be_nobody();
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == 77) {
        printf("skipped: a user namespace with root alone\n");
    } else {
        ck_assert_int_eq(status, 0);
        tlsyn_control_dir_each(find, &found);
        ck_assert_int_eq(found.nobodys, 1);
        ck_assert_int_ge(found.mine, 1);
        ck_assert_int_eq(seteuid(NOBODY), 0);
        nobodys = tlsyn_control_dir_temporary();
        ck_assert_int_eq(seteuid(0), 0);
        tlsyn_control_dir_leave(nobodys);
    }
    ck_assert_int_eq(unlinkat(mine, "occupied", AT_REMOVEDIR), 0);
    tlsyn_control_dir_leave(mine);
}
END_TEST

START_TEST(stacks_of_one_process_have_sockets_of_their_own)
{
    struct tlsyn_control *second = NULL;
    struct bed b;
    const struct tlsyn_control_about about = {
        .command = "second", .interface = "", .address = &b.address};

    bed_open(&b, 3);
    ck_assert_int_eq(bed_control(&b), 0);
    ck_assert_int_eq(tlsyn_control_open(b.loop, b.stack, &about, &second), 0);
    ck_assert_str_ne(b.control->name, second->name);
    tlsyn_control_close(second);
    bed_close(&b);
}
END_TEST

Suite *control_suite(void);

Suite *control_suite(void)
{
    Suite *suite = suite_create("control");
    TCase *tests = tcase_create("control"), *in_tmp = tcase_create("in /tmp");

    tcase_add_test(tests, who_asks_gets_the_whole_snapshot);
    tcase_add_test(tests, who_never_reads_is_pushed_out);
    tcase_add_test(in_tmp, root_finds_the_folders_of_others_and_they_not_his);
    tcase_add_test(tests, stacks_of_one_process_have_sockets_of_their_own);
    tcase_add_test(tests, who_leaves_early_does_no_harm);
    tcase_add_test(tests, a_folder_that_others_may_write_into_is_no_place);
    tcase_add_test(in_tmp, names_that_others_took_in_tmp_are_passed_by);
    tcase_add_test(in_tmp, a_folder_goes_with_the_last_who_leaves);
    tcase_add_checked_fixture(in_tmp, enter_own_tmp, leave_own_tmp);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, in_tmp);
    return suite;
}
