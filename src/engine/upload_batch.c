/* SPDX-License-Identifier: MIT */
#include "engine/upload_batch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/upload_priv.h"
#include "proto/limits.h"

struct batch_file {
	struct upload_batch *batch;
	struct mover mover;
	atomic_bool is_cancelled; /* any thread sets it */
	char *shown;
	char *name;         /* normalised; NULL until it was begun */
	struct upload *up;  /* NULL: failed, or recorded */
	struct err *failed; /* NULL: it has not */
	struct rec_file file;
	bool is_recorded;
	bool is_laid_by; /* it waits to hear of encryption */
	/* Making it durable: from make_durable() until it is not busy any more
	 * its upload is a publisher's. */
	struct job job;
	bool encryption;
	bool is_busy;       /* under the batch's lock */
	struct err trouble; /* how that failed */
};

struct upload_batch {
	struct source source; /* over body */
	struct source *body;
	bool is_ready; /* it has been waited for */
	struct engine *engine;
	void (*wake)(void *arg);
	void *arg;
	struct batch_file **files;
	size_t count;
	size_t capacity;
	struct batch_file *current; /* whose bytes are being taken */
	atomic_uint cancels;        /* any thread adds to it */
	unsigned seen;              /* of them */
	pthread_mutex_t lock;
	pthread_cond_t less_busy;
	size_t busy; /* files; under the lock */
};

/* --- one that fails ------------------------------------------------------- */

void
batch_file_fail(struct batch_file *f, const struct err *why)
{
	if (f->failed == NULL)
		f->failed = mem_alloc(sizeof(*f->failed));
	*f->failed = *why;
	upload_abort(f->up, why);
	f->up = NULL;
}

bool
batch_file_is_cancelled(const struct batch_file *f, struct err *err)
{
	if (!atomic_load(&f->is_cancelled))
		return false;
	(void)err_set(err, ERR_CANCELLED, "the transfer was cancelled");
	return true;
}

/* Under the registry's lock: the thread that takes the bytes does the rest. */
static void
interrupt(void *arg, enum err_code code)
{
	struct batch_file *f = arg;

	(void)code;
	atomic_store(&f->is_cancelled, true);
	atomic_fetch_add(&f->batch->cancels, 1);
	f->batch->wake(f->batch->arg);
}

static bool
is_busy(struct batch_file *f)
{
	bool is;

	pthread_mutex_lock(&f->batch->lock);
	is = f->is_busy;
	pthread_mutex_unlock(&f->batch->lock);
	return is;
}

/* Ends what was cancelled, but for the one whose bytes are being taken, and
 * what is just being made durable: the next time. */
static void
sweep(struct upload_batch *b)
{
	unsigned cancels = atomic_load(&b->cancels);
	struct err why = ERR_INIT;
	bool is_done = true;

	if (cancels == b->seen)
		return;
	for (size_t i = 0; i < b->count; i++) {
		struct batch_file *f = b->files[i];

		if (f->up == NULL || f == b->current ||
		    !batch_file_is_cancelled(f, &why))
			continue;
		if (is_busy(f))
			is_done = false;
		else
			batch_file_fail(f, &why);
	}
	if (is_done)
		b->seen = cancels;
}

/* --- making them durable --------------------------------------------------
 *
 * Each costs the disk some waiting, and several at once not much more.
 */

static void
run_prepare(struct job *job)
{
	struct batch_file *f = CONTAINER_OF(job, struct batch_file, job);
	const struct upload_options o = {
		.filename = f->name,
		.encryption = f->encryption,
		.is_decided = true,
	};
	struct upload_batch *b = f->batch;

	(void)upload_prepare(f->up, &o, &f->trouble);
	pthread_mutex_lock(&b->lock);
	f->is_busy = false;
	b->busy--;
	pthread_cond_signal(&b->less_busy);
	pthread_mutex_unlock(&b->lock);
}

/* By a publisher, or here while all of them are busy. */
static void
make_durable(struct batch_file *f, bool encryption)
{
	struct upload_batch *b = f->batch;

	pthread_mutex_lock(&b->lock);
	f->is_busy = true;
	b->busy++;
	pthread_mutex_unlock(&b->lock);
	f->encryption = encryption;
	f->job.run = run_prepare;
	if (!jobs_add(b->engine->publishers, &f->job))
		run_prepare(&f->job);
}

