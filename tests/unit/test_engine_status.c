/* SPDX-License-Identifier: MIT */
#include "engine/status.h"

#include <stdio.h>
#include <string.h>

#include "engine_fixture.h"
#include "unit.h"

static const struct status_page first = { "", 10 };

static struct transfer *
begin(struct fixture *f, const char *name, enum rec_direction d, int priority)
{
	const struct transfer_start s = {
		.direction = d,
		.filename = name,
		.total = 1000000,
		.priority = priority,
		.client = &f->client,
	};

	clock_manual_advance(&f->clock, 10);
	return transfer_begin(f->engine->transfers, &s);
}

static void
end(struct transfer *t, enum rec_status status)
{
	struct rec_transfer row = { 0 };

	transfer_final(t, status, NULL, &row);
	transfer_end(t, &row);
	rec_transfer_fini(&row);
}

static void
names(const struct status_list *l, char *ret, size_t n)
{
	ret[0] = '\0';
	for (size_t i = 0; i < l->count; i++) {
		size_t at = strlen(ret);

		(void)snprintf(ret + at, n - at, "%s%s", i == 0 ? "" : " ",
		    l->views[i].rec.filename);
	}
}

TEST(test_engine_status__shows_a_live_upload)
{
	struct err err = ERR_INIT;
	struct transfer_view v;
	struct transfer *t;
	struct fixture f;

	fixture_init(&f, NULL);
	t = begin(&f, "a", REC_UPLOAD, 0);
	clock_manual_advance(&f.clock, 1000);
	transfer_moved(t, 250000);
	assert_int_equal(status_of(f.engine, &f.who, "a", &v, &err), 0);
	assert_int_equal(v.rec.status, REC_UPLOADING);
	assert_int_equal(v.progress, 25);
	assert_int_equal(v.rec.transferred, 250000);
	assert_int_equal(v.speed_bps, 250000);
	assert_int_equal(v.eta_s, 3);
	transfer_view_fini(&v);
	end(t, REC_INTERRUPTED);
	fixture_fini(&f);
}

TEST(test_engine_status__progress_is_100_only_when_done)
{
	struct err err = ERR_INIT;
	struct transfer_view v;
	struct transfer *t;
	struct fixture f;

	fixture_init(&f, NULL);
	t = begin(&f, "a", REC_UPLOAD, 0);
	transfer_moved(t, 1000000);
	assert_int_equal(status_of(f.engine, &f.who, "a", &v, &err), 0);
	assert_int_equal(v.progress, 99);
	transfer_view_fini(&v);
	end(t, REC_FAILED);
	fixture_fini(&f);
}

TEST(test_engine_status__shows_an_end_at_once)
{
	struct err err = ERR_INIT;
	struct transfer_view v;
	struct fixture f;
	char name[16];

	fixture_init(&f, NULL);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		end(begin(&f, name, REC_UPLOAD, 0), REC_FAILED);
		assert_int_equal(
		    status_of(f.engine, &f.who, name, &v, &err), 0);
		assert_int_equal(v.rec.status, REC_FAILED);
		transfer_view_fini(&v);
	}
	fixture_fini(&f);
}

TEST(test_engine_status__prefers_the_newer_of_two_uploads)
{
	struct err err = ERR_INIT;
	struct transfer_view v;
	struct transfer *slow;
	struct fixture f;

	fixture_init(&f, NULL);
	slow = begin(&f, "a", REC_UPLOAD, 0);
	clock_manual_advance(&f.clock, 10);
	fixture_put(&f, "a", "x");
	assert_int_equal(status_of(f.engine, &f.who, "a", &v, &err), 0);
	assert_int_equal(v.rec.status, REC_COMPLETED);
	transfer_view_fini(&v);
	end(slow, REC_FAILED);
	fixture_fini(&f);
}

TEST(test_engine_status__prefers_uploads_to_downloads)
{
	struct err err = ERR_INIT;
	struct transfer_view v;
	struct transfer *t;
	struct fixture f;

	fixture_init(&f, NULL);
	t = begin(&f, "a", REC_DOWNLOAD, 0);
	assert_int_equal(status_of(f.engine, &f.who, "a", &v, &err), 0);
	assert_int_equal(v.rec.direction, REC_DOWNLOAD);
	transfer_view_fini(&v);
	fixture_put(&f, "a", "x");
	assert_int_equal(status_of(f.engine, &f.who, "a", &v, &err), 0);
	assert_int_equal(v.rec.direction, REC_UPLOAD);
	assert_int_equal(v.rec.status, REC_COMPLETED);
	assert_int_equal(v.progress, 100);
	transfer_view_fini(&v);
	end(t, REC_COMPLETED);
	assert_int_equal(status_of(f.engine, &f.who, "b", &v, &err), -1);
	assert_int_equal(err.code, ERR_TRANSFER_NOT_FOUND);
	fixture_fini(&f);
}

