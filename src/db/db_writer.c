/* SPDX-License-Identifier: MIT */

/*
 * The writer: one thread that runs what waits as one transaction, each job in
 * a savepoint of its own, and tells nobody before the commit returned.
 *
 * While one group is committed the next gathers, so the more writers there
 * are, the less each pays for the sync.
 */

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/fault.h"
#include "base/latch.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/thread.h"
#include "db/db_priv.h"
#include "db/rec_counter_priv.h"

#define GROUP_MAX 256
#define STACK (256 * 1024)
/* After this long without a job the connection is told that it is quiet. */
#define QUIET_NS 2000000000
/* The driver has waited already, for seconds, each time that it says busy. */
#define BUSY_TRIES 8
#define BUSY_PAUSE_NS 1000000

struct waiting {
	struct list link;
	struct db_job job;
	int rc;
	struct err err;
	/* One of both: who waits on its own stack, or whom to call (the
	 * struct is the writer's then). */
	bool is_later;
	struct latch told;
	void (*done)(void *arg, const struct err *err);
};

struct db_writer {
	struct db *db;
	struct db_tx *tx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct list waiting;
	bool is_asleep;
	bool is_stopping;
	bool is_untidy; /* the thread's: jobs ran since it was quiet */
};

static const char SQL_SAVEPOINT[] = "SAVEPOINT job";
static const char SQL_RELEASE[] = "RELEASE SAVEPOINT job";
static const char SQL_UNDO[] = "ROLLBACK TO SAVEPOINT job";

/* --- one group -------------------------------------------------------- */

/* Undone or not, the savepoint ends; where even that fails the group does. */
static int
end_job(struct db_tx *tx, bool keep, struct err *err)
{
	if (!keep && sql_do(tx, SQL_UNDO, err) < 0)
		return -1;
	return sql_do(tx, SQL_RELEASE, err);
}

/* Sets the job's own result; -1: the group is lost. */
static int
run_job(struct db_tx *tx, struct waiting *w, struct err *err)
{
	struct rec_counter_deltas *deltas = tx->deltas;
	bool keep;

	if (sql_do(tx, SQL_SAVEPOINT, err) < 0)
		return -1;
	if (w->job.read_only)
		tx->deltas = NULL;
	w->rc = w->job.fn(tx, w->job.arg, &w->err);
	tx->deltas = deltas;
	keep = w->rc == 0 && !w->job.read_only;
	if (keep)
		rec_counter_keep(deltas);
	else
		rec_counter_drop(deltas);
	/* Some failures (a full disk) end the whole transaction. */
	if (!tx->driver->in_transaction(tx->conn)) {
		if (w->rc == 0)
			return err_set(err, ERR_DATABASE,
			    "a job has ended the transaction");
		*err = w->err;
		return -1;
	}
	return end_job(tx, keep, err);
}

static void
pause_for(int try)
{
	struct timespec ts = { 0, (long)BUSY_PAUSE_NS << try };

	(void)nanosleep(&ts, NULL);
}

/* -1: nothing of it happened. */
static int
commit(struct db_writer *w, struct err *err)
{
	int try;

	for (try = 0;; try++) {
		FAULT_POINT("db.before_commit");
		if (db_tx_commit(w->tx, err) == 0)
			break;
		if (err->code != ERR_DATABASE_BUSY || try == BUSY_TRIES)
			goto fail;
		pause_for(try);
	}
	FAULT_POINT("db.after_commit");
	return 0;
fail:
	if (err->code != ERR_DATABASE_BUSY && err->code != ERR_STORAGE_FULL) {
		err->code = ERR_DATABASE_UNKNOWN;
		if (w->db->fatal != NULL)
			w->db->fatal(err);
		abort(); /* it must not return */
	}
	db_tx_rollback(w->tx);
	return -1;
}

static int
begin(struct db_tx *tx, struct err *err)
{
	int try;

	for (try = 0; db_tx_begin(tx, true, err) < 0; try++) {
		if (err->code != ERR_DATABASE_BUSY || try == BUSY_TRIES)
			return -1;
		pause_for(try);
	}
	return 0;
}

static int
run_jobs(struct db_writer *w, struct list *group, struct err *err)
{
	struct list *it, *next;

	if (begin(w->tx, err) < 0)
		return -1;
	LIST_FOREACH(group, it, next)
	{
		if (run_job(
		        w->tx, CONTAINER_OF(it, struct waiting, link), err) < 0)
			goto undo;
	}
	if (rec_counter_write(w->tx, err) < 0)
		goto undo;
	return commit(w, err);
undo:
	db_tx_rollback(w->tx);
	return -1;
}

/* Tells everyone; those who wait may be gone at once, and the list with
 * them. */
static void
tell(struct list *group, const struct err *group_err)
{
	struct list *it, *next;
	struct waiting *w;

	LIST_FOREACH(group, it, next)
	{
		w = CONTAINER_OF(it, struct waiting, link);
		if (group_err != NULL && w->rc == 0) {
			w->rc = -1;
			w->err = *group_err;
		}
		if (!w->is_later) {
			latch_open(&w->told);
			continue;
		}
		if (w->done != NULL)
			w->done(w->job.arg, w->rc < 0 ? &w->err : NULL);
		free(w);
	}
	list_init(group);
}

