/*
 * study/journal.c: a run's observations, kept as they are made.
 */
#include "study/journal_line.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES_MAX = 4000000 };

struct line {
    json_t *json;
    long at; /* in the file */
};

struct journal {
    FILE *file;
    struct line *line;
    size_t lines, room;
    size_t next; /* not read yet */
    long end;    /* behind the last whole line */
    bool reserved;
};

static int complain(char message[STUDY_MESSAGE_MAX], const char *folder, int error,
                    const char *what)
{
    (void)snprintf(message, STUDY_MESSAGE_MAX, "%s/" JOURNAL_FILE " %s%s%s", folder, what,
                   error < 0 ? ": " : "", error < 0 ? strerror(-error) : "");
    return error < 0 ? error : -EPROTO;
}

static FILE *open_in(const char *folder, const char *mode)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, folder);
    return fopen(path, mode);
}

/* --- fields ----------------------------------------------------------------------------------- */

static bool list_set(const json_t *values, struct journal_list *list)
{
    size_t n = json_array_size(values);
    double *value = n > 0 ? calloc(n, sizeof(*value)) : NULL;

    if (!json_is_array(values) || (n > 0 && !value))
        return false;
    for (size_t i = 0; i < n; i++)
        value[i] = json_number_value(json_array_get(values, i));
    free(list->value);
    *list = (struct journal_list){value, n};
    return true;
}

/* Pointers and texts in one block; a pointer more, which is NULL. */
static char **copy_words(const char *const words[], size_t count)
{
    size_t room = (count + 1) * sizeof(char *);
    char **copy;
    char *at;

    for (size_t i = 0; i < count; i++)
        room += strlen(words[i]) + 1;
    copy = calloc(1, room);
    at = (char *)(copy + count + 1);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = at;
        at = stpcpy(at, words[i]) + 1;
    }
    return copy;
}

int journal_words_make(const char *const words[], size_t count, struct journal_words *copy)
{
    char **word = copy_words(words, count);

    if (!word)
        return -ENOMEM;
    *copy = (struct journal_words){word, count};
    return 0;
}

/* What is no text is an empty one. NULL: memory is short. */
static char **words_of(const json_t *strings)
{
    size_t count = json_array_size(strings);
    const char **words = calloc(count + 1, sizeof(*words));
    char **copy = NULL;

    for (size_t i = 0; words && i < count; i++) {
        words[i] = json_string_value(json_array_get(strings, i));
        words[i] = words[i] ? words[i] : "";
    }
    if (words)
        copy = copy_words(words, count);
    free(words);
    return copy;
}

static bool words_set(const json_t *strings, struct journal_words *words)
{
    char **word = json_is_array(strings) ? words_of(strings) : NULL;

    if (!word)
        return false;
    free(words->word);
    *words = (struct journal_words){word, json_array_size(strings)};
    return true;
}

