/*
 * files.c: the files under one folder, from which no path leads out.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_beneath(int root, const char *path, int flags)
{
    const struct open_how how = {
        .flags = (uint64_t)(unsigned int)flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

    return fd < 0 ? -errno : (int)fd;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int files_open_root(struct files *files, const char *path)
{
    files->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return files->root < 0 ? -errno : 0;
}

void files_close_root(struct files *files)
{
    if (files->root >= 0)
        (void)close(files->root);
    files->root = -1;
}

int files_open(const struct files *files, const char *path, struct files_found *found)
{
    /* O_NONBLOCK: a pipe without a writer must not hold us up. */
    int fd = open_beneath(files->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    int error = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, &status) < 0)
        error = -errno;
    else if (S_ISDIR(status.st_mode))
        error = -EISDIR;
    else if (!S_ISREG(status.st_mode))
        error = -EACCES;
    if (error < 0) {
        (void)close(fd);
        return error;
    }
    found->fd = fd;
    found->size = (uint64_t)status.st_size;
    found->modified = status.st_mtime;
    (void)snprintf(found->name, sizeof(found->name), "%s", last_part(path));
    return 0;
}

/* --- receiving -------------------------------------------------------------------------------- */

/* The folder that a path's last part is in. */
static int open_folder(int root, const char *path)
{
    char folder[PATH_MAX];
    size_t n = (size_t)(last_part(path) - path);

    if (n >= sizeof(folder))
        return -ENAMETOOLONG;
    memcpy(folder, path, n);
    folder[n] = '\0';
    return open_beneath(root, n ? folder : ".", O_PATH | O_DIRECTORY);
}

int files_upload(const struct files *files, const char *path, uint64_t number,
                 struct upload *upload)
{
    const char *name = last_part(path);
    struct stat status;
    int n = 0;

    *upload = (struct upload){.fd = -1, .folder = -1};
    if (strcmp(name, ".") == 0 || name[0] == '\0')
        return -EISDIR;
    n = snprintf(upload->part, sizeof(upload->part), ".%s.%llu.part", name,
                 (unsigned long long)number);
    if (n < 0 || (size_t)n >= sizeof(upload->part))
        return -ENAMETOOLONG;
    (void)snprintf(upload->name, sizeof(upload->name), "%s", name);
    upload->folder = open_folder(files->root, path);
    if (upload->folder < 0)
        return upload->folder;
    if (fstatat(upload->folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISREG(status.st_mode))
        n = S_ISDIR(status.st_mode) ? -EISDIR : -EACCES;
    else
        upload->fd = openat(upload->folder, upload->part,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (upload->fd >= 0)
        return 0;
    n = n < 0 ? n : -errno;
    (void)close(upload->folder);
    upload->folder = -1;
    return n;
}

int upload_write(struct upload *upload, const void *bytes, size_t n)
{
    const char *from = bytes;

    while (n > 0) {
        ssize_t written = write(upload->fd, from, n);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        from += written;
        n -= (size_t)written;
        upload->size += (uint64_t)written;
    }
    return 0;
}

static void finish(struct upload *upload)
{
    if (upload->fd >= 0)
        (void)close(upload->fd);
    if (upload->folder >= 0)
        (void)close(upload->folder);
    upload->fd = -1;
    upload->folder = -1;
}

int upload_commit(struct upload *upload, bool *replaced)
{
    int error = 0;

    *replaced = faccessat(upload->folder, upload->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (close(upload->fd) < 0) /* the last place where a full disk may show */
        error = -errno;
    upload->fd = -1;
    if (error == 0 && renameat(upload->folder, upload->part, upload->folder, upload->name) < 0)
        error = -errno;
    if (error < 0)
        (void)unlinkat(upload->folder, upload->part, 0);
    finish(upload);
    return error;
}

void upload_abort(struct upload *upload)
{
    if (upload->folder < 0)
        return;
    (void)unlinkat(upload->folder, upload->part, 0);
    finish(upload);
}

/* --- types ------------------------------------------------------------------------------------ */

const char *files_type(const char *name)
{
    static const char *const types[][2] = {
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/markdown; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"csv", "text/csv; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"xml", "application/xml"},
        {"pdf", "application/pdf"},
        {"wasm", "application/wasm"},
        {"zip", "application/zip"},
        {"gz", "application/gzip"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"webp", "image/webp"},
        {"avif", "image/avif"},
        {"svg", "image/svg+xml"},
        {"ico", "image/vnd.microsoft.icon"},
        {"woff", "font/woff"},
        {"woff2", "font/woff2"},
        {"mp3", "audio/mpeg"},
        {"ogg", "audio/ogg"},
        {"mp4", "video/mp4"},
        {"webm", "video/webm"},
    };
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    }
    return "application/octet-stream";
}
