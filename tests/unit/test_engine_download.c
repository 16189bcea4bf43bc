/* SPDX-License-Identifier: MIT */
#include "engine/download.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
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
	assert_int_equal(fixture_start(f, d, range, &src, &err), 0);
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

/* --- sealed files --------------------------------------------------------- */

static void
put_sealed(struct fixture *f, const char *name, const char *text)
{
	struct upload_options o = fixture_options(name);
	struct upload_request req = { &f->who, &f->client, &o, strlen(text),
		NULL, NULL, NULL };
	struct source *body = source_mem(text, strlen(text));
	struct err err = ERR_INIT;
	struct upload_result r;
	struct upload *up;

	clock_manual_advance(&f->clock, 10);
	o.encryption = true;
	assert_int_equal(upload_begin(f->engine, &req, &up, &err), 0);
	assert_int_equal(upload_fill(up, body, &err), 0);
	assert_int_equal(upload_finish(up, &o, &r, &err), 0);
	upload_result_fini(&r);
	source_close(body);
}

static struct download *
open_raw(struct fixture *f, unsigned scopes, struct err *err)
{
	struct download_request req = { &f->who, "a", true };
	struct download *d = NULL;

	f->who.has_key = scopes != 0;
	f->who.scopes = scopes != 0 ? scopes : AUTH_ALL;
	err_clear(err);
	(void)download_open(f->engine, &req, &d, err);
	return d;
}

TEST(test_engine_download__opens_what_is_sealed)
{
	struct fixture f;
	struct download *d;

	fixture_init(&f, NULL);
	put_sealed(&f, "a", "0123456789");
	d = open_ok(&f, "a");
	assert_int_equal(d->size, 10);
	assert_int_equal(d->stored, seal_size(10));
	assert_string_equal(d->tag, d->file.sha256);
	start(&f, d, (struct storage_range){ 3, 4 }, "3456");
	download_end(d, 4, NULL);
	download_close(d);
	fixture_fini(&f);
}

TEST(test_engine_download__gives_the_container_to_keys_that_may_read)
{
	unsigned char all[200], head[SEAL_HEADER_SIZE];
	struct keyring *other;
	struct err err = ERR_INIT;
	struct fixture f;
	struct download *d;
	struct source *src;
	char tag[DOWNLOAD_TAG_SIZE];
	ssize_t n;

	fixture_init(&f, NULL);
	put_sealed(&f, "a", "0123456789");
	assert_null(open_raw(&f, 0, &err));
	assert_int_equal(err.code, ERR_UNAUTHORIZED);
	assert_null(open_raw(&f, AUTH_WRITE, &err));
	assert_int_equal(err.code, ERR_FORBIDDEN);
	d = open_raw(&f, AUTH_READ, &err);
	assert_non_null(d);
	assert_int_equal(d->size, seal_size(10));
	assert_string_not_equal(d->tag, d->file.sha256);
	memcpy(tag, d->tag, sizeof(tag));
	assert_int_equal(fixture_start(&f, d,
	                     (struct storage_range){ 0, d->size }, &src, &err),
	    0);
	/* The header is the one of the tag, though it is replaced meanwhile. */
	memcpy(head, d->header, sizeof(head));
	other = keyring_new((const unsigned char *)"another key 1234");
	assert_int_equal(keyring_add(other,
	                     (const unsigned char *)"the master key\0\0", &err),
	    0);
	assert_int_equal(seal_rewrap(other, head, &err), 0);
	assert_int_equal(
	    f.engine->storage->ops->blob_set_head(
	        f.engine->storage, d->file.blob_id, head, sizeof(head), &err),
	    0);
	n = source_read_full(src, all, sizeof(all), &err);
	assert_int_equal(n, seal_size(10));
	assert_memory_equal(all, d->header, SEAL_HEADER_SIZE);
	source_close(src);
	download_end(d, (uint64_t)n, NULL);
	download_close(d);
	d = open_raw(&f, AUTH_READ, &err);
	assert_string_not_equal(d->tag, tag);
	/* a part from inside the header to behind it */
	assert_int_equal(
	    fixture_start(&f, d, (struct storage_range){ 70, 20 }, &src, &err),
	    0);
	n = source_read_full(src, all, sizeof(all), &err);
	assert_int_equal(n, 20);
	assert_memory_equal(all, head + 70, 10);
	source_close(src);
	download_end(d, 20, NULL);
	download_close(d);
	keyring_free(other);
	fixture_fini(&f);
}

TEST(test_engine_download__changes_nothing_of_plain_files_when_asked_raw)
{
	struct err err = ERR_INIT;
	struct fixture f;
	struct download *d;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "0123456789");
	d = open_raw(&f, 0, &err);
	assert_non_null(d);
	assert_false(d->is_raw);
	assert_int_equal(d->size, 10);
	download_close(d);
	fixture_fini(&f);
}

TEST(test_engine_download__says_which_key_is_missing)
{
	unsigned char id[KEYRING_ID_SIZE];
	char hex[KEYRING_ID_HEX_SIZE];
	struct err err = ERR_INIT;
	struct fixture f;
	struct download *d;
	struct source *src;

	fixture_init(&f, NULL);
	put_sealed(&f, "a", "0123456789");
	memcpy(id, keyring_current_id(f.engine->keys), sizeof(id));
	hex_encode(id, sizeof(id), hex);
	keyring_free(f.engine->keys);
	f.engine->keys = keyring_new((const unsigned char *)"another key 1234");
	d = open_ok(&f, "a");
	assert_int_equal(
	    fixture_start(&f, d, (struct storage_range){ 0, 10 }, &src, &err),
	    -1);
	assert_int_equal(err.code, ERR_KEY_MISSING);
	assert_non_null(strstr(err.msg, hex));
	download_close(d);
	fixture_fini(&f);
}

TEST(test_engine_download__refuses_a_damaged_container)
{
	static const unsigned char nonsense[SEAL_HEADER_SIZE] = "nonsense";
	struct err err = ERR_INIT;
	struct fixture f;
	struct download *d;
	struct source *src;

	fixture_init(&f, NULL);
	put_sealed(&f, "a", "0123456789");
	d = open_ok(&f, "a");
	assert_int_equal(
	    f.engine->storage->ops->blob_set_head(f.engine->storage,
	        d->file.blob_id, nonsense, sizeof(nonsense), &err),
	    0);
	assert_int_equal(
	    fixture_start(&f, d, (struct storage_range){ 0, 10 }, &src, &err),
	    -1);
	assert_int_equal(err.code, ERR_DECRYPTION_FAILED);
	download_close(d);
	fixture_fini(&f);
}
