/* Text for HTML and SVG. */
#include "report/xml.h"

#include <stdbool.h>

#include "report/utf8.h"

static const char *entity(uint32_t code)
{
    switch (code) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void xml_text(FILE *out, const char *text, size_t n)
{
    const char *begin = text;
    char encoded[5];

    while ((size_t)(text - begin) < n) {
        uint32_t code = utf8_next(&text);
        bool control = (code < 0x20 && code != '\n' && code != '\t') || code == 0x7f;

        if (code == 0)
            return;
        utf8_encode(control ? UTF8_REPLACEMENT : code, encoded);
        (void)fputs(entity(code) ? entity(code) : encoded, out);
    }
}
