/* SPDX-License-Identifier: MIT */
#include "engine/upload.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "engine/status.h"
#include "engine_fixture.h"
#include "unit.h"

/* Runs an upload to its end, or to its failure: the code. */
static enum err_code
upload(
    struct fixture *f, const struct upload_options *o, const void *p, size_t n)
{
	struct upload_request req = { &f->who, &f->client, o, n, NULL, NULL,
		NULL };
	struct source *body = source_mem(p, n);
	struct upload_result r = { 0 };
	struct upload *up = NULL;
	struct err err = ERR_INIT;

	if (upload_begin(f->engine, &req, &up, &err) == 0 &&
	    (upload_fill(up, body, &err) < 0 ||
	        upload_finish(up, o, &r, &err) < 0))
		upload_abort(up, &err);
	upload_result_fini(&r);
	source_close(body);
	return err.code;
}

static enum rec_status
status(struct fixture *f, const char *name, char error[64])
{
	struct transfer_view v;
	struct err err = ERR_INIT;
	enum rec_status s;

	assert_int_equal(status_of(f->engine, &f->who, name, &v, &err), 0);
	s = v.rec.status;
	(void)snprintf(
	    error, 64, "%s", v.rec.error_code == NULL ? "" : v.rec.error_code);
	transfer_view_fini(&v);
	return s;
}

TEST(test_engine_upload__stores_what_came)
{
	struct fixture f;
	char *text;

	fixture_init(&f, NULL);
	fixture_put(&f, "a/b.txt", "hello");
	text = fixture_get(&f, "a/b.txt");
	assert_string_equal(text, "hello");
	free(text);
	assert_null(fixture_get(&f, "a"));
	fixture_fini(&f);
}

TEST(test_engine_upload__stores_an_empty_file)
{
	struct fixture f;
	char *text;

	fixture_init(&f, NULL);
	fixture_put(&f, "empty", "");
	text = fixture_get(&f, "empty");
	assert_string_equal(text, "");
	free(text);
	fixture_fini(&f);
}

TEST(test_engine_upload__replaces_and_puts_the_old_bytes_in_the_trash)
{
	struct fixture f;
	char *text;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	fixture_put(&f, "a", "new one");
	text = fixture_get(&f, "a");
	assert_string_equal(text, "new one");
	free(text);
	assert_int_equal(fixture_blobs(&f), 2); /* until the reaper comes */
	fixture_fini(&f);
}

TEST(test_engine_upload__refuses_to_replace_when_told_so)
{
	struct upload_options o = fixture_options("a");
	struct fixture f;
	char *text;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	o.may_replace = false;
	assert_int_equal(upload(&f, &o, "new", 3), ERR_FILE_EXISTS);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(fixture_blobs(&f), 1);
	fixture_fini(&f);
}

TEST(test_engine_upload__refuses_to_replace_what_came_meanwhile)
{
	struct upload_options o = fixture_options("a");
	struct source *body = source_mem("mine", 4);
	struct err err = ERR_INIT;
	struct upload_result r;
	struct upload *up;
	struct fixture f;
	char *text;

	fixture_init(&f, NULL);
	o.may_replace = false;
	{
		struct upload_request req = { &f.who, &f.client, &o, 4, NULL,
			NULL, NULL };

		assert_int_equal(upload_begin(f.engine, &req, &up, &err), 0);
	}
	fixture_put(&f, "a", "theirs");
	assert_int_equal(upload_fill(up, body, &err), 0);
	assert_int_equal(upload_finish(up, &o, &r, &err), -1);
	assert_int_equal(err.code, ERR_FILE_EXISTS);
	upload_abort(up, &err);
	source_close(body);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "theirs");
	free(text);
	assert_int_equal(fixture_blobs(&f), 1);
	fixture_fini(&f);
}

TEST(test_engine_upload__keeps_nothing_of_wrong_bytes)
{
	struct upload_options o = fixture_options("a");
	char code[64];
	struct fixture f;

	fixture_init(&f, NULL);
	o.has_sha256 = true; /* of zeros */
	assert_int_equal(upload(&f, &o, "hello", 5), ERR_HASH_MISMATCH);
	assert_null(fixture_get(&f, "a"));
	assert_int_equal(fixture_blobs(&f), 0);
	fixture_settle(&f);
	assert_int_equal(status(&f, "a", code), REC_FAILED);
	assert_string_equal(code, "hash_mismatch");
	fixture_fini(&f);
}

TEST(test_engine_upload__takes_the_largest_file_and_not_one_byte_more)
{
	struct upload_options o = fixture_options("a");
	char *p = mem_calloc(1, 1000001);
	struct fixture f;

	fixture_init(&f, NULL);
	assert_int_equal(upload(&f, &o, p, 1000000), ERR_NONE);
	assert_int_equal(upload(&f, &o, p, 1000001), ERR_FILE_TOO_LARGE);
	free(p);
	fixture_fini(&f);
}

