/* SPDX-License-Identifier: MIT */

/* A database that is not the one of the last run is told from the one that
 * is. */

#include "db_help.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db_priv.h"

static const char *
records(void)
{
	return unit_temppath("records.db");
}

static const char *
saved(void)
{
	return unit_temppath("saved");
}

static void
copy(const char *from, const char *to)
{
	struct err err = ERR_INIT;

	(void)unlink(to);
	if (db_file_copy(from, to, &err) < 0)
		fail_msg("%s", err.msg);
}

/* A run, to its end: what it found. */
static struct db_state
run_once(void)
{
	struct db_state found;

	db_close(help_open(records(), &found));
	return found;
}

/* The same, with every object's record made. */
static struct db_state
run_completing(void)
{
	struct db_state found;
	struct db *db = help_open(records(), &found);

	assert_int_equal(db_write(db, db_set_complete, NULL, NULL), 0);
	db_close(db);
	return found;
}

/* A run that does not come to its end. */
static void
run_and_crash(void)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct db_state found;

		(void)help_open(records(), &found);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
expect_known(struct db_state found)
{
	assert_false(found.is_new);
	assert_false(found.was_damaged);
	assert_false(found.is_other);
	assert_false(found.is_incomplete);
}

static void
expect_other(struct db_state found)
{
	assert_false(found.is_new);
	assert_false(found.was_damaged);
	assert_false(found.from_backup);
	assert_true(found.is_other);
	assert_true(found.is_incomplete);
}

TEST(test_db_run__a_new_one_is_no_surprise)
{
	struct db_state found = run_completing();

	assert_true(found.is_new);
	assert_true(found.is_incomplete);
	assert_false(found.is_other);
	expect_known(run_once());
	expect_known(run_once());
}

TEST(test_db_run__a_crash_is_no_surprise)
{
	int i;

	(void)run_completing();
	for (i = 0; i < 3; i++) {
		struct db_state found;

		run_and_crash();
		run_and_crash();
		found = run_once();
		assert_true(found.was_unclean);
		expect_known(found);
	}
}

TEST(test_db_run__a_copy_of_an_earlier_run)
{
	(void)run_completing();
	copy(records(), saved());
	expect_known(run_once());
	copy(saved(), records());
	expect_other(run_completing());
	expect_known(run_once());
	/* and once more, after a crash */
	run_and_crash();
	(void)unlink(unit_temppath("records.db-wal"));
	(void)unlink(unit_temppath("records.db-shm"));
	copy(saved(), records());
	expect_other(run_once());
}

/* As a snapshot of the file system takes it. */
TEST(test_db_run__a_copy_from_amid_the_last_run)
{
	struct db_state found;
	struct db *db;

	(void)run_completing();
	db = help_open(records(), &found);
	expect_known(found);
	copy(records(), saved());
	copy(unit_temppath("records.db-wal"), unit_temppath("saved-wal"));
	db_close(db);
	copy(saved(), records());
	copy(unit_temppath("saved-wal"), unit_temppath("records.db-wal"));
	expect_other(run_once());
}

/* Made by this very run, so the file would name it. */
TEST(test_db_run__a_backup_put_back_by_hand)
{
	struct db_config cf = { .path = records(),
		.backup_dir = unit_tempdir() };
	char path[512] = "";
	struct clock_manual clock;
	struct db_state found;
	struct db *db;

	clock_manual_init(&clock, 1795505400123);
	cf.clock = &clock.clock;
	(void)run_completing();
	assert_int_equal(db_open(&cf, &db, &found, NULL), 0);
	assert_int_equal(db_backup(db, 1, NULL), 0);
	db_close(db);
	snprintf(path, sizeof(path), "%s/records-20261124T073000.123Z.db",
	    unit_tempdir());
	copy(path, records());
	expect_other(run_once());
}

/* It stays so until somebody has made the records, whatever comes between. */
TEST(test_db_run__incomplete_until_it_was_completed)
{
	struct db_state found;

	(void)run_completing();
	copy(records(), saved());
	(void)run_once();
	copy(saved(), records());
	run_and_crash();
	found = run_once();
	assert_true(found.was_unclean);
	assert_true(found.is_incomplete);
	assert_false(found.is_other);
	assert_true(run_completing().is_incomplete);
	expect_known(run_once());
}

TEST(test_db_run__nothing_is_known_without_the_file)
{
	static const char *const contents[] = {
		NULL,
		"",
		"\n\n",
		"0123456789abcdef0123456789abcdef\n",
		"0123456789abcdef0123456789abcdef",
	};
	const char *path = unit_temppath("records.db.run");
	size_t i;
	FILE *f;

	(void)run_completing();
	for (i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		assert_int_equal(unlink(path), 0);
		if (contents[i] != NULL) {
			f = fopen(path, "w");
			assert_non_null(f);
			fputs(contents[i], f);
			fclose(f);
		}
		expect_other(run_completing());
		expect_known(run_once());
	}
}

TEST(test_db_run__one_that_was_restored_is_no_surprise)
{
	struct db_state found;
	struct db *db;

	db = help_open(records(), &found);
	assert_int_equal(db_write(db, db_set_complete, NULL, NULL), 0);
	assert_int_equal(db_backup(db, 1, NULL), 0);
	db_close(db);
	assert_int_equal(unlink(records()), 0);
	found = run_completing();
	assert_true(found.from_backup);
	assert_true(found.is_incomplete);
	assert_false(found.is_other);
	expect_known(run_once());
}
