/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/session_priv.h"

/*
 * What moves the front on.  Chunks that lie in their places are passed over;
 * one that waits beside its place is folded in: copied to where the chunks
 * before it end.  Then the hash goes on.
 *
 * When a chunk of another size than the grid's is folded, the places of those
 * behind it turn out to be wrong.  What lies there is copied beside first, so
 * that nothing is written over that was acknowledged, and the session is off
 * its grid from then on.
 *
 * One thread at a time does this for a session (s->is_working): it alone
 * changes number, offset, tail, cursor and their record.
 */

/* Bytes hashed before the lock is looked at again. */
#define HASH_STEP ((uint64_t)8 * 1024 * 1024)
/* A crash costs hashing so much again. */
#define SAVE_STEP ((uint64_t)64 * 1024 * 1024)

/* --- records -------------------------------------------------------------- */

struct chunk_job {
	const struct session *session;
	const struct rec_session *rec; /* a copy; NULL: only the chunk */
	struct rec_chunk chunk;
};

static int
get_chunk(struct db_tx *tx, void *arg, struct err *err)
{
	struct chunk_job *j = arg;

	return rec_chunk_get(
	    tx, j->session->rec.id, j->chunk.number, &j->chunk, err);
}

static int
put_chunk(struct db_tx *tx, void *arg, struct err *err)
{
	struct chunk_job *j = arg;

	if (j->rec != NULL && rec_session_advance(tx, j->rec, err) < 0)
		return -1;
	return rec_chunk_put(tx, j->session->rec.id, &j->chunk, err);
}

/* --- copying -------------------------------------------------------------- */

/* A copy under way: from one place of a session to another. */
struct copy {
	struct session_piece from;
	struct session_piece to;
	enum intake_end end;
	/* Sealed: what stands in front of it, and what is left of it. */
	const unsigned char *tail;
	size_t tail_n;
	unsigned char *rest; /* for the caller to free() */
	size_t rest_n;
};

static int
run_copy(struct session *s, struct copy *c, struct blob *blob, struct err *err)
{
	const struct intake_target target = {
		.blob = blob,
		.path =
		    s->rec.layout == REC_SEALED ? INTAKE_SEALED : INTAKE_PLAIN,
		.owner = session_copying(s),
		.piece = session_place(s, &c->to, c->end),
		.is_unhashed = true,
	};
	struct intake *in;
	struct source *src;
	struct slice rest;
	int rc = -1;

	if (session_read(s, &c->from, &src, err) < 0)
		return -1;
	in = mem_alloc(sizeof(*in));
	intake_init(in, s->engine, &target);
	if (intake_prepend(in, c->tail, c->tail_n, err) == 0 &&
	    intake_run(in, src, err) == 0) {
		rest = intake_rest(in);
		c->rest = mem_dup(rest.p, rest.n);
		c->rest_n = rest.n;
		rc = 0;
	}
	intake_fini(in);
	free(in);
	source_close(src);
	return rc;
}

/* --- folding -------------------------------------------------------------- */

/* Under the lock. */
static bool
is_running_on_grid(const struct session *s)
{
	struct list *it, *tmp;

	LIST_FOREACH(&s->claims, it, tmp)
	if (CONTAINER_OF(it, struct claim, link)->on_grid)
		return true;
	return false;
}

/* Copies a chunk that lies in its place on the grid beside it.  Without the
 * lock. */
static int
move_aside(struct session *s, uint64_t number, struct err *err)
{
	struct storage *st = s->engine->storage;
	struct chunk_job j = { .session = s, .chunk.number = number };
	struct copy c = { .end = INTAKE_FILE_ENDS };
	struct blob *blob;

	if (db_read(s->engine->db, get_chunk, &j, err) < 0)
		return -1;
	c.from = session_front(s, number * s->rec.grid, j.chunk.size);
	c.from.is_last = number + 1 == s->rec.total_chunks;
	id_new(clock_wall_ms(s->engine->clock), j.chunk.blob_id);
	c.to = session_staged(s, number, j.chunk.blob_id, j.chunk.size);
	if (st->ops->blob_new(
	        st, j.chunk.blob_id, STORAGE_SIZE_UNKNOWN, &blob, err) < 0)
		return -1;
	if (run_copy(s, &c, blob, err) < 0 ||
	    (s->engine->durable && blob->ops->blob_sync(blob, err) < 0) ||
	    engine_write(s->engine, put_chunk, &j, err) < 0) {
		blob->ops->blob_abort(blob);
		return -1;
	}
	free(c.rest);
	blob->ops->blob_close(blob);
	FAULT_POINT("session.moved_aside");
	return 0;
}

/* All that lies on the grid behind ${number}.  Under the lock. */
static int
clear_grid(struct session *s, uint64_t number, struct err *err)
{
	for (uint64_t i = number + 1; i < s->rec.total_chunks; i++) {
		int rc;

		if (!session_bit(s->have, i) || session_bit(s->staged, i))
			continue;
		pthread_mutex_unlock(&s->lock);
		rc = move_aside(s, i, err);
		pthread_mutex_lock(&s->lock);
		if (rc < 0)
			return -1;
		session_set_bit(s->staged, i, true);
	}
	return 0;
}

