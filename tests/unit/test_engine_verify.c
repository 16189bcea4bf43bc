/* SPDX-License-Identifier: MIT */
#include "engine/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/seal.h"
#include "db/rec_file.h"
#include "engine/reaper.h"
#include "stored_help.h"

/* What a run said, and what happens while it reads. */
struct watch {
	struct fixture *f;
	unsigned found;
	char name[64]; /* of the last one */
	enum verify_verdict verdict;
	char why[ERR_MSG_MAX];
	uint64_t read;
	void (*meanwhile)(struct watch *w);
};

static void
note_read(void *arg, uint64_t bytes)
{
	struct watch *w = arg;

	w->read += bytes;
	if (w->meanwhile != NULL)
		w->meanwhile(w);
}

static void
note_found(void *arg, const char *filename, enum verify_verdict verdict,
    const struct err *why)
{
	struct watch *w = arg;

	w->found++;
	w->verdict = verdict;
	(void)snprintf(w->name, sizeof(w->name), "%s", filename);
	(void)snprintf(w->why, sizeof(w->why), "%s", why->msg);
}

static struct verify_sum
run(struct watch *w)
{
	const struct verify_control control = { note_read, note_found, w };
	struct err err = ERR_INIT;
	struct verify_sum sum;

	w->found = 0;
	w->read = 0;
	if (verify_all(w->f->engine, &control, &sum, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(sum.bytes, w->read);
	assert_int_equal(sum.bad, w->found);
	assert_int_equal(buffers_taken(w->f->engine->buffers), 0);
	return sum;
}

static bool
is_marked(struct fixture *f, const char *name)
{
	struct rec_file file = stored_record(f, name);
	bool marked = file.damaged;

	rec_file_fini(&file);
	return marked;
}

/* One bad file, this one: found, and marked when it is to be. */
static void
assert_found(
    struct watch *w, const char *name, enum verify_verdict verdict, bool marked)
{
	(void)run(w);
	assert_int_equal(w->found, 1);
	assert_string_equal(w->name, name);
	assert_int_equal(w->verdict, verdict);
	assert_int_equal(is_marked(w->f, name), marked);
}

STORED_TEST(test_engine_verify__finds_all_sound)
{
	struct watch w = { .f = f };
	struct verify_sum sum;

	sum = run(&w);
	assert_int_equal(sum.files, 0);
	stored_put(f, "empty", 0, false);
	stored_put(f, "plain", 1000001, false);
	stored_put(f, "sealed empty", 0, true);
	stored_put(f, "sealed", 65536, true);
	stored_put(f, "sealed long", 40 * SEAL_SEGMENT + 1, true);
	sum = run(&w);
	assert_int_equal(sum.files, 5);
	assert_int_equal(sum.bytes, 1000001 + 65536 + 40 * SEAL_SEGMENT + 1);
	assert_int_equal(sum.bad, 0);
}

/* In every part of what is stored; and the mark goes when it is mended. */
STORED_TEST(test_engine_verify__finds_and_marks_damage)
{
	static const struct {
		const char *name;
		size_t at;
	} rows[] = {
		{ "plain", 0 }, { "plain", 699999 },
		{ "sealed", 3 },                      /* magic */
		{ "sealed", 40 },                     /* nonce of the key */
		{ "sealed", 79 },                     /* its tag */
		{ "sealed", 80 },                     /* nonce of a segment */
		{ "sealed", 80 + 65568 + 16 + 4000 }, /* text of the next */
		{ "sealed", 80 + 65568 + 65567 },     /* its tag */
		{ "sealed", 80 + 2 * 65568 + 41 },    /* tag of the last */
	};
	struct watch w = { .f = f };

	stored_put(f, "other", 10, true);
	stored_put(f, "plain", 700000, false);
	stored_put(f, "sealed", 2 * SEAL_SEGMENT + 10, true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		stored_flip(f, rows[i].name, rows[i].at);
		assert_found(&w, rows[i].name, VERIFY_DAMAGED, true);
		/* it is found again, marked or not */
		assert_found(&w, rows[i].name, VERIFY_DAMAGED, true);
		stored_flip(f, rows[i].name, rows[i].at);
		assert_int_equal(run(&w).bad, 0);
		assert_false(is_marked(f, rows[i].name));
	}
}

STORED_TEST(test_engine_verify__finds_what_is_lost)
{
	struct watch w = { .f = f };

	stored_put(f, "a", 10, false);
	stored_put(f, "b", 10, true);
	stored_remove(f, "a");
	assert_found(&w, "a", VERIFY_LOST, true);
	stored_put(f, "a", 10, false);
	stored_remove(f, "b");
	assert_found(&w, "b", VERIFY_LOST, true);
}

struct change {
	const char *name;
	int64_t size; /* added */
	bool hash;    /* another one */
};

static int
change_record(struct db_tx *tx, void *arg, struct err *err)
{
	const struct change *c = arg;
	struct rec_file file = { 0 };
	int rc;

	if (rec_file_get(tx, "", c->name, &file, err) < 0)
		return -1;
	file.size += (uint64_t)c->size;
	if (c->hash)
		file.sha256[0] = file.sha256[0] == '0' ? '1' : '0';
	rc = rec_file_put(tx, &file, true, NULL, err);
	rec_file_fini(&file);
	return rc;
}

/* Sizes and hashes count for both layouts, also when every tag is right. */
STORED_TEST(test_engine_verify__holds_files_against_their_records)
{
	static const struct change changes[] = {
		{ "plain", 1, false },
		{ "plain", -1, false },
		{ "plain", 0, true },
		{ "sealed", 1, false },
		{ "sealed", -1, false },
		{ "sealed", 65536, false },
		{ "sealed", 0, true },
	};
	struct watch w = { .f = f };

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct change c = changes[i];

		stored_put(f, "plain", 5000, false);
		stored_put(f, "sealed", 70000, true);
		assert_int_equal(
		    db_write(f->engine->db, change_record, &c, NULL), 0);
		assert_found(&w, c.name, VERIFY_DAMAGED, true);
	}
}

STORED_TEST(test_engine_verify__blames_no_file_for_a_missing_key)
{
	static const unsigned char key[EAX_KEY_SIZE] = "another key";
	struct keyring *real = f->engine->keys;
	unsigned char head[SEAL_HEADER_SIZE];
	char id[KEYRING_ID_HEX_SIZE];
	struct watch w = { .f = f };

	stored_put(f, "plain", 100, false);
	stored_put(f, "sealed", 100, true);
	f->engine->keys = keyring_new(key);
	assert_found(&w, "sealed", VERIFY_NO_KEY, false);
	stored_head(f, "sealed", head, sizeof(head));
	hex_encode(seal_key_id(head), KEYRING_ID_SIZE, id);
	assert_non_null(strstr(w.why, id));
	/* A mark that is there stays: nobody knows. */
	stored_flip(f, "sealed", 100);
	keyring_free(f->engine->keys);
	f->engine->keys = real;
	assert_found(&w, "sealed", VERIFY_DAMAGED, true);
	f->engine->keys = keyring_new(key);
	assert_found(&w, "sealed", VERIFY_NO_KEY, true);
	keyring_free(f->engine->keys);
	f->engine->keys = real;
}

/* --- while others change things --------------------------------------------
 */

static void
replace_it(struct watch *w)
{
	struct err err = ERR_INIT;
	bool left;

	w->meanwhile = NULL;
	stored_put(w->f, "a", 30, false);
	assert_int_equal(reaper_run(w->f->engine, &left, &err), 0);
}

/* "a" is looked at after "first": its bytes are gone by then, as is its
 * record. */
STORED_TEST(test_engine_verify__leaves_what_was_replaced_alone)
{
	struct watch w = { .f = f, .meanwhile = replace_it };

	stored_put(f, "first", 10, false);
	stored_put(f, "a", 20, false);
	assert_int_equal(run(&w).bad, 0);
	assert_null(w.meanwhile);
	assert_false(is_marked(f, "a"));
	stored_assert(f, "a", 30);
	/* the same, damaged, and replaced while it is read */
	stored_put(f, "a", 1000, true);
	stored_remove(f, "first");
	stored_put(f, "first", 10, false);
	stored_flip(f, "a", 500);
	w.meanwhile = NULL;
	assert_int_equal(run(&w).bad, 1);
	w.meanwhile = replace_it;
	stored_put(f, "a", 1000000, false);
	stored_flip(f, "a", 999999);
	assert_int_equal(run(&w).bad, 0);
	assert_false(is_marked(f, "a"));
}

static void
add_one(struct watch *w)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "new %d", (int)w->read);
	stored_put(w->f, name, 1, false);
}

