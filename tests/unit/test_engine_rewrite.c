/* SPDX-License-Identifier: MIT */
#include "engine/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "engine/reaper.h"
#include "engine_fixture.h"
#include "unit.h"

#define SIZE ((size_t)1500000)

struct watch {
	struct fixture *f;
	unsigned steps;
	unsigned stop_at; /* 0: never */
	unsigned replace_at;
	unsigned failures;
	enum err_code code;
};

static bool
step(void *arg)
{
	struct watch *w = arg;

	w->steps++;
	if (w->steps == w->replace_at)
		fixture_put(w->f, "a", "another");
	return w->stop_at == 0 || w->steps < w->stop_at;
}

static void
failed(void *arg, const char *filename, const struct err *why)
{
	struct watch *w = arg;

	assert_string_equal(filename, "a");
	w->failures++;
	w->code = why->code;
}

static int
run(struct watch *w, uint64_t *ret_files)
{
	const struct rewrite_control control = { step, failed, w };
	struct err err = ERR_INIT;
	int rc = rewrite_run(w->f->engine, &control, ret_files, &err);

	assert_int_equal(buffers_taken(w->f->engine->buffers), 0);
	if (rc < 0)
		assert_int_equal(err.code, ERR_SHUTTING_DOWN);
	return rc;
}

static void
put_undecided(struct fixture *f, const char *name, const void *p, bool encrypt)
{
	struct upload_options o = fixture_options(name);
	struct upload_request req = { &f->who, &f->client, &o, SIZE, NULL, NULL,
		NULL };
	struct source *body = source_mem(p, SIZE);
	struct err err = ERR_INIT;
	struct upload_result r;
	struct upload *up;

	clock_manual_advance(&f->clock, 10);
	o.is_decided = false;
	assert_int_equal(upload_begin(f->engine, &req, &up, &err), 0);
	assert_int_equal(upload_fill(up, body, &err), 0);
	o.encryption = encrypt;
	assert_int_equal(upload_finish(up, &o, &r, &err), 0);
	upload_result_fini(&r);
	source_close(body);
}

static enum rec_layout
layout_of(struct fixture *f, const char *name)
{
	struct err err = ERR_INIT;
	enum rec_layout layout;
	struct download *d;

	assert_int_equal(fixture_open(f, name, &d, &err), 0);
	layout = d->file.layout;
	download_close(d);
	return layout;
}

static void
assert_same(struct fixture *f, const char *name, const void *p)
{
	char *back = fixture_get(f, name);

	assert_memory_equal(back, p, SIZE);
	free(back);
}

TEST(test_engine_rewrite__makes_plain_what_was_not_to_be_encrypted)
{
	unsigned char *p = mem_alloc(SIZE);
	struct err err = ERR_INIT;
	struct fixture f;
	struct watch w = { .f = &f };
	uint64_t files;
	bool left;

	rand_bytes(p, SIZE);
	fixture_init(&f, NULL);
	f.settings.max_file_size = SIZE;
	put_undecided(&f, "a", p, false);
	put_undecided(&f, "b", p, false);
	put_undecided(&f, "c", p, true);
	assert_int_equal(layout_of(&f, "a"), REC_SEALED);
	assert_int_equal(run(&w, &files), 0);
	assert_int_equal(files, 2);
	assert_int_equal(layout_of(&f, "a"), REC_PLAIN);
	assert_int_equal(layout_of(&f, "b"), REC_PLAIN);
	assert_int_equal(layout_of(&f, "c"), REC_SEALED);
	assert_same(&f, "a", p);
	assert_same(&f, "b", p);
	assert_same(&f, "c", p);
	assert_int_equal(fixture_blobs(&f), 5);
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_int_equal(fixture_blobs(&f), 3);
	assert_int_equal(run(&w, &files), 0);
	assert_int_equal(files, 0);
	assert_int_equal(w.failures, 0);
	free(p);
	fixture_fini(&f);
}

TEST(test_engine_rewrite__leaves_alone_what_was_replaced_meanwhile)
{
	unsigned char *p = mem_alloc(SIZE);
	struct err err = ERR_INIT;
	struct fixture f;
	struct watch w = { .f = &f, .replace_at = 2 };
	uint64_t files;
	char *text;
	bool left;

	rand_bytes(p, SIZE);
	fixture_init(&f, NULL);
	f.settings.max_file_size = SIZE;
	put_undecided(&f, "a", p, false);
	assert_int_equal(run(&w, &files), 0);
	assert_int_equal(files, 0);
	assert_int_equal(w.failures, 0);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "another");
	free(text);
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_int_equal(fixture_blobs(&f), 1);
	free(p);
	fixture_fini(&f);
}

TEST(test_engine_rewrite__stops_when_told_and_begins_anew)
{
	unsigned char *p = mem_alloc(SIZE);
	struct fixture f;
	struct watch w = { .f = &f, .stop_at = 2 };
	uint64_t files;

	rand_bytes(p, SIZE);
	fixture_init(&f, NULL);
	f.settings.max_file_size = SIZE;
	put_undecided(&f, "a", p, false);
	assert_int_equal(run(&w, &files), -1);
	assert_int_equal(fixture_blobs(&f), 1);
	assert_int_equal(layout_of(&f, "a"), REC_SEALED);
	assert_same(&f, "a", p);
	w.stop_at = 0;
	assert_int_equal(run(&w, &files), 0);
	assert_int_equal(files, 1);
	assert_same(&f, "a", p);
	free(p);
	fixture_fini(&f);
}

/* One that cannot be read is told of once: it is marked, and not tried at
 * every pass. */
TEST(test_engine_rewrite__marks_what_is_damaged)
{
	static const unsigned char nonsense[SEAL_HEADER_SIZE] = "nonsense";
	unsigned char *p = mem_calloc(1, SIZE);
	struct storage *st;
	struct err err = ERR_INIT;
	struct fixture f;
	struct watch w = { .f = &f };
	struct download *d;
	uint64_t files;

	fixture_init(&f, NULL);
	st = f.engine->storage;
	f.settings.max_file_size = SIZE;
	put_undecided(&f, "a", p, false);
	assert_int_equal(fixture_open(&f, "a", &d, &err), 0);
	assert_int_equal(st->ops->blob_set_head(st, d->file.blob_id, nonsense,
	                     sizeof(nonsense), &err),
	    0);
	download_close(d);
	assert_int_equal(run(&w, &files), 0);
	assert_int_equal(files, 0);
	assert_int_equal(w.failures, 1);
	assert_int_equal(w.code, ERR_DECRYPTION_FAILED);
	assert_int_equal(run(&w, &files), 0);
	assert_int_equal(w.failures, 1);
	assert_int_equal(fixture_blobs(&f), 1);
	free(p);
	fixture_fini(&f);
}