/* Writes the chunk behind the front.  Without the lock. */
static int
write_front(struct session *s, const struct rec_chunk *chunk, struct copy *c,
    struct err *err)
{
	struct storage *st = s->engine->storage;
	bool is_last = chunk->number + 1 == s->rec.total_chunks;
	uint64_t settled = s->offset - s->tail_n;
	/* What cannot be written again must not be sealed too early. */
	enum intake_end end = st->ops->caps(st)->random_writes
	                          ? INTAKE_SEGMENTS_END
	                          : INTAKE_TAIL_WAITS;
	struct blob *blob;
	int rc;

	*c = (struct copy){
		.from = session_staged(
		    s, chunk->number, chunk->blob_id, chunk->size),
		.to = session_front(s, settled, 0),
		.end = is_last && chunk->size > 0 ? INTAKE_FILE_ENDS : end,
		.tail = s->tail,
		.tail_n = s->tail_n,
	};
	if (st->ops->blob_reopen(st, s->rec.blob_id, &blob, err) < 0)
		return -1;
	rc = run_copy(s, c, blob, err);
	if (rc == 0)
		rc = session_sync(s, blob, err);
	blob->ops->blob_close(blob);
	return rc;
}

/* Under the lock: the front is behind ${chunk} now, and what fills no segment
 * is its tail. */
static void
advance(struct session *s, const struct rec_chunk *chunk, struct copy *c)
{
	if (s->tail != NULL)
		mem_wipe(s->tail, s->tail_n);
	free(s->tail);
	s->tail = c->rest_n > 0 ? c->rest : NULL;
	s->tail_n = c->rest_n;
	if (c->rest_n == 0)
		free(c->rest);
	c->rest = NULL;
	s->rec.front_number = chunk->number + 1;
	s->rec.front_offset = s->offset + chunk->size;
	session_note_tail(s);
}

/* Puts on record where the front is, and that the chunk is in its place.
 * Without the lock. */
static int
record_front(struct session *s, struct chunk_job *j, struct err *err)
{
	char blob_id[ID_SIZE];

	memcpy(blob_id, j->chunk.blob_id, ID_SIZE);
	j->chunk.blob_id[0] = '\0';
	FAULT_POINT("session.folded");
	if (engine_write(s->engine, put_chunk, j, err) < 0)
		return -1;
	FAULT_POINT("session.front_recorded");
	(void)s->engine->storage->ops->blob_discard(
	    s->engine->storage, blob_id, NULL);
	return 0;
}

/* Under the lock: nothing of that got on record. */
static void
take_back(struct session *s, struct rec_session *before)
{
	free(s->rec.tail);
	s->rec.tail = before->tail;
	s->rec.front_number = before->front_number;
	s->rec.front_offset = before->front_offset;
	s->is_loaded = false;
}

/* Under the lock: the chunk at the front waits beside its place.  1 when
 * another has to come first. */
static int
fold(struct session *s, struct err *err)
{
	struct chunk_job j = { .session = s, .chunk.number = s->number };
	bool is_last = s->number + 1 == s->rec.total_chunks;
	struct copy c = { .rest = NULL };
	struct rec_session before, now;
	int rc;

	if (db_read(s->engine->db, get_chunk, &j, err) < 0)
		return -1;
	if (!is_last && j.chunk.size != s->rec.grid) {
		s->rec.off_grid = true;
		if (is_running_on_grid(s))
			return 1;
		if (clear_grid(s, s->number, err) < 0)
			return -1;
	}
	before = s->rec;
	before.tail = mem_strdup(s->rec.tail);
	pthread_mutex_unlock(&s->lock);
	rc = write_front(s, &j.chunk, &c, err);
	pthread_mutex_lock(&s->lock);
	if (rc == 0) {
		advance(s, &j.chunk, &c);
		now = s->rec;
		j.rec = &now;
		pthread_mutex_unlock(&s->lock);
		rc = record_front(s, &j, err);
		pthread_mutex_lock(&s->lock);
	}
	if (rc < 0) {
		free(c.rest);
		take_back(s, &before);
		return -1;
	}
	free(before.tail);
	session_set_bit(s->staged, s->number, false);
	s->offset += j.chunk.size;
	s->number++;
	if (is_last)
		s->is_closed = j.chunk.size > 0;
	return 0;
}

/* --- the front ------------------------------------------------------------ */

/* Under the lock: the size of a chunk in its place. */
static uint64_t
placed_size(const struct session *s, uint64_t number)
{
	return number + 1 == s->rec.total_chunks ? s->last_size : s->rec.grid;
}

