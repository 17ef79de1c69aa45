/*
 * hex.h: octets as text, in lines that a command keeps: two lower-case digits each.
 */
#ifndef HEX_H
#define HEX_H

#include <stdbool.h>
#include <stddef.h>

/** Writes 2 * n digits and a NUL. */
void hex_print(const void *octets, size_t n, char *text);

/** Reads `length` digits into half as many octets. False, and nothing is written: there are other
 * characters, or an odd number of them. */
bool hex_parse(const char *text, size_t length, void *octets);

/** Whether hex_parse() would take it. */
bool hex_is(const char *text, size_t length);

#endif
