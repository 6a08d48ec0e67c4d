#include "bridge/ledger/sql.h"

#include <string.h>

#include "core/error.h"

bool sql_error(sqlite3 *db, struct error *err)
{
	int code = sqlite3_extended_errcode(db) & 0xff;
	bool is_damage = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
	int why = sqlite3_system_errno(db);
	bool is_system = why && (code == SQLITE_CANTOPEN || code == SQLITE_IOERR);
	error_set(err, is_damage ? ERR_CORRUPT : ERR_IO, "%s%s%s", sqlite3_errmsg(db),
		is_system ? ": " : "", is_system ? strerror(why) : "");
	if (is_damage)
		error_hint(err, "the bridge sets a damaged ledger aside when it starts");
	return false;
}

bool sql_exec(sqlite3 *db, const char *text, struct error *err)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(db, err);
	return true;
}

bool sql_prepare(sqlite3 *db, sqlite3_stmt **out, const char *text, struct error *err)
{
	if (sqlite3_prepare_v2(db, text, -1, out, NULL) != SQLITE_OK)
		return sql_error(db, err);
	return true;
}

int sql_step(sqlite3_stmt *statement, struct error *err)
{
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		sql_error(sqlite3_db_handle(statement), err);
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : -1;
}

bool sql_run(sqlite3_stmt *statement, struct error *err)
{
	int more;
	while ((more = sql_step(statement, err)) > 0)
		;
	return more == 0;
}

bool sql_number(sqlite3 *db, const char *query, int64_t fallback, int64_t *out, struct error *err)
{
	AUTO(statement) sqlite3_stmt *statement = NULL;
	if (!sql_prepare(db, &statement, query, err))
		return false;
	int got = sql_step(statement, err);
	if (got < 0)
		return false;
	bool has_value = got > 0 && sqlite3_column_type(statement, 0) != SQLITE_NULL;
	*out = has_value ? sqlite3_column_int64(statement, 0) : fallback;
	return true;
}

void sql_bind_slice(sqlite3_stmt *statement, int index, struct slice text)
{
	/* A NULL pointer would bind SQL's NULL. */
	const char *bytes = text.len ? (const char *)text.ptr : "";
	sqlite3_bind_text(statement, index, bytes, (int)text.len, SQLITE_STATIC);
}

struct slice sql_slice(sqlite3_stmt *statement, int column)
{
	const void *bytes = sqlite3_column_blob(statement, column);
	return slice_of(bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, column));
}
