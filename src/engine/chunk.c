/* SPDX-License-Identifier: MIT */
#include "engine/chunk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/chunk_priv.h"

/* Two clients send the same chunk: the second waits for the first while that
 * moves, and for so long at most; where many wait, for none. */
#define STUCK_MS 1000
#define PATIENCE_MS 10000

/* How a chunk's taking may come out, but for failing. */
enum { TAKEN, WAITS, ELSEWHERE }; /* the first two go to the caller */

void
chunk_result_fini(struct chunk_result *r)
{
	free(r->filename);
	free(r->mime_type);
	memset(r, 0, sizeof(*r));
}

bool
chunk_is_decided(struct engine *e, const struct chunk_request *req)
{
	struct sessions *all = e->sessions;
	bool is_there;

	if (req->has_encryption)
		return true;
	pthread_mutex_lock(&all->lock);
	is_there = map_get(all->names, slice_str(req->filename)) != NULL;
	pthread_mutex_unlock(&all->lock);
	return is_there;
}

/* --- a chunk's place (under the session's lock) --------------------------- */

static struct claim *
find_claim(const struct session *s, uint64_t number)
{
	struct list *it, *tmp;

	LIST_FOREACH(&s->claims, it, tmp)
	{
		struct claim *c = CONTAINER_OF(it, struct claim, link);

		if (c->number == number)
			return c;
	}
	return NULL;
}

static bool
has_grid_claims(const struct session *s)
{
	struct list *it, *tmp;

	LIST_FOREACH(&s->claims, it, tmp)
	if (CONTAINER_OF(it, struct claim, link)->on_grid)
		return true;
	return false;
}

static bool
is_aligned(const struct session *s, uint64_t grid)
{
	return s->rec.layout == REC_PLAIN || grid % SEAL_SEGMENT == 0;
}

/* The size of a chunk, as far as is known; 0. */
static uint64_t
grid_of(struct session *s, const struct chunk *c)
{
	if (s->rec.grid > 0)
		return s->rec.grid;
	if (s->guess == 0 && !c->is_last &&
	    c->req->expected != REC_SIZE_UNKNOWN)
		s->guess = c->req->expected;
	return c->is_last ? 0 : s->guess;
}

static void
choose_place(struct chunk *c)
{
	struct session *s = c->session;
	uint64_t max = c->engine->settings->max_file_size;
	bool can =
	    c->engine->storage->ops->caps(c->engine->storage)->random_writes;

	c->grid = c->req->total == 1 ? 0 : grid_of(s, c);
	if (c->req->total == 1)
		c->on_grid = can;
	else
		c->on_grid = can && !s->rec.off_grid && c->grid > 0 &&
		             is_aligned(s, c->grid) &&
		             c->req->number <= max / c->grid;
	c->claim.on_grid = c->on_grid;
}

/* It is there: what the first chunks have shown of the others. */
static void
learn_grid(struct session *s, const struct chunk *c)
{
	if (c->is_last || s->rec.grid > 0 || s->rec.off_grid)
		return;
	if (c->on_grid) {
		s->rec.grid = c->grid;
	} else if (!has_grid_claims(s)) {
		s->rec.grid = c->size;
		s->guess = c->size;
	}
}

/* --- claims ----------------------------------------------------------------
 */

static void
add_claim(struct chunk *c)
{
	struct session *s = c->session;

	session_visited(s);
	c->claim.number = c->req->number;
	c->claim.mover = c->req->mover;
	atomic_store(&c->claim.moved_ms, clock_mono_ms(c->engine->clock));
	choose_place(c);
	list_push_back(&s->claims, &c->claim.link);
	if (c->req->mover != NULL)
		transfer_attach(s->transfer, c->req->mover);
}

static void
drop_claim(struct chunk *c)
{
	struct session *s = c->session;

	if (c->req->mover != NULL)
		mover_fini(c->req->mover);
	list_remove(&c->claim.link);
	pthread_cond_broadcast(&s->changed);
	/* A fold may have waited for this one. */
	session_work(s);
}

static void
evict(struct claim *other)
{
	if (other->is_evicted || other->mover == NULL)
		return;
	other->is_evicted = true;
	other->mover->interrupt(other->mover->arg, ERR_UPLOAD_TAKEN_OVER);
}

/* Under the lock.  1: claimed, 0: it is there already, -1: the session is
 * ending. */
static int
claim(struct chunk *c)
{
	struct session *s = c->session;
	int64_t began_ms = clock_mono_ms(c->engine->clock);
	struct claim *other;
	bool may_wait = true;

	for (;;) {
		int64_t now_ms = clock_mono_ms(c->engine->clock);

		if (s->is_ending)
			return -1;
		if (session_bit(s->have, c->req->number))
			return 0;
		other = find_claim(s, c->req->number);
		if (other == NULL)
			break;
		if (now_ms - atomic_load(&other->moved_ms) >= STUCK_MS ||
		    now_ms - began_ms >= PATIENCE_MS || !may_wait)
			evict(other);
		may_wait = session_wait_a_bit(s);
	}
	add_claim(c);
	return 1;
}

