/* SPDX-License-Identifier: MIT */

/*
 * The tables, as the steps that made them.  A step that was released is never
 * changed: a new one is added at the end.
 *
 * Ids are 32 hex digits, ordered by time; times are unix milliseconds; flags
 * are 0 or 1.
 */

#include "base/err.h"
#include "db/db_priv.h"

/* clang-format off */
static const char VERSION_1[] =
/* What this file is; one row. */
"CREATE TABLE state ("
"  one SMALLINT PRIMARY KEY CHECK (one = 1),"
"  version BIGINT NOT NULL,"
"  clean SMALLINT NOT NULL,"       /* the last run closed it */
"  complete SMALLINT NOT NULL,"    /* see db_set_complete() */
"  run TEXT NOT NULL,"             /* see db_run.c */
"  syncs BIGINT NOT NULL"          /* see db_make_durable() */
");"
"INSERT INTO state (one, version, clean, complete, run, syncs)"
"  VALUES (1, 0, 1, 0, '', 0);"

"CREATE TABLE files ("
"  filename TEXT PRIMARY KEY,"
"  blob_id TEXT NOT NULL UNIQUE,"
"  sha256 TEXT NOT NULL,"
"  crc32 BIGINT NOT NULL,"
"  size BIGINT NOT NULL CHECK (size >= 0),"
"  mime_type TEXT,"
"  encryption SMALLINT NOT NULL,"
"  layout SMALLINT NOT NULL CHECK (layout IN (0, 1)),"
"  created_ms BIGINT NOT NULL,"
"  modified_ms BIGINT NOT NULL,"
"  transfer_id TEXT NOT NULL,"
"  damaged SMALLINT NOT NULL,"
"  width BIGINT,"                  /* of images; null: none or unknown */
"  height BIGINT"
");"

/* Blobs that no file names any more, until they are unlinked. */
"CREATE TABLE trash ("
"  blob_id TEXT PRIMARY KEY"
");"

"CREATE TABLE transfers ("
"  id TEXT PRIMARY KEY,"
"  direction SMALLINT NOT NULL CHECK (direction IN (0, 1)),"
"  status SMALLINT NOT NULL CHECK (status BETWEEN 0 AND 6),"
"  filename TEXT NOT NULL,"
"  sha256 TEXT NOT NULL,"
"  encryption SMALLINT NOT NULL,"
"  priority BIGINT NOT NULL,"
"  transferred BIGINT NOT NULL,"
"  total BIGINT,"                  /* null: unknown */
"  speed_bps BIGINT NOT NULL,"
"  client_ip TEXT,"
"  client_id TEXT,"
"  user_agent TEXT,"
"  retry_count BIGINT NOT NULL,"
"  created_ms BIGINT NOT NULL,"
"  updated_ms BIGINT NOT NULL,"
"  ended_ms BIGINT,"               /* null: it has not */
"  error TEXT,"
"  error_code TEXT,"
"  node TEXT NOT NULL,"            /* who runs, or ran it */
"  lease_ms BIGINT NOT NULL"       /* until when; 0: while the node lives */
");"
/* A name's history; a client's; the few that are not just completed (3). */
"CREATE INDEX transfers_filename ON transfers (filename, id);"
"CREATE INDEX transfers_client_ip ON transfers (client_ip, id);"
"CREATE INDEX transfers_client_id ON transfers (client_id, id)"
"  WHERE client_id IS NOT NULL;"
"CREATE INDEX transfers_status ON transfers (status, id) WHERE status <> 3;"
"CREATE INDEX transfers_ended ON transfers (ended_ms, id)"
"  WHERE ended_ms IS NOT NULL;"

/* Each name's newest transfer in either direction. */
"CREATE TABLE newest ("
"  filename TEXT PRIMARY KEY,"
"  upload_id TEXT,"
"  download_id TEXT"
");"
/* With the name, so that a prefix is looked for in the index alone. */
"CREATE INDEX newest_upload ON newest (upload_id, filename)"
"  WHERE upload_id IS NOT NULL;"

/* Sums, a row for each writer; see rec_counter.h. */
"CREATE TABLE counters ("
"  name TEXT NOT NULL,"
"  node TEXT NOT NULL,"
"  value BIGINT NOT NULL,"
"  PRIMARY KEY (name, node)"
");"

