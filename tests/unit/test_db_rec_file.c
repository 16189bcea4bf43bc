/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX 32

struct seen {
	char ids[LIST_MAX][ID_SIZE];
	size_t count;
};

static int
see_blob(void *arg, const char *blob_id, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	assert_true(seen->count < LIST_MAX);
	memcpy(seen->ids[seen->count++], blob_id, ID_SIZE);
	return 0;
}

static int
see_file(void *arg, const struct rec_file *f, struct err *err)
{
	assert_true(f->filename != NULL);
	return see_blob(arg, f->blob_id, err);
}

struct walk {
	struct db_page page;
	struct seen seen;
};

static int
walk_files(struct db_tx *tx, void *arg, struct err *err)
{
	struct walk *w = arg;

	return rec_file_each(tx, &w->page, see_file, &w->seen, err);
}

static int
walk_trash(struct db_tx *tx, void *arg, struct err *err)
{
	struct walk *w = arg;

	return rec_trash_each(tx, &w->page, see_blob, &w->seen, err);
}

static struct seen
trash_of(struct db *db)
{
	struct walk w = { { "", LIST_MAX }, { .count = 0 } };

	assert_int_equal(db_read(db, walk_trash, &w, NULL), 0);
	return w.seen;
}

DB_TEST(test_db_rec_file__comes_back_whole)
{
	struct rec_file f = help_file("a/\xc3\xa9.txt", 7);
	struct rec_file got;
	bool is_new = false;

	f.size = INT64_MAX;
	f.encryption = true;
	f.layout = REC_SEALED;
	f.damaged = true;
	assert_int_equal(help_file_put(db, &f, false, &is_new), ERR_NONE);
	assert_true(is_new);
	assert_int_equal(help_file_get(db, "", f.filename, &got), ERR_NONE);
	assert_string_equal(got.filename, f.filename);
	assert_string_equal(got.blob_id, f.blob_id);
	assert_string_equal(got.sha256, f.sha256);
	assert_true(got.crc32 == 0xfedcba98u);
	assert_true(got.size == INT64_MAX);
	assert_string_equal(got.mime_type, "text/plain");
	assert_true(got.encryption);
	assert_int_equal(got.layout, REC_SEALED);
	assert_true(got.created_ms == 1007);
	assert_true(got.modified_ms == 1007);
	assert_string_equal(got.transfer_id, f.transfer_id);
	assert_true(got.damaged);
	rec_file_fini(&got);
	assert_null(got.filename);
}

DB_TEST(test_db_rec_file__may_have_no_type)
{
	struct rec_file f = help_file("a", 1);
	struct rec_file got;

	f.mime_type = NULL;
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_int_equal(help_file_get(db, "", "a", &got), ERR_NONE);
	assert_null(got.mime_type);
	rec_file_fini(&got);
}

DB_TEST(test_db_rec_file__replaced_goes_to_the_trash)
{
	struct rec_file old = help_file("a", 1);
	struct rec_file new = help_file("a", 2);
	struct rec_file got;
	struct seen trash;
	bool is_new = true;

	assert_int_equal(help_file_put(db, &old, false, NULL), ERR_NONE);
	assert_int_equal(trash_of(db).count, 0);
	assert_int_equal(help_file_put(db, &new, true, &is_new), ERR_NONE);
	assert_false(is_new);
	trash = trash_of(db);
	assert_int_equal(trash.count, 1);
	assert_string_equal(trash.ids[0], old.blob_id);
	assert_int_equal(help_file_get(db, "", "a", &got), ERR_NONE);
	assert_string_equal(got.blob_id, new.blob_id);
	assert_true(got.created_ms == old.created_ms);
	assert_true(got.modified_ms == new.modified_ms);
	rec_file_fini(&got);
}

/* The same blob again (a rebuilt record) must not end up in the trash. */
DB_TEST(test_db_rec_file__same_blob_is_no_trash)
{
	struct rec_file f = help_file("a", 1);

	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	f.damaged = true;
	assert_int_equal(help_file_put(db, &f, true, NULL), ERR_NONE);
	assert_int_equal(trash_of(db).count, 0);
}

DB_TEST(test_db_rec_file__is_not_replaced_unasked)
{
	struct rec_file old = help_file("a", 1);
	struct rec_file new = help_file("a", 2);
	struct rec_file got;
	bool is_new = true;

	assert_int_equal(help_file_put(db, &old, false, NULL), ERR_NONE);
	assert_int_equal(
	    help_file_put(db, &new, false, &is_new), ERR_FILE_EXISTS);
	assert_true(is_new); /* untouched */
	assert_int_equal(help_file_get(db, "", "a", &got), ERR_NONE);
	assert_string_equal(got.blob_id, old.blob_id);
	rec_file_fini(&got);
	assert_int_equal(trash_of(db).count, 0);
	assert_false(help_blob_is_known(db, new.blob_id));
}

