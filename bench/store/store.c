/*
 * store/store.c: the database. Read first: sqlite.org/lang.html, "Result and Error Codes".
 */
#include "store/store.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APPLICATION = 0x746c7379, BUSY_MS = 2000 }; /* "tlsy" */

struct store {
    sqlite3 *db;
    char path[512];
};

static const char schema[] =
    "CREATE TABLE run ("
    " plan TEXT NOT NULL,"    /* what each round observes, and how */
    " target TEXT NOT NULL,"  /* 'lab', or an URL */
    " command TEXT NOT NULL," /* as typed, the first time */
    " version TEXT NOT NULL," /* of tlsyn */
    " kernel TEXT NOT NULL, cpu TEXT NOT NULL, system TEXT NOT NULL,"
    " link TEXT NOT NULL,"         /* of the laboratory, in words, or '' */
    " rtt_ms REAL,"                /* its round trip */
    " seed INTEGER NOT NULL,"      /* of the order in each round */
    " started_us INTEGER NOT NULL" /* since 1970 */
    ");"
    "CREATE TABLE observation ("
    " round INTEGER NOT NULL, place INTEGER NOT NULL,"
    " when_us INTEGER NOT NULL," /* since 1970 */
    " operation TEXT NOT NULL,"  /* ping, tcp, get */
    " stack TEXT NOT NULL, tls TEXT NOT NULL, mode TEXT NOT NULL, session TEXT NOT NULL,"
    " verdict TEXT NOT NULL CHECK (verdict IN ('ok', 'refused', 'failed')),"
    " reason TEXT NOT NULL,"
    " connect_us REAL, handshake_us REAL, first_byte_us REAL,"
    " syn_bytes INTEGER, synack_bytes INTEGER,"
    " link_kept INTEGER,"  /* 1, or 0 where frames left late or were refused meanwhile */
    " link_late_us REAL,"  /* 99 of 100 of them by no more */
    " timer_late_us REAL," /* by which a short sleep just before was too long */
    " cpu_ticks INTEGER, stolen_ticks INTEGER," /* of all processors, meanwhile */
    " PRIMARY KEY (round, place)"
    ") WITHOUT ROWID;";

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

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* NaN becomes NULL, and NULL NaN: SQLite itself does the first. */
static void bind_number(sqlite3_stmt *statement, int at, double value)
{
    (void)sqlite3_bind_double(statement, at, value);
}

static void bind_count(sqlite3_stmt *statement, int at, int64_t value)
{
    if (value < 0)
        (void)sqlite3_bind_null(statement, at);
    else
        (void)sqlite3_bind_int64(statement, at, value);
}

static void take_text(sqlite3_stmt *statement, int at, char *text, size_t size)
{
    const unsigned char *value = sqlite3_column_text(statement, at);

    (void)snprintf(text, size, "%s", value ? (const char *)value : "");
}

static double take_number(sqlite3_stmt *statement, int at)
{
    return sqlite3_column_type(statement, at) == SQLITE_NULL ? (double)NAN
                                                             : sqlite3_column_double(statement, at);
}

