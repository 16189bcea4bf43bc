/* SPDX-License-Identifier: MIT */

/* A disk that is really full: a small tmpfs of our own, in a process of its
 * own.  Skipped where the kernel lets us have none. */

#include "db_help.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_MOUNT 77
#define BALLAST (256 * 1024)

/* cmocka's assertions would go on in the wrong process. */
#define EXPECT(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			printf(                                                \
			    "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			_exit(1);                                              \
		}                                                              \
	} while (0)

static void
mount_small(const char *at)
{
	if (unshare(CLONE_NEWNS) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		_exit(NO_MOUNT);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", at, "tmpfs", 0, "size=1m") < 0)
		_exit(NO_MOUNT);
}

static void
make_ballast(const char *path, off_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	EXPECT(fd >= 0);
	EXPECT(posix_fallocate(fd, 0, size) == 0);
	close(fd);
}

static void
fill_up(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	char block[4096] = "";

	EXPECT(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

static struct db *
open_in(const char *dir, struct db_state *found, struct err *err)
{
	char path[512];
	struct db_config cf = { .path = path, .durable = true };
	struct db *db = NULL;

	snprintf(path, sizeof(path), "%s/records.db", dir);
	return db_open(&cf, &db, found, err) < 0 ? NULL : db;
}

/* Puts files until there is no room; how many there are. */
static unsigned
put_until_full(struct db *db, unsigned first)
{
	enum err_code code;
	struct rec_file f;
	char name[16];
	unsigned i;

	for (i = first;; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		f = help_file(name, i);
		code = help_file_put(db, &f, false, NULL);
		if (code != ERR_NONE)
			break;
	}
	EXPECT(code == ERR_STORAGE_FULL);
	return i - first;
}

static void
expect_files(struct db *db, unsigned count)
{
	char name[16];
	unsigned i;

	for (i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		EXPECT(help_file_is_there(db, name));
	}
	snprintf(name, sizeof(name), "f%u", count + 1);
	EXPECT(!help_file_is_there(db, name));
}

static void
fills_while_it_runs(const char *dir)
{
	struct db_state found;
	char ballast[512];
	struct db *db = open_in(dir, &found, NULL);
	unsigned count;

	EXPECT(db != NULL);
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	make_ballast(ballast, BALLAST);
	count = put_until_full(db, 1);
	EXPECT(count > 10);
	/* Still: nothing lost, nothing half. */
	EXPECT(put_until_full(db, count + 1) == 0);
	expect_files(db, count);
	EXPECT(unlink(ballast) == 0);
	/* Now what frees space can be committed. */
	EXPECT(help_file_remove(db, "", "f1") == ERR_NONE);
	EXPECT(put_until_full(db, count + 1) > 0);
	EXPECT(!help_file_is_there(db, "f1"));
	EXPECT(db_check(db, NULL, NULL) == 0);
	db_close(db);
	db = open_in(dir, &found, NULL);
	EXPECT(db != NULL);
	EXPECT(!found.was_damaged);
	EXPECT(help_file_is_there(db, "f2"));
	db_close(db);
}

static void
is_full_at_the_start(const char *dir)
{
	struct err err = ERR_INIT;
	struct db_state found;
	char filler[512];
	struct db *db;

	snprintf(filler, sizeof(filler), "%s/filler", dir);
	fill_up(filler);
	EXPECT(open_in(dir, &found, &err) == NULL);
	EXPECT(err.code == ERR_STORAGE_FULL);
	EXPECT(unlink(filler) == 0);
	db = open_in(dir, &found, &err);
	EXPECT(db != NULL);
	EXPECT(!found.was_damaged);
	db_close(db);
}

static void
run_on_small_disk(void (*run)(const char *dir))
{
	const char *dir = unit_tempdir();
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		mount_small(dir);
		run(dir);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_MOUNT)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

TEST(test_db_full__fills_while_it_runs)
{
	run_on_small_disk(fills_while_it_runs);
}

TEST(test_db_full__is_full_at_the_start)
{
	run_on_small_disk(is_full_at_the_start);
}
