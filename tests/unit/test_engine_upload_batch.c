/* SPDX-License-Identifier: MIT */
#include "engine/upload_batch.h"

#include <stdlib.h>
#include <string.h>

#include "engine_fixture.h"
#include "proto/limits.h"
#include "unit.h"

static void
wake(void *arg)
{
	++*(int *)arg;
}

static struct batch_file *
add(struct fixture *f, struct upload_batch *b, const struct upload_options *o,
    const char *text)
{
	struct upload_request req = {
		.who = &f->who,
		.client = &f->client,
		.options = o,
		.total = REC_SIZE_UNKNOWN,
	};
	struct source *body = source_mem(text, strlen(text));
	struct err err = ERR_INIT;
	struct batch_file *file;

	/* Ids, and so the order of things, go by the clock. */
	clock_manual_advance(&f->clock, 10);
	assert_int_equal(upload_batch_add(b, o->filename, &file, &err), 0);
	if (batch_file_begin(file, &req, &err) < 0)
		batch_file_fail(file, &err);
	else
		assert_int_equal(batch_file_fill(file, body, o, &err), 0);
	source_close(body);
	return file;
}

static void
assert_holds(struct fixture *f, const char *name, const char *text)
{
	char *is = fixture_get(f, name);

	if (text == NULL) {
		assert_null(is);
	} else {
		assert_non_null(is);
		assert_string_equal(is, text);
	}
	free(is);
}

static void
assert_nothing_is_left(struct fixture *f, size_t blobs)
{
	fixture_settle(f);
	assert_int_equal(fixture_blobs(f), blobs);
	assert_int_equal(transfers_live(f->engine->transfers), 0);
}

static enum err_code
code_of(const struct upload_batch *b, size_t i)
{
	struct batch_result r;

	upload_batch_result(b, i, &r);
	return r.why == NULL ? ERR_NONE : r.why->code;
}

TEST(test_engine_upload_batch__files_appear_together)
{
	struct upload_options one = fixture_options("one");
	struct upload_options two = fixture_options("two");
	struct upload_batch *b;
	struct batch_result r;
	struct err err = ERR_INIT;
	struct fixture f;
	int woken = 0;

	fixture_init(&f, NULL);
	one.is_decided = true;
	b = upload_batch_new(f.engine, wake, &woken);
	(void)add(&f, b, &one, "1");
	(void)add(&f, b, &two, "22");
	assert_int_equal(fixture_blobs(&f), 0);
	assert_int_equal(transfers_live(f.engine->transfers), 2);
	assert_int_equal(upload_batch_commit(b, &one, &err), 0);
	assert_holds(&f, "one", "1");
	assert_holds(&f, "two", "22");
	assert_int_equal(upload_batch_count(b), 2);
	upload_batch_result(b, 1, &r);
	assert_string_equal(r.file->filename, "two");
	assert_int_equal(r.file->size, 2);
	upload_batch_free(b, NULL);
	assert_nothing_is_left(&f, 2);
	fixture_fini(&f);
}

TEST(test_engine_upload_batch__nothing_stays_of_one_that_is_given_up)
{
	struct upload_options o = fixture_options("one");
	struct err gone = ERR_INIT;
	struct upload_batch *b;
	struct fixture f;
	int woken = 0;

	fixture_init(&f, NULL);
	(void)err_set(&gone, ERR_CLOSED, "the client went");
	b = upload_batch_new(f.engine, wake, &woken);
	(void)add(&f, b, &o, "1");
	o.filename = "two";
	o.is_decided = true;
	(void)add(&f, b, &o, "2");
	upload_batch_free(b, &gone);
	assert_nothing_is_left(&f, 0);
	fixture_fini(&f);
}

/* The first is placed, and then it fails. */
static const struct storage_ops *sound;

static int
place_one(struct storage *st, const char *const *ids, size_t n, bool durable,
    struct err *err)
{
	assert_int_equal(n, 2);
	assert_int_equal(sound->blobs_place(st, ids, 1, durable, err), 0);
	return err_set(err, ERR_IO, "cannot rename");
}

static int
no_prepare(struct blob *b, uint64_t size, const char *birth, bool durable,
    struct err *err)
{
	(void)size;
	(void)birth;
	(void)durable;
	b->ops->blob_abort(b);
	return err_set(err, ERR_STORAGE_FULL, "the storage is full");
}

TEST(test_engine_upload_batch__nothing_stays_when_placing_fails)
{
	struct upload_options o = fixture_options("one");
	struct storage_ops broken;
	struct upload_batch *b;
	struct err err = ERR_INIT;
	struct fixture f;
	int woken = 0;

	fixture_init(&f, NULL);
	sound = f.engine->storage->ops;
	broken = *sound;
	broken.blobs_place = place_one;
	b = upload_batch_new(f.engine, wake, &woken);
	(void)add(&f, b, &o, "1");
	o.filename = "two";
	(void)add(&f, b, &o, "2");
	f.engine->storage->ops = &broken;
	assert_int_equal(upload_batch_commit(b, &o, &err), -1);
	f.engine->storage->ops = sound;
	assert_int_equal(err.code, ERR_IO);
	upload_batch_free(b, &err);
	assert_holds(&f, "one", NULL);
	assert_holds(&f, "two", NULL);
	assert_nothing_is_left(&f, 0);
	fixture_fini(&f);
}

