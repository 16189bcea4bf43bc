/* SPDX-License-Identifier: MIT */
#include "engine/stats_news.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/bus.h"
#include "engine/stats.h"

void
stats_news_init(struct stats_news *n, struct engine *e)
{
	*n = (struct stats_news){
		.engine = e,
		.began_ms = clock_mono_ms(e->clock),
	};
	buf_init(&n->newest, BUS_JSON_MAX);
}

void
stats_news_fini(struct stats_news *n)
{
	buf_fini(&n->newest);
}

static json_t *
read_stats(struct engine *e)
{
	struct err none = ERR_INIT;
	struct principal all;
	struct stats s;
	json_t *j;

	auth_anonymous(&all);
	if (stats_get(e, &all, &s, &none) < 0)
		return NULL;
	j = stats_json(&s, 0);
	stats_fini(&s);
	return j;
}

static void
renew(struct stats_news *n, const json_t *j)
{
	struct buf b;

	buf_init(&b, BUS_JSON_MAX);
	(void)json_write(j, &b, NULL);
	if (!slice_eq(buf_slice(&b), buf_slice(&n->newest)))
		n->number++;
	buf_fini(&n->newest);
	n->newest = b;
}

void
stats_news_publish(struct stats_news *n, int64_t now_ms)
{
	int64_t up_ms = clock_mono_ms(n->engine->clock) - n->began_ms;
	json_t *j = read_stats(n->engine);
	struct bus_message *m;
	struct bus_told told;

	n->read_ms = now_ms;
	if (j == NULL)
		return;
	renew(n, j);
	(void)json_object_set_new(
	    j, "uptime_seconds", json_integer(up_ms / 1000));
	m = bus_message_of(n->engine->bus, NULL, j);
	if (m == NULL)
		return;
	told = bus_publish_stats(n->engine->bus, m, n->number, now_ms);
	n->next_ms = told.next_ms;
	n->is_late = told.is_late;
	bus_message_unref(m);
}

int64_t
stats_news_due_ms(const struct stats_news *n, bool have_changed)
{
	int64_t due_ms = n->read_ms + STATS_NEWS_READ_MS;

	if (!have_changed && !n->is_late)
		return 0;
	return due_ms > n->next_ms ? due_ms : n->next_ms;
}
