/* Fuzzes the reader of captures and the drawing of ladders: the input is a capture file. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/ladder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ladder ladder;
    char error[LADDER_ERROR_MAX];
    char *text = NULL;
    char *svg = NULL;
    size_t length = 0;

    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    FILE *capture = fmemopen(copy, size, "rb");
    if (capture != NULL && ladder_read_stream(&ladder, capture, NULL, 64, error) == 0) {
        FILE *out = open_memstream(&text, &length);
        if (out != NULL) {
            ladder_text(out, &ladder, &(struct ladder_style){.width = 80, .colour = true});
            fclose(out);
        }
        if (ladder_svg(&ladder, &svg) == 0)
            free(svg);
        free(text);
        ladder_free(&ladder);
    }
    free(copy);
    return 0;
}
