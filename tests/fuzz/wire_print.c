/*
 * fuzz_wire, print: the input is an Ethernet frame. Whatever it holds becomes one line of printable
 * text.
 */
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "support/print.h"

void fuzz_print(const uint8_t *data, size_t size)
{
    char line[PRINT_LINE_MAX], short_line[PRINT_LINE_MAX];
    int len = print_frame(data, size, line, sizeof(line));

    must(len > 0 && strlen(line) == (size_t)len);
    for (int i = 0; i < len; i++)
        must(line[i] >= ' ' && line[i] <= '~');
    must(print_frame(data, size, short_line, (size_t)len) < 0);
    must(strncmp(line, short_line, (size_t)len - 1) == 0);
}
