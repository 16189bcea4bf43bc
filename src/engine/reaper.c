/* SPDX-License-Identifier: MIT */
#include "engine/reaper.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/rec_file.h"

/* Blobs of one pass through the table. */
#define BATCH 256

struct batch {
	char ids[BATCH][ID_SIZE];
	bool gone[BATCH];
	unsigned count;
	char after[ID_SIZE]; /* where the next one begins */
};

static int
collect(void *arg, const char *blob_id, struct err *err)
{
	struct batch *b = arg;

	(void)err;
	memcpy(b->ids[b->count++], blob_id, ID_SIZE);
	return 0;
}

static int
read_trash(struct db_tx *tx, void *arg, struct err *err)
{
	struct batch *b = arg;
	const struct db_page page = { b->after, BATCH };

	if (rec_trash_each(tx, &page, collect, b, err) < 0)
		return -1;
	if (b->count > 0)
		memcpy(b->after, b->ids[b->count - 1], ID_SIZE);
	return 0;
}

static int
forget_gone(struct db_tx *tx, void *arg, struct err *err)
{
	const struct batch *b = arg;

	for (unsigned i = 0; i < b->count; i++)
		if (b->gone[i] && rec_trash_remove(tx, b->ids[i], err) < 0)
			return -1;
	return 0;
}

struct removal {
	struct storage *st;
	bool failed;
	struct err err;
};

static void
remove_blob(void *arg, const char *blob_id)
{
	struct removal *r = arg;

	r->failed = r->st->ops->blob_remove(r->st, blob_id, &r->err) < 0;
}

/* Removes what is not pinned: -1 with the first failure. */
static int
remove_batch(struct engine *e, struct batch *b, bool *left, struct err *err)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct removal r = { e->storage, false, ERR_INIT };

		if (!pins_unless(e->pins, b->ids[i], remove_blob, &r)) {
			*left = true;
		} else if (r.failed) {
			*err = r.err;
			return -1;
		} else {
			b->gone[i] = true;
		}
	}
	return 0;
}

/* One batch from after the last one's end. */
static int
reap_batch(struct engine *e, struct batch *b, bool *left, struct err *err)
{
	b->count = 0;
	memset(b->gone, 0, sizeof(b->gone));
	if (db_read(e->db, read_trash, b, err) < 0)
		return -1;
	if (b->count == 0)
		return 0;
	/* The rows that were read are committed; this makes them durable,
	 * where single commits are not. */
	if (!e->durable && engine_make_durable(e, err) < 0)
		return -1;
	if (remove_batch(e, b, left, err) < 0)
		return -1;
	return engine_write(e, forget_gone, b, err);
}

int
reaper_run(struct engine *e, bool *ret_left, struct err *err)
{
	struct batch *b = mem_calloc(1, sizeof(*b));
	bool left = false;
	int rc;

	do
		rc = reap_batch(e, b, &left, err);
	while (rc == 0 && b->count == BATCH);
	if (rc == 0)
		*ret_left = left;
	free(b);
	return rc;
}
