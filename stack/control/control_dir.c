/*
 * control/control_dir.c: the folders of control sockets. Read first: user_namespaces(7), "Defining
 * user and group ID mappings".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tlsyn/control.h>

uint64_t tlsyn_control_dir_outer(const char *map, uint64_t uid)
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
    return tlsyn_control_dir_outer(map, geteuid());
}

/* The folder itself, open: this user's, and to nobody else what is forbidden. */
static int trusted(const char *path, uint64_t uid, mode_t forbidden)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR || errno == EACCES ? -EPERM : -errno;
    if (fstat(fd, &status) < 0 || status.st_uid != uid || (status.st_mode & forbidden)) {
        (void)close(fd);
        return -EPERM;
    }
    return fd;
}

int tlsyn_control_dir_name(int which, char path[PATH_MAX])
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
    parent = trusted(runtime, geteuid(), S_IWGRP | S_IWOTH);
    if (parent < 0)
        return -ENOENT;
    (void)close(parent);
    n = snprintf(path, PATH_MAX, "%s/tlsyn", runtime);
    return n < PATH_MAX ? 0 : -ENOENT;
}

int tlsyn_control_dir_open(int which, bool make)
{
    char path[PATH_MAX];
    int error = tlsyn_control_dir_name(which, path);

    if (error < 0)
        return error;
    if (make && mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
        return -errno;
    return trusted(path, geteuid(), S_IRWXG | S_IRWXO);
}

int tlsyn_control_dir_address(int dir, const char *name, struct sockaddr_un *address)
{
    int n = 0;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    n = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", dir, name);
    return n < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

/* The folders in `parent` whose names are a prefix, a user's number, and what follows it. */
static void visit(const char *parent, const char *prefix, const char *below,
                  void (*each)(void *data, int dir), void *data)
{
    DIR *entries = opendir(parent);
    size_t n = strlen(prefix);

    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char path[PATH_MAX], *end;
        uint64_t uid;
        int dir;

        if (strncmp(entry->d_name, prefix, n) != 0 || entry->d_name[n] < '0' ||
            entry->d_name[n] > '9')
            continue;
        uid = strtoull(entry->d_name + n, &end, 10);
        if (*end || uid == geteuid())
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s%s", parent, entry->d_name, below);
        dir = trusted(path, uid, S_IRWXG | S_IRWXO);
        if (dir >= 0)
            each(data, dir);
    }
    if (entries)
        (void)closedir(entries);
}

void tlsyn_control_dir_others(void (*each)(void *data, int dir), void *data)
{
    visit("/tmp", "tlsyn-", "", each, data);
    visit("/run/user", "", "/tlsyn", each, data);
}
