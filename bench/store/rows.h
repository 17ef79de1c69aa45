/*
 * store/rows.h: the tables of the database, and the structures that are rows of them. Private to
 * this folder. Read first: sqlite.org/c3ref/bind_blob.html.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <sqlite3.h>

enum { ROWS_INSERT_MAX = 128 };

/** The statements that make both tables. */
extern const char rows_schema[];

struct rows_column;

struct rows_table {
    const char *name;
    const struct rows_column *columns; /* in the order of the schema */
    int count;
};

/** Of struct store_run, and of struct observation. */
extern const struct rows_table rows_run, rows_observation;

/** "INSERT INTO run VALUES (?,?...)" */
void rows_insert(const struct rows_table *table, char sql[ROWS_INSERT_MAX]);

/** Gives such a statement its values; texts stay where they are until it is done. */
void rows_bind(sqlite3_stmt *statement, const struct rows_table *table, const void *row);

/** From a row that SELECT * has found. */
void rows_take(sqlite3_stmt *statement, const struct rows_table *table, void *row);

#endif
