/* Shortest decimal form of a double that survives the round trip. */
#include "report/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *number_format(char out[NUMBER_MAX], double value)
{
    out[0] = '\0';
    if (!isfinite(value)) {
        return out;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, NUMBER_MAX, "%.*g", digits, value);
        double back = strtod(out, NULL);
        if (!(back < value) && !(back > value)) {
            break;
        }
    }
    /* printf and strtod share the locale's decimal mark; files never do. */
    char *mark = out + strspn(out, "+-0123456789");
    if (*mark != '\0' && *mark != 'e') {
        *mark = '.';
    }
    return out;
}

double number_rounded(double value)
{
    return round(value * 1e6) / 1e6;
}

double number_printed(double value, int decimals)
{
    return fabs(value) * pow(10, decimals) < 0.5 ? 0 : value;
}
