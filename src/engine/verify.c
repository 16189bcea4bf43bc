/* SPDX-License-Identifier: MIT */
#include "engine/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/passing.h"
#include "crypto/seal_source.h"
#include "db/rec_file.h"
#include "engine/preview_store.h"

/* Records that are read at once. */
#define STEP 100

struct verifying {
	struct engine *engine;
	const struct verify_control *control;
	struct verify_sum *sum;
};

/* --- bytes ------------------------------------------------------------------
 */

static int
open_plain(struct engine *e, const struct rec_file *f, uint64_t stored,
    struct source **ret_src, struct err *err)
{
	struct storage *st = e->storage;
	const struct storage_range all = { 0, f->size };

	if (stored != f->size)
		return err_set(err, ERR_FILE_DAMAGED, "its size is wrong");
	if (st->ops->blob_open(st, f->blob_id, all, ret_src, err) < 0)
		return -1;
	*ret_src = passing_open(*ret_src);
	return 0;
}

static int
unseal(struct engine *e, const struct rec_file *f, struct seal **ret_seal,
    struct err *err)
{
	struct storage *st = e->storage;
	unsigned char header[SEAL_HEADER_SIZE];

	if (st->ops->blob_get_head(
	        st, f->blob_id, header, sizeof(header), err) < 0)
		return -1;
	return seal_open(e->keys, header, ret_seal, err);
}

static int
open_sealed(struct engine *e, const struct rec_file *f, uint64_t stored,
    struct source **ret_src, struct err *err)
{
	const struct seal_range all = {
		.size = f->size,
		.stored = stored,
		.length = f->size,
	};
	struct storage *st = e->storage;
	struct storage_range range;
	struct source *inner;
	struct seal *seal;

	if (stored != seal_size(f->size))
		return err_set(err, ERR_FILE_DAMAGED, "its size is wrong");
	seal_range_stored(&all, &range.offset, &range.length);
	if (st->ops->blob_open(st, f->blob_id, range, &inner, err) < 0)
		return -1;
	inner = passing_open(inner);
	if (unseal(e, f, &seal, err) < 0) {
		source_close(inner);
		return -1;
	}
	return seal_source_open(seal, &all, inner, ret_src, err);
}

static int
hash(struct verifying *v, struct source *src, unsigned char ret[SHA256_SIZE],
    struct err *err)
{
	struct buffers *b = v->engine->buffers;
	size_t size = buffers_size(b);
	struct sha256 sha;
	ssize_t n;
	void *p;

	sha256_init(&sha);
	do {
		p = buffers_take(b);
		n = source_read(src, p, size, err);
		if (n > 0)
			sha256_update(&sha, p, (size_t)n);
		buffers_give(b, p);
		if (n > 0) {
			v->sum->bytes += (uint64_t)n;
			v->control->read(v->control->arg, (uint64_t)n);
		}
	} while (n > 0);
	sha256_final(&sha, ret);
	return n < 0 ? -1 : 0;
}

/* The stored bytes against the record. */
static int
check_bytes(struct verifying *v, const struct rec_file *f, struct err *err)
{
	struct storage *st = v->engine->storage;
	unsigned char digest[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];
	struct source *src;
	uint64_t stored;
	int rc;

	if (st->ops->blob_size(st, f->blob_id, &stored, err) < 0)
		return -1;
	rc = f->layout == REC_SEALED
	         ? open_sealed(v->engine, f, stored, &src, err)
	         : open_plain(v->engine, f, stored, &src, err);
	if (rc < 0)
		return -1;
	rc = hash(v, src, digest, err);
	source_close(src);
	if (rc < 0)
		return -1;
	hex_encode(digest, sizeof(digest), hex);
	if (strcmp(hex, f->sha256) != 0)
		return err_set(err, ERR_FILE_DAMAGED, "its SHA-256 is another");
	return 0;
}

/* --- verdicts
 * ----------------------------------------------------------------- */

/* A disk that cannot give the bytes back, as opposed to a process that may
 * not have them. */
static bool
is_disk_failure(const struct err *why)
{
	return why->code == ERR_IO &&
	       (why->sys == 0 || why->sys == EIO || why->sys == EBADMSG ||
	           why->sys == EUCLEAN);
}

static enum verify_verdict
judge(int rc, const struct err *why)
{
	static const struct {
		enum err_code code;
		enum verify_verdict verdict;
	} rows[] = {
		{ ERR_ABSENT, VERIFY_LOST },
		{ ERR_FILE_DAMAGED, VERIFY_DAMAGED },
		{ ERR_DECRYPTION_FAILED, VERIFY_DAMAGED },
		{ ERR_KEY_MISSING, VERIFY_NO_KEY },
	};

	if (rc == 0)
		return VERIFY_SOUND;
	if (is_disk_failure(why))
		return VERIFY_DAMAGED;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == why->code)
			return rows[i].verdict;
	return VERIFY_UNREAD;
}