/* --- on record ------------------------------------------------------------ */

struct commit {
	struct rec_session session; /* borrowed strings */
	struct rec_chunk chunk;
};

static int
put(struct db_tx *tx, void *arg, struct err *err)
{
	struct commit *c = arg;

	if (rec_chunk_put(tx, c->session.id, &c->chunk, err) < 0)
		return -1;
	return rec_session_touch(tx, &c->session, err);
}

static int
get(struct db_tx *tx, void *arg, struct err *err)
{
	struct commit *c = arg;

	return rec_chunk_get(
	    tx, c->session.id, c->chunk.number, &c->chunk, err);
}

/* Under the lock. */
static void
fill_commit(struct chunk *c, struct commit *commit)
{
	struct session *s = c->session;

	learn_grid(s, c);
	s->rec.received += c->size;
	s->rec.updated_ms = clock_wall_ms(c->engine->clock);
	commit->session = (struct rec_session){
		.grid = s->rec.grid,
		.received = s->rec.received,
		.total_size = s->rec.total_size,
		.file_hash = s->rec.file_hash,
		.keep_existing = s->rec.keep_existing,
		.updated_ms = s->rec.updated_ms,
	};
	memcpy(commit->session.id, s->rec.id, ID_SIZE);
	commit->chunk = (struct rec_chunk){
		.number = c->req->number,
		.size = c->size,
	};
	memcpy(commit->chunk.blob_id, c->blob_id, ID_SIZE);
	session_note_hash(
	    s, c->req->number, c->req->sha256, commit->chunk.hash);
}

/* For people who watch: how much it is likely to be. */
static void
estimate_total(struct session *s)
{
	uint64_t last = s->last_size > 0 ? s->last_size : s->rec.grid;

	if (s->rec.total_size == REC_SIZE_UNKNOWN && s->rec.grid > 0)
		transfer_set_total(s->transfer,
		    s->rec.grid * (s->rec.total_chunks - 1) + last);
}

/* Under the lock: the chunk is there. */
static void
settle(struct chunk *c)
{
	struct session *s = c->session;

	session_set_bit(s->have, c->req->number, true);
	session_set_bit(s->staged, c->req->number, c->blob_id[0] != '\0');
	s->have_count++;
	if (c->is_last)
		s->last_size = c->size;
	estimate_total(s);
}

static int
check_sum(const struct session *s, struct err *err)
{
	if (s->rec.total_size == REC_SIZE_UNKNOWN ||
	    s->rec.received <= s->rec.total_size)
		return 0;
	return err_set(err, ERR_SIZE_MISMATCH,
	    "the chunks have more than the %" PRIu64
	    " bytes that were announced; nothing was kept",
	    s->rec.total_size);
}

/* --- the ways of a chunk ---------------------------------------------------
 */

static int
take_rest(struct chunk *c, struct err *err)
{
	const struct chunk_request *req = c->req;

	return req->rest == NULL ? 0 : req->rest(req->arg, err);
}

/* Why the session is no more, when that is why the chunk failed. */
static void
explain(const struct session *s, struct err *err)
{
	if (s->rec.state == REC_SESSION_OPEN || s->rec.error == NULL ||
	    s->rec.error_code == NULL)
		return;
	err_set(err, err_code_of_name(s->rec.error_code), "%s", s->rec.error);
}

static void
report(const struct session *s, struct chunk_result *ret)
{
	ret->received = s->have_count;
	ret->total = s->rec.total_chunks;
}

/* Under the lock: it is complete, and this call brought the last of it. */
static int
complete(struct chunk *c, struct chunk_result *ret, struct err *err)
{
	struct session *s = c->session;
	struct session_result r;
	char hash[REC_CHUNK_HASH_SIZE];

	session_note_hash(s, c->req->number, c->req->sha256, hash);
	free(s->rec.last_hash);
	s->rec.last_hash = mem_strdup(hash);
	s->rec.last_number = c->req->number;
	free(s->rec.client);
	s->rec.client = session_client_text(c->req->client);
	if (session_finish(s, &r, err) < 0)
		return -1;
	ret->is_completed = true;
	ret->filename = r.filename;
	ret->mime_type = r.mime_type;
	memcpy(ret->sha256, r.sha256, sizeof(ret->sha256));
	memcpy(ret->id, r.id, ID_SIZE);
	ret->size = r.size;
	ret->encryption = r.encryption;
	return 0;
}