static void
wait_until_idle(struct upload_batch *b)
{
	pthread_mutex_lock(&b->lock);
	while (b->busy > 0)
		pthread_cond_wait(&b->less_busy, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

/* --- the body ------------------------------------------------------------- */

static struct upload_batch *
batch_of(struct source *s)
{
	return CONTAINER_OF(s, struct upload_batch, source);
}

static int
body_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct upload_batch *b = batch_of(s);
	int rc;

	do {
		sweep(b);
		rc = source_wait(
		    b->body, timeout_ms < 0 ? BATCH_LOOK_MS : timeout_ms, err);
	} while (rc == 0 && timeout_ms < 0);
	b->is_ready = rc > 0;
	return rc;
}

static ssize_t
body_read(struct source *s, void *buf, size_t n, struct err *err)
{
	if (!batch_of(s)->is_ready && body_wait(s, -1, err) < 0)
		return -1;
	batch_of(s)->is_ready = false;
	return source_read(batch_of(s)->body, buf, n, err);
}

static void
close_nothing(struct source *s)
{
	(void)s;
}

struct source *
upload_batch_body(struct upload_batch *b, struct source *body)
{
	b->source = (struct source){
		.read = body_read,
		.wait = body_wait,
		.close = close_nothing,
	};
	b->body = body;
	return &b->source;
}

/* --- its life ------------------------------------------------------------- */

struct upload_batch *
upload_batch_new(struct engine *e, void (*wake)(void *arg), void *arg)
{
	struct upload_batch *b = mem_calloc(1, sizeof(*b));

	b->engine = e;
	b->wake = wake;
	b->arg = arg;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->less_busy, NULL);
	return b;
}

static void
file_free(struct batch_file *f)
{
	mover_fini(&f->mover);
	rec_file_fini(&f->file);
	free(f->failed);
	free(f->shown);
	free(f->name);
	free(f);
}

void
upload_batch_free(struct upload_batch *b, const struct err *why)
{
	if (b == NULL)
		return;
	wait_until_idle(b);
	for (size_t i = 0; i < b->count; i++) {
		upload_abort(b->files[i]->up, why);
		file_free(b->files[i]);
	}
	free(b->files);
	pthread_cond_destroy(&b->less_busy);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

int
upload_batch_add(struct upload_batch *b, const char *shown,
    struct batch_file **ret_file, struct err *err)
{
	struct batch_file *f;

	if (b->count == LIMIT_BATCH_FILES)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the batch has more than %u files, and nothing was kept: "
		    "send them in several batches",
		    LIMIT_BATCH_FILES);
	if (b->count == b->capacity) {
		b->capacity = b->capacity == 0 ? 16 : 2 * b->capacity;
		b->files =
		    mem_realloc(b->files, b->capacity * sizeof(*b->files));
	}
	f = mem_calloc(1, sizeof(*f));
	f->batch = b;
	f->shown = mem_strdup(shown);
	mover_init(&f->mover, interrupt, f);
	b->files[b->count++] = f;
	*ret_file = f;
	return 0;
}

struct mover *
batch_file_mover(struct batch_file *f)
{
	return &f->mover;
}

int
batch_file_begin(
    struct batch_file *f, struct upload_request *req, struct err *err)
{
	free(f->name);
	f->name = mem_strdup(req->options->filename);
	req->mover = &f->mover;
	return upload_begin_brief(f->batch->engine, req, &f->up, err);
}

/* --- one file's bytes ----------------------------------------------------- */

/* A part's body: it tells whose fault a failure is. */
struct watched {
	struct source source;
	struct source *part;
	struct batch_file *file;
	bool has_failed;
};

static int
part_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct watched *w = CONTAINER_OF(s, struct watched, source);
	int rc;

	do {
		if (batch_file_is_cancelled(w->file, err))
			return -1;
		rc = source_wait(
		    w->part, timeout_ms < 0 ? BATCH_LOOK_MS : timeout_ms, err);
	} while (rc == 0 && timeout_ms < 0);
	w->has_failed = rc < 0;
	return rc;
}

static ssize_t
part_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct watched *w = CONTAINER_OF(s, struct watched, source);
	ssize_t got = source_read(w->part, buf, n, err);

	w->has_failed = got < 0;
	return got;
}

