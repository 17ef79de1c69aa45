/*
 * cache_file.c: files of lines that are replaced as a whole. Read first: rename(2), flock(2).
 *
 * Who edits holds a lock on a file of its own, for the one with the lines is replaced and its lock
 * would go with it. Readers take none: they see the old file or the new one.
 */
#include "cache_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

#define LOCK_FILE  ".lock"
#define LOCK_TRIES 100
#define LOCK_PAUSE 10000000 /* ns: a hundred of them are a second */
#define PART_MAX   64

void cache_options_init(struct cache_options *options, struct cli_option *table)
{
    const struct cli_option filled[CACHE_OPTIONS] = {
        {"cache", 0, &cli_folder, &options->folder,
         "remember servers from run to run in FOLDER (default: ~/.cache/tlsyn)", "TLSYN_CACHE"},
        {"no-cache", 0, NULL, &options->off, "remember nothing, and use nothing remembered", NULL},
    };

    *options = (struct cache_options){.folder = NULL};
    memcpy(table, filled, sizeof(filled));
}

/* --- the folder ------------------------------------------------------------------------------- */

static bool is_ours(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && status.st_uid == geteuid();
}

/* Behind sudo, HOME may be root's still, though we have become the caller (privilege.c). */
static const char *home(void)
{
    const char *named = getenv("HOME");

    if (named && named[0] == '/' && is_ours(named))
        return named;
    const struct passwd *user = getpwuid(geteuid());
    return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

static int fits(int n, size_t size)
{
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* XDG Base Directory Specification: a relative path there is to be ignored. */
static int find_folder(const struct cache_options *options, char path[CACHE_PATH_MAX])
{
    const char *base = getenv("XDG_CACHE_HOME");
    const char *parent = NULL;

    if (options->folder)
        return fits(snprintf(path, CACHE_PATH_MAX, "%s", options->folder), CACHE_PATH_MAX);
    if (base && base[0] == '/')
        return fits(snprintf(path, CACHE_PATH_MAX, "%s/tlsyn", base), CACHE_PATH_MAX);
    parent = home();
    return parent ? fits(snprintf(path, CACHE_PATH_MAX, "%s/.cache/tlsyn", parent), CACHE_PATH_MAX)
                  : -ENOENT;
}

/* Each folder on the way that is missing. */
static int make_folder(const char *path)
{
    char part[CACHE_PATH_MAX];

    for (size_t i = 1; path[i - 1]; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST && (errno != EROFS || access(part, F_OK) < 0))
            return -errno;
    }
    return 0;
}

/* Where others could write, what we read would be theirs. */
static int check_owner(int fd, struct stat *status)
{
    if (fstat(fd, status) < 0)
        return -errno;
    return status->st_uid == geteuid() && !(status->st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

int cache_open(struct cache *cache, const struct cache_options *options)
{
    struct stat status;
    int error = 0;

    *cache = (struct cache){.folder = -1};
    if (options->off)
        return 0;
    error = find_folder(options, cache->path);
    if (error == 0)
        error = make_folder(cache->path);
    if (error < 0)
        return error;
    cache->folder = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cache->folder < 0)
        return -errno;
    error = check_owner(cache->folder, &status);
    if (error < 0)
        cache_close(cache);
    return error;
}

void cache_close(struct cache *cache)
{
    if (cache->folder >= 0)
        (void)close(cache->folder);
    cache->folder = -1;
}

/* --- lines ------------------------------------------------------------------------------------ */

static int append(struct cache_file *file, const char *line, size_t length)
{
    if (file->count == file->room) {
        size_t room = file->room ? 2 * file->room : 64;
        char **grown = realloc(file->line, room * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        file->line = grown;
        file->room = room;
    }
    char *copy = strndup(line, length);
    if (!copy)
        return -ENOMEM;
    file->line[file->count++] = copy;
    return 0;
}

int cache_file_append(struct cache_file *file, const char *line)
{
    size_t length = strlen(line);

    if (length > CACHE_LINE_MAX)
        return -EMSGSIZE;
    return strchr(line, '\n') || length == 0 ? -EINVAL : append(file, line, length);
}

void cache_file_drop(struct cache_file *file, size_t i)
{
    free(file->line[i]);
    file->count--;
    memmove(file->line + i, file->line + i + 1, (file->count - i) * sizeof(*file->line));
}

void cache_file_keep_newest(struct cache_file *file, size_t max)
{
    size_t leaving = file->count > max ? file->count - max : 0;

    for (size_t i = 0; i < leaving; i++)
        free(file->line[i]);
    file->count -= leaving;
    if (leaving)
        memmove(file->line, file->line + leaving, file->count * sizeof(*file->line));
}

/* --- reading ---------------------------------------------------------------------------------- */

static int split(struct cache_file *file, const char *text, size_t size)
{
    int error = 0;

    for (size_t at = 0; at < size && error == 0;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;

        if (!end || length > CACHE_LINE_MAX || memchr(text + at, '\0', length))
            file->broken++;
        else if (length > 0)
            error = append(file, text + at, length);
        at += length + 1;
    }
    return error;
}

static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, text + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int read_lines(struct cache_file *file, int fd)
{
    struct stat status;
    int wrong = check_owner(fd, &status);

    if (wrong < 0)
        return wrong;
    if (!S_ISREG(status.st_mode))
        return -EPERM;
    if (status.st_size > (off_t)CACHE_FILE_MAX) {
        file->broken++;
        return 0;
    }
    char *text = calloc(1, (size_t)status.st_size + 1);
    ssize_t size = text ? read_all(fd, text, (size_t)status.st_size) : -ENOMEM;
    int error = size < 0 ? (int)size : split(file, text, (size_t)size);
    free(text);
    return error;
}

static int load(struct cache_file *file)
{
    int fd = openat(file->cache->folder, file->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    error = read_lines(file, fd);
    (void)close(fd);
    if (error < 0)
        cache_file_keep_newest(file, 0);
    return error;
}

int cache_read(struct cache *cache, const char *name, struct cache_file *file)
{
    *file = (struct cache_file){.cache = cache, .name = name, .lock = -1};
    return cache->folder < 0 ? 0 : load(file);
}

/* --- editing ---------------------------------------------------------------------------------- */

static int take_lock(const struct cache *cache)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE};
    int fd = openat(cache->folder, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error = fd < 0 ? -errno : -EAGAIN;

    for (int i = 0; fd >= 0 && error == -EAGAIN && i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        error = errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
        (void)nanosleep(&pause, NULL);
    }
    if (fd >= 0)
        (void)close(fd);
    return error;
}

int cache_edit(struct cache *cache, const char *name, struct cache_file *file)
{
    int error = 0;

    *file = (struct cache_file){.cache = cache, .name = name, .lock = -1};
    if (cache->folder < 0)
        return -ENOTSUP;
    file->lock = take_lock(cache);
    error = file->lock < 0 ? file->lock : load(file);
    if (error < 0)
        cache_file_end(file);
    return error;
}

/* Nothing is forced to the disk: after a power cut the cache may be an older one, or damaged, and
 * either is only a cache less. */
static int write_lines(const struct cache_file *file, int fd)
{
    FILE *out = fdopen(fd, "w");
    bool lost = false;

    if (!out) {
        (void)close(fd);
        return -ENOMEM;
    }
    errno = 0;
    for (size_t i = 0; i < file->count && !lost; i++)
        lost = fputs(file->line[i], out) < 0 || putc('\n', out) < 0;
    lost = fflush(out) != 0 || lost;
    int error = lost ? -(errno ? errno : EIO) : 0;
    if (fclose(out) != 0 && !lost)
        error = -(errno ? errno : EIO);
    return error;
}

/* Who holds the lock writes alone: a part that lies there is of somebody who was killed. */
static int replace(const struct cache_file *file)
{
    int folder = file->cache->folder;
    char part[PART_MAX];
    int error = fits(snprintf(part, sizeof(part), ".%s.part", file->name), sizeof(part));

    if (error < 0)
        return error;
    (void)unlinkat(folder, part, 0);
    int fd = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    error = write_lines(file, fd);
    if (error == 0 && renameat(folder, part, folder, file->name) < 0)
        error = -errno;
    if (error < 0)
        (void)unlinkat(folder, part, 0);
    return error;
}

int cache_file_commit(struct cache_file *file)
{
    int error = replace(file);

    cache_file_end(file);
    return error;
}

void cache_file_end(struct cache_file *file)
{
    cache_file_keep_newest(file, 0);
    free(file->line);
    file->line = NULL;
    file->room = 0;
    if (file->lock >= 0)
        (void)close(file->lock); /* and with it the lock */
    file->lock = -1;
}

/* --- complaints ------------------------------------------------------------------------------- */

void cache_complain(struct cache *cache, const char *what, int error)
{
    if (error == 0 || error == -ENOTSUP || cache->complained)
        return;
    cache->complained = true;
    if (error == -ENOENT)
        say("there is no home to remember %s in (--cache FOLDER, --no-cache)", what);
    else if (error == -EPERM)
        say("%s, or a file in it, isn't yours alone: %s won't be looked for or kept there "
            "(--cache FOLDER)",
            cache->path, what);
    else
        say("%s can't be remembered in %s: %s", what, cache->path, strerror(-error));
}
