/* SPDX-License-Identifier: MIT */
#include "storage/home.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "storage/home_priv.h"

#define FORMAT_NAME "FORMAT"
#define FORMAT_OURS 1
#define FORMAT_TEXT "sft 1\n"
#define FORMAT_MAX 64
#define BLOCK 4096
/* Whoever only asks for the lock has it for a moment. */
#define LOCK_TRIES 5
#define LOCK_PAUSE_NS (5 * 1000000L)
#define DIR_MODE 0700
#define PARENT_MODE 0755
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY)

int
home_refuse(const char *path, int error, struct err *err)
{
	static const struct {
		int error;
		const char *why;
	} reasons[] = {
		{ ENOTDIR, "is not a directory: name one in UPLOAD_DIR" },
		{ EACCES, "may not be used by this user: change its owner or "
		          "mode, or name another in UPLOAD_DIR" },
		{ EPERM, "may not be used by this user: change its owner or "
		         "mode, or name another in UPLOAD_DIR" },
		{ EROFS, "is on a read-only file system: mount it writable, "
		         "or name another in UPLOAD_DIR" },
		{ ENOSPC, "is on a full disk: make room there" },
		{ EDQUOT, "is beyond this user's quota: make room there" },
		{ ELOOP, "has a symbolic link where none may be" },
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].error == error)
			return err_set(
			    err, ERR_SETTING, "'%s' %s", path, reasons[i].why);
	}
	errno = error;
	return err_set_errno(
	    err, ERR_SETTING, "cannot use '%s' for UPLOAD_DIR", path);
}

/* Makes ${path}, whose parent is there, and that durable. */
static int
make_dir(const char *path, mode_t mode, struct err *err)
{
	char *parent;
	int fd = -1;
	int rc = -1;

	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : home_refuse(path, errno, err);
	parent = mem_printf("%s/..", path);
	fd = file_open(AT_FDCWD, parent, DIR_FLAGS, 0, err);
	if (fd < 0)
		goto out;
	rc = file_sync_dir(fd, err);
out:
	file_close(fd);
	free(parent);
	return rc;
}

/* With all that is missing above it. */
static int
make_dirs(const char *path, struct err *err)
{
	char *copy = mem_strdup(path);
	char *slash;
	int rc = 0;

	for (slash = strchr(copy + 1, '/'); slash != NULL && rc == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		rc = make_dir(copy, PARENT_MODE, err);
		*slash = '/';
	}
	if (rc == 0)
		rc = make_dir(path, DIR_MODE, err);
	free(copy);
	return rc;
}

int
home_make(const char *path, bool *ret_made, struct err *err)
{
	struct stat st;
	bool is_missing;

	if (path[0] == '\0')
		return err_set(
		    err, ERR_SETTING, "UPLOAD_DIR is empty: name a directory");
	is_missing = stat(path, &st) < 0 && errno == ENOENT;
	if (ret_made != NULL)
		*ret_made = is_missing;
	return is_missing ? make_dirs(path, err) : 0;
}

static int
open_dir(const char *path, int *ret_fd, struct err *err)
{
	struct err why = ERR_INIT;
	int fd;

	if (home_make(path, NULL, err) < 0)
		return -1;
	fd = file_open(AT_FDCWD, path, DIR_FLAGS, 0, &why);
	if (fd < 0)
		return home_refuse(path, why.sys, err);
	*ret_fd = fd;
	return 0;
}

/* The number in "sft N"; 0 for anything else. */
static uint64_t
format_number(const char *text, size_t n)
{
	struct slice s = { text, n };
	uint64_t number = 0;

	if (!slice_starts(s, "sft "))
		return 0;
	s.p += 4;
	s.n -= 4;
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	(void)num_uint(s, UINT64_MAX, &number);
	return number;
}

int
home_check_format(const struct home *home, struct err *err)
{
	char text[FORMAT_MAX];
	struct err why = ERR_INIT;
	uint64_t number;
	ssize_t n;
	int fd;

	fd = file_open(home->dirfd, FORMAT_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &why);
	if (fd < 0 && why.sys == ENOENT)
		return 0;
	if (fd < 0)
		return home_refuse(home->path, why.sys, err);
	n = file_pread_full(fd, text, sizeof(text), 0, &why);
	file_close(fd);
	if (n < 0)
		return home_refuse(home->path, why.sys, err);
	number = format_number(text, (size_t)n);
	if (number == 0)
		return err_set(err, ERR_SETTING,
		    "'%s' belongs to another program, by its file FORMAT: "
		    "name another directory in UPLOAD_DIR",
		    home->path);
	if (number > FORMAT_OURS)
		return err_set(err, ERR_SETTING,
		    "'%s' was written by a newer sftd (format %" PRIu64
		    ", this one knows %d): install that",
		    home->path, number, FORMAT_OURS);
	return 1;
}

static int
say_locked(const struct home *home, struct err *err)
{
	char text[24];
	ssize_t n;
	uint64_t pid = 0;

	n = file_pread_full(home->lockfd, text, sizeof(text), 0, NULL);
	if (n > 0 &&
	    num_uint((struct slice){ text, (size_t)n - 1 }, INT32_MAX, &pid))
		return err_set(err, ERR_SETTING,
		    "'%s' is in use by another server (process %" PRIu64
		    "): stop that, or name another directory in UPLOAD_DIR",
		    home->path, pid);
	return err_set(err, ERR_SETTING,
	    "'%s' is in use by another server: stop that, or name another "
	    "directory in UPLOAD_DIR",
	    home->path);
}

