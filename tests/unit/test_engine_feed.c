/* SPDX-License-Identifier: MIT */
#include "engine/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine_fixture.h"
#include "unit.h"

struct listener {
	struct bus_subscriber s;
};

static void
join(
    struct fixture *f, struct listener *l, enum bus_kind kind, const char *name)
{
	const struct bus_place place = { .kind = kind, .filename = name };

	fixture_listen(f, &l->s, &place);
	feed_present(f->engine->feed, kind, name);
	feed_settle(f->engine->feed);
}

/* The next event for the caller to decref; NULL: none. */
static json_t *
take(struct listener *l)
{
	struct bus_entry e;
	json_t *j;

	if (!bus_take(&l->s, &e, 1))
		return NULL;
	j = json_parse(e.message->json, e.message->n, NULL);
	bus_message_unref(e.message);
	assert_non_null(j);
	return j;
}

/* The next event is of that status, about that file. */
static void
expect(struct listener *l, const char *name, const char *status)
{
	json_t *j = take(l);

	assert_non_null(j);
	assert_string_equal(
	    json_string_value(json_object_get(j, "filename")), name);
	assert_string_equal(
	    json_string_value(json_object_get(j, "status")), status);
	json_decref(j);
}

TEST(test_engine_feed__tells_how_an_upload_begins_and_ends)
{
	struct fixture f;
	struct listener l;

	fixture_init(&f, NULL);
	join(&f, &l, BUS_ALL, NULL);
	assert_null(take(&l));
	fixture_put(&f, "a", "some text");
	feed_settle(f.engine->feed);
	expect(&l, "a", "uploading");
	expect(&l, "a", "completed");
	assert_null(take(&l));
	bus_leave(&l.s);
	fixture_fini(&f);
}

TEST(test_engine_feed__an_end_has_its_checksum)
{
	struct fixture f;
	struct listener l;
	const char *sum;
	json_t *j;

	fixture_init(&f, NULL);
	join(&f, &l, BUS_FILE, "a");
	fixture_put(&f, "b", "some text");
	fixture_put(&f, "a", "some text");
	feed_settle(f.engine->feed);
	expect(&l, "a", "uploading");
	j = take(&l);
	sum = json_string_value(json_object_get(j, "checksum"));
	assert_int_equal(strlen(sum), 64);
	json_decref(j);
	assert_null(take(&l));
	bus_leave(&l.s);
	fixture_fini(&f);
}

TEST(test_engine_feed__brings_the_present_state)
{
	struct fixture f;
	struct listener l;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "some text");
	join(&f, &l, BUS_FILE, "a");
	expect(&l, "a", "completed");
	assert_null(take(&l));
	bus_leave(&l.s);
	join(&f, &l, BUS_FILE, "unknown");
	assert_null(take(&l));
	bus_leave(&l.s);
	fixture_fini(&f);
}

TEST(test_engine_feed__brings_all_that_are_under_way)
{
	struct fixture f;
	struct listener l;
	struct transfer_start start = {
		.direction = REC_UPLOAD,
		.filename = "live",
		.total = 100,
	};
	struct rec_transfer row = { 0 };
	struct transfer *t;

	fixture_init(&f, NULL);
	fixture_put(&f, "ended", "some text");
	start.client = &f.client;
	t = transfer_begin(f.engine->transfers, &start);
	join(&f, &l, BUS_ALL, NULL);
	expect(&l, "live", "uploading");
	assert_null(take(&l));
	transfer_final(t, REC_COMPLETED, NULL, &row);
	transfer_end(t, &row);
	rec_transfer_fini(&row);
	feed_settle(f.engine->feed);
	expect(&l, "live", "completed");
	bus_leave(&l.s);
	fixture_fini(&f);
}

TEST(test_engine_feed__progress_is_of_one_moment)
{
	struct fixture f;
	struct listener l;
	struct transfer_start start = {
		.direction = REC_UPLOAD,
		.filename = "a",
		.total = 1000,
	};
	struct rec_transfer row = { 0 };
	struct transfer *t;
	json_t *j;

	fixture_init(&f, NULL);
	join(&f, &l, BUS_ALL, NULL);
	start.client = &f.client;
	t = transfer_begin(f.engine->transfers, &start);
	for (unsigned i = 1; i <= 9; i++) {
		clock_manual_advance(&f.clock, 200);
		transfer_moved(t, i * 100);
		/* Too soon for another. */
		transfer_moved(t, i * 100 + 1);
	}
	feed_settle(f.engine->feed);
	expect(&l, "a", "uploading");
	/* Nobody took any meanwhile: of nine the last is left. */
	j = take(&l);
	assert_int_equal(
	    json_integer_value(json_object_get(j, "progress")), 90);
	json_decref(j);
	assert_null(take(&l));
	transfer_final(t, REC_COMPLETED, NULL, &row);
	transfer_end(t, &row);
	rec_transfer_fini(&row);
	bus_leave(&l.s);
	fixture_fini(&f);
}

TEST(test_engine_feed__without_anybody_nothing_is_made)
{
	struct fixture f;
	struct listener l;
	const struct bus_place all = { .kind = BUS_ALL, .seen = 1 };

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "some text");
	fixture_listen(&f, &l.s, &all);
	feed_present(f.engine->feed, BUS_ALL, NULL);
	feed_settle(f.engine->feed);
	assert_null(take(&l));
	bus_leave(&l.s);
	fixture_fini(&f);
}

TEST(test_engine_feed__statistics_are_those_of_get_stats)
{
	struct fixture f;
	struct listener l;
	json_t *j;

	fixture_init(&f, NULL);
	fixture_put(&f, "a.txt", "some text");
	fixture_settle(&f);
	join(&f, &l, BUS_STATS, NULL);
	j = take(&l);
	assert_int_equal(
	    json_integer_value(json_object_get(j, "completed_count")), 1);
	assert_int_equal(
	    json_integer_value(json_object_get(j, "total_bytes")), 9);
	json_decref(j);
	assert_null(take(&l));
	bus_leave(&l.s);
	fixture_fini(&f);
}