/* A body whose length nobody announced. */
TEST(test_engine_upload__bounds_a_body_of_unknown_length)
{
	struct upload_options o = fixture_options("a");
	char *p = mem_calloc(1, 1000001);
	struct source *body = source_mem(p, 1000001);
	struct err err = ERR_INIT;
	struct upload *up;
	struct fixture f;

	fixture_init(&f, NULL);
	{
		struct upload_request req = { &f.who, &f.client, &o,
			REC_SIZE_UNKNOWN, NULL, NULL, NULL };

		assert_int_equal(upload_begin(f.engine, &req, &up, &err), 0);
	}
	assert_int_equal(upload_fill(up, body, &err), -1);
	assert_int_equal(err.code, ERR_FILE_TOO_LARGE);
	upload_abort(up, &err);
	source_close(body);
	free(p);
	assert_int_equal(fixture_blobs(&f), 0);
	assert_int_equal(buffers_taken(f.engine->buffers), 0);
	fixture_fini(&f);
}

TEST(test_engine_upload__a_key_writes_its_prefix_only)
{
	struct upload_options o = fixture_options("other/a");
	struct fixture f;

	fixture_init(&f, NULL);
	memcpy(f.who.prefix, "team/", 6);
	assert_int_equal(upload(&f, &o, "x", 1), ERR_FORBIDDEN);
	o.filename = "team/a";
	assert_int_equal(upload(&f, &o, "x", 1), ERR_NONE);
	fixture_fini(&f);
}

/* More than the digest's inline part, with a slow and uneven source. */
struct drip {
	struct source source;
	const char *p;
	size_t left;
	unsigned turn;
};

static ssize_t
drip_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct drip *d = (struct drip *)s;
	size_t want = 1 + (size_t)(d->turn++ * 7919) % 100000;

	(void)err;
	if (want > n)
		want = n;
	if (want > d->left)
		want = d->left;
	memcpy(buf, d->p, want);
	d->p += want;
	d->left -= want;
	return (ssize_t)want;
}

static int
drip_wait(struct source *s, int timeout_ms, struct err *err)
{
	(void)err;
	/* Now and then the client lets us wait. */
	return timeout_ms >= 0 && ((struct drip *)s)->turn % 3 == 0 ? 0 : 1;
}

TEST(test_engine_upload__hashes_what_it_writes)
{
	const size_t n = 9u * 1024 * 1024 + 17;
	struct upload_options o = fixture_options("big");
	char *p = mem_alloc(n);
	struct drip d = { { .read = drip_read, .wait = drip_wait }, p, n, 0 };
	struct err err = ERR_INIT;
	struct upload_result r;
	struct upload *up;
	struct fixture f;
	char *back;

	fixture_init(&f, NULL);
	f.settings.max_file_size = n;
	rand_bytes(p, n);
	sha256(p, n, o.sha256);
	o.has_sha256 = true;
	{
		struct upload_request req = { &f.who, &f.client, &o, n, NULL,
			NULL, NULL };

		assert_int_equal(upload_begin(f.engine, &req, &up, &err), 0);
	}
	assert_int_equal(upload_fill(up, &d.source, &err), 0);
	assert_int_equal(upload_finish(up, &o, &r, &err), 0);
	upload_result_fini(&r);
	back = fixture_get(&f, "big");
	assert_memory_equal(back, p, n);
	assert_int_equal(buffers_taken(f.engine->buffers), 0);
	free(back);
	free(p);
	fixture_fini(&f);
}

/* --- what goes wrong on the way ------------------------------------------- */

/* Some bytes, then a failure. */
struct broken {
	struct source source;
	unsigned reads;
	enum err_code code;
	bool while_waiting;
};

static ssize_t
broken_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct broken *b = (struct broken *)s;

	assert_true(n >= 1000);
	if (b->reads++ > 2)
		return err_set(err, b->code, "broke off");
	memset(buf, 'x', 1000);
	return 1000;
}

static int
broken_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct broken *b = (struct broken *)s;

	(void)timeout_ms;
	if (b->while_waiting && b->reads > 2)
		return err_set(err, b->code, "broke off");
	return 1;
}

/* Nothing of a body that broke off stays, whatever held it: neither bytes
 * nor buffers nor pins; only the record says what happened. */