"CREATE TABLE keys ("
"  id TEXT PRIMARY KEY,"
"  hash TEXT NOT NULL UNIQUE,"     /* SHA-256 of the key, hex */
"  name TEXT,"
"  scopes BIGINT NOT NULL,"
"  prefix TEXT,"
"  created_ms BIGINT NOT NULL,"
"  expires_ms BIGINT NOT NULL,"    /* 0: never */
"  last_used_ms BIGINT NOT NULL"   /* 0: never */
");";

/* The few that are to be made plain (rec_file_next_unsettled()). */
static const char VERSION_2[] =
"CREATE INDEX files_unsettled ON files (blob_id)"
"  WHERE layout = 1 AND encryption = 0;";

/* Uploads that can be gone on with, and for a while how they ended. */
static const char VERSION_3[] =
"CREATE TABLE sessions ("
"  id TEXT PRIMARY KEY,"           /* of its transfer, too */
"  kind SMALLINT NOT NULL CHECK (kind IN (0, 1)),"
"  state SMALLINT NOT NULL CHECK (state BETWEEN 0 AND 3),"
"  url TEXT UNIQUE,"               /* null: found by its name */
"  filename TEXT NOT NULL,"
"  prefix TEXT NOT NULL,"          /* of the key that began it */
"  client TEXT NOT NULL,"
"  blob_id TEXT NOT NULL,"
"  layout SMALLINT NOT NULL CHECK (layout IN (0, 1)),"
"  encryption SMALLINT NOT NULL,"
"  total_chunks BIGINT NOT NULL,"
"  total_size BIGINT,"             /* null: not said */
"  file_hash TEXT,"                /* null: not said */
"  grid BIGINT NOT NULL,"          /* 0: unknown */
"  off_grid SMALLINT NOT NULL,"
"  received BIGINT NOT NULL,"
"  front_number BIGINT NOT NULL,"
"  front_offset BIGINT NOT NULL,"
"  header TEXT,"                   /* null: not sealed */
"  tail TEXT,"                     /* null: nothing waits */
"  hash_offset BIGINT NOT NULL,"
"  hash_crc32 BIGINT NOT NULL,"
"  hash_state TEXT,"
"  metadata TEXT,"
"  concat TEXT,"
"  error TEXT,"                    /* why it failed */
"  error_code TEXT,"
"  last_number BIGINT NOT NULL,"   /* the chunk that completed it */
"  last_hash TEXT,"
"  updated_ms BIGINT NOT NULL,"
"  until_ms BIGINT NOT NULL"       /* when the row of an ended one goes */
");"
/* A name has one that takes chunks. */
"CREATE UNIQUE INDEX sessions_chunks ON sessions (filename)"
"  WHERE kind = 0 AND state = 0;"
"CREATE INDEX sessions_blob ON sessions (blob_id) WHERE state = 0;"

"CREATE TABLE chunks ("
"  session_id TEXT NOT NULL,"
"  number BIGINT NOT NULL,"
"  size BIGINT NOT NULL,"
"  hash TEXT NOT NULL,"
"  blob_id TEXT,"                  /* null: it is in its place */
"  PRIMARY KEY (session_id, number)"
");"
"CREATE INDEX chunks_blob ON chunks (blob_id) WHERE blob_id IS NOT NULL;";

/* What the transfers of a client add up to; client_id is '' for none. */
static const char VERSION_4[] =
"CREATE TABLE clients ("
"  ip TEXT NOT NULL,"
"  client_id TEXT NOT NULL,"
"  agent TEXT,"
"  uploads BIGINT NOT NULL,"
"  downloads BIGINT NOT NULL,"
"  bytes BIGINT NOT NULL,"
"  last_ms BIGINT NOT NULL,"
"  PRIMARY KEY (ip, client_id)"
");"
"CREATE INDEX clients_last ON clients (last_ms DESC, ip, client_id);"
"INSERT INTO clients (ip, client_id, agent, uploads, downloads, bytes, last_ms)"
"  SELECT client_ip, COALESCE(client_id, ''), MAX(user_agent),"
"    SUM(CASE WHEN direction = 0 THEN 1 ELSE 0 END),"
"    SUM(CASE WHEN direction = 1 THEN 1 ELSE 0 END),"
"    SUM(CASE WHEN status = 3 THEN transferred ELSE 0 END),"
"    MAX(updated_ms)"
"  FROM transfers WHERE client_ip IS NOT NULL"
"  GROUP BY client_ip, COALESCE(client_id, '');"
"INSERT INTO counters (name, node, value)"
"  SELECT 'clients', '', COUNT(*) FROM clients;";

