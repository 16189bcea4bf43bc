/* SPDX-License-Identifier: MIT */

/*
 * SQLite, with a write-ahead log.  The one place that knows sqlite3.h.
 *
 * The log is written back into the file ("checkpoint") by tend() on the
 * writer's connection, by size: never on a reader's, never as a surprise
 * within a commit.
 */

#include <sqlite3.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/db.h"
#include "db/db_driver.h"

#define BUSY_MS 500
#define PAGE 4096
/* Of the log, in pages: what makes a checkpoint due, and what makes a log so
 * large (readers kept it) that its file is cut when nobody waits. */
#define LOG_DUE (4 * 1024 * 1024 / PAGE)
#define LOG_LARGE (32 * 1024 * 1024 / PAGE)
#define LOG_WAIT_MS 50
/* Between two questions whether to stop: instructions of its machine. */
#define STOP_STEPS 10000

struct db_conn {
	sqlite3 *db;
	bool saw_damage;
	int log_pages;       /* in the log after the last commit */
	int log_done;        /* of them, at the last checkpoint */
	struct db_stop stop; /* see lite_stop_when() */
};

/* A struct db_stmt is a sqlite3_stmt; nothing else is needed of it but the
 * connection, which the statement knows through its sqlite3. */
struct db_stmt {
	sqlite3_stmt *stmt;
	struct db_conn *conn;
	int bind_rc; /* the first failure of a bind */
};

static const struct {
	int rc; /* a primary code */
	enum err_code code;
} codes[] = {
	{ SQLITE_BUSY, ERR_DATABASE_BUSY },
	{ SQLITE_LOCKED, ERR_DATABASE_BUSY },
	{ SQLITE_FULL, ERR_STORAGE_FULL },
	{ SQLITE_INTERRUPT, ERR_SHUTTING_DOWN },
	{ SQLITE_CORRUPT, ERR_DATABASE_DAMAGED },
	{ SQLITE_NOTADB, ERR_DATABASE_DAMAGED },
	{ SQLITE_IOERR, ERR_IO },
	{ SQLITE_CANTOPEN, ERR_IO },
	{ SQLITE_PERM, ERR_IO },
	{ SQLITE_READONLY, ERR_IO },
	{ SQLITE_AUTH, ERR_IO },
};

/*
 * Is it that there was no room to write (a quota; SQLite knows only ENOSPC
 * itself)?  After a failed sync it is not: then nobody knows what was
 * written.
 */
static bool
is_no_space(sqlite3 *db, int rc)
{
	int sys = sqlite3_system_errno(db);

	return (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_SHMSIZE ||
	           rc == SQLITE_CANTOPEN) &&
	       (sys == ENOSPC || sys == EDQUOT);
}

/* The code of ours for what went wrong last on the connection. */
static enum err_code
code_of(sqlite3 *db, int rc)
{
	size_t i;

	if (rc == SQLITE_IOERR_CORRUPTFS)
		return ERR_DATABASE_DAMAGED;
	if (is_no_space(db, rc))
		return ERR_STORAGE_FULL;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].rc == (rc & 0xff))
			return codes[i].code;
	}
	return ERR_DATABASE;
}

static int
fail(struct db_conn *c, int rc, struct err *err)
{
	enum err_code code = code_of(c->db, rc);

	if (code == ERR_DATABASE_DAMAGED)
		c->saw_damage = true;
	/* This one may be shown to clients. */
	if (code == ERR_STORAGE_FULL) {
		err_set(err, code, "the storage is full");
		return -1;
	}
	err_set(err, code, "the database: %s (%d)", sqlite3_errmsg(c->db), rc);
	if (err != NULL && code == ERR_IO)
		err->sys = sqlite3_system_errno(c->db);
	return -1;
}

static int
lite_exec(struct db_conn *c, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(c, rc, err);
}

static int
note_log(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct db_conn *c = arg;

	(void)db;
	(void)name;
	c->log_pages = pages;
	return SQLITE_OK;
}

/*
 * What each role needs beside the defaults.  The caches are small because
 * the kernel has the file in its own; the log stays at most as large as a
 * large one after it was written back.  Freed pages are not overwritten: the
 * directory is private, and overwriting costs every replaced row.
 */
static const char SETUP[] = "PRAGMA mmap_size=0;"
                            "PRAGMA temp_store=MEMORY;"
                            "PRAGMA trusted_schema=OFF;"
                            "PRAGMA secure_delete=OFF;";
