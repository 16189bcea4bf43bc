/* SPDX-License-Identifier: MIT */

/* What is refused at the start, with a sentence for a person, and left as it
 * is. */

#include "db_help.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db_priv.h"

static const char *
records(void)
{
	return unit_temppath("records.db");
}

static enum err_code
open_fails(const char *path, struct err *err)
{
	struct db_config cf = { .path = path, .durable = true };
	struct db_state found;
	struct db *db;

	err_clear(err);
	if (db_open(&cf, &db, &found, err) == 0) {
		db_close(db);
		return ERR_NONE;
	}
	return err->code;
}

static off_t
size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void
make_and_close(const char *path)
{
	struct db_state found;

	db_close(help_open(path, &found));
}

static int
set_version(struct db_tx *tx, void *arg, struct err *err)
{
	(void)arg;
	return tx->driver->exec(tx->conn, "UPDATE state SET version = 99", err);
}

TEST(test_db_open__newer_is_refused)
{
	const char *path = records();
	struct err err = ERR_INIT;
	struct db_state found;
	struct db *db = help_open(path, &found);
	off_t size;

	assert_int_equal(db_write(db, set_version, NULL, NULL), 0);
	db_close(db);
	size = size_of(path);
	assert_int_equal(open_fails(path, &err), ERR_SETTING);
	assert_non_null(strstr(err.msg, "newer version"));
	assert_non_null(strstr(err.msg, "99"));
	/* It stays where it is, as it is. */
	assert_int_equal(help_count_files("damaged"), 0);
	assert_int_equal(size_of(path), size);
}

TEST(test_db_open__no_such_directory)
{
	struct err err = ERR_INIT;

	assert_int_equal(
	    open_fails(unit_temppath("none/records.db"), &err), ERR_SETTING);
	assert_non_null(strstr(err.msg, "none/records.db"));
}

TEST(test_db_open__a_directory_in_its_place)
{
	const char *path = records();
	struct err err = ERR_INIT;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(open_fails(path, &err), ERR_SETTING);
	assert_int_equal(help_count_files("damaged"), 0);
}

/* As nobody where we are root, to whom nothing is read-only. */
static enum err_code
open_as_nobody(const char *path)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct err err = ERR_INIT;

		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(100);
		_exit((int)open_fails(path, &err));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (enum err_code)WEXITSTATUS(status);
}

TEST(test_db_open__read_only_directory)
{
	const char *path = records();
	enum err_code code_new, code_old;

	assert_int_equal(chmod(unit_tempdir(), 0555), 0);
	code_new = open_as_nobody(path);
	assert_int_equal(chmod(unit_tempdir(), 0755), 0);
	make_and_close(path);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(chmod(unit_tempdir(), 0555), 0);
	code_old = open_as_nobody(path);
	assert_int_equal(chmod(unit_tempdir(), 0755), 0);
	assert_int_equal(code_new, ERR_SETTING);
	assert_int_equal(code_old, ERR_SETTING);
	assert_int_equal(help_count_files("damaged"), 0);
}

TEST(test_db_open__used_by_another)
{
	const char *path = records();
	struct db_conn_config cf = { path, DB_ROLE_MAKER };
	struct err err = ERR_INIT;
	struct db_conn *conn;

	make_and_close(path);
	assert_int_equal(db_sqlite.open(&cf, &conn, NULL), 0);
	assert_int_equal(db_sqlite.exec(conn, "BEGIN EXCLUSIVE", NULL), 0);
	assert_int_equal(open_fails(path, &err), ERR_SETTING);
	db_sqlite.close(conn);
	assert_non_null(strstr(err.msg, "another program"));
	assert_int_equal(open_fails(path, &err), ERR_NONE);
}
