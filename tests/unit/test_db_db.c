/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/latch.h"
#include "base/thread.h"
#include "db/db_priv.h"

#define THREADS 8
#define EACH 60

/* --- jobs ------------------------------------------------------------- */

static int
put_then_fail(struct db_tx *tx, void *arg, struct err *err)
{
	const struct rec_file *f = arg;

	if (rec_file_put(tx, f, true, NULL, err) < 0)
		return -1;
	return err_set(err, ERR_CANCELLED, "not this one");
}

static int
put_file(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_put(tx, arg, true, NULL, err);
}

DB_TEST(test_db_db__a_failed_job_leaves_nothing)
{
	struct rec_file f = help_file("a", 1);
	struct err err = ERR_INIT;

	assert_int_equal(db_write(db, put_then_fail, &f, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_string_equal(err.msg, "not this one");
	assert_false(help_file_is_there(db, "a"));
	/* err may be NULL */
	assert_int_equal(db_write(db, put_then_fail, &f, NULL), -1);
	assert_int_equal(db_write(db, put_file, &f, NULL), 0);
	assert_true(help_file_is_there(db, "a"));
}

/* Holds the writer, so that what comes meanwhile becomes one group. */
struct gate {
	struct latch entered;
	struct latch go;
};

static int
wait_at_gate(struct db_tx *tx, void *arg, struct err *err)
{
	struct gate *g = arg;

	(void)tx;
	(void)err;
	latch_open(&g->entered);
	latch_wait(&g->go);
	return 0;
}

static void
close_gate(struct db *db, struct gate *g)
{
	latch_init(&g->entered);
	latch_init(&g->go);
	db_write_later(db, wait_at_gate, g, NULL);
	latch_wait(&g->entered);
}

struct later {
	struct rec_file file;
	char name[16];
	enum err_code code;
	_Atomic bool is_done;
};

static int
put_or_fail(struct db_tx *tx, void *arg, struct err *err)
{
	struct later *l = arg;

	if (l->file.size % 3 == 0)
		return put_then_fail(tx, &l->file, err);
	return put_file(tx, &l->file, err);
}

static void
note(void *arg, const struct err *err)
{
	struct later *l = arg;

	l->code = err == NULL ? ERR_NONE : err->code;
	atomic_store(&l->is_done, true);
}

static int
nothing(struct db_tx *tx, void *arg, struct err *err)
{
	(void)tx;
	(void)arg;
	(void)err;
	return 0;
}

DB_TEST(test_db_db__settled_is_what_was_queued_before)
{
	struct later later = { .file = help_file("a", 1) };
	int i;

	for (i = 0; i < 100; i++) {
		atomic_store(&later.is_done, false);
		db_write_later(db, put_or_fail, &later, note);
		db_settle(db);
		assert_true(atomic_load(&later.is_done));
	}
	assert_true(help_file_is_there(db, "a"));
	db_settle(db);
}

/* Three hundred jobs, so more than one group; each third fails, alone. */
DB_TEST(test_db_db__failures_in_a_group_harm_nobody_else)
{
	static struct later later[300];
	struct gate gate;
	unsigned i;

	close_gate(db, &gate);
	for (i = 0; i < 300; i++) {
		snprintf(later[i].name, sizeof(later[i].name), "f%u", i);
		later[i].file = help_file(later[i].name, i + 1);
		later[i].is_done = false;
		db_write_later(db, put_or_fail, &later[i], note);
	}
	assert_false(atomic_load(&later[0].is_done));
	latch_open(&gate.go);
	assert_int_equal(db_write(db, nothing, NULL, NULL), 0);
	for (i = 0; i < 300; i++) {
		bool fails = (i + 1) % 3 == 0;

		assert_true(atomic_load(&later[i].is_done));
		assert_int_equal(
		    later[i].code, fails ? ERR_CANCELLED : ERR_NONE);
		assert_int_equal(help_file_is_there(db, later[i].name), !fails);
	}
}

struct chain {
	struct db *db;
	struct rec_file file;
	struct latch told;
};

static void
tell(void *arg, const struct err *err)
{
	struct chain *c = arg;

	assert_null(err);
	latch_open(&c->told);
}

static void
queue_next(void *arg, const struct err *err)
{
	struct chain *c = arg;

	assert_null(err);
	db_write_later(c->db, nothing, c, tell);
}

static int
put_chained(struct db_tx *tx, void *arg, struct err *err)
{
	struct chain *c = arg;

	return put_file(tx, &c->file, err);
}

DB_TEST(test_db_db__done_may_queue_more)
{
	struct chain c = { .db = db, .file = help_file("a", 1) };

	latch_init(&c.told);
	db_write_later(db, put_chained, &c, queue_next);
	latch_wait(&c.told);
	assert_true(help_file_is_there(db, "a"));
}

/* What waits when the database is closed is done first. */
TEST(test_db_db__close_runs_what_waits)
{
	const char *path = unit_temppath("records.db");
	struct later later = { .file = help_file("a", 1) };
	struct gate gate;
	struct db_state found;
	struct db *db = help_open(path, &found);

	close_gate(db, &gate);
	db_write_later(db, put_or_fail, &later, note);
	latch_open(&gate.go);
	db_close(db);
	assert_true(later.is_done);
	db = help_open(path, &found);
	assert_false(found.is_new);
	assert_false(found.was_unclean);
	assert_true(help_file_is_there(db, "a"));
	db_close(db);
}

/* --- reads ------------------------------------------------------------ */

static int
write_in_read(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_put(tx, arg, true, NULL, err);
}

DB_TEST(test_db_db__a_read_writes_nothing)
{
	struct rec_file f = help_file("a", 1);

	/* It fails or comes to nothing, as the kind of database will. */
	(void)db_read(db, write_in_read, &f, NULL);
	assert_false(help_file_is_there(db, "a"));
	assert_int_equal(db_write(db, put_file, &f, NULL), 0);
	assert_true(help_file_is_there(db, "a"));
}

static int
fail_read(struct db_tx *tx, void *arg, struct err *err)
{
	(void)tx;
	(void)arg;
	return err_set(err, ERR_FORBIDDEN, "not for you");
}

DB_TEST(test_db_db__a_read_passes_its_error_on)
{
	struct err err = ERR_INIT;

	assert_int_equal(db_read(db, fail_read, NULL, &err), -1);
	assert_int_equal(err.code, ERR_FORBIDDEN);
	assert_int_equal(db_read(db, nothing, NULL, &err), 0);
}

struct snapshot {
	struct db *db;
	struct rec_file file;
	struct latch read_once;
	struct latch written;
	bool before, after;
};

static bool
sees(struct db_tx *tx, const char *filename)
{
	struct rec_file f;

	if (rec_file_get(tx, "", filename, &f, NULL) < 0)
		return false;
	rec_file_fini(&f);
	return true;
}

static int
look_twice(struct db_tx *tx, void *arg, struct err *err)
{
	struct snapshot *s = arg;

	(void)err;
	s->before = sees(tx, "a");
	latch_open(&s->read_once);
	latch_wait(&s->written);
	s->after = sees(tx, "a");
	return 0;
}

static void *
write_between(void *arg)
{
	struct snapshot *s = arg;

	latch_wait(&s->read_once);
	(void)db_write(s->db, put_file, &s->file, NULL);
	latch_open(&s->written);
	return NULL;
}

/* Writers do not wait for readers, and readers do not see them. */
TEST(test_db_db__a_read_sees_one_moment)
{
	static const struct thread_options options = { "between", 0 };
	struct snapshot s = { .file = help_file("a", 1) };
	struct db_state found;
	pthread_t thread;

	s.db = help_open(unit_temppath("records.db"), &found);
	latch_init(&s.read_once);
	latch_init(&s.written);
	assert_int_equal(
	    thread_start(&options, write_between, &s, &thread, NULL), 0);
	assert_int_equal(db_read(s.db, look_twice, &s, NULL), 0);
	pthread_join(thread, NULL);
	assert_false(s.before);
	assert_false(s.after);
	assert_true(help_file_is_there(s.db, "a"));
	db_close(s.db);
}

/* --- many threads ----------------------------------------------------- */

struct crowd {
	struct db *db;
	unsigned first; /* of this thread's ids */
	_Atomic unsigned *failures;
};

static void *
write_and_read(void *arg)
{
	struct crowd *c = arg;
	struct rec_file f;
	char name[16];
	unsigned i, id;

	for (i = 0; i < EACH; i++) {
		struct rec_transfer t;

		id = c->first + i;
		snprintf(name, sizeof(name), "f%u", id);
		f = help_file(name, id);
		t = help_transfer(name, id, REC_COMPLETED);
		if (db_write(c->db, put_file, &f, NULL) < 0 ||
		    help_transfer_put(c->db, &t) != ERR_NONE ||
		    !help_file_is_there(c->db, name))
			atomic_fetch_add(c->failures, 1);
	}
	return NULL;
}

DB_TEST(test_db_db__many_threads_at_once)
{
	static const struct thread_options options = { "crowd", 0 };
	struct crowd crowd[THREADS];
	pthread_t threads[THREADS];
	_Atomic unsigned failures = 0;
	unsigned i;

	for (i = 0; i < THREADS; i++) {
		crowd[i] = (struct crowd){ db, 1 + i * EACH, &failures };
		assert_int_equal(thread_start(&options, write_and_read,
		                     &crowd[i], &threads[i], NULL),
		    0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(failures, 0);
	assert_int_equal(help_transfer_count(db), THREADS * EACH);
	assert_int_equal(help_counter(db, "upload.completed"), THREADS * EACH);
	assert_int_equal(db_check(db, NULL, NULL), 0);
}

/* --- the readers' connections ----------------------------------------- */

#define READS (DB_READERS + 2)

struct meeting {
	struct db *db;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int inside, most, done;
};

/* Stays inside until as many as may be are. */
static int
meet(struct db_tx *tx, void *arg, struct err *err)
{
	struct meeting *m = arg;
	uint64_t n;

	if (rec_transfer_count(tx, &n, err) < 0)
		return -1;
	pthread_mutex_lock(&m->lock);
	m->inside++;
	if (m->inside > m->most)
		m->most = m->inside;
	pthread_cond_broadcast(&m->changed);
	while (m->most < DB_READERS)
		pthread_cond_wait(&m->changed, &m->lock);
	m->inside--;
	m->done++;
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static void *
go_to_meeting(void *arg)
{
	struct meeting *m = arg;

	return db_read(m->db, meet, m, NULL) == 0 ? m : NULL;
}

/* Those beyond the last connection wait for one. */
TEST(test_db_db__reads_beyond_the_connections_wait)
{
	static const struct thread_options options = { "reader", 0 };
	struct meeting m = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	pthread_t threads[READS];
	struct db_state found;
	void *ret;
	int i;

	m.db = help_open(unit_temppath("records.db"), &found);
	for (i = 0; i < READS; i++)
		assert_int_equal(thread_start(&options, go_to_meeting, &m,
		                     &threads[i], NULL),
		    0);
	for (i = 0; i < READS; i++) {
		pthread_join(threads[i], &ret);
		assert_ptr_equal(ret, &m);
	}
	assert_int_equal(m.most, DB_READERS);
	assert_int_equal(m.done, READS);
	assert_int_equal(m.db->pool.open_count, DB_READERS);
	/* At rest one stays. */
	db_pool_trim(&m.db->pool, 1);
	assert_int_equal(m.db->pool.open_count, 1);
	assert_int_equal(help_transfer_count(m.db), 0);
	db_close(m.db);
}

#define LONG_READS (DB_LONG_RUNNING + DB_LONG_WAITING + 1)

struct queue {
	struct db *db;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int inside;
	int refused;
	bool is_free; /* who is inside may go */
};

static int
stay_inside(struct db_tx *tx, void *arg, struct err *err)
{
	struct queue *c = arg;

	(void)tx;
	(void)err;
	pthread_mutex_lock(&c->lock);
	c->inside++;
	pthread_cond_broadcast(&c->changed);
	while (!c->is_free)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static void *
queue_up(void *arg)
{
	struct queue *c = arg;
	struct err err = ERR_INIT;

	if (db_read_long(c->db, stay_inside, c, &err) == 0)
		return c;
	pthread_mutex_lock(&c->lock);
	c->refused += err.code == ERR_SERVER_BUSY;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Reads that take long leave readers and threads to the others. */
TEST(test_db_db__long_reads_are_few)
{
	static const struct thread_options options = { "reader", 0 };
	struct queue c = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	pthread_t threads[LONG_READS];
	struct db_state found;
	void *ret;
	int went = 0;

	c.db = help_open(unit_temppath("records.db"), &found);
	/* as the last one took so long */
	c.db->pool.long_ns = DB_LONG_NS;
	for (int i = 0; i < LONG_READS; i++)
		assert_int_equal(
		    thread_start(&options, queue_up, &c, &threads[i], NULL), 0);
	pthread_mutex_lock(&c.lock);
	while (c.refused == 0 || c.inside < DB_LONG_RUNNING)
		pthread_cond_wait(&c.changed, &c.lock);
	assert_int_equal(c.inside, DB_LONG_RUNNING);
	pthread_mutex_unlock(&c.lock);
	assert_int_equal(help_transfer_count(c.db), 0);
	pthread_mutex_lock(&c.lock);
	c.is_free = true;
	pthread_cond_broadcast(&c.changed);
	pthread_mutex_unlock(&c.lock);
	for (int i = 0; i < LONG_READS; i++) {
		pthread_join(threads[i], &ret);
		went += ret != NULL;
	}
	assert_int_equal(went, LONG_READS - 1);
	assert_int_equal(c.refused, 1);
	db_close(c.db);
}

DB_TEST(test_db_db__is_made_durable_on_demand)
{
	struct rec_file f = help_file("a", 1);

	assert_int_equal(db_write(db, put_file, &f, NULL), 0);
	assert_int_equal(db_make_durable(db, NULL), 0);
	assert_true(help_file_is_there(db, "a"));
}
