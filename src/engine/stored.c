/* SPDX-License-Identifier: MIT */
#include "engine/stored.h"

#include <stdlib.h>

#include "base/mem.h"
#include "crypto/seal_source.h"

static int
damaged(const struct rec_file *f, struct err *err)
{
	return err_set(err, ERR_FILE_DAMAGED,
	    "the stored bytes of '%s' are missing or damaged", f->filename);
}

int
stored_check(struct engine *e, const struct rec_file *f, uint64_t *ret_stored,
    struct err *err)
{
	struct storage *st = e->storage;

	if (st->ops->blob_size(st, f->blob_id, ret_stored, err) < 0)
		return -1;
	if (f->layout == REC_PLAIN && (f->damaged || *ret_stored != f->size))
		return damaged(f, err);
	return 0;
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

int
stored_report_loss(struct engine *e, const struct rec_file *f, struct err *err)
{
	if (!f->damaged)
		db_write_later(
		    e->db, mark_damaged, mem_strdup(f->blob_id), marked);
	return damaged(f, err);
}

int
stored_header(struct engine *e, const struct rec_file *f,
    unsigned char ret[SEAL_HEADER_SIZE], struct err *err)
{
	struct storage *st = e->storage;
	struct err why = ERR_INIT;

	if (st->ops->blob_get_head(
	        st, f->blob_id, ret, SEAL_HEADER_SIZE, &why) == 0)
		return 0;
	if (why.code == ERR_FILE_DAMAGED)
		return err_set(err, ERR_DECRYPTION_FAILED,
		    "the stored bytes of '%s' end before an encrypted file "
		    "begins",
		    f->filename);
	*err = why;
	return -1;
}

static int
unseal(struct engine *e, const struct rec_file *f, struct seal **ret_seal,
    struct err *err)
{
	unsigned char header[SEAL_HEADER_SIZE];
	struct err why = ERR_INIT;

	if (stored_header(e, f, header, err) < 0)
		return -1;
	if (seal_open(e->keys, header, ret_seal, &why) == 0)
		return 0;
	/* Once more, for file systems that know no locks. */
	if (why.code == ERR_DECRYPTION_FAILED) {
		if (stored_header(e, f, header, err) < 0)
			return -1;
		return seal_open(e->keys, header, ret_seal, err);
	}
	*err = why;
	return -1;
}

static int
open_sealed(struct engine *e, const struct rec_file *f,
    const struct stored_range *r, struct source **ret_src, struct err *err)
{
	const struct seal_range wanted = {
		.size = f->size,
		.stored = r->stored,
		.offset = r->plain.offset,
		.length = r->plain.length,
	};
	struct storage *st = e->storage;
	struct storage_range range;
	struct seal *seal;
	struct source *inner;

	if (unseal(e, f, &seal, err) < 0)
		return -1;
	seal_range_stored(&wanted, &range.offset, &range.length);
	if (st->ops->blob_open(st, f->blob_id, range, &inner, err) < 0) {
		seal_free(seal);
		return -1;
	}
	return seal_source_open(seal, &wanted, inner, ret_src, err);
}

int
stored_open(struct engine *e, const struct rec_file *f,
    const struct stored_range *r, struct source **ret_src, struct err *err)
{
	struct storage *st = e->storage;

	if (f->layout == REC_SEALED)
		return open_sealed(e, f, r, ret_src, err);
	return st->ops->blob_open(st, f->blob_id, r->plain, ret_src, err);
}
