/*
 * fuzz_ss: the input is what a process answered `tlsyn ss`: another user's, where root asks.
 * Whatever it says, it is shown as so many lines of printable text.
 */
#include <stdio.h>
#include <string.h>

#include "ss_text.h"
#include "support/must.h"

static void check(const char *text, size_t size, int lines)
{
    for (size_t i = 0; i < size; i++) {
        must(text[i] == '\n' || text[i] == '\t' || (text[i] >= ' ' && text[i] <= '~'));
        lines -= text[i] == '\n';
    }
    must(lines == 0);
}

/* How many lines it takes. */
static int show(FILE *out, struct ss_tally *tally, const char *line)
{
    char name[8] = "";
    bool named = ss_member(line, "name", name, sizeof(name));

    must(strlen(name) < sizeof(name));
    ss_row(out, line, "tlsyn,pid=1", true);
    ss_details(out, line);
    ss_count(tally, line);
    ss_counter(out, line);
    (void)fflush(out);
    return named ? 3 : 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ss_tally tally = {.total = 0};
    char *shown = NULL, *rest = NULL;
    size_t length = 0, before = 0;
    char *text = malloc(size + 1);
    FILE *out = open_memstream(&shown, &length);
    unsigned int lines = 0;

    must(text && out);
    memcpy(text, data, size);
    text[size] = '\0';
    ss_tame(text, size);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        int n = show(out, &tally, line);

        check(shown + before, length - before, n);
        before = length;
        lines++;
    }
    must(tally.total + tally.udp == lines);
    must(tally.opening + tally.established + tally.closing + tally.time_wait == tally.total);
    ss_tally(out, &tally);
    (void)fclose(out);
    check(shown + before, length - before, 2);
    free(shown);
    free(text);
    return 0;
}
