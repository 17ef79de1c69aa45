/*
 * control_dir.c: the folders of control sockets. Read first: user_namespaces(7), "Defining user and
 * group ID mappings".
 */
#include "control_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t control_dir_outer(const char *map, uint64_t uid)
{
    uint64_t inside = 0, outside = 0, count = 0;

    for (const char *line = map; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &inside, &outside, &count) == 3 &&
            uid >= inside && uid - inside < count)
            return outside + (uid - inside);
    }
    return uid;
}

static uint64_t own_number(void)
{
    char map[1024];
    FILE *file = fopen("/proc/self/uid_map", "re");
    size_t n = 0;

    if (file) {
        n = fread(map, 1, sizeof(map) - 1, file);
        (void)fclose(file);
    }
    map[n] = '\0';
    return control_dir_outer(map, geteuid());
}

/* The folder itself, open: ours, and writable by nobody else. */
static int trusted(const char *path, mode_t forbidden)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR || errno == EACCES ? -EPERM : -errno;
    if (fstat(fd, &status) < 0 || status.st_uid != geteuid() || (status.st_mode & forbidden)) {
        (void)close(fd);
        return -EPERM;
    }
    return fd;
}

int control_dir_name(int which, char path[PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int parent = 0, n = 0;

    if (which == 1) {
        (void)snprintf(path, PATH_MAX, "/tmp/tlsyn-%" PRIu64, own_number());
        return 0;
    }
    /* Another user's (after sudo, say) is no place for what is ours. */
    if (!runtime || runtime[0] != '/')
        return -ENOENT;
    parent = trusted(runtime, S_IWGRP | S_IWOTH);
    if (parent < 0)
        return -ENOENT;
    (void)close(parent);
    n = snprintf(path, PATH_MAX, "%s/tlsyn", runtime);
    return n < PATH_MAX ? 0 : -ENOENT;
}

int control_dir_open(int which, bool make)
{
    char path[PATH_MAX];
    int error = control_dir_name(which, path);

    if (error < 0)
        return error;
    if (make && mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
        return -errno;
    return trusted(path, S_IRWXG | S_IRWXO);
}

int control_dir_address(int dir, const char *name, struct sockaddr_un *address)
{
    int n = 0;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    n = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", dir, name);
    return n < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}
