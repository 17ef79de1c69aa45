/*
 * study/table2/published.h: the figures that table2 is put beside: M.-J. Byun and S.-Y. Park,
 * "SSLmTCP Handshake", J. KICS 42(3), 2017, table 2: mean elapsed time until the client holds the
 * server's Finished, TLS with RSA key exchange between two patched kernels, at five distances.
 */
#ifndef STUDY_TABLE2_PUBLISHED_H
#define STUDY_TABLE2_PUBLISHED_H

#include <stddef.h>

#define PUBLISHED_SOURCE                                                                           \
    "Byun and Park, SSLmTCP Handshake, J. KICS 42(3), 2017, table 2; doi "                         \
    "10.7840/kics.2017.42.3.595"

struct published_row {
    double ping_ms, sequential_ms, embedded_ms;
    double reduction_percent; /* as printed, which is not always what the two times give */
};

enum { PUBLISHED_ROWS = 5 };

extern const struct published_row published_rows[PUBLISHED_ROWS];

/** The row of a ping target, or NULL. */
const struct published_row *published_row_at(double ping_ms);

#endif
