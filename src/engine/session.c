/* SPDX-License-Identifier: MIT */
#include "engine/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/session_priv.h"

/* Jobs that fold and hash; what waits is bounded by the sessions. */
#define JOBS_WAITING 100000
#define JOBS_IDLE_MS 10000
#define JOBS_STACK ((size_t)256 * 1024)
#define LOOK_NS (50 * 1000000LL)

/* --- one in memory -------------------------------------------------------- */

struct session *
session_new(struct sessions *all)
{
	struct session *s = mem_calloc(1, sizeof(*s));

	s->all = all;
	s->engine = all->engine;
	atomic_init(&s->refs, 1);
	list_init(&s->link);
	list_init(&s->claims);
	pthread_mutex_init(&s->lock, NULL);
	thread_cond_init(&s->changed);
	digest_state_init(&s->cursor);
	atomic_store(&s->moved_ms, clock_mono_ms(all->engine->clock));
	s->lane = lane_new(all->engine->sched, 0);
	s->said_priority = SESSION_PRIORITY_UNSAID;
	return s;
}

static void
destroy(struct session *s)
{
	session_count_out(s->all->counts, &s->count);
	space_hold_fini(&s->hold);
	seal_free(s->seal);
	lane_unref(s->lane);
	if (s->tail != NULL)
		mem_wipe(s->tail, s->tail_n);
	free(s->tail);
	free(s->have);
	free(s->staged);
	rec_session_fini(&s->rec);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	mem_wipe(&s->cursor, sizeof(s->cursor));
	free(s);
}

void
session_ref(struct session *s)
{
	atomic_fetch_add(&s->refs, 1);
}

void
session_unref(struct session *s)
{
	if (atomic_fetch_sub(&s->refs, 1) == 1)
		destroy(s);
}

int
session_settled(struct session *s, struct err *err)
{
	_Atomic unsigned *waiters = &s->all->waiters;
	bool may;

	if (!s->is_finishing && (!s->is_ending || s->is_retired))
		return 0;
	may = atomic_fetch_add(waiters, 1) < SESSION_WAITERS_MAX;
	while (may && (s->is_finishing || (s->is_ending && !s->is_retired)))
		pthread_cond_wait(&s->changed, &s->lock);
	atomic_fetch_sub(waiters, 1);
	return may ? 0
	           : err_set(err, ERR_SERVER_BUSY,
	                 "too many requests wait for uploads to be completed; "
	                 "try again soon");
}

bool
session_wait_a_bit(struct session *s)
{
	_Atomic unsigned *waiters = &s->all->waiters;
	bool may = atomic_fetch_add(waiters, 1) < SESSION_WAITERS_MAX;

	(void)thread_cond_wait_until(
	    &s->changed, &s->lock, clock_mono_ns(clock_system()) + LOOK_NS);
	atomic_fetch_sub(waiters, 1);
	return may;
}

/* Under the registry's lock: out of ${m}, if it is there. */
static void
take_out(struct map *m, const char *key, const struct session *s)
{
	if (key != NULL && map_get(m, slice_str(key)) == s)
		(void)map_remove(m, slice_str(key));
}

void
session_retire(struct session *s)
{
	struct sessions *all = s->all;

	session_count_out(all->counts, &s->count);
	pthread_mutex_lock(&all->lock);
	take_out(all->names, s->rec.filename, s);
	if (s->rec.kind == REC_SESSION_CHUNKS)
		(void)map_put(all->ended, slice_str(s->rec.filename), s);
	pthread_mutex_unlock(&all->lock);
}

void
session_enlist(struct session *s)
{
	struct sessions *all = s->all;
	struct map *by_name =
	    s->rec.state == REC_SESSION_OPEN ? all->names : all->ended;

	list_push_back(&all->list, &s->link);
	if (s->rec.kind == REC_SESSION_TUS)
		(void)map_put(all->urls, slice_str(s->rec.url), s);
	else
		(void)map_put(by_name, slice_str(s->rec.filename), s);
}