/* Under the lock. */
static int
conclude(struct chunk *c, struct chunk_result *ret, struct err *err)
{
	struct session *s = c->session;

	if (check_sum(s, err) < 0) {
		(void)session_end(s, REC_SESSION_FAILED, err);
		return -1;
	}
	report(s, ret);
	if (s->have_count < s->rec.total_chunks || s->is_finishing)
		return 0;
	return complete(c, ret, err);
}

/* Under the lock, which is given away meanwhile: it has a claim. */
static int
take_new(struct chunk *c, struct source *body, struct chunk_result *ret,
    struct err *err)
{
	struct session *s = c->session;
	struct commit commit;
	int rc;

	pthread_mutex_unlock(&s->lock);
	rc = chunk_store(c, body, err);
	if (rc == 0)
		rc = take_rest(c, err);
	pthread_mutex_lock(&s->lock);
	/* What did not fit there is beside its place now. */
	c->on_grid = c->claim.on_grid = c->blob_id[0] == '\0';
	if (rc == 0 && s->is_ending)
		rc = err_set(err, ERR_CANCELLED, "the transfer was cancelled");
	if (rc == 0)
		rc = chunk_adopt(s, c->req, err);
	if (rc == 0) {
		fill_commit(c, &commit);
		pthread_mutex_unlock(&s->lock);
		FAULT_POINT("chunk.stored");
		rc = engine_write(c->engine, put, &commit, err);
		FAULT_POINT("chunk.recorded");
		pthread_mutex_lock(&s->lock);
		if (rc < 0)
			s->rec.received -= c->size;
	}
	if (rc == 0)
		settle(c);
	else
		chunk_drop(c);
	drop_claim(c);
	if (rc < 0) {
		while (s->is_ending && !s->is_retired)
			pthread_cond_wait(&s->changed, &s->lock);
		explain(s, err);
		return -1;
	}
	return conclude(c, ret, err);
}

/* The same for one that is there.  1: the session is to give way. */
static int
take_again(struct chunk *c, struct source *body, struct chunk_result *ret,
    struct err *err)
{
	struct session *s = c->session;
	struct commit commit = { .chunk.number = c->req->number };
	int rc;

	memcpy(commit.session.id, s->rec.id, ID_SIZE);
	if (db_read(c->engine->db, get, &commit, err) < 0)
		return -1;
	if (!session_is_hash(
	        s, c->req->number, c->req->sha256, commit.chunk.hash)) {
		if (chunk_may_displace(s))
			return 1;
		return err_set(err, ERR_CHUNK_CONFLICT,
		    "chunk %" PRIu64 " is there already with other bytes: "
		    "go on with those, or cancel the upload first",
		    c->req->number);
	}
	session_visited(s);
	transfer_retried(s->transfer);
	pthread_mutex_unlock(&s->lock);
	rc = chunk_skim(c, body, err);
	if (rc == 0)
		rc = take_rest(c, err);
	pthread_mutex_lock(&s->lock);
	if (rc < 0)
		return -1;
	if (session_settled(s, err) < 0)
		return -1;
	if (s->rec.state == REC_SESSION_COMPLETED) {
		report(s, ret);
		return chunk_answer_completed(s, ret, err) < 0 ? -1 : 0;
	}
	if (s->is_ending) {
		explain(s, err);
		return -1;
	}
	if (chunk_adopt(s, c->req, err) < 0)
		return -1;
	return conclude(c, ret, err);
}

/* ELSEWHERE: the session is no more; another has to be looked for. */
static int
take(struct chunk *c, struct source *body, struct chunk_result *ret,
    struct err *err)
{
	struct session *s = c->session;
	int rc;

	if (!session_turn(s, c->req->turn, c->req->mover))
		return WAITS;
	rc = claim(c);
	if (rc < 0)
		return ELSEWHERE;
	if (rc > 0)
		return take_new(c, body, ret, err);
	rc = take_again(c, body, ret, err);
	if (rc <= 0)
		return rc;
	chunk_displace(s, NULL);
	return ELSEWHERE;
}

int
chunk_take(struct engine *e, const struct chunk_request *req,
    struct source *body, struct chunk_result *ret, struct err *err)
{
	struct chunk c = {
		.engine = e,
		.req = req,
		.is_last = req->number + 1 == req->total,
	};
	int rc;

	memset(ret, 0, sizeof(*ret));
	list_init(&c.claim.link);
	do {
		rc = chunk_find_session(e, req, &c.session, ret, err);
		if (rc < 0)
			return -1;
		if (rc > 0) {
			rc = chunk_skim(&c, body, err);
			if (rc == 0)
				rc = take_rest(&c, err);
			break;
		}
		rc = take(&c, body, ret, err);
		pthread_mutex_unlock(&c.session->lock);
		session_unref(c.session);
	} while (rc == ELSEWHERE);
	digest_free(c.digest);
	if (rc < 0)
		chunk_result_fini(ret);
	return rc;
}
