/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_H
#define DB_DB_H

/*
 * The record keeper.  One writer thread gathers the jobs that wait into one
 * transaction (group commit); readers use connections of their own.
 *
 * A job is a function over a struct db_tx that runs record functions
 * (rec_*.h).  Each has its own savepoint: one that fails is undone alone.
 * Nobody is told before the commit returned.  A commit that fails with anything
 * but busy or full has an unknown outcome: the process must end (the
 * `fatal` callback), nothing may be touched (rule 4).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct db;
struct db_tx;

typedef int (*db_fn)(struct db_tx *tx, void *arg, struct err *err);

struct db_config {
	const char *path;          /* of the database file; NULL: in memory */
	const char *backup_dir;    /* NULL: no backups */
	const char *node;          /* whose rows and counters these are; NULL:
	                            * "local" */
	const struct clock *clock; /* NULL: the system's */
	bool durable;              /* synchronous=FULL, else NORMAL */
	/* Called on the writer thread when a commit's outcome is unknown;
	 * must not return. */
	void (*fatal)(const struct err *err);
};

/* What opening found; for the log and for recovery. */
struct db_state {
	bool is_new;      /* no database was there */
	bool was_unclean; /* the last run did not close it */
	bool was_damaged; /* set aside as NAME.damaged-<time>; what follows is a
	                   * restored backup or a new database */
	bool from_backup;
	char set_aside[256]; /* its new name, "" when none */
	char backup[256];    /* the name of the backup restored, "" when none */
};

/*
 * A step of a walk over all rows: at most ${limit} of them from after the key
 * ${after} ("": from the first).
 */
struct db_page {
	const char *after;
	unsigned limit;
};

/*
 * Opens, checks (quick check only after an unclean end, rule 5), restores
 * the newest sound backup of a damaged one, migrates.  A database of a newer
 * version is refused (ERR_SETTING).
 */
int db_open(const struct db_config *cf, struct db **ret_db,
    struct db_state *ret_state, struct err *err);
/* Runs what waits, checkpoints, marks the end as clean. */
void db_close(struct db *db);

/* Runs ${fn} on the writer and returns when it is committed (durably, with
 * `durable`), with ${fn}'s own error, or the commit's.  Any thread but the
 * writer. */
int db_write(struct db *db, db_fn fn, void *arg, struct err *err);
/* Queues it and returns; ${done} (may be NULL) is called on the writer
 * thread after the commit, ${err} NULL on success; must not block. */
void db_write_later(struct db *db, db_fn fn, void *arg,
    void (*done)(void *arg, const struct err *err));
/* Runs ${fn} on a reader's connection, in this thread, in one snapshot. */
int db_read(struct db *db, db_fn fn, void *arg, struct err *err);

/* Everything committed so far survives a power failure when this returns (a
 * synced checkpoint; at once when the database is durable anyway). */
int db_make_durable(struct db *db, struct err *err);

/* VACUUM INTO a temporary file in backup_dir, sync, check, rename; the
 * newest ${keep} stay. In this thread, may take long. */
int db_backup(struct db *db, unsigned keep, struct err *err);
/* The full integrity check (background); ERR_DATABASE names the damage. */
int db_check(struct db *db, struct err *err);

#endif
