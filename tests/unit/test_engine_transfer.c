/* SPDX-License-Identifier: MIT */
#include "engine/transfer.h"

#include <string.h>

#include "engine_fixture.h"
#include "unit.h"

static struct transfer *
begin(struct fixture *f, const char *name, uint64_t total)
{
	const struct transfer_start start = {
		.direction = REC_UPLOAD,
		.filename = name,
		.total = total,
		.client = &f->client,
	};

	return transfer_begin(f->engine->transfers, &start);
}

/* As upload_abort() does it. */
static void
end(struct fixture *f, struct transfer *t, const struct err *why,
    struct rec_transfer *ret)
{
	transfer_final(
	    t, why == NULL ? REC_COMPLETED : transfer_status_of(why), why, ret);
	transfer_end(t, ret);
	/* It is seen until its row is. */
	fixture_settle(f);
}

static struct transfer_view
find(struct fixture *f, const char *name)
{
	struct transfer_view v;

	assert_true(transfers_find(f->engine->transfers, name, REC_UPLOAD, &v));
	return v;
}

/* How each failure ends a transfer, and what people read of it: never what
 * only the log may know. */
TEST(test_engine_transfer__tells_why_it_ended)
{
	static const struct {
		enum err_code code;
		const char *msg;
		enum rec_status status;
		const char *error;
	} cases[] = {
		{ ERR_CLOSED, "reset by peer", REC_INTERRUPTED,
		    "the connection was closed before the end" },
		{ ERR_TIMEOUT, "poll", REC_INTERRUPTED,
		    "nothing moved on the connection for too long" },
		{ ERR_SHUTTING_DOWN, "x", REC_INTERRUPTED,
		    "the server was shut down" },
		{ ERR_CANCELLED, "cancelled by somebody", REC_CANCELLED,
		    "cancelled by somebody" },
		{ ERR_HASH_MISMATCH, "other bytes", REC_FAILED, "other bytes" },
		{ ERR_STORAGE_FULL, "full", REC_FAILED, "full" },
		{ ERR_FILE_TOO_LARGE, "large", REC_FAILED, "large" },
		{ ERR_IO, "cannot write '/srv/x'", REC_FAILED,
		    "the server failed; its log says why" },
		{ ERR_DATABASE, "near SELECT", REC_FAILED,
		    "the server failed; its log says why" },
		{ ERR_INTERNAL, "src/x.c:1", REC_FAILED,
		    "the server failed; its log says why" },
	};
	struct rec_transfer row;
	struct err why = ERR_INIT;
	struct fixture f;
	size_t i;

	fixture_init(&f, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct transfer *t = begin(&f, "a", 10);

		err_set(&why, cases[i].code, "%s", cases[i].msg);
		end(&f, t, &why, &row);
		assert_int_equal(row.status, cases[i].status);
		assert_true(rec_status_is_ended(row.status));
		assert_string_equal(row.error, cases[i].error);
		assert_string_equal(
		    row.error_code, err_code_name(cases[i].code));
		rec_transfer_fini(&row);
	}
	fixture_fini(&f);
}

TEST(test_engine_transfer__completed_has_no_error_and_its_own_total)
{
	struct rec_transfer row;
	struct transfer *t;
	struct fixture f;

	fixture_init(&f, NULL);
	t = begin(&f, "a", REC_SIZE_UNKNOWN);
	clock_manual_advance(&f.clock, 2000);
	transfer_moved(t, 3000);
	end(&f, t, NULL, &row);
	assert_int_equal(row.status, REC_COMPLETED);
	assert_int_equal(row.transferred, 3000);
	assert_int_equal(row.total, 3000);
	assert_int_equal(row.speed_bps, 1500);
	assert_null(row.error);
	assert_null(row.error_code);
	rec_transfer_fini(&row);
	fixture_fini(&f);
}

TEST(test_engine_transfer__broken_off_keeps_what_was_announced)
{
	struct err why = ERR_INIT;
	struct rec_transfer row;
	struct transfer *t;
	struct fixture f;

	fixture_init(&f, NULL);
	t = begin(&f, "a", 1000);
	transfer_moved(t, 10);
	err_set(&why, ERR_CLOSED, "gone");
	end(&f, t, &why, &row);
	assert_int_equal(row.transferred, 10);
	assert_int_equal(row.total, 1000);
	rec_transfer_fini(&row);
	fixture_fini(&f);
}