static const char *const ROLE_SETUP[] = {
	[DB_ROLE_READER] = "PRAGMA cache_size=-256;"
	                   "PRAGMA query_only=ON;",
	[DB_ROLE_WRITER] = "PRAGMA cache_size=-512;"
	                   "PRAGMA journal_mode=WAL;"
	                   "PRAGMA journal_size_limit=33554432;"
	                   "PRAGMA synchronous=FULL;",
	[DB_ROLE_MAKER] = "PRAGMA cache_size=-512;"
	                  "PRAGMA journal_mode=DELETE;"
	                  "PRAGMA synchronous=FULL;",
};

static void
lite_close(struct db_conn *c)
{
	if (c == NULL)
		return;
	/* With a statement left open this fails, and leaks: a bug of ours
	 * that the leak checker shows. */
	(void)sqlite3_close(c->db);
	free(c);
}

static int
lite_open(
    const struct db_conn_config *cf, struct db_conn **ret_conn, struct err *err)
{
	int flags =
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct db_conn *c = mem_calloc(1, sizeof(*c));
	int rc;

	/* Statistics of memory cost a global lock at every allocation.
	 * Refused, which is fine, once SQLite is in use. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (cf->role == DB_ROLE_MAKER || cf->path == NULL)
		flags |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(
	    cf->path == NULL ? ":memory:" : cf->path, &c->db, flags, NULL);
	if (rc != SQLITE_OK) {
		if (c->db == NULL)
			err_set(err, ERR_DATABASE, "no memory for a database");
		else
			fail(c, rc, err);
		goto out;
	}
	(void)sqlite3_busy_timeout(c->db, BUSY_MS);
	if (lite_exec(c, SETUP, err) < 0 ||
	    lite_exec(c, ROLE_SETUP[cf->role], err) < 0)
		goto out;
	/* Takes the place of SQLite's own automatic checkpoint. */
	(void)sqlite3_wal_hook(c->db, note_log, c);
	*ret_conn = c;
	return 0;
out:
	lite_close(c);
	return -1;
}

static int
lite_set_durable(struct db_conn *c, bool durable, struct err *err)
{
	return lite_exec(c,
	    durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
	    err);
}

static bool
lite_in_transaction(const struct db_conn *c)
{
	return sqlite3_get_autocommit(c->db) == 0;
}

static bool
lite_saw_damage(const struct db_conn *c)
{
	return c->saw_damage;
}

static int
lite_prepare(struct db_conn *c, const char *sql, struct db_stmt **ret_stmt,
    struct err *err)
{
	struct db_stmt *s;
	sqlite3_stmt *stmt;
	int rc;

