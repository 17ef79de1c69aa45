/* Every raw sample as CSV. */
#include "report/raw.h"

#include <math.h>

#include "report/csv.h"

int raw_write(FILE *out, const struct sample_table *table, const char *remark)
{
    static const char *const heading[] = {
        "order",          "round", "warmup",       "stack",         "tls",    "mode",   "level",
        "ping_target_ms", "ok",    "handshake_us", "first_byte_us", "reason", "session"};
    struct csv csv;

    csv_init(&csv, out);
    for (size_t i = 0; i < sizeof heading / sizeof heading[0]; i++) {
        csv_string(&csv, heading[i]);
    }
    if (remark != NULL) {
        csv_string(&csv, "remark");
    }
    csv_end_row(&csv);
    for (size_t i = 0; i < table->count; i++) {
        const struct sample *sample = &table->samples[i];
        const struct sample_cell *cell = &table->cells[sample->cell];
        csv_integer(&csv, sample->order);
        csv_integer(&csv, sample->round);
        csv_integer(&csv, sample->warmup);
        csv_string(&csv, cell->stack);
        csv_string(&csv, cell->tls);
        csv_string(&csv, cell->mode);
        csv_string(&csv, cell->level);
        csv_number(&csv, cell->ping_target_ms);
        csv_integer(&csv, !sample->failed);
        csv_number(&csv, sample->failed ? NAN : sample->handshake_us);
        csv_number(&csv, sample->failed ? NAN : sample->first_byte_us);
        csv_string(&csv, sample->reason);
        csv_string(&csv, cell->session);
        if (remark != NULL) {
            csv_string(&csv, remark);
        }
        csv_end_row(&csv);
    }
    return csv_finish(&csv);
}
