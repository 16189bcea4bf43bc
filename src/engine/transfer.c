/* SPDX-License-Identifier: MIT */
#include "engine/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/transfer_priv.h"
#include "proto/limits.h"

int
transfers_new(struct db *db, const struct clock *clock,
    struct transfers **ret_ts, struct err *err)
{
	struct transfers *ts = mem_calloc(1, sizeof(*ts));

	(void)err;
	ts->db = db;
	ts->clock = clock;
	list_init(&ts->live);
	pthread_mutex_init(&ts->lock, NULL);
	*ret_ts = ts;
	return 0;
}

void
transfers_free(struct transfers *ts)
{
	if (ts == NULL)
		return;
	pthread_mutex_destroy(&ts->lock);
	free(ts);
}

void
transfers_observe(struct transfers *ts, const struct transfer_observer *o)
{
	pthread_mutex_lock(&ts->lock);
	if (o == NULL)
		memset(&ts->observer, 0, sizeof(ts->observer));
	else
		ts->observer = *o;
	pthread_mutex_unlock(&ts->lock);
}

/* --- rows written without waiting ------------------------------------ */

struct row {
	struct transfers *ts;
	struct rec_transfer rec;
};

/* What is summed up of the records has changed.  Under the lock. */
static void
tell_recorded(struct transfers *ts)
{
	const struct transfer_observer *o = &ts->observer;

	if (o->wants != NULL && o->wants(o->arg))
		o->changed(o->arg, NULL);
}

static int
put_row(struct db_tx *tx, void *arg, struct err *err)
{
	struct row *row = arg;

	return rec_transfer_put(tx, &row->rec, err);
}

static void
put_done(void *arg, const struct err *err)
{
	struct row *row = arg;

	/* The transfer itself went as it went; only its row is missing, and
	 * the database that refused it has said so elsewhere. */
	(void)err;
	pthread_mutex_lock(&row->ts->lock);
	tell_recorded(row->ts);
	pthread_mutex_unlock(&row->ts->lock);
	rec_transfer_fini(&row->rec);
	free(row);
}

void
transfer_record(struct transfers *ts, const struct rec_transfer *t)
{
	struct row *row = mem_calloc(1, sizeof(*row));

	row->ts = ts;
	rec_transfer_copy(&row->rec, t);
	db_write_later(ts->db, put_row, row, put_done);
}

/* --- the owner's side ------------------------------------------------- */

void
transfer_changed(struct transfers *ts, int64_t now_ms)
{
	ts->changes++;
	ts->last_change_ms = now_ms;
}

static bool
will_last(const struct transfer_start *s)
{
	return s->total == REC_SIZE_UNKNOWN || s->total > LIMIT_SMALL_BODY ||
	       s->is_resumable;
}

/* Into the registry. */
static void
enter(struct transfer *t, struct mover *mover)
{
	struct transfers *ts = t->ts;

	t->began_ms = clock_mono_ms(ts->clock);
	speed_init(&t->speed, t->began_ms);
	t->speed.ring[0].bytes = t->base;
	list_init(&t->movers);
	if (mover != NULL) {
		mover->transfers = ts;
		list_push_back(&t->movers, &mover->link);
	}
	pthread_mutex_lock(&ts->lock);
	list_push_back(&ts->live, &t->link);
	ts->listed++;
	ts->live_count++;
	transfer_changed(ts, t->rec.updated_ms);
	transfer_tell(t, false);
	pthread_mutex_unlock(&ts->lock);
}

struct transfer *
transfer_begin(struct transfers *ts, const struct transfer_start *start)
{
	struct transfer *t = mem_calloc(1, sizeof(*t));
	struct rec_transfer *r = &t->rec;

	t->ts = ts;
	r->created_ms = r->updated_ms = clock_wall_ms(ts->clock);
	id_new(r->created_ms, r->id);
	r->direction = start->direction;
	r->status =
	    start->direction == REC_UPLOAD ? REC_UPLOADING : REC_DOWNLOADING;
	r->filename = mem_strdup(start->filename);
	r->total = start->total;
	r->encryption = start->encryption;
	r->priority = start->priority;
	r->client_ip = mem_strdup(start->client->ip);
	r->client_id = mem_strdup(start->client->id);
	r->user_agent = mem_strdup(start->client->agent);
	if (start->lane != NULL)
		transfer_set_lane(t, start->lane);
	t->is_provisional = start->is_provisional;
	if (will_last(start) && !start->is_provisional && !start->is_brief)
		transfer_record(ts, r);
	enter(t, start->mover);
	return t;
}

