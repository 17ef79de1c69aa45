/*
 * files.h: the files under one folder, from which no path leads out: openat2(2) with
 * RESOLVE_BENEATH, so that "..", absolute names and symbolic links stay inside whatever the names
 * say and whoever renames meanwhile.
 */
#ifndef FILES_H
#define FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct files {
    int root; /* descriptor of the folder */
};

/** 0 or -errno. */
int files_open_root(struct files *files, const char *path);
void files_close_root(struct files *files);

struct files_found {
    int fd;
    uint64_t size;
    time_t modified;
    char name[NAME_MAX + 1]; /* the last part, for its type */
};

/** Opens a regular file for reading. -ENOENT, -EISDIR a folder, -EACCES, -EXDEV it leads
 * outside, or other. */
int files_open(const struct files *files, const char *path, struct files_found *found);

/** A file that is being received; it appears under its name when it is whole. */
struct upload {
    int fd;     /* -1: none */
    int folder; /* descriptor of the folder it goes to */
    uint64_t size;
    char name[NAME_MAX + 1];
    char part[NAME_MAX + 1];
};

/** Begins one; `number` tells simultaneous ones apart. -ENOENT the folder isn't there,
 * -EISDIR, -EACCES ... */
int files_upload(const struct files *files, const char *path, uint64_t number,
                 struct upload *upload);

/** 0 or -errno (-ENOSPC ...). */
int upload_write(struct upload *upload, const void *bytes, size_t n);

/** Gives the file its name; *replaced says whether there was one. 0 or -errno. The upload is
 * over in any case. */
int upload_commit(struct upload *upload, bool *replaced);

/** Throws away what was received. Harmless on an upload that is over. */
void upload_abort(struct upload *upload);

/** Media type by the name's ending (RFC 9110 8.3). */
const char *files_type(const char *name);

#endif