/* What a form says after its file, or what a client leaves out. */
TEST(test_engine_transfer__learns_on_the_way)
{
	struct transfer_view v;
	struct rec_transfer row;
	struct transfer *t;
	struct fixture f;

	fixture_init(&f, NULL);
	t = begin(&f, "a", REC_SIZE_UNKNOWN);
	v = find(&f, "a");
	assert_int_equal(v.rec.total, REC_SIZE_UNKNOWN);
	assert_int_equal(v.progress, 0);
	assert_int_equal(v.eta_s, -1);
	assert_null(v.rec.client_id);
	transfer_view_fini(&v);

	transfer_set_filename(t, "b");
	transfer_set_client_id(t, "me");
	transfer_set_options(t, true, 7);
	transfer_set_total(t, 200);
	/* ... and these change nothing. */
	transfer_set_filename(t, NULL);
	transfer_set_client_id(t, NULL);
	transfer_set_total(t, REC_SIZE_UNKNOWN);
	transfer_moved(t, 50);

	v = find(&f, "b");
	assert_string_equal(v.rec.client_id, "me");
	assert_true(v.rec.encryption);
	assert_int_equal(v.rec.priority, 7);
	assert_int_equal(v.rec.total, 200);
	assert_int_equal(v.progress, 25);
	transfer_view_fini(&v);
	assert_false(transfers_find(f.engine->transfers, "a", REC_UPLOAD, &v));
	end(&f, t, NULL, &row);
	rec_transfer_fini(&row);
	fixture_fini(&f);
}

TEST(test_engine_transfer__registry_counts_the_living_and_the_changes)
{
	struct transfers *ts;
	struct rec_transfer row;
	struct transfer *a, *b;
	struct fixture f;
	uint64_t before;

	fixture_init(&f, NULL);
	ts = f.engine->transfers;
	assert_int_equal(transfers_live(ts), 0);
	assert_int_equal(transfers_last_change(ts), 0);
	before = transfers_changes(ts);
	a = begin(&f, "a", 10);
	b = begin(&f, "a", 20);
	assert_int_equal(transfers_live(ts), 2);
	assert_true(transfers_changes(ts) > before);
	assert_int_equal(
	    transfers_last_change(ts), clock_wall_ms(f.engine->clock));
	before = transfers_changes(ts);
	clock_manual_advance(&f.clock, 5000);
	end(&f, b, NULL, &row);
	rec_transfer_fini(&row);
	assert_int_equal(transfers_live(ts), 1);
	assert_true(transfers_changes(ts) > before);
	assert_int_equal(
	    transfers_last_change(ts), clock_wall_ms(f.engine->clock));
	end(&f, a, NULL, &row);
	rec_transfer_fini(&row);
	assert_int_equal(transfers_live(ts), 0);
	fixture_fini(&f);
}

/* Of two uploads of one name the later is the one to show. */
TEST(test_engine_transfer__finds_the_newest)
{
	struct rec_transfer row;
	struct transfer_view v;
	struct transfer *a, *b;
	struct fixture f;

	fixture_init(&f, NULL);
	a = begin(&f, "a", 10);
	b = begin(&f, "a", 20);
	v = find(&f, "a");
	assert_string_equal(v.rec.id, transfer_id(b));
	transfer_view_fini(&v);
	assert_false(
	    transfers_find(f.engine->transfers, "a", REC_DOWNLOAD, &v));
	end(&f, b, NULL, &row);
	rec_transfer_fini(&row);
	v = find(&f, "a");
	assert_string_equal(v.rec.id, transfer_id(a));
	transfer_view_fini(&v);
	end(&f, a, NULL, &row);
	rec_transfer_fini(&row);
	fixture_fini(&f);
}

struct row_count {
	const char *id;
	int rc;
};

static int
look_for(struct db_tx *tx, void *arg, struct err *err)
{
	struct row_count *c = arg;
	struct rec_transfer t = { 0 };

	c->rc = rec_transfer_get(tx, c->id, &t, err);
	rec_transfer_fini(&t);
	return 0;
}

/* One that will last leaves a row behind at once, for the crash that may
 * come; a short one costs one row only. */
TEST(test_engine_transfer__records_its_start_when_it_will_last)
{
	static const struct {
		uint64_t total;
		int rc;
	} cases[] = {
		{ 0, -1 },
		{ 64 * 1024, -1 },
		{ 64 * 1024 + 1, 0 },
		{ REC_SIZE_UNKNOWN, 0 },
	};
	struct rec_transfer row;
	struct fixture f;
	size_t i;

	fixture_init(&f, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct transfer *t = begin(&f, "a", cases[i].total);
		struct row_count c = { transfer_id(t), 1 };

		/* Behind the start, which was queued before. */
		assert_int_equal(db_write(f.engine->db, look_for, &c, NULL), 0);
		assert_int_equal(c.rc, cases[i].rc);
		end(&f, t, NULL, &row);
		rec_transfer_fini(&row);
	}
	fixture_fini(&f);
}
