/*
 * study/journal_line.c: the journal's lines, written.
 */
#include "study/journal_line.h"

#include <errno.h>
#include <string.h>

#include "report/json.h"

static int end_line(struct json *j, FILE *out)
{
    int error;

    json_end(j);
    errno = EIO;
    error = json_finish(j);
    return error == -EIO ? -errno : error < 0 ? error : ferror(out) ? -EIO : 0;
}

int journal_line_head(FILE *out, const char *study, char *const arguments[])
{
    struct json j;

    json_init(&j, out);
    json_line(&j);
    json_member_string(&j, "study", study);
    json_key(&j, "arguments");
    json_array(&j);
    for (int i = 0; arguments && arguments[i]; i++)
        json_string(&j, arguments[i]);
    json_end(&j);
    return end_line(&j, out);
}

static void put_list(const struct journal_list *list, struct json *j)
{
    json_array(j);
    for (size_t i = 0; i < list->count; i++)
        json_number(j, list->value[i]);
    json_end(j);
}

static void put_words(const struct journal_words *words, struct json *j)
{
    json_array(j);
    for (size_t i = 0; i < words->count; i++)
        json_string(j, words->word[i]);
    json_end(j);
}

static void put_field(const struct journal_field *field, const void *structure, struct json *j)
{
    const void *at = (const char *)structure + field->offset;

    json_key(j, field->name);
    switch (field->type) {
    case JOURNAL_DOUBLE:
        json_number(j, *(const double *)at);
        break;
    case JOURNAL_INT:
        json_integer(j, *(const int *)at);
        break;
    case JOURNAL_UINT32:
        json_integer(j, *(const uint32_t *)at);
        break;
    case JOURNAL_UINT64:
        json_integer(j, (int64_t) * (const uint64_t *)at);
        break;
    case JOURNAL_BOOL:
        json_bool(j, *(const bool *)at);
        break;
    case JOURNAL_LIST:
        put_list(at, j);
        break;
    case JOURNAL_WORDS:
        put_words(at, j);
        break;
    default:
        json_string(j, at);
        break;
    }
}

int journal_line_entry(FILE *out, const struct journal_entry *entry,
                       const struct journal_field *fields, size_t n, const void *structure)
{
    struct json j;

    json_init(&j, out);
    json_line(&j);
    json_member_integer(&j, "round", entry->round);
    json_member_integer(&j, "block", entry->block);
    json_member_integer(&j, "member", entry->member);
    json_member_number(&j, "t", entry->t);
    for (size_t i = 0; i < n; i++)
        put_field(&fields[i], structure, &j);
    return end_line(&j, out);
}

size_t journal_entry_room(const struct journal_field *fields, size_t n, size_t values)
{
    enum { ENTRY = 96, NUMBER = 24 }; /* bytes */
    size_t room = ENTRY + values * NUMBER;

    for (size_t i = 0; i < n; i++) {
        bool text = fields[i].type == JOURNAL_TEXT; /* often empty, seldom full */

        room += strlen(fields[i].name) + (text ? fields[i].size / 4 : NUMBER);
    }
    return room;
}