struct transfer *
transfer_resume(
    struct transfers *ts, const struct rec_transfer *row, bool is_retry)
{
	struct transfer *t = mem_calloc(1, sizeof(*t));
	struct rec_transfer *r = &t->rec;

	t->ts = ts;
	rec_transfer_copy(r, row);
	r->status =
	    r->direction == REC_UPLOAD ? REC_UPLOADING : REC_DOWNLOADING;
	r->updated_ms = clock_wall_ms(ts->clock);
	r->retry_count += is_retry;
	free(r->error);
	free(r->error_code);
	r->error = r->error_code = NULL;
	atomic_store(&t->moved, r->transferred);
	t->base = r->transferred;
	transfer_record(ts, r);
	enter(t, NULL);
	return t;
}

void
transfer_set_lane(struct transfer *t, struct lane *lane)
{
	struct transfers *ts = t->ts;
	struct lane *old;

	pthread_mutex_lock(&ts->lock);
	old = t->lane;
	t->lane = lane_ref(lane);
	lane_set_priority(lane, t->rec.priority);
	pthread_mutex_unlock(&ts->lock);
	lane_unref(old);
}

void
transfer_go(struct transfer *t)
{
	struct transfers *ts = t->ts;

	pthread_mutex_lock(&ts->lock);
	t->began_ms = clock_mono_ms(ts->clock);
	speed_init(&t->speed, t->began_ms);
	t->speed.ring[0].bytes = t->base;
	t->rec.updated_ms = clock_wall_ms(ts->clock);
	transfer_changed(ts, t->rec.updated_ms);
	transfer_tell(t, false);
	pthread_mutex_unlock(&ts->lock);
}

void
transfer_lasts(struct transfer *t)
{
	struct rec_transfer row;

	pthread_mutex_lock(&t->ts->lock);
	rec_transfer_copy(&row, &t->rec);
	pthread_mutex_unlock(&t->ts->lock);
	transfer_record(t->ts, &row);
	rec_transfer_fini(&row);
}

void
transfer_retried(struct transfer *t)
{
	pthread_mutex_lock(&t->ts->lock);
	t->rec.retry_count++;
	pthread_mutex_unlock(&t->ts->lock);
}

const char *
transfer_id(const struct transfer *t)
{
	return t->rec.id;
}

void
transfer_moved(struct transfer *t, uint64_t bytes)
{
	struct transfers *ts = t->ts;
	int64_t now_ms, due_ms;

	atomic_store_explicit(&t->moved, bytes, memory_order_relaxed);
	now_ms = clock_mono_ms(ts->clock);
	due_ms = atomic_load_explicit(&t->next_sample_ms, memory_order_relaxed);
	/* One of several at once will do. */
	if (now_ms < due_ms ||
	    !atomic_compare_exchange_strong(
	        &t->next_sample_ms, &due_ms, now_ms + SPEED_STEP_MS))
		return;
	pthread_mutex_lock(&ts->lock);
	speed_add(&t->speed, now_ms, bytes);
	t->rec.updated_ms = clock_wall_ms(ts->clock);
	ts->last_change_ms = t->rec.updated_ms;
	if (!t->ended)
		transfer_tell(t, true);
	pthread_mutex_unlock(&ts->lock);
}

static void
replace(char **field, const char *value)
{
	if (value == NULL)
		return;
	free(*field);
	*field = mem_strdup(value);
}

void
transfer_set_filename(struct transfer *t, const char *filename)
{
	pthread_mutex_lock(&t->ts->lock);
	if (filename != NULL && strcmp(t->rec.filename, filename) != 0) {
		replace(&t->rec.filename, filename);
		transfer_tell(t, false);
	}
	pthread_mutex_unlock(&t->ts->lock);
}

void
transfer_set_client_id(struct transfer *t, const char *client_id)
{
	pthread_mutex_lock(&t->ts->lock);
	replace(&t->rec.client_id, client_id);
	pthread_mutex_unlock(&t->ts->lock);
}

void
transfer_set_options(struct transfer *t, bool encryption, int priority)
{
	bool is_new;

	pthread_mutex_lock(&t->ts->lock);
	if (t->is_prioritised)
		priority = t->rec.priority;
	is_new = t->rec.encryption != encryption || t->rec.priority != priority;
	t->rec.encryption = encryption;
	t->rec.priority = priority;
	if (t->lane != NULL)
		lane_set_priority(t->lane, priority);
	if (is_new)
		transfer_tell(t, false);
	pthread_mutex_unlock(&t->ts->lock);
}