/* What the records say now. */
struct recheck {
	const struct rec_file *file;
	enum verify_verdict verdict;
	bool is_same; /* the name still stands for this blob */
};

static int
settle(struct db_tx *tx, void *arg, struct err *err)
{
	struct recheck *r = arg;
	struct rec_file now = { 0 };
	struct err e = ERR_INIT;
	int rc = 0;

	r->is_same = false;
	if (rec_file_get(tx, "", r->file->filename, &now, &e) < 0) {
		if (e.code == ERR_FILE_NOT_FOUND)
			return 0;
		*err = e;
		return -1;
	}
	/* A rotation of keys changes no id, being made plain does. */
	r->is_same = strcmp(now.blob_id, r->file->blob_id) == 0;
	rec_file_fini(&now);
	if (!r->is_same)
		return 0;
	if (r->verdict == VERIFY_DAMAGED || r->verdict == VERIFY_LOST)
		rc = rec_file_mark_damaged(tx, r->file->blob_id, NULL, err);
	else if (r->verdict == VERIFY_SOUND && r->file->damaged)
		rc = rec_file_unmark_damaged(tx, r->file->blob_id, err);
	return rc;
}

static int
verify_one(struct verifying *v, const struct rec_file *f, struct err *err)
{
	struct err why = ERR_INIT;
	struct recheck r = { .file = f };
	int rc = check_bytes(v, f, &why);

	r.verdict = judge(rc, &why);
	v->sum->files++;
	if (r.verdict == VERIFY_SOUND && !f->damaged)
		return 0;
	if (engine_write(v->engine, settle, &r, err) < 0)
		return -1;
	if (!r.is_same || r.verdict == VERIFY_SOUND)
		return 0;
	v->sum->bad++;
	v->control->found(v->control->arg, f->filename, r.verdict, &why);
	return 0;
}

/* --- walks
 * -------------------------------------------------------------------- */

struct query {
	const char *filename;
	struct rec_file *file;
};

static int
get_file(struct db_tx *tx, void *arg, struct err *err)
{
	struct query *q = arg;

	return rec_file_get(tx, "", q->filename, q->file, err);
}

/* Who is asked for the next preview of it makes another. */
static int
look_at_preview(void *arg, const char *id, uint64_t size, struct err *err)
{
	(void)size;
	return preview_store_check(arg, id, err);
}

int
verify_file(struct engine *e, const char *filename,
    const struct verify_control *control, struct verify_sum *sum,
    struct err *err)
{
	struct verifying v = { e, control, sum };
	struct rec_file f = { 0 };
	struct query q = { filename, &f };
	int rc;

	memset(sum, 0, sizeof(*sum));
	if (db_read(e->db, get_file, &q, err) < 0)
		return -1;
	rc = verify_one(&v, &f, err);
	if (rc == 0)
		rc = preview_store_check(e, f.blob_id, err);
	rec_file_fini(&f);
	return rc;
}

struct step {
	char after[ID_SIZE];
	unsigned count;
	struct rec_file files[STEP];
};

static int
collect(void *arg, const struct rec_file *f, struct err *err)
{
	struct step *s = arg;
	struct rec_file *to = &s->files[s->count++];

	(void)err;
	*to = *f;
	to->filename = mem_strdup(f->filename);
	to->mime_type = mem_strdup(f->mime_type);
	return 0;
}

static int
read_step(struct db_tx *tx, void *arg, struct err *err)
{
	struct step *s = arg;
	const struct db_page page = { s->after, STEP };

	return rec_file_each(tx, &page, collect, s, err);
}

static void
step_clear(struct step *s)
{
	if (s->count > 0)
		memcpy(s->after, s->files[s->count - 1].blob_id, ID_SIZE);
	while (s->count > 0)
		rec_file_fini(&s->files[--s->count]);
}

static int
get_last(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_last(tx, arg, err);
}

int
verify_all(struct engine *e, const struct verify_control *control,
    struct verify_sum *sum, struct err *err)
{
	struct verifying v = { e, control, sum };
	struct step *s = mem_calloc(1, sizeof(*s));
	/* Ids grow with time: who uploads faster than we read does not keep
	 * us for ever. */
	char last[ID_SIZE];
	bool is_last = false;
	int rc;

	memset(sum, 0, sizeof(*sum));
	rc = db_read(e->db, get_last, last, err);
	while (rc == 0 && !is_last) {
		rc = db_read(e->db, read_step, s, err);
		is_last = s->count < STEP;
		for (unsigned i = 0; rc == 0 && i < s->count; i++) {
			is_last |= strcmp(s->files[i].blob_id, last) >= 0;
			if (strcmp(s->files[i].blob_id, last) <= 0)
				rc = verify_one(&v, &s->files[i], err);
		}
		step_clear(s);
	}
	free(s);
	if (rc == 0)
		rc = e->storage->ops->beside_list(
		    e->storage, look_at_preview, e, err);
	return rc;
}
