/* SPDX-License-Identifier: MIT */
#include "engine/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/stats_news.h"
#include "engine/status.h"
#include "engine/view_json.h"
#include "proto/limits.h"

#define TURN_MS 1000 /* between two looks at the clock when nothing happens */
/*
 * To send to a subscriber costs the same whether it is one event or three, so
 * what happens in quick succession is told at once.  That may wait as long as
 * half the telling takes: nothing to speak of for few, and a bound for many.
 */
#define GATHER_NS_EACH 5000
#define GATHER_NS_MAX (10 * (int64_t)1000000)

/* A change, or the wish for a room's present state. */
struct item {
	struct list link;
	bool is_wish;
	enum bus_kind kind;
	char *filename; /* of a wish */
	char *key;      /* of a wish, or of progress: its transfer; else NULL */
	struct transfer_view view; /* of a change */
};

struct feed {
	struct engine *engine;
	struct bus *bus;
	pthread_t thread;
	bool is_started;
	pthread_mutex_t lock;
	pthread_cond_t more;    /* something to do */
	pthread_cond_t settled; /* the queue is empty, and nothing in work */
	struct list items;      /* under lock, as the next six */
	size_t n_items;
	struct map *by_key; /* those in items that a newer one replaces */
	bool is_stopping;
	bool is_busy;
	bool stats_changed;
	/* Monotonic; since then somebody has something and was not told;
	 * 0: all were. */
	int64_t untold_ns;
	/* The thread's own. */
	int64_t looked_ms; /* monotonic */
	struct stats_news stats;
};

/* --- what is put in --------------------------------------------------------
 */

static void
item_free(struct item *it)
{
	if (!it->is_wish)
		transfer_view_fini(&it->view);
	free(it->filename);
	free(it->key);
	free(it);
}

/* Under the lock, as the next. */
static void
take_out(struct feed *f, struct item *it)
{
	list_remove(&it->link);
	f->n_items--;
	if (it->key != NULL)
		(void)map_remove(f->by_key, slice_str(it->key));
}

static void
put_in(struct feed *f, struct item *it)
{
	list_push_back(&f->items, &it->link);
	f->n_items++;
	if (it->key != NULL)
		(void)map_put(f->by_key, slice_str(it->key), it);
	pthread_cond_signal(&f->more);
}

/* The thread is so far behind that subscribers had better begin anew. */
static void
give_up(struct feed *f)
{
	static const struct err why = { ERR_TOO_SLOW, 0,
		"the server cannot tell of so much at once; come back for the "
		"present state" };
	struct list *node;
	struct item *it;

	while ((node = list_pop_front(&f->items)) != NULL) {
		it = CONTAINER_OF(node, struct item, link);
		take_out(f, it);
		item_free(it);
	}
	bus_close_all(f->bus, &why);
}

static bool
wants(void *arg)
{
	struct feed *f = arg;

	return bus_wants_transfers(f->bus) || bus_wants_stats(f->bus);
}

static void
changed(void *arg, struct transfer_view *v)
{
	struct feed *f = arg;
	bool is_wanted = v != NULL && bus_wants_transfers(f->bus);
	struct item *old, *it = NULL;

	if (is_wanted) {
		it = mem_calloc(1, sizeof(*it));
		it->view = *v;
		it->key = v->is_progress ? mem_strdup(v->rec.id) : NULL;
	} else if (v != NULL) {
		transfer_view_fini(v);
	}
	pthread_mutex_lock(&f->lock);
	f->stats_changed = true;
	if (it != NULL) {
		old = map_get(f->by_key, slice_str(it->view.rec.id));
		if (old != NULL) {
			take_out(f, old);
			item_free(old);
		}
		if (f->n_items >= LIMIT_FEED)
			give_up(f);
		put_in(f, it);
	}
	pthread_mutex_unlock(&f->lock);
}

