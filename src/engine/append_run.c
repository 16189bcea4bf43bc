/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "engine/append_priv.h"

/* One request that appends; its thread's. */
struct append {
	struct engine *engine;
	const struct append_request *req;
	struct session *session; /* a reference */
	struct claim claim;
	struct checksum *sum; /* NULL: none was announced */
	uint64_t taken;       /* bytes of the body */
	uint64_t counted;     /* of those, on record */
	uint64_t step;        /* bytes before they go on record */
};

/* --- a body in steps ------------------------------------------------------ */

struct step_source {
	struct source source;
	struct source *body; /* borrowed */
	struct append *append;
	uint64_t left;
	bool has_ended; /* the body */
};

static ssize_t
step_read(struct source *src, void *buf, size_t n, struct err *err)
{
	struct step_source *s = CONTAINER_OF(src, struct step_source, source);
	ssize_t got;

	if (n > s->left)
		n = (size_t)s->left;
	if (n == 0)
		return 0;
	got = source_read(s->body, buf, n, err);
	if (got > 0) {
		s->left -= (uint64_t)got;
		if (s->append->sum != NULL)
			checksum_add(s->append->sum, buf, (size_t)got);
	}
	s->has_ended = got == 0;
	return got;
}

static int
step_wait(struct source *src, int timeout_ms, struct err *err)
{
	struct step_source *s = CONTAINER_OF(src, struct step_source, source);

	return s->left == 0 ? 1 : source_wait(s->body, timeout_ms, err);
}

/* --- what the intake tells ------------------------------------------------ */

static int
stores(void *arg, uint64_t n, struct err *err)
{
	struct append *a = arg;
	struct session *s = a->session;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = space_hold_take(&s->hold, n, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int
took(void *arg, uint64_t n, struct err *err)
{
	struct append *a = arg;
	uint64_t max = a->engine->settings->max_file_size;
	uint64_t length = a->session->rec.total_size;

	a->taken += n;
	session_moved(a->session, (int64_t)n);
	atomic_store(&a->claim.moved_ms, clock_mono_ms(a->engine->clock));
	if (length != REC_SIZE_UNKNOWN && a->req->offset + a->taken > length)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the body goes beyond the %" PRIu64
		    " bytes that were announced as Upload-Length; nothing of "
		    "it was kept",
		    length);
	if (a->req->offset + a->taken > max)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the file is larger than %" PRIu64
		    " bytes, the most that this server takes",
		    max);
	return 0;
}

/* --- one step ------------------------------------------------------------- */

/* What a step changes, so that it can be undone. */
struct before {
	struct rec_session rec; /* tail and hash_state are copies */
};

static void
remember(struct session *s, struct before *b)
{
	b->rec = s->rec;
	b->rec.tail = mem_strdup(s->rec.tail);
	b->rec.hash_state = mem_strdup(s->rec.hash_state);
}

static void
forget(struct before *b)
{
	free(b->rec.tail);
	free(b->rec.hash_state);
}

/* Under the lock: it was not recorded. */
static void
undo(struct session *s, struct before *b)
{
	free(s->rec.tail);
	free(s->rec.hash_state);
	s->rec = b->rec;
	s->is_loaded = false;
}

/* Under the lock: the front is ${n} bytes further. */
static void
advance(struct session *s, struct digest *d, struct slice rest, uint64_t n)
{
	unsigned char *tail = mem_dup(rest.p, rest.n);

	if (s->tail != NULL)
		mem_wipe(s->tail, s->tail_n);
	free(s->tail);
	s->tail = tail;
	s->tail_n = rest.n;
	s->offset += n;
	digest_save(d, &s->cursor);
	s->rec.front_offset = s->offset;
	s->rec.received = s->offset;
	s->rec.updated_ms = clock_wall_ms(s->engine->clock);
	session_note_tail(s);
	session_note_cursor(s);
}

static int
put(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_put(tx, arg, err);
}

/* What was taken counts from now on.  Without the lock. */
static int
record(struct append *a, struct digest *d, const struct intake *in,
    struct err *err)
{
	struct session *s = a->session;
	struct rec_session now;
	struct before b;
	int rc;

	pthread_mutex_lock(&s->lock);
	remember(s, &b);
	advance(s, d, intake_rest(in), intake_taken(in));
	now = s->rec;
	pthread_mutex_unlock(&s->lock);
	FAULT_POINT("append.stored");
	rc = engine_write(a->engine, put, &now, err);
	FAULT_POINT("append.recorded");
	if (rc < 0) {
		pthread_mutex_lock(&s->lock);
		undo(s, &b);
		pthread_mutex_unlock(&s->lock);
		return -1;
	}
	forget(&b);
	a->counted = a->taken;
	return 0;
}

