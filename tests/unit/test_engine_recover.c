/* SPDX-License-Identifier: MIT */
#include "engine/recover.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "engine/download.h"
#include "engine/reaper.h"
#include "engine_fixture.h"
#include "unit.h"

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

static void
note(void *arg, const char *what, const char *name)
{
	(void)what;
	(void)snprintf(arg, 64, "%s", name);
}

/* As if the database were lost: a new one under the same objects. */
static void
lose_database(struct fixture *f)
{
	const struct db_config db = { .durable = true };
	struct err err = ERR_INIT;
	struct db_state state;

	db_close(f->engine->db);
	transfers_free(f->engine->transfers);
	assert_int_equal(db_open(&db, &f->engine->db, &state, &err), 0);
	assert_int_equal(transfers_new(f->engine->db, f->engine->clock,
	                     &f->engine->transfers, &err),
	    0);
}

/* The blob of a file, without the file: ${name}'s. */
static void
remove_blob(struct fixture *f, const char *name)
{
	struct storage *st = f->engine->storage;
	struct err err = ERR_INIT;
	struct download *d;

	assert_int_equal(fixture_open(f, name, &d, &err), 0);
	assert_int_equal(st->ops->blob_remove(st, d->file.blob_id, &err), 0);
	download_close(d);
}

TEST(test_engine_recover__rebuilds_records_from_the_objects)
{
	struct err err = ERR_INIT;
	struct fixture f;
	uint64_t files;
	char *text;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	fixture_put(&f, "a", "new");
	fixture_put(&f, "dir/b", "bee");
	lose_database(&f);
	assert_null(fixture_get(&f, "a"));
	assert_int_equal(recover_rebuild(f.engine, &files, &err), 0);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "new");
	free(text);
	text = fixture_get(&f, "dir/b");
	assert_string_equal(text, "bee");
	free(text);
	fixture_fini(&f);
}

TEST(test_engine_recover__sets_aside_what_no_record_names)
{
	struct storage *st;
	struct blob *b;
	char id[ID_SIZE], named[64] = "";
	const struct recover_check check = { never, note, named };
	struct recover_found found;
	struct err err = ERR_INIT;
	struct fixture f;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "x");
	st = f.engine->storage;
	id_new(clock_wall_ms(f.engine->clock), id);
	assert_int_equal(
	    st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &b, &err), 0);
	assert_int_equal(b->ops->blob_write_at(b, 0, "y", 1, &err), 0);
	assert_int_equal(b->ops->blob_publish(b, 1, "{}", true, &err), 0);
	/* Somebody is about to record it. */
	pins_take(f.engine->pins, id);
	assert_int_equal(recover_run(f.engine, &check, &found, &err), 0);
	assert_int_equal(found.lost, 0);
	pins_drop(f.engine->pins, id);
	assert_int_equal(recover_run(f.engine, &check, &found, &err), 0);
	assert_int_equal(found.lost, 1);
	assert_int_equal(found.missing, 0);
	assert_string_equal(named, id);
	assert_int_equal(fixture_blobs(&f), 1);
	fixture_fini(&f);
}

TEST(test_engine_recover__marks_records_without_bytes)
{
	char named[64] = "";
	const struct recover_check check = { never, note, named };
	struct recover_found found;
	struct err err = ERR_INIT;
	struct download *d;
	struct fixture f;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "x");
	fixture_put(&f, "b", "y");
	remove_blob(&f, "b");
	assert_int_equal(recover_run(f.engine, &check, &found, &err), 0);
	assert_int_equal(found.missing, 1);
	assert_int_equal(found.lost, 0);
	assert_string_equal(named, "b");
	/* Once marked it is not reported again. */
	assert_int_equal(recover_run(f.engine, &check, &found, &err), 0);
	assert_int_equal(found.missing, 0);
	assert_int_equal(fixture_open(&f, "b", &d, &err), -1);
	assert_int_equal(err.code, ERR_FILE_DAMAGED);
	fixture_fini(&f);
}

TEST(test_engine_recover__leaves_what_the_reaper_will_take)
{
	char named[64] = "";
	const struct recover_check check = { never, note, named };
	struct recover_found found;
	struct err err = ERR_INIT;
	struct fixture f;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	fixture_put(&f, "a", "new");
	assert_int_equal(recover_run(f.engine, &check, &found, &err), 0);
	assert_int_equal(found.lost, 0);
	fixture_fini(&f);
}

/* An upload replaces the file and the reaper removes its bytes between the
 * reading of its record and the look for them. */
struct passage {
	struct fixture *f;
	int calls;
	int when;
};

