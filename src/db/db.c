/* SPDX-License-Identifier: MIT */
#include "db/db.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/db_priv.h"

static void
free_db(struct db *db)
{
	db_pool_fini(&db->pool);
	free(db->path);
	free(db->backup_dir);
	free(db->node);
	free(db);
}

static struct db *
new_db(const struct db_driver *driver, const struct db_config *cf)
{
	struct db *db = mem_calloc(1, sizeof(*db));

	db->driver = driver;
	db->clock = cf->clock == NULL ? clock_system() : cf->clock;
	db->path = mem_strdup(cf->path);
	db->backup_dir = mem_strdup(cf->backup_dir);
	db->node = mem_strdup(cf->node == NULL ? "local" : cf->node);
	db->durable = cf->durable;
	db->fatal = cf->fatal;
	db_pool_init(&db->pool);
	return db;
}

int
db_open_driver(const struct db_driver *driver, const struct db_config *cf,
    struct db **ret_db, struct db_state *ret_state, struct err *err)
{
	struct db *db = new_db(driver, cf);
	struct db_state state;
	struct db_tx *tx = NULL;

	if (db_repair_open(db, &tx, &state, err) < 0)
		goto out;
	/* Durably, whatever the setting: until db_close() it is unclean. */
	if (db_run_begin(db, tx, &state, err) < 0)
		goto out;
	/* Before, a backup may lack what was recorded last. */
	atomic_store(&db->has_changed,
	    state.was_unclean || state.from_backup || state.is_other);
	if (!cf->durable && driver->set_durable(tx->conn, false, err) < 0)
		goto out;
	/* What the check read is not needed any more. */
	driver->tend(tx->conn, true);
	if (db_writer_start(db, tx, err) < 0) {
		tx = NULL;
		goto out;
	}
	*ret_db = db;
	*ret_state = state;
	return 0;
out:
	db_tx_free(tx);
	free_db(db);
	return -1;
}

int
db_open(const struct db_config *cf, struct db **ret_db,
    struct db_state *ret_state, struct err *err)
{
	return db_open_driver(&db_sqlite, cf, ret_db, ret_state, err);
}

/* To a person who asks for a check, and finds this. */
static int
explain_damage(const struct db *db, struct err *err)
{
	struct err cause = *err;

	if (cause.code != ERR_DATABASE_DAMAGED && cause.code != ERR_DATABASE)
		return -1;
	return err_set(err, ERR_DATABASE_DAMAGED,
	    "the database '%s' is damaged: start the server, which restores it "
	    "(%s)",
	    db->path, cause.msg);
}

static int
check_version(const struct db *db, struct db_tx *tx, struct err *err)
{
	struct db_schema schema;

	if (db_schema_read(tx, &schema, err) < 0)
		return -1;
	if (schema.version == db_schema_latest())
		return 0;
	return err_set(err, ERR_SETTING,
	    "the database '%s' is of another version: start the server of this "
	    "version once",
	    db->path);
}

static int
open_as_it_is(struct db *db, struct db_tx **ret_tx, struct err *err)
{
	const struct db_conn_config cf = { db->path, DB_ROLE_WRITER };
	struct db_conn *conn;
	struct db_tx *tx;

	if (access(db->path, F_OK) < 0)
		return err_set(err, ERR_SETTING,
		    "there is no database '%s': start the server once",
		    db->path);
	if (db->driver->open(&cf, &conn, err) < 0)
		return -1;
	tx = db_tx_new(db->driver, conn, db->node);
	if (check_version(db, tx, err) < 0) {
		db_tx_free(tx);
		return -1;
	}
	*ret_tx = tx;
	return 0;
}

int
db_attach(const struct db_config *cf, struct db **ret_db, struct err *err)
{
	struct db *db = new_db(&db_sqlite, cf);
	struct err why = ERR_INIT;
	struct db_tx *tx = NULL;

	db->is_attached = true;
	if (open_as_it_is(db, &tx, &why) < 0 ||
	    db_writer_start(db, tx, &why) < 0) {
		(void)explain_damage(db, &why);
		if (err != NULL)
			*err = why;
		free_db(db);
		return -1;
	}
	*ret_db = db;
	return 0;
}

int
db_set_complete(struct db_tx *tx, void *unused, struct err *err)
{
	(void)unused;
	return db_schema_set_complete(tx, true, err);
}

void
db_close(struct db *db)
{
	struct db_tx *tx;

	if (db == NULL)
		return;
	tx = db_writer_stop(db->writer);
	/* What met damage is checked at the next start.  A mark that cannot
	 * be set costs that check, too, and no more. */
	if (!db->is_attached && !db->driver->saw_damage(tx->conn) &&
	    !atomic_load(&db->saw_damage))
		(void)db_run_end(db, tx, NULL);
	/* The last connection to close writes the log back: the writer's. */
	db_pool_trim(&db->pool, 0);
	db_tx_free(tx);
	free_db(db);
}

int
db_write(struct db *db, db_fn fn, void *arg, struct err *err)
{
	struct db_job job = { fn, arg, false, false };

	return db_writer_run(db->writer, &job, err);
}

void
db_write_later(struct db *db, db_fn fn, void *arg,
    void (*done)(void *arg, const struct err *err))
{
	struct db_job job = { fn, arg, false, false };

	db_writer_run_later(db->writer, &job, done);
}

static int
do_nothing(struct db_tx *tx, void *arg, struct err *err)
{
	(void)tx;
	(void)arg;
	(void)err;
	return 0;
}

void
db_settle(struct db *db)
{
	const struct db_job job = { do_nothing, NULL, true, false };

	/* Jobs run in their order. */
	if (!db_writer_is_idle(db->writer))
		(void)db_writer_run(db->writer, &job, NULL);
}

int
db_read_long(struct db *db, db_fn fn, void *arg, struct err *err)
{
	return db->path == NULL ? db_read(db, fn, arg, err)
	                        : db_pool_read_long(db, fn, arg, err);
}

int
db_read(struct db *db, db_fn fn, void *arg, struct err *err)
{
	struct db_job job = { fn, arg, true, false };

	/* A database in memory has one connection. */
	if (db->path == NULL)
		return db_writer_run(db->writer, &job, err);
	return db_pool_read(db, fn, arg, err);
}

static int
touch(struct db_tx *tx, void *arg, struct err *err)
{
	(void)arg;
	return db_schema_touch(tx, err);
}

int
db_make_durable(struct db *db, struct err *err)
{
	struct db_job job = { touch, NULL, false, true };

	if (db->durable || db->path == NULL)
		return 0;
	/* Syncing the log for one commit syncs those before it. */
	return db_writer_run(db->writer, &job, err);
}

int
db_check(struct db *db, const struct db_stop *stop, struct err *err)
{
	struct db_conn_config cf = { db->path, DB_ROLE_READER };
	struct db_conn *conn;
	int rc;

	if (db->path == NULL)
		return 0;
	if (db->driver->open(&cf, &conn, err) < 0)
		return -1;
	if (stop != NULL)
		db->driver->stop_when(conn, stop);
	rc = db->driver->check(conn, true, err);
	if (db->driver->saw_damage(conn))
		atomic_store(&db->saw_damage, true);
	db->driver->close(conn);
	return rc;
}
