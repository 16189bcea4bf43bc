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

/* Threads: db_open(), db_close() one; everything else any but the writer's
 * (jobs and what they call when done), where only db_write_later() is. */
struct db;
struct db_tx; /* for the functions of rec_*.h, while a db_fn runs */

typedef int (*db_fn)(struct db_tx *tx, void *arg, struct err *err);

struct db_config {
	const char *path;          /* of the database file; NULL: in memory */
	const char *backup_dir;    /* NULL: no backups */
	const char *node;          /* whose rows and counters these are; NULL:
	                            * "local" */
	const struct clock *clock; /* NULL: the system's */
	bool durable;              /* synchronous=FULL, else NORMAL */
	/* Called on the writer thread when a commit's outcome is unknown;
	 * must not return.  NULL: abort(). */
	void (*fatal)(const struct err *err);
};

/* What opening found; for the log and for recovery. */
struct db_state {
	bool is_new;      /* a new, empty one: there was none, or a damaged
	                   * one and no sound backup */
	bool was_unclean; /* the last run did not close it */
	bool was_damaged; /* set aside as NAME.damaged-<time>; what follows is a
	                   * restored backup or a new database */
	bool from_backup; /* of a damaged one, or one that was gone */
	bool is_other; /* neither new nor restored by us, nor the one that the
	                * last run left: somebody put it there */
	bool is_incomplete;  /* new, or a backup that we or a person put in its
	                      * place, now or before a crash: not every stored
	                      * object has its record.  db_set_complete() */
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
 * the newest sound backup of a damaged or missing one, else makes a new one,
 * migrates.
 *
 * ERR_SETTING, with a sentence for a person: a newer program made it, the
 * file or its directory cannot be read or written, another program uses it.
 * ERR_STORAGE_FULL.
 */
int db_open(const struct db_config *cf, struct db **ret_db,
    struct db_state *ret_state, struct err *err);
/*
 * Opens the database of a server beside it, in another process, or while none
 * runs: nothing is checked, restored or migrated, and it does not count as a
 * run.  No backups.  ERR_SETTING: there is none, or one that a server of this
 * version has not opened yet; ERR_DATABASE_DAMAGED: start the server, which
 * restores it.
 */
int db_attach(const struct db_config *cf, struct db **ret_db, struct err *err);
/* For db_write(): every stored object has its record again. */
int db_set_complete(struct db_tx *tx, void *unused, struct err *err);
/* Runs what waits, checkpoints, marks the end as clean (unless damage was
 * seen: then the next start checks).  NULL is fine. */
void db_close(struct db *db);

/*
 * Runs ${fn} on the writer and returns when it is committed (durably, with
 * `durable`), with ${fn}'s own error, or the commit's: ERR_STORAGE_FULL or
 * ERR_DATABASE_BUSY, and nothing of it happened.  ${fn} must not block.
 */
int db_write(struct db *db, db_fn fn, void *arg, struct err *err);
/* Queues it and returns; ${done} (may be NULL) is called on the writer
 * thread after the commit, ${err} NULL on success; must not block, but may
 * queue more. */
void db_write_later(struct db *db, db_fn fn, void *arg,
    void (*done)(void *arg, const struct err *err));
/* Returns when what was queued before the call is committed, or has failed:
 * what is read then has it.  At once while nothing is. */
void db_settle(struct db *db);
/* Runs ${fn} on a reader's connection, in this thread, in one snapshot that
 * has everything committed before the call.  A few run at once, the next one
 * waits, so ${fn} must not wait for the network. */
int db_read(struct db *db, db_fn fn, void *arg, struct err *err);
/* The same for what may have to look at all rows.  Where that takes long, two
 * run and six wait at once, so that the others find a reader, and their callers
 * a thread.  ERR_SERVER_BUSY: there are more. */
int db_read_long(struct db *db, db_fn fn, void *arg, struct err *err);

/* Everything committed before the call survives a power failure when this
 * returns (one synced commit; at once where the database is durable anyway). */
int db_make_durable(struct db *db, struct err *err);

/* Writes "records-<UTC time>.db" into backup_dir, which is made when missing:
 * synced, checked, whole or not there.  The newest ${keep} stay.  In this
 * thread, may take long. ERR_UNAVAILABLE without a backup_dir. */
int db_backup(struct db *db, unsigned keep, struct err *err);
/* Is it time?  Something was recorded since the newest one was made, or there
 * is none; and the newest is older than ${age_ms}. */
bool db_wants_backup(struct db *db, int64_t age_ms);
/* The full integrity check, in this thread, takes long: 5 s for a million
 * rows.  ERR_DATABASE_DAMAGED names the damage; ERR_SHUTTING_DOWN: ${stop}
 * (may be NULL), which is asked every few milliseconds, said so. */
struct db_stop {
	bool (*fn)(void *arg);
	void *arg;
};
int db_check(struct db *db, const struct db_stop *stop, struct err *err);

#endif
