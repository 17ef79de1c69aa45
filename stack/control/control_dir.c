/*
 * control/control_dir.c: the folders of control sockets. Read first: mkdtemp(3), openat(2).
 *
 * Names in /tmp are anybody's to take, so the name of a folder there means nothing: it is ours if
 * its owner and mode say so, and what others have put there under such names is passed by. That
 * holds in a user namespace too, where a user has another number than outside of it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tlsyn/control.h>

#define TEMPORARY "/tmp"
#define PREFIX    "tlsyn-control-"

#define OTHERS ((uid_t)-1) /* whoever we are not */

static bool is_of(uid_t uid, uid_t owner)
{
    return uid == OTHERS ? owner != geteuid() : owner == uid;
}

/* The folder itself, open: this user's, and to nobody else what is forbidden. */
static int trusted(int parent, const char *name, uid_t uid, mode_t forbidden)
{
    struct stat status;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR || errno == EACCES ? -EPERM : -errno;
    if (fstat(fd, &status) < 0 || !is_of(uid, status.st_uid) || (status.st_mode & forbidden)) {
        (void)close(fd);
        return -EPERM;
    }
    return fd;
}

int tlsyn_control_dir_runtime(bool make, char path[PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int parent = 0, dir = 0;

    *path = '\0';
    /* Another user's (after sudo, say) is no place for what is ours. */
    if (!runtime || runtime[0] != '/' || snprintf(path, PATH_MAX, "%s/tlsyn", runtime) >= PATH_MAX)
        return -ENOENT;
    parent = trusted(AT_FDCWD, runtime, geteuid(), S_IWGRP | S_IWOTH);
    if (parent < 0)
        return -ENOENT;
    if (make && mkdirat(parent, "tlsyn", S_IRWXU) < 0 && errno != EEXIST)
        dir = -errno;
    if (dir == 0)
        dir = trusted(parent, "tlsyn", geteuid(), S_IRWXG | S_IRWXO);
    (void)close(parent);
    return dir;
}

int tlsyn_control_dir_address(int dir, const char *name, struct sockaddr_un *address)
{
    int n = 0;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    n = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", dir, name);
    return n < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

/* The folders PARENT/PREFIX...BELOW of a user that are his alone, until `each` wants no more. */
struct walk {
    const char *parent, *prefix, *below;
    uid_t uid; /* or OTHERS */
    bool (*each)(void *data, int dir);
    void *data;
};

static void walk(const struct walk *w)
{
    DIR *entries = opendir(w->parent);
    size_t n = strlen(w->prefix);
    bool more = entries != NULL;

    for (struct dirent *entry; more && (entry = readdir(entries));) {
        char name[2 * NAME_MAX];
        int dir;

        if (entry->d_name[0] == '.' || strncmp(entry->d_name, w->prefix, n) != 0)
            continue;
        (void)snprintf(name, sizeof(name), "%s%s", entry->d_name, w->below);
        dir = trusted(dirfd(entries), name, w->uid, S_IRWXG | S_IRWXO);
        more = dir < 0 || w->each(w->data, dir);
    }
    if (entries)
        (void)closedir(entries);
}

static bool keep_it(void *data, int dir)
{
    *(int *)data = dir;
    return false;
}

int tlsyn_control_dir_temporary(void)
{
    char path[] = TEMPORARY "/" PREFIX "XXXXXX";
    int dir = -1;

    walk(&(struct walk){TEMPORARY, PREFIX, "", geteuid(), keep_it, &dir});
    if (dir >= 0)
        return dir;
    return mkdtemp(path) ? trusted(AT_FDCWD, path, geteuid(), S_IRWXG | S_IRWXO) : -errno;
}

void tlsyn_control_dir_each(bool (*each)(void *data, int dir), void *data)
{
    walk(&(struct walk){TEMPORARY, PREFIX, "", geteuid(), each, data});
    if (geteuid() != 0)
        return;
    walk(&(struct walk){TEMPORARY, PREFIX, "", OTHERS, each, data});
    walk(&(struct walk){"/run/user", "", "/tlsyn", OTHERS, each, data});
}

void tlsyn_control_dir_leave(int dir)
{
    char link[32], path[PATH_MAX];
    ssize_t n = 0;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
    n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    if (strncmp(path, TEMPORARY "/" PREFIX, strlen(TEMPORARY "/" PREFIX)) == 0)
        (void)rmdir(path);
    (void)close(dir);
}