static int
check_sum(struct append *a, struct err *err)
{
	unsigned char got[CHECKSUM_MAX_SIZE];

	if (a->sum == NULL)
		return 0;
	checksum_final(a->sum, got);
	if (secret_equal(got, a->req->sum, checksum_size(a->req->checksum)))
		return 0;
	return err_set(err, ERR_CHECKSUM_MISMATCH,
	    "the bytes of the body do not have the announced checksum; "
	    "nothing of it was kept");
}

/* Takes a step in, and puts it on record as far as it counts. */
static int
take_in(struct append *a, struct blob *blob, struct step_source *src,
    struct digest *d, struct err *err)
{
	struct session *s = a->session;
	const struct session_piece to =
	    session_front(s, s->offset - s->tail_n, 0);
	const struct intake_target target = {
		.blob = blob,
		.path =
		    s->rec.layout == REC_SEALED ? INTAKE_SEALED : INTAKE_PLAIN,
		.owner = { stores, took, a },
		.piece = session_place(s, &to, INTAKE_TAIL_WAITS),
		.digest = d,
	};
	struct intake *in = mem_alloc(sizeof(*in));
	struct err why = ERR_INIT;
	int rc;

	intake_init(in, a->engine, &target);
	rc = intake_prepend(in, s->tail, s->tail_n, &why);
	if (rc == 0)
		rc = intake_run(in, &src->source, &why);
	if (rc == 0)
		rc = check_sum(a, &why);
	else if (!intake_kept(in) || a->sum != NULL)
		goto out;
	if (rc < 0 && a->sum != NULL)
		goto out;
	if (intake_taken(in) > 0 &&
	    (session_sync(s, blob, err) < 0 || record(a, d, in, err) < 0)) {
		err_clear(&why);
		rc = -1;
	}
out:
	if (why.code != ERR_NONE)
		*err = why;
	intake_fini(in);
	free(in);
	return rc;
}

static int
take_steps(struct append *a, struct source *body, struct err *err)
{
	struct session *s = a->session;
	struct storage *st = a->engine->storage;
	struct step_source src = {
		.source = { .read = step_read, .wait = step_wait },
		.body = body,
		.append = a,
	};
	struct blob *blob;
	int rc = 0;

	if (st->ops->blob_reopen(st, s->rec.blob_id, &blob, err) < 0)
		return -1;
	while (rc == 0 && !src.has_ended) {
		struct digest *d =
		    digest_resume(a->engine->hashers, &s->cursor);

		src.left = a->step;
		rc = take_in(a, blob, &src, d, err);
		digest_free(d);
		/* A body that ends with the step says so when it is read. */
		if (rc == 0 && src.left == 0 && a->step != UINT64_MAX &&
		    a->req->body_length == a->taken)
			break;
	}
	blob->ops->blob_close(blob);
	return rc;
}

/* --- the request ---------------------------------------------------------- */

static int
mismatch(const struct session *s, struct err *err)
{
	return err_set(err, ERR_OFFSET_MISMATCH,
	    "the upload is at %" PRIu64
	    " and not at the given Upload-Offset: ask for it with HEAD",
	    s->rec.state == REC_SESSION_COMPLETED ? s->rec.total_size
	                                          : s->offset);
}

/* Under the lock: an upload whose length was left open. */
static int
adopt_length(
    struct session *s, const struct append_request *req, struct err *err)
{
	uint64_t max = s->engine->settings->max_file_size;

	if (req->length == REC_SIZE_UNKNOWN || req->length == s->rec.total_size)
		return 0;
	if (s->rec.total_size != REC_SIZE_UNKNOWN)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the Upload-Length is %" PRIu64
		    " and cannot be changed any more",
		    s->rec.total_size);
	if (req->length < s->offset)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the Upload-Length is less than what is there already");
	if (req->length > max)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the file is larger than %" PRIu64
		    " bytes, the most that this server takes",
		    max);
	s->rec.total_size = req->length;
	transfer_set_total(s->transfer, req->length);
	return engine_write(s->engine, put, &s->rec, err);
}