/* Under the lock, which is given away meanwhile.  1: not now. */
static int
move_front(struct session *s, struct err *err)
{
	while (s->number < s->rec.total_chunks &&
	       session_bit(s->have, s->number) && !s->is_ending) {
		bool is_last = s->number + 1 == s->rec.total_chunks;
		int rc;

		if (session_bit(s->staged, s->number)) {
			rc = fold(s, err);
			if (rc != 0)
				return rc;
			continue;
		}
		s->offset += placed_size(s, s->number);
		s->number++;
		if (is_last)
			s->is_closed = s->last_size > 0;
	}
	return 0;
}

/* --- the hash ------------------------------------------------------------- */

/* Under the lock: the hash may go so far. */
static uint64_t
hash_limit(const struct session *s)
{
	return s->number == s->rec.total_chunks ? s->offset
	                                        : s->offset - s->tail_n;
}

bool
session_lags(const struct session *s)
{
	return s->cursor.size < hash_limit(s);
}

/* Without the lock: the piece that follows what is hashed. */
static int
hash_piece(struct session *s, const struct session_piece *p, struct err *err)
{
	struct buffers *buffers = s->engine->buffers;
	struct digest *d;
	struct source *src;
	unsigned char *buf;
	ssize_t n;

	if (session_read(s, p, &src, err) < 0)
		return -1;
	d = digest_resume(NULL, &s->cursor);
	buf = buffers_take(buffers);
	while ((n = source_read(src, buf, buffers_size(buffers), err)) > 0)
		digest_add(d, buf, (size_t)n);
	buffers_give(buffers, buf);
	source_close(src);
	if (n == 0)
		digest_save(d, &s->cursor);
	digest_free(d);
	return n < 0 ? -1 : 0;
}

static void
hash_tail(struct session *s)
{
	struct digest *d = digest_resume(NULL, &s->cursor);
	uint64_t at = s->cursor.size - (s->offset - s->tail_n);

	digest_add(d, s->tail + at, s->tail_n - (size_t)at);
	digest_save(d, &s->cursor);
	digest_free(d);
}

static int
put_front(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_advance(tx, arg, err);
}

/* Without the lock. */
static int
save_cursor(struct session *s, struct err *err)
{
	struct rec_session copy;

	if (s->cursor.size - s->cursor_saved < SAVE_STEP)
		return 0;
	session_note_cursor(s);
	pthread_mutex_lock(&s->lock);
	copy = s->rec;
	pthread_mutex_unlock(&s->lock);
	return engine_write(s->engine, put_front, &copy, err);
}

/* Under the lock, which is given away meanwhile. */
static int
hash_on(struct session *s, struct err *err)
{
	while (session_lags(s) && !s->is_ending) {
		uint64_t settled = s->offset - s->tail_n;
		struct session_piece p;
		uint64_t n;
		int rc;

		if (s->cursor.size >= settled) {
			hash_tail(s);
			break;
		}
		n = settled - s->cursor.size;
		if (n > HASH_STEP)
			n = HASH_STEP - s->cursor.size % SEAL_SEGMENT;
		p = session_front(s, s->cursor.size, n);
		pthread_mutex_unlock(&s->lock);
		rc = hash_piece(s, &p, err);
		if (rc == 0)
			rc = save_cursor(s, err);
		pthread_mutex_lock(&s->lock);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* --- the job -------------------------------------------------------------- */

/* Under the lock, s->is_working is set. */
static int
work(struct session *s, struct err *err)
{
	int rc = 0;

	/* What came in meanwhile as well. */
	while (rc == 0) {
		uint64_t number = s->number;

		rc = move_front(s, err);
		if (rc >= 0 && hash_on(s, err) < 0)
			rc = -1;
		if (s->number == number && !session_lags(s))
			break;
		if (s->is_ending)
			break;
	}
	s->is_working = false;
	pthread_cond_broadcast(&s->changed);
	return rc;
}

static void
run(struct job *job)
{
	struct session *s = CONTAINER_OF(job, struct session, job);
	struct err ignored = ERR_INIT;

	pthread_mutex_lock(&s->lock);
	/* Whoever brings the last chunk sees the same, and says so. */
	(void)work(s, &ignored);
	pthread_mutex_unlock(&s->lock);
	session_unref(s);
}

void
session_work(struct session *s)
{
	/* The front is another's while it works. */
	if (s->is_working || s->is_ending || !s->is_loaded ||
	    s->all->jobs == NULL)
		return;
	if (!session_lags(s) && (s->number == s->rec.total_chunks ||
	                            !session_bit(s->have, s->number)))
		return;
	s->is_working = true;
	s->job.run = run;
	session_ref(s);
	if (jobs_add(s->all->jobs, &s->job))
		return;
	s->is_working = false;
	session_unref(s);
}

int
session_catch_up(struct session *s, struct err *err)
{
	while (s->is_working)
		pthread_cond_wait(&s->changed, &s->lock);
	if (session_load(s, err) < 0)
		return -1;
	s->is_working = true;
	return work(s, err) < 0 ? -1 : 0;
}
