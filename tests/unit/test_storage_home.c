/* SPDX-License-Identifier: MIT */
#include "storage_help.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "storage/home.h"

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Refused, in a sentence that has ${word} in it. */
static void
assert_refused(const char *path, const char *word)
{
	struct err err = ERR_INIT;
	struct home *home;

	assert_int_equal(home_open(path, &home, &err), -1);
	assert_string_equal(
	    err_code_name(err.code), err_code_name(ERR_SETTING));
	if (strstr(err.msg, word) == NULL)
		fail_msg("no '%s' in: %s", word, err.msg);
}

TEST(test_storage_home__is_made)
{
	const char *path = unit_temppath("a/b/storage");
	struct home *home;
	struct stat st;
	char text[10];
	char *part;
	FILE *f;

	OK(home_open(path, &home, &err));
	assert_string_equal(home->path, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_true(is_there(unit_temppath("a/b/storage/thumbs")));
	assert_true(is_there(unit_temppath("a/b/storage/backups")));
	f = fopen(unit_temppath("a/b/storage/FORMAT"), "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "sft 1\n");
	part = home_path(home, "records.db");
	assert_string_equal(part, unit_temppath("a/b/storage/records.db"));
	free(part);
	home_close(home);
	home_close(NULL);
	/* and opened again, with things in it */
	write_text(unit_temppath("a/b/storage/records.db"), "");
	OK(home_open(path, &home, &err));
	home_close(home);
}

/* Also a link to a directory, and with a slash at the end. */
TEST(test_storage_home__path_is_absolute)
{
	const char *real = unit_temppath("real");
	char slashed[300];
	struct home *home;

	assert_int_equal(mkdir(real, 0755), 0);
	assert_int_equal(symlink(real, unit_temppath("link")), 0);
	snprintf(slashed, sizeof(slashed), "%s/", unit_temppath("link"));
	OK(home_open(slashed, &home, &err));
	assert_string_equal(home->path, real);
	home_close(home);
}

TEST(test_storage_home__what_a_new_disk_has_is_nothing)
{
	struct home *home;

	assert_int_equal(mkdir(unit_temppath("lost+found"), 0700), 0);
	OK(home_open(unit_tempdir(), &home, &err));
	home_close(home);
}

/* What an end before FORMAT was written leaves. */
TEST(test_storage_home__half_made_is_made)
{
	struct home *home;

	write_text(unit_temppath("lock"), "123456789\n");
	write_text(unit_temppath("FORMAT.tmp"), "sf");
	OK(home_open(unit_tempdir(), &home, &err));
	assert_true(is_there(unit_temppath("FORMAT")));
	home_close(home);
}

TEST(test_storage_home__foreign_is_refused)
{
	write_text(unit_temppath("holiday.jpg"), "");
	assert_refused(unit_tempdir(), "'holiday.jpg'");
	assert_refused(unit_tempdir(), "UPLOAD_DIR");
	/* and nothing is left in it */
	assert_false(is_there(unit_temppath("lock")));
	assert_false(is_there(unit_temppath("FORMAT")));
	write_text(unit_temppath("b"), "");
	write_text(unit_temppath("c"), "");
	write_text(unit_temppath("d"), "");
	assert_refused(unit_tempdir(), "and more");
}

TEST(test_storage_home__format_is_checked)
{
	static const struct {
		const char *text;
		const char *word;
	} cases[] = {
		{ "sft 2\n", "newer" },
		{ "sft 2", "format 2" },
		{ "sft 99999999999999999999\n", "another program" },
		{ "sft 0\n", "another program" },
		{ "sft 1 \n", "another program" },
		{ "sft x\n", "another program" },
		{ "sft\n", "another program" },
		{ "", "another program" },
		{ "{\"version\":\"1\"}", "another program" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_text(unit_temppath("FORMAT"), cases[i].text);
		assert_refused(unit_tempdir(), cases[i].word);
		assert_false(is_there(unit_temppath("lock")));
	}
}

TEST(test_storage_home__links_are_refused)
{
	const char *away = unit_temppath("away");
	const char *path = unit_temppath("storage");

	write_text(away, "sft 1\n");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(symlink(away, unit_temppath("storage/FORMAT")), 0);
	assert_refused(path, "symbolic link");
	assert_int_equal(unlink(unit_temppath("storage/FORMAT")), 0);
	assert_int_equal(symlink(away, unit_temppath("storage/lock")), 0);
	assert_refused(path, "symbolic link");
	assert_int_equal(unlink(unit_temppath("storage/lock")), 0);
	assert_int_equal(unlink(away), 0);
	assert_int_equal(mkdir(away, 0700), 0);
	write_text(unit_temppath("storage/FORMAT"), "sft 1\n");
	assert_int_equal(symlink(away, unit_temppath("storage/thumbs")), 0);
	assert_refused(path, "symbolic link");
}

TEST(test_storage_home__what_is_no_directory)
{
	write_text(unit_temppath("file"), "");
	assert_refused(unit_temppath("file"), "not a directory");
	assert_refused(unit_temppath("file/storage"), "not a directory");
	assert_refused("", "UPLOAD_DIR");
	assert_refused("/proc/nothing", "/proc/nothing");
}

TEST(test_storage_home__one_server_at_a_time)
{
	struct home *home, *other;
	char word[64];

	OK(home_open(unit_tempdir(), &home, &err));
	snprintf(word, sizeof(word), "(process %d)", (int)getpid());
	assert_refused(unit_tempdir(), word);
	assert_refused(unit_tempdir(), "in use by another server");
	/* reading the lock does not give it up */
	close(open(unit_temppath("lock"), O_RDONLY));
	assert_refused(unit_tempdir(), "in use by another server");
	home_close(home);
	OK(home_open(unit_tempdir(), &other, &err));
	home_close(other);
}

static void
lock_and_die(const char *path)
{
	struct home *home;

	CHILD_CHECK(home_open(path, &home, NULL) == 0);
	(void)kill(getpid(), SIGKILL);
}

TEST(test_storage_home__lock_dies_with_its_process)
{
	struct home *home;

	assert_true(WIFSIGNALED(help_in_child(lock_and_die, unit_tempdir())));
	OK(home_open(unit_tempdir(), &home, &err));
	home_close(home);
}

static void
open_as_nobody(const char *path)
{
	struct err err = ERR_INIT;
	struct home *home;

	CHILD_CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHILD_CHECK(home_open(path, &home, &err) < 0);
	CHILD_CHECK(err.code == ERR_SETTING);
	CHILD_CHECK(strstr(err.msg, "may not be used by this user") != NULL);
}

/* One that may be entered, and one that may not. */
TEST(test_storage_home__not_ours_to_write)
{
	const char *open_one = unit_temppath("open");
	const char *closed = unit_temppath("closed");

	if (geteuid() != 0) {
		print_message("only root can be somebody else\n");
		skip();
	}
	assert_int_equal(chmod(unit_tempdir(), 0755), 0);
	assert_int_equal(mkdir(open_one, 0755), 0);
	assert_int_equal(mkdir(closed, 0700), 0);
	assert_int_equal(help_in_child(open_as_nobody, open_one), 0);
	assert_int_equal(help_in_child(open_as_nobody, closed), 0);
	assert_int_equal(
	    help_in_child(open_as_nobody, unit_temppath("new")), 0);
}

static void
open_read_only(const char *path)
{
	struct err err = ERR_INIT;
	struct home *home;

	/* as it is, and after a server had it */
	help_remount_read_only(path);
	CHILD_CHECK(home_open(path, &home, &err) < 0);
	CHILD_CHECK(err.code == ERR_SETTING);
	CHILD_CHECK(strstr(err.msg, "read-only") != NULL);
}

static void
open_used_read_only(const char *path)
{
	struct home *home;

	CHILD_CHECK(home_open(path, &home, NULL) == 0);
	home_close(home);
	open_read_only(path);
}

TEST(test_storage_home__read_only_disk)
{
	help_on_small_disk(open_read_only, unit_tempdir());
	help_on_small_disk(open_used_read_only, unit_tempdir());
}

/* Until not one byte more goes onto it. */
static void
fill(const char *path)
{
	static const char block[4096];
	char name[300];
	int fd;

	snprintf(name, sizeof(name), "%s/filler", path);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	CHILD_CHECK(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

static void
open_full(const char *path)
{
	struct err err = ERR_INIT;
	struct home *home;

	CHILD_CHECK(home_open(path, &home, NULL) == 0);
	home_close(home);
	fill(path);
	CHILD_CHECK(home_open(path, &home, &err) < 0);
	CHILD_CHECK(err.code == ERR_SETTING);
	CHILD_CHECK(strstr(err.msg, "full disk") != NULL);
}

TEST(test_storage_home__full_disk)
{
	help_on_small_disk(open_full, unit_tempdir());
}

/* With a ballast one can start, and delete. */
static void
open_full_with_ballast(const char *path)
{
	struct err err = ERR_INIT;
	struct home *home;
	struct statvfs fs;
	char name[300];

	CHILD_CHECK(home_open(path, &home, NULL) == 0);
	CHILD_CHECK(home_ballast_fill(home, NULL) == 0);
	home_close(home);
	fill(path);
	CHILD_CHECK(statvfs(path, &fs) == 0 && fs.f_bavail == 0);
	CHILD_CHECK(home_open(path, &home, &err) == 0);
	CHILD_CHECK(statvfs(path, &fs) == 0 && fs.f_bavail > 0);
	/* it is not taken from the last bytes */
	CHILD_CHECK(home_ballast_fill(home, &err) < 0);
	CHILD_CHECK(err.code == ERR_STORAGE_FULL);
	snprintf(name, sizeof(name), "%s/ballast", path);
	CHILD_CHECK(access(name, F_OK) < 0);
	home_close(home);
}

TEST(test_storage_home__ballast_is_dropped_at_the_start)
{
	help_on_small_disk(open_full_with_ballast, unit_tempdir());
}

TEST(test_storage_home__ballast)
{
	const char *path = unit_temppath("ballast");
	struct home *home;
	struct statvfs fs;
	struct stat st;
	uint64_t wanted = 16 * 1024 * 1024;

	OK(home_open(unit_tempdir(), &home, &err));
	home_ballast_drop(home); /* there is none */
	OK(home_ballast_fill(home, &err));
	assert_int_equal(statvfs(unit_tempdir(), &fs), 0);
	if (fs.f_blocks * fs.f_frsize / 100 < wanted)
		wanted = fs.f_blocks * fs.f_frsize / 100 / 4096 * 4096;
	assert_int_equal(stat(path, &st), 0);
	/* really taken, not only said */
	assert_true((uint64_t)st.st_blocks * 512 >= wanted);
	assert_int_equal(st.st_size, wanted);
	OK(home_ballast_fill(home, &err));
	home_ballast_drop(home);
	assert_false(is_there(path));
	home_close(home);
}
