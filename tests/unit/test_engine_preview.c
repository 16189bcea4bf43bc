/* SPDX-License-Identifier: MIT */
#include "engine/preview.h"

#include <stdio.h>
#include <string.h>

#include "engine_fixture.h"
#include "preview_help.h"
#include "stored_help.h"

static void
begin(struct fixture *f, bool with_double)
{
	fixture_init(f, NULL);
	if (with_double)
		f->engine->previews = previews_new(UNIT_DOUBLE);
}

static void
end(struct fixture *f)
{
	previews_free(f->engine->previews);
	fixture_fini(f);
}

/* The process that made it, 0 with the reason why there is none. */
static uint64_t
open_one(struct fixture *f, const char *name, enum err_code *ret_code)
{
	const struct preview_request req = {
		.who = &f->who,
		.filename = name,
	};
	struct err err = ERR_INIT;
	struct preview p;
	uint64_t pid = 0;

	if (preview_open(f->engine, &req, &p, &err) == 0) {
		pid = preview_help_pid(buf_slice(&p.jpeg));
		assert_int_equal(strlen(p.sha256), 64);
		preview_fini(&p);
	}
	*ret_code = err.code;
	return pid;
}

static void
assert_none(struct fixture *f, const char *name, enum err_code expected)
{
	enum err_code code;

	assert_int_equal(open_one(f, name, &code), 0);
	assert_string_equal(err_code_name(code), err_code_name(expected));
}

TEST(test_engine_preview__fits_what_can_be_decoded)
{
	assert_true(preview_fits("image/jpeg"));
	assert_true(preview_fits("image/avif"));
	assert_false(preview_fits("image/svg+xml"));
	assert_false(preview_fits("image/jpeg2"));
	assert_false(preview_fits("application/pdf"));
}

TEST(test_engine_preview__is_made_once_and_kept)
{
	enum err_code code;
	struct fixture f;
	uint64_t pid;

	NEEDS_DOUBLE();
	begin(&f, true);
	fixture_put(&f, "a", "GIF89afine");
	pid = open_one(&f, "a", &code);
	assert_int_not_equal(pid, 0);
	/* another process would say another number */
	previews_free(f.engine->previews);
	f.engine->previews = previews_new(UNIT_DOUBLE);
	assert_int_equal(open_one(&f, "a", &code), pid);
	assert_int_equal(open_one(&f, "a.thumb.jpg", &code), pid);
	/* another blob */
	fixture_put(&f, "a", "GIF89afine");
	assert_int_not_equal(open_one(&f, "a", &code), pid);
	end(&f);
}

TEST(test_engine_preview__says_why_there_is_none)
{
	struct fixture f;

	NEEDS_DOUBLE();
	begin(&f, true);
	assert_none(&f, "a", ERR_FILE_NOT_FOUND);
	assert_none(&f, ".thumb.jpg", ERR_FILE_NOT_FOUND);
	fixture_put(&f, "text", "no image");
	assert_none(&f, "text", ERR_NO_THUMBNAIL);
	fixture_put(&f, "a", "GIF89acrash");
	assert_none(&f, "a", ERR_NO_THUMBNAIL);
	assert_none(&f, "a", ERR_NO_THUMBNAIL);
	/* names of others do not exist */
	(void)snprintf(f.who.prefix, sizeof(f.who.prefix), "b/");
	assert_none(&f, "a", ERR_FILE_NOT_FOUND);
	assert_none(&f, "a.thumb.jpg", ERR_FILE_NOT_FOUND);
	end(&f);
}

TEST(test_engine_preview__does_without_decoders)
{
	struct fixture f;

	begin(&f, false);
	fixture_put(&f, "a", "GIF89afine");
	assert_none(&f, "a", ERR_NO_THUMBNAIL);
	f.engine->previews = previews_new("/there/is/none");
	assert_false(preview_can_make(f.engine));
	assert_none(&f, "a", ERR_NO_THUMBNAIL);
	end(&f);
}

static int
no_put(struct storage *st, const char *id, const void *p, size_t n,
    struct err *err)
{
	(void)st;
	(void)id;
	(void)p;
	(void)n;
	return err_set(err, ERR_STORAGE_FULL, "full");
}

TEST(test_engine_preview__is_given_though_it_cannot_be_kept)
{
	const struct storage_ops *real;
	struct storage_ops full;
	enum err_code code;
	struct fixture f;

	NEEDS_DOUBLE();
	begin(&f, true);
	fixture_put(&f, "a", "GIF89afine");
	stored_replace_ops(&f, &full, &real);
	full.beside_put = no_put;
	assert_int_not_equal(open_one(&f, "a", &code), 0);
	fixture_put(&f, "b", "GIF89arefuse");
	assert_none(&f, "b", ERR_NO_THUMBNAIL);
	f.engine->storage->ops = real;
	end(&f);
}

/* --- ahead of the need ------------------------------------------------------
 */

struct told {
	unsigned count;
	char id[ID_SIZE];
};

static void
note(void *arg, const char *blob_id)
{
	struct told *t = arg;

	t->count++;
	memcpy(t->id, blob_id, ID_SIZE);
}

TEST(test_engine_preview__is_prepared_when_an_image_came)
{
	const struct preview_wait wait = { NULL, NULL };
	struct told told = { 0 };
	struct err err = ERR_INIT;
	enum err_code code;
	struct fixture f;
	uint64_t pid;

	NEEDS_DOUBLE();
	begin(&f, true);
	f.engine->stored = note;
	f.engine->stored_arg = &told;
	fixture_put(&f, "text", "no image");
	assert_int_equal(told.count, 0);
	fixture_put(&f, "a", "GIF89afine");
	assert_int_equal(told.count, 1);
	assert_int_equal(preview_prepare(f.engine, told.id, &wait, &err), 0);
	pid = open_one(&f, "a", &code);
	previews_free(f.engine->previews);
	f.engine->previews = previews_new(UNIT_DOUBLE);
	assert_int_equal(preview_prepare(f.engine, told.id, &wait, &err), 0);
	assert_int_equal(open_one(&f, "a", &code), pid);
	/* it was replaced before anybody came to it */
	fixture_put(&f, "a", "GIF89arefuse");
	assert_int_equal(preview_prepare(f.engine, told.id, &wait, &err), -1);
	assert_int_equal(err.code, ERR_NO_THUMBNAIL);
	fixture_put(&f, "a", "text");
	assert_int_equal(preview_prepare(f.engine, told.id, &wait, &err), 0);
	preview_tidy(f.engine);
	end(&f);
}
