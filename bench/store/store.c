/*
 * store/store.c: the database. Read first: sqlite.org/lang.html, "Result and Error Codes".
 */
#include "store/store.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/rows.h"

enum { APPLICATION = 0x746c7379, BUSY_MS = 2000 }; /* "tlsy" */

struct store {
    sqlite3 *db;
    char path[512];
};

/* --- errors ----------------------------------------------------------------------------------- */

static int error_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CONSTRAINT: /* the round is there already: somebody else's */
        return -EBUSY;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return -EPROTO;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static const char *remedy_of(int error)
{
    switch (error) {
    case -ENOSPC:
        return "; the disk is full, and what was written before is kept";
    case -EBUSY:
        return "; another tlsyn writes to it: give each its own --db";
    case -EPROTO:
        return "; give another file with --db";
    default:
        return "";
    }
}

static int failed(const struct store *s, int code, char message[STORE_MESSAGE_MAX])
{
    int error = error_of(code);

    if (error < 0)
        (void)snprintf(message, STORE_MESSAGE_MAX, "%s: %s%s", s->path, sqlite3_errmsg(s->db),
                       remedy_of(error));
    return error;
}

static int run_sql(struct store *s, const char *sql, char message[STORE_MESSAGE_MAX])
{
    return failed(s, sqlite3_exec(s->db, sql, NULL, NULL, NULL), message);
}

/* --- one statement at a time ------------------------------------------------------------------ */

static int prepare(struct store *s, const char *sql, sqlite3_stmt **statement,
                   char message[STORE_MESSAGE_MAX])
{
    return failed(s, sqlite3_prepare_v2(s->db, sql, -1, statement, NULL), message);
}

/* Takes a step: 1 for a row, 0 for the end. */
static int step(struct store *s, sqlite3_stmt *statement, char message[STORE_MESSAGE_MAX])
{
    int code = sqlite3_step(statement);

    return code == SQLITE_ROW ? 1 : failed(s, code, message);
}

static int prepare_insert(struct store *s, const struct rows_table *table, sqlite3_stmt **statement,
                          char message[STORE_MESSAGE_MAX])
{
    char sql[ROWS_INSERT_MAX];

    rows_insert(table, sql);
    return prepare(s, sql, statement, message);
}

/* The first number that a question is answered with. */
static int ask(struct store *s, const char *sql, int64_t *answer, char message[STORE_MESSAGE_MAX])
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(s, sql, &statement, message);

    if (r == 0)
        r = step(s, statement, message);
    if (r == 1)
        *answer = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return r < 0 ? r : 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int create(struct store *s, char message[STORE_MESSAGE_MAX])
{
    char marks[96];
    int error = run_sql(s, "BEGIN IMMEDIATE", message);

    (void)snprintf(marks, sizeof(marks), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   APPLICATION, STORE_VERSION);
    if (error == 0)
        error = run_sql(s, rows_schema, message);
    if (error == 0)
        error = run_sql(s, marks, message);
    return error < 0 ? error : run_sql(s, "COMMIT", message);
}

static int check_version(struct store *s, int64_t application, int64_t version,
                         char message[STORE_MESSAGE_MAX])
{
    if (application != APPLICATION)
        (void)snprintf(message, STORE_MESSAGE_MAX,
                       "%s is a database, but not one of tlsyn's; give another file with --db",
                       s->path);
    else if (version != STORE_VERSION)
        (void)snprintf(message, STORE_MESSAGE_MAX,
                       "%s has version %lld of the schema, and this tlsyn reads version %d; report "
                       "with the tlsyn that wrote it, or begin anew with another --db",
                       s->path, (long long)version, STORE_VERSION);
    else
        return 0;
    return -EPROTO;
}

static int check_or_create(struct store *s, enum store_use use, char message[STORE_MESSAGE_MAX])
{
    int64_t application = 0, version = 0, tables = 0;
    int error = ask(s, "PRAGMA application_id", &application, message);

    if (error == 0)
        error = ask(s, "PRAGMA user_version", &version, message);
    if (error == 0)
        error = ask(s, "SELECT count(*) FROM sqlite_master", &tables, message);
    if (error < 0)
        return error;
    if (use == STORE_WRITE && application == 0 && tables == 0)
        return create(s, message);
    return check_version(s, application, version, message);
}

