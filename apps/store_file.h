/*
 * store_file.h: what a TLS client keeps for its next visit (struct tlsyn_tls_store), in a file of
 * the user's cache: "sessions" or "chains".
 *
 * A line is
 *
 *     1 KEY UNTIL USE BYTES
 *
 * with the version of this form first; UNTIL in seconds since 1970; USE is "once" or "often"; the
 * bytes in hexadecimal. These are secrets: the file has mode 0600, in a folder that others cannot
 * write to (cache_file.h). A line that cannot be read is passed over, and leaves when the file is
 * next written; so does one whose time is over.
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <tlsyn/tls.h>

#include "cache_file.h"

#define STORE_FILE_LINES   500 /* the oldest leave */
#define STORE_FILE_PER_KEY 4   /* of one server's sessions, likewise */

struct store_file {
    struct tlsyn_tls_store base;
    struct cache *cache;
    const char *name;
    bool changed; /* something was kept since the start */
};

/** `cache` and `name` live as long. Nothing is found, and nothing kept, where the cache is not
 * there. */
void store_file_init(struct store_file *store, struct cache *cache, const char *name);

/** How many lines of the file are no use, or -errno. */
int store_file_damaged(const struct store_file *store);

#endif
