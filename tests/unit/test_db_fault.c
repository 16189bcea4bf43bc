/* SPDX-License-Identifier: MIT */

/*
 * Crashes at each of the named points, one after the other.  Only in builds
 * that have them (script/build --asan, --tsan, --debug).
 */

#include "db_help.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db_priv.h"

#define JOBS 5

#ifdef SFT_FAULTS
static const bool has_points = true;
#else
static const bool has_points = false;
#endif

/* Runs it in a process that ends at the ${nth} passage of ${point}; false: it
 * came to its end before. */
static bool
crashes(
    const char *point, int nth, void (*run)(const char *path), const char *path)
{
	char text[64];
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		snprintf(text, sizeof(text), "%s:%d", point, nth);
		setenv("SFT_FAULT", text, 1);
		run(path);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void
put_one_by_one(const char *path)
{
	struct db_state found;
	struct db *db = help_open(path, &found);
	struct rec_file f;
	char name[16];
	unsigned i;

	for (i = 1; i <= JOBS; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		f = help_file(name, i);
		if (help_file_put(db, &f, false, NULL) != ERR_NONE)
			_exit(1);
	}
}

static void
expect_files(const char *path, unsigned count)
{
	struct db_state found;
	struct db *db = help_open(path, &found);
	char name[16];
	unsigned i;

	assert_true(found.was_unclean);
	assert_false(found.was_damaged);
	for (i = 1; i <= JOBS; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(help_file_is_there(db, name), i <= count);
	}
	db_close(db);
	assert_int_equal(unlink(path), 0);
}

/* What is committed is there, what is not is not. */
TEST(test_db_fault__around_a_commit)
{
	const char *path = unit_temppath("records.db");
	unsigned n;

	if (!has_points)
		skip();
	for (n = 1; n <= JOBS; n++) {
		assert_true(
		    crashes("db.before_commit", (int)n, put_one_by_one, path));
		expect_files(path, n - 1);
		assert_true(
		    crashes("db.after_commit", (int)n, put_one_by_one, path));
		expect_files(path, n);
	}
	assert_false(
	    crashes("db.after_commit", JOBS + 1, put_one_by_one, path));
	expect_files(path, JOBS);
}

static void
make_damaged(const char *path)
{
	struct db_state found;
	struct db *db = help_open(path, &found);
	struct rec_file f = help_file("kept", 1);
	FILE *file;

	assert_int_equal(help_file_put(db, &f, true, NULL), ERR_NONE);
	assert_int_equal(db_backup(db, 1, NULL), 0);
	db_close(db);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("garbage", file);
	fclose(file);
}

static void
open_only(const char *path)
{
	struct db_state found;

	(void)help_open(path, &found);
}

/* Wherever the way from a damaged database to a restored one is broken off,
 * the next start comes to its end. */
TEST(test_db_fault__on_the_way_back_to_a_backup)
{
	static const struct {
		const char *point;
		int times;
	} points[] = {
		{ "db.set_aside", 4 },
		{ "db.staged", 1 },
		{ "db.placed", 1 },
	};
	const char *path = unit_temppath("records.db");
	struct db_state found;
	struct db *db;
	size_t i;
	int n;

	if (!has_points)
		skip();
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		for (n = 1; n <= points[i].times; n++) {
			make_damaged(path);
			assert_true(
			    crashes(points[i].point, n, open_only, path));
			db = help_open(path, &found);
			assert_false(found.is_new);
			assert_true(help_file_is_there(db, "kept"));
			assert_int_equal(db_check(db, NULL, NULL), 0);
			db_close(db);
			assert_int_equal(unlink(path), 0);
		}
		assert_int_equal(help_count_files(".new"), 0);
	}
}

/* --- which database is this? ------------------------------------------ */

static void
run_to_its_end(const char *path)
{
	struct db_state found;

	db_close(help_open(path, &found));
}

static void
complete(const char *path)
{
	struct db_state found;
	struct db *db = help_open(path, &found);

	assert_int_equal(db_write(db, db_set_complete, NULL, NULL), 0);
	db_close(db);
}

/* At the start (1) and at the end (2) of a run. */
static const struct {
	const char *point;
	int nth;
} turns[] = {
	{ "db.run_named", 1 },
	{ "db.run_turned", 1 },
	{ "db.run_named", 2 },
	{ "db.run_turned", 2 },
};

TEST(test_db_fault__its_own_database_is_no_other)
{
	const char *path = unit_temppath("records.db");
	struct db_state found;
	size_t i, k;

	if (!has_points)
		skip();
	complete(path);
	for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		for (k = 0; k < sizeof(turns) / sizeof(turns[0]); k++) {
			assert_true(crashes(turns[i].point, turns[i].nth,
			    run_to_its_end, path));
			assert_true(crashes(turns[k].point, turns[k].nth,
			    run_to_its_end, path));
			db_close(help_open(path, &found));
			assert_false(found.is_other);
			assert_false(found.is_incomplete);
			assert_false(found.was_damaged);
		}
	}
}

/* Noticing it comes first: no crash makes it one of ours. */
TEST(test_db_fault__an_old_copy_is_noticed)
{
	const char *path = unit_temppath("records.db");
	const char *saved = unit_temppath("saved");
	struct db_state found;
	size_t i;

	if (!has_points)
		skip();
	complete(path);
	assert_int_equal(db_file_copy(path, saved, NULL), 0);
	run_to_its_end(path);
	for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		assert_int_equal(unlink(path), 0);
		assert_int_equal(db_file_copy(saved, path, NULL), 0);
		assert_true(crashes(
		    turns[i].point, turns[i].nth, run_to_its_end, path));
		db_close(help_open(path, &found));
		assert_false(found.was_damaged);
		assert_true(found.is_incomplete);
	}
}

/* So is one that was never completed. */
TEST(test_db_fault__a_new_one_stays_incomplete)
{
	const char *path = unit_temppath("records.db");
	struct db_state found;
	size_t i;

	if (!has_points)
		skip();
	for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		assert_true(crashes(
		    turns[i].point, turns[i].nth, run_to_its_end, path));
		db_close(help_open(path, &found));
		assert_false(found.was_damaged);
		assert_true(found.is_incomplete);
		assert_int_equal(unlink(path), 0);
	}
}