int store_open(const char *path, enum store_use use, struct store **store,
               char message[STORE_MESSAGE_MAX])
{
    int flags =
        use == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    struct store *s = calloc(1, sizeof(*s));
    int error;

    if (!s) {
        (void)snprintf(message, STORE_MESSAGE_MAX, "out of memory");
        return -ENOMEM;
    }
    (void)snprintf(s->path, sizeof(s->path), "%s", path);
    error = failed(s, sqlite3_open_v2(path, &s->db, flags, NULL), message);
    if (error == 0) {
        (void)sqlite3_busy_timeout(s->db, BUSY_MS);
        error = check_or_create(s, use, message);
    }
    if (error < 0) {
        store_close(s);
        return error;
    }
    *store = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    (void)sqlite3_close(s->db);
    free(s);
}

/* --- the run ---------------------------------------------------------------------------------- */

static int insert_run(struct store *s, const struct store_run *run, char message[STORE_MESSAGE_MAX])
{
    sqlite3_stmt *statement = NULL;
    int r = prepare_insert(s, &rows_run, &statement, message);

    if (r < 0)
        return r;
    rows_bind(statement, &rows_run, run);
    r = step(s, statement, message);
    (void)sqlite3_finalize(statement);
    return r;
}

int store_run(struct store *s, struct store_run *run, char message[STORE_MESSAGE_MAX])
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(s, "SELECT * FROM run", &statement, message);

    if (r == 0)
        r = step(s, statement, message);
    if (r == 1)
        rows_take(statement, &rows_run, run);
    else if (r == 0)
        (void)snprintf(message, STORE_MESSAGE_MAX, "%s holds no run", s->path);
    (void)sqlite3_finalize(statement);
    return r == 1 ? 0 : r == 0 ? -ENODATA : r;
}

static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-9;
}

static int go_on(struct store *s, const struct store_run *there, struct store_run *run,
                 char message[STORE_MESSAGE_MAX])
{
    if (strcmp(there->plan, run->plan) != 0 || strcmp(there->target, run->target) != 0 ||
        strcmp(there->link, run->link) != 0 || !same_number(there->rtt_ms, run->rtt_ms)) {
        (void)snprintf(message, STORE_MESSAGE_MAX,
                       "%s holds another run: \"%.300s\". Go on with its options, or give another "
                       "file with --db",
                       s->path, there->command);
        return -EEXIST;
    }
    run->seed = there->seed;
    run->started_us = there->started_us;
    return 0;
}

int store_begin(struct store *s, struct store_run *run, uint32_t *rounds,
                char message[STORE_MESSAGE_MAX])
{
    struct store_run there;
    size_t observations;
    int error = store_run(s, &there, message);

    if (error == -ENODATA)
        error = insert_run(s, run, message);
    else if (error == 0)
        error = go_on(s, &there, run, message);
    return error < 0 ? error : store_count(s, &observations, rounds, message);
}

/* --- observations ----------------------------------------------------------------------------- */

static int insert(struct store *s, sqlite3_stmt *statement, const struct observation *o,
                  char message[STORE_MESSAGE_MAX])
{
    int r;

    (void)sqlite3_reset(statement);
    rows_bind(statement, &rows_observation, o);
    r = step(s, statement, message);
    return r < 0 ? r : 0;
}

int store_add_round(struct store *s, const struct observation *observations, size_t n,
                    char message[STORE_MESSAGE_MAX])
{
    sqlite3_stmt *statement = NULL;
    int error = run_sql(s, "BEGIN IMMEDIATE", message);

    if (error < 0)
        return error;
    error = prepare_insert(s, &rows_observation, &statement, message);
    for (size_t i = 0; i < n && error == 0; i++)
        error = insert(s, statement, &observations[i], message);
    (void)sqlite3_finalize(statement);
    if (error == 0)
        error = run_sql(s, "COMMIT", message);
    if (error < 0 && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return error;
}

int store_count(struct store *s, size_t *observations, uint32_t *rounds,
                char message[STORE_MESSAGE_MAX])
{
    int64_t all = 0, next = 0;
    int error = ask(s, "SELECT count(*) FROM observation", &all, message);

    if (error == 0)
        error = ask(s, "SELECT coalesce(max(round) + 1, 0) FROM observation", &next, message);
    *observations = (size_t)all;
    *rounds = (uint32_t)next;
    return error;
}

int store_each(struct store *s, int (*each)(void *context, const struct observation *),
               void *context, char message[STORE_MESSAGE_MAX])
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(s, "SELECT * FROM observation ORDER BY round, place", &statement, message);

    if (r == 0)
        r = step(s, statement, message);
    while (r == 1) {
        struct observation o;

        rows_take(statement, &rows_observation, &o);
        r = each(context, &o);
        if (r < 0)
            (void)snprintf(message, STORE_MESSAGE_MAX, "%s: %s", s->path, strerror(-r));
        else
            r = step(s, statement, message);
    }
    (void)sqlite3_finalize(statement);
    return r < 0 ? r : 0;
}
