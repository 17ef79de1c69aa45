/* A strict, streaming JSON writer (RFC 8259).
 *
 * Calls follow the document: open an object, give a key, give its value, close it. The writer puts
 * commas, newlines and escapes; it refuses what would not be JSON (a value without a key, a key in
 * an array, an end too many, a second top-level value). The first error sticks, later calls do
 * nothing, and json_finish() reports it, so callers check once.
 *
 *   json_init -> json_object -> (json_key -> value)* -> json_end -> json_finish
 *
 * NaN and infinities, which JSON lacks, become null. Bytes that are not UTF-8 become U+FFFD.
 * Objects and arrays that stand in an array are written on one line, so rows stay rows.
 */
#ifndef TLSYN_REPORT_JSON_H
#define TLSYN_REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "measure/stats.h"

enum { JSON_DEPTH_MAX = 16 };

struct json {
    FILE *out;
    int error;
    unsigned depth;  /* open objects and arrays */
    bool key_given;  /* the next call must give this key's value */
    bool value_done; /* the top-level value is complete */
    struct {
        bool array, any, one_line;
    } level[JSON_DEPTH_MAX];
};

/* Write to `out`, which the caller keeps and closes. */
void json_init(struct json *json, FILE *out);

void json_object(struct json *json);

/* An object that stays on one line wherever it stands: a line of JSON lines. */
void json_line(struct json *json);

void json_array(struct json *json);

/* Close the innermost object or array. */
void json_end(struct json *json);

void json_key(struct json *json, const char *key);

/* Values; a NULL string is null. */
void json_string(struct json *json, const char *value);
void json_number(struct json *json, double value);
void json_integer(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* A key and its value in one call. */
void json_member_string(struct json *json, const char *key, const char *value);
void json_member_number(struct json *json, const char *key, double value);
void json_member_integer(struct json *json, const char *key, int64_t value);
void json_member_bool(struct json *json, const char *key, bool value);

/* A key and the array [lo, hi]. */
void json_member_interval(struct json *json, const char *key, double lo, double hi);

/* Rounded as number_rounded() does. The second takes a key for the estimate and one for its
 * interval. */
void json_member_rounded(struct json *json, const char *key, double value);
void json_member_estimate(struct json *json, const char *key, const char *key_ci,
                          const struct stats_interval *value);

/* End the document and flush. 0; -EINVAL: calls that do not make a JSON document; -E2BIG: nested
 * deeper than JSON_DEPTH_MAX; -ENOSPC and such, or -EIO: writing failed. */
int json_finish(struct json *json);

#endif
