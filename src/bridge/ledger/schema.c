/* The tables, and how an older schema becomes the present one.
 *
 * A migration is a script that turns version n into n + 1, run in one transaction with the new number, so a
 * process that dies in between leaves version n. Scripts are never changed once released. */
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/ledger_internal.h"
#include "bridge/ledger/sql.h"
#include "core/error.h"
#include "core/mem.h"

/* A series is live in this epoch when it has a counter; shown_ms 0: no scrape has shown it yet. */
static const char version_1[] =
	"CREATE TABLE series(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, metric TEXT NOT NULL,"
	" family TEXT NOT NULL, unit TEXT NOT NULL, help TEXT NOT NULL, labels TEXT NOT NULL,"
	" bounds TEXT NOT NULL, shown_ms INTEGER NOT NULL);"
	"CREATE INDEX series_not_shown ON series(id) WHERE shown_ms = 0;"
	"CREATE TABLE counters(series INTEGER NOT NULL, part INTEGER NOT NULL, hi REAL,"
	" lo REAL, set_ms INTEGER NOT NULL, pending REAL, position INTEGER NOT NULL,"
	" PRIMARY KEY(series, part)) WITHOUT ROWID;"
	"CREATE TABLE minutes(minute INTEGER NOT NULL, series INTEGER NOT NULL,"
	" part INTEGER NOT NULL, amount REAL,"
	" PRIMARY KEY(minute, series, part)) WITHOUT ROWID;"
	"CREATE TABLE sessions(session INTEGER PRIMARY KEY, text TEXT NOT NULL, user TEXT NOT NULL,"
	" terminal TEXT NOT NULL, version TEXT NOT NULL, first_ms INTEGER NOT NULL,"
	" last_ms INTEGER NOT NULL, lost INTEGER NOT NULL, is_unknown INTEGER NOT NULL);"
	"CREATE INDEX sessions_last ON sessions(last_ms);"
	"CREATE TABLE session_hours(hour INTEGER NOT NULL, session INTEGER NOT NULL,"
	" series INTEGER NOT NULL, part INTEGER NOT NULL, amount REAL,"
	" PRIMARY KEY(hour, session, series, part)) WITHOUT ROWID;"
	"CREATE TABLE streams(key1 INTEGER NOT NULL, key2 INTEGER NOT NULL,"
	" earliest INTEGER NOT NULL, anchor INTEGER NOT NULL, series INTEGER NOT NULL,"
	" part INTEGER NOT NULL, value REAL, seen_ms INTEGER NOT NULL,"
	" PRIMARY KEY(key1, key2, earliest)) WITHOUT ROWID;"
	"CREATE TABLE state(name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE progress(one INTEGER PRIMARY KEY CHECK(one = 1), position INTEGER NOT NULL,"
	" epoch_start_ns INTEGER NOT NULL, last_scrape_ms INTEGER NOT NULL,"
	" scrape_position INTEGER NOT NULL);"
	"INSERT INTO progress VALUES(1, 0, 0, 0, 0);";

static const char *const migrations[] = { version_1 };

_Static_assert(sizeof migrations / sizeof *migrations == LEDGER_SCHEMA_VERSION,
	"one migration for each version");

bool schema_version(sqlite3 *db, int64_t *version, struct error *err)
{
	if (!sql_number(db, "PRAGMA user_version", 0, version, err))
		return false;
	if (*version > LEDGER_SCHEMA_VERSION) {
		error_set(err, ERR_NEWER, "the ledger has schema version %lld, this cctm knows %d",
			(long long)*version, LEDGER_SCHEMA_VERSION);
		return error_hint(err, "use the newer cctm that wrote it");
	}
	int64_t tables = 0;
	if (*version == 0 && !sql_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err))
		return false;
	if (*version < 0 || tables > 0)
		return error_set(err, ERR_CORRUPT, "the file is a database, and not a ledger");
	return true;
}

static bool migrate(sqlite3 *db, int64_t version, struct error *err)
{
	AUTO(str)
	char *script = mem_printf("BEGIN IMMEDIATE; %s PRAGMA user_version = %lld; COMMIT;",
		migrations[version], (long long)version + 1);
	if (sql_exec(db, script, err))
		return true;
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return error_wrap(err, "bringing the schema to version %lld", (long long)version + 1);
}

bool schema_prepare(sqlite3 *db, struct error *err)
{
	int64_t version;
	if (!schema_version(db, &version, err))
		return false;
	for (; version < LEDGER_SCHEMA_VERSION; version++) {
		if (!migrate(db, version, err))
			return false;
	}
	return true;
}

bool schema_read_progress(sqlite3 *db, struct progress *out, struct error *err)
{
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!sql_prepare(db, &row,
		    "SELECT position, epoch_start_ns, last_scrape_ms, scrape_position "
		    "FROM progress",
		    err))
		return false;
	int got = sql_step(row, err);
	if (got < 0)
		return false;
	if (got == 0)
		return error_set(err, ERR_CORRUPT, "the ledger has lost its position");
	*out = (struct progress){
		.position = sql_u64(row, 0),
		.epoch_start_ns = sql_u64(row, 1),
		.last_scrape_ms = sqlite3_column_int64(row, 2),
		.scrape_position = sql_u64(row, 3),
	};
	return true;
}
