/* SPDX-License-Identifier: MIT */

/* Commits that fail, over a driver that fails when it is told to. */

#include "db_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db_priv.h"

/* What the next commits do instead, and what was done to the connection; the
 * writer's, which a test waits for. */
static struct {
	struct db_stmt *commit;
	enum err_code code;
	int times;
	int commits;
	int durable_sets;
} fake;

static int
fake_prepare(struct db_conn *c, const char *sql, struct db_stmt **ret_stmt,
    struct err *err)
{
	int rc = db_sqlite.prepare(c, sql, ret_stmt, err);

	if (rc == 0 && strcmp(sql, "COMMIT") == 0)
		fake.commit = *ret_stmt;
	return rc;
}

static int
fake_step(struct db_stmt *s, struct err *err)
{
	if (s == fake.commit) {
		fake.commits++;
		if (fake.times > 0) {
			fake.times--;
			return err_set(err, fake.code, "as told");
		}
	}
	return db_sqlite.step(s, err);
}

static int
fake_set_durable(struct db_conn *c, bool durable, struct err *err)
{
	fake.durable_sets++;
	return db_sqlite.set_durable(c, durable, err);
}

static void
end_with_7(const struct err *err)
{
	_exit(err->code == ERR_DATABASE_UNKNOWN ? 7 : 8);
}

static struct db *
open_fake(bool durable)
{
	static struct db_driver driver;
	struct db_config cf = { .path = unit_temppath("records.db"),
		.durable = durable,
		.fatal = end_with_7 };
	struct err err = ERR_INIT;
	struct db_state state;
	struct db *db;

	memset(&fake, 0, sizeof(fake));
	driver = db_sqlite;
	driver.prepare = fake_prepare;
	driver.step = fake_step;
	driver.set_durable = fake_set_durable;
	if (db_open_driver(&driver, &cf, &db, &state, &err) < 0)
		fail_msg("%s", err.msg);
	return db;
}

static void
fail_commits(enum err_code code, int times)
{
	fake.code = code;
	fake.times = times;
}

TEST(test_db_writer__busy_commits_are_tried_again)
{
	struct db *db = open_fake(true);
	struct rec_file f = help_file("a", 1);

	fail_commits(ERR_DATABASE_BUSY, 3);
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_int_equal(fake.times, 0);
	assert_true(help_file_is_there(db, "a"));
	db_close(db);
}

TEST(test_db_writer__full_commits_did_not_happen)
{
	struct db *db = open_fake(true);
	struct rec_file a = help_file("a", 1);
	struct rec_transfer t = help_transfer("a", 1, REC_COMPLETED);

	fail_commits(ERR_STORAGE_FULL, 2);
	assert_int_equal(help_file_put(db, &a, false, NULL), ERR_STORAGE_FULL);
	assert_int_equal(help_transfer_put(db, &t), ERR_STORAGE_FULL);
	assert_false(help_file_is_there(db, "a"));
	/* Nothing is left of it, and the next ones work. */
	assert_int_equal(help_transfer_count(db), 0);
	assert_int_equal(help_file_put(db, &a, false, NULL), ERR_NONE);
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_int_equal(help_transfer_count(db), 1);
	db_close(db);
}

/* Nobody is told anything: the process ends before. */
TEST(test_db_writer__unknown_outcome_ends_the_process)
{
	const char *path = unit_temppath("told");
	int status;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct db *db = open_fake(true);
		struct rec_file f = help_file("a", 1);
		FILE *told;

		fail_commits(ERR_IO, 1);
		(void)help_file_put(db, &f, false, NULL);
		told = fopen(path, "w");
		if (told != NULL)
			fclose(told);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_not_equal(access(path, F_OK), 0);
}

TEST(test_db_writer__is_durable_only_when_asked)
{
	struct db *db = open_fake(false);
	int before = fake.durable_sets;

	assert_int_equal(db_make_durable(db, NULL), 0);
	assert_int_equal(fake.durable_sets, before + 2);
	db_close(db);
	db = open_fake(true);
	assert_int_equal(db_make_durable(db, NULL), 0);
	assert_int_equal(fake.durable_sets, 0);
	db_close(db);
}

static int
limit_pages(struct db_tx *tx, void *arg, struct err *err)
{
	(void)arg;
	return tx->driver->exec(tx->conn, "PRAGMA max_page_count=60", err);
}

static int
fill(struct db_tx *tx, void *arg, struct err *err)
{
	char *name = arg;
	struct rec_file f;
	unsigned i;

	for (i = 0; i < 1000; i++) {
		f = help_file(name, 1000 + i);
		snprintf(name + 200, 16, "%u", i);
		if (rec_file_put(tx, &f, false, NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* A job that finds no room is undone; what fits goes on. */
TEST(test_db_writer__full_within_a_job)
{
	struct db *db = open_fake(true);
	struct rec_file f = help_file("a", 1);
	struct err err = ERR_INIT;
	char name[256];

	memset(name, 'n', sizeof(name));
	assert_int_equal(db_write(db, limit_pages, NULL, NULL), 0);
	assert_int_equal(db_write(db, fill, name, &err), -1);
	assert_int_equal(err.code, ERR_STORAGE_FULL);
	assert_string_equal(err.msg, "the storage is full");
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	assert_true(help_file_is_there(db, "a"));
	name[200] = '0';
	name[201] = '\0';
	assert_false(help_file_is_there(db, name));
	db_close(db);
}
