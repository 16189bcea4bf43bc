/* SPDX-License-Identifier: MIT */
#include "engine/recover.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
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

struct rebuild {
	struct engine *engine;
	uint64_t files;
};

/* Puts the file unless a newer one has the name. */
static int
put_newest(struct db_tx *tx, void *arg, struct err *err)
{
	const struct rec_file *f = arg;
	struct rec_file old = { 0 };
	struct err e = ERR_INIT;
	bool newer = false;

	if (rec_file_get(tx, "", f->filename, &old, &e) == 0)
		newer = old.modified_ms > f->modified_ms ||
		        (old.modified_ms == f->modified_ms &&
		            strcmp(old.blob_id, f->blob_id) > 0);
	else if (e.code != ERR_FILE_NOT_FOUND) {
		*err = e;
		return -1;
	}
	rec_file_fini(&old);
	if (newer)
		return 0; /* stays without a record: recover_run finds it */
	return rec_file_put(tx, f, true, NULL, err);
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
	int rc;

	if (is_known(r->engine, id, &known, err) < 0)
		return -1;
	if (known)
		return 0;
	/* One without a readable birth record cannot be a file again; it
	 * goes to lost/ with the others that have no record. */
	if (st->ops->blob_birth(st, id, birth, &ignored) < 0 ||
	    birth_read(birth, id, &f, &ignored) < 0)
		return 0;
	if (f.layout == REC_PLAIN && f.size != size)
		f.damaged = true;
	rc = db_write(r->engine->db, put_newest, &f, err);
	if (rc == 0)
		r->files++;
	rec_file_fini(&f);
	return rc;
}

int
recover_rebuild(struct engine *e, uint64_t *ret_files, struct err *err)
{
	struct rebuild r = { e, 0 };

	if (e->storage->ops->blob_list(e->storage, rebuild_one, &r, err) < 0)
		return -1;
	*ret_files = r.files;
	return 0;
}

/* --- objects without a record ------------------------------------------------
 */

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

	if (is_known(s->engine, id, &known, &s->err) < 0 || known)
		return;
	if (st->ops->blob_set_aside(st, id, &s->err) < 0)
		return;
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
	if (is_known(s->engine, id, &known, err) < 0)
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

/* --- records without bytes
 * ----------------------------------------------------- */

struct step {
	char after[ID_SIZE];
	unsigned count;
	struct {
		char blob_id[ID_SIZE];
		char *filename;
		uint64_t size;
		bool plain;
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
	s->rows[s->count].size = f->size;
	s->rows[s->count].plain = f->layout == REC_PLAIN;
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

static int
mark(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_mark_damaged(tx, arg, true, err);
}

static int
check_row(struct sweep *w, struct step *s, unsigned i, struct err *err)
{
	struct storage *st = w->engine->storage;
	const char *id = s->rows[i].blob_id;
	struct err e = ERR_INIT;
	uint64_t size;
	bool known;

	if (s->rows[i].damaged)
		return 0;
	if (st->ops->blob_size(st, id, &size, &e) == 0) {
		if (!s->rows[i].plain || size == s->rows[i].size)
			return 0;
	} else if (e.code != ERR_ABSENT) {
		*err = e;
		return -1;
	}
	/* It may have been replaced and reaped since the row was read. */
	if (is_known(w->engine, id, &known, err) < 0)
		return -1;
	if (!known)
		return 0;
	w->found->missing++;
	w->check->report(w->check->arg,
	    "file whose bytes are missing or cut short", s->rows[i].filename);
	return db_write(w->engine->db, mark, s->rows[i].blob_id, err);
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
