/* SPDX-License-Identifier: MIT */

/*
 * Opening by all means.  A database that is damaged is set aside as it is,
 * with its log, under a name at which SQLite would open it; its place is taken
 * by the newest sound backup or a new one.  These are made beside it and
 * renamed when they are whole, so a crash at any point finds either no
 * database (and begins again) or a whole one.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/mem.h"
#include "db/db_priv.h"

/* In the order of being set aside: a log without its database would be
 * taken for that of the next one at its place. */
static const char *const parts[] = { "-wal", "-shm", "-journal", "" };

#define PARTS (sizeof(parts) / sizeof(parts[0]))

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static const char *
last_segment(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Whatever lies at the database's place gets out of the way. */
static int
set_aside(struct db *db, struct db_state *state, struct err *err)
{
	char stamp[DB_STAMP_SIZE];
	char *from, *to, *base;
	int rc = 0;
	size_t i;

	db_file_stamp(clock_wall_ms(db->clock), stamp);
	base = mem_printf("%s.damaged-%s", db->path, stamp);
	for (i = 0; rc == 0 && i < PARTS; i++) {
		from = mem_printf("%s%s", db->path, parts[i]);
		to = mem_printf("%s%s", base, parts[i]);
		if (exists(from)) {
			rc = db_file_rename(from, to, err);
			state->was_damaged = true;
			snprintf(state->set_aside, sizeof(state->set_aside),
			    "%s", last_segment(base));
		}
		free(from);
		free(to);
		FAULT_POINT("db.set_aside");
	}
	free(base);
	return rc;
}

/* --- a new file ------------------------------------------------------- */

static int
make_new(struct db *db, const char *path, struct err *err)
{
	struct db_conn_config cf = { path, DB_ROLE_MAKER };
	struct db_conn *conn;
	struct db_tx *tx;
	int rc;

	if (db_file_touch(path, err) < 0)
		return -1;
	if (db->driver->open(&cf, &conn, err) < 0)
		return -1;
	tx = db_tx_new(db->driver, conn, db->node);
	rc = db_schema_migrate(tx, 0, err);
	db_tx_free(tx);
	return rc;
}

/* Left by a crash. */
static int
remove_staged(const char *staged, struct err *err)
{
	char *path;
	int rc = 0;
	size_t i;

	for (i = 0; rc == 0 && i < PARTS; i++) {
		path = mem_printf("%s%s", staged, parts[i]);
		rc = db_file_remove(path, err);
		free(path);
	}
	return rc;
}

/* Fills the empty place. */
static int
place(struct db *db, struct db_state *state, struct err *err)
{
	char *staged = mem_printf("%s.new", db->path);
	int rc = -1;

	if (remove_staged(staged, err) < 0)
		goto out;
	if (db_backup_restore(db, staged, state->backup, err) < 0)
		goto out;
	state->from_backup = state->backup[0] != '\0';
	state->is_new = !state->from_backup;
	if (state->is_new && make_new(db, staged, err) < 0)
		goto out;
	FAULT_POINT("db.staged");
	rc = db_file_rename(staged, db->path, err);
	FAULT_POINT("db.placed");
out:
	free(staged);
	return rc;
}

/* --- one that is there ------------------------------------------------ */

static int
examine(struct db_tx *tx, struct db_state *state, struct err *err)
{
	struct db_schema schema;

	if (db_schema_read(tx, &schema, err) < 0)
		return -1;
	state->was_unclean = !schema.clean;
	state->is_incomplete = !schema.complete;
	if (state->was_unclean && tx->driver->check(tx->conn, false, err) < 0)
		return -1;
	return db_schema_migrate(tx, schema.version, err);
}

static int
open_writer(struct db *db, struct db_tx **ret_tx, struct err *err)
{
	struct db_conn_config cf = { db->path, DB_ROLE_WRITER };
	struct db_conn *conn;

	if (db->driver->open(&cf, &conn, err) < 0)
		return -1;
	*ret_tx = db_tx_new(db->driver, conn, db->node);
	return 0;
}

/* Opens what lies at the database's place; ERR_DATABASE_DAMAGED and
 * ERR_DATABASE: it is no good. */
static int
open_there(struct db *db, struct db_tx **ret_tx, struct db_state *state,
    struct err *err)
{
	struct db_tx *tx;
	struct stat st;

	/* SQLite takes an empty file for an empty database; but ours are
	 * never empty. */
	if (stat(db->path, &st) == 0 && st.st_size == 0)
		return err_set(
		    err, ERR_DATABASE_DAMAGED, "the database is empty");
	if (open_writer(db, &tx, err) < 0)
		return -1;
	if (examine(tx, state, err) < 0) {
		db_tx_free(tx);
		return -1;
	}
	*ret_tx = tx;
	return 0;
}

static bool
is_no_good(const struct err *err)
{
	return err->code == ERR_DATABASE_DAMAGED || err->code == ERR_DATABASE;
}

/* What a person at the start can do something about. */
static int
explain(const struct db *db, struct err *err)
{
	struct err cause = *err;

	switch (cause.code) {
	case ERR_DATABASE_BUSY:
		return err_set(err, ERR_SETTING,
		    "another program uses the database '%s'", db->path);
	case ERR_IO:
	case ERR_EXISTS:
	case ERR_ABSENT:
		return err_set(err, ERR_SETTING,
		    "cannot use the database '%s': %s", db->path, cause.msg);
	default:
		return -1;
	}
}

/* In memory everything is new. */
static int
open_memory(struct db *db, struct db_tx **ret_tx, struct db_state *state,
    struct err *err)
{
	struct db_tx *tx;

	if (open_writer(db, &tx, err) < 0)
		return -1;
	if (db_schema_migrate(tx, 0, err) < 0) {
		db_tx_free(tx);
		return -1;
	}
	state->is_new = state->is_incomplete = true;
	*ret_tx = tx;
	return 0;
}

static int
open_file(struct db *db, struct db_tx **ret_tx, struct db_state *state,
    struct err *err)
{
	struct db_state ignored;

	if (exists(db->path)) {
		if (open_there(db, ret_tx, state, err) == 0)
			return 0;
		if (!is_no_good(err))
			return -1;
	}
	err_clear(err);
	if (set_aside(db, state, err) < 0 || place(db, state, err) < 0)
		return -1;
	/* A backup says that it was not closed; that is not news. */
	state->is_incomplete = true;
	return open_there(db, ret_tx, &ignored, err);
}

int
db_repair_open(struct db *db, struct db_tx **ret_tx, struct db_state *ret_state,
    struct err *err)
{
	struct db_state state = { 0 };
	struct err cause = ERR_INIT;
	struct db_tx *tx = NULL;
	int rc;

	if (db->path == NULL)
		rc = open_memory(db, &tx, &state, &cause);
	else
		rc = open_file(db, &tx, &state, &cause);
	if (rc < 0) {
		(void)explain(db, &cause);
		if (err != NULL)
			*err = cause;
		return -1;
	}
	*ret_tx = tx;
	*ret_state = state;
	return 0;
}