/* More than are read at once; and who uploads for ever keeps nobody busy for
 * ever. */
STORED_TEST(test_engine_verify__comes_to_an_end)
{
	struct watch w = { .f = f, .meanwhile = add_one };
	char name[32];

	for (int i = 0; i < 205; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		stored_put(f, name, 3, i % 2 == 0);
	}
	assert_int_equal(run(&w).files, 205);
	w.meanwhile = NULL;
	assert_int_equal(run(&w).files, 410);
}

/* --- storage that fails ----------------------------------------------------
 */

static const struct storage_ops *real_ops;
static int failing_errno;
static char failing_id[ID_SIZE];

static int
failing_size(
    struct storage *st, const char *id, uint64_t *ret_size, struct err *err)
{
	if (strcmp(id, failing_id) != 0)
		return real_ops->blob_size(st, id, ret_size, err);
	errno = failing_errno;
	return err_set_errno(err, ERR_IO, "cannot look at '%s'", id);
}

/* The disk's failure is damage; want of rights or descriptors is not, and
 * keeps nobody from looking at the others. */
STORED_TEST(test_engine_verify__tells_failures_apart)
{
	static const struct {
		int error;
		enum verify_verdict verdict;
	} rows[] = {
		{ EACCES, VERIFY_UNREAD },
		{ EMFILE, VERIFY_UNREAD },
		{ ENOMEM, VERIFY_UNREAD },
		{ EIO, VERIFY_DAMAGED },
	};
	struct watch w = { .f = f };
	struct storage_ops ops;
	struct rec_file file;

	stored_put(f, "a", 10, false);
	stored_put(f, "b", 10, false);
	file = stored_record(f, "a");
	memcpy(failing_id, file.blob_id, ID_SIZE);
	rec_file_fini(&file);
	stored_replace_ops(f, &ops, &real_ops);
	ops.blob_size = failing_size;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		failing_errno = rows[i].error;
		assert_found(&w, "a", rows[i].verdict,
		    rows[i].verdict == VERIFY_DAMAGED);
		assert_int_equal(w.read, 10);
	}
	f->engine->storage->ops = real_ops;
}

STORED_TEST(test_engine_verify__one_file)
{
	struct watch w = { .f = f };
	const struct verify_control control = { note_read, note_found, &w };
	struct err err = ERR_INIT;
	struct verify_sum sum;

	stored_put(f, "a", 10, false);
	stored_put(f, "b", 20, true);
	stored_flip(f, "a", 5);
	assert_int_equal(verify_file(f->engine, "b", &control, &sum, &err), 0);
	assert_int_equal(sum.files, 1);
	assert_int_equal(sum.bytes, 20);
	assert_int_equal(sum.bad, 0);
	assert_int_equal(verify_file(f->engine, "a", &control, &sum, &err), 0);
	assert_int_equal(sum.bad, 1);
	assert_true(is_marked(f, "a"));
	assert_int_equal(verify_file(f->engine, "c", &control, &sum, &err), -1);
	assert_int_equal(err.code, ERR_FILE_NOT_FOUND);
}
