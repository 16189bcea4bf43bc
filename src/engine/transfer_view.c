/* SPDX-License-Identifier: MIT */

/* Transfers as everybody sees them. */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/transfer_priv.h"

static int
percent(uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return 100;
	/* Not by 100 first: that may overflow. */
	return (int)((double)part / (double)whole * 100.0);
}

void
transfer_view_of(struct transfer_view *ret, const struct rec_transfer *t)
{
	rec_transfer_copy(&ret->rec, t);
	ret->speed_bps = t->speed_bps;
	ret->eta_s = -1;
	ret->progress = 0;
	ret->position = 0;
	ret->is_progress = false;
	if (t->status == REC_COMPLETED) {
		ret->progress = 100;
		ret->eta_s = 0;
	} else if (t->total != REC_SIZE_UNKNOWN && t->total > 0) {
		ret->progress = percent(t->transferred, t->total);
		/* 100 is for what is done. */
		if (ret->progress > 99)
			ret->progress = 99;
	}
}

void
transfer_view_fini(struct transfer_view *v)
{
	rec_transfer_fini(&v->rec);
}

/* Under the lock. */
static void
view(struct transfer *t, int64_t now_ms, struct transfer_view *ret)
{
	struct rec_transfer r = t->rec;
	uint64_t left;

	if (t->ended) {
		transfer_view_of(ret, &r);
		return;
	}
	r.transferred = atomic_load_explicit(&t->moved, memory_order_relaxed);
	r.speed_bps = speed_now(&t->speed, now_ms, r.transferred);
	if (t->lane != NULL && lane_waits(t->lane))
		r.status = REC_QUEUED;
	transfer_view_of(ret, &r);
	if (r.total == REC_SIZE_UNKNOWN || ret->speed_bps == 0)
		return;
	left = r.total > r.transferred ? r.total - r.transferred : 0;
	ret->eta_s = (int64_t)((left + ret->speed_bps - 1) / ret->speed_bps);
}

void
transfer_tell(struct transfer *t, bool is_progress)
{
	const struct transfer_observer *o = &t->ts->observer;
	struct transfer_view v;

	if (o->wants == NULL || !o->wants(o->arg))
		return;
	view(t, clock_mono_ms(t->ts->clock), &v);
	v.is_progress = is_progress;
	o->changed(o->arg, &v);
}

void
transfers_tell(struct transfers *ts, const struct rec_transfer *row)
{
	const struct transfer_observer *o = &ts->observer;
	struct transfer_view v;

	if (o->wants == NULL || !o->wants(o->arg))
		return;
	transfer_view_of(&v, row);
	pthread_mutex_lock(&ts->lock);
	o->changed(o->arg, &v);
	pthread_mutex_unlock(&ts->lock);
}

bool
transfers_find(struct transfers *ts, const char *filename,
    enum rec_direction direction, struct transfer_view *ret)
{
	int64_t now_ms = clock_mono_ms(ts->clock);
	struct transfer *found = NULL;
	struct list *it, *tmp;

	pthread_mutex_lock(&ts->lock);
	LIST_FOREACH(&ts->live, it, tmp)
	{
		struct transfer *t = CONTAINER_OF(it, struct transfer, link);

		if (t->rec.direction == direction &&
		    strcmp(t->rec.filename, filename) == 0)
			found = t; /* the list is in order: the last wins */
	}
	if (found != NULL) {
		view(found, now_ms, ret);
		if (ret->rec.status == REC_QUEUED && found->lane != NULL)
			ret->position = lane_position(found->lane);
	}
	pthread_mutex_unlock(&ts->lock);
	return found != NULL;
}

/* Its position, if it waits; all are looked at once. */
static void
number(const struct transfer *t, struct transfer_view *v, bool *is_numbered)
{
	if (v->rec.status != REC_QUEUED || t->lane == NULL)
		return;
	if (!*is_numbered)
		lane_number_all(t->lane);
	*is_numbered = true;
	v->position = lane_number(t->lane);
}

void
transfers_each(
    struct transfers *ts, const char *prefix, transfer_view_fn fn, void *arg)
{
	int64_t now_ms = clock_mono_ms(ts->clock);
	struct transfer_view *views;
	bool is_numbered = false;
	size_t n = 0;
	struct list *it, *tmp;

	pthread_mutex_lock(&ts->lock);
	views = mem_calloc(ts->listed + 1, sizeof(*views));
	LIST_FOREACH(&ts->live, it, tmp)
	{
		struct transfer *t = CONTAINER_OF(it, struct transfer, link);

		if (strncmp(t->rec.filename, prefix, strlen(prefix)) != 0)
			continue;
		view(t, now_ms, &views[n]);
		number(t, &views[n++], &is_numbered);
	}
	pthread_mutex_unlock(&ts->lock);
	for (size_t i = 0; i < n; i++) {
		fn(arg, &views[i]);
		transfer_view_fini(&views[i]);
	}
	free(views);
}

unsigned
transfers_set_priority(struct transfers *ts, const char *filename, int priority)
{
	struct list *it, *tmp;
	unsigned n = 0;

	pthread_mutex_lock(&ts->lock);
	LIST_FOREACH(&ts->live, it, tmp)
	{
		struct transfer *t = CONTAINER_OF(it, struct transfer, link);

		if (t->is_final || strcmp(t->rec.filename, filename) != 0)
			continue;
		t->rec.priority = priority;
		t->is_prioritised = true;
		if (t->lane != NULL)
			lane_set_priority(t->lane, priority);
		t->rec.updated_ms = clock_wall_ms(ts->clock);
		transfer_changed(ts, t->rec.updated_ms);
		if (!t->is_provisional)
			transfer_record(ts, &t->rec);
		transfer_tell(t, false);
		n++;
	}
	pthread_mutex_unlock(&ts->lock);
	return n;
}

size_t
transfers_live(struct transfers *ts)
{
	size_t n;

	pthread_mutex_lock(&ts->lock);
	n = ts->live_count;
	pthread_mutex_unlock(&ts->lock);
	return n;
}

uint64_t
transfers_changes(struct transfers *ts)
{
	uint64_t n;

	pthread_mutex_lock(&ts->lock);
	n = ts->changes;
	pthread_mutex_unlock(&ts->lock);
	return n;
}

int64_t
transfers_last_change(struct transfers *ts)
{
	int64_t ms;

	pthread_mutex_lock(&ts->lock);
	ms = ts->last_change_ms;
	pthread_mutex_unlock(&ts->lock);
	return ms;
}
