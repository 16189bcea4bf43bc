/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/latch.h"
#include "base/thread.h"

static struct clock_manual clock_now;

static struct db *
open_with_backups(void)
{
	struct db_config cf = { .path = unit_temppath("records.db"),
		.backup_dir = unit_temppath("backups"),
		.clock = &clock_now.clock };
	struct db_state found;
	struct err err = ERR_INIT;
	struct db *db;

	clock_manual_init(&clock_now, 1795505400123);
	if (db_open(&cf, &db, &found, &err) < 0)
		fail_msg("%s", err.msg);
	return db;
}

static int
visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* The names in the directory as "a b c". */
static const char *
backups(void)
{
	static char text[1024];
	struct dirent **list;
	int n, i;

	n = scandir(unit_temppath("backups"), &list, visible, alphasort);
	text[0] = '\0';
	for (i = 0; i < n; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s",
		    i == 0 ? "" : " ", list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return text;
}

TEST(test_db_backup__has_what_was_committed)
{
	struct db *db = open_with_backups();
	struct rec_file f = help_file("a", 1);
	struct db_state found;
	struct stat st;
	char path[512];

	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_int_equal(db_backup(db, 3, NULL), 0);
	assert_string_equal(backups(), "records-20261124T073000.123Z.db");
	snprintf(
	    path, sizeof(path), "%s/backups/%s", unit_tempdir(), backups());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db_close(db);
	/* It is a database like any other. */
	db = help_open(path, &found);
	assert_false(found.was_damaged);
	assert_int_equal(help_file_get(db, "", "a", &f), ERR_NONE);
	rec_file_fini(&f);
	db_close(db);
}

TEST(test_db_backup__keeps_the_newest)
{
	struct db *db = open_with_backups();
	FILE *f;
	int i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(db_backup(db, 2, NULL), 0);
		clock_manual_advance(&clock_now, 60000);
	}
	assert_string_equal(backups(),
	    "records-20261124T073200.123Z.db records-20261124T073300.123Z.db");
	/* What is not ours stays; what a crash left goes. */
	f = fopen(unit_temppath("backups/records-mine.db"), "w");
	assert_non_null(f);
	fclose(f);
	f = fopen(
	    unit_temppath("backups/records-20261124T070000.000Z.db.tmp"), "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(db_backup(db, 1, NULL), 0);
	assert_string_equal(
	    backups(), "records-20261124T073400.123Z.db records-mine.db");
	db_close(db);
}

#define HOUR (3600LL * 1000)

TEST(test_db_backup__is_wanted_when_there_is_something_new)
{
	struct db *db = open_with_backups();
	struct rec_file f = help_file("a", 1);

	/* There is none. */
	assert_true(db_wants_backup(db, 24 * HOUR));
	assert_int_equal(db_backup(db, 9, NULL), 0);
	clock_manual_advance(&clock_now, 30 * HOUR);
	/* There is nothing new. */
	assert_false(db_wants_backup(db, 24 * HOUR));
	assert_false(db_wants_backup(db, 0));
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_true(db_wants_backup(db, 24 * HOUR));
	/* What is read is not new. */
	assert_int_equal(db_backup(db, 9, NULL), 0);
	clock_manual_advance(&clock_now, HOUR);
	assert_true(help_file_is_there(db, "a"));
	assert_false(db_wants_backup(db, 0));
	/* By the age of the newest. */
	assert_int_equal(help_file_put(db, &f, true, NULL), ERR_NONE);
	assert_true(db_wants_backup(db, 0));
	assert_true(db_wants_backup(db, HOUR));
	assert_false(db_wants_backup(db, HOUR + 1));
	db_close(db);
}

/* A run that crashed has made none of what it recorded. */
TEST(test_db_backup__is_wanted_after_a_crash)
{
	struct db *db = open_with_backups();
	struct db_state found;
	int status;
	pid_t pid;

	assert_int_equal(db_backup(db, 9, NULL), 0);
	db_close(db);
	db = help_open(unit_temppath("records.db"), &found);
	assert_false(db_wants_backup(db, 0));
	db_close(db);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)help_open(unit_temppath("records.db"), &found);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	db = help_open(unit_temppath("records.db"), &found);
	assert_true(found.was_unclean);
	assert_true(db_wants_backup(db, 0));
	db_close(db);
}

