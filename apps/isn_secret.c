/*
 * isn_secret.c: one secret for all runs of a boot.
 */
#include "isn_secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"

#define NAME     "isn"
#define VERSION  "1 "
#define BOOT_LEN 36 /* digits and hyphens of a UUID */

/* What the line of this boot begins with. */
static int read_head(char head[sizeof(VERSION) + BOOT_LEN + 1])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    char boot[BOOT_LEN + 1] = "";
    size_t n = file ? fread(boot, 1, BOOT_LEN, file) : 0;

    if (file)
        (void)fclose(file);
    if (n != BOOT_LEN)
        return -ENOENT;
    (void)sprintf(head, VERSION "%s ", boot);
    return 0;
}

static bool find(const struct cache_file *file, const char *head, uint8_t secret[TLSYN_ISN_SECRET])
{
    size_t n = strlen(head);

    for (size_t i = 0; i < file->count; i++) {
        const char *line = file->line[i];

        if (strncmp(line, head, n) == 0 && strlen(line + n) == (size_t)2 * TLSYN_ISN_SECRET &&
            hex_parse(line + n, (size_t)2 * TLSYN_ISN_SECRET, secret))
            return true;
    }
    return false;
}

/* One line, of this boot. */
static int replace(struct cache_file *file, const char *head,
                   const uint8_t secret[TLSYN_ISN_SECRET])
{
    char line[128];
    int error;

    (void)snprintf(line, sizeof(line), "%s", head);
    hex_print(secret, TLSYN_ISN_SECRET, line + strlen(head));
    cache_file_keep_newest(file, 0);
    error = cache_file_append(file, line);
    if (error == 0)
        return cache_file_commit(file);
    cache_file_end(file);
    return error;
}

static int make(struct cache *cache, const char *head, struct tlsyn_random *random,
                uint8_t secret[TLSYN_ISN_SECRET])
{
    struct cache_file file;
    int error = cache_edit(cache, NAME, &file);

    if (error < 0)
        return error;
    if (find(&file, head, secret)) { /* somebody made one meanwhile */
        cache_file_end(&file);
        return 0;
    }
    random->fill(random, secret, TLSYN_ISN_SECRET);
    return replace(&file, head, secret);
}

int isn_secret_recall(struct cache *cache, struct tlsyn_stack *stack)
{
    char head[sizeof(VERSION) + BOOT_LEN + 1];
    uint8_t secret[TLSYN_ISN_SECRET];
    struct cache_file file;
    bool found = false;
    int error = read_head(head);

    if (error == 0)
        error = cache_read(cache, NAME, &file);
    if (error == 0) {
        found = find(&file, head, secret);
        cache_file_end(&file);
    }
    if (error == 0 && !found)
        error = make(cache, head, tlsyn_stack_random(stack), secret);
    return error == 0 ? tlsyn_stack_isn_secret(stack, secret) : error;
}