TEST(test_engine_upload_batch__one_that_cannot_be_prepared_fails_alone)
{
	struct upload_options o = fixture_options("good");
	struct storage_ops broken;
	struct upload_batch *b;
	struct err err = ERR_INIT;
	struct fixture f;
	int woken = 0;

	fixture_init(&f, NULL);
	sound = f.engine->storage->ops;
	broken = *sound;
	broken.blob_prepare = no_prepare;
	b = upload_batch_new(f.engine, wake, &woken);
	(void)add(&f, b, &o, "1");
	o.filename = "bad";
	o.is_decided = true;
	(void)add(&f, b, &o, "2");
	assert_int_equal(upload_batch_commit(b, &o, &err), 0);
	upload_batch_free(b, NULL);
	assert_nothing_is_left(&f, 2);
	/* and now with one that fails */
	b = upload_batch_new(f.engine, wake, &woken);
	f.engine->storage->ops = &broken;
	o.filename = "bad";
	(void)add(&f, b, &o, "3");
	assert_int_equal(upload_batch_commit(b, &o, &err), 0);
	f.engine->storage->ops = sound;
	assert_int_equal(code_of(b, 0), ERR_STORAGE_FULL);
	upload_batch_free(b, NULL);
	assert_holds(&f, "bad", "2");
	assert_nothing_is_left(&f, 2);
	fixture_fini(&f);
}

TEST(test_engine_upload_batch__one_that_is_cancelled_wakes_and_fails_alone)
{
	struct upload_options o = fixture_options("one");
	struct upload_batch *b;
	struct err err = ERR_INIT;
	struct batch_file *file;
	struct fixture f;
	int woken = 0;

	fixture_init(&f, NULL);
	b = upload_batch_new(f.engine, wake, &woken);
	file = add(&f, b, &o, "1");
	o.filename = "two";
	(void)add(&f, b, &o, "2");
	assert_false(batch_file_is_cancelled(file, &err));
	/* Who cancels waits for the end, which is this thread's to bring: so
	 * the mover is told as the registry tells it. */
	batch_file_mover(file)->interrupt(
	    batch_file_mover(file)->arg, ERR_CANCELLED);
	assert_int_equal(woken, 1);
	assert_true(batch_file_is_cancelled(file, &err));
	assert_int_equal(upload_batch_commit(b, &o, &err), 0);
	assert_int_equal(code_of(b, 0), ERR_CANCELLED);
	assert_int_equal(code_of(b, 1), ERR_NONE);
	upload_batch_free(b, NULL);
	assert_holds(&f, "one", NULL);
	assert_holds(&f, "two", "2");
	assert_nothing_is_left(&f, 1);
	fixture_fini(&f);
}

TEST(test_engine_upload_batch__among_themselves_the_last_wins)
{
	struct upload_options o = fixture_options("old");
	struct upload_batch *b;
	struct err err = ERR_INIT;
	struct fixture f;
	int woken = 0;

	fixture_init(&f, NULL);
	fixture_put(&f, "old", "old");
	b = upload_batch_new(f.engine, wake, &woken);
	(void)add(&f, b, &o, "refused");
	o.filename = "new";
	(void)add(&f, b, &o, "first");
	(void)add(&f, b, &o, "second");
	o.may_replace = false; /* said last */
	assert_int_equal(upload_batch_commit(b, &o, &err), 0);
	assert_int_equal(code_of(b, 0), ERR_FILE_EXISTS);
	assert_int_equal(code_of(b, 1), ERR_NONE);
	assert_int_equal(code_of(b, 2), ERR_NONE);
	upload_batch_free(b, NULL);
	assert_holds(&f, "old", "old");
	assert_holds(&f, "new", "second");
	fixture_fini(&f);
}

TEST(test_engine_upload_batch__bounds_how_many)
{
	struct upload_batch *b;
	struct batch_file *file;
	struct err err = ERR_INIT;
	struct fixture f;
	int woken = 0;

	fixture_init(&f, NULL);
	b = upload_batch_new(f.engine, wake, &woken);
	for (unsigned i = 0; i < LIMIT_BATCH_FILES; i++)
		assert_int_equal(upload_batch_add(b, "a", &file, &err), 0);
	assert_int_equal(upload_batch_add(b, "a", &file, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_PARAMETER);
	upload_batch_free(b, &err);
	fixture_fini(&f);
}