/* A blob belongs to one name. */
DB_TEST(test_db_rec_file__blob_is_nobody_elses)
{
	struct rec_file a = help_file("a", 1);
	struct rec_file b = help_file("b", 1);
	struct rec_file got;

	assert_int_equal(help_file_put(db, &a, false, NULL), ERR_NONE);
	assert_int_equal(help_file_put(db, &b, false, NULL), ERR_DATABASE);
	assert_int_equal(help_file_get(db, "", "b", &got), ERR_FILE_NOT_FOUND);
}

DB_TEST(test_db_rec_file__names_are_bytes)
{
	struct rec_file a = help_file("name", 1);
	struct rec_file b = help_file("NAME", 2);
	struct rec_file c = help_file("name ", 3);
	struct rec_file got;

	assert_int_equal(help_file_put(db, &a, false, NULL), ERR_NONE);
	assert_int_equal(help_file_put(db, &b, false, NULL), ERR_NONE);
	assert_int_equal(help_file_put(db, &c, false, NULL), ERR_NONE);
	assert_int_equal(help_file_get(db, "", "NAME", &got), ERR_NONE);
	assert_string_equal(got.blob_id, b.blob_id);
	rec_file_fini(&got);
	assert_int_equal(
	    help_file_get(db, "", "Name", &got), ERR_FILE_NOT_FOUND);
	assert_int_equal(
	    help_file_get(db, "", "nam%", &got), ERR_FILE_NOT_FOUND);
}

DB_TEST(test_db_rec_file__prefix_hides_others)
{
	struct rec_file f = help_file("team-a/x", 1);
	struct rec_file got;

	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_int_equal(
	    help_file_get(db, "team-b/", "team-a/x", &got), ERR_FILE_NOT_FOUND);
	assert_int_equal(
	    help_file_remove(db, "team-b/", "team-a/x"), ERR_FILE_NOT_FOUND);
	assert_int_equal(
	    help_file_get(db, "team-a/", "team-a/x", &got), ERR_NONE);
	rec_file_fini(&got);
	assert_int_equal(help_file_remove(db, "team-a/", "team-a/x"), ERR_NONE);
}

DB_TEST(test_db_rec_file__removed_goes_to_the_trash)
{
	struct rec_file f = help_file("a", 1);
	struct rec_file got;
	struct seen trash;

	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_int_equal(help_file_remove(db, "", "a"), ERR_NONE);
	assert_int_equal(help_file_get(db, "", "a", &got), ERR_FILE_NOT_FOUND);
	assert_int_equal(help_file_remove(db, "", "a"), ERR_FILE_NOT_FOUND);
	trash = trash_of(db);
	assert_int_equal(trash.count, 1);
	assert_string_equal(trash.ids[0], f.blob_id);
}

static int
trash_remove(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_trash_remove(tx, arg, err);
}

static int
trash_add(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_trash_add(tx, arg, err);
}

DB_TEST(test_db_rec_file__blob_is_known_until_unlinked)
{
	struct rec_file f = help_file("a", 1);

	assert_false(help_blob_is_known(db, f.blob_id));
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_true(help_blob_is_known(db, f.blob_id));
	assert_int_equal(help_file_remove(db, "", "a"), ERR_NONE);
	assert_true(help_blob_is_known(db, f.blob_id));
	assert_int_equal(db_write(db, trash_remove, f.blob_id, NULL), 0);
	assert_false(help_blob_is_known(db, f.blob_id));
	/* Both are as true the second time. */
	assert_int_equal(db_write(db, trash_remove, f.blob_id, NULL), 0);
	assert_int_equal(db_write(db, trash_add, f.blob_id, NULL), 0);
	assert_int_equal(db_write(db, trash_add, f.blob_id, NULL), 0);
	assert_int_equal(trash_of(db).count, 1);
}

DB_TEST(test_db_rec_file__trash_pages_past_the_pinned)
{
	struct walk w = { { "", 3 }, { .count = 0 } };
	char id[ID_SIZE];
	unsigned i;

	for (i = 10; i > 0; i--) {
		help_id(i, id);
		assert_int_equal(db_write(db, trash_add, id, NULL), 0);
	}
	assert_int_equal(db_read(db, walk_trash, &w, NULL), 0);
	assert_int_equal(w.seen.count, 3);
	assert_string_equal(w.seen.ids[2], help_id(3, id));
	w.page.after = id;
	assert_int_equal(db_read(db, walk_trash, &w, NULL), 0);
	assert_int_equal(w.seen.count, 6);
	assert_string_equal(w.seen.ids[3], help_id(4, id));
}

struct marking {
	const char *blob_id;
	bool is_marked;
};

static int
mark(struct db_tx *tx, void *arg, struct err *err)
{
	struct marking *m = arg;

	return rec_file_mark_damaged(tx, m->blob_id, &m->is_marked, err);
}

