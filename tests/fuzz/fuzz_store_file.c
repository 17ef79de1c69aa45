/*
 * fuzz_store_file: the input is the file in which a TLS client keeps sessions. Whatever it holds,
 * what is found fits, what is dropped is not found again, and what is kept then is found; with that
 * the lines that were no use have left.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_file.h"
#include "support/must.h"

#define KEY    "localhost:443/any/5f0c1d2e3a4b5968"
#define NOW    1700000000
#define LATER  999999999999999999 /* the last second that a line has room for */
#define TICKET "a ticket"

struct bench {
    char folder[64];
    struct cache cache;
    struct store_file store;
};

static struct bench bench;

static void remove_folder(void)
{
    (void)unlinkat(bench.cache.folder, "sessions", 0);
    (void)unlinkat(bench.cache.folder, ".lock", 0);
    cache_close(&bench.cache);
    (void)rmdir(bench.folder);
}

static void make_folder(void)
{
    const struct cache_options options = {.folder = bench.folder};
    const char *parent = getenv("TMPDIR");

    (void)snprintf(bench.folder, sizeof(bench.folder), "%s/tlsyn-fuzz-XXXXXX",
                   parent ? parent : "/tmp");
    must(mkdtemp(bench.folder) != NULL);
    must(cache_open(&bench.cache, &options) == 0);
    store_file_init(&bench.store, &bench.cache, "sessions");
    must(atexit(remove_folder) == 0);
}

static void put_file(const uint8_t *data, size_t size)
{
    int fd = openat(bench.cache.folder, "sessions", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)close(fd);
}

static size_t find(uint8_t *bytes, size_t size)
{
    return bench.store.base.ops->find(&bench.store.base, KEY, NOW, bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tlsyn_tls_entry entry = {.until = LATER};
    struct tlsyn_tls_store *base = &bench.store.base;
    uint8_t first[600], then[600];
    size_t n, m;

    if (bench.folder[0] == '\0')
        make_folder();
    put_file(data, size);
    must(store_file_damaged(&bench.store) >= 0);
    n = find(first, sizeof(first));
    must(n <= sizeof(first));
    if (n > 0) {
        base->ops->drop(base, KEY, first, n);
        m = find(then, sizeof(then));
        must(m != n || memcmp(first, then, n) != 0);
    }
    base->ops->keep(base, KEY, TICKET, sizeof(TICKET), &entry);
    must(store_file_damaged(&bench.store) == 0);
    must(find(then, sizeof(then)) == sizeof(TICKET) && memcmp(then, TICKET, sizeof(TICKET)) == 0);
    return 0;
}