static bool
replace_meanwhile(void *arg)
{
	struct passage *p = arg;
	struct err err = ERR_INIT;
	bool left;

	if (++p->calls == p->when) {
		fixture_put(p->f, "a", "new");
		assert_int_equal(reaper_run(p->f->engine, &left, &err), 0);
	}
	return false;
}

static void
no_report(void *arg, const char *what, const char *name)
{
	(void)arg;
	fail_msg("%s: %s", what, name);
}

TEST(test_engine_recover__is_not_misled_by_the_reaper)
{
	struct recover_found found;
	struct err err = ERR_INIT;
	struct fixture f;
	char *text;
	int i;

	/* before the object, before the record */
	for (i = 1; i <= 2; i++) {
		struct passage p = { &f, 0, i };
		const struct recover_check check = { replace_meanwhile,
			no_report, &p };

		fixture_init(&f, NULL);
		fixture_put(&f, "a", "old");
		assert_int_equal(
		    recover_run(f.engine, &check, &found, &err), 0);
		assert_true(p.calls >= i);
		assert_int_equal(found.lost, 0);
		assert_int_equal(found.missing, 0);
		text = fixture_get(&f, "a");
		assert_string_equal(text, "new");
		free(text);
		fixture_fini(&f);
	}
}

/* Of two objects of one name the older is neither a file nor trash. */
TEST(test_engine_recover__deletes_no_object_when_it_rebuilds)
{
	char named[64] = "";
	const struct recover_check check = { never, note, named };
	struct recover_found found;
	struct err err = ERR_INIT;
	struct fixture f;
	uint64_t files;
	char *text;
	bool left;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	fixture_put(&f, "a", "new");
	lose_database(&f);
	assert_int_equal(recover_rebuild(f.engine, &files, &err), 0);
	assert_true(files >= 1);
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_int_equal(fixture_blobs(&f), 2);
	assert_int_equal(recover_run(f.engine, &check, &found, &err), 0);
	assert_int_equal(found.lost, 1);
	assert_int_equal(fixture_blobs(&f), 1);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "new");
	free(text);
	fixture_fini(&f);
}

/* More than one batch of them. */
TEST(test_engine_recover__rebuilds_many)
{
	struct err err = ERR_INIT;
	char name[16], *text;
	struct fixture f;
	uint64_t files;
	int i;

	fixture_init(&f, NULL);
	for (i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		fixture_put(&f, name, name);
	}
	lose_database(&f);
	assert_int_equal(recover_rebuild(f.engine, &files, &err), 0);
	assert_int_equal(files, 300);
	for (i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		text = fixture_get(&f, name);
		assert_string_equal(text, name);
		free(text);
	}
	fixture_fini(&f);
}

/* A blob of ${text} with that birth record, behind the engine's back. */
static void
plant(struct fixture *f, const char *text, const char *birth, char id[ID_SIZE])
{
	struct storage *st = f->engine->storage;
	struct err err = ERR_INIT;
	struct blob *b;

	id_new(clock_wall_ms(f->engine->clock), id);
	assert_int_equal(
	    st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &b, &err), 0);
	assert_int_equal(
	    b->ops->blob_write_at(b, 0, text, strlen(text), &err), 0);
	assert_int_equal(
	    b->ops->blob_publish(b, strlen(text), birth, true, &err), 0);
}

/* What cannot be a file again stays where it is; it is no reason not to
 * start. */
TEST(test_engine_recover__rebuilds_past_what_it_cannot_read)
{
	static const char *const births[] = {
		"",
		"no JSON",
		"{\"v\":1,\"filename\":\"../x\"}",
		"{\"v\":2}",
	};
	struct err err = ERR_INIT;
	char id[ID_SIZE], *text;
	struct fixture f;
	uint64_t files;
	size_t i;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "x");
	for (i = 0; i < sizeof(births) / sizeof(births[0]); i++)
		plant(&f, "y", births[i], id);
	lose_database(&f);
	assert_int_equal(recover_rebuild(f.engine, &files, &err), 0);
	assert_int_equal(files, 1);
	assert_int_equal(fixture_blobs(&f), 5);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "x");
	free(text);
	fixture_fini(&f);
}

