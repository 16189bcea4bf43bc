/* SPDX-License-Identifier: MIT */
#include "engine/parts.h"

#include <stdio.h>
#include <string.h>

#include "engine_fixture.h"
#include "unit.h"

static struct parted *
join(struct fixture *f, const char *blob_id, uint64_t length)
{
	const struct parts_wanted w = {
		.client = &f->client,
		.filename = "file",
		.blob_id = blob_id,
		.sha256 = "",
		.length = length,
	};

	return parts_join(f->engine->parts, &w);
}

/* A part that is delivered. */
static void
fetch(struct fixture *f, const char *blob_id, uint64_t length)
{
	struct parted *p = join(f, blob_id, length);

	parts_moved(p, (int64_t)length);
	parts_leave(p, NULL);
	fixture_settle(f);
}

static int
count(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_transfer_count(tx, arg, err);
}

static int
newest(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_transfer_newest(tx, "", "file", arg, err);
}

static uint64_t
transfers(struct fixture *f)
{
	uint64_t n;

	assert_int_equal(db_read(f->engine->db, count, &n, NULL), 0);
	return n;
}

#define BLOB "0123456789abcdef0123456789abcdef"

TEST(test_engine_parts__are_one_for_a_minute)
{
	struct fixture f;

	fixture_init(&f, NULL);
	for (int i = 0; i < 5; i++) {
		fetch(&f, BLOB, 100000);
		clock_manual_advance(&f.clock, PARTS_TOGETHER_MS - 1);
	}
	assert_int_equal(transfers(&f), 1);
	clock_manual_advance(&f.clock, 1);
	fetch(&f, BLOB, 100000);
	assert_int_equal(transfers(&f), 2);
	fixture_fini(&f);
}

TEST(test_engine_parts__do_not_end_while_one_moves)
{
	struct parted *slow, *quick;
	struct transfer_view v;
	struct fixture f;

	fixture_init(&f, NULL);
	slow = join(&f, BLOB, 1000);
	clock_manual_advance(&f.clock, 10 * PARTS_TOGETHER_MS);
	quick = join(&f, BLOB, 500);
	assert_ptr_equal(quick, slow);
	parts_moved(slow, 300);
	parts_moved(quick, 500);
	parts_leave(quick, NULL);
	assert_true(
	    transfers_find(f.engine->transfers, "file", REC_DOWNLOAD, &v));
	assert_int_equal(v.rec.status, REC_DOWNLOADING);
	assert_int_equal(v.rec.total, 1500);
	assert_int_equal(v.rec.transferred, 800);
	transfer_view_fini(&v);
	/* Less arrived than was sent. */
	parts_moved(slow, -100);
	parts_leave(slow, NULL);
	fixture_settle(&f);
	assert_int_equal(transfers(&f), 1);
	fixture_fini(&f);
}

TEST(test_engine_parts__remembers_so_many_that_rest)
{
	char blob[ID_SIZE];
	struct fixture f;

	fixture_init(&f, NULL);
	for (unsigned i = 0; i <= PARTS_RESTING; i++) {
		(void)snprintf(blob, sizeof(blob), "%032x", i);
		fetch(&f, blob, 1);
	}
	assert_int_equal(transfers(&f), PARTS_RESTING + 1);
	/* The second is there, the first had to make room. */
	(void)snprintf(blob, sizeof(blob), "%032x", 1);
	fetch(&f, blob, 1);
	assert_int_equal(transfers(&f), PARTS_RESTING + 1);
	(void)snprintf(blob, sizeof(blob), "%032x", 0);
	fetch(&f, blob, 1);
	assert_int_equal(transfers(&f), PARTS_RESTING + 2);
	fixture_fini(&f);
}

TEST(test_engine_parts__are_not_gone_on_with_when_their_row_may_be_gone)
{
	struct fixture f;

	fixture_init(&f, NULL);
	parts_free(f.engine->parts);
	f.engine->parts = parts_new(
	    f.engine->transfers, f.engine->sched, f.engine->clock, 2000);
	fetch(&f, BLOB, 100000);
	clock_manual_advance(&f.clock, 1999);
	fetch(&f, BLOB, 100000);
	assert_int_equal(transfers(&f), 1);
	clock_manual_advance(&f.clock, 2000);
	fetch(&f, BLOB, 100000);
	assert_int_equal(transfers(&f), 2);
	fixture_fini(&f);
}

TEST(test_engine_parts__do_not_move_while_they_wait)
{
	struct parted *waits, *also;
	struct rec_transfer row;
	struct fixture f;

	fixture_init(&f, NULL);
	waits = join(&f, BLOB, 1000000);
	also = join(&f, BLOB, 1000000);
	clock_manual_advance(&f.clock, 9000);
	parts_go(waits);
	clock_manual_advance(&f.clock, 500);
	parts_go(also); /* not anew for the second */
	clock_manual_advance(&f.clock, 500);
	parts_moved(waits, 1000000);
	parts_moved(also, 1000000);
	parts_leave(also, NULL);
	parts_leave(waits, NULL);
	fixture_settle(&f);
	assert_int_equal(db_read(f.engine->db, newest, &row, NULL), 0);
	assert_int_equal(row.speed_bps, 2000000);
	rec_transfer_fini(&row);
	fixture_fini(&f);
}