void
feed_present(struct feed *f, enum bus_kind kind, const char *filename)
{
	struct item *it = mem_calloc(1, sizeof(*it));

	it->is_wish = true;
	it->kind = kind;
	it->filename = mem_strdup(filename);
	it->key = mem_printf("%d %s", (int)kind, filename ? filename : "");
	pthread_mutex_lock(&f->lock);
	/* One that waits is for all who await it by then: whoever asks again
	 * and again puts nothing more in. */
	if (map_get(f->by_key, slice_str(it->key)) == NULL)
		put_in(f, it);
	else
		item_free(it);
	pthread_mutex_unlock(&f->lock);
}

/* --- what is made of it ----------------------------------------------------
 */

static void
publish(struct feed *f, const struct transfer_view *v)
{
	struct bus_message *m = bus_message_of(f->bus, v, view_json(v));

	if (m != NULL)
		bus_publish(f->bus, m);
	bus_message_unref(m);
}

/* --- the present state -----------------------------------------------------
 */

struct present {
	struct feed *feed;
	struct bus_present all;
	size_t cap;
};

static void
add(struct present *p, struct bus_message *m)
{
	if (m == NULL)
		return;
	if (p->all.count == p->cap) {
		p->cap = p->cap == 0 ? 16 : p->cap * 2;
		p->all.messages = mem_realloc(
		    p->all.messages, p->cap * sizeof(*p->all.messages));
	}
	p->all.messages[p->all.count++] = m;
}

static void
add_view(void *arg, struct transfer_view *v)
{
	struct present *p = arg;

	/* What comes later may take its place. */
	v->is_progress = !rec_status_is_ended(v->rec.status);
	add(p, bus_message_of(p->feed->bus, v, view_json(v)));
}

static void
add_file(struct present *p)
{
	struct err none = ERR_INIT;
	struct principal all;
	struct transfer_view v;

	auth_anonymous(&all);
	if (status_of(p->feed->engine, &all, p->all.filename, &v, &none) < 0)
		return;
	add_view(p, &v);
	transfer_view_fini(&v);
}

static void
publish_stats(struct feed *f)
{
	stats_news_publish(&f->stats, clock_mono_ms(clock_system()));
}

static void
grant(struct feed *f, const struct item *wish)
{
	struct present p = {
		.feed = f,
		.all = { .kind = wish->kind, .filename = wish->filename },
	};

	if (!bus_has_listener(f->bus, wish->kind, wish->filename))
		return;
	if (wish->kind == BUS_STATS) {
		publish_stats(f);
		return;
	}
	if (wish->kind == BUS_FILE)
		add_file(&p);
	else
		transfers_each(f->engine->transfers, "", add_view, &p);
	bus_present(f->bus, &p.all);
	for (size_t i = 0; i < p.all.count; i++)
		bus_message_unref(p.all.messages[i]);
	free(p.all.messages);
}

/* --- the thread ------------------------------------------------------------
 */

enum step { WORK, TELL, LOOK, STATS, REST };

/* When they are to be published; 0: not until they change. */
static int64_t
stats_due(struct feed *f)
{
	if (!bus_wants_stats(f->bus))
		return 0;
	return stats_news_due_ms(&f->stats, f->stats_changed) * 1000000;
}

/* When those who have something are told; 0: all were. */
static int64_t
telling_due(const struct feed *f)
{
	int64_t gather_ns;

	if (f->untold_ns == 0)
		return 0;
	gather_ns = (int64_t)bus_untold(f->bus) * GATHER_NS_EACH;
	/* More is at hand. */
	if (gather_ns > GATHER_NS_MAX || f->n_items > 0)
		gather_ns = GATHER_NS_MAX;
	return f->untold_ns + gather_ns;
}

/* What to do now; REST: nothing before *${ret_until_ns}.  Under the lock. */
static enum step
next(struct feed *f, int64_t *ret_until_ns)
{
	int64_t now_ns = clock_mono_ns(clock_system());
	int64_t telling_ns = telling_due(f), stats_ns = stats_due(f);
	int64_t look_ns = (f->looked_ms + TURN_MS) * 1000000;

	if (telling_ns > 0 && telling_ns <= now_ns)
		return TELL;
	if (look_ns <= now_ns)
		return LOOK;
	if (stats_ns > 0 && stats_ns <= now_ns)
		return STATS;
	if (f->n_items > 0)
		return WORK;
	*ret_until_ns = look_ns;
	if (telling_ns > 0 && telling_ns < *ret_until_ns)
		*ret_until_ns = telling_ns;
	if (stats_ns > 0 && stats_ns < *ret_until_ns)
		*ret_until_ns = stats_ns;
	return REST;
}

