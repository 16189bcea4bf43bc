/* SPDX-License-Identifier: MIT */
#include "engine/rotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "crypto/seal.h"
#include "db/rec_file.h"
#include "stored_help.h"

/* The fixture's, as engine_fixture.c has it, and two more. */
static const unsigned char old_key[EAX_KEY_SIZE] = "the master key";
static const unsigned char new_key[EAX_KEY_SIZE] = "the new key";
static const unsigned char third_key[EAX_KEY_SIZE] = "a third key";

struct watch {
	unsigned failed;
	char name[64]; /* of the last one */
	struct err why;
};

static void
note_failed(void *arg, const char *name, const struct err *why)
{
	struct watch *w = arg;

	w->failed++;
	w->why = *why;
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
}

static int
run(struct fixture *f, struct watch *w, struct rotate_sum *sum, struct err *err)
{
	const struct rotate_control control = { note_failed, w };

	*w = (struct watch){ 0 };
	err_clear(err);
	return rotate_run(f->engine, &control, sum, err);
}

static struct keyring *
ring_of(const unsigned char *current, const unsigned char *previous)
{
	struct keyring *ring = keyring_new(current);

	if (previous != NULL)
		assert_int_equal(keyring_add(ring, previous, NULL), 0);
	return ring;
}

static void
use_keys(struct fixture *f, const unsigned char *current,
    const unsigned char *previous)
{
	keyring_free(f->engine->keys);
	f->engine->keys = ring_of(current, previous);
}

/* A directory for lock and ids, without a server; and the new key. */
static void
begin(struct fixture *f)
{
	struct home *made;

	if (home_open(unit_temppath("home"), &made, NULL) == 0)
		home_close(made);
	assert_int_equal(
	    home_attach(unit_temppath("home"), &f->engine->home, NULL), 0);
	use_keys(f, new_key, old_key);
}

static void
end(struct fixture *f)
{
	(void)unlinkat(f->engine->home->dirfd, "encryption.ids", 0);
	home_close(f->engine->home);
	f->engine->home = NULL;
}

/* The ids of keys that containers may be wrapped under. */
static bool
is_listed(struct fixture *f, const unsigned char *key)
{
	unsigned char id[KEYRING_ID_SIZE];
	char hex[KEYRING_ID_HEX_SIZE];
	struct buf b;
	bool found;

	keyring_id(key, id);
	hex_encode(id, sizeof(id), hex);
	buf_init(&b, 10000);
	found = file_read_all(
	            f->engine->home->dirfd, "encryption.ids", &b, NULL) == 0 &&
	        strstr(buf_str(&b), hex) != NULL;
	buf_fini(&b);
	return found;
}

static void
announce_old(struct fixture *f)
{
	struct masterkey_report report = { 0 };
	struct keyring *ring = keyring_new(old_key);

	assert_int_equal(
	    masterkey_announce(f->engine->home, ring, &report, NULL), 0);
	keyring_free(ring);
}

STORED_TEST(test_engine_rotate__wraps_every_container_anew)
{
	const size_t sizes[] = { 0, 1, 65536, 300000 };
	unsigned char before[4][SEAL_HEADER_SIZE], after[SEAL_HEADER_SIZE];
	struct err err = ERR_INIT;
	struct rotate_sum sum;
	struct watch w;
	char name[16];

	for (int i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		stored_put(f, name, sizes[i], true);
		stored_head(f, name, before[i], SEAL_HEADER_SIZE);
	}
	stored_put(f, "plain", 5000, false);
	/* one in the trash, which a download may still be reading */
	stored_put(f, "gone", 100, true);
	stored_put(f, "gone", 50, false);
	begin(f);
	announce_old(f);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(w.failed, 0);
	assert_int_equal(sum.containers, 5);
	assert_int_equal(sum.wrapped, 5);
	assert_int_equal(sum.failed, 0);
	assert_true(is_listed(f, new_key));
	assert_false(is_listed(f, old_key));
	/* the old key is needed no more */
	use_keys(f, new_key, NULL);
	for (int i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		stored_head(f, name, after, SEAL_HEADER_SIZE);
		assert_memory_equal(after, before[i], 16);
		assert_memory_not_equal(after + 16, before[i] + 16, 16);
		stored_assert(f, name, sizes[i]);
	}
	stored_assert(f, "plain", 5000);
	/* again: nothing to do */
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.containers, 5);
	assert_int_equal(sum.wrapped, 0);
	end(f);
}

