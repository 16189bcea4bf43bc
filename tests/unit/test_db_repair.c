/* SPDX-License-Identifier: MIT */

/* What opening finds: a clean end, a crash, damage of every kind. */

#include "db_help.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db_priv.h"

#define FILES 1000

static const char *
records(void)
{
	return unit_temppath("records.db");
}

static int
put_all(struct db_tx *tx, void *arg, struct err *err)
{
	const char *before = arg;
	struct rec_file f;
	char name[64];
	unsigned i;

	for (i = 1; i <= FILES; i++) {
		snprintf(name, sizeof(name), "%s%u", before, i);
		f = help_file(name, i);
		if (rec_file_put(tx, &f, true, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static void
fill_and_close(const char *path)
{
	char before[] = "f";
	struct db_state found;
	struct db *db = help_open(path, &found);

	assert_int_equal(db_write(db, put_all, before, NULL), 0);
	db_close(db);
}

/* Fills it in a process that ends as by a crash: nothing is closed. */
static void
fill_and_crash(const char *path)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		char before[] = "f";
		struct db_state found;
		struct db *db = help_open(path, &found);

		_exit(db_write(db, put_all, before, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
overwrite(const char *path, off_t from, size_t n)
{
	static const char noise[4096] = "this was something else once";
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_true(n <= sizeof(noise));
	assert_int_equal(pwrite(fd, noise, n, from), (ssize_t)n);
	close(fd);
}

static off_t
size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

TEST(test_db_repair__new)
{
	struct db_state found;
	struct stat st;
	struct db *db = help_open(records(), &found);

	assert_true(found.is_new);
	assert_false(found.was_unclean);
	assert_false(found.was_damaged);
	assert_false(found.from_backup);
	assert_string_equal(found.set_aside, "");
	assert_int_equal(stat(records(), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db_close(db);
	/* Closed: its log is written back and gone; there is one more, that
	 * says which database this is. */
	assert_int_equal(help_count_files("records.db"), 2);
	assert_int_equal(help_count_files("records.db.run"), 1);
}

TEST(test_db_repair__clean_end)
{
	const char *path = records();
	struct db_state found;
	struct db *db;

	fill_and_close(path);
	db = help_open(path, &found);
	assert_false(found.is_new);
	assert_false(found.was_unclean);
	assert_false(found.was_damaged);
	assert_true(help_file_is_there(db, "f1"));
	db_close(db);
}

TEST(test_db_repair__crash)
{
	const char *path = records();
	struct db_state found;
	struct db *db;

	fill_and_crash(path);
	db = help_open(path, &found);
	assert_false(found.is_new);
	assert_true(found.was_unclean);
	assert_false(found.was_damaged);
	assert_true(help_file_is_there(db, "f200"));
	db_close(db);
	db = help_open(path, &found);
	assert_false(found.was_unclean);
	db_close(db);
}

/* --- damage ----------------------------------------------------------- */

static void
damage_header(const char *path)
{
	overwrite(path, 0, 64);
}

static void
damage_all(const char *path)
{
	off_t at;

	for (at = 0; at < size_of(path); at += 4096)
		overwrite(path, at, 4096);
}

static void
damage_tables(const char *path)
{
	off_t at;

	/* All but the first page, which says how to read the others. */
	for (at = 4096; at < size_of(path); at += 4096)
		overwrite(path, at, 512);
}

static void
damage_truncate(const char *path)
{
	assert_int_equal(truncate(path, size_of(path) / 2), 0);
}

static void
damage_truncate_in_page(const char *path)
{
	assert_int_equal(truncate(path, 1000), 0);
}

static void
damage_empty(const char *path)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void
damage_garbage(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("<html>not a database</html>\n", f);
	fclose(f);
}

/* After a clean end only what shows at once is looked for; after a crash all
 * of them. */
static const struct {
	const char *name;
	void (*damage)(const char *path);
	bool shows_at_once;
} damages[] = {
	{ "header", damage_header, true },
	{ "all", damage_all, true },
	{ "tables", damage_tables, true },
	{ "truncated", damage_truncate, true },
	{ "truncated in a page", damage_truncate_in_page, true },
	{ "empty", damage_empty, true },
	{ "garbage", damage_garbage, true },
};

static void
expect_set_aside(const char *path, const char *what)
{
	struct db_state found;
	char aside[600];
	struct db *db = help_open(path, &found);

	print_message("damage: %s\n", what);
	assert_true(found.was_damaged);
	assert_true(found.is_new);
	assert_false(found.from_backup);
	assert_memory_equal(found.set_aside, "records.db.damaged-",
	    strlen("records.db.damaged-"));
	snprintf(
	    aside, sizeof(aside), "%s/%s", unit_tempdir(), found.set_aside);
	assert_int_equal(access(aside, F_OK), 0);
	assert_false(help_file_is_there(db, "f1"));
	/* It works. */
	struct rec_file f = help_file("f1", 1);

	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	db_close(db);
	db = help_open(path, &found);
	assert_false(found.was_damaged);
	assert_true(help_file_is_there(db, "f1"));
	db_close(db);
	assert_int_equal(unlink(path), 0);
}

TEST(test_db_repair__damage_after_a_clean_end)
{
	const char *path = records();
	size_t i;

	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		if (!damages[i].shows_at_once)
			continue;
		fill_and_close(path);
		damages[i].damage(path);
		expect_set_aside(path, damages[i].name);
	}
}

/* The log of the crashed one must not be taken for that of the new one. */
TEST(test_db_repair__damage_after_a_crash)
{
	const char *path = records();
	size_t i;

	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		fill_and_close(path);
		fill_and_crash(path);
		damages[i].damage(path);
		expect_set_aside(path, damages[i].name);
	}
}

/* Opens it and ends without closing. */
static void
open_and_crash(const char *path)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct db_state found;

		(void)help_open(path, &found);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Damage that no start would meet, but the check after a crash does. */
TEST(test_db_repair__damage_deep_within)
{
	const char *path = records();
	off_t middle;

	fill_and_close(path);
	open_and_crash(path);
	middle = size_of(path) / 2 / 4096 * 4096;
	overwrite(path, middle, 4096);
	expect_set_aside(path, "one page");
}

static int
see_file(void *arg, const struct rec_file *f, struct err *err)
{
	unsigned *seen = arg;

	(void)f;
	(void)err;
	++*seen;
	return 0;
}

static int
walk_all(struct db_tx *tx, void *arg, struct err *err)
{
	struct db_page page = { "", FILES };

	return rec_file_each(tx, &page, see_file, arg, err);
}

/* Met while running, it does not count as a clean end. */
TEST(test_db_repair__damage_that_a_read_met)
{
	const char *path = records();
	struct err err = ERR_INIT;
	struct db_state found;
	unsigned seen = 0;
	struct db *db;

	fill_and_close(path);
	db = help_open(path, &found);
	damage_tables(path);
	assert_int_equal(db_read(db, walk_all, &seen, &err), -1);
	assert_int_equal(err.code, ERR_DATABASE_DAMAGED);
	db_close(db);
	expect_set_aside(path, "met by a read");
}

static bool
at_once(void *arg)
{
	++*(unsigned *)arg;
	return true;
}

/* A server that ends does not wait for it. */
TEST(test_db_repair__check_stops_when_asked)
{
	unsigned asked = 0;
	const struct db_stop stop = { at_once, &asked };
	struct err err = ERR_INIT;
	struct db_state found;
	char before[] = "f";
	struct db *db;

	db = help_open(records(), &found);
	assert_int_equal(db_write(db, put_all, before, NULL), 0);
	assert_int_equal(db_check(db, &stop, &err), -1);
	assert_int_equal(err.code, ERR_SHUTTING_DOWN);
	assert_int_equal(asked, 1);
	assert_int_equal(db_check(db, NULL, NULL), 0);
	db_close(db);
	/* That was no damage. */
	db = help_open(records(), &found);
	assert_false(found.was_unclean);
	db_close(db);
}

/* A log whose database is gone. */
TEST(test_db_repair__database_is_gone)
{
	const char *path = records();
	struct db_state found;
	struct db *db;

	fill_and_crash(path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(help_count_files("records.db-wal"), 1);
	db = help_open(path, &found);
	assert_true(found.is_new);
	assert_true(found.was_damaged);
	assert_false(help_file_is_there(db, "f1"));
	assert_int_equal(help_count_files("damaged"), 2); /* -wal and -shm */
	db_close(db);
}

/* A crash in the making of one leaves it beside its place. */
TEST(test_db_repair__half_made)
{
	const char *path = records();
	struct db_state found;
	struct db *db;
	FILE *f = fopen(unit_temppath("records.db.new"), "w");

	assert_non_null(f);
	fputs("half", f);
	fclose(f);
	db = help_open(path, &found);
	assert_true(found.is_new);
	assert_false(found.was_damaged);
	db_close(db);
	assert_int_equal(help_count_files(".new"), 0);
}

/* A database of somebody else is set aside, as it is. */
TEST(test_db_repair__foreign)
{
	const char *path = records();
	struct db_conn_config cf = { path, DB_ROLE_MAKER };
	struct db_conn *conn;

	assert_int_equal(db_sqlite.open(&cf, &conn, NULL), 0);
	assert_int_equal(
	    db_sqlite.exec(conn, "CREATE TABLE recipes (a TEXT)", NULL), 0);
	db_sqlite.close(conn);
	expect_set_aside(path, "foreign");
}
