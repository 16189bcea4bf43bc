/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hex.h"
#include "base/mem.h"
#include "engine/birth.h"
#include "engine/preview.h"
#include "engine/session_priv.h"

/* Rows of chunks that go with the commit; the rest goes later. */
#define CLEAR_AT_ONCE 2000

void
session_result_fini(struct session_result *r)
{
	free(r->filename);
	free(r->mime_type);
	memset(r, 0, sizeof(*r));
}

/* --- is it what was announced? -------------------------------------------- */

static int
check(struct session *s, const struct digest_result *got, struct err *err)
{
	char hex[SHA256_HEX_SIZE];

	if (s->rec.total_size != REC_SIZE_UNKNOWN &&
	    s->rec.total_size != got->size)
		return err_set(err, ERR_SIZE_MISMATCH,
		    "all chunks together have %" PRIu64
		    " bytes, not the %" PRIu64
		    " that were announced; nothing was kept",
		    got->size, s->rec.total_size);
	hex_encode(got->sha256, SHA256_SIZE, hex);
	if (s->rec.file_hash != NULL && strcmp(s->rec.file_hash, hex) != 0)
		return err_set(err, ERR_HASH_MISMATCH,
		    "the bytes that arrived have the SHA-256 %s, not the one "
		    "that was announced; nothing was kept",
		    hex);
	return 0;
}

/* --- the last segment ----------------------------------------------------- */

static int
put_front(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_advance(tx, arg, err);
}

/*
 * The last chunk was empty, so that the segment before it is the file's last
 * and has to be sealed anew as such.  It goes on record as a tail first: half
 * of it may be written over when the process dies.
 */
static int
take_back_segment(struct session *s, struct err *err)
{
	uint64_t n = s->offset % SEAL_SEGMENT;
	struct session_piece p;
	struct rec_session copy;
	struct source *src;
	ssize_t got;

	n = n == 0 ? SEAL_SEGMENT : n;
	p = session_front(s, s->offset - n, n);
	if (session_read(s, &p, &src, err) < 0)
		return -1;
	s->tail = mem_alloc(SEAL_SEGMENT);
	got = source_read_full(src, s->tail, (size_t)n, err);
	source_close(src);
	if (got != (ssize_t)n)
		return -1;
	s->tail_n = (size_t)n;
	s->rec.front_number = s->number;
	s->rec.front_offset = s->offset;
	session_note_tail(s);
	pthread_mutex_lock(&s->lock);
	copy = s->rec;
	pthread_mutex_unlock(&s->lock);
	return engine_write(s->engine, put_front, &copy, err);
}

/* Seals the last segment, where no chunk has brought it. */
static int
close_container(struct session *s, struct blob *blob, struct err *err)
{
	unsigned char *out;
	struct seal_run run = { .is_last = true };
	size_t n;
	int rc;

	if (s->is_closed)
		return 0;
	if (s->offset > 0 && s->tail_n == 0 && take_back_segment(s, err) < 0)
		return -1;
	run.first = (s->offset - s->tail_n) / SEAL_SEGMENT;
	run.plain = s->tail_n > 0 ? s->tail : (unsigned char *)"";
	run.n = s->tail_n;
	out = mem_alloc(SEAL_STEP);
	n = seal_run(s->seal, &run, out);
	rc =
	    blob->ops->blob_write_at(blob, seal_offset(run.first), out, n, err);
	free(out);
	return rc;
}

/* It may have been wrapped anew since the blob was begun. */
static int
write_header(struct session *s, struct blob *blob, struct err *err)
{
	unsigned char header[SEAL_HEADER_SIZE];

	if (!s->engine->storage->ops->caps(s->engine->storage)->random_writes)
		return 0;
	seal_header(s->seal, header);
	return blob->ops->blob_write_at(blob, 0, header, sizeof(header), err);
}

/* --- the file ------------------------------------------------------------- */

/* The first bytes, to tell the type from. */
static int
read_head(
    struct session *s, unsigned char *head, size_t *ret_n, struct err *err)
{
	uint64_t settled = s->offset - s->tail_n;
	uint64_t n = s->offset < INTAKE_HEAD ? s->offset : INTAKE_HEAD;
	struct session_piece p;
	struct source *src;
	ssize_t got;