TEST(test_engine_upload__leaves_nothing_when_it_breaks_off)
{
	static const struct {
		enum err_code code;
		bool while_waiting;
		enum rec_status status;
	} cases[] = {
		{ ERR_CLOSED, false, REC_INTERRUPTED },
		{ ERR_CLOSED, true, REC_INTERRUPTED },
		{ ERR_TIMEOUT, true, REC_INTERRUPTED },
		{ ERR_SHUTTING_DOWN, true, REC_INTERRUPTED },
		{ ERR_CANCELLED, true, REC_CANCELLED },
		{ ERR_CANCELLED, false, REC_CANCELLED },
		{ ERR_MALFORMED_REQUEST, false, REC_FAILED },
	};
	struct upload_options o = fixture_options("a");
	struct fixture f;
	char code[64], *text;
	size_t i;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "as it was");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct upload_request req = { &f.who, &f.client, &o, 5000, NULL,
			NULL, NULL };
		struct broken b = {
			{ .read = broken_read, .wait = broken_wait },
			.code = cases[i].code,
			.while_waiting = cases[i].while_waiting,
		};
		struct err err = ERR_INIT;
		struct upload *up;

		clock_manual_advance(&f.clock, 10);
		fixture_settle(&f);
		assert_int_equal(upload_begin(f.engine, &req, &up, &err), 0);
		assert_int_equal(transfers_live(f.engine->transfers), 1);
		assert_int_equal(upload_fill(up, &b.source, &err), -1);
		assert_int_equal(err.code, cases[i].code);
		upload_abort(up, &err);
		fixture_settle(&f);
		assert_int_equal(transfers_live(f.engine->transfers), 0);
		assert_int_equal(buffers_taken(f.engine->buffers), 0);
		assert_int_equal(fixture_blobs(&f), 1);
		assert_int_equal(status(&f, "a", code), cases[i].status);
		assert_string_equal(code, err_code_name(cases[i].code));
		text = fixture_get(&f, "a");
		assert_string_equal(text, "as it was");
		free(text);
	}
	upload_abort(NULL, NULL);
	fixture_fini(&f);
}

static int
no_publish(struct blob *b, uint64_t size, const char *birth, bool durable,
    struct err *err)
{
	(void)size;
	(void)birth;
	(void)durable;
	b->ops->blob_abort(b);
	return err_set(err, ERR_IO, "cannot sync");
}

static int
no_new(struct storage *st, const char *id, uint64_t size,
    struct blob **ret_blob, struct err *err)
{
	(void)st;
	(void)id;
	(void)size;
	(void)ret_blob;
	return err_set(err, ERR_STORAGE_FULL, "the storage is full");
}

static int
no_write(
    struct blob *b, uint64_t offset, const void *buf, size_t n, struct err *err)
{
	(void)b;
	(void)offset;
	(void)buf;
	(void)n;
	return err_set(err, ERR_STORAGE_FULL, "the storage is full");
}

/* A storage that fails at one step. */
TEST(test_engine_upload__fails_with_the_storage)
{
	struct upload_options o = fixture_options("a");
	const struct storage_ops *ops;
	struct storage_ops broken[3];
	static const enum err_code codes[] = {
		ERR_STORAGE_FULL,
		ERR_STORAGE_FULL,
		ERR_IO,
	};
	struct fixture f;
	size_t i;

	fixture_init(&f, NULL);
	ops = f.engine->storage->ops;
	for (i = 0; i < 3; i++)
		broken[i] = *ops;
	broken[0].blob_new = no_new;
	broken[1].blob_write_at = no_write;
	broken[2].blob_publish = no_publish;
	for (i = 0; i < 3; i++) {
		f.engine->storage->ops = &broken[i];
		assert_int_equal(upload(&f, &o, "hello", 5), codes[i]);
		f.engine->storage->ops = ops;
		assert_null(fixture_get(&f, "a"));
		assert_int_equal(fixture_blobs(&f), 0);
		fixture_settle(&f);
		assert_int_equal(transfers_live(f.engine->transfers), 0);
	}
	assert_int_equal(upload(&f, &o, "hello", 5), ERR_NONE);
	fixture_fini(&f);
}

TEST(test_engine_upload__refuses_for_lack_of_space)
{
	struct upload_options o = fixture_options("a");
	struct fixture f;

	fixture_init(&f, "mem:?capacity=100000");
	space_free(f.engine->space);
	f.engine->space = space_new(f.engine->storage, 50000, f.engine->clock);
	{
		char *p = mem_calloc(1, 60000);

		assert_int_equal(upload(&f, &o, p, 60000), ERR_STORAGE_FULL);
		assert_int_equal(upload(&f, &o, p, 40000), ERR_NONE);
		/* 10,000 are left above what must stay free */
		o.filename = "b";
		assert_int_equal(upload(&f, &o, p, 20000), ERR_STORAGE_FULL);
		assert_int_equal(upload(&f, &o, p, 10000), ERR_NONE);
		free(p);
	}
	fixture_fini(&f);
}

static void
count(void *arg)
{
	++*(int *)arg;
}

/* Who removes the old bytes hears of them, and of nothing else. */
TEST(test_engine_upload__calls_for_the_reaper_when_it_replaced)
{
	struct fixture f;
	int calls = 0;

	fixture_init(&f, NULL);
	f.engine->trashed = count;
	f.engine->trashed_arg = &calls;
	fixture_put(&f, "a", "one");
	assert_int_equal(calls, 0);
	fixture_put(&f, "a", "two");
	assert_int_equal(calls, 1);
	fixture_fini(&f);
}