/* One whose name lies in the future does not stop the others. */
TEST(test_db_backup__is_wanted_after_a_wrong_clock)
{
	struct db *db = open_with_backups();
	struct rec_file f = help_file("a", 1);

	clock_manual_advance(&clock_now, 1000 * HOUR);
	assert_int_equal(db_backup(db, 9, NULL), 0);
	clock_manual_advance(&clock_now, -1000 * HOUR);
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_true(db_wants_backup(db, 24 * HOUR));
	db_close(db);
}

TEST(test_db_backup__needs_a_directory)
{
	struct db_config cf = { .path = unit_temppath("records.db") };
	struct err err = ERR_INIT;
	struct db_state found;
	struct db *db;

	assert_int_equal(db_open(&cf, &db, &found, NULL), 0);
	assert_int_equal(db_backup(db, 1, &err), -1);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	db_close(db);
}

struct writer {
	struct db *db;
	_Atomic bool stop;
	unsigned written;
	struct latch began;
};

static void *
write_on(void *arg)
{
	struct writer *w = arg;
	struct rec_file f;
	char name[16];

	while (!atomic_load(&w->stop)) {
		snprintf(name, sizeof(name), "f%u", w->written + 1);
		f = help_file(name, w->written + 1);
		if (help_file_put(w->db, &f, false, NULL) != ERR_NONE)
			break;
		if (++w->written == 1)
			latch_open(&w->began);
	}
	return NULL;
}

/* Writers go on, and what they wrote before it began is in it. */
TEST(test_db_backup__under_writes)
{
	static const struct thread_options options = { "writer", 0 };
	struct db *db = open_with_backups();
	struct writer w = { .db = db };
	struct rec_file f = help_file("before", 1000000);
	struct db_state found;
	pthread_t thread;
	char path[512];
	int i;

	latch_init(&w.began);
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_int_equal(
	    thread_start(&options, write_on, &w, &thread, NULL), 0);
	latch_wait(&w.began);
	for (i = 0; i < 5; i++) {
		assert_int_equal(db_backup(db, 1, NULL), 0);
		clock_manual_advance(&clock_now, 1000);
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	db_close(db);
	snprintf(
	    path, sizeof(path), "%s/backups/%s", unit_tempdir(), backups());
	db = help_open(path, &found);
	assert_false(found.was_damaged);
	assert_int_equal(help_file_get(db, "", "before", &f), ERR_NONE);
	rec_file_fini(&f);
	db_close(db);
}

/* --- going back to one ------------------------------------------------ */

static const char *
records(void)
{
	return unit_temppath("records.db");
}

static void
write_garbage(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("garbage", f);
	fclose(f);
}

static void
backup_of_some(const char *path, struct db_state *found)
{
	struct db *db = help_open(path, found);
	struct rec_file f = help_file("kept", 9000);

	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_int_equal(db_backup(db, 3, NULL), 0);
	f = help_file("later", 9001);
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	db_close(db);
}

TEST(test_db_backup__restores_the_newest_backup)
{
	const char *path = records();
	struct db_state found;
	struct db *db;

	backup_of_some(path, &found);
	write_garbage(path);
	db = help_open(path, &found);
	assert_true(found.was_damaged);
	assert_true(found.from_backup);
	assert_false(found.is_new);
	assert_memory_equal(found.backup, "records-", 8);
	assert_true(help_file_is_there(db, "kept"));
	assert_false(help_file_is_there(db, "later"));
	assert_int_equal(db_check(db, NULL, NULL), 0);
	db_close(db);
	db = help_open(path, &found);
	assert_false(found.was_unclean);
	assert_false(found.from_backup);
	db_close(db);
}

/* A crash between setting aside and restoring. */
TEST(test_db_backup__restores_what_is_gone)
{
	const char *path = records();
	struct db_state found;
	struct db *db;

	backup_of_some(path, &found);
	assert_int_equal(unlink(path), 0);
	db = help_open(path, &found);
	assert_true(found.from_backup);
	assert_false(found.was_damaged);
	assert_true(help_file_is_there(db, "kept"));
	db_close(db);
}

/* An unsound backup is passed over for an older one. */
TEST(test_db_backup__passes_over_an_unsound_backup)
{
	const char *path = records();
	char newest[512];
	struct db_state found;
	struct db *db;

	backup_of_some(path, &found);
	snprintf(newest, sizeof(newest), "%s/backups/%s", unit_tempdir(),
	    "records-99991231T235959.999Z.db");
	write_garbage(newest);
	write_garbage(path);
	db = help_open(path, &found);
	assert_true(found.from_backup);
	assert_string_not_equal(
	    found.backup, "records-99991231T235959.999Z.db");
	assert_true(help_file_is_there(db, "kept"));
	db_close(db);
}