	*ret_n = (size_t)n;
	if (settled == 0) {
		memcpy(head, s->tail_n > 0 ? s->tail : head, (size_t)n);
		return 0;
	}
	/* A segment is opened whole. */
	p = session_front(
	    s, 0, settled < SEAL_SEGMENT ? settled : SEAL_SEGMENT);
	if (s->rec.layout == REC_PLAIN)
		p.n = n;
	if (session_read(s, &p, &src, err) < 0)
		return -1;
	got = source_read_full(src, head, (size_t)n, err);
	source_close(src);
	return got == (ssize_t)n ? 0 : -1;
}

static void
describe(struct session *s, const struct digest_result *got,
    const struct slice *head, struct rec_file *f)
{
	struct engine *e = s->engine;

	memset(f, 0, sizeof(*f));
	f->filename = mem_strdup(s->rec.filename);
	memcpy(f->blob_id, s->rec.blob_id, ID_SIZE);
	hex_encode(got->sha256, SHA256_SIZE, f->sha256);
	f->crc32 = got->crc32;
	f->size = got->size;
	f->mime_type = mem_strdup(
	    filetype_of(e->types, head->p, head->n, s->rec.filename));
	f->encryption = s->rec.encryption;
	f->layout = s->rec.layout;
	f->created_ms = f->modified_ms = clock_wall_ms(e->clock);
	memcpy(f->transfer_id, s->rec.id, ID_SIZE);
}

static int
publish(struct session *s, const struct rec_file *f, struct err *err)
{
	char birth[STORAGE_BIRTH_MAX + 1];
	struct storage *st = s->engine->storage;
	bool is_sealed = f->layout == REC_SEALED;
	struct blob *blob;

	if (birth_write(f, birth, err) < 0 ||
	    st->ops->blob_reopen(st, s->rec.blob_id, &blob, err) < 0)
		return -1;
	if (is_sealed && (close_container(s, blob, err) < 0 ||
	                     write_header(s, blob, err) < 0)) {
		blob->ops->blob_close(blob);
		return -1;
	}
	FAULT_POINT("session.complete");
	if (blob->ops->blob_publish(blob,
	        is_sealed ? seal_size(f->size) : f->size, birth,
	        s->engine->durable, err) < 0)
		return -1;
	FAULT_POINT("session.published");
	return 0;
}

/* What one commit makes true. */
struct publication {
	struct session *of;
	const struct rec_file *file;
	const struct rec_transfer *transfer;
	const struct rec_session *session;
	bool is_new;
};

/* Under the lock, or finishing.  Has another file of its name come since? */
static int
is_newest(struct db_tx *tx, void *arg, struct err *err)
{
	const struct session *s = arg;
	struct err absent = ERR_INIT;
	struct rec_file f;
	bool newer;

	if (s->newest_ms == 0)
		return 0;
	if (rec_file_get(tx, "", s->rec.filename, &f, &absent) < 0) {
		if (absent.code == ERR_FILE_NOT_FOUND)
			return 0;
		*err = absent;
		return -1;
	}
	newer = f.modified_ms >= s->newest_ms;
	rec_file_fini(&f);
	return newer ? err_set(err, ERR_FILE_EXISTS,
	                   "a newer file of this name has come since")
	             : 0;
}

static int
record(struct db_tx *tx, void *arg, struct err *err)
{
	struct publication *p = arg;
	struct session *s = p->of;
	bool left;

	if (is_newest(tx, s, err) < 0 ||
	    rec_file_put(
	        tx, p->file, !p->session->keep_existing, &p->is_new, err) < 0 ||
	    rec_transfer_put(tx, p->transfer, err) < 0 ||
	    rec_session_put(tx, p->session, err) < 0)
		return -1;
	return rec_chunk_clear(tx, p->session->id, CLEAR_AT_ONCE, &left, err);
}

/* The session as it will be on record. */
static struct rec_session
completed(struct session *s)
{
	struct rec_session r;

	pthread_mutex_lock(&s->lock);
	r = s->rec;
	pthread_mutex_unlock(&s->lock);
	r.state = REC_SESSION_COMPLETED;
	r.updated_ms = clock_wall_ms(s->engine->clock);
	r.until_ms = r.updated_ms + (r.kind == REC_SESSION_TUS
	                                    ? s->engine->settings->upload_expiry
	                                    : SESSION_COMPLETED_MS);
	r.tail = NULL;
	r.hash_state = NULL;
	r.received = s->offset;
	r.front_offset = s->offset;
	return r;
}