/* Our number, for people; then a block that goes again, to find out whether
 * the disk takes any more. */
static int
write_lock(struct home *home, const char *text, struct err *err)
{
	static const char block[BLOCK];
	size_t n = strlen(text);

	if (ftruncate(home->lockfd, 0) < 0)
		return err_set_errno(err, ERR_IO, "cannot cut the lock");
	if (file_pwrite_all(home->lockfd, text, n, 0, err) < 0 ||
	    file_pwrite_all(home->lockfd, block, BLOCK, BLOCK, err) < 0 ||
	    file_sync(home->lockfd, err) < 0)
		return -1;
	if (ftruncate(home->lockfd, (off_t)n) < 0)
		return err_set_errno(err, ERR_IO, "cannot cut the lock");
	return 0;
}

static int
sign_lock(struct home *home, struct err *err)
{
	struct err why = ERR_INIT;
	char text[24];

	(void)snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (write_lock(home, text, &why) == 0)
		return 0;
	home_ballast_drop(home);
	if (write_lock(home, text, &why) == 0)
		return 0;
	return home_refuse(home->path, why.sys, err);
}

int
home_flock(int fd)
{
	const struct timespec pause = { 0, LOCK_PAUSE_NS };
	int rc;

	for (int i = 0; i < LOCK_TRIES; i++) {
		do {
			rc = flock(fd, LOCK_EX | LOCK_NB);
		} while (rc < 0 && errno == EINTR);
		if (rc == 0 || errno != EWOULDBLOCK)
			return rc;
		(void)nanosleep(&pause, NULL);
	}
	errno = EWOULDBLOCK;
	return -1;
}

/*
 * flock() and not fcntl(): it goes with the descriptor, so that closing
 * another descriptor of that file does not give the lock up.
 */
static int
take_lock(struct home *home, struct err *err)
{
	struct err why = ERR_INIT;
	int rc;

	home->lockfd = file_open(home->dirfd, HOME_LOCK,
	    O_RDWR | O_CREAT | O_NOFOLLOW, HOME_FILE_MODE, &why);
	if (home->lockfd < 0)
		return home_refuse(home->path, why.sys, err);
	rc = home_flock(home->lockfd);
	if (rc < 0 && errno == EWOULDBLOCK)
		return say_locked(home, err);
	if (rc < 0)
		return home_refuse(home->path, errno, err);
	return sign_lock(home, err);
}

static int
write_format(struct home *home, struct err *err)
{
	static const struct file_content content = {
		.p = FORMAT_TEXT,
		.n = sizeof(FORMAT_TEXT) - 1,
		.mode = HOME_FILE_MODE,
	};
	struct err why = ERR_INIT;

	if (file_replace(home->dirfd, FORMAT_NAME, &content, &why) == 0)
		return 0;
	return home_refuse(home->path, why.sys, err);
}

/* The parts that are not the storage's own, no links. */
static int
make_parts(struct home *home, struct err *err)
{
	static const char *const parts[] = { "thumbs", "backups" };
	struct err why = ERR_INIT;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (file_mkdir(home->dirfd, parts[i], DIR_MODE, &why) < 0)
			return home_refuse(home->path, why.sys, err);
		fd = file_open(
		    home->dirfd, parts[i], DIR_FLAGS | O_NOFOLLOW, 0, NULL);
		if (fd < 0)
			return err_set(err, ERR_SETTING,
			    "'%s/%s' must be a directory, and no symbolic "
			    "link",
			    home->path, parts[i]);
		file_close(fd);
	}
	return file_sync_dir(home->dirfd, err);
}

/* Ours, or free to become ours: looked at before anything is written. */
static int
check(struct home *home, struct err *err)
{
	int rc = home_check_format(home, err);

	return rc == 0 ? home_check_empty(home, err) : rc;
}

static int
enter(struct home *home, struct err *err)
{
	int is_ours;

	if (check(home, err) < 0 || take_lock(home, err) < 0)
		return -1;
	/* Again: somebody may have been quicker before we had the lock. */
	is_ours = check(home, err);
	if (is_ours < 0)
		return -1;
	if (!is_ours && write_format(home, err) < 0)
		return -1;
	return make_parts(home, err);
}

int
home_open(const char *path, struct home **ret_home, struct err *err)
{
	struct home *home = mem_calloc(1, sizeof(*home));

	home->dirfd = home->lockfd = -1;
	if (open_dir(path, &home->dirfd, err) < 0)
		goto fail;
	home->path = realpath(path, NULL);
	if (home->path == NULL) {
		(void)home_refuse(path, errno, err);
		goto fail;
	}
	if (enter(home, err) < 0)
		goto fail;
	*ret_home = home;
	return 0;
fail:
	home_close(home);
	return -1;
}

void
home_close(struct home *home)
{
	if (home == NULL)
		return;
	file_close(home->lockfd);
	file_close(home->dirfd);
	free(home->path);
	free(home);
}

char *
home_path(const struct home *home, const char *part)
{
	return mem_printf("%s/%s", home->path, part);
}
