/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/secret.h"
#include "engine/chunk_priv.h"

/* --- what an intake tells ------------------------------------------------- */

static int
stores(void *arg, uint64_t n, struct err *err)
{
	struct chunk *c = arg;
	struct session *s = c->session;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = space_hold_take(&s->hold, n, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int
took(void *arg, uint64_t n, struct err *err)
{
	struct chunk *c = arg;
	uint64_t max = c->engine->settings->max_file_size;

	c->moved += n;
	session_moved(c->session, (int64_t)n);
	atomic_store(&c->claim.moved_ms, clock_mono_ms(c->engine->clock));
	if (atomic_load(&c->session->moved) <= max)
		return 0;
	return err_set(err, ERR_FILE_TOO_LARGE,
	    "the file is larger than %" PRIu64
	    " bytes, the most that this server takes",
	    max);
}

/* --- a part of a body ----------------------------------------------------- */

/* The first ${left} bytes of another, which goes on afterwards. */
struct window {
	struct source source;
	struct source *inner; /* borrowed */
	uint64_t left;
};

static ssize_t
window_read(struct source *src, void *buf, size_t n, struct err *err)
{
	struct window *w = CONTAINER_OF(src, struct window, source);
	ssize_t got;

	if (n > w->left)
		n = (size_t)w->left;
	if (n == 0)
		return 0;
	got = source_read(w->inner, buf, n, err);
	if (got > 0)
		w->left -= (uint64_t)got;
	return got;
}

static int
window_wait(struct source *src, int timeout_ms, struct err *err)
{
	struct window *w = CONTAINER_OF(src, struct window, source);

	return w->left == 0 ? 1 : source_wait(w->inner, timeout_ms, err);
}

static void
window_close(struct source *src)
{
	(void)src;
}

/* --- into a blob ---------------------------------------------------------- */

/* Where an intake's bytes go, and what it left. */
struct run {
	struct blob *blob;
	struct session_piece to;
	enum intake_end end;
	struct digest *digest; /* NULL: they were hashed, and counted, before */
	unsigned char *rest;   /* for the caller to free() */
	size_t rest_n;
	uint64_t taken;
};

static int
take_in(struct chunk *c, struct run *r, struct source *src, struct err *err)
{
	struct session *s = c->session;
	const struct intake_target target = {
		.blob = r->blob,
		.path =
		    s->rec.layout == REC_SEALED ? INTAKE_SEALED : INTAKE_PLAIN,
		.owner = r->digest == NULL
		             ? session_copying(s)
		             : (struct intake_owner){ stores, took, c },
		.piece = session_place(s, &r->to, r->end),
		.digest = r->digest,
		.is_unhashed = r->digest == NULL,
	};
	struct intake *in = mem_alloc(sizeof(*in));
	int rc;

	intake_init(in, c->engine, &target);
	rc = intake_run(in, src, err);
	r->taken = intake_taken(in);
	if (rc == 0) {
		struct slice rest = intake_rest(in);

		r->rest = mem_dup(rest.p, rest.n);
		r->rest_n = rest.n;
	}
	intake_fini(in);
	free(in);
	return rc;
}

/* ${to} goes on after ${n} bytes in whole segments. */
static void
step_on(const struct session *s, struct session_piece *to, uint64_t n)
{
	if (s->rec.layout == REC_SEALED) {
		to->segment += n / SEAL_SEGMENT;
		to->stored += n / SEAL_SEGMENT * SEAL_STEP;
	} else {
		to->stored += n;
	}
}

static int
begin_aside(struct chunk *c, struct blob **ret_blob, struct err *err)
{
	struct storage *st = c->engine->storage;

	id_new(clock_wall_ms(c->engine->clock), c->blob_id);
	if (st->ops->blob_new(
	        st, c->blob_id, STORAGE_SIZE_UNKNOWN, ret_blob, err) == 0)
		return 0;
	c->blob_id[0] = '\0';
	return -1;
}

static int
check_hash(const struct chunk *c, struct err *err)
{
	struct digest_result got;

	digest_final(c->digest, &got);
	if (secret_equal(got.sha256, c->req->sha256, SHA256_SIZE))
		return 0;
	return err_set(err, ERR_CHUNK_HASH_MISMATCH,
	    "the bytes of chunk %" PRIu64
	    " do not have the SHA-256 that was given as chunk_hash; nothing "
	    "of it was kept",
	    c->req->number);
}

/* What waits beside the place, whole. */
static int
settle_aside(struct chunk *c, struct blob *blob, struct err *err)
{
	if (check_hash(c, err) < 0)
		return -1;
	return c->engine->durable ? blob->ops->blob_sync(blob, err) : 0;
}

static int
store_aside(struct chunk *c, struct source *body, struct err *err)
{
	struct run r = { .end = INTAKE_FILE_ENDS, .digest = c->digest };
	int rc;

	if (begin_aside(c, &r.blob, err) < 0)
		return -1;
	r.to = session_staged(c->session, c->req->number, c->blob_id, 0);
	rc = take_in(c, &r, body, err);
	c->size = r.taken;
	free(r.rest);
	if (rc == 0)
		rc = settle_aside(c, r.blob, err);
	r.blob->ops->blob_close(r.blob);
	return rc;
}

/* --- on the grid ---------------------------------------------------------- */

/* What of a chunk was written on the grid and does not fit there. */
struct misfit {
	const struct run *there;
	struct source *more; /* of the body; NULL: that was all */
};

/* Copies it beside, with what is left of it in memory or still to come. */
static int
move_aside(struct chunk *c, const struct misfit *m, struct err *err)
{
	struct session *s = c->session;
	const struct run *there = m->there;
	uint64_t whole = there->taken - there->rest_n;
	bool goes_on = m->more != NULL || there->rest_n > 0 || whole == 0;
	struct run r = {
		.end = goes_on ? INTAKE_SEGMENTS_END : INTAKE_FILE_ENDS,
	};
	struct session_piece from = there->to;
	struct source *src;
	int rc = 0;

	if (begin_aside(c, &r.blob, err) < 0)
		return -1;
	r.to = session_staged(s, c->req->number, c->blob_id, 0);
	if (whole > 0) {
		from.n = whole;
		from.is_last = false;
		rc = session_read(s, &from, &src, err);
		if (rc == 0) {
			rc = take_in(c, &r, src, err);
			source_close(src);
			free(r.rest);
			r.rest = NULL;
		}
		step_on(s, &r.to, whole);
	}
	if (rc == 0 && goes_on) {
		src = m->more != NULL ? m->more
		                      : source_mem(there->rest, there->rest_n);
		r.end = INTAKE_FILE_ENDS;
		r.digest = m->more != NULL ? c->digest : NULL;
		rc = take_in(c, &r, src, err);
		c->size = whole + r.taken;
		free(r.rest);
		if (m->more == NULL)
			source_close(src);
	}
	if (rc == 0)
		rc = settle_aside(c, r.blob, err);
	r.blob->ops->blob_close(r.blob);
	return rc;
}

/* Is there more of the body?  1: yes, and ${ret} gives it; the body stays the
 * caller's. */
static int
look_further(struct window *w, struct source **ret, struct err *err)
{
	char one;
	ssize_t n = source_read(w->inner, &one, 1, err);

	if (n <= 0)
		return (int)n;
	w->left = UINT64_MAX;
	*ret = source_prefixed(&one, 1, &w->source);
	return 1;
}

static int
settle_on_grid(struct chunk *c, struct run *r, struct window *w, bool fits,
    struct err *err)
{
	struct misfit m = { r, NULL };
	bool is_full = !c->is_last && r->taken == c->grid;
	int more = 0;

	if (is_full)
		more = look_further(w, &m.more, err);
	if (more < 0)
		return -1;
	c->size = r->taken;
	if (more > 0 || !fits) {
		int rc = move_aside(c, &m, err);

		source_close(m.more);
		return rc;
	}
	if (check_hash(c, err) < 0)
		return -1;
	return session_sync(c->session, r->blob, err);
}

static int
store_on_grid(struct chunk *c, struct source *body, struct err *err)
{
	struct session *s = c->session;
	struct storage *st = c->engine->storage;
	struct window w = {
		.source = { .read = window_read,
		    .wait = window_wait,
		    .close = window_close },
		.inner = body,
		.left = c->is_last ? UINT64_MAX : c->grid,
	};
	struct run r = {
		.to = session_front(s, c->req->number * c->grid, 0),
		.end = c->is_last ? INTAKE_FILE_ENDS : INTAKE_SEGMENTS_END,
		.digest = c->digest,
	};
	int rc;

	if (st->ops->blob_reopen(st, s->rec.blob_id, &r.blob, err) < 0)
		return -1;
	rc = take_in(c, &r, &w.source, err);
	if (rc == 0)
		rc = settle_on_grid(
		    c, &r, &w, c->is_last || r.taken == c->grid, err);
	free(r.rest);
	r.blob->ops->blob_close(r.blob);
	return rc;
}

int
chunk_store(struct chunk *c, struct source *body, struct err *err)
{
	c->digest = digest_new(c->engine->hashers);
	/* The file's is taken as its hash goes on. */
	digest_skip_crc(c->digest);
	return c->on_grid ? store_on_grid(c, body, err)
	                  : store_aside(c, body, err);
}

void
chunk_drop(struct chunk *c)
{
	struct storage *st = c->engine->storage;

	if (c->blob_id[0] != '\0')
		(void)st->ops->blob_discard(st, c->blob_id, NULL);
	c->blob_id[0] = '\0';
	if (c->moved > 0)
		session_moved(c->session, -(int64_t)c->moved);
	c->moved = 0;
}

int
chunk_skim(struct chunk *c, struct source *body, struct err *err)
{
	unsigned char bytes[16 * 1024];
	ssize_t n;

	c->digest = digest_new(NULL);
	digest_skip_crc(c->digest);
	while ((n = source_read(body, bytes, sizeof(bytes), err)) > 0) {
		digest_add(c->digest, bytes, (size_t)n);
		c->size += (uint64_t)n;
	}
	return n < 0 ? -1 : check_hash(c, err);
}