/* A container of this very server, uploaded as a plain file. */
STORED_TEST(test_engine_rotate__never_touches_a_plain_file)
{
	struct upload_options o = fixture_options("copy");
	unsigned char container[212], again[212];
	struct upload_request req = { &f->who, &f->client, &o, 212, NULL, NULL,
		NULL };
	struct source *body = source_mem(container, sizeof(container));
	struct err err = ERR_INIT;
	struct upload_result r;
	struct rotate_sum sum;
	struct upload *up;
	struct watch w;

	stored_put(f, "sealed", 100, true);
	stored_head(f, "sealed", container, sizeof(container));
	clock_manual_advance(&f->clock, 10);
	assert_int_equal(upload_begin(f->engine, &req, &up, &err), 0);
	assert_int_equal(upload_fill(up, body, &err), 0);
	assert_int_equal(upload_finish(up, &o, &r, &err), 0);
	upload_result_fini(&r);
	source_close(body);
	begin(f);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.wrapped, 1);
	stored_head(f, "copy", again, sizeof(again));
	assert_memory_equal(again, container, sizeof(container));
	end(f);
}

STORED_TEST(test_engine_rotate__names_what_it_cannot_open_and_goes_on)
{
	unsigned char id[KEYRING_ID_SIZE];
	char hex[KEYRING_ID_HEX_SIZE];
	struct err err = ERR_INIT;
	struct rotate_sum sum;
	struct watch w;

	use_keys(f, third_key, NULL);
	stored_put(f, "stranger", 10, true);
	use_keys(f, old_key, NULL);
	stored_put(f, "a", 10, true);
	begin(f);
	announce_old(f);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.containers, 2);
	assert_int_equal(sum.wrapped, 1);
	assert_int_equal(sum.failed, 1);
	assert_int_equal(w.failed, 1);
	assert_string_equal(w.name, "stranger");
	assert_int_equal(w.why.code, ERR_KEY_MISSING);
	keyring_id(third_key, id);
	hex_encode(id, sizeof(id), hex);
	assert_non_null(strstr(w.why.msg, hex));
	/* so older keys may be needed */
	assert_true(is_listed(f, old_key));
	use_keys(f, new_key, NULL);
	stored_assert(f, "a", 10);
	/* with its key it goes on where it was */
	use_keys(f, new_key, third_key);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.wrapped, 1);
	assert_int_equal(sum.failed, 0);
	assert_false(is_listed(f, old_key));
	end(f);
}

/* Whichever key it was wrapped under. */
STORED_TEST(test_engine_rotate__notices_damaged_headers)
{
	struct err err = ERR_INIT;
	struct rotate_sum sum;
	struct watch w;

	stored_put(f, "a", 10, true);
	stored_put(f, "b", 10, true);
	stored_flip(f, "a", 50);
	begin(f);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.wrapped, 1);
	assert_int_equal(w.failed, 1);
	assert_string_equal(w.name, "a");
	assert_int_equal(w.why.code, ERR_DECRYPTION_FAILED);
	stored_flip(f, "a", 50);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(w.failed, 0);
	stored_flip(f, "b", 70);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(w.failed, 1);
	assert_string_equal(w.name, "b");
	end(f);
}

/* --- beside a server -------------------------------------------------------
 */