static bool field_set(const struct journal_field *field, const json_t *value, void *structure)
{
    void *at = (char *)structure + field->offset;

    switch (field->type) {
    case JOURNAL_DOUBLE:
        *(double *)at = json_is_null(value) ? (double)NAN : json_number_value(value);
        return json_is_null(value) || json_is_number(value);
    case JOURNAL_INT:
        *(int *)at = (int)json_integer_value(value);
        return json_is_integer(value);
    case JOURNAL_UINT32:
        *(uint32_t *)at = (uint32_t)json_integer_value(value);
        return json_is_integer(value);
    case JOURNAL_UINT64:
        *(uint64_t *)at = (uint64_t)json_integer_value(value);
        return json_is_integer(value);
    case JOURNAL_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    case JOURNAL_LIST:
        return list_set(value, at);
    case JOURNAL_WORDS:
        return words_set(value, at);
    default:
        (void)snprintf(at, field->size, "%s",
                       json_is_string(value) ? json_string_value(value) : "");
        return json_is_string(value);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static int keep_line(struct journal *j, json_t *json, long at)
{
    if (j->lines == j->room) {
        size_t room = j->room ? 2 * j->room : 256;
        struct line *more = room > ENTRIES_MAX ? NULL : realloc(j->line, room * sizeof(*more));

        if (!more)
            return -ENOMEM;
        j->line = more;
        j->room = room;
    }
    j->line[j->lines++] = (struct line){json, at};
    return 0;
}

/* Every whole line, the first included. */
static int read_lines(struct journal *j)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t n;
    int error = 0;

    while (error == 0 && (n = getline(&text, &size, j->file)) > 0) {
        json_t *json = text[n - 1] == '\n' ? json_loadb(text, (size_t)n, 0, NULL) : NULL;

        if (!json)
            break;
        error = keep_line(j, json, j->end);
        j->end += n;
        if (error < 0)
            json_decref(json);
    }
    free(text);
    return error;
}

static struct journal *journal_new(FILE *file)
{
    struct journal *j = calloc(1, sizeof(*j));

    if (j)
        j->file = file;
    else if (file)
        (void)fclose(file);
    return j;
}

int journal_close(struct journal *journal)
{
    int error = 0;

    if (!journal)
        return 0;
    for (size_t i = 0; i < journal->lines; i++)
        json_decref(journal->line[i].json);
    free(journal->line);
    if (journal->reserved && fflush(journal->file) == 0)
        (void)ftruncate(fileno(journal->file), ftell(journal->file));
    if (fclose(journal->file) != 0)
        error = -errno;
    free(journal);
    return error;
}

static int open_and_read(const char *folder, struct journal **journal,
                         char message[STUDY_MESSAGE_MAX])
{
    FILE *file = open_in(folder, "r+e");
    struct journal *j;
    int error;

    if (!file)
        return complain(message, folder, -errno, "cannot be gone on with");
    j = journal_new(file);
    error = j ? read_lines(j) : -ENOMEM;
    if (error == 0 && j->lines == 0)
        error = complain(message, folder, 0, "is empty, or not of a study");
    else if (error < 0)
        (void)complain(message, folder, error, "cannot be read");
    if (error < 0) {
        (void)journal_close(j);
        return error;
    }
    *journal = j;
    return 0;
}

int journal_open(const char *folder, const char *study, struct journal **journal,
                 char message[STUDY_MESSAGE_MAX])
{
    struct journal *j = NULL;
    const char *there;
    int error = open_and_read(folder, &j, message);

    if (error < 0)
        return error;
    there = json_string_value(json_object_get(j->line[0].json, "study"));
    if (!there || strcmp(there, study) != 0) {
        (void)journal_close(j);
        return complain(message, folder, 0, "is of another study");
    }
    j->next = 1;
    *journal = j;
    return 0;
}

int journal_arguments(const char *folder, char ***arguments, int *count,
                      char message[STUDY_MESSAGE_MAX])
{
    struct journal *j = NULL;
    const json_t *strings;
    int error = open_and_read(folder, &j, message);

    if (error < 0)
        return error;
    strings = json_object_get(j->line[0].json, "arguments");
    *count = (int)json_array_size(strings);
    *arguments = *count > 0 ? words_of(strings) : NULL;
    if (!*arguments)
        error = complain(message, folder, 0, "does not say which study it is of");
    (void)journal_close(j);
    return error;
}

size_t journal_left(const struct journal *journal)
{
    return journal->lines - journal->next;
}

static uint32_t number_at(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value < 0 || value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

struct journal_entry journal_peek(const struct journal *journal, size_t i)
{
    const json_t *json = journal->line[journal->next + i].json;

    return (struct journal_entry){.round = number_at(json, "round"),
                                  .block = number_at(json, "block"),
                                  .member = number_at(json, "member"),
                                  .t = json_number_value(json_object_get(json, "t"))};
}

bool journal_next(struct journal *journal, const struct journal_field *fields, size_t n,
                  void *structure)
{
    const json_t *json = journal->line[journal->next++].json;
    bool whole = true;

    for (size_t i = 0; i < n; i++)
        whole = field_set(&fields[i], json_object_get(json, fields[i].name), structure) && whole;
    return whole;
}

int journal_cut(struct journal *journal)
{
    long end = journal->next < journal->lines ? journal->line[journal->next].at : journal->end;

    if (fflush(journal->file) != 0 || ftruncate(fileno(journal->file), end) < 0 ||
        fseek(journal->file, end, SEEK_SET) != 0)
        return -errno;
    while (journal->lines > journal->next)
        json_decref(journal->line[--journal->lines].json);
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

int journal_begin(const char *folder, const char *study, char *const arguments[],
                  struct journal **journal, char message[STUDY_MESSAGE_MAX])
{
    FILE *file = open_in(folder, "we");
    struct journal *j = file ? journal_new(file) : NULL;
    int error = !file ? -errno : j ? journal_line_head(file, study, arguments) : -ENOMEM;

    if (error < 0) {
        (void)journal_close(j);
        return complain(message, folder, error, "cannot be written");
    }
    *journal = j;
    return 0;
}

int journal_reserve(struct journal *journal, uint64_t bytes)
{
    long at = fflush(journal->file) == 0 ? ftell(journal->file) : -1;

    if (at < 0 || bytes == 0 || bytes > INT64_MAX - (uint64_t)at)
        return at < 0 ? -errno : bytes == 0 ? 0 : -ENOSPC;
    if (fallocate(fileno(journal->file), FALLOC_FL_KEEP_SIZE, at, (off_t)bytes) < 0)
        return errno == ENOSPC || errno == EDQUOT ? -errno : 0;
    journal->reserved = true;
    return 0;
}

int journal_add(struct journal *journal, const struct journal_entry *entry,
                const struct journal_field *fields, size_t n, const void *structure)
{
    return journal_line_entry(journal->file, entry, fields, n, structure);
}
