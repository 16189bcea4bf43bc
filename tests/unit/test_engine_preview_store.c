/* SPDX-License-Identifier: MIT */
#include "engine/preview_store.h"

#include <string.h>

#include "crypto/seal.h"
#include "stored_help.h"

#define PICTURE "\xff\xd8 a picture \xff\xd9"
#define DAY_MS (24LL * 3600 * 1000)

static void
put(struct fixture *f, const struct rec_file *file, const char *text)
{
	struct err err = ERR_INIT;
	struct buf jpeg;

	buf_init(&jpeg, 1000);
	assert_int_equal(buf_append_str(&jpeg, text), 0);
	if (preview_store_put(f->engine, file, &jpeg, &err) < 0)
		fail_msg("%s", err.msg);
	buf_fini(&jpeg);
}

/* The picture must be there, or this must be the reason. */
static void
assert_get(struct fixture *f, const struct rec_file *file, enum err_code code)
{
	struct err err = ERR_INIT;
	struct buf jpeg;

	buf_init(&jpeg, 1000);
	if (preview_store_get(f->engine, file, "v1", &jpeg, &err) == 0)
		assert_string_equal(buf_str(&jpeg), PICTURE);
	assert_string_equal(err_code_name(err.code), err_code_name(code));
	buf_fini(&jpeg);
}

static void
put_raw(struct fixture *f, const struct rec_file *file, const char *text)
{
	struct storage *st = f->engine->storage;

	assert_int_equal(
	    st->ops->beside_put(st, file->blob_id, text, strlen(text), NULL),
	    0);
}

static size_t
get_raw(struct fixture *f, const struct rec_file *file, char ret[1000])
{
	struct storage *st = f->engine->storage;
	struct buf b;
	size_t n;

	buf_init(&b, 1000);
	assert_int_equal(st->ops->beside_get(st, file->blob_id, &b, NULL), 0);
	n = b.len;
	memcpy(ret, b.p, n);
	buf_fini(&b);
	return n;
}

STORED_TEST(test_engine_preview_store__gives_back_what_was_put)
{
	for (int sealed = 0; sealed <= 1; sealed++) {
		const char *name = sealed ? "sealed" : "plain";
		struct rec_file file;
		char raw[1000];
		size_t n;

		stored_put(f, name, 100, sealed);
		file = stored_record(f, name);
		assert_get(f, &file, ERR_ABSENT);
		put(f, &file, PICTURE);
		assert_get(f, &file, ERR_NONE);
		n = get_raw(f, &file, raw);
		if (sealed) {
			assert_int_equal(n, seal_size(strlen(PICTURE)));
			assert_memory_equal(raw, "SFTSEAL1", 8);
			assert_null(memmem(raw, n, "picture", 7));
		} else {
			assert_int_equal(n, strlen(PICTURE));
		}
		rec_file_fini(&file);
	}
}

STORED_TEST(test_engine_preview_store__takes_damage_for_nothing)
{
	static const char *const damages[] = { "", "x", "\xff\xd8",
		"\xff\xd8 cut", "SFTSEAL1", "NONE", "NONE ", "NONE x v1\n",
		"NONE 99999999999999999999 v1\n" };
	struct rec_file plain, sealed;

	stored_put(f, "plain", 100, false);
	stored_put(f, "sealed", 100, true);
	plain = stored_record(f, "plain");
	sealed = stored_record(f, "sealed");
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		put_raw(f, &plain, damages[i]);
		assert_get(f, &plain, ERR_ABSENT);
		put_raw(f, &sealed, damages[i]);
		assert_get(f, &sealed, ERR_ABSENT);
	}
	/* one that is plain beside what is sealed */
	put_raw(f, &sealed, PICTURE);
	assert_get(f, &sealed, ERR_ABSENT);
	rec_file_fini(&plain);
	rec_file_fini(&sealed);
}

STORED_TEST(test_engine_preview_store__remembers_for_a_day_that_there_is_none)
{
	struct rec_file file;

	stored_put(f, "a", 100, true);
	file = stored_record(f, "a");
	assert_int_equal(
	    preview_store_put_none(f->engine, &file, "v0", NULL), 0);
	assert_get(f, &file, ERR_ABSENT); /* another decoder */
	assert_int_equal(
	    preview_store_put_none(f->engine, &file, "v1", NULL), 0);
	assert_get(f, &file, ERR_NO_THUMBNAIL);
	clock_manual_advance(&f->clock, DAY_MS - 1000);
	assert_get(f, &file, ERR_NO_THUMBNAIL);
	clock_manual_advance(&f->clock, 1000);
	assert_get(f, &file, ERR_ABSENT);
	rec_file_fini(&file);
}

STORED_TEST(test_engine_preview_store__wraps_anew)
{
	static const unsigned char old_key[EAX_KEY_SIZE] = "the master key";
	static const unsigned char new_key[EAX_KEY_SIZE] = "the new key";
	struct rec_file sealed, plain;
	bool is_changed;

	stored_put(f, "sealed", 100, true);
	stored_put(f, "plain", 100, false);
	sealed = stored_record(f, "sealed");
	plain = stored_record(f, "plain");
	put(f, &sealed, PICTURE);
	put(f, &plain, PICTURE);
	keyring_free(f->engine->keys);
	f->engine->keys = keyring_new(new_key);
	assert_int_equal(keyring_add(f->engine->keys, old_key, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(preview_store_rewrap(f->engine, sealed.blob_id,
		                     &is_changed, NULL),
		    0);
		assert_int_equal(is_changed, i == 0);
	}
	assert_int_equal(
	    preview_store_rewrap(f->engine, plain.blob_id, &is_changed, NULL),
	    0);
	assert_false(is_changed);
	keyring_free(f->engine->keys);
	f->engine->keys = keyring_new(new_key);
	assert_get(f, &sealed, ERR_NONE);
	assert_get(f, &plain, ERR_NONE);
	/* one that nobody can open any more */
	keyring_free(f->engine->keys);
	f->engine->keys = keyring_new(old_key);
	assert_int_equal(
	    preview_store_rewrap(f->engine, sealed.blob_id, &is_changed, NULL),
	    0);
	assert_true(is_changed);
	assert_get(f, &sealed, ERR_ABSENT);
	rec_file_fini(&sealed);
	rec_file_fini(&plain);
}

STORED_TEST(test_engine_preview_store__removes_what_is_damaged_or_alone)
{
	struct storage *st = f->engine->storage;
	struct rec_file file;
	struct buf b;

	buf_init(&b, 1000);
	stored_put(f, "a", 100, false);
	file = stored_record(f, "a");
	assert_int_equal(preview_store_check(f->engine, file.blob_id, NULL), 0);
	put_raw(f, &file, PICTURE);
	assert_int_equal(preview_store_check(f->engine, file.blob_id, NULL), 0);
	assert_get(f, &file, ERR_NONE);
	put_raw(f, &file, "damaged");
	assert_int_equal(preview_store_check(f->engine, file.blob_id, NULL), 0);
	assert_int_equal(st->ops->beside_get(st, file.blob_id, &b, NULL), -1);
	stored_remove(f, "a");
	put_raw(f, &file, PICTURE);
	assert_int_equal(preview_store_check(f->engine, file.blob_id, NULL), 0);
	assert_int_equal(st->ops->beside_get(st, file.blob_id, &b, NULL), -1);
	buf_fini(&b);
	rec_file_fini(&file);
}
