/* SPDX-License-Identifier: MIT */
#include "engine/download.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* How often a name may be replaced under a reader that looks it up. */
#define LOOKUPS_MAX 16

struct query {
	const char *prefix;
	const char *filename;
	struct rec_file *file;
};

static int
get_file(struct db_tx *tx, void *arg, struct err *err)
{
	const struct query *q = arg;

	return rec_file_get(tx, q->prefix, q->filename, q->file, err);
}

static int
mark_damaged(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_mark_damaged(tx, arg, NULL, err);
}

static void
marked(void *arg, const struct err *err)
{
	(void)err; /* the next reader finds the damage again */
	free(arg);
}

static int
damaged(const struct rec_file *f, struct err *err)
{
	return err_set(err, ERR_FILE_DAMAGED,
	    "the stored bytes of '%s' are missing or damaged", f->filename);
}

/* The blob is pinned.  0 sound, -1 with ERR_ABSENT when it was removed before
 * the pin. */
static int
check_blob(struct engine *e, const struct rec_file *f, struct err *err)
{
	uint64_t size;

	if (e->storage->ops->blob_size(e->storage, f->blob_id, &size, err) < 0)
		return -1;
	if (f->layout == REC_PLAIN && size != f->size)
		return damaged(f, err);
	return 0;
}

/* The record says a blob that is not there, and it was not replaced. */
static int
report_loss(struct engine *e, struct rec_file *f, struct err *err)
{
	if (!f->damaged)
		db_write_later(
		    e->db, mark_damaged, mem_strdup(f->blob_id), marked);
	return damaged(f, err);
}

static int
find_and_pin(struct engine *e, struct query *q, struct err *err)
{
	char last[ID_SIZE] = "";
	struct err e2;

	for (int i = 0; i < LOOKUPS_MAX; i++) {
		rec_file_fini(q->file);
		if (db_read(e->db, get_file, q, err) < 0)
			return -1;
		pins_take(e->pins, q->file->blob_id);
		err_clear(&e2);
		if (check_blob(e, q->file, &e2) == 0)
			return 0;
		pins_drop(e->pins, q->file->blob_id);
		if (e2.code != ERR_ABSENT) {
			*err = e2;
			return -1;
		}
		if (strcmp(last, q->file->blob_id) == 0)
			return report_loss(e, q->file, err);
		memcpy(last, q->file->blob_id, ID_SIZE);
	}
	return err_set(err, ERR_UNAVAILABLE,
	    "'%s' is being replaced all the time", q->filename);
}

int
download_open(struct engine *e, const struct principal *who,
    const char *filename, struct download **ret_d, struct err *err)
{
	struct download *d = mem_calloc(1, sizeof(*d));
	struct query q = { who->prefix, filename, &d->file };

	if (find_and_pin(e, &q, err) < 0) {
		rec_file_fini(&d->file);
		free(d);
		return -1;
	}
	d->engine = e;
	*ret_d = d;
	return 0;
}

int
download_start(struct download *d, const struct client *client,
    struct storage_range range, struct source **ret_src, struct err *err)
{
	struct storage *st = d->engine->storage;
	struct transfer_start start = {
		.direction = REC_DOWNLOAD,
		.filename = d->file.filename,
		.total = range.length,
		.encryption = d->file.encryption,
		.client = client,
	};

	if (st->ops->blob_open(st, d->file.blob_id, range, ret_src, err) < 0)
		return -1;
	d->transfer = transfer_begin(d->engine->transfers, &start);
	return 0;
}

void
download_end(struct download *d, uint64_t bytes, const struct err *why)
{
	struct rec_transfer row = { 0 };

	if (d->transfer == NULL)
		return;
	transfer_moved(d->transfer, bytes);
	transfer_final(d->transfer,
	    why == NULL ? REC_COMPLETED : transfer_status_of(why), why, &row);
	memcpy(row.sha256, d->file.sha256, sizeof(row.sha256));
	transfer_end(d->transfer, &row);
	rec_transfer_fini(&row);
	d->transfer = NULL;
}

void
download_close(struct download *d)
{
	if (d == NULL)
		return;
	pins_drop(d->engine->pins, d->file.blob_id);
	rec_file_fini(&d->file);
	free(d);
}
