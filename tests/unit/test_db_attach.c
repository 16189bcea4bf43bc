/* SPDX-License-Identifier: MIT */

/* A second process beside the one that runs the database. */

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

static int
attach(struct db **ret_db, struct err *err)
{
	const struct db_config cf = { .path = records(), .durable = true };

	err_clear(err);
	return db_attach(&cf, ret_db, err);
}

static struct db *
attached(void)
{
	struct err err = ERR_INIT;
	struct db *db;

	if (attach(&db, &err) < 0)
		fail_msg("%s", err.msg);
	return db;
}

/* Another process, which visits once for each byte that it gets.  Forked while
 * there is one thread. */
struct visitor {
	pid_t pid;
	int ask, answer;
};

/* It puts "theirs", and reads "ours". */
static bool
visit(void)
{
	struct rec_file f = help_file("theirs", 2);
	struct err err = ERR_INIT;
	struct db *db;
	bool ok;

	if (attach(&db, &err) < 0)
		return false;
	ok = help_file_put(db, &f, true, NULL) == ERR_NONE &&
	     help_file_is_there(db, "ours");
	db_close(db);
	return ok;
}

static void
visitor_start(struct visitor *v)
{
	int ask[2], answer[2];
	char c;

	(void)records(); /* one directory for both */
	assert_int_equal(pipe(ask), 0);
	assert_int_equal(pipe(answer), 0);
	v->pid = fork();
	assert_int_not_equal(v->pid, -1);
	if (v->pid == 0) {
		close(ask[1]);
		while (read(ask[0], &c, 1) == 1) {
			c = visit() ? 'y' : 'n';
			if (write(answer[1], &c, 1) != 1)
				break;
		}
		_exit(0);
	}
	close(ask[0]);
	close(answer[1]);
	v->ask = ask[1];
	v->answer = answer[0];
}

static void
visitor_call(const struct visitor *v)
{
	char c = 'n';

	assert_int_equal(write(v->ask, "?", 1), 1);
	assert_int_equal(read(v->answer, &c, 1), 1);
	assert_int_equal(c, 'y');
}

static void
visitor_end(const struct visitor *v)
{
	int status;

	close(v->ask);
	close(v->answer);
	assert_int_equal(waitpid(v->pid, &status, 0), v->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(test_db_attach__does_not_disturb_the_run)
{
	struct db_state found;
	struct rec_file f = help_file("ours", 1);
	struct rec_file g = help_file("again", 3);
	struct visitor v;
	struct db *db;

	visitor_start(&v);
	db = help_open(records(), &found);
	assert_int_equal(db_write(db, db_set_complete, NULL, NULL), 0);
	assert_int_equal(help_file_put(db, &f, false, NULL), ERR_NONE);
	for (int i = 0; i < 3; i++) {
		visitor_call(&v);
		assert_true(help_file_is_there(db, "theirs"));
		assert_int_equal(help_file_put(db, &g, true, NULL), ERR_NONE);
	}
	db_close(db);
	/* and while none runs */
	visitor_call(&v);
	visitor_end(&v);
	/* It ended well, and is the one that it was. */
	db = help_open(records(), &found);
	assert_false(found.was_unclean || found.was_damaged || found.is_other ||
	             found.is_incomplete || found.from_backup);
	assert_true(help_file_is_there(db, "theirs"));
	db_close(db);
}

TEST(test_db_attach__leaves_a_crash_to_the_next_start)
{
	struct rec_file f = help_file("ours", 1);
	struct db_state found;
	struct db *db;
	int status;
	pid_t pid;

	db_close(help_open(records(), &found));
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		db = help_open(records(), &found);
		if (help_file_put(db, &f, false, NULL) != ERR_NONE)
			_exit(1);
		_exit(0); /* without closing it */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	db = attached();
	assert_true(help_file_is_there(db, "ours"));
	db_close(db);
	db = help_open(records(), &found);
	assert_true(found.was_unclean);
	assert_false(found.was_damaged || found.is_other);
	assert_true(help_file_is_there(db, "ours"));
	db_close(db);
}

static int
run_sql(struct db_tx *tx, void *arg, struct err *err)
{
	return tx->driver->exec(tx->conn, arg, err);
}

static void
assert_refused(enum err_code code, const char *word)
{
	struct err err = ERR_INIT;
	struct db *db;

	assert_int_equal(attach(&db, &err), -1);
	assert_string_equal(err_code_name(err.code), err_code_name(code));
	if (strstr(err.msg, word) == NULL)
		fail_msg("no '%s' in: %s", word, err.msg);
}

TEST(test_db_attach__makes_and_migrates_nothing)
{
	static char older[] = "UPDATE state SET version = version - 1";
	static char newer[] = "UPDATE state SET version = 99";
	struct db_state found;
	struct stat st;
	struct db *db;

	assert_refused(ERR_SETTING, "there is no database");
	assert_int_equal(stat(records(), &st), -1);
	db = help_open(records(), &found);
	assert_int_equal(db_write(db, run_sql, older, NULL), 0);
	assert_refused(ERR_SETTING, "of another version");
	assert_int_equal(db_write(db, run_sql, newer, NULL), 0);
	assert_refused(ERR_SETTING, "newer version");
	db_close(db);
}

TEST(test_db_attach__leaves_a_damaged_one_alone)
{
	FILE *f = fopen(records(), "w");

	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("no database", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_refused(ERR_DATABASE_DAMAGED, "start the server");
	assert_int_equal(help_count_files("damaged"), 0);
}
