/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_STEP (64 * 1024)

/* "cannot ${verb} '${path}': ..." with the code that errno asks for. */
static int
fail(struct err *err, const char *verb, const char *path)
{
	enum err_code code = ERR_IO;

	if (errno == ENOENT)
		code = ERR_ABSENT;
	else if (errno == EEXIST)
		code = ERR_EXISTS;
	return err_set_errno(err, code, "cannot %s '%s'", verb, path);
}

/* The same where only a descriptor is at hand: its path, as far as the
 * kernel still knows it. */
static int
fail_fd(struct err *err, const char *verb, int fd)
{
	int saved = errno;
	char link[64];
	char path[ERR_MSG_MAX];
	ssize_t n;

	if (err == NULL)
		return -1;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		n = snprintf(path, sizeof(path), "descriptor %d", fd);
	path[n] = '\0';
	errno = saved;
	return err_set_errno(err, ERR_IO, "cannot %s '%s'", verb, path);
}

int
file_open(int dirfd, const char *path, int flags, mode_t mode, struct err *err)
{
	int fd;

	do {
		fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? fail(err, "open", path) : fd;
}

void
file_close(int fd)
{
	/* After EINTR Linux has closed it; a failed write-back was reported
	 * by file_sync() to whoever cared. */
	if (fd >= 0)
		close(fd);
}

int
file_write_all(int fd, const void *p, size_t n, struct err *err)
{
	const char *at = p;
	ssize_t done;

	while (n > 0) {
		done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail_fd(err, "write", fd);
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int
file_pwrite_all(
    int fd, const void *p, size_t n, uint64_t offset, struct err *err)
{
	const char *at = p;
	ssize_t done;

	while (n > 0) {
		done = pwrite(fd, at, n, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail_fd(err, "write", fd);
		at += done;
		offset += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

ssize_t
file_pread_full(int fd, void *p, size_t n, uint64_t offset, struct err *err)
{
	char *at = p;
	size_t got = 0;
	ssize_t done;

	while (got < n) {
		done = pread(fd, at + got, n - got, (off_t)(offset + got));
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail_fd(err, "read", fd);
		if (done == 0)
			break;
		got += (size_t)done;
	}
	return (ssize_t)got;
}

static int
too_large(struct err *err, const char *path, const struct buf *b)
{
	return err_set(
	    err, ERR_IO, "'%s' is larger than %zu bytes", path, b->max);
}

/* By read(), not by size: files in /proc claim to be empty. */
static int
read_rest(int fd, const char *path, struct buf *b, struct err *err)
{
	size_t room;
	ssize_t n;
	char more;
	void *p;

	for (;;) {
		room = b->max - b->len;
		if (room > READ_STEP)
			room = READ_STEP;
		p = room == 0 ? &more : buf_reserve(b, room);
		if (p == NULL)
			return err_set(
			    err, ERR_IO, "no memory to read '%s'", path);
		n = read(fd, p, room == 0 ? 1 : room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, "read", path);
		if (n == 0)
			return 0;
		if (room == 0)
			return too_large(err, path, b);
		buf_add(b, (size_t)n);
	}
}

int
file_read_all(int dirfd, const char *path, struct buf *b, struct err *err)
{
	int fd, rc;

	buf_clear(b);
	fd = file_open(dirfd, path, O_RDONLY, 0, err);
	if (fd < 0)
		return -1;
	rc = read_rest(fd, path, b, err);
	file_close(fd);
	return rc;
}

int
file_mkdir(int dirfd, const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	if (errno == EEXIST && fstatat(dirfd, path, &st, 0) == 0 &&
	    S_ISDIR(st.st_mode))
		return 0;
	return fail(err, "make the directory", path);
}

int
file_sync(int fd, struct err *err)
{
	return fdatasync(fd) < 0 ? fail_fd(err, "sync", fd) : 0;
}

int
file_sync_all(int fd, struct err *err)
{
	return fsync(fd) < 0 ? fail_fd(err, "sync", fd) : 0;
}

int
file_sync_dir(int fd, struct err *err)
{
	return fsync(fd) < 0 ? fail_fd(err, "sync", fd) : 0;
}

char *
file_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	if (slash == path)
		return mem_strdup("/");
	return slice_dup((struct slice){ path, (size_t)(slash - path) });
}

int
file_sync_folder(int dirfd, const char *path, struct err *err)
{
	char *dir = file_folder(path);
	int fd = -1;
	int rc = -1;

	fd = file_open(dirfd, dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		goto out;
	rc = file_sync_dir(fd, err);
out:
	file_close(fd);
	free(dir);
	return rc;
}

/* Root writes in the place of others: they must be able to read it. */
static int
keep_owner(int dirfd, const char *path, int fd, struct err *err)
{
	struct stat st;

	if (geteuid() != 0 ||
	    fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return fchown(fd, st.st_uid, st.st_gid) < 0 ? fail(err, "own", path)
	                                            : 0;
}

/* A new file with this content, durable, with nobody else's rights, in place
 * of ${old}. */
static int
write_new(int dirfd, const char *path, const char *old,
    const struct file_content *content, struct err *err)
{
	int fd, rc;

	/* A crash may have left one, with any mode. */
	if (unlinkat(dirfd, path, 0) < 0 && errno != ENOENT)
		return fail(err, "remove", path);
	fd = file_open(
	    dirfd, path, O_WRONLY | O_CREAT | O_EXCL, content->mode, err);
	if (fd < 0)
		return -1;
	rc = keep_owner(dirfd, old, fd, err);
	if (rc == 0)
		rc = file_write_all(fd, content->p, content->n, err);
	if (rc == 0)
		rc = file_sync_all(fd, err);
	file_close(fd);
	if (rc < 0)
		(void)unlinkat(dirfd, path, 0); /* as it was before */
	return rc;
}

/*
 * Keeps ${path} under the name ${backup} too.  By a link and a rename, so
 * that at every moment there is a file under both names; where the file
 * system has no links, the old file is moved.
 */
static int
keep_old(int dirfd, const char *path, const char *backup, struct err *err)
{
	char *temp = mem_printf("%s.tmp", backup);
	int rc = 0;

	(void)unlinkat(dirfd, temp, 0); /* left by a crash */
	if (linkat(dirfd, path, dirfd, temp, 0) == 0)
		rc = renameat(dirfd, temp, dirfd, backup);
	else if (errno != ENOENT)
		rc = renameat(dirfd, path, dirfd, backup);
	if (rc < 0) {
		rc = fail(err, "write", backup);
		(void)unlinkat(dirfd, temp, 0);
	}
	free(temp);
	return rc;
}

int
file_replace(int dirfd, const char *path, const struct file_content *content,
    struct err *err)
{
	char *temp = mem_printf("%s.tmp", path);
	int rc;

	rc = write_new(dirfd, temp, path, content, err);
	if (rc < 0)
		goto out;
	if (content->backup != NULL)
		rc = keep_old(dirfd, path, content->backup, err);
	if (rc == 0 && renameat(dirfd, temp, dirfd, path) < 0)
		rc = fail(err, "rename to", path);
	if (rc < 0)
		(void)unlinkat(dirfd, temp, 0); /* as it was before */
	else
		rc = file_sync_folder(dirfd, path, err);
out:
	free(temp);
	return rc;
}

int
file_set_cloexec(int fd, bool on, struct err *err)
{
	if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0)
		return err_set_errno(err, ERR_IO, "descriptor %d", fd);
	return 0;
}