int
batch_file_fill(struct batch_file *f, struct source *body,
    const struct upload_options *o, struct err *err)
{
	struct watched w = {
		.source = { .read = part_read,
		    .wait = part_wait,
		    .close = close_nothing },
		.part = body,
		.file = f,
	};
	struct err e = ERR_INIT;
	int rc;

	f->batch->current = f;
	rc = upload_fill(f->up, &w.source, &e);
	f->batch->current = NULL;
	if (w.has_failed) {
		*err = e;
		return -1;
	}
	if (rc < 0)
		batch_file_fail(f, &e);
	else if (o->is_decided)
		make_durable(f, o->encryption);
	else {
		upload_lay_by(f->up);
		f->is_laid_by = true;
	}
	return 0;
}

/* --- the commit ----------------------------------------------------------- */

struct commit {
	struct upload_batch *batch;
	const struct upload_options *options;
};

static bool
is_of_one(enum err_code code)
{
	return code == ERR_FILE_EXISTS || code == ERR_UNAVAILABLE;
}

/* Among themselves the last of a name wins, whatever is said of files that
 * were there before. */
static int
record_one(struct db_tx *tx, struct batch_file *f, struct map *names,
    bool may_replace, struct err *err)
{
	struct slice name = slice_str(f->name);
	struct err e = ERR_INIT;

	if (names != NULL && map_get(names, name) != NULL)
		may_replace = true;
	f->is_recorded = upload_record(tx, f->up, may_replace, &e) == 0;
	if (f->is_recorded) {
		if (names != NULL)
			(void)map_put(names, name, f);
		return 0;
	}
	if (!is_of_one(e.code)) {
		*err = e;
		return -1;
	}
	if (f->failed == NULL)
		f->failed = mem_alloc(sizeof(*f->failed));
	*f->failed = e;
	return 0;
}

/* May run twice. */
static int
record(struct db_tx *tx, void *arg, struct err *err)
{
	const struct commit *c = arg;
	bool may_replace = c->options->may_replace;
	struct map *names = may_replace ? NULL : map_new();
	int rc = 0;

	for (size_t i = 0; i < c->batch->count && rc == 0; i++)
		if (c->batch->files[i]->up != NULL)
			rc = record_one(
			    tx, c->batch->files[i], names, may_replace, err);
	map_free(names);
	return rc;
}

/* All that have not failed are durable, and what is to be recorded is known. */
static void
prepare(struct upload_batch *b, const struct upload_options *o)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		struct batch_file *f = b->files[i];

		sweep(b);
		if (f->up != NULL && f->is_laid_by)
			make_durable(f, o->encryption);
	}
	wait_until_idle(b);
	for (i = 0; i < b->count; i++)
		if (b->files[i]->trouble.code != ERR_NONE)
			batch_file_fail(b->files[i], &b->files[i]->trouble);
	sweep(b);
	for (i = 0; i < b->count; i++)
		if (b->files[i]->up != NULL)
			upload_conclude(b->files[i]->up, o);
}

static int
place(struct upload_batch *b, struct err *err)
{
	struct upload **ups = mem_calloc(b->count, sizeof(*ups));
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < b->count; i++)
		if (b->files[i]->up != NULL)
			ups[n++] = b->files[i]->up;
	rc = upload_place(ups, n, err);
	free((void *)ups);
	return rc;
}

static void
announce(struct batch_file *f)
{
	struct err why;

	if (f->is_recorded) {
		upload_completed(f->up, &f->file);
		f->up = NULL;
		free(f->failed);
		f->failed = NULL;
	} else {
		why = *f->failed;
		batch_file_fail(f, &why);
	}
}

int
upload_batch_commit(
    struct upload_batch *b, const struct upload_options *o, struct err *err)
{
	struct commit c = { b, o };

	prepare(b, o);
	FAULT_POINT("batch.prepared");
	if (place(b, err) < 0)
		return -1;
	FAULT_POINT("batch.placed");
	if (engine_write(b->engine, record, &c, err) < 0)
		return -1;
	FAULT_POINT("batch.recorded");
	for (size_t i = 0; i < b->count; i++)
		if (b->files[i]->up != NULL)
			announce(b->files[i]);
	return 0;
}

/* --- what became of it ---------------------------------------------------- */

size_t
upload_batch_count(const struct upload_batch *b)
{
	return b->count;
}

void
upload_batch_result(
    const struct upload_batch *b, size_t i, struct batch_result *ret)
{
	const struct batch_file *f = b->files[i];

	*ret = (struct batch_result){
		.filename = f->shown,
		.file = f->failed == NULL ? &f->file : NULL,
		.why = f->failed,
	};
}
