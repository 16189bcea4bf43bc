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
	static const struct db_page page = { "", BATCH };

	return rec_trash_each(tx, &page, collect, arg, err);
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

int
reaper_run(struct engine *e, bool *ret_left, struct err *err)
{
	struct batch *b = mem_calloc(1, sizeof(*b));
	bool left = false;
	int rc = -1;

	/* The rows that are read below are committed; this makes them
	 * durable, where single commits are not. */
	if (!e->durable && db_make_durable(e->db, err) < 0)
		goto out;
	if (db_read(e->db, read_trash, b, err) < 0)
		goto out;
	for (unsigned i = 0; i < b->count; i++) {
		struct removal r = { e->storage, false, ERR_INIT };

		if (!pins_unless(e->pins, b->ids[i], remove_blob, &r))
			left = true;
		else if (r.failed) {
			*err = r.err;
			goto out;
		} else
			b->gone[i] = true;
	}
	if (b->count > 0 && db_write(e->db, forget_gone, b, err) < 0)
		goto out;
	*ret_left = left || b->count == BATCH;
	rc = 0;
out:
	free(b);
	return rc;
}
