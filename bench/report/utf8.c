/* A strict UTF-8 decoder that replaces what is invalid. Read first: RFC 3629 3, 4. */
#include "report/utf8.h"

#include <stdbool.h>

/* How many continuation bytes a first byte announces, and the least code point they may encode: a
 * smaller one would be an overlong form. */
static int announced(unsigned char first, uint32_t *code, uint32_t *least)
{
    if (first >= 0xc2 && first <= 0xdf) {
        *code = first & 0x1f;
        *least = 0x80;
        return 1;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *code = first & 0x0f;
        *least = 0x800;
        return 2;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *code = first & 0x07;
        *least = 0x10000;
        return 3;
    }
    return -1;
}

uint32_t utf8_next(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t code = p[0];
    uint32_t least = 0;

    if (p[0] == 0) {
        return 0;
    }
    (*text)++;
    if (p[0] < 0x80) {
        return code;
    }
    int more = announced(p[0], &code, &least);
    /* The terminating zero is no continuation byte, so this never reads past it. */
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return UTF8_REPLACEMENT;
        }
        code = (code << 6) | (p[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (more < 0 || code < least || code > 0x10ffff || surrogate) {
        return UTF8_REPLACEMENT;
    }
    *text += more;
    return code;
}

size_t utf8_encode(uint32_t code, char out[5])
{
    static const unsigned char lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1;) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(lead[n] | code);
    out[n] = '\0';
    return n;
}

size_t utf8_columns(const char *text)
{
    size_t columns = 0;

    for (uint32_t code = utf8_next(&text); code != 0; code = utf8_next(&text)) {
        bool combining = code >= 0x300 && code <= 0x36f;
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        columns += !combining && !control;
    }
    return columns;
}
