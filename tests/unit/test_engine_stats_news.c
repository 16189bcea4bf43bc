/* SPDX-License-Identifier: MIT */
#include "engine/stats_news.h"

#include "engine/bus.h"
#include "engine/feed.h"
#include "engine_fixture.h"
#include "unit.h"

static const struct bus_place stats = { .kind = BUS_STATS };

static bool
is_told(struct bus_subscriber *s)
{
	struct bus_entry e;

	if (bus_take(s, &e, 1) == 0)
		return false;
	bus_message_unref(e.message);
	return true;
}

/* An engine whose feed says nothing in between. */
static void
init(struct fixture *f, struct stats_news *n)
{
	fixture_init(f, NULL);
	feed_free(f->engine->feed);
	f->engine->feed = NULL;
	stats_news_init(n, f->engine);
}

static void
fini(struct fixture *f, struct stats_news *n)
{
	stats_news_fini(n);
	fixture_fini(f);
}

TEST(test_engine_stats_news__are_told_when_they_change)
{
	struct bus_subscriber l = { 0 };
	struct stats_news n;
	struct fixture f;

	init(&f, &n);
	fixture_listen(&f, &l, &stats);
	stats_news_publish(&n, 5000);
	assert_true(is_told(&l));
	assert_int_equal(stats_news_due_ms(&n, false), 0);
	assert_int_equal(stats_news_due_ms(&n, true), 5000 + BUS_STATS_MS);
	stats_news_publish(&n, 9000);
	assert_false(is_told(&l));

	fixture_put(&f, "a", "some text");
	fixture_settle(&f);
	/* A change long after the last is told at once. */
	assert_int_equal(
	    stats_news_due_ms(&n, true), 9000 + STATS_NEWS_READ_MS);
	stats_news_publish(&n, 10000);
	assert_true(is_told(&l));
	bus_leave(&l);
	fini(&f, &n);
}

TEST(test_engine_stats_news__whoever_comes_takes_nothing_from_others)
{
	struct bus_subscriber first = { 0 }, second = { 0 };
	struct stats_news n;
	struct fixture f;

	init(&f, &n);
	fixture_listen(&f, &first, &stats);
	stats_news_publish(&n, 5000);
	assert_true(is_told(&first));
	fixture_put(&f, "a", "some text");
	fixture_settle(&f);
	fixture_listen(&f, &second, &stats);
	stats_news_publish(&n, 5300);
	assert_true(is_told(&second));
	assert_false(is_told(&first));
	/* Though nothing changes any more. */
	assert_int_equal(stats_news_due_ms(&n, false), 5000 + BUS_STATS_MS);
	stats_news_publish(&n, 5000 + BUS_STATS_MS);
	assert_true(is_told(&first));
	assert_false(is_told(&second));
	assert_int_equal(stats_news_due_ms(&n, false), 0);
	bus_leave(&first);
	bus_leave(&second);
	fini(&f, &n);
}

TEST(test_engine_stats_news__nobody_is_there)
{
	struct bus_subscriber l = { 0 };
	struct stats_news n;
	struct fixture f;

	init(&f, &n);
	stats_news_publish(&n, 5000);
	assert_int_equal(stats_news_due_ms(&n, false), 0);
	assert_int_equal(
	    stats_news_due_ms(&n, true), 5000 + STATS_NEWS_READ_MS);
	fixture_listen(&f, &l, &stats);
	stats_news_publish(&n, 5001);
	assert_true(is_told(&l));
	bus_leave(&l);
	fini(&f, &n);
}