static void
work(struct feed *f, struct item *it)
{
	if (it->is_wish)
		grant(f, it);
	else
		publish(f, &it->view);
	item_free(it);
}

/* Time that passes brings something, too. */
static void
look(struct feed *f)
{
	size_t n_slow = bus_take_slow(f->bus);

	f->looked_ms = clock_mono_ms(clock_system());
	bus_close_expired(f->bus, clock_wall_ms(f->engine->clock));
	if (n_slow > 0)
		log_info("listeners were too slow for events",
		    LOG_INT("count", (int64_t)n_slow), LOG_END);
}

/* Under the lock, which it gives up meanwhile. */
static void
take_step(struct feed *f, enum step step)
{
	struct item *it = NULL;

	if (step == WORK) {
		it = CONTAINER_OF(f->items.next, struct item, link);
		take_out(f, it);
	}
	if (step == STATS)
		f->stats_changed = false;
	f->is_busy = true;
	pthread_mutex_unlock(&f->lock);
	if (it != NULL)
		work(f, it);
	else if (step == STATS)
		publish_stats(f);
	else if (step == LOOK)
		look(f);
	else
		bus_tell(f->bus);
	pthread_mutex_lock(&f->lock);
	f->is_busy = false;
	if (step == TELL)
		f->untold_ns = 0;
	else if (f->untold_ns == 0 && bus_untold(f->bus) > 0)
		f->untold_ns = clock_mono_ns(clock_system());
}

static void *
run(void *arg)
{
	struct feed *f = arg;
	int64_t until_ns;
	enum step step;

	pthread_mutex_lock(&f->lock);
	while (!f->is_stopping) {
		step = next(f, &until_ns);
		if (step != REST)
			take_step(f, step);
		else
			(void)thread_cond_wait_until(
			    &f->more, &f->lock, until_ns);
		if (f->n_items == 0 && f->untold_ns == 0)
			pthread_cond_broadcast(&f->settled);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

void
feed_settle(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	while (f->n_items > 0 || f->is_busy || f->untold_ns > 0)
		pthread_cond_wait(&f->settled, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

int
feed_new(struct engine *e, struct feed **ret_feed, struct err *err)
{
	const struct thread_options options = { .name = "feed" };
	struct feed *f = mem_calloc(1, sizeof(*f));
	const struct transfer_observer observer = { wants, changed, f };

	f->engine = e;
	f->bus = e->bus;
	f->by_key = map_new();
	list_init(&f->items);
	stats_news_init(&f->stats, e);
	pthread_mutex_init(&f->lock, NULL);
	thread_cond_init(&f->more);
	thread_cond_init(&f->settled);
	if (thread_start(&options, run, f, &f->thread, err) < 0) {
		feed_free(f);
		return -1;
	}
	f->is_started = true;
	transfers_observe(e->transfers, &observer);
	*ret_feed = f;
	return 0;
}

void
feed_free(struct feed *f)
{
	struct list *node;

	if (f == NULL)
		return;
	transfers_observe(f->engine->transfers, NULL);
	pthread_mutex_lock(&f->lock);
	f->is_stopping = true;
	pthread_cond_signal(&f->more);
	pthread_mutex_unlock(&f->lock);
	if (f->is_started)
		pthread_join(f->thread, NULL);
	while ((node = list_pop_front(&f->items)) != NULL)
		item_free(CONTAINER_OF(node, struct item, link));
	map_free(f->by_key);
	stats_news_fini(&f->stats);
	pthread_cond_destroy(&f->more);
	pthread_cond_destroy(&f->settled);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
