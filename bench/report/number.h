/* Numbers as text for machines: always a decimal point, always read back to the same double. */
#ifndef TLSYN_REPORT_NUMBER_H
#define TLSYN_REPORT_NUMBER_H

enum { NUMBER_MAX = 32 };

/* The shortest of 15, 16 or 17 digits that reads back as exactly `value`, whatever the locale.
 * Writes "" for NaN and infinities: the caller says what stands for them. Returns out. */
const char *number_format(char out[NUMBER_MAX], double value);

/* To a millionth: no clock here is finer than that of a time in milliseconds, and the rest is noise
 * to read over. */
double number_rounded(double value);

/* As it will be printed with so many decimals, and never -0: a loss of nothing is no loss. */
double number_printed(double value, int decimals);

#endif
