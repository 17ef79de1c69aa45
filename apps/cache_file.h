/*
 * cache_file.h: what a command remembers from run to run: files of text lines in the user's cache
 * folder, the oldest line first.
 *
 *     struct cache cache; struct cache_file file;
 *     if (cache_open(&cache, &options) == 0) ...          -- else there is none: nothing is found
 *     cache_read(&cache, "sessions", &file); ... file.line[i] ...; cache_file_end(&file);
 *
 *     if (cache_edit(&cache, "sessions", &file) == 0) {   -- nobody else edits until it is over
 *         cache_file_drop(&file, i); cache_file_append(&file, line);
 *         cache_file_keep_newest(&file, SESSIONS_MAX);
 *         error = cache_file_commit(&file);               -- replaced as a whole, or not at all
 *     }
 *
 * The folder is made with mode 0700, and must be the user's own; a file has mode 0600. None of it
 * is needed: where there is no home, a full disk or somebody else's folder, a command says so once
 * (cache_complain()) and goes on. What a line means, and whether it is damaged, is for its owner to
 * say; a line that is cut off, too long or holds a NUL is not handed out, and leaves at the next
 * commit.
 */
#ifndef CACHE_FILE_H
#define CACHE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"

#define CACHE_FILE_MAX (4u << 20)  /* octets of a file; a larger one counts as empty */
#define CACHE_LINE_MAX (64u << 10) /* octets of a line */
#define CACHE_PATH_MAX 1024

struct cache_options {
    const char *folder; /* NULL: the user's, ${XDG_CACHE_HOME:-~/.cache}/tlsyn */
    bool off;
};

#define CACHE_OPTIONS 2

/** Sets the defaults and fills CACHE_OPTIONS places of a table. */
void cache_options_init(struct cache_options *options, struct cli_option *table);

struct cache {
    int folder; /* descriptor; -1: there is no cache */
    char path[CACHE_PATH_MAX];
    bool complained;
};

/** Finds the folder, or makes it. 0; or -errno, and then the cache is an empty one that takes
 * nothing: -ENOENT no home, -EPERM the folder is somebody else's or open to others for writing, or
 * why it can't be made. Off counts as success. */
int cache_open(struct cache *cache, const struct cache_options *options);
void cache_close(struct cache *cache);

struct cache_file {
    struct cache *cache;
    const char *name;
    int lock;      /* descriptor; -1: only read */
    size_t count;  /* of lines */
    size_t room;   /* places in `line` */
    size_t broken; /* lines that were not handed out */
    char **line;   /* without their ends; the first is the oldest */
};

/** Reads a file whole; one that isn't there is empty. 0 or -errno (-EPERM: as of the folder), and
 * then there are no lines. Over by cache_file_end(). `name` must live as long. */
int cache_read(struct cache *cache, const char *name, struct cache_file *file);

/** The same, and nobody else edits any file of the folder until commit or end; who waits for a
 * second gets -EAGAIN. -EROFS and such: it couldn't be kept anyway. -ENOTSUP: there is no cache. */
int cache_edit(struct cache *cache, const char *name, struct cache_file *file);

/** The line leaves; those behind it move up. */
void cache_file_drop(struct cache_file *file, size_t i);

/** A copy of `line` becomes the newest. -ENOMEM, -EMSGSIZE, -EINVAL (it has an end inside). */
int cache_file_append(struct cache_file *file, const char *line);

/** The oldest leave. */
void cache_file_keep_newest(struct cache_file *file, size_t max);

/** Puts the lines in the place of the file, in one step, and ends the edit. 0, or -errno
 * (-ENOSPC...), and the file is what it was. */
int cache_file_commit(struct cache_file *file);

/** Frees the lines, and gives up an edit. Harmless after commit. */
void cache_file_end(struct cache_file *file);

/** Says, once in a command's life, that `what` can't be kept or read. -ENOTSUP and 0 are nothing to
 * complain of. */
void cache_complain(struct cache *cache, const char *what, int error);

#endif
