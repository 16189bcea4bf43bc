/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_PRIV_H
#define DB_DB_PRIV_H

/* The inside of the record keeper. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"
#include "db/db.h"
#include "db/db_driver.h"
#include "db/rec_counter.h"
#include "db/sql.h"

#define DB_READERS 4
/* Of reads that take long, so many run and wait at once. */
#define DB_LONG_RUNNING (DB_READERS / 2)
#define DB_LONG_WAITING 6
#define DB_LONG_NS (20 * 1000000)

struct db_writer;

/* A connection with what belongs to it.  Lives as long as the connection; the
 * functions of jobs and reads see it within a transaction. */
struct db_tx {
	const struct db_driver *driver;
	struct db_conn *conn;
	const char *node;
	struct sql_cache cache;
	struct rec_counter_deltas *deltas; /* NULL on a reader's */
};

/* Readers' connections, opened when they are first needed. */
struct db_pool {
	pthread_mutex_t lock;
	pthread_cond_t idle_cond;
	struct db_tx *idle[DB_READERS];
	size_t idle_count;
	size_t open_count;
	/* Those of db_pool_read_long(). */
	pthread_cond_t long_cond;
	size_t long_running;
	size_t long_waiting;
	int64_t long_ns; /* what the last one took */
};

struct db {
	const struct db_driver *driver;
	const struct clock *clock;
	char *path; /* NULL: in memory, readers go to the writer */
	char *backup_dir;
	char *node;
	bool durable;
	bool is_attached; /* by db_attach() */
	void (*fatal)(const struct err *err);
	struct db_writer *writer;
	struct db_pool pool;
	_Atomic bool saw_damage;  /* so that the next start checks */
	_Atomic bool has_changed; /* since the newest backup */
};

/* db_open() over a driver of the caller's (tests). */
int db_open_driver(const struct db_driver *driver, const struct db_config *cf,
    struct db **ret_db, struct db_state *ret_state, struct err *err);

/* db_tx.c: connections.  ${conn} is the transaction's from here. */
struct db_tx *db_tx_new(
    const struct db_driver *driver, struct db_conn *conn, const char *node);
void db_tx_free(struct db_tx *tx); /* NULL is fine */
int db_tx_begin(struct db_tx *tx, bool write, struct err *err);
int db_tx_commit(struct db_tx *tx, struct err *err);
/* Whatever failed before; fine when the transaction is gone already. */
void db_tx_rollback(struct db_tx *tx);

/* db_pool.c */
void db_pool_init(struct db_pool *pool);
/* Closes those that are idle, but ${keep}. */
void db_pool_trim(struct db_pool *pool, size_t keep);
void db_pool_fini(struct db_pool *pool); /* while all are idle */
int db_pool_read(struct db *db, db_fn fn, void *arg, struct err *err);
int db_pool_read_long(struct db *db, db_fn fn, void *arg, struct err *err);

/* db_writer.c */
struct db_job {
	db_fn fn;
	void *arg;
	bool read_only; /* whatever it does is undone */
	bool durable;   /* its commit is, whatever the setting */
};
/* ${tx} is the writer's from here, also when this fails. */
int db_writer_start(struct db *db, struct db_tx *tx, struct err *err);
/* Runs what waits, ends the thread, and gives the connection back. */
struct db_tx *db_writer_stop(struct db_writer *w);
int db_writer_run(
    struct db_writer *w, const struct db_job *job, struct err *err);
void db_writer_run_later(struct db_writer *w, const struct db_job *job,
    void (*done)(void *arg, const struct err *err));
bool db_writer_is_idle(struct db_writer *w);

/* db_schema.c */
struct db_schema {
	int version;
	bool clean;        /* the last run ended by db_close() */
	bool complete;     /* by db_set_complete() */
	char run[ID_SIZE]; /* see db_run.c; "" before the first */
};
/* ERR_DATABASE where the database holds no records of ours, ERR_SETTING where
 * a newer program made it. */
int db_schema_read(
    struct db_tx *tx, struct db_schema *ret_schema, struct err *err);
/* Ours. */
int db_schema_latest(void);
/* Brings a database of that version (0: empty) to ours. */
int db_schema_migrate(struct db_tx *tx, int from, struct err *err);
/* Writes all of ${schema} but the version. */
int db_schema_turn(
    struct db_tx *tx, const struct db_schema *schema, struct err *err);
int db_schema_set_complete(struct db_tx *tx, bool complete, struct err *err);
/* Changes something, so that there is something to commit. */
int db_schema_touch(struct db_tx *tx, struct err *err);

/*
 * db_repair.c: a sound, current database at db->path, by all means: as it is,
 * from a backup, new.  Nothing has it open.
 */
int db_repair_open(struct db *db, struct db_tx **ret_tx,
    struct db_state *ret_state, struct err *err);

/*
 * db_run.c: from here on it counts as not closed; and is_other and
 * is_incomplete are added to what was found.
 */
int db_run_begin(
    struct db *db, struct db_tx *tx, struct db_state *state, struct err *err);
/* From here on it counts as closed. */
int db_run_end(struct db *db, struct db_tx *tx, struct err *err);

/* db_backup.c: copies the newest sound backup to the new file ${path}, synced;
 * ${ret_name} is its name, "" when there is none. */
#define DB_NAME_SIZE 256
int db_backup_restore(struct db *db, const char *path,
    char ret_name[DB_NAME_SIZE], struct err *err);

/* db_file.c: "20261124T073000.123Z", for names. */
#define DB_STAMP_SIZE 21
void db_file_stamp(int64_t wall_ms, char ret[DB_STAMP_SIZE]);
/* rename(2), durable.  Both in one directory. */
int db_file_rename(const char *from, const char *to, struct err *err);
/* Not there is fine. */
int db_file_remove(const char *path, struct err *err);
/* A new file of mode 0600. */
int db_file_touch(const char *path, struct err *err);
/* Copies into a new file of mode 0600, synced. */
int db_file_copy(const char *from, const char *to, struct err *err);
int db_file_sync(const char *path, struct err *err);

#endif
