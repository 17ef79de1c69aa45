/* A strict, streaming JSON writer. Read first: RFC 8259 2-7. */
#include "report/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "report/number.h"
#include "report/utf8.h"

void json_init(struct json *json, FILE *out)
{
    *json = (struct json){.out = out};
}

static bool fail(struct json *json, int error)
{
    if (json->error == 0) {
        json->error = error;
    }
    return false;
}

static void break_line(struct json *json)
{
    fputc('\n', json->out);
    for (unsigned i = 0; i < json->depth; i++) {
        fputs("  ", json->out);
    }
}

/* The comma and white space before an item of the innermost level. */
static void separate(struct json *json)
{
    bool one_line = json->level[json->depth - 1].one_line;
    bool any = json->level[json->depth - 1].any;

    json->level[json->depth - 1].any = true;
    if (any) {
        fputs(one_line ? ", " : ",", json->out);
    }
    if (!one_line) {
        break_line(json);
    }
}

/* May a value stand here? If so, everything before it is written. */
static bool before_value(struct json *json)
{
    if (json->error != 0) {
        return false;
    }
    if (json->depth == 0) {
        return json->value_done ? fail(json, -EINVAL) : true;
    }
    if (!json->level[json->depth - 1].array) {
        if (!json->key_given) {
            return fail(json, -EINVAL);
        }
        json->key_given = false;
        return true;
    }
    separate(json);
    return true;
}

static void after_value(struct json *json)
{
    json->value_done = json->depth == 0;
}

static void open_level(struct json *json, bool array)
{
    if (json->error == 0 && json->depth == JSON_DEPTH_MAX) {
        fail(json, -E2BIG);
    }
    if (!before_value(json)) {
        return;
    }
    bool in_array = json->depth > 0 && json->level[json->depth - 1].array;
    bool in_line = json->depth > 0 && json->level[json->depth - 1].one_line;
    json->level[json->depth].array = array;
    json->level[json->depth].any = false;
    json->level[json->depth].one_line = in_array || in_line;
    json->depth++;
    fputc(array ? '[' : '{', json->out);
}

void json_object(struct json *json)
{
    open_level(json, false);
}

void json_line(struct json *json)
{
    open_level(json, false);
    if (json->error == 0) {
        json->level[json->depth - 1].one_line = true;
    }
}

void json_array(struct json *json)
{
    open_level(json, true);
}

void json_end(struct json *json)
{
    if (json->error != 0) {
        return;
    }
    if (json->depth == 0 || json->key_given) {
        fail(json, -EINVAL);
        return;
    }
    json->depth--;
    if (json->level[json->depth].any && !json->level[json->depth].one_line) {
        break_line(json);
    }
    fputc(json->level[json->depth].array ? ']' : '}', json->out);
    after_value(json);
}

static void write_string(FILE *out, const char *text)
{
    char encoded[5];

    fputc('"', out);
    for (uint32_t code = utf8_next(&text); code != 0; code = utf8_next(&text)) {
        if (code == '"' || code == '\\') {
            fputc('\\', out);
        }
        if (code == '\n') {
            fputs("\\n", out);
        } else if (code < 0x20 || code == 0x7f) {
            fprintf(out, "\\u%04" PRIx32, code);
        } else {
            utf8_encode(code, encoded);
            fputs(encoded, out);
        }
    }
    fputc('"', out);
}

void json_key(struct json *json, const char *key)
{
    if (json->error != 0) {
        return;
    }
    if (json->depth == 0 || json->level[json->depth - 1].array || json->key_given) {
        fail(json, -EINVAL);
        return;
    }
    separate(json);
    write_string(json->out, key);
    fputs(": ", json->out);
    json->key_given = true;
}

void json_string(struct json *json, const char *value)
{
    if (value == NULL) {
        json_null(json);
        return;
    }
    if (before_value(json)) {
        write_string(json->out, value);
        after_value(json);
    }
}

/* A value whose text is already JSON. */
static void write_plain(struct json *json, const char *text)
{
    if (before_value(json)) {
        fputs(text, json->out);
        after_value(json);
    }
}

void json_number(struct json *json, double value)
{
    char text[NUMBER_MAX];

    write_plain(json, isfinite(value) ? number_format(text, value) : "null");
}

void json_integer(struct json *json, int64_t value)
{
    char text[NUMBER_MAX];

    snprintf(text, sizeof text, "%" PRId64, value);
    write_plain(json, text);
}

void json_bool(struct json *json, bool value)
{
    write_plain(json, value ? "true" : "false");
}

void json_null(struct json *json)
{
    write_plain(json, "null");
}

void json_member_string(struct json *json, const char *key, const char *value)
{
    json_key(json, key);
    json_string(json, value);
}

void json_member_number(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_number(json, value);
}

void json_member_integer(struct json *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_integer(json, value);
}

void json_member_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

void json_member_interval(struct json *json, const char *key, double lo, double hi)
{
    json_key(json, key);
    json_array(json);
    json_number(json, lo);
    json_number(json, hi);
    json_end(json);
}

void json_member_rounded(struct json *json, const char *key, double value)
{
    json_member_number(json, key, number_rounded(value));
}

void json_member_estimate(struct json *json, const char *key, const char *key_ci,
                          const struct stats_interval *value)
{
    json_member_rounded(json, key, value->estimate);
    json_member_interval(json, key_ci, number_rounded(value->lo), number_rounded(value->hi));
}

int json_finish(struct json *json)
{
    if (json->error == 0 && (json->depth > 0 || !json->value_done)) {
        fail(json, -EINVAL);
    }
    if (json->error == 0) {
        fputc('\n', json->out);
    }
    if (fflush(json->out) != 0 && json->error == 0) {
        fail(json, -errno);
    }
    if (ferror(json->out) && json->error == 0) {
        fail(json, -EIO);
    }
    return json->error;
}