DB_TEST(test_db_rec_file__is_marked_by_its_blob)
{
	struct rec_file a = help_file("a", 1);
	struct rec_file b = help_file("b", 2);
	struct marking m = { b.blob_id, false };
	struct rec_file got;
	char id[ID_SIZE];

	assert_int_equal(help_file_put(db, &a, false, NULL), ERR_NONE);
	assert_int_equal(help_file_put(db, &b, false, NULL), ERR_NONE);
	assert_int_equal(db_write(db, mark, &m, NULL), 0);
	assert_true(m.is_marked);
	/* It was already. */
	assert_int_equal(db_write(db, mark, &m, NULL), 0);
	assert_false(m.is_marked);
	assert_int_equal(help_file_get(db, "", "a", &got), ERR_NONE);
	assert_false(got.damaged);
	rec_file_fini(&got);
	assert_int_equal(help_file_get(db, "", "b", &got), ERR_NONE);
	assert_true(got.damaged);
	rec_file_fini(&got);
	/* Replaced by then: nothing to mark, nothing wrong. */
	b = help_file("b", 3);
	assert_int_equal(help_file_put(db, &b, true, NULL), ERR_NONE);
	m.blob_id = help_id(2, id);
	assert_int_equal(db_write(db, mark, &m, NULL), 0);
	assert_false(m.is_marked);
	assert_int_equal(help_file_get(db, "", "b", &got), ERR_NONE);
	assert_false(got.damaged);
	rec_file_fini(&got);
}

/* Each file that stays is seen once, whatever comes and goes between the
 * pages. */
DB_TEST(test_db_rec_file__walk_is_stable)
{
	struct walk w = { { "", 3 }, { .count = 0 } };
	char after[ID_SIZE] = "";
	char id[ID_SIZE];
	char name[16];
	size_t before;
	unsigned i;

	for (i = 1; i <= 8; i++) {
		struct rec_file f = help_file(name, 20 - 2 * i);

		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	}
	do {
		before = w.seen.count;
		w.page.after = after;
		assert_int_equal(db_read(db, walk_files, &w, NULL), 0);
		if (before == 0) {
			struct rec_file f = help_file("new", 1);

			assert_int_equal(
			    help_file_put(db, &f, false, NULL), ERR_NONE);
			assert_int_equal(
			    help_file_remove(db, "", "f8"), ERR_NONE);
		}
		if (w.seen.count > before)
			memcpy(after, w.seen.ids[w.seen.count - 1], ID_SIZE);
	} while (w.seen.count > before);
	assert_int_equal(w.seen.count, 8);
	for (i = 0; i < 8; i++)
		assert_string_equal(w.seen.ids[i], help_id(4 + 2 * i, id));
}

static int
run_last(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_last(tx, arg, err);
}

DB_TEST(test_db_rec_file__last_is_the_greatest_blob)
{
	char last[ID_SIZE] = "x";
	char id[ID_SIZE];

	assert_int_equal(db_read(db, run_last, last, NULL), 0);
	assert_string_equal(last, "");
	for (unsigned i = 1; i <= 3; i++) {
		static const char *const names[] = { "c", "a", "b" };
		struct rec_file f = help_file(names[i - 1], i * 5 % 7);

		assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	}
	assert_int_equal(db_read(db, run_last, last, NULL), 0);
	assert_string_equal(last, help_id(5, id));
}

struct of_blob {
	const char *blob_id;
	struct rec_file file;
};

static int
run_of_blob(struct db_tx *tx, void *arg, struct err *err)
{
	struct of_blob *o = arg;

	return rec_file_of_blob(tx, o->blob_id, &o->file, err);
}

DB_TEST(test_db_rec_file__is_found_by_its_blob)
{
	struct rec_file old = help_file("a", 1);
	struct rec_file new = help_file("a", 2);
	struct of_blob o = { .blob_id = old.blob_id };
	struct err err = ERR_INIT;

	assert_int_equal(help_file_put(db, &old, true, NULL), ERR_NONE);
	assert_int_equal(db_read(db, run_of_blob, &o, &err), 0);
	assert_string_equal(o.file.filename, "a");
	rec_file_fini(&o.file);
	/* In the trash it is nobody's any more. */
	assert_int_equal(help_file_put(db, &new, true, NULL), ERR_NONE);
	assert_int_equal(db_read(db, run_of_blob, &o, &err), -1);
	assert_int_equal(err.code, ERR_FILE_NOT_FOUND);
}

static int
run_mark(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_mark_damaged(tx, arg, NULL, err);
}

static int
run_unmark(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_file_unmark_damaged(tx, arg, err);
}

DB_TEST(test_db_rec_file__a_mark_is_taken_off)
{
	struct rec_file f = help_file("a", 1), other = help_file("b", 2), got;

	assert_int_equal(help_file_put(db, &f, true, NULL), ERR_NONE);
	assert_int_equal(help_file_put(db, &other, true, NULL), ERR_NONE);
	assert_int_equal(db_write(db, run_mark, f.blob_id, NULL), 0);
	assert_int_equal(db_write(db, run_mark, other.blob_id, NULL), 0);
	assert_int_equal(db_write(db, run_unmark, f.blob_id, NULL), 0);
	assert_int_equal(
	    db_write(db, run_unmark, (void *)(uintptr_t) "none", NULL), 0);
	assert_int_equal(help_file_get(db, "", "a", &got), ERR_NONE);
	assert_false(got.damaged);
	rec_file_fini(&got);
	assert_int_equal(help_file_get(db, "", "b", &got), ERR_NONE);
	assert_true(got.damaged);
	rec_file_fini(&got);
}
