/* Reading text that may not be valid UTF-8 (RFC 3629) for writers that must only emit valid UTF-8.
 */
#ifndef TLSYN_REPORT_UTF8_H
#define TLSYN_REPORT_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xfffd };

/* The next code point of a zero-terminated string; advances *text. An invalid byte is consumed
 * alone and gives UTF8_REPLACEMENT. 0 at the end of the string, which is not consumed. */
uint32_t utf8_next(const char **text);

/* Encode a code point into at most four bytes and a terminating zero. Returns the length. */
size_t utf8_encode(uint32_t code, char out[5]);

/* Columns that a string takes in a terminal, one for each code point that is not a combining mark
 * or a control character. (East Asian wide characters count as one: reports hold none.) */
size_t utf8_columns(const char *text);

#endif