	rc = sqlite3_prepare_v3(
	    c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (rc != SQLITE_OK)
		return fail(c, rc, err);
	s = mem_alloc(sizeof(*s));
	*s = (struct db_stmt){ stmt, c, SQLITE_OK };
	*ret_stmt = s;
	return 0;
}

static void
lite_finalize(struct db_stmt *s)
{
	(void)sqlite3_finalize(s->stmt); /* repeats what step() said */
	free(s);
}

static void
note_bind(struct db_stmt *s, int rc)
{
	if (s->bind_rc == SQLITE_OK)
		s->bind_rc = rc;
}

static void
lite_bind_int(struct db_stmt *s, int at, int64_t v)
{
	note_bind(s, sqlite3_bind_int64(s->stmt, at, v));
}

static void
lite_bind_text(struct db_stmt *s, int at, struct slice text)
{
	note_bind(s, sqlite3_bind_text64(s->stmt, at, text.p, text.n,
	                 SQLITE_STATIC, SQLITE_UTF8));
}

static void
lite_bind_null(struct db_stmt *s, int at)
{
	note_bind(s, sqlite3_bind_null(s->stmt, at));
}

static int
lite_step(struct db_stmt *s, struct err *err)
{
	int rc;

	if (s->bind_rc != SQLITE_OK)
		return fail(s->conn, s->bind_rc, err);
	rc = sqlite3_step(s->stmt);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return fail(s->conn, rc, err);
}

static void
lite_reset(struct db_stmt *s)
{
	(void)sqlite3_reset(s->stmt); /* repeats what step() said */
	(void)sqlite3_clear_bindings(s->stmt);
	s->bind_rc = SQLITE_OK;
}

static bool
lite_column_is_null(struct db_stmt *s, int at)
{
	return sqlite3_column_type(s->stmt, at) == SQLITE_NULL;
}

static int64_t
lite_column_int(struct db_stmt *s, int at)
{
	return sqlite3_column_int64(s->stmt, at);
}

static struct slice
lite_column_text(struct db_stmt *s, int at)
{
	const void *p = sqlite3_column_text(s->stmt, at);

	return (struct slice){ p, (size_t)sqlite3_column_bytes(s->stmt, at) };
}

static int64_t
lite_changes(const struct db_conn *c)
{
	return sqlite3_changes64(c->db);
}

static int64_t
lite_total_changes(const struct db_conn *c)
{
	return sqlite3_total_changes64(c->db);
}

static void
checkpoint(struct db_conn *c, int mode, int wait_ms)
{
	/* A failure is harmless: the log keeps what was not written back. */
	(void)sqlite3_busy_timeout(c->db, wait_ms);
	(void)sqlite3_wal_checkpoint_v2(c->db, NULL, mode, NULL, NULL);
	(void)sqlite3_busy_timeout(c->db, BUSY_MS);
	c->log_done = c->log_pages;
}

static void
lite_tend(struct db_conn *c, bool quiet)
{
	if (c->log_pages < c->log_done)
		c->log_done = 0; /* it was begun anew */
	if (quiet && c->log_pages >= LOG_LARGE) {
		checkpoint(c, SQLITE_CHECKPOINT_TRUNCATE, 0);
	} else if (c->log_pages - c->log_done >= LOG_DUE) {
		/* Counted from the last one: while a reader (a backup) keeps
		 * the log, each commit must not pay for a checkpoint.  The log
		 * begins anew once no reader needs it; one that grows because
		 * there is always some reader is worth waiting for them. */
		if (c->log_pages >= LOG_LARGE)
			checkpoint(c, SQLITE_CHECKPOINT_RESTART, LOG_WAIT_MS);
		else
			checkpoint(c, SQLITE_CHECKPOINT_PASSIVE, 0);
	}
	if (quiet)
		(void)sqlite3_db_release_memory(c->db);
}

static int
ask_stop(void *arg)
{
	const struct db_stop *stop = arg;

	return stop->fn(stop->arg);
}

static void
lite_stop_when(struct db_conn *c, const struct db_stop *stop)
{
	c->stop = *stop;
	sqlite3_progress_handler(c->db, STOP_STEPS, ask_stop, &c->stop);
}

static int
lite_check(struct db_conn *c, bool full, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	const char *text;
	int rc;

	rc = sqlite3_prepare_v2(c->db,
	    full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", -1,
	    &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		(void)sqlite3_finalize(stmt);
		return fail(c, rc, err);
	}
	text = (const char *)sqlite3_column_text(stmt, 0);
	if (text == NULL)
		text = "the check does not say how";
	rc = 0;
	if (strcmp(text, "ok") != 0) {
		c->saw_damage = true;
		rc = err_set(err, ERR_DATABASE_DAMAGED,
		    "the database is damaged: %s", text);
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

static int
lite_snapshot(struct db_conn *c, const char *path, struct err *err)
{
	static const char sql[] = "VACUUM INTO $1";
	struct db_stmt *s;
	int rc;

	/* A reader's connection writes nothing, not even a copy. */
	if (lite_exec(c, "PRAGMA query_only=OFF", err) < 0 ||
	    lite_prepare(c, sql, &s, err) < 0)
		return -1;
	lite_bind_text(s, 1, slice_str(path));
	rc = lite_step(s, err);
	lite_finalize(s);
	return rc;
}

const struct db_driver db_sqlite = {
	.begin_read = "BEGIN DEFERRED",
	.begin_write = "BEGIN IMMEDIATE",
	.open = lite_open,
	.close = lite_close,
	.set_durable = lite_set_durable,
	.in_transaction = lite_in_transaction,
	.saw_damage = lite_saw_damage,
	.exec = lite_exec,
	.prepare = lite_prepare,
	.finalize = lite_finalize,
	.bind_int = lite_bind_int,
	.bind_text = lite_bind_text,
	.bind_null = lite_bind_null,
	.step = lite_step,
	.reset = lite_reset,
	.column_is_null = lite_column_is_null,
	.column_int = lite_column_int,
	.column_text = lite_column_text,
	.changes = lite_changes,
	.total_changes = lite_total_changes,
	.tend = lite_tend,
	.stop_when = lite_stop_when,
	.check = lite_check,
	.snapshot = lite_snapshot,
};
