/* SPDX-License-Identifier: MIT */
#include "engine/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypto/seal_source.h"
#include "db/rec_file.h"
#include "engine/birth.h"
#include "engine/preview.h"

/* One file on its way. */
struct rewriting {
	struct engine *engine;
	const struct rewrite_control *control;
	struct rec_file file; /* as it is */
	char old_id[ID_SIZE];
	char new_id[ID_SIZE];
	struct space_hold hold;
	struct blob *blob; /* NULL once published or aborted */
	bool is_swapped;
};

struct query {
	char after[ID_SIZE];
	struct rec_file *file;
};

static int
get_next(struct db_tx *tx, void *arg, struct err *err)
{
	struct query *q = arg;

	return rec_file_next_unsettled(tx, q->after, q->file, err);
}

static int
swap(struct db_tx *tx, void *arg, struct err *err)
{
	struct rewriting *r = arg;

	return rec_file_swap(tx, r->old_id, r->new_id, &r->is_swapped, err);
}

/* --- copying ----------------------------------------------------------------
 */

static int
open_sealed(struct rewriting *r, struct source **ret_src, struct err *err)
{
	struct storage *st = r->engine->storage;
	unsigned char header[SEAL_HEADER_SIZE];
	struct seal_range range = {
		.size = r->file.size,
		.length = r->file.size,
	};
	struct storage_range stored;
	struct source *inner;
	struct seal *seal;

	if (st->ops->blob_size(st, r->old_id, &range.stored, err) < 0 ||
	    st->ops->blob_get_head(st, r->old_id, header, sizeof(header), err) <
	        0 ||
	    seal_open(r->engine->keys, header, &seal, err) < 0)
		return -1;
	seal_range_stored(&range, &stored.offset, &stored.length);
	if (st->ops->blob_open(st, r->old_id, stored, &inner, err) < 0) {
		seal_free(seal);
		return -1;
	}
	return seal_source_open(seal, &range, inner, ret_src, err);
}

/* A buffer's worth; 0 at the end, -1. */
static ssize_t
copy_step(struct rewriting *r, struct source *src, uint64_t at, struct err *err)
{
	struct buffers *b = r->engine->buffers;
	void *p;
	ssize_t n;

	if (!r->control->wait_until_idle(r->control->arg))
		return err_set(err, ERR_SHUTTING_DOWN, "stopped");
	p = buffers_take(b);
	n = source_read(src, p, buffers_size(b), err);
	if (n > 0 && (space_hold_take(&r->hold, (uint64_t)n, err) < 0 ||
	                 r->blob->ops->blob_write_at(
	                     r->blob, at, p, (size_t)n, err) < 0))
		n = -1;
	buffers_give(b, p);
	return n;
}

static int
copy(struct rewriting *r, struct err *err)
{
	struct source *src;
	uint64_t at = 0;
	ssize_t n;

	if (open_sealed(r, &src, err) < 0)
		return -1;
	while ((n = copy_step(r, src, at, err)) > 0)
		at += (uint64_t)n;
	source_close(src);
	if (n < 0)
		return -1;
	if (at != r->file.size)
		return err_set(
		    err, ERR_INTERNAL, "a container ended without an error");
	return 0;
}

/* --- one file ---------------------------------------------------------------
 */

static int
publish(struct rewriting *r, struct err *err)
{
	struct engine *e = r->engine;
	char birth[STORAGE_BIRTH_MAX + 1];
	struct blob *blob = r->blob;
	int rc;

	r->file.layout = REC_PLAIN;
	if (birth_write(&r->file, birth, err) < 0)
		return -1;
	r->blob = NULL; /* publishing frees it whatever comes out */
	if (blob->ops->blob_publish(
	        blob, r->file.size, birth, e->durable, err) < 0)
		return -1;
	FAULT_POINT("rewrite.published");
	rc = engine_write(e, swap, r, err);
	if (rc < 0 || !r->is_swapped) {
		/* What cannot be removed now is found by recovery. */
		(void)e->storage->ops->blob_remove(e->storage, r->new_id, NULL);
		return rc;
	}
	FAULT_POINT("rewrite.swapped");
	memcpy(r->file.blob_id, r->new_id, ID_SIZE);
	preview_stored(e, &r->file);
	if (e->trashed != NULL)
		e->trashed(e->trashed_arg);
	return 0;
}

/* Both blobs are pinned. */
static int
rewrite_pinned(struct rewriting *r, struct err *err)
{
	struct engine *e = r->engine;
	int rc = -1;

	if (space_hold_init(&r->hold, e->space, r->file.size, err) < 0)
		return -1;
	if (e->storage->ops->blob_new(
	        e->storage, r->new_id, r->file.size, &r->blob, err) < 0)
		goto out;
	if (copy(r, err) == 0)
		rc = publish(r, err);
	if (r->blob != NULL)
		r->blob->ops->blob_abort(r->blob);
out:
	space_hold_fini(&r->hold);
	return rc;
}

static int
mark_damaged(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_mark_damaged(tx, arg, NULL, err);
}

/* 0 also when it was replaced meanwhile. */
static int
rewrite_one(struct rewriting *r, struct err *err)
{
	struct engine *e = r->engine;
	int rc;

	memcpy(r->old_id, r->file.blob_id, ID_SIZE);
	id_new(clock_wall_ms(e->clock), r->new_id);
	pins_take(e->pins, r->old_id);
	pins_take(e->pins, r->new_id);
	rc = rewrite_pinned(r, err);
	/* Or the next pass would come upon it again. */
	if (rc < 0 && err->code == ERR_DECRYPTION_FAILED)
		(void)engine_write(
		    e, mark_damaged, r->old_id, &(struct err)ERR_INIT);
	pins_drop(e->pins, r->new_id);
	pins_drop(e->pins, r->old_id);
	return rc;
}

int
rewrite_run(struct engine *e, const struct rewrite_control *control,
    uint64_t *ret_files, struct err *err)
{
	struct rewriting r = { .engine = e, .control = control };
	struct query q = { "", &r.file };
	struct err why;
	int rc;

	*ret_files = 0;
	for (;;) {
		if (db_read(e->db, get_next, &q, err) < 0)
			return -1;
		if (r.file.filename == NULL)
			return 0;
		memcpy(q.after, r.file.blob_id, ID_SIZE);
		err_clear(&why);
		r.is_swapped = false;
		rc = rewrite_one(&r, &why);
		if (rc < 0 && why.code == ERR_SHUTTING_DOWN) {
			rec_file_fini(&r.file);
			*err = why;
			return -1;
		}
		if (rc < 0)
			control->failed(control->arg, r.file.filename, &why);
		else if (r.is_swapped)
			++*ret_files;
		rec_file_fini(&r.file);
	}
}