/* Bytes that were cut short become a record that says so. */
TEST(test_engine_recover__rebuilds_a_damaged_file_as_damaged)
{
	char birth[STORAGE_BIRTH_MAX + 1], id[ID_SIZE];
	struct err err = ERR_INIT;
	struct storage *st;
	struct download *d;
	struct fixture f;
	uint64_t files;

	fixture_init(&f, NULL);
	st = f.engine->storage;
	fixture_put(&f, "a", "ten bytes!");
	assert_int_equal(fixture_open(&f, "a", &d, &err), 0);
	assert_int_equal(
	    st->ops->blob_birth(st, d->file.blob_id, birth, &err), 0);
	assert_int_equal(st->ops->blob_remove(st, d->file.blob_id, &err), 0);
	download_close(d);
	plant(&f, "ten", birth, id);
	lose_database(&f);
	assert_int_equal(recover_rebuild(f.engine, &files, &err), 0);
	assert_int_equal(files, 1);
	assert_int_equal(fixture_open(&f, "a", &d, &err), -1);
	assert_int_equal(err.code, ERR_FILE_DAMAGED);
	fixture_fini(&f);
}

/* Rebuilding again, or over a database that knows more, changes nothing. */
TEST(test_engine_recover__leaves_newer_records_alone)
{
	struct err err = ERR_INIT;
	struct fixture f;
	uint64_t files;
	char *text;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	lose_database(&f);
	fixture_put(&f, "a", "new");
	assert_int_equal(recover_rebuild(f.engine, &files, &err), 0);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "new");
	free(text);
	assert_int_equal(recover_rebuild(f.engine, &files, &err), 0);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "new");
	free(text);
	fixture_fini(&f);
}

static bool
after_some(void *arg)
{
	return --*(int *)arg < 0;
}

static void
ignore(void *arg, const char *what, const char *name)
{
	(void)arg;
	(void)what;
	(void)name;
}

/* A server that ends does not wait for the check to. */
TEST(test_engine_recover__stops_when_asked)
{
	struct recover_found found;
	struct err err = ERR_INIT;
	struct fixture f;
	int left, i;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "x");
	fixture_put(&f, "b", "y");
	/* two objects, then two records */
	for (i = 0; i < 4; i++) {
		const struct recover_check check = { after_some, ignore,
			&left };

		left = i;
		err_clear(&err);
		assert_int_equal(
		    recover_run(f.engine, &check, &found, &err), -1);
		assert_int_equal(err.code, ERR_SHUTTING_DOWN);
	}
	fixture_fini(&f);
}

static int
no_remove(struct storage *st, const char *id, struct err *err)
{
	(void)st;
	(void)id;
	return err_set(err, ERR_IO, "read-only file system");
}

/* What could not be removed is tried again. */
TEST(test_engine_reaper__keeps_what_it_could_not_remove)
{
	const struct storage_ops *ops;
	struct storage_ops broken;
	struct err err = ERR_INIT;
	struct fixture f;
	bool left = true;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	fixture_put(&f, "a", "new");
	ops = f.engine->storage->ops;
	broken = *ops;
	broken.blob_remove = no_remove;
	f.engine->storage->ops = &broken;
	assert_int_equal(reaper_run(f.engine, &left, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	f.engine->storage->ops = ops;
	assert_int_equal(fixture_blobs(&f), 2);
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_false(left);
	assert_int_equal(fixture_blobs(&f), 1);
	fixture_fini(&f);
}

TEST(test_engine_reaper__removes_what_was_replaced_unless_it_is_read)
{
	struct err err = ERR_INIT;
	struct download *d;
	struct fixture f;
	bool left;
	char *text;

	fixture_init(&f, NULL);
	fixture_put(&f, "a", "old");
	assert_int_equal(fixture_open(&f, "a", &d, &err), 0);
	fixture_put(&f, "a", "new");
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_true(left);
	assert_int_equal(fixture_blobs(&f), 2);
	download_close(d);
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_false(left);
	assert_int_equal(fixture_blobs(&f), 1);
	text = fixture_get(&f, "a");
	assert_string_equal(text, "new");
	free(text);
	fixture_fini(&f);
}

/* More than one batch, the first of them full of pinned blobs. */
TEST(test_engine_reaper__goes_on_behind_what_is_pinned)
{
	enum { PINNED = 300, LOOSE = 5 };
	struct download *d[PINNED];
	struct err err = ERR_INIT;
	struct fixture f;
	char name[16];
	bool left;

	fixture_init(&f, NULL);
	for (int i = 0; i < PINNED + LOOSE; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		fixture_put(&f, name, "old");
		if (i < PINNED)
			assert_int_equal(
			    fixture_open(&f, name, &d[i], &err), 0);
	}
	for (int i = 0; i < PINNED + LOOSE; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		fixture_put(&f, name, "new");
	}
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_true(left);
	assert_int_equal(fixture_blobs(&f), PINNED + LOOSE + PINNED);
	for (int i = 0; i < PINNED; i++)
		download_close(d[i]);
	assert_int_equal(reaper_run(f.engine, &left, &err), 0);
	assert_false(left);
	assert_int_equal(fixture_blobs(&f), PINNED + LOOSE);
	fixture_fini(&f);
}
