/*
 * fuzz_destinations: the input is a line of the file of destinations. What is parsed keeps its
 * bounds, and is printed as a line that means the same.
 */
#include <string.h>

#include "destinations.h"
#include "support/must.h"

#define NOW 1700000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tlsyn_destination known, back;
    char line[1024], text[DESTINATIONS_LINE], again[DESTINATIONS_LINE];

    if (size >= sizeof(line))
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    memset(&known, 0, sizeof(known));
    if (destinations_parse(line, NOW, &known) < 0)
        return 0;
    must(known.cookie_len <= TLSYN_COOKIE_MAX && known.failed_by < TLSYN_EMBEDDINGS);
    destinations_print(&known, NOW, text);
    memset(&back, 0, sizeof(back));
    must(destinations_parse(text, NOW, &back) == 0);
    destinations_print(&back, NOW, again);
    must(strcmp(text, again) == 0);
    return 0;
}