void
session_forget(struct session *s)
{
	struct sessions *all = s->all;
	bool was_listed;

	session_count_out(all->counts, &s->count);
	pthread_mutex_lock(&all->lock);
	was_listed = !list_is_empty(&s->link);
	list_remove(&s->link);
	take_out(all->names, s->rec.filename, s);
	take_out(all->ended, s->rec.filename, s);
	take_out(all->urls, s->rec.url, s);
	pthread_mutex_unlock(&all->lock);
	if (was_listed)
		session_unref(s);
}

/* --- at the start --------------------------------------------------------- */

/* The master key may have changed since. */
static int
rewrap(struct session *s, struct err *err)
{
	unsigned char header[SEAL_HEADER_SIZE];
	struct keyring *ring = s->engine->keys;

	if (!hex_decode(slice_str(s->rec.header), header, sizeof(header)))
		return err_set(err, ERR_DATABASE,
		    "the record of the upload '%s' has no header", s->rec.id);
	if (memcmp(seal_key_id(header), keyring_current_id(ring),
	        KEYRING_ID_SIZE) == 0)
		return 0;
	if (seal_rewrap(ring, header, err) < 0)
		return -1;
	hex_encode(header, sizeof(header), s->rec.header);
	return 0;
}

static void
take_over(struct sessions *all, const struct rec_session *row)
{
	struct session *s = session_new(all);
	int64_t idle_ms;

	s->rec = *row;
	s->is_begun = true;
	s->is_retired = s->rec.state != REC_SESSION_OPEN;
	s->is_ending = s->is_retired;
	idle_ms = clock_wall_ms(all->engine->clock) - s->rec.updated_ms;
	atomic_fetch_sub(&s->moved_ms, idle_ms > 0 ? idle_ms : 0);
	/* Without its key it stays as it is, and fails when it is used. */
	if (s->rec.state == REC_SESSION_OPEN && s->rec.header != NULL)
		(void)rewrap(s, NULL);
	s->count.chunks = s->rec.total_chunks;
	if (s->rec.state == REC_SESSION_OPEN)
		(void)session_count_in(
		    all->counts, s->rec.client, true, &s->count, NULL);
	list_push_back(&all->list, &s->link);
	if (s->rec.kind == REC_SESSION_TUS)
		(void)map_put(all->urls, slice_str(s->rec.url), s);
	else
		(void)map_put(
		    s->rec.state == REC_SESSION_OPEN ? all->names : all->ended,
		    slice_str(s->rec.filename), s);
}

static int
take_row(void *arg, const struct rec_session *row, struct err *err)
{
	struct rec_session copy = *row;

	(void)err;
	copy.url = mem_strdup(row->url);
	copy.filename = mem_strdup(row->filename);
	copy.prefix = mem_strdup(row->prefix);
	copy.client = mem_strdup(row->client);
	copy.file_hash = mem_strdup(row->file_hash);
	copy.header = mem_strdup(row->header);
	copy.tail = mem_strdup(row->tail);
	copy.hash_state = mem_strdup(row->hash_state);
	copy.metadata = mem_strdup(row->metadata);
	copy.concat = mem_strdup(row->concat);
	copy.error = mem_strdup(row->error);
	copy.error_code = mem_strdup(row->error_code);
	copy.last_hash = mem_strdup(row->last_hash);
	take_over(arg, &copy);
	return 0;
}

static int
take_blob(void *arg, const char *blob_id, struct err *err)
{
	struct sessions *all = arg;

	(void)err;
	(void)map_put(all->staged, slice_str(blob_id), all);
	return 0;
}

static int
read_all(struct db_tx *tx, void *arg, struct err *err)
{
	if (rec_session_each(tx, take_row, arg, err) < 0)
		return -1;
	return rec_chunk_each_blob(tx, take_blob, arg, err);
}