/* Without the lock; s->is_finishing is set. */
static int
make_file(struct session *s, const struct digest_result *got,
    struct rec_file *f, bool *ret_new, struct err *err)
{
	unsigned char head[INTAKE_HEAD];
	struct slice first = { (const char *)head, 0 };
	struct rec_transfer row = { 0 };
	struct rec_session done = completed(s);
	struct publication p = { s, f, &row, &done, false };
	struct storage *st = s->engine->storage;
	int rc = -1;

	if (read_head(s, head, &first.n, err) < 0)
		return -1;
	describe(s, got, &first, f);
	if (publish(s, f, err) < 0)
		return -1;
	transfer_moved(s->transfer, got->size);
	transfer_final(s->transfer, REC_COMPLETED, NULL, &row);
	memcpy(row.sha256, f->sha256, sizeof(row.sha256));
	if (engine_write(s->engine, record, &p, err) < 0) {
		/* It can be tried again. */
		(void)st->ops->blob_withdraw(st, s->rec.blob_id, NULL);
		goto out;
	}
	FAULT_POINT("session.file_recorded");
	pthread_mutex_lock(&s->lock);
	s->rec.until_ms = done.until_ms;
	s->rec.updated_ms = done.updated_ms;
	pthread_mutex_unlock(&s->lock);
	transfer_ended(s->transfer, &row);
	s->transfer = NULL;
	*ret_new = p.is_new;
	rc = 0;
out:
	rec_transfer_fini(&row);
	return rc;
}

static void
tell(const struct session *s, struct rec_file *f, struct session_result *ret)
{
	ret->filename = f->filename;
	ret->mime_type = f->mime_type;
	f->filename = f->mime_type = NULL;
	memcpy(ret->sha256, f->sha256, sizeof(ret->sha256));
	ret->size = f->size;
	memcpy(ret->id, s->rec.id, ID_SIZE);
	ret->encryption = f->encryption;
}

/* Without the lock. */
static int
finish(struct session *s, struct session_result *ret, struct err *err)
{
	struct engine *e = s->engine;
	struct rec_file file = { 0 };
	struct digest_result got;
	struct digest *d;
	bool is_new = false;
	int rc = -1;

	d = digest_resume(NULL, &s->cursor);
	digest_final(d, &got);
	digest_free(d);
	if (check(s, &got, err) < 0 ||
	    make_file(s, &got, &file, &is_new, err) < 0)
		goto out;
	preview_stored(e, &file);
	tell(s, &file, ret);
	if (!is_new && e->trashed != NULL)
		e->trashed(e->trashed_arg);
	if (s->rec.layout == REC_SEALED && !s->rec.encryption &&
	    e->unsettled != NULL)
		e->unsettled(e->unsettled_arg);
	rc = 0;
out:
	rec_file_fini(&file);
	return rc;
}

/* What going on would not mend. */
static bool
is_final(const struct session *s, enum err_code code)
{
	return code == ERR_SIZE_MISMATCH || code == ERR_HASH_MISMATCH ||
	       (code == ERR_FILE_EXISTS && s->rec.keep_existing);
}

int
session_finish(struct session *s, struct session_result *ret, struct err *err)
{
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (s->is_finishing || s->is_ending || s->rec.state != REC_SESSION_OPEN)
		return err_set(err, ERR_UPLOAD_TAKEN_OVER,
		    "another request ends this upload");
	s->is_finishing = true;
	rc = session_catch_up(s, err);
	if (rc == 0) {
		pthread_mutex_unlock(&s->lock);
		rc = finish(s, ret, err);
		pthread_mutex_lock(&s->lock);
	}
	s->is_finishing = false;
	if (rc == 0) {
		s->rec.state = REC_SESSION_COMPLETED;
		s->is_ending = true;
		space_hold_fini(&s->hold);
		pthread_mutex_unlock(&s->lock);
		session_retire(s);
		pthread_mutex_lock(&s->lock);
		s->is_retired = true;
	}
	pthread_cond_broadcast(&s->changed);
	if (rc < 0 && is_final(s, err->code))
		(void)session_end(s, REC_SESSION_FAILED, err);
	return rc;
}

int
session_finish_left(
    struct session *s, struct session_result *ret, struct err *err)
{
	int rc;

	assert(!s->is_finishing);
	memset(ret, 0, sizeof(*ret));
	s->newest_ms = s->rec.updated_ms;
	/* Looked at again as it is recorded; this saves what goes before. */
	rc = db_read(s->engine->db, is_newest, s, err);
	if (rc == 0)
		rc = session_wake(s, err);
	if (rc == 0)
		rc = session_finish(s, ret, err);
	s->newest_ms = 0;
	return rc;
}
