/* SPDX-License-Identifier: MIT */

/* Files around the database, while nothing has it open. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "db/db_priv.h"

#define COPY_STEP (64 * 1024)

void
db_file_stamp(int64_t wall_ms, char ret[DB_STAMP_SIZE])
{
	char text[CLOCK_RFC3339_SIZE];
	const char *from;
	char *to = ret;

	clock_rfc3339(wall_ms, text);
	for (from = text; *from != '\0'; from++) {
		if (*from != '-' && *from != ':' &&
		    to < ret + DB_STAMP_SIZE - 1)
			*to++ = *from;
	}
	*to = '\0';
}

int
db_file_rename(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) < 0)
		return err_set_errno(
		    err, ERR_IO, "cannot rename '%s' to '%s'", from, to);
	return file_sync_folder(AT_FDCWD, to, err);
}

int
db_file_remove(const char *path, struct err *err)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set_errno(err, ERR_IO, "cannot remove '%s'", path);
	return 0;
}

int
db_file_touch(const char *path, struct err *err)
{
	int fd =
	    file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600, err);

	if (fd < 0)
		return -1;
	file_close(fd);
	return 0;
}

static int
copy_bytes(int from, int to, struct err *err)
{
	char *buf = mem_alloc(COPY_STEP);
	uint64_t offset = 0;
	ssize_t n;
	int rc = 0;

	do {
		n = file_pread_full(from, buf, COPY_STEP, offset, err);
		if (n > 0)
			rc = file_write_all(to, buf, (size_t)n, err);
		offset += n > 0 ? (uint64_t)n : 0;
	} while (n == COPY_STEP && rc == 0);
	free(buf);
	return n < 0 ? -1 : rc;
}

int
db_file_copy(const char *from, const char *to, struct err *err)
{
	int in = -1, out = -1;
	int rc = -1;

	in = file_open(AT_FDCWD, from, O_RDONLY, 0, err);
	if (in < 0)
		goto out;
	out = file_open(AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL, 0600, err);
	if (out < 0)
		goto out;
	if (copy_bytes(in, out, err) < 0)
		goto out;
	rc = file_sync(out, err);
out:
	file_close(in);
	file_close(out);
	return rc;
}

int
db_file_sync(const char *path, struct err *err)
{
	int fd = file_open(AT_FDCWD, path, O_RDONLY, 0, err);
	int rc;

	if (fd < 0)
		return -1;
	rc = file_sync(fd, err);
	file_close(fd);
	return rc;
}