/* Under the lock. */
static int
check(struct append *a, struct err *err)
{
	const struct append_request *req = a->req;
	struct session *s = a->session;

	if (req->offset != s->offset)
		return mismatch(s, err);
	if (adopt_length(s, req, err) < 0)
		return -1;
	if (s->rec.total_size != REC_SIZE_UNKNOWN &&
	    req->body_length != REC_SIZE_UNKNOWN &&
	    req->body_length > s->rec.total_size - s->offset)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the body goes beyond the %" PRIu64
		    " bytes that were announced as Upload-Length",
		    s->rec.total_size);
	return 0;
}

/* Bytes that may go on record before the body has ended: all of it counts, or
 * nothing, where it was summed or may be too long. */
static uint64_t
step_of(const struct append_request *req)
{
	if (req->checksum != CHECKSUM_NONE ||
	    req->body_length == REC_SIZE_UNKNOWN)
		return UINT64_MAX;
	return APPEND_STEP;
}

static void
add_claim(struct append *a)
{
	struct session *s = a->session;

	session_visited(s);
	a->step = step_of(a->req);
	a->claim.mover = a->req->mover;
	atomic_store(&a->claim.moved_ms, clock_mono_ms(a->engine->clock));
	list_push_back(&s->claims, &a->claim.link);
	if (a->req->mover != NULL)
		transfer_attach(s->transfer, a->req->mover);
	if (a->req->checksum != CHECKSUM_NONE)
		a->sum = checksum_new(a->req->checksum);
}

static void
drop_claim(struct append *a)
{
	struct session *s = a->session;

	if (a->taken > a->counted)
		session_moved(s, -(int64_t)(a->taken - a->counted));
	if (a->req->mover != NULL)
		mover_fini(a->req->mover);
	list_remove(&a->claim.link);
	pthread_cond_broadcast(&s->changed);
}

/* Why it was ended, when that is why the request failed. */
static void
explain(const struct session *s, struct err *err)
{
	if (s->rec.state == REC_SESSION_CANCELLED)
		err_set(err, ERR_CANCELLED, "the transfer was cancelled");
}

/* Under the lock: nothing may be appended to what is complete, nor at all to
 * what was joined (tus 1.0.0, "Concatenation"). */
static int
append_nothing(struct append *a, struct err *err)
{
	const char *concat = a->session->rec.concat;

	if (concat != NULL && strcmp(concat, "partial") != 0)
		return err_set(err, ERR_FORBIDDEN,
		    "the upload was made of others: nothing can be added");
	if (a->req->offset != a->session->rec.total_size)
		return mismatch(a->session, err);
	if (a->req->body_length != 0)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the upload is complete: nothing can be added");
	return 0;
}

/* Under the lock, which is given away meanwhile. */
static int
append_body(struct append *a, struct source *body, struct err *err)
{
	struct session *s = a->session;
	int rc;

	append_take_over(s);
	if (s->is_ending)
		return err_set(err, ERR_UPLOAD_EXPIRED,
		    "this upload was ended: begin anew");
	if (s->rec.total_size == s->offset && s->rec.concat != NULL)
		return append_nothing(a, err);
	if (session_wake(s, err) < 0 || session_catch_up(s, err) < 0 ||
	    check(a, err) < 0)
		return -1;
	if (!session_turn(s, a->req->turn, a->req->mover))
		return 1;
	add_claim(a);
	pthread_mutex_unlock(&s->lock);
	rc = take_steps(a, body, err);
	pthread_mutex_lock(&s->lock);
	drop_claim(a);
	while (s->is_ending && !s->is_retired)
		pthread_cond_wait(&s->changed, &s->lock);
	if (rc < 0 || s->is_ending) {
		explain(s, err);
		return rc < 0 || s->rec.state != REC_SESSION_COMPLETED ? -1 : 0;
	}
	return s->rec.total_size == s->offset ? append_complete(s, err) : 0;
}

int
append_run(struct engine *e, const struct append_request *req,
    struct source *body, struct append_state *ret, struct err *err)
{
	struct append a = { .engine = e, .req = req };
	struct session *s;
	int rc;

	if (append_find(e, req->who, req->url, &s, err) < 0)
		return -1;
	a.session = s;
	list_init(&a.claim.link);
	rc = s->rec.state == REC_SESSION_OPEN ? append_body(&a, body, err)
	                                      : append_nothing(&a, err);
	if (rc == 0)
		append_describe(s, ret);
	pthread_mutex_unlock(&s->lock);
	session_unref(s);
	checksum_free(a.sum);
	return rc;
}
