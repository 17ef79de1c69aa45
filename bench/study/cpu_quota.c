/*
 * study/cpu_quota.c: reads the quotas of a process's control groups.
 * Read first: cgroups(7), /proc/pid/cgroup; both hierarchies, version 1's and 2's, may be there.
 */
#include "study/cpu_quota.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "max 100000" or "-1": no quota. A root has no such file. */
static bool has_quota(const char *group, const char *file)
{
    char path[PATH_MAX + 32], text[32] = "";
    FILE *in = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", group, file);
    in = fopen(path, "re");
    if (!in)
        return false;
    bool told = fgets(text, sizeof(text), in) != NULL;
    (void)fclose(in);
    return !told || (strncmp(text, "max", 3) != 0 && strncmp(text, "-1", 2) != 0);
}

/* The quota of a group holds for all below it. */
static bool any_has_quota(const char *root, const char *group, const char *file)
{
    char path[PATH_MAX];
    size_t top = strlen(root);

    if (access(root, X_OK) < 0 ||
        snprintf(path, sizeof(path), "%s%s", root, group) >= (int)sizeof(path))
        return true;
    while (!has_quota(path, file)) {
        char *last = strrchr(path, '/');

        if (last < path + top)
            return false;
        *last = '\0';
    }
    return true;
}

static bool names_cpu(const char *controllers)
{
    size_t len;

    for (const char *at = controllers; *at; at += len + (at[len] == ',')) {
        len = strcspn(at, ",");
        if (len == 3 && strncmp(at, "cpu", 3) == 0)
            return true;
    }
    return false;
}

/* "4:cpu,cpuacct:/docker/ab12" or, of version 2, "0::/user.slice". */
static bool line_has_quota(char *line, const char *mount)
{
    char root[PATH_MAX];
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!group)
        return true;
    *controllers++ = *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (*controllers && !names_cpu(controllers))
        return false;
    (void)snprintf(root, sizeof(root), "%s/%s", mount, *controllers ? controllers : "unified");
    if (!*controllers && access(root, X_OK) < 0) /* version 2 alone */
        (void)snprintf(root, sizeof(root), "%s", mount);
    return any_has_quota(root, group, *controllers ? "cpu.cfs_quota_us" : "cpu.max");
}

bool cpu_quota(const char *membership, const char *mount)
{
    char *line = NULL;
    size_t size = 0;
    bool limited = false;
    FILE *in = fopen(membership, "re");

    if (!in)
        return true;
    while (!limited && getline(&line, &size, in) > 0)
        limited = line_has_quota(line, mount);
    free(line);
    (void)fclose(in);
    return limited;
}
