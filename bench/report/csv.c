/* A CSV writer. Read first: RFC 4180 2. */
#include "report/csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "report/number.h"

void csv_init(struct csv *csv, FILE *out)
{
    *csv = (struct csv){.out = out};
}

static bool begin_field(struct csv *csv)
{
    if (csv->error != 0) {
        return false;
    }
    if (csv->fields++ > 0) {
        fputc(',', csv->out);
    }
    return true;
}

void csv_string(struct csv *csv, const char *value)
{
    if (!begin_field(csv) || value == NULL) {
        return;
    }
    if (strpbrk(value, ",\"\r\n") == NULL) {
        fputs(value, csv->out);
        return;
    }
    fputc('"', csv->out);
    for (; *value != '\0'; value++) {
        if (*value == '"') {
            fputc('"', csv->out);
        }
        fputc(*value, csv->out);
    }
    fputc('"', csv->out);
}

void csv_number(struct csv *csv, double value)
{
    char text[NUMBER_MAX];

    csv_string(csv, number_format(text, value));
}

void csv_integer(struct csv *csv, int64_t value)
{
    char text[NUMBER_MAX];

    snprintf(text, sizeof text, "%" PRId64, value);
    csv_string(csv, text);
}

void csv_end_row(struct csv *csv)
{
    if (csv->error != 0) {
        return;
    }
    if (csv->fields == 0 || (csv->width != 0 && csv->fields != csv->width)) {
        csv->error = -EINVAL;
        return;
    }
    csv->width = csv->fields;
    csv->fields = 0;
    fputs("\r\n", csv->out);
}

int csv_finish(struct csv *csv)
{
    if (csv->error == 0 && csv->fields > 0) {
        csv->error = -EINVAL;
    }
    if ((fflush(csv->out) != 0 || ferror(csv->out)) && csv->error == 0) {
        csv->error = -EIO;
    }
    return csv->error;
}