static bool
wants_durable(const struct list *group)
{
	const struct list *it;

	for (it = group->next; it != group; it = it->next) {
		if (CONTAINER_OF(it, struct waiting, link)->job.durable)
			return true;
	}
	return false;
}

static void
run_group(struct db_writer *w, struct list *group)
{
	const struct db_driver *driver = w->tx->driver;
	int64_t before = driver->total_changes(w->tx->conn);
	bool raise = !w->db->durable && wants_durable(group);
	struct err err = ERR_INIT;
	int rc = 0;

	if (raise)
		rc = driver->set_durable(w->tx->conn, true, &err);
	if (rc == 0)
		rc = run_jobs(w, group, &err);
	if (raise) /* failing, it stays durable, which is no less right */
		(void)driver->set_durable(w->tx->conn, false, NULL);
	rec_counter_clear(w->tx->deltas);
	if (driver->total_changes(w->tx->conn) != before)
		atomic_store(&w->db->has_changed, true);
	tell(group, rc < 0 ? &err : NULL);
	driver->tend(w->tx->conn, false);
}

/* --- the thread ------------------------------------------------------- */

/* With the lock; false: there was nothing for a while. */
static bool
wait_for_work(struct db_writer *w)
{
	int64_t deadline = clock_mono_ns(clock_system()) + QUIET_NS;

	while (list_is_empty(&w->waiting) && !w->is_stopping) {
		w->is_asleep = true;
		if (!w->is_untidy)
			pthread_cond_wait(&w->work, &w->lock);
		else if (!thread_cond_wait_until(&w->work, &w->lock, deadline))
			break;
	}
	w->is_asleep = false;
	return !list_is_empty(&w->waiting) || w->is_stopping;
}

/* What waits, or nothing after a while; false: it is over. */
static bool
take_group(struct db_writer *w, struct list *group)
{
	struct list *node;
	bool go_on;
	int n;

	pthread_mutex_lock(&w->lock);
	go_on = !wait_for_work(w) || !list_is_empty(&w->waiting);
	for (n = 0; n < GROUP_MAX; n++) {
		node = list_pop_front(&w->waiting);
		if (node == NULL)
			break;
		list_push_back(group, node);
	}
	pthread_mutex_unlock(&w->lock);
	return go_on;
}

/* Nothing comes for a while: what is large only for speed gets small. */
static void
tidy(struct db_writer *w)
{
	w->tx->driver->tend(w->tx->conn, true);
	db_pool_trim(&w->db->pool, 1);
}

static void *
run(void *arg)
{
	struct db_writer *w = arg;
	struct list group = LIST_INIT(group);

	while (take_group(w, &group)) {
		w->is_untidy = !list_is_empty(&group);
		if (w->is_untidy)
			run_group(w, &group);
		else
			tidy(w);
	}
	return NULL;
}

/* --- the face --------------------------------------------------------- */

static void
free_writer(struct db_writer *w)
{
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int
db_writer_start(struct db *db, struct db_tx *tx, struct err *err)
{
	static const struct thread_options options = { "db-writer", STACK };
	struct db_writer *w = mem_calloc(1, sizeof(*w));

	w->db = db;
	w->tx = tx;
	tx->deltas = rec_counter_deltas_new();
	pthread_mutex_init(&w->lock, NULL);
	thread_cond_init(&w->work);
	list_init(&w->waiting);
	if (thread_start(&options, run, w, &w->thread, err) < 0) {
		db_tx_free(tx);
		free_writer(w);
		return -1;
	}
	db->writer = w;
	return 0;
}

struct db_tx *
db_writer_stop(struct db_writer *w)
{
	struct db_tx *tx = w->tx;

	pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	free_writer(w);
	return tx;
}

static void
push(struct db_writer *w, struct waiting *job)
{
	bool wake;

	pthread_mutex_lock(&w->lock);
	list_push_back(&w->waiting, &job->link);
	wake = w->is_asleep;
	w->is_asleep = false; /* one wake-up is enough */
	pthread_mutex_unlock(&w->lock);
	if (wake)
		pthread_cond_signal(&w->work);
}

int
db_writer_run(struct db_writer *w, const struct db_job *job, struct err *err)
{
	struct waiting me = { .job = *job };

	assert(!pthread_equal(pthread_self(), w->thread));
	latch_init(&me.told);
	push(w, &me);
	latch_wait(&me.told);
	if (me.rc < 0 && err != NULL)
		*err = me.err;
	return me.rc;
}

void
db_writer_run_later(struct db_writer *w, const struct db_job *job,
    void (*done)(void *arg, const struct err *err))
{
	struct waiting *later = mem_calloc(1, sizeof(*later));

	later->job = *job;
	later->is_later = true;
	later->done = done;
	push(w, later);
}

bool
db_writer_is_idle(struct db_writer *w)
{
	bool is_idle;

	pthread_mutex_lock(&w->lock);
	is_idle = w->is_asleep && list_is_empty(&w->waiting);
	pthread_mutex_unlock(&w->lock);
	return is_idle;
}
