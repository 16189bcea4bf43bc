/* SPDX-License-Identifier: MIT */

/*
 * Readers: a few connections that wait for work.  Who finds none idle opens
 * one, up to DB_READERS; then one waits.  The last used is used first, so
 * that under little load only one has a warm cache and the others' stay
 * small.
 */

#include "db/db_priv.h"

#include "base/thread.h"

void
db_pool_init(struct db_pool *pool)
{
	*pool = (struct db_pool){ 0 };
	pthread_mutex_init(&pool->lock, NULL);
	thread_cond_init(&pool->idle_cond);
}

bool
db_pool_saw_damage(const struct db_pool *pool)
{
	const struct db_tx *tx;
	size_t i;

	for (i = 0; i < pool->idle_count; i++) {
		tx = pool->idle[i];
		if (tx->driver->saw_damage(tx->conn))
			return true;
	}
	return false;
}

void
db_pool_fini(struct db_pool *pool)
{
	while (pool->idle_count > 0)
		db_tx_free(pool->idle[--pool->idle_count]);
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
	/* Nothing was written: this only lets go of the snapshot. */
	db_tx_rollback(tx);
out:
	give(&db->pool, tx);
	return rc;
}
