/* SPDX-License-Identifier: MIT */

/*
 * Readers: a few connections that wait for work.  Who finds none idle opens
 * one, up to DB_READERS; then one waits.  The last used is used first, so
 * that under little load one warm cache serves all.
 */

#include "db/db_priv.h"

#include "base/clock.h"
#include "base/thread.h"

void
db_pool_init(struct db_pool *pool)
{
	*pool = (struct db_pool){ 0 };
	pthread_mutex_init(&pool->lock, NULL);
	thread_cond_init(&pool->idle_cond);
	thread_cond_init(&pool->long_cond);
}

/* The one that was idle longest. */
static struct db_tx *
take_cold(struct db_pool *pool, size_t keep)
{
	struct db_tx *tx = NULL;
	size_t i;

	pthread_mutex_lock(&pool->lock);
	if (pool->idle_count > keep) {
		tx = pool->idle[0];
		pool->idle_count--;
		pool->open_count--;
		for (i = 0; i < pool->idle_count; i++)
			pool->idle[i] = pool->idle[i + 1];
	}
	pthread_mutex_unlock(&pool->lock);
	return tx;
}

void
db_pool_trim(struct db_pool *pool, size_t keep)
{
	struct db_tx *tx;

	while ((tx = take_cold(pool, keep)) != NULL)
		db_tx_free(tx);
}

void
db_pool_fini(struct db_pool *pool)
{
	db_pool_trim(pool, 0);
	pthread_cond_destroy(&pool->long_cond);
	pthread_cond_destroy(&pool->idle_cond);
	pthread_mutex_destroy(&pool->lock);
}

/* An idle one, or NULL with a place to open one taken. */
static struct db_tx *
take(struct db_pool *pool)
{
	struct db_tx *tx = NULL;

	pthread_mutex_lock(&pool->lock);
	while (pool->idle_count == 0 && pool->open_count == DB_READERS)
		pthread_cond_wait(&pool->idle_cond, &pool->lock);
	if (pool->idle_count > 0)
		tx = pool->idle[--pool->idle_count];
	else
		pool->open_count++;
	pthread_mutex_unlock(&pool->lock);
	return tx;
}

/* ${tx} NULL: gives the place back. */
static void
give(struct db_pool *pool, struct db_tx *tx)
{
	pthread_mutex_lock(&pool->lock);
	if (tx == NULL)
		pool->open_count--;
	else
		pool->idle[pool->idle_count++] = tx;
	pthread_cond_signal(&pool->idle_cond);
	pthread_mutex_unlock(&pool->lock);
}

static struct db_tx *
open_reader(struct db *db, struct err *err)
{
	struct db_conn_config cf = { db->path, DB_ROLE_READER };
	struct db_conn *conn;

	if (db->driver->open(&cf, &conn, err) < 0)
		return NULL;
	return db_tx_new(db->driver, conn, db->node);
}

int
db_pool_read(struct db *db, db_fn fn, void *arg, struct err *err)
{
	struct db_tx *tx = take(&db->pool);
	int rc = -1;

	if (tx == NULL)
		tx = open_reader(db, err);
	if (tx == NULL)
		goto out;
	if (db_tx_begin(tx, false, err) < 0)
		goto out;
	rc = fn(tx, arg, err);
	if (tx->driver->saw_damage(tx->conn))
		atomic_store(&db->saw_damage, true);
	/* Nothing was written: this only lets go of the snapshot. */
	db_tx_rollback(tx);
out:
	give(&db->pool, tx);
	return rc;
}

/* --- reads that may take long --------------------------------------------- */

/* Under the lock. */
static bool
is_crowded(const struct db_pool *pool)
{
	return pool->long_ns >= DB_LONG_NS &&
	       pool->long_running >= DB_LONG_RUNNING;
}

static int
enter_long(struct db_pool *pool, struct err *err)
{
	bool may;

	pthread_mutex_lock(&pool->lock);
	may = !is_crowded(pool) || pool->long_waiting < DB_LONG_WAITING;
	if (may) {
		pool->long_waiting++;
		while (is_crowded(pool))
			pthread_cond_wait(&pool->long_cond, &pool->lock);
		pool->long_waiting--;
		pool->long_running++;
	}
	pthread_mutex_unlock(&pool->lock);
	return may ? 0
	           : err_set(err, ERR_SERVER_BUSY,
	                 "too many look through all records at once; try "
	                 "again soon");
}

static void
leave_long(struct db_pool *pool, int64_t ns)
{
	pthread_mutex_lock(&pool->lock);
	pool->long_running--;
	pool->long_ns = ns;
	/* All, as it may have been quick again. */
	pthread_cond_broadcast(&pool->long_cond);
	pthread_mutex_unlock(&pool->lock);
}

/* A read, and what it takes without the wait for a connection. */
struct timed {
	db_fn fn;
	void *arg;
	int64_t ns;
};

static int
run_timed(struct db_tx *tx, void *arg, struct err *err)
{
	struct timed *t = arg;
	int64_t began_ns = clock_mono_ns(clock_system());
	int rc = t->fn(tx, t->arg, err);

	t->ns = clock_mono_ns(clock_system()) - began_ns;
	return rc;
}

int
db_pool_read_long(struct db *db, db_fn fn, void *arg, struct err *err)
{
	struct timed t = { fn, arg, 0 };
	int rc;

	if (enter_long(&db->pool, err) < 0)
		return -1;
	rc = db_pool_read(db, run_timed, &t, err);
	leave_long(&db->pool, t.ns);
	return rc;
}