void
transfer_set_total(struct transfer *t, uint64_t total)
{
	if (total == REC_SIZE_UNKNOWN)
		return;
	pthread_mutex_lock(&t->ts->lock);
	t->rec.total = total;
	pthread_mutex_unlock(&t->ts->lock);
}

enum rec_status
transfer_status_of(const struct err *why)
{
	switch (why->code) {
	case ERR_CLOSED:
	case ERR_TIMEOUT:
	case ERR_SHUTTING_DOWN:
		return REC_INTERRUPTED;
	case ERR_CANCELLED:
		return REC_CANCELLED;
	default:
		return REC_FAILED;
	}
}

/* A sentence for people; what is internal stays in the log. */
static const char *
sentence(const struct err *why)
{
	switch (why->code) {
	case ERR_CLOSED:
		return "the connection was closed before the end";
	case ERR_TIMEOUT:
		return "nothing moved on the connection for too long";
	case ERR_SHUTTING_DOWN:
		return "the server was shut down";
	default:
		return err_code_is_public(why->code)
		           ? why->msg
		           : "the server failed; its log says why";
	}
}

void
transfer_final(struct transfer *t, enum rec_status status,
    const struct err *why, struct rec_transfer *ret)
{
	struct transfers *ts = t->ts;
	int64_t took_ms = clock_mono_ms(ts->clock) - t->began_ms;
	uint64_t moved = atomic_load(&t->moved);

	struct err cancelled = ERR_INIT;

	if (status != REC_COMPLETED && transfer_is_cancelled(t, &cancelled)) {
		status = REC_CANCELLED;
		why = &cancelled;
	}
	pthread_mutex_lock(&ts->lock);
	rec_transfer_copy(ret, &t->rec);
	t->is_final = true;
	pthread_mutex_unlock(&ts->lock);
	ret->status = status;
	ret->transferred = moved;
	if (status == REC_COMPLETED)
		ret->total = moved;
	ret->updated_ms = clock_wall_ms(ts->clock);
	if (moved > t->base)
		ret->speed_bps = (moved - t->base) * 1000 /
		                 (uint64_t)(took_ms > 0 ? took_ms : 1);
	if (why != NULL) {
		replace(&ret->error, sentence(why));
		replace(&ret->error_code, err_code_name(why->code));
	}
}

/* Out of the registry, for good. */
static void
leave(struct transfer *t)
{
	struct transfers *ts = t->ts;

	pthread_mutex_lock(&ts->lock);
	list_remove(&t->link);
	ts->listed--;
	transfer_changed(ts, clock_wall_ms(ts->clock));
	tell_recorded(ts);
	pthread_mutex_unlock(&ts->lock);
	rec_transfer_fini(&t->rec);
	lane_unref(t->lane);
	free(t);
}

/* What is written is the transfer's own row, which no longer changes. */
static int
put_end(struct db_tx *tx, void *arg, struct err *err)
{
	const struct transfer *t = arg;

	return rec_transfer_put(tx, &t->rec, err);
}

static void
end_recorded(void *arg, const struct err *err)
{
	(void)err; /* as for a start */
	leave(arg);
}

/* It has ended as ${row} says. */
static void
end(struct transfer *t, const struct rec_transfer *row)
{
	struct rec_transfer old;

	pthread_mutex_lock(&t->ts->lock);
	old = t->rec;
	rec_transfer_copy(&t->rec, row);
	t->ended = true;
	t->ts->live_count--;
	transfer_settle(t, t->rec.status);
	transfer_changed(t->ts, t->rec.updated_ms);
	transfer_tell(t, false);
	pthread_mutex_unlock(&t->ts->lock);
	rec_transfer_fini(&old);
}

void
transfer_end(struct transfer *t, const struct rec_transfer *row)
{
	struct transfers *ts = t->ts;

	end(t, row);
	db_write_later(ts->db, put_end, t, end_recorded);
}

void
transfer_ended(struct transfer *t, const struct rec_transfer *row)
{
	end(t, row);
	leave(t);
}

void
transfer_drop(struct transfer *t)
{
	struct transfers *ts = t->ts;

	pthread_mutex_lock(&ts->lock);
	ts->live_count--;
	transfer_settle(t, REC_COMPLETED);
	pthread_mutex_unlock(&ts->lock);
	leave(t);
}
