/* SPDX-License-Identifier: MIT */
#include "engine/recover.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/seal.h"
#include "db/rec_session.h"
#include "engine/birth.h"

/* Records that are looked at in one read of the database. */
#define STEP 200

/* --- does a record know this blob? ---------------------------------------- */

struct known {
	const char *blob_id;
	bool yes;
};

static int
ask(struct db_tx *tx, void *arg, struct err *err)
{
	struct known *k = arg;

	return rec_blob_is_known(tx, k->blob_id, &k->yes, err);
}

static int
is_known(struct engine *e, const char *blob_id, bool *ret, struct err *err)
{
	struct known k = { blob_id, false };

	if (db_read(e->db, ask, &k, err) < 0)
		return -1;
	*ret = k.yes;
	return 0;
}

/* --- records from birth records ---------------------------------------------
 */

/* Files that are written together: a commit for each would take longer than
 * all the rest. */
#define BATCH 128

struct rebuild {
	struct engine *engine;
	const struct recover_older *older; /* NULL: all of them */
	uint64_t files;                    /* put on record */
	unsigned count;
	bool was_put[BATCH];
	struct rec_file batch[BATCH];
};

static bool
is_newer(const struct rec_file *a, const struct rec_file *b)
{
	if (a->modified_ms != b->modified_ms)
		return a->modified_ms > b->modified_ms;
	return strcmp(a->blob_id, b->blob_id) > 0;
}

/*
 * Puts the file unless a newer one has the name.  The object of the older
 * stays without a record, and not in the trash: recover_run() finds it, and
 * people may look at it.
 */
static int
put_newest(
    struct db_tx *tx, const struct rec_file *f, bool *ret_put, struct err *err)
{
	struct rec_file old = { 0 };
	struct err e = ERR_INIT;
	bool was_there;
	int rc = -1;

	was_there = rec_file_get(tx, "", f->filename, &old, &e) == 0;
	if (!was_there && e.code != ERR_FILE_NOT_FOUND) {
		*err = e;
		return -1;
	}
	*ret_put = false;
	if (was_there && is_newer(&old, f)) {
		rc = 0;
		goto out;
	}
	if (rec_file_put(tx, f, true, NULL, err) < 0)
		goto out;
	if (was_there && rec_trash_remove(tx, old.blob_id, err) < 0)
		goto out;
	*ret_put = true;
	rc = 0;
out:
	rec_file_fini(&old);
	return rc;
}

static int
put_batch(struct db_tx *tx, void *arg, struct err *err)
{
	struct rebuild *r = arg;

	for (unsigned i = 0; i < r->count; i++)
		if (put_newest(tx, &r->batch[i], &r->was_put[i], err) < 0)
			return -1;
	return 0;
}

static void
clear_batch(struct rebuild *r)
{
	while (r->count > 0)
		rec_file_fini(&r->batch[--r->count]);
}

static int
flush_batch(struct rebuild *r, struct err *err)
{
	if (r->count == 0)
		return 0;
	if (engine_write(r->engine, put_batch, r, err) < 0)
		return -1;
	for (unsigned i = 0; i < r->count; i++) {
		if (!r->was_put[i])
			continue;
		r->files++;
		if (r->older != NULL)
			r->older->recorded(r->older->arg, r->batch[i].filename);
	}
	clear_batch(r);
	return 0;
}

static int
rebuild_one(void *arg, const char *id, uint64_t size, struct err *err)
{
	struct rebuild *r = arg;
	struct storage *st = r->engine->storage;
	char birth[STORAGE_BIRTH_MAX + 1];
	struct rec_file f = { 0 };
	struct err ignored = ERR_INIT;
	bool known;

	if (is_known(r->engine, id, &known, err) < 0)
		return -1;
	if (known)
		return 0;
	/* One without a readable birth record cannot be a file again; it
	 * goes to lost/ with the others that have no record. */
	if (st->ops->blob_birth(st, id, birth, &ignored) < 0 ||
	    birth_read(birth, id, &f, &ignored) < 0)
		return 0;
	if (r->older != NULL && f.modified_ms >= r->older->before_ms) {
		rec_file_fini(&f);
		return 0;
	}
	if (size != (f.layout == REC_SEALED ? seal_size(f.size) : f.size))
		f.damaged = true;
	r->batch[r->count++] = f;
	return r->count < BATCH ? 0 : flush_batch(r, err);
}

int
recover_rebuild(struct engine *e, uint64_t *ret_files, struct err *err)
{
	return recover_rebuild_older(e, NULL, ret_files, err);
}

int
recover_rebuild_older(struct engine *e, const struct recover_older *older,
    uint64_t *ret_files, struct err *err)
{
	struct rebuild *r = mem_calloc(1, sizeof(*r));
	struct storage *st = e->storage;
	int rc = -1;

	r->engine = e;
	r->older = older;
	if (st->ops->blob_list(st, rebuild_one, r, err) == 0 &&
	    flush_batch(r, err) == 0) {
		*ret_files = r->files;
		rc = 0;
	}
	clear_batch(r);
	free(r);
	return rc;
}

/* --- objects without a record ------------------------------------------------
 */

/* An upload that is about to become a file, or was when the process died. */
static int
ask_sessions(struct db_tx *tx, void *arg, struct err *err)
{
	struct known *k = arg;

	if (rec_blob_is_known(tx, k->blob_id, &k->yes, err) < 0)
		return -1;
	return k->yes ? 0 : rec_session_has_blob(tx, k->blob_id, &k->yes, err);
}

