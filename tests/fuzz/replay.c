/* Runs a fuzzer's body without libFuzzer: on the files of its corpus, on every beginning of them,
 * and on copies with some octets overwritten, the same ones in each run. So each compiler and each
 * test run meets what the fuzzers know.
 *
 * replay FOLDER
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 1 << 16,
    BEGINNINGS = 512,        /* of a long file only so many of them, evenly spread */
    DAMAGED = REPLAY_DAMAGED /* damaged copies per file: fewer where each takes long */
};

/* Each input in a block of its own size, so that AddressSanitizer sees the first octet
 * read beyond it. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *input = malloc(size ? size : 1);

    if (!input)
        exit(EXIT_FAILURE);
    memcpy(input, bytes, size);
    LLVMFuzzerTestOneInput(input, size);
    free(input);
}

/* Marsaglia's xorshift: any sequence will do, as long as it is the same everywhere. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void run_damaged(const uint8_t *bytes, size_t size)
{
    static uint8_t copy[INPUT_MAX];
    uint32_t state = 2463534242;

    for (int i = 0; size > 0 && i < DAMAGED; i++) {
        memcpy(copy, bytes, size);
        for (uint32_t n = 1 + next(&state) % 4; n > 0; n--) {
            uint32_t place = next(&state) % (uint32_t)size;
            copy[place] =
                next(&state) % 4 ? (uint8_t)next(&state) : (uint8_t)(next(&state) % 2 ? 0xff : 0);
        }
        run(copy, size);
    }
}

/* 0, or a negative errno. */
static int run_file(const char *folder, const char *name)
{
    static uint8_t bytes[INPUT_MAX];
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);

    if (length < 0 || (size_t)length >= sizeof path)
        return -ENAMETOOLONG;
    FILE *file = fopen(path, "rb");
    if (!file)
        return -errno;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t part = 0; part < size; part += 1 + size / BEGINNINGS)
        run(bytes, part);
    run(bytes, size);
    run_damaged(bytes, size);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int files = 0;

    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER: a folder of inputs that exists\n", argv[0]);
        return EXIT_FAILURE;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        int error = run_file(argv[1], entry->d_name);
        if (error < 0) {
            fprintf(stderr, "%s/%s: %s\n", argv[1], entry->d_name, strerror(-error));
            return EXIT_FAILURE;
        }
        files++;
    }
    closedir(folder);
    printf("%d inputs, their beginnings, and %d damaged copies of each\n", files, DAMAGED);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
