/* SPDX-License-Identifier: MIT */
#include "engine/download.h"

#include <stdlib.h>
#include <string.h>

#include "engine/reaper.h"
#include "engine/status.h"
#include "engine_fixture.h"
#include "unit.h"

static struct download *
open_ok(struct fixture *f, const char *name)
{
	struct err err = ERR_INIT;
	struct download *d;

	if (fixture_open(f, name, &d, &err) < 0)
		fail_msg("%s", err.msg);
	return d;
}

static enum err_code
open_code(struct fixture *f, const char *name)
{
	struct err err = ERR_INIT;
	struct download *d;

	if (fixture_open(f, name, &d, &err) == 0)
		download_close(d);
	return err.code;
}

static void
start(struct fixture *f, struct download *d, struct storage_range range,
    const char *text)
{
	struct err err = ERR_INIT;
	struct source *src;
	char got[64] = "";

	assert_true(strlen(text) < sizeof(got));
	assert_int_equal(download_start(d, &f->client, range, &src, &err), 0);
	assert_int_equal(
	    source_read_full(src, got, sizeof(got), &err), strlen(text));
	assert_string_equal(got, text);
	source_close(src);
}

struct lookup {
	char id[ID_SIZE];
	struct rec_transfer row;
};

static int
get_row(struct db_tx *tx, void *arg, struct err *err)
{
	struct lookup *l = arg;

	return rec_transfer_get(tx, l->id, &l->row, err);
}

/* Ends and closes ${d}; its row, for rec_transfer_fini(). */
static struct rec_transfer
end(struct fixture *f, struct download *d, uint64_t bytes,
    const struct err *why)
{
	struct lookup l = { 0 };
	struct err err = ERR_INIT;

	memcpy(l.id, transfer_id(d->transfer), ID_SIZE);
	download_end(d, bytes, why);
	download_close(d);
	/* On the writer: behind the row, which was queued. */
	if (db_write(f->engine->db, get_row, &l, &err) < 0)
		fail_msg("%s", err.msg);
	return l.row;
}

TEST(test_engine_download__gives_any_range)
{
	static const struct {
		struct storage_range range;
		const char *text;
	} cases[] = {
		{ { 0, 10 }, "0123456789" },
		{ { 0, 1 }, "0" },
		{ { 3, 4 }, "3456" },
		{ { 9, 1 }, "9" },
		{ { 10, 0 }, "" },
	};
	/* Of the whole, whatever the range. */
	static const char d_sha256[] =
	    "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
	struct rec_transfer row;
	struct fixture f;
	size_t i;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "0123456789");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct download *d = open_ok(&f, "a");

		assert_int_equal(d->file.size, 10);
		start(&f, d, cases[i].range, cases[i].text);
		row = end(&f, d, cases[i].range.length, NULL);
		assert_int_equal(row.direction, REC_DOWNLOAD);
		assert_int_equal(row.status, REC_COMPLETED);
		assert_int_equal(row.transferred, cases[i].range.length);
		assert_string_equal(row.sha256, d_sha256);
		rec_transfer_fini(&row);
	}
	fixture_fini(&f);
}

TEST(test_engine_download__records_what_was_delivered_and_why_it_ended)
{
	struct err why = ERR_INIT;
	struct rec_transfer row;
	struct download *d;
	struct fixture f;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "0123456789");
	d = open_ok(&f, "a");
	start(&f, d, (struct storage_range){ 0, 10 }, "0123456789");
	err_set(&why, ERR_CLOSED, "gone");
	row = end(&f, d, 4, &why);
	assert_int_equal(row.status, REC_INTERRUPTED);
	assert_int_equal(row.transferred, 4);
	assert_int_equal(row.total, 10);
	assert_string_equal(row.error_code, "closed");
	rec_transfer_fini(&row);
	fixture_fini(&f);
}

/* HEAD and conditions need no transfer. */
TEST(test_engine_download__opened_only_leaves_no_trace)
{
	struct download *d;
	struct fixture f;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "x");
	fixture_settle(&f);
	d = open_ok(&f, "a");
	assert_int_equal(transfers_live(f.engine->transfers), 0);
	download_end(d, 0, NULL);
	download_close(d);
	download_close(NULL);
	fixture_fini(&f);
}

TEST(test_engine_download__keeps_its_bytes_when_the_name_is_replaced)
{
	struct err err = ERR_INIT;
	struct rec_transfer row;
	struct download *d;
	struct fixture f;
	bool left;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old bytes");
	d = open_ok(&f, "a");
	fixture_put(&f, "a", "new");
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	start(&f, d, (struct storage_range){ 0, 9 }, "old bytes");
	row = end(&f, d, 9, NULL);
	assert_int_equal(row.status, REC_COMPLETED);
	rec_transfer_fini(&row);
	fixture_fini(&f);
}

TEST(test_engine_download__a_key_reads_its_prefix_only)
{
	struct fixture f;

	fixture_init(&f, NULL);
	fixture_put(&f, "team/a", "x");
	fixture_put(&f, "teams", "y");
	memcpy(f.who.prefix, "team/", 6);
	assert_int_equal(open_code(&f, "team/a"), ERR_NONE);
	assert_int_equal(open_code(&f, "teams"), ERR_FILE_NOT_FOUND);
	fixture_fini(&f);
}

/* Publishes ${text} in the place of the blob ${id}. */
static void
overwrite(struct storage *st, const char *id, const char *text)
{
	struct err err = ERR_INIT;
	struct blob *b;

	assert_int_equal(st->ops->blob_remove(st, id, &err), 0);
	if (text == NULL)
		return;
	assert_int_equal(
	    st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &b, &err), 0);
	assert_int_equal(
	    b->ops->blob_write_at(b, 0, text, strlen(text), &err), 0);
	assert_int_equal(
	    b->ops->blob_publish(b, strlen(text), "{}", true, &err), 0);
}

/* Never bytes that the record does not promise; uploading again mends it. */
TEST(test_engine_download__says_what_is_damaged)
{
	static const char *const texts[] = { NULL, "shor", "too long" };
	struct download *d;
	struct fixture f;
	size_t i;
	char *text;

	fixture_init(&f, NULL);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fixture_put(&f, "a", "right");
		d = open_ok(&f, "a");
		overwrite(f.engine->storage, d->file.blob_id, texts[i]);
		download_close(d);
		assert_int_equal(open_code(&f, "a"), ERR_FILE_DAMAGED);
		assert_int_equal(open_code(&f, "a"), ERR_FILE_DAMAGED);
		fixture_put(&f, "a", "mended");
		text = fixture_get(&f, "a");
		assert_string_equal(text, "mended");
		free(text);
	}
	fixture_settle(&f);
	assert_int_equal(transfers_live(f.engine->transfers), 0);
	fixture_fini(&f);
}
