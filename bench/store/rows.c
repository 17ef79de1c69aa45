/*
 * store/rows.c: the schema, and what its columns are of. See rows.h.
 */
#include "store/rows.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "store/store.h"

const char rows_schema[] =
    "CREATE TABLE run ("
    " plan TEXT NOT NULL,"    /* what each round observes, and how */
    " target TEXT NOT NULL,"  /* 'lab', or the URLs */
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
    " url TEXT NOT NULL,"     /* of the server that was asked; '' in a laboratory of ours */
    " address TEXT NOT NULL," /* which of its addresses; '' likewise */
    " status INTEGER,"        /* of the response, if it came */
    " PRIMARY KEY (round, place)"
    ") WITHOUT ROWID;";

/* A column, and the member that it is of: of struct store_run, or of struct observation. */
struct rows_column {
    enum { TEXT, NUMBER, WHOLE, PLACE, COUNT } kind; /* char[]; double; 64 and 32 bits; -1: NULL */
    size_t at, size;
};

#define COLUMN(kind, of, member)                                                                   \
    {                                                                                              \
        kind, offsetof(struct of, member), sizeof(((struct of *)NULL)->member)                     \
    }

/* In the order of the schema. */
static const struct rows_column run_columns[] = {
    COLUMN(TEXT, store_run, plan),        COLUMN(TEXT, store_run, target),
    COLUMN(TEXT, store_run, command),     COLUMN(TEXT, store_run, version),
    COLUMN(TEXT, store_run, kernel),      COLUMN(TEXT, store_run, cpu),
    COLUMN(TEXT, store_run, system),      COLUMN(TEXT, store_run, link),
    COLUMN(NUMBER, store_run, rtt_ms),    COLUMN(WHOLE, store_run, seed),
    COLUMN(WHOLE, store_run, started_us),
};
static const struct rows_column observation_columns[] = {
    COLUMN(PLACE, observation, round),
    COLUMN(PLACE, observation, place),
    COLUMN(WHOLE, observation, when_us),
    COLUMN(TEXT, observation, operation),
    COLUMN(TEXT, observation, stack),
    COLUMN(TEXT, observation, tls),
    COLUMN(TEXT, observation, mode),
    COLUMN(TEXT, observation, session),
    COLUMN(TEXT, observation, verdict),
    COLUMN(TEXT, observation, reason),
    COLUMN(NUMBER, observation, connect_us),
    COLUMN(NUMBER, observation, handshake_us),
    COLUMN(NUMBER, observation, first_byte_us),
    COLUMN(COUNT, observation, syn_bytes),
    COLUMN(COUNT, observation, synack_bytes),
    COLUMN(COUNT, observation, link_kept),
    COLUMN(NUMBER, observation, link_late_us),
    COLUMN(NUMBER, observation, timer_late_us),
    COLUMN(COUNT, observation, cpu_ticks),
    COLUMN(COUNT, observation, stolen_ticks),
    COLUMN(TEXT, observation, url),
    COLUMN(TEXT, observation, address),
    COLUMN(COUNT, observation, status),
};

const struct rows_table rows_run = {"run", run_columns, sizeof(run_columns) / sizeof(*run_columns)};
const struct rows_table rows_observation = {
    "observation", observation_columns, sizeof(observation_columns) / sizeof(*observation_columns)};

/* NaN becomes NULL, and NULL NaN: SQLite itself does the first. */
static void bind(sqlite3_stmt *statement, int at, const struct rows_column *column,
                 const void *value)
{
    if (column->kind == TEXT)
        (void)sqlite3_bind_text(statement, at, value, -1, SQLITE_STATIC);
    else if (column->kind == NUMBER)
        (void)sqlite3_bind_double(statement, at, *(const double *)value);
    else if (column->kind == PLACE)
        (void)sqlite3_bind_int64(statement, at, *(const uint32_t *)value);
    else if (column->kind == COUNT && *(const int64_t *)value < 0)
        (void)sqlite3_bind_null(statement, at);
    else
        (void)sqlite3_bind_int64(statement, at, *(const int64_t *)value);
}

void rows_bind(sqlite3_stmt *statement, const struct rows_table *table, const void *row)
{
    for (int i = 0; i < table->count; i++)
        bind(statement, i + 1, &table->columns[i], (const char *)row + table->columns[i].at);
}

static void take(sqlite3_stmt *statement, int at, const struct rows_column *column, void *value)
{
    bool null = sqlite3_column_type(statement, at) == SQLITE_NULL;
    const unsigned char *text = column->kind == TEXT ? sqlite3_column_text(statement, at) : NULL;

    if (column->kind == TEXT)
        (void)snprintf(value, column->size, "%s", text ? (const char *)text : "");
    else if (column->kind == NUMBER)
        *(double *)value = null ? (double)NAN : sqlite3_column_double(statement, at);
    else if (column->kind == PLACE)
        *(uint32_t *)value = (uint32_t)sqlite3_column_int64(statement, at);
    else
        *(int64_t *)value = null ? -1 : sqlite3_column_int64(statement, at);
}

void rows_take(sqlite3_stmt *statement, const struct rows_table *table, void *row)
{
    for (int i = 0; i < table->count; i++)
        take(statement, i, &table->columns[i], (char *)row + table->columns[i].at);
}

void rows_insert(const struct rows_table *table, char sql[ROWS_INSERT_MAX])
{
    size_t len = (size_t)snprintf(sql, ROWS_INSERT_MAX, "INSERT INTO %s VALUES (?", table->name);

    for (int i = 1; i < table->count; i++)
        len += (size_t)snprintf(sql + len, ROWS_INSERT_MAX - len, ",?");
    (void)snprintf(sql + len, ROWS_INSERT_MAX - len, ")");
}