static int
is_named(struct engine *e, const char *blob_id, bool *ret, struct err *err)
{
	struct known k = { blob_id, false };

	if (db_read(e->db, ask_sessions, &k, err) < 0)
		return -1;
	*ret = k.yes;
	return 0;
}

struct sweep {
	struct engine *engine;
	const struct recover_check *check;
	struct recover_found *found;
	struct err err;
};

/* Nobody can pin the blob meanwhile, so no upload is about to record it. */
static void
set_aside_unknown(void *arg, const char *id)
{
	struct sweep *s = arg;
	struct storage *st = s->engine->storage;
	bool known = true;

	if (is_named(s->engine, id, &known, &s->err) < 0 || known)
		return;
	if (st->ops->blob_set_aside(st, id, &s->err) < 0) {
		/* Replaced and removed since it was listed. */
		if (s->err.code == ERR_ABSENT)
			err_clear(&s->err);
		return;
	}
	s->found->lost++;
	s->check->report(
	    s->check->arg, "object without a record, moved to lost/", id);
}

static int
sweep_one(void *arg, const char *id, uint64_t size, struct err *err)
{
	struct sweep *s = arg;
	bool known;

	(void)size;
	if (s->check->stop(s->check->arg))
		return err_set(err, ERR_SHUTTING_DOWN, "stopped");
	/* Without the pins' lock first: nearly all are known. */
	if (is_named(s->engine, id, &known, err) < 0)
		return -1;
	if (known)
		return 0;
	(void)pins_unless(s->engine->pins, id, set_aside_unknown, s);
	if (s->err.code != ERR_NONE) {
		*err = s->err;
		return -1;
	}
	return 0;
}

/* --- records without bytes ------------------------------------------------ */

struct step {
	char after[ID_SIZE];
	unsigned count;
	struct {
		char blob_id[ID_SIZE];
		char *filename;
		uint64_t stored; /* the blob's size */
		bool damaged;
	} rows[STEP];
};

static int
collect(void *arg, const struct rec_file *f, struct err *err)
{
	struct step *s = arg;

	(void)err;
	memcpy(s->rows[s->count].blob_id, f->blob_id, ID_SIZE);
	memcpy(s->after, f->blob_id, ID_SIZE);
	s->rows[s->count].filename = mem_strdup(f->filename);
	s->rows[s->count].stored =
	    f->layout == REC_SEALED ? seal_size(f->size) : f->size;
	s->rows[s->count].damaged = f->damaged;
	s->count++;
	return 0;
}

static int
read_step(struct db_tx *tx, void *arg, struct err *err)
{
	struct step *s = arg;
	char after[ID_SIZE];
	const struct db_page page = { after, STEP };

	memcpy(after, s->after, ID_SIZE);
	return rec_file_each(tx, &page, collect, s, err);
}

static void
step_clear(struct step *s)
{
	for (unsigned i = 0; i < s->count; i++)
		free(s->rows[i].filename);
	s->count = 0;
}

struct mark {
	const char *blob_id;
	bool is_marked;
};

static int
mark(struct db_tx *tx, void *arg, struct err *err)
{
	struct mark *m = arg;

	return rec_file_mark_damaged(tx, m->blob_id, &m->is_marked, err);
}

static int
check_row(struct sweep *w, struct step *s, unsigned i, struct err *err)
{
	struct storage *st = w->engine->storage;
	struct mark m = { s->rows[i].blob_id, false };
	struct err e = ERR_INIT;
	uint64_t size;

	if (s->rows[i].damaged)
		return 0;
	if (st->ops->blob_size(st, m.blob_id, &size, &e) == 0) {
		if (size == s->rows[i].stored)
			return 0;
	} else if (e.code != ERR_ABSENT) {
		*err = e;
		return -1;
	}
	/* It may have been replaced and reaped since the row was read: then
	 * no row of a file is marked. */
	if (engine_write(w->engine, mark, &m, err) < 0)
		return -1;
	if (!m.is_marked)
		return 0;
	w->found->missing++;
	w->check->report(w->check->arg,
	    "file whose bytes are missing or cut short", s->rows[i].filename);
	return 0;
}

static int
check_records(struct sweep *w, struct err *err)
{
	struct step *s = mem_calloc(1, sizeof(*s));
	int rc = -1;

	for (;;) {
		if (db_read(w->engine->db, read_step, s, err) < 0)
			goto out;
		if (s->count == 0)
			break;
		for (unsigned i = 0; i < s->count; i++) {
			if (w->check->stop(w->check->arg)) {
				err_set(err, ERR_SHUTTING_DOWN, "stopped");
				goto out;
			}
			if (check_row(w, s, i, err) < 0)
				goto out;
		}
		step_clear(s);
	}
	rc = 0;
out:
	step_clear(s);
	free(s);
	return rc;
}

int
recover_run(struct engine *e, const struct recover_check *check,
    struct recover_found *ret, struct err *err)
{
	struct sweep w = { .engine = e, .check = check, .found = ret };

	memset(ret, 0, sizeof(*ret));
	if (e->storage->ops->blob_list(e->storage, sweep_one, &w, err) < 0)
		return -1;
	return check_records(&w, err);
}