static int64_t take_count(sqlite3_stmt *statement, int at)
{
    return sqlite3_column_type(statement, at) == SQLITE_NULL ? -1
                                                             : sqlite3_column_int64(statement, at);
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
        error = run_sql(s, schema, message);
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
    int r =
        prepare(s, "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &statement, message);

    if (r < 0)
        return r;
    bind_text(statement, 1, run->plan);
    bind_text(statement, 2, run->target);
    bind_text(statement, 3, run->command);
    bind_text(statement, 4, run->version);
    bind_text(statement, 5, run->kernel);
    bind_text(statement, 6, run->cpu);
    bind_text(statement, 7, run->system);
    bind_text(statement, 8, run->link);
    bind_number(statement, 9, run->rtt_ms);
    (void)sqlite3_bind_int64(statement, 10, (sqlite3_int64)run->seed);
    (void)sqlite3_bind_int64(statement, 11, run->started_us);
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
    if (r == 1) {
        take_text(statement, 0, run->plan, sizeof(run->plan));
        take_text(statement, 1, run->target, sizeof(run->target));
        take_text(statement, 2, run->command, sizeof(run->command));
        take_text(statement, 3, run->version, sizeof(run->version));
        take_text(statement, 4, run->kernel, sizeof(run->kernel));
        take_text(statement, 5, run->cpu, sizeof(run->cpu));
        take_text(statement, 6, run->system, sizeof(run->system));
        take_text(statement, 7, run->link, sizeof(run->link));
        run->rtt_ms = take_number(statement, 8);
        run->seed = (uint64_t)sqlite3_column_int64(statement, 9);
        run->started_us = sqlite3_column_int64(statement, 10);
    } else if (r == 0) {
        (void)snprintf(message, STORE_MESSAGE_MAX, "%s holds no run", s->path);
    }
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
                       "%s holds another run: \"%s\". Go on with its options, or give another "
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
    const char *const words[] = {o->operation, o->stack,   o->tls,   o->mode,
                                 o->session,   o->verdict, o->reason};
    int r;

    (void)sqlite3_reset(statement);
    (void)sqlite3_bind_int64(statement, 1, o->round);
    (void)sqlite3_bind_int64(statement, 2, o->place);
    (void)sqlite3_bind_int64(statement, 3, o->when_us);
    for (int i = 0; i < (int)(sizeof(words) / sizeof(*words)); i++)
        bind_text(statement, 4 + i, words[i]);
    bind_number(statement, 11, o->connect_us);
    bind_number(statement, 12, o->handshake_us);
    bind_number(statement, 13, o->first_byte_us);
    bind_count(statement, 14, o->syn_bytes);
    bind_count(statement, 15, o->synack_bytes);
    bind_count(statement, 16, o->link_kept);
    bind_number(statement, 17, o->link_late_us);
    bind_number(statement, 18, o->timer_late_us);
    bind_count(statement, 19, o->cpu_ticks);
    bind_count(statement, 20, o->stolen_ticks);
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
    error = prepare(s,
                    "INSERT INTO observation VALUES "
                    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    &statement, message);
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

static void take(sqlite3_stmt *statement, struct observation *o)
{
    o->round = (uint32_t)sqlite3_column_int64(statement, 0);
    o->place = (uint32_t)sqlite3_column_int64(statement, 1);
    o->when_us = sqlite3_column_int64(statement, 2);
    take_text(statement, 3, o->operation, sizeof(o->operation));
    take_text(statement, 4, o->stack, sizeof(o->stack));
    take_text(statement, 5, o->tls, sizeof(o->tls));
    take_text(statement, 6, o->mode, sizeof(o->mode));
    take_text(statement, 7, o->session, sizeof(o->session));
    take_text(statement, 8, o->verdict, sizeof(o->verdict));
    take_text(statement, 9, o->reason, sizeof(o->reason));
    o->connect_us = take_number(statement, 10);
    o->handshake_us = take_number(statement, 11);
    o->first_byte_us = take_number(statement, 12);
    o->syn_bytes = take_count(statement, 13);
    o->synack_bytes = take_count(statement, 14);
    o->link_kept = take_count(statement, 15);
    o->link_late_us = take_number(statement, 16);
    o->timer_late_us = take_number(statement, 17);
    o->cpu_ticks = take_count(statement, 18);
    o->stolen_ticks = take_count(statement, 19);
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

        take(statement, &o);
        r = each(context, &o);
        if (r < 0)
            (void)snprintf(message, STORE_MESSAGE_MAX, "%s: %s", s->path, strerror(-r));
        else
            r = step(s, statement, message);
    }
    (void)sqlite3_finalize(statement);
    return r < 0 ? r : 0;
}
