/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_DRIVER_H
#define DB_DB_DRIVER_H

/*
 * What a database has to offer.  Everything above a driver is written once, in
 * SQL that SQLite and PostgreSQL share: parameters are $1, $2 ... in the
 * order of their first appearance, types BIGINT, SMALLINT and TEXT (UTF-8
 * that compares by its bytes), INSERT ... ON CONFLICT, savepoints.
 *
 * A connection and its statements are used by one thread at a time.
 *
 * Errors, by code:
 *   ERR_DATABASE_BUSY     locked by another; nothing happened, try again
 *   ERR_STORAGE_FULL      no space; nothing happened
 *   ERR_DATABASE_DAMAGED  the file is no database, or broken
 *   ERR_IO                a call on the file failed
 *   ERR_DATABASE          anything else: a constraint, wrong SQL
 * After each of them the transaction may be gone (in_transaction).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct db_conn;
struct db_stmt;
struct db_stop; /* db.h */

enum db_role {
	DB_ROLE_READER, /* every write is an error */
	DB_ROLE_WRITER, /* keeps house: tend() is called on it */
	DB_ROLE_MAKER,  /* writes a new file that nobody else uses yet */
};

struct db_conn_config {
	const char *path; /* NULL: in memory, this connection's own */
	enum db_role role;
};

struct db_driver {
	const char *begin_read;  /* SQL: one snapshot for all that follows */
	const char *begin_write; /* SQL: takes the writer's place at once */

	int (*open)(const struct db_conn_config *cf, struct db_conn **ret_conn,
	    struct err *err);
	void (*close)(struct db_conn *c); /* NULL is fine */
	/* Is a commit to survive a power failure?  It is until told
	 * otherwise.  Not within a transaction. */
	int (*set_durable)(struct db_conn *c, bool durable, struct err *err);
	bool (*in_transaction)(const struct db_conn *c);
	/* Has any call on it met damage? */
	bool (*saw_damage)(const struct db_conn *c);
	/* Runs statements without parameters, rows dropped. */
	int (*exec)(struct db_conn *c, const char *sql, struct err *err);

	int (*prepare)(struct db_conn *c, const char *sql,
	    struct db_stmt **ret_stmt, struct err *err);
	void (*finalize)(struct db_stmt *s);
	/* Parameters count from 1.  What ${p} points to must stay until the
	 * reset.  A failure shows in step(). */
	void (*bind_int)(struct db_stmt *s, int at, int64_t v);
	void (*bind_text)(struct db_stmt *s, int at, struct slice text);
	void (*bind_null)(struct db_stmt *s, int at);
	int (*step)(struct db_stmt *s, struct err *err); /* 1: a row, 0: end */
	void (*reset)(struct db_stmt *s); /* parameters become null */
	/* Columns count from 0; valid until the next step or reset. */
	bool (*column_is_null)(struct db_stmt *s, int at);
	int64_t (*column_int)(struct db_stmt *s, int at);       /* 0 for null */
	struct slice (*column_text)(struct db_stmt *s, int at); /* p NULL */
	/* Rows that the last statement of the connection changed; and all
	 * since it was opened, also those that were rolled back. */
	int64_t (*changes)(const struct db_conn *c);
	int64_t (*total_changes)(const struct db_conn *c);

	/*
	 * Housekeeping of the writer's connection, called after its commits
	 * and, with ${quiet}, when none came for a while.  What cannot be done
	 * now is done at a later call.
	 */
	void (*tend)(struct db_conn *c, bool quiet);
	/* Statements end early, with ERR_SHUTTING_DOWN, when it says so; it
	 * is borrowed. */
	void (*stop_when)(struct db_conn *c, const struct db_stop *stop);
	/* ERR_DATABASE_DAMAGED says what is wrong. ${full}: every index
	 * against its table, too. */
	int (*check)(struct db_conn *c, bool full, struct err *err);
	/* Writes a consistent copy of all into the file ${path}, which is
	 * empty or not there; not synced. */
	int (*snapshot)(struct db_conn *c, const char *path, struct err *err);
};

extern const struct db_driver db_sqlite;

#endif
