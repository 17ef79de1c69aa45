/* The options of a TCP header, for people. Private to the ladder's files. */
#ifndef TLSYN_REPORT_LADDER_OPTIONS_H
#define TLSYN_REPORT_LADDER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Spell TCP options out into `out`, cut to fit; stops at the first that is malformed. */
void ladder_options_print(const uint8_t *options, size_t n, char *out, size_t size);

/* The length of the Fast Open cookie among them; 0: the option is a request; -1: it isn't there. */
int ladder_options_cookie(const uint8_t *options, size_t n);

#endif