/* Headers as they are now, and what the last run could not say any more. */
static int
write_back(struct db_tx *tx, void *arg, struct err *err)
{
	struct sessions *all = arg;
	struct list *it, *tmp;

	LIST_FOREACH(&all->list, it, tmp)
	{
		struct session *s = CONTAINER_OF(it, struct session, link);

		if (s->rec.state == REC_SESSION_OPEN && s->rec.header != NULL &&
		    rec_session_put(tx, &s->rec, err) < 0)
			return -1;
	}
	return rec_session_correct_transfers(tx, err);
}

int
sessions_new(struct engine *e, struct sessions **ret_sessions, struct err *err)
{
	static const struct jobs_config jobs = {
		.name = "sft-fold",
		.max = 2,
		.max_waiting = JOBS_WAITING,
		.stack = JOBS_STACK,
		.idle_ms = JOBS_IDLE_MS,
	};
	struct sessions *all = mem_calloc(1, sizeof(*all));

	all->engine = e;
	pthread_mutex_init(&all->lock, NULL);
	list_init(&all->list);
	all->counts = session_counts_new();
	all->names = map_new();
	all->ended = map_new();
	all->urls = map_new();
	all->staged = map_new();
	*ret_sessions = all;
	if (jobs_new(&jobs, &all->jobs, err) < 0)
		return -1;
	if (db_read(e->db, read_all, all, err) < 0)
		return -1;
	return db_write(e->db, write_back, all, err);
}

bool
sessions_keeps(void *sessions, const char *id)
{
	struct sessions *all = sessions;
	struct list *it, *tmp;

	if (map_get(all->staged, slice_str(id)) != NULL)
		return true;
	LIST_FOREACH(&all->list, it, tmp)
	{
		struct session *s = CONTAINER_OF(it, struct session, link);

		if (s->rec.state == REC_SESSION_OPEN &&
		    strcmp(s->rec.blob_id, id) == 0)
			return true;
	}
	return false;
}

/* --- all of them ---------------------------------------------------------- */

void
session_each(
    struct sessions *all, void (*fn)(struct session *s, void *arg), void *arg)
{
	struct session **found;
	struct list *it, *tmp;
	size_t n = 0;

	pthread_mutex_lock(&all->lock);
	LIST_FOREACH(&all->list, it, tmp) n++;
	found = mem_calloc(n + 1, sizeof(struct session *));
	n = 0;
	LIST_FOREACH(&all->list, it, tmp)
	{
		found[n] = CONTAINER_OF(it, struct session, link);
		session_ref(found[n++]);
	}
	pthread_mutex_unlock(&all->lock);
	for (size_t i = 0; i < n; i++) {
		fn(found[i], arg);
		session_unref(found[i]);
	}
	free(found);
}

static void
stop_one(struct session *s, void *arg)
{
	struct err why = ERR_INIT;

	(void)arg;
	err_set(&why, ERR_SHUTTING_DOWN, "the server was shut down");
	pthread_mutex_lock(&s->lock);
	session_rest(s, &why);
	pthread_mutex_unlock(&s->lock);
}

void
sessions_stop(struct sessions *all)
{
	if (all == NULL)
		return;
	pthread_mutex_lock(&all->lock);
	all->is_stopping = true;
	pthread_mutex_unlock(&all->lock);
	jobs_free(all->jobs);
	all->jobs = NULL;
	session_each(all, stop_one, NULL);
}

void
sessions_free(struct sessions *all)
{
	struct list *node;

	if (all == NULL)
		return;
	jobs_free(all->jobs);
	while ((node = list_pop_front(&all->list)) != NULL)
		destroy(CONTAINER_OF(node, struct session, link));
	map_free(all->names);
	map_free(all->ended);
	map_free(all->urls);
	map_free(all->staged);
	session_counts_free(all->counts);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
