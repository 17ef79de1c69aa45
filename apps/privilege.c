/*
 * privilege.c: gives up every right once what needed one is open. Read first: capabilities(7),
 * user_namespaces(7).
 *
 * A raw socket needs CAP_NET_RAW when it is opened, never again. It comes from one of three places:
 * the binary has it (setcap), the user is root (sudo), or the user is root of a user namespace (the
 * laboratory). In each the order is the same: bounding set while we may, then the user and groups,
 * then all capability sets, then no_new_privs; and a check that it took, because a process that
 * wrongly believes to be harmless is worse than one that stops.
 */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli.h"
#include "say.h"

/* True if user 0 here is user 0 of the machine: in a user namespace of our own the numbers that
 * sudo left behind name nobody, and root has no rights outside of it. */
static bool is_first_user_namespace(void)
{
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned long inside = 1;
    unsigned long outside = 1;
    unsigned long count = 0;
    int n = 0;

    if (!map)
        return true;
    n = fscanf(map, "%lu %lu %lu", &inside, &outside, &count);
    (void)fclose(map);
    return n == 3 && inside == 0 && outside == 0 && count == UINT32_MAX;
}

static bool number_of(const char *variable, unsigned int *number)
{
    const char *text = getenv(variable);
    char *end = NULL;
    unsigned long value = 0;

    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || value >= UINT_MAX)
        return false;
    *number = (unsigned int)value;
    return true;
}

/* The user behind sudo. Root that came without sudo stays root by name, without a capability. */
static int become_caller(void)
{
    uid_t uid = 0;
    gid_t gid = 0;
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;

    if (geteuid() != 0 || !is_first_user_namespace())
        return 0;
    if (!number_of("SUDO_UID", &uid) || !number_of("SUDO_GID", &gid) || uid == 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    if (getresuid(&real, &effective, &saved) < 0)
        return -errno;
    return real == uid && effective == uid && saved == uid ? 0 : -EPERM;
}

static bool may_shrink_bounding_set(void)
{
    cap_t now = cap_get_proc();
    cap_flag_value_t value = CAP_CLEAR;

    if (now) {
        (void)cap_get_flag(now, CAP_SETPCAP, CAP_EFFECTIVE, &value);
        (void)cap_free(now);
    }
    return value == CAP_SET;
}

static int shrink_bounding_set(void)
{
    if (!may_shrink_bounding_set())
        return 0;
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++) {
        if (cap_drop_bound(cap) < 0)
            return -errno;
    }
    return 0;
}

static int empty_capabilities(void)
{
    cap_t none = cap_init();
    cap_t now = NULL;
    int error = 0;

    if (!none)
        return -ENOMEM;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || cap_set_proc(none) < 0) {
        error = -errno;
    } else {
        now = cap_get_proc();
        if (!now || cap_compare(now, none) != 0)
            error = -EPERM;
    }
    (void)cap_free(none);
    if (now)
        (void)cap_free(now);
    return error;
}

static int drop_all(void)
{
    int error = shrink_bounding_set();

    if (error == 0)
        error = become_caller();
    if (error == 0)
        error = empty_capabilities();
    if (error == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        error = -errno;
    return error;
}

int privilege_drop(void)
{
    int error = drop_all();

    if (error == 0)
        return CLI_OK;
    say("rights could not be given up (%s), so nothing was started", strerror(-error));
    return CLI_PERMISSION;
}

/* What setcap(8) is to be told of. */
static const char *own_path(char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

    path[length < 0 ? 0 : length] = '\0';
    return length < 0 ? "/path/to/tlsyn" : path;
}

void privilege_explain(void)
{
    char path[PATH_MAX];

    say("this user may not open a raw socket; allow it once with \"sudo setcap cap_net_raw+ep "
        "%s\", or run it with sudo "
        "(its rights are given up at once), or inside a network of its own: tlsyn lab -- tlsyn ...",
        own_path(path));
}

void privilege_explain_port(unsigned int port)
{
    char path[PATH_MAX];

    say("this user may not have port %u of this machine; choose one from 1024 on with --port, or "
        "allow it with \"sudo setcap cap_net_raw,cap_net_bind_service+ep %s\", or run it with "
        "sudo (its rights are given up at once)",
        port, own_path(path));
}
