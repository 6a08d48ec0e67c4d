/* The few calls of SQLite that the ledger makes, with errors as cctm has them. */
#ifndef CCTM_BRIDGE_LEDGER_SQL_H
#define CCTM_BRIDGE_LEDGER_SQL_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;

/* Sets `err` from the connection's last failure: ERR_CORRUPT for a damaged file, else ERR_IO. False. */
bool sql_error(sqlite3 *db, struct error *err);

/* One or several statements without results. */
bool sql_exec(sqlite3 *db, const char *text, struct error *err) MUST_CHECK;

bool sql_prepare(sqlite3 *db, sqlite3_stmt **out, const char *text, struct error *err) MUST_CHECK;

/* 1: a row; 0: done, and the statement is reset; -1: error, and it is reset. */
int sql_step(sqlite3_stmt *statement, struct error *err) MUST_CHECK;

/* Steps a statement that gives no rows, to its end. */
bool sql_run(sqlite3_stmt *statement, struct error *err) MUST_CHECK;

/* The first column of the first row of a query; `fallback` if there is none or it is NULL. */
bool sql_number(sqlite3 *db, const char *query, int64_t fallback, int64_t *out, struct error *err)
	MUST_CHECK;

/* Borrowed until the statement is stepped, bound or reset. */
void sql_bind_slice(sqlite3_stmt *statement, int index, struct slice text);
struct slice sql_slice(sqlite3_stmt *statement, int column);

/* 64-bit hashes and positions lie in SQLite's signed integers, bit for bit. */
static inline void sql_bind_u64(sqlite3_stmt *statement, int index, uint64_t value)
{
	sqlite3_bind_int64(statement, index, (sqlite3_int64)value);
}

/* NULL, as which SQLite stores it, is NaN. */
static inline double sql_double(sqlite3_stmt *statement, int column)
{
	bool is_null = sqlite3_column_type(statement, column) == SQLITE_NULL;
	return is_null ? (double)NAN : sqlite3_column_double(statement, column);
}

static inline uint64_t sql_u64(sqlite3_stmt *statement, int column)
{
	return (uint64_t)sqlite3_column_int64(statement, column);
}

static inline uint32_t sql_u32(sqlite3_stmt *statement, int column)
{
	return (uint32_t)sqlite3_column_int64(statement, column);
}

static inline void auto_statement(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

#endif