TEST(test_engine_status__lists_the_newest_upload_of_each_file)
{
	struct err err = ERR_INIT;
	struct status_list l;
	struct transfer *t;
	struct fixture f;
	char text[64];

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "1");
	fixture_put(&f, "b", "2");
	fixture_put(&f, "c", "3");
	fixture_put(&f, "a", "4");
	t = begin(&f, "b", REC_UPLOAD, 0); /* live, newer than its record */
	assert_int_equal(status_newest(f.engine, &f.who, &first, &l, &err), 0);
	names(&l, text, sizeof(text));
	assert_string_equal(text, "b a c");
	assert_int_equal(l.views[0].rec.status, REC_UPLOADING);
	assert_string_equal(l.next, "");
	status_list_fini(&l);
	end(t, REC_COMPLETED);
	fixture_fini(&f);
}

TEST(test_engine_status__pages_without_gap_or_repeat)
{
	struct err err = ERR_INIT;
	struct status_list l;
	struct transfer *t;
	struct fixture f;
	char cursor[ID_SIZE] = "";
	const struct status_page page = { cursor, 2 };
	char text[64];

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "1");
	fixture_put(&f, "b", "2");
	fixture_put(&f, "c", "3");
	t = begin(&f, "a", REC_UPLOAD, 0);
	assert_int_equal(status_newest(f.engine, &f.who, &page, &l, &err), 0);
	names(&l, text, sizeof(text));
	assert_string_equal(text, "a c");
	memcpy(cursor, l.next, ID_SIZE);
	status_list_fini(&l);
	assert_int_equal(status_newest(f.engine, &f.who, &page, &l, &err), 0);
	names(&l, text, sizeof(text));
	assert_string_equal(text, "b");
	assert_string_equal(l.next, "");
	status_list_fini(&l);
	end(t, REC_COMPLETED);
	fixture_fini(&f);
}

TEST(test_engine_status__the_queue_goes_by_priority_then_first_come)
{
	struct err err = ERR_INIT;
	struct transfer *t[4];
	struct status_list l;
	struct fixture f;
	char text[64];

	fixture_init(&f, NULL);
	t[0] = begin(&f, "low", REC_UPLOAD, 0);
	t[1] = begin(&f, "high", REC_UPLOAD, 9);
	t[2] = begin(&f, "late", REC_DOWNLOAD, 9);
	t[3] = begin(&f, "done", REC_UPLOAD, 10);
	end(t[3], REC_COMPLETED);
	fixture_put(&f, "small", "x");
	assert_int_equal(status_queue(f.engine, &f.who, &l, &err), 0);
	names(&l, text, sizeof(text));
	assert_string_equal(text, "done high late low small");
	status_list_fini(&l);
	/* What ended is shown for a while only. */
	clock_manual_advance(&f.clock, 301000);
	assert_int_equal(status_queue(f.engine, &f.who, &l, &err), 0);
	names(&l, text, sizeof(text));
	assert_string_equal(text, "high late low");
	status_list_fini(&l);
	for (size_t i = 0; i < 3; i++)
		end(t[i], REC_COMPLETED);
	fixture_fini(&f);
}

TEST(test_engine_status__a_key_sees_its_prefix_only)
{
	struct err err = ERR_INIT;
	struct transfer_view v;
	struct status_list l;
	struct transfer *t;
	struct fixture f;
	char text[64];

	fixture_init(&f, NULL);
	fixture_put(&f, "team/a", "1");
	fixture_put(&f, "other", "2");
	t = begin(&f, "live", REC_UPLOAD, 0);
	memcpy(f.who.prefix, "team/", 6);
	assert_int_equal(status_newest(f.engine, &f.who, &first, &l, &err), 0);
	names(&l, text, sizeof(text));
	assert_string_equal(text, "team/a");
	status_list_fini(&l);
	assert_int_equal(status_queue(f.engine, &f.who, &l, &err), 0);
	names(&l, text, sizeof(text));
	assert_string_equal(text, "team/a");
	status_list_fini(&l);
	assert_int_equal(status_of(f.engine, &f.who, "other", &v, &err), -1);
	assert_int_equal(status_of(f.engine, &f.who, "live", &v, &err), -1);
	end(t, REC_COMPLETED);
	fixture_fini(&f);
}
