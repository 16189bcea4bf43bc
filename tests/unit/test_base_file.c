/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static void
put(const char *path, const char *text)
{
	struct file_content c = { text, strlen(text), 0600, NULL };

	assert_int_equal(file_replace(AT_FDCWD, path, &c, NULL), 0);
}

static void
check(const char *path, const char *text)
{
	struct err err = ERR_INIT;
	struct buf b;

	buf_init(&b, 100000);
	assert_int_equal(file_read_all(AT_FDCWD, path, &b, &err), 0);
	assert_string_equal(buf_str(&b), text);
	buf_fini(&b);
}

TEST(test_base_file__folders)
{
	static const char *const cases[][2] = {
		{ "a", "." },
		{ "a/b", "a" },
		{ "/a", "/" },
		{ "/a/b/c", "/a/b" },
		{ "a/", "a" },
	};
	char *folder;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		folder = file_folder(cases[i][0]);
		assert_string_equal(folder, cases[i][1]);
		free(folder);
	}
}

TEST(test_base_file__open_is_close_on_exec)
{
	int fd = file_open(AT_FDCWD, "/dev/null", O_RDONLY, 0, NULL);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	file_close(fd);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	file_close(-1);
}

TEST(test_base_file__errors_name_path_and_kind)
{
	const char *path = unit_temppath("none");
	struct err err = ERR_INIT;

	assert_int_equal(file_open(AT_FDCWD, path, O_RDONLY, 0, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_non_null(strstr(err.msg, "/none'"));
	put(path, "x");
	assert_int_equal(
	    file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600, &err),
	    -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_int_equal(
	    file_open(AT_FDCWD, unit_tempdir(), O_WRONLY, 0, &err), -1);
	assert_int_equal(err.code, ERR_IO);
}

TEST(test_base_file__full_disk)
{
	int fd = file_open(AT_FDCWD, "/dev/full", O_WRONLY, 0, NULL);
	struct err err = ERR_INIT;

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, "x", 1, &err), -1);
	assert_int_equal(err.code, ERR_STORAGE_FULL);
	file_close(fd);
}

TEST(test_base_file__bad_descriptor_is_named)
{
	const char *path = unit_temppath("f");
	struct err err = ERR_INIT;
	char byte;
	int fd;

	put(path, "x");
	fd = file_open(AT_FDCWD, path, O_RDONLY, 0, NULL);
	assert_int_equal(file_write_all(fd, "x", 1, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.msg, "cannot write '"));
	assert_non_null(strstr(err.msg, "/f'"));
	assert_int_equal(file_pwrite_all(fd, "x", 1, 0, &err), -1);
	file_close(fd);
	fd = file_open(AT_FDCWD, path, O_WRONLY, 0, NULL);
	assert_int_equal(file_pread_full(fd, &byte, 1, 0, &err), -1);
	assert_non_null(strstr(err.msg, "cannot read '"));
	file_close(fd);
	assert_int_equal(file_sync(-1, &err), -1);
	assert_non_null(strstr(err.msg, "descriptor -1"));
	assert_int_equal(file_sync_dir(-1, NULL), -1);
}

TEST(test_base_file__writes_and_reads_at_offsets)
{
	int fd = file_open(
	    AT_FDCWD, unit_temppath("f"), O_RDWR | O_CREAT, 0600, NULL);
	char got[10];

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, "0123", 4, NULL), 0);
	assert_int_equal(file_pwrite_all(fd, "abc", 3, 6, NULL), 0);
	assert_int_equal(file_pwrite_all(fd, NULL, 0, 6, NULL), 0);
	assert_int_equal(file_pread_full(fd, got, 10, 0, NULL), 9);
	assert_memory_equal(got, "0123\0\0abc", 9);
	assert_int_equal(file_pread_full(fd, got, 2, 7, NULL), 2);
	assert_memory_equal(got, "bc", 2);
	assert_int_equal(file_pread_full(fd, got, 10, 9, NULL), 0);
	assert_int_equal(file_sync(fd, NULL), 0);
	file_close(fd);
}

TEST(test_base_file__writes_all_through_a_small_pipe)
{
	static char big[200000];
	static char back[200000];
	size_t got = 0;
	ssize_t n;
	int fds[2];
	int status;
	pid_t pid;

	memset(big, 'b', sizeof(big));
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(file_write_all(fds[1], big, sizeof(big), NULL) != 0);
	}
	close(fds[1]);
	while ((n = read(fds[0], back + got, sizeof(back) - got)) > 0)
		got += (size_t)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(got, sizeof(big));
	assert_memory_equal(back, big, sizeof(big));
}