STORED_TEST(test_engine_rotate__waits_for_the_server_to_know_the_key)
{
	struct masterkey_report report = { 0 };
	unsigned char before[80], after[80];
	struct err err = ERR_INIT;
	struct rotate_sum sum;
	struct home *server;
	struct watch w;

	stored_put(f, "a", 10, true);
	stored_head(f, "a", before, sizeof(before));
	begin(f);
	announce_old(f);
	assert_int_equal(home_open(unit_temppath("home"), &server, &err), 0);
	assert_int_equal(run(f, &w, &sum, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	assert_non_null(strstr(err.msg, "restart it with the new key"));
	stored_head(f, "a", after, sizeof(after));
	assert_memory_equal(after, before, sizeof(after));
	assert_false(is_listed(f, new_key));
	assert_int_equal(
	    masterkey_announce(server, f->engine->keys, &report, &err), 0);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.wrapped, 1);
	home_close(server);
	end(f);
}

static const struct storage_ops *real_ops;
static struct fixture *uploading;
static unsigned to_upload;

/* Somebody uploads under the old key before each pass. */
static int
list_after_an_upload(
    struct storage *st, storage_list_fn fn, void *arg, struct err *err)
{
	struct keyring *keys = uploading->engine->keys;
	char name[32];

	if (to_upload > 0) {
		(void)snprintf(name, sizeof(name), "n%u", to_upload--);
		uploading->engine->keys = keyring_new(old_key);
		stored_put(uploading, name, 1, true);
		keyring_free(uploading->engine->keys);
		uploading->engine->keys = keys;
	}
	return real_ops->blob_list(st, fn, arg, err);
}

STORED_TEST(test_engine_rotate__goes_on_until_nothing_is_left)
{
	struct err err = ERR_INIT;
	struct storage_ops ops;
	struct rotate_sum sum;
	struct watch w;

	stored_put(f, "a", 10, true);
	begin(f);
	uploading = f;
	stored_replace_ops(f, &ops, &real_ops);
	ops.blob_list = list_after_an_upload;
	to_upload = 5;
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.containers, 6);
	assert_int_equal(sum.wrapped, 6);
	assert_false(is_listed(f, old_key));
	/* a server that never stops */
	to_upload = ROTATE_PASSES_MAX + 1;
	assert_int_equal(run(f, &w, &sum, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	assert_int_equal(to_upload, 1);
	f->engine->storage->ops = real_ops;
	end(f);
}

/* --- storage that fails ----------------------------------------------------
 */

static int
write_nothing(struct storage *st, const char *id, const void *head, size_t n,
    struct err *err)
{
	(void)st;
	(void)id;
	(void)head;
	(void)n;
	(void)err;
	return 0;
}

static int
no_birth(struct storage *st, const char *id, char ret[STORAGE_BIRTH_MAX + 1],
    struct err *err)
{
	(void)st;
	(void)ret;
	return err_set(err, ERR_ABSENT, "'%s' has no birth record", id);
}

STORED_TEST(test_engine_rotate__believes_only_what_comes_back)
{
	struct err err = ERR_INIT;
	struct storage_ops ops;
	struct rotate_sum sum;
	struct watch w;

	stored_put(f, "a", 10, true);
	begin(f);
	announce_old(f);
	stored_replace_ops(f, &ops, &real_ops);
	ops.blob_set_head = write_nothing;
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.wrapped, 0);
	assert_int_equal(sum.failed, 1);
	assert_true(is_listed(f, old_key));
	f->engine->storage->ops = real_ops;
	end(f);
}

static int
forget(struct db_tx *tx, void *arg, struct err *err)
{
	struct rec_file *file = arg;

	return rec_file_remove(tx, "", file->filename, err);
}

/* Copied without extended attributes, say: the file's record tells. */
STORED_TEST(test_engine_rotate__asks_the_records_where_a_birth_record_is_lost)
{
	struct rec_file file;
	struct err err = ERR_INIT;
	struct storage_ops ops;
	struct rotate_sum sum;
	struct watch w;

	stored_put(f, "a", 10, true);
	stored_put(f, "plain", 1000, false);
	stored_put(f, "b", 10, true);
	begin(f);
	stored_replace_ops(f, &ops, &real_ops);
	ops.blob_birth = no_birth;
	/* An object without either can be no file again. */
	file = stored_record(f, "b");
	assert_int_equal(db_write(f->engine->db, forget, &file, NULL), 0);
	rec_file_fini(&file);
	assert_int_equal(run(f, &w, &sum, &err), 0);
	assert_int_equal(sum.containers, 1);
	assert_int_equal(sum.wrapped, 1);
	f->engine->storage->ops = real_ops;
	use_keys(f, new_key, NULL);
	stored_assert(f, "a", 10);
	end(f);
}