/* How many transfers a day has, see rec_day.h. */
static const char VERSION_5[] =
"INSERT INTO counters (name, node, value)"
"  SELECT 'day.' || CAST(100000 + created_ms / 86400000 AS TEXT) || '.' ||"
"    CAST(direction AS TEXT) || CAST(status AS TEXT), '', COUNT(*)"
"  FROM transfers WHERE created_ms >= 0"
"  GROUP BY created_ms / 86400000, direction, status;";

/* The orders in which files are listed; with the name, so that a prefix is
 * looked for in the index alone. */
static const char VERSION_6[] =
"CREATE INDEX files_newest ON files (modified_ms, filename);"
"CREATE INDEX files_largest ON files (size, filename);";

/* An upload that is not to replace a file of its name. */
static const char VERSION_7[] =
"ALTER TABLE sessions ADD COLUMN keep_existing SMALLINT NOT NULL DEFAULT 0;";

static const char *const steps[] = {
	VERSION_1,
	VERSION_2,
	VERSION_3,
	VERSION_4,
	VERSION_5,
	VERSION_6,
	VERSION_7,
};
/* clang-format on */

#define LATEST ((int)(sizeof(steps) / sizeof(steps[0])))

static const char SQL_READ[] =
    "SELECT version, clean, complete, run FROM state WHERE one = 1";
static const char SQL_VERSION[] = "UPDATE state SET version = $1";
static const char SQL_TURN[] =
    "UPDATE state SET clean = $1, complete = $2, run = $3";
static const char SQL_COMPLETE[] = "UPDATE state SET complete = $1";
static const char SQL_TOUCH[] = "UPDATE state SET syncs = syncs + 1";

int
db_schema_read(struct db_tx *tx, struct db_schema *ret_schema, struct err *err)
{
	struct db_schema s;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_READ, err) < 0)
		return -1;
	rc = sql_step(&q, err);
	if (rc > 0) {
		s.version = (int)sql_get_int(&q);
		s.clean = sql_get_bool(&q);
		s.complete = sql_get_bool(&q);
		sql_get_chars(&q, s.run, sizeof(s.run));
	}
	sql_close(&q);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(
		    err, ERR_DATABASE, "the database does not say its version");
	if (s.version < 1)
		return err_set(err, ERR_DATABASE_DAMAGED,
		    "the database says that its version is %d", s.version);
	if (s.version > LATEST)
		return err_set(err, ERR_SETTING,
		    "the database was made by a newer version of this program "
		    "(schema %d, this one knows up to %d): start that one",
		    s.version, LATEST);
	*ret_schema = s;
	return 0;
}

static int
set_version(struct db_tx *tx, int version, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_VERSION, err) < 0)
		return -1;
	sql_put_int(&q, version);
	return sql_run(&q, NULL, err);
}

static int
run_steps(struct db_tx *tx, int from, struct err *err)
{
	int i;

	for (i = from; i < LATEST; i++) {
		if (tx->driver->exec(tx->conn, steps[i], err) < 0)
			return -1;
	}
	return set_version(tx, LATEST, err);
}

int
db_schema_latest(void)
{
	return LATEST;
}

int
db_schema_migrate(struct db_tx *tx, int from, struct err *err)
{
	if (from == LATEST)
		return 0;
	if (db_tx_begin(tx, true, err) < 0)
		return -1;
	if (run_steps(tx, from, err) < 0 || db_tx_commit(tx, err) < 0) {
		db_tx_rollback(tx);
		return -1;
	}
	return 0;
}

int
db_schema_turn(
    struct db_tx *tx, const struct db_schema *schema, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_TURN, err) < 0)
		return -1;
	sql_put_int(&q, schema->clean);
	sql_put_int(&q, schema->complete);
	sql_put_text(&q, schema->run);
	return sql_run(&q, NULL, err);
}

int
db_schema_set_complete(struct db_tx *tx, bool complete, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_COMPLETE, err) < 0)
		return -1;
	sql_put_int(&q, complete);
	return sql_run(&q, NULL, err);
}

int
db_schema_touch(struct db_tx *tx, struct err *err)
{
	return sql_do(tx, SQL_TOUCH, err);
}