TEST(test_base_file__read_all_keeps_to_the_maximum)
{
	const char *path = unit_temppath("f");
	struct err err = ERR_INIT;
	struct buf b;

	put(path, "12345678");
	buf_init(&b, 8);
	buf_append_str(&b, "old");
	assert_int_equal(file_read_all(AT_FDCWD, path, &b, &err), 0);
	assert_string_equal(buf_str(&b), "12345678");
	buf_fini(&b);
	buf_init(&b, 7);
	assert_int_equal(file_read_all(AT_FDCWD, path, &b, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.msg, "larger than 7 bytes"));
	buf_fini(&b);
	put(path, "");
	buf_init(&b, 0);
	assert_int_equal(file_read_all(AT_FDCWD, path, &b, &err), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(
	    file_read_all(AT_FDCWD, unit_temppath("none"), &b, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_int_equal(file_read_all(AT_FDCWD, unit_tempdir(), &b, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	/* says that it is empty, and is not */
	buf_init(&b, 100000);
	assert_int_equal(
	    file_read_all(AT_FDCWD, "/proc/self/status", &b, &err), 0);
	assert_true(b.len > 0);
	buf_fini(&b);
}

TEST(test_base_file__replace_keeps_the_old)
{
	const char *path = unit_temppath("f");
	const char *old = unit_temppath("f.backup");
	struct file_content c = { "one", 3, 0640, old };
	struct err err = ERR_INIT;
	struct stat st;
	mode_t mask;

	mask = umask(0);
	assert_int_equal(file_replace(AT_FDCWD, path, &c, &err), 0);
	umask(mask);
	check(path, "one");
	assert_int_equal(access(old, F_OK), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	c.p = "two";
	assert_int_equal(file_replace(AT_FDCWD, path, &c, &err), 0);
	check(path, "two");
	check(old, "one");
	c.p = "six";
	assert_int_equal(file_replace(AT_FDCWD, path, &c, &err), 0);
	check(path, "six");
	check(old, "two");
	/* no other names are left */
	assert_int_equal(access(unit_temppath("f.tmp"), F_OK), -1);
	assert_int_equal(access(unit_temppath("f.backup.tmp"), F_OK), -1);
}

TEST(test_base_file__replace_does_not_mind_what_a_crash_left)
{
	const char *path = unit_temppath("f");
	const char *old = unit_temppath("f.backup");
	struct file_content c = { "new", 3, 0600, old };
	struct stat st;
	int fd;

	put(path, "old");
	put(unit_temppath("f.backup.tmp"), "stale");
	fd = file_open(
	    AT_FDCWD, unit_temppath("f.tmp"), O_CREAT | O_WRONLY, 0666, NULL);
	assert_int_equal(file_write_all(fd, "stale and long", 14, NULL), 0);
	file_close(fd);
	assert_int_equal(file_replace(AT_FDCWD, path, &c, NULL), 0);
	check(path, "new");
	check(old, "old");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

TEST(test_base_file__replace_fails_and_leaves_the_old)
{
	const char *dir = unit_temppath("d");
	struct file_content c = { "new", 3, 0600, NULL };
	struct err err = ERR_INIT;

	/* a directory that is not empty cannot be renamed over */
	assert_int_equal(file_mkdir(AT_FDCWD, dir, 0700, &err), 0);
	put(unit_temppath("d/f"), "old");
	assert_int_equal(file_replace(AT_FDCWD, dir, &c, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	check(unit_temppath("d/f"), "old");
	assert_int_equal(access(unit_temppath("d.tmp"), F_OK), -1);
	assert_int_equal(
	    file_replace(AT_FDCWD, unit_temppath("no/f"), &c, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
}

TEST(test_base_file__replace_without_its_backup_is_none)
{
	const char *path = unit_temppath("f");
	const char *dir = unit_temppath("d");
	struct file_content c = { "new", 3, 0600, dir };
	struct err err = ERR_INIT;

	put(path, "old");
	assert_int_equal(file_mkdir(AT_FDCWD, dir, 0700, &err), 0);
	assert_int_equal(file_replace(AT_FDCWD, path, &c, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	check(path, "old");
	assert_int_equal(access(unit_temppath("f.tmp"), F_OK), -1);
	assert_int_equal(access(unit_temppath("d.tmp"), F_OK), -1);
	/* and nothing happens when its temporary name is taken for good */
	c.backup = NULL;
	assert_int_equal(
	    file_mkdir(AT_FDCWD, unit_temppath("f.tmp"), 0700, &err), 0);
	assert_int_equal(file_replace(AT_FDCWD, path, &c, &err), -1);
	check(path, "old");
}

TEST(test_base_file__replace_below_a_directory)
{
	int dir = file_open(
	    AT_FDCWD, unit_tempdir(), O_RDONLY | O_DIRECTORY, 0, NULL);
	struct file_content c = { "text", 4, 0600, "f.backup" };

	assert_true(dir >= 0);
	assert_int_equal(file_mkdir(dir, "sub", 0700, NULL), 0);
	assert_int_equal(file_replace(dir, "f", &c, NULL), 0);
	check(unit_temppath("f"), "text");
	c.backup = NULL;
	assert_int_equal(file_replace(dir, "sub/g", &c, NULL), 0);
	check(unit_temppath("sub/g"), "text");
	assert_int_equal(file_sync_dir(dir, NULL), 0);
	file_close(dir);
}

TEST(test_base_file__mkdir_twice)
{
	const char *path = unit_temppath("d");
	struct err err = ERR_INIT;
	struct stat st;

	assert_int_equal(file_mkdir(AT_FDCWD, path, 0700, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(file_mkdir(AT_FDCWD, path, 0700, &err), 0);
	put(unit_temppath("f"), "x");
	assert_int_equal(
	    file_mkdir(AT_FDCWD, unit_temppath("f"), 0700, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_int_equal(
	    file_mkdir(AT_FDCWD, unit_temppath("no/d"), 0700, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
}

/* Root writes for others: what it replaces stays theirs. */
TEST(test_base_file__replaced_by_root_it_stays_its_owner_s)
{
	const struct file_content content = {
		.p = "x",
		.n = 1,
		.mode = 0600,
	};
	const char *path = unit_temppath("file");
	struct err err = ERR_INIT;
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_int_equal(file_replace(AT_FDCWD, path, &content, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(chown(path, 65534, 65533), 0);
	assert_int_equal(file_replace(AT_FDCWD, path, &content, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, 65533);
	assert_int_equal(st.st_mode & 07777, 0600);
}
