/*
 * lab/netns.c: namespaces.
 * Read first: clone(2), setns(2), user_namespaces(7) on uid_map and setgroups,
 * pid_namespaces(7) on init.
 */
#include "lab/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's fork() can't make namespaces. Without a stack and without CLONE_VM, clone(2) is
 * fork(2). */
static pid_t clone_into(unsigned long namespaces, int *pidfd)
{
    long pid = syscall(SYS_clone, namespaces | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, 0UL);

    return pid < 0 ? (pid_t)-errno : (pid_t)pid;
}

pid_t netns_fork(int *pidfd, struct netns_owner *owner)
{
    unsigned long namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET;

    *owner = (struct netns_owner){.uid = geteuid(), .gid = getegid()};
    pid_t pid = clone_into(namespaces, pidfd);
    if (pid != -EPERM)
        return pid;
    owner->user_namespace = true;
    return clone_into(namespaces | CLONE_NEWUSER, pidfd);
}

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int status = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        status = -errno;
    close(fd);
    return status;
}

/* One user and one group may be mapped without any right: one's own (user_namespaces(7)). */
static int become_root(const struct netns_owner *owner)
{
    char map[64];

    snprintf(map, sizeof(map), "0 %u 1\n", owner->uid);
    int status = write_text("/proc/self/uid_map", map);
    if (status == 0)
        status = write_text("/proc/self/setgroups", "deny");
    if (status < 0)
        return status;
    snprintf(map, sizeof(map), "0 %u 1\n", owner->gid);
    return write_text("/proc/self/gid_map", map);
}

int netns_settle(const struct netns_owner *owner)
{
    /* A binary with file capabilities starts non-dumpable: its /proc/self belongs to somebody else
     * then, and its namespaces can't be joined. Whoever wants to look into this process still needs
     * the same capabilities. */
    if (prctl(PR_SET_DUMPABLE, 1) < 0)
        return -errno;
    int status = owner->user_namespace ? become_root(owner) : 0;
    if (status < 0)
        return status;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    /* In some containers parts of /proc are covered, and a new one is refused. The old one serves:
     * it shows the processes of outside as well, that is all. */
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 &&
        errno != EPERM && errno != EACCES)
        return -errno;
    return 0;
}

int netns_current(void)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int netns_new(void)
{
    return unshare(CLONE_NEWNET) < 0 ? -errno : netns_current();
}

int netns_enter(int fd)
{
    return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

int netns_join(int pidfd, const struct netns_owner *owner, int net)
{
    char here[PATH_MAX];
    bool known = getcwd(here, sizeof(here)) != NULL;
    int namespaces = CLONE_NEWPID | CLONE_NEWNS | (owner->user_namespace ? CLONE_NEWUSER : 0);

    if (setns(pidfd, namespaces) < 0 || setns(net, CLONE_NEWNET) < 0)
        return -errno;
    /* Entering a mount namespace moves to its root. */
    if (known && chdir(here) < 0)
        return errno == EACCES || errno == ENOENT ? 0 : -errno;
    return 0;
}

/* The value of a setting that is a number; -1 when the kernel doesn't have it. */
static long read_setting(const char *path)
{
    char text[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

void netns_explain(int error, char *text, size_t size)
{
    static const struct {
        const char *path;
        long forbids;
        const char *setting, *allows;
    } reasons[] = {
        {"/proc/sys/user/max_user_namespaces", 0, "user.max_user_namespaces", "10000"},
        {"/proc/sys/user/max_net_namespaces", 0, "user.max_net_namespaces", "10000"},
        {"/proc/sys/kernel/unprivileged_userns_clone", 0, "kernel.unprivileged_userns_clone", "1"},
        {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
         "kernel.apparmor_restrict_unprivileged_userns", "0"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (read_setting(reasons[i].path) != reasons[i].forbids)
            continue;
        snprintf(
            text, size,
            "this system forbids ordinary users to make namespaces (%s = %ld); run the command "
            "with sudo, or type: sudo sysctl -w %s=%s",
            reasons[i].setting, reasons[i].forbids, reasons[i].setting, reasons[i].allows);
        return;
    }
    snprintf(text, size,
             "this system refuses to make namespaces (%s), as containers and chroots do; run the "
             "command with sudo, outside of the container, or give the binary the right: sudo "
             "setcap cap_sys_admin,cap_sys_chroot,cap_net_admin,cap_net_raw+ep BINARY",
             strerror(-error));
}
