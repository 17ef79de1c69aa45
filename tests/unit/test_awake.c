/* study/awake: idle processors do not sleep while latency is measured, and study/cpu_quota. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "study/awake.h"
#include "study/cpu_quota.h"

Suite *awake_suite(void);

/* 0: there are no threads, for there is a quota. */
static pid_t begin(void)
{
    pid_t child = awake_begin();

    ck_assert_int_eq(child == 0, cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
    return child;
}

/* How many of its threads any other task displaces. */
static int idle_threads(pid_t child)
{
    char path[64];
    DIR *tasks = NULL;
    int n = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)child);
    tasks = opendir(path);
    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *task = readdir(tasks); task; task = readdir(tasks)) {
        int thread = atoi(task->d_name);

        n += thread > 0 && thread != child && sched_getscheduler(thread) == SCHED_IDLE;
    }
    ck_assert_int_eq(closedir(tasks), 0);
    return n;
}

static void wait_for_threads(pid_t child)
{
    cpu_set_t mine;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
    while (idle_threads(child) < CPU_COUNT(&mine))
        (void)sched_yield();
    ck_assert_int_eq(idle_threads(child), CPU_COUNT(&mine));
}

START_TEST(each_processor_has_something_to_do_that_any_task_displaces)
{
    pid_t child = begin();

    if (child == 0)
        return;
    wait_for_threads(child);
    ck_assert(awake_end(child));
    ck_assert(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
}
END_TEST

START_TEST(threads_that_did_not_last_are_not_claimed)
{
    pid_t child = begin();

    if (child > 0) {
        wait_for_threads(child);
        ck_assert_int_eq(kill(child, SIGTERM), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    }
    ck_assert(!awake_end(child));
}
END_TEST

/* Whoever runs this inherits what a process leaves that is killed. */
START_TEST(threads_end_with_who_wanted_them)
{
    int told[2], status;
    pid_t child = 0;

    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
    pid_t study = fork();
    if (study == 0) {
        child = begin();
        _exit(write(told[1], &child, sizeof(child)) != (ssize_t)sizeof(child));
    }
    ck_assert_int_eq(read(told[0], &child, sizeof(child)), sizeof(child));
    ck_assert_int_eq(waitpid(study, &status, 0), study);
    ck_assert_int_eq(status, 0);
    if (child > 0) {
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status));
    }
}
END_TEST

static char folder[] = "/tmp/tlsyn-quota-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *out = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (!text) {
        ck_assert_int_eq(mkdir(path, 0700), 0);
        return;
    }
    out = fopen(path, "we");
    ck_assert_ptr_nonnull(out);
    ck_assert_int_ge(fputs(text, out), 0);
    ck_assert_int_eq(fclose(out), 0);
}

/* What `text` says of the groups that a process is in. */
static bool quota_of(const char *text)
{
    char path[128];

    put("membership", text);
    (void)snprintf(path, sizeof(path), "%s/membership", folder);
    return cpu_quota(path, folder);
}

START_TEST(a_quota_of_any_group_above_counts)
{
    char remove[64];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    put("user.slice", NULL);
    put("user.slice/one", NULL);
    put("user.slice/one/cpu.max", "max 100000\n");
    put("box", NULL);
    put("box/inner", NULL);
    put("box/cpu.max", "200000 100000\n");
    put("box/inner/cpu.max", "max 100000\n");
    ck_assert(!quota_of("0::/\n"));
    ck_assert(!quota_of("0::/user.slice/one\n"));
    ck_assert(quota_of("0::/box\n"));
    ck_assert(quota_of("0::/box/inner\n"));
    put("cpu.max", "50000 100000\n"); /* a container sees its own group as the root */
    ck_assert(quota_of("0::/\n"));

    put("unified", NULL); /* both versions side by side */
    put("cpu,cpuacct", NULL);
    put("cpu,cpuacct/free", NULL);
    put("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    put("cpu,cpuacct/free/cpu.cfs_quota_us", "-1\n");
    put("cpu,cpuacct/box", NULL);
    put("cpu,cpuacct/box/cpu.cfs_quota_us", "40000\n");
    ck_assert(!quota_of("5:cpuset:/box\n4:cpu,cpuacct:/free\n0::/\n"));
    ck_assert(quota_of("5:cpuset:/\n4:cpu,cpuacct:/box\n0::/\n"));
    ck_assert(quota_of("4:cpu:/\n0::/\n")); /* that hierarchy is not to be seen: who knows? */
    ck_assert(quota_of("what is this?\n"));
    ck_assert(cpu_quota("/nonexistent/cgroup", folder));
    (void)snprintf(remove, sizeof(remove), "rm -r %s", folder);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

Suite *awake_suite(void)
{
    Suite *suite = suite_create("awake");
    TCase *tc = tcase_create("awake");

    tcase_add_test(tc, each_processor_has_something_to_do_that_any_task_displaces);
    tcase_add_test(tc, threads_that_did_not_last_are_not_claimed);
    tcase_add_test(tc, threads_end_with_who_wanted_them);
    tcase_add_test(tc, a_quota_of_any_group_above_counts);
    suite_add_tcase(suite, tc);
    return suite;
}
