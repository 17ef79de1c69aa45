/*
 * hex.c: octets as text.
 */
#include "hex.h"

#include <string.h>

#define DIGITS "0123456789abcdef"

void hex_print(const void *octets, size_t n, char *text)
{
    const unsigned char *from = octets;

    for (size_t i = 0; i < n; i++) {
        *text++ = DIGITS[from[i] >> 4];
        *text++ = DIGITS[from[i] & 15];
    }
    *text = '\0';
}

static unsigned int digit(char c)
{
    return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

bool hex_is(const char *text, size_t length)
{
    return length % 2 == 0 && strspn(text, DIGITS) >= length;
}

bool hex_parse(const char *text, size_t length, void *octets)
{
    unsigned char *to = octets;

    if (!hex_is(text, length))
        return false;
    for (size_t i = 0; i < length; i += 2)
        *to++ = (unsigned char)(digit(text[i]) << 4 | digit(text[i + 1]));
    return true;
}
